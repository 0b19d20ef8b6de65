//! What the tests that need a network share: namespaces of their own, real servers in them, and waiting.
//!
//! A test says `mod support;` and starts with [`segment::Segment::new`]. Everything here panics with the next step when
//! it cannot do its work: a peer that is missing is a failed test, never a skipped one.

// Each test binary compiles this module anew and uses a part of it.
#![allow(dead_code)]

pub mod clients;
pub mod leases;
pub mod peers;
pub mod process;
pub mod relay;
pub mod segment;
pub mod terminal;
pub mod tool;
pub mod wire;

use std::{
    env,
    path::PathBuf,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Asks `condition` every 20 ms until it holds or `timeout` is over; says whether it held.
#[must_use]
pub fn wait_for(mut condition: impl FnMut() -> bool, timeout: Duration) -> bool {
    let deadline = Instant::now() + timeout;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// [`wait_for`] that panics with `what` when the time is over.
#[track_caller]
pub fn expect_within(what: &str, timeout: Duration, condition: impl FnMut() -> bool) {
    assert!(
        wait_for(condition, timeout),
        "after {timeout:?} still waiting for: {what}"
    );
}

/// The path of an installed program; panics with the Debian package that brings it when there is none.
#[track_caller]
pub fn require(program: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    // A plain user's PATH often lacks the directories where the servers are.
    env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .map(|directory| directory.join(program))
        .find(|file| file.is_file())
        .unwrap_or_else(|| {
            let package = include_str!("../../scripts/packages")
                .lines()
                .filter_map(|line| line.split_once(char::is_whitespace))
                .find_map(|(name, package)| (name == program).then_some(package.trim()))
                .unwrap_or(program);
            panic!("{program} is not installed: run scripts/test, or apt install {package}")
        })
}

/// Runs tshark over a capture with further arguments and returns what it prints.
///
/// A capture that still grows may end within a record, so the exit status is not looked at; a capture that tshark cannot
/// open at all panics.
#[track_caller]
pub fn tshark(capture: &std::path::Path, arguments: &[&str]) -> String {
    let output = Command::new(require("tshark"))
        .arg("-r")
        .arg(capture)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("tshark starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() || errors.contains("cut short"),
        "tshark -r {} {arguments:?}: {errors}",
        capture.display()
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
