//! Habits of RELEASE, of a restart and of INFORM.

use std::net::Ipv4Addr;

use dhcpcraft::talk::Order;
use dhcpcraft::wire::*;

use super::habits::Kind::*;
use super::habits::*;
use super::{ELSEWHERE, Row, SERVER, row};

pub const HABITS: &[Row] = &[
    row(
        "releases without ciaddr",
        || says(&[Release], |it, _| bootp(it).ciaddr = Ipv4Addr::UNSPECIFIED),
        &["C-REL-01 fail"],
    ),
    row(
        "releases without the server",
        || says(&[Release], |it, _| strip(it, &[54])),
        &["C-REL-01 fail"],
    ),
    row(
        "releases by broadcast",
        || {
            says(&[Release], |it, _| {
                ip(it).dst = Ipv4Addr::BROADCAST;
                ether(it).dst = MacAddr::broadcast();
            })
        },
        &["C-REL-02 fail"],
    ),
    row(
        "releases from 0.0.0.0",
        || says(&[Release], |it, _| ip(it).src = Ipv4Addr::UNSPECIFIED),
        &["C-REL-03 fail"],
    ),
    row(
        "releases with the requested address",
        || says(&[Release], |it, _| put(it, 50, &ELSEWHERE.octets())),
        &["C-REL-04 fail"],
    ),
    row(
        "releases with a vendor class",
        || says(&[Release], |it, _| put(it, 60, b"us")),
        &["C-REL-04 fail"],
    ),
    row(
        "releases with secs",
        || says(&[Release], |it, _| bootp(it).secs = 3),
        &["C-REL-05 fail"],
    ),
    row(
        "releases with the broadcast flag",
        || says(&[Release], |it, _| bootp(it).set_broadcast(true)),
        &["C-REL-05 fail"],
    ),
    row(
        "releases without its identifier",
        || says(&[Release], |it, _| strip(it, &[61])),
        &["C-REL-06 fail"],
    ),
    row(
        "releases with another chaddr",
        || says(&[Release], |it, _| bootp(it).chaddr[5] ^= 1),
        &["C-REL-06 fail"],
    ),
    row(
        "keeps its address when it has released it",
        || {
            answers(&[Arp], |it, seen| match seen.order {
                Some(Order::Release) => keep(it, seen),
                _ => Vec::new(),
            })
        },
        &["C-REL-07 fail"],
    ),
    row(
        "names the server after a restart",
        || says(&[Rebooting], |it, _| put(it, 54, &SERVER.octets())),
        &["C-RBT-01 fail"],
    ),
    row(
        "has another address after a restart",
        || says(&[Rebooting], |it, _| put(it, 50, &ELSEWHERE.octets())),
        &["C-RBT-01 fail"],
    ),
    row(
        "has a ciaddr after a restart",
        || {
            says(&[Rebooting], |it, _| {
                let asked = data(it, 50).expect("an address");
                bootp(it).ciaddr = Ipv4Addr::from(<[u8; 4]>::try_from(asked).expect("an address"));
            })
        },
        &["C-RBT-01 fail"],
    ),
    row(
        "asks the server alone after a restart",
        || says(&[Rebooting], |it, _| ip(it).dst = SERVER),
        &["C-RBT-04 fail"],
    ),
    row(
        "has the old xid after a restart",
        || {
            says(&[Rebooting], |it, seen| {
                bootp(it).xid = seen.request.bootp().map_or(0, |it| it.xid)
            })
            .hears(&[Nak], |it, seen| {
                if kind(&seen.said) == Rebooting {
                    any_xid(it, seen)
                }
            })
        },
        &["C-RBT-05 warn"],
    ),
    row(
        "has another identifier after a restart",
        || says(&[Rebooting], |it, _| put(it, 61, b"\0me")).hears(&[Nak], own_identifier),
        &["C-RBT-06 fail"],
    ),
    row(
        "does not hear a NAK after a restart",
        || deaf(&[Nak], |_, seen| kind(&seen.said) == Rebooting),
        &["C-RBT-02 fail"],
    ),
    row(
        "forgets its lease",
        || configured(|it| it.remembered = None),
        &["C-RBT-03 note"],
    ),
    row(
        "has no ciaddr in the INFORM",
        || says(&[Inform], |it, _| bootp(it).ciaddr = Ipv4Addr::UNSPECIFIED),
        &["C-INF-01 fail"],
    ),
    row(
        "sends the INFORM from 0.0.0.0",
        || says(&[Inform], |it, _| ip(it).src = Ipv4Addr::UNSPECIFIED),
        &["C-INF-01 fail"],
    ),
    row(
        "asks for a lease in the INFORM",
        || says(&[Inform], |it, _| put(it, 51, &[0, 0, 14, 16])),
        &["C-INF-02 fail"],
    ),
    row(
        "asks for lease times in the INFORM",
        || says(&[Inform], |it, _| put(it, 55, &[1, 3, 51])),
        &["C-INF-03 warn"],
    ),
    row(
        "repeats an INFORM that was answered",
        || adds(&[Inform], |it, _| after(it, &[3_000])),
        &["C-INF-04 fail"],
    ),
    row(
        "goes on with a REQUEST after its INFORM",
        || adds(&[Inform], |_, seen| after(&seen.request, &[2_000])),
        &["C-INF-04 fail"],
    ),
];
