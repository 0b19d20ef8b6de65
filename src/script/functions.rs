//! The functions of the language beside the commands: Scapy's by their names, and a few of our own.

use std::path::PathBuf;

use starlark::collections::SmallMap;
use starlark::environment::GlobalsBuilder;
use starlark::eval::Evaluator;
use starlark::starlark_module;
use starlark::values::none::NoneType;
use starlark::values::tuple::UnpackTuple;
use starlark::values::{Heap, Value};

use super::bytes::Bytes;
use super::classes::CLASSES;
use super::engine::command_error;
use super::exchange::Exchange;
use super::packet::{LayerClass, Packet};
use super::send::{self, packets, seconds};
use super::send_functions::{number, some};
use super::{error, host, packet_methods};
use crate::commands::input::Source;
use crate::dhcp::difference::{Difference, differences};
use crate::link::capture::{CaptureWriter, InterfaceInfo};
use crate::view::Format;
use crate::wire::Frame;

/// The names of these functions, in the order of their definition.
pub fn names() -> Vec<String> {
    let globals = GlobalsBuilder::new()
        .with(super::send_functions::functions)
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
    super::send_functions::functions(builder);
    functions(builder);
    super::assertions::functions(builder);
    super::lint::functions(builder);
}

/// The packets of a capture, of hex text, or of `FILE#N` the one.
pub(super) fn read(path: &str) -> Result<Vec<Packet>, crate::commands::Error> {
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
