//! What a relay agent does to the messages that pass it (RFC 1542 section 4.1, RFC 3046 section 2.1).

use std::net::Ipv4Addr;

use super::template::MIN_MESSAGE;
use crate::wire::*;

/// Code of the relay agent information option.
const RELAY_INFO: u8 = 82;

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

    /// Hands a server's reply to its client (RFC 1542 section 4.1.2): by broadcast where the flag asks for that
    /// or nothing else reaches the client, else to its address at its hardware address. With `strip` option 82
    /// is taken out, as the agent that added it has to (RFC 3046 section 2.1).
    pub fn deliver(&self, frame: &mut Frame, strip: bool) {
        frame.relax();
        let Some(bootp) = frame.bootp() else { return };
        let known = [bootp.yiaddr, bootp.ciaddr];
        let known = known.into_iter().find(|ip| !ip.is_unspecified());
        let ethernet = (bootp.htype, bootp.hlen) == (1, 6);
        let (ip, mac) = match known.filter(|_| ethernet && !bootp.broadcast()) {
            Some(ip) => (ip, bootp.client_mac()),
            None => (Ipv4Addr::BROADCAST, MacAddr::broadcast()),
        };
        if let Some(ether) = frame.ether_mut() {
            ether.dst = mac;
        }
        if let Some(header) = frame.ipv4_mut() {
            *header = Ipv4 {
                src: self.address,
                dst: ip,
                ..Ipv4::default()
            };
        }
        if let Some(udp) = frame.udp_mut() {
            *udp = Udp {
                sport: SERVER_PORT,
                dport: CLIENT_PORT,
                ..Udp::default()
            };
        }
        if let Some(dhcp) = frame.dhcp_mut()
            && strip
            && has_info(&dhcp.options)
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

/// The stream without option 82. Pads behind END stand for it, so that the message gets no shorter than BOOTP
/// allows.
fn without_info(stream: &[u8]) -> Vec<u8> {
    let kept = Options::new(stream).filter(|it| !it.is_option() || it.code != RELAY_INFO);
    let mut out: Vec<u8> = kept.flat_map(|it| it.raw).copied().collect();
    let room = (MIN_MESSAGE - BOOTP_LEN - MAGIC_COOKIE.len()).min(stream.len());
    out.resize(out.len().max(room), PAD);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn option_82_comes_last() {
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
        }
    }

    #[test]
    fn option_82_is_taken_out_again() {
        let long: Vec<u8> = [53, 1, 5, 12, 60]
            .into_iter()
            .chain([b'h'; 60])
            .chain([82, 2, 9, 9, 255])
            .collect();
        let mut stripped = long.clone();
        stripped.drain(65..69);
        for (before, after) in [
            (&long[..], &stripped[..]),
            // Below the least length pads stand for it.
            (
                &[53, 1, 5, 82, 2, 9, 9, 255, 0],
                &[53, 1, 5, 255, 0, 0, 0, 0, 0],
            ),
            (
                &[82, 1, 9, 53, 1, 5, 82, 1, 9, 255],
                &[53, 1, 5, 255, 0, 0, 0, 0, 0, 0],
            ),
            // Behind END it is no option.
            (&[53, 1, 5, 255, 82, 1, 9], &[53, 1, 5, 255, 82, 1, 9]),
        ] {
            assert_eq!(without_info(before), after, "{before:?}");
        }
    }
}
