//! Values of fields as a script writes and reads them.

use std::net::Ipv4Addr;

use starlark::values::list::ListRef;
use starlark::values::{Heap, Value};

use super::bytes::Bytes;
use super::classes::{Class, Field};
use super::names::{names_of, number_of};
use super::options;
use crate::wire::{FieldKind, FieldValue, MacAddr};

/// What a script reads: numbers, text for addresses, bytes for the rest.
pub fn script_value<'v>(field: &Field, value: &FieldValue, heap: Heap<'v>) -> Value<'v> {
    match value {
        FieldValue::Number(number) => heap.alloc(*number),
        FieldValue::Ip(ip) => heap.alloc(ip.to_string()),
        FieldValue::Mac(mac) => heap.alloc(mac.to_string()),
        FieldValue::Bytes(bytes) => {
            let mut bytes = bytes.clone();
            let room = field.bits / 8;
            if room > 0 && bytes.len() < room && !bytes.is_empty() {
                bytes.resize(room, 0);
            }
            heap.alloc(Bytes::new(bytes))
        }
    }
}

/// The value that a script means for a field.
pub fn field_value(
    class: &Class,
    field: &'static Field,
    value: Value,
) -> Result<FieldValue, String> {
    if (class.name, field.name) == ("DHCP", "options") {
        return options::stream(value).map(FieldValue::Bytes);
    }
    let wrong = |expected: String| {
        let name = field.name;
        Err(format!(
            "{}.{name}: `{}` is not {expected}",
            class.name,
            value.to_str()
        ))
    };
    match field.kind {
        FieldKind::Number | FieldKind::Hex => {
            let max = u64::MAX >> (64 - field.bits.clamp(1, 64));
            match number(class, field, value) {
                Some(number) if number <= max => Ok(FieldValue::Number(number)),
                _ => {
                    let names: Vec<_> = names_of(class.name, field.name).collect();
                    let names = match names.is_empty() {
                        true => String::new(),
                        false => format!(", or one of {}", names.join(", ")),
                    };
                    wrong(format!("a number from 0 to {max} ({max:#x}){names}"))
                }
            }
        }
        FieldKind::Mac => match mac(value) {
            Some(mac) => Ok(FieldValue::Mac(mac)),
            None => wrong("a MAC address such as \"02:00:5e:10:00:01\"".into()),
        },
        FieldKind::Ip => match ip(value) {
            Some(ip) => Ok(FieldValue::Ip(ip)),
            None => wrong("an IPv4 address such as \"192.0.2.1\"".into()),
        },
        FieldKind::Text | FieldKind::Bytes if class.name == "ARP" => {
            let address = match field.name.starts_with("hw") {
                true => mac(value).map(FieldValue::Mac),
                false => ip(value).map(FieldValue::Ip),
            };
            match address.or_else(|| Bytes::of(value).map(FieldValue::Bytes)) {
                Some(address) => Ok(address),
                None => wrong("an address, or bytes".into()),
            }
        }
        FieldKind::Text | FieldKind::Bytes => {
            let bytes = match field.name {
                "chaddr" => match chaddr(value) {
                    Some(bytes) => bytes,
                    None => return wrong("a hardware address, or bytes".into()),
                },
                name => Bytes::from(value).map_err(|it| format!("{}.{name}: {it}", class.name))?,
            };
            match field.bits / 8 {
                room if room > 0 && bytes.len() > room => Err(format!(
                    "{}.{}: {} bytes do not fit into {room}",
                    class.name,
                    field.name,
                    bytes.len()
                )),
                _ => Ok(FieldValue::Bytes(bytes)),
            }
        }
    }
}

/// A number, the name of one, or a list of the names of flags.
fn number(class: &Class, field: &Field, value: Value) -> Option<u64> {
    let named = |it: Value| number_of(class.name, field.name, it.unpack_str()?);
    match (value.unpack_str(), ListRef::from_value(value)) {
        (Some(_), _) => named(value),
        (_, Some(list)) if field.name == "flags" => {
            list.iter().try_fold(0, |all, it| Some(all | named(it)?))
        }
        _ => options::number_of(value),
    }
}

/// Octets in hexadecimal with colons between: an address of any kind of hardware.
fn octets(text: &str) -> Option<Vec<u8>> {
    let octet = |it: &str| {
        let plain = it.bytes().all(|it| it.is_ascii_hexdigit());
        u8::from_str_radix(it, 16).ok().filter(|_| plain)
    };
    text.split(':').map(octet).collect()
}

/// What text, or bytes that are text, say.
fn text<T>(value: Value, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
    match value.unpack_str() {
        Some(text) => read(text),
        None => read(std::str::from_utf8(&Bytes::of(value)?).ok()?),
    }
}

fn mac(value: Value) -> Option<MacAddr> {
    if let Some([a, b, c, d, e, f]) = Bytes::of(value).as_deref() {
        return Some(MacAddr::new(*a, *b, *c, *d, *e, *f));
    }
    let octets = text(value, |it| octets(&it.replace('-', ":")))?;
    <[u8; 6]>::try_from(octets).ok().map(MacAddr::from)
}

fn ip(value: Value) -> Option<Ipv4Addr> {
    match Bytes::of(value).as_deref() {
        Some([a, b, c, d]) => Some([*a, *b, *c, *d].into()),
        _ => text(value, |it| it.parse().ok()),
    }
}

/// A hardware address of up to 16 bytes. Text that is none goes out as it is; bytes do anyway, unless they are too many
/// and the text of an address.
fn chaddr(value: Value) -> Option<Vec<u8>> {
    if let Some(text) = value.unpack_str() {
        let mac = mac(value).map(|it| it.octets().to_vec());
        return Some(
            mac.or_else(|| octets(text))
                .unwrap_or_else(|| text.as_bytes().to_vec()),
        );
    }
    match Bytes::of(value) {
        Some(bytes) if bytes.len() > 16 => Some(text(value, octets).unwrap_or(bytes)),
        Some(bytes) => Some(bytes),
        None => Bytes::from(value)
            .ok()
            .filter(|_| ListRef::from_value(value).is_some()),
    }
}
