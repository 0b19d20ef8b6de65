//! The life of a lease: BOUND, RENEWING, REBINDING, and back to INIT (RFC 2131 section 4.4.5).

use std::net::Ipv4Addr;
use std::time::Duration;

use super::host::Host;
use super::matching::vlans;
use crate::dhcp::Message;
use crate::dhcp::template::{self, Draft, Identity};
use crate::dhcp::timers::Timers;
use crate::link::Time;
use crate::wire::*;

/// Where a held lease is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Before T1.
    Bound,
    /// After T1: asks the server that gave it.
    Renewing,
    /// After T2: asks any server.
    Rebinding,
    /// Over.
    Expired,
}

/// A lease that is held, with its timers.
#[derive(Clone, Debug)]
pub struct Held {
    ack: Frame,
    host: Host,
    hop: Option<Hop>,
    granted: Time,
    t1: Duration,
    t2: Duration,
    lease: Duration,
    /// By how much its timers run faster.
    scale: f64,
}

/// The neighbour through which unicast reaches a server behind a relay agent: its router, or the server itself
/// where that has an address on this network.
#[derive(Clone, Debug)]
struct Hop {
    ip: Ipv4Addr,
    mac: Option<MacAddr>,
    asked: bool,
}

impl Hop {
    /// Where the server that gave a lease is a neighbour, its ACK's sender is the hop, and there is nothing to find.
    fn of(frame: &Frame, ack: &Message) -> Option<Hop> {
        let server = ack
            .server_id()
            .filter(|_| !ack.bootp.giaddr.is_unspecified())?;
        Some(Hop {
            ip: ack.router_to(server, ack.bootp.yiaddr).unwrap_or(server),
            mac: None,
            // What came to a relay agent's port came to this end, which plays the agent: its sender is the hop.
            asked: frame.udp().is_some_and(|it| it.dport == SERVER_PORT),
        })
    }
}

/// How long ARP's answer is waited for at most.
const ARP_WAIT: Duration = Duration::from_secs(1);

/// Shortest time between two REQUESTs of a client that renews or rebinds.
const SHORTEST: Duration = Duration::from_secs(60);

/// Shortest time from an ACK to the client's next message, in the lease's own time. The shortest lease with a T1 has
/// one second.
const FLOOR: Duration = Duration::from_millis(500);

/// The same in the time of the link, however fast the lease's time runs.
const LINK_FLOOR: Duration = Duration::from_millis(10);

impl Held {
    /// The lease that an ACK gave at a time; `None` when the frame carries no message.
    pub fn new(ack: &Frame, granted: Time, scale: f64) -> Option<Held> {
        let message = Message::of(ack)?;
        let bootp = message.bootp;
        // Without a lease time there is nothing to wait for.
        let [t1, t2, lease] = match Timers::of(&message) {
            Some(it) => [it.t1, it.t2, it.lease].map(|it| it.div_f64(scale)),
            None => [Duration::MAX; 3],
        };
        Some(Held {
            host: Host::new(bootp.yiaddr, bootp.client_mac()).on(vlans(ack)),
            hop: Hop::of(ack, &message),
            ack: ack.clone(),
            granted,
            t1,
            t2,
            lease,
            scale,
        })
    }

    /// The ACK that gave it last.
    pub fn ack(&self) -> &Frame {
        &self.ack
    }

    /// The address.
    pub fn address(&self) -> Ipv4Addr {
        self.ack
            .bootp()
            .map_or(Ipv4Addr::UNSPECIFIED, |it| it.yiaddr)
    }

    /// Where in its life it is.
    pub fn phase(&self, now: Time) -> Phase {
        match now - self.granted {
            age if age >= self.lease => Phase::Expired,
            age if age >= self.t2 => Phase::Rebinding,
            age if age >= self.t1 => Phase::Renewing,
            _ => Phase::Bound,
        }
    }

    /// When it is over; `None` when it never is.
    pub fn ends(&self) -> Option<Time> {
        (self.lease != Duration::MAX).then(|| self.granted + self.lease)
    }

    /// When the next phase begins; `None` when it never does.
    pub fn next(&self, now: Time) -> Option<Time> {
        let length = match self.phase(now) {
            Phase::Bound => self.t1,
            Phase::Renewing => self.t2,
            Phase::Rebinding | Phase::Expired => self.lease,
        };
        (length != Duration::MAX).then(|| self.granted + length)
    }

    /// When a client that has just got the lease says something next: `None` where it never does, `Err` where the
    /// lease is over by then, and so is of no use.
    pub fn first(&self, now: Time) -> Result<Option<Time>, ()> {
        let soonest = now + FLOOR.div_f64(self.scale).max(LINK_FLOOR);
        match self.phase(soonest) {
            Phase::Expired => Err(()),
            Phase::Bound => Ok(self.next(soonest)),
            // Looking whether the address is free may have taken longer than T1.
            Phase::Renewing | Phase::Rebinding => Ok(Some(soonest)),
        }
    }

    /// When to ask again if no answer comes: after half of what is left of the phase, but not sooner
    /// than a minute.
    pub fn again(&self, now: Time) -> Option<Time> {
        let left = self.next(now)? - now;
        Some(now + (left / 2).max(SHORTEST.div_f64(self.scale)))
    }

    /// The REQUEST of the phase.
    pub fn request(&self, phase: Phase, who: &Identity) -> Option<Draft> {
        let message = Message::of(&self.ack)?;
        let holder = template::holder(message, self.ack.ether(), who);
        // Nobody answers ARP: the relay agent that brought the ACK is the best guess at a router.
        let sender = self.ack.ether().map(|it| it.src);
        let hop = self.hop.as_ref().and_then(|it| it.mac.or(sender));
        let holder = Identity {
            source_mac: who.source_mac,
            server_mac: holder.server_mac.or(hop),
            ..holder
        };
        Some(match phase {
            Phase::Rebinding => template::rebinding(&holder),
            _ => template::renewing(&holder),
        })
    }

    /// The neighbour to ask ARP for before the server can be asked by unicast (RFC 2131 section 4.3.6), and how
    /// long to wait for its answer. Asked once for each lease.
    pub fn ask(&mut self) -> Option<(Ipv4Addr, Duration)> {
        let hop = self.hop.as_mut().filter(|it| !it.asked)?;
        hop.asked = true;
        Some((hop.ip, ARP_WAIT.min((self.t2 - self.t1) / 2)))
    }

    /// The neighbour that ARP was asked for.
    pub fn sought(&self) -> Option<Ipv4Addr> {
        let hop = self.hop.as_ref();
        hop.filter(|it| it.asked && it.mac.is_none())
            .map(|it| it.ip)
    }

    /// Takes ARP's answer; whether it is one that was waited for.
    pub fn told(&mut self, frame: &Frame) -> bool {
        let here = vlans(frame) == vlans(&self.ack);
        let arp = frame.arp().filter(|it| here && it.op == 2);
        let Some((hop, arp)) = self.hop.as_mut().zip(arp) else {
            return false;
        };
        if !hop.asked || hop.mac.is_some() || arp.sender_ip() != Some(hop.ip) {
            return false;
        }
        hop.mac = arp.sender_mac();
        hop.mac.is_some()
    }

    /// The answer to a host that asks for the address, with ARP or ping.
    pub fn answer(&self, frame: &Frame) -> Option<(Frame, String)> {
        self.host.answer(frame)
    }
}
