//! Captures in and out: whole, cut and damaged, copies, pipes, and memory.

mod support;

use std::fs;
use std::io::Write;
use std::process::Command;
use std::time::Duration;

use support::tool::{Run, command, feed, scratch, text, tool};
use support::{expect_within, require, tshark};

/// Three small frames.
fn frames() -> [Vec<u8>; 3] {
    [1u8, 2, 3].map(|number| {
        let mut frame = vec![0xff; 6];
        frame.extend([2, 0, 0x5e, 0x10, 0, number, 0x88, 0xb5]);
        frame.resize(42 + usize::from(number), number);
        frame
    })
}

fn put16(out: &mut Vec<u8>, big: bool, number: u16) {
    match big {
        true => out.extend(number.to_be_bytes()),
        false => out.extend(number.to_le_bytes()),
    }
}

fn put32(out: &mut Vec<u8>, big: bool, number: u32) {
    match big {
        true => out.extend(number.to_be_bytes()),
        false => out.extend(number.to_le_bytes()),
    }
}

/// A pcap file; `unit` is the length of a fraction's step in nanoseconds. Also where its records end.
fn pcap(big: bool, unit: u32, link_type: u32, frames: &[Vec<u8>]) -> (Vec<u8>, Vec<usize>) {
    let mut out = Vec::new();
    put32(
        &mut out,
        big,
        if unit == 1 { 0xa1b2_3c4d } else { 0xa1b2_c3d4 },
    );
    put16(&mut out, big, 2);
    put16(&mut out, big, 4);
    for number in [0, 0, 65535, link_type] {
        put32(&mut out, big, number);
    }
    let mut ends = vec![out.len()];
    for (index, frame) in frames.iter().enumerate() {
        let len = frame.len() as u32;
        for number in [1_700_000_000 + index as u32, 123_456_000 / unit, len, len] {
            put32(&mut out, big, number);
        }
        out.extend(frame);
        ends.push(out.len());
    }
    (out, ends)
}

fn block(out: &mut Vec<u8>, big: bool, kind: u32, body: &[u8]) {
    let len = 12 + body.len().next_multiple_of(4) as u32;
    put32(out, big, kind);
    put32(out, big, len);
    out.extend(body);
    out.resize(out.len().next_multiple_of(4), 0);
    put32(out, big, len);
}

/// A pcapng file in microseconds, and where its blocks end.
fn pcapng(big: bool, frames: &[Vec<u8>]) -> (Vec<u8>, Vec<usize>) {
    let (mut out, mut body) = (Vec::new(), Vec::new());
    put32(&mut body, big, 0x1a2b_3c4d);
    put16(&mut body, big, 1);
    put16(&mut body, big, 0);
    body.extend([0xff; 8]);
    block(&mut out, big, 0x0a0d_0d0a, &body);
    let mut ends = vec![out.len()];
    let mut body = Vec::new();
    put16(&mut body, big, 1);
    put16(&mut body, big, 0);
    put32(&mut body, big, 0);
    block(&mut out, big, 1, &body);
    ends.push(out.len());
    for (index, frame) in frames.iter().enumerate() {
        let micros = (1_700_000_000 + index as u64) * 1_000_000 + 123_456;
        let mut body = Vec::new();
        put32(&mut body, big, 0);
        put32(&mut body, big, (micros >> 32) as u32);
        put32(&mut body, big, micros as u32);
        put32(&mut body, big, frame.len() as u32);
        put32(&mut body, big, frame.len() as u32);
        body.extend(frame);
        block(&mut out, big, 6, &body);
        ends.push(out.len());
    }
    (out, ends)
}

/// A snoop file.
fn snoop(frames: &[Vec<u8>]) -> (Vec<u8>, Vec<usize>) {
    let mut out = b"snoop\0\0\0\0\0\0\x02\0\0\0\x04".to_vec();
    let mut ends = vec![out.len()];
    for (index, frame) in frames.iter().enumerate() {
        let len = frame.len() as u32;
        let padded = frame.len().next_multiple_of(4);
        for number in [
            len,
            len,
            24 + padded as u32,
            0,
            1_700_000_000 + index as u32,
            123_456,
        ] {
            put32(&mut out, true, number);
        }
        out.extend(frame);
        out.resize(out.len() + padded - frame.len(), 0);
        ends.push(out.len());
    }
    (out, ends)
}

/// What `show --json` makes of an input: bytes and times.
#[track_caller]
fn shown(run: &Run) -> Vec<(String, String)> {
    let value = |it: &serde_json::Value| it.as_str().expect("text").to_string();
    let lines = run.json();
    lines
        .iter()
        .map(|it| (value(&it["hex"]), value(&it["time"])))
        .collect()
}

#[test]
fn every_kind_of_capture_is_read() {
    let frames = frames().to_vec();
    let mut files = vec![
        pcapng(false, &frames).0,
        pcapng(true, &frames).0,
        snoop(&frames).0,
    ];
    for (big, unit) in [(false, 1000), (false, 1), (true, 1000), (true, 1)] {
        files.push(pcap(big, unit, 1, &frames).0);
    }
    for (index, file) in files.iter().enumerate() {
        let got = shown(&feed(&["show", "-", "--json"], file).succeeded());
        let wanted: Vec<_> = frames
            .iter()
            .enumerate()
            .map(|(at, it)| (hex::encode(it), format!("{}.123456000", 1_700_000_000 + at)))
            .collect();
        assert_eq!(got, wanted, "file {index}");
    }
}

#[test]
fn a_capture_cut_anywhere_gives_what_is_whole() {
    let frames = frames().to_vec();
    for (name, (file, ends)) in [
        ("pcap", pcap(false, 1000, 1, &frames)),
        ("pcapng", pcapng(true, &frames)),
        ("snoop", snoop(&frames)),
    ] {
        // Blocks in front of the first frame.
        let head = ends.len() - frames.len();
        for len in 0..=file.len() {
            let run = feed(&["show", "-", "--json"], &file[..len]);
            let whole = ends
                .iter()
                .filter(|end| **end <= len)
                .count()
                .saturating_sub(head);
            assert_eq!(run.json().len(), whole, "{name} cut at {len}: {}", run.err);
            if ends.contains(&len) {
                assert_eq!(run.code, Some(0), "{name} cut at {len}: {}", run.err);
            } else if len < ends[0] {
                run.failed(6, &["standard input: "]);
            } else {
                let count = format!("damaged after {whole} whole frame");
                run.failed(6, &[&count, "cut off"]);
            }
        }
    }
}

#[test]
fn what_stands_before_damage_is_copied() {
    let (file, ends) = pcap(false, 1000, 1, &frames());
    let directory = scratch("cut");
    let from = directory.join("cut.pcap");
    fs::write(&from, &file[..ends[3] - 1]).expect("written");
    for name in ["out.pcap", "out.pcapng", "out.hex"] {
        let to = directory.join(name);
        let run = tool(&["convert", text(&from), text(&to)]);
        run.failed(6, &["damaged after 2 whole frames"]);
        assert_eq!(
            tool(&["show", text(&to), "--json"])
                .succeeded()
                .json()
                .len(),
            2
        );
    }
}

#[test]
fn damage_is_named_and_nothing_panics() {
    let (file, ends) = pcapng(false, &frames());
    let mut state = 1u32;
    let mut chance = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as usize
    };
    for _ in 0..150 {
        let mut file = file.clone();
        let at = chance() % file.len();
        file[at] ^= 1 << (chance() % 8);
        let run = feed(&["show", "-", "--json"], &file);
        assert!(!run.err.contains("panicked"), "byte {at}: {}", run.err);
        assert!(matches!(run.code, Some(0 | 6)), "byte {at}: {run:?}");
        run.json();
    }
    // A frame of an interface that the file does not describe.
    let mut file = file;
    file[ends[2] + 8] = 9;
    feed(&["show", "-"], &file).failed(6, &["after 1 whole frame", "interface 9"]);
}

#[test]
fn what_is_no_capture_is_named() {
    feed(&["show", "-"], b"").failed(6, &["standard input: is empty"]);
    feed(&["show", "-"], &[0, 1, 2, 3, 4, 5, 6, 7, 8]).failed(6, &["is no capture; expected pcap"]);
    feed(&["show", "-"], b"\n\n \n").failed(6, &["holds no frame"]);
    feed(&["show", "-"], b"hello, world\n").failed(6, &["holds no frame"]);
    tool(&["show", "none.pcap"]).failed(6, &["none.pcap: there is no such file"]);
    tool(&["show", "/"]).failed(6, &["/: is a directory"]);
    tool(&["show", "none.pcap#0"]).failed(2, &["frames count from 1"]);
    let directory = scratch("none");
    let empty = directory.join("empty.pcap");
    fs::write(&empty, b"").expect("written");
    for args in [&["show"][..], &["dora", "-i"], &["discover", "--from"]] {
        tool(&[args, &[text(&empty)]].concat()).failed(6, &["empty.pcap: is empty"]);
    }
    let out = directory.join("out.pcap");
    tool(&["convert", text(&empty), text(&out)]).failed(6, &["is empty"]);
    assert!(!out.exists(), "a bad input leaves no output behind");
    // A capture without frames is a capture, of the same link type.
    let raw = directory.join("raw.pcap");
    fs::write(&raw, pcap(true, 1, 101, &[]).0).expect("written");
    let run = tool(&["show", text(&raw)]).succeeded();
    assert!(run.err.contains("no frames"), "{}", run.err);
    tool(&["convert", text(&raw), text(&out)]).succeeded();
    assert_eq!(fs::read(&out).expect("read")[20..24], [101, 0, 0, 0]);
}

#[test]
fn other_link_types_come_back_as_what_they_are() {
    let directory = scratch("linktypes");
    // A message without an Ethernet header, and something nobody knows.
    let built = tool(&["discover", "--dry-run", "--json"])
        .succeeded()
        .json();
    let message = hex::decode(built[0]["hex"].as_str().expect("hex")).expect("hex")[14..].to_vec();
    let short = vec![7; 16];
    for (link_type, frames) in [
        (101, vec![message.clone(), message]),
        (147, vec![short.clone(), short]),
    ] {
        let from = directory.join("from.pcap");
        fs::write(&from, pcap(false, 1, link_type, &frames).0).expect("written");
        for name in ["a.pcap", "a.pcapng", "a.hex"] {
            let to = directory.join(name);
            let back = directory.join("back.pcap");
            tool(&["convert", text(&from), text(&to)]).succeeded();
            tool(&["convert", text(&to), text(&back)]).succeeded();
            let bytes = fs::read(&back).expect("read");
            assert_eq!(bytes[20..24], u32::to_le_bytes(link_type), "{name}");
            let got = shown(&tool(&["show", text(&back), "--json"]).succeeded());
            let wanted: Vec<_> = frames.iter().map(hex::encode).collect();
            assert_eq!(
                got.into_iter().map(|it| it.0).collect::<Vec<_>>(),
                wanted,
                "{name}"
            );
        }
        for format in ["table", "tree", "ladder", "hex", "json", "command"] {
            tool(&["show", text(&from), "--format", format]).succeeded();
        }
    }
    // Two link types do not fit into one pcap.
    let mixed = directory.join("mixed.hex");
    fs::write(
        &mixed,
        "00112233445566778899aabbccdd0800\n# link type 147\n07070707\n",
    )
    .expect("written");
    let (ng, pcap) = (directory.join("m.pcapng"), directory.join("m.pcap"));
    tool(&["convert", text(&mixed), text(&pcap)]).failed(6, &["one link type", "write .pcapng"]);
    tool(&["convert", text(&mixed), text(&ng)]).succeeded();
    let types = tshark(&ng, &["-T", "fields", "-e", "frame.len"]);
    assert_eq!(types.split_whitespace().collect::<Vec<_>>(), ["16", "4"]);
    tool(&["convert", text(&ng), text(&ng)]).failed(6, &["is the input"]);
}

#[test]
fn a_fifo_is_read_as_it_fills() {
    let directory = scratch("fifo");
    let fifo = directory.join("fifo.pcap");
    let made = Command::new(require("mkfifo")).arg(&fifo).status();
    assert!(made.expect("mkfifo starts").success());
    let (file, ends) = pcap(false, 1, 1, &frames());
    let out = directory.join("out");
    let stdout = fs::File::create(&out).expect("a file");
    let mut command = command(&["show", text(&fifo), "--json"]);
    let mut child = command.stdout(stdout).spawn().expect("it starts");
    let mut writer = fs::OpenOptions::new()
        .write(true)
        .open(&fifo)
        .expect("the fifo");
    writer.write_all(&file[..ends[1]]).expect("written");
    // The first frame is shown while the next has yet to come.
    let lines = || fs::read_to_string(&out).map_or(0, |it| it.lines().count());
    expect_within("the first frame", Duration::from_secs(10), || lines() == 1);
    writer.write_all(&file[ends[1]..]).expect("written");
    expect_within("all frames", Duration::from_secs(10), || lines() == 3);
    drop(writer);
    assert_eq!(child.wait().expect("wait").code(), Some(0));
}
