//! What `lint` says of udhcpc, dhclient and dhcpcd, and of `serve` that answers them: what the RFCs say too, and
//! nothing else. Each obtains, renews and releases a lease over veth.

mod support;

use std::path::PathBuf;

use serde_json::Value as Json;
use support::clients::{Dhclient, PATIENCE, Tool, address, dhcpcd, renewal, udhcpc};
use support::expect_within;
use support::segment::Segment;
use support::tool::{text, tool};

/// `serve --lint`, which records what it does.
struct Judged {
    serve: Tool,
    file: PathBuf,
}

impl Judged {
    #[track_caller]
    fn start(segment: &Segment, args: &[&str]) -> Judged {
        let file = segment.directory().join("exchange.pcapng");
        let own = ["-w", text(&file), "--lint"];
        let serve = Tool::start(segment, "serve", &[&own, args].concat());
        Judged { serve, file }
    }

    /// Waits for the RELEASE that ends the exchange, and for exactly these findings: of every severity in the
    /// capture, and those that are no notes from the server as it ran, which fails for them.
    #[track_caller]
    fn expect(self, wanted: &[&str]) {
        self.serve
            .expect("a RELEASE", |it| it["message"]["type"] == "RELEASE");
        for kind in ["DISCOVER", "OFFER", "REQUEST", "ACK"] {
            assert!(self.serve.count(kind) > 0, "no {kind}");
        }
        assert!(self.serve.count("ACK") > 1, "no renewal");
        let ended = self.serve.stop();
        let frames = tool(&["show", "--json", text(&self.file)])
            .succeeded()
            .json();
        let line = |it: &Json| {
            let number = it["frame"].as_u64().expect("a number") as usize;
            let kind = &frames[number - 1]["message"]["type"];
            let text = |it: &Json| it.as_str().unwrap_or("-").to_string();
            format!(
                "{} {}: {}, {}",
                text(kind),
                text(&it["severity"]),
                text(&it["place"]),
                text(&it["rule"])
            )
        };
        let lint = tool(&["lint", "--json", "--severity", "note", text(&self.file)]);
        let found: Vec<String> = lint.json().iter().map(line).collect();
        assert_eq!(found, wanted, "{:#?}", lint.json());

        let told = ended.out.lines();
        let told = told.map(|it| serde_json::from_str::<Json>(it).expect("JSON"));
        let told: Vec<String> = told
            .filter(|it| !it["rule"].is_null())
            .map(|it| line(&it))
            .collect();
        let severe = found.into_iter().filter(|it| !it.contains(" note: "));
        assert_eq!(told, severe.collect::<Vec<_>>(), "{}", ended.err);
        assert_eq!(
            ended.code,
            Some(i32::from(!told.is_empty())),
            "{}",
            ended.err
        );
    }
}

/// A client's unicast goes through its machine's own UDP socket, and a veth has no card that finishes the
/// checksum: on the wire of RFC 768 it would be right, in this capture it is not, and lint tells the two apart.
const RENEWAL_UNFINISHED: &str = "REQUEST note: UDP.chksum, checksum-unfinished";
const RELEASE_UNFINISHED: &str = "RELEASE note: UDP.chksum, checksum-unfinished";

#[test]
fn nothing_of_udhcpc() {
    let segment = Segment::new();
    let judged = Judged::start(&segment, &["-o", "router=10.77.0.1"]);
    let (client, bound) = udhcpc(&segment);
    expect_within("a lease", PATIENCE, || address(&bound).is_some());
    client.signal("USR1");
    judged.serve.expect("a renewal", renewal);
    expect_within("two ACKs", PATIENCE, || judged.serve.count("ACK") == 2);
    client.signal("TERM");
    judged.expect(&[RENEWAL_UNFINISHED, RELEASE_UNFINISHED]);
}

#[test]
fn of_dhclient_the_hostname_in_its_release() {
    let segment = Segment::new();
    // Longer than it takes for one renewal and shorter than for two.
    let judged = Judged::start(&segment, &["--lease-time", "16s"]);
    let dhclient = Dhclient::new(&segment);
    let client = dhclient.start();
    judged.serve.expect("a renewal at T1", renewal);
    expect_within("its ACK", PATIENCE, || judged.serve.count("ACK") == 2);
    drop(client);
    dhclient.release();
    judged.expect(&[
        RENEWAL_UNFINISHED,
        // Debian's dhclient sends the host name with every message. In table 5 of RFC 2131 it is one of "all others",
        // which a RELEASE MUST NOT have.
        "RELEASE warning: hostname, client-option-forbidden",
        RELEASE_UNFINISHED,
    ]);
}

#[test]
fn nothing_of_dhcpcd() {
    let segment = Segment::new();
    let args = ["--lease-time", "24s", "-o", "router=10.77.0.1"];
    let judged = Judged::start(&segment, &args);
    let client = dhcpcd(&segment);
    judged.serve.expect("a renewal at T1", renewal);
    expect_within("its ACK", PATIENCE, || judged.serve.count("ACK") == 2);
    client.signal("ALRM");
    // It sends through packet sockets, checksums and all.
    judged.expect(&[]);
}
