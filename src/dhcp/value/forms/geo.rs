//! Coordinates (RFC 6225).

use super::super::Data;
use super::{Read, error};

/// The fields of coordinates: name, bits, and by how many bits the number is shifted when it is a
/// signed fixed-point one (RFC 6225 section 2.2).
const GEO: [(&str, u32, Option<u32>); 10] = [
    ("lat-res", 6, None),
    ("lat", 34, Some(25)),
    ("long-res", 6, None),
    ("long", 34, Some(25)),
    ("alt-type", 4, None),
    ("alt-res", 6, None),
    ("alt", 30, Some(8)),
    ("version", 2, None),
    ("res", 3, None),
    ("datum", 3, None),
];

pub(in crate::dhcp::value) fn geo(bytes: &[u8]) -> Data {
    let bits = bytes
        .iter()
        .fold(0u128, |bits, byte| bits << 8 | u128::from(*byte));
    let mut left = 128;
    let fields = GEO.iter().map(|(_, width, point)| {
        left -= width;
        let raw = (bits >> left & ((1 << width) - 1)) as i64;
        Data::Int(match point {
            Some(_) if raw >> (width - 1) != 0 => raw - (1 << width),
            _ => raw,
        })
    });
    Data::Record(fields.collect())
}

pub(in crate::dhcp::value) fn put_geo(data: &Data, out: &mut Vec<u8>) {
    let Data::Record(parts) = data else { return };
    let mut bits = 0u128;
    for ((_, width, _), part) in GEO.iter().zip(parts) {
        if let Data::Int(number) = part {
            bits = bits << width | (*number as u128 & ((1 << width) - 1));
        }
    }
    out.extend(bits.to_be_bytes());
}

pub(in crate::dhcp::value) fn geo_text(data: &Data) -> String {
    let Data::Record(parts) = data else {
        return String::new();
    };
    let texts = GEO
        .iter()
        .zip(parts)
        .map(|((name, _, point), part)| match (part, point) {
            // Exact: the number has fewer bits than a double's fraction.
            (Data::Int(number), Some(point)) => {
                format!("{name}={}", *number as f64 / f64::from(1u32 << point))
            }
            (Data::Int(number), None) => format!("{name}={number}"),
            _ => String::new(),
        });
    texts.collect::<Vec<_>>().join(",")
}

pub(in crate::dhcp::value) fn read_geo(text: &str) -> Read<Data> {
    let mut numbers = [0i64; GEO.len()];
    for part in text.split(',') {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let row = GEO.iter().position(|it| it.0 == name.trim());
        let names = || GEO.map(|it| it.0).join(", ");
        let row = row.ok_or_else(|| {
            error(format!(
                "`{name}` is no part of a location; there are {}",
                names()
            ))
        })?;
        let (_, width, point) = GEO[row];
        let (low, high) = match point {
            Some(_) => (-(1i64 << (width - 1)), (1i64 << (width - 1)) - 1),
            None => (0, (1i64 << width) - 1),
        };
        let scale = f64::from(1u32 << point.unwrap_or(0));
        let number = value
            .trim()
            .parse::<f64>()
            .ok()
            .map(|it| (it * scale).round());
        numbers[row] = number
            .filter(|it| (low as f64..=high as f64).contains(it))
            .map(|it| it as i64)
            .ok_or_else(|| {
                error(format!(
                    "`{value}` is no {name} (a number from {} to {})",
                    low as f64 / scale,
                    high as f64 / scale
                ))
            })?;
    }
    Ok(Data::Record(numbers.map(Data::Int).to_vec()))
}
