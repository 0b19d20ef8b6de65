//! Puts a label before what is said of each frame, so that a recording tells whose frames they are.

use std::cell::RefCell;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use pnet::util::MacAddr;

use super::{Health, Link, LinkError, Received, Time};

/// The label in force; clones are handles on the same one.
#[derive(Clone, Debug, Default)]
pub struct Label(Rc<RefCell<String>>);

impl Label {
    /// Labels the frames from here on; an empty text labels none.
    pub fn set(&self, text: &str) {
        *self.0.borrow_mut() = text.to_string();
    }

    fn put(&self, comment: &str) -> String {
        let label = self.0.borrow();
        match label.is_empty() {
            true => comment.to_string(),
            false => format!("{label}: {comment}"),
        }
    }
}

/// A link whose frames are labelled.
pub struct Labelled {
    inner: Box<dyn Link>,
    label: Label,
}

impl Labelled {
    /// Labels the frames of `inner`.
    pub fn new(inner: Box<dyn Link>, label: Label) -> Self {
        Labelled { inner, label }
    }
}

impl Link for Labelled {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn mac(&self) -> Option<MacAddr> {
        self.inner.mac()
    }

    fn link_type(&self) -> u32 {
        self.inner.link_type()
    }

    fn send(&mut self, frame: &[u8]) -> Result<Time, LinkError> {
        self.inner.send(frame)
    }

    fn recv(&mut self, until: Time) -> Result<Option<Received>, LinkError> {
        self.inner.recv(until)
    }

    fn now(&self) -> Time {
        self.inner.now()
    }

    fn is_virtual(&self) -> bool {
        self.inner.is_virtual()
    }

    fn exhausted(&self) -> bool {
        self.inner.exhausted()
    }

    fn next_arrival(&self) -> Option<Time> {
        self.inner.next_arrival()
    }

    fn socket(&self) -> Option<Rc<OwnedFd>> {
        self.inner.socket()
    }

    fn health(&mut self) -> Health {
        self.inner.health()
    }

    fn describe_next(&mut self, comment: &str) {
        self.inner.describe_next(&self.label.put(comment));
    }

    fn describe_last(&mut self, comment: &str) {
        self.inner.describe_last(&self.label.put(comment));
    }
}
