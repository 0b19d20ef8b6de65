//! Looks on at a link: groups frames into exchanges, and tells the state of every client from what
//! passes. Frames and the time go in, data comes out; memory is bounded under any flood.

mod client;
mod exchange;
mod lease;
mod note;
mod state;
mod who;

use std::collections::{BTreeMap, HashMap};
use std::net::Ipv4Addr;

pub use client::Observed;
pub use exchange::{Exchange, Kind, Offered, Passing};
pub use lease::Lease;
pub use note::Note;
pub use state::{Reason, State};
pub use who::{Hardware, Place};

use crate::dhcp::Message;
use crate::link::Time;
use crate::wire::Frame;

/// Clients remembered; of more, those silent longest are let go.
pub const CLIENTS: usize = 4096;
/// Places remembered at which the same hardware address is seen.
const PLACES: usize = 16;
/// VLAN tags that count.
const TAGS: usize = 4;

/// What a frame is to the exchange that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Number of the exchange, from 1.
    pub exchange: u64,
    /// Number of the client, from 1.
    pub client: u64,
    /// The client's state behind the frame.
    pub state: State,
    /// Whether the frame changed it.
    pub changed: bool,
    /// What it is to the messages before it.
    pub passing: Passing,
}

/// What was seen in the end.
#[derive(Clone, Debug, Default)]
pub struct Observation {
    /// The clients in the order of their first frames, [`CLIENTS`] at most.
    pub clients: Vec<Observed>,
    /// Clients let go because there were more.
    pub let_go: u64,
    /// Exchanges.
    pub exchanges: u64,
    /// Frames that belong to them.
    pub frames: u64,
    /// Frames that belong to none.
    pub others: u64,
}

/// Looks at frames, one after the other.
#[derive(Debug, Default)]
pub struct Observer {
    clients: HashMap<u64, (Observed, u64)>,
    /// The numbers of the clients with a hardware address.
    places: HashMap<Hardware, Vec<u64>>,
    /// The numbers of the clients by their last frames.
    silent: BTreeMap<u64, u64>,
    known: u64,
    let_go: u64,
    exchanges: u64,
    frames: u64,
    others: u64,
    latest: Time,
}

impl Observer {
    /// Looks at the next frame; `None` where it belongs to no exchange.
    pub fn see(&mut self, at: Time, frame: &Frame) -> Option<Mark> {
        self.latest = self.latest.max(at);
        let message = Message::of(frame);
        let kind = message.as_ref().and_then(Kind::of);
        let (Some(message), Some(kind)) = (message, kind) else {
            self.others += 1;
            return None;
        };
        self.frames += 1;
        let number = self.client_of(frame, &message, at);
        let (client, seen) = self.clients.get_mut(&number)?;
        // Whoever spoke last is the last in their order as it is.
        if self.silent.last_key_value().is_none_or(|it| *it.0 != *seen) {
            self.silent.remove(seen);
            *seen = self.frames;
            self.silent.insert(self.frames, number);
        }
        let before = client.state;
        let fresh = self.exchanges + 1;
        let (exchange, passing) = client.take(frame, &message, kind, at, fresh);
        self.exchanges = self.exchanges.max(exchange);
        Some(Mark {
            exchange,
            client: number,
            state: client.state,
            changed: client.state != before,
            passing,
        })
    }

    /// The number of the client that a message is about.
    fn client_of(&mut self, frame: &Frame, message: &Message, at: Time) -> u64 {
        let hardware = Hardware::of(message);
        let bootp = message.bootp;
        let relay = (!bootp.giaddr.is_unspecified()).then_some(bootp.giaddr);
        let place = Place {
            vlans: frame.vlans().take(TAGS).collect(),
            relay,
        };
        if let Some(number) = self.known_as(&hardware, &place, message) {
            return number;
        }
        if self.clients.len() >= CLIENTS
            && let Some((_, number)) = self.silent.first_key_value()
        {
            self.let_go(*number);
        }
        let same = self.places.get(&hardware);
        if let Some(first) = same
            .filter(|it| it.len() >= PLACES)
            .and_then(|it| it.first())
        {
            self.let_go(*first);
        }
        self.known += 1;
        let client = Observed::new(self.known, hardware.clone(), place, at);
        self.clients.insert(self.known, (client, self.frames));
        self.places.entry(hardware).or_default().push(self.known);
        self.silent.insert(self.frames, self.known);
        self.known
    }

    /// The client at that place, or the one that a relayed or routed message comes from: behind a relay
    /// agent the VLAN is the server's, and a renewal past the agent has no giaddr.
    fn known_as(&self, hardware: &Hardware, place: &Place, message: &Message) -> Option<u64> {
        let bootp = message.bootp;
        let numbers = self.places.get(hardware).map_or(&[][..], Vec::as_slice);
        let all = || {
            let known = numbers.iter().filter_map(|it| self.clients.get(it));
            known.map(|it| &it.0)
        };
        let talks = |it: &&Observed| {
            let beside = place.relay.is_some() || it.place.relay.is_some();
            (beside || it.place == *place) && it.used(bootp.xid)
        };
        let holds = |it: &&Observed| {
            !bootp.ciaddr.is_unspecified()
                && it.held() == Some(bootp.ciaddr)
                && (it.place.relay.is_some() || it.place.vlans == place.vlans)
        };
        let found = all()
            .find(talks)
            .or_else(|| all().find(|it| it.place == *place))
            .or_else(|| all().find(holds));
        if let Some(it) = found {
            return Some(it.number);
        }
        // A server that sends no identifier back (before RFC 6842) to a client without an address.
        if hardware.identifier || hardware.bytes.iter().any(|it| *it != 0) {
            return None;
        }
        let mut others = self.clients.values().map(|it| &it.0);
        let other = others.find(|it| it.hardware.identifier && it.used(bootp.xid));
        other.map(|it| it.number)
    }

    fn let_go(&mut self, number: u64) {
        let Some((client, seen)) = self.clients.remove(&number) else {
            return;
        };
        self.let_go += 1;
        self.silent.remove(&seen);
        if let Some(numbers) = self.places.get_mut(&client.hardware) {
            numbers.retain(|it| *it != number);
            if numbers.is_empty() {
                self.places.remove(&client.hardware);
            }
        }
    }

    /// Clients remembered just now.
    pub fn len(&self) -> usize {
        self.clients.len()
    }

    /// Whether no client was seen.
    pub fn is_empty(&self) -> bool {
        self.clients.is_empty()
    }

    /// What was seen, judged at this time; with `None` at that of the last frame.
    pub fn finish(self, now: Option<Time>) -> Observation {
        let now = self.latest.max(now.unwrap_or_default());
        let mut clients: Vec<Observed> = self.clients.into_values().map(|it| it.0).collect();
        clients.sort_unstable_by_key(|it| it.number);
        clients.iter_mut().for_each(|it| it.settle(now));
        shared(&mut clients);
        Observation {
            clients,
            let_go: self.let_go,
            exchanges: self.exchanges,
            frames: self.frames,
            others: self.others,
        }
    }
}

/// Notes which clients at one place hold the same address.
fn shared(clients: &mut [Observed]) {
    let mut holders: HashMap<(Place, Ipv4Addr), Hardware> = HashMap::new();
    for client in clients {
        let Some(address) = client.held() else {
            continue;
        };
        let key = (client.place.clone(), address);
        match holders.get(&key).cloned() {
            Some(with) => client.note(Note::Shared { address, with }),
            None => {
                holders.insert(key, client.hardware.clone());
            }
        }
    }
}
