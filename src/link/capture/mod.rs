//! Captures as streams: pcap, pcapng, and Solaris' snoop, which is only read.

mod block;
mod reader;
mod writer;

use std::path::{Path, PathBuf};

use pcap_file::DataLink;

use super::{Time, snoop};

pub use reader::CaptureReader;
pub use writer::CaptureWriter;

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
    pub(in crate::link) fn new(path: &Path, reason: impl ToString) -> Self {
        CaptureError {
            path: path.to_path_buf(),
            reason: reason.to_string(),
        }
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

/// The link type without the bits above it, in which some files tell of a frame check sequence.
fn link_type(from: DataLink) -> u32 {
    u32::from(from) & 0xffff
}
