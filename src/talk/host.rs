//! A host's plain duties: answering ARP and ping for the addresses that the tool plays.

use std::net::Ipv4Addr;

use super::matching::{Verdict, vlans};
use super::player::{Outbox, Player};
use crate::link::Time;
use crate::wire::*;

/// Answers for addresses, each at its MAC, so that unicast replies arrive without configuring the
/// machine.
#[derive(Clone, Debug, Default)]
pub struct Host {
    addresses: Vec<(Ipv4Addr, MacAddr)>,
    /// Those of them that ping does not reach.
    deaf: Vec<Ipv4Addr>,
    /// The VLANs it stands on, outermost first; `None` for any.
    vlans: Option<Vec<u16>>,
}

impl Host {
    /// A host with one address.
    pub fn new(ip: Ipv4Addr, mac: MacAddr) -> Self {
        Host {
            addresses: vec![(ip, mac)],
            ..Host::default()
        }
    }

    /// Has it answer only what comes with these VLAN tags, outermost first.
    pub fn on(mut self, vlans: Vec<u16>) -> Self {
        self.vlans = Some(vlans);
        self
    }

    /// Answers for one more address.
    pub fn add(&mut self, ip: Ipv4Addr, mac: MacAddr) {
        if !ip.is_unspecified() && !ip.is_broadcast() && !self.addresses.contains(&(ip, mac)) {
            self.addresses.push((ip, mac));
        }
    }

    /// Answers ARP for one more address, so that frames for it arrive, and no ping: to a server that looks before it
    /// gives an address, nobody has it.
    pub fn add_deaf(&mut self, ip: Ipv4Addr, mac: MacAddr) {
        self.add(ip, mac);
        self.deaf.push(ip);
    }

    /// Answers for the addresses that a message's sender claims to hold.
    pub fn play(&mut self, message: &Frame) {
        let layers = message.ether().zip(message.ipv4()).zip(message.bootp());
        if let Some(((ether, ip), bootp)) = layers {
            self.add(ip.src, ether.src);
            if bootp.op == 1 {
                self.add(bootp.ciaddr, bootp.client_mac());
                self.add(bootp.giaddr, ether.src);
            }
        }
    }

    fn mac_of(&self, ip: Ipv4Addr) -> Option<MacAddr> {
        let found = self.addresses.iter().find(|(it, _)| *it == ip)?;
        Some(found.1)
    }

    /// The answer to a frame, if it asks for one of the addresses.
    pub fn answer(&self, frame: &Frame) -> Option<(Frame, String)> {
        let ether = frame.ether()?;
        if self.vlans.as_ref().is_some_and(|it| *it != vlans(frame)) {
            return None;
        }
        let back = |mac: MacAddr| {
            let mut layers = vec![
                Ether {
                    dst: ether.src,
                    src: mac,
                    ethertype: tag_protocol(ether.ethertype),
                }
                .into(),
            ];
            layers.extend(frame.tags().map(Layer::from));
            layers
        };
        if let Some(arp) = frame.arp() {
            let target = arp.target_ip().filter(|_| arp.op == 1)?;
            let mac = self.mac_of(target)?;
            let mut layers = back(mac);
            layers.push(
                Arp {
                    op: 2,
                    hwsrc: mac.octets().to_vec(),
                    psrc: arp.pdst.clone(),
                    hwdst: arp.hwsrc.clone(),
                    pdst: arp.psrc.clone(),
                    ..Arp::default()
                }
                .into(),
            );
            return Some((Frame::new(layers), format!("ARP: {target} is at {mac}")));
        }
        let (ip, icmp) = (frame.ipv4()?, frame.icmp()?);
        if icmp.kind != 8 || self.deaf.contains(&ip.dst) {
            return None;
        }
        let mac = self.mac_of(ip.dst)?;
        let mut layers = back(mac);
        layers.push(
            Ipv4 {
                src: ip.dst,
                dst: ip.src,
                ..Ipv4::default()
            }
            .into(),
        );
        layers.push(
            Icmp {
                kind: 0,
                rest: icmp.rest,
                ..Icmp::default()
            }
            .into(),
        );
        layers.extend(frame.raw().map(|data| Layer::Raw(data.to_vec())));
        Some((Frame::new(layers), format!("ping reply from {}", ip.dst)))
    }
}

impl Player for Host {
    fn receive(
        &mut self,
        _now: Time,
        frame: &Frame,
        fault: Option<&str>,
        out: &mut Outbox,
    ) -> Option<Verdict> {
        if fault.is_some() {
            return None;
        }
        let (answer, note) = self.answer(frame)?;
        out.send(answer, note);
        Some(Verdict::Part)
    }

    fn wake(&mut self, _now: Time, _out: &mut Outbox) {}

    fn deadline(&self) -> Option<Time> {
        None
    }
}
