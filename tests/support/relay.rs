//! A relay agent, Debian's dhcrelay or this tool, on a machine that stands between two segments and routes between
//! them.

use super::{
    expect_within,
    process::Process,
    require,
    segment::{Member, PATIENCE, Segment, run},
    tool::TOOL,
};
use std::{fs, net::Ipv4Addr, path::PathBuf, process::Stdio};

/// The relay agent's address among the clients: its giaddr, and their router.
pub const GIADDR: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);

/// Its address among the servers.
pub const UPSTREAM: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 250);

/// The clients' network.
pub const NETWORK: &str = "198.51.100.0/24";

/// A running relay agent; it ends with the servers' segment.
pub struct Relay {
    member: Member,
    mac: String,
    process: Process,
    log: PathBuf,
}

impl Relay {
    /// dhcrelay between clients and servers, which forwards to `server`, and takes further flags.
    #[track_caller]
    pub fn between(clients: &Segment, servers: &Segment, server: Ipv4Addr, flags: &[&str]) -> Self {
        let server = server.to_string();
        let own = ["-4", "-d", "--no-pid", "-id", "down0", "-iu", "up0"];
        let args = [&own, flags, &[server.as_str()]].concat();
        Self::start(
            clients,
            servers,
            require("dhcrelay"),
            &args,
            "Socket/fallback",
        )
    }

    /// The same, played by this tool.
    #[track_caller]
    pub fn ours(clients: &Segment, servers: &Segment, server: Ipv4Addr, flags: &[&str]) -> Self {
        let server = server.to_string();
        let own = [
            "relay",
            "-i",
            "down0",
            "--server-interface",
            "up0",
            "--server",
            &server,
        ];
        Self::start(
            clients,
            servers,
            TOOL.into(),
            &[&own, flags].concat(),
            "relaying from",
        )
    }

    #[track_caller]
    fn start(
        clients: &Segment,
        servers: &Segment,
        program: PathBuf,
        args: &[&str],
        ready: &str,
    ) -> Self {
        let member = servers.member("up0", Some(UPSTREAM));
        let mac = clients.leg(&member, "down0", GIADDR);
        let forwarding = "echo 1 >/proc/sys/net/ipv4/ip_forward";
        run(member.command(require("sh")).args(["-c", forwarding]));
        let log = servers.directory().join("relay.log");
        let file = fs::File::create(&log).expect("a log");
        let mut command = servers.inside_member(&member, program);
        command
            .args(args)
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("one log for both"))
            .stderr(file);
        let mut process = Process::start(&mut command);
        expect_within("the relay agent to listen", PATIENCE, || {
            let text = fs::read_to_string(&log).unwrap_or_default();
            assert!(!process.has_ended(), "the relay agent ended: {text}");
            text.contains(ready)
        });
        Self {
            member,
            mac,
            process,
            log,
        }
    }

    /// The MAC of its leg among the clients.
    pub fn mac(&self) -> &str {
        &self.mac
    }

    /// The MAC of its leg among the servers.
    pub fn upstream_mac(&self) -> &str {
        self.member.mac()
    }

    /// What it wrote so far.
    pub fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Ends it; its machine stays and routes on.
    #[track_caller]
    pub fn stop(&mut self) {
        self.process.end("KILL");
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let text = fs::read_to_string(&self.log).unwrap_or_default();
            eprintln!("--- the relay agent wrote:\n{text}");
        }
    }
}
