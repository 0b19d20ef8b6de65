//! A server that refuses, and an address that somebody has.

use std::net::Ipv4Addr;

use super::Circumstances;
use super::causes::Found;
use super::evidence::{Class, Evidence};
use super::replies::offers;
use super::sight::{Digest, Sight};
use crate::dhcp::enums::{DECLINE, NAK, REQUEST};

/// A NAK with what it refuses.
struct Refusal<'a> {
    nak: (&'a Sight, &'a Digest),
    request: (&'a Sight, &'a Digest),
}

impl Refusal<'_> {
    /// What the server says of it, with a space before.
    fn quote(&self) -> String {
        let said = self.nak.1.text.as_deref().filter(|it| !it.is_empty());
        said.map_or(String::new(), |it| format!("; it says \"{it}\""))
    }

    fn on(&self, found: Found) -> Found {
        found.on([self.request.0, self.nak.0])
    }

    /// Who refuses.
    fn server(&self) -> String {
        let ip = self.nak.1.server.or(self.nak.0.source());
        ip.map_or("a server".into(), |it| format!("server {it}"))
    }
}

/// The last NAK, taken or not.
fn last(evidence: &Evidence) -> Option<Refusal<'_>> {
    let naks = |class| {
        let all = evidence.messages(class);
        { all }.filter(|it| it.1.kind == Some(NAK))
    };
    let nak = naks(Class::Answer).next_back();
    let nak = nak.or_else(|| naks(Class::OtherServer).next_back())?;
    let requests = evidence.messages(Class::Asked);
    let request = { requests }
        .filter(|it| it.1.kind == Some(REQUEST) && it.1.xid == nak.1.xid)
        .rfind(|it| it.0.number < nak.0.number)?;
    Some(Refusal { nak, request })
}

pub fn other_server(evidence: &Evidence, _: &Circumstances) -> Option<Found> {
    let it = last(evidence)?;
    let (asked, from) = (it.request.1.server?, it.nak.1.server?);
    let text = format!(
        "the NAK comes from server {from}, asked was {asked}{}",
        it.quote()
    );
    (asked != from).then(|| it.on(Found::certain(text)))
}

/// How two addresses lie to each other.
fn apart(one: Ipv4Addr, other: Ipv4Addr, mask: Ipv4Addr) -> bool {
    let bits = u32::from(mask);
    u32::from(one) & bits != u32::from(other) & bits
}

/// Where nothing tells the mask: networks are rarely larger.
const LARGE: Ipv4Addr = Ipv4Addr::new(255, 255, 0, 0);

pub fn wrong_network(evidence: &Evidence, about: &Circumstances) -> Option<Found> {
    let it = last(evidence)?;
    let wanted = it.request.1.wanted()?;
    let said = it.nak.1.text.as_deref().unwrap_or_default().to_lowercase();
    let says = ["wrong network", "wrong subnet", "wrong address"];
    // Known is a network by an offer of this run, or by the interface's own.
    let offer = offers(evidence).into_iter().rev();
    let offered = { offer }.find_map(|it| Some((it.1.yiaddr, it.1.mask?)));
    let own = about.network.map(|(ip, bits)| {
        let mask = u32::MAX
            .checked_shl(32 - u32::from(bits.min(32)))
            .unwrap_or(0);
        (ip, Ipv4Addr::from(mask))
    });
    let relay = Some(it.request.1.giaddr).filter(|it| !it.is_unspecified());
    let near = relay.or(it.nak.1.server);
    let place = match (offered, relay, own) {
        (Some((ip, mask)), ..) if apart(wanted, ip, mask) => Some((ip, mask, true)),
        (Some(_), ..) => None,
        (None, None, Some((ip, mask))) if near.is_some_and(|it| !apart(it, ip, mask)) => {
            apart(wanted, ip, mask).then_some((ip, mask, true))
        }
        _ => near.and_then(|ip| apart(wanted, ip, LARGE).then_some((ip, LARGE, false))),
    };
    let found = match place {
        Some((ip, mask, true)) => {
            let bits = u32::from(mask).leading_ones();
            Found::certain(format!(
                "the client asks for {wanted}, which is not in the network here, {}/{bits}{}",
                Ipv4Addr::from(u32::from(ip) & u32::from(mask)),
                it.quote()
            ))
        }
        Some((ip, _, false)) => {
            let whose = if relay.is_some() {
                "relay agent"
            } else {
                "server"
            };
            Found::likely(format!(
                "the client asks for {wanted}, which is far from the {whose} {ip}: a lease of another network{}",
                it.quote()
            ))
        }
        None if says.iter().any(|it| said.contains(it)) => Found::certain(format!(
            "{} holds {wanted} for an address of another network{}",
            it.server(),
            it.quote()
        )),
        None => return None,
    };
    Some(it.on(found))
}

pub fn no_lease(evidence: &Evidence, about: &Circumstances) -> Option<Found> {
    let it = last(evidence)?;
    // A REQUEST that names a server takes an offer (RFC 2131 table 4).
    if it.request.1.server.is_some() || wrong_network(evidence, about).is_some() {
        return None;
    }
    let wanted = it.request.1.wanted()?;
    let text = format!(
        "{} knows no lease of {wanted} for this client{}",
        it.server(),
        it.quote()
    );
    Some(it.on(Found::likely(text)))
}

pub fn address(evidence: &Evidence, about: &Circumstances) -> Option<Found> {
    let it = last(evidence)?;
    // Said better already.
    let better = [other_server, wrong_network, no_lease];
    if better.iter().any(|it| it(evidence, about).is_some()) {
        return None;
    }
    let wanted = it.request.1.wanted();
    let offers = offers(evidence);
    let offer = offers.iter().rfind(|it| Some(it.1.yiaddr) == wanted);
    let what = wanted.map_or("the REQUEST".into(), |it| it.to_string());
    let text = match offer {
        Some(_) => format!(
            "{} offered {what} and then refused it{}",
            it.server(),
            it.quote()
        ),
        None => format!("{} refuses {what}{}", it.server(), it.quote()),
    };
    Some(it.on(Found::likely(text)).on(offer.map(|it| it.0)))
}

pub fn address_taken(evidence: &Evidence, _: &Circumstances) -> Option<Found> {
    let asked = evidence.messages(Class::Asked);
    let (sight, decline) = { asked }.rfind(|it| it.1.kind == Some(DECLINE))?;
    let ip = decline.requested?;
    let mut claims = evidence.all(Class::Located).iter();
    let claim = claims.rfind(|it| it.addresses.is_some_and(|all| all.0 == ip || all.1 == ip))?;
    let mac = claim.macs?.0;
    Some(
        Found::certain(format!(
            "{ip} was given and is in use: {mac} answers for it"
        ))
        .on([claim, sight]),
    )
}
