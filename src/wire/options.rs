//! The DHCP option stream as bytes: reading it without allocating, and writing it.
//!
//! Nothing here knows what an option means: only that code 0 is one byte of padding, 255 ends the
//! stream, and every other code is followed by a length byte and that many bytes (RFC 2132 section 2).

/// Code of the one-byte padding option.
pub const PAD: u8 = 0;
/// Code of the one-byte option that ends the stream.
pub const END: u8 = 255;

/// What one item of an option stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemKind {
    /// Code, length and that many bytes.
    Option,
    /// One byte of padding.
    Pad,
    /// The end marker.
    End,
    /// The last option of a stream that stops too early: its length byte is missing (`None`) or
    /// promises more bytes than there are.
    Truncated {
        /// The length byte, when there is one.
        declared: Option<u8>,
    },
    /// All bytes after the end marker.
    AfterEnd,
}

/// One item of an option stream, borrowed from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionItem<'a> {
    /// Where the item begins, counted from the first byte of the stream.
    pub offset: usize,
    /// What the item is.
    pub kind: ItemKind,
    /// The option code; 0 for [`ItemKind::AfterEnd`].
    pub code: u8,
    /// The option's data without code and length; what follows the end marker for `AfterEnd`.
    pub data: &'a [u8],
    /// Every byte of the item: all `raw` in a row are the stream.
    pub raw: &'a [u8],
}

impl<'a> OptionItem<'a> {
    /// Whether the item carries data under a code: an option, whole or cut short.
    pub fn is_option(&self) -> bool {
        matches!(self.kind, ItemKind::Option | ItemKind::Truncated { .. })
    }
}

/// Iterator over an option stream. It is total: any bytes give items, and their `raw` bytes joined
/// are the stream.
///
/// ```
/// use dhcpcraft::wire::{ItemKind, Options};
/// let stream = [53, 1, 1, 0, 255, 0xaa];
/// let kinds: Vec<_> = Options::new(&stream).map(|item| item.kind).collect();
/// assert_eq!(kinds, [ItemKind::Option, ItemKind::Pad, ItemKind::End, ItemKind::AfterEnd]);
/// let joined: Vec<u8> = Options::new(&stream).flat_map(|item| item.raw).copied().collect();
/// assert_eq!(joined, stream);
/// ```
#[derive(Clone, Debug)]
pub struct Options<'a> {
    stream: &'a [u8],
    offset: usize,
    ended: bool,
}

impl<'a> Options<'a> {
    /// Reads `stream` from its first byte.
    pub fn new(stream: &'a [u8]) -> Self {
        Options {
            stream,
            offset: 0,
            ended: false,
        }
    }

    /// The data of the first whole option with this code.
    pub fn find_code(mut self, code: u8) -> Option<&'a [u8]> {
        self.find(|item| item.kind == ItemKind::Option && item.code == code)
            .map(|item| item.data)
    }
}

impl<'a> Iterator for Options<'a> {
    type Item = OptionItem<'a>;

    fn next(&mut self) -> Option<OptionItem<'a>> {
        let rest = self.stream.get(self.offset..)?;
        let (&code, tail) = rest.split_first()?;
        let (kind, code, data, taken) = if self.ended {
            (ItemKind::AfterEnd, 0, rest, rest.len())
        } else if code == PAD {
            (ItemKind::Pad, code, &rest[..0], 1)
        } else if code == END {
            self.ended = true;
            (ItemKind::End, code, &rest[..0], 1)
        } else {
            match tail.split_first() {
                None => (ItemKind::Truncated { declared: None }, code, tail, 1),
                Some((&len, data)) => match data.get(..usize::from(len)) {
                    Some(data) => (ItemKind::Option, code, data, 2 + data.len()),
                    None => (
                        ItemKind::Truncated {
                            declared: Some(len),
                        },
                        code,
                        data,
                        rest.len(),
                    ),
                },
            }
        };
        let item = OptionItem {
            offset: self.offset,
            kind,
            code,
            data,
            raw: &rest[..taken],
        };
        self.offset += taken;
        Some(item)
    }
}

/// Appends one option to a stream. Data over 255 bytes is split into several options of the same
/// code, as RFC 3396 section 5 says; `PAD` and `END` are written as their single byte.
pub fn push_option(stream: &mut Vec<u8>, code: u8, data: &[u8]) {
    if code == PAD || code == END {
        stream.push(code);
        return;
    }
    if data.is_empty() {
        stream.extend([code, 0]);
    }
    for piece in data.chunks(255) {
        stream.push(code);
        stream.push(piece.len() as u8);
        stream.extend_from_slice(piece);
    }
}
