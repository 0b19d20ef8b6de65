//! Proves the network of the tests with clients and servers that nobody here wrote: what a later test concludes from a
//! lease file, a capture or a host on the segment is worth as much as these.

mod support;

use std::{
    fs,
    net::Ipv4Addr,
    os::unix::fs::PermissionsExt,
    process::{Child, Command, Stdio},
    time::Duration,
};
use support::{
    expect_within,
    leases::{self, LeaseState},
    peers::{Kind, Server, ServerConfig},
    require,
    segment::Segment,
    tshark,
};

/// busybox's client in the foreground; `arguments` are added. It tells its address through a file.
struct Udhcpc {
    child: Child,
    obtained: std::path::PathBuf,
}

impl Udhcpc {
    fn start(segment: &Segment, arguments: &[&str]) -> Self {
        let script = segment.directory().join("udhcpc-script");
        let obtained = segment.directory().join("obtained");
        let _ = fs::remove_file(&obtained);
        fs::write(
            &script,
            "#!/bin/sh\n[ \"$1\" = bound ] || exit 0\nip address replace \"$ip/24\" dev \"$interface\"\n\
             echo \"$ip\" >\"$OBTAINED.new\"\nmv \"$OBTAINED.new\" \"$OBTAINED\"\n",
        )
        .expect("a script");
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).expect("it runs");
        let child = segment
            .client_command(require("busybox"))
            .args(["udhcpc", "-f", "-i", segment.client_interface()])
            .args(["-t", "10", "-T", "1", "-s"])
            .arg(&script)
            .args(arguments)
            .env("OBTAINED", &obtained)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("udhcpc starts");
        Self { child, obtained }
    }

    fn address(&self) -> Ipv4Addr {
        let mut address = None;
        expect_within("udhcpc to obtain a lease", Duration::from_secs(15), || {
            address = fs::read_to_string(&self.obtained)
                .ok()
                .and_then(|text| text.trim().parse().ok());
            address.is_some()
        });
        address.expect("the address was there")
    }

    /// Ends it; with `-R` among its arguments it gives its address back first.
    fn end(mut self) {
        let pid = self.child.id().to_string();
        let asked = Command::new("sh")
            .args(["-c", "kill -TERM \"$0\"", &pid])
            .status();
        assert!(asked.is_ok_and(|status| status.success()));
        expect_within("udhcpc to end", Duration::from_secs(10), || {
            !matches!(self.child.try_wait(), Ok(None))
        });
    }
}

impl Drop for Udhcpc {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether a server answers on the segment, by udhcpc's exit status.
fn obtains_a_lease(segment: &Segment) -> bool {
    segment
        .client_command(require("busybox"))
        .args(["udhcpc", "-f", "-n", "-q", "-s", "/bin/true"])
        .args(["-i", segment.client_interface(), "-t", "3", "-T", "1"])
        .output()
        .expect("udhcpc starts")
        .status
        .success()
}

fn forget_address(segment: &Segment) {
    let flushed = segment
        .client_command(require("ip"))
        .args(["address", "flush", "dev", segment.client_interface()])
        .status();
    assert!(flushed.is_ok_and(|status| status.success()));
}

/// Lease, release, lease again, and decline because somebody else has the address: each in the server's own words.
fn lease_release_decline(kind: Kind) {
    let segment = Segment::new();
    let server = segment.server(kind, ServerConfig::default());

    let client = Udhcpc::start(&segment, &["-R"]);
    let ip = client.address();
    assert!(server.gives(ip), "{ip} is not of {:?}", server.pool());
    let lease = server.expect_active(ip);
    assert_eq!(lease.mac, segment.client_mac());
    if kind != Kind::Udhcpd {
        let id = format!("01:{}", segment.client_mac());
        assert_eq!(lease.client_id, Some(id));
    }
    assert!(seconds_left(lease.expires).abs_diff(600) < 60, "{lease:?}");
    client.end();
    server.expect_released(ip);

    // The same client gets the same address again, for which it asks, and finds it taken.
    forget_address(&segment);
    let _host = segment.host(ip);
    let _client = Udhcpc::start(&segment, &["-a", "-r", &ip.to_string()]);
    server.expect_declined(ip);
}

fn seconds_left(expires: u64) -> u64 {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("a clock after 1970");
    expires.saturating_sub(now.as_secs())
}

#[test]
fn dnsmasq_writes_down_lease_release_and_decline() {
    lease_release_decline(Kind::Dnsmasq);
}

#[test]
fn kea_writes_down_lease_release_and_decline() {
    lease_release_decline(Kind::Kea);
}

#[test]
fn dhcpd_writes_down_lease_release_and_decline() {
    lease_release_decline(Kind::Dhcpd);
}

#[test]
fn udhcpd_writes_down_lease_release_and_decline() {
    lease_release_decline(Kind::Udhcpd);
}

#[test]
fn all_servers_of_a_segment_offer() {
    let segment = Segment::new();
    let capture = segment.capture(segment.directory().join("offers.pcap"));
    let servers: Vec<Server> = Kind::ALL
        .into_iter()
        .chain([Kind::Dnsmasq])
        .map(|kind| segment.server(kind, ServerConfig::default()))
        .collect();
    let client = Udhcpc::start(&segment, &[]);
    let ip = client.address();
    for server in &servers {
        let offer = format!(
            "dhcp.option.dhcp == 2 && dhcp.option.dhcp_server_id == {} && eth.src == {}",
            server.address(),
            server.mac()
        );
        capture.expect(&offer, 1);
    }
    // Exactly one of them gave the address, and its file says so.
    let (giver, others): (Vec<&Server>, Vec<&Server>) =
        servers.iter().partition(|server| server.gives(ip));
    assert_eq!(giver.len(), 1, "{ip}");
    giver[0].expect_active(ip);
    for other in others {
        let given = other
            .leases()
            .into_iter()
            .find(|lease| lease.state == LeaseState::Active);
        assert_eq!(given, None, "{:?}", other.kind());
    }
    let file = capture.stop();
    let frames = tshark(
        &file,
        &["-T", "fields", "-e", "eth.type", "-e", "udp.dstport"],
    );
    for line in frames.lines() {
        assert!(
            line.starts_with("0x0806") || line.ends_with("\t67") || line.ends_with("\t68"),
            "only ARP and DHCP cross the wire, not {line}"
        );
    }
}

#[test]
fn a_stopped_server_is_silent_and_a_segment_leaves_nothing() {
    let segment = Segment::new();
    let directory = segment.directory().to_owned();
    let server = segment.server(
        Kind::Dnsmasq,
        ServerConfig {
            lease: 120,
            extra: "dhcp-option=option:ntp-server,10.77.0.250".to_owned(),
            ..ServerConfig::default()
        },
    );
    assert!(obtains_a_lease(&segment));
    server.stop();
    assert!(!obtains_a_lease(&segment));
    drop(segment);
    assert!(!directory.exists());
    assert!(server.log().is_empty(), "its files went with the segment");
}

#[test]
fn segments_of_parallel_tests_do_not_see_each_other() {
    let one = Segment::new();
    let two = Segment::new();
    let _server = one.server(Kind::Udhcpd, ServerConfig::default());
    assert!(obtains_a_lease(&one));
    assert!(!obtains_a_lease(&two));
}

#[test]
fn a_program_that_is_missing_fails_the_test_with_its_package() {
    let text = |program: &str| {
        std::panic::catch_unwind(|| require(program))
            .expect_err("it is not there")
            .downcast_ref::<String>()
            .cloned()
            .unwrap_or_default()
    };
    assert!(text("no-such-program").contains("apt install no-such-program"));
}

#[test]
fn lease_files_are_read_as_their_servers_write_them() {
    // The last record counts, and what is not a lease is passed over.
    let kea = leases::kea(
        "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname,state,user_context\n\
         10.77.0.40,02:00:00:77:00:01,01:02,600,1000,1,0,0,,0,\n\
         10.77.0.41,02:00:00:77:00:01,,600,1000,1,0,0,,0,\n\
         10.77.0.40,02:00:00:77:00:01,01:02,0,1000,1,0,0,,0,\n\
         10.77.0.42,,,86400,1000,1,0,0,,1,\n",
    );
    let states: Vec<_> = kea.iter().map(|lease| lease.state).collect();
    assert_eq!(
        states,
        [
            LeaseState::Released,
            LeaseState::Active,
            LeaseState::Declined
        ]
    );
    let dhcpd = leases::dhcpd(
        "server-duid \"\\000\\001\";\n\
         lease 10.77.0.60 {\n  ends epoch 1000; # Thu\n  binding state active;\n  next binding state free;\n  \
         hardware ethernet 02:00:00:77:00:01;\n  uid \"\\001; \\\"\\\\z\";\n}\n\
         lease 10.77.0.61 {\n  ends never;\n  binding state active;\n}\n\
         lease 10.77.0.61 {\n  ends epoch 5;\n  binding state abandoned;\n}\n",
    );
    assert_eq!(dhcpd.len(), 2);
    assert_eq!(dhcpd[0].client_id.as_deref(), Some("01:3b:20:22:5c:7a"));
    assert_eq!(
        (dhcpd[0].state, dhcpd[0].expires),
        (LeaseState::Active, 1000)
    );
    assert_eq!(
        (dhcpd[1].state, dhcpd[1].expires),
        (LeaseState::Declined, 5)
    );
    let dnsmasq = leases::dnsmasq(
        "1000 02:00:00:77:00:01 10.77.0.20 * 01:02\n1001 02:00:00:77:00:02 10.77.0.21 a *\nduid 00:01\n",
    );
    assert_eq!(dnsmasq.len(), 2);
    assert_eq!(dnsmasq[1].client_id, None);
    let mut file = 1000_u64.to_be_bytes().to_vec();
    for (left, last, mac) in [(600_u32, 80, 1), (60, 81, 2), (0, 82, 3), (3600, 83, 0)] {
        file.extend(left.to_be_bytes());
        file.extend([10, 77, 0, last]);
        file.extend([0, 0, 0, 0, 0, mac]);
        file.extend([0; 22]);
    }
    let udhcpd = leases::udhcpd(&file, "udhcpd: sending ACK to 10.77.0.80\n");
    let states: Vec<_> = udhcpd
        .iter()
        .map(|lease| (lease.state, lease.expires))
        .collect();
    assert_eq!(
        states,
        [
            (LeaseState::Active, 1600),
            (LeaseState::Offered, 1060),
            (LeaseState::Released, 1000),
            (LeaseState::Declined, 4600)
        ]
    );
}
