//! What may come next, wherever the cursor is.

use clap::builder::PossibleValue;

use super::line::{WORDS, chunks, flag, names, parameter};
use crate::commands::{Command, lab};
use crate::dhcp::enums;
use crate::dhcp::options::{self, OPTIONS, OptionSpec, Status};
use crate::dhcp::value::Shape;
use crate::link::interfaces;
use crate::script::classes::Class;
use crate::script::names::names_of;
use crate::wire::FIELDS;

/// What can stand at a place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completions {
    /// First byte of the word that they replace.
    pub start: usize,
    /// The words.
    pub words: Vec<String>,
    /// Whether file names can stand there too.
    pub files: bool,
}

/// What the running conversation knows: names of variables, and what stands behind a dot.
pub trait Names {
    /// Variables and functions.
    fn names(&self) -> Vec<String>;
    /// Variables.
    fn variables(&self) -> Vec<String>;
    /// Attributes of the value that an expression has.
    fn attributes(&self, expression: &str) -> Vec<String>;
}

/// What can stand at the end of `line`, the text up to the cursor.
pub fn complete(text: &str, known: &dyn Names) -> Completions {
    let last = text.rsplit('\n').next().unwrap_or_default();
    if last.trim().is_empty() && last.len() < text.len() {
        // At the beginning of a further line Tab indents.
        return words(text.len(), ["    ".to_string()]);
    }
    let line = chunks(text).last().copied().unwrap_or_default();
    let mut found = in_statement(line, known);
    found.start += text.len() - line.len();
    found
}

fn in_statement(line: &str, known: &dyn Names) -> Completions {
    let trimmed = line.trim_start();
    let first_end = trimmed.find([' ', '\t']);
    let first = trimmed
        .get(..first_end.unwrap_or(trimmed.len()))
        .unwrap_or_default();
    let mut found = match first_end {
        Some(_) if WORDS.iter().any(|it| it.0 == first) => word_argument(line, first),
        Some(end)
            if !trimmed
                .get(end..)
                .unwrap_or_default()
                .trim_start()
                .starts_with(['=', '(', '.', '[']) =>
        {
            match Command::definitions()
                .iter()
                .find(|it| it.get_name() == first)
            {
                Some(definition) => command_argument(line, definition, known),
                None => source(line, known),
            }
        }
        _ => source(line, known),
    };
    let prefix = line.get(found.start..).unwrap_or_default();
    found.words.retain(|it| it.starts_with(prefix));
    found.words.sort();
    found.words.dedup();
    found
}

fn at(line: &str, separators: &[char]) -> usize {
    line.rfind(separators).map_or(0, |it| it + 1)
}

fn words(start: usize, words: impl IntoIterator<Item = String>) -> Completions {
    Completions {
        start,
        words: words.into_iter().collect(),
        files: false,
    }
}

fn files(start: usize) -> Completions {
    Completions {
        start,
        words: Vec::new(),
        files: true,
    }
}

/// Names of interfaces and of the lab's casts.
fn links() -> Vec<String> {
    let real = interfaces::list().into_iter().map(|it| it.name);
    real.chain(lab::CASTS.iter().map(|it| it.0.to_string()))
        .collect()
}

/// After a word of the prompt.
fn word_argument(line: &str, first: &str) -> Completions {
    let start = at(line, &[' ', '\t']);
    let before: Vec<_> = line
        .get(..start)
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    match (first, &before[..]) {
        ("set", [_]) => words(start, ["interface".to_string(), "mac".to_string()]),
        ("set", [_, "interface"]) => words(start, links()),
        ("set", [_, "mac"]) => words(start, ["random".to_string(), "native".to_string()]),
        ("write" | "save", _) => files(start),
        ("help", [_]) => {
            let options = known_options().map(|it| it.name.to_string());
            let fields = FIELDS.iter().map(|it| it.name.to_string());
            let classes = crate::script::help::classes().map(str::to_string);
            words(
                start,
                names()
                    .into_iter()
                    .chain(options)
                    .chain(fields)
                    .chain(classes)
                    .chain(["scapy".to_string()])
                    .chain(crate::script::function_names()),
            )
        }
        _ => Completions {
            start,
            ..Completions::default()
        },
    }
}

fn known_options() -> impl Iterator<Item = &'static OptionSpec> {
    OPTIONS
        .iter()
        .filter(|row| row.status != Status::Unassigned)
}

/// After a command: flags, and what a flag takes.
fn command_argument(line: &str, definition: &clap::Command, known: &dyn Names) -> Completions {
    let start = at(line, &[' ', '\t']);
    let word = line.get(start..).unwrap_or_default();
    let before: Vec<_> = line
        .get(..start)
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    // The value of `--flag=VALUE` or of the flag before.
    if let Some((arg, Some(_))) = flag(definition, word)
        && let Some(equals) = word.find('=').filter(|_| word.starts_with("--"))
    {
        return value(line, start + equals + 1, arg);
    }
    if let Some((arg, None)) = before.last().and_then(|it| flag(definition, it))
        && arg.get_action().takes_values()
    {
        return value(line, start, arg);
    }
    if word.starts_with('-') {
        let flags = definition.get_arguments().filter_map(|it| it.get_long());
        let aliases = definition
            .get_arguments()
            .flat_map(|it| it.get_visible_aliases().unwrap_or_default());
        return words(
            start,
            flags
                .chain(aliases)
                .map(|it| format!("--{it}"))
                .chain(["--help".to_string()]),
        );
    }
    match definition.get_name() {
        // A variable of the conversation can be shown as a file can.
        "show" => Completions {
            files: true,
            ..words(start, known.variables())
        },
        "convert" | "diff" | "lint" | "replay" => files(start),
        "explain" | "options" => words(start, known_options().map(|it| it.name.to_string())),
        _ => Completions {
            start,
            ..Completions::default()
        },
    }
}

/// What a flag takes.
fn value(line: &str, start: usize, arg: &clap::Arg) -> Completions {
    match arg.get_id().as_str() {
        "interface" => words(start, links()),
        "option" | "no_option" | "no-option" | "print" => option_text(line, start),
        "request-list" => {
            let start = at(line, &[',', ' ', '=']);
            words(start, known_options().map(|it| it.name.to_string()))
        }
        "chaddr" | "src-mac" | "rewrite_mac" => {
            words(start, ["random".to_string(), "native".to_string()])
        }
        "choose" => words(
            start,
            ["first", "lowest", "requested", "server="].map(str::to_string),
        ),
        "kind" => words(
            start,
            (1..=18)
                .filter_map(enums::message_type_name)
                .map(str::to_string),
        ),
        "write" | "from" | "files" | "to" => files(start),
        _ => {
            let possible = arg.get_possible_values();
            words(
                start,
                possible
                    .iter()
                    .map(PossibleValue::get_name)
                    .map(str::to_string),
            )
        }
    }
}

/// `NAME=VALUE` of `--option`.
fn option_text(line: &str, start: usize) -> Completions {
    let text = line.get(start..).unwrap_or_default();
    match text.split_once('=') {
        None => words(start, known_options().map(|it| it.name.to_string())),
        Some((name, _)) => {
            let start = at(line, &['=', ',']);
            let name = name.split(':').next().unwrap_or_default();
            let values = options::by_name(name).map(value_names).unwrap_or_default();
            words(start, values)
        }
    }
}

/// The names of an option's values.
fn value_names(row: &OptionSpec) -> Vec<String> {
    fn of(shape: &Shape) -> Vec<String> {
        match shape {
            Shape::Enum(table, _) => table.rows.iter().map(|it| it.1.to_string()).collect(),
            Shape::OptionCode => known_options().map(|it| it.name.to_string()).collect(),
            Shape::Bool => vec!["true".into(), "false".into()],
            Shape::List(inner) => of(inner),
            Shape::Tlv(table) => table
                .rows
                .iter()
                .map(|it| format!("{}=", it.name))
                .collect(),
            _ => Vec::new(),
        }
    }
    of(row.ty.shape())
}

/// In source: inside a string, behind a dot, inside a class's brackets, or a name.
fn source(line: &str, known: &dyn Names) -> Completions {
    if let Some((start, context)) = open_string(line) {
        return in_string(start, context);
    }
    let start = line
        .rfind(|it: char| !it.is_alphanumeric() && it != '_')
        .map_or(0, |it| {
            it + line[it..].chars().next().map_or(1, char::len_utf8)
        });
    let before = line.get(..start).unwrap_or_default();
    if let Some(owner) = before.strip_suffix('.') {
        return words(start, known.attributes(expression_before(owner)));
    }
    let mut all = known.names();
    if let Some(field) = keyword(before.trim_end()) {
        // The value of a field: its names, or a variable.
        let class = open_call(before).and_then(Class::by_name);
        all.extend(
            class
                .into_iter()
                .flat_map(|it| names_of(it.name, field))
                .map(|it| format!("\"{it}\"")),
        );
    } else if let Some(class) = open_call(before).and_then(Class::by_name) {
        all = class
            .fields
            .iter()
            .map(|it| format!("{}=", it.name))
            .collect();
    } else if let Some(definition) = open_call(before).and_then(|name| {
        Command::definitions()
            .iter()
            .find(|it| it.get_name() == name)
    }) {
        all = definition
            .get_arguments()
            .filter_map(|it| it.get_long())
            .map(|it| format!("{}=", parameter(it)))
            .collect();
    } else if before.trim().is_empty() {
        all.extend(names());
    }
    words(start, all)
}

/// Where the string that is still open begins, and the source before it.
fn open_string(line: &str) -> Option<(usize, &str)> {
    let bytes = line.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'#' => return None,
            quote @ (b'"' | b'\'') => {
                let start = at + 1;
                at = start;
                while at < bytes.len() && bytes[at] != quote {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                if at >= bytes.len() {
                    return Some((start, line.get(..start - 1)?));
                }
                at += 1;
            }
            _ => at += 1,
        }
    }
    None
}

/// Inside a string: an option's name, an option's value, a field's value, or a file.
fn in_string(start: usize, before: &str) -> Completions {
    let before = before.trim_end();
    let call = open_call(before);
    let inside = open_bracket(before)
        .and_then(|at| before.get(at..))
        .unwrap_or_default();
    let list = |at: &str| at.trim_end().ends_with("options=");
    let outer = before
        .get(..before.len() - inside.len())
        .unwrap_or_default();
    if inside.starts_with('[') && list(outer) {
        return words(start, ["end".to_string(), "pad".to_string()]);
    }
    let outside = open_bracket(outer).filter(|it| outer[*it..].starts_with('['));
    if inside.starts_with('(') && outside.is_some_and(|it| list(&outer[..it])) {
        // `("NAME", "VALUE"`, an element of that list.
        return match tuple_name(inside) {
            None => {
                let scapy = OPTIONS
                    .iter()
                    .map(|it| it.scapy)
                    .filter(|it| !it.is_empty());
                let ours = known_options().map(|it| it.name);
                words(start, scapy.chain(ours).map(str::to_string))
            }
            Some(name) => {
                let scapy = OPTIONS.iter().find(|it| it.scapy == name);
                let row = scapy.or_else(|| options::by_name(name).ok());
                words(start, row.map(value_names).unwrap_or_default())
            }
        };
    }
    if let (Some(class), Some(field)) = (call.and_then(Class::by_name), keyword(before)) {
        return words(start, names_of(class.name, field).map(str::to_string));
    }
    match (call, keyword(before)) {
        (_, Some("iface" | "interface")) | (Some("interface"), _) => words(start, links()),
        (_, Some("option")) => words(start, known_options().map(|it| it.name.to_string())),
        _ => files(start),
    }
}

/// The keyword that an argument begins with: `flags` in `BOOTP(flags=`.
fn keyword(before: &str) -> Option<&str> {
    let name = before.strip_suffix('=')?.trim_end();
    let start = name
        .rfind(|it: char| !it.is_alphanumeric() && it != '_')
        .map_or(0, |it| it + 1);
    name.get(start..).filter(|it| !it.is_empty())
}

/// The name in `("NAME",` when the tuple goes on after it.
fn tuple_name(tuple: &str) -> Option<&str> {
    let inner = tuple.get(1..)?.trim();
    let quote = inner.chars().next().filter(|it| matches!(it, '"' | '\''))?;
    inner.get(1..)?.split(quote).next()
}

/// Where the innermost bracket stands that is still open.
fn open_bracket(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, c) in text.char_indices().rev() {
        match c {
            ')' | ']' | '}' => depth += 1,
            '(' | '[' | '{' if depth > 0 => depth -= 1,
            '(' | '[' | '{' => return Some(at),
            _ => {}
        }
    }
    None
}

/// The name before the innermost bracket that is still open: `BOOTP` in `Ether() / BOOTP(op=1, `.
fn open_call(before: &str) -> Option<&str> {
    let at = open_bracket(before).filter(|it| before[*it..].starts_with('('))?;
    let name = before.get(..at)?;
    let start = name
        .rfind(|it: char| !it.is_alphanumeric() && it != '_')
        .map_or(0, |it| it + 1);
    name.get(start..).filter(|it| !it.is_empty())
}

/// The expression that a text ends with: `reply[DHCP]` in `x = reply[DHCP]`.
fn expression_before(text: &str) -> &str {
    let mut depth = 0;
    for (at, c) in text.char_indices().rev() {
        match c {
            ')' | ']' => depth += 1,
            '(' | '[' if depth == 0 => return text.get(at + 1..).unwrap_or_default(),
            '(' | '[' => depth -= 1,
            c if depth == 0 && !c.is_alphanumeric() && c != '_' && c != '.' => {
                return text.get(at + c.len_utf8()..).unwrap_or_default();
            }
            _ => {}
        }
    }
    text
}
