//! Reads lines and runs them.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rustyline::config::{BellStyle, CompletionType, Config};
use rustyline::error::ReadlineError;
use rustyline::history::FileHistory;
use rustyline::{ColorMode, Editor};

use super::helper::PromptHelper;
use super::line::{Line, classify};
use super::words;
use crate::commands::outcome::{Ending, Entry, Sink};
use crate::commands::script::ReplArgs;
use crate::commands::{Command, Error, Outcome};
use crate::dhcp::Message;
use crate::dhcp::enums::{ACK, OFFER};
use crate::script::{
    Engine, Exchange, Host, Module, ScriptError, command_line, echo, host_for, value_of,
};
use crate::view::View;

/// Lines kept in the history file.
const KEPT: usize = 10_000;

/// A conversation under way.
struct Prompt<'a, 'v> {
    host: &'a Host,
    engine: &'a Engine<'a>,
    module: &'a Module<'v>,
    /// The lines that ran without an error.
    said: Vec<String>,
}

/// Runs the prompt until it is left, and gives the exit code.
pub fn run(args: &ReplArgs, interrupted: Arc<AtomicBool>) -> u8 {
    let host = host_for(&args.talk, interrupted);
    let engine = Engine::new(&host);
    let outcome = Module::with_temp_heap(|module| {
        let mut prompt = Prompt {
            host: &host,
            engine: &engine,
            module: &module,
            said: Vec::new(),
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
            .color_mode(if host.style.color {
                ColorMode::Forced
            } else {
                ColorMode::Disabled
            })
            .build();
        let mut editor: Editor<PromptHelper, FileHistory> = Editor::with_config(config)?;
        editor.set_helper(Some(PromptHelper::new(
            self.engine,
            self.module,
            host.style.color,
        )));
        let history = history_file();
        if let Some(path) = &history {
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
                if let Some(path) = &history {
                    let _ = editor.append_history(path);
                }
            }
            host.session.borrow().resume();
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
        let messages = self.host.session.borrow().received();
        let kind = |it: &crate::wire::Frame| Message::of(it).and_then(|it| it.message_type());
        let Some(last) = messages.last() else {
            return format!("{interface}> ");
        };
        let address = last.bootp().map(|it| {
            if it.yiaddr.is_unspecified() {
                it.ciaddr
            } else {
                it.yiaddr
            }
        });
        match (kind(last), address) {
            (Some(ACK), Some(ip)) => format!("{interface} {ip}> "),
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

    /// Runs what was typed or pasted: a line, or several of which each may be anything.
    fn run_text(&mut self, text: &str) {
        let whole = classify(text);
        if text.contains('\n')
            && let Line::Source(source) = &whole
            && !Engine::parses(source)
        {
            // Commands among pasted lines.
            let each: Vec<Line> = text.lines().map(classify).collect();
            if each
                .iter()
                .any(|it| matches!(it, Line::Command(_) | Line::Word(..)))
            {
                for line in text.lines() {
                    if !self.run_line(line, classify(line)) {
                        return;
                    }
                }
                return;
            }
        }
        self.run_line(text, whole);
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
            Line::Command(words) => self.command(&words),
            Line::Source(source) => self.source(&source).map_err(|it| it.text),
        };
        let stopped = self.host.session.borrow().interrupted();
        match done {
            Ok(()) => {
                self.said.push(text.trim_end().to_string());
                true
            }
            Err(_) if stopped => {
                self.host.notice("interrupted");
                false
            }
            Err(reason) => {
                self.host.notice(without_frame(&reason));
                false
            }
        }
    }

    fn source(&mut self, source: &str) -> Result<(), ScriptError> {
        let value = self.engine.run(self.module, "prompt", source)?;
        if !value.is_none() {
            self.module.set("_", value);
        }
        echo(self.host, value)?;
        self.answers();
        Ok(())
    }

    /// A command in its own words: printed as it happens.
    fn command(&mut self, words: &[String]) -> Result<(), String> {
        if words.iter().any(|it| it == "--help" || it == "-h") {
            let name = words.first().map(String::as_str).unwrap_or_default();
            let text = words::topic(self.host, name).map_err(|it| it.to_string())?;
            return self.host.print(&text).map_err(|it| it.to_string());
        }
        let command = command_line(self.host, words)?;
        let mut view = words::view_of(self.host, &command);
        let mut tee = Tee {
            host: self.host,
            view: &mut view,
            entries: Vec::new(),
        };
        let outcome = {
            let mut session = self.host.session.borrow_mut();
            command.run(&mut session, &mut tee)
        };
        let entries = tee.entries;
        // What came before an error is printed all the same.
        let printed = match &outcome {
            Ok(outcome) => view.outcome(outcome),
            Err(_) => view.flush(),
        };
        let outcome = outcome.map_err(|it: Error| it.to_string())?;
        printed.map_err(|it| it.to_string())?;
        let interrupted = matches!(outcome, Outcome::Ran(Ending::Interrupted));
        self.remember(&command, outcome, entries);
        match interrupted {
            // The view has said so.
            true => {
                self.host.session.borrow().resume();
                Ok(())
            }
            false => Ok(()),
        }
    }

    fn remember(&mut self, command: &Command, outcome: Outcome, entries: Vec<Entry>) {
        let value = value_of(command, outcome, entries, self.module.heap());
        self.module.set("_", value);
        if Exchange::from_value(value).is_some() {
            for name in ["reply", "sent"] {
                if let Ok(Some(it)) = value.get_attr(name, self.module.heap()) {
                    self.module.set(name, it);
                }
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

/// An error without the call that the prompt itself is; calls inside functions stay.
fn without_frame(text: &str) -> &str {
    let own = text.strip_prefix("Traceback (most recent call last):\n  * prompt:");
    let rest = own
        .and_then(|it| it.split_once("\nerror: "))
        .filter(|it| !it.0.contains("\n  * "));
    rest.map_or(text, |it| it.1)
}

/// Prints entries as they come and keeps them.
struct Tee<'a> {
    host: &'a Host,
    view: &'a mut View,
    entries: Vec<Entry>,
}

/// Entries of a command kept for scripts; of a large capture only the first ones.
const ENTRIES: usize = 20_000;

impl Sink for Tee<'_> {
    fn entry(&mut self, entry: &Entry) -> std::io::Result<()> {
        use crate::commands::outcome::Direction;
        if matches!(entry.direction, Direction::Sent | Direction::Received) {
            self.host.remember(entry);
        }
        if self.entries.len() < ENTRIES {
            self.entries.push(entry.clone());
        }
        self.view.entry(entry)
    }

    /// The lab said at the start what it is.
    fn notice(&mut self, text: &str) {
        if !text.starts_with("lab") {
            self.view.notice(text);
        }
    }
}

/// The file of the history, readable by its owner alone; `None` where there is no home for it.
fn history_file() -> Option<PathBuf> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let directory = match std::env::var_os("XDG_STATE_HOME").filter(|it| !it.is_empty()) {
        Some(state) => PathBuf::from(state),
        None => PathBuf::from(std::env::var_os("HOME").filter(|it| !it.is_empty())?)
            .join(".local/state"),
    }
    .join("dhcpcraft");
    std::fs::create_dir_all(&directory).ok()?;
    let path = directory.join("history");
    let file = std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(&path)
        .ok()?;
    file.set_permissions(std::fs::Permissions::from_mode(0o600))
        .ok()?;
    let _ = std::io::stdout().flush();
    Some(path)
}
