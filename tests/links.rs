//! Links as they are: what a kernel does to frames between the wire and a program, and VLAN tags both
//! ways. Two processes on the two ends of a veth pair; tshark is the third opinion.

mod support;

use std::fs;
use std::process::{Child, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value as Json;
use support::clients::{address, udhcpc};
use support::peers::{Kind, ServerConfig};
use support::segment::Segment;
use support::tool::{Run, TOOL, text, tool};
use support::wire::{End, Running, Wire};
use support::{expect_within, require, tshark};

const PATIENCE: Duration = Duration::from_secs(20);
const SERVE: [&str; 6] = [
    "serve",
    "--json",
    "--address",
    "10.88.0.1/24",
    "--pool",
    "10.88.0.100-10.88.0.110",
];

/// The bytes behind the Ethernet addresses: tags, and the ethertype of what they carry.
fn behind_addresses(frame: &Json, len: usize) -> &str {
    let hex = frame["hex"].as_str().expect("hex");
    &hex[24..24 + 2 * len]
}

fn received(run: &Run) -> Vec<Json> {
    let all = run.json().into_iter();
    all.filter(|it| it["direction"] == "received").collect()
}

/// Has `send` done at the far end, and gives what one frame looks like at the near end.
#[track_caller]
fn arrives(wire: &Wire, send: &[&str]) -> Json {
    let sniff = wire
        .near
        .start(&["sniff", "--count", "1", "--timeout", "10s", "--json"]);
    wire.far.tool(send).succeeded();
    received(&sniff.end().succeeded()).remove(0)
}

/// A script run at an end, for frames that no command sends.
#[track_caller]
fn script(end: &End, source: &str) {
    end.tool(&["run", "-c", source]).succeeded();
}

#[test]
fn a_tag_handed_over_beside_the_frame_is_put_back() {
    let wire = Wire::new(1500);
    for (flags, there) in [
        (&["--vlan", "20"][..], "810000140800"),
        (&["--vlan", "20:5", "--vlan", "30"], "8100a0148100001e0800"),
        (
            &["--ethertype", "0x88a8", "--vlan", "7", "--vlan", "8"],
            "88a8000781000008", /* and IPv4 */
        ),
        (
            &["--vlan", "1", "--vlan", "2", "--vlan", "3"],
            "810000018100000281000003",
        ),
        (&["--vlan", "0:6"], "8100c0000800"),
    ] {
        let send = [&["discover", "--timeout", "0"][..], flags].concat();
        let frame = arrives(&wire, &send);
        assert_eq!(
            behind_addresses(&frame, there.len() / 2),
            there,
            "{flags:?}"
        );
        assert_eq!(frame["message"]["type"], "DISCOVER");
    }
}

#[test]
fn an_unfinished_checksum_is_no_damage() {
    // dnsmasq replies through a UDP socket: the kernel leaves the checksum to a card that a veth lacks.
    let segment = Segment::new();
    let _server = segment.server(Kind::Dnsmasq, ServerConfig::default());
    let file = segment.directory().join("unfinished.pcapng");
    let run = |format: &str| {
        let mut command = segment.client_command(TOOL);
        let args = [
            "discover",
            "-i",
            segment.client_interface(),
            "--format",
            format,
        ];
        support::tool::finish(command.args(args).args(["-w", text(&file)]), b"")
    };
    let offers = received(&run("json").succeeded());
    assert_eq!(offers[0]["message"]["type"], "OFFER");
    assert_eq!(offers[0]["verdict"], "part");
    // Without knowing where it comes from, the checksum is wrong.
    let args = [
        "-o",
        "udp.check_checksum:TRUE",
        "-Y",
        "dhcp.option.dhcp == 2",
    ];
    let fields = ["-T", "fields", "-e", "udp.checksum.status"];
    let status = tshark(&file, &[&args[..], &fields].concat());
    assert_eq!(status.trim(), "0", "tshark finds the checksum bad");
    let tree = run("tree").succeeded().out;
    assert!(tree.contains("left to the network card"), "{tree}");
}

/// Whoever looks on at a server's own interface sees what it sends, once, and no damage in it.
#[test]
fn sniff_on_the_servers_machine_sees_both_sides() {
    let segment = Segment::new();
    let server = segment.server(Kind::Dnsmasq, ServerConfig::default());
    let file = segment.directory().join("both.pcapng");
    let watch = |format: &[&str]| {
        let mut command = server.command(TOOL);
        command.args(["sniff", "-i", server.interface(), "--format"]);
        command.args(format);
        Running::start(&mut command, segment.directory())
    };
    let (json, tree) = (watch(&["json"]), watch(&["tree", "-w", text(&file)]));
    let (_client, bound) = udhcpc(&segment);
    expect_within("a lease", PATIENCE, || address(&bound).is_some());
    expect_within("the ACK", PATIENCE, || {
        let acked = |line: &str| line.contains("53 message-type") && line.ends_with("ack");
        json.out().contains("\"ACK\"") && tree.out().lines().any(acked)
    });
    let ended = [json, tree].map(|it| {
        it.signal("INT");
        it.end().succeeded()
    });
    let seen = received(&ended[0]);
    let kinds: Vec<&Json> = seen.iter().map(|it| &it["message"]["type"]).collect();
    assert_eq!(kinds, ["DISCOVER", "OFFER", "REQUEST", "ACK"]);
    assert!(seen.iter().all(|it| it["verdict"] == "part"), "{seen:?}");
    let read = tool(&["show", "--format", "tree", text(&file)]).succeeded();
    for tree in [&ended[1].out, &read.out] {
        assert!(tree.contains("left to the network card"), "{tree}");
        assert!(!tree.contains("wrong"), "{tree}");
    }
}

#[test]
fn what_this_machine_sends_is_seen_with_its_tags() {
    let wire = Wire::new(1500);
    let watch = ["sniff", "--count", "1", "--timeout", "10s", "--json"];
    let sniff = wire.near.start(&watch);
    let source = "print(len(sniff(count=1, timeout=10)))";
    let script = wire.near.start(&["run", "-c", source]);
    let send = ["discover", "--timeout", "0"];
    let tags = ["--vlan", "30", "--vlan", "31:5"];
    wire.near.tool(&[&send[..], &tags].concat()).succeeded();
    assert_eq!(script.end().succeeded().out, "1\n");
    let seen = received(&sniff.end().succeeded());
    assert_eq!(behind_addresses(&seen[0], 10), "8100001e8100a01f0800");
}

#[test]
fn the_loopback_interface_shows_each_frame_once() {
    let wire = Wire::new(1500);
    let on_lo = |args: &[&str]| {
        let mut command = wire.near.command(TOOL);
        command.args(args).args(["-i", "lo"]);
        command
    };
    let sniff = Running::start(&mut on_lo(&["sniff", "--json"]), wire.directory());
    for xid in ["1", "2", "3"] {
        let mut send = on_lo(&["discover", "--timeout", "0", "--xid", xid]);
        support::tool::finish(&mut send, b"").succeeded();
    }
    expect_within("the last", PATIENCE, || sniff.out().lines().count() >= 3);
    sniff.signal("INT");
    let seen = received(&sniff.end().succeeded());
    let xids: Vec<&Json> = seen.iter().map(|it| &it["message"]["xid"]).collect();
    assert_eq!(xids, ["0x00000001", "0x00000002", "0x00000003"]);
}

/// What leaves this machine is no answer to what it asks.
#[test]
fn what_this_machine_sends_is_no_reply() {
    let wire = Wire::new(1500);
    let mac = ["--xid", "0x1234", "--mac", "02:00:5e:88:00:01"];
    let ask = ["discover", "--timeout", "2s", "--json"];
    let asking = wire.near.start(&[&ask[..], &mac].concat());
    let offer = ["offer", "--yiaddr", "10.88.0.9", "--timeout", "0"];
    let from = ["--server-id", "10.88.0.1"];
    let send = [&offer[..], &from, &mac].concat();
    wire.near.tool(&send).succeeded();
    let run = asking.end();
    assert_eq!(run.code, Some(3), "{run:?}");
    assert_eq!(received(&run), [] as [Json; 0]);
}

/// A program that floods an interface with UDP to a port (in hex), untagged and tagged, until it is killed.
const FLOOD: &str = "
import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind((sys.argv[1], 0))
ends = bytes.fromhex('ffffffffffff020000000001')
packet = bytes.fromhex('4500001c000100004011000000000000ffffffff270f' + sys.argv[2] + '00080000') + bytes(18)
frames = [ends + tags + b'\\x08\\x00' + packet for tags in (b'', bytes.fromhex('81000014'), bytes.fromhex('8100001481000015'))]
while True:
    for frame in frames:
        try:
            s.send(frame)
        except OSError:
            pass
";

/// The flood; it ends with the value.
struct Flood(Child);

impl Flood {
    fn start(end: &End, port: &str) -> Flood {
        let mut command = end.command(require("python3"));
        let command = command.args(["-c", FLOOD, end.interface(), port]);
        Flood(
            command
                .stdin(Stdio::null())
                .spawn()
                .expect("python3 starts"),
        )
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_flood_keeps_no_run_from_its_end() {
    let wire = Wire::new(1500);
    let _flood = Flood::start(&wire.far, "0043");
    let sniff = wire
        .near
        .start(&["sniff", "--all", "--quiet", "--timeout", "300ms"]);
    assert_eq!(sniff.end().code, Some(0));
    let ask = ["discover", "--timeout", "500ms"];
    let run = wire.near.start(&ask).end();
    assert_eq!(run.code, Some(3), "{}", run.err);
    assert!(run.err.contains("no reply"), "{}", run.err);
}

#[test]
fn other_traffic_stays_away_even_while_the_link_is_opened() {
    let wire = Wire::new(1500);
    let _flood = Flood::start(&wire.far, "270f");
    let passed = || {
        let show = wire.near.ip("-statistics -json link show near0");
        let json: Json = serde_json::from_str(&show).expect("JSON of ip");
        json[0]["stats64"]["rx"]["packets"].as_u64().unwrap_or(0)
    };
    expect_within("the flood", PATIENCE, || passed() > 10_000);
    for _ in 0..25 {
        let before = passed();
        let args = ["sniff", "--all", "--timeout", "60ms", "--json"];
        let run = wire.near.tool(&args).succeeded();
        assert!(passed() > before + 100, "the flood goes on");
        assert_eq!(run.out, "", "of port 9999 nothing is to arrive");
    }
    // What is wanted passes all the same.
    let watch = [
        "sniff",
        "--all",
        "--count",
        "4",
        "--timeout",
        "10s",
        "--json",
    ];
    let sniff = wire.near.start(&watch);
    for tags in [
        &[][..],
        &["--vlan", "20"],
        &["--vlan", "20", "--vlan", "21"],
    ] {
        wire.far
            .tool(&[&["discover", "--timeout", "0"], tags].concat())
            .succeeded();
    }
    script(&wire.far, "sendp(Ether()/ARP(pdst=\"10.88.0.7\"))");
    let seen = received(&sniff.end().succeeded());
    let summaries: Vec<&str> = seen
        .iter()
        .filter_map(|it| it["summary"].as_str())
        .collect();
    assert_eq!(seen.len(), 4, "{summaries:?}");
    assert!(summaries[3].contains("who has 10.88.0.7"), "{summaries:?}");
}

#[test]
fn the_interface_is_promiscuous_unless_told_otherwise() {
    // A veth filters no addresses, so what the kernel was told is looked at; cards obey it.
    let wire = Wire::new(1500);
    let promiscuous = || {
        wire.near
            .ip("-details link show near0")
            .contains("promiscuity 1")
    };
    assert!(!promiscuous());
    for (flags, wanted) in [(&[][..], true), (&["--no-promisc"], false)] {
        let watch = ["sniff", "--count", "1", "--timeout", "10s", "--json"];
        let sniff = wire.near.start(&[&watch[..], flags].concat());
        assert_eq!(promiscuous(), wanted, "{flags:?}");
        let offer = ["offer", "--yiaddr", "10.88.0.5", "--server-id", "10.88.0.1"];
        let to = ["--dst-mac", "02:00:5e:99:99:99", "--timeout", "0"];
        wire.far.tool(&[&offer[..], &to].concat()).succeeded();
        let frame = received(&sniff.end().succeeded()).remove(0);
        assert!(
            frame["hex"]
                .as_str()
                .is_some_and(|it| it.starts_with("02005e999999"))
        );
    }
    assert!(!promiscuous());
}

/// An option of 255 bytes, as hex.
fn long_option() -> String {
    format!("e0ff{}", "ab".repeat(255))
}

#[test]
fn large_frames_are_not_cut() {
    let wire = Wire::new(65_535);
    // The second is as long as an IPv4 datagram can be.
    for (count, tags) in [(9000, &["--vlan", "20"][..]), (65_000, &[])] {
        let options = long_option().repeat(count / 257) + "ff";
        let file = wire.directory().join("large.hex");
        let message = ["discover", "--raw-options", &options];
        let file_text = built(&message);
        fs::write(&file, &file_text).expect("a file");
        let send = ["craft", "--from", text(&file), "--timeout", "0"];
        let frame = arrives(&wire, &[&send[..], tags].concat());
        let arrived = frame["hex"].as_str().expect("hex");
        let behind = if tags.is_empty() { 24 } else { 32 };
        assert_eq!(
            arrived.len() - behind,
            file_text.len() - 24,
            "bytes behind the tag"
        );
        assert_eq!(arrived[behind..], file_text[24..]);
    }
}

/// The hex stream of what a command line builds.
#[track_caller]
fn built(args: &[&str]) -> String {
    let json = tool(&[args, &["--dry-run", "--json"]].concat())
        .succeeded()
        .json();
    json[0]["hex"].as_str().expect("hex").to_string()
}

fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("after 1970").as_secs_f64()
}

#[test]
fn a_frame_has_the_time_of_its_arrival_not_of_its_reading() {
    let wire = Wire::new(1500);
    let watch = ["sniff", "--count", "1", "--timeout", "60s", "--json"];
    let sniff = wire.near.start(&watch);
    sniff.signal("STOP");
    let before = now();
    wire.far.tool(&["discover", "--timeout", "0"]).succeeded();
    let after = now();
    std::thread::sleep(Duration::from_millis(300));
    sniff.signal("CONT");
    let frame = received(&sniff.end().succeeded()).remove(0);
    let time: f64 = frame["time"]
        .as_str()
        .and_then(|it| it.parse().ok())
        .expect("a time");
    assert!((before..after).contains(&time), "{before} {time} {after}");
}

#[test]
fn an_interface_that_goes_down_or_away_ends_the_run_and_says_which() {
    for (what, told) in [
        ("link set near0 down", "ip link set near0 up"),
        ("link del near0", "no interface `near0`"),
    ] {
        let wire = Wire::new(1500);
        let runs = [
            wire.near.start(&["discover", "--timeout", "20s"]),
            wire.near.start(&["servers", "--watch", "1s"]),
        ];
        wire.near.ip(what);
        for run in runs {
            run.end().failed(5, &["near0", told]);
        }
    }
}

#[test]
fn frames_that_the_queue_had_no_room_for_are_counted_and_told() {
    let wire = Wire::new(65_535);
    let options = long_option().repeat(200) + "ff";
    let file = wire.directory().join("large.hex");
    fs::write(&file, built(&["discover", "--raw-options", &options])).expect("a file");
    let sniff = wire.near.start(&["sniff", "--print", "xid"]);
    sniff.signal("STOP");
    // 51 kB each: more than the queue's 16 MiB.
    let send = ["craft", "--from", text(&file), "--count", "600"];
    let fast = ["--interval", "0", "--timeout", "0", "--quiet"];
    wire.far.tool(&[&send[..], &fast].concat()).succeeded();
    sniff.signal("CONT");
    sniff.signal("INT");
    let run = sniff.end().succeeded();
    let told = run.err.lines().find(|it| it.contains("the kernel dropped"));
    let told = told.unwrap_or_else(|| panic!("not told: {}", run.err));
    let dropped: usize = told
        .split(' ')
        .find_map(|it| it.parse().ok())
        .expect("a number");
    assert!((1..600).contains(&dropped), "{told}");
}

/// Tags, as flags, as bytes with the ethertype they carry, and as tshark reads them.
const TAGS: [(&[&str], &str, &str); 4] = [
    (&[], "0800", "\t"),
    (&["--vlan", "20"], "810000140800", "20\t0"),
    (
        &["--vlan", "20", "--vlan", "30:5"],
        "810000148100a01e0800",
        "20,30\t0,5",
    ),
    (
        &["--ethertype", "0x88a8", "--vlan", "20:3", "--vlan", "30"],
        "88a860148100001e0800",
        "20,30\t3,0",
    ),
];

#[test]
fn serve_answers_with_the_tags_it_was_asked_with() {
    let wire = Wire::new(1500);
    let _serve = wire.far.start(&SERVE);
    for (index, (flags, bytes, read)) in TAGS.into_iter().enumerate() {
        let file = wire.directory().join(format!("tags-{index}.pcapng"));
        let dora = ["dora", "--json", "--probe", "-w", text(&file)];
        let run = wire.near.tool(&[&dora[..], flags].concat()).succeeded();
        let frames = run.json();
        let messages = frames.iter().filter(|it| it["message"].is_object());
        assert_eq!(messages.count(), 4, "{flags:?}");
        for frame in frames.iter().filter(|it| it["message"].is_object()) {
            assert_eq!(
                behind_addresses(frame, bytes.len() / 2),
                bytes,
                "{}",
                frame["summary"]
            );
        }
        let fields = ["-T", "fields", "-e", "vlan.id", "-e", "vlan.priority"];
        let ids = ["-e", "ieee8021ad.id", "-e", "ieee8021ad.priority"];
        let lines = tshark(&file, &[&["-Y", "dhcp"], &fields[..], &ids].concat());
        assert_eq!(lines.lines().count(), 4);
        for line in lines.lines() {
            let columns: Vec<&str> = line.split('\t').collect();
            let join = |outer: &str, inner: &str| match outer.is_empty() {
                true => inner.to_string(),
                false => format!("{outer},{inner}"),
            };
            let said = format!(
                "{}\t{}",
                join(columns[2], columns[0]),
                join(columns[3], columns[1])
            );
            assert_eq!(said, read, "{line:?}");
        }
        let amiss = ["-Y", "_ws.malformed or _ws.expert.severity >= \"Warning\""];
        assert_eq!(tshark(&file, &amiss).trim(), "");
    }
}

#[test]
fn tags_are_shown_where_replies_are() {
    let wire = Wire::new(1500);
    let _serve = wire.far.start(&SERVE);
    let tags = ["--vlan", "20", "--vlan", "30:5"];
    let table = wire
        .near
        .tool(&[&["discover"], &tags[..]].concat())
        .succeeded()
        .out;
    let row = table.lines().nth(1).expect("a row");
    assert!(row.split_whitespace().any(|it| it == "20.30"), "{table}");
    let ladder = wire
        .near
        .tool(&[&["dora"], &tags[..]].concat())
        .succeeded()
        .out;
    assert!(ladder.contains("vlan 20.30"), "{ladder}");
    // Where nothing is tagged, nothing is said of it.
    let plain = wire.near.tool(&["discover"]).succeeded().out;
    assert!(!plain.contains("vlan"), "{plain}");
}

#[test]
fn serve_with_a_vlan_keeps_to_it() {
    let wire = Wire::new(1500);
    let _serve = wire.far.start(&[&SERVE[..], &["--vlan", "20:4"]].concat());
    let discover = ["discover", "--timeout", "700ms", "--json"];
    for tags in [
        &[][..],
        &["--vlan", "30"],
        &["--vlan", "20", "--vlan", "20"],
    ] {
        let run = wire.near.tool(&[&discover[..], tags].concat());
        assert_eq!(run.code, Some(3), "{tags:?}: {run:?}");
    }
    let run = wire
        .near
        .tool(&[&discover[..], &["--vlan", "20"]].concat())
        .succeeded();
    // Its own priority.
    assert_eq!(behind_addresses(&received(&run)[0], 6), "810080140800");
    // ARP for the server's address, likewise.
    let watch = [
        "sniff",
        "--all",
        "--count",
        "4",
        "--timeout",
        "10s",
        "--json",
    ];
    let sniff = wire.near.start(&watch);
    for tag in ["", "Dot1Q(vlan=30)/", "Dot1Q(vlan=20, prio=2)/"] {
        let source = format!("sendp(Ether()/{tag}ARP(pdst=\"10.88.0.1\"))");
        script(&wire.near, &source);
    }
    // What was asked is seen as well.
    let answer = received(&sniff.end().succeeded()).remove(3);
    let summary = answer["summary"].as_str().expect("a summary");
    assert!(summary.contains("10.88.0.1 is at"), "{summary}");
    assert_eq!(behind_addresses(&answer, 6), "810040140806");
}

#[test]
fn a_reply_on_another_vlan_is_not_taken() {
    let wire = Wire::new(1500);
    let mac = "02:00:5e:88:00:01";
    let ask = [
        "discover",
        "--xid",
        "0x1234",
        "--mac",
        mac,
        "--timeout",
        "3s",
    ];
    let asking = |tags: &[&str]| {
        let watch = ["sniff", "--count", "1", "--timeout", "20s"];
        let seen = wire.far.start(&watch);
        let asking = wire.near.start(&[&ask[..], tags].concat());
        // A reply before its request is none.
        seen.end().succeeded();
        asking
    };
    let reply = |tags: &[&str]| {
        let offer = [
            "offer",
            "--xid",
            "0x1234",
            "--mac",
            mac,
            "--yiaddr",
            "10.88.0.9",
        ];
        let from = ["--server-id", "10.88.0.1", "--timeout", "0"];
        wire.far
            .tool(&[&offer[..], &from, tags].concat())
            .succeeded();
    };
    let asked = asking(&["--vlan", "20"]);
    reply(&[]);
    reply(&["--vlan", "30"]);
    reply(&["--vlan", "20", "--vlan", "30"]);
    let run = asked.end();
    assert_eq!(run.code, Some(3), "{run:?}");
    let told: Vec<&str> = run.err.split_whitespace().collect();
    for reason in ["no VLAN", "VLAN 30", "VLAN 20.30"] {
        let said = format!("on {reason}, asked on VLAN 20");
        let found = told.join(" ").contains(&said);
        assert!(found, "{said:?} is not in {}", run.err);
    }
    // Among strays the answer is found; a priority alone is no VLAN.
    for (tags, wrong, right) in [
        (&["--vlan", "20"][..], &[][..], &["--vlan", "20:7"][..]),
        (&[], &["--vlan", "20"], &["--vlan", "0:6"]),
        (&["--vlan", "0:6"], &["--vlan", "20"], &[]),
    ] {
        let asked = asking(tags);
        reply(wrong);
        reply(right);
        let run = asked.end().succeeded();
        assert!(run.out.contains("not taken: OFFER"), "{}", run.out);
        assert!(run.out.contains(", asked on "), "{}", run.out);
    }
}

#[test]
fn the_server_is_found_by_arp_on_its_vlan() {
    let wire = Wire::new(1500);
    let _serve = wire.far.start(&SERVE);
    let file = wire.directory().join("release.pcapng");
    let release = [
        "release",
        "--ciaddr",
        "10.88.0.100",
        "--server-id",
        "10.88.0.1",
    ];
    let tags = ["--vlan", "20", "--vlan", "30:5", "-w", text(&file)];
    let run = wire.near.tool(&[&release[..], &tags].concat()).succeeded();
    assert!(!run.err.contains("nobody answers ARP"), "{}", run.err);
    let fields = ["-T", "fields", "-e", "vlan.id", "-e", "eth.dst"];
    let lines = tshark(&file, &[&["-Y", "dhcp"], &fields[..]].concat());
    let (ids, mac) = lines.trim().split_once('\t').expect("two columns");
    assert_eq!(ids, "20,30");
    let far = wire.far.ip("-brief link show far0");
    assert!(far.contains(mac), "{mac} is not in {far}");
}

#[test]
fn a_lease_held_on_a_vlan_answers_arp_and_ping_there() {
    let wire = Wire::new(1500);
    let serve = wire.far.start(&SERVE);
    let hold = ["dora", "--vlan", "20:1", "--hold", "60s", "--json"];
    let client = wire.near.start(&hold);
    expect_within("the lease", PATIENCE, || client.out().contains("\"ACK\""));
    drop(serve);
    let sniff = wire.far.start(&["sniff", "--all", "--json"]);
    for tag in ["", "Dot1Q(vlan=30)/", "Dot1Q(vlan=20)/"] {
        let arp = "ARP(pdst=\"10.88.0.100\", psrc=\"10.88.0.1\")";
        let ping = "IP(src=\"10.88.0.1\", dst=\"10.88.0.100\")/ICMP()";
        for it in [arp, ping] {
            script(&wire.far, &format!("sendp(Ether()/{tag}{it})"));
        }
    }
    expect_within("the answers", PATIENCE, || {
        sniff.out().contains("ping reply")
    });
    sniff.signal("INT");
    // What was asked is seen as well.
    let mut answers = received(&sniff.end().succeeded());
    answers.retain(|it| {
        let summary = it["summary"].as_str().unwrap_or_default();
        summary.contains("is at") || summary == "ping reply"
    });
    let summaries: Vec<&Json> = answers.iter().map(|it| &it["summary"]).collect();
    assert_eq!(answers.len(), 2, "{summaries:?}");
    assert_eq!(
        behind_addresses(&answers[0], 6),
        "810000140806",
        "{summaries:?}"
    );
    assert_eq!(
        behind_addresses(&answers[1], 6),
        "810000140800",
        "{summaries:?}"
    );
}

#[test]
fn sniff_with_a_vlan_shows_only_that() {
    let wire = Wire::new(1500);
    let watch = [
        "sniff",
        "--vlan",
        "20",
        "--count",
        "1",
        "--timeout",
        "10s",
        "--json",
    ];
    let sniff = wire.near.start(&watch);
    for tags in [&[][..], &["--vlan", "30"], &["--vlan", "20:2"]] {
        wire.far
            .tool(&[&["discover", "--timeout", "0"], tags].concat())
            .succeeded();
    }
    let seen = received(&sniff.end().succeeded());
    assert_eq!(behind_addresses(&seen[0], 6), "810040140800");
}

#[test]
fn the_lab_stands_on_every_vlan() {
    let run = tool(&["dora", "--vlan", "20", "--vlan", "30:5", "--json"]).succeeded();
    let frames = run.json();
    assert_eq!(frames.len(), 4);
    for frame in &frames {
        assert_eq!(behind_addresses(frame, 10), "810000148100a01e0800");
    }
    let taken = [
        "dora",
        "-i",
        "lab:taken",
        "--probe",
        "--vlan",
        "7",
        "--restarts",
        "0",
    ];
    assert_eq!(tool(&taken).code, Some(1));
}
