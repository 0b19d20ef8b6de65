//! Spoils a link on purpose: loses, duplicates and reorders frames, both ways, by seeded chance.

use std::collections::VecDeque;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::RngCore;

use super::forward::forward;
use super::{Health, Link, LinkError, Received, Spoiled, Time};

/// How far a link is spoiled: shares of the frames in each direction, 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Impairment {
    /// Frames lost.
    pub loss: f64,
    /// Frames that come twice.
    pub duplicate: f64,
    /// Frames held back until the next one has passed, or for a tenth of a second where none follows.
    pub reorder: f64,
}

/// How long a frame is held back where none follows that could overtake it.
const HELD: Duration = Duration::from_millis(100);

/// What a recording says of a frame that was sent and never left.
const LOST: &str = "lost by --impair";

/// A link that spoils what it carries.
pub struct Impair {
    inner: Box<dyn Link>,
    how: Impairment,
    chance: ChaCha8Rng,
    /// A frame to send when another has overtaken it or its time has come, and how often.
    outgoing: Option<(Time, Vec<u8>, usize)>,
    /// The same of a frame received.
    incoming: Option<(Time, Received, usize)>,
    ready: VecDeque<Received>,
    spoiled: Spoiled,
    fate: Option<&'static str>,
}

/// What becomes of a frame.
enum Fate {
    Lost,
    /// Passes so many times.
    Passes(usize),
    /// Is held back, and then passes so many times.
    Held(usize),
}

impl Impair {
    /// Spoils `inner`. Equal chance spoils equal traffic equally.
    pub fn new(inner: Box<dyn Link>, how: Impairment, chance: ChaCha8Rng) -> Self {
        Impair {
            inner,
            how,
            chance,
            outgoing: None,
            incoming: None,
            ready: VecDeque::new(),
            spoiled: Spoiled::default(),
            fate: None,
        }
    }

    /// Draws a frame's fate; `free` says that no other is held back in its direction.
    fn draw(&mut self, free: bool) -> Fate {
        // Three draws for every frame, so that the fate of one does not move those of the others.
        let mut hits = |share: f64| {
            let drawn = self.chance.next_u32();
            f64::from(drawn) < share * (f64::from(u32::MAX) + 1.0)
        };
        let (lost, twice, late) = (
            hits(self.how.loss),
            hits(self.how.duplicate),
            hits(self.how.reorder),
        );
        if lost {
            self.spoiled.lost += 1;
            return Fate::Lost;
        }
        self.spoiled.duplicated += u64::from(twice);
        let copies = if twice { 2 } else { 1 };
        match late && free {
            true => {
                self.spoiled.reordered += 1;
                Fate::Held(copies)
            }
            false => Fate::Passes(copies),
        }
    }

    /// Sends the frame held back.
    fn send_held(&mut self) -> Result<(), LinkError> {
        if let Some((_, frame, copies)) = self.outgoing.take() {
            for _ in 0..copies {
                self.inner.send(&frame)?;
            }
        }
        Ok(())
    }

    /// Has the frame that was held back arrive.
    fn deliver_held(&mut self, at: Time) {
        if let Some((_, mut frame, copies)) = self.incoming.take() {
            // It arrives now: time does not run backwards in a recording.
            frame.at = frame.at.max(at);
            self.ready.extend(std::iter::repeat_n(frame, copies));
        }
    }

    /// Lets go of what was held back long enough.
    fn release(&mut self) -> Result<(), LinkError> {
        let now = self.inner.now();
        if self.outgoing.as_ref().is_some_and(|it| it.0 <= now) {
            self.send_held()?;
        }
        if self.incoming.as_ref().is_some_and(|it| it.0 <= now) {
            self.deliver_held(now);
        }
        Ok(())
    }

    fn arrive(&mut self, frame: Received) {
        match self.draw(self.incoming.is_none()) {
            Fate::Lost => {}
            Fate::Held(copies) => {
                self.incoming = Some((self.inner.now() + HELD, frame, copies));
            }
            Fate::Passes(copies) => {
                let at = frame.at;
                self.ready.extend(std::iter::repeat_n(frame, copies));
                self.deliver_held(at);
            }
        }
    }

    /// When something that is held back is let go.
    fn due(&self) -> Option<Time> {
        let outgoing = self.outgoing.as_ref().map(|it| it.0);
        let incoming = self.incoming.as_ref().map(|it| it.0);
        outgoing.into_iter().chain(incoming).min()
    }
}

impl Drop for Impair {
    fn drop(&mut self) {
        // Held back is not lost. An error here has nobody left to be told to.
        let _ = self.send_held();
    }
}

impl Link for Impair {
    forward! { name mac link_type now is_virtual socket describe_next describe_last }

    fn send(&mut self, frame: &[u8]) -> Result<Time, LinkError> {
        self.fate = None;
        let mut at = self.inner.now();
        match self.draw(self.outgoing.is_none()) {
            Fate::Lost => self.fate = Some(LOST),
            Fate::Held(copies) => self.outgoing = Some((at + HELD, frame.to_vec(), copies)),
            Fate::Passes(copies) => {
                at = self.inner.send(frame)?;
                self.fate = self.inner.fate();
                for _ in 1..copies {
                    self.inner.send(frame)?;
                }
                self.send_held()?;
            }
        }
        Ok(at)
    }

    fn recv(&mut self, until: Time) -> Result<Option<Received>, LinkError> {
        loop {
            self.release()?;
            if let Some(frame) = self.ready.pop_front() {
                return Ok(Some(frame));
            }
            let due = self.due().filter(|due| *due < until);
            match self.inner.recv(due.unwrap_or(until))? {
                Some(frame) => self.arrive(frame),
                None if due.is_none() => return Ok(None),
                None => {}
            }
            // However many frames are lost, the wait ends.
            if self.ready.is_empty() && self.inner.now() > until {
                return Ok(None);
            }
        }
    }

    fn exhausted(&self) -> bool {
        self.inner.exhausted() && self.ready.is_empty() && self.incoming.is_none()
    }

    fn next_arrival(&self) -> Option<Time> {
        let ready = (!self.ready.is_empty()).then(|| self.inner.now());
        let times = [ready, self.due(), self.inner.next_arrival()];
        times.into_iter().flatten().min()
    }

    fn health(&mut self) -> Health {
        Health {
            spoiled: self.spoiled,
            ..self.inner.health()
        }
    }

    fn fate(&self) -> Option<&'static str> {
        self.fate
    }
}
