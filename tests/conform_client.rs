//! `conform --client`: this program's own client keeps what the RFCs ask, whatever the seed, and where
//! udhcpc does not, it is told.

mod support;

use std::collections::BTreeMap;

use serde_json::Value as Json;
use support::segment::Segment;
use support::tool::{Run, TOOL, finish, text, tool};
use support::{clients, require};

/// What a run found: the result of each check by its id.
fn results(run: &Run) -> BTreeMap<String, String> {
    let lines = run.json();
    let rows = lines.iter().filter(|it| it["id"].is_string());
    let word = |it: &Json| it.as_str().expect("a string").to_string();
    rows.map(|it| (word(&it["id"]), word(&it["result"])))
        .collect()
}

fn lab(args: &[&str]) -> Run {
    let mut all = vec!["conform", "--client", "--json"];
    all.extend(args);
    tool(&all).succeeded()
}

#[test]
fn our_own_client_keeps_every_must_and_should() {
    let run = lab(&["--seed", "1"]);
    let found = results(&run);
    let count = |word: &str| found.values().filter(|it| *it == word).count();
    assert!(found.len() >= 110, "{} checks", found.len());
    assert!(count("pass") >= 105, "{} pass", count("pass"));
    let broken: Vec<_> = found
        .iter()
        .filter(|it| matches!(it.1.as_str(), "fail" | "warn"))
        .collect();
    assert!(broken.is_empty(), "{broken:?}");
    for seed in ["2", "3"] {
        assert_eq!(results(&lab(&["--seed", seed])), found, "seed {seed}");
    }
}

/// What udhcpc makes of some checks. It waits for no long silence, so this takes seconds.
#[test]
fn udhcpc_takes_an_offer_that_names_no_server() {
    let segment = Segment::new();
    let host = segment.host(clients::SERVER);
    let hook = clients::udhcpc_script(&segment);
    let interface = segment.client_interface();
    let mut client = segment.client_command(require("busybox"));
    client.args(["udhcpc", "-f", "-t", "3", "-T", "1", "-A", "1"]);
    client.args(["-i", interface, "-s", text(&hook)]);
    client.env("BOUND", "/dev/null");
    let mut command = host.command(TOOL);
    command.args(["conform", "--client", "--json", "--seed", "1", "--quiet"]);
    command.args(["-i", host.interface(), "--release", "USR2"]);
    // As `Command` shows itself a shell understands it.
    command.args(["--start", &format!("{client:?}")]);
    let only = [
        "C-DIS-01", "C-DIS-03", "C-REQ-01", "C-REQ-03", "C-OFR-01", "C-OFR-04", "C-REL-01",
    ];
    only.iter().for_each(|it| {
        command.args(["--only", it]);
    });
    let run = finish(&mut command, b"");
    assert_eq!(run.code, Some(1), "{}", run.err);
    let found = results(&run);
    for id in only {
        // RFC 2131 table 3 has option 54 in every OFFER; without it there is no server to ask.
        let wanted = if id == "C-OFR-04" { "fail" } else { "pass" };
        assert_eq!(found[id], wanted, "{id}: {}", run.out);
    }
}
