//! Relay agents: what `--relay` builds, and the four servers behind it and behind Debian's dhcrelay.

mod support;

use serde_json::Value as Json;
use support::tool::{Run, tool};

/// The frames that a command line builds.
#[track_caller]
fn built(args: &[&str]) -> Vec<Json> {
    tool(&[args, &["--dry-run", "--json"]].concat())
        .succeeded()
        .json()
}

fn field<'a>(frame: &'a Json, layer: &str, name: &str) -> &'a Json {
    let layers = frame["layers"].as_array().expect("layers");
    let layer = layers.iter().find(|it| it["layer"] == layer);
    &layer.expect("the layer")[name]
}

/// Codes of a frame's options in wire order, and the text of option 82.
fn options(frame: &Json) -> (Vec<u64>, String) {
    let options = frame["options"].as_array().expect("options");
    let codes = options.iter().filter_map(|it| it["code"].as_u64());
    let info = options.iter().find(|it| it["code"] == 82);
    let text = info.and_then(|it| it["text"].as_str()).unwrap_or_default();
    (codes.collect(), text.to_string())
}

fn info(frame: &Json) -> String {
    options(frame).1
}

#[test]
fn a_relay_agent_sends_from_its_address_and_adds_its_option_last() {
    let relay = "198.51.100.1,circuit-id=port-7,remote-id=hex:0a0b";
    let args = [
        "discover",
        "--relay",
        relay,
        "--server",
        "192.0.2.1",
        "--hostname",
        "a",
    ];
    let frame = &built(&args)[0];
    for (layer, name, wanted) in [
        ("IP", "src", Json::from("198.51.100.1")),
        ("IP", "dst", "192.0.2.1".into()),
        ("UDP", "sport", 67.into()),
        ("UDP", "dport", 67.into()),
        ("BOOTP", "hops", 1.into()),
        ("BOOTP", "giaddr", "198.51.100.1".into()),
        // The reply comes to the agent, so the client needs no broadcast.
        ("BOOTP", "flags", 0.into()),
    ] {
        assert_eq!(field(frame, layer, name), &wanted, "{layer} {name}");
    }
    let (codes, text) = options(frame);
    assert_eq!(codes.last(), Some(&82));
    assert_eq!(text, "circuit-id=\"port-7\",remote-id=hex:0a0b");
}

#[test]
fn later_relay_agents_only_add_a_hop() {
    let chain = [
        "--relay",
        "198.51.100.1,circuit-id=a",
        "--relay",
        "203.0.113.1",
        "--relay",
        "192.0.2.254",
    ];
    let frame = &built(&[&["discover", "--server", "192.0.2.1"], &chain[..]].concat())[0];
    assert_eq!(field(frame, "BOOTP", "hops"), 3);
    assert_eq!(field(frame, "BOOTP", "giaddr"), "198.51.100.1");
    assert_eq!(field(frame, "IP", "src"), "192.0.2.254");
    assert_eq!(info(frame), "circuit-id=\"a\"");
    let bad = [
        "discover",
        "--relay",
        "198.51.100.1",
        "--relay",
        "192.0.2.254,circuit-id=a",
    ];
    tool(&bad).failed(2, &["192.0.2.254", "RFC 3046 2.1.1"]);
}

#[test]
fn sub_options_are_made_for_each_client() {
    let relay = "198.51.100.1,circuit-id=eth {n}:{vlan},remote-id=hex:0006{mac},6={{{mac}}}";
    let args = [
        "discover", "--relay", relay, "--vlan", "9", "--vlan", "100", "--count", "2",
    ];
    let frames = built(&[&args[..], &["--mac", "02:00:5e:10:00:0a"]].concat());
    for (frame, n) in frames.iter().zip(1..) {
        assert_eq!(
            info(frame),
            format!(
                "circuit-id=\"eth {n}:100\",remote-id=hex:000602005e10000a,\
                 subscriber-id=\"{{02:00:5e:10:00:0a}}\""
            )
        );
    }
    assert_eq!(frames.len(), 2);
    let refused = |relay: &str, parts: &[&str]| tool(&["dora", "--relay", relay]).failed(2, parts);
    refused(
        "198.51.100.1,1={port}",
        &["{port}", "{mac}", "{vlan}", "{n}"],
    );
    refused("198.51.100.1,1={vlan}", &["--vlan"]);
    refused("198.51.100.1,1=a}", &["}}"]);
    refused("198.51.100.1,circit-id=a", &["circuit-id"]);
    refused("198.51.100,1=a", &["198.51.100"]);
    // A value that only some clients can have.
    let many = [
        "dora",
        "--clients",
        "300",
        "--relay",
        "198.51.100.1,relay-flags={n}",
    ];
    tool(&many).failed(2, &["client 256"]);
}

#[test]
fn many_clients_behind_one_relay_agent_each_say_their_port() {
    let relay = "198.51.100.1,circuit-id=port-{n}";
    let file = support::tool::scratch("relay-many").join("many.pcapng");
    let path = support::tool::text(&file);
    let args = [
        "dora",
        "--clients",
        "3",
        "--mac",
        "02:00:5e:20:00:00+",
        "--relay",
        relay,
    ];
    let more = ["--server", "192.0.2.1", "--json", "-w", path];
    let run = tool(&[&args[..], &more].concat()).succeeded();
    assert_eq!(run.out.matches(r#""state":"bound""#).count(), 3);
    let shown = tool(&["show", path, "--json"]).succeeded().json();
    let requests = shown.iter().filter(|it| it["message"]["type"] == "REQUEST");
    let mut seen: Vec<_> = requests
        .map(|it| {
            (
                field(it, "BOOTP", "chaddr").to_string(),
                info(it),
                field(it, "Ether", "src").to_string(),
            )
        })
        .collect();
    seen.sort();
    assert_eq!(seen.len(), 3);
    for ((chaddr, info, source), n) in seen.iter().zip(1..) {
        assert!(chaddr.contains(&format!("02005e20000{}", n - 1)));
        assert_eq!(info, &format!("circuit-id=\"port-{n}\""));
        // A relay agent is one machine.
        assert!(source.contains("02:00:5e:10:00:01"), "{source}");
    }
}

#[test]
fn the_flags_say_how_the_client_sent_its_message() {
    let flags = |args: &[&str]| {
        let relay = [
            "--relay",
            "198.51.100.1,relay-flags",
            "--server",
            "192.0.2.1",
        ];
        info(&built(&[args, &relay].concat())[0])
    };
    assert_eq!(flags(&["discover"]), "relay-flags=0");
    let lease = ["--ciaddr", "198.51.100.7"];
    assert_eq!(flags(&[&["rebind"], &lease[..]].concat()), "relay-flags=0");
    let server = [&lease[..], &["--server-id", "192.0.2.1"]].concat();
    assert_eq!(
        flags(&[&["renew"], &server[..]].concat()),
        "relay-flags=128"
    );
    assert_eq!(
        flags(&[&["release"], &server[..]].concat()),
        "relay-flags=128"
    );
    // The REQUEST for an offer is a broadcast of the client's.
    let file = support::tool::scratch("relay-flags").join("offer.pcapng");
    let path = support::tool::text(&file);
    let relay = [
        "--relay",
        "198.51.100.1,relay-flags",
        "--server",
        "192.0.2.1",
    ];
    tool(&[&["discover", "-w", path], &relay[..]].concat()).succeeded();
    assert_eq!(flags(&["request", "--from", path]), "relay-flags=0");
    let set = ["discover", "--relay", "198.51.100.1,relay-flags=5"];
    assert_eq!(info(&built(&set)[0]), "relay-flags=5");
}

#[test]
fn a_captured_message_is_passed_on() {
    let directory = support::tool::scratch("relay-captured");
    let plain = directory.join("plain.pcapng");
    let path = support::tool::text(&plain);
    let first = built(&["discover", "--hostname", "printer", "-w", path]);
    let relay = [
        "--relay",
        "198.51.100.1,circuit-id=a",
        "--server",
        "192.0.2.1",
    ];
    let relayed = directory.join("relayed.pcapng");
    let second = support::tool::text(&relayed);
    let once = built(&[&["discover", "--from", path, "-w", second], &relay[..]].concat());
    assert_eq!(
        field(&once[0], "BOOTP", "xid"),
        field(&first[0], "BOOTP", "xid")
    );
    assert_eq!(field(&once[0], "BOOTP", "giaddr"), "198.51.100.1");
    assert_eq!(field(&once[0], "IP", "dst"), "192.0.2.1");
    assert_eq!(info(&once[0]), "circuit-id=\"a\"");
    // Padding made room for the option.
    assert_eq!(once[0]["length"], first[0]["length"]);
    // The next agent on the way leaves giaddr and option 82 alone.
    let next = [
        "--relay",
        "203.0.113.1,circuit-id=b",
        "--server",
        "192.0.2.1",
    ];
    let twice = built(&[&["discover", "--from", second], &next[..]].concat());
    assert_eq!(field(&twice[0], "BOOTP", "hops"), 2);
    assert_eq!(field(&twice[0], "BOOTP", "giaddr"), "198.51.100.1");
    assert_eq!(field(&twice[0], "IP", "src"), "203.0.113.1");
    assert_eq!(info(&twice[0]), "circuit-id=\"a\"");
}

#[test]
fn a_server_without_a_relay_agent_is_no_choice() {
    let run: Run = tool(&["discover", "--server", "192.0.2.1"]);
    run.failed(2, &["required"]);
}
