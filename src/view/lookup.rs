//! The option dictionary, explanations and links as text and as JSON.

use std::io::{self, Write};

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Value as Json, json};

use super::Style;
use super::style::take_words;
use crate::commands::explain::Topic;
use crate::commands::interfaces::Links;
use crate::dhcp::assign;
use crate::dhcp::difference::Difference;
use crate::dhcp::options::{self, OptionSpec, Status};
use crate::talk::FAULTS;

/// A table without lines that keeps to the width.
pub(super) fn table(style: &Style, header: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(style.width.clamp(40, usize::from(u16::MAX)) as u16)
        .set_header(header.to_vec());
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
}

/// Prints a table without the blanks at the ends of its lines.
pub(super) fn print(out: &mut dyn Write, table: &Table) -> io::Result<()> {
    for line in table.lines() {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// Other tools' names for an option, each once, with the tools that use it.
fn names(row: &OptionSpec) -> Vec<(String, &'static str)> {
    let tools = [
        ("Scapy", row.scapy),
        ("Wireshark", row.wireshark),
        ("dhcpd", row.isc),
        ("Kea", row.kea),
        ("dnsmasq", row.dnsmasq),
    ];
    let mut names: Vec<(String, &'static str)> = Vec::new();
    for (tool, name) in tools.into_iter().filter(|(_, name)| !name.is_empty()) {
        match names.iter_mut().find(|(_, it)| *it == name) {
            Some((tools, _)) => *tools = format!("{tools}, {tool}"),
            None => names.push((tool.to_string(), name)),
        }
    }
    names
}

/// The dictionary as a table: code, name, type, an example, what it is.
pub fn options(out: &mut dyn Write, rows: &[&OptionSpec], style: &Style) -> io::Result<()> {
    let mut table = table(style, &["code", "name", "type", "what it is"]);
    for row in rows {
        table.add_row([
            row.code.to_string(),
            row.name.into(),
            row.ty.name().into(),
            row.doc.into(),
        ]);
    }
    print(out, &table)
}

/// A row of the dictionary as JSON: `code name iana type rfc status doc example names`.
pub fn option_json(row: &OptionSpec) -> Json {
    json!({
        "code": row.code,
        "name": row.name,
        "iana": row.iana,
        "type": row.ty.name(),
        "rfc": row.rfc,
        "status": format!("{:?}", row.status).to_lowercase(),
        "doc": row.doc,
        "example": row.example,
        "names": {
            "scapy": row.scapy,
            "wireshark": row.wireshark,
            "wireshark_field": row.wireshark_field,
            "isc": row.isc,
            "kea": row.kea,
            "dnsmasq": row.dnsmasq,
        },
    })
}

/// Wraps text at the width, indented; a word that is longer than a line is broken.
pub(super) fn wrap(text: &str, indent: usize, style: &Style) -> String {
    let room = style.width.saturating_sub(indent).clamp(20, 90);
    let words: Vec<&str> = text.split_whitespace().collect();
    let text = words.join(" ");
    let mut rest = text.as_str();
    let mut out = String::with_capacity(text.len() + indent);
    while !rest.is_empty() {
        if !out.is_empty() {
            out.push('\n');
        }
        out.extend(std::iter::repeat_n(' ', indent));
        out.push_str(take_words(&mut rest, room).trim_end());
        rest = rest.trim_start();
    }
    out
}

fn pair(out: &mut dyn Write, style: &Style, name: &str, value: &str) -> io::Result<()> {
    let dim = style.name(name);
    let gap = 11usize.saturating_sub(name.len());
    let value = wrap(value, 13, style);
    writeln!(out, "  {dim}{:gap$}{}", "", value.trim_start())
}

fn rfcs(text: &str) -> String {
    let all = text.split(',').map(|it| match it.trim() {
        number if number.starts_with(|c: char| c.is_ascii_digit()) => format!("RFC {number}"),
        other => other.to_string(),
    });
    all.collect::<Vec<_>>().join(", ")
}

/// An answer of `explain`.
pub fn topic(out: &mut dyn Write, topic: &Topic, style: &Style) -> io::Result<()> {
    match topic {
        Topic::Option(row) => {
            writeln!(
                out,
                "{}",
                style.bold(&format!("option {}  {}", row.code, row.name))
            )?;
            writeln!(out, "{}", wrap(row.doc, 2, style))?;
            pair(out, style, "type", &value_type(row))?;
            if row.status != Status::Assigned {
                pair(
                    out,
                    style,
                    "status",
                    &format!("{:?}", row.status).to_lowercase(),
                )?;
            }
            if !row.rfc.is_empty() {
                pair(out, style, "defined in", &rfcs(row.rfc))?;
            }
            pair(out, style, "IANA", row.iana)?;
            for (tools, name) in names(row) {
                pair(out, style, "known as", &format!("{name}  ({tools})"))?;
            }
            if !row.wireshark_field.is_empty() {
                pair(out, style, "filter", row.wireshark_field)?;
            }
            if !row.example.is_empty() {
                pair(
                    out,
                    style,
                    "sample",
                    &format!("{}={}", row.name, row.example),
                )?;
                pair(out, style, "try", &example(row))?;
            }
            let all = row.ty.suboptions().iter();
            let all: Vec<&str> = all.map(|it| it.name).collect();
            if !all.is_empty() {
                pair(out, style, "holds", &all.join(", "))?;
            }
        }
        Topic::SubOption(of, row) => {
            let title = format!("sub-option {} of {}  {}", row.code, of.name, row.name);
            writeln!(out, "{}", style.bold(&title))?;
            writeln!(out, "{}", wrap(row.doc, 2, style))?;
            if !row.rfc.is_empty() {
                pair(out, style, "defined in", &rfcs(row.rfc))?;
            }
            if !row.aliases.is_empty() {
                pair(out, style, "known as", &row.aliases.join(", "))?;
            }
            pair(out, style, "see", of.name)?;
        }
        Topic::Field(row) => {
            let title = format!("{} field  {}", row.layer, row.name);
            writeln!(out, "{}", style.bold(&title))?;
            writeln!(out, "{}", wrap(row.doc, 2, style))?;
            if row.bits > 0 {
                let place = match row.bits % 8 {
                    0 => format!(
                        "byte {} of {}, {} bytes",
                        row.byte(),
                        row.layer,
                        row.byte_len()
                    ),
                    _ => format!("byte {} of {}, {} bits", row.byte(), row.layer, row.bits),
                };
                pair(out, style, "place", &place.replace(", 1 bytes", ", 1 byte"))?;
            }
            pair(out, style, "defined in", &rfcs(row.rfc))?;
            if let Some(flag) = row.flag() {
                pair(
                    out,
                    style,
                    "try",
                    &format!(
                        "dhcpcraft discover --{flag} {} --dry-run",
                        field_example(row)
                    ),
                )?;
            }
        }
        Topic::Term(term) => {
            writeln!(out, "{}", style.bold(term.name))?;
            writeln!(out, "{}", wrap(term.text, 2, style))?;
            if !term.rfc.is_empty() {
                pair(out, style, "defined in", &rfcs(term.rfc))?;
            }
            if !term.see.is_empty() {
                pair(out, style, "see", &term.see.join(", "))?;
            }
            if !term.try_it.is_empty() {
                pair(out, style, "try", term.try_it)?;
            }
        }
    }
    Ok(())
}

fn value_type(row: &OptionSpec) -> String {
    let len = match (row.min_len, row.max_len) {
        (min, Some(max)) if min == max => format!("{min} bytes"),
        (min, Some(max)) => format!("{min} to {max} bytes"),
        (0, None) => "any length".into(),
        (min, None) => format!("{min} bytes or more"),
    };
    let step = match row.multiple {
        0 | 1 => String::new(),
        step => format!(", in steps of {step}"),
    };
    format!(
        "{} ({}{step})",
        row.ty.name(),
        len.replace("1 bytes", "1 byte")
    )
}

/// A command line that sends the option's example.
fn example(row: &OptionSpec) -> String {
    let option = format!("{}={}", row.name, row.example);
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=.,:/@%+".contains(c);
    let quoted = match option.chars().all(plain) {
        true => option,
        false => format!("'{}'", option.replace('\'', r"'\''")),
    };
    format!("dhcpcraft discover -o {quoted} --dry-run")
}

fn field_example(row: &crate::wire::FieldSpec) -> &'static str {
    use crate::wire::FieldKind::*;
    match (row.name, row.kind) {
        ("chaddr", _) | (_, Mac) => "02:00:5e:10:00:07",
        (_, Ip) => "192.0.2.7",
        (_, Hex) => "0x1",
        (_, Number) => "1",
        (_, Text) => "pxelinux.0",
        (_, Bytes) => "hex:00",
    }
}

/// An answer of `explain` as JSON.
pub fn topic_json(topic: &Topic) -> Json {
    match topic {
        Topic::Option(row) => {
            let mut object = option_json(row);
            object["kind"] = "option".into();
            let all = row.ty.suboptions().iter().map(|it| it.name);
            object["suboptions"] = all.collect();
            object
        }
        Topic::SubOption(of, row) => json!({
            "kind": "sub-option", "option": of.name, "code": row.code, "name": row.name, "aliases": row.aliases,
            "rfc": row.rfc, "doc": row.doc,
        }),
        Topic::Field(row) => json!({
            "kind": "field", "layer": row.layer, "name": row.name, "bit": row.bit, "bits": row.bits,
            "rfc": row.rfc, "doc": row.doc, "flag": row.flag(),
        }),
        Topic::Term(term) => json!({
            "kind": "term", "name": term.name, "rfc": term.rfc, "doc": term.text, "see": term.see, "try": term.try_it,
        }),
    }
}

/// What `-i` can name.
pub fn links(out: &mut dyn Write, links: &Links, style: &Style) -> io::Result<()> {
    let mut table = table(style, &["-i", "MAC", "address", "state"]);
    for it in &links.interfaces {
        let addresses: Vec<_> = it.addrs.iter().map(|ip| ip.to_string()).collect();
        let state = match &it.usable {
            Ok(()) if it.default_route => "usable; carries the default route".to_string(),
            Ok(()) => "usable".to_string(),
            Err(reason) => format!("not usable: {reason}"),
        };
        let mac = it.mac.map(|mac| mac.to_string()).unwrap_or_default();
        table.add_row([super::escape(&it.name), mac, addresses.join("\n"), state]);
    }
    print(out, &table)?;
    writeln!(out)?;
    let mut table = self::table(style, &["-i", "always usable, inside this process"]);
    for (name, cast) in links.lab {
        table.add_row([*name, *cast]);
    }
    print(out, &table)
}

/// In what two frames differ, side by side.
pub fn differences(out: &mut dyn Write, rows: &[Difference], style: &Style) -> io::Result<()> {
    if rows.is_empty() {
        return writeln!(out, "no difference");
    }
    compared(out, rows, ["", "first", "second"], style)
}

/// The same under other heads.
pub fn compared(
    out: &mut dyn Write,
    rows: &[Difference],
    heads: [&str; 3],
    style: &Style,
) -> io::Result<()> {
    let mut table = table(style, &heads);
    let cell = |value: &Option<String>| {
        value
            .clone()
            .map_or("-".into(), |it| super::tests::clean_line(&it))
    };
    for row in rows {
        table.add_row([row.name.clone(), cell(&row.first), cell(&row.second)]);
    }
    print(out, &table)
}

/// A difference as JSON: `name`, `first`, `second`, null where it is not there.
pub fn difference_json(row: &Difference) -> Json {
    json!({"name": row.name, "first": row.first, "second": row.second})
}

/// An interface, or a cast of the lab, as one JSON object each.
pub fn links_json(links: &Links) -> Vec<Json> {
    let interfaces = links.interfaces.iter().map(|it| {
        json!({
            "name": it.name,
            "index": it.index,
            "mac": it.mac.map(|mac| mac.to_string()),
            "addresses": it.addrs.iter().map(|ip| ip.to_string()).collect::<Vec<_>>(),
            "up": it.up,
            "carrier": it.carrier,
            "loopback": it.loopback,
            "default_route": it.default_route,
            "usable": it.usable.is_ok(),
            "reason": it.usable.as_ref().err(),
        })
    });
    let lab = links
        .lab
        .iter()
        .map(|(name, cast)| json!({"name": name, "lab": cast, "usable": true}));
    interfaces.chain(lab).collect()
}

/// One value of a reply, for `--print`: an option by any name, or a header field.
pub fn value(frame: &crate::wire::Frame, what: &str) -> Result<String, String> {
    use crate::dhcp::Message;
    use crate::wire::{FieldKind, FieldSpec, FieldValue};
    let message = Message::of(frame);
    let field = FieldSpec::find(what).find_map(|row| {
        let layer = frame
            .layers
            .iter()
            .find(|layer| layer.name() == row.layer)?;
        Some((row, layer.get(row.name)?))
    });
    if let Some((row, value)) = field {
        return Ok(match (row.kind, value, &message) {
            (_, FieldValue::Bytes(_), Some(message)) if row.name == "chaddr" => {
                let parts: Vec<_> = message
                    .bootp
                    .client_hardware()
                    .iter()
                    .map(|it| format!("{it:02x}"))
                    .collect();
                parts.join(":")
            }
            (FieldKind::Hex, FieldValue::Number(number), _) => format!("{number:#x}"),
            (FieldKind::Text, FieldValue::Bytes(bytes), _) => {
                let end = bytes.iter().position(|it| *it == 0).unwrap_or(bytes.len());
                super::escape(&String::from_utf8_lossy(&bytes[..end]))
            }
            (_, value, _) => value.to_string(),
        });
    }
    let row = options::by_name(what)
        .map_err(|error| format!("{error}; --print takes an option or a header field"))?;
    let data = message.and_then(|it| it.data(row.code));
    let data =
        data.ok_or_else(|| format!("the reply holds no {} (option {})", row.name, row.code))?;
    let text = assign::format(row.code, &data);
    Ok(text
        .split_once('=')
        .map_or("", |(_, value)| value)
        .to_string())
}

/// What a server can do wrong, as a table.
pub fn faults(out: &mut dyn Write, style: &Style) -> io::Result<()> {
    let mut table = table(style, &["--fault", "what the server does"]);
    for (name, takes, doc) in FAULTS {
        let name = match takes.is_empty() {
            true => name.to_string(),
            false => format!("{name}={takes}"),
        };
        table.add_row([name.as_str(), doc]);
    }
    print(out, &table)
}

/// The same as JSON: `fault`, `takes`, `does`.
pub fn faults_json() -> Vec<Json> {
    let rows = FAULTS.iter();
    rows.map(|(name, takes, doc)| json!({ "fault": name, "takes": takes, "does": doc }))
        .collect()
}
