//! Exact encoding: what nobody set is computed, what was set goes out as it is.

use pnet::packet::ethernet::{EtherType, EthernetPacket, MutableEthernetPacket};
use pnet::packet::icmp::{IcmpCode, IcmpType, MutableIcmpPacket};
use pnet::packet::ip::{IpNextHeaderProtocol, IpNextHeaderProtocols};
use pnet::packet::ipv4::MutableIpv4Packet;
use pnet::packet::udp::MutableUdpPacket;
use pnet::packet::util;
use pnet::packet::vlan::{ClassOfService, MutableVlanPacket, VlanPacket};

use super::Auto;
use super::frame::{Frame, Layer};
use super::layers::*;

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

impl Frame {
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
    // pnet counts segment.len() into the pseudo-header: take the sums apart and add them here.
    let mut sum =
        u32::from(!util::checksum(segment, 3)) + u32::from(ip.pseudo_header_sum(len as u16));
    if sum > 0xffff {
        sum = (sum & 0xffff) + 1;
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
