//! Random elements of `DHCP(options=[…])`.

use super::expressions::Expressions;
use super::scapy_names::{TEXT_OPTIONS, TYPED_OPTIONS, Value};

impl Expressions {
    /// One value of an option, as an element of its tuple.
    pub fn value(&mut self, kind: Value) -> String {
        match kind {
            Value::Ip => self.ip(),
            Value::Number(bits) => match self.chance(5) {
                true => "True".into(),
                false => self.number(bits),
            },
            Value::MessageType => {
                let names = [
                    "discover", "offer", "request", "decline", "ack", "nak", "release", "inform",
                ];
                let more = [
                    "force_renew",
                    "lease_query",
                    "lease_unassigned",
                    "lease_unknown",
                    "lease_active",
                ];
                match self.below(3) {
                    0 => self.number(8),
                    1 => format!("\"{}\"", self.pick(&more)),
                    _ => format!("\"{}\"", self.pick(&names)),
                }
            }
            Value::Codes => {
                let len = self.below(9);
                let codes: Vec<String> = (0..len).map(|_| self.number(8)).collect();
                match self.chance(60) {
                    true => format!("[{}]", codes.join(", ")),
                    false => self.number(8),
                }
            }
            Value::Routes => {
                let len = self.below(3);
                let routes: Vec<String> = (0..len).map(|_| self.route()).collect();
                match self.chance(50) {
                    true => format!("[{}]", routes.join(", ")),
                    false => self.route(),
                }
            }
            Value::Text => match self.below(12) {
                // As `bytes()` has it: a list of numbers, or so many zeros.
                0 => "[1, 2, 255]".into(),
                1 => self.below(5).to_string(),
                _ => self.load(30),
            },
        }
    }

    fn route(&mut self) -> String {
        let (destination, router) = (self.ip(), self.ip());
        let trim = |it: &str| it.trim_matches('"').to_string();
        format!(
            "\"{}/{}:{}\"",
            trim(&destination),
            self.below(33),
            trim(&router)
        )
    }

    /// An element of the list of options.
    pub fn option(&mut self) -> String {
        match self.below(20) {
            0 => "\"pad\"".into(),
            1 => "\"end\"".into(),
            2 => self.some_bytes(6),
            3 => self.below(256).to_string(),
            4 => {
                let (code, first, second) =
                    (self.below(256), self.some_bytes(20), self.some_bytes(20));
                match self.chance(30) {
                    true => format!("({code}, {first}, {second})"),
                    false => format!("({code}, {first})"),
                }
            }
            5 => {
                let name = self.pick(&["pad", "end"]);
                format!("(\"{name}\", {})", self.some_bytes(4))
            }
            6 => format!("(\"message-type\", {})", self.value(Value::MessageType)),
            _ => {
                let text = self.pick(TEXT_OPTIONS);
                let typed = self.pick(TYPED_OPTIONS);
                let (name, kind) = if self.chance(35) {
                    (text, Value::Text)
                } else {
                    typed
                };
                let count = if self.chance(75) {
                    1
                } else {
                    1 + self.below(4)
                };
                let values: Vec<String> = (0..count).map(|_| self.value(kind)).collect();
                format!("(\"{name}\", {})", values.join(", "))
            }
        }
    }
}
