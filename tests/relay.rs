//! Relay agents: what `--relay` builds, and the four servers behind it and behind Debian's dhcrelay.

mod support;

use std::fs::File;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value as Json;
use support::clients::{Dhclient, PATIENCE};
use support::expect_within;
use support::peers::{Kind, Server, ServerConfig};
use support::relay::{GIADDR, NETWORK, Relay, UPSTREAM};
use support::segment::{Host, Segment};
use support::tool::{Run, TOOL, finish, scratch, text, tool};

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
    let file = scratch("relay-many").join("many.pcapng");
    let path = text(&file);
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
    assert_eq!(flags(&["discover"]), "relay-flags=broadcast");
    let lease = ["--ciaddr", "198.51.100.7"];
    assert_eq!(
        flags(&[&["rebind"], &lease[..]].concat()),
        "relay-flags=broadcast"
    );
    let server = [&lease[..], &["--server-id", "192.0.2.1"]].concat();
    assert_eq!(
        flags(&[&["renew"], &server[..]].concat()),
        "relay-flags=unicast"
    );
    assert_eq!(
        flags(&[&["release"], &server[..]].concat()),
        "relay-flags=unicast"
    );
    // The REQUEST for an offer is a broadcast of the client's.
    let file = scratch("relay-flags").join("offer.pcapng");
    let path = text(&file);
    let relay = [
        "--relay",
        "198.51.100.1,relay-flags",
        "--server",
        "192.0.2.1",
    ];
    tool(&[&["discover", "-w", path], &relay[..]].concat()).succeeded();
    assert_eq!(flags(&["request", "--from", path]), "relay-flags=broadcast");
    let set = ["discover", "--relay", "198.51.100.1,relay-flags=5"];
    assert_eq!(info(&built(&set)[0]), "relay-flags=5");
}

#[test]
fn every_sub_option_has_a_name_and_a_value_that_people_can_read() {
    for (written, read, data) in [
        ("flags=unicast", "relay-flags=unicast", "0a0180"),
        ("relay-flags=0x80", "relay-flags=unicast", "0a0180"),
        ("relay-flags=broadcast", "relay-flags=broadcast", "0a0100"),
        ("10", "relay-flags=broadcast", "0a0100"),
        ("relay-flags=3", "relay-flags=3", "0a0103"),
        (
            "link-selection=10.1.0.0",
            "link-selection=10.1.0.0",
            "05040a010000",
        ),
        (
            "server-id-override=192.0.2.9",
            "server-id-override=192.0.2.9",
            "0b04c0000209",
        ),
        (
            "subscriber-id=alice",
            "subscriber-id=\"alice\"",
            "0605616c696365",
        ),
        (
            "vss=0/red",
            "virtual-subnet-selection=(0/\"red\")",
            "970400726564",
        ),
        ("vss=255", "virtual-subnet-selection=(255)", "9701ff"),
        ("vss-control", "vss-control", "9800"),
        (
            "relay-id=3/hex:0001aabb",
            "relay-id=(3/hex:0001aabb)",
            "0c0600030001aabb",
        ),
        (
            "vendor-specific=311/hex:ff",
            "vendor-specific=[311/\"\\xff\"]",
            "09060000013701ff",
        ),
        (
            "access-technology=[0,4]",
            "access-technology=[0,4]",
            "0d020004",
        ),
        (
            "access-network-name=guests",
            "access-network-name=\"guests\"",
            "0e06677565737473",
        ),
        (
            "access-point-bssid=hex:{mac}",
            "access-point-bssid=hex:02005e10000a",
            "100602005e10000a",
        ),
        ("operator-id=311", "operator-id=311", "110400000137"),
        ("relay-port", "relay-port", "1300"),
        (
            "radius=hex:0106616e6e61",
            "radius=hex:0106616e6e61",
            "07060106616e6e61",
        ),
    ] {
        let relay = format!("198.51.100.1,{written}");
        let args = ["discover", "--relay", &relay, "--mac", "02:00:5e:10:00:0a"];
        let frame = &built(&args)[0];
        assert_eq!(info(frame), read, "{written}");
        let options = frame["options"].as_array().expect("options");
        let option = options.iter().find(|it| it["code"] == 82);
        assert_eq!(option.map(|it| &it["hex"]), Some(&data.into()), "{written}");
        // What is read is written again.
        let again = format!("198.51.100.1,{read}");
        let args = ["discover", "--relay", &again];
        assert_eq!(info(&built(&args)[0]), read);
    }
    let bad = |text: &str, parts: &[&str]| {
        let relay = format!("198.51.100.1,{text}");
        tool(&["discover", "--relay", &relay]).failed(2, parts);
    };
    bad("relay-flags=uni", &["no relay flag", "broadcast, unicast"]);
    bad(
        "access-point-bssid=02:00:00:00:00:01",
        &["6 are needed; hex:"],
    );
    bad(
        "link-selection=here",
        &["link-selection", "no IPv4 address"],
    );
    // Where the names are to be found.
    let told = tool(&["explain", "relay-info"]).succeeded().out;
    for name in [
        "link-selection",
        "server-id-override",
        "relay-port",
        "vss-control",
    ] {
        assert!(told.contains(name), "{name}: {told}");
        let one = tool(&["explain", name]).succeeded().out;
        assert!(one.contains("of relay-info") && one.contains(name), "{one}");
    }
    let json = tool(&["explain", "vss", "--json"]).succeeded().json();
    assert_eq!(
        (&json[0]["code"], &json[0]["option"]),
        (&151.into(), &"relay-info".into())
    );
}

#[test]
fn a_captured_message_is_passed_on() {
    let directory = scratch("relay-captured");
    let plain = directory.join("plain.pcapng");
    let path = text(&plain);
    let first = built(&["discover", "--hostname", "printer", "-w", path]);
    let relay = [
        "--relay",
        "198.51.100.1,circuit-id=a",
        "--server",
        "192.0.2.1",
    ];
    let relayed = directory.join("relayed.pcapng");
    let second = text(&relayed);
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

/// The addresses that the servers have for clients behind the relay agent.
const FAR: (Ipv4Addr, Ipv4Addr) = (
    Ipv4Addr::new(198, 51, 100, 100),
    Ipv4Addr::new(198, 51, 100, 119),
);

/// A server that also serves the network behind the relay agent.
fn serving_far(kind: Kind) -> ServerConfig {
    let (first, last) = FAR;
    let extra = match kind {
        Kind::Dnsmasq => format!(
            "dhcp-range=set:far,{first},{last},255.255.255.0,600\n\
             dhcp-option=tag:far,option:router,{GIADDR}"
        ),
        Kind::Kea => format!(
            r#""shared-networks": [{{ "name": "far", "subnet4": [{{
                "id": 2, "subnet": "{NETWORK}", "pools": [{{ "pool": "{first} - {last}" }}],
                "option-data": [{{ "name": "routers", "data": "{GIADDR}" }}] }}] }}],"#
        ),
        // Without the threshold it gives a young lease again as it is (dhcpd.conf, dhcp-cache-threshold).
        Kind::Dhcpd => format!(
            "dhcp-cache-threshold 0;\n\
             subnet 198.51.100.0 netmask 255.255.255.0 {{ range {first} {last}; option routers {GIADDR}; }}"
        ),
        // It has one pool and asks nothing of giaddr.
        Kind::Udhcpd => format!("option router {GIADDR}"),
    };
    ServerConfig {
        pool: (kind == Kind::Udhcpd).then_some(FAR),
        extra,
        ..ServerConfig::default()
    }
}

/// Runs the tool on the client's end of a segment.
#[track_caller]
fn run(segment: &Segment, args: &[&str]) -> Run {
    let mut command = segment.client_command(TOOL);
    let run = finish(
        command.args(args).args(["-i", segment.client_interface()]),
        b"",
    );
    eprintln!("$ dhcpcraft {}\n{}", args.join(" "), run.err);
    run
}

/// The messages that came back.
#[track_caller]
fn replies(segment: &Segment, args: &[&str]) -> Vec<Json> {
    let lines = run(segment, &[args, &["--json"]].concat())
        .succeeded()
        .json();
    let came = |it: &Json| it["direction"] == "received" && it["message"].is_object();
    lines.into_iter().filter(came).collect()
}

/// Goes through the life of a lease with `extra` on every command, the server's lease file as the witness.
#[track_caller]
fn live(segment: &Segment, server: &Server, extra: &[&str]) {
    let file: PathBuf = segment.directory().join("lease");
    let path = text(&file);
    let lease = || {
        let args = ["dora", "--print", "yiaddr", "--save-lease", path];
        let address = run(segment, &[&args[..], extra].concat()).succeeded().out;
        let address: Ipv4Addr = address.trim().parse().expect("an address");
        assert!((FAR.0..=FAR.1).contains(&address), "{address}");
        address
    };
    let address = lease();
    let mut record = server.expect_active(address);
    assert_eq!(record.mac, segment.client_mac());
    for command in ["renew", "rebind", "reboot"] {
        // The lease files know whole seconds.
        sleep(Duration::from_millis(1100));
        let answers = replies(segment, &[&[command, "--lease", path], extra].concat());
        assert_eq!(answers[0]["message"]["type"], "ACK", "{command}");
        assert_eq!(
            answers[0]["message"]["yiaddr"],
            address.to_string(),
            "{command}"
        );
        server.expect_extended(&record);
        record = server.expect_active(address);
    }
    let answers = replies(segment, &[&["inform", "--lease", path], extra].concat());
    assert_eq!(answers[0]["message"]["type"], "ACK");
    assert_eq!(answers[0]["message"]["yiaddr"], "0.0.0.0");
    assert_eq!(answers[0]["message"]["lease_time"], Json::Null);
    run(segment, &[&["release", "--lease", path], extra].concat()).succeeded();
    server.expect_released(address);
    let address = lease();
    server.expect_active(address);
    run(segment, &[&["decline", "--lease", path], extra].concat()).succeeded();
    server.expect_declined(address);
}

/// A server behind dhcrelay, and the clients before it.
fn behind_dhcrelay(kind: Kind, flags: &[&str]) -> (Segment, Segment, Server, Relay) {
    let (clients, servers) = (Segment::new(), Segment::new());
    let server = servers.server(kind, serving_far(kind));
    server.route(NETWORK, Some(UPSTREAM));
    let relay = Relay::between(&clients, &servers, server.address(), flags);
    (clients, servers, server, relay)
}

#[test]
fn dnsmasq_behind_dhcrelay() {
    let (clients, _servers, server, _relay) = behind_dhcrelay(Kind::Dnsmasq, &["-a"]);
    live(&clients, &server, &[]);
}

#[test]
fn kea_behind_dhcrelay() {
    let (clients, _servers, server, _relay) = behind_dhcrelay(Kind::Kea, &["-a"]);
    live(&clients, &server, &[]);
}

#[test]
fn dhcpd_behind_dhcrelay() {
    let (clients, _servers, server, _relay) = behind_dhcrelay(Kind::Dhcpd, &["-a"]);
    live(&clients, &server, &[]);
}

#[test]
fn udhcpd_behind_dhcrelay() {
    let (clients, _servers, server, _relay) = behind_dhcrelay(Kind::Udhcpd, &["-a"]);
    live(&clients, &server, &[]);
}

#[test]
fn a_server_behind_dhcrelay_is_one_server_with_the_agent_beside_it() {
    for kind in [Kind::Dnsmasq, Kind::Kea] {
        let (clients, _servers, server, relay) = behind_dhcrelay(kind, &["-a"]);
        // The answer to the INFORM is routed to the client, by the same machine.
        let ask = ["servers", "--timeout", "1s", "--ciaddr", "198.51.100.50"];
        let name = server.address().to_string();
        let judged = ["--json", "--allow", &name, "--expect", "len(servers) == 1"];
        let rows = run(&clients, &[&ask[..], &judged].concat())
            .succeeded()
            .json();
        let row = &rows[0];
        assert_eq!(row["server"], name.as_str(), "{row:#}");
        assert_eq!(row["relay"], GIADDR.to_string().as_str(), "{row:#}");
        assert_eq!(row["mac"], relay.mac(), "{row:#}");
        assert_eq!(row["silent"], serde_json::json!([]), "{row:#}");
        assert_eq!(row["notes"], serde_json::json!([]), "{row:#}");
        assert_eq!(row["options"]["router"][0], GIADDR.to_string().as_str());
        for it in row["offered"].as_array().expect("addresses") {
            let ip: Ipv4Addr = it
                .as_str()
                .and_then(|it| it.parse().ok())
                .expect("an address");
            assert!((FAR.0..=FAR.1).contains(&ip), "{row:#}");
        }
    }
}

/// The life of a lease through `--relay`, on the server's own segment.
fn through_our_relay(kind: Kind) {
    let segment = Segment::new();
    let server = segment.server(kind, serving_far(kind));
    server.route(NETWORK, None);
    let (relay, to) = (
        format!("{GIADDR},circuit-id=port-{{n}},relay-flags"),
        server.address().to_string(),
    );
    live(&segment, &server, &["--relay", &relay, "--server", &to]);
}

#[test]
fn dnsmasq_behind_our_relay() {
    through_our_relay(Kind::Dnsmasq);
}

#[test]
fn kea_behind_our_relay() {
    through_our_relay(Kind::Kea);
}

#[test]
fn dhcpd_behind_our_relay() {
    through_our_relay(Kind::Dhcpd);
}

#[test]
fn udhcpd_behind_our_relay() {
    through_our_relay(Kind::Udhcpd);
}

#[test]
fn what_a_renewing_client_unicasts_is_routed_past_the_relay_agent() {
    for kind in Kind::ALL {
        let (clients, _servers, server, mut relay) = behind_dhcrelay(kind, &[]);
        let file = clients.directory().join("lease");
        let path = text(&file);
        run(&clients, &["dora", "--save-lease", path]).succeeded();
        // Alive it would also relay what its machine routes, and the client would get two answers.
        relay.stop();
        let renewed = run(
            &clients,
            &["renew", "--lease", path, "--json", "--timeout", "2s"],
        );
        let lines = renewed.json();
        let sent = lines
            .iter()
            .find(|it| it["direction"] == "sent" && it["message"].is_object())
            .expect("a REQUEST");
        // The server is not on the client's network, so the frame goes to the router that the lease names.
        assert_eq!(field(sent, "Ether", "dst"), relay.mac(), "{kind:?}");
        assert_eq!(
            field(sent, "IP", "dst"),
            server.address().to_string().as_str()
        );
        // udhcpd sends its answer to chaddr on its own link, where nobody has it.
        let code = if kind == Kind::Udhcpd { 3 } else { 0 };
        assert_eq!(renewed.code, Some(code), "{kind:?}");
    }
}

#[test]
fn a_chain_of_relay_agents_gets_its_answers() {
    for kind in Kind::ALL {
        let segment = Segment::new();
        let server = segment.server(kind, serving_far(kind));
        // The second agent is the way to the first.
        server.route(NETWORK, Some(UPSTREAM));
        let first = format!("{GIADDR},circuit-id=hex:0004{{vlan}}0102,remote-id={{mac}}");
        let (second, to) = (UPSTREAM.to_string(), server.address().to_string());
        let args = [
            "dora", "--relay", &first, "--relay", &second, "--server", &to,
        ];
        let no_tag = run(&segment, &args);
        assert_eq!(no_tag.code, Some(2), "no VLAN is named: {no_tag:?}");
        let first = first.replace("{vlan}", "0064");
        let args = [
            "dora", "--relay", &first, "--relay", &second, "--server", &to,
        ];
        let answers = replies(&segment, &args);
        let ack = answers.last().expect("an ACK");
        assert_eq!(ack["message"]["type"], "ACK", "{kind:?}");
        assert_eq!(ack["message"]["giaddr"], GIADDR.to_string(), "{kind:?}");
        assert_eq!(field(ack, "IP", "dst"), GIADDR.to_string().as_str());
        assert_eq!(field(ack, "UDP", "dport"), 67);
        let (codes, info) = options(ack);
        match kind {
            // It knows nothing of option 82, and forgets the hops.
            Kind::Udhcpd => {
                assert!(!codes.contains(&82), "{codes:?}");
                assert_eq!(field(ack, "BOOTP", "hops"), 0);
            }
            _ => {
                assert_eq!(codes.last(), Some(&82), "{kind:?}: {codes:?}");
                let mac = segment.client_mac();
                assert_eq!(
                    info,
                    format!("circuit-id=hex:000400640102,remote-id=\"{mac}\"")
                );
                assert_eq!(field(ack, "BOOTP", "hops"), 2, "{kind:?}");
            }
        }
        let address = ack["message"]["yiaddr"].as_str().expect("an address");
        server.expect_active(address.parse().expect("an address"));
    }
}

#[test]
fn an_inform_through_a_relay_agent_is_answered_where_the_server_thinks_right() {
    for kind in Kind::ALL {
        let segment = Segment::new();
        let server = segment.server(kind, serving_far(kind));
        server.route(NETWORK, None);
        let (relay, to) = (
            format!("{GIADDR},circuit-id=a"),
            server.address().to_string(),
        );
        let args = [
            "inform",
            "--ciaddr",
            "198.51.100.200",
            "--relay",
            &relay,
            "--server",
            &to,
        ];
        let answers = replies(&segment, &args);
        // RFC 2131 section 4.3.5: straight to the client. The others go back the way it came.
        let wanted = match kind {
            Kind::Kea | Kind::Dhcpd => ("198.51.100.200", 68),
            Kind::Dnsmasq | Kind::Udhcpd => ("198.51.100.1", 67),
        };
        let ack = &answers[0];
        let went = (field(ack, "IP", "dst"), field(ack, "UDP", "dport"));
        assert_eq!(went, (&wanted.0.into(), &wanted.1.into()), "{kind:?}");
    }
}

/// A running `serve` on a machine of the servers' segment, with its address there.
struct Serving {
    child: std::process::Child,
    out: PathBuf,
    _host: Host,
}

impl Serving {
    #[track_caller]
    fn on(segment: &Segment, address: Ipv4Addr) -> Self {
        let host = segment.host(address);
        let [out, err] = ["serve.out", "serve.err"].map(|it| segment.directory().join(it));
        let (network, subnet) = (
            format!("{address}/24"),
            format!("{NETWORK}={}-{}", FAR.0, FAR.1),
        );
        let create = |path: &PathBuf| File::create(path).expect("a file");
        let child = host
            .command(TOOL)
            .args(["serve", "-i", host.interface(), "--address", &network])
            .args(["--subnet", &subnet, "-o", "router=198.51.100.1"])
            .args(["--timeout", "5m", "--json"])
            .stdin(Stdio::null())
            .stdout(create(&out))
            .stderr(create(&err))
            .spawn()
            .expect("it starts");
        expect_within("serve to serve", Duration::from_secs(15), || {
            std::fs::read_to_string(&err).is_ok_and(|it| it.contains("serving"))
        });
        Self {
            child,
            out,
            _host: host,
        }
    }

    /// The messages of this type with this client that it received, once there are so many.
    #[track_caller]
    fn received(&self, kind: &str, mac: &str, count: usize) -> Vec<Json> {
        let mut found = Vec::new();
        expect_within("the server to get it", Duration::from_secs(10), || {
            let text = std::fs::read_to_string(&self.out).unwrap_or_default();
            let whole = &text[..text.rfind('\n').unwrap_or(0)];
            found = whole
                .lines()
                .map(|it| serde_json::from_str::<Json>(it).expect("JSON"))
                .filter(|it| it["direction"] == "received" && it["message"]["type"] == kind)
                .filter(|it| it["message"]["chaddr"] == mac)
                .collect();
            found.len() >= count
        });
        found
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// dhcrelay with the tool on both of its sides.
fn dhcrelay_examined(flags: &[&str]) -> (Segment, Segment, Serving, Relay) {
    let (clients, servers) = (Segment::new(), Segment::new());
    let address = Ipv4Addr::new(10, 77, 0, 9);
    let serving = Serving::on(&servers, address);
    let relay = Relay::between(&clients, &servers, address, flags);
    (clients, servers, serving, relay)
}

#[test]
fn dhcrelay_adds_its_option_and_takes_it_away_again() {
    let (clients, _servers, serving, relay) = dhcrelay_examined(&["-a"]);
    let mac = "02:00:5e:10:77:01";
    for (flag, ether, ip) in [
        ("--unicast", mac, "198.51.100.100"),
        ("--broadcast", "ff:ff:ff:ff:ff:ff", "255.255.255.255"),
    ] {
        let answers = replies(&clients, &["dora", flag, "--mac", mac]);
        let types: Vec<_> = answers.iter().map(|it| &it["message"]["type"]).collect();
        assert_eq!(types, ["OFFER", "ACK"]);
        for answer in &answers {
            for (layer, name, wanted) in [
                ("Ether", "src", Json::from(relay.mac())),
                ("Ether", "dst", ether.into()),
                ("IP", "src", "198.51.100.1".into()),
                ("IP", "dst", ip.into()),
                ("UDP", "sport", 67.into()),
                ("UDP", "dport", 68.into()),
                // RFC 1542 section 4.1.2: nothing of the message but option 82 changes.
                ("BOOTP", "giaddr", "198.51.100.1".into()),
                ("BOOTP", "yiaddr", "198.51.100.100".into()),
            ] {
                assert_eq!(
                    field(answer, layer, name),
                    &wanted,
                    "{flag}: {layer} {name}"
                );
            }
            assert!(!options(answer).0.contains(&82), "{answer}");
        }
    }
    for kind in ["DISCOVER", "REQUEST"] {
        for message in serving.received(kind, mac, 2) {
            for (layer, name, wanted) in [
                ("Ether", "src", Json::from(relay.upstream_mac())),
                ("IP", "src", "10.77.0.250".into()),
                ("IP", "dst", "10.77.0.9".into()),
                ("UDP", "sport", 67.into()),
                ("UDP", "dport", 67.into()),
                ("BOOTP", "hops", 1.into()),
                ("BOOTP", "giaddr", "198.51.100.1".into()),
            ] {
                assert_eq!(
                    field(&message, layer, name),
                    &wanted,
                    "{kind}: {layer} {name}"
                );
            }
            let (codes, text) = options(&message);
            assert_eq!(codes.last(), Some(&82), "{codes:?}");
            assert_eq!(text, "circuit-id=\"down0\"");
        }
    }
}

#[test]
fn dhcrelay_counts_hops_and_trusts_no_option_82_of_a_client() {
    let (clients, _servers, serving, _relay) = dhcrelay_examined(&["-a", "-c", "4"]);
    let silent = |mac: &str, args: &[&str]| {
        let all = [&["discover", "--mac", mac, "--timeout", "1s"], args].concat();
        assert_eq!(run(&clients, &all).code, Some(3), "{args:?}");
    };
    // As many hops as it lets pass.
    silent("02:00:5e:10:77:03", &["--hops", "4"]);
    // The next one passes, with a hop more, and came after them.
    let mac = "02:00:5e:10:77:04";
    replies(&clients, &["discover", "--mac", mac, "--hops", "3"]);
    let passed = serving.received("DISCOVER", mac, 1);
    assert_eq!(field(&passed[0], "BOOTP", "hops"), 4);
    assert_eq!(
        serving.received("DISCOVER", "02:00:5e:10:77:03", 0).len(),
        0
    );
    // RFC 3046 section 2.1 has an option 82 without giaddr discarded with its message. dhcrelay puts its own
    // in its place, so that the server is not told lies either.
    let mac = "02:00:5e:10:77:02";
    let spoof = "relay-info=circuit-id=spoofed";
    replies(&clients, &["discover", "--mac", mac, "-o", spoof]);
    let spoofed = serving.received("DISCOVER", mac, 1);
    let (codes, text) = options(&spoofed[0]);
    assert_eq!(codes.iter().filter(|it| **it == 82).count(), 1);
    assert_eq!(text, "circuit-id=\"down0\"");
}

#[test]
fn dhcrelay_without_its_option_passes_a_relayed_message_on_as_it_is() {
    let (clients, _servers, serving, _relay) = dhcrelay_examined(&[]);
    let mac = "02:00:5e:10:77:05";
    run(&clients, &["dora", "--mac", mac]).succeeded();
    let own = serving.received("DISCOVER", mac, 1);
    assert!(!options(&own[0]).0.contains(&82), "{own:?}");
    // A relay agent of ours before it: giaddr and option 82 stay, a hop is added. The answer goes to our
    // giaddr, which only the clients' segment knows.
    let mac = "02:00:5e:10:77:06";
    let relay = "198.51.100.77,circuit-id=port-9";
    let args = [
        "discover",
        "--mac",
        mac,
        "--relay",
        relay,
        "--server",
        "198.51.100.1",
    ];
    run(&clients, &[&args[..], &["--timeout", "500ms"]].concat());
    let chained = serving.received("DISCOVER", mac, 1);
    assert_eq!(field(&chained[0], "BOOTP", "hops"), 2);
    assert_eq!(field(&chained[0], "BOOTP", "giaddr"), "198.51.100.77");
    assert_eq!(info(&chained[0]), "circuit-id=\"port-9\"");
}

/// A frame's own words: `sent REQUEST 02:…`.
fn renewals(lines: &[Json]) -> Vec<&Json> {
    let renewing =
        |it: &&Json| it["message"]["type"] == "REQUEST" && it["message"]["ciaddr"] != "0.0.0.0";
    lines.iter().filter(renewing).collect()
}

#[test]
fn a_lease_held_behind_dhcrelay_is_renewed_by_unicast_to_the_router() {
    let (clients, _servers, server, relay) = behind_dhcrelay(Kind::Dnsmasq, &[]);
    // Ten minutes of lease: T1 comes after three seconds.
    let hold = ["dora", "--hold", "500s", "--time-scale", "100", "--json"];
    let lines = run(&clients, &hold).succeeded().json();
    let sent = renewals(&lines);
    assert!(!sent.is_empty(), "no renewal");
    for it in sent {
        assert_eq!(field(it, "Ether", "dst"), relay.mac());
        assert_eq!(
            field(it, "IP", "dst"),
            server.address().to_string().as_str()
        );
    }
    let acks = lines.iter().filter(|it| {
        it["message"]["type"] == "ACK"
            && it["verdict"] == "part"
            && it["message"]["ciaddr"] != "0.0.0.0"
    });
    assert!(acks.count() > 0, "the renewal is acknowledged");
}

#[test]
fn in_the_lab_a_relay_agent_stands_before_the_server() {
    for (cast, hops_of_mac) in [
        ("lab:relay", "02:00:5e:00:00:f2"),
        ("lab:relay-chain", "02:00:5e:00:00:f0"),
    ] {
        let args = [
            "dora", "-i", cast, "--lint", "--hold", "115m", "--json", "--seed", "1",
        ];
        let lines = tool(&args).succeeded().json();
        let kinds: Vec<&str> = lines
            .iter()
            .filter_map(|it| it["message"]["type"].as_str())
            .collect();
        let renewed = ["REQUEST", "ACK"].repeat(3);
        assert_eq!(
            kinds,
            [&["DISCOVER", "OFFER", "REQUEST", "ACK"][..], &renewed].concat()
        );
        for it in lines
            .iter()
            .filter(|it| it["direction"] == "received" && it["message"].is_object())
        {
            // What the agent added the client never sees.
            assert!(!options(it).0.contains(&82), "{it}");
            assert_eq!(field(it, "Ether", "src"), hops_of_mac);
        }
        let first = &lines[1];
        assert_eq!(first["message"]["giaddr"], "198.51.100.1");
        assert_eq!(first["message"]["yiaddr"], "198.51.100.100");
        assert_eq!(field(first, "IP", "src"), "198.51.100.1");
        assert_eq!(field(first, "IP", "dst"), "198.51.100.100");
        // Renewed past the agent, by unicast through the router that ARP found.
        for it in renewals(&lines) {
            assert_eq!(field(it, "Ether", "dst"), hops_of_mac);
            assert_eq!(field(it, "IP", "dst"), "192.0.2.1");
        }
        // The same life with the flag set, answered by broadcast.
        let flagged = tool(&["discover", "-i", cast, "--broadcast", "--json"])
            .succeeded()
            .json();
        assert_eq!(field(&flagged[1], "IP", "dst"), "255.255.255.255");
        assert_eq!(field(&flagged[1], "Ether", "dst"), "ff:ff:ff:ff:ff:ff");
        for (name, more) in [
            ("reboot", &["--requested-ip", "203.0.113.9"][..]),
            ("inform", &["--ciaddr", "198.51.100.9"]),
        ] {
            let run = tool(&[&[name, "-i", cast, "--json"], more].concat());
            let code = if name == "reboot" { 4 } else { 0 };
            assert_eq!(run.code, Some(code), "{run:?}");
        }
    }
}

/// A server behind this tool as the relay agent, and the clients before it; the file records both links.
fn behind_our_agent(kind: Kind, file: &str) -> (Segment, Segment, Server, Relay) {
    let (clients, servers) = (Segment::new(), Segment::new());
    let server = servers.server(kind, serving_far(kind));
    server.route(NETWORK, Some(UPSTREAM));
    let flags = [
        "--circuit-id",
        "port-{mac}",
        "--remote-id",
        "hex:0a0b",
        "-w",
        file,
    ];
    let relay = Relay::ours(&clients, &servers, server.address(), &flags);
    (clients, servers, server, relay)
}

/// Goes through the life of a lease behind our agent, and looks at what passed on both sides.
fn live_behind_our_agent(kind: Kind) {
    let file = scratch(&format!("agent-{kind:?}")).join("both.pcapng");
    let (clients, _servers, server, mut relay) = behind_our_agent(kind, text(&file));
    live(&clients, &server, &[]);
    let far = run(&clients, &["discover", "--hops", "9", "--timeout", "1s"]);
    assert_eq!(far.code, Some(3), "{far:?}");
    let told = relay
        .said()
        .matches("\nnot passed on: hops 9 is more than 4\n")
        .count();
    assert_eq!(told, 1, "{}", relay.said());
    relay.stop();
    let frames = tool(&["show", "--json", text(&file)]).succeeded().json();
    let up = |it: &&Json| it["message"].is_object() && field(it, "IP", "src") == "10.77.0.250";
    let requests: Vec<&Json> = frames.iter().filter(up).collect();
    let kinds: Vec<&str> = requests
        .iter()
        .filter_map(|it| it["message"]["type"].as_str())
        .collect();
    for kind in ["DISCOVER", "REQUEST", "DECLINE"] {
        assert!(kinds.contains(&kind), "{kinds:?}");
    }
    let mac = clients.client_mac();
    for it in requests {
        let wanted = format!("circuit-id=\"port-{mac}\",remote-id=hex:0a0b");
        assert_eq!(
            (info(it), options(it).0.last()),
            (wanted, Some(&82)),
            "{}",
            it["summary"]
        );
        assert_eq!(it["message"]["giaddr"], GIADDR.to_string());
        assert_eq!(field(it, "BOOTP", "hops"), 1);
        assert_eq!(field(it, "Ether", "src"), relay.upstream_mac());
        assert_eq!(field(it, "Ether", "dst"), server.mac());
    }
    let down = |it: &&Json| {
        it["message"].is_object()
            && field(it, "UDP", "sport") == 67
            && field(it, "Ether", "src") == relay.mac()
            && field(it, "IP", "src") == "198.51.100.1"
    };
    let replies: Vec<&Json> = frames.iter().filter(down).collect();
    assert!(replies.len() >= 4, "{}", replies.len());
    for it in replies {
        assert!(!options(it).0.contains(&82), "{}", it["summary"]);
        assert_eq!(field(it, "UDP", "dport"), 68);
        assert_eq!(field(it, "Ether", "dst"), mac);
    }
}

#[test]
fn dnsmasq_behind_our_agent() {
    live_behind_our_agent(Kind::Dnsmasq);
}

#[test]
fn kea_behind_our_agent() {
    live_behind_our_agent(Kind::Kea);
}

#[test]
fn dhclient_gets_its_lease_through_our_agent() {
    let file = scratch("agent-dhclient").join("both.pcapng");
    let (clients, _servers, server, _relay) = behind_our_agent(Kind::Kea, text(&file));
    let dhclient = Dhclient::new(&clients);
    let _running = dhclient.start();
    let (first, last) = (u32::from(FAR.0), u32::from(FAR.1));
    let leased = || {
        let mut far = (first..=last).map(Ipv4Addr::from);
        far.find(|ip| server.lease(*ip).is_some())
    };
    expect_within("a lease in the server's file", PATIENCE, || {
        leased().is_some()
    });
    let address = leased().expect("a lease");
    assert_eq!(server.expect_active(address).mac, clients.client_mac());
    let bound = || {
        let told = std::fs::read_to_string(clients.directory().join("leases"));
        told.is_ok_and(|it| it.contains(&format!("fixed-address {address}")))
    };
    expect_within("the client to know it", PATIENCE, bound);
}

#[test]
fn our_agent_has_renewals_pass_it_and_says_which_came_by_unicast() {
    // Kea 2.2 names itself all the same.
    let file = scratch("agent-override").join("both.pcapng");
    let (clients, servers) = (Segment::new(), Segment::new());
    let server = servers.server(Kind::Dnsmasq, serving_far(Kind::Dnsmasq));
    server.route(NETWORK, Some(UPSTREAM));
    // RFC 5107: to its clients the agent is the server.
    let info_of_agent = format!("server-id-override={GIADDR},relay-flags");
    let flags = [
        "--circuit-id",
        "port-7",
        "--relay-info",
        &info_of_agent,
        "-w",
        text(&file),
    ];
    let mut relay = Relay::ours(&clients, &servers, server.address(), &flags);
    let path = clients.directory().join("lease");
    let lease = text(&path);
    run(&clients, &["dora", "--save-lease", lease]).succeeded();
    sleep(Duration::from_millis(1100));
    let answers = replies(&clients, &["renew", "--lease", lease]);
    let ack = answers.last().expect("an ACK");
    assert_eq!(ack["message"]["type"], "ACK");
    assert_eq!(ack["message"]["server_id"], GIADDR.to_string());
    assert_eq!(field(ack, "IP", "src"), &GIADDR.to_string());
    relay.stop();
    let frames = tool(&["show", "--json", text(&file)]).succeeded().json();
    let up = frames
        .iter()
        .filter(|it| it["message"].is_object() && field(it, "IP", "src") == &UPSTREAM.to_string());
    let sent: Vec<(String, String)> = up
        .map(|it| (it["message"]["ciaddr"].to_string(), info(it)))
        .collect();
    let option = |flag: &str| {
        format!("circuit-id=\"port-7\",server-id-override={GIADDR},relay-flags={flag}")
    };
    assert_eq!(sent.len(), 3, "{sent:?}");
    assert_eq!(
        (&sent[0].1, &sent[1].1),
        (&option("broadcast"), &option("broadcast"))
    );
    assert_eq!(sent[2].0, ack["message"]["yiaddr"].to_string());
    assert_eq!(sent[2].1, option("unicast"));
}

#[test]
fn our_agent_stands_on_the_vlan_that_is_named() {
    let file = scratch("agent-vlan").join("both.pcapng");
    let (clients, servers) = (Segment::new(), Segment::new());
    let server = servers.server(Kind::Dnsmasq, serving_far(Kind::Dnsmasq));
    server.route(NETWORK, Some(UPSTREAM));
    let flags = [
        "--vlan",
        "20:5",
        "--circuit-id",
        "vlan-{vlan}",
        "-w",
        text(&file),
    ];
    let mut relay = Relay::ours(&clients, &servers, server.address(), &flags);
    let notice = "relaying from down0, VLAN 20 (giaddr 198.51.100.1)";
    assert!(relay.said().contains(notice), "{}", relay.said());
    let dora = ["dora", "--vlan", "20", "--print", "yiaddr"];
    let address = run(&clients, &dora).succeeded().out;
    let address: Ipv4Addr = address.trim().parse().expect("an address");
    assert!((FAR.0..=FAR.1).contains(&address), "{address}");
    assert_eq!(server.expect_active(address).mac, clients.client_mac());
    for elsewhere in [&[][..], &["--vlan", "30"]] {
        let args = [&["discover", "--timeout", "1s"], elsewhere].concat();
        assert_eq!(run(&clients, &args).code, Some(3), "{elsewhere:?}");
    }
    relay.stop();
    let frames = tool(&["show", "--json", text(&file)]).succeeded().json();
    let of = |ip: Ipv4Addr| {
        let sent =
            |it: &&Json| it["message"].is_object() && field(it, "IP", "src") == &ip.to_string();
        frames.iter().filter(sent).collect::<Vec<_>>()
    };
    let tag = |it: &Json| {
        let layers = it["layers"].as_array().expect("layers");
        let tag = layers.iter().find(|it| it["layer"] == "Dot1Q");
        tag.map(|it| (it["vlan"].clone(), it["prio"].clone()))
    };
    let up = of(UPSTREAM);
    assert_eq!(up.len(), 2, "a DISCOVER and a REQUEST of VLAN 20");
    for it in up {
        assert_eq!((tag(it), info(it)), (None, "circuit-id=\"vlan-20\"".into()));
    }
    let down = of(GIADDR);
    assert_eq!(down.len(), 2, "an OFFER and an ACK");
    for it in down {
        assert_eq!(tag(it), Some((20.into(), 5.into())));
    }
}

#[test]
fn our_agent_reaches_a_server_behind_a_router() {
    let file = scratch("agent-via").join("both.pcapng");
    let (clients, servers) = (Segment::new(), Segment::new());
    let server = servers.server(Kind::Dnsmasq, serving_far(Kind::Dnsmasq));
    server.route(NETWORK, Some(UPSTREAM));
    // Its machine is the router to another address of its own.
    let far = Ipv4Addr::new(203, 0, 113, 1);
    let address = ["address", "add", "203.0.113.1/32", "dev", "lo"];
    finish(server.command("ip").args(address), b"").succeeded();
    let router = server.address().to_string();
    let flags = ["--via", &router, "-w", text(&file)];
    let mut relay = Relay::ours(&clients, &servers, far, &flags);
    let told = "to 203.0.113.1 through up0";
    assert!(relay.said().contains(told), "{}", relay.said());
    let address = run(&clients, &["dora", "--print", "yiaddr"])
        .succeeded()
        .out;
    server.expect_active(address.trim().parse().expect("an address"));
    relay.stop();
    let frames = tool(&["show", "--json", text(&file)]).succeeded().json();
    let sent = frames.iter().filter(|it| {
        it["comment"]
            .as_str()
            .is_some_and(|it| it.contains("relayed to"))
    });
    let sent: Vec<&Json> = sent.collect();
    assert_eq!(sent.len(), 2, "a DISCOVER and a REQUEST");
    for it in sent {
        assert_eq!(field(it, "IP", "dst"), &far.to_string());
        assert_eq!(field(it, "Ether", "dst"), server.mac());
    }
    let asked = |it: &&Json| it["summary"] == format!("ARP who has {router}? tell {UPSTREAM}");
    assert_eq!(frames.iter().filter(asked).count(), 1);
    // Without the router there is no way.
    let mut command = clients.client_command(TOOL);
    let args = ["relay", "--server", "203.0.113.1", "--giaddr", "192.0.2.9"];
    let interface = clients.client_interface();
    let address = ["address", "add", "10.77.0.9/24", "dev", interface];
    finish(clients.client_command("ip").args(address), b"").succeeded();
    let sides = ["-i", "lo", "--server-interface", interface];
    finish(command.args(args).args(sides), b"").failed(2, &["203.0.113.1", "--via"]);
}

#[test]
fn our_agent_on_bad_links_still_gets_a_client_its_lease() {
    for (how, copies) in [("duplicate=100%", 4), ("reorder=100%", 1)] {
        let (clients, servers) = (Segment::new(), Segment::new());
        let server = servers.server(Kind::Dnsmasq, serving_far(Kind::Dnsmasq));
        server.route(NETWORK, Some(UPSTREAM));
        let seen = servers.capture(servers.directory().join("servers.pcap"));
        let flags = ["--impair", how, "--seed", "1"];
        let _relay = Relay::ours(&clients, &servers, server.address(), &flags);
        // A frame that none follows is held back for a while, on either link, and goes on then.
        let dora = [
            "dora",
            "--tries",
            "1",
            "--timeout",
            "20s",
            "--print",
            "yiaddr",
        ];
        let address = run(&clients, &dora).succeeded().out;
        server.expect_active(address.trim().parse().expect("an address"));
        // Twice from the client's link, and each of those twice to the server.
        let discovers = seen.expect("dhcp.option.dhcp == 1", copies);
        assert_eq!(discovers.len(), copies, "{how}");
    }
    let (clients, servers) = (Segment::new(), Segment::new());
    let server = servers.server(Kind::Dnsmasq, serving_far(Kind::Dnsmasq));
    let _relay = Relay::ours(
        &clients,
        &servers,
        server.address(),
        &["--impair", "loss=100%"],
    );
    let silent = run(&clients, &["discover", "--timeout", "1s"]);
    assert_eq!(silent.code, Some(3));
    assert!(!server.log().contains("DHCPDISCOVER"));
}

#[test]
fn a_relay_agent_that_cannot_stand_says_why() {
    let all = |more: &[&str]| tool(&[&["relay", "--server", "192.0.2.1"], more].concat());
    all(&["-i", "lo", "--server-interface", "lo"]).failed(2, &["both sides"]);
    all(&["-i", "lo", "--server-interface", "no-such-if0"]).failed(5, &["no-such-if0"]);
    let capture = scratch("relay-of-captures");
    let files = ["a.pcapng", "b.pcapng"].map(|it| capture.join(it));
    for it in &files {
        tool(&["discover", "-w", text(it)]).succeeded();
    }
    let [a, b] = files.each_ref().map(|it| text(it));
    all(&["-i", a, "--server-interface", b]).failed(2, &[a, "is a capture"]);
    all(&["-i", "lo"]).failed(2, &["required"]);
    let segment = Segment::new();
    let interface = segment.client_interface();
    let address = ["address", "add", "10.77.0.250/24", "dev", interface];
    finish(segment.client_command("ip").args(address), b"").succeeded();
    let wrong = [
        "relay",
        "--server",
        "10.77.0.1",
        "--server-interface",
        interface,
    ];
    let wrong = [
        &wrong[..],
        &["--giaddr", "192.0.2.9", "--relay-info", "relay-flag=1"],
    ]
    .concat();
    let mut command = segment.client_command(TOOL);
    finish(command.args(wrong).args(["-i", "lo"]), b"").failed(2, &["relay-flags"]);
}
