//! Frames written as hex digits, as people copy them: a hex stream per line, wrapped streams, C arrays
//! and escaped strings, and the dumps with offsets of xxd, hexdump, od, tcpdump, tshark, Wireshark,
//! Scapy and this program. Headings around dumps are passed over.

use std::collections::VecDeque;
use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};

use super::Error;
use super::hexline::{dump_bytes, stream, without_escapes};
use crate::link::Time;
use crate::link::capture::Packet;
use crate::wire::{BOOTP_LEN, Frame, MAGIC_COOKIE, link_type};

/// Longest line that is read; the digits of the largest frame are far shorter.
const LONGEST_LINE: u64 = 4 << 20;

/// Lines of other text that may stand before the first frame.
const PREAMBLE: usize = 1000;

/// Largest frame that a dump may fold into a `*` line.
const LARGEST: usize = 1 << 18;

/// Bytes per line of the programs that wrap streams.
const WRAPS: [usize; 6] = [12, 16, 20, 24, 30, 32];

/// Whether a line of this many bytes is taken for the first of a wrapped stream, unless an empty line
/// follows. A whole message is longer than any of them.
pub fn may_wrap(len: usize) -> bool {
    WRAPS.contains(&len)
}

/// What a text has to hold, for messages.
const EXPECTED: &str =
    "neither a capture nor hex; expected pcap, pcapng, a hex stream, or a hexdump with offsets";

/// A line before the frames of a link type other than Ethernet, so that they read back as what they are.
pub fn heading(link_type: u32) -> String {
    format!("{HEADING}{link_type}")
}

const HEADING: &str = "# link type ";

/// Reads frames from hex text.
pub struct HexText {
    lines: Box<dyn BufRead>,
    path: PathBuf,
    line: usize,
    frames: u64,
    ready: VecDeque<Packet>,
    dump: Dump,
    /// A stream that may go on in the next line, and the length of its first line.
    run: Vec<u8>,
    run_line: usize,
    /// A stream was read: from here on other text is an error, because it may be a broken stream.
    streams: bool,
    link_type: Option<u32>,
    failure: Option<Error>,
    ended: bool,
}

/// A dump being read.
#[derive(Default)]
struct Dump {
    bytes: Vec<u8>,
    /// The last line, which a `*` repeats.
    last: Vec<u8>,
    star: bool,
    /// What the offsets are written in, once one tells.
    radix: Option<u32>,
}

impl Dump {
    /// Whether `digits` is the offset that is due, which also tells the radix; a `*` before it is
    /// filled in.
    fn is_due(&mut self, digits: &str) -> bool {
        // Only od counts in another radix, and then always in seven digits.
        let radixes: &[u32] = match self.radix {
            Some(16) => &[16],
            Some(8) => &[8],
            Some(_) => &[10],
            None if digits.len() == 7 => &[16, 8, 10],
            None => &[16],
        };
        for &radix in radixes {
            let Ok(offset) = usize::from_str_radix(digits, radix) else {
                continue;
            };
            let len = self.bytes.len();
            if self.star && offset > len && offset <= LARGEST {
                let fill: Vec<u8> = self
                    .last
                    .iter()
                    .copied()
                    .cycle()
                    .take(offset - len)
                    .collect();
                self.bytes.extend(fill);
            }
            if offset == self.bytes.len() {
                self.star = false;
                self.radix = Some(radix);
                return true;
            }
        }
        false
    }

    fn extend(&mut self, line: Vec<u8>) {
        self.bytes.extend_from_slice(&line);
        self.last = line;
    }
}

impl HexText {
    /// Reads from `lines`; `path` is for messages.
    pub fn new(lines: Box<dyn BufRead>, path: &Path) -> Self {
        HexText {
            lines,
            path: path.to_path_buf(),
            line: 0,
            frames: 0,
            ready: VecDeque::new(),
            dump: Dump::default(),
            run: Vec::new(),
            run_line: 0,
            streams: false,
            link_type: None,
            failure: None,
            ended: false,
        }
    }

    /// The next frame; `None` at the end.
    pub fn next_packet(&mut self) -> Result<Option<Packet>, Error> {
        loop {
            if let Some(packet) = self.ready.pop_front() {
                self.frames += 1;
                return Ok(Some(packet));
            }
            if let Some(error) = self.failure.take() {
                return Err(error);
            }
            if self.ended {
                return match self.frames {
                    0 => Err(Error::file(
                        &self.path,
                        format!("holds no frame: {EXPECTED}"),
                    )),
                    _ => Ok(None),
                };
            }
            match self.read_line()? {
                // What stood whole before a bad line is given first.
                Some(line) => {
                    self.failure = self.take(&line).err();
                    self.ended = self.failure.is_some();
                }
                None if self.dump.star => return Err(self.unrepeated()),
                None => {
                    self.end();
                    self.ended = true;
                }
            }
        }
    }

    fn read_line(&mut self) -> Result<Option<String>, Error> {
        let mut line = Vec::new();
        let mut limited = Read::take(&mut self.lines, LONGEST_LINE);
        let got = limited.read_until(b'\n', &mut line);
        got.map_err(|it| Error::file(&self.path, it))?;
        if line.is_empty() {
            return Ok(None);
        }
        self.line += 1;
        if line.len() as u64 == LONGEST_LINE {
            return Err(self.error(format!("longer than {LONGEST_LINE} bytes")));
        }
        Ok(Some(String::from_utf8_lossy(&line).into_owned()))
    }

    fn error(&self, reason: String) -> Error {
        Error::file(&self.path, format!("line {}: {reason}", self.line))
    }

    fn unrepeated(&self) -> Error {
        let so_far = self.dump.bytes.len();
        self.error(format!(
            "after `*` an offset beyond {so_far:#x} was due, which says how often the line repeats"
        ))
    }

    /// What was being read is a frame.
    fn end(&mut self) {
        for bytes in [
            std::mem::take(&mut self.dump).bytes,
            std::mem::take(&mut self.run),
        ] {
            if !bytes.is_empty() {
                self.ready.push_back(packet_of(bytes, self.link_type));
            }
        }
    }

    fn take(&mut self, line: &str) -> Result<(), Error> {
        let line = without_escapes(line);
        let line = line.trim().trim_start_matches('\u{feff}');
        if line == "*" && !self.dump.bytes.is_empty() {
            self.dump.star = true;
            return Ok(());
        }
        if self.dump.star {
            return match self.take_dump_line(line)? {
                true => Ok(()),
                false => Err(self.unrepeated()),
            };
        }
        if line.is_empty() || line.starts_with(['#', '/']) {
            self.end();
            if let Some(number) = line.strip_prefix(HEADING) {
                self.link_type = number.trim().parse().ok();
            }
            return Ok(());
        }
        if self.take_dump_line(line)? {
            return Ok(());
        }
        let told = self.path.to_string_lossy().starts_with("hex:");
        match stream(line, told || !self.run.is_empty()) {
            Ok(Some(bytes)) => self.take_stream(bytes),
            Ok(None) => {
                self.end();
                let dressing = line.ends_with([';', '{', '}', ')']);
                if (self.streams && !dressing) || (self.frames == 0 && self.line > PREAMBLE) {
                    let reason = match line {
                        // od -An; with offsets it would tell how many.
                        "*" => "`*` stands for lines that od left out; `od -v` prints them".into(),
                        _ => EXPECTED.into(),
                    };
                    return Err(self.error(reason));
                }
            }
            Err(reason) => {
                self.end();
                return Err(self.error(reason));
            }
        }
        Ok(())
    }

    fn take_stream(&mut self, bytes: Vec<u8>) {
        if !self.dump.bytes.is_empty() {
            self.end();
        }
        self.streams = true;
        let (len, first) = (bytes.len(), self.run.is_empty());
        if !first && len > self.run_line {
            self.end();
            return self.take_stream(bytes);
        }
        if first {
            self.run_line = len;
        }
        self.run.extend(bytes);
        if (first && !may_wrap(len)) || len < self.run_line || self.run.len() > LARGEST {
            self.end();
        }
    }

    /// Takes a line of a dump; `false` when it is none.
    fn take_dump_line(&mut self, line: &str) -> Result<bool, Error> {
        let (word, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
        let sure = word.ends_with(':');
        let digits = word.strip_suffix(':').unwrap_or(word);
        let digits = digits.strip_prefix("0x").unwrap_or(digits);
        let hex = !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_hexdigit());
        if !hex || digits.len() > 16 || (digits.len() < 3 && !sure) {
            return Ok(false);
        }
        let going = !self.dump.bytes.is_empty();
        if rest.trim().is_empty() {
            // The last line of hexdump and od is an offset alone.
            let end = going && self.dump.is_due(digits);
            if end {
                self.end();
            }
            return Ok(end);
        }
        let (bytes, width) = dump_bytes(rest);
        // Groups of the same length throughout are a stream that begins with zeros.
        if bytes.is_empty() || (!sure && !going && width == word.len()) {
            return Ok(false);
        }
        // Only xxd and tcpdump, which put a colon, print groups in the order of the bytes.
        let zero = digits.bytes().all(|it| it == b'0');
        if width > 2 && !sure && (going || zero) {
            self.end();
            return Err(self.error(
                "a dump of 16-bit words does not say which byte of each came first; use `hexdump -C`, `xxd` or `od -Ax -tx1z`"
                    .into(),
            ));
        }
        if zero && !self.dump.star {
            self.end();
        } else if !going && (!sure || digits.len() < 4) {
            return Ok(false);
        } else if !self.dump.is_due(digits) {
            let due = self.dump.bytes.len();
            self.end();
            return Err(self.error(format!(
                "offset {digits} where {due:#x} was due; a line of the dump is missing"
            )));
        }
        self.dump.extend(bytes);
        Ok(true)
    }
}

/// A packet of bytes somebody copied: of the link type if that is told, else a whole Ethernet frame, or
/// only its IP or BOOTP part.
fn packet_of(bytes: Vec<u8>, told: Option<u32>) -> Packet {
    let ip =
        || bytes.first() == Some(&0x45) && Frame::decode_as(link_type::RAW, &bytes).udp().is_some();
    let bootp = matches!(bytes.first(), Some(1 | 2))
        && bytes.get(BOOTP_LEN..BOOTP_LEN + 4) == Some(&MAGIC_COOKIE);
    let (link_type, bytes) = match told {
        Some(told) => (told, bytes),
        None if ip() => (link_type::RAW, bytes),
        None if bootp => (link_type::ETHERNET, around(bytes)),
        None => (link_type::ETHERNET, bytes),
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
    let (sport, dport) = match message.first() {
        Some(2) => (SERVER_PORT, CLIENT_PORT),
        _ => (CLIENT_PORT, SERVER_PORT),
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
