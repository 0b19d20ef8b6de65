//! `pkt.command()` is source that builds the same bytes again.

use dhcpcraft::link::capture::CaptureReader;
use dhcpcraft::script::Engine;
use dhcpcraft::script::source::command;
use dhcpcraft::script::stack::{Origin, Stack};
use dhcpcraft::wire::Frame;
use proptest::collection::vec;
use proptest::prelude::*;

use super::frames::frame;
use super::support::{Talk, value};

/// The bytes that the source of a frame builds.
fn again(engine: &Engine, frame: &Frame) -> (String, Vec<u8>) {
    let source = command(&Stack::of(frame, Origin::default()));
    let built = value(engine, &format!("bytes({source}).hex()"));
    let built = built.unwrap_or_else(|error| panic!("{error}\n{source}"));
    (source, hex::decode(built).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn frames_are_rebuilt(frame in frame(), cut in prop_oneof![3 => Just(usize::MAX), 1 => 0usize..700]) {
        let bytes = frame.encode();
        let bytes = &bytes[..cut.min(bytes.len())];
        let talk = Talk::new();
        let (source, built) = again(&Engine::new(&talk.host), &Frame::decode(bytes));
        prop_assert_eq!(hex::encode(built), hex::encode(bytes), "{}", source);
    }

    #[test]
    fn arbitrary_bytes_are_rebuilt(bytes in vec(any::<u8>(), 0..500)) {
        let talk = Talk::new();
        let (source, built) = again(&Engine::new(&talk.host), &Frame::decode(&bytes));
        prop_assert_eq!(hex::encode(built), hex::encode(&bytes), "{}", source);
    }
}

#[test]
fn frames_of_every_sample_are_rebuilt() {
    let samples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let talk = Talk::new();
    let engine = Engine::new(&talk.host);
    let mut captures = 0;
    for entry in std::fs::read_dir(&samples).expect("samples/ is there") {
        let path = entry.unwrap().path();
        if !path.to_string_lossy().contains(".pcap") {
            continue;
        }
        captures += 1;
        let mut reader = CaptureReader::open(&path).unwrap();
        while let Some(packet) = reader.next_packet().unwrap() {
            let frame = Frame::decode_as(packet.link_type, &packet.bytes);
            let (source, built) = again(&engine, &frame);
            assert_eq!(
                hex::encode(built),
                hex::encode(&packet.bytes),
                "{}\n{source}",
                path.display()
            );
        }
    }
    assert!(captures > 0, "no capture in {}", samples.display());
}

#[test]
fn source_is_short() {
    for (expression, wanted) in [
        (
            r#"Ether(src="02:00:5e:10:00:01") / IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67) / BOOTP(chaddr="02:00:5e:10:00:01") / DHCP(options=[("message-type", "discover"), "end"])"#,
            r#"Ether(src="02:00:5e:10:00:01") / IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67) / BOOTP(chaddr="02:00:5e:10:00:01") / DHCP(options=[("message-type", "discover"), "end"])"#,
        ),
        (r#"DHCP(options=[("pad", b"a"), "pad", "pad", "pad"])"#, ""),
        (r#"Raw("a")"#, r#"Raw(b"a")"#),
        ("Raw()", "Raw()"),
        (r#"ICMP(id=7) / "x""#, r#"ICMP(id=0x7) / Raw(b"x")"#),
        (r#"Dot1Q(vlan=7) / Dot1Q()"#, "Dot1Q(vlan=7) / Dot1Q()"),
    ] {
        let talk = Talk::new();
        let engine = Engine::new(&talk.host);
        let source = value(&engine, &format!("({expression}).command()")).unwrap();
        if !wanted.is_empty() {
            assert_eq!(source, wanted);
        }
        let bytes = |it: &str| value(&engine, &format!("bytes({it}).hex()")).unwrap();
        assert_eq!(bytes(&source), bytes(expression), "{source}");
    }
}
