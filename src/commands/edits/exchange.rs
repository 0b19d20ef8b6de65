//! What the user set for a whole exchange, in the messages that it makes sense in (RFC 2131 tables 4 and 5).

use super::Edits;
use crate::dhcp::enums::{DECLINE, DISCOVER, REQUEST};
use crate::dhcp::template::Draft;
use crate::wire::*;

/// A message of a client that gets and holds a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Discover,
    /// The REQUEST for the offer that was chosen.
    Selecting,
    /// The REQUEST for an address from before.
    Reboot,
    /// The REQUEST of a client that holds the address: RENEWING and REBINDING.
    Holding,
    Decline,
    Other,
}

impl Step {
    fn of(draft: &Draft) -> Step {
        match draft.data(53) {
            Some([DISCOVER]) => Step::Discover,
            Some([REQUEST]) if !draft.bootp.ciaddr.is_unspecified() => Step::Holding,
            Some([REQUEST]) if draft.data(54).is_some() => Step::Selecting,
            Some([REQUEST]) => Step::Reboot,
            Some([DECLINE]) => Step::Decline,
            _ => Step::Other,
        }
    }

    /// Whether an option that was set for the exchange goes into it.
    fn takes(self, code: u8) -> bool {
        match (code, self) {
            (_, Step::Other) => true,
            // Table 5: no option but these in a DECLINE; its address and its server are those of the lease.
            (_, Step::Decline) => matches!(code, 56 | 61 | 82),
            // The address wished for: an offer's, and one that is held, are told by the server.
            (50, _) => matches!(self, Step::Discover | Step::Reboot),
            (54, _) => self == Step::Selecting,
            // RFC 4039 section 4: only a DISCOVER can be acknowledged at once.
            (80, _) => self == Step::Discover,
            _ => true,
        }
    }
}

impl Edits {
    /// The frame of a client's draft in an exchange, with the user's options and fields where they belong.
    pub fn build_in_exchange(&self, draft: Draft) -> Frame {
        let step = Step::of(&draft);
        let mut edits = self.clone();
        edits.set.retain(|it| step.takes(it.code));
        // A wish that the client gave up: it declined the address.
        if step == Step::Discover && draft.data(50).is_none() && self.option_address(50).is_some() {
            edits.set.retain(|it| it.code != 50);
        }
        if matches!(step, Step::Holding | Step::Decline) {
            // It is the address that the client holds, and none in a DECLINE.
            edits = edits.without("BOOTP", "ciaddr");
        }
        if step == Step::Decline {
            // Nobody answers it.
            edits.broadcast = None;
        }
        edits.build(draft)
    }
}
