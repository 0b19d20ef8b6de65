//! Nothing that a script does ends the process other than by an exit code.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use super::run::run;
use super::support::{Talk, value as value_of};
use dhcpcraft::script::Engine;

/// Runs source in a process of its own, which must end by itself with one of these codes.
#[track_caller]
fn ends(source: &str, codes: &[i32]) -> String {
    let (code, out, err) = run(&["-"], source);
    let head: String = source.chars().take(200).collect();
    let tail: String = err.chars().take(600).collect();
    assert!(
        code.is_some_and(|it| codes.contains(&it)),
        "{code:?}\n{head}\n{tail}"
    );
    assert!(!err.contains("panicked"), "{head}\n{tail}");
    out + &err
}

#[test]
fn recursion_has_an_end() {
    let said = ends("def f(): f()\nf()", &[1]);
    assert!(
        said.contains("recursion") || said.contains("stack"),
        "{said}"
    );
    ends("def f(n): return f(n + 1) + 1\nprint(f(0))", &[1]);
    ends("x = []\nx.append(x)\nprint(x)\nbytes(x)", &[1]);
    ends("x = []\nx.append(x)\nDHCP(options=x)", &[1]);
    ends("x = []\nx.append(x)\nDHCP(options=[(12, x)])", &[1]);
    ends("x = []\nx.append(x)\nDHCP(options=[(\"router\", x)])", &[1]);
    ends("x = []\nx.append(x)\ndiscover(option=x)", &[1, 2]);
    ends("x = []\nx.append(x)\nsendp(x)", &[1]);
    ends("x = {}\nx[1] = x\nIP(ttl=x)", &[1]);
    ends("x = {}\nx[1] = x\nshow(x)", &[0, 1]);
}

#[test]
fn depth_has_an_end() {
    let build = "x = []\nfor i in range(20000): x = [x]\n";
    for (source, codes) in [
        ("print(x)", &[0][..]),
        ("print(x == [x])", &[0, 1]),
        ("DHCP(options=[(12, x)])", &[1]),
        ("DHCP(options=[(\"router\", x)])", &[1]),
        ("discover(option=x)", &[1]),
        ("IP(ttl=x)", &[1]),
        ("json.encode(x)", &[1]),
        (
            "y = struct(a=x)\nfor i in range(20000): y = struct(a=y)\njson.encode(y)",
            &[1],
        ),
        (
            "y = []\nfor i in range(200): y = [y, y]\njson.encode(y)",
            &[1],
        ),
    ] {
        ends(&format!("{build}{source}"), codes);
    }
    let many = 100_000;
    for source in [
        format!("x = {}1{}", "(".repeat(many), ")".repeat(many)),
        format!("x = {}1{}", "[".repeat(many), "]".repeat(many)),
        format!("x = 1{}", " + 1".repeat(many)),
        format!("x = Raw(){}", " / Raw()".repeat(many)),
        format!("if 0: pass\n{}", "elif 0: pass\n".repeat(many)),
    ] {
        let said = ends(&source, &[2]);
        assert!(said.contains("nest too deeply"), "{said}");
    }
    // Just within the limit.
    ends(
        &format!("x = {}1{}", "[".repeat(900), "]".repeat(900)),
        &[0],
    );
    ends(&format!("x = 1{}", " + 1".repeat(900)), &[0]);
    ends(&format!("x = {}1", "not ".repeat(900)), &[0]);
    ends(
        &format!("if 0: pass\n{}", "elif 0: pass\n".repeat(900)),
        &[0],
    );
}

#[test]
fn size_has_an_end() {
    for (source, codes) in [
        ("bytes(1000000000)", &[1][..]),
        ("bytes(1 << 40)", &[1]),
        ("b\"x\" * 2147483648", &[1]),
        ("len(b\"x\" * -2147483649)", &[0]),
        ("Raw(b\"x\") / (b\"y\" * (1 << 24))", &[0]),
        ("DHCP(options=[(12, \"a\" * 100000)] * 10)", &[0]),
        ("DHCP(options=[\"pad\"] * 1000000)[DHCP].options", &[0]),
        ("len(DHCP(options=range(256)))", &[1]),
        ("len(DHCP(options=list(range(256))))", &[0]),
        ("IP(ttl=1 << 200)", &[1]),
        ("IP(ttl=-(1 << 200))", &[1]),
        ("DHCP(options=[(\"lease_time\", 1 << 200)])", &[1]),
        ("DHCP(options=[(1 << 200, \"x\")])", &[1]),
        ("DHCP(options=[1 << 200])", &[1]),
        ("b\"abc\"[1 << 200]", &[1]),
        ("b\"abc\"[-(1 << 40):1 << 40:1 << 40]", &[0, 1]),
        ("b\"abc\"[::-2147483648]", &[0, 1]),
        (
            "(BOOTP() / DHCP(options=[\"end\"]))[DHCP].options[-2147483648]",
            &[1],
        ),
        (
            "(BOOTP() / DHCP(options=[\"end\"]))[DHCP].options.insert(-2147483648, \"pad\")",
            &[0],
        ),
        (
            "(BOOTP() / DHCP(options=[\"end\"]))[DHCP].options.pop(-2147483648)",
            &[1],
        ),
        ("sendp(Ether(), count=2147483647)", &[1]),
        ("sendp(Ether(), count=-1)", &[1]),
        ("sendp(Ether(), inter=1e300)", &[1]),
        ("sendp(Ether(), inter=-1)", &[1]),
        ("sleep(1 << 200)", &[1]),
        ("sleep(float(\"nan\"))", &[1]),
        ("sniff(timeout=float(\"inf\"))", &[1]),
        ("sniff(count=-5, timeout=1)", &[0]),
        ("srp1(Ether(), retry=2147483647, timeout=1)", &[0]),
        ("srp1(Ether(), retry=-5, timeout=0)", &[0]),
        ("seed(-1)", &[0]),
    ] {
        ends(source, codes);
    }
}

#[test]
fn ten_thousand_layers_are_a_packet() {
    let source = "tags = Dot1Q(b\"\\x00\\x01\\x81\\x00\" * 10000)\nprint(len(tags.layers()), len(tags))\ntags.summary()\ntags.build()\ntags.show()\n";
    let said = ends(source, &[0]);
    assert!(
        said.starts_with("9999 40000\n") || said.starts_with("10000 40000\n"),
        "{}",
        &said[..said.len().min(100)]
    );
    ends(
        "tags = Dot1Q(b\"\\x00\\x01\\x81\\x00\" * 500)\nlen(tags.command())",
        &[0],
    );
}

/// Longer than any length field can say: built all the same, and nothing that looks at it panics.
#[test]
fn frames_beyond_every_length_field() {
    let talk = Talk::new();
    let source = r#"
big = b"x" * 70000
for pkt in [
    Ether() / IP(src="192.0.2.1", dst="192.0.2.2") / UDP() / big,
    Ether() / IP(src="192.0.2.1", dst="192.0.2.2") / ICMP() / big,
    Ether() / Dot1Q() / IP(options=big) / UDP() / BOOTP(options=big) / DHCP(options=[big, "end"]) / Padding(big),
    Ether() / ARP(hwsrc=big, psrc=big, hwdst=big, pdst=big),
    Ether() / IP() / UDP() / BOOTP() / DHCP(options=[("hostname", big), "end"]),
    Raw(big),
]:
    again = pkt.build()
    assert_eq(bytes(again), bytes(pkt))
    pkt.summary(); pkt.command_line(); pkt.show(); pkt.hexdump(); again.show(); again.summary()
    built = pkt.command()
    assert_true(len(pkt) >= 70000)
    pkt.hostname if DHCP in pkt else None
    sendp(pkt, verbose=0)
    srp1(pkt, timeout=1)
    wrpcap(path, pkt)
    assert_eq(bytes(rdpcap(path)[0]), bytes(pkt))
"#;
    let path = std::env::temp_dir().join(format!("dhcpcraft-big-{}.pcapng", std::process::id()));
    talk.printed(&format!("path = \"{}\"\n{source}", path.display()));
    std::fs::remove_file(&path).unwrap();
}

/// Values of every type, good and bad.
const VALUES: &[&str] = &[
    "None",
    "True",
    "-1",
    "0",
    "1",
    "65536",
    "1 << 70",
    "1.5",
    "float(\"nan\")",
    "\"\"",
    "\"x\"",
    "\"192.0.2.1\"",
    "\"é\\u202e\"",
    "b\"\"",
    "b\"\\x00\\xff\"",
    "bytes(300)",
    "[]",
    "[1]",
    "[[]]",
    "[(\"router\", \"10.0.0.1\")]",
    "()",
    "(1,)",
    "(\"hostname\", [], None)",
    "{}",
    "{\"a\": 1}",
    "set([1])",
    "range(3)",
    "len",
    "print",
    "lambda *a, **k: None",
    "lambda: fail(\"x\")",
    "struct(a=1)",
    "IP",
    "Ether()",
    "IP() / UDP()",
    "BOOTP() / DHCP(options=[(\"message-type\", \"discover\"), \"end\"])",
    "Raw()",
    "Padding(\"x\")",
    "discover",
    "discover(dry_run=True)",
    "(BOOTP() / DHCP(options=[\"end\"]))[DHCP].options",
    "dir",
];

/// Random calls of everything there is, by position and by name, in any number.
#[test]
fn random_calls_with_wrong_values() {
    let directory = std::env::temp_dir().join(format!("dhcpcraft-hostile-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    // Captures written under random names land here; nothing else in this process names a relative path.
    std::env::set_current_dir(&directory).unwrap();
    let mut chance = ChaCha8Rng::seed_from_u64(7);
    let mut below = |end: usize| chance.next_u32() as usize % end;
    let talk = Talk::new();
    let engine = Engine::new(&talk.host);
    let names: Vec<String> = engine.names();
    let methods = [
        "show",
        "show2",
        "hexdump",
        "summary",
        "command",
        "command_line",
        "copy",
        "build",
        "layers",
        "haslayer",
        "getlayer",
        "unset",
        "append",
        "extend",
        "insert",
        "pop",
        "index",
        "hex",
        "decode",
        "startswith",
        "endswith",
        "find",
        "replies",
        "reply",
    ];
    let keywords = [
        "timeout", "count", "options", "src", "ttl", "load", "x", "option", "iface", "chaddr",
        "from_", "type", "inter", "prn", "lfilter",
    ];
    let operators = ["/", "+", "*", "-", "%", "==", "<", "in", "and", "|", "//"];
    let mut failed = 0;
    for _ in 0..3_000 {
        let mut value = || VALUES[below(VALUES.len())];
        let (a, b, c) = (value(), value(), value());
        let source = match below(8) {
            0..3 => {
                let name = &names[below(names.len())];
                let keyword = keywords[below(keywords.len())];
                match below(4) {
                    0 => format!("{name}({a})"),
                    1 => format!("{name}({a}, {b})"),
                    2 => format!("{name}({keyword}={a})"),
                    _ => format!("{name}({a}, {keyword}={b})"),
                }
            }
            3 => {
                let method = methods[below(methods.len())];
                format!("({a}).{method}({})", ["", b][below(2)])
            }
            4 => format!("({a}) {} ({b})", operators[below(operators.len())]),
            5 => format!("({a})[{b}:{c}]"),
            6 => format!(
                "x = {a}\nx.{} = {b}",
                [
                    "xid",
                    "router",
                    "load",
                    "options",
                    "ttl",
                    "message_type",
                    "payload",
                    "nonsense"
                ][below(8)]
            ),
            _ => format!("x = {a}\nx[{b}] = {c}\nfor y in x: str(y)"),
        };
        // Waiting for the user, or for ever, is no harm but takes the test's time.
        if ["sleep(", "serve(", "repl("]
            .iter()
            .any(|it| source.starts_with(it))
        {
            continue;
        }
        failed += usize::from(value_of(&engine, &source).is_err());
        talk.host.settings.borrow_mut().interface = "lab".into();
        talk.out.take();
        talk.err.take();
    }
    assert!(failed > 500, "wrong values are refused: {failed}");
    std::env::set_current_dir("/").unwrap();
    let _ = std::fs::remove_dir_all(&directory);
}
