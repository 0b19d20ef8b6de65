//! Plays the network around a client: sends what it is told to, answers ARP for the addresses that this
//! side has, and hears what the client says.

use std::time::Duration;

use super::host::Host;
use super::matching::Verdict;
use super::player::{Outbox, Player};
use crate::dhcp::Message;
use crate::link::Time;
use crate::wire::{Frame, MacAddr};

/// What a listener does.
pub struct ListenerConfig {
    /// Each frame to send at once, with what it is, for the capture.
    pub frames: Vec<(Frame, String)>,
    /// How long it listens.
    pub wait: Duration,
    /// The addresses that this side has.
    pub host: Host,
    /// The client; `None` for whichever speaks first.
    pub client: Option<MacAddr>,
    /// The Ethernet address that its messages come from, once it has spoken; a client may say another in chaddr.
    pub card: Option<MacAddr>,
    /// Whether a frame of the client's ends it before the time is over.
    pub ends: Box<dyn FnMut(&Frame) -> bool>,
}

/// Hears a client: its DHCP messages and its ARP packets are parts, all else is none of its business.
pub struct Listener {
    config: ListenerConfig,
    end: Option<Time>,
    finished: bool,
}

impl Listener {
    /// A listener that has not begun yet.
    pub fn new(config: ListenerConfig) -> Self {
        Listener {
            config,
            end: None,
            finished: false,
        }
    }

    /// The client, as soon as it has spoken.
    pub fn client(&self) -> Option<MacAddr> {
        self.config.client
    }

    /// The Ethernet address that the client's messages come from, as soon as it has spoken.
    pub fn card(&self) -> Option<MacAddr> {
        self.config.card
    }

    /// Whether a frame comes from the client.
    fn is_clients(&mut self, frame: &Frame) -> bool {
        let source = frame.ether().map(|it| it.src);
        if let Some(message) = Message::of(frame).filter(|it| it.bootp.op == 1) {
            // A client with an identifier may leave chaddr empty (RFC 4390).
            let mac = match message.bootp.client_mac() {
                MacAddr(0, 0, 0, 0, 0, 0) => source,
                mac => Some(mac),
            };
            let client = *self.config.client.get_or_insert(mac.unwrap_or_default());
            let clients = mac == Some(client) || source == Some(client);
            if clients {
                self.config.card = source;
            }
            return clients;
        }
        let known = [self.config.client, self.config.card];
        let is_known = |mac: Option<MacAddr>| mac.is_some() && known.contains(&mac);
        match frame.arp() {
            Some(arp) => is_known(arp.sender_mac()) || is_known(source),
            // A reply is a server's, this side's or another's.
            None => is_known(source) && frame.bootp().is_none(),
        }
    }
}

impl Player for Listener {
    fn receive(
        &mut self,
        _now: Time,
        frame: &Frame,
        _fault: Option<&str>,
        out: &mut Outbox,
    ) -> Option<Verdict> {
        let asked = self.config.host.answer(frame);
        let clients = self.is_clients(frame);
        if let Some((answer, note)) = asked {
            out.send(answer, note);
        } else if !clients {
            return None;
        }
        self.finished |= clients && (self.config.ends)(frame);
        Some(Verdict::Part)
    }

    fn wake(&mut self, now: Time, out: &mut Outbox) {
        match self.end {
            None => {
                self.end = Some(now + self.config.wait);
                // Who only sends leaves what comes back to the next one who listens.
                self.finished = self.config.wait.is_zero();
                for (frame, note) in self.config.frames.drain(..) {
                    out.send(frame, note);
                }
            }
            Some(end) => self.finished |= now >= end,
        }
    }

    fn deadline(&self) -> Option<Time> {
        Some(self.end.unwrap_or_default())
    }

    fn done(&self) -> bool {
        self.finished
    }
}
