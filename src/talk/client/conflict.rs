//! Looking whether somebody has the address already, and declining it (RFC 5227; RFC 2131 section 4.4.1).

use std::net::Ipv4Addr;
use std::time::Duration;

use rand_chacha::rand_core::RngCore;

use super::{Client, ClientEnd, State};
use crate::dhcp::enums::DECLINE;
use crate::link::Time;
use crate::talk::matching::vlans;
use crate::talk::player::Outbox;
use crate::wire::*;

const PROBES: u32 = 3;
/// Time between two probes where somebody waits for the answer.
const PROBE_INTERVAL: Duration = Duration::from_millis(400);
/// The same of a client that goes on to hold its lease: this long and up to a second more by chance
/// (RFC 5227 section 2.1.1).
const PATIENT_INTERVAL: Duration = Duration::from_secs(1);
/// Announcements of a new address, and the time between them (RFC 5227 section 2.3).
const ANNOUNCEMENTS: u32 = 2;
const ANNOUNCE_INTERVAL: Duration = Duration::from_secs(2);
/// Rest after a DECLINE (RFC 2131 section 3.1 (5)).
pub(super) const REST: Duration = Duration::from_secs(10);

impl Client {
    /// An ARP request, tagged as the messages are.
    pub(super) fn arp(&self, mac: MacAddr, own: Ipv4Addr, target: Ipv4Addr) -> Frame {
        let ether = Ether {
            src: mac,
            ..Ether::default()
        };
        let mut layers = vec![ether.into()];
        layers.extend(self.request.tags().map(Layer::from));
        layers.push(Arp::request(mac, own, target).into());
        Frame::new(layers)
    }

    pub(super) fn probe(&mut self, now: Time, out: &mut Outbox) {
        let State::Probing(ack, sent) = &mut self.state else {
            return;
        };
        let address = ack.bootp().map_or(Ipv4Addr::UNSPECIFIED, |it| it.yiaddr);
        let mac = self.config.identity.source_mac;
        if *sent == PROBES {
            let ack = ack.clone();
            self.bound(now, &ack);
            if let State::Holding(..) = self.state {
                let frame = self.arp(mac, address, address);
                for at in 0..ANNOUNCEMENTS {
                    let note = format!("ARP announcement of {address}");
                    out.send_after(ANNOUNCE_INTERVAL * at, frame.clone(), note);
                }
            }
            return;
        }
        *sent += 1;
        let frame = self.arp(mac, Ipv4Addr::UNSPECIFIED, address);
        out.send(frame, format!("ARP probe for {address}"));
        let interval = match self.config.hold {
            Some(_) => {
                let part = f64::from(self.chance.next_u32()) / f64::from(u32::MAX);
                PATIENT_INTERVAL.mul_f64(1.0 + part)
            }
            None => PROBE_INTERVAL,
        };
        self.due = Some(now + interval);
    }

    /// Who else claims the address being probed.
    pub(super) fn conflict(&self, frame: &Frame) -> Option<(Ipv4Addr, MacAddr)> {
        let (State::Probing(ack, _), Some(arp)) = (&self.state, frame.arp()) else {
            return None;
        };
        let address = ack.bootp()?.yiaddr;
        let mac = arp.sender_mac()?;
        let claims = arp.sender_ip() == Some(address);
        let probes =
            arp.sender_ip() == Some(Ipv4Addr::UNSPECIFIED) && arp.target_ip() == Some(address);
        let ours = mac == self.config.identity.source_mac || mac == self.config.identity.client_mac;
        let here = vlans(frame) == vlans(&self.request);
        ((claims || probes) && !ours && here).then_some((address, mac))
    }

    pub(super) fn decline(&mut self, now: Time, address: Ipv4Addr, mac: MacAddr, out: &mut Outbox) {
        let State::Probing(ack, _) = &self.state else {
            return;
        };
        if let Some(mut draft) = self.follow(DECLINE, ack) {
            draft.bootp.xid = self.chance.next_u32();
            out.send(
                (self.config.build)(draft),
                format!("DECLINE: {address} is at {mac}"),
            );
            self.transmissions += 1;
        }
        self.declined += 1;
        // It is no address to ask for any more.
        self.config.identity.address = self.config.identity.address.filter(|it| *it != address);
        if self.declined > self.config.restarts {
            self.state = State::Ended(ClientEnd::Declined(address, mac));
        } else {
            self.state = State::Resting(Some((address, mac)));
            self.due = Some(now + REST);
        }
    }
}
