//! Habits of the first message.

use std::net::Ipv4Addr;
use std::time::Duration;

use dhcpcraft::wire::*;

use super::habits::Kind::*;
use super::habits::*;
use super::{ANOTHER_MAC, ELSEWHERE, Row, SERVER, row};

pub const HABITS: &[Row] = &[
    row(
        "repeats its DISCOVER every three seconds",
        || {
            adds(&[Discover], |it, seen| again(it, seen, 3_000))
                .keeps_back(&[Discover], |_, seen| seen.tries > 2)
                .says(&[Discover, Selecting], |it, _| bootp(it).secs = 0)
        },
        &["C-DIS-07 fail", "C-DIS-15 warn"],
    ),
    row(
        "repeats its DISCOVER every three seconds, more or less",
        || {
            adds(&[Discover], |it, seen| match seen.tries {
                2 => after(it, &[3_000, 6_400, 9_100, 12_600, 15_200, 18_500, 21_400]),
                _ => Vec::new(),
            })
            .keeps_back(&[Discover], |_, seen| seen.tries > 2)
            .says(&[Discover, Selecting], |it, _| bootp(it).secs = 0)
        },
        &["C-DIS-07 fail", "C-DIS-15 warn"],
    ),
    row(
        "repeats its DISCOVER twice a second",
        || {
            adds(&[Discover], |it, seen| again(it, seen, 500))
                .keeps_back(&[Discover], |_, seen| seen.tries > 2)
                .says(&[Discover, Selecting], |it, _| bootp(it).secs = 0)
        },
        &["C-DIS-07 fail", "C-DIS-15 warn", "C-DIS-16 fail"],
    ),
    row(
        "never repeats its DISCOVER",
        || keeps_back(&[Discover], |_, seen| seen.tries > 1),
        &["C-DIS-07 fail", "C-DIS-15 warn"],
    ),
    row(
        "counts secs in milliseconds",
        || {
            says(&[Discover, Selecting], |it, _| {
                bootp(it).secs = bootp(it).secs.saturating_mul(1000)
            })
        },
        &["C-DIS-06 warn"],
    ),
    row(
        "says random secs",
        || says(&[Discover, Selecting], |it, _| bootp(it).secs = 777),
        &["C-DIS-06 warn"],
    ),
    row(
        "counts on in secs of the REQUEST",
        || {
            says(&[Selecting], |it, seen| {
                bootp(it).secs = (seen.now - seen.discovering).as_secs() as u16 + 1
            })
        },
        &["C-REQ-02 fail"],
    ),
    row(
        "wants broadcasts at the second try",
        || {
            says(&[Discover], |it, seen| {
                if seen.tries > 1 {
                    bootp(it).set_broadcast(true);
                }
            })
        },
        &["C-DIS-17 fail"],
    ),
    row(
        "sets hops",
        || says(&[Discover], |it, _| bootp(it).hops = 1),
        &["C-DIS-01 fail"],
    ),
    row(
        "has a ciaddr in the DISCOVER",
        || says(&[Discover], |it, _| bootp(it).ciaddr = ELSEWHERE),
        &["C-DIS-01 fail", "C-REN-05 fail", "C-REN-08 fail"],
    ),
    row(
        "has a yiaddr in the DISCOVER",
        || says(&[Discover], |it, _| bootp(it).yiaddr = ELSEWHERE),
        &["C-DIS-01 fail"],
    ),
    row(
        "has a siaddr in the DISCOVER",
        || says(&[Discover], |it, _| bootp(it).siaddr = ELSEWHERE),
        &["C-DIS-01 fail"],
    ),
    row(
        "has a giaddr in the DISCOVER",
        || says(&[Discover], |it, _| bootp(it).giaddr = ELSEWHERE),
        &["C-DIS-01 fail"],
    ),
    row(
        "sends a DISCOVER from an address",
        || says(&[Discover], |it, _| ip(it).src = ELSEWHERE),
        &["C-DIS-02 fail", "C-REN-05 fail"],
    ),
    row(
        "sends a DISCOVER to its network's broadcast address",
        || {
            says(&[Discover], |it, _| {
                ip(it).dst = Ipv4Addr::new(192, 0, 2, 255)
            })
        },
        &["C-DIS-02 fail"],
    ),
    row(
        "sends a DISCOVER from a port of its own",
        || says(&[Discover], |it, _| udp(it).sport = 6868),
        &["C-DIS-02 fail"],
    ),
    row(
        "sends a DISCOVER to the wrong port",
        || says(&[Discover], |it, _| udp(it).dport = 6767),
        &["C-DIS-02 fail"],
    ),
    row(
        "sends a DISCOVER to one machine",
        || says(&[Discover], |it, _| ether(it).dst = ANOTHER_MAC),
        &["C-DIS-02 fail"],
    ),
    row(
        "names a server in the DISCOVER",
        || says(&[Discover], |it, _| put(it, 54, &SERVER.octets())),
        &["C-DIS-03 fail"],
    ),
    row(
        "has another htype",
        || {
            says(&[Discover], |it, _| bootp(it).htype = 6)
                .hears(&[Offer, Ack], |it, _| bootp(it).htype = 1)
        },
        &["C-DIS-04 fail"],
    ),
    row(
        "has another hlen",
        || {
            says(&[Discover], |it, _| bootp(it).hlen = 16)
                .hears(&[Offer, Ack], |it, _| bootp(it).hlen = 6)
        },
        &["C-DIS-04 fail"],
    ),
    row(
        "has another chaddr than its own",
        || {
            says(ALL, |it, _| bootp(it).chaddr[0] ^= 0x80).hears(&[Offer, Ack, Nak], |it, seen| {
                let own = seen.said.bootp().expect("a message").chaddr;
                if bootp(it).chaddr[0] == own[0] ^ 0x80 {
                    bootp(it).chaddr = own;
                }
            })
        },
        &["C-DIS-04 fail"],
    ),
    row(
        "sets a reserved flag",
        || says(&[Discover, Selecting], |it, _| bootp(it).flags |= 1),
        &["C-DIS-05 fail"],
    ),
    row(
        "sets a reserved flag in the REQUEST",
        || says(&[Selecting], |it, _| bootp(it).flags |= 1),
        &["C-DIS-05 fail", "C-REQ-10 warn"],
    ),
    row(
        "begins at once",
        || waits(Duration::ZERO),
        &["C-DIS-08 warn"],
    ),
    row(
        "has one xid for ever",
        || {
            says(&[Discover, Selecting, Rebooting], |it, _| {
                bootp(it).xid = 0x1234
            })
            .hears(&[Offer, Ack, Nak], |it, seen| {
                if bootp(it).xid == 0x1234 {
                    any_xid(it, seen)
                }
            })
        },
        &["C-DIS-09 fail", "C-RBT-05 warn"],
    ),
    row(
        "takes the xid from its MAC address",
        || {
            says(&[Discover, Selecting, Rebooting], |it, _| {
                bootp(it).xid = 0x0200_5e10
            })
            .hears(&[Offer, Ack, Nak], |it, seen| {
                if bootp(it).xid == 0x0200_5e10 {
                    any_xid(it, seen)
                }
            })
        },
        &["C-DIS-09 fail", "C-RBT-05 warn"],
    ),
    row(
        "asks for less in the REQUEST",
        || says(REQUESTS, |it, _| put(it, 55, &[1, 3, 6])),
        &["C-DIS-10 fail"],
    ),
    row(
        "asks for nothing in the REQUEST",
        || says(REQUESTS, |it, _| strip(it, &[55])),
        &["C-DIS-10 fail"],
    ),
    row(
        "has no room for replies",
        || says(&[Discover, Selecting], |it, _| put(it, 57, &[1, 44])),
        &["C-DIS-11 fail"],
    ),
    row(
        "says its room in one byte",
        || says(&[Discover, Selecting], |it, _| put(it, 57, &[200])),
        &["C-DIS-11 fail"],
    ),
    row(
        "has no identifier in the REQUEST for an offer",
        || says(&[Selecting], |it, _| strip(it, &[61])),
        &[
            "C-DEC-05 fail",
            "C-DIS-12 fail",
            "C-RBT-06 fail",
            "C-REL-06 fail",
            "C-REN-13 fail",
        ],
    ),
    row(
        "has another identifier in the REQUEST for an offer",
        || says(&[Selecting], |it, _| put(it, 61, b"\0me")).hears(&[Ack, Nak], own_identifier),
        &[
            "C-DEC-05 fail",
            "C-DIS-12 fail",
            "C-RBT-06 fail",
            "C-REL-06 fail",
            "C-REN-13 fail",
        ],
    ),
    row(
        "has an empty identifier",
        || says(ALL, |it, _| put(it, 61, b"")).hears(&[Offer, Ack, Nak], own_identifier),
        &["C-DIS-13 fail"],
    ),
    row(
        "has an identifier of type 255 without a DUID",
        || says(ALL, |it, _| put(it, 61, b"\xffme")).hears(&[Offer, Ack, Nak], own_identifier),
        &["C-DIS-13 fail"],
    ),
    row(
        "has a wrong UDP checksum",
        || says(&[Discover], |it, _| udp(it).chksum = Auto::Set(0x1234)),
        &["C-DIS-18 fail"],
    ),
    row(
        "has a wrong UDP length",
        || says(&[Selecting], |it, _| udp(it).len = Auto::Set(300)),
        &["C-DIS-18 fail"],
    ),
    row(
        "has a wrong IP checksum",
        || says(&[Discover], |it, _| ip(it).chksum = Auto::Set(0x1234)),
        &["C-DIS-18 fail"],
    ),
    row(
        "does not pad",
        || {
            says(ALL, |it, _| {
                let all = options(it);
                it.dhcp_mut().expect("options").options.clear();
                set_options(it, &all);
            })
        },
        &["C-DIS-19 warn"],
    ),
    row(
        "does not end its options",
        || {
            says(ALL, |it, _| {
                for byte in &mut it.dhcp_mut().expect("options").options {
                    if *byte == END {
                        *byte = PAD;
                    }
                }
            })
        },
        &["C-DIS-20 fail"],
    ),
    row(
        "says its name twice",
        || {
            says(&[Discover, Selecting], |it, _| {
                put(it, 12, b"me");
                put(it, 81, b"\x04\0\0\x02me");
            })
        },
        &["C-DIS-21 fail"],
    ),
    row(
        "wants routers before routes",
        || {
            says(ALL, |it, _| {
                if data(it, 55).is_some() {
                    put(it, 55, &[1, 3, 121, 6, 15]);
                }
            })
        },
        &["C-DIS-22 fail"],
    ),
    row(
        "wants rapid commit in the REQUEST too",
        || says(&[Selecting], |it, _| put(it, 80, b"")),
        &["C-RCM-01 fail"],
    ),
    row(
        "lists rapid commit",
        || {
            says(&[Discover, Selecting, Renewing], |it, _| {
                put(it, 55, &[1, 3, 6, 80])
            })
        },
        &["C-RCM-01 fail"],
    ),
    row(
        "takes no rapid commit",
        || deaf(&[Ack], |it, _| data(it, 80).is_some()),
        &["C-RCM-02 warn"],
    ),
];
