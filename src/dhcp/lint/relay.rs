//! Option 82 (RFC 3046): where it stands, and where it has no place.

use super::Report;
use super::reply::from_relay;
use super::seen::Seen;
use crate::dhcp::Place;
use crate::dhcp::options;

/// Relay agent information.
const RELAY_INFO: u8 = 82;

/// The name of the option that comes last, where that is not option 82.
fn last(seen: &Seen) -> Option<&'static str> {
    seen.option(RELAY_INFO)
        .filter(|it| it.place == Place::Options)?;
    let mut stream = seen.pieces.iter().rev();
    let last = stream.find(|it| it.place == Place::Options && it.item.is_option())?;
    // Authentication is computed over all that stands before it, and may stand behind (RFC 4030).
    (!matches!(last.item.code, RELAY_INFO | 90)).then(|| options::by_code(last.item.code).name)
}

pub(super) fn last_in_request(seen: &Seen, report: &mut Report) {
    if let (Some(name), Some(_)) = (last(seen), seen.asks()) {
        report.option(RELAY_INFO, format!("{name} comes last"));
    }
}

pub(super) fn last_in_reply(seen: &Seen, report: &mut Report) {
    if let (Some(name), Some(_)) = (last(seen), seen.replies()) {
        report.option(RELAY_INFO, format!("{name} comes last"));
    }
}

pub(super) fn overloaded(seen: &Seen, report: &mut Report) {
    if let Some(it) = seen
        .option(RELAY_INFO)
        .filter(|it| it.place != Place::Options)
    {
        report.option(RELAY_INFO, format!("it stands in {}", it.place.name()));
    }
}

pub(super) fn without_giaddr(seen: &Seen, report: &mut Report) {
    let nobody = seen.asks().is_some_and(|it| it.giaddr.is_unspecified());
    if nobody && seen.option(RELAY_INFO).is_some() {
        report.option(RELAY_INFO, "in a message with giaddr 0.0.0.0");
    }
}

pub(super) fn kept(seen: &Seen, report: &mut Report) {
    if from_relay(seen) && seen.option(RELAY_INFO).is_some() {
        report.option(
            RELAY_INFO,
            "in a reply that a relay agent gives to the client",
        );
    }
}
