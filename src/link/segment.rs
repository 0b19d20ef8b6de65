//! An Ethernet segment inside the process, on a virtual clock: waiting on it costs no time.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::time::Duration;

use pnet::util::MacAddr;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use super::{Link, LinkError, Received, Time};

/// 2026-01-01T00:00:00Z: when every segment's clock starts, so that equal seeds give equal captures.
pub const EPOCH: Time = Time(1_767_225_600_000_000_000);

/// Someone on the segment: gets every frame that others send, and may send at any time.
pub trait Station {
    /// A frame arrived.
    fn receive(&mut self, now: Time, frame: &[u8], out: &mut Vec<Transmission>);
    /// The deadline has come.
    fn wake(&mut self, now: Time, out: &mut Vec<Transmission>);
    /// When the station wants to be woken.
    fn deadline(&self) -> Option<Time>;
}

/// A frame to send, now or later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmission {
    /// How long the station takes before it sends.
    pub delay: Duration,
    /// The frame.
    pub bytes: Vec<u8>,
}

/// Who sent a frame: the program on this end of the link, or a station by its seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Sender {
    Here,
    Seat(usize),
}

/// Where a frame is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Leg {
    /// Its sender has not sent it yet; how long it will travel.
    Departs(Duration),
    /// It travels.
    Arrives,
}

/// A frame under way: when the leg ends, order of sending, sender, leg, bytes.
type Travelling = (Time, u64, Sender, Leg, Vec<u8>);

/// How far the segment spoils what it carries.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quality {
    /// Share of frames lost, 0 to 1.
    pub loss: f64,
    /// Time that a frame travels.
    pub latency: Duration,
    /// Up to this much more, by chance.
    pub jitter: Duration,
}

impl Default for Quality {
    fn default() -> Self {
        Quality {
            loss: 0.0,
            latency: Duration::from_micros(40),
            jitter: Duration::from_micros(30),
        }
    }
}

/// The segment, seen from the one end that is a [`Link`].
pub struct Segment {
    name: String,
    clock: Time,
    stations: Vec<Box<dyn Station>>,
    travelling: BinaryHeap<Reverse<Travelling>>,
    arrived: VecDeque<Received>,
    sent: u64,
    /// When the last frame of each sender arrives.
    last: BTreeMap<Sender, Time>,
    quality: Quality,
    chance: ChaCha8Rng,
}

/// Frames waiting for the program at most; the rest is dropped, as a full queue does.
const QUEUE: usize = 65_536;

impl Segment {
    /// An empty segment. Equal seeds spoil and delay equally.
    pub fn new(name: impl Into<String>, seed: u64, quality: Quality) -> Self {
        Segment {
            name: name.into(),
            clock: EPOCH,
            stations: Vec::new(),
            travelling: BinaryHeap::new(),
            arrived: VecDeque::new(),
            sent: 0,
            last: BTreeMap::new(),
            quality,
            chance: ChaCha8Rng::seed_from_u64(seed),
        }
    }

    /// Seats a station.
    pub fn seat(&mut self, station: Box<dyn Station>) {
        self.stations.push(station);
    }

    /// When the next thing happens on it: a frame leaves or arrives, or a station wakes.
    pub fn due(&self) -> Option<Time> {
        let arrival = self.travelling.peek().map(|Reverse((at, ..))| *at);
        let wake = self.next_deadline().map(|(at, _)| at);
        arrival.into_iter().chain(wake).min()
    }

    fn transmit(&mut self, from: Sender, at: Time, bytes: Vec<u8>) {
        // Drawn for each frame, lost or not, so that the loss of one does not move the others.
        let (luck, delay) = (self.chance.next_u32(), self.chance.next_u32());
        if f64::from(luck) / f64::from(u32::MAX) < self.quality.loss {
            return;
        }
        let jitter = self
            .quality
            .jitter
            .mul_f64(f64::from(delay) / f64::from(u32::MAX));
        let travels = self.quality.latency + jitter;
        match at <= self.clock {
            true => self.depart(from, travels, bytes),
            false => self.push(at, from, Leg::Departs(travels), bytes),
        }
    }

    /// A frame leaves its sender now. What one sends arrives in the order it was sent in.
    fn depart(&mut self, from: Sender, travels: Duration, bytes: Vec<u8>) {
        let last = self.last.entry(from).or_insert(EPOCH);
        let arrival = (self.clock + travels).max(*last);
        *last = arrival;
        self.push(arrival, from, Leg::Arrives, bytes);
    }

    fn push(&mut self, at: Time, from: Sender, leg: Leg, bytes: Vec<u8>) {
        self.sent += 1;
        self.travelling
            .push(Reverse((at, self.sent, from, leg, bytes)));
    }

    fn next_deadline(&self) -> Option<(Time, usize)> {
        let deadlines = self.stations.iter().enumerate();
        deadlines
            .filter_map(|(seat, it)| Some((it.deadline()?, seat)))
            .min()
    }

    fn act(&mut self, seat: usize, action: impl FnOnce(&mut dyn Station, &mut Vec<Transmission>)) {
        let mut out = Vec::new();
        if let Some(station) = self.stations.get_mut(seat) {
            action(station.as_mut(), &mut out);
        }
        for it in out {
            self.transmit(Sender::Seat(seat), self.clock + it.delay, it.bytes);
        }
    }

    /// Does the next thing that is due by `until`; `false` when there is none.
    fn step(&mut self, until: Time) -> bool {
        let wake = self.next_deadline();
        let arrival = self.travelling.peek().map(|Reverse((at, ..))| *at);
        if let Some((at, seat)) = wake
            && at <= until
            && arrival.is_none_or(|arrival| at <= arrival)
        {
            self.clock = self.clock.max(at);
            let now = self.clock;
            self.act(seat, |station, out| station.wake(now, out));
            return true;
        }
        if arrival.is_none_or(|at| at > until) {
            return false;
        }
        let Some(Reverse((at, _, from, leg, bytes))) = self.travelling.pop() else {
            return false;
        };
        self.clock = self.clock.max(at);
        let now = self.clock;
        if let Leg::Departs(travels) = leg {
            self.depart(from, travels, bytes);
            return true;
        }
        for seat in 0..self.stations.len() {
            if from != Sender::Seat(seat) {
                self.act(seat, |station, out| station.receive(now, &bytes, out));
            }
        }
        if from != Sender::Here && self.arrived.len() < QUEUE {
            self.arrived.push_back(Received {
                at: now,
                original_len: bytes.len(),
                bytes,
                checksum_unfinished: false,
            });
        }
        true
    }
}

impl Link for Segment {
    fn name(&self) -> &str {
        &self.name
    }

    fn mac(&self) -> Option<MacAddr> {
        None
    }

    fn send(&mut self, frame: &[u8]) -> Result<Time, LinkError> {
        self.transmit(Sender::Here, self.clock, frame.to_vec());
        Ok(self.clock)
    }

    fn recv(&mut self, until: Time) -> Result<Option<Received>, LinkError> {
        loop {
            if let Some(frame) = self.arrived.pop_front() {
                return Ok(Some(frame));
            }
            if !self.step(until) {
                self.clock = self.clock.max(until);
                return Ok(None);
            }
        }
    }

    fn now(&self) -> Time {
        self.clock
    }

    fn is_virtual(&self) -> bool {
        true
    }
}
