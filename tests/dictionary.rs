//! The option dictionary and the value types: one definition gives text, bytes and JSON.

use dhcpcraft::dhcp::options::{OPTIONS, Status, by_code, by_name};
use dhcpcraft::dhcp::value::TYPES;
use dhcpcraft::dhcp::{assign, enums, glossary, suboptions};
use dhcpcraft::wire::FIELDS;
use proptest::collection::vec;
use proptest::prelude::*;

#[test]
fn every_row_stands_at_its_code() {
    for (code, row) in OPTIONS.iter().enumerate() {
        assert_eq!(usize::from(row.code), code);
        assert!(
            !row.doc.is_empty() && !row.iana.is_empty(),
            "{code} says nothing"
        );
        assert_eq!(by_code(row.code).name, row.name);
        assert_eq!(by_name(&row.code.to_string()).unwrap().code, row.code);
    }
}

#[test]
fn examples_survive_text_bytes_and_json() {
    for row in OPTIONS.iter().filter(|row| !matches!(row.code, 0 | 255)) {
        let at = format!("option {} ({})", row.code, row.name);
        // Some types are shown by name only: a flag's value is empty.
        let value = row
            .ty
            .parse(row.example)
            .unwrap_or_else(|error| panic!("{at}: {error}"));
        let mut bytes = Vec::new();
        value.encode(&mut bytes).unwrap();
        let again = row
            .ty
            .decode(&bytes)
            .unwrap_or_else(|error| panic!("{at}: {error}"));
        assert_eq!(again.to_string(), row.example, "{at}");
        let json = again.json();
        let back = row
            .ty
            .from_json(&json)
            .unwrap_or_else(|error| panic!("{at}: {json}: {error}"));
        let mut from_json = Vec::new();
        back.encode(&mut from_json).unwrap();
        assert_eq!(from_json, bytes, "{at}: {json}");
        let len = bytes.len();
        assert!(len >= usize::from(row.min_len), "{at}: {len} bytes");
        assert!(
            row.max_len.is_none_or(|max| len <= usize::from(max)),
            "{at}: {len} bytes"
        );
        assert_eq!(len % usize::from(row.multiple), 0, "{at}: {len} bytes");
        let text = assign::format(row.code, &bytes);
        let name = text.split_once('=').map_or(text.as_str(), |(name, _)| name);
        assert_eq!(name, row.name);
        assert_eq!(
            text.strip_prefix(name).unwrap().trim_start_matches('='),
            row.example,
            "{at}"
        );
    }
}

#[test]
fn our_names_are_unique_and_lead_to_their_rows() {
    for row in &OPTIONS {
        assert_eq!(by_name(row.name).unwrap().code, row.code, "{}", row.name);
        assert!(
            row.name
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
            "{}",
            row.name
        );
    }
}

/// Names that tools give to different options, with the code they do not lead to: ours go first, then
/// Scapy's, dhcpd's, Kea's, dnsmasq's, Wireshark's, IANA's.
const CONTRADICTIONS: &[(&str, u8)] = &[
    ("Name Server", 5),                  // Scapy: 6
    ("Vendor-Specific Information", 43), // Scapy: 125
    ("v4-captive-portal", 114),          // Scapy and dhcpd: 160
    ("vendor_class", 124),               // ours and dnsmasq: 60
    ("Unassigned", 147),
    ("Unassigned", 148),
    ("Unassigned", 162),
];

#[test]
fn every_tools_name_leads_to_its_row() {
    let mut elsewhere = Vec::new();
    for row in OPTIONS.iter().filter(|row| row.status == Status::Assigned) {
        for name in row.names() {
            let found = by_name(name).unwrap_or_else(|error| panic!("{}: {error}", row.code));
            if found.code != row.code && !elsewhere.contains(&(name, row.code)) {
                elsewhere.push((name, row.code));
            }
        }
    }
    assert_eq!(elsewhere, CONTRADICTIONS);
}

#[test]
fn unknown_names_suggest_known_ones() {
    for (wrong, right) in [
        ("ruoter", "router"),
        ("lease_tme", "lease-time"),
        ("subnetmask", "subnet-mask"),
        ("hostnam", "hostname"),
    ] {
        let error = by_name(wrong).unwrap_err();
        assert_eq!(error.near.first(), Some(&right), "{error}");
    }
    assert!(by_name("zzzzqqqq").unwrap_err().near.is_empty());
}

#[test]
fn values_are_read_as_people_write_them() {
    for (text, hex) in [
        ("router=10.0.0.1,10.0.0.2", "0a0000010a000002"),
        ("61=hex:01020304", "01020304"),
        ("lease-time=1h", "00000e10"),
        ("lease-time=1h30m", "00001518"),
        ("lease-time=3600", "00000e10"),
        ("lease-time=infinite", "ffffffff"),
        (
            "domain-search=a.example,b.example",
            "0161076578616d706c65000162076578616d706c6500",
        ),
        ("classless-routes=10.0.0.0/8>192.0.2.1", "080ac0000201"),
        ("classless-routes=default>192.0.2.1", "00c0000201"),
        (
            "relay-info=circuit-id=\"ge-0/0/1\",remote-id=hex:0a0b",
            "010867652d302f302f3102020a0b",
        ),
        ("43:hex=0104c0000201", "0104c0000201"),
        ("224:ip=10.0.0.1", "0a000001"),
        ("72:u32=7", "00000007"),
        ("requested_addr=192.0.2.7", "c0000207"),
        ("dhcp-message-type=offer", "02"),
        ("message-type=discover", "01"),
        ("client-id=02:00:5e:10:00:01", "0102005e100001"),
        ("client-id=lab", "006c6162"),
        ("client-arch=x64-uefi", "0007"),
        ("request-list=1,router,dns", "010306"),
        ("hostname=\"a b\\n\"", "6120620a"),
        ("rapid-commit", ""),
        ("user-class=\"a\",\"bc\"", "0161026263"),
        ("user-class=text:iPXE", "69505845"),
        (
            "client-fqdn=host.example.com",
            "05000004686f7374076578616d706c6503636f6d00",
        ),
        ("sip-servers=10.0.0.1", "010a000001"),
        // Brackets at both ends are not always a pair around all of it.
        ("pcp-servers=[10.0.0.1],[10.0.0.2]", "040a000001040a000002"),
        ("pcp-servers=[10.0.0.1,10.0.0.2]", "080a0000010a000002"),
        (
            "pcp-servers=[[10.0.0.1],[10.0.0.2]]",
            "040a000001040a000002",
        ),
        ("pcp-servers=10.0.0.1,10.0.0.2", "040a000001040a000002"),
        ("router=[10.0.0.1,10.0.0.2]", "0a0000010a000002"),
    ] {
        let option = assign::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(hex::encode(&option.data), hex, "{text}");
        let again = assign::parse(&assign::format(option.code, &option.data)).unwrap();
        assert_eq!(again, option, "{text}");
    }
}

#[test]
fn wrong_values_say_what_is_expected() {
    for (text, words) in [
        ("router=10.0.0", ["router", "`10.0.0`", "router=10.0.0.1"]),
        ("ruoter=10.0.0.1", ["ruoter", "did you mean", "router"]),
        ("lease-time=soon", ["lease-time", "`soon`", "1h30m"]),
        ("mtu=70000", ["mtu", "`70000`", "65535"]),
        (
            "message-type=discovr",
            ["message-type", "discovr", "discover"],
        ),
        ("router:ipx=1", ["ipx", "unknown type", "ips"]),
        ("61=hex:123", ["client-id", "123", "hex digits"]),
        (
            "relay-info=circuit=1",
            ["relay-info", "circuit", "did you mean circuit-id"],
        ),
        ("domain-search=a..b", ["domain-search", "label", "example"]),
    ] {
        let error = assign::parse(text).unwrap_err().to_string();
        for word in words {
            assert!(error.contains(word), "{text}: {error:?} lacks {word:?}");
        }
        assert!(!error.contains('\n'));
    }
}

#[test]
fn compression_is_read_and_cannot_loop() {
    let search = by_name("domain-search").unwrap().ty;
    let data = b"\x03eng\x05apple\x03com\x00\x09marketing\xc0\x04";
    assert_eq!(
        search.decode(data).unwrap().to_string(),
        "eng.apple.com,marketing.apple.com"
    );
    for bad in [
        &b"\xc0\x00"[..],
        b"\x01a\xc0\x00",
        b"\xc0",
        b"\x05ab",
        b"\x01a",
        b"\x40",
    ] {
        assert!(search.decode(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn what_terms_and_suboptions_point_at_exists() {
    for term in glossary::TERMS {
        for see in term.see {
            let field = FIELDS.iter().any(|row| row.name == *see);
            assert!(
                field || by_name(see).is_ok(),
                "{}: {see} is neither option nor field",
                term.name
            );
        }
        assert!(
            !term.text.is_empty() && !term.try_it.is_empty() && !term.rfc.is_empty(),
            "{}",
            term.name
        );
    }
    assert!(glossary::TERMS.len() >= 30);
    let mut codes: Vec<u8> = suboptions::RELAY.rows.iter().map(|row| row.code).collect();
    codes.dedup();
    assert_eq!(codes.len(), suboptions::RELAY.rows.len());
    for number in 1..=18 {
        let name = enums::message_type_name(number).unwrap();
        assert_eq!(
            enums::message_type_by_name(&format!("DHCP{}", name.to_uppercase())),
            Some(number)
        );
    }
}

/// Data that is likely to fit somewhere: lengths, small numbers, labels.
fn likely() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        vec(any::<u8>(), 0..8),
        vec(b'a'..b'e', 0..5).prop_map(|it| [vec![it.len() as u8], it].concat()),
        (any::<u8>(), vec(any::<u8>(), 0..5)).prop_map(|(code, it)| [
            vec![code, it.len() as u8],
            it
        ]
        .concat()),
        Just(vec![0]),
        Just(vec![0, 4]),
        "[ -~]{0,12}".prop_map(String::into_bytes),
        "\\PC{0,4}".prop_map(String::into_bytes),
    ];
    vec(piece, 0..6).prop_map(|it| it.concat())
}

fn safe(text: &str) -> bool {
    !text.chars().any(|c| c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'))
}

#[test]
fn what_is_printed_of_lists_of_lists_reads_back() {
    let pcp = by_name("pcp-servers").unwrap().ty;
    for hex in [
        "040a000001",
        "040a000001040a000002",
        "080a0000010a000002",
        "080a0000010a000002040a000003",
    ] {
        let data = hex::decode(hex).unwrap();
        let text = pcp.decode(&data).unwrap().to_string();
        let mut again = Vec::new();
        pcp.parse(&text).unwrap().encode(&mut again).unwrap();
        assert_eq!(again, data, "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn every_type_takes_any_bytes(data in likely()) {
        for ty in TYPES {
            let Ok(value) = ty.decode(&data) else { continue };
            let text = value.to_string();
            prop_assert!(safe(&text), "{}: {text:?}", ty.name());
            let mut first = Vec::new();
            value.encode(&mut first).unwrap();
            prop_assert_eq!(ty.decode(&first), Ok(value.clone()), "{}", ty.name());
            // Text and JSON lead back to the same value, compressed names aside.
            let again = ty.parse(&text).map_err(|error| TestCaseError::fail(format!("{}: {text}: {error}", ty.name())))?;
            let mut second = Vec::new();
            again.encode(&mut second).unwrap();
            prop_assert_eq!(&second, &first, "{}: {}", ty.name(), text);
            let json = value.json();
            let back = ty.from_json(&json).map_err(|error| TestCaseError::fail(format!("{}: {json}: {error}", ty.name())))?;
            let mut third = Vec::new();
            back.encode(&mut third).unwrap();
            prop_assert_eq!(&third, &first, "{}: {}", ty.name(), json);
        }
    }

    #[test]
    fn formatted_options_parse_to_the_same_bytes(code: u8, data in prop_oneof![likely(), vec(any::<u8>(), 0..300)]) {
        let text = assign::format(code, &data);
        prop_assert!(safe(&text), "{text:?}");
        let option = assign::parse(&text).map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
        prop_assert_eq!((option.code, option.data), (code, data), "{}", text);
    }

    #[test]
    fn any_text_is_read_or_refused(code: u8, text in "\\PC{0,40}") {
        let _ = assign::parse(&format!("{code}={text}"));
        let _ = assign::parse(&text);
        for ty in TYPES {
            if let Ok(value) = ty.parse(&text) {
                let _ = value.encode(&mut Vec::new());
            }
        }
    }
}
