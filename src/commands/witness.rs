//! What was seen on the link while an exchange ran, for what is told when it failed.

use std::time::Duration;

use super::diagnosis::{
    Cause, Circumstances, CommonCauses, Crowd, Evidence, diagnose, message_sent, plural,
};
use super::outcome::Silence;
use crate::link::Health;
use crate::talk::{Event, Verdict};
use crate::wire::MacAddr;

/// Counts what passes and keeps what a diagnosis needs, in bounded memory.
#[derive(Default)]
pub struct Witness {
    sent: u32,
    taken: u64,
    evidence: Evidence,
    /// The same of each client, where there are many.
    crowd: Option<Crowd>,
}

impl Witness {
    /// One that tells clients apart.
    pub fn of_many() -> Self {
        Witness {
            crowd: Some(Crowd::default()),
            ..Witness::default()
        }
    }

    /// Takes note of an event, the frame with this number in the run.
    pub fn saw(&mut self, number: u64, event: &Event) {
        match event {
            Event::Sent { frame, bytes, .. }
                if frame.bootp().is_some() || message_sent(frame, bytes).is_some() =>
            {
                self.sent += 1;
            }
            Event::Received {
                verdict: Some(Verdict::Part | Verdict::Duplicate),
                ..
            } => self.taken += 1,
            _ => {}
        }
        self.evidence.saw(number, event);
        if let Some(crowd) = &mut self.crowd {
            crowd.saw(number, event);
        }
    }

    /// Takes note of what the link knows of itself.
    pub fn examine(&mut self, health: Health) {
        self.evidence.health = health;
    }

    /// What to tell a person beside what came: that it is not all, or not as it was. Silence has its own
    /// words for that.
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if self.taken == 0 {
            return remarks;
        }
        let health = self.evidence.health;
        if health.dropped > 0 {
            remarks.push(format!(
                "the kernel dropped {} because the receive queue was full: what is here is not all that came",
                plural(health.dropped, "frame", "frames")
            ));
        }
        let it = health.spoiled;
        if it.lost + it.duplicated + it.reordered > 0 {
            remarks.push(format!(
                "--impair: {} lost, {} duplicated, {} reordered",
                plural(it.lost, "frame", "frames"),
                it.duplicated,
                it.reordered
            ));
        }
        remarks
    }

    /// Why the exchange failed, the likeliest cause first.
    pub fn diagnosis(&self, about: &Circumstances) -> Vec<Cause> {
        diagnose(&self.evidence, about)
    }

    /// What these of many clients failed for.
    pub fn common_causes(
        &self,
        failed: impl Iterator<Item = MacAddr>,
        about: &Circumstances,
    ) -> CommonCauses {
        let crowd = self.crowd.as_ref();
        crowd.map_or(CommonCauses::default(), |it| {
            it.causes(failed, &self.evidence, about)
        })
    }

    /// What to tell a person who waited in vain.
    pub fn silence(&self, waited: Duration, about: &Circumstances) -> Silence {
        Silence {
            waited,
            tries: self.sent,
            causes: self.diagnosis(about),
        }
    }
}
