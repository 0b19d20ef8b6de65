//! A server: pools, bindings, and the answers of RFC 2131 section 4.3.

mod allocation;
mod compose;
mod spoil;

use std::net::Ipv4Addr;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;

use super::binding::{Bindings, client_key};
use super::fault::Fault;
use super::host::Host;
use super::matching::{Verdict, length_fault, vlans};
use super::player::{Outbox, Outgoing, Player};
use super::rules::{Answering, Rules};
use super::server_config::ServerConfig;
use crate::dhcp::enums::{ACK, DECLINE, DISCOVER, INFORM, NAK, OFFER, RELEASE, REQUEST};
use crate::dhcp::{Message, timers};
use crate::link::Time;
use crate::wire::*;
use compose::Reply;

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
    pub fn new(mut config: ServerConfig, chance: ChaCha8Rng) -> Self {
        config.faults.sort_by_key(Fault::turn);
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

    /// When a lease of so many seconds that is given now ends. A fault that tells another time has it end then: what
    /// the client was told holds.
    fn expiry(&self, now: Time, lease: u32) -> Time {
        let told = |it: &Fault| match it {
            Fault::Lease(seconds) => Some(*seconds),
            _ => None,
        };
        match self
            .config
            .faults
            .iter()
            .rev()
            .find_map(told)
            .unwrap_or(lease)
        {
            timers::INFINITE => Time(u64::MAX),
            seconds => now + Duration::from_secs(seconds.into()),
        }
    }

    /// Why a message is not for this server: RFC 1542 section 5.1, and where it is addressed to.
    fn objection(&self, ip: &Ipv4, udp: &Udp) -> Option<String> {
        if udp.dport != SERVER_PORT {
            return Some(format!("it went to UDP port {}, not 67", udp.dport));
        }
        // Routers forward to all servers of a network by its broadcast address.
        let directed = || {
            self.config
                .subnets
                .iter()
                .any(|it| it.broadcast() == ip.dst)
        };
        let ours = ip.dst.is_broadcast() || self.goes_by(ip.dst) || directed();
        (!ours).then(|| format!("it is addressed to {}", ip.dst))
    }

    /// RFC 2131 section 4.3.2: ACK, NAK or nothing.
    fn request(
        &mut self,
        now: Time,
        message: &Message,
        key: &[u8],
    ) -> Result<(u8, Option<Ipv4Addr>), String> {
        let asked = message.requested_ip();
        let ciaddr = Some(message.bootp.ciaddr).filter(|ip| !ip.is_unspecified());
        let refuse = Ok((NAK, None));
        let subnet = self.subnet_for(message).cloned();
        let server = message.server_id();
        if let Some(chosen) = server.filter(|ip| !self.goes_by(*ip)) {
            // Another server was chosen: the address kept for this client is free again.
            self.bindings.forget_offers(key);
            return Err(format!("it chose {chosen}"));
        }
        // RFC 2131 section 4.3.2: of networks that it does not know it has no say, unless it was chosen.
        let subnet = match (server, subnet) {
            (None, Err(why)) => return Err(why),
            (_, subnet) => subnet.ok(),
        };
        let wanted = match server.is_some() || asked.is_some() {
            true => asked,
            false => ciaddr,
        };
        let wanted = wanted.ok_or("it names no address")?;
        let own = self.owns(wanted, message, key);
        let kept = self.kept_for(message);
        let subnet = subnet.filter(|it| it.contains(wanted));
        if self.config.refuse || self.refuses_renewal(message) {
            return refuse;
        }
        match (server, subnet) {
            _ if own => {}
            (Some(_), Some(subnet)) if self.may_have(wanted, &subnet, &kept, key, now) => {}
            // INIT-REBOOT and RENEWING of a client without a binding: silence.
            (None, Some(subnet)) if self.bindings.of(key, &subnet).is_none() => {
                return Err("it has no lease here".into());
            }
            _ => return refuse,
        }
        let until = self.expiry(now, self.config.lease);
        self.bindings.bind(wanted, key, until);
        Ok((ACK, Some(wanted)))
    }

    /// Whether the message is one to renew a lease, and a fault has that refused.
    fn refuses_renewal(&self, message: &Message) -> bool {
        let renewal = message.server_id().is_none() && message.requested_ip().is_none();
        renewal && self.config.faults.contains(&Fault::NakRenewal)
    }

    /// The reply to a message and what it is; or what there is to say in place of one.
    fn answer(
        &mut self,
        now: Time,
        frame: &Frame,
        message: &Message,
    ) -> Result<(Reply, String), String> {
        if let Some(said) = self.give_back(now, message) {
            return Err(said);
        }
        let reply = self.decide(now, frame, message);
        reply.map_err(|why| format!("not answered: {why}"))
    }

    /// The reply and what it is, or why there is none.
    fn decide(
        &mut self,
        now: Time,
        frame: &Frame,
        message: &Message,
    ) -> Result<(Reply, String), String> {
        let kind = message.message_type();
        if kind.is_some_and(|it| !matches!(it, DISCOVER | REQUEST | INFORM)) {
            return Err(format!(
                "this server does not answer {}",
                message.type_name()
            ));
        }
        let key = client_key(message);
        // RFC 2131 section 4.2: a client has an identifier or a hardware address.
        if key.len() < 2 {
            return Err("it has neither identifier nor hardware address".into());
        }
        match kind {
            None => self.bootp(frame, message, &key, now),
            Some(DISCOVER) => {
                let ip = self.pick(message, &key, now)?;
                self.bindings.keep(ip, &key, now);
                if self.config.rapid_commit && message.data(80).is_some() {
                    let until = self.expiry(now, self.config.lease);
                    self.bindings.bind(ip, &key, until);
                    let reply = self.reply(ACK, frame, message, Some(ip))?;
                    return Ok((reply, format!("ACK {ip}, rapid commit")));
                }
                let reply = self.reply(OFFER, frame, message, Some(ip))?;
                Ok((reply, format!("OFFER {ip}")))
            }
            Some(REQUEST) => {
                let (kind, ip) = self.request(now, message, &key)?;
                let note = match ip {
                    Some(ip) => format!("ACK {ip}"),
                    None if self.refuses_renewal(message) => {
                        format!("NAK, with {}", Fault::NakRenewal.name())
                    }
                    None => "NAK".to_string(),
                };
                Ok((self.reply(kind, frame, message, ip)?, note))
            }
            Some(_) => Ok((self.reply(ACK, frame, message, None)?, "ACK".into())),
        }
    }

    /// Takes an address back or sets it aside; says what became of it. `None` for a message that does neither.
    fn give_back(&mut self, now: Time, message: &Message) -> Option<String> {
        let key = client_key(message);
        let (declined, ip) = match message.message_type()? {
            DECLINE => (true, message.requested_ip()),
            RELEASE => (false, Some(message.bootp.ciaddr)),
            _ => return None,
        };
        let theirs = message.server_id().filter(|ip| !self.goes_by(*ip));
        Some(match (theirs, ip) {
            (Some(server), _) => format!("for {server}"),
            (_, Some(ip)) if self.bindings.holds(ip, &key) => {
                if declined {
                    self.bindings.decline(ip, &key, now);
                    format!("{ip} set aside for 1h")
                } else {
                    self.bindings.release(ip, &key);
                    format!("{ip} is free again")
                }
            }
            _ => "not its address".into(),
        })
    }

    /// What rules give is the client's, whatever pool it is of: an address offered is kept for it, one that it has
    /// an ACK for is bound for as long as the ACK says.
    fn book(&mut self, now: Time, message: &Message, replies: &[Outgoing]) {
        let key = client_key(message);
        for reply in replies.iter().filter_map(|it| Message::of(&it.frame)) {
            let ip = reply.bootp.yiaddr;
            if ip.is_unspecified() || !self.bindings.free_for(ip, &key, now) {
                continue;
            }
            match reply.message_type() {
                Some(OFFER) => self.bindings.keep(ip, &key, now),
                Some(ACK) => {
                    let lease = reply.lease_time().unwrap_or(self.config.lease);
                    let until = self.expiry(now, lease);
                    self.bindings.bind(ip, &key, until);
                }
                _ => {}
            }
        }
    }
}

/// The server at one moment, as its rules ask it.
struct Asked<'a> {
    server: &'a mut Server,
    now: Time,
    /// Why it had no answer of its own.
    silence: Option<String>,
}

impl Answering for Asked<'_> {
    fn own(&mut self, request: &Frame) -> Option<Frame> {
        let message = Message::of(request).filter(|it| it.bootp.op == 1)?;
        match self.server.answer(self.now, request, &message) {
            Ok((reply, _)) => Some(reply.frame),
            Err(why) => {
                self.silence = Some(why);
                None
            }
        }
    }

    fn reply(&mut self, message_type: u8, request: &Frame) -> Option<Frame> {
        let (server, now) = (&mut *self.server, self.now);
        let message = Message::of(request).filter(|it| it.bootp.op == 1)?;
        let key = client_key(&message);
        let kind = message.message_type();
        let asked = message.requested_ip();
        let asked = asked.or(Some(message.bootp.ciaddr).filter(|ip| !ip.is_unspecified()));
        let pick = || server.pick(&message, &key, now).ok();
        let ip = match message_type {
            OFFER => pick(),
            ACK if kind == Some(DISCOVER) => pick(),
            ACK if kind != Some(INFORM) => asked.or_else(pick),
            _ => None,
        };
        let gives = message_type == OFFER || (message_type == ACK && kind != Some(INFORM));
        let ip = ip.or(gives.then_some(Ipv4Addr::UNSPECIFIED));
        let reply = server.reply(message_type, request, &message, ip);
        reply.ok().map(|it| it.frame)
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
        if !(self.own.is_empty() || vlans(frame) == self.own) {
            return None;
        }
        // Of a message that did not come whole nobody knows what it says.
        let short = length_fault(frame);
        let fault = fault.or(short.as_deref());
        if let (None, Some((answer, note))) = (fault, self.host.answer(frame)) {
            out.send(answer, note);
            return Some(Verdict::Part);
        }
        let message = Message::of(frame)?;
        match self.objection(frame.ipv4()?, frame.udp()?) {
            // What servers and relay agents say to others is none of its business.
            Some(_) if message.bootp.op != 1 => return None,
            Some(reason) => return Some(Verdict::Stray(reason)),
            None => {}
        }
        if let Some(fault) = fault {
            return Some(Verdict::Stray(fault.to_string()));
        }
        if message.bootp.op != 1 {
            let reason = format!("op {} is none of a client's", message.bootp.op);
            return Some(Verdict::Stray(reason));
        }
        let mut rules = self.rules.take();
        let mut asked = Asked {
            server: self,
            now,
            silence: None,
        };
        let ruled = rules.as_mut();
        let ruled = ruled.and_then(|it| it.answer(now, frame, &mut asked));
        let silence = asked.silence;
        let said = rules.as_mut().and_then(|it| it.remark());
        self.rules = rules;
        let replies = match ruled {
            Some(replies) => {
                self.book(now, &message, &replies);
                if replies.is_empty() {
                    let by_rule = || Some("not answered: by a rule".into());
                    out.remark = said.or(silence).or_else(by_rule);
                }
                replies
            }
            None => match self.answer(now, frame, &message) {
                Ok((reply, note)) => {
                    out.remark = reply.lacks();
                    let lacks = out.remark.as_ref();
                    vec![Outgoing {
                        note: lacks.map_or(note.clone(), |it| format!("{note}, {it}")),
                        delay: Duration::ZERO,
                        frame: reply.frame,
                    }]
                }
                Err(said) => {
                    out.remark = Some(said);
                    Vec::new()
                }
            },
        };
        if !replies.is_empty() {
            let mut sent = false;
            for it in replies {
                sent |= self.send(now, it, out);
            }
            if !sent {
                out.remark = Some("not answered: lost on purpose".into());
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
