//! Why a condition does not hold: the values of its parts, as `--expect` shows them.
//!
//! An assertion gets a value and no expression; the source of its call is known, though. Its parts are
//! evaluated once more where it stands, those that have no effect: nothing is sent again.

use starlark::eval::Evaluator;
use starlark::values::Value;

use super::packet::Packet;
use super::text::masked;
use super::{engine, packet_methods};
use crate::view::summary;

/// Functions and methods that only look at what they are given.
const PURE: [&str; 53] = [
    "abs",
    "all",
    "any",
    "bool",
    "bytes",
    "chr",
    "count",
    "dict",
    "elems",
    "endswith",
    "enumerate",
    "find",
    "float",
    "get",
    "getattr",
    "getlayer",
    "hasattr",
    "haslayer",
    "hex",
    "index",
    "int",
    "isalnum",
    "isalpha",
    "isdigit",
    "islower",
    "isspace",
    "isupper",
    "items",
    "join",
    "keys",
    "len",
    "list",
    "lower",
    "lstrip",
    "max",
    "min",
    "net",
    "ord",
    "range",
    "removeprefix",
    "removesuffix",
    "replace",
    "repr",
    "reversed",
    "rstrip",
    "sorted",
    "split",
    "startswith",
    "str",
    "strip",
    "tuple",
    "type",
    "values",
];

/// Words that are no names of values.
const WORDS: [&str; 9] = [
    "True", "False", "None", "and", "or", "not", "in", "if", "else",
];

/// Values shown of a condition.
const SHOWN: usize = 8;

/// Characters of a value or of a condition that are shown.
const LONG: usize = 400;

/// What is told of a condition that does not hold, asked by the function that judges it: its source, and
/// below it the values of its parts, one a line.
pub fn explained<'v>(condition: Value<'v>, eval: &mut Evaluator<'v, '_, '_>) -> String {
    let call = eval.call_stack_top_location();
    let call = call.map(|it| it.source_span().to_string());
    let Some(source) = call.as_deref().and_then(first_argument) else {
        return format!("{} is not true", shown(condition));
    };
    let words: Vec<&str> = source.split_whitespace().collect();
    let mut text = format!("{} is not true", shortened(words.join(" ")));
    if condition.unpack_bool().is_none() && shown(condition) != source {
        text += &format!("\n{} is {}", shortened(words.join(" ")), shown(condition));
    }
    for part in parts(source) {
        let value = match engine::parse_prepared("condition", part) {
            Ok(ast) => eval.eval_statements(ast),
            Err(_) => continue,
        };
        // A part that the condition never came to need not have a value.
        let Ok(value) = value else { continue };
        let value = match value.get_type() {
            // These are no values to look at.
            "function" | "native_function" | "value_captured" => continue,
            _ => shown(value),
        };
        text += &format!("\n{part} is {value}");
    }
    if !is_pure(masked(source).as_bytes()) {
        text += "\n(no call is made again to show its value: give it a name first, d = discover())";
    }
    text
}

/// A value in a message; a packet in a line.
fn shown(value: Value) -> String {
    shortened(match Packet::from_value(value) {
        Some(packet) => summary(&packet_methods::entry(packet)),
        None => value.to_repr(),
    })
}

fn shortened(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(LONG) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// The source of a call's first argument, where it is one by itself.
fn first_argument(call: &str) -> Option<&str> {
    let code = masked(call);
    let open = code.find('(')?;
    let end = top_level(code.as_bytes(), open + 1, b",")?;
    let source = call.get(open + 1..end)?.trim();
    (!source.is_empty() && !source.starts_with('*')).then_some(source)
}

/// Where the bracket that was opened before `from` closes, or before that one of these bytes stands in it.
fn top_level(code: &[u8], from: usize, stops: &[u8]) -> Option<usize> {
    let mut depth = 0;
    for (at, byte) in code.iter().enumerate().skip(from) {
        match byte {
            byte if depth == 0 && stops.contains(byte) => return Some(at),
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' if depth == 0 => return Some(at),
            b')' | b']' | b'}' => depth -= 1,
            _ => {}
        }
    }
    None
}

fn is_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Where the word at `from` ends.
fn word_end(code: &[u8], from: usize) -> usize {
    let rest = code.iter().skip(from);
    from + rest.take_while(|it| is_part(**it)).count()
}

/// Where the name at `from` ends, with the attributes, indices and arguments behind it.
fn chain_end(code: &[u8], from: usize) -> usize {
    let mut at = word_end(code, from);
    loop {
        at = match code.get(at) {
            Some(b'.') => word_end(code, at + 1),
            Some(b'(' | b'[') => match top_level(code, at + 1, &[]) {
                Some(end) => end + 1,
                None => return at,
            },
            _ => return at,
        };
    }
}

/// Whether code calls nothing but functions that only look.
fn is_pure(code: &[u8]) -> bool {
    let calls = code.iter().enumerate().filter(|it| *it.1 == b'(');
    for (at, _) in calls {
        let before = code.get(..at).unwrap_or_default();
        let start = before.iter().rposition(|it| !is_part(*it));
        let name = before.get(start.map_or(0, |it| it + 1)..);
        let name = name.and_then(|it| std::str::from_utf8(it).ok());
        match name {
            // Brackets around an operand; what a call or an index gave may be called too.
            Some("") if matches!(before.last(), Some(b')' | b']' | b'"')) => return false,
            Some("") => {}
            Some(name) if PURE.contains(&name) || WORDS.contains(&name) => {}
            _ => return false,
        }
    }
    true
}

/// Whether one of these words stands in code.
fn has_word(code: &[u8], wanted: &[&str]) -> bool {
    let words = code.split(|it| !is_part(*it));
    words
        .filter_map(|it| std::str::from_utf8(it).ok())
        .any(|it| wanted.contains(&it))
}

/// The names with attributes and indices in an expression, each once and not the expression itself:
/// `a.reply.router`, `len(a.replies)`. Of a call that may do something its arguments.
fn parts(expression: &str) -> Vec<&str> {
    let code = masked(expression).into_bytes();
    let slice = |from: usize, to: usize| code.get(from..to).unwrap_or_default();
    let mut parts: Vec<&str> = Vec::new();
    let mut add = |from: usize, to: usize| {
        // What names nothing but functions is a constant.
        if let Some(part) = expression.get(from..to)
            && part != expression
            && !slice(from, to)
                .split(|it| !is_part(*it))
                .filter(|it| !it.is_empty() && !it[0].is_ascii_digit())
                .all(|it| PURE.iter().any(|known| known.as_bytes() == it))
            && parts.len() < SHOWN
            && !parts.contains(&part)
        {
            parts.push(part);
        }
    };
    let mut at = 0;
    while let Some(byte) = code.get(at) {
        match byte {
            // What a loop or a function names is nothing outside of it; the whole of it is a value.
            b'[' | b'{' | b'(' => {
                let end = top_level(&code, at + 1, &[]).map_or(code.len(), |it| it + 1);
                let inside = slice(at, end);
                if !has_word(inside, &["for", "lambda"]) {
                    at += 1;
                } else if *byte == b'(' {
                    // A list in it is seen below.
                    at = match has_word(inside, &["lambda"]) {
                        true => end,
                        false => at + 1,
                    };
                } else {
                    if is_pure(inside) {
                        add(at, end);
                    }
                    at = end;
                }
            }
            b'.' => at = word_end(&code, at + 1),
            byte if byte.is_ascii_digit() => at = word_end(&code, at),
            byte if is_part(*byte) => {
                let (word, end) = (word_end(&code, at), chain_end(&code, at));
                let name = expression.get(at..word).unwrap_or_default();
                let after = slice(word, code.len());
                let after = after
                    .iter()
                    .position(|it| *it != b' ')
                    .map(|it| &after[it..]);
                let keyword =
                    after.is_some_and(|it| it.starts_with(b"=") && !it.starts_with(b"=="));
                if name == "lambda" {
                    at = top_level(&code, at, b",").unwrap_or(code.len());
                } else if WORDS.contains(&name) || keyword {
                    at = word;
                } else if (at, end) != (0, code.len()) && is_pure(slice(at, end)) {
                    add(at, end);
                    at = end;
                } else {
                    // What is looked at: the value that a method is called on, and the arguments.
                    let chain = slice(at, end);
                    let call = chain.iter().position(|it| *it == b'(').unwrap_or(0);
                    let head = chain.get(..call).unwrap_or_default();
                    if let Some(dot) = head.iter().rposition(|it| *it == b'.')
                        && is_pure(chain)
                    {
                        add(at, at + dot);
                    }
                    at = word.max(at + call);
                }
            }
            _ => at += 1,
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_argument_of_a_call() {
        for (call, wanted) in [
            ("assert_true(a > 1)", Some("a > 1")),
            ("assert_true(f(a, 1), \"why\")", Some("f(a, 1)")),
            ("assert_true( \"),(\" in a ,m)", Some("\"),(\" in a")),
            ("assert_true(\n  a and # (,\n  b)", Some("a and # (,\n  b")),
            ("assert_true(*a)", None),
            ("assert_true", None),
        ] {
            assert_eq!(first_argument(call), wanted, "{call}");
        }
    }

    #[test]
    fn parts_have_values_and_no_effects() {
        for (expression, wanted) in [
            ("a.reply.lease_time > 7200", &["a.reply.lease_time"][..]),
            (
                "len(a.replies) == 1 and b[DHCP].options",
                &["len(a.replies)", "b[DHCP].options"],
            ),
            // Nothing is sent for a message.
            ("discover(mac=m).reply != None", &["m"]),
            ("ours(a.reply, x = 1) or not b", &["a.reply", "b"]),
            ("l.pop() == 1", &[]),
            ("len(d.pop()) == 1", &[]),
            ("name.startswith(\"a.b\")", &["name"]),
            ("all([it > 1 for it in seen])", &["[it > 1 for it in seen]"]),
            ("[f(it) for it in seen] == w", &["w"]),
            ("0x1f == a[b] + 1e3", &["a[b]"]),
            ("any(map(lambda it: it > 1, seen))", &[]),
            ("\", \".join(a) == \"b\"", &["a"]),
            ("(a or b).c == 1", &["a", "b"]),
            ("f(1)(a)", &["a"]),
            ("a", &[]),
        ] {
            assert_eq!(parts(expression), wanted, "{expression}");
        }
    }

    #[test]
    fn any_text_is_taken() {
        for source in [
            "", "(", "a.", "a(", "a[", ")", "\"", "é(ü", "lambda", "a((", "x=", ".",
        ] {
            parts(source);
            first_argument(source);
        }
    }
}
