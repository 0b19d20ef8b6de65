//! Rules that decide what a server answers, in place of RFC 2131 section 4.3.

use super::player::Outgoing;
use crate::link::Time;
use crate::wire::Frame;

/// A server as rules see it: what it would say.
pub trait Answering {
    /// Its own answer to a request; `None` where it would be silent.
    fn own(&mut self, request: &Frame) -> Option<Frame>;
    /// A reply of this message type, whether it is fit or not. `None` where the request is none, or the type no
    /// server's.
    fn reply(&mut self, message_type: u8, request: &Frame) -> Option<Frame>;
}

/// What decides in the server's place.
pub trait Rules {
    /// What is sent for a request: addresses given in it are bound, or kept as for an offer. `None` where no rule is about it, and the server answers by itself.
    fn answer(
        &mut self,
        now: Time,
        request: &Frame,
        server: &mut dyn Answering,
    ) -> Option<Vec<Outgoing>>;

    /// What there is to say of the last request, once: why nothing is sent for it.
    fn remark(&mut self) -> Option<String> {
        None
    }
}
