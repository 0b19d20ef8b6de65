//! Runs players over a link.

use std::collections::BTreeMap;

use super::matching::{Verdict, better, checksum_fault};
use super::player::{Outbox, Player};
use super::relay::{Both, Relay, Side};
use crate::dhcp::Message;
use crate::link::{Link, LinkError, Received, Time, wait_for_any};
use crate::wire::{Frame, Layer};

/// Something that happened on the link while players ran.
#[derive(Clone, Debug)]
pub enum Event {
    /// A frame left.
    Sent {
        /// When.
        at: Time,
        /// The bytes.
        bytes: Vec<u8>,
        /// The frame with its fields as they went out.
        frame: Frame,
        /// What it is.
        note: String,
        /// Why it never left, if it did not.
        fate: Option<&'static str>,
    },
    /// A frame arrived.
    Received {
        /// As the link gave it.
        received: Received,
        /// Decoded.
        frame: Frame,
        /// What it is to the players; `None` when it concerns none of them.
        verdict: Option<Verdict>,
        /// A wrong checksum, or another reason not to take it.
        fault: Option<String>,
        /// What a player has to say of it.
        remark: Option<String>,
    },
}

/// How long real links are waited for at a time.
const TICK: std::time::Duration = std::time::Duration::from_millis(100);

/// Frames taken in a row while others are due to be sent: as many as pile up while a crowd begins, and soon done.
const BURST: usize = 512;

/// What the observer of a run wants.
pub type Proceed = std::ops::ControlFlow<()>;

/// Runs `players` on `link` until all are done or `observe` breaks off. What a frame is, the player says
/// whose business it is most; `object` says why a frame must not be taken for an answer. `link` is asked at
/// short intervals on a real clock, so that `interrupted` can break off while nothing arrives.
///
/// Events come in the order of their times: before a frame is sent, those that arrived are taken. Only under a
/// flood of them some are taken later than what was sent meanwhile.
pub fn run(
    players: &mut [&mut dyn Player],
    link: &mut dyn Link,
    mut object: impl FnMut(&Frame) -> Option<String>,
    mut observe: impl FnMut(Event) -> Proceed,
    mut interrupted: impl FnMut() -> bool,
) -> Result<(), LinkError> {
    // By the time to leave; frames for the same moment leave in the order they were given.
    let mut delayed: BTreeMap<(Time, u64), super::Outgoing> = BTreeMap::new();
    let mut given = 0;
    let mut out = Outbox::default();
    // Frames taken in a row while one is due to be sent.
    let mut taken = 0;
    let now = link.now();
    for player in players.iter_mut() {
        player.wake(now, &mut out);
    }
    loop {
        if interrupted() {
            return Ok(());
        }
        let now = link.now();
        for it in out.frames.drain(..) {
            given += 1;
            delayed.insert((now + it.delay, given), it);
        }
        let due = delayed
            .first_key_value()
            .is_some_and(|((at, _), _)| *at <= now);
        let waiting = match due && !link.is_virtual() && taken < BURST {
            true => link.recv(now)?,
            false => None,
        };
        // After so many all that is due leaves first, so that no flood holds it up or has it pile up.
        taken = match (due, &waiting) {
            (true, Some(_)) => taken + 1,
            (true, None) if taken == BURST => BURST,
            _ => 0,
        };
        if due
            && waiting.is_none()
            && let Some((_, it)) = delayed.pop_first()
        {
            let bytes = it.frame.encode();
            link.describe_next(&it.note);
            let at = link.send(&bytes)?;
            let fate = link.fate();
            let note = match fate {
                Some(fate) => format!("{}, {fate}", it.note),
                None => it.note,
            };
            let event = Event::Sent {
                at,
                frame: Frame::decode_as(link.link_type(), &bytes),
                bytes,
                note,
                fate,
            };
            if observe(event).is_break() {
                return Ok(());
            }
            continue;
        }
        if delayed.is_empty() && players.iter().all(|player| player.done()) {
            return Ok(());
        }
        let due = players
            .iter()
            .filter(|player| !player.done())
            .filter_map(|player| player.deadline())
            .chain(delayed.first_key_value().map(|((at, _), _)| *at))
            .min();
        let until = match (due, link.is_virtual()) {
            (Some(due), true) => due,
            (Some(due), false) => due.min(now + TICK),
            (None, false) => now + TICK,
            (None, true) => match link.next_arrival() {
                Some(at) => at,
                // Nothing will ever happen on a virtual clock without a deadline.
                None => return Ok(()),
            },
        };
        let received = match waiting {
            None => link.recv(until)?,
            waiting => waiting,
        };
        match received {
            Some(received) => {
                // In the order of time: under a flood there is always a next frame, and deadlines pass.
                for player in players.iter_mut() {
                    if player.deadline().is_some_and(|at| at < received.at) {
                        player.wake(link.now(), &mut out);
                    }
                }
                let over = out.frames.is_empty()
                    && delayed.is_empty()
                    && players.iter().all(|player| player.done());
                let frame = Frame::decode_as(link.link_type(), &received.bytes);
                let fault = checksum_fault(&frame, received.checksum_unfinished);
                let fault = fault.or_else(|| object(&frame));
                let mut verdict = None;
                // What came too late is nobody's, and yet it came: a recording has it, so it counts.
                for player in players.iter_mut().filter(|it| !over || it.hears_late()) {
                    let said = player.receive(received.at, &frame, fault.as_deref(), &mut out);
                    verdict = better(verdict, said);
                }
                let remark = out.remark.take();
                let mut described = match over {
                    true => format!("{}, after the end", name_of(&frame)),
                    false => description(&frame, verdict.as_ref()),
                };
                if let Some(remark) = &remark {
                    described = format!("{described}, {remark}");
                }
                link.describe_last(&described);
                let event = Event::Received {
                    received,
                    frame,
                    verdict,
                    fault,
                    remark,
                };
                if observe(event).is_break() || over {
                    return Ok(());
                }
            }
            None => {
                let now = link.now();
                for player in players.iter_mut() {
                    if player.deadline().is_some_and(|at| at <= now) {
                        player.wake(now, &mut out);
                    }
                }
                if link.exhausted() {
                    return Ok(());
                }
            }
        }
    }
}

/// Has a relay agent stand between two links of one clock, a real one, the clients' first, until `stop` says so at
/// a time or `observe` breaks off. Both are waited for at once, and `stop` is asked at least every tenth of a second.
pub fn run_between(
    relay: &mut Relay,
    mut links: [&mut dyn Link; 2],
    mut observe: impl FnMut(Side, Event) -> Proceed,
    mut stop: impl FnMut(Time) -> bool,
) -> Result<(), LinkError> {
    /// Frames taken from one link before the other has its turn.
    const BURST: usize = 64;
    loop {
        let mut quiet = true;
        for (at, side) in [Side::Clients, Side::Servers].into_iter().enumerate() {
            for _ in 0..BURST {
                let now = links[at].now();
                if stop(now) {
                    return Ok(());
                }
                let Some(received) = links[at].recv(now)? else {
                    break;
                };
                quiet = false;
                let mut out = Both::default();
                let frame = Frame::decode_as(links[at].link_type(), &received.bytes);
                let fault = checksum_fault(&frame, received.checksum_unfinished);
                let verdict = relay.receive(side, received.at, &frame, fault.as_deref(), &mut out);
                links[at].describe_last(&description(&frame, verdict.as_ref()));
                let event = Event::Received {
                    received,
                    frame,
                    verdict,
                    fault,
                    remark: None,
                };
                if observe(side, event).is_break()
                    || send_both(out, &mut links, &mut observe)?.is_break()
                {
                    return Ok(());
                }
            }
        }
        let now = links[0].now();
        if relay.deadline().is_some_and(|at| at <= now) {
            let mut out = Both::default();
            relay.wake(now, &mut out);
            if send_both(out, &mut links, &mut observe)?.is_break() {
                return Ok(());
            }
        }
        if quiet {
            let due = relay.deadline().into_iter();
            let until = due.chain([now + TICK]).min().unwrap_or(now);
            wait_for_any(&links, until)?;
        }
    }
}

/// Sends what a relay agent wants sent on each of its links.
fn send_both(
    out: Both,
    links: &mut [&mut dyn Link; 2],
    observe: &mut impl FnMut(Side, Event) -> Proceed,
) -> Result<Proceed, LinkError> {
    let sides = [(Side::Clients, out.clients), (Side::Servers, out.servers)];
    for ((side, out), link) in sides.into_iter().zip(links) {
        for it in out.frames {
            let bytes = it.frame.encode();
            link.describe_next(&it.note);
            let event = Event::Sent {
                at: link.send(&bytes)?,
                frame: Frame::decode_as(link.link_type(), &bytes),
                bytes,
                note: it.note,
                fate: link.fate(),
            };
            if observe(side, event).is_break() {
                return Ok(Proceed::Break(()));
            }
        }
    }
    Ok(Proceed::Continue(()))
}

/// What a frame is called: its message type, or the innermost layer that says more than that there are bytes.
fn name_of(frame: &Frame) -> String {
    if let Some(message) = Message::of(frame) {
        return message.type_name().into_owned();
    }
    if let Some(icmp) = frame.icmp() {
        return match icmp.kind {
            0 => "ICMP echo reply".into(),
            3 => format!("ICMP unreachable, code {}", icmp.code),
            8 => "ICMP echo request".into(),
            kind => format!("ICMP type {kind}"),
        };
    }
    let mut layers = frame.layers.iter().rev();
    let told = layers.find(|it| matches!(it, Layer::Arp(_) | Layer::Udp(_) | Layer::Ipv4(_)));
    let layer = told.or(frame.layers.last());
    layer.map_or("empty frame", |it| it.name()).to_string()
}

/// What a received frame is, in a few words.
fn description(frame: &Frame, verdict: Option<&Verdict>) -> String {
    let name = name_of(frame);
    match verdict {
        Some(Verdict::Part) => name,
        Some(Verdict::Duplicate) => format!("{name}, duplicate"),
        Some(Verdict::Stray(reason)) => format!("{name}, stray: {reason}"),
        None => format!("{name}, not ours"),
    }
}
