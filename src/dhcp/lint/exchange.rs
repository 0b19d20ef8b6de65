//! What is remembered of the frames so far: who asked what, what was answered, who holds which address.
//! All of it is bounded; what is forgotten is not judged.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::bounded::Bounded;
use super::reply::from_relay;
use super::seen::{Hardware, Seen, Vlans};
use crate::dhcp::enums::*;
use crate::wire::{Bootp, CLIENT_PORT, Options};

/// Exchanges, clients and addresses remembered.
const EXCHANGES: usize = 4096;
const CLIENTS: usize = 4096;
const ADDRESSES: usize = 16_384;
/// Offers, answers and ways to the server remembered of an exchange.
const EACH: usize = 8;
/// Bytes of options remembered of a message.
const OPTION_BYTES: usize = 1024;

/// How long a message waits for its answer (RFC 2131 section 4.1: 64 seconds at most between two tries).
pub(super) const PENDING: Duration = Duration::from_secs(64);
/// How long an offer is held for the client.
pub(super) const OFFERED: Duration = Duration::from_secs(5);

/// An address within a network: two VLANs may use the same ones.
type Place = (Vlans, Ipv4Addr);

/// A client: its identifier, else its hardware address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    /// The VLAN on which it asks. The replies' own may be missing in a capture, where a network card took
    /// the tags of one direction away.
    pub vlans: Vlans,
    pub hardware: Hardware,
    pub id: Option<Box<[u8]>>,
}

impl Identity {
    /// Whether it is certain that these are two clients.
    pub fn differs(&self, other: &Identity) -> bool {
        self.hardware != other.hardware && (self.id.is_none() || self.id != other.id)
    }
}

/// Options of a message, as far as they are remembered.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept {
    options: Vec<(u8, Box<[u8]>)>,
    /// Whether all of them are there.
    pub whole: bool,
}

impl Kept {
    fn of(seen: &Seen) -> Self {
        let bytes: usize = seen.options.iter().map(|it| it.data.len()).sum();
        if !seen.whole || bytes > OPTION_BYTES {
            return Kept::default();
        }
        let options = seen
            .options
            .iter()
            .map(|it| (it.code, Box::from(&*it.data)));
        Kept {
            options: options.collect(),
            whole: true,
        }
    }

    pub fn data(&self, code: u8) -> Option<&[u8]> {
        let it = self.options.iter().find(|it| it.0 == code)?;
        Some(&it.1)
    }

    pub fn address(&self, code: u8) -> Option<Ipv4Addr> {
        let octets: [u8; 4] = self.data(code)?.try_into().ok()?;
        Some(octets.into())
    }
}

/// What a client, or a relay agent for it, asked.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub kind: u8,
    pub frame: u64,
    pub at: Duration,
    pub vlans: Vlans,
    pub flags: u16,
    pub secs: u16,
    pub ciaddr: Ipv4Addr,
    pub giaddr: Ipv4Addr,
    pub options: Kept,
}

impl Asked {
    fn of(seen: &Seen, bootp: &Bootp) -> Self {
        Asked {
            kind: seen.kind.unwrap_or_default(),
            frame: seen.number,
            at: seen.at,
            vlans: Vlans::of(seen.frame),
            flags: bootp.flags,
            secs: bootp.secs,
            ciaddr: bootp.ciaddr,
            giaddr: bootp.giaddr,
            options: Kept::of(seen),
        }
    }

    /// The address that it asks for or goes on with.
    pub fn wanted(&self) -> Option<Ipv4Addr> {
        let held = Some(self.ciaddr).filter(|it| !it.is_unspecified());
        self.options.address(50).or(held)
    }

    /// Whether it asks for an address of a virtual network (RFC 6607): by option, or by what the relay
    /// agent added.
    fn virtual_subnet(&self) -> bool {
        let relay = self.options.data(82).unwrap_or_default();
        self.options.data(221).is_some() || Options::new(relay).any(|it| it.code == 151)
    }
}

/// An offer.
#[derive(Clone, Debug)]
pub(super) struct Offer {
    pub frame: u64,
    pub at: Duration,
    pub server: Ipv4Addr,
    pub yiaddr: Ipv4Addr,
    pub options: Kept,
}

/// An ACK or NAK.
#[derive(Clone, Copy, Debug)]
pub(super) struct Answer {
    pub frame: u64,
    pub kind: u8,
    pub server: Option<Ipv4Addr>,
}

/// The messages of a client under one xid.
#[derive(Default)]
pub(super) struct Exchange {
    /// The last message on each way to the server: directly, and through each relay agent.
    legs: Vec<Asked>,
    /// The first DISCOVER.
    pub discover: Option<Asked>,
    pub offers: Vec<Offer>,
    /// What answered the last REQUEST.
    pub answers: Vec<Answer>,
}

impl Exchange {
    /// The message that came this way.
    pub fn asked(&self, giaddr: Ipv4Addr) -> Option<&Asked> {
        self.legs.iter().find(|it| it.giaddr == giaddr)
    }

    /// The message that came last, whichever way.
    pub fn last(&self) -> Option<&Asked> {
        self.legs.iter().max_by_key(|it| it.frame)
    }

    /// The last message where it is of this type.
    pub fn asked_as(&self, kind: u8) -> Option<&Asked> {
        self.last().filter(|it| it.kind == kind)
    }

    pub fn offer(&self, server: Ipv4Addr) -> Option<&Offer> {
        self.offers.iter().find(|it| it.server == server)
    }
}

/// What is known of a client across exchanges.
#[derive(Default)]
pub(super) struct Client {
    /// Its last offers with their xids.
    pub offers: Vec<(u32, Offer)>,
    /// The message with which it began, without an answer so far, and its xid.
    pub pending: Option<(u32, Asked)>,
}

/// Who was given an address.
pub(super) struct Holder {
    pub who: Identity,
    pub server: Ipv4Addr,
    pub frame: u64,
    pub until: Option<Duration>,
    /// Whether it was acknowledged, not only offered.
    pub bound: bool,
}

/// What was seen so far.
pub(super) struct Memory {
    exchanges: Bounded<(u32, Hardware), Exchange>,
    /// Who used an xid last, and in which frame, and when.
    xids: Bounded<u32, (Hardware, u64, Duration)>,
    clients: Bounded<Hardware, Client>,
    addresses: Bounded<Place, Option<Holder>>,
}

impl Default for Memory {
    fn default() -> Self {
        Memory {
            exchanges: Bounded::new(EXCHANGES),
            xids: Bounded::new(EXCHANGES),
            clients: Bounded::new(CLIENTS),
            addresses: Bounded::new(ADDRESSES),
        }
    }
}

impl Memory {
    pub fn exchange(&self, bootp: &Bootp) -> Option<&Exchange> {
        self.exchanges.get(&(bootp.xid, Hardware::of(bootp)))
    }

    pub fn xid(&self, xid: u32) -> Option<&(Hardware, u64, Duration)> {
        self.xids.get(&xid)
    }

    pub fn client(&self, bootp: &Bootp) -> Option<&Client> {
        self.clients.get(&Hardware::of(bootp))
    }

    pub fn holder(&self, vlans: Vlans, ip: Ipv4Addr) -> Option<&Holder> {
        self.addresses.get(&(vlans, ip))?.as_ref()
    }

    /// The message that a reply answers: the one that came the way on which the reply goes.
    pub fn asked(&self, seen: &Seen) -> Option<&Asked> {
        let bootp = seen.replies()?;
        let giaddr = match seen.udp().is_some_and(|it| it.dport == CLIENT_PORT) {
            true => Ipv4Addr::UNSPECIFIED,
            false => bootp.giaddr,
        };
        self.exchange(bootp)?.asked(giaddr)
    }

    /// The client that a reply goes to, where the message that it answers was seen, and does not ask for an
    /// address of some virtual network: each has addresses of its own (RFC 6607).
    pub fn identity(&self, seen: &Seen) -> Option<Identity> {
        let bootp = seen.replies()?;
        let asked = self.asked(seen).or_else(|| self.exchange(bootp)?.last())?;
        (asked.options.whole && !asked.virtual_subnet()).then(|| Identity {
            vlans: asked.vlans,
            hardware: Hardware::of(bootp),
            id: asked.options.data(61).map(Box::from),
        })
    }

    /// Remembers a frame.
    pub fn learn(&mut self, seen: &Seen) {
        let client = [DISCOVER, REQUEST, DECLINE, RELEASE, INFORM];
        if let Some(bootp) = seen.is(&client).filter(|it| it.op == 1) {
            self.learn_request(seen, bootp);
        } else if let Some(bootp) = seen.replies() {
            self.learn_reply(seen, bootp);
        }
    }

    fn learn_request(&mut self, seen: &Seen, bootp: &Bootp) {
        let hardware = Hardware::of(bootp);
        let asked = Asked::of(seen, bootp);
        let who = Identity {
            vlans: asked.vlans,
            hardware,
            id: asked.options.data(61).map(Box::from),
        };
        *self
            .xids
            .entry(&bootp.xid, || (hardware, seen.number, seen.at)) =
            (hardware, seen.number, seen.at);
        if let (REQUEST, Some(chosen)) = (asked.kind, asked.options.address(54)) {
            // The other servers take it as a refusal (RFC 2131 section 3.1, step 4).
            self.free_offers(&who, |it| it.server != chosen);
        }
        match asked.kind {
            RELEASE => self.free(bootp.ciaddr, &who),
            DECLINE => {
                if let Some(ip) = asked.options.address(50) {
                    self.free(ip, &who);
                }
            }
            DISCOVER | REQUEST | INFORM => {
                let client = self.clients.entry(&hardware, Client::default);
                let first = client.pending.as_ref().map(|it| it.1.at);
                if first.is_none_or(|it| seen.at.saturating_sub(it) > PENDING) {
                    client.pending = Some((bootp.xid, asked.clone()));
                }
            }
            _ => {}
        }
        let exchange = self
            .exchanges
            .entry(&(bootp.xid, hardware), Exchange::default);
        if asked.kind == DISCOVER && exchange.discover.is_none() {
            exchange.discover = Some(asked.clone());
        }
        // What is said in answer to it is yet to come.
        exchange.answers.clear();
        exchange.legs.retain(|it| it.giaddr != asked.giaddr);
        exchange.legs.push(asked);
        keep_last(&mut exchange.legs);
    }

    fn learn_reply(&mut self, seen: &Seen, bootp: &Bootp) {
        let who = self.identity(seen);
        let asked = self.asked(seen).map(|it| (it.kind, it.wanted()));
        let hardware = Hardware::of(bootp);
        let server = seen.address(54);
        let key = (bootp.xid, hardware);
        // The same reply on its second leg.
        let again = from_relay(seen);
        if let Some(client) = self.clients.get_mut(&hardware)
            && client.pending.as_ref().is_some_and(|it| it.0 == bootp.xid)
        {
            client.pending = None;
        }
        // What comes after the client's choice holds nothing for it.
        let late = matches!((seen.kind, asked), (Some(OFFER), Some((REQUEST, _))));
        let named = seen.kind == Some(NAK) || !bootp.yiaddr.is_unspecified();
        if let (Some(who), Some(server), true) = (&who, server, named && !late) {
            // A server holds one address for a client: the one that it named last, and none after a NAK.
            self.free_offers(who, |it| {
                it.server == server && (seen.kind == Some(NAK) || it.yiaddr != bootp.yiaddr)
            });
        }
        if let (Some(server), Some(OFFER)) = (server, seen.kind) {
            let offer = Offer {
                frame: seen.number,
                at: seen.at,
                server,
                yiaddr: bootp.yiaddr,
                options: Kept::of(seen),
            };
            if let Some(exchange) = self.exchanges.get_mut(&key) {
                exchange.offers.retain(|it| it.server != server);
                exchange.offers.push(offer.clone());
                keep_last(&mut exchange.offers);
            }
            let client = self.clients.entry(&hardware, Client::default);
            client.offers.retain(|(xid, it)| {
                *xid != bootp.xid || (it.server, it.yiaddr) != (server, offer.yiaddr)
            });
            client.offers.push((bootp.xid, offer));
            keep_last(&mut client.offers);
        }
        if let (Some(exchange), Some(kind @ (ACK | NAK)), false) =
            (self.exchanges.get_mut(&key), seen.kind, again)
        {
            let frame = seen.number;
            exchange.answers.push(Answer {
                frame,
                kind,
                server,
            });
            keep_last(&mut exchange.answers);
        }
        let (Some(who), Some(server)) = (who, server) else {
            return;
        };
        match (seen.kind, asked) {
            (Some(NAK), Some((_, Some(ip)))) => self.free(ip, &who),
            (Some(OFFER), _) if !late => self.hold(bootp.yiaddr, who, server, seen, false),
            (Some(ACK), Some((REQUEST | DISCOVER, _))) => {
                self.hold(bootp.yiaddr, who, server, seen, true);
            }
            _ => {}
        }
    }

    /// An address is given back, or was never taken.
    fn free(&mut self, ip: Ipv4Addr, who: &Identity) {
        if let Some(holder) = self.addresses.get_mut(&(who.vlans, ip))
            && holder.as_ref().is_some_and(|it| !it.who.differs(who))
        {
            *holder = None;
        }
    }

    /// Servers no longer hold what they offered to a client, as far as it is not leased.
    fn free_offers(&mut self, who: &Identity, of: impl Fn(&Offer) -> bool) {
        let Some(client) = self.clients.get(&who.hardware) else {
            return;
        };
        for (_, offer) in client.offers.iter().filter(|it| of(&it.1)) {
            if let Some(holder) = self.addresses.get_mut(&(who.vlans, offer.yiaddr))
                && holder.as_ref().is_some_and(|it| {
                    !it.bound && it.server == offer.server && !it.who.differs(who)
                })
            {
                *holder = None;
            }
        }
    }

    fn hold(&mut self, ip: Ipv4Addr, who: Identity, server: Ipv4Addr, seen: &Seen, bound: bool) {
        if ip.is_unspecified() {
            return;
        }
        let lease = match bound {
            true => seen.seconds(51).map(|it| Duration::from_secs(it.into())),
            false => Some(OFFERED),
        };
        let endless = bound && seen.seconds(51) == Some(u32::MAX);
        let holder = self.addresses.entry(&(who.vlans, ip), || None);
        // An offer does not end the lease that somebody holds.
        let held = holder
            .as_ref()
            .is_some_and(|it| it.bound && it.until.is_none_or(|until| until > seen.at));
        if bound || !held {
            *holder = lease.map(|lease| Holder {
                who,
                server,
                frame: seen.number,
                until: (!endless).then(|| seen.at.saturating_add(lease)),
                bound,
            });
        }
    }
}

/// Forgets the oldest of a list.
fn keep_last<T>(list: &mut Vec<T>) {
    if list.len() > EACH {
        list.remove(0);
    }
}
