//! The lab from a script: sending, listening, captures, and commands as functions.

use std::process::Command;

use super::support::Talk;

const DISCOVER: &str = r#"
discover_ = (Ether() / IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67)
    / BOOTP(xid=0x1234, chaddr="02:00:5e:10:00:01", flags="B")
    / DHCP(options=[("message-type", "discover"), "end"]))
"#;

fn holds(source: &str) -> String {
    Talk::new().printed(&format!("{DISCOVER}{source}"))
}

#[test]
fn answers_come_back() {
    holds(
        r#"
offer_ = srp1(discover_, timeout=2, verbose=0)
assert_eq(offer_[BOOTP].op, 2)
assert_eq(offer_.xid, 0x1234)
assert_eq(offer_.message_type, "offer")
assert_eq(offer_.yiaddr, "192.0.2.100")
assert_eq(offer_.router, ["192.0.2.1"])
answered, silent = srp(discover_, timeout=2, verbose=0)
assert_eq(len(answered), 1)
assert_eq(len(silent), 0)
sent, got = answered[0]
assert_eq(sent.xid, got.xid)
assert_eq(sent[Ether].src, "02:00:5e:10:00:01")
"#,
    );
}

#[test]
fn silence_is_none() {
    holds(
        r#"
interface("lab:silent")
assert_eq(srp1(discover_, timeout=1), None)
answered, silent = srp([discover_], timeout=1)
assert_eq((len(answered), len(silent)), (0, 1))
assert_eq(sniff(timeout=1), [])
"#,
    );
}

#[test]
fn sniff_filters_calls_and_stops() {
    let printed = holds(
        r#"
interface("lab:two-servers")
sendp(discover_, verbose=0)
heard = sniff(timeout=2, lfilter=lambda it: BOOTP in it, prn=lambda it: it.server_id)
assert_eq([it.message_type for it in heard], ["offer", "offer"])
sendp(discover_, verbose=0)
assert_eq(len(sniff(count=1, timeout=2)), 1)
sendp(discover_, verbose=0)
assert_eq(len(sniff(timeout=2, stop_filter=lambda it: True)), 1)
"#,
    );
    assert_eq!(printed, "192.0.2.1\n192.0.2.66\n");
}

#[test]
fn captures_are_written_and_read() {
    let directory = std::env::temp_dir().join(format!("dhcpcraft-lab-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    for name in ["a.pcap", "a.pcapng"] {
        let path = directory.join(name);
        holds(&format!(
            r##"
path = "{}"
exchange = dora()
wrpcap(path, exchange.entries)
read = rdpcap(path)
assert_eq([bytes(it) for it in read], [bytes(it) for it in exchange.entries])
assert_eq([it.message_type for it in read], ["discover", "offer", "request", "ack"])
assert_eq(bytes(rdpcap("%s#2" % path)[0]), bytes(read[1]))
assert_eq(len(sniff(offline=path, lfilter=lambda it: it[BOOTP].op == 2)), 2)
"##,
            path.display()
        ));
    }
    std::fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn commands_are_functions_with_the_same_frames() {
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_dhcpcraft"))
            .args(arguments)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap()
    };
    for (line, call) in [
        (
            &["discover", "--hostname", "x", "--option", "router=10.0.0.1"][..],
            r#"discover(hostname="x", option=["router=10.0.0.1"], "#,
        ),
        (
            &[
                "request",
                "--requested-ip",
                "10.0.0.9",
                "--secs",
                "3",
                "--broadcast",
                "--vlan",
                "7",
            ],
            r#"request(requested_ip="10.0.0.9", secs=3, broadcast=True, unicast=False, vlan=[7], "#,
        ),
        (
            &[
                "craft",
                "--type",
                "leasequery",
                "--chaddr",
                "02:00:00:00:00:07",
            ],
            r#"craft(type="leasequery", chaddr="02:00:00:00:00:07", "#,
        ),
    ] {
        let shell = run(&[line, &["--dry-run", "--seed", "5", "--format", "json"]].concat());
        let built: serde_json::Value = serde_json::from_str(shell.lines().next().unwrap()).unwrap();
        let call = format!("print(bytes({call}dry_run=True).entries[0]).hex())");
        let script = run(&["run", "--seed", "5", "-c", &call]);
        assert_eq!(built["hex"], script.trim(), "{line:?}");
    }
}

#[test]
fn a_wrong_parameter_says_so() {
    let error = Talk::new().fails("discover(hostnam=\"x\")");
    assert!(error.text.contains("--hostname"), "{}", error.text);
    let error = Talk::new().fails("discover(option=[\"ruoter=1\"])");
    assert!(error.text.contains("router"), "{}", error.text);
    let error = Talk::new().fails("sendp(5)");
    assert!(error.text.contains("int is no packet"), "{}", error.text);
    let error = Talk::new().fails("srp1(Ether(), timeout=\"x\")");
    assert!(
        error.text.contains("timeout is a number of seconds"),
        "{}",
        error.text
    );
}
