//! Tests in the Test Anything Protocol, version 13, as `prove` and Jenkins read it.

use std::io::{self, Write};

use super::{clean_line, details, text};
use crate::commands::tests::{Broken, Reporter, Status, TestName, TestResult, Totals};

/// Prints TAP.
pub struct Tap {
    out: Box<dyn Write>,
    number: u64,
}

impl Tap {
    /// A report into this writer.
    pub fn new(out: Box<dyn Write>) -> Self {
        Tap { out, number: 0 }
    }

    /// Lines that a person reads.
    fn diagnosis(&mut self, text: &str) -> io::Result<()> {
        text.lines().try_for_each(|it| writeln!(self.out, "# {it}"))
    }
}

/// A description: `#` would begin a directive.
fn description(text: &str) -> String {
    clean_line(text).replace('\\', "\\\\").replace('#', "\\#")
}

impl Reporter for Tap {
    fn begin(&mut self, tests: u64, broken: &[Broken]) -> io::Result<()> {
        writeln!(
            self.out,
            "TAP version 13\n1..{}",
            tests + broken.len() as u64
        )?;
        for it in broken {
            self.number += 1;
            writeln!(
                self.out,
                "not ok {} - {}",
                self.number,
                description(&it.file)
            )?;
            self.diagnosis(&text::broken(it))?;
        }
        self.out.flush()
    }

    fn starts(&mut self, _test: &TestName) {}

    fn ends(&mut self, result: &TestResult) -> io::Result<()> {
        self.number += 1;
        let (number, id) = (self.number, description(&result.id()));
        match &result.status {
            Status::Passed => writeln!(self.out, "ok {number} - {id}")?,
            Status::Skipped(reason) => {
                let reason = description(reason);
                writeln!(self.out, "ok {number} - {id} # SKIP {reason}")?;
            }
            Status::Failed(trouble) => {
                writeln!(self.out, "not ok {number} - {id}")?;
                self.diagnosis(&details(result, trouble))?;
            }
        }
        self.out.flush()
    }

    fn finish(&mut self, totals: &Totals) -> io::Result<()> {
        if totals.left > 0 {
            let why = if totals.interrupted {
                "interrupted"
            } else {
                "stopped at the first failure"
            };
            writeln!(self.out, "Bail out! {why}")?;
        }
        self.diagnosis(&format!("seed {}", totals.seed))?;
        self.out.flush()
    }
}
