//! What a script ends itself with: a failed assertion, or a skipped test.

use std::fmt;

use crate::dhcp::difference::Difference;

/// Why a script ended itself: an assertion that does not hold, or a test that cannot be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What was expected, and what is.
    pub text: String,
    /// In what the frames differ, where two were compared.
    pub differences: Vec<Difference>,
    /// Whether the test was skipped; the text is the reason.
    pub skipped: bool,
}

impl std::error::Error for Failure {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = if self.skipped { "skipped: " } else { "" };
        write!(f, "{head}{}", self.text)?;
        let shown = |it: &Option<String>| it.clone().unwrap_or_else(|| "absent".into());
        for it in &self.differences {
            let (first, second) = (shown(&it.first), shown(&it.second));
            write!(f, "\n{}: {first} is not {second}", it.name)?;
        }
        Ok(())
    }
}

impl Failure {
    /// A failure in words.
    pub fn of(text: impl Into<String>) -> Failure {
        Failure {
            text: text.into(),
            differences: Vec::new(),
            skipped: false,
        }
    }
}

/// It as an error of the language.
pub(super) fn failure(failure: Failure) -> starlark::Error {
    starlark::Error::new_other(anyhow::Error::new(failure))
}

/// A failure in words as the error that it is.
pub(super) fn failed<T>(text: impl Into<String>) -> starlark::Result<T> {
    Err(failure(Failure::of(text)))
}

/// What an assertion adds to its text: the message that it was given.
pub(super) fn because(message: &str) -> String {
    match message {
        "" => String::new(),
        message => format!("\n{message}"),
    }
}
