//! Flags that several commands share, each defined once.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::dhcp::options;
use crate::link::impair::Impairment;
use crate::wire::{Dot1Q, FieldSpec};

/// How a command prints what it yields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Replies as a table; frames of a capture one per line.
    Table,
    /// Every field with its byte range.
    Tree,
    /// The exchange as arrows between client and server.
    Ladder,
    /// Hexdump, coloured by field.
    Hex,
    /// One JSON object per line and frame.
    Json,
    /// The command line that builds the frame again.
    Command,
    /// The expression of the language that builds the frame again.
    Script,
}

/// When to print colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Which link to use.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Link")]
pub struct LinkArgs {
    /// Interface, capture file, `lab` or `lab:CAST`; the lab is a DHCP server inside this process
    #[arg(short, long, value_name = "IFACE", default_value = "lab")]
    pub interface: String,
    /// Tag sent frames with this VLAN, and take only frames on it; repeat for QinQ, outermost first
    #[arg(long, value_name = "ID[:PCP]", value_parser = parse_vlan)]
    pub vlan: Vec<Dot1Q>,
    /// Leave the interface out of promiscuous mode; replies to a MAC that is not its own may be missed
    #[arg(long)]
    pub no_promisc: bool,
    /// Spoil the link on purpose, both ways: such shares of the frames are lost, come twice, or are overtaken by the next
    #[arg(long, value_name = "loss=N%,duplicate=N%,reorder=N%", value_parser = parse_impairment)]
    pub impair: Option<Impairment>,
}

impl LinkArgs {
    /// The VLANs named, outermost first; id 0 is a priority without one.
    pub fn vlans(&self) -> Vec<u16> {
        let ids = self.vlan.iter().map(|it| it.vlan);
        ids.filter(|id| *id != 0).collect()
    }
}

/// Whether others may be disturbed.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct ForceArgs {
    /// Do this also on the interface that carries this machine's default route, where others would be disturbed
    #[arg(long, help_heading = "Link")]
    force: bool,
}

impl ForceArgs {
    /// Whether it was said.
    pub fn said(self) -> bool {
        self.force
    }
}

/// Reads `loss=30%,duplicate=10%,reorder=10%`, any of them.
fn parse_impairment(text: &str) -> Result<Impairment, String> {
    let mut how = Impairment::default();
    for part in text.split(',') {
        let share = part.split_once('=').and_then(|(name, share)| {
            let percent: f64 = share.strip_suffix('%')?.parse().ok()?;
            (0.0..=100.0)
                .contains(&percent)
                .then_some((name, percent / 100.0))
        });
        match share {
            Some(("loss", share)) => how.loss = share,
            Some(("duplicate", share)) => how.duplicate = share,
            Some(("reorder", share)) => how.reorder = share,
            _ => {
                return Err(format!(
                    "`{part}` is none of loss=N%, duplicate=N%, reorder=N%, N from 0 to 100"
                ));
            }
        }
    }
    Ok(how)
}

/// Reads `ID` or `ID:PCP`.
fn parse_vlan(text: &str) -> Result<Dot1Q, String> {
    let (id, priority) = text.split_once(':').unwrap_or((text, "0"));
    let vlan = id.parse().ok().filter(|id| *id < 4096u16);
    let prio = priority.parse().ok().filter(|it| *it < 8u8);
    match (vlan, prio) {
        (Some(vlan), Some(prio)) => Ok(Dot1Q {
            vlan,
            prio,
            ..Dot1Q::default()
        }),
        _ => Err("a VLAN is ID or ID:PCP, ID 0-4095 and PCP 0-7, such as 100 or 100:5".into()),
    }
}

/// Reads a length of time: `500ms`, `3s`, `1h30m`, `2d`, or seconds with a fraction, `0.5`.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let mut rest = text;
    let mut seconds = 0.0;
    while let Some((part, tail)) = duration_part(rest) {
        seconds += part;
        rest = tail;
    }
    match rest.is_empty() && !text.is_empty() && (0.0..=1e9).contains(&seconds) {
        true => Ok(Duration::from_secs_f64(seconds)),
        false => Err("a time is a number with ms, s, m, h or d, such as 500ms, 3s or 1h30m".into()),
    }
}

/// The seconds of a number with its unit, and what follows.
fn duration_part(text: &str) -> Option<(f64, &str)> {
    let number = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (digits, tail) = text.split_at(number);
    let unit = tail
        .find(|c: char| !c.is_ascii_alphabetic())
        .unwrap_or(tail.len());
    let (unit, tail) = tail.split_at(unit);
    let scale = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        "" if tail.is_empty() => 1.0,
        _ => return None,
    };
    Some((digits.parse::<f64>().ok()? * scale, tail))
}

/// How often to send and how long to wait.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Sending")]
pub struct SendArgs {
    /// Longest wait for answers to a message, repetitions included [default: 5s; dora: 30s]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub timeout: Option<Duration>,
    /// How often an unanswered message is sent; waits between as in RFC 2131 4.1 [default: 1; dora: 4]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub tries: Option<u32>,
    /// Stop at the first answer (the default)
    #[arg(long, conflicts_with = "wait")]
    pub first: bool,
    /// Collect all answers until the timeout
    #[arg(long)]
    pub wait: bool,
    /// How many messages to send, each with its own xid
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub count: u32,
    /// Time between two messages
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = parse_duration)]
    pub interval: Duration,
    /// Build and print, send nothing
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    /// Whether many messages may go where others are
    pub force: ForceArgs,
}

/// What to print, and where to.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Output")]
pub struct OutArgs {
    /// How to print
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// Short for --format json
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
    /// Write every frame sent and received to a capture; pcapng says of each what it was
    #[arg(short, long, value_name = "FILE.pcap|.pcapng")]
    pub write: Option<PathBuf>,
    /// Print one value of the reply and nothing else: a field, or an option's name or number
    #[arg(long, value_name = "OPTION|FIELD", value_parser = parse_print)]
    pub print: Option<String>,
    /// Fail (exit 1) unless this expression holds; repeat for more. `reply`, `replies`, `sent` are in scope, `exchange.ending` says how it ended: 'reply.router == ["10.0.0.1"]'. A run that failed stays failed unless that is what was expected: 'not replies'
    #[arg(long, value_name = "EXPR", help_heading = "Judging")]
    pub expect: Vec<String>,
    /// Judge every frame by the rules of the RFCs too, and fail (exit 1) where one breaks a rule; `lint --rules` lists them
    #[arg(long, help_heading = "Judging")]
    pub lint: bool,
    /// Take only replies, and show only frames, for which this expression over `pkt` holds: 'pkt.server_id == "10.0.0.1"'
    #[arg(long = "where", value_name = "EXPR", help_heading = "Judging")]
    pub condition: Option<String>,
    /// Keep notices off standard error
    #[arg(long)]
    pub quiet: bool,
    /// When to use colours
    #[arg(long, value_enum, default_value_t)]
    pub color: ColorChoice,
}

/// Takes what names an option or a header field, before anything is sent for it.
fn parse_print(text: &str) -> Result<String, String> {
    if FieldSpec::find(text).next().is_some() {
        return Ok(text.to_string());
    }
    match options::by_name(text) {
        Ok(_) => Ok(text.to_string()),
        Err(error) => Err(format!(
            "{error}; --print takes an option or a header field"
        )),
    }
}

impl OutArgs {
    /// The format asked for, or else `default`.
    pub fn format_or(&self, default: Format) -> Format {
        match (self.json, self.format) {
            (true, _) => Format::Json,
            (false, format) => format.unwrap_or(default),
        }
    }
}

/// Whether frames are grouped.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct GroupArgs {
    /// Group frames into exchanges, with each client's state; at the end a row per client
    #[arg(long, help_heading = "Output")]
    pub group: bool,
}

/// The seed of everything left to chance.
#[derive(Clone, Debug, Default, Args)]
pub struct SeedArgs {
    /// Make the run repeatable: xid, random MACs, waits
    #[arg(long, value_name = "N", help_heading = "Sending")]
    pub seed: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::parse_duration;

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, millis) in [
            ("500ms", Some(500)),
            ("3s", Some(3000)),
            ("0.5", Some(500)),
            ("0", Some(0)),
            ("1h30m", Some(5_400_000)),
            ("2d", Some(172_800_000)),
            ("1.5h", Some(5_400_000)),
            ("", None),
            ("h", None),
            ("3x", None),
            ("1h30", Some(3_630_000)),
            ("-1s", None),
            ("1e9", None),
            ("99999999999", None),
        ] {
            let read = parse_duration(text).ok().map(|it| it.as_millis());
            assert_eq!(read, millis, "{text}");
        }
    }
}
