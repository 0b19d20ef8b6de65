//! A lease as an onlooker knows it.

use std::time::Duration;

use crate::dhcp::Message;
use crate::link::Time;

/// Option 51 for a lease without end.
pub(super) const ENDLESS: u32 = u32::MAX;

/// A lease as its ACK tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// When the ACK passed.
    pub at: Time,
    /// Its length in seconds (option 51); 0xffff_ffff is for ever, `None` where the ACK does not say.
    pub seconds: Option<u32>,
    /// T1 in seconds: option 58, else half of the length (RFC 2131 section 4.4.5).
    pub t1: Option<u32>,
    /// T2 in seconds: option 59, else seven eighths of the length.
    pub t2: Option<u32>,
}

impl Lease {
    pub(super) fn of(message: &Message, at: Time) -> Lease {
        let seconds = message.lease_time();
        let share = |of: u64, by: u64| {
            let length = seconds.filter(|it| *it != ENDLESS)?;
            u32::try_from(u64::from(length) * of / by).ok()
        };
        Lease {
            at,
            seconds,
            t1: message.renewal_time().or_else(|| share(1, 2)),
            t2: message.rebinding_time().or_else(|| share(7, 8)),
        }
    }

    /// Whether the client may renew it by now: some do a good while before T1.
    pub(super) fn is_due(&self, now: Time) -> bool {
        self.t1
            .is_some_and(|t1| now - self.at >= Duration::from_secs(t1.into()) / 2)
    }

    /// When it ends; `None` for a lease without an end, or one that does not say.
    pub fn ends(&self) -> Option<Time> {
        let seconds = self.seconds.filter(|it| *it != ENDLESS)?;
        Some(self.at + Duration::from_secs(seconds.into()))
    }
}
