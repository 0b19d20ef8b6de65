//! What is kept of a frame as evidence: where it went, and what its message says.

use std::net::Ipv4Addr;

use crate::dhcp::Message;
use crate::talk::vlans;
use crate::wire::{Frame, MacAddr};

/// A message as far as a diagnosis needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    /// Option 53; `None` for BOOTP.
    pub kind: Option<u8>,
    /// Its name: `OFFER`.
    pub name: String,
    /// The transaction.
    pub xid: u32,
    /// The client's hardware address.
    pub chaddr: Vec<u8>,
    /// Whether replies are to be broadcast.
    pub broadcast: bool,
    /// The client's address.
    pub ciaddr: Ipv4Addr,
    /// The address given.
    pub yiaddr: Ipv4Addr,
    /// The relay agent.
    pub giaddr: Ipv4Addr,
    /// Option 54.
    pub server: Option<Ipv4Addr>,
    /// Option 50.
    pub requested: Option<Ipv4Addr>,
    /// Option 1.
    pub mask: Option<Ipv4Addr>,
    /// The first address of option 3.
    pub router: Option<Ipv4Addr>,
    /// Option 56, as it came; of a long one the beginning.
    pub text: Option<String>,
}

/// Characters kept of what a server says.
const TEXT: usize = 120;

impl Digest {
    pub(super) fn of(message: &Message) -> Digest {
        let bootp = message.bootp;
        let router = message.data(3);
        let router = router.as_ref().and_then(|it| it.first_chunk::<4>());
        let text = message.data(56).map(|it| {
            let text = String::from_utf8_lossy(&it);
            text.trim_end_matches('\0').chars().take(TEXT).collect()
        });
        Digest {
            kind: message.message_type(),
            name: message.type_name().into_owned(),
            xid: bootp.xid,
            chaddr: bootp.client_hardware().to_vec(),
            broadcast: bootp.broadcast(),
            ciaddr: bootp.ciaddr,
            yiaddr: bootp.yiaddr,
            giaddr: bootp.giaddr,
            server: message.server_id(),
            requested: message.requested_ip(),
            mask: message.subnet_mask(),
            router: router.map(|it| Ipv4Addr::from(*it)),
            text,
        }
    }

    /// The address that a REQUEST is about.
    pub fn wanted(&self) -> Option<Ipv4Addr> {
        let ciaddr = Some(self.ciaddr).filter(|it| !it.is_unspecified());
        self.requested.or(ciaddr)
    }
}

/// A frame as far as a diagnosis needs it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    /// Its number in the run, which is that in the run's capture.
    pub number: u64,
    /// The VLANs it was on, outermost first.
    pub vlans: Vec<u16>,
    /// Where it came from and went to: Ethernet addresses.
    pub macs: Option<(MacAddr, MacAddr)>,
    /// Where it came from and went to: IP addresses, of ARP the sender's and the target's.
    pub addresses: Option<(Ipv4Addr, Ipv4Addr)>,
    /// UDP ports, source and destination.
    pub ports: Option<(u16, u16)>,
    /// ICMP's code.
    pub code: Option<u8>,
    /// The message in it.
    pub message: Option<Digest>,
    /// Why it was not taken, or what is wrong with it.
    pub reason: String,
}

impl Sight {
    pub(super) fn of(number: u64, frame: &Frame) -> Sight {
        let arp = frame.arp();
        let ip = frame.ipv4().map(|it| (it.src, it.dst));
        // QinQ has two tags; what is deeper names no network of ours.
        let vlans = vlans(frame).into_iter().take(4).collect();
        Sight {
            number,
            vlans,
            macs: frame.ether().map(|it| (it.src, it.dst)),
            addresses: ip.or_else(|| arp.and_then(|it| Some((it.sender_ip()?, it.target_ip()?)))),
            ports: frame.udp().map(|it| (it.sport, it.dport)),
            code: frame.icmp().map(|it| it.code),
            message: Message::of(frame).map(|it| Digest::of(&it)),
            reason: String::new(),
        }
    }

    /// Who sent it, at the IP or ARP level.
    pub fn source(&self) -> Option<Ipv4Addr> {
        Some(self.addresses?.0)
    }

    /// Whom it is for, at the IP level; of ARP whom it is about.
    pub fn target(&self) -> Option<Ipv4Addr> {
        Some(self.addresses?.1)
    }
}
