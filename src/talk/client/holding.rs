//! Living with a lease: BOUND, RENEWING, REBINDING, its end (RFC 2131 section 4.4.5).

use rand_chacha::rand_core::RngCore;

use super::conflict::REST;
use super::{Client, ClientEnd, State};
use crate::link::Time;
use crate::talk::hold::{Held, Phase};
use crate::talk::player::Outbox;
use crate::wire::*;

impl Client {
    /// Holds the lease, or ends with it.
    pub(super) fn bound(&mut self, now: Time, ack: &Frame) {
        let hold = self.config.hold.filter(|_| self.closing.is_none());
        let held = hold.and_then(|hold| {
            self.until.get_or_insert(now + hold.length);
            Held::new(ack, self.said, hold.scale)
        });
        let Some(held) = held else {
            self.state = State::Ended(ClientEnd::Bound(Box::new(ack.clone())));
            return;
        };
        match held.first(now) {
            Ok(due) => {
                self.due = due;
                self.state = State::Holding(Box::new(held), false);
            }
            Err(()) => {
                // RFC 2131 section 3.1 (5) has a client that cannot use what it was given wait before it asks again:
                // there is no end to the exchange otherwise.
                self.useless += 1;
                (self.asked, self.sent) = (now, 0);
                self.state = State::Resting(None);
                self.due = Some(now + REST);
            }
        }
    }

    /// The time of holding is over. What was just asked for is waited for, and nothing is said any more.
    pub(super) fn close(&mut self, now: Time) {
        let answer_by = self.said + self.config.timeout;
        let last = match &self.state {
            State::Holding(held, true) => {
                Some(held.ends().map_or(answer_by, |it| it.min(answer_by)))
            }
            State::Requesting => Some(self.asked + self.config.timeout),
            _ => None,
        };
        match last.filter(|last| *last > now) {
            Some(last) => self.closing = Some(last),
            None => self.finish(now),
        }
    }

    /// The end of holding, whatever has become of the lease by then.
    pub(super) fn finish(&mut self, now: Time) {
        let end = match &self.state {
            State::Holding(held, _) => ClientEnd::Bound(Box::new(held.ack().clone())),
            State::Probing(ack, _) => ClientEnd::Bound(ack.clone()),
            State::Resting(Some((address, mac))) => ClientEnd::Declined(*address, *mac),
            State::Requesting | State::Rebooting => ClientEnd::NoAck,
            State::Init | State::Selecting(_) | State::Resting(None) => {
                ClientEnd::NoOffer(self.offers.len())
            }
            State::Ended(_) => return,
        };
        self.give_up(now, end);
    }

    /// What the time brings to a held lease: a REQUEST, or the end of the lease.
    pub(super) fn age(&mut self, now: Time, out: &mut Outbox) {
        let State::Holding(held, _) = &self.state else {
            return;
        };
        if self.due.is_none_or(|due| due > now) {
            return;
        }
        let phase = held.phase(now);
        if phase == Phase::Expired {
            return self.restart(now, out);
        }
        if phase == Phase::Renewing && self.find_hop(now, out) {
            return;
        }
        let State::Holding(held, waiting) = &self.state else {
            return;
        };
        let (again, repeated) = (held.again(now), *waiting);
        if !repeated {
            self.config.identity.xid = self.chance.next_u32();
            self.began = now;
        }
        let State::Holding(held, waiting) = &mut self.state else {
            return;
        };
        let Some(mut draft) = held.request(phase, &self.config.identity) else {
            return;
        };
        *waiting = true;
        let (next, address) = (held.next(now), held.address());
        draft.bootp.secs = (now - self.began).as_secs().min(0xffff) as u16;
        self.request = (self.config.build)(draft);
        self.said = now;
        self.transmissions += 1;
        self.repetitions += u32::from(repeated);
        let name = if phase == Phase::Rebinding {
            "rebinding"
        } else {
            "renewing"
        };
        out.send(self.request.clone(), format!("REQUEST, {name} {address}"));
        self.seen.clear();
        self.due = [again, next].into_iter().flatten().min();
    }

    /// Asks who leads to the server, where that is to be found out first. One who plays another machine than
    /// the client has its own ways.
    fn find_hop(&mut self, now: Time, out: &mut Outbox) -> bool {
        let who = &self.config.identity;
        let (State::Holding(held, _), true) = (&mut self.state, who.source_mac == who.client_mac)
        else {
            return false;
        };
        let Some((hop, wait)) = held.ask() else {
            return false;
        };
        let (mac, own) = (who.source_mac, held.address());
        out.send(self.arp(mac, own, hop), format!("ARP: who has {hop}?"));
        self.due = Some(now + wait);
        true
    }
}
