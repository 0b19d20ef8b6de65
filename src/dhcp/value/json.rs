//! Values as JSON and from JSON.
//!
//! Numbers, booleans, addresses and names as one expects; bytes as a string, or as `{"hex": "…"}` where
//! they are no printable text; records as objects; sub-options as a list of objects with `code`, `name`
//! and `value`; forms of their own as their text.

use serde_json::{Map, Value as Json, json};

use super::shape::Shape;
use super::{Data, ValueError, text};

type Read<T> = Result<T, ValueError>;

fn bytes(bytes: &[u8]) -> Json {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(char::is_control) => text.into(),
        _ => json!({ "hex": hex::encode(bytes) }),
    }
}

fn as_text(shape: &'static Shape, data: &Data) -> Json {
    let mut out = String::new();
    text::write(shape, data, true, &mut out);
    out.into()
}

/// The value as JSON.
pub(super) fn write(shape: &'static Shape, data: &Data) -> Json {
    match (shape, data) {
        (Shape::Bool, Data::Uint(number)) => (*number != 0).into(),
        (Shape::Enum(table, _), Data::Uint(number)) => match table.name_of(*number) {
            Some(name) => name.into(),
            None => (*number).into(),
        },
        (Shape::Route | Shape::ClientId | Shape::ClientFqdn | Shape::Uuid | Shape::Geo, data) => {
            as_text(shape, data)
        }
        (_, Data::Empty) => true.into(),
        (_, Data::Uint(number)) => (*number).into(),
        (_, Data::Int(number)) => (*number).into(),
        (_, Data::Ip(_) | Data::Ipv6(_) | Data::Name(_)) => as_text(shape, data),
        (_, Data::Bytes(it)) => bytes(it),
        (Shape::Either(_, second, word), Data::Other(data)) => {
            let mut object = Map::new();
            object.insert(word.to_string(), write(second, data));
            object.into()
        }
        (_, Data::Other(data)) => write(&Shape::Bytes, data),
        (Shape::Either(first, ..), data) => write(first, data),
        (Shape::Prefixed(_, of), data) => write(of, data),
        (Shape::List(of), Data::List(items)) => items.iter().map(|it| write(of, it)).collect(),
        (_, Data::List(items)) => items.iter().map(|it| as_text(&Shape::Ip, it)).collect(),
        (Shape::Record(fields, _), Data::Record(parts)) => {
            let pairs = fields.iter().zip(parts);
            let pairs = pairs.map(|((name, shape), part)| (name.to_string(), write(shape, part)));
            pairs.collect::<Map<_, _>>().into()
        }
        (Shape::Tlv(table), Data::Tlv(items)) => items
            .iter()
            .map(|(code, data)| {
                let (name, shape) = table.row(*code);
                match data {
                    Data::Other(data) => {
                        json!({ "code": code, "name": name, "raw": write(&Shape::Bytes, data) })
                    }
                    data => json!({ "code": code, "name": name, "value": write(shape, data) }),
                }
            })
            .collect(),
        _ => Json::Null,
    }
}

fn bad(json: &Json, wanted: &str) -> ValueError {
    ValueError::new(format!("{json} is no {wanted}"))
}

fn read_bytes(json: &Json) -> Read<Data> {
    if let Some(text) = json.as_str() {
        return Ok(Data::Bytes(text.as_bytes().to_vec()));
    }
    let digits = json.get("hex").and_then(Json::as_str);
    let bytes = digits.and_then(|it| hex::decode(it).ok());
    bytes
        .map(Data::Bytes)
        .ok_or_else(|| bad(json, "text or {\"hex\": …}"))
}

/// Reads JSON as `shape`.
pub(super) fn read(shape: &'static Shape, json: &Json) -> Read<Data> {
    match shape {
        Shape::Str | Shape::Bytes | Shape::Fixed(_) => read_bytes(json),
        Shape::Prefixed(_, of) => read(of, json),
        Shape::Either(first, second, word) => match json.get(word) {
            Some(it) => Ok(Data::Other(Box::new(read(second, it)?))),
            None => read(first, json),
        },
        Shape::List(of) => {
            let items = json.as_array().ok_or_else(|| bad(json, "list"))?;
            Ok(Data::List(
                items.iter().map(|it| read(of, it)).collect::<Read<_>>()?,
            ))
        }
        Shape::Fqdns | Shape::Sip => {
            let items = json.as_array().ok_or_else(|| bad(json, "list"))?;
            let texts: Option<Vec<&str>> = items.iter().map(Json::as_str).collect();
            let texts = texts.ok_or_else(|| bad(json, "list of names"))?;
            text::read(shape, &texts.join(","), true)
        }
        Shape::Record(fields, optional) => {
            let object = json.as_object().ok_or_else(|| bad(json, "object"))?;
            let mut parts = Vec::new();
            for (index, (name, shape)) in fields.iter().enumerate() {
                match object.get(*name) {
                    Some(it) => parts.push(read(shape, it)?),
                    None if index >= *optional => break,
                    None => return Err(ValueError::new(format!("{name} is missing"))),
                }
            }
            Ok(Data::Record(parts))
        }
        Shape::Tlv(table) => {
            let items = json
                .as_array()
                .ok_or_else(|| bad(json, "list of sub-options"))?;
            let read_item = |it: &Json| {
                let code = it
                    .get("code")
                    .and_then(Json::as_u64)
                    .and_then(|it| u8::try_from(it).ok());
                let code = code.ok_or_else(|| bad(it, "sub-option with a code"))?;
                if let Some(raw) = it.get("raw") {
                    return Ok((code, Data::Other(Box::new(read_bytes(raw)?))));
                }
                if table.pads && (code == 0 || code == 255) {
                    return Ok((code, Data::Empty));
                }
                let value = it
                    .get("value")
                    .ok_or_else(|| bad(it, "sub-option with a value"))?;
                Ok((code, read(table.row(code).1, value)?))
            };
            Ok(Data::Tlv(items.iter().map(read_item).collect::<Read<_>>()?))
        }
        // Everything else is read as its text.
        _ => match json {
            Json::String(it) => text::read(shape, it, true),
            Json::Number(it) => text::read(shape, &it.to_string(), true),
            Json::Bool(it) => text::read(shape, &it.to_string(), true),
            other => Err(bad(other, "value")),
        },
    }
}
