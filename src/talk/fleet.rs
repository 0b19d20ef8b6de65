//! Many clients on one link: each frame goes to those whom it concerns, and each deadline wakes its own.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use super::client::Client;
use super::matching::{Verdict, better};
use super::player::{Late, Outbox, Player};
use crate::link::Time;
use crate::wire::{Bootp, Frame};

/// By what a frame concerns a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// The transaction of its message under way.
    Xid(u32),
    /// The hardware address in that message: chaddr up to hlen.
    Hardware([u8; 16], usize),
    /// An address that it has, or looks for.
    Address(Ipv4Addr),
}

impl Key {
    /// The keys of a message.
    pub(super) fn of(bootp: &Bootp) -> [Key; 2] {
        let own = bootp.client_hardware();
        let mut padded = [0; 16];
        padded.iter_mut().zip(own).for_each(|(to, it)| *to = *it);
        [Key::Xid(bootp.xid), Key::Hardware(padded, own.len())]
    }

    /// The keys of a received frame.
    fn of_frame(frame: &Frame) -> Vec<Key> {
        if let Some(bootp) = frame.bootp() {
            return Key::of(bootp).to_vec();
        }
        let arp = frame.arp().map(|it| [it.sender_ip(), it.target_ip()]);
        let pinged = frame.icmp().and(frame.ipv4()).map(|it| it.dst);
        let addresses = arp.into_iter().flatten().flatten().chain(pinged);
        addresses.map(Key::Address).collect()
    }
}

/// Clients that are one player together. A run of many takes time that grows with their number and not with its
/// square, as it would if each frame and each deadline were looked at by every client.
pub struct Fleet {
    clients: Vec<Late<Client>>,
    /// Of each client what it goes by here: its keys, its deadline, whether it is done.
    known: Vec<(Vec<Key>, Option<Time>, bool)>,
    by_key: BTreeSet<(Key, usize)>,
    due: BTreeSet<(Time, usize)>,
    left: usize,
    begun: bool,
}

impl Fleet {
    /// These clients. Of what happens at the same time, the earlier in the list has its turn first.
    pub fn new(clients: Vec<Late<Client>>) -> Self {
        Fleet {
            known: vec![(Vec::new(), None, false); clients.len()],
            left: clients.len(),
            clients,
            by_key: BTreeSet::new(),
            due: BTreeSet::new(),
            begun: false,
        }
    }

    /// The clients.
    pub fn clients(&self) -> impl ExactSizeIterator<Item = &Client> {
        self.clients.iter().map(Late::inner)
    }

    /// The clients that a frame concerns, in their order. Of a reply to none of them the first one says why it is
    /// not its own.
    fn concerned(&self, frame: &Frame) -> BTreeSet<usize> {
        let mut all = BTreeSet::new();
        for key in Key::of_frame(frame) {
            let found = self.by_key.range((key, 0)..=(key, usize::MAX));
            all.extend(found.map(|(_, index)| *index));
        }
        if all.is_empty() && frame.bootp().is_some() {
            all.insert(0);
        }
        all
    }

    /// Has a client act, and takes note of what it waits for then.
    fn act<T>(&mut self, index: usize, action: impl FnOnce(&mut Late<Client>) -> T) -> Option<T> {
        let client = self.clients.get_mut(index)?;
        let (keys, due, done) = self.known.get_mut(index)?;
        let given = action(client);
        let new = client.inner().keys();
        if new != *keys {
            keys.iter().for_each(|key| {
                self.by_key.remove(&(*key, index));
            });
            self.by_key.extend(new.iter().map(|key| (*key, index)));
            *keys = new;
        }
        let next = client.deadline();
        if next != *due {
            due.map(|at| self.due.remove(&(at, index)));
            self.due.extend(next.map(|at| (at, index)));
            *due = next;
        }
        if client.done() != *done {
            *done = !*done;
            self.left = match *done {
                true => self.left - 1,
                false => self.left + 1,
            };
        }
        Some(given)
    }
}

impl Player for Fleet {
    fn receive(
        &mut self,
        now: Time,
        frame: &Frame,
        fault: Option<&str>,
        out: &mut Outbox,
    ) -> Option<Verdict> {
        let mut verdict = None;
        for index in self.concerned(frame) {
            let said = self.act(index, |it| it.receive(now, frame, fault, out));
            verdict = better(verdict, said.flatten());
        }
        verdict
    }

    fn wake(&mut self, now: Time, out: &mut Outbox) {
        let woken: BTreeSet<usize> = match self.begun {
            true => {
                let due = self.due.range(..=(now, usize::MAX));
                due.map(|(_, index)| *index).collect()
            }
            false => (0..self.clients.len()).collect(),
        };
        self.begun = true;
        for index in woken {
            self.act(index, |it| it.wake(now, out));
        }
    }

    fn deadline(&self) -> Option<Time> {
        self.due.first().map(|(at, _)| *at)
    }

    fn done(&self) -> bool {
        self.left == 0
    }
}
