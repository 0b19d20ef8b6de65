//! Scapy's reading of our frames: every header field, every option with its bytes, and the frame built anew from them.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use dhcpcraft::wire::*;
use serde_json::Value;

use crate::frames::{self, Data, Sample};

const READER: &str = include_str!("scapy.py");

/// What Scapy makes of each frame, by one process for all.
fn ask(samples: &[Sample]) -> Vec<Value> {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/venv-scapy/bin/python");
    assert!(
        python.is_file(),
        "there is no Scapy in target/venv-scapy: run scripts/test, which installs scapy==2.8.* there"
    );
    let mut child = Command::new(python)
        .args(["-c", READER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python starts");
    let mut input = child.stdin.take().expect("a pipe");
    let lines: String = samples
        .iter()
        .map(|it| hex::encode(&it.bytes) + "\n")
        .collect();
    // Beside reading, so that neither pipe fills up.
    let writer = thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = child.wait_with_output().expect("python ends");
    writer
        .join()
        .expect("the writer ends")
        .expect("Scapy takes all frames");
    assert!(
        output.status.success(),
        "the reader failed: {}",
        output.status
    );
    let text = String::from_utf8(output.stdout).expect("JSON");
    let answers: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(answers.len(), samples.len());
    answers
}

/// The bytes of a field that Scapy shows as hex digits.
fn bytes_of(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap_or_default()).expect("hex digits")
}

/// What is different between our reading and Scapy's.
fn differences(sample: &Sample, scapy: &Value) -> Vec<String> {
    let frame = Frame::decode(&sample.bytes);
    let mut found = Vec::new();
    for layer in &frame.layers {
        let Some(fields) = scapy["layers"][layer.name()].as_object() else {
            continue;
        };
        for (name, theirs) in fields {
            let same = match layer.get(name) {
                Some(FieldValue::Number(ours)) => theirs.as_u64() == Some(ours),
                Some(FieldValue::Ip(ours)) => *theirs == ours.to_string(),
                Some(FieldValue::Mac(ours)) => *theirs == ours.to_string(),
                Some(FieldValue::Bytes(ours)) => bytes_of(theirs) == ours,
                None => false,
            };
            if !same {
                found.push(format!(
                    "{} {name}: {:?}, to Scapy {theirs}",
                    layer.name(),
                    layer.get(name)
                ));
            }
        }
    }
    let vlans: Vec<u16> = frame.vlans().collect();
    if scapy["vlans"] != serde_json::json!(vlans) {
        found.push(format!("vlans {vlans:?}, to Scapy {}", scapy["vlans"]));
    }
    match (frame.dhcp(), scapy["options"].as_array()) {
        (None, None) => {}
        (Some(dhcp), Some(items)) => stream_differences(dhcp, items, &mut found),
        (ours, _) => found.push(format!("options {ours:?}, to Scapy {}", scapy["options"])),
    }
    found
}

/// Scapy's items one by one against ours. What does not fit its type it leaves as one piece of bytes up to the end.
fn stream_differences(dhcp: &Dhcp, items: &[Value], found: &mut Vec<String>) {
    // It knows nothing of an end: bytes behind that are options as well.
    let mut at = 0;
    for item in items {
        if let Some(raw) = item["raw"].as_str() {
            if hex::encode(&dhcp.options[at..]) != raw {
                found.push(format!("the rest from {at} is to Scapy {raw}"));
            }
            return;
        }
        let Some(ours) = Options::new(&dhcp.options[at..]).next() else {
            found.push(format!("Scapy has one more item: {item}"));
            return;
        };
        let theirs = bytes_of(&item["item"]);
        if theirs != ours.raw {
            found.push(format!(
                "option {} {:02x?}, to Scapy {theirs:02x?}",
                ours.code, ours.raw
            ));
        }
        at += ours.raw.len();
    }
    if at != dhcp.options.len() {
        found.push(format!("Scapy stops at {at} of {}", dhcp.options.len()));
    }
}

#[test]
fn scapy_reads_every_frame_as_we_do() {
    let mut samples = frames::templates();
    samples.extend(frames::examples());
    samples.extend(frames::random(1, 400, Data::Any));
    let answers = ask(&samples);
    let mut wrong = Vec::new();
    for (sample, scapy) in samples.iter().zip(&answers) {
        let found = differences(sample, scapy);
        if !found.is_empty() {
            wrong.push(format!(
                "{} {}\n  {}",
                sample.label,
                hex::encode(&sample.bytes),
                found.join("\n  ")
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        samples.len(),
        wrong.join("\n")
    );
}

#[test]
fn scapy_computes_the_same_lengths_and_checksums() {
    let mut samples = frames::templates();
    samples.extend(frames::examples());
    samples.extend(frames::random(2, 200, Data::Any));
    let mut wrong = Vec::new();
    for (sample, scapy) in samples.iter().zip(ask(&samples)) {
        let mut frame = Frame::decode(&sample.bytes);
        frame.relax();
        if frame
            .ipv4()
            .is_some_and(|ip| ip.chksum == Auto::Unset && ip.len == Auto::Unset)
            && frame
                .udp()
                .is_some_and(|udp| udp.chksum == Auto::Unset && udp.len == Auto::Unset)
            && bytes_of(&scapy["built"]) == sample.bytes
        {
            continue;
        }
        wrong.push(format!(
            "{}: {}\n  {}",
            sample.label,
            hex::encode(&sample.bytes),
            scapy["built"]
        ));
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        samples.len(),
        wrong.join("\n")
    );
}
