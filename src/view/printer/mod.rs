//! Prints what a command yields, as the format asked for has it.

mod sink;

use std::io::{self, Write};
use std::path::PathBuf;

use super::{
    Ladder, Style, clients, comparison, conform, diagnosis, escape, hang, json, lease_box, lint,
    list_line, lookup, lookup_json, notice_width, replay, replies_table, server_rows, servers,
    source, summary, tree,
};
use crate::commands::args::Format;
use crate::commands::diagnosis::Cause;
use crate::commands::outcome::{Clients, Direction, Ending, Entry, Silence, Verdict};
use crate::commands::replayed::Replayed;
use crate::commands::servers::Found;
use crate::commands::{Command, Error, Outcome};

/// Replies kept in full for the table at the end; of more there is only the number.
const KEPT: usize = 4096;

/// Prints what a command yields.
pub struct View {
    format: Format,
    style: Style,
    out: Box<dyn Write>,
    err: Box<dyn Write>,
    quiet: bool,
    print: Option<String>,
    json: bool,
    /// Sent and received entries, for what is printed at the end.
    kept: Vec<Entry>,
    beyond: u64,
    /// What the last NAK says.
    refusal: Option<String>,
    /// The first frame read, until it is known whether there are more.
    alone: Option<Box<Entry>>,
    /// What is to be said of frames that are shown later.
    found: Vec<lint::Found>,
    /// The file that findings were last told of.
    file: Option<String>,
    /// Whether frames are shown only for what is found in them.
    only_found: bool,
    frames: u64,
    ladder: Option<Ladder>,
    ack: Option<Box<Entry>>,
    /// Whether frames of a link are listed as they come, not gathered for a table.
    live: bool,
    /// Whether they are a server's, and listed by client.
    served: bool,
    /// Values printed of frames read or built.
    printed: u64,
    /// Rows of the outcome that were printed as they came.
    told: usize,
    /// Whether frames are not shown, only what came of them.
    hidden: bool,
    /// The capture that the run writes.
    capture: Option<PathBuf>,
    /// Columns of the terminal that notices go to; `None` where they go to no terminal.
    room: Option<usize>,
    /// Writes `--format script`; the language is a floor above and says how.
    script: fn(&Entry) -> String,
}

impl View {
    /// A view that prints in `format`.
    pub fn new(format: Format, style: Style, out: Box<dyn Write>, err: Box<dyn Write>) -> Self {
        View {
            format,
            style,
            out,
            err,
            quiet: false,
            print: None,
            json: format == Format::Json,
            kept: Vec::new(),
            beyond: 0,
            told: 0,
            refusal: None,
            alone: None,
            found: Vec::new(),
            file: None,
            only_found: false,
            frames: 0,
            ladder: None,
            ack: None,
            live: false,
            served: false,
            printed: 0,
            hidden: false,
            capture: None,
            room: None,
            script: source::command,
        }
    }

    /// Has entries written in the language by `write`.
    pub fn script_with(&mut self, write: fn(&Entry) -> String) {
        self.script = write;
    }

    /// The view that a command's flags ask for.
    pub fn for_command(command: &Command, terminal: bool, out: Box<dyn Write>) -> Self {
        let (color, json) = command.style();
        let style = Style::detect(color, terminal);
        let default = match command {
            Command::Dora(_) => Format::Ladder,
            _ => Format::Table,
        };
        let format = command.out().map_or(default, |it| it.format_or(default));
        let mut view = View::new(format, style, out, Box::new(io::stderr()));
        view.room = notice_width();
        view.json = json || format == Format::Json;
        view.only_found = matches!(command, Command::Lint(_));
        view.live = match command {
            Command::Serve(_) | Command::Relay(_) | Command::Sniff(_) => true,
            Command::Replay(args) => args.stands_in(),
            _ => false,
        };
        view.served = matches!(command, Command::Serve(_));
        // Of many clients each is a row of a table, not rungs of a ladder.
        let told = command
            .out()
            .is_some_and(|it| it.json || it.format.is_some());
        view.hidden = matches!(command, Command::Dora(args) if args.many()) && !told;
        if let Some(args) = command.out() {
            view.quiet = args.quiet;
            view.print.clone_from(&args.print);
            view.capture.clone_from(&args.write);
        }
        match command {
            // Recorded and live replies side by side are the result, not the frames one by one.
            Command::Replay(args) if !args.stands_in() => {
                let side_by_side = matches!(format, Format::Table | Format::Json);
                view.hidden = side_by_side && view.print.is_none() && !args.dry();
            }
            Command::Convert(args) => view.quiet = args.quiet,
            Command::Servers(args) => {
                view.quiet = args.quiet;
                view.capture.clone_from(&args.write);
                // The servers are the result, not the frames they were found by.
                view.hidden = true;
            }
            _ => {}
        }
        view
    }

    /// Prints in this style, unless the command's own flags say otherwise.
    pub fn restyle(&mut self, command: &Command, style: Style) {
        if command.style().0 == crate::commands::args::ColorChoice::Auto {
            self.style = style;
        }
    }

    /// Prints what stands at the end.
    pub fn outcome(&mut self, outcome: &Outcome) -> Result<(), Error> {
        self.last_rungs()?;
        match outcome {
            Outcome::Ran(ending) => self.finish(ending)?,
            Outcome::Converted(it) => {
                if !self.quiet {
                    let plural = if it.frames == 1 { "frame" } else { "frames" };
                    let to = escape(&it.to.to_string_lossy());
                    self.tell(&format!("{} {plural} written to {to}", it.frames))?;
                }
            }
            Outcome::Options(_)
            | Outcome::Topics(_)
            | Outcome::Links(_)
            | Outcome::Differences(_)
            | Outcome::Compared(_)
            | Outcome::Rules(_)
            | Outcome::Faults
            | Outcome::Conformance(_)
                if self.json =>
            {
                for row in lookup_json(outcome).iter().skip(self.told) {
                    writeln!(self.out, "{row}")?;
                }
            }
            Outcome::Servers(found) => self.servers(found)?,
            Outcome::Replayed(it) => self.replayed(it)?,
            Outcome::Clients(all) => self.clients(all)?,
            Outcome::Conformance(it) => conform::report(&mut self.out, it, &self.style)?,
            Outcome::Differences(rows) => lookup::differences(&mut self.out, rows, &self.style)?,
            Outcome::Compared(all) => comparison::table(&mut self.out, all, &self.style)?,
            Outcome::Linted(tally) => {
                if !self.json {
                    lint::tally(&mut self.out, tally, self.file.is_some(), &self.style)?;
                }
            }
            Outcome::Faults => lookup::faults(&mut self.out, &self.style)?,
            Outcome::Rules(rules) => lint::rules(&mut self.out, rules, &self.style)?,
            Outcome::Options(rows) => lookup::options(&mut self.out, rows, &self.style)?,
            Outcome::Topics(topics) => {
                for (index, topic) in topics.iter().enumerate() {
                    if index > 0 {
                        writeln!(self.out)?;
                    }
                    lookup::topic(&mut self.out, topic, &self.style)?;
                }
            }
            Outcome::Links(links) => lookup::links(&mut self.out, links, &self.style)?,
        }
        self.flush()
    }

    /// Prints what waits to be printed.
    pub fn flush(&mut self) -> Result<(), Error> {
        self.list_first()?;
        self.last_rungs()?;
        self.out.flush()?;
        self.err.flush()?;
        Ok(())
    }

    fn finish(&mut self, ending: &Ending) -> Result<(), Error> {
        if let Some(entry) = self.alone.take() {
            tree(&mut self.out, &entry, &self.style)?;
            self.tell_found(false)?;
        }
        if let Some(what) = self.print.clone() {
            return self.print_value(&what, ending);
        }
        match self.format {
            Format::Table => {
                let replies: Vec<&Entry> = self
                    .kept
                    .iter()
                    .filter(|it| it.direction == Direction::Received)
                    .collect();
                if !replies.is_empty() {
                    replies_table(&mut self.out, &replies, &self.style)?;
                }
                if self.beyond > 0 {
                    writeln!(self.out, "… and {} more frames", self.beyond)?;
                }
                if self.kept.iter().all(|it| it.direction == Direction::Sent) {
                    for entry in self.kept.iter().filter(|it| it.frame.bootp().is_some()) {
                        writeln!(self.out, "sent {}", summary(entry))?;
                    }
                }
            }
            Format::Ladder => {
                if let (Ending::Bound | Ending::Stopped, Some(ack)) = (ending, &self.ack) {
                    lease_box(&mut self.out, ack, &self.style)?;
                }
            }
            Format::Json => {
                if let Some(failed) = diagnosis::ending_json(ending) {
                    json::object_line(&mut self.out, &failed)?;
                }
            }
            _ => {}
        }
        self.tell_found(true)?;
        self.out.flush()?;
        self.ending(ending)?;
        Ok(())
    }

    /// Tells a person something, on lines that the terminal has room for.
    fn tell(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.err, "{}", hang(text, self.room))
    }

    /// Says how it ended, where what was printed does not.
    fn ending(&mut self, ending: &Ending) -> io::Result<()> {
        if self.quiet {
            return Ok(());
        }
        match ending {
            Ending::Done | Ending::Bound => Ok(()),
            Ending::Refused(causes) => {
                let said = self.refusal.as_deref().unwrap_or("NAK");
                let text = format!("refused: {said}   (`dhcpcraft explain nak`)");
                self.tell(&text)?;
                self.causes(causes)
            }
            Ending::Declined { by, causes } => {
                let by = escape(by);
                self.tell(&format!("declined: {by}; no other address was tried"))?;
                self.causes(causes)
            }
            Ending::Interrupted => writeln!(self.err, "interrupted"),
            Ending::Stopped => writeln!(self.err, "interrupted while the lease was held"),
            Ending::NoReply(silence) => self.silence(silence),
        }
    }

    /// What became of many clients, and why some failed.
    fn clients(&mut self, all: &Clients) -> Result<(), Error> {
        match self.json {
            true => {
                let failure = clients::failure_json(all);
                for it in all.results.iter().map(clients::json).chain(failure) {
                    writeln!(self.out, "{it}")?;
                }
            }
            false => {
                if !self.hidden && self.frames > 0 {
                    writeln!(self.out)?;
                }
                clients::table(&mut self.out, &all.results, &self.style)?;
            }
        }
        self.out.flush()?;
        if !self.quiet {
            clients::failure(&mut self.err, all, self.capture.as_deref(), &self.style)?;
        }
        match all.interrupted {
            true => Ok(self.ending(&Ending::Interrupted)?),
            false => Ok(()),
        }
    }

    fn servers(&mut self, found: &Found) -> Result<(), Error> {
        if found.interrupted && found.census.rows.is_empty() {
            return Ok(self.ending(&Ending::Interrupted)?);
        }
        match self.json {
            true => {
                // Changes were printed as they came.
                let lacking = servers::lacking_json(found);
                for it in server_rows(found).into_iter().chain(lacking) {
                    writeln!(self.out, "{it}")?;
                }
            }
            false => {
                if found.watched && !found.changes.is_empty() {
                    writeln!(self.out)?;
                }
                servers::table(&mut self.out, &found.census, &self.style)?;
            }
        }
        self.out.flush()?;
        if !self.quiet {
            let capture = self.capture.as_deref();
            servers::told(&mut self.err, found, capture, &self.style)?;
        }
        match found.interrupted {
            true => Ok(self.ending(&Ending::Interrupted)?),
            false => Ok(()),
        }
    }

    /// What was replayed: the frames of the run are its result only where their format was asked for.
    fn replayed(&mut self, it: &Replayed) -> Result<(), Error> {
        if let Some(what) = self.print.clone() {
            return self.print_value(&what, &it.ending);
        }
        if self.json {
            for row in replay::json(it) {
                writeln!(self.out, "{row}")?;
            }
        } else if self.hidden {
            replay::table(&mut self.out, it, &self.style)?;
        }
        self.out.flush()?;
        Ok(self.ending(&it.ending)?)
    }

    fn silence(&mut self, silence: &Silence) -> io::Result<()> {
        let times = match silence.tries {
            1 => "once".to_string(),
            tries => format!("{tries} times"),
        };
        let waited = summary::duration(silence.waited);
        // A client between two tries waits for nothing.
        if silence.tries > 0 {
            writeln!(self.err, "no reply: sent {times}, waited {waited}")?;
        }
        self.causes(&silence.causes)
    }

    fn causes(&mut self, causes: &[Cause]) -> io::Result<()> {
        diagnosis::causes(&mut self.err, causes, self.capture.as_deref(), &self.style)
    }

    fn print_value(&mut self, what: &str, ending: &Ending) -> Result<(), Error> {
        let frames = self.kept.iter().filter(|it| match it.direction {
            Direction::Received => {
                it.verdict == Verdict::Part && it.frame.bootp().is_some_and(|bootp| bootp.op == 2)
            }
            _ => false,
        });
        let mut frames: Vec<&Entry> = frames.collect();
        match ending {
            Ending::Bound | Ending::Stopped | Ending::Refused(_) => {
                frames.drain(..frames.len().saturating_sub(1));
            }
            // An offer that led to nothing is no value to go on with.
            Ending::NoReply(_) | Ending::Declined { .. } => frames.clear(),
            _ => {}
        }
        let values: Vec<_> = frames
            .iter()
            .map(|it| lookup::value(&it.frame, what))
            .collect();
        let refused = matches!(ending, Ending::Refused(_));
        let held = values.iter().filter_map(|it| it.as_ref().ok());
        // A NAK has its reason, and no address to go on with.
        let held = held.filter(|it| !refused || *it != "0.0.0.0");
        for value in held.clone() {
            self.value(what, value)?;
        }
        match values.first() {
            // Of several replies those count that hold the value.
            Some(_) if held.count() > 0 => {}
            Some(Err(reason)) if !refused => return Err(Error::Missing(reason.clone())),
            _ if self.frames > 0 && self.printed == 0 && self.kept.is_empty() => {
                let reason = match self.frames {
                    1 => format!("the frame holds no `{what}`"),
                    frames => format!("none of the {frames} frames holds `{what}`"),
                };
                return Err(Error::Missing(reason));
            }
            _ => self.ending(ending)?,
        }
        self.out.flush()?;
        Ok(())
    }

    /// Prints one value; as an object where JSON is asked for.
    fn value(&mut self, what: &str, value: &str) -> io::Result<()> {
        match self.format {
            Format::Json => writeln!(self.out, "{}", serde_json::json!({ what: value })),
            _ => writeln!(self.out, "{value}"),
        }
    }

    fn keep(&mut self, entry: &Entry) {
        if self.kept.len() < KEPT {
            self.kept.push(entry.clone());
        } else {
            self.beyond += 1;
        }
    }

    /// A frame that was read: printed as it comes, and alone as a tree.
    fn read(&mut self, entry: &Entry) -> io::Result<()> {
        if self.frames == 1 {
            self.alone = Some(Box::new(entry.clone()));
            return Ok(());
        }
        self.list_first()?;
        list_line(&mut self.out, entry, &self.style)
    }

    /// Lists the first frame, now that it is known not to be the only one.
    fn list_first(&mut self) -> io::Result<()> {
        if let Some(first) = self.alone.take() {
            list_line(&mut self.out, &first, &self.style)?;
            self.tell_found(false)?;
        }
        Ok(())
    }

    /// Prints the rungs of a ladder that had no message.
    fn last_rungs(&mut self) -> io::Result<()> {
        match &mut self.ladder {
            Some(ladder) => ladder.finish(&mut self.out, &self.style),
            None => Ok(()),
        }
    }

    /// Tells what waits to be told, with the frames that it is about where they do not stand above it.
    fn tell_found(&mut self, named: bool) -> io::Result<()> {
        for it in std::mem::take(&mut self.found) {
            it.tell(&mut self.out, named, &self.style)?;
        }
        Ok(())
    }
}
