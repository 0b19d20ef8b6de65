//! Many clients: a row for each, and what became of them all.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::Style;
use super::diagnosis::{cause_json, causes};
use super::lookup;
use super::replies::plural;
use super::summary::{duration, seconds};
use crate::commands::diagnosis::{Cause, CommonCause};
use crate::commands::outcome::{ClientResult, Clients};

/// A client's fate as JSON: `client state address server lease took sent`.
pub fn json(it: &ClientResult) -> Json {
    json!({
        "client": it.mac.to_string(),
        "state": it.state,
        "address": it.address.map(|ip| ip.to_string()),
        "server": it.server.map(|ip| ip.to_string()),
        "lease": it.lease,
        "took": it.took.map(|it| it.as_secs_f64()),
        "sent": it.sent,
    })
}

/// How many clients failed and for what, as JSON: `clients failed code causes`, each cause with the number of
/// `clients` and the `first` of them. Nothing where all have a lease.
pub fn failure_json(all: &Clients) -> Option<Json> {
    let cause = |it: &CommonCause| {
        let mut object = cause_json(&it.cause);
        object["clients"] = it.clients.into();
        object["first"] = it.first.to_string().into();
        object
    };
    (all.failed() > 0).then(|| {
        json!({
            "clients": all.results.len(),
            "failed": all.failed(),
            "code": all.exit_code(),
            "causes": all.common.causes.iter().map(cause).collect::<Vec<_>>(),
        })
    })
}

/// Tells what clients failed for, below their number. `capture` is the file in which the frames are.
pub fn failure(
    out: &mut dyn Write,
    all: &Clients,
    capture: Option<&Path>,
    style: &Style,
) -> io::Result<()> {
    let (failed, of) = (all.failed(), all.results.len());
    if failed == 0 {
        return Ok(());
    }
    let have = if failed == 1 { "has" } else { "have" };
    writeln!(out, "{failed} of {of} clients {have} no lease")?;
    let told = all.common.causes.iter().map(|it| {
        let who = match (it.clients, it.alike) {
            (1, _) => format!("client {}", it.first),
            (count, true) => format!("{count} clients"),
            (count, false) => format!("{count} clients, such as {}", it.first),
        };
        Cause {
            text: format!("{who}: {}", it.cause.text),
            ..it.cause.clone()
        }
    });
    causes(out, &told.collect::<Vec<_>>(), capture, style)?;
    match all.common.beyond {
        0 => Ok(()),
        beyond => writeln!(
            out,
            "  ({beyond} more failed; they were too many to keep the frames of each)"
        ),
    }
}

/// Prints a row for each client, and a summary.
pub fn table(out: &mut dyn Write, all: &[ClientResult], style: &Style) -> io::Result<()> {
    let header = [
        "#", "client", "state", "address", "server", "lease", "took", "sent",
    ];
    let mut table = lookup::table(style, &header);
    for (index, it) in all.iter().enumerate() {
        let ip = |ip: Option<std::net::Ipv4Addr>| ip.map_or("-".into(), |it| it.to_string());
        table.add_row([
            (index + 1).to_string(),
            it.mac.to_string(),
            it.state.into(),
            ip(it.address),
            ip(it.server),
            it.lease.map_or("-".into(), seconds),
            it.took.map_or("-".into(), duration),
            it.sent.to_string(),
        ]);
    }
    lookup::print(out, &table)?;
    writeln!(out)?;
    let line = lookup::wrap(&summary(all), 0, style);
    writeln!(out, "{}", style.bold(&line))
}

/// `50 clients: 48 bound, 2 no offer; 0.8 / 1.2 / 9.0 ms (fastest / median / slowest)`.
fn summary(all: &[ClientResult]) -> String {
    let mut states: Vec<(&str, usize)> = Vec::new();
    for it in all {
        match states.iter_mut().find(|row| row.0 == it.state) {
            Some(row) => row.1 += 1,
            None => states.push((it.state, 1)),
        }
    }
    let states: Vec<String> = states
        .iter()
        .map(|it| format!("{} {}", it.1, it.0))
        .collect();
    let mut line = format!("{}: {}", plural(all.len(), "client"), states.join(", "));
    let mut times: Vec<Duration> = all.iter().filter_map(|it| it.took).collect();
    times.sort_unstable();
    let again = all.iter().filter(|it| it.repeated > 0).count();
    if let (Some(first), Some(median), Some(last)) =
        (times.first(), times.get(times.len() / 2), times.last())
    {
        let times = [first, median, last].map(|it| duration(*it));
        line += &format!("; {} (fastest / median / slowest)", times.join(" / "));
    }
    if again > 0 {
        line += &format!("; {again} had to repeat a message");
    }
    line
}
