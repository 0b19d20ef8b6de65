//! Players of a DHCP exchange. They own no clock, no chance and no socket: frames and the time go
//! in, frames and deadlines come out, so that the same player serves a command, the lab and a test.

mod asker;
mod behind;
mod binding;
mod client;
mod driver;
mod fault;
mod fleet;
mod hold;
mod host;
mod listener;
mod machine;
mod matching;
pub mod observer;
mod player;
mod recording;
mod relay;
mod replay;
mod resolver;
mod rules;
mod sender;
mod server;
mod server_config;
mod stand_in;
mod survey;
mod watch;

pub use asker::{Asker, AskerConfig};
pub use behind::Behind;
pub use client::{Choose, Client, ClientConfig, ClientEnd, Hold};
pub use driver::{Event, run, run_between};
pub use fault::{FAULTS, Fault, Spoiled, lease};
pub use fleet::Fleet;
pub use host::Host;
pub use listener::{Listener, ListenerConfig};
pub use machine::{Habit, Machine, Order, Plain};
pub use matching::{Verdict, checksum_fault, match_reply, vlan_name, vlans};
pub use player::{Late, Outbox, Outgoing, Player, Seated};
pub use recording::{Recorded, RecordedReply, Step, from_client, spoken_of, steps};
pub use relay::{Both, HOPS, MakeInfo, Relay, RelayConfig, Side};
pub use replay::{LiveReply, Played, Replay, ReplayConfig};
pub use resolver::Resolver;
pub use rules::{Answering, Rules};
pub use sender::{Sender, SenderConfig};
pub use server::Server;
pub use server_config::{Reservation, ServerConfig, Subnet};
pub use stand_in::{StandIn, StandInConfig};
pub use survey::{Probe, Sighting, Survey};
pub use watch::Watch;

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::RngCore;

/// How long to wait before sending again: 4 s, doubled each time up to 64 s, each with up to one
/// second more or less by chance (RFC 2131 section 4.1). `attempt` counts from 0.
pub fn backoff(attempt: u32, chance: &mut ChaCha8Rng) -> Duration {
    let base = Duration::from_secs(4 << attempt.min(4));
    let spread = Duration::from_secs(2).mul_f64(f64::from(chance.next_u32()) / f64::from(u32::MAX));
    base - Duration::from_secs(1) + spread
}
