//! What a line is: a word of the prompt, a command, or source.

use crate::commands::Command;
use crate::commands::edits;
use crate::script::{Engine, did_you_mean, is_command, unfinished};

/// Words that only the prompt knows: the word, how it is used, what it does.
pub const WORDS: &[(&str, &str, &str)] = &[
    (
        "help",
        "help [WORD], WORD?",
        "what there is; what a command, option, field or function means",
    ),
    (
        "set",
        "set [interface NAME | mac MAC]",
        "what commands use from here on where they name none",
    ),
    (
        "replies",
        "replies",
        "the replies of the last exchange, whole",
    ),
    ("lease", "lease", "the lease held"),
    ("history", "history", "the lines of this conversation"),
    (
        "write",
        "write FILE.pcapng",
        "every frame since the start, or since `clear`, as a capture",
    ),
    (
        "save",
        "save FILE.star",
        "the lines of this conversation as a script that does the same",
    ),
    ("clear", "clear", "forget frames, replies and the lease"),
    ("exit", "exit", "leave, as Ctrl-D does"),
    ("quit", "quit", "leave, as Ctrl-D does"),
];

/// A line of the prompt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// Nothing.
    Empty,
    /// A word of the prompt with what follows it.
    Word(&'static str, Vec<String>),
    /// A question about a name.
    Help(String),
    /// A command in the words of the command line.
    Command(Vec<String>),
    /// Source of the language.
    Source(String),
    /// Something that is none of these, and why.
    Wrong(String),
}

/// What a line is. A line whose first word is a command and that is no expression of the language is
/// that command.
pub fn classify(text: &str) -> Line {
    let line = text.trim();
    if line.lines().all(|it| {
        let it = it.trim_start();
        it.is_empty() || it.starts_with('#')
    }) {
        return Line::Empty;
    }
    if line.contains('\n') {
        // A command is one line, be it broken by backslashes; more lines are source.
        let joined = line.replace("\\\n", " ");
        return match (joined.contains('\n'), line.contains("\\\n")) {
            (false, true) => match classify(&joined) {
                Line::Source(_) => Line::Source(line.to_string()),
                other => other,
            },
            _ => Line::Source(line.to_string()),
        };
    }
    if let Some(name) = line.strip_suffix('?').or_else(|| line.strip_prefix('?'))
        && name
            .chars()
            .all(|it| it.is_alphanumeric() || "_-. ".contains(it))
    {
        return Line::Help(name.trim().to_string());
    }
    let end = line
        .find(|it: char| !it.is_alphanumeric() && it != '_' && it != '-')
        .unwrap_or(line.len());
    let (first, rest) = line.split_at(end);
    let known = WORDS.iter().find(|it| it.0 == first);
    if (known.is_none() && !is_command(first)) || !stands_alone(rest) {
        return source(line, first, rest);
    }
    match (shlex::split(line), known) {
        (None, _) => Line::Wrong("a quote is not closed".into()),
        (Some(mut words), Some((word, ..))) => {
            words.remove(0);
            Line::Word(word, words)
        }
        (Some(words), None) => Line::Command(words),
    }
}

/// The statements and commands that a text of several lines consists of, in order; joined they are the
/// text again.
pub fn chunks(text: &str) -> Vec<&str> {
    let mut chunks = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in text.split_inclusive('\n') {
        let before = text.get(start..at).unwrap_or_default();
        let fresh = !line.starts_with([' ', '\t', '\n', '\r'])
            && !before.trim().is_empty()
            && !goes_on(line)
            // A note may stand in the middle of a block.
            && (!line.starts_with('#') || is_command_line(before))
            && !before.trim_end_matches('\n').ends_with('\\')
            // What is still unfinished before an empty line is inside of brackets or quotes.
            && (is_command_line(before) || !unfinished(&format!("{before}\n")));
        if fresh {
            chunks.push(before);
            start = at;
        }
        at += line.len();
    }
    chunks.push(text.get(start..).unwrap_or_default());
    chunks
}

/// Whether a line belongs to the block before it.
fn goes_on(line: &str) -> bool {
    let end = line
        .find(|it: char| !it.is_alphanumeric())
        .unwrap_or(line.len());
    matches!(line.get(..end), Some("else" | "elif"))
}

/// Whether a line is no source, so that a bracket in it opens nothing.
fn is_command_line(text: &str) -> bool {
    matches!(
        classify(text),
        Line::Word(..) | Line::Command(_) | Line::Help(_) | Line::Wrong(_)
    )
}

/// Whether more must be typed before the text can run.
pub fn wants_more(text: &str) -> bool {
    let all = chunks(text);
    let last = all.last().copied().unwrap_or_default();
    match classify(last) {
        Line::Source(_) => unfinished(last),
        Line::Word(..) | Line::Command(_) | Line::Wrong(_) => last.ends_with('\\'),
        _ => false,
    }
}

/// Whether what follows a command's name makes it no expression: nothing, a flag, or a word.
fn stands_alone(rest: &str) -> bool {
    let trimmed = rest.trim_start();
    if trimmed.is_empty() || trimmed.starts_with('-') && rest.starts_with([' ', '\t']) {
        return true;
    }
    // A slash right before a word begins a path, although it could divide.
    let path = trimmed
        .strip_prefix('/')
        .is_some_and(|it| it.starts_with(|it: char| it.is_alphanumeric() || "._-~".contains(it)));
    rest.starts_with([' ', '\t']) && (path || !Engine::parses(&format!("x{rest}")))
}

fn source(line: &str, first: &str, rest: &str) -> Line {
    let words = rest.starts_with([' ', '\t'])
        && rest
            .trim_start()
            .starts_with(|it: char| it == '-' || it.is_alphanumeric());
    if words && !Engine::parses(line) {
        let known: Vec<String> = names();
        let near = did_you_mean(first, known.iter().map(String::as_str));
        let word = first
            .chars()
            .all(|it| it.is_alphanumeric() || it == '_' || it == '-');
        if word && !near.is_empty() && !KEYWORDS.contains(&first) {
            return Line::Wrong(format!("no command `{first}`{near}"));
        }
    }
    Line::Source(line.to_string())
}

/// Words with which the language begins a statement.
const KEYWORDS: &[&str] = &[
    "def", "for", "if", "load", "return", "pass", "not", "lambda", "from", "import", "del",
];

/// Every word that a line may begin with.
pub fn names() -> Vec<String> {
    let commands = Command::definitions()
        .iter()
        .map(|it| it.get_name().to_string());
    commands
        .chain(WORDS.iter().map(|it| it.0.to_string()))
        .collect()
}

/// A text as a literal of the language.
pub fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A command's words as the call that does the same: `discover --hostname x` is
/// `discover(hostname="x")`.
pub fn as_call(words: &[String]) -> String {
    let Some((name, words)) = words.split_first() else {
        return String::new();
    };
    let definition = Command::definitions()
        .iter()
        .find(|it| it.get_name() == name);
    let mut positional: Vec<String> = Vec::new();
    // Flags in the order they stand in; `None` for one that takes no value.
    let mut flags: Vec<(String, Option<String>)> = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let flag = match word.as_str() {
            "--" => {
                positional.extend(words.map(|it| quoted(it)));
                break;
            }
            word => definition.as_ref().and_then(|it| flag(it, word)),
        };
        let Some((flag, inline)) = flag else {
            positional.push(quoted(word));
            continue;
        };
        let long = flag.get_long().unwrap_or_else(|| flag.get_id().as_str());
        let value = match (flag.get_action().takes_values(), inline) {
            (false, _) => None,
            (true, Some(value)) => Some(value.to_string()),
            (true, None) => Some(words.next().cloned().unwrap_or_default()),
        };
        flags.push((long.to_string(), value));
    }
    // A call names a parameter once. Options go out in the order of their flags, so between two
    // `--option` a shorthand is written as the option that it is short for.
    let is_option = |it: &(String, Option<String>)| it.0 == "option";
    if let (Some(first), Some(last)) = (
        flags.iter().position(is_option),
        flags.iter().rposition(is_option),
    ) {
        for (long, value) in &mut flags[first..=last] {
            if let (Some(option), Some(text)) = (edits::shorthand(long), value.as_ref()) {
                *value = Some(format!("{option}={text}"));
                *long = "option".into();
            }
        }
    }
    let mut named: Vec<(String, Vec<String>)> = Vec::new();
    for (long, value) in flags {
        let value = value.map_or("True".into(), |it| quoted(&it));
        match named.iter_mut().find(|it| it.0 == long) {
            Some((_, values)) => values.push(value),
            None => named.push((long, vec![value])),
        }
    }
    let named = named.into_iter().map(|(name, values)| {
        let name = parameter(&name);
        match &values[..] {
            [one] => format!("{name}={one}"),
            _ => format!("{name}=[{}]", values.join(", ")),
        }
    });
    let parts: Vec<_> = positional.into_iter().chain(named).collect();
    format!("{name}({})", parts.join(", "))
}

/// A flag's name as the name of a parameter.
pub fn parameter(flag: &str) -> String {
    match flag {
        // A word of the language.
        "from" => "from_".into(),
        _ => flag.replace('-', "_"),
    }
}

/// The flag that a word is, and the value that stands in the same word.
pub fn flag<'a>(
    definition: &'a clap::Command,
    word: &'a str,
) -> Option<(&'a clap::Arg, Option<&'a str>)> {
    if let Some(long) = word.strip_prefix("--") {
        let (name, value) = match long.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (long, None),
        };
        let found = definition.get_arguments().find(|it| {
            it.get_long() == Some(name) || it.get_all_aliases().unwrap_or_default().contains(&name)
        });
        return Some((found?, value));
    }
    let mut letters = word.strip_prefix('-')?.chars();
    let short = letters.next()?;
    let found = definition
        .get_arguments()
        .find(|it| it.get_short() == Some(short))?;
    Some((found, Some(letters.as_str()).filter(|it| !it.is_empty())))
}
