//! Domain names: labels, compression pointers.

use super::{Read, error};

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
pub(in crate::dhcp::value) fn name<'a>(
    cursor: &mut &'a [u8],
    whole: &'a [u8],
) -> Read<Vec<String>> {
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
pub(in crate::dhcp::value) fn put_name(labels: &[String], whole: bool, out: &mut Vec<u8>) {
    for label in labels {
        out.push(label.len() as u8);
        out.extend(label.as_bytes());
    }
    if whole {
        out.push(0);
    }
}

/// The labels of a name's text.
pub(in crate::dhcp::value) fn labels(text: &str) -> Read<Vec<String>> {
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

pub(in crate::dhcp::value) fn name_text(labels: &[String]) -> String {
    match labels.is_empty() {
        true => ".".into(),
        false => labels.join("."),
    }
}
