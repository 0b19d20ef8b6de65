//! Why an exchange failed: each cause is brought about, comes first, and names the frames it rests on.

mod support;

use std::path::Path;
use std::time::Duration;

use dhcpcraft::commands::diagnosis::{
    CAUSES, Circumstances, Crowd, Evidence, Likelihood, SHOWN, diagnose,
};
use dhcpcraft::dhcp::enums::{ACK, DISCOVER, OFFER};
use dhcpcraft::dhcp::template::{self, Identity};
use dhcpcraft::link::{Health, Received, Time};
use dhcpcraft::talk::{Event, Verdict};
use dhcpcraft::wire::{Frame, MacAddr};
use proptest::prelude::*;
use serde_json::Value as Json;
use support::expect_within;
use support::peers::{Kind, ServerConfig};
use support::segment::Segment;
use support::tool::{Run, TOOL, command, finish, scratch, text, tool};
use support::wire::Wire;

const PATIENCE: Duration = Duration::from_secs(15);

/// A failure in the lab: its server's rules or the name of its cast, what is run there, the cause, and a
/// part of the summary of each frame that it rests on.
type Case = (
    &'static str,
    &'static [&'static str],
    &'static str,
    &'static [&'static str],
);

/// What rules may use: another client, and how to tag a frame.
const PRELUDE: &str = r#"
OTHER = "02:00:5e:00:00:42"
SERVER = "02:00:5e:00:00:01"
def other(kind, op=1):
    src, dst = ("0.0.0.0", "255.255.255.255") if op == 1 else ("192.0.2.1", "255.255.255.255")
    ports = UDP(sport=68, dport=67) if op == 1 else UDP(sport=67, dport=68)
    return Ether(src=OTHER if op == 1 else SERVER, dst="ff:ff:ff:ff:ff:ff") / IP(src=src, dst=dst) / ports / BOOTP(op=op, xid=7, chaddr=OTHER) / DHCP(options=[("message-type", kind), ("server_id", "192.0.2.1"), "end"])
def arp(pdst, op=1, vlan=None):
    tag = Ether(src=SERVER, dst="ff:ff:ff:ff:ff:ff")
    if vlan != None:
        tag = tag / Dot1Q(vlan=vlan)
    return tag / ARP(op=op, hwsrc=SERVER, psrc="192.0.2.1", pdst=pdst)
"#;

const CASES: &[Case] = &[
    ("wrong-xid", &["discover"], "other-xid", &["OFFER"]),
    ("wrong-chaddr", &["discover"], "other-client", &["OFFER"]),
    ("bad-checksum", &["discover"], "bad-checksum", &["OFFER"]),
    ("truncate=200", &["discover"], "cut-short", &["UDP"]),
    ("truncate=290", &["discover"], "cut-short", &["OFFER"]),
    ("truncate=30", &["discover"], "cut-short", &[""]),
    (
        "def on_discover(req):\n    o = answer(req)\n    o[UDP].sport = 1067\n    o[UDP].dport = 1068\n    return o",
        &["discover"],
        "other-port",
        &["UDP"],
    ),
    (
        "two-servers",
        &["discover", "--wait", "--where", "pkt.yiaddr == '10.0.0.1'"],
        "where-excludes",
        &["OFFER", "OFFER"],
    ),
    (
        "def on_discover(req):\n    o = answer(req)\n    return Ether(src=SERVER, dst=req[Ether].src) / Dot1Q(vlan=20) / o[IP]",
        &["discover"],
        "other-vlan",
        &["OFFER"],
    ),
    (
        "two-servers",
        &["dora", "--choose", "server=192.0.2.9", "--tries", "1"],
        "not-chosen",
        &["OFFER", "OFFER"],
    ),
    (
        "taken",
        &["dora", "--probe", "--restarts", "0"],
        "address-taken",
        &["192.0.2.100 is at", "DECLINE"],
    ),
    (
        "def on_request(req):\n    return nak(req, server_id='192.0.2.66')",
        &["dora", "--tries", "1"],
        "nak-other-server",
        &["REQUEST", "NAK"],
    ),
    (
        "lab",
        &["reboot", "--requested-ip", "10.1.1.1"],
        "nak-wrong-network",
        &["REQUEST", "NAK"],
    ),
    (
        "def on_request(req):\n    return nak(req, option=['message=wrong network'])",
        &["dora"],
        "nak-wrong-network",
        &["REQUEST", "NAK"],
    ),
    (
        "nak",
        &[
            "renew",
            "--ciaddr",
            "192.0.2.150",
            "--server-id",
            "192.0.2.1",
        ],
        "nak-no-lease",
        &["REQUEST", "NAK"],
    ),
    (
        "nak",
        &["dora"],
        "nak-address",
        &["OFFER", "REQUEST", "NAK"],
    ),
    (
        "lab",
        &[
            "discover",
            "--relay",
            "198.51.100.1",
            "--server",
            "192.0.2.9",
        ],
        "server-not-found",
        &[
            "who has 192.0.2.9",
            "who has 192.0.2.9",
            "who has 192.0.2.9",
        ],
    ),
    (
        "def on_discover(req):\n    return Ether(src=SERVER, dst=req[Ether].src) / IP(src='192.0.2.1', dst='192.0.2.9') / ICMP(type=3, code=3)",
        &["discover"],
        "port-unreachable",
        &["ICMP unreachable"],
    ),
    (
        "lab",
        &["discover", "--ethertype", "0x1234"],
        "own-protocol",
        &["Raw, 328 bytes"],
    ),
    (
        "lab",
        &["discover", "--udp-len", "100"],
        "own-length",
        &["UDP"],
    ),
    (
        "lab",
        &["discover", "--udp-chksum", "1"],
        "own-checksum",
        &["DISCOVER"],
    ),
    ("lab", &["discover", "--frag", "3"], "own-fragment", &[""]),
    (
        "silent",
        &["discover", "--src-mac", "03:00:00:00:00:01"],
        "own-source",
        &["DISCOVER"],
    ),
    (
        "lab",
        &["discover", "--sport", "1068", "--dport", "1067"],
        "own-port",
        &["UDP 1068 -> 1067"],
    ),
    ("lab", &["discover", "--op", "2"], "own-op", &["DISCOVER"]),
    (
        "silent",
        &["discover", "--cookie", "hex:01020304"],
        "own-cookie",
        &["BOOTREQUEST"],
    ),
    (
        "silent",
        &["discover", "--hops", "17"],
        "own-hops",
        &["DISCOVER"],
    ),
    (
        "lab",
        &["craft", "--type", "14", "--timeout", "1s"],
        "own-type",
        &["BULKLEASEQUERY"],
    ),
    (
        "silent",
        &["discover", "--dst-mac", "02:00:5e:00:00:77"],
        "own-destination",
        &["DISCOVER"],
    ),
    (
        "silent",
        &["discover", "--ttl", "0"],
        "own-ttl",
        &["DISCOVER"],
    ),
    (
        "silent",
        &["discover", "--htype", "6"],
        "own-hardware",
        &["DISCOVER"],
    ),
    (
        "lab",
        &["discover", "--impair", "loss=100%"],
        "impaired",
        &["DISCOVER"],
    ),
    (
        "def on_request(req):\n    return ack(req, server_id='192.0.2.66')",
        &["dora", "--tries", "1"],
        "other-server",
        &["ACK"],
    ),
    (
        "wrong-server-id",
        &["dora", "--tries", "1"],
        "server-id-mismatch",
        &["OFFER", "REQUEST"],
    ),
    (
        "def on_discover(req):\n    o = answer(req)\n    o[Ether].dst = '02:00:5e:00:00:77'\n    return o\ndef on_request(req):\n    return None",
        &["dora", "--tries", "1"],
        "misdelivered",
        &["OFFER"],
    ),
    (
        "def on_discover(req):\n    return offer(req, yiaddr='192.0.2.150', option=['router=10.9.9.1'])\ndef on_request(req):\n    return None",
        &["dora", "--tries", "1"],
        "offer-unusable",
        &["OFFER"],
    ),
    (
        "def on_discover(req):\n    return offer(req, yiaddr='192.0.2.255')\ndef on_request(req):\n    return None",
        &["dora", "--tries", "1"],
        "offer-unusable",
        &["OFFER"],
    ),
    (
        "drop=ack",
        &["dora", "--tries", "1"],
        "no-ack",
        &["OFFER", "REQUEST"],
    ),
    (
        "def on_discover(req):\n    return ack(req, yiaddr='192.0.2.150')",
        &["dora", "--tries", "1"],
        "unasked",
        &["ACK"],
    ),
    (
        "def on_inform(req):\n    return arp('192.0.2.77', vlan=20)",
        &["inform", "--ciaddr", "192.0.2.77"],
        "undeliverable",
        &["who has 192.0.2.77"],
    ),
    (
        "lab",
        &["discover", "--relay", "10.5.5.5", "--server", "192.0.2.1"],
        "relay-unknown",
        &["192.0.2.1 is at", "DISCOVER"],
    ),
    (
        "def on_discover(req):\n    r = req.copy()\n    r[BOOTP].giaddr = '192.0.2.250'\n    return r",
        &["discover"],
        "relayed-in-vain",
        &["DISCOVER"],
    ),
    (
        "def on_discover(req):\n    return [other('discover'), other('offer', op=2)]",
        &["discover"],
        "others-served",
        &["OFFER"],
    ),
    (
        "def on_discover(req):\n    return other('request')",
        &["discover"],
        "others-served",
        &["REQUEST"],
    ),
    (
        "def on_discover(req):\n    return [arp('192.0.2.9', op=2, vlan=30), arp('192.0.2.8', op=2, vlan=30)]",
        &["discover"],
        "traffic-tagged",
        &["ARP", "ARP"],
    ),
    (
        "def on_discover(req):\n    return other('discover')",
        &["discover"],
        "others-unanswered",
        &["DISCOVER"],
    ),
    (
        "def on_inform(req):\n    return None",
        &["inform", "--ciaddr", "0.0.0.0"],
        "inform-unanswered",
        &["INFORM"],
    ),
    (
        "def on_bootp(req):\n    return None",
        &["craft", "--type", "bootp", "--timeout", "2s"],
        "bootp-unanswered",
        &["BOOTREQUEST"],
    ),
    (
        "lab",
        &["reboot", "--requested-ip", "192.0.2.150"],
        "no-binding",
        &["REQUEST"],
    ),
    (
        "def on_discover(req):\n    return arp('192.0.2.160')",
        &["discover"],
        "address-check",
        &["who has 192.0.2.160"],
    ),
    ("silent", &["discover"], "nothing-arrived", &[]),
    (
        "def on_discover(req):\n    return arp('192.0.2.9', op=2)",
        &["discover"],
        "arp-traffic",
        &["ARP"],
    ),
    (
        "def on_discover(req):\n    return Ether(src=SERVER) / IP(src='192.0.2.1', dst='192.0.2.9') / ICMP(type=8)",
        &["discover"],
        "other-traffic",
        &["ping request"],
    ),
];

/// Causes that take more than the lab, and are brought about below.
const ELSEWHERE: [&str; 8] = [
    "client-ended",
    "nothing-to-give",
    "own-vlan",
    "frames-lost",
    "interface-down",
    "no-carrier",
    "kernel-dropped",
    "not-promiscuous",
];

/// The causes that a failed run tells under `--json`.
#[track_caller]
fn causes(run: &Run) -> Vec<Json> {
    let last = run
        .json()
        .pop()
        .unwrap_or_else(|| panic!("no line: {run:?}"));
    assert_eq!(last["code"], run.code.expect("a code"), "{run:?}");
    last["causes"].as_array().expect("causes").clone()
}

/// The cause is the first, and its frames are these of the capture.
#[track_caller]
fn rests(causes: &[Json], id: &str, file: &Path, frames: &[&str]) {
    let first = causes.first().expect("a cause");
    assert_eq!(first["id"], id, "{causes:#?}");
    let numbers = first["frames"].as_array().expect("numbers");
    let shown = tool(&["show", text(file), "--json"]).succeeded().json();
    let summary = |number: &Json| {
        let found = shown.iter().find(|it| it["number"] == *number);
        found.expect("a frame of the capture")["summary"].to_string()
    };
    let all: Vec<String> = numbers.iter().map(summary).collect();
    assert_eq!(all.len(), frames.len(), "{id}: {all:?}");
    for (summary, part) in all.iter().zip(frames) {
        assert!(summary.contains(part), "{id}: {part} is not in {summary}");
    }
}

#[test]
fn each_cause_comes_first_and_names_its_frames() {
    let directory = scratch("diagnosis");
    for (at, (cast, args, id, frames)) in CASES.iter().enumerate() {
        let link = match (cast.contains('\n'), *cast) {
            (true, rules) => {
                let file = directory.join(format!("{at}.star"));
                std::fs::write(&file, format!("{PRELUDE}\n{rules}\n")).expect("a file");
                format!("lab:{}", file.display())
            }
            (false, "lab") => "lab".into(),
            (false, name) => format!("lab:{name}"),
        };
        let file = directory.join(format!("{at}.pcapng"));
        let more = ["-i", &link, "-w", text(&file), "--json", "--seed", "7"];
        let run = tool(&[args, &more[..]].concat());
        assert!(matches!(run.code, Some(1 | 3 | 4)), "{id}: {}", run.err);
        rests(&causes(&run), id, &file, frames);
    }
}

#[test]
fn what_was_sent_is_counted_and_what_was_set_in_it_is_named() {
    for (flags, id, said) in [
        (
            &["--dport", "1067"][..],
            "own-port",
            "sent to port 1067, where no DHCP server listens",
        ),
        (
            &["--udp-chksum", "1"],
            "own-checksum",
            "UDP checksum 0x0001 is wrong",
        ),
        (
            &["--ip-chksum", "1"],
            "own-checksum",
            "IP checksum 0x0001 is wrong",
        ),
        (
            &["--udp-len", "9"],
            "own-length",
            "the UDP header says 9 bytes",
        ),
        (
            &["--ip-len", "9000"],
            "own-length",
            "the IP header says 9000 bytes",
        ),
        (
            &["--ihl", "7"],
            "own-length",
            "the IP header says that it is 28 bytes long",
        ),
        (&["--ip-version", "6"], "own-protocol", "version 4"),
        (&["--ip-proto", "1"], "own-protocol", "the IP protocol is 1"),
        (&["--ip-proto", "6"], "own-protocol", "the IP protocol is 6"),
        (
            &["--ethertype", "0x0806"],
            "own-protocol",
            "ethertype 0x0806",
        ),
        (&["--ip-flags", "1"], "own-fragment", "fragment"),
        (&["--src-ip", "127.0.0.1"], "own-source", "127.0.0.1"),
        (&["--op", "3"], "own-op", "op is 3"),
        (&["--hlen", "0"], "own-hardware", "hlen is 0"),
        (
            &["--chaddr", "00:00:00:00:00:00"],
            "own-hardware",
            "all zeros",
        ),
        (&["--cookie", "hex:00000000"], "own-cookie", "00000000"),
        (
            &["--dst-ip", "192.0.2.77", "--dst-mac", "ff:ff:ff:ff:ff:ff"],
            "own-destination",
            "192.0.2.77",
        ),
    ] {
        let ask = ["discover", "-i", "lab:silent", "--timeout", "1s", "--json"];
        let run = tool(&[&ask[..], flags].concat());
        assert_eq!(run.code, Some(3), "{flags:?}: {run:?}");
        assert_eq!(run.json().pop().expect("a line")["tries"], 1, "{flags:?}");
        let causes = causes(&run);
        let text = causes[0]["text"].as_str().expect("text");
        assert_eq!(causes[0]["id"], id, "{flags:?}: {text}");
        assert!(text.contains(said), "{flags:?}: {text}");
        assert_ne!(causes[0]["next"], "", "{flags:?}");
    }
    // A message as it should be has nothing of the kind, nor has one that is answered all the same.
    for (link, flags) in [
        ("lab:silent", &["--hops", "1"][..]),
        (
            "lab:silent",
            &["--src-mac", "02:00:00:00:00:07", "--broadcast"],
        ),
        ("lab:silent", &["--vlan", "20", "--vlan", "30"]),
        ("lab:silent", &["--bare", "--option", "53=1"]),
        ("lab:wrong-xid", &["--ttl", "0", "--hops", "20"]),
    ] {
        let run = tool(&[&["discover", "-i", link, "--json"], flags].concat());
        assert_eq!(run.code, Some(3), "{flags:?}: {run:?}");
        assert!(!run.out.contains("\"own-"), "{flags:?}: {run:?}");
    }
    let many = ["dora", "--clients", "3", "--dport", "1067", "--json"];
    let run = tool(&many);
    assert_eq!(common(&run), (3, vec![("own-port".to_string(), 3)]));
}

#[test]
fn a_vlan_on_which_nothing_arrives_is_named() {
    let wire = Wire::new(1500);
    let ask = ["discover", "--timeout", "300ms", "--json", "--vlan", "20"];
    let run = wire.near.tool(&ask);
    let causes = causes(&run);
    assert_eq!(causes[0]["id"], "own-vlan", "{run:?}");
    let text = causes[0]["text"].as_str().expect("text");
    assert!(text.contains("on VLAN 20"), "{text}");
}

#[test]
fn a_server_of_the_lab_that_was_asked_did_not_answer() {
    let file = scratch("diagnosis-lab").join("deaf.star");
    std::fs::write(&file, "def on_discover(req):\n    return None\n").expect("a file");
    let rules = format!("lab:{}", file.display());
    for (link, said) in [
        (
            "lab:delay=10s",
            "did not answer in time: it plays delay=10s",
        ),
        ("lab:drop=100%", "did not answer: it plays drop=100%"),
        (rules.as_str(), "did not answer: so its rules have it, "),
    ] {
        let run = tool(&["discover", "-i", link, "--json"]);
        assert_eq!(run.code, Some(3), "{run:?}");
        let causes = causes(&run);
        assert_eq!(causes[0]["id"], "nothing-arrived");
        let text = causes[0]["text"].as_str().expect("text");
        assert!(
            text.contains("the lab's server, 192.0.2.1, was asked and "),
            "{text}"
        );
        assert!(text.contains(said), "{text}");
        assert_ne!(causes[0]["next"], "");
    }
    let run = tool(&["discover", "-i", "lab:silent"]);
    assert!(run.err.contains("in this lab nobody answers"), "{run:?}");
}

#[test]
fn a_reply_that_no_player_speaks_of_has_a_reason_too() {
    let foreign = |xid: u32, client: u32| match of_client(OFFER, client) {
        Event::Received { mut received, .. } => {
            received.bytes[46..50].copy_from_slice(&xid.to_be_bytes());
            event(false, received.bytes, 0)
        }
        sent => sent,
    };
    // Ours, one to another transaction, one to ours for another client.
    for (id, reply) in [
        ("unasked", foreign(2, 1)),
        ("other-xid", foreign(9, 1)),
        ("other-client", foreign(2, 5)),
    ] {
        let mut evidence = Evidence::default();
        evidence.saw(1, &of_client(DISCOVER, 1));
        evidence.saw(2, &reply);
        let causes = diagnose(&evidence, &Circumstances::default());
        let told = causes.iter().find(|it| it.id == id);
        let told = told.unwrap_or_else(|| panic!("{id}: {causes:?}"));
        let (_, reason) = told.text.split_once("not taken: ").expect("a reason");
        assert!(reason.len() > 10, "{id}: {told:?}");
    }
}

#[test]
fn every_row_of_the_table_is_brought_about() {
    for row in CAUSES {
        let id = row.id;
        let shown = CASES.iter().any(|it| it.2 == id) || ELSEWHERE.contains(&id);
        assert!(shown, "nothing here brings about {id}");
        assert!(
            row.meaning.len() > 10 && !row.meaning.ends_with('.'),
            "{id}"
        );
        let same = CAUSES.iter().filter(|it| it.id == id).count();
        assert_eq!(same, 1, "{id} stands twice");
    }
}

#[test]
fn what_went_well_has_no_diagnosis() {
    for command in [&["dora"][..], &["discover"], &["inform"]] {
        let run = tool(&[command, &["--json"]].concat()).succeeded();
        assert!(
            run.json().iter().all(|it| it["ending"].is_null()),
            "{run:?}"
        );
        assert!(!run.err.contains("  - "), "{run:?}");
    }
}

#[test]
fn a_person_reads_causes_frames_and_the_next_step() {
    let file = scratch("diagnosis-read").join("fail.pcapng");
    let run = tool(&[
        "dora",
        "-i",
        "lab:wrong-server-id",
        "--tries",
        "1",
        "-w",
        text(&file),
    ]);
    let said = "  - the OFFER names server 192.0.2.254 and comes from 192.0.2.1: the REQUEST is for\n    192.0.2.254, which does not answer (likely, frames 2 and 3 of fail.pcapng)\n      next: ";
    assert!(run.err.contains(said), "{}", run.err);
    assert!(run.err.lines().all(|it| it.len() <= 100), "{}", run.err);
    let run = tool(&["discover", "-i", "lab:wrong-xid"]);
    assert!(run.err.contains("(frame 2)"), "{}", run.err);
    assert!(run.err.contains("-w FILE.pcapng keeps"), "{}", run.err);
    let quiet = tool(&["discover", "-i", "lab:wrong-xid", "--quiet"]);
    assert_eq!((quiet.code, quiet.err.as_str()), (Some(3), ""));
}

#[test]
fn what_a_server_says_does_nothing_to_the_terminal() {
    let file = scratch("diagnosis-hostile").join("hostile.star");
    // An escape sequence, and a character that turns the direction of the text.
    let rules = "def on_request(req):\n    return nak(req, option=['56=hex:6e6f1b5b324ae280ae'])\n";
    std::fs::write(&file, rules).expect("a file");
    let link = format!("lab:{}", file.display());
    for more in [&[][..], &["--json"]] {
        let run = tool(&[&["dora", "-i", &link], more].concat());
        assert_eq!(run.code, Some(4), "{run:?}");
        let all = run.out + &run.err;
        assert!(!all.contains(['\x1b', '\u{202e}']), "{all:?}");
        assert!(all.contains("2J"), "{all}");
    }
}

#[test]
fn scripts_tests_and_conform_tell_causes_too() {
    let first = "print(discover(interface='lab:wrong-xid').causes[0]['id'])";
    let run = tool(&["run", "-c", first]).succeeded();
    assert_eq!(run.out, "other-xid\n");
    let file = scratch("diagnosis-script").join("why.star");
    let source = "def test_why():\n    assert_offer(discover(interface='lab:drop=offer'))\n";
    std::fs::write(&file, source).expect("a file");
    let run = tool(&["test", text(&file)]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.out.contains("- nothing at all arrived"), "{run:?}");
    let run = tool(&["conform", "-i", "lab:silent"]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(run.out.contains("  - nothing at all arrived"), "{run:?}");
    let run = tool(&["servers", "-i", "lab:wrong-chaddr", "--timeout", "1s"]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(
        run.err.contains("  - 6 replies were not taken: chaddr"),
        "{run:?}"
    );
}

#[test]
fn a_link_that_loses_its_carrier_is_the_first_cause() {
    let wire = Wire::new(1500);
    let run = wire.near.start(&["discover", "--timeout", "2s", "--json"]);
    expect_within("the DISCOVER", PATIENCE, || run.out().contains("DISCOVER"));
    wire.far.ip("link set far0 down");
    let run = run.end();
    assert_eq!(causes(&run)[0]["id"], "no-carrier", "{run:?}");
}

#[test]
fn the_silence_of_a_dead_cable_is_no_servers() {
    let wire = Wire::new(1500);
    let file = wire.directory().join("dead.star");
    let source = r#"
def test_exchange():
    expect_silence(discover(timeout="300ms"))

def test_packet():
    expect_silence(discover(dry_run=True).entries[0], timeout=0.3)

def test_listening():
    expect_silence(0.3)
"#;
    std::fs::write(&file, source).expect("a file");
    let args = ["test", text(&file), "--json"];
    let rows = wire.near.tool(&args).json();
    assert_eq!(rows[3]["passed"], 3, "{rows:?}");
    wire.far.ip("link set far0 down");
    expect_within("the wire to go down", PATIENCE, || {
        !wire.near.ip("-brief link show near0").contains(" UP ")
    });
    let rows = wire.near.tool(&args).json();
    for row in &rows[..3] {
        assert_eq!(row["status"], "failed", "{row}");
        let message = row["message"].as_str().expect("a message");
        assert!(
            message.starts_with("this silence is not a server's: "),
            "{message}"
        );
        assert!(
            message.contains(" has no carrier: check the cable"),
            "{message}"
        );
    }
}

#[test]
fn a_frame_sent_right_after_the_carrier_went_is_lost_and_no_fault_of_the_link() {
    let wire = Wire::new(1500);
    let file = wire.directory().join("lost.pcapng");
    let ask = ["discover", "--timeout", "50ms", "--json", "-w", text(&file)];
    let mut refused = 0;
    for round in 0..60 {
        // On a busy machine the kernel may have noticed before the tool sends.
        if refused == 8 {
            break;
        }
        wire.far.ip("link set far0 up");
        expect_within("the wire to come up", PATIENCE, || {
            wire.near.ip("-brief link show near0").contains(" UP ")
        });
        // The kernel does not say of every frame that it went nowhere: it stops when it has noticed.
        wire.far.ip("link set far0 down");
        let run = wire.near.tool(&ask);
        assert_eq!(run.code, Some(3), "round {round}: {run:?}");
        assert_eq!(causes(&run)[0]["id"], "no-carrier", "round {round}");
        let said = "DISCOVER, not sent: no carrier";
        if run.json()[0]["comment"] == said {
            refused += 1;
            let recorded = tool(&["show", text(&file), "--json"]).succeeded().json();
            assert_eq!(recorded[0]["comment"], said, "round {round}");
        }
    }
    assert!(refused > 0, "no round met the moment that this is about");
}

#[test]
fn a_full_send_queue_is_waited_for_and_one_that_stays_full_is_named() {
    let wire = Wire::new(1500);
    let shape = |rate: &str| {
        let mut tc = wire.near.command(support::require("tc"));
        tc.args([
            "qdisc", "replace", "dev", "near0", "root", "tbf", "rate", rate,
        ]);
        // Room for one message in the queue, and for one that passes it.
        let shaped = tc.args(["burst", "400", "limit", "400"]).status();
        assert!(shaped.expect("tc starts").success());
    };
    let ask = ["discover", "--count", "4", "--interval", "0", "--json"];
    let ask = [&ask[..], &["--timeout", "1s"]].concat();
    // 342 bytes take 27 ms.
    shape("100kbit");
    let run = wire.near.tool(&ask);
    assert_eq!(run.code, Some(3), "{run:?}");
    let sent = |run: &Run| run.out.matches("\"direction\":\"sent\"").count();
    assert_eq!(sent(&run), 4, "{run:?}");
    let frames = wire.near.ip("-s -json link show near0");
    let frames: Json = serde_json::from_str(&frames).expect("JSON");
    assert_eq!(frames[0]["stats64"]["tx"]["packets"], 4, "{frames}");
    // 342 bytes take 684 ms.
    shape("4kbit");
    let run = wire.near.tool(&ask);
    run.failed(5, &["near0", "send queue", "full for 500 ms"]);
}

#[test]
fn a_card_that_takes_its_own_address_only_is_the_first_cause() {
    let wire = Wire::new(1500);
    let ask = [
        "discover",
        "--timeout",
        "300ms",
        "--json",
        "--mac",
        "02:00:5e:10:77:01",
    ];
    let run = wire.near.tool(&[&ask[..], &["--no-promisc"]].concat());
    assert_eq!(causes(&run)[0]["id"], "not-promiscuous", "{run:?}");
    let run = wire.near.tool(&ask);
    assert_eq!(causes(&run)[0]["id"], "nothing-arrived", "{run:?}");
    let run = wire
        .near
        .tool(&[&ask[..], &["--no-promisc", "--broadcast"]].concat());
    assert_eq!(causes(&run)[0]["id"], "nothing-arrived", "{run:?}");
}

/// What is told of a message that got no answer on a link in this state.
fn on_a_link(health: Health) -> Vec<&'static str> {
    let mut evidence = Evidence::default();
    let request = tool(&["discover", "--dry-run", "--format", "hex"]).succeeded();
    assert!(!request.out.is_empty());
    evidence.health = health;
    let all = diagnose(&evidence, &Circumstances::default());
    all.into_iter().map(|it| it.id).collect()
}

#[test]
fn the_state_of_the_link_comes_first() {
    let down = Health {
        up: Some(false),
        carrier: Some(false),
        ..Health::default()
    };
    assert_eq!(on_a_link(down), ["interface-down"]);
    let dropped = Health {
        dropped: 3,
        ..Health::default()
    };
    assert_eq!(on_a_link(dropped), ["kernel-dropped"]);
    assert_eq!(on_a_link(Health::default()), ["nothing-arrived"]);
}

fn event(sent: bool, bytes: Vec<u8>, verdict: u8) -> Event {
    let frame = Frame::decode(&bytes);
    if sent {
        return Event::Sent {
            at: Time(0),
            bytes,
            frame,
            note: String::new(),
            fate: (verdict == 0).then_some("lost"),
        };
    }
    Event::Received {
        received: Received {
            at: Time(0),
            original_len: bytes.len() + usize::from(verdict == 4),
            bytes,
            checksum_unfinished: verdict == 5,
        },
        frame,
        verdict: match verdict {
            0 => None,
            1 => Some(Verdict::Duplicate),
            2 | 3 => Some(Verdict::Stray("why".into())),
            _ => Some(Verdict::Part),
        },
        remark: None,
        fault: (verdict == 3).then(|| "fault".into()),
    }
}

/// Frames of a capture of this project, to be spoiled.
fn recorded() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for name in ["nak", "decline", "relayed", "vlan", "qinq", "dora-kea"] {
        let path = format!("{}/samples/{name}.pcapng", env!("CARGO_MANIFEST_DIR"));
        let shown = tool(&["show", &path, "--json"]).succeeded().json();
        let bytes = |it: &Json| hex::decode(it["hex"].as_str().expect("hex")).expect("hex");
        all.extend(shown.iter().map(bytes));
    }
    all
}

#[test]
fn no_events_make_it_fail_and_its_memory_is_bounded() {
    let frames = recorded();
    let one = (
        any::<bool>(),
        0..frames.len() + 1,
        any::<(u16, u8)>(),
        0..400usize,
        0..7u8,
    );
    let mut runner = proptest::test_runner::TestRunner::default();
    let many = proptest::collection::vec(one, 0..200);
    let about = (
        any::<bool>(),
        any::<bool>(),
        any::<Option<[u8; 4]>>(),
        0..40u8,
    );
    let outcome = runner.run(&(many, about), |(many, (lab, own, chosen, bits))| {
        let mut evidence = Evidence::default();
        let last = many.len() as u64;
        for (number, (sent, which, (at, value), len, verdict)) in (1..).zip(many) {
            let mut bytes = frames
                .get(which)
                .cloned()
                .unwrap_or_else(|| vec![value; len]);
            if let Some(byte) = bytes.get_mut(usize::from(at)) {
                *byte = value;
            }
            if value > 200 {
                bytes.truncate(len);
            }
            evidence.saw(number, &event(sent, bytes, verdict));
        }
        let about = Circumstances {
            lab,
            own_mac_only: own,
            chosen: chosen.map(Into::into),
            network: chosen.map(|it| (it.into(), bits)),
            ..Circumstances::default()
        };
        let causes = diagnose(&evidence, &about);
        prop_assert!(causes.len() <= CAUSES.len());
        for it in &causes {
            prop_assert!(it.frames.len() <= SHOWN && it.text.len() < 2000);
            prop_assert!(it.frames.iter().all(|it| (1..=last).contains(it)));
            prop_assert!(it.frames.is_sorted());
        }
        prop_assert!(causes.is_sorted_by_key(|it| it.likelihood));
        Ok(())
    });
    outcome.expect("no panic");
    // A flood of frames of all kinds is counted, not stored.
    let mut evidence = Evidence::default();
    for number in 0..20_000u64 {
        let mut bytes = frames[number as usize % frames.len()].clone();
        // Another transaction for each.
        if let Some(xid) = bytes.get_mut(46..50) {
            xid.copy_from_slice(&(number as u32).to_be_bytes());
        }
        evidence.saw(number, &event(number % 3 == 0, bytes, (number % 7) as u8));
    }
    assert!(format!("{evidence:?}").len() < 2 << 20);
}

/// What the last line of JSON says that clients failed for: how many they were, and each cause with its clients.
#[track_caller]
fn common(run: &Run) -> (u64, Vec<(String, u64)>) {
    let last = run.json().pop().expect("a line");
    let causes = last["causes"].as_array().expect("causes");
    let of = |it: &Json| {
        let id = it["id"].as_str().expect("an id").to_string();
        (id, it["clients"].as_u64().expect("a number"))
    };
    assert_eq!(last["code"].as_i64().map(|it| it as i32), run.code);
    let failed = last["failed"].as_u64().expect("a number");
    (failed, causes.iter().map(of).collect())
}

#[test]
fn of_many_clients_each_cause_has_its_number() {
    let many = |link: &str, more: &[&str]| {
        let args = ["dora", "--clients", "6", "-i", link, "--seed", "7"];
        tool(&[&args[..], more].concat())
    };
    for (link, code, id) in [
        ("lab:silent", 3, "nothing-arrived"),
        ("lab:nak", 4, "nak-address"),
        ("lab:wrong-xid", 3, "other-xid"),
        ("lab:wrong-chaddr", 3, "other-client"),
        ("lab:drop=ack", 3, "no-ack"),
    ] {
        let run = many(link, &["--json"]);
        assert_eq!(run.code, Some(code), "{link}");
        assert_eq!(common(&run), (6, vec![(id.to_string(), 6)]), "{link}");
    }
    let bound = many("lab", &["--json"]).succeeded();
    assert!(bound.json().iter().all(|it| it["causes"].is_null()));
    assert!(!bound.err.contains("have no lease"), "{bound:?}");

    // Different ones: the first has its lease, two are refused, one gets another's transaction, two get nothing.
    let file = scratch("diagnosis-many").join("mixed.star");
    let rules = "def on_discover(req):\n    last = req.chaddr[5]\n    o = answer(req)\n    if last == 4:\n        o[BOOTP].xid = 9\n    return None if last in [5, 6] else o\n\n\
                 def on_request(req):\n    return nak(req) if req.chaddr[5] in [2, 3] else answer(req)\n";
    std::fs::write(&file, rules).expect("a file");
    let link = format!("lab:{}", file.display());
    let run = many(&link, &["--json"]);
    assert_eq!(run.code, Some(4), "{run:?}");
    let wanted = [("other-xid", 1), ("nak-address", 2), ("others-served", 2)];
    let wanted = wanted.map(|(id, count)| (id.to_string(), count)).to_vec();
    assert_eq!(common(&run), (5, wanted));
    for columns in ["80", "120"] {
        let capture = file.with_file_name("mixed.pcapng");
        let args = [
            "dora",
            "--clients",
            "6",
            "-i",
            &link,
            "-w",
            text(&capture),
            "--seed",
            "7",
        ];
        let run = finish(command(&args).env("COLUMNS", columns), b"");
        assert!(
            run.err.contains("\n5 of 6 clients have no lease\n"),
            "{run:?}"
        );
        let told = run.err.replace("\n    ", " ");
        for said in [
            "  - client 02:00:5e:10:00:04: 4 replies were not taken: xid 0x00000009 is not ours",
            "  - 2 clients, such as 02:00:5e:10:00:02: server 192.0.2.1 offered",
            "  - 2 clients: server 192.0.2.1 serves other clients and not this one",
            "frames 6, 7 and 8 of mixed.pcapng)",
        ] {
            assert!(told.contains(said), "{said:?} is not in {told}");
        }
        let limit = columns.parse().expect("a number");
        let notice = |it: &&str| !it.starts_with("lab:");
        let lines = run.err.lines().filter(notice).chain(run.out.lines());
        assert!({ lines }.all(|it| it.chars().count() <= limit), "{run:?}");
    }
    let quiet = many(&link, &["--quiet"]);
    assert_eq!(quiet.err, "");
}

#[test]
fn where_frames_get_lost_the_server_is_not_blamed() {
    let many = ["dora", "--clients", "20", "--json"];
    let mut told = Vec::new();
    for seed in ["1", "2", "3"] {
        let lossy = ["-i", "lab:lossy", "--seed", seed];
        let run = tool(&[&many[..], &lossy].concat());
        if run.code != Some(0) {
            told.extend(common(&run).1.into_iter().map(|it| it.0));
        }
        // What is lost on purpose has a name of its own.
        let run = tool(&[&many[..], &["--impair", "loss=30%", "--seed", seed]].concat());
        if run.code != Some(0) {
            assert_eq!(common(&run).1[0].0, "impaired", "{run:?}");
            assert_eq!(common(&run).1.len(), 1, "{run:?}");
        }
    }
    assert!(!told.is_empty(), "three frames in ten are lost");
    assert!(told.iter().all(|it| it == "frames-lost"), "{told:?}");
    // The lab has a hundred addresses, and nothing is lost.
    let run = tool(&["dora", "--clients", "105", "--json"]);
    assert_eq!(common(&run), (5, vec![("others-served".to_string(), 5)]));
}

#[test]
fn in_the_lab_nobody_answers_on_a_vlan_that_nobody_is_on() {
    let run = tool(&["discover", "-i", "lab:relay", "--vlan", "20", "--json"]);
    assert_eq!(run.code, Some(3), "{run:?}");
    let causes = causes(&run);
    assert_eq!(causes[0]["id"], "nothing-arrived");
    let text = causes[0]["text"].as_str().expect("text");
    assert!(text.ends_with("nobody answers on VLAN 20"), "{text}");
}

#[test]
fn a_pool_that_is_used_up_is_told_from_who_was_served() {
    let wire = Wire::new(1500);
    let pool = [
        "--address",
        "192.0.2.1/24",
        "--pool",
        "192.0.2.100-192.0.2.104",
    ];
    let _serving = wire.far.start(&[&["serve"], &pool[..]].concat());
    let ask = ["dora", "--clients", "10", "--timeout", "2s", "--json"];
    let file = wire.directory().join("pool.pcapng");
    let run = wire.near.tool(&[&ask[..], &["-w", text(&file)]].concat());
    assert_eq!(run.code, Some(3), "{run:?}");
    assert_eq!(common(&run), (5, vec![("others-served".into(), 5)]));
    let last = run.json().pop().expect("a line");
    // The frames are those by which others were served.
    let shown = tool(&["show", text(&file), "--json"]).succeeded().json();
    let numbers = last["causes"][0]["frames"].as_array().expect("numbers");
    assert_eq!(numbers.len(), SHOWN);
    for number in numbers {
        let frame = shown.iter().find(|it| it["number"] == *number);
        let kind = frame.map(|it| it["message"]["type"].clone());
        assert!(matches!(
            kind.as_ref().and_then(Json::as_str),
            Some("OFFER" | "ACK")
        ));
    }
}

#[test]
fn a_real_servers_pool_that_is_used_up_is_told_too() {
    for kind in Kind::ALL {
        let segment = Segment::new();
        let pool = ([10, 77, 0, 200].into(), [10, 77, 0, 204].into());
        let config = ServerConfig {
            pool: Some(pool),
            ..ServerConfig::default()
        };
        let _server = segment.server(kind, config);
        // One after the other: dnsmasq offers an address to several until one has it, and refuses the others.
        let ask = [
            "dora",
            "--clients",
            "10",
            "--stagger",
            "100ms",
            "--timeout",
            "2s",
            "--json",
        ];
        let mac = ["--mac", "02:00:5e:20:00:00"];
        let mut command = segment.client_command(TOOL);
        let run = finish(
            command
                .args(ask)
                .args(mac)
                .args(["-i", segment.client_interface()]),
            b"",
        );
        let (failed, causes) = common(&run);
        assert_eq!(
            (failed, &causes[0]),
            (5, &("others-served".into(), 5)),
            "{kind:?}: {causes:?}"
        );
    }
}

#[test]
fn a_server_that_has_nothing_left_is_among_the_causes_of_silence() {
    for kind in Kind::ALL {
        let segment = Segment::new();
        let only = [10, 77, 0, 200].into();
        let config = ServerConfig {
            pool: Some((only, only)),
            ..ServerConfig::default()
        };
        let _server = segment.server(kind, config);
        let ask = |args: &[&str]| {
            let mut command = segment.client_command(TOOL);
            command.args(args).args(["-i", segment.client_interface()]);
            finish(command.args(["--timeout", "3s", "--json"]), b"")
        };
        ask(&["dora", "--mac", "02:00:5e:20:00:01"]).succeeded();
        let other = ["--mac", "02:00:5e:20:00:02"];
        let run = ask(&[&["discover"], &other[..]].concat());
        assert_eq!(run.code, Some(3), "{kind:?}: {run:?}");
        let causes = causes(&run);
        let told = causes.iter().find(|it| it["id"] == "nothing-to-give");
        let told = told.unwrap_or_else(|| panic!("{kind:?}: {causes:#?}"));
        // Where it asks for a neighbour meanwhile, the frames speak for it.
        let word = told["likelihood"].as_str();
        assert!(matches!(word, Some("possible" | "likely")), "{told}");
        // The next step tells the two apart.
        let next = told["next"].as_str().expect("a step");
        assert!(next.contains("`dhcpcraft inform --ciaddr IP`"), "{next}");
        ask(&[&["inform", "--ciaddr", "10.77.0.9"], &other[..]].concat()).succeeded();
    }
    // Where the link itself keeps everything away, and in the lab, it is no cause.
    for link in ["lab:silent", "lab:drop=offer"] {
        let run = tool(&["discover", "-i", link, "--json"]);
        assert!(!run.out.contains("nothing-to-give"), "{run:?}");
    }
}

#[test]
fn a_server_that_asks_for_those_it_serves_checks_no_address() {
    let segment = Segment::new();
    let pool = ([10, 77, 0, 100].into(), [10, 77, 0, 101].into());
    let config = ServerConfig {
        pool: Some(pool),
        ..ServerConfig::default()
    };
    let server = segment.server(Kind::Dnsmasq, config);
    let ask = |args: &[&str]| {
        let mut command = segment.client_command(TOOL);
        command.args(args).args(["-i", segment.client_interface()]);
        finish(&mut command, b"")
    };
    for mac in ["02:00:5e:20:00:01", "02:00:5e:20:00:02"] {
        ask(&["dora", "--mac", mac]).succeeded();
    }
    // Five seconds after it last sent something to a client, the server's kernel asks whether that is still there.
    let file = segment.directory().join("pool.pcapng");
    let run = ask(&[
        "discover",
        "--mac",
        "random",
        "--timeout",
        "9s",
        "--json",
        "-w",
        text(&file),
    ]);
    assert_eq!(run.code, Some(3), "{run:?}");
    let causes = causes(&run);
    assert!(!run.out.contains("address-check"), "{causes:#?}");
    rests(
        &causes,
        "nothing-to-give",
        &file,
        &["ARP who has 10.77.0.10"],
    );
    assert_eq!(causes[0]["likelihood"], "likely");
    let text = causes[0]["text"].as_str().expect("text");
    assert!(
        text.starts_with(&format!("{} is there", server.address())),
        "{text}"
    );
}

/// A message between a server and the client of this number, and whether the client sent it.
fn of_client(kind: u8, number: u32) -> Event {
    let [.., a, b, c] = number.to_be_bytes();
    let mac = MacAddr::new(2, 0, 0, a, b, c);
    let who = Identity {
        client_mac: mac,
        source_mac: mac,
        xid: number + 1,
        address: Some([192, 0, 2, 9].into()),
        server: Some([192, 0, 2, 1].into()),
        own: None,
        server_mac: None,
    };
    let bytes = template::fresh(kind, &who).frame().encode();
    event(kind == DISCOVER, bytes, 6)
}

#[test]
fn however_many_clients_fail_the_memory_is_bounded_and_the_rest_is_counted() {
    let mac = |number: u32| {
        let [.., a, b, c] = number.to_be_bytes();
        MacAddr::new(2, 0, 0, a, b, c)
    };
    let (mut crowd, mut all) = (Crowd::default(), Evidence::default());
    let mut number = 0;
    let mut see = |crowd: &mut Crowd, all: &mut Evidence, event: &Event| {
        number += 1;
        crowd.saw(number, event);
        all.saw(number, event);
    };
    let about = Circumstances::default();
    // Thousands that have a lease make room for those that come after them.
    for client in 0..3_000 {
        for kind in [DISCOVER, OFFER, ACK] {
            see(&mut crowd, &mut all, &of_client(kind, client));
        }
    }
    for client in 3_000..3_010 {
        see(&mut crowd, &mut all, &of_client(DISCOVER, client));
    }
    let found = crowd.causes((3_000..3_010).map(mac), &all, &about);
    assert_eq!(found.beyond, 0);
    let [one] = &found.causes[..] else {
        panic!("{found:?}")
    };
    assert_eq!(
        (one.cause.id, one.clients, one.alike),
        ("others-served", 10, true)
    );
    assert_eq!(
        (one.first, one.cause.likelihood),
        (mac(3_000), Likelihood::Likely)
    );
    // Of more that fail than can be followed the first are, and the others counted.
    let (mut crowd, mut all) = (Crowd::default(), Evidence::default());
    for client in 0..3_000 {
        for _ in 0..20 {
            see(&mut crowd, &mut all, &of_client(DISCOVER, client));
        }
    }
    let found = crowd.causes((0..3_000).map(mac), &all, &about);
    assert_eq!(
        (found.causes[0].clients, found.beyond),
        (1024, 3_000 - 1024)
    );
    // An OFFER that nobody takes, again and again.
    let stray = |client| match of_client(OFFER, client) {
        Event::Received { received, .. } => event(false, received.bytes, 2),
        sent => sent,
    };
    for _ in 0..100 {
        (0..100).for_each(|it| see(&mut crowd, &mut all, &stray(it)));
    }
    let found = crowd.causes((0..3_000).map(mac), &all, &about);
    let unasked = found.causes.iter().find(|it| it.cause.id == "unasked");
    assert_eq!(unasked.map(|it| it.clients), Some(100), "{found:?}");
    assert!(unasked.is_some_and(|it| it.cause.text.starts_with("100 replies were")));
}
