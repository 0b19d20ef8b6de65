//! The exchange as arrows between the client on the left and servers on the right.

use std::io::{self, Write};

use super::Style;
use super::summary::{duration, facts, summary};
use crate::commands::outcome::{Direction, Entry, Verdict};
use crate::dhcp::Message;
use crate::wire::Frame;

/// A ladder that grows rung by rung.
#[derive(Default)]
pub struct Ladder {
    begun: bool,
}

/// Columns before the client's rail, and behind the server's.
const LEFT: usize = 6;
const TIME: usize = 12;

fn from_client(frame: &Frame) -> Option<bool> {
    frame.bootp().map(|it| it.op == 1)
}

impl Ladder {
    /// Prints one rung, and before the first the head.
    pub fn rung(&mut self, out: &mut dyn Write, entry: &Entry, style: &Style) -> io::Result<()> {
        let width = style.width.min(100);
        let lane = width.saturating_sub(LEFT + TIME + 2).max(20);
        if !self.begun {
            self.begun = true;
            let client = match entry.frame.bootp() {
                Some(bootp) => bootp.client_mac().to_string(),
                None => entry
                    .frame
                    .ether()
                    .map(|it| it.src.to_string())
                    .unwrap_or_default(),
            };
            let head = format!("   client {client}");
            let gap = (LEFT + lane).saturating_sub(head.len() + 4);
            writeln!(
                out,
                "{}{:gap$}{}",
                style.bold(&head),
                "",
                style.bold("servers")
            )?;
            writeln!(out, "{:LEFT$}|{:lane$}|", "", "")?;
        }
        let rightward = match (entry.direction, from_client(&entry.frame)) {
            (Direction::Sent, _) => true,
            (Direction::Received, _) => false,
            (_, Some(client)) => client,
            (_, None) => true,
        };
        let mut text = match Message::of(&entry.frame) {
            Some(message) => format!("{:<9} {}", message.type_name(), facts(&message)),
            None => summary(entry),
        };
        match &entry.verdict {
            Verdict::Part => {}
            Verdict::Duplicate => text.push_str("  (duplicate)"),
            Verdict::Stray(reason) => text = format!("{text}  (stray: {})", super::escape(reason)),
        }
        let room = lane.saturating_sub(8);
        if text.chars().count() > room {
            text = text
                .chars()
                .take(room.saturating_sub(1))
                .chain(['…'])
                .collect();
        }
        let fill = lane.saturating_sub(text.chars().count() + 6);
        let dashes = "-".repeat(fill);
        let arrow = match rightward {
            true => format!("|--- {text} {dashes}>|"),
            false => format!("|<-- {text} {dashes}-|"),
        };
        let arrow = match &entry.verdict {
            Verdict::Part => arrow,
            _ => style.dim(&arrow),
        };
        writeln!(
            out,
            "{:LEFT$}{arrow} {:>width$}",
            "",
            duration(entry.since),
            width = TIME - 2
        )
    }
}
