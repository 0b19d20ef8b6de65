//! Every field of a frame with the bytes it stands in.

use std::io::{self, Write};

use super::Style;
use super::summary::{duration, summary};
use crate::commands::outcome::{Direction, Entry, Verdict};
use crate::dhcp::value::{Value, escape_into};
use crate::dhcp::{Message, Place, enums, options};
use crate::wire::*;

/// Columns of the name and of the byte range.
const NAME: usize = 24;
const RANGE: usize = 10;

struct Tree<'a> {
    out: &'a mut dyn Write,
    style: &'a Style,
}

impl Tree<'_> {
    fn head(&mut self, name: &str, start: usize, end: usize, note: &str) -> io::Result<()> {
        let range = format!("{start}..{end}");
        let name = self.style.bold(name);
        let line = format!("{name}  {}  {note}", self.style.dim(&range));
        writeln!(self.out, "{}", line.trim_end())
    }

    /// A field: name, bytes, value, what is to be said about it.
    fn field(
        &mut self,
        depth: usize,
        name: &str,
        range: Option<(usize, usize)>,
        value: &str,
        note: &str,
    ) -> io::Result<()> {
        let indent = 2 * depth;
        let range = range.map_or(String::new(), |(start, end)| format!("{start}..{end}"));
        let gap = (NAME + 2)
            .saturating_sub(indent + name.chars().count())
            .max(1);
        let name = self.style.name(name);
        let room = self.style.width.saturating_sub(NAME + RANGE + 4).max(24);
        let mut rest: Vec<char> = value.chars().collect();
        let first = cut_line(&mut rest, room);
        let note = if note.is_empty() {
            String::new()
        } else {
            format!("  {note}")
        };
        let shown_range = self.style.dim(&format!("{range:<RANGE$}"));
        let end = if rest.is_empty() { note.as_str() } else { "" };
        let line = format!("{:indent$}{name}{:gap$}{shown_range} {first}{end}", "", "");
        writeln!(self.out, "{}", line.trim_end())?;
        // A long value goes on below, under itself.
        while !rest.is_empty() {
            let part = cut_line(&mut rest, room);
            let end = if rest.is_empty() { note.as_str() } else { "" };
            writeln!(
                self.out,
                "{:width$}{part}{end}",
                "",
                width = NAME + RANGE + 3
            )?;
        }
        Ok(())
    }

    fn warn(&self, text: &str) -> String {
        self.style.warn(text)
    }

    fn item(
        &mut self,
        depth: usize,
        base: usize,
        item: &OptionItem,
        joined: Option<&(Value, usize)>,
    ) -> io::Result<()> {
        let start = base + item.offset;
        let range = Some((start, start + item.raw.len()));
        let row = options::by_code(item.code);
        let name = format!("{} {}", item.code, row.name);
        match item.kind {
            ItemKind::Pad => self.field(depth, "0 pad", range, "", ""),
            ItemKind::End => self.field(depth, "255 end", range, "", ""),
            ItemKind::AfterEnd => {
                let zeros = item.data.iter().all(|byte| *byte == 0);
                match zeros {
                    true => self.field(
                        depth,
                        "padding",
                        range,
                        &format!("{} zero bytes", item.data.len()),
                        "",
                    ),
                    false => self.field(
                        depth,
                        "after end",
                        range,
                        &hex::encode(item.data),
                        &self.warn("not zero"),
                    ),
                }
            }
            ItemKind::Truncated { declared } => {
                let note = match declared {
                    Some(len) => format!(
                        "cut short: {len} bytes announced, {} there",
                        item.data.len()
                    ),
                    None => "cut short: no length byte".into(),
                };
                self.field(
                    depth,
                    &name,
                    range,
                    &hex::encode(item.data),
                    &self.warn(&note),
                )
            }
            ItemKind::Option => {
                if let Some((value, pieces)) = joined {
                    let note = self
                        .style
                        .dim(&format!("(joined from {pieces} pieces, RFC 3396)"));
                    self.field(depth, &name, range, &value.to_string(), &note)?;
                    return self.parts(depth + 1, value);
                }
                match row.ty.decode(item.data) {
                    Ok(value) => {
                        let text = value.to_string();
                        self.field(depth, &name, range, &text, "")?;
                        self.parts(depth + 1, &value)
                    }
                    Err(error) => {
                        let mut text = hex::encode(item.data);
                        if text.is_empty() {
                            text = "no data".into();
                        }
                        let note = self.warn(&format!("is no {}: {error}", row.ty.name()));
                        self.field(depth, &name, range, &text, &note)
                    }
                }
            }
        }
    }

    fn parts(&mut self, depth: usize, value: &Value) -> io::Result<()> {
        for (name, part) in value.parts() {
            self.field(depth, &name, None, &part.to_string(), "")?;
        }
        Ok(())
    }

    /// The options of a stream that begins at `base`, split ones joined where the first piece stands.
    fn stream(
        &mut self,
        depth: usize,
        base: usize,
        stream: &[u8],
        place: Place,
        message: &Message,
    ) -> io::Result<()> {
        let joined = message.options();
        let mut seen = Vec::new();
        let mut pads: Option<(usize, usize)> = None;
        for item in Options::new(stream) {
            if item.kind == ItemKind::Pad {
                let start = base + item.offset;
                pads = Some((pads.map_or(start, |it| it.0), start + 1));
                continue;
            }
            self.pads(depth, pads.take())?;
            let whole = joined
                .iter()
                .find(|it| it.code == item.code && it.pieces > 1);
            let mut first = None;
            if let Some(it) = whole.filter(|_| item.kind == ItemKind::Option) {
                if seen.contains(&item.code) || it.place != place {
                    let start = base + item.offset;
                    let name = format!("{} {}", item.code, options::by_code(item.code).name);
                    let text = hex::encode(item.data);
                    self.field(
                        depth,
                        &name,
                        Some((start, start + item.raw.len())),
                        &text,
                        &self.style.dim("(a further piece)"),
                    )?;
                    continue;
                }
                seen.push(item.code);
                first = it.value().ok().map(|value| (value, it.pieces));
            }
            self.item(depth, base, &item, first.as_ref())?;
        }
        self.pads(depth, pads)
    }

    fn pads(&mut self, depth: usize, pads: Option<(usize, usize)>) -> io::Result<()> {
        match pads {
            Some((start, end)) => self.field(
                depth,
                "0 pad",
                Some((start, end)),
                &format!("{} bytes", end - start),
                "",
            ),
            None => Ok(()),
        }
    }
}

/// Takes a line of at most `room` characters off the front, up to a comma or a space if there is one.
fn cut_line(rest: &mut Vec<char>, room: usize) -> String {
    let mut end = rest.len().min(room);
    if end < rest.len() {
        let line = rest.get(..end).unwrap_or_default();
        let stop = line.iter().rposition(|c| matches!(c, ',' | ' '));
        end = stop.map_or(end, |it| it + 1);
    }
    rest.drain(..end).collect()
}

/// What a field's number stands for.
fn meaning(layer: &str, field: &str, number: u64) -> Option<String> {
    let name = match (layer, field, number) {
        ("Ether" | "Dot1Q", "type", 0x0800) => "IPv4",
        ("Ether" | "Dot1Q", "type", 0x0806) => "ARP",
        ("Ether" | "Dot1Q", "type", 0x8100) => "802.1Q tag",
        ("Ether" | "Dot1Q", "type", 0x88a8) => "802.1ad tag",
        ("Ether" | "Dot1Q", "type", 0x86dd) => "IPv6",
        ("Ether", "type", 0..=1500) => "IEEE 802.3 length",
        ("IP", "proto", 1) => "ICMP",
        ("IP", "proto", 6) => "TCP",
        ("IP", "proto", 17) => "UDP",
        ("IP", "flags", 1) => "more fragments",
        ("IP", "flags", 2) => "don't fragment",
        ("UDP", "sport" | "dport", 67) => "bootps (server, relay agent)",
        ("UDP", "sport" | "dport", 68) => "bootpc (client)",
        ("UDP", "chksum", 0) => "none",
        ("ARP", "op", 1) => "request",
        ("ARP", "op", 2) => "reply",
        ("ICMP", "type", 0) => "echo reply",
        ("ICMP", "type", 3) => "unreachable",
        ("ICMP", "type", 8) => "echo request",
        ("BOOTP", "op", 1) => "BOOTREQUEST",
        ("BOOTP", "op", 2) => "BOOTREPLY",
        ("BOOTP", "flags", 0) => "unicast",
        ("BOOTP", "flags", 0x8000) => "broadcast",
        ("BOOTP", "htype", number) => {
            return enums::hardware_type_name(u8::try_from(number).ok()?).map(Into::into);
        }
        ("BOOTP", "flags", number) => {
            let how = if number & 0x8000 != 0 {
                "broadcast"
            } else {
                "unicast"
            };
            return Some(format!("{how}; reserved bits set"));
        }
        _ => return None,
    };
    Some(name.into())
}

fn text_field(bytes: &[u8]) -> String {
    let end = bytes.iter().rposition(|it| *it != 0).map_or(0, |at| at + 1);
    if end == 0 {
        return "-".into();
    }
    let mut text = String::new();
    escape_into(&mut text, &bytes[..end]);
    text
}

fn show_value(row: &FieldSpec, value: &FieldValue) -> String {
    match (row.kind, value) {
        (FieldKind::Hex, FieldValue::Number(number)) => {
            let digits = row.bits.div_ceil(4);
            format!("0x{number:0digits$x}")
        }
        (FieldKind::Text, FieldValue::Bytes(bytes)) => text_field(bytes),
        (_, value) => value.to_string(),
    }
}

/// Prints an entry as a tree of layers and fields with their byte ranges. Wrong checksums and lengths,
/// options that do not fit their type, and everything else out of order is said where it stands.
pub fn tree(out: &mut dyn Write, entry: &Entry, style: &Style) -> io::Result<()> {
    let mut tree = Tree { out, style };
    let how = match entry.direction {
        Direction::Sent => format!("sent at {}", duration(entry.since)),
        Direction::Received => format!("received at {}", duration(entry.since)),
        Direction::Read => format!("at {:.6} s", entry.since.as_secs_f64()),
        Direction::Built => "built, not sent".into(),
    };
    let mut title = format!("frame {}  {} bytes, {how}", entry.number, entry.bytes.len());
    if entry.original_len > entry.bytes.len() {
        title.push_str(&format!(" (cut: {} on the wire)", entry.original_len));
    }
    writeln!(
        tree.out,
        "{}",
        tree.style.bold(&format!("{title}  {}", summary(entry)))
    )?;
    if let Verdict::Stray(reason) = &entry.verdict {
        let text = tree.warn(&format!("stray: {}", super::escape(reason)));
        writeln!(tree.out, "{text}")?;
    }
    if let Some(comment) = entry
        .comment
        .as_deref()
        .filter(|_| entry.direction == Direction::Read)
    {
        writeln!(tree.out, "  # {}", super::escape(comment))?;
    }
    let computed = entry.frame.computed();
    let cut = entry.original_len > entry.bytes.len();
    for (index, (offset, layer)) in entry.frame.with_offsets().enumerate() {
        let end = offset + layer.encoded_len();
        let above = index
            .checked_sub(1)
            .and_then(|at| entry.frame.layers.get(at));
        tree.layer(entry, offset, end, layer, above, computed.get(index), cut)?;
    }
    Ok(())
}

impl Tree<'_> {
    #[allow(clippy::too_many_arguments)]
    fn layer(
        &mut self,
        entry: &Entry,
        offset: usize,
        end: usize,
        layer: &Layer,
        above: Option<&Layer>,
        computed: Option<&Computed>,
        cut: bool,
    ) -> io::Result<()> {
        match layer {
            Layer::Raw(bytes) => return self.raw(offset, end, bytes, above),
            Layer::Padding(bytes) => {
                let zeros = bytes.iter().all(|it| *it == 0);
                let what = if zeros {
                    "zeros".into()
                } else {
                    hex::encode(bytes)
                };
                self.head("Padding", offset, end, "")?;
                return self.field(1, "bytes", Some((offset, end)), &what, "");
            }
            Layer::Cooked(bytes) => {
                self.head("Linux cooked capture", offset, end, "")?;
                return self.field(1, "header", Some((offset, end)), &hex::encode(bytes), "");
            }
            _ => self.head(layer.name(), offset, end, "")?,
        }
        let message = Message::of(&entry.frame);
        let overload = message.as_ref().map_or(0, Message::overload);
        for row in layer.fields() {
            let Some(value) = layer.get(row.name) else {
                continue;
            };
            if row.name == "options" {
                continue;
            }
            let (start, stop) = match (row.byte_len(), layer, &value) {
                (0, Layer::Arp(arp), FieldValue::Bytes(bytes)) => {
                    let before = match row.name {
                        "hwsrc" => 0,
                        "psrc" => arp.hwsrc.len(),
                        "hwdst" => arp.hwsrc.len() + arp.psrc.len(),
                        _ => arp.hwsrc.len() + arp.psrc.len() + arp.hwdst.len(),
                    };
                    let start = offset + 8 + before;
                    (start, start + bytes.len())
                }
                (len, ..) => (offset + row.byte(), offset + row.byte() + len),
            };
            let mut text = show_value(row, &value);
            let mut note = String::new();
            match (row.layer, row.name, &value) {
                ("ARP", "psrc" | "pdst", FieldValue::Bytes(bytes)) => {
                    if let Ok(octets) = <[u8; 4]>::try_from(bytes.as_slice()) {
                        text = std::net::Ipv4Addr::from(octets).to_string();
                    }
                }
                ("ARP", "hwsrc" | "hwdst", FieldValue::Bytes(bytes)) => {
                    let parts: Vec<String> = bytes.iter().map(|it| format!("{it:02x}")).collect();
                    text = parts.join(":");
                }
                ("BOOTP", "chaddr", FieldValue::Bytes(bytes)) => {
                    let hlen = entry
                        .frame
                        .bootp()
                        .map_or(6, |it| usize::from(it.hlen))
                        .min(16);
                    let (used, rest) = bytes.split_at(hlen.min(bytes.len()));
                    text = used
                        .iter()
                        .map(|it| format!("{it:02x}"))
                        .collect::<Vec<_>>()
                        .join(":");
                    if rest.iter().any(|it| *it != 0) {
                        note = format!("beyond hlen: {}", hex::encode(rest));
                    }
                }
                ("BOOTP", "sname", FieldValue::Bytes(_)) if overload & 2 != 0 => {
                    text = "holds options (52):".into()
                }
                ("BOOTP", "file", FieldValue::Bytes(_)) if overload & 1 != 0 => {
                    text = "holds options (52):".into()
                }
                (_, name, FieldValue::Number(number)) => {
                    if let Some(name) = meaning(row.layer, row.name, *number) {
                        text = format!("{text}  {name}");
                    }
                    if let Some(it) = computed {
                        note = self.check(name, *number, it, layer, entry.checksum_unfinished, cut);
                    }
                }
                _ => {}
            }
            self.field(1, row.name, Some((start, stop)), &text, &note)?;
            if let (Some(message), "sname" | "file") = (&message, row.name) {
                let (bit, place, bytes) = match row.name {
                    "file" => (1, Place::File, &message.bootp.file[..]),
                    _ => (2, Place::Sname, &message.bootp.sname[..]),
                };
                if overload & bit != 0 {
                    self.stream(2, start, bytes, place, message)?;
                }
            }
        }
        if let Layer::Ipv4(ip) = layer
            && !ip.options.is_empty()
        {
            self.field(
                1,
                "options",
                Some((offset + 20, end)),
                &hex::encode(&ip.options),
                "",
            )?;
        }
        if let (Layer::Dhcp(dhcp), Some(message)) = (layer, &message) {
            self.stream(1, offset + 4, &dhcp.options, Place::Options, message)?;
            if !dhcp.iter().any(|it| it.kind == ItemKind::End) {
                let text = self.warn("no END option");
                writeln!(self.out, "  {text}")?;
            }
        }
        Ok(())
    }

    /// Whether a computed field holds what it should.
    fn check(
        &self,
        name: &str,
        number: u64,
        it: &Computed,
        layer: &Layer,
        unfinished: bool,
        cut: bool,
    ) -> String {
        let wrong = |should: String| self.warn(&format!("wrong, should be {should}"));
        match (layer, name) {
            (Layer::Udp(_), "chksum") if number == 0 => String::new(),
            (Layer::Udp(_), "chksum") if unfinished && number != u64::from(it.chksum) => {
                self.style.dim("unfinished: left to the network card")
            }
            (Layer::Udp(_) | Layer::Icmp(_), "chksum") if cut => {
                self.style.dim("not checked: the capture is cut")
            }
            (Layer::Ipv4(ip), "chksum")
                if number != u64::from(it.chksum) && ip.ihl.get().is_none_or(|it| it >= 5) =>
            {
                wrong(format!("{:#06x}", it.chksum))
            }
            (Layer::Udp(_) | Layer::Icmp(_), "chksum") if number != u64::from(it.chksum) => {
                wrong(format!("{:#06x}", it.chksum))
            }
            (Layer::Ipv4(_) | Layer::Udp(_) | Layer::Icmp(_), "chksum") => self.style.dim("ok"),
            (Layer::Ipv4(_) | Layer::Udp(_), "len") if number != u64::from(it.len) && !cut => {
                self.warn(&format!("{} bytes are there", it.len))
            }
            _ => String::new(),
        }
    }

    /// Bytes that no layer claims; the fields of a BOOTP header that stops too early are named.
    fn raw(
        &mut self,
        offset: usize,
        end: usize,
        bytes: &[u8],
        above: Option<&Layer>,
    ) -> io::Result<()> {
        let ports = [SERVER_PORT, CLIENT_PORT];
        match above {
            Some(Layer::Udp(udp)) if ports.contains(&udp.sport) || ports.contains(&udp.dport) => {
                let note = self.warn(&format!("cut short: {} of {BOOTP_LEN} bytes", bytes.len()));
                self.head("BOOTP", offset, end, &note)?;
                for row in FIELDS.iter().filter(|row| row.layer == "BOOTP") {
                    let Some(part) = bytes.get(row.byte()..row.byte() + row.byte_len()) else {
                        continue;
                    };
                    let range = (offset + row.byte(), offset + row.byte() + part.len());
                    self.field(1, row.name, Some(range), &hex::encode(part), "")?;
                }
                Ok(())
            }
            Some(Layer::Bootp(_)) => {
                let note = match bytes.get(..4) {
                    Some(cookie) => format!(
                        "begins with {}, not with the magic cookie 63825363",
                        hex::encode(cookie)
                    ),
                    None => format!("{} bytes: no room for the magic cookie", bytes.len()),
                };
                let note = self.warn(&note);
                self.head("Vendor area", offset, end, &note)?;
                self.field(1, "bytes", Some((offset, end)), &hex::encode(bytes), "")
            }
            _ => {
                self.head("Raw", offset, end, "")?;
                self.field(1, "bytes", Some((offset, end)), &hex::encode(bytes), "")
            }
        }
    }
}
