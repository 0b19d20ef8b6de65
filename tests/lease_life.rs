//! A lease's life on a virtual clock: T1, T2, expiry, NAK, and back to INIT (RFC 2131 section 4.4.5).

use std::net::Ipv4Addr;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::rc::Rc;
use std::time::Duration;

use dhcpcraft::dhcp::Message;
use dhcpcraft::dhcp::assign::{self, Assignment};
use dhcpcraft::dhcp::template::{Draft, Identity, lease_options};
use dhcpcraft::link::segment::{EPOCH, Quality, Segment};
use dhcpcraft::talk::{
    Choose, Client, ClientConfig, ClientEnd, Event, Fault, Hold, Player, Seated, Server,
    ServerConfig, Subnet, run,
};
use dhcpcraft::wire::MacAddr;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

const MAC: MacAddr = MacAddr(2, 0, 0x5e, 0x10, 0, 1);

/// Messages that no test here comes near to.
const MANY: usize = 2000;

fn chance() -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(5)
}

fn server(lease: u32, forced: &[&str], faults: &[&str]) -> Server {
    let forced = forced.iter().map(|it| assign::parse(it).expect("options"));
    let forced: Vec<Assignment> = forced.collect();
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
        lease,
        think: Duration::from_millis(1),
        refuse: false,
        reservations: Vec::new(),
        reserved_only: false,
        rapid_commit: false,
        bootp: false,
        forced,
        faults: faults.expect("faults"),
    };
    Server::new(config, chance())
}

/// What a client and its server say in so many hours: message type, whether broadcast, minutes since the start.
fn life(faults: &[&str], hours: u64) -> Vec<(String, bool, u64)> {
    let hold = Hold {
        length: Duration::from_secs(3600 * hours),
        scale: 1.0,
    };
    let said = live(server(3600, &[], faults), hold);
    let minutes = said.into_iter().map(|it| (it.0, it.1, it.2.as_secs() / 60));
    minutes.collect()
}

/// What a client and its server say until the end: message type, whether broadcast, time since the start.
fn live(server: Server, hold: Hold) -> Vec<(String, bool, Duration)> {
    let mut segment = Segment::new("test", 5, Quality::default());
    segment.seat(Box::new(Seated(server)));
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
        hold: Some(hold),
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
        if let Some(message) = Message::of(frame) {
            let broadcast = frame.ipv4().is_some_and(|ip| ip.dst.is_broadcast());
            said.push((message.type_name().into_owned(), broadcast, at - EPOCH));
        }
        match said.len() < MANY {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    };
    run(players, &mut segment, object, observe, || false).expect("a link inside the process");
    assert!(said.len() < MANY, "a flood");
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

/// A server whose every second lease is refused at its second renewal, and every other is left to run out.
const FICKLE: &str = "count = {}
def on_request(req):
    if client_state(req) == 'selecting':
        count['lives'] = count.get('lives', 0) + 1
        count['renewals'] = 0
        return answer(req)
    count['renewals'] += 1
    if count['lives'] % 2 == 0:
        return None
    return answer(req) if count['renewals'] == 1 else nak(req)
";

/// On a clock that is not virtual it would take a day.
#[test]
fn a_day_is_the_same_every_time() {
    let rules = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lease-life.star");
    std::fs::write(&rules, FICKLE).expect("a file");
    let fickle = format!("lab:{}", rules.display());
    let day = |link: &str, seed: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dhcpcraft"));
        command.args(["dora", "-i", link, "--hold", "24h", "--seed", seed]);
        let output = command.output().expect("the tool starts");
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    for link in ["lab:lossy", &fickle] {
        let first = day(link, "3");
        assert_eq!(first, day(link, "3"), "{link}");
        assert_ne!(first, day(link, "4"), "{link}");
        let rungs = |what: &str| first.lines().filter(|it| it.contains(what)).count();
        // A lease of an hour is asked for twice an hour, and a few times more where nobody answers.
        let work = rungs("REQUEST");
        assert!((24..24 * 12).contains(&work), "{work} REQUESTs: {first}");
        assert!(first.lines().count() < 1000, "{first}");
        if link == fickle {
            // An hour until the NAK, and an hour until the end of the next lease: INIT twice in two hours.
            assert_eq!(rungs("DISCOVER"), 24, "{first}");
            assert_eq!(rungs("NAK"), 12, "{first}");
            assert!(rungs("(rebinding)") >= 12, "{first}");
        }
    }
}

/// The times of the messages of a type, in seconds.
fn seconds(said: &[(String, bool, Duration)], name: &str) -> Vec<f64> {
    let all = said.iter().filter(|it| it.0 == name);
    all.map(|it| it.2.as_secs_f64()).collect()
}

fn for_seconds(length: u64) -> Hold {
    Hold {
        length: Duration::from_secs(length),
        scale: 1.0,
    }
}

#[test]
fn the_shortest_leases_are_renewed_twice_in_their_time() {
    for lease in 1..=4 {
        let said = live(server(lease, &[], &[]), for_seconds(60));
        let asked = seconds(&said, "REQUEST");
        let wanted = 120 / lease as usize;
        let near = wanted.saturating_sub(2)..=wanted + 2 + wanted / 2 * usize::from(lease == 3);
        assert!(near.contains(&asked.len()), "lease {lease}: {asked:?}");
        assert_eq!(seconds(&said, "DISCOVER").len(), 1, "lease {lease}");
    }
}

#[test]
fn a_lease_that_is_over_at_once_is_not_asked_for_at_once() {
    let said = live(server(3600, &[], &["tiny-lease=0"]), for_seconds(35));
    let at: Vec<u64> = seconds(&said, "DISCOVER")
        .iter()
        .map(|it| *it as u64)
        .collect();
    assert_eq!(at, [0, 10, 20, 30], "RFC 2131 section 3.1 (5)");
    // So quick a life has no time for a renewal.
    let scaled = Hold {
        length: Duration::from_secs(15),
        scale: 1e6,
    };
    let said = live(server(3600, &[], &[]), scaled);
    assert_eq!(seconds(&said, "DISCOVER").len(), 2, "{said:?}");
}

#[test]
fn times_that_cannot_be_are_as_if_they_were_not_sent() {
    // T1, T2, and when a client with a lease of 20 s renews; a second after T2 for the first that rebinds.
    for (t1, t2, renews) in [
        ("0", "0", 10),
        ("0", "15", 10),
        ("5", "0", 5),
        ("5", "5", 10),
        ("15", "5", 10),
        ("40", "60", 10),
        ("4", "60", 4),
        ("5", "15", 5),
    ] {
        let forced = [format!("renewal-time={t1}"), format!("rebinding-time={t2}")];
        let forced: Vec<&str> = forced.iter().map(String::as_str).collect();
        let said = live(server(20, &forced, &[]), for_seconds(60));
        let asked: Vec<(bool, u64)> = said
            .iter()
            .filter(|it| it.0 == "REQUEST")
            .map(|it| (it.1, it.2.as_secs()))
            .collect();
        assert_eq!(asked[1], (false, renews), "T1 {t1}, T2 {t2}");
        assert!(asked[1..].iter().all(|it| !it.0), "T1 {t1}, T2 {t2}");
    }
    let said = live(server(20, &["rebinding-time=2"], &[]), for_seconds(15));
    let asked: Vec<u64> = seconds(&said, "REQUEST")
        .iter()
        .map(|it| *it as u64)
        .collect();
    assert_eq!(
        asked,
        [0, 10],
        "T1 is half of the lease, and T2 before it no T2"
    );
}

#[test]
fn what_is_asked_for_last_is_waited_for() {
    // The renewal is sent within a millisecond of the end, and its ACK comes behind it.
    let hold = Hold {
        length: Duration::from_secs(1800) - Duration::from_micros(500),
        scale: 1.0,
    };
    let said = live(server(3600, &[], &[]), hold);
    let names: Vec<&str> = said.iter().map(|it| it.0.as_str()).collect();
    assert_eq!(names[4..], ["REQUEST", "ACK"], "{names:?}");
}

#[test]
fn our_server_gives_no_time_that_our_client_does_not_use() {
    for lease in (0..=100).chain([3600, u32::MAX - 1]) {
        let options = lease_options(lease);
        let number = |code: u8| {
            let found = options.iter().find(|it| it.code == code)?;
            Some(u32::from_be_bytes(
                found.data.as_slice().try_into().expect("four bytes"),
            ))
        };
        assert_eq!(number(51), Some(lease));
        match (number(58), number(59)) {
            (Some(t1), Some(t2)) => assert!(0 < t1 && t1 < t2 && t2 < lease, "{lease}"),
            (None, None) => assert!(lease < 3, "{lease}"),
            half => panic!("{half:?} of {lease}"),
        }
    }
}
