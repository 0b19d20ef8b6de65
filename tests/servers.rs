//! `servers`: who answers on a link, who may, and what changes.

mod support;

use serde_json::Value as Json;
use support::tool::{scratch, text, tool};

fn names(rows: &[Json], key: &str) -> Vec<String> {
    let name = |it: &Json| it[key].as_str().unwrap_or("-").to_string();
    rows.iter().map(name).collect()
}

#[test]
fn each_server_of_the_lab_has_a_row_and_their_disagreement_is_told() {
    let run = tool(&["servers", "-i", "lab:two-servers"]).succeeded();
    for part in [
        "192.0.2.1 ",
        "192.0.2.66",
        "02:00:5e:00:00:66",
        "router (!)",
    ] {
        assert!(run.out.contains(part), "{part}: {run:?}");
    }
    assert!(
        run.err.contains("2 servers; they disagree on router, dns"),
        "{run:?}"
    );
    let rows = tool(&["servers", "-i", "lab:two-servers", "--json"])
        .succeeded()
        .json();
    assert_eq!(names(&rows, "server"), ["192.0.2.1", "192.0.2.66"]);
    assert_eq!(
        names(&rows, "mac"),
        ["02:00:5e:00:00:01", "02:00:5e:00:00:66"]
    );
    let asked = ["plain", "pxe", "windows", "android", "random-mac", "inform"];
    for row in &rows {
        assert_eq!(row["answered"], serde_json::json!(asked));
        assert!(row["latency_min"].as_f64() <= row["latency_median"].as_f64());
        assert!(row["disagrees_on"].to_string().contains("router"));
    }
    // One address for every kind of client with the same MAC, another one for the MAC by chance.
    assert_eq!(
        rows[1]["offered"],
        serde_json::json!(["192.0.2.200", "192.0.2.201"])
    );
    assert_eq!(
        rows[1]["options"]["router"],
        serde_json::json!(["192.0.2.66"])
    );
}

#[test]
fn a_server_that_is_not_allowed_is_a_failure() {
    let lab = ["servers", "-i", "lab:two-servers"];
    let run = |more: &[&str]| tool(&[&lab[..], more].concat());
    let by_ip = run(&["--allow", "192.0.2.1", "--allow", "192.0.2.66"]);
    assert_eq!(by_ip.code, Some(0), "{by_ip:?}");
    let by_mac = run(&["--allow", "192.0.2.1", "--allow", "02-00-5E-00-00-66"]);
    assert_eq!(by_mac.code, Some(0), "{by_mac:?}");
    let rogue = run(&["--allow", "192.0.2.1", "--json"]);
    assert_eq!(rogue.code, Some(1), "{rogue:?}");
    assert_eq!(
        rogue
            .json()
            .iter()
            .map(|it| it["allowed"].clone())
            .collect::<Vec<_>>(),
        [true, false]
    );
    assert!(
        rogue
            .err
            .contains("192.0.2.66 (02:00:5e:00:00:66) is not allowed"),
        "{rogue:?}"
    );
    let quiet = run(&["--allow", "192.0.2.1", "--quiet"]);
    assert_eq!((quiet.code, quiet.err.as_str()), (Some(1), ""));
    run(&["--allow", "no address"]).failed(2, &["--allow"]);
}

#[test]
fn an_allowed_server_that_is_silent_is_told_and_nobody_is_no_reply() {
    let run = tool(&["servers", "--allow", "192.0.2.1", "--allow", "10.0.0.9"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(
        run.err.contains("10.0.0.9 is allowed and did not answer"),
        "{run:?}"
    );
    let run = tool(&["servers", "-i", "lab:silent", "--json"]);
    assert_eq!(run.code, Some(3));
    assert!(run.err.contains("no server answers"), "{run:?}");
    let [row] = &run.json()[..] else {
        panic!("{run:?}")
    };
    assert_eq!(
        (&row["ending"], &row["code"]),
        (&"no reply".into(), &3.into())
    );
    assert_eq!(row["causes"][0]["id"], "nothing-arrived");
    assert_eq!(row["asked_as"].as_array().expect("kinds").len(), 6);
    // Who is silent stands behind the rows of those who answer.
    let run = tool(&[
        "servers",
        "--allow",
        "192.0.2.1",
        "--allow",
        "10.0.0.9",
        "--json",
    ]);
    let [server, row] = &run.succeeded().json()[..] else {
        panic!("two lines")
    };
    assert_eq!(server["server"], "192.0.2.1");
    assert_eq!((&row["ending"], &row["code"]), (&"done".into(), &0.into()));
    assert_eq!(row["missing"], serde_json::json!(["10.0.0.9"]));
    let run = tool(&["servers", "--allow", "192.0.2.1", "--json"]).succeeded();
    assert_eq!(run.json().len(), 1, "{run:?}");
    let rows = tool(&["run", "-c", "len(servers(interface='lab:silent'))"]).succeeded();
    assert_eq!(rows.out, "0\n");
}

#[test]
fn what_bootp_bound_is_given_back_and_nothing_is_requested() {
    let file = scratch("servers").join("asked.pcapng");
    let kinds = ["--as", "plain", "--as", "bootp"];
    let write = ["servers", "-w", text(&file), "--seed", "7"];
    tool(&[&write[..], &kinds[..]].concat()).succeeded();
    let frames = tool(&["show", text(&file), "--json"]).succeeded().json();
    let types: Vec<_> = frames
        .iter()
        .map(|it| it["message"]["type"].as_str())
        .collect();
    let types: Vec<_> = types.into_iter().flatten().collect();
    assert_eq!(
        types,
        ["DISCOVER", "OFFER", "BOOTREQUEST", "BOOTREPLY", "RELEASE"]
    );
    assert_eq!(
        frames[4]["message"]["ciaddr"],
        frames[3]["message"]["yiaddr"]
    );
}

#[test]
fn watching_tells_changes_and_the_lab_needs_an_end() {
    tool(&["servers", "--watch"]).failed(2, &["--count"]);
    let run = tool(&["servers", "--watch", "5s", "--count", "3", "--json"]).succeeded();
    let lines = run.json();
    assert_eq!(lines.len(), 2, "{run:?}");
    assert_eq!(lines[0]["change"], "appears");
    assert_eq!(lines[1]["answered"].as_array().map(Vec::len), Some(6));
}

#[test]
fn an_expectation_speaks_of_the_rows_and_says_what_they_are() {
    let lab = ["servers", "-i", "lab:two-servers", "--expect"];
    let run = |more: &[&str]| tool(&[&lab[..], more].concat());
    run(&["len(servers) == 2"]).succeeded();
    run(&["servers[1]['options']['router'] == ['192.0.2.66']"]).succeeded();
    run(&["len(replies) == 12 and sent[DHCP].options[0] == ('message-type', 1)"]).succeeded();
    let one = run(&["len(servers) == 1", "--expect", "len(servers) == 2"]);
    assert_eq!(one.code, Some(1), "{one:?}");
    let told = "expectation failed: len(servers) == 1\n  len(servers) is 2\n";
    assert!(one.err.ends_with(told), "{one:?}");
    // The rows are shown all the same.
    assert!(one.out.contains("192.0.2.66"), "{one:?}");
    let names = run(&["[it['server'] for it in servers] == ['192.0.2.1']"]);
    let told = "[it['server'] for it in servers] is [\"192.0.2.1\", \"192.0.2.66\"]";
    assert_eq!(names.code, Some(1), "{names:?}");
    assert!(names.err.contains(told), "{names:?}");
    // What cannot be read is told before anything is sent.
    let wrong = run(&["len(servers) =="]);
    assert_eq!((wrong.code, wrong.out.as_str()), (Some(2), ""), "{wrong:?}");
    // Who may answer is another expectation.
    let stranger = run(&["len(servers) == 2", "--allow", "192.0.2.1"]);
    assert_eq!(stranger.code, Some(1), "{stranger:?}");
}

#[test]
fn silence_can_be_expected_and_is_a_failure_where_a_server_is() {
    let lab = ["servers", "-i", "lab:silent", "--expect"];
    let run = |more: &[&str]| tool(&[&lab[..], more].concat());
    run(&["not servers"]).succeeded();
    let run = run(&["servers[0]['mac'] == '02:00:5e:00:00:01'"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.err.ends_with("\n  no server answered\n"), "{run:?}");
}

#[test]
fn scripts_and_monitoring_judge_the_same() {
    let source = "servers(interface='lab:two-servers', expect='len(servers) == 1')";
    let run = tool(&["run", "-c", source]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.err.contains("len(servers) is 2"), "{run:?}");
    let source = "len(servers(interface='lab:two-servers', expect='len(servers) == 2'))";
    assert_eq!(tool(&["run", "-c", source]).succeeded().out, "2\n");
    let check = |more: &[&str]| tool(&[&["servers", "--nagios"], more].concat());
    let run = check(&["-i", "lab:two-servers", "--expect", "len(servers) == 1"]);
    assert_eq!(run.code, Some(2), "{run:?}");
    let told = "DHCP CRITICAL: expectation failed: len(servers) == 1; 2 servers:";
    assert!(run.out.starts_with(told), "{run:?}");
    let run = check(&["-i", "lab:silent", "--expect", "not servers"]).succeeded();
    assert!(run.out.starts_with("DHCP OK: no server answers"), "{run:?}");
    let run = check(&[
        "-i",
        "lab:two-servers",
        "--allow",
        "192.0.2.1",
        "--expect",
        "len(servers) == 2",
    ]);
    assert_eq!(run.code, Some(2), "{run:?}");
}

#[test]
fn kinds_that_one_server_leaves_out_are_told_of_each() {
    for columns in ["80", "120"] {
        let mut command = support::tool::command(&["servers", "-i", "lab:two-servers"]);
        let run = support::tool::finish(command.env("COLUMNS", columns), b"").succeeded();
        let asked = "asked as plain, pxe, windows, android, random-mac, inform; each answers all";
        assert!(run.out.lines().any(|it| it == asked), "{run:?}");
        assert!(
            run.out
                .lines()
                .all(|it| it.len() <= columns.parse().expect("a number"))
        );
    }
}

#[test]
fn a_server_behind_a_relay_agent_is_one_also_where_its_answer_to_an_inform_is_routed() {
    for asked in [&["--as", "inform", "--as", "plain"][..], &[]] {
        let lab = ["servers", "-i", "lab:relay", "--json"];
        let one = ["--expect", "len(servers) == 1"];
        let rows = tool(&[&lab[..], &one, asked].concat()).succeeded().json();
        assert_eq!(rows[0]["relay"], "198.51.100.1");
        assert_eq!(rows[0]["silent"], serde_json::json!([]));
        assert_eq!(rows[0]["notes"], serde_json::json!([]));
    }
}

#[test]
fn a_lost_answer_is_no_departure() {
    let rules = scratch("servers-lossy").join("sleepy.star");
    // Every other question finds it asleep.
    let source = "\
asked = {}
def on_discover(req):
    asked[1] = asked.get(1, 0) + 1
    return offer(req) if asked[1] % 2 else None
";
    std::fs::write(&rules, source).expect("a file");
    let lab = format!("lab:{}", rules.display());
    let watch = ["servers", "-i", &lab, "--as", "plain", "--watch", "5s"];
    let run = tool(&[&watch[..], &["--count", "4", "--json"]].concat()).succeeded();
    let told: Vec<_> = names(&run.json(), "change");
    assert_eq!(told, ["appears", "-"], "{run:?}");
}

#[test]
fn a_server_that_gives_something_else_and_then_nothing_is_told_of_as_it_happens() {
    let rules = scratch("servers-watch").join("moody.star");
    let source = "\
asked = {}
def on_discover(req):
    asked[1] = asked.get(1, 0) + 1
    if asked[1] > 3:
        return None
    return offer(req, option='router=192.0.2.9' if asked[1] == 3 else 'router=192.0.2.1')
";
    std::fs::write(&rules, source).expect("a file");
    let lab = format!("lab:{}", rules.display());
    let watch = ["servers", "-i", &lab, "--as", "plain", "--watch", "5s"];
    let watch = [&watch[..], &["--count", "4", "--allow", "192.0.2.66"]].concat();
    let run = tool(&watch);
    // It was there and was not allowed to: worse than that nobody is there now.
    assert_eq!(run.code, Some(1), "{run:?}");
    let lines: Vec<_> = run.out.lines().filter(|it| !it.is_empty()).collect();
    let told = [
        "Z  + 192.0.2.1 (02:00:5e:00:00:01) answers  (!) not allowed",
        "Z  ~ 192.0.2.1 (02:00:5e:00:00:01): router 192.0.2.1 -> 192.0.2.9  (!) not allowed",
        "Z  - 192.0.2.1 (02:00:5e:00:00:01) is gone  (!) not allowed",
    ];
    assert_eq!(lines.len(), told.len(), "{run:?}");
    for (line, told) in lines.iter().zip(told) {
        assert!(line.ends_with(told), "{line}");
    }
    assert!(run.err.contains("no server answers"), "{run:?}");
    assert!(
        run.err
            .contains("(!) 192.0.2.1 (02:00:5e:00:00:01) is not allowed")
    );
    // Nothing else is on the output of a program.
    let run = tool(&[&watch[..], &["--json"]].concat());
    let changes = run.json();
    let all: Vec<_> = names(&changes, "change");
    assert_eq!(all, ["appears", "changes", "disappears", "-"], "{run:?}");
    assert_eq!(changes[1]["option"], "router");
    assert_eq!(changes[1]["was"], "192.0.2.1");
    assert_eq!(changes[1]["is"], "192.0.2.9");
}
