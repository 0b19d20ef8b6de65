//! Entries as JSON, one object a line, with keys that stay:
//!
//! | key | what |
//! | --- | --- |
//! | `number` | number of the frame in the run or file |
//! | `time` | seconds since 1970 as text, with nanoseconds |
//! | `utc` | the same as a date: `2024-05-01T12:00:00.000000000Z` |
//! | `since` | seconds since the first frame |
//! | `after` | seconds since the frame that it answers; absent for others |
//! | `direction` | `sent`, `received`, `read` or `built` |
//! | `verdict` | `part`, `duplicate` or `stray`; with `reason` |
//! | `comment` | what the run or the capture says of it |
//! | `summary` | the frame in a line |
//! | `message` | of a DHCP or BOOTP message: `type`, the addresses and numbers of its header |
//! | `options` | list of the options in wire order, see below |
//! | `layers` | list of objects with `layer`, its `offset`, and its fields by name; `hex` where it has none |
//! | `exchange`, `state` | where frames are grouped: the number of its exchange, and the client's state behind it; null where it belongs to none |
//! | `link_type`, `length`, `original_length`, `hex` | the bytes |
//!
//! An option has `code`, `name`, `offset` in the frame, `length` of its data, `place` (`options`, `file`
//! or `sname`), `hex`, and either `value` with `text`, which `-o` takes, or `error` where it does not fit
//! its type. Of an option in several pieces (RFC 3396) the first has `pieces` and the joined value, the
//! others have `piece` and their number.
//!
//! An exchange that failed ends with an object that is no frame:
//!
//! | key | what |
//! | --- | --- |
//! | `ending` | `no reply`, `refused` or `declined` |
//! | `code` | the exit code that says the same |
//! | `waited`, `tries` | of `no reply`: seconds, and how often the message was sent |
//! | `causes` | why, the likeliest first: `id`, `likelihood`, `text`, `next`, and `frames`, their numbers |
//!
//! Characters that could do something to a terminal are written as `\u` escapes, also inside names off
//! the wire.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::Ipv4Addr;

use serde_json::Value as Json;

use super::meaning::colons;
use super::style::{push_hex, push_ip, push_number};
use super::summary::summary;
use crate::commands::outcome::{Direction, Entry, Grouped, Verdict};
use crate::dhcp::{Message, Place, options};
use crate::link::Time;
use crate::wire::{FieldKind, FieldValue, Layer};

/// JSON text as it grows. What comes off the wire goes through [`Text::string`].
struct Text(String);

impl Text {
    /// Appends a comma where one is due.
    fn next(&mut self) {
        if !self.0.ends_with(['{', '[', ':']) && !self.0.is_empty() {
            self.0.push(',');
        }
    }

    fn key(&mut self, key: &str) {
        self.next();
        self.0.push('"');
        self.0.push_str(key);
        self.0.push_str("\":");
    }

    fn open(&mut self, bracket: char) {
        self.next();
        self.0.push(bracket);
    }

    fn close(&mut self, bracket: char) {
        self.0.push(bracket);
    }

    /// A number, `true`, `null`: something that JSON writes as Rust does.
    fn plain(&mut self, key: &str, value: impl std::fmt::Display) {
        self.key(key);
        let _ = write!(self.0, "{value}");
    }

    fn number(&mut self, key: &str, number: impl Into<u64>) {
        self.key(key);
        push_number(&mut self.0, number.into());
    }

    fn ip(&mut self, key: &str, ip: Ipv4Addr) {
        self.key(key);
        self.0.push('"');
        push_ip(&mut self.0, ip);
        self.0.push('"');
    }

    /// Something whose text needs no escapes: addresses, numbers in hexadecimal.
    fn quoted(&mut self, key: &str, value: impl std::fmt::Display) {
        self.key(key);
        let _ = write!(self.0, "\"{value}\"");
    }

    /// A word of this program.
    fn word(&mut self, key: &str, word: &str) {
        self.key(key);
        self.0.push('"');
        self.0.push_str(word);
        self.0.push('"');
    }

    fn hex(&mut self, key: &str, bytes: &[u8]) {
        self.key(key);
        self.0.push('"');
        push_hex(&mut self.0, bytes);
        self.0.push('"');
    }

    fn string(&mut self, key: &str, value: &str) {
        self.key(key);
        self.0.push('"');
        if value
            .bytes()
            .all(|it| matches!(it, b' '..=b'~') && !matches!(it, b'"' | b'\\'))
        {
            self.0.push_str(value);
        } else {
            for c in value.chars() {
                match c {
                    '"' => self.0.push_str("\\\""),
                    '\\' => self.0.push_str("\\\\"),
                    c => self.char(c),
                }
            }
        }
        self.0.push('"');
    }

    fn char(&mut self, c: char) {
        let plain = match c.is_ascii() {
            true => !c.is_ascii_control(),
            false => c.escape_debug().len() == 1,
        };
        if plain {
            return self.0.push(c);
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            let _ = write!(self.0, "\\u{unit:04x}");
        }
    }

    fn json(&mut self, key: &str, value: &Json) {
        self.key(key);
        self.value(value);
    }

    fn value(&mut self, value: &Json) {
        // Outside of strings, and in escapes, JSON is ASCII without control characters.
        let text = value.to_string();
        match text.bytes().all(|it| matches!(it, b' '..=b'~')) {
            true => self.0.push_str(&text),
            false => text.chars().for_each(|c| self.char(c)),
        }
    }
}

/// Seconds with nanoseconds as a JSON number.
fn seconds(time: std::time::Duration) -> String {
    format!("{}.{:09}", time.as_secs(), time.subsec_nanos())
}

/// A point in time as RFC 3339 writes it, with nanoseconds.
pub(super) fn utc(time: Time) -> String {
    format!("{}.{:09}Z", date(time, 'T'), time.parts().1)
}

/// The date and the time of day of a point in time in UTC, to the second.
pub(super) fn date(time: Time, between: char) -> String {
    let (seconds, _) = time.parts();
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Days since 1970 to a date, by 400-year eras of 146,097 days that begin on a 1 March.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    let year = 400 * era + year + next;
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{date:02}{between}{hour:02}:{minute:02}:{second:02}")
}

fn field(out: &mut Text, key: &str, kind: FieldKind, value: FieldValue) {
    match (kind, value) {
        (_, FieldValue::Number(number)) => out.number(key, number),
        (FieldKind::Text, FieldValue::Bytes(bytes)) => {
            let end = bytes.iter().rposition(|it| *it != 0).map_or(0, |at| at + 1);
            let bytes = bytes.get(..end).unwrap_or_default();
            match std::str::from_utf8(bytes) {
                Ok(text) if !text.chars().any(char::is_control) => out.string(key, text),
                _ => {
                    out.key(key);
                    out.open('{');
                    out.hex("hex", bytes);
                    out.close('}');
                }
            }
        }
        (_, FieldValue::Bytes(bytes)) => out.hex(key, &bytes),
        (_, FieldValue::Ip(ip)) => out.ip(key, ip),
        (_, value) => out.quoted(key, value),
    }
}

fn layers(out: &mut Text, entry: &Entry) {
    out.key("layers");
    out.open('[');
    for (offset, layer) in entry.frame.with_offsets() {
        out.open('{');
        out.word("layer", layer.name());
        out.number("offset", offset as u64);
        match layer {
            Layer::Raw(bytes) | Layer::Padding(bytes) | Layer::Cooked(bytes) => {
                out.hex("hex", bytes);
            }
            _ => {
                for row in layer.fields() {
                    if let Some(value) = layer.get(row.name) {
                        field(out, row.name, row.kind, value);
                    }
                }
            }
        }
        out.close('}');
    }
    out.close(']');
}

fn message(out: &mut Text, message: &Message) {
    let bootp = message.bootp;
    out.key("message");
    out.open('{');
    out.string("type", &message.type_name());
    out.quoted("xid", format_args!("{:#010x}", bootp.xid));
    out.plain("secs", bootp.secs);
    out.plain("broadcast", bootp.broadcast());
    let mut chaddr = String::new();
    colons(&mut chaddr, bootp.client_hardware());
    out.word("chaddr", &chaddr);
    out.ip("ciaddr", bootp.ciaddr);
    out.ip("yiaddr", bootp.yiaddr);
    out.ip("siaddr", bootp.siaddr);
    out.ip("giaddr", bootp.giaddr);
    let mut address = |key, ip: Option<Ipv4Addr>| match ip {
        Some(ip) => out.ip(key, ip),
        None => out.plain(key, "null"),
    };
    address("server_id", message.server_id());
    address("requested_ip", message.requested_ip());
    match message.lease_time() {
        Some(seconds) => out.plain("lease_time", seconds),
        None => out.plain("lease_time", "null"),
    }
    out.close('}');
}

fn option_list(out: &mut Text, entry: &Entry, message: &Message) {
    let start = |wanted: &str| {
        let mut all = entry.frame.with_offsets();
        all.find(|(_, layer)| layer.name() == wanted)
            .map_or(0, |it| it.0)
    };
    let (bootp, dhcp) = (start("BOOTP"), start("DHCP"));
    let joined = message.options();
    let mut seen: Vec<u8> = Vec::with_capacity(joined.len());
    out.key("options");
    out.open('[');
    for (place, item) in message.items().filter(|(_, item)| item.is_option()) {
        let base = match place {
            Place::Options => dhcp + 4,
            Place::File => bootp + 108,
            Place::Sname => bootp + 44,
        };
        let row = options::by_code(item.code);
        out.open('{');
        out.number("code", item.code);
        out.word("name", row.name);
        out.number("offset", (base + item.offset) as u64);
        out.number("length", item.data.len() as u64);
        out.word("place", place.name());
        out.hex("hex", item.data);
        seen.push(item.code);
        let pieces = joined
            .iter()
            .find(|it| it.code == item.code && it.pieces > 1);
        let whole = pieces.and_then(|it| Some((it.pieces, it.value().ok()?)));
        let value = match whole {
            Some((pieces, value)) => {
                let piece = seen.iter().filter(|it| **it == item.code).count();
                match piece {
                    1 => out.plain("pieces", pieces),
                    piece => out.plain("piece", piece),
                }
                (piece == 1).then_some(Ok(value))
            }
            None => Some(row.ty.decode(item.data)),
        };
        match value {
            Some(Ok(value)) => {
                out.json("value", &value.json());
                out.string("text", &value.to_string());
            }
            Some(Err(error)) => out.string("error", &error.to_string()),
            None => {}
        }
        out.close('}');
    }
    out.close(']');
}

/// The entry as JSON; the same as [`json_line`] prints.
pub fn json(entry: &Entry) -> Json {
    serde_json::from_str(&text(entry)).unwrap_or_default()
}

/// Prints the entry as one line of JSON.
pub fn json_line(out: &mut dyn Write, entry: &Entry) -> io::Result<()> {
    let mut line = text(entry);
    line.push('\n');
    out.write_all(line.as_bytes())
}

/// Prints an object as one line of JSON, safe for a terminal.
pub(super) fn object_line(out: &mut dyn Write, object: &Json) -> io::Result<()> {
    let mut line = Text(String::new());
    line.value(object);
    writeln!(out, "{}", line.0)
}

fn text(entry: &Entry) -> String {
    let (whole, nanos) = entry.at.parts();
    let mut out = Text(String::with_capacity(4096 + 2 * entry.bytes.len()));
    out.open('{');
    out.plain("number", entry.number);
    out.quoted("time", format_args!("{whole}.{nanos:09}"));
    out.quoted("utc", utc(entry.at));
    out.plain("since", seconds(entry.since));
    if let Some(after) = entry.after {
        out.plain("after", seconds(after));
    }
    let direction = match entry.direction {
        Direction::Sent => "sent",
        Direction::Received => "received",
        Direction::Read => "read",
        Direction::Built => "built",
    };
    out.word("direction", direction);
    match &entry.verdict {
        Verdict::Part => out.word("verdict", "part"),
        Verdict::Duplicate => out.word("verdict", "duplicate"),
        Verdict::Stray(reason) => {
            out.word("verdict", "stray");
            out.string("reason", reason);
        }
    }
    if let Some(comment) = &entry.comment {
        out.string("comment", comment);
    }
    out.string("summary", &summary(entry));
    if let Some(it) = Message::of(&entry.frame) {
        message(&mut out, &it);
        option_list(&mut out, entry, &it);
    }
    layers(&mut out, entry);
    match entry.group {
        Grouped::In(mark) => {
            out.number("exchange", mark.exchange);
            out.word("state", mark.state.name());
        }
        Grouped::Apart => {
            out.plain("exchange", "null");
            out.plain("state", "null");
        }
        Grouped::Not => {}
    }
    out.plain("link_type", entry.link_type);
    out.plain("length", entry.bytes.len());
    out.plain("original_length", entry.original_len);
    out.hex("hex", &entry.bytes);
    out.close('}');
    out.0
}
