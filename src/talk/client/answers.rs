//! What a client makes of a reply.

use super::{Client, ClientEnd, MAX_OFFERS, State};
use crate::dhcp::Message;
use crate::dhcp::enums::{ACK, NAK, OFFER};
use crate::link::Time;
use crate::talk::matching::Verdict;
use crate::talk::player::Outbox;
use crate::wire::*;

impl Client {
    /// Whether this answer was seen before.
    fn seen_before(&mut self, frame: &Frame, message: &Message) -> bool {
        let key = (
            message.message_type().unwrap_or(0),
            message.server_id(),
            message.bootp.yiaddr,
            frame.ether().map(|ether| ether.src),
        );
        let seen = self.seen.contains(&key);
        if !seen && self.seen.len() < MAX_OFFERS {
            self.seen.push(key);
        }
        seen
    }

    /// Why a reply with our xid and chaddr is not for us to take all the same.
    fn objection(&self, frame: &Frame, message: &Message) -> Option<String> {
        let sent = Message::of(&self.request)?;
        // RFC 6842 section 3.
        if let (Some(ours), Some(theirs)) = (sent.data(61), message.data(61))
            && ours != theirs
        {
            return Some("client identifier is not ours".into());
        }
        // A relay agent's replies come to the port of servers.
        let port = frame.udp()?.dport;
        let relayed = !sent.bootp.giaddr.is_unspecified() && port == SERVER_PORT;
        if port != CLIENT_PORT && !relayed && Some(port) != self.own_port() {
            return Some(format!("came to port {port}"));
        }
        let kind = message.message_type();
        if !matches!(kind, Some(OFFER | ACK)) {
            return None;
        }
        let ip = message.bootp.yiaddr;
        if ip.is_unspecified() || ip.is_broadcast() || ip.is_multicast() || ip.is_loopback() {
            return Some(format!("{ip} is no address for a host"));
        }
        // Table 3: there is nobody that a REQUEST could name.
        let unnamed = kind == Some(OFFER) && message.server_id().is_none();
        unnamed.then(|| "names no server (option 54)".into())
    }

    /// Takes note where an ACK gives another address than was asked for; whether it does. RFC 2131 section 3.1 (5)
    /// has a client use what the ACK says.
    fn compare(&mut self, ack: &Message, out: &mut Outbox) -> bool {
        let Some(sent) = Message::of(&self.request) else {
            return false;
        };
        let held = Some(sent.bootp.ciaddr).filter(|it| !it.is_unspecified());
        let (asked, given) = (sent.requested_ip().or(held), ack.bootp.yiaddr);
        let Some(asked) = asked.filter(|it| *it != given) else {
            return false;
        };
        self.replaced = Some((asked, given));
        out.remark = Some(format!("{asked} was asked for"));
        true
    }

    /// The port that the message under way was sent from.
    fn own_port(&self) -> Option<u16> {
        self.request.udp().map(|it| it.sport)
    }

    pub(super) fn answer(
        &mut self,
        now: Time,
        frame: &Frame,
        message: &Message,
        out: &mut Outbox,
    ) -> Verdict {
        if let Some(reason) = self.objection(frame, message) {
            return Verdict::Stray(reason);
        }
        let seen = self.seen_before(frame, message);
        let rapid = Message::of(&self.request).is_some_and(|it| it.data(80).is_some())
            && message.data(80).is_some();
        match (message.message_type(), &self.state) {
            (Some(OFFER), State::Selecting(_)) => {
                if seen {
                    return Verdict::Duplicate;
                }
                if self.offers.len() < MAX_OFFERS {
                    self.offers.push(frame.clone());
                }
                if self.choose(false) {
                    self.take_offer(now, out);
                } else if let State::Selecting(look @ None) = &mut self.state {
                    *look = Some(now + self.config.collect);
                }
                Verdict::Part
            }
            (Some(ACK), State::Selecting(_)) if rapid => {
                self.acknowledged(now, frame, out);
                Verdict::Part
            }
            (Some(ACK | NAK), State::Requesting | State::Rebooting) => {
                let asked = Message::of(&self.request).and_then(|it| it.server_id());
                if let (Some(asked), Some(from)) = (asked, message.server_id())
                    && asked != from
                {
                    return Verdict::Stray(format!("comes from server {from}, asked was {asked}"));
                }
                if message.message_type() == Some(ACK) {
                    self.compare(message, out);
                    self.acknowledged(now, frame, out);
                } else {
                    self.state = State::Ended(ClientEnd::Refused(Box::new(frame.clone())));
                }
                Verdict::Part
            }
            (Some(ACK), State::Holding(_, true)) if !seen => {
                match self.compare(message, out) {
                    // It is to be looked whether it is free, as of any new one.
                    true => self.acknowledged(now, frame, out),
                    false => self.bound(now, frame),
                }
                Verdict::Part
            }
            (Some(NAK), State::Holding(_, true)) => {
                match self.closing {
                    Some(_) => {
                        self.state = State::Ended(ClientEnd::Refused(Box::new(frame.clone())));
                    }
                    None => self.restart(now, out),
                }
                Verdict::Part
            }
            _ if seen => Verdict::Duplicate,
            // A late offer still answers the DISCOVER.
            (Some(OFFER), _) => Verdict::Part,
            _ => Verdict::Stray(format!("{} was not asked for", message.type_name())),
        }
    }
}
