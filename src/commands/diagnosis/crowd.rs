//! Why some of many clients failed: the evidence of each, and the causes that it supports summed up.

use std::collections::{BTreeMap, VecDeque};

use super::evidence::Evidence;
use super::{Cause, Circumstances, diagnose};
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

/// The evidence of each of many clients.
#[derive(Default)]
pub struct Crowd {
    clients: BTreeMap<MacAddr, Evidence>,
    /// Whose a transaction is.
    xids: BTreeMap<u32, MacAddr>,
    /// Those of the clients followed that have a lease, the earliest first.
    bound: VecDeque<MacAddr>,
    /// What concerns none of them alone.
    rest: Evidence,
}

impl Crowd {
    /// Takes note of an event, the frame with this number in the run.
    pub fn saw(&mut self, number: u64, event: &Event) {
        let client = match event {
            Event::Sent { frame, .. } => self.sender(frame),
            Event::Received { frame, .. } => self.receiver(frame),
        };
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

    /// The client that a frame of ours is from.
    fn sender(&mut self, frame: &Frame) -> Option<MacAddr> {
        let Some(bootp) = frame.bootp().filter(|it| it.op == 1) else {
            let mac = frame.arp().and_then(|it| it.sender_mac())?;
            return self.clients.contains_key(&mac).then_some(mac);
        };
        let mac = bootp.client_mac();
        self.xids.insert(bootp.xid, mac);
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
                let of_xid = self.xids.get(&bootp.xid).copied();
                return of_xid.or_else(|| {
                    let mac = bootp.client_mac();
                    (bootp.op == 2 && self.clients.contains_key(&mac)).then_some(mac)
                });
            }
            None => match frame.arp() {
                Some(_) => frame.ether()?.dst,
                // What may be a reply on other ports.
                None => {
                    let xid = frame.raw()?.get(4..8)?.first_chunk::<4>()?;
                    return self.xids.get(&u32::from_be_bytes(*xid)).copied();
                }
            },
        };
        self.clients.contains_key(&mac).then_some(mac)
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
            let evidence = own.amid(&self.rest, all, client);
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
