//! Stands in for the servers of a recording: answers clients that are there now as the recorded ones were answered.

use std::collections::HashMap;
use std::time::Duration;

use super::host::Host;
use super::matching::{Verdict, vlans};
use super::player::{Outbox, Player};
use super::recording::Step;
use crate::dhcp::Message;
use crate::dhcp::comparison::type_name;
use crate::dhcp::rewrite::{self, Transaction};
use crate::link::Time;
use crate::wire::{Auto, Frame, Layer, SERVER_PORT};

/// Option 61, the client's identifier.
const CLIENT_ID: u8 = 61;

/// What to answer with, and how.
#[derive(Clone, Debug, Default)]
pub struct StandInConfig {
    /// What the recorded clients sent, with the replies to it.
    pub steps: Vec<Step>,
    /// How many times faster than recorded replies leave; `None` for at once.
    pub speed: Option<f64>,
    /// The VLANs that clients are on, outermost first; none for any.
    pub vlans: Vec<u16>,
    /// Whether to go on when the recording has been played.
    pub wait: bool,
    /// When to stop, played or not; `None` for never.
    pub timeout: Option<Duration>,
}

/// What a message is to its client, as far as it decides about the answer: its type, and whether it is about an
/// address that the client has (a renewal).
type Kind = (Option<u8>, bool);

fn kind(frame: &Frame) -> Kind {
    let message = Message::of(frame);
    let held = message.as_ref().map(|it| it.bootp.ciaddr);
    (
        message.and_then(|it| it.message_type()),
        held.is_some_and(|it| !it.is_unspecified()),
    )
}

/// A client of the recording.
struct Part {
    hardware: Vec<u8>,
    /// Its messages, in their order.
    steps: Vec<usize>,
    /// Whether a live client has it.
    given: bool,
}

/// A live client in a part.
struct Cast {
    part: usize,
    /// The steps that its messages were last answered with, each with the message's xid.
    at: HashMap<Kind, (usize, u32)>,
}

/// The servers of a recording, as a player.
pub struct StandIn {
    config: StandInConfig,
    parts: Vec<Part>,
    /// By hardware address; never more than there are parts.
    cast: HashMap<Vec<u8>, Cast>,
    came: Vec<bool>,
    host: Host,
    end: Option<Time>,
    over: bool,
}

impl StandIn {
    /// A stand-in that nobody has asked yet.
    pub fn new(config: StandInConfig) -> Self {
        let mut parts: Vec<Part> = Vec::new();
        let mut known: HashMap<Vec<u8>, usize> = HashMap::new();
        let mut host = match config.vlans.is_empty() {
            true => Host::default(),
            false => Host::default().on(config.vlans.clone()),
        };
        for (at, step) in config.steps.iter().enumerate() {
            let Some(bootp) = step.frame.bootp() else {
                continue;
            };
            let hardware = bootp.client_hardware().to_vec();
            let part = *known.entry(hardware.clone()).or_insert_with(|| {
                parts.push(Part {
                    hardware,
                    steps: Vec::new(),
                    given: false,
                });
                parts.len() - 1
            });
            if let Some(part) = parts.get_mut(part) {
                part.steps.push(at);
            }
            // Whoever replied is asked for with ARP when its lease is renewed.
            for reply in &step.replies {
                if let (Some(ether), Some(ip)) = (reply.frame.ether(), reply.frame.ipv4()) {
                    host.add(ip.src, ether.src);
                    let named = Message::of(&reply.frame).and_then(|it| it.server_id());
                    named.into_iter().for_each(|ip| host.add(ip, ether.src));
                }
            }
        }
        StandIn {
            came: vec![false; config.steps.len()],
            cast: HashMap::new(),
            parts,
            host,
            config,
            end: None,
            over: false,
        }
    }

    /// How many of the recorded messages that have replies have come, and how many there are.
    pub fn progress(&self) -> (usize, usize) {
        let all = || self.config.steps.iter().zip(&self.came);
        let answered = || all().filter(|it| !it.0.replies.is_empty());
        (answered().filter(|it| *it.1).count(), answered().count())
    }

    /// The recorded message that nobody has sent yet, the first of those that end the part of a client; `None` when
    /// the recording has been played. A repetition that a live client had no need of is not waited for.
    pub fn missing(&self) -> Option<&Step> {
        let last = |part: &Part| {
            let all = part.steps.iter().rev();
            let mut answered =
                all.filter(|at| self.step(**at).is_some_and(|it| !it.replies.is_empty()));
            answered.next().copied()
        };
        let missing = self.parts.iter().filter_map(last);
        let mut missing = missing.filter(|at| self.came.get(*at) == Some(&false));
        self.step(missing.next()?)
    }

    fn step(&self, at: usize) -> Option<&Step> {
        self.config.steps.get(at)
    }

    /// The part of a live client: that of the recorded one with its address, or else the next that is free.
    fn part(&mut self, hardware: &[u8]) -> Option<usize> {
        if let Some(cast) = self.cast.get(hardware) {
            return Some(cast.part);
        }
        let same = self.parts.iter().position(|it| it.hardware == hardware);
        let at = same
            .filter(|at| self.parts.get(*at).is_some_and(|it| !it.given))
            .or_else(|| self.parts.iter().position(|it| !it.given))?;
        self.parts.get_mut(at)?.given = true;
        let cast = Cast {
            part: at,
            at: HashMap::new(),
        };
        self.cast.insert(hardware.to_vec(), cast);
        Some(at)
    }

    /// The recorded message that a live one stands for. The n-th of its kind stands for the recorded n-th; a
    /// repetition for the same, unless that was repeated in the recording too; what comes after the last, for the last.
    fn counterpart(&mut self, part: usize, live: &Frame) -> Option<usize> {
        let of = kind(live);
        let bootp = live.bootp()?;
        let all = &self.parts.get(part)?.steps;
        let alike = |same: &dyn Fn(Kind) -> bool| -> Vec<usize> {
            let is = |at: &usize| self.step(*at).is_some_and(|it| same(kind(&it.frame)));
            all.iter().copied().filter(is).collect()
        };
        let mut steps = alike(&|it| it == of);
        if steps.is_empty() {
            // A renewal that the recording does not have, for one.
            steps = alike(&|it| it.0 == of.0);
        }
        let xid = |at: usize| Some(self.step(at)?.frame.bootp()?.xid);
        let cast = self.cast.get(bootp.client_hardware())?;
        let at = match cast.at.get(&of) {
            None => *steps.first()?,
            Some((last, live_xid)) => {
                let next = steps.iter().copied().find(|it| it > last);
                let next = next.filter(|next| *live_xid != bootp.xid || xid(*next) == xid(*last));
                next.unwrap_or(*last)
            }
        };
        let cast = self.cast.get_mut(bootp.client_hardware())?;
        cast.at.insert(of, (at, bootp.xid));
        Some(at)
    }

    /// Sends the replies that the recording has to a message, made out to the live client.
    fn reply(&self, at: usize, live: &Frame, out: &mut Outbox) {
        let (Some(step), Some(bootp)) = (self.step(at), live.bootp()) else {
            return;
        };
        let id = |frame: &Frame| {
            Message::of(frame)?
                .data(CLIENT_ID)
                .map(|it| it.into_owned())
        };
        for it in &step.replies {
            let mut reply = it.frame.clone();
            let Some(recorded) = reply.bootp().map(Transaction::of) else {
                continue;
            };
            rewrite::loosen(&mut reply);
            if let Some(old) = id(&step.frame) {
                rewrite::returned_id(&mut reply, &old, id(live).as_deref());
            }
            rewrite::transaction(&mut reply, &recorded, &Transaction::of(bootp));
            reply.layers.retain(|it| !matches!(it, Layer::Dot1Q(_)));
            if let Some(ether) = reply.ether_mut() {
                ether.ethertype = Auto::Unset;
                reply.layers.splice(1..1, live.tags().map(Layer::from));
            }
            let delay = match self.config.speed {
                Some(speed) => Duration::try_from_secs_f64(it.after.as_secs_f64() / speed),
                None => Ok(Duration::ZERO),
            };
            let note = format!("{}, frame {} again", type_name(&reply), it.number);
            out.send_after(delay.unwrap_or(it.after), reply, note);
        }
    }
}

impl Player for StandIn {
    fn receive(
        &mut self,
        _now: Time,
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
        let bootp = frame.bootp().filter(|it| it.op == 1)?;
        let here = self.config.vlans.is_empty() || vlans(frame) == self.config.vlans;
        if !here || frame.udp()?.dport != SERVER_PORT {
            return None;
        }
        if let Some(fault) = fault {
            return Some(Verdict::Stray(fault.to_string()));
        }
        let Some(part) = self.part(bootp.client_hardware()) else {
            let all = match self.parts.len() {
                1 => "the recording's only client is another one".to_string(),
                all => format!("the recording's {all} clients are other ones"),
            };
            return Some(Verdict::Stray(all));
        };
        let Some(at) = self.counterpart(part, frame) else {
            let name = type_name(frame);
            return Some(Verdict::Stray(format!("the recording has no {name}")));
        };
        if let Some(came) = self.came.get_mut(at) {
            *came = true;
        }
        self.reply(at, frame, out);
        Some(Verdict::Part)
    }

    fn wake(&mut self, now: Time, _out: &mut Outbox) {
        if let Some(timeout) = self.config.timeout {
            self.over |= now >= *self.end.get_or_insert(now + timeout);
        }
    }

    fn deadline(&self) -> Option<Time> {
        self.end
    }

    fn done(&self) -> bool {
        self.over || (!self.config.wait && self.missing().is_none())
    }
}
