//! Entries as JSON, one object a line, with keys that stay:
//!
//! | key | what |
//! | --- | --- |
//! | `number` | number of the frame in the run or file |
//! | `time` | seconds since 1970 as text, with nanoseconds |
//! | `since` | seconds since the first frame |
//! | `after` | seconds since the frame that it answers; absent for others |
//! | `direction` | `sent`, `received`, `read` or `built` |
//! | `verdict` | `part`, `duplicate` or `stray`; with `reason` |
//! | `comment` | what the run or the capture says of it |
//! | `summary` | the frame in a line |
//! | `message` | of a DHCP or BOOTP message: `type`, the addresses and numbers of its header |
//! | `options` | list of `code`, `name`, `offset` in the frame, `place`, `hex`, and `value`, or `error` where it does not fit its type |
//! | `layers` | list of objects with `layer` and its fields by name |
//! | `link_type`, `length`, `original_length`, `hex` | the bytes |

use serde_json::{Map, Value as Json, json as object};

use super::summary::summary;
use crate::commands::outcome::{Direction, Entry, Verdict};
use crate::dhcp::{Message, Place, options};
use crate::wire::{FieldKind, FieldValue, Layer};

fn field(kind: FieldKind, value: FieldValue) -> Json {
    match (kind, value) {
        (_, FieldValue::Number(number)) => number.into(),
        (FieldKind::Text, FieldValue::Bytes(bytes)) => {
            let end = bytes.iter().rposition(|it| *it != 0).map_or(0, |at| at + 1);
            match std::str::from_utf8(&bytes[..end]) {
                Ok(text) if !text.chars().any(char::is_control) => text.into(),
                _ => object!({ "hex": hex::encode(&bytes[..end]) }),
            }
        }
        (_, value) => value.to_string().into(),
    }
}

fn layers(entry: &Entry) -> Json {
    let layers = entry.frame.with_offsets().map(|(offset, layer)| {
        let mut map = Map::new();
        map.insert("layer".into(), layer.name().into());
        map.insert("offset".into(), offset.into());
        match layer {
            Layer::Raw(bytes) | Layer::Padding(bytes) | Layer::Cooked(bytes) => {
                map.insert("hex".into(), hex::encode(bytes).into());
            }
            _ => {
                for row in layer.fields() {
                    if let Some(value) = layer.get(row.name) {
                        map.insert(row.name.into(), field(row.kind, value));
                    }
                }
            }
        }
        Json::from(map)
    });
    layers.collect()
}

fn message(message: &Message) -> Json {
    let bootp = message.bootp;
    object!({
        "type": message.type_name(),
        "xid": format!("{:#010x}", bootp.xid),
        "secs": bootp.secs,
        "broadcast": bootp.broadcast(),
        "chaddr": bootp.client_hardware().iter().map(|it| format!("{it:02x}")).collect::<Vec<_>>().join(":"),
        "ciaddr": bootp.ciaddr.to_string(),
        "yiaddr": bootp.yiaddr.to_string(),
        "siaddr": bootp.siaddr.to_string(),
        "giaddr": bootp.giaddr.to_string(),
        "server_id": message.server_id().map(|ip| ip.to_string()),
        "lease_time": message.lease_time(),
    })
}

fn option_list(entry: &Entry, message: &Message) -> Json {
    let start = |wanted: &str| {
        let mut all = entry.frame.with_offsets();
        all.find(|(_, layer)| layer.name() == wanted)
            .map_or(0, |it| it.0)
    };
    let (bootp, dhcp) = (start("BOOTP"), start("DHCP"));
    let items = message.items().filter(|(_, item)| item.is_option());
    let items = items.map(|(place, item)| {
        let base = match place {
            Place::Options => dhcp + 4,
            Place::File => bootp + 108,
            Place::Sname => bootp + 44,
        };
        let row = options::by_code(item.code);
        let mut map = Map::new();
        map.insert("code".into(), item.code.into());
        map.insert("name".into(), row.name.into());
        map.insert("offset".into(), (base + item.offset).into());
        map.insert("place".into(), place.name().into());
        map.insert("hex".into(), hex::encode(item.data).into());
        match row.ty.decode(item.data) {
            Ok(value) => map.insert("value".into(), value.json()),
            Err(error) => map.insert("error".into(), error.to_string().into()),
        };
        Json::from(map)
    });
    items.collect()
}

/// The entry as JSON.
pub fn json(entry: &Entry) -> Json {
    let (seconds, nanos) = entry.at.parts();
    let mut map = Map::new();
    let mut put = |key: &str, value: Json| map.insert(key.into(), value);
    put("number", entry.number.into());
    put("time", format!("{seconds}.{nanos:09}").into());
    put("since", entry.since.as_secs_f64().into());
    if let Some(after) = entry.after {
        put("after", after.as_secs_f64().into());
    }
    let direction = match entry.direction {
        Direction::Sent => "sent",
        Direction::Received => "received",
        Direction::Read => "read",
        Direction::Built => "built",
    };
    put("direction", direction.into());
    match &entry.verdict {
        Verdict::Part => put("verdict", "part".into()),
        Verdict::Duplicate => put("verdict", "duplicate".into()),
        Verdict::Stray(reason) => {
            put("reason", reason.as_str().into());
            put("verdict", "stray".into())
        }
    };
    if let Some(comment) = &entry.comment {
        put("comment", comment.as_str().into());
    }
    put("summary", summary(entry).into());
    if let Some(it) = Message::of(&entry.frame) {
        put("message", message(&it));
        put("options", option_list(entry, &it));
    }
    put("layers", layers(entry));
    put("link_type", entry.link_type.into());
    put("length", entry.bytes.len().into());
    put("original_length", entry.original_len.into());
    put("hex", hex::encode(&entry.bytes).into());
    map.into()
}
