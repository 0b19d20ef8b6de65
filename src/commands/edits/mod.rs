//! What the user sets on the command line: header fields, options in order, and the base to start from.

mod apply;
mod exchange;
mod flags;

use std::net::Ipv4Addr;

use super::Error;
use super::relay::RelayPath;
use crate::dhcp::Overload;
use crate::dhcp::assign::Assignment;
use crate::wire::*;

pub(super) use flags::parse_mac;
pub use flags::shorthand;

/// Where a MAC address comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MacChoice {
    /// This one.
    Fixed(MacAddr),
    /// A random, locally administered one.
    Random,
    /// The interface's own.
    Native,
}

/// Changes to a message, in the order of the command line.
#[derive(Clone, Debug, Default)]
pub struct Edits {
    fields: Vec<(&'static FieldSpec, FieldValue)>,
    /// The client's MAC address, unless `chaddr` was set to something else.
    pub chaddr: Option<MacChoice>,
    /// The Ethernet source.
    pub src_mac: Option<MacChoice>,
    broadcast: Option<bool>,
    set: Vec<Assignment>,
    removed: Vec<u8>,
    /// Start from nothing.
    pub bare: bool,
    raw_options: Option<Vec<u8>>,
    overload: Option<Overload>,
    pad_to: Option<usize>,
    relays: RelayPath,
    server: Option<Ipv4Addr>,
}

impl Edits {
    /// The address that a field flag or an address option sets.
    fn address(&self, layer: &str, name: &str) -> Option<Ipv4Addr> {
        self.fields.iter().find_map(|(row, value)| match value {
            FieldValue::Ip(ip) if row.layer == layer && row.name == name => Some(*ip),
            _ => None,
        })
    }

    /// The relay agent that messages name: the first of `--relay`, or a giaddr that was set.
    pub fn giaddr(&self) -> Option<Ipv4Addr> {
        self.relays.giaddr().or_else(|| {
            self.bootp_address("giaddr")
                .filter(|ip| !ip.is_unspecified())
        })
    }

    /// The relay agents that messages are sent through.
    pub fn relays(&self) -> &RelayPath {
        &self.relays
    }

    /// The edits for the client with this number, counted from 1, behind these VLAN tags.
    pub fn for_client(&self, number: u32, tags: &[Dot1Q]) -> Result<Edits, Error> {
        let mut edits = self.clone();
        edits.relays.for_client(number, tags)?;
        Ok(edits)
    }

    /// Whether messages leave from the client's own MAC address: none was named, and no relay agent sends.
    pub fn sends_as_client(&self) -> bool {
        self.src_mac.is_none() && self.relays.is_empty()
    }

    /// The address given as `--FIELD` of BOOTP.
    pub fn bootp_address(&self, name: &str) -> Option<Ipv4Addr> {
        self.address("BOOTP", name)
    }

    /// The address that the option with this code was set to.
    pub fn option_address(&self, code: u8) -> Option<Ipv4Addr> {
        let option = self.set.iter().find(|it| it.code == code)?;
        <[u8; 4]>::try_from(option.data.as_slice())
            .ok()
            .map(Into::into)
    }

    /// The same changes, a field of a layer left as it is.
    pub fn without(&self, layer: &str, name: &str) -> Edits {
        let mut edits = self.clone();
        edits
            .fields
            .retain(|(row, _)| (row.layer, row.name) != (layer, name));
        edits
    }

    /// The same changes without the part of a relay agent: for what a client sends past it.
    pub fn past_relays(&self) -> Edits {
        let mut edits = self.clone();
        if edits.giaddr().is_some() {
            edits.relays = RelayPath::default();
            edits.server = None;
            edits.set.retain(|it| it.code != 82);
            edits = edits.without("BOOTP", "giaddr");
        }
        edits
    }

    /// Whether a field was set.
    pub fn sets(&self, layer: &str, name: &str) -> bool {
        self.fields
            .iter()
            .any(|(row, _)| row.layer == layer && row.name == name)
    }

    /// The number a field was set to.
    pub fn number(&self, layer: &str, name: &str) -> Option<u64> {
        let mut fields = self.fields.iter();
        let found = fields.find(|(row, _)| row.layer == layer && row.name == name)?;
        found.1.number()
    }

    /// Sets a field as its flag would, unless the flag was given.
    pub fn default_field(&mut self, layer: &str, name: &str, value: FieldValue) {
        if !self.sets(layer, name)
            && let Some(row) = FIELDS
                .iter()
                .find(|row| row.layer == layer && row.name == name)
        {
            self.fields.push((row, value));
        }
    }

    /// Whether the broadcast flag was named either way.
    pub fn names_broadcast(&self) -> bool {
        self.broadcast.is_some() || self.sets("BOOTP", "flags")
    }

    /// Sets option 53 as `-o message-type=N` would, unless that was given.
    pub fn set_message_type(&mut self, number: u8) {
        if !self.sets_option(53) {
            self.set.insert(
                0,
                Assignment {
                    code: 53,
                    data: vec![number],
                },
            );
        }
    }

    /// Whether an option was named to be set.
    pub fn sets_option(&self, code: u8) -> bool {
        self.set.iter().any(|it| it.code == code)
    }
}
