//! Client identifiers (RFC 2132 section 9.14).

use super::super::Data;
use super::{Read, error, unhex};

pub(in crate::dhcp::value) fn client_id(cursor: &mut &[u8]) -> Read<Data> {
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

pub(in crate::dhcp::value) fn client_id_text(
    bytes: &[u8],
    quoted: impl Fn(&[u8]) -> String,
) -> String {
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
pub(in crate::dhcp::value) fn read_client_id(
    text: &str,
    unquote: impl Fn(&str) -> Read<Vec<u8>>,
) -> Read<Data> {
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
