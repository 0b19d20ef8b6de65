//! Bytes as Python has them.

use super::support::Talk;

#[test]
fn bytes_are_values() {
    for (expression, wanted) in [
        (r#"b"\x01\xff".hex()"#, "01ff"),
        (r#"hex(b"\x01")"#, "01"),
        (r#"hex(255)"#, "0xff"),
        (r#"b"abc"[0]"#, "97"),
        (r#"b"abc"[-1]"#, "99"),
        (r#"b"abc"[1:]"#, r#"b"bc""#),
        (r#"b"abcdef"[1:5:2]"#, r#"b"bd""#),
        (r#"b"abc"[::-1]"#, r#"b"cba""#),
        (r#"b"abcdef"[-1:-5:-2]"#, r#"b"fd""#),
        (r#"b"abc"[5:]"#, r#"b"""#),
        (r#"b"a" + b"b""#, r#"b"ab""#),
        (r#"b"ab" * 2"#, r#"b"abab""#),
        (r#"2 * b"ab""#, r#"b"abab""#),
        (r#"b"ab" * -1"#, r#"b"""#),
        (r#"b"b" in b"abc""#, "True"),
        (r#"97 in b"abc""#, "True"),
        (r#"300 in b"abc""#, "False"),
        (r#"b"" in b"abc""#, "True"),
        (r#"b"a" < b"b""#, "True"),
        (r#"b"a" == "a""#, "False"),
        (r#"sorted([b"b", b"a"])"#, r#"[b"a", b"b"]"#),
        (r#"len(b"abc")"#, "3"),
        (r#"list(b"ab")"#, "[97, 98]"),
        (r#"{b"a": 1}[b"a"]"#, "1"),
        (r#"b"caf\xc3\xa9".decode()"#, "café"),
        (r#"b"\xff".decode()"#, "\u{fffd}"),
        (r#"b"abc".startswith(b"ab")"#, "True"),
        (r#"b"abc".endswith("bc")"#, "True"),
        (r#"b"abc".find(b"c")"#, "2"),
        (r#"b"abc".find(b"x")"#, "-1"),
        (r#"bytes("é")"#, r#"b"\xc3\xa9""#),
        ("bytes([1, 2])", r#"b"\x01\x02""#),
        ("bytes(3)", r#"b"\x00\x00\x00""#),
        ("bytes(20)", "bytes(20)"),
        (r#"bytes(Raw("x"))"#, r#"b"x""#),
        (r#"raw(Raw("x"))"#, r#"b"x""#),
        (r#"True if b"" else False"#, "False"),
        (r#"b"\"\\\n""#, r#"b"\"\\\x0a""#),
    ] {
        assert_eq!(
            Talk::new().value(expression).as_deref(),
            Ok(wanted),
            "{expression}"
        );
    }
}

#[test]
fn wrong_bytes_say_why() {
    for (expression, words) in [
        ("bytes(-1)", "no number of bytes"),
        ("bytes(10**9)", ""),
        ("bytes(1000000000)", "no number of bytes"),
        ("bytes([256])", "0 to 255"),
        ("bytes({})", "bytes are made of"),
        ("b\"a\"[1]", "out of"),
        ("b\"abc\"[::0]", "steps of 0"),
        ("b\"ab\" * 100000000", "16 MiB"),
        ("b\"a\" + \"b\"", "not supported"),
        ("b\"a\" < \"b\"", "not supported"),
    ] {
        let error = Talk::new().value(expression).unwrap_err();
        assert!(
            error.to_lowercase().contains(&words.to_lowercase()),
            "{expression}: {error}"
        );
    }
}
