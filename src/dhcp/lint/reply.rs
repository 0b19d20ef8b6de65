//! What a server's reply says by itself: its fields, and where it goes.

use std::net::Ipv4Addr;

use super::Report;
use super::seen::Seen;
use crate::dhcp::enums::*;
use crate::wire::{Bootp, CLIENT_PORT, SERVER_PORT};

pub(super) fn hops_zero(seen: &Seen, report: &mut Report) {
    if let Some(bootp) = seen.replies().filter(|it| it.hops != 0) {
        report.field("BOOTP", "hops", bootp.hops.to_string());
    }
}

pub(super) fn secs_zero(seen: &Seen, report: &mut Report) {
    if let Some(bootp) = seen.replies().filter(|it| it.secs != 0) {
        report.field("BOOTP", "secs", bootp.secs.to_string());
    }
}

pub(super) fn offer_ciaddr(seen: &Seen, report: &mut Report) {
    if let Some(bootp) = seen.is(&[OFFER]).filter(|it| !it.ciaddr.is_unspecified()) {
        report.field("BOOTP", "ciaddr", format!("{} in an OFFER", bootp.ciaddr));
    }
}

pub(super) fn offer_address(seen: &Seen, report: &mut Report) {
    // A server may offer no address and say what to do without one: 116 of RFC 2563, 108 of RFC 8925 section 3.3.
    let none = seen.is(&[OFFER]).filter(|it| it.yiaddr.is_unspecified());
    let without = seen.option(116).or(seen.option(108)).is_some();
    if none.is_some() && !without && !seen.boot_server() {
        report.field("BOOTP", "yiaddr", "0.0.0.0: nothing is offered");
    }
}

pub(super) fn server_id_address(seen: &Seen, report: &mut Report) {
    if let Some(ip) = seen.address(54)
        && (ip.is_unspecified() || ip.is_broadcast() || ip.is_multicast() || ip.is_loopback())
    {
        report.option(54, ip.to_string());
    }
}

/// A reply that goes to the client without a relay agent.
fn direct<'a>(seen: &Seen<'a>) -> Option<&'a Bootp> {
    seen.replies().filter(|it| it.giaddr.is_unspecified())
}

pub(super) fn server_id_source(seen: &Seen, report: &mut Report) {
    if let (Some(_), Some(ip), Some(server)) = (direct(seen), seen.ip(), seen.address(54))
        && ip.src != server
    {
        report.option(54, format!("{server} in a reply from {}", ip.src));
    }
}

pub(super) fn offer_delivery(seen: &Seen, report: &mut Report) {
    let Some((bootp, ip)) = direct(seen).zip(seen.ip()) else {
        return;
    };
    let offer = seen.kind == Some(OFFER) && bootp.ciaddr.is_unspecified();
    if offer && bootp.broadcast() && ip.dst != Ipv4Addr::BROADCAST {
        report.field(
            "IP",
            "dst",
            format!("{}, and the broadcast flag is set", ip.dst),
        );
    }
    let given = !bootp.yiaddr.is_unspecified() && ip.dst != bootp.yiaddr;
    if offer && !bootp.broadcast() && given && ip.dst != Ipv4Addr::BROADCAST {
        report.field(
            "IP",
            "dst",
            format!("{}, and yiaddr is {}", ip.dst, bootp.yiaddr),
        );
    }
}

pub(super) fn nak_broadcast(seen: &Seen, report: &mut Report) {
    if let (Some(_), Some(ip)) = (direct(seen), seen.ip())
        && seen.kind == Some(NAK)
        && ip.dst != Ipv4Addr::BROADCAST
    {
        report.field("IP", "dst", format!("{} alone", ip.dst));
    }
}

/// A reply on its way from the server to a relay agent.
fn to_relay<'a>(seen: &Seen<'a>) -> Option<&'a Bootp> {
    let bootp = seen.replies()?;
    let there = seen.udp().is_some_and(|it| it.dport == SERVER_PORT);
    (there && !bootp.giaddr.is_unspecified()).then_some(bootp)
}

pub(super) fn nak_relay_flag(seen: &Seen, report: &mut Report) {
    if let Some(bootp) = to_relay(seen)
        && seen.kind == Some(NAK)
        && !bootp.broadcast()
    {
        report.field(
            "BOOTP",
            "flags",
            "the broadcast bit is clear in a NAK to a relay agent",
        );
    }
}

pub(super) fn relay_delivery(seen: &Seen, report: &mut Report) {
    if let (Some(bootp), Some(ip)) = (to_relay(seen), seen.ip())
        && ip.dst != bootp.giaddr
    {
        report.field(
            "IP",
            "dst",
            format!("{}, and giaddr is {}", ip.dst, bootp.giaddr),
        );
    }
}

/// Whether the reply is on its last leg, from a relay agent to the client.
pub(super) fn from_relay(seen: &Seen) -> bool {
    let there = seen.udp().is_some_and(|it| it.dport == CLIENT_PORT);
    there && seen.replies().is_some_and(|it| !it.giaddr.is_unspecified())
}
