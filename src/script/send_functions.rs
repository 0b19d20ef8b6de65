//! Sending and listening by Scapy's names: `sendp`, `srp`, `sniff` and the like.

// The parameters are Scapy's.
#![allow(clippy::too_many_arguments)]

use starlark::environment::GlobalsBuilder;
use starlark::eval::Evaluator;
use starlark::starlark_module;
use starlark::values::Value;
use starlark::values::dict::AllocDict;
use starlark::values::none::NoneType;

use super::engine::command_error;
use super::functions::read;
use super::packet::Packet;
use super::send::{self, Sending, packets, seconds};
use super::{error, host, packet_methods};
use crate::commands::outcome::Direction;
use crate::talk::observer::Observer;
use crate::view::client_json;

/// A text, where one was given.
pub(super) fn some(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

/// A number of seconds: a whole one or with a fraction.
pub(super) fn number(value: Value, what: &str) -> starlark::Result<f64> {
    let json = super::json::of(value).ok();
    json.and_then(|it| it.as_f64()).ok_or_else(|| {
        error(format!(
            "{what} is a number of seconds, not {}",
            value.to_str()
        ))
    })
}

fn sending(
    count: i32,
    inter: Value,
    timeout: Option<Value>,
    retry: i32,
    first: bool,
) -> starlark::Result<Sending> {
    let count = u32::try_from(count)
        .ok()
        .filter(|it| (1..=1_000_000).contains(it));
    Ok(Sending {
        count: count.ok_or_else(|| error("count is a number from 1 to 1000000"))?,
        interval: seconds(number(inter, "inter")?)?,
        tries: 1 + u32::try_from(retry).unwrap_or(0),
        timeout: match timeout {
            Some(it) if it.is_none() => std::time::Duration::from_secs(5),
            Some(it) => seconds(number(it, "timeout")?)?,
            None => std::time::Duration::ZERO,
        },
        first,
    })
}

/// Sends and says how many, as Scapy does.
fn only_send(
    x: Value,
    iface: &str,
    count: i32,
    inter: Value,
    verbose: Value,
    eval: &Evaluator<'_, '_, '_>,
) -> starlark::Result<NoneType> {
    let sending = sending(count, inter, None, 0, true)?;
    let entries = send::send(&packets(x)?, some(iface), sending, eval)?;
    if verbose.to_bool() {
        let sent = entries
            .iter()
            .filter(|it| it.direction == Direction::Sent && it.frame.arp().is_none())
            .count();
        let sent = sent.max(entries.len().min(1));
        host(eval)?.notice(&format!(
            "Sent {sent} packet{}.",
            if sent == 1 { "" } else { "s" }
        ));
    }
    Ok(NoneType)
}

fn exchange<'v>(
    x: Value<'v>,
    iface: &str,
    sending: Sending,
    eval: &Evaluator<'v, '_, '_>,
) -> starlark::Result<send::Answers> {
    let entries = send::send(&packets(x)?, some(iface), sending, eval)?;
    Ok(send::pair(&entries))
}

/// The answer to the first packet that has one.
fn one<'v>(
    x: Value<'v>,
    iface: &str,
    timeout: Value<'v>,
    retry: i32,
    eval: &Evaluator<'v, '_, '_>,
) -> starlark::Result<Value<'v>> {
    let heap = eval.heap();
    let sending = sending(1, heap.alloc(0), Some(timeout), retry, true)?;
    let answers = exchange(x, iface, sending, eval)?;
    Ok(answers
        .pairs
        .into_iter()
        .next()
        .map_or(Value::new_none(), |it| heap.alloc(it.1)))
}

fn both<'v>(
    x: Value<'v>,
    iface: &str,
    timeout: Value<'v>,
    retry: i32,
    multi: bool,
    eval: &Evaluator<'v, '_, '_>,
) -> starlark::Result<Value<'v>> {
    let heap = eval.heap();
    let sending = sending(1, heap.alloc(0), Some(timeout), retry, !multi)?;
    let send::Answers { pairs, silent } = exchange(x, iface, sending, eval)?;
    let pairs: Vec<_> = pairs
        .into_iter()
        .map(|it| heap.alloc((it.0, it.1)))
        .collect();
    Ok(heap.alloc((heap.alloc(pairs), heap.alloc(silent))))
}

#[starlark_module]
pub(super) fn functions(builder: &mut GlobalsBuilder) {
    /// Sends packets as they are: `sendp(Ether()/IP()/UDP()/BOOTP()/DHCP(options=[…]))`.
    fn sendp<'v>(
        x: Value<'v>,
        #[starlark(default = "")] iface: &str,
        #[starlark(default = 1)] count: i32,
        inter: Option<Value<'v>>,
        verbose: Option<Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        let heap = eval.heap();
        let (inter, verbose) = (
            inter.unwrap_or(heap.alloc(0)),
            verbose.unwrap_or(heap.alloc(1)),
        );
        only_send(x, iface, count, inter, verbose, eval)
    }

    /// Sends packets that begin with IP, in an Ethernet header to whoever answers ARP.
    fn send<'v>(
        x: Value<'v>,
        #[starlark(default = "")] iface: &str,
        #[starlark(default = 1)] count: i32,
        inter: Option<Value<'v>>,
        verbose: Option<Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        let heap = eval.heap();
        let (inter, verbose) = (
            inter.unwrap_or(heap.alloc(0)),
            verbose.unwrap_or(heap.alloc(1)),
        );
        only_send(x, iface, count, inter, verbose, eval)
    }

    /// Sends packets and waits for the answers: a list of (sent, answer), and the unanswered ones.
    fn srp<'v>(
        x: Value<'v>,
        #[starlark(default = "")] iface: &str,
        #[starlark(default = NoneType)] timeout: Value<'v>,
        #[starlark(default = 0)] retry: i32,
        #[starlark(default = false)] multi: bool,
        #[starlark(default = NoneType)] verbose: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let _ = verbose;
        both(x, iface, timeout, retry, multi, eval)
    }

    /// As `srp`, for packets that begin with IP.
    fn sr<'v>(
        x: Value<'v>,
        #[starlark(default = "")] iface: &str,
        #[starlark(default = NoneType)] timeout: Value<'v>,
        #[starlark(default = 0)] retry: i32,
        #[starlark(default = false)] multi: bool,
        #[starlark(default = NoneType)] verbose: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let _ = verbose;
        both(x, iface, timeout, retry, multi, eval)
    }

    /// Sends a packet and gives the first answer, or None.
    fn srp1<'v>(
        x: Value<'v>,
        #[starlark(default = "")] iface: &str,
        #[starlark(default = NoneType)] timeout: Value<'v>,
        #[starlark(default = 0)] retry: i32,
        #[starlark(default = NoneType)] verbose: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let _ = verbose;
        one(x, iface, timeout, retry, eval)
    }

    /// As `srp1`, for a packet that begins with IP.
    fn sr1<'v>(
        x: Value<'v>,
        #[starlark(default = "")] iface: &str,
        #[starlark(default = NoneType)] timeout: Value<'v>,
        #[starlark(default = 0)] retry: i32,
        #[starlark(default = NoneType)] verbose: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let _ = verbose;
        one(x, iface, timeout, retry, eval)
    }

    /// Listens: a list of packets, at most `count`, for `timeout` seconds; what this machine sends is among
    /// them. `lfilter(pkt)` says which to take, `prn(pkt)` is called for each, `stop_filter(pkt)` says when
    /// it is enough. With `group` a list of the clients seen: a dictionary with the keys of
    /// `sniff --group --json`, and `packets`, each.
    fn sniff<'v>(
        #[starlark(default = 0)] count: i32,
        #[starlark(default = NoneType)] timeout: Value<'v>,
        #[starlark(default = "")] iface: &str,
        #[starlark(default = "")] offline: &str,
        #[starlark(default = NoneType)] prn: Value<'v>,
        #[starlark(default = NoneType)] lfilter: Value<'v>,
        #[starlark(default = NoneType)] stop_filter: Value<'v>,
        #[starlark(default = false)] group: bool,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let heap = eval.heap();
        let host = host(eval)?;
        let timeout = match timeout.is_none() {
            true => None,
            false => Some(seconds(number(timeout, "timeout")?)?),
        };
        let mut taken: Vec<Value<'v>> = Vec::new();
        let mut observer = Observer::default();
        let mut clients: Vec<Option<u64>> = Vec::new();
        let mut take = |packet: Packet| -> starlark::Result<bool> {
            let seen = group.then(|| packet_methods::entry(&packet));
            let packet = heap.alloc(packet);
            if !lfilter.is_none() && !eval.eval_function(lfilter, &[packet], &[])?.to_bool() {
                return Ok(false);
            }
            taken.push(packet);
            if let Some(it) = seen {
                clients.push(observer.see(it.at, &it.frame).map(|it| it.client));
            }
            if !prn.is_none() {
                let said = eval.eval_function(prn, &[packet], &[])?;
                if !said.is_none() {
                    host.print(&format!("{}\n", said.to_str())).map_err(error)?;
                }
            }
            let enough = !stop_filter.is_none()
                && eval.eval_function(stop_filter, &[packet], &[])?.to_bool();
            Ok(enough || (count > 0 && taken.len() >= count as usize))
        };
        if let Some(path) = some(offline) {
            for packet in read(path).map_err(command_error)? {
                if take(packet)? {
                    break;
                }
            }
        } else {
            send::watch(host, some(iface), timeout, |packet, entry| {
                host.remember(&entry);
                take(packet)
            })?;
            let session = host.session.borrow();
            if host.converses.get() && session.interrupted() {
                // Ctrl-C at the prompt is how listening ends; what was heard is the result.
                session.resume();
            }
        }
        if !group {
            return Ok(heap.alloc(taken));
        }
        let seen = observer.finish(None).clients;
        let seen = seen.iter().map(|client| {
            let all = taken.iter().zip(&clients);
            let own = all.filter(|it| *it.1 == Some(client.number));
            let own: Vec<Value> = own.map(|it| *it.0).collect();
            let json = client_json(client);
            let keys = json.as_object().into_iter().flatten();
            let keys = keys.map(|(key, it)| (key.as_str(), super::options::of_json(it, heap)));
            heap.alloc(AllocDict(
                keys.chain([("packets", heap.alloc(own))])
                    .collect::<Vec<_>>(),
            ))
        });
        let seen: Vec<Value> = seen.collect();
        Ok(heap.alloc(seen))
    }
}
