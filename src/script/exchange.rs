//! What a command gave, as a value of the language.

use std::fmt;
use std::sync::Arc;

use allocative::Allocative;
use starlark::environment::{Methods, MethodsBuilder};
use starlark::eval::Evaluator;
use starlark::values::none::NoneType;
use starlark::values::{
    Heap, NoSerialize, ProvidesStaticType, StarlarkValue, Value, starlark_value,
};
use starlark::{methods_static, starlark_module, starlark_simple_value};

use super::options::of_json;
use super::packet::Packet;
use super::{error, host};
use crate::commands::outcome::{Direction, Ending, Entry, Observation, Sink, Verdict};
use crate::commands::{Command, Outcome};
use crate::dhcp::Message;
use crate::dhcp::enums::NAK;
use crate::view::{Format, View, cause_json, client_json, summary};

/// What was sent and received, and how it ended.
#[derive(Clone, Debug, ProvidesStaticType, NoSerialize, Allocative)]
pub struct Exchange(#[allocative(skip)] Arc<Run>);

/// What a command yielded.
#[derive(Clone, Debug, Default)]
pub struct Yielded {
    /// The frames.
    pub entries: Vec<Entry>,
    /// Where they were grouped: the clients.
    pub seen: Option<Observation>,
}

#[derive(Debug)]
struct Run {
    yielded: Yielded,
    ending: Ending,
    /// The format its command prints in.
    format: Format,
}

starlark_simple_value!(Exchange);

/// A packet of an entry.
pub fn packet_of(entry: &Entry) -> Packet {
    Packet::of_frame(&entry.frame, Some(entry.at), entry.comment.clone())
}

impl Exchange {
    /// What a command that yielded this gave.
    pub fn new(yielded: Yielded, ending: Ending, format: Format) -> Self {
        Exchange(Arc::new(Run {
            yielded,
            ending,
            format,
        }))
    }

    /// All entries.
    pub fn entries(&self) -> &[Entry] {
        &self.0.yielded.entries
    }

    /// How it ended.
    pub fn ending(&self) -> &Ending {
        &self.0.ending
    }

    /// The answers: of an exchange the replies that belong to it, else the frames read or built.
    pub fn replies(&self) -> impl Iterator<Item = &Entry> {
        replies(&self.0.yielded.entries)
    }

    /// The answer: the first reply, of a handshake the last one, of a refusal the NAK. None where the last
    /// message was not answered, whatever came before.
    pub fn answer(&self) -> Option<&Entry> {
        answer(&self.0.yielded.entries, &self.0.ending)
    }

    /// The message that began it.
    pub fn first_sent(&self) -> Option<&Entry> {
        let mut entries = self.0.yielded.entries.iter();
        entries.find(|it| it.direction == Direction::Sent && it.frame.bootp().is_some())
    }

    /// Prints it as its command would.
    pub fn print(&self, view: &mut View) -> Result<(), crate::commands::Error> {
        for entry in &self.0.yielded.entries {
            view.entry(entry)?;
        }
        if let Some(seen) = &self.0.yielded.seen {
            view.observation(seen)?;
        }
        view.outcome(&Outcome::Ran(self.0.ending.clone()))
    }

    /// The format its command prints in.
    pub fn format(&self) -> Format {
        self.0.format
    }
}

/// The answer among the entries of an exchange that ended so.
pub fn answer<'a>(entries: &'a [Entry], ending: &Ending) -> Option<&'a Entry> {
    let kind = |it: &Entry| Message::of(&it.frame).map(|it| it.message_type());
    let mut replies = replies(entries);
    match ending {
        Ending::NoReply(_) => None,
        Ending::Refused(_) => replies.rfind(|it| kind(it) == Some(Some(NAK))),
        // ARP and ping answer other questions.
        Ending::Bound | Ending::Stopped | Ending::Declined { .. } => {
            replies.rfind(|it| kind(it).is_some())
        }
        Ending::Done | Ending::Interrupted => replies.next(),
    }
}

/// The answers among entries. Where messages were sent, an answer to ARP or ping is none: that was asked on the way.
pub fn replies(entries: &[Entry]) -> impl DoubleEndedIterator<Item = &Entry> {
    let of_messages = entries
        .iter()
        .any(|it| it.direction == Direction::Sent && it.frame.bootp().is_some());
    let beside = move |it: &Entry| {
        of_messages && it.direction == Direction::Received && it.frame.bootp().is_none()
    };
    entries.iter().filter(move |it| is_reply(it) && !beside(it))
}

/// Whether an entry by itself may be one of an exchange's answers.
fn is_reply(entry: &Entry) -> bool {
    match entry.direction {
        Direction::Sent => false,
        Direction::Received => {
            entry.verdict == Verdict::Part && entry.frame.bootp().is_none_or(|it| it.op != 1)
        }
        Direction::Read | Direction::Built => true,
    }
}

impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}", self.0.ending.name())?;
        for entry in &self.0.yielded.entries {
            let arrow = if entry.direction == Direction::Received {
                "<-"
            } else {
                "->"
            };
            write!(f, "; {arrow} {}", summary(entry))?;
        }
        f.write_str(">")
    }
}

/// What can be read of an exchange, with what it is.
pub const ATTRIBUTES: &[(&str, &str)] = &[
    (
        "reply",
        "The answer: the first reply, of a whole handshake the last, of a refusal the NAK; None where the last message was not answered.",
    ),
    (
        "replies",
        "The answers that belong to the exchange, a list of packets.",
    ),
    ("sent", "The packets that were sent."),
    (
        "strays",
        "DHCP packets that came meanwhile and answer something else.",
    ),
    ("entries", "All of these packets in the order of time."),
    (
        "ending",
        "How it ended: \"done\", \"bound\", \"refused\", \"declined\", \"no reply\", \"interrupted\".",
    ),
    ("code", "The exit code that says the same."),
    (
        "clients",
        "With `group`: the clients, a list of dictionaries with the keys of `--group --json`.",
    ),
    (
        "findings",
        "Where it failed: what was found out about why, a list of sentences, the likeliest first.",
    ),
    (
        "causes",
        "The same in full: a list of dictionaries with `id`, `likelihood`, `text`, `next`, and `frames`, their numbers in the run.",
    ),
];

methods_static!(METHODS = methods);

#[starlark_value(type = "exchange")]
impl<'v> StarlarkValue<'v> for Exchange {
    fn get_methods() -> Option<&'static Methods> {
        Some(METHODS.methods())
    }

    fn get_attr(&self, name: &str, heap: Heap<'v>) -> Option<Value<'v>> {
        let list = |wanted: &dyn Fn(&Entry) -> bool| {
            let all = self
                .0
                .yielded
                .entries
                .iter()
                .filter(|it| wanted(it))
                .map(packet_of);
            heap.alloc(all.collect::<Vec<_>>())
        };
        Some(match name {
            "replies" => heap.alloc(self.replies().map(packet_of).collect::<Vec<_>>()),
            "reply" => self
                .answer()
                .map_or(Value::new_none(), |it| heap.alloc(packet_of(it))),
            "sent" => list(&|it| it.direction == Direction::Sent),
            "strays" => list(&|it| it.verdict != Verdict::Part),
            "entries" => list(&|_| true),
            "ending" => heap.alloc(self.0.ending.name()),
            "code" => heap.alloc(i32::from(self.0.ending.exit_code())),
            "clients" => {
                let seen = self.0.yielded.seen.iter().flat_map(|it| &it.clients);
                let clients: Vec<_> = seen.map(|it| of_json(&client_json(it), heap)).collect();
                heap.alloc(clients)
            }
            "findings" => {
                let causes = self.0.ending.causes().iter();
                heap.alloc(causes.map(|it| it.text.clone()).collect::<Vec<_>>())
            }
            "causes" => {
                let causes = self.0.ending.causes().iter().map(cause_json);
                heap.alloc(causes.map(|it| of_json(&it, heap)).collect::<Vec<_>>())
            }
            _ => return None,
        })
    }

    fn has_attr(&self, name: &str, _heap: Heap<'v>) -> bool {
        ATTRIBUTES.iter().any(|it| it.0 == name)
    }

    fn dir_attr(&self) -> Vec<String> {
        ATTRIBUTES.iter().map(|it| it.0.to_string()).collect()
    }

    fn to_bool(&self) -> bool {
        self.replies().next().is_some()
    }

    fn length(&self) -> starlark::Result<i32> {
        Ok(self.replies().count() as i32)
    }

    fn at(&self, index: Value<'v>, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        let replies: Vec<_> = self.iterate_collect(heap)?;
        heap.alloc(replies).at(index, heap)
    }

    fn iterate_collect(&self, heap: Heap<'v>) -> starlark::Result<Vec<Value<'v>>> {
        Ok(self.replies().map(|it| heap.alloc(packet_of(it))).collect())
    }
}

#[starlark_module]
fn methods(builder: &mut MethodsBuilder) {
    /// Prints what was sent and received, in a format of `--format`.
    fn show<'v>(
        this: &Exchange,
        #[starlark(default = "")] format: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        let host = host(eval)?;
        let format = match format {
            "" => this.format(),
            name => format_of(name)?,
        };
        let text = printed(host, format, |view| this.print(view))?;
        host.print(&text).map_err(error)?;
        Ok(NoneType)
    }
}

/// The format of that name.
pub fn format_of(name: &str) -> starlark::Result<Format> {
    use clap::ValueEnum;
    Format::from_str(name, true).map_err(|_| {
        let known: Vec<_> = Format::value_variants()
            .iter()
            .filter_map(|it| it.to_possible_value())
            .collect();
        let known: Vec<_> = known.iter().map(|it| it.get_name()).collect();
        error(format!(
            "no format `{name}`; there are {}",
            known.join(", ")
        ))
    })
}

/// What a view prints, as text.
pub fn printed(
    host: &super::Host,
    format: Format,
    print: impl FnOnce(&mut View) -> Result<(), crate::commands::Error>,
) -> starlark::Result<String> {
    let buffer = Shared::default();
    let mut view = View::new(
        format,
        host.style.get(),
        Box::new(buffer.clone()),
        Box::new(buffer.clone()),
    );
    view.script_with(source_of);
    print(&mut view).map_err(super::engine::command_error)?;
    drop(view);
    Ok(String::from_utf8_lossy(&buffer.0.take()).into_owned())
}

/// An entry as the expression that builds its frame again.
pub fn source_of(entry: &Entry) -> String {
    super::source::command(&packet_of(entry).layers())
}

/// A writer into memory that two ends of a view share.
#[derive(Clone, Default)]
struct Shared(std::rc::Rc<std::cell::RefCell<Vec<u8>>>);

impl std::io::Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The format that a command prints in where it is not told otherwise.
pub fn default_format(command: &Command) -> Format {
    let default = match command {
        Command::Dora(_) => Format::Ladder,
        _ => Format::Table,
    };
    command.out().map_or(default, |it| it.format_or(default))
}
