//! `pkt[DHCP].options` as a list.

use super::support::Talk;

fn holds(source: &str) {
    Talk::new().printed(&format!(
        "pkt = BOOTP() / DHCP(options=[(\"message-type\", \"discover\"), (\"router\", \"10.0.0.1\"), \"end\"])\n\
         options = pkt[DHCP].options\n{source}"
    ));
}

#[test]
fn a_list_is_read() {
    holds(
        r#"
assert_eq(len(options), 3)
assert_eq(options[0], ("message-type", 1))
assert_eq(options[-1], "end")
assert_eq(options[1:], [("router", "10.0.0.1"), "end"])
assert_eq(options[::-1][0], "end")
assert_eq([it for it in options], list(options))
assert_eq(options, [("message-type", "discover"), ("router", "10.0.0.1"), "end"])
assert_true(options != ["end"])
assert_true(("router", "10.0.0.1") in options)
assert_true(("router", "10.0.0.2") not in options)
assert_true("end" in options)
assert_true(5 not in options)
assert_eq(options.index("router"), 1)
assert_eq(options.index("end"), 2)
assert_eq(options.index(("message-type", 1)), 0)
assert_eq(options.index("hostname"), -1)
assert_eq(options + ["pad"], list(options) + ["pad"])
assert_eq(["pad"] + options, ["pad"] + list(options))
assert_eq(str(options), '[("message-type", "discover"), ("router", "10.0.0.1"), "end"]')
"#,
    );
}

#[test]
fn changing_the_list_changes_the_packet() {
    holds(
        r#"
options.append(("hostname", "a"))
options.append(b"\x01")
options.insert(1, ("lease_time", 60))
options.insert(-1, "pad")
options.insert(99, "pad")
assert_eq(bytes(pkt[DHCP]).hex(), "35010133040000003c03040a000001ff0c016100" + "0100")
holds = pkt[DHCP].options
"#,
    );
    holds(
        r#"
assert_eq(options.pop(), "end")
assert_eq(options.pop(0), ("message-type", 1))
options[0] = ("router", "10.0.0.2", "10.0.0.3")
options.extend([("hostname", "b"), "end"])
options[-1] = b"\xff\x00"
assert_eq(bytes(pkt[DHCP]).hex(), "03080a0000020a000003" + "0c0162" + "ff00")
assert_eq(pkt.router, ["10.0.0.2", "10.0.0.3"])
pkt[DHCP].options = ["end"]
assert_eq(len(options), 1)
pkt[DHCP].options += [("hostname", "c")]
assert_eq(bytes(pkt[DHCP]).hex(), "ff" + "0c0163")
"#,
    );
}

#[test]
fn an_element_that_cannot_be_says_why() {
    for (source, words) in [
        ("options.append((\"ruoter\", 1))", "did you mean router"),
        ("options.append(256)", "0 to 255"),
        ("options.append(())", "no option"),
        ("options.append({})", "tuple (NAME, VALUE)"),
        ("options[9]", "out of"),
        ("options.pop(-9)", "out of"),
        ("options[\"x\"]", "index"),
        ("options.extend(5)", "list"),
    ] {
        let source =
            format!("options = (BOOTP() / DHCP(options=[\"end\"]))[DHCP].options\n{source}");
        let error = Talk::new().fails(&source);
        assert!(error.text.contains(words), "{source}: {}", error.text);
    }
}
