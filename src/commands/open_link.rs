//! A link that is open, and players on it.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use super::Error;
use super::here::Here;
use super::outcome::{Direction, Entry, Grouped, Sink, Verdict};
use super::session::Session;
use super::witness::Witness;
use crate::link::label::{Label, Labelled};
use crate::link::{Link, Time};
use crate::talk::{self, Event, Player, Relay, Side};
use crate::wire::Frame;

/// An open link and what is known of this end of it.
pub struct OpenLink {
    pub(super) link: Box<dyn Link>,
    /// This end of it.
    pub here: Here,
    pub(super) frames: u64,
    pub(super) first: Option<Time>,
}

impl OpenLink {
    /// The link with what is said of each frame behind a label.
    pub fn labelled(self, label: Label) -> OpenLink {
        OpenLink {
            link: Box::new(Labelled::new(self.link, label)),
            ..self
        }
    }

    /// The link itself.
    pub fn link(&mut self) -> &mut dyn Link {
        self.link.as_mut()
    }

    /// Runs players to their end. Frames that concern them go to `sink` as entries, all others only
    /// into the capture and the witness. Returns whether the user broke it off.
    pub fn play(
        &mut self,
        players: &mut [&mut dyn Player],
        session: &Session,
        sink: &mut dyn Sink,
        witness: &mut Witness,
    ) -> Result<bool, Error> {
        let (mut frames, mut first) = (self.frames, self.first);
        let mut failed = None;
        let mut asked = Asked::default();
        let link = self.link();
        let link_type = link.link_type();
        let outcome = talk::run(
            players,
            link,
            |frame| session.objection(frame),
            |event| {
                frames += 1;
                witness.saw(frames, &event);
                let entry = entry_of(event, frames, link_type, &mut first, &mut asked);
                if let Some(entry) = &entry {
                    session.remember(entry);
                }
                if let Some(entry) = entry
                    && let Err(error) = sink.take(entry)
                {
                    failed = Some(error);
                    return std::ops::ControlFlow::Break(());
                }
                std::ops::ControlFlow::Continue(())
            },
            || session.interrupted(),
        );
        (self.frames, self.first) = (frames, first);
        let health = self.link().health();
        witness.examine(health);
        witness.remarks().iter().for_each(|it| sink.notice(it));
        outcome?;
        if let Some(error) = session.failing.take() {
            return Err(error);
        }
        match failed {
            Some(error) => Err(error.into()),
            None => Ok(session.interrupted()),
        }
    }
}

/// Has a relay agent stand between the clients' link and the servers', both real, until the time is over or the
/// user stops it. What it takes, drops and sends goes to `sink`, each with its side.
pub(super) fn relay_between(
    relay: &mut Relay,
    links: [&mut OpenLink; 2],
    timeout: Option<Duration>,
    session: &Session,
    sink: &mut dyn Sink,
) -> Result<(), Error> {
    let [clients, servers] = links.map(|it| it.link());
    let link_type = clients.link_type();
    let until = timeout.map(|it| clients.now() + it);
    let (mut frames, mut first, mut asked) = (0, None, Asked::default());
    let mut failed = None;
    /// Reasons told; a flood of different ones tells nobody more.
    const REASONS: usize = 32;
    let mut dropped = BTreeSet::new();
    talk::run_between(
        relay,
        [clients, servers],
        |side, event| {
            frames += 1;
            let entry = entry_of(event, frames, link_type, &mut first, &mut asked);
            let Some(mut entry) = entry else {
                return std::ops::ControlFlow::Continue(());
            };
            if entry.direction == Direction::Received {
                entry.after = None;
                let side = match side {
                    Side::Clients => "from the clients' side",
                    Side::Servers => "from the servers' side",
                };
                entry.comment = Some(side.into());
            }
            if let Verdict::Stray(reason) = &entry.verdict
                && dropped.len() < REASONS
                && dropped.insert(reason.clone())
            {
                sink.notice(&format!("not passed on: {reason}"));
            }
            match sink.entry(&entry) {
                Ok(()) => std::ops::ControlFlow::Continue(()),
                Err(error) => {
                    failed = Some(error);
                    std::ops::ControlFlow::Break(())
                }
            }
        },
        |now| session.interrupted() || until.is_some_and(|it| it <= now),
    )?;
    match failed {
        Some(error) => Err(error.into()),
        None => Ok(()),
    }
}

/// When the last message of each transaction was sent.
#[derive(Default)]
struct Asked {
    at: HashMap<u32, Time>,
    /// Transactions, the earliest first.
    order: VecDeque<u32>,
}

/// Transactions remembered at most; as many as there can be clients at once.
const TRANSACTIONS: usize = 100_000;

impl Asked {
    fn sent(&mut self, xid: u32, at: Time) {
        if self.at.insert(xid, at).is_some() {
            return;
        }
        self.order.push_back(xid);
        if self.order.len() > TRANSACTIONS
            && let Some(oldest) = self.order.pop_front()
        {
            self.at.remove(&oldest);
        }
    }

    /// How long after the message of its transaction a reply came.
    fn since(&self, reply: &Frame, at: Time) -> Option<Duration> {
        let sent = self.at.get(&reply.bootp()?.xid)?;
        Some(at - *sent)
    }
}

/// The entry that tells of an event; `None` for a frame that concerns nobody here.
fn entry_of(
    event: Event,
    number: u64,
    link_type: u32,
    first: &mut Option<Time>,
    asked: &mut Asked,
) -> Option<Entry> {
    match event {
        Event::Sent {
            at,
            bytes,
            frame,
            note,
            ..
        } => {
            let since = at - *first.get_or_insert(at);
            if let Some(bootp) = frame.bootp() {
                asked.sent(bootp.xid, at);
            }
            Some(Entry {
                number,
                at,
                since,
                after: None,
                direction: Direction::Sent,
                link_type,
                original_len: bytes.len(),
                bytes,
                frame,
                verdict: Verdict::Part,
                checksum_unfinished: false,
                comment: Some(note),
                group: Grouped::Not,
            })
        }
        Event::Received {
            received,
            frame,
            verdict,
            remark,
            ..
        } => {
            let since = received.at - *first.get_or_insert(received.at);
            let verdict = verdict?;
            let after = asked.since(&frame, received.at);
            Some(Entry {
                number,
                at: received.at,
                since,
                after,
                direction: Direction::Received,
                link_type,
                original_len: received.original_len,
                bytes: received.bytes,
                frame,
                verdict,
                checksum_unfinished: received.checksum_unfinished,
                comment: remark,
                group: Grouped::Not,
            })
        }
    }
}
