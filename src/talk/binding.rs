//! Bindings: which client holds which address, and until when (RFC 2131 section 2.1).

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use super::server_config::Subnet;
use crate::dhcp::Message;
use crate::link::Time;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Holder {
    /// Client identifier, or hardware type and address.
    Client(Vec<u8>),
    /// A host that a DECLINE told of.
    Unknown,
}

#[derive(Clone, Debug)]
struct Binding {
    holder: Holder,
    until: Time,
    /// Not only offered.
    bound: bool,
}

/// How long an offer is kept for its client, and a declined address aside.
const OFFER_KEPT: Duration = Duration::from_secs(60);
const DECLINED_KEPT: Duration = Duration::from_secs(3600);

/// Who the client is: its identifier, else its hardware type and address (RFC 2131 section 4.2).
pub(super) fn client_key(message: &Message) -> Vec<u8> {
    match message.data(61) {
        Some(id) if !id.is_empty() => id.into_owned(),
        _ => {
            let mut key = vec![message.bootp.htype];
            key.extend(message.bootp.client_hardware());
            key
        }
    }
}

/// As many bindings as there are at most, whatever the pools and rules have to give: under a flood offers are forgotten
/// first, and then no more addresses are taken note of.
const MOST: usize = 1 << 20;

/// The bindings of a server, by address.
#[derive(Clone, Debug, Default)]
pub(super) struct Bindings(BTreeMap<Ipv4Addr, Binding>);

impl Bindings {
    /// The address in `subnet` that the client holds or was offered.
    pub fn of(&self, client: &[u8], subnet: &Subnet) -> Option<Ipv4Addr> {
        let mut all = self.0.iter();
        let found = all.find(|(ip, it)| it.is_of(client) && subnet.contains(**ip))?;
        Some(*found.0)
    }

    /// Whether the client has the address, or had it last, or was offered it.
    pub fn holds(&self, ip: Ipv4Addr, client: &[u8]) -> bool {
        self.0.get(&ip).is_some_and(|it| it.is_of(client))
    }

    /// Whether nobody else has the address.
    pub fn free_for(&self, ip: Ipv4Addr, client: &[u8], now: Time) -> bool {
        let binding = self.0.get(&ip);
        binding.is_none_or(|it| it.is_of(client) || it.until <= now)
    }

    /// The client leases the address.
    pub fn bind(&mut self, ip: Ipv4Addr, client: &[u8], until: Time) {
        self.put(ip, Holder::Client(client.to_vec()), until, true);
    }

    /// Keeps an offered address for a while; a lease on it stays what it is.
    pub fn keep(&mut self, ip: Ipv4Addr, client: &[u8], now: Time) {
        let binding = self.0.get(&ip);
        if binding.is_none_or(|it| !it.bound || it.until <= now) {
            self.put(ip, Holder::Client(client.to_vec()), now + OFFER_KEPT, false);
        }
    }

    /// The client has chosen another server: what was offered to it is free again.
    pub fn forget_offers(&mut self, client: &[u8]) {
        self.0.retain(|_, it| it.bound || !it.is_of(client));
    }

    /// The client found the address in use: it is set aside, if it was the client's.
    pub fn decline(&mut self, ip: Ipv4Addr, client: &[u8], now: Time) {
        if self.holds(ip, client) {
            self.put(ip, Holder::Unknown, now + DECLINED_KEPT, true);
        }
    }

    /// The client gives the address back, if it was the client's.
    pub fn release(&mut self, ip: Ipv4Addr, client: &[u8]) {
        if self.holds(ip, client) {
            self.0.remove(&ip);
        }
    }

    fn put(&mut self, ip: Ipv4Addr, holder: Holder, until: Time, bound: bool) {
        if self.0.len() >= MOST && !self.0.contains_key(&ip) {
            self.0.retain(|_, it| it.bound);
            if self.0.len() >= MOST {
                return;
            }
        }
        let binding = Binding {
            holder,
            until,
            bound,
        };
        self.0.insert(ip, binding);
    }
}

impl Binding {
    fn is_of(&self, client: &[u8]) -> bool {
        matches!(&self.holder, Holder::Client(holder) if holder == client)
    }
}

#[cfg(test)]
mod tests {
    use super::{Bindings, MOST};
    use crate::link::Time;

    #[test]
    fn a_flood_of_offers_takes_no_more_than_its_room_and_costs_no_lease() {
        let mut bindings = Bindings::default();
        let now = Time::default();
        let lease = 7u32.into();
        bindings.bind(lease, b"leased", Time(u64::MAX));
        for ip in 1000..1000 + MOST as u32 {
            bindings.keep(ip.into(), b"offered", now);
        }
        assert!(bindings.0.len() <= MOST);
        assert!(bindings.holds(lease, b"leased"));
        assert!(bindings.holds((999 + MOST as u32).into(), b"offered"));
    }
}
