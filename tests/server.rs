//! The server as a player: to whom it gives which address, and what its replies hold (RFC 2131 section 4.3).

use std::net::Ipv4Addr;
use std::time::Duration;

use dhcpcraft::dhcp::Message;
use dhcpcraft::dhcp::assign::{self, Assignment};
use dhcpcraft::dhcp::enums::{ACK, DECLINE, DISCOVER, NAK, OFFER, REQUEST};
use dhcpcraft::dhcp::template::{self, Draft, Identity};
use dhcpcraft::link::Time;
use dhcpcraft::talk::{Outbox, Player, Reservation, Server, ServerConfig, Subnet};
use dhcpcraft::wire::{Frame, MacAddr};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

const SERVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const OWNER: MacAddr = MacAddr(2, 0, 0x5e, 0x10, 0, 1);
const OTHER: MacAddr = MacAddr(2, 0, 0x5e, 0x10, 0, 2);

fn ip(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(192, 0, 2, last)
}

fn options(texts: &[&str]) -> Vec<Assignment> {
    let parse = |text: &&str| assign::parse(text).expect("an option");
    texts.iter().map(parse).collect()
}

/// A server of 192.0.2.100 to .110.
fn config() -> ServerConfig {
    ServerConfig {
        address: SERVER,
        mac: MacAddr(2, 0, 0x5e, 0, 0, 1),
        vlan: Vec::new(),
        subnets: vec![Subnet {
            network: ip(0),
            prefix: 24,
            pool: (ip(100), ip(110)),
            options: Vec::new(),
        }],
        lease: 3600,
        think: Duration::ZERO,
        refuse: false,
        reservations: Vec::new(),
        reserved_only: false,
        rapid_commit: false,
        bootp: false,
        faults: Vec::new(),
    }
}

fn reserve(client: &[u8], ip: Ipv4Addr) -> Reservation {
    Reservation {
        client: client.to_vec(),
        ip,
    }
}

/// The server, and one message after another to it.
struct Asked(Server);

impl Asked {
    fn new(config: ServerConfig) -> Asked {
        Asked(Server::new(config, ChaCha8Rng::seed_from_u64(1)))
    }

    /// The replies to a draft as it arrives.
    fn ask(&mut self, draft: &Draft) -> Vec<Frame> {
        let mut out = Outbox::default();
        let frame = Frame::decode(&draft.frame().encode());
        self.0.receive(Time::default(), &frame, None, &mut out);
        let sent = out.frames.into_iter();
        sent.map(|it| Frame::decode(&it.frame.encode())).collect()
    }

    /// Type and yiaddr of the one reply; `None` for silence.
    #[track_caller]
    fn said(&mut self, draft: &Draft) -> Option<(u8, Ipv4Addr)> {
        let replies = self.ask(draft);
        assert!(replies.len() <= 1, "{replies:?}");
        let message = Message::of(replies.first()?).expect("a message");
        Some((
            message.message_type().expect("a type"),
            message.bootp.yiaddr,
        ))
    }
}

fn who(mac: MacAddr, address: Option<Ipv4Addr>, server: Option<Ipv4Addr>) -> Identity {
    Identity {
        client_mac: mac,
        source_mac: mac,
        xid: 7,
        address,
        server,
        own: None,
        server_mac: None,
    }
}

fn discover(mac: MacAddr) -> Draft {
    template::fresh(DISCOVER, &who(mac, None, None))
}

/// A REQUEST in SELECTING.
fn request(mac: MacAddr, address: Ipv4Addr) -> Draft {
    template::fresh(REQUEST, &who(mac, Some(address), Some(SERVER)))
}

fn renewal(mac: MacAddr, address: Ipv4Addr) -> Draft {
    template::renewing(&who(mac, Some(address), Some(SERVER)))
}

fn decline(mac: MacAddr, address: Ipv4Addr) -> Draft {
    template::fresh(DECLINE, &who(mac, Some(address), Some(SERVER)))
}

/// The same message from a relay agent on this subnet, which says by which port it came.
fn relayed(mut draft: Draft, circuit: &str) -> Draft {
    draft.relay(ip(254), Some(SERVER));
    draft.put(options(&[&format!("relay-info=circuit-id={circuit}")]).remove(0));
    draft
}

const REFUSED: Option<(u8, Ipv4Addr)> = Some((NAK, Ipv4Addr::UNSPECIFIED));

#[test]
fn what_is_kept_for_one_client_is_refused_to_another_that_asks_for_it() {
    for kept in [ip(7), ip(100)] {
        let mut config = config();
        config.reservations = vec![reserve(&OWNER.octets(), kept)];
        let mut server = Asked::new(config);
        assert_eq!(server.said(&request(OTHER, kept)), REFUSED);
        assert_eq!(
            server.said(&discover(OTHER)),
            Some((OFFER, ip(if kept == ip(100) { 101 } else { 100 })))
        );
        assert_eq!(server.said(&discover(OWNER)), Some((OFFER, kept)));
        assert_eq!(server.said(&request(OWNER, kept)), Some((ACK, kept)));
        assert_eq!(server.said(&renewal(OWNER, kept)), Some((ACK, kept)));
        assert_eq!(server.said(&request(OTHER, kept)), REFUSED);
    }
}

#[test]
fn only_those_with_a_reservation_are_served_however_they_ask() {
    let mut config = config();
    config.reservations = vec![reserve(&OWNER.octets(), ip(7))];
    config.reserved_only = true;
    let mut server = Asked::new(config);
    assert_eq!(server.said(&discover(OTHER)), None);
    assert_eq!(server.said(&request(OTHER, ip(100))), REFUSED);
    assert_eq!(server.said(&discover(OWNER)), Some((OFFER, ip(7))));
}

#[test]
fn where_the_address_kept_is_in_use_its_client_gets_another_one() {
    for only in [false, true] {
        let mut config = config();
        config.reservations = vec![reserve(&OWNER.octets(), ip(7))];
        config.reserved_only = only;
        let mut server = Asked::new(config);
        assert_eq!(server.said(&discover(OWNER)), Some((OFFER, ip(7))));
        assert_eq!(server.said(&request(OWNER, ip(7))), Some((ACK, ip(7))));
        assert_eq!(server.said(&decline(OWNER, ip(7))), None);
        let offered = (!only).then_some((OFFER, ip(100)));
        assert_eq!(server.said(&discover(OWNER)), offered, "only: {only}");
        if !only {
            assert_eq!(server.said(&request(OWNER, ip(100))), Some((ACK, ip(100))));
            assert_eq!(server.said(&renewal(OWNER, ip(100))), Some((ACK, ip(100))));
        }
    }
}

#[test]
fn a_lease_kept_by_circuit_id_is_renewed_although_a_renewal_says_none() {
    let mut config = config();
    config.reservations = vec![reserve(b"port-7", ip(7))];
    let mut server = Asked::new(config);
    let first = relayed(discover(OWNER), "port-7");
    assert_eq!(server.said(&first), Some((OFFER, ip(7))));
    let second = relayed(request(OWNER, ip(7)), "port-7");
    assert_eq!(server.said(&second), Some((ACK, ip(7))));
    assert_eq!(server.said(&renewal(OWNER, ip(7))), Some((ACK, ip(7))));
    // It is nobody else's, and another port's client does not get it.
    assert_eq!(
        server.said(&relayed(request(OTHER, ip(7)), "port-8")),
        REFUSED
    );
    // The second client behind the same port gets one of the pool.
    let second = relayed(discover(OTHER), "port-7");
    assert_eq!(server.said(&second), Some((OFFER, ip(100))));
}
