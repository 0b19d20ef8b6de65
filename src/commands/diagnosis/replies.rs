//! Replies that came and led to nothing.

use super::causes::Found;
use super::evidence::{Class, Evidence};
use super::sight::{Digest, Sight};
use super::{Circumstances, plural};
use crate::dhcp::enums::{ACK, NAK, OFFER, REQUEST};

/// Different reasons told; of more there is only the number.
const REASONS: usize = 3;

/// `2 replies were not taken: the reason`, on the frames of the class.
fn not_taken(evidence: &Evidence, class: Class) -> Option<Found> {
    let all = evidence.all(class);
    let count = evidence.count(class);
    let mut reasons: Vec<&str> = Vec::new();
    for it in all {
        let reason = match it.reason.as_str() {
            "" => unsaid(class),
            said => said,
        };
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    reasons.first()?;
    let more = match reasons.len().saturating_sub(REASONS) {
        0 => String::new(),
        more => format!(
            "; and {}",
            plural(more as u64, "more like it", "more like it")
        ),
    };
    reasons.truncate(REASONS);
    let told = reasons.join("; ");
    let were = plural(count, "reply was", "replies were");
    Some(Found::certain(format!("{were} not taken: {told}{more}")).on(all))
}

/// Why a reply of a class is not taken, where no player was there to say it.
fn unsaid(class: Class) -> &'static str {
    match class {
        Class::Excluded => "--where does not hold for it",
        Class::Damaged => "a checksum is wrong",
        Class::OtherVlan => "it came on another VLAN than the question",
        Class::OtherClient => "it is for another client",
        Class::OtherXid => "it is to another transaction",
        Class::OtherServer => "it is another server's than the one asked",
        _ => "nobody was waiting for it",
    }
}

pub fn excluded(evidence: &Evidence, _: &Circumstances) -> Option<Found> {
    not_taken(evidence, Class::Excluded)
}

pub fn damaged(evidence: &Evidence, _: &Circumstances) -> Option<Found> {
    not_taken(evidence, Class::Damaged)
}

pub fn cut(evidence: &Evidence, _: &Circumstances) -> Option<Found> {
    let all = evidence.all(Class::Cut);
    let were = plural(evidence.count(Class::Cut), "reply was", "replies were");
    let missing = &all.first()?.reason;
    Some(Found::certain(format!("{were} cut short: {missing}")).on(all))
}

pub fn other_vlan(evidence: &Evidence, _: &Circumstances) -> Option<Found> {
    let there = &evidence.all(Class::OtherVlan).first()?.vlans;
    let found = not_taken(evidence, Class::OtherVlan)?;
    Some(found.next(format!(
        "{} asks there; if the question is right, the port's or the server's VLAN is not",
        flags(there)
    )))
}

/// The flags that ask on these VLANs.
pub fn flags(vlans: &[u16]) -> String {
    match vlans {
        [] => "leaving --vlan out".into(),
        all => {
            let all: Vec<String> = all.iter().map(|it| format!("--vlan {it}")).collect();
            all.join(" ")
        }
    }
}

pub fn other_client(evidence: &Evidence, _: &Circumstances) -> Option<Found> {
    not_taken(evidence, Class::OtherClient)
}

pub fn other_xid(evidence: &Evidence, _: &Circumstances) -> Option<Found> {
    not_taken(evidence, Class::OtherXid)
}

pub fn unasked(evidence: &Evidence, _: &Circumstances) -> Option<Found> {
    not_taken(evidence, Class::Unasked)
}

pub fn other_server(evidence: &Evidence, _: &Circumstances) -> Option<Found> {
    // What a NAK means is told with the NAK.
    let nak = evidence.messages(Class::OtherServer);
    if { nak }.any(|it| it.1.kind == Some(NAK)) {
        return None;
    }
    not_taken(evidence, Class::OtherServer)
}

pub fn other_port(evidence: &Evidence, _: &Circumstances) -> Option<Found> {
    let all = evidence.all(Class::OtherPort);
    let (from, to) = all.first()?.ports?;
    let came = plural(evidence.count(Class::OtherPort), "reply", "replies");
    Some(Found::certain(format!("{came} came from UDP port {from} to port {to}")).on(all))
}

/// Offers that were taken note of.
pub fn offers(evidence: &Evidence) -> Vec<(&Sight, &Digest)> {
    let all = evidence.messages(Class::Answer);
    all.filter(|it| it.1.kind == Some(OFFER)).collect()
}

pub fn not_chosen(evidence: &Evidence, about: &Circumstances) -> Option<Found> {
    let chosen = about.chosen?;
    let offers = offers(evidence);
    if offers.is_empty() || offers.iter().any(|it| it.1.server == Some(chosen)) {
        return None;
    }
    let came = offers.len();
    Some(
        Found::certain(format!(
            "{} came, none of them from server {chosen}",
            plural(came as u64, "offer", "offers")
        ))
        .on(offers.iter().map(|it| it.0)),
    )
}

/// The offer that was asked for, and the REQUESTs for it that nobody answered.
fn stuck(evidence: &Evidence) -> Option<((&Sight, &Digest), Vec<&Sight>)> {
    let question = evidence.question().filter(|it| it.kind == Some(REQUEST))?;
    let answered = evidence
        .messages(Class::Answer)
        .any(|it| it.1.xid == question.xid && matches!(it.1.kind, Some(ACK | NAK)));
    if answered {
        return None;
    }
    let asked = |it: &(&Sight, &Digest)| Some(it.1.yiaddr) == question.wanted();
    let offer = offers(evidence)
        .into_iter()
        .rfind(|it| it.1.xid == question.xid && asked(it))?;
    let requests = evidence.messages(Class::Asked);
    let requests = requests.filter(|it| it.1.xid == question.xid && it.1.kind == Some(REQUEST));
    Some((offer, requests.map(|it| it.0).collect()))
}

pub fn no_ack(evidence: &Evidence, about: &Circumstances) -> Option<Found> {
    let ((offer, _), requests) = stuck(evidence)?;
    if server_id(evidence, about).is_some() {
        return None;
    }
    let text = "the server offered an address and did not answer the REQUEST for it";
    Some(Found::likely(text).on([offer]).on(requests))
}

pub fn server_id(evidence: &Evidence, _: &Circumstances) -> Option<Found> {
    let ((offer, message), requests) = stuck(evidence)?;
    let (named, source) = (message.server?, offer.source()?);
    // Behind a relay agent the two differ as a rule.
    if named == source || !message.giaddr.is_unspecified() {
        return None;
    }
    let text = format!(
        "the OFFER names server {named} and comes from {source}: the REQUEST is for {named}, which does not answer"
    );
    Some(Found::likely(text).on([offer]).on(requests))
}

/// Why an address does not go with the mask and router beside it.
fn misfit(message: &Digest) -> Option<String> {
    let ip = message.yiaddr;
    if ip.is_unspecified() {
        return Some("offers no address (0.0.0.0)".into());
    }
    let mask = message.mask?;
    let bits = u32::from(mask);
    let (host, low) = (u32::from(ip) & !bits, !bits);
    // A network of one or two addresses has neither (RFC 3021).
    if low > 1 && (host == 0 || host == low) {
        let what = if host == 0 { "network" } else { "broadcast" };
        return Some(format!(
            "gives {ip}, the {what} address of its subnet (mask {mask})"
        ));
    }
    let router = message.router?;
    let near = u32::from(router) & bits == u32::from(ip) & bits;
    (!near && low > 0).then(|| {
        format!("gives {ip} with router {router}, which is in another subnet (mask {mask})")
    })
}

pub fn unusable(evidence: &Evidence, _: &Circumstances) -> Option<Found> {
    let replies = evidence.messages(Class::Answer);
    let replies = { replies }.filter(|it| matches!(it.1.kind, Some(OFFER)));
    let odd = |it: (&Sight, &Digest)| misfit(it.1).map(|text| (it.0.number, text));
    let (number, text) = { replies }.rev().find_map(odd)?;
    let offer = evidence
        .all(Class::Answer)
        .iter()
        .find(|it| it.number == number);
    Some(Found::likely(format!("the OFFER {text}")).on(offer))
}
