//! Help on the language, from the same definitions that it runs by.

use std::fmt::Write;
use std::sync::LazyLock;

use starlark::docs::{DocFunction, DocItem, DocMember};
use starlark::environment::Methods;
use starlark::typing::Ty;
use starlark::values::StarlarkValue;

use super::bytes::Bytes;
use super::classes::{CLASSES, Class, Default, Field};
use super::engine;
use super::exchange::Exchange;
use super::option_list::OptionList;
use super::packet::Packet;
use crate::wire::FieldKind;

/// Something that can be called.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Its name and parameters.
    pub signature: String,
    /// What it does.
    pub doc: String,
}

impl Function {
    fn of(name: &str, it: &DocFunction) -> Self {
        let params = &it.params;
        let all = params.pos_only.iter().chain(&params.pos_or_named);
        let all = all.chain(&params.named_only);
        let one = |it: &starlark::docs::DocParam| match it.default_value.as_deref() {
            None => it.name.clone(),
            Some(default) => format!("{}={default}", it.name),
        };
        let mut all: Vec<String> = all.map(one).collect();
        all.extend(params.args.iter().map(|it| format!("*{}", it.name)));
        all.extend(params.kwargs.iter().map(|it| format!("**{}", it.name)));
        let doc = it.docs.as_ref().map(|it| match &it.details {
            // The summary is the first line of what is one paragraph here.
            Some(rest) => format!("{} {rest}", it.summary),
            None => it.summary.clone(),
        });
        Function {
            name: name.to_string(),
            signature: format!("{name}({})", all.join(", ")),
            doc: doc.unwrap_or_default().replace('\n', " "),
        }
    }
}

/// The functions that are no commands, in the order of their names.
pub static FUNCTIONS: LazyLock<Vec<Function>> = LazyLock::new(|| {
    let docs = engine::globals().documentation();
    let function = |name: String| match docs.members.get(&name) {
        Some(DocItem::Member(DocMember::Function(it))) => Some(Function::of(&name, it)),
        _ => None,
    };
    super::function_names()
        .into_iter()
        .filter_map(function)
        .collect()
});

/// What can be called on a kind of value.
#[derive(Debug)]
pub struct Kind {
    /// What the value is, in a word or two.
    pub name: &'static str,
    /// How such a value is written in examples.
    pub owner: &'static str,
    /// Its methods.
    pub methods: Vec<Function>,
}

/// The kinds of values that are this program's own.
pub static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| {
    let of = |name, owner, methods: Option<&'static Methods>| {
        let docs = methods.map(|it| it.documentation(Ty::any()));
        let members = docs.into_iter().flat_map(|it| it.members);
        let mut methods: Vec<_> = members
            .filter_map(|(name, member)| match member {
                DocMember::Function(it) => Some(Function::of(&name, &it)),
                DocMember::Property(_) => None,
            })
            .collect();
        methods.sort_by(|a, b| a.name.cmp(&b.name));
        Kind {
            name,
            owner,
            methods,
        }
    };
    vec![
        of("a packet", "pkt", Packet::get_methods()),
        of(
            "a list of options",
            "pkt[DHCP].options",
            OptionList::get_methods(),
        ),
        of("an exchange", "discover()", Exchange::get_methods()),
        of("a value of bytes", "raw(pkt)", Bytes::get_methods()),
    ]
});

fn function(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|it| it.name == name)
}

/// How a function is called: its name and parameters.
pub fn signature(name: &str) -> Option<String> {
    function(name).map(|it| it.signature.clone())
}

/// Every function of the language that is no command, with what it does.
pub fn functions() -> String {
    let mut out = String::new();
    for it in FUNCTIONS.iter() {
        let _ = writeln!(out, "{:<12} {}", it.name, it.doc);
    }
    out
}

/// Help on a function, a layer class or a method: each meaning's kind, and the text.
pub fn topic(name: &str) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    if let Some(class) = Class::by_name(name) {
        all.push(("a layer", class_help(class)));
    }
    if let Some(it) = function(name) {
        all.push(("a function", format!("{}\n  {}\n", it.signature, it.doc)));
    }
    let attributes = super::exchange::ATTRIBUTES.iter();
    for (_, doc) in attributes.filter(|it| it.0 == name) {
        let text = format!("discover().{name}\n  {doc}\n");
        all.push(("an attribute of an exchange", text));
    }
    let methods = KINDS.iter().flat_map(|kind| {
        let methods = kind.methods.iter().filter(|it| it.name == name);
        methods.map(move |it| format!("{}.{}\n  {}\n", kind.owner, it.signature, it.doc))
    });
    let methods: Vec<_> = methods.collect();
    match methods.len() {
        0 => {}
        1 => all.push(("a method", methods.concat())),
        _ => all.push(("a method of several", methods.concat())),
    }
    all
}

/// What a field is worth while nobody sets it, in words.
pub fn default_text(field: &Field) -> String {
    match field.default {
        Default::Number(0) => "0".into(),
        Default::Number(number) if field.kind == FieldKind::Hex => format!("{number:#x}"),
        Default::Number(number) => number.to_string(),
        Default::Ip(ip) => ip.to_string(),
        Default::Empty => "empty".into(),
        Default::Computed => "computed".into(),
        Default::OwnMac | Default::OwnIp => "the link's".into(),
        Default::NextMac => "broadcast, or by ARP".into(),
    }
}

fn class_help(class: &Class) -> String {
    let mut out = format!("{}(…)  {}\n", class.name, class.doc);
    for field in &class.fields {
        let _ = writeln!(
            out,
            "  {:<11} {:<20} {}",
            field.name,
            default_text(field),
            field.doc
        );
    }
    out
}

/// The names of the classes.
pub fn classes() -> impl Iterator<Item = &'static str> {
    CLASSES.iter().map(|it| it.name)
}

/// The comparison with Scapy as text of that width.
pub fn scapy(width: usize) -> String {
    let mut out = String::from("For Scapy users\n\nThe same:\n");
    for row in super::scapy::SAME {
        out += &super::scapy::wrapped(row, "  ", width);
    }
    out += "\nDifferent:\n";
    for (theirs, ours) in super::scapy::DIFFERENT {
        let text = format!("{theirs}: {ours}");
        out += &super::scapy::wrapped(&text, "  ", width);
    }
    out
}
