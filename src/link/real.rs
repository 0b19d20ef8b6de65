//! An interface of this machine, through pnet's datalink on a socket prepared by us.

use std::io;
use std::os::fd::{IntoRawFd, OwnedFd};
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use pnet::datalink::{self, Channel, Config, DataLinkSender, NetworkInterface};
use pnet::util::MacAddr;

use super::{Health, Link, LinkError, Received, Time, filter, interfaces, socket};

/// How to open an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RealOptions {
    /// Receive frames for any MAC address.
    pub promiscuous: bool,
    /// Receive what other programs of this machine send as well. On the loopback interface that arrives anyway.
    pub outgoing: bool,
    /// UDP ports whose traffic is received, beside ARP and ICMP.
    pub ports: Vec<u16>,
    /// Bytes of the kernel's receive queue.
    pub queue: usize,
}

impl Default for RealOptions {
    fn default() -> Self {
        RealOptions {
            promiscuous: true,
            outgoing: false,
            ports: vec![67, 68, 4011],
            queue: 8 << 20,
        }
    }
}

/// Largest frame received whole: more than any IPv4 datagram with its headers and tags.
const LARGEST: usize = 1 << 17;

/// How long a frame that the send queue has no room for is offered again.
const PATIENCE: Duration = Duration::from_millis(500);

/// What a recording says of a frame that was sent where there is nobody to carry it.
const NO_CARRIER: &str = "not sent: no carrier";

/// An open interface.
pub struct RealLink {
    interface: NetworkInterface,
    receiver: Rc<OwnedFd>,
    sender: Box<dyn DataLinkSender>,
    outgoing: bool,
    buffer: Vec<u8>,
    dropped: u64,
    fate: Option<&'static str>,
}

impl RealLink {
    /// Opens the interface called `name`. Needs CAP_NET_RAW.
    pub fn open(name: &str, options: &RealOptions) -> Result<Self, LinkError> {
        let interface = interfaces::pnet_interface(name)?;
        if interface.mac.is_none() && !interface.is_loopback() {
            return Err(LinkError::NotEthernet {
                interface: name.to_string(),
            });
        }
        let failed = |operation: &'static str| {
            move |source: io::Error| match source.kind() {
                io::ErrorKind::PermissionDenied => LinkError::NoPermission {
                    interface: name.to_string(),
                },
                _ => LinkError::Io {
                    interface: name.to_string(),
                    operation,
                    source,
                },
            }
        };
        let fd = socket::open().map_err(failed("opening a packet socket"))?;
        if !interface.is_up() {
            return Err(LinkError::Down {
                interface: name.to_string(),
            });
        }
        // The filter stands before pnet binds the socket: nothing from before it is ever queued.
        let program = filter::program(&options.ports);
        socket::attach(&fd, &program).map_err(failed("attaching the packet filter"))?;
        socket::prepare(&fd, options.queue).map_err(failed("preparing the packet socket"))?;
        let receiver = fd
            .try_clone()
            .map_err(failed("sharing the packet socket"))?;
        let config = Config {
            promiscuous: options.promiscuous,
            // pnet closes it, whether opening succeeds or fails.
            socket_fd: Some(fd.into_raw_fd()),
            ..Config::default()
        };
        let sender = match datalink::channel(&interface, config) {
            Ok(Channel::Ethernet(sender, _)) => sender,
            Ok(_) => {
                return Err(LinkError::NotEthernet {
                    interface: name.to_string(),
                });
            }
            Err(error) => return Err(failed("binding to the interface")(error)),
        };
        Ok(RealLink {
            // The kernel shows each frame of the loopback interface twice: as it leaves, and as it arrives.
            outgoing: options.outgoing && !interface.is_loopback(),
            interface,
            receiver: Rc::new(receiver),
            sender,
            buffer: vec![0; LARGEST],
            dropped: 0,
            fate: None,
        })
    }

    /// A frame that is there already.
    fn fetch(&mut self) -> Result<Option<Received>, LinkError> {
        loop {
            let raw = socket::receive(&self.receiver, &mut self.buffer);
            let Some(raw) = raw.map_err(|it| self.error("receiving", it))? else {
                return Ok(None);
            };
            if raw.outgoing && !self.outgoing {
                continue;
            }
            let frame = self.buffer.get(..raw.len).unwrap_or_default();
            let at = match raw.time {
                Some((seconds, nanos)) => Time(seconds * 1_000_000_000 + u64::from(nanos)),
                None => Time::now(),
            };
            let tag = raw.vlan.map_or(0, |_| 4);
            return Ok(Some(Received {
                at,
                bytes: with_tag(frame, raw.vlan),
                checksum_unfinished: raw.checksum_unfinished,
                original_len: raw.original_len + tag,
            }));
        }
    }

    /// Whether there is a carrier just now.
    fn has_carrier(&self) -> bool {
        interfaces::pnet_interface(&self.interface.name).is_ok_and(|it| interfaces::carrier(&it))
    }

    fn error(&self, operation: &'static str, source: io::Error) -> LinkError {
        let interface = self.interface.name.clone();
        match source.raw_os_error() {
            Some(libc::ENETDOWN | libc::ENXIO | libc::ENODEV) => {
                // One that is no more cannot be brought up.
                match interfaces::pnet_interface(&interface) {
                    Ok(_) => LinkError::Down { interface },
                    Err(gone) => gone,
                }
            }
            Some(libc::EMSGSIZE) => LinkError::TooLong { interface, len: 0 },
            _ => LinkError::Io {
                interface,
                operation,
                source,
            },
        }
    }
}

/// Puts a tag that came beside the frame back behind the addresses.
fn with_tag(frame: &[u8], vlan: Option<(u16, u16)>) -> Vec<u8> {
    match (vlan, frame.split_at_checked(12)) {
        (Some((tpid, tci)), Some((addresses, rest))) => {
            let mut whole = Vec::with_capacity(frame.len() + 4);
            whole.extend_from_slice(addresses);
            whole.extend(tpid.to_be_bytes());
            whole.extend(tci.to_be_bytes());
            whole.extend_from_slice(rest);
            whole
        }
        _ => frame.to_vec(),
    }
}

impl Link for RealLink {
    fn name(&self) -> &str {
        &self.interface.name
    }

    fn mac(&self) -> Option<MacAddr> {
        self.interface.mac
    }

    fn send(&mut self, frame: &[u8]) -> Result<Time, LinkError> {
        self.fate = None;
        let first = Time::now();
        loop {
            let at = Time::now();
            let sent = self.sender.send_to(frame, None);
            let sent = sent.unwrap_or_else(|| Err(io::Error::other("the frame was not taken")));
            let Err(error) = sent else { return Ok(at) };
            if error.raw_os_error() != Some(libc::ENOBUFS) {
                return Err(match self.error("sending", error) {
                    LinkError::TooLong { interface, .. } => LinkError::TooLong {
                        interface,
                        len: frame.len(),
                    },
                    other => other,
                });
            }
            // A veth whose other end is down says the same as a full queue, until the kernel has noticed and
            // drops what is sent without a word. Either way the frame is lost as on an unplugged cable.
            if !self.has_carrier() {
                self.fate = Some(NO_CARRIER);
                return Ok(at);
            }
            if Time::now() - first >= PATIENCE {
                return Err(LinkError::Full {
                    interface: self.interface.name.clone(),
                    waited: PATIENCE,
                });
            }
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn recv(&mut self, until: Time) -> Result<Option<Received>, LinkError> {
        loop {
            if let Some(frame) = self.fetch()? {
                return Ok(Some(frame));
            }
            let left = until - Time::now();
            if left.is_zero() {
                return Ok(None);
            }
            let waited = socket::wait(&[self.receiver.as_ref()], left);
            if !waited.map_err(|it| self.error("waiting", it))? && Time::now() >= until {
                return Ok(None);
            }
        }
    }

    fn now(&self) -> Time {
        Time::now()
    }

    fn socket(&self) -> Option<Rc<OwnedFd>> {
        Some(self.receiver.clone())
    }

    fn health(&mut self) -> Health {
        // The kernel counts from the last time it was asked.
        self.dropped += u64::from(socket::dropped(&self.receiver).unwrap_or(0));
        let now = interfaces::pnet_interface(&self.interface.name).ok();
        Health {
            up: Some(now.as_ref().is_some_and(|it| it.is_up())),
            carrier: Some(now.as_ref().is_some_and(interfaces::carrier)),
            dropped: self.dropped,
            spoiled: Default::default(),
        }
    }

    fn fate(&self) -> Option<&'static str> {
        self.fate
    }
}
