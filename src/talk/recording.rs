//! A recording read as what a client sent, what was answered, and what it took up of the answers.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use super::matching::{Verdict, match_reply};
use crate::dhcp::Message;
use crate::dhcp::enums::*;
use crate::dhcp::rewrite::Transaction;
use crate::wire::Frame;

/// A frame of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Its number in the file, from 1.
    pub number: u64,
    /// When it was recorded, counted from the file's first frame.
    pub at: Duration,
    /// The frame.
    pub frame: Frame,
}

/// A reply of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedReply {
    /// Its number in the file.
    pub number: u64,
    /// How long after the message that it answers.
    pub after: Duration,
    /// The frame.
    pub frame: Frame,
}

/// A frame to be sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its number in the file.
    pub number: u64,
    /// When it was recorded, counted from the first frame that is sent.
    pub at: Duration,
    /// The frame.
    pub frame: Frame,
    /// The replies that the recording has to it.
    pub replies: Vec<RecordedReply>,
    /// Which earlier replies its server and address come from, as step and reply of it; the latest first.
    pub follows: Vec<(usize, usize)>,
}

/// How far back is looked for the message that a reply answers, and for the reply that a message takes up.
const NEAR: usize = 64;
/// Replies remembered that a message may come from.
const FOLLOWED: usize = 8;

/// Whether a message of the one type is answered by one of the other (RFC 2131 section 3; a DISCOVER by an
/// ACK with rapid commit, RFC 4039).
fn answers(request: Option<u8>, reply: Option<u8>) -> bool {
    match reply {
        Some(OFFER) => request == Some(DISCOVER),
        Some(NAK) => request == Some(REQUEST),
        Some(ACK) => matches!(request, Some(REQUEST | INFORM)),
        None => request.is_none(),
        Some(_) => true,
    }
}

fn kind(frame: &Frame) -> Option<u8> {
    Message::of(frame)?.message_type()
}

/// Of messages of one exchange, the last first, that which a reply answers: the last of a fitting type, or
/// else the last. Says why it answers none where it only looks like it.
pub(super) fn answered<'a>(
    candidates: impl Iterator<Item = (usize, &'a Frame)>,
    reply: &Frame,
) -> Option<Result<usize, String>> {
    let (mut last, mut stray) = (None, None);
    for (at, request) in candidates.take(NEAR) {
        match match_reply(request, reply) {
            Some(Verdict::Part) if answers(kind(request), kind(reply)) => return Some(Ok(at)),
            Some(Verdict::Part) => last = last.or(Some(at)),
            Some(Verdict::Stray(reason)) => stray = stray.or(Some(reason)),
            _ => {}
        }
    }
    last.map(Ok).or(stray.map(Err))
}

/// Whether a client, or a relay agent for it, sent a frame: a request, or what is sent to a server's port
/// and is no message.
pub fn from_client(frame: &Frame) -> bool {
    match frame.bootp() {
        Some(bootp) => bootp.op == 1,
        None => frame.udp().is_some_and(|it| it.dport == 67),
    }
}

/// The steps of a recording: what clients sent, with the replies to it. With `all` every frame is one, and
/// no reply is waited for.
pub fn steps(recording: Vec<Recorded>, all: bool) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut exchanges: HashMap<Transaction, Vec<usize>> = HashMap::new();
    let mut answers: HashMap<Vec<u8>, Vec<(usize, usize)>> = HashMap::new();
    let mut begin = None;
    for it in recording {
        let whose = it.frame.bootp().map(Transaction::of);
        if all || from_client(&it.frame) {
            let at = it.at.saturating_sub(*begin.get_or_insert(it.at));
            let earlier = whose.as_ref().and_then(|it| answers.get(&it.hardware));
            let follows = earlier.map_or(Vec::new(), |it2| followed(&it.frame, it2, &steps));
            if let Some(whose) = whose {
                exchanges.entry(whose).or_default().push(steps.len());
            }
            steps.push(Step {
                number: it.number,
                at,
                frame: it.frame,
                replies: Vec::new(),
                follows,
            });
        } else if let Some(whose) = whose {
            let sent = exchanges.get(&whose).map_or(&[][..], Vec::as_slice);
            let sent = sent.iter().rev();
            let sent = sent.filter_map(|at| Some((*at, &steps.get(*at)?.frame)));
            let Some(Ok(at)) = answered(sent, &it.frame) else {
                continue;
            };
            let Some(step) = steps.get_mut(at) else {
                continue;
            };
            let begin = begin.unwrap_or_default();
            let known = answers.entry(whose.hardware).or_default();
            known.push((at, step.replies.len()));
            step.replies.push(RecordedReply {
                number: it.number,
                after: it.at.saturating_sub(begin).saturating_sub(step.at),
                frame: it.frame,
            });
        }
    }
    steps
}

/// The address that a client's message speaks of: the one asked for, or the one held.
pub fn spoken_of(message: &Message) -> Option<Ipv4Addr> {
    let held = Some(message.bootp.ciaddr).filter(|it| !it.is_unspecified());
    message.requested_ip().or(held)
}

/// The replies, the latest first, that a client's message took its address and its server from.
fn followed(frame: &Frame, replies: &[(usize, usize)], steps: &[Step]) -> Vec<(usize, usize)> {
    let Some(message) = Message::of(frame) else {
        return Vec::new();
    };
    let Some(address) = spoken_of(&message) else {
        return Vec::new();
    };
    let server = message.server_id();
    let gave = |it: &(usize, usize)| {
        let reply = steps.get(it.0).and_then(|step| step.replies.get(it.1));
        let reply = reply.and_then(|it| Message::of(&it.frame));
        reply.is_some_and(|it| {
            it.bootp.yiaddr == address && (server.is_none() || server == it.server_id())
        })
    };
    let near = replies.iter().rev().take(NEAR).filter(|it| gave(it));
    near.take(FOLLOWED).copied().collect()
}
