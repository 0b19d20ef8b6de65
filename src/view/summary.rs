//! A frame in one line.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::time::Duration;

use super::Style;
use super::style::{columns, cut};
use crate::commands::outcome::{Direction, Entry, Grouped, Verdict};
use crate::dhcp::Message;
use crate::dhcp::enums::*;
use crate::dhcp::value::{escape_into, types};
use crate::wire::{Frame, Layer, MacAddr};

/// A lease time as people say it: `1h`, `infinite`.
pub(super) fn seconds(number: u32) -> String {
    let value = types::SECONDS.decode(&number.to_be_bytes());
    value.map(|it| it.to_string()).unwrap_or_default()
}

/// A length of time with a few digits, in nine columns at most: `0.3 ms`, `12.0 s`, `3.5 d`.
pub(super) fn duration(time: Duration) -> String {
    const DAY: f64 = 86_400.0;
    let seconds = time.as_secs_f64();
    if seconds < 1.0 {
        format!("{:.1} ms", seconds * 1000.0)
    } else if seconds < 100.0 {
        format!("{seconds:.1} s")
    } else if seconds < 2.0 * DAY {
        format!("{seconds:.0} s")
    } else if seconds < 1000.0 * DAY {
        format!("{:.1} d", seconds / DAY)
    } else {
        format!("{:.0} d", seconds / DAY)
    }
}

/// VLAN tags in words, outermost first: `vlan 20`, `vlan 20.30`, `no vlan`.
pub(super) fn vlans(ids: &[u16]) -> String {
    let ids: Vec<String> = ids.iter().map(u16::to_string).collect();
    match ids.is_empty() {
        true => "no vlan".into(),
        false => format!("vlan {}", ids.join(".")),
    }
}

/// Whether the REQUEST in a frame asks every server and not the one that gave the lease. What came through a relay
/// agent was broadcast (RFC 2131 section 4.3.2).
pub(super) fn to_all(frame: &Frame, message: &Message) -> bool {
    let broadcast = frame.ipv4().is_none_or(|it| it.dst.is_broadcast());
    broadcast || !message.bootp.giaddr.is_unspecified()
}

/// What matters in the message of a frame, beside its type. The server's and the relay's addresses are
/// left out where they are `told` elsewhere.
pub(super) fn facts(frame: &Frame, message: &Message, told: &[Ipv4Addr]) -> Vec<String> {
    let bootp = message.bootp;
    let mut facts: Vec<String> = Vec::with_capacity(4);
    let some = |ip: Ipv4Addr| (!ip.is_unspecified()).then_some(ip);
    let server = message.server_id();
    let from = server
        .filter(|ip| !told.contains(ip))
        .map(|ip| format!("from {ip}"));
    let lease = message
        .lease_time()
        .map(|it| format!("lease {}", seconds(it)));
    match message.message_type() {
        Some(DISCOVER) => {
            let wanted = message.requested_ip().and_then(some);
            facts.extend(wanted.map(|ip| format!("wants {ip}")));
            facts.push(format!("xid {:#010x}", bootp.xid));
            facts.extend(bootp.broadcast().then(|| "broadcast".to_string()));
        }
        Some(OFFER | ACK) => {
            let address = some(bootp.yiaddr).or(some(bootp.ciaddr));
            facts.extend(address.map(|ip| ip.to_string()));
            facts.extend(from);
            facts.extend(lease);
        }
        Some(REQUEST) => {
            let held = some(bootp.ciaddr).map(|ip| match server {
                Some(_) => ip.to_string(),
                None if to_all(frame, message) => format!("{ip} (rebinding)"),
                None => format!("{ip} (renewing)"),
            });
            facts.extend(message.requested_ip().map(|ip| ip.to_string()).or(held));
            facts.extend(from);
        }
        Some(NAK) => {
            facts.extend(from);
            if let Some(text) = message.data(56) {
                let mut said = String::from("\"");
                escape_into(&mut said, &text);
                said.push('"');
                facts.push(said);
            }
        }
        Some(DECLINE) => {
            facts.extend(message.requested_ip().map(|ip| ip.to_string()));
            facts.extend(server.map(|ip| format!("to {ip}")));
        }
        Some(RELEASE | INFORM) => {
            facts.extend(some(bootp.ciaddr).map(|ip| ip.to_string()));
            facts.extend(server.map(|ip| format!("to {ip}")));
        }
        _ => {
            let address = some(bootp.ciaddr).or(some(bootp.yiaddr));
            facts.extend(address.map(|ip| ip.to_string()));
            facts.push(format!("xid {:#010x}", bootp.xid));
        }
    }
    let relay = some(bootp.giaddr).filter(|ip| !told.contains(ip));
    facts.extend(relay.map(|ip| format!("via {ip}")));
    facts
}

fn mac_of(bytes: &[u8]) -> String {
    match <[u8; 6]>::try_from(bytes) {
        Ok(mac) => MacAddr::from(mac).to_string(),
        Err(_) => format!("hex:{}", hex::encode(bytes)),
    }
}

/// What a frame without a message is, in a line without its addresses.
pub(super) fn other(frame: &Frame) -> String {
    if let Some(arp) = frame.arp() {
        let ip = |bytes: &[u8]| match <[u8; 4]>::try_from(bytes) {
            Ok(octets) => Ipv4Addr::from(octets).to_string(),
            Err(_) => format!("hex:{}", hex::encode(bytes)),
        };
        return match arp.op {
            1 if arp.psrc.iter().all(|it| *it == 0) => {
                format!("ARP probe: who has {}?", ip(&arp.pdst))
            }
            1 => format!("ARP who has {}? tell {}", ip(&arp.pdst), ip(&arp.psrc)),
            2 => format!("ARP {} is at {}", ip(&arp.psrc), mac_of(&arp.hwsrc)),
            op => format!("ARP op {op}"),
        };
    }
    if let Some(icmp) = frame.icmp() {
        return match icmp.kind {
            8 => "ping request".into(),
            0 => "ping reply".into(),
            3 => format!("ICMP unreachable, code {}", icmp.code),
            kind => format!("ICMP type {kind} code {}", icmp.code),
        };
    }
    let size = |layer: Option<&Layer>| layer.map_or(0, Layer::encoded_len);
    if let Some(fragment) = super::meaning::fragment(frame) {
        return fragment;
    }
    if let Some(udp) = frame.udp() {
        return format!(
            "UDP {} -> {}, {} bytes",
            udp.sport,
            udp.dport,
            size(frame.layers.last())
        );
    }
    match frame.layers.last() {
        Some(layer) => format!("{}, {} bytes", layer.name(), layer.encoded_len()),
        None => "empty frame".into(),
    }
}

/// What an entry is, in a line: `OFFER  192.0.2.100  from 192.0.2.1  lease 1h`.
pub fn summary(entry: &Entry) -> String {
    match Message::of(&entry.frame) {
        Some(message) => {
            let mut text = message.type_name().into_owned();
            for fact in facts(&entry.frame, &message, &[]) {
                text.push_str("  ");
                text.push_str(&fact);
            }
            text
        }
        None => other(&entry.frame),
    }
}

/// From how many columns on a list shows the ends of each frame, microseconds, and clients.
pub(super) const NARROW: usize = 70;
pub(super) const ROOMY: usize = 100;
const WIDE: usize = 124;

/// Appends source and destination, 15 columns each where they are IP addresses.
pub(super) fn ends(out: &mut String, frame: &Frame, arrow: &str) {
    if let Some(ip) = frame.ipv4() {
        let _ = write!(out, "{:>15}{arrow}{:<15}", ip.src, ip.dst);
        return;
    }
    let arp = frame
        .arp()
        .and_then(|it| it.sender_ip().zip(it.target_ip()));
    if let Some((src, dst)) = arp {
        let _ = write!(out, "{src:>15}{arrow}{dst:<15}");
    } else if let Some(ether) = frame.ether() {
        let start = out.len();
        let _ = write!(out, "{}{arrow}", ether.src);
        let _ = match ether.dst.is_broadcast() {
            true => write!(out, "broadcast"),
            false => write!(out, "{}", ether.dst),
        };
        let missing = (30 + arrow.len()).saturating_sub(out.len() - start);
        out.extend(std::iter::repeat_n(' ', missing));
    } else {
        let _ = write!(out, "{:>15}{arrow}{:<15}", "-", "-");
    }
}

/// Appends who a message is from and for, as wide as [`ends`]: the client by its hardware address where the IP address
/// would be everybody's.
fn parties(out: &mut String, frame: &Frame, message: &Message, arrow: &str) {
    /// Columns of a MAC address.
    const MAC: usize = 17;
    let client = message.bootp.client_hardware();
    let (Some(ip), MAC_BYTES) = (frame.ipv4(), client.len()) else {
        return ends(out, frame, arrow);
    };
    let start = out.len();
    if ip.src.is_unspecified() {
        super::meaning::colons(out, client);
        out.push_str(arrow);
        match ip.dst.is_broadcast() {
            true => out.push_str("broadcast"),
            false => super::style::push_ip(out, ip.dst),
        }
    } else if ip.dst.is_broadcast() && message.bootp.op == 2 {
        let _ = write!(out, "{:>1$}{arrow}", ip.src, 30 - MAC);
        super::meaning::colons(out, client);
    } else {
        return ends(out, frame, arrow);
    }
    let missing = (30 + arrow.len()).saturating_sub(out.len() - start);
    out.extend(std::iter::repeat_n(' ', missing));
}

/// Bytes of a MAC address.
const MAC_BYTES: usize = 6;

/// Appends a frame's number and its time, of long times fewer digits behind the point.
pub(super) fn clock(line: &mut String, entry: &Entry, style: &Style) {
    let time = entry.since.as_secs_f64();
    let whole = entry.since.as_secs().checked_ilog10().unwrap_or(0) as usize + 1;
    let (number, gap, width, most) = match style.width >= ROOMY {
        true => (5, "  ", 10, 6),
        false => (4, " ", 8, 3),
    };
    let precision = most.min(usize::saturating_sub(width, whole + 1));
    let _ = write!(
        line,
        "{:>number$}{gap}{time:>width$.precision$}{gap}",
        entry.number
    );
}

/// Appends what is odd about an entry, and what its capture says of it.
pub(super) fn remarks(line: &mut String, entry: &Entry) {
    match &entry.verdict {
        Verdict::Part => {}
        Verdict::Duplicate => line.push_str("  (not taken)"),
        Verdict::Stray(reason) => {
            line.push_str("  (not taken: ");
            escape_into(line, reason.as_bytes());
            line.push(')');
        }
    }
    // Our own captures say of each frame what it was, which mostly stands in the line already.
    if let (Some(comment), Direction::Read) = (&entry.comment, entry.direction)
        && !line.contains(comment.as_str())
    {
        line.push_str("  # ");
        escape_into(line, comment.as_bytes());
    }
    if entry.original_len > entry.bytes.len() {
        let (there, was) = (entry.bytes.len(), entry.original_len);
        let _ = write!(line, "  [cut: {there} of {was} bytes]");
    }
}

/// Prints an entry as a line of a list: number, time, ends, what it is; cut at the width. Memory does
/// not grow with the number of lines.
pub fn list_line(out: &mut dyn Write, entry: &Entry, style: &Style) -> io::Result<()> {
    if entry.group != Grouped::Not {
        return super::group::line(out, entry, style);
    }
    let frame = &entry.frame;
    let roomy = style.width >= ROOMY;
    let message = Message::of(frame);
    let mut line = String::with_capacity(2 * style.width);
    clock(&mut line, entry, style);
    let mut told = Vec::new();
    if style.width >= NARROW {
        let arrow = if roomy { " -> " } else { " > " };
        match message.as_ref().filter(|_| style.width < WIDE) {
            Some(message) => parties(&mut line, frame, message, arrow),
            None => ends(&mut line, frame, arrow),
        }
        line.push_str(if roomy { "  " } else { " " });
        told.extend(frame.ipv4().into_iter().flat_map(|ip| [ip.src, ip.dst]));
    }
    let head = columns(&line);
    let mut kind = None;
    let mut end = line.len();
    for vlan in frame.vlans() {
        let _ = write!(line, "vlan {vlan}  ");
    }
    let start = line.len();
    match &message {
        Some(message) => {
            kind = message.message_type();
            let _ = write!(line, "{:<8}", message.type_name());
            end = line.len();
            if style.width >= WIDE {
                line.push_str("  ");
                super::meaning::colons(&mut line, message.bootp.client_hardware());
            }
            for fact in facts(frame, message, &told) {
                line.push_str("  ");
                line.push_str(&fact);
            }
        }
        None => line.push_str(&other(frame)),
    }
    remarks(&mut line, entry);
    let shown = cut(&line, style.width);
    let shown = shown.trim_end();
    match (
        style.color,
        shown.get(..start),
        shown.get(start..end),
        shown.get(end..),
    ) {
        (true, Some(before), Some(name), Some(after)) if kind.is_some() => {
            let (time, rest) = before
                .split_at_checked(before.len().min(head))
                .unwrap_or((before, ""));
            writeln!(
                out,
                "{}{rest}{}{after}",
                style.dim(time),
                style.kind(kind, name)
            )
        }
        _ => {
            out.write_all(shown.as_bytes())?;
            out.write_all(b"\n")
        }
    }
}
