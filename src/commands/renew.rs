//! What a client does with its lease: `renew`, `rebind`, `reboot`.

use super::Error;
use super::compose::named_server;
use super::input;
use super::message::{MessageArgs, send};
use super::outcome::{Ending, Sink};
use super::session::Session;
use crate::dhcp::Message;
use crate::dhcp::enums::ACK;
use crate::dhcp::template;
use crate::wire::Frame;

/// What a client does with a lease that it holds or remembers (RFC 2131 figure 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// RENEWING: asks the server that gave the lease.
    Renew,
    /// REBINDING: asks any server.
    Rebind,
    /// INIT-REBOOT: asks whether the address is still good.
    Reboot,
}

/// Runs `renew`, `rebind` or `reboot`: the REQUEST that RFC 2131 table 4 has for that state.
pub fn renew(
    renewal: Renewal,
    args: &MessageArgs,
    session: &mut Session,
    sink: &mut dyn Sink,
) -> Result<Ending, Error> {
    let is_ack = |it: &Frame| Message::of(it).and_then(|it| it.message_type()) == Some(ACK);
    let ack = match &args.from {
        Some(source) => Some(input::base(source, &[ACK], session)?.frame),
        None => session.received().into_iter().rfind(is_ack),
    };
    let edits = &args.edits;
    let named = edits.bootp_address("ciaddr").or(edits.option_address(50));
    let server = named_server(edits);
    let incomplete = named.is_none() || (server.is_none() && renewal == Renewal::Renew);
    if ack.is_none() && incomplete {
        let (name, flags) = match renewal {
            Renewal::Renew => ("renew", "--ciaddr IP with --server-id IP"),
            Renewal::Rebind => ("rebind", "--ciaddr IP"),
            Renewal::Reboot => ("reboot", "--requested-ip IP"),
        };
        return Err(Error::Usage(format!(
            "{name} needs a lease: `dora` before it in this conversation, --lease FILE, or {flags}"
        )));
    }
    send(
        args,
        session,
        sink,
        true,
        ack.as_ref(),
        |identity, edits| {
            let mut who = identity.clone();
            if let Some(message) = ack.as_ref().and_then(Message::of) {
                who = template::holder(message, ack.as_ref().and_then(Frame::ether), &who);
                if !edits.sends_as_client() {
                    who.source_mac = identity.source_mac;
                }
            }
            who.address = named.or(who.address);
            who.server = server.or(who.server);
            let draft = match renewal {
                Renewal::Renew => template::renewing(&who),
                Renewal::Rebind => template::rebinding(&who),
                Renewal::Reboot => template::rebooting(&who),
            };
            let mut frame = edits.build(draft);
            if server.is_some()
                && renewal == Renewal::Renew
                && let Some(dhcp) = frame.dhcp_mut()
            {
                // --server-id says whom to ask; a renewing client does not name it (table 4).
                let kept = dhcp.iter().filter(|it| it.code != 54 || !it.is_option());
                dhcp.options = kept.flat_map(|it| it.raw).copied().collect();
            }
            Ok(frame)
        },
    )
}
