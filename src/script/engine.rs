//! Runs source: whole scripts, lines of a prompt, single expressions.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::Ordering;

use starlark::codemap::FileSpan;
use starlark::environment::{FrozenModule, Globals, GlobalsBuilder, LibraryExtension};
use starlark::eval::{Evaluator, FileLoader};
use starlark::syntax::{AstModule, Dialect, DialectTypes};
use starlark::values::Value;

pub use starlark::environment::Module;

use super::depth::{self, with_room};
use super::failure::Failure;
use super::host::Host;
use super::{commands, functions, reply, text};
use crate::commands::Error as CommandError;
use crate::commands::tests::Place;

/// Why source did not run to its end.
#[derive(Debug, Default)]
pub struct ScriptError {
    /// What a person sees: the reason, then the calls that led there with file, line and source.
    pub text: String,
    /// The exit code that says it.
    pub exit_code: u8,
    /// The same in parts.
    pub why: Box<Why>,
}

/// An error in parts.
#[derive(Debug, Default)]
pub struct Why {
    /// The reason alone.
    pub message: String,
    /// Where in the sources it happened, the innermost call first.
    pub places: Vec<Place>,
    /// The assertion that did not hold, or the test that ended itself; `None` for any other error.
    pub failure: Option<Failure>,
}

fn place(span: &FileSpan) -> Place {
    let begin = span.resolve_span().begin;
    Place {
        file: span.filename().to_string(),
        line: begin.line + 1,
        source: span.file.source_line(begin.line).trim().to_string(),
    }
}

/// Where an error happened, and the calls that led there.
fn places(error: &starlark::Error) -> Vec<Place> {
    let calls = error.call_stack().frames.iter().rev();
    let calls = calls.filter_map(|it| it.location.as_ref());
    let mut places: Vec<Place> = error.span().into_iter().chain(calls).map(place).collect();
    // The innermost call is where the error is.
    places.dedup();
    places.truncate(CALLS);
    places
}

/// Calls told of an error; of a deep recursion the innermost ones.
const CALLS: usize = 20;

impl From<starlark::Error> for ScriptError {
    fn from(error: starlark::Error) -> Self {
        use starlark::ErrorKind;
        let exit_code = match error.kind() {
            ErrorKind::Other(it) | ErrorKind::Native(it) | ErrorKind::Value(it) => it
                .downcast_ref::<CommandError>()
                .map_or(1, CommandError::exit_code),
            ErrorKind::Parser(_) | ErrorKind::Scope(_) => 2,
            _ => 1,
        };
        let failure = match error.kind() {
            ErrorKind::Other(it) | ErrorKind::Native(it) => it.downcast_ref::<Failure>(),
            _ => None,
        };
        let text = format!("{error:#}");
        let text = text
            .strip_prefix("error: ")
            .unwrap_or(&text)
            .trim_end()
            .to_string();
        let text = without_repeats(&without_caller(&text));
        // The source shown is the prepared one: bytes literals as they were written.
        let why = Why {
            message: error.without_diagnostic().to_string(),
            places: places(&error),
            failure: failure.cloned(),
        };
        ScriptError {
            text,
            exit_code,
            why: Box::new(why),
        }
    }
}

/// The text of an error without the caller that is no source: what called a function of the language.
fn without_caller(text: &str) -> String {
    const HEAD: &str = "Traceback (most recent call last):\n";
    const CALLER: &str = "  File <builtin>, in <module>\n";
    match text
        .strip_prefix(HEAD)
        .and_then(|it| it.strip_prefix(CALLER))
    {
        Some(rest) if rest.starts_with("  *") => format!("{HEAD}{rest}"),
        Some(rest) => rest.strip_prefix("error: ").unwrap_or(rest).to_string(),
        None => text.to_string(),
    }
}

/// The calls that led to an error, with those of a recursion told once.
fn without_repeats(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut out: Vec<String> = Vec::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        out.push(line.to_string());
        at += 1;
        // A call is a line with the place and one with the source.
        let call = lines
            .get(at - 1..at + 1)
            .filter(|_| line.starts_with("  * "));
        let Some(call) = call else { continue };
        let same = |from: usize| lines.get(from..from + 2) == Some(call);
        let mut repeats = 0;
        while same(at + 1 + 2 * repeats) {
            repeats += 1;
        }
        if repeats > 2 {
            out.push(call[1].to_string());
            out.push(format!("    ({repeats} more of the same)"));
            at += 1 + 2 * repeats;
        }
    }
    out.join("\n")
}

fn dialect() -> Dialect {
    Dialect {
        enable_keyword_only_arguments: true,
        enable_types: DialectTypes::ParseOnly,
        enable_top_level_stmt: true,
        enable_f_strings: true,
        ..Dialect::Standard
    }
}

fn parse(name: &str, source: &str) -> starlark::Result<AstModule> {
    if let Some(line) = depth::too_deep(source) {
        let text = format!("{name}:{line}: brackets, operators or blocks nest too deeply here");
        return Err(starlark::Error::new_kind(starlark::ErrorKind::Parser(
            anyhow::anyhow!(text),
        )));
    }
    AstModule::parse(name, text::prepare(source), &dialect())
}

/// Parses a piece of a source that was prepared already.
pub(super) fn parse_prepared(name: &str, source: &str) -> starlark::Result<AstModule> {
    AstModule::parse(name, source.to_string(), &dialect())
}

/// The functions and classes that every script has.
pub fn globals() -> &'static Globals {
    static GLOBALS: LazyLock<Globals> = LazyLock::new(|| builder().build());
    &GLOBALS
}

/// The functions and classes that every script has, for more to be added.
pub fn builder() -> GlobalsBuilder {
    let extensions = [
        LibraryExtension::StructType,
        LibraryExtension::Map,
        LibraryExtension::Filter,
        LibraryExtension::Print,
        LibraryExtension::SetType,
    ];
    GlobalsBuilder::extended_by(&extensions)
        .with_namespace("json", super::json::functions)
        .with(functions::register)
        .with(reply::register)
        .with(commands::register)
}

/// Runs source against a host.
pub struct Engine<'h> {
    host: &'h Host,
    globals: &'static Globals,
    /// Files under way or loaded; `None` while one loads.
    loaded: RefCell<HashMap<PathBuf, Option<FrozenModule>>>,
}

impl<'h> Engine<'h> {
    /// An engine for this host.
    pub fn new(host: &'h Host) -> Self {
        Engine::with_globals(host, globals())
    }

    /// An engine whose source has other functions at hand.
    pub fn with_globals(host: &'h Host, globals: &'static Globals) -> Self {
        Engine {
            host,
            globals,
            loaded: RefCell::default(),
        }
    }

    /// The host.
    pub fn host(&self) -> &'h Host {
        self.host
    }

    /// The names that every script has.
    pub fn names(&self) -> Vec<String> {
        self.globals
            .names()
            .map(|it| it.as_str().to_string())
            .collect()
    }

    /// Runs source in a module and gives the value of its last expression. `name` is the file's name
    /// or what stands for it; `load` starts from its directory.
    pub fn run<'v>(
        &self,
        module: &Module<'v>,
        name: &str,
        source: &str,
    ) -> Result<Value<'v>, ScriptError> {
        with_room(|| {
            let ast = parse(name, source)?;
            let loader = Loader {
                engine: self,
                directory: directory_of(name),
            };
            let mut eval = Evaluator::new(module);
            self.set_up(&mut eval);
            eval.set_loader(&loader);
            eval.eval_module(ast, self.globals)
        })
        .map_err(ScriptError::from)
    }

    /// Calls a function of the language.
    pub fn call<'v>(
        &self,
        module: &Module<'v>,
        function: Value<'v>,
        args: &[Value<'v>],
    ) -> Result<Value<'v>, ScriptError> {
        let mut eval = Evaluator::new(module);
        self.set_up(&mut eval);
        with_room(|| eval.eval_function(function, args, &[])).map_err(ScriptError::from)
    }

    /// Clears away what calls left behind in a module and nothing in it refers to. Values that were given
    /// out are no longer good.
    pub fn collect(&self, module: &Module) {
        // The language does so at a module's outermost statements only.
        let _ = self.run(module, "collect", "None");
    }

    fn set_up<'a>(&'a self, eval: &mut Evaluator<'_, 'a, '_>) {
        eval.extra = Some(self.host);
        eval.set_print_handler(self.host);
        let interrupted = self.host.session.borrow().interruption();
        eval.set_check_cancelled(Box::new(move || interrupted.load(Ordering::Relaxed)));
    }

    /// Why an expression does not parse, in one line.
    pub fn check(source: &str) -> Result<(), String> {
        match with_room(|| parse("expression", source)) {
            Ok(_) => Ok(()),
            Err(error) => Err(error.without_diagnostic().to_string()),
        }
    }

    /// Whether source parses.
    pub fn parses(source: &str) -> bool {
        with_room(|| parse("line", source).is_ok())
    }

    fn load(&self, path: &Path) -> Result<FrozenModule, starlark::Error> {
        let path = path
            .canonicalize()
            .map_err(|it| command_error(CommandError::file(path, it)))?;
        match self.loaded.borrow().get(&path) {
            Some(Some(module)) => return Ok(module.clone()),
            Some(None) => return Err(super::error(format!("{} loads itself", path.display()))),
            None => {}
        }
        self.loaded.borrow_mut().insert(path.clone(), None);
        let loaded = self.load_fresh(&path);
        match &loaded {
            Ok(module) => self.loaded.borrow_mut().insert(path, Some(module.clone())),
            Err(_) => self.loaded.borrow_mut().remove(&path),
        };
        loaded
    }

    fn load_fresh(&self, path: &Path) -> Result<FrozenModule, starlark::Error> {
        let source = std::fs::read_to_string(path)
            .map_err(|it| command_error(CommandError::file(path, it)))?;
        let name = path.display().to_string();
        Module::with_temp_heap(|module| {
            let ast = parse(&name, &source)?;
            let loader = Loader {
                engine: self,
                directory: directory_of(&name),
            };
            {
                let mut eval = Evaluator::new(&module);
                self.set_up(&mut eval);
                eval.set_loader(&loader);
                eval.eval_module(ast, self.globals)?;
            }
            Ok(module.freeze()?)
        })
    }
}

/// An error of a command, as a script sees it.
pub fn command_error(error: CommandError) -> starlark::Error {
    starlark::Error::new_other(anyhow::Error::new(error))
}

fn directory_of(name: &str) -> PathBuf {
    Path::new(name)
        .parent()
        .map(Path::to_path_buf)
        .unwrap_or_default()
}

struct Loader<'a, 'h> {
    engine: &'a Engine<'h>,
    directory: PathBuf,
}

impl FileLoader for Loader<'_, '_> {
    fn load(&self, path: &str) -> starlark::Result<FrozenModule> {
        self.engine.load(&self.directory.join(path))
    }
}

/// Runs one script against a host, with the words behind its name as `argv`.
pub fn interpret(
    host: &Host,
    name: &str,
    source: &str,
    argv: &[String],
) -> Result<(), ScriptError> {
    let engine = Engine::new(host);
    Module::with_temp_heap(|module| {
        module.set("argv", module.heap().alloc(argv.to_vec()));
        engine.run(&module, name, source).map(|_| ())
    })
}
