//! Habits of ARP and of DECLINE.

use super::habits::Kind::*;
use super::habits::*;
use super::{ELSEWHERE, Row, SERVER, row};

pub const HABITS: &[Row] = &[
    row(
        "says nothing in ARP",
        || keeps_back(&[Probe, Announcement], |_, _| true),
        &["C-ACK-01 warn", "C-ACK-05 warn"],
    ),
    row(
        "does not probe",
        || keeps_back(&[Probe], |_, _| true),
        &["C-ACK-01 warn"],
    ),
    row(
        "probes with its address",
        || {
            says(&[Probe], |it, _| {
                let arp = it.arp_mut().expect("ARP");
                arp.psrc = ELSEWHERE.octets().to_vec();
            })
        },
        &["C-ACK-01 warn"],
    ),
    row(
        "probes once",
        || keeps_back(&[Probe], |_, seen| seen.probes > 1),
        &["C-ACK-02 warn"],
    ),
    row(
        "probes in a hurry",
        || {
            adds(&[Probe], |it, seen| {
                if seen.probes == 1 {
                    after(it, &[200, 400])
                } else {
                    Vec::new()
                }
            })
            .keeps_back(&[Probe], |_, seen| seen.probes > 1)
        },
        &["C-ACK-02 warn"],
    ),
    row(
        "does not announce itself",
        || keeps_back(&[Announcement], |_, _| true),
        &["C-ACK-05 warn"],
    ),
    row(
        "does not mind who else has its address",
        || deaf(&[Arp], |it, _| it.arp().is_some_and(|it| it.op == 2)),
        &["C-ACK-03 fail"],
    ),
    row(
        "does not decline",
        || keeps_back(&[Decline], |_, _| true),
        &["C-ACK-03 fail"],
    ),
    row(
        "declines without the address",
        || says(&[Decline], |it, _| strip(it, &[50])),
        &["C-DEC-01 fail"],
    ),
    row(
        "declines without the server",
        || says(&[Decline], |it, _| strip(it, &[54])),
        &["C-DEC-01 fail"],
    ),
    row(
        "declines with a ciaddr",
        || says(&[Decline], |it, _| bootp(it).ciaddr = ELSEWHERE),
        &["C-DEC-01 fail"],
    ),
    row(
        "declines to the server alone",
        || says(&[Decline], |it, _| ip(it).dst = SERVER),
        &["C-DEC-02 fail"],
    ),
    row(
        "declines with a request list",
        || says(&[Decline], |it, _| put(it, 55, &[1, 3])),
        &["C-DEC-03 fail"],
    ),
    row(
        "declines with secs",
        || says(&[Decline], |it, _| bootp(it).secs = 3),
        &["C-DEC-04 fail"],
    ),
    row(
        "declines with the broadcast flag",
        || says(&[Decline], |it, _| bootp(it).set_broadcast(true)),
        &["C-DEC-04 fail"],
    ),
    row(
        "declines without its identifier",
        || says(&[Decline], |it, _| strip(it, &[61])),
        &["C-DEC-05 fail"],
    ),
    row(
        "begins again at once after a DECLINE",
        || adds(&[Decline], |_, seen| after(&seen.discover, &[1_000])),
        &["C-ACK-04 warn"],
    ),
];
