//! Width and colours.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::fmt::Write;
use std::io::IsTerminal;
use std::net::Ipv4Addr;

use anstyle::{AnsiColor, Style as Ansi};
use comfy_table::Table;

use crate::commands::args::ColorChoice;
use crate::dhcp::enums::*;

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

pub(super) const BOLD: Ansi = Ansi::new().bold();
pub(super) const DIM: Ansi = Ansi::new().dimmed();
pub(super) const WARN: Ansi = Ansi::new()
    .fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red)))
    .bold();
pub(super) const NAME: Ansi = Ansi::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Cyan)));

impl Style {
    /// The style for this process: [`Style::decide`] with its environment and terminal.
    pub fn detect(choice: ColorChoice, terminal: bool) -> Self {
        let no_color = std::env::var_os("NO_COLOR");
        let columns = std::env::var("COLUMNS").ok();
        let size = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
        let actual = if terminal { size() } else { None };
        Style::decide(
            choice,
            no_color.as_deref(),
            columns.as_deref(),
            actual,
            terminal,
        )
    }

    /// Colours on a terminal unless `no_color` (the variable `NO_COLOR`) holds something; as many columns
    /// as the variable `COLUMNS` says, else as the terminal has, else 100; 40 at least, 1000 at most.
    pub fn decide(
        choice: ColorChoice,
        no_color: Option<&OsStr>,
        columns: Option<&str>,
        actual: Option<usize>,
        terminal: bool,
    ) -> Self {
        let color = match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => terminal && no_color.is_none_or(OsStr::is_empty),
        };
        let width = columns
            .and_then(|it| it.trim().parse().ok())
            .filter(|it| *it > 0)
            .or(actual)
            .unwrap_or(PIPE_WIDTH)
            .clamp(40, 1000);
        Style { color, width }
    }

    pub(super) fn paint(&self, ansi: Ansi, text: &str) -> String {
        match self.color {
            true => format!("{ansi}{text}{ansi:#}"),
            false => text.to_string(),
        }
    }

    /// Appends painted text.
    pub(super) fn push(&self, out: &mut String, ansi: Ansi, text: &str) {
        match self.color && !text.is_empty() {
            true => {
                let _ = write!(out, "{ansi}{text}{ansi:#}");
            }
            false => out.push_str(text),
        }
    }

    pub(super) fn bold(&self, text: &str) -> String {
        self.paint(BOLD, text)
    }

    pub(super) fn dim(&self, text: &str) -> String {
        self.paint(DIM, text)
    }

    pub(super) fn name(&self, text: &str) -> String {
        self.paint(NAME, text)
    }

    /// The name of a message type: what a client sends cyan, what a server grants green, refusals red.
    pub(super) fn kind(&self, message_type: Option<u8>, text: &str) -> String {
        let color = match message_type {
            Some(DISCOVER | REQUEST | INFORM) => AnsiColor::Cyan,
            Some(OFFER | ACK) => AnsiColor::Green,
            Some(NAK | DECLINE) => AnsiColor::Red,
            Some(RELEASE) => AnsiColor::Yellow,
            _ => return text.to_string(),
        };
        self.paint(Ansi::new().fg_color(Some(color.into())).bold(), text)
    }
}

/// Columns that escaped text without colours takes on a terminal, East Asian wide characters counted
/// twice as in the tables.
pub(super) fn columns(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    // A line that was cut before.
    if text.chars().all(|it| it.is_ascii() || it == '…') {
        return text.chars().count();
    }
    let mut table = Table::new();
    table.add_row([text]);
    let widths = table.column_max_content_widths();
    widths.first().copied().map_or(0, usize::from)
}

/// Columns of the terminal that notices on standard error go to; `None` where that is no terminal, and a line stays one
/// line for whoever searches it.
pub fn notice_width() -> Option<usize> {
    let terminal = std::io::stderr().is_terminal();
    terminal.then(|| Style::detect(ColorChoice::Never, true).width)
}

/// A text with those of its lines broken at words that are wider than a terminal, what follows on the next line set in.
pub fn hang(text: &str, width: Option<usize>) -> Cow<'_, str> {
    let Some(width) = width else {
        return Cow::Borrowed(text);
    };
    if text.lines().all(|it| columns(it) <= width) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for (index, mut rest) in text.lines().enumerate() {
        if index > 0 {
            out.push('\n');
        }
        let indent = 2 + rest.len() - rest.trim_start().len();
        let indent = indent.min(width / 2);
        let mut room = width;
        while columns(rest) > room {
            out.push_str(take_words(&mut rest, room).trim_end());
            rest = rest.trim_start();
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent));
            room = width - indent;
        }
        out.push_str(rest);
    }
    Cow::Owned(out)
}

/// How many bytes at the front of `text` fit into `room` columns; one character at least.
pub(super) fn fitting(text: &str, room: usize) -> usize {
    if text.len() <= room {
        return text.len();
    }
    let mut used = 0;
    for (index, c) in text.char_indices() {
        used += match c.is_ascii() {
            true => 1,
            false => columns(c.encode_utf8(&mut [0; 4])),
        };
        if used > room && index > 0 {
            return index;
        }
    }
    text.len()
}

/// Takes a line of at most `room` columns off the front of `rest`, up to a comma or a space if it has
/// one.
pub(super) fn take_line<'a>(rest: &mut &'a str, room: usize) -> &'a str {
    take_until(rest, room, &[',', ' '])
}

/// Takes a line of at most `room` columns off the front of `rest`, up to a space if it has one.
pub(super) fn take_words<'a>(rest: &mut &'a str, room: usize) -> &'a str {
    take_until(rest, room, &[' '])
}

fn take_until<'a>(rest: &mut &'a str, room: usize, stops: &[char]) -> &'a str {
    let mut end = fitting(rest, room);
    // The blank behind a word needs no room.
    if end < rest.len()
        && !rest.get(end..).is_some_and(|it| it.starts_with(' '))
        && let Some(stop) = rest.get(..end).and_then(|line| line.rfind(stops))
    {
        end = stop + 1;
    }
    let (line, tail) = rest.split_at_checked(end).unwrap_or((rest, ""));
    *rest = tail.strip_prefix(' ').unwrap_or(tail);
    line
}

/// The text, or as much of it as fits into `room` columns with an ellipsis at its end.
pub(super) fn cut(text: &str, room: usize) -> Cow<'_, str> {
    if text.len() <= room || columns(text) <= room {
        return Cow::Borrowed(text);
    }
    let line = match room {
        0 | 1 => "",
        room => text.get(..fitting(text, room - 1)).unwrap_or_default(),
    };
    Cow::Owned(format!("{}…", line.trim_end()))
}

/// Appends bytes in hexadecimal.
pub(super) fn push_hex(out: &mut String, bytes: &[u8]) {
    let mut digits = [0; 256];
    for chunk in bytes.chunks(digits.len() / 2) {
        let Some(place) = digits.get_mut(..2 * chunk.len()) else {
            continue;
        };
        if hex::encode_to_slice(chunk, place).is_ok() {
            out.push_str(std::str::from_utf8(place).unwrap_or_default());
        }
    }
}

/// Appends a number in decimal; what a frame's line or tree is mostly made of, so without the
/// machinery of formatting.
pub(super) fn push_number(out: &mut String, number: u64) {
    let mut digits = [b'0'; 20];
    let mut rest = number;
    let mut start = digits.len();
    for (index, digit) in digits.iter_mut().enumerate().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
        start = index;
        if rest == 0 {
            break;
        }
    }
    let digits = digits.get(start..).unwrap_or_default();
    out.push_str(std::str::from_utf8(digits).unwrap_or_default());
}

/// Appends an IPv4 address.
pub(super) fn push_ip(out: &mut String, ip: Ipv4Addr) {
    for (index, octet) in ip.octets().into_iter().enumerate() {
        if index > 0 {
            out.push('.');
        }
        push_number(out, u64::from(octet));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_fits_the_terminal_and_is_whole_elsewhere() {
        let text = "lab:two-servers: a second server, 192.0.2.66, offers 192.0.2.200 and another router; nothing left";
        assert_eq!(hang(text, None), text);
        assert_eq!(hang("short  with gaps", Some(40)), "short  with gaps");
        let lines = hang(text, Some(40));
        assert!(lines.lines().all(|it| it.len() <= 40), "{lines}");
        assert!(
            lines
                .lines()
                .skip(1)
                .all(|it| it.starts_with("  ") && !it.starts_with("   "))
        );
        assert_eq!(lines.replace("\n  ", " "), text);
        // Each line by itself, further in than it begins; a word that is too long is cut.
        let lines = hang(
            "a\n    some words that need more than one line here\nb",
            Some(40),
        );
        let wanted = "a\n    some words that need more than one\n      line here\nb";
        assert_eq!(lines, wanted);
        let lines = hang("0123456789012345678901234567890123456789x", Some(40));
        assert_eq!(lines, "0123456789012345678901234567890123456789\n  x");
    }
}
