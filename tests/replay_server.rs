//! `replay --as-server`: what servers said in a recording is said again to clients that are there now.

#[path = "support/frames.rs"]
mod frames;
mod support;

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use dhcpcraft::dhcp::Message;
use dhcpcraft::link::Time;
use dhcpcraft::link::capture::{CaptureReader, Packet};
use dhcpcraft::talk::{Outbox, Outgoing, Player, Recorded, StandIn, StandInConfig, Verdict, steps};
use dhcpcraft::wire::{Dot1Q, Frame, Layer};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value as Json;
use support::clients::{Dhclient, PATIENCE, Running, address, dhcpcd, udhcpc};
use support::expect_within;
use support::segment::{Host, Segment};
use support::tool::{Run, TOOL, scratch, text, tool};

/// Records a run of the lab.
fn recorded(name: &str, args: &[&str]) -> PathBuf {
    let file = scratch(&format!("stand-in-{name}")).join("recorded.pcapng");
    tool(&[args, &["-w", text(&file)]].concat()).succeeded();
    file
}

fn packets(file: &Path) -> Vec<Packet> {
    let mut reader = CaptureReader::open(file).expect("a capture");
    let next = || reader.next_packet().expect("a whole capture");
    std::iter::from_fn(next).collect()
}

/// The frames of a capture, as they were recorded.
fn recording(file: &Path) -> Vec<Recorded> {
    let all = packets(file);
    let first = all[0].at;
    let frame = |(number, it): (u64, &Packet)| Recorded {
        number,
        at: it.at - first,
        frame: Frame::decode(&it.bytes),
    };
    (1..).zip(&all).map(frame).collect()
}

/// The messages of a capture as `show --json` has them.
fn messages(file: &Path) -> Vec<Json> {
    let all = tool(&["show", "--json", text(file)]).succeeded().json();
    all.into_iter()
        .filter(|it| it["message"].is_object())
        .collect()
}

fn types(frames: &[Json]) -> Vec<&str> {
    let types = frames
        .iter()
        .filter_map(|it| it["message"]["type"].as_str());
    types.collect()
}

/// The tool on a machine of a segment.
struct Standing {
    child: Child,
    files: [PathBuf; 2],
    _host: Host,
}

impl Standing {
    #[track_caller]
    fn on(segment: &Segment, args: &[&str]) -> Self {
        let host = segment.host([10, 77, 0, 9].into());
        let files = ["out", "err"].map(|it| segment.directory().join(format!("stand-in.{it}")));
        let [out, err] = files.each_ref();
        let create = |path: &Path| std::fs::File::create(path).expect("a file");
        let child = host
            .command(TOOL)
            .args(["replay", "--as-server", "-i", host.interface()])
            .args(args)
            .stdin(Stdio::null())
            .stdout(create(out))
            .stderr(create(err))
            .spawn()
            .expect("it starts");
        expect_within("it to answer", PATIENCE, || {
            std::fs::read_to_string(err).is_ok_and(|it| it.contains("answering on"))
        });
        Standing {
            child,
            files,
            _host: host,
        }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = std::process::Command::new("sh")
            .args(["-c", "kill -\"$1\" \"$0\"", &pid, name])
            .status();
        assert!(sent.expect("a shell").success());
    }

    #[track_caller]
    fn end(mut self) -> Run {
        let mut code = None;
        expect_within("its end", PATIENCE, || {
            code = self.child.try_wait().expect("a child");
            code.is_some()
        });
        let [out, err] = self
            .files
            .each_ref()
            .map(|it| std::fs::read_to_string(it).expect("text"));
        Run {
            code: code.and_then(|it| it.code()),
            out,
            err,
        }
    }
}

impl Drop for Standing {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn udhcpc_gets_the_lease_of_a_recording_and_renews_it() {
    // Bound, and renewed once.
    let file = recorded("udhcpc", &["dora", "--hold", "40m"]);
    let segment = Segment::new();
    let live = segment.directory().join("live.pcapng");
    let standing = Standing::on(&segment, &[text(&file), "-w", text(&live)]);
    let (client, bound): (Running, PathBuf) = udhcpc(&segment);
    expect_within("a lease", PATIENCE, || {
        address(&bound) == Some([192, 0, 2, 100].into())
    });
    client.signal("USR1");
    let run = standing.end();
    assert_eq!(run.code, Some(0), "{run:?}");
    let frames = messages(&live);
    let wanted = ["DISCOVER", "OFFER", "REQUEST", "ACK", "REQUEST", "ACK"];
    assert_eq!(types(&frames), wanted, "{run:?}");
    for pair in frames.chunks(2) {
        let [asked, answer] = pair else {
            unreachable!("pairs")
        };
        for key in ["xid", "chaddr"] {
            assert_eq!(asked["message"][key], answer["message"][key]);
        }
        assert_eq!(answer["message"]["chaddr"], segment.client_mac());
        assert_eq!(answer["message"]["yiaddr"], "192.0.2.100");
    }
    // It was renewed by unicast, to a server that is known by ARP alone.
    assert_eq!(frames[4]["message"]["ciaddr"], "192.0.2.100");
    assert_eq!(frames[4]["layers"][1]["dst"], "192.0.2.1");
    // Nothing of what the server says is another, but for whom it says it to.
    let was = messages(&file);
    for (was, is) in was.iter().zip(&frames).skip(1).step_by(2) {
        for key in ["yiaddr", "server_id", "lease_time"] {
            assert_eq!(was["message"][key], is["message"][key]);
        }
    }
    assert_eq!(
        run.out.lines().count(),
        8,
        "the messages, and ARP twice: {run:?}"
    );
}

#[test]
fn dhclient_and_dhcpcd_take_it_too() {
    let file = recorded("others", &["dora"]);
    let was = messages(&file);
    assert!(
        was[3]["options"].to_string().contains("client-id"),
        "it is returned"
    );
    for dhcpcd_asks in [false, true] {
        let segment = Segment::new();
        let live = segment.directory().join("live.pcapng");
        let standing = Standing::on(&segment, &[text(&file), "-w", text(&live)]);
        let dhclient = Dhclient::new(&segment);
        let _client = match dhcpcd_asks {
            true => dhcpcd(&segment),
            false => dhclient.start(),
        };
        let run = standing.end();
        assert_eq!(run.code, Some(0), "{run:?}");
        let frames = messages(&live);
        assert_eq!(types(&frames).last(), Some(&"ACK"), "{run:?}");
        let id = |it: &Json| {
            let all = it["options"].as_array().expect("options").iter();
            let mut all = all.filter(|it| it["code"] == 61);
            all.next().map(|it| it["hex"].to_string())
        };
        // The recorded client sent an identifier and had it returned; these send none.
        assert_eq!(id(&frames[0]), None);
        assert_eq!(id(frames.last().expect("an ACK")), None);
        let held = || {
            let show = [
                "-4",
                "-brief",
                "address",
                "show",
                segment.client_interface(),
            ];
            let shown = segment.client_command("ip").args(show).output();
            String::from_utf8_lossy(&shown.expect("ip").stdout).contains("192.0.2.100/")
        };
        expect_within("the address", PATIENCE, held);
    }
}

#[test]
fn a_live_client_takes_nothing_of_a_capture_that_is_sent_as_it_was() {
    let file = recorded("all", &["dora"]);
    let segment = Segment::new();
    let mut client = segment.client_command("busybox");
    client
        .args([
            "udhcpc",
            "-f",
            "-n",
            "-q",
            "-t",
            "2",
            "-T",
            "1",
            "-s",
            "/bin/true",
        ])
        .args(["-i", segment.client_interface()])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut client = client.spawn().expect("udhcpc starts");
    std::thread::sleep(Duration::from_millis(300));
    let host = segment.host([10, 77, 0, 9].into());
    let mut command = host.command(TOOL);
    command.args(["replay", text(&file), "--all", "-i", host.interface()]);
    support::tool::finish(&mut command, b"").succeeded();
    // Another xid, another MAC: that is what --as-server is for.
    assert_eq!(client.wait().expect("an end").code(), Some(1));
}

#[test]
fn what_does_not_come_is_told_and_an_interrupt_ends_it() {
    let file = recorded("missing", &["dora"]);
    let segment = Segment::new();
    let standing = Standing::on(&segment, &[text(&file), "--timeout", "1s"]);
    standing
        .end()
        .failed(1, &["0 of the 2 recorded messages", "REQUEST, frame 3"]);
    let live = segment.directory().join("live.pcapng");
    let standing = Standing::on(&segment, &[text(&file), "-w", text(&live)]);
    let discover = [
        "discover",
        "-i",
        segment.client_interface(),
        "--print",
        "yiaddr",
    ];
    let mut command = segment.client_command(TOOL);
    let offered = support::tool::finish(command.args(discover), b"").succeeded();
    assert_eq!(offered.out, "192.0.2.100\n");
    standing.signal("INT");
    let run = standing.end();
    assert_eq!(run.code, Some(130), "{run:?}");
    assert!(run.err.contains("1 of the 2 recorded messages"), "{run:?}");
    assert_eq!(types(&messages(&live)), ["DISCOVER", "OFFER"]);
    tool(&["replay", text(&file), "--as-server"]).failed(2, &["-i IFACE"]);
    let silent = [
        "replay",
        "samples/release.pcapng",
        "--as-server",
        "-i",
        "lo",
    ];
    tool(&silent).failed(6, &["no reply of a server"]);
    for other in ["--all", "--follow", "--same", "--rewrite-xid", "--dry-run"] {
        tool(&["replay", text(&file), "--as-server", other]).failed(2, &[other]);
    }
}

#[test]
fn an_identifier_comes_back_as_the_live_client_sent_it() {
    let file = recorded("identifier", &["dora"]);
    let all = recording(&file);
    let stand_in = &mut of(&file, &[]);
    let id = |frame: &Frame| Message::of(frame)?.data(61).map(|it| it.into_owned());
    assert_eq!(id(&all[1].frame), id(&all[0].frame));
    for client in ["hex:ff000000010003000102005e100007", "hex:00"] {
        let args = [
            "discover",
            "--client-id",
            client,
            "--dry-run",
            "--format",
            "hex",
        ];
        let built = tool(&[&args[..], &["--mac", "02:00:00:00:00:07"]].concat()).succeeded();
        let file = scratch("stand-in-built").join("built.hex");
        std::fs::write(&file, built.out).expect("a file");
        let live = file.with_extension("pcapng");
        tool(&["convert", text(&file), text(&live)]).succeeded();
        let live = Frame::decode(&packets(&live)[0].bytes);
        let (_, numbers, frames) = ask(stand_in, &live);
        assert_eq!(numbers, [2]);
        let reply = Frame::decode(&frames[0].frame.encode());
        assert_eq!(id(&reply), id(&live));
        assert!(dhcpcraft::talk::checksum_fault(&reply, false).is_none());
    }
}

/// A stand-in for the servers of a capture.
fn of(file: &Path, vlans: &[u16]) -> StandIn {
    StandIn::new(StandInConfig {
        steps: steps(recording(file), false),
        speed: Some(1.0),
        vlans: vlans.to_vec(),
        ..StandInConfig::default()
    })
}

/// A recorded message of another client, in another transaction, as it comes off the wire.
fn by(frame: &Frame, last: u8, xid: u32) -> Frame {
    let mut frame = frame.clone();
    frame.relax();
    if let Some(bootp) = frame.bootp_mut() {
        bootp.xid = xid;
        bootp.set_client_mac([2, 0, 0, 0, 0, last].into());
    }
    if let Some(udp) = frame.udp_mut() {
        udp.chksum = dhcpcraft::wire::Auto::Unset;
    }
    Frame::decode(&frame.encode())
}

/// What it says of a frame, and the replies: each reply's frame number in the recording.
fn ask(stand_in: &mut StandIn, frame: &Frame) -> (Option<Verdict>, Vec<u64>, Vec<Outgoing>) {
    let mut out = Outbox::default();
    let said = stand_in.receive(Time(1), frame, None, &mut out);
    let number = |it: &Outgoing| {
        let mut words = it.note.split(' ');
        words.find_map(|it| it.parse().ok()).expect("a number")
    };
    let numbers = out.frames.iter().map(number).collect();
    (said, numbers, out.frames)
}

#[test]
fn the_nth_message_of_a_kind_is_answered_as_the_nth_recorded_one() {
    // DISCOVER 1, REQUEST 3, and renewals 5, 7 and 9, each with its reply behind it.
    let file = recorded("order", &["dora", "--hold", "100m"]);
    let all = recording(&file);
    let stand_in = &mut of(&file, &[]);
    let (discover, request, renewal) = (&all[0].frame, &all[2].frame, &all[4].frame);
    for (frame, xid, wanted) in [
        (discover, 50, 2),
        // Repeated, it is answered as before.
        (discover, 50, 2),
        (request, 50, 4),
        (renewal, 51, 6),
        (renewal, 51, 6),
        (renewal, 52, 8),
        (renewal, 53, 10),
    ] {
        assert!(!stand_in.done());
        let (said, numbers, frames) = ask(stand_in, &by(frame, 7, xid));
        assert_eq!(
            (said, numbers),
            (Some(Verdict::Part), vec![wanted]),
            "xid {xid}"
        );
        let reply = Frame::decode(&frames[0].frame.encode());
        let message = Message::of(&reply).expect("a message");
        assert_eq!(message.bootp.xid, xid);
        assert_eq!(message.bootp.client_mac().octets(), [2, 0, 0, 0, 0, 7]);
        let recorded = all[wanted as usize - 1].at - all[wanted as usize - 2].at;
        assert_eq!(frames[0].delay, recorded);
    }
    assert!(stand_in.done() && stand_in.missing().is_none());
    assert_eq!(stand_in.progress(), (5, 5));
    // Behind the end the last answer goes on.
    assert_eq!(ask(stand_in, &by(renewal, 7, 54)).1, [10]);
    // The only part is given away.
    let (said, numbers, _) = ask(stand_in, &by(discover, 8, 60));
    assert!(numbers.is_empty());
    assert!(matches!(said, Some(Verdict::Stray(it)) if it.contains("only client is another one")));
    // What it has no answer for.
    let decline = packets(Path::new("samples/decline.pcapng"));
    let decline = decline
        .iter()
        .map(|it| Frame::decode(&it.bytes))
        .find(|it| Message::of(it).and_then(|it| it.message_type()) == Some(4));
    let (said, ..) = ask(stand_in, &by(&decline.expect("a DECLINE"), 7, 61));
    assert_eq!(
        said,
        Some(Verdict::Stray("the recording has no DECLINE".into()))
    );
}

#[test]
fn a_renewal_that_was_not_recorded_is_acknowledged_as_the_request_was() {
    let file = recorded("no-renewal", &["dora"]);
    let renewed = recorded("renewal", &["dora", "--hold", "40m"]);
    let (all, renewal) = (recording(&file), recording(&renewed)[4].frame.clone());
    let stand_in = &mut of(&file, &[]);
    assert_eq!(ask(stand_in, &by(&all[0].frame, 7, 1)).1, [2]);
    assert_eq!(ask(stand_in, &by(&all[2].frame, 7, 1)).1, [4]);
    assert_eq!(ask(stand_in, &by(&renewal, 7, 2)).1, [4]);
}

#[test]
fn what_the_recorded_client_had_to_repeat_the_live_one_has_to_as_well() {
    // The first two DISCOVERs were not answered.
    let file = recorded("repeated", &["dora"]);
    let mut all = recording(&file);
    let first = all[0].clone();
    all.splice(0..0, [first.clone(), first]);
    let recording: Vec<Recorded> = (1..)
        .zip(all)
        .map(|(number, it)| Recorded { number, ..it })
        .collect();
    let discover = recording[0].frame.clone();
    let config = StandInConfig {
        steps: steps(recording, false),
        ..StandInConfig::default()
    };
    let stand_in = &mut StandIn::new(config);
    let asked = [(); 4].map(|()| ask(stand_in, &by(&discover, 7, 9)).1);
    assert_eq!(asked, [vec![], vec![], vec![4], vec![4]]);
}

#[test]
fn each_live_client_has_a_part_of_its_own_and_replies_have_its_tags() {
    let mac = "02:00:5e:50:00:00+";
    let file = recorded("many", &["dora", "--clients", "3", "--mac", mac, "--quiet"]);
    let all = recording(&file);
    let discovers = all
        .iter()
        .filter(|it| Message::of(&it.frame).and_then(|it| it.message_type()) == Some(1));
    let discovers: Vec<&Frame> = discovers.map(|it| &it.frame).collect();
    let stand_in = &mut of(&file, &[20]);
    let address = |frames: &[Outgoing]| frames[0].frame.bootp().map(|it| it.yiaddr);
    let tagged = |frame: &Frame, vlan: u16| {
        let mut frame = frame.clone();
        if let Some(ether) = frame.ether_mut() {
            ether.ethertype = dhcpcraft::wire::Auto::Unset;
        }
        let tag = Dot1Q {
            vlan,
            ..Dot1Q::default()
        };
        frame.layers.insert(1, Layer::from(tag));
        Frame::decode(&frame.encode())
    };
    // Who has the address of a recorded client has its part.
    let own = ask(stand_in, &tagged(discovers[1], 20));
    assert_eq!(address(&own.2), Some([192, 0, 2, 101].into()));
    let tags: Vec<u16> = Frame::decode(&own.2[0].frame.encode()).vlans().collect();
    assert_eq!(tags, [20]);
    // Others have the next that is free.
    let next = ask(stand_in, &tagged(&by(discovers[0], 7, 1), 20));
    assert_eq!(address(&next.2), Some([192, 0, 2, 100].into()));
    let last = ask(stand_in, &tagged(&by(discovers[0], 8, 2), 20));
    assert_eq!(address(&last.2), Some([192, 0, 2, 102].into()));
    let (said, ..) = ask(stand_in, &tagged(&by(discovers[0], 9, 3), 20));
    assert!(matches!(said, Some(Verdict::Stray(it)) if it.contains("3 clients are other ones")));
    assert_eq!(ask(stand_in, &tagged(discovers[0], 30)).0, None);
    assert_eq!(ask(stand_in, discovers[0]).0, None);
}

proptest! {
    #[test]
    fn whatever_is_recorded_and_whatever_asks_it_answers_within_bounds(
        all in vec((frames::frame(), 0..2u32, 0..3u8, 1..3u8), 0..16),
        live in vec((frames::frame(), 0..2u32, 0..5u8), 0..32),
    ) {
        let meet = |(mut frame, xid, last, op): (Frame, u32, u8, u8)| {
            if let Some(bootp) = frame.bootp_mut() {
                (bootp.xid, bootp.op, bootp.hlen) = (xid, op, 6);
                bootp.set_client_mac([2, 0, 0, 0, 0, last].into());
            }
            Frame::decode(&frame.encode())
        };
        let recording = (1..).zip(all).map(|(number, it)| Recorded {
            number,
            at: Duration::from_millis(number),
            frame: meet(it),
        });
        let config = StandInConfig {
            steps: steps(recording.collect(), false),
            ..StandInConfig::default()
        };
        let most = config.steps.iter().map(|it| it.replies.len()).max().unwrap_or(0).max(1);
        let mut stand_in = StandIn::new(config);
        for (frame, xid, last) in live {
            let frame = meet((frame, xid, last, 1));
            let mut out = Outbox::default();
            stand_in.receive(Time(1), &frame, None, &mut out);
            prop_assert!(out.frames.len() <= most);
            for it in out.frames {
                it.frame.encode();
            }
        }
        let (came, of) = stand_in.progress();
        prop_assert!(came <= of);
    }
}
