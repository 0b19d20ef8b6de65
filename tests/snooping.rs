//! A switch that snoops DHCP, seen from both sides: what comes in at a port that it does not trust is no server's for
//! the clients, and a server there speaks and is not heard.

mod support;

use std::net::Ipv4Addr;

use support::clients::{PATIENCE, SERVER, Tool, address, udhcpc};
use support::expect_within;
use support::segment::Segment;
use support::tool::{Run, TOOL, finish};

/// The server that the switch trusts.
const TRUSTED: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 201);

/// Runs the tool on the client's side.
fn ask(segment: &Segment, args: &[&str]) -> Run {
    let mut command = segment.client_command(TOOL);
    command
        .args(args)
        .args(["-i", segment.client_interface()])
        .env_remove("COLUMNS");
    finish(&mut command, b"")
}

/// A server at a port that the switch does not trust, with the same addresses to give as the one it trusts.
fn rogue(segment: &Segment) -> Tool {
    let host = segment.host(SERVER);
    segment.distrust(&host);
    Tool::start_on(segment, host, "rogue", &[])
}

#[test]
fn a_server_at_an_untrusted_port_speaks_and_is_not_heard() {
    let segment = Segment::new();
    let rogue = rogue(&segment);
    let run = ask(&segment, &["dora", "--timeout", "1"]);
    assert_eq!(run.code, Some(3), "{run:?}");
    // The client cannot know which it is, and is told what keeps servers from it.
    let words: Vec<&str> = run.err.split_whitespace().collect();
    let told = "nothing at all arrived: no server or relay agent on this segment, a firewall or DHCP snooping between";
    assert!(words.join(" ").contains(told), "{run:?}");
    assert!(rogue.count("DISCOVER") > 0, "{:?}", rogue.summaries());
    assert!(rogue.count("OFFER") > 0, "{:?}", rogue.summaries());
    assert_eq!(rogue.count("REQUEST"), 0);
    // It is the switch, and no other fault: what is no server's comes through.
    let ping = ["-c", "1", "-W", "5", "10.77.0.200"];
    let given = [
        "address",
        "add",
        "10.77.0.60/24",
        "dev",
        segment.client_interface(),
    ];
    let ip = segment.client_command("ip").args(given).status();
    assert!(ip.expect("ip").success());
    let mut command = segment.client_command(support::require("busybox"));
    let pinged = command.arg("ping").args(ping).output().expect("ping");
    assert!(pinged.status.success(), "{pinged:?}");
}

#[test]
fn clients_and_the_census_know_the_trusted_server_only() {
    let segment = Segment::new();
    let rogue = rogue(&segment);
    let trusted = Tool::start_on(&segment, segment.host(TRUSTED), "trusted", &[]);
    let census = ask(
        &segment,
        &[
            "servers",
            "--json",
            "--timeout",
            "2",
            "--allow",
            "10.77.0.201",
        ],
    );
    assert_eq!(census.code, Some(0), "{census:?}");
    assert!(census.out.contains("10.77.0.201"), "{census:?}");
    assert!(!census.out.contains("10.77.0.200"), "{census:?}");
    let (_client, bound) = udhcpc(&segment);
    expect_within("a lease", PATIENCE, || address(&bound).is_some());
    // The other one offered, and learns that it was not chosen.
    rogue.expect("why it does not answer", |it| {
        it["comment"] == "not answered: it chose 10.77.0.201"
    });
    assert!(rogue.count("OFFER") > 0, "{:?}", rogue.summaries());
    assert_eq!(rogue.count("ACK"), 0);
    assert!(trusted.count("ACK") > 0, "{:?}", trusted.summaries());
}
