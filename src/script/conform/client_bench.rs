//! Where a check plays the server: the client under test, what it said so far, and the addresses that
//! this side answers for.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use super::desk::{Desk, Stop};
use crate::commands::Error;
use crate::commands::outcome::{Direction, Entry};
use crate::commands::serve::Network;
use crate::commands::subject::{Act, Subject};
use crate::link::Time;
use crate::talk::{Host, Listener, ListenerConfig};
use crate::wire::{Frame, MacAddr};

/// Frames of a client remembered at most: a flood is counted in the capture, not here.
const REMEMBERED: usize = 4_096;

/// How long what a client sends while it ends is waited for.
const FAREWELL: Duration = Duration::from_millis(50);

/// The place where checks play a server.
pub struct ClientBench {
    /// The link, and the check under way.
    pub desk: Desk,
    /// The server's address.
    pub server: Network,
    subject: Box<dyn Subject>,
    /// The client's MAC address, once it is known.
    pub client: Option<MacAddr>,
    card: Option<MacAddr>,
    claimed: Vec<(Ipv4Addr, MacAddr)>,
    heard: Vec<Entry>,
    /// How much of what was heard was waited for.
    taken: usize,
    begun: bool,
    /// Whether the client was not sent anything since it began.
    untouched: bool,
    /// What was played once for several checks: the frames it rests on, or why it came to nothing.
    scenes: BTreeMap<String, Scene>,
    playing: Option<String>,
}

/// What several checks rest on.
#[derive(Clone, Default)]
struct Scene {
    evidence: Vec<u64>,
    trouble: Option<Stop>,
}

impl ClientBench {
    /// A bench for a client; `mac` tells which, where there are several.
    pub fn new(
        desk: Desk,
        server: Network,
        subject: Box<dyn Subject>,
        mac: Option<MacAddr>,
    ) -> ClientBench {
        ClientBench {
            desk,
            server,
            subject,
            client: mac,
            card: None,
            claimed: Vec::new(),
            heard: Vec::new(),
            taken: 0,
            begun: false,
            untouched: false,
            scenes: BTreeMap::new(),
            playing: None,
        }
    }

    /// A check begins.
    pub fn begin(&mut self, id: &str) {
        self.playing = None;
        self.desk.begin(id);
    }

    /// Whether the client can be told so.
    pub fn knows(&self, act: Act) -> bool {
        self.subject.knows(act)
    }

    /// Whether a client is there that was not sent anything yet.
    pub fn is_fresh(&self) -> bool {
        self.begun && self.untouched
    }

    /// Tells the client. What begins again begins a new record of what it says; false where nobody knows
    /// how to begin again.
    pub fn act(&mut self, act: Act) -> Result<bool, Error> {
        let begins = act != Act::Release;
        let first = !std::mem::replace(&mut self.begun, true);
        if begins {
            if !first && !self.knows(act) {
                return Ok(false);
            }
            self.stop(true)?;
            self.claimed.clear();
            self.heard.clear();
            self.taken = 0;
            self.untouched = true;
        }
        self.subject.act(act)?;
        Ok(true)
    }

    /// Ends the client: so that it may tidy up, or as when its machine is switched off.
    pub fn stop(&mut self, gently: bool) -> Result<(), Error> {
        if self.knows(Act::Start) {
            self.subject.stop(gently);
            self.listen(Vec::new(), FAREWELL, Box::new(|_| false))?;
            self.untouched = false;
        }
        Ok(())
    }

    /// Why the client is not there, where it should be.
    pub fn ended(&mut self) -> Option<String> {
        self.subject.ended()
    }

    /// Somebody else has this address, and says so when asked.
    pub fn claim(&mut self, ip: Ipv4Addr) {
        let mac = self.desk.mac();
        self.claimed.push((ip, mac));
    }

    /// What the client has said since it began.
    pub fn heard(&self) -> &[Entry] {
        &self.heard
    }

    /// Sends frames and says when.
    pub fn send(&mut self, frames: Vec<(Frame, String)>) -> Result<Time, Error> {
        self.untouched = false;
        let at = self.desk.now();
        self.listen(frames, Duration::ZERO, Box::new(|_| false))?;
        Ok(at)
    }

    /// The next frame of the client's that is wanted, of those that nobody waited for so far; what comes
    /// before it is passed over. `None` when the time is over.
    pub fn wait(
        &mut self,
        length: Duration,
        wanted: impl Fn(&Frame) -> bool + 'static,
    ) -> Result<Option<Entry>, Error> {
        let found = |bench: &mut ClientBench, wanted: &dyn Fn(&Frame) -> bool| {
            let rest = bench.heard.get(bench.taken..).unwrap_or_default();
            let at = rest.iter().position(|it| wanted(&it.frame));
            bench.taken = at.map_or(bench.heard.len(), |at| bench.taken + at + 1);
            at.and_then(|_| bench.heard.get(bench.taken - 1).cloned())
        };
        if let Some(entry) = found(self, &wanted) {
            return Ok(Some(entry));
        }
        let wanted = std::rc::Rc::new(wanted);
        let ends = wanted.clone();
        self.listen(Vec::new(), length, Box::new(move |frame| ends(frame)))?;
        Ok(found(self, wanted.as_ref()))
    }

    fn listen(
        &mut self,
        frames: Vec<(Frame, String)>,
        wait: Duration,
        ends: Box<dyn FnMut(&Frame) -> bool>,
    ) -> Result<(), Error> {
        let mut host = Host::new(self.server.ip, self.desk.own_mac());
        for (ip, mac) in &self.claimed {
            host.add(*ip, *mac);
        }
        let mut listener = Listener::new(ListenerConfig {
            frames,
            wait,
            host,
            client: self.client,
            card: self.card,
            ends,
        });
        let entries = self.desk.play(&mut [&mut listener])?;
        self.client = listener.client();
        self.card = listener.card();
        for entry in entries {
            self.desk.evidence.push(entry.number);
            let room = self.heard.len() < REMEMBERED;
            if entry.direction == Direction::Received && room {
                self.heard.push(entry);
            }
        }
        Ok(())
    }

    /// A scene that several checks rest on begins; false where it was played already. What ended it early
    /// ends whatever rests on it.
    pub fn scene(&mut self, name: &str) -> Result<bool, Stop> {
        if let Some(scene) = self.scenes.get(name) {
            let evidence = &mut self.desk.evidence;
            evidence.extend(&scene.evidence);
            evidence.sort_unstable();
            evidence.dedup();
            return match &scene.trouble {
                Some(stop) => Err(stop.clone()),
                None => Ok(false),
            };
        }
        self.desk.name(&format!("scene {name}"));
        self.desk.evidence.clear();
        self.playing = Some(name.to_string());
        Ok(true)
    }

    /// The scene under way is over.
    pub fn curtain(&mut self) {
        if let Some(name) = self.playing.take() {
            let evidence = self.desk.evidence.clone();
            let trouble = self.desk.stop.clone();
            self.scenes.insert(name, Scene { evidence, trouble });
        }
    }

    /// A check has ended; at the end of the run the client does too.
    pub fn clean_up(&mut self, end: bool) -> Result<(), Error> {
        self.curtain();
        self.claimed.clear();
        if end {
            self.stop(true)?;
        }
        Ok(())
    }
}
