//! Fields, parts, copies, iteration.

use super::support::Talk;

/// A packet to try things on.
const PKT: &str = r#"
pkt = (Ether(src="02:00:5e:10:00:01") / IP(src="192.0.2.1", dst="192.0.2.2") / UDP() / BOOTP(xid=7, chaddr="02:00:5e:10:00:01")
    / DHCP(options=[("message-type", "discover"), ("router", "10.0.0.1"), "end"]))
"#;

fn holds(source: &str) {
    Talk::new().printed(&format!("{PKT}{source}"));
}

#[test]
fn fields_are_read_and_assigned() {
    holds(
        r#"
assert_eq(pkt.xid, 7)
assert_eq(pkt[BOOTP].xid, 7)
assert_eq(pkt[IP].src, "192.0.2.1")
assert_eq(pkt[Ether].src, "02:00:5e:10:00:01")
assert_eq(pkt[UDP].sport, 67)
assert_eq(pkt[BOOTP].chaddr, b"\x02\x00\x5e\x10\x00\x01" + bytes(10))
assert_eq(pkt[IP].chksum, None)
assert_eq(pkt[Ether].type, 0x0800)
pkt.xid = 0x01020304
pkt[IP].ttl = 3
pkt[BOOTP].flags = "B"
pkt[Ether].dst = b"\x02\x00\x5e\x10\x00\x02"
assert_eq(pkt.xid, 0x01020304)
assert_eq(bytes(pkt)[46:50], b"\x01\x02\x03\x04")
assert_eq(pkt[IP].ttl, 3)
assert_eq(pkt[BOOTP].flags, 0x8000)
assert_eq(pkt[Ether].dst, "02:00:5e:10:00:02")
"#,
    );
}

#[test]
fn what_is_set_goes_out_until_it_is_deleted() {
    holds(
        r#"
right = bytes(pkt)
pkt[IP].chksum = 0xdead
pkt[UDP].len = 1
assert_eq(bytes(pkt)[24:26], b"\xde\xad")
assert_eq(bytes(pkt)[38:40], b"\x00\x01")
del pkt[IP].chksum
pkt[UDP].unset("len")
pkt[IP].chksum = 1
pkt[IP].chksum = None
assert_eq(pkt[IP].chksum, None)
# The pseudo-header follows a length of IP, not of UDP.
assert_eq(bytes(pkt), right)
"#,
    );
}

#[test]
fn layers_are_found_and_share_with_the_whole() {
    holds(
        r#"
assert_true(BOOTP in pkt)
assert_true("bootp" in pkt)
assert_true(ARP not in pkt)
assert_true(pkt.haslayer(UDP))
assert_eq(pkt.getlayer(ARP), None)
part = pkt[UDP]
part.dport = 4011
part.payload.hops = 9
assert_eq(pkt[UDP].dport, 4011)
assert_eq(pkt.hops, 9)
assert_true(IP not in part)
assert_eq(pkt.layers(), [Ether, IP, UDP, BOOTP, DHCP])
assert_eq([it.layers()[0] for it in pkt], [Ether, IP, UDP, BOOTP, DHCP])
assert_eq(len(pkt), 14 + 20 + 8 + 236 + 4 + 3 + 6 + 1)
assert_eq(len(pkt[DHCP]), 10)
assert_eq(bytes(pkt).endswith(bytes(pkt[UDP])), True)
"#,
    );
    let error = Talk::new().fails(&format!("{PKT}pkt[ARP]"));
    assert!(
        error
            .text
            .contains("no layer ARP in Ether / IP / UDP / BOOTP / DHCP"),
        "{}",
        error.text
    );
}

#[test]
fn a_copy_is_independent() {
    holds(
        r#"
other = pkt.copy()
assert_eq(other, pkt)
other.xid = 8
other[DHCP].options.append("pad")
assert_eq(pkt.xid, 7)
assert_eq(len(pkt[DHCP].options), 3)
assert_true(other != pkt)
# Stacking copies too.
more = pkt / Raw("x")
more.xid = 9
assert_eq(pkt.xid, 7)
assert_eq(Raw(load="x").load, b"x")
"#,
    );
}

#[test]
fn options_are_attributes() {
    holds(
        r#"
assert_eq(pkt.router, ["10.0.0.1"])
assert_eq(pkt.message_type, "discover")
assert_eq(pkt.lease_time, None)
pkt.router = ["10.0.0.2", "10.0.0.3"]
pkt.lease_time = 3600
pkt.hostname = "x"
assert_eq(pkt[DHCP].options, [("message-type", "discover"), ("router", "10.0.0.2", "10.0.0.3"), ("lease_time", 3600), ("hostname", "x"), "end"])
pkt.router = None
assert_eq(pkt.router, None)
pkt.router = "10.0.0.9"
assert_eq(pkt[DHCP].options[-2], ("router", "10.0.0.9"))
assert_true(hasattr(pkt, "domain_search"))
assert_true("lease_time" in dir(pkt))
"#,
    );
    let error = Talk::new().fails(&format!("{PKT}pkt.ruoter"));
    assert!(error.text.contains("router"), "{}", error.text);
    let error = Talk::new().fails(&format!("{PKT}pkt.ruoter = 1"));
    assert!(
        error
            .text
            .contains("no field or option `ruoter` (did you mean `router`?)"),
        "{}",
        error.text
    );
}

#[test]
fn a_field_of_that_name_has_it_said_which() {
    for (expression, words) in [
        ("IP(tll=1)", ["no field `tll`", "did you mean `ttl`"]),
        ("IP(ttl=256)", ["IP.ttl", "0 to 255"]),
        ("IP(src=\"10.0.0\")", ["IP.src", "192.0.2.1"]),
        ("BOOTP(op=\"x\")", ["BOOTP.op", "BOOTREQUEST"]),
        ("Ether / IP()", ["Ether is a class", "Ether()"]),
        ("Ether() / IP", ["IP is a class", "IP()"]),
        ("Ether(1)", ["Ether", "bytes to decode"]),
        ("IP(1, 2)", ["IP takes one value", ""]),
    ] {
        let error = Talk::new().value(expression).unwrap_err();
        assert!(
            words.iter().all(|it| error.contains(it)),
            "{expression}: {error}"
        );
    }
}
