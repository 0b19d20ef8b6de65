//! `serve` against clients that nobody here wrote: udhcpc, dhclient and dhcpcd obtain, renew and give
//! back leases, and react to each fault as a client should.

mod support;

use std::fs;
use std::net::Ipv4Addr;

use support::clients::{Dhclient, PATIENCE, Tool, address, dhcpcd, renewal, udhcpc};
use support::expect_within;
use support::segment::Segment;

#[test]
fn udhcpc_obtains_renews_and_releases() {
    let segment = Segment::new();
    let tool = Tool::start(&segment, "serve", &["-o", "router=10.77.0.1"]);
    let (client, bound) = udhcpc(&segment);
    expect_within("a lease", PATIENCE, || address(&bound).is_some());
    client.signal("USR1");
    tool.expect("a renewal", renewal);
    expect_within("two ACKs", PATIENCE, || tool.count("ACK") == 2);
    client.signal("TERM");
    tool.expect("a RELEASE", |it| it["message"]["type"] == "RELEASE");
    assert_eq!(tool.count("NAK"), 0);
}

/// Rules that give what no pool holds, keep silent at first, and refuse a renewal.
const RULES: &str = "\
asked = []

def on_discover(req):
    asked.append(req.xid)
    return offer(req, yiaddr='10.77.0.155', lease_time='10m') if len(asked) > 1 else None

def on_request(req):
    if client_state(req) == 'renewing':
        return nak(req, option='message=begin again')
    return [delay(0.1, ack(req, yiaddr='10.77.0.155', lease_time='10m'))]
";

#[test]
fn rules_decide_what_udhcpc_gets() {
    let segment = Segment::new();
    let rules = segment.directory().join("rules.star");
    fs::write(&rules, RULES).expect("rules");
    let tool = Tool::start(&segment, "serve", &[rules.to_str().expect("UTF-8")]);
    let (client, bound) = udhcpc(&segment);
    let given = Ipv4Addr::new(10, 77, 0, 155);
    expect_within("the lease that the rules give", PATIENCE, || {
        address(&bound) == Some(given)
    });
    assert!(tool.count("DISCOVER") >= 2, "{:#?}", tool.summaries());
    client.signal("USR1");
    tool.expect("a NAK at renewal", |it| it["message"]["type"] == "NAK");
    // RFC 2131 section 4.4.5: a client that is refused begins again.
    expect_within("a new lease", PATIENCE, || tool.count("ACK") == 2);
}

#[test]
fn dhclient_obtains_renews_and_releases() {
    let segment = Segment::new();
    let tool = Tool::start(&segment, "serve", &["--lease-time", "8s"]);
    let dhclient = Dhclient::new(&segment);
    let client = dhclient.start();
    tool.expect("a lease", |it| it["message"]["type"] == "ACK");
    tool.expect("a renewal at T1", renewal);
    expect_within("its ACK", PATIENCE, || tool.count("ACK") >= 2);
    drop(client);
    dhclient.release();
    tool.expect("a RELEASE", |it| it["message"]["type"] == "RELEASE");
    assert_eq!(tool.count("NAK"), 0);
}

#[test]
fn dhcpcd_obtains_renews_and_releases() {
    let segment = Segment::new();
    let tool = Tool::start(
        &segment,
        "serve",
        &["--lease-time", "24s", "-o", "router=10.77.0.1"],
    );
    let client = dhcpcd(&segment);
    tool.expect("a lease", |it| it["message"]["type"] == "ACK");
    tool.expect("a renewal at T1", renewal);
    expect_within("its ACK", PATIENCE, || tool.count("ACK") >= 2);
    client.signal("ALRM");
    tool.expect("a RELEASE", |it| it["message"]["type"] == "RELEASE");
    assert_eq!(tool.count("NAK"), 0);
}

/// What a fault does to udhcpc.
enum Effect {
    /// It gets its lease all the same.
    Lease,
    /// It gets none, and sends so many messages of a type in vain.
    InVain(&'static str, usize),
    /// It renews within seconds.
    Renewal,
    /// It is thrown back to INIT by a NAK.
    Restart,
}

#[test]
fn each_fault_has_its_effect() {
    use Effect::*;
    let cases: &[(&[&str], Effect)] = &[
        (&["duplicate"], Lease),
        (&["delay=700ms"], Lease),
        (&["reorder"], Lease),
        (&["overload"], Lease),
        (&["long-option"], Lease),
        // It assumes an hour.
        (&["no-lease-time"], Lease),
        (&["drop=offer"], InVain("DISCOVER", 2)),
        (&["drop=100%"], InVain("DISCOVER", 2)),
        (&["drop=ack"], InVain("REQUEST", 2)),
        (&["wrong-xid"], InVain("DISCOVER", 2)),
        (&["wrong-chaddr"], InVain("DISCOVER", 2)),
        (&["no-server-id"], InVain("DISCOVER", 2)),
        (&["truncate=200"], InVain("DISCOVER", 2)),
        (&["bad-checksum"], InVain("DISCOVER", 2)),
        // It asks the server that was named, which is not this one.
        (&["wrong-server-id"], InVain("REQUEST", 2)),
        (&["tiny-lease=4"], Renewal),
        (&["tiny-lease=4", "nak-renewal"], Restart),
    ];
    for (faults, effect) in cases {
        let segment = Segment::new();
        let mut args = vec!["-o", "router=10.77.0.1"];
        faults.iter().for_each(|it| args.extend(["--fault", it]));
        let tool = Tool::start(&segment, "serve", &args);
        let (_client, bound) = udhcpc(&segment);
        match effect {
            InVain(kind, times) => {
                expect_within(&format!("{faults:?}: {kind} in vain"), PATIENCE, || {
                    tool.count(kind) >= *times
                });
                assert_eq!(address(&bound), None, "{faults:?}: {:?}", tool.summaries());
            }
            Lease => expect_within(&format!("{faults:?}: a lease"), PATIENCE, || {
                address(&bound).is_some()
            }),
            Renewal => {
                tool.expect("a renewal", renewal);
                expect_within(&format!("{faults:?}: renewed"), PATIENCE, || {
                    tool.count("ACK") >= 2
                });
            }
            Restart => {
                expect_within(&format!("{faults:?}: NAK"), PATIENCE, || {
                    tool.count("NAK") >= 1
                });
                expect_within(&format!("{faults:?}: DISCOVER again"), PATIENCE, || {
                    tool.count("DISCOVER") >= 2
                });
            }
        }
    }
}

#[test]
fn an_address_is_kept_for_its_client() {
    let segment = Segment::new();
    let mac = segment.client_mac().to_string();
    let keep = format!("{mac}=10.77.0.77");
    let _tool = Tool::start(&segment, "serve", &["--reserve", &keep]);
    let (_client, bound) = udhcpc(&segment);
    expect_within("a lease", PATIENCE, || address(&bound).is_some());
    assert_eq!(address(&bound), Some(Ipv4Addr::new(10, 77, 0, 77)));
}
