//! `conform --client` against clients that each have one bad habit: it breaks the checks that cover it and no others,
//! and there is no check that no habit breaks.

mod address;
mod discover;
mod habits;
mod lease;
mod offer;
mod release;
mod request;

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::Arc;

use dhcpcraft::commands::Command;
use dhcpcraft::commands::conform::{Findings, Level, Report};
use dhcpcraft::commands::outcome::{Entry, Sink};
use dhcpcraft::script::conform_with;
use dhcpcraft::talk::{Habit, Plain};
use dhcpcraft::wire::MacAddr;
use habits::{ALL, Way, bootp, says};

/// The server of the lab, and an address where nobody is.
const SERVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 66);
const ANOTHER_MAC: MacAddr = MacAddr(0x02, 0, 0, 0, 0, 9);

/// What a client does, and what is not as it should be with it.
struct Row {
    name: &'static str,
    habit: fn() -> Way,
    amiss: &'static [&'static str],
}

const fn row(name: &'static str, habit: fn() -> Way, amiss: &'static [&'static str]) -> Row {
    Row { name, habit, amiss }
}

/// Says nothing.
struct Quiet;

impl Sink for Quiet {
    fn entry(&mut self, _entry: &Entry) -> std::io::Result<()> {
        Ok(())
    }

    fn notice(&mut self, _text: &str) {}
}

fn report(flag: &str, habit: Box<dyn Habit>) -> Report {
    let words = ["conform", "--client", "--seed", "1", flag].map(str::to_string);
    let Ok(Command::Conform(args)) = Command::parse_words(&words) else {
        panic!("{words:?}");
    };
    conform_with(&args, Arc::default(), &mut Quiet, habit).expect("a run")
}

fn findings(habit: Box<dyn Habit>) -> Findings {
    match report("--quiet", habit) {
        Report::Findings(it) => it,
        Report::Checks { .. } => panic!("no findings"),
    }
}

/// What is not as it should be, or worth knowing: `C-DIS-01 fail`.
fn amiss(found: &Findings) -> BTreeSet<String> {
    let rows = found.findings.iter();
    let rows = rows.filter(|it| matches!(it.word(), "fail" | "warn" | "note"));
    rows.map(|it| format!("{} {}", it.check.id, it.word()))
        .collect()
}

/// Each habit breaks the checks that cover it and no others.
#[track_caller]
fn judge(rows: &[Row]) {
    let sound = amiss(&findings(Box::new(Plain)));
    let mut wrong = Vec::new();
    for row in rows {
        let found = findings(Box::new((row.habit)()));
        assert!(found.answered, "the client that {} is not heard", row.name);
        let all = amiss(&found);
        let more: Vec<&str> = all.difference(&sound).map(String::as_str).collect();
        if more != row.amiss {
            wrong.push(format!("{}: {more:?}, not {:?}", row.name, row.amiss));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_first_message() {
    judge(discover::HABITS);
}

#[test]
fn the_choice_of_an_offer() {
    judge(offer::HABITS);
}

#[test]
fn the_request_and_its_answer() {
    judge(request::HABITS);
}

#[test]
fn the_life_of_a_lease() {
    judge(lease::HABITS);
}

#[test]
fn the_address_in_use() {
    judge(address::HABITS);
}

#[test]
fn release_restart_and_inform() {
    judge(release::HABITS);
}

/// The checks that no habit in the tables breaks, and why.
const UNBROKEN: &[(&str, &str)] = &[];

#[test]
fn there_is_no_check_that_nothing_breaks() {
    let tables = [
        discover::HABITS,
        offer::HABITS,
        request::HABITS,
        lease::HABITS,
        address::HABITS,
        release::HABITS,
    ];
    let broken: BTreeSet<&str> = tables
        .into_iter()
        .flatten()
        .flat_map(|it| it.amiss)
        .filter_map(|it| it.split(' ').next())
        .collect();
    let Report::Checks { checks, .. } = report("--list", Box::new(Plain)) else {
        panic!("no list");
    };
    let unbroken: Vec<&str> = checks
        .iter()
        .filter(|it| it.level != Level::May && !broken.contains(it.id.as_str()))
        .map(|it| it.id.as_str())
        .collect();
    let named: Vec<&str> = UNBROKEN.iter().map(|it| it.0).collect();
    assert_eq!(unbroken, named);
}

/// Who has no magic cookie, or says that it is a server, is no DHCP client.
#[test]
fn a_client_that_speaks_no_dhcp_is_not_heard() {
    let silent: [fn() -> Way; 2] = [
        || says(ALL, |it, _| bootp(it).op = 2),
        || {
            says(ALL, |it, _| {
                it.dhcp_mut().expect("options").cookie = [1, 2, 3, 4]
            })
        },
    ];
    for habit in silent {
        let found = findings(Box::new(habit()));
        assert!(!found.answered && found.findings.is_empty());
    }
}
