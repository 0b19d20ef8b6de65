//! One row per header field: name, place, kind, meaning. Flags of commands, the field tree, JSON
//! keys, help and scripts read and write fields through this table.

use std::fmt;
use std::net::Ipv4Addr;

use super::{Auto, Layer, MacAddr};

/// How a field's value is written and read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// A decimal number.
    Number,
    /// A number that reads best in hexadecimal.
    Hex,
    /// An Ethernet address.
    Mac,
    /// An IPv4 address.
    Ip,
    /// A string padded with zero bytes.
    Text,
    /// Bytes in hexadecimal.
    Bytes,
}

/// One header field.
#[derive(Debug)]
pub struct FieldSpec {
    /// The layer it belongs to, as [`Layer::name`] says it.
    pub layer: &'static str,
    /// Its name: RFC 2131's or Scapy's.
    pub name: &'static str,
    /// Other names that users know it by.
    pub aliases: &'static [&'static str],
    /// First bit, counted from the first bit of the layer; fields of variable place have 0.
    pub bit: usize,
    /// Width in bits; 0 where it varies.
    pub bits: usize,
    /// How it is written.
    pub kind: FieldKind,
    /// The document that defines it.
    pub rfc: &'static str,
    /// What it means, in a line.
    pub doc: &'static str,
}

impl FieldSpec {
    /// The flag of the command line that sets it, `src-mac` for `--src-mac`: a BOOTP field's and
    /// the cookie's own name, and the first alias of an Ethernet, IPv4 or UDP field.
    pub fn flag(&self) -> Option<&'static str> {
        match self.layer {
            "BOOTP" => Some(self.name),
            "DHCP" => (self.name == "cookie").then_some(self.name),
            "Ether" | "IP" | "UDP" => self.aliases.first().copied(),
            _ => None,
        }
    }

    /// Offset of the field's first byte within its layer.
    pub fn byte(&self) -> usize {
        self.bit / 8
    }

    /// Bytes that the field touches; 0 where it varies.
    pub fn byte_len(&self) -> usize {
        match self.bits {
            0 => 0,
            bits => (self.bit % 8 + bits).div_ceil(8),
        }
    }

    /// Rows whose name or alias is `name`, case and `-`/`_` aside.
    pub fn find(name: &str) -> impl Iterator<Item = &'static FieldSpec> + use<> {
        let wanted = fold(name);
        FIELDS.iter().filter(move |row| {
            fold(row.name) == wanted || row.aliases.iter().any(|alias| fold(alias) == wanted)
        })
    }

    /// Reads a value of this field from text: numbers in decimal or `0x…`, addresses, and for byte
    /// fields plain text or `hex:…`.
    pub fn parse(&self, text: &str) -> Result<FieldValue, FieldError> {
        let bad = |expected: &str| FieldError {
            field: self.name,
            reason: format!("`{text}` is not {expected}"),
        };
        match self.kind {
            FieldKind::Number | FieldKind::Hex => {
                let number = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
                    Some(digits) => u64::from_str_radix(digits, 16),
                    None => text.parse(),
                };
                let max = u64::MAX >> (64 - self.bits.clamp(1, 64));
                match number {
                    Ok(number) if number <= max => Ok(FieldValue::Number(number)),
                    _ => Err(bad(&format!(
                        "a number from 0 to {max} ({max:#x}); decimal or 0x…"
                    ))),
                }
            }
            FieldKind::Mac => text
                .replace('-', ":")
                .parse()
                .map(FieldValue::Mac)
                .map_err(|_| bad("a MAC address such as 02:00:5e:10:00:01")),
            FieldKind::Ip => text
                .parse()
                .map(FieldValue::Ip)
                .map_err(|_| bad("an IPv4 address such as 192.0.2.1")),
            FieldKind::Text | FieldKind::Bytes => {
                let bytes = match text.strip_prefix("hex:") {
                    Some(digits) => hex::decode(digits.replace(':', ""))
                        .map_err(|_| bad("an even number of hex digits after hex:"))?,
                    None => text.as_bytes().to_vec(),
                };
                match self.bits / 8 {
                    room if self.bits > 0 && bytes.len() > room => Err(FieldError {
                        field: self.name,
                        reason: format!("{} bytes do not fit into {room}", bytes.len()),
                    }),
                    _ => Ok(FieldValue::Bytes(bytes)),
                }
            }
        }
    }
}

fn fold(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}

/// The value of a header field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldValue {
    /// A number of any width.
    Number(u64),
    /// An Ethernet address.
    Mac(MacAddr),
    /// An IPv4 address.
    Ip(Ipv4Addr),
    /// Bytes.
    Bytes(Vec<u8>),
}

impl FieldValue {
    /// The number, when it is one.
    pub fn number(&self) -> Option<u64> {
        match self {
            FieldValue::Number(number) => Some(*number),
            _ => None,
        }
    }
}

impl fmt::Display for FieldValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FieldValue::Number(number) => write!(f, "{number}"),
            FieldValue::Mac(mac) => write!(f, "{mac}"),
            FieldValue::Ip(ip) => write!(f, "{ip}"),
            FieldValue::Bytes(bytes) => write!(f, "{}", hex::encode(bytes)),
        }
    }
}

/// A field that cannot be read or set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct FieldError {
    /// The field's name.
    pub field: &'static str,
    /// What is wrong, and what is expected.
    pub reason: String,
}

/// A place that holds a field's value.
trait Slot {
    fn get(&self) -> Option<FieldValue>;
    fn put(&mut self, value: FieldValue) -> Result<(), String>;
    /// Returns to the computed value, where there is such a thing.
    fn clear(&mut self) {}
}

macro_rules! number_slot {
    ($($int:ty)*) => {$(
        impl Slot for $int {
            fn get(&self) -> Option<FieldValue> {
                Some(FieldValue::Number(u64::from(*self)))
            }
            fn put(&mut self, value: FieldValue) -> Result<(), String> {
                *self = value
                    .number()
                    .and_then(|number| number.try_into().ok())
                    .ok_or_else(|| format!("{value} is not a number up to {}", <$int>::MAX))?;
                Ok(())
            }
        }
    )*};
}
number_slot!(u8 u16 u32);

impl<T: Slot + Copy + PartialEq + Default> Slot for Auto<T> {
    fn get(&self) -> Option<FieldValue> {
        Auto::get(*self).and_then(|value| value.get())
    }
    fn put(&mut self, value: FieldValue) -> Result<(), String> {
        let mut slot = T::default();
        slot.put(value)?;
        *self = Auto::Set(slot);
        Ok(())
    }
    fn clear(&mut self) {
        *self = Auto::Unset;
    }
}

impl Slot for MacAddr {
    fn get(&self) -> Option<FieldValue> {
        Some(FieldValue::Mac(*self))
    }
    fn put(&mut self, value: FieldValue) -> Result<(), String> {
        match value {
            FieldValue::Mac(mac) => *self = mac,
            other => return Err(format!("{other} is not a MAC address")),
        }
        Ok(())
    }
}

impl Slot for Ipv4Addr {
    fn get(&self) -> Option<FieldValue> {
        Some(FieldValue::Ip(*self))
    }
    fn put(&mut self, value: FieldValue) -> Result<(), String> {
        match value {
            FieldValue::Ip(ip) => *self = ip,
            other => return Err(format!("{other} is not an IPv4 address")),
        }
        Ok(())
    }
}

fn bytes_of(value: FieldValue) -> Result<Vec<u8>, String> {
    match value {
        FieldValue::Bytes(bytes) => Ok(bytes),
        FieldValue::Mac(mac) => Ok(mac.octets().to_vec()),
        FieldValue::Ip(ip) => Ok(ip.octets().to_vec()),
        FieldValue::Number(number) => Err(format!("{number} is a number, not bytes")),
    }
}

impl<const N: usize> Slot for [u8; N] {
    fn get(&self) -> Option<FieldValue> {
        Some(FieldValue::Bytes(self.to_vec()))
    }
    fn put(&mut self, value: FieldValue) -> Result<(), String> {
        let bytes = bytes_of(value)?;
        let mut field = [0; N];
        field
            .get_mut(..bytes.len())
            .ok_or_else(|| format!("{} bytes do not fit into {N}", bytes.len()))?
            .copy_from_slice(&bytes);
        *self = field;
        Ok(())
    }
}

impl Slot for Vec<u8> {
    fn get(&self) -> Option<FieldValue> {
        Some(FieldValue::Bytes(self.clone()))
    }
    fn put(&mut self, value: FieldValue) -> Result<(), String> {
        *self = bytes_of(value)?;
        Ok(())
    }
}

macro_rules! field_table {
    ($($layer:literal $Variant:ident {
        $($name:literal $slot:ident $bit:literal+$bits:literal $kind:ident $rfc:literal [$($alias:literal)*] $doc:literal;)*
    })*) => {
        /// Every header field of every layer, in wire order.
        pub static FIELDS: &[FieldSpec] = &[
            $($(FieldSpec {
                layer: $layer,
                name: $name,
                aliases: &[$($alias),*],
                bit: $bit,
                bits: $bits,
                kind: FieldKind::$kind,
                rfc: $rfc,
                doc: $doc,
            },)*)*
        ];

        impl Layer {
            fn slot(&mut self, name: &str) -> Option<&mut dyn Slot> {
                match self {
                    $(Layer::$Variant(it) => match name {
                        $($name => Some(&mut it.$slot),)*
                        _ => None,
                    },)*
                    _ => None,
                }
            }

            /// The value of the field called `name`, [`FieldSpec::name`]; `None` while it is
            /// computed or when the layer has no such field.
            pub fn get(&self, name: &str) -> Option<FieldValue> {
                match self {
                    $(Layer::$Variant(it) => match name {
                        $($name => Slot::get(&it.$slot),)*
                        _ => None,
                    },)*
                    _ => None,
                }
            }
        }
    };
}

impl Layer {
    /// The rows of this layer's fields, in wire order.
    pub fn fields(&self) -> &'static [FieldSpec] {
        let name = self.name();
        let start = FIELDS.iter().position(|row| row.layer == name);
        let start = start.unwrap_or(FIELDS.len());
        let len = FIELDS[start..]
            .iter()
            .take_while(|row| row.layer == name)
            .count();
        &FIELDS[start..start + len]
    }

    /// Sets a field; what is set goes out as it is.
    pub fn set(&mut self, field: &'static FieldSpec, value: FieldValue) -> Result<(), FieldError> {
        let error = |reason| FieldError {
            field: field.name,
            reason,
        };
        if let (Some(number), 1..=63) = (value.number(), field.bits)
            && number >> field.bits != 0
        {
            return Err(error(format!(
                "{number} does not fit into {} bits",
                field.bits
            )));
        }
        let name = self.name();
        match self.slot(field.name) {
            Some(slot) => slot.put(value).map_err(error),
            None => Err(error(format!("{name} has no such field"))),
        }
    }

    /// Has a field computed again. Fields that are never computed stay as they are.
    pub fn unset(&mut self, field: &FieldSpec) {
        if let Some(slot) = self.slot(field.name) {
            slot.clear();
        }
    }
}

field_table! {
    "Ether" Ether {
        "dst" dst 0+48 Mac "IEEE 802.3" ["dst-mac"] "Ethernet address the frame is sent to; ff:ff:ff:ff:ff:ff reaches every host on the segment.";
        "src" src 48+48 Mac "IEEE 802.3" ["src-mac"] "Ethernet address the frame comes from; need not equal chaddr.";
        "type" ethertype 96+16 Hex "IEEE 802.3" ["ethertype"] "What the frame carries: 0x0800 IPv4, 0x0806 ARP, 0x8100 a VLAN tag. Computed from the next layer.";
    }
    "Dot1Q" Dot1Q {
        "prio" prio 0+3 Number "IEEE 802.1Q" ["pcp"] "Priority code point of the tag, 0 to 7.";
        "dei" dei 3+1 Number "IEEE 802.1Q" ["id" "cfi"] "Drop eligible indicator: 1 lets a congested switch drop the frame first.";
        "vlan" vlan 4+12 Number "IEEE 802.1Q" ["vid"] "VLAN id, 1 to 4094; 0 means the tag only carries a priority.";
        "type" ethertype 16+16 Hex "IEEE 802.1Q" [] "What the tag wraps; computed from the next layer.";
    }
    "ARP" Arp {
        "hwtype" hwtype 0+16 Number "826" [] "Kind of hardware address: 1 is Ethernet.";
        "ptype" ptype 16+16 Hex "826" [] "Kind of protocol address: 0x0800 is IPv4.";
        "hwlen" hwlen 32+8 Number "826" [] "Bytes of a hardware address.";
        "plen" plen 40+8 Number "826" [] "Bytes of a protocol address.";
        "op" op 48+16 Number "826" [] "1 asks who has an address, 2 answers.";
        "hwsrc" hwsrc 64+0 Bytes "826" [] "Hardware address of the sender.";
        "psrc" psrc 64+0 Bytes "826" [] "Protocol address of the sender; 0.0.0.0 in a probe (RFC 5227).";
        "hwdst" hwdst 64+0 Bytes "826" [] "Hardware address of the target; zero in a request.";
        "pdst" pdst 64+0 Bytes "826" [] "Protocol address asked for.";
    }
    "IP" Ipv4 {
        "version" version 0+4 Number "791" ["ip-version"] "Version of IP: 4.";
        "ihl" ihl 4+4 Number "791" ["ihl"] "Header length in 32-bit words, 5 to 15. Computed.";
        "tos" tos 8+8 Hex "791" ["tos"] "Type of service: six bits DSCP, two bits ECN.";
        "len" len 16+16 Number "791" ["ip-len"] "Bytes of header and data. Computed.";
        "id" id 32+16 Number "791" ["ip-id"] "Identification, shared by the fragments of a datagram.";
        "flags" flags 48+3 Number "791" ["ip-flags"] "4 reserved, 2 don't fragment, 1 more fragments.";
        "frag" frag 51+13 Number "791" ["frag"] "Fragment offset in units of 8 bytes.";
        "ttl" ttl 64+8 Number "791" ["ttl"] "Routers the datagram may still pass.";
        "proto" proto 72+8 Number "791" ["ip-proto" "protocol"] "What the datagram carries: 1 ICMP, 17 UDP. Computed from the next layer.";
        "chksum" chksum 80+16 Hex "791" ["ip-chksum"] "Checksum of the header. Computed.";
        "src" src 96+32 Ip "791" ["src-ip"] "Source address; 0.0.0.0 while the client has none.";
        "dst" dst 128+32 Ip "791" ["dst-ip"] "Destination address; 255.255.255.255 until the server's is known.";
    }
    "ICMP" Icmp {
        "type" kind 0+8 Number "792" [] "8 echo request, 0 echo reply, 3 destination unreachable.";
        "code" code 8+8 Number "792" [] "Detail within the type.";
        "chksum" chksum 16+16 Hex "792" [] "Checksum of header and data. Computed.";
        "rest" rest 32+32 Bytes "792" [] "The type's own four bytes: identifier and sequence number of an echo.";
    }
    "UDP" Udp {
        "sport" sport 0+16 Number "768" ["sport"] "Source port: 68 a client, 67 a server or relay agent.";
        "dport" dport 16+16 Number "768" ["dport"] "Destination port: 67 towards servers and relay agents, 68 towards clients.";
        "len" len 32+16 Number "768" ["udp-len"] "Bytes of header and data. Computed.";
        "chksum" chksum 48+16 Hex "768" ["udp-chksum"] "Checksum; 0 means none was made. Computed.";
    }
    "BOOTP" Bootp {
        "op" op 0+8 Number "2131" [] "1 BOOTREQUEST, client to server; 2 BOOTREPLY, server to client.";
        "htype" htype 8+8 Number "2131" [] "Hardware type of chaddr: 1 is Ethernet.";
        "hlen" hlen 16+8 Number "2131" [] "Bytes of chaddr that count: 6 for Ethernet.";
        "hops" hops 24+8 Number "2131" [] "Relay agents passed; each adds one.";
        "xid" xid 32+32 Hex "2131" [] "Transaction id, chosen by the client and repeated in every reply.";
        "secs" secs 64+16 Number "2131" [] "Seconds since the client began to ask; servers and relays may wait for it to grow.";
        "flags" flags 80+16 Hex "2131" [] "Top bit, 0x8000: the client cannot take unicast yet, reply by broadcast. The rest must be zero.";
        "ciaddr" ciaddr 96+32 Ip "2131" [] "Client address: filled in only when the client has one and answers ARP for it (BOUND, RENEWING, REBINDING, INFORM, RELEASE).";
        "yiaddr" yiaddr 128+32 Ip "2131" [] "\"Your\" address: what the server offers or assigns.";
        "siaddr" siaddr 160+32 Ip "2131" [] "Next server of the boot process (TFTP); not the DHCP server's identity, which is option 54.";
        "giaddr" giaddr 192+32 Ip "2131" [] "Relay agent's address on the client's network: chooses the subnet, and replies go to it.";
        "chaddr" chaddr 224+128 Bytes "2131" ["mac"] "Client hardware address, 16 bytes of which hlen count.";
        "sname" sname 352+512 Text "2131" [] "Server host name, 64 bytes; may hold options instead (option 52).";
        "file" file 864+1024 Text "2131" [] "Boot file name, 128 bytes; may hold options instead (option 52).";
    }
    "DHCP" Dhcp {
        "cookie" cookie 0+32 Bytes "2131" ["magic"] "Magic cookie 63825363: DHCP options follow.";
        "options" options 32+0 Bytes "2132" [] "The option stream.";
    }
}
