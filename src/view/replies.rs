//! Replies side by side, and the lease that came of them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::net::Ipv4Addr;

use super::Style;
use super::lookup;
use super::style::columns;
use super::summary::{duration, seconds, summary};
use crate::commands::census::differences;
use crate::commands::outcome::{Entry, Verdict};
use crate::dhcp::enums::{ACK, OFFER};
use crate::dhcp::timers::Timers;
use crate::dhcp::value::escape_into;
use crate::dhcp::{Message, options};

/// Options shown as columns, so not once more below.
const SHOWN: [u8; 3] = [51, 53, 54];

/// The column that is there only where a reply is tagged.
const VLAN: &str = "vlan";

/// A column of the table.
struct Column {
    name: &'static str,
    /// From how many columns of the terminal on it is shown.
    width: usize,
    cell: fn(&Entry, &Message) -> String,
}

const fn column(name: &'static str, width: usize, cell: fn(&Entry, &Message) -> String) -> Column {
    Column { name, width, cell }
}

/// The columns of the table of replies, behind the reply's number.
static COLUMNS: [Column; 10] = [
    column("after", 56, |entry, _| {
        duration(entry.after.unwrap_or(entry.since))
    }),
    column("type", 0, |_, message| message.type_name().into_owned()),
    column(VLAN, 0, |entry, _| {
        let ids: Vec<String> = entry.frame.vlans().map(|it| it.to_string()).collect();
        match ids.is_empty() {
            true => "-".into(),
            false => ids.join("."),
        }
    }),
    column("from", 0, from),
    column("server MAC", 76, |entry, _| {
        let ether = entry.frame.ether();
        ether.map_or("-".into(), |it| it.src.to_string())
    }),
    column("address", 0, |_, message| {
        let bootp = message.bootp;
        let some = [bootp.yiaddr, bootp.ciaddr];
        let some = some.into_iter().find(|ip| !ip.is_unspecified());
        some.map_or("-".into(), |ip| ip.to_string())
    }),
    column("lease", 46, |_, message| {
        message.lease_time().map_or("-".into(), seconds)
    }),
    column("router", 96, |_, message| {
        text_of(message, 3).unwrap_or_else(|| "-".into())
    }),
    column("relay", 120, |_, message| match message.bootp.giaddr {
        ip if ip.is_unspecified() => "-".into(),
        ip => ip.to_string(),
    }),
    column("dns", 120, |_, message| {
        text_of(message, 6).unwrap_or_else(|| "-".into())
    }),
];

/// Who sent a reply: the identity it gives, and its address where that is another.
fn from(entry: &Entry, message: &Message) -> String {
    let ip = entry.frame.ipv4().map(|it| it.src);
    match (message.server_id(), ip) {
        (Some(id), Some(ip)) if id != ip => format!("{id} ({ip})"),
        (Some(id), _) => id.to_string(),
        (None, Some(ip)) => format!("{ip} (no server-id)"),
        (None, None) => "-".into(),
    }
}

/// Frames that are no answer shown below the table.
const MOST: usize = 20;

/// Columns that the options' names and each reply take at least, side by side.
const NAMES: usize = 24;
const SIDE: usize = 18;

fn text(code: u8, data: &[u8]) -> String {
    match options::by_code(code).ty.decode(data) {
        Ok(value) => value.to_string(),
        Err(_) => format!("hex:{} (!)", hex::encode(data)),
    }
}

pub(super) fn text_of(message: &Message, code: u8) -> Option<String> {
    Some(text(code, &message.data(code)?))
}

/// Prints replies as a table, below it every option of each, and where servers disagree.
pub fn replies_table(out: &mut dyn Write, entries: &[&Entry], style: &Style) -> io::Result<()> {
    let tagged = entries.iter().any(|it| it.frame.vlans().next().is_some());
    let shown = || {
        let fits = COLUMNS.iter().filter(|it| it.width <= style.width);
        fits.filter(move |it| tagged || it.name != VLAN)
    };
    let header: Vec<&str> = std::iter::once("#")
        .chain(shown().map(|it| it.name))
        .collect();
    let (mut answers, mut others) = (Vec::new(), Vec::new());
    for entry in entries {
        match (Message::of(&entry.frame), &entry.verdict) {
            (Some(message), Verdict::Part) if message.bootp.op == 2 => {
                answers.push((*entry, message))
            }
            (None, Verdict::Part) => {}
            _ => others.push(*entry),
        }
    }
    if !answers.is_empty() {
        let mut table = lookup::table(style, &header);
        for (index, (entry, message)) in answers.iter().enumerate() {
            let cells = shown().map(|it| (it.cell)(entry, message));
            table.add_row(std::iter::once((index + 1).to_string()).chain(cells));
        }
        lookup::print(out, &table)?;
        writeln!(out)?;
        let messages: Vec<&Message> = answers.iter().map(|it| &it.1).collect();
        let room = style.width.saturating_sub(NAMES) / SIDE;
        match messages.len() <= room.clamp(1, 4) {
            true => side_by_side(out, &messages, style)?,
            false => {
                for (index, message) in messages.iter().enumerate() {
                    rest(out, index + 1, message, style)?;
                }
            }
        }
    }
    if !answers.is_empty() && !others.is_empty() {
        writeln!(out)?;
    }
    for entry in others.iter().take(MOST) {
        let reason = match &entry.verdict {
            Verdict::Stray(reason) => super::escape(reason),
            _ => "the same once more".into(),
        };
        let line = format!("not taken: {}  ({reason})", summary(entry));
        for line in lookup::wrap(&line, 0, style).lines() {
            writeln!(out, "{}", style.dim(line))?;
        }
    }
    if let more @ 1.. = others.len().saturating_sub(MOST) {
        let line = format!("not taken: {more} more; --format ladder shows each");
        writeln!(out, "{}", style.dim(&line))?;
    }
    let lines = agreement(&answers);
    if !lines.is_empty() {
        writeln!(out)?;
    }
    for line in lines.iter().map(|it| lookup::wrap(it, 0, style)) {
        writeln!(out, "{}", style.bold(&line))?;
    }
    Ok(())
}

/// What a reply says beside the table's columns: name, value; options by their code.
fn said(message: &Message) -> Vec<(Option<u8>, &'static str, String)> {
    let mut all = Vec::new();
    for option in message.options() {
        if !SHOWN.contains(&option.code) {
            let name = options::by_code(option.code).name;
            all.push((Some(option.code), name, text(option.code, &option.data)));
        }
    }
    let bootp = message.bootp;
    let overload = message.overload();
    if !bootp.siaddr.is_unspecified() {
        all.push((None, "siaddr", bootp.siaddr.to_string()));
    }
    let mut field = |name, bytes: &[u8], options: bool| {
        let end = bytes.iter().position(|it| *it == 0).unwrap_or(bytes.len());
        if let Some(bytes) = bytes.get(..end).filter(|it| !it.is_empty() && !options) {
            let mut text = String::new();
            escape_into(&mut text, bytes);
            all.push((None, name, text));
        }
    };
    field("sname", &bootp.sname, overload & 2 != 0);
    field("file", &bootp.file, overload & 1 != 0);
    all
}

/// Every option of a few replies, a column for each, and a mark where servers disagree.
pub(super) fn side_by_side(
    out: &mut dyn Write,
    messages: &[&Message],
    style: &Style,
) -> io::Result<()> {
    let all: Vec<_> = messages.iter().map(|it| said(it)).collect();
    let mut names: Vec<(Option<u8>, &'static str)> = Vec::new();
    for (code, name, _) in all.iter().flatten() {
        if !names.contains(&(*code, name)) {
            names.push((*code, name));
        }
    }
    if names.is_empty() {
        return Ok(());
    }
    let mut header = vec![String::new(), "option".to_string()];
    match messages.len() {
        1 => header.push("value".into()),
        count => header.extend((1..=count).map(|it| format!("#{it}"))),
    }
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let mut table = lookup::table(style, &header);
    let differ = differences(messages);
    for (code, name) in names {
        let odd = code.is_some_and(|it| differ.contains(&it));
        let number = code.map_or(String::new(), |it| it.to_string());
        let mark = if odd { " (!)" } else { "" };
        let mut row = vec![number, format!("{name}{mark}")];
        for said in &all {
            let value = said.iter().find(|it| (it.0, it.1) == (code, name));
            row.push(value.map_or("-".into(), |it| it.2.clone()));
        }
        table.add_row(row);
    }
    lookup::print(out, &table)
}

/// The options that the table has no column for, in a paragraph.
fn rest(out: &mut dyn Write, index: usize, message: &Message, style: &Style) -> io::Result<()> {
    let parts: Vec<String> = said(message)
        .into_iter()
        .map(|(_, name, text)| format!("{name} {text}"))
        .collect();
    if parts.is_empty() {
        return Ok(());
    }
    let text = lookup::wrap(&parts.join(" · "), 4, style);
    writeln!(out, "{:<4}{}", format!("#{index}"), text.trim_start())
}

pub(super) fn plural(count: usize, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{ending}")
}

/// How many servers answered, in what they differ, and which identity is used twice.
fn agreement(answers: &[(&Entry, Message)]) -> Vec<String> {
    if answers.len() < 2 {
        return Vec::new();
    }
    let mut servers: BTreeMap<Option<Ipv4Addr>, BTreeSet<[u8; 6]>> = BTreeMap::new();
    for (entry, message) in answers {
        let macs = servers.entry(message.server_id()).or_default();
        macs.extend(entry.frame.ether().map(|it| it.src.octets()));
    }
    let all = |kind| answers.iter().all(|it| it.1.message_type() == Some(kind));
    let noun = match (all(OFFER), all(ACK)) {
        (true, _) => "offer",
        (_, true) => "ACK",
        _ => "reply",
    };
    let count = plural(answers.len(), noun).replace("replys", "replies");
    let mut first = format!("{count} from {}", plural(servers.len(), "server"));
    if servers.len() > 1 {
        let messages: Vec<&Message> = answers.iter().map(|it| &it.1).collect();
        let differ = differences(&messages);
        let names: Vec<&str> = differ.iter().map(|it| options::by_code(*it).name).collect();
        match names.is_empty() {
            true => first.push_str("; they agree"),
            false => first.push_str(&format!("; they disagree on {}", names.join(", "))),
        }
    }
    let mut lines = vec![first];
    // Without a relay, one server has one address on the segment.
    for (server, macs) in servers.iter().filter(|it| it.1.len() > 1) {
        let server = server.map_or("no server-id".into(), |it| format!("server-id {it}"));
        lines.push(format!(
            "(!) {server} comes from {} MAC addresses",
            macs.len()
        ));
    }
    lines
}

/// Columns of the left values of the lease box.
const LEFT_COLUMN: usize = 34;

fn prefix(mask: Ipv4Addr) -> Option<u32> {
    let bits = u32::from(mask);
    (bits.leading_ones() + bits.trailing_zeros() == 32 || bits == 0).then(|| bits.leading_ones())
}

/// The lease time with the T1 and T2 that a client uses, and what was sent where that is of no use.
fn lease_times(message: &Message) -> String {
    let Some(lease) = message.lease_time() else {
        return "-".into();
    };
    let sent: Vec<String> = [
        ("T1", message.renewal_time()),
        ("T2", message.rebinding_time()),
    ]
    .into_iter()
    .filter_map(|(name, time)| Some(format!("{name} {}", seconds(time?))))
    .collect();
    let lease = seconds(lease);
    match Timers::of(message) {
        _ if sent.is_empty() => lease,
        None => lease,
        Some(timers) if timers.nonsense => {
            let [t1, t2] = [timers.t1, timers.t2].map(|it| match it.subsec_nanos() {
                0 => seconds(it.as_secs().try_into().unwrap_or(u32::MAX)),
                _ => format!("{}s", it.as_secs_f64()),
            });
            let sent = sent.join(", ");
            format!("{lease}  (T1 {t1}, T2 {t2}; sent: {sent}, of no use)")
        }
        Some(_) => format!("{lease}  ({})", sent.join(", ")),
    }
}

/// Prints the lease that an ACK gives: address, times, router, DNS, and the other options.
pub fn lease_box(out: &mut dyn Write, ack: &Entry, style: &Style) -> io::Result<()> {
    let Some(message) = Message::of(&ack.frame) else {
        return Ok(());
    };
    let address = message.bootp.yiaddr;
    let address = match message.subnet_mask().and_then(prefix) {
        Some(bits) => format!("{address}/{bits}"),
        None => address.to_string(),
    };
    let lease = lease_times(&message);
    let or_none = |code| text_of(&message, code).unwrap_or_else(|| "-".into());
    writeln!(out)?;
    let rows = [
        ("address", address, "router", or_none(3)),
        ("lease", lease, "dns", or_none(6)),
    ];
    let beside = |left: &str, right: &str| {
        columns(left) <= LEFT_COLUMN && 22 + LEFT_COLUMN + columns(right) <= style.width
    };
    let together = rows.iter().all(|(_, left, _, right)| beside(left, right));
    let mut pairs = Vec::new();
    for (left, value, right, other) in rows {
        if together {
            writeln!(
                out,
                "   {}  {value:<LEFT_COLUMN$} {}  {other}",
                style.name(&format!("{left:<7}")),
                style.name(&format!("{right:<6}"))
            )?;
            continue;
        }
        pairs.extend([(left, value), (right, other)]);
    }
    let others: Vec<String> = message
        .options()
        .iter()
        .filter(|it| ![1, 3, 6, 51, 53, 54, 58, 59, 61].contains(&it.code))
        .map(|it| {
            let name = options::by_code(it.code).name;
            format!("{name} {}", text_of(&message, it.code).unwrap_or_default())
        })
        .collect();
    if !others.is_empty() {
        pairs.push(("also", others.join(" · ")));
    }
    for (name, value) in pairs {
        let text = lookup::wrap(&value, 12, style);
        let name = style.name(&format!("{name:<7}"));
        writeln!(out, "   {name}  {}", text.trim_start())?;
    }
    Ok(())
}
