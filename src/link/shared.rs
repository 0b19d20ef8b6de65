//! A link that several owners hold one after the other: a conversation goes on where it was, on the
//! same socket and the same clock.

use std::cell::RefCell;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use pnet::util::MacAddr;

use super::{Health, Link, LinkError, Received, Time};

/// A handle on a link; clones are handles on the same one.
#[derive(Clone)]
pub struct SharedLink {
    name: Rc<str>,
    inner: Rc<RefCell<Box<dyn Link>>>,
}

impl SharedLink {
    /// Shares a link.
    pub fn new(link: Box<dyn Link>) -> Self {
        SharedLink {
            name: link.name().into(),
            inner: Rc::new(RefCell::new(link)),
        }
    }

    /// Throws away what arrived while nobody listened, so that it is not taken for an answer.
    pub fn drain(&mut self) -> Result<(), LinkError> {
        // On a virtual clock nothing happens while nobody listens.
        if self.is_virtual() {
            return Ok(());
        }
        let now = self.now();
        while self.recv(now)?.is_some_and(|it| it.at <= now) {}
        Ok(())
    }
}

impl Link for SharedLink {
    fn name(&self) -> &str {
        &self.name
    }

    fn mac(&self) -> Option<MacAddr> {
        self.inner.borrow().mac()
    }

    fn link_type(&self) -> u32 {
        self.inner.borrow().link_type()
    }

    fn send(&mut self, frame: &[u8]) -> Result<Time, LinkError> {
        self.inner.borrow_mut().send(frame)
    }

    fn recv(&mut self, until: Time) -> Result<Option<Received>, LinkError> {
        self.inner.borrow_mut().recv(until)
    }

    fn now(&self) -> Time {
        self.inner.borrow().now()
    }

    fn is_virtual(&self) -> bool {
        self.inner.borrow().is_virtual()
    }

    fn exhausted(&self) -> bool {
        self.inner.borrow().exhausted()
    }

    fn next_arrival(&self) -> Option<Time> {
        self.inner.borrow().next_arrival()
    }

    fn socket(&self) -> Option<Rc<OwnedFd>> {
        self.inner.borrow().socket()
    }

    fn health(&mut self) -> Health {
        self.inner.borrow_mut().health()
    }

    fn fate(&self) -> Option<&'static str> {
        self.inner.borrow().fate()
    }

    fn describe_next(&mut self, comment: &str) {
        self.inner.borrow_mut().describe_next(comment);
    }

    fn describe_last(&mut self, comment: &str) {
        self.inner.borrow_mut().describe_last(comment);
    }
}
