//! `serve` against clients that nobody here wrote: udhcpc, dhclient and dhcpcd obtain, renew and give
//! back leases, and react to each fault as a client should.

mod support;

use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value as Json;
use support::segment::{Host, Segment};
use support::{expect_within, require, wait_for};

const SERVER: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 200);
const PATIENCE: Duration = Duration::from_secs(20);

/// A process that ends with the value.
struct Running(Child);

impl Running {
    fn signal(&self, name: &str) {
        let pid = self.0.id().to_string();
        let sent = Command::new("sh")
            .args(["-c", "kill -$1 $0", &pid, name])
            .status();
        assert!(sent.expect("a shell").success(), "the process is there");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The tool as a server, and what it says it sent and received.
struct Tool {
    _process: Running,
    _host: Host,
    lines: PathBuf,
}

impl Tool {
    fn start(segment: &Segment, name: &str, args: &[&str]) -> Tool {
        let host = segment.host(SERVER);
        let lines = segment.directory().join(name);
        let said = segment.directory().join(format!("{name}.err"));
        let process = host
            .command(env!("CARGO_BIN_EXE_dhcpcraft"))
            .args(["serve", "--json", "-i", host.interface()])
            .args(["--pool", "10.77.0.100-10.77.0.110"])
            .args(args)
            .stdin(Stdio::null())
            .stdout(fs::File::create(&lines).expect("a file"))
            .stderr(fs::File::create(&said).expect("a file"))
            .spawn()
            .expect("the tool starts");
        let text = || fs::read_to_string(&said).unwrap_or_default();
        expect_within("the server to be there", PATIENCE, || {
            text().contains("serving")
        });
        Tool {
            _process: Running(process),
            _host: host,
            lines,
        }
    }

    /// The messages so far.
    fn messages(&self) -> Vec<Json> {
        let text = fs::read_to_string(&self.lines).unwrap_or_default();
        let all = text
            .lines()
            .filter_map(|it| serde_json::from_str::<Json>(it).ok());
        all.filter(|it| it["message"].is_object()).collect()
    }

    /// How many messages of a type there are so far.
    fn count(&self, kind: &str) -> usize {
        self.messages()
            .iter()
            .filter(|it| it["message"]["type"] == kind)
            .count()
    }

    #[track_caller]
    fn expect(&self, what: &str, mut wanted: impl FnMut(&Json) -> bool) {
        let found = wait_for(|| self.messages().iter().any(&mut wanted), PATIENCE);
        assert!(
            found,
            "{what} does not come; so far: {:#?}",
            self.summaries()
        );
    }

    fn summaries(&self) -> Vec<String> {
        self.messages()
            .iter()
            .map(|it| it["summary"].to_string())
            .collect()
    }
}

/// A REQUEST of a client that holds the address: from ciaddr, without options 50 and 54.
fn renewal(message: &Json) -> bool {
    let it = &message["message"];
    it["type"] == "REQUEST"
        && it["ciaddr"] != "0.0.0.0"
        && it["server_id"].is_null()
        && it["requested_ip"].is_null()
}

/// An executable script in the segment's directory.
fn script(segment: &Segment, name: &str, text: &str) -> PathBuf {
    let path = segment.directory().join(name);
    fs::write(&path, text).expect("a script");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it runs");
    path
}

fn quiet(command: &mut Command) -> Running {
    let command = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    Running(command.spawn().expect("the client starts"))
}

/// busybox's client, which tells its address through a file.
fn udhcpc(segment: &Segment) -> (Running, PathBuf) {
    let bound = segment.directory().join("bound");
    let _ = fs::remove_file(&bound);
    let text = "#!/bin/sh\ncase $1 in\nbound|renew)\n  ip address replace \"$ip/24\" dev \"$interface\"\n  echo \"$ip\" >\"$BOUND\";;\n\
                deconfig) ip address flush dev \"$interface\";;\nesac\n";
    let mut command = segment.client_command(require("busybox"));
    command
        .args([
            "udhcpc",
            "-f",
            "-R",
            "-t",
            "3",
            "-T",
            "1",
            "-A",
            "1",
            "-i",
            segment.client_interface(),
            "-s",
        ])
        .arg(script(segment, "udhcpc-script", text))
        .env("BOUND", &bound);
    (quiet(&mut command), bound)
}

fn address(bound: &Path) -> Option<Ipv4Addr> {
    fs::read_to_string(bound).ok()?.trim().parse().ok()
}

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
    let text = "#!/bin/sh\ncase $reason in\nBOUND|RENEW|REBIND|REBOOT) ip address replace \"$new_ip_address/24\" dev \"$interface\";;\n\
                RELEASE|EXPIRE|PREINIT) ip address flush dev \"$interface\"; ip link set \"$interface\" up;;\nesac\n";
    let hook = script(&segment, "dhclient-script", text);
    let (leases, pid) = (
        segment.directory().join("leases"),
        segment.directory().join("pid"),
    );
    let dhclient = |args: &[&str]| {
        let mut command = segment.client_command(require("dhclient"));
        command
            .args(args)
            .arg("-lf")
            .arg(&leases)
            .arg("-pf")
            .arg(&pid)
            .arg("-sf")
            .arg(&hook)
            .arg(segment.client_interface());
        command
    };
    let client = quiet(&mut dhclient(&["-d"]));
    tool.expect("a lease", |it| it["message"]["type"] == "ACK");
    tool.expect("a renewal at T1", renewal);
    expect_within("its ACK", PATIENCE, || tool.count("ACK") >= 2);
    drop(client);
    let released = dhclient(&["-r"])
        .stdin(Stdio::null())
        .output()
        .expect("dhclient starts");
    assert!(
        released.status.success(),
        "{}",
        String::from_utf8_lossy(&released.stderr)
    );
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
    // It keeps its state in directories of the system's: here they are its own.
    let own = "mount -t tmpfs own /run && mkdir -p /run/dhcpcd && mount -t tmpfs own /var/lib/dhcpcd && exec \"$@\"";
    let mut command = segment.client_command(require("unshare"));
    command
        .args(["--mount", "sh", "-c", own, "sh"])
        .arg(require("dhcpcd"))
        .args([
            "-4",
            "-B",
            "-A",
            "-K",
            "-p",
            "-c",
            "/bin/true",
            "-f",
            "/dev/null",
            "-t",
            "10",
        ])
        .arg(segment.client_interface());
    let client = quiet(&mut command);
    tool.expect("a lease", |it| it["message"]["type"] == "ACK");
    tool.expect("a renewal at T1", renewal);
    expect_within("its ACK", PATIENCE, || tool.count("ACK") >= 2);
    // ALRM has it release its lease.
    client.signal("ALRM");
    tool.expect("a RELEASE", |it| it["message"]["type"] == "RELEASE");
    assert_eq!(tool.count("NAK"), 0);
}

/// What a fault does to udhcpc.
enum Effect {
    /// It gets its lease all the same.
    Lease,
    /// It gets none, and sends so many messages of a type in vain.
    InVain(&'static str, usize),
    /// It renews within seconds.
    Renewal,
    /// It is thrown back to INIT by a NAK.
    Restart,
}

#[test]
fn each_fault_has_its_effect() {
    use Effect::*;
    let cases: &[(&[&str], Effect)] = &[
        (&["duplicate"], Lease),
        (&["delay=700ms"], Lease),
        (&["reorder"], Lease),
        (&["overload"], Lease),
        (&["long-option"], Lease),
        // It assumes an hour.
        (&["no-lease-time"], Lease),
        (&["drop=offer"], InVain("DISCOVER", 2)),
        (&["drop=100%"], InVain("DISCOVER", 2)),
        (&["drop=ack"], InVain("REQUEST", 2)),
        (&["wrong-xid"], InVain("DISCOVER", 2)),
        (&["wrong-chaddr"], InVain("DISCOVER", 2)),
        (&["no-server-id"], InVain("DISCOVER", 2)),
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
                expect_within(&format!("{faults:?}: {kind} in vain"), PATIENCE, || {
                    tool.count(kind) >= *times
                });
                assert_eq!(address(&bound), None, "{faults:?}: {:?}", tool.summaries());
            }
            Lease => expect_within(&format!("{faults:?}: a lease"), PATIENCE, || {
                address(&bound).is_some()
            }),
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
