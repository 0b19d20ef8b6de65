//! `--group`: frames told apart by exchange, and what each client is doing as seen from outside.

#[path = "support/frames.rs"]
mod frames;
mod support;

use dhcpcraft::link::Time;
use dhcpcraft::talk::observer::{CLIENTS, Observer};
use dhcpcraft::wire::{Frame, Layer};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value as Json;
use support::tool::{scratch, text, tool};

/// The clients of a capture as `--group --json` gives them.
fn clients(file: &str) -> Vec<Json> {
    let run = tool(&["show", "--group", "--json", file]).succeeded();
    let lines = run.json().into_iter();
    lines.filter(|it| !it["client"].is_null()).collect()
}

/// `STATE`, or `STATE reason`.
fn state(client: &Json) -> String {
    let word = |name: &str| client[name].as_str().unwrap_or_default().to_string();
    format!("{} {}", word("state"), word("reason"))
        .trim_end()
        .to_string()
}

#[test]
fn every_recorded_exchange_ends_in_its_state() {
    let cases: &[(&str, &str)] = &[
        ("dora-dhcpd", "BOUND"),
        ("dora-dnsmasq", "BOUND"),
        ("dora-kea", "BOUND"),
        ("dora-udhcpd", "BOUND"),
        ("lab", "BOUND"),
        ("decline", "INIT declined"),
        ("nak", "INIT refused"),
        ("release", "INIT released"),
        ("inform", "INFORM"),
        ("several-servers", "SELECTING"),
        ("relayed", "SELECTING"),
        ("vlan", "SELECTING"),
    ];
    for (name, wanted) in cases {
        let found = clients(&format!("samples/{name}.pcapng"));
        let [client] = found.as_slice() else {
            panic!("{name}: {found:?}");
        };
        assert_eq!(state(client), *wanted, "{name}");
    }
}

/// A lease lived through in the lab: what an onlooker makes of it at each hour.
#[test]
fn a_lease_is_followed_through_its_life() {
    let file = scratch("observer-life").join("life.pcapng");
    let file = text(&file);
    tool(&["dora", "--hold", "100m", "-w", file]).succeeded();
    let run = tool(&["show", "--group", "--json", file]).succeeded();
    let states: Vec<String> = run
        .json()
        .iter()
        .filter_map(|it| it["state"].as_str().filter(|_| it["client"].is_null()))
        .map(str::to_string)
        .collect();
    let begins = ["SELECTING", "SELECTING", "REQUESTING", "BOUND"];
    assert_eq!(states[..4], begins, "{states:?}");
    assert!(states.iter().any(|it| it == "RENEWING"), "{states:?}");
    let last = clients(file);
    assert_eq!(state(&last[0]), "BOUND");
    assert_eq!(last[0]["lease"], 3600);
}

/// Clients that are served at the same time do not run into each other.
#[test]
fn clients_at_once_are_told_apart() {
    let file = scratch("observer-clients").join("clients.pcapng");
    let file = text(&file);
    let mac = "02:00:00:00:00:01+";
    tool(&["dora", "--clients", "2", "--mac", mac, "-w", file]).succeeded();
    let found = clients(file);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().all(|it| state(it) == "BOUND"), "{found:?}");
    assert_ne!(found[0]["address"], found[1]["address"]);
}

#[test]
fn a_flood_of_clients_is_not_kept() {
    let mut observer = Observer::default();
    let run = tool(&["discover", "--dry-run", "--json"]).succeeded();
    let lines = run.json();
    let bytes = hex::decode(lines[0]["hex"].as_str().expect("hex")).expect("hex");
    let frame = Frame::decode(&bytes);
    for n in 0..3 * CLIENTS as u32 {
        let mut frame = frame.clone();
        for layer in &mut frame.layers {
            if let Layer::Bootp(bootp) = layer {
                bootp.chaddr[2..6].copy_from_slice(&n.to_be_bytes());
                bootp.xid = n;
            }
        }
        observer.see(Time(u64::from(n)), &frame);
        assert!(observer.len() <= CLIENTS);
    }
    assert_eq!(observer.len(), CLIENTS);
}

proptest! {
    #[test]
    fn whatever_passes_is_looked_at(all in vec(frames::frame(), 0..40)) {
        let mut observer = Observer::default();
        for (at, frame) in (0..).zip(all) {
            observer.see(Time(at * 1_000_000_000), &frame);
        }
        observer.finish(None);
    }
}
