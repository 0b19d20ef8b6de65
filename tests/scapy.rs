//! A layer expression builds byte for byte what Scapy 2.8 builds for it.
//!
//! One Python evaluates random expressions, and every exception of ours from Scapy; the language evaluates the same text.

#[path = "support/exceptions.rs"]
mod exceptions;
#[path = "support/expressions.rs"]
mod expressions;
#[path = "support/option_expressions.rs"]
mod option_expressions;
#[path = "support/python.rs"]
mod python;
#[path = "support/scapy_names.rs"]
mod scapy_names;
#[path = "support/script.rs"]
mod script;

use dhcpcraft::script::Engine;
use exceptions::EXCEPTIONS;
use expressions::Expressions;
use python::scapy;
use scapy_names::{
    ETHERTYPES, HARDWARE, ICMP, PORTS, PROTOCOLS, TEXT_OPTIONS, TYPED_OPTIONS, Value,
};
use script::Talk;

/// What the language builds.
fn ours(engine: &Engine, expression: &str) -> Result<String, String> {
    script::value(engine, &format!("bytes({expression}).hex()"))
}

/// Every expression where either side fails, or both build something else.
fn differences(expressions: &[String]) -> Vec<String> {
    let talk = Talk::new();
    let engine = Engine::new(&talk.host);
    let mut found = Vec::new();
    for (expression, scapy) in expressions.iter().zip(scapy(expressions)) {
        let ours = ours(&engine, expression);
        if ours.is_err() || ours != scapy {
            found.push(format!(
                "{expression}\n  scapy {scapy:?}\n  ours  {ours:?}\n"
            ));
        }
    }
    found
}

#[track_caller]
fn assert_same(expressions: &[String]) {
    let found = differences(expressions);
    let first: Vec<_> = found.iter().take(10).map(String::as_str).collect();
    assert!(
        found.is_empty(),
        "{} of {} differ, among them\n{}",
        found.len(),
        expressions.len(),
        first.join("\n")
    );
}

#[test]
fn random_expressions_build_what_scapy_builds() {
    let mut random = Expressions::new(0x5ca9);
    let all: Vec<String> = (0..2500).map(|_| random.expression()).collect();
    assert_same(&all);
}

/// `pkt[UDP]` keeps the checksum that its IP header gives it.
#[test]
fn a_part_builds_what_it_is_in_the_whole() {
    let mut random = Expressions::new(0x9a27);
    let all = std::iter::repeat_with(|| random.expression()).filter(|it| it.contains("UDP("));
    let mut parts = Vec::new();
    for (number, whole) in all.take(300).enumerate() {
        let layer = ["UDP", "UDP", "IP", "BOOTP"][number % 4];
        if whole.contains(&format!("{layer}(")) {
            parts.push(format!("({whole})[{layer}]"));
        }
    }
    assert_same(&parts);
}

#[test]
fn every_option_of_scapy_takes_scapys_values() {
    let mut random = Expressions::new(0x0d4c);
    let mut all = Vec::new();
    let texts = TEXT_OPTIONS.iter().map(|name| (*name, Value::Text));
    for (name, kind) in texts.chain(TYPED_OPTIONS.iter().copied()) {
        for count in [1, 1, 1, 2, 3] {
            let values: Vec<_> = (0..count).map(|_| random.value(kind)).collect();
            all.push(format!(
                "DHCP(options=[(\"{name}\", {}), \"end\"])",
                values.join(", ")
            ));
        }
    }
    assert_same(&all);
}

#[test]
fn every_name_of_a_value_is_scapys() {
    let mut all = Vec::new();
    let mut each = |layer: &str, more: &str, field: &str, names: &[&str]| {
        all.extend(
            names
                .iter()
                .map(|name| format!("{layer}({more}{field}=\"{name}\")")),
        );
    };
    let ends = "src=\"02:00:5e:10:00:01\", dst=\"02:00:5e:10:00:02\", ";
    each("Ether", ends, "type", ETHERTYPES);
    each("Dot1Q", "", "type", ETHERTYPES);
    each(
        "IP",
        "src=\"192.0.2.1\", dst=\"192.0.2.2\", ",
        "proto",
        PROTOCOLS,
    );
    each("UDP", "", "sport", PORTS);
    each("UDP", "", "dport", PORTS);
    each("BOOTP", "", "htype", HARDWARE);
    each("BOOTP", "", "op", &["BOOTREQUEST", "BOOTREPLY"]);
    let kinds: Vec<&str> = ICMP.iter().map(|it| it.0.trim_matches('"')).collect();
    let named: Vec<&str> = kinds
        .into_iter()
        .filter(|it| it.parse::<u8>().is_err())
        .collect();
    each("ICMP", "", "type", &named);
    for (kind, codes) in ICMP {
        each("ICMP", &format!("type={kind}, "), "code", codes);
    }
    let operations = [
        "who-has",
        "is-at",
        "RARP-req",
        "RARP-rep",
        "Dyn-RARP-req",
        "Dyn-RAR-rep",
        "Dyn-RARP-err",
        "InARP-req",
        "InARP-rep",
    ];
    each(
        "ARP",
        "hwsrc=\"02:00:5e:10:00:01\", psrc=\"192.0.2.1\", ",
        "op",
        &operations,
    );
    assert_same(&all);
}

/// The table is exact: every exception still is one, and of the kind that its reason speaks of.
#[test]
fn exceptions_differ_from_scapy() {
    let all: Vec<String> = EXCEPTIONS
        .iter()
        .map(|it| it.expression.to_string())
        .collect();
    let talk = Talk::new();
    let engine = Engine::new(&talk.host);
    let mut wrong = Vec::new();
    for (it, theirs) in EXCEPTIONS.iter().zip(scapy(&all)) {
        let ours = ours(&engine, it.expression).map_err(|_| ());
        let wanted = it.ours.map(str::to_string).ok_or(());
        let theirs = theirs.map_err(|_| ());
        if ours != wanted || theirs == ours {
            wrong.push(format!(
                "{} ({})\n  scapy {theirs:?}\n  ours  {ours:?}\n",
                it.expression, it.reason
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
