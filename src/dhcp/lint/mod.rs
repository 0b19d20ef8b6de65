//! Lint: what RFC 2131 and its company want of a frame, and of the frames of an exchange.
//!
//! Every rule is a row of [`RULES`]. A [`Linter`] is fed frames in their order; it keeps a bounded
//! memory of what it saw, and says nothing where that is not enough to know.

mod bounded;
mod exchange;
mod header;
mod lease;
mod option;
mod relation;
mod relay;
mod reply;
mod rules;
mod seen;
mod state;

use std::fmt;
use std::time::Duration;

pub use rules::RULES;

use super::options;
use crate::wire::{FIELDS, Frame};
use exchange::Memory;
use seen::Seen;

/// How bad it is to break a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing: common practice, or a recommendation that many leave aside.
    Note,
    /// Against the RFC; most peers cope.
    Warning,
    /// Against the RFC, and a careful peer drops the message, or a client is misled.
    Error,
}

impl Severity {
    /// All of them, the least first.
    pub const ALL: [Severity; 3] = [Severity::Note, Severity::Warning, Severity::Error];

    /// `note`, `warning` or `error`.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How a rule looks.
#[derive(Clone, Copy)]
enum Check {
    /// At one frame by itself.
    Frame(fn(&Seen, &mut Report)),
    /// At a frame and those before it.
    Exchange(fn(&Seen, &Memory, &mut Report)),
}

/// A rule.
pub struct Rule {
    /// Its name, which stays: `lease-times-order`.
    pub id: &'static str,
    /// How bad it is to break it.
    pub severity: Severity,
    /// The document and section that it comes from: `2131 4.4.5`.
    pub rfc: &'static str,
    /// What the document wants, in a sentence.
    pub text: &'static str,
    check: Check,
}

impl Rule {
    /// Whether it looks at earlier frames as well.
    pub fn relates(&self) -> bool {
        matches!(self.check, Check::Exchange(_))
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id)
    }
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Rule {}

/// The rule with this name, or why there is none.
pub fn rule(id: &str) -> Result<&'static Rule, String> {
    let wanted = id.trim().to_ascii_lowercase().replace(['_', ' '], "-");
    if let Some(rule) = RULES.iter().find(|it| it.id == wanted) {
        return Ok(rule);
    }
    let mut scored: Vec<(f64, &str)> = RULES
        .iter()
        .map(|it| (strsim::jaro_winkler(it.id, &wanted), it.id))
        .filter(|it| it.0 > 0.82)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    let near: Vec<&str> = scored.iter().take(3).map(|it| it.1).collect();
    Err(match near.is_empty() {
        true => "no such rule; `dhcpcraft lint --rules` lists them".into(),
        false => format!("no such rule (did you mean {}?)", near.join(", ")),
    })
}

/// A frame to be looked at.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// Its number, for the findings.
    pub number: u64,
    /// When it passed, from any fixed point on.
    pub at: Duration,
    /// The frame.
    pub frame: &'a Frame,
    /// Whether bytes of it are missing, because the capture cut it.
    pub cut: bool,
    /// Whether its UDP checksum was left to the network card.
    pub unfinished: bool,
}

/// Something that a rule does not like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// Number of the frame.
    pub frame: u64,
    /// The option or field: `server-id`, `BOOTP.flags`.
    pub place: String,
    /// Where that begins, in bytes from the frame's first; `None` for what is not there.
    pub offset: Option<usize>,
    /// What is there, or is missing.
    pub found: String,
}

/// `frame 2: warning: UDP.len: a message of 296 bytes (RFC 1542 2.1, minimum-size)`.
impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Rule { id, rfc, .. } = self.rule;
        let severity = self.rule.severity.name();
        let found = self.found.escape_default();
        write!(
            f,
            "frame {}: {severity}: {}: {found} (RFC {rfc}, {id})",
            self.frame, self.place
        )
    }
}

/// Findings of one frame most rules could produce; of a frame made to break every option, no more.
const PER_FRAME: usize = 64;

/// Takes what a check finds.
struct Report<'a> {
    seen: &'a Seen<'a>,
    rule: &'static Rule,
    findings: &'a mut Vec<Finding>,
}

impl Report<'_> {
    fn push(&mut self, place: String, offset: Option<usize>, found: impl Into<String>) {
        if self.findings.len() < PER_FRAME {
            self.findings.push(Finding {
                rule: self.rule,
                frame: self.seen.number,
                place,
                offset,
                found: found.into(),
            });
        }
    }

    /// Something about a header field.
    fn field(&mut self, layer: &'static str, name: &'static str, found: impl Into<String>) {
        let mut rows = FIELDS.iter();
        let row = rows.find(|it| it.layer == layer && it.name == name);
        let offset = self.seen.layer_at(layer);
        let offset = offset.zip(row).map(|(at, row)| at + row.byte());
        self.push(format!("{layer}.{name}"), offset, found);
    }

    /// Something about an option that is there, or is missing.
    fn option(&mut self, code: u8, found: impl Into<String>) {
        let offset = self.seen.option(code).map(|it| it.at);
        self.push(options::by_code(code).name.to_string(), offset, found);
    }

    /// Something about bytes that have no other name.
    fn bytes(&mut self, place: &str, offset: usize, found: impl Into<String>) {
        self.push(place.to_string(), Some(offset), found);
    }
}

/// Looks at frames, one after the other.
pub struct Linter {
    rules: Vec<&'static Rule>,
    memory: Memory,
}

impl Linter {
    /// A linter by some of the rules.
    pub fn new(rules: impl IntoIterator<Item = &'static Rule>) -> Self {
        Linter {
            rules: rules.into_iter().collect(),
            memory: Memory::default(),
        }
    }

    /// What there is to say of the next frame.
    pub fn look(&mut self, sample: &Sample) -> Vec<Finding> {
        let seen = Seen::of(sample);
        let mut findings = Vec::new();
        for rule in &self.rules {
            let mut report = Report {
                seen: &seen,
                rule,
                findings: &mut findings,
            };
            match rule.check {
                Check::Frame(check) => check(&seen, &mut report),
                Check::Exchange(check) => check(&seen, &self.memory, &mut report),
            }
        }
        self.memory.learn(&seen);
        findings.sort_by_key(|it| std::cmp::Reverse(it.rule.severity));
        findings
    }
}
