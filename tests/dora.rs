//! What the client of `dora` says in each state, what it takes, and what it tells of it.

#[path = "support/tool.rs"]
#[allow(dead_code)]
mod tool;

use std::fs;

use tool::{Run, scratch, text, tool};

/// A file of rules for the lab's server, and the link that it makes.
fn lab(name: &str, rules: &str) -> String {
    let file = scratch(&format!("dora-{name}")).join("rules.star");
    fs::write(&file, rules).expect("a file");
    format!("lab:{}", file.display())
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
