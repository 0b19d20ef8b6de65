//! Asks as several kinds of client who serves here, and keeps every answer.

use std::time::Duration;

use super::matching::{Verdict, match_reply};
use super::player::{Outbox, Player};
use crate::dhcp::Message;
use crate::dhcp::enums::RELEASE;
use crate::dhcp::template::{self, Identity};
use crate::link::Time;
use crate::wire::Frame;

/// One question: a message of one kind of client.
#[derive(Clone, Debug)]
pub struct Probe {
    /// The kind of client, for people: `plain`, `pxe`.
    pub kind: &'static str,
    /// The message.
    pub frame: Frame,
    /// Whether an answer binds an address at once (BOOTP), so that it has to be given back.
    pub binds: bool,
}

/// An answer to a probe.
#[derive(Clone, Debug)]
pub struct Sighting {
    /// Which probe it answers.
    pub probe: usize,
    /// When it came.
    pub at: Time,
    /// How long it took.
    pub after: Duration,
    /// The answer.
    pub frame: Frame,
}

/// Answers kept; more are counted as duplicates of these.
const MOST: usize = 1024;

/// Sends each probe once, a little apart, and collects answers until the window is over. It never
/// requests what it was offered.
pub struct Survey {
    probes: Vec<Probe>,
    spacing: Duration,
    window: Duration,
    sent: Vec<Time>,
    next: Option<Time>,
    sightings: Vec<Sighting>,
    finished: bool,
}

impl Survey {
    /// A survey that waits for `window` after the last of the `probes`, which go out `spacing` apart so
    /// that a server need not answer two at once.
    pub fn new(probes: Vec<Probe>, spacing: Duration, window: Duration) -> Self {
        Survey {
            probes,
            spacing,
            window,
            sent: Vec::new(),
            next: Some(Time::default()),
            sightings: Vec::new(),
            finished: false,
        }
    }

    /// The questions.
    pub fn probes(&self) -> &[Probe] {
        &self.probes
    }

    /// The answers, in the order they came.
    pub fn sightings(&self) -> &[Sighting] {
        &self.sightings
    }

    /// Gives back an address that a BOOTP server bound for ever.
    fn give_back(&self, reply: &Frame, out: &mut Outbox) {
        let (Some(message), Some(ip)) = (Message::of(reply), reply.ipv4()) else {
            return;
        };
        let who = Identity {
            client_mac: message.bootp.client_mac(),
            source_mac: message.bootp.client_mac(),
            xid: message.bootp.xid,
            address: Some(message.bootp.yiaddr),
            server: Some(ip.src),
            own: None,
            server_mac: reply.ether().map(|it| it.src),
        };
        let mut frame = template::fresh(RELEASE, &who).frame();
        let tags = reply.layers.iter().filter(|it| it.name() == "Dot1Q");
        frame.layers.splice(1..1, tags.cloned());
        out.send(frame, "RELEASE of the address that BOOTP bound");
    }
}

impl Player for Survey {
    fn receive(
        &mut self,
        now: Time,
        frame: &Frame,
        fault: Option<&str>,
        out: &mut Outbox,
    ) -> Option<Verdict> {
        let mut stray = None;
        for (index, at) in self.sent.iter().enumerate() {
            let probe = self.probes.get(index)?;
            match match_reply(&probe.frame, frame)? {
                Verdict::Part => {
                    if let Some(fault) = fault {
                        return Some(Verdict::Stray(fault.to_string()));
                    }
                    let known = |it: &Sighting| it.probe == index && it.frame == *frame;
                    if self.sightings.len() >= MOST || self.sightings.iter().any(known) {
                        return Some(Verdict::Duplicate);
                    }
                    let sighting = Sighting {
                        probe: index,
                        at: now,
                        after: now - *at,
                        frame: frame.clone(),
                    };
                    let assigned = !frame.bootp()?.yiaddr.is_unspecified();
                    if probe.binds && assigned {
                        self.give_back(frame, out);
                    }
                    self.sightings.push(sighting);
                    return Some(Verdict::Part);
                }
                other => stray = stray.or(Some(other)),
            }
        }
        stray
    }

    fn wake(&mut self, now: Time, out: &mut Outbox) {
        if self.next.is_some_and(|at| at <= now) {
            match self.probes.get(self.sent.len()) {
                Some(probe) => {
                    let name = Message::of(&probe.frame).map(|it| it.type_name().into_owned());
                    let name = name.unwrap_or_else(|| "frame".into());
                    out.send(probe.frame.clone(), format!("{name} as {}", probe.kind));
                    self.sent.push(now);
                    let last = self.sent.len() == self.probes.len();
                    self.next = Some(now + if last { self.window } else { self.spacing });
                }
                None => {
                    self.next = None;
                    self.finished = true;
                }
            }
        }
    }

    fn deadline(&self) -> Option<Time> {
        self.next
    }

    fn done(&self) -> bool {
        self.finished
    }
}
