//! The exchange as arrows between the client on the left and servers on the right.

use std::io::{self, Write};
use std::time::Duration;

use super::Style;
use super::style::{columns, cut, take_line};
use super::summary::{duration, facts, summary, to_all, vlans};
use crate::commands::outcome::{Direction, Entry, Verdict};
use crate::dhcp::Message;
use crate::wire::MacAddr;

/// A ladder that grows rung by rung; it remembers the first client and the last message sent.
#[derive(Default)]
pub struct Ladder {
    headed: bool,
    /// The client that the head names.
    client: Option<MacAddr>,
    /// The first frames, until a message says who the client is.
    waiting: Vec<Entry>,
    sides: Sides,
    /// The VLANs of the first frame; a rung names its own where they are others.
    vlans: Vec<u16>,
    /// The last request while it has no answer, and how often it was seen.
    last: Option<(Asked, u32)>,
}

/// What makes a request the same as one before: type, xid, client, and whether every server is asked. A client that
/// comes from RENEWING to REBINDING asks anew.
type Asked = (Option<u8>, u32, MacAddr, bool);

/// Columns of the time behind the server's rail.
const TIME: usize = 9;

/// Columns of the message type.
const TYPE: usize = 9;

/// When a rung was, in nine columns at most: `0.3 ms`, `12.0 s`, `52m30s`, `24h00m00s`, `10d04h`.
fn clock(since: Duration) -> String {
    let whole = since.as_secs();
    let (days, hours) = (whole / 86_400, whole / 3600);
    let (minutes, seconds) = (whole / 60 % 60, whole % 60);
    match hours {
        _ if whole < 100 => duration(since),
        0 => format!("{minutes}m{seconds:02}s"),
        1..100 => format!("{hours}h{minutes:02}m{seconds:02}s"),
        _ => format!("{days}d{:02}h", hours % 24),
    }
}

/// How a ladder divides its width.
struct Lane {
    /// Columns before the client's rail.
    left: usize,
    /// Columns between the rails.
    between: usize,
    /// How far facts below the arrow are indented.
    indent: usize,
}

impl Lane {
    fn of(style: &Style) -> Lane {
        let width = style.width.min(WIDEST);
        let (left, indent) = if width < 64 { (0, 1) } else { (6, TYPE + 1) };
        Lane {
            left,
            between: width.saturating_sub(left + TIME + 3).max(20),
            indent,
        }
    }
}

/// Lines that one rung may take.
const LINES: usize = 6;

/// Widest ladder: longer arrows are harder to follow.
const WIDEST: usize = 100;

/// Frames without a message that wait at most for the first one.
const WAITING: usize = 16;

/// Stations remembered on each side at most.
const STATIONS: usize = 256;

/// Who is on which side, by what the messages told.
#[derive(Default)]
struct Sides {
    clients: Vec<MacAddr>,
    servers: Vec<MacAddr>,
    /// Whether this end plays a server.
    serving: bool,
}

impl Sides {
    /// Takes note of who sent a message, and in which part.
    fn learn(&mut self, entry: &Entry) {
        let Some(bootp) = entry.frame.bootp() else {
            return;
        };
        let asks = bootp.op == 1;
        let side = match asks {
            true => &mut self.clients,
            false => &mut self.servers,
        };
        let sender = entry.frame.ether().map(|it| it.src);
        for mac in sender.into_iter().chain(asks.then(|| bootp.client_mac())) {
            if side.len() < STATIONS && !side.contains(&mac) {
                side.push(mac);
            }
        }
        if entry.direction == Direction::Sent {
            self.serving = !asks;
        }
    }

    /// Whether a frame goes from the clients to the servers: a message by its kind, ARP and the like by the
    /// stations, and between strangers by who sent it.
    fn rightward(&self, entry: &Entry) -> bool {
        if let Some(bootp) = entry.frame.bootp() {
            return bootp.op == 1;
        }
        let ends = entry.frame.ether().map(|it| (it.src, it.dst));
        match (ends, entry.direction) {
            (Some((src, _)), _) if self.clients.contains(&src) => true,
            (Some((src, _)), _) if self.servers.contains(&src) => false,
            (Some((_, dst)), _) if self.clients.contains(&dst) => false,
            (_, Direction::Sent) => !self.serving,
            (_, Direction::Received) => self.serving,
            (_, Direction::Read | Direction::Built) => self.clients.is_empty(),
        }
    }
}

impl Ladder {
    /// Prints one rung, and before the first the head. What is sent before the first message waits for it, so that
    /// the head can name the client.
    pub fn rung(&mut self, out: &mut dyn Write, entry: &Entry, style: &Style) -> io::Result<()> {
        let client = entry.frame.bootp().map(|it| it.client_mac());
        // Frames of others may come for long before a message does.
        let others = self.waiting.is_empty() && entry.direction == Direction::Received;
        if !self.headed && client.is_none() && !others && self.waiting.len() < WAITING {
            self.waiting.push(entry.clone());
            return Ok(());
        }
        if self.client.is_none() {
            self.client = client;
        }
        self.sides.learn(entry);
        self.finish(out, style)?;
        self.draw(out, entry, style)
    }

    /// Prints the rungs that wait for a message.
    pub fn finish(&mut self, out: &mut dyn Write, style: &Style) -> io::Result<()> {
        for entry in std::mem::take(&mut self.waiting) {
            self.draw(out, &entry, style)?;
        }
        Ok(())
    }

    fn draw(&mut self, out: &mut dyn Write, entry: &Entry, style: &Style) -> io::Result<()> {
        let lane = Lane::of(style);
        let left = lane.left;
        if !self.headed {
            self.headed = true;
            self.vlans = entry.frame.vlans().collect();
            self.head(out, &lane, style)?;
        }
        let rightward = self.sides.rightward(entry);
        let message = Message::of(&entry.frame);
        let (name, facts) = match &message {
            Some(message) => (message.type_name().into_owned(), self.facts(entry, message)),
            None => (String::new(), vec![summary(entry)]),
        };
        let plain = entry.verdict == Verdict::Part;
        let lines = self.lines(&name, &facts, &lane);
        for (index, line) in lines.iter().enumerate() {
            let room = lane.between.saturating_sub(columns(line));
            let text = match line.strip_prefix(name.as_str()) {
                Some(rest) if index == 0 && plain => {
                    let kind = message.as_ref().and_then(Message::message_type);
                    format!("{}{rest}", style.kind(kind, &name))
                }
                _ => line.clone(),
            };
            if index > 0 {
                let line = format!("|    {text}{:1$}|", "", room.saturating_sub(4));
                writeln!(out, "{:left$}{}", "", self.shade(style, plain, line))?;
                continue;
            }
            let dashes = "-".repeat(room.saturating_sub(6));
            let arrow = match rightward {
                true => format!("|--- {text} {dashes}>|"),
                false => format!("|<-- {text} {dashes}-|"),
            };
            let time = clock(entry.since);
            writeln!(
                out,
                "{:left$}{} {time:>TIME$}",
                "",
                self.shade(style, plain, arrow)
            )?;
        }
        Ok(())
    }

    fn head(&self, out: &mut dyn Write, lane: &Lane, style: &Style) -> io::Result<()> {
        let Lane { left, between, .. } = *lane;
        let mut head = match self.client {
            Some(client) => format!("{:1$}client {client}", "", left / 2),
            None => format!("{:1$}clients", "", left / 2),
        };
        let right = "servers";
        let width = left + between + 5;
        let mut below = None;
        if !self.vlans.is_empty() {
            let tags = vlans(&self.vlans);
            match head.len() + tags.len() + right.len() + 4 <= width {
                true => head += &format!("  {tags}"),
                false => below = Some(format!("{:1$}{tags}", "", left / 2)),
            }
        }
        let gap = width.saturating_sub(head.len() + right.len());
        writeln!(out, "{}{:gap$}{}", style.bold(&head), "", style.bold(right))?;
        if let Some(tags) = below {
            writeln!(out, "{}", style.bold(&cut(&tags, width)))?;
        }
        writeln!(out, "{:left$}|{:between$}|", "", "")
    }

    fn shade(&self, style: &Style, plain: bool, line: String) -> String {
        match plain {
            true => line,
            false => style.dim(&line),
        }
    }

    /// What is said on the arrow beside the type.
    fn facts(&mut self, entry: &Entry, message: &Message) -> Vec<String> {
        let mut facts = facts(&entry.frame, message, &[]);
        let tags: Vec<u16> = entry.frame.vlans().collect();
        if tags != self.vlans {
            facts.insert(0, vlans(&tags));
        }
        let bootp = message.bootp;
        let client = bootp.client_mac();
        if bootp.op == 1 {
            let all = to_all(&entry.frame, message);
            let this = (message.message_type(), bootp.xid, client, all);
            let tries = match self.last {
                Some((last, tries)) if last == this => tries.saturating_add(1),
                _ => 1,
            };
            self.last = Some((this, tries));
            if tries > 1 {
                facts.push(format!("try {tries}"));
            }
        } else if self.last.is_some_and(|((_, xid, ..), _)| xid == bootp.xid) {
            self.last = None;
        }
        if Some(client) != self.client {
            facts.push(format!("client {client}"));
        }
        if let Some(mark) = entry.group.mark() {
            facts.push(match mark.changed {
                true => format!("#{} {}", mark.exchange, mark.state),
                false => format!("#{}", mark.exchange),
            });
        }
        match &entry.verdict {
            Verdict::Part => {}
            Verdict::Duplicate => facts.push("duplicate".into()),
            Verdict::Stray(reason) => facts.push(format!("stray: {}", super::escape(reason))),
        }
        facts
    }

    /// Type and facts in lines that fit between the rails; what has no room on the arrow stands below.
    fn lines(&self, name: &str, facts: &[String], lane: &Lane) -> Vec<String> {
        let room = lane.between.saturating_sub(7).max(12);
        let indent = match name {
            "" => 0,
            _ => lane.indent,
        };
        let mut lines = Vec::new();
        let mut line = match name {
            "" => String::new(),
            name => format!("{:<TYPE$} ", cut(name, room)),
        };
        let mut fresh = true;
        for fact in facts {
            let gap = if fresh { 0 } else { 2 };
            if columns(&line) + gap + columns(fact) <= room {
                line.extend(std::iter::repeat_n(' ', gap));
                line.push_str(fact);
                fresh = false;
                continue;
            }
            if !fresh || columns(fact) <= room - indent.min(room / 2) {
                lines.push(line.trim_end().to_string());
                line = " ".repeat(indent);
            }
            let mut rest = fact.as_str();
            loop {
                let part = take_line(&mut rest, room.saturating_sub(columns(&line)).max(4));
                line.push_str(part);
                if rest.is_empty() {
                    break;
                }
                lines.push(line.trim_end().to_string());
                line = " ".repeat(indent);
            }
            fresh = false;
        }
        lines.push(line.trim_end().to_string());
        if lines.len() > LINES {
            lines.truncate(LINES);
            if let Some(last) = lines.last_mut() {
                *last = cut(&format!("{last} …"), room).into_owned();
            }
        }
        lines
    }
}
