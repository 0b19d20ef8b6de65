//! Every field of a frame with the bytes it stands in.

use std::borrow::Cow;
use std::io::{self, Write};
use std::ops::Range;

use super::Style;
use super::meaning::{self, Note};
use super::style::{BOLD, DIM, NAME, WARN, columns, push_number, take_line};
use super::summary::{duration, summary};
use crate::commands::outcome::{Direction, Entry, Verdict};
use crate::dhcp::{Joined, Message, Place};
use crate::wire::*;

/// Columns of the name and of the byte range.
const NAME_WIDTH: usize = 26;
const RANGE_WIDTH: usize = 10;

/// The text of a tree as it grows.
pub(super) struct Tree<'a> {
    text: String,
    style: &'a Style,
    entry: &'a Entry,
    message: Option<Message<'a>>,
    pub(super) options: Vec<Joined<'a>>,
    overload: u8,
}

/// Prints an entry as a tree of layers and fields with their byte ranges. Wrong checksums and lengths,
/// options that do not fit their type, and everything else out of order is said where it stands, behind
/// `(!)`.
pub fn tree(out: &mut dyn Write, entry: &Entry, style: &Style) -> io::Result<()> {
    let message = Message::of(&entry.frame);
    let mut tree = Tree {
        text: String::with_capacity(4096),
        style,
        entry,
        options: message.as_ref().map(Message::options).unwrap_or_default(),
        overload: message.as_ref().map_or(0, Message::overload),
        message,
    };
    tree.title();
    let computed = entry.frame.computed();
    let mut above = None;
    for ((offset, layer), computed) in entry.frame.with_offsets().zip(computed) {
        tree.layer(offset, layer, above, &computed);
        above = Some(layer);
    }
    out.write_all(tree.text.as_bytes())
}

impl<'a> Tree<'a> {
    fn title(&mut self) {
        let entry = self.entry;
        let how = match entry.direction {
            Direction::Sent => format!("sent at {}", duration(entry.since)),
            Direction::Received => format!("received at {}", duration(entry.since)),
            // Hex text has no time.
            Direction::Read if entry.at.0 == 0 => "read".into(),
            Direction::Read => {
                let date = super::json::date(entry.at, ' ');
                let micros = entry.at.parts().1 / 1000;
                let since = match entry.since.is_zero() {
                    true => String::new(),
                    false => format!(", +{:.6} s", entry.since.as_secs_f64()),
                };
                format!("{date}.{micros:06} UTC{since}")
            }
            Direction::Built => "built, not sent".into(),
        };
        let cut = match entry.original_len > entry.bytes.len() {
            true => format!(" (cut: {} on the wire)", entry.original_len),
            false => String::new(),
        };
        let title = format!(
            "frame {}  {} bytes, {how}{cut}",
            entry.number,
            entry.bytes.len()
        );
        self.style.push(&mut self.text, BOLD, &title);
        let summary = summary(entry);
        match columns(&title) + 2 + columns(&summary) <= self.style.width {
            true => self.text.push_str("  "),
            false => self.text.push_str("\n  "),
        }
        self.style.push(&mut self.text, BOLD, &summary);
        self.text.push('\n');
        match &entry.verdict {
            Verdict::Part => {}
            Verdict::Duplicate => self.remark("the same answer once more"),
            Verdict::Stray(reason) => self.remark(&format!("stray: {}", super::escape(reason))),
        }
        if let (Some(comment), Direction::Read) = (&entry.comment, entry.direction) {
            self.text.push_str("  # ");
            self.text.push_str(&super::escape(comment));
            self.text.push('\n');
        }
    }

    /// A line of its own about something odd.
    fn remark(&mut self, what: &str) {
        self.text.push_str("  ");
        self.style
            .push(&mut self.text, WARN, &format!("(!) {what}"));
        self.text.push('\n');
    }

    /// The heading of a layer.
    pub(super) fn head(&mut self, name: &str, range: Range<usize>, note: Note) {
        self.style.push(&mut self.text, BOLD, name);
        self.text.push_str("  ");
        let used = columns(name) + 2 + self.range(range);
        let (ansi, note): (_, Cow<str>) = match note {
            Note::None => (DIM, "".into()),
            Note::Fine(text) => (DIM, text),
            Note::Odd(text) => (WARN, format!("(!) {text}").into()),
        };
        if !note.is_empty() {
            match used + 2 + columns(&note) <= self.style.width {
                true => self.spaces(2),
                false => self.new_line(2),
            }
            self.style.push(&mut self.text, ansi, &note);
        }
        self.text.push('\n');
    }

    fn spaces(&mut self, count: usize) {
        const BLANKS: &str = "                                        ";
        let mut left = count;
        while left > 0 {
            let part = left.min(BLANKS.len());
            self.text.push_str(BLANKS.get(..part).unwrap_or(BLANKS));
            left -= part;
        }
    }

    /// Appends a range, and says how many columns it takes.
    fn range(&mut self, range: Range<usize>) -> usize {
        if self.style.color {
            let text = format!("{}..{}", range.start, range.end);
            self.style.push(&mut self.text, DIM, &text);
            return text.len();
        }
        let before = self.text.len();
        push_number(&mut self.text, range.start as u64);
        self.text.push_str("..");
        push_number(&mut self.text, range.end as u64);
        self.text.len() - before
    }

    /// A field: name, bytes, value, what is to be said about it. What is too long for a line goes on
    /// below, under itself.
    pub(super) fn field(
        &mut self,
        depth: usize,
        name: &str,
        range: Option<Range<usize>>,
        value: &str,
        note: Note,
    ) {
        const LEFT: usize = NAME_WIDTH + RANGE_WIDTH;
        self.spaces(2 * depth);
        self.style.push(&mut self.text, NAME, name);
        let used = 2 * depth + columns(name);
        self.spaces(NAME_WIDTH.saturating_sub(used).max(1));
        let mut at = NAME_WIDTH.max(used + 1);
        let width = range.map_or(0, |it| self.range(it));
        self.spaces(RANGE_WIDTH.saturating_sub(width).max(1));
        at += RANGE_WIDTH.max(width + 1);
        let room = self.style.width.saturating_sub(LEFT).max(24);
        let first = room.saturating_sub(at - LEFT).max(8);
        let mut rest = value;
        let mut line = take_line(&mut rest, first);
        loop {
            self.text.push_str(line);
            if rest.is_empty() {
                break;
            }
            self.new_line(LEFT);
            at = LEFT;
            line = take_line(&mut rest, room);
        }
        let (ansi, note): (_, Cow<str>) = match note {
            Note::None => (DIM, "".into()),
            Note::Fine(text) => (DIM, text),
            Note::Odd(text) => (WARN, format!("(!) {text}").into()),
        };
        if !note.is_empty() {
            let mut here = at + columns(line);
            if !line.is_empty() {
                self.text.push_str("  ");
                here += 2;
            }
            let mut rest: &str = &note;
            let mut room_here = self.style.width.saturating_sub(here);
            if room_here < columns(rest) && !line.is_empty() {
                self.new_line(LEFT);
                room_here = room;
            }
            loop {
                let line = take_line(&mut rest, room_here.max(8));
                self.style.push(&mut self.text, ansi, line.trim_end());
                if rest.is_empty() {
                    break;
                }
                self.new_line(LEFT);
                room_here = room;
            }
        }
        self.new_line(0);
    }

    /// Ends the line, without blanks, and begins one that is indented.
    fn new_line(&mut self, indent: usize) {
        let len = self.text.trim_end_matches(' ').len();
        self.text.truncate(len);
        self.text.push('\n');
        self.spaces(indent);
    }

    fn layer(
        &mut self,
        offset: usize,
        layer: &'a Layer,
        above: Option<&Layer>,
        computed: &Computed,
    ) {
        let end = offset + layer.encoded_len();
        match layer {
            Layer::Raw(bytes) => return self.raw(offset, bytes, above),
            Layer::Padding(bytes) => {
                self.head("Padding", offset..end, Note::None);
                return self.payload(offset, bytes);
            }
            Layer::Cooked(bytes) => return self.cooked(offset, bytes),
            Layer::Ipv4(_) => {
                let note = meaning::fragment(&self.entry.frame).map_or(Note::None, |it| {
                    Note::fine(format!("{it}; fragments are not joined"))
                });
                self.head(layer.name(), offset..end, note);
            }
            _ => self.head(layer.name(), offset..end, Note::None),
        }
        for row in layer.fields() {
            let Some(value) = layer.get(row.name).filter(|_| row.name != "options") else {
                continue;
            };
            let range = match (row.byte_len(), layer, &value) {
                (0, Layer::Arp(arp), FieldValue::Bytes(bytes)) => {
                    let start = offset + 8 + arp_offset(arp, row.name);
                    start..start + bytes.len()
                }
                (len, ..) => offset + row.byte()..offset + row.byte() + len,
            };
            let note = match &value {
                FieldValue::Number(number) => match meaning::oddity(row, &value, self.hlen()) {
                    Note::None => meaning::check(layer, row.name, *number, computed, self.entry),
                    note => note,
                },
                _ => meaning::oddity(row, &value, self.hlen()),
            };
            self.header_field(row, range, &value, note);
        }
        match layer {
            Layer::Ipv4(ip) if !ip.options.is_empty() => {
                let text = hex::encode(&ip.options);
                self.field(1, "options", Some(offset + 20..end), &text, Note::None);
            }
            Layer::Dhcp(dhcp) => {
                self.stream(1, offset + 4, &dhcp.options, Place::Options);
                if !dhcp.iter().any(|it| it.kind == ItemKind::End) {
                    self.remark("no END option");
                }
            }
            _ => {}
        }
    }

    /// The bytes of `chaddr` that count.
    fn hlen(&self) -> usize {
        self.message
            .map_or(6, |it| it.bootp.client_hardware().len())
    }

    /// A field of a header, and below it the options that an overloaded one holds.
    fn header_field(
        &mut self,
        row: &FieldSpec,
        range: Range<usize>,
        value: &FieldValue,
        note: Note,
    ) {
        let holds = match (row.layer, row.name) {
            ("BOOTP", "file") if self.overload & 1 != 0 => Some(Place::File),
            ("BOOTP", "sname") if self.overload & 2 != 0 => Some(Place::Sname),
            _ => None,
        };
        if let (Some(place), FieldValue::Bytes(bytes)) = (holds, value) {
            let start = range.start;
            let text = "holds options (overload, 52):";
            self.field(1, row.name, Some(range), text, note);
            return self.stream(2, start, bytes, place);
        }
        let mut text = String::new();
        meaning::show(&mut text, row, value, self.hlen());
        self.field(1, row.name, Some(range), &text, note);
    }
}

pub(super) fn zeros(count: usize) -> String {
    match count {
        1 => "1 zero byte".into(),
        count => format!("{count} zero bytes"),
    }
}

/// Where an address of an ARP packet begins, counted from the first.
fn arp_offset(arp: &Arp, name: &str) -> usize {
    let lengths = [arp.hwsrc.len(), arp.psrc.len(), arp.hwdst.len()];
    let before = match name {
        "hwsrc" => 0,
        "psrc" => 1,
        "hwdst" => 2,
        _ => 3,
    };
    lengths.iter().take(before).sum()
}
