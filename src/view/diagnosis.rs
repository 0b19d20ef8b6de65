//! Why an exchange failed: a line for each cause, the likeliest first, with its frames and the next step.

use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value as Json, json};

use super::{Style, escape, lookup};
use crate::commands::diagnosis::{Cause, Likelihood};

/// `likely, frames 2 and 5 of fail.pcapng`; nothing of a cause that is certain and rests on no frame.
fn basis(cause: &Cause, capture: Option<&Path>) -> String {
    let mut parts = Vec::new();
    if cause.likelihood != Likelihood::Certain {
        parts.push(cause.likelihood.name().to_string());
    }
    let numbers: Vec<String> = cause.frames.iter().map(u64::to_string).collect();
    let file = capture.and_then(Path::file_name).map_or(String::new(), |it| {
        format!(" of {}", escape(&it.to_string_lossy()))
    });
    match &numbers[..] {
        [] => {}
        [one] => parts.push(format!("frame {one}{file}")),
        [first @ .., last] => parts.push(format!("frames {} and {last}{file}", first.join(", "))),
    }
    parts.join(", ")
}

/// Prints causes below what failed. `capture` is the file in which the frames are.
pub fn causes(
    out: &mut dyn Write,
    causes: &[Cause],
    capture: Option<&Path>,
    style: &Style,
) -> io::Result<()> {
    for cause in causes {
        let text = match basis(cause, capture) {
            basis if basis.is_empty() => escape(&cause.text),
            basis => format!("{} ({basis})", escape(&cause.text)),
        };
        let text = lookup::wrap(&text, 4, style);
        writeln!(out, "  - {}", text.trim_start())?;
        if !cause.next.is_empty() {
            let next = lookup::wrap(&format!("next: {}", escape(&cause.next)), 6, style);
            writeln!(out, "{}", style.dim(&next))?;
        }
    }
    Ok(())
}

/// A cause as JSON: `id likelihood text next frames`.
pub fn cause_json(cause: &Cause) -> Json {
    json!({
        "id": cause.id,
        "likelihood": cause.likelihood.name(),
        "text": cause.text,
        "next": cause.next,
        "frames": cause.frames,
    })
}
