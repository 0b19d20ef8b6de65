//! Assertions that read like the question: `assert_offer(reply, yiaddr=net("10.0.0.0/24"))`.
//!
//! `assert_…` judges what there is; `expect_…` sends a packet that it is given, and judges what comes. Both
//! take an exchange as well, and give back the packet that they judged.

use std::fmt;
use std::time::Duration;

use starlark::collections::SmallMap;
use starlark::environment::GlobalsBuilder;
use starlark::eval::Evaluator;
use starlark::starlark_module;
use starlark::values::Value;
use starlark::values::list::ListRef;
use starlark::values::none::NoneType;
use starlark::values::tuple::UnpackTuple;

use super::exchange::{Exchange, is_reply, packet_of};
use super::expected::{Net, holds, unmet};
use super::functions::{difference, number};
use super::host::Host;
use super::packet::Packet;
use super::send::{self, Sending, packets, seconds};
use super::{condition, error, host, options, packet_methods};
use crate::commands::outcome::{Direction, Entry};
use crate::dhcp::Message;
use crate::dhcp::difference::Difference;
use crate::dhcp::enums::{ACK, NAK, OFFER, message_type_name};
use crate::link::interfaces;
use crate::view::{cause_lines, summary};
use crate::wire::{END, Layer, PAD};

/// Why a script ended itself: an assertion that does not hold, or a test that cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What was expected, and what is.
    pub text: String,
    /// In what the frames differ, where two were compared.
    pub differences: Vec<Difference>,
    /// Whether the test was skipped; the text is the reason.
    pub skipped: bool,
}

impl std::error::Error for Failure {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = if self.skipped { "skipped: " } else { "" };
        write!(f, "{head}{}", self.text)?;
        let shown = |it: &Option<String>| it.clone().unwrap_or_else(|| "absent".into());
        for it in &self.differences {
            let (first, second) = (shown(&it.first), shown(&it.second));
            write!(f, "\n{}: {first} is not {second}", it.name)?;
        }
        Ok(())
    }
}

impl Failure {
    fn of(text: impl Into<String>) -> Failure {
        Failure {
            text: text.into(),
            differences: Vec::new(),
            skipped: false,
        }
    }
}

fn failure(failure: Failure) -> starlark::Error {
    starlark::Error::new_other(anyhow::Error::new(failure))
}

fn failed<T>(text: impl Into<String>) -> starlark::Result<T> {
    Err(failure(Failure::of(text)))
}

/// What an assertion adds to its text: the message that it was given.
fn because(message: &str) -> String {
    match message {
        "" => String::new(),
        message => format!("\n{message}"),
    }
}

/// A packet in a line, safe to print.
fn line(packet: &Packet) -> String {
    summary(&packet_methods::entry(packet))
}

fn kind_of(packet: &Packet) -> Option<u8> {
    Message::of(&packet.frame()).and_then(|it| it.message_type())
}

/// `an OFFER`.
fn kind_name(kind: u8) -> String {
    let name = message_type_name(kind).unwrap_or("message").to_uppercase();
    let article = if name.starts_with(['A', 'E', 'I', 'O']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {name}")
}

fn is_message(entry: &Entry) -> bool {
    entry.direction == Direction::Sent && entry.frame.bootp().is_some()
}

/// Why the last message of an exchange has no reply, as far as it was found out.
fn silence(exchange: &Exchange) -> String {
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
fn unlike(a: &Exchange, b: &Exchange) -> Option<Failure> {
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
fn judged(value: Value, kind: Option<u8>) -> starlark::Result<Packet> {
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
fn judge<'v>(
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

fn assert_kind<'v>(
    reply: Value<'v>,
    kind: u8,
    expected: &SmallMap<String, Value<'v>>,
    eval: &mut Evaluator<'v, '_, '_>,
) -> starlark::Result<Value<'v>> {
    judge(judged(reply, Some(kind))?, Some(kind), expected, eval)
}

/// Sends a packet and gives what was sent and received.
fn exchanged<'v>(
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
fn first_reply(entries: &[Entry]) -> Option<&Entry> {
    let mut entries = entries.iter();
    entries.find(|it| it.direction == Direction::Received && is_reply(it))
}

fn expect_kind<'v>(
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
fn deaf(host: &Host, iface: &str) -> Option<String> {
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
fn option_order(packet: &Packet) -> Vec<(u8, String)> {
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
fn option_code(value: Value) -> starlark::Result<u8> {
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

#[starlark_module]
pub fn functions(builder: &mut GlobalsBuilder) {
    /// Ends the script, or fails the test, with an error that says this.
    fn fail<'v>(#[starlark(args)] parts: UnpackTuple<Value<'v>>) -> starlark::Result<NoneType> {
        let parts: Vec<String> = parts.items.iter().map(|it| it.to_str()).collect();
        failed(parts.join(" "))
    }

    /// Ends the test, which counts as skipped for this reason.
    fn skip(#[starlark(require = pos)] reason: &str) -> starlark::Result<NoneType> {
        Err(failure(Failure {
            skipped: true,
            ..Failure::of(reason)
        }))
    }

    /// Says what the script does from here on: the comments in a test's capture name it.
    fn step<'v>(
        #[starlark(require = pos)] what: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        *host(eval)?.step.borrow_mut() = what.to_string();
        Ok(NoneType)
    }

    /// A network: `"10.0.0.7" in net("10.0.0.0/24")`; as an expected value, any address in it, or a list of such.
    fn net(#[starlark(require = pos)] network: &str) -> starlark::Result<Net> {
        Net::parse(network).map_err(error)
    }

    /// Fails unless the condition holds.
    fn assert_true<'v>(
        #[starlark(require = pos)] condition: Value<'v>,
        #[starlark(default = "")] message: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        match condition.to_bool() {
            true => Ok(NoneType),
            false => {
                let text = condition::explained(condition, eval);
                failed(format!("{text}{}", because(message)))
            }
        }
    }

    /// Fails unless both are the same; of packets and exchanges it says in what they differ. The second may be a
    /// network.
    fn assert_eq<'v>(
        #[starlark(require = pos)] a: Value<'v>,
        #[starlark(require = pos)] b: Value<'v>,
        #[starlark(default = "")] message: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        if let (Some(a), Some(b)) = (Exchange::from_value(a), Exchange::from_value(b)) {
            return match unlike(a, b) {
                None => Ok(NoneType),
                Some(mut it) => {
                    it.text += &because(message);
                    Err(failure(it))
                }
            };
        }
        let network = Net::from_value(b).is_some();
        if a.equals(b)? || (network && holds(a, b, eval, 1)?) {
            return Ok(NoneType);
        }
        if let (Some(a), Some(b)) = (Packet::from_value(a), Packet::from_value(b)) {
            let differences = difference(a, b);
            let text = format!("the packets differ{}", because(message));
            return Err(failure(Failure {
                differences,
                ..Failure::of(text)
            }));
        }
        let text = format!("{} is not {}{}", a.to_repr(), b.to_repr(), because(message));
        failed(text)
    }

    /// Fails if both are the same.
    fn assert_ne<'v>(
        #[starlark(require = pos)] a: Value<'v>,
        #[starlark(require = pos)] b: Value<'v>,
        #[starlark(default = "")] message: &str,
    ) -> starlark::Result<NoneType> {
        match a.equals(b)? {
            false => Ok(NoneType),
            true => failed(format!("both are {}{}", a.to_repr(), because(message))),
        }
    }

    /// Fails unless the second holds the first: a list, a text, a network, a packet a layer.
    fn assert_in<'v>(
        #[starlark(require = pos)] item: Value<'v>,
        #[starlark(require = pos)] container: Value<'v>,
        #[starlark(default = "")] message: &str,
    ) -> starlark::Result<NoneType> {
        match container.is_in(item)? {
            true => Ok(NoneType),
            false => failed(format!(
                "{} is not in {}{}",
                item.to_repr(),
                container.to_repr(),
                because(message)
            )),
        }
    }

    /// Fails unless the packet's fields and options are as expected, each by any name of the dictionary, and gives
    /// the packet back. A value is literal (`lease_time="1h"`), `net(…)`, a list, a function that accepts it,
    /// `True` for any value, or `None` for none; `**{"IP.ttl": 64}` names a layer.
    fn assert_fields<'v>(
        #[starlark(require = pos)] packet: Value<'v>,
        #[starlark(kwargs)] expected: SmallMap<String, Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        judge(judged(packet, None)?, None, &expected, eval)
    }

    /// Fails unless this is an OFFER, or an exchange with one, whose fields and options are as expected:
    /// `assert_offer(discover(), yiaddr=net("10.0.0.0/24"), router="10.0.0.1")`. Values as for `assert_fields`.
    fn assert_offer<'v>(
        #[starlark(require = pos)] reply: Value<'v>,
        #[starlark(kwargs)] expected: SmallMap<String, Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        assert_kind(reply, OFFER, &expected, eval)
    }

    /// As `assert_offer`, for an ACK.
    fn assert_ack<'v>(
        #[starlark(require = pos)] reply: Value<'v>,
        #[starlark(kwargs)] expected: SmallMap<String, Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        assert_kind(reply, ACK, &expected, eval)
    }

    /// As `assert_offer`, for a NAK.
    fn assert_nak<'v>(
        #[starlark(require = pos)] reply: Value<'v>,
        #[starlark(kwargs)] expected: SmallMap<String, Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        assert_kind(reply, NAK, &expected, eval)
    }

    /// Fails unless the options stand in this order in the packet; others may stand between them.
    fn assert_option_order<'v>(
        #[starlark(require = pos)] reply: Value<'v>,
        #[starlark(require = pos)] order: Value<'v>,
    ) -> starlark::Result<NoneType> {
        let packet = judged(reply, None)?;
        let Some(wanted) = ListRef::from_value(order) else {
            return Err(error(
                "the order is a list of options: [\"message-type\", \"server-id\"]",
            ));
        };
        let actual = option_order(&packet);
        let all: Vec<&str> = actual.iter().map(|it| it.1.as_str()).collect();
        let end = |text: String| {
            failed(format!(
                "{text}\nthe order is {}\nin {}",
                all.join(", "),
                line(&packet)
            ))
        };
        let mut last: Option<(usize, String)> = None;
        for name in wanted.iter() {
            let code = option_code(name)?;
            let shown = crate::dhcp::options::by_code(code).name.to_string();
            let Some(at) = actual.iter().position(|it| it.0 == code) else {
                return end(format!("{shown} is absent"));
            };
            if let Some((before, other)) = &last
                && at <= *before
            {
                return end(format!("{shown} stands before {other}, expected behind it"));
            }
            last = Some((at, shown));
        }
        Ok(NoneType)
    }

    /// Sends a packet and fails unless a reply comes in `timeout` seconds (5), as expected; of an exchange,
    /// unless there was one. Gives the reply. Values as for `assert_fields`.
    fn expect_reply<'v>(
        #[starlark(require = pos)] x: Value<'v>,
        #[starlark(require = named, default = NoneType)] timeout: Value<'v>,
        #[starlark(require = named, default = "")] iface: &str,
        #[starlark(kwargs)] expected: SmallMap<String, Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        expect_kind(x, None, timeout, iface, &expected, eval)
    }

    /// As `expect_reply`; the reply must be an OFFER.
    fn expect_offer<'v>(
        #[starlark(require = pos)] x: Value<'v>,
        #[starlark(require = named, default = NoneType)] timeout: Value<'v>,
        #[starlark(require = named, default = "")] iface: &str,
        #[starlark(kwargs)] expected: SmallMap<String, Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        expect_kind(x, Some(OFFER), timeout, iface, &expected, eval)
    }

    /// As `expect_reply`; the reply must be an ACK.
    fn expect_ack<'v>(
        #[starlark(require = pos)] x: Value<'v>,
        #[starlark(require = named, default = NoneType)] timeout: Value<'v>,
        #[starlark(require = named, default = "")] iface: &str,
        #[starlark(kwargs)] expected: SmallMap<String, Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        expect_kind(x, Some(ACK), timeout, iface, &expected, eval)
    }

    /// As `expect_reply`; the reply must be a NAK.
    fn expect_nak<'v>(
        #[starlark(require = pos)] x: Value<'v>,
        #[starlark(require = named, default = NoneType)] timeout: Value<'v>,
        #[starlark(require = named, default = "")] iface: &str,
        #[starlark(kwargs)] expected: SmallMap<String, Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        expect_kind(x, Some(NAK), timeout, iface, &expected, eval)
    }

    /// Listens for so many seconds and fails if a DHCP message comes. Of a packet: sends it and fails if a reply comes in
    /// `timeout` seconds (2). Of an exchange: fails if there was a reply.
    fn expect_silence<'v>(
        #[starlark(require = pos)] x: Value<'v>,
        #[starlark(require = named, default = NoneType)] timeout: Value<'v>,
        #[starlark(require = named, default = "")] iface: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        let host = host(eval)?;
        let came = match (Exchange::from_value(x), Packet::from_value(x)) {
            (Some(exchange), _) => exchange.replies().next().cloned(),
            (_, Some(_)) => first_reply(&exchanged(x, timeout, 2, iface, eval)?.0).cloned(),
            _ => {
                let time = seconds(number(x, "the time to listen")?)?;
                let iface = (!iface.is_empty()).then_some(iface);
                let mut came = None;
                send::listen(host, iface, Some(time), |_, entry| {
                    host.remember(&entry);
                    let message = entry.frame.bootp().is_some();
                    if message {
                        came = Some(entry);
                    }
                    Ok(message)
                })?;
                came
            }
        };
        if let Some(entry) = came {
            return failed(format!("expected silence, got {}", summary(&entry)));
        }
        // Where nothing gets through, silence is not a server's.
        let why = match Exchange::from_value(x) {
            Some(exchange) => {
                let mut causes = exchange.ending().causes().iter();
                causes.find(|it| it.is_deafness()).map(|it| it.text.clone())
            }
            None => deaf(host, iface),
        };
        match why {
            None => Ok(NoneType),
            Some(why) => failed(format!("this silence is not a server's: {why}")),
        }
    }

    /// Fails unless an exchange had its reply so many milliseconds after its first message, or a function took no longer
    /// on the link's clock. Gives the exchange, or what the function gave: `within(50, discover())`,
    /// `within(200, lambda: dora())`.
    fn within<'v>(
        #[starlark(require = pos)] ms: Value<'v>,
        #[starlark(require = pos)] x: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let limit = number(ms, "the limit")?;
        let (took, value) = match Exchange::from_value(x) {
            Some(exchange) => {
                let Some((reply, sent)) = exchange.answer().zip(exchange.first_sent()) else {
                    return failed(silence(exchange));
                };
                if exchange.ending().exit_code() != 0 {
                    return failed(format!("the exchange failed: {}", exchange.ending().name()));
                }
                (reply.at - sent.at, x)
            }
            None if x.get_type() == "function" => {
                let start = send::clock(host(eval)?)?;
                let value = eval.eval_function(x, &[], &[])?;
                (send::clock(host(eval)?)? - start, value)
            }
            None => {
                return Err(error(format!(
                    "{} is no exchange and no function: within(50, discover()), within(50, lambda: dora())",
                    x.get_type()
                )));
            }
        };
        let took = took.as_secs_f64() * 1e3;
        match took <= limit {
            true => Ok(value),
            false => failed(format!("took {took:.1} ms, expected {limit} ms at most")),
        }
    }
}
