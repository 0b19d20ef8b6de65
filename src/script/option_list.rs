//! `pkt[DHCP].options`: a list that is part of its packet, so that changing it changes the packet.

use std::fmt;

use allocative::Allocative;
use starlark::environment::{Methods, MethodsBuilder};
use starlark::values::list::ListRef;
use starlark::values::none::NoneType;
use starlark::values::tuple::TupleRef;
use starlark::values::{
    Heap, NoSerialize, ProvidesStaticType, StarlarkValue, Value, ValueError, starlark_value,
};
use starlark::{methods_static, starlark_module, starlark_simple_value};

use super::packet::Packet;
use super::{error, options};
use crate::wire::FieldValue;

/// The options of a packet, from its DHCP layer.
#[derive(Clone, Debug, ProvidesStaticType, NoSerialize, Allocative)]
pub struct OptionList(#[allocative(skip)] Packet);

starlark_simple_value!(OptionList);

impl OptionList {
    /// The options of a packet's part that begins with the DHCP layer.
    pub fn new(part: Packet) -> Self {
        OptionList(part)
    }

    /// The option stream.
    pub fn bytes(&self) -> Vec<u8> {
        match self.0.stack().named(self.0.from(), "options") {
            Some(FieldValue::Bytes(bytes)) => bytes,
            _ => Vec::new(),
        }
    }

    fn replace(&self, stream: Vec<u8>) {
        let at = self.0.from();
        let mut stack = self.0.stack();
        if let Some(layer) = stack.layers.get_mut(at)
            && let Some(field) = layer.class.field("options")
        {
            layer.put(field, Some(FieldValue::Bytes(stream)));
        }
    }

    fn elements<'v>(&self, heap: Heap<'v>) -> Vec<Value<'v>> {
        let all = options::elements(&self.bytes(), heap);
        all.into_iter().map(|it| it.0).collect()
    }

    /// Where each element begins and ends in the stream.
    fn places(&self, heap: Heap<'_>) -> Vec<(usize, usize)> {
        let mut at = 0;
        let all = options::elements(&self.bytes(), heap);
        all.into_iter()
            .map(|(_, len)| {
                at += len;
                (at - len, at)
            })
            .collect()
    }

    fn index(&self, index: i32, len: usize) -> starlark::Result<usize> {
        let place = if index < 0 { index + len as i32 } else { index };
        match usize::try_from(place) {
            Ok(place) if place < len => Ok(place),
            _ => Err(ValueError::IndexOutOfBound(index).into()),
        }
    }

    fn splice(&self, from: usize, to: usize, bytes: &[u8]) {
        let mut stream = self.bytes();
        let (from, to) = (from.min(stream.len()), to.min(stream.len()));
        stream.splice(from..to, bytes.iter().copied());
        self.replace(stream);
    }
}

impl fmt::Display for OptionList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&super::source::option_list(&self.bytes()))
    }
}

methods_static!(METHODS = methods);

#[starlark_value(type = "options")]
impl<'v> StarlarkValue<'v> for OptionList {
    fn get_methods() -> Option<&'static Methods> {
        Some(METHODS.methods())
    }

    fn length(&self) -> starlark::Result<i32> {
        Ok(Heap::temp(|heap| self.places(heap).len()) as i32)
    }

    fn to_bool(&self) -> bool {
        !self.bytes().is_empty()
    }

    fn at(&self, index: Value<'v>, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        let all = self.elements(heap);
        let index = index
            .unpack_i32()
            .ok_or_else(|| error("an index is a number"))?;
        Ok(all[self.index(index, all.len())?])
    }

    fn set_at(&self, index: Value<'v>, value: Value<'v>) -> starlark::Result<()> {
        let places = Heap::temp(|heap| self.places(heap));
        let index = index
            .unpack_i32()
            .ok_or_else(|| error("an index is a number"))?;
        let (from, to) = places[self.index(index, places.len())?];
        let mut bytes = Vec::new();
        options::element(value, &mut bytes).map_err(error)?;
        self.splice(from, to, &bytes);
        Ok(())
    }

    fn slice(
        &self,
        start: Option<Value<'v>>,
        stop: Option<Value<'v>>,
        stride: Option<Value<'v>>,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        heap.alloc(self.elements(heap))
            .slice(start, stop, stride, heap)
    }

    fn iterate_collect(&self, heap: Heap<'v>) -> starlark::Result<Vec<Value<'v>>> {
        Ok(self.elements(heap))
    }

    fn equals(&self, other: Value<'v>) -> starlark::Result<bool> {
        if let Some(other) = OptionList::from_value(other) {
            return Ok(other.bytes() == self.bytes());
        }
        let others: Vec<Value> = match (ListRef::from_value(other), TupleRef::from_value(other)) {
            (Some(list), _) => list.iter().collect(),
            (_, Some(tuple)) => tuple.iter().collect(),
            _ => return Ok(false),
        };
        Heap::temp(|heap| {
            let ours = self.elements(heap);
            // Values of another heap compare by what builds them.
            let mut bytes = Vec::new();
            let built = others
                .iter()
                .try_for_each(|it| options::element(*it, &mut bytes));
            Ok(built.is_ok() && ours.len() == others.len() && bytes == self.bytes())
        })
    }

    fn is_in(&self, other: Value<'v>) -> starlark::Result<bool> {
        Heap::temp(|heap| {
            let mut wanted = Vec::new();
            if options::element(other, &mut wanted).is_err() {
                return Ok(false);
            }
            let stream = self.bytes();
            let places = self.places(heap);
            Ok(places
                .iter()
                .any(|(from, to)| stream.get(*from..*to) == Some(&wanted[..])))
        })
    }

    fn add(&self, other: Value<'v>, heap: Heap<'v>) -> Option<starlark::Result<Value<'v>>> {
        let mut all = self.elements(heap);
        match (ListRef::from_value(other), OptionList::from_value(other)) {
            (Some(list), _) => all.extend(list.iter()),
            (_, Some(list)) => all.extend(list.elements(heap)),
            _ => return None,
        }
        Some(Ok(heap.alloc(all)))
    }

    fn radd(&self, other: Value<'v>, heap: Heap<'v>) -> Option<starlark::Result<Value<'v>>> {
        let mut all: Vec<_> = ListRef::from_value(other)?.iter().collect();
        all.extend(self.elements(heap));
        Some(Ok(heap.alloc(all)))
    }
}

#[starlark_module]
fn methods(builder: &mut MethodsBuilder) {
    /// Puts an option behind all others; `insert` puts it before "end".
    fn append<'v>(
        this: &OptionList,
        #[starlark(require = pos)] option: Value<'v>,
    ) -> starlark::Result<NoneType> {
        let mut stream = this.bytes();
        options::element(option, &mut stream).map_err(error)?;
        this.replace(stream);
        Ok(NoneType)
    }

    /// Puts several options behind all others.
    fn extend<'v>(
        this: &OptionList,
        #[starlark(require = pos)] list: Value<'v>,
    ) -> starlark::Result<NoneType> {
        let mut stream = this.bytes();
        stream.extend(options::stream(list).map_err(error)?);
        this.replace(stream);
        Ok(NoneType)
    }

    /// Puts an option before the one at the index.
    fn insert<'v>(
        this: &OptionList,
        #[starlark(require = pos)] index: i32,
        #[starlark(require = pos)] option: Value<'v>,
    ) -> starlark::Result<NoneType> {
        let places = Heap::temp(|heap| this.places(heap));
        let len = places.len() as i32;
        let index = if index < 0 {
            (index + len).max(0)
        } else {
            index.min(len)
        };
        let at = places
            .get(index as usize)
            .map_or(this.bytes().len(), |it| it.0);
        let mut bytes = Vec::new();
        options::element(option, &mut bytes).map_err(error)?;
        this.splice(at, at, &bytes);
        Ok(NoneType)
    }

    /// Takes an option out, the last one unless an index is given, and returns it.
    fn pop<'v>(
        this: &OptionList,
        #[starlark(require = pos, default = -1)] index: i32,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        let all = this.elements(heap);
        let index = this.index(index, all.len())?;
        let (from, to) = this.places(heap)[index];
        this.splice(from, to, &[]);
        Ok(all[index])
    }

    /// The position of an option, by name or as it stands in the list; -1 where it is not there.
    fn index<'v>(
        this: &OptionList,
        #[starlark(require = pos)] option: Value<'v>,
        heap: Heap<'v>,
    ) -> starlark::Result<i32> {
        let name = option.unpack_str();
        for (place, it) in this.elements(heap).into_iter().enumerate() {
            let first = TupleRef::from_value(it).and_then(|it| it.content().first().copied());
            let named = name.is_some()
                && (first.and_then(|it| it.unpack_str()) == name || it.unpack_str() == name);
            if named || it.equals(option)? {
                return Ok(place as i32);
            }
        }
        Ok(-1)
    }
}
