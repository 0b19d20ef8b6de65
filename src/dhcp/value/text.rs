//! Values from text and to text.
//!
//! Lists are joined by commas, records by slashes, sub-options are `name=value` joined by commas. What
//! is nested stands in brackets, or in parentheses when it is a record in a record. Strings are quoted
//! where they would be read as something else.

use super::shape::{Shape, SubTable};
use super::{Data, ValueError, forms};
use crate::dhcp::options;

type Read<T> = Result<T, ValueError>;

fn error(text: impl Into<String>) -> ValueError {
    ValueError::new(text)
}

/// Appends text that may come from the wire so that it is safe to print: control characters, invisible
/// ones, quotes, backslashes and bytes that are no UTF-8 are escaped.
pub fn escape_into(out: &mut String, bytes: &[u8]) {
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\'' => out.push(c),
                '\0' => out.push_str("\\x00"),
                _ if c.is_ascii_control() && !matches!(c, '\n' | '\r' | '\t') => {
                    out.push_str(&format!("\\x{:02x}", c as u32));
                }
                _ => out.extend(c.escape_debug()),
            }
        }
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
}

fn quoted(bytes: &[u8]) -> String {
    let mut text = "\"".to_string();
    escape_into(&mut text, bytes);
    text.push('"');
    text
}

/// Reads what `quoted` wrote, or else plain text as its own bytes.
fn unquote(text: &str) -> Read<Vec<u8>> {
    let Some(inner) = text.strip_prefix('"') else {
        return Ok(text.as_bytes().to_vec());
    };
    let inner = inner
        .strip_suffix('"')
        .ok_or_else(|| error("a quotation without its end"))?;
    let mut out = Vec::new();
    let mut rest = inner.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            if c == '"' {
                return Err(error("text behind a quotation"));
            }
            out.extend(c.encode_utf8(&mut [0; 4]).bytes());
            continue;
        }
        match rest.next() {
            Some('n') => out.push(b'\n'),
            Some('r') => out.push(b'\r'),
            Some('t') => out.push(b'\t'),
            Some('0') => out.push(0),
            Some('x') => {
                let digits: String = rest.by_ref().take(2).collect();
                let byte = u8::from_str_radix(&digits, 16);
                out.push(byte.map_err(|_| error(format!("`\\x{digits}` is no byte")))?);
            }
            Some('u') => {
                let digits: String = rest.by_ref().skip(1).take_while(|c| *c != '}').collect();
                let c = u32::from_str_radix(&digits, 16)
                    .ok()
                    .and_then(char::from_u32);
                let c = c.ok_or_else(|| error(format!("`\\u{{{digits}}}` is no character")))?;
                out.extend(c.encode_utf8(&mut [0; 4]).bytes());
            }
            Some(other) => out.extend(other.encode_utf8(&mut [0; 4]).bytes()),
            None => return Err(error("a backslash at the end")),
        }
    }
    Ok(out)
}

/// Whether a string can stand as it is.
fn plain(bytes: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut escaped = String::new();
    escape_into(&mut escaped, bytes);
    let safe = escaped == text
        && !text.is_empty()
        && text.trim() == text
        && !text.starts_with("hex:")
        && !text.starts_with("text:");
    safe.then_some(text)
}

fn printable(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|it| matches!(it, b' '..=b'~'))
}

/// Seconds as an engineer writes them: the longest units that are exact.
fn seconds(number: u64) -> String {
    if number == u64::from(u32::MAX) {
        return "infinite".into();
    }
    if number == 0 {
        return "0s".into();
    }
    let mut left = number;
    let mut text = String::new();
    for (unit, size) in [('d', 86_400), ('h', 3600), ('m', 60), ('s', 1)] {
        if left / size > 0 {
            text.push_str(&format!("{}{unit}", left / size));
            left %= size;
        }
    }
    text
}

fn read_seconds(text: &str) -> Read<u64> {
    let bad = || {
        error(format!(
            "`{text}` is no time; expected seconds, or such as 1h, 1h30m, 7d, infinite"
        ))
    };
    if matches!(text, "infinite" | "infinity" | "forever") {
        return Ok(u64::from(u32::MAX));
    }
    if let Ok(number) = read_uint(text, 4) {
        return Ok(number);
    }
    let (mut total, mut number) = (0u64, String::new());
    for c in text.chars() {
        let unit = match c {
            '0'..='9' => {
                number.push(c);
                continue;
            }
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return Err(bad()),
        };
        let count: u64 = number.parse().map_err(|_| bad())?;
        total = count
            .checked_mul(unit)
            .and_then(|it| it.checked_add(total))
            .ok_or_else(bad)?;
        number.clear();
    }
    match number.is_empty() && total <= u64::from(u32::MAX) {
        true => Ok(total),
        false => Err(bad()),
    }
}

fn read_uint(text: &str, len: usize) -> Read<u64> {
    let max = u64::MAX >> (64 - 8 * len.clamp(1, 8));
    let number = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    number
        .ok()
        .filter(|it| *it <= max)
        .ok_or_else(|| error(format!("`{text}` is no number from 0 to {max}")))
}

fn read_ip(text: &str) -> Read<Data> {
    let ip = text.parse().map(Data::Ip);
    ip.map_err(|_| error(format!("`{text}` is no IPv4 address (such as 192.0.2.1)")))
}

/// Appends the text; `top` where nothing stands around it.
pub(super) fn write(shape: &'static Shape, data: &Data, top: bool, out: &mut String) {
    let mut list = |open: &str, texts: Vec<String>, close: &str| {
        let joined = texts.join(",");
        match top {
            true => out.push_str(&joined),
            false => out.push_str(&format!("{open}{joined}{close}")),
        }
    };
    let text_of = |shape: &'static Shape, data: &Data| {
        let mut text = String::new();
        write(shape, data, false, &mut text);
        text
    };
    match (shape, data) {
        (Shape::Bool, Data::Uint(number)) => {
            out.push_str(if *number == 0 { "false" } else { "true" })
        }
        (Shape::Seconds, Data::Uint(number)) => out.push_str(&seconds(*number)),
        (Shape::Enum(table, _), Data::Uint(number)) => match table.name_of(*number) {
            Some(name) => out.push_str(name),
            None => out.push_str(&number.to_string()),
        },
        (Shape::OptionCode, Data::Uint(number)) => {
            let row = options::by_code(*number as u8);
            match row.status {
                options::Status::Unassigned => out.push_str(&number.to_string()),
                _ => out.push_str(row.name),
            }
        }
        (Shape::ClientId, Data::Bytes(bytes)) => {
            out.push_str(&forms::client_id_text(bytes, quoted))
        }
        (Shape::ClientFqdn, data) => out.push_str(&forms::client_fqdn_text(data, quoted)),
        (Shape::Uuid, data) => out.push_str(&forms::uuid_text(data)),
        (Shape::Geo, data) => out.push_str(&forms::geo_text(data)),
        (Shape::Route, data) => {
            if let Some((destination, router)) = forms::route_text(data) {
                out.push_str(&format!("{destination}>{router}"));
            }
        }
        (Shape::Bytes | Shape::Fixed(_), Data::Bytes(bytes)) if !printable(bytes) => {
            out.push_str(&format!("hex:{}", hex::encode(bytes)));
        }
        (_, Data::Bytes(bytes)) => match plain(bytes).filter(|_| top) {
            Some(text) => out.push_str(text),
            None => out.push_str(&quoted(bytes)),
        },
        (_, Data::Empty) => {}
        (_, Data::Uint(number)) => out.push_str(&number.to_string()),
        (_, Data::Int(number)) => out.push_str(&number.to_string()),
        (_, Data::Ip(ip)) => out.push_str(&ip.to_string()),
        (_, Data::Ipv6(ip)) => out.push_str(&ip.to_string()),
        (_, Data::Name(labels)) => out.push_str(&forms::name_text(labels)),
        (Shape::Either(_, second, word), Data::Other(data)) => {
            out.push_str(&format!("{word}:{}", text_of(second, data)));
        }
        (Shape::Either(first, ..), data) => write(first, data, top, out),
        (Shape::Prefixed(_, of), data) => write(of, data, top, out),
        (Shape::List(of), Data::List(items)) => {
            let texts = items.iter().map(|it| match (of, it) {
                // A record in a list needs no parentheses.
                (Shape::Record(fields, _), Data::Record(parts)) => record(fields, parts),
                (Shape::Prefixed(_, Shape::Record(fields, _)), Data::Record(parts)) => {
                    record(fields, parts)
                }
                (of, it) => text_of(of, it),
            });
            list("[", texts.collect(), "]");
        }
        (Shape::Fqdns | Shape::Sip, Data::List(items)) => {
            list(
                "[",
                items.iter().map(|it| text_of(&Shape::Ip, it)).collect(),
                "]",
            );
        }
        (Shape::Record(fields, _), Data::Record(parts)) => match top {
            true => out.push_str(&record(fields, parts)),
            false => out.push_str(&format!("({})", record(fields, parts))),
        },
        (Shape::Tlv(table), Data::Tlv(items)) => {
            let texts = items.iter().map(|(code, data)| item(table, *code, data));
            list("[", texts.collect(), "]");
        }
        _ => {}
    }
}

fn record(fields: &'static [(&'static str, Shape)], parts: &[Data]) -> String {
    let texts = fields.iter().zip(parts).map(|((_, shape), part)| {
        let mut text = String::new();
        write(shape, part, false, &mut text);
        text
    });
    texts.collect::<Vec<_>>().join("/")
}

fn item(table: &'static SubTable, code: u8, data: &Data) -> String {
    let (name, shape) = table.row(code);
    let name = name.map_or_else(|| code.to_string(), str::to_string);
    match (data, shape) {
        (Data::Empty, _) if table.pads && code == 0 => "pad".into(),
        (Data::Empty, _) if table.pads && code == 255 => "end".into(),
        (Data::Empty, _) => name,
        (Data::Other(data), _) => match data.as_ref() {
            Data::Bytes(bytes) => format!("{name}=hex:{}", hex::encode(bytes)),
            _ => name,
        },
        (data, shape) => {
            let mut text = String::new();
            write(shape, data, false, &mut text);
            format!("{name}={text}")
        }
    }
}

/// Splits at `separator` outside of quotations, brackets and parentheses, into so many parts at most.
pub fn split(text: &str, separator: char, most: usize) -> Vec<&str> {
    let (mut parts, mut start) = (Vec::new(), 0);
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '[' | '(' => depth += 1,
            ']' | ')' => depth = depth.saturating_sub(1),
            _ if c == separator && depth == 0 && parts.len() + 1 < most => {
                parts.push(text[start..at].trim());
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts
}

/// What stands between the brackets, or the whole text when no pair of them is around all of it: none is
/// in `[1],[2]`.
fn inside(text: &str, open: char, close: char) -> &str {
    let inner = text
        .strip_prefix(open)
        .and_then(|it| it.strip_suffix(close))
        .filter(|inner| closes_what_it_opens(inner, open, close));
    inner.unwrap_or(text).trim()
}

fn closes_what_it_opens(text: &str, open: char, close: char) -> bool {
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    for c in text.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            _ if c == open => depth += 1,
            _ if c == close && depth == 0 => return false,
            _ if c == close => depth -= 1,
            _ => {}
        }
    }
    true
}

/// Reads `text` as `shape`.
pub(super) fn read(shape: &'static Shape, text: &str, top: bool) -> Read<Data> {
    Ok(match shape {
        Shape::Flag => match text {
            "" | "true" | "1" => Data::Empty,
            _ => return Err(error("takes no value")),
        },
        Shape::Uint(len) => Data::Uint(read_uint(text, *len)?),
        Shape::I32 => {
            let number = text.parse::<i32>();
            Data::Int(i64::from(number.map_err(|_| {
                error(format!("`{text}` is no number of 32 bits"))
            })?))
        }
        Shape::Bool => match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Data::Uint(1),
            "false" | "0" | "no" | "off" => Data::Uint(0),
            _ => return Err(error(format!("`{text}` is neither true nor false"))),
        },
        Shape::Seconds => Data::Uint(read_seconds(text)?),
        Shape::Enum(table, len) => match table.number_of(text) {
            Some(number) => Data::Uint(number),
            None => Data::Uint(read_uint(text, *len).map_err(|_| {
                let names: Vec<_> = table.rows.iter().map(|row| row.1).collect();
                error(format!(
                    "`{text}` is no {}; there are {}, or a number",
                    table.name,
                    names.join(", ")
                ))
            })?),
        },
        Shape::OptionCode => match options::by_name(text) {
            Ok(row) => Data::Uint(u64::from(row.code)),
            Err(it) => return Err(error(it.to_string())),
        },
        Shape::Ip => read_ip(text)?,
        Shape::Ipv6 => {
            let ip = text.parse().map(Data::Ipv6);
            ip.map_err(|_| error(format!("`{text}` is no IPv6 address (such as 2001:db8::1)")))?
        }
        Shape::Str | Shape::Bytes => Data::Bytes(bytes(text)?),
        Shape::Fixed(len) => {
            let bytes = bytes(text)?;
            match bytes.len() == *len {
                true => Data::Bytes(bytes),
                false => {
                    return Err(error(format!(
                        "{} bytes where {len} are needed; hex:… gives bytes",
                        bytes.len()
                    )));
                }
            }
        }
        Shape::Fqdn => Data::Name(forms::labels(text)?),
        Shape::Fqdns => items(inside(text, '[', ']'), |it| {
            Ok(Data::Name(forms::labels(it)?))
        })?,
        Shape::List(of) => {
            let inner = inside(text, '[', ']');
            // In `[1,2]` as a list of lists, the brackets are those of its one item.
            let item = top && is_list(of) && !inner.starts_with('[');
            items(if item { text } else { inner }, |it| read(of, it, false))?
        }
        Shape::Record(fields, optional) => {
            let text = if top { text } else { inside(text, '(', ')') };
            let texts = split(text, '/', fields.len());
            if texts.len() < fields.len().min(*optional) {
                let names: Vec<_> = fields.iter().map(|it| it.0).collect();
                return Err(error(format!(
                    "`{text}` lacks parts; expected {}",
                    names.join("/")
                )));
            }
            let parts = fields.iter().zip(texts).map(|((name, shape), text)| {
                read(shape, text, false).map_err(|it| error(format!("{name}: {it}")))
            });
            Data::Record(parts.collect::<Read<_>>()?)
        }
        Shape::Prefixed(_, of) => read(of, text, top)?,
        Shape::Tlv(table) => {
            let texts = split(inside(text, '[', ']'), ',', usize::MAX);
            let items = texts.into_iter().map(|it| read_item(table, it));
            Data::Tlv(items.collect::<Read<_>>()?)
        }
        Shape::Either(first, second, word) => {
            match text.strip_prefix(word).and_then(|it| it.strip_prefix(':')) {
                Some(rest) => Data::Other(Box::new(read(second, rest, top)?)),
                None => read(first, text, top)?,
            }
        }
        Shape::Route => forms::read_route(text)?,
        Shape::ClientId => match text.strip_prefix("hex:") {
            Some(_) => Data::Bytes(bytes(text)?),
            None => forms::read_client_id(text, unquote)?,
        },
        Shape::ClientFqdn => forms::read_client_fqdn(text, unquote)?,
        Shape::Sip => forms::read_sip(&split(inside(text, '[', ']'), ',', usize::MAX))?,
        Shape::Uuid => forms::read_uuid(text)?,
        Shape::Geo => forms::read_geo(text)?,
    })
}

fn is_list(shape: &Shape) -> bool {
    match shape {
        Shape::List(_) => true,
        Shape::Prefixed(_, of) => is_list(of),
        _ => false,
    }
}

fn items(text: &str, read: impl Fn(&str) -> Read<Data>) -> Read<Data> {
    let texts = split(text, ',', usize::MAX);
    if texts == [""] {
        return Err(error("needs at least one item"));
    }
    let items: Read<Vec<_>> = texts.into_iter().map(read).collect();
    Ok(Data::List(items?))
}

fn bytes(text: &str) -> Read<Vec<u8>> {
    match text.strip_prefix("hex:") {
        Some(digits) => hex::decode(digits.replace([':', ' ', '-'], ""))
            .map_err(|_| error(format!("`{digits}` is not an even number of hex digits"))),
        None => unquote(text),
    }
}

fn read_item(table: &'static SubTable, text: &str) -> Read<(u8, Data)> {
    match text {
        "pad" if table.pads => return Ok((0, Data::Empty)),
        "end" if table.pads => return Ok((255, Data::Empty)),
        _ => {}
    }
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    let (name, value) = (name.trim(), value.trim());
    let code = match table.code_of(name) {
        Some(code) => code,
        None => name.parse().map_err(|_| {
            let near = table.rows.iter().map(|row| row.name).max_by(|a, b| {
                strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name))
            });
            let near = near
                .map(|it| format!(" (did you mean {it}?)"))
                .unwrap_or_default();
            error(format!(
                "unknown sub-option `{name}`{near}; expected NAME=VALUE or NUMBER=VALUE"
            ))
        })?,
    };
    let (_, shape) = table.row(code);
    if value.starts_with("hex:") {
        let raw = bytes(value)?;
        let typed = super::bytes::decode(shape, &raw).ok().filter(|it| {
            let mut again = Vec::new();
            super::bytes::encode(shape, it, &mut again).is_ok() && again == raw
        });
        return Ok((
            code,
            typed.unwrap_or_else(|| Data::Other(Box::new(Data::Bytes(raw)))),
        ));
    }
    let data = read(shape, value, false).map_err(|it| error(format!("{name}: {it}")))?;
    Ok((code, data))
}
