//! What was seen on the link while no answer came: silence, explained.

use std::collections::BTreeMap;
use std::time::Duration;

use super::outcome::Silence;
use crate::dhcp::Message;
use crate::link::Health;
use crate::talk::{Event, Verdict};

/// Counts what passes, with bounded memory.
#[derive(Default)]
pub struct Witness {
    sent: u32,
    received: u64,
    taken: u64,
    strays: BTreeMap<String, u64>,
    others: u64,
    dhcp_requests: u64,
    arp_requests: u64,
    unreachable: u64,
    /// What the link knows of itself.
    pub health: Health,
}

fn plural(count: u64, one: &str, many: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        count => format!("{count} {many}"),
    }
}

/// Different reasons kept; more are counted together.
const REASONS: usize = 8;

impl Witness {
    /// Takes note of an event.
    pub fn saw(&mut self, event: &Event) {
        match event {
            Event::Sent { frame, .. } => {
                if frame.bootp().is_some() {
                    self.sent += 1;
                }
            }
            Event::Received { frame, verdict, .. } => {
                self.received += 1;
                match verdict {
                    Some(Verdict::Stray(reason)) => {
                        let full =
                            self.strays.len() >= REASONS && !self.strays.contains_key(reason);
                        let key = if full { "other reasons" } else { reason };
                        *self.strays.entry(key.to_string()).or_default() += 1;
                    }
                    Some(_) => self.taken += 1,
                    None if frame.arp().is_some() => self.arp_requests += 1,
                    None if frame.icmp().is_some_and(|icmp| icmp.kind == 3) => {
                        self.unreachable += 1
                    }
                    None if Message::of(frame).is_some_and(|it| it.bootp.op == 1) => {
                        self.dhcp_requests += 1;
                    }
                    None => self.others += 1,
                }
            }
        }
    }

    /// What to tell a person beside what came: that it is not all, or not as it was. Silence has its own
    /// words for that.
    pub fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if self.taken == 0 {
            return remarks;
        }
        if self.health.dropped > 0 {
            remarks.push(format!(
                "the kernel dropped {} because the receive queue was full: what is here is not all that came",
                plural(self.health.dropped, "frame", "frames")
            ));
        }
        let it = self.health.spoiled;
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

    /// What to tell a person who waited in vain, most telling first.
    pub fn silence(&self, waited: Duration, lab: bool) -> Silence {
        let mut findings = Vec::new();
        if self.health.up == Some(false) {
            findings.push("the interface is down: bring it up with `ip link set IFACE up`".into());
        } else if self.health.carrier == Some(false) {
            findings.push(
                "the interface has no carrier: check the cable, or the other end of the veth"
                    .into(),
            );
        }
        if self.health.dropped > 0 {
            findings.push(format!(
                "the kernel dropped {} because the queue was full: an answer may be among them",
                plural(self.health.dropped, "frame", "frames")
            ));
        }
        if self.health.spoiled.lost > 0 {
            findings.push(format!(
                "--impair lost {} on purpose: question or answer may be among them",
                plural(self.health.spoiled.lost, "frame", "frames")
            ));
        }
        for (reason, count) in &self.strays {
            findings.push(format!(
                "{} not taken: {reason}",
                plural(*count, "reply was", "replies were")
            ));
        }
        if self.unreachable > 0 {
            findings.push(format!(
                "{}: the host answers, but no DHCP server listens there",
                plural(
                    self.unreachable,
                    "ICMP \"unreachable\" came",
                    "ICMP \"unreachable\" came"
                )
            ));
        }
        if self.dhcp_requests > 0 {
            findings.push(format!(
                "{} of other clients passed, and nobody answered them here either",
                plural(self.dhcp_requests, "request", "requests")
            ));
        }
        if self.arp_requests > 0 {
            findings.push(format!(
                "{} passed, so the link carries traffic; a server may be looking for an address it wants to reply to",
                plural(self.arp_requests, "ARP packet", "ARP packets")
            ));
        }
        if self.received == 0 && findings.is_empty() {
            findings.push(if lab {
                "nothing at all arrived; in this lab nobody answers".into()
            } else {
                "nothing at all arrived: no server or relay agent on this segment, a firewall or DHCP snooping \
                 between, or the wrong interface or VLAN"
                    .into()
            });
        } else if self.others > 0 {
            findings.push(format!(
                "{} arrived that are neither ARP nor an answer",
                plural(self.others, "frame", "frames")
            ));
        }
        Silence {
            waited,
            tries: self.sent,
            findings,
        }
    }

    /// Replies that were not taken, by reason.
    pub fn strays(&self) -> impl Iterator<Item = (&str, u64)> {
        self.strays
            .iter()
            .map(|(reason, count)| (reason.as_str(), *count))
    }
}
