//! What a server is told to do: subnets, reservations, times, faults.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::fault::Fault;
use crate::dhcp::assign::Assignment;
use crate::wire::{Dot1Q, MacAddr};

/// A subnet that the server gives addresses of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subnet {
    /// Network address.
    pub network: Ipv4Addr,
    /// Bits of the mask.
    pub prefix: u8,
    /// First and last address of the pool.
    pub pool: (Ipv4Addr, Ipv4Addr),
    /// Options for clients that ask for them, in the server's order; those that it gives every client anyway, such
    /// as lease times, mask and server identifier, in place of its own.
    pub options: Vec<Assignment>,
}

impl Subnet {
    /// The subnet mask.
    pub fn mask(&self) -> Ipv4Addr {
        let bits = u32::MAX.checked_shl(32 - u32::from(self.prefix.min(32)));
        bits.unwrap_or(0).into()
    }

    /// Whether `ip` is neither the network's own address nor that for broadcasts: one that a host can have.
    pub fn is_host(&self, ip: Ipv4Addr) -> bool {
        let hosts = !u32::from(self.mask());
        let number = u32::from(ip) & hosts;
        number != 0 && number != hosts
    }

    /// The address for broadcasts to it from elsewhere (RFC 919).
    pub fn broadcast(&self) -> Ipv4Addr {
        (u32::from(self.network) | !u32::from(self.mask())).into()
    }

    /// Whether an address belongs to both.
    pub fn overlaps(&self, other: &Subnet) -> bool {
        self.contains(other.network) || other.contains(self.network)
    }

    /// Whether `ip` belongs to it.
    pub fn contains(&self, ip: Ipv4Addr) -> bool {
        let mask = u32::from(self.mask());
        u32::from(ip) & mask == u32::from(self.network) & mask
    }
}

/// What a server is to do.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerConfig {
    /// Its address and identity (option 54).
    pub address: Ipv4Addr,
    /// Its Ethernet address.
    pub mac: MacAddr,
    /// The VLAN it stands on, as tags of its replies; none for every VLAN, each answered with the tags
    /// it asked with.
    pub vlan: Vec<Dot1Q>,
    /// Its subnets; the first is the one it stands on. Several of one network are one subnet with several pools.
    pub subnets: Vec<Subnet>,
    /// Lease time in seconds.
    pub lease: u32,
    /// How long it takes to answer.
    pub think: Duration,
    /// Whether it refuses every REQUEST that it answers.
    pub refuse: bool,
    /// Addresses kept for certain clients.
    pub reservations: Vec<Reservation>,
    /// Whether only clients with a reservation are served.
    pub reserved_only: bool,
    /// Whether a client that asks for it gets its lease at once (RFC 4039).
    pub rapid_commit: bool,
    /// Whether plain BOOTP clients are served; they get an address for ever.
    pub bootp: bool,
    /// Options that every client gets, asked for or not, in place of all others.
    pub forced: Vec<Assignment>,
    /// What it does wrong on purpose.
    pub faults: Vec<Fault>,
}

/// An address kept for a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reservation {
    /// Its client identifier (option 61), hardware address, or circuit-id (option 82), as bytes.
    pub client: Vec<u8>,
    /// The address.
    pub ip: Ipv4Addr,
}
