//! `help`: what there is, and what a word means.

use super::line::WORDS;
use crate::commands::explain::{ExplainArgs, Topic};
use crate::commands::{Command, Error, Outcome};
use crate::script::{Host, help};
use crate::view::Format;

/// What there is.
pub fn overview() -> String {
    let mut out =
        String::from("Commands, as on the command line, and functions: discover(hostname=\"x\")\n");
    for command in Command::definitions() {
        let about = command.get_about().map(|it| it.to_string());
        let about = about.unwrap_or_default();
        // A line each; what is more, `help COMMAND` tells.
        let about = match about.split_once(':') {
            Some((first, _)) if about.chars().count() > 66 => first,
            _ => &about,
        };
        out += &format!("  {:<11} {about}\n", command.get_name());
    }
    out += "\nThe conversation:\n";
    for (word, _, doc) in WORDS.iter().filter(|it| it.0 != "quit") {
        out += &format!("  {word:<11} {doc}\n");
    }
    out += "\nThe language: Scapy's layers and functions, in Starlark; lsc() lists the\n\
            functions, ls() the layers, `help scapy` what is the same and what differs:\n";
    out += "  pkt = Ether() / IP() / UDP() / BOOTP() / DHCP(options=[\"end\"])\n";
    out += "  ans = srp1(pkt)          pkt[BOOTP].xid = 7          pkt.show()\n";
    out += "  `_` is the last result, `reply` the last reply, `answers` all of them\n";
    out += "\nhelp discover, help router, help BOOTP, help sendp, or router?: more of each\n\
            Tab completes, Ctrl-R searches earlier lines, Ctrl-C stops what runs\n";
    out
}

/// One meaning of a word: what kind of thing it is, and help on it.
type Meaning = (&'static str, String);

/// Help on anything: a word of the prompt, a function, a class, an option, a field, a term, a command.
pub fn topic(host: &Host, name: &str) -> Result<String, Error> {
    let mut all: Vec<Meaning> = Vec::new();
    if name.eq_ignore_ascii_case("scapy") {
        all.push(("the program", help::scapy(host.style.get().width)));
    }
    if let Some((_, usage, doc)) = WORDS.iter().find(|it| it.0 == name) {
        all.push(("a word of the prompt", format!("{usage}\n  {doc}\n")));
    }
    all.extend(help::topic(name));
    let explained = ExplainArgs::about(name).run();
    if let Ok(topics) = &explained {
        for topic in topics {
            let kind = match topic {
                Topic::Option(_) => "an option",
                Topic::SubOption(..) => "a sub-option",
                Topic::Field(_) => "a header field",
                Topic::Term(_) => "a term",
            };
            let text = crate::script::printed(host, Format::Table, |view| {
                view.outcome(&Outcome::Topics(vec![*topic]))
            });
            all.push((kind, text.map_err(|it| Error::Missing(it.to_string()))?));
        }
    }
    // The longest at last.
    let mut definitions = Command::definitions().iter();
    if let Some(command) = definitions.find(|it| it.get_name() == name) {
        all.push(("a command", command_help(host, command)));
    }
    match (&all[..], explained) {
        ([], Err(error)) => Err(near(name).unwrap_or(error)),
        ([(_, text)], _) => Ok(text.clone()),
        (all, _) => {
            let kinds: Vec<_> = all.iter().map(|it| it.0).collect();
            let texts: Vec<_> = all.iter().map(|it| it.1.as_str()).collect();
            let (last, first) = kinds.split_last().unwrap_or((&"", &[]));
            Ok(format!(
                "`{name}` is {} and {last}.\n\n{}",
                first.join(", "),
                texts.join("\n")
            ))
        }
    }
}

/// The word that was probably meant, where it is one that only the prompt and the language have.
fn near(name: &str) -> Option<Error> {
    let functions = crate::script::function_names();
    let known = super::line::names();
    let mut all: Vec<&str> = known.iter().chain(&functions).map(String::as_str).collect();
    for class in help::classes() {
        all.push(class);
    }
    let near = crate::script::did_you_mean(name, all.into_iter());
    (!near.is_empty()).then(|| Error::Missing(format!("nothing is known of \"{name}\"{near}")))
}

fn command_help(host: &Host, command: &clap::Command) -> String {
    let name = command.get_name().to_string();
    let mut command = command
        .clone()
        .term_width(host.style.get().width)
        .bin_name(name);
    let text = command.render_long_help();
    match host.style.get().color {
        true => text.ansi().to_string(),
        false => text.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_overview_fits_a_narrow_window() {
        for line in super::overview().lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}
