//! Writing a capture packet by packet.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use pcap_file::pcap::{PcapHeader, PcapTsResolution, PcapWriter, RawPcapPacket};
use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption, InterfaceTsResolution,
};
use pcap_file::pcapng::blocks::opt_common::CommonOption;
use pcap_file::pcapng::blocks::section_header::{SectionHeaderBlock, SectionHeaderOption};
use pcap_file::{DataLink, Endianness};

use super::{CaptureError, InterfaceInfo, Packet, chain};

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
