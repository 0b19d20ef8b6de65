//! The built-in lab: a segment inside the process with players seated on it.

use std::net::Ipv4Addr;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::Error;
use super::args::parse_duration;
use super::serve::Network;
use crate::dhcp::assign::{self, Assignment};
use crate::link::segment::{Quality, Segment};
use crate::talk::{
    Behind, FAULTS, Fault, HOPS, Host, Relay, RelayConfig, Rules, Seated, Server, ServerConfig,
    Subnet,
};
use crate::wire::MacAddr;

/// The client's MAC address where nobody names one.
pub const CLIENT_MAC: MacAddr = MacAddr(0x02, 0x00, 0x5e, 0x10, 0x00, 0x01);
/// The lab's server.
pub const SERVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// The server's address with its subnet.
pub const NETWORK: Network = Network {
    ip: SERVER,
    prefix: 24,
};
/// A relay agent whose clients it serves too.
pub const RELAY: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
/// The first address of its pool.
pub const FIRST_ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 100);

/// The client's machine where a client is checked.
pub(super) const MACHINE_MAC: MacAddr = MacAddr(0x02, 0x00, 0x5e, 0x10, 0x00, 0x02);
const SERVER_MAC: MacAddr = MacAddr(0x02, 0x00, 0x5e, 0x00, 0x00, 0x01);
const SECOND_MAC: MacAddr = MacAddr(0x02, 0x00, 0x5e, 0x00, 0x00, 0x66);
const HOST_MAC: MacAddr = MacAddr(0x02, 0x00, 0x5e, 0x00, 0x00, 0x99);

/// The relay agent behind it in a chain.
const SECOND_RELAY: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);
/// The first agent's address on the link between the two, and an agent's on the server's.
const BETWEEN_RELAYS: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 2);
const BEFORE_SERVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 254);
/// How the MAC address of the last agent among its clients ends; its other one is the next.
const RELAY_MACS: u8 = 0xf2;

/// The casts of the lab, and what plays in each.
pub const CASTS: [(&str, &str); 8] = [
    ("lab", "one server, 192.0.2.1"),
    (
        "lab:two-servers",
        "a second server, 192.0.2.66, offers 192.0.2.200 and another router",
    ),
    (
        "lab:taken",
        "a host already owns 192.0.2.100, the first address offered",
    ),
    ("lab:nak", "the server refuses every request"),
    ("lab:silent", "nobody answers"),
    ("lab:lossy", "three frames in ten are lost"),
    (
        "lab:relay",
        "a relay agent, 198.51.100.1, stands before the server",
    ),
    (
        "lab:relay-chain",
        "two relay agents in a chain stand before the server",
    ),
];

/// Whether `-i NAME` means the lab.
pub fn is_lab(name: &str) -> bool {
    name == "lab" || name.starts_with("lab:")
}

fn options(texts: &[&str]) -> Result<Vec<Assignment>, Error> {
    let parse = |text: &&str| assign::parse(text).map_err(|it| Error::Usage(it.to_string()));
    texts.iter().map(parse).collect()
}

fn server() -> Result<ServerConfig, Error> {
    Ok(ServerConfig {
        address: SERVER,
        mac: SERVER_MAC,
        vlan: Vec::new(),
        subnets: vec![
            Subnet {
                network: Ipv4Addr::new(192, 0, 2, 0),
                prefix: 24,
                pool: (FIRST_ADDRESS, Ipv4Addr::new(192, 0, 2, 199)),
                options: options(&[
                    "router=192.0.2.1",
                    "dns=192.0.2.53",
                    "domain-name=lab.example",
                    "broadcast-address=192.0.2.255",
                ])?,
            },
            // For relayed requests: any giaddr in 198.51.100.0/24.
            Subnet {
                network: Ipv4Addr::new(198, 51, 100, 0),
                prefix: 24,
                pool: (
                    Ipv4Addr::new(198, 51, 100, 100),
                    Ipv4Addr::new(198, 51, 100, 199),
                ),
                options: options(&["router=198.51.100.1", "dns=192.0.2.53"])?,
            },
        ],
        lease: 3600,
        think: Duration::from_micros(200),
        refuse: false,
        reservations: Vec::new(),
        reserved_only: false,
        rapid_commit: true,
        bootp: true,
        forced: Vec::new(),
        faults: Vec::new(),
    })
}

/// What the server of `lab:FAULT` does wrong, by the names of `serve --fault`.
fn fault(name: &str) -> Option<Result<Fault, Error>> {
    let text = name.strip_prefix("lab:")?;
    let known = text.split_once('=').map_or(text, |it| it.0);
    FAULTS.iter().find(|it| it.0 == known)?;
    Some(Fault::parse(text, parse_duration).map_err(Error::Usage))
}

/// The fault that the server of `lab:FAULT` plays, in the words of `serve --fault`.
pub fn fault_of(name: &str) -> Option<&str> {
    fault(name)?.ok()?;
    name.strip_prefix("lab:")
}

/// Whether a server of this cast gets what a client sends, with a VLAN tag or without.
pub fn hears(name: &str, tagged: bool) -> bool {
    name != "lab:silent" && !(tagged && agents(name).is_some())
}

/// The file of rules that `lab:FILE.star` names for the server.
pub fn rules_file(name: &str) -> Option<&Path> {
    let file = name.strip_prefix("lab:")?;
    file.ends_with(".star").then(|| Path::new(file))
}

/// The relay agents of a cast, the nearest to the clients first: each one's address among its clients.
fn agents(name: &str) -> Option<&'static [Ipv4Addr]> {
    match name {
        "lab:relay" => Some(&[RELAY]),
        "lab:relay-chain" => Some(&[RELAY, SECOND_RELAY]),
        _ => None,
    }
}

/// The clients' segment, with the agents and behind the last of them the server.
fn relayed(name: &str, seed: u64, agents: &[Ipv4Addr]) -> Result<Segment, Error> {
    let Some((address, rest)) = agents.split_first() else {
        let mut segment = Segment::new(name, seed, Quality::default());
        let server = Server::new(server()?, ChaCha8Rng::seed_from_u64(seed));
        segment.seat(Box::new(Seated(server)));
        return Ok(segment);
    };
    let number = RELAY_MACS - 2 * rest.len() as u8;
    let mac = |number| MacAddr::new(0x02, 0x00, 0x5e, 0x00, 0x00, number);
    let (next, upstream) = match rest.first() {
        Some(next) => (*next, BETWEEN_RELAYS),
        None => (SERVER, BEFORE_SERVER),
    };
    let circuit = suboptions_of("circuit-id=port-7")?;
    let relay = Relay::new(RelayConfig {
        address: *address,
        mac: mac(number),
        vlan: Vec::new(),
        upstream,
        upstream_mac: mac(number + 1),
        servers: vec![(next, next)],
        info: Some(Rc::new(move |_| circuit.clone())),
        hops: HOPS,
    });
    let servers = relayed(name, seed.wrapping_add(1), rest)?;
    let mut segment = Segment::new(name, seed, Quality::default());
    segment.seat(Box::new(Behind::new(relay, servers)));
    Ok(segment)
}

/// Data of an option 82.
fn suboptions_of(text: &str) -> Result<Vec<u8>, Error> {
    let all = options(&[&format!("relay-info={text}")])?;
    Ok(all.into_iter().flat_map(|it| it.data).collect())
}

/// The segment with the cast that `name` asks for; `rules` reads those of a file.
pub fn open(
    name: &str,
    seed: u64,
    rules: impl Fn(&Path) -> Result<Box<dyn Rules>, Error>,
) -> Result<Segment, Error> {
    let mut quality = Quality::default();
    if name == "lab:lossy" {
        quality.loss = 0.3;
    }
    let mut segment = Segment::new(name, seed, quality);
    if let Some(agents) = agents(name) {
        return relayed(name, seed, agents);
    }
    let mut first = server()?;
    first.refuse = name == "lab:nak";
    if let Some(fault) = fault(name) {
        first.faults.push(fault?);
    }
    match name {
        "lab:silent" => return Ok(segment),
        "lab" | "lab:nak" | "lab:lossy" => {}
        name if fault(name).is_some() => {}
        "lab:taken" => segment.seat(Box::new(Seated(Host::new(FIRST_ADDRESS, HOST_MAC)))),
        "lab:two-servers" => {
            let mut second = server()?;
            second.address = Ipv4Addr::new(192, 0, 2, 66);
            second.mac = SECOND_MAC;
            second.lease = 120;
            second.think = Duration::from_micros(900);
            second.subnets.truncate(1);
            if let Some(subnet) = second.subnets.first_mut() {
                subnet.pool = (Ipv4Addr::new(192, 0, 2, 200), Ipv4Addr::new(192, 0, 2, 220));
                subnet.options = options(&["router=192.0.2.66", "dns=192.0.2.66"])?;
            }
            segment.seat(Box::new(Seated(Server::new(
                second,
                ChaCha8Rng::seed_from_u64(seed),
            ))));
        }
        _ if rules_file(name).is_some() => {}
        _ => {
            let known: Vec<_> = CASTS.iter().map(|(name, _)| *name).collect();
            return Err(Error::Usage(format!(
                "the lab has no cast `{name}`; there are {}, lab:FILE.star with a server's rules, and lab:FAULT for each of `serve --fault help`",
                known.join(", ")
            )));
        }
    }
    let mut first = Server::new(first, ChaCha8Rng::seed_from_u64(seed));
    if let Some(path) = rules_file(name) {
        first.follow(rules(path)?);
    }
    segment.seat(Box::new(Seated(first)));
    Ok(segment)
}
