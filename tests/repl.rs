//! What the prompt makes of a line: a command, the call that does the same, what may come next.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use dhcpcraft::commands::outcome::{Entry, Sink};
use dhcpcraft::commands::{Command, session::Session};
use dhcpcraft::dhcp::options::{OPTIONS, by_name};
use dhcpcraft::repl::{Completions, Line, Names, as_call, classify, complete};
use dhcpcraft::script::{Host, interpret};
use dhcpcraft::view::Style;
use proptest::prelude::*;

fn words(text: &str) -> Vec<String> {
    text.split(' ').map(str::to_string).collect()
}

#[test]
fn a_line_is_what_it_looks_like() {
    for (text, wanted) in [
        ("discover", Line::Command(words("discover"))),
        (
            "  discover --hostname x ",
            Line::Command(words("discover --hostname x")),
        ),
        (
            "discover -o router=1.2.3.4",
            Line::Command(words("discover -o router=1.2.3.4")),
        ),
        (
            "discover \\\n--hostname x",
            Line::Command(words("discover --hostname x")),
        ),
        ("show a.pcap", Line::Command(words("show a.pcap"))),
        (
            "show \"a b.pcap\"",
            Line::Command(vec!["show".into(), "a b.pcap".into()]),
        ),
        ("help", Line::Word("help", vec![])),
        (
            "help option overload",
            Line::Word("help", words("option overload")),
        ),
        ("set mac random", Line::Word("set", words("mac random"))),
        ("router?", Line::Help("router".into())),
        ("?router", Line::Help("router".into())),
        ("", Line::Empty),
        ("# a note", Line::Empty),
        ("# a note\n# another", Line::Empty),
    ] {
        assert_eq!(classify(text), wanted, "{text:?}");
    }
    for text in [
        "discover()",
        "discover(hostname=\"x\")",
        "discover = 1",
        "discover == 1",
        "discover.x",
        "save = 3",
        "lease[0]",
        "x = 1",
        "from scapy.all import *",
        "del pkt[IP].chksum",
        "for x in y: pass",
        "def f():\n    return 1",
        "größe = 1",
    ] {
        assert_eq!(classify(text), Line::Source(text.into()), "{text:?}");
    }
    for (text, wanted) in [
        ("discover --hostname \"x", "a quote is not closed"),
        ("discovr --hostname x", "did you mean `discover`?"),
        ("relase x", "did you mean `release`?"),
    ] {
        match classify(text) {
            Line::Wrong(reason) => assert!(reason.contains(wanted), "{text:?}: {reason}"),
            other => panic!("{text:?} is {other:?}"),
        }
    }
}

#[test]
fn a_command_is_a_call() {
    for (line, wanted) in [
        ("discover", "discover()"),
        (
            "discover --hostname x --wait",
            "discover(hostname=\"x\", wait=True)",
        ),
        ("discover --hostname=x", "discover(hostname=\"x\")"),
        (
            "discover -o a=1 -ob=2",
            "discover(option=[\"a=1\", \"b=2\"])",
        ),
        ("discover --mac random", "discover(chaddr=\"random\")"),
        ("discover --from f.pcap#2", "discover(from_=\"f.pcap#2\")"),
        (
            "discover -o a=1 --hostname x -o b=2",
            "discover(option=[\"a=1\", \"hostname=x\", \"b=2\"])",
        ),
        ("show - --format tree", "show(\"-\", format=\"tree\")"),
        ("show -- -x", "show(\"-x\")"),
        (
            "explain option overload",
            "explain(\"option\", \"overload\")",
        ),
        (
            "discover --requested-ip 1.2.3.4",
            "discover(requested_ip=\"1.2.3.4\")",
        ),
    ] {
        assert_eq!(as_call(&words(line)), wanted, "{line}");
    }
    let odd = vec![
        "discover".into(),
        "--hostname".into(),
        "a\"\\\n\u{1}é".into(),
    ];
    assert_eq!(as_call(&odd), "discover(hostname=\"a\\\"\\\\\\n\\u0001é\")");
}

/// What is sent first arrives first, however the delays of the lab's frames fall.
#[test]
fn a_declined_address_is_not_offered_again() {
    for seed in 0..12 {
        let style = Style {
            color: false,
            width: 80,
        };
        let out = || Box::new(std::io::sink());
        let chance = Session::new(Some(seed), Arc::new(AtomicBool::new(false)));
        let host = Host::new(chance, out(), out(), style);
        let source = "dora()\ndecline()\nassert_eq(discover().reply.yiaddr, \"192.0.2.101\")";
        interpret(&host, "decline", source, &[]).unwrap_or_else(|it| panic!("{seed}: {}", it.text));
    }
}

struct Collect(Vec<Entry>);

impl Sink for Collect {
    fn entry(&mut self, entry: &Entry) -> std::io::Result<()> {
        self.0.push(entry.clone());
        Ok(())
    }
    fn notice(&mut self, _: &str) {}
}

const SEED: u64 = 7;

fn session() -> Session {
    Session::new(Some(SEED), Arc::new(AtomicBool::new(false)))
}

fn by_command(words: &[String]) -> Option<Vec<Vec<u8>>> {
    let command = Command::parse_words(words).ok()?;
    let mut entries = Collect(Vec::new());
    command.run(&mut session(), &mut entries).ok()?;
    Some(entries.0.into_iter().map(|it| it.bytes).collect())
}

fn by_call(words: &[String]) -> Result<Vec<Vec<u8>>, String> {
    let style = Style {
        color: false,
        width: 80,
    };
    let out = || Box::new(std::io::sink());
    let host = Host::new(session(), out(), out(), style);
    interpret(&host, "call", &as_call(words), &[]).map_err(|it| it.text)?;
    let log = host.log.borrow();
    Ok(log.iter().map(|it| it.bytes.clone()).collect())
}

/// A value that a flag takes, chosen by `pick`.
fn value(arg: &clap::Arg, pick: usize) -> Option<String> {
    let one = |all: &[&str]| Some(all[pick % all.len()].to_string());
    let possible = arg.get_possible_values();
    if !possible.is_empty() {
        return Some(possible[pick % possible.len()].get_name().to_string());
    }
    let id = arg.get_id().as_str();
    if id == "option" {
        let row = &OPTIONS[pick % OPTIONS.len()];
        return Some(format!("{}={}", row.name, row.example));
    }
    if id == "no-option" {
        return Some(OPTIONS[pick % OPTIONS.len()].name.to_string());
    }
    if let Ok(row) = by_name(id)
        && arg
            .get_value_names()
            .is_some_and(|it| it[0].as_str() == "VALUE")
    {
        return Some(row.example.to_string());
    }
    let name = arg.get_value_names()?.first()?.to_string();
    match name.as_str() {
        "MAC" => one(&["02:00:00:00:00:09", "ff-ff-ff-ff-ff-ff"]),
        "MAC|random|native" => one(&["02:00:00:00:00:09", "random", "native"]),
        "IP" => one(&["192.0.2.9", "0.0.0.0", "255.255.255.255"]),
        "N" => one(&["0", "1", "7", "0x10"]),
        "HEX" => one(&["3501", "ff"]),
        "TEXT|hex:…" => one(&["a \"b\"", "hex:0102", "größe"]),
        "ID[:PCP]" => one(&["5", "100:3"]),
        _ => None,
    }
}

const MESSAGES: &[&str] = &[
    "discover", "offer", "request", "ack", "nak", "decline", "release", "inform", "craft",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// A command line and the call made of it build the same frames.
    #[test]
    fn a_call_does_what_its_command_does(
        which in 0..MESSAGES.len(),
        flags in prop::collection::vec((any::<prop::sample::Index>(), any::<usize>(), any::<bool>()), 0..6),
    ) {
        let name = MESSAGES[which];
        let definition = Command::definitions().iter().find(|it| it.get_name() == name).unwrap();
        let all: Vec<_> = definition.get_arguments().filter(|it| {
            !matches!(it.get_id().as_str(), "help" | "interface" | "write" | "from" | "seed" | "interval" | "timeout" | "dry_run" | "count" | "expect" | "lint" | "nagios" | "condition" | "type" | "kind")
        }).collect();
        let mut words = vec![name.to_string(), "--dry-run".to_string(), format!("--seed={SEED}")];
        if name == "craft" {
            words.extend(["--type".to_string(), "forcerenew".to_string()]);
        }
        for (index, pick, joined) in flags {
            let arg = all[index.index(all.len())];
            let Some(long) = arg.get_long() else { continue };
            if !arg.get_action().takes_values() {
                words.push(format!("--{long}"));
            } else if let Some(value) = value(arg, pick) {
                match (joined, arg.get_short()) {
                    (true, _) => words.push(format!("--{long}={value}")),
                    (false, Some(short)) => words.extend([format!("-{short}"), value]),
                    (false, None) => words.extend([format!("--{long}"), value]),
                }
            }
        }
        if let Some(wanted) = by_command(&words) {
            let got = by_call(&words);
            prop_assert_eq!(got.as_ref(), Ok(&wanted), "{} is {}", words.join(" "), as_call(&words));
        }
    }
}

/// A conversation in which something is known.
struct Known;

impl Names for Known {
    fn names(&self) -> Vec<String> {
        let mut all = self.variables();
        all.extend(["sendp", "sniff", "discover", "BOOTP"].map(str::to_string));
        all
    }
    fn variables(&self) -> Vec<String> {
        ["reply", "packet"].map(str::to_string).to_vec()
    }
    fn attributes(&self, expression: &str) -> Vec<String> {
        match expression {
            "reply" | "reply[BOOTP]" => ["xid", "yiaddr", "router"].map(str::to_string).to_vec(),
            _ => Vec::new(),
        }
    }
}

#[test]
fn completion_knows_where_it_is() {
    // Text up to the cursor, where the word begins, and what is among the words.
    for (text, start, wanted) in [
        ("disc", 0, "discover"),
        ("he", 0, "help"),
        ("sen", 0, "sendp"),
        ("discover --host", 9, "--hostname"),
        ("discover -o dns", 12, "dns"),
        ("discover --option=rout", 18, "router"),
        ("discover -o message-type=", 25, "discover"),
        ("discover --request-list router,d", 31, "dns"),
        ("discover --mac ra", 15, "random"),
        ("discover --format ", 18, "json"),
        ("discover -i lab:", 12, "lab:nak"),
        ("craft --type force", 13, "forcerenew"),
        ("show re", 5, "reply"),
        ("explain gia", 8, ""),
        ("set ", 4, "interface"),
        ("set interface lab:t", 14, "lab:taken"),
        ("set mac n", 8, "native"),
        ("help BOO", 5, "BOOTP"),
        ("help sca", 5, "scapy"),
        ("x = BOOTP(yi", 10, "yiaddr="),
        ("BOOTP(op=", 9, "\"BOOTREQUEST\""),
        ("BOOTP(op=\"BOOTR", 10, "BOOTREPLY"),
        ("BOOTP(xid=rep", 10, "reply"),
        ("DHCP(options=[\"e", 15, "end"),
        ("DHCP(options=[(\"mess", 16, "message-type"),
        ("DHCP(options=[(\"message-type\", \"off", 32, "offer"),
        ("discover(host", 9, "hostname="),
        ("discover(fro", 9, "from_="),
        ("reply.x", 6, "xid"),
        ("f(reply[BOOTP].yi", 15, "yiaddr"),
        ("x = 1\nreply.r", 12, "router"),
        ("x = 1\ndiscover --wa", 15, "--wait"),
        ("def f():\n", 9, "    "),
        ("größe = reply.x", 16, "xid"),
    ] {
        let found = complete(text, &Known);
        assert_eq!(found.start, start, "{text:?} gives {found:?}");
        if !wanted.is_empty() {
            assert!(
                found.words.iter().any(|it| it == wanted),
                "{text:?} gives {found:?}"
            );
        }
    }
    for text in [
        "show cap",
        "convert x",
        "discover -w x",
        "discover --from x",
        "rdpcap(\"x",
        "write x",
    ] {
        assert!(complete(text, &Known).files, "{text}");
    }
    for text in ["nothing --x", "discover --hostname x", "\"", "replies x"] {
        let Completions { words, .. } = complete(text, &Known);
        assert!(words.is_empty(), "{text}: {words:?}");
    }
}

proptest! {
    /// Whatever is typed, nothing breaks, and what is offered begins where a character does.
    #[test]
    fn anything_can_be_typed(text in "[ -~äß日\n\t\\\\\"'(\\[.=-]{0,60}") {
        let _ = classify(&text);
        let found = complete(&text, &Known);
        prop_assert!(text.is_char_boundary(found.start));
        let colors = dhcpcraft::repl::highlight(&text);
        let plain: String = strip(&colors);
        prop_assert_eq!(plain, text);
    }

    /// So too behind the beginning of a command.
    #[test]
    fn anything_can_follow_a_command(rest in "[ -~äß日\n\\\\\"'(\\[.=-]{0,40}") {
        for first in ["discover ", "help ", "set ", "BOOTP(", "DHCP(options=[(\""] {
            let text = format!("{first}{rest}");
            let found = complete(&text, &Known);
            prop_assert!(text.is_char_boundary(found.start));
            prop_assert_eq!(strip(&dhcpcraft::repl::highlight(&text)), text);
        }
    }
}

/// Text without its colours.
fn strip(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("\x1b[") {
        out.push_str(&rest[..at]);
        let end = rest[at..].find('m').map_or(rest.len(), |it| at + it + 1);
        rest = &rest[end..];
    }
    out + rest
}
