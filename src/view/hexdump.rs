//! Bytes in hexadecimal, coloured by layer; `show` reads it back.

use std::fmt::Write as _;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style as Ansi};

use super::Style;
use super::style::push_hex;
use crate::commands::outcome::Entry;
use crate::wire::Layer;

/// Bytes in a line.
const LINE: usize = 16;

fn color_of(layer: &Layer) -> Ansi {
    let color = match layer {
        Layer::Ether(_) | Layer::Cooked(_) => AnsiColor::Blue,
        Layer::Dot1Q(_) => AnsiColor::BrightBlue,
        Layer::Arp(_) | Layer::Icmp(_) => AnsiColor::Magenta,
        Layer::Ipv4(_) => AnsiColor::Cyan,
        Layer::Udp(_) => AnsiColor::Green,
        Layer::Bootp(_) => AnsiColor::Yellow,
        Layer::Dhcp(_) => AnsiColor::BrightMagenta,
        Layer::Raw(_) => AnsiColor::White,
        Layer::Padding(_) => AnsiColor::BrightBlack,
    };
    Ansi::new().fg_color(Some(color.into()))
}

/// A colour for each byte: the layer's, every other field or option of it in bold.
fn colors(entry: &Entry) -> Vec<Ansi> {
    let mut colors = vec![Ansi::new(); entry.bytes.len()];
    let mut paint = |start: usize, len: usize, ansi: Ansi| {
        let places = colors.iter_mut().skip(start).take(len);
        places.for_each(|it| *it = ansi);
    };
    for (offset, layer) in entry.frame.with_offsets() {
        let base = color_of(layer);
        paint(offset, layer.encoded_len(), base);
        let alternate = |index: usize| {
            if index.is_multiple_of(2) {
                base
            } else {
                base.bold()
            }
        };
        for (index, row) in layer.fields().iter().enumerate() {
            paint(offset + row.byte(), row.byte_len(), alternate(index));
        }
        if let Layer::Dhcp(dhcp) = layer {
            for (index, item) in dhcp.iter().enumerate() {
                paint(
                    offset + 4 + item.offset,
                    item.raw.len(),
                    alternate(index + 1),
                );
            }
        }
    }
    colors
}

/// Prints an entry's bytes: offset, sixteen bytes, the same as text. With colours, a legend and a
/// colour for each layer, in which every other field and option is bold.
pub fn hexdump(out: &mut dyn Write, entry: &Entry, style: &Style) -> io::Result<()> {
    let mut text = String::with_capacity(5 * entry.bytes.len() + 64);
    let mut colored = Vec::new();
    if style.color {
        colored = colors(entry);
        text.push('#');
        for layer in &entry.frame.layers {
            text.push(' ');
            style.push(&mut text, color_of(layer), layer.name());
        }
        text.push('\n');
    }
    for (index, line) in entry.bytes.chunks(LINE).enumerate() {
        let start = index * LINE;
        let _ = write!(text, "{start:04x} ");
        for place in 0..LINE {
            if place == LINE / 2 {
                text.push(' ');
            }
            text.push(' ');
            match (line.get(place), colored.get(start + place)) {
                (Some(byte), Some(ansi)) => {
                    let _ = write!(text, "{ansi}{byte:02x}{ansi:#}");
                }
                (Some(byte), None) => push_hex(&mut text, &[*byte]),
                (None, _) => text.push_str("  "),
            }
        }
        text.push_str("  |");
        text.extend(line.iter().map(|byte| match byte {
            b' '..=b'~' => char::from(*byte),
            _ => '.',
        }));
        text.push_str("|\n");
    }
    out.write_all(text.as_bytes())
}
