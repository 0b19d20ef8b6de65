//! What a relay agent does to the messages that pass it (RFC 1542 section 4.1, RFC 3046 section 2.1).

use std::net::Ipv4Addr;

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
}

/// Whether a stream of options has option 82.
fn has_info(stream: &[u8]) -> bool {
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
}
