//! Messages and replies that do not get to where they go: ARP, ICMP, relay agents, MAC addresses.

use std::net::Ipv4Addr;

use super::causes::Found;
use super::evidence::{Class, Evidence};
use super::sight::Sight;
use super::{Circumstances, plural};
use crate::wire::MacAddr;

pub fn not_found(evidence: &Evidence, _: &Circumstances) -> Option<Found> {
    let found = |ip| {
        let mut all = evidence.all(Class::Located).iter();
        all.any(|it| it.source() == Some(ip))
    };
    // A client that probes its own address hopes for silence.
    let probed = |ip| evidence.messages(Class::Answer).any(|it| it.1.yiaddr == ip);
    let missing = |it: &&Sight| it.target().is_some_and(|ip| !found(ip) && !probed(ip));
    let all: Vec<&Sight> = evidence.all(Class::Sought).iter().filter(missing).collect();
    let target = all.last()?.target()?;
    let text = format!("nobody answers ARP for {target}, where the message is to go");
    Some(Found::certain(text).on(all))
}

pub fn unreachable(evidence: &Evidence, _: &Circumstances) -> Option<Found> {
    /// RFC 792: the port.
    const PORT: u8 = 3;
    let all = evidence.all(Class::Unreachable);
    let port: Vec<&Sight> = all.iter().filter(|it| it.code == Some(PORT)).collect();
    let came = plural(
        evidence.count(Class::Unreachable),
        "ICMP \"unreachable\" came",
        "ICMP \"unreachable\" came",
    );
    let from = all.first()?.source();
    let from = from.map_or("a host".into(), |it| it.to_string());
    if !port.is_empty() {
        let text = format!("{came}: the host answers, but no DHCP server listens there");
        let next = format!("start the server at {from}, or open UDP port 67 in its firewall");
        return Some(Found::certain(text).on(port).next(next));
    }
    let code = all.first()?.code.unwrap_or_default();
    let text = format!("{came}: {from} cannot pass the message on (code {code})");
    let next = format!("look at the routes and the filters of {from}");
    Some(Found::certain(text).on(all).next(next))
}

/// The MAC addresses that are ours.
fn ours(evidence: &Evidence, about: &Circumstances) -> Vec<MacAddr> {
    let mut all = vec![about.mac];
    for (sight, message) in evidence.messages(Class::Asked) {
        all.extend(sight.macs.map(|it| it.0));
        all.extend(mac(&message.chaddr));
    }
    all
}

fn mac(chaddr: &[u8]) -> Option<MacAddr> {
    <[u8; 6]>::try_from(chaddr).ok().map(MacAddr::from)
}

pub fn misdelivered(evidence: &Evidence, about: &Circumstances) -> Option<Found> {
    let ours = ours(evidence, about);
    let foreign = |it: &&Sight| {
        it.macs
            .is_some_and(|(_, to)| !ours.contains(&to) && to.octets()[0] & 1 == 0)
    };
    let classes = [
        Class::Answer,
        Class::OtherClient,
        Class::OtherVlan,
        Class::Damaged,
    ];
    let all = classes.into_iter().flat_map(|it| evidence.all(it));
    let all: Vec<&Sight> = all.filter(foreign).collect();
    let first = all.first()?;
    let name = first.message.as_ref().map_or("reply", |it| &it.name);
    let to = first.macs?.1;
    let text = format!(
        "the {name} went to {to}, which is no MAC of ours: a switch takes what follows there"
    );
    Some(Found::likely(text).on(all))
}

pub fn own_mac_only(evidence: &Evidence, about: &Circumstances) -> Option<Found> {
    let question = evidence.question()?;
    let client = mac(&question.chaddr)?;
    let foreign = client != about.mac && question.giaddr.is_unspecified() && !question.broadcast;
    let quiet = evidence.count(Class::Answer) == 0;
    let text = format!(
        "replies are to go to {client}, and the interface takes only what is for {} (--no-promisc)",
        about.mac
    );
    (about.own_mac_only && foreign && quiet).then(|| Found::likely(text))
}

/// ARP requests of others that nobody answered.
fn unanswered(evidence: &Evidence) -> impl Iterator<Item = (&Sight, Ipv4Addr, Ipv4Addr)> {
    let all = evidence.all(Class::Seeking).iter();
    all.filter_map(|it| Some((it, it.source()?, it.target()?)))
        .filter(|(_, from, of)| !from.is_unspecified() && from != of)
        .filter(|(_, _, of)| {
            let mut answers = evidence.all(Class::Arp).iter();
            !answers.any(|it| it.source() == Some(*of))
        })
}

/// The addresses that replies may go to.
fn addresses(evidence: &Evidence) -> Vec<Ipv4Addr> {
    let mut all = Vec::new();
    for (sight, message) in evidence.messages(Class::Asked) {
        all.extend(sight.source());
        all.extend([message.ciaddr, message.giaddr]);
    }
    all.extend(evidence.messages(Class::Answer).map(|it| it.1.yiaddr));
    all.retain(|it| !it.is_unspecified());
    all
}

pub fn undeliverable(evidence: &Evidence, _: &Circumstances) -> Option<Found> {
    let ours = addresses(evidence);
    let all: Vec<_> = unanswered(evidence)
        .filter(|it| ours.contains(&it.2))
        .collect();
    let (first, from, of) = all.first()?;
    let place = match &first.vlans[..] {
        [] => String::new(),
        vlans => {
            let ids: Vec<String> = vlans.iter().map(u16::to_string).collect();
            format!(" on VLAN {}", ids.join("."))
        }
    };
    let text = format!(
        "{from} looks for {of} with ARP{place} and nobody answers: its reply cannot be delivered"
    );
    Some(Found::likely(text).on(all.iter().map(|it| it.0)))
}

/// Whether a request went to one station only. So a host asks that knows the answer, whether it still holds (RFC 1122
/// section 2.3.2.1): it checks nothing that it is about to give away.
fn is_unicast(sight: &Sight) -> bool {
    sight.macs.is_some_and(|it| it.1.octets()[0] & 1 == 0)
}

/// A host that asks by ARP whether another one that it knows is still there, and the address of that one.
pub fn keeping_up(evidence: &Evidence) -> Option<(&Sight, Ipv4Addr, Ipv4Addr)> {
    let all = evidence
        .all(Class::Seeking)
        .iter()
        .filter(|it| is_unicast(it));
    let mut all = all.filter_map(|it| Some((it, it.source()?, it.target()?)));
    all.find(|it| !it.1.is_unspecified())
}

pub fn address_check(evidence: &Evidence, _: &Circumstances) -> Option<Found> {
    if evidence.count(Class::Answer) > 0 || evidence.question().is_none() {
        return None;
    }
    let mut taken = addresses(evidence);
    taken.extend(evidence.messages(Class::Foreign).map(|it| it.1.yiaddr));
    let all: Vec<_> = unanswered(evidence)
        .filter(|it| !taken.contains(&it.2) && !is_unicast(it.0))
        .collect();
    let (_, from, of) = all.last()?;
    let text = format!(
        "{from} looks for {of} with ARP and nobody answers: it may be checking the address before it offers it"
    );
    Some(Found::possible(text).on(all.iter().map(|it| it.0)))
}

/// The first sign that the server a message goes to is there: what it did, and the frame.
fn alive(evidence: &Evidence, server: Option<Ipv4Addr>) -> Option<(&'static str, &Sight)> {
    let is = |it: &&Sight| server.is_none_or(|ip| it.source() == Some(ip));
    let first = |class| evidence.all(class).iter().find(is);
    let located = first(Class::Located).map(|it| ("answers ARP", it));
    let served = first(Class::Served).or_else(|| first(Class::Seeking));
    located
        .or_else(|| served.map(|it| ("asks with ARP", it)))
        .or_else(|| first(Class::Ping).map(|it| ("sends pings", it)))
        .or_else(|| first(Class::Foreign).map(|it| ("answers other clients", it)))
        .or_else(|| {
            let mut direct = evidence.messages(Class::Answer);
            let found = direct.find(|it| it.1.giaddr.is_unspecified());
            found.map(|it| ("answers without a relay agent", it.0))
        })
}

pub fn relay_unknown(evidence: &Evidence, _: &Circumstances) -> Option<Found> {
    let asked = evidence.messages(Class::Asked);
    let (sight, question) = { asked }.next_back()?;
    let giaddr = question.giaddr;
    let answered = evidence
        .messages(Class::Answer)
        .any(|it| it.1.giaddr == giaddr);
    if giaddr.is_unspecified() || answered {
        return None;
    }
    let server = sight.target().filter(|it| !it.is_broadcast());
    let there = server.map_or("a server".into(), |it| format!("server {it}"));
    let next = format!(
        "give the server a subnet that holds {giaddr} and a way back to it; without --relay `discover` tells whether it answers at all"
    );
    let found = match alive(evidence, server) {
        Some((what, sign)) => Found::likely(format!(
            "{there} is there ({what}) and does not answer the relay agent {giaddr}: it has no subnet for it, or no address left there"
        ))
        .on([sign, sight]),
        None => Found::possible(format!(
            "the relay agent {giaddr} gets no answer: the server has no subnet for it, no address left there, or no way back to it"
        ))
        .on([sight]),
    };
    Some(found.next(next))
}

pub fn relayed(evidence: &Evidence, _: &Circumstances) -> Option<Found> {
    let all = evidence.all(Class::Relayed);
    let giaddr = evidence.messages(Class::Relayed).next()?.1.giaddr;
    let came = evidence
        .messages(Class::Answer)
        .any(|it| it.1.giaddr == giaddr);
    let text = format!(
        "the relay agent {giaddr} passed the question on, and no answer came back through it"
    );
    (!came).then(|| Found::likely(text).on(all))
}
