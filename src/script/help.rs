//! Help on the language, from the same definitions that it runs by.

use std::fmt::Write;
use std::sync::LazyLock;

use starlark::docs::{DocItem, DocMember};

use super::classes::{CLASSES, Class};
use super::engine;

/// A function of the language that is no command.
#[derive(Clone, Debug)]
struct Function {
    name: String,
    signature: String,
    doc: String,
}

/// The functions, in the order of their names.
static FUNCTIONS: LazyLock<Vec<Function>> = LazyLock::new(|| {
    let docs = engine::globals().documentation();
    let function = |name: String| {
        let Some(DocItem::Member(DocMember::Function(it))) = docs.members.get(&name) else {
            return None;
        };
        let params = &it.params;
        let all = params.pos_only.iter().chain(&params.pos_or_named);
        let all = all.chain(&params.named_only);
        let all = all.map(|it| match it.default_value.as_deref() {
            None => it.name.clone(),
            Some(default) => format!("{}={default}", it.name),
        });
        let signature = format!("{name}({})", all.collect::<Vec<_>>().join(", "));
        let doc = it.docs.as_ref().map(|it| match &it.details {
            // The summary is the first line of what is one paragraph here.
            Some(rest) => format!("{} {rest}", it.summary),
            None => it.summary.clone(),
        });
        Some(Function {
            name,
            signature,
            doc: doc.unwrap_or_default().replace('\n', " "),
        })
    };
    super::function_names()
        .into_iter()
        .filter_map(function)
        .collect()
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

/// Help on a function or a layer class.
pub fn topic(name: &str) -> Option<String> {
    if let Some(class) = Class::by_name(name) {
        return Some(class_help(class));
    }
    function(name).map(|it| format!("{}\n  {}\n", it.signature, it.doc))
}

fn class_help(class: &Class) -> String {
    let mut out = format!("{}(…)  {}\n", class.name, class.doc);
    for field in &class.fields {
        let _ = writeln!(out, "  {:<11} {}", field.name, field.doc);
    }
    out
}

/// The names of the classes.
pub fn classes() -> impl Iterator<Item = &'static str> {
    CLASSES.iter().map(|it| it.name)
}
