//! The built-in lab: a segment inside the process with players seated on it.

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::Error;
use super::args::parse_duration;
use crate::dhcp::assign::{self, Assignment};
use crate::link::segment::{Quality, Segment};
use crate::talk::{FAULTS, Fault, Host, Rules, Seated, Server, ServerConfig, Subnet};
use crate::wire::MacAddr;

/// The client's MAC address where nobody names one.
pub const CLIENT_MAC: MacAddr = MacAddr(0x02, 0x00, 0x5e, 0x10, 0x00, 0x01);
/// The lab's server.
pub const SERVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
/// A relay agent whose clients it serves too.
pub const RELAY: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
/// The first address of its pool.
pub const FIRST_ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 100);

const SERVER_MAC: MacAddr = MacAddr(0x02, 0x00, 0x5e, 0x00, 0x00, 0x01);
const SECOND_MAC: MacAddr = MacAddr(0x02, 0x00, 0x5e, 0x00, 0x00, 0x66);
const HOST_MAC: MacAddr = MacAddr(0x02, 0x00, 0x5e, 0x00, 0x00, 0x99);

/// The casts of the lab, and what plays in each.
pub const CASTS: [(&str, &str); 6] = [
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

/// The file of rules that `lab:FILE.star` names for the server.
pub fn rules_file(name: &str) -> Option<&Path> {
    let file = name.strip_prefix("lab:")?;
    file.ends_with(".star").then(|| Path::new(file))
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
