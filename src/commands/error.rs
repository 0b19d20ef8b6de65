//! Why a command could not do its work, and the exit code that says so.

use std::io;
use std::path::{Path, PathBuf};

use crate::link::LinkError;
use crate::link::capture::CaptureError;

/// Why a command failed. Each message is one line: what, where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line asks for something that makes no sense (exit 2).
    #[error("{0}")]
    Usage(String),
    /// The link could not be opened or used (exit 5).
    #[error(transparent)]
    Link(LinkError),
    /// A capture could not be read or written (exit 6).
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// A file could not be read or written (exit 6).
    #[error("{}: {reason}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why, and what to do.
        reason: String,
    },
    /// What was asked for is not there (exit 1).
    #[error("{0}")]
    Missing(String),
    /// The language ended with an error in the middle of the run (exit 1), or could not be read (exit 2).
    #[error("{text}")]
    Script {
        /// The reason, with the calls that led there.
        text: String,
        /// The exit code that says it.
        exit_code: u8,
    },
    /// Standard output is gone.
    #[error("standard output: {0}")]
    Output(#[from] io::Error),
}

impl From<LinkError> for Error {
    fn from(error: LinkError) -> Self {
        match error {
            // A recording that fails is a file's failure, although it comes through the link.
            LinkError::Capture(error) => Error::Capture(error),
            error => Error::Link(error),
        }
    }
}

impl Error {
    /// A failure with a file.
    pub fn file(path: &Path, reason: impl ToString) -> Self {
        Error::File {
            path: path.to_path_buf(),
            reason: reason.to_string(),
        }
    }

    /// The exit code that says it.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Missing(_) => 1,
            Error::Usage(_) => 2,
            Error::Script { exit_code, .. } => *exit_code,
            Error::Link(_) => 5,
            Error::Capture(_) | Error::File { .. } | Error::Output(_) => 6,
        }
    }
}
