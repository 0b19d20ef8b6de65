//! In what two frames differ, field by field and option by option.

use std::collections::HashMap;

use super::{assign, options};
use crate::wire::{FieldKind, Frame, Layer, PAD};

/// A field or option that is not the same in two frames.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// `BOOTP.xid`, `option router`, `Padding`; the second of a name is `NAME#2`.
    pub name: String,
    /// Its value in the first frame; `None` where it is not there.
    pub first: Option<String>,
    /// Its value in the second.
    pub second: Option<String>,
}

/// What differs, in the order of the first frame; then what only the second has.
pub fn differences(first: &Frame, second: &Frame) -> Vec<Difference> {
    let a = rows(first);
    let mut b: HashMap<String, (usize, String)> = (0..)
        .zip(rows(second))
        .map(|(at, (name, value))| (name, (at, value)))
        .collect();
    let mut all = Vec::new();
    for (name, value) in a {
        let other = b.remove(&name).map(|it| it.1);
        if other.as_ref() != Some(&value) {
            all.push(Difference {
                name,
                first: Some(value),
                second: other,
            });
        }
    }
    let mut rest: Vec<_> = b.into_iter().collect();
    rest.sort_by_key(|it| it.1.0);
    all.extend(rest.into_iter().map(|(name, (_, value))| Difference {
        name,
        first: None,
        second: Some(value),
    }));
    all
}

/// Everything in a frame by name, each name once.
fn rows(frame: &Frame) -> Vec<(String, String)> {
    let mut rows: Vec<(String, String)> = Vec::new();
    let mut times: HashMap<String, u32> = HashMap::new();
    let mut push = |name: String, value: String| {
        let count = times.entry(name.clone()).or_default();
        *count += 1;
        let name = match *count {
            1 => name,
            count => format!("{name}#{count}"),
        };
        rows.push((name, value));
    };
    for layer in &frame.layers {
        match layer {
            Layer::Dhcp(dhcp) => {
                push("DHCP.cookie".into(), hex::encode(dhcp.cookie));
                let mut items = dhcp.iter().peekable();
                while let Some(item) = items.next() {
                    let name = options::by_code(item.code).name;
                    let value = match item.is_option() {
                        true => {
                            let text = assign::format(item.code, item.data);
                            text.split_once('=').map_or("", |it| it.1).to_string()
                        }
                        false => {
                            let mut raw = item.raw.to_vec();
                            // Of padding its length matters, not each byte.
                            while item.raw == [PAD]
                                && let Some(more) = items.next_if(|it| it.raw == [PAD])
                            {
                                raw.extend(more.raw);
                            }
                            hex::encode(raw)
                        }
                    };
                    push(format!("option {name}"), value);
                }
            }
            Layer::Raw(bytes) | Layer::Padding(bytes) | Layer::Cooked(bytes) => {
                push(layer.name().into(), hex::encode(bytes));
            }
            _ => {
                for row in layer.fields() {
                    if let Some(value) = layer.get(row.name) {
                        let text = match (row.kind, value.number()) {
                            // All its digits, as elsewhere.
                            (FieldKind::Hex, Some(it)) => {
                                format!("{it:#0width$x}", width = 2 + row.bits.div_ceil(4))
                            }
                            _ => value.to_string(),
                        };
                        push(format!("{}.{}", row.layer, row.name), text);
                    }
                }
            }
        }
    }
    rows
}
