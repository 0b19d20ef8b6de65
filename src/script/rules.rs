//! Rules of a server in the language: `on_discover(req)`, `on_request(req)` and so on.
//!
//! They run on a thread of their own, where their module lives as long as the server, so that what one
//! request leaves in a dictionary the next one finds.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use allocative::Allocative;
use starlark::starlark_simple_value;
use starlark::values::list::ListRef;
use starlark::values::tuple::TupleRef;
use starlark::values::{NoSerialize, ProvidesStaticType, StarlarkValue, Value, starlark_value};

use super::engine::{Engine, Module, ScriptError};
use super::host::Host;
use super::packet::Packet;
use super::ruler::{Ruler, TICK};
use crate::commands::Error;
use crate::commands::args::ColorChoice;
use crate::commands::session::{Failing, Session};
use crate::dhcp::Message;
use crate::dhcp::enums::{OFFER, message_type_name};
use crate::dhcp::template;
use crate::link::Time;
use crate::talk::{Outgoing, Rules};
use crate::view::Style;
use crate::wire::*;

/// A reply that waits before it is sent.
#[derive(Clone, Debug, ProvidesStaticType, NoSerialize, Allocative)]
pub struct Delayed {
    /// What is sent.
    pub packet: Packet,
    /// After how long.
    #[allocative(skip)]
    pub delay: Duration,
}

starlark_simple_value!(Delayed);

impl std::fmt::Display for Delayed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "delay({}, {})", self.delay.as_secs_f64(), self.packet)
    }
}

#[starlark_value(type = "delayed")]
impl<'v> StarlarkValue<'v> for Delayed {}

/// The other end's part of the conversation between the server and its rules.
pub(super) enum Question {
    /// Decide about this request.
    Request(Time, Frame),
    /// What was asked for.
    Answer(Option<Frame>),
}

/// The rules' part.
pub(super) enum Said {
    /// The server's own answer is wanted.
    Own(Frame),
    /// Its reply of this message type is wanted.
    Reply(u8, Frame),
    /// What is sent.
    Decided(Option<Vec<Outgoing>>),
    /// The rules ended in an error.
    Failed(ScriptError),
}

/// The server, as functions of running rules ask it.
pub struct Line {
    questions: Receiver<Question>,
    said: Sender<Said>,
}

impl Line {
    fn ask(&self, what: Said) -> Option<Frame> {
        self.said.send(what).ok()?;
        match self.questions.recv() {
            Ok(Question::Answer(frame)) => frame,
            _ => None,
        }
    }

    /// The server's own answer to a request.
    pub fn own(&self, request: Frame) -> Option<Frame> {
        self.ask(Said::Own(request))
    }

    /// The server's reply of this message type to a request.
    pub fn reply(&self, message_type: u8, request: Frame) -> Option<Frame> {
        self.ask(Said::Reply(message_type, request))
    }
}

pub(super) fn failure(error: ScriptError) -> Error {
    Error::Script {
        text: error.text,
        exit_code: error.exit_code,
    }
}

/// Reads the rules of a file. What they print goes to standard error.
pub fn read(path: &Path, seed: u64, failing: Failing) -> Result<Box<dyn Rules>, Error> {
    let source = std::fs::read_to_string(path).map_err(|it| Error::file(path, it))?;
    let name = path.display().to_string();
    let (questions, asked) = channel();
    let (said, heard) = channel();
    let (ready, begun) = channel();
    let line = Line {
        questions: asked,
        said,
    };
    let stop = Arc::new(AtomicBool::new(false));
    let (file, stopped) = (name.clone(), stop.clone());
    let spawned = std::thread::Builder::new().spawn(move || {
        let session = Session::new(Some(seed), stopped);
        let err = || Box::new(std::io::stderr());
        let style = Style::detect(ColorChoice::Never, false);
        let host = Host::new(session, err(), err(), style);
        *host.server.borrow_mut() = Some(line);
        serve(&host, &name, &source, &ready);
    });
    spawned.map_err(|it| Error::file(path, it))?;
    let ready = loop {
        match begun.recv_timeout(TICK) {
            Err(RecvTimeoutError::Timeout) if failing.over() => stop.store(true, Ordering::Relaxed),
            Err(RecvTimeoutError::Timeout) => {}
            ready => break ready,
        }
    };
    match ready {
        Ok(Ok(())) => Ok(Box::new(Ruler {
            file,
            questions,
            said: heard,
            failing,
            stop,
            remark: None,
        })),
        Ok(Err(error)) => Err(failure(error)),
        Err(_) => Err(Error::file(path, "the rules ended before they began")),
    }
}

/// Requests after which what the rules left behind is cleared away.
const COLLECT: u32 = 1_000;

fn serve(host: &Host, name: &str, source: &str, ready: &Sender<Result<(), ScriptError>>) {
    let engine = Engine::new(host);
    Module::with_temp_heap(|module| {
        let begun = engine.run(&module, name, source).map(|_| ());
        let begun = begun.and_then(|()| check(&module, name));
        let failed = begun.is_err();
        if ready.send(begun).is_err() || failed {
            return;
        }
        let mut since = 0;
        while let Some((now, request)) = next(host) {
            let decided = match decide(&engine, &module, now, &request) {
                Ok(decision) => Said::Decided(decision),
                Err(error) => Said::Failed(error),
            };
            let failed = matches!(decided, Said::Failed(_));
            let line = host.server.borrow();
            if line
                .as_ref()
                .is_none_or(|it| it.said.send(decided).is_err())
                || failed
            {
                return;
            }
            since += 1;
            if since == COLLECT {
                since = 0;
                engine.collect(&module);
            }
        }
    });
}

fn next(host: &Host) -> Option<(Time, Frame)> {
    let line = host.server.borrow();
    match line.as_ref()?.questions.recv() {
        Ok(Question::Request(now, frame)) => Some((now, frame)),
        _ => None,
    }
}

/// The function for a message type: `on_discover`, `on_bootp` for a message without one.
fn function_for(message_type: Option<u8>) -> String {
    let name = match message_type {
        None => "bootp".to_string(),
        Some(it) => message_type_name(it).map_or(it.to_string(), str::to_string),
    };
    format!("on_{}", name.replace('-', "_"))
}

/// What is called where there is no function for the message's type.
const ANY: &str = "on_message";

/// Whether every rule is one that will be called, and there is any.
fn check(module: &Module, name: &str) -> Result<(), ScriptError> {
    let known: Vec<String> = (0..=u8::MAX)
        .filter(|it| message_type_name(*it).is_some() && template::from_client(*it))
        .map(|it| function_for(Some(it)))
        .chain([function_for(None), ANY.to_string()])
        .collect();
    let wrong = |text| {
        Err(ScriptError {
            text: format!("{name}: {text}"),
            exit_code: 2,
            why: Box::default(),
        })
    };
    let names: Vec<String> = module.names().map(|it| it.as_str().to_string()).collect();
    let mut rules = names.iter().filter(|it| it.starts_with("on_")).peekable();
    if rules.peek().is_none() {
        return wrong(format!(
            "no rules: a function on_discover(req), on_request(req) and so on is called for each message of its type, {ANY}(req) for all others"
        ));
    }
    match rules.find(|it| !known.contains(it)) {
        Some(it) => {
            let near = super::did_you_mean(it, known.iter().map(String::as_str));
            wrong(format!(
                "`{it}` is no rule{near}; there are {}",
                known.join(", ")
            ))
        }
        None => Ok(()),
    }
}

fn decide(
    engine: &Engine,
    module: &Module,
    now: Time,
    request: &Frame,
) -> Result<Option<Vec<Outgoing>>, ScriptError> {
    let message_type = Message::of(request).and_then(|it| it.message_type());
    let name = function_for(message_type);
    let function = module.get(&name).map(|it| (it, name));
    let Some((function, name)) = function.or_else(|| Some((module.get(ANY)?, ANY.to_string())))
    else {
        return Ok(None);
    };
    let packet = Packet::of_frame(request, Some(now), None);
    let value = engine.call(module, function, &[module.heap().alloc(packet)])?;
    let mut replies = Vec::new();
    gather(value, request, engine.host(), &mut replies).map_err(|text| ScriptError {
        text: format!("{name}: {text}"),
        exit_code: 1,
        why: Box::default(),
    })?;
    Ok(Some(replies))
}

/// The replies that a rule's value means: none, one, several.
fn gather(
    value: Value,
    request: &Frame,
    host: &Host,
    replies: &mut Vec<Outgoing>,
) -> Result<(), String> {
    let items: Vec<Value> = match (ListRef::from_value(value), TupleRef::from_value(value)) {
        _ if value.is_none() => return Ok(()),
        (Some(list), _) => list.iter().collect(),
        (_, Some(tuple)) => tuple.iter().collect(),
        _ => vec![value],
    };
    for it in items {
        let (packet, delay) = match (Packet::from_value(it), Delayed::from_value(it)) {
            (Some(packet), _) => (packet, Duration::ZERO),
            (_, Some(it)) => (&it.packet, it.delay),
            _ if it.is_none() => continue,
            _ => {
                return Err(format!(
                    "a rule gives a packet, a list of them, delay(seconds, packet), or None, not {}",
                    it.get_type()
                ));
            }
        };
        let frame = completed(packet, request, host);
        let note = Message::of(&frame).map_or("reply".into(), |it| it.type_name().into_owned());
        let done = packet.comment().filter(|it| !it.is_empty());
        let done = done.map_or(String::new(), |it| format!(", {it}"));
        replies.push(Outgoing {
            frame,
            delay,
            note: format!("{note}, by a rule{done}"),
        });
    }
    Ok(())
}

/// The frame of a reply. Headers that a packet lacks below its first layer are those of the server's
/// reply to the request.
fn completed(packet: &Packet, request: &Frame, host: &Host) -> Frame {
    let frame = packet.frame();
    let first = packet.layers().layers.first().map(|it| it.class.name);
    if matches!(first, Some("Ether" | "Raw") | None) {
        return frame;
    }
    let line = host.server.borrow();
    let pattern = line
        .as_ref()
        .and_then(|it| it.reply(OFFER, request.clone()));
    let Some(mut pattern) = pattern else {
        return frame;
    };
    pattern.relax();
    let begins = |it: &Layer| match first {
        Some("IP") => matches!(it, Layer::Ipv4(_)),
        Some("UDP") => matches!(it, Layer::Udp(_)),
        Some("BOOTP") => matches!(it, Layer::Bootp(_)),
        Some("ARP") => !matches!(it, Layer::Ether(_) | Layer::Dot1Q(_)),
        _ => false,
    };
    match pattern.layers.iter().position(begins) {
        Some(at) => {
            pattern.layers.truncate(at);
            pattern.layers.extend(frame.layers);
            pattern
        }
        None => frame,
    }
}
