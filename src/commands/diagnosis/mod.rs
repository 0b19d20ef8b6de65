//! Why an exchange failed: what the evidence supports, the likeliest first, each with the frames it
//! rests on.
//!
//! [`Evidence`] keeps what passed on the link, a handful of frames of each class and how many there
//! were. [`CAUSES`] has a row for each cause that can be told from it. [`diagnose`] asks every row.

mod causes;
mod crowd;
mod delivery;
mod evidence;
mod own;
mod refusal;
mod replies;
mod sight;
mod silence;

use std::net::Ipv4Addr;

pub use causes::{CAUSES, Row};
pub use crowd::{CommonCause, CommonCauses, Crowd};
pub use evidence::{Class, Evidence};
pub use own::{Flaw, message as message_sent};
pub use sight::{Digest, Sight};

use super::args::LinkArgs;
use super::here::Here;
use crate::wire::MacAddr;

/// How sure it is that a cause is why the exchange failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likelihood {
    /// The frames show it.
    Certain,
    /// The frames speak for it.
    Likely,
    /// The frames do not speak against it.
    Possible,
}

impl Likelihood {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Likelihood::Certain => "certain",
            Likelihood::Likely => "likely",
            Likelihood::Possible => "possible",
        }
    }
}

/// Why an exchange failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Its id, that of its row: `other-vlan`.
    pub id: &'static str,
    /// How sure it is.
    pub likelihood: Likelihood,
    /// What was seen and what it means, a sentence. It may quote what came off the wire.
    pub text: String,
    /// What to do next; empty where nothing is to be done.
    pub next: String,
    /// Numbers of the frames that it rests on, in the order of time; at most [`SHOWN`].
    pub frames: Vec<u64>,
}

impl Cause {
    /// Whether nothing that was sent can have been heard, so that silence says nothing of a server.
    pub fn is_deafness(&self) -> bool {
        self.likelihood == Likelihood::Certain && causes::DEAF.contains(&self.id)
    }
}

/// Frames that a cause names at most.
pub const SHOWN: usize = 5;

/// What is known of a run beside what passed on its link.
#[derive(Clone, Debug, Default)]
pub struct Circumstances {
    /// Whether it was the lab.
    pub lab: bool,
    /// The lab's name with its cast: `lab:nak`.
    pub cast: Option<String>,
    /// The interface's own MAC address.
    pub mac: MacAddr,
    /// The interface's own address and the bits of its mask.
    pub network: Option<(Ipv4Addr, u8)>,
    /// Whether the interface takes only frames for its own address.
    pub own_mac_only: bool,
    /// The only server whose offer is taken (`--choose server=IP`, `conform --server IP`).
    pub chosen: Option<Ipv4Addr>,
    /// How the client under test ended, where it did by itself: its exit status and last words.
    pub ended: Option<String>,
}

impl Circumstances {
    /// Those of a run on this link.
    pub fn of(here: &Here, args: &LinkArgs) -> Self {
        Circumstances {
            lab: here.lab,
            cast: here.lab.then(|| args.interface.clone()),
            mac: here.mac,
            network: here.network,
            own_mac_only: args.no_promisc,
            ..Circumstances::default()
        }
    }
}

/// The causes that the evidence of a failed exchange supports, the likeliest first; of equally likely
/// ones the more telling first.
pub fn diagnose(evidence: &Evidence, about: &Circumstances) -> Vec<Cause> {
    let mut causes: Vec<Cause> = CAUSES
        .iter()
        .filter_map(|it| it.ask(evidence, about))
        .collect();
    // Where frames get lost, that a client gets no answer is no sign that the server gives it none.
    if crowd::is_lossy(evidence) {
        let silent = [causes::OTHERS_SERVED, causes::NO_ACK];
        let blamed = causes.iter_mut().filter(|it| silent.contains(&it.id));
        blamed.for_each(|it| it.likelihood = Likelihood::Possible);
    }
    // Stable: the order of the table decides between equally likely ones.
    causes.sort_by_key(|it| it.likelihood);
    // In the lab nothing lies between that could swallow an answer.
    if about.lab && causes.len() > 1 {
        causes.retain(|it| it.id != causes::NOTHING);
    }
    causes
}

/// `1 frame`, `2 frames`.
pub(super) fn plural(count: u64, one: &str, many: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        count => format!("{count} {many}"),
    }
}
