//! Frames from anywhere: pcap, pcapng, a hex stream, a hexdump with offsets, a file or standard input.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use super::Error;
use super::hextext::HexText;
use super::session::Session;
use crate::dhcp::Message;
use crate::link::capture::{CaptureReader, InterfaceInfo, Packet};
use crate::wire::Frame;

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

    /// Whether the frame asked for is among the first `frames`, which were read.
    pub fn found(&self, frames: u64) -> Result<(), Error> {
        match self.number {
            Some(wanted) if frames < wanted => Err(Error::file(
                &self.path(),
                format!("has no frame {wanted}; it holds {frames}"),
            )),
            _ => Ok(()),
        }
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
            let reader = Box::new(std::io::Cursor::new(digits.as_bytes().to_vec()));
            return Ok(Input {
                kind: Kind::Text(Box::new(HexText::new(reader, &self.path()))),
                waiting: None,
            });
        }
        let mut waiting = None;
        let mut live = |from: Box<dyn Read + Send>| {
            let live = Live::new(from, interrupted.clone());
            waiting = Some(live.waiting.clone());
            Box::new(live) as Box<dyn Read>
        };
        let reader: Box<dyn Read> = match self.name.as_str() {
            "-" => live(Box::new(std::io::stdin())),
            name => {
                let path = Path::new(name);
                if path.is_dir() {
                    return Err(Error::file(path, "is a directory; name a capture in it"));
                }
                let file =
                    std::fs::File::open(path).map_err(|it| Error::file(path, open_error(&it)))?;
                match file.metadata().is_ok_and(|it| it.is_file()) {
                    true => Box::new(file),
                    false => live(Box::new(file)),
                }
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
        let kind = if looks_like_text(head) {
            Kind::Text(Box::new(HexText::new(Box::new(reader), &self.path())))
        } else {
            let reader = CaptureReader::from_reader(Box::new(reader), &self.path())?;
            Kind::Capture(Box::new(reader))
        };
        Ok(Input { kind, waiting })
    }
}

/// A pipe or a terminal, read in a thread of its own, since a read that waits cannot be broken off.
struct Live {
    chunks: Receiver<std::io::Result<Vec<u8>>>,
    chunk: std::io::Cursor<Vec<u8>>,
    waiting: Arc<AtomicUsize>,
    interrupted: Arc<AtomicBool>,
}

impl Live {
    fn new(mut from: Box<dyn Read + Send>, interrupted: Arc<AtomicBool>) -> Self {
        // A reader that is slower than the writer makes it wait.
        let (sender, chunks) = std::sync::mpsc::sync_channel(4);
        let waiting = Arc::new(AtomicUsize::new(0));
        let count = waiting.clone();
        std::thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            loop {
                let chunk = match from.read(&mut buffer) {
                    Ok(0) => return,
                    Ok(len) => Ok(buffer[..len].to_vec()),
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                    Err(error) => Err(error),
                };
                let failed = chunk.is_err();
                count.fetch_add(1, Ordering::Relaxed);
                if sender.send(chunk).is_err() || failed {
                    return;
                }
            }
        });
        Live {
            chunks,
            chunk: Default::default(),
            waiting,
            interrupted,
        }
    }
}

impl Read for Live {
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
                Ok(chunk) => {
                    self.waiting.fetch_sub(1, Ordering::Relaxed);
                    self.chunk = std::io::Cursor::new(chunk?);
                }
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

/// Whether this is the beginning of text: no byte in it that only other files have.
fn looks_like_text(head: &[u8]) -> bool {
    const PCAPNG: [u8; 4] = [0x0a, 0x0d, 0x0d, 0x0a];
    let head = &head[..head.len().min(4096)];
    let odd = |byte: &u8| byte.is_ascii_control() && !b"\t\n\r\x0c\x1b".contains(byte);
    // A capture's magic number may be cut.
    !head.starts_with(&PCAPNG[..head.len().min(4)])
        && !head.iter().any(odd)
        && std::str::from_utf8(head).map_or_else(|it| it.error_len().is_none(), |_| true)
}

/// An opened source of frames.
pub struct Input {
    kind: Kind,
    /// Chunks of a pipe that wait to be read.
    waiting: Option<Arc<AtomicUsize>>,
}

enum Kind {
    Capture(Box<CaptureReader>),
    Text(Box<HexText>),
}

impl Input {
    /// The next frame; `None` at the end.
    pub fn next_packet(&mut self) -> Result<Option<Packet>, Error> {
        match &mut self.kind {
            Kind::Capture(reader) => Ok(reader.next_packet()?),
            Kind::Text(text) => text.next_packet(),
        }
    }

    /// The interfaces that packets came from, as far as they are described.
    pub fn interfaces(&self) -> &[InterfaceInfo] {
        match &self.kind {
            Kind::Capture(reader) => reader.interfaces(),
            Kind::Text(_) => &[],
        }
    }

    /// Bytes read so far, where that is known, for showing progress.
    pub fn position(&self) -> u64 {
        match &self.kind {
            Kind::Capture(reader) => reader.position(),
            Kind::Text(_) => 0,
        }
    }

    /// Whether the next frame may be long in coming: what was read is to be shown now.
    pub fn idle(&self) -> bool {
        let waiting = self.waiting.as_ref();
        waiting.is_some_and(|it| it.load(Ordering::Relaxed) == 0)
    }
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
                    match count {
                        1 => format!("holds no {}, but one other frame", names.join(" or ")),
                        _ => format!("holds no {} among its {count} frames", names.join(" or ")),
                    },
                )
            }
        }
    })
}
