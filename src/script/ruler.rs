//! The server's end of its rules: it asks them, and does not wait longer than the run and a client would.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use super::rules::{Question, Said, failure};
use crate::commands::Error;
use crate::commands::session::Failing;
use crate::dhcp::Message;
use crate::link::Time;
use crate::talk::{Answering, Outgoing, Rules};
use crate::wire::Frame;

/// How long a rule may take: no client waits longer, and meanwhile the server is deaf.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often a rule that takes long is asked whether the run is over.
pub(super) const TICK: Duration = Duration::from_millis(20);

/// The server's end of a thread that runs rules.
pub struct Ruler {
    /// The file of the rules.
    pub(super) file: String,
    pub(super) questions: Sender<Question>,
    pub(super) said: Receiver<Said>,
    pub(super) failing: Failing,
    /// Has what runs on the thread end.
    pub(super) stop: Arc<AtomicBool>,
    pub(super) remark: Option<&'static str>,
}

/// How the wait for rules ended.
enum Heard {
    Said(Said),
    /// The run is over.
    Over,
    /// They took too long.
    Late,
    /// They are there no more.
    Gone,
}

impl Ruler {
    /// What the rules say of a request that came at `since`.
    fn hear(&self, since: Instant) -> Heard {
        loop {
            // Also of rules that have much to ask.
            let taken = since.elapsed();
            if taken >= TICK && self.failing.over() {
                return Heard::Over;
            }
            if taken >= PATIENCE {
                return Heard::Late;
            }
            match self.said.recv_timeout(TICK) {
                Ok(said) => return Heard::Said(said),
                Err(RecvTimeoutError::Disconnected) => return Heard::Gone,
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// What there is to say of a rule that took too long for this request.
    fn late(&self, request: &Frame) -> Error {
        let message = Message::of(request);
        let kind = message.map_or("message".into(), |it| it.type_name());
        let (file, limit) = (&self.file, PATIENCE.as_secs());
        Error::Script {
            text: format!(
                "{file}: the rule for this {kind} did not return in {limit} s; what is to be sent later is \
                 delay(seconds, packet)"
            ),
            exit_code: 1,
        }
    }

    /// Nothing is sent for a request, for this reason.
    fn silent(&mut self, why: &'static str) -> Option<Vec<Outgoing>> {
        self.remark = Some(why);
        Some(Vec::new())
    }
}

const FAILED: &str = "not answered: the rule failed";
const UNFINISHED: &str = "not answered: the rule was still running when the run ended";

impl Rules for Ruler {
    fn answer(
        &mut self,
        now: Time,
        request: &Frame,
        server: &mut dyn Answering,
    ) -> Option<Vec<Outgoing>> {
        self.remark = None;
        // Rules that run on after the run's end are not asked any more.
        if self.stop.load(Ordering::Relaxed) {
            return self.silent(UNFINISHED);
        }
        let since = Instant::now();
        let mut question = Question::Request(now, request.clone());
        loop {
            // Rules that ended in an error have told so; nothing is sent any more.
            if self.questions.send(question).is_err() {
                return self.silent(FAILED);
            }
            question = Question::Answer(match self.hear(since) {
                Heard::Said(Said::Own(request)) => server.own(&request),
                Heard::Said(Said::Reply(message_type, request)) => {
                    server.reply(message_type, &request)
                }
                Heard::Said(Said::Decided(decision)) => return decision,
                Heard::Said(Said::Failed(error)) => {
                    self.failing.fail(failure(error));
                    return self.silent(FAILED);
                }
                Heard::Over => {
                    self.stop.store(true, Ordering::Relaxed);
                    return self.silent(UNFINISHED);
                }
                Heard::Late => {
                    self.stop.store(true, Ordering::Relaxed);
                    self.failing.fail(self.late(request));
                    return self.silent(FAILED);
                }
                Heard::Gone => return self.silent(FAILED),
            });
        }
    }

    fn remark(&mut self) -> Option<String> {
        self.remark.take().map(str::to_string)
    }
}
