//! What commands give: frames with what is known of them, and how it ended. Views print it.

use std::time::Duration;

use crate::link::Time;
pub use crate::talk::Verdict;
use crate::wire::Frame;

/// Which way a frame went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Sent by this program.
    Sent,
    /// Received from the link.
    Received,
    /// Read from a file or standard input.
    Read,
    /// Built and not sent (`--dry-run`).
    Built,
}

/// One frame with what is known of it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Number of the frame within the run or the file, from 1.
    pub number: u64,
    /// When it was sent, received or recorded.
    pub at: Time,
    /// Time since the first frame of the run or file.
    pub since: Duration,
    /// Time since the sent frame that it answers; `None` for others.
    pub after: Option<Duration>,
    /// Which way it went.
    pub direction: Direction,
    /// Link type of the bytes (pcap's LINKTYPE_).
    pub link_type: u32,
    /// The bytes as they were on the wire.
    pub bytes: Vec<u8>,
    /// Bytes that the frame had on the wire; more than `bytes` when the capture cut it.
    pub original_len: usize,
    /// The decoded frame.
    pub frame: Frame,
    /// What it is to the exchange.
    pub verdict: Verdict,
    /// The UDP checksum was left for the network card to finish, so a wrong one is not a fault.
    pub checksum_unfinished: bool,
    /// What the run or the capture says about it: `DISCOVER, try 1`.
    pub comment: Option<String>,
}

/// What a run with a link found out when no answer came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Silence {
    /// How long was waited.
    pub waited: Duration,
    /// How often the message was sent.
    pub tries: u32,
    /// Findings, most telling first, each a sentence with its next step.
    pub findings: Vec<String>,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// As it should.
    Done,
    /// With a lease.
    Bound,
    /// The server refused (NAK).
    Refused,
    /// The offered address was in use and declined.
    Declined {
        /// Who answered ARP for it.
        by: String,
    },
    /// No reply in time.
    NoReply(Silence),
    /// Stopped by the user.
    Interrupted,
}

impl Ending {
    /// The exit code that says it.
    pub fn exit_code(&self) -> u8 {
        match self {
            Ending::Done | Ending::Bound => 0,
            Ending::Declined { .. } => 1,
            Ending::NoReply(_) => 3,
            Ending::Refused => 4,
            Ending::Interrupted => 130,
        }
    }
}

/// Receives what a command yields, as it happens. Views implement it.
pub trait Sink {
    /// A frame was sent, received, read or built.
    fn entry(&mut self, entry: &Entry) -> std::io::Result<()>;
    /// Something a person should know that is not part of the result; goes to standard error.
    fn notice(&mut self, text: &str);
}
