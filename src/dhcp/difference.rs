//! In what two frames differ, field by field and option by option.

use super::{assign, options};
use crate::wire::{Frame, Layer};

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
    let (a, b) = (rows(first), rows(second));
    let value = |rows: &[(String, String)], name: &str| {
        let row = rows.iter().find(|it| it.0 == name);
        row.map(|it| it.1.clone())
    };
    let only_b = b.iter().filter(|it| value(&a, &it.0).is_none());
    let names = a.iter().chain(only_b).map(|it| &it.0);
    let all = names.map(|name| Difference {
        name: name.clone(),
        first: value(&a, name),
        second: value(&b, name),
    });
    all.filter(|it| it.first != it.second).collect()
}

/// Everything in a frame by name, each name once.
fn rows(frame: &Frame) -> Vec<(String, String)> {
    let mut rows: Vec<(String, String)> = Vec::new();
    let mut push = |name: String, value: String| {
        let again = |it: &&(String, String)| it.0.split('#').next() == Some(&name);
        let name = match rows.iter().filter(again).count() {
            0 => name,
            times => format!("{name}#{}", times + 1),
        };
        rows.push((name, value));
    };
    for layer in &frame.layers {
        match layer {
            Layer::Dhcp(dhcp) => {
                push("DHCP.cookie".into(), hex::encode(dhcp.cookie));
                for item in dhcp.iter() {
                    let name = options::by_code(item.code).name;
                    let text = match item.is_option() {
                        true => assign::format(item.code, item.data),
                        false => hex::encode(item.raw),
                    };
                    let value = text.split_once('=').map_or("", |it| it.1);
                    push(format!("option {name}"), value.to_string());
                }
            }
            Layer::Raw(bytes) | Layer::Padding(bytes) | Layer::Cooked(bytes) => {
                push(layer.name().into(), hex::encode(bytes));
            }
            _ => {
                for row in layer.fields() {
                    if let Some(value) = layer.get(row.name) {
                        push(format!("{}.{}", row.layer, row.name), value.to_string());
                    }
                }
            }
        }
    }
    rows
}
