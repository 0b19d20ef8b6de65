//! The client's way to a lease: INIT, SELECTING, REQUESTING, BOUND (RFC 2131 figure 5).

mod answers;
mod conflict;
mod holding;

use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::RngCore;

use super::fleet::Key;
use super::hold::Held;
use super::matching::{Verdict, match_reply};
use super::player::{Outbox, Player};
use crate::dhcp::Message;
use crate::dhcp::enums::{DISCOVER, REQUEST};
use crate::dhcp::following;
use crate::dhcp::template::{self, Draft, Identity};
use crate::link::Time;
use crate::wire::*;

/// Which of several offers to take.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Choose {
    /// The first that arrives.
    #[default]
    First,
    /// The lowest address, of all that arrive in the collecting time.
    Lowest,
    /// The offer of this server.
    Server(Ipv4Addr),
    /// The offer of the address asked for; the first if none offers it.
    Requested,
}

/// What a client is to do.
#[derive(Clone)]
pub struct ClientConfig {
    /// Who it is; `xid` is its first transaction id, `address` what its DISCOVER asks for until it declines it.
    pub identity: Identity,
    /// Makes the frame of every message: the user's fields and options over the draft.
    pub build: Rc<dyn Fn(Draft) -> Frame>,
    /// Which offer to take.
    pub choose: Choose,
    /// How long offers are collected after the first one, unless the choice is made before.
    pub collect: Duration,
    /// How often each message is sent at most.
    pub tries: u32,
    /// How long to wait for the answer to a message, repetitions included.
    pub timeout: Duration,
    /// Whether to ask with ARP who has the address before using it, and decline it if someone does.
    pub probe: bool,
    /// How often to begin again after a DECLINE.
    pub restarts: u32,
    /// Whether to live with the lease, renewing it, and for how long.
    pub hold: Option<Hold>,
    /// The ACK of a lease from before: it is asked for with INIT-REBOOT (RFC 2131 section 4.4.2).
    pub remembered: Option<Frame>,
}

/// How a lease is held.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hold {
    /// How long, from the first lease on and whatever becomes of it.
    pub length: Duration,
    /// By how much the lease's own times run faster; 1 for as they are.
    pub scale: f64,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientEnd {
    /// With a lease: the ACK.
    Bound(Box<Frame>),
    /// With a NAK.
    Refused(Box<Frame>),
    /// The address was in use, by this hardware address; a DECLINE was sent.
    Declined(Ipv4Addr, MacAddr),
    /// Without an offer that could be taken; how many there were.
    NoOffer(usize),
    /// Without an answer to the REQUEST.
    NoAck,
}

enum State {
    Init,
    /// When the offers are looked through, once there is one.
    Selecting(Option<Time>),
    Requesting,
    /// Asks whether a remembered address is still good.
    Rebooting,
    /// Probes sent.
    Probing(Box<Frame>, u32),
    /// Lives with the lease; whether its REQUEST waits for an answer.
    Holding(Box<Held>, bool),
    /// Ten seconds' rest after a DECLINE of this address at this hardware address (RFC 2131 section 3.1), or after a
    /// lease that was over before it could be used.
    Resting(Option<(Ipv4Addr, MacAddr)>),
    Ended(ClientEnd),
}

/// One client getting a lease.
pub struct Client {
    config: ClientConfig,
    chance: ChaCha8Rng,
    state: State,
    /// The message that waits for an answer, as it was last sent.
    request: Frame,
    began: Time,
    /// When the message under way was first sent, and how often.
    asked: Time,
    sent: u32,
    due: Option<Time>,
    /// When the message that waits for an answer was last sent: a lease counts from there (RFC 2131
    /// section 4.4.1).
    said: Time,
    discover_secs: u16,
    offers: Vec<Frame>,
    seen: Vec<(u8, Option<Ipv4Addr>, Ipv4Addr, Option<MacAddr>)>,
    declined: u32,
    transmissions: u32,
    /// How many of them repeated one that had no answer.
    repetitions: u32,
    /// When holding ends.
    until: Option<Time>,
    /// It has ended, and an answer is waited for until then.
    closing: Option<Time>,
    /// Leases that were over before they could be used.
    useless: u32,
    /// The last address that an ACK gave in the place of the one asked for: asked, given.
    replaced: Option<(Ipv4Addr, Ipv4Addr)>,
    started: Time,
    /// When it gave up.
    ended: Time,
    /// When the first lease came.
    leased: Option<Time>,
}

/// Offers kept at most; a flood of them is counted, not stored.
const MAX_OFFERS: usize = 256;

impl Client {
    /// A client in INIT.
    pub fn new(config: ClientConfig, chance: ChaCha8Rng) -> Self {
        Client {
            config,
            chance,
            state: State::Init,
            request: Frame::default(),
            began: Time::default(),
            asked: Time::default(),
            sent: 0,
            due: None,
            said: Time::default(),
            discover_secs: 0,
            offers: Vec::new(),
            seen: Vec::new(),
            declined: 0,
            transmissions: 0,
            repetitions: 0,
            ended: Time::default(),
            until: None,
            closing: None,
            useless: 0,
            replaced: None,
            started: Time::default(),
            leased: None,
        }
    }

    /// How it ended, once it has.
    pub fn end(&self) -> Option<&ClientEnd> {
        match &self.state {
            State::Ended(end) => Some(end),
            _ => None,
        }
    }

    /// The ACK of the lease that it holds, or ended with.
    pub fn lease(&self) -> Option<&Frame> {
        match &self.state {
            State::Holding(held, _) => Some(held.ack()),
            State::Ended(ClientEnd::Bound(ack)) => Some(ack),
            _ => None,
        }
    }

    /// What received frames concern it by.
    pub(super) fn keys(&self) -> Vec<Key> {
        let message = self.request.bootp().into_iter().flat_map(Key::of);
        let address = match &self.state {
            State::Probing(ack, _) => ack.bootp().map(|it| it.yiaddr),
            State::Holding(held, _) => Some(held.address()),
            _ => None,
        };
        let sought = match &self.state {
            State::Holding(held, _) => held.sought(),
            _ => None,
        };
        let addresses = address.into_iter().chain(sought);
        message.chain(addresses.map(Key::Address)).collect()
    }

    /// Since when a REQUEST waits for its answer before there is a lease.
    pub fn requesting_since(&self) -> Option<Time> {
        let waits = matches!(self.state, State::Requesting | State::Rebooting);
        waits.then_some(self.asked)
    }

    /// Its MAC address (chaddr).
    pub fn mac(&self) -> MacAddr {
        self.config.identity.client_mac
    }

    /// From its first message to its lease.
    pub fn took(&self) -> Option<Duration> {
        self.leased.map(|at| at - self.started)
    }

    /// Messages sent so far, repetitions included.
    pub fn transmissions(&self) -> u32 {
        self.transmissions
    }

    /// Messages that repeated one without an answer.
    pub fn repetitions(&self) -> u32 {
        self.repetitions
    }

    /// Leases that were over before they could be used.
    pub fn useless(&self) -> u32 {
        self.useless
    }

    /// The last address that an ACK gave in the place of the one asked for: asked, given.
    pub fn replaced(&self) -> Option<(Ipv4Addr, Ipv4Addr)> {
        self.replaced
    }

    /// How often the message was sent that it gave up on, and how long it waited for the answer.
    pub fn in_vain(&self) -> (u32, Duration) {
        (self.sent, self.ended - self.asked)
    }

    fn begin(&mut self, now: Time, out: &mut Outbox) {
        self.began = now;
        self.offers.clear();
        self.seen.clear();
        self.state = match self.config.remembered {
            Some(_) => State::Rebooting,
            None => State::Selecting(None),
        };
        self.ask(now, out);
    }

    /// Sends the state's message for the first time.
    fn ask(&mut self, now: Time, out: &mut Outbox) {
        self.asked = now;
        self.sent = 0;
        self.transmit(now, out);
    }

    fn transmit(&mut self, now: Time, out: &mut Outbox) {
        let elapsed = (now - self.began).as_secs().min(0xffff) as u16;
        let (number, mut draft) = match &self.state {
            State::Selecting(_) => {
                self.discover_secs = elapsed;
                (DISCOVER, template::fresh(DISCOVER, &self.config.identity))
            }
            State::Requesting => match self.offers.first() {
                Some(offer) => match self.follow(REQUEST, offer) {
                    Some(draft) => (REQUEST, draft),
                    None => return,
                },
                None => return,
            },
            State::Rebooting => match self.reboot() {
                Some(draft) => {
                    self.discover_secs = elapsed;
                    (REQUEST, draft)
                }
                None => return,
            },
            _ => return,
        };
        // RFC 2131 section 3.1 (3): the REQUEST repeats the DISCOVER's secs.
        draft.bootp.secs = self.discover_secs;
        self.request = (self.config.build)(draft);
        self.sent += 1;
        self.said = now;
        self.transmissions += 1;
        self.repetitions += u32::from(self.sent > 1);
        let name = if number == DISCOVER {
            "DISCOVER"
        } else {
            "REQUEST"
        };
        let note = match self.sent {
            1 => name.to_string(),
            sent => format!("{name}, try {sent}"),
        };
        out.send(self.request.clone(), note);
        self.due = Some(now + super::backoff(self.sent - 1, &mut self.chance));
    }

    /// The REQUEST for a remembered address.
    fn reboot(&self) -> Option<Draft> {
        let ack = self.config.remembered.as_ref()?;
        let who = template::holder(Message::of(ack)?, None, &self.config.identity);
        Some(template::rebooting(&who))
    }

    fn follow(&self, number: u8, captured: &Frame) -> Option<Draft> {
        // Replies that `receive` let in are server messages, so following them cannot fail.
        let mut who = self.config.identity.clone();
        (who.address, who.server_mac) = (None, None);
        let mut draft = following::draft(number, captured, &who).ok()?;
        // Tags come from the request: a reply's priority is its sender's choice.
        draft.tags = Vec::new();
        draft.ether.ethertype = Auto::Unset;
        Some(draft)
    }

    /// Takes the chosen offer to the front, if the choice can be made now.
    fn choose(&mut self, last_call: bool) -> bool {
        let offered = |frame: &Frame| frame.bootp().map(|bootp| bootp.yiaddr);
        let server = |frame: &Frame| Message::of(frame).and_then(|message| message.server_id());
        let chosen = match &self.config.choose {
            Choose::First => Some(0),
            Choose::Lowest if last_call => {
                let all = self.offers.iter().enumerate();
                all.min_by_key(|(_, frame)| offered(frame))
                    .map(|(at, _)| at)
            }
            Choose::Lowest => None,
            Choose::Server(ip) => self.offers.iter().position(|it| server(it) == Some(*ip)),
            Choose::Requested => {
                let wanted = Message::of(&self.request).and_then(|it| it.requested_ip());
                let found = self.offers.iter().position(|it| offered(it) == wanted);
                found.or(last_call.then_some(0))
            }
        };
        match chosen {
            Some(at) if at < self.offers.len() => {
                self.offers.swap(0, at);
                true
            }
            _ => false,
        }
    }

    fn take_offer(&mut self, now: Time, out: &mut Outbox) {
        self.state = State::Requesting;
        self.ask(now, out);
    }

    fn acknowledged(&mut self, now: Time, ack: &Frame, out: &mut Outbox) {
        self.leased.get_or_insert(now);
        // It is good, and needs not be asked for again.
        self.config.remembered = None;
        if self.config.probe && self.closing.is_none() {
            self.state = State::Probing(Box::new(ack.clone()), 0);
            self.probe(now, out);
        } else {
            self.bound(now, ack);
        }
    }

    /// Gives up on the message under way.
    fn give_up(&mut self, now: Time, end: ClientEnd) {
        self.ended = now;
        self.state = State::Ended(end);
    }

    /// Back to INIT.
    fn restart(&mut self, now: Time, out: &mut Outbox) {
        self.config.identity.xid = self.chance.next_u32();
        self.begin(now, out);
    }
}

impl Player for Client {
    fn receive(
        &mut self,
        now: Time,
        frame: &Frame,
        fault: Option<&str>,
        out: &mut Outbox,
    ) -> Option<Verdict> {
        if let Some((address, mac)) = self.conflict(frame) {
            self.decline(now, address, mac, out);
            return Some(Verdict::Part);
        }
        if let State::Holding(held, _) = &self.state
            && let Some((answer, note)) = held.answer(frame)
        {
            out.send(answer, note);
            return Some(Verdict::Part);
        }
        if let State::Holding(held, _) = &mut self.state
            && held.told(frame)
        {
            self.due = Some(now);
            self.age(now, out);
            return Some(Verdict::Part);
        }
        match match_reply(&self.request, frame)? {
            Verdict::Part => {}
            other => return Some(other),
        }
        if let Some(fault) = fault {
            return Some(Verdict::Stray(fault.to_string()));
        }
        let message = Message::of(frame)?;
        Some(self.answer(now, frame, &message, out))
    }

    fn wake(&mut self, now: Time, out: &mut Outbox) {
        if let Some(last) = self.closing {
            if last <= now {
                self.finish(now);
            }
            return;
        }
        if self.until.is_some_and(|until| until <= now) {
            return self.close(now);
        }
        if let State::Selecting(Some(look)) = self.state
            && look <= now
            && self.choose(true)
        {
            return self.take_offer(now, out);
        }
        match &self.state {
            State::Init => {
                self.started = now;
                self.begin(now, out);
            }
            State::Resting(..) => {
                self.config.identity.xid = self.chance.next_u32();
                self.begin(now, out);
            }
            State::Probing(..) => self.probe(now, out),
            State::Holding(..) => self.age(now, out),
            State::Selecting(_) | State::Requesting | State::Rebooting => {
                if now >= self.asked + self.config.timeout {
                    let end = match self.state {
                        State::Requesting | State::Rebooting => ClientEnd::NoAck,
                        _ => ClientEnd::NoOffer(self.offers.len()),
                    };
                    self.give_up(now, end);
                } else if self.sent < self.config.tries && self.due.is_some_and(|due| due <= now) {
                    self.transmit(now, out);
                }
            }
            State::Ended(_) => {}
        }
    }

    fn deadline(&self) -> Option<Time> {
        let due = match &self.state {
            State::Init => Some(Time::default()),
            State::Probing(..) | State::Resting(..) | State::Holding(..) => self.due,
            State::Selecting(_) | State::Requesting | State::Rebooting => {
                let give_up = self.asked + self.config.timeout;
                let again = self.due.filter(|_| self.sent < self.config.tries);
                let look = match self.state {
                    // A choice that was not made at the last call waits for further offers.
                    State::Selecting(look) if !matches!(self.config.choose, Choose::Server(_)) => {
                        look
                    }
                    _ => None,
                };
                [Some(give_up), again, look].into_iter().flatten().min()
            }
            State::Ended(_) => return None,
        };
        if self.closing.is_some() {
            return self.closing;
        }
        [due, self.until].into_iter().flatten().min()
    }

    fn done(&self) -> bool {
        matches!(self.state, State::Ended(_))
    }
}
