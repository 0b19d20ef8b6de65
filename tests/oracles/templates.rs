//! What the program sends is in order, says tshark's expert and says tcpdump.

use std::process::Command;

use dhcpcraft::dhcp::Message;
use dhcpcraft::wire::Frame;

use crate::frames::{self, Directory, Sample};
use crate::support::{require, tshark};

/// What tshark prints of each frame: whether its checksums are good (1), what its expert says with how severe that is, and
/// what it read.
const COLUMNS: [&str; 8] = [
    "ip.checksum.status",
    "udp.checksum.status",
    "_ws.malformed",
    "_ws.expert.severity",
    "_ws.expert.message",
    "dhcp.option.dhcp",
    "dhcp.id",
    "vlan.id",
];

/// The severity from which on tshark warns; below are chats and notes, such as "option 52 is used".
const WARNING: u32 = 0x60_0000;

#[test]
fn tshark_finds_no_fault_in_any_template() {
    let directory = Directory::new();
    let capture = directory.join("templates.pcapng");
    let samples = frames::templates();
    frames::write(&samples, &capture);
    let mut arguments = vec![
        "-o",
        "ip.check_checksum:TRUE",
        "-o",
        "udp.check_checksum:TRUE",
        "-T",
        "fields",
    ];
    arguments.extend(COLUMNS.iter().flat_map(|column| ["-e", column]));
    let text = tshark(&capture, &arguments);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), samples.len(), "tshark reads every frame");
    let mut faults = Vec::new();
    for (sample, line) in samples.iter().zip(lines) {
        let columns: Vec<&str> = line.split('\t').collect();
        let &[ip, udp, malformed, severity, _, kind, xid, vlans] = columns.as_slice() else {
            panic!("{line:?} has not {} columns", COLUMNS.len());
        };
        let frame = Frame::decode(&sample.bytes);
        let read = Message::of(&frame).expect("a template is a message");
        let warned = severity
            .split(',')
            .filter_map(|it| it.parse().ok())
            .any(|it: u32| it >= WARNING);
        let number = read
            .message_type()
            .map(|it| it.to_string())
            .unwrap_or_default();
        let tags: Vec<String> = frame.vlans().map(|it| it.to_string()).collect();
        let good = (ip, udp, malformed) == ("1", "1", "")
            && !warned
            && kind == number
            && xid == format!("{:#010x}", read.bootp.xid)
            && vlans == tags.join(",");
        if !good {
            faults.push(format!("{}\n  {line}", sample.label));
        }
    }
    assert!(
        faults.is_empty(),
        "{} of {}:\n{}",
        faults.len(),
        samples.len(),
        faults.join("\n")
    );
}

#[test]
fn tcpdump_reads_every_template_whole() {
    let directory = Directory::new();
    let capture = directory.join("templates.pcapng");
    let samples = frames::templates();
    frames::write(&samples, &capture);
    let text = tcpdump(&capture);
    for bad in [
        "bad cksum",
        "bad udp cksum",
        "[|",
        "invalid",
        "truncated",
        "trunc]",
        "ERROR",
    ] {
        let found: Vec<&str> = text.lines().filter(|line| line.contains(bad)).collect();
        assert!(
            found.is_empty(),
            "tcpdump says {bad:?}:\n{}",
            found.join("\n")
        );
    }
    let messages = text.matches("BOOTP/DHCP, Re").count();
    assert_eq!(
        messages,
        samples.len(),
        "requests and replies that tcpdump reads"
    );
    let sums = text.matches("[udp sum ok]").count();
    assert_eq!(sums, samples.len(), "UDP checksums that tcpdump finds good");
}

/// What tcpdump prints of a capture.
fn tcpdump(capture: &std::path::Path) -> String {
    let output = Command::new(require("tcpdump"))
        .args(["-n", "-e", "-vv", "-r"])
        .arg(capture)
        .output()
        .expect("tcpdump starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "tcpdump: {errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn the_peers_see_what_is_wrong() {
    let directory = Directory::new();
    let capture = directory.join("wrong.pcapng");
    let arguments = ["discover", "--dry-run", "--raw-options", "3501013d09"];
    let mut samples: Vec<Sample> = frames::written_by(&arguments, &directory);
    samples[0].bytes[24] ^= 1; // the IPv4 header's checksum
    frames::write(&samples, &capture);
    let severities = tshark(
        &capture,
        &[
            "-o",
            "ip.check_checksum:TRUE",
            "-T",
            "fields",
            "-e",
            "_ws.expert.severity",
            "-e",
            "ip.checksum.status",
        ],
    );
    let (severities, status) = severities.trim().split_once('\t').expect("two columns");
    let worst = severities.split(',').filter_map(|it| it.parse().ok()).max();
    assert!(worst >= Some(WARNING), "{severities}");
    assert_eq!(status, "0", "tshark calls a wrong checksum bad");
    let text = tcpdump(&capture);
    assert!(text.contains("bad cksum"), "{text}");
}
