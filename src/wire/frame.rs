//! A frame as a stack of layers: total decoding and exact encoding.

use std::net::Ipv4Addr;

use pnet::packet::ethernet::{EtherType, EthernetPacket, MutableEthernetPacket};
use pnet::packet::icmp::{IcmpCode, IcmpPacket, IcmpType, MutableIcmpPacket};
use pnet::packet::ip::{IpNextHeaderProtocol, IpNextHeaderProtocols};
use pnet::packet::ipv4::{Ipv4Packet, MutableIpv4Packet};
use pnet::packet::udp::{MutableUdpPacket, UdpPacket};
use pnet::packet::util;
use pnet::packet::vlan::{ClassOfService, MutableVlanPacket, VlanPacket};

use super::layers::*;
use super::{Auto, MacAddr};

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

    /// Decodes an Ethernet frame. Total: bytes that no layer claims become `Raw` or `Padding`.
    pub fn decode(bytes: &[u8]) -> Frame {
        Frame::decode_as(link_type::ETHERNET, bytes)
    }

    /// Decodes a frame of a capture with the given link type; of a type not listed in [`link_type`]
    /// the whole frame is `Raw`.
    pub fn decode_as(link: u32, bytes: &[u8]) -> Frame {
        let mut decoder = Decoder {
            layers: Vec::with_capacity(6),
            padding: Vec::new(),
        };
        match link {
            link_type::ETHERNET => decoder.ether(bytes),
            link_type::RAW | link_type::IPV4 => decoder.ipv4(bytes),
            link_type::LINUX_SLL => decoder.cooked(bytes, 16, 14),
            link_type::LINUX_SLL2 => decoder.cooked(bytes, 20, 0),
            _ if link_type::RAW_OLD.contains(&link) => decoder.ipv4(bytes),
            _ => decoder.raw(bytes),
        }
        if !decoder.padding.is_empty() {
            decoder.layers.push(Layer::Padding(decoder.padding));
        }
        Frame {
            layers: decoder.layers,
        }
    }

    /// Encodes the frame into a new buffer.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.layers.iter().map(Layer::encoded_len).sum());
        self.encode_into(&mut out);
        out
    }

    /// Appends the encoded frame to `out`.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        self.encode_with(out, |_, _| {});
    }

    /// Turns every set field that equals what would be computed back into a computed one, so that
    /// a captured frame can be edited and its lengths and checksums follow. A wrong length or
    /// checksum stays as it was.
    ///
    /// The bytes do not change: `relax` then `encode` gives what `encode` gave.
    pub fn relax(&mut self) {
        let computed = self.computed();
        for (layer, it) in self.layers.iter_mut().zip(computed) {
            match layer {
                Layer::Ether(ether) => ether.ethertype.relax(it.protocol),
                Layer::Dot1Q(tag) => tag.ethertype.relax(it.protocol),
                Layer::Arp(arp) => {
                    let (hwlen, plen) = (arp.hwsrc.len() as u8, arp.psrc.len() as u8);
                    arp.hwlen.relax(hwlen);
                    arp.plen.relax(plen);
                }
                Layer::Ipv4(ip) => {
                    // The header length first decides how the options are padded.
                    if ip.options.len() % 4 == 0 {
                        ip.ihl.relax(ip.words());
                    }
                    ip.len.relax(it.len);
                    ip.proto.relax(it.protocol as u8);
                    ip.chksum.relax(it.chksum);
                }
                Layer::Icmp(icmp) => icmp.chksum.relax(it.chksum),
                Layer::Udp(udp) => udp.len.relax(it.len),
                _ => {}
            }
        }
        // Afterwards, because the pseudo-header follows an IP length only while that is set.
        let computed = self.computed();
        for (layer, it) in self.layers.iter_mut().zip(computed) {
            if let Layer::Udp(udp) = layer {
                udp.chksum.relax(it.chksum);
            }
        }
    }

    /// What each layer's computed fields would hold, given everything that is set.
    pub fn computed(&self) -> Vec<Computed> {
        let mut computed = vec![Computed::default(); self.layers.len()];
        self.encode_with(&mut Vec::new(), |index, it| {
            if let Some(slot) = computed.get_mut(index) {
                *slot = it;
            }
        });
        computed
    }

    fn encode_with(&self, out: &mut Vec<u8>, mut report: impl FnMut(usize, Computed)) {
        let base = out.len();
        let mut starts = [0usize; 16];
        let mut spilled = Vec::new();
        let mut counted_end = None;
        for (index, layer) in self.layers.iter().enumerate() {
            let start = out.len();
            match starts.get_mut(index) {
                Some(slot) => *slot = start,
                None => spilled.push(start),
            }
            if matches!(layer, Layer::Padding(_)) {
                counted_end.get_or_insert(start);
            }
            write_layer(layer, self.layers.get(index + 1), out);
        }
        let end = counted_end.unwrap_or(out.len());
        // Inside out, because an outer checksum covers the inner one.
        for (index, layer) in self.layers.iter().enumerate().rev() {
            let start = match starts.get(index) {
                Some(start) => *start,
                None => spilled[index - starts.len()],
            };
            let protocol = protocol_of(self.layers.get(index + 1));
            let counted = end.max(start) - start;
            let mut it = Computed {
                protocol,
                len: counted as u16,
                chksum: 0,
            };
            match layer {
                Layer::Ether(_) | Layer::Dot1Q(_) => report(index, it),
                Layer::Ipv4(ip) => {
                    let header_end = start + layer.encoded_len();
                    it.protocol = u16::from(ip_protocol_of(self.layers.get(index + 1)));
                    put_u16(out, start + 2, ip.len.or(it.len));
                    // An IHL too small to cover the header's own fields covers them all the same.
                    it.chksum = util::checksum(&out[start..header_end], 5);
                    put_u16(out, start + 10, ip.chksum.or(it.chksum));
                    report(index, it);
                }
                Layer::Icmp(icmp) => {
                    it.chksum = util::checksum(&out[start..end.max(start + 8)], 1);
                    put_u16(out, start + 2, icmp.chksum.or(it.chksum));
                    report(index, it);
                }
                Layer::Udp(udp) => {
                    put_u16(out, start + 4, udp.len.or(it.len));
                    let carrier = self.layers[..index].iter().rev().find_map(|l| match l {
                        Layer::Ipv4(ip) => Some(ip),
                        _ => None,
                    });
                    if let Some(ip) = carrier {
                        it.chksum = udp_checksum(ip, &out[start..end.max(start + 8)]);
                    }
                    put_u16(out, start + 6, udp.chksum.or(it.chksum));
                    report(index, it);
                }
                _ => {}
            }
        }
        debug_assert!(out.len() >= base);
    }
}

/// The computed fields of one layer, as far as it has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Computed {
    /// Ethertype or IP protocol number.
    pub protocol: u16,
    /// Length in bytes of the layer and what it carries.
    pub len: u16,
    /// Checksum.
    pub chksum: u16,
}

impl Ipv4 {
    fn padded_options_len(&self) -> usize {
        match self.ihl {
            Auto::Unset => self.options.len().next_multiple_of(4),
            Auto::Set(_) => self.options.len(),
        }
    }

    fn words(&self) -> u8 {
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

fn put_u16(out: &mut [u8], at: usize, value: u16) {
    if let Some(slot) = out.get_mut(at..at + 2) {
        slot.copy_from_slice(&value.to_be_bytes());
    }
}

/// The UDP checksum of `segment` (header, data; the checksum field itself is left out). A header
/// that sets the IP length wrong has the pseudo-header follow it, as Scapy does.
fn udp_checksum(ip: &Ipv4, segment: &[u8]) -> u16 {
    let len = match ip.len {
        Auto::Unset => segment.len(),
        Auto::Set(len) => {
            let header = 4 * usize::from(ip.ihl.or(ip.words()));
            usize::from(len).saturating_sub(header)
        }
    };
    // pnet counts segment.len() into the pseudo-header: take the difference into its extra bytes.
    let mut sum = u32::from(!util::checksum(segment, 3));
    for word in ip
        .src
        .octets()
        .chunks_exact(2)
        .chain(ip.dst.octets().chunks_exact(2))
    {
        sum += u32::from(word[0]) << 8 | u32::from(word[1]);
    }
    sum += u32::from(IpNextHeaderProtocols::Udp.0) + len as u32;
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    match !(sum as u16) {
        0 => 0xffff,
        sum => sum,
    }
}

fn protocol_of(next: Option<&Layer>) -> u16 {
    match next {
        Some(Layer::Ipv4(_)) => ETHERTYPE_IPV4,
        Some(Layer::Arp(_)) => ETHERTYPE_ARP,
        Some(Layer::Dot1Q(_)) => ETHERTYPE_DOT1Q,
        _ => ETHERTYPE_LOOPBACK,
    }
}

fn ip_protocol_of(next: Option<&Layer>) -> u8 {
    match next {
        Some(Layer::Icmp(_)) => IpNextHeaderProtocols::Icmp.0,
        Some(Layer::Ipv4(_)) => IpNextHeaderProtocols::Ipv4.0,
        Some(Layer::Udp(_)) => IpNextHeaderProtocols::Udp.0,
        _ => 0,
    }
}

/// Appends a layer with its lengths and checksums still zero where they are to be computed.
fn write_layer(layer: &Layer, next: Option<&Layer>, out: &mut Vec<u8>) {
    let start = out.len();
    match layer {
        Layer::Ether(ether) => {
            out.resize(start + EthernetPacket::minimum_packet_size(), 0);
            if let Some(mut packet) = MutableEthernetPacket::new(&mut out[start..]) {
                packet.set_destination(ether.dst);
                packet.set_source(ether.src);
                packet.set_ethertype(EtherType(ether.ethertype.or(protocol_of(next))));
            }
        }
        Layer::Dot1Q(tag) => {
            out.resize(start + VlanPacket::minimum_packet_size(), 0);
            if let Some(mut packet) = MutableVlanPacket::new(&mut out[start..]) {
                packet.set_priority_code_point(ClassOfService(tag.prio & 7));
                packet.set_drop_eligible_indicator(tag.dei & 1);
                packet.set_vlan_identifier(tag.vlan & 0xfff);
                packet.set_ethertype(EtherType(tag.ethertype.or(protocol_of(next))));
            }
        }
        Layer::Arp(arp) => {
            out.extend(arp.hwtype.to_be_bytes());
            out.extend(arp.ptype.to_be_bytes());
            out.push(arp.hwlen.or(arp.hwsrc.len() as u8));
            out.push(arp.plen.or(arp.psrc.len() as u8));
            out.extend(arp.op.to_be_bytes());
            for address in [&arp.hwsrc, &arp.psrc, &arp.hwdst, &arp.pdst] {
                out.extend_from_slice(address);
            }
        }
        Layer::Ipv4(ip) => {
            out.resize(start + 20, 0);
            if let Some(mut packet) = MutableIpv4Packet::new(&mut out[start..]) {
                packet.set_version(ip.version & 0xf);
                packet.set_header_length(ip.ihl.or(ip.words()) & 0xf);
                packet.set_dscp(ip.tos >> 2);
                packet.set_ecn(ip.tos & 3);
                packet.set_identification(ip.id);
                packet.set_flags(ip.flags & 7);
                packet.set_fragment_offset(ip.frag & 0x1fff);
                packet.set_ttl(ip.ttl);
                packet.set_next_level_protocol(IpNextHeaderProtocol(
                    ip.proto.or(ip_protocol_of(next)),
                ));
                packet.set_source(ip.src);
                packet.set_destination(ip.dst);
            }
            out.extend_from_slice(&ip.options);
            out.resize(start + 20 + ip.padded_options_len(), 0);
        }
        Layer::Icmp(icmp) => {
            out.resize(start + 8, 0);
            if let Some(mut packet) = MutableIcmpPacket::new(&mut out[start..]) {
                packet.set_icmp_type(IcmpType(icmp.kind));
                packet.set_icmp_code(IcmpCode(icmp.code));
            }
            out[start + 4..].copy_from_slice(&icmp.rest);
        }
        Layer::Udp(udp) => {
            out.resize(start + 8, 0);
            if let Some(mut packet) = MutableUdpPacket::new(&mut out[start..]) {
                packet.set_source(udp.sport);
                packet.set_destination(udp.dport);
            }
        }
        Layer::Bootp(bootp) => bootp.write(out),
        Layer::Dhcp(dhcp) => {
            out.extend_from_slice(&dhcp.cookie);
            out.extend_from_slice(&dhcp.options);
        }
        Layer::Cooked(bytes) | Layer::Raw(bytes) | Layer::Padding(bytes) => {
            out.extend_from_slice(bytes)
        }
    }
}

impl Bootp {
    /// Appends the 236 bytes of the header.
    pub fn write(&self, out: &mut Vec<u8>) {
        out.extend([self.op, self.htype, self.hlen, self.hops]);
        out.extend(self.xid.to_be_bytes());
        out.extend(self.secs.to_be_bytes());
        out.extend(self.flags.to_be_bytes());
        for address in [self.ciaddr, self.yiaddr, self.siaddr, self.giaddr] {
            out.extend(address.octets());
        }
        out.extend_from_slice(&self.chaddr);
        out.extend_from_slice(&self.sname);
        out.extend_from_slice(&self.file);
    }

    /// Reads the header from the first 236 bytes, and gives what follows it.
    pub fn read(bytes: &[u8]) -> Option<(Bootp, &[u8])> {
        let (header, rest) = bytes.split_first_chunk::<BOOTP_LEN>()?;
        let mut cursor = &header[..];
        let bootp = Bootp {
            op: take::<1>(&mut cursor)?[0],
            htype: take::<1>(&mut cursor)?[0],
            hlen: take::<1>(&mut cursor)?[0],
            hops: take::<1>(&mut cursor)?[0],
            xid: u32::from_be_bytes(take(&mut cursor)?),
            secs: u16::from_be_bytes(take(&mut cursor)?),
            flags: u16::from_be_bytes(take(&mut cursor)?),
            ciaddr: Ipv4Addr::from(take::<4>(&mut cursor)?),
            yiaddr: Ipv4Addr::from(take::<4>(&mut cursor)?),
            siaddr: Ipv4Addr::from(take::<4>(&mut cursor)?),
            giaddr: Ipv4Addr::from(take::<4>(&mut cursor)?),
            chaddr: take(&mut cursor)?,
            sname: take(&mut cursor)?,
            file: take(&mut cursor)?,
        };
        Some((bootp, rest))
    }
}

fn take<const N: usize>(cursor: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = cursor.split_first_chunk::<N>()?;
    *cursor = tail;
    Some(*head)
}

struct Decoder {
    layers: Vec<Layer>,
    /// What lies behind the end of a datagram, innermost first: that is wire order.
    padding: Vec<u8>,
}

impl Decoder {
    fn raw(&mut self, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.layers.push(Layer::Raw(bytes.to_vec()));
        }
    }

    fn ether(&mut self, bytes: &[u8]) {
        let Some(packet) = EthernetPacket::new(bytes) else {
            return self.raw(bytes);
        };
        let ethertype = packet.get_ethertype().0;
        self.layers.push(Layer::Ether(Ether {
            dst: packet.get_destination(),
            src: packet.get_source(),
            ethertype: Auto::Set(ethertype),
        }));
        self.network(ethertype, &bytes[EthernetPacket::minimum_packet_size()..]);
    }

    fn cooked(&mut self, bytes: &[u8], header: usize, protocol_at: usize) {
        let Some((head, rest)) = bytes.split_at_checked(header) else {
            return self.raw(bytes);
        };
        let protocol = u16::from_be_bytes([head[protocol_at], head[protocol_at + 1]]);
        self.layers.push(Layer::Cooked(head.to_vec()));
        self.network(protocol, rest);
    }

    fn network(&mut self, mut ethertype: u16, mut bytes: &[u8]) {
        while let ETHERTYPE_DOT1Q | ETHERTYPE_DOT1AD | ETHERTYPE_QINQ_OLD = ethertype {
            let Some(packet) = VlanPacket::new(bytes) else {
                return self.raw(bytes);
            };
            ethertype = packet.get_ethertype().0;
            self.layers.push(Layer::Dot1Q(Dot1Q {
                prio: packet.get_priority_code_point().0,
                dei: packet.get_drop_eligible_indicator(),
                vlan: packet.get_vlan_identifier(),
                ethertype: Auto::Set(ethertype),
            }));
            bytes = &bytes[VlanPacket::minimum_packet_size()..];
        }
        match ethertype {
            ETHERTYPE_IPV4 => self.ipv4(bytes),
            ETHERTYPE_ARP => self.arp(bytes),
            _ => self.raw(bytes),
        }
    }

    fn arp(&mut self, bytes: &[u8]) {
        let mut cursor = bytes;
        match read_arp(&mut cursor) {
            Some(arp) => {
                self.layers.push(Layer::Arp(arp));
                self.padding.extend_from_slice(cursor);
            }
            None => self.raw(bytes),
        }
    }

    fn ipv4(&mut self, bytes: &[u8]) {
        let Some(packet) = Ipv4Packet::new(bytes) else {
            return self.raw(bytes);
        };
        if packet.get_version() != 4 {
            return self.raw(bytes);
        }
        let ihl = packet.get_header_length();
        let header = (4 * usize::from(ihl)).clamp(20, bytes.len());
        let total = usize::from(packet.get_total_length());
        let proto = packet.get_next_level_protocol();
        let frag = packet.get_fragment_offset();
        self.layers.push(Layer::Ipv4(Ipv4 {
            version: packet.get_version(),
            ihl: Auto::Set(ihl),
            tos: packet.get_dscp() << 2 | packet.get_ecn(),
            len: Auto::Set(packet.get_total_length()),
            id: packet.get_identification(),
            flags: packet.get_flags(),
            frag,
            ttl: packet.get_ttl(),
            proto: Auto::Set(proto.0),
            chksum: Auto::Set(packet.get_checksum()),
            src: packet.get_source(),
            dst: packet.get_destination(),
            options: bytes[20..header].to_vec(),
        }));
        // A length that makes no sense (0 from a segmenting card, too short, too long) bounds nothing.
        let end = if (header..=bytes.len()).contains(&total) {
            total
        } else {
            bytes.len()
        };
        let payload = &bytes[header..end];
        match proto {
            IpNextHeaderProtocols::Udp if frag == 0 => self.udp(payload),
            IpNextHeaderProtocols::Icmp if frag == 0 => self.icmp(payload),
            _ => self.raw(payload),
        }
        self.padding.extend_from_slice(&bytes[end..]);
    }

    fn icmp(&mut self, bytes: &[u8]) {
        let (Some(packet), Some((head, rest))) =
            (IcmpPacket::new(bytes), bytes.split_first_chunk::<8>())
        else {
            return self.raw(bytes);
        };
        self.layers.push(Layer::Icmp(Icmp {
            kind: packet.get_icmp_type().0,
            code: packet.get_icmp_code().0,
            chksum: Auto::Set(packet.get_checksum()),
            rest: [head[4], head[5], head[6], head[7]],
        }));
        self.raw(rest);
    }

    fn udp(&mut self, bytes: &[u8]) {
        let Some(packet) = UdpPacket::new(bytes) else {
            return self.raw(bytes);
        };
        let (sport, dport) = (packet.get_source(), packet.get_destination());
        let len = usize::from(packet.get_length());
        self.layers.push(Layer::Udp(Udp {
            sport,
            dport,
            len: Auto::Set(packet.get_length()),
            chksum: Auto::Set(packet.get_checksum()),
        }));
        let end = if (8..=bytes.len()).contains(&len) {
            len
        } else {
            bytes.len()
        };
        let data = &bytes[8..end];
        let ports = [sport, dport];
        let bootp = ports.contains(&SERVER_PORT) || ports.contains(&CLIENT_PORT);
        let pxe =
            ports.contains(&PXE_PORT) && data.get(BOOTP_LEN..BOOTP_LEN + 4) == Some(&MAGIC_COOKIE);
        if bootp || pxe {
            self.bootp(data);
        } else {
            self.raw(data);
        }
        self.padding.extend_from_slice(&bytes[end..]);
    }

    fn bootp(&mut self, bytes: &[u8]) {
        let Some((bootp, rest)) = Bootp::read(bytes) else {
            return self.raw(bytes);
        };
        self.layers.push(Layer::Bootp(Box::new(bootp)));
        match rest.strip_prefix(&MAGIC_COOKIE) {
            Some(options) => self.layers.push(Layer::Dhcp(Dhcp {
                cookie: MAGIC_COOKIE,
                options: options.to_vec(),
            })),
            None => self.raw(rest),
        }
    }
}

fn read_arp(cursor: &mut &[u8]) -> Option<Arp> {
    let hwtype = u16::from_be_bytes(take(cursor)?);
    let ptype = u16::from_be_bytes(take(cursor)?);
    let [hwlen, plen] = take(cursor)?;
    let op = u16::from_be_bytes(take(cursor)?);
    let mut address = |len: u8| -> Option<Vec<u8>> {
        let (head, tail) = cursor.split_at_checked(usize::from(len))?;
        *cursor = tail;
        Some(head.to_vec())
    };
    Some(Arp {
        hwtype,
        ptype,
        hwlen: Auto::Set(hwlen),
        plen: Auto::Set(plen),
        op,
        hwsrc: address(hwlen)?,
        psrc: address(plen)?,
        hwdst: address(hwlen)?,
        pdst: address(plen)?,
    })
}

/// Reads the Ethernet addresses of a frame without decoding the rest: destination, source.
pub fn ether_addresses(frame: &[u8]) -> Option<(MacAddr, MacAddr)> {
    let (dst, rest) = frame.split_first_chunk::<6>()?;
    let (src, _) = rest.split_first_chunk::<6>()?;
    Some(((*dst).into(), (*src).into()))
}
