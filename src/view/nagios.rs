//! A run as one line for a monitoring system, by the Monitoring Plugins development guidelines: the state, a
//! few words, performance data behind a bar, and what else there is to say in further lines.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::time::Duration;

use super::replies::plural;
use super::summary::{duration, seconds, summary};
use crate::commands::Outcome;
use crate::commands::census::Census;
use crate::commands::lint::Linted;
use crate::commands::nagios::{NagiosArgs, Range};
use crate::commands::outcome::{Direction, Ending, Entry, Sink, Verdict};
use crate::commands::servers::Found;
use crate::dhcp::Message;
use crate::dhcp::enums::{ACK, NAK, OFFER};
use crate::link::Time;

/// The state of what was checked, the better first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// As it should be.
    Ok,
    /// An answer took longer than is good.
    Warning,
    /// The check could not be made.
    Unknown,
    /// No answer, or a bad one.
    Critical,
}

impl Status {
    /// The exit code of a plugin that says it.
    pub fn exit_code(self) -> u8 {
        match self {
            Status::Ok => 0,
            Status::Warning => 1,
            Status::Critical => 2,
            Status::Unknown => 3,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Status::Ok => "OK",
            Status::Warning => "WARNING",
            Status::Critical => "CRITICAL",
            Status::Unknown => "UNKNOWN",
        }
    }
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The state.
    pub status: Status,
    said: String,
    /// Performance data, each as `label=value[UOM];warn;crit;min;max`.
    measured: Vec<String>,
    /// Whether an answer was timed.
    answered: bool,
    details: Vec<String>,
}

/// Lines behind the first one at most; a monitoring system reads some kilobytes.
const DETAILS: usize = 32;

impl Report {
    /// A check that could not be made, and why: the first line in few words, others behind it.
    pub fn unknown(text: &str) -> Report {
        let mut report = Report::empty();
        report.tell(Status::Unknown, text);
        report
    }

    fn empty() -> Report {
        Report {
            status: Status::Ok,
            said: String::new(),
            measured: Vec::new(),
            answered: false,
            details: Vec::new(),
        }
    }

    /// Says this first, in this state where it is the worse one; what was said before stands behind it.
    pub fn tell(&mut self, status: Status, text: &str) {
        let lines = text.lines().map(|it| it.trim_end().to_string());
        let mut lines = lines.filter(|it| !it.is_empty());
        let first = lines.next().unwrap_or_default();
        self.said = match self.said.is_empty() {
            true => first,
            false => format!("{first}; {}", self.said),
        };
        self.details.splice(0..0, lines);
        self.status = self.status.max(status);
    }

    /// Says this last.
    fn end(&mut self, status: Status, text: &str) {
        if !self.said.is_empty() {
            self.said.push_str("; ");
        }
        self.said.push_str(text);
        self.status = self.status.max(status);
    }

    /// Takes silence and refusals for what was wanted; only slow answers stay a fault.
    pub fn as_expected(&mut self) {
        if self.status == Status::Critical && !self.answered {
            self.status = Status::Ok;
            self.said.push_str(", as expected");
        }
    }

    /// Writes it.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        write!(out, "DHCP {}: {}", self.status.word(), safe(&self.said))?;
        if !self.measured.is_empty() {
            write!(out, " | {}", self.measured.join(" "))?;
        }
        writeln!(out)?;
        for line in self.details.iter().take(DETAILS) {
            writeln!(out, "{}", safe(line))?;
        }
        match self.details.len().saturating_sub(DETAILS) {
            0 => Ok(()),
            more => writeln!(out, "... and {}", plural(more, "more line")),
        }
    }
}

/// Text that ends neither the line nor, with a bar, the text itself.
fn safe(text: &str) -> String {
    // Much of it is escaped already, so a backslash stays one.
    let text = super::escape(text).replace("\\\\", "\\");
    text.replace('|', "\\x7c")
}

/// The last message of ours that waits for answers.
struct Question {
    kind: Option<u8>,
    xid: u32,
    /// When it was first sent: a repetition starts no new time.
    at: Time,
}

/// Watches a run for what a monitoring system wants to know.
pub struct Check<'a> {
    args: &'a NagiosArgs,
    quiet: bool,
    question: Option<Question>,
    /// Times from a question to its answer.
    offer: Option<Duration>,
    ack: Option<Duration>,
    /// The answer that counts.
    reply: Option<Entry>,
    refusal: Option<String>,
    servers: BTreeSet<Ipv4Addr>,
    /// Whether it is the lab that answers: a check that names no interface must not look like a good one.
    lab: bool,
    notices: Vec<String>,
    found: Vec<String>,
}

impl<'a> Check<'a> {
    /// A check with these thresholds; `quiet` leaves out what is only good to know.
    pub fn new(args: &'a NagiosArgs, quiet: bool) -> Self {
        Check {
            args,
            quiet,
            question: None,
            offer: None,
            ack: None,
            reply: None,
            refusal: None,
            servers: BTreeSet::new(),
            lab: false,
            notices: Vec::new(),
            found: Vec::new(),
        }
    }

    /// What came of it.
    pub fn report(self, outcome: &Outcome) -> Report {
        let mut report = match outcome {
            Outcome::Ran(ending) => self.exchange(ending),
            Outcome::Servers(found) => self.survey(found),
            _ => Report::unknown("nothing here is a check"),
        };
        if self.lab {
            report.said.push_str(" (in the lab, no real link)");
        }
        report.details.extend(self.found);
        if !self.quiet {
            report.details.extend(self.notices);
        }
        report
    }

    fn exchange(&self, ending: &Ending) -> Report {
        let mut report = Report::empty();
        let (status, said) = match (ending, &self.reply) {
            (Ending::Done | Ending::Bound, Some(reply)) => {
                let message = Message::of(&reply.frame);
                let lease = message.and_then(|it| it.lease_time());
                self.measure(&mut report, "offer", "OFFER", self.offer);
                self.measure(&mut report, "ack", "ACK", self.ack);
                if let Some(lease) = lease.filter(|it| *it != u32::MAX) {
                    report.measured.push(format!("lease={lease}s;;;0"));
                }
                report
                    .measured
                    .push(format!("servers={};;;0", self.servers.len()));
                (Status::Ok, self.answered(reply))
            }
            (Ending::Done | Ending::Bound, None) => (
                Status::Unknown,
                "no answer was waited for: give --timeout some time".into(),
            ),
            (Ending::Refused(_), _) => {
                let said = self.refusal.as_deref().unwrap_or("NAK");
                (Status::Critical, format!("refused: {said}"))
            }
            (Ending::Declined { by, .. }, _) => (
                Status::Critical,
                format!("the offered address is in use: {by}"),
            ),
            (Ending::NoReply(silence), _) => {
                report
                    .details
                    .extend(silence.causes.iter().map(|it| it.text.clone()));
                let waited = duration(silence.waited);
                let sent = plural(silence.tries as usize, "message");
                (
                    Status::Critical,
                    format!("no reply: {sent} sent, waited {waited}"),
                )
            }
            (Ending::Interrupted | Ending::Stopped, _) => (Status::Unknown, "interrupted".into()),
        };
        report.end(status, &said);
        report
    }

    /// `10.0.0.57 from 10.0.0.1 in 2.1 ms, lease 12h`.
    fn answered(&self, reply: &Entry) -> String {
        let message = Message::of(&reply.frame);
        let address = message.map(|it| it.bootp.yiaddr);
        let what = match address.filter(|ip| !ip.is_unspecified()) {
            Some(ip) => ip.to_string(),
            None => "options".into(),
        };
        let mut said = what;
        if let Some(server) = server_of(reply) {
            said += &format!(" from {server}");
        }
        let took = self.offer.unwrap_or_default() + self.ack.unwrap_or_default();
        said += &format!(" in {}", duration(took));
        if let Some(lease) = message.and_then(|it| it.lease_time()) {
            said += &format!(", lease {}", seconds(lease));
        }
        if self.servers.len() > 1 {
            said += &format!(", {} servers answer", self.servers.len());
        }
        said
    }

    fn survey(&self, found: &Found) -> Report {
        if found.interrupted {
            return Report::unknown("interrupted");
        }
        let mut report = Report::empty();
        let census = &found.census;
        let slowest = census.rows.iter().filter_map(|it| it.latency());
        let slowest = slowest.map(|it| it.1).max();
        self.measure(&mut report, "reply", "an answer", slowest);
        let mut count = |label: &str, number: usize| {
            report.measured.push(format!("{label}={number};;;0"));
        };
        count("servers", census.rows.len());
        if census.judged {
            count("strangers", census.strangers().count());
            count("missing", census.missing.len());
        }
        let silent = census.missing.iter();
        let silent = silent.map(|it| format!("{it} is allowed and did not answer"));
        report.details.extend(silent);
        let (status, said) = match census.exit_code() {
            0 => (Status::Ok, named(census, slowest)),
            3 => {
                let waited = duration(census.waited);
                let said = format!("no server answers, waited {waited}");
                (Status::Critical, said)
            }
            _ => (Status::Critical, intruders(census)),
        };
        report.end(status, &said);
        report
    }

    /// Adds a time to the performance data, and judges it.
    fn measure(&self, report: &mut Report, label: &str, what: &str, time: Option<Duration>) {
        let Some(time) = time else { return };
        report.answered = true;
        let text = |it: &Option<Range>| it.as_ref().map(Range::to_string).unwrap_or_default();
        let (warning, critical) = (text(&self.args.warning), text(&self.args.critical));
        let value = time.as_secs_f64();
        report
            .measured
            .push(format!("{label}={value:.6}s;{warning};{critical};0"));
        let alerts = |it: &Option<Range>| it.as_ref().is_some_and(|it| it.alerts(time));
        let (status, flag, range) = match () {
            _ if alerts(&self.args.critical) => (Status::Critical, "--critical", critical),
            _ if alerts(&self.args.warning) => (Status::Warning, "--warning", warning),
            _ => return,
        };
        let said = format!("{what} after {} ({flag} {range})", duration(time));
        report.tell(status, &said);
    }
}

/// `2 servers: 10.0.0.1, 10.0.0.2 in 0.8 ms`.
fn named(census: &Census, slowest: Option<Duration>) -> String {
    /// More names than this make no line.
    const SHOWN: usize = 8;
    let names: Vec<_> = census.rows.iter().take(SHOWN).map(|it| it.name()).collect();
    let more = census.rows.len().saturating_sub(SHOWN);
    let mut said = format!(
        "{}: {}",
        plural(census.rows.len(), "server"),
        names.join(", ")
    );
    if more > 0 {
        said += &format!(" and {more} more");
    }
    if let Some(time) = slowest {
        said += &format!(" in {}", duration(time));
    }
    said
}

/// Who answers and may not.
fn intruders(census: &Census) -> String {
    let strangers = census.strangers().take(8).map(|it| {
        let mac = it.mac.map_or(String::new(), |it| format!(" ({it})"));
        format!("{}{mac} is not allowed to answer here", it.name())
    });
    let twins = census.twins.iter().take(8);
    let twins = twins.map(|it| format!("server-id {it} comes from several MAC addresses"));
    strangers.chain(twins).collect::<Vec<_>>().join("; ")
}

/// The server that an answer names, or else the address it comes from.
fn server_of(entry: &Entry) -> Option<Ipv4Addr> {
    let named = Message::of(&entry.frame).and_then(|it| it.server_id());
    named.or_else(|| entry.frame.ipv4().map(|it| it.src))
}

/// Servers counted at most, however many a flood pretends.
const SERVERS: usize = 4096;

impl Sink for Check<'_> {
    fn entry(&mut self, entry: &Entry) -> io::Result<()> {
        let Some(message) = Message::of(&entry.frame) else {
            return Ok(());
        };
        let (kind, xid) = (message.message_type(), message.bootp.xid);
        match entry.direction {
            Direction::Sent => {
                let again = self.question.as_ref();
                if again.is_none_or(|it| (it.kind, it.xid) != (kind, xid)) {
                    let other = again.is_none_or(|it| it.xid != xid);
                    if other {
                        (self.offer, self.ack) = (None, None);
                    }
                    self.reply = None;
                    self.question = Some(Question {
                        kind,
                        xid,
                        at: entry.at,
                    });
                }
            }
            Direction::Received if entry.verdict == Verdict::Part && message.bootp.op == 2 => {
                let Some(question) = &self.question else {
                    return Ok(());
                };
                let time = Some(entry.at - question.at);
                match kind {
                    Some(NAK) => {
                        self.refusal = Some(summary(entry).replace("  ", " "));
                        return Ok(());
                    }
                    Some(OFFER) => self.offer = self.offer.or(time),
                    Some(ACK) => self.ack = self.ack.or(time),
                    _ => {}
                }
                if self.servers.len() < SERVERS {
                    self.servers.extend(server_of(entry));
                }
                if self.reply.is_none() || kind == Some(ACK) {
                    self.reply = Some(entry.clone());
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn notice(&mut self, text: &str) {
        if text.starts_with("lab") {
            self.lab = true;
        } else if self.notices.len() < DETAILS {
            self.notices.push(text.to_string());
        }
    }

    fn findings(&mut self, linted: &Linted) -> io::Result<()> {
        for it in linted.findings {
            if self.found.len() <= DETAILS {
                self.found.push(it.to_string());
            }
        }
        Ok(())
    }
}
