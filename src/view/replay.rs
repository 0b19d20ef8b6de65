//! A recording sent again: each message with its recorded reply and the live one, and in what they differ.

use std::io::{self, Write};
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::Style;
use super::lookup::{self, compared};
use super::replies::plural;
use super::summary::{duration, facts, other};
use crate::commands::replayed::{Replayed, ReplayedFrame, ReplayedReply};
use crate::dhcp::Message;
use crate::dhcp::comparison::{label, type_name};
use crate::talk::spoken_of;
use crate::wire::Frame;

/// Each frame that was sent as JSON: `frame message client xid recorded sent replies`, each reply with `recorded` and
/// `live`, null where there is none, and its `differences`. Times are in seconds.
pub fn json(all: &Replayed) -> Vec<Json> {
    let seconds = |it: Duration| it.as_secs_f64();
    let reply = |it: &ReplayedReply| {
        let differences = it.differences.iter();
        let differences =
            differences.map(|it| json!({"name": it.name, "recorded": it.first, "live": it.second}));
        json!({
            "recorded": it.recorded.as_ref().map(|(number, after, frame)| json!({
                "frame": number,
                "message": type_name(frame),
                "after": seconds(*after),
            })),
            "live": it.live.as_ref().map(|(after, frame)| json!({
                "message": type_name(frame),
                "after": seconds(*after),
            })),
            "differences": differences.collect::<Vec<_>>(),
        })
    };
    let rows = all.frames.iter().map(|it| {
        let bootp = it.frame.bootp();
        json!({
            "frame": it.number,
            "message": name(&it.frame),
            "client": bootp.map(|it| it.client_mac().to_string()),
            "xid": bootp.map(|it| format!("{:#010x}", it.xid)),
            "recorded": seconds(it.recorded),
            "sent": it.sent.map(seconds),
            "replies": it.replies.iter().map(reply).collect::<Vec<_>>(),
        })
    });
    rows.collect()
}

/// What a frame is, in a few words.
fn name(frame: &Frame) -> String {
    match frame.bootp() {
        Some(_) => type_name(frame),
        None => other(frame),
    }
}

/// From how many columns on it is told when each frame was sent, and what about.
const ROOMY: usize = 108;

/// Prints a row for each reply, and below it in what the live ones differ.
pub fn table(out: &mut dyn Write, all: &Replayed, style: &Style) -> io::Result<()> {
    if all.frames.iter().all(|it| it.replies.is_empty()) {
        return unanswered(out, all, style);
    }
    let wide = style.width >= ROOMY;
    let mut heads = vec!["#", "sent", "recorded", "after", "live", "after", "differ"];
    if wide {
        heads.insert(1, "at");
    }
    let mut table = lookup::table(style, &heads);
    for it in &all.frames {
        let nothing = ReplayedReply {
            recorded: None,
            live: None,
            differences: Vec::new(),
        };
        let replies = match it.replies.is_empty() {
            true => std::slice::from_ref(&nothing),
            false => &it.replies[..],
        };
        for (index, reply) in replies.iter().enumerate() {
            let mut cells = match index {
                0 => vec![it.number.to_string(), at(it), sent(it, wide)],
                _ => vec![String::new(); 3],
            };
            if !wide {
                cells.remove(1);
            }
            cells.extend(sides(reply));
            table.add_row(cells);
        }
    }
    lookup::print(out, &table)?;
    for it in all.frames.iter().flat_map(|it| &it.replies) {
        // One that is missing stands in its row already.
        if let (Some((number, _, frame)), Some(_), false) =
            (&it.recorded, &it.live, it.differences.is_empty())
        {
            writeln!(out)?;
            let heads = [
                label(frame),
                format!("recorded, frame {number}"),
                "live".into(),
            ];
            let heads = heads.each_ref().map(String::as_str);
            compared(out, &it.differences, heads, style)?;
        }
    }
    writeln!(out)?;
    writeln!(out, "{}", style.bold(&summary(all)))
}

/// Of frames without any reply, what they were.
fn unanswered(out: &mut dyn Write, all: &Replayed, style: &Style) -> io::Result<()> {
    let mut table = lookup::table(style, &["#", "at", "sent"]);
    for it in &all.frames {
        let about =
            Message::of(&it.frame).map_or(Vec::new(), |message| facts(&it.frame, &message, &[]));
        let words: Vec<String> = std::iter::once(name(&it.frame)).chain(about).collect();
        table.add_row([it.number.to_string(), at(it), words.join("  ")]);
    }
    lookup::print(out, &table)?;
    writeln!(out)?;
    writeln!(out, "{}", style.bold(&summary(all)))
}

fn at(it: &ReplayedFrame) -> String {
    it.sent.map_or("-".into(), duration)
}

fn sent(it: &ReplayedFrame, wide: bool) -> String {
    let name = name(&it.frame);
    let asked = Message::of(&it.frame).filter(|it| wide && it.bootp.op == 1);
    match (it.sent, asked.and_then(|it| spoken_of(&it))) {
        (None, _) => format!("{name} (not sent)"),
        (_, Some(ip)) => format!("{name} {ip}"),
        (_, None) => name,
    }
}

/// Recorded and live reply with their times, and in how much they differ.
fn sides(it: &ReplayedReply) -> [String; 5] {
    let cells = |side: Option<(Duration, &Frame)>| match side {
        Some((after, frame)) => [told(frame), duration(after)],
        None => ["-".into(), "-".into()],
    };
    let [a, after] = cells(it.recorded.as_ref().map(|it| (it.1, &it.2)));
    let [b, later] = cells(it.live.as_ref().map(|it| (it.0, &it.1)));
    let differ = match (&it.recorded, &it.live) {
        _ if it.differences.is_empty() && it.recorded.is_some() => "no".into(),
        (Some(_), Some(_)) => it.differences.len().to_string(),
        (Some(_), None) => "missing".into(),
        (None, Some(_)) => "extra".into(),
        (None, None) => "-".into(),
    };
    [a, after, b, later, differ]
}

/// A reply in its type and the address that it gives.
fn told(frame: &Frame) -> String {
    let given = Message::of(frame).map(|it| it.bootp.yiaddr);
    match given.filter(|ip| !ip.is_unspecified()) {
        Some(ip) => format!("{} {ip}", type_name(frame)),
        None => type_name(frame),
    }
}

/// `2 frames sent; 2 of 2 recorded replies came again, 1 of them differs, 1 more came`.
fn summary(all: &Replayed) -> String {
    let sent = all.frames.iter().filter(|it| it.sent.is_some()).count();
    let replies = || all.frames.iter().flat_map(|it| &it.replies);
    let recorded = replies().filter(|it| it.recorded.is_some()).count();
    let both = replies().filter(|it| it.recorded.is_some() && it.live.is_some());
    let again = both.clone().count();
    let differ = both.filter(|it| !it.differences.is_empty()).count();
    let extra = replies().filter(|it| it.recorded.is_none()).count();
    let mut line = format!("{} sent", plural(sent, "frame"));
    if recorded > 0 {
        line += &format!(
            "; {again} of {} came again",
            plural(recorded, "recorded reply").replace("replys", "replies")
        );
        line += &match differ {
            _ if again == 0 => String::new(),
            0 => ", none of them different".to_string(),
            _ => format!(", {differ} of them different"),
        };
    }
    if extra > 0 {
        line += &format!(
            "; {} came that the recording does not have",
            match extra {
                1 => "1 reply".to_string(),
                extra => format!("{extra} replies"),
            }
        );
    }
    line
}
