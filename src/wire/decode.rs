//! Total decoding: any bytes give a frame, and what no layer claims is kept.

use std::net::Ipv4Addr;

use pnet::packet::ethernet::EthernetPacket;
use pnet::packet::icmp::IcmpPacket;
use pnet::packet::ip::IpNextHeaderProtocols;
use pnet::packet::ipv4::Ipv4Packet;
use pnet::packet::udp::UdpPacket;
use pnet::packet::vlan::VlanPacket;

use super::Auto;
use super::frame::{Frame, Layer, link_type};
use super::layers::*;

impl Frame {
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
}

impl Bootp {
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

fn take<const N: usize>(cursor: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = cursor.split_first_chunk::<N>()?;
    *cursor = tail;
    Some(*head)
}
