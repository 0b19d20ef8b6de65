//! What passed on a link, in bounded memory: of each class the first frames, the last one, and how many
//! there were.

use std::collections::BTreeMap;

use super::own::{self, Flaw};
use super::sight::{Digest, Sight};
use crate::dhcp::Message;
use crate::link::{Health, Received};
use crate::talk::{Event, Verdict, checksum_fault, vlans};
use crate::wire::{Auto, BOOTP_LEN, CLIENT_PORT, Frame, Layer, MAGIC_COOKIE, MacAddr, SERVER_PORT};

/// What a frame was to the exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// A message of ours, as a client or a relay agent.
    Asked,
    /// One of these that never left, on purpose.
    Lost,
    /// One of these that servers drop for something set in it.
    Own(Flaw),
    /// An ARP request of ours.
    Sought,
    /// A reply that was taken.
    Answer,
    /// The same reply once more.
    Again,
    /// A reply that `--where` does not hold for.
    Excluded,
    /// A reply with a wrong checksum.
    Damaged,
    /// A reply that did not arrive whole.
    Cut,
    /// A reply on another VLAN.
    OtherVlan,
    /// A reply to our xid for another client.
    OtherClient,
    /// A reply for our client under another xid.
    OtherXid,
    /// A reply to our xid on ports where nobody listens.
    OtherPort,
    /// A reply of another server than the one asked.
    OtherServer,
    /// A reply that nothing of ours asks for.
    Unasked,
    /// A reply to another client.
    Foreign,
    /// A request of another client.
    Request,
    /// A message of ours that a relay agent passes on.
    Relayed,
    /// The answer to an ARP request of ours, or a claim on an address of ours.
    Located,
    /// An ARP request that we answered.
    Served,
    /// Another ARP request.
    Seeking,
    /// Another ARP reply.
    Arp,
    /// A ping for an address of ours.
    Ping,
    /// ICMP "unreachable".
    Unreachable,
    /// Anything else.
    Other,
}
/// Frames of a class.
#[derive(Clone, Debug, Default)]
struct Group {
    count: u64,
    /// The first ones and the last one.
    sights: Vec<Sight>,
}

/// Frames kept of a class, and transactions of ours that are known again.
const KEPT: usize = 24;
const TRANSACTIONS: usize = 4096;

/// How often messages had to be sent until they were answered, where many clients tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Loss {
    /// Messages that were answered.
    pub answered: u64,
    /// How often these were sent.
    pub sent: u64,
    /// The clients.
    pub clients: u64,
}

impl Loss {
    /// The same among so many clients.
    pub fn among(self, clients: usize) -> Loss {
        Loss {
            clients: clients as u64,
            ..self
        }
    }

    /// Whether a message that was sent so often may well have been lost each time, for one client of them all.
    pub fn explains(self, tries: u64) -> bool {
        /// How many clients are to be expected to be so unlucky.
        const ENOUGH: f64 = 0.05;
        if self.sent == 0 {
            return false;
        }
        let share = 1.0 - self.answered as f64 / self.sent as f64;
        let tries = i32::try_from(tries).unwrap_or(i32::MAX);
        share.powi(tries) * self.clients as f64 >= ENOUGH
    }
}

/// What passed on a link.
#[derive(Clone, Debug)]
pub struct Evidence {
    groups: BTreeMap<Class, Group>,
    /// Frames kept of a class at most.
    room: usize,
    /// Our transactions: the client and the VLANs asked on.
    own: BTreeMap<u32, (Vec<u8>, Vec<u16>)>,
    /// Frames received.
    pub received: u64,
    /// What the link knows of itself.
    pub health: Health,
    /// What other clients tell of losses.
    pub loss: Loss,
}

impl Default for Evidence {
    fn default() -> Self {
        Evidence::keeping(KEPT)
    }
}

impl Evidence {
    /// Evidence that keeps so many frames of a class, the first ones and the last one.
    pub fn keeping(room: usize) -> Self {
        Evidence {
            groups: BTreeMap::new(),
            room,
            own: BTreeMap::new(),
            received: 0,
            health: Health::default(),
            loss: Loss::default(),
        }
    }

    /// The evidence of one of many clients, of its own frames, amid that of the others: to it what they are
    /// answered is a foreign reply. `rest` is of frames that are nobody's of them, `all` of the whole run.
    pub fn amid(&self, rest: &Evidence, all: &Evidence, client: MacAddr) -> Evidence {
        let mut whole = Evidence {
            received: all.received,
            health: all.health,
            ..self.clone()
        };
        for (class, group) in &rest.groups {
            whole.add(*class, group.count, &group.sights);
        }
        let client = client.octets();
        let answers = all.messages(Class::Answer);
        let foreign = answers.filter(|it| it.1.chaddr != client);
        let foreign: Vec<Sight> = foreign.map(|it| it.0.clone()).collect();
        let count =
            all.count(Class::Answer) - self.count(Class::Answer).min(all.count(Class::Answer));
        if !foreign.is_empty() {
            whole.add(Class::Foreign, count, &foreign);
        }
        whole
    }

    fn add(&mut self, class: Class, count: u64, sights: &[Sight]) {
        let group = self.groups.entry(class).or_default();
        group.count += count;
        group.sights.extend_from_slice(sights);
        group.sights.sort_by_key(|it| it.number);
    }

    /// Takes note of an event, the frame with this number in the run.
    pub fn saw(&mut self, number: u64, event: &Event) {
        match event {
            Event::Sent {
                frame, bytes, fate, ..
            } => self.sent(number, frame, bytes, fate.is_some()),
            Event::Received {
                received,
                frame,
                verdict,
                fault,
                ..
            } => {
                self.received += 1;
                let (class, reason) =
                    self.class(received, frame, verdict.as_ref(), fault.is_some());
                let sight = Sight {
                    reason,
                    ..Sight::of(number, frame)
                };
                self.keep(class, sight);
            }
        }
    }

    fn sent(&mut self, number: u64, frame: &Frame, bytes: &[u8], lost: bool) {
        let mut sight = Sight::of(number, frame);
        let Some(whole) = own::message(frame, bytes) else {
            if frame.arp().is_some_and(|it| it.op == 1) {
                self.keep(Class::Sought, sight);
            }
            return;
        };
        sight.message = Message::of(&whole).map(|it| Digest::of(&it));
        if let Some(bootp) = whole.bootp()
            && self.own.len() < TRANSACTIONS
        {
            let client = bootp.client_hardware().to_vec();
            self.own.insert(bootp.xid, (client, sight.vlans.clone()));
        }
        for (flaw, reason) in own::flaws(frame, bytes, &whole) {
            let sight = Sight {
                reason,
                ..sight.clone()
            };
            self.keep(Class::Own(flaw), sight);
        }
        if lost {
            self.keep(Class::Lost, sight.clone());
        }
        self.keep(Class::Asked, sight);
    }

    fn keep(&mut self, class: Class, sight: Sight) {
        let group = self.groups.entry(class).or_default();
        group.count += 1;
        if group.sights.len() < self.room {
            group.sights.push(sight);
        } else if let Some(last) = group.sights.last_mut() {
            *last = sight;
        }
    }

    /// What a received frame is, and why it was not taken.
    fn class(
        &self,
        received: &Received,
        frame: &Frame,
        verdict: Option<&Verdict>,
        fault: bool,
    ) -> (Class, String) {
        let taken = verdict == Some(&Verdict::Part);
        let none = String::new();
        if let Some(arp) = frame.arp() {
            let class = match (arp.op, taken) {
                (1, true) if arp.sender_ip().is_some_and(|it| it.is_unspecified()) => {
                    Class::Located
                }
                (1, true) => Class::Served,
                (1, false) => Class::Seeking,
                (_, true) => Class::Located,
                (_, false) => Class::Arp,
            };
            return (class, none);
        }
        if let Some(icmp) = frame.icmp() {
            let class = match icmp.kind {
                3 => Class::Unreachable,
                8 if taken => Class::Ping,
                _ => Class::Other,
            };
            return (class, none);
        }
        let short = shortage(received, frame);
        let Some(bootp) = frame.bootp() else {
            return match short {
                Some(short) if may_be_reply(frame) => (Class::Cut, short),
                _ if self.hides_reply(frame) => (Class::OtherPort, none),
                _ => (Class::Other, none),
            };
        };
        let own = self.own.get(&bootp.xid);
        if bootp.op == 1 {
            return match own {
                Some(_) if !bootp.giaddr.is_unspecified() => (Class::Relayed, none),
                Some(_) => (Class::Other, none),
                None => (Class::Request, none),
            };
        }
        let reason = match verdict {
            Some(Verdict::Part) => return (Class::Answer, none),
            Some(Verdict::Duplicate) => return (Class::Again, none),
            Some(Verdict::Stray(reason)) => reason.clone(),
            None => none,
        };
        let client = bootp.client_hardware();
        let class = match own {
            None if self.own.values().any(|it| it.0 == client) => Class::OtherXid,
            None => Class::Foreign,
            Some((asked, _)) if asked != client => Class::OtherClient,
            Some((_, asked)) if *asked != vlans(frame) => Class::OtherVlan,
            Some(_) if fault => {
                match (short, checksum_fault(frame, received.checksum_unfinished)) {
                    (Some(short), Some(_)) => return (Class::Cut, short),
                    (None, Some(_)) => Class::Damaged,
                    (_, None) => Class::Excluded,
                }
            }
            Some(_) if self.of_another_server(frame) => Class::OtherServer,
            Some(_) => Class::Unasked,
        };
        (class, reason)
    }

    /// Whether a reply comes from another server than the last REQUEST names.
    fn of_another_server(&self, frame: &Frame) -> bool {
        let from = Message::of(frame).and_then(|it| it.server_id());
        let asked = self.question().and_then(|it| it.server);
        asked.is_some() && from.is_some() && asked != from
    }

    /// Whether a frame between ports that are no DHCP ports holds a reply to us.
    fn hides_reply(&self, frame: &Frame) -> bool {
        let (Some(_), Some(bytes)) = (frame.udp(), frame.raw()) else {
            return false;
        };
        let xid = bytes.get(4..8).and_then(|it| it.first_chunk::<4>());
        let ours = xid.is_some_and(|it| self.own.contains_key(&u32::from_be_bytes(*it)));
        let cookie = bytes.get(BOOTP_LEN..BOOTP_LEN + MAGIC_COOKIE.len());
        ours && bytes.first() == Some(&2) && cookie == Some(&MAGIC_COOKIE[..])
    }

    /// The frames kept of a class: the first ones and the last one.
    pub fn all(&self, class: Class) -> &[Sight] {
        self.groups.get(&class).map_or(&[], |it| &it.sights)
    }

    /// Every frame kept of those that arrived.
    pub fn arrived(&self) -> impl Iterator<Item = &Sight> {
        let ours = |it: &Class| {
            matches!(
                it,
                Class::Asked | Class::Lost | Class::Own(_) | Class::Sought
            )
        };
        let all = self.groups.iter().filter(move |it| !ours(it.0));
        all.flat_map(|it| &it.1.sights)
    }

    /// How many frames of a class there were.
    pub fn count(&self, class: Class) -> u64 {
        self.groups.get(&class).map_or(0, |it| it.count)
    }

    /// How many replies came, whoever they are for and whatever is wrong with them.
    pub fn received_replies(&self) -> u64 {
        let all = [
            Class::Answer,
            Class::Again,
            Class::Excluded,
            Class::Damaged,
            Class::Cut,
            Class::OtherVlan,
            Class::OtherClient,
            Class::OtherXid,
            Class::OtherPort,
            Class::OtherServer,
            Class::Unasked,
            Class::Foreign,
        ];
        all.into_iter().map(|it| self.count(it)).sum()
    }

    /// Every message of a class that was kept, with its frame.
    pub fn messages(&self, class: Class) -> impl DoubleEndedIterator<Item = (&Sight, &Digest)> {
        let all = self.all(class).iter();
        all.filter_map(|it| Some((it, it.message.as_ref()?)))
    }

    /// The message that we sent last.
    pub fn question(&self) -> Option<&Digest> {
        self.messages(Class::Asked).next_back().map(|it| it.1)
    }
}

/// What is missing of a frame, by the length in its IP header or by what the capture says.
fn shortage(received: &Received, frame: &Frame) -> Option<String> {
    let there = received.bytes.len();
    if received.original_len > there {
        return Some(format!(
            "{there} of {} bytes are there",
            received.original_len
        ));
    }
    let wanted = frame
        .with_offsets()
        .find_map(|(offset, layer)| match layer {
            Layer::Ipv4(ip) => match ip.len {
                Auto::Set(len) => Some(offset + usize::from(len)),
                Auto::Unset => None,
            },
            _ => None,
        });
    match wanted {
        Some(wanted) if wanted > there => Some(format!("{there} of {wanted} bytes arrived")),
        Some(_) => None,
        // Not even an IP header.
        None if is_ip(frame) => Some(format!("{there} bytes arrived")),
        None => None,
    }
}

fn is_ip(frame: &Frame) -> bool {
    let ethertype = frame.ether().map(|it| it.ethertype);
    ethertype == Some(Auto::Set(crate::wire::ETHERTYPE_IPV4))
}

/// Whether a frame without a message looks like what is left of a reply.
fn may_be_reply(frame: &Frame) -> bool {
    match frame.udp() {
        Some(udp) => udp.sport == SERVER_PORT || udp.dport == CLIENT_PORT,
        None => frame.ipv4().is_none_or(|it| it.frag == 0),
    }
}
