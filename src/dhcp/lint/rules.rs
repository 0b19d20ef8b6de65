//! The rules, a row each. Ids stay as they are: scripts name them.

use super::Severity::{Error, Note, Warning};
use super::seen::Seen;
use super::{Check, Memory, Report, Rule, Severity};
use super::{header, lease, option, relation, relay, reply, state};

const fn alone(
    id: &'static str,
    severity: Severity,
    rfc: &'static str,
    text: &'static str,
    check: fn(&Seen, &mut Report),
) -> Rule {
    Rule {
        id,
        severity,
        rfc,
        text,
        check: Check::Frame(check),
    }
}

const fn relates(
    id: &'static str,
    severity: Severity,
    rfc: &'static str,
    text: &'static str,
    check: fn(&Seen, &Memory, &mut Report),
) -> Rule {
    Rule {
        id,
        severity,
        rfc,
        text,
        check: Check::Exchange(check),
    }
}

/// Every rule.
#[rustfmt::skip]
pub static RULES: &[Rule] = &[
    // Lengths, checksums, headers.
    alone("ip-length", Error, "791 3.1", "The total length counts the IP header and all that it carries.", header::ip_length),
    alone("ip-checksum", Error, "791 3.1", "The header checksum is right, or the datagram is dropped.", header::ip_checksum),
    alone("udp-length", Error, "768", "The UDP length counts the UDP header and its data.", header::udp_length),
    alone("udp-checksum", Error, "768", "The UDP checksum is right, or 0 for none.", header::udp_checksum),
    alone("checksum-unfinished", Note, "768", "Checksums are right on the wire; here the capture was taken before the network card finished them.", header::checksum_unfinished),
    alone("udp-ports", Warning, "2131 4.1", "Servers and relay agents listen on port 67 and send from it, clients listen on port 68.", header::ports),
    alone("bootp-cut-short", Error, "951 3", "The header of a BOOTP message has 236 bytes.", header::bootp_cut_short),
    alone("minimum-size", Warning, "1542 2.1", "A BOOTP message has 300 bytes at least; shorter ones may be dropped.", header::minimum_size),
    alone("magic-cookie", Error, "2131 3", "Options begin with the magic cookie 63825363.", header::magic_cookie),
    alone("op-code", Error, "1542 2.1", "op is 1 (request) or 2 (reply), or the message is dropped.", header::op_code),
    alone("op-and-type", Error, "2131 4.3.1", "op is 1 in what clients send, 2 in what servers send.", header::op_and_type),
    alone("hardware-length", Error, "2131 2", "hlen is the length of the hardware address in chaddr: 6 for Ethernet, 16 at most.", header::hardware_length),
    alone("flags-reserved", Warning, "2131 2", "Clients set the flags field's bits other than BROADCAST to zero.", header::reserved_flags),
    alone("hops", Warning, "1542 4.1.1", "hops is 0 from a client; a relay agent counts it up, sets giaddr, and drops messages beyond 16.", header::hops),

    // The option stream.
    alone("option-cut-short", Error, "2132 2", "An option has as many bytes of data as its length byte says.", option::cut_short),
    alone("option-length", Error, "2132 2", "An option's data is as long as its definition has it.", option::option_length),
    alone("option-value", Warning, "2132 2", "An option's data is what its definition has it to be.", option::option_value),
    alone("text-nul", Note, "2132 2", "Text in an option does not end with a NUL.", option::text_nul),
    alone("option-repeated", Warning, "2131 4.1", "An option appears once; only one over 255 bytes, or between two fields, is split (RFC 3396).", option::option_repeated),
    alone("end-missing", Error, "2131 4.1", "The last option is END (255).", option::end_missing),
    alone("after-end", Warning, "2132 3.2", "Behind END there is only padding with zeros.", option::after_end),
    alone("overload-value", Error, "2132 9.3", "Option 52 is 1, 2 or 3, and stands in the options field.", option::overload_value),
    alone("overload-end", Error, "2131 4.1", "Options in sname and file end with END, too.", option::overload_end),
    alone("overload-start", Warning, "2131 4.1", "Options in an overloaded field begin with its first byte.", option::overload_start),
    alone("message-type", Warning, "2132 9.6", "The message type is one that a document assigns.", option::message_type),
    alone("mask-before-router", Warning, "2132 3.3", "In a reply with both, the subnet mask stands before the routers.", option::mask_before_router),

    // What a client sends (tables 4 and 5).
    alone("client-option-required", Error, "2131 4.4.1", "DECLINE names server and address, RELEASE names the server (table 5).", state::client_required),
    alone("client-option-forbidden", Warning, "2131 4.4.1", "A client's message has no option that table 5 rules out for its type.", state::client_forbidden),
    alone("request-state", Warning, "2131 4.3.6", "server-id, requested-ip and ciaddr of a REQUEST are those of one client state (table 4).", state::request_state),
    alone("client-ciaddr", Error, "2131 4.4.1", "ciaddr is the client's address in INFORM and RELEASE, and 0 in DISCOVER and DECLINE.", state::client_ciaddr),
    alone("client-fields", Warning, "2131 4.4.1", "yiaddr and siaddr are 0 in what a client sends.", state::client_fields),
    alone("client-source", Warning, "2131 4.1", "What a client without an address broadcasts comes from 0.0.0.0.", state::source_zero),
    alone("release-unicast", Warning, "2131 4.4.4", "A RELEASE goes to the server alone.", state::release_unicast),
    alone("decline-broadcast", Warning, "2131 4.4.4", "A DECLINE is broadcast, because the address is not the client's.", state::decline_broadcast),
    alone("release-fields", Warning, "2131 4.4.1", "secs and flags are 0 in RELEASE and DECLINE, and sname and file are not used (table 5).", state::release_fields),
    alone("max-size-576", Warning, "2132 9.10", "The maximum message size is 576 at least.", state::max_size_option),

    // What a server sends (table 3).
    alone("server-option-required", Error, "2131 4.3.1", "A reply names its server in server-id (table 3).", state::server_required),
    alone("server-option-forbidden", Warning, "2131 4.3.1", "A reply has no option that table 3 rules out for its type.", state::server_forbidden),
    alone("server-id-address", Error, "2131 4.1", "server-id is an address at which the client reaches the server.", reply::server_id_address),
    alone("server-id-source", Note, "2131 4.1", "Without a relay agent, a server's id is the address that it uses on the client's subnet.", reply::server_id_source),
    alone("reply-hops", Note, "2131 4.3.1", "hops is 0 in what a server sends (table 3).", reply::hops_zero),
    alone("reply-secs", Note, "2131 4.3.1", "secs is 0 in what a server sends (table 3).", reply::secs_zero),
    alone("offer-ciaddr", Warning, "2131 4.3.1", "ciaddr is 0 in an OFFER (table 3).", reply::offer_ciaddr),
    alone("offer-address", Error, "2131 4.3.1", "An OFFER has the offered address in yiaddr.", reply::offer_address),
    alone("offer-delivery", Warning, "2131 4.1", "An OFFER is broadcast if the client asks for it, else it goes to yiaddr.", reply::offer_delivery),
    alone("nak-fields", Warning, "2131 4.3.1", "ciaddr, yiaddr, siaddr, sname and file are not used in a NAK (table 3).", state::nak_fields),
    alone("nak-message", Note, "2131 4.3.1", "A NAK should say why in option 56 (table 3).", state::nak_message),
    alone("nak-broadcast", Warning, "2131 4.1", "Without a relay agent, a NAK is broadcast whatever the flag.", reply::nak_broadcast),
    alone("nak-relay-flag", Warning, "2131 4.3.2", "In a NAK to a relay agent the server sets the broadcast bit, so that it reaches the client.", reply::nak_relay_flag),

    // Leases and addresses.
    alone("lease-times-order", Error, "2131 4.4.5", "T1 is earlier than T2, and T2 earlier than the end of the lease.", lease::times_order),
    alone("mask-shape", Error, "950 2.1", "The bits of a subnet mask that are set stand at its left.", lease::mask_shape),
    alone("host-address", Error, "1122 3.2.1.3", "The address given is one that a host can have: not the network's, not a broadcast or multicast one.", lease::host_address),
    alone("router-subnet", Warning, "2132 3.5", "Routers are on the client's subnet.", lease::router_subnet),
    alone("broadcast-address", Warning, "2132 5.3", "The broadcast address is that of the client's subnet.", lease::broadcast_address),
    alone("offer-server-subnet", Warning, "2131 4.3.1", "Without a relay agent, the address is of the subnet that the DISCOVER came from, which is the server's.", lease::offer_server_subnet),
    alone("offer-relay-subnet", Note, "2131 4.3.1", "Through a relay agent, the address is of giaddr's subnet, unless the server has its reasons.", lease::offer_relay_subnet),

    // Relay agents.
    alone("relay-info-last", Warning, "3046 2.1", "A relay agent adds option 82 as the last option before END.", relay::last_in_request),
    alone("relay-info-last-reply", Note, "3046 2.2", "A server should put the echoed option 82 last.", relay::last_in_reply),
    alone("relay-info-place", Error, "3046 2.2", "Option 82 stands in the options field, not in sname or file.", relay::overloaded),
    alone("relay-info-without-giaddr", Note, "3046 2.1", "A relay agent that does not trust the circuit drops a message with option 82 and no giaddr.", relay::without_giaddr),
    alone("relay-info-kept", Warning, "3046 2.1", "A relay agent takes its option 82 out before the client gets the reply.", relay::kept),
    alone("relay-delivery", Error, "2131 4.1", "A reply to a relay agent goes to giaddr.", reply::relay_delivery),

    // Frames of an exchange: the client's.
    relates("xid-shared", Warning, "2131 4.1", "Clients choose xids so that two hardly ever have the same.", relation::xid_shared),
    relates("xid-reused", Warning, "2131 4.4.1", "A new exchange begins with a new random xid.", relation::xid_reused),
    relates("request-xid", Warning, "2131 4.4.1", "A REQUEST has the xid of the OFFER that it takes.", relation::request_xid),
    relates("request-secs", Note, "2131 3.1", "A REQUEST has the secs of its DISCOVER, so that relay agents treat it the same.", relation::request_secs),
    relates("request-address", Error, "2131 4.3.2", "A REQUEST in SELECTING asks for the address that the chosen server offered.", relation::request_address),
    relates("client-id-kept", Warning, "2131 4.2", "A client that uses client-id has the same in all its messages.", relation::client_id_kept),
    relates("request-list-kept", Warning, "2131 4.4.1", "A client repeats the request-list of its DISCOVER in all that follows.", relation::request_list_kept),
    relates("release-server", Warning, "2131 4.4.4", "RELEASE and DECLINE name the server that gave the address.", relation::release_unknown),

    // Frames of an exchange: the server's.
    relates("reply-xid", Error, "2131 4.3.1", "A reply has the xid of the message that it answers.", relation::reply_xid),
    relates("reply-chaddr", Error, "2131 4.3.1", "A reply has the chaddr of the message that it answers.", relation::reply_chaddr),
    relates("reply-giaddr", Error, "2131 4.3.1", "A reply has the giaddr of the message that it answers.", relation::reply_giaddr),
    relates("reply-flags", Warning, "2131 4.3.1", "OFFER and ACK have the flags of the message that they answer.", relation::reply_flags),
    relates("client-id-echo", Note, "6842 3", "A reply echoes the client-id of the message that it answers (older servers leave it out).", relation::client_id_echo),
    relates("client-id-differs", Error, "6842 3", "A reply has the client-id of the message that it answers, and none where that has none.", relation::client_id_differs),
    relates("relay-info-echo", Note, "3046 2.2", "A server that knows option 82 echoes it in every reply.", relation::relay_info_echo),
    relates("relay-info-differs", Error, "3046 2.2", "The echoed option 82 is the one that the relay agent sent, whole.", relation::relay_info_differs),
    relates("unselected-server", Error, "2131 3.1", "A REQUEST that names a server is answered by that one alone.", relation::unselected_server),
    relates("ack-address", Error, "2131 4.3.2", "An ACK gives the address that the REQUEST asks for.", relation::ack_address),
    relates("ack-and-offer", Warning, "2131 4.3.1", "An ACK's parameters do not conflict with those of the OFFER.", relation::ack_and_offer),
    relates("ack-and-nak", Error, "2131 4.3.2", "A REQUEST is granted or refused, not both.", relation::ack_and_nak),
    relates("ack-delivery", Warning, "2131 4.1", "An ACK goes to ciaddr if the client has one; else it is broadcast if the client asks for it, or goes to yiaddr.", relation::ack_delivery),
    relates("lease-time-missing", Error, "2131 4.3.1", "OFFER and ACK have a lease time with the address (table 3).", relation::lease_time),
    relates("inform-lease", Warning, "2131 4.3.5", "The ACK to an INFORM has no lease time and no yiaddr.", relation::inform_lease),
    relates("message-too-long", Warning, "2132 9.10", "A reply is no longer than the client takes: its option 57, or 576 bytes.", relation::max_size),
    relates("leased-twice", Error, "2131 1.6", "No address is leased to two clients at a time.", relation::leased_twice),
    relates("offered-twice", Warning, "2131 4.3.1", "An address is not offered again before the client could take it.", relation::offered_twice),
];
