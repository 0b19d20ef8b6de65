//! Expectations: expressions of the language over what a command yielded.

use starlark::values::Value;

use super::engine::{Engine, Module, ScriptError};
use super::exchange::{Exchange, is_reply, packet_of};
use super::host::Host;
use crate::commands::outcome::{Direction, Ending, Entry};
use crate::view::{Format, summary};

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

/// Evaluates expressions over entries: `reply`, `replies`, `sent`, `pkt`.
pub struct Judge<'h> {
    engine: Engine<'h>,
}

impl<'h> Judge<'h> {
    /// A judge with the functions of the language.
    pub fn new(host: &'h Host) -> Self {
        Judge {
            engine: Engine::new(host),
        }
    }

    /// Whether an expression about one packet, `pkt`, is true.
    pub fn holds(&self, expression: &str, entry: &Entry) -> Result<bool, ScriptError> {
        Module::with_temp_heap(|module| {
            module.set("pkt", module.heap().alloc(packet_of(entry)));
            Ok(self.engine.run(&module, "--where", expression)?.to_bool())
        })
    }

    /// Whether each expression holds for what a command yielded.
    pub fn expect(
        &self,
        expressions: &[String],
        entries: &[Entry],
        ending: &Ending,
    ) -> Result<Vec<Verdict>, ScriptError> {
        expressions
            .iter()
            .map(|it| self.one(it, entries, ending))
            .collect()
    }

    fn one(
        &self,
        expression: &str,
        entries: &[Entry],
        ending: &Ending,
    ) -> Result<Verdict, ScriptError> {
        let exchange = Exchange::new(entries.to_vec(), ending.clone(), Format::Table);
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
            let sent = entries
                .iter()
                .find(|it| it.direction == Direction::Sent && it.frame.bootp().is_some());
            module.set(
                "sent",
                sent.map_or(Value::new_none(), |it| heap.alloc(packet_of(it))),
            );
            module.set("exchange", value);
            let held = match self.engine.run(&module, "--expect", expression) {
                Ok(value) => value.to_bool(),
                // Without a reply nothing can be said of it: the expectation did not hold.
                Err(_) if exchange.replies().next().is_none() && expression.contains("reply") => {
                    false
                }
                Err(error) => return Err(error),
            };
            let mut values = Vec::new();
            if !held {
                for part in parts(expression) {
                    if let Ok(value) = self.engine.run(&module, "--expect", &part) {
                        let place = whose(&part, entries, ending);
                        values.push(format!("{part} is {}{place}", value.to_repr()));
                    }
                }
                if values.is_empty() && exchange.replies().next().is_none() {
                    values.push("there was no reply".into());
                }
            }
            Ok(Verdict {
                expression: expression.to_string(),
                held,
                values,
            })
        })
    }
}

/// Which frame a part of an expression speaks of.
fn whose(part: &str, entries: &[Entry], ending: &Ending) -> String {
    let mut replies = entries.iter().filter(|it| is_reply(it));
    let entry = match ending {
        Ending::Bound => replies.next_back(),
        _ => replies.next(),
    };
    match entry.filter(|_| part.starts_with("reply.") || part.starts_with("reply[")) {
        Some(entry) => format!("   ({}, frame {})", summary(entry), entry.number),
        None => String::new(),
    }
}

/// The names with attributes and indices in an expression, each once: `reply.router`, `len(replies)`.
fn parts(expression: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let bytes = expression.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            quote @ (b'"' | b'\'') => {
                at += 1;
                while at < bytes.len() && bytes[at] != quote {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                at += 1;
            }
            byte if byte.is_ascii_alphabetic() || byte == b'_' => {
                let start = at;
                while at < bytes.len() {
                    match bytes[at] {
                        byte if byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.' => {
                            at += 1
                        }
                        b'(' | b'[' => match closing(bytes, at) {
                            Some(end) => at = end + 1,
                            None => break,
                        },
                        _ => break,
                    }
                }
                let part = expression.get(start..at).unwrap_or_default().to_string();
                let known = ["reply", "replies", "sent", "pkt", "exchange"];
                if part != expression.trim()
                    && known.iter().any(|it| part.contains(it))
                    && !parts.contains(&part)
                {
                    parts.push(part);
                }
            }
            _ => at += 1,
        }
    }
    if parts.is_empty() {
        parts.push(expression.trim().to_string());
    }
    parts
}

fn closing(bytes: &[u8], open: usize) -> Option<usize> {
    let mut depth = 0;
    for (at, byte) in bytes.iter().enumerate().skip(open) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn parts_of_an_expression() {
        assert_eq!(parts("reply.router == [\"reply.x\"]"), ["reply.router"]);
        assert_eq!(
            parts("len(replies) == 1 and reply[DHCP].options"),
            ["len(replies)", "reply[DHCP].options"]
        );
        assert_eq!(parts("reply"), ["reply"]);
    }
}
