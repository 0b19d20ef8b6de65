//! The lines of a conversation as a script that does the same.

use std::fmt::Write;

use super::line::{Line, as_call, classify, quoted};
use crate::commands::Command;
use crate::script::Engine;

/// The script. Commands become the calls that do the same; what the prompt sets by itself (`_`, `reply`,
/// `sent`, `answers`) is set where a later line speaks of it.
pub fn script(said: &[String]) -> String {
    let lines: Vec<Line> = said.iter().map(|it| classify(it)).collect();
    let mut mac: Option<String> = None;
    let mut out = String::from("# What was said at the prompt of dhcpcraft.\n");
    for (at, line) in lines.iter().enumerate() {
        let later = |name: &str| {
            lines.iter().skip(at + 1).any(|it| match it {
                Line::Source(source) => mentions(source, name),
                _ => false,
            })
        };
        let _ = match line {
            Line::Command(words) => {
                let words = with_mac(words, mac.as_deref());
                let call = as_call(&words);
                match words.first().map(String::as_str) {
                    // They only look something up, for a person.
                    Some("options" | "explain" | "interfaces") => writeln!(out, "# {call}"),
                    Some("show" | "convert") => writeln!(out, "{call}"),
                    _ => exchange(&mut out, &call, &later),
                }
            }
            Line::Word("set", words) => match &words[..] {
                [what, name] if what == "interface" => {
                    writeln!(out, "interface({})", quoted(name))
                }
                [what, value] if what == "mac" => {
                    mac = (value != "native").then(|| value.clone());
                    Ok(())
                }
                _ => Ok(()),
            },
            Line::Source(source) if later("_") && is_expression(source) => {
                writeln!(out, "_ = {}", source.trim_end())
            }
            Line::Source(source) => writeln!(out, "{}", source.trim_end()),
            _ => Ok(()),
        };
    }
    out
}

fn exchange(out: &mut String, call: &str, later: &dyn Fn(&str) -> bool) -> std::fmt::Result {
    let names = [
        ("reply", "_.reply"),
        ("sent", "_.sent[0]"),
        ("answers", "_.replies"),
    ];
    let wanted: Vec<_> = names.into_iter().filter(|it| later(it.0)).collect();
    if wanted.is_empty() && !later("_") {
        return writeln!(out, "show({call})");
    }
    writeln!(out, "_ = {call}\nshow(_)")?;
    for (name, value) in wanted {
        writeln!(out, "{name} = {value}")?;
    }
    Ok(())
}

/// The words with the address that the conversation had set, where the command takes one and names none.
fn with_mac(words: &[String], mac: Option<&str>) -> Vec<String> {
    let mut words = words.to_vec();
    let takes = Command::definitions()
        .iter()
        .filter(|it| Some(it.get_name()) == words.first().map(String::as_str))
        .any(|it| it.get_arguments().any(|it| it.get_id() == "chaddr"));
    let named = words
        .iter()
        .any(|it| it.starts_with("--chaddr") || it.starts_with("--mac"));
    if let (Some(mac), true, false) = (mac, takes, named) {
        words.push(format!("--chaddr={mac}"));
    }
    words
}

fn is_expression(source: &str) -> bool {
    Engine::parses(&format!("_ = (\n{source}\n)"))
}

/// Whether source speaks of a name, as far as its words tell.
fn mentions(source: &str, name: &str) -> bool {
    source
        .split(|it: char| !it.is_alphanumeric() && it != '_')
        .any(|it| it == name)
}

#[cfg(test)]
mod tests {
    use super::script;

    fn saved(said: &[&str]) -> String {
        let said: Vec<String> = said.iter().map(|it| it.to_string()).collect();
        let script = script(&said);
        let body = script.split_once('\n').map(|it| it.1);
        body.unwrap_or_default().to_string()
    }

    #[test]
    fn lines_become_calls() {
        for (said, wanted) in [
            (
                &["discover --hostname x"][..],
                "show(discover(hostname=\"x\"))\n",
            ),
            (
                &["set interface lab:nak", "dora"],
                "interface(\"lab:nak\")\nshow(dora())\n",
            ),
            (
                &["set mac random", "discover", "set mac native", "discover"],
                "show(discover(chaddr=\"random\"))\nshow(discover())\n",
            ),
            (
                &["set mac random", "discover --mac native"],
                "show(discover(chaddr=\"native\"))\n",
            ),
            (
                &["discover", "x = reply.xid"],
                "_ = discover()\nshow(_)\nreply = _.reply\nx = reply.xid\n",
            ),
            (
                &["1 + 1", "print(_)", "options router", "replies", "help"],
                "_ = 1 + 1\nprint(_)\n# options(\"router\")\n",
            ),
            (
                &["show x.pcap --format tree"],
                "show(\"x.pcap\", format=\"tree\")\n",
            ),
            (
                &["def f():\n    return 1\n", "f()"],
                "def f():\n    return 1\nf()\n",
            ),
        ] {
            assert_eq!(saved(said), wanted, "{said:?}");
        }
    }
}
