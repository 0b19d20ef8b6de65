//! Files of every kind, whole, damaged, and on disks that are full: what the program shows and writes, run as a user
//! runs it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const TOOL: &str = env!("CARGO_BIN_EXE_dhcpcraft");

/// A directory of the test's own.
fn directory(test: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("files-{test}"));
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).expect("a directory");
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

/// Runs a shell line with the tool as `$T` and `$1` as its argument.
fn sh(line: &str, argument: &Path) -> Output {
    Command::new("sh")
        .args(["-c", line, "sh"])
        .arg(argument)
        .env("T", TOOL)
        .stdin(Stdio::null())
        .output()
        .expect("sh starts")
}

#[track_caller]
fn succeed(args: &[&str]) -> String {
    let output = tool(args);
    assert_eq!(output.status.code(), Some(0), "{args:?}: {}", err(&output));
    out(&output)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// The lab's exchange in a capture.
fn exchange(directory: &Path, name: &str) -> PathBuf {
    let path = directory.join(name);
    succeed(&["dora", "--seed", "1", "--quiet", "-w", text(&path)]);
    path
}

/// The frames of a file as hex, one a line.
fn hex_of(path: &Path) -> String {
    succeed(&["convert", "--quiet", text(path), "-"])
}

/// A pcap file of Ethernet frames: its magic number says how its numbers are written.
fn pcap(magic: [u8; 4], link_type: u32, frames: &[(u32, u32, &[u8])]) -> Vec<u8> {
    let big = magic[0] == 0xa1;
    let four = |number: u32| match big {
        true => number.to_be_bytes(),
        false => number.to_le_bytes(),
    };
    let two = |number: u16| match big {
        true => number.to_be_bytes(),
        false => number.to_le_bytes(),
    };
    let mut file = magic.to_vec();
    file.extend([two(2), two(4)].concat());
    file.extend([four(0), four(0), four(65535), four(link_type)].concat());
    for (seconds, fraction, bytes) in frames {
        let len = four(bytes.len() as u32);
        file.extend([four(*seconds), four(*fraction), len, len].concat());
        file.extend(*bytes);
    }
    file
}

const MICRO: [u8; 4] = [0xd4, 0xc3, 0xb2, 0xa1];

#[test]
fn pcap_of_either_byte_order_and_resolution() {
    let directory = directory("pcap");
    let frame = [0xaa; 60];
    for (magic, fraction, nanos) in [
        (MICRO, 5, "000005000"),
        ([0xa1, 0xb2, 0xc3, 0xd4], 5, "000005000"),
        ([0x4d, 0x3c, 0xb2, 0xa1], 5, "000000005"),
        ([0xa1, 0xb2, 0x3c, 0x4d], 5, "000000005"),
    ] {
        let path = directory.join("t.pcap");
        fs::write(&path, pcap(magic, 1, &[(7, fraction, &frame)])).expect("written");
        let json = succeed(&["show", "--json", text(&path)]);
        assert!(json.contains(&format!("\"time\":\"7.{nanos}\"")), "{json}");
        assert_eq!(hex_of(&path).trim(), "aa".repeat(60));
    }
}

/// Whatever is left of a capture is shown, and the place of the cut is named.
#[test]
fn cut_at_every_byte() {
    let directory = directory("cut");
    let frames: Vec<Vec<u8>> = (1..=3u8).map(|it| vec![it; 20]).collect();
    let rows: Vec<(u32, u32, &[u8])> = frames.iter().map(|it| (1, 0, it.as_slice())).collect();
    let whole = directory.join("whole.pcap");
    fs::write(&whole, pcap(MICRO, 1, &rows)).expect("written");
    let ng = directory.join("whole.pcapng");
    succeed(&["convert", "--quiet", text(&whole), text(&ng)]);
    for file in [whole, ng] {
        let bytes = fs::read(&file).expect("read");
        // Where each frame's bytes end, padding and what follows them included.
        let ends: Vec<usize> = (1..=3u8)
            .map(|it| {
                let at = bytes.windows(20).position(|window| window == [it; 20]);
                at.expect("the frame") + 20
            })
            .collect();
        let cut = directory.join("cut.pcap");
        let mut whole_frames = 0;
        for len in 0..bytes.len() {
            fs::write(&cut, &bytes[..len]).expect("written");
            let output = tool(&["convert", "--quiet", text(&cut), "-"]);
            let (shown, said) = (out(&output), err(&output));
            let count = shown.lines().filter(|it| !it.is_empty()).count();
            let trailer = if file.extension().is_some_and(|it| it == "pcapng") {
                4
            } else {
                0
            };
            let due = ends.iter().filter(|end| **end + trailer <= len).count();
            assert_eq!(count, due, "{} cut at {len}: {said}", file.display());
            whole_frames = whole_frames.max(count);
            match output.status.code() {
                Some(0) => assert_eq!(said, "", "cut at {len}"),
                Some(6) => assert!(
                    said.lines().count() == 1 && said.contains("cut.pcap: "),
                    "cut at {len}: {said}"
                ),
                code => panic!("cut at {len}: {code:?} {said}"),
            }
            if count > 0 && output.status.code() == Some(6) {
                assert!(
                    said.contains(&format!("after {count} whole frames")),
                    "{said}"
                );
            }
        }
        assert!(whole_frames >= 2, "{}", file.display());
    }
}

/// What stands before a damage reaches the copy.
#[test]
fn a_damaged_capture_is_converted_up_to_the_damage() {
    let directory = directory("damaged");
    let whole = exchange(&directory, "whole.pcap");
    let bytes = fs::read(&whole).expect("read");
    let cut = directory.join("cut.pcap");
    fs::write(&cut, &bytes[..bytes.len() - 1]).expect("written");
    let copy = directory.join("copy.pcapng");
    let output = tool(&["convert", text(&cut), text(&copy)]);
    assert_eq!(output.status.code(), Some(6));
    assert!(
        err(&output).contains("after 3 whole frames"),
        "{}",
        err(&output)
    );
    assert_eq!(hex_of(&copy).lines().count(), 3);
}

#[test]
fn hexdumps_of_other_programs() {
    let directory = directory("hexdumps");
    let capture = exchange(&directory, "exchange.pcapng");
    let all = hex_of(&capture);
    let wanted = all.lines().nth(1).expect("the OFFER");
    let bytes = hex::decode(wanted).expect("hex");
    // A run of equal lines, which od and hexdump write as `*`, is in every BOOTP message.
    assert!(bytes.windows(64).any(|it| it == [0; 64]));
    let file = directory.join("frame.bin");
    fs::write(&file, bytes).expect("written");
    for dump in [
        "xxd",
        "xxd -g1",
        "xxd -p -c 0",
        "hexdump -C",
        "hexdump -Cv",
        "od -Ax -tx1z",
        "od -Ax -tx1z -v",
        "od -Ax -tx1",
    ] {
        let line = format!("{dump} \"$1\" | \"$T\" convert --quiet - -");
        let output = sh(&line, &file);
        assert_eq!(out(&output).trim(), wanted, "{dump}: {}", err(&output));
    }
    let output = sh("tshark -x -r \"$1\" | \"$T\" convert --quiet - -", &capture);
    assert_eq!(out(&output), all, "tshark -x: {}", err(&output));
    let stream = format!("hex:{wanted}");
    let tree = succeed(&["show", &stream]);
    assert!(tree.contains("OFFER"), "{tree}");
    // Two dumps, the first ending in a repeated line and an offset.
    let line = "(hexdump -C \"$1\"; hexdump -C \"$1\") | \"$T\" convert --quiet - -";
    assert_eq!(out(&sh(line, &file)), format!("{wanted}\n{wanted}\n"));
    // Words in the machine's byte order are not taken for bytes in the wire's.
    for dump in ["hexdump", "od -x", "od -Ax -tx2", "od"] {
        let output = sh(&format!("{dump} \"$1\" | \"$T\" show -"), &file);
        assert_eq!(
            (output.status.code(), out(&output).as_str()),
            (Some(6), ""),
            "{dump}"
        );
        assert!(
            err(&output).contains("line 1: "),
            "{dump}: {}",
            err(&output)
        );
    }
    let grouped = succeed(&["show", "--json", "hex:0000 1111 2222 3333"]);
    assert!(
        grouped.contains("\"hex\":\"0000111122223333\""),
        "{grouped}"
    );
    // `*` without anything to tell how often.
    let line = "printf '0000  00 01\\n*\\nzz\\n' | \"$T\" show -";
    let output = sh(line, &file);
    assert_eq!(output.status.code(), Some(6));
    assert!(
        err(&output).contains("line 3: after `*`"),
        "{}",
        err(&output)
    );
}

#[test]
fn pipes() {
    let directory = directory("pipes");
    let capture = exchange(&directory, "exchange.pcapng");
    let output = sh(
        "\"$T\" discover --seed 1 --dry-run --format hex | \"$T\" show -",
        &capture,
    );
    assert!(out(&output).contains("DISCOVER"), "{}", err(&output));
    for reader in ["show", "show --json", "convert --quiet"] {
        let to = if reader.starts_with("convert") {
            "-"
        } else {
            ""
        };
        // `true` has ended, and the pipe is closed, before the tool writes.
        let line = format!("(sleep 0.2; \"$T\" {reader} \"$1\" {to}; echo code $? >&2) | true");
        let output = sh(&line, &capture);
        assert_eq!(err(&output), "code 0\n", "{reader}");
    }
    // What the exit code says is so whether or not anybody reads.
    for (line, code) in [
        ("discover -i lab:silent --timeout 1s", 3),
        ("reboot --requested-ip 203.0.113.5", 4),
        ("dora -i lab:nak", 4),
        ("dora --expect 'reply.router == []'", 1),
        ("show --expect 'len(replies) == 7' \"$1\"", 1),
        ("lint samples/malformed-checksums.pcapng", 1),
        (
            "diff samples/dora-kea.pcapng samples/dora-dnsmasq.pcapng",
            1,
        ),
        ("conform -i lab:nak --only S-OFR-01", 0),
        ("test samples/tests", 0),
        ("dora", 0),
    ] {
        for format in ["", "--json"] {
            let line =
                format!("(sleep 0.2; \"$T\" {line} {format} 2>/dev/null; echo code $? >&2) | true");
            let output = sh(&line, &capture);
            assert_eq!(err(&output), format!("code {code}\n"), "{line}");
        }
    }
}

/// `--format command` is a command line that builds the same bytes.
#[test]
fn command_lines_build_the_frame_again() {
    let directory = directory("command");
    let capture = exchange(&directory, "exchange.pcapng");
    let mut frames: Vec<String> = hex_of(&capture).lines().map(str::to_string).collect();
    let whole = frames[0].clone();
    // Cut within the options, within BOOTP, within IP; a wrong magic cookie; bytes after END; quotes in a name.
    for len in [600, 300, 60, 30, 28, 2] {
        frames.push(whole[..len].to_string());
    }
    frames.push(whole.replace("63825363", "63825364"));
    frames.push(format!("{whole}27245c"));
    let quoted = [
        "discover",
        "-o",
        "hostname=it's $(x) `y`",
        "--dry-run",
        "--format",
        "hex",
    ];
    fs::write(directory.join("quoted.hex"), succeed(&quoted)).expect("written");
    frames.push(hex_of(&directory.join("quoted.hex")).trim().to_string());
    for frame in frames {
        let file = directory.join("frame.hex");
        fs::write(&file, &frame).expect("written");
        let command = succeed(&["show", "--format", "command", text(&file)]);
        let line = command.trim().replacen("dhcpcraft", "\"$T\"", 1);
        let again = sh(
            &format!("{line} --dry-run --quiet --format hex > \"$1\""),
            &directory.join("again.hex"),
        );
        assert_eq!(again.status.code(), Some(0), "{line}: {}", err(&again));
        assert_eq!(hex_of(&directory.join("again.hex")).trim(), frame, "{line}");
    }
}

#[test]
fn disks_that_are_full_and_places_that_are_not_there() {
    let directory = directory("full");
    let capture = exchange(&directory, "exchange.pcapng");
    for name in ["full.pcap", "full.pcapng", "full.hex"] {
        let full = directory.join(name);
        std::os::unix::fs::symlink("/dev/full", &full).expect("a link");
        let mut all = vec![vec!["convert", text(&capture), text(&full)]];
        if !name.ends_with(".hex") {
            all.push(vec!["dora", "-w", text(&full), "--quiet", "--json"]);
            all.push(vec!["discover", "-w", text(&full), "--quiet", "--dry-run"]);
        }
        for args in all {
            let output = tool(&args);
            assert_eq!(output.status.code(), Some(6), "{args:?}: {}", err(&output));
            assert_eq!(err(&output).lines().count(), 1, "{}", err(&output));
            assert!(err(&output).contains(name), "{}", err(&output));
        }
    }
    let missing = directory.join("missing/x.pcap");
    let output = tool(&["dora", "--quiet", "-w", text(&missing)]);
    assert_eq!(output.status.code(), Some(6));
    assert!(err(&output).contains("make it first"), "{}", err(&output));
    for line in [
        "dora --json --quiet",
        "options",
        "explain 82",
        "interfaces",
        "convert --quiet \"$1\" -",
    ] {
        let output = sh(&format!("\"$T\" {line} >/dev/full"), &capture);
        assert_eq!(output.status.code(), Some(6), "{line}");
        assert_eq!(err(&output).lines().count(), 1, "{line}: {}", err(&output));
    }
}

#[test]
fn files_that_cannot_be_read() {
    let directory = directory("unreadable");
    let file = |name: &str, bytes: &[u8]| {
        let path = directory.join(name);
        fs::write(&path, bytes).expect("written");
        path
    };
    let raw = pcap(MICRO, 101, &[(1, 0, &[0x45; 20])]);
    assert!(
        succeed(&["show", text(&file("raw.pcap", &raw))])
            .lines()
            .count()
            >= 1
    );
    for (path, reason) in [
        (directory.join("nowhere.pcap"), "no such file"),
        (directory.clone(), "is a directory"),
        (file("empty.pcap", b""), "is empty"),
        (
            file("noise.pcap", &[0, 1, 2, 3, 4, 5, 6, 7, 8]),
            "is no capture",
        ),
        (
            file("prose.txt", b"dear reader\n"),
            "holds no frame: neither a capture nor hex",
        ),
    ] {
        for args in [
            vec!["show", "--json"],
            vec!["craft", "--dry-run", "--json", "--from"],
        ] {
            let output = tool(&[args.clone(), vec![text(&path)]].concat());
            assert_eq!(output.status.code(), Some(6), "{args:?} {}", path.display());
            assert_eq!(out(&output), "");
            assert!(err(&output).contains(reason), "{}", err(&output));
            assert_eq!(err(&output).lines().count(), 1, "{}", err(&output));
        }
    }
}

/// Peak memory once all frames but the last were read from a pipe.
fn peak(args: &[&str], frames: usize) -> u64 {
    let mut child = Command::new(TOOL)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("the tool starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let frame = [0xab; 300];
    let head = pcap(MICRO, 1, &[]);
    stdin.write_all(&head).expect("read");
    let record = pcap(MICRO, 1, &[(1, 2, &frame)])[head.len()..].repeat(100);
    for _ in 0..frames / 100 {
        stdin.write_all(&record).expect("read");
    }
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).expect("status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|it| it.split_whitespace().next()?.parse().ok());
    drop(stdin);
    assert!(child.wait().expect("it ends").success());
    number.expect("a peak in kB")
}

#[test]
fn memory_does_not_grow_with_a_capture() {
    let directory = directory("memory");
    let copy = directory.join("copy.pcapng");
    for args in [
        vec!["show", "-"],
        vec!["convert", "--quiet", "-", text(&copy)],
    ] {
        let (small, large) = (peak(&args, 10_000), peak(&args, 300_000));
        eprintln!("{args:?}: {small} kB for 10,000 frames, {large} kB for 300,000");
        assert!(
            large < small + 4096,
            "{args:?}: {small} kB, then {large} kB"
        );
    }
}

/// Another program finds in a recording what it was written to say.
#[test]
fn tshark_reads_what_was_recorded() {
    let directory = directory("tshark");
    for (name, comments) in [
        ("r.pcapng", "DISCOVER|OFFER|REQUEST|ACK"),
        ("r.pcap", "|||"),
    ] {
        let path = exchange(&directory, name);
        let output = Command::new("tshark")
            .arg("-r")
            .arg(&path)
            .args(["-T", "fields", "-E", "separator=;", "-e", "frame.comment"])
            .args(["-e", "frame.interface_name", "-e", "frame.time_epoch"])
            .stdin(Stdio::null())
            .output()
            .expect("tshark is installed (apt install tshark)");
        assert!(output.status.success(), "{}", err(&output));
        let fields = out(&output);
        let column = |at: usize| {
            let rows = fields
                .lines()
                .map(|it| it.split(';').nth(at).unwrap_or_default());
            rows.collect::<Vec<_>>()
        };
        assert_eq!(column(0).join("|"), comments);
        let named = name == "r.pcapng";
        assert!(
            column(1).iter().all(|it| (*it == "lab") == named),
            "{fields}"
        );
        let json = succeed(&["show", "--json", text(&path)]);
        for (line, time) in json.lines().zip(column(2)) {
            let time = time.trim();
            assert_eq!(time.split('.').nth(1).map(str::len), Some(9), "{time}");
            assert!(
                line.contains(&format!("\"time\":\"{time}\"")),
                "{time}: {line}"
            );
        }
    }
}
