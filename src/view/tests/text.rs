//! Tests for people: a line for each file, and all that is known of each failure.

use std::io::{self, IsTerminal, Write};

use anstyle::{AnsiColor, Style as Ansi};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::super::lookup;
use super::super::replies::plural;
use super::super::style::{BOLD, DIM, Style, WARN, columns, cut};
use super::super::summary::duration;
use super::{clean, clean_line, counts, ladder, places};
use crate::commands::tests::{
    Broken, Cause, Reporter, Status, TestName, TestResult, Totals, Trouble,
};

const GOOD: Ansi = Ansi::new()
    .fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green)))
    .bold();
const SKIP: Ansi = Ansi::new().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Yellow)));

/// Lines shown of what a failed test printed.
const PRINTED: usize = 20;

/// Prints for a person; with a bar where somebody watches.
pub struct Text {
    out: Box<dyn Write>,
    style: Style,
    verbose: bool,
    bar: Option<ProgressBar>,
    /// The file under way, and what became of its tests so far.
    file: Option<(String, Totals)>,
}

impl Text {
    /// A report that names passing tests too if it is `verbose`.
    pub fn new(out: Box<dyn Write>, style: Style, verbose: bool) -> Self {
        Text {
            out,
            style,
            verbose,
            bar: None,
            file: None,
        }
    }

    /// Prints above the bar.
    fn print(&mut self, text: &str) -> io::Result<()> {
        let out = &mut self.out;
        let mut print = || {
            out.write_all(text.as_bytes())?;
            out.flush()
        };
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    fn word(&self, ansi: Ansi, word: &str) -> String {
        self.style.paint(ansi, &format!("{word:<4}"))
    }

    /// The line of the file that has ended.
    fn file_line(&mut self) -> io::Result<()> {
        let Some((file, totals)) = self.file.take() else {
            return Ok(());
        };
        let word = match (totals.failed, totals.passed) {
            (0, 0) => self.word(SKIP, "skip"),
            (0, _) => self.word(GOOD, "ok"),
            _ => self.word(WARN, "FAIL"),
        };
        let (file, counts) = (clean_line(&file), counts(&totals));
        let took = self.style.paint(DIM, &duration(totals.took));
        self.print(&format!("{word}  {file}   {counts}   {took}\n"))
    }
}

/// Why a file was not loaded.
pub fn broken(it: &Broken) -> String {
    let mut text = format!("{}: not loaded\n", clean_line(&it.file));
    for line in places(&it.places) {
        text += &format!("  {line}\n");
    }
    for line in clean(&it.text).lines() {
        text += &format!("    {line}\n");
    }
    text.trim_end().to_string()
}

/// All that is known of a failure, below its head.
pub fn trouble(
    out: &mut dyn Write,
    result: &TestResult,
    trouble: &Trouble,
    style: &Style,
) -> io::Result<()> {
    for (at, line) in places(&trouble.places).iter().enumerate() {
        // What does not fit beside its place stands below it.
        let (place, source) = match columns(line) + 5 <= style.width {
            true => (line.as_str(), ""),
            false => line.split_once("  ").unwrap_or((line, "")),
        };
        match at {
            0 => writeln!(out, "  {place}")?,
            _ => writeln!(out, "  {}", style.dim(&format!("by {place}")))?,
        }
        if !source.is_empty() {
            writeln!(out, "      {}", cut(source, style.width.saturating_sub(6)))?;
        }
    }
    if !trouble.step.is_empty() {
        writeln!(out, "  in step: {}", clean_line(&trouble.step))?;
    }
    writeln!(out)?;
    for line in clean(&trouble.text).lines() {
        let text = match columns(line) + 4 <= style.width {
            true => format!("    {line}"),
            false => format!("    {}", lookup::wrap(line, 6, style).trim_start()),
        };
        writeln!(out, "{}", text.trim_end())?;
    }
    writeln!(out)?;
    if !trouble.differences.is_empty() {
        let narrower = Style {
            width: style.width.saturating_sub(4),
            ..*style
        };
        let mut table = Vec::new();
        let heads = ["", "is", "expected"];
        lookup::compared(&mut table, &trouble.differences, heads, &narrower)?;
        for line in String::from_utf8_lossy(&table).lines() {
            writeln!(out, "    {line}")?;
        }
        writeln!(out)?;
    }
    if trouble.before > 0 {
        let before = plural(trouble.before as usize, "frame");
        writeln!(out, "    … {before} before these")?;
    }
    let rungs = ladder(trouble, style);
    if !rungs.is_empty() {
        writeln!(out, "{rungs}")?;
    }
    let printed = clean(&result.printed);
    let lines: Vec<&str> = printed.lines().collect();
    let first = lines.len().saturating_sub(PRINTED);
    for (at, line) in lines.iter().skip(first).enumerate() {
        let head = if at == 0 { "printed" } else { "" };
        writeln!(out, "  {head:<8} {line}")?;
    }
    if let Some(path) = &result.capture {
        let path = clean_line(&path.to_string_lossy());
        writeln!(out, "  capture  {path}")?;
    }
    writeln!(out, "  again    {}", clean_line(&trouble.again))
}

impl Reporter for Text {
    fn begin(&mut self, tests: u64, broken: &[Broken]) -> io::Result<()> {
        for it in broken {
            let text = format!("{}  {}\n\n", self.word(WARN, "FAIL"), self::broken(it));
            self.print(&text)?;
        }
        if io::stderr().is_terminal() && io::stdout().is_terminal() {
            let bar = ProgressBar::with_draw_target(Some(tests), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{bar:30} {pos}/{len}  {wide_msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            self.bar = Some(bar);
        }
        Ok(())
    }

    fn starts(&mut self, test: &TestName) {
        if let Some(bar) = &self.bar {
            bar.set_message(clean_line(&test.name));
        }
    }

    fn ends(&mut self, result: &TestResult) -> io::Result<()> {
        if self
            .file
            .as_ref()
            .is_some_and(|it| it.0 != result.test.file)
        {
            self.file_line()?;
        }
        let (_, totals) = self
            .file
            .get_or_insert_with(|| (result.test.file.clone(), Totals::default()));
        totals.count(result);
        totals.took += result.took;
        let id = clean_line(&result.id());
        let text = match &result.status {
            Status::Passed if self.verbose => {
                let took = self.style.paint(DIM, &duration(result.took));
                format!("{}  {id}   {took}\n", self.word(GOOD, "ok"))
            }
            Status::Passed => String::new(),
            Status::Skipped(reason) => {
                format!(
                    "{}  {id}   {}\n",
                    self.word(SKIP, "skip"),
                    clean_line(reason)
                )
            }
            Status::Failed(trouble) => {
                let mut out = Vec::new();
                let cause = match trouble.cause {
                    Cause::Assertion => String::new(),
                    cause => format!("   {}", cause.name()),
                };
                writeln!(
                    out,
                    "{}  {}{cause}",
                    self.word(WARN, "FAIL"),
                    self.style.paint(BOLD, &id)
                )?;
                self::trouble(&mut out, result, trouble, &self.style)?;
                writeln!(out)?;
                String::from_utf8_lossy(&out).into_owned()
            }
        };
        if !text.is_empty() {
            self.print(&text)?;
        }
        if let Some(bar) = &self.bar {
            bar.inc(1);
        }
        Ok(())
    }

    fn finish(&mut self, totals: &Totals) -> io::Result<()> {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        self.file_line()?;
        let tests = totals.passed + totals.failed + totals.skipped;
        let (tests_word, files_word) = (
            if tests == 1 { "test" } else { "tests" },
            if totals.files == 1 { "file" } else { "files" },
        );
        let counts = match totals.exit_code() {
            0 => self.style.paint(GOOD, &counts(totals)),
            _ => self.style.paint(WARN, &counts(totals)),
        };
        let text = format!(
            "\n{tests} {tests_word} in {} {files_word}: {counts} in {}   seed {}\n",
            totals.files,
            duration(totals.took),
            totals.seed
        );
        self.print(&text)?;
        if totals.interrupted {
            writeln!(io::stderr(), "interrupted")?;
        }
        Ok(())
    }
}
