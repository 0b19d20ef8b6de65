//! A lease's life on a virtual clock: T1, T2, expiry, NAK, and back to INIT (RFC 2131 section 4.4.5).

use std::net::Ipv4Addr;
use std::ops::ControlFlow;
use std::process::Command;
use std::rc::Rc;
use std::time::{Duration, Instant};

use dhcpcraft::dhcp::Message;
use dhcpcraft::dhcp::template::{Draft, Identity};
use dhcpcraft::link::segment::{EPOCH, Quality, Segment};
use dhcpcraft::talk::{
    Choose, Client, ClientConfig, ClientEnd, Event, Fault, Hold, Player, Seated, Server,
    ServerConfig, Subnet, run,
};
use dhcpcraft::wire::MacAddr;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

const MAC: MacAddr = MacAddr(2, 0, 0x5e, 0x10, 0, 1);

fn chance() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(5)
}

fn server(faults: &[&str]) -> Server {
    let faults = faults
        .iter()
        .map(|it| Fault::parse(it, |_| Err("no times here".into())));
    let faults: Result<Vec<_>, _> = faults.collect();
    let config = ServerConfig {
        address: Ipv4Addr::new(192, 0, 2, 1),
        mac: MacAddr(2, 0, 0x5e, 0, 0, 1),
        vlan: Vec::new(),
        subnets: vec![Subnet {
            network: Ipv4Addr::new(192, 0, 2, 0),
            prefix: 24,
            pool: (Ipv4Addr::new(192, 0, 2, 100), Ipv4Addr::new(192, 0, 2, 110)),
            options: Vec::new(),
        }],
        lease: 3600,
        think: Duration::from_millis(1),
        refuse: false,
        reservations: Vec::new(),
        reserved_only: false,
        rapid_commit: false,
        bootp: false,
        forced: Vec::new(),
        faults: faults.expect("faults"),
    };
    Server::new(config, chance())
}

/// What a client says in so many hours: message type, whether broadcast, minutes since the start.
fn life(faults: &[&str], hours: u64) -> Vec<(String, bool, u64)> {
    let mut segment = Segment::new("test", 5, Quality::default());
    segment.seat(Box::new(Seated(server(faults))));
    let config = ClientConfig {
        identity: Identity {
            client_mac: MAC,
            source_mac: MAC,
            xid: 1,
            address: None,
            server: None,
            own: None,
            server_mac: None,
        },
        build: Rc::new(|draft: Draft| draft.frame()),
        choose: Choose::First,
        collect: Duration::from_secs(1),
        tries: 4,
        timeout: Duration::from_secs(60),
        probe: false,
        restarts: 0,
        hold: Some(Hold {
            length: Duration::from_secs(3600 * hours),
            scale: 1.0,
        }),
        remembered: None,
    };
    let mut client = Client::new(config, chance());
    let mut said = Vec::new();
    let players: &mut [&mut dyn Player] = &mut [&mut client];
    let object = |_: &_| None;
    let observe = |event: Event| {
        let (at, frame) = match &event {
            Event::Sent { at, frame, .. } => (*at, frame),
            Event::Received {
                received, frame, ..
            } => (received.at, frame),
        };
        let minutes = (at - EPOCH).as_secs() / 60;
        if let Some(message) = Message::of(frame) {
            let broadcast = frame.ipv4().is_some_and(|ip| ip.dst.is_broadcast());
            said.push((message.type_name().into_owned(), broadcast, minutes));
        }
        ControlFlow::Continue(())
    };
    run(players, &mut segment, object, observe, || false).expect("a link inside the process");
    assert!(matches!(
        client.end(),
        Some(ClientEnd::Bound(_) | ClientEnd::NoOffer(_))
    ));
    said
}

fn requests(said: &[(String, bool, u64)]) -> Vec<(bool, u64)> {
    let all = said.iter().filter(|it| it.0 == "REQUEST");
    all.map(|it| (it.1, it.2)).collect()
}

#[test]
fn a_lease_is_renewed_at_half_its_time() {
    let said = life(&[], 3);
    // T1 counts from the REQUEST (RFC 2131 section 4.4.5), the three hours from its ACK: the sixth renewal is in them.
    let wanted: Vec<(bool, u64)> = (0..7).map(|it| (it == 0, 30 * it)).collect();
    assert_eq!(requests(&said), wanted, "unicast at T1, each time");
    assert_eq!(said.iter().filter(|it| it.0 == "ACK").count(), 7);
}

#[test]
fn without_an_answer_it_is_rebound_and_then_given_up() {
    // Only renewals are lost: ACKs of the first REQUEST come through.
    let said = life(&["drop=nak", "nak-renewal"], 2);
    let asked = requests(&said);
    // T1 at 30 min: half of what is left until T2 at 52 min, and again; then by broadcast until the end.
    let first: Vec<_> = asked.iter().take_while(|it| it.1 < 60).copied().collect();
    let unicast: Vec<u64> = first.iter().filter(|it| !it.0).map(|it| it.1).collect();
    let broadcast: Vec<u64> = first
        .iter()
        .filter(|it| it.0)
        .map(|it| it.1)
        .skip(1)
        .collect();
    assert_eq!(unicast.first(), Some(&30));
    assert!(
        unicast.len() >= 3 && unicast.iter().all(|it| (30..53).contains(it)),
        "{unicast:?}"
    );
    assert_eq!(broadcast.first(), Some(&52));
    assert!(
        broadcast.len() >= 2 && broadcast.iter().all(|it| (52..60).contains(it)),
        "{broadcast:?}"
    );
    let gaps = unicast.windows(2).chain(broadcast.windows(2));
    assert!(
        gaps.clone().all(|it| it[1] > it[0]),
        "a minute apart at least: {first:?}"
    );
    let discovers: Vec<u64> = said
        .iter()
        .filter(|it| it.0 == "DISCOVER")
        .map(|it| it.2)
        .collect();
    assert_eq!(
        &discovers[..2],
        [0, 60],
        "INIT again when the lease is over"
    );
}

#[test]
fn a_nak_at_renewal_leads_back_to_init() {
    let said = life(&["nak-renewal"], 1);
    let names: Vec<&str> = said.iter().map(|it| it.0.as_str()).collect();
    assert_eq!(
        names[..8],
        [
            "DISCOVER", "OFFER", "REQUEST", "ACK", "REQUEST", "NAK", "DISCOVER", "OFFER"
        ]
    );
    assert_eq!(said[6].2, 30, "at once");
}

#[test]
fn a_day_takes_no_time_and_is_the_same_every_time() {
    let day = |seed: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dhcpcraft"));
        command.args([
            "dora",
            "-i",
            "lab:lossy",
            "--hold",
            "24h",
            "--seed",
            seed,
            "--quiet",
        ]);
        let output = command.output().expect("the tool starts");
        assert_eq!(output.status.code(), Some(0));
        output.stdout
    };
    let start = Instant::now();
    let first = day("3");
    assert!(
        start.elapsed() < Duration::from_secs(60),
        "the clock is virtual"
    );
    assert_eq!(first, day("3"));
    assert_ne!(first, day("4"));
}
