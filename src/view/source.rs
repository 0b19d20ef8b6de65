//! The command line that builds a frame again, byte for byte.

use std::sync::Arc;

use crate::commands::Command;
use crate::commands::outcome::{Entry, Sink};
use crate::commands::session::Session;
use crate::dhcp::{Message, assign, enums};
use crate::wire::*;

/// The command line for a frame: header flags and options by name where they build the same bytes,
/// else `craft --from hex:…`, which does so for any frame.
pub fn command(entry: &Entry) -> String {
    let words = words(&entry.bytes).unwrap_or_else(|| {
        let base = format!("hex:{}", hex::encode(&entry.bytes));
        vec!["craft".into(), "--from".into(), base]
    });
    let mut line = "dhcpcraft".to_string();
    for word in words {
        line.push(' ');
        line.push_str(&quote(&word));
    }
    line
}

/// Quotes a word for a POSIX shell, if it needs it.
fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=.,:/@%+#".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_string();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

struct First(Option<Vec<u8>>);

impl Sink for First {
    fn entry(&mut self, entry: &Entry) -> std::io::Result<()> {
        self.0.get_or_insert_with(|| entry.bytes.clone());
        Ok(())
    }
    fn notice(&mut self, _text: &str) {}
}

/// The bytes that a command line builds.
fn built(words: &[String]) -> Option<Vec<u8>> {
    let mut words = words.to_vec();
    words.push("--dry-run".into());
    let command = Command::parse_words(&words).ok()?;
    let mut session = Session::new(Some(0), Arc::default());
    let mut first = First(None);
    command.run(&mut session, &mut first).ok()?;
    first.0
}

fn words(bytes: &[u8]) -> Option<Vec<String>> {
    let frame = Frame::decode(bytes);
    let message = Message::of(&frame)?;
    let mut words = options(&message)?;
    for layer in &frame.layers {
        if let Layer::Dot1Q(tag) = layer {
            words.extend(["--vlan".into(), format!("{}:{}", tag.vlan, tag.prio)]);
        }
    }
    // Every field that the line so far does not build as it is gets its flag.
    let start = Frame::decode(&built(&words)?);
    let mut fields = Vec::new();
    for layer in &frame.layers {
        let twin = start.layers.iter().find(|it| it.name() == layer.name());
        for row in layer.fields() {
            let (Some(flag), Some(value)) = (row.flag(), layer.get(row.name)) else {
                continue;
            };
            if twin.and_then(|it| it.get(row.name)) != Some(value.clone()) {
                fields.extend([format!("--{flag}"), text(row, &value)]);
            }
        }
    }
    words.splice(2..2, fields);
    // Lengths and checksums that came out right by themselves need no flag.
    let mut shorter = words.clone();
    for flag in ["--ip-len", "--ip-chksum", "--udp-len", "--udp-chksum"] {
        if let Some(at) = shorter.iter().position(|it| it == flag) {
            shorter.drain(at..at + 2);
        }
    }
    [shorter, words]
        .into_iter()
        .find(|it| built(it).as_deref() == Some(bytes))
}

fn text(row: &FieldSpec, value: &FieldValue) -> String {
    match (row.kind, value) {
        (FieldKind::Hex, FieldValue::Number(number)) => format!("{number:#x}"),
        (FieldKind::Text, FieldValue::Bytes(bytes)) => {
            let end = bytes.iter().rposition(|it| *it != 0).map_or(0, |at| at + 1);
            match std::str::from_utf8(&bytes[..end]) {
                Ok(text) if !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic()) => {
                    text.into()
                }
                _ => format!("hex:{}", hex::encode(&bytes[..end])),
            }
        }
        (_, FieldValue::Bytes(bytes))
            if row.name == "chaddr" && bytes[6..].iter().all(|it| *it == 0) =>
        {
            let parts: Vec<_> = bytes[..6].iter().map(|it| format!("{it:02x}")).collect();
            parts.join(":")
        }
        (_, FieldValue::Bytes(bytes)) => format!("hex:{}", hex::encode(bytes)),
        (_, value) => value.to_string(),
    }
}

/// The command's name and the words for the options.
fn options(message: &Message) -> Option<Vec<String>> {
    let bare = |words: &[&str]| words.iter().map(|it| it.to_string()).collect::<Vec<_>>();
    let Some(dhcp) = message.dhcp else {
        let words = bare(&["craft", "--type", "bootp", "--bare"]);
        return Some(words);
    };
    let items: Vec<_> = dhcp.iter().collect();
    let mut words = match (items.first(), message.message_type()) {
        (Some(first), Some(number)) if first.code == 53 && first.data.len() == 1 => {
            match enums::message_type_name(number) {
                Some(name) if (1..=8).contains(&number) => bare(&[name, "--bare"]),
                Some(name) => bare(&["craft", "--bare", "--type", name]),
                None => bare(&["craft", "--bare", "--type", &number.to_string()]),
            }
        }
        _ => bare(&["craft", "--bare"]),
    };
    let typed = words.len() > 2 || words.first().is_some_and(|it| it != "craft");
    // Options by name need whole options, then END, then zeros.
    let end = items.iter().position(|it| it.kind == ItemKind::End);
    let plain = end.is_some_and(|end| {
        items[..end].iter().all(|it| it.kind == ItemKind::Option)
            && items[end + 1..]
                .iter()
                .all(|it| it.data.iter().all(|byte| *byte == PAD))
    });
    if !plain {
        words.extend(["--raw-options".into(), hex::encode(&dhcp.options)]);
        return Some(words);
    }
    for item in items
        .iter()
        .filter(|it| it.is_option())
        .skip(usize::from(typed))
    {
        words.extend(["-o".into(), assign::format(item.code, item.data)]);
    }
    let padded = items.last().is_some_and(|it| it.kind == ItemKind::AfterEnd);
    if padded {
        let size = BOOTP_LEN + dhcp.cookie.len() + dhcp.options.len();
        words.extend(["--pad-to".into(), size.to_string()]);
    }
    Some(words)
}
