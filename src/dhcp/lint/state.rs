//! Fields and options by message type and client state: tables 3, 4 and 5 of RFC 2131.

use std::net::Ipv4Addr;

use super::Report;
use super::seen::Seen;
use crate::dhcp::enums::*;
use crate::dhcp::{options, template};
use crate::wire::{Bootp, SERVER_PORT};

/// What a table says of the options of one message type.
struct Column {
    kind: u8,
    must: &'static [u8],
    must_not: &'static [u8],
    /// Where all others are forbidden: those that are not.
    only: &'static [u8],
}

/// Table 3. RFC 6842 has changed its line on client-id, RFC 3046 echoes option 82 in every reply, and
/// authentication (90, RFC 3118) is as allowed as what it protects.
static SERVER: [Column; 3] = [
    Column {
        kind: OFFER,
        must: &[54],
        must_not: &[50, 55, 57],
        only: &[],
    },
    Column {
        kind: ACK,
        must: &[54],
        must_not: &[50, 55, 57],
        only: &[],
    },
    Column {
        kind: NAK,
        must: &[54],
        must_not: &[],
        only: &[53, 54, 56, 60, 61, 82, 90],
    },
];

/// Table 5, REQUEST aside: what it holds depends on the state (table 4).
static CLIENT: [Column; 4] = [
    Column {
        kind: DISCOVER,
        must: &[],
        must_not: &[54],
        only: &[],
    },
    Column {
        kind: INFORM,
        must: &[],
        must_not: &[50, 51, 54],
        only: &[],
    },
    Column {
        kind: DECLINE,
        must: &[50, 54],
        must_not: &[],
        only: &[50, 52, 53, 54, 56, 61, 82, 90],
    },
    Column {
        kind: RELEASE,
        must: &[54],
        must_not: &[],
        only: &[52, 53, 54, 56, 61, 82, 90],
    },
];

fn column<'a>(seen: &Seen, table: &'a [Column]) -> Option<&'a Column> {
    let kind = seen.kind?;
    table.iter().find(|it| it.kind == kind)
}

/// The message type in capitals.
fn name(seen: &Seen) -> String {
    seen.message
        .map_or(String::new(), |it| it.type_name().into_owned())
}

fn required(seen: &Seen, table: &[Column], report: &mut Report) {
    let must = column(seen, table)
        .filter(|_| seen.whole)
        .map_or(&[][..], |it| it.must);
    for code in must.iter().filter(|code| seen.option(**code).is_none()) {
        report.option(*code, format!("missing from {}", article(&name(seen))));
    }
}

fn forbidden(seen: &Seen, table: &[Column], report: &mut Report) {
    let Some(column) = column(seen, table) else {
        return;
    };
    for it in &seen.options {
        let others = !column.only.is_empty() && !column.only.contains(&it.code);
        if column.must_not.contains(&it.code) || others {
            report.option(it.code, format!("in {}", article(&name(seen))));
        }
    }
}

/// `an OFFER`, `a REQUEST`.
fn article(name: &str) -> String {
    match name.starts_with(['A', 'E', 'I', 'O', 'U']) {
        true => format!("an {name}"),
        false => format!("a {name}"),
    }
}

pub(super) fn server_required(seen: &Seen, report: &mut Report) {
    required(seen, &SERVER, report);
}

pub(super) fn server_forbidden(seen: &Seen, report: &mut Report) {
    forbidden(seen, &SERVER, report);
}

pub(super) fn client_required(seen: &Seen, report: &mut Report) {
    required(seen, &CLIENT, report);
}

pub(super) fn client_forbidden(seen: &Seen, report: &mut Report) {
    forbidden(seen, &CLIENT, report);
}

pub(super) fn request_state(seen: &Seen, report: &mut Report) {
    let Some(bootp) = seen.is(&[REQUEST]).filter(|it| seen.whole && it.op == 1) else {
        return;
    };
    let (server, wanted) = (seen.option(54).is_some(), seen.option(50).is_some());
    let ciaddr = bootp.ciaddr;
    match (server, wanted, ciaddr.is_unspecified()) {
        (true, true, true) | (false, true, true) | (false, false, false) => {}
        (true, false, true) => report.option(50, "missing beside server-id (SELECTING)"),
        (true, _, false) => {
            report.option(
                54,
                format!("beside ciaddr {ciaddr} (RENEWING or REBINDING has none)"),
            );
        }
        (false, true, false) => {
            report.option(
                50,
                format!("beside ciaddr {ciaddr} (RENEWING or REBINDING has none)"),
            );
        }
        (false, false, true) => {
            report.option(
                50,
                "missing, and ciaddr is 0.0.0.0: no address is asked for",
            );
        }
    }
}

pub(super) fn client_ciaddr(seen: &Seen, report: &mut Report) {
    let Some(bootp) = seen.asks() else {
        return;
    };
    let kind = name(seen);
    match (seen.kind, bootp.ciaddr.is_unspecified()) {
        (Some(DISCOVER | DECLINE), false) => {
            report.field("BOOTP", "ciaddr", format!("{} in a {kind}", bootp.ciaddr));
        }
        (Some(INFORM | RELEASE), true) => {
            report.field("BOOTP", "ciaddr", format!("0.0.0.0 in {}", article(&kind)));
        }
        _ => {}
    }
}

pub(super) fn client_fields(seen: &Seen, report: &mut Report) {
    let dhcp = [DISCOVER, REQUEST, DECLINE, RELEASE, INFORM];
    let Some(bootp) = seen.is(&dhcp).filter(|it| it.op == 1) else {
        return;
    };
    for (field, ip) in [("yiaddr", bootp.yiaddr), ("siaddr", bootp.siaddr)] {
        if !ip.is_unspecified() {
            report.field("BOOTP", field, format!("{ip} from a client"));
        }
    }
}

/// Whether a client's message comes from the client itself, not through a relay agent.
fn direct(seen: &Seen) -> bool {
    let relay = seen.udp().is_some_and(|it| it.sport == SERVER_PORT);
    !relay && seen.asks().is_some_and(|it| it.giaddr.is_unspecified())
}

pub(super) fn source_zero(seen: &Seen, report: &mut Report) {
    let Some((bootp, ip)) = seen.is(&[DISCOVER, REQUEST]).zip(seen.ip()) else {
        return;
    };
    let without = bootp.ciaddr.is_unspecified();
    if direct(seen) && without && ip.dst == Ipv4Addr::BROADCAST && !ip.src.is_unspecified() {
        report.field("IP", "src", format!("{}, and ciaddr is 0.0.0.0", ip.src));
    }
}

pub(super) fn release_unicast(seen: &Seen, report: &mut Report) {
    if let (Some(_), Some(ip)) = (seen.is(&[RELEASE]), seen.ip())
        && direct(seen)
        && ip.dst == Ipv4Addr::BROADCAST
    {
        report.field("IP", "dst", "a RELEASE to everybody");
    }
}

pub(super) fn decline_broadcast(seen: &Seen, report: &mut Report) {
    if let (Some(_), Some(ip)) = (seen.is(&[DECLINE]), seen.ip())
        && direct(seen)
        && ip.dst != Ipv4Addr::BROADCAST
    {
        report.field("IP", "dst", format!("a DECLINE to {} alone", ip.dst));
    }
}

pub(super) fn release_fields(seen: &Seen, report: &mut Report) {
    let Some(bootp) = seen.is(&[RELEASE, DECLINE]).filter(|it| it.op == 1) else {
        return;
    };
    let kind = article(&name(seen));
    if bootp.secs != 0 {
        report.field("BOOTP", "secs", format!("{} in {kind}", bootp.secs));
    }
    if bootp.flags != 0 {
        report.field("BOOTP", "flags", format!("{:#06x} in {kind}", bootp.flags));
    }
    // Table 5 allows option 52 all the same, and with it the fields hold options.
    if seen.option(52).is_none() {
        unused(bootp, &kind, report);
    }
}

/// sname and file hold nothing.
fn unused(bootp: &Bootp, kind: &str, report: &mut Report) {
    for (field, bytes) in [("sname", &bootp.sname[..]), ("file", &bootp.file[..])] {
        if bytes.iter().any(|it| *it != 0) {
            report.field("BOOTP", field, format!("in use in {kind}"));
        }
    }
}

pub(super) fn max_size_option(seen: &Seen, report: &mut Report) {
    if let Some(&[a, b]) = seen.data(57)
        && seen.kind.is_some_and(template::from_client)
    {
        let size = u16::from_be_bytes([a, b]);
        if size < 576 {
            report.option(57, format!("{size}"));
        }
    }
}

pub(super) fn nak_fields(seen: &Seen, report: &mut Report) {
    let Some(bootp) = seen.is(&[NAK]) else {
        return;
    };
    let addresses = [
        ("ciaddr", bootp.ciaddr),
        ("yiaddr", bootp.yiaddr),
        ("siaddr", bootp.siaddr),
    ];
    for (field, ip) in addresses {
        if !ip.is_unspecified() {
            report.field("BOOTP", field, format!("{ip} in a NAK"));
        }
    }
    unused(bootp, "a NAK", report);
}

pub(super) fn nak_message(seen: &Seen, report: &mut Report) {
    if seen.is(&[NAK]).is_some() && seen.whole && seen.option(56).is_none() {
        report.option(
            56,
            format!(
                "{} is missing: the NAK does not say why",
                options::by_code(56).name
            ),
        );
    }
}
