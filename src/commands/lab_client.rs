//! The lab with a client in place of the server: the client of this program on a machine of its own.

use std::net::Ipv4Addr;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::subject::{Act, Subject};
use super::{Error, lab};
use crate::link::segment::{Quality, Segment};
use crate::talk::{Habit, Machine, Order, Seated};

/// The address of a client that asks with INFORM.
const OWN: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 77);

/// The machine on the lab's segment, as the client under test.
pub struct LabSubject(Machine);

impl Subject for LabSubject {
    fn knows(&self, _act: Act) -> bool {
        true
    }

    fn act(&mut self, act: Act) -> Result<(), Error> {
        self.0.tell(match act {
            Act::Start => Order::Start,
            Act::Restart => Order::Restart,
            Act::Release => Order::Release,
            Act::Inform => Order::Inform(OWN),
        });
        Ok(())
    }

    fn stop(&mut self, _gently: bool) {
        self.0.tell(Order::Off);
    }

    fn ended(&mut self) -> Option<String> {
        None
    }
}

/// The lab with a client that has this habit.
pub fn open(name: &str, seed: u64, habit: Box<dyn Habit>) -> Result<(Segment, LabSubject), Error> {
    if name != "lab" {
        return Err(Error::Usage(format!(
            "`{name}` is a cast of servers; a client is checked in `lab`, or on an interface with -i IFACE"
        )));
    }
    let mut segment = Segment::new(name, seed, Quality::default());
    let chance = ChaCha8Rng::seed_from_u64(seed);
    let machine = Machine::new(lab::MACHINE_MAC, chance, habit);
    segment.seat(Box::new(Seated(machine.clone())));
    Ok((segment, LabSubject(machine)))
}
