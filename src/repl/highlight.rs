//! Colours of a line while it is typed.

use anstyle::{AnsiColor, Style as Ansi};

use super::line::{Line, WORDS, chunks, classify};
use crate::script::{help, is_command};

fn color(color: AnsiColor) -> Ansi {
    Ansi::new().fg_color(Some(color.into()))
}

/// What was typed with colours, each of its commands and statements as what it is.
pub fn highlight(text: &str) -> String {
    highlight_with(text, None)
}

/// The same with the character that begins at byte `mark` standing out, the partner of a bracket.
pub fn highlight_with(text: &str, mark: Option<usize>) -> String {
    let (mut out, mut start) = (String::new(), 0);
    for chunk in chunks(text) {
        out += &one(chunk, mark.and_then(|it| it.checked_sub(start)));
        start += chunk.len();
    }
    out
}

/// One command or statement with colours: commands and functions, layer classes, strings, numbers, comments.
fn one(line: &str, mark: Option<usize>) -> String {
    let command = matches!(
        classify(line),
        Line::Command(_) | Line::Word(..) | Line::Help(_)
    );
    let mut out = String::with_capacity(2 * line.len());
    let bytes = line.as_bytes();
    let mut at = 0;
    let mut first = true;
    while at < bytes.len() {
        let start = at;
        let ansi = match bytes[at] {
            b'#' if !command => {
                at = line[start..]
                    .find('\n')
                    .map_or(bytes.len(), |it| start + it);
                color(AnsiColor::BrightBlack)
            }
            quote @ (b'"' | b'\'') => {
                at += 1;
                while at < bytes.len() && bytes[at] != quote {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                at = (at + 1).min(bytes.len());
                color(AnsiColor::Green)
            }
            byte if byte.is_ascii_digit() && !command => {
                while at < bytes.len() && (bytes[at].is_ascii_alphanumeric() || bytes[at] == b'.') {
                    at += 1;
                }
                color(AnsiColor::Yellow)
            }
            b'-' if command => {
                while at < bytes.len() && !matches!(bytes[at], b' ' | b'=') {
                    at += 1;
                }
                color(AnsiColor::Yellow)
            }
            byte if byte.is_ascii_alphabetic() || byte == b'_' => {
                while at < bytes.len() && (bytes[at].is_ascii_alphanumeric() || bytes[at] == b'_') {
                    at += 1;
                }
                let word = line.get(start..at).unwrap_or_default();
                let ansi = match word {
                    _ if first && (is_command(word) || WORDS.iter().any(|it| it.0 == word)) => {
                        color(AnsiColor::Cyan).bold()
                    }
                    _ if command => Ansi::new(),
                    "def" | "for" | "if" | "elif" | "else" | "in" | "not" | "and" | "or"
                    | "return" | "lambda" | "load" | "pass" | "break" | "continue" | "True"
                    | "False" | "None" => color(AnsiColor::Magenta),
                    _ if help::classes().any(|it| it == word) => color(AnsiColor::Blue).bold(),
                    _ if bytes.get(at) == Some(&b'(') => color(AnsiColor::Cyan),
                    _ => Ansi::new(),
                };
                first = false;
                ansi
            }
            _ => {
                at += 1;
                while at < bytes.len() && !line.is_char_boundary(at) {
                    at += 1;
                }
                Ansi::new()
            }
        };
        // A backslash before a character of several bytes may have led into it.
        while at < bytes.len() && !line.is_char_boundary(at) {
            at += 1;
        }
        let at_end = at.min(bytes.len());
        let text = line.get(start..at_end).unwrap_or_default();
        let ansi = match mark {
            Some(mark) if mark == start && text.len() == 1 => color(AnsiColor::Blue).bold(),
            _ => ansi,
        };
        if ansi == Ansi::new() {
            out.push_str(text);
        } else {
            out.push_str(&format!("{ansi}{text}{ansi:#}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::highlight_with;

    #[test]
    fn a_partner_stands_out_among_the_colours() {
        let text = "x = 1\ny = f(\"a\", 2)";
        let plain = highlight_with(text, None);
        let marked = highlight_with(text, text.find('('));
        assert!(plain.contains("\x1b[32m\"a\"\x1b[0m"), "{plain:?}");
        assert_eq!(marked, plain.replace('(', "\x1b[1m\x1b[34m(\x1b[0m"));
        // One beyond the end, or within a word, marks nothing.
        assert_eq!(highlight_with(text, Some(99)), plain);
    }
}
