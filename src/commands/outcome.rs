//! What commands give: frames with what is known of them, and how it ended. Views print it.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::census::Change;
use super::conform::Finding;
use super::diagnosis::{Cause, CommonCauses};
use super::lint::Linted;
use crate::dhcp::Message;
use crate::link::Time;
pub use crate::talk::Verdict;
pub use crate::talk::observer::{Mark, Observation};
use crate::talk::{Client, ClientEnd};
use crate::wire::{Frame, MacAddr};

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
    /// What it is to the exchanges.
    pub group: Grouped,
}

/// What a frame is to the exchanges, where somebody looks for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Grouped {
    /// Frames are not grouped.
    #[default]
    Not,
    /// It belongs to no exchange.
    Apart,
    /// It belongs to this one.
    In(Mark),
}

impl Grouped {
    /// The exchange, where it belongs to one.
    pub fn mark(self) -> Option<Mark> {
        match self {
            Grouped::In(mark) => Some(mark),
            Grouped::Not | Grouped::Apart => None,
        }
    }
}

/// What a run with a link found out when no answer came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Silence {
    /// How long was waited.
    pub waited: Duration,
    /// How often the message was sent.
    pub tries: u32,
    /// Why, the likeliest cause first.
    pub causes: Vec<Cause>,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// As it should.
    Done,
    /// With a lease.
    Bound,
    /// The server refused (NAK); why, the likeliest cause first.
    Refused(Vec<Cause>),
    /// The offered address was in use and declined.
    Declined {
        /// Who answered ARP for it.
        by: String,
        /// Why, the likeliest cause first.
        causes: Vec<Cause>,
    },
    /// No reply in time.
    NoReply(Silence),
    /// Stopped by the user.
    Interrupted,
    /// Stopped by the user while a lease was held.
    Stopped,
}

impl Ending {
    /// A word for it.
    pub fn name(&self) -> &'static str {
        match self {
            Ending::Done => "done",
            Ending::Bound => "bound",
            Ending::Refused(_) => "refused",
            Ending::Declined { .. } => "declined",
            Ending::NoReply(_) => "no reply",
            Ending::Interrupted => "interrupted",
            Ending::Stopped => "interrupted while bound",
        }
    }

    /// Why it failed, the likeliest cause first; empty where it did not.
    pub fn causes(&self) -> &[Cause] {
        match self {
            Ending::NoReply(silence) => &silence.causes,
            Ending::Refused(causes) | Ending::Declined { causes, .. } => causes,
            Ending::Done | Ending::Bound | Ending::Interrupted | Ending::Stopped => &[],
        }
    }

    /// The exit code that says it.
    pub fn exit_code(&self) -> u8 {
        match self {
            Ending::Done | Ending::Bound => 0,
            Ending::Declined { .. } => 1,
            Ending::NoReply(_) => 3,
            Ending::Refused(_) => 4,
            Ending::Interrupted | Ending::Stopped => 130,
        }
    }
}

/// What became of one of many clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientResult {
    /// Its MAC address (chaddr).
    pub mac: MacAddr,
    /// How it ended: `bound`, `refused`, `declined`, `no offer`, `no ACK`, `interrupted`.
    pub state: &'static str,
    /// The address that it was given, or that was declined.
    pub address: Option<Ipv4Addr>,
    /// The server that gave it.
    pub server: Option<Ipv4Addr>,
    /// Lease time in seconds.
    pub lease: Option<u32>,
    /// From its first message to its lease.
    pub took: Option<Duration>,
    /// Messages it sent, repetitions included.
    pub sent: u32,
    /// How many of them repeated one without an answer.
    pub repeated: u32,
}

impl ClientResult {
    /// Whether it has no lease although nobody stopped it.
    pub fn failed(&self) -> bool {
        !matches!(self.state, "bound" | "interrupted")
    }

    /// What became of a client.
    pub fn of(client: &Client) -> ClientResult {
        let mut result = ClientResult {
            mac: client.mac(),
            state: "interrupted",
            address: None,
            server: None,
            lease: None,
            took: client.took(),
            sent: client.transmissions(),
            repeated: client.repetitions(),
        };
        if let Some(ack) = client.lease() {
            result.state = "bound";
            if let Some(message) = Message::of(ack) {
                result.address = Some(message.bootp.yiaddr);
                result.server = message.server_id();
                result.lease = message.lease_time();
            }
        }
        match client.end() {
            Some(ClientEnd::Refused(_)) => result.state = "refused",
            Some(ClientEnd::Declined(ip, _)) => {
                result.state = "declined";
                result.address = Some(*ip);
            }
            Some(ClientEnd::NoOffer(_)) => result.state = "no offer",
            Some(ClientEnd::NoAck) => result.state = "no ACK",
            Some(ClientEnd::Bound(_)) | None => {}
        }
        result
    }
}

/// What became of many clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clients {
    /// Of each.
    pub results: Vec<ClientResult>,
    /// Why some failed.
    pub common: CommonCauses,
    /// Whether the user stopped it before all had come to their end.
    pub interrupted: bool,
}

impl Clients {
    /// How many failed.
    pub fn failed(&self) -> usize {
        self.results.iter().filter(|it| it.failed()).count()
    }

    /// The exit code for all of them: 0 where every client has a lease.
    pub fn exit_code(&self) -> u8 {
        let all = self.results.iter();
        let any = |states: &[&str]| all.clone().any(|it| states.contains(&it.state));
        match () {
            _ if self.interrupted => 130,
            _ if any(&["refused"]) => 4,
            _ if any(&["no offer", "no ACK"]) => 3,
            _ if any(&["declined"]) => 1,
            _ => 0,
        }
    }
}

/// Receives what a command yields, as it happens. Views implement it.
pub trait Sink {
    /// A frame was sent, received, read or built.
    fn entry(&mut self, entry: &Entry) -> std::io::Result<()>;
    /// The same of a frame that nobody else needs any more, so that a sink can write on it.
    fn take(&mut self, entry: Entry) -> std::io::Result<()> {
        self.entry(&entry)
    }
    /// Something a person should know that is not part of the result; goes to standard error.
    fn notice(&mut self, text: &str);
    /// A server came, went, or gives something else, while a link is watched.
    fn change(&mut self, _change: &Change) -> std::io::Result<()> {
        Ok(())
    }
    /// A check has ended, of a run that goes on.
    fn checked(&mut self, _finding: &Finding) -> std::io::Result<()> {
        Ok(())
    }
    /// What is to be said of the last entry by the rules of the RFCs.
    fn findings(&mut self, _linted: &Linted) -> std::io::Result<()> {
        Ok(())
    }
    /// What was seen of the clients whose frames were grouped; comes behind the last frame.
    fn observation(&mut self, _seen: &Observation) -> std::io::Result<()> {
        Ok(())
    }
    /// The next entry may be long in coming.
    fn idle(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
