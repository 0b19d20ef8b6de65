//! `dhcpcraft test`: what is found, how each test ends, and the reports about it.

// Each test binary uses a part of it.
#[allow(dead_code)]
#[path = "support/tool.rs"]
mod tool;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;
use tool::{Run, command, finish, scratch, text, tool};

const MIXED: &str = "tests/script_tests/mixed.star";

/// Runs `test` with its captures in a directory of the test's own, without a CI's variables.
#[track_caller]
fn tests(name: &str, args: &[&str]) -> Run {
    let directory = scratch(&format!("captures-{name}"));
    let mut command = command(&[&["test"], args].concat());
    command
        .env("TMPDIR", &directory)
        .env_remove("GITHUB_ACTIONS");
    finish(&mut command, b"")
}

/// A file of tests in a directory of its own.
fn file(name: &str, source: &str) -> PathBuf {
    let path = scratch(name).join(format!("{name}.star"));
    std::fs::write(&path, source).unwrap();
    path
}

/// The mixed file's tests, without the endless one's long wait.
fn mixed(name: &str, more: &[&str]) -> Run {
    tests(
        name,
        &[&[MIXED, "--seed", "7", "--timeout", "1s"], more].concat(),
    )
}

fn row<'a>(rows: &'a [Json], test: &str) -> &'a Json {
    let row = rows.iter().find(|it| it["test"] == test);
    row.unwrap_or_else(|| panic!("no {test} in {rows:?}"))
}

#[test]
fn the_samples_pass_in_the_lab() {
    let run = tests("samples", &["samples/tests", "--seed", "7"]).succeeded();
    assert!(
        run.out.contains("18 tests in 3 files: 18 passed"),
        "{}",
        run.out
    );
    assert_eq!(run.err, "");
}

#[test]
fn each_end_is_told_with_its_values() {
    let run = mixed("text", &[]);
    assert_eq!(run.code, Some(1), "{run:?}");
    for part in [
        "mixed.star::test_fails\n",
        "mixed.star:13\n      assert_offer(reply, yiaddr=net(\"10.0.0.0/24\")",
        "by tests/script_tests/mixed.star:17  helper(discover())",
        "in step: ask",
        "yiaddr is \"192.0.2.100\", expected net(\"10.0.0.0/24\")\n",
        "router is [\"192.0.2.1\"], expected \"10.0.0.1\"\n",
        "in OFFER  192.0.2.100  from 192.0.2.1  lease 1h",
        "|--- DISCOVER",
        "|<-- OFFER",
        "again    dhcpcraft test tests/script_tests/mixed.star::test_fails --seed 7 --timeout 1s\n",
        "option domain-name",
        "skip  tests/script_tests/mixed.star::test_skips   no Kea here",
        "'--hostname'",
        "longer than --timeout 1s",
        "8 tests in 1 file: 2 passed, 5 failed, 1 skipped",
        "seed 7",
    ] {
        // What is expected to hold does not turn up as a fault.
        assert!(run.out.contains(part), "{part:?} is not in\n{}", run.out);
    }
    assert!(!run.out.contains("lease_time is"), "{}", run.out);
    assert!(
        !run.out.contains('\x1b') && !run.out.contains('\u{202e}'),
        "{:?}",
        run.out
    );
}

#[test]
fn what_repeats_a_test_repeats_it() {
    let rows = mixed("again", &["--json"]).json();
    let failed = ["failed", "error", "timeout"];
    let failures: Vec<&Json> = rows
        .iter()
        .filter(|it| failed.iter().any(|status| it["status"] == *status))
        .collect();
    assert_eq!(failures.len(), 5);
    for first in failures {
        // The shell reads the names as they are.
        let again = first["again"].as_str().unwrap();
        let again = again.strip_prefix("dhcpcraft").unwrap();
        let line = format!("\"$TOOL\"{again} --json");
        let mut shell = Command::new("sh");
        shell.args(["-c", &line]).env("TOOL", tool::TOOL);
        shell.env("TMPDIR", scratch("captures-again-one"));
        let run = finish(&mut shell, b"");
        assert_eq!(run.code, Some(1), "{line}\n{run:?}");
        let rows = run.json();
        assert_eq!(rows.len(), 2, "{line}: one test and the totals");
        assert_eq!(rows[0]["message"], first["message"]);
        let frames = |it: &Json| -> Vec<Json> {
            let exchange = it["exchange"].as_array().unwrap();
            exchange.iter().map(|it| it["hex"].clone()).collect()
        };
        assert_eq!(frames(&rows[0]), frames(first), "{line}");
    }
}

#[test]
fn json_has_each_test_and_the_totals() {
    let run = mixed("json", &["--json"]);
    assert_eq!(run.err, "");
    let rows = run.json();
    assert_eq!(rows.len(), 9);
    let totals = &rows[8];
    assert_eq!(totals["passed"], 2);
    assert_eq!(totals["failed"], 5);
    assert_eq!(totals["skipped"], 1);
    assert_eq!(totals["code"], 1);
    for (test, status) in [
        ("test_passes", "passed"),
        ("test_fails", "failed"),
        ("test_case[good]", "passed"),
        ("test_frames", "failed"),
        ("test_skips", "skipped"),
        ("test_error", "error"),
        ("test_endless", "timeout"),
    ] {
        assert_eq!(row(&rows, test)["status"], status, "{test}");
    }
    let frames = row(&rows, "test_frames")["differences"].as_array().unwrap();
    assert!(
        frames.iter().any(|it| it["name"] == "option domain-name"),
        "{frames:?}"
    );
    let reason = row(&rows, "test_skips")["reason"].as_str().unwrap();
    assert!(
        reason.contains("\x1b[31m]]>"),
        "as it was, JSON escapes: {reason:?}"
    );
}

#[test]
fn a_failures_capture_names_test_and_step() {
    let rows = mixed("capture", &["--json"]).json();
    let capture = row(&rows, "test_fails")["capture"].as_str().unwrap();
    let shown = tool(&["show", capture, "--json"]).succeeded().json();
    let comments: Vec<&str> = shown
        .iter()
        .map(|it| it["comment"].as_str().unwrap())
        .collect();
    assert_eq!(comments.len(), 2);
    assert!(
        comments
            .iter()
            .all(|it| it.starts_with("test_fails: ask: ")),
        "{comments:?}"
    );
    // Of tests that pass nothing is kept.
    assert!(row(&rows, "test_passes")["capture"].is_null());
    let kept = scratch("captures-kept");
    let rows = mixed("kept", &["--json", "--captures", text(&kept)]).json();
    let capture = row(&rows, "test_passes")["capture"].as_str().unwrap();
    assert_eq!(Path::new(capture).parent(), Some(kept.as_path()));
    tool(&["show", capture]).succeeded();
}

#[test]
fn junit_is_valid_and_escaped() {
    let path = scratch("junit").join("report.xml");
    let broken = file("junit-broken", "def test_x(:\n");
    let run = mixed("junit", &[text(&broken), "--junit", text(&path)]);
    assert_eq!(
        run.code,
        Some(2),
        "a file that is not loaded weighs more: {run:?}"
    );
    let check = Command::new("xmllint")
        .args([
            "--noout",
            "--schema",
            "tests/script_tests/junit.xsd",
            text(&path),
        ])
        .output()
        .expect("xmllint is installed: scripts/test does it");
    assert!(
        check.status.success(),
        "{}",
        String::from_utf8_lossy(&check.stderr)
    );
    let report = std::fs::read_to_string(&path).unwrap();
    let document = roxmltree::Document::parse(&report).unwrap();
    let attributes = |suite: usize| {
        let mut suites = document
            .descendants()
            .filter(|it| it.has_tag_name("testsuite"));
        let suite = suites.nth(suite).unwrap();
        ["tests", "failures", "errors", "skipped"].map(|it| suite.attribute(it).unwrap())
    };
    assert_eq!(attributes(0), ["1", "0", "1", "0"]);
    assert_eq!(attributes(1), ["8", "3", "2", "1"]);
    let failure = document
        .descendants()
        .find(|it| it.has_tag_name("failure"))
        .unwrap();
    assert_eq!(
        failure.attribute("message"),
        Some("yiaddr is \"192.0.2.100\", expected net(\"10.0.0.0/24\")")
    );
    let said = failure.text().unwrap();
    assert!(
        said.contains("|--- DISCOVER") && said.contains("again    dhcpcraft test"),
        "{said}"
    );
    assert!(
        report.contains("x\\u{1b}[31m]]&gt;") || report.contains("x\\x1b[31m]]&gt;"),
        "{report}"
    );
}

#[test]
fn prove_reads_tap() {
    let broken = file("tap-broken", "def test_x(:\n");
    let run = mixed("tap", &[text(&broken), "--tap"]);
    assert_eq!((run.code, run.err.as_str()), (Some(2), ""));
    let kept = scratch("tap").join("report.tap");
    std::fs::write(&kept, &run.out).unwrap();
    let prove = Command::new("prove")
        .args(["--verbose", "--exec", "cat", text(&kept)])
        .output()
        .expect("perl's prove is installed");
    let said = String::from_utf8_lossy(&prove.stdout);
    for part in [
        "Failed 6/9 subtests",
        "(less 1 skipped subtest: 2 okay)",
        "Failed tests:  1, 3, 5-6, 8-9",
    ] {
        let all = format!("{said}{}", String::from_utf8_lossy(&prove.stderr));
        assert!(all.contains(part), "{part:?} is not in\n{all}");
    }
    let good = tests("tap-good", &["samples/tests", "--tap"]).succeeded();
    std::fs::write(&kept, &good.out).unwrap();
    let prove = Command::new("prove")
        .args(["--exec", "cat", text(&kept)])
        .output()
        .unwrap();
    assert!(
        prove.status.success(),
        "{}",
        String::from_utf8_lossy(&prove.stdout)
    );
}

#[test]
fn annotations_are_one_line_each_at_the_assertion() {
    let run = mixed("github", &["--github", "--json"]);
    run.json();
    let lines: Vec<&str> = run.err.lines().collect();
    assert_eq!(lines.len(), 6, "{}", run.err);
    assert!(
        lines
            .iter()
            .all(|it| it.starts_with("::error file=") || it.starts_with("::notice file="))
    );
    assert!(lines[0].starts_with(
        "::error file=tests/script_tests/mixed.star,line=13,title=test_fails::yiaddr is"
    ));
    assert!(lines[0].contains("%0Arouter is"), "{}", lines[0]);
    assert!(
        lines[1].contains("%250A"),
        "a percent sign of a name is one: {}",
        lines[1]
    );
    let mut command = command(&["test", MIXED, "-k", "test_fails"]);
    command
        .env("GITHUB_ACTIONS", "true")
        .env("TMPDIR", scratch("captures-actions"));
    let run = finish(&mut command, b"");
    assert!(
        run.out.lines().any(|it| it.starts_with("::error file=")),
        "{}",
        run.out
    );
}

#[test]
fn tests_are_chosen() {
    for (args, wanted) in [
        (&["-k", "passes"][..], &["test_passes"][..]),
        (&["-k", "slow"], &["test_skips"]),
        (&["-k", "needs-kea"], &["test_skips"]),
        (&["--tag", "slow"], &["test_skips"]),
        (
            &["-k", "(passes or case) and not good and not hostile"],
            &["test_passes", "test_case[x"],
        ),
        (&["-k", "test_case[good]"], &["test_case[good]"]),
    ] {
        let run = tests("chosen", &[&[MIXED, "--list"], args].concat()).succeeded();
        let names: Vec<&str> = run.out.lines().collect();
        assert_eq!(names.len(), wanted.len(), "{args:?}: {names:?}");
        for (name, wanted) in names.iter().zip(wanted) {
            assert!(name.starts_with(&format!("{MIXED}::{wanted}")), "{name}");
        }
    }
    tests("chosen", &[MIXED, "-k", "no_such_test"]).failed(2, &["none of the 8 tests", "--list"]);
    tests("chosen", &[MIXED, "-k", "a and or"]).failed(2, &["-k: "]);
    let near = tests("chosen", &[&format!("{MIXED}::test_pases")]);
    assert_eq!(near.code, Some(2));
    assert!(near.out.contains("did you mean `test_passes`?"), "{near:?}");
}

#[test]
fn nothing_to_run_is_no_success() {
    let empty = scratch("empty");
    tests("none", &[text(&empty)]).failed(2, &["no tests in", "test_", ".star"]);
    let plain = file("plain", "x = 1\n");
    tests("none", &[text(&plain)]).failed(2, &["no tests in"]);
    tests("none", &["/no/such/file.star", "--json"]).failed(6, &["/no/such/file.star"]);
    let run = tests("none", &["/no/such/file.star", "--json"]);
    assert_eq!(run.out, "");
    tests("none", &["samples/tests", "-i", "no-such-link0"]).failed(5, &["no-such-link0"]);
    let run = tests("none", &["samples/tests", "--junit", "/no/such/dir/x.xml"]);
    run.failed(6, &["/no/such/dir/x.xml"]);
}

#[test]
fn a_broken_file_does_not_stop_the_others() {
    let broken = file("broken", "def test_x():\n    pass\nfoo = bar\n");
    let run = tests("broken", &[text(&broken), "samples/tests/lease.star"]);
    assert_eq!(run.code, Some(2));
    assert!(run.out.contains("broken.star:3  foo = bar"), "{}", run.out);
    assert!(
        run.out.contains("5 passed, 1 file not loaded"),
        "{}",
        run.out
    );
    let wrong = file(
        "wrong-cases",
        "cases = {\"test_y\": [1]}\ndef test_x():\n    pass\n",
    );
    let run = tests("broken", &[text(&wrong)]);
    assert_eq!(run.code, Some(2));
    assert!(run.out.contains("did you mean `test_x`?"), "{}", run.out);
}

#[test]
fn each_test_has_a_session_and_a_module_of_its_own() {
    let path = file(
        "fresh",
        r#"
state = []
pkt = discover
seen = Ether() / IP() / UDP() / BOOTP() / DHCP(options=["end"])

def setup():
    state.append("setup")

def test_a():
    assert_eq(state, ["setup"])
    seen.xid = 7
    assert_ack(dora(mac="02:00:00:00:00:01"), yiaddr="192.0.2.100")

def test_b():
    assert_eq(state, ["setup"])
    assert_ne(seen.xid, 7)
    # In a lab of its own the first address is free.
    assert_ack(dora(mac="02:00:00:00:00:02"), yiaddr="192.0.2.100")

def test_c():
    print("in the test")
    fail("here")

def teardown():
    print("taken down after", state)
"#,
    );
    let run = tests("fresh", &[text(&path), "--json"]);
    let rows = run.json();
    assert_eq!(rows[0]["status"], "passed", "{}", rows[0]);
    assert_eq!(rows[1]["status"], "passed", "{}", rows[1]);
    assert_eq!(rows[2]["message"], "here");
    let printed = "in the test\ntaken down after [\"setup\"]\n";
    assert_eq!(rows[2]["printed"], printed);
}

#[test]
fn nothing_is_sent_while_a_file_is_read() {
    let path = file("sends", "offer_ = discover()\n\ndef test_x():\n    pass\n");
    let run = tests("sends", &[text(&path), "--list"]);
    assert_eq!(run.code, Some(2));
    assert!(run.err.contains("put it into setup() or a test"), "{run:?}");
}

#[test]
fn repeats_have_seeds_of_their_own_and_fail_fast_stops() {
    let path = file(
        "repeat",
        "def test_x():\n    print(discover(dry_run=True).entries[0].xid)\n    fail(\"x\")\n",
    );
    let rows = tests(
        "repeat",
        &[text(&path), "--repeat", "3", "--seed", "5", "--json"],
    )
    .json();
    let seeds: Vec<&Json> = rows[..3].iter().map(|it| &it["seed"]).collect();
    assert_eq!(seeds, [5, 6, 7]);
    assert!(rows[0]["printed"] != rows[1]["printed"], "{rows:?}");
    let one = tests("repeat", &[text(&path), "--seed", "6", "--json"]).json();
    assert_eq!(one[0]["printed"], rows[1]["printed"]);
    let rows = tests(
        "repeat",
        &[text(&path), "--repeat", "3", "--fail-fast", "--json"],
    )
    .json();
    assert_eq!(rows.len(), 2);
    assert_eq!(
        (&rows[1]["failed"], &rows[1]["not_run"]),
        (&Json::from(1), &Json::from(2))
    );
    let run = tests(
        "repeat",
        &[text(&path), "--repeat", "3", "--fail-fast", "--tap"],
    );
    assert!(
        run.out.contains("Bail out! stopped at the first failure"),
        "{}",
        run.out
    );
}

#[test]
fn a_limit_of_nothing_is_told_as_it_was_given() {
    let path = file("no-time", "def test_a():\n    dora()\n");
    let run = tool(&["test", text(&path), "--timeout", "0"]);
    assert_ne!(run.code, Some(0), "{run:?}");
    assert!(run.out.contains("--timeout 0 leaves"), "{run:?}");
    assert!(!run.out.contains("0ns"), "{run:?}");
}

#[test]
fn teardown_runs_after_a_timeout_too() {
    let path = file(
        "late",
        "def test_x():\n    for i in range(2000000000):\n        pass\n\ndef teardown():\n    print(\"gone\", dora().ending)\n",
    );
    let rows = tests("late", &[text(&path), "--timeout", "200ms", "--json"]).json();
    assert_eq!(rows[0]["status"], "timeout");
    assert_eq!(rows[0]["printed"], "gone bound\n");
}

#[test]
fn a_signal_ends_a_run_in_order() {
    let path = file(
        "interrupt",
        r#"
def test_passes():
    pass

def test_endless():
    discover()
    for i in range(2000000000):
        pass

def test_after():
    pass

def teardown():
    print("gone", dora().ending)
"#,
    );
    // Ctrl-C, `timeout` and CI systems, a terminal that closes.
    for signal in ["INT", "TERM", "HUP"] {
        let report = scratch("interrupt-report").join(format!("{signal}.xml"));
        let mut command = Command::new("timeout");
        let timeout = format!("--signal={signal}");
        command
            .args([&timeout, "--preserve-status", "1", tool::TOOL, "test"])
            .args([text(&path), "--junit", text(&report), "--json"])
            .env("TMPDIR", scratch("captures-interrupt"));
        let run = finish(&mut command, b"");
        assert_eq!(run.code, Some(130), "{signal}: {run:?}");
        let rows = run.json();
        assert_eq!(rows[0]["status"], "passed");
        assert_eq!(rows[1]["test"], "test_endless");
        assert_eq!(
            (&rows[1]["status"], &rows[1]["message"]),
            (&"interrupted".into(), &"interrupted".into())
        );
        // What it took is given back.
        assert_eq!(rows[1]["printed"], "gone bound\n");
        let capture = rows[1]["capture"].as_str().unwrap();
        tool(&["show", capture]).succeeded();
        let totals = ["passed", "failed", "not_run", "interrupted", "code"];
        let totals = totals.map(|it| rows[2][it].to_string());
        assert_eq!(totals, ["1", "1", "1", "true", "130"]);
        let report = std::fs::read_to_string(&report).unwrap();
        let document = roxmltree::Document::parse(&report).unwrap();
        let cases = document
            .descendants()
            .filter(|it| it.has_tag_name("testcase"));
        assert_eq!(cases.count(), 2, "{report}");
        let error = document.descendants().find(|it| it.has_tag_name("error"));
        assert_eq!(error.unwrap().attribute("message"), Some("interrupted"));
    }
}

#[test]
fn run_says_that_a_file_holds_tests() {
    let run = tool(&["run", MIXED]).succeeded();
    assert_eq!(run.out, "");
    assert!(
        run.err.contains(&format!("`dhcpcraft test {MIXED}`")),
        "{}",
        run.err
    );
}

#[test]
fn a_condition_that_does_not_hold_shows_its_values() {
    let path = file(
        "condition",
        r#"
limit = 7200

def test_names():
    a = discover()
    assert_true(a.reply.lease_time > limit and a.reply, "too short")

def test_sends_once():
    assert_true(discover().reply.lease_time > limit)

def test_plain():
    assert_true(1 == 2)
"#,
    );
    let rows = tests("condition", &[text(&path), "--json"]).json();
    assert_eq!(
        row(&rows, "test_names")["message"],
        "a.reply.lease_time > limit and a.reply is not true\na.reply.lease_time is 3600\nlimit is 7200\n\
         a.reply is OFFER  192.0.2.100  from 192.0.2.1  lease 1h\ntoo short"
    );
    // What sends is not called again to show what it gave.
    let once = row(&rows, "test_sends_once");
    assert_eq!(
        once["message"],
        "discover().reply.lease_time > limit is not true\nlimit is 7200\n\
         (no call is made again to show its value: give it a name first, d = discover())"
    );
    assert_eq!(once["frames"], 2);
    assert_eq!(row(&rows, "test_plain")["message"], "1 == 2 is not true");
}

#[test]
fn no_test_vanishes_in_silence() {
    for (name, source, parts) in [
        (
            "no-case",
            "cases = {\"test_a\": []}\ndef test_a(x):\n    pass\n",
            &[
                "no-case.star:2  def test_a(x):",
                "cases has none for test_a",
            ][..],
        ),
        (
            "no-cases",
            "cases = []\ndef test_a(x):\n    pass\n",
            &["cases has none for test_a"],
        ),
        (
            "nobody",
            "cases = [1]\ndef test_a():\n    pass\n",
            &["no test here takes a value"],
        ),
        (
            "twice",
            "def test_a():\n    fail(\"x\")\ndef test_b():\n    pass\ndef test_a():\n    pass\n",
            &[
                "twice.star:5  def test_a():",
                "twice.star:1  def test_a():",
                "defined twice, in line 1 and in line 5",
            ],
        ),
        (
            "shape",
            "cases = 3\ndef test_a():\n    pass\n",
            &["cases = [1, 2]"],
        ),
    ] {
        let path = file(name, source);
        let run = tests(name, &[text(&path)]);
        assert_eq!(run.code, Some(2), "{name}: {run:?}");
        for part in parts {
            let words = run.out.split_whitespace().collect::<Vec<_>>().join(" ");
            let part = part.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(words.contains(&part), "{part:?} is not in\n{}", run.out);
        }
    }
    // Of two branches one is run, and text is no definition.
    let path = file(
        "branches",
        "\"\"\"\ndef test_a():\n\"\"\"\nif 1 > 2:\n    def test_a():\n        fail(\"x\")\nelse:\n    def test_a():\n        pass\n",
    );
    let rows = tests("branches", &[text(&path), "--json"]).json();
    assert_eq!((&rows[0]["test"], rows.len()), (&"test_a".into(), 2));
}

#[test]
fn a_list_of_cases_is_for_each_test_that_takes_one() {
    let path = file(
        "list",
        "cases = [\"a\", 7]\n\ndef test_plain():\n    pass\n\ndef test_one(case):\n    print(case)\n    fail(\"x\")\n\n\
         def test_two(case, more=1):\n    assert_in(case, [\"a\", 7])\n",
    );
    let run = tests("list", &[text(&path), "--json"]);
    let rows = run.json();
    let names: Vec<&str> = rows.iter().filter_map(|it| it["test"].as_str()).collect();
    assert_eq!(
        names,
        [
            "test_plain",
            "test_one[a]",
            "test_one[7]",
            "test_two[a]",
            "test_two[7]"
        ]
    );
    assert_eq!(row(&rows, "test_one[7]")["printed"], "7\n");
    assert_eq!(
        (&rows[5]["passed"], &rows[5]["failed"]),
        (&3.into(), &2.into())
    );
}

#[test]
fn frames_have_the_numbers_of_the_capture() {
    let path = file(
        "numbers",
        "def test_x():\n    dora()\n    discover()\n    discover(expect=[\"reply.router == [\\\"10.0.0.1\\\"]\"])\n",
    );
    let rows = tests("numbers", &[text(&path), "--json"]).json();
    let shown = rows[0]["exchange"].as_array().unwrap();
    let numbers: Vec<u64> = shown
        .iter()
        .filter_map(|it| it["number"].as_u64())
        .collect();
    assert_eq!(numbers, (1..=8).collect::<Vec<u64>>());
    let message = rows[0]["message"].as_str().unwrap();
    assert!(message.contains(", frame 8)"), "{message}");
    let capture = format!("{}#8", rows[0]["capture"].as_str().unwrap());
    let eighth = tool(&["show", &capture, "--json"]).succeeded().json();
    assert_eq!(eighth[0]["hex"], shown[7]["hex"]);
}

#[test]
fn exchanges_are_compared_frame_by_frame() {
    let path = file(
        "exchanges",
        r#"
def ask(**more):
    return discover(mac="02:00:00:00:00:01", xid=7, **more)

def test_same():
    assert_eq(ask(dry_run=True), ask(dry_run=True))

def test_differ():
    assert_eq(ask(dry_run=True), ask(dry_run=True, hostname="x"), "and so on")

def test_fewer():
    assert_eq(ask(dry_run=True), ask())
"#,
    );
    let rows = tests("exchanges", &[text(&path), "--json"]).json();
    assert_eq!(row(&rows, "test_same")["status"], "passed");
    let differ = row(&rows, "test_differ");
    let message = differ["message"].as_str().unwrap();
    assert!(
        message.starts_with("the exchanges differ in message 1, DISCOVER"),
        "{message}"
    );
    assert!(message.ends_with("\nand so on"), "{message}");
    let names = differ["differences"].as_array().unwrap().iter();
    let names: Vec<&str> = names.map(|it| it["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"option hostname"), "{names:?}");
    let fewer = row(&rows, "test_fewer")["message"].as_str().unwrap();
    assert!(
        fewer.contains("has 1 message and not 2") && fewer.contains("OFFER"),
        "{fewer}"
    );
}

#[test]
fn repetitions_have_names_of_their_own() {
    let path = file("repetitions", "def test_x():\n    fail(\"x\")\n");
    let report = scratch("repetitions-report").join("report.xml");
    let args = [text(&path), "--repeat", "3", "--seed", "5"];
    let run = tests(
        "repetitions",
        &[&args[..], &["--junit", text(&report)]].concat(),
    );
    assert!(
        run.out.contains("repetitions.star::test_x [2/3]\n"),
        "{}",
        run.out
    );
    assert!(
        run.out.contains("repetitions.star::test_x --seed 6\n"),
        "{}",
        run.out
    );
    let xml = std::fs::read_to_string(&report).unwrap();
    let document = roxmltree::Document::parse(&xml).unwrap();
    let names = |tag: &str| -> Vec<String> {
        let all = document.descendants().filter(|it| it.has_tag_name(tag));
        all.map(|it| {
            let value = it.attribute("value").unwrap_or_default();
            format!("{} {value}", it.attribute("name").unwrap())
                .trim()
                .to_string()
        })
        .collect()
    };
    assert_eq!(
        names("testcase"),
        ["test_x [1/3]", "test_x [2/3]", "test_x [3/3]"]
    );
    assert_eq!(
        names("property")[..3],
        ["seed 5", "seed of test_x [1/3] 5", "seed of test_x [2/3] 6"]
    );
    let tap = tests("repetitions", &[&args[..], &["--tap"]].concat());
    assert!(
        tap.out.contains("repetitions.star::test_x [3/3]"),
        "{}",
        tap.out
    );
    let rows = tests("repetitions", &[&args[..], &["--json"]].concat()).json();
    assert_eq!(
        (&rows[2]["test"], &rows[2]["repetition"]),
        (&"test_x".into(), &3.into())
    );
}

#[test]
fn a_suite_of_two_hundred_tests_runs() {
    let directory = scratch("suite");
    for part in 0..4 {
        let cases: Vec<String> = (0..25).map(|it| it.to_string()).collect();
        let cases = cases.join(", ");
        let source = format!(
            "cases = [{cases}]\n\ndef test_lease(number):\n    lease = dora(hostname=\"printer-{{}}\".format(number))\n    \
             assert_ack(lease, yiaddr=\"192.0.2.100\")\n\ndef test_offer(number):\n    \
             assert_true(discover().reply.xid != {part})\n"
        );
        std::fs::write(directory.join(format!("part{part}.star")), source).unwrap();
    }
    let run = tests("suite", &[text(&directory), "--json", "--seed", "1"]).succeeded();
    let rows = run.json();
    assert_eq!(rows.len(), 201);
    assert_eq!(
        (&rows[200]["passed"], &rows[200]["failed"]),
        (&200.into(), &0.into())
    );
    // Each is told once.
    let ids = rows[..200].iter();
    let ids: std::collections::HashSet<String> = ids
        .map(|it| format!("{}::{}", it["file"], it["test"]))
        .collect();
    assert_eq!(ids.len(), 200);
}
