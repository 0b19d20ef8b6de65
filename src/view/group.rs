//! Frames with their exchanges, and the clients that were seen: a row each, and as JSON.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::ops::Range;
use std::time::Duration;

use anstyle::AnsiColor;
use serde_json::{Value as Json, json};

use super::Style;
use super::json::utc;
use super::lookup::wrap;
use super::meaning::colons;
use super::style::columns;
use super::summary::{self, NARROW, duration, facts, seconds, vlans};
use crate::commands::outcome::{Entry, Mark};
use crate::dhcp::Message;
use crate::link::Time;
use crate::talk::observer::{Exchange, Observation, Observed, Passing, State};

/// From how many columns on a grouped line shows the ends of its frame as well.
const WIDE: usize = 156;
/// Columns of an exchange's number, of a MAC address, and of a state.
const NUMBER: usize = 4;
const MAC: usize = 17;
const STATE: usize = 10;

fn colour(style: &Style, state: State, text: &str) -> String {
    let colour = match state {
        State::Bound => AnsiColor::Green,
        State::Init => AnsiColor::Yellow,
        _ => return style.bold(text),
    };
    style.paint(
        anstyle::Style::new().fg_color(Some(colour.into())).bold(),
        text,
    )
}

/// Appends the hardware address that a frame is about, as wide as a MAC address.
fn address(line: &mut String, entry: &Entry) {
    let start = line.len();
    match (entry.frame.bootp(), entry.frame.ether()) {
        (Some(bootp), _) if !bootp.client_hardware().is_empty() => {
            colons(line, bootp.client_hardware());
        }
        (_, Some(ether)) => {
            let _ = write!(line, "{}", ether.src);
        }
        _ => line.push('-'),
    }
    let missing = MAC.saturating_sub(line.len() - start);
    line.extend(std::iter::repeat_n(' ', missing));
}

/// Prints a grouped entry as a line of a list: number, time, exchange, client, what it is, the client's
/// state where the frame changed it.
pub(super) fn line(out: &mut dyn Write, entry: &Entry, style: &Style) -> io::Result<()> {
    let group = entry.group.mark();
    let mut line = String::with_capacity(2 * style.width);
    summary::clock(&mut line, entry, style);
    let head = line.len();
    let number = group.map_or(String::new(), |it| format!("#{}", it.exchange));
    let _ = write!(line, "{number:>NUMBER$} ");
    if style.width >= NARROW {
        address(&mut line, entry);
        line.push(' ');
    }
    let mut told = Vec::new();
    if style.width >= WIDE {
        summary::ends(&mut line, &entry.frame, " -> ");
        line.push_str("  ");
        told.extend(
            entry
                .frame
                .ipv4()
                .into_iter()
                .flat_map(|ip| [ip.src, ip.dst]),
        );
    }
    let mut painted: Vec<(Range<usize>, String)> = vec![(0..head, style.dim(&line))];
    let mut paint = |line: &mut String, text: &str, width: usize, with: &dyn Fn(&str) -> String| {
        let start = line.len();
        line.push_str(text);
        if style.width >= line.len() {
            painted.push((start..line.len(), with(text)));
        }
        line.extend(std::iter::repeat_n(' ', width.saturating_sub(text.len())));
    };
    let roomy = style.width >= summary::ROOMY;
    let gap = if roomy { 2 } else { 1 };
    let mut more: Vec<String> = Vec::new();
    let mut stated = false;
    let tags: Vec<u16> = entry.frame.vlans().collect();
    more.extend((!tags.is_empty()).then(|| vlans(&tags)));
    match Message::of(&entry.frame) {
        Some(message) => {
            let kind = message.message_type();
            paint(&mut line, &message.type_name(), 8 + gap, &|it| {
                style.kind(kind, it)
            });
            if let Some(mark) = group {
                let state = if mark.changed { mark.state.name() } else { "" };
                // Without room for a column of its own it stands before the rest.
                let width = if roomy { STATE } else { state.len() };
                paint(&mut line, state, width, &|it| colour(style, mark.state, it));
                stated = roomy || mark.changed;
                match mark.passing {
                    Passing::Again(times) => more.push(format!("try {times}")),
                    Passing::Copy => more.push("copy".into()),
                    Passing::First => {}
                }
            }
            more.extend(facts(&message, &told));
        }
        None => more.push(summary::other(&entry.frame)),
    }
    for (index, it) in more.iter().enumerate() {
        line.push_str(if stated || index > 0 { "  " } else { "" });
        line.push_str(it);
    }
    summary::remarks(&mut line, entry);
    let shown = super::style::cut(&line, style.width);
    let shown = shown.trim_end();
    if !style.color {
        return writeln!(out, "{shown}");
    }
    let mut at = 0;
    for (range, text) in &painted {
        if let Some(plain) = shown.get(at..range.start)
            && range.end <= shown.len()
        {
            write!(out, "{plain}{text}")?;
            at = range.end;
        }
    }
    writeln!(out, "{}", shown.get(at..).unwrap_or_default())
}

/// What is said of a grouped entry beneath it, where it is more than a line: `#3  client
/// 02:00:5e:10:00:01  now BOUND`.
pub(super) fn below(
    out: &mut dyn Write,
    entry: &Entry,
    mark: Mark,
    style: &Style,
) -> io::Result<()> {
    let mut text = format!("  #{}  client ", mark.exchange);
    address(&mut text, entry);
    let now = if mark.changed { "now " } else { "" };
    let text = format!("{}  {now}{}", text.trim_end(), mark.state);
    writeln!(out, "{}", style.bold(&text))
}

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
        Some((Some(at), _)) => super::json::date(at, ' '),
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

/// What is notable about a client, each in a few words; `2x` where it happened again.
fn notes(it: &Observed) -> Vec<String> {
    let told = it.notes.iter().map(|(note, count)| match count {
        1 => note.to_string(),
        count => format!("{count}x {note}"),
    });
    told.collect()
}

/// Prints a row for each client with what is notable below it, and a summary.
pub(super) fn table(out: &mut dyn Write, seen: &Observation, style: &Style) -> io::Result<()> {
    if seen.clients.is_empty() {
        return Ok(());
    }
    let cell = |column: &Column, it: &Observed| super::style::cut(&column.1(it), CELL).into_owned();
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
    writeln!(
        out,
        "{}",
        style.bold(&super::style::cut(&head, style.width))
    )?;
    for it in &seen.clients {
        let line = row(&mut shown
            .iter()
            .map(|(column, width)| (cell(column, it), *width)));
        let line = super::style::cut(&line, style.width).into_owned();
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
    writeln!(out, "{}", style.bold(&wrap(&tally(seen), 0, style)))
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

/// `20 clients: 19 BOUND, 1 SELECTING; 21 exchanges, 83 frames; OFFER after 0.4 / 0.9 / 2.1 ms …`.
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
    let waits: [(&str, Wait); 2] = [("OFFER", |it| it.offer_after), ("ACK", |it| it.ack_after)];
    let mut told = Vec::new();
    for (name, wait) in waits {
        let all = seen.clients.iter().flat_map(|it| &it.exchanges);
        let mut all: Vec<Duration> = all.filter_map(wait).collect();
        all.sort_unstable();
        match all.as_slice() {
            [] => {}
            [only] => told.push(format!("{name} after {}", duration(*only))),
            [first, .., last] => {
                let middle = all.get(all.len() / 2).unwrap_or(last);
                let all = [first, middle, last].map(|it| duration(*it));
                told.push(format!("{name} after {}", all.join(" / ")));
            }
        }
    }
    if !told.is_empty() {
        text += &format!("; {}", told.join(", "));
    }
    if told.iter().any(|it| it.contains('/')) {
        text += " (fastest / median / slowest)";
    }
    text
}

fn since(first: Time, at: Time) -> f64 {
    (at - first).as_secs_f64()
}

/// An exchange as JSON: `exchange` (its number), `xid`, `first` and `last` (dates), `lasted` (seconds),
/// `frames`, `messages` (how many of each type, copies of relay agents not counted), `retransmissions`,
/// `offers` (a list with `server`, `address`, `after`), `offer_after` and `ack_after` (seconds; null where
/// there was none).
fn exchange(it: &Exchange) -> Json {
    let after = |it: Option<Duration>| it.map(|it| it.as_secs_f64());
    let messages = it.messages.iter();
    let offers = it.offers.iter().map(|it| {
        json!({
            "server": it.server.map(|ip| ip.to_string()),
            "address": it.address.to_string(),
            "after": after(it.after),
        })
    });
    json!({
        "exchange": it.number,
        "xid": format!("{:#010x}", it.xid),
        "first": utc(it.first),
        "last": utc(it.last),
        "lasted": since(it.first, it.last),
        "frames": it.frames,
        "messages": messages.map(|it| (it.0.name().to_string(), it.1.into())).collect::<serde_json::Map<_, _>>(),
        "retransmissions": it.retransmissions,
        "offers": offers.collect::<Vec<_>>(),
        "offer_after": after(it.offer_after),
        "ack_after": after(it.ack_after),
    })
}

/// A client as JSON, a line of its own behind the frames:
///
/// | key | what |
/// | --- | --- |
/// | `client` | its hardware address; `id …` for a client identifier in its place |
/// | `htype` | hardware type |
/// | `vlans`, `relay` | where it is: VLAN ids, and the relay agent it was seen behind, or null |
/// | `state` | as in RFC 2131 figure 5, or `INFORM`, `BOOTP`, `unknown` |
/// | `reason` | why it is in `INIT`: `declined`, `released`, `refused`, `expired`; else null |
/// | `address`, `server` | the address it holds or asks for, and who gives it; or null |
/// | `lease`, `t1`, `t2` | seconds, or null; 4294967295 is for ever |
/// | `acked`, `ends` | dates, or null |
/// | `frames`, `total` | how many frames and exchanges there were |
/// | `first`, `last` | dates of its first and last frame |
/// | `exchanges` | its last exchanges, four at most: `exchange`, `xid`, `first`, `last`, `lasted`, `frames`, `messages`, `retransmissions`, `offers`, `offer_after`, `ack_after` |
/// | `notable` | a list of sentences |
pub fn client_json(it: &Observed) -> Json {
    let ip = |ip: Option<std::net::Ipv4Addr>| ip.map(|it| it.to_string());
    let lease = it.lease;
    json!({
        "client": it.hardware.to_string(),
        "htype": it.hardware.htype,
        "vlans": it.place.vlans,
        "relay": ip(it.place.relay),
        "state": it.state.name(),
        "reason": it.reason.map(|it| it.name()),
        "address": ip(it.address),
        "server": ip(it.server),
        "lease": lease.and_then(|it| it.seconds),
        "t1": lease.and_then(|it| it.t1),
        "t2": lease.and_then(|it| it.t2),
        "acked": lease.map(|it| utc(it.at)),
        "ends": lease.and_then(|it| it.ends()).map(utc),
        "frames": it.frames,
        "total": it.total,
        "first": utc(it.first),
        "last": utc(it.last),
        "exchanges": it.exchanges.iter().map(exchange).collect::<Vec<_>>(),
        "notable": notes(it),
    })
}
