//! The states of RFC 2131 figure 5 as they can be told from outside.

use std::fmt;

use super::exchange::{Exchange, Kind};
use crate::dhcp::Message;
use crate::dhcp::enums::*;
use crate::wire::Frame;

/// The state of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Nothing is known: only somebody else spoke of it.
    Unknown,
    /// Without an address, and not asking for one.
    Init,
    /// Sent a DISCOVER, waits for offers.
    Selecting,
    /// Chose an offer, waits for the ACK.
    Requesting,
    /// Has a lease.
    Bound,
    /// Asks its server to extend the lease.
    Renewing,
    /// Asks any server to extend the lease.
    Rebinding,
    /// Asks whether an address that it remembers is still good (INIT-REBOOT before it asked).
    Rebooting,
    /// Has an address by other means and asks for options only (RFC 2131 section 3.4).
    Inform,
    /// Asks by BOOTP (RFC 951).
    Bootp,
}

impl State {
    /// Every state, in the order of a client's life.
    pub const ALL: [State; 10] = [
        State::Unknown,
        State::Init,
        State::Selecting,
        State::Requesting,
        State::Bound,
        State::Renewing,
        State::Rebinding,
        State::Rebooting,
        State::Inform,
        State::Bootp,
    ];

    /// Its name as in the figure.
    pub fn name(self) -> &'static str {
        match self {
            State::Unknown => "unknown",
            State::Init => "INIT",
            State::Selecting => "SELECTING",
            State::Requesting => "REQUESTING",
            State::Bound => "BOUND",
            State::Renewing => "RENEWING",
            State::Rebinding => "REBINDING",
            State::Rebooting => "REBOOTING",
            State::Inform => "INFORM",
            State::Bootp => "BOOTP",
        }
    }

    /// Whether a client in this state holds a lease.
    pub fn holds(self) -> bool {
        matches!(self, State::Bound | State::Renewing | State::Rebinding)
    }

    /// The state of a client that sends this message (RFC 2131 section 4.3.2 and table 4).
    pub(super) fn asking(
        frame: &Frame,
        message: &Message,
        kind: Kind,
        exchange: &Exchange,
    ) -> State {
        match kind {
            Kind::Dhcp(DISCOVER) => State::Selecting,
            Kind::Dhcp(INFORM) => State::Inform,
            Kind::BootRequest => State::Bootp,
            Kind::Dhcp(REQUEST) => {
                let chosen = message.server_id().is_some();
                let held = !message.bootp.ciaddr.is_unspecified();
                match (chosen, held) {
                    // Some fill in ciaddr with the address they were offered.
                    (true, held) if !held || !exchange.offers.is_empty() => State::Requesting,
                    (_, true) if is_unicast(frame, message) => State::Renewing,
                    (_, true) => State::Rebinding,
                    (_, false) if message.requested_ip().is_some() => State::Rebooting,
                    _ => State::Requesting,
                }
            }
            _ => State::Init,
        }
    }
}

/// Whether a client sent it to one server. What a relay agent passes on came to it by broadcast.
fn is_unicast(frame: &Frame, message: &Message) -> bool {
    let relayed = !message.bootp.giaddr.is_unspecified();
    let broadcast = frame.ipv4().is_none_or(|it| it.dst.is_broadcast());
    !relayed && !broadcast
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Why a client is back in INIT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It sent a DECLINE: the address is in use.
    Declined,
    /// It sent a RELEASE.
    Released,
    /// A server sent a NAK.
    Refused,
    /// Its lease ended, and no renewal was seen.
    Expired,
}

impl Reason {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Declined => "declined",
            Reason::Released => "released",
            Reason::Refused => "refused",
            Reason::Expired => "expired",
        }
    }
}
