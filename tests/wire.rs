//! Law 1 (lossless, total) and law 2 (unset is computed, set is verbatim) over arbitrary bytes and
//! over frames that are nearly valid.

#[path = "support/frames.rs"]
mod frames;

use dhcpcraft::wire::*;
use frames::frame;
use proptest::collection::vec;
use proptest::prelude::*;

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
