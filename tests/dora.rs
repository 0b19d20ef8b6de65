//! What the client of `dora` says in each state, what it takes, and what it tells of it.

#[path = "support/tool.rs"]
#[allow(dead_code)]
mod tool;

use tool::tool;

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
