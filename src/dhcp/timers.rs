//! T1 and T2 of a lease, as a client uses them.

use std::time::Duration;

use super::message::Message;

/// The lease time that never ends, in the seconds of option 51 (RFC 2131 section 3.3).
pub const INFINITE: u32 = u32::MAX;

/// When a client renews and rebinds, from the beginning of its lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timers {
    /// Renewing begins.
    pub t1: Duration,
    /// Rebinding begins.
    pub t2: Duration,
    /// It ends.
    pub lease: Duration,
    /// Whether the server sent a time that cannot be used.
    pub nonsense: bool,
}

impl Timers {
    /// Those of the lease in a server's message; `None` where it has no end, or none is told.
    ///
    /// RFC 2131 section 4.4.5 has T1 earlier than T2, and T2 earlier than the end of the lease. A time that is not, or
    /// is 0, counts as not sent, and the defaults stand for it: half of the lease and seven eighths.
    pub fn of(message: &Message) -> Option<Timers> {
        let whole = message.lease_time().filter(|it| *it != INFINITE)?;
        let lease = Duration::from_secs(whole.into());
        let sent = [message.renewal_time(), message.rebinding_time()];
        let [t1, t2] = sent.map(|it| {
            let within = it.filter(|it| (1..whole).contains(it));
            within.map(|it| Duration::from_secs(it.into()))
        });
        let (half, most) = (lease / 2, lease * 7 / 8);
        let mut used = [t1.unwrap_or(half), t2.unwrap_or(most)];
        if used[0] >= used[1] {
            used = [half, most];
        }
        let kept = |(sent, used): (Option<u32>, Duration)| {
            sent.is_none_or(|it| Duration::from_secs(it.into()) == used)
        };
        Some(Timers {
            t1: used[0],
            t2: used[1],
            lease,
            nonsense: !sent.into_iter().zip(used).all(kept),
        })
    }
}
