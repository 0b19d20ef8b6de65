//! Which address a client may have.

use std::net::Ipv4Addr;

use super::Server;
use crate::dhcp::Message;
use crate::dhcp::enums::{INFORM, REQUEST};
use crate::link::Time;
use crate::talk::server_config::{Reservation, Subnet};
use crate::wire::Options;

impl Server {
    /// The subnet that the client is on.
    pub(super) fn subnet_for(&self, message: &Message) -> Result<&Subnet, String> {
        let (giaddr, ciaddr) = (message.bootp.giaddr, message.bootp.ciaddr);
        let on = |ip: Ipv4Addr| self.config.subnets.iter().find(|it| it.contains(ip));
        let first = self.config.subnets.first();
        let (found, place) = match message.message_type() {
            // The address tells where the client is, also where it asks past its relay agent.
            Some(INFORM) => (on(ciaddr), ciaddr),
            Some(REQUEST) if giaddr.is_unspecified() && !ciaddr.is_unspecified() => {
                (on(ciaddr).or(first), ciaddr)
            }
            _ if giaddr.is_unspecified() => (first, giaddr),
            _ => (on(giaddr), giaddr),
        };
        found.ok_or_else(|| format!("no subnet of {place}"))
    }

    /// The pools of a subnet, first and last address of each: those of every subnet of its network.
    fn pools<'a>(&'a self, subnet: &'a Subnet) -> impl Iterator<Item = (Ipv4Addr, Ipv4Addr)> + 'a {
        let network = |it: &Subnet| (u32::from(it.network) & u32::from(it.mask()), it.prefix);
        let all = self.config.subnets.iter();
        all.filter(move |it| network(it) == network(subnet))
            .map(|it| it.pool)
    }

    /// The addresses kept for this client, by identifier, hardware address or circuit-id.
    pub(super) fn kept_for(&self, message: &Message) -> Vec<Ipv4Addr> {
        let id = message.data(61);
        let circuit = message
            .data(82)
            .and_then(|it| Options::new(&it).find_code(1).map(<[u8]>::to_vec));
        let is_client = |it: &&Reservation| {
            id.as_deref() == Some(&it.client)
                || message.bootp.client_hardware() == it.client
                || circuit.as_deref() == Some(&it.client)
        };
        let kept = self.config.reservations.iter().filter(is_client);
        kept.map(|it| it.ip).collect()
    }

    /// Whether the client, for which those addresses are kept, may have this one if it asks: a free one that is kept
    /// for it, or one of the pool that is kept for nobody.
    pub(super) fn may_have(
        &self,
        ip: Ipv4Addr,
        subnet: &Subnet,
        kept: &[Ipv4Addr],
        key: &[u8],
        now: Time,
    ) -> bool {
        let pooled = || {
            self.pools(subnet)
                .any(|(first, last)| (first..=last).contains(&ip))
        };
        let ours = match kept.contains(&ip) {
            true => subnet.contains(ip),
            false => {
                pooled()
                    && subnet.is_host(ip)
                    && ip != self.config.address
                    && !self.config.reserved_only
                    && !self.config.reservations.iter().any(|it| it.ip == ip)
            }
        };
        ours && self.bindings.free_for(ip, key, now)
    }

    /// RFC 2131 section 4.3.1: the address kept for the client, the one it has or had, the one it asks
    /// for, or the first free one; or why there is none.
    pub(super) fn pick(
        &self,
        message: &Message,
        key: &[u8],
        now: Time,
    ) -> Result<Ipv4Addr, String> {
        let subnet = self.subnet_for(message)?;
        let mut kept = self.kept_for(message);
        kept.retain(|ip| subnet.contains(*ip));
        let fit = |ip: &Ipv4Addr| self.may_have(*ip, subnet, &kept, key, now);
        let ranges = self.pools(subnet);
        let pool = ranges.flat_map(|(first, last)| u32::from(first)..=u32::from(last));
        let pool = pool.map(Ipv4Addr::from);
        let found = kept.iter().copied().find(fit);
        found
            .or_else(|| self.bindings.of(key, subnet))
            .or_else(|| message.requested_ip().into_iter().chain(pool).find(fit))
            .ok_or_else(|| match (self.config.reserved_only, kept.first()) {
                (true, Some(ip)) => format!("{ip}, kept for it, is in use"),
                (true, None) => "no reservation".into(),
                (false, _) => "the pool is used up".into(),
            })
    }

    /// Whether the client has the address already, where it is: what it was given once is its own whatever
    /// pool it is of, and although a renewal by unicast says nothing of option 82.
    pub(super) fn owns(&self, ip: Ipv4Addr, message: &Message, key: &[u8]) -> bool {
        let mut subnets = self.config.subnets.iter();
        let here = match subnets.find(|it| it.contains(ip)) {
            Some(subnet) => self.subnet_for(message) == Ok(subnet),
            // Rules give addresses of no subnet.
            None => true,
        };
        here && self.bindings.holds(ip, key)
    }
}
