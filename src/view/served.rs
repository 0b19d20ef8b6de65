//! A line of a server's list: each message by its client, and what the server has to say of it.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::Style;
use super::meaning::colons;
use super::style::{columns, cut, take_words};
use super::summary::{clock, ends, facts, other};
use crate::commands::outcome::{Direction, Entry, Verdict};
use crate::dhcp::Message;
use crate::dhcp::value::escape_into;

/// From how many columns on a line shows the ends of its frame too.
const WIDE: usize = 140;
/// Columns of a MAC address.
const MAC: usize = 17;

/// Prints a frame that a server got or sent: number, time, client, type, what is in it, and behind that why it is not
/// answered, or what was done to it; on lines of its own where it does not fit. The ends, of which one is the server and
/// the other mostly everybody, have no place on a narrow screen.
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
    if let Some(message) = &message {
        for fact in facts(frame, message, &told) {
            line.push_str("  ");
            line.push_str(&fact);
        }
    }
    line.truncate(line.trim_end().len());
    let end = end.min(line.len());
    let remark = remark(entry);
    let fits = columns(&line) + 2 + columns(&remark) <= style.width;
    let (beside, below) = match fits {
        true => (remark.as_str(), ""),
        false => ("", remark.as_str()),
    };
    if !beside.is_empty() {
        line.push_str("  ");
        line.push_str(beside);
    }
    let shown = cut(&line, style.width);
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
            writeln!(out, "{time}{client}{name}{after}")?;
        }
        _ => writeln!(out, "{shown}")?,
    }
    let mut rest = below;
    while !rest.is_empty() {
        let part = take_words(&mut rest, style.width.saturating_sub(head));
        writeln!(out, "{:head$}{}", "", part.trim_end())?;
    }
    Ok(())
}

/// What there is to say of a frame beside what is in it.
fn remark(entry: &Entry) -> String {
    let comment = entry.comment.as_deref();
    let mut remarks = Vec::new();
    match (entry.direction, &entry.verdict) {
        // What it is stands before the comma, and in the line already.
        (Direction::Sent, _) => remarks.extend(comment.and_then(|it| Some(it.split_once(", ")?.1))),
        (_, Verdict::Part) => remarks.extend(comment),
        (_, Verdict::Duplicate) => remarks.push("not taken"),
        (_, Verdict::Stray(_)) => {}
    }
    let mut text = String::new();
    for it in remarks {
        text.push_str("# ");
        escape_into(&mut text, it.as_bytes());
    }
    if let Verdict::Stray(reason) = &entry.verdict {
        text.push_str("# not taken: ");
        escape_into(&mut text, reason.as_bytes());
    }
    if entry.original_len > entry.bytes.len() {
        let gap = if text.is_empty() { "" } else { "  " };
        let (there, was) = (entry.bytes.len(), entry.original_len);
        let _ = write!(text, "{gap}[cut: {there} of {was} bytes]");
    }
    text
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
