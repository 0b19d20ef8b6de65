//! Help on the language, from the same definitions that it runs by.

use std::fmt::Write;

use starlark::docs::{DocItem, DocMember};

use super::classes::{CLASSES, Class};
use super::engine;

/// A function's signature and the first line of its documentation.
fn function(name: &str) -> Option<(String, String)> {
    let globals = engine::globals();
    let docs = globals.documentation();
    let DocItem::Member(DocMember::Function(it)) = docs.members.get(name)? else {
        return None;
    };
    let doc = it
        .docs
        .as_ref()
        .map(|it| it.summary.clone())
        .unwrap_or_default();
    let params = it
        .params
        .pos_only
        .iter()
        .chain(&it.params.pos_or_named)
        .chain(&it.params.named_only);
    let params = params.map(|it| match it.default_value.as_deref() {
        None => it.name.clone(),
        Some(default) => format!("{}={default}", it.name),
    });
    let params: Vec<_> = params.collect();
    Some((format!("{name}({})", params.join(", ")), doc))
}

/// How a function is called: its name and parameters.
pub fn signature(name: &str) -> Option<String> {
    function(name).map(|it| it.0)
}

/// Every function of the language that is no command, with what it does.
pub fn functions() -> String {
    let mut out = String::new();
    for name in super::function_names() {
        if let Some((_, doc)) = function(&name) {
            let _ = writeln!(out, "{name:<12} {doc}");
        }
    }
    out
}

/// Help on a function or a layer class.
pub fn topic(name: &str) -> Option<String> {
    if let Some(class) = Class::by_name(name) {
        return Some(class_help(class));
    }
    function(name).map(|(signature, doc)| format!("{signature}\n  {doc}\n"))
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
