//! Who answers here? Asks as several kinds of client and lists every server that answers.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::Error;
use super::args::{ColorChoice, LinkArgs, SeedArgs, parse_duration};
use super::built::tag;
use super::census::{Allowed, Census, Change, INFORM_KIND};
use super::diagnosis::Circumstances;
use super::edits::Edits;
use super::nagios::NagiosArgs;
use super::outcome::Sink;
use super::session::{OpenLink, Session};
use super::witness::Witness;
use crate::dhcp::assign::Assignment;
use crate::dhcp::enums::{DISCOVER, INFORM};
use crate::dhcp::template::{self, Draft, Identity};
use crate::talk::{Host, Player, Probe, Survey, Watch};

/// A kind of client to ask as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ClientKind {
    /// A client without a vendor class.
    Plain,
    /// A network boot ROM (PXEClient, options 93, 94, 97).
    Pxe,
    /// Windows (MSFT 5.0).
    Windows,
    /// Android (android-dhcp-14).
    Android,
    /// A client with a MAC address by chance, for servers that know the others.
    RandomMac,
    /// An INFORM from the interface's own address.
    Inform,
    /// Plain BOOTP; a server gives it an address for ever, which is given back at once.
    Bootp,
}

impl ClientKind {
    /// Those asked as where nobody names others: none that makes a server bind an address.
    const USUAL: [ClientKind; 6] = [
        ClientKind::Plain,
        ClientKind::Pxe,
        ClientKind::Windows,
        ClientKind::Android,
        ClientKind::RandomMac,
        ClientKind::Inform,
    ];

    fn name(self) -> &'static str {
        match self {
            ClientKind::Plain => "plain",
            ClientKind::Pxe => "pxe",
            ClientKind::Windows => "windows",
            ClientKind::Android => "android",
            ClientKind::RandomMac => "random-mac",
            ClientKind::Inform => INFORM_KIND,
            ClientKind::Bootp => "bootp",
        }
    }
}

/// Arguments of `servers`.
#[derive(Clone, Debug, Args)]
pub struct ServersArgs {
    #[command(flatten)]
    link: LinkArgs,
    /// A server that may answer, by its server-id or MAC; any other is a failure (exit 1). Repeat for more
    #[arg(long, value_name = "IP|MAC", value_parser = parse_allowed, help_heading = "Judging")]
    allow: Vec<Allowed>,
    /// Fail (exit 1) unless this expression holds at the end; repeat for more. `servers`, the rows as --json has them, `replies`, `sent` are in scope: 'len(servers) == 1'
    #[arg(long, value_name = "EXPR", help_heading = "Judging")]
    pub(super) expect: Vec<String>,
    /// Ask as these kinds of client only; repeat for more [default: all but bootp]
    #[arg(long = "as", value_enum, value_name = "KIND", help_heading = "Asking")]
    kinds: Vec<ClientKind>,
    /// How long to wait for answers after the last question
    #[arg(long, value_name = "TIME", value_parser = parse_duration, default_value = "2s", help_heading = "Asking")]
    timeout: Duration,
    /// Keep looking, so long after each round, and report what changes
    #[arg(long, value_name = "INTERVAL", value_parser = parse_duration, num_args = 0..=1, default_missing_value = "30s", help_heading = "Asking")]
    watch: Option<Duration>,
    /// Stop watching after so many rounds [default: at Ctrl-C]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), requires = "watch", help_heading = "Asking")]
    count: Option<u64>,
    #[command(flatten)]
    edits: Edits,
    #[command(flatten)]
    seed: SeedArgs,
    /// One JSON object per server, and per change; one more where nobody answers or an allowed server does not
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Write every frame sent and received to a capture
    #[arg(short, long, value_name = "FILE.pcap|.pcapng", help_heading = "Output")]
    pub write: Option<PathBuf>,
    /// Keep notices off standard error
    #[arg(long, help_heading = "Output")]
    pub quiet: bool,
    /// When to use colours
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    pub color: ColorChoice,
    #[command(flatten)]
    pub(super) nagios: NagiosArgs,
}

fn parse_allowed(text: &str) -> Result<Allowed, String> {
    if let Ok(ip) = text.parse() {
        return Ok(Allowed::Ip(ip));
    }
    let mac = text.replace('-', ":").parse().map(Allowed::Mac);
    mac.map_err(|_| "an IPv4 address or a MAC, such as 10.0.0.1 or 52:54:00:aa:00:01".into())
}

/// Who answers on a link, and what changed while it was watched.
#[derive(Debug)]
pub struct Found {
    /// The last round.
    pub census: Census,
    /// Whether it was watched, so that every change has been told.
    pub watched: bool,
    /// What changed from one round to the next.
    pub changes: Vec<Change>,
    /// Whether the user broke it off.
    pub interrupted: bool,
    /// The worst exit code of the rounds before.
    worst: u8,
}

impl Found {
    /// The exit code that says it: that of the last round, and 1 where a stranger answered in any.
    pub fn exit_code(&self) -> u8 {
        match self.interrupted {
            true => 130,
            false if self.worst == 1 => 1,
            false => self.census.exit_code(),
        }
    }
}

/// Who asks.
struct Asker<'a> {
    client: &'a Identity,
    /// The one with a MAC address by chance.
    other: &'a Identity,
    /// The address to inform about.
    own: Option<Ipv4Addr>,
    kinds: &'a [ClientKind],
}

/// Time between two questions.
const SPACING: Duration = Duration::from_millis(100);

/// Changes remembered.
const CHANGES: usize = 10_000;

impl ServersArgs {
    /// Whether it looks again and again.
    pub fn watches(&self) -> bool {
        self.watch.is_some()
    }

    /// The seed.
    pub fn seed(&self) -> Option<u64> {
        self.seed.seed
    }

    /// Looks, once or again and again.
    pub fn run(&self, session: &mut Session, sink: &mut dyn Sink) -> Result<Found, Error> {
        let mut link = session.open(&self.link, self.write.as_deref())?;
        if link.here.lab {
            sink.notice(&super::lab_notice(&self.link.interface));
            if self.watch.is_some() && self.count.is_none() {
                return Err(Error::Usage(
                    "the lab's clock does not wait: --watch there needs --count N".into(),
                ));
            }
        }
        let client = session.identity(&self.edits, &link.here);
        let mut other = client.clone();
        other.client_mac = session.random_mac();
        other.source_mac = other.client_mac;
        let rounds = match self.watch {
            Some(_) => self.count.unwrap_or(u64::MAX),
            None => 1,
        };
        let own = self.edits.bootp_address("ciaddr").or(link.here.address);
        let own = own.or(link.here.lab.then_some(super::lab::FIRST_ADDRESS));
        let mut kinds = match self.kinds.is_empty() {
            true => ClientKind::USUAL.to_vec(),
            false => self.kinds.clone(),
        };
        if own.is_none() && kinds.contains(&ClientKind::Inform) {
            kinds.retain(|it| *it != ClientKind::Inform);
            sink.notice(&format!(
                "no INFORM: {} has no IPv4 address to inform about (--ciaddr IP names one)",
                self.link.interface
            ));
        }
        let asker = Asker {
            client: &client,
            other: &other,
            own,
            kinds: &kinds,
        };
        let mut found = Found {
            census: Census::default(),
            watched: self.watch.is_some(),
            changes: Vec::new(),
            interrupted: false,
            worst: 0,
        };
        for round in 0..rounds {
            let mut census = self.look(&asker, &mut link, session, sink)?;
            // A frame that was lost is no departure: before somebody is told to be gone, all are asked once more.
            if census.lacks(&found.census) && !session.interrupted() {
                let again = self.look(&asker, &mut link, session, sink)?;
                census = census.joined(again, &self.allow);
            }
            let stopped = session.interrupted();
            if stopped && round > 0 {
                census = found.census.clone().joined(census, &self.allow);
            }
            if self.watch.is_some() {
                for change in census.changes(&found.census, link.link().now()) {
                    sink.change(&change)?;
                    if found.changes.len() < CHANGES {
                        found.changes.push(change);
                    }
                }
            }
            found.census = census;
            if found.census.exit_code() == 1 {
                found.worst = 1;
            }
            if stopped {
                // Without another end, Ctrl-C is how watching ends, as soon as there was a whole look.
                found.interrupted = round == 0;
                break;
            }
            if let Some(pause) = self.watch.filter(|_| round + 1 < rounds) {
                let mut clock = Watch::new(None, Some(pause), |_| false);
                let players: &mut [&mut dyn Player] = &mut [&mut clock];
                link.play(players, session, sink, &mut Witness::default())?;
                if session.interrupted() {
                    break;
                }
            }
        }
        if self.watch.is_some() && self.count.is_none() && !found.interrupted {
            session.resume();
        }
        found.interrupted = session.interrupted();
        Ok(found)
    }

    /// One round: every question once, and what was answered.
    fn look(
        &self,
        asker: &Asker,
        link: &mut OpenLink,
        session: &mut Session,
        sink: &mut dyn Sink,
    ) -> Result<Census, Error> {
        let mut host = Host::default();
        let mut probes = Vec::new();
        for kind in asker.kinds {
            let mut who = match kind {
                ClientKind::RandomMac => asker.other.clone(),
                _ => asker.client.clone(),
            };
            who.xid = session.xid();
            if let (ClientKind::Inform, Some(own)) = (kind, asker.own) {
                who.address = Some(own);
                host.add(own, who.client_mac);
            }
            if let Some(giaddr) = self.edits.giaddr() {
                host.add(giaddr, who.source_mac);
            }
            probes.push(self.probe(*kind, &who));
        }
        let mut survey = Survey::new(probes, SPACING, self.timeout);
        let began = link.link().now();
        let players: &mut [&mut dyn Player] = &mut [&mut survey, &mut host];
        let mut witness = Witness::default();
        link.play(players, session, sink, &mut witness)?;
        let waited = match session.interrupted() {
            true => link.link().now() - began,
            false => self.timeout,
        };
        let mut census = Census::of(&survey, &self.allow, waited);
        if census.rows.is_empty() && !session.interrupted() {
            census.causes = witness.diagnosis(&Circumstances::of(&link.here, &self.link));
        }
        Ok(census)
    }

    /// The question as one kind of client.
    fn probe(&self, kind: ClientKind, who: &Identity) -> Probe {
        let mut draft = draft(kind, who);
        if who.source_mac != who.client_mac {
            draft.bootp.set_broadcast(true);
        }
        let mut frame = match kind {
            ClientKind::Inform => self.edits.build(draft),
            // It names the address to inform about; a client that asks for one has none (RFC 2131 table 5).
            _ => self.edits.without("BOOTP", "ciaddr").build(draft),
        };
        tag(&mut frame, &self.link.vlan);
        Probe {
            kind: kind.name(),
            frame,
            binds: kind == ClientKind::Bootp,
        }
    }
}

/// The message that a kind of client sends.
fn draft(kind: ClientKind, who: &Identity) -> Draft {
    let discover = |class: &str, wanted: &[u8]| {
        let mut draft = template::fresh(DISCOVER, who);
        draft.put(option(60, class.as_bytes()));
        draft.put(option(55, wanted));
        draft
    };
    match kind {
        ClientKind::Plain | ClientKind::RandomMac => template::fresh(DISCOVER, who),
        ClientKind::Inform => template::fresh(INFORM, who),
        ClientKind::Bootp => {
            let mut draft = template::bare(None, who);
            draft.min_message = template::MIN_MESSAGE;
            draft
        }
        ClientKind::Windows => discover(
            "MSFT 5.0",
            &[1, 3, 6, 15, 31, 33, 43, 44, 46, 47, 119, 121, 249, 252],
        ),
        ClientKind::Android => discover(
            "android-dhcp-14",
            &[1, 3, 6, 15, 26, 28, 51, 58, 59, 43, 114, 108],
        ),
        ClientKind::Pxe => {
            let wanted = [
                1, 2, 3, 4, 5, 6, 12, 13, 15, 17, 18, 22, 23, 28, 40, 41, 42, 43, 50, 51, 54, 58,
                59, 60, 66, 67, 97,
            ];
            let mut draft = discover("PXEClient:Arch:00000:UNDI:002001", &wanted);
            // x86 BIOS, UNDI 2.1, and an identifier made of the MAC address (RFC 4578 section 2).
            draft.put(option(93, &[0, 0]));
            draft.put(option(94, &[1, 2, 1]));
            let mut guid = vec![0; 11];
            guid.extend(who.client_mac.octets());
            draft.put(option(97, &guid));
            draft
        }
    }
}

fn option(code: u8, data: &[u8]) -> Assignment {
    Assignment {
        code,
        data: data.to_vec(),
    }
}
