//! What assertions judge: the packet that is meant, what is expected of it, and what comes when it is sent.

use std::time::Duration;

use starlark::collections::SmallMap;
use starlark::eval::Evaluator;
use starlark::values::Value;

use super::exchange::{Exchange, packet_of, replies};
use super::expected::unmet;
use super::failure::{Failure, failed};
use super::functions::difference;
use super::host::Host;
use super::packet::Packet;
use super::send::{self, Sending, packets, seconds};
use super::send_functions::number;
use super::{error, options, packet_methods};
use crate::commands::outcome::{Direction, Entry};
use crate::dhcp::Message;
use crate::dhcp::enums::message_type_name;
use crate::link::interfaces;
use crate::view::{cause_lines, summary};
use crate::wire::{END, Layer, PAD};

/// A packet in a line, safe to print.
pub(super) fn line(packet: &Packet) -> String {
    summary(&packet_methods::entry(packet))
}

pub(super) fn kind_of(packet: &Packet) -> Option<u8> {
    Message::of(&packet.frame()).and_then(|it| it.message_type())
}

/// `an OFFER`.
pub(super) fn kind_name(kind: u8) -> String {
    let name = message_type_name(kind).unwrap_or("message").to_uppercase();
    let article = if name.starts_with(['A', 'E', 'I', 'O']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {name}")
}

pub(super) fn is_message(entry: &Entry) -> bool {
    entry.direction == Direction::Sent && entry.frame.bootp().is_some()
}

/// Why the last message of an exchange has no reply, as far as it was found out.
pub(super) fn silence(exchange: &Exchange) -> String {
    let mut sent = exchange.entries().iter().filter(|it| is_message(it));
    let text = match sent.next_back() {
        Some(sent) => format!("there was no reply to {}", summary(sent)),
        None => "there was no reply".to_string(),
    };
    match cause_lines(exchange.ending().causes()) {
        lines if lines.is_empty() => text,
        lines => format!("{text}\n{lines}"),
    }
}

/// In what two exchanges differ: in the first frames that are not the same, or in their number.
pub(super) fn unlike(a: &Exchange, b: &Exchange) -> Option<Failure> {
    let (first, second) = (a.entries(), b.entries());
    let came = |it: &Entry| it.direction == Direction::Received;
    let same = |a: &Entry, b: &Entry| came(a) == came(b) && a.bytes == b.bytes;
    let rows = first.iter().zip(second).enumerate();
    if let Some((at, (a, b))) = rows.into_iter().find(|it| !same(it.1.0, it.1.1)) {
        let (number, is, expected) = (at + 1, summary(a), summary(b));
        let lines = match is == expected {
            true => format!(", {is}"),
            false => format!(":\n{is}\nis not {expected}"),
        };
        return Some(Failure {
            differences: difference(&packet_of(a), &packet_of(b)),
            ..Failure::of(format!("the exchanges differ in message {number}{lines}"))
        });
    }
    let (is, expected) = (first.len(), second.len());
    (is != expected).then(|| {
        let more = first.get(expected).or(second.get(is));
        let more = more.map(summary).unwrap_or_default();
        Failure::of(format!(
            "the exchange has {is} message{} and not {expected}; the first that only one has: {more}",
            if is == 1 { "" } else { "s" }
        ))
    })
}

/// The packet that an assertion is about: a packet itself, or of an exchange the reply of that kind,
/// or else its reply.
pub(super) fn judged(value: Value, kind: Option<u8>) -> starlark::Result<Packet> {
    if let Some(packet) = Packet::from_value(value) {
        return Ok(packet.clone());
    }
    if let Some(exchange) = Exchange::from_value(value) {
        let of_kind = |it: &&Entry| kind.is_some() && kind_of(&packet_of(it)) == kind;
        let answer = exchange.answer();
        return match answer
            .filter(of_kind)
            .or_else(|| exchange.replies().find(of_kind))
            .or(answer)
        {
            Some(entry) => Ok(packet_of(entry)),
            None => failed(silence(exchange)),
        };
    }
    if value.is_none() {
        return failed("there was no reply");
    }
    Err(error(format!(
        "{} is no packet and no exchange: give a reply, or what a command gives",
        value.get_type()
    )))
}

/// Judges a packet by its kind and by what is expected of it, and gives it back.
pub(super) fn judge<'v>(
    packet: Packet,
    kind: Option<u8>,
    expected: &SmallMap<String, Value<'v>>,
    eval: &mut Evaluator<'v, '_, '_>,
) -> starlark::Result<Value<'v>> {
    if let Some(kind) = kind.filter(|it| kind_of(&packet) != Some(*it)) {
        let text = format!("expected {}, got {}", kind_name(kind), line(&packet));
        return failed(text);
    }
    let unmet = unmet(&packet, expected, eval)?;
    if !unmet.is_empty() {
        return failed(format!("{}\nin {}", unmet.join("\n"), line(&packet)));
    }
    Ok(eval.heap().alloc(packet))
}

pub(super) fn assert_kind<'v>(
    reply: Value<'v>,
    kind: u8,
    expected: &SmallMap<String, Value<'v>>,
    eval: &mut Evaluator<'v, '_, '_>,
) -> starlark::Result<Value<'v>> {
    judge(judged(reply, Some(kind))?, Some(kind), expected, eval)
}

/// Sends a packet and gives what was sent and received.
pub(super) fn exchanged<'v>(
    x: Value<'v>,
    timeout: Value<'v>,
    default: u64,
    iface: &str,
    eval: &Evaluator<'v, '_, '_>,
) -> starlark::Result<(Vec<Entry>, Duration)> {
    let timeout = match timeout.is_none() {
        true => Duration::from_secs(default),
        false => seconds(number(timeout, "timeout")?)?,
    };
    let sending = Sending {
        count: 1,
        interval: Duration::ZERO,
        tries: 1,
        timeout,
        first: true,
    };
    let iface = (!iface.is_empty()).then_some(iface);
    Ok((send::send(&packets(x)?, iface, sending, eval)?, timeout))
}

/// The first reply among entries.
pub(super) fn first_reply(entries: &[Entry]) -> Option<&Entry> {
    replies(entries).find(|it| it.direction == Direction::Received)
}

pub(super) fn expect_kind<'v>(
    x: Value<'v>,
    kind: Option<u8>,
    timeout: Value<'v>,
    iface: &str,
    expected: &SmallMap<String, Value<'v>>,
    eval: &mut Evaluator<'v, '_, '_>,
) -> starlark::Result<Value<'v>> {
    if Exchange::from_value(x).is_some() {
        return judge(judged(x, kind)?, kind, expected, eval);
    }
    if x.is_none() {
        return failed("there was no reply");
    }
    let (entries, waited) = exchanged(x, timeout, 5, iface, eval)?;
    match first_reply(&entries) {
        Some(entry) => judge(packet_of(entry), kind, expected, eval),
        None => {
            let sent = packets(x)?;
            let sent: Vec<String> = sent.iter().take(3).map(line).collect();
            let (sent, waited) = (sent.join(", "), waited.as_secs_f64());
            failed(format!("no reply to {sent} in {waited} s"))
        }
    }
}

/// Why nobody can have been heard just now on a real link; `None` where somebody can.
pub(super) fn deaf(host: &Host, iface: &str) -> Option<String> {
    let settings = host.settings.borrow();
    let name = match iface {
        "" => settings.interface.as_str(),
        name => name,
    };
    let found = interfaces::list().into_iter().find(|it| it.name == name)?;
    match (found.up, found.carrier) {
        (true, true) => None,
        (false, _) => Some(format!(
            "{name} is down: bring it up with `ip link set {name} up`"
        )),
        (true, false) => Some(format!(
            "{name} has no carrier: check the cable, or the other end of the veth"
        )),
    }
}

/// The options of a packet by name, in the order that they stand in.
pub(super) fn option_order(packet: &Packet) -> Vec<(u8, String)> {
    let frame = packet.frame();
    let mut order = Vec::new();
    for layer in &frame.layers {
        let Layer::Dhcp(dhcp) = layer else { continue };
        for item in dhcp.iter().filter(|it| it.is_option() || it.code == END) {
            order.push((
                item.code,
                crate::dhcp::options::by_code(item.code).name.to_string(),
            ));
        }
    }
    order
}

/// The code of an option that a name or a number means.
pub(super) fn option_code(value: Value) -> starlark::Result<u8> {
    match (value.unpack_str(), value.unpack_i32().map(u8::try_from)) {
        (Some("end"), _) => Ok(END),
        (Some("pad"), _) => Ok(PAD),
        (Some(name), _) => Ok(options::by_name(name).map_err(error)?.0.code),
        (_, Some(Ok(code))) => Ok(code),
        _ => Err(error(format!(
            "an option is a name or a number, not {}",
            value.to_repr()
        ))),
    }
}
