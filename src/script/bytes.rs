//! Bytes as Python has them: `b"…"`, `bytes(…)`, `hex("…")`.

use std::cmp::Ordering;
use std::fmt::{self, Write};

use allocative::Allocative;
use starlark::collections::StarlarkHasher;
use starlark::environment::{Methods, MethodsBuilder};
use starlark::values::bytes::StarlarkBytes;
use starlark::values::list::ListRef;
use starlark::values::{
    Heap, NoSerialize, ProvidesStaticType, StarlarkValue, UnpackValue, Value, ValueError,
    starlark_value,
};
use starlark::{methods_static, starlark_module, starlark_simple_value};

/// A value of bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, ProvidesStaticType, NoSerialize, Allocative)]
pub struct Bytes(Vec<u8>);

starlark_simple_value!(Bytes);

impl Bytes {
    /// A value of these bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Bytes(bytes.into())
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }

    /// The bytes of a value that is bytes.
    pub fn of(value: Value) -> Option<Vec<u8>> {
        match (Bytes::from_value(value), StarlarkBytes::from_value(value)) {
            (Some(bytes), _) => Some(bytes.0.clone()),
            (_, Some(bytes)) => Some(bytes.as_bytes().to_vec()),
            _ => None,
        }
    }

    /// What `bytes(VALUE)` gives: of text its UTF-8, of a list its numbers, of a number so many zeros.
    pub fn from(value: Value) -> Result<Vec<u8>, String> {
        if let Some(bytes) = Bytes::of(value) {
            return Ok(bytes);
        }
        if let Some(text) = value.unpack_str() {
            return Ok(text.as_bytes().to_vec());
        }
        if let Some(len) = value.unpack_i32() {
            return match usize::try_from(len) {
                Ok(len) if len <= 1 << 24 => Ok(vec![0; len]),
                _ => Err(format!("{len} is no number of bytes")),
            };
        }
        let byte = |it: Value| it.unpack_i32().and_then(|it| u8::try_from(it).ok());
        let all = ListRef::from_value(value)
            .map(|list| list.iter().map(byte).collect::<Option<Vec<u8>>>());
        match all {
            Some(Some(bytes)) => Ok(bytes),
            Some(None) => Err("bytes are numbers from 0 to 255".into()),
            None => Err(format!(
                "bytes are made of a packet, text, a list or a number, not of {}",
                value.get_type()
            )),
        }
    }

    fn index(&self, index: Value) -> starlark::Result<usize> {
        let len = self.0.len() as i64;
        let at = i64::from(
            index
                .unpack_i32()
                .ok_or_else(|| ValueError::IncorrectParameterTypeNamed("index".into()))?,
        );
        let place = if at < 0 { at + len } else { at };
        match usize::try_from(place) {
            Ok(place) if place < self.0.len() => Ok(place),
            _ => Err(ValueError::IndexOutOfBound(at as i32).into()),
        }
    }
}

/// As a literal that reads back as the same bytes.
impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.len() > 8 && self.0.iter().all(|it| *it == 0) {
            return write!(f, "bytes({})", self.0.len());
        }
        f.write_str("b\"")?;
        for byte in &self.0 {
            match byte {
                b'"' | b'\\' => write!(f, "\\{}", char::from(*byte))?,
                b' '..=b'~' => f.write_char(char::from(*byte))?,
                byte => write!(f, "\\x{byte:02x}")?,
            }
        }
        f.write_char('"')
    }
}

methods_static!(BYTES_METHODS = methods);

#[starlark_value(type = "bytes")]
impl<'v> StarlarkValue<'v> for Bytes {
    fn get_methods() -> Option<&'static Methods> {
        Some(BYTES_METHODS.methods())
    }

    fn to_bool(&self) -> bool {
        !self.0.is_empty()
    }

    fn write_hash(&self, hasher: &mut StarlarkHasher) -> starlark::Result<()> {
        std::hash::Hash::hash(&self.0, hasher);
        Ok(())
    }

    fn equals(&self, other: Value<'v>) -> starlark::Result<bool> {
        Ok(Bytes::of(other).is_some_and(|it| it == self.0))
    }

    fn compare(&self, other: Value<'v>) -> starlark::Result<Ordering> {
        match Bytes::of(other) {
            Some(other) => Ok(self.0.cmp(&other)),
            None => ValueError::unsupported_with(self, "compare", other),
        }
    }

    fn length(&self) -> starlark::Result<i32> {
        Ok(self.0.len() as i32)
    }

    fn at(&self, index: Value<'v>, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        Ok(heap.alloc(i32::from(self.0[self.index(index)?])))
    }

    fn slice(
        &self,
        start: Option<Value<'v>>,
        stop: Option<Value<'v>>,
        stride: Option<Value<'v>>,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        let len = self.0.len() as i64;
        let number = |it: Option<Value>| {
            it.filter(|it| !it.is_none())
                .and_then(|it| it.unpack_i32())
                .map(i64::from)
        };
        let step = number(stride).unwrap_or(1);
        if step == 0 {
            return Err(super::error("a slice cannot take steps of 0"));
        }
        let (low, high) = if step > 0 { (0, len) } else { (-1, len - 1) };
        let place = |it: Option<i64>, default: i64| match it {
            Some(it) if it < 0 => (it + len).clamp(low, high),
            Some(it) => it.clamp(low, high),
            None => default,
        };
        let (from, to) = if step > 0 { (low, high) } else { (high, low) };
        let (mut at, end) = (place(number(start), from), place(number(stop), to));
        let mut out = Vec::new();
        while (step > 0 && at < end) || (step < 0 && at > end) {
            out.extend(usize::try_from(at).ok().and_then(|at| self.0.get(at)));
            at += step;
        }
        Ok(heap.alloc(Bytes(out)))
    }

    fn is_in(&self, other: Value<'v>) -> starlark::Result<bool> {
        if let Some(byte) = other.unpack_i32() {
            return Ok(u8::try_from(byte).is_ok_and(|it| self.0.contains(&it)));
        }
        match Bytes::of(other) {
            Some(part) if part.is_empty() => Ok(true),
            Some(part) => Ok(self.0.windows(part.len()).any(|it| it == part)),
            None => ValueError::unsupported_with(self, "in", other),
        }
    }

    fn add(&self, other: Value<'v>, heap: Heap<'v>) -> Option<starlark::Result<Value<'v>>> {
        let other = Bytes::of(other)?;
        Some(Ok(heap.alloc(Bytes([self.0.as_slice(), &other].concat()))))
    }

    fn mul(&self, other: Value<'v>, heap: Heap<'v>) -> Option<starlark::Result<Value<'v>>> {
        // A number beyond the small ones is too large, or negative.
        let times = match other.unpack_i32() {
            Some(times) => usize::try_from(times.max(0)).ok()?,
            None if other.get_type() == "int" && other.to_str().starts_with('-') => 0,
            None if other.get_type() == "int" => usize::MAX,
            None => return None,
        };
        if times.saturating_mul(self.0.len()) > 1 << 24 {
            return Some(Err(super::error("more than 16 MiB of bytes")));
        }
        Some(Ok(heap.alloc(Bytes(self.0.repeat(times)))))
    }

    fn rmul(&self, other: Value<'v>, heap: Heap<'v>) -> Option<starlark::Result<Value<'v>>> {
        self.mul(other, heap)
    }

    fn iterate_collect(&self, heap: Heap<'v>) -> starlark::Result<Vec<Value<'v>>> {
        Ok(self.0.iter().map(|it| heap.alloc(i32::from(*it))).collect())
    }
}

/// Something that bytes may begin with: bytes, or text as UTF-8.
struct Part(Vec<u8>);

impl starlark::values::type_repr::StarlarkTypeRepr for Part {
    type Canonical = Self;
    fn starlark_type_repr() -> starlark::typing::Ty {
        starlark::typing::Ty::any()
    }
}

impl<'v> UnpackValue<'v> for Part {
    type Error = std::convert::Infallible;
    fn unpack_value_impl(value: Value<'v>) -> Result<Option<Self>, Self::Error> {
        let text = || value.unpack_str().map(|it| it.as_bytes().to_vec());
        Ok(Bytes::of(value).or_else(text).map(Part))
    }
}

#[starlark_module]
fn methods(builder: &mut MethodsBuilder) {
    /// The bytes as hexadecimal digits: `b"\x01\xff".hex()` is `"01ff"`.
    fn hex(this: &Bytes) -> anyhow::Result<String> {
        Ok(hex::encode(&this.0))
    }

    /// The bytes as text; what is no UTF-8 becomes U+FFFD.
    fn decode(this: &Bytes) -> anyhow::Result<String> {
        Ok(String::from_utf8_lossy(&this.0).into_owned())
    }

    /// Whether the bytes begin like this.
    fn startswith(this: &Bytes, #[starlark(require = pos)] part: Part) -> anyhow::Result<bool> {
        Ok(this.0.starts_with(&part.0))
    }

    /// Whether the bytes end like this.
    fn endswith(this: &Bytes, #[starlark(require = pos)] part: Part) -> anyhow::Result<bool> {
        Ok(this.0.ends_with(&part.0))
    }

    /// Where the part begins, or -1.
    fn find(this: &Bytes, #[starlark(require = pos)] part: Part) -> anyhow::Result<i32> {
        let place = match part.0.len() {
            0 => Some(0),
            len => this.0.windows(len).position(|it| it == part.0),
        };
        Ok(place.map_or(-1, |it| it as i32))
    }
}
