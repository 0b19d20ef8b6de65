//! `--expect`, `--where` and `--format script`: what a pipeline can rely on.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn run(args: &[&str]) -> (i32, String, String) {
    let output: Output = Command::new(env!("CARGO_BIN_EXE_dhcpcraft"))
        .args(args)
        .env_remove("COLUMNS")
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap_or(-1),
        text(output.stdout),
        text(output.stderr),
    )
}

/// A capture of a handshake in the lab, with an ARP frame and a cut one behind it.
fn capture(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("judge-{name}.pcapng"));
    let text = path.to_str().unwrap();
    let (code, _, errors) = run(&["dora", "--seed", "1", "-w", text, "--quiet"]);
    assert_eq!(code, 0, "{errors}");
    let source = format!(
        "wrpcap({text:?}, rdpcap({text:?}) + [Ether() / ARP(psrc=\"192.0.2.7\"), Ether() / IP() / UDP() / Raw(\"x\")])"
    );
    let (code, _, errors) = run(&["run", "-c", &source]);
    assert_eq!(code, 0, "{errors}");
    path
}

#[test]
fn what_holds_is_silent() {
    for args in [
        &["discover", "--expect", "reply.router == [\"192.0.2.1\"]"][..],
        &[
            "dora",
            "--expect",
            "reply[DHCP].options[0] == (\"message-type\", 5)",
        ],
        &[
            "dora",
            "--expect",
            "len(replies) == 2",
            "--expect",
            "sent.xid == reply.xid",
        ],
        &[
            "request",
            "--requested-ip",
            "192.0.2.100",
            "--server-id",
            "192.0.2.1",
            "--expect",
            "reply.yiaddr == \"192.0.2.100\"",
        ],
        // That nobody answers can be what is wanted.
        &[
            "discover",
            "-i",
            "lab:silent",
            "--timeout",
            "10ms",
            "--expect",
            "not replies",
        ],
    ] {
        let (code, _, errors) = run(args);
        assert_eq!(code, 0, "{args:?}: {errors}");
        assert!(!errors.contains("expectation"), "{args:?}: {errors}");
    }
}

#[test]
fn what_does_not_hold_is_told_with_its_values() {
    let (code, _, errors) = run(&["discover", "--expect", "reply.router == [\"10.0.0.1\"]"]);
    assert_eq!(code, 1);
    assert!(
        errors.contains("expectation failed: reply.router == [\"10.0.0.1\"]\n  reply.router is [\"192.0.2.1\"]   (OFFER"),
        "{errors}"
    );
    assert!(errors.contains("frame 2)"), "{errors}");
    // Of a handshake the answer is the ACK, its fourth frame.
    let (code, _, errors) = run(&["dora", "--expect", "reply.lease_time == 60"]);
    assert_eq!(code, 1);
    assert!(
        errors.contains("reply.lease_time is 3600   (ACK"),
        "{errors}"
    );
    assert!(errors.contains("frame 4)"), "{errors}");
}

#[test]
fn every_expectation_is_judged() {
    let (code, _, errors) = run(&[
        "discover",
        "--expect",
        "reply.router == []",
        "--expect",
        "reply",
        "--expect",
        "len(replies) == 2",
    ]);
    assert_eq!(code, 1);
    assert_eq!(errors.matches("expectation failed").count(), 2, "{errors}");
    assert!(errors.contains("len(replies) is 1"), "{errors}");
}

#[test]
fn without_a_reply_an_expectation_of_it_fails() {
    let silent = ["discover", "-i", "lab:silent", "--timeout", "10ms"];
    let (code, _, errors) = run(&[&silent[..], &["--expect", "reply.router"]].concat());
    assert_eq!(code, 1);
    assert!(
        errors.contains("expectation failed: reply.router"),
        "{errors}"
    );
    assert!(errors.contains("no reply"), "{errors}");
}

#[test]
fn a_run_that_failed_is_no_success_unless_that_was_expected() {
    let nak = ["dora", "-i", "lab:nak"];
    let no_ack = ["dora", "-i", "lab:drop=ack", "--timeout", "2s"];
    let taken = ["dora", "-i", "lab:taken", "--probe", "--restarts", "0"];
    let silent = ["discover", "-i", "lab:silent", "--timeout", "1s"];
    // Nobody heard it.
    let lost = ["discover", "--impair", "loss=100%", "--timeout", "1s"];
    let renewal = ["renew", "--lease", "samples/lab.pcapng", "-i", "lab:nak"];
    let cases: &[(&[&str], &str, i32)] = &[
        // The answer of a refusal is the NAK, which gives nothing.
        (&nak, "reply.lease_time >= 3600", 1),
        (&nak, "reply.server_id == \"192.0.2.1\"", 4),
        (&nak, "len(replies) == 2", 4),
        (&nak, "exchange.ending == \"refused\"", 0),
        (&nak, "exchange.code == 4", 0),
        (&nak, "reply[DHCP].options[0] == (\"message-type\", 6)", 0),
        (&renewal, "reply.server_id == \"192.0.2.1\"", 4),
        // An offer is no answer to the REQUEST.
        (&no_ack, "reply.lease_time >= 3600", 1),
        (&no_ack, "len(replies) >= 1", 3),
        (&no_ack, "not reply", 0),
        (&taken, "reply.lease_time >= 3600", 1),
        (&taken, "exchange.ending == \"declined\"", 0),
        (&silent, "not replies", 0),
        (&silent, "len(replies) == 0", 0),
        (&silent, "sent.xid > 0", 3),
        (&lost, "not replies", 3),
        (&silent, "all([it.xid == 1 for it in replies])", 3),
    ];
    for (args, expression, code) in cases {
        let (found, _, errors) = run(&[args, &["--expect", expression][..]].concat());
        assert_eq!(found, *code, "{args:?} {expression}: {errors}");
    }
}

#[test]
fn what_a_reply_lacks_fails_an_expectation_and_is_no_wrong_command_line() {
    for (expression, value) in [
        ("reply.router[0] == \"192.0.2.1\"", "reply.router is None"),
        ("\"192.0.2.1\" in reply.router", "reply.router is None"),
        ("len(reply.router) == 1", "reply.router is None"),
        ("reply.mtu > 1000", "reply.mtu is None"),
        ("replies[3].xid == 1", "len(replies) is 1"),
        ("[it.mtu > 1 for it in replies] == [True]", "NoneType"),
    ] {
        let args = ["discover", "--request-list", "1", "--expect", expression];
        let (code, _, errors) = run(&args);
        assert_eq!(code, 1, "{expression}: {errors}");
        assert!(errors.contains(value), "{expression}: {errors}");
    }
    let (code, out, _) = run(&[
        "show",
        "samples/lab.pcapng",
        "--where",
        "pkt.lease_time > 60",
    ]);
    assert_eq!(code, 0);
    assert!(out.contains("ACK") && !out.contains("DISCOVER"), "{out}");
}

#[test]
fn many_clients_are_judged_by_their_rows() {
    let with = |expression| run(&["dora", "--clients", "3", "--expect", expression]);
    let all = "all([it[\"state\"] == \"bound\" for it in clients])";
    assert_eq!(with(all).0, 0);
    let (code, _, errors) = with("len(clients) == 4");
    assert_eq!(code, 1);
    assert!(errors.contains("len(clients) is 3"), "{errors}");
    let refused = [
        "dora",
        "--clients",
        "3",
        "-i",
        "lab:nak",
        "--expect",
        "len(clients) == 3",
    ];
    assert_eq!(run(&refused).0, 4);
}

#[test]
fn assertions_of_a_handshake_are_about_what_ended_it() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("judge-handshakes.star");
    let calls = [
        ("assert_ack(dora(timeout = 2))", "an ACK"),
        ("expect_ack(dora(timeout = 2))", "an ACK"),
        (
            "expect_reply(dora(timeout = 2), lease_time = 3600)",
            "lease_time",
        ),
        (
            "assert_fields(dora(timeout = 2).reply, lease_time = 3600)",
            "lease_time",
        ),
        ("within(50, dora(timeout = 2))", "refused"),
    ];
    let tests = calls.iter().enumerate();
    let tests: String = tests
        .map(|(at, it)| format!("def test_{at}():\n    {}\n", it.0))
        .collect();
    std::fs::write(&file, tests).unwrap();
    let file = file.to_str().unwrap();
    assert_eq!(run(&["test", file]).0, 0);
    for (cast, said) in [("lab:nak", None), ("lab:drop=ack", Some("no reply"))] {
        let (code, out, _) = run(&["test", file, "-i", cast, "--json"]);
        assert_eq!(code, 1);
        for (at, (call, reason)) in calls.iter().enumerate() {
            let row = out
                .lines()
                .find(|it| it.contains(&format!("\"test_{at}\"")));
            let row = row.unwrap_or_else(|| panic!("{call} in {out}"));
            assert!(row.contains("\"failed\""), "{cast} {call}: {row}");
            assert!(row.contains(said.unwrap_or(reason)), "{cast} {call}: {row}");
        }
    }
}

#[test]
fn what_is_no_expression_is_a_usage_error_before_anything_is_sent() {
    for (flag, source) in [
        ("--expect", "reply ="),
        ("--expect", "((("),
        ("--where", "pkt .."),
    ] {
        let (code, out, errors) = run(&["discover", flag, source]);
        assert_eq!(code, 2, "{source}");
        assert_eq!(out, "");
        assert!(errors.contains(flag), "{errors}");
    }
}

#[test]
fn a_name_that_nothing_has_is_a_usage_error() {
    let (code, _, errors) = run(&["discover", "--expect", "reply.nonsense == 1"]);
    assert_eq!(code, 2);
    assert!(errors.contains("no attribute `nonsense`"), "{errors}");
    let (code, out, errors) = run(&["discover", "--where", "pkt.nonsense == 1"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(errors.contains("no attribute `nonsense`"), "{errors}");
    // That nothing was taken is no finding then.
    assert!(!errors.contains("no reply"), "{errors}");
}

#[test]
fn a_condition_chooses_among_replies() {
    let two = ["discover", "-i", "lab:two-servers", "--wait", "--json"];
    let (code, out, _) = run(&[&two[..], &["--where", "pkt.server_id == \"192.0.2.66\""]].concat());
    assert_eq!(code, 0);
    assert!(out.contains("192.0.2.66"), "{out}");
    let (code, _, errors) = run(&[
        "discover",
        "--where",
        "pkt.server_id == \"192.0.2.9\"",
        "--timeout",
        "10ms",
    ]);
    assert_eq!(code, 3, "{errors}");
    assert!(errors.contains("--where does not hold"), "{errors}");
}

#[test]
fn conditions_and_expectations_go_over_captures() {
    let path = capture("over");
    let path = path.to_str().unwrap();
    let lines = |args: &[&str]| {
        let (code, out, errors) = run(&[&["show", path, "--json"], args].concat());
        assert_eq!(code, 0, "{args:?}: {errors}");
        out.lines().count()
    };
    assert_eq!(lines(&[]), 6);
    // Frames that have no such option or layer are not meant, and no error.
    assert_eq!(lines(&["--where", "pkt.server_id == \"192.0.2.1\""]), 3);
    assert_eq!(lines(&["--where", "pkt[BOOTP].op == 2"]), 2);
    assert_eq!(lines(&["--where", "ARP in pkt"]), 1);
    assert_eq!(lines(&["--expect", "len(replies) == 6"]), 6);
    let (code, _, errors) = run(&["show", path, "--expect", "len(replies) == 5"]);
    assert_eq!(code, 1);
    assert!(errors.contains("len(replies) is 6"), "{errors}");
    let to = Path::new(env!("CARGO_TARGET_TMPDIR")).join("judge-to.pcap");
    let to = to.to_str().unwrap();
    let (code, _, errors) = run(&["convert", path, to, "--where", "ARP in pkt"]);
    assert_eq!(code, 0, "{errors}");
    let (code, _, errors) = run(&["show", to, "--expect", "len(replies) == 1 and ARP in reply"]);
    assert_eq!(code, 0, "{errors}");
    let (code, _, errors) = run(&["convert", path, to, "--where", "pkt.nonsense"]);
    assert_eq!(code, 2, "{errors}");
}

#[test]
fn machine_output_stays_clean() {
    for (args, code) in [
        (
            &["discover", "--json", "--expect", "reply.router == []"][..],
            1,
        ),
        (&["dora", "--json", "--expect", "reply"], 0),
    ] {
        let (got, out, _) = run(args);
        assert_eq!(got, code);
        assert!(out.lines().count() >= 2);
        for line in out.lines() {
            let row: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(row.is_object(), "{line}");
        }
    }
}

#[test]
fn frames_as_source_are_the_same_bytes_again() {
    let path = capture("source");
    let path = path.to_str().unwrap();
    let (code, script, errors) = run(&["show", path, "--format", "script"]);
    assert_eq!(code, 0, "{errors}");
    assert_eq!(script.lines().count(), 6, "{script}");
    let frames = script.lines().map(|it| format!("print(hex(raw({it})))\n"));
    let (code, again, errors) = run(&["run", "-c", &frames.collect::<String>()]);
    assert_eq!(code, 0, "{errors}");
    let source = format!("[print(hex(raw(it))) for it in rdpcap({path:?})] and None");
    let (code, first, errors) = run(&["run", "-c", &source]);
    assert_eq!(code, 0, "{errors}");
    assert_eq!(first, again);
}

#[test]
fn functions_are_judged_as_commands_are() {
    let (code, _, errors) = run(&["run", "-c", "discover(expect=\"reply.router == []\")"]);
    assert_eq!(code, 1);
    assert!(
        errors.contains("expectation failed: reply.router == []"),
        "{errors}"
    );
    let (code, _, errors) = run(&["run", "-c", "discover(where=\"pkt.nonsense\")"]);
    assert_eq!(code, 2, "{errors}");
    // The condition ends with its call.
    let source = "discover(where=\"False\", timeout=\"1ms\")\nassert_true(discover())";
    let (code, _, errors) = run(&["run", "-c", source]);
    assert_eq!(code, 0, "{errors}");
    let (code, _, errors) = run(&["run", "-c", "fail(\"said\", 1)"]);
    assert_eq!(code, 1);
    assert!(errors.contains("said 1"), "{errors}");
}

/// A message to one server asks for its Ethernet address first; who answers that has not answered the message.
#[test]
fn an_answer_to_arp_is_no_reply() {
    let (code, _, errors) = run(&["release", "--expect", "reply", "--timeout", "1s"]);
    assert_eq!(code, 1, "{errors}");
    assert!(errors.contains("reply is None"), "{errors}");
    let (code, out, errors) = run(&["release", "--json", "--expect", "not replies"]);
    assert_eq!(code, 0, "{errors}");
    assert!(out.contains("ARP 192.0.2.1 is at"), "{out}");
    // Scapy's functions and assertions send what begins with IP in the same way.
    let script = "\
x = release().sent[-1][IP]
answered, unanswered = sr(x, timeout=1)
print(len(answered), len(unanswered))
expect_silence(x, timeout=1)
";
    let (code, out, errors) = run(&["run", "-c", script]);
    assert_eq!((code, out.as_str()), (0, "0 1\n"), "{errors}");
}
