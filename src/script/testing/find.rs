//! Finds tests: the files that hold some, and in a file the functions, cases and tags.

use std::path::{Path, PathBuf};

use starlark::docs::{DocItem, DocMember};
use starlark::values::Value;
use starlark::values::dict::DictRef;
use starlark::values::list::ListRef;

use super::super::engine::{Engine, Module, ScriptError};
use super::super::text::masked;
use crate::commands::Error;
use crate::commands::tests::{Broken, Place, TestName};
use crate::view::escape;

/// A test, and what it is called with.
pub struct Found {
    /// Its name.
    pub test: TestName,
    /// The function.
    pub function: String,
    /// Which of its cases, for a function that has some.
    pub case: Option<usize>,
}

/// A file that may hold tests.
pub struct TestFile {
    /// Its name.
    pub name: String,
    /// What stands in it.
    pub source: String,
    /// The names of the only tests wanted; empty for all.
    only: Vec<String>,
}

/// How deep directories are searched.
const DEPTH: usize = 32;

/// Longest label of a case.
const LABEL: usize = 60;

/// The files that paths mean. Of directories those files that define tests; a file that is named is taken
/// in any case.
pub fn files(paths: &[String]) -> Result<Vec<TestFile>, Error> {
    let mut all: Vec<TestFile> = Vec::new();
    for text in paths {
        let (path, only) = match text.split_once("::") {
            Some((path, only)) if !Path::new(text).exists() => (path, Some(only.to_string())),
            _ => (text.as_str(), None),
        };
        let path = Path::new(path);
        let meta = std::fs::metadata(path).map_err(|it| Error::file(path, it))?;
        let mut found = Vec::new();
        match meta.is_dir() {
            true => search(path, DEPTH, &mut found)?,
            false => found.push(path.to_path_buf()),
        }
        for path in found {
            let bytes = std::fs::read(&path).map_err(|it| Error::file(&path, it))?;
            let source = String::from_utf8_lossy(&bytes).into_owned();
            let name = path.display().to_string();
            if meta.is_dir() && definitions(&source).is_empty() {
                continue;
            }
            match all.iter_mut().find(|it| it.name == name) {
                // One that is wanted whole stays whole.
                Some(known) if known.only.is_empty() => {}
                Some(known) => match &only {
                    Some(only) => known.only.push(only.clone()),
                    None => known.only.clear(),
                },
                None => all.push(TestFile {
                    name,
                    source,
                    only: only.clone().into_iter().collect(),
                }),
            }
        }
    }
    Ok(all)
}

fn search(directory: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), Error> {
    let failed = |it| Error::file(directory, it);
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        entries.push(entry.map_err(failed)?);
    }
    entries.sort_by_key(|it| it.file_name());
    for entry in entries {
        let path = entry.path();
        // Links to directories may lead back here.
        let kind = entry.file_type().map_err(failed)?;
        if kind.is_dir() && depth > 0 {
            search(&path, depth - 1, found)?;
        } else if path.extension().is_some_and(|it| it == "star") && path.is_file() {
            found.push(path);
        }
    }
    Ok(())
}

/// The functions `test_…` that source defines, with their lines.
pub fn definitions(source: &str) -> Vec<(&str, usize)> {
    // What a string says is no definition.
    let code = masked(source);
    let lines = source.lines().zip(code.lines()).enumerate();
    let named = lines.filter_map(|(at, (line, code))| {
        code.trim_start().strip_prefix("def ")?;
        let rest = line.trim_start().strip_prefix("def ")?.trim_start();
        let (name, _) = rest.split_once('(')?;
        let name = name.trim_end();
        name.starts_with("test_").then_some((name, at + 1))
    });
    named.collect()
}

/// Why the tests of a file cannot be told, and the lines that it is about.
struct Wrong {
    text: String,
    lines: Vec<usize>,
}

impl From<String> for Wrong {
    fn from(text: String) -> Self {
        Wrong {
            text,
            lines: Vec::new(),
        }
    }
}

/// How `cases` is written.
const SHAPE: &str = "cases is a dictionary of tests, each with its cases: cases = {\"test_lease\": [1, 2]}, \
                     or a list of cases for every test that takes a value: cases = [1, 2]";

/// The cases of a test: `None` where it has none and runs once.
fn cases_of<'v>(module: &Module<'v>, function: &str) -> Result<Option<Value<'v>>, String> {
    let Some(cases) = module.get("cases") else {
        return Ok(None);
    };
    match (DictRef::from_value(cases), ListRef::from_value(cases)) {
        (Some(dict), _) => Ok(dict.get_str(function)),
        (_, Some(_)) => {
            let taken = module.get(function).is_some_and(takes_a_value);
            Ok(taken.then_some(cases))
        }
        _ => Err(SHAPE.to_string()),
    }
}

/// Whether a function can be called with a value.
fn takes_a_value(function: Value) -> bool {
    match function.documentation() {
        DocItem::Member(DocMember::Function(it)) => {
            let params = it.params;
            let named = params.pos_only.len() + params.pos_or_named.len();
            named > 0 || params.args.is_some()
        }
        _ => false,
    }
}

/// The tests of a file whose source has run in this module.
fn tests(file: &TestFile, module: &Module) -> Result<Vec<Found>, Wrong> {
    let mut all: Vec<Found> = Vec::new();
    let cases = module.get("cases");
    let definitions = definitions(&file.source);
    for (at, (function, line)) in definitions.iter().copied().enumerate() {
        let known = module.get(function);
        if known.is_none_or(|it| it.get_type() != "function") {
            continue;
        }
        let before = definitions.iter().take(at).find(|it| it.0 == function);
        if let Some((_, first)) = before.copied() {
            if [first, line].iter().any(|it| is_inner(&file.source, *it)) {
                // One or the other: `if … else`.
                continue;
            }
            return Err(Wrong {
                text: format!(
                    "{function} is defined twice, in line {first} and in line {line}: only the second would \
                     run; give one of them another name"
                ),
                lines: vec![line, first],
            });
        }
        let found = |name: String, case| Found {
            test: TestName {
                file: file.name.clone(),
                name,
                line,
                tags: tags_of(module, function),
            },
            function: function.to_string(),
            case,
        };
        match cases_of(module, function)? {
            None => all.push(found(function.to_string(), None)),
            Some(cases) => {
                let labels = labels(cases).ok_or_else(|| SHAPE.to_string())?;
                if labels.is_empty() {
                    return Err(Wrong {
                        text: format!(
                            "cases has none for {function}, so that it would never run: give it some, or take it \
                             out and call skip() in the test"
                        ),
                        lines: vec![line],
                    });
                }
                for (at, label) in labels.into_iter().enumerate() {
                    all.push(found(format!("{function}[{label}]"), Some(at)));
                }
            }
        }
    }
    let is_list = cases.is_some_and(|it| ListRef::from_value(it).is_some());
    if is_list && all.iter().all(|it| it.case.is_none()) {
        let text = "cases is a list, and no test here takes a value: def test_lease(case):";
        return Err(text.to_string().into());
    }
    if let Some(dict) = cases.and_then(DictRef::from_value) {
        let defined: Vec<&str> = definitions.iter().map(|it| it.0).collect();
        let names = dict.keys().map(|it| it.to_str());
        for name in names {
            if !defined.contains(&name.as_str()) {
                let near = super::super::did_you_mean(&name, defined.iter().copied());
                return Err(format!(
                    "cases names `{}`, which is no test here{near}",
                    escape(&name)
                )
                .into());
            }
        }
    }
    Ok(all)
}

/// Whether a line stands in a block.
fn is_inner(source: &str, line: usize) -> bool {
    let text = source.lines().nth(line.saturating_sub(1));
    text.is_some_and(|it| it.starts_with([' ', '\t']))
}

/// A name for each case: of a dictionary its keys, of a list short values, of others their numbers: `#1`.
fn labels(cases: Value) -> Option<Vec<String>> {
    let mut labels: Vec<String> = match (ListRef::from_value(cases), DictRef::from_value(cases)) {
        (Some(list), _) => list
            .iter()
            .enumerate()
            .map(|(at, it)| label(at, it))
            .collect(),
        (_, Some(dict)) => dict
            .keys()
            .enumerate()
            .map(|(at, it)| label(at, it))
            .collect(),
        _ => return None,
    };
    let mut seen = std::collections::HashMap::<String, usize>::new();
    for label in &mut labels {
        let times = seen.entry(label.clone()).or_default();
        *times += 1;
        if *times > 1 {
            *label = format!("{label}#{times}");
        }
    }
    Some(labels)
}

fn label(at: usize, value: Value) -> String {
    let plain = matches!(value.get_type(), "string" | "int" | "bool" | "NoneType");
    let text = escape(&value.to_str());
    match plain && !text.is_empty() && text.chars().count() <= LABEL {
        true => text,
        false => format!("#{}", at + 1),
    }
}

/// The case with that index, out of a module's `cases`.
pub fn case<'v>(module: &Module<'v>, function: &str, at: usize) -> Option<Value<'v>> {
    let cases = cases_of(module, function).ok()??;
    match (ListRef::from_value(cases), DictRef::from_value(cases)) {
        (Some(list), _) => list.iter().nth(at),
        (_, Some(dict)) => dict.values().nth(at),
        _ => None,
    }
}

/// Tags: `tags = ["slow"]` is for every test of the file, `tags = {"test_x": ["slow"]}` for each its own.
fn tags_of(module: &Module, function: &str) -> Vec<String> {
    let Some(tags) = module.get("tags") else {
        return Vec::new();
    };
    let own = match DictRef::from_value(tags) {
        Some(dict) => dict.get_str(function),
        None => Some(tags),
    };
    let words = |it: Value| match ListRef::from_value(it) {
        Some(list) => list.iter().map(|it| escape(&it.to_str())).collect(),
        None => vec![escape(&it.to_str())],
    };
    own.map_or(Vec::new(), words)
}

/// The tests that are wanted of a file.
pub fn load(engine: &Engine, file: &TestFile) -> Result<Vec<Found>, Broken> {
    let broken = |text: String, places| Broken {
        file: file.name.clone(),
        text,
        places,
    };
    let all = Module::with_temp_heap(|module| {
        module.set("argv", module.heap().alloc(Vec::<String>::new()));
        let ran = engine.run(&module, &file.name, &file.source);
        ran.map_err(|error: ScriptError| broken(error.why.message, error.why.places))?;
        tests(file, &module).map_err(|it| {
            let place = |line: usize| Place {
                file: file.name.clone(),
                line,
                source: file
                    .source
                    .lines()
                    .nth(line - 1)
                    .unwrap_or_default()
                    .trim()
                    .to_string(),
            };
            broken(it.text, it.lines.into_iter().map(place).collect())
        })
    })?;
    for name in &file.only {
        let known = |it: &Found| it.test.name == *name || it.function == *name;
        if !all.iter().any(known) {
            let names = all.iter().map(|it| it.test.name.as_str());
            let near = super::super::did_you_mean(name, names);
            return Err(broken(
                format!("there is no test `{}`{near}", escape(name)),
                Vec::new(),
            ));
        }
    }
    let wanted = |it: &Found| {
        let mut only = file.only.iter();
        file.only.is_empty() || only.any(|name| it.test.name == *name || it.function == *name)
    };
    Ok(all.into_iter().filter(wanted).collect())
}
