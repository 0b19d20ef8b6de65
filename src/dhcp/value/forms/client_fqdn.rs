//! The client FQDN option (RFC 4702).

use super::super::Data;
use super::super::bytes::uint;
use super::names::{labels, name, put_name};
use super::{Read, error};

const FQDN_FLAGS: [(u64, char); 4] = [(1, 'S'), (2, 'O'), (4, 'E'), (8, 'N')];

pub(in crate::dhcp::value) fn client_fqdn(cursor: &mut &[u8]) -> Read<Data> {
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

pub(in crate::dhcp::value) fn put_client_fqdn(data: &Data, out: &mut Vec<u8>) {
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

pub(in crate::dhcp::value) fn client_fqdn_text(
    data: &Data,
    quoted: impl Fn(&[u8]) -> String,
) -> String {
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
pub(in crate::dhcp::value) fn read_client_fqdn(
    text: &str,
    unquote: impl Fn(&str) -> Read<Vec<u8>>,
) -> Read<Data> {
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
