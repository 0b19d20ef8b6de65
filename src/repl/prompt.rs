//! Reads lines and runs them.

use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rustyline::config::{BellStyle, CompletionType, Config};
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{ColorMode, Editor};

use super::helper::PromptHelper;
use super::line::{Line, chunks, classify};
use super::{history, topics, words};
use crate::commands::args::ColorChoice;
use crate::commands::census::Change;
use crate::commands::conform::Finding;
use crate::commands::lint::{Linted, Linting};
use crate::commands::outcome::{Ending, Entry, Observation, Sink};
use crate::commands::script::ReplArgs;
use crate::commands::{Command, Error, Outcome};
use crate::dhcp::Message;
use crate::dhcp::enums::{ACK, NAK, OFFER};
use crate::script::scapy::wrapped;
use crate::script::{
    Engine, Exchange, Host, Judge, Module, ScriptError, Yielded, command_line, echo_packets,
    host_for, value_of,
};
use crate::view::{Style, View};

/// Lines kept in the history file.
const KEPT: usize = 10_000;

/// A conversation under way.
struct Prompt<'a, 'v> {
    host: &'a Host,
    engine: &'a Engine<'a>,
    module: &'a Module<'v>,
    color: ColorChoice,
    /// The lines that ran without an error.
    said: Vec<String>,
}

/// Runs the prompt until it is left, and gives the exit code.
pub fn run(args: &ReplArgs, interrupted: Arc<AtomicBool>) -> u8 {
    let host = host_for(&args.talk, interrupted);
    host.converses.set(true);
    let engine = Engine::new(&host);
    let outcome = Module::with_temp_heap(|module| {
        let mut prompt = Prompt {
            host: &host,
            engine: &engine,
            module: &module,
            color: args.talk.color,
            // What the program was started with is a part of what a script must do.
            said: words::began(&args.talk),
        };
        prompt.read()
    });
    match outcome {
        Ok(()) => 0,
        Err(error) => {
            host.notice(&format!("dhcpcraft: the prompt: {error}"));
            1
        }
    }
}

impl Prompt<'_, '_> {
    fn read(&mut self) -> rustyline::Result<()> {
        let host = self.host;
        let config = Config::builder()
            .max_history_size(KEPT)?
            .history_ignore_dups(true)?
            .history_ignore_space(true)
            .completion_type(CompletionType::List)
            .bell_style(BellStyle::None)
            .color_mode(if host.style.get().color {
                ColorMode::Forced
            } else {
                ColorMode::Disabled
            })
            .build();
        let mut editor: Editor<PromptHelper, FileHistory> = Editor::with_config(config)?;
        editor.set_helper(Some(PromptHelper::new(
            self.engine,
            self.module,
            host.style.get().color,
        )));
        let history = history::file();
        if let Ok(path) = &history {
            // No history is no reason to have no prompt.
            let _ = editor.load_history(path);
        }
        if std::io::stdin().is_terminal() {
            host.notice("dhcpcraft: `help` tells what there is; Tab completes; Ctrl-D leaves");
            if host.settings.borrow().interface == "lab" {
                host.notice(
                    "lab: a DHCP server inside this process; `set interface NAME` for a real link",
                );
            }
            if let Err(reason) = &history {
                host.notice(&format!("the history of this prompt is not kept: {reason}"));
            }
        }
        let mut left_once = false;
        loop {
            let line = match editor.readline(&self.prompt()) {
                Ok(line) => line,
                Err(ReadlineError::Interrupted) => {
                    if !left_once {
                        host.notice("Ctrl-D leaves");
                    }
                    left_once = true;
                    continue;
                }
                Err(ReadlineError::Eof) => break,
                Err(error) => return Err(error),
            };
            left_once = false;
            if !line.trim().is_empty() {
                let _ = editor.add_history_entry(line.as_str());
                if let Ok(path) = &history {
                    let _ = editor.append_history(path);
                }
            }
            host.session.borrow().resume();
            // The window may have another width by now.
            host.style
                .set(Style::detect(self.color, std::io::stdout().is_terminal()));
            if matches!(classify(&line), Line::Word("exit" | "quit", _)) {
                break;
            }
            self.run_text(&line);
        }
        Ok(())
    }

    /// Link and state: `lab> `, `veth0 2 offers> `, `veth0 192.0.2.100> `.
    fn prompt(&self) -> String {
        let interface = self.host.settings.borrow().interface.clone();
        // Of a capture its name; where it is does not belong into every line.
        let interface = interface.rsplit('/').next().unwrap_or_default();
        let messages = self.host.session.borrow().received();
        let kind = |it: &crate::wire::Frame| Message::of(it).and_then(|it| it.message_type());
        let Some(last) = messages.last() else {
            return format!("{interface}> ");
        };
        let given = |it: &crate::wire::Frame| {
            let address = it.bootp().map(|it| it.yiaddr);
            address.filter(|ip| kind(it) == Some(ACK) && !ip.is_unspecified())
        };
        // The ACK to an INFORM gives no address, and leaves the lease as it was.
        let held = messages
            .iter()
            .rev()
            .find(|it| kind(it) != Some(ACK) || given(it).is_some());
        let address = given(last).or(held.and_then(given));
        match (kind(last), address) {
            (Some(ACK), Some(ip)) => format!("{interface} {ip}> "),
            (Some(NAK), _) => format!("{interface} nak> "),
            (Some(OFFER), _) => {
                let xid = last.bootp().map(|it| it.xid);
                let offers = messages
                    .iter()
                    .filter(|it| kind(it) == Some(OFFER) && it.bootp().map(|it| it.xid) == xid);
                match offers.count() {
                    1 => format!("{interface} 1 offer> "),
                    count => format!("{interface} {count} offers> "),
                }
            }
            _ => format!("{interface}> "),
        }
    }

    /// Runs what was typed or pasted: a line, or several of which each may be anything. The first that
    /// fails is the last that runs.
    fn run_text(&mut self, text: &str) {
        for chunk in chunks(text) {
            if !self.run_line(chunk, classify(chunk)) {
                return;
            }
        }
    }

    /// Runs a line, and says whether it went without an error.
    fn run_line(&mut self, text: &str, line: Line) -> bool {
        let done = match line {
            Line::Empty => return true,
            Line::Wrong(reason) => Err(reason),
            Line::Help(name) => {
                let text =
                    words::run(self.host, "help", &[name], &self.said).map_err(|it| it.to_string());
                text.and_then(|it| self.host.print(&it).map_err(|it| it.to_string()))
            }
            Line::Word(word, rest) => {
                let text =
                    words::run(self.host, word, &rest, &self.said).map_err(|it| it.to_string());
                text.and_then(|it| self.host.print(&it).map_err(|it| it.to_string()))
            }
            Line::Command(words) => match self.variable_to_show(&words) {
                Some(call) => {
                    return self.run_line(&call, Line::Source(call.clone()));
                }
                None => self.command(&words),
            },
            Line::Source(source) => self.source(&source).map_err(|it| it.text),
        };
        let stopped = self.host.session.borrow().interrupted();
        match done {
            Ok(()) => {
                self.said.push(text.trim_end().to_string());
                true
            }
            Err(_) if stopped => {
                self.host.session.borrow().resume();
                self.host.notice("interrupted");
                false
            }
            Err(reason) => {
                let reason = tidy(without_frame(&reason), self.host.style.get().width);
                self.host.notice(&reason);
                false
            }
        }
    }

    fn source(&mut self, source: &str) -> Result<(), ScriptError> {
        let value = self.engine.run(self.module, "prompt", source)?;
        if !value.is_none() {
            self.module.set("_", value);
        }
        echo_packets(self.host, value)?;
        self.answers();
        Ok(())
    }

    /// `show reply` shows the variable, where there is no such file.
    fn variable_to_show(&self, words: &[String]) -> Option<String> {
        match words {
            [show, name] if show == "show" && !Path::new(name).exists() => {
                let root = name.split(['.', '[']).next().unwrap_or_default();
                let known = self.module.get(root).is_some() && Engine::parses(name);
                known.then(|| format!("show({name})"))
            }
            _ => None,
        }
    }

    /// A command in its own words: printed as it happens.
    fn command(&mut self, words: &[String]) -> Result<(), String> {
        if words.iter().any(|it| it == "--help" || it == "-h") {
            let name = words.first().map(String::as_str).unwrap_or_default();
            let text = topics::topic(self.host, name).map_err(|it| it.to_string())?;
            return self.host.print(&text).map_err(|it| it.to_string());
        }
        if words.first().is_some_and(|it| it == "show") && reads_terminal(words) {
            return Err("show FILE, or the name of a variable: show reply".into());
        }
        let command = command_line(self.host, words)?;
        let mut view = words::view_of(self.host, &command);
        let mut tee = Tee {
            host: self.host,
            view: &mut view,
            yielded: Yielded::default(),
        };
        let judge = Judge::for_command(&command, self.host.session.borrow().interruption())
            .map_err(|it| it.to_string())?;
        let tally;
        let outcome = {
            let mut session = self.host.session.borrow_mut();
            if let Some(seed) = command.seed() {
                session.reseed(seed);
            }
            judge.filter(&mut session);
            let wanted = command.out().is_some_and(|it| it.lint);
            let mut linting = Linting::new(&mut tee, wanted);
            let outcome = command.run(&mut session, &mut linting);
            tally = linting.tally();
            session.admit_all();
            outcome
        };
        let yielded = tee.yielded;
        if let Some(error) = judge.failure() {
            // What came is no answer to what was asked, and its absence neither.
            self.host.session.borrow().resume();
            view.flush().map_err(|it| it.to_string())?;
            return Err(error.to_string());
        }
        // What came before an error is printed all the same.
        let printed = match &outcome {
            Ok(outcome) => view.outcome(outcome),
            Err(_) => view.flush(),
        };
        let outcome = outcome.map_err(|it: Error| it.to_string())?;
        printed.map_err(|it| it.to_string())?;
        if let Some(tally) = tally {
            view.notice(&format!("lint: {tally}"));
        }
        let mut told = Vec::new();
        if let Some(ending) = outcome.ending() {
            told = judge
                .told(&yielded, &outcome)
                .map_err(|it| it.to_string())?;
            if *ending == Ending::Interrupted {
                // The view has said so.
                self.host.session.borrow().resume();
            }
        }
        self.remember(&command, outcome, yielded);
        let told: Vec<String> = told.into_iter().map(|it| it.1).collect();
        match told.is_empty() {
            true => Ok(()),
            false => Err(told.join("\n")),
        }
    }

    fn remember(&mut self, command: &Command, outcome: Outcome, yielded: Yielded) {
        let value = value_of(command, outcome, yielded, self.module.heap());
        self.module.set("_", value);
        if Exchange::from_value(value).is_some() {
            let heap = self.module.heap();
            if let Ok(Some(it)) = value.get_attr("reply", heap) {
                self.module.set("reply", it);
            }
            if let Some(sent) = Exchange::from_value(value).and_then(|it| it.first_sent()) {
                self.module
                    .set("sent", heap.alloc(crate::script::packet_of(sent)));
            }
        }
        self.answers();
    }

    /// `answers`: what was received last.
    fn answers(&self) {
        let all = self.host.last_received();
        let answers: Vec<_> = all.iter().map(crate::script::packet_of).collect();
        self.module
            .set("answers", self.module.heap().alloc(answers));
    }
}

/// Whether `show` would read what is typed.
fn reads_terminal(words: &[String]) -> bool {
    std::io::stdin().is_terminal()
        && (words.len() == 1 || words.iter().any(|it| it == "-" || it == "--"))
}

/// An error without the call that the prompt itself is; calls inside functions stay.
fn without_frame(text: &str) -> &str {
    let own = text.strip_prefix("Traceback (most recent call last):\n  * prompt:");
    let rest = own
        .and_then(|it| it.split_once("\nerror: "))
        .filter(|it| !it.0.contains("\n  * "));
    rest.map_or(text, |it| it.1)
}

/// An error for a person: lines of prose broken between words, the source that they are about as it is.
fn tidy(text: &str, width: usize) -> String {
    let mut out: Vec<String> = Vec::new();
    for line in text.trim_end().lines() {
        let source = line.trim_start().starts_with(['|', '-']) || line.contains(" | ");
        if source || line.chars().count() <= width {
            out.push(line.to_string());
            continue;
        }
        let prose = line.trim_start();
        let indent = &line[..line.len() - prose.len()];
        out.push(wrapped(prose, indent, width).trim_end().to_string());
    }
    // The last line of a quotation has nothing in it.
    if out.last().is_some_and(|it| it.trim() == "|") {
        out.pop();
    }
    out.join("\n")
}

/// Prints entries as they come and keeps them.
struct Tee<'a> {
    host: &'a Host,
    view: &'a mut View,
    yielded: Yielded,
}

/// Entries of a command kept for scripts; of a large capture only the first ones.
const ENTRIES: usize = 20_000;

impl Sink for Tee<'_> {
    fn entry(&mut self, entry: &Entry) -> std::io::Result<()> {
        use crate::commands::outcome::Direction;
        if matches!(entry.direction, Direction::Sent | Direction::Received) {
            self.host.remember(entry);
        }
        if self.yielded.entries.len() < ENTRIES {
            self.yielded.entries.push(entry.clone());
        }
        self.view.entry(entry)
    }

    fn findings(&mut self, linted: &Linted) -> std::io::Result<()> {
        self.view.findings(linted)
    }

    fn change(&mut self, change: &Change) -> std::io::Result<()> {
        self.view.change(change)
    }

    fn checked(&mut self, finding: &Finding) -> std::io::Result<()> {
        self.view.checked(finding)
    }

    fn observation(&mut self, seen: &Observation) -> std::io::Result<()> {
        self.yielded.seen = Some(seen.clone());
        self.view.observation(seen)
    }

    /// The lab said at the start what it is.
    fn notice(&mut self, text: &str) {
        if !text.starts_with("lab") {
            self.view.notice(text);
        }
    }

    fn idle(&mut self) -> std::io::Result<()> {
        self.view.idle()
    }
}
