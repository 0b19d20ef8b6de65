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

/// The messages of a run: type and yiaddr of each.
fn messages(run: &Run) -> Vec<(String, String)> {
    let text = |it: &serde_json::Value| it.as_str().unwrap_or_default().to_string();
    let all = run.json().into_iter().map(|it| it["message"].clone());
    let all = all.filter(|it| it.is_object());
    all.map(|it| (text(&it["type"]), text(&it["yiaddr"])))
        .collect()
}

#[test]
fn an_address_that_a_rule_offers_is_acknowledged_by_the_server_whatever_pool_it_is_of() {
    for given in ["192.0.2.7", "10.77.9.9"] {
        let rules = format!("def on_discover(req):\n    return offer(req, yiaddr='{given}')\n");
        let run = lab(&rules, "out-of-pool").succeeded();
        let got = messages(&run);
        let got: Vec<_> = got.iter().filter(|it| it.1 != "0.0.0.0").collect();
        assert_eq!(got.len(), 2, "{got:?}");
        assert!(got.iter().all(|it| it.1 == given), "{got:?}");
    }
}

#[test]
fn a_fault_of_several_messages_is_no_rules() {
    for fault in ["reorder", "nak-renewal"] {
        let rules = format!("def on_request(req):\n    return fault('{fault}', answer(req))\n");
        lab(&rules, fault).failed(1, &[fault, "serve --fault"]);
    }
}

#[test]
fn a_rule_moves_options_and_spoils_those_that_were_moved() {
    let rules = "def on_request(req):\n    moved = fault('overload', answer(req))[0]\n    return fault('tiny-lease=4', moved)\n";
    let run = lab(rules, "moved").succeeded();
    let acks = run
        .json()
        .into_iter()
        .filter(|it| it["message"]["type"] == "ACK");
    let acks: Vec<_> = acks.collect();
    let options = acks[0]["options"].as_array().expect("options");
    let value = |code: u64| options.iter().find(|it| it["code"] == code);
    assert_eq!(value(52).expect("overload")["value"], "both", "{options:?}");
    assert_eq!(value(51).expect("a lease time")["value"], 4, "{options:?}");
    assert!(
        options.iter().any(|it| it["place"] == "file"),
        "{options:?}"
    );
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
