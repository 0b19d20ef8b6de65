//! The language: Starlark with packets. The same for scripts, the prompt, `--expect` and `--where`.
//!
//! [`Engine`] runs source; what it shares with the functions it calls is the [`Host`]: the session, the
//! link in use, where to print, and the answers so far.

mod assertions;
pub mod bytes;
pub mod classes;
mod commands;
mod condition;
mod conform;
mod depth;
mod engine;
mod exchange;
mod expected;
mod failure;
mod field_values;
mod functions;
pub mod help;
mod host;
mod json;
mod judge;
mod judged;
pub mod language;
mod lint;
pub mod nagios;
pub mod names;
mod option_list;
mod options;
pub mod packet;
mod packet_methods;
mod parts;
mod reply;
mod ruler;
mod rules;
mod run;
pub mod scapy;
mod send;
mod send_functions;
mod settled;
pub mod source;
pub mod stack;
pub mod testing;
mod text;

use starlark::eval::Evaluator;

pub use commands::{command_line, is_command, value_of};
pub use conform::{run as conform, run_with as conform_with};
pub use engine::{Engine, Module, ScriptError, interpret};
pub use exchange::{Exchange, Yielded, packet_of, printed, source_of};
pub use failure::Failure;
pub use host::{Host, Settings};
pub use judge::Judge;
pub use rules::read as read_rules;
pub use run::{host_for, run};
pub use testing::test;
pub use text::unfinished;

/// The names of the functions that are no commands.
pub fn function_names() -> Vec<String> {
    [functions::names(), reply::names()].concat()
}

/// An error that a script sees, with the place in its source added on the way.
pub fn error(text: impl std::fmt::Display) -> starlark::Error {
    starlark::Error::new_other(anyhow::anyhow!("{text}"))
}

/// What the running script shares with this program.
fn host<'a>(eval: &Evaluator<'_, 'a, '_>) -> starlark::Result<&'a Host> {
    let host = eval.extra.and_then(|it| it.downcast_ref::<Host>());
    host.ok_or_else(|| error("no session"))
}

/// Prints a value as a prompt does: an exchange as its command would, nothing for None, else its source.
pub fn echo(host: &Host, value: starlark::values::Value) -> Result<(), ScriptError> {
    let text = match Exchange::from_value(value) {
        _ if value.is_none() => return Ok(()),
        Some(it) => exchange::printed(host, it.format(), |view| it.print(view))?,
        None => format!("{}\n", depth::with_room(|| value.to_repr())),
    };
    host.print(&text).map_err(error)?;
    Ok(())
}

/// Prints a value as [`echo`] does, but a list of packets as a line each.
pub fn echo_packets(host: &Host, value: starlark::values::Value) -> Result<(), ScriptError> {
    use crate::commands::outcome::Sink;
    let list = starlark::values::list::ListRef::from_value(value);
    let packets: Option<Vec<_>> = list
        .filter(|it| !it.is_empty())
        .and_then(|it| it.iter().map(packet::Packet::from_value).collect());
    let Some(packets) = packets else {
        return echo(host, value);
    };
    let text = exchange::printed(host, crate::view::Format::Table, |view| {
        for (at, packet) in packets.iter().enumerate() {
            let mut entry = packet_methods::entry(packet);
            entry.number = at as u64 + 1;
            // Where they came from is not known; a capture's lines say the most.
            entry.direction = crate::commands::outcome::Direction::Read;
            view.entry(&entry)?;
        }
        view.outcome(&crate::commands::Outcome::Ran(
            crate::commands::outcome::Ending::Done,
        ))
    })?;
    host.print(&text).map_err(error)?;
    Ok(())
}

/// ` (did you mean `…`?)`, or nothing where no known name is near.
pub fn did_you_mean<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    let near = known
        .map(|it| {
            (
                strsim::normalized_damerau_levenshtein(it, name),
                strsim::jaro_winkler(it, name),
                it,
            )
        })
        .filter(|it| it.0 >= 0.6 || it.1 > 0.85)
        .max_by(|a, b| (a.0 + a.1).total_cmp(&(b.0 + b.1)));
    near.map_or(String::new(), |it| format!(" (did you mean `{}`?)", it.2))
}
