//! A stack of layers as the language has it: fields that somebody set, and all others worth what the
//! class and the layer above say. It becomes a [`Frame`] to be encoded, and is made from one.

use std::net::Ipv4Addr;

use super::classes::{Class, Default, Field, icmp_rest};
use crate::wire::*;

/// What a packet takes from the link it is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The link's own hardware address.
    pub mac: MacAddr,
    /// The link's own IPv4 address.
    pub ip: Ipv4Addr,
}

impl std::default::Default for Origin {
    fn default() -> Self {
        Origin {
            mac: MacAddr::zero(),
            ip: Ipv4Addr::UNSPECIFIED,
        }
    }
}

/// One layer: its class and the fields that are set, in the order in which they were.
#[derive(Clone, Debug, PartialEq)]
pub struct ScriptLayer {
    /// What it is.
    pub class: &'static Class,
    /// Fields that are set.
    pub set: Vec<(&'static str, FieldValue)>,
}

impl ScriptLayer {
    /// A layer of which nothing is set.
    pub fn new(class: &'static Class) -> Self {
        ScriptLayer {
            class,
            set: Vec::new(),
        }
    }

    fn with(class: &str, set: Vec<(&'static str, FieldValue)>) -> Option<Self> {
        Some(ScriptLayer {
            class: Class::by_name(class)?,
            set,
        })
    }

    /// The value that somebody set.
    pub fn get(&self, name: &str) -> Option<&FieldValue> {
        self.set.iter().find(|it| it.0 == name).map(|it| &it.1)
    }

    /// Sets a field, or with `None` has it worth its default again.
    pub fn put(&mut self, field: &'static Field, value: Option<FieldValue>) {
        let place = self.set.iter().position(|it| it.0 == field.name);
        match (place, value) {
            (Some(at), Some(value)) => self.set[at].1 = value,
            (None, Some(value)) => self.set.push((field.name, value)),
            (Some(at), None) => drop(self.set.remove(at)),
            (None, None) => {}
        }
    }
}

/// Layers from the outermost to the innermost.
#[derive(Clone, Debug, std::default::Default, PartialEq)]
pub struct Stack {
    /// The layers.
    pub layers: Vec<ScriptLayer>,
    /// What unset addresses are worth.
    pub origin: Origin,
}

impl Stack {
    /// What a field of the layer at `index` is worth; `None` while it is computed.
    pub fn value(&self, index: usize, field: &Field) -> Option<FieldValue> {
        let layer = self.layers.get(index)?;
        if let Some(value) = layer.get(field.name) {
            return Some(value.clone());
        }
        let upper = self.layers.get(index + 1).map(|it| it.class);
        if let Some(number) = layer.class.implied(upper, field.name) {
            return Some(FieldValue::Number(number));
        }
        if (layer.class.name, field.name) == ("BOOTP", "options")
            && upper.is_some_and(|it| it.name == "DHCP")
        {
            return Some(FieldValue::Bytes(MAGIC_COOKIE.to_vec()));
        }
        match field.default {
            Default::Number(number) => Some(FieldValue::Number(number)),
            Default::Ip(ip) => Some(FieldValue::Ip(ip)),
            Default::OwnMac => Some(FieldValue::Mac(self.origin.mac)),
            Default::OwnIp => Some(FieldValue::Ip(self.origin.ip)),
            Default::NextMac => Some(FieldValue::Mac(MacAddr::broadcast())),
            Default::Empty => {
                let value = FieldValue::Bytes(Vec::new());
                // The hardware and protocol addresses of ARP have the length of Ethernet's and IP's.
                Some(match (layer.class.name, field.name) {
                    ("ARP", "hwdst") => FieldValue::Mac(MacAddr::zero()),
                    ("ARP", "pdst") => FieldValue::Ip(Ipv4Addr::UNSPECIFIED),
                    _ => value,
                })
            }
            Default::Computed => None,
        }
    }

    /// The same by name.
    pub fn named(&self, index: usize, name: &str) -> Option<FieldValue> {
        let field = self.layers.get(index)?.class.field(name)?;
        self.value(index, field)
    }

    fn number<T: TryFrom<u64> + std::default::Default>(&self, index: usize, name: &str) -> T {
        let value = self.named(index, name).and_then(|it| it.number());
        value.and_then(|it| it.try_into().ok()).unwrap_or_default()
    }

    fn auto<T: TryFrom<u64> + Copy + PartialEq>(&self, index: usize, name: &str) -> Auto<T> {
        let value = self.named(index, name).and_then(|it| it.number());
        match value.and_then(|it| it.try_into().ok()) {
            Some(value) => Auto::Set(value),
            None => Auto::Unset,
        }
    }

    fn ip(&self, index: usize, name: &str) -> Ipv4Addr {
        match self.named(index, name) {
            Some(FieldValue::Ip(ip)) => ip,
            _ => Ipv4Addr::UNSPECIFIED,
        }
    }

    fn mac(&self, index: usize, name: &str) -> MacAddr {
        match self.named(index, name) {
            Some(FieldValue::Mac(mac)) => mac,
            _ => MacAddr::zero(),
        }
    }

    fn bytes(&self, index: usize, name: &str) -> Vec<u8> {
        match self.named(index, name) {
            Some(FieldValue::Bytes(bytes)) => bytes,
            Some(FieldValue::Mac(mac)) => mac.octets().to_vec(),
            Some(FieldValue::Ip(ip)) => ip.octets().to_vec(),
            _ => Vec::new(),
        }
    }

    fn fixed<const N: usize>(&self, index: usize, name: &str) -> [u8; N] {
        let mut field = [0; N];
        for (to, from) in field.iter_mut().zip(self.bytes(index, name)) {
            *to = from;
        }
        field
    }

    /// The frame of the layers from `from` on.
    pub fn frame(&self, from: usize) -> Frame {
        let mut layers: Vec<Layer> = Vec::with_capacity(self.layers.len());
        let mut cookie: Option<Vec<u8>> = None;
        let mut padding = Vec::new();
        for (at, layer) in self.layers.iter().enumerate().skip(from) {
            let before = cookie.take();
            if let Some(bytes) = &before
                && layer.class.name != "DHCP"
                && !bytes.is_empty()
            {
                layers.push(Layer::Raw(bytes.clone()));
            }
            match layer.class.name {
                "BOOTP" => {
                    layers.push(self.bootp(at).into());
                    cookie = Some(self.bytes(at, "options"));
                }
                "DHCP" => {
                    let options = self.bytes(at, "options");
                    let before = before.unwrap_or_default();
                    match <[u8; 4]>::try_from(before.as_slice()) {
                        Ok(cookie) => layers.push(Dhcp { cookie, options }.into()),
                        Err(_) => layers.extend([Layer::Raw(before), Layer::Raw(options)]),
                    }
                }
                "ICMP" => layers.push(self.icmp(at).into()),
                // Padding goes behind everything, wherever it was put.
                "Padding" => padding.push(Layer::Padding(self.bytes(at, "load"))),
                "UDP" => layers.push(self.udp(at, from).into()),
                name => layers.push(self.plain(at, name)),
            }
        }
        if let Some(bytes) = cookie.filter(|it| !it.is_empty()) {
            layers.push(Layer::Raw(bytes));
        }
        layers.extend(padding);
        Frame { layers }
    }

    fn udp(&self, at: usize, from: usize) -> Udp {
        let below = at.checked_sub(1).and_then(|it| self.layers.get(it));
        let chksum = match (self.auto(at, "chksum"), below) {
            // A part has the checksum that it has in the whole.
            (Auto::Unset, Some(below)) if below.class.name == "IP" && at == from => {
                let whole = self.frame(at - 1).computed();
                Auto::Set(whole.get(1).map_or(0, |it| it.chksum))
            }
            // Without IP under it there is no pseudo-header to sum up.
            (Auto::Unset, below) if below.is_none_or(|it| it.class.name != "IP") => Auto::Set(0),
            (chksum, _) => chksum,
        };
        Udp {
            sport: self.number(at, "sport"),
            dport: self.number(at, "dport"),
            len: self.auto(at, "len"),
            chksum,
        }
    }

    fn plain(&self, at: usize, name: &str) -> Layer {
        match name {
            "Ether" => Ether {
                dst: self.mac(at, "dst"),
                src: self.mac(at, "src"),
                ethertype: self.auto(at, "type"),
            }
            .into(),
            "Dot1Q" => Dot1Q {
                prio: self.number(at, "prio"),
                dei: self.number(at, "dei"),
                vlan: self.number(at, "vlan"),
                ethertype: self.auto(at, "type"),
            }
            .into(),
            "ARP" => Arp {
                hwtype: self.number(at, "hwtype"),
                ptype: self.number(at, "ptype"),
                hwlen: self.auto(at, "hwlen"),
                plen: self.auto(at, "plen"),
                op: self.number(at, "op"),
                hwsrc: self.bytes(at, "hwsrc"),
                psrc: self.bytes(at, "psrc"),
                hwdst: self.bytes(at, "hwdst"),
                pdst: self.bytes(at, "pdst"),
            }
            .into(),
            "IP" => Ipv4 {
                version: self.number(at, "version"),
                ihl: self.auto(at, "ihl"),
                tos: self.number(at, "tos"),
                len: self.auto(at, "len"),
                id: self.number(at, "id"),
                flags: self.number(at, "flags"),
                frag: self.number(at, "frag"),
                ttl: self.number(at, "ttl"),
                proto: self.auto(at, "proto"),
                chksum: self.auto(at, "chksum"),
                src: self.ip(at, "src"),
                dst: self.ip(at, "dst"),
                options: self.bytes(at, "options"),
            }
            .into(),
            "Cooked" => Layer::Cooked(self.bytes(at, "load")),
            _ => Layer::Raw(self.bytes(at, "load")),
        }
    }

    fn bootp(&self, at: usize) -> Bootp {
        Bootp {
            op: self.number(at, "op"),
            htype: self.number(at, "htype"),
            hlen: self.number(at, "hlen"),
            hops: self.number(at, "hops"),
            xid: self.number(at, "xid"),
            secs: self.number(at, "secs"),
            flags: self.number(at, "flags"),
            ciaddr: self.ip(at, "ciaddr"),
            yiaddr: self.ip(at, "yiaddr"),
            siaddr: self.ip(at, "siaddr"),
            giaddr: self.ip(at, "giaddr"),
            chaddr: self.fixed(at, "chaddr"),
            sname: self.fixed(at, "sname"),
            file: self.fixed(at, "file"),
        }
    }

    fn icmp(&self, at: usize) -> Icmp {
        let kind = self.number(at, "type");
        let mut rest = [0; 4];
        for (name, start, len) in icmp_rest(kind) {
            let whole = match self.named(at, name) {
                Some(FieldValue::Ip(ip)) => u32::from(ip),
                Some(FieldValue::Number(number)) => number as u32,
                _ => 0,
            };
            let bytes = whole.to_be_bytes();
            for (to, from) in rest
                .iter_mut()
                .skip(*start)
                .take(*len)
                .zip(&bytes[4 - len..])
            {
                *to = *from;
            }
        }
        Icmp {
            kind,
            code: self.number(at, "code"),
            chksum: self.auto(at, "chksum"),
            rest,
        }
    }

    /// The layers of a frame, everything in them set.
    pub fn of(frame: &Frame, origin: Origin) -> Stack {
        let mut layers = Vec::new();
        for layer in &frame.layers {
            let set: Vec<_> = layer
                .fields()
                .iter()
                .filter_map(|row| Some((row.name, layer.get(row.name)?)))
                .collect();
            match layer {
                Layer::Raw(load) | Layer::Padding(load) | Layer::Cooked(load) => {
                    let load = vec![("load", FieldValue::Bytes(load.clone()))];
                    layers.extend(ScriptLayer::with(layer.name(), load));
                }
                Layer::Ipv4(ip) => {
                    let options = (!ip.options.is_empty())
                        .then(|| ("options", FieldValue::Bytes(ip.options.clone())));
                    layers.extend(ScriptLayer::with(
                        "IP",
                        set.into_iter().chain(options).collect(),
                    ));
                }
                Layer::Arp(_) => {
                    let set = set
                        .into_iter()
                        .map(|(name, value)| (name, arp_value(name, value)));
                    layers.extend(ScriptLayer::with("ARP", set.collect()));
                }
                Layer::Icmp(icmp) => {
                    let known = set.into_iter().filter(|it| it.0 != "rest");
                    let rest = icmp_rest(icmp.kind).iter().map(|(name, start, len)| {
                        let bytes = icmp.rest.iter().skip(*start).take(*len);
                        let number = bytes.fold(0, |all, it| all << 8 | u64::from(*it));
                        let value = match *name {
                            "gw" => FieldValue::Ip((number as u32).into()),
                            _ => FieldValue::Number(number),
                        };
                        (*name, value)
                    });
                    layers.extend(ScriptLayer::with("ICMP", known.chain(rest).collect()));
                }
                Layer::Dhcp(dhcp) => {
                    if let Some(bootp) = layers.last_mut().filter(|it| it.class.name == "BOOTP") {
                        bootp
                            .set
                            .push(("options", FieldValue::Bytes(dhcp.cookie.to_vec())));
                    }
                    let options = vec![("options", FieldValue::Bytes(dhcp.options.clone()))];
                    layers.extend(ScriptLayer::with("DHCP", options));
                }
                _ => layers.extend(ScriptLayer::with(layer.name(), set)),
            }
        }
        Stack { layers, origin }
    }

    /// The layers that bytes decode to, of which the first is of `class`.
    pub fn decode(class: &str, bytes: &[u8], origin: Origin) -> Stack {
        // What must stand before such bytes, so that the frame's decoder finds them, and how many layers that is.
        let (before, skip): (Vec<Layer>, usize) = match class {
            "Ether" => (vec![], 0),
            "Dot1Q" | "ARP" | "IP" => {
                let ethertype = match class {
                    "Dot1Q" => ETHERTYPE_DOT1Q,
                    "ARP" => ETHERTYPE_ARP,
                    _ => ETHERTYPE_IPV4,
                };
                (
                    vec![
                        Ether {
                            ethertype: Auto::Set(ethertype),
                            ..Ether::default()
                        }
                        .into(),
                    ],
                    1,
                )
            }
            "UDP" | "ICMP" | "BOOTP" => {
                let proto = Auto::Set(if class == "ICMP" { 1 } else { 17 });
                let mut before: Vec<Layer> = vec![
                    Ether::default().into(),
                    Ipv4 {
                        proto,
                        ..Ipv4::default()
                    }
                    .into(),
                ];
                if class == "BOOTP" {
                    before.push(Udp::default().into());
                }
                let skip = before.len();
                (before, skip)
            }
            "DHCP" => {
                let options = vec![("options", FieldValue::Bytes(bytes.to_vec()))];
                return Stack {
                    layers: ScriptLayer::with("DHCP", options).into_iter().collect(),
                    origin,
                };
            }
            name => {
                let load = vec![("load", FieldValue::Bytes(bytes.to_vec()))];
                return Stack {
                    layers: ScriptLayer::with(name, load).into_iter().collect(),
                    origin,
                };
            }
        };
        let whole = Frame::new(before.into_iter().chain([Layer::Raw(bytes.to_vec())])).encode();
        let mut stack = Stack::of(&Frame::decode(&whole), origin);
        stack.layers.drain(..skip.min(stack.layers.len()));
        stack
    }
}

/// Addresses of ARP as what they are, where they have the usual length.
fn arp_value(name: &str, value: FieldValue) -> FieldValue {
    match (name, &value) {
        ("hwsrc" | "hwdst", FieldValue::Bytes(bytes)) => {
            match <[u8; 6]>::try_from(bytes.as_slice()) {
                Ok(mac) => FieldValue::Mac(mac.into()),
                Err(_) => value,
            }
        }
        ("psrc" | "pdst", FieldValue::Bytes(bytes)) => {
            match <[u8; 4]>::try_from(bytes.as_slice()) {
                Ok(ip) => FieldValue::Ip(ip.into()),
                Err(_) => value,
            }
        }
        _ => value,
    }
}
