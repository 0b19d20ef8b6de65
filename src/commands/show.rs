//! Shows frames of captures, hex text and standard input.

use std::time::Duration;

use clap::Args;

use super::Error;
use super::args::{GroupArgs, OutArgs};
use super::group::Grouping;
use super::input::Source;
use super::outcome::{Ending, Sink};
use super::progress::Progress;
use super::session::{self, Session};

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
    group: GroupArgs,
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
        let mut grouping = Grouping::new(sink, self.group);
        let ending = self.read(session, &mut grouping);
        grouping.finish(None)?;
        ending
    }

    fn read(&self, session: &Session, sink: &mut dyn Sink) -> Result<Ending, Error> {
        if self.out.write.is_some() {
            return Err(Error::Usage(
                "show only reads; `dhcpcraft convert IN OUT` writes".into(),
            ));
        }
        let mut shown = 0;
        for source in &self.files {
            let mut input = match source.open_until(session.interruption()) {
                Err(_) if session.interrupted() => return Ok(Ending::Interrupted),
                input => input?,
            };
            let progress = Progress::reading(&source.name);
            let mut first = None;
            let mut number = 0;
            while self.count.is_none_or(|count| shown < count) {
                if session.interrupted() {
                    return Ok(Ending::Interrupted);
                }
                if input.idle() {
                    sink.idle()?;
                }
                let packet = input.next_packet();
                if session.interrupted() {
                    return Ok(Ending::Interrupted);
                }
                let Some(packet) = packet? else {
                    break;
                };
                number += 1;
                if source.number.is_some_and(|wanted| wanted != number) {
                    continue;
                }
                progress.at(number, input.position());
                let since = match source.number {
                    Some(_) => Duration::ZERO,
                    None => packet.at - *first.get_or_insert(packet.at),
                };
                let entry = session::read(number, since, packet);
                if session.admits(&entry) {
                    shown += 1;
                    sink.take(entry)?;
                }
                if source.number == Some(number) {
                    break;
                }
            }
            source.found(number)?;
        }
        if shown == 0 {
            sink.notice(match self.out.condition {
                Some(_) => "no frame for which --where holds",
                None => "no frames: the file is a capture without any",
            });
        }
        Ok(Ending::Done)
    }
}
