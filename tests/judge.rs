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
