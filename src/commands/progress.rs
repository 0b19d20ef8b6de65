//! Shows that long work goes on, on standard error, when that is a terminal and standard output is not.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Frames between two updates: often enough to be seen moving, too seldom to cost anything.
const EVERY: u64 = 4096;

/// A progress bar, or nothing where nobody would see it.
pub struct Progress(Option<ProgressBar>);

impl Progress {
    /// Progress through the file called `name`; a count alone where the size is not known.
    pub fn reading(name: &str) -> Self {
        if !std::io::stderr().is_terminal() || std::io::stdout().is_terminal() {
            return Progress(None);
        }
        Progress(Some(bar(name)))
    }

    /// As [`Progress::reading`], for work that prints nothing.
    pub fn converting(name: &str) -> Self {
        Progress(std::io::stderr().is_terminal().then(|| bar(name)))
    }

    /// `frames` are done, `bytes` of the file read.
    pub fn at(&self, frames: u64, bytes: u64) {
        if let Some(bar) = &self.0
            && frames.is_multiple_of(EVERY)
        {
            bar.set_position(bytes);
            bar.set_message(format!("{frames} frames"));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

fn bar(name: &str) -> ProgressBar {
    let size = std::fs::metadata(name).map(|it| it.len()).unwrap_or(0);
    let bar = ProgressBar::with_draw_target(
        Some(size).filter(|it| *it > 0),
        ProgressDrawTarget::stderr(),
    );
    let template = "{bar:30} {percent}% {msg} {bytes_per_sec} eta {eta}";
    bar.set_style(
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    bar
}
