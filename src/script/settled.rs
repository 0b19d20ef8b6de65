//! Whether what was expected of a run is that it failed.

use super::exchange::{Exchange, Yielded, replies};
use crate::commands::outcome::{Direction, Ending, Entry, Verdict};
use crate::dhcp::Message;
use crate::dhcp::enums::{ACK, DISCOVER, NAK, OFFER};
use crate::view::Format;
use crate::wire::{CLIENT_PORT, SERVER_PORT, push_option};

/// The same run as if it had not failed: an expectation that holds of both is not about the failure.
/// `None` where there was nothing to answer.
pub fn had_it_succeeded(yielded: &Yielded, ending: &Ending) -> Option<Exchange> {
    let mut yielded = yielded.clone();
    if matches!(ending, Ending::Refused(_)) {
        yielded.entries.iter_mut().for_each(grant);
    }
    if matches!(ending, Ending::NoReply(_)) && replies(&yielded.entries).next().is_none() {
        let sent = |it: &&Entry| it.direction == Direction::Sent && it.frame.bootp().is_some();
        let asked = yielded.entries.iter().find(sent)?;
        let reply = reply_to(asked);
        yielded.entries.push(reply);
    }
    Some(Exchange::new(yielded, Ending::Bound, Format::Table))
}

/// Makes a NAK an ACK.
fn grant(entry: &mut Entry) {
    let refused = Message::of(&entry.frame).and_then(|it| it.message_type()) == Some(NAK);
    if refused && let Some(dhcp) = entry.frame.dhcp_mut() {
        let mut options = Vec::new();
        for item in dhcp.iter() {
            match item.code {
                53 => push_option(&mut options, 53, &[ACK]),
                _ => options.extend_from_slice(item.raw),
            }
        }
        dhcp.options = options;
    }
}

/// A bare reply to a message.
fn reply_to(asked: &Entry) -> Entry {
    let mut reply = asked.frame.clone();
    let kind = match Message::of(&asked.frame).and_then(|it| it.message_type()) {
        Some(DISCOVER) => OFFER,
        _ => ACK,
    };
    if let Some(bootp) = reply.bootp_mut() {
        bootp.op = 2;
    }
    if let Some(udp) = reply.udp_mut() {
        (udp.sport, udp.dport) = (SERVER_PORT, CLIENT_PORT);
    }
    if let Some(dhcp) = reply.dhcp_mut() {
        dhcp.options.clear();
        push_option(&mut dhcp.options, 53, &[kind]);
    }
    Entry {
        frame: reply,
        direction: Direction::Received,
        verdict: Verdict::Part,
        ..asked.clone()
    }
}
