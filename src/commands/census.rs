//! Who serves on a link: the answers to a survey as one row per server, what the servers disagree on,
//! and what changed since the last time.

use std::net::Ipv4Addr;
use std::time::Duration;

use super::diagnosis::Cause;
use crate::dhcp::Message;
use crate::dhcp::options;
use crate::link::Time;
use crate::talk::{Sighting, Survey};
use crate::wire::{Frame, MacAddr};

/// Options in which servers may well differ: they speak of the server or the lease, or give back what
/// the client or the relay said.
pub const OWN: [u8; 9] = [50, 51, 53, 54, 57, 58, 59, 61, 82];

/// A server that may answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// By its identity (option 54), or its IP source where it gives none.
    Ip(Ipv4Addr),
    /// By its Ethernet address, or that of the relay agent or router it is behind.
    Mac(MacAddr),
}

impl std::fmt::Display for Allowed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Allowed::Ip(ip) => ip.fmt(f),
            Allowed::Mac(mac) => mac.fmt(f),
        }
    }
}

/// A server as it was seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Its identity (option 54).
    pub identity: Option<Ipv4Addr>,
    /// The IP address its answers come from.
    pub source: Option<Ipv4Addr>,
    /// The Ethernet address its answers come from.
    pub mac: Option<MacAddr>,
    /// The relay agent that its answers came through (giaddr).
    pub relay: Option<Ipv4Addr>,
    /// When its first answer came.
    pub since: Time,
    /// The lowest and the highest address it offered.
    pub offered: Option<(Ipv4Addr, Ipv4Addr)>,
    /// The kinds of client that it answered.
    pub answered: Vec<&'static str>,
    /// The kinds that it did not.
    pub silent: Vec<&'static str>,
    /// How long its answers took, the fastest first.
    pub latencies: Vec<Duration>,
    /// Its first answer to each kind.
    pub replies: Vec<(&'static str, Frame)>,
    /// Whether it may answer; always where nothing says which ones may.
    pub allowed: bool,
    /// What is odd about it, each a few words.
    pub notes: Vec<String>,
}

impl Seen {
    /// What it is called: its identity, else its IP address.
    pub fn name(&self) -> String {
        let ip = self.identity.or(self.source);
        ip.map_or_else(|| "a server without address".into(), |it| it.to_string())
    }

    /// The fastest answer and the one in the middle.
    pub fn latency(&self) -> Option<(Duration, Duration)> {
        let middle = self.latencies.len() / 2;
        Some((*self.latencies.first()?, *self.latencies.get(middle)?))
    }

    /// Its answer to this kind of client.
    pub fn reply(&self, kind: &str) -> Option<&Frame> {
        let mut all = self.replies.iter();
        all.find(|it| it.0 == kind).map(|it| &it.1)
    }

    fn is(&self, other: &Seen) -> bool {
        (self.identity, self.source, self.mac, self.relay)
            == (other.identity, other.source, other.mac, other.relay)
    }

    /// Whether they are one server behind a relay agent that is the router too: the relay agent brings some of its
    /// answers, and those to a client with an address (INFORM, RFC 2131 section 4.3.5) are routed, without giaddr.
    fn is_beyond(&self, other: &Seen) -> bool {
        self.identity.is_some()
            && (self.identity, self.mac) == (other.identity, other.mac)
            && self.relay.is_some() != other.relay.is_some()
    }

    fn is_named(&self, allowed: &Allowed) -> bool {
        match allowed {
            Allowed::Ip(ip) => self.identity.or(self.source) == Some(*ip),
            Allowed::Mac(mac) => self.mac == Some(*mac),
        }
    }
}

/// Who answered in one round.
#[derive(Clone, Debug, Default)]
pub struct Census {
    /// A row per server, by its name and Ethernet address: the same order every time.
    pub rows: Vec<Seen>,
    /// The kinds of client that were asked as.
    pub kinds: Vec<&'static str>,
    /// The kind whose answers are compared.
    pub compared: Option<&'static str>,
    /// Codes of the options that the servers disagree on.
    pub disagree: Vec<u8>,
    /// Identities that come from several Ethernet addresses without a relay between.
    pub twins: Vec<Ipv4Addr>,
    /// Servers that may answer and did not.
    pub missing: Vec<Allowed>,
    /// Whether `--allow` names servers.
    pub judged: bool,
    /// How long answers were waited for.
    pub waited: Duration,
    /// Where nobody answered: why, the likeliest cause first.
    pub causes: Vec<Cause>,
}

/// A kind that asks for options only.
pub const INFORM_KIND: &str = "inform";

impl Census {
    /// What a survey found; `allow` are the servers that may answer, none for any.
    pub fn of(survey: &Survey, allow: &[Allowed], waited: Duration) -> Census {
        let kinds: Vec<_> = survey.probes().iter().map(|it| it.kind).collect();
        let mut rows: Vec<Seen> = Vec::new();
        for sighting in survey.sightings() {
            if let Some(&kind) = kinds.get(sighting.probe) {
                add(&mut rows, kind, sighting);
            }
        }
        for row in &mut rows {
            row.latencies.sort_unstable();
            let answered = row.answered.clone();
            row.silent
                .extend(kinds.iter().filter(|it| !answered.contains(it)));
            row.allowed = allow.is_empty() || allow.iter().any(|it| row.is_named(it));
            row.notes = notes(row);
        }
        Census::over(rows, kinds, allow, waited)
    }

    /// These servers side by side.
    fn over(
        mut rows: Vec<Seen>,
        kinds: Vec<&'static str>,
        allow: &[Allowed],
        waited: Duration,
    ) -> Census {
        rows.sort_by_key(|it| (it.identity.or(it.source), it.mac));
        let all = |kind: &&&str| rows.iter().all(|it| it.reply(kind).is_some());
        let compared = kinds.iter().find(all).copied();
        let messages: Vec<_> = compared.map_or_else(Vec::new, |kind| {
            let replies = rows.iter().filter_map(|it| it.reply(kind));
            replies.filter_map(Message::of).collect()
        });
        let disagree = differences(&messages.iter().collect::<Vec<_>>());
        let missing = allow
            .iter()
            .filter(|it| !rows.iter().any(|row| row.is_named(it)));
        let missing = missing.copied().collect();
        let twins = twins(&rows);
        Census {
            disagree,
            twins,
            missing,
            kinds,
            compared,
            judged: !allow.is_empty(),
            waited,
            causes: Vec::new(),
            rows,
        }
    }

    /// Whether somebody is silent who answered in an earlier round.
    pub fn lacks(&self, before: &Census) -> bool {
        let mut all = before.rows.iter();
        all.any(|it| !self.rows.iter().any(|row| row.is(it)))
    }

    /// This round, with the servers that only a later one found.
    pub fn joined(mut self, later: Census, allow: &[Allowed]) -> Census {
        let new = later.rows.into_iter();
        let new: Vec<_> = new
            .filter(|it| !self.rows.iter().any(|row| row.is(it)))
            .collect();
        if new.is_empty() {
            return self;
        }
        self.rows.extend(new);
        Census::over(self.rows, self.kinds, allow, self.waited)
    }

    /// Servers that answer and may not.
    pub fn strangers(&self) -> impl Iterator<Item = &Seen> {
        self.rows.iter().filter(|it| !it.allowed)
    }

    /// Whether a server's identity comes from another Ethernet address as well.
    pub fn is_twin(&self, row: &Seen) -> bool {
        row.identity.is_some_and(|it| self.twins.contains(&it))
    }

    /// The exit code that says it: 3 where nobody answers, 1 where somebody does who may not.
    pub fn exit_code(&self) -> u8 {
        match () {
            _ if self.rows.is_empty() => 3,
            _ if self.judged && !self.twins.is_empty() => 1,
            _ if self.strangers().next().is_some() => 1,
            _ => 0,
        }
    }

    /// What is different from an earlier round, seen at this time, in the order of time.
    pub fn changes(&self, before: &Census, at: Time) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut push = |row: &Seen, of: &Census, at, what| {
            changes.push(Change {
                at,
                server: row.name(),
                mac: row.mac,
                allowed: row.allowed,
                twin: of.is_twin(row),
                what,
            });
        };
        for row in &self.rows {
            match before.rows.iter().find(|it| it.is(row)) {
                None => push(row, self, row.since, What::Appears),
                Some(old) => {
                    for (name, was, is) in changed(old, row) {
                        push(row, self, at, What::Changes { name, was, is });
                    }
                }
            }
        }
        for row in &before.rows {
            if !self.rows.iter().any(|it| it.is(row)) {
                push(row, before, at, What::Disappears);
            }
        }
        changes.sort_by_key(|it: &Change| it.at);
        changes
    }
}

/// What became different from one round to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// When it was noticed: of a new server, when its first answer came.
    pub at: Time,
    /// The server's name.
    pub server: String,
    /// Its Ethernet address.
    pub mac: Option<MacAddr>,
    /// Whether it may answer.
    pub allowed: bool,
    /// Whether its identity comes from another Ethernet address as well.
    pub twin: bool,
    /// What happened.
    pub what: What,
}

/// What happened to a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// It answers and did not before.
    Appears,
    /// It does not answer any more.
    Disappears,
    /// It gives an option another value, gives it anew, or not any more.
    Changes {
        /// The option.
        name: &'static str,
        /// Its value before.
        was: Option<String>,
        /// Its value now.
        is: Option<String>,
    },
}

fn add(rows: &mut Vec<Seen>, kind: &'static str, sighting: &Sighting) {
    let Some(message) = Message::of(&sighting.frame) else {
        return;
    };
    let some = |ip: Ipv4Addr| (!ip.is_unspecified()).then_some(ip);
    let source = sighting.frame.ipv4().map(|it| it.src);
    let mac = sighting.frame.ether().map(|it| it.src);
    let relay = some(message.bootp.giaddr);
    // BOOTP has no server identifier: the same addresses are the same server.
    let identity = message.server_id().or_else(|| {
        let mut all = rows.iter();
        let known = all.find(|it| it.source == source && it.mac == mac && it.relay == relay);
        known.and_then(|it| it.identity)
    });
    let fresh = Seen {
        identity,
        source,
        mac,
        relay,
        since: sighting.at,
        offered: None,
        answered: Vec::new(),
        silent: Vec::new(),
        latencies: Vec::new(),
        replies: Vec::new(),
        allowed: true,
        notes: Vec::new(),
    };
    let known = |it: &Seen| it.is(&fresh) || it.is_beyond(&fresh);
    let row = match rows.iter().position(known) {
        Some(at) => rows.get_mut(at),
        None => {
            rows.push(fresh);
            rows.last_mut()
        }
    };
    let Some(row) = row else { return };
    if relay.is_some() {
        // Also where the first answer was a routed one.
        (row.relay, row.source) = (relay, source);
    }
    if let Some(ip) = some(message.bootp.yiaddr) {
        let (low, high) = row.offered.unwrap_or((ip, ip));
        row.offered = Some((low.min(ip), high.max(ip)));
    }
    row.latencies.push(sighting.after);
    if !row.answered.contains(&kind) {
        row.answered.push(kind);
        row.replies.push((kind, sighting.frame.clone()));
    }
}

/// What is odd about a server by itself.
fn notes(row: &Seen) -> Vec<String> {
    let mut notes = Vec::new();
    match (row.identity, row.source) {
        (None, _) => notes.push("gives no server-id".to_string()),
        (Some(id), Some(ip)) if id != ip && row.relay.is_none() => {
            notes.push(format!("comes from {ip} and says it is {id}"));
        }
        _ => {}
    }
    let informed = row.answered.contains(&INFORM_KIND);
    if row.offered.is_none() && informed {
        notes.push(if row.answered.len() == 1 {
            "answers INFORM and offers nothing: its pool is used up, or it serves known clients only".into()
        } else {
            "offers no address".into()
        });
    } else if row.offered.is_none() {
        notes
            .push("offers no address (a proxy for network boot, or a misconfigured server)".into());
    }
    let replies = row.replies.iter().filter(|it| it.0 != INFORM_KIND);
    let messages: Vec<_> = replies.filter_map(|it| Message::of(&it.1)).collect();
    let differ = DEPENDABLE.iter().filter(|code| {
        let mut values: Vec<_> = messages.iter().filter_map(|it| it.data(**code)).collect();
        values.dedup();
        values.len() > 1
    });
    let names: Vec<_> = differ.map(|it| options::by_code(*it).name).collect();
    if !names.is_empty() {
        notes.push(format!(
            "gives kinds of client different {}",
            names.join(", ")
        ));
    }
    notes
}

/// Options that every kind of client is expected to get alike.
const DEPENDABLE: [u8; 5] = [1, 3, 6, 15, 121];

fn twins(rows: &[Seen]) -> Vec<Ipv4Addr> {
    let mut twins: Vec<Ipv4Addr> = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        let same =
            |it: &Seen| it.identity == row.identity && it.mac != row.mac && it.relay.is_none();
        let again = row.relay.is_none() && rows.iter().skip(index + 1).any(same);
        twins.extend(row.identity.filter(|it| again && !twins.contains(it)));
    }
    twins
}

fn text(message: &Message, code: u8) -> Option<String> {
    let data = message.data(code)?;
    Some(match options::by_code(code).ty.decode(&data) {
        Ok(value) => value.to_string(),
        Err(_) => format!("hex:{}", hex::encode(data)),
    })
}

/// The options in which a server's answers to the same kind of client differ: name, before, now.
fn changed(old: &Seen, new: &Seen) -> Vec<(&'static str, Option<String>, Option<String>)> {
    let mut kinds = old.replies.iter().map(|it| it.0);
    let Some(kind) = kinds.find(|it| new.reply(it).is_some()) else {
        return Vec::new();
    };
    let (Some(old), Some(new)) = (
        old.reply(kind).and_then(Message::of),
        new.reply(kind).and_then(Message::of),
    ) else {
        return Vec::new();
    };
    let differ = differences(&[&old, &new]);
    let row = |code: u8| {
        (
            options::by_code(code).name,
            text(&old, code),
            text(&new, code),
        )
    };
    differ.into_iter().map(row).collect()
}

/// Codes of the options that are not the same in every message, those left out in which servers may
/// well differ.
pub fn differences(messages: &[&Message]) -> Vec<u8> {
    let mut codes: Vec<u8> = Vec::new();
    for option in messages.iter().flat_map(|it| it.options()) {
        if !codes.contains(&option.code) && !OWN.contains(&option.code) {
            codes.push(option.code);
        }
    }
    codes.retain(|code| {
        let mut values: Vec<_> = messages.iter().map(|it| it.data(*code)).collect();
        values.dedup();
        values.len() > 1
    });
    codes.sort_unstable();
    codes
}
