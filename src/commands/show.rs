//! Shows frames of captures, hex text and standard input.

use std::time::Duration;

use clap::Args;

use super::Error;
use super::args::OutArgs;
use super::input::Source;
use super::outcome::{Direction, Ending, Entry, Sink, Verdict};
use super::progress::Progress;
use super::session::Session;
use crate::wire::Frame;

/// Arguments of `show`.
#[derive(Clone, Debug, Args)]
pub struct ShowArgs {
    /// Captures (pcap, pcapng, snoop), hex text, `hex:…`, or - for standard input; FILE#N picks a frame
    #[arg(value_name = "FILE[#N]", value_parser = Source::parse, default_value = "-")]
    files: Vec<Source>,
    /// Stop after this many frames
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    #[command(flatten)]
    out: OutArgs,
}

impl ShowArgs {
    /// How to print.
    pub fn out(&self) -> &OutArgs {
        &self.out
    }

    /// Reads and yields every frame.
    pub fn run(&self, session: &mut Session, sink: &mut dyn Sink) -> Result<Ending, Error> {
        if self.out.write.is_some() {
            return Err(Error::Usage(
                "show only reads; `dhcpcraft convert IN OUT` writes".into(),
            ));
        }
        let mut shown = 0;
        for source in &self.files {
            let mut input = source.open()?;
            let progress = Progress::reading(&source.name);
            let mut first = None;
            let mut number = 0;
            while self.count.is_none_or(|count| shown < count) {
                if session.interrupted() {
                    return Ok(Ending::Interrupted);
                }
                let Some(packet) = input.next_packet()? else {
                    break;
                };
                number += 1;
                if source.number.is_some_and(|wanted| wanted != number) {
                    continue;
                }
                progress.at(number, input.position());
                let since = packet.at - *first.get_or_insert(packet.at);
                shown += 1;
                sink.entry(&Entry {
                    number,
                    at: packet.at,
                    since: if source.number.is_some() {
                        Duration::ZERO
                    } else {
                        since
                    },
                    after: None,
                    direction: Direction::Read,
                    link_type: packet.link_type,
                    frame: Frame::decode_as(packet.link_type, &packet.bytes),
                    bytes: packet.bytes,
                    original_len: packet.original_len as usize,
                    verdict: Verdict::Part,
                    checksum_unfinished: false,
                    comment: packet.comment,
                })?;
                if source.number == Some(number) {
                    break;
                }
            }
            if let Some(wanted) = source.number
                && number < wanted
            {
                return Err(Error::file(
                    std::path::Path::new(&source.name),
                    format!("has no frame {wanted}; it holds {number}"),
                ));
            }
        }
        if shown == 0 {
            sink.notice("no frames: the file is a capture without any");
        }
        Ok(Ending::Done)
    }
}
