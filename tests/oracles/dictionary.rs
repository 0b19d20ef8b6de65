//! Every row of the option dictionary against tshark: its name for the option, its field, and the value it reads.

use std::collections::BTreeSet;

use dhcpcraft::dhcp::options::OptionSpec;
use roxmltree::{Document, Node};
use serde_json::Value;

use crate::frames::{self, Directory};
use crate::support::tshark;

/// Options of which tshark 4.0 shows only the bytes: it knows the code and does not look inside.
const UNREAD: &[u8] = &[
    62, 88, 89, 98, 108, 109, 139, 140, 141, 143, 144, 147, 148, 162, 175, 211, 213, 220, 221,
];

/// Options whose value tshark reads otherwise, and why it is tshark that does.
const MISREAD: &[(u8, &str)] = &[
    (
        43,
        "without a vendor class that it knows it takes the sub-options for one value",
    ),
    (94, "skips the type before the version"),
    (
        124,
        "shows the classes as one text, their length bytes included",
    ),
    (137, "shows an encoded name as text, label lengths included"),
    (
        152,
        "counts from NTP's second era instead of 1970, so every time is 66 years late",
    ),
    (154, "as 152"),
    (155, "as 152"),
    (158, "reads the length of the list and not the list"),
];

/// One value that an option holds.
#[derive(Debug, PartialEq)]
enum Atom {
    Number(i64),
    Bytes(Vec<u8>),
}

impl Atom {
    fn text(text: impl AsRef<str>) -> Atom {
        Atom::Bytes(text.as_ref().as_bytes().to_vec())
    }
}

/// The values in an example, in the order of the wire.
fn atoms(row: &OptionSpec, data: &[u8]) -> Vec<Atom> {
    let number = |bytes: &[u8]| {
        Atom::Number(
            bytes
                .iter()
                .fold(0, |sum, byte| sum << 8 | i64::from(*byte)),
        )
    };
    let parts = |size: usize| data.chunks(size).map(number).collect();
    match row.ty.name() {
        // Named numbers; tshark has other names for them.
        "message-type" | "overload" | "netbios-node-type" | "auto-config" | "dhcp-state"
        | "options" => parts(1),
        "client-arch" => parts(2),
        "status-code" => vec![number(&data[..1]), Atom::Bytes(data[1..].to_vec())],
        // One text of ours is several fields there.
        "client-id" => vec![number(&data[..1]), Atom::text(row.example)],
        "client-fqdn" => {
            let name = row.example.split_once('/').map_or("", |it| it.1);
            vec![number(&data[..1]), Atom::text(name.trim_end_matches('.'))]
        }
        "routes" => {
            let route =
                |text: &str| Atom::text(text.replace("0.0.0.0/0>", "default>").replace('>', "-"));
            row.example.split(',').map(route).collect()
        }
        // Degrees and metres with ten digits, then the type of altitude and the datum.
        "geo" => [
            "38.5000000000",
            "-77.2500000000",
            "0.0000000149",
            "0.0000000149",
            "12.5000000000",
        ]
        .into_iter()
        .map(Atom::text)
        .chain([Atom::Number(1), Atom::Number(1)])
        .collect(),
        // Of delayed authentication it tells the key's number from the code (RFC 3118 section 5.2).
        "authentication" => [
            &data[..1],
            &data[1..2],
            &data[2..3],
            &data[3..11],
            &data[11..15],
        ]
        .map(number)
        .into_iter()
        .chain([Atom::Bytes(data[15..].to_vec())])
        .collect(),
        "sip-servers" => vec![number(&data[..1]), Atom::text(row.example)],
        // Our sub-options are bytes, and tshark knows these: a number, and an address in a line of text.
        _ if row.code == 63 => vec![Atom::Number(5), Atom::Number(1)],
        _ if row.code == 122 => vec![Atom::text(
            "TSP's Primary DHCP Server (1): 10.0.0.122 (4 bytes)",
        )],
        _ => {
            let value = row.ty.decode(data).expect("an example is of its type");
            let mut atoms = Vec::new();
            flatten(&value.json(), &mut atoms);
            atoms
        }
    }
}

fn flatten(value: &Value, atoms: &mut Vec<Atom>) {
    match value {
        Value::Null => {}
        Value::Bool(it) => atoms.push(Atom::Number((*it).into())),
        Value::Number(it) => atoms.push(Atom::Number(it.as_i64().expect("examples are small"))),
        Value::String(it) => atoms.push(Atom::text(it)),
        Value::Array(items) => items.iter().for_each(|it| flatten(it, atoms)),
        Value::Object(members) => match members.get("hex") {
            Some(Value::String(digits)) => {
                atoms.push(Atom::Bytes(hex::decode(digits).expect("hex digits")))
            }
            _ => {
                let named = members.iter().filter(|(key, _)| *key != "name");
                named.for_each(|(_, it)| flatten(it, atoms));
            }
        },
    }
}

/// Whether a field of tshark's shows this value.
fn shows(field: Node, atom: &Atom) -> bool {
    let show = field.attribute("show").unwrap_or_default();
    let line = field.attribute("showname").unwrap_or(show).trim();
    let told = line.split_once(':').map_or(line, |it| it.1).trim();
    let octets = hex::decode(show.replace(':', "")).ok();
    match atom {
        Atom::Bytes(bytes) => {
            let texts = [show, line, told];
            texts.iter().any(|text| text.as_bytes() == bytes) || octets.as_ref() == Some(bytes)
        }
        Atom::Number(number) => {
            let plain = show.parse().ok();
            let hexadecimal = show
                .strip_prefix("0x")
                .and_then(|it| i64::from_str_radix(it, 16).ok());
            // `Domain Name Server Option (6)`
            let named = line
                .strip_suffix(')')
                .and_then(|it| it.rsplit_once('(')?.1.parse().ok());
            let joined = octets
                .filter(|it| show.contains(':') && it.len() <= 4)
                .map(|it| it.iter().fold(0, |sum, byte| sum << 8 | i64::from(*byte)));
            [plain, hexadecimal, named, joined].contains(&Some(*number))
        }
    }
}

/// Whether the fields show all the values, in order; what else they show does not matter.
fn agree(fields: &[Node], atoms: &[Atom]) -> bool {
    let mut fields = fields.iter();
    atoms
        .iter()
        .all(|atom| fields.any(|field| shows(*field, atom)))
}

/// The field of an option in tshark's dissection of a frame.
fn option_of<'a>(packet: Node<'a, 'a>, code: u8) -> Option<Node<'a, 'a>> {
    let dhcp = packet
        .children()
        .find(|it| it.attribute("name") == Some("dhcp"))?;
    let code = code.to_string();
    dhcp.children().find(|it| {
        it.attribute("name") == Some("dhcp.option.type") && it.attribute("show") == Some(&code)
    })
}

#[test]
fn tshark_calls_and_reads_every_option_as_the_dictionary_does() {
    let directory = Directory::new();
    let capture = directory.join("options.pcapng");
    frames::write(&frames::examples(), &capture);
    let text = tshark(&capture, &["-T", "pdml"]);
    let document = Document::parse(&text).expect("PDML is XML");
    let packets: Vec<Node> = document
        .descendants()
        .filter(|it| it.has_tag_name("packet"))
        .collect();
    let rows: Vec<_> = frames::rows().collect();
    assert_eq!(packets.len(), rows.len(), "tshark reads every frame");
    let (mut unread, mut misread, mut warned) = (Vec::new(), BTreeSet::new(), Vec::new());
    let mut wrong = Vec::new();
    for (row, packet) in rows.iter().zip(packets) {
        let data = frames::example(row);
        let Some(option) = option_of(packet, row.code) else {
            wrong.push(format!("{}: tshark finds no option {}", row.name, row.code));
            continue;
        };
        let line = option.attribute("showname").unwrap_or_default();
        let rest = line.strip_prefix(&format!("Option: ({}) {}", row.code, row.wireshark));
        // Of a single value the line says that as well.
        if !rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(" (")) {
            wrong.push(format!(
                "{}: `{}` is `{line}` to tshark",
                row.name, row.wireshark
            ));
        }
        let inside: Vec<Node> = option
            .descendants()
            .filter(|it| it.is_element() && *it != option)
            .collect();
        let name = |it: &Node| it.attribute("name").unwrap_or_default().to_string();
        let names: Vec<String> = inside.iter().map(name).collect();
        if !row.wireshark_field.is_empty() && !names.iter().any(|it| it == row.wireshark_field) {
            wrong.push(format!(
                "{}: no field {} but {names:?}",
                row.name, row.wireshark_field
            ));
        }
        if names.iter().any(|it| it == "_ws.expert") && serious(&inside) {
            warned.push(row.code);
        }
        let hidden = |it: &Node| it.attribute("hide") == Some("yes");
        let whole = |it: &Node| name(it) == "dhcp.option.value" && !hidden(it);
        let of_value = |it: &Node| {
            let name = name(it);
            !hidden(it) && name != "dhcp.option.length" && !name.starts_with("_ws.")
        };
        let fields: Vec<Node> = inside.iter().filter(|it| of_value(it)).copied().collect();
        let bytes = Atom::Bytes(data.clone());
        if data.is_empty()
            || (row.ty.name() == "bytes" && (fields.is_empty() || agree(&fields, &[bytes])))
        {
            continue;
        }
        if inside.iter().any(whole) {
            unread.push(row.code);
        } else if !agree(&fields, &atoms(row, &data)) {
            let shown: Vec<_> = fields
                .iter()
                .filter_map(|it| it.attribute("showname").or(it.attribute("show")))
                .collect();
            misread.insert(row.code);
            if MISREAD.iter().all(|(code, _)| *code != row.code) {
                wrong.push(format!(
                    "{}={} is to tshark {shown:?}",
                    row.name, row.example
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(unread, UNREAD, "options that tshark does not look into");
    let listed: BTreeSet<u8> = MISREAD.iter().map(|it| it.0).collect();
    assert_eq!(misread, listed, "options that tshark reads otherwise");
    assert!(
        warned.is_empty(),
        "examples that tshark warns about: {warned:?}"
    );
}

/// Whether tshark's expert warns among these fields, and does not only remark.
fn serious(fields: &[Node]) -> bool {
    fields
        .iter()
        .filter(|it| it.attribute("name") == Some("_ws.expert.severity"))
        .filter_map(|it| it.attribute("show")?.parse::<u32>().ok())
        .any(|severity| severity >= 0x60_0000)
}
