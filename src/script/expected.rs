//! What a test expects of a packet: names of fields and options, and values that may be literal, a
//! network, a list or a function.

use std::fmt;
use std::net::Ipv4Addr;

use allocative::Allocative;
use starlark::collections::SmallMap;
use starlark::eval::Evaluator;
use starlark::starlark_simple_value;
use starlark::values::list::ListRef;
use starlark::values::{
    NoSerialize, ProvidesStaticType, StarlarkValue, Value, ValueError, starlark_value,
};

use super::classes::Class;
use super::error;
use super::field_values::field_value;
use super::options;
use super::packet::Packet;
use crate::dhcp::Message;
use crate::wire::FieldValue;

/// How deeply lists in lists are compared; one may hold itself.
const DEPTH: usize = 8;

/// A network, `net("10.0.0.0/24")`: addresses are in it or not.
#[derive(Clone, Debug, PartialEq, Eq, ProvidesStaticType, NoSerialize, Allocative)]
pub struct Net {
    #[allocative(skip)]
    base: Ipv4Addr,
    bits: u8,
}

starlark_simple_value!(Net);

impl Net {
    /// Reads `ADDRESS/BITS`, or an address alone, which is a network of one.
    pub fn parse(text: &str) -> Result<Net, String> {
        let (address, bits) = text.split_once('/').unwrap_or((text, "32"));
        let bits = bits.parse().ok().filter(|it| *it <= 32);
        match (address.parse::<Ipv4Addr>(), bits) {
            (Ok(address), Some(bits)) => Ok(Net {
                base: Ipv4Addr::from(u32::from(address) & mask(bits)),
                bits,
            }),
            _ => Err(format!(
                "`{text}` is no network; write it as \"10.0.0.0/24\""
            )),
        }
    }

    fn holds(&self, address: Ipv4Addr) -> bool {
        u32::from(address) & mask(self.bits) == u32::from(self.base)
    }

    /// Whether a value is an address in it, or a list of nothing else.
    fn covers(&self, value: Value) -> bool {
        let one = |it: Value| {
            let address = it.unpack_str().and_then(|it| it.parse().ok());
            address.is_some_and(|it| self.holds(it))
        };
        match ListRef::from_value(value) {
            Some(list) => !list.is_empty() && list.iter().all(one),
            None => one(value),
        }
    }
}

fn mask(bits: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0)
}

impl fmt::Display for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "net(\"{}/{}\")", self.base, self.bits)
    }
}

#[starlark_value(type = "net")]
impl<'v> StarlarkValue<'v> for Net {
    fn is_in(&self, other: Value<'v>) -> starlark::Result<bool> {
        match other.unpack_str().map(str::parse::<Ipv4Addr>) {
            Some(Ok(address)) => Ok(self.holds(address)),
            _ => ValueError::unsupported_with(self, "in", other),
        }
    }

    fn equals(&self, other: Value<'v>) -> starlark::Result<bool> {
        Ok(Net::from_value(other) == Some(self))
    }
}

/// The sentences that say which expectations a packet does not meet; none where it meets all.
pub fn unmet<'v>(
    packet: &Packet,
    expected: &SmallMap<String, Value<'v>>,
    eval: &mut Evaluator<'v, '_, '_>,
) -> starlark::Result<Vec<String>> {
    let mut unmet = Vec::new();
    for (name, expected) in expected {
        let (part, short) = part(packet, name)?;
        let actual = eval.heap().alloc(part.clone());
        let actual = actual.get_attr(short, eval.heap())?;
        let Some(actual) = actual else {
            // An option of what is no DHCP message, or a name that nothing has.
            match options::by_name(short) {
                Ok(_) => unmet.push(format!("{name} is absent: {} has no options", part.names())),
                Err(_) => return Err(error(part.unknown(short))),
            }
            continue;
        };
        if same(&part, short, *expected) || holds(actual, *expected, eval, DEPTH)? {
            continue;
        }
        let actual = match actual.is_none() {
            true => "absent".to_string(),
            false => actual.to_repr(),
        };
        unmet.push(match () {
            _ if callable(*expected) && actual == "absent" => {
                format!("{name} is absent, expected a value")
            }
            _ if callable(*expected) => {
                format!("{name} is {actual}, which the function given for it does not accept")
            }
            _ if expected.is_none() => format!("{name} is {actual}, expected none"),
            _ if expected.unpack_bool() == Some(true) => {
                format!("{name} is {actual}, expected a value")
            }
            _ => format!("{name} is {actual}, expected {}", expected.to_repr()),
        });
    }
    Ok(unmet)
}

/// The part of a packet that a name speaks of, and the name in it: `IP.ttl` is `ttl` from IP on.
fn part<'a>(packet: &Packet, name: &'a str) -> starlark::Result<(Packet, &'a str)> {
    let Some((layer, short)) = name.split_once('.') else {
        return Ok((packet.clone(), name));
    };
    match Class::by_name(layer).and_then(|it| packet.find(it.name)) {
        Some(at) => Ok((packet.part(at), short)),
        None => Err(error(format!(
            "{name}: no layer {layer} in {}",
            packet.names()
        ))),
    }
}

/// Whether a field or option holds what the expected value means where it is written to it: so a value
/// may be written as everywhere, `lease_time="1h"`.
fn same(packet: &Packet, name: &str, expected: Value) -> bool {
    if expected.is_none() || expected.unpack_bool().is_some() {
        return false;
    }
    if let Some((at, field)) = packet.holder(name) {
        let stack = packet.stack();
        let Some(layer) = stack.layers.get(at) else {
            return false;
        };
        let (class, actual) = (layer.class, stack.value(at, field));
        return match (field_value(class, field, expected), actual) {
            // A hardware address is padded on the wire.
            (Ok(FieldValue::Bytes(mut wanted)), Some(FieldValue::Bytes(actual))) => {
                wanted.resize(wanted.len().max(field.bits / 8), 0);
                wanted == actual
            }
            (wanted, actual) => actual.is_some() && wanted.ok() == actual,
        };
    }
    let Ok((row, _)) = options::by_name(name) else {
        return false;
    };
    let frame = packet.frame();
    let actual = Message::of(&frame).and_then(|it| it.data(row.code).map(|it| it.into_owned()));
    actual.is_some() && options::named(row, expected).ok() == actual
}

fn callable(value: Value) -> bool {
    value.get_type() == "function"
}

/// Whether a value is what is expected: the same, in the network, as the function says; of lists each
/// element. A list of one may be expected as that one; `True` expects any value, `None` that there is none.
pub fn holds<'v>(
    actual: Value<'v>,
    expected: Value<'v>,
    eval: &mut Evaluator<'v, '_, '_>,
    depth: usize,
) -> starlark::Result<bool> {
    if depth == 0 {
        return Err(error("the expected value nests too deeply"));
    }
    if let Some(net) = Net::from_value(expected) {
        return Ok(net.covers(actual));
    }
    if callable(expected) {
        return Ok(!actual.is_none() && eval.eval_function(expected, &[actual], &[])?.to_bool());
    }
    if actual.equals(expected)? {
        return Ok(true);
    }
    if expected.unpack_bool() == Some(true) {
        return Ok(!actual.is_none() && actual.unpack_bool().is_none());
    }
    match (ListRef::from_value(actual), ListRef::from_value(expected)) {
        (Some(actual), Some(expected)) if actual.len() == expected.len() => {
            for (actual, expected) in actual.iter().zip(expected.iter()) {
                if !holds(actual, expected, eval, depth - 1)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Some(actual), None) => match actual.content() {
            [only] => holds(*only, expected, eval, depth - 1),
            _ => Ok(false),
        },
        _ => Ok(false),
    }
}
