//! How replies leave: with everything done to them that the faults say.

use std::time::Duration;

use super::Server;
use crate::link::Time;
use crate::talk::fault::{Fault, Spoiled};
use crate::talk::player::{Outbox, Outgoing};

/// How long a reply is held back where none follows that could overtake it.
const HELD: Duration = Duration::from_secs(1);

impl Server {
    /// Sends a reply, with everything done to it that the faults say; `false` where they lose it.
    pub(super) fn send(&mut self, now: Time, reply: Outgoing, out: &mut Outbox) -> bool {
        let whole = Spoiled {
            delay: self.config.think + reply.delay,
            frame: reply.frame,
            cut: None,
        };
        // Each with the faults that did something to it.
        let mut all = vec![(whole, Vec::new())];
        for fault in &self.config.faults {
            let mut spoiled = Vec::new();
            for (it, mut names) in all {
                let left = fault.spoil(it.clone(), &mut self.chance);
                if left != [it] {
                    names.push(fault.name());
                }
                spoiled.extend(left.into_iter().map(|it| (it, names.clone())));
            }
            all = spoiled;
        }
        let reorder = self.config.faults.contains(&Fault::Reorder);
        let any = !all.is_empty();
        for (it, names) in all {
            let note = match names.is_empty() {
                true => reply.note.clone(),
                false => format!("{}, with {}", reply.note, names.join(" and ")),
            };
            let delay = it.delay;
            let frame = it.finish();
            self.odd = !self.odd;
            if reorder && self.odd && self.held.is_none() {
                self.held = Some((now + HELD, frame, format!("{note}, held back")));
                continue;
            }
            out.send_after(delay, frame, note);
            if let Some((_, frame, note)) = self.held.take() {
                out.send_after(delay + Duration::from_millis(1), frame, note);
            }
        }
        any
    }
}
