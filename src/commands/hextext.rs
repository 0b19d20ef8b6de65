//! Frames written as hexadecimal text: streams, and the dumps of many tools.

use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;

use super::Error;
use crate::link::Time;
use crate::link::capture::Packet;
use crate::wire::{BOOTP_LEN, Frame, MAGIC_COOKIE, link_type};

/// Frames written as hex digits: one frame a line (`hex stream`), or a hexdump whose lines begin with
/// rising offsets; a frame ends at an empty line, at offset 0, or at the next hex stream.
pub struct HexText {
    lines: std::io::Lines<BufReader<Box<dyn Read>>>,
    path: PathBuf,
    line: usize,
    /// Bytes of the dump being read.
    dump: Vec<u8>,
    /// Bytes of its last line, which a line `*` after it repeats.
    row: usize,
    /// Whether such a line came.
    repeats: bool,
    /// Read, and not yet given.
    ready: Option<Packet>,
}

/// Longest frame that repeated lines of a dump may make.
const MAX_DUMP: usize = 1 << 18;

/// What one line of hex text is.
enum Line {
    Blank,
    Stream(Vec<u8>),
    Dump(usize, Vec<u8>),
    /// Of a dump of numbers that are longer than a byte.
    Words,
    Other,
}

impl HexText {
    pub(super) fn new(reader: Box<dyn Read>, path: PathBuf) -> Self {
        HexText {
            lines: BufReader::new(reader).lines(),
            path,
            line: 0,
            dump: Vec::new(),
            row: 0,
            repeats: false,
            ready: None,
        }
    }

    pub(super) fn next(&mut self) -> Result<Option<Packet>, Error> {
        if let Some(packet) = self.ready.take() {
            return Ok(Some(packet));
        }
        loop {
            let Some(line) = self.lines.next() else {
                return Ok(self.take_dump());
            };
            let line = line.map_err(|it| Error::file(&self.path, it))?;
            self.line += 1;
            if line.trim() == "*" && !self.dump.is_empty() {
                self.repeats = true;
                continue;
            }
            if std::mem::take(&mut self.repeats) {
                self.repeat(&line)?;
            }
            match read_line(&line, self.dump.len()) {
                Line::Blank => {
                    if let Some(packet) = self.take_dump() {
                        return Ok(Some(packet));
                    }
                }
                Line::Stream(bytes) => {
                    // A dump before it ends here, and this line is read next.
                    return match self.take_dump() {
                        Some(done) => {
                            self.ready = Some(packet_of(bytes));
                            Ok(Some(done))
                        }
                        None => Ok(Some(packet_of(bytes))),
                    };
                }
                Line::Dump(0, bytes) if !self.dump.is_empty() => {
                    let done = self.take_dump();
                    self.row = bytes.len();
                    self.dump = bytes;
                    return Ok(done);
                }
                Line::Dump(offset, bytes) if offset == self.dump.len() => {
                    self.row = bytes.len();
                    self.dump.extend(bytes);
                }
                Line::Dump(offset, _) => {
                    return Err(self.error(format!(
                        "offset {offset:#x} where {:#x} was due; a line of the dump is missing, or its lines are not of 16 bytes",
                        self.dump.len()
                    )));
                }
                Line::Words => {
                    return Err(self.error(
                        "a dump of 16-bit words does not say which byte of each came first; use `hexdump -C`, `xxd` or `od -Ax -tx1z`"
                            .into(),
                    ));
                }
                // Headings around a dump are passed over, garbage instead of one is not.
                Line::Other if self.dump.is_empty() && self.line > 64 => {
                    return Err(self.error("no frame in the first 64 lines".into()));
                }
                Line::Other if line.trim_start().starts_with(['#', '/', '*']) => {}
                Line::Other => {
                    if let Some(packet) = self.take_dump() {
                        return Ok(Some(packet));
                    }
                    return Err(self.error(
                        "neither a capture nor hex; expected pcap, pcapng, a hex stream, or a hexdump with offsets"
                            .into(),
                    ));
                }
            }
        }
    }

    /// Repeats the last line up to the offset of the one after a `*`, as `od` and `hexdump` leave out
    /// lines that are the same.
    fn repeat(&mut self, next: &str) -> Result<(), Error> {
        let word = next.split_whitespace().next().unwrap_or_default();
        let word = word.strip_prefix("0x").unwrap_or(word);
        let word = word.strip_suffix(':').unwrap_or(word);
        let so_far = self.dump.len();
        let end = usize::from_str_radix(word, 16)
            .ok()
            .filter(|end| (so_far..=MAX_DUMP).contains(end));
        let (Some(end), 1..) = (end, self.row) else {
            return Err(self.error(format!(
                "after `*` an offset beyond {so_far:#x} was due, which says how often the line repeats"
            )));
        };
        let row = self.dump[so_far - self.row.min(so_far)..].to_vec();
        let missing = end - so_far;
        self.dump.extend(row.iter().cycle().take(missing));
        Ok(())
    }

    fn error(&self, reason: String) -> Error {
        Error::file(&self.path, format!("line {}: {reason}", self.line))
    }

    fn take_dump(&mut self) -> Option<Packet> {
        match self.dump.is_empty() {
            true => None,
            false => Some(packet_of(std::mem::take(&mut self.dump))),
        }
    }
}

/// Reads one line; `so_far` bytes of a dump stand before it, which tells an offset from data.
fn read_line(line: &str, so_far: usize) -> Line {
    let line = line.trim();
    if line.is_empty() {
        return Line::Blank;
    }
    let bare = line.strip_prefix("0x").unwrap_or(line);
    let (word, rest) = bare
        .split_once([' ', '\t'])
        .map_or((bare, None), |(word, rest)| (word, Some(rest)));
    let offset_word = word.strip_suffix(':').unwrap_or(word);
    if let (Some(rest), Ok(offset)) = (rest, usize::from_str_radix(offset_word, 16))
        && (word.ends_with(':') || offset_word.len() >= 3)
        && (offset == 0 || offset == so_far || so_far > 0 || word.ends_with(':'))
    {
        let group = rest.split_whitespace().next().unwrap_or_default();
        let grouped = !word.ends_with(':')
            && group.len() > 2
            && group.chars().all(|it| it.is_ascii_hexdigit());
        // Groups of the same length throughout are a stream that begins with zeros.
        let stream = grouped && so_far == 0 && group.len() == word.len();
        if grouped && !stream {
            return Line::Words;
        }
        let bytes = dump_bytes(rest);
        if !bytes.is_empty() && !stream {
            return Line::Dump(offset, bytes);
        }
    }
    // The last line of `hexdump -C` and `od` is an offset alone.
    if so_far > 0 && rest.is_none() && usize::from_str_radix(offset_word, 16) == Ok(so_far) {
        return Line::Blank;
    }
    let digits: String = bare
        .split([' ', '\t', ':', '-', ','])
        .map(|it| {
            it.strip_prefix("0x")
                .or(it.strip_prefix("\\x"))
                .unwrap_or(it)
        })
        .collect();
    match hex::decode(&digits) {
        // A line of dashes, say: no digit on it.
        Ok(bytes) if bytes.is_empty() => Line::Other,
        Ok(bytes) => Line::Stream(bytes),
        Err(_) => Line::Other,
    }
}

/// The bytes of a dump line behind its offset, up to the ASCII column.
fn dump_bytes(text: &str) -> Vec<u8> {
    let text = text.split(['|']).next().unwrap_or(text);
    let mut bytes = Vec::new();
    let mut spaces = 0;
    for word in text.split(' ') {
        if word.is_empty() {
            spaces += 1;
            // Two spaces in a row set the ASCII column off, once a line is full.
            if spaces >= 1 && bytes.len() >= 16 {
                break;
            }
            continue;
        }
        let gap = std::mem::take(&mut spaces);
        match hex::decode(word) {
            Ok(more) if more.len() <= 4 && bytes.len() + more.len() <= 32 => {
                // A gap wider than the one in the middle of a line begins the ASCII column.
                if gap >= 2 && !bytes.is_empty() {
                    break;
                }
                bytes.extend(more);
            }
            _ => break,
        }
        if bytes.len() >= 16 {
            break;
        }
    }
    bytes
}

/// A packet of bytes somebody copied: a whole frame, or only its IP or BOOTP part.
fn packet_of(bytes: Vec<u8>) -> Packet {
    let (link_type, bytes) = if bytes.first() == Some(&0x45)
        && Frame::decode_as(link_type::RAW, &bytes).udp().is_some()
    {
        (link_type::RAW, bytes)
    } else if matches!(bytes.first(), Some(1 | 2))
        && bytes.get(BOOTP_LEN..BOOTP_LEN + 4) == Some(&MAGIC_COOKIE)
    {
        (link_type::ETHERNET, around(bytes))
    } else {
        (link_type::ETHERNET, bytes)
    };
    Packet {
        at: Time::default(),
        link_type,
        interface: 0,
        original_len: bytes.len() as u32,
        bytes,
        comment: None,
    }
}

/// Ethernet, IP and UDP headers around a bare BOOTP message.
fn around(message: Vec<u8>) -> Vec<u8> {
    use crate::wire::{CLIENT_PORT, Ether, Ipv4, Layer, SERVER_PORT, Udp};
    let reply = message.first() == Some(&2);
    let (sport, dport) = match reply {
        true => (SERVER_PORT, CLIENT_PORT),
        false => (CLIENT_PORT, SERVER_PORT),
    };
    let udp = Udp {
        sport,
        dport,
        ..Udp::default()
    };
    Frame::new([
        Ether::default().into(),
        Ipv4::default().into(),
        udp.into(),
        Layer::Raw(message),
    ])
    .encode()
}
