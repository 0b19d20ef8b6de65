//! Where a check asks the server: the open link, the addresses that this side plays, what the server
//! gave and has to get back, and what the check under way found.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::time::Duration;

use super::desk::Desk;
use crate::commands::outcome::{Direction, Entry};
use crate::commands::session::Session;
use crate::commands::{Error, args::LinkArgs};
use crate::dhcp::Message;
use crate::dhcp::assign::Assignment;
use crate::dhcp::enums::{ACK, DECLINE, OFFER, RELEASE, REQUEST};
use crate::dhcp::following;
use crate::dhcp::template::{self, Identity};
use crate::link::Time;
use crate::talk::{Asker, AskerConfig, Host, Verdict};
use crate::wire::{Frame, MacAddr};

/// Shortest wait for an answer, and how much longer than the slowest answer so far a wait is at most.
const FLOOR: Duration = Duration::from_millis(150);
const CEILING: Duration = Duration::from_secs(1);

/// What a wait on a real clock may cost a check.
const PATIENCE: Duration = Duration::from_secs(3);

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

/// An address that a client has of the server, or was offered.
#[derive(Clone)]
struct Held {
    /// The OFFER or ACK.
    reply: Frame,
    /// Whether it is only an offer.
    offered: bool,
    /// Whether it is kept until the run ends.
    stay: bool,
    ip: Ipv4Addr,
    mac: MacAddr,
    id: Option<Vec<u8>>,
    server: Ipv4Addr,
    server_mac: MacAddr,
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
        let slowest = match self.slowest[usize::from(!offer)] {
            // None of these came yet.
            Duration::ZERO => self.slowest[usize::from(offer)],
            slowest => slowest,
        };
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
        let wait = wait.unwrap_or_else(|| self.patience(&frames));
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
        let entries = self.desk.play(&mut asker)?;
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
                self.received(&entry, &requests, wait);
                heard.replies.push(entry);
            } else if entry.frame.udp().is_some() {
                self.desk.evidence.push(entry.number);
                heard.strays.push(entry);
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
                let (ip, mac) = (message.bootp.ciaddr, message.bootp.client_mac());
                self.held.retain(|it| it.ip != ip || it.mac != mac);
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

    fn received(&mut self, entry: &Entry, requests: &[Frame], wait: Duration) {
        let Some(message) = Message::of(&entry.frame) else {
            return;
        };
        let kind = message.message_type();
        // Since the message was first sent: the answer may be to an earlier try.
        let transaction = (message.bootp.xid, message.bootp.client_mac());
        if let Some(asked) = self.asked.get_mut(&transaction) {
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
            let slot = &mut self.slowest[usize::from(kind != Some(OFFER))];
            *slot = (*slot * 4 / 5).max(after);
        }
        let ip = message.bootp.yiaddr;
        let (Some(ether), Some(ipv4)) = (entry.frame.ether(), entry.frame.ipv4()) else {
            return;
        };
        if ip.is_unspecified() || !matches!(kind, Some(OFFER | ACK) | None) {
            return;
        }
        if kind == Some(ACK) {
            // It was declined in vain.
            self.declined.remove(&ip);
            self.in_use.remove(&ip);
        }
        let request = requests
            .iter()
            .filter_map(Message::of)
            .find(|it| it.bootp.xid == message.bootp.xid);
        let known = |it: &&Held| it.ip == ip && it.mac == message.bootp.client_mac();
        let (stay, had) = match self.held.iter().find(known) {
            Some(it) => (it.stay, !it.offered),
            None => (false, false),
        };
        let held = Held {
            reply: entry.frame.clone(),
            offered: kind == Some(OFFER) && !had,
            stay,
            ip,
            mac: message.bootp.client_mac(),
            id: request.and_then(|it| it.data(61).map(|it| it.into_owned())),
            server: message.server_id().unwrap_or(ipv4.src),
            server_mac: ether.src,
        };
        self.held
            .retain(|it| it.ip != held.ip || it.mac != held.mac);
        self.held.push(held);
    }

    /// Keeps what a client holds until the run ends.
    pub fn keep(&mut self, mac: MacAddr) {
        for it in self.held.iter_mut().filter(|it| it.mac == mac) {
            it.stay = true;
        }
    }

    /// Gives back every address that is still held; at the end of the run those that stayed too.
    /// What was only offered is taken first, for some servers keep an offer aside until then.
    pub fn clean_up(&mut self, end: bool) -> Result<(), Error> {
        let evidence = std::mem::take(&mut self.desk.evidence);
        self.forget_declined();
        for _ in 0..self.repeats() {
            let offers: Vec<_> = self
                .held
                .iter()
                .filter(|it| it.offered)
                .filter_map(|it| Some((taken(it)?, format!("REQUEST {}, clean-up", it.ip))))
                .collect();
            if offers.is_empty() {
                break;
            }
            self.ask(offers, None, false, None)?;
        }
        let mut frames = Vec::new();
        for it in self.held.iter().filter(|it| end || !it.stay) {
            let xid = self.desk.session.xid();
            frames.push((released(it, xid), format!("RELEASE {}, clean-up", it.ip)));
        }
        if !frames.is_empty() {
            // What is sent is held no longer.
            for _ in 0..self.repeats() {
                self.ask(frames.clone(), Some(Duration::ZERO), true, None)?;
            }
        }
        self.desk.evidence = evidence;
        Ok(())
    }

    /// Addresses that are still held.
    pub fn kept(&self) -> Vec<Ipv4Addr> {
        self.held.iter().map(|it| it.ip).collect()
    }

    fn forget_declined(&mut self) {
        let declined = &self.declined;
        self.held.retain(|it| !declined.contains(&it.ip));
    }
}

/// Who holds an address, towards its server.
fn holder(it: &Held, xid: u32) -> Identity {
    Identity {
        client_mac: it.mac,
        source_mac: it.mac,
        xid,
        address: Some(it.ip),
        server: Some(it.server),
        own: None,
        server_mac: Some(it.server_mac),
    }
}

/// The client's own identifier, and no other.
fn identify(draft: &mut template::Draft, id: Option<&Vec<u8>>) {
    draft.options.retain(|option| option.code != 61);
    if let Some(data) = id {
        let data = data.clone();
        draft.put(Assignment { code: 61, data });
    }
}

/// The REQUEST that takes an offer.
fn taken(it: &Held) -> Option<Frame> {
    let xid = Message::of(&it.reply)?.bootp.xid;
    let mut draft = following::draft(REQUEST, &it.reply, &holder(it, xid)).ok()?;
    identify(&mut draft, it.id.as_ref());
    Some(draft.frame())
}

/// The RELEASE that gives an address back.
fn released(it: &Held, xid: u32) -> Frame {
    let mut draft = template::fresh(RELEASE, &holder(it, xid));
    identify(&mut draft, it.id.as_ref());
    draft.frame()
}
