//! The prompt: commands without brackets and the language side by side, with a memory of what was said.
//!
//! `prompt` reads lines and runs them; `line` tells what a line is; [`complete`], [`highlight`] and `hint`
//! help while it is typed; `words` are what only a prompt has: `replies`, `set` …, with `topics` for
//! `help` and `save` for scripts made of a conversation.

mod complete;
mod helper;
mod highlight;
mod hint;
mod history;
mod line;
mod prompt;
mod save;
mod topics;
mod words;

pub use complete::{Completions, Names, complete};
pub use highlight::highlight;
pub use line::{Line, as_call, classify};
pub use prompt::run;
