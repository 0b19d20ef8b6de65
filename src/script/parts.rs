//! The parts of an expression that `--expect` shows the values of.

use super::exchange::Exchange;
use crate::view::summary;

/// The value of a part of an expression, or of the longest beginning of it that has one.
pub fn known<V, E>(part: &str, mut run: impl FnMut(&str) -> Result<V, E>) -> Option<(String, V)> {
    let inner = match part.split_once('(') {
        // What a function was asked about.
        Some((_, inner)) => inner.strip_suffix(')').unwrap_or(inner),
        None => part,
    };
    let cut = inner.match_indices(['.', '[']).map(|it| it.0).rev();
    let shorter = cut
        .filter_map(|at| inner.get(..at))
        .filter(|it| !it.is_empty());
    let mut tried = [part, inner].into_iter().chain(shorter);
    tried.find_map(|it| Some((it.to_string(), run(it).ok()?)))
}

/// A value in a message; a list of everything that is known of servers would hide what matters.
pub fn shortened(mut text: String) -> String {
    /// Characters shown.
    const SHOWN: usize = 400;
    if let Some((end, _)) = text.char_indices().nth(SHOWN) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// Which frame a part of an expression speaks of.
pub fn whose(part: &str, exchange: &Exchange) -> String {
    let about = part.starts_with("reply.") || part.starts_with("reply[");
    match exchange.answer().filter(|_| about) {
        Some(entry) => format!("   ({}, frame {})", summary(entry), entry.number),
        None => String::new(),
    }
}

/// What an expression can speak of.
const KNOWN: [&str; 7] = [
    "reply", "replies", "sent", "pkt", "exchange", "servers", "clients",
];

/// The names with attributes and indices in an expression, each once: `reply.router`, `len(replies)`.
pub fn parts(expression: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let add = |parts: &mut Vec<String>, part: &str| {
        if part != expression.trim()
            && KNOWN.iter().any(|it| part.contains(it))
            && !parts.iter().any(|it| it == part)
        {
            parts.push(part.to_string());
        }
    };
    let bytes = expression.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            quote @ (b'"' | b'\'') => {
                at += 1;
                while at < bytes.len() && bytes[at] != quote {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                at += 1;
            }
            // A list made of another one is a value of its own.
            b'[' if closing(bytes, at).is_some_and(|end| {
                let inside = expression.get(at..end).unwrap_or_default();
                inside.contains(" for ") && KNOWN.iter().any(|it| inside.contains(it))
            }) =>
            {
                let end = closing(bytes, at).map_or(bytes.len(), |it| it + 1);
                add(&mut parts, expression.get(at..end).unwrap_or_default());
                at = end;
            }
            byte if byte.is_ascii_alphabetic() || byte == b'_' => {
                let start = at;
                while at < bytes.len() {
                    match bytes[at] {
                        byte if byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.' => {
                            at += 1
                        }
                        b'(' | b'[' => match closing(bytes, at) {
                            Some(end) => at = end + 1,
                            None => break,
                        },
                        _ => break,
                    }
                }
                add(&mut parts, expression.get(start..at).unwrap_or_default());
            }
            _ => at += 1,
        }
    }
    if parts.is_empty() {
        parts.push(expression.trim().to_string());
    }
    parts
}

fn closing(bytes: &[u8], open: usize) -> Option<usize> {
    let mut depth = 0;
    for (at, byte) in bytes.iter().enumerate().skip(open) {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn parts_of_an_expression() {
        assert_eq!(parts("reply.router == [\"reply.x\"]"), ["reply.router"]);
        assert_eq!(
            parts("len(replies) == 1 and reply[DHCP].options"),
            ["len(replies)", "reply[DHCP].options"]
        );
        assert_eq!(parts("reply"), ["reply"]);
        assert_eq!(
            parts("[it['mac'] for it in servers] == [\"a\"]"),
            ["[it['mac'] for it in servers]"]
        );
        assert_eq!(parts("servers[0]['mac'] in [1, 2]"), ["servers[0]['mac']"]);
    }
}
