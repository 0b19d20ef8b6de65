//! Judges frames by the rules of the RFCs: those of files, or those that another command yields.

use std::io;
use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::Error;
use super::args::ColorChoice;
use super::census::Change;
use super::input::Source;
use super::outcome::{Entry, Observation, Sink};
use super::progress::Progress;
use super::session::{self, Session};
use crate::dhcp::lint::{self, Finding, Linter, RULES, Rule, Sample, Severity};

/// Arguments of `lint`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Exit codes: 0 nothing at or above --severity, 1 something was found, 2 usage, 6 file.\n\
                  error: a careful peer drops the message, or a client is misled; warning: against the RFC;\n\
                  note: common practice, worth knowing."
)]
pub struct LintArgs {
    /// Captures (pcap, pcapng, snoop), hex text, `hex:…`, or - for standard input; FILE#N judges one frame
    #[arg(value_name = "FILE[#N]", value_parser = Source::parse, default_value = "-")]
    files: Vec<Source>,
    /// List the rules
    #[arg(long)]
    pub rules: bool,
    /// Judge by this rule only; repeat for more
    #[arg(long, value_name = "RULE", value_parser = lint::rule)]
    only: Vec<&'static Rule>,
    /// Leave a rule out; repeat for more
    #[arg(long, value_name = "RULE", value_parser = lint::rule)]
    ignore: Vec<&'static Rule>,
    /// Tell, and fail for, what is this severe at least
    #[arg(long, value_name = "SEVERITY", default_value = "warning", value_parser = severities())]
    severity: Severity,
    /// Judge only frames for which this expression over `pkt` holds: 'pkt.giaddr == "10.0.0.1"'
    #[arg(long = "where", value_name = "EXPR")]
    pub condition: Option<String>,
    /// One JSON object per finding, or per rule
    #[arg(long)]
    pub json: bool,
    /// When to use colours
    #[arg(long, value_enum, default_value_t)]
    pub color: ColorChoice,
}

fn severities() -> impl TypedValueParser<Value = Severity> {
    PossibleValuesParser::new(Severity::ALL.map(Severity::name)).map(|name| {
        let found = Severity::ALL.into_iter().find(|it| it.name() == name);
        found.unwrap_or(Severity::Warning)
    })
}

/// Findings about a frame, and where it is from.
#[derive(Clone, Copy, Debug)]
pub struct Linted<'a> {
    /// The file, where it is from one.
    pub file: Option<&'a str>,
    /// The frame.
    pub entry: &'a Entry,
    /// What was found, the worst first.
    pub findings: &'a [Finding],
}

/// What came of it all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Frames judged.
    pub frames: u64,
    /// Findings: notes, warnings, errors.
    pub counts: [u64; 3],
    /// What is told and makes it fail.
    pub threshold: Severity,
    /// Rules judged by.
    pub rules: usize,
    /// Whether the user broke it off.
    pub interrupted: bool,
}

impl Tally {
    fn new(threshold: Severity, rules: usize) -> Self {
        Tally {
            frames: 0,
            counts: [0; 3],
            threshold,
            rules,
            interrupted: false,
        }
    }

    /// How many findings of a severity there are.
    pub fn count(&self, severity: Severity) -> u64 {
        match severity {
            Severity::Note => self.counts[0],
            Severity::Warning => self.counts[1],
            Severity::Error => self.counts[2],
        }
    }

    /// Counts a frame, and gives what is to be told of it.
    fn take(&mut self, mut findings: Vec<Finding>) -> Vec<Finding> {
        self.frames += 1;
        for (count, severity) in self.counts.iter_mut().zip(Severity::ALL) {
            let all = findings.iter().filter(|it| it.rule.severity == severity);
            *count += all.count() as u64;
        }
        findings.retain(|it| it.rule.severity >= self.threshold);
        findings
    }

    /// Whether something was found that is severe enough.
    pub fn failed(&self) -> bool {
        let told = Severity::ALL.into_iter().filter(|it| *it >= self.threshold);
        told.map(|it| self.count(it)).sum::<u64>() > 0
    }

    /// The exit code that says it.
    pub fn exit_code(&self) -> u8 {
        match (self.interrupted, self.failed()) {
            (true, _) => 130,
            (false, true) => 1,
            (false, false) => 0,
        }
    }
}

/// `4 frames: 1 error, 2 warnings; 3 notes are not shown (--severity note)`.
impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let counted = |count: u64, one: &str| match count {
            1 => format!("1 {one}"),
            count => format!("{count} {one}s"),
        };
        write!(f, "{}: ", counted(self.frames, "frame"))?;
        let (mut told, mut hidden) = (Vec::new(), Vec::new());
        for severity in Severity::ALL.into_iter().rev() {
            let count = self.count(severity);
            let list = match severity >= self.threshold {
                true => &mut told,
                false => &mut hidden,
            };
            if count > 0 {
                list.push(counted(count, severity.name()));
            }
        }
        match told.is_empty() {
            true => write!(
                f,
                "nothing to say by {}",
                counted(self.rules as u64, "rule")
            )?,
            false => f.write_str(&told.join(", "))?,
        }
        if !hidden.is_empty() {
            write!(f, "; {} more below {}", hidden.join(", "), self.threshold)?;
        }
        Ok(())
    }
}

/// A look at a frame that a command yields.
fn look(linter: &mut Linter, entry: &Entry) -> Vec<Finding> {
    linter.look(&Sample {
        number: entry.number,
        at: Duration::from_nanos(entry.at.0),
        frame: &entry.frame,
        cut: entry.original_len > entry.bytes.len(),
        unfinished: entry.checksum_unfinished,
    })
}

/// Findings of each of these frames, taken as one exchange.
pub fn findings(entries: &[Entry]) -> Vec<Finding> {
    let mut linter = Linter::new(RULES);
    entries
        .iter()
        .flat_map(|it| look(&mut linter, it))
        .collect()
}

/// Passes a command's entries on, and judges each (`--lint`).
pub struct Linting<'a> {
    inner: &'a mut dyn Sink,
    linter: Option<Linter>,
    tally: Tally,
}

impl<'a> Linting<'a> {
    /// Judges only if `wanted`.
    pub fn new(inner: &'a mut dyn Sink, wanted: bool) -> Self {
        Linting {
            inner,
            linter: wanted.then(|| Linter::new(RULES)),
            tally: Tally::new(Severity::Warning, RULES.len()),
        }
    }

    /// What came of it, where it was asked for.
    pub fn tally(&self) -> Option<Tally> {
        self.linter.is_some().then_some(self.tally)
    }
}

impl Sink for Linting<'_> {
    fn entry(&mut self, entry: &Entry) -> io::Result<()> {
        self.inner.entry(entry)?;
        let Some(linter) = &mut self.linter else {
            return Ok(());
        };
        let findings = self.tally.take(look(linter, entry));
        match findings.is_empty() {
            true => Ok(()),
            false => self.inner.findings(&Linted {
                file: None,
                entry,
                findings: &findings,
            }),
        }
    }

    fn findings(&mut self, linted: &Linted) -> io::Result<()> {
        self.inner.findings(linted)
    }

    fn notice(&mut self, text: &str) {
        self.inner.notice(text);
    }

    fn change(&mut self, change: &Change) -> io::Result<()> {
        self.inner.change(change)
    }

    fn checked(&mut self, finding: &super::conform::Finding) -> io::Result<()> {
        self.inner.checked(finding)
    }

    fn observation(&mut self, seen: &Observation) -> io::Result<()> {
        self.inner.observation(seen)
    }

    fn idle(&mut self) -> io::Result<()> {
        self.inner.idle()
    }
}

impl LintArgs {
    /// The rules asked for, one at least: by none, everything would pass.
    pub fn chosen(&self) -> Result<Vec<&'static Rule>, Error> {
        let all = RULES.iter();
        let chosen: Vec<_> = all
            .filter(|it| self.only.is_empty() || self.only.contains(it))
            .filter(|it| !self.ignore.contains(it))
            .collect();
        if chosen.is_empty() {
            let of = match self.only.is_empty() {
                true => "",
                false => " of those that --only names",
            };
            return Err(Error::Usage(format!(
                "--ignore leaves no rule{of} to judge by: leave an --ignore out"
            )));
        }
        Ok(chosen)
    }

    /// Judges every frame of the files, each file as an exchange of its own.
    pub fn run(&self, session: &mut Session, sink: &mut dyn Sink) -> Result<Tally, Error> {
        let rules = self.chosen()?;
        let mut tally = Tally::new(self.severity, rules.len());
        for source in &self.files {
            let mut linter = Linter::new(rules.iter().copied());
            let mut input = match source.open_until(session.interruption()) {
                Err(_) if session.interrupted() => break,
                input => input?,
            };
            let progress = Progress::reading(&source.name);
            let (mut first, mut number) = (None, 0);
            while !session.interrupted() {
                if input.idle() {
                    sink.idle()?;
                }
                let packet = input.next_packet();
                if session.interrupted() {
                    break;
                }
                let Some(packet) = packet? else {
                    break;
                };
                number += 1;
                if source.number.is_some_and(|wanted| wanted != number) {
                    continue;
                }
                progress.at(number, input.position());
                let since = packet.at - *first.get_or_insert(packet.at);
                let entry = session::read(number, since, packet);
                if !session.admits(&entry) {
                    continue;
                }
                let findings = tally.take(look(&mut linter, &entry));
                if !findings.is_empty() {
                    sink.findings(&Linted {
                        file: Some(&source.name),
                        entry: &entry,
                        findings: &findings,
                    })?;
                }
                if source.number == Some(number) {
                    break;
                }
            }
            tally.interrupted = session.interrupted();
            source.found(number)?;
        }
        Ok(tally)
    }
}
