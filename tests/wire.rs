//! Law 1 (lossless, total) and law 2 (unset is computed, set is verbatim) over arbitrary bytes and
//! over frames that are nearly valid.

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
fn stream() -> impl Strategy<Value = Vec<u8>> {
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

fn frame() -> impl Strategy<Value = Frame> {
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

const LINKS: [u32; 8] = [1, 12, 14, 101, 113, 228, 276, 281];

fn lossless(bytes: &[u8]) {
    for link in LINKS {
        let frame = Frame::decode_as(link, bytes);
        assert_eq!(frame.encode(), bytes, "link type {link}: {frame:?}");
        let lengths: usize = frame.layers.iter().map(Layer::encoded_len).sum();
        assert_eq!(lengths, bytes.len());
        let mut relaxed = frame.clone();
        relaxed.relax();
        assert_eq!(relaxed.encode(), bytes, "relaxed {relaxed:?}");
        if let Some(dhcp) = frame.dhcp() {
            let joined: Vec<u8> = dhcp.iter().flat_map(|item| item.raw).copied().collect();
            assert_eq!(joined, dhcp.options);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn arbitrary_bytes_come_back(bytes in vec(any::<u8>(), 0..700)) {
        lossless(&bytes);
    }

    #[test]
    fn nearly_valid_frames_come_back(frame in frame(), cut in prop_oneof![3 => Just(usize::MAX), 1 => 0usize..700]) {
        let bytes = frame.encode();
        lossless(&bytes[..cut.min(bytes.len())]);
    }

    #[test]
    fn what_is_set_is_what_decodes(frame in frame()) {
        // Every set field is in the encoded bytes at the place its row names.
        let bytes = frame.encode();
        for (offset, layer) in frame.with_offsets() {
            for row in layer.fields().iter().filter(|row| row.bits > 0 && row.bits <= 64) {
                let Some(FieldValue::Number(want)) = layer.get(row.name) else { continue };
                let mut got = 0u128;
                for byte in &bytes[offset + row.byte()..][..row.byte_len()] {
                    got = got << 8 | u128::from(*byte);
                }
                let spare = row.byte_len() * 8 - row.bit % 8 - row.bits;
                prop_assert_eq!(got >> spare & ((1 << row.bits) - 1), u128::from(want), "{} {}", row.layer, row.name);
            }
        }
    }

    #[test]
    fn fields_set_by_name_read_back(frame in frame(), number in any::<u32>(), bytes in vec(any::<u8>(), 0..4)) {
        let mut frame = frame;
        for layer in &mut frame.layers {
            for row in layer.fields() {
                let value = match row.kind {
                    FieldKind::Number | FieldKind::Hex => FieldValue::Number(u64::from(number) & (u64::MAX >> (64 - row.bits))),
                    FieldKind::Ip => FieldValue::Ip(number.into()),
                    FieldKind::Mac => FieldValue::Mac(MacAddr::new(1, 2, 3, 4, 5, 6)),
                    FieldKind::Text | FieldKind::Bytes => FieldValue::Bytes(bytes.clone()),
                };
                layer.set(row, value.clone()).unwrap();
                match (layer.get(row.name), value) {
                    (Some(FieldValue::Bytes(got)), FieldValue::Bytes(want)) => prop_assert!(got.starts_with(&want)),
                    (got, want) => prop_assert_eq!(got, Some(want)),
                }
            }
        }
    }
}

#[test]
fn relaxed_frames_follow_an_edit() {
    let frame = Frame::new([
        Ether::default().into(),
        Ipv4::default().into(),
        Udp::default().into(),
        Bootp::default().into(),
        Dhcp {
            options: vec![53, 1, 1, 255],
            ..Dhcp::default()
        }
        .into(),
    ]);
    let mut captured = Frame::decode(&frame.encode());
    captured.relax();
    captured.bootp_mut().unwrap().xid = 7;
    captured.dhcp_mut().unwrap().options.extend([0; 9]);
    let edited = Frame::decode(&captured.encode());
    assert_eq!(edited.udp().unwrap().len, Auto::Set(8 + 236 + 4 + 4 + 9));
    assert_eq!(edited.ipv4().unwrap().len, Auto::Set(28 + 236 + 4 + 4 + 9));
    let computed = edited.computed();
    assert_eq!(edited.udp().unwrap().chksum, Auto::Set(computed[2].chksum));
    assert_eq!(edited.ipv4().unwrap().chksum, Auto::Set(computed[1].chksum));
}

#[test]
fn a_wrong_checksum_survives_an_edit() {
    let mut bytes = Frame::new([
        Ether::default().into(),
        Ipv4::default().into(),
        Udp::default().into(),
        Bootp::default().into(),
    ])
    .encode();
    bytes[24] ^= 0x55; // the IPv4 header's checksum
    let wrong = [bytes[24], bytes[25]];
    let mut captured = Frame::decode(&bytes);
    captured.relax();
    captured.ipv4_mut().unwrap().ttl = 3;
    assert_eq!(captured.encode()[24..26], wrong);
}

#[test]
fn tags_of_any_depth() {
    let mut layers = vec![Layer::from(Ether::default())];
    layers.extend((1..=20).map(|vlan| {
        Layer::from(Dot1Q {
            vlan,
            ..Dot1Q::default()
        })
    }));
    layers.push(Ipv4::default().into());
    let frame = Frame::decode(&Frame::new(layers).encode());
    assert_eq!(
        frame.vlans().collect::<Vec<_>>(),
        (1..=20).collect::<Vec<_>>()
    );
    assert!(frame.ipv4().is_some());
}

#[test]
fn shapes_that_other_decoders_trip_over() {
    let base = Frame::new([
        Ether::default().into(),
        Ipv4::default().into(),
        Udp::default().into(),
        Bootp::default().into(),
        Dhcp {
            options: vec![53, 1, 1, 255],
            ..Dhcp::default()
        }
        .into(),
        Layer::Padding(vec![0; 10]),
    ])
    .encode();
    let with = |at: usize, value: u8| {
        let mut bytes = base.clone();
        bytes[at] = value;
        lossless(&bytes);
        Frame::decode(&bytes)
    };
    // Padding is outside every length.
    let plain = with(0, 0xff);
    assert_eq!(plain.dhcp().unwrap().options, [53, 1, 1, 255]);
    assert_eq!(plain.layers.last(), Some(&Layer::Padding(vec![0; 10])));
    // IHL below and above the header.
    assert!(with(14, 0x41).udp().is_some());
    assert!(with(14, 0x4f).ipv4().unwrap().options.len() == 40);
    // A fragment carries no UDP header.
    assert!(with(21, 1).udp().is_none());
    // UDP length shorter and longer than the data: shorter cuts, longer bounds nothing.
    assert!(with(39, 8).bootp().is_none());
    assert!(with(38, 0xff).dhcp().is_some());
    // hlen 0, 16, 255 keep to the 16 bytes there are.
    for (hlen, count) in [(0, 0), (16, 16), (255, 16)] {
        assert_eq!(
            with(44, hlen).bootp().unwrap().client_hardware().len(),
            count
        );
    }
    // A wrong cookie leaves the vendor area raw.
    let wrong = with(42 + 236, 0);
    assert!(wrong.dhcp().is_none());
    assert_eq!(wrong.raw().unwrap()[..4], [0, 0x82, 0x53, 0x63]);
}
