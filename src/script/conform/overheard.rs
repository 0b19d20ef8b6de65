//! What a server sends to the clients of a run at whatever time: an answer that nobody waits for any more may give
//! an address too, and it has to go back.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use crate::dhcp::Message;
use crate::link::Time;
use crate::talk::{Outbox, Player, Verdict};
use crate::wire::{Frame, MacAddr};

/// What an answer to an earlier message is called in the capture.
const EARLIER: &str = "answers an earlier message";

/// No hardware address, or one that was cut off.
const NOBODY: [u8; 16] = [0; 16];

/// What was said with an xid.
#[derive(Clone, Default)]
pub struct Said {
    /// The client identifier.
    pub id: Option<Vec<u8>>,
    /// The address asked for.
    pub wanted: Option<Ipv4Addr>,
    /// The Ethernet address that it was sent from.
    pub card: Option<MacAddr>,
}

/// The clients that a run has played.
#[derive(Default)]
pub struct Clients {
    addresses: BTreeSet<[u8; 16]>,
    said: BTreeMap<u32, Said>,
}

impl Clients {
    /// Takes note of who sent a message, which may be cut short anywhere.
    pub fn sent(&mut self, frame: &Frame) {
        let card = frame.ether().map(|it| it.src);
        if let Some(message) = Message::of(frame) {
            let said = Said {
                id: message.data(61).map(|it| it.into_owned()),
                wanted: message.requested_ip(),
                card,
            };
            self.addresses.insert(message.bootp.chaddr);
            self.said.insert(message.bootp.xid, said);
            return;
        }
        let bytes = frame.raw().filter(|_| frame.udp().is_some());
        let bytes = bytes.unwrap_or_default();
        if let Some(Ok(xid)) = bytes.get(4..8).map(<[u8; 4]>::try_from) {
            let said = Said {
                card,
                ..Said::default()
            };
            self.said.insert(u32::from_be_bytes(xid), said);
        }
        if let Some(Ok(address)) = bytes.get(28..44).map(<[u8; 16]>::try_from) {
            self.addresses.insert(address);
        }
    }

    /// What the message said that has the xid of this one.
    pub fn said(&self, xid: u32) -> Option<&Said> {
        self.said.get(&xid)
    }

    /// Whether a server's message is for one of them. One without a hardware address is for whose xid it has.
    pub fn own(&self, frame: &Frame) -> bool {
        let message = Message::of(frame).filter(|it| it.bootp.op == 2);
        message.is_some_and(|it| match it.bootp.chaddr {
            NOBODY => self.said.contains_key(&it.bootp.xid),
            address => self.addresses.contains(&address),
        })
    }
}

/// Listens beside the one who asks.
pub struct Overhearing<'a> {
    /// Whose answers it is to hear.
    pub clients: &'a Clients,
    /// The server asked, where it is known.
    pub server: Option<MacAddr>,
}

impl Overhearing<'_> {
    /// Whether a verdict is its own.
    pub fn is_earlier(verdict: &Verdict) -> bool {
        matches!(verdict, Verdict::Stray(text) if text == EARLIER)
    }
}

impl Player for Overhearing<'_> {
    fn receive(
        &mut self,
        _now: Time,
        frame: &Frame,
        _fault: Option<&str>,
        _out: &mut Outbox,
    ) -> Option<Verdict> {
        let source = frame.ether()?.src;
        let meant = self.server.is_none_or(|it| it == source);
        (meant && self.clients.own(frame)).then(|| Verdict::Stray(EARLIER.into()))
    }

    fn wake(&mut self, _now: Time, _out: &mut Outbox) {}

    fn deadline(&self) -> Option<Time> {
        None
    }

    fn hears_late(&self) -> bool {
        true
    }
}
