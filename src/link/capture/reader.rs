//! Reading a capture packet by packet.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use pcap_file::pcap::{PcapReader, PcapTsResolution};
use pcap_file::pcapng::PcapNgReader;

use super::block::{Block, pcapng_block};
use super::snoop::SnoopReader;
use super::{CaptureError, InterfaceInfo, Packet, Time, chain, link_type};

/// Largest packet that is read or written; what is longer is damage.
const MAX_PACKET: usize = 16 << 20;

/// Room for one block while reading.
const BUFFER: usize = MAX_PACKET + (1 << 16);

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
