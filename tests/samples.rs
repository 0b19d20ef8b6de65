//! The captures in `samples/` are what they are said to be, and the program reads, copies and builds
//! them again without a change.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use dhcpcraft::link::capture::{CaptureReader, Packet};
use dhcpcraft::wire::Frame;
use support::tshark;

const TOOL: &str = env!("CARGO_BIN_EXE_dhcpcraft");

/// What tshark finds at fault.
const AMISS: &str = "_ws.malformed or _ws.expert.severity >= \"Warning\"";

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples")
}

/// The names of the captures in `samples/`.
fn names() -> Vec<String> {
    let entries = fs::read_dir(directory()).expect("samples/");
    let mut names: Vec<String> = entries
        .map(|it| {
            it.expect("an entry")
                .file_name()
                .into_string()
                .expect("UTF-8")
        })
        .filter(|name| name.ends_with(".pcap") || name.ends_with(".pcapng"))
        .collect();
    names.sort();
    assert!(names.len() >= 20, "only {names:?}");
    names
}

fn packets(file: &Path) -> Vec<Packet> {
    let mut reader = CaptureReader::open(file).expect("a capture");
    let mut packets = Vec::new();
    while let Some(packet) = reader.next_packet().expect("a whole packet") {
        packets.push(packet);
    }
    assert!(!packets.is_empty(), "{} is empty", file.display());
    packets
}

/// Runs the tool and gives what it prints.
#[track_caller]
fn succeed(args: &[&str]) -> String {
    let output = Command::new(TOOL)
        .args(args)
        .output()
        .expect("the tool starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "dhcpcraft {args:?}: {said}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// A file of that name in a directory that this test binary has for itself.
fn scratch(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("samples");
    fs::create_dir_all(&directory).expect("a directory");
    directory.join(name)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

#[test]
fn every_frame_is_encoded_as_it_was_read() {
    for name in names() {
        for (at, packet) in packets(&directory().join(&name)).iter().enumerate() {
            let frame = Frame::decode(&packet.bytes);
            assert_eq!(frame.encode(), packet.bytes, "{name}#{}", at + 1);
        }
    }
}

#[test]
fn copies_have_the_same_frames_and_times() {
    for name in names() {
        let file = directory().join(&name);
        let original = packets(&file);
        let copy = scratch(&format!("{name}-copy.pcapng"));
        succeed(&["convert", text(&file), text(&copy)]);
        let copied = packets(&copy);
        assert_eq!(copied.len(), original.len(), "{name}");
        for (copied, original) in copied.iter().zip(&original) {
            assert_eq!(copied.bytes, original.bytes, "{name}");
            assert_eq!(copied.at, original.at, "{name}");
            assert_eq!(copied.original_len, original.original_len, "{name}");
            assert_eq!(copied.comment, original.comment, "{name}");
        }

        let lines = succeed(&["convert", text(&file), "-"]);
        let frames: Vec<Vec<u8>> = lines
            .lines()
            .map(|line| hex::decode(line).expect("a hex stream per line"))
            .collect();
        let bytes: Vec<Vec<u8>> = original.iter().map(|it| it.bytes.clone()).collect();
        assert_eq!(frames, bytes, "{name}");
        // And from the text back into a capture.
        let hex = scratch(&format!("{name}.hex"));
        succeed(&["convert", text(&file), text(&hex)]);
        let back = scratch(&format!("{name}-back.pcapng"));
        succeed(&["convert", text(&hex), text(&back)]);
        let back: Vec<Vec<u8>> = packets(&back).into_iter().map(|it| it.bytes).collect();
        assert_eq!(back, bytes, "{name}");
    }
}

#[test]
fn a_capture_can_be_watched_like_a_link() {
    for name in names() {
        let file = directory().join(&name);
        let watched = succeed(&["sniff", "--all", "--json", "-i", text(&file)]);
        let shown = packets(&file)
            .iter()
            .filter(|it| Frame::decode(&it.bytes).bootp().is_some() || it.bytes[12..14] == [8, 6])
            .count();
        assert!(watched.lines().count() >= shown, "{name}: {watched}");
        let file = text(&file);
        let one = succeed(&["sniff", "--all", "--json", "--count", "1", "-i", file]);
        assert_eq!(one.lines().count(), 1, "{name}");
    }
}

#[test]
fn the_prompt_saves_to_a_whole_path() {
    use std::io::Write;
    let file = scratch("saved.star");
    let _ = fs::remove_file(&file);
    let mut child = Command::new(TOOL)
        .args(["repl", "--seed", "7"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("the tool starts");
    let lines = format!("discover\nsave {}\n", text(&file));
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(lines.as_bytes()).expect("it reads");
    drop(stdin);
    assert!(child.wait().expect("it ends").success());
    let saved = fs::read_to_string(&file).expect("it was saved");
    assert!(saved.contains("discover()"), "{saved}");
}

#[test]
fn a_ladder_shows_the_answer_to_a_probe_coming_back() {
    let file = directory().join("decline.pcapng");
    let ladder = succeed(&["show", "--format", "ladder", text(&file)]);
    let arp: Vec<&str> = ladder
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix('|'))
        .filter(|line| line.contains("ARP"))
        .map(|line| &line[..3])
        .collect();
    assert_eq!(arp, ["---", "<--"], "{ladder}");
}

#[test]
fn a_condition_about_messages_passes_over_arp() {
    let file = directory().join("relayed.pcapng");
    let relayed = r#"pkt.giaddr == "10.77.0.250""#;
    let shown = succeed(&["show", text(&file), "--json", "--where", relayed]);
    assert_eq!(shown.lines().count(), 2, "{shown}");
    // A name that no message has is still told.
    let output = Command::new(TOOL)
        .args(["show", text(&file), "--where", "pkt.gateway == 1"])
        .output()
        .expect("the tool starts");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("gateway"));
}

#[test]
fn a_quiet_copy_says_nothing() {
    let file = directory().join("lab.pcapng");
    for (flag, said) in [(None, "4 frames written to -\n"), (Some("--quiet"), "")] {
        let output = Command::new(TOOL)
            .args(["convert", text(&file), "-"])
            .args(flag)
            .output()
            .expect("the tool starts");
        assert_eq!(String::from_utf8_lossy(&output.stderr), said);
    }
}

#[test]
fn tshark_finds_fault_only_with_the_malformed() {
    for name in names() {
        let file = directory().join(&name);
        // Without a card that finishes them, the servers' UDP checksums stay unfinished; ours are right.
        let sums = "ip.checksum.status == 0 or \
                    (udp.checksum.status == 0 and eth.src == 02:00:5e:10:00:01)";
        let check = [
            "-o",
            "ip.check_checksum:TRUE",
            "-o",
            "udp.check_checksum:TRUE",
            "-Y",
            sums,
        ];
        let found = tshark(&file, &["-Y", AMISS]) + &tshark(&file, &check);
        if !name.starts_with("malformed-") {
            assert_eq!(found.trim(), "", "{name}");
        } else if name != "malformed-cookie.pcapng" {
            assert_ne!(found.trim(), "", "{name}");
        } else {
            // Another cookie is no fault but another kind of vendor area, and so no DHCP.
            let types = tshark(&file, &["-T", "fields", "-e", "dhcp.option.dhcp"]);
            assert_eq!(types.trim(), "", "{name}");
        }
    }
}

#[test]
fn tshark_sees_what_the_readme_says() {
    let seen = |name: &str, field: &str| -> Vec<String> {
        let file = directory().join(name);
        let lines = tshark(&file, &["-T", "fields", "-e", field]);
        lines.lines().map(str::to_string).collect()
    };
    let types = |name: &str| seen(name, "dhcp.option.dhcp");
    for kind in ["dnsmasq", "kea", "dhcpd", "udhcpd"] {
        assert_eq!(types(&format!("dora-{kind}.pcapng")), ["1", "2", "3", "5"]);
    }
    assert_eq!(types("lab.pcapng"), ["1", "2", "3", "5"]);
    assert_eq!(types("pxe.pcapng"), ["1", "2", "3", "5"]);
    assert_eq!(types("nak.pcapng"), ["3", "6"]);
    assert_eq!(types("release.pcapng"), ["7"]);
    assert_eq!(types("decline.pcapng"), ["1", "2", "3", "5", "", "", "4"]);
    assert_eq!(seen("decline.pcapng", "arp.opcode")[4..6], ["1", "2"]);
    assert_eq!(types("inform.pcapng"), ["8", "", "", "5"]);

    let mut servers = seen("several-servers.pcapng", "dhcp.option.dhcp_server_id");
    servers.sort();
    let expected = ["", "10.77.0.1", "10.77.0.2", "10.77.0.3", "10.77.0.4"];
    assert_eq!(servers, expected);

    let relays = seen("relayed.pcapng", "dhcp.ip.relay");
    assert_eq!(relays.last().map(String::as_str), Some("10.77.0.250"));
    assert_eq!(
        seen("relayed.pcapng", "udp.dstport")
            .last()
            .map(String::as_str),
        Some("67")
    );
    assert_eq!(seen("vlan.pcapng", "vlan.id"), ["100"]);
    assert_eq!(seen("qinq.pcapng", "vlan.id"), ["200,100"]);
    assert_eq!(
        seen("overload.pcapng", "dhcp.option.option_overload"),
        ["3"]
    );
    // Nothing but END, whose code tshark gives as 0.
    assert_eq!(seen("bootp.pcap", "dhcp.option.type"), ["0"]);
    let codes = seen("long-option.pcapng", "dhcp.option.type");
    assert_eq!(codes[0].matches("17").count(), 2, "{codes:?}");
    assert!(seen("pxe.pcapng", "dhcp.option.vendor_class_id")[0].starts_with("PXEClient:"));
}

#[test]
fn the_command_line_of_a_frame_builds_it_again() {
    for name in names() {
        let file = directory().join(&name);
        let original = packets(&file);
        let commands = succeed(&["show", "--format", "command", text(&file)]);
        let commands: Vec<&str> = commands.lines().collect();
        assert_eq!(commands.len(), original.len(), "{name}");
        for (command, original) in commands.iter().zip(&original) {
            let words = shlex::split(command).expect("words of a shell");
            assert_eq!(words[0], "dhcpcraft");
            let built = scratch(&format!("{name}-built.pcapng"));
            let mut args: Vec<&str> = words[1..].iter().map(String::as_str).collect();
            args.extend(["--dry-run", "-w", text(&built)]);
            succeed(&args);
            assert_eq!(
                packets(&built)[0].bytes,
                original.bytes,
                "{name}: {command}"
            );
        }
    }
}

#[test]
fn the_text_about_them_names_every_file_and_no_other() {
    let about = fs::read_to_string(directory().join("README.md")).expect("samples/README.md");
    let rows = about.lines().filter_map(|line| line.strip_prefix("| `"));
    let mut named: Vec<&str> = rows.filter_map(|row| row.split('`').next()).collect();
    named.sort();
    assert_eq!(named, names());
    let size: u64 = names()
        .iter()
        .map(|name| fs::metadata(directory().join(name)).expect("a file").len())
        .sum();
    assert!(size < 300_000, "{size} bytes of samples");
}

#[test]
fn one_value_of_each_frame_that_has_it() {
    let file = directory().join("relayed.pcapng");
    let lines = succeed(&["show", text(&file), "--print", "yiaddr"]);
    assert_eq!(
        lines.lines().count(),
        2,
        "the ARP frames have none: {lines}"
    );
    let output = Command::new(TOOL)
        .args(["show", text(&file), "--print", "captive-portal"])
        .output()
        .expect("the tool starts");
    assert_eq!(output.status.code(), Some(1), "no frame has one");
}
