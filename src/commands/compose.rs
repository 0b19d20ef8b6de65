//! A message of each type from its template, with what the command line names, and what it must not lack.

use std::net::Ipv4Addr;

use super::Error;
use super::edits::Edits;
use crate::dhcp::enums::*;
use crate::dhcp::template::{self, Draft, Identity};
use crate::wire::Frame;

/// Refuses a message that would lack what RFC 2131 wants in it and the captured frame did not tell.
pub(super) fn complete(message_type: u8, draft: &Draft) -> Result<(), Error> {
    let lacks = |flag: &str, what: &str| {
        let name = message_type_name(message_type).unwrap_or("the message");
        Err(Error::Usage(format!(
            "{name} needs {flag}: the frame it follows does not tell {what}"
        )))
    };
    let lease = message_type == OFFER || draft.data(51).is_some();
    let nameless = draft.data(54).is_none();
    match message_type {
        OFFER | ACK if lease && draft.bootp.yiaddr.is_unspecified() => {
            lacks("--yiaddr IP", "the address to give")
        }
        OFFER | ACK | NAK if nameless => lacks("--server-id IP", "the server it comes from"),
        DECLINE | RELEASE if nameless => lacks("--server-id IP", "the server that gave it"),
        DECLINE if draft.data(50).is_none() => lacks("--requested-ip IP", "the address in use"),
        RELEASE | INFORM if draft.bootp.ciaddr.is_unspecified() => {
            lacks("--ciaddr IP", "the client's address")
        }
        REQUEST if draft.data(50).is_none() && draft.bootp.ciaddr.is_unspecified() => {
            lacks("--requested-ip IP", "the address offered")
        }
        _ => Ok(()),
    }
}

/// The server that the command line names.
pub(super) fn named_server(edits: &Edits) -> Option<Ipv4Addr> {
    edits.option_address(54)
}

/// The address that the command line gives the client, wherever the message type has it.
pub(super) fn named_address(message_type: u8, edits: &Edits) -> Option<Ipv4Addr> {
    let ciaddr = edits.bootp_address("ciaddr");
    match message_type {
        RELEASE | INFORM | LEASEQUERY | FORCERENEW => ciaddr.or(edits.bootp_address("yiaddr")),
        OFFER | ACK => edits.bootp_address("yiaddr"),
        _ => edits.option_address(50),
    }
}

/// A message from its template, completed with what the command line names.
pub(super) fn fresh(message_type: u8, identity: &Identity, edits: &Edits) -> Result<Frame, Error> {
    if edits.bare {
        return Ok(edits.build(template::bare(Some(message_type), identity)));
    }
    let mut who = identity.clone();
    let ciaddr = edits.bootp_address("ciaddr");
    who.address = named_address(message_type, edits).or(who.address);
    who.server = named_server(edits).or(who.server);
    match message_type {
        INFORM => {
            who.address = named_address(message_type, edits)
                .or(who.own)
                .or(who.address)
        }
        OFFER | ACK | NAK | FORCERENEW => {
            who.server = named_server(edits).or(who.server).or(who.own)
        }
        _ => {}
    }
    if message_type == DISCOVER {
        who.address = named_address(message_type, edits);
    }
    if message_type == REQUEST {
        if named_address(message_type, edits).is_some() && named_server(edits).is_none() {
            // INIT-REBOOT: the address is remembered, the server is not named (table 4).
            who.server = None;
        }
        if let (Some(_), None) = (ciaddr, named_address(message_type, edits)) {
            // RENEWING or REBINDING: the address is in ciaddr and nowhere else (table 4).
            who.address = None;
            who.server = None;
        } else if who.address.is_none() {
            return Err(Error::Usage(
                "request needs an address: --from a captured OFFER, --requested-ip IP with --server-id IP \
                 (after an offer) or alone (INIT-REBOOT), or --ciaddr IP (renewing)"
                    .into(),
            ));
        }
    }
    let need = |what: Option<Ipv4Addr>, flag: &str, reason: &str| match what {
        Some(_) => Ok(()),
        None => {
            let name = message_type_name(message_type).unwrap_or("the message");
            Err(Error::Usage(format!("{name} needs {flag}: {reason}")))
        }
    };
    match message_type {
        DECLINE => {
            need(
                who.address,
                "--requested-ip IP",
                "the address that is in use; or --from a captured OFFER or ACK",
            )?;
            need(who.server, "--server-id IP", "the server that gave it")?;
        }
        RELEASE => {
            need(
                who.address,
                "--ciaddr IP",
                "the address given back; or --from a captured ACK",
            )?;
            need(who.server, "--server-id IP", "the server that gave it")?;
        }
        INFORM => need(
            who.address,
            "--ciaddr IP",
            "the address the client already has",
        )?,
        OFFER | ACK => {
            need(
                who.address,
                "--yiaddr IP",
                "the address given; or --from a captured DISCOVER or REQUEST",
            )?;
            need(who.server, "--server-id IP", "the server it comes from")?;
        }
        NAK | FORCERENEW => need(who.server, "--server-id IP", "the server it comes from")?,
        _ => {}
    }
    let mut draft = template::fresh(message_type, &who);
    if let Some(ciaddr) = ciaddr.filter(|_| message_type == REQUEST) {
        draft.ip.src = ciaddr;
    }
    // A reply to chaddr would go to another station than this one; one to a relay agent comes here.
    if matches!(message_type, DISCOVER | REQUEST)
        && edits.giaddr().is_none()
        && who.source_mac != who.client_mac
    {
        draft.bootp.set_broadcast(true);
    }
    Ok(edits.build(draft))
}
