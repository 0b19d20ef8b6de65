//! What the client of `dora` says in each state, what it takes, and what it tells of it.

#[path = "support/tool.rs"]
#[allow(dead_code)]
mod tool;

use std::fs;

use serde_json::Value as Json;
use tool::{Run, scratch, text, tool};

/// A file of rules for the lab's server, and the link that it makes.
fn lab(name: &str, rules: &str) -> String {
    let file = scratch(&format!("dora-{name}")).join("rules.star");
    fs::write(&file, rules).expect("a file");
    format!("lab:{}", file.display())
}

/// The messages of a type that were sent.
fn sent<'a>(lines: &'a [Json], name: &str) -> Vec<&'a Json> {
    let is = |it: &&Json| it["direction"] == "sent" && it["message"]["type"] == name;
    lines.iter().filter(is).collect()
}

/// The codes of its options.
fn codes(message: &Json) -> Vec<u64> {
    let options = message["options"].as_array().expect("options");
    options
        .iter()
        .filter_map(|it| it["code"].as_u64())
        .collect()
}

/// The value of an option, as text; empty where it is missing.
fn value(message: &Json, code: u64) -> String {
    let options = message["options"].as_array().expect("options");
    let found = options.iter().find(|it| it["code"] == code);
    found.map_or(String::new(), |it| {
        it["value"]
            .as_str()
            .map_or(it["value"].to_string(), str::to_string)
    })
}

fn values(messages: &[&Json], code: u64) -> Vec<String> {
    messages.iter().map(|it| value(it, code)).collect()
}

#[test]
fn the_address_wished_for_is_asked_for_before_there_is_an_offer() {
    // The lab's server has no such address, and offers another.
    for wish in [
        &["--requested-ip", "192.0.2.50"][..],
        &["-o", "requested-address=192.0.2.50"],
        &["-o", "50=192.0.2.50", "--choose", "requested"],
    ] {
        let lines = tool(&[&["dora", "--json", "--hold", "40m"], wish].concat());
        let lines = lines.succeeded().json();
        assert_eq!(values(&sent(&lines, "DISCOVER"), 50), ["192.0.2.50"]);
        // SELECTING names the offer, RENEWING nothing (RFC 2131 table 4).
        let requests = sent(&lines, "REQUEST");
        assert_eq!(values(&requests, 50), ["192.0.2.100", ""], "{wish:?}");
    }
    // What is no address goes out as it is, where it belongs.
    let lines = tool(&["dora", "--json", "-o", "50:hex=0102"])
        .succeeded()
        .json();
    assert_eq!(codes(sent(&lines, "DISCOVER")[0]).last(), Some(&50));
    assert_eq!(values(&sent(&lines, "REQUEST"), 50), ["192.0.2.100"]);
    // One message that was crafted stays as it was set.
    let request = ["request", "--dry-run", "--json", "--server-id", "192.0.2.1"];
    let lines = tool(&[&request[..], &["--requested-ip", "192.0.2.50"]].concat());
    assert_eq!(value(&lines.succeeded().json()[0], 50), "192.0.2.50");
}

#[test]
fn a_declined_address_is_not_asked_for_again() {
    let wish = ["--requested-ip", "192.0.2.100", "--restarts", "3"];
    let lines = tool(&[&["dora", "-i", "lab:taken", "--probe", "--json"], &wish[..]].concat());
    let lines = lines.succeeded().json();
    assert_eq!(sent(&lines, "DECLINE").len(), 1);
    assert_eq!(values(&sent(&lines, "DISCOVER"), 50), ["192.0.2.100", ""]);
}

#[test]
fn a_decline_says_what_table_5_has() {
    let set = [
        "--hostname",
        "h",
        "--lease-time",
        "1h",
        "--broadcast",
        "--ciaddr",
        "192.0.2.9",
    ];
    let probe = [
        "dora",
        "-i",
        "lab:taken",
        "--probe",
        "--restarts",
        "0",
        "--json",
    ];
    let lines = tool(&[&probe[..], &set].concat());
    assert_eq!(lines.code, Some(1), "{lines:?}");
    let lines = lines.json();
    assert!(codes(sent(&lines, "REQUEST")[0]).contains(&12));
    let decline = sent(&lines, "DECLINE")[0];
    assert_eq!(codes(decline), [53, 61, 50, 54, 56]);
    assert_eq!(decline["message"]["ciaddr"], "0.0.0.0");
    assert_eq!(decline["message"]["broadcast"], false, "{decline}");
}

#[test]
fn a_server_that_is_named_is_the_one_whose_offer_is_taken() {
    for server in ["192.0.2.1", "192.0.2.66"] {
        let two = ["dora", "-i", "lab:two-servers", "--json", "--hold", "40m"];
        let run = tool(&[&two[..], &["--server-id", server]].concat());
        let lines = run.succeeded().json();
        assert_eq!(values(&sent(&lines, "DISCOVER"), 54), [""]);
        let named = values(&sent(&lines, "REQUEST"), 54);
        assert_eq!(named[0], server);
        assert!(
            named.len() > 1 && named[1..].iter().all(String::is_empty),
            "{named:?}"
        );
    }
    let run = tool(&["dora", "--server-id", "192.0.2.77", "--timeout", "5s"]);
    assert_eq!(run.code, Some(3), "{run:?}");
    assert!(!run.out.contains("REQUEST"), "{}", run.out);
    let both = ["dora", "--server-id", "192.0.2.1", "--choose", "lowest"];
    tool(&both).failed(2, &["--server-id", "--choose"]);
}

#[test]
fn fields_and_options_of_the_handshake_stay_in_it() {
    let set = ["--ciaddr", "192.0.2.77", "-o", "rapid-commit"];
    let run = tool(&[&["dora", "--json", "--hold", "40m"], &set[..]].concat());
    let lines = run.succeeded().json();
    let discover = sent(&lines, "DISCOVER")[0];
    assert_eq!(discover["message"]["ciaddr"], "192.0.2.77");
    assert!(codes(discover).contains(&80));
    let requests = sent(&lines, "REQUEST");
    // RFC 4039: only a DISCOVER can be acknowledged at once.
    assert!(requests.iter().all(|it| !codes(it).contains(&80)));
    let renewing = requests.last().expect("a renewal");
    assert_eq!(renewing["message"]["ciaddr"], "192.0.2.100");
}

#[test]
fn an_ack_of_no_address_is_not_taken() {
    for address in ["0.0.0.0", "255.255.255.255", "127.0.0.1", "224.0.0.7"] {
        let rules = format!("def on_request(req):\n    return ack(req, yiaddr='{address}')\n");
        let link = lab("no-address", &rules);
        let run = tool(&["dora", "-i", &link, "--timeout", "5s"]);
        assert_eq!(run.code, Some(3), "{run:?}");
        let said = format!("{address} is no address for a host");
        assert!(
            run.err.contains(&said) && !run.out.contains("router"),
            "{run:?}"
        );
    }
}

#[test]
fn an_ack_of_another_address_is_taken_with_a_word() {
    let link = lab(
        "other",
        "def on_request(req):\n    return ack(req, yiaddr='192.0.2.241')\n",
    );
    let run = tool(&["dora", "-i", &link]).succeeded();
    let said = "the ACK gives 192.0.2.241 where 192.0.2.100 was asked for";
    assert!(run.err.contains(said), "{}", run.err);
    assert!(run.out.contains("address  192.0.2.241"), "{}", run.out);
    let many = tool(&["dora", "-i", &link, "--clients", "3"]).succeeded();
    assert!(many.err.contains("so for 3 clients"), "{}", many.err);
    assert!(!tool(&["dora"]).succeeded().err.contains("was asked for"));
}

/// The line of the result that tells of the lease, where the server sends these options.
fn lease_line(name: &str, options: &str) -> String {
    let rules = format!("def on_request(req):\n    return ack(req, option=[{options}])\n");
    let run = tool(&["dora", "-i", &lab(name, &rules)]).succeeded();
    let line = run.out.lines().find(|it| it.starts_with("   lease"));
    line.unwrap_or_else(|| panic!("no lease in {}", run.out))
        .to_string()
}

#[test]
fn the_result_shows_the_times_that_are_used() {
    let line = lease_line(
        "used",
        "'lease-time=40s', 'renewal-time=5s', 'rebinding-time=9s'",
    );
    assert!(line.contains("40s  (T1 5s, T2 9s)"), "{line}");
    for (name, options, said) in [
        (
            "behind",
            "'lease-time=20s', 'renewal-time=30m', 'rebinding-time=1h'",
            "sent: T1 30m, T2 1h",
        ),
        (
            "zero",
            "'lease-time=20s', 'renewal-time=0', 'rebinding-time=0'",
            "sent: T1 0s, T2 0s",
        ),
        (
            "swapped",
            "'lease-time=20s', 'renewal-time=9s', 'rebinding-time=5s'",
            "sent: T1 9s, T2 5s",
        ),
    ] {
        let line = lease_line(name, options);
        let used = format!("20s (T1 10s, T2 17.5s; {said}, of no use)");
        assert!(line.contains(&used), "{line}");
    }
    // A lease without an end is never renewed.
    let line = lease_line(
        "endless",
        "'lease-time=infinite', 'renewal-time=1h', 'rebinding-time=2h'",
    );
    assert!(line.contains("infinite ") && !line.contains("T1"), "{line}");
}

#[test]
fn a_lease_that_cannot_be_written_is_not_asked_for() {
    let folder = scratch("dora-save");
    let path = folder.join("none/lease");
    let run = tool(&["dora", "--json", "--save-lease", text(&path)]);
    run.failed(6, &["none/lease"]);
    assert_eq!(run.out, "", "nothing was sent");
    // Without a lease there is no file, and one from before is as it was.
    let silent = [
        "dora",
        "-i",
        "lab:silent",
        "--timeout",
        "1s",
        "--save-lease",
    ];
    let path = folder.join("lease");
    let in_vain = || tool(&[&silent[..], &[text(&path)]].concat()).code;
    assert_eq!(in_vain(), Some(3));
    assert!(!path.exists());
    fs::write(&path, "before").expect("a file");
    assert_eq!(in_vain(), Some(3));
    assert_eq!(fs::read_to_string(&path).expect("a file"), "before");
    tool(&["dora", "--save-lease", text(&path)]).succeeded();
    assert!(
        fs::read_to_string(&path)
            .expect("a file")
            .starts_with("# lease of")
    );
}

#[test]
fn what_has_no_reply_is_done_when_it_is_sent() {
    let path = scratch("dora-release").join("lease");
    let lease = ["--lease", text(&path)];
    tool(&["dora", "--save-lease", text(&path)]).succeeded();
    let after = |args: &[&str]| -> Run { tool(&[args, &lease].concat()) };
    for name in ["release", "decline"] {
        let run = after(&[name, "--timeout", "1s"]).succeeded();
        assert!(!run.err.contains("no reply"), "{}", run.err);
        after(&[
            name,
            "--wait",
            "--timeout",
            "1s",
            "--expect",
            "replies == []",
        ])
        .succeeded();
        // Who expects one all the same is told that none came.
        let run = after(&[name, "--timeout", "1s", "--expect", "reply.yiaddr"]);
        assert_eq!(run.code, Some(1), "{run:?}");
    }
    // What has a reply still waits for it.
    let inform = ["inform", "-i", "lab:silent", "--timeout", "1s"];
    assert_eq!(after(&inform).code, Some(3));
}

#[test]
fn the_hours_of_a_ladder_are_hours() {
    let ladder = tool(&["dora", "--hold", "120h"]).succeeded().out;
    let rungs: Vec<&str> = ladder
        .lines()
        .filter(|it| it.contains("|--- ") || it.contains("|<-- "))
        .collect();
    for time in [
        "    0.0 ms",
        "    30m00s",
        "  1h00m00s",
        " 24h00m00s",
        " 99h30m00s",
        "     4d04h",
        "     5d00h",
    ] {
        assert!(
            rungs.iter().any(|it| it.ends_with(time)),
            "no {time:?} in {ladder}"
        );
    }
    let width = rungs[0].len();
    assert!(
        rungs.iter().all(|it| it.len() == width),
        "one column: {ladder}"
    );
}
