//! One line of hex text: digits told from what stands around them.

/// A line without the colours of a terminal.
pub(super) fn without_escapes(line: &str) -> String {
    let mut parts = line.split("\u{1b}[");
    let mut text = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let end = part.find(|c: char| c.is_ascii_alphabetic());
        text.push_str(end.and_then(|at| part.get(at + 1..)).unwrap_or_default());
    }
    text
}

/// The bytes of a dump line behind its offset, up to the column of text; and the digits per word.
pub(super) fn dump_bytes(text: &str) -> (Vec<u8>, usize) {
    let (mut bytes, mut width) = (Vec::new(), 0);
    let mut rest = text;
    loop {
        let word_on = rest.trim_start_matches([' ', '\t']);
        let gap = rest.len() - word_on.len();
        // Two blanks set the text off, or stand in the middle of a line (hexdump -C).
        let middle = gap == 2 && width == 2 && bytes.len() == 8;
        if !bytes.is_empty() && gap >= 2 && !middle {
            break;
        }
        let end = word_on.find([' ', '\t']).unwrap_or(word_on.len());
        let (word, tail) = word_on.split_at(end);
        let fits = (width == 0 || word.len() <= width) && (2..=64).contains(&word.len());
        match hex::decode(word) {
            Ok(more) if fits && bytes.len() + more.len() <= 256 => bytes.extend(more),
            _ => break,
        }
        width = width.max(word.len());
        rest = tail;
    }
    (bytes, width)
}

/// The bytes of a line of a stream: digits, with or without separators, `0x` and `\x`; or a string with
/// escapes. `Err` for what is meant to be one and is broken. A short line with separators counts only
/// inside a `run`, or where nothing but hex can stand.
pub(super) fn stream(line: &str, run: bool) -> Result<Option<Vec<u8>>, String> {
    // C's comment behind a line of an array.
    let line = line.split("/*").next().unwrap_or(line).trim();
    let line = line.trim_end_matches(['\\', ' ', ';', ',']);
    let quoted = line.strip_prefix('b').unwrap_or(line);
    for quote in ['"', '\''] {
        let inner = quoted
            .strip_prefix(quote)
            .and_then(|it| it.strip_suffix(quote));
        if let Some(inner) = inner.filter(|it| it.contains("\\x")) {
            return Ok(unescape(inner));
        }
    }
    let marked = line.contains("0x") || line.contains("\\x");
    let plain = |word: &str| word.replace("\\x", "").replace("0x", "");
    let words = line.split([' ', '\t', ':', '-', ',']);
    let digits: String = words.map(plain).collect();
    let wrong = digits.chars().filter(|it| !it.is_ascii_hexdigit()).count();
    if digits.is_empty() {
        return Ok(None);
    }
    if wrong == 0 {
        let separate = digits.len() < line.len() && !marked;
        return match hex::decode(&digits) {
            Ok(bytes) if separate && !run && bytes.len() < 14 => Ok(None),
            Ok(bytes) => Ok(Some(bytes)),
            Err(_) if digits.len() < 28 => Ok(None),
            Err(_) => Err(format!("an odd number of hex digits, {}", digits.len())),
        };
    }
    let one_word = !line.contains([' ', '\t']) && digits.len() >= 28;
    if one_word && wrong * 5 < digits.len() {
        let column = line
            .chars()
            .position(|it| !it.is_ascii_hexdigit() && !":-,\\x".contains(it));
        let bad: String = line.chars().skip(column.unwrap_or(0)).take(1).collect();
        let column = column.unwrap_or(0) + 1;
        return Err(format!(
            "`{}` in column {column} is no hex digit",
            bad.escape_default()
        ));
    }
    Ok(None)
}

/// The bytes of a string with `\x` and C's other escapes.
fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        bytes.push(match c {
            '\\' => match chars.next()? {
                'x' => {
                    let (high, low) = (chars.next()?.to_digit(16)?, chars.next()?.to_digit(16)?);
                    (high * 16 + low) as u8
                }
                'n' => b'\n',
                'r' => b'\r',
                't' => b'\t',
                '0' => 0,
                other => u8::try_from(other).ok()?,
            },
            c => u8::try_from(c).ok().filter(u8::is_ascii)?,
        });
    }
    Some(bytes)
}
