//! Typed values: one definition per type gives text, bytes and JSON.
//!
//! A type is a [`Shape`]: a scalar, a list, a record, a table of sub-options, or one of a few forms of
//! their own. Reading and writing in each of the three notations walk the same shape.

mod bytes;
mod forms;
mod json;
mod shape;
mod text;
pub mod types;

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

pub use shape::{EnumTable, Shape, SubOption, SubTable};
pub use text::{escape_into, split};
pub use types::{TYPES, ValueType};

/// What a value holds; its shape says how to read it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Data {
    Empty,
    Uint(u64),
    Int(i64),
    Ip(Ipv4Addr),
    Ipv6(Ipv6Addr),
    /// Strings and opaque bytes.
    Bytes(Vec<u8>),
    /// The labels of a domain name.
    Name(Vec<String>),
    List(Vec<Data>),
    /// As many as are there: optional fields at the end may be missing.
    Record(Vec<Data>),
    /// Sub-options by code.
    Tlv(Vec<(u8, Data)>),
    /// The second of two forms.
    Other(Box<Data>),
}

/// A value with its type.
#[derive(Clone, Debug)]
pub struct Value {
    shape: &'static Shape,
    data: Data,
}

/// Why a text, bytes or JSON are no value of a type: what is wrong, where, and what is expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ValueError(pub String);

impl ValueError {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        ValueError(text.into())
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.shape, other.shape) && self.data == other.data
    }
}

impl Value {
    /// Appends the value's bytes. Fails where a length does not fit its length byte.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), ValueError> {
        bytes::encode(self.shape, &self.data, out)
    }

    /// The value as JSON.
    pub fn json(&self) -> serde_json::Value {
        json::write(self.shape, &self.data)
    }

    /// The parts of a record or of sub-options with their names, for a field tree; empty for others.
    pub fn parts(&self) -> Vec<(String, Value)> {
        match (self.shape, &self.data) {
            (Shape::Record(fields, _), Data::Record(parts)) => fields
                .iter()
                .zip(parts)
                .map(|((name, shape), data)| {
                    (
                        name.to_string(),
                        Value {
                            shape,
                            data: data.clone(),
                        },
                    )
                })
                .collect(),
            (Shape::Tlv(table), Data::Tlv(items)) => items
                .iter()
                .map(|(code, data)| {
                    let (name, shape) = table.row(*code);
                    let name = name.map_or_else(|| code.to_string(), |it| format!("{it} ({code})"));
                    (
                        name,
                        Value {
                            shape,
                            data: data.clone(),
                        },
                    )
                })
                .collect(),
            _ => Vec::new(),
        }
    }
}

/// The text that [`ValueType::parse`] reads. It holds no control characters and nothing invisible.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::new();
        text::write(self.shape, &self.data, true, &mut out);
        f.write_str(&out)
    }
}

impl ValueType {
    /// Reads a value from its text.
    pub fn parse(self, text: &str) -> Result<Value, ValueError> {
        let data = text::read(self.shape(), text.trim(), true)?;
        Ok(Value {
            shape: self.shape(),
            data,
        })
    }

    /// Reads a value from bytes. Total; `Err` says why the bytes do not fit the type.
    pub fn decode(self, data: &[u8]) -> Result<Value, ValueError> {
        let data = bytes::decode(self.shape(), data)?;
        Ok(Value {
            shape: self.shape(),
            data,
        })
    }

    /// Reads a value from JSON.
    pub fn from_json(self, json: &serde_json::Value) -> Result<Value, ValueError> {
        let data = json::read(self.shape(), json)?;
        Ok(Value {
            shape: self.shape(),
            data,
        })
    }
}
