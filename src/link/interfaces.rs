//! The machine's interfaces: what can be used, and why not.

use std::net::{IpAddr, Ipv4Addr};

use pnet::datalink::{self, NetworkInterface};
use pnet::util::MacAddr;

use super::{LinkError, socket};

/// An interface and whether it can be used.
#[derive(Clone, Debug)]
pub struct InterfaceStatus {
    /// Its name.
    pub name: String,
    /// The kernel's number for it.
    pub index: u32,
    /// Its Ethernet address.
    pub mac: Option<MacAddr>,
    /// Its addresses.
    pub addrs: Vec<IpAddr>,
    /// Its first IPv4 address with the bits of its mask.
    pub network: Option<(Ipv4Addr, u8)>,
    /// Whether it is up.
    pub up: bool,
    /// Whether it has a carrier.
    pub carrier: bool,
    /// Whether it is the loopback interface.
    pub loopback: bool,
    /// Whether the machine's default route goes through it.
    pub default_route: bool,
    /// `Err` says why it cannot be used, and what to do.
    pub usable: Result<(), String>,
}

impl InterfaceStatus {
    /// Its first IPv4 address.
    pub fn ipv4(&self) -> Option<Ipv4Addr> {
        self.addrs.iter().find_map(|it| match it {
            IpAddr::V4(ip) => Some(*ip),
            IpAddr::V6(_) => None,
        })
    }
}

/// Whether an interface can carry frames. Its operational state follows the carrier by up to a second, the flag
/// of the lower layer at once; the state alone knows of a port that waits for a login (802.1X).
pub(super) fn carrier(interface: &NetworkInterface) -> bool {
    interface.is_running() && interface.is_lower_up()
}

/// Every interface of the machine, in the kernel's order.
pub fn list() -> Vec<InterfaceStatus> {
    let permitted = socket::open().map(drop);
    let default = default_routes();
    datalink::interfaces()
        .into_iter()
        .map(|it| {
            let up = it.is_up();
            let usable = if it.mac.is_none() && !it.is_loopback() {
                Err("no Ethernet interface".to_string())
            } else if !up {
                Err(format!("down; `ip link set {} up`", it.name))
            } else if let Err(error) = &permitted {
                Err(match error.kind() {
                    std::io::ErrorKind::PermissionDenied => {
                        let interface = it.name.clone();
                        let text = LinkError::NoPermission { interface }.to_string();
                        text.split_once(": ")
                            .map_or(text.clone(), |(_, it)| it.to_string())
                    }
                    _ => error.to_string(),
                })
            } else {
                Ok(())
            };
            InterfaceStatus {
                index: it.index,
                mac: it.mac,
                network: it.ips.iter().find_map(|net| match net.ip() {
                    IpAddr::V4(ip) => Some((ip, net.prefix())),
                    IpAddr::V6(_) => None,
                }),
                addrs: it.ips.iter().map(|net| net.ip()).collect(),
                up,
                carrier: carrier(&it),
                loopback: it.is_loopback(),
                default_route: default.contains(&it.name),
                name: it.name,
                usable,
            }
        })
        .collect()
}

/// Names of interfaces that the default route goes through.
fn default_routes() -> Vec<String> {
    let table = std::fs::read_to_string("/proc/net/route").unwrap_or_default();
    let rows = table.lines().skip(1).filter_map(|line| {
        let mut columns = line.split_whitespace();
        let (name, destination) = (columns.next()?, columns.next()?);
        let mask = columns.nth(5)?;
        (destination == "00000000" && mask == "00000000").then(|| name.to_string())
    });
    rows.collect()
}

/// The interface called `name`.
pub fn find(name: &str) -> Result<InterfaceStatus, LinkError> {
    let found = list().into_iter().find(|it| it.name == name);
    found.ok_or_else(|| missing(name))
}

/// pnet's description of the interface called `name`.
pub(super) fn pnet_interface(name: &str) -> Result<NetworkInterface, LinkError> {
    let found = datalink::interfaces()
        .into_iter()
        .find(|it| it.name == name);
    found.ok_or_else(|| missing(name))
}

fn missing(name: &str) -> LinkError {
    let names = datalink::interfaces().into_iter().map(|it| it.name);
    let near = names
        .map(|it| (strsim::jaro_winkler(&it, name), it))
        .filter(|(score, _)| *score > 0.6)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, it)| it);
    LinkError::NoSuchInterface {
        name: name.to_string(),
        near,
    }
}
