//! Assertions: what holds, what does not, and what is said of it.

use super::support::{Talk, reason};

#[test]
fn values_are_written_in_many_ways() {
    Talk::new().printed(
        r#"
offer_ = assert_offer(discover(), yiaddr=net("192.0.2.0/24"), router="192.0.2.1", lease_time="1h")
assert_fields(offer_, router=["192.0.2.1"], dns=net("192.0.2.0/24"), lease_time=3600)
assert_fields(offer_, domain_name_servers="192.0.2.53", hostname=None, server_id=True)
assert_fields(offer_, lease_time=lambda it: it > 60, chaddr="02:00:5e:10:00:01")
assert_fields(offer_, **{"IP.ttl": 64, "51": 3600, "lease-time": "60m", "message-type": "OFFER"})
assert_fields(offer_, router=[net("192.0.2.0/30")])
lease = dora()
assert_offer(lease)
assert_ack(lease, yiaddr=offer_.yiaddr)
assert_option_order(offer_, ["message-type", 54, "end"])
expect_nak(request(requested_ip="203.0.113.9"))
expect_silence(1)
expect_silence(discover(interface="lab:silent"))
assert_eq(within(50, lambda: 7), 7)
assert_true(within(50, discover()))
assert_in("10.1.2.3", net("10.0.0.0/8"))
assert_eq("10.1.2.3", net("10.0.0.0/8"))
assert_true("11.0.0.1" not in net("10.0.0.0/8"))
asked = Ether() / IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67) / BOOTP(xid=9, flags="B")
asked = asked / DHCP(options=[("message-type", "discover"), "end"])
assert_eq(expect_offer(asked).xid, 9)
expect_silence(asked, iface="lab:silent", timeout=1)
"#,
    );
}

#[test]
fn what_does_not_hold_is_told_with_its_values() {
    for (source, wanted) in [
        (
            "assert_offer(discover(), router=\"10.0.0.1\")",
            "router is [\"192.0.2.1\"], expected \"10.0.0.1\"",
        ),
        (
            "assert_offer(discover(), yiaddr=net(\"10.0.0.0/8\"))",
            "yiaddr is \"192.0.2.100\", expected net(\"10.0.0.0/8\")",
        ),
        (
            "assert_offer(discover(), hostname=\"x\")",
            "hostname is absent, expected \"x\"",
        ),
        (
            "assert_offer(discover(), hostname=lambda it: len(it) > 1)",
            "hostname is absent, expected a value",
        ),
        (
            "assert_offer(discover(), router=None)",
            "router is [\"192.0.2.1\"], expected none",
        ),
        (
            "assert_offer(discover(), lease_time=lambda it: it > 9000)",
            "lease_time is 3600, which the function",
        ),
        (
            "assert_offer(discover(), ruoter=1)",
            "no field or option `ruoter` (did you mean `router`?)",
        ),
        (
            "assert_offer(discover(), **{\"UPD.sport\": 67})",
            "UPD.sport: no layer UPD",
        ),
        (
            "assert_ack(discover())",
            "expected an ACK, got OFFER  192.0.2.100",
        ),
        ("assert_nak(None)", "there was no reply"),
        ("assert_nak(7)", "int is no packet and no exchange"),
        (
            "assert_offer(discover(interface=\"lab:silent\"))",
            "there was no reply to DISCOVER",
        ),
        ("expect_silence(discover())", "expected silence, got OFFER"),
        (
            "assert_option_order(discover(), [\"router\", \"server-id\"])",
            "server-id stands before router",
        ),
        (
            "assert_option_order(discover(), [\"hostname\"])",
            "hostname is absent",
        ),
        ("assert_option_order(discover(), [\"hostnam\"])", "hostname"),
        (
            "within(0.1, discover())",
            "took 0.3 ms, expected 0.1 ms at most",
        ),
        ("within(1, 7)", "int is no exchange and no function"),
        ("assert_ne(1, 1)", "both are 1"),
        ("assert_in(1, [2])", "1 is not in [2]"),
        ("assert_eq(1, 2, \"why\")", "1 is not 2"),
        ("net(\"10.0.0.0/33\")", "`10.0.0.0/33` is no network"),
        ("skip(\"no server\")", "skipped: no server"),
    ] {
        let error = Talk::new().fails(source);
        assert!(
            reason(&error.text).contains(wanted),
            "{source}: {}",
            error.text
        );
        assert_eq!(error.exit_code, 1, "{source}");
    }
}

#[test]
fn an_expected_list_that_holds_itself_ends() {
    let error = Talk::new().fails("x = []\nx.append(x)\nassert_offer(discover(), router=x)");
    assert!(error.text.contains("error: "), "{}", error.text);
}

#[test]
fn packets_are_compared_field_by_field() {
    let error = Talk::new()
        .fails("a = discover().reply\nb = a.copy()\nb.yiaddr = \"10.0.0.9\"\nassert_eq(a, b)");
    assert!(
        error
            .text
            .contains("BOOTP.yiaddr: 192.0.2.100 is not 10.0.0.9"),
        "{}",
        error.text
    );
    let failure = error.why.failure.expect("an assertion");
    assert!(
        failure
            .differences
            .iter()
            .any(|it| it.name == "BOOTP.yiaddr")
    );
    assert_eq!(error.why.places[0].line, 4);
}
