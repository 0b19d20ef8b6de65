//! What the driver owes to whoever looks on while players run: every frame that the link gave. And what the segment
//! inside the process owes to the driver.

use std::cell::Cell;
use std::collections::VecDeque;
use std::io::Write;
use std::net::Ipv4Addr;
use std::ops::ControlFlow;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use dhcpcraft::link::segment::{Quality, Segment, Station, Transmission};
use dhcpcraft::link::{Link, LinkError, Received, Time};
use dhcpcraft::talk::{
    Event, HOPS, Outbox, Player, Relay, RelayConfig, Side, Verdict, Watch, run, run_between,
};
use dhcpcraft::wire::{Ether, Frame, Icmp, Ipv4, Layer, MacAddr};

/// A link on which one frame arrives, whatever time it was waited for, as a busy machine hands them over.
struct Slow {
    frame: Option<Received>,
    now: Time,
    comment: Option<String>,
}

impl Link for Slow {
    fn name(&self) -> &str {
        "slow"
    }

    fn mac(&self) -> Option<MacAddr> {
        None
    }

    fn send(&mut self, _frame: &[u8]) -> Result<Time, LinkError> {
        Ok(Time(0))
    }

    fn recv(&mut self, _until: Time) -> Result<Option<Received>, LinkError> {
        let frame = self.frame.take();
        self.now = frame.as_ref().map_or(self.now, |it| it.at);
        Ok(frame)
    }

    fn now(&self) -> Time {
        self.now
    }

    fn describe_last(&mut self, comment: &str) {
        self.comment = Some(comment.to_string());
    }
}

/// A capture has every frame that the link gave, so one that nobody is told of would leave the numbers of
/// all that follow wrong.
#[test]
fn a_frame_after_the_end_is_seen_and_nobodys() {
    let bytes = vec![0xff; 60];
    let mut link = Slow {
        frame: Some(Received {
            at: Time(2_000_000_000),
            original_len: bytes.len(),
            bytes,
            checksum_unfinished: false,
        }),
        now: Time(0),
        comment: None,
    };
    let mut watch = Watch::new(None, Some(Duration::from_secs(1)), |_| true);
    let mut seen = Vec::new();
    let ended = run(
        &mut [&mut watch],
        &mut link,
        |_| None,
        |event| {
            seen.push(event);
            ControlFlow::Continue(())
        },
        || false,
    );
    ended.expect("the link works");
    let [Event::Received { verdict, .. }] = seen.as_slice() else {
        panic!("{seen:?}");
    };
    assert_eq!(*verdict, None);
    assert_eq!(link.comment.as_deref(), Some("Raw, after the end"));
}

/// A link on which something arrives while each frame is sent, and `flood` frames whenever it is asked.
#[derive(Default)]
struct Busy {
    now: u64,
    arrived: VecDeque<u64>,
    flood: u32,
    comments: Vec<String>,
}

impl Link for Busy {
    fn name(&self) -> &str {
        "busy"
    }

    fn mac(&self) -> Option<MacAddr> {
        None
    }

    fn send(&mut self, _frame: &[u8]) -> Result<Time, LinkError> {
        let at = self.now;
        self.arrived.push_back(at + 1_000);
        self.now += 2_000;
        Ok(Time(at))
    }

    fn recv(&mut self, until: Time) -> Result<Option<Received>, LinkError> {
        if self.arrived.is_empty() && self.flood > 0 {
            self.flood -= 1;
            self.arrived.push_back(self.now);
        }
        let Some(at) = self.arrived.pop_front() else {
            self.now = self.now.max(until.0);
            return Ok(None);
        };
        self.now += 10;
        let ping = [
            Ether::default().into(),
            Ipv4::default().into(),
            Icmp::default().into(),
            Layer::Raw(vec![7; 8]),
        ];
        let bytes = Frame::new(ping).encode();
        Ok(Some(Received {
            at: Time(at),
            original_len: bytes.len(),
            bytes,
            checksum_unfinished: false,
        }))
    }

    fn now(&self) -> Time {
        Time(self.now)
    }

    fn describe_last(&mut self, comment: &str) {
        self.comments.push(comment.to_string());
    }
}

/// Sends some frames at once, and then one for each that arrives, so many.
struct Talker {
    first: usize,
    answers: usize,
}

impl Player for Talker {
    fn receive(
        &mut self,
        _now: Time,
        _frame: &Frame,
        _fault: Option<&str>,
        out: &mut Outbox,
    ) -> Option<Verdict> {
        self.answers = self.answers.checked_sub(1)?;
        out.send(Frame::new([Ether::default().into()]), "answer");
        None
    }

    fn wake(&mut self, _now: Time, out: &mut Outbox) {
        for _ in 0..std::mem::take(&mut self.first) {
            out.send(Frame::new([Ether::default().into()]), "first");
        }
    }

    fn deadline(&self) -> Option<Time> {
        None
    }

    fn done(&self) -> bool {
        self.answers == 0
    }
}

fn talk(link: &mut Busy, mut talker: Talker) -> Vec<Event> {
    let mut seen = Vec::new();
    let ended = run(
        &mut [&mut talker],
        link,
        |_| None,
        |event| {
            seen.push(event);
            ControlFlow::Continue(())
        },
        || false,
    );
    ended.expect("the link works");
    seen
}

/// A capture in which an answer stands behind what was sent after it came has times that run backwards.
#[test]
fn what_came_before_a_frame_is_sent_is_told_before_it() {
    let mut link = Busy::default();
    let talker = Talker {
        first: 20,
        answers: 0,
    };
    let seen = talk(&mut link, talker);
    let times: Vec<Time> = seen
        .iter()
        .map(|it| match it {
            Event::Sent { at, .. } => *at,
            Event::Received { received, .. } => received.at,
        })
        .collect();
    assert!(times.len() > 35, "{times:?}");
    assert!(times.is_sorted(), "{times:?}");
    assert_eq!(link.comments[0], "ICMP echo request, not ours");
}

/// Frames that never cease to arrive neither hold back what is to be sent nor have it pile up.
#[test]
fn a_flood_does_not_hold_up_what_is_to_be_sent() {
    let mut link = Busy {
        flood: 20_000,
        ..Busy::default()
    };
    let talker = Talker {
        first: 1,
        answers: 5_000,
    };
    let (mut backlog, mut most, mut sent) = (1i64, 0, 0);
    for event in talk(&mut link, talker) {
        match event {
            Event::Sent { .. } => {
                backlog -= 1;
                sent += 1;
            }
            Event::Received { .. } if sent < 4_000 => backlog += 1,
            Event::Received { .. } => {}
        }
        most = most.max(backlog);
    }
    assert_eq!(sent, 5_001);
    assert!(most <= 520, "{most} frames wait");
}

/// A station that answers each frame with its number, the second one at once and the others after a while.
struct Numbers;

impl Station for Numbers {
    fn receive(&mut self, _now: Time, _frame: &[u8], out: &mut Vec<Transmission>) {
        for number in 0..20 {
            let delay = match number {
                1 => Duration::ZERO,
                _ => Duration::from_micros(200),
            };
            let bytes = vec![number; 60];
            out.push(Transmission { delay, bytes });
        }
    }

    fn wake(&mut self, _now: Time, _out: &mut Vec<Transmission>) {}

    fn deadline(&self) -> Option<Time> {
        None
    }
}

#[test]
fn what_one_station_sends_arrives_in_its_order() {
    for seed in 0..20 {
        let mut segment = Segment::new("test", seed, Quality::default());
        segment.seat(Box::new(Numbers));
        segment.send(&[0; 60]).expect("sent");
        let end = segment.now() + Duration::from_secs(1);
        let mut order = Vec::new();
        while let Some(it) = segment.recv(end).expect("received") {
            order.extend(it.bytes.first().copied());
        }
        let wanted: Vec<u8> = [1, 0].into_iter().chain(2..20).collect();
        assert_eq!(order, wanted, "seed {seed}");
    }
}

/// A link on which one frame arrives: a pipe stands for the socket that tells of it.
struct Piped {
    pipe: Rc<OwnedFd>,
    /// When; 0 for not yet.
    arrived: Arc<AtomicU64>,
    asked: Rc<Cell<u32>>,
}

impl Link for Piped {
    fn name(&self) -> &str {
        "piped"
    }

    fn mac(&self) -> Option<MacAddr> {
        None
    }

    fn send(&mut self, _frame: &[u8]) -> Result<Time, LinkError> {
        Ok(self.now())
    }

    fn recv(&mut self, until: Time) -> Result<Option<Received>, LinkError> {
        assert!(
            until <= self.now(),
            "waiting on one link, deaf on the other"
        );
        self.asked.set(self.asked.get() + 1);
        let arrived = self.arrived.swap(0, Ordering::Relaxed);
        Ok((arrived > 0).then(|| Received {
            at: Time(arrived),
            bytes: vec![0xff; 60],
            original_len: 60,
            checksum_unfinished: false,
        }))
    }

    fn now(&self) -> Time {
        Time::now()
    }

    fn socket(&self) -> Option<Rc<OwnedFd>> {
        Some(self.pipe.clone())
    }
}

fn relay() -> Relay {
    Relay::new(RelayConfig {
        address: Ipv4Addr::new(198, 51, 100, 1),
        mac: MacAddr::new(2, 0, 0, 0, 0, 1),
        vlan: Vec::new(),
        upstream: Ipv4Addr::new(192, 0, 2, 2),
        upstream_mac: MacAddr::new(2, 0, 0, 0, 0, 2),
        servers: Vec::new(),
        info: None,
        hops: HOPS,
    })
}

/// How long after its arrival on one side a frame is seen, and how often each link was asked, in half a second
/// and a little more.
fn woken_by(side: Side) -> (Duration, [u32; 2]) {
    let piped = || {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        let link = Piped {
            pipe: Rc::new(reader.into()),
            arrived: Arc::default(),
            asked: Rc::default(),
        };
        (link, writer)
    };
    let ((mut clients, to_clients), (mut servers, to_servers)) = (piped(), piped());
    let (mut writer, arrived) = match side {
        Side::Clients => (&to_clients, clients.arrived.clone()),
        Side::Servers => (&to_servers, servers.arrived.clone()),
    };
    let asked = [clients.asked.clone(), servers.asked.clone()];
    let begun = Time::now();
    let mut seen = None;
    thread::scope(|scope| {
        scope.spawn(move || {
            thread::sleep(Duration::from_millis(510));
            arrived.store(Time::now().0, Ordering::Relaxed);
            writer.write_all(b"x").expect("a pipe takes a byte");
        });
        let ended = run_between(
            &mut relay(),
            [&mut clients, &mut servers],
            |at, event| {
                if let Event::Received { received, .. } = event {
                    seen = Some((at, Time::now() - received.at));
                }
                ControlFlow::Break(())
            },
            |now| now - begun > Duration::from_secs(20),
        );
        ended.expect("the links work");
    });
    let (at, after) = seen.expect("a frame");
    assert_eq!(at, side);
    (after, asked.map(|it| it.get()))
}

/// Asked in turns of a millisecond, the links of an idle agent would cost a thirtieth of a processor.
#[test]
fn a_relay_agent_sleeps_until_a_frame_comes_on_either_link() {
    for side in [Side::Clients, Side::Servers] {
        let tries = [(); 3].map(|()| woken_by(side));
        for (_, asked) in tries {
            // Ten times a second, to see whether the user wants to stop.
            assert!(asked.iter().all(|it| *it < 30), "{asked:?}");
        }
        // The frame itself wakes it, not the next look at the user, a tenth of a second later. A busy machine may be
        // late, though not every time.
        let soonest = tries.iter().map(|it| it.0).min();
        assert!(soonest < Some(Duration::from_millis(40)), "{tries:?}");
    }
}
