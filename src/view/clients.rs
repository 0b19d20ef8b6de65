//! Many clients: a row for each, and what became of them all.

use std::io::{self, Write};
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::Style;
use super::lookup;
use super::summary::{duration, seconds};
use crate::commands::outcome::ClientResult;

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
    let line = summary(all);
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
    let mut line = format!("{} clients: {}", all.len(), states.join(", "));
    let mut times: Vec<Duration> = all.iter().filter_map(|it| it.took).collect();
    times.sort_unstable();
    let again = all.iter().filter(|it| it.sent > 2).count();
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
