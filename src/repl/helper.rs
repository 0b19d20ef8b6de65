//! What rustyline asks while a line is typed.

use std::borrow::Cow;

use rustyline::completion::{Completer, FilenameCompleter, Pair};
use rustyline::highlight::{CmdKind, Highlighter, MatchingBracketHighlighter};
use rustyline::hint::{Hinter, HistoryHinter};
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Context, Helper};

use super::complete::{Names, complete};
use super::highlight::highlight_with;
use super::hint::{self, Grey};
use super::line::wants_more;
use crate::script::{Engine, Module};

/// The prompt's helper.
pub struct PromptHelper<'a, 'v> {
    pub engine: &'a Engine<'a>,
    pub module: &'a Module<'v>,
    pub color: bool,
    files: FilenameCompleter,
    history: HistoryHinter,
    brackets: MatchingBracketHighlighter,
}

impl<'a, 'v> PromptHelper<'a, 'v> {
    pub fn new(engine: &'a Engine<'a>, module: &'a Module<'v>, color: bool) -> Self {
        PromptHelper {
            engine,
            module,
            color,
            files: FilenameCompleter::new(),
            history: HistoryHinter::new(),
            brackets: MatchingBracketHighlighter::new(),
        }
    }
}

impl Names for PromptHelper<'_, '_> {
    fn names(&self) -> Vec<String> {
        let mut all = self.variables();
        all.extend(self.engine.names());
        all
    }

    fn variables(&self) -> Vec<String> {
        self.module
            .names()
            .map(|it| it.as_str().to_string())
            .collect()
    }

    fn attributes(&self, expression: &str) -> Vec<String> {
        // Only what cannot do anything is looked at: names, and parts of packets.
        let harmless = expression
            .chars()
            .all(|it| it.is_alphanumeric() || "_.[]".contains(it));
        if !harmless || expression.is_empty() {
            return Vec::new();
        }
        self.engine
            .run(self.module, "completion", expression)
            .map(|it| it.dir_attr())
            .unwrap_or_default()
    }
}

impl Completer for PromptHelper<'_, '_> {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        pos: usize,
        ctx: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let found = complete(line.get(..pos).unwrap_or(line), self);
        let pairs = found.words.into_iter().map(|it| Pair {
            display: it.clone(),
            replacement: it,
        });
        let mut pairs: Vec<Pair> = pairs.collect();
        let mut start = found.start;
        if found.files {
            let (at, files) = self.files.complete(line, pos, ctx)?;
            if pairs.is_empty() || at == start {
                start = at;
                pairs.extend(files);
            }
        }
        Ok((start, pairs))
    }
}

impl Hinter for PromptHelper<'_, '_> {
    type Hint = Grey;

    fn hint(&self, line: &str, pos: usize, ctx: &Context<'_>) -> Option<Grey> {
        if pos < line.len() || line.trim().is_empty() {
            return None;
        }
        let earlier = || self.history.hint(line, pos, ctx).map(Grey::Rest);
        let usage = || hint::usage(line).filter(|it| !it.is_empty());
        // What a call takes is of more use than how one was made before.
        match line.ends_with('(') {
            true => usage().map(Grey::Usage).or_else(earlier),
            false => earlier().or_else(|| usage().map(Grey::Usage)),
        }
    }
}

impl Highlighter for PromptHelper<'_, '_> {
    fn highlight<'l>(&self, line: &'l str, pos: usize) -> Cow<'l, str> {
        if !self.color {
            return Cow::Borrowed(line);
        }
        // Next to a bracket its partner stands out: where the marked line begins to differ.
        let partner = match self.brackets.highlight(line, pos) {
            Cow::Owned(marked) => marked.bytes().zip(line.bytes()).position(|it| it.0 != it.1),
            Cow::Borrowed(_) => None,
        };
        Cow::Owned(highlight_with(line, partner))
    }

    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(
        &'s self,
        prompt: &'p str,
        _default: bool,
    ) -> Cow<'b, str> {
        match (self.color, prompt.split_once(['>', ' '])) {
            (true, Some((link, _))) => {
                let state = &prompt[link.len()..];
                Cow::Owned(format!("\x1b[1m{link}\x1b[0m\x1b[36m{state}\x1b[0m"))
            }
            _ => Cow::Borrowed(prompt),
        }
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        match self.color {
            true => Cow::Owned(format!("\x1b[90m{hint}\x1b[0m")),
            false => Cow::Borrowed(hint),
        }
    }

    fn highlight_char(&self, line: &str, pos: usize, kind: CmdKind) -> bool {
        let _ = self.brackets.highlight_char(line, pos, kind);
        self.color
    }
}

impl Validator for PromptHelper<'_, '_> {
    fn validate(&self, ctx: &mut ValidationContext) -> rustyline::Result<ValidationResult> {
        Ok(match wants_more(ctx.input()) {
            true => ValidationResult::Incomplete,
            false => ValidationResult::Valid(None),
        })
    }
}

impl Helper for PromptHelper<'_, '_> {}
