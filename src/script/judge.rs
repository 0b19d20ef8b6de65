//! Expectations: expressions of the language over what a command yielded.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value as Json;
use starlark::values::Value;

use super::classes::CLASSES;
use super::engine::{Engine, Module, ScriptError};
use super::exchange::{Exchange, Yielded, packet_of, replies};
use super::host::Host;
use super::options::of_json;
use super::parts::{known, parts, shortened, whose};
use super::run::host_for;
use super::settled::had_it_succeeded;
use super::text::masked;
use crate::commands::census::Change;
use crate::commands::conform::Finding;
use crate::commands::diagnosis::Cause;
use crate::commands::lint::Linted;
use crate::commands::outcome::{Ending, Entry, Observation, Sink};
use crate::commands::script::TalkArgs;
use crate::commands::session::Session;
use crate::commands::{Command, Error, Outcome};
use crate::dhcp::options;
use crate::view::{Format, client_rows, server_rows};

/// What became of an expectation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The expression.
    pub expression: String,
    /// Whether it held.
    pub held: bool,
    /// Values of its parts, one a line, when it did not hold.
    pub values: Vec<String>,
}

/// Judges what a command yields by the expressions of its flags.
pub struct Judge {
    host: Rc<Host>,
    expectations: Vec<String>,
    condition: Option<String>,
    /// The first error of the condition on a message.
    failed: Rc<RefCell<Option<ScriptError>>>,
}

impl Judge {
    /// The judge that a command's flags ask for. An expression that does not parse is an error before
    /// anything is sent.
    pub fn for_command(command: &Command, interrupted: Arc<AtomicBool>) -> Result<Judge, Error> {
        let expectations = command.expectations();
        let condition = command.condition();
        let flags = expectations.iter().map(|it| ("--expect", it));
        for (flag, source) in flags.chain(condition.into_iter().map(|it| ("--where", it))) {
            if let Err(error) = Engine::check(source) {
                return Err(Error::Usage(format!("{flag}: {error}")));
            }
        }
        let args = TalkArgs {
            color: command.style().0,
            ..TalkArgs::default()
        };
        let host = host_for(&args, interrupted);
        for source in expectations {
            no_unknown_names(&host, "--expect", source, &["reply", "sent", "pkt"])?;
        }
        if let Some(source) = condition {
            no_unknown_names(&host, "--where", source, &["pkt"])?;
        }
        Ok(Judge {
            host: Rc::new(host),
            expectations: expectations.to_vec(),
            condition: condition.cloned(),
            failed: Rc::default(),
        })
    }

    /// Has the session take only what the condition holds for.
    pub fn filter(&self, session: &mut Session) {
        let Some(condition) = self.condition.clone() else {
            return;
        };
        let (host, failed) = (self.host.clone(), self.failed.clone());
        let stop = session.interruption();
        session.admit_only(move |entry| match holds(&host, &condition, entry) {
            Ok(holds) => holds,
            // Stopped in the middle of asking.
            Err(_) if stop.load(Ordering::Relaxed) => false,
            Err(error) => {
                failed.borrow_mut().get_or_insert(error);
                // There is nothing to wait for any more.
                stop.store(true, Ordering::Relaxed);
                false
            }
        });
    }

    /// Why the condition could not be asked; then what the command yielded means nothing.
    pub fn failure(&self) -> Option<Error> {
        let failed = self.failed.borrow();
        let text = &failed.as_ref()?.text;
        Some(Error::Usage(format!("--where: {text}")))
    }

    /// A sink that keeps the entries to be judged.
    pub fn keep<'a>(&self, inner: &'a mut dyn Sink) -> Kept<'a> {
        Kept {
            inner,
            wanted: !self.expectations.is_empty(),
            yielded: Yielded::default(),
        }
    }

    /// Whether every expectation holds; if one does not, it is told, and the exit code that says so is
    /// given.
    pub fn judge(&self, yielded: &Yielded, outcome: &Outcome) -> Result<Option<u8>, Error> {
        if let Some(error) = self.failure() {
            return Err(error);
        }
        Ok(match self.told(yielded, outcome)? {
            told if told.is_empty() => self.settles(yielded, outcome).then_some(0),
            told => {
                for (_, text) in &told {
                    self.host.notice(text);
                }
                told.iter().map(|it| it.0).max()
            }
        })
    }

    /// Whether a run in which every expectation holds is as it should be: it did not fail, or one of them is about
    /// that failure.
    pub fn settles(&self, yielded: &Yielded, outcome: &Outcome) -> bool {
        let Some(ending) = ending(outcome).filter(|_| !self.expectations.is_empty()) else {
            return false;
        };
        if ending.exit_code() == 0 {
            return true;
        }
        // A silence in which nothing got through is nobody's answer.
        if ending.causes().iter().any(Cause::is_deafness) {
            return false;
        }
        let Some(other) = had_it_succeeded(yielded, ending) else {
            return false;
        };
        let silent = replies(&yielded.entries).next().is_none();
        self.expectations.iter().any(|it| {
            // What is said of each reply says nothing where there is none.
            let vacuous = silent && it.contains(" for ");
            !vacuous && !one(&self.host, it, &other, Rows::default()).is_ok_and(|it| it.held)
        })
    }

    /// What is to be told of expectations that do not hold, each with the exit code that says it.
    pub fn told(&self, yielded: &Yielded, outcome: &Outcome) -> Result<Vec<(u8, String)>, Error> {
        if let Some(error) = self.failure() {
            return Err(error);
        }
        let mut told = Vec::new();
        let Some(ending) = ending(outcome) else {
            return Ok(told);
        };
        let exchange = Exchange::new(yielded.clone(), ending.clone(), Format::Table);
        let rows = match outcome {
            Outcome::Servers(found) => Some(("servers", server_rows(found))),
            Outcome::Clients(all) => Some(("clients", client_rows(all))),
            _ => None,
        };
        let rows = rows.as_ref().map(|it| (it.0, it.1.as_slice()));
        for expression in &self.expectations {
            match one(&self.host, expression, &exchange, rows) {
                Ok(verdict) if verdict.held => {}
                Ok(verdict) => {
                    let mut text = format!("expectation failed: {}", verdict.expression);
                    for value in verdict.values {
                        text.push_str(&format!("\n  {value}"));
                    }
                    told.push((1, text));
                }
                Err(error) => told.push((2, format!("--expect: {}", error.text))),
            }
        }
        Ok(told)
    }
}

/// An error where an expression names something that no packet has, before there is a packet to ask. `roots` are the
/// names of packets.
fn no_unknown_names(host: &Host, flag: &str, source: &str, roots: &[&str]) -> Result<(), Error> {
    for part in attributes(source, roots) {
        let engine = Engine::new(host);
        let found = Module::with_temp_heap(|module| {
            let whole = engine.run(&module, flag, "Ether() / IP() / UDP() / BOOTP() / DHCP()")?;
            for root in roots {
                module.set(root, whole);
            }
            engine.run(&module, flag, part).map(|_| ())
        });
        if let Err(error) = found
            && first_line(&error.text).contains("has no attribute")
            && !lacks(&error.text)
        {
            return Err(Error::Usage(format!("{flag}: {}", error.text)));
        }
    }
    Ok(())
}

/// The attributes that an expression asks of packets with these names: `pkt.router`. None where it gives one of the
/// names to something else.
fn attributes<'a>(source: &'a str, roots: &[&str]) -> Vec<&'a str> {
    let code = masked(source);
    let is_name = |it: char| it.is_alphanumeric() || it == '_';
    let words = code.split(|it| !is_name(it));
    if words.clone().any(|it| it == "lambda" || it == "for") {
        return Vec::new();
    }
    let mut found = Vec::new();
    for root in roots {
        for (at, _) in code.match_indices(root) {
            let before = code.get(..at).unwrap_or_default();
            let after = code.get(at + root.len()..).unwrap_or_default();
            let whole = !before.ends_with(|it| is_name(it) || it == '.');
            let Some(name) = after.strip_prefix('.').filter(|_| whole) else {
                continue;
            };
            let len = name.find(|it| !is_name(it)).unwrap_or(name.len());
            found.extend(source.get(at..at + root.len() + 1 + len));
        }
    }
    found
}

/// How a run ended that expectations can speak of.
fn ending(outcome: &Outcome) -> Option<&Ending> {
    let ending = match outcome {
        Outcome::Clients(all) if all.exit_code() != 130 => Some(&Ending::Done),
        other => other.ending(),
    };
    ending.filter(|it| it.exit_code() != 130)
}

/// The rows of a table, by the name that expectations call it.
type Rows<'a> = Option<(&'static str, &'a [Json])>;

/// Entries that expectations can speak of; of a large capture only the first ones.
const KEPT: usize = 20_000;

/// Passes entries on and keeps them.
pub struct Kept<'a> {
    inner: &'a mut dyn Sink,
    wanted: bool,
    /// What was yielded.
    pub yielded: Yielded,
}

impl Sink for Kept<'_> {
    fn entry(&mut self, entry: &Entry) -> std::io::Result<()> {
        if self.wanted && self.yielded.entries.len() < KEPT {
            self.yielded.entries.push(entry.clone());
        }
        self.inner.entry(entry)
    }

    fn findings(&mut self, linted: &Linted) -> std::io::Result<()> {
        self.inner.findings(linted)
    }

    fn checked(&mut self, finding: &Finding) -> std::io::Result<()> {
        self.inner.checked(finding)
    }

    fn observation(&mut self, seen: &Observation) -> std::io::Result<()> {
        if self.wanted {
            self.yielded.seen = Some(seen.clone());
        }
        self.inner.observation(seen)
    }

    fn notice(&mut self, text: &str) {
        self.inner.notice(text);
    }

    fn change(&mut self, change: &Change) -> std::io::Result<()> {
        self.inner.change(change)
    }

    fn idle(&mut self) -> std::io::Result<()> {
        self.inner.idle()
    }
}

/// Whether an expression about one packet, `pkt`, is true.
fn holds(host: &Host, expression: &str, entry: &Entry) -> Result<bool, ScriptError> {
    let engine = Engine::new(host);
    Module::with_temp_heap(|module| {
        module.set("pkt", module.heap().alloc(packet_of(entry)));
        match engine.run(&module, "--where", expression) {
            Ok(value) => Ok(value.to_bool()),
            Err(error) if lacks(&error.text) || absent(&error.text) => Ok(false),
            Err(error) => Err(error),
        }
    })
}

/// Whether an error says that a packet lacks a layer, a field or an option that others have: of such a
/// packet a condition does not hold. A name that no packet has is an error.
fn lacks(error: &str) -> bool {
    let first = first_line(error);
    if first.starts_with("no layer ") {
        return true;
    }
    let name = first
        .strip_prefix("Object of type `packet` has no attribute `")
        .and_then(|it| it.split('`').next());
    name.is_some_and(|name| {
        options::by_name(name).is_ok()
            || options::by_name(&name.replace('_', "-")).is_ok()
            || CLASSES.iter().any(|it| it.field(name).is_some())
    })
}

/// Whether an error says that something is not there, as an option that a server left out: of what is not
/// there nothing holds.
fn absent(error: &str) -> bool {
    let first = first_line(error);
    first.contains("NoneType") || first.contains("out of bound")
}

/// What an error says before it says where.
fn first_line(error: &str) -> &str {
    let first = error.lines().find(|it| !it.trim().is_empty());
    first.unwrap_or_default().trim()
}

fn one(
    host: &Host,
    expression: &str,
    exchange: &Exchange,
    rows: Rows,
) -> Result<Verdict, ScriptError> {
    let engine = Engine::new(host);
    Module::with_temp_heap(|module| {
        let heap = module.heap();
        let value = heap.alloc(exchange.clone());
        let attribute = |name: &str| {
            value
                .get_attr(name, heap)
                .ok()
                .flatten()
                .unwrap_or_else(Value::new_none)
        };
        module.set("reply", attribute("reply"));
        module.set("replies", attribute("replies"));
        module.set("pkt", attribute("reply"));
        let sent = exchange.first_sent();
        module.set(
            "sent",
            sent.map_or(Value::new_none(), |it| heap.alloc(packet_of(it))),
        );
        module.set("exchange", value);
        if let Some((name, rows)) = rows {
            let rows: Vec<_> = rows.iter().map(|it| of_json(it, heap)).collect();
            module.set(name, heap.alloc(rows));
        }
        // Without an answer nothing can be said of it.
        let nobody = match rows {
            Some((name, [])) if expression.contains(name) => Some("no server answered"),
            _ if exchange.answer().is_some() => None,
            _ if exchange.replies().next().is_none() => Some("there was no reply"),
            _ => Some("the last message was not answered"),
        };
        let mut missing = None;
        let held = match engine.run(&module, "--expect", expression) {
            Ok(value) => value.to_bool(),
            Err(error) if absent(&error.text) => {
                missing = error
                    .text
                    .lines()
                    .map(str::trim)
                    .find(|it| !it.is_empty())
                    .map(String::from);
                false
            }
            Err(_)
                if nobody.is_some()
                    && ["reply", "servers"]
                        .iter()
                        .any(|it| expression.contains(it)) =>
            {
                false
            }
            Err(error) => return Err(error),
        };
        let mut values = Vec::new();
        if !held {
            for part in parts(expression) {
                if let Some((part, value)) = known(&part, |it| engine.run(&module, "--expect", it))
                {
                    let place = whose(&part, exchange);
                    // Of an index beyond the end the number tells more.
                    values.push(match value.length() {
                        Ok(0) if part == "servers" => "no server answered".to_string(),
                        Ok(length) if part == "replies" => format!("len(replies) is {length}"),
                        _ => format!("{part} is {}{place}", shortened(value.to_repr())),
                    });
                }
            }
            values.dedup();
            if values.is_empty() {
                values.extend(nobody.map(String::from).or(missing));
            }
        }
        Ok(Verdict {
            expression: expression.to_string(),
            held,
            values,
        })
    })
}
