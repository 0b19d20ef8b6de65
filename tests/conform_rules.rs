//! `conform` against servers that go wrong in one way each, by rules for the lab's server: it tells of that one way,
//! with the checks that the RFCs have for it, and of nothing else.

mod support;

use std::collections::BTreeSet;

use support::tool::{Run, scratch, text, tool};

/// What the rules share.
const SHARED: &str = r#"
OFFER, ACK, NAK = 2, 5, 6

# The clients so far.
SEEN = {}

def is_kind(reply, kind):
    return reply != None and reply[DHCP].options[0] == ("message-type", kind)

def put(reply, *more):
    for it in more:
        reply[DHCP].options.insert(1, it)
    return reply

def without(reply, *names):
    reply[DHCP].options = [it for it in reply[DHCP].options if type(it) != "tuple" or it[0] not in names]
    return reply

def wants(req, code):
    return code in (req.param_req_list or [])

# The reply with other bytes from its BOOTP header on.
def with_body(reply, body):
    return Ether(src=reply[Ether].src, dst=reply[Ether].dst) / IP(src=reply[IP].src, dst=reply[IP].dst) / UDP(sport=67, dport=68) / Raw(load=body)
"#;

/// A run against a server that does this to its `reply` to each message of a type, `req`.
fn ruled(name: &str, message: &str, spoil: &str, more: &[&str]) -> Run {
    let rule = format!(
        "def on_{message}(req):\n    SEEN[req.src] = 1\n    reply = answer(req)\n    return spoil(req, reply) if reply != None else None\n"
    );
    let source = format!("{SHARED}\ndef spoil(req, reply):\n    {spoil}\n\n{rule}");
    let file = scratch(&format!("conform-rules-{name}")).join("rules.star");
    std::fs::write(&file, source).expect("the rules");
    let cast = format!("lab:{}", text(&file));
    let args = ["conform", "--json", "--quiet", "--seed", "1", "-i", &cast];
    tool(&[&args[..], more].concat())
}

/// What is not as it should be, or worth knowing: `S-FLD-02 fail`.
fn amiss(run: &Run) -> BTreeSet<String> {
    let rows = run.json();
    let rows = rows.iter().filter_map(|it| {
        let result = it["result"].as_str()?;
        let told = matches!(result, "fail" | "warn" | "note");
        told.then(|| format!("{} {result}", it["id"].as_str().unwrap_or_default()))
    });
    rows.collect()
}

/// A way to go wrong: a name, the message whose replies it is about, what is done to them, and what is told of it.
type Case = (
    &'static str,
    &'static str,
    &'static str,
    &'static [&'static str],
);

/// All checks but those that a server has to survive, which take most of the time.
#[rustfmt::skip]
const ABOUT_REPLIES: &[&str] = &[
    "--only", "S-FLD", "--only", "S-DLV", "--only", "S-OFR", "--only", "S-REQ", "--only", "S-INF", "--only", "S-OVL",
    "--only", "S-RTE", "--only", "S-ID", "--only", "S-RAI", "--only", "S-V6O", "--only", "S-RCM", "--only", "S-REL",
];

const DISCOVER: &str = "discover";
const REQUEST: &str = "request";
const INFORM: &str = "inform";

const CASES: &[Case] = &[
    // What comes is no OFFER that a client could use.
    (
        "cookie",
        DISCOVER,
        r#"body = raw(reply[BOOTP])
    return with_body(reply, body[:236] + b"\x63\x82\x53\x00" + body[240:])"#,
        &["S-FLD-16 fail", "S-OFR-01 fail"],
    ),
    (
        "bootp",
        DISCOVER,
        r#"reply[DHCP].options = [("subnet_mask", "255.255.255.0"), "end"]
    return reply"#,
        &["S-OFR-01 fail"],
    ),
    (
        "bootp-without-options",
        DISCOVER,
        r#"return with_body(reply, raw(reply[BOOTP])[:236] + bytes(64))"#,
        &["S-OFR-01 fail"],
    ),
    (
        "offer-port",
        DISCOVER,
        r#"reply[UDP].sport = 6767
    return reply"#,
        &["S-FLD-18 fail", "S-OFR-01 fail"],
    ),
    // The ACK alone is wrong.
    (
        "ack-secs",
        REQUEST,
        r#"if is_kind(reply, ACK):
        reply[BOOTP].secs = 7
    return reply"#,
        &["S-FLD-05 fail"],
    ),
    (
        "ack-hops",
        REQUEST,
        r#"if is_kind(reply, ACK):
        reply[BOOTP].hops = 1
    return reply"#,
        &["S-FLD-04 fail"],
    ),
    (
        "ack-flags",
        REQUEST,
        r#"if is_kind(reply, ACK):
        reply[BOOTP].flags = reply[BOOTP].flags ^ 0x1234
    return reply"#,
        &["S-FLD-13 fail"],
    ),
    (
        "ack-address",
        REQUEST,
        r#"if is_kind(reply, ACK):
        put(reply, ("requested_addr", "192.0.2.1"))
    return reply"#,
        &["S-OFR-02 fail"],
    ),
    (
        "ack-list",
        REQUEST,
        r#"if is_kind(reply, ACK):
        put(reply, (55, b"\x01\x03"))
    return reply"#,
        &["S-OFR-02 fail"],
    ),
    (
        "ack-size",
        REQUEST,
        r#"if is_kind(reply, ACK):
        put(reply, ("max_dhcp_size", 1500))
    return reply"#,
        &["S-OFR-02 fail"],
    ),
    (
        "ack-twice",
        REQUEST,
        r#"if is_kind(reply, ACK):
        put(reply, (224, b"1"), (224, b"1"))
    return reply"#,
        &["S-OFR-14 fail"],
    ),
    (
        "ack-order",
        REQUEST,
        r#"if is_kind(reply, ACK):
        routers = [it for it in reply[DHCP].options if type(it) == "tuple" and it[0] == "router"]
        put(without(reply, "router"), *routers)
    return reply"#,
        &["S-OFR-16 fail"],
    ),
    (
        "ack-endless",
        REQUEST,
        r#"if is_kind(reply, ACK):
        reply[DHCP].options = [it for it in reply[DHCP].options if it != "end"]
    return reply"#,
        &["S-FLD-16 fail"],
    ),
    (
        "ack-long",
        REQUEST,
        r#"if is_kind(reply, ACK):
        put(reply, (224, bytes(255)), (225, bytes(255)))
    return reply"#,
        &["S-OVL-05 fail"],
    ),
    (
        "ack-elsewhere",
        REQUEST,
        r#"if is_kind(reply, ACK):
        reply[Ether].dst = "02:00:00:00:be:ef" if reply.ciaddr == "0.0.0.0" else reply[Ether].dst
    return reply"#,
        &["S-DLV-01 warn", "S-DLV-02 warn"],
    ),
    (
        "ack-cookie",
        REQUEST,
        r#"if is_kind(reply, ACK):
        body = raw(reply[BOOTP])
        return with_body(reply, body[:236] + b"\x63\x82\x53\x00" + body[240:])
    return reply"#,
        &["S-FLD-16 fail", "S-RCM-01 fail", "S-REQ-01 fail"],
    ),
    (
        "ack-port",
        REQUEST,
        r#"if is_kind(reply, ACK):
        reply[UDP].sport = 6767
    return reply"#,
        &["S-FLD-18 fail", "S-RCM-01 fail", "S-REQ-01 fail"],
    ),
    (
        "ack-length",
        REQUEST,
        r#"if is_kind(reply, ACK):
        reply[UDP].len = 9
    return reply"#,
        &["S-FLD-21 fail", "S-RCM-01 fail", "S-REQ-01 fail"],
    ),
    (
        "ack-checksum",
        REQUEST,
        r#"if is_kind(reply, ACK):
        reply[UDP].chksum = 0xbad1
    return reply"#,
        &["S-FLD-22 fail", "S-RCM-01 fail", "S-REQ-01 fail"],
    ),
    // The NAK alone.
    (
        "nak-secs",
        REQUEST,
        r#"if is_kind(reply, NAK):
        reply[BOOTP].secs = 7
    return reply"#,
        &["S-FLD-05 fail"],
    ),
    (
        "nak-hops",
        REQUEST,
        r#"if is_kind(reply, NAK):
        reply[BOOTP].hops = 1
    return reply"#,
        &["S-FLD-04 fail"],
    ),
    (
        "nak-flags",
        REQUEST,
        r#"if is_kind(reply, NAK):
        reply[BOOTP].flags = reply[BOOTP].flags ^ 0x1234
    return reply"#,
        &["S-DLV-06 fail", "S-FLD-13 fail"],
    ),
    (
        "nak-endless",
        REQUEST,
        r#"if is_kind(reply, NAK):
        reply[DHCP].options = [it for it in reply[DHCP].options if it != "end"]
    return reply"#,
        &["S-FLD-16 fail"],
    ),
    // The answer to an INFORM alone.
    (
        "inform-silent",
        INFORM,
        r#"return None"#,
        &["S-INF-01 warn"],
    ),
    (
        "inform-elsewhere",
        INFORM,
        r#"reply[IP].dst = "192.0.2.250"
    return reply"#,
        &["S-INF-01 warn", "S-INF-06 warn"],
    ),
    (
        "inform-nameless",
        INFORM,
        r#"return without(reply, "server_id")"#,
        &["S-INF-12 fail"],
    ),
    (
        "inform-hops",
        INFORM,
        r#"reply[BOOTP].hops = 1
    return reply"#,
        &["S-FLD-04 fail"],
    ),
    (
        "inform-list",
        INFORM,
        r#"return put(reply, (55, b"\x01\x03"))"#,
        &["S-OFR-02 fail"],
    ),
    (
        "inform-endless",
        INFORM,
        r#"reply[DHCP].options = [it for it in reply[DHCP].options if it != "end"]
    return reply"#,
        &["S-FLD-16 fail"],
    ),
    // Options that a server may be set up to send, and what none is.
    (
        "configured",
        DISCOVER,
        r#"return put(reply, *[(it, b"\xc0\x00\x02\x05") for it in (69, 70, 74) if wants(req, it)])"#,
        &[],
    ),
    (
        "empty",
        DISCOVER,
        r#"return put(reply, (69, b"")) if wants(req, 69) else reply"#,
        &["S-OFR-13 fail"],
    ),
    (
        "made-up",
        DISCOVER,
        r#"return put(reply, *[(it, bytes(4)) for it in (req.param_req_list or []) if 104 < it and it < 224 and it not in (119, 120, 121)])"#,
        &["S-OFR-13 fail"],
    ),
    // RFC 8925 section 3.3: no address for who can do without, and for nobody else.
    (
        "ipv6-mostly",
        DISCOVER,
        r#"if wants(req, 108):
        put(without(reply, "lease_time", "renewal_time", "rebinding_time"), (108, bytes(4)))
        reply[BOOTP].yiaddr = "0.0.0.0"
    return reply"#,
        &[],
    ),
    (
        "no-address",
        DISCOVER,
        r#"if wants(req, 108):
        reply[BOOTP].yiaddr = "0.0.0.0"
    return reply"#,
        &["S-OFR-01 fail"],
    ),
    // RFC 2132 section 9.10: 576 bytes where a client says less.
    (
        "small",
        DISCOVER,
        r#"if (req.max_dhcp_size or 576) < 576:
        put(reply, (224, bytes(255)), (225, bytes(255)))
    return reply"#,
        &["S-OVL-05 fail"],
    ),
    (
        "deaf-to-small",
        DISCOVER,
        r#"return None if (req.max_dhcp_size or 576) < 576 else reply"#,
        &[],
    ),
    // RFC 3442: 10.0.192.0/17.
    (
        "route-bits",
        DISCOVER,
        r#"if wants(req, 121):
        put(without(reply, "router"), (121, b"\x11\x0a\x00\xc0\xc0\x00\x02\x01"))
    return reply"#,
        &["S-RTE-04 note"],
    ),
];

#[test]
fn each_way_to_go_wrong_breaks_the_checks_about_it_and_no_others() {
    let sound = amiss(&tool(&["conform", "--json", "--quiet", "--seed", "1"]));
    let mut wrong = Vec::new();
    for (name, message, spoil, meant) in CASES {
        let run = ruled(name, message, spoil, ABOUT_REPLIES);
        let found = amiss(&run);
        let more: Vec<&str> = found.difference(&sound).map(String::as_str).collect();
        let fails = meant.iter().any(|it| it.ends_with("fail"));
        if more != *meant || run.code != Some(i32::from(fails)) {
            wrong.push(format!(
                "{name}: {more:?}, exit code {:?} {}",
                run.code,
                run.err.trim()
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A server that gives no OFFER is never one that does well, whichever checks are made; and it is told why none of
/// what comes is one.
#[test]
fn no_usable_offer_is_never_well() {
    for (name, spoil, why) in [
        (
            "bare",
            "reply[DHCP].options = [\"end\"]\n    return reply",
            "it has no option 53, as of a BOOTP server",
        ),
        (
            "ports",
            "reply[UDP].sport = 6767\n    return reply",
            "it comes from port 6767, not 67",
        ),
        (
            "xid",
            "reply[BOOTP].xid = 7\n    return reply",
            "its xid is 0x7, that of the DISCOVER ",
        ),
        (
            "nak",
            "reply[DHCP].options[0] = (\"message-type\", NAK)\n    return reply",
            "it is NAK",
        ),
    ] {
        let junit = scratch("conform-rules-junit").join(format!("{name}.xml"));
        let more = ["--only", "S-REQ-01", "--junit", text(&junit)];
        let run = ruled(name, DISCOVER, spoil, &more);
        assert_eq!(run.code, Some(3), "{name}: {run:?}");
        let total = run.json().pop().expect("a total");
        let trouble = total["server"]["trouble"].as_str().unwrap_or_default();
        let told = format!("what it sends is no usable OFFER: {why}");
        assert!(trouble.starts_with(&told), "{name}: {total}");
        let report = std::fs::read_to_string(&junit).expect("a report");
        assert!(report.contains("no usable OFFER: "), "{name}: {report}");
        let run = ruled(name, DISCOVER, spoil, &["--only", "S-OFR-01"]);
        assert_eq!(run.code, Some(1), "{name}: {run:?}");
        let row = run.json().remove(0);
        assert!(
            row["detail"].as_str().is_some_and(|it| it.contains(why)),
            "{row}"
        );
        assert_ne!(row["frames"], serde_json::json!([]), "{name}");
    }
}

/// Three hundred clients, not fifty, ask at once in the lab.
#[test]
fn a_server_that_a_flood_silences() {
    let spoil = "return None if len(SEEN) > 200 else reply";
    let run = ruled("flood", DISCOVER, spoil, &["--only", "S-ROB-12"]);
    assert_eq!(amiss(&run), BTreeSet::from(["S-ROB-12 fail".to_string()]));
}

/// The lengths that S-ROB-10 sends are wrong, and nothing else about them is.
#[test]
fn wrong_lengths_are_sent() {
    let capture = scratch("conform-rules-lengths").join("run.pcapng");
    let args = [
        "conform",
        "--quiet",
        "--seed",
        "1",
        "--only",
        "S-ROB-10",
        "-w",
        text(&capture),
    ];
    tool(&args).succeeded();
    let linted = tool(&["lint", text(&capture), "--json"]);
    for rule in ["ip-length", "udp-length"] {
        let found = linted.json();
        let count = found.iter().filter(|it| it["rule"] == rule).count();
        assert!(count >= 8, "{rule}: {count} of {linted:?}");
    }
}
