//! Source as people paste it: Scapy's import lines, `del`, bytes, and lines that are not finished yet.

/// A piece of source, for looking at code apart from strings and comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// What is executed.
    Code,
    /// A string literal from its prefix to its closing quote; whether it closes.
    Text(bool),
    /// From `#` to the end of the line.
    Comment,
}

/// Splits source into code, string literals and comments.
pub fn pieces(source: &str) -> Vec<(Piece, &str)> {
    let bytes = source.as_bytes();
    let mut out = Vec::new();
    let (mut start, mut at) = (0, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'#' => {
                let end = source[at..].find('\n').map_or(bytes.len(), |it| at + it);
                out.push((Piece::Code, &source[start..at]));
                out.push((Piece::Comment, &source[at..end]));
                (start, at) = (end, end);
            }
            b'"' | b'\'' => {
                let quote = bytes[at];
                // r, b, f and their pairs belong to the literal.
                let mut first = at;
                while first > start && at - first < 2 && b"rRbBfF".contains(&bytes[first - 1]) {
                    first -= 1;
                }
                let before = first.checked_sub(1).map(|it| bytes[it]);
                if before.is_some_and(|it| it.is_ascii_alphanumeric() || it == b'_') {
                    first = at;
                }
                let raw = source[first..at].contains(['r', 'R']);
                let triple = bytes.get(at..at + 3) == Some(&[quote; 3]);
                let (end, closed) = literal_end(bytes, at, quote, triple, raw);
                out.push((Piece::Code, &source[start..first]));
                out.push((Piece::Text(closed), &source[first..end]));
                (start, at) = (end, end);
            }
            _ => at += 1,
        }
    }
    out.push((Piece::Code, &source[start..]));
    out
}

/// Source of the same length with quotes in place of string literals and blanks in place of comments, so that its brackets
/// and names are those of code. Lines end where they did.
pub fn masked(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    for (kind, text) in pieces(source) {
        let instead = match kind {
            Piece::Code => {
                out.push_str(text);
                continue;
            }
            Piece::Text(_) => '"',
            Piece::Comment => ' ',
        };
        let bytes = text.bytes();
        out.extend(bytes.map(|it| if it == b'\n' { '\n' } else { instead }));
    }
    out
}

fn literal_end(bytes: &[u8], start: usize, quote: u8, triple: bool, raw: bool) -> (usize, bool) {
    let mut at = start + if triple { 3 } else { 1 };
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' if !raw || bytes.get(at + 1) == Some(&quote) => at += 2,
            b'\n' if !triple => return (at, false),
            byte if *byte == quote && !triple => return (at + 1, true),
            byte if *byte == quote && bytes.get(at..at + 3) == Some(&[quote; 3]) => {
                return (at + 3, true);
            }
            _ => at += 1,
        }
    }
    (bytes.len(), false)
}

/// The source that the Starlark parser gets: line for line the same, with Scapy's imports left out,
/// `del pkt.field` as `pkt.field = None`, and bytes literals as values that have `.hex()`.
pub fn prepare(source: &str) -> String {
    let mut out = String::with_capacity(source.len() + 16);
    let mut in_brackets = 0i32;
    for (kind, text) in pieces(source) {
        match kind {
            Piece::Text(_) if is_bytes(text) => {
                out.push_str("bytes(");
                out.push_str(text);
                out.push(')');
            }
            Piece::Code => {
                for line in text.split_inclusive('\n') {
                    let fresh = out.is_empty() || out.ends_with('\n');
                    let first = fresh && in_brackets == 0;
                    let line = if first { statement(line) } else { line.into() };
                    out.push_str(&no_load(&line, first));
                    in_brackets += depth(&line);
                }
            }
            _ => out.push_str(text),
        }
    }
    out
}

/// Code in which `load` is a name as it is in Python, `Raw(load=…)` and `pkt.load`, and only a statement that begins with
/// it loads a file: Starlark keeps the word for that one.
fn no_load(code: &str, first: bool) -> String {
    const WORD: &str = "load";
    let part = |it: char| it.is_alphanumeric() || it == '_';
    let mut out = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(at) = rest.find(WORD) {
        let (before, from) = rest.split_at(at);
        let after = &from[WORD.len()..];
        out.push_str(before);
        out.push_str(WORD);
        let whole = !out[..out.len() - WORD.len()].ends_with(part) && !after.starts_with(part);
        let loads = first && out.trim_start() == WORD && after.trim_start().starts_with('(');
        if whole && !loads {
            out.push('_');
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

fn is_bytes(literal: &str) -> bool {
    let prefix = literal.split(['"', '\'']).next().unwrap_or_default();
    prefix.contains(['b', 'B'])
}

fn depth(code: &str) -> i32 {
    code.bytes()
        .map(|it| match it {
            b'(' | b'[' | b'{' => 1,
            b')' | b']' | b'}' => -1,
            _ => 0,
        })
        .sum()
}

/// A line that begins a statement, with what Starlark has no word for put into its words.
fn statement(line: &str) -> String {
    let code = line.trim_start();
    let indent = &line[..line.len() - code.len()];
    let words: Vec<&str> = code.split_whitespace().collect();
    let imports = match words[..] {
        ["from", module, "import", ..] => module == "scapy" || module.starts_with("scapy."),
        ["import", module, ..] => module == "scapy" || module.starts_with("scapy."),
        _ => false,
    };
    if imports {
        // A statement, so that a block which holds nothing else stays one.
        let end = if line.ends_with('\n') { "\n" } else { "" };
        return format!(
            "{indent}{}{end}",
            if indent.is_empty() { "" } else { "pass" }
        );
    }
    if let Some(target) = code.strip_prefix("del ")
        && target.contains('.')
    {
        let target = target.trim_end();
        let end = &line[indent.len() + 4 + target.len()..];
        return format!("{indent}{target} = None{end}");
    }
    line.to_string()
}

/// Whether more lines must follow: an open bracket or string, a block that has just begun or may go on.
pub fn unfinished(source: &str) -> bool {
    let mut open = 0;
    for (kind, text) in pieces(source) {
        match kind {
            Piece::Code => open += depth(text),
            Piece::Text(false) => return text.contains("\"\"\"") || text.contains("'''"),
            _ => {}
        }
    }
    if open > 0 || source.ends_with('\\') {
        return true;
    }
    let code = |line: &str| -> String {
        let parts = pieces(line).into_iter().filter(|it| it.0 != Piece::Comment);
        parts
            .map(|it| it.1)
            .collect::<String>()
            .trim_end()
            .to_string()
    };
    let last = source.rsplit('\n').next().unwrap_or_default();
    if code(last).ends_with(':') {
        return true;
    }
    // A block ends with an empty line.
    let block = source
        .lines()
        .any(|it| code(it).ends_with(':') && !it.starts_with([' ', '\t']));
    block && !last.trim().is_empty() && last.starts_with([' ', '\t'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scapy_habits_become_starlark() {
        for (source, wanted) in [
            ("from scapy.all import *\nx = 1\n", "\nx = 1\n"),
            ("import scapy.all as s", ""),
            ("del pkt[IP].chksum\n", "pkt[IP].chksum = None\n"),
            (
                "x = b\"\\x01\" + rb'a'",
                "x = bytes(b\"\\x01\") + bytes(rb'a')",
            ),
            (
                "s = \"from scapy import b'x'\" # b'x'",
                "s = \"from scapy import b'x'\" # b'x'",
            ),
            ("f(\n    del_ = 1)", "f(\n    del_ = 1)"),
            ("ab'x'", "ab'x'"),
            ("Raw(load=x).load", "Raw(load_=x).load_"),
            ("load = pkt.load + payload", "load_ = pkt.load_ + payload"),
            ("load('a.star', 'f')\n", "load('a.star', 'f')\n"),
            (
                "load(\n    'a.star', load='f')",
                "load(\n    'a.star', load_='f')",
            ),
        ] {
            assert_eq!(prepare(source), wanted);
        }
    }

    #[test]
    fn lines_that_are_not_finished() {
        for source in [
            "f(",
            "def f():",
            "def f():\n    x = 1",
            "x = [1,\n2,",
            "s = \"\"\"a",
            "if x:  # why",
        ] {
            assert!(unfinished(source), "{source}");
        }
        for source in [
            "f()",
            "def f():\n    x = 1\n",
            "x = \"(\"",
            "x = 1  # (",
            "s = \"a:\"",
            "x = \"open",
        ] {
            assert!(!unfinished(source), "{source}");
        }
    }
}
