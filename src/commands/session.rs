//! What a run shares: chance, the open link, the numbering of frames, and how it was interrupted.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use super::args::LinkArgs;
use super::conform::{ConformArgs, Report};
use super::edits::{Edits, MacChoice};
pub use super::failing::Failing;
pub use super::here::Here;
use super::lab_client::{self, LabSubject};
pub use super::open_link::OpenLink;
use super::outcome::{Direction, Entry, Grouped, Sink, Verdict};
use super::{Error, lab};
use crate::dhcp::Message;
use crate::dhcp::enums::{DECLINE, RELEASE};
use crate::dhcp::template::Identity;
use crate::link::capture::{CaptureWriter, Packet};
use crate::link::impair::Impair;
use crate::link::record::Recorder;
use crate::link::shared::SharedLink;
use crate::link::{Link, Time, file::ReplayLink, real};
use crate::talk::{Habit, Rules};
use crate::wire::{Frame, MacAddr};

/// Runs a conformance suite; the language, a floor above, says how.
pub type Conform = fn(&ConformArgs, Arc<AtomicBool>, &mut dyn Sink) -> Result<Report, Error>;

/// Whether an entry is one of those asked for.
type Admits = Rc<dyn Fn(&Entry) -> bool>;

/// Reads a server's rules from a file. The floor of the language does it.
pub type ReadRules = fn(&Path, u64, Failing) -> Result<Box<dyn Rules>, Error>;

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
    pub(super) failing: Failing,
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
    pub(super) fn remember(&self, entry: &Entry) {
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
    pub(super) fn objection(&self, frame: &Frame) -> Option<String> {
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

    pub(super) fn mac(&mut self, choice: MacChoice, native: MacAddr) -> MacAddr {
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
            real_link(args, false)?
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

    /// Opens the link to look on: what other programs of this machine send is seen as well. An interface gets a
    /// socket of its own, so that no later command of a conversation takes such a frame for an answer.
    pub fn open_to_watch(
        &mut self,
        args: &LinkArgs,
        write: Option<&Path>,
    ) -> Result<OpenLink, Error> {
        let name = args.interface.as_str();
        if lab::is_lab(name) || Path::new(name).is_file() {
            return self.open(args, write);
        }
        self.may_open()?;
        let mut here = Here::look(args)?;
        let link = real_link(args, true)?;
        here.mac = link.mac().unwrap_or(here.mac);
        self.prepare(link, here, args, write)
    }

    fn may_open(&self) -> Result<(), Error> {
        match self.refusal {
            Some(reason) => Err(Error::Usage(reason.to_string())),
            None => Ok(()),
        }
    }

    /// Opens the link, with every frame recorded if a capture is asked for.
    pub fn open(&mut self, args: &LinkArgs, write: Option<&Path>) -> Result<OpenLink, Error> {
        self.may_open()?;
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
        self.prepare(Box::new(inner), here, args, write)
    }

    /// Opens the lab with a client on it that has this habit, in place of a server.
    pub fn open_lab_client(
        &mut self,
        args: &LinkArgs,
        write: Option<&Path>,
        habit: Box<dyn Habit>,
    ) -> Result<(OpenLink, LabSubject), Error> {
        let (segment, subject) = lab_client::open(&args.interface, self.seed, habit)?;
        let here = Here::look(args)?;
        let link = self.prepare(Box::new(segment), here, args, write)?;
        Ok((link, subject))
    }

    fn prepare(
        &mut self,
        mut link: Box<dyn Link>,
        here: Here,
        args: &LinkArgs,
        write: Option<&Path>,
    ) -> Result<OpenLink, Error> {
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

/// Opens an interface of this machine; `outgoing` as in [`real::RealOptions`].
fn real_link(args: &LinkArgs, outgoing: bool) -> Result<Box<dyn Link>, Error> {
    let options = real::RealOptions {
        promiscuous: !args.no_promisc,
        outgoing,
        ..Default::default()
    };
    Ok(Box::new(real::RealLink::open(&args.interface, &options)?))
}

/// The MAC address so many further.
pub(super) fn counted(mac: MacAddr, index: u32) -> MacAddr {
    let [a, b, c, d, e, f] = mac.octets();
    let low = u32::from_be_bytes([c, d, e, f])
        .wrapping_add(index)
        .to_be_bytes();
    MacAddr::new(a, b, low[0], low[1], low[2], low[3])
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
        group: Grouped::Not,
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
        group: Grouped::Not,
    }
}
