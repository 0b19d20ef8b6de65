//! Debian's dhcrelay on a machine that stands between two segments and routes between them.

use super::{
    expect_within,
    process::Process,
    require,
    segment::{Member, PATIENCE, Segment, run},
};
use std::{fs, net::Ipv4Addr, path::PathBuf, process::Stdio};

/// The relay agent's address among the clients: its giaddr, and their router.
pub const GIADDR: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);

/// Its address among the servers.
pub const UPSTREAM: Ipv4Addr = Ipv4Addr::new(10, 77, 0, 250);

/// The clients' network.
pub const NETWORK: &str = "198.51.100.0/24";

/// A running dhcrelay; it ends with the servers' segment.
pub struct Relay {
    member: Member,
    mac: String,
    process: Process,
    log: PathBuf,
}

impl Relay {
    /// Stands between clients and servers, forwards to `server`, and takes further flags of dhcrelay.
    #[track_caller]
    pub fn between(clients: &Segment, servers: &Segment, server: Ipv4Addr, flags: &[&str]) -> Self {
        let member = servers.member("up0", Some(UPSTREAM));
        let mac = clients.leg(&member, "down0", GIADDR);
        let forwarding = "echo 1 >/proc/sys/net/ipv4/ip_forward";
        run(member.command(require("sh")).args(["-c", forwarding]));
        let log = servers.directory().join("dhcrelay.log");
        let file = fs::File::create(&log).expect("a log");
        let mut command = servers.inside_member(&member, require("dhcrelay"));
        command
            .args(["-4", "-d", "--no-pid", "-id", "down0", "-iu", "up0"])
            .args(flags)
            .arg(server.to_string())
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("one log for both"))
            .stderr(file);
        let mut process = Process::start(&mut command);
        expect_within("dhcrelay to listen", PATIENCE, || {
            let text = fs::read_to_string(&log).unwrap_or_default();
            assert!(!process.has_ended(), "dhcrelay ended: {text}");
            text.contains("Socket/fallback")
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
            eprintln!("--- dhcrelay wrote:\n{text}");
        }
    }
}
