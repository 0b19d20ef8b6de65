//! Rules of a server in the language, and the scripts in `samples/` that play a part each.

#[path = "support/tool.rs"]
#[allow(dead_code)]
mod tool;

use std::path::Path;

use tool::{Run, tool as run};

fn lab(rules: &str, name: &str) -> Run {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("rules-{name}.star"));
    std::fs::write(&file, rules).expect("a file");
    run(&[
        "dora",
        "--json",
        "--seed",
        "1",
        "-i",
        &format!("lab:{}", file.display()),
    ])
}

#[test]
fn a_rule_decides_and_the_server_does_the_rest() {
    let rules =
        "def on_discover(req):\n    return offer(req, yiaddr='192.0.2.150', lease_time='10m')\n";
    let run = lab(rules, "offer").succeeded();
    assert!(run.out.contains("192.0.2.150"), "{}", run.out);
}

#[test]
fn a_rule_can_refuse_be_silent_and_remember() {
    let rules = "seen = {}\ndef on_discover(req):\n    seen[1] = seen.get(1, 0) + 1\n    return answer(req) if seen[1] > 1 else None\ndef on_request(req):\n    return nak(req) if client_state(req) == 'selecting' else None\n";
    let run = lab(rules, "nak");
    assert_eq!(run.code, Some(4), "{run:?}");
    assert!(run.json().len() >= 5, "{}", run.out);
}

#[test]
fn a_rule_that_fails_ends_the_run() {
    let run = lab("def on_discover(req):\n    return req.nonsense\n", "error");
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.err.contains("no attribute `nonsense`"), "{}", run.err);
    lab("def on_discovr(req):\n    return None\n", "name").failed(2, &["on_discover"]);
}

#[test]
fn the_scripts_of_each_role_run() {
    for (script, link, says) in [
        ("client", "lab", "192.0.2.100 for 3600 s"),
        ("client", "lab:taken", "belongs to"),
        ("relay", "lab", "ge-0/0/10"),
    ] {
        let done = run(&["run", "-i", link, &format!("samples/{script}.star")]).succeeded();
        assert!(done.out.contains(says), "{script}: {done:?}");
    }
    for rules in ["server", "broken-server"] {
        run(&["dora", "-i", &format!("lab:samples/{rules}.star")]).succeeded();
    }
}
