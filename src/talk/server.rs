//! A server: pools, bindings, and the answers of RFC 2131 section 4.3.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use super::host::Host;
use super::matching::Verdict;
use super::player::{Outbox, Player};
use crate::dhcp::Message;
use crate::dhcp::assign::Assignment;
use crate::dhcp::enums::{ACK, DECLINE, DISCOVER, INFORM, NAK, OFFER, RELEASE, REQUEST};
use crate::dhcp::template::{self, Identity};
use crate::link::Time;
use crate::wire::*;

/// A subnet that the server gives addresses of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subnet {
    /// Network address.
    pub network: Ipv4Addr,
    /// Bits of the mask.
    pub prefix: u8,
    /// First and last address of the pool.
    pub pool: (Ipv4Addr, Ipv4Addr),
    /// Options beside lease times, mask and server identifier, in the server's order.
    pub options: Vec<Assignment>,
}

impl Subnet {
    /// The subnet mask.
    pub fn mask(&self) -> Ipv4Addr {
        let bits = u32::MAX.checked_shl(32 - u32::from(self.prefix.min(32)));
        bits.unwrap_or(0).into()
    }

    /// Whether `ip` belongs to it.
    pub fn contains(&self, ip: Ipv4Addr) -> bool {
        let mask = u32::from(self.mask());
        u32::from(ip) & mask == u32::from(self.network) & mask
    }
}

/// What a server is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerConfig {
    /// Its address and identity (option 54).
    pub address: Ipv4Addr,
    /// Its Ethernet address.
    pub mac: MacAddr,
    /// Its subnets; the first is the one it stands on.
    pub subnets: Vec<Subnet>,
    /// Lease time in seconds.
    pub lease: u32,
    /// How long it takes to answer.
    pub think: Duration,
    /// Whether it refuses every REQUEST that it answers.
    pub refuse: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Holder {
    /// Client identifier, or hardware type and address.
    Client(Vec<u8>),
    /// A host that a DECLINE told of.
    Unknown,
}

#[derive(Clone, Debug)]
struct Binding {
    holder: Holder,
    until: Time,
    bound: bool,
}

/// How long an offer is kept for its client, and a declined address aside.
const OFFER_KEPT: Duration = Duration::from_secs(60);
const DECLINED_KEPT: Duration = Duration::from_secs(3600);

/// A server as a sans-I/O player.
pub struct Server {
    config: ServerConfig,
    host: Host,
    bindings: BTreeMap<Ipv4Addr, Binding>,
}

/// Who the client is: its identifier, else its hardware address (RFC 2131 section 4.2).
fn client_key(message: &Message) -> Vec<u8> {
    match message.data(61) {
        Some(id) if !id.is_empty() => id.into_owned(),
        _ => {
            let mut key = vec![message.bootp.htype];
            key.extend(message.bootp.client_hardware());
            key
        }
    }
}

impl Server {
    /// A server with no bindings.
    pub fn new(config: ServerConfig) -> Self {
        Server {
            host: Host::new(config.address, config.mac),
            config,
            bindings: BTreeMap::new(),
        }
    }

    fn subnet_for(&self, message: &Message) -> Option<&Subnet> {
        let giaddr = message.bootp.giaddr;
        if giaddr.is_unspecified() {
            self.config.subnets.first()
        } else {
            self.config.subnets.iter().find(|it| it.contains(giaddr))
        }
    }

    fn held_by(&self, key: &[u8], subnet: &Subnet) -> Option<Ipv4Addr> {
        let holder = Holder::Client(key.to_vec());
        let mut all = self.bindings.iter();
        let found = all.find(|(ip, it)| it.holder == holder && subnet.contains(**ip))?;
        Some(*found.0)
    }

    fn free_for(&self, ip: Ipv4Addr, key: &[u8], now: Time) -> bool {
        self.bindings.get(&ip).is_none_or(|it| match &it.holder {
            Holder::Client(holder) => holder == key || it.until <= now,
            Holder::Unknown => it.until <= now,
        })
    }

    /// RFC 2131 section 4.3.1: the client's own address, the one it asks for, or the first free one.
    fn pick(&self, message: &Message, key: &[u8], now: Time) -> Option<Ipv4Addr> {
        let subnet = self.subnet_for(message)?;
        let (first, last) = subnet.pool;
        let in_pool = |ip: &Ipv4Addr| (first..=last).contains(ip);
        let own = self.held_by(key, subnet);
        let asked = message.requested_ip().filter(in_pool);
        own.into_iter()
            .chain(asked)
            .find(|ip| self.free_for(*ip, key, now))
            .or_else(|| {
                (u32::from(first)..=u32::from(last))
                    .map(Ipv4Addr::from)
                    .find(|ip| self.free_for(*ip, key, now))
            })
    }

    fn reply(
        &self,
        kind: u8,
        frame: &Frame,
        message: &Message,
        ip: Option<Ipv4Addr>,
    ) -> Option<Frame> {
        let who = Identity {
            client_mac: message.bootp.client_mac(),
            source_mac: self.config.mac,
            xid: message.bootp.xid,
            address: ip,
            server: Some(self.config.address),
            own: None,
            server_mac: None,
        };
        let mut draft = template::following(kind, frame, &who).ok()?;
        draft.ip.src = self.config.address;
        draft.put(Assignment {
            code: 54,
            data: self.config.address.octets().to_vec(),
        });
        if kind != NAK {
            draft.bootp.yiaddr = ip.unwrap_or(Ipv4Addr::UNSPECIFIED);
            let delivery = template::Delivery::of(kind, &draft.bootp);
            draft.ip.dst = delivery.ip;
            if delivery.hardware == template::Hardware::Client {
                draft.ether.dst = message.bootp.client_mac();
            }
            let subnet = self.subnet_for(message)?;
            draft.put(Assignment {
                code: 1,
                data: subnet.mask().octets().to_vec(),
            });
            if ip.is_some() {
                for option in template::lease_options(self.config.lease) {
                    draft.put(option);
                }
            }
            let asked = message.data(55).unwrap_or_default();
            draft.options.retain(|it| it.code != 3);
            let at = draft
                .options
                .iter()
                .position(|it| matches!(it.code, 61 | 82))
                .unwrap_or(draft.options.len());
            let wanted = |option: &&Assignment| asked.is_empty() || asked.contains(&option.code);
            let extra: Vec<_> = subnet.options.iter().filter(wanted).cloned().collect();
            draft.options.splice(at..at, extra);
        }
        Some(draft.frame())
    }

    fn bind(&mut self, ip: Ipv4Addr, key: &[u8], until: Time, bound: bool) {
        self.bindings.insert(
            ip,
            Binding {
                holder: Holder::Client(key.to_vec()),
                until,
                bound,
            },
        );
    }

    /// RFC 2131 section 4.3.2: ACK, NAK or nothing.
    fn request(
        &mut self,
        now: Time,
        message: &Message,
        key: &[u8],
    ) -> Option<(u8, Option<Ipv4Addr>)> {
        let asked = message.requested_ip();
        let ciaddr = Some(message.bootp.ciaddr).filter(|ip| !ip.is_unspecified());
        let refuse = Some((NAK, None));
        let subnet = self.subnet_for(message).cloned();
        let server = message.server_id();
        if server.is_some_and(|server| server != self.config.address) {
            // Another server was chosen: the address kept for this client is free again.
            self.bindings
                .retain(|_, it| it.bound || it.holder != Holder::Client(key.to_vec()));
            return None;
        }
        let wanted = if server.is_some() || asked.is_some() {
            asked
        } else {
            ciaddr
        }?;
        let Some(subnet) = subnet.filter(|it| it.contains(wanted)) else {
            return refuse;
        };
        if self.config.refuse {
            return refuse;
        }
        let (first, last) = subnet.pool;
        let free = (first..=last).contains(&wanted) && self.free_for(wanted, key, now);
        let known = self.held_by(key, &subnet);
        match server {
            Some(_) if free => {}
            // INIT-REBOOT and RENEWING of a client without a binding: silence.
            None if known.is_none() => return None,
            None if known == Some(wanted) && free => {}
            _ => return refuse,
        }
        let until = now + Duration::from_secs(u64::from(self.config.lease));
        self.bind(wanted, key, until, true);
        Some((ACK, Some(wanted)))
    }

    fn answer(&mut self, now: Time, frame: &Frame, message: &Message) -> Option<(Frame, String)> {
        let key = client_key(message);
        let ours = message
            .server_id()
            .is_none_or(|ip| ip == self.config.address);
        match message.message_type()? {
            DISCOVER => {
                let ip = self.pick(message, &key, now)?;
                if self
                    .bindings
                    .get(&ip)
                    .is_none_or(|it| !it.bound || it.until <= now)
                {
                    self.bind(ip, &key, now + OFFER_KEPT, false);
                }
                let reply = self.reply(OFFER, frame, message, Some(ip))?;
                Some((reply, format!("OFFER {ip}")))
            }
            REQUEST => {
                let (kind, ip) = self.request(now, message, &key)?;
                let note = match ip {
                    Some(ip) => format!("ACK {ip}"),
                    None => "NAK".to_string(),
                };
                Some((self.reply(kind, frame, message, ip)?, note))
            }
            INFORM => Some((self.reply(ACK, frame, message, None)?, "ACK".into())),
            DECLINE if ours => {
                let ip = message.requested_ip()?;
                let holder = Holder::Client(key);
                if self.bindings.get(&ip).is_some_and(|it| it.holder == holder) {
                    let binding = Binding {
                        holder: Holder::Unknown,
                        until: now + DECLINED_KEPT,
                        bound: true,
                    };
                    self.bindings.insert(ip, binding);
                }
                None
            }
            RELEASE if ours => {
                let holder = Holder::Client(key);
                let ip = message.bootp.ciaddr;
                self.bindings
                    .retain(|it, binding| *it != ip || binding.holder != holder);
                None
            }
            _ => None,
        }
    }
}

impl Player for Server {
    fn receive(
        &mut self,
        now: Time,
        frame: &Frame,
        fault: Option<&str>,
        out: &mut Outbox,
    ) -> Option<Verdict> {
        if fault.is_some() {
            return None;
        }
        if let Some((answer, note)) = self.host.answer(frame) {
            out.send(answer, note);
            return Some(Verdict::Part);
        }
        let message = Message::of(frame).filter(|it| it.bootp.op == 1)?;
        let dst = frame.ipv4()?.dst;
        if !dst.is_broadcast() && dst != self.config.address {
            return None;
        }
        if let Some((reply, note)) = self.answer(now, frame, &message) {
            out.send_after(self.config.think, reply, note);
        }
        Some(Verdict::Part)
    }

    fn wake(&mut self, _now: Time, _out: &mut Outbox) {}

    fn deadline(&self) -> Option<Time> {
        None
    }
}
