//! `--group`: frames told apart by exchange, and what each client is doing as seen from outside.

#[path = "support/frames.rs"]
mod frames;
mod support;

use std::net::Ipv4Addr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dhcpcraft::dhcp::enums::{ACK, DISCOVER, OFFER, REQUEST};
use dhcpcraft::dhcp::template::{self, Draft, Identity};
use dhcpcraft::link::Time;
use dhcpcraft::talk::observer::{
    CLIENTS, Mark, Note, Observation, Observer, Passing, Reason, State,
};
use dhcpcraft::wire::{Dot1Q, Frame, MacAddr};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value as Json;
use support::clients::Dhclient;
use support::segment::Segment;
use support::tool::{Run, TOOL, command, finish, scratch, text, tool};
use support::{clients as peers, expect_within, wire};

const PATIENCE: Duration = Duration::from_secs(20);

/// The clients of a capture as `--group --json` gives them.
fn clients(file: &str) -> Vec<Json> {
    clients_of(&tool(&["show", "--group", "--json", file]).succeeded())
}

fn clients_of(run: &Run) -> Vec<Json> {
    let lines = run.json().into_iter();
    lines.filter(|it| !it["client"].is_null()).collect()
}

/// `STATE`, or `STATE reason`.
fn state(client: &Json) -> String {
    let word = |name: &str| client[name].as_str().unwrap_or_default().to_string();
    format!("{} {}", word("state"), word("reason"))
        .trim_end()
        .to_string()
}

#[test]
fn every_recorded_exchange_ends_in_its_state() {
    let cases: &[(&str, &str)] = &[
        ("dora-dhcpd", "BOUND"),
        ("dora-dnsmasq", "BOUND"),
        ("dora-kea", "BOUND"),
        ("dora-udhcpd", "BOUND"),
        ("lab", "BOUND"),
        ("decline", "INIT declined"),
        ("nak", "INIT refused"),
        ("release", "INIT released"),
        ("inform", "INFORM"),
        ("several-servers", "SELECTING"),
        ("relayed", "SELECTING"),
        ("vlan", "SELECTING"),
    ];
    for (name, wanted) in cases {
        let found = clients(&format!("samples/{name}.pcapng"));
        let [client] = found.as_slice() else {
            panic!("{name}: {found:?}");
        };
        assert_eq!(state(client), *wanted, "{name}");
    }
}

/// What `show --group` prints in so many columns.
fn shown(columns: &str, file: &str) -> String {
    let mut command = command(&["show", "--group", file]);
    finish(command.env("COLUMNS", columns), b"").succeeded().out
}

#[test]
fn grouped_lines_are_aligned() {
    let narrow = "
   1    0.000   #1 02:00:5e:10:00:01 DISCOVER SELECTING  wants 10.77.0.60 …
   2    0.000   #1 02:00:5e:10:00:01 OFFER               10.77.0.60  lease 9m59s
   3    0.001   #1 02:00:5e:10:00:01 REQUEST  REQUESTING 10.77.0.60  from 10.77…
   4    0.001   #1 02:00:5e:10:00:01 ACK      BOUND      10.77.0.60  lease 9m59s
   5    0.001      02:00:5e:10:00:01 ARP probe: who has 10.77.0.60?  # ARP prob…
   6    0.001      02:00:5e:78:00:3c ARP 10.77.0.60 is at 02:00:5e:78:00:3c
   7    0.001   #2 02:00:5e:10:00:01 DECLINE  INIT       10.77.0.60  to 10.77.0…
";
    let wide = "
    1    0.000000    #1 02:00:5e:10:00:01 DISCOVER  SELECTING   wants 10.77.0.60  xid 0x4f61c2e6
    2    0.000239    #1 02:00:5e:10:00:01 OFFER                 10.77.0.60  from 10.77.0.3  lease 9m59s
    3    0.000668    #1 02:00:5e:10:00:01 REQUEST   REQUESTING  10.77.0.60  from 10.77.0.3
    4    0.000832    #1 02:00:5e:10:00:01 ACK       BOUND       10.77.0.60  from 10.77.0.3  lease 9m59s
    5    0.001042       02:00:5e:10:00:01 ARP probe: who has 10.77.0.60?  # ARP probe for 10.77.0.60
    6    0.001067       02:00:5e:78:00:3c ARP 10.77.0.60 is at 02:00:5e:78:00:3c
    7    0.001188    #2 02:00:5e:10:00:01 DECLINE   INIT        10.77.0.60  to 10.77.0.3  # DECLINE: 10.77.0.60 is at 0…
";
    for (columns, lines) in [("80", narrow), ("120", wide)] {
        let out = shown(columns, "samples/decline.pcapng");
        let first: Vec<&str> = out.lines().take(7).collect();
        assert_eq!(first.join("\n"), lines.trim_matches('\n'), "{columns}");
    }
}

#[test]
fn grouped_views_keep_to_the_width() {
    let file = scratch("observer-width").join("clients.pcapng");
    tool(&["dora", "--clients", "20", "-w", text(&file)]).succeeded();
    let samples = std::fs::read_dir("samples").expect("the samples");
    let mut captures: Vec<String> = samples
        .map(|it| text(&it.expect("a file").path()).to_string())
        .filter(|it| it.contains(".pcap"))
        .collect();
    assert!(captures.len() > 10, "{captures:?}");
    captures.push(text(&file).to_string());
    for columns in [40, 60, 80, 100, 120, 160] {
        for file in &captures {
            let out = shown(&columns.to_string(), file);
            for line in out.lines() {
                assert!(
                    line.chars().count() <= columns,
                    "{file} in {columns}: {line:?}"
                );
            }
        }
    }
}

/// A lease lived through in the lab: what an onlooker makes of it at each hour.
#[test]
fn a_lease_is_followed_through_its_life() {
    let file = scratch("observer-life").join("life.pcapng");
    let file = text(&file);
    tool(&["dora", "--hold", "100m", "-w", file]).succeeded();
    let run = tool(&["show", "--group", "--json", file]).succeeded();
    let states: Vec<String> = run
        .json()
        .iter()
        .filter_map(|it| it["state"].as_str().filter(|_| it["client"].is_null()))
        .map(str::to_string)
        .collect();
    let begins = ["SELECTING", "SELECTING", "REQUESTING", "BOUND"];
    assert_eq!(states[..4], begins, "{states:?}");
    assert!(states.iter().any(|it| it == "RENEWING"), "{states:?}");
    let last = clients(file);
    assert_eq!(state(&last[0]), "BOUND");
    assert_eq!(last[0]["lease"], 3600);
}

/// Clients that are served at the same time do not run into each other.
#[test]
fn clients_at_once_are_told_apart() {
    let file = scratch("observer-clients").join("clients.pcapng");
    let file = text(&file);
    let mac = "02:00:00:00:00:01+";
    tool(&["dora", "--clients", "2", "--mac", mac, "-w", file]).succeeded();
    let found = clients(file);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().all(|it| state(it) == "BOUND"), "{found:?}");
    assert_ne!(found[0]["address"], found[1]["address"]);
}

/// A real client through BOUND, RENEWING and BOUND, and, when the server hangs, through RENEWING and REBINDING to
/// the end of its lease. Who looks on at the client's own interface sees what it sends.
#[test]
fn a_real_client_is_followed_to_the_end_of_its_lease() {
    let segment = Segment::new();
    let lease = ["--lease-time", "10s", "-o", "58=3s", "-o", "59=5s"];
    let server = peers::Tool::start(&segment, "served", &lease);
    let interface = segment.client_interface();
    let at_client = |args: &[&str]| {
        let mut command = segment.client_command(TOOL);
        command.args(args).args(["-i", interface]);
        command
    };
    let sniff = wire::Running::start(
        &mut at_client(&["sniff", "--group", "--json"]),
        segment.directory(),
    );
    // Another one holds a lease meanwhile.
    let other = ["--mac", "02:00:00:00:00:99"];
    let dora = finish(
        &mut at_client(&[&["dora", "--print", "yiaddr"], &other[..]].concat()),
        b"",
    );
    let held = dora.succeeded().out;
    let own = segment.client_mac();
    // The states that the frames of one client tell, those in a row once.
    let states = |mac: &str| {
        let text = sniff.out();
        let lines = text
            .lines()
            .filter_map(|it| serde_json::from_str::<Json>(it).ok());
        let of_it = lines.filter(|it| it["message"]["chaddr"] == mac);
        let mut states: Vec<String> = of_it
            .filter_map(|it| it["state"].as_str().map(str::to_string))
            .collect();
        states.dedup();
        states
    };
    let dhclient = Dhclient::configured(&segment, "initial-interval 1;\nbackoff-cutoff 1;\n");
    let client = dhclient.start();
    let told = |reason: &str| dhclient.reasons().iter().any(|it| it == reason);
    expect_within("a lease renewed", PATIENCE, || told("RENEW"));
    let release = [
        "release",
        "--ciaddr",
        held.trim(),
        "--server-id",
        "10.77.0.200",
    ];
    finish(&mut at_client(&[&release[..], &other].concat()), b"").succeeded();
    server.hang();
    let rebinds = || states(own).iter().any(|it| it == "REBINDING");
    expect_within("a rebinding", PATIENCE, rebinds);
    drop(client);
    assert!(!told("EXPIRE"), "{:?}", dhclient.reasons());
    let served = server.messages();
    let acked = served
        .iter()
        .rfind(|it| it["message"]["type"] == "ACK")
        .expect("an ACK");
    let acked: f64 = acked["time"]
        .as_str()
        .and_then(|it| it.parse().ok())
        .expect("a time");
    expect_within("the end of the lease", PATIENCE, || {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        now.is_ok_and(|it| it.as_secs_f64() > acked + 10.5)
    });
    let seen = [own, other[1]].map(states);
    sniff.signal("INT");
    let ended = sniff.end().succeeded();
    // It may renew more than once until the server hangs.
    let [first, second, renewals @ .., last] = &seen[0][..] else {
        panic!("{seen:?}");
    };
    let ends = [first, second, last];
    assert_eq!(ends, ["SELECTING", "REQUESTING", "REBINDING"], "{seen:?}");
    assert!(renewals.len() >= 4, "{seen:?} {:?}", dhclient.reasons());
    for pair in renewals.chunks(2) {
        assert_eq!(pair, ["BOUND", "RENEWING"], "{seen:?}");
    }
    assert_eq!(seen[1], ["SELECTING", "REQUESTING", "BOUND", "INIT"]);
    let found: Vec<Json> = clients_of(&ended);
    let of = |mac: &str| {
        let it = found.iter().find(|it| it["client"] == mac);
        it.unwrap_or_else(|| panic!("{mac} is not in {found:#?}"))
    };
    assert_eq!(state(of(own)), "INIT expired");
    assert_eq!(state(of(other[1])), "INIT released");
    let notes = of(own)["notable"].to_string();
    for part in [
        "REQUEST (RENEWING) unanswered",
        "REQUEST (REBINDING) unanswered",
        "no renewal seen",
    ] {
        assert!(notes.contains(part), "{part:?} is not in {notes}");
    }
}

const SERVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const RELAY: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
const RELAY_MAC: MacAddr = MacAddr(2, 0, 0, 0, 0, 0xf0);

/// Who asks under this xid: the client of this number, with the address that ends like it.
fn who(client: u32, xid: u32) -> Identity {
    let [a, b, c, d] = client.to_be_bytes();
    let mac = MacAddr(2, 0, a, b, c, d);
    Identity {
        client_mac: mac,
        source_mac: mac,
        xid,
        address: Some(Ipv4Addr::new(10, b, c, d)),
        server: Some(SERVER),
        own: None,
        server_mac: None,
    }
}

/// A message of a client, or to it from the server.
fn message(kind: u8, who: &Identity) -> Draft {
    let mut draft = template::fresh(kind, who);
    if !template::from_client(kind) {
        draft.ether.src = MacAddr(2, 0, 0, 0, 0, 0x99);
    }
    draft
}

/// The same message as the relay agent passes it on: a request to the server, a reply to the client.
fn relayed(draft: &Draft) -> Draft {
    let mut draft = draft.clone();
    draft.ether.src = RELAY_MAC;
    draft.ip.src = RELAY;
    draft.bootp.giaddr = RELAY;
    draft
}

/// An observer, and the frames that it is shown at a second each.
#[derive(Default)]
struct Watch(Observer);

impl Watch {
    fn sees(&mut self, second: u64, draft: &Draft) -> Mark {
        let frame = Frame::decode(&draft.frame().encode());
        let mark = self.0.see(Time(second * 1_000_000_000), &frame);
        mark.expect("a message of an exchange")
    }

    /// The whole handshake within a second, for a lease of so many; the client is BOUND.
    fn binds(&mut self, second: u64, who: &Identity, lease: u32) {
        self.sees(second, &message(DISCOVER, who));
        self.sees(second, &message(OFFER, who));
        self.sees(second, &message(REQUEST, who));
        assert_eq!(
            self.acknowledges(second, who, lease).state,
            State::Bound,
            "{who:?}"
        );
    }

    fn acknowledges(&mut self, second: u64, who: &Identity, lease: u32) -> Mark {
        let mut ack = message(ACK, who);
        template::lease_options(lease)
            .into_iter()
            .for_each(|it| ack.put(it));
        self.sees(second, &ack)
    }

    /// What became of the clients, judged at this second.
    fn ends(self, second: u64) -> Observation {
        self.0.finish(Some(Time(second * 1_000_000_000)))
    }
}

/// On both sides of a relay agent each message passes twice.
#[test]
fn what_a_relay_agent_passes_on_is_a_copy() {
    let mut watch = Watch::default();
    let who = who(1, 7);
    let offer = {
        let mut offer = message(OFFER, &who);
        offer.bootp.giaddr = RELAY;
        offer
    };
    let ack = {
        let mut ack = message(ACK, &who);
        ack.bootp.giaddr = RELAY;
        ack
    };
    let (discover, request) = (message(DISCOVER, &who), message(REQUEST, &who));
    let passes = [
        (&discover, Passing::First, State::Selecting),
        (&relayed(&discover), Passing::Copy, State::Selecting),
        (&offer, Passing::First, State::Selecting),
        (&relayed(&offer), Passing::Copy, State::Selecting),
        (&request, Passing::First, State::Requesting),
        (&relayed(&request), Passing::Copy, State::Requesting),
        (&request, Passing::Again(2), State::Requesting),
        (&relayed(&request), Passing::Copy, State::Requesting),
        (&ack, Passing::First, State::Bound),
        (&relayed(&ack), Passing::Copy, State::Bound),
    ];
    let mut before = State::Unknown;
    for (second, (draft, passing, state)) in (0..).zip(passes) {
        let mark = watch.sees(second, draft);
        assert_eq!((mark.passing, mark.state), (passing, state), "{second}");
        assert_eq!((mark.client, mark.exchange), (1, 1), "{second}");
        assert_eq!(mark.changed, state != before, "{second}");
        before = state;
    }
    let seen = watch.ends(10);
    let [client] = seen.clients.as_slice() else {
        panic!("{:?}", seen.clients);
    };
    let exchange = &client.exchanges[0];
    let counts: Vec<(&str, u32)> = exchange
        .messages
        .iter()
        .map(|it| (it.0.name(), it.1))
        .collect();
    assert_eq!(
        counts,
        [("DISCOVER", 1), ("OFFER", 1), ("REQUEST", 2), ("ACK", 1)]
    );
    assert_eq!((exchange.frames, exchange.retransmissions), (10, 1));
    assert_eq!(exchange.offers.len(), 1);
}

/// Behind a relay agent only its copies are seen: there they are no copies.
#[test]
fn behind_a_relay_agent_alone_nothing_is_a_copy() {
    let mut watch = Watch::default();
    let who = who(1, 7);
    for (second, kind) in (0..).zip([DISCOVER, REQUEST]) {
        let mark = watch.sees(second, &relayed(&message(kind, &who)));
        assert_eq!(mark.passing, Passing::First);
    }
    let again = watch.sees(2, &relayed(&message(REQUEST, &who)));
    assert_eq!(again.passing, Passing::Again(2));
    assert_eq!(watch.ends(3).clients[0].place.relay, Some(RELAY));
}

#[test]
fn of_too_many_clients_the_one_silent_longest_is_let_go() {
    let mut watch = Watch::default();
    let all = CLIENTS as u32;
    let discover = |client| message(DISCOVER, &who(client, client));
    for client in 0..all {
        watch.sees(0, &discover(client));
    }
    // The first has spoken again, so the second is silent longest.
    assert_eq!(watch.sees(1, &discover(0)).client, 1);
    let one_more = watch.sees(2, &discover(all));
    assert_eq!(one_more.client, u64::from(all) + 1);
    assert_eq!(watch.0.len(), CLIENTS);
    // The one let go is another when it comes back, and has the third let go.
    let back = watch.sees(3, &discover(1));
    assert_eq!(back.client, u64::from(all) + 2);
    assert_eq!(back.passing, Passing::First);
    let seen = watch.ends(3);
    assert_eq!((seen.clients.len(), seen.let_go), (CLIENTS, 2));
    assert_eq!(
        (seen.frames, seen.exchanges),
        (all as u64 + 3, all as u64 + 2)
    );
    let numbers: Vec<u64> = seen.clients.iter().map(|it| it.number).collect();
    assert_eq!(numbers[..3], [1, 4, 5]);
    assert_eq!(numbers.last(), Some(&(u64::from(all) + 2)));
}

#[test]
fn one_address_at_too_many_places_is_no_way_to_flood() {
    let mut watch = Watch::default();
    for vlan in 1..=100 {
        let mut discover = message(DISCOVER, &who(1, vlan.into()));
        discover.tags.push(Dot1Q {
            vlan,
            ..Dot1Q::default()
        });
        watch.sees(0, &discover);
    }
    assert!(watch.0.len() <= 16, "{}", watch.0.len());
    let seen = watch.ends(0);
    assert_eq!(seen.let_go + seen.clients.len() as u64, 100);
    assert_eq!(seen.clients.last().map(|it| it.number), Some(100));
}

#[test]
fn a_lease_that_nobody_renews_ends() {
    let bound = |last: u64| {
        let mut watch = Watch::default();
        watch.binds(0, &who(1, 1), 100);
        // Time passes with the frames of others.
        watch.sees(last, &message(DISCOVER, &who(2, 2)));
        watch.ends(last).clients.remove(0)
    };
    let held = bound(99);
    assert_eq!((held.state, held.reason), (State::Bound, None));
    assert!(held.notes.is_empty(), "{:?}", held.notes);
    let over = bound(100);
    assert_eq!(
        (over.state, over.reason),
        (State::Init, Some(Reason::Expired))
    );
    assert_eq!((over.address, over.server, over.lease), (None, None, None));
    let address = Ipv4Addr::new(10, 0, 0, 1);
    assert_eq!(over.notes, [(Note::Expired(address), 1)]);
}

#[test]
fn a_renewal_puts_the_end_off_and_silence_does_not() {
    let mut watch = Watch::default();
    watch.binds(0, &who(1, 1), 100);
    let (renewing, rebinding) = (template::renewing, template::rebinding);
    let states = [
        watch.sees(50, &renewing(&who(1, 2))).state,
        watch.acknowledges(50, &who(1, 2), 100).state,
        // 120 seconds after the first ACK it holds the lease by the second.
        watch.sees(100, &renewing(&who(1, 3))).state,
        watch.sees(120, &renewing(&who(1, 3))).state,
        watch.sees(140, &rebinding(&who(1, 3))).state,
    ];
    let wanted = [
        State::Renewing,
        State::Bound,
        State::Renewing,
        State::Renewing,
        State::Rebinding,
    ];
    assert_eq!(states, wanted);
    // It begins again; what it sends tells that it knows that its lease is over.
    let mark = watch.sees(150, &message(DISCOVER, &who(1, 4)));
    assert_eq!((mark.state, mark.changed), (State::Selecting, true));
    let client = watch.ends(151).clients.remove(0);
    let notes: Vec<String> = client.notes.iter().map(|it| it.0.to_string()).collect();
    assert_eq!(
        notes,
        [
            "REQUEST (RENEWING) unanswered, 2 tries",
            "REQUEST (REBINDING) unanswered",
            "lease of 10.0.0.1 ended, no renewal seen"
        ]
    );
}

/// dhclient asks under one xid for ever, and often twice.
#[test]
fn a_client_with_one_xid_for_ever_is_renewed_each_time() {
    let mut watch = Watch::default();
    let who = who(1, 7);
    watch.binds(0, &who, 100);
    for (second, exchange) in [(50, 2), (92, 3), (142, 4)] {
        let mark = watch.sees(second, &template::renewing(&who));
        assert_eq!(
            (mark.exchange, mark.passing, mark.state),
            (exchange, Passing::First, State::Renewing)
        );
        let mark = watch.sees(second, &template::renewing(&who));
        assert_eq!((mark.exchange, mark.passing), (exchange, Passing::Again(2)));
        let mark = watch.acknowledges(second, &who, 100);
        assert_eq!((mark.exchange, mark.state), (exchange, State::Bound));
    }
    let client = watch.ends(241).clients.remove(0);
    assert_eq!((client.state, client.total), (State::Bound, 4));
}

/// Tries of a renewal are minutes to hours apart, and are tries of one exchange all the same.
#[test]
fn a_renewal_without_an_answer_goes_on_until_the_lease_ends() {
    let mut watch = Watch::default();
    watch.binds(0, &who(1, 1), 3600);
    let renewing = |at, watch: &mut Watch| watch.sees(at, &template::renewing(&who(1, 2)));
    let first = renewing(1800, &mut watch);
    assert_eq!((first.exchange, first.passing), (2, Passing::First));
    let again = renewing(2475, &mut watch);
    assert_eq!((again.exchange, again.passing), (2, Passing::Again(2)));
    let rebinding = watch.sees(3150, &template::rebinding(&who(1, 2)));
    assert_eq!((rebinding.exchange, rebinding.state), (2, State::Rebinding));
    let ack = watch.acknowledges(3150, &who(1, 2), 3600);
    assert_eq!((ack.exchange, ack.state), (2, State::Bound));
    // Anything else under an old xid is another exchange.
    let later = watch.sees(3600, &message(DISCOVER, &who(1, 2)));
    assert_eq!((later.exchange, later.passing), (3, Passing::First));
}

#[test]
fn a_lease_for_ever_never_ends() {
    let mut watch = Watch::default();
    watch.binds(0, &who(1, 1), u32::MAX);
    let client = watch.ends(10 * 365 * 86_400).clients.remove(0);
    assert_eq!(client.state, State::Bound);
    assert_eq!(client.lease.and_then(|it| it.ends()), None);
}

proptest! {
    #[test]
    fn whatever_passes_is_looked_at(all in vec(frames::frame(), 0..40)) {
        let mut observer = Observer::default();
        for (at, frame) in (0..).zip(all) {
            observer.see(Time(at * 1_000_000_000), &frame);
        }
        observer.finish(None);
    }
}
