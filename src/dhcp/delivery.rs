//! Where a server's reply goes (RFC 2131 section 4.1).

use std::net::Ipv4Addr;

use super::enums::NAK;
use crate::wire::{Bootp, CLIENT_PORT, SERVER_PORT};

/// Which Ethernet address a server's reply goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hardware {
    /// ff:ff:ff:ff:ff:ff.
    Broadcast,
    /// The client's `chaddr`, without ARP: it cannot answer yet.
    Client,
    /// Whoever owns the IP address, or the hop towards it.
    NextHop,
}

/// Where a server's reply goes (RFC 2131 section 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Destination address.
    pub ip: Ipv4Addr,
    /// Destination port: 67 to relay agents, 68 to clients.
    pub port: u16,
    /// Whose Ethernet address.
    pub hardware: Hardware,
    /// A NAK through a relay agent sets the broadcast flag (section 4.3.2).
    pub set_broadcast: bool,
}

impl Delivery {
    /// Where a reply of this type with this header goes: to the relay agent if there is one; a NAK by
    /// broadcast; to the `ciaddr` of the client's message if it has one; by broadcast if the client
    /// asks for that; else to `yiaddr` at `chaddr`.
    pub fn of(message_type: u8, reply: &Bootp, ciaddr: Ipv4Addr) -> Delivery {
        let to = |ip, hardware| Delivery {
            ip,
            port: CLIENT_PORT,
            hardware,
            set_broadcast: false,
        };
        let everyone = to(Ipv4Addr::BROADCAST, Hardware::Broadcast);
        if !reply.giaddr.is_unspecified() {
            Delivery {
                ip: reply.giaddr,
                port: SERVER_PORT,
                hardware: Hardware::NextHop,
                set_broadcast: message_type == NAK,
            }
        } else if message_type == NAK {
            everyone
        } else if !ciaddr.is_unspecified() {
            to(ciaddr, Hardware::NextHop)
        } else if reply.broadcast() || reply.yiaddr.is_unspecified() {
            everyone
        } else {
            to(reply.yiaddr, Hardware::Client)
        }
    }
}
