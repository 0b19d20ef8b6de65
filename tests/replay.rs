//! `replay`: what clients sent in a capture goes out again, byte for byte or as another client, at its
//! times; the replies stand beside the recorded ones.

#[path = "support/frames.rs"]
mod frames;
mod support;

use std::path::{Path, PathBuf};
use std::time::Duration;

use dhcpcraft::link::Time;
use dhcpcraft::link::capture::{CaptureReader, Packet};
use dhcpcraft::talk::{
    Outbox, Player, Recorded, Replay, ReplayConfig, Verdict, from_client, steps,
};
use dhcpcraft::wire::{Frame, link_type};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value as Json;
use support::peers::{Kind, ServerConfig};
use support::segment::Segment;
use support::tool::{Run, TOOL, command, finish, scratch, text, tool};
use support::wire::Wire;
use support::{expect_within, tshark};

fn samples() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let all = std::fs::read_dir(directory).expect("samples");
    let mut all: Vec<PathBuf> = all.map(|it| it.expect("an entry").path()).collect();
    let is_capture = |it: &PathBuf| it.extension().is_some_and(|it| it != "star" && it != "md");
    all.retain(|it| it.is_file() && is_capture(it));
    assert!(all.len() > 15, "{all:?}");
    all
}

fn packets(file: &Path) -> Vec<Packet> {
    let mut reader = CaptureReader::open(file).expect("a capture");
    let next = || reader.next_packet().expect("a whole capture");
    std::iter::from_fn(next).collect()
}

/// The frames of a capture that a client sent, with their times since the first of them.
fn clients(file: &Path) -> Vec<(u64, Vec<u8>)> {
    let all = packets(file);
    let sent = |it: &&Packet| from_client(&Frame::decode_as(it.link_type, &it.bytes));
    let all: Vec<&Packet> = all.iter().filter(sent).collect();
    let first = all.first().map_or(0, |it| it.at.0);
    all.iter()
        .map(|it| (it.at.0 - first, it.bytes.clone()))
        .collect()
}

/// The messages of a capture as `show --json` has them.
fn messages(file: &Path) -> Vec<Json> {
    let all = tool(&["show", "--json", text(file)]).succeeded().json();
    all.into_iter()
        .filter(|it| it["message"].is_object())
        .collect()
}

fn option<'a>(frame: &'a Json, name: &str) -> &'a str {
    let all = frame["options"].as_array().expect("options");
    let found = all.iter().find(|it| it["name"] == name);
    found.and_then(|it| it["text"].as_str()).unwrap_or("-")
}

fn types(frames: &[Json]) -> Vec<&str> {
    frames
        .iter()
        .filter_map(|it| it["message"]["type"].as_str())
        .collect()
}

/// Records a run of the lab.
fn recorded(name: &str, args: &[&str]) -> PathBuf {
    let file = scratch(&format!("replay-{name}")).join("recorded.pcapng");
    tool(&[args, &["-w", text(&file)]].concat()).succeeded();
    file
}

#[test]
fn every_recorded_handshake_gets_a_lease_from_another_server() {
    for name in ["dnsmasq", "kea", "dhcpd", "udhcpd"] {
        let file = format!("samples/dora-{name}.pcapng");
        let out = scratch(&format!("replay-dora-{name}")).join("live.pcapng");
        let other = ["--rewrite-mac", "random", "--rewrite-xid", "--follow"];
        let run = tool(&[&["replay", &file, "-w", text(&out), "--json"], &other[..]].concat());
        let rows = run.succeeded().json();
        assert_eq!(rows.len(), 2, "{name}");
        for row in &rows {
            let replies = row["replies"].as_array().expect("replies");
            assert_eq!(replies.len(), 1, "{row}");
            assert!(replies[0]["recorded"].is_object() && replies[0]["live"].is_object());
        }
        let was = messages(Path::new(&file));
        let live = messages(&out);
        assert_eq!(
            types(&live),
            ["DISCOVER", "OFFER", "REQUEST", "ACK"],
            "{name}"
        );
        let [discover, offer, request, ack] = &live[..] else {
            unreachable!()
        };
        // Another client in another transaction, the same in all of it.
        let mac = &discover["message"]["chaddr"];
        assert_ne!(mac, &was[0]["message"]["chaddr"]);
        assert_eq!(option(discover, "client-id"), mac.as_str().expect("a MAC"));
        for it in &live {
            assert_eq!(&it["message"]["chaddr"], mac);
            assert_eq!(it["message"]["xid"], discover["message"]["xid"]);
            assert_ne!(it["message"]["xid"], was[0]["message"]["xid"]);
        }
        assert_eq!(discover["layers"][0]["src"], *mac);
        // What was taken up is what the live server offered.
        assert_eq!(offer["message"]["yiaddr"], "192.0.2.100");
        assert_eq!(request["message"]["requested_ip"], "192.0.2.100");
        assert_eq!(request["message"]["server_id"], "192.0.2.1");
        assert_eq!(ack["message"]["yiaddr"], "192.0.2.100");
        // Nothing else is another.
        let kept = [
            "--ignore",
            "option requested-ip",
            "--ignore",
            "option server-id",
        ];
        for number in ["1", "3"] {
            let (a, b) = (
                format!("{file}#{number}"),
                format!("{}#{number}", text(&out)),
            );
            let diff = tool(&[&["diff", &a, &b, "--json"], &kept[..]].concat());
            let names: Vec<Json> = diff.json().iter().map(|it| it["name"].clone()).collect();
            let names: Vec<&str> = names.iter().filter_map(Json::as_str).collect();
            let wanted = [
                "Ether.src",
                "UDP.chksum",
                "BOOTP.xid",
                "BOOTP.chaddr",
                "option client-id",
            ];
            assert_eq!(names, wanted, "{name} frame {number}");
        }
    }
}

#[test]
fn without_rewriting_frames_go_out_byte_for_byte() {
    let directory = scratch("replay-bytes");
    for file in samples() {
        let wanted: Vec<Vec<u8>> = clients(&file).into_iter().map(|it| it.1).collect();
        let out = directory.join("sent.pcapng");
        let run = [
            "replay",
            text(&file),
            "-i",
            "lab:silent",
            "-w",
            text(&out),
            "--quiet",
        ];
        let run = tool(&run);
        match wanted.is_empty() {
            true => run.failed(6, &["holds no frame of a client", "--all"]),
            false => {
                assert!(matches!(run.code, Some(0 | 3)), "{run:?}");
                let sent: Vec<Vec<u8>> = packets(&out).into_iter().map(|it| it.bytes).collect();
                assert_eq!(sent, wanted, "{}", file.display());
            }
        }
        // The whole capture, replies and ARP too.
        let all = [
            "replay",
            text(&file),
            "-i",
            "lab:silent",
            "-w",
            text(&out),
            "--all",
            "--quiet",
        ];
        tool(&all).succeeded();
        let bytes = |file: &Path| -> Vec<Vec<u8>> {
            packets(file).into_iter().map(|it| it.bytes).collect()
        };
        assert_eq!(bytes(&out), bytes(&file), "{}", file.display());
    }
}

#[test]
fn frames_leave_at_their_recorded_times() {
    // A lease of an hour, renewed at half of it, again and again.
    let file = recorded("times", &["dora", "--hold", "3h"]);
    let wanted: Vec<u64> = clients(&file).into_iter().map(|it| it.0).collect();
    assert!(
        wanted.len() >= 6 && wanted[2] > 1_700_000_000_000,
        "{wanted:?}"
    );
    let out = file.with_file_name("live.pcapng");
    for (speed, factor) in [("1", 1.0), ("10", 10.0), ("0.5", 0.5)] {
        let run = [
            "replay",
            text(&file),
            "--speed",
            speed,
            "-w",
            text(&out),
            "--json",
        ];
        let rows = tool(&run).succeeded().json();
        let sent: Vec<u64> = clients(&out).into_iter().map(|it| it.0).collect();
        assert_eq!(sent.len(), wanted.len());
        for ((sent, wanted), row) in sent.iter().zip(&wanted).zip(&rows) {
            let wanted = *wanted as f64 / factor;
            assert!(
                (*sent as f64 - wanted).abs() < 2.0,
                "{sent} {wanted} at {speed}"
            );
            let told = row["sent"].as_f64().expect("a time") * 1e9;
            assert!((told - wanted).abs() < 1e4, "{row}");
        }
    }
    let max = [
        "replay",
        text(&file),
        "--speed",
        "max",
        "-w",
        text(&out),
        "--quiet",
    ];
    tool(&max);
    assert!(clients(&out).iter().all(|it| it.0 == 0));
    // A dry run has the times as well, and sends nothing.
    let dry = [
        "replay",
        text(&file),
        "--speed",
        "10",
        "--dry-run",
        "-w",
        text(&out),
        "--quiet",
    ];
    tool(&dry).succeeded();
    let planned: Vec<u64> = clients(&out).into_iter().map(|it| it.0).collect();
    assert_eq!(packets(&out).len(), wanted.len(), "no reply");
    let last = *wanted.last().expect("one") / 10;
    assert!(planned.last().expect("one").abs_diff(last) < 2);
}

#[test]
fn same_fails_where_a_reply_is_another_one_is_missing_or_one_more_comes() {
    let same = |more: &[&str]| {
        tool(&[&["replay", "samples/lab.pcapng", "--same", "--json"], more].concat())
    };
    let names = |run: &Run| -> Vec<String> {
        let rows = run.json();
        let replies = rows
            .iter()
            .flat_map(|it| it["replies"].as_array().expect("replies").clone());
        let differences = replies.flat_map(|it| it["differences"].as_array().expect("all").clone());
        differences
            .filter_map(|it| Some(it["name"].as_str()?.to_string()))
            .collect()
    };
    assert_eq!(same(&[]).code, Some(0));
    // As another client, which is no difference.
    let other = ["--rewrite-mac", "02:00:5e:77:77:77", "--rewrite-xid"];
    let run = same(&other);
    assert_eq!((run.code, names(&run)), (Some(0), vec![]), "{run:?}");

    let rules = scratch("replay-same").join("rules.star");
    let changed = "def on_discover(req):\n    return offer(req, option=['router=192.0.2.7'])\n";
    std::fs::write(&rules, changed).expect("rules");
    let link = format!("lab:{}", text(&rules));
    let run = same(&["-i", &link]);
    assert_eq!(
        (run.code, names(&run)),
        (Some(1), vec!["option router".to_string()]),
        "{run:?}"
    );
    assert_eq!(
        same(&["-i", &link, "--ignore", "option router"]).code,
        Some(0)
    );

    let lost = same(&["-i", "lab:drop=ack"]);
    assert_eq!(
        (lost.code, names(&lost)),
        (Some(1), vec!["message".to_string()]),
        "{lost:?}"
    );
    let more = same(&["-i", "lab:two-servers", "--wait"]);
    assert_eq!(
        (more.code, names(&more)),
        (Some(1), vec!["message".to_string()]),
        "{more:?}"
    );
    let refused = same(&["-i", "lab:nak"]);
    // The recorded ACK is missing, and there is a NAK that was not recorded.
    assert_eq!(
        (refused.code, names(&refused).len()),
        (Some(1), 2),
        "{refused:?}"
    );
}

#[test]
fn silence_is_no_reply_and_explained() {
    for more in [&[][..], &["--same"]] {
        let run = tool(&[&["replay", "samples/lab.pcapng", "-i", "lab:silent"], more].concat());
        assert_eq!(run.code, Some(3), "{run:?}");
        assert!(
            run.out.contains("0 of 2 recorded replies came again"),
            "{run:?}"
        );
        assert!(
            run.err.contains("no reply: sent 2 times, waited 5.0 s"),
            "{run:?}"
        );
    }
    // To one station, which is not here.
    let run = tool(&["replay", "samples/relayed.pcapng"]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(
        run.err.contains("went to 02:00:5e:77:00:01 alone"),
        "{run:?}"
    );
    // What was never answered and never will be is not waited for.
    let run = tool(&["replay", "samples/release.pcapng"]).succeeded();
    assert_eq!(run.err.lines().count(), 1, "{run:?}");
    // A checksum that was wrong stays wrong, and the server does not take it.
    let run = tool(&[
        "replay",
        "samples/malformed-checksums.pcapng",
        "--rewrite-xid",
    ]);
    assert!(
        run.err.contains("its IP checksum 0xbad0 is wrong"),
        "{run:?}"
    );
}

#[test]
fn what_follows_waits_for_the_live_reply() {
    let file = "samples/dora-dnsmasq.pcapng";
    let out = scratch("replay-late").join("live.pcapng");
    let late = ["-i", "lab:delay=3s", "--speed", "max", "-w", text(&out)];
    tool(&[&["replay", file, "--follow"], &late[..]].concat()).succeeded();
    let live = messages(&out);
    assert_eq!(types(&live), ["DISCOVER", "OFFER", "REQUEST", "ACK"]);
    assert_eq!(live[2]["message"]["requested_ip"], "192.0.2.100");
    // Without it nothing waits, and the user is told what would help.
    let run = tool(&[&["replay", file], &late[..]].concat());
    assert_eq!(types(&messages(&out)), ["DISCOVER", "REQUEST", "OFFER"]);
    assert!(run.err.contains("--follow has them take it up"), "{run:?}");
    // When nothing comes to follow, the message goes out all the same, as recorded.
    let silent = ["-i", "lab:drop=offer", "--timeout", "2s", "-w", text(&out)];
    let run = tool(&[&["replay", file, "--follow"], &silent[..]].concat());
    assert_eq!(run.code, Some(3), "{run:?}");
    let sent = messages(&out);
    assert_eq!(types(&sent)[..2], ["DISCOVER", "REQUEST"]);
    assert_eq!(sent[1]["message"]["requested_ip"], "10.77.0.37");
    let comment = sent[1]["comment"].as_str().expect("a comment");
    assert!(comment.contains("no live reply to follow"), "{comment}");
    assert!(sent[1]["since"].as_f64() >= Some(2.0), "{}", sent[1]);
}

#[test]
fn each_client_of_a_recording_is_another_one() {
    let many = [
        "dora",
        "--clients",
        "5",
        "--mac",
        "02:00:5e:50:00:00+",
        "--quiet",
    ];
    let file = recorded("many", &many);
    let macs = |rows: &[Json]| -> Vec<String> {
        let mut all: Vec<String> = rows
            .iter()
            .filter_map(|it| Some(it["client"].as_str()?.to_string()))
            .collect();
        all.sort();
        all.dedup();
        all
    };
    for (choice, first) in [
        ("02:00:5e:60:00:0e", Some("02:00:5e:60:00:0e")),
        ("native", Some("02:00:5e:10:00:01")),
        ("+", Some("02:00:5e:50:00:01")),
        ("random", None),
    ] {
        let run = [
            "replay",
            text(&file),
            "--rewrite-mac",
            choice,
            "--follow",
            "--json",
        ];
        let rows = tool(&run).succeeded().json();
        let macs = macs(&rows);
        assert_eq!(macs.len(), 5, "{choice}: {macs:?}");
        if let Some(first) = first {
            assert_eq!(macs[0], first, "{choice}");
        }
        for row in &rows {
            assert!(row["replies"][0]["live"].is_object(), "{choice}: {row}");
        }
    }
    let twice = [
        "replay",
        text(&file),
        "--rewrite-mac",
        "random",
        "--rewrite-xid",
        "--json",
        "--seed",
        "4",
    ];
    assert_eq!(tool(&twice).out, tool(&twice).out, "a seed says it all");
}

#[test]
fn tags_are_put_on_or_replaced() {
    let vlans = |file: &Path| -> Vec<Vec<u16>> {
        let all = packets(file).into_iter();
        all.map(|it| Frame::decode(&it.bytes).vlans().collect())
            .collect()
    };
    let out = scratch("replay-vlan").join("live.pcapng");
    for file in [
        "samples/vlan.pcapng",
        "samples/bootp.pcap",
        "samples/qinq.pcapng",
    ] {
        let run = [
            "replay",
            file,
            "--vlan",
            "7",
            "--vlan",
            "9",
            "-w",
            text(&out),
        ];
        tool(&run).succeeded();
        assert_eq!(vlans(&out), [[7, 9], [7, 9]], "{file}: sent and answered");
    }
}

#[test]
fn what_cannot_be_sent_is_an_error_with_the_next_step() {
    let directory = scratch("replay-errors");
    let cooked = directory.join("cooked.pcap");
    let mut first = packets(Path::new("samples/bootp.pcap")).remove(0);
    first.bytes.drain(..14);
    first.link_type = link_type::RAW;
    write(&cooked, std::slice::from_ref(&first));
    tool(&["replay", text(&cooked)]).failed(6, &["1 of its frames", "link type 101"]);
    tool(&["replay", "missing.pcap"]).failed(6, &["missing.pcap"]);
    tool(&["replay", "samples/lab.pcapng#9"]).failed(6, &["has no frame 9"]);
    tool(&["replay", "samples/lab.pcapng", "--all", "--follow"]).failed(2, &["--follow"]);
    for wrong in [
        ["--speed", "0"],
        ["--speed", "fast"],
        ["--rewrite-mac", "x"],
        ["--rewrite-mac", "hex:00"],
    ] {
        tool(&[&["replay", "samples/lab.pcapng"], &wrong[..]].concat()).failed(2, &[wrong[0]]);
    }
    // What was cut goes out as far as it is there.
    let cut = directory.join("cut.pcap");
    let mut packet = packets(Path::new("samples/lab.pcapng")).remove(0);
    packet.bytes.truncate(300);
    write(&cut, &[packet]);
    let run = tool(&["replay", text(&cut), "-i", "lab:silent"]);
    assert!(
        run.err
            .contains("frame 1 was cut by the capture: 300 of its 342 bytes"),
        "{run:?}"
    );
}

fn write(file: &Path, packets: &[Packet]) {
    let mut writer = dhcpcraft::link::capture::CaptureWriter::create(file).expect("a file");
    packets
        .iter()
        .for_each(|it| writer.write(it).expect("written"));
    writer.finish().expect("finished");
}

#[test]
fn expectations_values_and_formats_are_as_of_every_command_that_sends() {
    let replay =
        |more: &[&str]| tool(&[&["replay", "samples/dora-kea.pcapng", "--follow"], more].concat());
    assert_eq!(
        replay(&["--print", "yiaddr"]).out,
        "192.0.2.100\n192.0.2.100\n"
    );
    assert_eq!(replay(&["--expect", "len(replies) == 2"]).code, Some(0));
    let run = replay(&["--expect", "reply.router == [\"10.0.0.1\"]"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert_eq!(
        replay(&["--where", "pkt.server_id == \"10.0.0.1\""]).code,
        Some(3)
    );
    let ladder = replay(&["--format", "ladder"]).succeeded();
    assert!(
        ladder.out.contains("|<-- ACK       192.0.2.100"),
        "{ladder:?}"
    );
    // Silence that was expected is not what the recording has, all the same.
    let same = ["--same", "--expect", "len(replies) == 2"];
    assert_eq!(replay(&same).code, Some(1));
    let script = "r = replay(\"samples/lab.pcapng\", same=True)\nprint(len(r), r[0][\"replies\"][0][\"differences\"])";
    assert_eq!(tool(&["run", "-c", script]).succeeded().out, "2 []\n");
    let script = "replay(\"samples/lab.pcapng\", same=True, interface=\"lab:nak\")";
    tool(&["run", "-c", script]).failed(1, &["not the recorded ones"]);
    for columns in ["80", "120"] {
        let mut command = command(&["replay", "samples/several-servers.pcapng"]);
        let run = finish(command.env("COLUMNS", columns), b"");
        let width = run.out.lines().map(|it| it.chars().count()).max();
        let limit = columns.parse().expect("a number");
        assert!(width <= Some(limit), "{columns}: {}", run.out);
    }
}

/// Runs the tool at the client's end of a segment.
fn at(segment: &Segment, args: &[&str]) -> Run {
    let mut command = segment.client_command(TOOL);
    let command = command.args(args).args(["-i", segment.client_interface()]);
    finish(command, b"")
}

#[test]
fn a_real_server_gives_a_lease_to_the_client_of_a_recording() {
    for kind in [Kind::Dnsmasq, Kind::Kea] {
        let segment = Segment::new();
        let server = segment.server(kind, ServerConfig::default());
        let (was, is) = (
            segment.directory().join("was.pcapng"),
            segment.directory().join("is.pcapng"),
        );
        // Bound, renewed in between, so that the server replies to an address that is held.
        let hold = [
            "dora",
            "--hold",
            "400s",
            "--time-scale",
            "100",
            "--mac",
            "02:00:5e:50:00:01",
        ];
        at(&segment, &[&hold[..], &["-w", text(&was)]].concat()).succeeded();
        assert!(types(&messages(&was)).len() >= 6, "it was renewed");
        let other = [
            "--rewrite-mac",
            "02:00:5e:60:00:02",
            "--rewrite-xid",
            "--follow",
        ];
        let to = ["-w", text(&is), "--json"];
        let run = at(
            &segment,
            &[&["replay", text(&was)], &other[..], &to].concat(),
        )
        .succeeded();
        for row in run.json() {
            let reply = &row["replies"][0];
            assert_eq!(
                reply["recorded"]["message"], reply["live"]["message"],
                "{row}"
            );
        }
        let live = messages(&is);
        let ack = live
            .iter()
            .rfind(|it| it["message"]["type"] == "ACK")
            .expect("an ACK");
        let ip = ack["message"]["yiaddr"].as_str().expect("an address");
        let lease = server.expect_active(ip.parse().expect("an address"));
        assert_eq!(lease.mac, "02:00:5e:60:00:02", "{kind:?}");
        // Two clients, two transactions, two addresses: nothing else is another.
        let diff = ["diff", text(&was), text(&is), "--json"];
        let mut address = vec![
            "IP.src",
            "IP.dst",
            "BOOTP.ciaddr",
            "BOOTP.yiaddr",
            "option requested-ip",
        ];
        if kind == Kind::Dnsmasq {
            // It spreads the renewals of its clients by chance.
            address.extend(["option renewal-time", "option rebinding-time"]);
        }
        let run = tool(&diff);
        assert_eq!(run.code, Some(1), "{kind:?}: {run:?}");
        for row in run.json() {
            let name = row["name"].as_str().expect("a name");
            assert!(address.contains(&name), "{kind:?}: {row}");
        }
        let ignore: Vec<&str> = address.iter().flat_map(|it| ["--ignore", it]).collect();
        let run = tool(&[&diff[..], &ignore].concat());
        assert_eq!((run.code, run.out.as_str()), (Some(0), ""), "{kind:?}");
    }
}

#[test]
fn an_interrupted_replay_tells_what_it_saw_and_closes_its_capture() {
    let file = recorded("interrupted", &["dora", "--hold", "3h"]);
    let wire = Wire::new(1500);
    let _serving = wire.far.start(&[
        "serve",
        "--address",
        "192.0.2.1/24",
        "--pool",
        "192.0.2.100-192.0.2.199",
    ]);
    let live = wire.directory().join("live.pcapng");
    let mut told = Vec::new();
    for format in [&[][..], &["--format", "ladder"], &["--json"]] {
        let args = ["replay", text(&file), "--follow", "-w", text(&live)];
        let _ = std::fs::remove_file(&live);
        let replay = wire.near.start(&[&args[..], format].concat());
        // The next message is the renewal, half an hour later.
        expect_within("an ACK", Duration::from_secs(15), || {
            let run = tool(&["show", "--json", text(&live)]);
            run.out.contains(r#""type":"ACK""#)
        });
        replay.signal("INT");
        let run = replay.end();
        assert_eq!(run.code, Some(130), "{format:?}: {run:?}");
        let comments = tshark(&live, &["-T", "fields", "-e", "frame.comment"]);
        let comments: Vec<&str> = comments.lines().collect();
        assert_eq!(comments.len(), 4, "{comments:?}");
        assert_eq!(
            types(&messages(&live)),
            ["DISCOVER", "OFFER", "REQUEST", "ACK"]
        );
        told.push(run);
    }
    let [table, ladder, json] = &told[..] else {
        unreachable!("three formats")
    };
    assert!(ladder.out.contains("|<-- ACK"), "{ladder:?}");
    assert!(table.out.contains("2 frames sent; 2 of "), "{table:?}");
    let rows: Vec<&str> = table.out.lines().collect();
    let unsent = rows.iter().filter(|it| it.contains("REQUEST (not sent)"));
    let unsent = unsent.count();
    assert!(unsent > 2, "{table:?}");
    let json = json.json();
    assert_eq!(json.len(), unsent + 2);
    assert!(json[1]["replies"][0]["live"].is_object(), "{}", json[1]);
    for row in &json[2..] {
        assert_eq!(row["sent"], Json::Null);
        assert_eq!(row["replies"][0]["live"], Json::Null);
    }
}

#[test]
fn a_large_capture_is_kept_off_the_default_route() {
    let many = [
        "dora",
        "--clients",
        "60",
        "--mac",
        "02:00:5e:50:00:00+",
        "--quiet",
    ];
    let file = recorded("large", &many);
    let segment = Segment::new();
    let ip = |args: &[&str]| {
        finish(segment.client_command("ip").args(args), b"").succeeded();
    };
    ip(&[
        "address",
        "add",
        "10.77.0.250/24",
        "dev",
        segment.client_interface(),
    ]);
    ip(&["route", "add", "default", "via", "10.77.0.1"]);
    let run = ["replay", text(&file), "--speed", "max", "--timeout", "1ms"];
    at(&segment, &run).failed(2, &["default route", "120 frames", "--force"]);
    assert_eq!(
        at(&segment, &[&run[..], &["--force"]].concat()).code,
        Some(3)
    );
    let small = ["replay", "samples/release.pcapng"];
    at(&segment, &small).succeeded();
}

/// Frames of any kind, many of them messages of few clients in few transactions, so that they meet.
fn recorded_frame() -> impl Strategy<Value = Frame> {
    let met = (frames::frame(), 0..2u32, 0..2u8, 1..3u8).prop_map(|(mut frame, xid, last, op)| {
        if let Some(bootp) = frame.bootp_mut() {
            (bootp.xid, bootp.op, bootp.hlen) = (xid, op, 6);
            bootp.set_client_mac([2, 0, 0, 0, 0, last].into());
        }
        frame
    });
    let bytes = vec(any::<u8>(), 0..400).prop_map(|it| Frame::decode(&it));
    prop_oneof![4 => met, 1 => bytes]
}

proptest! {
    #[test]
    fn whatever_is_recorded_and_whatever_comes_a_replay_sends_it_and_ends(
        all in vec((recorded_frame(), 0..3_000u64), 0..16),
        live in vec(recorded_frame(), 0..16),
        follow: bool,
        every: bool,
        wait: bool,
        speed in prop_oneof![Just(None), Just(Some(1.0)), Just(Some(0.001))],
    ) {
        let mut at = 0;
        let recording = (1..).zip(&all).map(|(number, (frame, pause))| {
            at += pause;
            // As a capture gives it.
            Recorded { number, at: Duration::from_millis(at), frame: Frame::decode(&frame.encode()) }
        });
        let steps = steps(recording.collect(), every);
        let wanted: Vec<Vec<u8>> = steps.iter().map(|it| it.frame.encode()).collect();
        let mut replay = Replay::new(ReplayConfig {
            steps,
            speed,
            follow,
            timeout: Duration::from_secs(1),
            wait,
            plays: true,
        });
        let mut sent = Vec::new();
        let mut live = live.iter().map(|it| Frame::decode(&it.encode()));
        let mut now = Time(1);
        let mut rounds = 0;
        while !replay.done() {
            rounds += 1;
            prop_assert!(rounds < 400, "it does not end");
            let mut out = Outbox::default();
            replay.wake(now, &mut out);
            if let Some(frame) = live.next() {
                replay.receive(now, &frame, None, &mut out);
            }
            // What answers ARP or ping is nothing that was recorded.
            sent.extend(out.frames.into_iter().filter(|it| it.note.contains("again")));
            if let Some(deadline) = replay.deadline() {
                prop_assert!(deadline >= now || replay.done() || deadline == Time(0), "{deadline:?} at {now:?}");
                now = deadline.max(now);
            }
        }
        prop_assert_eq!(sent.len(), wanted.len());
        if !follow {
            let sent: Vec<Vec<u8>> = sent.iter().map(|it| it.frame.encode()).collect();
            prop_assert_eq!(sent, wanted);
        }
        for it in replay.played() {
            prop_assert!(it.sent.is_some());
            let pairs = it.pairs();
            prop_assert!(pairs.len() <= it.step.replies.len() + it.live.len());
            prop_assert_eq!(pairs.iter().filter(|it| it.0.is_some()).count(), it.step.replies.len());
            prop_assert_eq!(pairs.iter().filter(|it| it.1.is_some()).count(), it.live.len());
        }
    }
}

#[test]
fn a_flood_of_replies_is_taken_and_not_kept() {
    let frame = |it: &Packet| Frame::decode(&it.bytes);
    let all = packets(Path::new("samples/dora-kea.pcapng"));
    let (discover, offer) = (frame(&all[0]), frame(&all[1]));
    let recording = vec![Recorded {
        number: 1,
        at: Duration::ZERO,
        frame: discover,
    }];
    let mut replay = Replay::new(ReplayConfig {
        steps: steps(recording, false),
        timeout: Duration::from_secs(1),
        ..ReplayConfig::default()
    });
    let mut out = Outbox::default();
    replay.wake(Time(1), &mut out);
    for at in 2..10_000 {
        let verdict = replay.receive(Time(at), &offer, None, &mut out);
        assert_eq!(verdict, Some(Verdict::Part));
    }
    assert_eq!(replay.played()[0].live.len(), 64);
    assert_eq!(out.frames.len(), 1);
}
