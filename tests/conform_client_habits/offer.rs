//! Habits of the choice among OFFERs.

use dhcpcraft::wire::*;

use super::habits::Kind::*;
use super::habits::*;
use super::{ELSEWHERE, Row, row};

fn by_broadcast(it: &Frame) -> bool {
    it.ipv4().is_some_and(|it| it.dst.is_broadcast())
}

pub const HABITS: &[Row] = &[
    row(
        "takes any xid for its own in an OFFER",
        || hears(&[Offer], any_xid),
        &["C-OFR-01 fail"],
    ),
    row(
        "takes an ACK to a DISCOVER",
        || {
            hears(&[Ack], |it, seen| {
                if kind(&seen.said) == Discover {
                    put(it, 80, b"");
                }
            })
        },
        &["C-OFR-02 fail"],
    ),
    row(
        "takes an OFFER for another chaddr",
        || {
            hears(&[Offer], |it, seen| {
                bootp(it).chaddr = seen.said.bootp().expect("a message").chaddr;
            })
        },
        &["C-OFR-03 fail"],
    ),
    row(
        "takes an OFFER that names no server",
        || {
            hears(&[Offer], |it, _| {
                if data(it, 54).is_none() && data(it, 52).is_none() {
                    let sender = ip(it).src.octets();
                    put(it, 54, &sender);
                }
            })
        },
        &["C-OFR-04 fail"],
    ),
    row(
        "takes an OFFER for another identifier",
        || hears(&[Offer], |it, _| strip(it, &[61])),
        &["C-OFR-07 fail"],
    ),
    row(
        "takes no OFFER without its identifier",
        || deaf(&[Offer], |it, _| data(it, 61).is_none()),
        &["C-OFR-24 note"],
    ),
    row(
        "does not look into file",
        || deaf(&[Offer], |it, _| data(it, 52) == Some(vec![1])),
        &["C-OFR-08 fail"],
    ),
    row(
        "does not look into sname",
        || deaf(&[Offer], |it, _| data(it, 52) == Some(vec![2])),
        &["C-OFR-09 fail"],
    ),
    row(
        "takes OFFERs by broadcast alone",
        || deaf(&[Offer], |it, _| !by_broadcast(it)),
        &["C-OFR-10 fail"],
    ),
    row(
        "takes OFFERs by unicast alone",
        || deaf(&[Offer], |it, _| by_broadcast(it)),
        &["C-OFR-11 fail"],
    ),
    row(
        "takes no OFFER with unknown options",
        || {
            deaf(&[Offer], |it, _| {
                data(it, 224).is_some() && data(it, 43).is_none()
            })
        },
        &["C-OFR-13 fail"],
    ),
    row(
        "takes no OFFER of less than 300 bytes",
        || {
            deaf(&[Offer], |it, _| {
                it.ipv4().is_some_and(|it| it.len.or(0) < 328)
            })
        },
        &["C-OFR-14 warn"],
    ),
    row(
        "takes no OFFER with many options",
        || {
            deaf(&[Offer], |it, _| {
                it.dhcp().is_some_and(|it| it.options.len() > 300)
            })
        },
        &["C-OFR-25 fail"],
    ),
    row(
        "takes no OFFER through a relay agent",
        || {
            deaf(&[Offer], |it, _| {
                !it.bootp().expect("an OFFER").giaddr.is_unspecified()
            })
        },
        &["C-OFR-26 fail"],
    ),
    row(
        "names the sender of the OFFER as its server",
        || {
            hears(&[Offer], |it, _| {
                if data(it, 54).is_some() {
                    let sender = ip(it).src.octets();
                    put(it, 54, &sender);
                }
            })
        },
        &["C-OFR-27 fail"],
    ),
    row(
        "takes an OFFER with op 1",
        || hears(&[Offer], |it, _| bootp(it).op = 2),
        &["C-ROB-01 warn"],
    ),
    row(
        "takes an OFFER with another cookie",
        || {
            hears(&[Other], |it, _| {
                if let Some(Layer::Raw(raw)) = it.layers.get(4)
                    && raw.len() > 4
                {
                    let options = raw[4..].to_vec();
                    it.layers[4] = Dhcp {
                        options,
                        ..Dhcp::default()
                    }
                    .into();
                }
            })
        },
        &["C-ROB-02 note"],
    ),
    row(
        "goes deaf after an option that is too long",
        || deaf(&[Offer, Ack, Nak], |_, seen| seen.hurt),
        &["C-ROB-03 fail"],
    ),
    row(
        "takes an OFFER that is cut short",
        || {
            answers(&[Other], |it, seen| {
                if it.udp().is_none_or(|it| it.dport != 68) || it.bootp().is_some() {
                    return Vec::new();
                }
                let mut more = seen.discover.clone();
                put(&mut more, 53, &[3]);
                after(&more, &[5])
            })
        },
        &["C-ROB-06 fail"],
    ),
    row(
        "takes an OFFER of any address",
        || {
            hears(&[Offer], |it, _| {
                let ip = bootp(it).yiaddr;
                if ip.is_loopback() || ip.is_multicast() || ip.is_broadcast() || ip.is_unspecified()
                {
                    bootp(it).yiaddr = ELSEWHERE;
                }
            })
        },
        &["C-ROB-07 warn"],
    ),
    row(
        "takes an OFFER with a wrong checksum",
        || hears(&[Offer], |it, _| udp(it).chksum = Auto::Unset),
        &["C-ROB-08 fail"],
    ),
    row(
        "takes no OFFER without a checksum",
        || {
            deaf(&[Offer], |it, _| {
                it.udp().is_some_and(|it| it.chksum == Auto::Set(0))
            })
        },
        &["C-ROB-09 fail"],
    ),
    row(
        "takes an OFFER to another port",
        || hears(&[Offer], |it, _| udp(it).dport = 68),
        &["C-ROB-10 fail"],
    ),
    row(
        "heeds option 108 unasked",
        || deaf(&[Offer], |it, _| data(it, 108).is_some()),
        &["C-V6O-04 fail"],
    ),
    row(
        "asks for option 108 and does not heed it",
        || {
            says(ALL, |it, _| {
                if data(it, 55).is_some() {
                    put(it, 55, &[1, 121, 3, 6, 108]);
                }
            })
        },
        &["C-V6O-03 warn"],
    ),
];
