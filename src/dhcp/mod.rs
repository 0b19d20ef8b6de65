//! Meaning: the option dictionary, typed values, messages and their templates.

pub mod layout;
pub mod message;

pub use layout::Overload;
pub use message::{Joined, Message, Place};
