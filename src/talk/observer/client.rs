//! A client as seen from outside: its state, its lease, its last exchanges, and what is notable.

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::time::Duration;

use super::exchange::{Asked, Exchange, Kind, Offered, Passing};
use super::lease::{ENDLESS, Lease};
use super::note::Note;
use super::state::{Reason, State};
use super::who::{Hardware, Place};
use crate::dhcp::Message;
use crate::dhcp::enums::*;
use crate::link::Time;
use crate::wire::Frame;

/// Exchanges and kinds of notes remembered of a client.
const EXCHANGES: usize = 4;
const NOTES: usize = 8;

/// How long an answer may take before its absence is told: the first repetition is due after four
/// seconds and up to one more (RFC 2131 section 4.1).
const ANSWER: Duration = Duration::from_secs(5);

/// What a client waits for.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    kind: Kind,
    state: State,
    tries: u32,
    last: Time,
}

/// A client.
#[derive(Clone, Debug)]
pub struct Observed {
    /// Its number among all clients, from 1.
    pub number: u64,
    /// Who it is.
    pub hardware: Hardware,
    /// Where it is.
    pub place: Place,
    /// Its state.
    pub state: State,
    /// Why it is in INIT.
    pub reason: Option<Reason>,
    /// The address that it holds, asks for, or has by other means.
    pub address: Option<Ipv4Addr>,
    /// The server that gave the address, or that is asked for it.
    pub server: Option<Ipv4Addr>,
    /// Its lease.
    pub lease: Option<Lease>,
    /// Its last exchanges, the oldest first, four at most.
    pub exchanges: VecDeque<Exchange>,
    /// Exchanges, forgotten ones included.
    pub total: u64,
    /// Frames of its exchanges.
    pub frames: u64,
    /// When its first frame passed.
    pub first: Time,
    /// When its last frame passed.
    pub last: Time,
    /// What is notable, with how often; eight kinds at most.
    pub notes: Vec<(Note, u32)>,
    /// The address before this one.
    before: Option<Ipv4Addr>,
    waiting: Option<Waiting>,
}

fn some(ip: Ipv4Addr) -> Option<Ipv4Addr> {
    (!ip.is_unspecified()).then_some(ip)
}

impl Observed {
    pub(super) fn new(number: u64, hardware: Hardware, place: Place, at: Time) -> Self {
        Observed {
            number,
            hardware,
            place,
            state: State::Unknown,
            reason: None,
            address: None,
            server: None,
            lease: None,
            exchanges: VecDeque::new(),
            total: 0,
            frames: 0,
            first: at,
            last: at,
            notes: Vec::new(),
            before: None,
            waiting: None,
        }
    }

    /// Whether one of its remembered exchanges has this xid.
    pub(super) fn used(&self, xid: u32) -> bool {
        self.exchanges.iter().any(|it| it.xid == xid)
    }

    /// Takes a message: the number of its exchange, and what it is there. `fresh` is the number that a new
    /// exchange would have.
    pub(super) fn take(
        &mut self,
        frame: &Frame,
        message: &Message,
        kind: Kind,
        at: Time,
        fresh: u64,
    ) -> (u64, Passing) {
        self.expire(at);
        self.frames += 1;
        self.last = self.last.max(at);
        let due = self.lease.is_some_and(|it| it.is_due(at));
        let mut exchanges = self.exchanges.iter();
        let open = exchanges.rposition(|it| it.goes_on(frame, message, kind, at, due));
        let mut exchange = open
            .and_then(|index| self.exchanges.remove(index))
            .unwrap_or_else(|| {
                self.total += 1;
                Exchange::new(fresh, message.bootp.xid, at)
            });
        let passing = exchange.count(frame, message, kind, at);
        if passing != Passing::Copy {
            match kind {
                _ if kind.asks() => self.asks(frame, message, kind, at, &mut exchange),
                Kind::Dhcp(DECLINE) => {
                    let address = message.requested_ip().or(self.address);
                    self.note(Note::Declined(address));
                    self.back(Reason::Declined);
                }
                Kind::Dhcp(RELEASE) => {
                    self.note(Note::Released(some(message.bootp.ciaddr).or(self.address)));
                    self.back(Reason::Released);
                }
                Kind::Dhcp(FORCERENEW) => self.note(Note::ForceRenew),
                _ => self.answered(frame, message, kind, at, &mut exchange),
            }
        }
        let number = exchange.number;
        if self.exchanges.len() >= EXCHANGES {
            self.exchanges.pop_front();
        }
        self.exchanges.push_back(exchange);
        (number, passing)
    }

    /// The client asks.
    fn asks(
        &mut self,
        frame: &Frame,
        message: &Message,
        kind: Kind,
        at: Time,
        exchange: &mut Exchange,
    ) {
        let state = State::asking(frame, message, kind, exchange);
        let held = some(message.bootp.ciaddr);
        let address = match state {
            State::Selecting | State::Bootp => None,
            State::Requesting | State::Rebooting => message.requested_ip().or(held),
            _ => held,
        };
        self.waits(kind, state, at);
        exchange.asked = Some(Asked {
            kind,
            at,
            state,
            address,
            server: message.server_id(),
            answered: false,
        });
        // Asking for options changes nothing about a lease.
        if state == State::Inform && self.state.holds() {
            return;
        }
        match state {
            State::Renewing | State::Rebinding => {
                // A lease that was given before anybody looked.
                if self.address != address {
                    self.lease = None;
                    self.server = None;
                }
            }
            _ => {
                self.before = self.held().or(self.before);
                self.lease = None;
                self.server = message.server_id();
            }
        }
        self.address = address;
        self.state = state;
        self.reason = None;
    }

    /// Counts the tries of what the client asks.
    fn waits(&mut self, kind: Kind, state: State, at: Time) {
        let tries = match self.waiting {
            Some(it) if (it.kind, it.state) == (kind, state) => it.tries.saturating_add(1),
            // It chose an offer, so there was one, seen or not.
            Some(it) if it.kind != Kind::Dhcp(DISCOVER) || state != State::Requesting => {
                self.gave_up(it);
                1
            }
            _ => 1,
        };
        self.waiting = Some(Waiting {
            kind,
            state,
            tries,
            last: at,
        });
    }

    fn gave_up(&mut self, it: Waiting) {
        let Waiting {
            kind, state, tries, ..
        } = it;
        self.note(Note::Unanswered { kind, state, tries });
    }

    /// A server answers.
    fn answered(
        &mut self,
        frame: &Frame,
        message: &Message,
        kind: Kind,
        at: Time,
        exchange: &mut Exchange,
    ) {
        if exchange.asked.is_none() && self.waiting.is_some() {
            // A client takes nothing under another xid than its own (RFC 2131 section 4.4.1).
            return self.note(Note::Stray(kind));
        }
        let asked = exchange.asked;
        let after = asked.map(|it| at - it.at);
        // BOOTP has no server identifier.
        let source = frame.ipv4().map(|it| it.src);
        let server = message
            .server_id()
            .or(source.filter(|_| kind == Kind::BootReply));
        if let Some(it) = self.waiting.take_if(|it| answers(kind, it.kind))
            && it.tries > 1
        {
            let (kind, tries) = (it.kind, it.tries);
            self.note(Note::Late { kind, tries });
        }
        match kind {
            Kind::Dhcp(OFFER) => {
                let discover = asked.filter(|it| it.kind == Kind::Dhcp(DISCOVER));
                let several = exchange.offered(Offered {
                    server: server.or(source),
                    address: message.bootp.yiaddr,
                    after: after.filter(|_| discover.is_some()),
                });
                if several {
                    let servers = exchange.offers.iter().filter_map(|it| it.server);
                    self.several(servers.collect());
                }
                if self.state == State::Unknown {
                    self.state = State::Selecting;
                }
            }
            Kind::Dhcp(NAK) => {
                self.note(Note::Refused { server });
                if asked.is_none_or(|it| !it.answered && it.kind == Kind::Dhcp(REQUEST)) {
                    self.back(Reason::Refused);
                }
                answer(exchange);
            }
            _ => {
                if let Some((chosen, answered)) = asked.and_then(|it| it.server).zip(server)
                    && chosen != answered
                {
                    self.note(Note::OtherServer { chosen, answered });
                }
                let repeated = asked.is_some_and(|it| it.answered);
                exchange.ack_after = exchange.ack_after.or(after);
                answer(exchange);
                let given = some(message.bootp.yiaddr).filter(|_| {
                    // Table 3: the ACK to an INFORM gives no address.
                    asked.is_none_or(|it| it.kind != Kind::Dhcp(INFORM))
                });
                match given {
                    Some(given) if !repeated => {
                        self.bound(message, kind, at, given, server, exchange)
                    }
                    None if self.state == State::Unknown => {
                        self.state = State::Inform;
                        self.address = some(message.bootp.ciaddr);
                        self.server = server;
                    }
                    None if self.state == State::Inform => self.server = server,
                    _ => {}
                }
            }
        }
    }

    fn bound(
        &mut self,
        message: &Message,
        kind: Kind,
        at: Time,
        given: Ipv4Addr,
        server: Option<Ipv4Addr>,
        exchange: &Exchange,
    ) {
        let mut offers = exchange.offers.iter().filter(|it| it.server == server);
        let offered = offers.next().map(|it| it.address);
        let wanted = exchange.asked.and_then(|it| it.address).or(offered);
        if let Some(wanted) = wanted.filter(|it| *it != given) {
            self.note(Note::OtherAddress { wanted, given });
        }
        if let Some(from) = self.held().or(self.before).filter(|it| *it != given) {
            self.note(Note::Moved { from, to: given });
        }
        self.before = Some(given);
        self.state = State::Bound;
        self.reason = None;
        self.address = Some(given);
        self.server = server;
        let lease = Lease::of(message, at);
        self.lease = Some(match kind {
            // An address by BOOTP is for ever.
            Kind::BootReply => Lease {
                seconds: Some(ENDLESS),
                ..lease
            },
            _ => lease,
        });
    }

    /// The address that it holds.
    pub(super) fn held(&self) -> Option<Ipv4Addr> {
        self.address.filter(|_| self.state.holds())
    }

    fn back(&mut self, reason: Reason) {
        self.before = self.held().or(self.before);
        self.waiting = None;
        self.state = State::Init;
        self.reason = Some(reason);
        self.address = None;
        self.server = None;
        self.lease = None;
    }

    fn expire(&mut self, now: Time) {
        let ends = self.lease.and_then(|it| it.ends());
        if let (Some(address), true) = (self.held(), ends.is_some_and(|it| it <= now)) {
            if let Some(it) = self.waiting.take() {
                self.gave_up(it);
            }
            self.note(Note::Expired(address));
            self.back(Reason::Expired);
        }
    }

    /// What time alone tells, at the end.
    pub(super) fn settle(&mut self, now: Time) {
        self.expire(now);
        if let Some(it) = self
            .waiting
            .take_if(|it| it.tries > 1 || now - it.last >= ANSWER)
        {
            self.gave_up(it);
        }
    }

    fn several(&mut self, servers: Vec<Ipv4Addr>) {
        let same = |it: &&mut (Note, u32)| match &it.0 {
            Note::Offers(told) => {
                servers.starts_with(told) || told.iter().all(|it| servers.contains(it))
            }
            _ => false,
        };
        match self.notes.iter_mut().find(same) {
            Some(it) => it.0 = Note::Offers(servers),
            None => self.note(Note::Offers(servers)),
        }
    }

    pub(super) fn note(&mut self, note: Note) {
        if let Some((_, count)) = self.notes.iter_mut().find(|it| it.0 == note) {
            *count = count.saturating_add(1);
        } else if self.notes.len() < NOTES {
            self.notes.push((note, 1));
        }
    }
}

/// Whether a reply of this kind is what a message waits for.
fn answers(reply: Kind, asked: Kind) -> bool {
    match asked {
        Kind::Dhcp(DISCOVER) => matches!(reply, Kind::Dhcp(OFFER | ACK)),
        Kind::Dhcp(_) => matches!(reply, Kind::Dhcp(ACK | NAK)),
        _ => true,
    }
}

fn answer(exchange: &mut Exchange) {
    if let Some(asked) = &mut exchange.asked {
        asked.answered = true;
    }
}
