//! Tests as JSON lines: an object for each test and each file that was not loaded, and one with the totals.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::super::{json as frame_json, lookup};
use crate::commands::tests::{Broken, Place, Reporter, Status, TestName, TestResult, Totals};

/// Prints JSON lines.
pub struct Json {
    out: Box<dyn Write>,
}

impl Json {
    /// A report into this writer.
    pub fn new(out: Box<dyn Write>) -> Self {
        Json { out }
    }
}

fn place(it: &Place) -> Value {
    json!({"file": it.file, "line": it.line, "source": it.source})
}

/// What names a test.
pub fn name(test: &TestName) -> Value {
    json!({"file": test.file, "test": test.name, "line": test.line, "tags": test.tags})
}

fn result(it: &TestResult) -> Value {
    let mut row = name(&it.test);
    row["status"] = json!(it.status_name());
    row["seconds"] = json!(it.took.as_secs_f64());
    row["seed"] = json!(it.seed);
    if let Some((this, _)) = it.repetition {
        row["repetition"] = json!(this);
    }
    row["frames"] = json!(it.frames);
    match &it.status {
        Status::Passed => {}
        Status::Skipped(reason) => row["reason"] = json!(reason),
        Status::Failed(trouble) => {
            let differences: Vec<_> = trouble
                .differences
                .iter()
                .map(lookup::difference_json)
                .collect();
            row["message"] = json!(trouble.text);
            row["step"] = json!(trouble.step);
            row["differences"] = json!(differences);
            row["places"] = json!(trouble.places.iter().map(place).collect::<Vec<_>>());
            row["exchange"] = json!(trouble.entries.iter().map(frame_json).collect::<Vec<_>>());
            row["printed"] = json!(it.printed);
            row["again"] = json!(trouble.again);
        }
    }
    if let Some(path) = &it.capture {
        row["capture"] = json!(path.to_string_lossy());
    }
    row
}

impl Reporter for Json {
    fn begin(&mut self, _tests: u64, broken: &[Broken]) -> io::Result<()> {
        for it in broken {
            let places: Vec<_> = it.places.iter().map(place).collect();
            let row = json!({"file": it.file, "status": "not loaded", "message": it.text, "places": places});
            writeln!(self.out, "{row}")?;
        }
        self.out.flush()
    }

    fn starts(&mut self, _test: &TestName) {}

    fn ends(&mut self, it: &TestResult) -> io::Result<()> {
        writeln!(self.out, "{}", result(it))?;
        self.out.flush()
    }

    fn finish(&mut self, totals: &Totals) -> io::Result<()> {
        let row = json!({
            "passed": totals.passed,
            "failed": totals.failed,
            "skipped": totals.skipped,
            "not_run": totals.left,
            "not_loaded": totals.broken,
            "seconds": totals.took.as_secs_f64(),
            "seed": totals.seed,
            "interrupted": totals.interrupted,
            "code": totals.exit_code(),
        });
        writeln!(self.out, "{row}")?;
        self.out.flush()
    }
}
