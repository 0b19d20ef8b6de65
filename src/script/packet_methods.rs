//! What can be called on a packet: `pkt.show()`, `pkt.command()`, `pkt.copy()`.

use starlark::environment::MethodsBuilder;
use starlark::eval::Evaluator;
use starlark::starlark_module;
use starlark::values::none::NoneType;
use starlark::values::{Heap, Value};

use super::packet::{LayerClass, Packet};
use super::{error, host, source};
use crate::commands::outcome::{Direction, Entry, Grouped, Verdict};
use crate::view::{Format, summary};
use crate::wire::{Frame, Layer, link_type};

/// A packet as an entry, for views.
pub fn entry(packet: &Packet) -> Entry {
    let frame = packet.frame();
    let bytes = frame.encode();
    let link_type = match frame.layers.first() {
        Some(Layer::Ipv4(_)) => link_type::RAW,
        _ => link_type::ETHERNET,
    };
    // Lengths and checksums as they go out; layers that no decoder would find stay as they were put.
    let decoded = Frame::decode_as(link_type, &bytes);
    let same = decoded.layers.len() == frame.layers.len()
        && decoded
            .layers
            .iter()
            .zip(&frame.layers)
            .all(|(a, b)| a.name() == b.name());
    Entry {
        number: 1,
        at: packet.time().unwrap_or_default(),
        since: std::time::Duration::ZERO,
        after: None,
        direction: if packet.time().is_some() {
            Direction::Read
        } else {
            Direction::Built
        },
        link_type,
        original_len: bytes.len(),
        frame: if same { decoded } else { frame },
        bytes,
        verdict: Verdict::Part,
        checksum_unfinished: false,
        comment: None,
        group: Grouped::Not,
    }
}

/// A packet in a format of the views.
pub fn print(
    packet: &Packet,
    format: Format,
    eval: &Evaluator<'_, '_, '_>,
) -> starlark::Result<()> {
    use crate::commands::outcome::Sink;
    let host = host(eval)?;
    let text = super::exchange::printed(host, format, |view| {
        view.entry(&entry(packet))?;
        view.flush()
    })?;
    host.print(&text).map_err(error)
}

#[starlark_module]
pub fn methods(builder: &mut MethodsBuilder) {
    /// Prints every field with the bytes it stands in, lengths and checksums as they go out.
    fn show<'v>(this: &Packet, eval: &mut Evaluator<'v, '_, '_>) -> starlark::Result<NoneType> {
        print(this, Format::Tree, eval)?;
        Ok(NoneType)
    }

    /// The same as `show()`.
    fn show2<'v>(this: &Packet, eval: &mut Evaluator<'v, '_, '_>) -> starlark::Result<NoneType> {
        print(this, Format::Tree, eval)?;
        Ok(NoneType)
    }

    /// Prints the bytes in hexadecimal, coloured by field.
    fn hexdump<'v>(this: &Packet, eval: &mut Evaluator<'v, '_, '_>) -> starlark::Result<NoneType> {
        print(this, Format::Hex, eval)?;
        Ok(NoneType)
    }

    /// The packet in a line.
    fn summary(this: &Packet) -> anyhow::Result<String> {
        Ok(summary(&entry(this)))
    }

    /// Source that builds the packet again, byte for byte.
    fn command(this: &Packet) -> anyhow::Result<String> {
        Ok(source::command(&this.layers()))
    }

    /// The command line that builds the packet again, byte for byte.
    fn command_line(this: &Packet) -> anyhow::Result<String> {
        Ok(crate::view::source::command(&entry(this)))
    }

    /// A packet of its own with the same layers.
    fn copy<'v>(this: &Packet, heap: Heap<'v>) -> anyhow::Result<Value<'v>> {
        Ok(heap.alloc(Packet::new(this.layers())))
    }

    /// The packet decoded from its own bytes: every length and checksum set to what goes out.
    fn build<'v>(this: &Packet, heap: Heap<'v>) -> anyhow::Result<Value<'v>> {
        Ok(heap.alloc(Packet::new(this.built())))
    }

    /// The classes of the layers, outermost first.
    fn layers<'v>(this: &Packet, heap: Heap<'v>) -> anyhow::Result<Value<'v>> {
        let classes: Vec<_> = this
            .layers()
            .layers
            .iter()
            .map(|it| LayerClass(it.class))
            .collect();
        Ok(heap.alloc(classes))
    }

    /// Whether the packet has that layer.
    fn haslayer<'v>(
        this: &Packet,
        #[starlark(require = pos)] layer: Value<'v>,
    ) -> starlark::Result<bool> {
        starlark::values::StarlarkValue::is_in(this, layer)
    }

    /// The part from that layer on, or None.
    fn getlayer<'v>(
        this: &Packet,
        #[starlark(require = pos)] layer: Value<'v>,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        use starlark::values::StarlarkValue;
        match this.is_in(layer)? {
            true => this.at(layer, heap),
            false => Ok(Value::new_none()),
        }
    }

    /// Has a field computed again, or worth its default: `pkt.unset("chksum")`, as `pkt.chksum = None`.
    fn unset(this: &Packet, #[starlark(require = pos)] field: &str) -> starlark::Result<NoneType> {
        this.set(field, Value::new_none()).map_err(error)?;
        Ok(NoneType)
    }
}
