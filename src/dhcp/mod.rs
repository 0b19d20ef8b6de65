//! Meaning: the option dictionary, typed values, messages and their templates.

pub mod assign;
pub mod comparison;
pub mod delivery;
pub mod difference;
pub mod enums;
pub mod following;
pub mod glossary;
pub mod layout;
pub mod lint;
pub mod message;
pub mod options;
pub mod relay;
pub mod rewrite;
pub mod suboptions;
pub mod template;
pub mod timers;
pub mod value;

pub use layout::Overload;
pub use message::{Joined, Message, Place};
