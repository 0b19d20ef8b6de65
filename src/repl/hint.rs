//! What is shown in grey behind the cursor: the rest of an earlier line, or what may follow.

use rustyline::hint::Hint;

use super::line::{WORDS, chunks, flag, parameter};
use crate::commands::Command;
use crate::dhcp::options;
use crate::script::classes::Class;
use crate::script::help;

/// Text behind the cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grey {
    /// The rest of an earlier line, which the right arrow takes.
    Rest(String),
    /// What may follow; it is read, not taken.
    Usage(String),
}

impl Hint for Grey {
    fn display(&self) -> &str {
        match self {
            Grey::Rest(text) | Grey::Usage(text) => text,
        }
    }

    fn completion(&self) -> Option<&str> {
        match self {
            Grey::Rest(text) => Some(text),
            Grey::Usage(_) => None,
        }
    }
}

/// What may follow at the end of the line.
pub fn usage(text: &str) -> Option<String> {
    let line = chunks(text).last().copied()?.trim_start();
    if line.contains('\n') || !line.is_ascii() {
        return None;
    }
    if line.ends_with('(') {
        return signature(line);
    }
    let first = line.split([' ', '\t']).next()?;
    let rest = line.get(first.len()..)?;
    if rest.is_empty() {
        return None;
    }
    if let Some((word, usage, _)) = WORDS.iter().find(|it| it.0 == first) {
        let usage = usage.strip_prefix(word)?.split(',').next()?.trim_start();
        return rest.trim().is_empty().then(|| usage.to_string());
    }
    let definition = Command::definitions()
        .iter()
        .find(|it| it.get_name() == first)?;
    let last = rest.split([' ', '\t']).next_back()?;
    match rest.trim().is_empty() {
        true => Some(synopsis(definition)),
        false => argument(definition, rest, last),
    }
}

/// The flags that a command is given most, of those that it has.
const USUAL: &[&str] = &[
    "hostname",
    "option",
    "requested-ip",
    "type",
    "choose",
    "wait",
    "expect",
    "format",
    "to",
    "json",
    "dry-run",
];

fn synopsis(definition: &clap::Command) -> String {
    let mut parts: Vec<String> = definition
        .get_positionals()
        .map(|it| format!("[{}]", value_name(it)))
        .collect();
    let flags = USUAL.iter().filter_map(|name| {
        definition
            .get_arguments()
            .find(|it| it.get_long() == Some(*name))
    });
    parts.extend(flags.map(|it| {
        let name = match it.get_short() {
            Some(short) => format!("-{short}"),
            None => format!("--{}", it.get_long().unwrap_or_default()),
        };
        match it.get_action().takes_values() {
            true => format!("[{name} {}]", value_name(it)),
            false => format!("[{name}]"),
        }
    }));
    let mut out = String::new();
    for part in parts {
        // One line of a narrow window.
        if out.len() + part.len() > 44 {
            break;
        }
        out += &part;
        out.push(' ');
    }
    out + "… --help"
}

fn value_name(arg: &clap::Arg) -> String {
    if arg.get_id() == "option" {
        return "NAME=VALUE".into();
    }
    let names = arg.get_value_names().unwrap_or_default();
    names
        .first()
        .map_or_else(|| arg.get_id().as_str().to_uppercase(), |it| it.to_string())
}

/// What the flag that was just written takes.
fn argument(definition: &clap::Command, rest: &str, last: &str) -> Option<String> {
    let (arg, value) = match last {
        "" => {
            let before = rest.split_whitespace().next_back()?;
            (flag(definition, before).filter(|it| it.1.is_none())?.0, "")
        }
        word if word.starts_with("--") => {
            let (arg, value) = flag(definition, word)?;
            (arg, value?)
        }
        word => {
            let before = rest.get(..rest.len() - word.len())?;
            let before = before.split_whitespace().next_back()?;
            (
                flag(definition, before).filter(|it| it.1.is_none())?.0,
                word,
            )
        }
    };
    if !arg.get_action().takes_values() {
        return None;
    }
    match (arg.get_id().as_str(), value) {
        (_, "") => Some(value_name(arg)),
        ("option", value) => {
            let name = value.strip_suffix('=')?;
            let row = options::by_name(name).ok()?;
            (!row.example.is_empty()).then(|| row.example.to_string())
        }
        _ => None,
    }
}

/// The parameters of a call that has just been opened.
fn signature(line: &str) -> Option<String> {
    let before = line.strip_suffix('(')?;
    let start = before
        .rfind(|it: char| !it.is_alphanumeric() && it != '_')
        .map_or(0, |it| it + 1);
    let name = before.get(start..)?;
    if let Some(class) = Class::by_name(name).filter(|it| it.name == name) {
        let fields: Vec<_> = class.fields.iter().map(|it| it.name).collect();
        return Some(format!("{})", fields.join(", ")));
    }
    if let Some(signature) = help::signature(name) {
        let inner = signature.strip_prefix(name)?.strip_prefix('(')?;
        return Some(inner.to_string());
    }
    let definition = Command::definitions()
        .iter()
        .find(|it| it.get_name() == name)?;
    let parameters = USUAL.iter().filter(|name| {
        definition
            .get_arguments()
            .any(|it| it.get_long() == Some(**name))
    });
    let parameters: Vec<_> = parameters.take(5).map(|it| parameter(it)).collect();
    Some(format!("{}, …)", parameters.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::usage;

    #[test]
    fn what_may_follow() {
        for (line, wanted) in [
            ("discover ", "[--hostname VALUE]"),
            ("x = 1\ndiscover ", "[--hostname VALUE]"),
            ("discover --hostname ", "VALUE"),
            ("discover -o router=", "10.0.0.1,10.0.0.2"),
            ("discover --option=router=", "10.0.0.1,10.0.0.2"),
            ("discover -w ", "FILE.pcap"),
            ("set ", "[interface NAME | mac MAC]"),
            ("write ", "FILE.pcapng"),
            ("help ", "[WORD]"),
            ("x = BOOTP(", "op, htype, hlen"),
            ("sendp(", "x, iface="),
            ("discover(", "hostname, option"),
            ("show ", "[FILE"),
        ] {
            let hint = usage(line).unwrap_or_default();
            assert!(hint.starts_with(wanted), "{line:?} gives {hint:?}");
        }
        for line in [
            "",
            "discover",
            "discover --wait ",
            "discover --hostname x",
            "x = ",
            "nothing(",
            "discover -o größe=",
            "replies ",
        ] {
            assert_eq!(usage(line).unwrap_or_default(), "", "{line:?}");
        }
    }
}
