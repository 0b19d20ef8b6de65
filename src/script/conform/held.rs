//! An address that the server under test gave to a client of the run or offered it, and the way back.

use std::net::Ipv4Addr;

use super::overheard::Said;
use crate::dhcp::Message;
use crate::dhcp::assign::Assignment;
use crate::dhcp::enums::{ACK, DISCOVER, OFFER, RELEASE, REQUEST};
use crate::dhcp::following;
use crate::dhcp::template::{self, Identity};
use crate::wire::{Frame, MacAddr};

/// An address that a client has of the server, or was offered.
#[derive(Clone)]
pub struct Held {
    /// The OFFER, ACK or BOOTREPLY.
    reply: Frame,
    /// Whether it is only an offer.
    pub offered: bool,
    /// Whether it is kept until the run ends.
    pub stay: bool,
    /// The address.
    pub ip: Ipv4Addr,
    /// Whose it is.
    pub mac: MacAddr,
    said: Said,
    server: Ipv4Addr,
    server_mac: MacAddr,
}

impl Held {
    /// What a reply gives or offers to the client that said this; `None` where it does neither.
    pub fn of(reply: &Frame, said: Said) -> Option<Held> {
        let message = Message::of(reply)?;
        let (ether, ipv4) = (reply.ether()?, reply.ipv4()?);
        let kind = message.message_type();
        let ip = message.bootp.yiaddr;
        if ip.is_unspecified() || !matches!(kind, Some(OFFER | ACK) | None) {
            return None;
        }
        Some(Held {
            reply: reply.clone(),
            offered: kind == Some(OFFER),
            stay: false,
            ip,
            mac: message.bootp.client_mac(),
            said,
            server: message.server_id().unwrap_or(ipv4.src),
            server_mac: ether.src,
        })
    }

    /// Whether it is the same client's, and the same address.
    pub fn is(&self, other: &Held) -> bool {
        self.ip == other.ip && self.mac == other.mac
    }

    /// Whether this RELEASE ends it on every server: it says all that a server may go by.
    pub fn ends_with(&self, release: &Message) -> bool {
        let bootp = release.bootp;
        let id = release.data(61).map(|it| it.into_owned());
        (bootp.ciaddr, bootp.client_mac()) == (self.ip, self.mac)
            && release.server_id() == Some(self.server)
            && id == self.said.id
    }

    /// Whether it is for DHCP to end it: BOOTP gives an address for good, and one that was given to no hardware
    /// address of Ethernet's may be written down as another client's.
    pub fn is_certain(&self) -> bool {
        let message = Message::of(&self.reply);
        message.is_some_and(|it| {
            it.message_type().is_some() && (it.bootp.htype, it.bootp.hlen) == (1, 6)
        })
    }

    /// Who holds it, towards its server.
    fn holder(&self, xid: u32) -> Identity {
        // A bridge drops what comes from no address at all.
        let nobody = self.mac == MacAddr::zero();
        let card = self.said.card.filter(|_| nobody);
        Identity {
            client_mac: self.mac,
            source_mac: card.unwrap_or(self.mac),
            xid,
            address: Some(self.ip),
            server: Some(self.server),
            own: None,
            server_mac: Some(self.server_mac),
        }
    }

    /// The client's own identifier, and no other.
    fn identify(&self, draft: &mut template::Draft) {
        draft.options.retain(|option| option.code != 61);
        if let Some(data) = self.said.id.clone() {
            draft.put(Assignment { code: 61, data });
        }
    }

    /// The REQUEST that takes an offer.
    pub fn taken(&self) -> Option<Frame> {
        let xid = Message::of(&self.reply)?.bootp.xid;
        let mut draft = following::draft(REQUEST, &self.reply, &self.holder(xid)).ok()?;
        self.identify(&mut draft);
        Some(draft.frame())
    }

    /// The RELEASE that gives it back, from the hardware address that it was given to.
    pub fn released(&self, xid: u32) -> Frame {
        let mut draft = template::fresh(RELEASE, &self.holder(xid));
        if let Some(given) = Message::of(&self.reply) {
            draft.bootp.htype = given.bootp.htype;
            draft.bootp.hlen = given.bootp.hlen;
            draft.bootp.chaddr = given.bootp.chaddr;
        }
        self.identify(&mut draft);
        draft.frame()
    }
}

/// The DISCOVER of a client that wants this address.
pub fn wanted(ip: Ipv4Addr, mac: MacAddr, xid: u32) -> Frame {
    let who = Identity {
        client_mac: mac,
        source_mac: mac,
        xid,
        address: Some(ip),
        server: None,
        own: None,
        server_mac: None,
    };
    template::fresh(DISCOVER, &who).frame()
}
