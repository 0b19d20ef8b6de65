//! What is shown in grey behind the cursor: the rest of an earlier line, or what a function takes.

use crate::script::help;

/// The parameters that are still to come, while a call has just been opened.
pub fn signature(line: &str) -> Option<String> {
    let before = line.strip_suffix('(')?;
    let start = before
        .rfind(|it: char| !it.is_alphanumeric() && it != '_')
        .map_or(0, |it| it + 1);
    let name = before.get(start..)?;
    let signature = help::signature(name)?;
    let inner = signature.strip_prefix(name)?.strip_prefix('(')?;
    Some(inner.to_string())
}
