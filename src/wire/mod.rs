//! Bytes: the layers of a frame, decoded totally and encoded exactly.
//!
//! Two laws hold here. *Lossless*: [`Frame::decode`] takes any bytes, and encoding what it gives
//! returns those bytes. *Unset is computed, set is verbatim*: an [`Auto`] field that nobody set is
//! computed when the frame is encoded, one that was set goes out as it is.
//!
//! This floor knows where an option begins and ends, and nothing of what it means.

mod auto;
mod decode;
mod encode;
mod fields;
mod frame;
mod layers;
mod options;

pub use auto::Auto;
pub use encode::Computed;
pub use fields::{FIELDS, FieldError, FieldKind, FieldSpec, FieldValue};
pub use frame::{Frame, Layer, ether_addresses, link_type};
pub use layers::*;
pub use options::{END, ItemKind, OptionItem, Options, PAD, push_option};
pub use pnet::util::MacAddr;
