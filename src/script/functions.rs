//! The functions of the language beside the commands: Scapy's by their names, and a few of our own.

// The parameters are Scapy's.
#![allow(clippy::too_many_arguments)]

use std::path::PathBuf;

use starlark::collections::SmallMap;
use starlark::environment::GlobalsBuilder;
use starlark::eval::Evaluator;
use starlark::starlark_module;
use starlark::values::dict::AllocDict;
use starlark::values::none::NoneType;
use starlark::values::tuple::UnpackTuple;
use starlark::values::{Heap, Value};

use super::bytes::Bytes;
use super::classes::CLASSES;
use super::engine::command_error;
use super::exchange::Exchange;
use super::packet::{LayerClass, Packet};
use super::send::{self, Sending, packets, seconds};
use super::{error, host, packet_methods};
use crate::commands::input::Source;
use crate::commands::outcome::Direction;
use crate::dhcp::difference::{Difference, differences};
use crate::link::capture::{CaptureWriter, InterfaceInfo};
use crate::talk::observer::Observer;
use crate::view::{Format, client_json};
use crate::wire::Frame;

/// The names of these functions, in the order of their definition.
pub fn names() -> Vec<String> {
    let globals = GlobalsBuilder::new()
        .with(functions)
        .with(super::assertions::functions)
        .with(super::lint::functions)
        .build();
    globals.names().map(|it| it.as_str().to_string()).collect()
}

/// Adds the functions and the layer classes.
pub fn register(builder: &mut GlobalsBuilder) {
    for class in LayerClass::all() {
        builder.set(class.0.name, class);
    }
    functions(builder);
    super::assertions::functions(builder);
    super::lint::functions(builder);
}

fn some(text: &str) -> Option<&str> {
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

fn read(path: &str) -> Result<Vec<Packet>, crate::commands::Error> {
    let source = Source::parse(path).map_err(crate::commands::Error::Usage)?;
    let mut input = source.open()?;
    let (mut all, mut number) = (Vec::new(), 0);
    while let Some(it) = input.next_packet()? {
        number += 1;
        if source.number.is_none_or(|wanted| wanted == number) {
            let frame = Frame::decode_as(it.link_type, &it.bytes);
            all.push(Packet::of_frame(&frame, Some(it.at), it.comment));
        }
    }
    Ok(all)
}

#[starlark_module]
fn functions(builder: &mut GlobalsBuilder) {
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

    /// The packets of a capture, of a hexdump, or of `FILE#N` the one frame.
    fn rdpcap<'v>(
        #[starlark(require = pos)] path: &str,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        Ok(heap.alloc(read(path).map_err(command_error)?))
    }

    /// Writes packets into a capture, pcap or pcapng by the name's ending.
    fn wrpcap<'v>(
        #[starlark(require = pos)] path: &str,
        #[starlark(require = pos)] x: Value<'v>,
    ) -> starlark::Result<NoneType> {
        let all = packets(x)?;
        let write = || -> Result<(), crate::commands::Error> {
            let mut writer = CaptureWriter::create(&PathBuf::from(path))?;
            let mut declared = false;
            for packet in &all {
                let entry = packet_methods::entry(packet);
                if !declared {
                    writer.declare(0, &InterfaceInfo::new("script", entry.link_type))?;
                    declared = true;
                }
                writer.write(&crate::link::capture::Packet {
                    at: entry.at,
                    link_type: entry.link_type,
                    interface: 0,
                    original_len: entry.bytes.len() as u32,
                    bytes: entry.bytes,
                    comment: entry.comment,
                })?;
            }
            writer.finish()?;
            Ok(())
        };
        write().map_err(command_error)?;
        Ok(NoneType)
    }

    /// The bytes of a packet.
    fn raw<'v>(
        #[starlark(require = pos)] x: Value<'v>,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        match Packet::from_value(x) {
            Some(packet) => Ok(heap.alloc(Bytes::new(packet.encode()))),
            None => Ok(heap.alloc(Bytes::new(Bytes::from(x).map_err(error)?))),
        }
    }

    /// Bytes of a packet, of text as UTF-8, of a list of numbers, or so many zeros.
    fn bytes<'v>(
        #[starlark(require = pos)] x: Option<Value<'v>>,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        Ok(heap.alloc(Bytes::new(match x {
            None => Vec::new(),
            Some(x) => match Packet::from_value(x) {
                Some(packet) => packet.encode(),
                None => Bytes::from(x).map_err(error)?,
            },
        })))
    }

    /// Of text with hexadecimal digits, the bytes; of a number, its digits behind 0x; of bytes or a
    /// packet, its digits.
    fn hex<'v>(
        #[starlark(require = pos)] x: Value<'v>,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        if let Some(text) = x.unpack_str() {
            let digits = text
                .strip_prefix("0x")
                .unwrap_or(text)
                .replace([' ', ':', '-', '\n'], "");
            let bytes = hex::decode(&digits);
            return match bytes {
                Ok(bytes) => Ok(heap.alloc(Bytes::new(bytes))),
                Err(_) => Err(error(format!(
                    "`{text}` is not an even number of hex digits"
                ))),
            };
        }
        if let Some(packet) = Packet::from_value(x) {
            return Ok(heap.alloc(hex::encode(packet.encode())));
        }
        if let Some(bytes) = Bytes::of(x) {
            return Ok(heap.alloc(hex::encode(bytes)));
        }
        match super::options::number_of(x) {
            Some(number) => Ok(heap.alloc(format!("{number:#x}"))),
            None => Err(error(format!(
                "hex(…) takes text, bytes, a packet or a number, not {}",
                x.get_type()
            ))),
        }
    }

    /// Prints a packet or bytes in hexadecimal.
    fn hexdump<'v>(
        #[starlark(require = pos)] x: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        match Packet::from_value(x) {
            Some(packet) => packet_methods::print(packet, Format::Hex, eval)?,
            None => {
                let bytes = Bytes::from(x).map_err(error)?;
                let packet = Packet::new(super::stack::Stack::decode(
                    "Raw",
                    &bytes,
                    Default::default(),
                ));
                packet_methods::print(&packet, Format::Hex, eval)?;
            }
        }
        Ok(NoneType)
    }

    /// Prints a packet field by field, an exchange as its command does, a list packet by packet; of
    /// captures named by their paths the frames, with the flags of the command: `show("x.pcap", count=3)`.
    fn show<'v>(
        #[starlark(require = pos)] x: Value<'v>,
        #[starlark(args)] more: UnpackTuple<Value<'v>>,
        #[starlark(kwargs)] flags: SmallMap<String, Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        let host = host(eval)?;
        if let Some(packet) = Packet::from_value(x) {
            packet_methods::print(packet, Format::Tree, eval)?;
        } else if let Some(exchange) = Exchange::from_value(x) {
            let text =
                super::exchange::printed(host, exchange.format(), |view| exchange.print(view))?;
            host.print(&text).map_err(error)?;
        } else if x.unpack_str().is_some() {
            let mut files = vec![x];
            files.extend(more.items);
            let flags: Vec<_> = flags.into_iter().collect();
            let value = super::commands::call(host, "show", &files, &flags, eval.heap())?;
            if let Some(exchange) = Exchange::from_value(value) {
                let text =
                    super::exchange::printed(host, exchange.format(), |view| exchange.print(view))?;
                host.print(&text).map_err(error)?;
            }
        } else if starlark::values::list::ListRef::from_value(x).is_some() {
            for packet in packets(x)? {
                packet_methods::print(&packet, Format::Tree, eval)?;
            }
        } else {
            host.print(&format!("{}\n", x.to_str())).map_err(error)?;
        }
        Ok(NoneType)
    }

    /// The fields and options in which two packets differ, as a list of (name, first, second).
    fn diff<'v>(
        #[starlark(require = pos)] a: Value<'v>,
        #[starlark(require = pos)] b: Value<'v>,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        let packet = |it: Value<'v>| {
            Packet::from_value(it).ok_or_else(|| error(format!("{} is no packet", it.get_type())))
        };
        let rows = difference(packet(a)?, packet(b)?);
        let absent = || "absent".to_string();
        let rows = rows.into_iter().map(|it| {
            let values = (
                it.first.unwrap_or_else(absent),
                it.second.unwrap_or_else(absent),
            );
            heap.alloc((it.name, values.0, values.1))
        });
        let rows: Vec<_> = rows.collect();
        Ok(heap.alloc(rows))
    }

    /// Prints the fields of a layer class with their defaults, or the classes there are.
    fn ls<'v>(
        #[starlark(require = pos)] x: Option<Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        let host = host(eval)?;
        let class = match x {
            None => None,
            Some(x) => match (LayerClass::from_value(x), Packet::from_value(x)) {
                (Some(class), _) => Some(class.0),
                (_, Some(packet)) => {
                    packet_methods::print(packet, Format::Tree, eval)?;
                    return Ok(NoneType);
                }
                _ => return Err(error("ls(…) takes a layer class or a packet: ls(BOOTP)")),
            },
        };
        let mut text = String::new();
        match class {
            None => CLASSES
                .iter()
                .for_each(|it| text += &format!("{:<8} {}\n", it.name, it.doc)),
            Some(class) => {
                for field in &class.fields {
                    let default = super::help::default_text(field);
                    text += &format!("{:<10} {default:<22} {}\n", field.name, field.doc);
                }
            }
        }
        host.print(&text).map_err(error)?;
        Ok(NoneType)
    }

    /// Prints every function with what it does.
    fn lsc<'v>(eval: &mut Evaluator<'v, '_, '_>) -> starlark::Result<NoneType> {
        host(eval)?
            .print(&super::help::functions())
            .map_err(error)?;
        Ok(NoneType)
    }

    /// Waits. On the lab's clock it costs no time.
    fn sleep<'v>(
        #[starlark(require = pos)] time: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        let host = host(eval)?;
        let time = seconds(number(time, "the time")?)?;
        send::listen(host, None, Some(time), |_, entry| {
            host.remember(&entry);
            Ok(false)
        })?;
        Ok(NoneType)
    }

    /// What the link's clock says: seconds since 1970.
    fn now<'v>(eval: &mut Evaluator<'v, '_, '_>) -> starlark::Result<f64> {
        Ok(send::clock(host(eval)?)?.0 as f64 / 1e9)
    }

    /// Makes everything left to chance repeatable from here on.
    fn seed<'v>(
        #[starlark(require = pos)] n: i32,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        host(eval)?.session.borrow_mut().reseed(n as u64);
        Ok(NoneType)
    }

    /// The link in use; with a name, the one to use from here on.
    fn interface<'v>(
        #[starlark(require = pos, default = "")] name: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<String> {
        let host = host(eval)?;
        if let Some(name) = some(name) {
            crate::commands::session::Here::look(&host.link_args(Some(name)))
                .map_err(command_error)?;
            host.settings.borrow_mut().interface = name.to_string();
        }
        Ok(host.settings.borrow().interface.clone())
    }
}

/// In what two packets differ once they are built.
pub(super) fn difference(a: &Packet, b: &Packet) -> Vec<Difference> {
    // As they decode, so that lengths and checksums are those that go out.
    let built = |it: &Packet| it.built().frame(0);
    differences(&built(a), &built(b))
}
