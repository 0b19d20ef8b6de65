//! Puts a label before what is said of each frame, so that a recording tells whose frames they are.

use std::cell::RefCell;
use std::rc::Rc;

use super::Link;
use super::forward::forward;

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
    forward! { name mac link_type send recv now is_virtual exhausted next_arrival socket health fate }

    fn describe_next(&mut self, comment: &str) {
        self.inner.describe_next(&self.label.put(comment));
    }

    fn describe_last(&mut self, comment: &str) {
        self.inner.describe_last(&self.label.put(comment));
    }
}
