//! Reading and writing captures as streams: pcap, pcapng, and reading Solaris' snoop.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use pcap_file::pcap::{PcapHeader, PcapReader, PcapTsResolution, PcapWriter, RawPcapPacket};
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption, InterfaceTsResolution,
};
use pcap_file::pcapng::blocks::opt_common::CommonOption;
use pcap_file::pcapng::blocks::section_header::{SectionHeaderBlock, SectionHeaderOption};
use pcap_file::pcapng::{PcapNgReader, PcapNgState, PcapNgWriter};
use pcap_file::{DataLink, Endianness};

use super::Time;
use super::snoop::SnoopReader;

/// Largest packet that is read or written; what is longer is damage.
const MAX_PACKET: usize = 16 << 20;

/// Room for one block while reading.
const BUFFER: usize = MAX_PACKET + (1 << 16);

/// One packet of a capture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Packet {
    /// When it was captured; zero where the file does not say.
    pub at: Time,
    /// What its bytes begin with (pcap's LINKTYPE_).
    pub link_type: u32,
    /// The interface it came from: an index into [`CaptureReader::interfaces`].
    pub interface: u32,
    /// The bytes captured.
    pub bytes: Vec<u8>,
    /// Bytes the packet had on the wire.
    pub original_len: u32,
    /// What the capture says about it.
    pub comment: Option<String>,
}

/// An interface of a capture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InterfaceInfo {
    /// Its name; empty where the file gives none.
    pub name: String,
    /// What its packets begin with (pcap's LINKTYPE_).
    pub link_type: u32,
    /// Bytes kept of each packet; 0 for all.
    pub snaplen: u32,
}

impl InterfaceInfo {
    /// An interface whose packets are kept whole.
    pub fn new(name: &str, link_type: u32) -> Self {
        InterfaceInfo {
            name: name.to_string(),
            link_type,
            snaplen: 0,
        }
    }
}

/// Why a capture cannot be read or written. One line, with the place.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", path.display())]
pub struct CaptureError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong, where, and what to do.
    pub reason: String,
}

impl CaptureError {
    pub(super) fn new(path: &Path, reason: impl ToString) -> Self {
        CaptureError {
            path: path.to_path_buf(),
            reason: reason.to_string(),
        }
    }
}

enum Format {
    Pcap(Box<PcapReader<Box<dyn Read>>>),
    PcapNg(Box<PcapNgReader<Box<dyn Read>>>),
    Snoop(SnoopReader<Box<dyn Read>>),
}

/// Reads a capture packet by packet.
pub struct CaptureReader {
    path: PathBuf,
    format: Format,
    interfaces: Vec<InterfaceInfo>,
    /// Index of the current section's first interface.
    section: usize,
    packets: u64,
    position: u64,
    failed: bool,
}

/// What a block of a pcapng file was.
enum Block {
    Packet(Packet),
    Section,
    Interface(InterfaceInfo),
    Other,
}

impl CaptureReader {
    /// Opens a file.
    pub fn open(path: &Path) -> Result<Self, CaptureError> {
        let file = File::open(path).map_err(|error| {
            let reason = match error.kind() {
                io::ErrorKind::NotFound => "there is no such file".into(),
                io::ErrorKind::PermissionDenied => "may not be read; check its rights".into(),
                _ => error.to_string(),
            };
            CaptureError::new(path, reason)
        })?;
        Self::from_reader(Box::new(file), path)
    }

    /// Reads from anything; `path` is for messages.
    pub fn from_reader(mut reader: Box<dyn Read>, path: &Path) -> Result<Self, CaptureError> {
        let error = |reason: String| CaptureError::new(path, reason);
        let mut head = [0; 8];
        let mut got = 0;
        while got < head.len() {
            match reader.read(&mut head[got..]) {
                Ok(0) => break,
                Ok(more) => got += more,
                Err(it) if it.kind() == io::ErrorKind::Interrupted => {}
                Err(it) => return Err(error(it.to_string())),
            }
        }
        let head = head[..got].to_vec();
        if head.is_empty() {
            return Err(error("is empty; expected a pcap or pcapng capture".into()));
        }
        let all: Box<dyn Read> = Box::new(io::Cursor::new(head.clone()).chain(reader));
        let mut interfaces = Vec::new();
        let format = match head.as_slice() {
            [0x0a, 0x0d, 0x0d, 0x0a, ..] => {
                let reader = PcapNgReader::with_capacity(all, BUFFER)
                    .map_err(|it| error(format!("is a damaged pcapng capture: {}", chain(&it))))?;
                Format::PcapNg(Box::new(reader))
            }
            [0xa1, 0xb2, 0xc3, 0xd4, ..]
            | [0xd4, 0xc3, 0xb2, 0xa1, ..]
            | [0xa1, 0xb2, 0x3c, 0x4d, ..]
            | [0x4d, 0x3c, 0xb2, 0xa1, ..] => {
                let reader = PcapReader::with_capacity(all, BUFFER)
                    .map_err(|it| error(format!("is a damaged pcap capture: {}", chain(&it))))?;
                let header = reader.header();
                interfaces.push(InterfaceInfo {
                    name: String::new(),
                    link_type: link_type(header.datalink),
                    snaplen: header.snaplen,
                });
                Format::Pcap(Box::new(reader))
            }
            b"snoop\0\0\0" => {
                let (reader, info) = SnoopReader::new(all).map_err(error)?;
                interfaces.push(info);
                Format::Snoop(reader)
            }
            _ => {
                return Err(error(
                    "is no capture; expected pcap, pcapng, snoop, or hex text".into(),
                ));
            }
        };
        Ok(CaptureReader {
            path: path.to_path_buf(),
            format,
            interfaces,
            section: 0,
            packets: 0,
            position: got as u64,
            failed: false,
        })
    }

    /// The interfaces met so far.
    pub fn interfaces(&self) -> &[InterfaceInfo] {
        &self.interfaces
    }

    /// Bytes of packets read so far, about: for showing progress.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The next packet; `None` at the end. Everything before the damage of a damaged file is given
    /// first; after the error there is nothing more.
    pub fn next_packet(&mut self) -> Result<Option<Packet>, CaptureError> {
        if self.failed {
            return Ok(None);
        }
        loop {
            let block = match &mut self.format {
                Format::Pcap(reader) => pcap_packet(reader),
                Format::PcapNg(reader) => pcapng_block(reader),
                Format::Snoop(reader) => reader.next().map(|it| it.map(Block::Packet)),
            };
            match block {
                Ok(None) => return Ok(None),
                Ok(Some(Block::Packet(mut packet))) => {
                    packet.interface += self.section as u32;
                    self.packets += 1;
                    self.position += packet.bytes.len() as u64 + 32;
                    return Ok(Some(packet));
                }
                Ok(Some(Block::Section)) => self.section = self.interfaces.len(),
                Ok(Some(Block::Interface(info))) => self.interfaces.push(info),
                Ok(Some(Block::Other)) => {}
                Err(reason) => {
                    self.failed = true;
                    let count = self.packets;
                    let reason = format!("damaged after {count} whole frames: {reason}");
                    return Err(CaptureError::new(&self.path, reason));
                }
            }
        }
    }
}

/// Why a file cannot be made, and what to do.
fn unwritable(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such directory; make it first".into(),
        io::ErrorKind::PermissionDenied => {
            "the directory or file may not be written to; name one elsewhere".into()
        }
        io::ErrorKind::IsADirectory => "it is a directory; name a file in it".into(),
        _ => error.to_string(),
    }
}

/// An error with its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(it) = cause {
        if !text.contains(&it.to_string()) {
            text = format!("{text}: {it}");
        }
        cause = it.source();
    }
    if text.contains("No space left") {
        "the disk is full: make room, or name a file elsewhere".into()
    } else if text.contains("unexpected end of file") {
        "the file ends in the middle of a record (the capture was cut off)".into()
    } else {
        text
    }
}

fn pcap_packet(reader: &mut PcapReader<Box<dyn Read>>) -> Result<Option<Block>, String> {
    let header = reader.header();
    let raw = match reader.next_raw_packet() {
        None => return Ok(None),
        Some(raw) => raw.map_err(|it| chain(&it))?,
    };
    let unit = match header.ts_resolution {
        PcapTsResolution::MicroSecond => 1000,
        PcapTsResolution::NanoSecond => 1,
    };
    Ok(Some(Block::Packet(Packet {
        at: Time(u64::from(raw.ts_sec) * 1_000_000_000 + u64::from(raw.ts_frac) * unit),
        link_type: link_type(header.datalink),
        interface: 0,
        original_len: raw.orig_len,
        bytes: raw.data.into_owned(),
        comment: None,
    })))
}

/// Reads packet blocks with our own eyes: pcap-file refuses whole files for a comment that is not
/// UTF-8 or an original length that is too small.
fn pcapng_block(reader: &mut PcapNgReader<Box<dyn Read>>) -> Result<Option<Block>, String> {
    let (raw, state) = match reader.next_raw_block() {
        None => return Ok(None),
        Some(raw) => raw.map_err(|it| chain(&it))?,
    };
    let body = Fields {
        bytes: &raw.body,
        big: state.endianness() == Endianness::Big,
    };
    let packet = match raw.type_ {
        0x0a0d_0d0a => return Ok(Some(Block::Section)),
        1 => {
            let interface = state.interfaces().last();
            let info = interface.map(|it| InterfaceInfo {
                name: interface_name(it),
                link_type: link_type(it.linktype),
                snaplen: it.snaplen,
            });
            return Ok(Some(Block::Interface(info.unwrap_or_default())));
        }
        2 => packet_block(&body, state),
        3 => simple_packet(&body, state),
        6 => enhanced_packet(&body, state),
        _ => return Ok(Some(Block::Other)),
    };
    packet.map(|it| Some(Block::Packet(it)))
}

fn interface_name(interface: &InterfaceDescriptionBlock) -> String {
    let mut options = interface.options.iter();
    let name = options.find_map(|it| match it {
        InterfaceDescriptionOption::IfName(name) => Some(name.to_string()),
        _ => None,
    });
    name.unwrap_or_default()
}

/// Numbers at offsets of a block's body, in the section's byte order.
struct Fields<'a> {
    bytes: &'a [u8],
    big: bool,
}

impl<'a> Fields<'a> {
    fn u16(&self, at: usize) -> Result<u16, String> {
        let bytes = self.slice(at, 2)?.try_into().map_err(|_| short())?;
        Ok(if self.big {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        })
    }

    fn u32(&self, at: usize) -> Result<u32, String> {
        let bytes = self.slice(at, 4)?.try_into().map_err(|_| short())?;
        Ok(if self.big {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        })
    }

    fn slice(&self, at: usize, len: usize) -> Result<&'a [u8], String> {
        let end = at.checked_add(len).ok_or_else(short)?;
        self.bytes.get(at..end).ok_or_else(short)
    }

    /// The comment among the options that begin at `at`.
    fn comment(&self, mut at: usize) -> Option<String> {
        loop {
            let (code, len) = (self.u16(at).ok()?, usize::from(self.u16(at + 2).ok()?));
            match code {
                0 => return None,
                1 => {
                    return Some(
                        String::from_utf8_lossy(self.slice(at + 4, len).ok()?).into_owned(),
                    );
                }
                _ => at += 4 + len.next_multiple_of(4),
            }
        }
    }
}

/// The link type without the bits above it, in which some files tell of a frame check sequence.
fn link_type(from: DataLink) -> u32 {
    u32::from(from) & 0xffff
}

fn short() -> String {
    "a packet block is shorter than its fields".into()
}

fn of_interface(interface: u32, state: &PcapNgState) -> Result<u32, String> {
    match state.interfaces().get(interface as usize) {
        Some(it) => Ok(link_type(it.linktype)),
        None => Err(format!(
            "a packet names interface {interface}, which the file does not describe"
        )),
    }
}

fn time(interface: u32, high: u32, low: u32, state: &PcapNgState) -> Result<Time, String> {
    let since = state
        .decode_timestamp(interface, high, low)
        .map_err(|it| chain(&it))?;
    Ok(Time::default() + since)
}

fn enhanced_packet(body: &Fields, state: &PcapNgState) -> Result<Packet, String> {
    let interface = body.u32(0)?;
    let captured = body.u32(12)? as usize;
    let link_type = of_interface(interface, state)?;
    Ok(Packet {
        at: time(interface, body.u32(4)?, body.u32(8)?, state)?,
        link_type,
        interface,
        bytes: body.slice(20, captured)?.to_vec(),
        original_len: body.u32(16)?,
        comment: body.comment(20 + captured.next_multiple_of(4)),
    })
}

/// The obsolete packet block: as the enhanced one, with a drop count beside a short interface number.
fn packet_block(body: &Fields, state: &PcapNgState) -> Result<Packet, String> {
    let interface = u32::from(body.u16(0)?);
    let captured = body.u32(12)? as usize;
    let link_type = of_interface(interface, state)?;
    Ok(Packet {
        at: time(interface, body.u32(4)?, body.u32(8)?, state)?,
        link_type,
        interface,
        bytes: body.slice(20, captured)?.to_vec(),
        original_len: body.u32(16)?,
        comment: body.comment(20 + captured.next_multiple_of(4)),
    })
}

/// A packet without a time, of the section's first interface.
fn simple_packet(body: &Fields, state: &PcapNgState) -> Result<Packet, String> {
    let original_len = body.u32(0)?;
    let snaplen = state.interfaces().first().map_or(0, |it| it.snaplen);
    let kept = match snaplen {
        0 => original_len,
        snaplen => original_len.min(snaplen),
    };
    let room = body.bytes.len().saturating_sub(4);
    Ok(Packet {
        at: Time::default(),
        link_type: of_interface(0, state)?,
        interface: 0,
        bytes: body.slice(4, (kept as usize).min(room))?.to_vec(),
        original_len,
        comment: None,
    })
}

enum Writer {
    /// A pcap file, once its link type is known.
    Pcap(Option<(PcapWriter<BufWriter<File>>, u32)>, Option<File>),
    PcapNg(Box<PcapNgWriter<BufWriter<File>>>),
}

/// Writes a capture packet by packet. Each packet reaches the operating system before the call
/// returns, so that a killed process leaves a whole file; [`CaptureWriter::buffered`] gives that up
/// for speed.
pub struct CaptureWriter {
    path: PathBuf,
    writer: Writer,
    /// The number in this file of each interface declared; one that yields another link type counts as
    /// another.
    numbers: HashMap<(u32, u32), u32>,
    buffered: bool,
}

impl CaptureWriter {
    /// Makes the file; `.pcap` and `.pcapng` choose the format. Times are kept to the nanosecond.
    pub fn create(path: &Path) -> Result<Self, CaptureError> {
        let error = |reason: String| CaptureError::new(path, reason);
        let extension = path
            .extension()
            .and_then(|it| it.to_str())
            .unwrap_or_default();
        let ng = match extension {
            "pcapng" => true,
            "pcap" | "cap" => false,
            _ => {
                return Err(error(
                    "the name must end in .pcap or .pcapng, which chooses the format".into(),
                ));
            }
        };
        let file = File::create(path)
            .map_err(|it| error(format!("cannot be written: {}", unwritable(&it))))?;
        let writer = if ng {
            let section = SectionHeaderBlock {
                endianness: Endianness::Little,
                major_version: 1,
                minor_version: 0,
                section_length: -1,
                options: vec![SectionHeaderOption::UserApplication(
                    concat!("dhcpcraft ", env!("CARGO_PKG_VERSION")).into(),
                )],
            };
            let writer = PcapNgWriter::with_section_header(BufWriter::new(file), section)
                .map_err(|it| error(chain(&it)))?;
            Writer::PcapNg(Box::new(writer))
        } else {
            Writer::Pcap(None, Some(file))
        };
        Ok(CaptureWriter {
            path: path.to_path_buf(),
            writer,
            numbers: HashMap::new(),
            buffered: false,
        })
    }

    /// Leaves flushing to [`CaptureWriter::finish`].
    pub fn buffered(mut self) -> Self {
        self.buffered = true;
        self
    }

    /// Describes the interface that packets call `interface`. A pcap file holds one link type only.
    pub fn declare(&mut self, interface: u32, info: &InterfaceInfo) -> Result<(), CaptureError> {
        let error = |reason: String| CaptureError::new(&self.path, reason);
        let key = (interface, info.link_type);
        if self.numbers.contains_key(&key) {
            return Ok(());
        }
        match &mut self.writer {
            Writer::Pcap(Some((_, link_type)), _) => {
                if *link_type != info.link_type {
                    return Err(error(format!(
                        "a pcap file holds one link type, and this one has {link_type} and {}; write .pcapng",
                        info.link_type
                    )));
                }
            }
            Writer::Pcap(writer @ None, file) => {
                let header = PcapHeader {
                    version_major: 2,
                    version_minor: 4,
                    ts_correction: 0,
                    ts_accuracy: 0,
                    snaplen: 262_144,
                    datalink: DataLink::from(info.link_type),
                    ts_resolution: PcapTsResolution::NanoSecond,
                    endianness: Endianness::Little,
                };
                if let Some(file) = file.take() {
                    let made = PcapWriter::with_header(BufWriter::new(file), header)
                        .map_err(|it| error(chain(&it)))?;
                    *writer = Some((made, info.link_type));
                }
            }
            Writer::PcapNg(writer) => {
                let mut options = vec![InterfaceDescriptionOption::IfTsResol(
                    InterfaceTsResolution::new(false, 9).map_err(|it| error(chain(&it)))?,
                )];
                if !info.name.is_empty() {
                    options.insert(
                        0,
                        InterfaceDescriptionOption::IfName(info.name.as_str().into()),
                    );
                }
                let block = InterfaceDescriptionBlock {
                    linktype: DataLink::from(info.link_type),
                    snaplen: info.snaplen,
                    options,
                };
                writer
                    .write_pcapng_block(block)
                    .map_err(|it| error(chain(&it)))?;
            }
        }
        let number = self.numbers.len() as u32;
        self.numbers.insert(key, number);
        self.flush()
    }

    /// Writes a packet of an interface declared before; of one that was not, it is declared without
    /// a name.
    pub fn write(&mut self, packet: &Packet) -> Result<(), CaptureError> {
        self.declare(packet.interface, &InterfaceInfo::new("", packet.link_type))?;
        let (seconds, nanos) = packet.at.parts();
        let key = (packet.interface, packet.link_type);
        let interface_id = self.numbers.get(&key).copied().unwrap_or(0);
        let path = &self.path;
        let late = |_| {
            let reason = "a time after 2106 does not fit into a pcap file; write .pcapng";
            CaptureError::new(path, reason)
        };
        let written = match &mut self.writer {
            Writer::Pcap(Some((writer, _)), _) => {
                let raw = RawPcapPacket {
                    ts_sec: u32::try_from(seconds).map_err(late)?,
                    ts_frac: nanos,
                    incl_len: packet.bytes.len() as u32,
                    orig_len: packet.original_len,
                    data: packet.bytes.as_slice().into(),
                };
                writer
                    .write_raw_packet(&raw)
                    .map(drop)
                    .map_err(|it| chain(&it))
            }
            Writer::Pcap(None, _) => Err("has no header yet".into()),
            Writer::PcapNg(writer) => {
                let comment = packet.comment.as_deref().map(|it| {
                    EnhancedPacketOption::Common(CommonOption::Comment(cut(it, 0xffff).into()))
                });
                let block = EnhancedPacketBlock {
                    interface_id,
                    timestamp: Duration::new(seconds, nanos),
                    original_len: packet.original_len.max(packet.bytes.len() as u32),
                    data: packet.bytes.as_slice().into(),
                    options: comment.into_iter().collect(),
                };
                writer
                    .write_pcapng_block(block)
                    .map(drop)
                    .map_err(|it| chain(&it))
            }
        };
        written.map_err(|reason| CaptureError::new(&self.path, reason))?;
        match self.buffered {
            true => Ok(()),
            false => self.flush(),
        }
    }

    /// Hands everything written so far to the operating system.
    pub fn flush(&mut self) -> Result<(), CaptureError> {
        let flushed = match &mut self.writer {
            Writer::Pcap(Some((writer, _)), _) => writer.flush().map_err(|it| chain(&it)),
            Writer::Pcap(None, _) => Ok(()),
            Writer::PcapNg(writer) => writer.get_mut().flush().map_err(|it| chain(&it)),
        };
        flushed.map_err(|reason| CaptureError::new(&self.path, reason))
    }

    /// Describes the interfaces of which no packet came. A pcap file has room for one only.
    pub fn declare_unused(&mut self, interfaces: &[InterfaceInfo]) -> Result<(), CaptureError> {
        for (number, info) in interfaces.iter().enumerate() {
            if matches!(self.writer, Writer::Pcap(Some(_), _)) {
                break;
            }
            self.declare(number as u32, info)?;
        }
        Ok(())
    }

    /// Ends the file. One without packets is a capture all the same.
    pub fn finish(&mut self) -> Result<(), CaptureError> {
        if self.numbers.is_empty() {
            self.declare(0, &InterfaceInfo::new("", 1))?;
        }
        self.flush()
    }
}

/// At most `len` bytes of a text, whole characters.
fn cut(text: &str, len: usize) -> &str {
    &text[..text.floor_char_boundary(len)]
}
