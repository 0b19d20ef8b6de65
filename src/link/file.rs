//! A capture as a link: its frames arrive as they did, on the capture's own clock.

use std::path::Path;

use pnet::util::MacAddr;

use super::capture::{CaptureReader, Packet};
use super::{Link, LinkError, Received, Time};

/// Reads frames from a capture.
pub struct ReplayLink {
    name: String,
    reader: CaptureReader,
    next: Option<Packet>,
    clock: Time,
    link_type: u32,
}

impl ReplayLink {
    /// Opens the file. The clock starts at its first frame.
    pub fn open(path: &Path) -> Result<Self, LinkError> {
        let mut reader = CaptureReader::open(path)?;
        let next = reader.next_packet()?;
        Ok(ReplayLink {
            name: path.display().to_string(),
            clock: next.as_ref().map_or(Time::default(), |it| it.at),
            link_type: next.as_ref().map_or(1, |it| it.link_type),
            reader,
            next,
        })
    }
}

impl Link for ReplayLink {
    fn name(&self) -> &str {
        &self.name
    }

    fn mac(&self) -> Option<MacAddr> {
        None
    }

    fn link_type(&self) -> u32 {
        self.link_type
    }

    fn send(&mut self, _frame: &[u8]) -> Result<Time, LinkError> {
        Err(LinkError::ReadOnly {
            name: self.name.clone(),
        })
    }

    fn recv(&mut self, until: Time) -> Result<Option<Received>, LinkError> {
        match self.next.take_if(|it| it.at <= until) {
            None => {
                self.clock = self.clock.max(until);
                Ok(None)
            }
            Some(packet) => {
                self.clock = self.clock.max(packet.at);
                self.next = self.reader.next_packet()?;
                Ok(Some(Received {
                    at: packet.at,
                    original_len: packet.original_len as usize,
                    bytes: packet.bytes,
                    checksum_unfinished: false,
                }))
            }
        }
    }

    fn now(&self) -> Time {
        self.clock
    }

    fn is_virtual(&self) -> bool {
        true
    }

    fn exhausted(&self) -> bool {
        self.next.is_none()
    }

    fn next_arrival(&self) -> Option<Time> {
        // A capture out of order does not turn the clock back.
        self.next.as_ref().map(|it| it.at.max(self.clock))
    }
}
