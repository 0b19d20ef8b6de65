//! A frame as a stack of layers.

use pnet::packet::ethernet::EthernetPacket;
use pnet::packet::vlan::VlanPacket;

use super::MacAddr;
use super::layers::*;

/// Link types of capture files that this program can look into (the numbers of pcap's LINKTYPE_).
pub mod link_type {
    /// Ethernet.
    pub const ETHERNET: u32 = 1;
    /// BSD's and OpenBSD's older numbers for raw IP.
    pub const RAW_OLD: [u32; 2] = [12, 14];
    /// Raw IP, version 4 or 6.
    pub const RAW: u32 = 101;
    /// Linux "cooked" capture.
    pub const LINUX_SLL: u32 = 113;
    /// Raw IPv4.
    pub const IPV4: u32 = 228;
    /// Linux "cooked" capture, version 2.
    pub const LINUX_SLL2: u32 = 276;
}

/// One layer of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layer {
    /// Ethernet II.
    Ether(Ether),
    /// The pseudo-header of a Linux cooked capture, verbatim.
    Cooked(Vec<u8>),
    /// 802.1Q or 802.1ad tag.
    Dot1Q(Dot1Q),
    /// ARP.
    Arp(Arp),
    /// IPv4.
    Ipv4(Ipv4),
    /// ICMP.
    Icmp(Icmp),
    /// UDP.
    Udp(Udp),
    /// The fixed part of a BOOTP or DHCP message.
    Bootp(Box<Bootp>),
    /// Magic cookie and options.
    Dhcp(Dhcp),
    /// Bytes that no layer above claims.
    Raw(Vec<u8>),
    /// Bytes behind the end of a datagram, as a length field has it: Ethernet's padding. No
    /// computed length or checksum counts them.
    Padding(Vec<u8>),
}

impl Layer {
    /// The layer's name: `Ether`, `Dot1Q`, `ARP`, `IP`, `ICMP`, `UDP`, `BOOTP`, `DHCP`, `Raw` …
    pub fn name(&self) -> &'static str {
        match self {
            Layer::Ether(_) => "Ether",
            Layer::Cooked(_) => "Cooked",
            Layer::Dot1Q(_) => "Dot1Q",
            Layer::Arp(_) => "ARP",
            Layer::Ipv4(_) => "IP",
            Layer::Icmp(_) => "ICMP",
            Layer::Udp(_) => "UDP",
            Layer::Bootp(_) => "BOOTP",
            Layer::Dhcp(_) => "DHCP",
            Layer::Raw(_) => "Raw",
            Layer::Padding(_) => "Padding",
        }
    }

    /// Bytes that the layer itself takes when encoded.
    pub fn encoded_len(&self) -> usize {
        match self {
            Layer::Ether(_) => EthernetPacket::minimum_packet_size(),
            Layer::Dot1Q(_) => VlanPacket::minimum_packet_size(),
            Layer::Arp(arp) => {
                8 + arp.hwsrc.len() + arp.psrc.len() + arp.hwdst.len() + arp.pdst.len()
            }
            Layer::Ipv4(ip) => 20 + ip.padded_options_len(),
            Layer::Icmp(_) | Layer::Udp(_) => 8,
            Layer::Bootp(_) => BOOTP_LEN,
            Layer::Dhcp(dhcp) => 4 + dhcp.options.len(),
            Layer::Cooked(bytes) | Layer::Raw(bytes) | Layer::Padding(bytes) => bytes.len(),
        }
    }
}

macro_rules! layer_access {
    ($($Variant:ident $Struct:ty, $get:ident, $get_mut:ident, $doc:literal;)*) => {
        impl Frame {
            $(
                #[doc = concat!("The first ", $doc, " layer.")]
                pub fn $get(&self) -> Option<&$Struct> {
                    for layer in &self.layers {
                        if let Layer::$Variant(it) = layer {
                            let it: &$Struct = it;
                            return Some(it);
                        }
                    }
                    None
                }
                #[doc = concat!("The first ", $doc, " layer, to change it.")]
                pub fn $get_mut(&mut self) -> Option<&mut $Struct> {
                    for layer in &mut self.layers {
                        if let Layer::$Variant(it) = layer {
                            let it: &mut $Struct = it;
                            return Some(it);
                        }
                    }
                    None
                }
            )*
        }
        $(impl From<$Struct> for Layer {
            fn from(it: $Struct) -> Self { Layer::$Variant(it.into()) }
        })*
    };
}

layer_access! {
    Ether Ether, ether, ether_mut, "Ethernet";
    Dot1Q Dot1Q, dot1q, dot1q_mut, "802.1Q";
    Arp Arp, arp, arp_mut, "ARP";
    Ipv4 Ipv4, ipv4, ipv4_mut, "IPv4";
    Icmp Icmp, icmp, icmp_mut, "ICMP";
    Udp Udp, udp, udp_mut, "UDP";
    Bootp Bootp, bootp, bootp_mut, "BOOTP";
    Dhcp Dhcp, dhcp, dhcp_mut, "DHCP";
}

/// A frame: layers from the outermost to the innermost.
///
/// Decoding never fails, and what was decoded encodes to the same bytes:
///
/// ```
/// use dhcpcraft::wire::Frame;
/// for bytes in [&b""[..], b"\x01", &[0xff; 60], &[0; 400]] {
///     assert_eq!(Frame::decode(bytes).encode(), bytes);
/// }
/// ```
///
/// What nobody sets is computed, what is set goes out as it is:
///
/// ```
/// use dhcpcraft::wire::{Auto, Ether, Frame, Ipv4, Layer, Udp};
/// let mut frame = Frame::new([Ether::default().into(), Ipv4::default().into(), Udp::default().into()]);
/// let bytes = frame.encode();
/// assert_eq!(bytes[12..14], [0x08, 0x00], "the ethertype follows from the next layer");
/// frame.udp_mut().unwrap().len = Auto::Set(3);
/// assert_eq!(frame.encode()[38..40], [0, 3], "a wrong length stays wrong");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// The layers, outermost first.
    pub layers: Vec<Layer>,
}

impl Frame {
    /// Stacks `layers`, outermost first.
    pub fn new(layers: impl IntoIterator<Item = Layer>) -> Self {
        Frame {
            layers: layers.into_iter().collect(),
        }
    }

    /// The bytes of the first `Raw` layer.
    pub fn raw(&self) -> Option<&[u8]> {
        self.layers.iter().find_map(|layer| match layer {
            Layer::Raw(bytes) => Some(bytes.as_slice()),
            _ => None,
        })
    }

    /// The VLAN ids of the tags, outermost first.
    pub fn vlans(&self) -> impl Iterator<Item = u16> + '_ {
        self.layers.iter().filter_map(|layer| match layer {
            Layer::Dot1Q(tag) => Some(tag.vlan),
            _ => None,
        })
    }

    /// Its VLAN tags, outermost first, for another frame to be tagged alike. What stands behind them is
    /// left to be computed.
    pub fn tags(&self) -> impl Iterator<Item = Dot1Q> + '_ {
        self.layers.iter().filter_map(|layer| match layer {
            Layer::Dot1Q(tag) => Some(Dot1Q {
                ethertype: tag_protocol(tag.ethertype),
                ..tag.clone()
            }),
            _ => None,
        })
    }

    /// Each layer with the offset of its first byte in the encoded frame.
    pub fn with_offsets(&self) -> impl Iterator<Item = (usize, &Layer)> {
        self.layers.iter().scan(0, |at, layer| {
            let start = *at;
            *at += layer.encoded_len();
            Some((start, layer))
        })
    }
}

/// Reads the Ethernet addresses of a frame without decoding the rest: destination, source.
pub fn ether_addresses(frame: &[u8]) -> Option<(MacAddr, MacAddr)> {
    let (dst, rest) = frame.split_first_chunk::<6>()?;
    let (src, _) = rest.split_first_chunk::<6>()?;
    Some(((*dst).into(), (*src).into()))
}
