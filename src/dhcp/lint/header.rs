//! Lengths, checksums, and the fields of the headers.

use super::Report;
use super::seen::Seen;
use crate::dhcp::template::MIN_MESSAGE;
use crate::wire::*;

/// Each layer with what its computed fields should hold.
fn layers<'a>(seen: &'a Seen) -> impl Iterator<Item = (&'a Layer, &'a Computed)> {
    seen.frame.layers.iter().zip(&seen.computed)
}

pub(super) fn ip_length(seen: &Seen, report: &mut Report) {
    for (layer, it) in layers(seen).filter(|_| seen.whole) {
        if let Layer::Ipv4(ip) = layer
            && let Auto::Set(len) = ip.len
            && len != it.len
        {
            report.field(
                "IP",
                "len",
                format!("{len}, and {} bytes are there", it.len),
            );
        }
    }
}

pub(super) fn udp_length(seen: &Seen, report: &mut Report) {
    for (layer, it) in layers(seen).filter(|_| seen.whole) {
        if let Layer::Udp(udp) = layer
            && let Auto::Set(len) = udp.len
            && len != it.len
        {
            report.field(
                "UDP",
                "len",
                format!("{len}, and {} bytes are there", it.len),
            );
        }
    }
}

/// The first IP checksum that is wrong: what it is, and what it should be.
fn wrong_ip_sum(seen: &Seen) -> Option<(u16, u16)> {
    layers(seen).find_map(|(layer, it)| match layer {
        Layer::Ipv4(ip) if ip.ihl.get().is_none_or(|it| it >= 5) => {
            let is = ip.chksum.get()?;
            (is != it.chksum).then_some((is, it.chksum))
        }
        _ => None,
    })
}

pub(super) fn ip_checksum(seen: &Seen, report: &mut Report) {
    if let Some((is @ 1.., should)) = wrong_ip_sum(seen) {
        report.field(
            "IP",
            "chksum",
            format!("{is:#06x}, should be {should:#06x}"),
        );
    }
}

/// The UDP checksum, where it is wrong: what it is, what it should be, and whether it is the sum over
/// the pseudo-header that a kernel leaves for the network card to finish.
fn wrong_sum(seen: &Seen) -> Option<(u16, u16, bool)> {
    let (udp, ip) = (seen.udp()?, seen.ip()?);
    let (_, it) = layers(seen).find(|it| matches!(it.0, Layer::Udp(_)))?;
    let is = udp.chksum.get()?;
    if !seen.whole || is == 0 || is == it.chksum {
        return None;
    }
    let left = ip.pseudo_header_sum(udp.len.or(it.len));
    Some((is, it.chksum, seen.unfinished || is == left))
}

pub(super) fn udp_checksum(seen: &Seen, report: &mut Report) {
    if let Some((is, should, false)) = wrong_sum(seen) {
        report.field(
            "UDP",
            "chksum",
            format!("{is:#06x}, should be {should:#06x}"),
        );
    }
}

pub(super) fn checksum_unfinished(seen: &Seen, report: &mut Report) {
    if let Some((0, should)) = wrong_ip_sum(seen) {
        let found = format!("0, left to the network card to finish as {should:#06x}");
        report.field("IP", "chksum", found);
    }
    if let Some((is, should, true)) = wrong_sum(seen) {
        let found = format!("{is:#06x}, left to the network card to finish as {should:#06x}");
        report.field("UDP", "chksum", found);
    }
}

/// Whether the frame goes between the ports of DHCP.
fn on_its_ports(seen: &Seen) -> bool {
    let ports = seen.udp().map(|it| [it.sport, it.dport]);
    ports.is_some_and(|it| it.contains(&SERVER_PORT) || it.contains(&CLIENT_PORT))
}

pub(super) fn bootp_cut_short(seen: &Seen, report: &mut Report) {
    if seen.whole && on_its_ports(seen) && seen.message.is_none() {
        let at = seen.layer_at("UDP").unwrap_or_default() + 8;
        let len = seen.frame.raw().map_or(0, <[u8]>::len);
        report.bytes("BOOTP", at, format!("{len} bytes of 236"));
    }
}

pub(super) fn minimum_size(seen: &Seen, report: &mut Report) {
    let len = seen.message_len();
    if seen.whole && seen.message.is_some() && len < MIN_MESSAGE {
        report.field("UDP", "len", format!("a message of {len} bytes"));
    }
}

pub(super) fn magic_cookie(seen: &Seen, report: &mut Report) {
    let Some(message) = seen.message.filter(|_| seen.whole) else {
        return;
    };
    let (Some(start), None) = (seen.layer_at("BOOTP"), message.dhcp) else {
        return;
    };
    let rest = seen.frame.raw().unwrap_or_default();
    // A vendor field that is not in use holds zeros (RFC 951 section 3).
    if rest.iter().any(|it| *it != 0) {
        let found = hex::encode(rest.get(..4).unwrap_or(rest));
        report.bytes("DHCP.cookie", start + BOOTP_LEN, found);
    }
}

pub(super) fn op_code(seen: &Seen, report: &mut Report) {
    if let Some(op) = seen
        .bootp()
        .map(|it| it.op)
        .filter(|it| !matches!(it, 1 | 2))
    {
        report.field("BOOTP", "op", op.to_string());
    }
}

pub(super) fn hardware_length(seen: &Seen, report: &mut Report) {
    let Some(bootp) = seen.bootp() else {
        return;
    };
    match (bootp.htype, bootp.hlen) {
        (_, hlen @ 17..) => {
            report.field("BOOTP", "hlen", format!("{hlen}, and chaddr has 16 bytes"))
        }
        (1, 6) => {}
        (1, hlen) => {
            report.field(
                "BOOTP",
                "hlen",
                format!("{hlen} for an Ethernet address of 6 bytes"),
            );
        }
        _ => {}
    }
}

pub(super) fn reserved_flags(seen: &Seen, report: &mut Report) {
    if let Some(bootp) = seen.bootp().filter(|it| it.op == 1)
        && bootp.flags & !Bootp::BROADCAST != 0
    {
        report.field("BOOTP", "flags", format!("{:#06x}", bootp.flags));
    }
}

pub(super) fn hops(seen: &Seen, report: &mut Report) {
    let Some(bootp) = seen.bootp().filter(|it| it.op == 1) else {
        return;
    };
    match (bootp.hops, bootp.giaddr.is_unspecified()) {
        (hops @ 17.., _) => report.field("BOOTP", "hops", hops.to_string()),
        (0, _) | (_, false) => {}
        (hops, true) => {
            let found = format!("{hops}, and no relay agent left its address in giaddr");
            report.field("BOOTP", "hops", found);
        }
    }
}

pub(super) fn ports(seen: &Seen, report: &mut Report) {
    let (Some(udp), Some(bootp)) = (seen.udp(), seen.bootp()) else {
        return;
    };
    let ports = [udp.sport, udp.dport];
    // PXE's boot servers have a port of their own; a relay agent may name another (RFC 8357).
    let own_port = seen.data(82).is_some_and(|it| {
        let subs = Options::new(it);
        subs.into_iter().any(|it| it.code == 19)
    });
    if ports.contains(&PXE_PORT) || own_port {
        return;
    }
    match bootp.op {
        1 if udp.dport != SERVER_PORT => {
            report.field("UDP", "dport", format!("{} of a BOOTREQUEST", udp.dport));
        }
        2 if !matches!(udp.dport, SERVER_PORT | CLIENT_PORT) => {
            report.field("UDP", "dport", format!("{} of a BOOTREPLY", udp.dport));
        }
        2 if udp.dport == SERVER_PORT && bootp.giaddr.is_unspecified() => {
            report.field("UDP", "dport", "67 of a reply that goes to no relay agent");
        }
        2 if udp.sport != SERVER_PORT => {
            report.field("UDP", "sport", format!("{} of a BOOTREPLY", udp.sport));
        }
        _ => {}
    }
}

pub(super) fn op_and_type(seen: &Seen, report: &mut Report) {
    let (Some(kind), Some(bootp)) = (seen.kind, seen.bootp()) else {
        return;
    };
    let Some(name) = crate::dhcp::enums::message_type_name(kind) else {
        return;
    };
    let should = match crate::dhcp::template::from_client(kind) {
        true => 1,
        false => 2,
    };
    if matches!(bootp.op, 1 | 2) && bootp.op != should {
        let name = name.to_ascii_uppercase();
        report.field(
            "BOOTP",
            "op",
            format!("{} in a message of type {name}", bootp.op),
        );
    }
}
