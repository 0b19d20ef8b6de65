//! The options in the field tree: each where it stands, typed, with its sub-options.

use std::ops::Range;

use super::meaning::Note;
use super::tree::{Tree, zeros};
use crate::dhcp::value::Value;
use crate::dhcp::{Place, options};
use crate::wire::*;

impl Tree<'_> {
    fn item(&mut self, depth: usize, base: usize, item: &OptionItem) {
        let start = base + item.offset;
        let range = Some(start..start + item.raw.len());
        let row = options::by_code(item.code);
        let name = format!("{} {}", item.code, row.name);
        match item.kind {
            ItemKind::Pad => self.field(depth, "0 pad", range, "", Note::None),
            ItemKind::End => self.field(depth, "255 end", range, "", Note::None),
            ItemKind::AfterEnd if item.data.iter().all(|byte| *byte == 0) => {
                let text = zeros(item.data.len());
                self.field(depth, "padding", range, &text, Note::None);
            }
            ItemKind::AfterEnd => {
                let note = Note::odd("behind END, where only zeros belong");
                self.field(depth, "after end", range, &hex::encode(item.data), note);
            }
            ItemKind::Truncated { declared } => {
                let note = match declared {
                    Some(len) => {
                        format!(
                            "cut short: {len} bytes announced, {} there",
                            item.data.len()
                        )
                    }
                    None => "cut short: no length byte".into(),
                };
                self.field(
                    depth,
                    &name,
                    range,
                    &hex::encode(item.data),
                    Note::odd(note),
                );
            }
            ItemKind::Option => match row.ty.decode(item.data) {
                Ok(value) => {
                    self.field(depth, &name, range, &value.to_string(), Note::None);
                    self.parts(depth + 1, Some((start + 2, item.data)), &value);
                }
                Err(error) => {
                    let text = match item.data {
                        [] => "no data".into(),
                        data => hex::encode(data),
                    };
                    let note = Note::odd(format!("is no {}: {error}", row.ty.name()));
                    self.field(depth, &name, range, &text, note);
                }
            },
        }
    }

    /// The parts of a structured value; with their bytes where `data`, which holds them, begins.
    fn parts(&mut self, depth: usize, data: Option<(usize, &[u8])>, value: &Value) {
        let parts = value.parts();
        let encoded: Vec<Vec<u8>> = parts.iter().map(|(_, part)| encoded(part)).collect();
        let total: usize = encoded.iter().map(Vec::len).sum();
        // Sub-options have a code and a length before their data, the fields of a record have nothing.
        let head = match data {
            Some((_, data)) if total == data.len() => Some(0),
            Some((_, data)) if total + 2 * parts.len() == data.len() => Some(2),
            _ => None,
        };
        let mut at = 0;
        for ((name, part), bytes) in parts.iter().zip(&encoded) {
            let own = data.zip(head).and_then(|((start, data), head)| {
                let from = at + head;
                let own = data
                    .get(from..from + bytes.len())
                    .filter(|it| it == bytes)?;
                let whole = start + at..start + from + bytes.len();
                at = from + bytes.len();
                Some((whole, start + from, own))
            });
            let range = own.as_ref().map(|it| it.0.clone());
            self.field(depth, name, range, &part.to_string(), Note::None);
            self.parts(depth + 1, own.map(|it| (it.1, it.2)), part);
        }
    }

    /// The options of a stream that begins at `base`, split ones joined where the first piece stands.
    pub(super) fn stream(&mut self, depth: usize, base: usize, stream: &[u8], place: Place) {
        let mut seen: Vec<u8> = Vec::new();
        let mut pads: Option<Range<usize>> = None;
        for item in Options::new(stream) {
            if item.kind == ItemKind::Pad {
                let at = base + item.offset;
                pads = Some(pads.map_or(at, |it| it.start)..at + 1);
                continue;
            }
            self.pads(depth, pads.take());
            let several = self
                .options
                .iter()
                .find(|it| it.code == item.code && it.pieces > 1);
            let Some(several) = several.filter(|_| item.kind == ItemKind::Option) else {
                self.item(depth, base, &item);
                continue;
            };
            let first = !seen.contains(&item.code) && several.place == place;
            seen.push(item.code);
            let name = format!("{} {}", item.code, options::by_code(item.code).name);
            let range = base + item.offset..base + item.offset + item.raw.len();
            match (several.value(), first) {
                (Ok(value), true) => {
                    let note = format!("joined from {} pieces (RFC 3396)", several.pieces);
                    self.field(
                        depth,
                        &name,
                        Some(range),
                        &value.to_string(),
                        Note::fine(note),
                    );
                    self.parts(depth + 1, None, &value);
                }
                (Ok(_), false) => {
                    let text = hex::encode(item.data);
                    self.field(
                        depth,
                        &name,
                        Some(range),
                        &text,
                        Note::fine("a further piece"),
                    );
                }
                (Err(_), _) => {
                    let times = several.pieces;
                    self.item(depth, base, &item);
                    if first {
                        let note =
                            format!("comes {times} times; joined (RFC 3396) they are no value");
                        self.field(depth + 1, "", None, "", Note::odd(note));
                    }
                }
            }
        }
        self.pads(depth, pads);
    }

    fn pads(&mut self, depth: usize, pads: Option<Range<usize>>) {
        if let Some(range) = pads {
            let text = zeros(range.len());
            self.field(depth, "0 pad", Some(range), &text, Note::None);
        }
    }
}

fn encoded(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    match value.encode(&mut bytes) {
        Ok(()) => bytes,
        Err(_) => Vec::new(),
    }
}
