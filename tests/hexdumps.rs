//! Frames as text: hex of every kind, and the command line that builds a frame again.

mod support;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use support::require;
use support::tool::{feed, finish, scratch, text, tool};

/// Runs a program over a file and gives what it prints.
#[track_caller]
fn output(program: &str, args: &[&str], file: &Path) -> Vec<u8> {
    let output = Command::new(require(program))
        .args(args)
        .arg(file)
        .stderr(Stdio::null())
        .output();
    let output = output.expect("it starts").stdout;
    assert!(!output.is_empty(), "{program} {args:?} printed nothing");
    output
}

#[test]
fn hex_of_every_kind_is_read() {
    let directory = scratch("hex");
    let capture = directory.join("dora.pcap");
    tool(&["dora", "-w", text(&capture)]).succeeded();
    let all = tool(&["convert", text(&capture), "-"]).succeeded().out;
    let one = all.lines().nth(1).expect("an OFFER").to_string() + "\n";
    let bytes = hex::decode(one.trim()).expect("hex");
    let binary = directory.join("offer");
    fs::write(&binary, &bytes).expect("written");

    let pairs: Vec<String> = bytes.iter().map(|it| format!("{it:02x}")).collect();
    let rows = |row: &dyn Fn(usize, &[String]) -> String| -> String {
        pairs
            .chunks(16)
            .enumerate()
            .map(|(at, it)| row(16 * at, it) + "\n")
            .collect()
    };
    let ascii = |at: usize| -> String {
        let line = &bytes[at..(at + 16).min(bytes.len())];
        line.iter()
            .map(|it| {
                if (32..127).contains(it) {
                    *it as char
                } else {
                    '.'
                }
            })
            .collect()
    };
    let texts: Vec<(&str, Vec<u8>)> = vec![
        ("a stream", one.clone().into()),
        ("upper case", one.to_uppercase().into()),
        ("blanks", pairs.join(" ").into()),
        ("colons", pairs.join(":").into()),
        ("carriage returns", one.replace('\n', "\r\n").into()),
        (
            "Wireshark, escaped",
            rows(&|_, it| format!("\"\\x{}\" \\", it.join("\\x"))).into(),
        ),
        (
            "Wireshark, dump",
            rows(&|at, it| format!("{at:04x}   {}", it.join(" "))).into(),
        ),
        (
            "Wireshark, text",
            rows(&|at, it| format!("{at:04x}   {:47}   {}", it.join(" "), ascii(at))).into(),
        ),
        (
            "Scapy",
            rows(&|at, it| {
                format!(
                    "{at:04x}  {:47}  {}",
                    it.join(" ").to_uppercase(),
                    ascii(at)
                )
            })
            .into(),
        ),
        (
            "an array in C",
            rows(&|_, it| format!("0x{}, /* ........ */", it.join(", 0x"))).into(),
        ),
        (
            "tcpdump -xx",
            rows(&|at, it| {
                let words: Vec<String> = it.chunks(2).map(<[String]>::concat).collect();
                format!("\t0x{at:04x}:  {}", words.join(" "))
            })
            .into(),
        ),
        (
            "xxd -g16",
            rows(&|at, it| format!("{at:08x}: {:32}  {}", it.concat(), ascii(at))).into(),
        ),
        ("hexdump -C", output("hexdump", &["-C"], &binary)),
        ("hexdump -vC", output("hexdump", &["-vC"], &binary)),
        ("od -Ax -tx1", output("od", &["-Ax", "-tx1"], &binary)),
        ("od -Ax -tx1z", output("od", &["-Ax", "-tx1z"], &binary)),
        ("od -tx1, octal", output("od", &["-tx1"], &binary)),
        (
            "od -Ad -tx1, decimal",
            output("od", &["-Ad", "-tx1"], &binary),
        ),
        (
            "od -An -v -tx1",
            output("od", &["-An", "-v", "-tx1"], &binary),
        ),
    ];
    for (name, dump) in &texts {
        let run = feed(&["convert", "-", "-", "--quiet"], dump);
        assert_eq!(
            run.out,
            one,
            "{name}: {}\n{}",
            run.err,
            String::from_utf8_lossy(dump)
        );
        run.succeeded();
    }
    // Several frames, with and without headings around them.
    for args in [&["-x", "-r"][..], &["-P", "-x", "-r"], &["-V", "-x", "-r"]] {
        let dump = output("tshark", args, &capture);
        let run = feed(&["convert", "-", "-", "--quiet"], &dump);
        assert_eq!(run.out, all, "tshark {args:?}: {}", run.err);
    }
    for color in ["always", "never"] {
        let dump = tool(&["show", text(&capture), "--format", "hex", "--color", color])
            .succeeded()
            .out;
        let run = feed(&["convert", "-", "-", "--quiet"], dump.as_bytes());
        assert_eq!(run.out, all, "colours {color}: {}", run.err);
    }
    // Our own hex keeps frames apart that others would wrap.
    let short = "00112233445566778899aabb\n\nccddeeff\n";
    assert_eq!(
        feed(&["convert", "-", "-", "--quiet"], short.as_bytes()).out,
        short
    );
}

#[test]
fn xxd_is_read() {
    // By hand, because it comes with an editor and not with the system.
    let dumps = [
        "00000000: 0200 5e10 0001 0200 5e00 0001 0800 4500  ..^.....^.....E.\n00000010: 0156 dead                                .V..\n",
        "00000000: 02 00 5e 10 00 01 02 00 5e 00 00 01 08 00 45 00  ..^.....^.....E.\n00000010: 01 56 de ad                                      .V..\n",
        "00000000: 02005e10 00010200 5e000001 08004500  ..^.....^.....E.\n00000010: 0156dead                             .V..\n",
        "00000000: 0200 5e10 0001 0200 5e00 0001 0800 4500 0156 dead                                ..^.....^.....E..V..\n",
        "unsigned char offer[] = {\n  0x02, 0x00, 0x5e, 0x10, 0x00, 0x01, 0x02, 0x00, 0x5e, 0x00, 0x00, 0x01,\n  0x08, 0x00, 0x45, 0x00, 0x01, 0x56, 0xde, 0xad\n};\nunsigned int offer_len = 20;\n",
        "b'\\x02\\x00^\\x10\\x00\\x01\\x02\\x00^\\x00\\x00\\x01\\x08\\x00E\\x00\\x01V\\xde\\xad'\n",
    ];
    for dump in dumps {
        let run = feed(&["convert", "-", "-", "--quiet"], dump.as_bytes());
        assert_eq!(
            run.out.trim(),
            "02005e10000102005e000001080045000156dead",
            "{dump}{}",
            run.err
        );
    }
}

#[test]
fn broken_hex_is_named_by_its_line() {
    let whole = "00".repeat(60);
    let typo = format!("{whole}\n{}g{}\n", "00".repeat(20), "00".repeat(20));
    let run = feed(&["show", "-", "--json"], typo.as_bytes());
    run.failed(6, &["line 2: `g` in column 41 is no hex digit"]);
    assert_eq!(run.json().len(), 1, "the frame before it is shown");
    let odd = format!("{whole}0\n");
    feed(&["show", "-"], odd.as_bytes()).failed(6, &["line 1: an odd number of hex digits, 121"]);
    let gap = "0000  00 11 22 33 44 55 66 77 88 99 aa bb cc dd 08 00\n0020  01 02\n";
    feed(&["show", "-"], gap.as_bytes()).failed(6, &["line 2: offset 0020 where 0x10 was due"]);
    let starred = " 02 00 5e 10 00 01 02 00 5e 00 00 01 08 00 45 00\n*\n 00\n";
    feed(&["show", "-"], starred.as_bytes()).failed(6, &["line 2", "od -v"]);
    let words = format!("{whole}\nand then nothing\n");
    feed(&["show", "-"], words.as_bytes()).failed(6, &["line 2: neither a capture nor hex"]);
}

#[test]
fn the_command_printed_for_a_frame_builds_it_again() {
    let directory = scratch("rebuild");
    let capture = directory.join("dora.pcapng");
    tool(&["dora", "-i", "lab:taken", "--probe", "-w", text(&capture)]).succeeded();
    let mut streams = tool(&["convert", text(&capture), "-"]).succeeded().out;
    // Malformed, odd, and hard to quote.
    let more: [&[&str]; 10] = [
        &["discover", "--hostname", "it's a \"printer\" $HOME `id`"],
        &["discover", "--raw-options", "350101ff350205"],
        &["discover", "--raw-options", "3501"],
        &["discover", "--raw-options", "0c05616263"],
        &["craft", "--type", "bootp", "--bare", "--file", "pxelinux.0"],
        &["craft", "--type", "200", "--sname", "hex:00ff27"],
        &["discover", "--overload", "both", "-o", "router=10.0.0.1"],
        &["discover", "--vlan", "100:5", "--vlan", "7"],
        &[
            "discover",
            "--ip-len",
            "9",
            "--udp-chksum",
            "1",
            "--ihl",
            "5",
        ],
        &["discover", "--hlen", "16", "--htype", "6", "--flags", "0x1"],
    ];
    for args in more {
        let built = tool(&[args, &["--dry-run", "--json"]].concat())
            .succeeded()
            .json();
        streams += built[0]["hex"].as_str().expect("hex");
        streams += "\n";
    }
    streams += "00\n\nffffffffffff\n";
    let commands = feed(&["show", "-", "--format", "command"], streams.as_bytes())
        .succeeded()
        .out;
    let wanted: Vec<&str> = streams.lines().filter(|it| !it.is_empty()).collect();
    assert_eq!(commands.lines().count(), wanted.len());
    for (line, wanted) in commands.lines().zip(wanted) {
        let program = Path::new(support::tool::TOOL)
            .parent()
            .expect("a directory");
        let script = format!(
            "PATH=\"{}:$PATH\"; {line} --dry-run --json",
            program.display()
        );
        let run = finish(Command::new("sh").args(["-c", &script]), b"").succeeded();
        assert_eq!(run.json()[0]["hex"], wanted, "{line}");
    }
}
