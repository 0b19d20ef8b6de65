//! What a link that wraps another one passes on as it is.

/// The named methods of [`Link`](super::Link), each handed to the field `inner`.
macro_rules! forward {
    (@ name) => {
        fn name(&self) -> &str {
            self.inner.name()
        }
    };
    (@ mac) => {
        fn mac(&self) -> Option<pnet::util::MacAddr> {
            self.inner.mac()
        }
    };
    (@ link_type) => {
        fn link_type(&self) -> u32 {
            self.inner.link_type()
        }
    };
    (@ send) => {
        fn send(&mut self, frame: &[u8]) -> Result<$crate::link::Time, $crate::link::LinkError> {
            self.inner.send(frame)
        }
    };
    (@ recv) => {
        fn recv(
            &mut self,
            until: $crate::link::Time,
        ) -> Result<Option<$crate::link::Received>, $crate::link::LinkError> {
            self.inner.recv(until)
        }
    };
    (@ now) => {
        fn now(&self) -> $crate::link::Time {
            self.inner.now()
        }
    };
    (@ is_virtual) => {
        fn is_virtual(&self) -> bool {
            self.inner.is_virtual()
        }
    };
    (@ exhausted) => {
        fn exhausted(&self) -> bool {
            self.inner.exhausted()
        }
    };
    (@ next_arrival) => {
        fn next_arrival(&self) -> Option<$crate::link::Time> {
            self.inner.next_arrival()
        }
    };
    (@ socket) => {
        fn socket(&self) -> Option<std::rc::Rc<std::os::fd::OwnedFd>> {
            self.inner.socket()
        }
    };
    (@ health) => {
        fn health(&mut self) -> $crate::link::Health {
            self.inner.health()
        }
    };
    (@ fate) => {
        fn fate(&self) -> Option<&'static str> {
            self.inner.fate()
        }
    };
    (@ describe_next) => {
        fn describe_next(&mut self, comment: &str) {
            self.inner.describe_next(comment);
        }
    };
    (@ describe_last) => {
        fn describe_last(&mut self, comment: &str) {
            self.inner.describe_last(comment);
        }
    };
    ($($method:ident)+) => {
        $($crate::link::forward::forward!(@ $method);)+
    };
}

pub(super) use forward;
