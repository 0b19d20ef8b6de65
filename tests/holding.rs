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
