//! What tests in scripts gave: data that reports are made from.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::outcome::Entry;
use crate::dhcp::difference::Difference;

/// A line of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file's name.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What stands there.
    pub source: String,
}

/// A test that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestName {
    /// The file, as it was named or found.
    pub file: String,
    /// The function, with its case in brackets: `test_lease[printer]`.
    pub name: String,
    /// The line on which the function is defined.
    pub line: usize,
    /// Its tags, the file's among them.
    pub tags: Vec<String>,
}

impl TestName {
    /// What names it on the command line: `FILE::NAME`.
    pub fn id(&self) -> String {
        format!("{}::{}", self.file, self.name)
    }
}

/// Why a test failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// An assertion did not hold.
    Assertion,
    /// The script could not go on.
    Error,
    /// It took longer than `--timeout` allows.
    Timeout,
    /// The user stopped the run while it ran.
    Interrupted,
}

impl Cause {
    /// In a word.
    pub fn name(self) -> &'static str {
        match self {
            Cause::Assertion => "failed",
            Cause::Error => "error",
            Cause::Timeout => "timeout",
            Cause::Interrupted => "interrupted",
        }
    }
}

/// What is known of a failure.
#[derive(Clone, Debug)]
pub struct Trouble {
    /// Why it failed.
    pub cause: Cause,
    /// The assertion with its values, or the error; several lines.
    pub text: String,
    /// What the script said that it was doing (`step`, `setup`, `teardown`); empty where it said nothing.
    pub step: String,
    /// In what the frames differ, where two were compared.
    pub differences: Vec<Difference>,
    /// Where it happened, the innermost call first.
    pub places: Vec<Place>,
    /// The last frames that were sent and received.
    pub entries: Vec<Entry>,
    /// How many frames there were before those.
    pub before: u64,
    /// The command that repeats just this test.
    pub again: String,
    /// The exit code that says the error; 1 for what did not hold.
    pub exit_code: u8,
}

/// What became of a test.
#[derive(Clone, Debug)]
pub enum Status {
    /// Everything held.
    Passed,
    /// Something did not.
    Failed(Box<Trouble>),
    /// It was not made, for this reason.
    Skipped(String),
}

/// A test with what became of it.
#[derive(Clone, Debug)]
pub struct TestResult {
    /// Which test.
    pub test: TestName,
    /// How it ended.
    pub status: Status,
    /// The run's seed for it.
    pub seed: u64,
    /// Which of its repetitions this is, from 1, and how many there are; `None` where it runs once.
    pub repetition: Option<(u32, u32)>,
    /// Time it took on the real clock.
    pub took: Duration,
    /// Frames it sent and received.
    pub frames: u64,
    /// What it printed.
    pub printed: String,
    /// Its frames, as a capture.
    pub capture: Option<PathBuf>,
}

impl TestResult {
    /// Why it failed, if it did.
    pub fn trouble(&self) -> Option<&Trouble> {
        match &self.status {
            Status::Failed(trouble) => Some(trouble),
            _ => None,
        }
    }

    /// The test's name, with the repetition: `test_lease [2/3]`.
    pub fn name(&self) -> String {
        match self.repetition {
            Some((this, all)) => format!("{} [{this}/{all}]", self.test.name),
            None => self.test.name.clone(),
        }
    }

    /// What it is told as: `FILE::NAME`, with the repetition.
    pub fn id(&self) -> String {
        format!("{}::{}", self.test.file, self.name())
    }

    /// The status in a word.
    pub fn status_name(&self) -> &'static str {
        match &self.status {
            Status::Passed => "passed",
            Status::Failed(trouble) => trouble.cause.name(),
            Status::Skipped(_) => "skipped",
        }
    }
}

/// A file whose tests could not be found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The file.
    pub file: String,
    /// Why.
    pub text: String,
    /// Where, the innermost call first.
    pub places: Vec<Place>,
}

/// The end of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Files with tests.
    pub files: usize,
    /// Tests of each end.
    pub passed: u64,
    /// Tests that failed for any cause.
    pub failed: u64,
    /// Tests that skipped themselves.
    pub skipped: u64,
    /// Tests that were not run any more.
    pub left: u64,
    /// Files that could not be loaded.
    pub broken: u64,
    /// The seed that all chance follows from.
    pub seed: u64,
    /// Time on the real clock.
    pub took: Duration,
    /// Whether the user stopped it.
    pub interrupted: bool,
    /// Whether the link could not be opened or used.
    pub link_failed: bool,
}

impl Totals {
    /// Counts a result.
    pub fn count(&mut self, result: &TestResult) {
        match &result.status {
            Status::Passed => self.passed += 1,
            Status::Skipped(_) => self.skipped += 1,
            Status::Failed(trouble) => {
                self.failed += 1;
                self.link_failed |= trouble.exit_code == 5;
            }
        }
    }

    /// The exit code that says it.
    pub fn exit_code(&self) -> u8 {
        match () {
            _ if self.interrupted => 130,
            _ if self.broken > 0 => 2,
            _ if self.link_failed => 5,
            _ if self.failed > 0 => 1,
            _ => 0,
        }
    }
}

/// Hears of tests as they run. Reports implement it.
pub trait Reporter {
    /// So many tests are about to run.
    fn begin(&mut self, tests: u64, broken: &[Broken]) -> io::Result<()>;
    /// A test starts.
    fn starts(&mut self, test: &TestName);
    /// A test has ended.
    fn ends(&mut self, result: &TestResult) -> io::Result<()>;
    /// All have.
    fn finish(&mut self, totals: &Totals) -> io::Result<()>;
}
