//! Values from bytes and to bytes.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::shape::{Shape, SubTable};
use super::{Data, ValueError, forms};
use crate::wire::{END, PAD};

type Read<T> = Result<T, ValueError>;

/// Reads all of `data` as `shape`.
pub(super) fn decode(shape: &'static Shape, data: &[u8]) -> Read<Data> {
    if let Some(value) = plain(shape, data) {
        return Ok(value);
    }
    let mut cursor = data;
    let value = take(shape, &mut cursor)?;
    match cursor.len() {
        0 => Ok(value),
        left => Err(ValueError::new(format!(
            "{left} of {} bytes are left over at offset {}",
            data.len(),
            data.len() - left
        ))),
    }
}

/// Bytes of a number or an address, whose length alone decides whether it can be read; `None` for every other shape.
fn plain_len(shape: &Shape) -> Option<usize> {
    match shape {
        Shape::Uint(len) | Shape::Enum(_, len) => Some(*len),
        Shape::OptionCode => Some(1),
        Shape::Seconds | Shape::I32 | Shape::Ip => Some(4),
        _ => None,
    }
}

fn number(bytes: &[u8]) -> u64 {
    match *bytes {
        [a] => u64::from(a),
        [a, b] => u64::from(u16::from_be_bytes([a, b])),
        [a, b, c, d] => u64::from(u32::from_be_bytes([a, b, c, d])),
        _ => bytes
            .iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte)),
    }
}

fn plain_data(shape: &Shape, bytes: &[u8]) -> Data {
    match shape {
        Shape::Ip => Data::Ip(Ipv4Addr::from(number(bytes) as u32)),
        Shape::I32 => Data::Int(i64::from(number(bytes) as u32 as i32)),
        _ => Data::Uint(number(bytes)),
    }
}

/// The number or address of exactly these bytes: most options are one, or a list of them, and this reads them without
/// the detour over a cursor.
fn plain(shape: &Shape, bytes: &[u8]) -> Option<Data> {
    (plain_len(shape) == Some(bytes.len())).then(|| plain_data(shape, bytes))
}

/// The items of a list of numbers or addresses, when the data is a whole number of them.
fn plain_items(of: &Shape, data: &[u8]) -> Option<Vec<Data>> {
    let len = plain_len(of).filter(|len| *len > 0 && data.len().is_multiple_of(*len))?;
    Some(match len {
        1 => data.iter().map(|it| Data::Uint(u64::from(*it))).collect(),
        _ => data
            .chunks_exact(len)
            .map(|item| plain_data(of, item))
            .collect(),
    })
}

fn short(wanted: usize, got: usize) -> ValueError {
    ValueError::new(format!("{got} bytes where {wanted} are needed"))
}

pub(super) fn split<'a>(cursor: &mut &'a [u8], len: usize) -> Read<&'a [u8]> {
    let (head, tail) = cursor
        .split_at_checked(len)
        .ok_or_else(|| short(len, cursor.len()))?;
    *cursor = tail;
    Ok(head)
}

pub(super) fn uint(cursor: &mut &[u8], len: usize) -> Read<u64> {
    split(cursor, len).map(number)
}

fn take(shape: &'static Shape, cursor: &mut &[u8]) -> Read<Data> {
    Ok(match shape {
        Shape::Flag => Data::Empty,
        Shape::Uint(len) | Shape::Enum(_, len) => Data::Uint(uint(cursor, *len)?),
        Shape::Seconds => Data::Uint(uint(cursor, 4)?),
        Shape::OptionCode => Data::Uint(uint(cursor, 1)?),
        Shape::I32 => Data::Int(i64::from(uint(cursor, 4)? as u32 as i32)),
        Shape::Bool => match uint(cursor, 1)? {
            number @ 0..=1 => Data::Uint(number),
            number => return Err(ValueError::new(format!("{number} is neither 0 nor 1"))),
        },
        Shape::Ip => Data::Ip(Ipv4Addr::from(uint(cursor, 4)? as u32)),
        Shape::Ipv6 => {
            let bytes: [u8; 16] = split(cursor, 16)?.try_into().unwrap_or_default();
            Data::Ipv6(Ipv6Addr::from(bytes))
        }
        Shape::Str | Shape::Bytes => Data::Bytes(std::mem::take(cursor).to_vec()),
        Shape::Fixed(len) => Data::Bytes(split(cursor, *len)?.to_vec()),
        Shape::Fqdn => {
            let whole = *cursor;
            Data::Name(forms::name(cursor, whole)?)
        }
        Shape::Fqdns => {
            let whole = *cursor;
            let mut names = Vec::new();
            while !cursor.is_empty() {
                names.push(Data::Name(forms::name(cursor, whole)?));
            }
            non_empty(names)?
        }
        Shape::List(of) => {
            let whole = plain_items(of, cursor);
            if whole.is_some() {
                *cursor = &[];
            }
            let mut items = whole.unwrap_or_default();
            while !cursor.is_empty() {
                let before = cursor.len();
                let item = take(of, cursor)?;
                if cursor.len() == before {
                    return Err(ValueError::new("an item of no bytes"));
                }
                items.push(item);
            }
            non_empty(items)?
        }
        Shape::Record(fields, optional) => {
            let mut parts = Vec::new();
            for (index, (_, shape)) in fields.iter().enumerate() {
                if index >= *optional && cursor.is_empty() {
                    break;
                }
                parts.push(take(shape, cursor)?);
            }
            Data::Record(parts)
        }
        Shape::Prefixed(size, of) => {
            let len = uint(cursor, *size)? as usize;
            decode(of, split(cursor, len)?)?
        }
        Shape::Tlv(table) => tlv(table, cursor)?,
        Shape::Either(first, second, _) => {
            let data = std::mem::take(cursor);
            match decode(first, data) {
                Ok(value) => value,
                Err(_) => Data::Other(Box::new(decode(second, data)?)),
            }
        }
        Shape::Route => forms::route(cursor)?,
        Shape::ClientId => forms::client_id(cursor)?,
        Shape::ClientFqdn => forms::client_fqdn(cursor)?,
        Shape::Sip => forms::sip(cursor)?,
        Shape::Uuid => {
            let kind = Data::Uint(uint(cursor, 1)?);
            Data::Record(vec![kind, Data::Bytes(split(cursor, 16)?.to_vec())])
        }
        Shape::Geo => forms::geo(split(cursor, 16)?),
    })
}

fn non_empty(items: Vec<Data>) -> Read<Data> {
    match items.is_empty() {
        true => Err(ValueError::new("no data where at least one item is needed")),
        false => Ok(Data::List(items)),
    }
}

fn tlv(table: &'static SubTable, cursor: &mut &[u8]) -> Read<Data> {
    let mut items = Vec::new();
    while let Some((&code, rest)) = cursor.split_first() {
        *cursor = rest;
        if table.pads && (code == PAD || code == END) {
            items.push((code, Data::Empty));
            continue;
        }
        let len = uint(cursor, 1)? as usize;
        let data =
            split(cursor, len).map_err(|it| ValueError::new(format!("sub-option {code}: {it}")))?;
        let (_, shape) = table.row(code);
        // Data that does not fit its sub-option is kept as it is.
        let value = match decode(shape, data) {
            Ok(value) if faithful(shape, &value, data) => value,
            _ => Data::Other(Box::new(Data::Bytes(data.to_vec()))),
        };
        items.push((code, value));
    }
    match items.is_empty() {
        true => Err(ValueError::new("no sub-options")),
        false => Ok(Data::Tlv(items)),
    }
}

fn faithful(shape: &'static Shape, value: &Data, data: &[u8]) -> bool {
    let mut again = Vec::new();
    encode(shape, value, &mut again).is_ok() && again == data
}

/// Appends the bytes of `data`.
pub(super) fn encode(shape: &'static Shape, data: &Data, out: &mut Vec<u8>) -> Read<()> {
    match (shape, data) {
        // First, because the data inside would match the arms below without its length.
        (Shape::Prefixed(size, of), data) => {
            let mut inner = Vec::new();
            encode(of, data, &mut inner)?;
            prefix(inner.len(), *size, out)?;
            out.append(&mut inner);
        }
        (_, Data::Empty) => {}
        (Shape::Uint(len) | Shape::Enum(_, len), Data::Uint(number)) => {
            put_uint(out, *number, *len)
        }
        (Shape::Seconds, Data::Uint(number)) => put_uint(out, *number, 4),
        (Shape::OptionCode | Shape::Bool, Data::Uint(number)) => put_uint(out, *number, 1),
        (Shape::I32, Data::Int(number)) => out.extend((*number as i32).to_be_bytes()),
        (_, Data::Ip(ip)) => out.extend(ip.octets()),
        (_, Data::Ipv6(ip)) => out.extend(ip.octets()),
        (_, Data::Name(labels)) => forms::put_name(labels, true, out),
        (Shape::Either(_, second, _), Data::Other(data)) => encode(second, data, out)?,
        (Shape::Either(first, ..), data) => encode(first, data, out)?,
        (Shape::List(of), Data::List(items)) => {
            for item in items {
                encode(of, item, out)?;
            }
        }
        (Shape::Fqdns, Data::List(items)) => {
            for item in items {
                encode(&Shape::Fqdn, item, out)?;
            }
        }
        (Shape::Record(fields, _), Data::Record(parts)) => {
            for ((_, shape), part) in fields.iter().zip(parts) {
                encode(shape, part, out)?;
            }
        }
        (Shape::Tlv(table), Data::Tlv(items)) => {
            for (code, data) in items {
                out.push(*code);
                if table.pads && (*code == PAD || *code == END) {
                    continue;
                }
                let mut inner = Vec::new();
                match data {
                    Data::Other(data) => encode(&Shape::Bytes, data, &mut inner)?,
                    data => encode(table.row(*code).1, data, &mut inner)?,
                }
                prefix(inner.len(), 1, out)?;
                out.append(&mut inner);
            }
        }
        (Shape::Route, data) => forms::put_route(data, out),
        (Shape::ClientFqdn, data) => forms::put_client_fqdn(data, out),
        (Shape::Sip, data) => forms::put_sip(data, out),
        (Shape::Uuid, Data::Record(parts)) => {
            if let [Data::Uint(kind), Data::Bytes(uuid)] = parts.as_slice() {
                out.push(*kind as u8);
                out.extend(uuid);
            }
        }
        (Shape::Geo, data) => forms::put_geo(data, out),
        (_, Data::Bytes(bytes)) => out.extend(bytes),
        _ => return Err(ValueError::new("the value is not of this type")),
    }
    Ok(())
}

pub(super) fn put_uint(out: &mut Vec<u8>, number: u64, len: usize) {
    let bytes = number.to_be_bytes();
    out.extend(bytes.iter().skip(bytes.len().saturating_sub(len)));
}

fn prefix(len: usize, size: usize, out: &mut Vec<u8>) -> Read<()> {
    let room = (1usize << (8 * size)) - 1;
    if len > room {
        return Err(ValueError::new(format!(
            "{len} bytes do not fit, {room} do"
        )));
    }
    put_uint(out, len as u64, size);
    Ok(())
}
