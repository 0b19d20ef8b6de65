//! Arguments of what runs the language: `run` and `repl`. The floor of the language runs them.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::args::{ColorChoice, SeedArgs, parse_duration};

/// Arguments of `run`.
#[derive(Clone, Debug, Default, Args)]
pub struct RunArgs {
    /// The script; - for standard input
    #[arg(value_name = "FILE.star", required_unless_present = "expression")]
    pub file: Option<PathBuf>,
    /// Run this source instead and print the value of its last expression
    #[arg(short = 'c', value_name = "EXPR", conflicts_with = "file")]
    pub expression: Option<String>,
    /// Stop the script after this long on the real clock (exit 1)
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub timeout: Option<Duration>,
    /// Words for the script, in its list `argv`
    #[arg(
        value_name = "ARG",
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub words: Vec<String>,
    #[command(flatten)]
    /// Flags of the conversation
    pub talk: TalkArgs,
}

/// Arguments of `repl`.
#[derive(Clone, Debug, Default, Args)]
pub struct ReplArgs {
    #[command(flatten)]
    /// Flags of the conversation
    pub talk: TalkArgs,
}

/// What a conversation starts with.
#[derive(Clone, Debug, Default, Args)]
pub struct TalkArgs {
    /// The link that commands and functions use where they name none [default: lab]
    #[arg(short, long, value_name = "IFACE")]
    pub interface: Option<String>,
    #[command(flatten)]
    /// The seed
    pub seed: SeedArgs,
    /// When to use colours
    #[arg(long, value_enum, default_value_t)]
    pub color: ColorChoice,
}

const TEST_HELP: &str =
    "A test is a function test_… of a .star file. It runs in a session of its own, in
the lab with a server of its own, between setup() and teardown().
  cases = {\"test_x\": [1, 2]}   calls test_x(1) and test_x(2)
  cases = [1, 2]               so with each test that takes a value
  tags = [\"slow\"]              tags the file's tests; {\"test_x\": [\"slow\"]} one
  step(\"renewal\")              names what follows, in reports and captures
  skip(\"no relay here\")        ends the test as skipped
Exit codes: 0 none failed, 1 some failed, 2 no tests or a file not loaded,
5 link, 6 file, 130 interrupted.";

/// How long a test may take where `--timeout` does not say it.
pub const TEST_TIMEOUT: &str = "60s";

/// Arguments of `test`.
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = TEST_HELP)]
pub struct TestArgs {
    /// Files with functions `test_…`, directories of such files, or one test as FILE::NAME
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<String>,
    /// Run the tests whose names hold this text or whose tags are this word; words may be joined with and, or, not: 'renew and not slow'
    #[arg(short = 'k', value_name = "EXPR", help_heading = "Choosing")]
    pub keyword: Option<String>,
    /// Run the tests with this tag; repeat for more
    #[arg(long, value_name = "TAG", help_heading = "Choosing")]
    pub tag: Vec<String>,
    /// List the tests and run none
    #[arg(long, help_heading = "Choosing")]
    pub list: bool,
    /// Stop at the first failure
    #[arg(long, help_heading = "Running")]
    pub fail_fast: bool,
    /// Run each test so often, each time with another seed
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000_000), help_heading = "Running")]
    pub repeat: u32,
    /// Longest time of a test on the real clock
    #[arg(long, value_name = "TIME", default_value = TEST_TIMEOUT, value_parser = parse_duration, help_heading = "Running")]
    pub timeout: Duration,
    /// Keep the capture of every test here [default: those of failures, in a directory for temporary files]
    #[arg(long, value_name = "DIR", help_heading = "Reports")]
    pub captures: Option<PathBuf>,
    /// Write a JUnit report
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    pub junit: Option<PathBuf>,
    /// Print TAP instead, for prove
    #[arg(long, conflicts_with = "json", help_heading = "Reports")]
    pub tap: bool,
    /// Print one JSON object per test instead, and one with the totals
    #[arg(long, help_heading = "Reports")]
    pub json: bool,
    /// Add annotations of GitHub Actions (by itself where GITHUB_ACTIONS is true); on standard error with --tap and --json
    #[arg(long, help_heading = "Reports")]
    pub github: bool,
    /// Name the tests that pass too
    #[arg(short, long, help_heading = "Reports")]
    pub verbose: bool,
    #[command(flatten)]
    /// Flags of the conversation
    pub talk: TalkArgs,
}
