//! In what two frames differ, or two recordings of exchanges.

use std::path::Path;

use clap::Args;

use super::args::ColorChoice;
use super::diagnosis::plural;
use super::input::Source;
use super::outcome::Sink;
use super::session::Session;
use super::{Error, Outcome};
use crate::dhcp::comparison::{ComparedExchange, Numbered, compare_exchanges, exchanges};
use crate::dhcp::difference::{Difference, differences};
use crate::dhcp::options::{self, OPTIONS};
use crate::wire::{FIELDS, Frame};

/// Arguments of `diff`.
#[derive(Clone, Debug, Args)]
pub struct DiffArgs {
    /// The first: a capture whose exchanges are compared, or a frame as FILE#N, `hex:…`, or - for standard input
    #[arg(value_name = "A", value_parser = Source::parse)]
    first: Source,
    /// The second
    #[arg(value_name = "B", value_parser = Source::parse)]
    second: Source,
    /// Of exchanges, compare as well what differs in every run: xid, client MAC, IP.id, lengths and checksums
    #[arg(long)]
    exact: bool,
    #[command(flatten)]
    ignore: IgnoreArgs,
    /// One JSON object per difference
    #[arg(long)]
    pub json: bool,
    /// When to use colours
    #[arg(long, value_enum, default_value_t)]
    pub color: ColorChoice,
}

/// Differences that do not matter.
#[derive(Clone, Debug, Args)]
pub struct IgnoreArgs {
    /// Leave a field or option out, such as BOOTP.secs or `option lease-time`; repeat for more
    #[arg(long, value_name = "NAME", value_parser = parse_ignored)]
    ignore: Vec<String>,
}

/// What differs beside fields and options.
const OTHERS: [&str; 6] = ["Raw", "Padding", "Cooked", "message", "exchange", "order"];

/// The name that a difference bears, of one that the user may write in another way.
fn parse_ignored(text: &str) -> Result<String, String> {
    // The second of a name is NAME#2.
    let (name, which) = match text.split_once('#') {
        Some((name, _)) => text.split_at(name.len()),
        None => (text, ""),
    };
    if let Some(option) = name.strip_prefix("option ") {
        let row = options::by_name(option).map_err(|it| it.to_string())?;
        return Ok(format!("option {}{which}", row.name));
    }
    let fields = FIELDS.iter().map(|it| format!("{}.{}", it.layer, it.name));
    let options = OPTIONS.iter().map(|it| format!("option {}", it.name));
    let others = OTHERS.iter().map(|it| it.to_string());
    let mut all = fields.chain(others).chain(options);
    if let Some(known) = all.clone().find(|it| it.eq_ignore_ascii_case(name)) {
        return Ok(known + which);
    }
    let wanted = name.to_ascii_lowercase();
    let score = |it: &str| strsim::jaro_winkler(&it.to_ascii_lowercase(), &wanted);
    let bare = |it: &str| it.split(['.', ' ']).next_back().map_or(0.0, score);
    let best = |it: &str| score(it).max(bare(it));
    let near = all.by_ref().max_by(|a, b| best(a).total_cmp(&best(b)));
    Err(match near.filter(|it| best(it) > 0.8) {
        Some(near) => format!("no field or option (did you mean `{near}`?)"),
        None => "no field or option; a field is LAYER.NAME such as BOOTP.secs, an option `option lease-time`".into(),
    })
}

impl IgnoreArgs {
    /// Whether a difference is one of them.
    pub fn has(&self, it: &Difference) -> bool {
        let mut names = self.ignore.iter();
        names.any(|name| name.eq_ignore_ascii_case(&it.name))
    }
}

/// Messages of a file that are compared.
const MOST: usize = 100_000;

/// What a source holds.
struct Held {
    first: Frame,
    frames: u64,
    messages: Vec<Numbered>,
}

fn held(source: &Source, session: &Session) -> Result<Held, Error> {
    let mut input = source.open_until(session.interruption())?;
    let path = Path::new(&source.name);
    let (mut frames, mut first, mut messages) = (0, None, Vec::new());
    while let Some(packet) = input.next_packet()? {
        frames += 1;
        if source.number.is_some_and(|it| it != frames) {
            continue;
        }
        let frame = Frame::decode_as(packet.link_type, &packet.bytes);
        first.get_or_insert_with(|| frame.clone());
        if source.number.is_some() {
            break;
        }
        if frame.bootp().is_some() {
            if messages.len() == MOST {
                return Err(Error::file(
                    path,
                    format!(
                        "holds more than {MOST} messages; `dhcpcraft convert` with --where cuts out those to compare"
                    ),
                ));
            }
            messages.push(Numbered {
                number: frames,
                frame,
            });
        }
    }
    source.found(frames)?;
    match first {
        Some(first) => Ok(Held {
            first,
            frames,
            messages,
        }),
        None => Err(Error::file(path, "holds no frame")),
    }
}

impl DiffArgs {
    /// What differs: between two frames, or between the exchanges of two captures.
    pub fn run(&self, session: &Session, sink: &mut dyn Sink) -> Result<Outcome, Error> {
        let a = held(&self.first, session)?;
        let b = held(&self.second, session)?;
        let whole = self.first.number.is_none() && self.second.number.is_none();
        if !whole || (a.frames == 1 && b.frames == 1) {
            for (source, it) in [(&self.first, &a), (&self.second, &b)] {
                if source.number.is_none() && it.frames > 1 {
                    sink.notice(&format!(
                        "{name}: frame 1 of {} is compared; {name}#N names another",
                        it.frames,
                        name = source.name
                    ));
                }
            }
            let mut all = differences(&a.first, &b.first);
            all.retain(|it| !self.ignore.has(it));
            return Ok(Outcome::Differences(all));
        }
        for (source, it) in [(&self.first, &a), (&self.second, &b)] {
            let others = it.frames - it.messages.len() as u64;
            if it.messages.is_empty() {
                return Err(Error::file(
                    Path::new(&source.name),
                    "holds no DHCP message; FILE#N names a frame of any kind",
                ));
            } else if others > 0 {
                sink.notice(&format!(
                    "{}: {others} of {} {} no DHCP message and {} not compared",
                    source.name,
                    plural(it.frames, "frame", "frames"),
                    if others == 1 { "holds" } else { "hold" },
                    if others == 1 { "is" } else { "are" },
                ));
            }
        }
        let mut all = compare_exchanges(&exchanges(a.messages), &exchanges(b.messages), self.exact);
        all.iter_mut()
            .for_each(|it| it.forgive(|it| self.ignore.has(it)));
        Ok(Outcome::Compared(all))
    }
}

/// The exit code that says whether exchanges differ.
pub fn exit_code(all: &[ComparedExchange]) -> u8 {
    u8::from(all.iter().any(ComparedExchange::differs))
}
