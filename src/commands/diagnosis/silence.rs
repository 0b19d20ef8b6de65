//! What is known where no reply came: the state of the link, and how others fare.

use super::causes::Found;
use super::evidence::{Class, Evidence};
use super::own::Flaw;
use super::replies::flags;
use super::sight::{Digest, Sight};
use super::{Circumstances, delivery, plural};
use crate::commands::lab;
use crate::dhcp::enums::{DISCOVER, INFORM, REQUEST};
use crate::talk::vlan_name;

pub fn interface_down(evidence: &Evidence, _: &Circumstances) -> Option<Found> {
    let down = evidence.health.up == Some(false);
    down.then(|| Found::certain("the interface is down: bring it up with `ip link set IFACE up`"))
}

pub fn no_carrier(evidence: &Evidence, _: &Circumstances) -> Option<Found> {
    let it = evidence.health;
    (it.up != Some(false) && it.carrier == Some(false)).then(|| {
        Found::certain(
            "the interface has no carrier: check the cable, or the other end of the veth",
        )
    })
}

pub fn client_ended(evidence: &Evidence, about: &Circumstances) -> Option<Found> {
    let ended = about.ended.as_ref()?;
    let text = format!("the client of --start ended, and asked for nothing: {ended}");
    Some(match evidence.received {
        0 => Found::certain(text),
        _ => Found::likely(text),
    })
}

pub fn dropped(evidence: &Evidence, _: &Circumstances) -> Option<Found> {
    let count = evidence.health.dropped;
    (count > 0).then(|| {
        Found::likely(format!(
            "the kernel dropped {} because the queue was full: an answer may be among them",
            plural(count, "frame", "frames")
        ))
    })
}

pub fn impaired(evidence: &Evidence, _: &Circumstances) -> Option<Found> {
    let count = evidence.health.spoiled.lost;
    let text = format!(
        "--impair lost {} on purpose: question or answer may be among them",
        plural(count, "frame", "frames")
    );
    let (lost, asked) = (evidence.count(Class::Lost), evidence.count(Class::Asked));
    let found = match asked > 0 && lost == asked {
        true => Found::certain(text),
        false => Found::likely(text),
    };
    (count > 0).then(|| found.on(evidence.all(Class::Lost)))
}

pub fn others_served(evidence: &Evidence, _: &Circumstances) -> Option<Found> {
    if evidence.count(Class::Answer) > 0 || evidence.question().is_none() {
        return None;
    }
    let replies = evidence.messages(Class::Foreign);
    // A client that takes an offer has had one, also where a switch kept it from here.
    let taking = evidence.messages(Class::Request);
    let taking = taking.filter(|it| it.1.kind == Some(REQUEST) && it.1.server.is_some());
    let all: Vec<_> = replies.chain(taking).collect();
    let (first, message) = all.first()?;
    let server = message.server.or(first.source());
    let who = server.map_or("a server".into(), |it| format!("server {it}"));
    let text = format!(
        "{who} serves other clients and not this one: its pool is used up, it serves known clients only, or a class or filter leaves this one out"
    );
    Some(Found::likely(text).on(all.iter().map(|it| it.0)))
}

pub fn others_unanswered(evidence: &Evidence, about: &Circumstances) -> Option<Found> {
    let count = evidence.count(Class::Request);
    if count == 0 || others_served(evidence, about).is_some() {
        return None;
    }
    let text = format!(
        "{} of other clients passed, and nobody answered them here either",
        plural(count, "request", "requests")
    );
    Some(Found::likely(text).on(evidence.all(Class::Request)))
}

pub fn other_tags(evidence: &Evidence, _: &Circumstances) -> Option<Found> {
    let asked = evidence.all(Class::Asked).last()?;
    let classes = [
        Class::Foreign,
        Class::Request,
        Class::Seeking,
        Class::Arp,
        Class::Other,
    ];
    let all: Vec<&Sight> = classes
        .into_iter()
        .flat_map(|it| evidence.all(it))
        .collect();
    let kept: u64 = classes.into_iter().map(|it| evidence.count(it)).sum();
    let tags = &all.first()?.vlans;
    let alike = all.iter().all(|it| it.vlans == *tags);
    if !alike || *tags == asked.vlans || kept < evidence.received {
        return None;
    }
    let name = |vlans: &[u16]| match vlans {
        [] => "untagged".to_string(),
        vlans => {
            format!("on {}", vlan_name(vlans))
        }
    };
    let text = format!(
        "all that arrived is {}, the question went {}",
        name(tags),
        match asked.vlans.is_empty() {
            true => "out untagged".to_string(),
            false => name(&asked.vlans),
        }
    );
    let next = format!("{} asks there", flags(tags));
    Some(Found::likely(text).on(all).next(next))
}

/// Our last message, where all of ours are of this type.
fn only(evidence: &Evidence, kind: Option<u8>) -> Option<&Digest> {
    let all = evidence.messages(Class::Asked).all(|it| it.1.kind == kind);
    evidence.question().filter(|_| all)
}

pub fn inform(evidence: &Evidence, _: &Circumstances) -> Option<Found> {
    let it = only(evidence, Some(INFORM))?;
    if evidence.count(Class::Answer) > 0 {
        return None;
    }
    Some(
        match it.ciaddr.is_unspecified() {
            true => Found::likely(
                "the INFORM names no address of the client (ciaddr), so no server can answer it",
            )
            .next("--ciaddr IP names it"),
            false => Found::possible(format!(
                "servers answer an INFORM only of networks that they know: {} may be of none",
                it.ciaddr
            )),
        }
        .on(evidence.all(Class::Asked)),
    )
}

pub fn bootp(evidence: &Evidence, _: &Circumstances) -> Option<Found> {
    let it = only(evidence, None)?;
    // Options behind a wrong cookie are told of as that.
    let hidden = evidence.count(Class::Own(Flaw::Cookie)) > 0;
    if hidden || evidence.count(Class::Answer) > 0 {
        return None;
    }
    let text = format!(
        "a {} without a message type is BOOTP, which servers answer only where told to",
        it.name
    );
    Some(Found::possible(text).on(evidence.all(Class::Asked)))
}

pub fn no_binding(evidence: &Evidence, _: &Circumstances) -> Option<Found> {
    let it = only(evidence, Some(REQUEST))?;
    if evidence.count(Class::Answer) > 0 {
        return None;
    }
    let text = match it.server {
        Some(server) => format!(
            "a REQUEST that names server {server} is answered by that server only, and only after its offer"
        ),
        None => {
            "a server that has no record of the client's lease stays silent (RFC 2131 4.3.2)".into()
        }
    };
    Some(Found::possible(text).on(evidence.all(Class::Asked)))
}

/// Whether the link itself is known to have kept frames away.
fn link_at_fault(evidence: &Evidence) -> bool {
    let it = evidence.health;
    let down = it.up == Some(false) || it.carrier == Some(false);
    down || it.spoiled.lost > 0 || it.dropped > 0
}

pub fn nothing(evidence: &Evidence, about: &Circumstances) -> Option<Found> {
    if evidence.received > 0 || link_at_fault(evidence) || about.ended.is_some() {
        return None;
    }
    Some(match about.lab {
        true => lab_silence(evidence, about.cast.as_deref().unwrap_or("lab:silent")),
        false if evidence.question().is_none() => Found::possible(
            "nothing at all arrived: nobody on this segment has asked or answered anything meanwhile, or it is \
             the wrong interface or VLAN",
        )
        .next("`dhcpcraft sniff --all` on this interface shows whether anything passes"),
        false => Found::possible(
            "nothing at all arrived: no server or relay agent on this segment, a firewall or DHCP snooping \
             between, or the wrong interface or VLAN",
        )
        .next("`dhcpcraft sniff --all` on this interface shows whether anything passes"),
    })
}

/// Why nothing came in the lab with this cast.
fn lab_silence(evidence: &Evidence, cast: &str) -> Found {
    let vlans = evidence
        .all(Class::Asked)
        .last()
        .map_or(&[][..], |it| &it.vlans);
    let on = match vlans {
        [] => String::new(),
        vlans => format!(" on {}", vlan_name(vlans)),
    };
    if !lab::hears(cast, !vlans.is_empty()) {
        let text = format!("nothing at all arrived; in this lab nobody answers{on}");
        return Found::certain(text);
    }
    if evidence.question().is_none() {
        let text = "nothing at all arrived; in this lab nobody answers unless a client asks";
        return Found::certain(text);
    }
    let text = format!(
        "nothing at all arrived; the lab's server, {}, was asked and did not answer",
        lab::SERVER
    );
    if let Some(file) = lab::rules_file(cast) {
        let text = format!("{text}: so its rules have it, {}", file.display());
        return Found::certain(text).next("`-i lab` is the same server without rules");
    }
    match lab::fault_of(cast) {
        Some(fault) if fault.starts_with("delay") => {
            Found::certain(format!("{text} in time: it plays {fault}"))
                .next("wait longer than that: --timeout TIME")
        }
        Some(fault) => Found::certain(format!("{text}: it plays {fault}"))
            .next("`-i lab` is the same server without a fault"),
        None => Found::certain(text),
    }
}

pub fn nothing_to_give(evidence: &Evidence, about: &Circumstances) -> Option<Found> {
    let it = only(evidence, Some(DISCOVER))?;
    // In the lab it is known who is there; a relay agent's silence has a row of its own.
    let known = about.lab || !it.giaddr.is_unspecified() || link_at_fault(evidence);
    if known || evidence.received_replies() > 0 {
        return None;
    }
    let next = match about.network {
        Some(_) => "`dhcpcraft inform` asks for no address: a server that is there answers it",
        None => {
            "`dhcpcraft inform --ciaddr IP`, an address of this network, asks for none: a server that is there \
             answers it"
        }
    };
    let why = "its pool is used up, or it serves known clients only";
    let found = match delivery::keeping_up(evidence) {
        Some((sight, from, of)) => Found::likely(format!(
            "{from} is there and keeps in touch with {of} by ARP: if it is the server, it has nothing to give to this \
             client: {why}"
        ))
        .on([sight]),
        None => Found::possible(format!(
            "a server that has nothing to give to this client stays silent: {why}"
        )),
    };
    Some(found.next(next))
}

pub fn arp(evidence: &Evidence, _: &Circumstances) -> Option<Found> {
    let classes = [Class::Seeking, Class::Arp];
    let count: u64 = classes.into_iter().map(|it| evidence.count(it)).sum();
    if count == 0 || evidence.count(Class::Answer) > 0 {
        return None;
    }
    let looking = match delivery::keeping_up(evidence) {
        Some(_) => "",
        None => "; a server may be looking for an address it wants to reply to",
    };
    let text = format!(
        "{} passed, so the link carries traffic{looking}",
        plural(count, "ARP packet", "ARP packets")
    );
    let all = classes.into_iter().flat_map(|it| evidence.all(it));
    Some(Found::possible(text).on(all))
}

pub fn other(evidence: &Evidence, _: &Circumstances) -> Option<Found> {
    let count = evidence.count(Class::Other);
    let text = match count {
        1 => "1 frame arrived that is neither ARP nor an answer".to_string(),
        count => format!("{count} frames arrived that are neither ARP nor an answer"),
    };
    (count > 0).then(|| Found::possible(text).on(evidence.all(Class::Other)))
}
