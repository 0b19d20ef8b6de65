//! Bad links and many clients: loss, duplication and reordering end in a lease that the server knows or in
//! an honest report; a thousand clients get their leases in one command.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use dhcpcraft::link::impair::{Impair, Impairment};
use dhcpcraft::link::label::{Label, Labelled};
use dhcpcraft::link::{Link, segment as lab};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::Value as Json;
use support::leases::LeaseState;
use support::peers::{Kind, Server, ServerConfig};
use support::segment::Segment;
use support::tool::{Run, TOOL, finish, scratch, text, tool};
use support::{require, tshark};

/// Everything at once, and each alone.
const SPOILED: [&str; 4] = [
    "loss=30%",
    "duplicate=100%",
    "reorder=100%",
    "loss=30%,duplicate=30%,reorder=30%",
];

fn run(segment: &Segment, args: &[&str]) -> Run {
    let mut command = segment.client_command(TOOL);
    let command = command.args(args).args(["-i", segment.client_interface()]);
    finish(command, b"")
}

/// The clients' rows of a run of many.
fn rows(run: &Run) -> Vec<Json> {
    let all = run.json().into_iter();
    all.filter(|it| it["state"].is_string()).collect()
}

#[test]
fn in_the_lab_every_run_ends_and_says_how() {
    let mut ends = BTreeMap::new();
    for how in SPOILED {
        for seed in 0..40 {
            let seed = seed.to_string();
            let args = [
                "dora", "--impair", how, "--seed", &seed, "--print", "yiaddr",
            ];
            let run = tool(&args);
            match run.code {
                Some(0) => assert_eq!(run.out, "192.0.2.100\n", "{how} {seed}"),
                Some(3) => {
                    assert_eq!(run.out, "", "{how} {seed}: an offer is no lease");
                    assert!(
                        run.err.contains("no reply: sent"),
                        "{how} {seed}: {}",
                        run.err
                    );
                    assert!(
                        run.err.contains("--impair lost"),
                        "{how} {seed}: {}",
                        run.err
                    );
                }
                _ => panic!("{how} {seed}: {run:?}"),
            }
            *ends.entry((how.contains("loss"), run.code)).or_insert(0) += 1;
        }
    }
    // Nothing but loss costs a lease, and four tries seldom fail.
    assert_eq!(ends.get(&(false, Some(3))), None, "{ends:?}");
    assert!(ends[&(true, Some(0))] > 60, "{ends:?}");
}

#[test]
fn a_seed_spoils_alike() {
    let spoiled = |seed: &str| {
        let how = ["--impair", SPOILED[3], "--seed", seed];
        tool(&[&["dora", "--clients", "20", "--json"], &how[..]].concat()).out
    };
    assert_eq!(spoiled("5"), spoiled("5"));
    assert_ne!(spoiled("5"), spoiled("6"));
}

#[test]
fn a_frame_that_never_left_is_recorded_as_lost() {
    let file = scratch("impaired").join("lost.pcapng");
    let args = ["discover", "--impair", "loss=100%", "--timeout", "1s"];
    let run = tool(&[&args[..], &["-w", text(&file)]].concat());
    assert_eq!(run.code, Some(3), "{run:?}");
    let comment = tshark(&file, &["-T", "fields", "-e", "frame.comment"]);
    assert_eq!(comment.trim(), "DISCOVER, lost by --impair");
}

#[test]
fn a_label_hides_no_loss() {
    let segment = lab::Segment::new("none", 1, lab::Quality::default());
    let all = Impairment {
        loss: 1.0,
        ..Impairment::default()
    };
    let bad = Impair::new(Box::new(segment), all, ChaCha8Rng::seed_from_u64(1));
    let mut link = Labelled::new(Box::new(bad), Label::default());
    link.send(&[0; 60]).expect("it is lost, not refused");
    assert_eq!(link.fate(), Some("lost by --impair"));
}

#[test]
fn shares_are_read_or_refused() {
    for wrong in [
        "",
        "loss",
        "loss=30",
        "loss=101%",
        "loss=x%",
        "delay=3%",
        "loss=1%,,",
    ] {
        let run = tool(&["dora", "--impair", wrong]);
        assert_eq!(run.code, Some(2), "{wrong}");
        assert!(
            run.err
                .contains("is none of loss=N%, duplicate=N%, reorder=N%"),
            "{}",
            run.err
        );
    }
}

/// What became of the clients of a run.
#[derive(Debug, Default)]
struct Fates {
    bound: usize,
    refused: usize,
}

/// Has twelve clients ask over a bad link, and compares what they say with what the server wrote down.
#[track_caller]
fn compare(segment: &Segment, server: &Server, number: u8, flags: &[&str]) -> Fates {
    let mac = format!("02:00:5e:3{number}:00:00+");
    let many = ["dora", "--clients", "12", "--mac", &mac, "--json"];
    let limits = ["--timeout", "9s", "--stagger", "20ms"];
    let run = run(segment, &[&many[..], &limits, flags].concat());
    let rows = rows(&run);
    assert_eq!(rows.len(), 12, "{run:?}");
    let mut given = BTreeSet::new();
    let mut refused = 0;
    for row in &rows {
        let mac = row["client"].as_str().expect("a MAC");
        let address = row["address"].as_str();
        match row["state"].as_str() {
            Some("bound") => {
                let ip: Ipv4Addr = address.and_then(|it| it.parse().ok()).expect("an address");
                assert!(given.insert(ip), "{ip} was given twice");
                assert_eq!(server.expect_active(ip).mac, mac);
            }
            // dnsmasq offers an address to a second client as long as the first has not asked for it.
            Some("refused") if server.kind() == Kind::Dnsmasq => {
                let log = server.log();
                let said = |it: &str| it.contains("DHCPNAK") && it.contains(mac);
                assert!(log.lines().any(said), "dnsmasq did not refuse {mac}");
                refused += 1;
            }
            Some("no offer" | "no ACK") => assert_eq!(address, None),
            _ => panic!("{row}"),
        }
    }
    let bound = given.len();
    let wanted = match (refused, bound) {
        (1.., _) => 4,
        (_, 12) => 0,
        _ => 3,
    };
    assert_eq!(run.code, Some(wanted), "{rows:?}");
    Fates { bound, refused }
}

fn over_bad_links(kind: Kind) {
    let segment = Segment::new();
    let pool = (Ipv4Addr::new(10, 77, 0, 100), Ipv4Addr::new(10, 77, 0, 199));
    let config = ServerConfig {
        pool: Some(pool),
        ..ServerConfig::default()
    };
    let server = segment.server(kind, config);
    for (number, how) in (0..).zip(SPOILED) {
        let flags = ["--impair", how, "--seed", "7"];
        let fates = compare(&segment, &server, number, &flags);
        eprintln!("{kind:?}, {how}: of 12 {fates:?}");
        assert!(fates.bound > 0, "{how}");
        if !how.contains("loss") {
            assert_eq!(fates.bound + fates.refused, 12, "{how}");
        }
    }
}

#[test]
fn dnsmasq_over_bad_links() {
    over_bad_links(Kind::Dnsmasq);
}

#[test]
fn kea_over_bad_links() {
    over_bad_links(Kind::Kea);
}

#[test]
fn the_kernels_own_bad_link() {
    let segment = Segment::new();
    let server = segment.server(Kind::Kea, ServerConfig::default());
    let mut tc = segment.client_command(require("tc"));
    let netem = [
        "netem",
        "delay",
        "10ms",
        "loss",
        "30%",
        "duplicate",
        "30%",
        "reorder",
        "30%",
    ];
    let on = ["qdisc", "add", "dev", segment.client_interface(), "root"];
    let added = finish(tc.args(on).args(netem), b"");
    let flags: &[&str] = match added.code {
        Some(0) => &[],
        _ => {
            // Without sch_netem in the kernel the decorator takes its part.
            eprintln!(
                "no netem in this kernel ({}): --impair instead",
                added.err.trim()
            );
            assert!(added.err.contains("qdisc kind is unknown"), "{added:?}");
            &["--impair", SPOILED[3]]
        }
    };
    assert!(compare(&segment, &server, 9, flags).bound > 0);
}

#[test]
fn a_thousand_clients_get_their_leases_from_kea() {
    let segment = Segment::new();
    let config = ServerConfig {
        pool: Some((Ipv4Addr::new(10, 77, 8, 0), Ipv4Addr::new(10, 77, 15, 255))),
        prefix: 16,
        ..ServerConfig::default()
    };
    let server = segment.server(Kind::Kea, config);
    let many = [
        "dora",
        "--clients",
        "1000",
        "--mac",
        "02:00:5e:40:00:00+",
        "--json",
    ];
    let run = run(&segment, &many).succeeded();
    let told: BTreeMap<Ipv4Addr, String> = rows(&run)
        .iter()
        .map(|row| {
            assert_eq!(row["state"], "bound", "{row}");
            let ip = row["address"].as_str().and_then(|it| it.parse().ok());
            let mac = row["client"].as_str().expect("a MAC");
            (ip.expect("an address"), mac.to_string())
        })
        .collect();
    assert_eq!(told.len(), 1000);
    let known = server.leases().into_iter();
    let known: BTreeMap<Ipv4Addr, String> = known
        .filter(|it| it.state == LeaseState::Active)
        .map(|it| (it.ip, it.mac))
        .collect();
    assert_eq!(told, known);
}
