//! `servers` on a real segment: dnsmasq and Kea on one bridge, who of them may answer, and a rogue that comes and goes.

mod support;

use std::process::Command;

use serde_json::Value as Json;
use support::leases::{LeaseRecord, LeaseState};
use support::peers::{Kind, Server, ServerConfig};
use support::segment::Segment;
use support::tool::{Run, TOOL, finish, text, tool};

/// A dnsmasq and a Kea on a segment.
fn office() -> (Segment, [Server; 2]) {
    let segment = Segment::new();
    let servers = [Kind::Dnsmasq, Kind::Kea];
    let servers = servers.map(|kind| segment.server(kind, ServerConfig::default()));
    (segment, servers)
}

/// The tool on the client's side.
fn command(segment: &Segment, args: &[&str]) -> Command {
    let mut command = segment.client_command(TOOL);
    command
        .args(args)
        .args(["-i", segment.client_interface()])
        .env_remove("COLUMNS")
        .env_remove("NO_COLOR");
    command
}

/// Runs the tool on the client's side.
#[track_caller]
fn ask(segment: &Segment, args: &[&str]) -> Run {
    finish(&mut command(segment, args), b"")
}

/// Looks for servers from the client's side.
#[track_caller]
fn look(segment: &Segment, more: &[&str]) -> Run {
    ask(segment, &[&["servers", "--timeout", "1s"], more].concat())
}

/// The row of a server.
#[track_caller]
fn row<'a>(rows: &'a [Json], server: &Server) -> &'a Json {
    let name = server.address().to_string();
    let mut found = rows.iter().filter(|it| it["server"] == name.as_str());
    let row = found
        .next()
        .unwrap_or_else(|| panic!("no {name} in {rows:#?}"));
    assert!(found.next().is_none(), "{name} has two rows: {rows:#?}");
    row
}

#[test]
fn each_real_server_has_a_row_with_what_it_gives_and_binds_nothing() {
    let (segment, servers) = office();
    // An address of nobody: the tool plays it, so that the INFORM can be answered.
    let file = segment.directory().join("asked.pcapng");
    let inform = ["--json", "--ciaddr", "10.77.0.250", "-w", text(&file)];
    let run = look(&segment, &inform).succeeded();
    let rows = run.json();
    assert_eq!(rows.len(), 2, "{rows:#?}");
    for server in &servers {
        let row = row(&rows, server);
        let address = server.address().to_string();
        assert_eq!(row["server_id"], address.as_str());
        assert_eq!(row["source"], address.as_str());
        assert_eq!(row["mac"], server.mac());
        assert_eq!(row["relay"], Json::Null);
        let offered = row["offered"]
            .as_array()
            .expect("the lowest and the highest");
        assert_eq!(offered.len(), 2);
        for ip in offered {
            let ip = ip.as_str().and_then(|it| it.parse().ok());
            assert!(server.gives(ip.expect("an address")), "{row:#}");
        }
        let kinds = ["plain", "pxe", "windows", "android", "random-mac", "inform"];
        assert_eq!(row["answered"], serde_json::json!(kinds), "{row:#}");
        assert_eq!(row["silent"], serde_json::json!([]));
        let options = &row["options"];
        assert_eq!(options["router"], serde_json::json!([address]));
        assert_eq!(options["dns"], serde_json::json!([address]));
        assert_eq!(options["lease-time"], 600);
        assert_eq!(options["domain-name"], "lab.example");
        let [fastest, median] = ["latency_min", "latency_median"]
            .map(|it| row[it].as_f64().unwrap_or_else(|| panic!("{row:#}")));
        assert!(
            0.0 < fastest && fastest <= median && median < 1.0,
            "{row:#}"
        );
        assert_eq!(row["notes"], serde_json::json!([]));
        let disagree = row["disagrees_on"].to_string();
        assert!(disagree.contains("\"router\"") && disagree.contains("\"dns\""));
        assert!(!disagree.contains("domain-name"), "{disagree}");
    }
    // What was asked binds nothing: the lease files say so, and say otherwise as soon as somebody takes an offer.
    for server in &servers {
        let bound = server.leases();
        let active = |it: &LeaseRecord| it.state == LeaseState::Active;
        assert!(!bound.iter().any(active), "{bound:?}");
        let id = server.address().to_string();
        let choose = format!("server={id}");
        let run = ask(
            &segment,
            &["dora", "--choose", &choose, "--print", "yiaddr"],
        )
        .succeeded();
        server.expect_active(run.out.trim().parse().expect("an address"));
    }
    let recorded = tool(&["show", text(&file), "--json"]).succeeded().json();
    for it in recorded
        .iter()
        .filter(|it| it["message"]["type"] == "DISCOVER")
    {
        assert_eq!(it["message"]["ciaddr"], "0.0.0.0", "{it:#}");
    }
}

#[test]
fn who_may_answer_is_named_by_address_or_by_mac() {
    let (segment, [dnsmasq, kea]) = office();
    let by_ip = dnsmasq.address().to_string();
    let ip = kea.address().to_string();
    for all in [
        [by_ip.as_str(), &ip],
        [dnsmasq.mac(), kea.mac()],
        [&by_ip, kea.mac()],
    ] {
        let run = look(&segment, &["--allow", all[0], "--allow", all[1]]).succeeded();
        assert!(!run.err.contains("not allowed"), "{run:?}");
        assert!(!run.out.contains("#2 (!)"), "{run:?}");
    }
    for only in [by_ip.as_str(), dnsmasq.mac()] {
        let run = look(&segment, &["--allow", only]);
        assert_eq!(run.code, Some(1), "{run:?}");
        let told = format!("(!) {ip} ({}) is not allowed to answer here", kea.mac());
        assert!(run.err.contains(&told), "{run:?}");
        assert!(run.out.contains(&format!("{ip} (!)")), "{run:?}");
        assert!(!run.out.contains(&format!("{by_ip} (!)")), "{run:?}");
    }
    // Silence of one that may answer is told, and is no stranger.
    kea.stop();
    let run = look(&segment, &["--allow", &by_ip, "--allow", &ip]).succeeded();
    let told = format!("{ip} is allowed and did not answer");
    assert!(run.err.contains(&told), "{run:?}");
}
