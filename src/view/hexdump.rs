//! Bytes in hexadecimal, coloured by layer; `show` reads it back.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style as Ansi};

use super::Style;
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

/// Prints an entry's bytes: offset, sixteen bytes, the same as text. With colours, a legend and a
/// colour for each layer and, among the options, for every other option.
pub fn hexdump(out: &mut dyn Write, entry: &Entry, style: &Style) -> io::Result<()> {
    let bytes = &entry.bytes;
    let mut colors: Vec<Ansi> = Vec::new();
    if style.color {
        for (offset, layer) in entry.frame.with_offsets() {
            let base = color_of(layer);
            colors.resize(offset.min(bytes.len()), base);
            colors.resize((offset + layer.encoded_len()).min(bytes.len()), base);
            if let Layer::Dhcp(dhcp) = layer {
                for (index, item) in dhcp.iter().enumerate() {
                    let start = offset + 4 + item.offset;
                    let ansi = if index % 2 == 0 { base } else { base.bold() };
                    let place = colors.iter_mut().skip(start).take(item.raw.len());
                    place.for_each(|it| *it = ansi);
                }
            }
        }
        let legend: Vec<String> = entry
            .frame
            .layers
            .iter()
            .map(|it| style.paint(color_of(it), it.name()))
            .collect();
        writeln!(out, "# {}", legend.join(" "))?;
    }
    for (index, line) in bytes.chunks(LINE).enumerate() {
        let start = index * LINE;
        write!(out, "{start:04x} ")?;
        let mut text = String::new();
        for place in 0..LINE {
            if place == LINE / 2 {
                write!(out, " ")?;
            }
            match line.get(place) {
                Some(byte) => {
                    let ansi = colors.get(start + place).copied().unwrap_or_default();
                    write!(out, " {}", style.paint(ansi, &format!("{byte:02x}")))?;
                    let c = if matches!(byte, b' '..=b'~') {
                        char::from(*byte)
                    } else {
                        '.'
                    };
                    text.push(c);
                }
                None => write!(out, "   ")?,
            }
        }
        writeln!(out, "  |{text}|")?;
    }
    Ok(())
}
