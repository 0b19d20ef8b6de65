//! Frames in and out: interfaces, captures, the segment inside the process, recording, and spoiling.
//!
//! A [`Link`] owns the clock: waiting for a frame on a real interface takes real time, on a segment
//! or a capture it takes none.

pub mod capture;
pub mod file;
mod filter;
mod forward;
pub mod impair;
pub mod interfaces;
pub mod label;
pub mod port;
pub mod real;
pub mod record;
pub mod segment;
pub mod shared;
mod snoop;
mod socket;

use std::fmt;
use std::io;
use std::ops::{Add, Sub};
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pnet::util::MacAddr;

/// A point in time: nanoseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub u64);

impl Time {
    /// What the machine's clock says.
    pub fn now() -> Time {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Time(since.unwrap_or_default().as_nanos() as u64)
    }

    /// Whole seconds, and nanoseconds beyond them.
    pub fn parts(self) -> (u64, u32) {
        (self.0 / 1_000_000_000, (self.0 % 1_000_000_000) as u32)
    }
}

impl Add<Duration> for Time {
    type Output = Time;
    fn add(self, length: Duration) -> Time {
        let nanos = u64::try_from(length.as_nanos()).unwrap_or(u64::MAX);
        Time(self.0.saturating_add(nanos))
    }
}

/// The time from one point to another; zero when it lies before.
impl Sub for Time {
    type Output = Duration;
    fn sub(self, earlier: Time) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// A frame that came off a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// When it arrived; the kernel's time where it gives one.
    pub at: Time,
    /// The whole frame, VLAN tags included.
    pub bytes: Vec<u8>,
    /// The UDP checksum was left for the network card to finish: the frame never left this machine.
    pub checksum_unfinished: bool,
    /// Bytes the frame had on the wire.
    pub original_len: usize,
}

/// What a link knows of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Whether the interface is up.
    pub up: Option<bool>,
    /// Whether there is a carrier.
    pub carrier: Option<bool>,
    /// Frames that the kernel dropped because nobody fetched them in time.
    pub dropped: u64,
    /// What was done to frames on purpose.
    pub spoiled: Spoiled,
}

/// Frames that a link spoiled on purpose, in both directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spoiled {
    /// Lost.
    pub lost: u64,
    /// Sent or received twice.
    pub duplicated: u64,
    /// Held back until another had passed.
    pub reordered: u64,
}

/// Why a link cannot be opened or used.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// There is no interface of that name.
    #[error("no interface `{name}`{}; `dhcpcraft interfaces` lists what there is", Near(.near))]
    NoSuchInterface {
        /// The name asked for.
        name: String,
        /// The most similar name there is.
        near: Option<String>,
    },
    /// The right to open a raw socket is missing.
    #[error(
        "{interface}: opening a raw socket needs CAP_NET_RAW: run as root, or \
         `sudo setcap cap_net_raw,cap_net_admin+ep {}`",
        Program
    )]
    NoPermission {
        /// The interface.
        interface: String,
    },
    /// The interface is down.
    #[error("{interface} is down; bring it up with `ip link set {interface} up`")]
    Down {
        /// The interface.
        interface: String,
    },
    /// The interface does not carry Ethernet frames.
    #[error("{interface} is not an Ethernet interface")]
    NotEthernet {
        /// The interface.
        interface: String,
    },
    /// A capture cannot be sent to.
    #[error(
        "{name} is a capture: frames can be read from it, not sent to it (-i IFACE names an interface)"
    )]
    ReadOnly {
        /// The file.
        name: String,
    },
    /// The frame is larger than the link takes.
    #[error("{interface}: a frame of {len} bytes is too long for its MTU")]
    TooLong {
        /// The interface.
        interface: String,
        /// The frame's length.
        len: usize,
    },
    /// The interface has no room for the frame, and made none.
    #[error(
        "{interface}: its send queue has been full for {} ms; send less at a time, or see what fills or limits it: \
         `tc -s qdisc show dev {interface}`",
        .waited.as_millis()
    )]
    Full {
        /// The interface.
        interface: String,
        /// How long the frame was offered.
        waited: Duration,
    },
    /// The capture read from or recorded to failed.
    #[error(transparent)]
    Capture(#[from] capture::CaptureError),
    /// The operating system refused.
    #[error("{interface}: {operation}: {source}")]
    Io {
        /// The interface.
        interface: String,
        /// What was tried.
        operation: &'static str,
        /// What it said.
        source: io::Error,
    },
}

/// A suggestion in parentheses.
struct Near<'a>(&'a Option<String>);

impl fmt::Display for Near<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(near) => write!(f, " (did you mean `{near}`?)"),
            None => Ok(()),
        }
    }
}

/// The path of this program, for a command line to copy.
struct Program;

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match std::env::current_exe() {
            Ok(path) => write!(f, "{}", path.display()),
            Err(_) => f.write_str("$(command -v dhcpcraft)"),
        }
    }
}

/// A link that frames can be sent to and received from.
pub trait Link {
    /// Its name: an interface, a file, or a cast of the lab.
    fn name(&self) -> &str;

    /// The interface's own address.
    fn mac(&self) -> Option<MacAddr>;

    /// What its frames begin with, as pcap numbers it.
    fn link_type(&self) -> u32 {
        1
    }

    /// Sends a frame and says when it left.
    fn send(&mut self, frame: &[u8]) -> Result<Time, LinkError>;

    /// The next frame, or `None` when none arrives before `until`.
    fn recv(&mut self, until: Time) -> Result<Option<Received>, LinkError>;

    /// What the link's clock says.
    fn now(&self) -> Time;

    /// Whether the clock is virtual, so that waiting costs nothing.
    fn is_virtual(&self) -> bool {
        false
    }

    /// Whether no frame can ever arrive again.
    fn exhausted(&self) -> bool {
        false
    }

    /// When the next frame arrives, where that stands already.
    fn next_arrival(&self) -> Option<Time> {
        None
    }

    /// The socket that becomes readable when a frame arrives; `None` where there is none.
    fn socket(&self) -> Option<Rc<OwnedFd>> {
        None
    }

    /// What the link knows of itself.
    fn health(&mut self) -> Health {
        Health::default()
    }

    /// Why the frame sent last never left, if it did not: it was lost on purpose, or there is no carrier.
    fn fate(&self) -> Option<&'static str> {
        None
    }

    /// Says what the next frame sent is, for a recording.
    fn describe_next(&mut self, _comment: &str) {}

    /// Says what the frame received last is, for a recording.
    fn describe_last(&mut self, _comment: &str) {}
}

/// Waits until a frame can be received on one of `links`, or until `until`; it may come back before. All have
/// one clock. Links without a socket, which have no frame to come or one that is there already, are not waited
/// for.
pub fn wait_for_any(links: &[&mut dyn Link], until: Time) -> Result<(), LinkError> {
    let Some(first) = links.first() else {
        return Ok(());
    };
    let held_back = links.iter().filter_map(|it| it.next_arrival()).min();
    let until = held_back.map_or(until, |at| at.min(until));
    let sockets: Vec<_> = links.iter().filter_map(|it| it.socket()).collect();
    let all: Vec<&OwnedFd> = sockets.iter().map(Rc::as_ref).collect();
    let waited = socket::wait(&all, until - first.now());
    waited.map(drop).map_err(|source| LinkError::Io {
        interface: first.name().to_string(),
        operation: "waiting",
        source,
    })
}
