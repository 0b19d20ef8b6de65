//! The causes that can be told, one row each, those that explain more before those that explain less.

use super::{Cause, Circumstances, Evidence, Likelihood, SHOWN, Sight};
use super::{crowd, delivery, own, refusal, replies, silence};

/// A cause that can be told.
pub struct Row {
    /// Its id.
    pub id: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What to do next, where the frames say nothing better; may be empty.
    pub next: &'static str,
    /// Whether the evidence supports it.
    find: fn(&Evidence, &Circumstances) -> Option<Found>,
}

/// What a row found.
pub(super) struct Found {
    likelihood: Likelihood,
    text: String,
    next: Option<String>,
    frames: Vec<u64>,
}

impl Found {
    /// A cause that the frames show.
    pub fn certain(text: impl Into<String>) -> Found {
        Found {
            likelihood: Likelihood::Certain,
            text: text.into(),
            next: None,
            frames: Vec::new(),
        }
    }

    /// A cause that the frames speak for.
    pub fn likely(text: impl Into<String>) -> Found {
        Found {
            likelihood: Likelihood::Likely,
            ..Found::certain(text)
        }
    }

    /// A cause that the frames do not speak against.
    pub fn possible(text: impl Into<String>) -> Found {
        Found {
            likelihood: Likelihood::Possible,
            ..Found::certain(text)
        }
    }

    /// Rests on these frames too.
    pub fn on<'a>(mut self, sights: impl IntoIterator<Item = &'a Sight>) -> Found {
        self.frames.extend(sights.into_iter().map(|it| it.number));
        self
    }

    /// Has another next step than its row.
    pub fn next(mut self, step: impl Into<String>) -> Found {
        self.next = Some(step.into());
        self
    }
}

impl Row {
    /// The cause, if the evidence supports it.
    pub(super) fn ask(&self, evidence: &Evidence, about: &Circumstances) -> Option<Cause> {
        let mut found = (self.find)(evidence, about)?;
        found.frames.sort_unstable();
        found.frames.dedup();
        found.frames.truncate(SHOWN);
        Some(Cause {
            id: self.id,
            likelihood: found.likelihood,
            text: found.text,
            next: found.next.unwrap_or_else(|| self.next.to_string()),
            frames: found.frames,
        })
    }
}

/// The id of the row that says that nothing came.
pub(super) const NOTHING: &str = "nothing-arrived";

/// The causes by which nothing gets through at all.
pub(super) const DEAF: [&str; 3] = ["interface-down", "no-carrier", "impaired"];

/// The ids of those that hold a server's silence for its answer.
pub(super) const OTHERS_SERVED: &str = "others-served";
pub(super) const NO_ACK: &str = "no-ack";

macro_rules! causes {
    ($($id:expr, $find:path, $meaning:literal, $next:literal;)*) => {
        /// Every cause that can be told.
        pub const CAUSES: &[Row] = &[$(Row {
            id: $id,
            meaning: $meaning,
            next: $next,
            find: $find,
        }),*];
    };
}

causes! {
    "interface-down", silence::interface_down,
        "the interface is down",
        "";
    "no-carrier", silence::no_carrier,
        "nothing is plugged into the interface, or its other end is down",
        "";
    "client-ended", silence::client_ended,
        "the client under test is not there any more",
        "run the command of --start by itself: it is one line for `sh -c`, and stays for as long as the client runs";
    "where-excludes", replies::excluded,
        "a reply came that --where does not hold for",
        "leave --where out to see it";
    "cut-short", replies::cut,
        "a reply did not arrive whole",
        "look at the MTU on the way, and at how the server fills large replies (option 57 says what the client takes)";
    "bad-checksum", replies::damaged,
        "a reply has a checksum that a host drops it for",
        "a host would have dropped it too: look at what changed it on the way, or at the sender's checksum offload";
    "other-vlan", replies::other_vlan,
        "a reply came on another VLAN than the question",
        "";
    "other-client", replies::other_client,
        "a reply to our transaction is for another client",
        "the server or a relay agent mixes up clients: compare the capture here with one at the server";
    "other-xid", replies::other_xid,
        "a reply for our client is to another transaction",
        "it is late, meant for another client with this MAC, or made by a server that changes xids; another --mac tells";
    "other-port", replies::other_port,
        "a reply came to a port where no client listens",
        "clients listen on UDP port 68, relay agents on 67: look for NAT or a server with ports of its own";
    "not-chosen", replies::not_chosen,
        "offers came, and none from the server that --choose names",
        "take another server, or find out why that one is silent: `dhcpcraft servers` lists who offers";
    "address-taken", refusal::address_taken,
        "somebody has the address that the server gave",
        "find that host by its MAC, or take the address out of the server's pool";
    "nak-other-server", refusal::other_server,
        "a server refuses that was not asked",
        "two servers claim to decide here: `dhcpcraft servers --allow IP` tells who answers";
    "nak-wrong-network", refusal::wrong_network,
        "the address asked for is of another network than the client is on",
        "begin again with `dora`; if the address is right, the port's VLAN or the server's subnets are not";
    "server-not-found", delivery::not_found,
        "nobody answers ARP for the address that the message goes to",
        "check the address and the way to it; --dst-mac MAC sends without asking";
    "port-unreachable", delivery::unreachable,
        "a host or router says that the message cannot be delivered",
        "";
    "own-protocol", own::protocol,
        "the frame does not say that it carries IPv4 and UDP",
        "leave --ethertype, --ip-version and --ip-proto out: what is not set is computed";
    "own-length", own::length,
        "a length in the message is wrong",
        "leave --ihl, --ip-len and --udp-len out: what is not set is computed";
    "own-checksum", own::checksum,
        "the message has a wrong checksum, for which a host drops it",
        "leave --ip-chksum and --udp-chksum out: what is not set is computed";
    "own-fragment", own::fragment,
        "the message is marked as a piece of a datagram",
        "leave --frag and --ip-flags out";
    "own-source", own::source,
        "the message comes from an address that no host has",
        "leave --src-mac and --src-ip out";
    "own-port", own::port,
        "the message went to a port where no server listens",
        "leave --dport out: servers and relay agents listen on UDP port 67";
    "own-op", own::op,
        "the message is marked as a reply",
        "leave --op out: what a client sends has op 1";
    "own-cookie", own::cookie,
        "the message's options are behind no magic cookie of DHCP",
        "leave --cookie out";
    "own-hops", own::hops,
        "the message says that it passed too many relay agents",
        "leave --hops out, or set a smaller one";
    "own-type", own::kind,
        "servers do not answer such a message",
        "`discover`, `request` and `inform` send what servers answer";
    "own-destination", own::destination,
        "the message went to one station only, of which nothing was heard",
        "leave --dst-mac and --dst-ip out: a message to everybody reaches every server here";
    "impaired", silence::impaired,
        "frames were lost on purpose",
        "run it again without --impair, or with more --tries";
    "kernel-dropped", silence::dropped,
        "the kernel dropped frames before they were read",
        "run it again while the link is quieter";
    "other-server", replies::other_server,
        "another server answers than the one asked",
        "two servers claim to decide here: `dhcpcraft servers --allow IP` tells who answers";
    "server-id-mismatch", replies::server_id,
        "the OFFER names another server than it comes from",
        "correct the server identifier (option 54) at the server, or find out who answers in its place";
    "misdelivered", delivery::misdelivered,
        "replies go to a MAC that is not ours",
        "the reply's Ethernet destination is the server's or relay agent's choice: --broadcast asks it to broadcast";
    "offer-unusable", replies::unusable,
        "the address offered does not fit its own subnet mask and router",
        "correct the server's subnet: its range, mask and router belong together";
    "nak-no-lease", refusal::no_lease,
        "the server knows no such lease of this client",
        "begin again with `dora`: the lease ended, is another client's, or the server lost it";
    "nak-address", refusal::address,
        "the server refuses the address",
        "the server's log says why: given away meanwhile, reserved for another client, or out of its pool";
    NO_ACK, replies::no_ack,
        "an address was offered and the REQUEST for it is not answered",
        "the server's log tells whether the REQUEST arrived (snooping, loss) and whether the address was given away";
    "unasked", replies::unasked,
        "replies came that nothing asks for",
        "";
    "not-promiscuous", delivery::own_mac_only,
        "replies to the MAC played do not get through the interface",
        "leave --no-promisc out, or ask for broadcast replies with --broadcast";
    "undeliverable", delivery::undeliverable,
        "a server looks for the address that its reply goes to, and nobody answers",
        "the reply waits for an answer to that ARP request: check the VLAN and the address (giaddr, ciaddr)";
    "relay-unknown", delivery::relay_unknown,
        "the server does not answer the relay agent",
        "";
    "relayed-in-vain", delivery::relayed,
        "a relay agent passed the question on and no answer came back through it",
        "look behind it: the server's subnets, and its way back to the relay agent's address";
    "frames-lost", crowd::frames_lost,
        "questions of other clients are answered only when they are repeated",
        "more --tries and a longer --timeout get through; `sniff` here and at the server shows where frames are lost";
    OTHERS_SERVED, silence::others_served,
        "other clients are answered, this one is not",
        "look for this MAC and the pool in the server's log; another --mac or --client-id tells whether it is the client";
    "traffic-tagged", silence::other_tags,
        "everything that arrives is on another VLAN",
        "";
    "others-unanswered", silence::others_unanswered,
        "other clients are not answered either",
        "it is not this client: look at the server, or at what lies between (snooping, relay agent)";
    "own-ttl", own::ttl,
        "the message may not live until it arrives",
        "leave --ttl out";
    "own-hardware", own::hardware,
        "the message's hardware address is not one of Ethernet",
        "leave --htype, --hlen and --chaddr out";
    "inform-unanswered", silence::inform,
        "servers answer INFORM only of clients whose address they can place",
        "`dhcpcraft discover` asks the same servers for options with the offer";
    "bootp-unanswered", silence::bootp,
        "servers answer BOOTP only where told to",
        "`dhcpcraft discover` asks the same servers by DHCP; if they answer, allow BOOTP there";
    "no-binding", silence::no_binding,
        "a server without a record of the client stays silent",
        "`dora` gets a lease from the beginning";
    "address-check", delivery::address_check,
        "a server may still check the address that it is going to offer",
        "wait longer: --timeout 15s";
    "own-vlan", own::vlan,
        "nothing arrives on the VLAN that was asked on",
        "leave --vlan out, or have the switch carry that VLAN on this port";
    NOTHING, silence::nothing,
        "nothing at all arrived",
        "";
    "nothing-to-give", silence::nothing_to_give,
        "a server may be there and have no address for this client",
        "";
    "arp-traffic", silence::arp,
        "only ARP arrived",
        "";
    "other-traffic", silence::other,
        "something arrived that is no answer",
        "";
}
