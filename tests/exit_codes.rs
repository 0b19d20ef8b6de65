//! Every exit code means one thing, whichever command ends with it; and what `--json` puts on standard output is
//! JSON lines or nothing, however the command ends.

#[path = "support/tool.rs"]
#[allow(dead_code)]
mod tool;

use std::io::Read;
use std::process::Stdio;
use std::time::Duration;

use tool::{Run, command, feed, scratch, text, tool};

/// Runs it with `--json` too, where it knows that.
#[track_caller]
fn ends(code: i32, args: &[&str]) -> Run {
    let run = tool(args);
    assert_eq!(run.code, Some(code), "{args:?}: {run:?}");
    assert!(!run.err.contains("panicked"), "{run:?}");
    if !matches!(args.first(), Some(&("run" | "convert" | "repl"))) {
        // Each line is an object, or the call panics.
        let json = tool(&[args, &["--json"]].concat());
        assert_eq!(json.code, Some(code), "{args:?} --json: {json:?}");
        json.json();
    }
    run
}

const EXCHANGES: &[&str] = &[
    "discover", "request", "inform", "dora", "renew", "rebind", "reboot",
];
const MESSAGES: &[&str] = &["offer", "ack", "nak", "decline", "release", "craft"];

/// What a message command needs beside its name.
fn complete(name: &str) -> Vec<&str> {
    match name {
        "offer" | "ack" => vec![name, "--yiaddr", "192.0.2.7"],
        "craft" => vec![name, "--type", "leasequery"],
        "renew" | "rebind" | "reboot" => vec![name, "--lease", "samples/lab.pcapng"],
        _ => vec![name],
    }
}

#[test]
fn done_is_0() {
    for name in EXCHANGES {
        // The lab has no binding for a lease of a file, and is silent or refuses.
        if !name.starts_with("re") || *name == "request" {
            ends(0, &complete(name));
        }
    }
    for name in MESSAGES {
        ends(0, &[&complete(name)[..], &["--dry-run"]].concat());
    }
    ends(0, &["show", "samples/lab.pcapng"]);
    ends(0, &["sniff", "-i", "samples/lab.pcapng"]);
    ends(0, &["lint", "samples/lab.pcapng"]);
    ends(0, &["lint", "--rules"]);
    ends(0, &["servers"]);
    ends(0, &["conform", "--list"]);
    ends(0, &["diff", "samples/lab.pcapng#1", "samples/lab.pcapng#1"]);
    ends(0, &["options", "router"]);
    ends(0, &["explain", "router"]);
    ends(0, &["interfaces"]);
    ends(0, &["test", "samples/tests/lease.star"]);
    ends(0, &["serve", "--fault", "help"]);
    ends(0, &["run", "-c", "1"]);
    let out = scratch("exit-0").join("out.pcap");
    ends(0, &["convert", "samples/lab.pcapng", text(&out)]);
}

#[test]
fn an_expectation_that_fails_is_1() {
    for name in ["discover", "request", "inform", "dora"] {
        ends(1, &[name, "--expect", "reply.lease_time == 7"]);
    }
    ends(
        1,
        &[
            "show",
            "samples/lab.pcapng",
            "--expect",
            "len(replies) == 99",
        ],
    );
    ends(1, &["show", "samples/lab.pcapng#1", "--print", "router"]);
    ends(1, &["diff", "samples/lab.pcapng#1", "samples/lab.pcapng#2"]);
    ends(1, &["lint", "samples/malformed-cookie.pcapng"]);
    ends(1, &["conform", "-i", "lab:wrong-xid"]);
    ends(1, &["servers", "--allow", "192.0.2.9"]);
    ends(1, &["explain", "nonsense-without-a-meaning"]);
    ends(
        1,
        &["dora", "-i", "lab:taken", "--probe", "--restarts", "0"],
    );
    ends(1, &["run", "-c", "fail(\"no\")"]);
    let file = scratch("exit-1").join("fails.star");
    std::fs::write(&file, "def test_no():\n    fail(\"no\")\n").expect("a file");
    ends(1, &["test", text(&file)]);
}

#[test]
fn a_wrong_command_line_is_2() {
    for name in EXCHANGES.iter().chain(MESSAGES) {
        ends(2, &[name, "--xid", "nonsense"]);
        ends(2, &[name, "-o", "no-such-option=1"]);
        ends(2, &[&complete(name)[..], &["--expect", "reply ="]].concat());
    }
    ends(2, &["discover", "-i", "lab:nobody"]);
    ends(2, &["serve", "-i", "lab"]);
    ends(2, &["serve", "--fault", "nonsense"]);
    ends(2, &["show", "samples/lab.pcapng", "--where", "pkt ="]);
    ends(2, &["lint", "--only", "no-such-rule"]);
    ends(2, &["conform", "--only", "S-NONE-01"]);
    ends(2, &["servers", "--watch"]);
    ends(2, &["run", "-c", "("]);
    ends(2, &["test", text(&scratch("exit-2"))]);
    assert_eq!(tool(&["nonsense"]).code, Some(2));
}

#[test]
fn a_name_that_no_packet_has_is_2_before_anything_is_waited_for() {
    // Nothing comes, and nothing is sent.
    let wire = ["sniff", "-i", "lab:silent", "--timeout", "1s"];
    for (args, said) in [
        (&["--where", "pkt.bogus == 1"][..], "no attribute `bogus`"),
        (&["--where", "True or pkt.roter"], "did you mean `router`"),
        (&["--expect", "reply.yiadr == 1"], "did you mean `yiaddr`"),
        (
            &["--expect", "False and sent.bogus"],
            "no attribute `bogus`",
        ),
    ] {
        let run = tool(&[&wire[..], args].concat());
        run.failed(2, &[said]);
        assert_eq!(run.out, "");
    }
    for expression in [
        "pkt.router and pkt.psrc == '192.0.2.1' or pkt.yiaddr",
        "pkt.summary() == 'x' or pkt.time > 1 or pkt.comment",
        "any([pkt.bogus for pkt in []])",
        "'pkt.bogus' == pkt[DHCP].host_name",
    ] {
        ends(0, &[&wire[..], &["--where", expression]].concat());
    }
}

#[test]
fn a_line_of_the_prompt_is_no_script() {
    let path = scratch("prompt-line").join("line.star");
    for (source, said) in [
        ("dora", ":1: `dora` alone runs nothing: write dora()"),
        ("x = 1\ndora  # go", ":2: `dora` alone runs nothing"),
        (
            "discover --hostname x",
            ":1: `discover --hostname x` is a line for the prompt: write discover(",
        ),
        ("discover -i lab", ":1: `discover -i lab` is a line"),
    ] {
        let piped = feed(&[], format!("{source}\n").as_bytes());
        std::fs::write(&path, format!("{source}\n")).expect("a file");
        for run in [
            piped,
            tool(&["run", text(&path)]),
            tool(&["run", "-c", source]),
        ] {
            run.failed(2, &[said, "`dhcpcraft repl` takes such lines"]);
            assert_eq!(run.out, "");
        }
    }
    for source in [
        "dora()",
        "x = \"\"\"\ndora\n\"\"\"",
        "x = [\ndora\n]",
        "dora = 2\ndora",
        "f = dora",
        "x = 3\nx - 1",
    ] {
        let run = feed(&[], format!("{source}\n").as_bytes());
        assert_eq!(run.code, Some(0), "{source}: {run:?}");
    }
    let run = feed(&["repl"], b"dora\n");
    assert!(run.out.contains("ACK"), "{run:?}");
}

#[test]
fn no_reply_is_3() {
    for name in EXCHANGES {
        let silent = ["-i", "lab:silent", "--timeout", "2s"];
        ends(3, &[&complete(name)[..], &silent].concat());
    }
    ends(3, &["servers", "-i", "lab:silent"]);
    ends(3, &["conform", "-i", "lab:silent"]);
}

#[test]
fn a_refusal_is_4() {
    ends(4, &["dora", "-i", "lab:nak"]);
    ends(4, &["request", "-i", "lab:nak"]);
    ends(4, &["reboot", "--requested-ip", "203.0.113.9"]);
}

#[test]
fn a_link_that_cannot_be_used_is_5() {
    for name in EXCHANGES.iter().chain(MESSAGES) {
        ends(5, &[&complete(name)[..], &["-i", "no-such-if0"]].concat());
    }
    for name in ["serve", "sniff", "servers", "conform"] {
        ends(5, &[name, "-i", "no-such-if0"]);
    }
}

#[test]
fn a_file_that_cannot_be_used_is_6() {
    for name in EXCHANGES.iter().chain(MESSAGES) {
        let capture = ["-w", "no-such-directory/out.pcapng"];
        ends(6, &[&complete(name)[..], &capture].concat());
        ends(6, &[&complete(name)[..], &["-i", "missing.pcap"]].concat());
    }
    ends(6, &["show", "missing.pcap"]);
    ends(6, &["sniff", "-i", "missing.pcap"]);
    ends(6, &["lint", "missing.pcap"]);
    ends(6, &["diff", "missing.pcap", "samples/lab.pcapng#1"]);
    ends(6, &["convert", "missing.pcap", "out.pcap"]);
    ends(6, &["servers", "-w", "no-such-directory/out.pcapng"]);
    ends(6, &["conform", "-w", "no-such-directory/out.pcapng"]);
    let report = ["--junit", "no-such-directory/out.xml", "--json"];
    let run = tool(&[&["conform"], &report[..]].concat());
    assert_eq!((run.code, run.out.as_str()), (Some(6), ""), "{run:?}");
    ends(6, &["dora", "-i", "lab:missing.star"]);
    ends(6, &["run", "missing.star"]);
    ends(6, &["test", "missing.star"]);
}

/// Whether a process has a handler for a signal.
fn minds(pid: u32, signal: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a process");
    let mask = status.lines().find_map(|it| it.strip_prefix("SigCgt:"));
    let caught = mask.and_then(|it| u64::from_str_radix(it.trim(), 16).ok());
    caught.expect("a mask of signals") >> (signal - 1) & 1 == 1
}

/// A process that waits for standard input, which says nothing, and minds SIGINT, SIGTERM and maybe SIGHUP.
fn waiting(command: &mut std::process::Command) -> std::process::Child {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    while !minds(child.id(), 2) || !minds(child.id(), 15) {
        assert_eq!(child.try_wait().expect("a child"), None);
        std::thread::sleep(Duration::from_millis(10));
    }
    child
}

fn kill(child: &std::process::Child, signal: &str) {
    let sent = std::process::Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status();
    assert!(sent.expect("kill").success());
}

#[test]
fn an_interrupt_is_130() {
    for (signal, number) in [("-INT", 2), ("-TERM", 15), ("-HUP", 1)] {
        let mut child = waiting(&mut command(&["show", "-", "--json"]));
        while !minds(child.id(), number) {
            assert_eq!(child.try_wait().expect("a child"), None);
            std::thread::sleep(Duration::from_millis(10));
        }
        // Waiting closes what the child still has: its input must not end before the signal comes.
        let input = child.stdin.take();
        kill(&child, signal);
        let status = child.wait().expect("an end");
        drop(input);
        assert_eq!(status.code(), Some(130), "{signal}");
        let mut out = String::new();
        child
            .stdout
            .take()
            .expect("a pipe")
            .read_to_string(&mut out)
            .expect("text");
        assert_eq!(out, "");
    }
}

#[test]
fn nohup_is_kept() {
    let line = format!("trap '' HUP; exec {} show - --json", tool::TOOL);
    let mut child = waiting(std::process::Command::new("sh").args(["-c", &line]));
    kill(&child, "-HUP");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(child.try_wait().expect("a child"), None);
    let _input = child.stdin.take();
    kill(&child, "-TERM");
    assert_eq!(child.wait().expect("an end").code(), Some(130));
}

#[test]
fn a_value_is_one_to_go_on_with() {
    // JSON too is an object a line.
    let json = tool(&["dora", "--json", "--print", "router"]);
    assert_eq!(json.out, "{\"router\":\"192.0.2.1\"}\n");
    for what in ["yiaddr", "lease-time"] {
        let run = ends(4, &["dora", "-i", "lab:nak", "--print", what]);
        assert_eq!(run.out, "", "{what}");
        assert!(run.err.contains("refused"), "{run:?}");
    }
    let run = ends(4, &["dora", "-i", "lab:nak", "--print", "message"]);
    assert_eq!(run.out, "requested address not available\n");
    let taken = ["dora", "-i", "lab:taken", "--probe", "--restarts", "0"];
    assert_eq!(
        ends(1, &[&taken[..], &["--print", "yiaddr"]].concat()).out,
        ""
    );
}

#[test]
fn every_reply_gives_its_value() {
    let both = [
        "discover",
        "-i",
        "lab:two-servers",
        "--wait",
        "--print",
        "yiaddr",
    ];
    assert_eq!(tool(&both).succeeded().out, "192.0.2.100\n192.0.2.200\n");
    let three = [
        "discover", "--count", "3", "--mac", "random", "--print", "yiaddr",
    ];
    assert_eq!(tool(&three).succeeded().out.lines().count(), 3);
}

#[test]
fn a_dry_run_is_recorded() {
    let file = scratch("dry-run").join("out.pcapng");
    tool(&["dora", "--dry-run", "-w", text(&file)]).succeeded();
    let shown = tool(&["show", text(&file), "--json"]).succeeded();
    assert_eq!(shown.json()[0]["message"]["type"], "DISCOVER");
}
