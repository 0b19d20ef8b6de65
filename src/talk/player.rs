//! What a player is, and its seat on a segment inside the process.

use std::time::Duration;

use super::matching::Verdict;
use crate::link::Time;
use crate::link::segment::{Station, Transmission};
use crate::wire::Frame;

/// A frame that a player sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// The frame.
    pub frame: Frame,
    /// How long after now it is to leave.
    pub delay: Duration,
    /// What it is, for the capture's comment: `DISCOVER, try 1`.
    pub note: String,
}

/// What a player wants sent.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    /// In order of sending.
    pub frames: Vec<Outgoing>,
    /// What there is to say of the frame that was received: why nothing is sent for it.
    pub remark: Option<String>,
}

impl Outbox {
    /// Sends a frame at once.
    pub fn send(&mut self, frame: Frame, note: impl Into<String>) {
        self.send_after(Duration::ZERO, frame, note);
    }

    /// Sends a frame after a while.
    pub fn send_after(&mut self, delay: Duration, frame: Frame, note: impl Into<String>) {
        self.frames.push(Outgoing {
            frame,
            delay,
            note: note.into(),
        });
    }
}

/// A sans-I/O state machine that takes part in exchanges.
pub trait Player {
    /// A frame arrived. Says what it is to this player, `None` when it is none of its business.
    /// `fault` tells of a checksum that a real host would have dropped the frame for.
    fn receive(
        &mut self,
        now: Time,
        frame: &Frame,
        fault: Option<&str>,
        out: &mut Outbox,
    ) -> Option<Verdict>;

    /// The deadline has come; the first call, at the start, has none before it.
    fn wake(&mut self, now: Time, out: &mut Outbox);

    /// When the player wants to be woken; `None` when it waits for frames only.
    fn deadline(&self) -> Option<Time>;

    /// Whether the player has nothing left to do by itself. One that only answers others never has.
    fn done(&self) -> bool {
        true
    }

    /// Whether it takes note also of a frame that comes when all are done.
    fn hears_late(&self) -> bool {
        false
    }
}

/// A player that begins later than the others.
pub struct Late<P> {
    inner: P,
    delay: Duration,
    begins: Option<Time>,
    begun: bool,
}

impl<P> Late<P> {
    /// `inner`, which begins after a while.
    pub fn new(inner: P, delay: Duration) -> Self {
        Late {
            inner,
            delay,
            begins: None,
            begun: false,
        }
    }

    /// The player itself.
    pub fn inner(&self) -> &P {
        &self.inner
    }
}

impl<P: Player> Player for Late<P> {
    fn receive(
        &mut self,
        now: Time,
        frame: &Frame,
        fault: Option<&str>,
        out: &mut Outbox,
    ) -> Option<Verdict> {
        match self.begun {
            true => self.inner.receive(now, frame, fault, out),
            false => None,
        }
    }

    fn wake(&mut self, now: Time, out: &mut Outbox) {
        let begins = *self.begins.get_or_insert(now + self.delay);
        if now >= begins {
            self.begun = true;
            self.inner.wake(now, out);
        }
    }

    fn deadline(&self) -> Option<Time> {
        match (self.begun, self.begins) {
            (false, Some(begins)) => Some(begins),
            _ => self.inner.deadline(),
        }
    }

    fn done(&self) -> bool {
        self.begun && self.inner.done()
    }
}

/// A player seated as a station on a segment.
pub struct Seated<P>(pub P);

fn transmit(out: Outbox, to: &mut Vec<Transmission>) {
    to.extend(out.frames.into_iter().map(|it| Transmission {
        delay: it.delay,
        bytes: it.frame.encode(),
    }));
}

impl<P: Player> Station for Seated<P> {
    fn receive(&mut self, now: Time, frame: &[u8], to: &mut Vec<Transmission>) {
        let frame = Frame::decode(frame);
        let fault = super::checksum_fault(&frame, false);
        let mut out = Outbox::default();
        self.0.receive(now, &frame, fault.as_deref(), &mut out);
        transmit(out, to);
    }

    fn wake(&mut self, now: Time, to: &mut Vec<Transmission>) {
        let mut out = Outbox::default();
        self.0.wake(now, &mut out);
        transmit(out, to);
    }

    fn deadline(&self) -> Option<Time> {
        self.0.deadline()
    }
}
