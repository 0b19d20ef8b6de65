//! `test`: runs the functions `test_…` of scripts, each in a session of its own.
//!
//! A test gets its file's source run anew, so that nothing of one reaches another: then `setup`, the
//! test, and `teardown` whatever became of it. While source runs, nothing can be sent.

mod find;
mod one;
mod select;
mod watchdog;

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::engine::Engine;
use crate::commands::Error;
use crate::commands::script::TestArgs;
use crate::commands::session::Here;
use crate::commands::tests::{Broken, Reporter, Totals};
use crate::view::Style;
use crate::view::tests::Reports;
use find::{Found, TestFile};
use one::Runner;
use select::Selection;
use watchdog::Watchdog;

pub use find::definitions;

/// Runs the tests that the arguments name, and gives the exit code.
pub fn test(args: &TestArgs, interrupted: Arc<AtomicBool>) -> u8 {
    match run(args, interrupted) {
        Ok(code) => code,
        Err(error) => {
            // Where not even that can be written, the exit code has to do.
            let _ = writeln!(std::io::stderr(), "dhcpcraft: {error}");
            error.exit_code()
        }
    }
}

/// The tests that are wanted, by file, and the files that could not be loaded.
struct Plan {
    files: Vec<(TestFile, Vec<Found>)>,
    broken: Vec<Broken>,
    /// Tests before `-k` and `--tag`.
    found: usize,
}

impl Plan {
    fn make(args: &TestArgs, runner: &Runner, interrupted: &AtomicBool) -> Result<Plan, Error> {
        let selection = Selection::new(args)?;
        let mut plan = Plan {
            files: Vec::new(),
            broken: Vec::new(),
            found: 0,
        };
        for file in find::files(&args.paths)? {
            if interrupted.load(Ordering::Relaxed) {
                break;
            }
            let host = runner.reading_host();
            let engine = Engine::new(&host);
            runner.watchdog.start(args.timeout);
            let loaded = find::load(&engine, &file);
            let late = runner.watchdog.stop();
            match loaded {
                Ok(tests) => {
                    plan.found += tests.len();
                    let mut wanted = Vec::new();
                    for it in tests {
                        if selection.takes(&it.test, &engine)? {
                            wanted.push(it);
                        }
                    }
                    if !wanted.is_empty() {
                        plan.files.push((file, wanted));
                    }
                }
                Err(mut broken) => {
                    if late {
                        broken.text = match args.timeout {
                            Duration::ZERO => "--timeout 0 leaves no time to read it".into(),
                            limit => format!("not read within --timeout {limit:?}"),
                        };
                    }
                    plan.broken.push(broken);
                }
            }
        }
        Ok(plan)
    }

    /// Why there is nothing to run.
    fn nothing(&self, args: &TestArgs) -> Error {
        Error::Usage(match self.found {
            0 => format!(
                "no tests in {}: a test is a function whose name begins with test_, in a file that ends in .star",
                args.paths.join(", ")
            ),
            1 => {
                "the one test there is is not chosen by -k and --tag; --list without them shows it"
                    .into()
            }
            found => format!(
                "none of the {found} tests is chosen by -k and --tag; --list without them shows what there is"
            ),
        })
    }
}

/// A seed that is short to write down.
fn some_seed() -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    (u64::from(now.subsec_nanos()) ^ u64::from(std::process::id()) << 8) % 1_000_000
}

fn run(args: &TestArgs, interrupted: Arc<AtomicBool>) -> Result<u8, Error> {
    let interface = args.talk.interface.clone().unwrap_or_else(|| "lab".into());
    let seed = args.talk.seed.seed.unwrap_or_else(some_seed);
    let mut runner = Runner::new(
        args,
        seed,
        interface,
        Watchdog::new(interrupted.clone()),
        interrupted.clone(),
    );
    // Said once and not by every test.
    Here::look(&runner.link())?;
    let plan = Plan::make(args, &runner, &interrupted)?;
    let style = Style::detect(args.talk.color, std::io::stdout().is_terminal());
    let mut reports = Reports::new(args, style)?;
    if args.list {
        let tests = plan
            .files
            .iter()
            .flat_map(|it| it.1.iter().map(|it| &it.test));
        reports.list(tests, &plan.broken)?;
    }
    if plan.files.is_empty() && plan.broken.is_empty() && !interrupted.load(Ordering::Relaxed) {
        return Err(plan.nothing(args));
    }
    if args.list {
        return Ok(if plan.broken.is_empty() { 0 } else { 2 });
    }
    let tests: usize = plan.files.iter().map(|it| it.1.len()).sum();
    let mut left = tests as u64 * u64::from(args.repeat);
    let started = Instant::now();
    let mut totals = Totals {
        files: plan.files.len(),
        broken: plan.broken.len() as u64,
        seed,
        ..Totals::default()
    };
    reports.begin(left, &plan.broken)?;
    'all: for (file, found) in &plan.files {
        for it in found {
            for again in 0..args.repeat {
                if interrupted.load(Ordering::Relaxed) {
                    break 'all;
                }
                reports.starts(&it.test);
                let result = runner.run(file, it, again)?;
                left -= 1;
                totals.count(&result);
                reports.ends(&result)?;
                if args.fail_fast && result.trouble().is_some() {
                    break 'all;
                }
            }
        }
    }
    totals.left = left;
    totals.took = started.elapsed();
    totals.interrupted = interrupted.load(Ordering::Relaxed);
    reports.finish(&totals)?;
    Ok(totals.exit_code())
}
