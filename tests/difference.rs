//! `diff`: what is not the same in two frames or in the exchanges of two captures, and only that.

#[path = "support/frames.rs"]
mod frames;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

use dhcpcraft::dhcp::comparison::{Exchange, Numbered, compare_exchanges, exchanges};
use dhcpcraft::dhcp::rewrite::{self, Transaction};
use dhcpcraft::link::capture::{CaptureReader, CaptureWriter, Packet};
use dhcpcraft::wire::Frame;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value as Json;

fn tool(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_dhcpcraft"));
    command.args(args).output().expect("the tool starts")
}

/// A DISCOVER as hex text.
fn discover(args: &[&str]) -> String {
    let fixed = ["discover", "--dry-run", "--seed", "1", "--format", "hex"];
    let dump = tool(&[&fixed, args].concat());
    let dump = String::from_utf8(dump.stdout).expect("UTF-8");
    let bytes = dump.lines().flat_map(|line| {
        let columns = line.get(6..54).unwrap_or_default().split_whitespace();
        columns.map(str::to_string).collect::<Vec<_>>()
    });
    format!("hex:{}", bytes.collect::<String>())
}

fn rows(output: &Output) -> Vec<Json> {
    let text = String::from_utf8_lossy(&output.stdout);
    let rows = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    rows.collect()
}

#[test]
fn the_same_frame_does_not_differ() {
    let frame = discover(&[]);
    let output = tool(&["diff", &frame, &frame]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(output.stdout, b"no difference\n");
}

#[test]
fn fields_and_options_are_compared_by_name() {
    let first = discover(&["--pad-to", "0"]);
    let second = discover(&["--pad-to", "0", "--secs", "7", "--hostname", "printer"]);
    let ignore = [
        "--ignore",
        "IP.len",
        "--ignore",
        "ip.chksum",
        "--ignore",
        "UDP.len",
        "--ignore",
        "UDP.chksum",
    ];
    let output = tool(&[&["diff", &first, &second, "--json"], &ignore[..]].concat());
    assert_eq!(output.status.code(), Some(1), "they differ");
    let rows = rows(&output);
    let row = |name: &str, first: Json, second: Json| {
        assert!(
            rows.iter()
                .any(|it| it["name"] == name && it["first"] == first && it["second"] == second),
            "{rows:?}"
        );
    };
    row("BOOTP.secs", "0".into(), "7".into());
    row("option hostname", Json::Null, "printer".into());
    assert_eq!(rows.len(), 2, "{rows:?}");
}

#[test]
fn the_second_of_a_name_is_another() {
    let first = discover(&["-o", "224=hex:01", "-o", "224=hex:02"]);
    let second = discover(&["-o", "224=hex:01", "-o", "224=hex:03"]);
    let output = tool(&["diff", &first, &second, "--json", "--ignore", "UDP.chksum"]);
    let rows = rows(&output);
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert!(
        rows[0]["name"]
            .as_str()
            .is_some_and(|it| it.ends_with("#2")),
        "{rows:?}"
    );
}

/// The packets of a sample.
fn sample(name: &str) -> Vec<Packet> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("samples")
        .join(name);
    let mut reader = CaptureReader::open(&path).expect("a sample");
    std::iter::from_fn(|| reader.next_packet().expect("whole")).collect()
}

/// Writes packets into a capture of this name and gives its path.
fn capture(name: &str, packets: &[Packet]) -> String {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("difference-{name}.pcapng"));
    let mut writer = CaptureWriter::create(&path).expect("a file");
    packets
        .iter()
        .for_each(|it| writer.write(it).expect("written"));
    writer.finish().expect("finished");
    path.to_str().expect("UTF-8").to_string()
}

/// The same packet with its frame changed, lengths and checksums following.
fn changed(packet: &Packet, change: impl Fn(&mut Frame)) -> Packet {
    let mut frame = Frame::decode(&packet.bytes);
    frame.relax();
    change(&mut frame);
    let bytes = frame.encode();
    Packet {
        original_len: bytes.len() as u32,
        bytes,
        ..packet.clone()
    }
}

/// The same packets of another client in another transaction, in IP datagrams of other ids.
fn of_another(packets: &[Packet], xid: u32, last: u8) -> Vec<Packet> {
    let new = Transaction {
        xid,
        hardware: vec![2, 0, 0x5e, 0x50, 0, last],
    };
    let another = |frame: &mut Frame| {
        if let Some(old) = frame.bootp().map(Transaction::of) {
            rewrite::transaction(frame, &old, &new);
        }
        if let Some(ip) = frame.ipv4_mut() {
            ip.id ^= 0x1234;
        }
    };
    packets.iter().map(|it| changed(it, another)).collect()
}

/// Exchange, message and name of each row.
fn told(output: &Output) -> Vec<(u64, String, String)> {
    let text = |it: &Json| it.as_str().unwrap_or("-").to_string();
    let row = |it: &Json| {
        (
            it["exchange"].as_u64().expect("a number"),
            text(&it["message"]),
            text(&it["name"]),
        )
    };
    rows(output).iter().map(row).collect()
}

#[test]
fn another_client_in_another_transaction_is_no_difference_unless_exact() {
    let one = sample("dora-kea.pcapng");
    let (a, b) = (
        capture("one", &one),
        capture("other", &of_another(&one, 77, 1)),
    );
    let output = tool(&["diff", &a, &b]);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "no difference in 4 messages of 1 exchange\n"
    );
    assert_eq!(output.status.code(), Some(0));
    let exact = tool(&["diff", &a, &b, "--exact", "--json"]);
    assert_eq!(exact.status.code(), Some(1));
    let names: BTreeSet<String> = told(&exact).into_iter().map(|it| it.2).collect();
    for name in [
        "Ether.src",
        "Ether.dst",
        "IP.id",
        "IP.chksum",
        "UDP.chksum",
        "BOOTP.xid",
        "BOOTP.chaddr",
        "option client-id",
    ] {
        assert!(names.contains(name), "{name}: {names:?}");
    }
    // A checksum that is wrong is a difference, also where right ones are not compared.
    let mut wrong = of_another(&one, 78, 2);
    wrong[1].bytes[14 + 20 + 6] ^= 0x55;
    let output = tool(&["diff", &a, &capture("wrong", &wrong), "--json"]);
    assert_eq!(
        told(&output),
        [(1, "OFFER".to_string(), "UDP.chksum".to_string())]
    );
}

#[test]
fn two_servers_are_compared_message_by_message() {
    let files = ["samples/dora-dnsmasq.pcapng", "samples/dora-kea.pcapng"];
    let output = tool(&["diff", files[0], files[1], "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let rows = rows(&output);
    let of = |message: &str| -> Vec<&str> {
        let rows = rows.iter().filter(|it| it["message"] == message);
        rows.filter_map(|it| it["name"].as_str()).collect()
    };
    assert_eq!(of("DISCOVER"), [""; 0]);
    assert_eq!(of("REQUEST"), ["option requested-ip", "option server-id"]);
    assert!(of("OFFER").contains(&"BOOTP.yiaddr") && of("ACK") == of("OFFER"));
    let row = rows
        .iter()
        .find(|it| it["name"] == "option router")
        .expect("it differs");
    let wanted = serde_json::json!({"exchange": 1, "message": "OFFER", "first_frame": 2, "second_frame": 2,
        "name": "option router", "first": "10.77.0.1", "second": "10.77.0.2"});
    assert_eq!(*row, wanted);
    // Everything that differs can be left out, and then nothing does.
    let names: BTreeSet<&str> = rows.iter().filter_map(|it| it["name"].as_str()).collect();
    let ignore: Vec<&str> = names.iter().flat_map(|it| ["--ignore", it]).collect();
    let output = tool(&[&["diff", files[0], files[1]], &ignore[..]].concat());
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    // Frames of captures are compared as frames.
    let output = tool(&[
        "diff",
        "samples/dora-kea.pcapng#1",
        "samples/dora-dnsmasq.pcapng#1",
    ]);
    assert_eq!(output.stdout, b"no difference\n");
    let output = tool(&[
        "diff",
        "samples/dora-kea.pcapng#1",
        "samples/dora-dnsmasq.pcapng",
    ]);
    assert_eq!(
        output.stdout, b"no difference\n",
        "the first frame of the other"
    );
}

#[test]
fn what_is_hexadecimal_elsewhere_is_so_in_a_difference() {
    let first = discover(&["--xid", "0x12", "--unicast"]);
    let second = discover(&["--xid", "0xabcdef01", "--broadcast"]);
    let rows = rows(&tool(&["diff", &first, &second, "--json"]));
    let of = |name: &str| {
        let found = rows.iter().find(|it| it["name"] == name);
        found.map(|it| (it["first"].clone(), it["second"].clone()))
    };
    let texts = |a: &str, b: &str| Some((Json::from(a), Json::from(b)));
    assert_eq!(of("BOOTP.xid"), texts("0x00000012", "0xabcdef01"));
    assert_eq!(of("BOOTP.flags"), texts("0x0000", "0x8000"));
    let sum = of("UDP.chksum").expect("it differs").0;
    assert!(
        sum.as_str()
            .is_some_and(|it| it.len() == 6 && it.starts_with("0x")),
        "{sum}"
    );
}

#[test]
fn what_is_ignored_has_a_name_and_which_frame_is_compared_is_said() {
    let frame = discover(&[]);
    for (name, part) in [
        ("nonsense", "no field or option; a field is LAYER.NAME"),
        ("BOOTP.sesc", "did you mean `BOOTP.secs`?"),
        ("secs", "did you mean `BOOTP.secs`?"),
        ("lease-time", "did you mean `option lease-time`?"),
        ("option lease-tme", "did you mean lease-time"),
    ] {
        let output = tool(&["diff", &frame, &frame, "--ignore", name]);
        assert_eq!(output.status.code(), Some(2), "{name}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains(part), "{name}: {said}");
    }
    // Another tool's name for it, a number, the second of its name.
    let other = discover(&["-o", "router=192.0.2.1", "--pad-to", "0"]);
    let other = [
        &other,
        "--ignore",
        "option routers",
        "--ignore",
        "option 0",
        "--ignore",
        "option router#2",
    ];
    let lengths = [
        "--ignore",
        "ip.len",
        "--ignore",
        "IP.chksum",
        "--ignore",
        "UDP.len",
        "--ignore",
        "UDP.chksum",
    ];
    let output = tool(
        &[
            &["diff", &discover(&["--pad-to", "0"])],
            &other[..],
            &lengths,
        ]
        .concat(),
    );
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let two = [
        "diff",
        "samples/dora-kea.pcapng#2",
        "samples/dora-dnsmasq.pcapng",
    ];
    let said = tool(&two).stderr;
    let said = String::from_utf8_lossy(&said);
    assert!(
        said.contains("samples/dora-dnsmasq.pcapng: frame 1 of"),
        "{said}"
    );
    let said = tool(&[
        "diff",
        "samples/dora-kea.pcapng#2",
        "samples/dora-dnsmasq.pcapng#2",
    ])
    .stderr;
    assert_eq!(String::from_utf8_lossy(&said), "");
}

#[test]
fn a_message_that_is_missing_and_another_order_are_told() {
    let all = sample("several-servers.pcapng");
    let whole = capture("whole", &all);
    let mut less = all.clone();
    less.remove(2);
    let output = tool(&["diff", &whole, &capture("less", &less), "--json"]);
    let rows = rows(&output);
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0]["name"], "message");
    assert_eq!(rows[0]["first"], "OFFER from 10.77.0.1");
    assert_eq!(
        (&rows[0]["second"], &rows[0]["first_frame"]),
        (&Json::Null, &Json::from(3))
    );
    let output = tool(&["diff", &capture("less", &less), &whole]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        text.contains("OFFER from 10.77.0.1  -      frame 3"),
        "{text}"
    );

    let mut swapped = all;
    swapped.swap(1, 3);
    let swapped = capture("swapped", &swapped);
    let output = tool(&["diff", &whole, &swapped, "--json"]);
    assert_eq!(told(&output), [(1, "-".to_string(), "order".to_string())]);
    let output = tool(&["diff", &whole, &swapped, "--ignore", "order"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn several_clients_are_paired_each_with_its_own() {
    let one = sample("dora-kea.pcapng");
    let (a, b, c) = (
        of_another(&one, 1, 1),
        of_another(&one, 2, 2),
        of_another(&one, 3, 3),
    );
    // Message by message in turn, and one client after the other in another order.
    let in_turn: Vec<Packet> = (0..4)
        .flat_map(|at| [a[at].clone(), b[at].clone()])
        .collect();
    let first = capture("in-turn", &in_turn);
    let later = capture("later", &[b.clone(), a.clone()].concat());
    let output = tool(&["diff", &first, &later]);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "no difference in 8 messages of 2 exchanges\n"
    );
    // Of the second client one message differs, and there is a third one.
    let mut other = [b, a, c].concat();
    other[3] = changed(&other[3], |it| {
        it.bootp_mut().expect("BOOTP").siaddr = [10, 0, 0, 9].into()
    });
    let output = tool(&["diff", &first, &capture("third", &other), "--json"]);
    let text = |it: &str| it.to_string();
    let wanted = [
        (2, text("ACK"), text("BOOTP.siaddr")),
        (3, text("-"), text("exchange")),
    ];
    assert_eq!(told(&output), wanted);
    // Clients that have nothing in common are paired in order.
    let strangers = capture(
        "strangers",
        &[of_another(&one, 8, 8), of_another(&one, 9, 9)].concat(),
    );
    let output = tool(&["diff", &first, &strangers]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn what_cannot_be_compared_is_an_error() {
    let arp = capture("arp", &sample("relayed.pcapng")[..2]);
    let output = tool(&["diff", &arp, "samples/lab.pcapng"]);
    assert_eq!(output.status.code(), Some(6));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("holds no DHCP message"),
        "{output:?}"
    );
    let output = tool(&["diff", "samples/relayed.pcapng", "samples/relayed.pcapng"]);
    assert_eq!(output.status.code(), Some(0));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        told.contains("2 of 4 frames hold no DHCP message"),
        "{told}"
    );
}

proptest! {
    #[test]
    fn whatever_two_recordings_hold_they_can_be_compared(
        first in vec(prop_oneof![vec(any::<u8>(), 0..400).prop_map(|it| Frame::decode(&it)), frames::frame()], 0..12),
        second in vec(frames::frame(), 0..12),
        exact: bool,
    ) {
        let numbered = |all: &[Frame]| {
            let all: Vec<_> = all.iter().map(|it| Frame::decode(&it.encode())).collect();
            exchanges((1..).zip(all).map(|(number, frame)| Numbered { number, frame }))
        };
        let (a, b) = (numbered(&first), numbered(&second));
        let messages = |all: &[Exchange]| all.iter().map(|it| it.messages.len()).sum::<usize>();
        prop_assert_eq!(messages(&a), first.iter().filter(|it| Frame::decode(&it.encode()).bootp().is_some()).count());
        let all = compare_exchanges(&a, &b, exact);
        prop_assert!(all.len() >= a.len().max(b.len()));
        let same = compare_exchanges(&a, &a, exact);
        prop_assert!(same.iter().all(|it| !it.differs()), "{:?}", same);
    }
}
