//! Frames from anywhere: pcap, pcapng, a hex stream, a hexdump with offsets, a file or standard input.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use super::Error;
use super::session::Session;
use crate::dhcp::Message;
use crate::link::Time;
use crate::link::capture::{CaptureReader, InterfaceInfo, Packet};
use crate::wire::{BOOTP_LEN, Frame, MAGIC_COOKIE, link_type};

/// Where frames come from: `FILE`, `FILE#N`, `-`, or `hex:…`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// What the user wrote, without the frame number.
    pub name: String,
    /// The frame asked for, from 1.
    pub number: Option<u64>,
}

impl Source {
    /// Reads `FILE#N`. A file whose name itself ends in `#N` is taken as it is.
    pub fn parse(text: &str) -> Result<Source, String> {
        if let Some((name, number)) = text.rsplit_once('#')
            && !Path::new(text).exists()
            && !number.is_empty()
        {
            let number = number
                .parse()
                .ok()
                .filter(|number| *number > 0)
                .ok_or_else(|| format!("`#{number}` is not a frame number; frames count from 1"))?;
            return Ok(Source {
                name: name.to_string(),
                number: Some(number),
            });
        }
        Ok(Source {
            name: text.to_string(),
            number: None,
        })
    }

    fn path(&self) -> PathBuf {
        match self.name.as_str() {
            "-" => PathBuf::from("standard input"),
            name => PathBuf::from(name),
        }
    }

    /// Opens it. Captures are read as a stream; text is read line by line.
    pub fn open(&self) -> Result<Input, Error> {
        self.open_until(Arc::default())
    }

    /// Opens it, standard input until `interrupted`: that ends it even while nobody writes to it.
    pub fn open_until(&self, interrupted: Arc<AtomicBool>) -> Result<Input, Error> {
        if let Some(digits) = self.name.strip_prefix("hex:") {
            let reader = std::io::Cursor::new(digits.as_bytes().to_vec());
            return Ok(Input::Text(Box::new(HexText::new(
                Box::new(reader),
                self.path(),
            ))));
        }
        let reader: Box<dyn Read> = match self.name.as_str() {
            "-" => Box::new(Stdin::new(interrupted)),
            name => {
                let path = Path::new(name);
                if path.is_dir() {
                    return Err(Error::file(path, "is a directory; name a capture in it"));
                }
                let file =
                    std::fs::File::open(path).map_err(|it| Error::file(path, open_error(&it)))?;
                Box::new(file)
            }
        };
        let mut reader = BufReader::with_capacity(1 << 16, reader);
        let head = reader
            .fill_buf()
            .map_err(|it| Error::file(&self.path(), it))?;
        if head.is_empty() {
            return Err(Error::file(
                &self.path(),
                "is empty; expected a pcap or pcapng capture, or hex text",
            ));
        }
        if looks_like_text(head) {
            Ok(Input::Text(Box::new(HexText::new(
                Box::new(reader),
                self.path(),
            ))))
        } else {
            Ok(Input::Capture(Box::new(CaptureReader::from_reader(
                Box::new(reader),
                &self.path(),
            )?)))
        }
    }
}

/// Standard input, read in a thread of its own, since a read that waits cannot be broken off.
struct Stdin {
    chunks: Receiver<std::io::Result<Vec<u8>>>,
    chunk: std::io::Cursor<Vec<u8>>,
    interrupted: Arc<AtomicBool>,
}

impl Stdin {
    fn new(interrupted: Arc<AtomicBool>) -> Self {
        // A reader that is slower than the writer makes it wait.
        let (sender, chunks) = std::sync::mpsc::sync_channel(4);
        std::thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            loop {
                let chunk = match std::io::stdin().read(&mut buffer) {
                    Ok(0) => return,
                    Ok(len) => Ok(buffer[..len].to_vec()),
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                    Err(error) => Err(error),
                };
                let failed = chunk.is_err();
                if sender.send(chunk).is_err() || failed {
                    return;
                }
            }
        });
        Stdin {
            chunks,
            chunk: Default::default(),
            interrupted,
        }
    }
}

impl Read for Stdin {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        loop {
            match self.chunk.read(out)? {
                0 if out.is_empty() => return Ok(0),
                0 => {}
                len => return Ok(len),
            }
            if self.interrupted.load(Ordering::Relaxed) {
                return Ok(0);
            }
            match self.chunks.recv_timeout(Duration::from_millis(50)) {
                Ok(chunk) => self.chunk = std::io::Cursor::new(chunk?),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
            }
        }
    }
}

fn open_error(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".into(),
        std::io::ErrorKind::PermissionDenied => "may not be read; check its rights".into(),
        _ => error.to_string(),
    }
}

fn looks_like_text(head: &[u8]) -> bool {
    let mut start = head.iter().take(512);
    start.all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace())
}

/// An opened source of frames.
pub enum Input {
    /// A capture.
    Capture(Box<CaptureReader>),
    /// Hex text.
    Text(Box<HexText>),
}

impl Input {
    /// The next frame; `None` at the end.
    pub fn next_packet(&mut self) -> Result<Option<Packet>, Error> {
        match self {
            Input::Capture(reader) => Ok(reader.next_packet()?),
            Input::Text(text) => text.next(),
        }
    }

    /// The interfaces that packets came from, as far as they are described.
    pub fn interfaces(&self) -> &[InterfaceInfo] {
        match self {
            Input::Capture(reader) => reader.interfaces(),
            Input::Text(_) => &[],
        }
    }

    /// Bytes read so far, where that is known, for showing progress.
    pub fn position(&self) -> u64 {
        match self {
            Input::Capture(reader) => reader.position(),
            Input::Text(_) => 0,
        }
    }
}

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
    fn new(reader: Box<dyn Read>, path: PathBuf) -> Self {
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

    fn next(&mut self) -> Result<Option<Packet>, Error> {
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

/// Frames of a source kept to choose from; of more the oldest are forgotten.
const CHOICE: usize = 1024;

/// Every message of the given types.
pub fn bases(source: &Source, wanted: &[u8], session: &Session) -> Result<Vec<Frame>, Error> {
    let mut input = source.open_until(session.interruption())?;
    let mut found = std::collections::VecDeque::new();
    while let Some(packet) = input.next_packet()? {
        let frame = Frame::decode_as(packet.link_type, &packet.bytes);
        let message_type = Message::of(&frame).and_then(|it| it.message_type());
        if message_type.is_some_and(|it| wanted.contains(&it)) {
            if found.len() == CHOICE {
                found.pop_front();
            }
            found.push_back(frame);
        }
    }
    Ok(found.into())
}

/// The frame that a command is based on, and what the client said before it.
#[derive(Clone, Debug)]
pub struct Base {
    /// The frame.
    pub frame: Frame,
    /// The client's last message before it in the same exchange.
    pub earlier: Option<Frame>,
}

/// Messages of clients kept to find what stands before a reply.
const EARLIER: usize = 64;

/// The frame that a command is based on: the one with the given number, or else the last whose
/// message is of one of the `wanted` types; with no types, the first frame.
pub fn base(source: &Source, wanted: &[u8], session: &Session) -> Result<Base, Error> {
    let mut input = source.open_until(session.interruption())?;
    let mut found = None;
    let mut said: std::collections::VecDeque<Frame> = Default::default();
    let mut count = 0;
    while let Some(packet) = input.next_packet()? {
        count += 1;
        let frame = Frame::decode_as(packet.link_type, &packet.bytes);
        if source.number.is_some_and(|number| number != count) {
            said.extend(frame.bootp().is_some_and(|it| it.op == 1).then_some(frame));
            continue;
        }
        let message_type = Message::of(&frame).and_then(|it| it.message_type());
        let fits = wanted.is_empty() || message_type.is_some_and(|it| wanted.contains(&it));
        if source.number.is_some() || fits {
            let exchange = |it: &Frame| it.bootp().map(|it| (it.xid, it.client_mac()));
            let earlier = said
                .iter()
                .rfind(|it| exchange(it) == exchange(&frame))
                .cloned();
            found = Some(Base {
                frame: frame.clone(),
                earlier,
            });
            if source.number.is_some() || wanted.is_empty() {
                break;
            }
        }
        said.extend(frame.bootp().is_some_and(|it| it.op == 1).then_some(frame));
        if said.len() > EARLIER {
            said.pop_front();
        }
    }
    found.ok_or_else(|| {
        let path = source.path();
        match source.number {
            Some(number) => Error::file(&path, format!("has no frame {number}; it holds {count}")),
            None => {
                let names: Vec<_> = wanted
                    .iter()
                    .filter_map(|it| crate::dhcp::enums::message_type_name(*it))
                    .map(str::to_ascii_uppercase)
                    .collect();
                Error::file(
                    &path,
                    format!("holds no {} among its {count} frames", names.join(" or ")),
                )
            }
        }
    })
}
