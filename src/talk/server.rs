//! A server: pools, bindings, and the answers of RFC 2131 section 4.3.

use std::net::Ipv4Addr;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;

use super::binding::{Bindings, client_key};
use super::fault::{Fault, Spoiled};
use super::host::Host;
use super::matching::{Verdict, vlans};
use super::player::{Outbox, Outgoing, Player};
use super::rules::{Answering, Rules};
use super::server_config::{ServerConfig, Subnet};
use crate::dhcp::Message;
use crate::dhcp::assign::Assignment;
use crate::dhcp::delivery::{Delivery, Hardware};
use crate::dhcp::enums::{ACK, DECLINE, DISCOVER, INFORM, NAK, OFFER, RELEASE, REQUEST};
use crate::dhcp::following;
use crate::dhcp::layout::Overload;
use crate::dhcp::template::{self, Identity};
use crate::link::Time;
use crate::wire::*;

/// How long a reply is held back where none follows that could overtake it.
const HELD: Duration = Duration::from_secs(1);

/// A server as a sans-I/O player.
pub struct Server {
    config: ServerConfig,
    host: Host,
    /// The VLANs it stands on; none for any.
    own: Vec<u16>,
    bindings: Bindings,
    chance: ChaCha8Rng,
    /// A reply held back, and whether the next one is to be.
    held: Option<(Time, Frame, String)>,
    odd: bool,
    rules: Option<Box<dyn Rules>>,
}

impl Server {
    /// A server with no bindings, whose faults draw from `chance`.
    pub fn new(config: ServerConfig, chance: ChaCha8Rng) -> Self {
        let host = Host::new(config.address, config.mac);
        let own: Vec<u16> = config.vlan.iter().map(|it| it.vlan).collect();
        Server {
            host: match own.is_empty() {
                true => host,
                false => host.on(own.clone()),
            },
            own,
            config,
            bindings: Bindings::default(),
            chance,
            held: None,
            odd: false,
            rules: None,
        }
    }

    /// Has rules decide before the server does.
    pub fn follow(&mut self, rules: Box<dyn Rules>) {
        self.rules = Some(rules);
    }

    fn subnet_for(&self, message: &Message) -> Option<&Subnet> {
        let (giaddr, ciaddr) = (message.bootp.giaddr, message.bootp.ciaddr);
        let on = |ip: Ipv4Addr| self.config.subnets.iter().find(|it| it.contains(ip));
        match message.message_type() {
            // The address tells where the client is, also where it asks past its relay agent.
            Some(INFORM) => on(ciaddr),
            Some(REQUEST) if giaddr.is_unspecified() && !ciaddr.is_unspecified() => {
                on(ciaddr).or(self.config.subnets.first())
            }
            _ if giaddr.is_unspecified() => self.config.subnets.first(),
            _ => on(giaddr),
        }
    }

    /// The address kept for a client, by identifier, hardware address or circuit-id.
    fn reserved(&self, message: &Message) -> Option<Ipv4Addr> {
        let id = message.data(61);
        let circuit = message
            .data(82)
            .and_then(|it| Options::new(&it).find_code(1).map(<[u8]>::to_vec));
        let found = self.config.reservations.iter().find(|it| {
            id.as_deref() == Some(&it.client)
                || message.bootp.client_hardware() == it.client
                || circuit.as_deref() == Some(&it.client)
        });
        found.map(|it| it.ip)
    }

    /// RFC 2131 section 4.3.1: the client's own address, the one it asks for, or the first free one.
    fn pick(&self, message: &Message, key: &[u8], now: Time) -> Option<Ipv4Addr> {
        let subnet = self.subnet_for(message)?;
        if let Some(ip) = self.reserved(message) {
            return self.bindings.free_for(ip, key, now).then_some(ip);
        }
        if self.config.reserved_only {
            return None;
        }
        let (first, last) = subnet.pool;
        let taken = |ip: &Ipv4Addr| self.config.reservations.iter().any(|it| it.ip == *ip);
        let in_pool = |ip: &Ipv4Addr| (first..=last).contains(ip);
        let own = self.bindings.of(key, subnet);
        let asked = message.requested_ip().filter(in_pool);
        own.into_iter()
            .chain(asked)
            .find(|ip| self.bindings.free_for(*ip, key, now) && !taken(ip))
            .or_else(|| {
                (u32::from(first)..=u32::from(last))
                    .map(Ipv4Addr::from)
                    .find(|ip| self.bindings.free_for(*ip, key, now) && !taken(ip))
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
        let mut draft = following::draft(kind, frame, &who).ok()?;
        draft.ip.src = self.config.address;
        for (tag, own) in draft.tags.iter_mut().zip(&self.config.vlan) {
            tag.prio = own.prio;
        }
        draft.put(Assignment {
            code: 54,
            data: self.config.address.octets().to_vec(),
        });
        if message.message_type() == Some(INFORM) {
            // RFC 2131 section 4.3.5: straight to the client, whoever handed its message on.
            draft.bootp.giaddr = Ipv4Addr::UNSPECIFIED;
            draft.options.retain(|it| it.code != 82);
            draft.udp.dport = 68;
        }
        if kind != NAK {
            draft.bootp.yiaddr = ip.unwrap_or(Ipv4Addr::UNSPECIFIED);
            let delivery = Delivery::of(kind, &draft.bootp, message.bootp.ciaddr);
            draft.ip.dst = delivery.ip;
            if delivery.hardware == Hardware::Client {
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
            let mut extra: Vec<_> = subnet.options.iter().filter(wanted).cloned().collect();
            // RFC 2132 section 9.8: in the order of the list.
            extra.sort_by_key(|it| asked.iter().position(|code| *code == it.code));
            draft.options.splice(at..at, extra);
            if kind == ACK && message.message_type() == Some(DISCOVER) {
                // RFC 4039 section 4: a lease given at once says so.
                draft.options.insert(
                    1,
                    Assignment {
                        code: 80,
                        data: Vec::new(),
                    },
                );
            }
        }
        let dhcp = message.message_type().is_some();
        if dhcp && self.config.faults.contains(&Fault::Overload) {
            draft.overload = Some(Overload::Both);
        }
        Some(draft.frame())
    }

    /// When a lease given now ends.
    fn expiry(&self, now: Time) -> Time {
        now + Duration::from_secs(u64::from(self.config.lease))
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
            self.bindings.forget_offers(key);
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
        let renewal = server.is_none() && asked.is_none();
        if self.config.refuse || (renewal && self.config.faults.contains(&Fault::NakRenewal)) {
            return refuse;
        }
        let (first, last) = subnet.pool;
        let reserved = self.reserved(message);
        let ours = reserved.map_or((first..=last).contains(&wanted), |ip| ip == wanted);
        let free = ours && self.bindings.free_for(wanted, key, now);
        let known = self.bindings.of(key, &subnet);
        match server {
            Some(_) if free => {}
            // INIT-REBOOT and RENEWING of a client without a binding: silence.
            None if known.is_none() => return None,
            None if known == Some(wanted) && free => {}
            _ => return refuse,
        }
        let until = self.expiry(now);
        self.bindings.bind(wanted, key, until);
        Some((ACK, Some(wanted)))
    }

    fn answer(&mut self, now: Time, frame: &Frame, message: &Message) -> Option<(Frame, String)> {
        let key = client_key(message);
        // RFC 2131 section 4.2: a client has an identifier or a hardware address.
        if key.len() < 2 {
            return None;
        }
        let ours = message
            .server_id()
            .is_none_or(|ip| ip == self.config.address);
        let Some(kind) = message.message_type() else {
            return self.bootp(frame, message, &key, now);
        };
        match kind {
            DISCOVER => {
                let ip = self.pick(message, &key, now)?;
                self.bindings.keep(ip, &key, now);
                if self.config.rapid_commit && message.data(80).is_some() {
                    let until = self.expiry(now);
                    self.bindings.bind(ip, &key, until);
                    let reply = self.reply(ACK, frame, message, Some(ip))?;
                    return Some((reply, format!("ACK {ip}, rapid commit")));
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
                self.bindings.decline(ip, &key, now);
                None
            }
            RELEASE if ours => {
                self.bindings.release(message.bootp.ciaddr, &key);
                None
            }
            _ => None,
        }
    }
}

impl Server {
    /// The answer to a plain BOOTP request (RFC 1534 section 2): an address for ever.
    fn bootp(
        &mut self,
        frame: &Frame,
        message: &Message,
        key: &[u8],
        now: Time,
    ) -> Option<(Frame, String)> {
        if !self.config.bootp {
            return None;
        }
        let ip = self.pick(message, key, now)?;
        self.bindings.bind(ip, key, Time(u64::MAX));
        let mut reply = self.reply(ACK, frame, message, Some(ip))?;
        if let Some(dhcp) = reply.dhcp_mut() {
            // Nothing of DHCP's own: no type, no times, no server identifier.
            let kept = dhcp
                .iter()
                .filter(|it| !it.is_option() || !matches!(it.code, 51 | 53 | 54 | 58 | 59 | 61));
            dhcp.options = kept.flat_map(|it| it.raw).copied().collect();
            // Shorter again than relay agents take it.
            let room = template::MIN_MESSAGE - BOOTP_LEN - MAGIC_COOKIE.len();
            if dhcp.options.len() < room {
                dhcp.options.resize(room, PAD);
            }
        }
        Some((reply, format!("BOOTREPLY {ip}")))
    }

    /// Sends a reply, with everything done to it that the faults say.
    fn send(&mut self, now: Time, reply: Outgoing, out: &mut Outbox) {
        let note = reply.note;
        let mut all = vec![Spoiled {
            delay: self.config.think + reply.delay,
            frame: reply.frame,
            cut: None,
        }];
        for fault in &self.config.faults {
            let spoiled = all
                .into_iter()
                .flat_map(|it| fault.spoil(it, &mut self.chance));
            all = spoiled.collect();
        }
        let reorder = self.config.faults.contains(&Fault::Reorder);
        for it in all {
            let delay = it.delay;
            let frame = it.finish();
            self.odd = !self.odd;
            if reorder && self.odd && self.held.is_none() {
                self.held = Some((now + HELD, frame, format!("{note}, held back")));
                continue;
            }
            out.send_after(delay, frame, note.clone());
            if let Some((_, frame, note)) = self.held.take() {
                out.send_after(delay + Duration::from_millis(1), frame, note);
            }
        }
    }
}

/// The server at one moment, as its rules ask it.
struct Asked<'a> {
    server: &'a mut Server,
    now: Time,
}

impl Answering for Asked<'_> {
    fn own(&mut self, request: &Frame) -> Option<Frame> {
        let message = Message::of(request).filter(|it| it.bootp.op == 1)?;
        Some(self.server.answer(self.now, request, &message)?.0)
    }

    fn reply(&mut self, message_type: u8, request: &Frame) -> Option<Frame> {
        let (server, now) = (&mut *self.server, self.now);
        let message = Message::of(request).filter(|it| it.bootp.op == 1)?;
        let key = client_key(&message);
        let kind = message.message_type();
        let asked = message.requested_ip();
        let asked = asked.or(Some(message.bootp.ciaddr).filter(|ip| !ip.is_unspecified()));
        let ip = match message_type {
            OFFER => server.pick(&message, &key, now),
            ACK if kind == Some(DISCOVER) => server.pick(&message, &key, now),
            ACK if kind != Some(INFORM) => asked.or_else(|| server.pick(&message, &key, now)),
            _ => None,
        };
        if let Some(ip) = ip.filter(|ip| server.bindings.free_for(*ip, &key, now)) {
            match message_type {
                ACK => {
                    let until = server.expiry(now);
                    server.bindings.bind(ip, &key, until);
                }
                _ => server.bindings.keep(ip, &key, now),
            }
        }
        let gives = message_type == OFFER || (message_type == ACK && kind != Some(INFORM));
        let ip = ip.or(gives.then_some(Ipv4Addr::UNSPECIFIED));
        server.reply(message_type, request, &message, ip)
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
        if fault.is_some() || !(self.own.is_empty() || vlans(frame) == self.own) {
            return None;
        }
        if let Some((answer, note)) = self.host.answer(frame) {
            out.send(answer, note);
            return Some(Verdict::Part);
        }
        let message = Message::of(frame).filter(|it| it.bootp.op == 1)?;
        // RFC 1542 section 5.1: what goes to another port is none of a server's business.
        if frame.udp()?.dport != 67 {
            return None;
        }
        let dst = frame.ipv4()?.dst;
        if !dst.is_broadcast() && dst != self.config.address {
            return None;
        }
        let mut rules = self.rules.take();
        let ruled = rules
            .as_mut()
            .and_then(|it| it.answer(now, frame, &mut Asked { server: self, now }));
        self.rules = rules;
        match ruled {
            Some(replies) => {
                for it in replies {
                    self.send(now, it, out);
                }
            }
            None => {
                if let Some((frame, note)) = self.answer(now, frame, &message) {
                    let delay = Duration::ZERO;
                    self.send(now, Outgoing { frame, delay, note }, out);
                }
            }
        }
        Some(Verdict::Part)
    }

    fn wake(&mut self, now: Time, out: &mut Outbox) {
        if let Some((_, frame, note)) = self.held.take_if(|it| it.0 <= now) {
            out.send(frame, note);
        }
    }

    fn deadline(&self) -> Option<Time> {
        self.held.as_ref().map(|it| it.0)
    }
}
