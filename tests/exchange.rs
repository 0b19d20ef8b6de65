//! Every command that exchanges messages, over veth against dnsmasq, Kea, ISC dhcpd and udhcpd. The
//! servers' own lease files and logs say whether it worked.

mod support;

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use serde_json::Value as Json;
use support::leases::LeaseState;
use support::peers::{Kind, Server, ServerConfig};
use support::segment::Segment;
use support::{expect_within, tshark};

const TOOL: &str = env!("CARGO_BIN_EXE_dhcpcraft");

/// Runs the tool on the client's end of the segment.
fn run(segment: &Segment, args: &[&str]) -> Output {
    let interface = segment.client_interface();
    let output = segment
        .client_command(TOOL)
        .args(args)
        .args(["-i", interface])
        .output()
        .expect("the tool starts");
    eprintln!(
        "$ dhcpcraft {}\n{}{}",
        args.join(" "),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

#[track_caller]
fn succeed(segment: &Segment, args: &[&str]) -> String {
    let output = run(segment, args);
    assert_eq!(output.status.code(), Some(0), "{args:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// The received frames of a run with `--json`.
fn received(stdout: &str) -> Vec<Json> {
    let lines = stdout
        .lines()
        .map(|line| serde_json::from_str::<Json>(line).expect("JSON"));
    lines
        .filter(|it| it["direction"] == "received" && it["message"].is_object())
        .collect()
}

fn text(json: &Json) -> &str {
    json.as_str().unwrap_or_default()
}

fn capture(segment: &Segment, name: &str) -> PathBuf {
    segment.directory().join(name)
}

/// Gets a lease and gives the address and the capture.
fn lease(segment: &Segment, server: &Server) -> (Ipv4Addr, PathBuf) {
    let file = capture(segment, "dora.pcapng");
    let path = file.to_str().expect("UTF-8");
    let address = succeed(segment, &["dora", "--print", "yiaddr", "-w", path]);
    let address = address.trim().parse().expect("an address");
    assert!(
        server.gives(address),
        "{address} is not of {:?}",
        server.pool()
    );
    server.expect_active(address);
    (address, file)
}

fn with_each(test: impl Fn(&Segment, &Server)) {
    for kind in Kind::ALL {
        eprintln!("== {kind:?}");
        let segment = Segment::new();
        let server = segment.server(kind, ServerConfig::default());
        test(&segment, &server);
    }
}

#[test]
fn dora_gets_a_lease_that_the_server_knows() {
    with_each(|segment, server| {
        let (address, file) = lease(segment, server);
        let record = server.expect_active(address);
        assert_eq!(
            record.mac.to_lowercase(),
            segment.client_mac().to_lowercase()
        );
        // Another program reads the capture: four messages, our comments, nothing amiss.
        let fields = [
            "-Y",
            "dhcp",
            "-T",
            "fields",
            "-e",
            "dhcp.option.dhcp",
            "-e",
            "frame.comment",
        ];
        let lines = tshark(&file, &fields);
        let types: Vec<&str> = lines
            .lines()
            .filter_map(|line| line.split('\t').next())
            .collect();
        assert_eq!(types, ["1", "2", "3", "5"], "{lines}");
        for word in ["DISCOVER", "OFFER", "REQUEST", "ACK"] {
            assert!(lines.contains(word), "no comment {word} in {lines}");
        }
        let amiss = tshark(
            &file,
            &["-Y", "_ws.malformed or _ws.expert.severity >= \"Warning\""],
        );
        assert_eq!(amiss.trim(), "", "tshark finds fault");
        let name = tshark(
            &file,
            &["-c", "1", "-T", "fields", "-e", "frame.interface_name"],
        );
        assert_eq!(name.trim(), segment.client_interface());
    });
}

/// What a client wishes for is for the DISCOVER. The REQUEST names what the server offers.
#[test]
fn an_address_that_cannot_be_had_is_no_reason_to_get_none() {
    with_each(|segment, server| {
        // On the servers' network, and in none of their pools.
        let args = ["dora", "--requested-ip", "10.77.0.9", "--print", "yiaddr"];
        let address = succeed(segment, &args);
        let address = address.trim().parse().expect("an address");
        assert!(server.gives(address), "{address}");
        server.expect_active(address);
    });
}

#[test]
fn discover_request_release_step_by_step() {
    with_each(|segment, server| {
        let file = capture(segment, "steps.pcapng");
        let path = file.to_str().expect("UTF-8");
        let offers = received(&succeed(segment, &["discover", "--json", "-w", path]));
        assert_eq!(offers.len(), 1);
        let offered = text(&offers[0]["message"]["yiaddr"]).to_string();
        assert_eq!(offers[0]["message"]["type"], "OFFER");

        let taken = capture(segment, "taken.pcapng");
        let taken_path = taken.to_str().expect("UTF-8");
        let acks = received(&succeed(
            segment,
            &["request", "--from", path, "--json", "-w", taken_path],
        ));
        assert_eq!(acks[0]["message"]["type"], "ACK");
        assert_eq!(text(&acks[0]["message"]["yiaddr"]), offered);
        assert_eq!(acks[0]["message"]["xid"], offers[0]["message"]["xid"]);
        let address: Ipv4Addr = offered.parse().expect("an address");
        server.expect_active(address);

        succeed(segment, &["release", "--from", taken_path]);
        server.expect_released(address);
    });
}

#[test]
fn release_by_hand_finds_the_server_by_arp() {
    with_each(|segment, server| {
        let (address, _) = lease(segment, server);
        let file = capture(segment, "release.pcapng");
        let (ciaddr, id) = (address.to_string(), server.address().to_string());
        let path = file.to_str().expect("UTF-8");
        succeed(
            segment,
            &[
                "release",
                "--ciaddr",
                &ciaddr,
                "--server-id",
                &id,
                "-w",
                path,
            ],
        );
        server.expect_released(address);
        let destination = tshark(&file, &["-Y", "dhcp", "-T", "fields", "-e", "eth.dst"]);
        assert_eq!(
            destination.trim().to_lowercase(),
            server.mac().to_lowercase()
        );
    });
}

#[test]
fn inform_is_answered_without_an_address() {
    with_each(|segment, server| {
        // An address outside of the pool, which the client plays without the machine having it.
        let octets = server.address().octets();
        let own = Ipv4Addr::new(octets[0], octets[1], octets[2], 240).to_string();
        let answers = received(&succeed(segment, &["inform", "--ciaddr", &own, "--json"]));
        let message = &answers[0]["message"];
        assert_eq!(message["type"], "ACK");
        assert_eq!(message["yiaddr"], "0.0.0.0");
        assert_eq!(message["lease_time"], Json::Null);
    });
}

#[test]
fn decline_follows_a_taken_address() {
    with_each(|segment, server| {
        // The address that the server is going to give is taken by a host.
        let (address, _) = lease(segment, server);
        let wanted = address.to_string();
        let _host = segment.host(address);
        let output = run(
            segment,
            &[
                "dora",
                "--probe",
                "--restarts",
                "0",
                "--requested-ip",
                &wanted,
            ],
        );
        assert_eq!(output.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&output.stdout).contains("DECLINE"));
        server.expect_declined(address);
    });
}

#[test]
fn decline_by_hand() {
    with_each(|segment, server| {
        let (address, file) = lease(segment, server);
        succeed(
            segment,
            &["decline", "--from", file.to_str().expect("UTF-8")],
        );
        server.expect_declined(address);
    });
}

#[test]
fn all_servers_on_a_segment_are_seen() {
    let segment = Segment::new();
    let servers: Vec<Server> = Kind::ALL
        .into_iter()
        .map(|kind| segment.server(kind, ServerConfig::default()))
        .collect();
    let offers = received(&succeed(
        &segment,
        &["discover", "--wait", "--timeout", "3s", "--json"],
    ));
    let mut seen: Vec<&str> = offers
        .iter()
        .map(|it| text(&it["message"]["server_id"]))
        .collect();
    seen.sort();
    let mut there: Vec<String> = servers.iter().map(|it| it.address().to_string()).collect();
    there.sort();
    assert_eq!(seen, there);

    // Each choice takes the server that was meant.
    for server in &servers {
        let choose = format!("server={}", server.address());
        let args = [
            "dora",
            "--choose",
            &choose,
            "--chaddr",
            "random",
            "--print",
            "server-id",
        ];
        assert_eq!(
            succeed(&segment, &args).trim(),
            server.address().to_string()
        );
    }
    let lowest = succeed(
        &segment,
        &[
            "dora", "--choose", "lowest", "--chaddr", "random", "--print", "yiaddr",
        ],
    );
    let lowest: Ipv4Addr = lowest.trim().parse().expect("an address");
    assert!(servers[0].gives(lowest), "{lowest}");
}

#[test]
fn a_foreign_network_is_refused() {
    // udhcpd keeps silent about addresses that it does not know.
    for kind in [Kind::Dnsmasq, Kind::Kea, Kind::Dhcpd] {
        let segment = Segment::new();
        let _server = segment.server(kind, ServerConfig::default());
        let output = run(
            &segment,
            &["request", "--requested-ip", "203.0.113.9", "--json"],
        );
        assert_eq!(output.status.code(), Some(4), "{kind:?}");
        let replies = received(&String::from_utf8_lossy(&output.stdout));
        assert_eq!(replies[0]["message"]["type"], "NAK", "{kind:?}");
    }
}

#[test]
fn foreign_mac_addresses_get_their_replies() {
    with_each(|segment, server| {
        // A MAC that is not the interface's, by unicast and by broadcast.
        for flag in ["--unicast", "--broadcast"] {
            let mac = if flag == "--unicast" {
                "02:00:5e:10:77:01"
            } else {
                "02:00:5e:10:77:02"
            };
            let address = succeed(segment, &["dora", flag, "--mac", mac, "--print", "yiaddr"]);
            let address = address.trim().parse().expect("an address");
            assert_eq!(server.expect_active(address).mac.to_lowercase(), mac);
        }
    });
}

#[test]
fn silence_is_explained() {
    let segment = Segment::new();
    let output = run(&segment, &["discover", "--timeout", "300ms"]);
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("no reply") && said.contains("nothing at all arrived"),
        "{said}"
    );
}

#[test]
fn a_killed_run_leaves_a_whole_capture() {
    let segment = Segment::new();
    let file = capture(&segment, "killed.pcapng");
    let mut child = segment
        .client_command(TOOL)
        .args([
            "discover",
            "-i",
            segment.client_interface(),
            "--count",
            "1000",
            "--interval",
            "20ms",
        ])
        .args(["--timeout", "60s", "-w"])
        .arg(&file)
        .spawn()
        .expect("the tool starts");
    let size = |file: &Path| std::fs::metadata(file).map_or(0, |it| it.len());
    expect_within("ten frames in the capture", Duration::from_secs(10), || {
        size(&file) > 4000
    });
    child.kill().expect("kill -9");
    child.wait().expect("it ended");
    let frames = tshark(&file, &["-T", "fields", "-e", "dhcp.option.dhcp"]);
    assert!(frames.lines().count() >= 10);
    assert!(frames.lines().all(|line| line == "1"), "{frames}");
}

#[test]
fn interrupting_closes_the_capture_and_says_so() {
    let segment = Segment::new();
    for signal in ["-INT", "-TERM"] {
        interrupted_by(&segment, signal);
    }
}

fn interrupted_by(segment: &Segment, signal: &str) {
    let file = capture(segment, &format!("interrupted{signal}.pcapng"));
    let mut child = segment
        .client_command(TOOL)
        .args([
            "discover",
            "-i",
            segment.client_interface(),
            "--timeout",
            "60s",
            "-w",
        ])
        .arg(&file)
        .spawn()
        .expect("the tool starts");
    expect_within("a frame", Duration::from_secs(10), || {
        std::fs::metadata(&file).is_ok_and(|it| it.len() > 300)
    });
    let pid = child.id().to_string();
    std::process::Command::new("kill")
        .args([signal, &pid])
        .status()
        .expect("kill");
    let mut code = None;
    expect_within("the end", Duration::from_secs(5), || {
        code = child.try_wait().expect("wait").and_then(|it| it.code());
        code.is_some()
    });
    assert_eq!(code, Some(130), "{signal}");
    assert_eq!(
        tshark(&file, &["-T", "fields", "-e", "frame.number"]).trim(),
        "1"
    );
}

#[test]
fn a_lease_given_back_is_free() {
    let segment = Segment::new();
    let server = segment.server(Kind::Kea, ServerConfig::default());
    let (address, file) = lease(&segment, &server);
    succeed(
        &segment,
        &["release", "--from", file.to_str().expect("UTF-8")],
    );
    server.expect_released(address);
    let state = server.lease(address).map(|it| it.state);
    assert!(
        state.is_none() || state == Some(LeaseState::Released),
        "{state:?}"
    );
}

#[test]
fn a_lease_is_renewed_rebound_and_asked_for_again() {
    for kind in Kind::ALL {
        eprintln!("== {kind:?}");
        // Without the threshold dhcpd gives a young lease again as it is (dhcpd.conf, dhcp-cache-threshold).
        let extra = match kind {
            Kind::Dhcpd => "dhcp-cache-threshold 0;",
            _ => "",
        };
        let config = ServerConfig {
            extra: extra.into(),
            ..ServerConfig::default()
        };
        let segment = &Segment::new();
        let server = &segment.server(kind, config);
        let file = capture(segment, "lease");
        let path = file.to_str().expect("UTF-8");
        let address = succeed(
            segment,
            &["dora", "--print", "yiaddr", "--save-lease", path],
        );
        let address = address.trim();
        let mut record = server.expect_active(address.parse().expect("an address"));
        for command in ["renew", "rebind", "reboot"] {
            // The lease files know whole seconds.
            std::thread::sleep(Duration::from_millis(1100));
            let replies = received(&succeed(segment, &[command, "--lease", path, "--json"]));
            assert_eq!(replies[0]["message"]["type"], "ACK", "{command}");
            assert_eq!(text(&replies[0]["message"]["yiaddr"]), address, "{command}");
            server.expect_extended(&record);
            record = server.expect_active(record.ip);
        }
        succeed(segment, &["release", "--lease", path]);
        server.expect_released(address.parse().expect("an address"));
    }
}

#[test]
fn a_relay_agent_gets_leases_for_its_clients() {
    with_each(|segment, server| {
        let relay = "10.77.0.250,circuit-id=\"ge-0/0/1\",remote-id=hex:0a0b";
        let to = server.address().to_string();
        let args = [
            "dora",
            "--relay",
            relay,
            "--server",
            &to,
            "--mac",
            "02:00:5e:77:00:07",
            "--src-mac",
            "native",
            "--json",
        ];
        let replies = received(&succeed(segment, &args));
        let ack = replies.last().expect("a reply");
        assert_eq!(ack["message"]["type"], "ACK");
        assert_eq!(ack["message"]["giaddr"], "10.77.0.250");
        // udhcpd knows nothing of option 82.
        if server.kind() != Kind::Udhcpd {
            let options = ack["options"].as_array().expect("options");
            let echo = options.last().expect("an option");
            assert_eq!(echo["hex"], "010867652d302f302f3102020a0b", "echoed, last");
        }
        let address = text(&ack["message"]["yiaddr"]).parse().expect("an address");
        server.expect_active(address);
    });
}

#[test]
fn many_clients_stay_off_the_default_route_unless_forced() {
    let segment = Segment::new();
    let server = segment.server(Kind::Kea, ServerConfig::default());
    let interface = segment.client_interface();
    let route = ["route", "add", "default", "dev", interface];
    let added = segment.client_command("ip").args(route).status();
    assert!(added.expect("ip starts").success());
    // Counted on from the interface's own they would meet those of the segment.
    let mac = "02:00:5e:77:00:10+";
    let many = ["dora", "--clients", "3", "--mac", mac, "--json"];
    assert_eq!(run(&segment, &many).status.code(), Some(2));
    let output = run(&segment, &[&many[..], &["--force"]].concat());
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8_lossy(&output.stdout);
    let rows = text
        .lines()
        .map(|line| serde_json::from_str::<Json>(line).expect("JSON"));
    let bound: Vec<Json> = rows.filter(|it| it["state"] == "bound").collect();
    assert_eq!(bound.len(), 3);
    for row in bound {
        let address = row["address"].as_str().and_then(|it| it.parse().ok());
        server.expect_active(address.expect("an address"));
    }
}
