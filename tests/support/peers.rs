//! Real DHCP servers on a segment, each with its own lease file as a witness.
//!
//! The configurations are those of `scripts/servers`, which `scripts/lab` runs as well.

use super::{
    expect_within,
    leases::{self, LeaseRecord, LeaseState},
    process::Process,
    require,
    segment::{Member, PATIENCE, Segment, run},
    wait_for,
};
use std::{
    cell::RefCell,
    fs,
    net::Ipv4Addr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

/// The servers' end of the wire.
const INTERFACE: &str = "srv0";

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// dnsmasq, its DNS switched off.
    Dnsmasq,
    /// Kea's DHCPv4 server with the memfile database.
    Kea,
    /// ISC dhcpd.
    Dhcpd,
    /// udhcpd of busybox.
    Udhcpd,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Dnsmasq, Self::Kea, Self::Dhcpd, Self::Udhcpd];

    fn program(self) -> &'static str {
        match self {
            Self::Dnsmasq => "dnsmasq",
            Self::Kea => "kea-dhcp4",
            Self::Dhcpd => "dhcpd",
            Self::Udhcpd => "busybox",
        }
    }

    fn template(self) -> &'static str {
        match self {
            Self::Dnsmasq => include_str!("../../scripts/servers/dnsmasq.conf"),
            Self::Kea => include_str!("../../scripts/servers/kea.json"),
            Self::Dhcpd => include_str!("../../scripts/servers/dhcpd.conf"),
            Self::Udhcpd => include_str!("../../scripts/servers/udhcpd.conf"),
        }
    }

    /// What its log says once it serves.
    fn ready(self) -> &'static str {
        match self {
            Self::Dnsmasq => "sockets bound",
            Self::Kea => "DHCP4_STARTED",
            Self::Dhcpd => "Server starting service",
            Self::Udhcpd => "started",
        }
    }
}

/// What a test wants of a server. The rest is the same for all: 10.77.0.0/24, itself as router and DNS server, the domain
/// lab.example, authoritative (it refuses a REQUEST for an address that is not of its network).
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Its address is 10.77.0.*slot* and its pool the twenty addresses from 10.77.0.(20 × slot). Without one, dnsmasq has
    /// 1, Kea 2, dhcpd 3 and udhcpd 4, and the next of the same kind four more. At most 11.
    pub slot: Option<u8>,
    /// Another pool: first and last address, out of 10.77.0.0/24.
    pub pool: Option<(Ipv4Addr, Ipv4Addr)>,
    /// The bits of its network's mask: of 10.77.0.0/16 Kea takes a larger pool.
    pub prefix: u8,
    /// The lease time in seconds.
    pub lease: u32,
    /// Whether it probes an address before it offers it (dnsmasq and dhcpd by ping, udhcpd by ARP, Kea cannot).
    pub probe: bool,
    /// Whether it gives addresses of the pool to BOOTP clients, and so for ever (dnsmasq and dhcpd).
    pub bootp: bool,
    /// Further lines in the server's own language, at its top level (for Kea: `"name": value,` within `Dhcp4`).
    pub extra: String,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            slot: None,
            pool: None,
            prefix: 24,
            lease: 600,
            probe: false,
            bootp: false,
            extra: String::new(),
        }
    }
}

/// A running server. It ends with this value, or with its segment.
pub struct Server {
    kind: Kind,
    address: Ipv4Addr,
    pool: (Ipv4Addr, Ipv4Addr),
    mac: String,
    directory: PathBuf,
    process: RefCell<Process>,
    member: Member,
}

impl Segment {
    /// Puts a server on the segment and returns when it listens.
    #[track_caller]
    pub fn server(&self, kind: Kind, config: ServerConfig) -> Server {
        assert!(
            !(config.probe && kind == Kind::Kea),
            "Kea offers without a probe"
        );
        assert!(
            config.prefix == 24 || kind == Kind::Kea,
            "only Kea has a network of another size"
        );
        let mut counts = self.servers.get();
        let slot = config
            .slot
            .unwrap_or(kind as u8 + 1 + 4 * counts[kind as usize]);
        assert!((1..=11).contains(&slot), "no room for one more {kind:?}");
        counts[kind as usize] += 1;
        self.servers.set(counts);
        let address = Ipv4Addr::new(10, 77, 0, slot);
        let pool = config.pool.unwrap_or((
            Ipv4Addr::new(10, 77, 0, 20 * slot),
            Ipv4Addr::new(10, 77, 0, 20 * slot + 19),
        ));
        let directory = self.directory().join(format!("{kind:?}-{slot}"));
        fs::create_dir_all(&directory).expect("a directory for the server");
        let member = self.member(INTERFACE, Some(address));
        let file = directory.join("config");
        fs::write(&file, text(kind, &config, address, pool, &directory)).expect("a configuration");
        let process = RefCell::new(self.start(kind, &config, &member, &directory, &file));
        let server = Server {
            kind,
            address,
            pool,
            mac: member.mac().to_owned(),
            directory,
            process,
            member,
        };
        expect_within(&format!("{kind:?} to listen"), PATIENCE, || {
            let log = server.log();
            assert!(
                !server.process.borrow_mut().has_ended(),
                "{kind:?} ended: {log}"
            );
            server.listens() && log.contains(kind.ready())
        });
        server
    }

    fn start(
        &self,
        kind: Kind,
        config: &ServerConfig,
        member: &Member,
        directory: &Path,
        file: &Path,
    ) -> Process {
        let program = unconfined(kind, directory);
        let mut command = self.inside_member(member, program);
        let leases = directory.join("leases");
        if kind != Kind::Kea {
            // Kea makes its own and wants the line with the columns' names; the others want a file to be there.
            fs::write(&leases, "").expect("a lease file");
        }
        match kind {
            Kind::Dnsmasq => command
                .arg("--no-daemon")
                .arg(format!("--conf-file={}", file.display())),
            Kind::Kea => command
                .env("KEA_LOCKFILE_DIR", directory)
                .env("KEA_PIDFILE_DIR", directory)
                .env("KEA_DHCP_DATA_DIR", directory)
                .arg("-c")
                .arg(file),
            Kind::Dhcpd => command
                .args(["-4", "-f", "-d", "--no-pid", "-cf"])
                .arg(file)
                .arg("-lf")
                .arg(leases)
                .arg(INTERFACE),
            Kind::Udhcpd => command
                .args(["udhcpd", "-f", "-a"])
                .arg(if config.probe { "1000" } else { "0" })
                .arg(file),
        };
        let log = fs::File::create(directory.join("log")).expect("a log");
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("one log for both"))
            .stderr(log);
        Process::start(&mut command)
    }
}

impl Server {
    /// A program on its machine, the test's own child.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> std::process::Command {
        self.member.command(program)
    }

    /// Tells its machine the way to a network: by a router, or straight out of its interface.
    #[track_caller]
    pub fn route(&self, network: &str, router: Option<Ipv4Addr>) {
        let mut command = self.command(require("ip"));
        command.args(["route", "add", network]);
        match router {
            Some(router) => command.args(["via", &router.to_string()]),
            None => command.args(["dev", INTERFACE]),
        };
        run(&mut command);
    }

    /// The name of its interface.
    pub fn interface(&self) -> &'static str {
        INTERFACE
    }

    /// Which one it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its address, which is also its server identifier.
    pub fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// The MAC its replies come from.
    pub fn mac(&self) -> &str {
        &self.mac
    }

    /// The first and the last address that it gives out.
    pub fn pool(&self) -> (Ipv4Addr, Ipv4Addr) {
        self.pool
    }

    /// Whether an address is of its pool.
    pub fn gives(&self, address: Ipv4Addr) -> bool {
        (self.pool.0..=self.pool.1).contains(&address)
    }

    /// What it wrote so far.
    pub fn log(&self) -> String {
        let bytes = fs::read(self.directory.join("log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The leases by its own lease file, one record an address.
    #[track_caller]
    pub fn leases(&self) -> Vec<LeaseRecord> {
        let file = self.directory.join("leases");
        if self.kind == Kind::Udhcpd {
            // It writes the file when told to, and then runs the script that makes leases.written.
            let written = self.directory.join("leases.written");
            let _ = fs::remove_file(&written);
            self.process.borrow().signal("USR1");
            expect_within("udhcpd to write its leases", PATIENCE, || written.exists());
        }
        let bytes = fs::read(&file).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        match self.kind {
            Kind::Dnsmasq => leases::dnsmasq(&text),
            Kind::Kea => leases::kea(&text),
            Kind::Dhcpd => leases::dhcpd(&text),
            Kind::Udhcpd => leases::udhcpd(&bytes, &self.log()),
        }
    }

    /// Its record of an address.
    #[track_caller]
    pub fn lease(&self, ip: Ipv4Addr) -> Option<LeaseRecord> {
        self.leases().into_iter().find(|lease| lease.ip == ip)
    }

    /// Waits for its lease file to say that an address is given to a client, and returns the record.
    #[track_caller]
    pub fn expect_active(&self, ip: Ipv4Addr) -> LeaseRecord {
        self.expect_record(ip, "an active lease", |state| {
            state == Some(LeaseState::Active)
        })
        .expect("the record was there")
    }

    /// Waits for its lease file to say that a lease ends later than this record had it.
    #[track_caller]
    pub fn expect_extended(&self, before: &LeaseRecord) {
        let mut now = None;
        let extended = wait_for(
            || {
                now = self.lease(before.ip);
                now.as_ref()
                    .is_some_and(|it| it.state == LeaseState::Active && it.expires > before.expires)
            },
            Duration::from_secs(10),
        );
        assert!(
            extended,
            "{:?} did not extend {before:?}, it has {now:?}",
            self.kind
        );
    }

    /// Waits until it wrote down that an address was given back.
    ///
    /// dnsmasq takes the lease out of its file and says why in its log.
    #[track_caller]
    pub fn expect_released(&self, ip: Ipv4Addr) {
        self.expect_record(ip, "a release", |state| match self.kind {
            Kind::Dnsmasq => state.is_none() && self.logged("DHCPRELEASE(", ip),
            _ => state == Some(LeaseState::Released),
        });
    }

    /// Waits until it wrote down that an address was declined.
    ///
    /// dnsmasq takes the lease out of its file and says why in its log.
    #[track_caller]
    pub fn expect_declined(&self, ip: Ipv4Addr) {
        self.expect_record(ip, "a decline", |state| match self.kind {
            Kind::Dnsmasq => state.is_none() && self.logged("DHCPDECLINE(", ip),
            _ => state == Some(LeaseState::Declined),
        });
    }

    /// Ends it, as when the machine is switched off: it stays silent, its files stay.
    #[track_caller]
    pub fn stop(&self) {
        self.process.borrow_mut().end("KILL");
    }

    #[track_caller]
    fn expect_record(
        &self,
        ip: Ipv4Addr,
        what: &str,
        accept: impl Fn(Option<LeaseState>) -> bool,
    ) -> Option<LeaseRecord> {
        let mut record = None;
        let found = wait_for(
            || {
                record = self.lease(ip);
                accept(record.as_ref().map(|lease| lease.state))
            },
            Duration::from_secs(10),
        );
        assert!(
            found,
            "{:?} wrote down no sign of {what} of {ip}, but {record:?}",
            self.kind
        );
        record
    }

    fn logged(&self, message: &str, ip: Ipv4Addr) -> bool {
        let ip = ip.to_string();
        self.log()
            .lines()
            .any(|line| line.contains(message) && line.split_whitespace().any(|word| word == ip))
    }

    /// Whether something in its namespace has UDP port 67 open.
    fn listens(&self) -> bool {
        let pid = self.process.borrow().pid();
        fs::read_to_string(format!("/proc/{pid}/net/udp"))
            .is_ok_and(|table| table.contains(":0043 "))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- {:?} wrote:\n{}", self.kind, self.log());
        }
    }
}

/// Fills in the blanks of a configuration.
fn text(
    kind: Kind,
    config: &ServerConfig,
    address: Ipv4Addr,
    (first, last): (Ipv4Addr, Ipv4Addr),
    directory: &Path,
) -> String {
    let (keep, drop) = if config.probe {
        ("@probe ", "@no-probe ")
    } else {
        ("@no-probe ", "@probe ")
    };
    let mut text = String::new();
    for line in kind.template().lines() {
        if !line.starts_with(drop) {
            text += line.strip_prefix(keep).unwrap_or(line);
            text.push('\n');
        }
    }
    match kind {
        Kind::Dnsmasq if config.bootp => text += "bootp-dynamic\n",
        Kind::Dhcpd if config.bootp => text = text.replace("range @", "range dynamic-bootp @"),
        _ => assert!(!config.bootp, "{kind:?} serves no BOOTP clients"),
    }
    let servers = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/servers");
    text.replace("10.77.0.0/24", &format!("10.77.0.0/{}", config.prefix))
        .replace("@INTERFACE@", INTERFACE)
        .replace("@ADDRESS@", &address.to_string())
        .replace("@FIRST@", &first.to_string())
        .replace("@LAST@", &last.to_string())
        .replace("@LEASE@", &config.lease.to_string())
        .replace("@PROBE@", if config.probe { "on" } else { "off" })
        .replace("@DIR@", &directory.display().to_string())
        .replace("@SERVERS@", servers)
        .replace("@EXTRA@", &config.extra)
}

/// The server's program. One that AppArmor knows by its path may write only where its package writes, so where AppArmor
/// is on, a copy elsewhere runs.
fn unconfined(kind: Kind, directory: &Path) -> PathBuf {
    let program = require(kind.program());
    let apparmor = fs::read_to_string("/sys/module/apparmor/parameters/enabled");
    if !apparmor.is_ok_and(|enabled| enabled.trim() == "Y") {
        return program;
    }
    let copy = directory.join(kind.program());
    fs::copy(&program, &copy).expect("a copy of the server");
    copy
}
