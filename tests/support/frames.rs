//! Strategies for frames that are nearly valid.

use std::net::Ipv4Addr;

use dhcpcraft::wire::*;
use proptest::collection::vec;
use proptest::prelude::*;

fn auto<T: Copy + std::fmt::Debug>(
    strategy: impl Strategy<Value = T>,
) -> impl Strategy<Value = Auto<T>> {
    prop_oneof![3 => Just(()).prop_map(|()| None), 1 => strategy.prop_map(Some)]
        .prop_map(|it| it.map_or(Auto::Unset, Auto::Set))
}

fn mac() -> impl Strategy<Value = MacAddr> {
    any::<[u8; 6]>().prop_map(MacAddr::from)
}

fn ip() -> impl Strategy<Value = Ipv4Addr> {
    any::<u32>().prop_map(Ipv4Addr::from)
}

fn ethertypes() -> impl Strategy<Value = u16> {
    prop_oneof![
        Just(0x0800),
        Just(0x0806),
        Just(0x8100),
        Just(0x88a8),
        Just(0x9100),
        any::<u16>()
    ]
}

/// An option stream: mostly whole options, with pads, ends, and tails that stop too early.
pub fn stream() -> impl Strategy<Value = Vec<u8>> {
    let item = prop_oneof![
        6 => (any::<u8>(), vec(any::<u8>(), 0..600)).prop_map(|(code, data)| {
            let mut out = Vec::new();
            push_option(&mut out, code, &data);
            out
        }),
        1 => Just(vec![PAD]),
        1 => Just(vec![END]),
        1 => vec(any::<u8>(), 0..8),
    ];
    vec(item, 0..8).prop_map(|items| items.concat())
}

fn ipv4() -> impl Strategy<Value = Ipv4> {
    (
        (
            auto(0u8..16),
            any::<u8>(),
            auto(0u16..900),
            any::<u16>(),
            0u8..8,
        ),
        prop_oneof![4 => Just(0u16), 1 => 0u16..0x2000],
        (
            auto(prop_oneof![Just(17u8), Just(1), any::<u8>()]),
            auto(any::<u16>()),
        ),
        (ip(), ip(), vec(any::<u8>(), 0..41)),
    )
        .prop_map(
            |((ihl, tos, len, id, flags), frag, (proto, chksum), (src, dst, options))| Ipv4 {
                ihl,
                tos,
                len,
                id,
                flags,
                frag,
                proto,
                chksum,
                src,
                dst,
                options,
                ..Ipv4::default()
            },
        )
}

fn udp() -> impl Strategy<Value = Udp> {
    let port = || prop_oneof![Just(67u16), Just(68), Just(4011), any::<u16>()];
    (port(), port(), auto(0u16..900), auto(any::<u16>())).prop_map(|(sport, dport, len, chksum)| {
        Udp {
            sport,
            dport,
            len,
            chksum,
        }
    })
}

fn bootp() -> impl Strategy<Value = Bootp> {
    (
        any::<[u8; 4]>(),
        any::<(u32, u16, u16)>(),
        any::<[u32; 4]>(),
        any::<[u8; 16]>(),
        vec(any::<u8>(), 192),
    )
        .prop_map(
            |([op, htype, hlen, hops], (xid, secs, flags), ips, chaddr, names)| {
                let [ciaddr, yiaddr, siaddr, giaddr] = ips.map(Ipv4Addr::from);
                let mut it = Bootp {
                    op,
                    htype,
                    hlen,
                    hops,
                    xid,
                    secs,
                    flags,
                    ciaddr,
                    yiaddr,
                    siaddr,
                    giaddr,
                    chaddr,
                    ..Bootp::default()
                };
                it.sname.copy_from_slice(&names[..64]);
                it.file.copy_from_slice(&names[64..]);
                it
            },
        )
}

fn arp() -> impl Strategy<Value = Arp> {
    let bytes = |n: usize| vec(any::<u8>(), 0..n);
    (
        auto(any::<u8>()),
        auto(any::<u8>()),
        bytes(9),
        bytes(9),
        bytes(9),
        bytes(9),
    )
        .prop_map(|(hwlen, plen, hwsrc, psrc, hwdst, pdst)| Arp {
            hwlen,
            plen,
            hwsrc,
            psrc,
            hwdst,
            pdst,
            ..Arp::default()
        })
}

/// A frame that is nearly valid: every layer, computed fields at times set, padding behind it.
pub fn frame() -> impl Strategy<Value = Frame> {
    let ether = (mac(), mac(), auto(ethertypes())).prop_map(|(dst, src, ethertype)| {
        Ether {
            dst,
            src,
            ethertype,
        }
        .into()
    });
    let tag = (0u8..8, 0u8..2, 0u16..4096, auto(ethertypes())).prop_map(
        |(prio, dei, vlan, ethertype)| {
            Layer::from(Dot1Q {
                prio,
                dei,
                vlan,
                ethertype,
            })
        },
    );
    let raw = || vec(any::<u8>(), 0..64).prop_map(Layer::Raw);
    let cookie = prop_oneof![4 => Just(MAGIC_COOKIE), 1 => any::<[u8; 4]>()];
    let dhcp =
        (cookie, stream()).prop_map(|(cookie, options)| Layer::from(Dhcp { cookie, options }));
    let message = prop_oneof![
        (bootp(), dhcp).prop_map(|(bootp, dhcp)| vec![bootp.into(), dhcp]),
        (bootp(), raw()).prop_map(|(bootp, raw)| vec![bootp.into(), raw]),
        raw().prop_map(|raw| vec![raw]),
    ];
    let icmp =
        (any::<[u8; 6]>(), auto(any::<u16>())).prop_map(|([kind, code, a, b, c, d], chksum)| {
            Icmp {
                kind,
                code,
                chksum,
                rest: [a, b, c, d],
            }
        });
    let datagram = prop_oneof![
        4 => (ipv4(), udp(), message).prop_map(|(ip, udp, message)| [vec![ip.into(), udp.into()], message].concat()),
        1 => (ipv4(), icmp, raw()).prop_map(|(ip, icmp, raw)| vec![ip.into(), icmp.into(), raw]),
        1 => arp().prop_map(|arp| vec![arp.into()]),
        1 => raw().prop_map(|raw| vec![raw]),
    ];
    let padding = prop_oneof![
        Just(None),
        vec(any::<u8>(), 0..40).prop_map(|it| Some(Layer::Padding(it)))
    ];
    (ether, vec(tag, 0..3), datagram, padding).prop_map(|(ether, tags, datagram, padding)| {
        Frame::new([vec![ether], tags, datagram, Vec::from_iter(padding)].concat())
    })
}
