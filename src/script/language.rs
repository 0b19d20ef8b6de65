//! The page about the language, made from what it runs by: `samples/LANGUAGE.md`.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::classes::CLASSES;
use super::exchange::ATTRIBUTES;
use super::help::{FUNCTIONS, Function, KINDS, default_text};
use super::scapy::{DIFFERENT, SAME};
use crate::commands::Command;

/// The page, as Markdown.
pub fn page() -> String {
    let mut out = String::from(INTRODUCTION);
    scapy(&mut out);
    out += "\n## Layers\n\nStacked with `/`; every field can be set, and one that nobody set is computed or has its \
            default. A class, a name or an option in square brackets finds a part: `pkt[BOOTP].xid`.\n";
    for class in CLASSES.iter() {
        let _ = writeln!(out, "\n### {}\n\n{}.\n", class.name, capital(class.doc));
        out += "| field | unset | what it is |\n| --- | --- | --- |\n";
        for field in &class.fields {
            let _ = writeln!(
                out,
                "| `{}` | {} | {} |",
                field.name,
                default_text(field),
                cell(field.doc)
            );
        }
    }
    out += "\nOptions are attributes as well, by their names with `_` for `-`: `pkt.router`, `pkt.lease_time`; \
            `dhcpcraft options` lists them. Of a packet that was read, `pkt.time` and `pkt.comment`.\n";
    out += "\n## Functions\n";
    functions(&mut out, "", &FUNCTIONS);
    for kind in KINDS.iter() {
        let _ = write!(out, "\n## Methods of {}\n", kind.name);
        functions(&mut out, &format!("{}.", kind.owner), &kind.methods);
    }
    out += "\n## What a command gives\n\n`ex = discover()` is an exchange. It is true when there is a reply; `len(ex)`, `ex[0]` \
            and `for reply in ex` go over the replies.\n\n| attribute | what it is |\n| --- | --- |\n";
    for (name, doc) in ATTRIBUTES {
        let _ = writeln!(out, "| `{name}` | {} |", cell(doc));
    }
    commands(&mut out);
    out
}

const INTRODUCTION: &str = "# The language of dhcpcraft

The prompt, scripts (`dhcpcraft run FILE.star`), `--expect` and `--where` speak one language: Starlark, a small Python,
with packets as values. This page is made from the definitions that the program runs by; `help WORD` at the prompt says
the same.

";

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|it| it.to_uppercase().to_string());
    first.unwrap_or_default() + chars.as_str()
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn scapy(out: &mut String) {
    out.push_str("## For Scapy users\n\nThe same:\n\n");
    for row in SAME {
        let _ = writeln!(out, "- {row}");
    }
    out.push_str("\n| in Scapy | here |\n| --- | --- |\n");
    for (theirs, ours) in DIFFERENT {
        let _ = writeln!(out, "| {} | {} |", cell(theirs), cell(ours));
    }
}

fn functions(out: &mut String, owner: &str, all: &[Function]) {
    for it in all {
        let _ = write!(out, "\n`{owner}{}`\n: {}\n", it.signature, it.doc);
    }
}

fn commands(out: &mut String) {
    let definitions = Command::definitions();
    let all: Vec<Parameters> = definitions.iter().map(parameters).collect();
    let shared = shared(&all);
    out.push_str(
        "\n## Commands as functions\n\nEvery command is a function with its flags as parameters: \
         `discover --hostname printer -o router=10.0.0.1` is `discover(hostname=\"printer\", \
         option=[\"router=10.0.0.1\"])`. A flag without a value is `True`, `-` in a name is `_`, `--from` is `from_`; \
         values may be numbers, lists, bytes or packets. `help discover` tells of every parameter.\n\n\
         Many commands have the same ones:\n\n| group | parameters |\n| --- | --- |\n",
    );
    for (heading, names) in &shared {
        let _ = writeln!(out, "| *{heading}* | {} |", names.join(" "));
    }
    out.push_str("\n| function | what it does | parameters |\n| --- | --- | --- |\n");
    for (command, groups) in definitions.iter().zip(&all) {
        let about = command.get_about().map(|it| it.to_string());
        let mut own = Vec::new();
        let mut common = Vec::new();
        for (heading, names) in groups {
            let group = shared.get(heading).filter(|it| contains(names, it));
            common.extend(group.map(|_| format!("*{heading}*")));
            let known = |name: &&String| group.is_some_and(|it| it.contains(name));
            own.extend(names.iter().filter(|it| !known(it)).cloned());
        }
        own.extend(common);
        let _ = writeln!(
            out,
            "| `{}` | {} | {} |",
            command.get_name(),
            cell(&about.unwrap_or_default()),
            own.join(" ")
        );
    }
}

/// A command's parameters under the headings of its help.
type Parameters = BTreeMap<String, Vec<String>>;

fn parameters(command: &clap::Command) -> Parameters {
    let mut all = Parameters::new();
    for argument in command.get_arguments().filter(|it| !it.is_hide_set()) {
        let name = match argument.get_long() {
            // Of no use to a script: it has no screen of its own.
            Some("help" | "color" | "quiet") => continue,
            Some("from") => "`from_`".to_string(),
            Some(long) => format!("`{}`", long.replace('-', "_")),
            None => argument.get_id().as_str().to_uppercase(),
        };
        let heading = argument.get_help_heading().unwrap_or_default();
        all.entry(heading.to_string()).or_default().push(name);
    }
    all
}

/// Of each heading the parameters that spare the most words when they are told once for all commands that have them.
fn shared(all: &[Parameters]) -> Parameters {
    let mut shared = Parameters::new();
    for (heading, names) in all.iter().flatten() {
        let spared = |names: &Vec<String>| {
            let having = all.iter().filter_map(|it| it.get(heading));
            let having = having.filter(|it| contains(it, names)).count();
            having.saturating_sub(1) * names.len()
        };
        let before = shared.get(heading).map_or(SHORT, spared);
        if !heading.is_empty() && spared(names) > before {
            shared.insert(heading.clone(), names.clone());
        }
    }
    shared
}

/// Names whose repetition costs a reader less than to look them up.
const SHORT: usize = 4;

fn contains(names: &[String], part: &[String]) -> bool {
    part.iter().all(|it| names.contains(it))
}
