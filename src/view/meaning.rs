//! What the fields of a header say: their values in words, and what is wrong with them.

use std::borrow::Cow;
use std::fmt::Write;

use super::style::{push_hex, push_ip, push_number};
use crate::commands::outcome::{Direction, Entry};
use crate::dhcp::enums;
use crate::dhcp::value::escape_into;
use crate::wire::*;

/// What is to be said about a field beside its value.
pub(super) enum Note {
    /// Nothing.
    None,
    /// It is in order, or needs a word of explanation.
    Fine(Cow<'static, str>),
    /// It is wrong, or at least odd.
    Odd(Cow<'static, str>),
}

impl Note {
    pub(super) fn odd(text: impl Into<Cow<'static, str>>) -> Note {
        Note::Odd(text.into())
    }

    pub(super) fn fine(text: impl Into<Cow<'static, str>>) -> Note {
        Note::Fine(text.into())
    }
}

/// What a field's number stands for.
fn meaning(layer: &str, field: &str, number: u64) -> Option<Cow<'static, str>> {
    let name = match (layer, field, number) {
        ("Ether" | "Dot1Q", "type", 0x0800) => "IPv4",
        ("Ether" | "Dot1Q", "type", 0x0806) => "ARP",
        ("Ether" | "Dot1Q", "type", 0x8100) => "802.1Q tag",
        ("Ether" | "Dot1Q", "type", 0x88a8) => "802.1ad tag",
        ("Ether" | "Dot1Q", "type", 0x86dd) => "IPv6",
        ("Ether" | "Dot1Q", "type", 0x88cc) => "LLDP",
        ("Ether" | "Dot1Q", "type", 0x888e) => "EAPOL",
        ("Ether", "type", 0..=1500) => "IEEE 802.3 length",
        ("IP", "proto", 1) => "ICMP",
        ("IP", "proto", 2) => "IGMP",
        ("IP", "proto", 6) => "TCP",
        ("IP", "proto", 17) => "UDP",
        ("IP", "flags", 1) => "more fragments",
        ("IP", "flags", 2) => "don't fragment",
        ("UDP", "sport" | "dport", 67) => "bootps (server, relay agent)",
        ("UDP", "sport" | "dport", 68) => "bootpc (client)",
        ("UDP", "sport" | "dport", 4011) => "PXE boot server",
        ("UDP", "chksum", 0) => "none",
        ("ARP", "op", 1) => "request",
        ("ARP", "op", 2) => "reply",
        ("ARP", "hwtype", 1) => "Ethernet",
        ("ARP", "ptype", 0x0800) => "IPv4",
        ("ICMP", "type", 0) => "echo reply",
        ("ICMP", "type", 3) => "unreachable",
        ("ICMP", "type", 5) => "redirect",
        ("ICMP", "type", 8) => "echo request",
        ("ICMP", "type", 11) => "time exceeded",
        ("BOOTP", "op", 1) => "BOOTREQUEST",
        ("BOOTP", "op", 2) => "BOOTREPLY",
        ("BOOTP", "flags", _) if number & 0x8000 != 0 => "broadcast",
        ("BOOTP", "flags", _) => "unicast",
        ("BOOTP", "htype", number) => {
            return enums::hardware_type_name(u8::try_from(number).ok()?).map(Cow::Borrowed);
        }
        _ => return None,
    };
    Some(name.into())
}

/// Bytes joined by colons, as hardware addresses are written.
pub(super) fn colons(out: &mut String, bytes: &[u8]) {
    for (index, byte) in bytes.iter().enumerate() {
        if index > 0 {
            out.push(':');
        }
        let halves = [byte >> 4, byte & 15];
        out.extend(halves.map(|it| char::from_digit(it.into(), 16).unwrap_or_default()));
    }
}

/// The value of a field that stands in `bytes`, read without its layer.
pub(super) fn value_in(row: &FieldSpec, bytes: &[u8]) -> FieldValue {
    match (row.kind, <[u8; 4]>::try_from(bytes)) {
        (FieldKind::Ip, Ok(octets)) => FieldValue::Ip(octets.into()),
        (FieldKind::Number | FieldKind::Hex, _) => FieldValue::Number(
            bytes
                .iter()
                .take(8)
                .fold(0, |number, byte| number << 8 | u64::from(*byte)),
        ),
        _ => FieldValue::Bytes(bytes.to_vec()),
    }
}

/// Appends a field's value as text; `hlen` counts the bytes of `chaddr` that matter.
pub(super) fn show(out: &mut String, row: &FieldSpec, value: &FieldValue, hlen: usize) {
    match (row.layer, row.name, row.kind, value) {
        ("ARP", "psrc" | "pdst", _, FieldValue::Bytes(bytes)) => {
            match <[u8; 4]>::try_from(bytes.as_slice()) {
                Ok(octets) => {
                    let _ = write!(out, "{}", std::net::Ipv4Addr::from(octets));
                }
                Err(_) => push_hex(out, bytes),
            }
        }
        ("ARP", "hwsrc" | "hwdst", _, FieldValue::Bytes(bytes)) => colons(out, bytes),
        ("BOOTP", "chaddr", _, FieldValue::Bytes(bytes)) => {
            colons(out, bytes.get(..hlen).unwrap_or(bytes));
        }
        (_, _, FieldKind::Hex, FieldValue::Number(number)) => {
            let digits = row.bits.div_ceil(4);
            let _ = write!(out, "0x{number:0digits$x}");
        }
        (_, _, FieldKind::Text, FieldValue::Bytes(bytes)) => {
            let end = bytes.iter().rposition(|it| *it != 0).map_or(0, |at| at + 1);
            match bytes.get(..end) {
                Some(text) if !text.is_empty() => escape_into(out, text),
                _ => out.push('-'),
            }
        }
        (_, _, _, FieldValue::Bytes(bytes)) => push_hex(out, bytes),
        (_, _, _, FieldValue::Number(number)) => push_number(out, *number),
        (_, _, _, FieldValue::Ip(ip)) => push_ip(out, *ip),
        (_, _, _, value) => {
            let _ = write!(out, "{value}");
        }
    }
    if let FieldValue::Number(number) = value
        && let Some(name) = meaning(row.layer, row.name, *number)
    {
        out.push_str("  ");
        out.push_str(&name);
    }
}

/// What is wrong with a field as such, whatever the rest of the frame says.
pub(super) fn oddity(row: &FieldSpec, value: &FieldValue, hlen: usize) -> Note {
    match (row.layer, row.name, value) {
        ("IP", "ihl", FieldValue::Number(0..=4)) => {
            Note::odd("less than 5: the header itself has 20 bytes")
        }
        ("IP", "flags", FieldValue::Number(4..)) => Note::odd("the reserved bit is set"),
        ("BOOTP", "op", FieldValue::Number(0 | 3..)) => {
            Note::odd("neither request (1) nor reply (2)")
        }
        ("BOOTP", "hlen", FieldValue::Number(17..)) => Note::odd("chaddr has 16 bytes"),
        ("BOOTP", "flags", FieldValue::Number(number)) if number & 0x7fff != 0 => {
            Note::odd("reserved bits are set")
        }
        ("BOOTP", "chaddr", FieldValue::Bytes(bytes)) => match bytes.get(hlen..) {
            Some(rest) if rest.iter().any(|it| *it != 0) => {
                Note::odd(format!("beyond hlen: {}", hex::encode(rest)))
            }
            _ => Note::None,
        },
        ("DHCP", "cookie", FieldValue::Bytes(bytes)) if bytes[..] != MAGIC_COOKIE => {
            Note::odd("wrong, should be 63825363")
        }
        _ => Note::None,
    }
}

/// Whether a computed field holds what it should.
pub(super) fn check(layer: &Layer, name: &str, number: u64, it: &Computed, entry: &Entry) -> Note {
    let cut = entry.original_len > entry.bytes.len();
    match (layer, name) {
        (Layer::Udp(_), "chksum") if number == 0 => Note::None,
        (Layer::Udp(udp), "chksum")
            if number != u64::from(it.chksum) && is_unfinished(udp, number, it, entry) =>
        {
            Note::fine("unfinished: left to the network card")
        }
        (Layer::Udp(_) | Layer::Icmp(_), "chksum") if cut => {
            Note::fine("not checked: the capture is cut")
        }
        (Layer::Udp(_) | Layer::Icmp(_), "chksum") if fragment(&entry.frame).is_some() => {
            Note::fine("not checked: a fragment")
        }
        (Layer::Ipv4(ip), "chksum") if ip.ihl.get().is_some_and(|it| it < 5) => Note::None,
        (Layer::Ipv4(_) | Layer::Udp(_) | Layer::Icmp(_), "chksum") => {
            match number == u64::from(it.chksum) {
                true => Note::fine("ok"),
                false => Note::odd(format!("wrong, should be {:#06x}", it.chksum)),
            }
        }
        (Layer::Ipv4(_) | Layer::Udp(_), "len") if number != u64::from(it.len) && !cut => {
            Note::odd(format!("{} bytes are there", it.len))
        }
        _ => Note::None,
    }
}

/// Whether a UDP checksum was left for the network card to finish: the kernel says so, or, as no capture tells, it is the
/// sum that the kernel begins with.
fn is_unfinished(udp: &Udp, number: u64, it: &Computed, entry: &Entry) -> bool {
    let begun = || {
        let ip = entry.frame.ipv4();
        ip.map(|ip| ip.pseudo_header_sum(udp.len.or(it.len)).into())
    };
    entry.checksum_unfinished || entry.direction == Direction::Read && begun() == Some(number)
}

/// Of a fragment, which part of the datagram it is.
pub(super) fn fragment(frame: &Frame) -> Option<String> {
    let ip = frame.ipv4()?;
    let more = ip.flags & 1 != 0;
    match (ip.frag, more) {
        (0, false) => None,
        (0, true) => Some(format!("first fragment of datagram {}", ip.id)),
        (at, more) => {
            let which = if more { "a" } else { "last" };
            Some(format!(
                "{which} fragment of datagram {}, from byte {}",
                ip.id,
                8 * u32::from(at)
            ))
        }
    }
}

/// The fields of a Linux cooked header of `len` bytes: name, first byte, end.
pub(super) fn cooked(len: usize) -> &'static [(&'static str, usize, usize)] {
    match len {
        16 => &[
            ("packet type", 0, 2),
            ("hardware type", 2, 4),
            ("address length", 4, 6),
            ("address", 6, 14),
            ("protocol", 14, 16),
        ],
        20 => &[
            ("protocol", 0, 2),
            ("reserved", 2, 4),
            ("interface", 4, 8),
            ("hardware type", 8, 10),
            ("packet type", 10, 11),
            ("address length", 11, 12),
            ("address", 12, 20),
        ],
        _ => &[],
    }
}
