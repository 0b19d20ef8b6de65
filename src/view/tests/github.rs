//! Failures as annotations of GitHub Actions: workflow commands that put them beside the source.

use std::io::{self, Write};

use super::{clean, clean_line};
use crate::commands::tests::{Broken, Place, Reporter, Status, TestName, TestResult, Totals};

/// Prints workflow commands.
pub struct Github {
    out: Box<dyn Write>,
}

impl Github {
    /// Annotations into this writer.
    pub fn new(out: Box<dyn Write>) -> Self {
        Github { out }
    }

    fn annotate(&mut self, kind: &str, place: &Place, title: &str, text: &str) -> io::Result<()> {
        let (file, title) = (property(&place.file), property(title));
        let (line, text) = (place.line, data(&clean(text)));
        writeln!(
            self.out,
            "::{kind} file={file},line={line},title={title}::{text}"
        )
    }
}

/// A command's text: it ends with the line.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A property of a command: it ends with a comma or a colon as well.
fn property(text: &str) -> String {
    data(&clean_line(text))
        .replace(':', "%3A")
        .replace(',', "%2C")
}

/// The place to annotate: the innermost call in the test's own file, or else the test.
fn place_in(file: &str, line: usize, places: &[Place]) -> Place {
    let own = places.iter().find(|it| it.file == file);
    own.cloned().unwrap_or(Place {
        file: file.to_string(),
        line,
        source: String::new(),
    })
}

impl Reporter for Github {
    fn begin(&mut self, _tests: u64, broken: &[Broken]) -> io::Result<()> {
        for it in broken {
            let place = place_in(&it.file, 1, &it.places);
            self.annotate("error", &place, "not loaded", &it.text)?;
        }
        self.out.flush()
    }

    fn starts(&mut self, _test: &TestName) {}

    fn ends(&mut self, result: &TestResult) -> io::Result<()> {
        let test = &result.test;
        match &result.status {
            Status::Passed => return Ok(()),
            Status::Skipped(reason) => {
                let place = place_in(&test.file, test.line, &[]);
                let title = format!("{} skipped", result.name());
                self.annotate("notice", &place, &title, reason)?;
            }
            Status::Failed(trouble) => {
                let place = place_in(&test.file, test.line, &trouble.places);
                let text = format!("{}\nagain: {}", trouble.text, trouble.again);
                self.annotate("error", &place, &result.name(), &text)?;
            }
        }
        self.out.flush()
    }

    fn finish(&mut self, _totals: &Totals) -> io::Result<()> {
        Ok(())
    }
}
