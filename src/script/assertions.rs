//! Assertions that read like the question: `assert_offer(reply, yiaddr=net("10.0.0.0/24"))`.
//!
//! `assert_…` judges what there is; `expect_…` sends a packet that it is given, and judges what comes. Both
//! take an exchange as well, and give back the packet that they judged.

use starlark::collections::SmallMap;
use starlark::environment::GlobalsBuilder;
use starlark::eval::Evaluator;
use starlark::starlark_module;
use starlark::values::Value;
use starlark::values::list::ListRef;
use starlark::values::none::NoneType;
use starlark::values::tuple::UnpackTuple;

use super::exchange::Exchange;
use super::expected::{Net, holds};
use super::failure::{Failure, because, failed, failure};
use super::functions::difference;
use super::judged::*;
use super::packet::Packet;
use super::send::{self, seconds};
use super::send_functions::number;
use super::{condition, error, host};
use crate::dhcp::enums::{ACK, NAK, OFFER};
use crate::view::summary;

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
