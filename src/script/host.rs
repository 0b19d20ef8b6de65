//! What a running script shares with this program.

use std::cell::{Cell, RefCell};
use std::io::Write;
use std::net::Ipv4Addr;

use starlark::PrintHandler;
use starlark::any::ProvidesStaticType;

use super::rules::Line;
use super::stack::Origin;
use crate::commands::args::LinkArgs;
use crate::commands::outcome::Entry;
use crate::commands::session::{Here, Session};
use crate::view::{Style, hang, summary};

/// What a conversation goes on with until somebody changes it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The link that is used where none is named.
    pub interface: String,
    /// The client's MAC address where none is named.
    pub mac: Option<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            interface: "lab".into(),
            mac: None,
        }
    }
}

/// Frames kept of a conversation.
const REMEMBERED: usize = 20_000;

/// The session, the link in use, where to print, and what was sent and received.
#[derive(ProvidesStaticType)]
pub struct Host {
    /// Chance, and the open link.
    pub session: RefCell<Session>,
    /// What is used where nothing is named.
    pub settings: RefCell<Settings>,
    /// Standard output.
    pub out: RefCell<Box<dyn Write>>,
    /// Standard error.
    pub err: RefCell<Box<dyn Write>>,
    /// Width and colours.
    pub style: Cell<Style>,
    /// Frames sent and received since the start, or since `clear`.
    pub log: RefCell<Vec<Entry>>,
    /// What the script says it is doing, for the comments of what is sent and received meanwhile.
    pub step: RefCell<String>,
    /// Frames kept in `log`; of more the oldest are forgotten.
    pub remembers: Cell<usize>,
    /// Frames forgotten of `log`.
    pub forgotten: Cell<u64>,
    /// Whether frames count through the whole conversation, as its capture does, and not from 1 in each command.
    pub counts_on: Cell<bool>,
    /// Whether notices are kept off standard error.
    pub quiet: Cell<bool>,
    /// Columns of the terminal that notices go to; `None` where they go to no terminal.
    pub room: Cell<Option<usize>>,
    /// The server whose rules run here.
    pub server: RefCell<Option<Line>>,
    /// Where a conformance check asks the server, while one runs.
    pub(super) bench: RefCell<Option<super::conform::Bench>>,
    /// Whether a person is at a prompt, so that Ctrl-C ends the listening and not what was heard.
    pub converses: Cell<bool>,
}

impl Host {
    /// A host that prints to `out`, and what is not output to `err`.
    pub fn new(
        mut session: Session,
        out: Box<dyn Write>,
        err: Box<dyn Write>,
        style: Style,
    ) -> Self {
        session.converse();
        session.rules_with(super::read_rules);
        session.conform_with(super::conform::run);
        Host {
            session: RefCell::new(session),
            settings: RefCell::default(),
            out: RefCell::new(out),
            err: RefCell::new(err),
            style: Cell::new(style),
            log: RefCell::default(),
            step: RefCell::default(),
            remembers: Cell::new(REMEMBERED),
            forgotten: Cell::new(0),
            counts_on: Cell::new(false),
            quiet: Cell::new(false),
            room: Cell::default(),
            server: RefCell::default(),
            bench: RefCell::default(),
            converses: Cell::new(false),
        }
    }

    /// The arguments of a link: the one named, or else the one in use.
    pub fn link_args(&self, interface: Option<&str>) -> LinkArgs {
        LinkArgs {
            impair: None,
            interface: interface
                .map_or_else(|| self.settings.borrow().interface.clone(), str::to_string),
            vlan: Vec::new(),
            no_promisc: false,
        }
    }

    /// What unset addresses of packets are worth on the link in use.
    pub fn origin(&self) -> Origin {
        match Here::look(&self.link_args(None)) {
            Ok(here) => Origin {
                mac: here.mac,
                ip: here.address.unwrap_or(Ipv4Addr::UNSPECIFIED),
            },
            Err(_) => Origin::default(),
        }
    }

    /// Prints to standard output.
    pub fn print(&self, text: &str) -> std::io::Result<()> {
        let mut out = self.out.borrow_mut();
        out.write_all(text.as_bytes())?;
        out.flush()
    }

    /// Tells a person something that is not output.
    pub fn notice(&self, text: &str) {
        if !self.quiet.get() {
            // A notice that cannot be told is no reason to stop.
            let text = hang(text, self.room.get());
            let _ = writeln!(self.err.borrow_mut(), "{text}");
        }
    }

    /// Remembers a frame, and gives the number that it has from here on.
    pub fn remember(&self, entry: &Entry) -> u64 {
        let mut log = self.log.borrow_mut();
        let room = self.remembers.get();
        if log.len() >= room {
            let old = (room / 10).max(1).min(log.len());
            log.drain(..old);
            self.forgotten.set(self.forgotten.get() + old as u64);
        }
        let mut entry = entry.clone();
        if self.counts_on.get() {
            entry.number = self.forgotten.get() + log.len() as u64 + 1;
        }
        let number = entry.number;
        let step = self.step.borrow();
        if !step.is_empty() {
            let said = entry.comment.take().unwrap_or_else(|| summary(&entry));
            entry.comment = Some(format!("{step}: {said}"));
        }
        log.push(entry);
        number
    }

    /// The replies of the last exchange, and whatever else was received since the last frame that was
    /// sent.
    pub fn last_received(&self) -> Vec<Entry> {
        use crate::commands::outcome::Direction;
        let log = self.log.borrow();
        let start = log
            .iter()
            .rposition(|it| it.direction == Direction::Sent)
            .unwrap_or(0);
        log.iter()
            .skip(start)
            .filter(|it| it.direction == Direction::Received)
            .cloned()
            .collect()
    }
}

/// `print()` of the language writes to standard output.
impl PrintHandler for Host {
    fn println(&self, text: &str) -> starlark::Result<()> {
        self.print(&format!("{text}\n")).map_err(super::error)
    }
}
