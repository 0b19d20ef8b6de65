//! The four steps of the handshake: as they are written for Scapy, and as the samples have them.

use std::path::Path;
use std::process::Command;

use dhcpcraft::commands::outcome::Direction;

use super::python::sent_by_scapy;
use super::support::Talk;

const DISCOVER: &str = r#"from scapy.all import *

dhcp_discover = Ether(dst="ff:ff:ff:ff:ff:ff") / IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67) / BOOTP(op=1) / DHCP(options=[("message-type", "discover"), "end"])
sendp(dhcp_discover)
"#;

const OFFER: &str = r#"from scapy.all import *

def send_offer(client_mac):
    offered_ip = "192.168.1.10"
    dhcp_offer = Ether(dst=client_mac) / IP(src="192.168.1.1", dst="255.255.255.255") / UDP(sport=67, dport=68) / BOOTP(op=2, yiaddr=offered_ip) / DHCP(options=[("message-type", "offer"), ("server_id", "192.168.1.1"), "end"])
    sendp(dhcp_offer)

send_offer("02:00:5e:10:00:01")
"#;

const REQUEST: &str = r#"from scapy.all import *

def send_request(server_ip, requested_ip):
    dhcp_request = Ether(dst="ff:ff:ff:ff:ff:ff") / IP(src="0.0.0.0", dst="255.255.255.255") / UDP(sport=68, dport=67) / BOOTP(op=1) / DHCP(options=[("message-type", "request"), ("server_id", server_ip), ("requested_addr", requested_ip), "end"])
    sendp(dhcp_request)

send_request("192.168.1.1", "192.168.1.10")
"#;

const ACK: &str = r#"from scapy.all import *

def send_ack(client_mac, client_ip):
    dhcp_ack = Ether(dst=client_mac) / IP(src="192.168.1.1", dst=client_ip) / UDP(sport=67, dport=68) / BOOTP(op=2) / DHCP(options=[("message-type", "ack"), "end"])
    sendp(dhcp_ack)

send_ack("02:00:5e:10:00:01", "192.168.1.10")
"#;

#[test]
fn scripts_written_for_scapy_send_what_scapy_sends() {
    for (name, script) in [
        ("discover", DISCOVER),
        ("offer", OFFER),
        ("request", REQUEST),
        ("ack", ACK),
    ] {
        let file =
            std::env::temp_dir().join(format!("dhcpcraft-{}-{name}.star", std::process::id()));
        std::fs::write(&file, script).unwrap();
        let talk = Talk::new();
        let source = std::fs::read_to_string(&file).unwrap();
        dhcpcraft::script::interpret(&talk.host, &file.display().to_string(), &source, &[])
            .unwrap_or_else(|error| panic!("{name}: {}", error.text));
        std::fs::remove_file(&file).unwrap();
        assert_eq!(talk.err.take(), "Sent 1 packet.\n", "{name}");
        let log = talk.host.log.borrow();
        let sent: Vec<_> = log
            .iter()
            .filter(|it| it.direction == Direction::Sent)
            .collect();
        let wanted = sent_by_scapy(script);
        assert_eq!((sent.len(), wanted.len()), (1, 1), "{name}");
        // The sender's own MAC address is each host's.
        let but_src = |it: &[u8]| hex::encode([&it[..6], &it[12..]].concat());
        assert_eq!(but_src(&sent[0].bytes), but_src(&wanted[0]), "{name}");
        assert_eq!(sent[0].bytes[6..12], [2, 0, 0x5e, 0x10, 0, 1], "{name}");
    }
}

#[test]
fn the_samples_run_on_the_lab() {
    for (name, shown) in [
        ("discover", "192.0.2.100 from 192.0.2.1, router"),
        ("offer", "sent OFFER  192.0.2.150"),
        ("request", "ACK   192.0.2.1"),
        ("ack", "sent ACK  192.0.2.150"),
    ] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("samples/{name}.star"));
        let output = Command::new(env!("CARGO_BIN_EXE_dhcpcraft"))
            .arg("run")
            .arg(&file)
            .output()
            .unwrap();
        let (out, err) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        assert_eq!(output.status.code(), Some(0), "{name}\n{out}\n{err}");
        assert!(out.contains(shown), "{name}: {out}");
    }
}
