//! dhcpcraft: interactive packet crafting for DHCPv4, in floors.
//!
//! Each floor uses only those below it:
//!
//! | floor | what |
//! | --- | --- |
//! | [`wire`] | bytes: layers, frames, the option stream; lossless, knows no option's meaning |
//! | [`dhcp`] | meaning: the option dictionary, typed values, messages and their templates |
//! | [`link`] | frames in and out: interfaces, captures, the segment inside the process, recording |
//! | [`talk`] | players without clock, chance or socket: client, server, host; the driver that runs them |
//! | [`commands`] | one file per command: arguments in, entries and an outcome out |
//! | [`view`] | entries and outcomes as tables, trees, ladders, hexdumps, JSON, command lines |
//! | [`script`] | Starlark: packets as values, every command a function, expectations |
//! | [`repl`] | the prompt: completion, hints, a memory of the conversation |
//!
//! `dhcp` and `link` do not know each other.
//!
//! A `discover` goes like this: [`commands::message`] asks [`dhcp::template`] for a draft, puts the
//! user's fields and options on it and has [`wire`] make the frame; [`talk::Sender`] sends it through a
//! [`link::Link`] and tells answers from strays; the session turns what happened into
//! [`commands::outcome::Entry`]s; [`view::View`] prints them.

pub mod commands;
pub mod dhcp;
pub mod link;
pub mod repl;
// Starlark's derive macros mark its values by implementing an unsafe trait; nothing here is unsafe by hand.
#[allow(unsafe_code)]
pub mod script;
pub mod talk;
pub mod view;
pub mod wire;
