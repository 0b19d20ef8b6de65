//! The page about the language is the one that the definitions make, and what it says of Scapy is so.

use std::path::Path;
use std::process::Command;

use dhcpcraft::script::{language, scapy};

/// Set to write the page anew.
const UPDATE: &str = "UPDATE_LANGUAGE";

#[test]
fn the_page_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/LANGUAGE.md");
    let page = language::page();
    if std::env::var_os(UPDATE).is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &page).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == page,
        "samples/LANGUAGE.md is stale: {UPDATE}=1 cargo test --test language"
    );
}

fn run(source: &str) -> Result<String, String> {
    let output = Command::new(env!("CARGO_BIN_EXE_dhcpcraft"))
        .args(["run", "-c", source])
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match output.status.success() {
        true => Ok(text(&output.stdout)),
        false => Err(text(&output.stderr)),
    }
}

const PACKET: &str = "pkt = Ether()/IP(src=\"0.0.0.0\", dst=\"255.255.255.255\")/UDP(sport=68, dport=67)/BOOTP(xid=7)/DHCP(options=[(\"message-type\", \"discover\"), \"end\"])\nmac = \"02:00:5e:10:00:01\"\nreply = discover().reply\nans = [pkt]\n";

/// Every piece of code in the comparison, ours of it.
#[test]
fn what_is_said_to_run_runs() {
    let rows = scapy::SAME
        .iter()
        .chain(scapy::DIFFERENT.iter().map(|it| &it.1));
    let mut ran = 0;
    for row in rows {
        for code in row.split('`').skip(1).step_by(2) {
            // Names of functions, words of the prompt, and statements' first words are no programs.
            let program = code.contains(['(', '=', '[']) || code.contains(" in ");
            if !program || code.starts_with(".") || code.contains("eth0") {
                continue;
            }
            let code = match code {
                "f\"{xid}\"" => "xid = 7\nf\"{xid}\"",
                "sniff(lfilter=lambda p: DHCP in p)" => {
                    "sniff(lfilter=lambda p: DHCP in p, timeout=1)"
                }
                "ans[0][1]" => "ans, unans = srp(pkt)\nans[0][1]",
                code => code,
            };
            run(&format!("{PACKET}{code}")).unwrap_or_else(|it| panic!("{code}: {it}"));
            ran += 1;
        }
    }
    assert!(ran >= 18, "only {ran} were found");
}

#[test]
fn what_is_said_to_differ_differs() {
    for (source, wanted) in [
        ("while True: pass", "while"),
        ("try:\n    x = 1\nexcept: pass", "try"),
        ("class A: pass", "class"),
        ("with x: pass", "with"),
        ("import os", "import"),
        ("f\"{pkt.xid:08x}\"", "f"),
    ] {
        let error = run(&format!("{PACKET}{source}")).expect_err(source);
        assert!(error.contains(wanted), "{source}: {error}");
    }
    for (source, wanted) in [
        ("hex(7)", "\"0x7\"\n"),
        ("hex(\"0102\")", "b\"\\x01\\x02\"\n"),
        ("raw(pkt)[:2].hex()", "\"ffff\"\n"),
        ("\"%x\" % 255", "\"ff\"\n"),
        (
            "ans, unans = srp(pkt, timeout=1)\n[type(ans), type(ans[0]), type(unans)]",
            "[\"list\", \"tuple\", \"list\"]\n",
        ),
        ("reply.router", "[\"192.0.2.1\"]\n"),
        ("reply.root_path", ""),
        (
            "pkt[DHCP].options[0] = (\"message-type\", \"request\")\npkt.message_type",
            "\"request\"\n",
        ),
        (
            "pkt[IP].chksum = 1\ndel pkt[IP].chksum\npkt[IP].build().chksum != 1",
            "True\n",
        ),
        (
            "BOOTP(chaddr=mac) == BOOTP(chaddr=hex(\"02005e100001\"))",
            "True\n",
        ),
    ] {
        let out = run(&format!("{PACKET}{source}")).unwrap_or_else(|it| panic!("{source}: {it}"));
        assert_eq!(out, wanted, "{source}");
    }
}
