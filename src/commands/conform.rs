//! Checks a server or a client against the RFCs: what is asked for, and what was found. The checks
//! themselves are written in the language, a floor above.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::Error;
use super::args::{ColorChoice, ForceArgs, LinkArgs, SeedArgs, parse_duration};
use super::diagnosis::Cause;
use super::outcome::Sink;
use super::serve::{Network, parse_mac, parse_network};
use super::session::Session;
use super::subject::Lines;
use crate::wire::MacAddr;

/// Arguments of `conform`.
#[derive(Clone, Debug, Args)]
pub struct ConformArgs {
    #[command(flatten)]
    /// The link
    pub link: LinkArgs,
    /// Which server, where several answer [default: the first that offers]
    #[arg(
        long,
        value_name = "IP",
        help_heading = "Checks",
        conflicts_with = "client"
    )]
    pub server: Option<Ipv4Addr>,
    /// Play a relay agent with this address too, so that what concerns relay agents is checked
    #[arg(
        long,
        value_name = "GIADDR",
        help_heading = "Checks",
        conflicts_with = "client"
    )]
    pub relay: Option<Ipv4Addr>,
    /// Only these checks: an id or its beginning (S-OFR), a section (RFC2131-4.3.2); repeat for more
    #[arg(long, value_name = "ID|RFC", help_heading = "Checks")]
    pub only: Vec<String>,
    /// List the checks and run none
    #[arg(long, help_heading = "Checks")]
    pub list: bool,
    /// Explain a check: its requirement, what it needs, its source
    #[arg(
        long,
        value_name = "ID",
        help_heading = "Checks",
        conflicts_with = "list"
    )]
    pub explain: Option<String>,
    /// Exit 1 also where a SHOULD is not kept
    #[arg(long, help_heading = "Checks")]
    pub strict: bool,
    /// Longest wait for a server or client to show itself; later waits follow from how fast it is
    /// [default: 4s; 30s with --client]
    #[arg(long, value_name = "TIME", value_parser = parse_duration, help_heading = "Checks")]
    pub timeout: Option<Duration>,
    /// Check a client by playing its server; in the lab, the client of this program
    #[arg(long, help_heading = "Client")]
    pub client: bool,
    #[command(flatten)]
    /// The client
    pub subject: SubjectArgs,
    #[command(flatten)]
    /// Whether it may go where others are
    pub force: ForceArgs,
    #[command(flatten)]
    /// The seed
    pub seed: SeedArgs,
    /// One JSON object per check, and one for the run
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Write a JUnit report
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub junit: Option<PathBuf>,
    /// Write every frame to a capture; in pcapng each says which check it belongs to
    #[arg(short, long, value_name = "FILE.pcap|.pcapng", help_heading = "Output")]
    pub write: Option<PathBuf>,
    /// Keep notices off standard error
    #[arg(long, help_heading = "Output")]
    pub quiet: bool,
    /// When to use colours
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    pub color: ColorChoice,
}

/// Which client is checked, and how it is run.
#[derive(Clone, Debug, Args)]
pub struct SubjectArgs {
    /// The server's address and its subnet [default: the interface's own]
    #[arg(long, value_name = "IP/BITS", value_parser = parse_network, help_heading = "Client", requires = "client")]
    pub address: Option<Network>,
    /// Starts the client, by `sh -c` and for as long as a check needs it; without it, the client that comes is
    /// checked as far as one start goes
    #[arg(long, value_name = "CMD", help_heading = "Client", requires = "client")]
    pub start: Option<String>,
    /// Starts it again with the lease it remembers [default: as --start]
    #[arg(long, value_name = "CMD", help_heading = "Client", requires = "start")]
    pub restart: Option<String>,
    /// Has it give its lease back: a command, or a signal for it such as USR2
    #[arg(
        long,
        value_name = "CMD|SIGNAL",
        help_heading = "Client",
        requires = "start"
    )]
    pub release: Option<String>,
    /// Starts it so that it sends INFORM
    #[arg(long, value_name = "CMD", help_heading = "Client", requires = "start")]
    pub inform: Option<String>,
    /// Which client, where there are several [default: the first that asks]
    #[arg(long, value_name = "MAC", value_parser = parse_mac, help_heading = "Client", requires = "client")]
    pub mac: Option<MacAddr>,
}

impl SubjectArgs {
    /// The command lines that run it.
    pub fn lines(&self) -> Lines {
        Lines {
            start: self.start.clone(),
            restart: self.restart.clone(),
            release: self.release.clone(),
            inform: self.inform.clone(),
        }
    }
}

impl ConformArgs {
    /// Longest wait for what is checked to show itself.
    pub fn patience(&self) -> Duration {
        let usual = if self.client { 30 } else { 4 };
        self.timeout.unwrap_or(Duration::from_secs(usual))
    }

    /// Runs the suite.
    pub fn run(&self, session: &mut Session, sink: &mut dyn Sink) -> Result<Report, Error> {
        match session.conform() {
            Some(run) => run(self, session.interruption(), sink),
            None => Err(Error::Usage(
                "conform needs the language, and this session has none".into(),
            )),
        }
    }
}

/// How binding a requirement is (RFC 2119).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// MUST or MUST NOT.
    Must,
    /// SHOULD or SHOULD NOT.
    Should,
    /// MAY, and what is only worth knowing.
    May,
}

impl Level {
    /// The level of that name.
    pub fn by_name(name: &str) -> Option<Level> {
        [Level::Must, Level::Should, Level::May]
            .into_iter()
            .find(|it| it.name() == name)
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Level::Must => "MUST",
            Level::Should => "SHOULD",
            Level::May => "MAY",
        }
    }
}

/// A check, as it is declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its id: `S-OFR-05`.
    pub id: String,
    /// Where the requirement stands: `2131 4.3.1`, or `robustness`.
    pub rfc: String,
    /// How binding it is.
    pub level: Level,
    /// The requirement, a sentence.
    pub requires: String,
    /// What the server or client has to offer for it: names that [`NEEDS`] explains.
    pub needs: Vec<String>,
    /// How it is checked: the source of its function.
    pub source: String,
}

impl Check {
    /// The section as people write it: `RFC 2131 4.3.1`.
    pub fn section(&self) -> String {
        match self.rfc.starts_with(|c: char| c.is_ascii_digit()) {
            true => format!("RFC {}", self.rfc),
            false => self.rfc.clone(),
        }
    }

    /// Whether a word of `--only` means it.
    pub fn is_meant(&self, word: &str) -> bool {
        let word = word.to_lowercase();
        let begins = |text: &str, part: &str| {
            text.strip_prefix(part)
                .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
        };
        let section = self.rfc.to_lowercase().replace(' ', "-");
        let asked = word.replace(' ', "-");
        let asked = asked.trim_start_matches("rfc").trim_start_matches('-');
        begins(&self.id.to_lowercase(), word.trim_end_matches('-')) || begins(&section, asked)
    }
}

/// What checks need of a server or client, and why they are skipped without it.
pub const NEEDS: &[(&str, &str)] = &[
    ("offer", "the server sends no usable OFFER"),
    ("lease", "the server gives no lease"),
    ("hint", "the server does not offer the address asked for"),
    ("nak", "no NAK could be provoked"),
    ("renew", "the server does not renew a lease"),
    ("inform", "the server does not answer INFORM"),
    ("relay", "needs --relay GIADDR"),
    ("relayed", "the server does not answer the relay agent"),
    ("rapid", "the server knows no rapid commit"),
    ("bootp", "the server does not serve BOOTP clients"),
    ("identifier", "the server tells clients apart by MAC alone"),
    ("echo82", "the server does not return option 82"),
    (
        "leasequery",
        "the server does not answer LEASEQUERY (RFC 4388)",
    ),
    ("fqdn", "the server does not answer option 81"),
    ("start", "needs --start CMD: the client has to begin anew"),
    ("release-how", "needs --release CMD|SIGNAL"),
    ("inform-how", "needs --inform CMD"),
    ("bound", "the client takes no lease"),
    ("probe", "the client does not ask with ARP for its address"),
    (
        "rapid-client",
        "the client does not ask for rapid commit (option 80)",
    ),
    ("client-id", "the client sends no identifier (option 61)"),
    (
        "routes",
        "the client does not ask for classless routes (option 121)",
    ),
    ("v6only", "the client does not ask for option 108"),
    (
        "nonce",
        "the client does not offer to authenticate FORCERENEW (option 145)",
    ),
];

/// What became of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The requirement is met.
    Pass,
    /// It is not met; the text says what was seen.
    Broken(String),
    /// It could not be checked; the text says why.
    Skip(String),
    /// The user stopped the run while it was checked.
    Interrupted,
}

/// A check with what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The check.
    pub check: Check,
    /// What became of it.
    pub verdict: Verdict,
    /// What else was seen.
    pub remarks: Vec<String>,
    /// Numbers of the frames that the verdict rests on, in the run's capture.
    pub frames: Vec<u64>,
    /// How long it took on the link's clock.
    pub took: Duration,
}

impl Finding {
    /// `pass`, `fail` (a MUST is broken), `warn` (a SHOULD), `note` (a MAY), or `skip`.
    pub fn word(&self) -> &'static str {
        match (&self.verdict, self.check.level) {
            (Verdict::Pass, _) => "pass",
            (Verdict::Skip(_) | Verdict::Interrupted, _) => "skip",
            (Verdict::Broken(_), Level::Must) => "fail",
            (Verdict::Broken(_), Level::Should) => "warn",
            (Verdict::Broken(_), Level::May) => "note",
        }
    }

    /// What was seen, or why it was skipped.
    pub fn detail(&self) -> String {
        let mut parts = match &self.verdict {
            Verdict::Pass => Vec::new(),
            Verdict::Interrupted => vec!["interrupted".to_string()],
            Verdict::Broken(text) | Verdict::Skip(text) => vec![text.clone()],
        };
        parts.extend(self.remarks.iter().cloned());
        parts.join("; ")
    }
}

/// The words of [`Finding::word`], in the order of tables.
pub const WORDS: [&str; 5] = ["pass", "fail", "warn", "note", "skip"];

/// What a run found.
#[derive(Clone, Debug, PartialEq)]
pub enum Report {
    /// The checks there are, or one of them in full.
    Checks {
        /// The checks.
        checks: Vec<Check>,
        /// Whether each is to be explained.
        explain: bool,
        /// Whether they are about a client.
        client: bool,
    },
    /// What became of each check.
    Findings(Findings),
}

/// The findings of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings {
    /// The link.
    pub link: String,
    /// Whether it is a client that was checked.
    pub client: bool,
    /// The server that was asked for (`--server`).
    pub server: Option<Ipv4Addr>,
    /// What was found out about it first: name and value.
    pub facts: Vec<(String, String)>,
    /// Whether anything answered, or asked, at all.
    pub answered: bool,
    /// Whether what answered gave no OFFER that a client could use, so that most could not be checked.
    pub unusable: bool,
    /// Where nothing did: why, the likeliest cause first.
    pub causes: Vec<Cause>,
    /// Each check with its verdict.
    pub findings: Vec<Finding>,
    /// Addresses that were declined on purpose and stay out of use for a while.
    pub declined: Vec<Ipv4Addr>,
    /// Addresses that the server gave and did not get back, or was not seen to take back.
    pub kept: Vec<Ipv4Addr>,
    /// Checks that were not begun any more.
    pub left: usize,
    /// Addresses that answered the server's probe although nobody holds them: it may keep them aside too.
    pub in_use: Vec<Ipv4Addr>,
    /// Frames sent and received.
    pub frames: u64,
    /// The capture, where one was asked for.
    pub capture: Option<PathBuf>,
    /// Whether a broken SHOULD counts.
    pub strict: bool,
    /// Whether the user stopped it.
    pub interrupted: bool,
}

impl Findings {
    /// What to say where nothing answered, or asked: `no server answers`.
    pub fn nobody(&self) -> String {
        match (self.server, self.interrupted) {
            _ if self.client && self.interrupted => "interrupted before a client asked".into(),
            _ if self.client => "no client asks".into(),
            (_, true) => "interrupted before a server answered".into(),
            (Some(ip), false) => format!("server {ip} does not answer"),
            (None, false) => "no server answers".into(),
        }
    }

    /// How many findings have this word.
    pub fn count(&self, word: &str) -> usize {
        self.findings.iter().filter(|it| it.word() == word).count()
    }
}

impl Report {
    /// The exit code that says it.
    pub fn exit_code(&self) -> u8 {
        match self {
            Report::Checks { .. } => 0,
            Report::Findings(it) if it.interrupted => 130,
            Report::Findings(it) if !it.answered => 3,
            Report::Findings(it) if it.count("fail") > 0 => 1,
            Report::Findings(it) if it.strict && it.count("warn") > 0 => 1,
            Report::Findings(it) if it.unusable => 3,
            Report::Findings(_) => 0,
        }
    }
}
