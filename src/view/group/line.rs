//! A frame with its exchange: a line of a list, or a line beneath it.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::ops::Range;

use super::colour;
use crate::commands::outcome::{Entry, Mark};
use crate::dhcp::Message;
use crate::dhcp::enums::REQUEST;
use crate::talk::observer::Passing;
use crate::view::Style;
use crate::view::meaning::colons;
use crate::view::style::{columns, cut};
use crate::view::summary::{self, NARROW, facts, vlans};

/// From how many columns on there is more room between the columns, and a grouped line shows the ends of its frame as
/// well.
const BROAD: usize = 110;
const WIDE: usize = 156;
/// Columns of an exchange's number, of a MAC address, of a type, and of a state.
const NUMBER: usize = 4;
const MAC: usize = 17;
const TYPE: usize = 8;
const STATE: usize = 10;

/// Appends so many spaces.
fn space(line: &mut String, mut count: usize) {
    const SPACES: &str = "                ";
    while count > 0 {
        let some = SPACES.get(..count).unwrap_or(SPACES);
        line.push_str(some);
        count -= some.len();
    }
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
    space(line, missing);
}

/// Columns that a fact needs to be begun where it does not fit whole.
const BEGUN: usize = 8;

/// Prints a grouped entry as a line of a list: number, time, exchange, client, what it is, the client's
/// state where the frame changed it.
pub(in crate::view) fn line(out: &mut dyn Write, entry: &Entry, style: &Style) -> io::Result<()> {
    let mark = entry.group.mark();
    let gap = if style.width >= BROAD { 2 } else { 1 };
    let mut line = String::with_capacity(2 * style.width);
    summary::clock(&mut line, entry, style);
    let head = 0..line.len();
    number(&mut line, mark);
    if style.width >= NARROW {
        address(&mut line, entry);
        line.push(' ');
    }
    let mut told = None;
    if style.width >= WIDE {
        summary::ends(&mut line, &entry.frame, " -> ");
        line.push_str("  ");
        told = entry.frame.ipv4().map(|ip| [ip.src, ip.dst]);
    }
    let message = Message::of(&entry.frame);
    let mut kind = 0..0;
    let mut state = 0..0;
    if let Some(message) = &message {
        kind = column(&mut line, &message.type_name(), TYPE, gap);
        let changed = mark.filter(|it| it.changed);
        state = column(
            &mut line,
            changed.map_or("", |it| it.state.name()),
            STATE,
            gap,
        );
    }
    let told: &[_] = told.as_ref().map_or(&[], |it| it);
    let more = rest(entry, message.as_ref(), mark, told);
    fill(&mut line, &more, style.width);
    summary::remarks(&mut line, entry);
    let shown = cut(&line, style.width);
    let shown = shown.trim_end();
    if !style.color {
        return writeln!(out, "{shown}");
    }
    let number = message.as_ref().and_then(Message::message_type);
    let text = |range: &Range<usize>| shown.get(range.clone()).unwrap_or_default();
    let stated = mark.map(|it| colour(style, it.state, text(&state)));
    let painted = [
        (style.dim(text(&head)), head),
        (style.kind(number, text(&kind)), kind),
        (stated.unwrap_or_default(), state),
    ];
    let mut at = 0;
    for (text, range) in painted {
        if let Some(plain) = shown.get(at..range.start)
            && !range.is_empty()
            && range.end <= shown.len()
        {
            write!(out, "{plain}{text}")?;
            at = range.end;
        }
    }
    writeln!(out, "{}", shown.get(at..).unwrap_or_default())
}

/// Appends the number of an exchange: `#12 `.
fn number(line: &mut String, mark: Option<Mark>) {
    let digits = mark.map(|it| it.exchange.checked_ilog10().unwrap_or(0) as usize + 1);
    let missing = NUMBER.saturating_sub(digits.map_or(0, |it| it + 1));
    space(line, missing);
    if let Some(mark) = mark {
        let _ = write!(line, "#{}", mark.exchange);
    }
    line.push(' ');
}

/// Appends a text as wide as its column, and the gap behind it; gives where it stands.
fn column(line: &mut String, text: &str, width: usize, gap: usize) -> Range<usize> {
    let start = line.len();
    line.push_str(text);
    let end = line.len();
    let missing = width.saturating_sub(text.len()) + gap;
    space(line, missing);
    start..end
}

/// What stands behind the columns, each in a few words.
fn rest(
    entry: &Entry,
    message: Option<&Message>,
    mark: Option<Mark>,
    told: &[Ipv4Addr],
) -> Vec<String> {
    let mut all = Vec::new();
    let tags: Vec<u16> = entry.frame.vlans().collect();
    all.extend((!tags.is_empty()).then(|| vlans(&tags)));
    all.extend(match mark.map(|it| it.passing) {
        Some(Passing::Again(times)) => Some(format!("try {times}")),
        Some(Passing::Copy) => Some("copy".into()),
        Some(Passing::First) | None => None,
    });
    match message {
        Some(message) => {
            let renewing = message.message_type() == Some(REQUEST);
            all.extend(
                facts(&entry.frame, message, told)
                    .into_iter()
                    .map(|mut it| {
                        // The client's state says it.
                        let state = [" (renewing)", " (rebinding)"].into_iter();
                        if let Some(len) = state
                            .filter_map(|state| it.strip_suffix(state))
                            .find(|_| renewing)
                            .map(str::len)
                        {
                            it.truncate(len);
                        }
                        it
                    }),
            );
        }
        None => all.push(summary::other(&entry.frame)),
    }
    all
}

/// Appends what there is to say: first what fits whole, in its order; of the rest the beginning, or that there is more.
fn fill(line: &mut String, all: &[String], width: usize) {
    let mut used = columns(line);
    let mut gap = "";
    let mut left = None;
    for it in all {
        let len = gap.len() + columns(it);
        if used + len > width {
            left = left.or(Some(it));
            continue;
        }
        line.push_str(gap);
        line.push_str(it);
        used += len;
        gap = "  ";
    }
    if let Some(it) = left {
        // A fact that fits is not cut to say that there is more.
        match width.saturating_sub(used + gap.len()) {
            BEGUN.. => line.extend([gap, it]),
            _ if used + 2 <= width => line.push_str(" …"),
            _ => {}
        }
    }
}

/// What is said of a grouped entry beneath it, where it is more than a line: `#3  client
/// 02:00:5e:10:00:01  now BOUND`.
pub(in crate::view) fn below(
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
