//! Asks with ARP which Ethernet address an IP address is at.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::matching::{Verdict, vlans};
use super::player::{Outbox, Player};
use crate::link::Time;
use crate::wire::*;

/// Asks up to three times, a third of a second apart.
pub struct Resolver {
    mac: MacAddr,
    own: Ipv4Addr,
    target: Ipv4Addr,
    tags: Vec<Dot1Q>,
    asked: u32,
    due: Time,
    found: Option<MacAddr>,
}

const TRIES: u32 = 3;
const INTERVAL: Duration = Duration::from_millis(333);

impl Resolver {
    /// Looks for `target` on behalf of `own` at `mac`, behind the VLAN tags given.
    pub fn new(mac: MacAddr, own: Ipv4Addr, target: Ipv4Addr, tags: Vec<Dot1Q>) -> Self {
        Resolver {
            mac,
            own,
            target,
            tags,
            asked: 0,
            due: Time::default(),
            found: None,
        }
    }

    /// Where it is, once somebody answered.
    pub fn found(&self) -> Option<MacAddr> {
        self.found
    }
}

impl Player for Resolver {
    fn receive(
        &mut self,
        _now: Time,
        frame: &Frame,
        _fault: Option<&str>,
        _out: &mut Outbox,
    ) -> Option<Verdict> {
        let arp = frame.arp()?;
        let ours = self.tags.iter().map(|it| it.vlan).filter(|id| *id != 0);
        if arp.op != 2 || arp.sender_ip() != Some(self.target) || !ours.eq(vlans(frame)) {
            return None;
        }
        self.found = arp.sender_mac();
        Some(Verdict::Part)
    }

    fn wake(&mut self, now: Time, out: &mut Outbox) {
        if self.asked < TRIES {
            let ether = Ether {
                src: self.mac,
                ..Ether::default()
            };
            let mut layers = vec![ether.into()];
            layers.extend(self.tags.iter().cloned().map(Layer::from));
            layers.push(Arp::request(self.mac, self.own, self.target).into());
            out.send(Frame::new(layers), format!("ARP: who has {}?", self.target));
        }
        self.asked += 1;
        self.due = now + INTERVAL;
    }

    fn deadline(&self) -> Option<Time> {
        Some(self.due)
    }

    fn done(&self) -> bool {
        self.found.is_some() || self.asked > TRIES
    }
}
