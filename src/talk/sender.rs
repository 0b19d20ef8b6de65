//! Sends one kind of message and gathers the answers.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;

use super::matching::{Verdict, match_reply};
use super::player::{Outbox, Player};
use crate::dhcp::Message;
use crate::dhcp::enums::NAK;
use crate::link::Time;
use crate::wire::Frame;

/// What to send, how often, and what to wait for.
#[derive(Clone, Debug)]
pub struct SenderConfig {
    /// The messages, sent one after the other.
    pub frames: Vec<Frame>,
    /// Time between two of them.
    pub interval: Duration,
    /// How often each is sent while no answer comes, at least once.
    pub tries: u32,
    /// How long to wait for answers after the last of the messages was first sent; zero to wait for none.
    pub timeout: Duration,
    /// Whether to stop when each message has an answer.
    pub first: bool,
    /// Whether `secs` counts up in repetitions (RFC 2131 section 4.1); off where the user set it.
    pub count_secs: bool,
}

struct Pending {
    frame: Frame,
    due: Time,
    sent: u32,
    answered: bool,
}

/// Sends messages, repeats what stays unanswered, and tells answers from strays.
pub struct Sender {
    config: SenderConfig,
    chance: ChaCha8Rng,
    started: Option<Time>,
    end: Time,
    pending: Vec<Pending>,
    seen: Vec<Vec<u8>>,
    refused: bool,
    finished: bool,
}

/// Answers remembered to tell duplicates; beyond that the oldest is forgotten.
const REMEMBERED: usize = 1024;

impl Sender {
    /// A sender that draws its repetition times from `chance`.
    pub fn new(config: SenderConfig, chance: ChaCha8Rng) -> Self {
        Sender {
            config,
            chance,
            started: None,
            end: Time::default(),
            pending: Vec::new(),
            seen: Vec::new(),
            refused: false,
            finished: false,
        }
    }

    /// How often messages were sent.
    pub fn transmissions(&self) -> u32 {
        self.pending.iter().map(|it| it.sent).sum()
    }

    /// Whether an answer was a NAK.
    pub fn refused(&self) -> bool {
        self.refused
    }

    /// Whether any message has an answer.
    pub fn any_answer(&self) -> bool {
        self.pending.iter().any(|it| it.answered)
    }

    /// Whether every message has an answer.
    pub fn answered(&self) -> bool {
        self.pending.iter().all(|it| it.answered)
    }

    fn start(&mut self, now: Time) {
        self.started = Some(now);
        let mut due = now;
        for frame in std::mem::take(&mut self.config.frames) {
            self.pending.push(Pending {
                frame,
                due,
                sent: 0,
                answered: false,
            });
            due = due + self.config.interval;
        }
        let last = self.pending.last().map_or(now, |it| it.due);
        self.end = last + self.config.timeout;
    }
}

impl Player for Sender {
    fn receive(
        &mut self,
        _now: Time,
        frame: &Frame,
        fault: Option<&str>,
        _out: &mut Outbox,
    ) -> Option<Verdict> {
        let mut stray = None;
        for pending in self.pending.iter_mut().filter(|it| it.sent > 0) {
            let Some(verdict) = match_reply(&pending.frame, frame) else {
                continue;
            };
            match verdict {
                Verdict::Part => {
                    if let Some(fault) = fault {
                        return Some(Verdict::Stray(fault.to_string()));
                    }
                    let bytes = frame.encode();
                    if self.seen.contains(&bytes) {
                        return Some(Verdict::Duplicate);
                    }
                    if self.seen.len() == REMEMBERED {
                        self.seen.remove(0);
                    }
                    self.seen.push(bytes);
                    pending.answered = true;
                    let message_type = Message::of(frame).and_then(|it| it.message_type());
                    self.refused |= message_type == Some(NAK);
                    if self.config.first && self.answered() {
                        self.finished = true;
                    }
                    return Some(Verdict::Part);
                }
                other => stray = stray.or(Some(other)),
            }
        }
        stray
    }

    fn wake(&mut self, now: Time, out: &mut Outbox) {
        if self.started.is_none() {
            self.start(now);
        }
        let started = self.started.unwrap_or(now);
        for pending in &mut self.pending {
            if pending.due > now || pending.sent >= self.config.tries.max(1) || pending.answered {
                continue;
            }
            if pending.sent > 0
                && self.config.count_secs
                && let Some(bootp) = pending.frame.bootp_mut()
            {
                bootp.secs = (now - started).as_secs().min(0xffff) as u16;
            }
            let name = Message::of(&pending.frame)
                .map_or_else(|| "frame".into(), |message| message.type_name());
            pending.sent += 1;
            let note = match pending.sent {
                1 => name.into_owned(),
                sent => format!("{name}, try {sent}"),
            };
            out.send(pending.frame.clone(), note);
            pending.due = now + super::backoff(pending.sent - 1, &mut self.chance);
        }
        if now >= self.end && self.pending.iter().all(|it| it.sent > 0) {
            self.finished = true;
        }
    }

    fn deadline(&self) -> Option<Time> {
        let Some(_) = self.started else {
            return Some(Time::default());
        };
        let tries = self.config.tries.max(1);
        self.pending
            .iter()
            .filter(|it| it.sent < tries && !it.answered && (it.sent == 0 || it.due < self.end))
            .map(|it| it.due)
            .chain([self.end])
            .min()
    }

    fn done(&self) -> bool {
        self.finished
    }
}
