//! A line of a server's list: each message by its client, and what the server has to say of it.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::Style;
use super::meaning::colons;
use super::style::{columns, cut};
use super::summary::{clock, ends, facts, other, remarks};
use crate::commands::outcome::{Direction, Entry};
use crate::dhcp::Message;
use crate::dhcp::value::escape_into;

/// From how many columns on a line shows the ends of its frame too.
const WIDE: usize = 140;
/// Columns of a MAC address.
const MAC: usize = 17;

/// Prints a frame that a server got or sent: number, time, client, type, why it is not answered, and what is in it; cut
/// at the width. The ends, of which one is the server and the other mostly everybody, have no place on a narrow
/// screen.
pub fn served_line(out: &mut dyn Write, entry: &Entry, style: &Style) -> io::Result<()> {
    let frame = &entry.frame;
    let sent = entry.direction == Direction::Sent;
    let mut line = String::with_capacity(2 * style.width);
    clock(&mut line, entry, style);
    let head = columns(&line);
    client(&mut line, entry, sent);
    line.push_str(if sent { " < " } else { " > " });
    let mut told = Vec::new();
    if style.width >= WIDE {
        ends(&mut line, frame, " -> ");
        line.push_str("  ");
        told.extend(frame.ipv4().into_iter().flat_map(|ip| [ip.src, ip.dst]));
    } else if sent {
        // The server itself.
        told.extend(frame.ipv4().map(|ip| ip.src));
    }
    for vlan in frame.vlans() {
        let _ = write!(line, "vlan {vlan}  ");
    }
    let message = Message::of(frame);
    let start = line.len();
    match &message {
        Some(message) => {
            let _ = write!(line, "{:<8}", message.type_name());
        }
        None => line.push_str(&other(frame)),
    }
    let end = line.len();
    if let (Some(remark), false) = (&entry.comment, sent) {
        line.push_str("  # ");
        escape_into(&mut line, remark.as_bytes());
    }
    if let Some(message) = &message {
        for fact in facts(frame, message, &told) {
            line.push_str("  ");
            line.push_str(&fact);
        }
    }
    remarks(&mut line, entry);
    let shown = cut(&line, style.width);
    let shown = shown.trim_end();
    let kind = message.and_then(|it| it.message_type());
    match (
        style.color && kind.is_some(),
        shown.get(..head),
        shown.get(head..start),
        shown.get(start..end),
        shown.get(end..),
    ) {
        (true, Some(time), Some(client), Some(name), Some(after)) => {
            let (time, name) = (style.dim(time), style.kind(kind, name));
            writeln!(out, "{time}{client}{name}{after}")
        }
        _ => {
            out.write_all(shown.as_bytes())?;
            out.write_all(b"\n")
        }
    }
}

/// Appends the hardware address of the client, or of whoever else is at the other end, as wide as a MAC address.
fn client(line: &mut String, entry: &Entry, sent: bool) {
    let start = line.len();
    match (entry.frame.bootp(), entry.frame.ether()) {
        (Some(bootp), _) if !bootp.client_hardware().is_empty() => {
            colons(line, bootp.client_hardware());
        }
        (_, Some(ether)) => {
            let _ = write!(line, "{}", if sent { ether.dst } else { ether.src });
        }
        _ => line.push('-'),
    }
    let missing = MAC.saturating_sub(line.len() - start);
    line.extend(std::iter::repeat_n(' ', missing));
}
