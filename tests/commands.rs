//! The commands as a user runs them in the lab: exit codes, bad input, messages that follow a captured frame, looking
//! things up, and chance that repeats.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value as Json;

const TOOL: &str = env!("CARGO_BIN_EXE_dhcpcraft");

/// A file of the test's own.
fn file(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("commands-{name}"));
    let _ = fs::remove_file(&path);
    path
}

fn tool(args: &[&str]) -> Output {
    let mut command = Command::new(TOOL);
    command.args(args).stdin(Stdio::null());
    command.output().expect("the tool starts")
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// Runs it, asserts the exit code, and that with `--json` nothing but JSON lines is on standard output.
#[track_caller]
fn ends(code: i32, args: &[&str]) -> (String, String) {
    let output = tool(args);
    let (printed, said) = (out(&output), err(&output));
    assert_eq!(
        output.status.code(),
        Some(code),
        "{args:?}: {printed}{said}"
    );
    if args.contains(&"--json") {
        for line in printed.lines() {
            serde_json::from_str::<Json>(line).unwrap_or_else(|it| panic!("{it}: {line}"));
        }
    }
    (printed, said)
}

/// The one frame that a command builds without sending it.
#[track_caller]
fn built(args: &[&str]) -> Json {
    let (printed, _) = ends(0, &[args, &["--dry-run", "--json"]].concat());
    assert_eq!(printed.lines().count(), 1, "{args:?}");
    serde_json::from_str(&printed).expect("JSON")
}

/// A field of a layer of a frame.
#[track_caller]
fn field(frame: &Json, layer: &str, name: &str) -> String {
    let layers = frame["layers"].as_array().expect("layers");
    let found = layers.iter().find(|it| it["layer"] == layer);
    let value = &found.unwrap_or_else(|| panic!("no {layer} in {frame}"))[name];
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_string)
}

/// The value of an option in words, empty where there is none.
fn option(frame: &Json, code: u64) -> String {
    let options = frame["options"].as_array().expect("options");
    let found = options.iter().find(|it| it["code"] == code);
    found.map_or_else(String::new, |it| {
        it["text"].as_str().unwrap_or_default().to_string()
    })
}

/// `hex:…` of a frame that a command builds, for `--from`.
#[track_caller]
fn frame_of(args: &[&str]) -> String {
    let frame = built(args);
    format!("hex:{}", frame["hex"].as_str().expect("hex"))
}

#[test]
fn every_exit_code() {
    ends(0, &["dora", "--json"]);
    let (_, said) = ends(
        1,
        &[
            "dora",
            "-i",
            "lab:taken",
            "--probe",
            "--restarts",
            "0",
            "--json",
        ],
    );
    assert!(said.contains("declined: "), "{said}");
    let expected = [
        "discover",
        "--json",
        "--expect",
        r#"reply.router == ["10.0.0.1"]"#,
    ];
    let (_, said) = ends(1, &expected);
    assert!(said.contains(r#"reply.router is ["192.0.2.1"]"#), "{said}");
    ends(2, &["discover", "--json", "--fromat", "hex"]);
    let (_, said) = ends(3, &["discover", "-i", "lab:silent", "--json"]);
    assert!(said.contains("no reply: sent once, waited 5.0 s"), "{said}");
    for command in ["dora", "request"] {
        let (_, said) = ends(4, &[command, "-i", "lab:nak", "--json"]);
        assert!(
            said.contains("refused: NAK  from 192.0.2.1"),
            "{command}: {said}"
        );
    }
    ends(5, &["discover", "-i", "nowhere0", "--json"]);
    ends(6, &["show", "/nowhere.pcap", "--json"]);
}

/// Ctrl-C ends a command that waits, and closes what it writes.
#[test]
fn interrupted() {
    let copy = file("interrupted.pcapng");
    let copy = copy.to_str().expect("UTF-8");
    let all: [&[&str]; 3] = [
        &["show", "-", "--json"],
        &["convert", "-", copy],
        &["craft", "--from", "-", "--dry-run"],
    ];
    for args in all {
        let mut child = Command::new(TOOL)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the tool starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        let text = if args[0] == "craft" {
            ""
        } else {
            "0102030405060708\n0908\n"
        };
        std::io::Write::write_all(&mut stdin, text.as_bytes()).expect("written");
        sleep(Duration::from_millis(700));
        let began = Instant::now();
        let kill = format!("kill -INT {}", child.id());
        Command::new("sh").args(["-c", &kill]).status().expect("sh");
        let output = child.wait_with_output().expect("it ends");
        assert!(began.elapsed() < Duration::from_secs(5), "{args:?}");
        assert_eq!(
            output.status.code(),
            Some(130),
            "{args:?}: {}",
            err(&output)
        );
        drop(stdin);
    }
    let (printed, _) = ends(0, &["convert", "--quiet", copy, "-"]);
    assert_eq!(printed, "0102030405060708\n0908\n");
}

/// What is refused is refused with the reason and what would do, and prints nothing else.
#[test]
fn bad_input() {
    let long = format!("hostname={}", "a".repeat(70_000));
    let refused: [(i32, &[&str], &str); 20] = [
        (
            2,
            &["discover", "-o", "ruoter=1.2.3.4"],
            "did you mean router?",
        ),
        (
            2,
            &["discover", "-o", "router=banana"],
            "for example router=10.0.0.1",
        ),
        (2, &["discover", "-o", "lease-time=soon"], "lease-time"),
        (2, &["discover", "-o", "224:ipp=1.2.3.4"], "ip"),
        (2, &["discover", "-o", &long], "IP takes 65535"),
        (2, &["discover", "--chaddr", "zz:zz"], "02:00:5e:10:00:01"),
        (2, &["discover", "--giaddr", "1.2.3"], "192.0.2.1"),
        (2, &["discover", "--giadr", "1.2.3.4"], "--giaddr"),
        (2, &["discover", "--secs", "70000"], "from 0 to 65535"),
        (2, &["discover", "--format", "jsno"], "'json'"),
        (
            2,
            &["discover", "--print", "ruoter"],
            "did you mean router?",
        ),
        (2, &["discover", "--vlan", "5000"], "0-4095"),
        (
            2,
            &["discover", "--expect", "reply.router == ("],
            "--expect",
        ),
        (
            2,
            &["craft", "--type", "disocver"],
            "did you mean discover?",
        ),
        (2, &["dsicover"], "discover"),
        (2, &["renew"], "--lease FILE"),
        (5, &["discover", "-i", "lob"], "did you mean `lo"),
        (2, &["discover", "-i", "lab:nka"], "lab:nak"),
        (6, &["discover", "-w", "capture.gif"], ".pcapng"),
        (
            6,
            &["craft", "--from", "hex:0102#7", "--dry-run"],
            "it holds 1",
        ),
    ];
    for (code, args, reason) in refused {
        let (printed, said) = ends(code, args);
        assert!(said.contains(reason), "{args:?}: {said}");
        assert_eq!(printed, "", "{args:?}");
        let told = said
            .lines()
            .filter(|it| it.starts_with("dhcpcraft: ") || it.starts_with("error: "));
        assert_eq!(told.count(), 1, "{args:?}: {said}");
    }
    // A length that was set is sent as it is, with whatever follows.
    ends(0, &["discover", "-o", &long, "--ip-len", "9", "--dry-run"]);
}

#[test]
fn without_the_right_to_open_a_socket() {
    let output = Command::new("unshare")
        .args(["--user", TOOL, "discover", "-i", "lo", "--json"])
        .output()
        .expect("unshare (apt install util-linux)");
    assert_eq!(output.status.code(), Some(5), "{}", err(&output));
    assert!(
        err(&output).contains("setcap cap_net_raw"),
        "{}",
        err(&output)
    );
    assert_eq!(
        (out(&output).as_str(), err(&output).lines().count()),
        ("", 1)
    );
    // Looking and building need no right.
    let output = Command::new("unshare")
        .args([
            "--user",
            TOOL,
            "discover",
            "-i",
            "lo",
            "--dry-run",
            "--json",
        ])
        .output()
        .expect("unshare");
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
}

/// Where a server's answers go (RFC 2131 section 4.1).
#[test]
fn delivery_of_answers() {
    let mac = "02:00:5e:10:00:01";
    let yours = ["--yiaddr", "192.0.2.7", "--server-id", "192.0.2.1"];
    let answer = |kind: &str, question: &[&str]| {
        let from = frame_of(question);
        let mut args = vec![kind, "--from", &from];
        args.extend(if kind == "nak" {
            &yours[2..]
        } else {
            &yours[..]
        });
        let frame = built(&args);
        let asked = built(question);
        assert_eq!(
            field(&frame, "BOOTP", "chaddr"),
            field(&asked, "BOOTP", "chaddr")
        );
        assert_eq!(option(&frame, 61), option(&asked, 61), "RFC 6842");
        [
            ("IP", "dst"),
            ("UDP", "dport"),
            ("Ether", "dst"),
            ("BOOTP", "flags"),
        ]
        .map(|(layer, name)| field(&frame, layer, name))
    };
    let request = [
        "request",
        "--requested-ip",
        "192.0.2.7",
        "--server-id",
        "192.0.2.1",
    ];
    let asking = |more: &[&'static str]| [&request[..], more].concat();
    let everyone = "ff:ff:ff:ff:ff:ff";
    for kind in ["offer", "ack"] {
        let first = if kind == "offer" {
            vec!["discover"]
        } else {
            asking(&[])
        };
        let with = |more: &[&'static str]| [&first[..], more].concat();
        assert_eq!(answer(kind, &with(&[])), ["192.0.2.7", "68", mac, "0"]);
        let flagged = answer(kind, &with(&["--broadcast"]));
        assert_eq!(flagged, ["255.255.255.255", "68", everyone, "32768"]);
        let relayed = answer(
            kind,
            &with(&["--giaddr", "198.51.100.1", "--src-mac", "02:00:00:00:00:99"]),
        );
        assert_eq!(relayed[..3], ["198.51.100.1", "67", "02:00:00:00:00:99"]);
    }
    // A client that renews is answered where it is, whatever the flag says.
    let renewing = ["request", "--ciaddr", "192.0.2.7", "--broadcast"];
    assert_eq!(answer("ack", &renewing)[..3], ["192.0.2.7", "68", mac]);
    assert_eq!(
        answer("nak", &asking(&[])),
        ["255.255.255.255", "68", everyone, "0"]
    );
    assert_eq!(
        answer("nak", &renewing)[..3],
        ["255.255.255.255", "68", everyone]
    );
    let relayed = answer("nak", &asking(&["--giaddr", "198.51.100.1"]));
    assert_eq!(
        (relayed[0].as_str(), relayed[3].as_str()),
        ("198.51.100.1", "32768")
    );
}

/// What a client sends next, after RFC 2131 tables 4 and 5.
#[test]
fn what_follows_an_offer_and_an_ack() {
    let capture = file("lease.pcapng");
    let from = capture.to_str().expect("UTF-8");
    ends(0, &["dora", "--quiet", "--seed", "3", "-w", from]);
    let (printed, _) = ends(0, &["show", "--json", from]);
    let lease: Vec<Json> = printed
        .lines()
        .map(|it| serde_json::from_str(it).expect("JSON"))
        .collect();
    let (zero, held, server) = ("0.0.0.0", "192.0.2.100", "192.0.2.1");
    let everyone = "255.255.255.255";
    // Command, ciaddr, option 50, option 54, source and destination.
    for (command, ciaddr, asked, named, src, dst) in [
        ("request", zero, held, server, zero, everyone),
        ("decline", zero, held, server, zero, everyone),
        ("release", held, "", server, held, server),
        ("inform", held, "", "", held, everyone),
        ("renew", held, "", "", held, server),
    ] {
        let frame = built(&[command, "--from", from]);
        assert_eq!(field(&frame, "BOOTP", "ciaddr"), ciaddr, "{command}");
        assert_eq!(field(&frame, "BOOTP", "yiaddr"), zero, "{command}");
        // `request` finds the REQUEST of the capture and repeats it; all else is made.
        assert_eq!(
            (option(&frame, 50), option(&frame, 54)),
            (asked.into(), named.into()),
            "{command}"
        );
        assert_eq!(
            (field(&frame, "IP", "src"), field(&frame, "IP", "dst")),
            (src.into(), dst.into()),
            "{command}"
        );
        assert_eq!(option(&frame, 61), option(&lease[0], 61), "{command}");
    }
    let followed = built(&["request", "--from", &format!("{from}#2")]);
    assert_eq!(option(&followed, 50), held);
    assert_eq!(
        field(&followed, "BOOTP", "xid"),
        field(&lease[1], "BOOTP", "xid")
    );
    let (_, said) = ends(2, &["nak", "--from", &format!("{from}#2"), "--dry-run"]);
    assert!(said.contains("this frame is OFFER"), "{said}");
}

#[test]
fn one_offer_of_several() {
    let capture = file("offers.pcapng");
    let from = capture.to_str().expect("UTF-8");
    ends(
        0,
        &[
            "discover",
            "-i",
            "lab:two-servers",
            "--wait",
            "--quiet",
            "-w",
            from,
        ],
    );
    for (which, address, server) in [
        ("server=192.0.2.66", "192.0.2.200", "192.0.2.66"),
        ("server=192.0.2.1", "192.0.2.100", "192.0.2.1"),
        ("lowest", "192.0.2.100", "192.0.2.1"),
    ] {
        let frame = built(&["request", "--from", from, "--choose", which]);
        assert_eq!(
            (option(&frame, 50), option(&frame, 54)),
            (address.into(), server.into()),
            "{which}"
        );
    }
    let (_, said) = ends(
        2,
        &[
            "request",
            "--from",
            from,
            "--choose",
            "server=192.0.2.9",
            "--dry-run",
        ],
    );
    assert!(said.contains("192.0.2.200 from 192.0.2.66"), "{said}");
}

/// An edit of a captured frame changes what it names, and what is computed from that.
#[test]
fn edits_keep_all_other_bytes() {
    // A zero UDP checksum, bytes after END, an unknown option, flags that must be zero.
    let odd = [
        "discover",
        "--udp-chksum",
        "0",
        "-o",
        "224=hex:010203",
        "--flags",
        "0x1234",
        "--seed",
        "5",
    ];
    let base = built(&odd);
    let base = format!("{}beef", base["hex"].as_str().expect("hex"));
    let from = format!("hex:{base}");
    let bytes = |hex: &str| hex::decode(hex).expect("hex");
    let same = built(&["craft", "--from", &from]);
    assert_eq!(same["hex"], base.as_str());
    let edited = built(&["craft", "--from", &from, "--secs", "7"]);
    let edited = bytes(edited["hex"].as_str().expect("hex"));
    let differing: Vec<usize> = bytes(&base)
        .iter()
        .zip(&edited)
        .enumerate()
        .filter_map(|(at, (before, after))| (before != after).then_some(at))
        .collect();
    assert_eq!(
        (differing, edited.len()),
        (vec![51], base.len() / 2),
        "secs are bytes 50 and 51"
    );
}

#[test]
fn looking_things_up() {
    for (topic, said) in [
        ("82", "RFC 3046"),
        ("giaddr", "byte 24 of BOOTP"),
        ("option overload", "RFC 2132 section 9.3"),
        ("discover", "broadcast to find servers"),
        ("DHCPNAK", "refusal of a REQUEST"),
    ] {
        assert!(ends(0, &["explain", topic]).0.contains(said), "{topic}");
        ends(0, &["explain", topic, "--json"]);
    }
    let (printed, said) = ends(1, &["explain", "ruoter", "--json"]);
    assert_eq!(printed, "");
    assert!(said.contains("did you mean router"), "{said}");
    assert!(ends(0, &["options", "--json"]).0.lines().count() > 100);
    assert!(ends(0, &["options", "router"]).0.contains("3  "));
    let (links, _) = ends(0, &["interfaces", "--json"]);
    assert!(
        links.contains(r#""name":"lo""#) && links.contains(r#""name":"lab:lossy""#),
        "{links}"
    );
}

#[test]
fn a_seed_repeats_the_run() {
    for link in ["lab", "lab:lossy", "lab:two-servers"] {
        let run = |seed| out(&tool(&["dora", "-i", link, "--seed", seed, "--json"]));
        let first = run("11");
        assert!(!first.is_empty());
        assert_eq!(first, run("11"), "{link}");
        assert_ne!(first, run("12"), "{link}");
    }
}

/// clap makes a new line of `{n}` in a help text, which is a placeholder of --relay.
#[test]
fn help_has_every_word_of_its_text() {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut placeholders = 0;
    for definition in dhcpcraft::commands::Command::definitions() {
        let name = definition.get_name();
        let mut command = definition.clone();
        let (short, long) = (command.render_help(), command.render_long_help());
        let (short, long) = (words(&short.to_string()), words(&long.to_string()));
        for argument in definition.get_arguments().filter(|it| !it.is_hide_set()) {
            for (shown, text) in [
                (&short, argument.get_help()),
                (&long, argument.get_long_help().or(argument.get_help())),
            ] {
                let text = text.map_or(String::new(), |it| words(&it.to_string()));
                assert!(shown.contains(&text), "{name}: {text:?} is not in {shown}");
                placeholders += text.matches("{n}").count();
            }
        }
    }
    assert!(placeholders > 0, "--relay tells of {{n}}");
}
