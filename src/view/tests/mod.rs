//! What became of tests: for people, as TAP, as JSON lines, as JUnit, as annotations of GitHub Actions.
//!
//! Names, values and what tests print may hold anything; each report escapes it in its own way, after control
//! characters and invisible ones were escaped here.

mod github;
mod json;
mod junit;
mod tap;
mod text;

use std::io::{self, BufWriter, Write};

use super::style::Style;
use super::unread::Unread;
use super::{Ladder, escape};
use crate::commands::Error;
use crate::commands::script::TestArgs;
use crate::commands::tests::{Broken, Place, Reporter, TestName, TestResult, Totals, Trouble};

pub use github::Github;
pub use json::Json;
pub use junit::Junit;
pub(super) use junit::{Case, Ended, Suite, write as junit};
pub use tap::Tap;
pub use text::Text;

/// Text of several lines, safe to print.
pub(super) fn clean(text: &str) -> String {
    let lines = text.trim_end().split('\n').map(clean_line);
    lines.collect::<Vec<_>>().join("\n")
}

/// Text as one line, safe to print; backslashes stay as they are, for values are quoted already.
pub(super) fn clean_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '"' | '\'' => out.push(c),
            _ => out.push_str(&escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    out
}

/// The exchange as a ladder.
fn ladder(trouble: &Trouble, style: &Style) -> String {
    let (mut out, mut ladder) = (Vec::new(), Ladder::default());
    // Frames of several commands count from the first of them.
    let first = trouble.entries.first().map(|it| it.at);
    for entry in &trouble.entries {
        let mut entry = entry.clone();
        entry.since = first.map_or(entry.since, |it| entry.at - it);
        // Memory does not fail to be written.
        let _ = ladder.rung(&mut out, &entry, style);
    }
    let _ = ladder.finish(&mut out, style);
    String::from_utf8_lossy(&out).into_owned()
}

/// Where it happened, a line for each call: `FILE:LINE  SOURCE`.
fn places(places: &[Place]) -> Vec<String> {
    let lines = places.iter().map(|it| {
        let source = clean_line(&it.source);
        format!("{}:{}  {source}", clean_line(&it.file), it.line)
    });
    lines.collect()
}

/// All that is known of a failure, without colours.
fn details(result: &TestResult, trouble: &Trouble) -> String {
    let style = Style {
        color: false,
        width: 80,
    };
    let mut out = Vec::new();
    // Memory does not fail to be written.
    let _ = text::trouble(&mut out, result, trouble, &style);
    String::from_utf8_lossy(&out).into_owned()
}

/// `12 passed, 1 failed`.
fn counts(totals: &Totals) -> String {
    let all = [
        (totals.passed, "passed"),
        (totals.failed, "failed"),
        (totals.skipped, "skipped"),
        (totals.left, "not run"),
    ];
    let some = all.iter().filter(|it| it.0 > 0);
    let some: Vec<String> = some
        .map(|(count, name)| format!("{count} {name}"))
        .collect();
    match (some.is_empty(), totals.broken) {
        (false, 0) => some.join(", "),
        (true, 0) => "nothing run".into(),
        (_, broken) => {
            let files = if broken == 1 { "file" } else { "files" };
            let broken = format!("{broken} {files} not loaded");
            some.into_iter()
                .chain([broken])
                .collect::<Vec<_>>()
                .join(", ")
        }
    }
}

/// The reports that arguments ask for.
pub struct Reports {
    all: Vec<Box<dyn Reporter>>,
    json: bool,
}

impl Reports {
    /// Reports to standard output and into files.
    pub fn new(args: &TestArgs, style: Style) -> Result<Reports, Error> {
        let out = || Box::new(BufWriter::new(Unread(io::stdout())));
        let machine = args.tap || args.json;
        let mut all: Vec<Box<dyn Reporter>> = vec![match () {
            _ if args.json => Box::new(Json::new(out())),
            _ if args.tap => Box::new(Tap::new(out())),
            _ => Box::new(Text::new(out(), style, args.verbose)),
        }];
        if let Some(path) = args.junit.as_ref().filter(|_| !args.list) {
            // Made now: what cannot be written should not cost a run.
            let file = std::fs::File::create(path).map_err(|it| Error::file(path, it))?;
            all.push(Box::new(Junit::new(Box::new(BufWriter::new(file)))));
        }
        let actions = std::env::var("GITHUB_ACTIONS").is_ok_and(|it| it == "true");
        if args.github || actions {
            all.push(Box::new(match machine {
                true => Github::new(Box::new(io::stderr())),
                false => Github::new(out()),
            }));
        }
        Ok(Reports {
            all,
            json: args.json,
        })
    }

    /// Prints the tests that there are.
    pub fn list<'a>(
        &mut self,
        tests: impl Iterator<Item = &'a TestName>,
        broken: &[Broken],
    ) -> Result<(), Error> {
        let mut out = BufWriter::new(io::stdout());
        for test in tests {
            let id = clean_line(&test.id());
            match (self.json, test.tags.is_empty()) {
                (true, _) => writeln!(out, "{}", json::name(test))?,
                (false, true) => writeln!(out, "{id}")?,
                (false, false) => writeln!(out, "{id}  ({})", clean_line(&test.tags.join(", ")))?,
            }
        }
        for it in broken {
            writeln!(io::stderr(), "{}", text::broken(it))?;
        }
        out.flush()?;
        Ok(())
    }
}

impl Reporter for Reports {
    fn begin(&mut self, tests: u64, broken: &[Broken]) -> io::Result<()> {
        self.all
            .iter_mut()
            .try_for_each(|it| it.begin(tests, broken))
    }

    fn starts(&mut self, test: &TestName) {
        self.all.iter_mut().for_each(|it| it.starts(test));
    }

    fn ends(&mut self, result: &TestResult) -> io::Result<()> {
        self.all.iter_mut().try_for_each(|it| it.ends(result))
    }

    fn finish(&mut self, totals: &Totals) -> io::Result<()> {
        self.all.iter_mut().try_for_each(|it| it.finish(totals))
    }
}
