//! `--nagios`: one run as a check of a monitoring system, by the Monitoring Plugins development guidelines.

use std::fmt;
use std::time::Duration;

use clap::Args;

use super::args::{Format, parse_duration};
use super::{Command, Error};
use crate::dhcp::enums::{DISCOVER, INFORM, REQUEST};

/// How a run is told to a monitoring system.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Monitoring")]
pub struct NagiosArgs {
    /// One line with performance data for Nagios and its kin, and their exit codes instead of the usual ones: 0 OK, 1 WARNING, 2 CRITICAL (no reply, NAK, a failed expectation), 3 UNKNOWN (usage, link, file)
    #[arg(long, conflicts_with = "json")]
    pub nagios: bool,
    /// WARNING where an answer takes longer than this, or a time outside the range: 500ms, 0.5, 10ms:2s, @1s:2s (inside)
    #[arg(long, value_name = "TIME|RANGE", value_parser = Range::parse, requires = "nagios")]
    pub warning: Option<Range>,
    /// CRITICAL where an answer takes longer than this, or a time outside the range
    #[arg(long, value_name = "TIME|RANGE", value_parser = Range::parse, requires = "nagios")]
    pub critical: Option<Range>,
}

/// A range of times, and on which side of it an alert is raised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// The shortest time in it; `None` for no limit.
    start: Option<Duration>,
    /// The longest time in it; `None` for no limit.
    end: Option<Duration>,
    /// Whether what lies inside is the fault (`@`).
    inside: bool,
}

impl Range {
    /// Reads `[@][START:][END]`: START is 0 where it is left out and without limit as `~`, END without limit
    /// where it is left out.
    pub fn parse(text: &str) -> Result<Range, String> {
        let (inside, rest) = match text.strip_prefix('@') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (start, end) = match rest.split_once(':') {
            Some(("~", end)) => (None, end),
            Some(("", end)) => (Some(Duration::ZERO), end),
            Some((start, end)) => (Some(parse_duration(start)?), end),
            None => (Some(Duration::ZERO), rest),
        };
        let end = match end {
            "" if rest.contains(':') => None,
            end => Some(parse_duration(end)?),
        };
        match (start, end) {
            (Some(start), Some(end)) if start > end => {
                Err("a range begins with the shorter time, as 10ms:2s does".into())
            }
            _ => Ok(Range { start, end, inside }),
        }
    }

    /// Whether a time is one to alert for. Both ends belong to the range.
    pub fn alerts(&self, time: Duration) -> bool {
        let within = self.start.is_none_or(|it| it <= time) && self.end.is_none_or(|it| time <= it);
        within == self.inside
    }
}

/// As performance data have it, in seconds.
impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.inside {
            f.write_str("@")?;
        }
        match self.start {
            None => f.write_str("~:")?,
            Some(Duration::ZERO) if self.end.is_some() => {}
            Some(start) => write!(f, "{}:", start.as_secs_f64())?,
        }
        self.end
            .map_or(Ok(()), |end| write!(f, "{}", end.as_secs_f64()))
    }
}

impl Command {
    /// The flags of a monitoring system, where the run is for one. A command whose end says nothing of a
    /// server, or that prints something else, is no check.
    pub fn monitoring(&self) -> Result<Option<&NagiosArgs>, Error> {
        let args = match self {
            Command::Servers(args) => Some(&args.nagios),
            Command::Dora(args) => Some(&args.nagios),
            Command::Renew(args) | Command::Rebind(args) | Command::Reboot(args) => {
                Some(&args.nagios)
            }
            Command::Craft(args) => Some(&args.message().nagios),
            _ => self.message().map(|(_, args)| &args.nagios),
        };
        let Some(args) = args.filter(|it| it.nagios) else {
            return Ok(None);
        };
        let silent = match (self, self.message()) {
            (Command::Craft(_), _) => true,
            (_, Some((kind, _))) => ![DISCOVER, REQUEST, INFORM].contains(&kind),
            _ => false,
        };
        if silent {
            return Err(Error::Usage(
                "--nagios checks a server by its answers: discover, request, inform, dora, renew, rebind, reboot or \
                 servers"
                    .into(),
            ));
        }
        let out = self.out();
        let sending = match self {
            Command::Dora(args) => Some(args.sending()),
            Command::Renew(args) | Command::Rebind(args) | Command::Reboot(args) => {
                Some(args.sending())
            }
            _ => self.message().map(|it| it.1.sending()),
        };
        let other = match self {
            _ if out.is_some_and(|it| it.print.is_some()) => "--print",
            _ if out.is_some_and(|it| it.format_or(Format::Table) != Format::Table) => "--format",
            _ if sending.is_some_and(|it| it.dry_run) => "--dry-run",
            _ if sending.is_some_and(|it| it.count > 1) => "--count",
            Command::Dora(args) if args.many() => "--clients",
            Command::Dora(args) if args.holds() => "--hold",
            Command::Servers(args) if args.watches() => "--watch",
            _ => return Ok(Some(args)),
        };
        Err(Error::Usage(format!(
            "--nagios is one exchange told in one line: leave out {other}"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_those_of_the_guidelines() {
        // The table of the guidelines, in seconds: the range, how it is told, what it alerts for.
        for (text, told, alerts, does_not) in [
            ("10", "10", &[10.1, 11.0][..], &[0.0, 10.0][..]),
            ("10:", "10:", &[0.0, 9.9], &[10.0, 1e6]),
            ("~:10", "~:10", &[10.1], &[0.0, 10.0]),
            ("10:20", "10:20", &[9.9, 20.1], &[10.0, 20.0]),
            ("@10:20", "@10:20", &[10.0, 15.0, 20.0], &[9.9, 20.1]),
            ("500ms", "0.5", &[0.6], &[0.5]),
            ("10ms:2s", "0.01:2", &[0.009, 2.1], &[0.01, 2.0]),
            (":1s", "1", &[1.1], &[0.0]),
            ("@1s", "@1", &[0.0, 1.0], &[1.1]),
            ("~:", "~:", &[], &[0.0, 1e6]),
        ] {
            let range = Range::parse(text).expect(text);
            assert_eq!(range.to_string(), told, "{text}");
            let at = |it: &f64| range.alerts(Duration::from_secs_f64(*it));
            assert!(alerts.iter().all(at), "{text}");
            assert!(!does_not.iter().any(at), "{text}");
        }
        for wrong in ["", "@", "2s:1s", "x", "1:2:3", "-1", "~"] {
            assert!(Range::parse(wrong).is_err(), "{wrong}");
        }
    }
}
