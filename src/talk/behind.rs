//! A machine with a segment of its own behind it: a relay agent, and the router that carries past it what clients
//! and servers send each other by unicast.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use super::matching::checksum_fault;
use super::player::Outbox;
use super::relay::{Both, Relay, Side};
use crate::link::segment::{Segment, Station, Transmission};
use crate::link::{Link, Time};
use crate::wire::*;

/// Addresses that the router remembers; it forgets all when there are more.
const NEIGHBOURS: usize = 1024;

/// The machine as a station on the clients' segment.
pub struct Behind {
    relay: Relay,
    servers: Segment,
    /// Where addresses of each side were seen. Both sides speak first, so the router needs no ARP.
    clients_at: BTreeMap<Ipv4Addr, MacAddr>,
    servers_at: BTreeMap<Ipv4Addr, MacAddr>,
}

impl Behind {
    /// A relay agent in front of the servers' segment.
    pub fn new(relay: Relay, servers: Segment) -> Behind {
        Behind {
            relay,
            servers,
            clients_at: BTreeMap::new(),
            servers_at: BTreeMap::new(),
        }
    }

    fn arrived(&mut self, side: Side, now: Time, bytes: &[u8], to: &mut Vec<Transmission>) {
        let frame = Frame::decode(bytes);
        let mut out = Both::default();
        let fault = checksum_fault(&frame, false);
        let taken = self
            .relay
            .receive(side, now, &frame, fault.as_deref(), &mut out);
        if taken.is_none() && fault.is_none() {
            self.route(side, &frame, &mut out);
        }
        self.remember(side, &frame);
        self.send(out, to);
    }

    /// Takes note of where the senders of a frame are.
    fn remember(&mut self, side: Side, frame: &Frame) {
        let Some(mac) = frame.ether().map(|it| it.src) else {
            return;
        };
        let senders = [
            frame.ipv4().map(|it| it.src),
            frame.arp().and_then(Arp::sender_ip),
            // What answers a message of the relay agent before this one goes the way that it came.
            frame.bootp().map(|it| it.giaddr),
            frame.bootp().map(|it| it.ciaddr),
        ];
        let neighbours = match side {
            Side::Clients => &mut self.clients_at,
            Side::Servers => &mut self.servers_at,
        };
        for ip in senders.into_iter().flatten() {
            if neighbours.len() >= NEIGHBOURS {
                neighbours.clear();
            }
            if !ip.is_unspecified() {
                neighbours.insert(ip, mac);
            }
        }
    }

    /// Passes on what is addressed to this machine's MAC and to an address on the other side.
    fn route(&self, side: Side, frame: &Frame, out: &mut Both) {
        let config = self.relay.config();
        let (own, neighbours, mac, out) = match side {
            Side::Clients => (
                config.mac,
                &self.servers_at,
                config.upstream_mac,
                &mut out.servers,
            ),
            Side::Servers => (
                config.upstream_mac,
                &self.clients_at,
                config.mac,
                &mut out.clients,
            ),
        };
        let (Some(ether), Some(ip)) = (frame.ether(), frame.ipv4()) else {
            return;
        };
        let (true, Some(next), 2..) = (ether.dst == own, neighbours.get(&ip.dst), ip.ttl) else {
            return;
        };
        let mut routed = frame.clone();
        if let Some(ether) = routed.ether_mut() {
            (ether.src, ether.dst) = (mac, *next);
        }
        if let Some(ip) = routed.ipv4_mut() {
            ip.ttl -= 1;
            ip.chksum = Auto::Unset;
        }
        out.send(routed, "routed");
    }

    fn send(&mut self, out: Both, to: &mut Vec<Transmission>) {
        let Outbox { frames, .. } = out.servers;
        for it in frames {
            // A segment takes every frame.
            let _ = self.servers.send(&it.frame.encode());
        }
        to.extend(out.clients.frames.into_iter().map(|it| Transmission {
            delay: it.delay,
            bytes: it.frame.encode(),
        }));
    }

    /// Lets the time on the servers' segment come to now.
    fn catch_up(&mut self, now: Time, to: &mut Vec<Transmission>) {
        while let Ok(Some(it)) = self.servers.recv(now) {
            self.arrived(Side::Servers, it.at, &it.bytes, to);
        }
    }
}

impl Station for Behind {
    fn receive(&mut self, now: Time, frame: &[u8], to: &mut Vec<Transmission>) {
        self.catch_up(now, to);
        self.arrived(Side::Clients, now, frame, to);
    }

    fn wake(&mut self, now: Time, to: &mut Vec<Transmission>) {
        self.catch_up(now, to);
        if self.relay.deadline().is_some_and(|at| at <= now) {
            let mut out = Both::default();
            self.relay.wake(now, &mut out);
            self.send(out, to);
        }
    }

    fn deadline(&self) -> Option<Time> {
        let relay = self.relay.deadline();
        self.servers.due().into_iter().chain(relay).min()
    }
}
