//! Chooses tests: `-k 'renew and not slow'`, `--tag kea`.

use super::super::engine::{Engine, Module};
use crate::commands::Error;
use crate::commands::script::TestArgs;
use crate::commands::tests::TestName;

/// Which tests are wanted.
pub struct Selection<'a> {
    tags: &'a [String],
    keyword: Option<&'a str>,
    /// The words of a keyword that is an expression, each true where a test has it.
    words: Vec<&'a str>,
}

/// Words that join others.
const JOINING: [&str; 3] = ["and", "or", "not"];

impl<'a> Selection<'a> {
    /// What the arguments choose.
    pub fn new(args: &'a TestArgs) -> Result<Self, Error> {
        let keyword = args.keyword.as_deref();
        let mut words = Vec::new();
        if let Some(text) = keyword.filter(|it| is_expression(it)) {
            let all = text.split(|c: char| !is_word(c));
            words = all
                .filter(|it| !it.is_empty() && !JOINING.contains(it))
                .collect();
            if let Err(error) = Engine::check(text) {
                let example = "-k 'renew and not slow'";
                return Err(Error::Usage(format!("-k: {error}; write it as {example}")));
            }
        }
        Ok(Selection {
            tags: &args.tag,
            keyword,
            words,
        })
    }

    /// Whether a test is wanted.
    pub fn takes(&self, test: &TestName, engine: &Engine) -> Result<bool, Error> {
        if !self.tags.is_empty() && !test.tags.iter().any(|it| self.tags.contains(it)) {
            return Ok(false);
        }
        let Some(keyword) = self.keyword else {
            return Ok(true);
        };
        let has = |word: &str| test.id().contains(word) || test.tags.iter().any(|it| it == word);
        if self.words.is_empty() {
            return Ok(has(keyword));
        }
        // The language decides what the words mean together.
        Module::with_temp_heap(|module| {
            for word in &self.words {
                module.set(word, module.heap().alloc(has(word)));
            }
            let value = engine.run(&module, "-k", keyword);
            let value = value.map_err(|it| Error::Usage(format!("-k: {}", it.why.message)))?;
            Ok(value.to_bool())
        })
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Whether a keyword is words joined, and not text to be found as it stands.
fn is_expression(text: &str) -> bool {
    let mut words = text.split_whitespace();
    let plain = text.chars().all(|c| is_word(c) || " ()".contains(c));
    let numbers = text
        .split(|c: char| !is_word(c))
        .any(|it| it.starts_with(|c: char| c.is_ascii_digit()));
    plain && !numbers && words.any(|it| JOINING.contains(&it.trim_matches(['(', ')'])))
}
