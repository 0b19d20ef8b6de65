//! Records a link: every frame sent and received goes into a capture, in order, as it happens.

use std::cell::RefCell;
use std::rc::Rc;

use super::capture::{CaptureWriter, InterfaceInfo, Packet};
use super::forward::forward;
use super::{Link, LinkError, Received, Time};

/// A link whose frames are written down.
pub struct Recorder {
    inner: Box<dyn Link>,
    writer: Rc<RefCell<CaptureWriter>>,
    /// Its number among the interfaces of the capture.
    interface: u32,
    comment: Option<String>,
    /// Received, and written as soon as somebody said what it is or anything else happens.
    pending: Option<Packet>,
}

impl Recorder {
    /// Records `inner` into `writer`.
    pub fn new(inner: Box<dyn Link>, writer: CaptureWriter) -> Result<Self, LinkError> {
        Recorder::sharing(inner, Rc::new(RefCell::new(writer)), 0)
    }

    /// Records `inner` as the interface of this number into a capture that other links are recorded into too.
    pub fn sharing(
        inner: Box<dyn Link>,
        writer: Rc<RefCell<CaptureWriter>>,
        interface: u32,
    ) -> Result<Self, LinkError> {
        let info = InterfaceInfo::new(inner.name(), inner.link_type());
        writer.borrow_mut().declare(interface, &info)?;
        Ok(Recorder {
            inner,
            writer,
            interface,
            comment: None,
            pending: None,
        })
    }

    fn write_pending(&mut self) -> Result<(), LinkError> {
        if let Some(packet) = self.pending.take() {
            self.writer.borrow_mut().write(&packet)?;
        }
        Ok(())
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        // An error here has nobody left to be told to.
        let _ = self.write_pending();
    }
}

impl Link for Recorder {
    forward! { name mac link_type now is_virtual exhausted next_arrival socket health fate }

    fn send(&mut self, frame: &[u8]) -> Result<Time, LinkError> {
        self.write_pending()?;
        let at = self.inner.send(frame)?;
        let mut comment = self.comment.take();
        if let (Some(comment), Some(fate)) = (&mut comment, self.inner.fate()) {
            *comment += &format!(", {fate}");
        }
        self.writer.borrow_mut().write(&Packet {
            at,
            link_type: self.inner.link_type(),
            interface: self.interface,
            bytes: frame.to_vec(),
            original_len: frame.len() as u32,
            comment,
        })?;
        Ok(at)
    }

    fn recv(&mut self, until: Time) -> Result<Option<Received>, LinkError> {
        self.write_pending()?;
        let received = self.inner.recv(until)?;
        self.pending = received.as_ref().map(|it| Packet {
            at: it.at,
            link_type: self.inner.link_type(),
            interface: self.interface,
            bytes: it.bytes.clone(),
            original_len: it.original_len as u32,
            comment: None,
        });
        Ok(received)
    }

    fn describe_next(&mut self, comment: &str) {
        self.comment = Some(comment.to_string());
    }

    fn describe_last(&mut self, comment: &str) {
        if let Some(packet) = &mut self.pending {
            packet.comment = Some(comment.to_string());
            // Written now, not at the next frame: a killed run keeps what it has seen. The next
            // call of the link reports an error that is still there.
            if self.writer.borrow_mut().write(packet).is_ok() {
                self.pending = None;
            }
        }
    }
}
