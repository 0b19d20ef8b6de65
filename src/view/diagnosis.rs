//! Why an exchange failed: a line for each cause, the likeliest first, with its frames and the next step.

use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value as Json, json};

use super::{Style, escape, lookup};
use crate::commands::diagnosis::{Cause, Likelihood};
use crate::commands::outcome::Ending;

/// `likely, frames 2 and 5 of fail.pcapng`; nothing of a cause that is certain and rests on no frame.
fn basis(cause: &Cause, capture: Option<&Path>) -> String {
    let mut parts = Vec::new();
    if cause.likelihood != Likelihood::Certain {
        parts.push(cause.likelihood.name().to_string());
    }
    let numbers: Vec<String> = cause.frames.iter().map(u64::to_string).collect();
    let file = capture
        .and_then(Path::file_name)
        .map_or(String::new(), |it| {
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
    if capture.is_none() && causes.iter().any(|it| !it.frames.is_empty()) {
        writeln!(
            out,
            "{}",
            style.dim("  (-w FILE.pcapng keeps these frames)")
        )?;
    }
    Ok(())
}

/// Causes as plain lines for a report, each with its next step; the frames stand beside them.
pub fn lines(causes: &[Cause]) -> String {
    let mut lines = Vec::new();
    for it in causes {
        let word = match it.likelihood {
            Likelihood::Certain => String::new(),
            other => format!(" ({})", other.name()),
        };
        lines.push(format!("- {}{word}", escape(&it.text)));
        if !it.next.is_empty() {
            lines.push(format!("  next: {}", escape(&it.next)));
        }
    }
    lines.join("\n")
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

/// How an exchange failed, as JSON: `ending code`, of silence `waited tries`, and `causes`. Nothing of one
/// that did not.
pub fn ending_json(ending: &Ending) -> Option<Json> {
    if matches!(
        ending,
        Ending::Done | Ending::Bound | Ending::Interrupted | Ending::Stopped
    ) {
        return None;
    }
    let mut all = json!({
        "ending": ending.name(),
        "code": ending.exit_code(),
        "causes": ending.causes().iter().map(cause_json).collect::<Vec<_>>(),
    });
    if let (Ending::NoReply(it), Some(map)) = (ending, all.as_object_mut()) {
        map.insert("waited".into(), json!(it.waited.as_secs_f64()));
        map.insert("tries".into(), json!(it.tries));
    }
    Some(all)
}
