//! Frames that are built: their tags, what IP takes, and their capture where none is sent.

use std::path::Path;

use super::Error;
use super::outcome::Entry;
use crate::link::capture::{CaptureWriter, InterfaceInfo, Packet};
use crate::wire::*;

/// Whether IP can say how long the message is; a length that was set says what it says.
pub(super) fn fits(frame: &Frame) -> Result<(), Error> {
    const MOST: usize = 0xffff;
    let unset = |it: &Layer| matches!(it, Layer::Ipv4(ip) if ip.len == Auto::Unset);
    let Some(at) = frame.layers.iter().position(unset) else {
        return Ok(());
    };
    let len = Frame::new(frame.layers[at..].to_vec()).encode().len();
    match len > MOST {
        true => Err(Error::Usage(format!(
            "the message makes a datagram of {len} bytes, and IP takes {MOST}: shorten an option, or set --ip-len"
        ))),
        false => Ok(()),
    }
}

/// The capture of frames that are built and not sent, where one is asked for.
pub(super) struct Built(Option<CaptureWriter>);

impl Built {
    pub fn new(path: Option<&Path>) -> Result<Self, Error> {
        let Some(path) = path else {
            return Ok(Built(None));
        };
        let mut writer = CaptureWriter::create(path)?;
        writer.declare(0, &InterfaceInfo::new("dry-run", link_type::ETHERNET))?;
        Ok(Built(Some(writer)))
    }

    pub fn record(&mut self, entry: &Entry) -> Result<(), Error> {
        if let Some(writer) = &mut self.0 {
            writer.write(&Packet {
                at: entry.at,
                link_type: entry.link_type,
                interface: 0,
                original_len: entry.bytes.len() as u32,
                bytes: entry.bytes.clone(),
                comment: Some("built, not sent".into()),
            })?;
        }
        Ok(())
    }
}

/// Tags a frame, inside whatever tags it has already.
pub(super) fn tag(frame: &mut Frame, tags: &[Dot1Q]) {
    let at = frame
        .layers
        .iter()
        .position(|layer| !matches!(layer, Layer::Ether(_) | Layer::Dot1Q(_)))
        .unwrap_or(frame.layers.len());
    frame
        .layers
        .splice(at..at, tags.iter().cloned().map(Layer::from));
}
