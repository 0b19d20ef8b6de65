//! A machine with a client on it: it is switched on and off, begins again whatever comes, remembers its
//! lease, and gives it back when told.

use std::cell::RefCell;
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};

use super::client::{Choose, Client, ClientConfig, ClientEnd, Hold};
use super::matching::{Verdict, checksum_fault};
use super::player::{Outbox, Outgoing, Player};
use super::sender::{Sender, SenderConfig};
use crate::dhcp::Message;
use crate::dhcp::assign::Assignment;
use crate::dhcp::enums::{DISCOVER, INFORM, RELEASE};
use crate::dhcp::template::{self, Draft, Identity};
use crate::link::Time;
use crate::wire::{Frame, MacAddr};

/// What a machine is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Switch on, with nothing remembered.
    Start,
    /// Switch on with the lease it had.
    Restart,
    /// Give the lease back and be quiet.
    Release,
    /// Switch on with an address of its own, and ask for the rest with INFORM.
    Inform(Ipv4Addr),
    /// Switch off.
    Off,
}

/// What a client has that others do not: it changes what it is configured with, when it begins, what it
/// sends, and what reaches it. By itself it changes nothing.
pub trait Habit {
    /// The machine is told to do something else; what was before is over.
    fn told(&mut self, _order: Order) {}

    /// Changes what the client is to do.
    fn configure(&mut self, _config: &mut ClientConfig) {}

    /// How long the client waits before it begins, in place of the usual one to ten seconds.
    fn patience(&mut self, usual: Duration) -> Duration {
        usual
    }

    /// What leaves in place of a frame.
    fn send(&mut self, _now: Time, it: Outgoing) -> Vec<Outgoing> {
        vec![it]
    }

    /// What reaches the client in place of a frame. What the habit says to it by itself goes to `out`.
    fn hear(&mut self, _now: Time, frame: Frame, _out: &mut Outbox) -> Option<Frame> {
        Some(frame)
    }
}

/// A client without habits of its own.
pub struct Plain;

impl Habit for Plain {}

/// How long a REQUEST is repeated before the client begins again (RFC 2131 section 3.1: four tries).
const REQUESTING: Duration = Duration::from_secs(60);
/// A client waits one to ten seconds before it begins (RFC 2131 section 4.4.1).
const AT_LEAST: Duration = Duration::from_secs(1);
const SPREAD: Duration = Duration::from_secs(9);
/// Frames that wait for their time at most.
const LATER: usize = 256;
/// How long a client that is held holds its lease: as long as it can.
const EVER: Duration = Duration::from_secs(u32::MAX as u64 * 2);

enum Running {
    Nothing,
    /// A client that begins at a time.
    Waiting(Box<Client>, Time),
    Client(Box<Client>),
    Informing(Box<Sender>),
}

/// A machine. Clones are handles on the same one, so that one end sits on a segment and the other tells
/// it what to do.
#[derive(Clone)]
pub struct Machine(Rc<RefCell<Inside>>);

struct Inside {
    mac: MacAddr,
    chance: ChaCha8Rng,
    habit: Box<dyn Habit>,
    running: Running,
    /// The ACK of its lease.
    lease: Option<Frame>,
    order: Option<Order>,
    /// What is to leave later, and when; it does not where the machine is told something else before.
    later: Vec<(Time, Outgoing)>,
}

impl Machine {
    /// A machine that is off.
    pub fn new(mac: MacAddr, chance: ChaCha8Rng, habit: Box<dyn Habit>) -> Machine {
        Machine(Rc::new(RefCell::new(Inside {
            mac,
            chance,
            habit,
            running: Running::Nothing,
            lease: None,
            order: None,
            later: Vec::new(),
        })))
    }

    /// Tells it what to do, as soon as time goes on.
    pub fn tell(&self, order: Order) {
        self.0.borrow_mut().order = Some(order);
    }
}

impl Inside {
    fn identity(&mut self) -> Identity {
        Identity {
            client_mac: self.mac,
            source_mac: self.mac,
            xid: self.chance.next_u32(),
            address: None,
            server: None,
            own: None,
            server_mac: None,
        }
    }

    /// Has a client begin, after a while by chance.
    fn begin(&mut self, now: Time, remembered: Option<Frame>) {
        let mut config = ClientConfig {
            identity: self.identity(),
            build: Rc::new(build),
            choose: Choose::First,
            collect: Duration::ZERO,
            tries: u32::MAX,
            timeout: EVER,
            probe: true,
            restarts: u32::MAX,
            hold: Some(Hold {
                length: EVER,
                scale: 1.0,
            }),
            remembered,
        };
        self.habit.configure(&mut config);
        let chance = ChaCha8Rng::seed_from_u64(self.chance.next_u64());
        let part = f64::from(self.chance.next_u32()) / f64::from(u32::MAX);
        let at = now + self.habit.patience(AT_LEAST + SPREAD.mul_f64(part));
        self.running = Running::Waiting(Box::new(Client::new(config, chance)), at);
    }

    fn obey(&mut self, now: Time, order: Order, out: &mut Outbox) {
        self.habit.told(order);
        self.later.clear();
        match order {
            Order::Start => {
                self.lease = None;
                self.begin(now, None);
            }
            Order::Restart => {
                let lease = self.lease.take();
                self.begin(now, lease);
            }
            Order::Release => {
                self.running = Running::Nothing;
                let who = self.identity();
                let lease = self.lease.take();
                if let Some(message) = lease.as_ref().and_then(Message::of) {
                    let ether = lease.as_ref().and_then(Frame::ether);
                    let who = template::holder(message, ether, &who);
                    out.send(build(template::fresh(RELEASE, &who)), "RELEASE");
                }
            }
            Order::Inform(own) => {
                let mut who = self.identity();
                (who.address, who.own) = (Some(own), Some(own));
                let config = SenderConfig {
                    frames: vec![build(template::fresh(INFORM, &who))],
                    interval: Duration::ZERO,
                    tries: 4,
                    timeout: REQUESTING,
                    first: true,
                    count_secs: true,
                };
                let chance = ChaCha8Rng::seed_from_u64(self.chance.next_u64());
                let mut sender = Sender::new(config, chance);
                sender.wake(now, out);
                self.running = Running::Informing(Box::new(sender));
            }
            Order::Off => self.running = Running::Nothing,
        }
    }

    /// Looks what became of the client, and has it begin again where it ended.
    fn look(&mut self, now: Time) {
        let Running::Client(client) = &self.running else {
            return;
        };
        self.lease = client.lease().cloned().or(self.lease.take());
        let in_vain = client
            .requesting_since()
            .is_some_and(|since| now >= since + REQUESTING);
        match client.end() {
            Some(ClientEnd::Bound(_)) => self.running = Running::Nothing,
            Some(_) => {
                self.lease = None;
                self.begin(now, None);
            }
            None if in_vain => self.begin(now, None),
            None => {}
        }
    }

    /// Sends what the habit makes of it.
    fn pass(&mut self, now: Time, from: Outbox, out: &mut Outbox) {
        for it in from.frames {
            for it in self.habit.send(now, it) {
                self.leave(now, it, out);
            }
        }
    }

    fn leave(&mut self, now: Time, it: Outgoing, out: &mut Outbox) {
        match it.delay {
            Duration::ZERO => out.frames.push(it),
            delay if self.later.len() < LATER => self.later.push((now + delay, it)),
            _ => {}
        }
    }

    /// Sends what was to leave by now.
    fn catch_up(&mut self, now: Time, out: &mut Outbox) {
        let due = |it: &(Time, Outgoing)| it.0 <= now;
        let mut due: Vec<_> = self.later.extract_if(.., |it| due(it)).collect();
        due.sort_by_key(|it| it.0);
        out.frames.extend(due.into_iter().map(|(_, it)| Outgoing {
            delay: Duration::ZERO,
            ..it
        }));
    }
}

/// A message of the machine's: a DISCOVER asks for the lease at once (RFC 4039).
fn build(mut draft: Draft) -> Frame {
    if draft.data(53) == Some(&[DISCOVER]) {
        draft.put(Assignment {
            code: 80,
            data: Vec::new(),
        });
    }
    draft.frame()
}

impl Player for Machine {
    fn receive(
        &mut self,
        now: Time,
        frame: &Frame,
        fault: Option<&str>,
        out: &mut Outbox,
    ) -> Option<Verdict> {
        let mut inside = self.0.borrow_mut();
        let mut own = Outbox::default();
        let frame = inside.habit.hear(now, frame.clone(), &mut own);
        for it in own.frames {
            inside.leave(now, it, out);
        }
        let frame = frame?;
        // A habit may mend what was damaged.
        let fault = fault.filter(|_| checksum_fault(&frame, false).is_some());
        let mut said = Outbox::default();
        let verdict = match &mut inside.running {
            Running::Client(client) => client.receive(now, &frame, fault, &mut said),
            Running::Informing(sender) => sender.receive(now, &frame, fault, &mut said),
            Running::Waiting(..) | Running::Nothing => None,
        };
        inside.pass(now, said, out);
        inside.look(now);
        verdict
    }

    fn wake(&mut self, now: Time, out: &mut Outbox) {
        let mut inside = self.0.borrow_mut();
        let mut said = Outbox::default();
        if let Some(order) = inside.order.take() {
            inside.obey(now, order, &mut said);
        }
        inside.catch_up(now, out);
        if matches!(&inside.running, Running::Waiting(_, at) if *at <= now)
            && let Running::Waiting(client, _) =
                std::mem::replace(&mut inside.running, Running::Nothing)
        {
            inside.running = Running::Client(client);
        }
        match &mut inside.running {
            Running::Client(client) if client.deadline().is_some_and(|at| at <= now) => {
                client.wake(now, &mut said);
            }
            Running::Informing(sender) if sender.deadline().is_some_and(|at| at <= now) => {
                sender.wake(now, &mut said);
            }
            _ => {}
        }
        inside.pass(now, said, out);
        inside.look(now);
    }

    fn deadline(&self) -> Option<Time> {
        let inside = self.0.borrow();
        if inside.order.is_some() {
            return Some(Time::default());
        }
        let later = inside.later.iter().map(|it| it.0).min();
        let running = match &inside.running {
            Running::Nothing => None,
            Running::Waiting(_, at) => Some(*at),
            Running::Client(client) => {
                let in_vain = client.requesting_since().map(|it| it + REQUESTING);
                [client.deadline(), in_vain].into_iter().flatten().min()
            }
            Running::Informing(sender) => sender.deadline().filter(|_| !sender.done()),
        };
        [running, later].into_iter().flatten().min()
    }
}
