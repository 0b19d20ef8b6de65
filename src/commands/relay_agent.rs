//! Plays a relay agent between the link of the clients and that of the servers.

use std::cell::RefCell;
use std::net::Ipv4Addr;
use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use clap::Args;

use super::Error;
use super::args::{ForceArgs, LinkArgs, OutArgs, SeedArgs, parse_duration};
use super::here::Here;
use super::open_link::{OpenLink, relay_between};
use super::outcome::{Ending, Sink};
use super::relay::RelayArg;
use super::session::Session;
use crate::link::capture::CaptureWriter;
use crate::link::record::Recorder;
use crate::talk::{HOPS, MakeInfo, Relay, RelayConfig, vlan_name};

/// Arguments of `relay`.
#[derive(Clone, Debug, Args)]
pub struct RelayAgentArgs {
    #[command(flatten)]
    link: LinkArgs,
    /// The interface where the servers are, untagged; -i is the one where the clients are, on --vlan if there is one
    #[arg(long, value_name = "IFACE", help_heading = "Relay")]
    server_interface: String,
    /// A server, or the next relay agent; repeat for more, each gets every message
    #[arg(long, value_name = "IP", required = true, help_heading = "Relay")]
    server: Vec<Ipv4Addr>,
    /// The router to servers that are not on that interface's network
    #[arg(long, value_name = "IP", help_heading = "Relay")]
    via: Option<Ipv4Addr>,
    /// The agent's address among the clients, by which the server knows their network [default: the interface's own]
    #[arg(long, value_name = "IP", help_heading = "Relay")]
    giaddr: Option<Ipv4Addr>,
    /// Add option 82 with this circuit-id: text or hex:…, {mac} is the client's MAC address
    #[arg(long, value_name = "TEXT|hex:…", help_heading = "Relay")]
    circuit_id: Option<String>,
    /// Add option 82 with this remote-id
    #[arg(long, value_name = "TEXT|hex:…", help_heading = "Relay")]
    remote_id: Option<String>,
    /// Add more sub-options to option 82, as after --relay: server-id-override=IP, link-selection=IP, relay-flags (computed) …; `explain relay-info` has them all
    #[arg(long, value_name = "SUB-OPTIONS", help_heading = "Relay")]
    relay_info: Option<String>,
    /// Pass on no message that has made more hops than this (RFC 1542 4.1.1)
    #[arg(long, value_name = "N", default_value_t = HOPS, value_parser = clap::value_parser!(u8).range(..=16), help_heading = "Relay")]
    max_hops: u8,
    /// Stop after this long [default: at Ctrl-C]
    #[arg(long, value_name = "TIME", value_parser = parse_duration, help_heading = "Ending")]
    timeout: Option<Duration>,
    #[command(flatten)]
    force: ForceArgs,
    #[command(flatten)]
    seed: SeedArgs,
    #[command(flatten)]
    out: OutArgs,
}

impl RelayAgentArgs {
    /// How to print.
    pub fn out(&self) -> &OutArgs {
        &self.out
    }

    /// The seed.
    pub fn seed(&self) -> Option<u64> {
        self.seed.seed
    }

    /// What makes option 82, where one is asked for.
    fn info(&self, giaddr: Ipv4Addr) -> Result<Option<MakeInfo>, Error> {
        let named = [
            ("circuit-id", &self.circuit_id),
            ("remote-id", &self.remote_id),
        ];
        let named = named.into_iter().filter_map(|(name, value)| {
            let value = value.as_ref()?;
            Some(format!("{name}={value}"))
        });
        let all: Vec<String> = named.chain(self.relay_info.clone()).collect();
        if all.is_empty() {
            return Ok(None);
        }
        let made = RelayArg::parse(&format!("{giaddr},{}", all.join(",")));
        let made = made.map_err(Error::Usage)?;
        Ok(Some(Rc::new(move |frame| made.info_of(frame))))
    }

    fn config(&self, clients: &OpenLink, servers: &OpenLink) -> Result<RelayConfig, Error> {
        let lacks = |interface: &str, what: &str| {
            Error::Usage(format!(
                "{interface} has no IPv4 address of its own, and {what}: `ip address add` one"
            ))
        };
        let Some(giaddr) = self.giaddr.or(clients.here.address) else {
            return Err(lacks(
                &self.link.interface,
                "giaddr is one (--giaddr IP names it)",
            ));
        };
        let Some((upstream, prefix)) = servers.here.network else {
            return Err(lacks(
                &self.server_interface,
                "the servers are asked from it",
            ));
        };
        let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
        let near = |ip: Ipv4Addr| u32::from(ip) & mask == u32::from(upstream) & mask;
        let mut ways = Vec::new();
        for server in &self.server {
            match self.via {
                _ if near(*server) => ways.push((*server, *server)),
                Some(via) => ways.push((*server, via)),
                None => {
                    return Err(Error::Usage(format!(
                        "{server} is not on the network of {} ({upstream}/{prefix}): name the router with --via IP",
                        self.server_interface
                    )));
                }
            }
        }
        Ok(RelayConfig {
            address: giaddr,
            mac: clients.here.mac,
            vlan: self.link.vlan.clone(),
            upstream,
            upstream_mac: servers.here.mac,
            servers: ways,
            info: self.info(giaddr)?,
            hops: self.max_hops,
        })
    }

    /// Relays until the time is over or the user stops it.
    pub fn run(&self, session: &mut Session, sink: &mut dyn Sink) -> Result<Ending, Error> {
        if self.link.interface == self.server_interface {
            return Err(Error::Usage(format!(
                "{} cannot be both sides: -i is where the clients are, --server-interface where the servers are",
                self.server_interface
            )));
        }
        Here::look(&self.link)?.spare_others(
            &self.link,
            self.force,
            "a second relay agent there passes others' messages on again",
        )?;
        let upstream = LinkArgs {
            interface: self.server_interface.clone(),
            // Of the clients' link alone.
            vlan: Vec::new(),
            ..self.link.clone()
        };
        let mut clients = session.open(&self.link, None)?;
        let mut servers = session.open(&upstream, None)?;
        if clients.here.lab || servers.here.lab {
            return Err(Error::Usage(
                "the lab is one link, and has a relay agent of its own in -i lab:relay; name two interfaces here".into(),
            ));
        }
        for (link, name) in [
            (&mut clients, &self.link.interface),
            (&mut servers, &self.server_interface),
        ] {
            if link.link().is_virtual() {
                return Err(Error::Usage(format!(
                    "{name} is a capture, and relay stands between two interfaces"
                )));
            }
        }
        let config = self.config(&clients, &servers)?;
        if let Some(path) = &self.out.write {
            (clients, servers) = recorded(clients, servers, path)?;
        }
        let to: Vec<String> = self.server.iter().map(Ipv4Addr::to_string).collect();
        let vlans = self.link.vlans();
        let on = match vlans.is_empty() {
            true => String::new(),
            false => format!(", {}", vlan_name(&vlans)),
        };
        sink.notice(&format!(
            "relaying from {}{on} (giaddr {}) to {} through {}; Ctrl-C ends it",
            self.link.interface,
            config.address,
            to.join(", "),
            self.server_interface
        ));
        let mut relay = Relay::new(config);
        relay_between(
            &mut relay,
            [&mut clients, &mut servers],
            self.timeout,
            session,
            sink,
        )?;
        // Ctrl-C is how a relay agent ends.
        session.resume();
        Ok(Ending::Done)
    }
}

/// Both links, written into one capture as its two interfaces.
fn recorded(
    clients: OpenLink,
    servers: OpenLink,
    path: &Path,
) -> Result<(OpenLink, OpenLink), Error> {
    let writer = Rc::new(RefCell::new(CaptureWriter::create(path)?));
    let wrap = |it: OpenLink, number: u32| -> Result<OpenLink, Error> {
        let link = Recorder::sharing(it.link, writer.clone(), number)?;
        Ok(OpenLink {
            link: Box::new(link),
            ..it
        })
    };
    Ok((wrap(clients, 0)?, wrap(servers, 1)?))
}
