//! Classless routes (RFC 3442).

use std::net::Ipv4Addr;

use super::super::Data;
use super::super::bytes::{split, uint};
use super::{Read, error};

/// A route: width, as many bytes of the destination as it needs, router.
pub(in crate::dhcp::value) fn route(cursor: &mut &[u8]) -> Read<Data> {
    let width = uint(cursor, 1)?;
    if width > 32 {
        return Err(error(format!("a mask of {width} bits")));
    }
    let significant = split(cursor, width.div_ceil(8) as usize)?;
    let mut octets = [0; 4];
    for (slot, byte) in octets.iter_mut().zip(significant) {
        *slot = *byte;
    }
    let router = uint(cursor, 4)? as u32;
    Ok(Data::Record(vec![
        Data::Uint(width),
        Data::Ip(octets.into()),
        Data::Ip(router.into()),
    ]))
}

pub(in crate::dhcp::value) fn put_route(data: &Data, out: &mut Vec<u8>) {
    if let Data::Record(parts) = data
        && let [Data::Uint(width), Data::Ip(destination), Data::Ip(router)] = parts.as_slice()
    {
        out.push(*width as u8);
        out.extend(destination.octets().iter().take(width.div_ceil(8) as usize));
        out.extend(router.octets());
    }
}

pub(in crate::dhcp::value) fn route_text(data: &Data) -> Option<(String, String)> {
    let Data::Record(parts) = data else {
        return None;
    };
    match parts.as_slice() {
        [Data::Uint(width), Data::Ip(destination), Data::Ip(router)] => {
            Some((format!("{destination}/{width}"), router.to_string()))
        }
        _ => None,
    }
}

pub(in crate::dhcp::value) fn read_route(text: &str) -> Read<Data> {
    let parse = || {
        let (destination, router) = text.split_once('>')?;
        let (ip, width) = match destination.trim() {
            "default" => ("0.0.0.0", "0"),
            other => other.split_once('/')?,
        };
        let ip: Ipv4Addr = ip.parse().ok()?;
        let width: u64 = width.parse().ok().filter(|it| *it <= 32)?;
        let router: Ipv4Addr = router.trim().parse().ok()?;
        // Bytes beyond the width are not sent.
        let kept = u32::MAX
            .checked_shl(32 - 8 * (width as u32).div_ceil(8))
            .unwrap_or(0);
        let destination = Ipv4Addr::from(u32::from(ip) & kept);
        Some(Data::Record(vec![
            Data::Uint(width),
            Data::Ip(destination),
            Data::Ip(router),
        ]))
    };
    parse().ok_or_else(|| {
        error(format!(
            "`{text}` is no route; expected NETWORK/BITS>ROUTER, such as 10.0.0.0/8>192.0.2.1"
        ))
    })
}
