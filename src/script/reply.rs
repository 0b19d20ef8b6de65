//! Messages that follow a packet, built and not sent: `offer(req, yiaddr="10.0.0.7")`; and what the
//! rules of a server say beside them.

use std::time::Duration;

use starlark::environment::GlobalsBuilder;
use starlark::eval::Evaluator;
use starlark::starlark_module;
use starlark::values::Value;

use super::packet::Packet;
use super::rules::Delayed;
use super::send::seconds;
use super::send_functions::number;
use super::{Host, error, host};
use crate::commands::args::parse_duration;
use crate::dhcp::Message;
use crate::dhcp::assign;
use crate::dhcp::enums::{DISCOVER, REQUEST, message_type_by_name};
use crate::dhcp::template;
use crate::talk::{self, Fault, Spoiled};
use crate::wire::Frame;

/// The words that make a command build the message that follows `packet`, with `named` changed in it.
/// Rules of a server start from what the server would say.
pub fn following(
    host: &Host,
    command: &str,
    packet: &Packet,
    named: &[(String, String)],
) -> starlark::Result<Vec<String>> {
    let mut base = packet.frame();
    let mut words = vec!["--dry-run".to_string()];
    let kind = message_type_by_name(command).filter(|it| !template::from_client(*it));
    if let (Some(kind), Some(line)) = (kind, host.server.borrow().as_ref()) {
        base = line.reply(kind, base).ok_or_else(|| {
            error(format!(
                "{command}(req): the server has no such reply to this message"
            ))
        })?;
        let value = |name: &str| named.iter().find(|it| it.0 == name).map(|it| it.1.as_str());
        if let Some(lease) = value("lease_time") {
            rescale(&mut base, lease);
        }
        // What is unicast to the address given follows it to another one.
        let given = base.ipv4().zip(base.bootp());
        let unicast = given.is_some_and(|(ip, bootp)| ip.dst == bootp.yiaddr);
        if let (Some(ip), None, true) = (value("yiaddr"), value("dst_ip"), unicast) {
            words.push(format!("--dst-ip={ip}"));
        }
    }
    words.push(format!("--from=hex:{}", hex::encode(base.encode())));
    Ok(words)
}

/// Has T1 and T2 follow a lease time, as they do in a server's own replies.
fn rescale(frame: &mut Frame, lease: &str) {
    let lease = assign::parse(&format!("lease-time={lease}")).ok();
    let lease = lease.and_then(|it| <[u8; 4]>::try_from(it.data.as_slice()).ok());
    if let Some(lease) = lease {
        talk::lease(frame, u32::from_be_bytes(lease));
    }
}

fn packet<'v>(value: Value<'v>) -> starlark::Result<&'v Packet> {
    Packet::from_value(value).ok_or_else(|| error(format!("{} is no packet", value.get_type())))
}

/// The names of these functions, in the order of their definition.
pub fn names() -> Vec<String> {
    let globals = GlobalsBuilder::new().with(register).build();
    globals.names().map(|it| it.as_str().to_string()).collect()
}

/// Adds the functions.
#[starlark_module]
pub fn register(builder: &mut GlobalsBuilder) {
    /// In the rules of `serve`: the server's own answer to a request, or None where it would be silent.
    fn answer<'v>(
        #[starlark(require = pos)] request: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let host = host(eval)?;
        let line = host.server.borrow();
        let line = line.as_ref().ok_or_else(|| {
            error("answer(req) is for the rules of a server: dhcpcraft serve RULES.star")
        })?;
        let own = line.own(packet(request)?.frame());
        Ok(own.map_or(Value::new_none(), |it| {
            eval.heap().alloc(Packet::of_frame(&it, None, None))
        }))
    }

    /// In the rules of `serve`: a reply that is sent so many seconds later.
    fn delay<'v>(
        #[starlark(require = pos)] time: Value<'v>,
        #[starlark(require = pos)] reply: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        if reply.is_none() {
            return Ok(reply);
        }
        let delayed = Delayed {
            packet: packet(reply)?.clone(),
            delay: seconds(number(time, "the time")?)?,
        };
        Ok(eval.heap().alloc(delayed))
    }

    /// A packet with one of the faults of `serve --fault` done to it, but for reorder and nak-renewal: a list of what
    /// is left to send, empty where it is lost.
    fn fault<'v>(
        #[starlark(require = pos)] name: &str,
        #[starlark(require = pos)] reply: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let heap = eval.heap();
        let fault = Fault::parse(name, parse_duration).map_err(error)?;
        if fault.takes_a_server() {
            return Err(error(format!(
                "fault({name:?}, packet): a server does this over several messages: serve --fault {name}, or a rule's own nak(req) or delay(seconds, packet)"
            )));
        }
        let reply = packet(reply)?;
        let mut frame = reply.frame();
        // What was right follows what the fault changes.
        frame.relax();
        let whole = Spoiled {
            delay: Duration::ZERO,
            frame,
            cut: None,
        };
        let mut chance = host(eval)?.session.borrow_mut().fork();
        let left = fault.spoil(whole.clone(), &mut chance);
        let before = reply.comment().map(str::to_string);
        let comment = match (left == [whole], before) {
            (true, before) => before,
            (false, None) => Some(format!("with {}", fault.name())),
            (false, Some(before)) => Some(format!("{before} and {}", fault.name())),
        };
        let left = left.into_iter().map(|it| {
            let delay = it.delay;
            let packet = Packet::of_frame(&it.finish(), None, comment.clone());
            match delay.is_zero() {
                true => heap.alloc(packet),
                false => heap.alloc(Delayed { packet, delay }),
            }
        });
        let left: Vec<Value> = left.collect();
        Ok(heap.alloc(left))
    }

    /// The state of the client that sent a DISCOVER or REQUEST, by RFC 2131 table 4: "init", "selecting",
    /// "init-reboot", "renewing" or "rebinding"; None of any other message.
    fn client_state<'v>(
        #[starlark(require = pos)] request: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let frame = packet(request)?.frame();
        let broadcast = frame.ipv4().is_none_or(|it| it.dst.is_broadcast());
        let Some(message) = Message::of(&frame) else {
            return Ok(Value::new_none());
        };
        let state = match message.message_type() {
            Some(DISCOVER) => "init",
            Some(REQUEST) if message.server_id().is_some() => "selecting",
            Some(REQUEST) if message.requested_ip().is_some() => "init-reboot",
            Some(REQUEST) if broadcast => "rebinding",
            Some(REQUEST) => "renewing",
            _ => return Ok(Value::new_none()),
        };
        Ok(eval.heap().alloc(state))
    }
}
