//! What came of sending a recording again: the recorded replies beside the live ones.

use std::time::Duration;

use super::diagnosis::{Cause, Likelihood};
use super::diff::IgnoreArgs;
use super::outcome::Ending;
use crate::dhcp::comparison::{compare, label};
use crate::dhcp::difference::Difference;
use crate::link::Time;
use crate::talk::{Played, Replay};
use crate::wire::Frame;

/// A reply of the recording, of the live run, or of both.
#[derive(Clone, Debug)]
pub struct ReplayedReply {
    /// The recorded one: its frame's number, its time after the message, what it is.
    pub recorded: Option<(u64, Duration, Frame)>,
    /// The live one, likewise.
    pub live: Option<(Duration, Frame)>,
    /// In what the live one differs from the recorded one; `message` where one is missing.
    pub differences: Vec<Difference>,
}

/// A frame that was sent again.
#[derive(Clone, Debug)]
pub struct ReplayedFrame {
    /// Its number in the file.
    pub number: u64,
    /// When it was sent, counted from the first; `None` where the run was broken off before.
    pub sent: Option<Duration>,
    /// When it was recorded, counted from the first that is sent.
    pub recorded: Duration,
    /// As it went out.
    pub frame: Frame,
    /// The replies to it.
    pub replies: Vec<ReplayedReply>,
}

/// What came of sending a recording again.
#[derive(Clone, Debug)]
pub struct Replayed {
    /// The frames sent, in order of the recording.
    pub frames: Vec<ReplayedFrame>,
    /// How it ended.
    pub ending: Ending,
    /// Whether the replies had to be the recorded ones.
    pub(super) same: bool,
}

impl Replayed {
    /// The replies that do not stand beside one that is the same.
    pub fn differing(&self) -> usize {
        let replies = self.frames.iter().flat_map(|it| &it.replies);
        replies.filter(|it| !it.differences.is_empty()).count()
    }

    /// The exit code that says it: silence above all, then a difference where that matters.
    pub fn exit_code(&self) -> u8 {
        match self.ending.exit_code() {
            0 => u8::from(self.same && self.differing() > 0),
            code => code,
        }
    }
}

/// The recorded replies beside the live ones, without the differences that `ignore` names.
pub(super) fn compared(replay: &Replay, ignore: &IgnoreArgs) -> Vec<ReplayedFrame> {
    let played = replay.played().iter();
    let began = replay.began().unwrap_or_default();
    played.map(|it| frame(it, began, ignore)).collect()
}

fn frame(played: &Played, began: Time, ignore: &IgnoreArgs) -> ReplayedFrame {
    let replies = played.pairs().into_iter().map(|(recorded, live)| {
        let recorded = recorded.and_then(|at| played.step.replies.get(at));
        let live = live.and_then(|at| played.live.get(at));
        let mut differences = match (recorded, live) {
            (Some(a), Some(b)) => compare(&a.frame, &b.frame, false),
            (a, b) => vec![Difference {
                name: "message".into(),
                first: a.map(|it| label(&it.frame)),
                second: b.map(|it| label(&it.frame)),
            }],
        };
        differences.retain(|it| !ignore.has(it));
        ReplayedReply {
            recorded: recorded.map(|it| (it.number, it.after, it.frame.clone())),
            live: live.map(|it| (it.after, it.frame.clone())),
            differences,
        }
    });
    ReplayedFrame {
        number: played.step.number,
        sent: played.sent.map(|it| it - began),
        recorded: played.step.at,
        frame: played.step.frame.clone(),
        replies: replies.collect(),
    }
}

/// That frames went to one station, which may be none of this link.
pub(super) fn elsewhere(frames: &[ReplayedFrame]) -> Option<Cause> {
    let to = |it: &ReplayedFrame| {
        let dst = it.frame.ether().filter(|_| it.sent.is_some())?.dst;
        (dst.octets()[0] & 1 == 0).then_some(dst)
    };
    let mac = frames.iter().find_map(to)?;
    let count = frames.iter().filter(|it| to(it) == Some(mac)).count();
    let what = match frames.len() {
        1 => "the frame".to_string(),
        all => format!("{count} of {all} frames"),
    };
    Some(Cause {
        id: "recorded-destination",
        likelihood: Likelihood::Likely,
        text: format!("{what} went to {mac} alone, as recorded"),
        next: "see whether the recorded server or relay agent is on this link".into(),
        frames: Vec::new(),
    })
}
