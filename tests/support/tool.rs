//! The program, run as a user runs it.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value as Json;

/// The program.
pub const TOOL: &str = env!("CARGO_BIN_EXE_dhcpcraft");

/// What a run gave.
#[derive(Debug)]
pub struct Run {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Run {
    /// Its lines of JSON; panics at anything else on the output.
    #[track_caller]
    pub fn json(&self) -> Vec<Json> {
        let parse = |line: &str| match serde_json::from_str::<Json>(line) {
            Ok(json) if json.is_object() => json,
            other => panic!("{line:?} is no JSON object: {other:?}\n{}", self.err),
        };
        self.out.lines().map(parse).collect()
    }

    /// The run failed with this code, and said why in one line that holds `parts`.
    #[track_caller]
    pub fn failed(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        let said = self
            .err
            .lines()
            .rfind(|it| it.starts_with("dhcpcraft: ") || it.starts_with("error: "));
        let said = said.unwrap_or_else(|| panic!("no diagnosis: {self:?}"));
        for part in parts {
            assert!(said.contains(part), "{part:?} is not in {said:?}");
        }
        assert!(!self.err.contains("panicked"), "{}", self.err);
    }

    /// The run ended well.
    #[track_caller]
    pub fn succeeded(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }
}

/// A command of the program, without the terminal's variables.
pub fn command(args: &[&str]) -> Command {
    let mut command = Command::new(TOOL);
    command
        .args(args)
        .env_remove("COLUMNS")
        .env_remove("NO_COLOR");
    command
}

/// Runs a command to its end with `input` on its standard input.
#[track_caller]
pub fn finish(command: &mut Command, input: &[u8]) -> Run {
    let pipes = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = pipes.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_vec();
    // The program may end before it has read everything.
    let feeder = thread::spawn(move || drop(stdin.write_all(&input)));
    let mut stderr = child.stderr.take().expect("a pipe");
    let errors = thread::spawn(move || {
        let mut text = Vec::new();
        stderr.read_to_end(&mut text).map(|_| text)
    });
    let output = child.wait_with_output().expect("it ends");
    feeder.join().expect("fed");
    let errors = errors.join().expect("read").expect("read");
    Run {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).expect("UTF-8 on standard output"),
        err: String::from_utf8(errors).expect("UTF-8 on standard error"),
    }
}

/// Runs the program.
#[track_caller]
pub fn tool(args: &[&str]) -> Run {
    finish(&mut command(args), b"")
}

/// Runs the program with `input` on its standard input.
#[track_caller]
pub fn feed(args: &[&str], input: &[u8]) -> Run {
    finish(&mut command(args), input)
}

/// An empty directory of the test's own.
pub fn scratch(name: &str) -> PathBuf {
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory).expect("a directory");
    directory
}

/// A path as an argument.
pub fn text(path: &std::path::Path) -> &str {
    path.to_str().expect("UTF-8")
}
