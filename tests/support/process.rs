//! A process inside the namespaces of a segment, and its end.

use super::{expect_within, require, wait_for};
use std::{
    fs,
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    time::Duration,
};

/// A program started through `unshare` or `nsenter`, which fork once: `child` is the one in front, `pid` the program.
pub struct Process {
    child: Child,
    pid: u32,
}

impl Process {
    /// Starts a command that forks once.
    #[track_caller]
    pub fn start(command: &mut Command) -> Self {
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let children = format!("/proc/{0}/task/{0}/children", child.id());
        let mut process = Self { child, pid: 0 };
        let found = wait_for(
            || {
                process.pid = fs::read_to_string(&children)
                    .ok()
                    .and_then(|text| text.split_whitespace().next()?.parse().ok())
                    .unwrap_or(0);
                process.pid != 0 || process.has_ended()
            },
            Duration::from_secs(10),
        );
        assert!(found, "{command:?} did not start its program");
        process
    }

    /// Starts a command that keeps a namespace: its program prints a line when it is there and then waits.
    ///
    /// Panics with what it wrote to its standard error when that line does not come.
    #[track_caller]
    pub fn start_holder(command: &mut Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = Self::start(command);
        let stdout = process.child.stdout.take().expect("stdout is a pipe");
        let mut line = String::new();
        let read = BufReader::new(stdout).read_line(&mut line);
        if read.unwrap_or(0) == 0 {
            let mut errors = String::new();
            if let Some(mut stderr) = process.child.stderr.take() {
                let _ = stderr.read_to_string(&mut errors);
            }
            panic!(
                "cannot make namespaces: {}: run the tests with scripts/test, or as root",
                errors.trim()
            );
        }
        process
    }

    /// The program's process id, as this process sees it.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The path of its network namespace.
    pub fn net(&self) -> String {
        format!("/proc/{}/ns/net", self.pid)
    }

    /// Closes its standard input, which ends a program that waits on it.
    pub fn close_stdin(&mut self) {
        self.child.stdin = None;
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends it a signal, by a name such as `USR1`.
    #[track_caller]
    pub fn signal(&self, name: &str) {
        assert!(
            self.send(name),
            "process {} takes no SIG{name}: it has ended",
            self.pid
        );
    }

    /// Asks it to end with a signal and waits until it did.
    #[track_caller]
    pub fn end(&mut self, signal: &str) {
        if !self.has_ended() {
            self.send(signal);
            expect_within("a process to end", Duration::from_secs(10), || {
                self.has_ended()
            });
        }
    }

    fn send(&self, signal: &str) -> bool {
        // The shell's own `kill` spares a package.
        Command::new(require("sh"))
            .args(["-c", "kill -\"$0\" \"$1\"", signal, &self.pid.to_string()])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.has_ended() {
            if self.pid == 0 || !self.send("KILL") {
                let _ = self.child.kill();
            }
            let _ = self.child.wait();
        }
    }
}
