//! Messages that follow a captured one: the client's next one, or a server's reply.

use std::net::Ipv4Addr;

use super::delivery::{Delivery, Hardware};
use super::enums::*;
use super::message::Message;
use super::template::{Draft, Identity, fresh, from_client, option, unicast_to_server};
use crate::wire::*;

/// A message that follows a captured one: its xid, addresses, flags and relay carried over, the
/// rest from the template. `who.source_mac` sends it; what `who` says of addresses yields to what
/// the capture says.
///
/// Client messages follow what a server sent (OFFER, ACK, NAK), server messages what a client sent.
/// A REQUEST that follows an ACK renews its lease (table 4). `Err` says which kind of message was expected.
pub fn draft(message_type: u8, captured: &Frame, who: &Identity) -> Result<Draft, String> {
    let message = Message::of(captured)
        .ok_or("the frame it should follow carries no BOOTP message".to_string())?;
    let wants_op = if from_client(message_type) { 2 } else { 1 };
    if message.bootp.op != wants_op {
        let name = message_type_name(message_type).unwrap_or("this message");
        let kind = if wants_op == 2 {
            "a server's message (OFFER or ACK)"
        } else {
            "a client's message (DISCOVER or REQUEST)"
        };
        return Err(format!(
            "{name} follows {kind}, and this frame is {}",
            message.type_name()
        ));
    }
    let mut draft = if from_client(message_type) {
        follow_server(message_type, captured, &message, who)
    } else {
        follow_client(message_type, captured, &message, who)
    };
    draft.tags = captured.tags().collect();
    if let Some(ether) = captured.ether() {
        draft.ether.ethertype = tag_protocol(ether.ethertype);
    }
    Ok(draft)
}

fn follow_server(message_type: u8, captured: &Frame, message: &Message, who: &Identity) -> Draft {
    let bootp = message.bootp;
    let address = [bootp.yiaddr, bootp.ciaddr]
        .into_iter()
        .find(|ip| !ip.is_unspecified());
    let who = Identity {
        client_mac: bootp.client_mac(),
        xid: bootp.xid,
        address: address.or(who.address),
        server: message.server_id().or(who.server),
        server_mac: captured.ether().map(|ether| ether.src).or(who.server_mac),
        ..who.clone()
    };
    let mut draft = fresh(message_type, &who);
    let renewing = message_type == REQUEST && message.message_type() == Some(ACK);
    if renewing {
        // Table 4, RENEWING: the address in ciaddr, by unicast, no server and no address as options.
        draft.options.retain(|it| !matches!(it.code, 50 | 54));
        draft.bootp.ciaddr = who.address.unwrap_or(Ipv4Addr::UNSPECIFIED);
        unicast_to_server(&mut draft, &who);
    }
    draft.bootp.htype = bootp.htype;
    draft.bootp.hlen = bootp.hlen;
    draft.bootp.chaddr = bootp.chaddr;
    // Table 5: DECLINE and RELEASE clear the flags, and a configured host needs no broadcast.
    if matches!(message_type, DISCOVER | REQUEST) && !renewing {
        draft.bootp.flags = bootp.flags;
    }
    if let Some(data) = message.data(61) {
        draft.put(option(61, data.into_owned()));
    } else if bootp.htype != 1 || bootp.hlen != 6 {
        let mut id = vec![bootp.htype];
        id.extend(bootp.client_hardware());
        draft.put(option(61, id));
    }
    // Taken between server and relay agent; behind the relay agent the reply goes to port 68.
    let at_relay =
        !bootp.giaddr.is_unspecified() && captured.udp().is_some_and(|it| it.dport == SERVER_PORT);
    if at_relay {
        if let Some(ether) = captured.ether().filter(|it| !it.dst.is_multicast()) {
            draft.ether = Ether {
                dst: ether.src,
                src: ether.dst,
                ethertype: Auto::Unset,
            };
        }
        // What a client unicasts is routed past the relay agent (section 4.3.6).
        if message_type != RELEASE && !renewing {
            draft.bootp.giaddr = bootp.giaddr;
            draft.bootp.hops = 1;
            draft.ip.src = bootp.giaddr;
            draft.ip.dst = who.server.unwrap_or(Ipv4Addr::BROADCAST);
            draft.udp.sport = SERVER_PORT;
            if let Some(relay) = message.data(82) {
                draft.options.push(option(82, relay.into_owned()));
            }
        }
    }
    draft
}

/// Has a client's message say what the same client said `earlier` in the exchange: the identifier and the
/// parameter list that all of its messages repeat once one has them (section 4.3.2). Servers before
/// RFC 6842 do not return the identifier, so the reply alone does not tell it.
pub fn as_before(draft: &mut Draft, earlier: &Message) {
    match earlier.data(61) {
        Some(data) => draft.put(option(61, data.into_owned())),
        None => draft.options.retain(|it| it.code != 61),
    }
    if let (Some(_), Some(list)) = (draft.data(55), earlier.data(55)) {
        draft.put(option(55, list.into_owned()));
    }
}

fn follow_client(message_type: u8, captured: &Frame, message: &Message, who: &Identity) -> Draft {
    let bootp = message.bootp;
    let address = [
        message.requested_ip(),
        Some(bootp.ciaddr).filter(|ip| !ip.is_unspecified()),
    ];
    let inform = message.message_type() == Some(INFORM);
    let who = Identity {
        client_mac: bootp.client_mac(),
        xid: bootp.xid,
        address: address.into_iter().flatten().next().or(who.address),
        server: message.server_id().or(who.server),
        ..who.clone()
    };
    let mut draft = fresh(message_type, &who);
    let reply = &mut draft.bootp;
    (reply.htype, reply.hlen, reply.chaddr) = (bootp.htype, bootp.hlen, bootp.chaddr);
    (reply.flags, reply.giaddr) = (bootp.flags, bootp.giaddr);
    if message_type == ACK {
        reply.ciaddr = bootp.ciaddr;
    }
    if message_type == ACK && inform {
        // RFC 2131 section 4.3.5: no lease, no yiaddr.
        reply.yiaddr = Ipv4Addr::UNSPECIFIED;
        draft.options.retain(|it| !matches!(it.code, 51 | 58 | 59));
    }
    let delivery = Delivery::of(message_type, &draft.bootp, bootp.ciaddr);
    if !bootp.giaddr.is_unspecified()
        && let Some(router) = draft.options.iter_mut().find(|it| it.code == 3)
    {
        // This server is not on the client's network; the relay agent is.
        router.data = bootp.giaddr.octets().to_vec();
    }
    draft.ip.dst = delivery.ip;
    draft.udp.dport = delivery.port;
    draft.ether.dst = match (delivery.hardware, captured.ether()) {
        (Hardware::Broadcast, _) => MacAddr::broadcast(),
        (Hardware::Client, _) => bootp.client_mac(),
        (Hardware::NextHop, Some(ether)) => ether.src,
        (Hardware::NextHop, None) => MacAddr::broadcast(),
    };
    if delivery.set_broadcast {
        draft.bootp.set_broadcast(true);
    }
    // RFC 6842: the client identifier comes back; RFC 3046 section 2.2: so does option 82, last.
    for code in [61, 82] {
        if let Some(data) = message.data(code) {
            draft.options.push(option(code, data.into_owned()));
        }
    }
    draft
}
