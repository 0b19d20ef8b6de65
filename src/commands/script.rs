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
