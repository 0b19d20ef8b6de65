//! A relay agent between the link of its clients and that of the servers (RFC 1542 section 4.1, RFC 3046
//! sections 2.1 and 2.1.1).

use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use super::host::Host;
use super::matching::{Verdict, vlan_name, vlans};
use super::player::Outbox;
use crate::dhcp::Message;
use crate::dhcp::relay::{Agent, has_info};
use crate::link::Time;
use crate::wire::*;

/// Which of a relay agent's two links.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Where the clients are.
    Clients,
    /// Where the servers are, or the next relay agent.
    Servers,
}

/// What a relay agent wants sent on each of its links.
#[derive(Debug, Default)]
pub struct Both {
    /// To the clients.
    pub clients: Outbox,
    /// To the servers.
    pub servers: Outbox,
}

/// Makes the data of option 82 for a client's message; empty for no option.
pub type MakeInfo = Rc<dyn Fn(&Frame) -> Vec<u8>>;

/// How a relay agent is set up.
#[derive(Clone)]
pub struct RelayConfig {
    /// Its address among the clients: the giaddr that it gives.
    pub address: Ipv4Addr,
    /// Its MAC address there.
    pub mac: MacAddr,
    /// The VLAN of the clients, as tags, outermost first; none for their link as it is.
    pub vlan: Vec<Dot1Q>,
    /// Its address among the servers.
    pub upstream: Ipv4Addr,
    /// Its MAC address there.
    pub upstream_mac: MacAddr,
    /// The servers, each with the address on the link that leads to it: its own, or a router's.
    pub servers: Vec<(Ipv4Addr, Ipv4Addr)>,
    /// Makes option 82; `None` leaves the option alone in both directions.
    pub info: Option<MakeInfo>,
    /// The largest `hops` of a message that is passed on.
    pub hops: u8,
}

/// The default of [`RelayConfig::hops`] (RFC 1542 section 4.1.1).
pub const HOPS: u8 = 4;

/// A server, and how it is reached.
struct Upstream {
    server: Ipv4Addr,
    via: Ipv4Addr,
    /// Where that is, and since when it is known.
    mac: Option<(MacAddr, Time)>,
    /// When ARP asked last, and how often in vain.
    asked: Option<(Time, u32)>,
    /// Messages that wait for ARP's answer.
    waiting: VecDeque<(Frame, String)>,
}

/// Messages that wait for ARP at most; older ones are lost, as in any queue that is full.
const WAITING: usize = 64;
/// How long ARP's answer holds, and how long and how often it is waited for.
const KNOWN: Duration = Duration::from_secs(60);
const ARP_WAIT: Duration = Duration::from_secs(1);
const ARP_TRIES: u32 = 3;
/// The largest untagged frame: Ethernet's header and 1500 bytes.
const LARGEST: usize = 14 + 1500;

/// A relay agent as a sans-I/O player with two sides.
pub struct Relay {
    config: RelayConfig,
    /// The clients' VLAN in numbers.
    own: Vec<u16>,
    clients: Host,
    servers: Host,
    upstream: Vec<Upstream>,
}

impl Relay {
    /// A relay agent that knows nobody yet.
    pub fn new(config: RelayConfig) -> Relay {
        let upstream = config.servers.iter().map(|(server, via)| Upstream {
            server: *server,
            via: *via,
            mac: None,
            asked: None,
            waiting: VecDeque::new(),
        });
        let own: Vec<u16> = config.vlan.iter().map(|it| it.vlan).collect();
        let own: Vec<u16> = own.into_iter().filter(|id| *id != 0).collect();
        let mut servers = Host::new(config.upstream, config.upstream_mac).on(Vec::new());
        // A server that takes giaddr for a neighbour finds it too.
        servers.add(config.address, config.upstream_mac);
        Relay {
            upstream: upstream.collect(),
            clients: Host::new(config.address, config.mac).on(own.clone()),
            own,
            servers,
            config,
        }
    }

    /// How it is set up.
    pub fn config(&self) -> &RelayConfig {
        &self.config
    }

    /// A frame arrived on one side. Says what it is to the agent, `None` when it is none of its business; of a
    /// message that it does not pass on, why.
    pub fn receive(
        &mut self,
        side: Side,
        now: Time,
        frame: &Frame,
        fault: Option<&str>,
        out: &mut Both,
    ) -> Option<Verdict> {
        if side == Side::Servers && self.learn(now, frame, out) {
            return Some(Verdict::Part);
        }
        let (host, back) = match side {
            Side::Clients => (&self.clients, &mut out.clients),
            Side::Servers => (&self.servers, &mut out.servers),
        };
        if let Some((answer, note)) = host.answer(frame) {
            back.send(answer, note);
            return Some(Verdict::Part);
        }
        let message = Message::of(frame)?;
        let (ip, udp) = (frame.ipv4()?, frame.udp()?);
        if udp.dport != SERVER_PORT {
            return None;
        }
        // What is addressed to others, the router between the links passes on, and no relay agent.
        let ours = match side {
            Side::Clients => ip.dst.is_broadcast() || ip.dst == self.config.address,
            Side::Servers => self.owns(ip.dst),
        };
        if !ours {
            return None;
        }
        let on = vlans(frame);
        match side {
            Side::Clients if on == self.own => {}
            // On a trunk there are others, and they are none of its business.
            Side::Clients if !self.own.is_empty() => return None,
            Side::Servers if on.is_empty() => {}
            _ => return Some(Verdict::Stray(format!("it came on {}", vlan_name(&on)))),
        }
        if let Some(fault) = fault {
            return Some(Verdict::Stray(fault.to_string()));
        }
        let objection = match side {
            Side::Clients => self.objects_to_request(&message, frame),
            Side::Servers => self.objects_to_reply(&message),
        };
        if let Some(reason) = objection {
            return Some(Verdict::Stray(reason));
        }
        match side {
            Side::Clients => self.forward(now, frame, out),
            Side::Servers => self.deliver(frame, out),
        }
        Some(Verdict::Part)
    }

    fn owns(&self, ip: Ipv4Addr) -> bool {
        [self.config.address, self.config.upstream].contains(&ip)
    }

    /// Why a message from the clients' side is not passed on.
    fn objects_to_request(&self, message: &Message, frame: &Frame) -> Option<String> {
        let bootp = message.bootp;
        let stream = frame.dhcp().map(|it| it.options.as_slice());
        match () {
            _ if bootp.op != 1 => Some("a reply on the clients' side".into()),
            _ if bootp.hops > self.config.hops => Some(format!(
                "hops {} is more than {}",
                bootp.hops, self.config.hops
            )),
            _ if self.owns(bootp.giaddr) => Some(format!(
                "giaddr {} is this relay agent's own (RFC 3046 2.1.1)",
                bootp.giaddr
            )),
            _ if bootp.giaddr.is_unspecified()
                && self.config.info.is_some()
                && stream.is_some_and(has_info) =>
            {
                Some("option 82 of a client that is not trusted (RFC 3046 2.1)".into())
            }
            _ => None,
        }
    }

    /// Why a message from the servers' side is not passed on.
    fn objects_to_reply(&self, message: &Message) -> Option<String> {
        let bootp = message.bootp;
        match () {
            _ if bootp.op != 2 => Some("a request on the servers' side".into()),
            _ if bootp.giaddr != self.config.address => {
                Some(format!("giaddr {} is another agent's", bootp.giaddr))
            }
            _ => None,
        }
    }

    /// Passes a client's message on to every server.
    fn forward(&mut self, now: Time, frame: &Frame, out: &mut Both) {
        let info = self.config.info.as_ref();
        let info = info.map(|it| it(frame)).unwrap_or_default();
        let passed = |info: Vec<u8>| {
            let mut passed = untagged(frame);
            let agent = Agent {
                address: self.config.address,
                info,
            };
            agent.forward(&mut passed);
            if let Some(ip) = passed.ipv4_mut() {
                ip.src = self.config.upstream;
            }
            passed
        };
        let mut whole = passed(info);
        // RFC 3046 section 2.1: a message that the option would make too long goes without it.
        if whole.encode().len() > LARGEST {
            whole = passed(Vec::new());
        }
        let name = Message::of(frame).map(|it| it.type_name().into_owned());
        let note = format!("{}, relayed", name.unwrap_or_default());
        for it in &mut self.upstream {
            let mut copy = whole.clone();
            if let Some(ip) = copy.ipv4_mut() {
                ip.dst = it.server;
            }
            if let Some(ether) = copy.ether_mut() {
                ether.src = self.config.upstream_mac;
            }
            let stale = it.mac.is_none_or(|(_, since)| now - since > KNOWN);
            if stale && it.asked.is_none_or(|(at, _)| now - at > ARP_WAIT) {
                it.ask(now, &self.config, out);
            }
            match it.mac {
                Some((mac, _)) => it.send(copy, note.clone(), mac, out),
                None => {
                    if it.waiting.len() >= WAITING {
                        it.waiting.pop_front();
                    }
                    it.waiting.push_back((copy, note.clone()));
                }
            }
        }
    }

    /// Hands a server's reply to its client.
    fn deliver(&self, frame: &Frame, out: &mut Both) {
        let mut reply = untagged(frame);
        let agent = Agent {
            address: self.config.address,
            info: Vec::new(),
        };
        agent.deliver(&mut reply, self.config.info.is_some());
        let tags = self.config.vlan.iter().cloned().map(Layer::from);
        reply.layers.splice(1..1, tags);
        if let Some(ether) = reply.ether_mut() {
            ether.src = self.config.mac;
        }
        let name = Message::of(frame).map(|it| it.type_name().into_owned());
        let note = format!("{}, handed to its client", name.unwrap_or_default());
        out.clients.send(reply, note);
    }

    /// Takes from ARP's answer where the servers are, and sends what waited for it; whether it was one.
    fn learn(&mut self, now: Time, frame: &Frame, out: &mut Both) -> bool {
        let Some((ip, mac)) = frame
            .arp()
            .filter(|it| it.op == 2 && vlans(frame).is_empty())
            .and_then(|it| Some((it.sender_ip()?, it.sender_mac()?)))
        else {
            return false;
        };
        let mut ours = false;
        for it in self.upstream.iter_mut().filter(|it| it.via == ip) {
            ours = true;
            it.mac = Some((mac, now));
            it.asked = None;
            for (frame, note) in std::mem::take(&mut it.waiting) {
                it.send(frame, note, mac, out);
            }
        }
        ours
    }

    /// The deadline has come: ARP is asked again.
    pub fn wake(&mut self, now: Time, out: &mut Both) {
        for it in &mut self.upstream {
            if it.due().is_some_and(|at| at <= now) {
                it.ask(now, &self.config, out);
            }
        }
    }

    /// When it wants to be woken.
    pub fn deadline(&self) -> Option<Time> {
        self.upstream.iter().filter_map(Upstream::due).min()
    }
}

impl Upstream {
    /// When ARP is asked again for messages that wait.
    fn due(&self) -> Option<Time> {
        let (at, times) = self.asked?;
        (!self.waiting.is_empty() && times < ARP_TRIES).then(|| at + ARP_WAIT)
    }

    fn ask(&mut self, now: Time, config: &RelayConfig, out: &mut Both) {
        let ether = Ether {
            src: config.upstream_mac,
            ..Ether::default()
        };
        let arp = Arp::request(config.upstream_mac, config.upstream, self.via);
        let frame = Frame::new(vec![ether.into(), arp.into()]);
        out.servers
            .send(frame, format!("ARP: who has {}?", self.via));
        // A new round begins where the last one ended in vain.
        let times = self.asked.map_or(0, |(_, times)| times % ARP_TRIES);
        self.asked = Some((now, times + 1));
    }

    fn send(&self, mut frame: Frame, note: String, mac: MacAddr, out: &mut Both) {
        if let Some(ether) = frame.ether_mut() {
            ether.dst = mac;
        }
        out.servers
            .send(frame, format!("{note} to {}", self.server));
    }
}

/// The frame without VLAN tags, which are each link's own.
fn untagged(frame: &Frame) -> Frame {
    let mut frame = frame.clone();
    frame.layers.retain(|it| !matches!(it, Layer::Dot1Q(_)));
    if let Some(ether) = frame.ether_mut() {
        ether.ethertype = Auto::Unset;
    }
    frame
}
