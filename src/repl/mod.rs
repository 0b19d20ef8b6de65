//! The prompt: commands without brackets and the language side by side, with a memory of what was said.
//!
//! `prompt` reads lines and runs them; `line` tells what a line is; `complete`, `highlight` and
//! `hint` help while it is typed; `words` are what only a prompt has: `help`, `replies`, `save` …

mod complete;
mod helper;
mod highlight;
mod hint;
mod line;
mod prompt;
mod words;

pub use complete::{Completions, complete};
pub use highlight::highlight;
pub use line::{Line, as_call, classify};
pub use prompt::run;
