//! `conform --client`: this program's own client keeps what the RFCs ask, whatever the seed, and udhcpc, dhclient and
//! dhcpcd do over veth what `samples/CONFORMANCE-CLIENTS.md` says.

mod support;

use std::collections::BTreeMap;

use serde_json::Value as Json;
use support::segment::Segment;
use support::tool::{Run, TOOL, finish, tool};
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

/// Checks that need one lease and no long silence.
const EVERYBODY: &[&str] = &[
    "C-DIS-01", "C-DIS-02", "C-DIS-04", "C-DIS-10", "C-DIS-18", "C-DIS-22", "C-REQ-01", "C-REQ-03",
    "C-REQ-08", "C-OFR-01", "C-OFR-04", "C-REL-01", "C-REL-05",
];

/// What the page says of a client: the result of each check by its id.
fn page(client: &str) -> BTreeMap<&'static str, &'static str> {
    const PAGE: &str = include_str!("../samples/CONFORMANCE-CLIENTS.md");
    let cells = |row: &'static str| -> Vec<&str> {
        row.trim_matches('|').split('|').map(str::trim).collect()
    };
    let mut rows = PAGE.lines().skip_while(|it| *it != "## All checks").skip(2);
    let names = cells(rows.next().expect("the head of the table"));
    let column = names.iter().position(|it| *it == client);
    let column = column.expect("the client is on the page");
    let rows = rows.map(cells).filter(|it| it[0].starts_with("C-"));
    rows.map(|it| (it[0], it[column])).collect()
}

/// Runs the checks for everybody and some more on a client, and compares what they find with the page. `lines` are the
/// options that tell how it is run. A machine under load may make a client look otherwise once; not twice.
#[track_caller]
fn as_the_page_says(client: &str, segment: &Segment, lines: &[(&str, String)], more: &[&str]) {
    let host = segment.host(clients::SERVER);
    let page = page(client);
    let only: Vec<&str> = EVERYBODY.iter().chain(more).copied().collect();
    let meant: BTreeMap<&str, &str> = only.iter().map(|it| (*it, page[it])).collect();
    let mut failed = Vec::new();
    for seed in ["1", "2"] {
        let mut command = host.command(require("unshare"));
        clients::own_state(&mut command).arg(TOOL);
        command.args(["conform", "--client", "--json", "--quiet", "--seed", seed]);
        command.args(["-i", host.interface()]);
        for (flag, line) in lines {
            command.args([*flag, line]);
        }
        for id in &only {
            command.args(["--only", id]);
        }
        let run = finish(&mut command, b"");
        let found = results(&run);
        let fails = meant.values().any(|it| *it == "fail");
        let same = found.iter().map(|it| (it.0.as_str(), it.1.as_str()));
        if same.eq(meant.clone()) && run.code == Some(i32::from(fails)) {
            return;
        }
        failed.push(format!("{:?}: {}\n{}", run.code, run.err, run.out));
    }
    panic!("not {meant:?}\n{}", failed.join("\n"));
}

#[test]
fn udhcpc_is_as_the_page_says() {
    let segment = Segment::new();
    let mut client = segment.client_command(require("busybox"));
    client
        .args(["udhcpc", "-f", "-i", segment.client_interface(), "-s"])
        .arg(clients::udhcpc_script(&segment))
        .env("BOUND", "/dev/null");
    // As `Command` shows itself a shell understands it.
    let lines = [
        ("--start", format!("{client:?}")),
        ("--release", "USR2".into()),
    ];
    as_the_page_says("udhcpc", &segment, &lines, &["C-OFR-07", "C-ROB-01"]);
}

#[test]
fn dhclient_is_as_the_page_says() {
    let segment = Segment::new();
    let client = clients::Dhclient::new(&segment);
    let leases = segment.directory().join("leases");
    let keep = format!("{:?}", client.command("-d"));
    let lines = [
        ("--start", format!("rm -f {leases:?}; {keep}")),
        ("--restart", keep),
        ("--release", format!("{:?}", client.command("-r"))),
    ];
    as_the_page_says("dhclient", &segment, &lines, &["C-RBT-01"]);
}

#[test]
fn dhcpcd_is_as_the_page_says() {
    let segment = Segment::new();
    let command = |last: &[&str]| {
        let mut command = segment.client_command(require("dhcpcd"));
        command.args(["-4", "-B", "-K", "-c", "/bin/true", "-f", "/dev/null"]);
        command.args(last).arg(segment.client_interface());
        format!("{command:?}")
    };
    let (run, forget) = (command(&[]), "rm -f /var/lib/dhcpcd/*");
    let inform = command(&["--inform=10.77.0.77/24"]);
    let lines = [
        ("--start", format!("{forget}; {run}")),
        ("--restart", run),
        ("--release", "ALRM".into()),
        ("--inform", format!("{forget}; {inform}")),
    ];
    as_the_page_says("dhcpcd", &segment, &lines, &["C-INF-03"]);
}

#[test]
fn a_client_that_does_not_start_is_told_with_its_last_words() {
    let segment = Segment::new();
    let host = segment.host(clients::SERVER);
    let run = |more: &[&str]| {
        let mut command = host.command(TOOL);
        command.args(["conform", "--client", "--json", "--quiet"]);
        finish(command.args(["-i", host.interface()]).args(more), b"")
    };
    let begun = std::time::Instant::now();
    for (start, code, words) in [
        ("no-such-client -f", "exit status: 127", "no-such-client"),
        (
            "echo no such link >&2; exit 4",
            "exit status: 4",
            "no such link",
        ),
    ] {
        let run = run(&["--start", start]);
        assert_eq!(run.code, Some(3), "{run:?}");
        let all = run.json();
        let first = &all[0]["causes"][0];
        assert_eq!(first["id"], "client-ended", "{run:?}");
        assert_eq!(first["likelihood"], "certain", "{run:?}");
        let text = first["text"].as_str().expect("text");
        assert!(text.contains(code) && text.contains(words), "{text}");
    }
    // It is not waited for: the usual patience is 30 s.
    assert!(begun.elapsed().as_secs() < 25, "{:?}", begun.elapsed());
    // Nobody asks a server of this side's making: the silence is not a server's.
    let run = run(&["--timeout", "1s"]);
    assert_eq!(run.code, Some(3), "{run:?}");
    let all = run.json();
    assert_eq!(all[0]["causes"][0]["id"], "nothing-arrived", "{run:?}");
    assert!(!run.out.contains("no server"), "{run:?}");
}
