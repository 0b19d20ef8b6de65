//! Sends a recording again and gathers what is answered now.

use std::collections::{HashMap, VecDeque};
use std::net::Ipv4Addr;
use std::time::Duration;

use super::host::Host;
use super::matching::{Verdict, match_reply};
use super::player::{Outbox, Player};
use super::recording::{Step, answered};
use crate::dhcp::Message;
use crate::dhcp::comparison::{pair_messages, type_name};
use crate::dhcp::rewrite::{self, Transaction};
use crate::link::Time;
use crate::wire::{Frame, MacAddr};

/// What to send again, and how.
#[derive(Clone, Debug, Default)]
pub struct ReplayConfig {
    /// The frames, as they go out but for what follows live replies.
    pub steps: Vec<Step>,
    /// How many times faster than recorded; `None` for all at once.
    pub speed: Option<f64>,
    /// Whether addresses and servers in later messages follow the live replies. A message waits for the
    /// reply that it follows.
    pub follow: bool,
    /// How long to wait for replies: after the last frame, and before a message that follows one.
    pub timeout: Duration,
    /// Whether to wait to the end when every recorded reply has come again.
    pub wait: bool,
    /// Whether ARP and ping are answered for the addresses that what was sent claims to hold.
    pub plays: bool,
}

/// A reply that came now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveReply {
    /// How long after the message that it answers was sent.
    pub after: Duration,
    /// The frame.
    pub frame: Frame,
}

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Played {
    /// As planned; its frame as it went out.
    pub step: Step,
    /// When it was sent.
    pub sent: Option<Time>,
    /// The replies to it.
    pub live: Vec<LiveReply>,
    /// Whether every recorded reply has its counterpart.
    complete: bool,
}

impl Played {
    /// The recorded replies and the live ones, side by side: those that belong together, recorded ones
    /// that did not come, and live ones that the recording does not have.
    pub fn pairs(&self) -> Vec<(Option<usize>, Option<usize>)> {
        let recorded: Vec<&Frame> = self.step.replies.iter().map(|it| &it.frame).collect();
        let live: Vec<&Frame> = self.live.iter().map(|it| &it.frame).collect();
        let found = pair_messages(&recorded, &live);
        let rest = (0..live.len()).filter(|at| !found.contains(&Some(*at)));
        let pairs = found.iter().enumerate().map(|(at, it)| (Some(at), *it));
        pairs.chain(rest.map(|at| (None, Some(at)))).collect()
    }

    /// The live reply that stands for a recorded one.
    fn counterpart(&self, recorded: usize) -> Option<&Frame> {
        let pairs = self.pairs();
        let (_, live) = pairs.iter().find(|it| it.0 == Some(recorded))?;
        self.live.get((*live)?).map(|it| &it.frame)
    }
}

/// Live replies kept beyond the number of recorded ones.
const BEYOND: usize = 4096;
/// Replies to one message kept.
const EACH: usize = 64;

/// Sends the steps at their times, and tells replies from strays.
pub struct Replay {
    steps: Vec<Played>,
    config: ReplayConfig,
    host: Host,
    start: Option<Time>,
    /// The first step whose time has not come.
    next: usize,
    /// Steps whose time has come, which wait for a reply to follow, by client.
    waiting: HashMap<Vec<u8>, VecDeque<usize>>,
    /// When those stop waiting; in order of time.
    patience: VecDeque<(Time, usize)>,
    /// Steps sent, by whose they are.
    exchanges: HashMap<Transaction, Vec<usize>>,
    last_sent: Option<usize>,
    room: usize,
    /// Replies expected, and steps that have all of theirs.
    expecting: usize,
    complete: usize,
    end: Time,
    finished: bool,
}

impl Replay {
    /// A replay that has not begun.
    pub fn new(mut config: ReplayConfig) -> Self {
        let steps: Vec<Played> = std::mem::take(&mut config.steps)
            .into_iter()
            .map(|step| Played {
                complete: step.replies.is_empty(),
                step,
                sent: None,
                live: Vec::new(),
            })
            .collect();
        let expecting: usize = steps.iter().map(|it| it.step.replies.len()).sum();
        Replay {
            room: expecting + BEYOND,
            complete: steps.iter().filter(|it| it.complete).count(),
            expecting,
            steps,
            config,
            host: Host::default(),
            start: None,
            next: 0,
            waiting: HashMap::new(),
            patience: VecDeque::new(),
            exchanges: HashMap::new(),
            last_sent: None,
            end: Time::default(),
            finished: false,
        }
    }

    /// What became of each frame, in the order of the recording.
    pub fn played(&self) -> &[Played] {
        &self.steps
    }

    /// When the first frame was sent.
    pub fn began(&self) -> Option<Time> {
        self.start
    }

    /// Whether messages went out with the address or the server of recorded replies although the live ones
    /// give others.
    pub fn left_behind(&self) -> bool {
        let sent = self.steps.iter().filter(|it| it.sent.is_some());
        let mut follows = sent.filter_map(|it| it.step.follows.first());
        let other = |it: &(usize, usize)| {
            let recorded = self.steps.get(it.0)?.step.replies.get(it.1)?;
            let (old, new) = (Gift::of(&recorded.frame)?, Gift::of(self.live(*it)?)?);
            Some((old.address, old.server) != (new.address, new.server))
        };
        !self.config.follow && follows.any(|it| other(it) == Some(true))
    }

    /// When the time of a step comes.
    fn due(&self, at: usize) -> Option<Time> {
        let step = &self.steps.get(at)?.step;
        let offset = match self.config.speed {
            Some(speed) => {
                Duration::try_from_secs_f64(step.at.as_secs_f64() / speed).unwrap_or(Duration::MAX)
            }
            None => Duration::ZERO,
        };
        Some(self.start? + offset)
    }

    /// The client that a step is of.
    fn client(&self, at: usize) -> Option<Vec<u8>> {
        let bootp = self.steps.get(at)?.step.frame.bootp()?;
        Some(bootp.client_hardware().to_vec())
    }

    /// Sends a step whose time has come, or has it wait for the reply that it follows.
    fn come(&mut self, at: usize, now: Time, out: &mut Outbox) {
        let client = self.client(at).filter(|_| self.config.follow);
        let Some(client) = client else {
            return self.send(at, now, out);
        };
        // What a client sends later does not overtake what waits.
        let queue = self.waiting.entry(client.clone()).or_default();
        queue.push_back(at);
        self.patience.push_back((now + self.config.timeout, at));
        self.release(&client, now, out);
    }

    /// Sends what a client no longer has to wait with.
    fn release(&mut self, client: &[u8], now: Time, out: &mut Outbox) {
        while let Some(at) = self.waiting.get(client).and_then(|it| it.front()).copied() {
            let given_up = self.patience.front().is_none_or(|it| it.1 > at);
            if !given_up && !self.ready(at) {
                return;
            }
            if let Some(queue) = self.waiting.get_mut(client) {
                queue.pop_front();
            }
            self.send(at, now, out);
        }
        self.waiting.remove(client);
    }

    /// Whether the reply that a step follows has come.
    fn ready(&self, at: usize) -> bool {
        let follows = self.steps.get(at).and_then(|it| it.step.follows.first());
        follows.is_none_or(|it| self.live(*it).is_some())
    }

    fn live(&self, (step, reply): (usize, usize)) -> Option<&Frame> {
        self.steps.get(step)?.counterpart(reply)
    }

    fn send(&mut self, at: usize, now: Time, out: &mut Outbox) {
        let mut note = None;
        if self.config.follow {
            note = self.follow(at);
        }
        let Some(played) = self.steps.get_mut(at) else {
            return;
        };
        let frame = &played.step.frame;
        if self.config.plays {
            self.host.play(frame);
        }
        let whose = frame.bootp().map(Transaction::of);
        let name = match frame.bootp() {
            Some(_) => type_name(frame),
            None => frame
                .layers
                .last()
                .map_or("empty frame", |it| it.name())
                .into(),
        };
        let mut text = format!("{name}, frame {} again", played.step.number);
        if let Some(note) = note {
            text = format!("{text}, {note}");
        }
        played.sent = Some(now);
        out.send(frame.clone(), text);
        if let Some(whose) = whose {
            self.exchanges.entry(whose).or_default().push(at);
        }
        self.last_sent = Some(at);
        self.end = now + self.config.timeout;
    }

    /// Puts what the live replies gave in the place of what the recorded ones did.
    fn follow(&mut self, at: usize) -> Option<&'static str> {
        let follows = self.steps.get(at)?.step.follows.clone();
        if follows.is_empty() {
            return None;
        }
        let found = follows.iter().find_map(|it| {
            let recorded = &self.steps.get(it.0)?.step.replies.get(it.1)?.frame;
            Some(Gift::of(recorded)?.to(&Gift::of(self.live(*it)?)?))
        });
        let Some(change) = found else {
            return Some("as recorded: no live reply to follow");
        };
        change.apply(&mut self.steps.get_mut(at)?.step.frame);
        None
    }

    /// Takes a reply to what was sent.
    fn take(&mut self, now: Time, frame: &Frame, fault: Option<&str>) -> Option<Verdict> {
        let bootp = frame.bootp().filter(|it| it.op == 2)?;
        let sent = match self.exchanges.get(&Transaction::of(bootp)) {
            Some(sent) => sent.as_slice(),
            None => return match_reply(&self.steps.get(self.last_sent?)?.step.frame, frame),
        };
        let steps = &self.steps;
        let sent = sent.iter().rev();
        let sent = sent.filter_map(|at| Some((*at, &steps.get(*at)?.step.frame)));
        let at = match answered(sent, frame)? {
            Ok(at) => at,
            Err(reason) => return Some(Verdict::Stray(reason)),
        };
        if let Some(fault) = fault {
            return Some(Verdict::Stray(fault.to_string()));
        }
        let played = self.steps.get_mut(at)?;
        if self.room > 0 && played.live.len() < EACH + played.step.replies.len() {
            self.room -= 1;
            played.live.push(LiveReply {
                after: now - played.sent.unwrap_or(now),
                frame: frame.clone(),
            });
            let lacks = |it: &(Option<usize>, Option<usize>)| it.1.is_none();
            if !played.complete && !played.pairs().iter().any(lacks) {
                played.complete = true;
                self.complete += 1;
            }
        }
        Some(Verdict::Part)
    }

    /// Whether there is nothing more to send or to wait for.
    fn over(&self, now: Time) -> bool {
        let sent = self.next >= self.steps.len() && self.waiting.is_empty();
        let answered = self.expecting > 0 && self.complete == self.steps.len();
        sent && (now >= self.end || (answered && !self.config.wait))
    }
}

impl Player for Replay {
    fn receive(
        &mut self,
        now: Time,
        frame: &Frame,
        fault: Option<&str>,
        out: &mut Outbox,
    ) -> Option<Verdict> {
        if fault.is_none()
            && let Some((answer, note)) = self.host.answer(frame)
        {
            out.send(answer, note);
            return Some(Verdict::Part);
        }
        let verdict = self.take(now, frame, fault);
        if verdict == Some(Verdict::Part)
            && let Some(bootp) = frame.bootp()
        {
            self.release(bootp.client_hardware(), now, out);
            self.finished |= self.over(now);
        }
        verdict
    }

    fn wake(&mut self, now: Time, out: &mut Outbox) {
        self.start.get_or_insert(now);
        self.end = self.end.max(now);
        while let Some((until, at)) = self.patience.front().copied()
            && until <= now
        {
            self.patience.pop_front();
            if let Some(client) = self.client(at) {
                self.release(&client, now, out);
            }
        }
        while self.due(self.next).is_some_and(|due| due <= now) {
            self.next += 1;
            self.come(self.next - 1, now, out);
        }
        self.finished |= self.over(now);
    }

    fn deadline(&self) -> Option<Time> {
        if self.start.is_none() {
            return Some(Time::default());
        }
        let given_up = self.patience.front().map(|it| it.0);
        let next = self.due(self.next).into_iter().chain(given_up).min();
        Some(next.unwrap_or(self.end))
    }

    fn done(&self) -> bool {
        self.finished
    }
}

/// What a reply gives, that later messages of the client repeat.
#[derive(Clone, Copy)]
struct Gift {
    address: Ipv4Addr,
    server: Option<Ipv4Addr>,
    source: Option<Ipv4Addr>,
    mac: Option<MacAddr>,
}

/// A recorded gift and the live one in its place.
struct Change(Gift, Gift);

impl Gift {
    fn of(reply: &Frame) -> Option<Self> {
        let message = Message::of(reply)?;
        Some(Gift {
            address: message.bootp.yiaddr,
            server: message.server_id(),
            source: reply.ipv4().map(|it| it.src),
            mac: reply.ether().map(|it| it.src),
        })
    }

    fn to(self, live: &Gift) -> Change {
        Change(self, *live)
    }
}

impl Change {
    fn apply(&self, frame: &mut Frame) {
        const REQUESTED: u8 = 50;
        const SERVER: u8 = 54;
        let Change(old, new) = self;
        rewrite::loosen(frame);
        rewrite::option(
            frame,
            REQUESTED,
            &old.address.octets(),
            &new.address.octets(),
        );
        if let (Some(old), Some(new)) = (old.server, new.server) {
            rewrite::option(frame, SERVER, &old.octets(), &new.octets());
        }
        let swap = |at: &mut Ipv4Addr, old: Ipv4Addr, new: Ipv4Addr| {
            if *at == old && !old.is_unspecified() {
                *at = new;
            }
        };
        if let Some(bootp) = frame.bootp_mut() {
            swap(&mut bootp.ciaddr, old.address, new.address);
        }
        if let Some(ip) = frame.ipv4_mut() {
            swap(&mut ip.src, old.address, new.address);
            // To the server, by the name it gives itself or the address it sends from.
            let servers = [(old.server, new.server), (old.source, new.source)];
            let servers = servers.into_iter().filter_map(|it| Some((it.0?, it.1?)));
            if let Some((_, new)) = servers.into_iter().find(|it| it.0 == ip.dst) {
                ip.dst = new;
            }
        }
        if let (Some(ether), Some(old), Some(new)) = (frame.ether_mut(), old.mac, new.mac)
            && ether.dst == old
        {
            ether.dst = new;
        }
    }
}
