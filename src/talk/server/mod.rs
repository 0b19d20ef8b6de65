//! A server: pools, bindings, and the answers of RFC 2131 section 4.3.

mod allocation;
mod compose;

use std::net::Ipv4Addr;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;

use super::binding::{Bindings, client_key};
use super::fault::{Fault, Spoiled};
use super::host::Host;
use super::matching::{Verdict, vlans};
use super::player::{Outbox, Outgoing, Player};
use super::rules::{Answering, Rules};
use super::server_config::ServerConfig;
use crate::dhcp::Message;
use crate::dhcp::enums::{ACK, DECLINE, DISCOVER, INFORM, NAK, OFFER, RELEASE, REQUEST};
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
        let own = self.owns(wanted, message, key);
        let subnet = subnet.filter(|it| it.contains(wanted));
        let renewal = server.is_none() && asked.is_none();
        if self.config.refuse || (renewal && self.config.faults.contains(&Fault::NakRenewal)) {
            return refuse;
        }
        match (server, subnet) {
            _ if own => {}
            (Some(_), Some(subnet)) if self.may_have(wanted, &subnet, message, key, now) => {}
            // INIT-REBOOT and RENEWING of a client without a binding: silence.
            (None, Some(subnet)) if self.bindings.of(key, &subnet).is_none() => return None,
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
