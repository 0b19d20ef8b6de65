//! Sending packets and waiting for answers, as Scapy's functions of the same names do.

use std::time::Duration;

use super::exchange::{Yielded, packet_of, replies};
use super::packet::Packet;
use super::stack::{ScriptLayer, Stack};
use super::{Host, error, host};
use crate::commands::Error as CommandError;
use crate::commands::outcome::{Direction, Entry, Grouped};
use crate::commands::session::OpenLink;
use crate::commands::witness::Witness;
use crate::link::Time;
use crate::script::classes::Class;
use crate::script::commands::Collect;
use crate::script::engine::command_error;
use crate::talk::{Player, Resolver, Sender, SenderConfig};
use crate::wire::*;
use starlark::eval::Evaluator;
use starlark::values::Value;
use starlark::values::list::ListRef;
use starlark::values::tuple::TupleRef;

/// How packets are sent and answers awaited.
#[derive(Clone, Copy, Debug)]
pub struct Sending {
    /// How often each packet is sent.
    pub count: u32,
    /// Time between two.
    pub interval: Duration,
    /// How often a packet without an answer is sent again.
    pub tries: u32,
    /// How long to wait for answers; zero to wait for none.
    pub timeout: Duration,
    /// Whether to stop as soon as each packet has one.
    pub first: bool,
}

/// The packets that a value means: one, or a list of them.
pub fn packets(value: Value) -> starlark::Result<Vec<Packet>> {
    let one = |it: Value| {
        let packet = Packet::from_value(it).cloned();
        packet.ok_or_else(|| error(format!("{} is no packet", it.get_type())))
    };
    match (ListRef::from_value(value), TupleRef::from_value(value)) {
        (Some(list), _) => list.iter().map(one).collect(),
        (_, Some(tuple)) => tuple.iter().map(one).collect(),
        _ => Ok(vec![one(value)?]),
    }
}

/// Seconds as a length of time.
pub fn seconds(value: f64) -> starlark::Result<Duration> {
    match (0.0..=1e9).contains(&value) {
        true => Ok(Duration::from_secs_f64(value)),
        false => Err(error(format!("{value} is no number of seconds"))),
    }
}

/// Sends packets on a link and gives what was sent and received. Packets that begin above Ethernet get
/// a header, and the receiver's address by ARP.
pub fn send(
    packets: &[Packet],
    interface: Option<&str>,
    sending: Sending,
    eval: &Evaluator<'_, '_, '_>,
) -> starlark::Result<Vec<Entry>> {
    let host = host(eval)?;
    run(host, packets, interface, sending).map_err(command_error)
}

fn run(
    host: &Host,
    packets: &[Packet],
    interface: Option<&str>,
    sending: Sending,
) -> Result<Vec<Entry>, CommandError> {
    let args = host.link_args(interface);
    let mut session = host.session.borrow_mut();
    let mut link = session.open(&args, None)?;
    let mut collect = Collect {
        host,
        yielded: Yielded::default(),
    };
    let mut witness = Witness::default();
    let mut frames = Vec::new();
    for packet in packets {
        let mut stack = packet.layers();
        stack.origin.mac = link.here.mac;
        stack.origin.ip = link.here.address.unwrap_or(stack.origin.ip);
        let ether = stack
            .layers
            .first()
            .is_some_and(|it| it.class.name == "Ether");
        if !ether && let Some(class) = Class::by_name("Ether") {
            stack.layers.insert(0, ScriptLayer::new(class));
        }
        resolve(&mut stack, &mut link, &session, &mut collect, &mut witness)?;
        frames.push(stack.frame(0));
    }
    let frames = frames
        .iter()
        .cycle()
        .take(frames.len() * sending.count as usize)
        .cloned()
        .collect();
    let config = SenderConfig {
        frames,
        interval: sending.interval,
        tries: sending.tries,
        timeout: sending.timeout,
        first: sending.first,
        // What goes out is what was given.
        count_secs: false,
    };
    let mut sender = Sender::new(config, session.fork());
    let players: &mut [&mut dyn Player] = &mut [&mut sender];
    link.play(players, &session, &mut collect, &mut witness)?;
    Ok(collect.yielded.entries)
}

/// Puts the receiver's Ethernet address where nobody set one and the packet is for one host.
fn resolve(
    stack: &mut Stack,
    link: &mut OpenLink,
    session: &crate::commands::session::Session,
    collect: &mut Collect,
    witness: &mut Witness,
) -> Result<(), CommandError> {
    let frame = stack.frame(0);
    let (Some(ether), Some(ip)) = (frame.ether(), frame.ipv4()) else {
        return Ok(());
    };
    let set = stack
        .layers
        .first()
        .is_some_and(|it| it.get("dst").is_some());
    let group = ip.dst.is_broadcast() || ip.dst.is_unspecified() || ip.dst.is_multicast();
    if set || group || ip.dst.is_loopback() {
        return Ok(());
    }
    let tags = frame.layers.iter().filter_map(|it| match it {
        Layer::Dot1Q(tag) => Some(tag.clone()),
        _ => None,
    });
    let mut resolver = Resolver::new(ether.src, ip.src, ip.dst, tags.collect());
    link.play(&mut [&mut resolver], session, collect, witness)?;
    if let (Some(mac), Some(layer)) = (resolver.found(), stack.layers.first_mut())
        && let Some(field) = layer.class.field("dst")
    {
        layer.put(field, Some(FieldValue::Mac(mac)));
    }
    Ok(())
}

/// What the clock of the link in use says.
pub fn clock(host: &Host) -> starlark::Result<Time> {
    let args = host.link_args(None);
    let mut session = host.session.borrow_mut();
    let mut open = session.open(&args, None).map_err(command_error)?;
    Ok(open.link().now())
}

/// What became of packets that were sent.
#[derive(Debug, Default)]
pub struct Answers {
    /// Each packet with an answer to it.
    pub pairs: Vec<(Packet, Packet)>,
    /// Packets without one.
    pub silent: Vec<Packet>,
}

/// Which answer belongs to which packet.
pub fn pair(entries: &[Entry]) -> Answers {
    let sent: Vec<&Entry> = entries
        .iter()
        .filter(|it| it.direction == Direction::Sent)
        .collect();
    let mut answered = vec![false; sent.len()];
    let mut pairs = Vec::new();
    for reply in replies(entries).filter(|it| it.direction == Direction::Received) {
        let belongs = |it: &&Entry| {
            let verdict = crate::talk::match_reply(&it.frame, &reply.frame);
            verdict == Some(crate::talk::Verdict::Part)
        };
        if let Some(at) = sent.iter().position(belongs) {
            answered[at] = true;
            pairs.push((packet_of(sent[at]), packet_of(reply)));
        }
    }
    let silent = sent
        .iter()
        .zip(answered)
        .filter(|it| !it.1 && it.0.frame.arp().is_none());
    Answers {
        silent: silent.map(|it| packet_of(it.0)).collect(),
        pairs,
    }
}

/// Listens on a link until `until` says that it is enough, or the time is over.
pub fn listen(
    host: &Host,
    interface: Option<&str>,
    timeout: Option<Duration>,
    until: impl FnMut(Packet, Entry) -> starlark::Result<bool>,
) -> starlark::Result<()> {
    let args = host.link_args(interface);
    let open = host.session.borrow_mut().open(&args, None);
    hear(host, open.map_err(command_error)?, timeout, until)
}

/// Listens likewise, and hears what this machine sends as well.
pub fn watch(
    host: &Host,
    interface: Option<&str>,
    timeout: Option<Duration>,
    until: impl FnMut(Packet, Entry) -> starlark::Result<bool>,
) -> starlark::Result<()> {
    let args = host.link_args(interface);
    let open = host.session.borrow_mut().open_to_watch(&args, None);
    hear(host, open.map_err(command_error)?, timeout, until)
}

/// Hears an open link. What is called back may send, so the session is not held.
fn hear(
    host: &Host,
    mut open: OpenLink,
    timeout: Option<Duration>,
    mut until: impl FnMut(Packet, Entry) -> starlark::Result<bool>,
) -> starlark::Result<()> {
    /// How long a real link is waited for at a time.
    const TICK: Duration = Duration::from_millis(100);
    let interrupted = host.session.borrow().interruption();
    let link = open.link();
    let start = link.now();
    let end = timeout.map(|it| start + it);
    let mut number = 0;
    while !interrupted.load(std::sync::atomic::Ordering::Relaxed) {
        let now = link.now();
        if end.is_some_and(|end| now >= end) {
            break;
        }
        let tick = if link.is_virtual() {
            end.unwrap_or(now + Duration::from_secs(1))
        } else {
            now + TICK
        };
        let received = link.recv(end.map_or(tick, |end| end.min(tick)));
        let Some(it) = received.map_err(|it| command_error(it.into()))? else {
            // Without an end, nothing will ever happen on a virtual clock.
            if link.exhausted() || (link.is_virtual() && end.is_none()) {
                break;
            }
            continue;
        };
        number += 1;
        let entry = entry(number, it, link.link_type(), start);
        if until(packet_of(&entry), entry)? {
            break;
        }
    }
    Ok(())
}

fn entry(number: u64, it: crate::link::Received, link_type: u32, start: Time) -> Entry {
    Entry {
        number,
        at: it.at,
        since: it.at - start,
        after: None,
        direction: Direction::Received,
        link_type,
        frame: Frame::decode_as(link_type, &it.bytes),
        original_len: it.original_len,
        bytes: it.bytes,
        verdict: crate::talk::Verdict::Part,
        checksum_unfinished: it.checksum_unfinished,
        comment: None,
        group: Grouped::Not,
    }
}
