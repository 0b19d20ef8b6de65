//! An exchange and a client as JSON.

use std::time::Duration;

use serde_json::{Value as Json, json};

use super::notes;
use crate::link::Time;
use crate::talk::observer::{Exchange, Observed};
use crate::view::json::utc;

fn since(first: Time, at: Time) -> f64 {
    (at - first).as_secs_f64()
}

/// An exchange as JSON: `exchange` (its number), `xid`, `first` and `last` (dates), `lasted` (seconds),
/// `frames`, `messages` (how many of each type, copies of relay agents not counted), `retransmissions`,
/// `offers` (a list with `server`, `address`, `after`), `offer_after` and `ack_after` (seconds; null where
/// there was none).
fn exchange(it: &Exchange) -> Json {
    let after = |it: Option<Duration>| it.map(|it| it.as_secs_f64());
    let messages = it.messages.iter();
    let offers = it.offers.iter().map(|it| {
        json!({
            "server": it.server.map(|ip| ip.to_string()),
            "address": it.address.to_string(),
            "after": after(it.after),
        })
    });
    json!({
        "exchange": it.number,
        "xid": format!("{:#010x}", it.xid),
        "first": utc(it.first),
        "last": utc(it.last),
        "lasted": since(it.first, it.last),
        "frames": it.frames,
        "messages": messages.map(|it| (it.0.name().to_string(), it.1.into())).collect::<serde_json::Map<_, _>>(),
        "retransmissions": it.retransmissions,
        "offers": offers.collect::<Vec<_>>(),
        "offer_after": after(it.offer_after),
        "ack_after": after(it.ack_after),
    })
}

/// A client as JSON, a line of its own behind the frames:
///
/// | key | what |
/// | --- | --- |
/// | `client` | its hardware address; `id …` for a client identifier in its place |
/// | `htype` | hardware type |
/// | `vlans`, `relay` | where it is: VLAN ids, and the relay agent it was seen behind, or null |
/// | `state` | as in RFC 2131 figure 5, or `INFORM`, `BOOTP`, `unknown` |
/// | `reason` | why it is in `INIT`: `declined`, `released`, `refused`, `expired`; else null |
/// | `address`, `server` | the address it holds or asks for, and who gives it; or null |
/// | `lease`, `t1`, `t2` | seconds, or null; 4294967295 is for ever |
/// | `acked`, `ends` | dates, or null |
/// | `frames`, `total` | how many frames and exchanges there were |
/// | `first`, `last` | dates of its first and last frame |
/// | `exchanges` | its last exchanges, four at most: `exchange`, `xid`, `first`, `last`, `lasted`, `frames`, `messages`, `retransmissions`, `offers`, `offer_after`, `ack_after` |
/// | `notable` | a list of sentences |
pub fn client_json(it: &Observed) -> Json {
    let ip = |ip: Option<std::net::Ipv4Addr>| ip.map(|it| it.to_string());
    let lease = it.lease;
    json!({
        "client": it.hardware.to_string(),
        "htype": it.hardware.htype,
        "vlans": it.place.vlans,
        "relay": ip(it.place.relay),
        "state": it.state.name(),
        "reason": it.reason.map(|it| it.name()),
        "address": ip(it.address),
        "server": ip(it.server),
        "lease": lease.and_then(|it| it.seconds),
        "t1": lease.and_then(|it| it.t1),
        "t2": lease.and_then(|it| it.t2),
        "acked": lease.map(|it| utc(it.at)),
        "ends": lease.and_then(|it| it.ends()).map(utc),
        "frames": it.frames,
        "total": it.total,
        "first": utc(it.first),
        "last": utc(it.last),
        "exchanges": it.exchanges.iter().map(exchange).collect::<Vec<_>>(),
        "notable": notes(it),
    })
}
