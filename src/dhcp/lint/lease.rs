//! What is leased: times, and addresses against masks.

use std::net::Ipv4Addr;

use super::Report;
use super::seen::Seen;
use crate::dhcp::enums::*;
use crate::dhcp::timers::INFINITE;

pub(super) fn times_order(seen: &Seen, report: &mut Report) {
    let Some(_) = seen.is(&[OFFER, ACK]) else {
        return;
    };
    let (lease, t1, t2) = (seen.seconds(51), seen.seconds(58), seen.seconds(59));
    let endless = lease == Some(INFINITE);
    match (t1, t2, lease) {
        (Some(t1), Some(t2), _) if t1 >= t2 && !(endless && t1 == INFINITE) => {
            report.option(58, format!("T1 is {t1} s, T2 is {t2} s"));
        }
        (_, Some(t2), Some(lease)) if t2 >= lease && !endless => {
            report.option(59, format!("T2 is {t2} s, the lease {lease} s"));
        }
        (Some(t1), None, Some(lease)) if t1 >= lease && !endless => {
            report.option(58, format!("T1 is {t1} s, the lease {lease} s"));
        }
        _ => {}
    }
}

/// An address that is given to the client.
fn given(seen: &Seen) -> Option<Ipv4Addr> {
    let bootp = seen.is(&[OFFER, ACK])?;
    Some(bootp.yiaddr).filter(|it| !it.is_unspecified())
}

pub(super) fn mask_shape(seen: &Seen, report: &mut Report) {
    if let Some(mask) = seen.address(1)
        && seen.mask().is_none()
    {
        report.option(1, mask.to_string());
    }
}

pub(super) fn host_address(seen: &Seen, report: &mut Report) {
    let Some(ip) = given(seen) else {
        return;
    };
    let first = ip.octets()[0];
    if first == 0 || first == 127 || first >= 224 {
        return report.field("BOOTP", "yiaddr", ip.to_string());
    }
    if let Some((mask, bits @ 1..=30)) = seen.mask() {
        let host = u32::from(ip) & !mask;
        let what = match host {
            0 => "network",
            _ if host == !mask => "broadcast",
            _ => return,
        };
        report.field(
            "BOOTP",
            "yiaddr",
            format!("{ip} is the {what} address of its /{bits}"),
        );
    }
}

/// Whether two addresses lie in one subnet.
fn same(mask: u32, one: Ipv4Addr, other: Ipv4Addr) -> bool {
    u32::from(one) & mask == u32::from(other) & mask
}

pub(super) fn router_subnet(seen: &Seen, report: &mut Report) {
    let (Some(ip), Some((mask, bits @ 1..=31))) = (given(seen), seen.mask()) else {
        return;
    };
    let outside: Vec<String> = seen
        .addresses(3)
        .filter(|router| !same(mask, *router, ip))
        .map(|router| router.to_string())
        .take(4)
        .collect();
    if !outside.is_empty() {
        report.option(3, format!("{} for {ip}/{bits}", outside.join(", ")));
    }
}

pub(super) fn broadcast_address(seen: &Seen, report: &mut Report) {
    let (Some(ip), Some((mask, bits @ 1..=30))) = (given(seen), seen.mask()) else {
        return;
    };
    let Some(broadcast) = seen.address(28).filter(|it| *it != Ipv4Addr::BROADCAST) else {
        return;
    };
    let subnet = u32::from(ip) & mask;
    // All zeros is the older form.
    if ![subnet, subnet | !mask].contains(&u32::from(broadcast)) {
        report.option(28, format!("{broadcast} for {ip}/{bits}"));
    }
}

pub(super) fn offer_server_subnet(seen: &Seen, report: &mut Report) {
    let (Some(bootp), Some(server)) = (seen.is(&[OFFER]), seen.address(54)) else {
        return;
    };
    let (Some(ip), Some((mask, bits))) = (given(seen), seen.mask()) else {
        return;
    };
    if bootp.giaddr.is_unspecified() && bits < 32 && !same(mask, ip, server) {
        report.field(
            "BOOTP",
            "yiaddr",
            format!("{ip}/{bits} from server {server}"),
        );
    }
}

pub(super) fn offer_relay_subnet(seen: &Seen, report: &mut Report) {
    let Some(bootp) = seen.is(&[OFFER]).filter(|it| !it.giaddr.is_unspecified()) else {
        return;
    };
    let (Some(ip), Some((mask, bits))) = (given(seen), seen.mask()) else {
        return;
    };
    // The relay agent or the client may have asked for another subnet (RFC 3527, RFC 3011).
    let elsewhere = seen.option(118).is_some()
        || seen
            .data(82)
            .is_some_and(|it| crate::wire::Options::new(it).any(|it| it.code == 5));
    if bits < 32 && !elsewhere && !same(mask, ip, bootp.giaddr) {
        report.field(
            "BOOTP",
            "yiaddr",
            format!("{ip}/{bits} through {}", bootp.giaddr),
        );
    }
}
