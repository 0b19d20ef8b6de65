//! Asks a server: sends messages and hears whatever comes back that is about them, right or wrong.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::host::Host;
use super::matching::{Verdict, match_reply};
use super::player::{Outbox, Player};
use crate::dhcp::Message;
use crate::link::Time;
use crate::wire::{Frame, MacAddr, SERVER_PORT};

/// Time between two messages, so that they arrive in order.
const GAP: Duration = Duration::from_millis(1);

/// What to send, what to wait for, and which addresses to answer for meanwhile.
#[derive(Clone, Debug, Default)]
pub struct AskerConfig {
    /// Each message with what it is, for the capture; all are sent at once.
    pub frames: Vec<(Frame, String)>,
    /// How long to wait for answers.
    pub wait: Duration,
    /// Whether to stop when each message has an answer.
    pub first: bool,
    /// The addresses that this side plays.
    pub host: Host,
    /// An address that somebody is to have who answers ARP and ping for it.
    pub occupied: Option<(Ipv4Addr, MacAddr)>,
    /// The server asked; what others send is none of this player's business.
    pub server: Option<MacAddr>,
}

/// Sends messages once and hears the answers: a reply that belongs to one of them is a part, one that
/// only looks like it (another xid, another chaddr, another port, a wrong checksum, cut short) a stray.
pub struct Asker {
    config: AskerConfig,
    answered: Vec<bool>,
    end: Option<Time>,
    finished: bool,
}

impl Asker {
    /// An asker that has not sent anything yet.
    pub fn new(mut config: AskerConfig) -> Self {
        if let Some((ip, mac)) = config.occupied {
            config.host.add(ip, mac);
        }
        Asker {
            answered: vec![false; config.frames.len()],
            config,
            end: None,
            finished: false,
        }
    }

    /// What a frame is to the messages sent.
    fn judge(&mut self, frame: &Frame, fault: Option<&str>) -> Option<Verdict> {
        let mut stray = None;
        for (at, (request, _)) in self.config.frames.iter().enumerate() {
            let Some(verdict) = match_reply(request, frame) else {
                continue;
            };
            if verdict == Verdict::Part {
                if let Some(fault) = fault {
                    return Some(Verdict::Stray(fault.to_string()));
                }
                if let Some(it) = self.answered.get_mut(at) {
                    *it = true;
                }
                self.finished |= self.config.first && self.answered.iter().all(|it| *it);
                return Some(Verdict::Part);
            }
            if about(request, frame) {
                stray = stray.or(Some(verdict));
            }
        }
        stray
    }
}

/// Whether a reply that is no answer to the request is about it all the same: its xid or its client.
fn about(request: &Frame, reply: &Frame) -> bool {
    let (Some(sent), Some(got)) = (Message::of(request), Message::of(reply)) else {
        return false;
    };
    got.bootp.xid == sent.bootp.xid || got.bootp.client_hardware() == sent.bootp.client_hardware()
}

impl Player for Asker {
    fn receive(
        &mut self,
        _now: Time,
        frame: &Frame,
        fault: Option<&str>,
        out: &mut Outbox,
    ) -> Option<Verdict> {
        if let Some((answer, note)) = self.config.host.answer(frame) {
            out.send(answer, note);
            return Some(Verdict::Part);
        }
        let source = frame.ether()?.src;
        if self.config.server.is_some_and(|it| it != source) {
            return None;
        }
        if frame.arp().is_some() {
            return Some(Verdict::Stray("nobody here has that address".into()));
        }
        let from = frame.udp()?.sport;
        if from != SERVER_PORT {
            return self.judge(frame, Some(&format!("from port {from}, not {SERVER_PORT}")));
        }
        if frame.bootp().is_none() {
            return Some(Verdict::Stray("cut short".into()));
        }
        self.judge(frame, fault)
    }

    fn wake(&mut self, now: Time, out: &mut Outbox) {
        match self.end {
            None => {
                let last = GAP * self.config.frames.len().saturating_sub(1) as u32;
                self.end = Some(now + last + self.config.wait);
                for (at, (frame, note)) in (0..).zip(&self.config.frames) {
                    out.send_after(GAP * at, frame.clone(), note.clone());
                }
            }
            Some(end) => self.finished |= now >= end,
        }
    }

    fn deadline(&self) -> Option<Time> {
        Some(self.end.unwrap_or_default())
    }

    fn done(&self) -> bool {
        self.finished
    }
}
