//! What every bench has: the open link, and what the check under way found.

use std::net::Ipv4Addr;
use std::time::Duration;

use crate::commands::Error;
use crate::commands::args::LinkArgs;
use crate::commands::diagnosis::{Cause, Circumstances};
use crate::commands::outcome::{Entry, Sink};
use crate::commands::session::{OpenLink, Session};
use crate::commands::witness::Witness;
use crate::link::Time;
use crate::link::label::Label;
use crate::talk::Player;
use crate::wire::{Auto, Frame, Layer, MacAddr};

/// How the check under way ended before its last line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The requirement is not met.
    Broken(String),
    /// It cannot be checked here.
    Skip(String),
}

/// The link, and the check under way.
pub struct Desk {
    /// Chance, and what the user wants.
    pub session: Session,
    link: OpenLink,
    witness: Witness,
    label: Label,
    /// How the check under way ended.
    pub stop: Option<Stop>,
    /// How many things it looked at.
    pub judged: u32,
    /// What else it saw.
    pub remarks: Vec<String>,
    /// Numbers of the frames that it rests on.
    pub evidence: Vec<u64>,
    /// Frames so far.
    pub frames: u64,
    /// Why the link cannot be used any more.
    pub failed: Option<Error>,
}

/// Makes the UDP checksum that was left for the network card: what the sender meant to send.
fn finish(frame: &mut Frame) {
    let computed = frame.computed();
    for (layer, right) in frame.layers.iter_mut().zip(computed) {
        if let Layer::Udp(udp) = layer {
            udp.chksum = Auto::Set(right.chksum);
        }
    }
}

/// Keeps entries.
#[derive(Default)]
struct Keep(Vec<Entry>);

impl Sink for Keep {
    fn entry(&mut self, entry: &Entry) -> std::io::Result<()> {
        self.0.push(entry.clone());
        Ok(())
    }

    fn notice(&mut self, _text: &str) {}
}

impl Desk {
    /// A desk at an open link.
    pub fn new(session: Session, link: OpenLink) -> Desk {
        let label = Label::default();
        Desk {
            session,
            link: link.labelled(label.clone()),
            witness: Witness::default(),
            label,
            stop: None,
            judged: 0,
            remarks: Vec::new(),
            evidence: Vec::new(),
            frames: 0,
            failed: None,
        }
    }

    /// A check begins.
    pub fn begin(&mut self, id: &str) {
        self.name(id);
        self.stop = None;
        self.judged = 0;
        self.remarks.clear();
        self.evidence.clear();
    }

    /// What the frames from here on belong to.
    pub fn name(&mut self, label: &str) {
        self.label.set(label);
    }

    /// Runs players and gives what was sent and received meanwhile.
    pub fn play(&mut self, players: &mut [&mut dyn Player]) -> Result<Vec<Entry>, Error> {
        let mut keep = Keep::default();
        self.link
            .play(players, &self.session, &mut keep, &mut self.witness)?;
        for entry in &mut keep.0 {
            if entry.checksum_unfinished {
                finish(&mut entry.frame);
            }
            self.frames = self.frames.max(entry.number);
        }
        Ok(keep.0)
    }

    /// Why nothing answered, or not the server that was chosen; or why nothing asked: the client under test may
    /// have ended by itself, and how.
    pub fn diagnosis(
        &self,
        link: &LinkArgs,
        chosen: Option<Ipv4Addr>,
        ended: Option<String>,
    ) -> Vec<Cause> {
        self.witness.diagnosis(&Circumstances {
            chosen,
            ended,
            ..Circumstances::of(&self.link.here, link)
        })
    }

    /// Whether waiting costs nothing.
    pub fn is_virtual(&mut self) -> bool {
        self.link.link().is_virtual()
    }

    /// Whether a check may wait so long: `patience` on a real clock, any time in the lab.
    pub fn can_wait(&mut self, time: Duration, patience: Duration) -> bool {
        time <= patience || self.is_virtual()
    }

    /// Now, on the link's clock.
    pub fn now(&mut self) -> Time {
        self.link.link().now()
    }

    /// Whether the user wants it to end.
    pub fn interrupted(&self) -> bool {
        self.session.interrupted()
    }

    /// A MAC address that nobody else has.
    pub fn mac(&mut self) -> MacAddr {
        let [a, b, c, d] = self.session.xid().to_be_bytes();
        MacAddr::new(0x02, 0xcf, a, b, c, d)
    }

    /// The MAC address of this end of the link.
    pub fn own_mac(&self) -> MacAddr {
        self.link.here.mac
    }
}
