//! Which reply belongs to which request.

use crate::dhcp::Message;
use crate::wire::{Auto, Frame, Layer};

/// What a received frame is to an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Belongs to the exchange: a sent frame, an answer to it, or a frame read from a file.
    Part,
    /// The same answer once more.
    Duplicate,
    /// Not an answer; the words say why (`xid 0x… is not ours`, `chaddr … is not ours`).
    Stray(String),
}

/// Whether a frame answers an ARP request or an ICMP echo request.
fn answers_probe(request: &Frame, reply: &Frame) -> bool {
    if vlans(request) != vlans(reply) {
        return false;
    }
    if let (Some(asked), Some(told)) = (request.arp(), reply.arp()) {
        return asked.op == 1 && told.op == 2 && told.psrc == asked.pdst;
    }
    match (request.icmp(), reply.icmp()) {
        (Some(asked), Some(told)) => {
            // `rest` is the identifier and the sequence number.
            asked.kind == 8 && told.kind == 0 && told.rest == asked.rest
        }
        _ => false,
    }
}

/// The VLANs that a frame travels on, outermost first. A tag with id 0 tells a priority only and names
/// no VLAN (IEEE 802.1Q).
pub fn vlans(frame: &Frame) -> Vec<u16> {
    frame.vlans().filter(|id| *id != 0).collect()
}

/// VLANs in words: `VLAN 20`, `VLAN 20.30` for QinQ, `no VLAN`.
pub fn vlan_name(vlans: &[u16]) -> String {
    let ids: Vec<String> = vlans.iter().map(u16::to_string).collect();
    match ids.is_empty() {
        true => "no VLAN".into(),
        false => format!("VLAN {}", ids.join(".")),
    }
}

/// Compares a reply with the request it should answer: by xid *and* chaddr, because a broadcast
/// reply reaches everybody and xids collide; and by VLAN, because a host on the request's would not
/// see it. Of ARP by the address asked for, of ping by identifier and sequence number. `None` when the
/// frame answers nothing of that kind.
pub fn match_reply(request: &Frame, reply: &Frame) -> Option<Verdict> {
    if answers_probe(request, reply) {
        return Some(Verdict::Part);
    }
    let sent = Message::of(request)?.bootp;
    let got = Message::of(reply)?.bootp;
    if got.op != 2 {
        return None;
    }
    let (ours, theirs) = (sent.client_hardware(), got.client_hardware());
    Some(if got.xid != sent.xid {
        let (got, sent) = (got.xid, sent.xid);
        Verdict::Stray(format!("xid {got:#010x} is not ours ({sent:#010x})"))
    } else if ours != theirs {
        let name = |it: &[u8]| match <[u8; 6]>::try_from(it) {
            Ok(mac) => pnet::util::MacAddr::from(mac).to_string(),
            Err(_) => format!("hex:{}", hex::encode(it)),
        };
        Verdict::Stray(format!(
            "chaddr {} is not ours ({})",
            name(theirs),
            name(ours)
        ))
    } else if vlans(reply) != vlans(request) {
        let (got, sent) = (vlan_name(&vlans(reply)), vlan_name(&vlans(request)));
        Verdict::Stray(format!("on {got}, asked on {sent}"))
    } else {
        Verdict::Part
    })
}

/// Of what two players say of a frame, what is true of it: one's stray may be another's answer.
pub(super) fn better(first: Option<Verdict>, second: Option<Verdict>) -> Option<Verdict> {
    let rank = |it: &Option<Verdict>| match it {
        Some(Verdict::Part) => 3,
        Some(Verdict::Duplicate) => 2,
        Some(Verdict::Stray(_)) => 1,
        None => 0,
    };
    match rank(&second) > rank(&first) {
        true => second,
        false => first,
    }
}

/// Why a host's network stack would drop the frame: a wrong checksum in its IPv4 or UDP header.
/// `unfinished` frames come from this machine with the UDP checksum left for the card to make.
pub fn checksum_fault(frame: &Frame, unfinished: bool) -> Option<String> {
    let computed = frame.computed();
    for (layer, computed) in frame.layers.iter().zip(computed) {
        match layer {
            Layer::Ipv4(ip) if ip.frag != 0 || ip.flags & 1 != 0 => return None,
            Layer::Ipv4(ip) => {
                if let Auto::Set(is) = ip.chksum
                    && is != computed.chksum
                {
                    let should = computed.chksum;
                    return Some(format!(
                        "IP checksum {is:#06x} is wrong, should be {should:#06x}"
                    ));
                }
            }
            Layer::Udp(udp) => {
                if let Auto::Set(is) = udp.chksum
                    && is != 0
                    && is != computed.chksum
                    && !unfinished
                {
                    let should = computed.chksum;
                    return Some(format!(
                        "UDP checksum {is:#06x} is wrong, should be {should:#06x}"
                    ));
                }
            }
            _ => {}
        }
    }
    None
}

/// Why a host's network stack would drop the frame: its IPv4 or UDP header tells of more bytes than came.
pub fn length_fault(frame: &Frame) -> Option<String> {
    let mut there = 0;
    let mut found = None;
    for layer in frame.layers.iter().rev() {
        if matches!(layer, Layer::Padding(_)) {
            continue;
        }
        there += layer.encoded_len();
        let (name, len) = match layer {
            Layer::Ipv4(ip) if ip.frag != 0 || ip.flags & 1 != 0 => return None,
            Layer::Ipv4(ip) => ("IP", ip.len),
            Layer::Udp(udp) => ("UDP", udp.len),
            _ => continue,
        };
        if let Auto::Set(is) = len
            && usize::from(is) > there
        {
            found = Some(format!("{name} length {is}, and {there} bytes are there"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::length_fault;
    use crate::wire::{Auto, Frame, Layer};

    #[test]
    fn a_length_that_tells_of_more_than_came() {
        let udp = Layer::Udp(Default::default());
        let whole = Frame {
            layers: vec![
                Layer::Ipv4(Default::default()),
                udp,
                Layer::Raw(vec![1; 20]),
            ],
        };
        let with = |ip: u16, len: u16, padded: usize| {
            let mut frame = whole.clone();
            frame.ipv4_mut().expect("IP").len = Auto::Set(ip);
            frame.udp_mut().expect("UDP").len = Auto::Set(len);
            frame.layers.push(Layer::Padding(vec![0; padded]));
            length_fault(&frame)
        };
        assert_eq!(length_fault(&whole), None);
        // The padding of a short Ethernet frame is not of the datagram.
        assert_eq!(with(48, 28, 6), None);
        assert_eq!(with(20, 8, 0), None);
        let is = |text: &str| Some(text.to_string());
        assert_eq!(with(48, 29, 6), is("UDP length 29, and 28 bytes are there"));
        assert_eq!(with(49, 28, 0), is("IP length 49, and 48 bytes are there"));
    }
}
