//! Machine identifiers of PXE clients (RFC 4578).

use super::super::Data;
use super::{Read, error, unhex};

/// The usual text of a UUID whose first three parts are little-endian, as PXE clients send it.
pub(in crate::dhcp::value) fn uuid_text(data: &Data) -> String {
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

pub(in crate::dhcp::value) fn read_uuid(text: &str) -> Read<Data> {
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
