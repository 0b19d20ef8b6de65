//! What the driver owes to whoever looks on while players run: every frame that the link gave.

use std::ops::ControlFlow;
use std::time::Duration;

use dhcpcraft::link::{Link, LinkError, Received, Time};
use dhcpcraft::talk::{Event, Watch, run};
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
