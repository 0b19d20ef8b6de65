//! In what two recordings of exchanges differ: exchanges and messages are paired, and each pair is compared
//! field by field.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::net::Ipv4Addr;

use super::Message;
use super::difference::{Difference, differences};
use super::rewrite::{Transaction, transaction};
use crate::wire::{Auto, Frame, Layer};

/// A message of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbered {
    /// Its frame's number in the file, from 1.
    pub number: u64,
    /// The frame.
    pub frame: Frame,
}

/// The messages of one transaction of one client, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Whose.
    pub whose: Transaction,
    /// At least one.
    pub messages: Vec<Numbered>,
}

/// Groups messages into exchanges by xid and client, in the order in which they begin. Frames without a
/// message are none of any exchange.
pub fn exchanges(frames: impl IntoIterator<Item = Numbered>) -> Vec<Exchange> {
    let mut found: Vec<Exchange> = Vec::new();
    let mut places: HashMap<Transaction, usize> = HashMap::new();
    for it in frames {
        let Some(whose) = it.frame.bootp().map(Transaction::of) else {
            continue;
        };
        let place = *places.entry(whose.clone()).or_insert(found.len());
        match found.get_mut(place) {
            Some(exchange) => exchange.messages.push(it),
            None => found.push(Exchange {
                whose,
                messages: vec![it],
            }),
        }
    }
    found
}

/// Which of `second` belongs to each of `first`: what is alike by the first key, in order; of the rest what
/// is alike by the next.
fn pair<T, K: Hash + Eq>(
    first: &[T],
    second: &[T],
    keys: &[&dyn Fn(&T) -> K],
) -> Vec<Option<usize>> {
    let mut found = vec![None; first.len()];
    let mut taken = vec![false; second.len()];
    for key in keys {
        let mut free: HashMap<K, VecDeque<usize>> = HashMap::new();
        for (at, it) in second.iter().enumerate() {
            if !taken[at] {
                free.entry(key(it)).or_default().push_back(at);
            }
        }
        let alone = found.iter_mut().zip(first).filter(|it| it.0.is_none());
        for (slot, it) in alone {
            *slot = free.get_mut(&key(it)).and_then(VecDeque::pop_front);
            if let Some(at) = *slot {
                taken[at] = true;
            }
        }
    }
    found
}

/// What makes two messages the same one of two runs: op, type and server; or else op and type.
type MessageKey = (u8, Option<u8>, Option<Ipv4Addr>);

fn message_key(frame: &Frame) -> MessageKey {
    let message = Message::of(frame);
    (
        message.map_or(0, |it| it.bootp.op),
        message.and_then(|it| it.message_type()),
        message.and_then(|it| it.server_id()),
    )
}

/// Which of `second` is the counterpart of each message of `first`: of the same type and server, or else the
/// next of the same type.
pub fn pair_messages(first: &[&Frame], second: &[&Frame]) -> Vec<Option<usize>> {
    let kind = |it: &&Frame| {
        let (op, kind, _) = message_key(it);
        (op, kind, None)
    };
    pair(first, second, &[&|it| message_key(it), &kind])
}

/// What two messages, paired, are to each other. What follows from another client, another transaction
/// and another moment (xid, client MAC, IP.id; lengths, checksums and zeros for padding that are as they
/// should be) is no difference, unless `exact`.
pub fn compare(first: &Frame, second: &Frame, exact: bool) -> Vec<Difference> {
    if exact {
        return differences(first, second);
    }
    let mut same = second.clone();
    if let (Some(to), Some(from)) = (first.bootp(), second.bootp()) {
        transaction(&mut same, &Transaction::of(from), &Transaction::of(to));
    }
    let (a, b) = (in_order(first), in_order(second));
    let follows = |it: &Difference| {
        let name = it.name.as_str();
        name == "IP.id" || (a.contains(&name) && b.contains(&name)) || padding(it)
    };
    let mut all = differences(first, &same);
    all.retain(|it| !follows(it));
    all
}

/// Whether only zeros are more or fewer that fill a message up.
fn padding(it: &Difference) -> bool {
    let zeros = |it: &Option<String>| it.iter().flat_map(|it| it.bytes()).all(|it| it == b'0');
    let pads = it.name.starts_with("option pad") || it.name == "Padding";
    pads && zeros(&it.first) && zeros(&it.second)
}

/// Lengths and checksums that follow from the rest of a frame, or were left to the network card.
fn in_order(frame: &Frame) -> Vec<&'static str> {
    let mut names = Vec::new();
    let mut relaxed = frame.clone();
    relaxed.relax();
    for layer in &relaxed.layers {
        let mut note = |follows: bool, name| names.extend(follows.then_some(name));
        match layer {
            Layer::Ipv4(ip) => {
                note(ip.len == Auto::Unset, "IP.len");
                note(matches!(ip.chksum, Auto::Unset | Auto::Set(0)), "IP.chksum");
            }
            Layer::Udp(udp) => {
                note(udp.len == Auto::Unset, "UDP.len");
                let left = |it: u16| {
                    let len = frame.udp().and_then(|it| it.len.get());
                    let sum = frame.ipv4().zip(len);
                    sum.is_some_and(|(ip, len)| ip.pseudo_header_sum(len) == it)
                };
                let sum = udp.chksum.get();
                note(sum.is_none_or(left), "UDP.chksum");
            }
            _ => {}
        }
    }
    names
}

/// Two messages that belong together, or one without its counterpart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComparedMessage {
    /// Its type: `OFFER`.
    pub name: String,
    /// The frames' numbers in the two files.
    pub frames: [Option<u64>; 2],
    /// What differs; `message` where one is missing.
    pub differences: Vec<Difference>,
}

/// Two exchanges that belong together, or one without its counterpart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComparedExchange {
    /// The client in the two files, as hexadecimal digits with colons.
    pub clients: [Option<String>; 2],
    /// `exchange` where one is missing, `order` where messages come in another.
    pub differences: Vec<Difference>,
    /// Messages that were compared.
    pub messages: Vec<ComparedMessage>,
}

impl ComparedExchange {
    /// Whether anything differs.
    pub fn differs(&self) -> bool {
        let messages = self.messages.iter();
        !self.differences.is_empty() || messages.map(|it| it.differences.len()).sum::<usize>() > 0
    }

    /// Leaves out the differences for which this holds.
    pub fn forgive(&mut self, ignored: impl Fn(&Difference) -> bool) {
        self.differences.retain(|it| !ignored(it));
        for it in &mut self.messages {
            it.differences.retain(|it| !ignored(it));
        }
    }
}

/// Compares the exchanges of two recordings: each of the first with that of the second which begins with
/// the same type of message and is of the same client, or else is the next of any client.
pub fn compare_exchanges(
    first: &[Exchange],
    second: &[Exchange],
    exact: bool,
) -> Vec<ComparedExchange> {
    type Key = (Option<MessageKey>, Option<Vec<u8>>);
    fn begins(it: &Exchange) -> Option<MessageKey> {
        let (op, kind, _) = message_key(&it.messages.first()?.frame);
        Some((op, kind, None))
    }
    let of_client = |it: &Exchange| -> Key { (begins(it), Some(it.whose.hardware.clone())) };
    let of_any = |it: &Exchange| -> Key { (begins(it), None) };
    let pairs = pair(first, second, &[&of_client, &of_any]);
    let mut rest = vec![true; second.len()];
    let mut all = Vec::new();
    for (a, at) in first.iter().zip(pairs) {
        all.push(match at.and_then(|at| second.get(at)) {
            Some(b) => compared(a, b, exact),
            None => alone(a, true),
        });
        if let Some(it) = at.and_then(|at| rest.get_mut(at)) {
            *it = false;
        }
    }
    let rest = second.iter().zip(rest).filter(|it| it.1);
    all.extend(rest.map(|it| alone(it.0, false)));
    all
}

fn compared(first: &Exchange, second: &Exchange, exact: bool) -> ComparedExchange {
    let a: Vec<&Frame> = first.messages.iter().map(|it| &it.frame).collect();
    let b: Vec<&Frame> = second.messages.iter().map(|it| &it.frame).collect();
    let pairs = pair_messages(&a, &b);
    let mut rest = vec![true; b.len()];
    let mut messages = Vec::new();
    for (it, at) in first.messages.iter().zip(&pairs) {
        let other = at.and_then(|at| second.messages.get(at));
        messages.push(match other {
            Some(other) => ComparedMessage {
                name: type_name(&it.frame),
                frames: [Some(it.number), Some(other.number)],
                differences: compare(&it.frame, &other.frame, exact),
            },
            None => lonely(it, true),
        });
        if let Some(it) = at.and_then(|at| rest.get_mut(at)) {
            *it = false;
        }
    }
    let mut differences = Vec::new();
    if !pairs.iter().flatten().is_sorted() {
        // Only what both have can come in another order.
        let one = a.iter().zip(&pairs).filter(|it| it.1.is_some());
        let two = b.iter().zip(&rest).filter(|it| !it.1);
        differences.push(Difference {
            name: "order".into(),
            first: Some(labels(one.map(|it| *it.0))),
            second: Some(labels(two.map(|it| *it.0))),
        });
    }
    let rest = second.messages.iter().zip(rest).filter(|it| it.1);
    messages.extend(rest.map(|it| lonely(it.0, false)));
    ComparedExchange {
        clients: [Some(client(first)), Some(client(second))],
        differences,
        messages,
    }
}

/// An exchange that only one recording has.
fn alone(it: &Exchange, first: bool) -> ComparedExchange {
    let text = labels(it.messages.iter().map(|it| &it.frame));
    let [a, b] = sides(text, first);
    ComparedExchange {
        clients: sides(client(it), first),
        differences: vec![missing("exchange", a, b)],
        messages: Vec::new(),
    }
}

/// Messages in a line; of many the first ones.
fn labels<'a>(frames: impl Iterator<Item = &'a Frame>) -> String {
    const TOLD: usize = 12;
    let mut frames = frames.map(label);
    let mut told: Vec<String> = frames.by_ref().take(TOLD).collect();
    match frames.count() {
        0 => {}
        more => told.push(format!("and {more} more")),
    }
    told.join(", ")
}

/// A message that only one of two exchanges has.
fn lonely(it: &Numbered, first: bool) -> ComparedMessage {
    let [a, b] = sides(label(&it.frame), first);
    ComparedMessage {
        name: type_name(&it.frame),
        frames: sides(it.number, first),
        differences: vec![missing("message", a, b)],
    }
}

fn sides<T>(it: T, first: bool) -> [Option<T>; 2] {
    match first {
        true => [Some(it), None],
        false => [None, Some(it)],
    }
}

fn missing(name: &str, first: Option<String>, second: Option<String>) -> Difference {
    Difference {
        name: name.into(),
        first,
        second,
    }
}

fn client(exchange: &Exchange) -> String {
    let octets = exchange.whose.hardware.iter();
    let octets: Vec<String> = octets.map(|it| format!("{it:02x}")).collect();
    octets.join(":")
}

/// The type of the message in a frame.
pub fn type_name(frame: &Frame) -> String {
    Message::of(frame).map_or("frame".into(), |it| it.type_name().into_owned())
}

/// A message in a few words: `OFFER from 192.0.2.1`.
pub fn label(frame: &Frame) -> String {
    let name = type_name(frame);
    match Message::of(frame) {
        Some(it) if it.bootp.op == 2 => match it.server_id() {
            Some(server) => format!("{name} from {server}"),
            None => name,
        },
        _ => name,
    }
}
