//! Second opinions: what tshark, tcpdump, Scapy and dhcproto, which nobody here wrote, make of our frames.
//!
//! Where a peer is wrong, or reads less than we do, its test lists that with the reason, and holds the list to be exact:
//! an entry that no longer holds fails as well. A peer that is missing is a failure that names the package.

#[path = "../support/mod.rs"]
mod support;

mod dhcproto;
mod dictionary;
mod frames;
mod scapy;
mod templates;
