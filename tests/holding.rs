//! A lease that is held (`dora --hold`), as the user of the program sees it.

#[path = "support/tool.rs"]
#[allow(dead_code)]
mod tool;

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use serde_json::Value as Json;
use tool::{Run, command, scratch, text, tool};

/// A file of rules for the lab's server, and the link that it makes.
fn lab(name: &str, rules: &str) -> String {
    let file = scratch(&format!("holding-{name}")).join("rules.star");
    std::fs::write(&file, rules).expect("a file");
    format!("lab:{}", file.display())
}

/// A server that leaves a client in RENEWING alone.
const REBINDS: &str =
    "def on_request(req):\n    return None if client_state(req) == 'renewing' else answer(req)\n";

/// The REQUESTs of a client that holds an address.
fn renewals(lines: &[Json]) -> Vec<&Json> {
    let holds =
        |it: &&Json| it["message"]["type"] == "REQUEST" && it["message"]["ciaddr"] != "0.0.0.0";
    lines.iter().filter(holds).collect()
}

fn field<'a>(frame: &'a Json, layer: &str, name: &str) -> &'a Json {
    let layers = frame["layers"].as_array().expect("layers");
    let found = layers.iter().find(|it| it["layer"] == layer);
    &found.unwrap_or_else(|| panic!("no {layer} in {frame}"))[name]
}

fn has_relay_info(frame: &Json) -> bool {
    let options = frame["options"].as_array().expect("options");
    options.iter().any(|it| it["code"] == 82)
}

#[test]
fn a_renewal_passes_the_relay_agent_and_rebinding_goes_through_it() {
    let link = lab("rebinds", REBINDS);
    for agent in [
        &["--relay", "198.51.100.1,circuit-id=x"][..],
        &["--giaddr", "198.51.100.1", "--relay-info", "circuit-id=x"],
    ] {
        let mut args = vec!["dora", "-i", &link, "--hold", "1h", "--json"];
        args.extend(agent);
        let lines = tool(&args).succeeded().json();
        let sent = renewals(&lines);
        let (renewing, rebinding): (Vec<&Json>, Vec<&Json>) = sent
            .into_iter()
            .partition(|it| field(it, "IP", "dst") == "192.0.2.1");
        assert!(!renewing.is_empty(), "{agent:?}");
        for it in renewing {
            assert_eq!(it["message"]["ciaddr"], "198.51.100.100");
            assert_eq!(it["message"]["giaddr"], "0.0.0.0", "{it}");
            assert_eq!(field(it, "IP", "src"), "198.51.100.100");
            assert_eq!(field(it, "UDP", "sport"), 68);
            assert!(!has_relay_info(it), "{it}");
        }
        // Only the one at T2 is answered.
        let [once] = rebinding[..] else {
            panic!("{rebinding:?}");
        };
        assert_eq!(once["message"]["giaddr"], "198.51.100.1");
        assert_eq!(field(once, "UDP", "sport"), 67);
        assert!(has_relay_info(once), "{once}");
    }
}

/// The program with these arguments, stopped by Ctrl-C when it has printed so many lines.
fn interrupted_after(lines: usize, args: &[&str]) -> Run {
    let mut child = command(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the tool starts");
    let mut stdout = BufReader::new(child.stdout.take().expect("stdout"));
    let mut out = String::new();
    for _ in 0..lines {
        stdout.read_line(&mut out).expect("a line");
    }
    let pid = child.id().to_string();
    let killed = Command::new("kill").args(["-INT", &pid]).status();
    assert!(killed.expect("kill").success());
    stdout.read_to_string(&mut out).expect("the rest");
    let output = child.wait_with_output().expect("it ends");
    Run {
        code: output.status.code(),
        out,
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[test]
fn a_lease_that_was_held_outlives_the_interruption() {
    let file = scratch("holding-lease").join("lease");
    let path = text(&file);
    let hold = ["dora", "--hold", "10000d", "--format", "ladder"];
    let run = interrupted_after(8, &[&hold[..], &["--save-lease", path]].concat());
    assert_eq!(run.code, Some(130), "{}", run.err);
    let said = "interrupted while the lease was held";
    assert!(run.err.contains(said), "{}", run.err);
    assert!(run.out.contains("router  192.0.2.1"), "the lease is shown");
    let renewal = tool(&["renew", "--lease", path, "--dry-run", "--json"]);
    let built = &renewal.succeeded().json()[0];
    assert_eq!(built["message"]["ciaddr"], "192.0.2.100");
}

#[test]
fn clients_that_were_interrupted_show_what_they_held() {
    let hold = ["dora", "--clients", "2", "--hold", "10000d", "--json"];
    let run = interrupted_after(12, &hold);
    assert_eq!(run.code, Some(130), "{}", run.err);
    let lines = run.json();
    let rows: Vec<&Json> = lines.iter().filter(|it| it["state"].is_string()).collect();
    assert_eq!(rows.len(), 2, "{}", run.out);
    for row in rows {
        assert_eq!(row["state"], "bound");
        assert!(row["address"].is_string() && row["lease"] == 3600, "{row}");
    }
}

/// A server that gives one lease of four seconds and is silent then.
const GONE: &str = "seen = {}
def on_discover(req):
    seen[req.chaddr] = seen.get(req.chaddr, 0) + 1
    return answer(req) if seen[req.chaddr] == 1 else None
def on_request(req):
    return ack(req, lease_time=4) if client_state(req) == 'selecting' else None
";

fn seconds(frame: &Json) -> f64 {
    frame["since"].as_f64().expect("a time")
}

#[test]
fn holding_ends_at_its_time_and_counts_what_had_no_answer() {
    let link = lab("gone", GONE);
    // Over while the client renews, and while it asks for another lease after the end of the first.
    for (hold, code, said) in [
        ("3500ms", 0, ""),
        ("7s", 3, "no reply: sent once, waited 3.0 s"),
    ] {
        let run = tool(&["dora", "-i", &link, "--hold", hold, "--json"]);
        assert_eq!(run.code, Some(code), "{run:?}");
        assert!(run.err.contains(said), "{}", run.err);
        assert!(
            run.json()
                .iter()
                .all(|it| it["since"].is_null() || seconds(it) < 7.0)
        );
    }
    // Two repetitions of a REQUEST in a lease's life are none of the DISCOVER's at its end. By chance one of fifty
    // seeds puts the fourth behind the 30 s.
    let run = tool(&["dora", "-i", &link, "--hold", "1h", "--json", "--seed", "1"]);
    assert!(
        run.err.contains("sent 4 times, waited 30.0 s"),
        "{}",
        run.err
    );
    assert!(
        run.err.contains("the lease that was held is over"),
        "{}",
        run.err
    );
}

#[test]
fn the_time_scale_is_that_of_holding_too() {
    let scaled = ["--hold", "36m", "--time-scale", "60"];
    let lines = tool(&[&["dora", "--json"], &scaled[..]].concat())
        .succeeded()
        .json();
    // T1 of an hour is at 30 minutes.
    let at: Vec<f64> = renewals(&lines).into_iter().map(seconds).collect();
    let [once] = at[..] else { panic!("{at:?}") };
    assert!((30.0..30.1).contains(&once), "{once}");
}

#[test]
fn a_renewal_is_no_repetition() {
    let held = ["dora", "--clients", "3", "--hold", "2h", "--quiet"];
    let run = tool(&held).succeeded();
    assert!(run.out.contains("3 clients: 3 bound"), "{}", run.out);
    assert!(!run.out.contains("had to repeat"), "{}", run.out);
    let link = lab("repeats", GONE);
    let run = tool(&[&held[..], &["-i", &link]].concat());
    assert!(
        run.out.replace('\n', " ").contains("3 had to repeat"),
        "{}",
        run.out
    );
}

#[test]
fn rebinding_is_told_from_renewing_and_counts_anew() {
    let link = lab("phases", REBINDS);
    let ladder = tool(&["dora", "-i", &link, "--hold", "1h"]).succeeded().out;
    let said: Vec<&str> = ladder
        .lines()
        .filter_map(|it| it.split_once("192.0.2.100 ("))
        .filter_map(|(_, rest)| rest.split(" -").next())
        .map(str::trim_end)
        .collect();
    let (last, before) = said.split_last().expect("renewals");
    assert_eq!(*last, "rebinding)", "{ladder}");
    assert_eq!(before.first(), Some(&"renewing)"), "{ladder}");
    assert!(
        before[1..]
            .iter()
            .all(|it| it.starts_with("renewing)  try ")),
        "{ladder}"
    );
    let built = |name: &str| {
        let lease = ["--ciaddr", "192.0.2.5", "--server-id", "192.0.2.1"];
        let args = [
            &[name, "--dry-run", "--json"],
            &lease[..2 + 2 * usize::from(name == "renew")],
        ];
        tool(&args.concat()).succeeded().json().remove(0)
    };
    assert_eq!(built("rebind")["summary"], "REQUEST  192.0.2.5 (rebinding)");
    assert_eq!(built("renew")["summary"], "REQUEST  192.0.2.5 (renewing)");
}
