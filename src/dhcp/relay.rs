//! What a relay agent does to the messages that pass it (RFC 1542 section 4.1, RFC 3046 section 2.1).

use std::net::Ipv4Addr;

use super::message::Message;
use super::template::{Delivery, Hardware, MIN_MESSAGE};
use crate::wire::*;

/// Code of the relay agent information option.
pub const RELAY_INFO: u8 = 82;

/// A relay agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// Its address: the giaddr that it gives to messages of its own link.
    pub address: Ipv4Addr,
    /// Data of the option 82 that it adds to those; empty for none.
    pub info: Vec<u8>,
}

impl Agent {
    /// Passes a client's message on: one hop more, from the agent's address and port 67 to port 67. The
    /// first agent on the way also sets giaddr and adds option 82, unless a bridge before it did
    /// (RFC 3046 section 2.1); a later one leaves both alone (section 2.1.1). The destination stays.
    pub fn forward(&self, frame: &mut Frame) {
        frame.relax();
        if let Some(ip) = frame.ipv4_mut() {
            *ip = Ipv4 {
                src: self.address,
                dst: ip.dst,
                ..Ipv4::default()
            };
        }
        if let Some(udp) = frame.udp_mut() {
            *udp = Udp {
                sport: SERVER_PORT,
                dport: SERVER_PORT,
                ..Udp::default()
            };
        }
        let Some(bootp) = frame.bootp_mut() else {
            return;
        };
        bootp.hops = bootp.hops.saturating_add(1);
        if !bootp.giaddr.is_unspecified() {
            return;
        }
        bootp.giaddr = self.address;
        if let Some(dhcp) = frame.dhcp_mut()
            && !self.info.is_empty()
            && !has_info(&dhcp.options)
        {
            dhcp.options = with_info(&dhcp.options, &self.info);
        }
    }

    /// Passes a server's reply on to the client, as RFC 2131 section 4.1 and RFC 1542 section 4.1.2 have
    /// it: by broadcast where the client asks for that or the reply is a NAK, else to yiaddr at chaddr.
    /// The agent's own option 82 is taken out.
    pub fn deliver(&self, frame: &mut Frame, source: MacAddr) {
        frame.relax();
        let kind = Message::of(frame).and_then(|it| it.message_type());
        let Some(bootp) = frame.bootp() else {
            return;
        };
        let direct = Bootp {
            giaddr: Ipv4Addr::UNSPECIFIED,
            ..bootp.clone()
        };
        let delivery = Delivery::of(kind.unwrap_or_default(), &direct, bootp.ciaddr);
        let client = direct.client_mac();
        if let Some(ether) = frame.ether_mut() {
            ether.src = source;
            ether.dst = match delivery.hardware {
                Hardware::Client | Hardware::NextHop => client,
                Hardware::Broadcast => MacAddr::broadcast(),
            };
        }
        if let Some(ip) = frame.ipv4_mut() {
            *ip = Ipv4 {
                src: self.address,
                dst: delivery.ip,
                ..Ipv4::default()
            };
        }
        if let Some(udp) = frame.udp_mut() {
            *udp = Udp {
                sport: SERVER_PORT,
                dport: delivery.port,
                ..Udp::default()
            };
        }
        if let Some(dhcp) = frame.dhcp_mut()
            && !self.info.is_empty()
        {
            dhcp.options = without_info(&dhcp.options);
        }
    }
}

/// Whether a stream of options has option 82.
pub fn has_info(stream: &[u8]) -> bool {
    Options::new(stream).any(|it| it.is_option() && it.code == RELAY_INFO)
}

/// The stream with option 82 as the last option. Padding behind END makes room for it, so that a padded
/// message keeps its length.
fn with_info(stream: &[u8], info: &[u8]) -> Vec<u8> {
    let end = Options::new(stream).find(|it| it.kind == ItemKind::End);
    let end = end.map_or(stream.len(), |it| it.offset);
    let mut out = stream[..end].to_vec();
    push_option(&mut out, RELAY_INFO, info);
    let used = stream
        .iter()
        .rposition(|it| *it != PAD)
        .map_or(0, |at| at + 1);
    let room = stream.len() - used.max(end);
    let added = out.len() - end;
    out.extend_from_slice(&stream[end..stream.len() - added.min(room)]);
    out
}

/// The stream without option 82, padded to what old clients take (RFC 1542 section 2.1).
fn without_info(stream: &[u8]) -> Vec<u8> {
    let kept = Options::new(stream).filter(|it| !(it.is_option() && it.code == RELAY_INFO));
    let mut out: Vec<u8> = kept.flat_map(|it| it.raw).copied().collect();
    let least = MIN_MESSAGE - BOOTP_LEN - MAGIC_COOKIE.len();
    if out.len() < stream.len() && out.len() < least {
        out.resize(least.min(stream.len()), PAD);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn option_82_comes_last_and_goes_again() {
        for (before, after) in [
            (&[53, 1, 1, 255][..], &[53, 1, 1, 82, 2, 9, 9, 255][..]),
            // Padding makes room, a byte that is no padding does not.
            (
                &[53, 1, 1, 255, 0, 0, 0, 0, 0],
                &[53, 1, 1, 82, 2, 9, 9, 255, 0],
            ),
            (&[53, 1, 1, 255, 0, 0], &[53, 1, 1, 82, 2, 9, 9, 255]),
            (&[53, 1, 1, 255, 7], &[53, 1, 1, 82, 2, 9, 9, 255, 7]),
            // Without END it stands at the end.
            (&[53, 1, 1], &[53, 1, 1, 82, 2, 9, 9]),
            (&[], &[82, 2, 9, 9]),
        ] {
            assert_eq!(with_info(before, &[9, 9]), after, "{before:?}");
            let back = without_info(after);
            let text = |it: &[u8]| it.iter().rposition(|it| *it != PAD).map_or(0, |at| at + 1);
            assert_eq!(back[..text(&back)], before[..text(before)]);
            assert!(back.len() <= after.len());
        }
    }
}
