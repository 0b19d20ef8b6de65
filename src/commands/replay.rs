//! Sends what clients sent in a capture again, and shows the replies beside the recorded ones.

use std::collections::HashMap;
use std::path::Path;
use std::time::Duration;

use clap::Args;

use super::Error;
use super::args::{ForceArgs, LinkArgs, OutArgs, SeedArgs, parse_duration};
use super::built::{Built, tag};
use super::diagnosis::Circumstances;
use super::diff::IgnoreArgs;
use super::edits::{MacChoice, parse_mac};
use super::here::{Here, LOAD};
use super::input::Source;
use super::outcome::{Ending, Sink};
use super::replayed::{Replayed, compared, elsewhere};
use super::session::{self, Session, counted};
use super::witness::Witness;
use crate::dhcp::Message;
use crate::dhcp::comparison::type_name;
use crate::dhcp::enums::{DECLINE, RELEASE};
use crate::dhcp::rewrite::{self, Transaction};
use crate::link::segment::EPOCH;
use crate::talk::{
    Player, Recorded, Replay, ReplayConfig, StandIn, StandInConfig, Step, checksum_fault,
    from_client, steps,
};
use crate::wire::{Dot1Q, Frame, Layer, MacAddr, link_type};

/// Arguments of `replay`.
#[derive(Clone, Debug, Args)]
pub struct ReplayArgs {
    /// The capture (pcap, pcapng, snoop), hex text, or - for standard input; FILE#N picks a frame
    #[arg(value_name = "FILE[#N]", value_parser = Source::parse)]
    file: Source,
    #[command(flatten)]
    link: LinkArgs,
    /// Send so many times faster than recorded, or `max`: without pauses
    #[arg(long, value_name = "N|max", value_parser = parse_speed, default_value = "1", help_heading = "Replay")]
    speed: Speed,
    /// Send every frame as it was recorded, replies and ARP too, and wait for no answer: for who looks on; live clients take replies of --as-server
    #[arg(long, conflicts_with_all = ["rewrite_mac", "rewrite_xid", "follow", "same"], help_heading = "Replay")]
    all: bool,
    /// Play the servers of the recording instead: answer clients that are there now as the recorded ones were answered
    #[arg(long, conflicts_with_all = ["all", "rewrite_mac", "rewrite_xid", "follow", "same", "ignore", "dry_run"], help_heading = "Replay")]
    as_server: bool,
    /// Another MAC for the client, in the Ethernet header, chaddr and the client-id made of it; further clients count on. + is the recorded one plus 1
    #[arg(long, value_name = "MAC|native|random|+", value_parser = parse_new_mac, help_heading = "Replay")]
    rewrite_mac: Option<NewMac>,
    /// New xids, one for each exchange
    #[arg(long, help_heading = "Replay")]
    rewrite_xid: bool,
    /// Have the address and the server in later messages follow the live replies; a message waits for the one that it follows
    #[arg(long, help_heading = "Replay")]
    follow: bool,
    /// How long to wait for replies after the last frame, and for one to follow [default: 5s]; with --as-server for clients [default: until Ctrl-C]
    #[arg(long, value_name = "TIME", value_parser = parse_duration, help_heading = "Replay")]
    timeout: Option<Duration>,
    /// Go on until the timeout, even when each recorded reply, or message of a client, has its counterpart
    #[arg(long, help_heading = "Replay")]
    wait: bool,
    /// Print what would be sent, send nothing
    #[arg(long, help_heading = "Replay")]
    dry_run: bool,
    #[command(flatten)]
    force: ForceArgs,
    /// Fail (exit 1) unless the live replies are the recorded ones
    #[arg(long, help_heading = "Judging")]
    same: bool,
    #[command(flatten, next_help_heading = "Judging")]
    ignore: IgnoreArgs,
    #[command(flatten)]
    seed: SeedArgs,
    #[command(flatten)]
    out: OutArgs,
}

/// How fast to send.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Speed {
    Times(f64),
    Max,
}

impl Speed {
    /// How many times faster than recorded; `None` without pauses.
    fn times(self) -> Option<f64> {
        match self {
            Speed::Times(speed) => Some(speed),
            Speed::Max => None,
        }
    }
}

fn parse_speed(text: &str) -> Result<Speed, String> {
    if text == "max" {
        return Ok(Speed::Max);
    }
    let times = text.parse().ok().filter(|it| (0.001..=1e6).contains(it));
    let times = times.map(Speed::Times);
    times.ok_or_else(|| "a number from 0.001 to 1000000, or max".into())
}

/// Another client's MAC address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NewMac {
    Choice(MacChoice),
    Next,
}

fn parse_new_mac(text: &str) -> Result<NewMac, String> {
    if text == "+" {
        return Ok(NewMac::Next);
    }
    match parse_mac(text) {
        Ok(Some(choice)) => Ok(NewMac::Choice(choice)),
        _ => Err("a MAC address such as 02:00:5e:10:00:01, `random`, `native`, or +".into()),
    }
}

/// Frames of a capture that are read at most.
const MOST: usize = 100_000;
/// A recording that takes longer is announced.
const LONG: Duration = Duration::from_secs(10);

impl ReplayArgs {
    /// How to print.
    pub fn out(&self) -> &OutArgs {
        &self.out
    }

    /// Whether nothing is sent.
    pub fn dry(&self) -> bool {
        self.dry_run
    }

    /// The seed.
    pub fn seed(&self) -> Option<u64> {
        self.seed.seed
    }

    /// Sends it again.
    pub fn run(&self, session: &mut Session, sink: &mut dyn Sink) -> Result<Replayed, Error> {
        let mut steps = self.steps(session, sink)?;
        let here = Here::look(&self.link)?;
        if self.dry_run {
            self.rewrite(&mut steps, here.mac, session, sink);
            return self.dry_run(steps, sink);
        }
        if steps.len() > LOAD {
            let why = format!("{} frames are a load to others there", steps.len());
            here.spare_others(&self.link, self.force, &why)?;
        }
        let mut link = session.open(&self.link, self.out.write.as_deref())?;
        if link.here.lab {
            sink.notice(&super::lab_notice(&self.link.interface));
        }
        self.rewrite(&mut steps, link.here.mac, session, sink);
        let takes = steps.last().map(|it| it.at).unwrap_or_default();
        if let Speed::Times(speed) = self.speed
            && takes.as_secs_f64() / speed > LONG.as_secs_f64()
            && !link.link().is_virtual()
        {
            sink.notice(&format!(
                "the last of {} frames leaves after {:.0} s: --speed N is N times faster, --format ladder shows each as it goes",
                steps.len(),
                takes.as_secs_f64() / speed
            ));
        }

        let mut replay = Replay::new(ReplayConfig {
            timeout: self.timeout_of(&steps),
            steps,
            speed: self.speed.times(),
            follow: self.follow,
            wait: self.wait,
            plays: !self.all,
        });
        let mut witness = Witness::default();
        let players: &mut [&mut dyn Player] = &mut [&mut replay];
        let stopped = link.play(players, session, sink, &mut witness)?;
        if replay.left_behind() {
            sink.notice(
                "later messages went out as recorded although a live reply gives another address or server: --follow has them take it up",
            );
        }
        let frames = compared(&replay, &self.ignore);
        let replies = || frames.iter().flat_map(|it| &it.replies);
        let silent = replies().all(|it| it.live.is_none()) && replies().next().is_some();
        Ok(Replayed {
            ending: match (stopped, silent) {
                (true, _) => Ending::Interrupted,
                (_, true) => {
                    let waited = self.timeout.unwrap_or(TIMEOUT);
                    let mut silence =
                        witness.silence(waited, &Circumstances::of(&link.here, &self.link));
                    silence.causes.splice(0..0, elsewhere(&frames));
                    Ending::NoReply(silence)
                }
                _ => Ending::Done,
            },
            frames,
            same: self.same,
        })
    }

    /// Whether it plays the servers.
    pub fn stands_in(&self) -> bool {
        self.as_server
    }

    /// Plays the servers of the recording, until every part of a client has been played, the time is over, or the
    /// user stops it.
    pub fn stand_in(&self, session: &mut Session, sink: &mut dyn Sink) -> Result<Ending, Error> {
        let steps = self.steps(session, sink)?;
        let replies: usize = steps.iter().map(|it| it.replies.len()).sum();
        if replies == 0 {
            return Err(Error::file(
                Path::new(&self.file.name),
                "holds no reply of a server to a client's message",
            ));
        }
        Here::look(&self.link)?.spare_others(
            &self.link,
            self.force,
            "a server that answers there gives others' clients its addresses",
        )?;
        let mut link = session.open(&self.link, self.out.write.as_deref())?;
        if link.here.lab {
            return Err(Error::Usage(
                "the lab has a server and no clients to answer: name an interface with -i IFACE"
                    .into(),
            ));
        }
        sink.notice(&format!(
            "answering on {} with {} of {}; Ctrl-C ends it",
            self.link.interface,
            match replies {
                1 => "the 1 recorded reply".to_string(),
                all => format!("the {all} recorded replies"),
            },
            self.file.name
        ));
        let mut stand_in = StandIn::new(StandInConfig {
            steps,
            speed: self.speed.times(),
            vlans: self.link.vlans(),
            wait: self.wait,
            timeout: self.timeout,
        });
        let mut witness = Witness::default();
        let players: &mut [&mut dyn Player] = &mut [&mut stand_in];
        let stopped = link.play(players, session, sink, &mut witness)?;
        let Some(missing) = stand_in.missing() else {
            // What went on after the end is ended by the user.
            session.resume();
            return Ok(Ending::Done);
        };
        let (came, of) = stand_in.progress();
        let lacks = format!(
            "{came} of the {of} recorded messages with a reply came; none did for the {}, frame {}",
            type_name(&missing.frame),
            missing.number
        );
        match stopped {
            true => {
                sink.notice(&lacks);
                Ok(Ending::Interrupted)
            }
            false => Err(Error::Missing(lacks)),
        }
    }

    /// What is to be sent, read from the file.
    fn steps(&self, session: &Session, sink: &mut dyn Sink) -> Result<Vec<Step>, Error> {
        let path = Path::new(&self.file.name);
        let mut input = self.file.open_until(session.interruption())?;
        let (mut number, mut first, mut frames) = (0, None, Vec::new());
        let mut others: Vec<u32> = Vec::new();
        while let Some(packet) = input.next_packet()? {
            number += 1;
            if self.file.number.is_some_and(|it| it != number) {
                continue;
            }
            let at = packet.at - *first.get_or_insert(packet.at);
            let frame = Frame::decode_as(packet.link_type, &packet.bytes);
            let sent = self.all || from_client(&frame);
            if sent && packet.link_type != link_type::ETHERNET {
                others.push(packet.link_type);
            } else if sent && packet.bytes.len() < packet.original_len as usize {
                sink.notice(&format!(
                    "frame {number} was cut by the capture: {} of its {} bytes go out",
                    packet.bytes.len(),
                    packet.original_len
                ));
            }
            if frames.len() == MOST {
                return Err(Error::file(
                    path,
                    format!(
                        "holds more than {MOST} frames; `dhcpcraft convert` with --where cuts out those to send"
                    ),
                ));
            }
            frames.push(Recorded { number, at, frame });
        }
        self.file.found(number)?;
        if let Some(other) = others.first() {
            return Err(Error::file(
                path,
                format!(
                    "{} of its frames are no Ethernet frames (link type {other}) and cannot be sent",
                    others.len()
                ),
            ));
        }
        let steps = steps(frames, self.all);
        match steps.is_empty() {
            true => Err(Error::file(
                path,
                "holds no frame of a client; --all sends every frame as it is",
            )),
            false => Ok(steps),
        }
    }

    /// Puts other clients, transactions and tags in the place of the recorded ones.
    fn rewrite(
        &self,
        steps: &mut [Step],
        native: MacAddr,
        session: &mut Session,
        sink: &mut dyn Sink,
    ) {
        let mut macs: HashMap<Vec<u8>, Vec<u8>> = HashMap::new();
        let mut xids: HashMap<Transaction, u32> = HashMap::new();
        let mut wrong = Vec::new();
        for step in steps {
            let frame = &mut step.frame;
            let from = frame.bootp().map(Transaction::of);
            let changed = self.rewrite_xid || self.rewrite_mac.is_some();
            if let Some(from) = from.filter(|_| changed) {
                let mut to = from.clone();
                if self.rewrite_xid {
                    to.xid = *xids.entry(from.clone()).or_insert_with(|| session.xid());
                }
                if let (Some(new), Some(old)) = (self.rewrite_mac, from.mac()) {
                    let index = macs.len() as u32;
                    let new = macs.entry(from.hardware.clone()).or_insert_with(|| {
                        let mac = match new {
                            NewMac::Next => counted(old, 1),
                            NewMac::Choice(MacChoice::Random) => session.random_mac(),
                            NewMac::Choice(MacChoice::Fixed(mac)) => counted(mac, index),
                            NewMac::Choice(MacChoice::Native) => counted(native, index),
                        };
                        mac.octets().to_vec()
                    });
                    to.hardware.clone_from(new);
                }
                rewrite::loosen(frame);
                rewrite::transaction(frame, &from, &to);
            }
            if !self.link.vlan.is_empty() {
                retag(frame, &self.link.vlan);
            }
            // As it goes out, read like whoever receives it.
            wrong.extend(
                checksum_fault(&Frame::decode(&frame.encode()), false).map(|it| (step.number, it)),
            );
        }
        if let Some((number, fault)) = wrong.first() {
            let more = match wrong.len() - 1 {
                0 => String::new(),
                more => format!("; so do {more} more"),
            };
            sink.notice(&format!(
                "frame {number} goes out as recorded: its {fault}{more}"
            ));
        }
    }

    /// How long to wait: for nothing where nothing is answered.
    fn timeout_of(&self, steps: &[Step]) -> Duration {
        let answered = |it: &Step| {
            let kind = Message::of(&it.frame).and_then(|it| it.message_type());
            !matches!(kind, Some(RELEASE | DECLINE)) || !it.replies.is_empty()
        };
        let default = match !self.all && steps.iter().any(answered) {
            true => TIMEOUT,
            false => Duration::ZERO,
        };
        self.timeout.unwrap_or(default)
    }

    fn dry_run(&self, steps: Vec<Step>, sink: &mut dyn Sink) -> Result<Replayed, Error> {
        let mut built = Built::new(self.out.write.as_deref())?;
        if self.follow {
            sink.notice("dry run: what follows live replies stands as it was recorded");
        }
        for step in &steps {
            let mut entry = session::built(
                step.number,
                step.frame.clone(),
                EPOCH + self.offset(step.at),
            );
            entry.since = self.offset(step.at);
            built.record(&entry)?;
            sink.entry(&entry)?;
        }
        Ok(Replayed {
            frames: Vec::new(),
            ending: Ending::Done,
            same: false,
        })
    }

    /// When a frame leaves that was recorded at this time.
    fn offset(&self, at: Duration) -> Duration {
        match self.speed {
            Speed::Times(speed) => {
                Duration::try_from_secs_f64(at.as_secs_f64() / speed).unwrap_or(at)
            }
            Speed::Max => Duration::ZERO,
        }
    }
}

/// How long replies are waited for.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Puts a frame on another VLAN than it was recorded on.
fn retag(frame: &mut Frame, tags: &[Dot1Q]) {
    frame.relax();
    frame.layers.retain(|it| !matches!(it, Layer::Dot1Q(_)));
    tag(frame, tags);
}
