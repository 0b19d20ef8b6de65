//! A frame in one line.

use std::io::{self, Write};
use std::time::Duration;

use super::Style;
use crate::commands::outcome::{Direction, Entry};
use crate::dhcp::Message;
use crate::dhcp::enums::*;
use crate::dhcp::value::{escape_into, types};
use crate::wire::{Frame, Layer, MacAddr};

/// A lease time as people say it: `1h`, `infinite`.
pub(super) fn seconds(number: u32) -> String {
    let value = types::SECONDS.decode(&number.to_be_bytes());
    value.map(|it| it.to_string()).unwrap_or_default()
}

/// A length of time with three digits: `0.3 ms`, `12 s`.
pub(super) fn duration(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1000.0;
    if ms < 1000.0 {
        format!("{ms:.1} ms")
    } else if ms < 100_000.0 {
        format!("{:.1} s", ms / 1000.0)
    } else {
        format!("{:.0} s", ms / 1000.0)
    }
}

/// What matters in a message of its type, beside the type.
pub(super) fn facts(message: &Message) -> String {
    let bootp = message.bootp;
    let mut facts: Vec<String> = Vec::new();
    let some = |ip: std::net::Ipv4Addr| (!ip.is_unspecified()).then_some(ip);
    let from = message.server_id().map(|ip| format!("from {ip}"));
    let lease = message
        .lease_time()
        .map(|it| format!("lease {}", seconds(it)));
    let relay = some(bootp.giaddr).map(|ip| format!("via {ip}"));
    match message.message_type() {
        Some(DISCOVER) => {
            facts.push(format!("xid {:#010x}", bootp.xid));
            facts.extend(message.requested_ip().map(|ip| format!("wants {ip}")));
            facts.extend(bootp.broadcast().then(|| "broadcast".to_string()));
        }
        Some(OFFER | ACK) => {
            facts.extend(
                some(bootp.yiaddr)
                    .or(some(bootp.ciaddr))
                    .map(|ip| ip.to_string()),
            );
            facts.extend(from);
            facts.extend(lease);
        }
        Some(REQUEST) => {
            let renewing = some(bootp.ciaddr).map(|ip| format!("{ip} (renewing)"));
            facts.extend(message.requested_ip().map(|ip| ip.to_string()).or(renewing));
            facts.extend(from);
        }
        Some(NAK) => {
            facts.extend(from);
            if let Some(text) = message.data(56) {
                let mut said = String::new();
                escape_into(&mut said, &text);
                facts.push(format!("\"{said}\""));
            }
        }
        Some(DECLINE) => {
            facts.extend(message.requested_ip().map(|ip| ip.to_string()));
            facts.extend(message.server_id().map(|ip| format!("to {ip}")));
        }
        Some(RELEASE | INFORM) => {
            facts.extend(some(bootp.ciaddr).map(|ip| ip.to_string()));
            facts.extend(message.server_id().map(|ip| format!("to {ip}")));
        }
        _ => {
            facts.push(format!("xid {:#010x}", bootp.xid));
            facts.extend(
                some(bootp.ciaddr)
                    .or(some(bootp.yiaddr))
                    .map(|ip| ip.to_string()),
            );
        }
    }
    facts.extend(relay);
    facts.join("  ")
}

fn mac_of(bytes: &[u8]) -> String {
    match <[u8; 6]>::try_from(bytes) {
        Ok(mac) => MacAddr::from(mac).to_string(),
        Err(_) => format!("hex:{}", hex::encode(bytes)),
    }
}

/// What a frame is, in a line without its addresses.
fn of_frame(frame: &Frame) -> String {
    if let Some(message) = Message::of(frame) {
        let facts = facts(&message);
        return format!("{}  {facts}", message.type_name())
            .trim_end()
            .to_string();
    }
    if let Some(arp) = frame.arp() {
        let ip = |bytes: &[u8]| match <[u8; 4]>::try_from(bytes) {
            Ok(octets) => std::net::Ipv4Addr::from(octets).to_string(),
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
    of_frame(&entry.frame)
}

/// Source and destination: IP addresses, else Ethernet addresses.
fn ends(frame: &Frame) -> (String, String) {
    if let Some(ip) = frame.ipv4() {
        return (ip.src.to_string(), ip.dst.to_string());
    }
    match frame.ether() {
        Some(ether) => (ether.src.to_string(), ether.dst.to_string()),
        None => ("-".into(), "-".into()),
    }
}

/// Prints an entry as a line of a list: number, time, ends, what it is; cut at the width.
pub fn list_line(out: &mut dyn Write, entry: &Entry, style: &Style) -> io::Result<()> {
    let (src, dst) = ends(&entry.frame);
    let vlans: Vec<String> = entry.frame.vlans().map(|it| it.to_string()).collect();
    let mut text = of_frame(&entry.frame);
    if !vlans.is_empty() {
        text = format!("vlan {}  {text}", vlans.join("/"));
    }
    if let (Some(comment), true) = (&entry.comment, entry.direction == Direction::Read) {
        let mut said = String::new();
        escape_into(&mut said, comment.as_bytes());
        text = format!("{text}  # {said}");
    }
    if entry.original_len > entry.bytes.len() {
        text.push_str(&format!(
            "  [cut: {} of {} bytes]",
            entry.bytes.len(),
            entry.original_len
        ));
    }
    let line = format!(
        "{:>5}  {:>10.6}  {src:>15} -> {dst:<15}  {text}",
        entry.number,
        entry.since.as_secs_f64()
    );
    let shown: String = match line.chars().count() > style.width {
        true => line.chars().take(style.width - 1).chain(['…']).collect(),
        false => line,
    };
    writeln!(out, "{}", shown.trim_end())
}
