//! One message, crafted, sent, replies shown: `discover`, `offer`, `request`, `ack`, `nak`,
//! `decline`, `release`, `inform`, and `craft` for every other.

use std::net::Ipv4Addr;
use std::time::Duration;

use clap::Args;

use super::Error;
use super::args::{LinkArgs, OutArgs, SeedArgs, SendArgs};
use super::built::{Built, fits, tag};
use super::choice::chosen;
use super::compose::{complete, fresh, named_address, named_server};
use super::diagnosis::Circumstances;
use super::edits::Edits;
use super::here::{Here, LOAD};
use super::input::{self, Source};
use super::nagios::NagiosArgs;
use super::outcome::{Ending, Sink};
use super::session::{self, OpenLink, Session};
use super::witness::Witness;
use crate::dhcp::Message;
use crate::dhcp::enums::*;
use crate::dhcp::following;
use crate::dhcp::template::{self, Identity};
use crate::link::segment::EPOCH;
use crate::talk::{Choose, Host, Player, Resolver, Sender, SenderConfig, vlans};
use crate::wire::*;

/// Arguments of a command that sends one kind of message.
#[derive(Clone, Debug, Args)]
pub struct MessageArgs {
    #[command(flatten)]
    link: LinkArgs,
    #[command(flatten)]
    pub(super) edits: Edits,
    /// Follow or edit this frame of a capture, of hex text, or of standard input, instead of a template
    #[arg(long, visible_alias = "lease", value_name = "FILE[#N]|-|hex:…", value_parser = Source::parse, help_heading = "Base")]
    pub(super) from: Option<Source>,
    /// Which of several offers `request` follows: first, lowest, requested, or server=IP [default: the last of a file, the first of a conversation]
    #[arg(long, value_name = "WHICH", value_parser = super::dora::parse_choose, help_heading = "Base")]
    choose: Option<Choose>,
    #[command(flatten)]
    send: SendArgs,
    #[command(flatten)]
    seed: SeedArgs,
    #[command(flatten)]
    out: OutArgs,
    #[command(flatten)]
    pub(super) nagios: NagiosArgs,
}

/// Arguments of `craft`.
#[derive(Clone, Debug, Args)]
pub struct CraftArgs {
    /// Message type: a name (leasequery, forcerenew …), a number from 0 to 255, or bootp for a message without one
    #[arg(long = "type", value_name = "NAME|N", value_parser = parse_type)]
    kind: Option<Kind>,
    #[command(flatten)]
    message: MessageArgs,
}

/// A message type, or plain BOOTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// DHCP, with option 53.
    Dhcp(u8),
    /// BOOTP, without options.
    Bootp,
}

fn parse_type(text: &str) -> Result<Kind, String> {
    if text.eq_ignore_ascii_case("bootp") {
        return Ok(Kind::Bootp);
    }
    if let Ok(number) = text.parse() {
        return Ok(Kind::Dhcp(number));
    }
    message_type_by_name(text).map(Kind::Dhcp).ok_or_else(|| {
        let names = (1..=18).filter_map(message_type_name).collect::<Vec<_>>();
        let near = names
            .iter()
            .max_by(|a, b| {
                let score = |name: &str| strsim::jaro_winkler(name, text);
                score(a).total_cmp(&score(b))
            })
            .copied()
            .unwrap_or_default();
        format!(
            "no such message type (did you mean {near}?); types are {}, bootp, or 0-255",
            names.join(", ")
        )
    })
}

impl MessageArgs {
    /// How to print.
    pub fn out(&self) -> &OutArgs {
        &self.out
    }

    /// How it is sent.
    pub fn sending(&self) -> &SendArgs {
        &self.send
    }

    /// The seed.
    pub fn seed(&self) -> Option<u64> {
        self.seed.seed
    }
}

impl CraftArgs {
    /// The arguments shared with the other message commands.
    pub fn message(&self) -> &MessageArgs {
        &self.message
    }

    /// Runs `craft`.
    pub fn run(&self, session: &mut Session, sink: &mut dyn Sink) -> Result<Ending, Error> {
        match (self.kind, &self.message.from) {
            (Some(Kind::Dhcp(number)), None) => run(number, &self.message, session, sink),
            (kind, None) => {
                if kind.is_none() && !self.message.edits.bare {
                    return Err(Error::Usage(
                        "craft needs --type NAME|N (`--type bootp` for a message without one), --from FILE, or --bare".into(),
                    ));
                }
                send(
                    &self.message,
                    session,
                    sink,
                    true,
                    None,
                    |identity, edits| {
                        let mut draft = template::bare(None, identity);
                        draft.min_message = if edits.bare { 0 } else { template::MIN_MESSAGE };
                        Ok(edits.build(draft))
                    },
                )
            }
            (kind, Some(source)) => {
                let base = input::base(source, &[], session)?.frame;
                let op = self.message.edits.number("BOOTP", "op");
                let op = op.or(base.bootp().map(|it| u64::from(it.op)));
                send(
                    &self.message,
                    session,
                    sink,
                    op == Some(1),
                    None,
                    |who, edits| {
                        let mut edits = edits.clone();
                        if let Some(Kind::Dhcp(number)) = kind {
                            edits.set_message_type(number);
                        }
                        let mut frame = base.clone();
                        edits.edit(&mut frame, who);
                        Ok(frame)
                    },
                )
            }
        }
    }
}

/// Types of message that a command may follow, the best first.
fn followed(message_type: u8) -> &'static [u8] {
    match message_type {
        REQUEST => &[OFFER],
        DECLINE => &[OFFER, ACK],
        RELEASE | INFORM => &[ACK],
        OFFER => &[DISCOVER],
        ACK => &[REQUEST, INFORM, DISCOVER],
        NAK => &[REQUEST],
        _ => &[],
    }
}

/// Runs the command for a message type.
pub fn run(
    message_type: u8,
    args: &MessageArgs,
    session: &mut Session,
    sink: &mut dyn Sink,
) -> Result<Ending, Error> {
    let replies = matches!(message_type, DISCOVER | REQUEST | INFORM | LEASEQUERY)
        || (template::from_client(message_type) && message_type > INFORM);
    let mut wanted = followed(message_type).to_vec();
    wanted.push(message_type);
    let mut earlier = None;
    let captured = match (&args.from, &args.choose) {
        (Some(source), None) => {
            let base = input::base(source, &wanted, session)?;
            earlier = base.earlier;
            Some(base.frame)
        }
        (Some(source), Some(choose)) => {
            let all = input::bases(source, followed(message_type), session)?;
            Some(chosen(all, choose, &args.edits)?)
        }
        (None, choose) => recalled(message_type, args, choose.as_ref(), session)?,
    };
    let Some(captured) = captured else {
        return send(args, session, sink, replies, None, |identity, edits| {
            fresh(message_type, identity, edits)
        });
    };
    let same = Message::of(&captured).and_then(|it| it.message_type()) == Some(message_type);
    send(
        args,
        session,
        sink,
        replies,
        Some(&captured),
        |identity, edits| {
            if same || followed(message_type).is_empty() {
                let mut frame = captured.clone();
                edits.edit(&mut frame, identity);
                return Ok(frame);
            }
            let client = template::from_client(message_type);
            let mut who = identity.clone();
            if !client {
                who.server = who.server.or(who.own);
            } else if edits.sends_as_client()
                && let Some(bootp) = captured.bootp()
            {
                // The client of the captured exchange sends on, unless another MAC is named.
                who.source_mac = bootp.client_mac();
            }
            who.server = named_server(edits).or(who.server);
            who.address = named_address(message_type, edits).or(who.address);
            let mut draft =
                following::draft(message_type, &captured, &who).map_err(Error::Usage)?;
            if !edits.sends_as_client() {
                draft.ether.src = who.source_mac;
            }
            if let Some(earlier) = earlier.as_ref().and_then(Message::of).filter(|_| client) {
                following::as_before(&mut draft, &earlier);
            }
            // A reply to chaddr would go to another station than the one named.
            if matches!(message_type, DISCOVER | REQUEST)
                && edits.src_mac.is_some()
                && edits.giaddr().is_none()
                && who.source_mac != draft.bootp.client_mac()
            {
                draft.bootp.set_broadcast(true);
            }
            complete(message_type, &draft)?;
            Ok(edits.build(draft))
        },
    )
}

/// The message of this conversation that a command follows where the command line names nothing else.
fn recalled(
    message_type: u8,
    args: &MessageArgs,
    choose: Option<&Choose>,
    session: &Session,
) -> Result<Option<Frame>, Error> {
    let edits = &args.edits;
    let named = edits.bare
        || named_server(edits).is_some()
        || named_address(message_type, edits).is_some()
        || edits.bootp_address("ciaddr").is_some();
    let kinds = followed(message_type);
    let follows = |frame: &Frame| {
        let kind = Message::of(frame).and_then(|it| it.message_type());
        kind.is_some_and(|it| kinds.contains(&it))
    };
    let mut all: Vec<Frame> = session.received().into_iter().filter(follows).collect();
    if named || !template::from_client(message_type) || all.is_empty() {
        return match choose {
            Some(_) if !named => Err(Error::Usage(
                "there is no offer to choose from: `discover --wait` first".into(),
            )),
            _ => Ok(None),
        };
    }
    if message_type != REQUEST {
        return Ok(all.pop());
    }
    // The offers of the last exchange; the first came first.
    let xid = all.last().and_then(|it| it.bootp()).map(|it| it.xid);
    all.retain(|it| it.bootp().map(|it| it.xid) == xid);
    chosen(all, choose.unwrap_or(&Choose::First), &args.edits).map(Some)
}

/// Builds, and unless this is a dry run sends and waits for replies. `lease` is the frame that the message
/// follows, which may tell the way to the server.
pub(super) fn send(
    args: &MessageArgs,
    session: &mut Session,
    sink: &mut dyn Sink,
    replies: bool,
    lease: Option<&Frame>,
    mut build: impl FnMut(&Identity, &Edits) -> Result<Frame, Error>,
) -> Result<Ending, Error> {
    if args.send.dry_run {
        return dry_run(args, session, sink, build);
    }
    let here = Here::look(&args.link)?;
    if args.send.count as usize > LOAD {
        let why = format!("{} messages are a load to others there", args.send.count);
        here.spare_others(&args.link, args.send.force, &why)?;
    }
    let mut link = session.open(&args.link, args.out.write.as_deref())?;
    if link.here.lab {
        sink.notice(&super::lab_notice(&args.link.interface));
    }
    let mut frames = Vec::new();
    for number in 1..=args.send.count {
        let identity = link.here.assume(session.identity(&args.edits, &link.here));
        let edits = args.edits.for_client(number, &args.link.vlan)?;
        let mut frame = build(&identity, &edits)?;
        fits(&frame)?;
        tag(&mut frame, &args.link.vlan);
        frames.push(frame);
    }
    let mut witness = Witness::default();
    let mut host = Host::default().on(frames.first().map(vlans).unwrap_or_default());
    for frame in &mut frames {
        host.play(frame);
        if !args.edits.sets("Ether", "dst") {
            let gateway = lease.and_then(|lease| gateway(lease, frame));
            resolve(frame, gateway, &mut link, session, sink, &mut witness)?;
        }
    }
    let default = if replies {
        Duration::from_secs(5)
    } else {
        Duration::ZERO
    };
    let config = SenderConfig {
        frames,
        interval: args.send.interval,
        tries: args.send.tries.unwrap_or(1),
        timeout: args.send.timeout.unwrap_or(default),
        first: !args.send.wait,
        count_secs: !args.edits.sets("BOOTP", "secs"),
    };
    let timeout = config.timeout;
    let mut sender = Sender::new(config, session.fork());
    let stopped = {
        let players: &mut [&mut dyn Player] = &mut [&mut sender, &mut host];
        link.play(players, session, sink, &mut witness)?
    };
    let about = Circumstances::of(&link.here, &args.link);
    Ok(if sender.refused() {
        Ending::Refused(witness.diagnosis(&about))
    } else if sender.any_answer() {
        Ending::Done
    } else if stopped {
        Ending::Interrupted
    } else if timeout.is_zero() || !replies {
        // To what has no reply, the time is there for what comes all the same.
        Ending::Done
    } else {
        Ending::NoReply(witness.silence(timeout, &about))
    })
}

fn dry_run(
    args: &MessageArgs,
    session: &mut Session,
    sink: &mut dyn Sink,
    mut build: impl FnMut(&Identity, &Edits) -> Result<Frame, Error>,
) -> Result<Ending, Error> {
    let here = Here::look(&args.link)?;
    let mut built = Built::new(args.out.write.as_deref())?;
    for number in 1..=args.send.count {
        let identity = here.assume(session.identity(&args.edits, &here));
        let edits = args.edits.for_client(number, &args.link.vlan)?;
        let mut frame = build(&identity, &edits)?;
        fits(&frame)?;
        tag(&mut frame, &args.link.vlan);
        let at = EPOCH + args.send.interval * (number - 1);
        let entry = session::built(u64::from(number), frame, at);
        built.record(&entry)?;
        sink.entry(&entry)?;
    }
    Ok(Ending::Done)
}

/// The router by which a client with the lease of `ack` reaches the destination of a message of its own:
/// `None` when that is on its own network, or somebody else sends.
fn gateway(ack: &Frame, message: &Frame) -> Option<Ipv4Addr> {
    let (ack, ip) = (Message::of(ack)?, message.ipv4()?);
    let own = [ack.bootp.yiaddr, ack.bootp.ciaddr].contains(&ip.src);
    match own && !ip.src.is_unspecified() {
        true => ack.router_to(ip.dst, ip.src),
        false => None,
    }
}

/// Finds the Ethernet address for a unicast message that has none yet: that of its destination, or of the
/// gateway to it.
pub(super) fn resolve(
    frame: &mut Frame,
    gateway: Option<Ipv4Addr>,
    link: &mut OpenLink,
    session: &mut Session,
    sink: &mut dyn Sink,
    witness: &mut Witness,
) -> Result<(), Error> {
    let (Some(ether), Some(ip)) = (frame.ether(), frame.ipv4()) else {
        return Ok(());
    };
    let unicast = !ip.dst.is_broadcast() && !ip.dst.is_unspecified() && !ip.dst.is_multicast();
    if !unicast || !ether.dst.is_broadcast() {
        return Ok(());
    }
    let target = gateway.unwrap_or(ip.dst);
    let tags = frame.layers.iter().filter_map(|layer| match layer {
        Layer::Dot1Q(tag) => Some(tag.clone()),
        _ => None,
    });
    let mut resolver = Resolver::new(ether.src, ip.src, target, tags.collect());
    link.play(&mut [&mut resolver], session, sink, witness)?;
    match (resolver.found(), frame.ether_mut()) {
        (Some(mac), Some(ether)) => ether.dst = mac,
        _ => sink.notice(&format!(
            "nobody answers ARP for {target}: sending to ff:ff:ff:ff:ff:ff (--dst-mac MAC names another)"
        )),
    }
    Ok(())
}
