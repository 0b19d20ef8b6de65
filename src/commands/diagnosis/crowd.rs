//! Why some of many clients failed: the evidence of each, and the causes that it supports summed up.

use std::collections::{BTreeMap, VecDeque};

use super::causes::Found;
use super::evidence::{Class, Evidence, Loss};
use super::{Cause, Circumstances, diagnose, own, plural};
use crate::dhcp::Message;
use crate::dhcp::enums::ACK;
use crate::talk::{Event, Verdict};
use crate::wire::{Frame, MacAddr};

/// Clients of which evidence of their own is kept. One that has its lease makes room for another.
const FOLLOWED: usize = 1024;
/// Frames kept of a class for each of them.
const KEPT: usize = 8;

/// A cause that clients failed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommonCause {
    /// It, as it is for the first of them.
    pub cause: Cause,
    /// The first of them.
    pub first: MacAddr,
    /// How many they are.
    pub clients: u64,
    /// Whether the text is the same for all of them.
    pub alike: bool,
}

/// What many clients failed for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommonCauses {
    /// The causes, the likeliest first; of equally likely ones that of more clients. A client counts for its
    /// likeliest cause, or for several that are equally likely.
    pub causes: Vec<CommonCause>,
    /// Clients that failed and were too many to be followed.
    pub beyond: u64,
}

/// What a client asks.
struct Transaction {
    client: MacAddr,
    kind: Option<u8>,
    /// How often it was sent without an answer.
    tries: u32,
}

/// The evidence of each of many clients.
#[derive(Default)]
pub struct Crowd {
    clients: BTreeMap<MacAddr, Evidence>,
    /// The transactions under way, one for each client.
    transactions: BTreeMap<u32, Transaction>,
    xids: BTreeMap<MacAddr, u32>,
    loss: Loss,
    /// Those of the clients followed that have a lease, the earliest first.
    bound: VecDeque<MacAddr>,
    /// What concerns none of them alone.
    rest: Evidence,
}

impl Crowd {
    /// Takes note of an event, the frame with this number in the run.
    pub fn saw(&mut self, number: u64, event: &Event) {
        let client = match event {
            Event::Sent { frame, bytes, .. } => self.sender(frame, bytes),
            Event::Received { frame, .. } => self.receiver(frame),
        };
        self.count(event);
        let Some(client) = client else {
            return self.rest.saw(number, event);
        };
        if let Some(own) = self.clients.get_mut(&client) {
            own.saw(number, event);
        }
        if let Event::Received {
            frame,
            verdict: Some(Verdict::Part),
            ..
        } = event
            && Message::of(frame).and_then(|it| it.message_type()) == Some(ACK)
            && self.bound.len() < FOLLOWED
        {
            self.bound.push_back(client);
        }
    }

    /// Takes note of how often messages are sent until they are answered.
    fn count(&mut self, event: &Event) {
        let (frame, sent) = match event {
            Event::Sent { frame, .. } => (frame, true),
            Event::Received { frame, verdict, .. } => match verdict {
                Some(Verdict::Part) => (frame, false),
                _ => return,
            },
        };
        let Some(message) = Message::of(frame) else {
            return;
        };
        let Some(it) = self.transactions.get_mut(&message.bootp.xid) else {
            return;
        };
        match (sent, message.bootp.op) {
            (true, 1) => {
                let kind = message.message_type();
                it.tries = if it.kind == kind { it.tries + 1 } else { 1 };
                it.kind = kind;
            }
            (false, 2) if it.tries > 0 => {
                self.loss.answered += 1;
                self.loss.sent += u64::from(it.tries);
                it.tries = 0;
            }
            _ => {}
        }
    }

    /// The client that a frame of ours is from.
    fn sender(&mut self, frame: &Frame, bytes: &[u8]) -> Option<MacAddr> {
        let whole = own::message(frame, bytes);
        let Some(bootp) = whole.as_ref().and_then(|it| it.bootp()) else {
            let mac = frame.arp().and_then(|it| it.sender_mac())?;
            return self.clients.contains_key(&mac).then_some(mac);
        };
        let mac = bootp.client_mac();
        let before = self.xids.insert(mac, bootp.xid);
        if let Some(before) = before.filter(|it| *it != bootp.xid) {
            self.transactions.remove(&before);
        }
        self.transactions.entry(bootp.xid).or_insert(Transaction {
            client: mac,
            kind: None,
            tries: 0,
        });
        if !self.clients.contains_key(&mac) {
            if self.clients.len() >= FOLLOWED
                && let Some(done) = self.bound.pop_front()
            {
                self.clients.remove(&done);
            }
            if self.clients.len() < FOLLOWED {
                self.clients.insert(mac, Evidence::keeping(KEPT));
            }
        }
        Some(mac)
    }

    /// The client that a received frame is for, by its transaction or else by its address.
    fn receiver(&self, frame: &Frame) -> Option<MacAddr> {
        let mac = match frame.bootp() {
            Some(bootp) => {
                return self.asker(bootp.xid).or_else(|| {
                    let mac = bootp.client_mac();
                    (bootp.op == 2 && self.clients.contains_key(&mac)).then_some(mac)
                });
            }
            None => match frame.arp() {
                Some(_) => frame.ether()?.dst,
                // What may be a reply on other ports.
                None => {
                    let xid = frame.raw()?.get(4..8)?.first_chunk::<4>()?;
                    return self.asker(u32::from_be_bytes(*xid));
                }
            },
        };
        self.clients.contains_key(&mac).then_some(mac)
    }

    fn asker(&self, xid: u32) -> Option<MacAddr> {
        Some(self.transactions.get(&xid)?.client)
    }

    /// What the clients `failed` for; `all` is the evidence of the whole run.
    pub fn causes(
        &self,
        failed: impl Iterator<Item = MacAddr>,
        all: &Evidence,
        about: &Circumstances,
    ) -> CommonCauses {
        let mut found = CommonCauses::default();
        for client in failed {
            let Some(own) = self.clients.get(&client) else {
                found.beyond += 1;
                continue;
            };
            let mut evidence = own.amid(&self.rest, all, client);
            evidence.loss = self.loss.among(self.xids.len());
            let causes = diagnose(&evidence, about);
            let Some(likeliest) = causes.first().map(|it| it.likelihood) else {
                continue;
            };
            for cause in causes {
                if cause.likelihood == likeliest {
                    found.add(client, cause);
                }
            }
        }
        // Stable: clients' own order decides between equal ones.
        found
            .causes
            .sort_by_key(|it| (it.cause.likelihood, std::cmp::Reverse(it.clients)));
        found
    }
}

impl CommonCauses {
    fn add(&mut self, client: MacAddr, cause: Cause) {
        let Some(known) = self.causes.iter_mut().find(|it| it.cause.id == cause.id) else {
            self.causes.push(CommonCause {
                cause,
                first: client,
                clients: 1,
                alike: true,
            });
            return;
        };
        known.clients += 1;
        known.alike &= known.cause.text == cause.text;
        if cause.likelihood < known.cause.likelihood {
            (known.cause, known.first) = (cause, client);
        }
    }
}

/// Whether a client's last question may have got no answer because it was lost each time, by what happened to the
/// questions of the others.
pub(super) fn is_lossy(evidence: &Evidence) -> bool {
    let Some(last) = evidence.question() else {
        return false;
    };
    let asked = evidence.messages(Class::Asked);
    let same = asked.filter(|it| (it.1.xid, it.1.kind) == (last.xid, last.kind));
    let numbers: Vec<u64> = same.map(|it| it.0.number).collect();
    let Some(first) = numbers.first() else {
        return false;
    };
    let mut answers = evidence.messages(Class::Answer);
    let answered = answers.any(|it| it.1.xid == last.xid && it.0.number > *first);
    !answered && evidence.loss.explains(numbers.len() as u64)
}

pub fn frames_lost(evidence: &Evidence, _: &Circumstances) -> Option<Found> {
    // What was lost on purpose is told as that.
    if !is_lossy(evidence) || evidence.health.spoiled.lost > 0 {
        return None;
    }
    let Loss { answered, sent, .. } = evidence.loss;
    let sent = plural(sent, "message", "messages");
    let answered = plural(answered, "answer", "answers");
    let text = format!(
        "frames get lost: other clients sent {sent} for {answered}, and all of this one's may be \
         among the lost"
    );
    Some(Found::likely(text).on(evidence.all(Class::Asked)))
}
