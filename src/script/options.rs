//! The list in `DHCP(options=[…])`: Scapy's names and ways of writing values, and for every option that
//! Scapy has no name for, the dictionary's.

use starlark::values::list::ListRef;
use starlark::values::tuple::{AllocTuple, TupleRef};
use starlark::values::{Heap, Value};

use super::bytes::Bytes;
use super::json;
use crate::dhcp::enums;
use crate::dhcp::options::{self, OPTIONS, OptionSpec};
use crate::dhcp::value::{Shape, ValueType};
use crate::wire::{END, ItemKind, Options, PAD, push_option};

/// How Scapy writes the values of an option that it has a name for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Addresses, one after the other.
    Ip,
    /// A number of this many bytes.
    Number(usize),
    /// A message type, by name or number.
    MessageType,
    /// Codes of options, a byte each.
    Codes,
    /// `NETWORK/BITS:ROUTER`.
    Routes,
    /// Text or bytes, as they are.
    Bytes,
}

/// Options that Scapy takes for text or bytes although the dictionary knows more of them, and the other
/// way round.
const EXCEPTIONS: &[(u8, Kind)] = &[
    (121, Kind::Routes),
    (128, Kind::Ip),
    (145, Kind::Codes),
    (211, Kind::Bytes),
];

fn scapy_kind(row: &OptionSpec) -> Kind {
    if let Some((_, kind)) = EXCEPTIONS.iter().find(|it| it.0 == row.code) {
        return *kind;
    }
    fn of(shape: &Shape) -> Kind {
        match shape {
            Shape::Ip => Kind::Ip,
            Shape::Uint(len) => Kind::Number(*len),
            Shape::I32 | Shape::Seconds => Kind::Number(4),
            Shape::Bool => Kind::Number(1),
            Shape::Enum(_, 1) => Kind::Number(1),
            Shape::OptionCode => Kind::Codes,
            Shape::List(inner) => match of(inner) {
                Kind::Number(1) => Kind::Codes,
                kind => kind,
            },
            Shape::Record(fields, _) if fields.iter().all(|it| matches!(it.1, Shape::Ip)) => {
                Kind::Ip
            }
            Shape::Either(first, ..) => of(first),
            _ => Kind::Bytes,
        }
    }
    match row.code {
        53 => Kind::MessageType,
        _ => of(row.ty.shape()),
    }
}

/// An option by the name that a script gives it.
pub fn by_name(name: &str) -> Result<(&'static OptionSpec, bool), String> {
    match OPTIONS.iter().find(|row| row.scapy == name) {
        Some(row) => Ok((row, true)),
        None => options::by_name(name)
            .map(|row| (row, false))
            .map_err(|it| it.to_string()),
    }
}

/// The name that a script knows an option by: Scapy's, or else nothing but its number.
fn name_of(code: u8) -> Option<&'static str> {
    let name = options::by_code(code).scapy;
    (!name.is_empty()).then_some(name)
}

/// The option stream that a value given as `options=` means.
pub fn stream(value: Value) -> Result<Vec<u8>, String> {
    if let Some(bytes) = Bytes::of(value) {
        return Ok(bytes);
    }
    if let Some(list) = super::option_list::OptionList::from_value(value) {
        return Ok(list.bytes());
    }
    let items: Vec<Value> = match (ListRef::from_value(value), TupleRef::from_value(value)) {
        (Some(list), _) => list.iter().collect(),
        (_, Some(tuple)) => tuple.iter().collect(),
        _ => {
            return Err(format!(
                "options is a list such as [(\"message-type\", \"discover\"), \"end\"], not {}",
                value.get_type()
            ));
        }
    };
    let mut out = Vec::new();
    for (index, item) in items.into_iter().enumerate() {
        element(item, &mut out).map_err(|it| format!("options[{index}]: {it}"))?;
    }
    Ok(out)
}

/// Appends what one element of the list means.
pub fn element(item: Value, out: &mut Vec<u8>) -> Result<(), String> {
    if let Some(bytes) = Bytes::of(item) {
        out.extend(bytes);
        return Ok(());
    }
    if let Some(code) = item.unpack_i32() {
        out.extend([code_of(code)?, 0]);
        return Ok(());
    }
    if let Some(name) = item.unpack_str() {
        match name {
            "pad" => out.push(PAD),
            "end" => out.push(END),
            name => push_option(out, by_name(name)?.0.code, &[]),
        }
        return Ok(());
    }
    let parts: Vec<Value> = match (TupleRef::from_value(item), ListRef::from_value(item)) {
        (Some(tuple), _) => tuple.iter().collect(),
        (_, Some(list)) => list.iter().collect(),
        _ => {
            return Err(format!(
                "an option is a tuple (NAME, VALUE), not {}",
                item.get_type()
            ));
        }
    };
    let Some((name, values)) = parts.split_first() else {
        return Err("an empty tuple is no option".into());
    };
    let (row, scapy) = match (name.unpack_i32(), name.unpack_str()) {
        (Some(code), _) => (options::by_code(code_of(code)?), false),
        (_, Some(name)) => by_name(name)?,
        _ => {
            return Err(format!(
                "an option's name is text or a number, not {}",
                name.get_type()
            ));
        }
    };
    let data = data(row, scapy, values).map_err(|it| format!("{}: {it}", row.name))?;
    if matches!(row.code, PAD | END) && !values.is_empty() {
        // A pad or an end with a length and data: wrong, and as asked for.
        let len = u8::try_from(data.len())
            .map_err(|_| format!("{}: {} bytes do not fit into 255", row.name, data.len()))?;
        out.extend([row.code, len]);
        out.extend(data);
        return Ok(());
    }
    push_option(out, row.code, &data);
    Ok(())
}

fn code_of(code: i32) -> Result<u8, String> {
    u8::try_from(code).map_err(|_| format!("an option code is a number from 0 to 255, not {code}"))
}

/// The data of an option: each value's bytes in a row.
fn data(row: &OptionSpec, scapy: bool, values: &[Value]) -> Result<Vec<u8>, String> {
    let kind = scapy.then(|| scapy_kind(row));
    let mut flat = Vec::new();
    for value in values {
        // Of text and bytes a list is its numbers; nested lists of other values are values in a row.
        if kind == Some(Kind::Bytes) && numbers(*value).is_some() {
            flat.push(*value);
            continue;
        }
        match (ListRef::from_value(*value), TupleRef::from_value(*value)) {
            (Some(list), _) => flat.extend(list.iter()),
            (_, Some(tuple)) => flat.extend(tuple.iter()),
            _ => flat.push(*value),
        }
    }
    let mut out = Vec::new();
    if let Some(kind) = kind {
        for value in flat {
            scapy_value(row, kind, value, &mut out)?;
        }
        return Ok(out);
    }
    if let Some(all) = flat
        .iter()
        .map(|it| Bytes::of(*it))
        .collect::<Option<Vec<_>>>()
    {
        return Ok(all.concat());
    }
    let ty = row.ty;
    let texts = flat
        .iter()
        .map(|it| it.unpack_str())
        .collect::<Option<Vec<_>>>();
    let value = match (texts, &flat[..]) {
        (Some(texts), _) => text(ty, &texts.join(","))?,
        (None, [one]) => from_json(ty, *one)?,
        (None, _) => {
            let all: Result<Vec<_>, String> = flat.iter().map(|it| json::of(*it)).collect();
            ty.from_json(&all?.into()).map_err(|it| it.to_string())?
        }
    };
    value.encode(&mut out).map_err(|it| it.to_string())?;
    Ok(out)
}

/// The bytes that a list or tuple of numbers is.
fn numbers(value: Value) -> Option<Vec<u8>> {
    let all: Vec<Value> = match (ListRef::from_value(value), TupleRef::from_value(value)) {
        (Some(list), _) => list.iter().collect(),
        (_, Some(tuple)) => tuple.iter().collect(),
        _ => return None,
    };
    let mut all = all.into_iter();
    all.try_fold(Vec::new(), |mut bytes, it| {
        bytes.push(u8::try_from(it.unpack_i32()?).ok()?);
        Some(bytes)
    })
}

fn text(ty: ValueType, text: &str) -> Result<crate::dhcp::value::Value, String> {
    ty.parse(text).map_err(|it| it.to_string())
}

fn from_json(ty: ValueType, value: Value) -> Result<crate::dhcp::value::Value, String> {
    let json = json::of(value)?;
    // A list type takes one value without brackets.
    ty.from_json(&json)
        .or_else(|error| ty.from_json(&vec![json].into()).map_err(|_| error))
        .map_err(|it| it.to_string())
}

fn scapy_value(
    row: &OptionSpec,
    kind: Kind,
    value: Value,
    out: &mut Vec<u8>,
) -> Result<(), String> {
    let wrong = |expected: &str| Err(format!("`{}` is not {expected}", value.to_str()));
    if let Some(bytes) = Bytes::of(value) {
        // Bytes are what goes out, whatever the option's type.
        out.extend(bytes);
        return Ok(());
    }
    match (kind, value.unpack_str(), value.unpack_i32()) {
        (Kind::Ip, Some(text), _) => match text.parse::<std::net::Ipv4Addr>() {
            Ok(ip) => out.extend(ip.octets()),
            Err(_) => return typed(row, text, out),
        },
        (Kind::MessageType, Some(name), _) => match enums::message_type_by_name(name) {
            Some(number) => out.push(number),
            None => return wrong("a message type: discover, offer, request, ack …"),
        },
        (Kind::Number(_), Some(text), _) => return typed(row, text, out),
        (Kind::Codes, Some(name), _) => out.push(by_name(name)?.0.code),
        (Kind::Routes, Some(text), _) => return typed(row, &text.replacen(':', ">", 1), out),
        (Kind::Bytes, Some(text), _) => out.extend(text.as_bytes()),
        // As `bytes()` has it: so many zeros.
        (Kind::Bytes, None, Some(_)) => out.extend(Bytes::from(value)?),
        (Kind::Bytes, ..) if numbers(value).is_some() => {
            out.extend(numbers(value).unwrap_or_default())
        }
        (Kind::Number(len), None, _) => {
            let Some(number) = number_of(value).filter(|it| len >= 8 || it >> (8 * len) == 0)
            else {
                return wrong(&format!("a number of {len} bytes"));
            };
            out.extend(&number.to_be_bytes()[8 - len.min(8)..]);
        }
        (Kind::MessageType | Kind::Codes, None, Some(number)) => match u8::try_from(number) {
            Ok(number) => out.push(number),
            Err(_) => return wrong("a number from 0 to 255"),
        },
        _ => {
            let value = from_json(row.ty, value)?;
            value.encode(out).map_err(|it| it.to_string())?;
        }
    }
    Ok(())
}

fn typed(row: &OptionSpec, words: &str, out: &mut Vec<u8>) -> Result<(), String> {
    let value = text(row.ty, words)?;
    value.encode(out).map_err(|it| it.to_string())
}

/// A number that is not negative, booleans among them.
pub fn number_of(value: Value) -> Option<u64> {
    if let Some(flag) = value.unpack_bool() {
        return Some(u64::from(flag));
    }
    json::of(value).ok()?.as_u64()
}

/// The elements that an option stream reads as, each with the bytes that it stands for.
pub fn elements<'v>(stream: &[u8], heap: Heap<'v>) -> Vec<(Value<'v>, usize)> {
    let mut out = Vec::new();
    let mut rest = stream;
    while let Some(item) = Options::new(rest).next() {
        let value = match item.kind {
            ItemKind::Pad => heap.alloc("pad"),
            ItemKind::End => heap.alloc("end"),
            ItemKind::Option => option(item.code, item.data, heap),
            ItemKind::Truncated { .. } | ItemKind::AfterEnd => heap.alloc(Bytes::new(item.raw)),
        };
        out.push((value, item.raw.len()));
        rest = rest.get(item.raw.len()..).unwrap_or_default();
    }
    out
}

/// An option as the tuple that builds it again.
fn option<'v>(code: u8, data: &[u8], heap: Heap<'v>) -> Value<'v> {
    let raw = || {
        let name = name_of(code).filter(|_| scapy_kind(options::by_code(code)) == Kind::Bytes);
        let name = name.map_or_else(|| heap.alloc(i32::from(code)), |it| heap.alloc(it));
        heap.alloc((name, heap.alloc(Bytes::new(data))))
    };
    let Some(name) = name_of(code) else {
        return raw();
    };
    let mut parts = vec![heap.alloc(name)];
    match scapy_kind(options::by_code(code)) {
        Kind::Ip if data.len().is_multiple_of(4) && !data.is_empty() => {
            parts.extend(data.chunks(4).map(|it| {
                let octets = <[u8; 4]>::try_from(it).unwrap_or_default();
                heap.alloc(std::net::Ipv4Addr::from(octets).to_string())
            }));
        }
        Kind::Number(len) if data.len() == len && len <= 4 => {
            let number = data.iter().fold(0u64, |all, it| all << 8 | u64::from(*it));
            parts.push(heap.alloc(number));
        }
        Kind::MessageType if data.len() == 1 => parts.push(heap.alloc(i32::from(data[0]))),
        Kind::Codes if !data.is_empty() => {
            let codes: Vec<i32> = data.iter().map(|it| i32::from(*it)).collect();
            parts.push(heap.alloc(codes));
        }
        _ => return raw(),
    }
    heap.alloc(AllocTuple(parts))
}

/// The attribute of a packet that names an option: its value as the dictionary reads it.
pub fn attribute<'v>(code: u8, data: &[u8], heap: Heap<'v>) -> Value<'v> {
    match options::by_code(code).ty.decode(data) {
        Ok(value) => of_json(&value.json(), heap),
        Err(_) => heap.alloc(Bytes::new(data)),
    }
}

/// JSON as a value of the language.
pub fn of_json<'v>(json: &serde_json::Value, heap: Heap<'v>) -> Value<'v> {
    use serde_json::Value as Json;
    match json {
        Json::Null => Value::new_none(),
        Json::Bool(flag) => heap.alloc(*flag),
        Json::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => heap.alloc(number),
            (_, Some(number)) => heap.alloc(number),
            _ => heap.alloc(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => heap.alloc(text.as_str()),
        Json::Array(items) => {
            let items: Vec<_> = items.iter().map(|it| of_json(it, heap)).collect();
            heap.alloc(items)
        }
        Json::Object(fields) => {
            let fields = fields
                .iter()
                .map(|(name, it)| (name.as_str(), of_json(it, heap)));
            heap.alloc(starlark::values::dict::AllocDict(
                fields.collect::<Vec<_>>(),
            ))
        }
    }
}

/// The data of an option that `pkt.NAME = VALUE` means.
pub fn named(row: &'static OptionSpec, value: Value) -> Result<Vec<u8>, String> {
    data(row, false, &[value]).map_err(|it| format!("{}: {it}", row.name))
}
