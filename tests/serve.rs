//! `serve` against clients that nobody here wrote: udhcpc, dhclient and dhcpcd obtain, renew and give
//! back leases, and react to each fault as a client should.

mod support;

use std::fs;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use support::clients::{
    Dhclient, PATIENCE, Running, Tool, address, dhcpcd, own_state, renewal, udhcpc, udhcpc_script,
};
use support::segment::{Host, Segment};
use support::{expect_within, tshark};

#[test]
fn udhcpc_obtains_renews_and_releases() {
    let segment = Segment::new();
    let tool = Tool::start(&segment, "serve", &["-o", "router=10.77.0.1"]);
    let (client, bound) = udhcpc(&segment);
    expect_within("a lease", PATIENCE, || address(&bound).is_some());
    client.signal("USR1");
    tool.expect("a renewal", renewal);
    expect_within("two ACKs", PATIENCE, || tool.count("ACK") == 2);
    client.signal("TERM");
    tool.expect("a RELEASE", |it| it["message"]["type"] == "RELEASE");
    assert_eq!(tool.count("NAK"), 0);
}

/// Rules that give what no pool holds, keep silent at first, and refuse a renewal.
const RULES: &str = "\
asked = []

def on_discover(req):
    asked.append(req.xid)
    return offer(req, yiaddr='10.77.0.155', lease_time='10m') if len(asked) > 1 else None

def on_request(req):
    if client_state(req) == 'renewing':
        return nak(req, option='message=begin again')
    return [delay(0.1, ack(req, yiaddr='10.77.0.155', lease_time='10m'))]
";

#[test]
fn rules_decide_what_udhcpc_gets() {
    let segment = Segment::new();
    let rules = segment.directory().join("rules.star");
    fs::write(&rules, RULES).expect("rules");
    let tool = Tool::start(&segment, "serve", &[rules.to_str().expect("UTF-8")]);
    let (client, bound) = udhcpc(&segment);
    let given = Ipv4Addr::new(10, 77, 0, 155);
    expect_within("the lease that the rules give", PATIENCE, || {
        address(&bound) == Some(given)
    });
    assert!(tool.count("DISCOVER") >= 2, "{:#?}", tool.summaries());
    client.signal("USR1");
    tool.expect("a NAK at renewal", |it| it["message"]["type"] == "NAK");
    // RFC 2131 section 4.4.5: a client that is refused begins again.
    expect_within("a new lease", PATIENCE, || tool.count("ACK") == 2);
}

#[test]
fn dhclient_obtains_renews_and_releases() {
    let segment = Segment::new();
    let tool = Tool::start(&segment, "serve", &["--lease-time", "8s"]);
    let dhclient = Dhclient::new(&segment);
    let client = dhclient.start();
    tool.expect("a lease", |it| it["message"]["type"] == "ACK");
    tool.expect("a renewal at T1", renewal);
    expect_within("its ACK", PATIENCE, || tool.count("ACK") >= 2);
    drop(client);
    dhclient.release();
    tool.expect("a RELEASE", |it| it["message"]["type"] == "RELEASE");
    assert_eq!(tool.count("NAK"), 0);
}

#[test]
fn dhcpcd_obtains_renews_and_releases() {
    let segment = Segment::new();
    let tool = Tool::start(
        &segment,
        "serve",
        &["--lease-time", "24s", "-o", "router=10.77.0.1"],
    );
    let client = dhcpcd(&segment);
    tool.expect("a lease", |it| it["message"]["type"] == "ACK");
    tool.expect("a renewal at T1", renewal);
    expect_within("its ACK", PATIENCE, || tool.count("ACK") >= 2);
    client.signal("ALRM");
    tool.expect("a RELEASE", |it| it["message"]["type"] == "RELEASE");
    assert_eq!(tool.count("NAK"), 0);
}

/// What a fault does to udhcpc.
enum Effect {
    /// It gets its lease all the same; the replies are as the fault wants them.
    Lease(fn(&[Json]) -> bool),
    /// It gets none, and sends so many messages of a type in vain.
    InVain(&'static str, usize),
    /// It renews within seconds.
    Renewal,
    /// It is thrown back to INIT by a NAK.
    Restart,
}

/// Seconds since the first frame, the DISCOVER.
fn since(message: &Json) -> f64 {
    message["since"].as_f64().expect("a time")
}

fn says(message: &Json, what: &str) -> bool {
    message["comment"]
        .as_str()
        .is_some_and(|it| it.contains(what))
}

fn options(message: &Json) -> &[Json] {
    message["options"].as_array().map_or(&[], Vec::as_slice)
}

fn has(message: &Json, code: u64) -> bool {
    options(message).iter().any(|it| it["code"] == code)
}

/// Whether options stand in `file`.
fn moved(message: &Json) -> bool {
    options(message).iter().any(|it| it["place"] == "file")
}

/// Whether option 224 has 300 bytes.
fn long(message: &Json) -> bool {
    let pieces = options(message).iter().filter(|it| it["code"] == 224);
    pieces.filter_map(|it| it["length"].as_u64()).sum::<u64>() == 300
}

#[test]
fn each_fault_has_its_effect() {
    use Effect::*;
    let cases: &[(&[&str], Effect)] = &[
        (
            &["duplicate"],
            Lease(|sent| sent.len() == 4 && sent[0]["hex"] == sent[1]["hex"]),
        ),
        (
            &["delay=700ms"],
            Lease(|sent| sent.iter().all(|it| since(it) > 0.7) && since(&sent[1]) > 1.4),
        ),
        // The OFFER waits for a reply that does not come, and goes out when it has waited enough.
        (
            &["reorder"],
            Lease(|sent| since(&sent[0]) >= 1.0 && says(&sent[0], "held back")),
        ),
        (
            &["overload"],
            Lease(|sent| sent.iter().all(|it| has(it, 52) && moved(it))),
        ),
        (&["long-option"], Lease(|sent| sent.iter().all(long))),
        // It assumes an hour.
        (
            &["no-lease-time"],
            Lease(|sent| {
                sent.iter()
                    .all(|it| ![51, 58, 59].iter().any(|code| has(it, *code)))
            }),
        ),
        (&["drop=offer"], InVain("DISCOVER", 2)),
        (&["drop=100%"], InVain("DISCOVER", 2)),
        (&["drop=ack"], InVain("REQUEST", 2)),
        (&["wrong-xid"], InVain("DISCOVER", 2)),
        (&["wrong-chaddr"], InVain("DISCOVER", 2)),
        // It asks a server 0.0.0.0 for the address, and begins again when nobody answers.
        (&["no-server-id"], InVain("REQUEST", 2)),
        (&["truncate=200"], InVain("DISCOVER", 2)),
        (&["bad-checksum"], InVain("DISCOVER", 2)),
        // It asks the server that was named, which is not this one.
        (&["wrong-server-id"], InVain("REQUEST", 2)),
        (&["tiny-lease=4"], Renewal),
        (&["tiny-lease=4", "nak-renewal"], Restart),
    ];
    for (faults, effect) in cases {
        let segment = Segment::new();
        let mut args = vec!["-o", "router=10.77.0.1"];
        faults.iter().for_each(|it| args.extend(["--fault", it]));
        let tool = Tool::start(&segment, "serve", &args);
        let (_client, bound) = udhcpc(&segment);
        match effect {
            InVain(kind, times) => {
                if faults[0] == "no-server-id" {
                    tool.expect("a REQUEST to nobody", |it| {
                        it["message"]["server_id"] == "0.0.0.0"
                    });
                }
                expect_within(&format!("{faults:?}: {kind} in vain"), PATIENCE, || {
                    tool.count(kind) >= *times
                });
                assert_eq!(address(&bound), None, "{faults:?}: {:?}", tool.summaries());
            }
            Lease(spoiled) => {
                expect_within(&format!("{faults:?}: a lease"), PATIENCE, || {
                    address(&bound).is_some()
                });
                let mut sent = tool.messages();
                sent.retain(|it| it["direction"] == "sent");
                assert!(spoiled(&sent), "{faults:?}: {sent:#?}");
            }
            Renewal => {
                tool.expect("a renewal", renewal);
                expect_within(&format!("{faults:?}: renewed"), PATIENCE, || {
                    tool.count("ACK") >= 2
                });
            }
            Restart => {
                expect_within(&format!("{faults:?}: NAK"), PATIENCE, || {
                    tool.count("NAK") >= 1
                });
                expect_within(&format!("{faults:?}: DISCOVER again"), PATIENCE, || {
                    tool.count("DISCOVER") >= 2
                });
            }
        }
    }
}

#[test]
fn an_address_is_kept_for_its_client() {
    let segment = Segment::new();
    let mac = segment.client_mac().to_string();
    let keep = format!("{mac}=10.77.0.77");
    let _tool = Tool::start(&segment, "serve", &["--reserve", &keep]);
    let (_client, bound) = udhcpc(&segment);
    expect_within("a lease", PATIENCE, || address(&bound).is_some());
    assert_eq!(address(&bound), Some(Ipv4Addr::new(10, 77, 0, 77)));
}

/// Runs the tool on the client's side; gives its exit code and what it printed.
fn client(segment: &Segment, args: &[&str]) -> (Option<i32>, String) {
    let output = segment
        .client_command(env!("CARGO_BIN_EXE_dhcpcraft"))
        .args(args)
        .args(["-i", segment.client_interface()])
        .output()
        .expect("the tool starts");
    let out = String::from_utf8_lossy(&output.stdout).trim().to_string();
    eprintln!(
        "$ {args:?}\n{out}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    (output.status.code(), out)
}

/// The address that a client of the tool's gets.
#[track_caller]
fn leased(segment: &Segment, args: &[&str]) -> String {
    let mut all = vec!["dora", "--print", "yiaddr"];
    all.extend(args);
    let (code, out) = client(segment, &all);
    assert_eq!(code, Some(0), "{args:?}");
    out
}

#[test]
fn what_is_unicast_to_the_server_meets_no_icmp() {
    let segment = Segment::new();
    let capture = segment.capture(segment.directory().join("all.pcap"));
    let tool = Tool::start(&segment, "serve", &[]);
    let (client, bound) = udhcpc(&segment);
    expect_within("a lease", PATIENCE, || address(&bound).is_some());
    client.signal("USR1");
    tool.expect("a renewal", renewal);
    client.signal("TERM");
    tool.expect("a RELEASE", |it| it["message"]["type"] == "RELEASE");
    capture.expect("dhcp.option.dhcp == 7", 1);
    let file = capture.stop();
    let icmp = tshark(&file, &["-n", "-Y", "icmp.type == 3"]);
    assert_eq!(icmp, "");
}

#[test]
fn another_server_of_the_same_address_is_told_of() {
    let segment = Segment::new();
    let host = segment.host(support::clients::SERVER);
    let file = segment.directory().join("first");
    let serve = |timeout: &str| {
        let mut command = host.command(env!("CARGO_BIN_EXE_dhcpcraft"));
        command.args(["serve", "-i", host.interface(), "--timeout", timeout]);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    };
    let first = serve("60")
        .stderr(fs::File::create(&file).expect("a file"))
        .spawn();
    let _first = Running::new(first.expect("the tool starts"));
    let said = || fs::read_to_string(&file).expect("what it said");
    expect_within("the first server", PATIENCE, || said().contains("serving"));
    assert!(!said().contains("port 67"), "{}", said());
    let second = serve("0.1").output().expect("the tool starts");
    let said = String::from_utf8_lossy(&second.stderr);
    let notice = "another program has UDP port 67 of 10.77.0.200";
    assert!(said.contains(notice), "{said}");
    assert_eq!(second.status.code(), Some(0));
}

#[test]
fn a_configuration_that_cannot_work_is_refused_or_told_of() {
    let segment = Segment::new();
    let host = segment.host(support::clients::SERVER);
    let serve = |args: &[&str]| {
        let mut command = host.command(env!("CARGO_BIN_EXE_dhcpcraft"));
        command
            .args(["serve", "-i", host.interface(), "--timeout", "0.1"])
            .args(args);
        let output = command.output().expect("the tool starts");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.code(), said)
    };
    for (args, word) in [
        (
            &["--reserve", "port-7=10.78.0.1"][..],
            "--subnet IP/BITS=FIRST-LAST",
        ),
        (&["--reserve", "port-7=10.77.0.200"], "the server's own"),
        (
            &["--reserve", "port-7=10.77.0.255"],
            "no host of 10.77.0.0/24",
        ),
        (
            &["--pool", "10.77.0.0-10.77.0.0"],
            "no address that a client can have",
        ),
        (
            &["--pool", "10.77.0.200-10.77.0.200"],
            "no address that a client can have",
        ),
        (&["--lease-time", "500ms"], "whole seconds"),
        (&["--lease-time", "1.5s"], "whole seconds"),
        (&["--lease-time", "0"], "whole seconds"),
        (&["--address", "0.0.0.0/24"], "such as 10.0.0.1/24"),
        (&["--address", "10.77.0.0/24"], "such as 10.77.0.1/24"),
        (&["--address", "10.77.0.255/24"], "such as 10.77.0.1/24"),
        (&["--address", "224.0.0.9/24"], "such as 10.0.0.1/24"),
        (&["--reserve", "=10.77.0.7"], "02:00:5e:10:00:01=10.77.0.7"),
        (&["--reserve", "hex:=10.77.0.7"], "no client is named"),
        (
            &["--subnet", "10.77.0.0/25=10.77.0.10-10.77.0.20"],
            "10.77.0.0/24 and 10.77.0.0/25 overlap",
        ),
        (
            &["--subnet", "10.0.0.0/8=10.1.0.10-10.1.0.20"],
            "10.77.0.0/24 and 10.0.0.0/8 overlap",
        ),
    ] {
        let (code, said) = serve(args);
        assert_eq!(code, Some(2), "{args:?}: {said}");
        assert!(said.contains(word), "{args:?}: {said}");
    }
    for time in ["infinite", "4294967295s", "30000d"] {
        let (code, said) = serve(&["--lease-time", time]);
        assert_eq!(code, Some(0), "{time}: {said}");
    }
    let (code, said) = serve(&["--pool", "10.77.0.0-10.77.0.255"]);
    assert_eq!(code, Some(0), "{said}");
    let out = "not given: 10.77.0.0 and 10.77.0.255 and 10.77.0.200, the server's own";
    assert!(said.contains(out), "{said}");
    let route = host
        .command("ip")
        .args(["route", "add", "default", "dev", host.interface()])
        .status();
    assert!(route.expect("ip").success());
    let (code, said) = serve(&[]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("--force"), "{said}");
    assert_eq!(serve(&["--force"]).0, Some(0));
}

#[test]
fn addresses_are_kept_by_identifier_and_circuit_and_for_nobody_else() {
    let segment = Segment::new();
    let tool = Tool::start(
        &segment,
        "serve",
        &[
            "--reserve",
            "hex:00aabbcc=10.77.0.7",
            "--reserve",
            "port-7=10.77.0.8",
            "--reserved-only",
        ],
    );
    let mac = "02:00:00:00:00:09";
    let id = ["--mac", mac, "--client-id", "hex:00aabbcc"];
    assert_eq!(leased(&segment, &id), "10.77.0.7");
    let relay = [
        "--relay",
        "10.77.0.250,circuit-id=port-7",
        "--server",
        "10.77.0.200",
    ];
    assert_eq!(leased(&segment, &relay), "10.77.0.8");
    // Another one is served neither an address of the pool nor one of those.
    let (code, _) = client(&segment, &["discover", "--timeout", "1", "--mac", mac]);
    assert_eq!(code, Some(3));
    for address in ["10.77.0.7", "10.77.0.100"] {
        let (code, _) = client(
            &segment,
            &[
                "request",
                "--requested-ip",
                address,
                "--server-id",
                "10.77.0.200",
                "--mac",
                mac,
            ],
        );
        assert_eq!(code, Some(4), "{address}");
    }
    tool.expect("why there was no OFFER", |it| {
        it["comment"] == "not answered: no reservation"
    });
}

#[test]
fn a_lease_is_given_at_once_and_to_bootp_clients_only_where_that_is_asked_for() {
    let discover = [
        "discover",
        "--option",
        "rapid-commit",
        "--print",
        "message-type",
    ];
    let bootp = [
        "craft",
        "--type",
        "bootp",
        "--timeout",
        "1",
        "--print",
        "yiaddr",
    ];
    for (flags, kind, code) in [
        (&[][..], "offer", Some(3)),
        (&["--rapid-commit", "--bootp"], "ack", Some(0)),
    ] {
        let segment = Segment::new();
        let tool = Tool::start(&segment, "serve", flags);
        assert_eq!(client(&segment, &discover), (Some(0), kind.to_string()));
        let (ended, address) = client(&segment, &bootp);
        assert_eq!(ended, code, "{flags:?}");
        if code == Some(0) {
            assert!(address.starts_with("10.77.0.1"), "{address}");
        } else {
            tool.expect("why not", |it| {
                it["comment"] == "not answered: it is plain BOOTP"
            });
        }
    }
}

#[test]
fn an_address_that_is_given_back_is_free_again() {
    let segment = Segment::new();
    let tool = Tool::start(&segment, "serve", &[]);
    let (udhcpc, bound) = udhcpc(&segment);
    let first = Ipv4Addr::new(10, 77, 0, 100);
    expect_within("the lease", PATIENCE, || address(&bound) == Some(first));
    let asks = |mac| leased(&segment, &["--mac", mac]);
    assert_eq!(asks("02:00:00:00:00:08"), "10.77.0.101");
    udhcpc.signal("TERM");
    tool.expect("a RELEASE", |it| {
        it["comment"] == "10.77.0.100 is free again"
    });
    assert_eq!(asks("02:00:00:00:00:09"), "10.77.0.100");
}

#[test]
fn an_address_that_udhcpc_declines_is_not_given_again() {
    let segment = Segment::new();
    let _owner = segment.host(Ipv4Addr::new(10, 77, 0, 100));
    let tool = Tool::start(&segment, "serve", &[]);
    let bound = segment.directory().join("bound");
    let _client = segment
        .client_command(support::require("busybox"))
        .args(["udhcpc", "-f", "-a", "-t", "3", "-T", "1", "-A", "1", "-i"])
        .arg(segment.client_interface())
        .arg("-s")
        .arg(udhcpc_script(&segment))
        .env("BOUND", &bound)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map(Running::new)
        .expect("udhcpc starts");
    tool.expect("a DECLINE", |it| {
        it["message"]["type"] == "DECLINE" && it["comment"] == "10.77.0.100 set aside for 1h"
    });
    expect_within("a lease", PATIENCE, || address(&bound).is_some());
    assert_eq!(address(&bound), Some(Ipv4Addr::new(10, 77, 0, 101)));
}

#[test]
fn dhcpcd_is_informed_without_a_lease() {
    let segment = Segment::new();
    let args = ["-o", "router=10.77.0.1", "-o", "domain-name=lab.example"];
    let tool = Tool::start(&segment, "serve", &args);
    let mut command = segment.client_command(support::require("unshare"));
    let _client = own_state(&mut command)
        .arg(support::require("dhcpcd"))
        .args(["-4", "-B", "-K", "-c", "/bin/true", "-f", "/dev/null"])
        .arg("--inform=10.77.0.55/24")
        .arg(segment.client_interface())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map(Running::new)
        .expect("dhcpcd starts");
    tool.expect("an INFORM", |it| {
        it["message"]["type"] == "INFORM" && it["message"]["ciaddr"] == "10.77.0.55"
    });
    tool.expect("its ACK", |it| {
        let options = it["options"].as_array();
        let codes: Vec<u64> = options
            .into_iter()
            .flatten()
            .filter_map(|it| it["code"].as_u64())
            .collect();
        it["message"]["type"] == "ACK"
            && it["message"]["yiaddr"] == "0.0.0.0"
            && codes.contains(&3)
            && ![51, 58, 59].iter().any(|it| codes.contains(it))
    });
}

#[test]
fn the_sample_of_a_host_has_an_address_declined() {
    let segment = Segment::new();
    let machine = segment.host(Ipv4Addr::new(10, 77, 0, 50));
    let said = segment.directory().join("host");
    let host = machine
        .command(env!("CARGO_BIN_EXE_dhcpcraft"))
        .args(["run", "-i", machine.interface(), "samples/host.star"])
        .args(["10.77.0.100", "120"])
        .stdin(Stdio::null())
        .stdout(fs::File::create(&said).expect("a file"))
        .spawn();
    let _host = Running::new(host.expect("the tool starts"));
    let mut ping = segment.client_command(support::require("busybox"));
    ping.args(["ping", "-c", "1", "-W", "1", "10.77.0.100"]);
    let mut ip = segment.client_command("ip");
    let given = ip.args([
        "address",
        "add",
        "10.77.0.60/24",
        "dev",
        segment.client_interface(),
    ]);
    assert!(given.status().expect("ip").success());
    expect_within("an answer to a ping", PATIENCE, || {
        ping.output().expect("ping starts").status.success()
    });
    let tool = Tool::start(&segment, "serve", &[]);
    assert_eq!(leased(&segment, &["--probe"]), "10.77.0.101");
    tool.expect("a DECLINE", |it| it["message"]["type"] == "DECLINE");
    let said = fs::read_to_string(said).expect("what it said");
    assert!(said.contains("10.77.0.60 pings 10.77.0.100"), "{said}");
}

/// A server of one address that lists what it hears and says, as wide as that.
struct List {
    _server: Running,
    _host: Host,
    file: PathBuf,
    err: PathBuf,
}

impl List {
    fn start(segment: &Segment, width: usize, args: &[&str]) -> List {
        let host = segment.host(support::clients::SERVER);
        let file = segment.directory().join("list");
        let err = segment.directory().join("list.err");
        let server = host
            .command(env!("CARGO_BIN_EXE_dhcpcraft"))
            .args(["serve", "-i", host.interface()])
            .args(["--pool", "10.77.0.100-10.77.0.100"])
            .args(args)
            .env("COLUMNS", width.to_string())
            .stdin(Stdio::null())
            .stdout(fs::File::create(&file).expect("a file"))
            .stderr(fs::File::create(&err).expect("a file"))
            .spawn();
        let list = List {
            _server: Running::new(server.expect("the tool starts")),
            _host: host,
            file,
            err,
        };
        expect_within("the server", PATIENCE, || list.said().contains("serving"));
        list
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.file).expect("the list")
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.err).expect("what it said")
    }
}

#[test]
fn the_list_tells_clients_apart_and_why_one_is_not_answered() {
    let (first, second) = ("02:00:00:00:00:08", "02:00:00:00:00:09");
    for width in [80, 120] {
        let segment = Segment::new();
        let list = List::start(&segment, width, &["--fault", "long-option"]);
        assert_eq!(client(&segment, &["dora", "--mac", first]).0, Some(0));
        let second = ["--mac", second, "--timeout", "0.5", "--xid", "7"];
        let asks = |args: &[&str]| client(&segment, &[args, &second[..]].concat());
        asks(&["discover"]);
        asks(&["discover", "--dport", "1067"]);
        let chosen = ["--server-id", "192.0.2.250"];
        asks(&[&["request", "--requested-ip", "10.77.0.101"], &chosen[..]].concat());
        let text = list.text();
        // Beside what is in the message where there is room, else below the client.
        let gap = match width {
            80 => format!("\n{:14}", ""),
            _ => "  ".to_string(),
        };
        for line in [
            format!("{first} < ACK       10.77.0.100  lease 1h{gap}# with long-option\n"),
            format!("> DISCOVER  xid 0x00000007{gap}# not answered: the pool is used up\n"),
            format!(
                "> DISCOVER  xid 0x00000007{gap}# not taken: it went to UDP port 1067, not 67\n"
            ),
            format!(
                "> REQUEST   10.77.0.101  from 192.0.2.250{gap}# not answered: it chose 192.0.2.250\n"
            ),
        ] {
            assert!(text.contains(&line), "{line:?} is not in\n{text}");
        }
        assert!(text.lines().all(|it| it.chars().count() <= width), "{text}");
    }
}

/// A rule that never returns.
const ENDLESS: &str = "def on_discover(req):\n    for i in range(2000000000):\n        pass\n";

#[test]
fn a_rule_that_does_not_return_outlives_neither_the_run_nor_ctrl_c() {
    let segment = Segment::new();
    let rules = segment.directory().join("endless.star");
    fs::write(&rules, ENDLESS).expect("rules");
    let rules = rules.to_str().expect("UTF-8");
    let discover = ["discover", "--timeout", "0.5"];
    let unfinished = "not answered: the rule was still running when the run ended";
    let tool = Tool::start(&segment, "timeout", &[rules, "--timeout", "3"]);
    client(&segment, &discover);
    tool.expect("why there is no answer", |it| it["comment"] == unfinished);
    assert_eq!(tool.wait().code, Some(0));
    let tool = Tool::start(&segment, "interrupted", &[rules]);
    client(&segment, &discover);
    let stopped = Instant::now();
    let ended = tool.stop();
    // Sooner than a rule that takes too long ends the run by itself.
    assert!(stopped.elapsed() < Duration::from_secs(3), "{ended:?}");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.out.contains(unfinished), "{ended:?}");
}

#[test]
fn a_rule_that_fails_is_listed_as_such() {
    let segment = Segment::new();
    let rules = segment.directory().join("failing.star");
    fs::write(&rules, "def on_discover(req):\n    return req.nonsense\n").expect("rules");
    let tool = Tool::start(&segment, "failing", &[rules.to_str().expect("UTF-8")]);
    client(&segment, &["discover", "--timeout", "0.5"]);
    tool.expect("why there is no answer", |it| {
        it["comment"] == "not answered: the rule failed"
    });
    let ended = tool.wait();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.err.contains("nonsense"), "{ended:?}");
}

#[test]
fn what_is_dropped_is_listed_and_a_directed_broadcast_is_answered() {
    let segment = Segment::new();
    let tool = Tool::start(&segment, "serve", &[]);
    let asks = |args: &[&str]| {
        client(
            &segment,
            &[&["discover", "--timeout", "0.5"], args].concat(),
        )
        .0
    };
    for (args, why) in [
        (&["--op", "2"][..], "op 2 is none of a client's"),
        (&["--dport", "1067"], "it went to UDP port 1067, not 67"),
        (&["--dst-ip", "10.77.0.9"], "it is addressed to 10.77.0.9"),
    ] {
        assert_eq!(asks(args), Some(3), "{args:?}");
        tool.expect(why, |it| it["reason"] == why);
    }
    assert_eq!(asks(&["--dst-ip", "10.77.0.255"]), Some(0));
}
