//! Messages that follow a captured one: RFC 2131 section 4.1 says where they go, tables 3 to 5 what is in
//! them.

mod support;

use std::path::Path;

use serde_json::Value as Json;
use support::tool::{feed, scratch, text, tool};

const RELAY_MAC: &str = "02:00:5e:00:00:aa";
const RELAY: &str = "198.51.100.1";
const CLIENT: &str = "02:00:5e:10:00:01";

/// What a command line builds.
#[track_caller]
fn built(args: &[&str]) -> Json {
    let mut all = args.to_vec();
    all.extend(["--dry-run", "--json"]);
    tool(&all).succeeded().json().remove(0)
}

/// The same as a hex stream.
#[track_caller]
fn hex(args: &[&str]) -> String {
    let json = built(args);
    json["hex"].as_str().expect("hex").to_string()
}

/// What a command line builds that follows the last of these frames.
#[track_caller]
fn following(frames: &[&str], args: &[&str]) -> Json {
    let mut all = args.to_vec();
    all.extend(["--from", "-", "--dry-run", "--json"]);
    let run = feed(&all, frames.join("\n").as_bytes());
    run.succeeded().json().remove(0)
}

fn field<'a>(frame: &'a Json, layer: &str, name: &str) -> &'a Json {
    let layers = frame["layers"].as_array().expect("layers");
    let layer = layers.iter().find(|it| it["layer"] == layer);
    &layer.expect("the layer")[name]
}

fn codes(frame: &Json) -> Vec<u64> {
    let options = frame["options"].as_array().expect("options");
    options
        .iter()
        .filter_map(|it| it["code"].as_u64())
        .collect()
}

fn option(frame: &Json, code: u64) -> &Json {
    let options = frame["options"].as_array().expect("options");
    let found = options.iter().find(|it| it["code"] == code);
    found.map_or(&Json::Null, |it| &it["text"])
}

#[track_caller]
fn assert_fields(frame: &Json, wanted: &[(&str, &str, Json)]) {
    for (layer, name, value) in wanted {
        assert_eq!(
            field(frame, layer, name),
            value,
            "{layer} {name} of {}",
            frame["summary"]
        );
    }
}

/// Where the replies to a REQUEST with these flags go: address, port, Ethernet address.
#[track_caller]
fn replies(flags: &[&str], wanted: [(&str, (&str, u64, &str)); 3]) {
    let mut args = vec![
        "request",
        "--requested-ip",
        "192.0.2.150",
        "--xid",
        "0x1234",
    ];
    args.extend(flags);
    let request = built(&args);
    let stream = hex(&args);
    for (command, (ip, port, mac)) in wanted {
        let from = format!("hex:{stream}#1");
        let reply = built(&[command, "--server-id", "192.0.2.9", "--from", &from]);
        let nak = command == "nak";
        let same = |name: &str| field(&request, "BOOTP", name).clone();
        let relayed = same("giaddr") != "0.0.0.0";
        let ciaddr = match command {
            "ack" => same("ciaddr"),
            _ => "0.0.0.0".into(),
        };
        let flags = match (nak, relayed) {
            (true, true) => 0x8000.into(),
            _ => same("flags"),
        };
        let yiaddr = if nak { "0.0.0.0" } else { "192.0.2.150" };
        assert_fields(
            &reply,
            &[
                ("Ether", "dst", mac.into()),
                ("IP", "src", "192.0.2.9".into()),
                ("IP", "dst", ip.into()),
                ("UDP", "sport", 67.into()),
                ("UDP", "dport", port.into()),
                ("BOOTP", "op", 2.into()),
                ("BOOTP", "htype", same("htype")),
                ("BOOTP", "hlen", same("hlen")),
                ("BOOTP", "hops", 0.into()),
                ("BOOTP", "xid", same("xid")),
                ("BOOTP", "secs", 0.into()),
                ("BOOTP", "flags", flags),
                ("BOOTP", "ciaddr", ciaddr),
                ("BOOTP", "yiaddr", yiaddr.into()),
                ("BOOTP", "giaddr", same("giaddr")),
                ("BOOTP", "chaddr", same("chaddr")),
            ],
        );
        let codes = codes(&reply);
        // Table 3.
        assert_eq!(option(&reply, 54), "192.0.2.9");
        assert_eq!(codes.contains(&51), !nak, "lease time in {command}");
        assert!(
            !codes.iter().any(|it| [50, 55, 57].contains(it)),
            "{command}: {codes:?}"
        );
        assert_eq!(codes.contains(&56), nak, "message in {command}");
    }
}

const EVERYONE: (&str, u64, &str) = ("255.255.255.255", 68, "ff:ff:ff:ff:ff:ff");

#[test]
fn replies_go_to_the_hardware_address_of_a_client_without_an_address() {
    let client = ("192.0.2.150", 68, CLIENT);
    replies(&[], [("offer", client), ("ack", client), ("nak", EVERYONE)]);
}

#[test]
fn replies_are_broadcast_to_a_client_that_asks_for_it() {
    replies(
        &["--broadcast"],
        [("offer", EVERYONE), ("ack", EVERYONE), ("nak", EVERYONE)],
    );
}

#[test]
fn replies_go_to_the_address_of_a_client_that_has_one() {
    // Not OFFER's own ciaddr decides, which is always zero, but the client's.
    let client = ("192.0.2.77", 68, CLIENT);
    for flags in [
        &["--ciaddr", "192.0.2.77"][..],
        &["--ciaddr", "192.0.2.77", "--broadcast"],
    ] {
        replies(
            flags,
            [("offer", client), ("ack", client), ("nak", EVERYONE)],
        );
    }
}

#[test]
fn replies_go_to_the_relay_agent() {
    let relay = (RELAY, 67, RELAY_MAC);
    for more in [&[][..], &["--broadcast"], &["--ciaddr", "192.0.2.77"]] {
        let mut flags = vec!["--giaddr", RELAY, "--src-mac", RELAY_MAC];
        flags.extend(more);
        replies(&flags, [("offer", relay), ("ack", relay), ("nak", relay)]);
    }
}

#[test]
fn the_relay_agents_option_comes_back_last() {
    let args = [
        "discover",
        "--giaddr",
        RELAY,
        "--relay-info",
        "circuit-id=\"p1\"",
    ];
    let reply = following(&[&hex(&args)], &["offer"]);
    assert_eq!(codes(&reply).last(), Some(&82));
    assert_eq!(option(&reply, 82), "circuit-id=\"p1\"");
    // The router of the client's network is not the server of another one.
    assert_eq!(option(&reply, 3), RELAY);
}

#[test]
fn an_inform_is_acknowledged_without_a_lease() {
    let inform = hex(&["inform", "--ciaddr", "192.0.2.77"]);
    let ack = following(&[&inform], &["ack"]);
    let wanted = [("IP", "dst"), ("BOOTP", "ciaddr")];
    assert_fields(
        &ack,
        &wanted.map(|(layer, name)| (layer, name, "192.0.2.77".into())),
    );
    assert_fields(&ack, &[("BOOTP", "yiaddr", "0.0.0.0".into())]);
    assert!(!codes(&ack).iter().any(|it| [51, 58, 59].contains(it)));
}

/// A DISCOVER and the OFFER for it, as hex streams.
fn offered(discover: &[&str], offer: &[&str]) -> (String, String) {
    let mut args = vec!["discover", "--xid", "0x77"];
    args.extend(discover);
    let discover = hex(&args);
    let reply = following(
        &[&discover],
        &[&["offer", "--yiaddr", "192.0.2.150"], offer].concat(),
    );
    (discover, reply["hex"].as_str().expect("hex").to_string())
}

#[test]
fn a_request_takes_the_offer() {
    let (discover, offer) = offered(&["--broadcast"], &[]);
    let request = following(&[&discover, &offer], &["request"]);
    assert_fields(
        &request,
        &[
            ("Ether", "src", CLIENT.into()),
            ("Ether", "dst", "ff:ff:ff:ff:ff:ff".into()),
            ("IP", "src", "0.0.0.0".into()),
            ("IP", "dst", "255.255.255.255".into()),
            ("UDP", "sport", 68.into()),
            ("UDP", "dport", 67.into()),
            ("BOOTP", "hops", 0.into()),
            ("BOOTP", "xid", 0x77.into()),
            ("BOOTP", "flags", 0x8000.into()),
            ("BOOTP", "ciaddr", "0.0.0.0".into()),
            ("BOOTP", "yiaddr", "0.0.0.0".into()),
            ("BOOTP", "siaddr", "0.0.0.0".into()),
            ("BOOTP", "giaddr", "0.0.0.0".into()),
        ],
    );
    assert_eq!(option(&request, 50), "192.0.2.150");
    assert_eq!(option(&request, 54), "192.0.2.1");
}

#[test]
fn a_client_stays_who_it_said_it_was() {
    // A server of before RFC 6842 does not return the identifier.
    let silent = ["--no-option", "client-id"];
    let said = [
        "--client-id",
        "hex:ff0102030405",
        "--request-list",
        "1,3,51",
    ];
    let (discover, offer) = offered(&said, &silent);
    for command in ["request", "decline"] {
        let next = following(&[&discover, &offer], &[command]);
        assert_eq!(
            option(&next, 61),
            option(&built(&["discover", "--client-id", "hex:ff0102030405"]), 61)
        );
    }
    let request = following(&[&discover, &offer], &["request"]);
    assert_eq!(option(&request, 55), "subnet-mask,router,lease-time");
    // One that said nothing goes on saying nothing.
    let (discover, offer) = offered(&silent, &[]);
    let request = following(&[&discover, &offer], &["request"]);
    assert!(!codes(&request).contains(&61));
    // Another client's DISCOVER before it changes nothing.
    let other = hex(&[
        "discover",
        "--mac",
        "02:00:5e:10:00:02",
        "--client-id",
        "hex:ff09",
    ]);
    let request = following(&[&other, &offer], &["request"]);
    assert!(codes(&request).contains(&61));
    assert_ne!(
        option(&request, 61),
        option(&built(&["discover", "--client-id", "hex:ff09"]), 61)
    );
}

/// A capture of a whole exchange in the lab.
fn exchange(name: &str, args: &[&str]) -> std::path::PathBuf {
    let file = scratch(name).join("dora.pcapng");
    tool(&[&["dora", "-w", text(&file)], args].concat()).succeeded();
    file
}

fn numbered(file: &Path, number: u32) -> String {
    format!("{}#{number}", file.display())
}

#[test]
fn a_release_gives_back_what_the_ack_gave() {
    let file = exchange("release", &["--broadcast"]);
    let release = built(&["release", "--from", text(&file)]);
    assert_fields(
        &release,
        &[
            ("Ether", "dst", "02:00:5e:00:00:01".into()),
            ("IP", "src", "192.0.2.100".into()),
            ("IP", "dst", "192.0.2.1".into()),
            ("BOOTP", "flags", 0.into()),
            ("BOOTP", "ciaddr", "192.0.2.100".into()),
            ("BOOTP", "secs", 0.into()),
        ],
    );
    assert_eq!(codes(&release), [53, 61, 54]);
}

#[test]
fn a_decline_says_why() {
    let file = exchange("decline", &["--broadcast"]);
    let decline = built(&["decline", "--from", text(&file)]);
    assert_fields(
        &decline,
        &[
            ("Ether", "dst", "ff:ff:ff:ff:ff:ff".into()),
            ("IP", "src", "0.0.0.0".into()),
            ("IP", "dst", "255.255.255.255".into()),
            // Table 5, where OFFER and ACK had the broadcast flag.
            ("BOOTP", "flags", 0.into()),
            ("BOOTP", "ciaddr", "0.0.0.0".into()),
        ],
    );
    assert_eq!(codes(&decline), [53, 61, 50, 54, 56]);
}

#[test]
fn a_request_that_follows_an_ack_renews() {
    let file = exchange("renew", &["--broadcast"]);
    let renew = built(&["request", "--from", &numbered(&file, 4)]);
    assert_fields(
        &renew,
        &[
            ("Ether", "dst", "02:00:5e:00:00:01".into()),
            ("IP", "src", "192.0.2.100".into()),
            ("IP", "dst", "192.0.2.1".into()),
            ("BOOTP", "ciaddr", "192.0.2.100".into()),
            ("BOOTP", "flags", 0.into()),
        ],
    );
    assert!(!codes(&renew).iter().any(|it| [50, 54].contains(it)));
}

#[test]
fn what_follows_between_server_and_relay_agent_comes_from_there() {
    let relayed = [
        "--giaddr",
        RELAY,
        "--src-mac",
        RELAY_MAC,
        "--relay-info",
        "circuit-id=\"p1\"",
    ];
    let (discover, offer) = offered(&relayed, &["--src-mac", "02:00:5e:00:00:01"]);
    let request = following(&[&discover, &offer], &["request"]);
    assert_fields(
        &request,
        &[
            ("Ether", "src", RELAY_MAC.into()),
            ("Ether", "dst", "02:00:5e:00:00:01".into()),
            ("IP", "src", RELAY.into()),
            ("IP", "dst", "192.0.2.1".into()),
            ("UDP", "sport", 67.into()),
            ("BOOTP", "hops", 1.into()),
            ("BOOTP", "giaddr", RELAY.into()),
        ],
    );
    assert_eq!(codes(&request).last(), Some(&82));
    let named = following(&[&offer], &["request", "--src-mac", "02:00:5e:10:00:99"]);
    assert_fields(&named, &[("Ether", "src", "02:00:5e:10:00:99".into())]);
    // A client unicasts its RELEASE: no relay agent has a part in it.
    let ack = following(&[&discover], &["ack", "--src-mac", "02:00:5e:00:00:01"]);
    let release = following(&[ack["hex"].as_str().expect("hex")], &["release"]);
    assert_fields(
        &release,
        &[
            ("IP", "src", "192.0.2.100".into()),
            ("UDP", "sport", 68.into()),
            ("BOOTP", "hops", 0.into()),
            ("BOOTP", "giaddr", "0.0.0.0".into()),
        ],
    );
    assert_eq!(codes(&release), [53, 61, 54]);
}

#[test]
fn what_follows_behind_the_relay_agent_comes_from_the_client() {
    // The relay agent passes the OFFER on with its giaddr in it, by broadcast to port 68.
    let passed = [
        "offer",
        "--yiaddr",
        "192.0.2.150",
        "--giaddr",
        RELAY,
        "--src-mac",
        RELAY_MAC,
        "--src-ip",
        RELAY,
    ];
    let offer = hex(&passed);
    let request = following(&[&offer], &["request"]);
    assert_fields(
        &request,
        &[
            ("Ether", "src", CLIENT.into()),
            ("Ether", "dst", "ff:ff:ff:ff:ff:ff".into()),
            ("IP", "src", "0.0.0.0".into()),
            ("UDP", "sport", 68.into()),
            ("BOOTP", "hops", 0.into()),
            ("BOOTP", "giaddr", "0.0.0.0".into()),
        ],
    );
}

#[test]
fn addresses_named_go_onto_an_edited_frame() {
    let discover = hex(&["discover"]);
    let from = format!("hex:{discover}");
    for command in [&["discover"][..], &["craft"]] {
        let edited = built(&[command, &["--from", &from, "--mac", "02:00:5e:10:00:07"]].concat());
        assert_eq!(edited["message"]["chaddr"], "02:00:5e:10:00:07");
        assert_eq!(field(&edited, "Ether", "src"), "02:00:5e:10:00:07");
        let edited = built(
            &[
                command,
                &["--from", &from, "--src-mac", "02:00:5e:10:00:08"],
            ]
            .concat(),
        );
        assert_eq!(edited["message"]["chaddr"], CLIENT);
        assert_eq!(field(&edited, "Ether", "src"), "02:00:5e:10:00:08");
    }
}

#[test]
fn what_the_captured_frame_does_not_tell_is_asked_for() {
    let directory = scratch("untold");
    let link = directory.join("link.pcap");
    tool(&["discover", "--dry-run", "-w", text(&link)]).succeeded();
    let link = text(&link);
    let run = |args: &[&str]| tool(&[args, &["-i", link, "--dry-run", "--json"]].concat());
    run(&["offer", "--from", link]).failed(2, &["--yiaddr"]);
    run(&["offer", "--from", link, "--yiaddr", "192.0.2.7"]).failed(2, &["--server-id"]);
    run(&[
        "offer",
        "--from",
        link,
        "--yiaddr",
        "192.0.2.7",
        "--server-id",
        "192.0.2.1",
    ])
    .succeeded();
    run(&["release", "--from", link]).failed(6, &["ACK"]);
    run(&["release", "--from", &format!("{link}#1")]).failed(2, &["OFFER or ACK", "DISCOVER"]);
}
