//! What the driver owes to whoever looks on while players run: every frame that the link gave.

use std::cell::Cell;
use std::io::Write;
use std::net::Ipv4Addr;
use std::ops::ControlFlow;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use dhcpcraft::link::{Link, LinkError, Received, Time};
use dhcpcraft::talk::{Event, HOPS, Relay, RelayConfig, Side, Watch, run, run_between};
use dhcpcraft::wire::MacAddr;

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

/// A link on which one frame arrives: a pipe stands for the socket that tells of it.
struct Piped {
    pipe: Rc<OwnedFd>,
    arrived: Arc<AtomicBool>,
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
        let arrived = self.arrived.swap(false, Ordering::Relaxed);
        Ok(arrived.then(|| Received {
            at: self.now(),
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

/// Polled in turns, an idle agent would cost a twentieth of a processor.
#[test]
fn a_relay_agent_sleeps_until_a_frame_comes_on_either_link() {
    for woken in [Side::Clients, Side::Servers] {
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
        let (mut writer, arrived) = match woken {
            Side::Clients => (&to_clients, clients.arrived.clone()),
            Side::Servers => (&to_servers, servers.arrived.clone()),
        };
        let asked = [clients.asked.clone(), servers.asked.clone()];
        let begun = Time::now();
        let mut seen = None;
        thread::scope(|scope| {
            scope.spawn(move || {
                thread::sleep(Duration::from_millis(550));
                arrived.store(true, Ordering::Relaxed);
                writer.write_all(b"x").expect("a pipe takes a byte");
            });
            let ended = run_between(
                &mut relay(),
                [&mut clients, &mut servers],
                |side, _| {
                    seen = Some(side);
                    ControlFlow::Break(())
                },
                |now| now - begun > Duration::from_secs(20),
            );
            ended.expect("the links work");
        });
        assert_eq!(seen, Some(woken));
        for it in asked {
            // Ten times a second, to see whether the user wants to stop.
            assert!(it.get() < 30, "asked {} times", it.get());
        }
    }
}
