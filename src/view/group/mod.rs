//! Frames with their exchanges, and the clients that were seen: a row each, and as JSON.

mod json;
mod line;
mod table;

use anstyle::AnsiColor;

use super::Style;
use crate::talk::observer::{Observed, State};

pub use json::client_json;
pub(super) use line::{below, line};
pub(super) use table::table;

fn colour(style: &Style, state: State, text: &str) -> String {
    let colour = match state {
        State::Bound => AnsiColor::Green,
        State::Init => AnsiColor::Yellow,
        _ => return style.bold(text),
    };
    style.paint(
        anstyle::Style::new().fg_color(Some(colour.into())).bold(),
        text,
    )
}

/// What is notable about a client, each in a few words; `2x` where it happened again.
fn notes(it: &Observed) -> Vec<String> {
    let told = it.notes.iter().map(|(note, count)| match count {
        1 => note.to_string(),
        count => format!("{count}x {note}"),
    });
    told.collect()
}
