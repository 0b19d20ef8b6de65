//! Habits of the REQUEST for an offer, and of what is made of its answer.

use dhcpcraft::wire::*;

use super::habits::Kind::*;
use super::habits::*;
use super::{ELSEWHERE, Row, SERVER, row};

pub const HABITS: &[Row] = &[
    // REQUEST for an offer.
    row(
        "names no server in the REQUEST",
        || says(&[Selecting], |it, _| strip(it, &[54])),
        &["C-OFR-06 fail", "C-OFR-27 fail", "C-REQ-01 fail"],
    ),
    row(
        "names another server in the REQUEST",
        || says(&[Selecting], |it, _| put(it, 54, &ELSEWHERE.octets())),
        &["C-OFR-06 fail", "C-OFR-27 fail", "C-REQ-01 fail"],
    ),
    row(
        "asks for no address",
        || says(&[Selecting], |it, _| strip(it, &[50])),
        &["C-OFR-06 fail", "C-REQ-01 fail"],
    ),
    row(
        "asks for another address",
        || says(&[Selecting], |it, _| put(it, 50, &ELSEWHERE.octets())),
        &["C-OFR-06 fail", "C-REQ-01 fail"],
    ),
    row(
        "has the offered address in ciaddr",
        || {
            says(&[Selecting], |it, seen| {
                bootp(it).ciaddr = given(&seen.offer)
            })
        },
        &["C-REQ-01 fail"],
    ),
    row(
        "sends the REQUEST for an offer to its server alone",
        || {
            says(&[Selecting], |it, seen| {
                ip(it).dst = SERVER;
                ether(it).dst = seen.offer.ether().expect("Ethernet").src;
            })
        },
        &["C-REQ-08 fail"],
    ),
    row(
        "sends the REQUEST from the offered address",
        || says(&[Selecting], |it, seen| ip(it).src = given(&seen.offer)),
        &["C-REQ-08 fail"],
    ),
    row(
        "sets hops in the REQUEST",
        || says(&[Selecting], |it, _| bootp(it).hops = 1),
        &["C-REQ-09 fail"],
    ),
    row(
        "has the offered address in yiaddr",
        || {
            says(&[Selecting], |it, seen| {
                bootp(it).yiaddr = given(&seen.offer)
            })
        },
        &["C-REQ-09 fail"],
    ),
    row(
        "has another xid in the REQUEST",
        || {
            says(&[Selecting], |it, _| bootp(it).xid ^= 0x0101_0101).hears(
                &[Ack, Nak],
                |it, seen| {
                    if seen
                        .said
                        .bootp()
                        .is_some_and(|said| bootp(it).xid == said.xid ^ 0x0101_0101)
                    {
                        bootp(it).xid ^= 0x0101_0101;
                    }
                },
            )
        },
        &["C-REQ-03 fail"],
    ),
    row(
        "wants broadcasts from the REQUEST on",
        || says(&[Selecting], |it, _| bootp(it).set_broadcast(true)),
        &["C-REQ-10 warn"],
    ),
    row(
        "never repeats its REQUEST",
        || keeps_back(&[Selecting], |_, seen| seen.tries > 1),
        &["C-REQ-04 fail"],
    ),
    row(
        "repeats its REQUEST every three seconds",
        || {
            adds(&[Selecting], |it, seen| again(it, seen, 3_000))
                .keeps_back(&[Selecting], |_, seen| seen.tries > 2)
        },
        &["C-REQ-11 fail"],
    ),
    row(
        "repeats its REQUEST twice a second",
        || {
            adds(&[Selecting], |it, seen| again(it, seen, 500))
                .keeps_back(&[Selecting], |_, seen| seen.tries > 2)
        },
        &["C-REQ-04 fail", "C-REQ-11 fail"],
    ),
    row(
        "never begins again without an answer to its REQUEST",
        || keeps_back(&[Discover], |_, seen| seen.asked_in_vain),
        &["C-REQ-12 fail"],
    ),
    row(
        "changes its mind for a later OFFER",
        || {
            says(&[Selecting], |it, seen| {
                if let Some(server) = data(&seen.offer, 54) {
                    put(it, 54, &server);
                }
            })
        },
        &["C-REQ-05 fail"],
    ),
    row(
        "asks both servers",
        || {
            answers(&[Offer], |it, seen| {
                if seen.said != seen.request {
                    return Vec::new();
                }
                let mut more = seen.request.clone();
                put(&mut more, 54, &data(it, 54).expect("a server"));
                put(&mut more, 50, &given(it).octets());
                after(&more, &[5])
            })
        },
        &["C-OFR-06 fail", "C-REQ-05 fail"],
    ),
    row(
        "asks one server for the other's address",
        || {
            answers(&[Offer], |it, seen| {
                if seen.said != seen.request {
                    return Vec::new();
                }
                let mut more = seen.request.clone();
                put(&mut more, 50, &given(it).octets());
                after(&more, &[5])
            })
        },
        &["C-OFR-06 fail"],
    ),
    // NAK.
    row(
        "does not hear a NAK",
        || deaf(&[Nak], |_, _| true),
        &["C-NAK-01 fail", "C-RBT-02 fail", "C-REN-08 fail"],
    ),
    row(
        "asks for the refused address",
        || {
            says(&[Discover], |it, seen| {
                if kind(&seen.nak) == Nak {
                    put(it, 50, &data(&seen.request, 50).unwrap_or_default());
                }
            })
        },
        &["C-NAK-02 warn"],
    ),
    row(
        "takes any xid for its own in a NAK",
        || hears(&[Nak], any_xid),
        &["C-NAK-03 fail"],
    ),
    row(
        "takes a NAK of any server",
        || {
            hears(&[Nak], |it, seen| {
                if let Some(server) = data(&seen.said, 54) {
                    put(it, 54, &server);
                }
            })
        },
        &["C-NAK-04 warn"],
    ),
    // ACK.
    row(
        "takes any xid for its own in an ACK",
        || hears(&[Ack], any_xid),
        &["C-ACK-13 fail", "C-REN-07 fail"],
    ),
    row(
        "takes any xid for its own in the ACK to a renewal",
        || {
            hears(&[Ack], |it, seen| {
                if kind(&seen.said) == Renewing {
                    any_xid(it, seen);
                }
            })
        },
        &["C-REN-07 fail"],
    ),
    row(
        "takes an ACK for another identifier",
        || hears(&[Ack], |it, _| strip(it, &[61])),
        &["C-ACK-14 fail"],
    ),
    row(
        "takes an ACK with a wrong checksum",
        || hears(&[Ack], |it, _| udp(it).chksum = Auto::Unset),
        &["C-ACK-15 fail"],
    ),
];
