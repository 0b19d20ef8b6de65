//! Where a check asks the server: the open link, the addresses that this side plays, what the server
//! gave and has to get back, and what the check under way found.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Duration;

use super::desk::Desk;
use super::held::{Held, wanted};
use super::overheard::{Clients, Overhearing};
use crate::commands::outcome::{Direction, Entry};
use crate::commands::session::Session;
use crate::commands::{Error, args::LinkArgs};
use crate::dhcp::Message;
use crate::dhcp::enums::{ACK, DECLINE, OFFER, RELEASE};
use crate::link::Time;
use crate::talk::{Asker, AskerConfig, Host, Verdict};
use crate::wire::{Frame, MacAddr};

/// Shortest wait for an answer, and how much longer than the slowest answer so far a wait is at most.
const FLOOR: Duration = Duration::from_millis(150);
const CEILING: Duration = Duration::from_secs(1);

/// What a wait on a real clock may cost a check.
const PATIENCE: Duration = Duration::from_secs(3);

/// How often it is looked whether an address is free again, and the time between.
const LOOKS: u32 = 4;
const BETWEEN: Duration = Duration::from_millis(300);

/// How often what brings no answer is sent where the link loses frames.
const REPEATED: u32 = 6;

/// What was heard after a question.
#[derive(Default)]
pub struct Heard {
    /// Answers that belong to it.
    pub replies: Vec<Entry>,
    /// What only looks like an answer, with the reason.
    pub strays: Vec<Entry>,
    /// Addresses that the server looked for with ARP.
    pub sought: Vec<Ipv4Addr>,
}

/// A transaction of the check under way, by its xid and client: two clients may have the same xid.
type Transaction = (u32, MacAddr);

/// When the messages of a transaction were sent.
struct Asked {
    first: Time,
    last: Time,
    /// How often without an answer.
    unanswered: u32,
}

/// Answered messages, and of them those whose answer came only when they had been sent again.
#[derive(Default)]
struct Late {
    answered: u32,
    /// At once then: the first message, or its answer, was lost.
    prompt: u32,
    /// At any time: the server is slow.
    slow: u32,
}

/// The place where checks ask.
pub struct ServerBench {
    /// The link, and the check under way.
    pub desk: Desk,
    timeout: Duration,
    /// The server asked, once it is known.
    pub server: Option<MacAddr>,
    /// Addresses that this side answers for beside the leased ones, and whether beyond the check under way.
    pub own: Vec<(Ipv4Addr, MacAddr, bool)>,
    held: Vec<Held>,
    /// Everybody who was played.
    clients: Clients,
    /// Whether a question is out whose answers were not waited for.
    unheard: bool,
    /// Whether the server is known to offer the address asked for.
    hints: bool,
    /// Addresses given back of which it is not certain that the server takes them.
    uncertain: BTreeSet<Ipv4Addr>,
    /// Addresses declined so far.
    pub declined: BTreeSet<Ipv4Addr>,
    /// Addresses that nobody held, and for which this side answered a probe.
    pub in_use: BTreeSet<Ipv4Addr>,
    /// How long the slowest OFFER and the slowest other answer of late took.
    slowest: [Duration; 2],
    probed: bool,
    asked: BTreeMap<Transaction, Asked>,
    late: Late,
}

impl ServerBench {
    /// Opens the link.
    pub fn open(
        mut session: Session,
        link: &LinkArgs,
        write: Option<&std::path::Path>,
        timeout: Duration,
    ) -> Result<ServerBench, Error> {
        let link = session.open(link, write)?;
        Ok(ServerBench {
            desk: Desk::new(session, link),
            timeout,
            server: None,
            own: Vec::new(),
            held: Vec::new(),
            clients: Clients::default(),
            unheard: false,
            hints: false,
            uncertain: BTreeSet::new(),
            declined: BTreeSet::new(),
            in_use: BTreeSet::new(),
            slowest: [Duration::ZERO; 2],
            probed: false,
            asked: BTreeMap::new(),
            late: Late::default(),
        })
    }

    /// A check begins.
    pub fn begin(&mut self, id: &str) {
        self.own.retain(|it| it.2);
        self.asked.clear();
        self.desk.begin(id);
    }

    /// The server has shown itself: from here on waits follow from how fast it answers.
    pub fn know(&mut self) {
        self.probed = true;
    }

    /// Whether frames are lost on the way, as far as answers that come only at the second try tell.
    pub fn is_lossy(&self) -> bool {
        // A busy machine, too, has an answer come late now and then.
        let it = &self.late;
        it.prompt >= 3 && it.prompt * 2 > it.slow && it.prompt * 30 > it.answered
    }

    /// How often a message is sent that brings no answer, so that it arrives.
    pub fn repeats(&self) -> u32 {
        if self.is_lossy() { REPEATED } else { 1 }
    }

    /// Whether a check may wait so long.
    pub fn can_wait(&mut self, time: Duration) -> bool {
        self.desk.can_wait(time, PATIENCE)
    }

    /// How long an answer to these frames may take.
    fn patience(&self, frames: &[(Frame, String)]) -> Duration {
        if !self.probed {
            return self.timeout;
        }
        let offer = frames.iter().any(|it| {
            let message = Message::of(&it.0);
            message.and_then(|it| it.message_type()) == Some(crate::dhcp::enums::DISCOVER)
        });
        self.allowed(match self.slowest[usize::from(!offer)] {
            // None of these came yet.
            Duration::ZERO => self.slowest[usize::from(offer)],
            slowest => slowest,
        })
    }

    /// How long is waited for an answer of which the slowest took so long.
    fn allowed(&self, slowest: Duration) -> Duration {
        let more = (slowest * 9).clamp(FLOOR, CEILING);
        (slowest + more).min(self.timeout.max(FLOOR))
    }

    /// Sends frames and hears what comes back; `wait` says how long, and without it the server's own
    /// speed does. With `all`, everything that comes in that time is heard, else the first answers end it.
    pub fn ask(
        &mut self,
        frames: Vec<(Frame, String)>,
        wait: Option<Duration>,
        all: bool,
        occupied: Option<(Ipv4Addr, MacAddr)>,
    ) -> Result<Heard, Error> {
        let patience = self.patience(&frames);
        let wait = wait.unwrap_or(patience);
        let mut host = Host::default();
        for (ip, mac, _) in &self.own {
            host.add_deaf(*ip, *mac);
        }
        for it in &self.held {
            // Nobody has an address that was only offered.
            match it.offered {
                true => host.add_deaf(it.ip, it.mac),
                false => host.add(it.ip, it.mac),
            }
        }
        let requests: Vec<Frame> = frames.iter().map(|it| it.0.clone()).collect();
        let mut asker = Asker::new(AskerConfig {
            frames,
            wait,
            first: !all,
            host,
            occupied,
            server: self.server,
        });
        for frame in &requests {
            self.clients.sent(frame);
        }
        let mut beside = Overhearing {
            clients: &self.clients,
            server: self.server,
        };
        let entries = self.desk.play(&mut [&mut asker, &mut beside])?;
        self.unheard |= !requests.is_empty() && wait < patience;
        let mut heard = Heard::default();
        if !requests.is_empty() {
            self.desk.evidence.clear();
        }
        for entry in entries {
            if entry.direction == Direction::Sent {
                if entry.frame.arp().is_none() && entry.frame.icmp().is_none() {
                    self.desk.evidence.push(entry.number);
                }
                self.sent(&entry);
                self.answered_for(&entry.frame, occupied.map(|it| it.0));
            } else if let Some(arp) = entry.frame.arp() {
                heard.sought.extend(arp.target_ip());
            } else if entry.verdict == Verdict::Part && entry.frame.bootp().is_some() {
                self.desk.evidence.push(entry.number);
                self.timed(&entry, wait);
                self.received(&entry.frame);
                heard.replies.push(entry);
            } else if entry.frame.udp().is_some() {
                if self.clients.own(&entry.frame) {
                    self.overheard(&entry.frame);
                }
                if !Overhearing::is_earlier(&entry.verdict) {
                    self.desk.evidence.push(entry.number);
                    heard.strays.push(entry);
                }
            }
        }
        Ok(heard)
    }

    fn sent(&mut self, entry: &Entry) {
        let Some(message) = Message::of(&entry.frame) else {
            return;
        };
        let transaction = (message.bootp.xid, message.bootp.client_mac());
        let asked = self.asked.entry(transaction).or_insert(Asked {
            first: entry.at,
            last: entry.at,
            unanswered: 0,
        });
        asked.last = entry.at;
        asked.unanswered += 1;
        match message.message_type() {
            Some(DECLINE) => {
                let ip = message.requested_ip();
                self.declined.extend(ip);
            }
            Some(RELEASE) => {
                // One that lacks something may be ignored: the address is given back once more in the end.
                self.held.retain(|it| !it.ends_with(&message));
            }
            _ => {}
        }
    }

    /// Takes note of an address that the server is now to take for used: whoever is pinged for holds it, and so does
    /// the one that is played to be occupied.
    fn answered_for(&mut self, frame: &Frame, occupied: Option<Ipv4Addr>) {
        let shown = match (frame.arp(), frame.icmp(), frame.ipv4()) {
            (Some(arp), _, _) => arp.sender_ip().filter(|it| Some(*it) == occupied),
            (_, Some(_), Some(ip)) => Some(ip.src),
            _ => None,
        };
        let shown = shown.filter(|ip| !self.held.iter().any(|it| it.ip == *ip && !it.offered));
        self.in_use.extend(shown);
    }

    /// Takes note of how long an answer took.
    fn timed(&mut self, entry: &Entry, wait: Duration) {
        let Some(message) = Message::of(&entry.frame) else {
            return;
        };
        // Since the message was first sent: the answer may be to an earlier try.
        let transaction = (message.bootp.xid, message.bootp.client_mac());
        let Some(asked) = self.asked.get_mut(&transaction) else {
            return;
        };
        if asked.unanswered > 1 {
            // What a slow server sends comes at any time, seldom right after the second message.
            match entry.at - asked.last < wait / 4 {
                true => self.late.prompt += 1,
                false => self.late.slow += 1,
            }
        }
        self.late.answered += u32::from(asked.unanswered > 0);
        asked.unanswered = 0;
        let after = entry.at - asked.first;
        // An answer that was slow once is forgotten in a while.
        let slot = &mut self.slowest[usize::from(message.message_type() != Some(OFFER))];
        *slot = (*slot * 4 / 5).max(after);
    }

    /// Takes note of an answer that was not waited for: neither it nor its question was lost.
    fn overheard(&mut self, reply: &Frame) {
        if let Some(it) = reply.bootp()
            && let Some(asked) = self.asked.get_mut(&(it.xid, it.client_mac()))
        {
            asked.unanswered = 0;
        }
        self.received(reply);
    }

    /// Takes note of what a reply gives.
    fn received(&mut self, reply: &Frame) {
        let Some(message) = Message::of(reply) else {
            return;
        };
        let said = self.clients.said(message.bootp.xid).cloned();
        let said = said.unwrap_or_default();
        let asked_for = said.wanted;
        let Some(mut held) = Held::of(reply, said) else {
            return;
        };
        if message.message_type() == Some(ACK) {
            // It was declined in vain.
            self.declined.remove(&held.ip);
            self.in_use.remove(&held.ip);
        }
        match self.held.iter().find(|it| it.is(&held)) {
            Some(it) => {
                held.stay = it.stay;
                held.offered &= it.offered;
            }
            None => self.hints |= held.offered && asked_for == Some(held.ip),
        }
        self.held.retain(|it| !it.is(&held));
        self.held.push(held);
    }

    /// Keeps what a client holds until the run ends.
    pub fn keep(&mut self, mac: MacAddr) {
        for it in self.held.iter_mut().filter(|it| it.mac == mac) {
            it.stay = true;
        }
    }

    /// Gives back every address that is still held; at the end of the run those that stayed too, and what the server
    /// sent meanwhile.
    pub fn clean_up(&mut self, end: bool) -> Result<(), Error> {
        let evidence = std::mem::take(&mut self.desk.evidence);
        if std::mem::take(&mut self.unheard) {
            self.listen()?;
        }
        self.give_back(end)?;
        if end {
            self.listen()?;
            self.give_back(end)?;
            self.look_after()?;
        }
        self.unheard = false;
        self.desk.evidence = evidence;
        Ok(())
    }

    /// Hears what still comes.
    fn listen(&mut self) -> Result<(), Error> {
        if self.probed {
            let [offer, other] = self.slowest;
            let wait = self.allowed(offer.max(other));
            self.ask(Vec::new(), Some(wait), true, None)?;
        }
        Ok(())
    }

    /// What was only offered is taken first, for some servers keep an offer aside until then.
    fn give_back(&mut self, end: bool) -> Result<(), Error> {
        self.forget_declined();
        for _ in 0..self.repeats() {
            let offers: Vec<_> = self
                .held
                .iter()
                .filter(|it| it.offered)
                .filter_map(|it| Some((it.taken()?, format!("REQUEST {}, clean-up", it.ip))))
                .collect();
            if offers.is_empty() {
                break;
            }
            self.ask(offers, None, false, None)?;
        }
        let mut frames = Vec::new();
        for it in self.held.iter().filter(|it| end || !it.stay) {
            let xid = self.desk.session.xid();
            frames.push((it.released(xid), format!("RELEASE {}, clean-up", it.ip)));
            match it.is_certain() {
                true => self.uncertain.remove(&it.ip),
                false => self.uncertain.insert(it.ip),
            };
        }
        if !frames.is_empty() {
            // What is sent is held no longer.
            for _ in 0..self.repeats() {
                self.ask(frames.clone(), Some(Duration::ZERO), true, None)?;
            }
        }
        Ok(())
    }

    /// Looks whether the server has taken back what it need not take by a RELEASE: then it offers it to the next who
    /// asks for it. Where it does not, or goes by no such wish, the address counts as kept.
    fn look_after(&mut self) -> Result<(), Error> {
        let uncertain: Vec<_> = self.uncertain.difference(&self.declined).copied().collect();
        for ip in uncertain {
            for _ in 0..LOOKS {
                if !self.hints || self.desk.interrupted() {
                    break;
                }
                let (mac, xid) = (self.desk.mac(), self.desk.session.xid());
                let asked = vec![(wanted(ip, mac, xid), format!("DISCOVER, is {ip} free?"))];
                let heard = self.ask(asked, None, false, None)?;
                let offers = heard.replies.iter().filter_map(|it| it.frame.bootp());
                let is_free = offers.into_iter().any(|it| it.yiaddr == ip);
                // An address that is lent by DHCP goes back by DHCP, and is certain then.
                self.give_back(true)?;
                if is_free {
                    self.uncertain.remove(&ip);
                    break;
                }
                self.ask(Vec::new(), Some(BETWEEN), true, None)?;
            }
        }
        Ok(())
    }

    /// Addresses that are still held, or that the server was not seen to take back.
    pub fn kept(&self) -> Vec<Ipv4Addr> {
        let held = self.held.iter().map(|it| it.ip);
        let uncertain = self.uncertain.difference(&self.declined).copied();
        held.chain(uncertain)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect()
    }

    fn forget_declined(&mut self) {
        let declined = &self.declined;
        self.held.retain(|it| !declined.contains(&it.ip));
    }
}
