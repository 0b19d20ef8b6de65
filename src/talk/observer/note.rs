//! What is notable about a client.

use std::fmt;
use std::net::Ipv4Addr;

use super::exchange::Kind;
use super::state::State;
use super::who::Hardware;

/// Something that whoever looks for a fault wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// A client asked in this state so many times, and no answer was seen.
    Unanswered {
        /// What it sent.
        kind: Kind,
        /// The state it was in.
        state: State,
        /// How often.
        tries: u32,
    },
    /// The answer came only to this try.
    Late {
        /// What was answered.
        kind: Kind,
        /// The number of the try.
        tries: u32,
    },
    /// A server refused.
    Refused {
        /// The server.
        server: Option<Ipv4Addr>,
    },
    /// Several servers offered in one exchange.
    Offers(Vec<Ipv4Addr>),
    /// The lease ended and no renewal was seen.
    Expired(Ipv4Addr),
    /// The ACK is for another address than the client asked for.
    OtherAddress {
        /// The address offered or asked for.
        wanted: Ipv4Addr,
        /// The address of the ACK.
        given: Ipv4Addr,
    },
    /// A server answered that was not chosen.
    OtherServer {
        /// The server chosen.
        chosen: Ipv4Addr,
        /// The server that answered.
        answered: Ipv4Addr,
    },
    /// The client found the address in use.
    Declined(Option<Ipv4Addr>),
    /// The client gave the address back.
    Released(Option<Ipv4Addr>),
    /// The client has another address than before.
    Moved {
        /// The address before.
        from: Ipv4Addr,
        /// The address now.
        to: Ipv4Addr,
    },
    /// A server told the client to renew (RFC 3203).
    ForceRenew,
    /// A reply under an xid that the client did not use.
    Stray(Kind),
    /// Another client holds the same address.
    Shared {
        /// The address.
        address: Ipv4Addr,
        /// The other client.
        with: Hardware,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::Unanswered { kind, state, tries } => {
                let kind = kind.name();
                match state {
                    State::Renewing | State::Rebinding | State::Rebooting => {
                        write!(f, "{kind} ({state}) ")?;
                    }
                    _ => write!(f, "{kind} ")?,
                }
                match tries {
                    1 => f.write_str("unanswered"),
                    tries => write!(f, "unanswered, {tries} tries"),
                }
            }
            Note::Late { kind, tries } => write!(f, "{} answered at try {tries}", kind.name()),
            Note::Refused { server } => {
                f.write_str("NAK")?;
                server.map_or(Ok(()), |it| write!(f, " from {it}"))
            }
            Note::Offers(servers) => {
                let names: Vec<String> = servers.iter().map(ToString::to_string).collect();
                write!(f, "{} servers offered: {}", names.len(), names.join(", "))
            }
            Note::Expired(ip) => write!(f, "lease of {ip} ended, no renewal seen"),
            Note::OtherAddress { wanted, given } => {
                write!(f, "ACK gives {given}, the client wanted {wanted}")
            }
            Note::OtherServer { chosen, answered } => {
                write!(f, "{answered} answered, the client had chosen {chosen}")
            }
            Note::Declined(ip) => address(f, "declined", *ip),
            Note::Released(ip) => address(f, "released", *ip),
            Note::Moved { from, to } => write!(f, "had {from} before, now {to}"),
            Note::ForceRenew => f.write_str("told to renew (FORCERENEW)"),
            Note::Stray(kind) => write!(f, "{} under an xid it did not use", kind.name()),
            Note::Shared { address, with } => write!(f, "{address} is held by {with} as well"),
        }
    }
}

fn address(f: &mut fmt::Formatter, what: &str, ip: Option<Ipv4Addr>) -> fmt::Result {
    f.write_str(what)?;
    ip.map_or(Ok(()), |ip| write!(f, " {ip}"))
}
