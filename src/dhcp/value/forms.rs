//! Forms of their own: domain names, routes, client identifiers, and others that no general shape fits.

use std::net::Ipv4Addr;

use super::bytes::{split, uint};
use super::{Data, ValueError};

type Read<T> = Result<T, ValueError>;

fn error(text: impl Into<String>) -> ValueError {
    ValueError::new(text)
}

/// Whether a byte may stand in a label as we write it.
fn label_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'*' | b'+')
}

fn label(bytes: &[u8]) -> Read<String> {
    match bytes.iter().find(|byte| !label_byte(**byte)) {
        Some(byte) => Err(error(format!("a label holds the byte {byte:#04x}"))),
        None => Ok(bytes.iter().map(|byte| char::from(*byte)).collect()),
    }
}

/// Reads a domain name (RFC 1035 section 3.1); compression pointers count from the start of `whole`,
/// of which `cursor` is the rest. A pointer must lead back, so that reading ends.
pub(super) fn name<'a>(cursor: &mut &'a [u8], whole: &'a [u8]) -> Read<Vec<String>> {
    let mut labels = Vec::new();
    let mut length = 0;
    let mut at = whole.len() - cursor.len();
    let mut barrier = at;
    let mut jumped = false;
    loop {
        let byte = |at: usize| {
            whole
                .get(at)
                .copied()
                .ok_or_else(|| error("a domain name without an end"))
        };
        let len = usize::from(byte(at)?);
        match len {
            0 => {
                if !jumped {
                    *cursor = &whole[at + 1..];
                }
                return Ok(labels);
            }
            1..=63 => {
                let bytes = whole
                    .get(at + 1..at + 1 + len)
                    .ok_or_else(|| error("a label reaches beyond the data"))?;
                length += len + 1;
                if length > 254 {
                    return Err(error("a domain name of more than 255 bytes"));
                }
                labels.push(label(bytes)?);
                at += 1 + len;
            }
            0xc0.. => {
                let target = (len & 0x3f) << 8 | usize::from(byte(at + 1)?);
                if !jumped {
                    *cursor = &whole[at + 2..];
                    jumped = true;
                }
                if target >= barrier {
                    return Err(error(format!(
                        "a compression pointer to {target} does not lead back"
                    )));
                }
                barrier = target;
                at = target;
            }
            _ => {
                return Err(error(format!(
                    "{len:#04x} is neither a label length nor a pointer"
                )));
            }
        }
    }
}

/// Appends a name, with the empty label at its end if `whole`.
pub(super) fn put_name(labels: &[String], whole: bool, out: &mut Vec<u8>) {
    for label in labels {
        out.push(label.len() as u8);
        out.extend(label.as_bytes());
    }
    if whole {
        out.push(0);
    }
}

/// The labels of a name's text.
pub(super) fn labels(text: &str) -> Read<Vec<String>> {
    let text = text.strip_suffix('.').unwrap_or(text);
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let labels: Vec<String> = text.split('.').map(str::to_string).collect();
    for label in &labels {
        if label.is_empty() || label.len() > 63 || !label.bytes().all(label_byte) {
            return Err(error(format!(
                "`{label}` is no label of a domain name (1 to 63 letters, digits, - or _)"
            )));
        }
    }
    match labels.iter().map(|it| it.len() + 1).sum::<usize>() {
        0..=254 => Ok(labels),
        _ => Err(error("a domain name has 255 bytes at most")),
    }
}

pub(super) fn name_text(labels: &[String]) -> String {
    match labels.is_empty() {
        true => ".".into(),
        false => labels.join("."),
    }
}

/// A route: width, as many bytes of the destination as it needs, router.
pub(super) fn route(cursor: &mut &[u8]) -> Read<Data> {
    let width = uint(cursor, 1)?;
    if width > 32 {
        return Err(error(format!("a mask of {width} bits")));
    }
    let significant = split(cursor, width.div_ceil(8) as usize)?;
    let mut octets = [0; 4];
    for (slot, byte) in octets.iter_mut().zip(significant) {
        *slot = *byte;
    }
    let router = uint(cursor, 4)? as u32;
    Ok(Data::Record(vec![
        Data::Uint(width),
        Data::Ip(octets.into()),
        Data::Ip(router.into()),
    ]))
}

pub(super) fn put_route(data: &Data, out: &mut Vec<u8>) {
    if let Data::Record(parts) = data
        && let [Data::Uint(width), Data::Ip(destination), Data::Ip(router)] = parts.as_slice()
    {
        out.push(*width as u8);
        out.extend(destination.octets().iter().take(width.div_ceil(8) as usize));
        out.extend(router.octets());
    }
}

pub(super) fn route_text(data: &Data) -> Option<(String, String)> {
    let Data::Record(parts) = data else {
        return None;
    };
    match parts.as_slice() {
        [Data::Uint(width), Data::Ip(destination), Data::Ip(router)] => {
            Some((format!("{destination}/{width}"), router.to_string()))
        }
        _ => None,
    }
}

pub(super) fn read_route(text: &str) -> Read<Data> {
    let parse = || {
        let (destination, router) = text.split_once('>')?;
        let (ip, width) = match destination.trim() {
            "default" => ("0.0.0.0", "0"),
            other => other.split_once('/')?,
        };
        let ip: Ipv4Addr = ip.parse().ok()?;
        let width: u64 = width.parse().ok().filter(|it| *it <= 32)?;
        let router: Ipv4Addr = router.trim().parse().ok()?;
        // Bytes beyond the width are not sent.
        let kept = u32::MAX
            .checked_shl(32 - 8 * (width as u32).div_ceil(8))
            .unwrap_or(0);
        let destination = Ipv4Addr::from(u32::from(ip) & kept);
        Some(Data::Record(vec![
            Data::Uint(width),
            Data::Ip(destination),
            Data::Ip(router),
        ]))
    };
    parse().ok_or_else(|| {
        error(format!(
            "`{text}` is no route; expected NETWORK/BITS>ROUTER, such as 10.0.0.0/8>192.0.2.1"
        ))
    })
}

pub(super) fn client_id(cursor: &mut &[u8]) -> Read<Data> {
    if cursor.len() < 2 {
        return Err(error(
            "a client identifier has a type and at least one byte",
        ));
    }
    Ok(Data::Bytes(std::mem::take(cursor).to_vec()))
}

fn colons(bytes: &[u8]) -> String {
    let parts: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    parts.join(":")
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    hex::decode(text.replace([':', '-', ' '], "")).ok()
}

pub(super) fn client_id_text(bytes: &[u8], quoted: impl Fn(&[u8]) -> String) -> String {
    match bytes {
        [1, mac @ ..] if mac.len() == 6 => colons(mac),
        [0, text @ ..] if !text.is_empty() && text.iter().all(|it| matches!(it, b' '..=b'~')) => {
            quoted(text)
        }
        [255, iaid @ ..] if iaid.len() > 6 => {
            let (iaid, duid) = iaid.split_at(4);
            format!("duid:{}/{}", hex::encode(iaid), hex::encode(duid))
        }
        other => format!("hex:{}", hex::encode(other)),
    }
}

/// `02:00:5e:10:00:01`, `"text"` or text, `duid:IAID/DUID`. What begins with `hex:` never gets here.
pub(super) fn read_client_id(text: &str, unquote: impl Fn(&str) -> Read<Vec<u8>>) -> Read<Data> {
    if text.parse::<pnet::util::MacAddr>().is_ok() {
        let mut bytes = vec![1];
        bytes.extend(unhex(text).unwrap_or_default());
        return Ok(Data::Bytes(bytes));
    }
    if let Some(rest) = text.strip_prefix("duid:") {
        let parts = rest
            .split_once('/')
            .and_then(|(iaid, duid)| Some((unhex(iaid)?, unhex(duid)?)));
        return match parts {
            Some((iaid, duid)) if iaid.len() == 4 && duid.len() >= 3 => {
                Ok(Data::Bytes([vec![255], iaid, duid].concat()))
            }
            _ => Err(error(
                "expected duid:IAID/DUID in hex, 4 bytes and 3 or more",
            )),
        };
    }
    let bytes = unquote(text)?;
    match bytes.is_empty() {
        true => Err(error(
            "a client identifier is a MAC address, text, duid:IAID/DUID, or hex:…",
        )),
        false => Ok(Data::Bytes([vec![0], bytes].concat())),
    }
}

const FQDN_FLAGS: [(u64, char); 4] = [(1, 'S'), (2, 'O'), (4, 'E'), (8, 'N')];

pub(super) fn client_fqdn(cursor: &mut &[u8]) -> Read<Data> {
    let flags = uint(cursor, 1)?;
    let [first, second] = [uint(cursor, 1)?, uint(cursor, 1)?];
    let rest = std::mem::take(cursor);
    let written = if flags & 4 == 0 {
        Data::Bytes(rest.to_vec())
    } else if rest.last() == Some(&0) {
        let mut all = rest;
        let labels = name(&mut all, rest)?;
        match all.is_empty() {
            true => Data::Name(labels),
            false => return Err(error("bytes behind the domain name")),
        }
    } else {
        // A partial name has no empty label at its end (RFC 4702 section 2.3.1).
        let mut with_end = rest.to_vec();
        with_end.push(0);
        let mut all = with_end.as_slice();
        let labels = name(&mut all, &with_end)?;
        match all.is_empty() {
            true => Data::Other(Box::new(Data::Name(labels))),
            false => return Err(error("bytes behind the domain name")),
        }
    };
    Ok(Data::Record(vec![
        Data::Uint(flags),
        Data::Uint(first),
        Data::Uint(second),
        written,
    ]))
}

pub(super) fn put_client_fqdn(data: &Data, out: &mut Vec<u8>) {
    let Data::Record(parts) = data else { return };
    for part in parts {
        match part {
            Data::Uint(number) => out.push(*number as u8),
            Data::Bytes(bytes) => out.extend(bytes),
            Data::Name(labels) => put_name(labels, true, out),
            Data::Other(name) => {
                if let Data::Name(labels) = name.as_ref() {
                    put_name(labels, false, out);
                }
            }
            _ => {}
        }
    }
}

pub(super) fn client_fqdn_text(data: &Data, quoted: impl Fn(&[u8]) -> String) -> String {
    let Data::Record(parts) = data else {
        return String::new();
    };
    let [
        Data::Uint(flags),
        Data::Uint(first),
        Data::Uint(second),
        written,
    ] = parts.as_slice()
    else {
        return String::new();
    };
    let mut text = if *flags > 15 {
        format!("{flags:#04x}")
    } else {
        let letters: String = FQDN_FLAGS
            .iter()
            .filter(|(bit, _)| flags & bit != 0)
            .map(|it| it.1)
            .collect();
        if letters.is_empty() {
            "-".into()
        } else {
            letters
        }
    };
    if (*first, *second) != (0, 0) {
        text = format!("{text}/{first}/{second}");
    }
    let name = match written {
        Data::Name(labels) if labels.is_empty() => ".".into(),
        Data::Name(labels) => format!("{}.", labels.join(".")),
        Data::Other(name) => match name.as_ref() {
            Data::Name(labels) => labels.join("."),
            _ => String::new(),
        },
        Data::Bytes(bytes) => quoted(bytes),
        _ => String::new(),
    };
    format!("{text}/{name}")
}

/// `NAME`, or `FLAGS/NAME`, or `FLAGS/RCODE1/RCODE2/NAME`; a name with a dot at its end is whole.
pub(super) fn read_client_fqdn(text: &str, unquote: impl Fn(&str) -> Read<Vec<u8>>) -> Read<Data> {
    let mut parts: Vec<&str> = text.splitn(4, '/').collect();
    if text
        .split_once('/')
        .is_some_and(|(_, rest)| rest.starts_with('"'))
    {
        parts = text.splitn(2, '/').collect();
    }
    let (flags, rcodes, name) = match parts.as_slice() {
        [name] => (None, ("0", "0"), *name),
        [flags, name] => (Some(*flags), ("0", "0"), *name),
        [flags, first, second, name] => (Some(*flags), (*first, *second), *name),
        _ => {
            return Err(error(
                "expected FLAGS/NAME or FLAGS/RCODE1/RCODE2/NAME, such as SE/host.example.com.",
            ));
        }
    };
    let bare = flags.is_none();
    let flags = match flags {
        None => 5,
        Some("-") => 0,
        Some(number) if number.starts_with("0x") => u64::from_str_radix(&number[2..], 16)
            .ok()
            .filter(|it| *it < 256)
            .ok_or_else(|| error(format!("`{number}` is no byte")))?,
        Some(letters) => {
            let bit = |letter: char| FQDN_FLAGS.iter().find(|it| it.1 == letter).map(|it| it.0);
            let bits: Option<Vec<u64>> = letters.chars().map(bit).collect();
            let bits = bits.ok_or_else(|| {
                error(format!("`{letters}`: the flags are letters of SOEN, or -"))
            })?;
            bits.iter().fold(0, |flags, bit| flags | bit)
        }
    };
    let rcode = |text: &str| {
        text.parse::<u8>()
            .map(u64::from)
            .map_err(|_| error(format!("`{text}` is no rcode (0 to 255)")))
    };
    let written = if flags & 4 == 0 {
        Data::Bytes(unquote(name)?)
    } else {
        let found = Data::Name(labels(name)?);
        match name.ends_with('.') || (bare && name.contains('.')) {
            true => found,
            false => Data::Other(Box::new(found)),
        }
    };
    Ok(Data::Record(vec![
        Data::Uint(flags),
        Data::Uint(rcode(rcodes.0)?),
        Data::Uint(rcode(rcodes.1)?),
        written,
    ]))
}

pub(super) fn sip(cursor: &mut &[u8]) -> Read<Data> {
    match uint(cursor, 1)? {
        0 => {
            let whole = *cursor;
            let mut names = Vec::new();
            while !cursor.is_empty() {
                names.push(Data::Name(name(cursor, whole)?));
            }
            listed(names)
        }
        1 => {
            let mut addresses = Vec::new();
            while !cursor.is_empty() {
                addresses.push(Data::Ip(Ipv4Addr::from(uint(cursor, 4)? as u32)));
            }
            listed(addresses)
        }
        other => Err(error(format!("encoding {other}; 0 are names, 1 addresses"))),
    }
}

fn listed(items: Vec<Data>) -> Read<Data> {
    match items.is_empty() {
        true => Err(error("no servers")),
        false => Ok(Data::List(items)),
    }
}

pub(super) fn put_sip(data: &Data, out: &mut Vec<u8>) {
    let Data::List(items) = data else { return };
    out.push(u8::from(matches!(items.first(), Some(Data::Ip(_)))));
    for item in items {
        match item {
            Data::Ip(ip) => out.extend(ip.octets()),
            Data::Name(labels) => put_name(labels, true, out),
            _ => {}
        }
    }
}

pub(super) fn read_sip(texts: &[&str]) -> Read<Data> {
    let addresses: Option<Vec<Data>> = texts
        .iter()
        .map(|it| it.parse().ok().map(Data::Ip))
        .collect();
    if let Some(addresses) = addresses {
        return listed(addresses);
    }
    if texts.iter().any(|it| it.parse::<Ipv4Addr>().is_ok()) {
        return Err(error("SIP servers are all names or all addresses"));
    }
    let names: Read<Vec<Data>> = texts.iter().map(|it| Ok(Data::Name(labels(it)?))).collect();
    listed(names?)
}

/// The usual text of a UUID whose first three parts are little-endian, as PXE clients send it.
pub(super) fn uuid_text(data: &Data) -> String {
    let Data::Record(parts) = data else {
        return String::new();
    };
    let [Data::Uint(kind), Data::Bytes(b)] = parts.as_slice() else {
        return String::new();
    };
    let order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    let mut text = String::new();
    for (place, index) in order.iter().enumerate() {
        if matches!(place, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&hex::encode(b.get(*index..index + 1).unwrap_or_default()));
    }
    match kind {
        0 => text,
        kind => format!("{kind}/{text}"),
    }
}

pub(super) fn read_uuid(text: &str) -> Read<Data> {
    let (kind, uuid) = text.split_once('/').unwrap_or(("0", text));
    let bytes = unhex(uuid).filter(|it| it.len() == 16);
    match (kind.parse::<u8>(), bytes) {
        (Ok(kind), Some(b)) => {
            let swapped = vec![b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6]];
            let bytes = [swapped, b[8..].to_vec()].concat();
            Ok(Data::Record(vec![
                Data::Uint(u64::from(kind)),
                Data::Bytes(bytes),
            ]))
        }
        _ => Err(error(
            "expected a UUID such as 00112233-4455-6677-8899-aabbccddeeff",
        )),
    }
}

/// The fields of coordinates: name, bits, and by how many bits the number is shifted when it is a
/// signed fixed-point one (RFC 6225 section 2.2).
const GEO: [(&str, u32, Option<u32>); 10] = [
    ("lat-res", 6, None),
    ("lat", 34, Some(25)),
    ("long-res", 6, None),
    ("long", 34, Some(25)),
    ("alt-type", 4, None),
    ("alt-res", 6, None),
    ("alt", 30, Some(8)),
    ("version", 2, None),
    ("res", 3, None),
    ("datum", 3, None),
];

pub(super) fn geo(bytes: &[u8]) -> Data {
    let bits = bytes
        .iter()
        .fold(0u128, |bits, byte| bits << 8 | u128::from(*byte));
    let mut left = 128;
    let fields = GEO.iter().map(|(_, width, point)| {
        left -= width;
        let raw = (bits >> left & ((1 << width) - 1)) as i64;
        Data::Int(match point {
            Some(_) if raw >> (width - 1) != 0 => raw - (1 << width),
            _ => raw,
        })
    });
    Data::Record(fields.collect())
}

pub(super) fn put_geo(data: &Data, out: &mut Vec<u8>) {
    let Data::Record(parts) = data else { return };
    let mut bits = 0u128;
    for ((_, width, _), part) in GEO.iter().zip(parts) {
        if let Data::Int(number) = part {
            bits = bits << width | (*number as u128 & ((1 << width) - 1));
        }
    }
    out.extend(bits.to_be_bytes());
}

pub(super) fn geo_text(data: &Data) -> String {
    let Data::Record(parts) = data else {
        return String::new();
    };
    let texts = GEO
        .iter()
        .zip(parts)
        .map(|((name, _, point), part)| match (part, point) {
            // Exact: the number has fewer bits than a double's fraction.
            (Data::Int(number), Some(point)) => {
                format!("{name}={}", *number as f64 / f64::from(1u32 << point))
            }
            (Data::Int(number), None) => format!("{name}={number}"),
            _ => String::new(),
        });
    texts.collect::<Vec<_>>().join(",")
}

pub(super) fn read_geo(text: &str) -> Read<Data> {
    let mut numbers = [0i64; GEO.len()];
    for part in text.split(',') {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let row = GEO.iter().position(|it| it.0 == name.trim());
        let names = || GEO.map(|it| it.0).join(", ");
        let row = row.ok_or_else(|| {
            error(format!(
                "`{name}` is no part of a location; there are {}",
                names()
            ))
        })?;
        let (_, width, point) = GEO[row];
        let (low, high) = match point {
            Some(_) => (-(1i64 << (width - 1)), (1i64 << (width - 1)) - 1),
            None => (0, (1i64 << width) - 1),
        };
        let scale = f64::from(1u32 << point.unwrap_or(0));
        let number = value
            .trim()
            .parse::<f64>()
            .ok()
            .map(|it| (it * scale).round());
        numbers[row] = number
            .filter(|it| (low as f64..=high as f64).contains(it))
            .map(|it| it as i64)
            .ok_or_else(|| {
                error(format!(
                    "`{value}` is no {name} (a number from {} to {})",
                    low as f64 / scale,
                    high as f64 / scale
                ))
            })?;
    }
    Ok(Data::Record(numbers.map(Data::Int).to_vec()))
}
