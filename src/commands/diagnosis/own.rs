//! What is set in a message of ours so that servers do not answer it: everything on the wire can be overridden, and
//! who overrides it gets silence for an answer.

use std::borrow::Cow;
use std::net::Ipv4Addr;

use super::Circumstances;
use super::causes::Found;
use super::evidence::{Class, Evidence};
use super::sight::Sight;
use crate::dhcp::Message;
use crate::dhcp::enums::*;
use crate::talk::{checksum_fault, vlan_name};
use crate::wire::*;

/// What is odd about a message of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flaw {
    /// The frame says that it carries something else than IPv4 and UDP.
    Protocol,
    /// A length does not fit.
    Length,
    /// A checksum is wrong.
    Checksum,
    /// It is a piece of a datagram.
    Fragment,
    /// It comes from an address that nobody sends from.
    Source,
    /// It goes to a port where no server listens.
    Port,
    /// It is marked as a reply.
    Op,
    /// Its options are behind another magic cookie.
    Cookie,
    /// It passed too many relay agents.
    Hops,
    /// Servers do not answer its type.
    Type,
    /// It may not live until it arrives.
    Ttl,
    /// Its hardware address is none of Ethernet.
    Hardware,
}

/// RFC 1542 section 4.1.1: what passed more relay agents is dropped, by default and at most.
const HOPS: u8 = 4;
const MOST_HOPS: u8 = 16;

/// The message that a sent frame carries, as a client or relay agent sends it: whole also where what is around it was
/// set so that nobody would look for a message there.
pub fn message<'a>(frame: &'a Frame, bytes: &[u8]) -> Option<Cow<'a, Frame>> {
    let whole = match frame.bootp() {
        Some(_) => Cow::Borrowed(frame),
        None => Cow::Owned(straightened(frame, bytes)?),
    };
    let message = Message::of(&whole)?;
    let asks = message.bootp.op == 1 || message.message_type().is_some_and(|it| !from_server(it));
    asks.then_some(whole)
}

/// Whether servers send messages of a type, so that nobody asks with them.
fn from_server(message_type: u8) -> bool {
    matches!(
        message_type,
        OFFER
            | ACK
            | NAK
            | FORCERENEW
            | LEASEUNASSIGNED
            | LEASEUNKNOWN
            | LEASEACTIVE
            | LEASEQUERYDONE
            | LEASEQUERYSTATUS
    )
}

/// Whether a frame is what this program sends beside messages.
fn is_other(frame: &Frame) -> bool {
    let arp = frame.arp();
    let arp = arp.is_some_and(|it| (it.hwtype, it.ptype) == (1, ETHERTYPE_IPV4));
    arp || frame.icmp().is_some_and(|it| it.code == 0 || it.kind == 3)
}

/// A frame as it would be if nothing around its message had been set.
fn straightened(frame: &Frame, bytes: &[u8]) -> Option<Frame> {
    frame.ether()?;
    if is_other(frame) {
        return None;
    }
    let at = ip_at(frame);
    let words = bytes.get(at)? & 15;
    with_header(frame, bytes, words).or_else(|| with_header(frame, bytes, 5))
}

/// Where the IP header of a frame stands, whatever the frame says of it.
fn ip_at(frame: &Frame) -> usize {
    14 + 4 * frame.vlans().count()
}

/// The same, with an IP header of so many words.
fn with_header(frame: &Frame, bytes: &[u8], words: u8) -> Option<Frame> {
    let at = ip_at(frame);
    let mut bytes = bytes.to_vec();
    let ethertype = bytes.get_mut(at - 2..at)?;
    ethertype.copy_from_slice(&ETHERTYPE_IPV4.to_be_bytes());
    let header = 4 * usize::from(words);
    let (ip, rest) = bytes.get_mut(at..)?.split_at_mut_checked(header)?;
    let ip = ip.first_chunk_mut::<20>()?;
    ip[0] = 0x40 | words;
    // A length of nothing bounds nothing.
    (ip[2], ip[3]) = (0, 0);
    (ip[6], ip[7]) = (0, 0);
    ip[9] = 17;
    let udp = rest.first_chunk_mut::<8>()?;
    [udp[2], udp[3]] = SERVER_PORT.to_be_bytes();
    (udp[4], udp[5]) = (0, 0);
    let whole = Frame::decode(&bytes);
    let op = whole.bootp()?.op;
    (whole.dhcp().is_some() || (frame.udp().is_some() && matches!(op, 1 | 2))).then_some(whole)
}

/// What is odd about a sent frame and the message in it.
pub fn flaws(frame: &Frame, bytes: &[u8], whole: &Frame) -> Vec<(Flaw, String)> {
    let mut all = Vec::new();
    all.extend(protocol_of(frame).map(|it| (Flaw::Protocol, it)));
    let header = header_of(frame, bytes);
    let length = header.clone().or_else(|| length_of(frame, bytes));
    // A checksum covers what the lengths say.
    if length.is_none() {
        let wrong = checksum_fault(frame, false);
        all.extend(wrong.map(|it| (Flaw::Checksum, format!("the message's {it}: hosts drop it"))));
    }
    all.extend(length.map(|it| (Flaw::Length, it)));
    all.extend(source_of(frame).map(|it| (Flaw::Source, it)));
    if let Some(ip) = frame.ipv4() {
        if ip.frag != 0 || ip.flags & 1 != 0 {
            let text = "the message is marked as a fragment, and the rest of it never comes";
            all.push((Flaw::Fragment, text.into()));
        }
        if ip.ttl == 0 {
            let text = "the message has a TTL of 0, with which it may not be delivered";
            all.push((Flaw::Ttl, text.into()));
        }
    }
    if let (Some(udp), None) = (frame.udp(), header)
        && ![SERVER_PORT, PXE_PORT].contains(&udp.dport)
    {
        let text = format!("sent to port {}, where no DHCP server listens", udp.dport);
        all.push((Flaw::Port, text));
    }
    if let Some(message) = Message::of(whole) {
        in_message(&mut all, &message, whole.raw());
    }
    all
}

fn protocol_of(frame: &Frame) -> Option<String> {
    let ether = frame.ether()?;
    let tag = frame.layers.iter().rev().find_map(|it| match it {
        Layer::Dot1Q(tag) => Some(tag.ethertype),
        _ => None,
    });
    let Auto::Set(ethertype) = tag.unwrap_or(ether.ethertype) else {
        return None;
    };
    if ethertype != ETHERTYPE_IPV4 {
        return Some(format!(
            "the frame has ethertype {ethertype:#06x}, not IPv4's 0x0800: nobody looks for a message in it"
        ));
    }
    let Some(ip) = frame.ipv4() else {
        return Some("the IP header does not say version 4: hosts drop it".into());
    };
    match ip.proto {
        Auto::Set(17) | Auto::Unset => None,
        Auto::Set(proto) => Some(format!(
            "the IP protocol is {proto}, not UDP's 17: nobody looks for a message in it"
        )),
    }
}

/// What is wrong with the length of the IP header: the message does not begin behind it.
fn header_of(frame: &Frame, bytes: &[u8]) -> Option<String> {
    let Auto::Set(words) = frame.ipv4()?.ihl else {
        return None;
    };
    let fits = frame.bootp().is_some() || with_header(frame, bytes, words).is_some();
    (!fits).then(|| {
        let len = 4 * u32::from(words);
        format!("the IP header says that it is {len} bytes long, and it is not")
    })
}

fn length_of(frame: &Frame, bytes: &[u8]) -> Option<String> {
    let there = bytes.len().saturating_sub(ip_at(frame));
    let ip = frame.ipv4()?;
    let (Auto::Set(words), Auto::Set(len)) = (ip.ihl, ip.len) else {
        return None;
    };
    let header = 4 * usize::from(words);
    let len = usize::from(len);
    if len > there {
        return Some(format!(
            "the IP header says {len} bytes, and {there} were sent"
        ));
    }
    let Auto::Set(udp) = frame.udp()?.len else {
        return None;
    };
    let room = len.saturating_sub(header);
    (usize::from(udp) != room)
        .then(|| format!("the UDP header says {udp} bytes, and the IP header leaves {room} for it"))
}

fn source_of(frame: &Frame) -> Option<String> {
    let mac = frame.ether().map(|it| it.src).filter(|it| is_group(*it));
    if let Some(mac) = mac {
        return Some(format!(
            "it comes from {mac}, a group's address: switches drop it"
        ));
    }
    let ip = frame.ipv4()?.src;
    let wrong = ip.is_broadcast() || ip.is_multicast() || ip.is_loopback();
    wrong.then(|| format!("it comes from {ip}, which is no host's address: hosts drop it"))
}

/// What is odd in the message itself; `rest` is what stands behind the header where that is no option.
fn in_message(all: &mut Vec<(Flaw, String)>, message: &Message, rest: Option<&[u8]>) {
    let it = message.bootp;
    if it.op != 1 {
        let text = format!("op is {}: servers take requests only, op 1", it.op);
        all.push((Flaw::Op, text));
    }
    let rest = rest.filter(|it| message.dhcp.is_none() && it.iter().any(|it| *it != 0));
    if let Some(cookie) = rest.and_then(|it| it.first_chunk::<4>()) {
        let text = format!(
            "the magic cookie is {}, not {}: servers see no DHCP options behind it",
            hex::encode(cookie),
            hex::encode(MAGIC_COOKIE)
        );
        all.push((Flaw::Cookie, text));
    }
    if it.hops > HOPS {
        let text = format!(
            "hops is {}: relay agents drop what passed more than {HOPS} of them, and what passed {MOST_HOPS} at the latest",
            it.hops
        );
        all.push((Flaw::Hops, text));
    }
    let name = message.type_name();
    match message.message_type() {
        None | Some(DISCOVER | REQUEST | INFORM) => {}
        Some(DECLINE | RELEASE) => {
            let text = format!("a server takes a {name} and sends no answer to it");
            all.push((Flaw::Type, text));
        }
        Some(LEASEQUERY) => {
            let text = "servers answer a LEASEQUERY only where told to, and only to a relay agent (giaddr)";
            all.push((Flaw::Type, text.into()));
        }
        Some(_) => {
            let text = format!("a client sends no {name} here: servers do not answer it");
            all.push((Flaw::Type, text));
        }
    }
    let hardware = match (it.htype, it.hlen) {
        (1, 6) if it.client_hardware().iter().all(|it| *it == 0) => {
            Some("chaddr is all zeros: a server may take that for no client".into())
        }
        (1, 6) => None,
        (1, hlen) => Some(format!(
            "hlen is {hlen} and an Ethernet address has 6 bytes: a server may drop that"
        )),
        (htype, hlen) => Some(format!(
            "htype is {htype} and hlen {hlen}, not Ethernet's 1 and 6: a server may serve no such clients"
        )),
    };
    all.extend(hardware.map(|it| (Flaw::Hardware, it)));
}

fn is_group(mac: MacAddr) -> bool {
    mac.octets()[0] & 1 == 1
}

/// The flaw, on the messages that have it; nothing where somebody answered all the same.
fn told(evidence: &Evidence, flaw: Flaw, found: fn(String) -> Found) -> Option<Found> {
    let all = evidence.all(Class::Own(flaw));
    let first = all.first()?;
    let foreign = evidence.count(Class::Foreign);
    if evidence.received_replies() > foreign {
        return None;
    }
    Some(found(first.reason.clone()).on(all))
}

macro_rules! rows {
    ($($name:ident $flaw:ident $found:ident;)*) => {
        $(pub fn $name(evidence: &Evidence, _: &Circumstances) -> Option<Found> {
            told(evidence, Flaw::$flaw, Found::$found)
        })*
    };
}

rows! {
    protocol Protocol likely;
    length Length likely;
    checksum Checksum likely;
    fragment Fragment likely;
    source Source likely;
    port Port likely;
    op Op likely;
    cookie Cookie likely;
    hops Hops likely;
    kind Type likely;
    ttl Ttl possible;
    hardware Hardware possible;
}

pub fn destination(evidence: &Evidence, _: &Circumstances) -> Option<Found> {
    let sight = evidence.all(Class::Asked).last()?;
    let mac = sight.macs.map(|it| it.1).filter(|it| !is_group(*it));
    let is_one = |it: &Ipv4Addr| !it.is_broadcast() && !it.is_multicast();
    let ip = sight.message.as_ref().and(sight.target()).filter(is_one);
    let heard = |sign: &dyn Fn(&Sight) -> bool| evidence.arrived().any(sign);
    let text = match (mac, ip) {
        (Some(mac), _) if !heard(&|it| it.macs.is_some_and(|it| it.0 == mac)) => format!(
            "the message went to {mac} alone, and nothing was heard of that station: it may be nobody's"
        ),
        (_, Some(ip)) if mac.is_none() && !heard(&|it| it.source() == Some(ip)) => format!(
            "the message is for {ip} alone, and nothing was heard of that host: it may be nobody's"
        ),
        _ => return None,
    };
    Some(Found::likely(text).on([sight]))
}

pub fn vlan(evidence: &Evidence, about: &Circumstances) -> Option<Found> {
    let asked = evidence.all(Class::Asked).last()?;
    if about.lab || asked.vlans.is_empty() || evidence.arrived().any(|it| it.vlans == asked.vlans) {
        return None;
    }
    let text = format!(
        "the question went out on {}, and nothing arrived there: the port may not carry it, or not tagged",
        vlan_name(&asked.vlans)
    );
    Some(Found::possible(text).on([asked]))
}
