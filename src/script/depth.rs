//! Room for what nests deeply. Parsing, running and printing go down with every bracket, operator and list in a list, and
//! a stack that overflows ends the process: deep values get a large stack, and source is refused beyond a limit.

use super::text::{Piece, pieces};

/// The stack that source runs on. Pages that nobody touches cost nothing.
const ROOM: usize = 256 << 20;

/// How deep source may nest.
const LIMIT: usize = 1000;

/// Does the work with room to go down.
pub fn with_room<T>(work: impl FnOnce() -> T) -> T {
    stacker::maybe_grow(ROOM / 2, ROOM, work)
}

/// What is open at a place of source, as the depth of its syntax tree.
struct Nesting {
    /// Operators so far in each open bracket, outside of all first.
    open: Vec<usize>,
    /// All of them, and the brackets.
    depth: usize,
    /// Branches of the `if` that goes on.
    branches: usize,
}

impl Nesting {
    fn deeper(&mut self) {
        self.depth += 1;
        if let Some(level) = self.open.last_mut() {
            *level += 1;
        }
    }

    /// A comma, or the end of a statement: what comes next stands beside what was.
    fn beside(&mut self) {
        if let Some(level) = self.open.last_mut() {
            self.depth -= *level;
            *level = 0;
        }
    }

    fn opens(&mut self) {
        self.open.push(0);
        self.depth += 1;
    }

    fn closes(&mut self) {
        if self.open.len() > 1 {
            self.beside();
            self.open.pop();
            self.depth -= 1;
        }
        // Calls and indices in a row nest as operators do.
        self.deeper();
    }

    fn word(&mut self, word: &str) {
        match word {
            "and" | "or" | "not" | "if" | "else" | "for" | "in" | "lambda" => self.deeper(),
            "elif" => self.branches += 1,
            _ => {}
        }
    }
}

/// The line of source that nests too deeply to be run.
pub fn too_deep(source: &str) -> Option<usize> {
    let mut nesting = Nesting {
        open: vec![0],
        depth: 0,
        branches: 0,
    };
    let mut line = 1;
    // Spaces that the line began with, while nothing else followed.
    let mut indent = Some(0);
    for (kind, text) in pieces(source) {
        if kind != Piece::Code {
            line += text.matches('\n').count();
            indent = None;
            continue;
        }
        let mut word = 0..0;
        for (at, byte) in text.bytes().enumerate() {
            let letter = byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii();
            if letter {
                word = if word.end == at {
                    word.start..at + 1
                } else {
                    at..at + 1
                };
            } else {
                nesting.word(text.get(word.clone()).unwrap_or_default());
                word = at + 1..at + 1;
            }
            if indent == Some(0) && letter && !text[at..].starts_with("el") {
                nesting.branches = 0;
            }
            indent = match byte {
                b' ' | b'\t' => indent.map(|it| it + 1),
                b'\n' => Some(0),
                _ => None,
            };
            match byte {
                b'(' | b'[' | b'{' => nesting.opens(),
                b')' | b']' | b'}' => nesting.closes(),
                b',' | b';' => nesting.beside(),
                b'\n' => {
                    let goes_on = nesting.open.len() > 1 || text[..at].ends_with('\\');
                    if !goes_on {
                        nesting.beside();
                    }
                }
                b'+' | b'-' | b'*' | b'/' | b'%' | b'<' | b'>' | b'=' | b'|' | b'&' | b'^'
                | b'~' | b'.' => {
                    nesting.deeper();
                }
                _ => {}
            }
            if nesting.depth + nesting.branches + indent.unwrap_or(0) > LIMIT {
                return Some(line);
            }
            line += usize::from(byte == b'\n');
        }
        nesting.word(text.get(word).unwrap_or_default());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_what_nests() {
        for source in [
            "x = 1 + 1\n".repeat(3000),
            format!("x = [{}]", "-1, ".repeat(3000)),
            format!("x = [\n{}]", "    (\"a\", a.b()),\n".repeat(3000)),
            "if x:\n    y = 1\nelif x:\n    y = 2\n".repeat(3000),
            format!("s = \"{}\" # {}", "(".repeat(3000), "(".repeat(3000)),
            "f(x)[1]\n".repeat(3000),
        ] {
            assert_eq!(too_deep(&source), None, "{}", &source[..40]);
        }
        for source in [
            format!("\nx = {}", "(".repeat(3000)),
            format!("\nx = {}1", "[1, ".repeat(3000)),
            format!("\nx = 1{}", " + 1".repeat(3000)),
            format!("\nx = {}1", "not ".repeat(3000)),
            format!("\nx = f{}", "()".repeat(3000)),
            format!("\nx = a{}", ".b".repeat(3000)),
            format!("\nx = {}1", "lambda: ".repeat(3000)),
            format!("\n{}x = 1", " ".repeat(3000)),
        ] {
            assert_eq!(too_deep(&source), Some(2), "{}", &source[..40]);
        }
        let branches = format!("if x:\n  y\n{}", "elif x:\n  y\n".repeat(3000));
        assert!(too_deep(&branches).is_some());
    }
}
