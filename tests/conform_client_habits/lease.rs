//! Habits of the life of a lease.

use std::net::Ipv4Addr;
use std::time::Duration;

use dhcpcraft::wire::*;

use super::habits::Kind::*;
use super::habits::*;
use super::{ELSEWHERE, Row, SERVER, row};

/// A message ten times a second, for two seconds.
fn storm(it: &Frame) -> Vec<(Duration, Frame)> {
    let times: Vec<u64> = (1..=20).map(|it| it * 100).collect();
    after(it, &times)
}

pub const HABITS: &[Row] = &[
    row(
        "names the address in the option when it renews",
        || {
            says(&[Renewing], |it, _| {
                let held = bootp(it).ciaddr.octets();
                put(it, 50, &held);
            })
        },
        &["C-REN-01 fail"],
    ),
    row(
        "names the server when it renews",
        || says(&[Renewing], |it, _| put(it, 54, &SERVER.octets())),
        &["C-REN-01 fail"],
    ),
    row(
        "renews with another ciaddr",
        || says(&[Renewing], |it, _| bootp(it).ciaddr = ELSEWHERE),
        &["C-REN-01 fail"],
    ),
    row(
        "renews by broadcast",
        || {
            says(&[Renewing], |it, _| {
                ip(it).dst = Ipv4Addr::BROADCAST;
                ether(it).dst = MacAddr::broadcast();
            })
        },
        &["C-REN-03 warn", "C-REN-11 fail", "C-REN-15 warn"],
    ),
    row(
        "renews from 0.0.0.0",
        || says(&[Renewing], |it, _| ip(it).src = Ipv4Addr::UNSPECIFIED),
        &["C-REN-11 fail"],
    ),
    row(
        "renews in a broadcast frame",
        || says(&[Renewing], |it, _| ether(it).dst = MacAddr::broadcast()),
        &["C-REN-11 fail"],
    ),
    row(
        "does not renew",
        || keeps_back(&[Renewing], |_, _| true),
        &["C-REN-03 warn", "C-REN-11 fail"],
    ),
    row(
        "does not heed T1",
        || {
            hears(&[Ack], |it, _| {
                if number(it, 58) == Some(10) {
                    put(it, 58, &18u32.to_be_bytes());
                }
            })
        },
        &["C-REN-12 warn"],
    ),
    row(
        "renews early, as it may",
        || {
            hears(&[Ack], |it, _| {
                if number(it, 51) == Some(40) {
                    put(it, 58, &4u32.to_be_bytes());
                }
            })
        },
        &[],
    ),
    row(
        "has no identifier when it renews",
        || says(&[Renewing], |it, _| strip(it, &[61])),
        &["C-REN-13 fail"],
    ),
    row(
        "has another chaddr when it renews",
        || {
            says(&[Renewing], |it, _| bootp(it).chaddr[5] ^= 1).hears(&[Ack, Nak], |it, seen| {
                let own = seen.said.bootp().expect("a message").chaddr;
                if bootp(it).chaddr[5] == own[5] ^ 1 {
                    bootp(it).chaddr = own;
                }
            })
        },
        &["C-REN-13 fail"],
    ),
    row(
        "asks for less when it renews",
        || says(&[Renewing], |it, _| put(it, 55, &[1, 3])),
        &["C-REN-14 fail"],
    ),
    row(
        "repeats a renewal every two seconds",
        || {
            adds(&[Renewing], |it, seen| match number(&seen.ack, 51) {
                Some(40) => after(it, &[2_000, 4_000]),
                _ => Vec::new(),
            })
        },
        &["C-REN-04 warn"],
    ),
    row(
        "does not rebind",
        || keeps_back(&[Rebinding], |_, _| true),
        &["C-REN-02 fail"],
    ),
    row(
        "rebinds with the address in the option",
        || {
            says(&[Rebinding], |it, _| {
                let held = bootp(it).ciaddr.octets();
                put(it, 50, &held);
            })
        },
        &["C-REN-02 fail"],
    ),
    row(
        "rebinds with the server's name",
        || says(&[Rebinding], |it, _| put(it, 54, &SERVER.octets())),
        &["C-REN-02 fail"],
    ),
    row(
        "rebinds with another ciaddr",
        || says(&[Rebinding], |it, _| bootp(it).ciaddr = ELSEWHERE),
        &["C-REN-02 fail"],
    ),
    row(
        "rebinds late",
        || {
            hears(&[Ack], |it, _| {
                if number(it, 59) == Some(20) {
                    put(it, 59, &30u32.to_be_bytes());
                }
            })
        },
        &["C-REN-15 warn"],
    ),
    row(
        "rebinds early",
        || {
            hears(&[Ack], |it, _| {
                if number(it, 59) == Some(20) {
                    put(it, 59, &14u32.to_be_bytes());
                }
            })
        },
        &["C-REN-15 warn"],
    ),
    row(
        "keeps its lease for ever",
        || {
            hears(&[Ack], |it, _| {
                if number(it, 59) == Some(20) {
                    put(it, 51, &0x1_0000u32.to_be_bytes());
                }
            })
        },
        &["C-REN-05 fail", "C-REN-16 fail"],
    ),
    row(
        "keeps its address when the lease is over",
        || answers(&[Arp], keep),
        &["C-REL-07 fail", "C-REN-16 fail", "C-REN-18 fail"],
    ),
    row(
        "begins again with a ciaddr",
        || says(&[Discover], |it, seen| bootp(it).ciaddr = given(&seen.ack)),
        &["C-REN-05 fail", "C-REN-08 fail"],
    ),
    row(
        "renews after three quarters",
        || {
            hears(&[Ack], |it, _| {
                if data(it, 58).is_none() {
                    let lease = number(it, 51).unwrap_or(0);
                    put(it, 58, &(lease / 4 * 3).to_be_bytes());
                }
            })
        },
        &[],
    ),
    row(
        "heeds the lease time of the OFFER",
        || {
            hears(&[Ack], |it, seen| {
                if number(it, 51) == Some(20) && data(it, 58).is_none() {
                    put(it, 51, &data(&seen.offer, 51).expect("a lease time"));
                }
            })
        },
        &["C-ACK-06 warn", "C-REN-03 warn"],
    ),
    row(
        "is not helped by a renewal",
        || deaf(&[Ack], |_, seen| kind(&seen.said) == Renewing),
        &["C-REN-17 fail"],
    ),
    row(
        "does not hear a NAK to a renewal",
        || deaf(&[Nak], |_, seen| kind(&seen.said) == Renewing),
        &["C-REN-08 fail"],
    ),
    row(
        "keeps its address when it is refused",
        || {
            answers(&[Arp], |it, seen| match kind(&seen.nak) {
                Nak => keep(it, seen),
                _ => Vec::new(),
            })
        },
        &["C-REN-18 fail"],
    ),
    row(
        "lets its lease end where T1 is behind it",
        || {
            keeps_back(HOLDING, |_, seen| {
                number(&seen.ack, 58) >= number(&seen.ack, 51)
            })
        },
        &["C-REN-06 fail"],
    ),
    row(
        "takes an endless lease for one of an hour",
        || {
            hears(&[Ack], |it, _| {
                if number(it, 51) == Some(u32::MAX) {
                    put(it, 51, &3600u32.to_be_bytes());
                }
            })
        },
        &["C-REN-09 fail"],
    ),
    row(
        "renews with who sent the ACK",
        || {
            says(&[Renewing], |it, seen| {
                ip(it).dst = seen.ack.ipv4().expect("IPv4").src
            })
        },
        &["C-REN-10 fail"],
    ),
    row(
        "storms at the end of a short lease",
        || {
            answers(&[Ack], |it, seen| match number(it, 51) {
                Some(2) => storm(&seen.discover),
                _ => Vec::new(),
            })
        },
        &["C-ROB-04 warn"],
    ),
    row(
        "storms without a lease",
        || {
            answers(&[Ack], |it, seen| match number(it, 51) {
                Some(0) => storm(&seen.discover),
                _ => Vec::new(),
            })
        },
        &["C-ROB-05 warn"],
    ),
    row(
        "obeys a FORCERENEW",
        || answers(&[ForceRenew], |_, seen| after(&seen.request, &[100])),
        &["C-FRN-01 fail"],
    ),
];
