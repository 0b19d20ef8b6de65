//! Packets and layer classes as values of the language: `Ether() / IP()`, `pkt[BOOTP].xid`,
//! `BOOTP in pkt`, `pkt.router`.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use allocative::Allocative;
use starlark::environment::Methods;
use starlark::eval::{Arguments, Evaluator};
use starlark::methods_static;
use starlark::starlark_simple_value;
use starlark::values::{
    Heap, NoSerialize, ProvidesStaticType, StarlarkValue, Value, ValueError, starlark_value,
};

use super::bytes::Bytes;
use super::classes::{CLASSES, Class, Field};
use super::field_values::{field_value, script_value};
use super::stack::{Origin, ScriptLayer, Stack};
use super::{error, options};
use crate::dhcp::Message;
use crate::dhcp::options::{OPTIONS, Status};
use crate::link::Time;
use crate::wire::*;

/// A packet, or the part of one from some layer on; parts share their layers with the whole.
#[derive(Clone, Debug, ProvidesStaticType, NoSerialize, Allocative)]
pub struct Packet {
    #[allocative(skip)]
    stack: Arc<Mutex<Stack>>,
    from: usize,
    /// When it was received or recorded.
    #[allocative(skip)]
    time: Option<Time>,
    comment: Option<String>,
}

starlark_simple_value!(Packet);

impl Packet {
    /// A packet of these layers.
    pub fn new(stack: Stack) -> Self {
        Packet {
            stack: Arc::new(Mutex::new(stack)),
            from: 0,
            time: None,
            comment: None,
        }
    }

    /// A packet that was sent or received.
    pub fn of_frame(frame: &Frame, time: Option<Time>, comment: Option<String>) -> Self {
        let stack = Stack::of(frame, Origin::default());
        Packet {
            stack: Arc::new(Mutex::new(stack)),
            from: 0,
            time,
            comment,
        }
    }

    /// What its capture says of it, or what was done to it.
    pub fn comment(&self) -> Option<&str> {
        self.comment.as_deref()
    }

    /// The layers, all of them.
    pub fn stack(&self) -> MutexGuard<'_, Stack> {
        self.stack.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Index of the first layer that belongs to this part.
    pub fn from(&self) -> usize {
        self.from
    }

    /// When it was sent or received.
    pub fn time(&self) -> Option<Time> {
        self.time
    }

    /// The part from the layer at `index` on.
    pub fn part(&self, index: usize) -> Packet {
        Packet {
            from: index,
            ..self.clone()
        }
    }

    /// A copy of the layers of this part, which share nothing with it.
    pub fn layers(&self) -> Stack {
        let mut stack = self.stack().clone();
        stack.layers.drain(..self.from.min(stack.layers.len()));
        stack
    }

    /// The frame of this part.
    pub fn frame(&self) -> Frame {
        self.stack().frame(self.from)
    }

    /// The bytes of this part.
    pub fn encode(&self) -> Vec<u8> {
        self.frame().encode()
    }

    /// The layers that the bytes decode to: every length and checksum set to what goes out.
    pub fn built(&self) -> Stack {
        let layers = self.layers();
        let first = layers.layers.first().map_or("Raw", |it| it.class.name);
        Stack::decode(first, &self.encode(), layers.origin)
    }

    /// The names of the layers, outermost first.
    pub fn names(&self) -> String {
        let stack = self.stack();
        let names: Vec<_> = stack
            .layers
            .iter()
            .skip(self.from)
            .map(|it| it.class.name)
            .collect();
        names.join(" / ")
    }

    /// Index of the first layer of that class in this part.
    pub fn find(&self, class: &str) -> Option<usize> {
        let stack = self.stack();
        let place = stack
            .layers
            .iter()
            .skip(self.from)
            .position(|it| it.class.name == class);
        place.map(|it| it + self.from)
    }

    /// The first layer of this part with a field of that name.
    pub fn holder(&self, name: &str) -> Option<(usize, &'static Field)> {
        let stack = self.stack();
        let mut layers = stack.layers.iter().enumerate().skip(self.from);
        layers.find_map(|(at, layer)| Some((at, layer.class.field(name)?)))
    }

    /// Sets a field, or with `None` has it computed or worth its default again.
    pub fn set(&self, name: &str, value: Value) -> Result<(), String> {
        if let Some((at, field)) = self.holder(name) {
            let class = self.stack().layers.get(at).map(|it| it.class);
            let class = class.ok_or("the layer is gone")?;
            let value = match value.is_none() {
                true => None,
                false => Some(field_value(class, field, value)?),
            };
            if let Some(layer) = self.stack().layers.get_mut(at) {
                layer.put(field, value);
            }
            return Ok(());
        }
        let option = options::by_name(&name.replace('_', "-")).or_else(|_| options::by_name(name));
        let (Ok((row, _)), Some(at)) = (option, self.find("DHCP")) else {
            return Err(self.unknown(name));
        };
        let mut data = Vec::new();
        if !value.is_none() {
            let heap_free = options::named(row, value)?;
            data = heap_free;
        }
        let remove = value.is_none();
        let mut stack = self.stack();
        let Some(FieldValue::Bytes(stream)) = stack.named(at, "options") else {
            return Ok(());
        };
        let stream = replaced(&stream, row.code, (!remove).then_some(&data));
        if let Some(layer) = stack.layers.get_mut(at)
            && let Some(field) = layer.class.field("options")
        {
            layer.put(field, Some(FieldValue::Bytes(stream)));
        }
        Ok(())
    }

    /// What to say of a name that is neither field nor option.
    pub fn unknown(&self, name: &str) -> String {
        let names = self.attributes();
        let near = super::did_you_mean(name, names.iter().map(String::as_str));
        format!("{} has no field or option `{name}`{near}", self.names())
    }

    fn attributes(&self) -> Vec<String> {
        let stack = self.stack();
        let mut names: Vec<String> = Vec::new();
        for layer in stack.layers.iter().skip(self.from) {
            names.extend(layer.class.fields.iter().map(|it| it.name.to_string()));
        }
        if stack.layers.iter().any(|it| it.class.name == "DHCP") {
            let rows = OPTIONS
                .iter()
                .filter(|row| row.status != Status::Unassigned);
            names.extend(rows.map(|row| row.name.replace('-', "_")));
        }
        names.extend(["time".to_string(), "comment".to_string()]);
        names
    }

    fn attribute<'v>(&self, name: &str, heap: Heap<'v>) -> Option<Value<'v>> {
        match name {
            "time" => {
                return Some(
                    self.time
                        .map_or(Value::new_none(), |it| heap.alloc(it.0 as f64 / 1e9)),
                );
            }
            "comment" => return Some(heap.alloc(self.comment.as_deref().unwrap_or_default())),
            "payload" => return Some(heap.alloc(self.part(self.from + 1))),
            _ => {}
        }
        if let Some((at, field)) = self.holder(name) {
            if field.name == "options" && self.stack().layers.get(at)?.class.name == "DHCP" {
                return Some(heap.alloc(super::option_list::OptionList::new(self.part(at))));
            }
            return Some(match self.stack().value(at, field) {
                Some(value) => script_value(field, &value, heap),
                None => Value::new_none(),
            });
        }
        self.find("DHCP")?;
        let (row, _) = options::by_name(name)
            .or_else(|_| options::by_name(&name.replace('_', "-")))
            .ok()?;
        let frame = self.stack().frame(0);
        let data = Message::of(&frame).and_then(|it| it.data(row.code).map(|it| it.into_owned()));
        Some(data.map_or(Value::new_none(), |data| {
            options::attribute(row.code, &data, heap)
        }))
    }
}

/// The stream with an option's data replaced where it first stands, or put in before END, or left out.
fn replaced(stream: &[u8], code: u8, data: Option<&Vec<u8>>) -> Vec<u8> {
    let mut out = Vec::new();
    let mut data = data;
    for item in Options::new(stream) {
        if item.is_option() && item.code == code {
            if let Some(data) = data.take() {
                push_option(&mut out, code, data);
            }
            continue;
        }
        if item.kind == ItemKind::End
            && let Some(data) = data.take()
        {
            push_option(&mut out, code, data);
        }
        out.extend_from_slice(item.raw);
    }
    if let Some(data) = data {
        push_option(&mut out, code, data);
    }
    out
}

/// As the source that builds it again.
impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&super::source::command(&self.layers()))
    }
}

methods_static!(PACKET_METHODS = super::packet_methods::methods);

#[starlark_value(type = "packet")]
impl<'v> StarlarkValue<'v> for Packet {
    fn get_methods() -> Option<&'static Methods> {
        Some(PACKET_METHODS.methods())
    }

    fn div(&self, other: Value<'v>, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        let mut stack = self.layers();
        if let Some(other) = Packet::from_value(other) {
            stack.layers.extend(other.layers().layers);
        } else if let Some(class) = LayerClass::from_value(other) {
            return Err(error(format!("{0} is a class: write {0}()", class.0.name)));
        } else {
            // Anything else is payload.
            let load = Bytes::from(other).map_err(error)?;
            stack.layers.extend(raw(load));
        }
        Ok(heap.alloc(Packet::new(stack)))
    }

    fn get_attr(&self, name: &str, heap: Heap<'v>) -> Option<Value<'v>> {
        self.attribute(name, heap)
    }

    fn has_attr(&self, name: &str, heap: Heap<'v>) -> bool {
        self.attribute(name, heap).is_some()
    }

    fn dir_attr(&self) -> Vec<String> {
        self.attributes()
    }

    fn set_attr(&self, name: &str, value: Value<'v>) -> starlark::Result<()> {
        self.set(name, value).map_err(error)
    }

    fn at(&self, index: Value<'v>, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        let name = match (LayerClass::from_value(index), index.unpack_str()) {
            (Some(class), _) => class.0.name,
            (_, Some(name)) => Class::by_name(name).map(|it| it.name).unwrap_or(name),
            _ => return ValueError::unsupported_with(self, "[]", index),
        };
        match self.find(name) {
            Some(at) => Ok(heap.alloc(self.part(at))),
            None => Err(error(format!("no layer {name} in {}", self.names()))),
        }
    }

    fn is_in(&self, other: Value<'v>) -> starlark::Result<bool> {
        match (LayerClass::from_value(other), other.unpack_str()) {
            (Some(class), _) => Ok(self.find(class.0.name).is_some()),
            (_, Some(name)) => {
                Ok(Class::by_name(name).is_some_and(|it| self.find(it.name).is_some()))
            }
            _ => ValueError::unsupported_with(self, "in", other),
        }
    }

    fn length(&self) -> starlark::Result<i32> {
        Ok(self.encode().len() as i32)
    }

    fn to_bool(&self) -> bool {
        true
    }

    fn equals(&self, other: Value<'v>) -> starlark::Result<bool> {
        Ok(Packet::from_value(other).is_some_and(|it| it.encode() == self.encode()))
    }

    fn iterate_collect(&self, heap: Heap<'v>) -> starlark::Result<Vec<Value<'v>>> {
        let end = self.stack().layers.len();
        Ok((self.from..end)
            .map(|at| heap.alloc(self.part(at)))
            .collect())
    }
}

fn raw(load: Vec<u8>) -> Option<ScriptLayer> {
    let class = Class::by_name("Raw")?;
    Some(ScriptLayer {
        class,
        set: vec![("load", FieldValue::Bytes(load))],
    })
}

/// A layer class: calling it makes a packet of that one layer.
#[derive(Clone, Debug, ProvidesStaticType, NoSerialize, Allocative)]
pub struct LayerClass(#[allocative(skip)] pub &'static Class);

starlark_simple_value!(LayerClass);

impl fmt::Display for LayerClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name)
    }
}

impl LayerClass {
    /// Every class as a value.
    pub fn all() -> impl Iterator<Item = LayerClass> {
        CLASSES.iter().map(LayerClass)
    }
}

#[starlark_value(type = "layer")]
impl<'v> StarlarkValue<'v> for LayerClass {
    fn invoke(
        &self,
        _me: Value<'v>,
        args: &Arguments<'v, '_>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let heap = eval.heap();
        let class = self.0;
        let origin = super::host(eval)?.origin();
        let positional: Vec<_> = args.positions(heap)?.collect();
        let stack = match (&positional[..], class.fields.as_slice()) {
            ([], _) => Stack {
                layers: vec![ScriptLayer::new(class)],
                origin,
            },
            ([one], fields) => {
                let load = match (fields, one.unpack_str()) {
                    ([load], Some(text)) if load.name == "load" => text.as_bytes().to_vec(),
                    _ => Bytes::of(*one).ok_or_else(|| {
                        let name = class.name;
                        error(format!(
                            "{name}(…) takes bytes to decode, or fields by name: {name}({}=…)",
                            fields[0].name
                        ))
                    })?,
                };
                Stack::decode(class.name, &load, origin)
            }
            _ => {
                return Err(error(format!(
                    "{} takes one value to decode, or fields by name",
                    class.name
                )));
            }
        };
        let packet = Packet::new(stack);
        for (name, value) in args.names_map()? {
            let name = name.as_str();
            if class.field(name).is_none() {
                let known: Vec<_> = class.fields.iter().map(|it| it.name).collect();
                return Err(error(format!(
                    "{} has no field `{name}`{}; it has {}",
                    class.name,
                    super::did_you_mean(name, known.iter().copied()),
                    known.join(", ")
                )));
            }
            packet.set(name, value).map_err(error)?;
        }
        Ok(heap.alloc(packet))
    }

    fn div(&self, _other: Value<'v>, _heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        Err(error(format!("{0} is a class: write {0}()", self.0.name)))
    }

    fn equals(&self, other: Value<'v>) -> starlark::Result<bool> {
        Ok(LayerClass::from_value(other).is_some_and(|it| it.0.name == self.0.name))
    }

    fn write_hash(
        &self,
        hasher: &mut starlark::collections::StarlarkHasher,
    ) -> starlark::Result<()> {
        std::hash::Hash::hash(self.0.name, hasher);
        Ok(())
    }
}
