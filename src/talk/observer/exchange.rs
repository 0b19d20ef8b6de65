//! One exchange as seen from outside: what passed between a client and its servers under one xid.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::state::State;
use crate::dhcp::Message;
use crate::dhcp::enums::*;
use crate::link::Time;
use crate::wire::Frame;

/// Ways that a message is seen on, and offers, remembered of an exchange.
const LEGS: usize = 16;
const OFFERS: usize = 8;

/// How long an exchange may be silent and still go on: beyond the longest wait between two tries
/// (RFC 2131 section 4.1: 64 seconds, and one more by chance).
const PAUSE: Duration = Duration::from_secs(130);

/// A message of a conversation between client and server (RFC 2131, RFC 951, RFC 3203).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A BOOTP request.
    BootRequest,
    /// A BOOTP reply.
    BootReply,
    /// A DHCP message of this type: DISCOVER to INFORM, and FORCERENEW.
    Dhcp(u8),
}

impl Kind {
    /// What a message is; `None` where it belongs to no client's conversation, as LEASEQUERY.
    pub fn of(message: &Message) -> Option<Kind> {
        match (message.message_type(), message.bootp.op) {
            (Some(kind @ DISCOVER..=FORCERENEW), _) => Some(Kind::Dhcp(kind)),
            (Some(_), _) => None,
            (None, 1) => Some(Kind::BootRequest),
            (None, 2) => Some(Kind::BootReply),
            (None, _) => None,
        }
    }

    /// Its name in capitals.
    pub fn name(self) -> &'static str {
        match self {
            Kind::BootRequest => "BOOTREQUEST",
            Kind::BootReply => "BOOTREPLY",
            Kind::Dhcp(DISCOVER) => "DISCOVER",
            Kind::Dhcp(OFFER) => "OFFER",
            Kind::Dhcp(REQUEST) => "REQUEST",
            Kind::Dhcp(DECLINE) => "DECLINE",
            Kind::Dhcp(ACK) => "ACK",
            Kind::Dhcp(NAK) => "NAK",
            Kind::Dhcp(RELEASE) => "RELEASE",
            Kind::Dhcp(INFORM) => "INFORM",
            Kind::Dhcp(_) => "FORCERENEW",
        }
    }

    /// Whether a server sends it.
    pub(super) fn replies(self) -> bool {
        matches!(
            self,
            Kind::BootReply | Kind::Dhcp(OFFER | ACK | NAK | FORCERENEW)
        )
    }

    /// Whether a client sends it and waits for an answer.
    pub(super) fn asks(self) -> bool {
        matches!(
            self,
            Kind::BootRequest | Kind::Dhcp(DISCOVER | REQUEST | INFORM)
        )
    }
}

/// How a message relates to those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passing {
    /// The first of its kind, or the answer of another server.
    First,
    /// Sent again: the how manieth time this is.
    Again(u32),
    /// One seen before, on its next leg: from or to a relay agent.
    Copy,
}

/// Where a message is seen: who put it on the wire, whose answer it is, and the address that who asks holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Leg {
    kind: Kind,
    server: Option<Ipv4Addr>,
    held: Option<Ipv4Addr>,
    /// The Ethernet source as a number, as legs are compared often.
    ether: Option<u64>,
    ip: Option<Ipv4Addr>,
}

impl Leg {
    /// Whether the same message is seen here and there: a relay agent or a router puts it on the wire in its own name.
    /// A client that sends from another IP address than before says something else.
    fn continues(&self, other: &Leg) -> bool {
        let message = |it: &Leg| (it.kind, it.server, it.held);
        let elsewhere = match self.ether.zip(other.ether) {
            Some((here, there)) => here != there,
            None => self.ip != other.ip,
        };
        message(self) == message(other) && elsewhere
    }
}

/// An offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// The server that makes it (option 54, else the IP source).
    pub server: Option<Ipv4Addr>,
    /// The address offered.
    pub address: Ipv4Addr,
    /// Time since the DISCOVER that it answers; `None` where that was not seen.
    pub after: Option<Duration>,
}

/// What a client asked last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub kind: Kind,
    pub at: Time,
    /// The state that it was in when it had asked.
    pub state: State,
    /// The address that it wants or goes on with.
    pub address: Option<Ipv4Addr>,
    /// The server it chose.
    pub server: Option<Ipv4Addr>,
    /// Whether an ACK or NAK has come.
    pub answered: bool,
}

/// The messages under one xid, of one client.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Its number among all exchanges, from 1.
    pub number: u64,
    /// The transaction id.
    pub xid: u32,
    /// When its first frame passed.
    pub first: Time,
    /// When its last frame passed.
    pub last: Time,
    /// Frames, copies and repetitions included.
    pub frames: u64,
    /// Messages by kind in the order of their first, copies of relay agents not counted.
    pub messages: Vec<(Kind, u32)>,
    /// Messages that a client sent again.
    pub retransmissions: u32,
    /// Offers, the first of each server, eight at most.
    pub offers: Vec<Offered>,
    /// From the DISCOVER to the first OFFER.
    pub offer_after: Option<Duration>,
    /// From the REQUEST or INFORM to the ACK.
    pub ack_after: Option<Duration>,
    pub(super) asked: Option<Asked>,
    legs: Vec<(Leg, u32)>,
}

impl Exchange {
    pub(super) fn new(number: u64, xid: u32, at: Time) -> Self {
        Exchange {
            number,
            xid,
            first: at,
            last: at,
            frames: 0,
            messages: Vec::new(),
            retransmissions: 0,
            offers: Vec::new(),
            offer_after: None,
            ack_after: None,
            asked: None,
            legs: Vec::new(),
        }
    }

    /// Whether a message under this xid goes on with this exchange. Clients that use one xid for ever
    /// begin another one when they ask for something else after they had their answer, when a renewal is
    /// `due`, or much later.
    pub(super) fn goes_on(
        &self,
        frame: &Frame,
        message: &Message,
        kind: Kind,
        at: Time,
        due: bool,
    ) -> bool {
        if message.bootp.xid != self.xid {
            return false;
        }
        if at - self.last > PAUSE {
            // Who has no answer to its renewal asks again when half of the time left is over (section 4.4.5).
            let waits = self
                .asked
                .is_some_and(|it| !it.answered && it.state.holds());
            return waits && kind.asks() && State::asking(frame, message, kind, self).holds();
        }
        let answered = self.asked.filter(|it| it.answered);
        match answered {
            Some(asked) if kind.asks() => {
                let state = State::asking(frame, message, kind, self);
                let again = state == asked.state && !(due && state.holds());
                again || self.is_copy(&leg(frame, message, kind))
            }
            _ => true,
        }
    }

    /// Whether this leg is one more of a message that was seen on another.
    fn is_copy(&self, leg: &Leg) -> bool {
        let times =
            |mut all: std::slice::Iter<(Leg, u32)>| all.find(|it| it.0 == *leg).map(|it| it.1);
        let here = times(self.legs.iter()).unwrap_or(0);
        let mut legs = self.legs.iter();
        legs.any(|it| it.1 > here && leg.continues(&it.0))
    }

    /// Counts a frame, and says what it is to those before it.
    pub(super) fn count(
        &mut self,
        frame: &Frame,
        message: &Message,
        kind: Kind,
        at: Time,
    ) -> Passing {
        self.last = self.last.max(at);
        self.frames += 1;
        let leg = leg(frame, message, kind);
        let copy = self.is_copy(&leg);
        let times = match self.legs.iter_mut().find(|it| it.0 == leg) {
            Some((_, times)) => {
                *times = times.saturating_add(1);
                *times
            }
            None => {
                if self.legs.len() >= LEGS {
                    self.legs.remove(0);
                }
                self.legs.push((leg, 1));
                1
            }
        };
        if copy {
            return Passing::Copy;
        }
        match self.messages.iter_mut().find(|it| it.0 == kind) {
            Some((_, count)) => *count = count.saturating_add(1),
            // As many as there are kinds.
            None => self.messages.push((kind, 1)),
        }
        match times {
            1 => Passing::First,
            times => {
                if kind.asks() {
                    self.retransmissions = self.retransmissions.saturating_add(1);
                }
                Passing::Again(times)
            }
        }
    }

    /// Takes an offer; says whether it is another server's than those before.
    pub(super) fn offered(&mut self, offer: Offered) -> bool {
        let fresh = !self.offers.iter().any(|it| it.server == offer.server);
        if self.offers.is_empty() {
            self.offer_after = offer.after;
        }
        if fresh && self.offers.len() < OFFERS {
            self.offers.push(offer);
        }
        fresh && self.offers.len() > 1
    }
}

fn leg(frame: &Frame, message: &Message, kind: Kind) -> Leg {
    let ip = frame.ipv4().map(|it| it.src);
    let direct = ip.filter(|_| message.bootp.giaddr.is_unspecified());
    Leg {
        kind,
        // A REQUEST names a server as well, but it is the client's.
        server: message.server_id().or(direct).filter(|_| kind.replies()),
        held: Some(message.bootp.ciaddr).filter(|_| kind.asks()),
        ether: frame.ether().map(|it| {
            let octets = it.src.octets();
            octets
                .iter()
                .fold(0, |number, it| number << 8 | u64::from(*it))
        }),
        ip,
    }
}
