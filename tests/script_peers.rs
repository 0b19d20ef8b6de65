//! `dhcpcraft test -i` against real servers: what passes there, and what a failure's capture holds.

mod support;

use support::peers::{Kind, ServerConfig};
use support::segment::Segment;

const TESTS: &str = r#"
POOL = net("10.77.0.0/24")

def test_lease():
    lease = dora()
    offer_ = assert_offer(lease, yiaddr=POOL, subnet_mask="255.255.255.0")
    assert_ack(lease, yiaddr=offer_.yiaddr, server_id=offer_.server_id)
    assert_ack(renew(), yiaddr=offer_.yiaddr)
    release()

def test_foreign_address():
    expect_nak(reboot(requested_ip="203.0.113.9"))

def test_other_servers_requests():
    expect_silence(request(requested_ip="10.77.0.99", server_id="203.0.113.1", timeout="500ms"))

def test_wrong_router():
    step("ask")
    assert_offer(discover(), router="10.77.0.254")
"#;

#[test]
fn tests_run_against_real_servers() {
    for kind in [Kind::Dnsmasq, Kind::Kea] {
        let segment = Segment::new();
        let server = segment.server(kind, ServerConfig::default());
        let file = segment.directory().join("peer.star");
        std::fs::write(&file, TESTS).unwrap();
        let output = segment
            .client_command(env!("CARGO_BIN_EXE_dhcpcraft"))
            .arg("test")
            .arg(&file)
            .args(["-i", segment.client_interface(), "--json", "--seed", "7"])
            .arg("--captures")
            .arg(segment.directory().join("captures"))
            .output()
            .expect("the tool starts");
        let out = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{kind:?}: {out}");
        let rows: Vec<serde_json::Value> = out
            .lines()
            .map(|it| serde_json::from_str(it).expect("JSON"))
            .collect();
        let ended: Vec<_> = rows[..4].iter().map(|it| it["status"].as_str()).collect();
        let (passed, failed) = (Some("passed"), Some("failed"));
        // dnsmasq refuses a REQUEST that names another server (with dhcp-authoritative).
        let others = if kind == Kind::Dnsmasq {
            failed
        } else {
            passed
        };
        assert_eq!(ended, [passed, passed, others, failed], "{kind:?}: {out}");
        let wrong = &rows[3];
        let router = format!("router is [\"{}\"], expected", server.address());
        assert!(
            wrong["message"].as_str().unwrap().starts_with(&router),
            "{wrong}"
        );
        let interface = segment.client_interface();
        let again = wrong["again"].as_str().unwrap();
        assert!(
            again.ends_with(&format!("--seed 7 -i {interface}")),
            "{again}"
        );
        let capture = wrong["capture"].as_str().unwrap();
        let comments = support::tshark(capture.as_ref(), &["-T", "fields", "-e", "frame.comment"]);
        let all = |it: &str| it.starts_with("test_wrong_router: ");
        assert!(comments.lines().count() >= 2, "{comments}");
        assert!(comments.lines().all(all), "{comments}");
    }
}
