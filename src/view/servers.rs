//! Who answers on a link: a row for each server, in what they disagree, and what changed.

use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value as Json, json};

use super::json::date;
use super::lookup;
use super::replies::{plural, side_by_side, text_of};
use super::style::WARN;
use super::summary::{duration, seconds};
use super::{Style, diagnosis};
use crate::commands::census::{Census, Change, Seen, What};
use crate::commands::servers::Found;
use crate::dhcp::{Message, options};
use crate::link::Time;

/// A server's row, and the changes, as JSON.
pub fn json(found: &Found) -> Vec<Json> {
    let changes = found.changes.iter().map(change_json);
    changes.chain(super::server_rows(found)).collect()
}

/// A server as JSON; `options` are those of its answer to the first kind of client that it answered.
pub fn row_json(census: &Census, row: &Seen) -> Json {
    let text = |it: &dyn ToString| it.to_string();
    let message = row.replies.first().and_then(|it| Message::of(&it.1));
    let options = message.map(|it| {
        it.options()
            .iter()
            .map(option_json)
            .collect::<serde_json::Map<_, _>>()
    });
    json!({
        "server": row.name(),
        "server_id": row.identity.map(|it| text(&it)),
        "source": row.source.map(|it| text(&it)),
        "mac": row.mac.map(|it| text(&it)),
        "relay": row.relay.map(|it| text(&it)),
        "offered": row.offered.map(|(low, high)| [text(&low), text(&high)]),
        "answered": row.answered,
        "silent": row.silent,
        "latency_min": row.latency().map(|it| it.0.as_secs_f64()),
        "latency_median": row.latency().map(|it| it.1.as_secs_f64()),
        "allowed": row.allowed,
        "impostor": census.is_twin(row),
        "notes": row.notes,
        "disagrees_on": census.disagree.iter().map(|it| options::by_code(*it).name).collect::<Vec<_>>(),
        "options": options,
    })
}

/// What the rows do not say, where nobody answered or servers that may answer did not: `ending code missing asked_as
/// waited causes`.
pub fn lacking_json(found: &Found) -> Option<Json> {
    let census = &found.census;
    let silent = census.rows.is_empty();
    if !silent && census.missing.is_empty() {
        return None;
    }
    let missing = census.missing.iter().map(ToString::to_string);
    Some(json!({
        "ending": if silent { "no reply" } else { "done" },
        "code": found.exit_code(),
        "missing": missing.collect::<Vec<_>>(),
        "asked_as": census.kinds,
        "waited": census.waited.as_secs_f64(),
        "causes": census.causes.iter().map(diagnosis::cause_json).collect::<Vec<_>>(),
    }))
}

fn option_json(it: &crate::dhcp::message::Joined) -> (String, Json) {
    let row = options::by_code(it.code);
    let value = match it.value() {
        Ok(value) => value.json(),
        Err(_) => json!({ "hex": hex::encode(&it.data) }),
    };
    let name = match row.name {
        "" => it.code.to_string(),
        name => name.to_string(),
    };
    (name, value)
}

/// A change as JSON: `utc change server mac allowed impostor`, and of an option `option was is`.
pub fn change_json(change: &Change) -> Json {
    let mut all = json!({
        "utc": format!("{}Z", date(change.at, 'T')),
        "change": match change.what {
            What::Appears => "appears",
            What::Disappears => "disappears",
            What::Changes { .. } => "changes",
        },
        "server": change.server,
        "mac": change.mac.map(|it| it.to_string()),
        "allowed": change.allowed,
        "impostor": change.twin,
    });
    if let (What::Changes { name, was, is }, Some(map)) = (&change.what, all.as_object_mut()) {
        map.insert("option".into(), json!(name));
        map.insert("was".into(), json!(was));
        map.insert("is".into(), json!(is));
    }
    all
}

/// A time as people read it; the Z says that it is no local one.
fn utc(at: Time) -> String {
    format!("{}Z", date(at, ' '))
}

/// Prints a change in a line.
pub fn change(out: &mut dyn Write, change: &Change, style: &Style) -> io::Result<()> {
    let name = match change.mac {
        Some(mac) => format!("{} ({mac})", change.server),
        None => change.server.clone(),
    };
    let value = |it: &Option<String>| it.as_ref().map_or("-".into(), |it| super::escape(it));
    let text = match &change.what {
        What::Appears => format!("+ {name} answers"),
        What::Disappears => format!("- {name} is gone"),
        What::Changes {
            name: option,
            was,
            is,
        } => {
            format!("~ {name}: {option} {} -> {}", value(was), value(is))
        }
    };
    let text = format!("{}  {text}", utc(change.at));
    let odd = match (change.allowed, change.twin) {
        (false, _) => Some("not allowed"),
        (true, true) => Some("its server-id comes from another MAC too"),
        (true, false) => None,
    };
    let text = match odd {
        None => text,
        Some(odd) => style.paint(WARN, &format!("{text}  (!) {odd}")),
    };
    writeln!(out, "{text}")
}

/// Prints the servers as a table, below it the options of each.
pub fn table(out: &mut dyn Write, census: &Census, style: &Style) -> io::Result<()> {
    if census.rows.is_empty() {
        return Ok(());
    }
    let wide = style.width >= 112;
    let mut header = vec!["#", "server", "MAC", "offers", "lease", "latency"];
    if wide {
        header.extend(["fastest", "relay", "answers"]);
    }
    let mut table = lookup::table(style, &header);
    for (index, row) in census.rows.iter().enumerate() {
        let mark = if suspect(census, row) { " (!)" } else { "" };
        let mut cells = vec![
            (index + 1).to_string(),
            format!("{}{mark}", row.name()),
            row.mac.map_or("-".into(), |it| it.to_string()),
            offered(row),
            lease(row),
            row.latency().map_or("-".into(), |it| duration(it.1)),
        ];
        if wide {
            cells.push(row.latency().map_or("-".into(), |it| duration(it.0)));
            cells.push(row.relay.map_or("-".into(), |it| it.to_string()));
            cells.push(kinds(row));
        }
        table.add_row(cells);
    }
    lookup::print(out, &table)?;
    let all = census.rows.iter().all(|it| it.silent.is_empty());
    for (index, row) in census.rows.iter().enumerate() {
        let mut facts = Vec::new();
        if !wide {
            facts.extend((!all).then(|| format!("answers {}", kinds(row))));
            facts.extend(row.relay.map(|it| format!("through relay {it}")));
        }
        facts.extend(row.notes.iter().map(|it| super::escape(it)));
        if !facts.is_empty() {
            let text = lookup::wrap(&facts.join(" · "), 4, style);
            writeln!(out, "{:<4}{}", format!("#{}", index + 1), text.trim_start())?;
        }
    }
    let asked = match (all, census.rows.len()) {
        (true, 1) => "; it answers all",
        (true, _) => "; each answers all",
        (false, _) => "",
    };
    let asked = format!("asked as {}{asked}", census.kinds.join(", "));
    writeln!(out, "{}", lookup::wrap(&asked, 0, style))?;
    options_of_each(out, census, style)
}

/// What the servers give: every option side by side, or only those that they disagree on where there is no room
/// for more.
fn options_of_each(out: &mut dyn Write, census: &Census, style: &Style) -> io::Result<()> {
    let Some(kind) = census.compared else {
        return Ok(());
    };
    let replies = census.rows.iter().filter_map(|it| it.reply(kind));
    let messages: Vec<_> = replies.filter_map(Message::of).collect();
    let messages: Vec<_> = messages.iter().collect();
    /// More columns than this nobody reads.
    const SIDES: usize = 4;
    if messages.len() <= SIDES && messages.len() * 18 + 24 <= style.width {
        writeln!(out)?;
        return side_by_side(out, &messages, style);
    }
    if !census.disagree.is_empty() {
        writeln!(out)?;
    }
    for (index, message) in messages.iter().enumerate() {
        let value = |code: &u8| {
            let name = options::by_code(*code).name;
            let text = text_of(message, *code).map(|it| super::escape(&it));
            format!("{name} {}", text.as_deref().unwrap_or("-"))
        };
        let values: Vec<_> = census.disagree.iter().map(value).collect();
        if !values.is_empty() {
            let text = lookup::wrap(&values.join(" · "), 4, style);
            writeln!(out, "{:<4}{}", format!("#{}", index + 1), text.trim_start())?;
        }
    }
    Ok(())
}

fn suspect(census: &Census, row: &Seen) -> bool {
    !row.allowed || census.is_twin(row)
}

/// `192.0.2.100-192.0.2.103`, the end as its last number where the rest is the same.
fn offered(row: &Seen) -> String {
    match row.offered {
        None => "-".into(),
        Some((low, high)) if low == high => low.to_string(),
        Some((low, high)) if low.octets()[..3] == high.octets()[..3] => {
            format!("{low}-{}", high.octets()[3])
        }
        Some((low, high)) => format!("{low}-{high}"),
    }
}

fn lease(row: &Seen) -> String {
    let mut all = row.replies.iter();
    let lease = all.find_map(|it| Message::of(&it.1)?.lease_time());
    lease.map_or("-".into(), seconds)
}

/// The kinds of client it answers, in the shorter of two ways.
fn kinds(row: &Seen) -> String {
    match row.silent.len() {
        0 => "all".into(),
        few if few < row.answered.len() => format!("all but {}", row.silent.join(", ")),
        _ => row.answered.join(", "),
    }
}

/// Says what came of it: how many servers, in what they disagree, who may not answer, who did not.
pub fn told(
    err: &mut dyn Write,
    found: &Found,
    capture: Option<&Path>,
    style: &Style,
) -> io::Result<()> {
    let census = &found.census;
    let mut say = |text: String, bad: bool| {
        let text = lookup::wrap(&super::escape(&text), 0, style);
        match bad {
            true => writeln!(err, "{}", style.paint(WARN, &text)),
            false => writeln!(err, "{}", style.bold(&text)),
        }
    };
    if census.rows.is_empty() {
        say(
            format!(
                "no server answers: asked as {}, waited {}",
                census.kinds.join(", "),
                duration(census.waited)
            ),
            true,
        )?;
    } else {
        say(summary(census), false)?;
    }
    for row in census.strangers() {
        let mac = row.mac.map_or(String::new(), |it| format!(" ({it})"));
        say(
            format!("(!) {}{mac} is not allowed to answer here", row.name()),
            true,
        )?;
    }
    for text in departed(found) {
        say(text, true)?;
    }
    for twin in &census.twins {
        say(
            format!(
                "(!) server-id {twin} comes from several MAC addresses: one of them poses as the other"
            ),
            true,
        )?;
    }
    for it in &census.missing {
        say(format!("{it} is allowed and did not answer"), true)?;
    }
    diagnosis::causes(err, &census.causes, capture, style)
}

/// Who answered while the link was watched, should not have, and is gone: a reason for a failure that the last look
/// does not show.
fn departed(found: &Found) -> Vec<String> {
    /// More than these the changes tell.
    const TOLD: usize = 20;
    let mut gone: Vec<(&Change, Time)> = Vec::new();
    for it in found.changes.iter().filter(|it| !it.allowed || it.twin) {
        let same = |other: &Change| (&other.server, other.mac) == (&it.server, it.mac);
        let known = gone.iter_mut().find(|(first, _)| same(first));
        match (&it.what, known) {
            (What::Appears, None) => gone.push((it, it.at)),
            (_, Some((_, last))) => *last = it.at,
            (_, None) => {}
        }
    }
    let here = |it: &Change| {
        let mut rows = found.census.rows.iter();
        rows.any(|row| (row.name(), row.mac) == (it.server.clone(), it.mac))
    };
    gone.retain(|(it, _)| !here(it));
    let more = gone.len().saturating_sub(TOLD);
    let told = gone.iter().take(TOLD).map(|(it, last)| {
        let mac = it.mac.map_or("-".into(), |it| it.to_string());
        let (server, from, to) = (&it.server, utc(it.at), utc(*last));
        match it.allowed {
            false => format!(
                "(!) {server} ({mac}) is not allowed to answer here; it did from {from}, and was gone by {to}"
            ),
            true => format!(
                "(!) server-id {server} came from {mac} too, from {from} on; that was gone by {to}"
            ),
        }
    });
    let mut lines: Vec<_> = told.collect();
    if more > 0 {
        lines.push(format!("(!) {more} more came and went"));
    }
    lines
}

/// `2 servers; they disagree on router, dns`.
pub(super) fn summary(census: &Census) -> String {
    let mut line = plural(census.rows.len(), "server");
    if census.rows.len() > 1 {
        let names: Vec<_> = census
            .disagree
            .iter()
            .map(|it| options::by_code(*it).name)
            .collect();
        line += &match (census.compared, names.is_empty()) {
            (None, _) => "; no kind of client got an answer of all of them".to_string(),
            (Some(_), true) => "; they agree".to_string(),
            (Some(_), false) => format!("; they disagree on {}", names.join(", ")),
        };
    }
    line
}
