//! What clients that nobody here wrote make of a server that misbehaves: replies that overtake each other, that name no
//! server, no time or a very short one. samples/README.md tells what they do; where a client does something else, both
//! are to change.

mod support;

use std::fs;
use std::path::PathBuf;

use serde_json::Value as Json;
use support::clients::{Dhclient, PATIENCE, Running, Tool, dhcpcd, renewal, udhcpc};
use support::expect_within;
use support::segment::Segment;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Udhcpc,
    Dhclient,
    Dhcpcd,
}

const ALL: [Kind; 3] = [Kind::Udhcpc, Kind::Dhclient, Kind::Dhcpcd];

/// A client that was started where the server does these things wrong.
struct Stage {
    _client: Running,
    tool: Tool,
    segment: Segment,
}

impl Stage {
    fn new(kind: Kind, rules: Option<&str>, faults: &[&str]) -> Stage {
        let segment = Segment::new();
        let mut args: Vec<String> = vec!["-o".into(), "router=10.77.0.200".into()];
        if let Some(rules) = rules {
            let file: PathBuf = segment.directory().join("rules.star");
            fs::write(&file, rules).expect("rules");
            args.insert(0, file.to_str().expect("UTF-8").into());
        }
        args.extend(faults.iter().map(|it| format!("--fault={it}")));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let tool = Tool::start(&segment, "serve", &args);
        let client = match kind {
            Kind::Udhcpc => udhcpc(&segment).0,
            Kind::Dhclient => Dhclient::new(&segment).start(),
            Kind::Dhcpcd => dhcpcd(&segment),
        };
        Stage {
            _client: client,
            tool,
            segment,
        }
    }

    /// Whether the client's interface has an address.
    fn bound(&self) -> bool {
        let mut ip = self.segment.client_command(support::require("ip"));
        let show = ["-4", "-brief", "address", "show", "dev"];
        let output = ip.args(show).arg(self.segment.client_interface()).output();
        let output = output.expect("ip starts");
        String::from_utf8_lossy(&output.stdout).contains("10.77.0.")
    }

    #[track_caller]
    fn expect_bound(&self, kind: Kind) {
        expect_within(&format!("{kind:?}: an address"), PATIENCE, || self.bound());
    }

    /// Waits until the client has begun again; it never used the address.
    #[track_caller]
    fn expect_restart(&self, kind: Kind) {
        expect_within(&format!("{kind:?}: DISCOVER again"), PATIENCE, || {
            self.tool.count("DISCOVER") >= 2
        });
        assert!(!self.bound(), "{kind:?}: {:?}", self.tool.summaries());
    }

    /// The first message of a type.
    #[track_caller]
    fn first(&self, kind: Kind, what: &str) -> Json {
        let of_type = |it: &Json| it["message"]["type"] == what;
        self.tool.expect(&format!("{kind:?}: a {what}"), of_type);
        let all = self.tool.messages();
        all.into_iter().find(of_type).expect("it was there")
    }
}

/// Rules that say two things at once, of which the second overtakes the first where the server reorders.
const TWICE: &str = "\
def on_discover(req):
    return [offer(req, yiaddr='10.77.0.150'), offer(req, yiaddr='10.77.0.160')]

def on_request(req):
    return [ack(req), nak(req)]
";

#[test]
fn a_reply_that_is_overtaken_comes_too_late_but_for_dhclients_ack() {
    for kind in ALL {
        let stage = Stage::new(kind, Some(TWICE), &["reorder"]);
        // The first offer that comes is the one that it takes.
        let request = stage.first(kind, "REQUEST");
        assert_eq!(
            request["message"]["requested_ip"], "10.77.0.160",
            "{kind:?}"
        );
        match kind {
            // It was refused, and takes the ACK that comes behind the NAK all the same.
            Kind::Dhclient => stage.expect_bound(kind),
            _ => stage.expect_restart(kind),
        }
        let sent = stage.tool.messages();
        let of = |it: &Json, xid: &Json| it["direction"] == "sent" && it["message"]["xid"] == *xid;
        let xid = &request["message"]["xid"];
        let sent: Vec<&Json> = sent.iter().filter(|it| of(it, xid)).collect();
        let order: Vec<_> = sent
            .iter()
            .map(|it| it["message"]["type"].as_str())
            .collect();
        let order: Vec<_> = order.into_iter().flatten().take(4).collect();
        assert_eq!(order, ["OFFER", "OFFER", "NAK", "ACK"], "{kind:?}");
        for (it, held) in sent.iter().zip([false, true, false, true]) {
            let note = it["comment"].as_str().unwrap_or_default();
            assert_eq!(note.contains("held back"), held, "{kind:?}: {it}");
        }
    }
}

#[test]
fn without_reordering_the_same_replies_lead_to_a_lease_of_the_first_offer() {
    let stage = Stage::new(Kind::Udhcpc, Some(TWICE), &[]);
    let request = stage.first(Kind::Udhcpc, "REQUEST");
    assert_eq!(request["message"]["requested_ip"], "10.77.0.150");
    stage.expect_bound(Kind::Udhcpc);
}

#[test]
fn an_offer_that_names_no_server_is_asked_for() {
    for kind in ALL {
        let stage = Stage::new(kind, None, &["no-server-id"]);
        let request = stage.first(kind, "REQUEST");
        let server = &request["message"]["server_id"];
        match kind {
            // A server that nobody is: it does not get far.
            Kind::Udhcpc => {
                assert_eq!(*server, "0.0.0.0", "{request}");
                stage.expect_restart(kind);
            }
            // As if it came from INIT-REBOOT.
            _ => {
                assert_eq!(*server, Json::Null, "{request}");
                stage.expect_bound(kind);
            }
        }
    }
}

#[test]
fn an_ack_without_a_lease_time_is_taken_for_an_hour_for_ever_or_not_at_all() {
    for kind in ALL {
        let stage = Stage::new(kind, None, &["no-lease-time"]);
        stage.first(kind, "ACK");
        match kind {
            Kind::Dhclient => {
                stage.expect_restart(kind);
                // It bars the server from then on.
                assert_eq!(
                    stage.tool.count("REQUEST"),
                    1,
                    "{:?}",
                    stage.tool.summaries()
                );
            }
            _ => stage.expect_bound(kind),
        }
    }
}

#[test]
fn a_tiny_lease_is_renewed_in_time_but_by_udhcpc() {
    for kind in ALL {
        let stage = Stage::new(kind, None, &["tiny-lease=4"]);
        let since = |it: &Json| it["since"].as_f64().expect("a time");
        let leased = since(&stage.first(kind, "ACK"));
        stage.tool.expect(&format!("{kind:?}: a renewal"), renewal);
        let all = stage.tool.messages();
        let renewed = all.iter().find(|it| renewal(it)).map(since);
        let after = renewed.expect("a renewal") - leased;
        // Its T1 is no shorter than ten seconds and some, however short the lease is.
        assert_eq!(
            after > 4.0,
            kind == Kind::Udhcpc,
            "{kind:?}: after {after} s"
        );
    }
}

#[test]
fn an_offer_that_is_for_another_or_broken_is_not_taken() {
    let faults = ["wrong-xid", "wrong-chaddr", "bad-checksum", "truncate=200"];
    // Clients wait for seconds before they ask again, so all of them do at once.
    std::thread::scope(|scope| {
        for (kind, fault) in ALL.iter().flat_map(|kind| faults.map(|it| (*kind, it))) {
            scope.spawn(move || {
                let stage = Stage::new(kind, None, &[fault]);
                stage.expect_restart(kind);
                assert_eq!(stage.tool.count("REQUEST"), 0, "{kind:?}, {fault}");
            });
        }
    });
}
