//! Message templates: what a careful client or server sends by default, as drafts to edit.
//!
//! Each template follows a column of RFC 2131's tables: table 3 (server messages, section 4.3.1),
//! table 4 (DHCPREQUEST by client state, section 4.3.6) and table 5 (client messages, section 4.4.1).

use std::net::Ipv4Addr;

use super::assign::Assignment;
use super::enums::*;
use super::layout::{self, Overload};
use super::message::Message;
use super::timers::INFINITE;
use crate::wire::*;

/// Smallest BOOTP message that old relays and clients take, in bytes (RFC 1542 section 2.1).
pub const MIN_MESSAGE: usize = 300;

/// What a client asks for by default (option 55), classless routes before routers as RFC 3442 wants.
pub const REQUEST_LIST: [u8; 12] = [1, 121, 3, 6, 12, 15, 26, 28, 42, 58, 59, 119];

/// Largest message a client takes by default (option 57): one Ethernet frame.
pub const MAX_MESSAGE_SIZE: u16 = 1500;

/// Who sends, to whom, and what they know of each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The client's hardware address.
    pub client_mac: MacAddr,
    /// Ethernet address that the frame comes from.
    pub source_mac: MacAddr,
    /// Transaction id.
    pub xid: u32,
    /// The address the client holds or is to get.
    pub address: Option<Ipv4Addr>,
    /// The server's identity and address.
    pub server: Option<Ipv4Addr>,
    /// The address of the interface that sends: what INFORM asks about, and what a server is known by.
    pub own: Option<Ipv4Addr>,
    /// The server's Ethernet address, where it is known.
    pub server_mac: Option<MacAddr>,
}

/// A message being made: the layers, and the options still as a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Ethernet header.
    pub ether: Ether,
    /// VLAN tags, outermost first.
    pub tags: Vec<Dot1Q>,
    /// IPv4 header.
    pub ip: Ipv4,
    /// UDP header.
    pub udp: Udp,
    /// BOOTP header.
    pub bootp: Bootp,
    /// Options in wire order; END is added when the list has none.
    pub options: Vec<Assignment>,
    /// Fields that take options too, on request.
    pub overload: Option<Overload>,
    /// Bytes that the message is padded to behind END.
    pub min_message: usize,
}

impl Draft {
    /// The frame. Lengths and checksums in it are still to be computed.
    pub fn frame(&self) -> Frame {
        let mut bootp = self.bootp.clone();
        let mut options = match self.overload {
            Some(overload) => layout::overloaded(&self.options, overload, &mut bootp),
            None => layout::stream(&self.options),
        };
        let used = BOOTP_LEN + MAGIC_COOKIE.len();
        let room = self.min_message.saturating_sub(used);
        if options.len() < room {
            options.resize(room, PAD);
        }
        let mut layers = vec![self.ether.clone().into()];
        layers.extend(self.tags.iter().cloned().map(Layer::from));
        layers.extend([
            self.ip.clone().into(),
            self.udp.clone().into(),
            bootp.into(),
            Dhcp {
                options,
                ..Dhcp::default()
            }
            .into(),
        ]);
        Frame::new(layers)
    }

    /// Puts an option: over the first one of the same code, else behind the others.
    pub fn put(&mut self, option: Assignment) {
        match self.options.iter_mut().find(|it| it.code == option.code) {
            Some(it) => *it = option,
            None => self.options.push(option),
        }
    }

    /// The data of the first option with this code.
    pub fn data(&self, code: u8) -> Option<&[u8]> {
        self.options
            .iter()
            .find(|it| it.code == code)
            .map(|it| it.data.as_slice())
    }
}

pub(super) fn option(code: u8, data: impl Into<Vec<u8>>) -> Assignment {
    Assignment {
        code,
        data: data.into(),
    }
}

fn address(code: u8, ip: Ipv4Addr) -> Assignment {
    option(code, ip.octets())
}

fn seconds(code: u8, seconds: u32) -> Assignment {
    option(code, seconds.to_be_bytes())
}

impl Draft {
    /// Whether a client sends it by unicast from the address it holds, as in RENEWING (RFC 2131 section 4.4.5).
    pub fn unicast_by_holder(&self) -> bool {
        !self.bootp.ciaddr.is_unspecified() && !self.ip.dst.is_broadcast()
    }

    /// Has a relay agent send it (RFC 1542 section 4.1): from its address and port 67, one hop, to the
    /// server if that is known.
    pub fn relay(&mut self, giaddr: Ipv4Addr, server: Option<Ipv4Addr>) {
        self.bootp.giaddr = giaddr;
        self.bootp.hops = 1;
        self.ip.src = giaddr;
        self.udp.sport = SERVER_PORT;
        self.ip.dst = server.unwrap_or(self.ip.dst);
    }
}

/// A client identifier made of hardware type and address (RFC 2132 section 9.14).
pub fn client_id(mac: MacAddr) -> Vec<u8> {
    let mut data = vec![1];
    data.extend(mac.octets());
    data
}

/// Whether a message of this type goes from client (or relay agent) to server: what awaits a reply.
pub fn from_client(message_type: u8) -> bool {
    matches!(
        message_type,
        DISCOVER
            | REQUEST
            | DECLINE
            | RELEASE
            | INFORM
            | LEASEQUERY
            | BULKLEASEQUERY
            | ACTIVELEASEQUERY
            | TLS
    )
}

/// An empty draft: headers with their plain defaults, no options but END, no padding. What `--bare`
/// starts from; `message_type` only decides op and ports.
pub fn bare(message_type: Option<u8>, who: &Identity) -> Draft {
    let client = message_type.is_none_or(from_client);
    let mut draft = Draft {
        ether: Ether {
            src: who.source_mac,
            ..Ether::default()
        },
        tags: Vec::new(),
        ip: Ipv4::default(),
        udp: Udp::default(),
        bootp: Bootp {
            xid: who.xid,
            ..Bootp::default()
        },
        options: Vec::new(),
        overload: None,
        min_message: 0,
    };
    draft.bootp.set_client_mac(who.client_mac);
    if !client {
        draft.bootp.op = 2;
        (draft.udp.sport, draft.udp.dport) = (SERVER_PORT, CLIENT_PORT);
    }
    if let Some(number) = message_type {
        draft.options.push(option(53, [number]));
    }
    draft
}

/// The default message of a type.
///
/// | type | table | fields | options |
/// | --- | --- | --- | --- |
/// | DISCOVER | 5 | broadcast from 0.0.0.0 | 53, 61, 50 if an address is known, 57, 55 |
/// | REQUEST | 4 | SELECTING: server and address known; INIT-REBOOT: address only | 53, 61, 50, 54, 57, 55 |
/// | DECLINE | 5 | broadcast from 0.0.0.0, flags 0 | 53, 61, 50, 54, 56 |
/// | RELEASE | 5 | unicast, ciaddr | 53, 61, 54 |
/// | INFORM | 5 | ciaddr, no broadcast flag | 53, 61, 57, 55 |
/// | OFFER, ACK | 3 | yiaddr, siaddr 0 | 53, 54, 51, 58, 59, 1, 3 |
/// | NAK | 3 | broadcast, yiaddr 0 | 53, 54, 56 |
/// | FORCERENEW | RFC 3203 | unicast to the client | 53, 54 |
/// | LEASEQUERY | RFC 4388 | asks by ciaddr; giaddr is the asker | 53, 55 |
/// | others | - | - | 53 |
pub fn fresh(message_type: u8, who: &Identity) -> Draft {
    let mut draft = bare(Some(message_type), who);
    draft.min_message = MIN_MESSAGE;
    let ours = option(61, client_id(who.client_mac));
    let wanted = [
        option(57, MAX_MESSAGE_SIZE.to_be_bytes()),
        option(55, REQUEST_LIST),
    ];
    let held = who.address.unwrap_or(Ipv4Addr::UNSPECIFIED);
    let server = who.server.unwrap_or(Ipv4Addr::UNSPECIFIED);
    let asked = who.address.map(|ip| address(50, ip));
    let identified = who.server.map(|ip| address(54, ip));
    match message_type {
        DISCOVER | REQUEST => {
            draft.options.push(ours);
            draft.options.extend(asked);
            if message_type == REQUEST {
                draft.options.extend(identified);
            }
            draft.options.extend(wanted);
        }
        DECLINE => {
            draft.options.push(ours);
            draft.options.extend(asked);
            draft.options.extend(identified);
            // RFC 2132 section 9.9: a client says with it why it declined.
            draft.options.push(option(56, "address is in use"));
        }
        RELEASE => {
            draft.bootp.ciaddr = held;
            draft.options.push(ours);
            draft.options.extend(identified);
            unicast_to_server(&mut draft, who);
        }
        INFORM => {
            draft.bootp.ciaddr = held;
            draft.ip.src = held;
            draft.options.push(ours);
            draft.options.extend(wanted);
            // RFC 2131 section 4.4.3: it asks for no lease, and so not for its times.
            let list = REQUEST_LIST
                .into_iter()
                .filter(|it| !matches!(it, 51 | 58 | 59));
            draft.put(option(55, list.collect::<Vec<u8>>()));
        }
        OFFER | ACK => {
            draft.ip.src = server;
            draft.bootp.yiaddr = held;
            draft.options.extend(identified);
            draft.options.extend(lease_options(3600));
            draft
                .options
                .push(address(1, Ipv4Addr::new(255, 255, 255, 0)));
            draft.options.extend(who.server.map(|ip| address(3, ip)));
        }
        NAK => {
            draft.ip.src = server;
            draft.options.extend(identified);
            draft
                .options
                .push(option(56, "requested address not available"));
        }
        FORCERENEW => {
            draft.ip.src = server;
            draft.ip.dst = held;
            draft.ether.dst = who.client_mac;
            draft.options.extend(identified);
        }
        LEASEQUERY => {
            draft.bootp.ciaddr = held;
            draft.bootp.htype = 0;
            draft.bootp.hlen = 0;
            draft.bootp.chaddr = [0; 16];
            draft.udp.sport = SERVER_PORT;
            draft.options.push(option(55, [51, 61, 91, 82]));
        }
        _ => draft
            .options
            .extend(identified.filter(|_| !from_client(message_type))),
    }
    draft
}

/// Options 51, 58 and 59 with T1 and T2 at a half and seven eighths (RFC 2131 section 4.4.5). A lease of less than
/// three seconds has no whole seconds for T1 and T2 to lie in, and one that never ends needs none (section 3.3): they are
/// told without.
pub fn lease_options(lease: u32) -> Vec<Assignment> {
    let (t1, t2) = (lease / 2, (u64::from(lease) * 7 / 8) as u32);
    let mut options = vec![seconds(51, lease)];
    if lease != INFINITE && 0 < t1 && t1 < t2 {
        options.extend([seconds(58, t1), seconds(59, t2)]);
    }
    options
}

/// A REQUEST as a client in RENEWING sends it (RFC 2131 section 4.4.5 and table 4): from the address it
/// holds, in ciaddr, to the server that gave it.
pub fn renewing(who: &Identity) -> Draft {
    let mut draft = fresh(REQUEST, who);
    draft.bootp.ciaddr = who.address.unwrap_or(Ipv4Addr::UNSPECIFIED);
    draft.options.retain(|it| !matches!(it.code, 50 | 54));
    unicast_to_server(&mut draft, who);
    draft
}

/// A REQUEST as a client in REBINDING sends it: as in RENEWING, to every server.
pub fn rebinding(who: &Identity) -> Draft {
    let mut draft = renewing(who);
    draft.ip.dst = Ipv4Addr::BROADCAST;
    draft.ether.dst = MacAddr::broadcast();
    draft
}

/// A REQUEST as a client in INIT-REBOOT sends it: the address it remembers in option 50, no server.
pub fn rebooting(who: &Identity) -> Draft {
    let who = Identity {
        server: None,
        ..who.clone()
    };
    fresh(REQUEST, &who)
}

/// The client that an ACK, in a frame with this Ethernet header, gave a lease to.
pub fn holder(ack: Message, ether: Option<&Ether>, who: &Identity) -> Identity {
    let bootp = ack.bootp;
    let held = [bootp.yiaddr, bootp.ciaddr];
    let relayed = !bootp.giaddr.is_unspecified();
    Identity {
        client_mac: bootp.client_mac(),
        source_mac: bootp.client_mac(),
        address: held
            .into_iter()
            .find(|ip| !ip.is_unspecified())
            .or(who.address),
        server: ack.server_id().or(who.server),
        // Behind a relay agent the frame came from the relay.
        server_mac: ether.map(|it| it.src).filter(|_| !relayed),
        ..who.clone()
    }
}

pub(super) fn unicast_to_server(draft: &mut Draft, who: &Identity) {
    if let Some(server) = who.server {
        draft.ip.dst = server;
    }
    draft.ip.src = draft.bootp.ciaddr;
    if let Some(mac) = who.server_mac {
        draft.ether.dst = mac;
    }
}
