//! Every command as a function: the same parameters, through the same definition of the command line.

use std::fmt;

use allocative::Allocative;
use starlark::environment::GlobalsBuilder;
use starlark::eval::{Arguments, Evaluator};
use starlark::starlark_simple_value;
use starlark::values::list::ListRef;
use starlark::values::{
    Heap, NoSerialize, ProvidesStaticType, StarlarkValue, Value, starlark_value,
};

use super::bytes::Bytes;
use super::engine::command_error;
use super::exchange::{Exchange, Yielded, default_format};
use super::judge::Judge;
use super::packet::Packet;
use super::{Host, error, host, reply};
use crate::commands::lint;
use crate::commands::outcome::{Entry, Observation, Sink};
use crate::commands::{Command, Outcome};
use crate::dhcp::lint::Severity;
use crate::view::lookup_json;

/// Commands whose names are functions that do more.
const OWN: &[&str] = &["show", "sniff", "diff", "lint"];

/// Commands that with a packet in front build what follows it: `offer(req)`.
const FOLLOWING: &[&str] = &[
    "discover", "offer", "request", "ack", "nak", "decline", "release", "inform",
];

/// Whether a command has a flag.
fn takes(command: &clap::Command, flag: &str) -> bool {
    command.get_arguments().any(|it| it.get_id() == flag)
}

/// Whether a word is a command of the command line.
pub fn is_command(word: &str) -> bool {
    Command::definitions()
        .iter()
        .any(|it| it.get_name() == word)
}

/// Adds a function for every command.
pub fn register(builder: &mut GlobalsBuilder) {
    for command in Command::definitions() {
        if !OWN.contains(&command.get_name()) {
            builder.set(
                command.get_name(),
                CommandFunction(command.get_name().to_string()),
            );
        }
    }
}

/// A command as a function.
#[derive(Clone, Debug, ProvidesStaticType, NoSerialize, Allocative)]
pub struct CommandFunction(String);

starlark_simple_value!(CommandFunction);

impl fmt::Display for CommandFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<command {0}; help {0}>", self.0)
    }
}

#[starlark_value(type = "command")]
impl<'v> StarlarkValue<'v> for CommandFunction {
    fn invoke(
        &self,
        _me: Value<'v>,
        args: &Arguments<'v, '_>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let heap = eval.heap();
        let host = host(eval)?;
        let named: Vec<(String, Value)> = args
            .names_map()?
            .into_iter()
            .map(|it| (it.0.as_str().to_string(), it.1))
            .collect();
        let positions: Vec<Value> = args.positions(heap)?.collect();
        call(host, &self.0, &positions, &named, heap)
    }
}

/// Calls a command with parameters.
pub fn call<'v>(
    host: &Host,
    name: &str,
    positions: &[Value<'v>],
    named: &[(String, Value<'v>)],
    heap: Heap<'v>,
) -> starlark::Result<Value<'v>> {
    let mut words = vec![name.to_string()];
    let followed = positions.first().and_then(|it| Packet::from_value(*it));
    let followed = followed.filter(|_| FOLLOWING.contains(&name));
    if let Some(packet) = followed {
        let named: starlark::Result<Vec<_>> = named
            .iter()
            .filter(|it| !it.1.is_none())
            .map(|it| Ok((it.0.clone(), word(it.1, 0)?)))
            .collect();
        words.extend(reply::following(host, name, packet, &named?)?);
    }
    for (name, value) in named {
        words.extend(flag(name, *value)?);
    }
    for value in positions.iter().skip(usize::from(followed.is_some())) {
        words.push(word(*value, 0)?);
    }
    let command = command_line(host, &words).map_err(error)?;
    let mut collect = Collect {
        host,
        yielded: Yielded::default(),
    };
    let interruption = host.session.borrow().interruption();
    let judge = Judge::for_command(&command, interruption).map_err(command_error)?;
    let outcome = {
        let mut session = host.session.borrow_mut();
        if let Some(seed) = command.seed() {
            session.reseed(seed);
        }
        judge.filter(&mut session);
        let outcome = command.run(&mut session, &mut collect);
        session.admit_all();
        outcome
    };
    if let Some(error) = judge.failure() {
        host.session.borrow().resume();
        return Err(command_error(error));
    }
    let outcome = outcome.map_err(command_error)?;
    let told = judge
        .told(&collect.yielded, &outcome)
        .map_err(command_error)?;
    if !told.is_empty() {
        let told: Vec<String> = told.into_iter().map(|it| it.1).collect();
        return Err(error(told.join("\n")));
    }
    if let Outcome::Replayed(it) = &outcome
        && it.exit_code() == 1
    {
        let told = it.differing();
        return Err(error(format!("replies are not the recorded ones: {told}")));
    }
    if command.out().is_some_and(|it| it.lint) {
        let found = lint::findings(&collect.yielded.entries);
        let told = found
            .iter()
            .filter(|it| it.rule.severity >= Severity::Warning);
        let told: Vec<String> = told.map(ToString::to_string).collect();
        if !told.is_empty() {
            return Err(error(told.join("\n")));
        }
    }
    if let (true, [entry]) = (followed.is_some(), collect.yielded.entries.as_slice()) {
        // To be edited: lengths and checksums that are right follow, in place of being set.
        let mut frame = entry.frame.clone();
        frame.relax();
        return Ok(heap.alloc(Packet::of_frame(
            &frame,
            Some(entry.at),
            entry.comment.clone(),
        )));
    }
    Ok(value_of(&command, outcome, collect.yielded, heap))
}

/// A parameter as the words of its flag.
fn flag(name: &str, value: Value) -> starlark::Result<Vec<String>> {
    let name = name.trim_end_matches('_').replace('_', "-");
    if value.is_none() || value.unpack_bool() == Some(false) {
        return Ok(Vec::new());
    }
    if value.unpack_bool() == Some(true) {
        return Ok(vec![format!("--{name}")]);
    }
    let values: Vec<Value> = match ListRef::from_value(value) {
        Some(list) => list.iter().collect(),
        None => vec![value],
    };
    values
        .into_iter()
        .map(|it| Ok(format!("--{name}={}", word(it, 0)?)))
        .collect()
}

/// A value as the command line writes it.
fn word(value: Value, depth: usize) -> starlark::Result<String> {
    // A list may hold itself.
    if depth > 8 {
        return Err(error(
            "a list in lists does not nest this deeply on a command line",
        ));
    }
    if let Some(packet) = Packet::from_value(value) {
        return Ok(format!("hex:{}", hex::encode(packet.encode())));
    }
    if let Some(bytes) = Bytes::of(value) {
        return Ok(format!("hex:{}", hex::encode(bytes)));
    }
    if let Some(list) = ListRef::from_value(value) {
        let words: Result<Vec<_>, _> = list.iter().map(|it| word(it, depth + 1)).collect();
        return Ok(words?.join(","));
    }
    Ok(value.to_str())
}

/// The command that words mean, with what the conversation goes on with put in where nothing is named.
pub fn command_line(host: &Host, words: &[String]) -> Result<Command, String> {
    let mut words = words.to_vec();
    let settings = host.settings.borrow();
    if let Some(definition) = Command::definitions()
        .iter()
        .find(|it| Some(it.get_name()) == words.first().map(String::as_str))
    {
        let named = |short: &str, long: &str| {
            let long = format!("--{long}");
            words
                .iter()
                .any(|it| it.starts_with(&long) || (!it.starts_with("--") && it.starts_with(short)))
        };
        let mut more = Vec::new();
        if takes(definition, "interface") && !named("-i", "interface") {
            more.push(format!("--interface={}", settings.interface));
        }
        if let Some(mac) = &settings.mac
            && takes(definition, "chaddr")
            && !named("\0", "chaddr")
            && !named("\0", "mac")
        {
            more.push(format!("--chaddr={mac}"));
        }
        words.splice(1..1, more);
    }
    let command = Command::parse_words(&words).map_err(|it| {
        let text = it.to_string();
        let text = text.strip_prefix("error: ").unwrap_or(&text);
        // How to get help is another matter here than in a shell.
        let (text, _) = text
            .split_once("\n\nFor more information, try")
            .unwrap_or((text, ""));
        text.replace("Usage: dhcpcraft ", "Usage: ")
            .trim_end()
            .to_string()
    })?;
    match command.monitoring() {
        Ok(None) => Ok(command),
        _ => Err(
            "--nagios is for a monitoring system, which calls `dhcpcraft` itself; \
                  here there are --expect and assertions"
                .into(),
        ),
    }
}

/// Gathers what a command yields; notices go to standard error.
pub struct Collect<'a> {
    /// Whose conversation it is.
    pub host: &'a Host,
    /// What was yielded.
    pub yielded: Yielded,
}

impl Sink for Collect<'_> {
    fn entry(&mut self, entry: &Entry) -> std::io::Result<()> {
        let number = self.host.remember(entry);
        self.yielded.entries.push(Entry {
            number,
            ..entry.clone()
        });
        Ok(())
    }

    fn observation(&mut self, seen: &Observation) -> std::io::Result<()> {
        self.yielded.seen = Some(seen.clone());
        Ok(())
    }

    /// Functions say nothing by themselves.
    fn notice(&mut self, _text: &str) {}
}

/// A command's outcome as a value.
pub fn value_of<'v>(
    command: &Command,
    outcome: Outcome,
    yielded: Yielded,
    heap: Heap<'v>,
) -> Value<'v> {
    match outcome {
        Outcome::Ran(ending) => heap.alloc(Exchange::new(yielded, ending, default_format(command))),
        Outcome::Converted(it) => heap.alloc(it.frames),
        other => {
            let rows: Vec<Value> = lookup_json(&other)
                .iter()
                .map(|it| super::options::of_json(it, heap))
                .collect();
            heap.alloc(rows)
        }
    }
}
