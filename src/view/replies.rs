//! Replies side by side, and the lease that came of them.

use std::io::{self, Write};

use super::Style;
use super::lookup;
use super::summary::{duration, seconds, summary};
use crate::commands::outcome::{Entry, Verdict};
use crate::dhcp::{Message, options};

/// Options shown as columns or in the box, so not once more below.
const SHOWN: [u8; 3] = [51, 53, 54];

/// From how many columns on the router, and relay and DNS, have columns of their own.
const ROUTER_WIDTH: usize = 96;
const WIDE: usize = 120;

fn text_of(message: &Message, code: u8) -> Option<String> {
    let data = message.data(code)?;
    Some(match options::by_code(code).ty.decode(&data) {
        Ok(value) => value.to_string(),
        Err(_) => format!("hex:{}", hex::encode(&data)),
    })
}

fn reply_row(index: usize, entry: &Entry, message: &Message, width: usize) -> Vec<String> {
    let bootp = message.bootp;
    let ip = entry.frame.ipv4().map(|it| it.src);
    let from = match (message.server_id(), ip) {
        (Some(id), Some(ip)) if id != ip => format!("{id} ({ip})"),
        (Some(id), _) => id.to_string(),
        (None, Some(ip)) => format!("{ip} (no server-id)"),
        (None, None) => "-".into(),
    };
    let mac = entry
        .frame
        .ether()
        .map(|it| it.src.to_string())
        .unwrap_or_default();
    let address = [bootp.yiaddr, bootp.ciaddr]
        .into_iter()
        .find(|ip| !ip.is_unspecified());
    let mut row = vec![
        index.to_string(),
        duration(entry.after.unwrap_or(entry.since)),
        message.type_name().into_owned(),
        from,
        mac,
        address.map_or("-".into(), |ip| ip.to_string()),
        message.lease_time().map_or("-".into(), seconds),
    ];
    if width >= ROUTER_WIDTH {
        row.push(text_of(message, 3).unwrap_or_else(|| "-".into()));
    }
    if width >= WIDE {
        row.push(match bootp.giaddr.is_unspecified() {
            true => "-".into(),
            false => bootp.giaddr.to_string(),
        });
        row.push(text_of(message, 6).unwrap_or_else(|| "-".into()));
    }
    row
}

/// Prints replies as a table, below it every option of each, and where servers disagree.
pub fn replies_table(out: &mut dyn Write, entries: &[&Entry], style: &Style) -> io::Result<()> {
    let mut header = vec![
        "#",
        "after",
        "type",
        "from",
        "server MAC",
        "address",
        "lease",
    ];
    if style.width >= ROUTER_WIDTH {
        header.push("router");
    }
    if style.width >= WIDE {
        header.extend(["relay", "dns"]);
    }
    let (mut answers, mut others) = (Vec::new(), Vec::new());
    for entry in entries {
        match (Message::of(&entry.frame), &entry.verdict) {
            (Some(message), Verdict::Part) if message.bootp.op == 2 => {
                answers.push((*entry, message))
            }
            (None, Verdict::Part) => {}
            _ => others.push(*entry),
        }
    }
    if !answers.is_empty() {
        let mut table = lookup::table(style, &header);
        for (index, (entry, message)) in answers.iter().enumerate() {
            table.add_row(reply_row(index + 1, entry, message, style.width));
        }
        lookup::print(out, &table)?;
        for (index, (_, message)) in answers.iter().enumerate() {
            rest(out, index + 1, message, style.width >= ROUTER_WIDTH, style)?;
        }
    }
    for entry in &others {
        let reason = match &entry.verdict {
            Verdict::Stray(reason) => super::escape(reason),
            _ => "the same once more".into(),
        };
        writeln!(
            out,
            "{}",
            style.dim(&format!("not taken: {}  ({reason})", summary(entry)))
        )?;
    }
    let messages: Vec<_> = answers.iter().map(|it| it.1).collect();
    if let Some(text) = agreement(&messages) {
        writeln!(out, "{text}")?;
    }
    Ok(())
}

/// The options that the table has no column for.
fn rest(
    out: &mut dyn Write,
    index: usize,
    message: &Message,
    router: bool,
    style: &Style,
) -> io::Result<()> {
    let mut parts = Vec::new();
    for option in message.options() {
        if SHOWN.contains(&option.code) || (router && option.code == 3) {
            continue;
        }
        let name = options::by_code(option.code).name;
        match option.value() {
            Ok(value) if value.to_string().is_empty() => parts.push(name.to_string()),
            Ok(value) => parts.push(format!("{name} {value}")),
            Err(_) => parts.push(format!("{name} hex:{} (!)", hex::encode(&option.data))),
        }
    }
    let bootp = message.bootp;
    if !bootp.siaddr.is_unspecified() {
        parts.push(format!("siaddr {}", bootp.siaddr));
    }
    if parts.is_empty() {
        return Ok(());
    }
    let text = lookup::wrap(&parts.join(" · "), 3, style);
    writeln!(out, "{index:<3}{}", text.trim_start())
}

/// How many servers offered, and in what they differ.
fn agreement(messages: &[Message]) -> Option<String> {
    let mut servers: Vec<_> = messages.iter().map(|it| it.server_id()).collect();
    servers.sort();
    servers.dedup();
    if messages.len() < 2 {
        return None;
    }
    let offers = format!(
        "{} replies from {} server{}",
        messages.len(),
        servers.len(),
        if servers.len() == 1 { "" } else { "s" }
    );
    if servers.len() < 2 {
        return Some(offers);
    }
    let codes = [1, 3, 6, 15, 42, 119, 121];
    let differ: Vec<&str> = codes
        .into_iter()
        .filter(|code| {
            let mut values: Vec<_> = messages.iter().map(|it| it.data(*code)).collect();
            values.dedup();
            values.len() > 1
        })
        .map(|code| options::by_code(code).name)
        .collect();
    Some(match differ.is_empty() {
        true => format!("{offers}; they agree"),
        false => format!("{offers}; they disagree on {}", differ.join(", ")),
    })
}

fn prefix(mask: std::net::Ipv4Addr) -> Option<u32> {
    let bits = u32::from(mask);
    (bits.leading_ones() + bits.trailing_zeros() == 32 || bits == 0).then(|| bits.leading_ones())
}

/// Prints the lease that an ACK gives: address, times, router, DNS, and the other options.
pub fn lease_box(out: &mut dyn Write, ack: &Entry, style: &Style) -> io::Result<()> {
    let Some(message) = Message::of(&ack.frame) else {
        return Ok(());
    };
    let address = message.bootp.yiaddr;
    let address = match message.subnet_mask().and_then(prefix) {
        Some(bits) => format!("{address}/{bits}"),
        None => address.to_string(),
    };
    let lease = message.lease_time().map_or("-".into(), |lease| {
        let times: Vec<String> = [
            ("T1", message.renewal_time()),
            ("T2", message.rebinding_time()),
        ]
        .into_iter()
        .filter_map(|(name, time)| Some(format!("{name} {}", seconds(time?))))
        .collect();
        match times.is_empty() {
            true => seconds(lease),
            false => format!("{}  ({})", seconds(lease), times.join(", ")),
        }
    });
    let or_none = |code| text_of(&message, code).unwrap_or_else(|| "-".into());
    writeln!(out)?;
    let rows = [
        ("address", address, "router", or_none(3)),
        ("lease", lease, "dns", or_none(6)),
    ];
    for (left, value, right, other) in rows {
        writeln!(
            out,
            "   {}  {value:<34} {}  {other}",
            style.name(&format!("{left:<7}")),
            style.name(&format!("{right:<6}"))
        )?;
    }
    let others: Vec<String> = message
        .options()
        .iter()
        .filter(|it| ![1, 3, 6, 51, 53, 54, 58, 59, 61].contains(&it.code))
        .map(|it| {
            let name = options::by_code(it.code).name;
            format!("{name} {}", text_of(&message, it.code).unwrap_or_default())
        })
        .collect();
    if !others.is_empty() {
        let text = lookup::wrap(&others.join(" · "), 12, style);
        writeln!(out, "   {}  {}", style.name("also   "), text.trim_start())?;
    }
    Ok(())
}
