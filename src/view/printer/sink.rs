//! What is printed as it happens.

use std::io::{self, BufWriter, Write};

use super::{KEPT, View};
use crate::commands::args::Format;
use crate::commands::census::Change;
use crate::commands::conform::Finding;
use crate::commands::lint::Linted;
use crate::commands::outcome::{Direction, Entry, Grouped, Observation, Sink, Verdict};
use crate::dhcp::Message;
use crate::dhcp::enums::{ACK, NAK};
use crate::view::{
    Ladder, client_json, escape, group, hang, hexdump, json_line, lint, list_line, lookup,
    served_line, servers, source, summary, tree,
};

impl Sink for View {
    fn entry(&mut self, entry: &Entry) -> io::Result<()> {
        self.frames += 1;
        if entry.direction == Direction::Received
            && entry.verdict == Verdict::Part
            && Message::of(&entry.frame).and_then(|it| it.message_type()) == Some(NAK)
        {
            self.refusal = Some(summary(entry));
        }
        if self.hidden {
            return Ok(());
        }
        if let Some(what) = self.print.clone() {
            match entry.direction {
                // Of frames that are no reply to anything, each has its own value, if any.
                Direction::Read | Direction::Built => {
                    if let Ok(value) = lookup::value(&entry.frame, &what) {
                        self.printed += 1;
                        self.value(&what, &value)?;
                    }
                }
                Direction::Sent | Direction::Received => self.keep(entry),
            }
            return Ok(());
        }
        match (self.format, entry.direction) {
            (Format::Json, _) => json_line(&mut self.out, entry)?,
            (Format::Command, _) => writeln!(self.out, "{}", source::command(entry))?,
            (Format::Script, _) => writeln!(self.out, "{}", (self.script)(entry))?,
            (Format::Tree, _) | (Format::Table, Direction::Built) => {
                if self.frames > 1 {
                    writeln!(self.out)?;
                }
                tree(&mut self.out, entry, &self.style)?;
            }
            (Format::Hex, _) => {
                if self.frames > 1 {
                    writeln!(self.out)?;
                }
                hexdump(&mut self.out, entry, &self.style)?;
            }
            (Format::Table, _) if entry.group != Grouped::Not => {
                list_line(&mut self.out, entry, &self.style)?;
            }
            (Format::Table, Direction::Read) => self.read(entry)?,
            (Format::Table, _) if self.served => {
                served_line(&mut self.out, entry, &self.style)?;
            }
            (Format::Table, _) if self.live => list_line(&mut self.out, entry, &self.style)?,
            (Format::Table, _) => self.keep(entry),
            (Format::Ladder, _) => {
                let ladder = self.ladder.get_or_insert_with(Ladder::default);
                ladder.rung(&mut self.out, entry, &self.style)?;
                if entry.direction != Direction::Read {
                    self.keep(entry);
                }
            }
        }
        if let (Format::Tree | Format::Hex, Some(mark)) = (self.format, entry.group.mark()) {
            group::below(&mut self.out, entry, mark, &self.style)?;
        }
        if entry.direction == Direction::Received && entry.verdict == Verdict::Part {
            let message = Message::of(&entry.frame);
            if message.is_some_and(|it| it.message_type() == Some(ACK)) {
                self.ack = Some(Box::new(entry.clone()));
            }
        }
        if matches!(entry.direction, Direction::Sent | Direction::Received) {
            self.out.flush()?;
        }
        Ok(())
    }

    fn change(&mut self, change: &Change) -> io::Result<()> {
        match self.json {
            true => writeln!(self.out, "{}", servers::change_json(change))?,
            false => servers::change(&mut self.out, change, &self.style)?,
        }
        self.out.flush()
    }

    fn findings(&mut self, linted: &Linted) -> io::Result<()> {
        if self.json {
            for it in linted.findings {
                writeln!(self.out, "{}", lint::json(linted.file, it))?;
            }
            return Ok(());
        }
        let found = lint::Found::new(linted);
        if self.only_found {
            if linted.file != self.file.as_deref() {
                self.file = linted.file.map(str::to_string);
                lint::file(&mut self.out, linted.file.unwrap_or_default(), &self.style)?;
            }
            return found.tell(&mut self.out, true, &self.style);
        }
        let read = linted.entry.direction == Direction::Read;
        match self.format {
            // What builds the frame again, or one value, is all that standard output holds.
            _ if self.print.is_some() => found.tell(&mut self.err, true, &self.style),
            Format::Command | Format::Script => found.tell(&mut self.err, true, &self.style),
            Format::Tree | Format::Hex => found.tell(&mut self.out, false, &self.style),
            Format::Table if linted.entry.direction == Direction::Built => {
                found.tell(&mut self.out, false, &self.style)
            }
            Format::Table if (self.live || read) && self.alone.is_none() && !self.hidden => {
                found.tell(&mut self.out, false, &self.style)
            }
            _ => {
                if self.found.len() < KEPT {
                    self.found.push(found);
                }
                Ok(())
            }
        }
    }

    fn checked(&mut self, finding: &Finding) -> io::Result<()> {
        if self.json {
            writeln!(self.out, "{}", crate::view::conform::finding_json(finding))?;
            self.told += 1;
            self.out.flush()?;
        }
        Ok(())
    }

    fn observation(&mut self, seen: &Observation) -> io::Result<()> {
        if self.json {
            for it in &seen.clients {
                writeln!(self.out, "{}", client_json(it))?;
            }
            return Ok(());
        }
        match self.format {
            // What builds the frames again, or one value, is all that standard output holds.
            _ if self.print.is_some() => group::table(&mut self.err, seen, &self.style),
            Format::Command | Format::Script => group::table(&mut self.err, seen, &self.style),
            _ => group::table(&mut self.out, seen, &self.style),
        }
    }

    fn idle(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn notice(&mut self, text: &str) {
        if !self.quiet {
            // A notice that cannot be told is no reason to stop.
            let text = escape(text);
            let text = hang(&text, self.room);
            let _ = writeln!(BufWriter::new(&mut self.err), "{text}");
        }
    }
}
