//! The blocks of a pcapng file.

use std::io::Read;

use pcap_file::Endianness;
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption,
};
use pcap_file::pcapng::{PcapNgReader, PcapNgState};

use super::{InterfaceInfo, Packet, Time, chain, link_type};

/// What stood next in a capture.
pub(super) enum Block {
    Packet(Packet),
    Section,
    Interface(InterfaceInfo),
    Other,
}

/// Reads packet blocks with our own eyes: pcap-file refuses whole files for a comment that is not
/// UTF-8 or an original length that is too small.
pub(super) fn pcapng_block(
    reader: &mut PcapNgReader<Box<dyn Read>>,
) -> Result<Option<Block>, String> {
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
        2 => timed_packet(u32::from(body.u16(0)?), &body, state),
        3 => simple_packet(&body, state),
        6 => timed_packet(body.u32(0)?, &body, state),
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

/// An enhanced packet block, or the obsolete packet block, which has a short interface number with a drop count
/// beside it.
fn timed_packet(interface: u32, body: &Fields, state: &PcapNgState) -> Result<Packet, String> {
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
