//! The language inside a test: a host on the lab whose output is kept.

// Each test binary uses a part of it.
#![allow(dead_code)]

use std::cell::RefCell;
use std::io::Write;
use std::rc::Rc;
use std::sync::Arc;

use dhcpcraft::commands::session::Session;
use dhcpcraft::script::{Engine, Host, Module, ScriptError, interpret};
use dhcpcraft::view::Style;

/// What was printed.
#[derive(Clone, Default)]
pub struct Output(Rc<RefCell<Vec<u8>>>);

impl Output {
    /// All of it, which is then forgotten.
    pub fn take(&self) -> String {
        String::from_utf8(self.0.take()).expect("output is UTF-8")
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A host, and what its scripts print.
pub struct Talk {
    /// The host.
    pub host: Host,
    /// Standard output.
    pub out: Output,
    /// Standard error.
    pub err: Output,
}

impl Talk {
    /// A conversation on the lab in which nothing is left to chance.
    pub fn new() -> Self {
        let (out, err) = (Output::default(), Output::default());
        let style = Style {
            color: false,
            width: 80,
        };
        let host = Host::new(
            Session::new(Some(1), Arc::default()),
            Box::new(out.clone()),
            Box::new(err.clone()),
            style,
        );
        Talk { host, out, err }
    }

    /// Runs a script.
    pub fn run(&self, source: &str) -> Result<(), ScriptError> {
        interpret(&self.host, "test.star", source, &[])
    }

    /// Runs a script that must succeed, and gives what it printed.
    #[track_caller]
    pub fn printed(&self, source: &str) -> String {
        if let Err(error) = self.run(source) {
            panic!("{source}\n{}", error.text);
        }
        self.out.take()
    }

    /// Runs a script that must fail, and gives its error.
    #[track_caller]
    pub fn fails(&self, source: &str) -> ScriptError {
        match self.run(source) {
            Ok(()) => panic!("this should have failed:\n{source}"),
            Err(error) => error,
        }
    }

    /// The value of an expression as text, or why it has none.
    pub fn value(&self, expression: &str) -> Result<String, String> {
        value(&Engine::new(&self.host), expression)
    }
}

/// The same for many expressions, with one engine.
pub fn value(engine: &Engine, expression: &str) -> Result<String, String> {
    Module::with_temp_heap(|module| match engine.run(&module, "test", expression) {
        Ok(value) => Ok(value.to_str()),
        Err(error) => Err(reason(&error.text)),
    })
}

/// The line of an error that says what is wrong.
pub fn reason(text: &str) -> String {
    let line = text.lines().find_map(|it| it.strip_prefix("error: "));
    line.or(text.lines().next()).unwrap_or_default().to_string()
}
