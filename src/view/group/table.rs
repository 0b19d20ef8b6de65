//! The clients that were seen, a row each, and how many they were.

use std::io::{self, Write};
use std::time::Duration;

use super::{colour, notes};
use crate::talk::observer::{Exchange, Observation, Observed, State};
use crate::view::Style;
use crate::view::json::date;
use crate::view::lookup::wrap;
use crate::view::style::{columns, cut};
use crate::view::summary::{duration, seconds, vlans};

/// Where a client is, where that is no plain link: `vlan 20`, `via 10.0.0.1`.
fn place(it: &Observed) -> String {
    let mut parts = Vec::new();
    if !it.place.vlans.is_empty() {
        parts.push(vlans(&it.place.vlans));
    }
    parts.extend(it.place.relay.map(|ip| format!("via {ip}")));
    parts.join(" ")
}

/// `#1 #4`, `#1 … #9`.
fn numbers(it: &Observed) -> String {
    let all: Vec<String> = it
        .exchanges
        .iter()
        .map(|it| format!("#{}", it.number))
        .collect();
    match (it.total, all.as_slice()) {
        (0..=2, all) => all.join(" "),
        (total, [.., last]) => format!("{total}, last {last}"),
        _ => String::new(),
    }
}

fn times(it: &Observed) -> String {
    let time = |it: Option<u32>| it.map_or("-".into(), seconds);
    match it.lease {
        Some(lease) if lease.t1.or(lease.t2).is_some() => {
            format!("{} / {}", time(lease.t1), time(lease.t2))
        }
        _ => "-".into(),
    }
}

fn ends(it: &Observed) -> String {
    match it.lease.map(|it| (it.ends(), it.seconds)) {
        Some((Some(at), _)) => date(at, ' '),
        Some((None, Some(_))) => "never".into(),
        _ => "-".into(),
    }
}

/// A column: its head, and what it says of a client.
type Column = (&'static str, fn(&Observed) -> String);

/// The columns of the table.
const COLUMNS: [Column; 10] = [
    ("client", |it| it.hardware.to_string()),
    ("where", place),
    ("state", |it| it.state.name().into()),
    ("address", |it| {
        it.address.map_or("-".into(), |it| it.to_string())
    }),
    ("server", |it| {
        it.server.map_or("-".into(), |it| it.to_string())
    }),
    ("lease", |it| {
        let length = it.lease.and_then(|it| it.seconds);
        length.map_or("-".into(), seconds)
    }),
    ("T1 / T2", times),
    ("ends (UTC)", ends),
    ("exchanges", numbers),
    ("frames", |it| it.frames.to_string()),
];

/// Columns that give way where there is no room, the first one first.
const YIELDING: [&str; 6] = [
    "T1 / T2",
    "ends (UTC)",
    "exchanges",
    "frames",
    "lease",
    "where",
];

/// Columns that are left out where no client has anything in them.
const OPTIONAL: [&str; 4] = ["where", "lease", "T1 / T2", "ends (UTC)"];

/// Longest text of a column: a client identifier may be long.
const CELL: usize = 40;

/// Prints a row for each client with what is notable below it, and a summary.
pub(in crate::view) fn table(
    out: &mut dyn Write,
    seen: &Observation,
    style: &Style,
) -> io::Result<()> {
    if seen.clients.is_empty() {
        return Ok(());
    }
    let cell = |column: &Column, it: &Observed| cut(&column.1(it), CELL).into_owned();
    let mut shown: Vec<(&Column, usize)> = Vec::with_capacity(COLUMNS.len());
    for column in &COLUMNS {
        let cells: Vec<String> = seen.clients.iter().map(|it| cell(column, it)).collect();
        let width = cells.iter().map(|it| columns(it)).max().unwrap_or(0);
        let empty = cells.iter().all(|it| it.is_empty() || it == "-");
        if !empty || !OPTIONAL.contains(&column.0) {
            shown.push((column, width.max(column.0.len())));
        }
    }
    for name in YIELDING {
        let taken: usize = shown.iter().map(|it| it.1 + 2).sum();
        if taken > style.width + 2 {
            shown.retain(|it| it.0.0 != name);
        }
    }
    let placed = shown.iter().any(|it| it.0.0 == "where");
    let row = |texts: &mut dyn Iterator<Item = (String, usize)>| {
        let mut line = String::new();
        for (text, width) in texts {
            let missing = (width + 2).saturating_sub(columns(&text));
            line += &text;
            line.extend(std::iter::repeat_n(' ', missing));
        }
        line.trim_end().to_string()
    };
    writeln!(out)?;
    let head = row(&mut shown.iter().map(|it| (it.0.0.to_string(), it.1)));
    writeln!(out, "{}", style.bold(&cut(&head, style.width)))?;
    for it in &seen.clients {
        let line = row(&mut shown
            .iter()
            .map(|(column, width)| (cell(column, it), *width)));
        let line = cut(&line, style.width).into_owned();
        let name = it.state.name();
        match line.split_once(name).filter(|_| style.color) {
            Some((before, after)) => {
                writeln!(out, "{before}{}{after}", colour(style, it.state, name))?;
            }
            None => writeln!(out, "{line}")?,
        }
        let mut told = notes(it);
        if !placed && !place(it).is_empty() {
            told.insert(0, place(it));
        }
        if !told.is_empty() {
            writeln!(out, "{}", wrap(&told.join("; "), 4, style))?;
        }
    }
    writeln!(out)?;
    writeln!(out, "{}", style.bold(&wrap(&tally(seen), 0, style)))?;
    let waits = waits(seen);
    waits
        .iter()
        .try_for_each(|it| writeln!(out, "{}", wrap(it, 0, style)))
}

/// How long a client of an exchange waited for an answer.
type Wait = fn(&Exchange) -> Option<Duration>;

/// `1 client`, `2 clients`.
fn counted(count: u64, one: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        count => format!("{count} {one}s"),
    }
}

/// `20 clients: 19 BOUND, 1 SELECTING; 21 exchanges, 83 frames`.
fn tally(seen: &Observation) -> String {
    let states = State::ALL.into_iter().filter_map(|state| {
        let all = seen.clients.iter().filter(|it| it.state == state).count();
        (all > 0).then(|| format!("{all} {state}"))
    });
    let states: Vec<String> = states.collect();
    let mut text = format!(
        "{}: {}; {}, {}",
        counted(seen.clients.len() as u64, "client"),
        states.join(", "),
        counted(seen.exchanges, "exchange"),
        counted(seen.frames, "frame"),
    );
    if seen.others > 0 {
        text += &format!(" and {} of no exchange", seen.others);
    }
    if seen.let_go > 0 {
        text += &format!("; {} more not told of", counted(seen.let_go, "client"));
    }
    text
}

/// How long clients waited for answers: a line, or one for each kind of answer where there were several. `OFFER after
/// 0.4 ms / 0.9 ms / 2.1 ms (fastest / median / slowest)`.
fn waits(seen: &Observation) -> Vec<String> {
    let kinds: [(&str, Wait); 2] = [("OFFER", |it| it.offer_after), ("ACK", |it| it.ack_after)];
    let mut lines = Vec::new();
    let mut alone = Vec::new();
    for (name, wait) in kinds {
        let all = seen.clients.iter().flat_map(|it| &it.exchanges);
        let mut all: Vec<Duration> = all.filter_map(wait).collect();
        all.sort_unstable();
        match all.as_slice() {
            [] => {}
            [only] => alone.push(format!("{name} after {}", duration(*only))),
            [first, .., last] => {
                let middle = all.get(all.len() / 2).unwrap_or(last);
                let all = [first, middle, last].map(|it| duration(*it)).join(" / ");
                lines.push(format!("{name} after {all} (fastest / median / slowest)"));
            }
        }
    }
    if !alone.is_empty() {
        lines.insert(0, alone.join(", "));
    }
    lines
}
