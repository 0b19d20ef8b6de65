//! The layer classes of the language: which fields each has, what they are worth while nobody sets
//! them, and what stacking one on another implies. Names and widths come from [`FIELDS`]; the defaults
//! are Scapy's.

use std::net::Ipv4Addr;
use std::sync::LazyLock;

use crate::wire::*;

/// What a field is worth while nobody sets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Default {
    /// A number.
    Number(u64),
    /// An IPv4 address.
    Ip(Ipv4Addr),
    /// No bytes; a field of fixed width is filled with zeros.
    Empty,
    /// Computed when the packet is built.
    Computed,
    /// The link's own hardware address.
    OwnMac,
    /// The link's own IPv4 address.
    OwnIp,
    /// The broadcast address, until sending finds the receiver's.
    NextMac,
}

/// One field of a class.
#[derive(Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Other names for it.
    pub aliases: &'static [&'static str],
    /// How it is written.
    pub kind: FieldKind,
    /// Width in bits; 0 where it varies.
    pub bits: usize,
    /// What it is worth unset.
    pub default: Default,
    /// What it means, in a line.
    pub doc: &'static str,
}

impl Field {
    /// Whether `name` means this field.
    pub fn is(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }
}

impl PartialEq for Class {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// One layer class.
#[derive(Debug)]
pub struct Class {
    /// Its name, as [`Layer::name`] says it.
    pub name: &'static str,
    /// What it is.
    pub doc: &'static str,
    /// Its fields, in wire order.
    pub fields: Vec<Field>,
}

impl Class {
    /// The class with this name, case aside.
    pub fn by_name(name: &str) -> Option<&'static Class> {
        CLASSES.iter().find(|it| it.name.eq_ignore_ascii_case(name))
    }

    /// The field that `name` means.
    pub fn field(&self, name: &str) -> Option<&Field> {
        let mut fields = self.fields.iter();
        fields
            .clone()
            .find(|it| it.name == name)
            .or_else(|| fields.find(|it| it.is(name)))
    }

    /// What `upper` on top of this class implies for the field.
    pub fn implied(&self, upper: Option<&Class>, field: &str) -> Option<u64> {
        let upper = upper?.name;
        // A tag stands for the Ethernet header it is in.
        let name = if self.name == "Dot1Q" {
            "Ether"
        } else {
            self.name
        };
        let mut rows = BINDINGS.iter();
        rows.find(|row| (row.0, row.1, row.2) == (name, upper, field))
            .map(|row| row.3)
    }
}

/// Lower class, upper class, field of the lower one, value.
const BINDINGS: &[(&str, &str, &str, u64)] = &[
    ("Ether", "IP", "type", 0x0800),
    ("Ether", "ARP", "type", 0x0806),
    ("Ether", "Dot1Q", "type", 0x8100),
    ("Ether", "Ether", "type", 1),
    ("IP", "IP", "proto", 4),
    ("IP", "ICMP", "proto", 1),
    ("IP", "UDP", "proto", 17),
    ("UDP", "BOOTP", "sport", 67),
    ("UDP", "BOOTP", "dport", 68),
];

/// Class, field, default; every other field is zero or empty.
const DEFAULTS: &[(&str, &str, Default)] = &[
    ("Ether", "dst", Default::NextMac),
    ("Ether", "src", Default::OwnMac),
    ("Ether", "type", Default::Number(0x9000)),
    ("Dot1Q", "vlan", Default::Number(1)),
    ("ARP", "hwtype", Default::Number(1)),
    ("ARP", "ptype", Default::Number(0x0800)),
    ("ARP", "hwlen", Default::Computed),
    ("ARP", "plen", Default::Computed),
    ("ARP", "op", Default::Number(1)),
    ("ARP", "hwsrc", Default::OwnMac),
    ("ARP", "psrc", Default::OwnIp),
    ("IP", "version", Default::Number(4)),
    ("IP", "ihl", Default::Computed),
    ("IP", "len", Default::Computed),
    ("IP", "id", Default::Number(1)),
    ("IP", "ttl", Default::Number(64)),
    ("IP", "chksum", Default::Computed),
    ("IP", "src", Default::OwnIp),
    ("IP", "dst", Default::Ip(Ipv4Addr::LOCALHOST)),
    ("ICMP", "type", Default::Number(8)),
    ("ICMP", "chksum", Default::Computed),
    ("UDP", "sport", Default::Number(53)),
    ("UDP", "dport", Default::Number(53)),
    ("UDP", "len", Default::Computed),
    ("UDP", "chksum", Default::Computed),
    ("BOOTP", "op", Default::Number(1)),
    ("BOOTP", "htype", Default::Number(1)),
    ("BOOTP", "hlen", Default::Number(6)),
];

/// The fields in an ICMP header's last four bytes, by type: name, first byte, bytes.
pub fn icmp_rest(kind: u8) -> &'static [(&'static str, usize, usize)] {
    match kind {
        0 | 8 | 13..=18 | 37 | 38 => &[("id", 0, 2), ("seq", 2, 2)],
        3 => &[("reserved", 0, 1), ("length", 1, 1), ("nexthopmtu", 2, 2)],
        5 => &[("gw", 0, 4)],
        11 => &[("reserved", 0, 1), ("length", 1, 1), ("unused", 2, 2)],
        12 => &[("ptr", 0, 1), ("length", 1, 1), ("unused", 2, 2)],
        _ => &[("unused", 0, 4)],
    }
}

const fn extra(name: &'static str, kind: FieldKind, bits: usize, doc: &'static str) -> Field {
    Field {
        name,
        aliases: &[],
        kind,
        bits,
        default: match kind {
            FieldKind::Ip => Default::Ip(Ipv4Addr::UNSPECIFIED),
            FieldKind::Number | FieldKind::Hex => Default::Number(0),
            _ => Default::Empty,
        },
        doc,
    }
}

/// Fields that a class has beside those of [`FIELDS`].
fn extras(class: &str) -> Vec<Field> {
    use FieldKind::{Bytes, Hex, Ip, Number};
    match class {
        "IP" => vec![extra(
            "options",
            Bytes,
            0,
            "IP options, padded to 32 bits with zeros.",
        )],
        "ICMP" => vec![
            extra("id", Hex, 16, "Identifier of an echo."),
            extra("seq", Hex, 16, "Sequence number of an echo."),
            extra("gw", Ip, 32, "The better router, of a redirect."),
            extra(
                "ptr",
                Number,
                8,
                "The byte that a parameter problem is about.",
            ),
            extra(
                "reserved",
                Number,
                8,
                "First byte of an error's header; zero.",
            ),
            extra(
                "length",
                Number,
                8,
                "Length of the datagram quoted, in 32-bit words (RFC 4884).",
            ),
            extra(
                "nexthopmtu",
                Number,
                16,
                "What the next link takes, of \"fragmentation needed\".",
            ),
            extra(
                "unused",
                Number,
                32,
                "Bytes of an error's header without a use; zero.",
            ),
        ],
        "BOOTP" => vec![extra(
            "options",
            Bytes,
            0,
            "What follows the header: the magic cookie when DHCP stands on top.",
        )],
        // Where `load` would be the statement, `text::prepare` writes `load_`.
        "Raw" | "Padding" | "Cooked" => vec![Field {
            aliases: &["load_"],
            ..extra("load", Bytes, 0, "The bytes.")
        }],
        _ => Vec::new(),
    }
}

/// Every class.
pub static CLASSES: LazyLock<Vec<Class>> = LazyLock::new(|| {
    let all = [
        ("Ether", "Ethernet II header"),
        ("Dot1Q", "802.1Q tag; several stack up"),
        ("ARP", "ARP packet: who has an address, who is at it"),
        ("IP", "IPv4 header"),
        ("ICMP", "ICMP header: ping and error messages"),
        ("UDP", "UDP header"),
        ("BOOTP", "the fixed part of a BOOTP or DHCP message"),
        ("DHCP", "the options of a DHCP message"),
        ("Raw", "bytes of any kind"),
        ("Padding", "bytes behind the packet that no length counts"),
        ("Cooked", "the header of a Linux cooked capture, as bytes"),
    ];
    all.into_iter()
        .map(|(name, doc)| Class {
            name,
            doc,
            fields: fields(name),
        })
        .collect()
});

fn fields(class: &'static str) -> Vec<Field> {
    let rows = FIELDS.iter().filter(|row| row.layer == class);
    // The language has the cookie in BOOTP's options, as Scapy does, and names ICMP's last bytes.
    let rows =
        rows.filter(|row| !matches!((class, row.name), ("DHCP", "cookie") | ("ICMP", "rest")));
    let rows = rows.map(|row| {
        let mut defaults = DEFAULTS.iter();
        let default = defaults
            .find(|it| (it.0, it.1) == (class, row.name))
            .map(|it| it.2);
        let default = default.unwrap_or(match row.kind {
            FieldKind::Number | FieldKind::Hex => Default::Number(0),
            FieldKind::Ip => Default::Ip(Ipv4Addr::UNSPECIFIED),
            _ => Default::Empty,
        });
        Field {
            name: row.name,
            aliases: row.aliases,
            kind: row.kind,
            bits: row.bits,
            default,
            doc: row.doc,
        }
    });
    rows.chain(extras(class)).collect()
}
