//! Groups the frames of a command into exchanges (`--group`).

use std::io;

use super::args::GroupArgs;
use super::census::Change;
use super::lint::Linted;
use super::outcome::{Entry, Grouped, Observation, Sink};
use crate::link::Time;
use crate::talk::observer::{CLIENTS, Observer};

/// Passes a command's entries on, each marked with its exchange where that is wanted.
pub struct Grouping<'a> {
    inner: &'a mut dyn Sink,
    observer: Option<Observer>,
}

impl<'a> Grouping<'a> {
    /// Groups only if the flag says so.
    pub fn new(inner: &'a mut dyn Sink, args: GroupArgs) -> Self {
        Grouping {
            inner,
            observer: args.group.then(Observer::default),
        }
    }

    /// Passes on what was seen, judged at this time; with `None` at that of the last frame.
    pub fn finish(self, now: Option<Time>) -> io::Result<()> {
        let Some(observer) = self.observer else {
            return Ok(());
        };
        let seen = observer.finish(now);
        if seen.let_go > 0 {
            let all = match seen.let_go {
                1 => "1 client more than that was".to_string(),
                more => format!("{more} clients more than that were"),
            };
            self.inner.notice(&format!(
                "--group remembers {CLIENTS} clients; {all} seen, and those silent longest are not told of"
            ));
        }
        self.inner.observation(&seen)
    }
}

impl Sink for Grouping<'_> {
    fn entry(&mut self, entry: &Entry) -> io::Result<()> {
        match self.observer {
            Some(_) => self.take(entry.clone()),
            None => self.inner.entry(entry),
        }
    }

    fn take(&mut self, mut entry: Entry) -> io::Result<()> {
        if let Some(observer) = &mut self.observer {
            entry.group = match observer.see(entry.at, &entry.frame) {
                Some(mark) => Grouped::In(mark),
                None => Grouped::Apart,
            };
        }
        self.inner.take(entry)
    }

    fn findings(&mut self, linted: &Linted) -> io::Result<()> {
        self.inner.findings(linted)
    }

    fn observation(&mut self, seen: &Observation) -> io::Result<()> {
        self.inner.observation(seen)
    }

    fn notice(&mut self, text: &str) {
        self.inner.notice(text);
    }

    fn change(&mut self, change: &Change) -> io::Result<()> {
        self.inner.change(change)
    }

    fn idle(&mut self) -> io::Result<()> {
        self.inner.idle()
    }
}
