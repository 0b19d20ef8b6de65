//! What a line is: a word of the prompt, a command, or source.

use crate::commands::Command;
use crate::script::{Engine, did_you_mean, is_command};

/// Words that only the prompt knows, with what they do.
pub const WORDS: &[(&str, &str)] = &[
    (
        "help",
        "help, help WORD, WORD?: what there is, and what it means",
    ),
    (
        "set",
        "set interface NAME, set mac MAC: what commands use from here on",
    ),
    ("replies", "the replies of the last exchange, whole"),
    ("lease", "the lease held"),
    ("history", "the lines of this conversation"),
    (
        "write",
        "write FILE.pcap|.pcapng: every frame since the start, or since `clear`",
    ),
    (
        "save",
        "save FILE.star: the lines of this conversation as a script",
    ),
    ("clear", "forget frames, replies and the lease"),
    ("exit", "leave, as Ctrl-D does"),
    ("quit", "leave, as Ctrl-D does"),
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
    if line.is_empty() || (line.starts_with('#') && !line.contains('\n')) {
        return Line::Empty;
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
        (Some(mut words), Some((word, _))) => {
            words.remove(0);
            Line::Word(word, words)
        }
        (Some(words), None) => Line::Command(words),
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

/// A command's words as the call that does the same: `discover --hostname x` is
/// `discover(hostname="x")`.
pub fn as_call(words: &[String]) -> String {
    let Some((name, words)) = words.split_first() else {
        return String::new();
    };
    let definition = Command::definitions()
        .iter()
        .find(|it| it.get_name() == name);
    let (mut positional, mut named): (Vec<String>, Vec<(String, Vec<String>)>) = Default::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let flag = definition.as_ref().and_then(|it| flag(it, word));
        let Some((flag, inline)) = flag else {
            positional.push(format!("{word:?}"));
            continue;
        };
        let long = flag
            .get_long()
            .unwrap_or_else(|| flag.get_id().as_str())
            .replace('-', "_");
        let value = match (flag.get_action().takes_values(), inline) {
            (false, _) => "True".to_string(),
            (true, Some(value)) => format!("{value:?}"),
            (true, None) => format!("{:?}", words.next().map(String::as_str).unwrap_or_default()),
        };
        // `from` is a word of the language.
        let long = if long == "from" { "from_".into() } else { long };
        match named.iter_mut().find(|it| it.0 == long) {
            Some((_, values)) => values.push(value),
            None => named.push((long, vec![value])),
        }
    }
    let named = named.into_iter().map(|(name, values)| match &values[..] {
        [one] => format!("{name}={one}"),
        _ => format!("{name}=[{}]", values.join(", ")),
    });
    let parts: Vec<_> = positional.into_iter().chain(named).collect();
    format!("{name}({})", parts.join(", "))
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
