//! Which of several offers a REQUEST follows.

use super::Error;
use super::edits::Edits;
use crate::dhcp::Message;
use crate::talk::Choose;
use crate::wire::Frame;

/// What there is to choose from, in words.
fn listing(offers: &[Frame]) -> String {
    const SHOWN: usize = 8;
    let shown = offers.iter().take(SHOWN).filter_map(|it| {
        let message = Message::of(it)?;
        let address = message.bootp.yiaddr;
        Some(match message.server_id() {
            Some(server) => format!("{address} from {server}"),
            None => address.to_string(),
        })
    });
    let shown: Vec<_> = shown.collect();
    match offers.len().saturating_sub(SHOWN) {
        _ if offers.is_empty() => "there are no offers".into(),
        0 => format!("there is {}", shown.join(", ")),
        more => format!("there is {}, and {more} more", shown.join(", ")),
    }
}

/// The offer that `--choose` means.
pub(super) fn chosen(
    mut offers: Vec<Frame>,
    choose: &Choose,
    edits: &Edits,
) -> Result<Frame, Error> {
    let address = |it: &Frame| it.bootp().map(|it| it.yiaddr);
    let listed = listing(&offers);
    match choose {
        Choose::First => {}
        Choose::Lowest => offers.sort_by_key(address),
        Choose::Requested => {
            let wanted = edits.option_address(50);
            offers.retain(|it| address(it) == wanted);
        }
        Choose::Server(ip) => {
            offers.retain(|it| Message::of(it).and_then(|it| it.server_id()) == Some(*ip));
        }
    }
    let none = || Error::Usage(format!("none of the offers is the one to choose: {listed}"));
    offers.into_iter().next().ok_or_else(none)
}
