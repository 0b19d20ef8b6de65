//! Width and colours.

use anstyle::{AnsiColor, Style as Ansi};

use crate::commands::args::ColorChoice;

/// How wide and how colourful to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether to print colours.
    pub color: bool,
    /// Columns.
    pub width: usize,
}

/// Columns where nobody says how many there are.
const PIPE_WIDTH: usize = 100;

impl Style {
    /// Colours on a terminal unless `NO_COLOR` is set to something; the width of `COLUMNS`, else of the
    /// terminal.
    pub fn detect(choice: ColorChoice, terminal: bool) -> Self {
        let color = match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => {
                terminal && std::env::var_os("NO_COLOR").is_none_or(|it| it.is_empty())
            }
        };
        let columns = std::env::var("COLUMNS").ok().and_then(|it| it.parse().ok());
        let size = || match terminal {
            true => terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)),
            false => None,
        };
        let width = columns.or_else(size).unwrap_or(PIPE_WIDTH).clamp(40, 1000);
        Style { color, width }
    }

    pub(super) fn paint(&self, ansi: Ansi, text: &str) -> String {
        match self.color {
            true => format!("{ansi}{text}{ansi:#}"),
            false => text.to_string(),
        }
    }

    pub(super) fn bold(&self, text: &str) -> String {
        self.paint(Ansi::new().bold(), text)
    }

    pub(super) fn dim(&self, text: &str) -> String {
        self.paint(Ansi::new().dimmed(), text)
    }

    pub(super) fn warn(&self, text: &str) -> String {
        self.paint(
            Ansi::new().fg_color(Some(AnsiColor::Red.into())).bold(),
            text,
        )
    }

    pub(super) fn name(&self, text: &str) -> String {
        self.paint(Ansi::new().fg_color(Some(AnsiColor::Cyan.into())), text)
    }
}
