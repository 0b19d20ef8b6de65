//! Runs one test: its session, its module, its capture, and what became of it.

use std::cell::RefCell;
use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use starlark::values::Value;

use super::super::engine::{Engine, Module, ScriptError};
use super::super::host::Host;
use super::find::{self, Found, TestFile};
use super::watchdog::Watchdog;
use crate::commands::Error;
use crate::commands::args::{ColorChoice, LinkArgs, parse_duration};
use crate::commands::outcome::Entry;
use crate::commands::script::{TEST_TIMEOUT, TestArgs};
use crate::commands::session::Session;
use crate::commands::tests::{Cause, Place, Status, TestResult, Trouble};
use crate::link::capture::{CaptureWriter, InterfaceInfo, Packet};
use crate::view::{Style, summary};

/// Frames of a test that are remembered; of more the last ones.
const FRAMES: usize = 4000;

/// Frames of a failure that a report may show.
const SHOWN: usize = 40;

/// Bytes kept of what a test prints.
const PRINTED: usize = 64 << 10;

/// Why source sends nothing while it is read.
const READING: &str = "nothing is sent while a test file is read: put it into setup() or a test";

/// What a test prints, as much as is kept.
#[derive(Clone, Default)]
struct Captured(Rc<RefCell<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut kept = self.0.borrow_mut();
        let room = PRINTED.saturating_sub(kept.len());
        kept.extend(bytes.iter().take(room));
        if room > 0 && room < bytes.len() {
            kept.extend_from_slice("…\n".as_bytes());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Runs tests one after the other.
pub struct Runner<'a> {
    args: &'a TestArgs,
    seed: u64,
    interface: String,
    /// Ends what takes too long.
    pub watchdog: Watchdog,
    interrupted: Arc<AtomicBool>,
    /// Where captures go, once there is one.
    captures: Option<PathBuf>,
    /// Names of captures that are taken.
    taken: HashSet<String>,
}

/// The seed of a test: another one for each name, the same in each run with the same seed.
fn seed_of(seed: u64, name: &str) -> u64 {
    // FNV-1a.
    name.bytes()
        .fold(seed ^ 0xcbf2_9ce4_8422_2325, |all, byte| {
            (all ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
}

/// An error as what is told of it.
#[derive(Default)]
struct Ended {
    error: ScriptError,
    step: String,
    late: bool,
}

impl<'a> Runner<'a> {
    /// A runner with the run's seed and link.
    pub fn new(
        args: &'a TestArgs,
        seed: u64,
        interface: String,
        watchdog: Watchdog,
        interrupted: Arc<AtomicBool>,
    ) -> Self {
        Runner {
            args,
            seed,
            interface,
            watchdog,
            interrupted,
            captures: None,
            taken: HashSet::new(),
        }
    }

    /// The link that tests use where they name none.
    pub fn link(&self) -> LinkArgs {
        LinkArgs {
            impair: None,
            interface: self.interface.clone(),
            vlan: Vec::new(),
            no_promisc: false,
        }
    }

    fn host(&self, seed: u64, printed: &Captured) -> Host {
        let session = Session::new(Some(seed), self.interrupted.clone());
        let style = Style::detect(ColorChoice::Never, false);
        let (out, err) = (Box::new(printed.clone()), Box::new(printed.clone()));
        let host = Host::new(session, out, err, style);
        host.settings
            .borrow_mut()
            .interface
            .clone_from(&self.interface);
        host.remembers.set(FRAMES);
        host.quiet.set(true);
        host.counts_on.set(true);
        host
    }

    /// A host that source runs against to be read, and that sends nothing.
    pub fn reading_host(&self) -> Host {
        let host = self.host(self.seed, &Captured::default());
        host.session.borrow_mut().refuse_links(Some(READING));
        host
    }

    /// Runs a test, for the `again`th time after the first.
    pub fn run(&mut self, file: &TestFile, found: &Found, again: u32) -> Result<TestResult, Error> {
        let seed = self.seed.wrapping_add(again.into());
        let printed = Captured::default();
        let host = self.host(seed_of(seed, &found.test.name), &printed);
        let started = Instant::now();
        let ended = self.attempt(&host, file, found);
        let took = started.elapsed();
        // What was cut short says nothing, whatever came of it: silence above all.
        let interrupted = self.interrupted.load(Ordering::Relaxed);
        let status = match ended {
            Err(ended) => self.status(&host, found, seed, *ended, interrupted),
            Ok(()) if interrupted => self.status(&host, found, seed, Ended::default(), true),
            Ok(()) => Status::Passed,
        };
        let failed = matches!(status, Status::Failed(_));
        let capture = match failed || self.args.captures.is_some() {
            true => self.write(&host, found)?,
            false => None,
        };
        let frames = host.log.borrow().len() as u64 + host.forgotten.get();
        drop(host);
        let printed = String::from_utf8_lossy(&printed.0.take()).into_owned();
        Ok(TestResult {
            test: found.test.clone(),
            status,
            seed,
            repetition: (self.args.repeat > 1).then_some((again + 1, self.args.repeat)),
            took,
            frames,
            printed,
            capture,
        })
    }

    fn attempt(&self, host: &Host, file: &TestFile, found: &Found) -> Result<(), Box<Ended>> {
        let engine = Engine::new(host);
        Module::with_temp_heap(|module| {
            let at = |step: &str| *host.step.borrow_mut() = step.to_string();
            let ended = |error, late| {
                let step = host.step.borrow().clone();
                Box::new(Ended { error, step, late })
            };
            self.watchdog.start(self.args.timeout);
            module.set("argv", module.heap().alloc(Vec::<String>::new()));
            host.session.borrow_mut().refuse_links(Some(READING));
            let read = engine.run(&module, &file.name, &file.source);
            host.session.borrow_mut().refuse_links(None);
            if let Err(error) = read {
                return Err(ended(error, self.watchdog.stop()));
            }
            let function = |name: &str| module.get(name).filter(|it| it.get_type() == "function");
            let optional = |name: &str| match function(name) {
                Some(it) => {
                    at(name);
                    engine.call(&module, it, &[]).map(|_| ())
                }
                None => Ok(()),
            };
            let result = optional("setup").and_then(|()| {
                at("");
                let case = found
                    .case
                    .and_then(|at| find::case(&module, &found.function, at));
                let case: Vec<Value> = case.into_iter().collect();
                match function(&found.function) {
                    Some(it) => engine.call(&module, it, &case).map(|_| ()),
                    None => Ok(()),
                }
            });
            let late = self.watchdog.stop();
            let result = result.map_err(|it| ended(it, late));
            // What was taken is given back even by a test that took too long.
            // So it is after an interrupt; another one breaks it off.
            let stopped = self.interrupted.swap(false, Ordering::Relaxed);
            self.watchdog.start(self.args.timeout);
            let after = optional("teardown");
            let late = self.watchdog.stop();
            self.interrupted.fetch_or(stopped, Ordering::Relaxed);
            result.and(after.map_err(|it| ended(it, late)))
        })
    }

    /// What an error means for the test.
    fn status(
        &self,
        host: &Host,
        found: &Found,
        seed: u64,
        ended: Ended,
        interrupted: bool,
    ) -> Status {
        let (exit_code, error) = (ended.error.exit_code, *ended.error.why);
        let mut text = error.message;
        let mut differences = Vec::new();
        let mut cause = Cause::Error;
        if interrupted {
            cause = Cause::Interrupted;
            text = "interrupted".to_string();
        } else if ended.late {
            cause = Cause::Timeout;
            text = match self.args.timeout {
                Duration::ZERO => "stopped: --timeout 0 leaves a test no time".into(),
                limit => format!("stopped: it took longer than --timeout {limit:?}"),
            };
        } else if let Some(failure) = error.failure {
            if failure.skipped {
                return Status::Skipped(failure.text);
            }
            cause = Cause::Assertion;
            text = failure.text;
            differences = failure.differences;
        } else if found.case.is_none() && text.starts_with("Missing") {
            text += &format!(
                "\na test that takes a value needs cases = […], or cases = {{\"{}\": […]}}",
                found.function
            );
        }
        let mut places = error.places;
        if places.is_empty() {
            places.push(Place {
                file: found.test.file.clone(),
                line: found.test.line,
                source: format!("def {}", found.function),
            });
        }
        let log = host.log.borrow();
        let first = log.len().saturating_sub(SHOWN);
        Status::Failed(Box::new(Trouble {
            cause,
            text,
            step: ended.step,
            differences,
            places,
            entries: numbered(&log).skip(first).collect(),
            before: first as u64 + host.forgotten.get(),
            again: self.again(found, seed),
            exit_code,
        }))
    }

    /// The command that repeats a test with its seed.
    fn again(&self, found: &Found, seed: u64) -> String {
        let mut words = vec!["dhcpcraft".to_string(), "test".into(), found.test.id()];
        words.extend(["--seed".to_string(), seed.to_string()]);
        if let Some(name) = &self.args.talk.interface {
            words.extend(["-i".to_string(), name.clone()]);
        }
        let timeout = self.args.timeout;
        if parse_duration(TEST_TIMEOUT) != Ok(timeout) {
            words.extend([
                "--timeout".to_string(),
                format!("{}s", timeout.as_secs_f64()),
            ]);
        }
        let quoted = words.iter().map(|it| match shlex::try_quote(it) {
            Ok(quoted) => quoted.into_owned(),
            // No shell can pass such a word on.
            Err(_) => format!("{it:?}"),
        });
        quoted.collect::<Vec<_>>().join(" ")
    }

    /// Writes the frames of a test, each with a comment that names the test and its step.
    fn write(&mut self, host: &Host, found: &Found) -> Result<Option<PathBuf>, Error> {
        let log = host.log.borrow();
        if log.is_empty() {
            return Ok(None);
        }
        let directory = self.directory()?;
        let path = directory.join(self.file_name(found));
        let mut writer = CaptureWriter::create(&path)?;
        let mut link_types: Vec<u32> = Vec::new();
        for entry in log.iter() {
            let known = link_types.iter().position(|it| *it == entry.link_type);
            let interface = known.unwrap_or(link_types.len());
            if known.is_none() {
                link_types.push(entry.link_type);
                let info = InterfaceInfo::new(&self.interface, entry.link_type);
                writer.declare(interface as u32, &info)?;
            }
            writer.write(&packet(entry, interface as u32, &found.test.name))?;
        }
        writer.finish()?;
        Ok(Some(path))
    }

    fn directory(&mut self) -> Result<PathBuf, Error> {
        if let Some(known) = &self.captures {
            return Ok(known.clone());
        }
        let made = match &self.args.captures {
            Some(path) => {
                std::fs::create_dir_all(path).map_err(|it| Error::file(path, it))?;
                path.clone()
            }
            None => own_directory(&std::env::temp_dir())?,
        };
        self.captures = Some(made.clone());
        Ok(made)
    }

    /// A name for a test's capture that no other test of this run has.
    fn file_name(&mut self, found: &Found) -> String {
        let file = Path::new(&found.test.file).file_stem().unwrap_or_default();
        let text = format!("{}.{}", file.to_string_lossy(), found.test.name);
        let safe = |c: char| c.is_ascii_alphanumeric() || "._-[]".contains(c);
        let name: String = text
            .chars()
            .map(|c| if safe(c) { c } else { '_' })
            .take(100)
            .collect();
        let name = name
            .replace(['[', ']'], "-")
            .trim_matches(['-', '.'])
            .to_string();
        let mut unique = name.clone();
        let mut times = 1;
        while !self.taken.insert(unique.clone()) {
            times += 1;
            unique = format!("{name}-{times}");
        }
        format!("{unique}.pcapng")
    }
}

/// A directory that nobody else made.
fn own_directory(parent: &Path) -> Result<PathBuf, Error> {
    use std::os::unix::fs::DirBuilderExt;
    let mut times = 0;
    loop {
        let path = parent.join(format!("dhcpcraft-test-{}-{times}", std::process::id()));
        match std::fs::DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => return Ok(path),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && times < 1000 => {
                times += 1
            }
            Err(error) => return Err(Error::file(&path, error)),
        }
    }
}

/// Frames with their numbers in the capture, which holds what is remembered.
fn numbered(log: &[Entry]) -> impl Iterator<Item = Entry> + '_ {
    let rows = log.iter().zip(1..);
    rows.map(|(entry, number)| Entry {
        number,
        ..entry.clone()
    })
}

fn packet(entry: &Entry, interface: u32, test: &str) -> Packet {
    let said = entry.comment.clone().unwrap_or_else(|| summary(entry));
    Packet {
        at: entry.at,
        link_type: entry.link_type,
        interface,
        original_len: entry.original_len as u32,
        bytes: entry.bytes.clone(),
        comment: Some(format!("{test}: {said}")),
    }
}
