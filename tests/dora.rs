//! What the client of `dora` says in each state, what it takes, and what it tells of it.

#[path = "support/tool.rs"]
#[allow(dead_code)]
mod tool;

use tool::{Run, scratch, text, tool};

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
