//! Bytes that no layer claims, in the field tree; and the headers among them that can be named.

use super::meaning::{self, Note};
use super::tree::{Tree, zeros};
use crate::wire::*;

/// Bytes of a payload without layers that the tree shows; the hexdump shows all of them.
const RAW_SHOWN: usize = 64;

impl Tree<'_> {
    /// Bytes without fields.
    pub(super) fn payload(&mut self, offset: usize, bytes: &[u8]) {
        let range = Some(offset..offset + bytes.len());
        if !bytes.is_empty() && bytes.iter().all(|it| *it == 0) {
            return self.field(1, "bytes", range, &zeros(bytes.len()), Note::None);
        }
        let shown = bytes.get(..RAW_SHOWN).unwrap_or(bytes);
        let note = match bytes.len() - shown.len() {
            0 => Note::None,
            more => Note::fine(format!("and {more} more; --format hex shows all")),
        };
        self.field(1, "bytes", range, &hex::encode(shown), note);
    }

    pub(super) fn cooked(&mut self, offset: usize, bytes: &[u8]) {
        let end = offset + bytes.len();
        self.head("Linux cooked capture", offset..end, Note::None);
        let fields = meaning::cooked(bytes.len());
        for (name, from, to) in fields {
            let Some(part) = bytes.get(*from..*to) else {
                continue;
            };
            let text = match (*name, part) {
                ("packet type", [0] | [0, 0]) => "0  to us".into(),
                ("packet type", [1] | [0, 1]) => "1  broadcast".into(),
                ("packet type", [2] | [0, 2]) => "2  multicast".into(),
                ("packet type", [3] | [0, 3]) => "3  to another host".into(),
                ("packet type", [4] | [0, 4]) => "4  sent by us".into(),
                ("protocol", [8, 0]) => "0x0800  IPv4".into(),
                ("protocol", [8, 6]) => "0x0806  ARP".into(),
                ("address", part) => {
                    let mut text = String::new();
                    meaning::colons(&mut text, part.get(..6).unwrap_or(part));
                    text
                }
                (_, part) => format!("0x{}", hex::encode(part)),
            };
            self.field(1, name, Some(offset + from..offset + to), &text, Note::None);
        }
        if fields.is_empty() {
            self.payload(offset, bytes);
        }
    }

    /// Bytes that no layer claims; the fields of a BOOTP header that stops too early are named.
    pub(super) fn raw(&mut self, offset: usize, bytes: &[u8], above: Option<&Layer>) {
        let range = offset..offset + bytes.len();
        let ports = [SERVER_PORT, CLIENT_PORT];
        match above {
            Some(Layer::Udp(udp)) if ports.contains(&udp.sport) || ports.contains(&udp.dport) => {
                let note = format!("cut short: {} of {BOOTP_LEN} bytes", bytes.len());
                self.head("BOOTP", range, Note::odd(note));
                for row in FIELDS.iter().filter(|row| row.layer == "BOOTP") {
                    let whole = row.byte()..row.byte() + row.byte_len();
                    let part = bytes.get(whole.start..whole.end.min(bytes.len()));
                    let Some(part) = part.filter(|it| !it.is_empty()) else {
                        break;
                    };
                    let at = offset + whole.start..offset + whole.start + part.len();
                    if part.len() < whole.len() {
                        let note = format!("{} of {} bytes", part.len(), whole.len());
                        self.field(1, row.name, Some(at), &hex::encode(part), Note::odd(note));
                        break;
                    }
                    let value = meaning::value_in(row, part);
                    let hlen = bytes.get(2).map_or(6, |it| usize::from(*it).min(16));
                    let note = meaning::oddity(row, &value, hlen);
                    let mut text = String::new();
                    meaning::show(&mut text, row, &value, hlen);
                    self.field(1, row.name, Some(at), &text, note);
                }
            }
            Some(Layer::Bootp(_)) => {
                let note = match bytes.get(..4) {
                    Some(cookie) => format!(
                        "begins with {}, not with the magic cookie 63825363",
                        hex::encode(cookie)
                    ),
                    None => format!("{} bytes: no room for the magic cookie", bytes.len()),
                };
                self.head("Vendor area", range, Note::odd(note));
                self.payload(offset, bytes);
            }
            _ => {
                self.head("Raw", range, Note::None);
                self.payload(offset, bytes);
            }
        }
    }
}
