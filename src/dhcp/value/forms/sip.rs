//! SIP servers (RFC 3361).

use std::net::Ipv4Addr;

use super::super::Data;
use super::super::bytes::uint;
use super::names::{labels, name, put_name};
use super::{Read, error};

pub(in crate::dhcp::value) fn sip(cursor: &mut &[u8]) -> Read<Data> {
    match uint(cursor, 1)? {
        0 => {
            let whole = *cursor;
            let mut names = Vec::new();
            while !cursor.is_empty() {
                names.push(Data::Name(name(cursor, whole)?));
            }
            listed(names)
        }
        1 => {
            let mut addresses = Vec::new();
            while !cursor.is_empty() {
                addresses.push(Data::Ip(Ipv4Addr::from(uint(cursor, 4)? as u32)));
            }
            listed(addresses)
        }
        other => Err(error(format!("encoding {other}; 0 are names, 1 addresses"))),
    }
}

fn listed(items: Vec<Data>) -> Read<Data> {
    match items.is_empty() {
        true => Err(error("no servers")),
        false => Ok(Data::List(items)),
    }
}

pub(in crate::dhcp::value) fn put_sip(data: &Data, out: &mut Vec<u8>) {
    let Data::List(items) = data else { return };
    out.push(u8::from(matches!(items.first(), Some(Data::Ip(_)))));
    for item in items {
        match item {
            Data::Ip(ip) => out.extend(ip.octets()),
            Data::Name(labels) => put_name(labels, true, out),
            _ => {}
        }
    }
}

pub(in crate::dhcp::value) fn read_sip(texts: &[&str]) -> Read<Data> {
    let addresses: Option<Vec<Data>> = texts
        .iter()
        .map(|it| it.parse().ok().map(Data::Ip))
        .collect();
    if let Some(addresses) = addresses {
        return listed(addresses);
    }
    if texts.iter().any(|it| it.parse::<Ipv4Addr>().is_ok()) {
        return Err(error("SIP servers are all names or all addresses"));
    }
    let names: Read<Vec<Data>> = texts.iter().map(|it| Ok(Data::Name(labels(it)?))).collect();
    listed(names?)
}
