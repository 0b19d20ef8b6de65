//! What checks have beside the language: asking the server, and saying what they found.

use std::time::Duration;

use starlark::environment::{Globals, GlobalsBuilder};
use starlark::eval::Evaluator;
use starlark::starlark_module;
use starlark::values::none::NoneType;
use starlark::values::tuple::AllocTuple;
use starlark::values::{Heap, Value};

use super::bench::Bench;
use super::desk::{Desk, Stop};
use super::server_bench::ServerBench;
use crate::commands::outcome::Entry;
use crate::dhcp::Message;
use crate::script::bytes::Bytes;
use crate::script::exchange::packet_of;
use crate::script::packet::Packet;
use crate::script::send::{packets, seconds};
use crate::script::{error, host};
use crate::wire::Frame;

/// Everything that a check on a server can call.
pub fn globals() -> &'static Globals {
    static GLOBALS: std::sync::LazyLock<Globals> = std::sync::LazyLock::new(|| {
        crate::script::engine::builder()
            .with(shared)
            .with(functions)
            .build()
    });
    &GLOBALS
}

/// Does something with the bench of the check under way.
pub fn with_bench<R>(
    eval: &Evaluator<'_, '_, '_>,
    act: impl FnOnce(&mut Bench) -> starlark::Result<R>,
) -> starlark::Result<R> {
    let mut bench = host(eval)?.bench.borrow_mut();
    let bench = bench.as_mut();
    act(bench.ok_or_else(|| error("no check is under way"))?)
}

fn with_desk<R>(
    eval: &Evaluator<'_, '_, '_>,
    act: impl FnOnce(&mut Desk) -> R,
) -> starlark::Result<R> {
    with_bench(eval, |bench| Ok(act(bench.desk())))
}

fn with_server<R>(
    eval: &Evaluator<'_, '_, '_>,
    act: impl FnOnce(&mut ServerBench) -> R,
) -> starlark::Result<R> {
    with_bench(eval, |bench| match bench {
        Bench::Server(it) => Ok(act(it)),
        Bench::Client(_) => Err(error("this is for checks on a server")),
    })
}

/// Seconds, or None.
pub fn time(value: Value) -> starlark::Result<Option<Duration>> {
    if value.is_none() {
        return Ok(None);
    }
    let json = crate::script::json::of(value).ok();
    let number = json.and_then(|it| it.as_f64());
    let number = number.ok_or_else(|| error("a time is a number of seconds"))?;
    Ok(Some(seconds(number)?))
}

/// The frames of packets, each with what it is.
pub fn named_frames(x: Value, note: &str) -> starlark::Result<Vec<(Frame, String)>> {
    let named = |it: &Packet| {
        let frame = it.frame();
        let name = match Message::of(&frame) {
            Some(message) => message.type_name().into_owned(),
            None if frame.arp().is_some() => "ARP".to_string(),
            None => "frame".to_string(),
        };
        let step = match note.is_empty() {
            true => name,
            false => format!("{name}, {note}"),
        };
        (frame, step)
    };
    Ok(packets(x)?.iter().map(named).collect())
}

fn list<'v>(entries: &[Entry], heap: Heap<'v>) -> Value<'v> {
    let all: Vec<Value> = entries.iter().map(|it| heap.alloc(packet_of(it))).collect();
    heap.alloc(all)
}

fn packet<'a>(value: Value<'a>) -> starlark::Result<&'a Packet> {
    Packet::from_value(value).ok_or_else(|| error(format!("{} is no packet", value.get_type())))
}

/// What checks on servers and on clients share.
#[starlark_module]
pub fn shared(builder: &mut GlobalsBuilder) {
    /// Ends the check unless the condition holds: the requirement is not met, and the text says what was
    /// seen.
    fn expect<'v>(
        #[starlark(require = pos)] condition: Value<'v>,
        #[starlark(require = pos)] text: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        let held = condition.to_bool();
        with_desk(eval, |bench| {
            bench.judged += 1;
            if !held {
                bench.stop = Some(Stop::Broken(text.to_string()));
            }
        })?;
        match held {
            true => Ok(NoneType),
            false => Err(error(text)),
        }
    }

    /// Ends the check: it cannot be made here, and the text says why.
    fn skip<'v>(
        #[starlark(require = pos)] text: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        with_desk(eval, |bench| {
            bench.stop = Some(Stop::Skip(text.to_string()));
        })?;
        Err(error(text))
    }

    /// Says what else was seen.
    fn remark<'v>(
        #[starlark(require = pos)] text: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        with_desk(eval, |bench| bench.remarks.push(text.to_string()))?;
        Ok(NoneType)
    }

    /// A transaction id.
    fn new_xid<'v>(eval: &mut Evaluator<'v, '_, '_>) -> starlark::Result<Value<'v>> {
        let xid = with_desk(eval, |it| it.session.xid())?;
        Ok(eval.heap().alloc(xid))
    }

    /// A MAC address that nobody else has.
    fn new_mac<'v>(eval: &mut Evaluator<'v, '_, '_>) -> starlark::Result<String> {
        Ok(with_desk(eval, Desk::mac)?.to_string())
    }

    /// The MAC address of this end of the link.
    fn own_mac<'v>(eval: &mut Evaluator<'v, '_, '_>) -> starlark::Result<String> {
        Ok(with_desk(eval, |it| it.own_mac())?.to_string())
    }

    /// The codes of a packet's options in wire order, those in file and sname behind the others.
    fn codes<'v>(
        #[starlark(require = pos)] x: Value<'v>,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        let frame = packet(x)?.frame();
        let message = Message::of(&frame);
        let all: Vec<i32> = message
            .iter()
            .flat_map(|it| it.items())
            .filter(|it| it.1.is_option())
            .map(|it| i32::from(it.1.code))
            .collect();
        Ok(heap.alloc(all))
    }

    /// The bytes of an option, its pieces joined; None where it is not there.
    fn data<'v>(
        #[starlark(require = pos)] x: Value<'v>,
        #[starlark(require = pos)] code: i32,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        let frame = packet(x)?.frame();
        let code = u8::try_from(code).map_err(error)?;
        let found = Message::of(&frame).and_then(|it| it.data(code).map(|it| it.into_owned()));
        Ok(found.map_or(Value::new_none(), |it| heap.alloc(Bytes::new(it))))
    }

    /// What is wrong with a received packet's lengths and checksums, or None.
    fn damage<'v>(
        #[starlark(require = pos)] x: Value<'v>,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        let frame = packet(x)?.frame();
        Ok(super::damage(&frame).map_or(Value::new_none(), |it| heap.alloc(it)))
    }

    /// The numbers of a dotted address as one number.
    fn number_of<'v>(
        #[starlark(require = pos)] ip: &str,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        let ip: std::net::Ipv4Addr = ip.parse().map_err(|_| error("no IPv4 address"))?;
        Ok(heap.alloc(u32::from(ip)))
    }

    /// The address that a number or four bytes stand for.
    fn address_of<'v>(#[starlark(require = pos)] x: Value<'v>) -> starlark::Result<String> {
        if let Some(bytes) = Bytes::of(x) {
            let bytes: [u8; 4] = bytes.try_into().map_err(|_| error("four bytes"))?;
            return Ok(std::net::Ipv4Addr::from(bytes).to_string());
        }
        let json = crate::script::json::of(x).ok();
        let number = json
            .and_then(|it| it.as_u64())
            .and_then(|it| u32::try_from(it).ok());
        let number = number.ok_or_else(|| error("no IPv4 address"))?;
        Ok(std::net::Ipv4Addr::from(number).to_string())
    }
}

#[starlark_module]
fn functions(builder: &mut GlobalsBuilder) {
    /// Sends packets at once and gives three lists: the replies, what only looks like one, and the
    /// addresses that the server looked for. Without `wait` the server's own speed says how long to wait;
    /// with `all` everything in that time is heard, else the first replies end it.
    fn exchange<'v>(
        #[starlark(require = pos)] x: Value<'v>,
        #[starlark(default = NoneType)] wait: Value<'v>,
        #[starlark(default = false)] all: bool,
        #[starlark(default = "")] occupied: &str,
        #[starlark(default = "")] note: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let frames = named_frames(x, note)?;
        let wait = time(wait)?;
        let occupied = occupied.parse().ok();
        let heard = with_server(eval, |bench| {
            let occupied = occupied.map(|ip| (ip, bench.desk.mac()));
            bench.ask(frames, wait, all, occupied).map_err(|it| {
                let text = it.to_string();
                bench.desk.failed = Some(it);
                error(text)
            })
        })??;
        let heap = eval.heap();
        let sought: Vec<String> = heard.sought.iter().map(|it| it.to_string()).collect();
        Ok(heap.alloc(AllocTuple([
            list(&heard.replies, heap),
            list(&heard.strays, heap),
            heap.alloc(sought),
        ])))
    }

    /// How often a message is to be sent that brings no answer: once, or more where the link loses frames.
    fn repeats<'v>(eval: &mut Evaluator<'v, '_, '_>) -> starlark::Result<i32> {
        with_server(eval, |bench| Ok(bench.repeats() as i32))?
    }

    /// Waits, and goes on answering ARP.
    fn pause<'v>(
        #[starlark(require = pos)] length: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        let length = time(length)?;
        with_server(eval, |bench| bench.ask(Vec::new(), length, true, None))?.map_err(error)?;
        Ok(NoneType)
    }

    /// Releases what the check under way was given and offered so far.
    fn give_back<'v>(eval: &mut Evaluator<'v, '_, '_>) -> starlark::Result<NoneType> {
        with_server(eval, |it| it.clean_up(false))?.map_err(error)?;
        Ok(NoneType)
    }

    /// Keeps what the client with this MAC address holds until the run ends.
    fn keep<'v>(
        #[starlark(require = pos)] mac: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        let mac = mac.parse().map_err(|_| error("no MAC address"))?;
        with_server(eval, |bench| bench.keep(mac))?;
        Ok(NoneType)
    }

    /// Whether a check may wait so many seconds: a few on a real clock, any number in the lab.
    fn can_wait<'v>(
        #[starlark(require = pos)] length: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<bool> {
        let length = time(length)?.unwrap_or_default();
        with_server(eval, |bench| bench.can_wait(length))
    }

    /// Has ARP answered for an address until the check ends; with `stay` until the run does.
    fn play<'v>(
        #[starlark(require = pos)] ip: &str,
        #[starlark(require = pos)] mac: &str,
        #[starlark(default = false)] stay: bool,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        let ip = ip.parse().map_err(|_| error("no IPv4 address"))?;
        let mac = mac.parse().map_err(|_| error("no MAC address"))?;
        with_server(eval, |bench| bench.own.push((ip, mac, stay)))?;
        Ok(NoneType)
    }

    /// Has ARP answered for an address no more.
    fn leave<'v>(
        #[starlark(require = pos)] ip: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        let ip: std::net::Ipv4Addr = ip.parse().map_err(|_| error("no IPv4 address"))?;
        with_server(eval, |bench| bench.own.retain(|it| it.0 != ip))?;
        Ok(NoneType)
    }

    /// From here on only what this MAC address sends counts, and waits follow from its speed.
    fn know_server<'v>(
        #[starlark(require = pos)] mac: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        let mac = mac.parse().map_err(|_| error("no MAC address"))?;
        with_server(eval, |bench| {
            bench.server = Some(mac);
            bench.know();
        })?;
        Ok(NoneType)
    }
}
