//! Plays a DHCP server for the clients on a link.

use std::io::ErrorKind;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::Error;
use super::args::{ForceArgs, LinkArgs, OutArgs, SeedArgs, parse_duration};
use super::here::Here;
use super::outcome::{Ending, Sink};
use super::session::Session;
use super::witness::Witness;
use crate::dhcp::assign::{self, Assignment};
use crate::link::port::{self, HeldPort};
use crate::talk::{Fault, Player, Reservation, Server, ServerConfig, Subnet, Watch};
use crate::wire::{MacAddr, SERVER_PORT};

/// Arguments of `serve`.
#[derive(Clone, Debug, Args)]
pub struct ServeArgs {
    /// A script that decides what is answered: functions on_discover(req), on_request(req) and so on; what it
    /// has no function for the server answers by itself
    #[arg(value_name = "RULES.star")]
    rules: Option<PathBuf>,
    #[command(flatten)]
    link: LinkArgs,
    /// The server's address and its subnet [default: the interface's own]
    #[arg(long, value_name = "IP/BITS", value_parser = parse_address, help_heading = "Server")]
    address: Option<Network>,
    /// The server's MAC address [default: the interface's own]
    #[arg(long, value_name = "MAC", help_heading = "Server", value_parser = parse_mac)]
    src_mac: Option<MacAddr>,
    /// Addresses to give [default: the upper half of the subnet]
    #[arg(long, value_name = "FIRST-LAST", value_parser = parse_pool, help_heading = "Server")]
    pool: Option<Pool>,
    /// A subnet behind a relay agent, with its pool, or a further pool of the same one; repeat for more
    #[arg(long, value_name = "IP/BITS=FIRST-LAST", value_parser = parse_subnet, help_heading = "Server")]
    subnet: Vec<(Network, Pool)>,
    /// Keep an address for a client: its MAC, its client identifier (hex:…), or a circuit-id (text or hex:…)
    #[arg(long, value_name = "CLIENT=IP", value_parser = parse_reservation, help_heading = "Server")]
    reserve: Vec<Reservation>,
    /// Serve only clients for which an address is kept
    #[arg(long, requires = "reserve", help_heading = "Server")]
    reserved_only: bool,
    /// How long a lease lasts, or `infinite`
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = parse_lease, help_heading = "Server")]
    lease_time: u32,
    /// Give the lease at once to clients that ask for it (option 80, RFC 4039)
    #[arg(long, help_heading = "Server")]
    rapid_commit: bool,
    /// Serve plain BOOTP clients too
    #[arg(long, help_heading = "Server")]
    bootp: bool,
    /// Give this option to clients that ask for it; repeat for more. Of one that all clients are told anyway, such as
    /// lease-time, it is what they are told; the server itself goes by --lease-time
    #[arg(short, long, value_name = "NAME[:TYPE][=VALUE]", help_heading = "Server", value_parser = parse_option)]
    option: Vec<Assignment>,
    /// Give this option to every client, asked for or not; repeat for more
    #[arg(long, value_name = "NAME[:TYPE][=VALUE]", help_heading = "Server", value_parser = parse_option)]
    force_option: Vec<Assignment>,
    #[command(flatten)]
    force: ForceArgs,
    /// Do something wrong on purpose; repeat for more. `--fault help` lists what
    #[arg(long, value_name = "NAME[=VALUE]", value_parser = parse_fault, help_heading = "Faults")]
    fault: Vec<Wish>,
    /// Stop after this long [default: at Ctrl-C]
    #[arg(long, value_name = "TIME", value_parser = parse_duration, help_heading = "Ending")]
    timeout: Option<Duration>,
    #[command(flatten)]
    seed: SeedArgs,
    #[command(flatten)]
    out: OutArgs,
}

/// An address with the length of its subnet's mask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// The address.
    pub ip: Ipv4Addr,
    /// The bits of the mask.
    pub prefix: u8,
}

impl Network {
    /// The subnet's first and last address.
    pub fn bounds(self) -> (u32, u32) {
        let mask = u32::MAX
            .checked_shl(32 - u32::from(self.prefix))
            .unwrap_or(0);
        let first = u32::from(self.ip) & mask;
        (first, first | !mask)
    }

    /// The upper half, without the broadcast address and the server itself.
    fn upper_half(self) -> Pool {
        let (first, last) = self.bounds();
        let (half, end) = (first + (last - first) / 2 + 1, last.saturating_sub(1));
        let own = u32::from(self.ip);
        let range = match own {
            own if own == end => (half, end.saturating_sub(1)),
            own if (half..end).contains(&own) => (own + 1, end),
            _ => (half, end),
        };
        Pool {
            first: range.0.into(),
            last: range.1.max(range.0).into(),
        }
    }

    fn with(self, pool: Pool, options: Vec<Assignment>) -> Subnet {
        Subnet {
            network: self.bounds().0.into(),
            prefix: self.prefix,
            pool: (pool.first, pool.last),
            options,
        }
    }
}

/// First and last address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    first: Ipv4Addr,
    last: Ipv4Addr,
}

/// Reads a lease time as option 51 has it: whole seconds, one at least, up to one that never ends.
fn parse_lease(text: &str) -> Result<u32, String> {
    let option = assign::parse(&format!("lease-time={text}"));
    let seconds = option.ok().and_then(|it| it.data.try_into().ok());
    match seconds.map(u32::from_be_bytes) {
        Some(seconds @ 1..) => Ok(seconds),
        _ => Err("a lease lasts whole seconds, one at least, such as 600, 1h30m or 7d, or it is infinite".into()),
    }
}

/// Reads `IP/BITS` of a host.
fn parse_address(text: &str) -> Result<Network, String> {
    let network = parse_network(text)?;
    let Network { ip, prefix } = network;
    let (first, last) = network.bounds();
    let what = match u32::from(ip) {
        _ if ip.is_multicast() || ip.octets()[0] == 0 || ip.octets()[0] >= 240 => {
            "no address of a host"
        }
        it if it == first => "the network's own address",
        it if it == last => "the network's address for broadcasts",
        _ => return Ok(network),
    };
    let host = match ip.octets()[0] {
        1..=223 => Ipv4Addr::from(first + 1),
        _ => Ipv4Addr::new(10, 0, 0, 1),
    };
    Err(format!(
        "{ip} is {what}: name the server's, such as {host}/{prefix}"
    ))
}

/// Reads `IP/BITS`.
pub(super) fn parse_network(text: &str) -> Result<Network, String> {
    let parsed = text
        .split_once('/')
        .and_then(|(ip, bits)| Some((ip.parse().ok()?, bits.parse().ok()?)));
    match parsed {
        Some((ip, prefix @ 1..=30)) => Ok(Network { ip, prefix }),
        _ => Err("an address with the bits of its mask, 1 to 30, such as 10.0.0.1/24".into()),
    }
}

fn parse_option(text: &str) -> Result<Assignment, String> {
    assign::parse(text).map_err(|it| it.to_string())
}

fn parse_pool(text: &str) -> Result<Pool, String> {
    let parsed = text
        .split_once('-')
        .and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
    match parsed {
        Some((first, last)) if first <= last => Ok(Pool { first, last }),
        _ => Err("FIRST-LAST, such as 10.0.0.100-10.0.0.199".into()),
    }
}

fn parse_subnet(text: &str) -> Result<(Network, Pool), String> {
    let (network, pool) = text.split_once('=').ok_or("IP/BITS=FIRST-LAST")?;
    Ok((parse_network(network)?, parse_pool(pool)?))
}

/// Reads a MAC address.
pub(super) fn parse_mac(text: &str) -> Result<MacAddr, String> {
    let mac = text.replace('-', ":").parse();
    mac.map_err(|_| "a MAC address such as 02:00:5e:10:00:01".into())
}

fn parse_reservation(text: &str) -> Result<Reservation, String> {
    let (client, ip) = text
        .rsplit_once('=')
        .ok_or("CLIENT=IP, such as 02:00:5e:10:00:01=10.0.0.7")?;
    let ip = ip
        .parse()
        .map_err(|_| format!("`{ip}` is not an IPv4 address"))?;
    let client = match (parse_mac(client), client.strip_prefix("hex:")) {
        (Ok(mac), _) => mac.octets().to_vec(),
        (_, Some(digits)) => hex::decode(digits.replace(':', ""))
            .map_err(|_| "an even number of hex digits after hex:")?,
        _ => client.as_bytes().to_vec(),
    };
    match client.is_empty() {
        true => Err(format!(
            "no client is named: CLIENT={ip}, such as 02:00:5e:10:00:01={ip}"
        )),
        false => Ok(Reservation { client, ip }),
    }
}

/// A subnet's pool in words.
fn range(subnet: &Subnet) -> String {
    format!("{}-{}", subnet.pool.0, subnet.pool.1)
}

/// A subnet in words.
fn name(subnet: &Subnet) -> String {
    format!("{}/{}", subnet.network, subnet.prefix)
}

/// A word of `--fault`.
#[derive(Clone, Debug)]
enum Wish {
    Fault(Fault),
    /// The list of all.
    List,
}

fn parse_fault(text: &str) -> Result<Wish, String> {
    match text {
        "help" => Ok(Wish::List),
        text => Fault::parse(text, parse_duration).map(Wish::Fault),
    }
}

impl ServeArgs {
    /// How to print.
    pub fn out(&self) -> &OutArgs {
        &self.out
    }

    /// Whether the faults are to be listed, and nothing served.
    pub fn lists_faults(&self) -> bool {
        self.fault.iter().any(|it| matches!(it, Wish::List))
    }

    /// The seed.
    pub fn seed(&self) -> Option<u64> {
        self.seed.seed
    }

    fn config(&self, own: Option<Network>, mac: MacAddr) -> Result<ServerConfig, Error> {
        let Some(network) = self.address.or(own) else {
            return Err(Error::Usage(format!(
                "{} has no IPv4 address of its own: name the server's with --address IP/BITS",
                self.link.interface
            )));
        };
        let pool = self.pool.unwrap_or_else(|| network.upper_half());
        let mut subnets = vec![network.with(pool, self.option.clone())];
        subnets.extend(
            self.subnet
                .iter()
                .map(|(network, pool)| network.with(*pool, self.option.clone())),
        );
        for subnet in &subnets {
            if !subnet.contains(subnet.pool.0) || !subnet.contains(subnet.pool.1) {
                return Err(Error::Usage(format!(
                    "the pool {} does not lie in {}",
                    range(subnet),
                    name(subnet)
                )));
            }
        }
        for (at, subnet) in subnets.iter().enumerate() {
            let parts = |it: &&Subnet| it.prefix != subnet.prefix && it.overlaps(subnet);
            if let Some(other) = subnets.iter().take(at).find(parts) {
                return Err(Error::Usage(format!(
                    "{} and {} overlap: networks that are served are the same, with several pools, or apart",
                    name(other),
                    name(subnet)
                )));
            }
        }
        for Reservation { ip, .. } in &self.reserve {
            let on = subnets.iter().find(|it| it.contains(*ip));
            let why = match on {
                None => "it lies in no subnet that is served: --subnet IP/BITS=FIRST-LAST adds one"
                    .into(),
                Some(_) if *ip == network.ip => "it is the server's own".to_string(),
                Some(subnet) if !subnet.is_host(*ip) => {
                    format!("no host of {} can have it", name(subnet))
                }
                Some(_) => continue,
            };
            return Err(Error::Usage(format!("--reserve …={ip}: {why}")));
        }
        let faults = self.fault.iter().filter_map(|it| match it {
            Wish::Fault(fault) => Some(fault.clone()),
            Wish::List => None,
        });
        Ok(ServerConfig {
            address: network.ip,
            mac: self.src_mac.unwrap_or(mac),
            vlan: self.link.vlan.clone(),
            subnets,
            lease: self.lease_time,
            think: Duration::ZERO,
            refuse: false,
            reservations: self.reserve.clone(),
            reserved_only: self.reserved_only,
            rapid_commit: self.rapid_commit,
            bootp: self.bootp,
            forced: self.force_option.clone(),
            faults: faults.collect(),
        })
    }

    /// Has the kernel take what clients unicast to an address of its own: it would answer that nobody listens.
    fn hold_port(&self, address: Ipv4Addr, sink: &mut dyn Sink) -> Option<HeldPort> {
        let held = port::hold(&self.link.interface, address, SERVER_PORT);
        match held {
            Ok(held) => return held,
            Err(it) if it.kind() == ErrorKind::AddrInUse => sink.notice(&format!(
                "another program has UDP port {SERVER_PORT} of {address}: two DHCP servers may answer under one address"
            )),
            Err(it) => sink.notice(&format!(
                "UDP port {SERVER_PORT} of {address} cannot be held open ({it}): the kernel answers what clients unicast \
                 to it with ICMP port unreachable, beside this server's reply"
            )),
        }
        None
    }

    /// What stands in a pool and is not given: network and broadcast address, and the server's own.
    fn check_pools(config: &ServerConfig, sink: &mut dyn Sink) -> Result<(), Error> {
        for subnet in &config.subnets {
            let (first, last) = subnet.pool;
            let ends = [first, last].into_iter().filter(|ip| !subnet.is_host(*ip));
            let own = (first..=last).contains(&config.address);
            let mut out: Vec<String> = ends.map(|it| it.to_string()).collect();
            out.extend(own.then(|| format!("{}, the server's own", config.address)));
            if u32::from(last) - u32::from(first) < out.len() as u32 {
                return Err(Error::Usage(format!(
                    "the pool {} of {} holds no address that a client can have",
                    range(subnet),
                    name(subnet)
                )));
            }
            if !out.is_empty() {
                let out = out.join(" and ");
                sink.notice(&format!("of the pool {} not given: {out}", range(subnet)));
            }
        }
        Ok(())
    }

    /// Serves until the time is over or the user stops it.
    pub fn run(&self, session: &mut Session, sink: &mut dyn Sink) -> Result<Ending, Error> {
        let rules = match &self.rules {
            Some(path) => Some(session.rules(path)?),
            None => None,
        };
        Here::look(&self.link)?.spare_others(
            &self.link,
            self.force,
            "a second server there gives others' clients its addresses",
        )?;
        let mut link = session.open(&self.link, self.out.write.as_deref())?;
        if link.here.lab {
            return Err(Error::Usage(
                "the lab has a server and no clients to serve: name an interface with -i IFACE"
                    .into(),
            ));
        }
        let own = link.here.network.map(|(ip, prefix)| Network { ip, prefix });
        let config = self.config(own, link.here.mac)?;
        Self::check_pools(&config, sink)?;
        let _port = self.hold_port(config.address, sink);
        let pools: Vec<String> = config.subnets.iter().map(range).collect();
        sink.notice(&format!(
            "serving {} as {} ({}) on {}; Ctrl-C ends it",
            pools.join(", "),
            config.address,
            config.mac,
            self.link.interface
        ));
        let mut server = Server::new(config, session.fork());
        if let Some(rules) = rules {
            server.follow(rules);
        }
        let mut clock = Watch::new(None, self.timeout, |_| false);
        let mut witness = Witness::default();
        let players: &mut [&mut dyn Player] = &mut [&mut server, &mut clock];
        session.failing.end_after(self.timeout);
        let played = link.play(players, session, sink, &mut witness);
        session.failing.end_after(None);
        played?;
        // Ctrl-C is how a server ends.
        session.resume();
        Ok(Ending::Done)
    }
}
