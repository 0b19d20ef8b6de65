//! The lease files of four servers, read as one kind of record.

use std::{collections::BTreeMap, net::Ipv4Addr};

/// What a server's lease file says of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseState {
    /// Offered and not yet acknowledged. Only udhcpd writes such records.
    Offered,
    /// Given to a client.
    Active,
    /// Given back, or run out.
    Released,
    /// A client found it taken.
    Declined,
}

/// The last record of one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseRecord {
    /// The leased address.
    pub ip: Ipv4Addr,
    /// The client's MAC in small letters, `02:00:…`; empty where the server keeps none (a declined address).
    pub mac: String,
    /// The client identifier as colon-separated octets, where the client sent one and the server keeps it.
    pub client_id: Option<String>,
    /// What became of it.
    pub state: LeaseState,
    /// When it ends, in seconds since 1970.
    pub expires: u64,
}

/// dnsmasq: `expiry mac address hostname client-id` a line; a lease that ended has no line.
pub fn dnsmasq(text: &str) -> Vec<LeaseRecord> {
    text.lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let (expires, mac, ip, _name, id) = (
                words.next()?.parse().ok()?,
                words.next()?.to_owned(),
                words.next()?.parse().ok()?,
                words.next()?,
                words.next()?,
            );
            Some(LeaseRecord {
                ip,
                mac,
                client_id: (id != "*").then(|| id.to_owned()),
                state: LeaseState::Active,
                expires,
            })
        })
        .collect()
}

/// Kea's memfile: CSV, the last record of an address counts; a record with no lifetime deletes the lease.
pub fn kea(text: &str) -> Vec<LeaseRecord> {
    let mut last = BTreeMap::new();
    for line in text.lines() {
        let columns: Vec<&str> = line.split(',').collect();
        let &[ip, mac, id, lifetime, expires, _, _, _, _, state, ..] = columns.as_slice() else {
            continue;
        };
        // The line with the columns' names falls out here.
        let (Ok(ip), Ok(expires)) = (ip.parse::<Ipv4Addr>(), expires.parse()) else {
            continue;
        };
        let state = match (state, lifetime) {
            ("1", _) => LeaseState::Declined,
            ("0", lifetime) if lifetime != "0" => LeaseState::Active,
            _ => LeaseState::Released,
        };
        let record = LeaseRecord {
            ip,
            mac: mac.to_owned(),
            client_id: (!id.is_empty()).then(|| id.to_owned()),
            state,
            expires,
        };
        last.insert(ip, record);
    }
    last.into_values().collect()
}

/// ISC dhcpd with `db-time-format local`: `lease ADDRESS { … }`, the last block of an address counts.
pub fn dhcpd(text: &str) -> Vec<LeaseRecord> {
    let mut last = BTreeMap::new();
    let mut block: Option<LeaseRecord> = None;
    for line in text.lines() {
        let line = line.trim();
        let statement = line.split_once(';').map_or(line, |(before, _)| before);
        let words: Vec<&str> = statement.split_whitespace().collect();
        match (words.as_slice(), &mut block) {
            (["lease", ip, "{"], _) => {
                block = ip.parse().ok().map(|ip| LeaseRecord {
                    ip,
                    mac: String::new(),
                    client_id: None,
                    state: LeaseState::Active,
                    expires: 0,
                });
            }
            (["}"], Some(record)) => {
                last.insert(record.ip, record.clone());
                block = None;
            }
            (["ends", "epoch", seconds], Some(record)) => {
                record.expires = seconds.parse().unwrap_or(0);
            }
            (["ends", "never"], Some(record)) => record.expires = u64::MAX,
            (["binding", "state", state], Some(record)) => {
                record.state = match *state {
                    "active" => LeaseState::Active,
                    "abandoned" => LeaseState::Declined,
                    _ => LeaseState::Released,
                };
            }
            (["hardware", "ethernet", mac], Some(record)) => record.mac = (*mac).to_owned(),
            // The text may hold blanks and semicolons of its own, so it is cut out of the whole line.
            (["uid", ..], Some(record)) => {
                record.client_id = line
                    .strip_prefix("uid \"")
                    .and_then(|rest| rest.strip_suffix("\";"))
                    .map(octets_of_string);
            }
            _ => {}
        }
    }
    last.into_values().collect()
}

/// The octets of a string in a dhcpd lease file, where `\ooo` is an octet in octal and `\x` is x.
fn octets_of_string(text: &str) -> String {
    let mut octets = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let octal = tail
            .get(..3)
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        let (octet, after) = match (first, octal, tail.split_first()) {
            (b'\\', Some(octet), _) => (octet, &tail[3..]),
            (b'\\', None, Some((&escaped, after))) => (escaped, after),
            _ => (first, tail),
        };
        octets.push(octet);
        rest = after;
    }
    colons(&octets)
}

/// udhcpd: a big-endian 64-bit time of writing, then 36 bytes a lease (seconds left, address, MAC, name).
///
/// An address that is only offered stands there as well; `log` tells which ones were acknowledged.
pub fn udhcpd(bytes: &[u8], log: &str) -> Vec<LeaseRecord> {
    let Some((&written, rest)) = bytes.split_first_chunk::<8>() else {
        return Vec::new();
    };
    let (leases, _) = rest.as_chunks::<36>();
    leases
        .iter()
        .map(|lease| {
            let [l0, l1, l2, l3, a, b, c, d, mac @ ..] = *lease;
            let left = u32::from_be_bytes([l0, l1, l2, l3]);
            let ip = Ipv4Addr::new(a, b, c, d);
            let mac = &mac[..6];
            let declined = mac == [0; 6];
            let acknowledged = format!("sending ACK to {ip}");
            let state = match left {
                _ if declined => LeaseState::Declined,
                0 => LeaseState::Released,
                _ if log.lines().any(|line| line.ends_with(&acknowledged)) => LeaseState::Active,
                _ => LeaseState::Offered,
            };
            LeaseRecord {
                ip,
                mac: if declined { String::new() } else { colons(mac) },
                client_id: None,
                state,
                expires: u64::from_be_bytes(written).saturating_add(left.into()),
            }
        })
        .collect()
}

fn colons(octets: &[u8]) -> String {
    let words: Vec<String> = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    words.join(":")
}
