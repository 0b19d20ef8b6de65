//! The layers a frame can be made of, one struct each, with the defaults of a DHCP client's frame.

use std::net::Ipv4Addr;

use pnet::packet::ip::IpNextHeaderProtocols;

use super::{Auto, MacAddr};

/// Ethertype of IPv4.
pub const ETHERTYPE_IPV4: u16 = 0x0800;
/// Ethertype of ARP.
pub const ETHERTYPE_ARP: u16 = 0x0806;
/// Ethertype (TPID) of an 802.1Q tag.
pub const ETHERTYPE_DOT1Q: u16 = 0x8100;
/// Ethertype (TPID) of an 802.1ad service tag.
pub const ETHERTYPE_DOT1AD: u16 = 0x88a8;
/// TPID that older equipment uses for the outer tag.
pub const ETHERTYPE_QINQ_OLD: u16 = 0x9100;
/// Ethertype that a frame gets when nothing says what it carries.
pub const ETHERTYPE_LOOPBACK: u16 = 0x9000;

/// UDP port of servers and relay agents.
pub const SERVER_PORT: u16 = 67;
/// UDP port of clients.
pub const CLIENT_PORT: u16 = 68;
/// UDP port of PXE boot servers ("proxyDHCP").
pub const PXE_PORT: u16 = 4011;

/// The four bytes 99.130.83.99 that say "DHCP options follow" (RFC 2131 section 3).
pub const MAGIC_COOKIE: [u8; 4] = [0x63, 0x82, 0x53, 0x63];

/// Bytes of the fixed BOOTP header, op to file.
pub const BOOTP_LEN: usize = 236;

/// Ethernet II header, 14 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ether {
    /// Destination address.
    pub dst: MacAddr,
    /// Source address.
    pub src: MacAddr,
    /// Ethertype, or the length of an 802.3 frame when 1500 or less.
    pub ethertype: Auto<u16>,
}

impl Default for Ether {
    fn default() -> Self {
        Ether {
            dst: MacAddr::broadcast(),
            src: MacAddr::zero(),
            ethertype: Auto::Unset,
        }
    }
}

/// What of an ethertype stays when what it announces is built anew: the protocol of a tag that is no
/// plain 802.1Q, such as a service tag's.
pub fn tag_protocol(ethertype: Auto<u16>) -> Auto<u16> {
    match ethertype {
        Auto::Set(ETHERTYPE_DOT1AD | ETHERTYPE_QINQ_OLD) => ethertype,
        _ => Auto::Unset,
    }
}

/// 802.1Q tag, 4 bytes: what stands behind the tag's own ethertype.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dot1Q {
    /// Priority code point, 0-7.
    pub prio: u8,
    /// Drop eligible indicator, 0-1.
    pub dei: u8,
    /// VLAN id, 0-4095.
    pub vlan: u16,
    /// Ethertype of what the tag wraps.
    pub ethertype: Auto<u16>,
}

/// ARP packet (RFC 826) with addresses of any length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arp {
    /// Hardware type, 1 for Ethernet.
    pub hwtype: u16,
    /// Protocol type, 0x0800 for IPv4.
    pub ptype: u16,
    /// Bytes of a hardware address.
    pub hwlen: Auto<u8>,
    /// Bytes of a protocol address.
    pub plen: Auto<u8>,
    /// 1 request, 2 reply.
    pub op: u16,
    /// Sender hardware address.
    pub hwsrc: Vec<u8>,
    /// Sender protocol address.
    pub psrc: Vec<u8>,
    /// Target hardware address.
    pub hwdst: Vec<u8>,
    /// Target protocol address.
    pub pdst: Vec<u8>,
}

impl Default for Arp {
    fn default() -> Self {
        Arp {
            hwtype: 1,
            ptype: ETHERTYPE_IPV4,
            hwlen: Auto::Unset,
            plen: Auto::Unset,
            op: 1,
            hwsrc: vec![0; 6],
            psrc: vec![0; 4],
            hwdst: vec![0; 6],
            pdst: vec![0; 4],
        }
    }
}

impl Arp {
    /// The request "who has `target`, tell `sender`"; a probe when `sender` is 0.0.0.0 (RFC 5227).
    pub fn request(hwsrc: MacAddr, sender: Ipv4Addr, target: Ipv4Addr) -> Self {
        Arp {
            hwsrc: hwsrc.octets().to_vec(),
            psrc: sender.octets().to_vec(),
            pdst: target.octets().to_vec(),
            ..Arp::default()
        }
    }

    /// The sender's IPv4 address, when it is one.
    pub fn sender_ip(&self) -> Option<Ipv4Addr> {
        <[u8; 4]>::try_from(self.psrc.as_slice())
            .ok()
            .map(Into::into)
    }

    /// The target's IPv4 address, when it is one.
    pub fn target_ip(&self) -> Option<Ipv4Addr> {
        <[u8; 4]>::try_from(self.pdst.as_slice())
            .ok()
            .map(Into::into)
    }

    /// The sender's MAC address, when it has six bytes.
    pub fn sender_mac(&self) -> Option<MacAddr> {
        <[u8; 6]>::try_from(self.hwsrc.as_slice())
            .ok()
            .map(Into::into)
    }
}

/// IPv4 header (RFC 791), options kept as bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ipv4 {
    /// Version, 4 bits.
    pub version: u8,
    /// Header length in 32-bit words, 4 bits.
    pub ihl: Auto<u8>,
    /// Type of service: DSCP and ECN.
    pub tos: u8,
    /// Total length in bytes.
    pub len: Auto<u16>,
    /// Identification.
    pub id: u16,
    /// Reserved, DF, MF; 3 bits.
    pub flags: u8,
    /// Fragment offset in 8-byte units, 13 bits.
    pub frag: u16,
    /// Time to live.
    pub ttl: u8,
    /// Protocol number.
    pub proto: Auto<u8>,
    /// Header checksum.
    pub chksum: Auto<u16>,
    /// Source address.
    pub src: Ipv4Addr,
    /// Destination address.
    pub dst: Ipv4Addr,
    /// Options, verbatim; padded to 32 bits when `ihl` is computed.
    pub options: Vec<u8>,
}

impl Default for Ipv4 {
    fn default() -> Self {
        Ipv4 {
            version: 4,
            ihl: Auto::Unset,
            tos: 0,
            len: Auto::Unset,
            id: 1,
            flags: 0,
            frag: 0,
            ttl: 64,
            proto: Auto::Unset,
            chksum: Auto::Unset,
            src: Ipv4Addr::UNSPECIFIED,
            dst: Ipv4Addr::BROADCAST,
            options: Vec::new(),
        }
    }
}

impl Ipv4 {
    /// Bytes of the options with the padding that a computed header length brings.
    pub(super) fn padded_options_len(&self) -> usize {
        match self.ihl {
            Auto::Unset => self.options.len().next_multiple_of(4),
            Auto::Set(_) => self.options.len(),
        }
    }

    /// The header length in words of four bytes that covers the options.
    pub(super) fn words(&self) -> u8 {
        (5 + self.options.len().div_ceil(4)).min(15) as u8
    }

    /// The sum over the pseudo-header of a UDP datagram of `len` bytes (RFC 768), not complemented: what
    /// a kernel leaves in the checksum's place for the network card to finish.
    pub fn pseudo_header_sum(&self, len: u16) -> u16 {
        let addresses = [self.src, self.dst].map(u32::from);
        let words = addresses.map(|it| (it >> 16) + (it & 0xffff));
        let protocol = u32::from(IpNextHeaderProtocols::Udp.0);
        let mut sum = words.iter().sum::<u32>() + protocol + u32::from(len);
        while sum > 0xffff {
            sum = (sum & 0xffff) + (sum >> 16);
        }
        sum as u16
    }
}

/// ICMP header (RFC 792), 8 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Icmp {
    /// Type: 8 echo request, 0 echo reply, 3 destination unreachable …
    pub kind: u8,
    /// Code within the type.
    pub code: u8,
    /// Checksum of header and payload.
    pub chksum: Auto<u16>,
    /// The type's own four bytes: identifier and sequence number of an echo.
    pub rest: [u8; 4],
}

impl Default for Icmp {
    fn default() -> Self {
        Icmp {
            kind: 8,
            code: 0,
            chksum: Auto::Unset,
            rest: [0; 4],
        }
    }
}

/// UDP header (RFC 768), 8 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Udp {
    /// Source port.
    pub sport: u16,
    /// Destination port.
    pub dport: u16,
    /// Length of header and data in bytes.
    pub len: Auto<u16>,
    /// Checksum over pseudo-header, header and data; 0 means "none".
    pub chksum: Auto<u16>,
}

impl Default for Udp {
    fn default() -> Self {
        Udp {
            sport: CLIENT_PORT,
            dport: SERVER_PORT,
            len: Auto::Unset,
            chksum: Auto::Unset,
        }
    }
}

/// The fixed part of a BOOTP/DHCP message (RFC 951, RFC 2131 section 2), 236 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bootp {
    /// 1 BOOTREQUEST, 2 BOOTREPLY.
    pub op: u8,
    /// Hardware type, 1 for Ethernet.
    pub htype: u8,
    /// Bytes of `chaddr` that count.
    pub hlen: u8,
    /// Relay agents passed.
    pub hops: u8,
    /// Transaction id, chosen by the client.
    pub xid: u32,
    /// Seconds since the client began.
    pub secs: u16,
    /// The broadcast flag is the top bit.
    pub flags: u16,
    /// The address the client already has.
    pub ciaddr: Ipv4Addr,
    /// The address the server gives the client.
    pub yiaddr: Ipv4Addr,
    /// The next server of the boot process.
    pub siaddr: Ipv4Addr,
    /// The relay agent's address.
    pub giaddr: Ipv4Addr,
    /// The client's hardware address, padded with zeros.
    pub chaddr: [u8; 16],
    /// Server name, or options when overloaded.
    pub sname: [u8; 64],
    /// Boot file name, or options when overloaded.
    pub file: [u8; 128],
}

impl Default for Bootp {
    fn default() -> Self {
        Bootp {
            op: 1,
            htype: 1,
            hlen: 6,
            hops: 0,
            xid: 0,
            secs: 0,
            flags: 0,
            ciaddr: Ipv4Addr::UNSPECIFIED,
            yiaddr: Ipv4Addr::UNSPECIFIED,
            siaddr: Ipv4Addr::UNSPECIFIED,
            giaddr: Ipv4Addr::UNSPECIFIED,
            chaddr: [0; 16],
            sname: [0; 64],
            file: [0; 128],
        }
    }
}

impl Bootp {
    /// The broadcast flag (RFC 2131 section 4.1).
    pub const BROADCAST: u16 = 0x8000;

    /// Whether the client asks for broadcast replies.
    pub fn broadcast(&self) -> bool {
        self.flags & Self::BROADCAST != 0
    }

    /// Sets or clears the broadcast flag, leaving the reserved bits alone.
    pub fn set_broadcast(&mut self, on: bool) {
        if on {
            self.flags |= Self::BROADCAST;
        } else {
            self.flags &= !Self::BROADCAST;
        }
    }

    /// The bytes of `chaddr` that `hlen` counts, at most 16.
    pub fn client_hardware(&self) -> &[u8] {
        &self.chaddr[..usize::from(self.hlen).min(16)]
    }

    /// The first six bytes of `chaddr` as a MAC address.
    pub fn client_mac(&self) -> MacAddr {
        let [a, b, c, d, e, f, ..] = self.chaddr;
        MacAddr::new(a, b, c, d, e, f)
    }

    /// Puts a MAC address into `chaddr` and zeros the rest of it.
    pub fn set_client_mac(&mut self, mac: MacAddr) {
        self.chaddr = [0; 16];
        self.chaddr[..6].copy_from_slice(&mac.octets());
    }
}

/// What follows the BOOTP header of a DHCP message: the magic cookie and the option stream, verbatim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dhcp {
    /// 0x63825363 in every real message.
    pub cookie: [u8; 4],
    /// The option stream to the end of the UDP data: END and the padding after it included.
    pub options: Vec<u8>,
}

impl Default for Dhcp {
    fn default() -> Self {
        Dhcp {
            cookie: MAGIC_COOKIE,
            options: Vec::new(),
        }
    }
}

impl Dhcp {
    /// Reads the option stream without allocating.
    pub fn iter(&self) -> super::Options<'_> {
        super::Options::new(&self.options)
    }
}

impl<'a> IntoIterator for &'a Dhcp {
    type Item = super::OptionItem<'a>;
    type IntoIter = super::Options<'a>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
