//! The source that builds a packet again: `pkt.command()` and `--format script`.

use std::fmt::Write;

use starlark::values::{Heap, Value};

use super::classes::{Class, Default, Field};
use super::options;
use super::stack::Stack;
use crate::wire::*;

/// An expression that builds the same bytes. A field is named only where leaving it out would change
/// them, or where it would be worth another address on another link.
pub fn command(stack: &Stack) -> String {
    let wanted = stack.frame(0).encode();
    let mut short = stack.clone();
    for at in 0..short.layers.len() {
        let names: Vec<_> = short.layers[at].set.iter().map(|it| it.0).collect();
        for name in names {
            let class = short.layers[at].class;
            let Some(field) = class.field(name).filter(|it| !local(it)) else {
                continue;
            };
            let mut without = short.clone();
            without.layers[at].put(field, None);
            if without.frame(0).encode() == wanted {
                short = without;
            }
        }
    }
    let mut out = String::new();
    for layer in &short.layers {
        if !out.is_empty() {
            out.push_str(" / ");
        }
        let fields: Vec<String> = layer
            .class
            .fields
            .iter()
            .filter_map(|field| {
                let value = layer.get(field.name)?;
                Some(format!(
                    "{}={}",
                    field.name,
                    literal(layer.class, field, value)
                ))
            })
            .collect();
        let _ = match (&fields[..], layer.class.name) {
            // One value without a name is a load.
            ([one], "Raw" | "Padding" | "Cooked") => {
                write!(
                    out,
                    "{}({})",
                    layer.class.name,
                    one.trim_start_matches("load=")
                )
            }
            (fields, name) => write!(out, "{name}({})", fields.join(", ")),
        };
    }
    match out.is_empty() {
        true => "Raw()".into(),
        false => out,
    }
}

/// Whether the field's default depends on the link.
fn local(field: &Field) -> bool {
    matches!(
        field.default,
        Default::OwnMac | Default::OwnIp | Default::NextMac
    )
}

fn literal(class: &Class, field: &Field, value: &FieldValue) -> String {
    match (value, field.kind) {
        (FieldValue::Bytes(bytes), _) if (class.name, field.name) == ("DHCP", "options") => {
            option_list(bytes)
        }
        (FieldValue::Number(number), FieldKind::Hex) => format!("{number:#x}"),
        (FieldValue::Number(number), _) => number.to_string(),
        (FieldValue::Ip(ip), _) => format!("\"{ip}\""),
        (FieldValue::Mac(mac), _) => format!("\"{mac}\""),
        (FieldValue::Bytes(bytes), _) => fixed(field, bytes),
    }
}

/// Bytes of a field that is filled up with zeros need none at their end.
fn fixed(field: &Field, bytes: &[u8]) -> String {
    let len = match field.bits {
        0 => bytes.len(),
        _ => bytes.iter().rposition(|it| *it != 0).map_or(0, |at| at + 1),
    };
    let bytes = bytes.get(..len).unwrap_or(bytes);
    if field.name == "chaddr" && bytes.len() <= 6 {
        let mut octets = [0; 6];
        octets
            .iter_mut()
            .zip(bytes)
            .for_each(|(to, from)| *to = *from);
        return format!("\"{}\"", MacAddr::from(octets));
    }
    super::bytes::Bytes::new(bytes).to_string()
}

/// The list that builds an option stream.
pub fn option_list(stream: &[u8]) -> String {
    Heap::temp(|heap| {
        let mut out: Vec<String> = Vec::new();
        let mut rest = stream;
        for (element, len) in options::elements(stream, heap) {
            let raw = rest.get(..len).unwrap_or(rest);
            rest = rest.get(len..).unwrap_or_default();
            // Padding in a row is one element of zeros.
            if raw.iter().all(|it| *it == PAD) && out.last().is_some_and(|it| pads(it).is_some()) {
                if let Some(last) = out.last_mut() {
                    *last = format!("bytes({})", pads(last).unwrap_or(0) + raw.len());
                }
                continue;
            }
            out.push(exact(element, raw));
        }
        format!("[{}]", out.join(", "))
    })
}

/// How many zeros an element that was written is.
fn pads(element: &str) -> Option<usize> {
    match element {
        "\"pad\"" => Some(1),
        text => text.strip_prefix("bytes(")?.strip_suffix(')')?.parse().ok(),
    }
}

/// An element's source, by value where that builds the same bytes.
fn exact(element: Value, raw: &[u8]) -> String {
    let mut built = Vec::new();
    match options::element(element, &mut built) {
        Ok(()) if built == raw => shown(element),
        _ => super::bytes::Bytes::new(raw).to_string(),
    }
}

/// The element with a message type by name.
fn shown(element: Value) -> String {
    use starlark::values::tuple::TupleRef;
    if let Some(tuple) = TupleRef::from_value(element)
        && let [name, value] = tuple.content()
        && name.unpack_str() == Some("message-type")
        && let Some(kind) = value.unpack_i32().and_then(|it| u8::try_from(it).ok())
        && let Some(kind) = crate::dhcp::enums::message_type_name(kind)
    {
        return format!("(\"message-type\", \"{kind}\")");
    }
    element.to_repr()
}
