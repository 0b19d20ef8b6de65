//! Solaris' snoop captures (RFC 1761), for reading.

use std::io::{self, Read};

use super::Time;
use super::capture::{InterfaceInfo, Packet};

/// Records longer than this are damage.
const MAX_RECORD: u32 = 1 << 24;

/// Reads a snoop capture.
pub(super) struct SnoopReader<R> {
    reader: R,
    link_type: u32,
}

/// What reading ahead found.
enum Filled {
    Whole,
    Nothing,
}

impl<R: Read> SnoopReader<R> {
    /// Reads the header.
    pub(super) fn new(mut reader: R) -> Result<(Self, InterfaceInfo), String> {
        let mut header = [0; 16];
        fill(&mut reader, &mut header)?;
        let link_type = match be32(&header, 12) {
            // IEEE 802.3 and Ethernet.
            0 | 4 => 1,
            8 => 10,
            other => {
                return Err(format!(
                    "is a snoop capture of data link {other}; only Ethernet and FDDI are known"
                ));
            }
        };
        Ok((
            SnoopReader { reader, link_type },
            InterfaceInfo::new("", link_type),
        ))
    }

    /// The next packet.
    pub(super) fn next(&mut self) -> Result<Option<Packet>, String> {
        let mut header = [0; 24];
        if let Filled::Nothing = fill(&mut self.reader, &mut header)? {
            return Ok(None);
        }
        let [original_len, included, record, _, seconds, micros] =
            [0, 4, 8, 12, 16, 20].map(|at| be32(&header, at));
        if record > MAX_RECORD || included.saturating_add(24) > record {
            return Err(format!(
                "a record of {record} bytes cannot hold a packet of {included}"
            ));
        }
        let mut data = vec![0; (record - 24) as usize];
        if !data.is_empty() && matches!(fill(&mut self.reader, &mut data)?, Filled::Nothing) {
            return Err(cut());
        }
        data.truncate(included as usize);
        Ok(Some(Packet {
            at: Time(u64::from(seconds) * 1_000_000_000 + u64::from(micros) * 1000),
            link_type: self.link_type,
            interface: 0,
            bytes: data,
            original_len,
            comment: None,
        }))
    }
}

fn cut() -> String {
    "the file ends in the middle of a record (the capture was cut off)".into()
}

fn be32(bytes: &[u8], at: usize) -> u32 {
    bytes
        .iter()
        .skip(at)
        .take(4)
        .fold(0, |number, byte| number << 8 | u32::from(*byte))
}

fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> Result<Filled, String> {
    let mut got = 0;
    while got < buffer.len() {
        match reader.read(&mut buffer[got..]) {
            Ok(0) if got == 0 => return Ok(Filled::Nothing),
            Ok(0) => return Err(cut()),
            Ok(more) => got += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(Filled::Whole)
}
