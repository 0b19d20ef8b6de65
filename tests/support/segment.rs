//! An Ethernet segment of network namespaces: a bridge, a client on it, and whoever else a test puts there.
//!
//! One process is the init of a pid namespace and waits on a pipe from the test. When the test drops the segment, panics
//! or is killed, the pipe closes, that process ends, and the kernel ends every process in its pid namespace; the network
//! namespaces and their interfaces go with them. Parallel tests share nothing but the directory under `target/tmp`.

use super::{expect_within, process::Process, require, tshark};
use std::{
    cell::Cell,
    fs,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::{self, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

/// How long the parts of a segment may take to come up on a busy machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);

/// The client's interface.
const CLIENT_INTERFACE: &str = "veth0";

/// A host's interface.
const HOST_INTERFACE: &str = "host0";

/// A network namespace on the bridge.
pub(super) struct Member {
    holder: Process,
    mac: String,
    /// The bridge's end of its wire.
    port: String,
}

impl Member {
    /// The MAC of its end of the wire.
    pub(super) fn mac(&self) -> &str {
        &self.mac
    }

    /// A command in this network namespace, but outside the segment's pid namespace: the test is its parent.
    pub(super) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        in_net(&self.holder, program)
    }
}

/// A bridge with a client, made of namespaces that nobody else sees.
pub struct Segment {
    init: Process,
    client: Member,
    directory: PathBuf,
    members: Cell<u8>,
    pub(super) servers: Cell<[u8; 4]>,
}

impl Segment {
    /// A new segment with nobody but the client on it.
    #[track_caller]
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let init = Process::start_holder(
            Command::new(require("unshare"))
                .args(["--pid", "--fork", "--net", "--"])
                .args(["sh", "-c", "echo ready; exec cat >/dev/null"])
                .stdin(Stdio::piped()),
        );
        run(in_net(&init, require("ip"))
            .args(["link", "add", "br0", "type", "bridge"])
            .args(["forward_delay", "0", "mcast_snooping", "0"]));
        bridge_only(&init);
        set_up(&init, "br0");
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("segment-{}-{count}", process::id()));
        // Nothing of an earlier process with this id may pass for ours.
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory)
            .unwrap_or_else(|error| panic!("cannot make {}: {error}", directory.display()));
        let members = Cell::new(0);
        let client = join(&init, &members, CLIENT_INTERFACE, None);
        Self {
            init,
            client,
            directory,
            members,
            servers: Cell::default(),
        }
    }

    /// The name of the client's interface. It has a carrier but no address.
    pub fn client_interface(&self) -> &'static str {
        CLIENT_INTERFACE
    }

    /// The MAC of the client's interface, as `02:00:…`.
    pub fn client_mac(&self) -> &str {
        &self.client.mac
    }

    /// A program on the client's side. It is the test's own child: its pid, its pipes and its exit status are real.
    pub fn client_command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        self.client.command(program)
    }

    /// A directory for the test's files, removed with the segment.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// A machine that owns `address` (out of 10.77.0.0/24) and so answers ARP and ping for it.
    #[track_caller]
    pub fn host(&self, address: Ipv4Addr) -> Host {
        Host {
            member: self.member(HOST_INTERFACE, Some(address)),
            address,
        }
    }

    /// Has the bridge do what a switch with DHCP snooping does at a port that it does not trust: what a server says
    /// (op 2 from UDP port 67) comes in there and goes nowhere.
    #[track_caller]
    pub fn distrust(&self, host: &Host) {
        let port = host.member.port.as_str();
        run(in_net(&self.init, require("tc")).args(["qdisc", "add", "dev", port, "clsact"]));
        // As BPF, which answers with what becomes of the frame, 2 for nothing: other filters need modules for that.
        let program = "11,40 0 0 12,21 0 8 2048,48 0 0 23,21 0 6 17,177 0 0 14,72 0 0 14,21 0 3 67,80 0 0 22,21 0 1 2,\
                       6 0 0 2,6 0 0 0";
        run(in_net(&self.init, require("tc"))
            .args(["filter", "add", "dev", port, "ingress"])
            .args(["bpf", "direct-action", "bytecode", program]));
    }

    /// Records every frame that crosses the bridge into a pcap file.
    #[track_caller]
    pub fn capture(&self, file: impl Into<PathBuf>) -> Capture {
        let file = file.into();
        let log = self
            .directory
            .join(format!("dumpcap-{}.log", self.next_member()));
        // Not tcpdump, which changes to a user of its own and so cannot record inside a user namespace.
        let mut command = self.inside(&self.init, require("dumpcap"));
        command
            .args(["-i", "br0", "-q", "-P", "-w"])
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(&log).expect("a log for dumpcap"));
        let mut process = Process::start(&mut command);
        expect_within("dumpcap to listen", PATIENCE, || {
            let text = fs::read_to_string(&log).unwrap_or_default();
            assert!(!process.has_ended(), "dumpcap ended: {text}");
            text.contains("File: ")
        });
        Capture { process, file }
    }

    /// Puts a new namespace on the bridge, its end of the wire named `interface`.
    #[track_caller]
    pub(super) fn member(&self, interface: &str, address: Option<Ipv4Addr>) -> Member {
        join(&self.init, &self.members, interface, address)
    }

    /// Gives a machine of another segment a leg on this one as well, and returns the MAC of that leg.
    #[track_caller]
    pub(super) fn leg(&self, member: &Member, interface: &str, address: Ipv4Addr) -> String {
        let number = self.next_member();
        plug(&self.init, number, &member.holder, interface, Some(address))
    }

    /// A command in a member's network namespace that ends with the segment.
    pub(super) fn inside_member(&self, member: &Member, program: PathBuf) -> Command {
        self.inside(&member.holder, program)
    }

    fn inside(&self, net: &Process, program: PathBuf) -> Command {
        let mut command = Command::new(require("nsenter"));
        command
            .args(["--target", &self.init.pid().to_string(), "--pid"])
            .arg(format!("--net={}", net.net()))
            .arg("--")
            .arg(program);
        command
    }

    fn next_member(&self) -> u8 {
        next(&self.members)
    }
}

impl Drop for Segment {
    fn drop(&mut self) {
        // The init of the pid namespace waits for all its processes, so when it has ended, all have.
        self.init.close_stdin();
        let gone = super::wait_for(|| self.init.has_ended(), PATIENCE);
        let _ = fs::remove_dir_all(&self.directory);
        if !gone && !std::thread::panicking() {
            panic!("the namespaces of a segment did not go away");
        }
    }
}

/// A machine that owns an address; it goes with the value.
pub struct Host {
    member: Member,
    address: Ipv4Addr,
}

impl Host {
    /// Its address.
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// Its MAC, as `02:00:…`.
    pub fn mac(&self) -> &str {
        &self.member.mac
    }

    /// The name of its interface.
    pub fn interface(&self) -> &'static str {
        HOST_INTERFACE
    }

    /// A program on this machine, the test's own child.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        self.member.command(program)
    }
}

/// A running dumpcap.
pub struct Capture {
    process: Process,
    file: PathBuf,
}

impl Capture {
    /// Waits until at least `count` frames match a Wireshark display filter, and returns tshark's lines for them.
    #[track_caller]
    pub fn expect(&self, filter: &str, count: usize) -> Vec<String> {
        let mut lines = Vec::new();
        expect_within(
            &format!("{count} frames of `{filter}` in the capture"),
            PATIENCE,
            || {
                lines = tshark(&self.file, &["-n", "-Y", filter])
                    .lines()
                    .map(str::to_owned)
                    .collect();
                lines.len() >= count
            },
        );
        lines
    }

    /// Ends the recording and returns the file.
    #[track_caller]
    pub fn stop(mut self) -> PathBuf {
        self.process.end("INT");
        self.file.clone()
    }
}

fn next(counter: &Cell<u8>) -> u8 {
    let value = counter.get().checked_add(1).expect("at most 255 members");
    counter.set(value);
    value
}

pub(super) fn in_net(holder: &Process, program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(require("nsenter"));
    command
        .arg(format!("--net={}", holder.net()))
        .arg("--")
        .arg(program);
    command
}

#[track_caller]
fn join(init: &Process, members: &Cell<u8>, interface: &str, address: Option<Ipv4Addr>) -> Member {
    let holder = Process::start_holder(
        Command::new(require("nsenter"))
            .args(["--target", &init.pid().to_string(), "--pid", "--"])
            .args(["unshare", "--net", "--", "sh", "-c"])
            .arg("echo ready; exec sleep infinity")
            .stdin(Stdio::null()),
    );
    set_up(&holder, "lo");
    let number = next(members);
    let mac = plug(init, number, &holder, interface, address);
    Member {
        holder,
        mac,
        port: port(number),
    }
}

/// The name of the bridge's end of a member's wire.
fn port(number: u8) -> String {
    format!("port{number}")
}

/// Puts a wire between the bridge and a namespace, and returns the MAC of its end there.
#[track_caller]
fn plug(
    init: &Process,
    number: u8,
    holder: &Process,
    interface: &str,
    address: Option<Ipv4Addr>,
) -> String {
    let mac = format!("02:00:00:77:00:{number:02x}");
    let port = port(number);
    run(in_net(init, require("ip"))
        .args(["link", "add", &port, "type", "veth", "peer"])
        .args(["name", interface, "address", &mac])
        .args(["netns", &holder.pid().to_string()]));
    run(in_net(init, require("ip")).args(["link", "set", &port, "master", "br0"]));
    set_up(init, &port);
    if let Some(address) = address {
        run(in_net(holder, require("ip"))
            .args(["address", "add", &format!("{address}/24")])
            .args(["broadcast", "+", "dev", interface]));
    }
    set_up(holder, interface);
    expect_within("an interface to come up", PATIENCE, || {
        run(in_net(holder, require("ip")).args(["-brief", "link", "show", interface]))
            .contains(" UP ")
    });
    mac
}

/// Keeps the bridge from looking into IP, where the machine has br_netfilter: it would drop wrong IP checksums.
#[track_caller]
fn bridge_only(net: &Process) {
    let filters = "/proc/sys/net/bridge/bridge-nf-call-iptables";
    run(in_net(net, "sh").args(["-c", "[ ! -e $0 ] || echo 0 >$0", filters]));
}

/// Brings an interface up without the link-local address that would make IPv6 talk in every capture.
#[track_caller]
pub(super) fn set_up(net: &Process, interface: &str) {
    if interface != "lo" {
        run(in_net(net, require("ip")).args(["link", "set", interface, "addrgenmode", "none"]));
    }
    run(in_net(net, require("ip")).args(["link", "set", interface, "up"]));
}

#[track_caller]
pub(super) fn run(command: &mut Command) -> String {
    let output = command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
