//! Looks on: takes every frame for its business and sends nothing.

use std::time::Duration;

use super::matching::Verdict;
use super::player::{Outbox, Player};
use crate::link::Time;
use crate::wire::Frame;

/// Watches a link, until enough was seen or the time is over.
pub struct Watch {
    left: Option<u64>,
    timeout: Option<Duration>,
    end: Option<Time>,
    over: bool,
    wanted: Box<dyn Fn(&Frame) -> bool>,
}

impl Watch {
    /// Watches for `count` frames that are `wanted`, or for `timeout`, whichever comes first; without
    /// either, for ever.
    pub fn new(
        count: Option<u64>,
        timeout: Option<Duration>,
        wanted: impl Fn(&Frame) -> bool + 'static,
    ) -> Self {
        Watch {
            left: count,
            timeout,
            end: None,
            over: count == Some(0),
            wanted: Box::new(wanted),
        }
    }
}

impl Player for Watch {
    fn receive(
        &mut self,
        _now: Time,
        frame: &Frame,
        _fault: Option<&str>,
        _out: &mut Outbox,
    ) -> Option<Verdict> {
        if self.over || !(self.wanted)(frame) {
            return None;
        }
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(1);
            self.over = *left == 0;
        }
        Some(Verdict::Part)
    }

    fn wake(&mut self, now: Time, _out: &mut Outbox) {
        match (self.end, self.timeout) {
            (None, Some(timeout)) => self.end = Some(now + timeout),
            (Some(end), _) if now >= end => self.over = true,
            _ => {}
        }
    }

    fn deadline(&self) -> Option<Time> {
        self.end
    }

    fn done(&self) -> bool {
        self.over
    }
}
