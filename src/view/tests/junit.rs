//! Tests as a JUnit file with what Jenkins, GitLab and others have in common: a suite for each file.

use std::io::{self, Write};
use std::time::Duration;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};

use super::{clean, clean_line, details, text};
use crate::commands::tests::{Broken, Cause, Reporter, Status, TestName, TestResult, Totals};

/// A test as it is written at the end. Its texts are safe to print.
pub(in crate::view) struct Case {
    pub name: String,
    pub took: Duration,
    pub ended: Ended,
    pub printed: String,
    /// Its own seed, where the run's does not say it.
    pub seed: Option<u64>,
}

/// How a test ended: the element that says it with its attributes and text.
pub(in crate::view) enum Ended {
    Passed,
    Not {
        element: &'static str,
        message: String,
        kind: &'static str,
        text: String,
    },
}

/// The tests of a file, or checks that belong together.
pub(in crate::view) struct Suite {
    pub file: String,
    pub cases: Vec<Case>,
}

impl Suite {
    fn count(&self, wanted: &str) -> usize {
        let is = |it: &&Case| matches!(&it.ended, Ended::Not { element, .. } if *element == wanted);
        self.cases.iter().filter(is).count()
    }

    fn took(&self) -> Duration {
        self.cases.iter().map(|it| it.took).sum()
    }
}

/// Gathers results and writes them when all are there.
pub struct Junit {
    out: Box<dyn Write>,
    suites: Vec<Suite>,
}

impl Junit {
    /// A report into this writer.
    pub fn new(out: Box<dyn Write>) -> Self {
        Junit {
            out,
            suites: Vec::new(),
        }
    }

    fn push(&mut self, file: &str, case: Case) {
        match self.suites.last_mut().filter(|it| it.file == file) {
            Some(suite) => suite.cases.push(case),
            None => self.suites.push(Suite {
                file: file.to_string(),
                cases: vec![case],
            }),
        }
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.6}", time.as_secs_f64())
}

/// The head of a message, for an attribute.
fn head(text: &str) -> String {
    clean_line(text.lines().next().unwrap_or_default())
}

/// A file's name as a class: CI systems group by the parts between dots.
fn class(file: &str) -> String {
    let file = clean_line(file);
    let name = file.strip_suffix(".star").unwrap_or(&file);
    name.trim_start_matches(['.', '/']).replace('/', ".")
}

type Xml<'a> = Writer<&'a mut dyn Write>;

fn start(xml: &mut Xml, name: &str, attributes: &[(&str, &str)]) -> io::Result<()> {
    let tag = BytesStart::new(name).with_attributes(attributes.iter().copied());
    xml.write_event(Event::Start(tag))
}

fn end(xml: &mut Xml, name: &str) -> io::Result<()> {
    xml.write_event(Event::End(BytesEnd::new(name)))
}

/// An element with text.
fn element(xml: &mut Xml, name: &str, attributes: &[(&str, &str)], text: &str) -> io::Result<()> {
    start(xml, name, attributes)?;
    xml.write_event(Event::Text(BytesText::new(text)))?;
    end(xml, name)
}

fn case(xml: &mut Xml, file: &str, case: &Case) -> io::Result<()> {
    let (took, class) = (seconds(case.took), class(file));
    let attributes = [
        ("name", case.name.as_str()),
        ("classname", class.as_str()),
        ("time", took.as_str()),
    ];
    start(xml, "testcase", &attributes)?;
    if let Ended::Not {
        element: name,
        message,
        kind,
        text,
    } = &case.ended
    {
        element(xml, name, &[("message", message), ("type", kind)], text)?;
    }
    if !case.printed.is_empty() {
        element(xml, "system-out", &[], &case.printed)?;
    }
    end(xml, "testcase")
}

impl Reporter for Junit {
    fn begin(&mut self, _tests: u64, broken: &[Broken]) -> io::Result<()> {
        for it in broken {
            let case = Case {
                name: "(the file)".into(),
                took: Duration::ZERO,
                ended: Ended::Not {
                    element: "error",
                    message: head(&it.text),
                    kind: "not loaded",
                    text: text::broken(it),
                },
                printed: String::new(),
                seed: None,
            };
            self.push(&it.file, case);
        }
        Ok(())
    }

    fn starts(&mut self, _test: &TestName) {}

    fn ends(&mut self, result: &TestResult) -> io::Result<()> {
        let ended = match &result.status {
            Status::Passed => Ended::Passed,
            Status::Skipped(reason) => Ended::Not {
                element: "skipped",
                message: head(reason),
                kind: "skipped",
                text: clean(reason),
            },
            Status::Failed(trouble) => Ended::Not {
                element: match trouble.cause {
                    Cause::Assertion => "failure",
                    Cause::Error | Cause::Timeout | Cause::Interrupted => "error",
                },
                message: head(&trouble.text),
                kind: trouble.cause.name(),
                text: details(result, trouble),
            },
        };
        let case = Case {
            name: clean_line(&result.name()),
            seed: result.repetition.map(|_| result.seed),
            took: result.took,
            ended,
            printed: clean(&result.printed),
        };
        self.push(&result.test.file, case);
        Ok(())
    }

    fn finish(&mut self, totals: &Totals) -> io::Result<()> {
        write(&mut self.out, &self.suites, totals.took, Some(totals.seed))
    }
}

/// Writes the report.
pub(in crate::view) fn write(
    out: &mut dyn Write,
    suites: &[Suite],
    took: Duration,
    seed: Option<u64>,
) -> io::Result<()> {
    let count = |wanted: &str| -> usize { suites.iter().map(|it| it.count(wanted)).sum() };
    let (failures, errors) = (count("failure").to_string(), count("error").to_string());
    let tests: usize = suites.iter().map(|it| it.cases.len()).sum();
    let (tests, took) = (tests.to_string(), seconds(took));
    let mut xml: Xml = Writer::new_with_indent(&mut *out, b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let attributes = [
        ("name", "dhcpcraft"),
        ("tests", tests.as_str()),
        ("failures", failures.as_str()),
        ("errors", errors.as_str()),
        ("time", took.as_str()),
    ];
    start(&mut xml, "testsuites", &attributes)?;
    for suite in suites {
        let file = clean_line(&suite.file);
        let numbers = [
            ("tests", suite.cases.len()),
            ("failures", suite.count("failure")),
            ("errors", suite.count("error")),
            ("skipped", suite.count("skipped")),
        ];
        let numbers = numbers.map(|it| (it.0, it.1.to_string()));
        let took = seconds(suite.took());
        let mut attributes = vec![("name", file.as_str())];
        attributes.extend(numbers.iter().map(|it| (it.0, it.1.as_str())));
        attributes.push(("time", &took));
        start(&mut xml, "testsuite", &attributes)?;
        // Not every reader takes properties of a test.
        let own = suite.cases.iter();
        let own = own.filter_map(|it| Some((format!("seed of {}", it.name), it.seed?)));
        let run = seed.map(|it| ("seed".to_string(), it));
        let seeds: Vec<(String, u64)> = run.into_iter().chain(own).collect();
        if !seeds.is_empty() {
            start(&mut xml, "properties", &[])?;
            for (name, seed) in seeds {
                let attributes = [("name", name.as_str()), ("value", &seed.to_string())];
                element(&mut xml, "property", &attributes, "")?;
            }
            end(&mut xml, "properties")?;
        }
        for it in &suite.cases {
            case(&mut xml, &suite.file, it)?;
        }
        end(&mut xml, "testsuite")?;
    }
    end(&mut xml, "testsuites")?;
    drop(xml);
    writeln!(out)?;
    out.flush()
}
