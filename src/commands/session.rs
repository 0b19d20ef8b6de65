//! What a run shares: chance, the open link, the numbering of frames, and how it was interrupted.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fs::File;
use std::net::Ipv4Addr;
use std::path::Path;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use super::args::LinkArgs;
use super::conform::{ConformArgs, Report};
use super::edits::{Edits, MacChoice};
use super::outcome::{Direction, Entry, Sink, Verdict};
use super::witness::Witness;
use super::{Error, lab};
use crate::dhcp::Message;
use crate::dhcp::enums::{DECLINE, RELEASE};
use crate::dhcp::template::Identity;
use crate::link::capture::{CaptureWriter, Packet};
use crate::link::impair::Impair;
use crate::link::label::{Label, Labelled};
use crate::link::record::Recorder;
use crate::link::shared::SharedLink;
use crate::link::{Link, Time, file::ReplayLink, interfaces, real};
use crate::talk::{self, Event, Player, Rules};
use crate::wire::{Frame, MacAddr};

/// Runs a conformance suite; the language, a floor above, says how.
pub type Conform = fn(&ConformArgs, Arc<AtomicBool>, &mut dyn Sink) -> Result<Report, Error>;

/// Whether an entry is one of those asked for.
type Admits = Rc<dyn Fn(&Entry) -> bool>;

/// Reads a server's rules from a file. The floor of the language does it.
pub type ReadRules = fn(&Path, u64, Failing) -> Result<Box<dyn Rules>, Error>;

/// Where something that runs inside a player says that the run cannot go on.
#[derive(Clone)]
pub struct Failing {
    first: Arc<Mutex<Option<Error>>>,
    interrupted: Arc<AtomicBool>,
}

impl Failing {
    fn new(interrupted: Arc<AtomicBool>) -> Self {
        Failing {
            first: Arc::default(),
            interrupted,
        }
    }

    /// Stops the run. Of several reasons the first is told.
    pub fn fail(&self, error: Error) {
        self.slot().get_or_insert(error);
        self.interrupted.store(true, Ordering::Relaxed);
    }

    /// What the user's asking to stop is written to.
    pub fn interruption(&self) -> Arc<AtomicBool> {
        self.interrupted.clone()
    }

    fn take(&self) -> Option<Error> {
        let error = self.slot().take()?;
        self.interrupted.store(false, Ordering::Relaxed);
        Some(error)
    }

    fn slot(&self) -> MutexGuard<'_, Option<Error>> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One run of the program.
pub struct Session {
    chance: ChaCha8Rng,
    seed: u64,
    interrupted: Arc<AtomicBool>,
    /// Whether the link stays open for the next command.
    conversation: bool,
    open: Option<SharedLink>,
    /// Messages received in a conversation, for what follows them.
    memory: RefCell<VecDeque<Frame>>,
    admits: Option<Admits>,
    read_rules: Option<ReadRules>,
    failing: Failing,
    /// Why no link may be opened just now.
    refusal: Option<&'static str>,
    conform: Option<Conform>,
}

/// Messages that a conversation remembers.
const REMEMBERED: usize = 256;

impl Session {
    /// A session whose chance follows from `seed`, or from the time and process when there is none.
    pub fn new(seed: Option<u64>, interrupted: Arc<AtomicBool>) -> Self {
        let seed = seed.unwrap_or_else(|| {
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            let nanos = now.unwrap_or_default().as_nanos() as u64;
            nanos ^ u64::from(std::process::id()) << 32
        });
        Session {
            chance: ChaCha8Rng::seed_from_u64(seed),
            seed,
            failing: Failing::new(interrupted.clone()),
            interrupted,
            conversation: false,
            open: None,
            memory: RefCell::default(),
            admits: None,
            read_rules: None,
            refusal: None,
            conform: None,
        }
    }

    /// How a server's rules are read.
    pub fn rules_with(&mut self, read: ReadRules) {
        self.read_rules = Some(read);
    }

    /// A server's rules from a file.
    pub fn rules(&self, path: &Path) -> Result<Box<dyn Rules>, Error> {
        let read = self.read_rules.ok_or_else(|| {
            Error::Usage("rules cannot be read here: there is no language".into())
        })?;
        read(path, self.seed, self.failing.clone())
    }

    /// Has conformance suites run by `run`.
    pub fn conform_with(&mut self, run: Conform) {
        self.conform = Some(run);
    }

    /// What runs conformance suites.
    pub fn conform(&self) -> Option<Conform> {
        self.conform
    }

    /// Keeps the link open from one command to the next, as long as they name the same one.
    pub fn converse(&mut self) {
        self.conversation = true;
    }

    /// Remembers a message that belongs to the conversation; what is given back is forgotten.
    fn remember(&self, entry: &Entry) {
        let kind = Message::of(&entry.frame).and_then(|it| it.message_type());
        if entry.direction == Direction::Sent && matches!(kind, Some(RELEASE | DECLINE)) {
            self.forget();
        }
        if self.conversation
            && entry.direction == Direction::Received
            && entry.verdict == Verdict::Part
            && entry.frame.bootp().is_some()
        {
            let mut memory = self.memory.borrow_mut();
            if memory.len() >= REMEMBERED {
                memory.pop_front();
            }
            memory.push_back(entry.frame.clone());
        }
    }

    /// The messages received so far in this conversation, oldest first.
    pub fn received(&self) -> Vec<Frame> {
        self.memory.borrow().iter().cloned().collect()
    }

    /// Has only replies taken, and only frames of files shown, for which this holds (`--where`).
    pub fn admit_only(&mut self, holds: impl Fn(&Entry) -> bool + 'static) {
        self.admits = Some(Rc::new(holds));
    }

    /// Whether a frame off the link is one of those asked for, for a player to ask.
    pub fn admitter(&self) -> impl Fn(&Frame) -> bool + 'static {
        let admits = self.admits.clone();
        move |frame| {
            admits
                .as_ref()
                .is_none_or(|holds| holds(&built(0, frame.clone(), Time::default())))
        }
    }

    /// Opens no link from here on, for this reason; with `None` links are opened again.
    pub fn refuse_links(&mut self, reason: Option<&'static str>) {
        self.refusal = reason;
    }

    /// Has everything taken again.
    pub fn admit_all(&mut self) {
        self.admits = None;
    }

    /// Whether a packet of a file is one of those asked for.
    pub fn admits_packet(&self, number: u64, packet: &Packet) -> bool {
        self.admits.is_none() || self.admits(&read(number, Duration::ZERO, packet.clone()))
    }

    /// Whether an entry is one of those asked for.
    pub fn admits(&self, entry: &Entry) -> bool {
        self.admits.as_ref().is_none_or(|holds| holds(entry))
    }

    /// Why a frame off the link is no answer although it looks like one.
    fn objection(&self, frame: &Frame) -> Option<String> {
        let admits = self.admits.as_ref()?;
        frame.bootp().filter(|it| it.op == 2)?;
        let holds = admits(&built(0, frame.clone(), Time::default()));
        (!holds).then(|| "--where does not hold".to_string())
    }

    /// Forgets what was received.
    pub fn forget(&self) {
        self.memory.borrow_mut().clear();
    }

    /// Begins chance anew.
    pub fn reseed(&mut self, seed: u64) {
        self.chance = ChaCha8Rng::seed_from_u64(seed);
        self.seed = seed;
        // The lab's own chance follows from the seed, so the next command opens another one.
        self.open = None;
    }

    /// Forgets that the user asked to stop.
    pub fn resume(&self) {
        self.interrupted.store(false, Ordering::Relaxed);
    }

    /// What the user's asking to stop is written to.
    pub fn interruption(&self) -> Arc<AtomicBool> {
        self.interrupted.clone()
    }

    /// Whether the user asked to stop.
    pub fn interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }

    /// A transaction id.
    pub fn xid(&mut self) -> u32 {
        self.chance.next_u32()
    }

    /// A generator of its own for a player.
    pub fn fork(&mut self) -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(self.chance.next_u64())
    }

    /// A MAC address by chance, locally administered.
    pub fn random_mac(&mut self) -> MacAddr {
        let [_, b, c, d, e, f, ..] = self.chance.next_u64().to_be_bytes();
        // Locally administered, unicast.
        MacAddr::new(0x02, b, c, d, e, f)
    }

    fn mac(&mut self, choice: MacChoice, native: MacAddr) -> MacAddr {
        match choice {
            MacChoice::Fixed(mac) => mac,
            MacChoice::Native => native,
            MacChoice::Random => self.random_mac(),
        }
    }

    /// Who sends, as far as the command line and the link say.
    pub fn identity(&mut self, edits: &Edits, link: &Here) -> Identity {
        let native = link.mac;
        let client_mac = self.mac(edits.chaddr.unwrap_or(MacChoice::Native), native);
        let source_mac = match edits.src_mac {
            Some(choice) => self.mac(choice, native),
            // A relay agent is one machine, whoever its clients are.
            None if !edits.relays().is_empty() => native,
            None => client_mac,
        };
        Identity {
            client_mac,
            source_mac,
            xid: self.xid(),
            address: None,
            server: None,
            own: link.address,
            server_mac: None,
        }
    }

    fn link(&self, args: &LinkArgs) -> Result<Box<dyn Link>, Error> {
        let name = args.interface.as_str();
        Ok(if lab::is_lab(name) {
            Box::new(lab::open(name, self.seed, |path| self.rules(path))?)
        } else if Path::new(name).is_file() {
            Box::new(ReplayLink::open(Path::new(name))?)
        } else {
            let options = real::RealOptions {
                promiscuous: !args.no_promisc,
                ..Default::default()
            };
            Box::new(real::RealLink::open(name, &options)?)
        })
    }

    /// Who the client with this index is: the MAC address that was named or the link's own, counted on
    /// from; or another one by chance.
    pub fn identity_of(&mut self, index: u32, edits: &Edits, link: &Here) -> Identity {
        let mut who = self.identity(edits, link);
        if edits.chaddr != Some(MacChoice::Random) {
            let own = edits.sends_as_client();
            who.client_mac = counted(who.client_mac, index);
            who.source_mac = if own { who.client_mac } else { who.source_mac };
        }
        who
    }

    /// Opens the link, with every frame recorded if a capture is asked for.
    pub fn open(&mut self, args: &LinkArgs, write: Option<&Path>) -> Result<OpenLink, Error> {
        if let Some(reason) = self.refusal {
            return Err(Error::Usage(reason.to_string()));
        }
        let mut here = Here::look(args)?;
        let mut inner = match self.open.take_if(|it| it.name() == args.interface) {
            Some(link) => link,
            None => SharedLink::new(self.link(args)?),
        };
        if self.conversation {
            inner.drain()?;
            self.open = Some(inner.clone());
        }
        here.mac = inner.mac().unwrap_or(here.mac);
        let mut link: Box<dyn Link> = Box::new(inner);
        if let Some(how) = args.impair {
            link = Box::new(Impair::new(link, how, self.fork()));
        }
        if let Some(path) = write {
            link = Box::new(Recorder::new(link, CaptureWriter::create(path)?)?);
        }
        Ok(OpenLink {
            link,
            here,
            frames: 0,
            first: None,
        })
    }
}

/// The MAC address so many further.
fn counted(mac: MacAddr, index: u32) -> MacAddr {
    let [a, b, c, d, e, f] = mac.octets();
    let low = u32::from_be_bytes([c, d, e, f])
        .wrapping_add(index)
        .to_be_bytes();
    MacAddr::new(a, b, low[0], low[1], low[2], low[3])
}

/// Whether `-i NAME` means a capture, there or not: interfaces have no such names.
fn is_capture(name: &str) -> bool {
    let extension = Path::new(name).extension().and_then(|it| it.to_str());
    name.contains('/')
        || extension.is_some_and(|it| ["pcap", "pcapng", "cap", "snoop"].contains(&it))
}

/// What is known of this end of a link before anything is sent.
#[derive(Clone, Copy, Debug)]
pub struct Here {
    /// Our own MAC address on it.
    pub mac: MacAddr,
    /// The interface's own IPv4 address.
    pub address: Option<Ipv4Addr>,
    /// The same with the bits of its mask.
    pub network: Option<(Ipv4Addr, u8)>,
    /// Whether the machine's default route goes through it.
    pub default_route: bool,
    /// Whether it is the lab.
    pub lab: bool,
}

impl Here {
    /// Looks without opening anything, so that a dry run needs no rights.
    pub fn look(args: &LinkArgs) -> Result<Here, Error> {
        let name = args.interface.as_str();
        let lab = lab::is_lab(name);
        let mut here = Here {
            mac: lab::CLIENT_MAC,
            address: None,
            network: None,
            default_route: false,
            lab,
        };
        if !lab && is_capture(name) {
            // A file that is not there is no missing interface.
            File::open(name).map_err(|it| Error::file(Path::new(name), it))?;
        } else if !lab && !Path::new(name).is_file() {
            let status = interfaces::find(name)?;
            here.mac = status.mac.unwrap_or(here.mac);
            here.address = status.ipv4();
            here.network = status.network;
            here.default_route = status.default_route;
        }
        Ok(here)
    }

    /// An identity completed with what the lab lets a message assume without being told.
    pub fn assume(&self, mut identity: Identity) -> Identity {
        if self.lab {
            identity.address = Some(lab::FIRST_ADDRESS);
            identity.server = Some(lab::SERVER);
        }
        identity
    }
}

/// An open link and what is known of this end of it.
pub struct OpenLink {
    link: Box<dyn Link>,
    /// This end of it.
    pub here: Here,
    frames: u64,
    first: Option<Time>,
}

impl OpenLink {
    /// The link with what is said of each frame behind a label.
    pub fn labelled(self, label: Label) -> OpenLink {
        OpenLink {
            link: Box::new(Labelled::new(self.link, label)),
            ..self
        }
    }

    /// The link itself.
    pub fn link(&mut self) -> &mut dyn Link {
        self.link.as_mut()
    }

    /// Runs players to their end. Frames that concern them go to `sink` as entries, all others only
    /// into the capture and the witness. Returns whether the user broke it off.
    pub fn play(
        &mut self,
        players: &mut [&mut dyn Player],
        session: &Session,
        sink: &mut dyn Sink,
        witness: &mut Witness,
    ) -> Result<bool, Error> {
        let (mut frames, mut first) = (self.frames, self.first);
        let mut failed = None;
        let mut last_sent: Option<Time> = None;
        let link = self.link();
        let link_type = link.link_type();
        let outcome = talk::run(
            players,
            link,
            |frame| session.objection(frame),
            |event| {
                witness.saw(&event);
                frames += 1;
                let entry = entry_of(event, frames, link_type, &mut first, &mut last_sent);
                if let Some(entry) = &entry {
                    session.remember(entry);
                }
                if let Some(entry) = entry
                    && let Err(error) = sink.entry(&entry)
                {
                    failed = Some(error);
                    return std::ops::ControlFlow::Break(());
                }
                std::ops::ControlFlow::Continue(())
            },
            || session.interrupted(),
        );
        (self.frames, self.first) = (frames, first);
        witness.health = self.link().health();
        witness.remarks().iter().for_each(|it| sink.notice(it));
        outcome?;
        if let Some(error) = session.failing.take() {
            return Err(error);
        }
        match failed {
            Some(error) => Err(error.into()),
            None => Ok(session.interrupted()),
        }
    }
}

/// The entry that tells of an event; `None` for a frame that concerns nobody here.
fn entry_of(
    event: Event,
    number: u64,
    link_type: u32,
    first: &mut Option<Time>,
    last_sent: &mut Option<Time>,
) -> Option<Entry> {
    match event {
        Event::Sent {
            at,
            bytes,
            frame,
            note,
        } => {
            let since = at - *first.get_or_insert(at);
            if frame.bootp().is_some() {
                *last_sent = Some(at);
            }
            Some(Entry {
                number,
                at,
                since,
                after: None,
                direction: Direction::Sent,
                link_type,
                original_len: bytes.len(),
                bytes,
                frame,
                verdict: Verdict::Part,
                checksum_unfinished: false,
                comment: Some(note),
            })
        }
        Event::Received {
            received,
            frame,
            verdict,
            ..
        } => {
            let since = received.at - *first.get_or_insert(received.at);
            let verdict = verdict?;
            let after = last_sent
                .filter(|_| frame.bootp().is_some())
                .map(|sent| received.at - sent);
            Some(Entry {
                number,
                at: received.at,
                since,
                after,
                direction: Direction::Received,
                link_type,
                original_len: received.original_len,
                bytes: received.bytes,
                frame,
                verdict,
                checksum_unfinished: received.checksum_unfinished,
                comment: None,
            })
        }
    }
}

/// An entry for a frame of a file.
pub fn read(number: u64, since: Duration, packet: Packet) -> Entry {
    Entry {
        number,
        at: packet.at,
        since,
        after: None,
        direction: Direction::Read,
        link_type: packet.link_type,
        frame: Frame::decode_as(packet.link_type, &packet.bytes),
        bytes: packet.bytes,
        original_len: packet.original_len as usize,
        verdict: Verdict::Part,
        checksum_unfinished: false,
        comment: packet.comment,
    }
}

/// An entry for a frame that was built and not sent.
pub fn built(number: u64, frame: Frame, at: Time) -> Entry {
    let bytes = frame.encode();
    Entry {
        number,
        at,
        since: Duration::ZERO,
        after: None,
        direction: Direction::Built,
        link_type: crate::wire::link_type::ETHERNET,
        original_len: bytes.len(),
        frame: Frame::decode(&bytes),
        bytes,
        verdict: Verdict::Part,
        checksum_unfinished: false,
        comment: None,
    }
}
