//! A run of a suite: what is found out first, each check as often as it takes, and what is given back.

use std::io::IsTerminal;
use std::sync::atomic::Ordering;

use indicatif::{ProgressBar, ProgressStyle};
use starlark::values::Value;
use starlark::values::dict::DictRef;

use super::desk::{Desk, Stop};
use super::{Bench, broken};
use crate::commands::Error;
use crate::commands::conform::{Check, ConformArgs, Finding, Findings, NEEDS, Verdict};
use crate::commands::outcome::Sink;
use crate::script::engine::{Engine, Module, ScriptError};

/// How often a check on a server has to fail, without ever passing, until that is told: what was lost once is not
/// taken for a fault. More often where frames are seen to be lost.
const FAILS: u32 = 2;
const FAILS_LOSSY: u32 = 3;

/// How often it is made at most.
const TRIES: u32 = 6;

/// A run under way.
pub(super) struct Run<'a, 'h, 'v> {
    pub engine: &'a Engine<'h>,
    pub module: &'a Module<'v>,
    pub args: &'a ConformArgs,
}

impl<'v> Run<'_, '_, 'v> {
    fn desk<R>(&self, act: impl FnOnce(&mut Desk) -> R) -> Result<R, Error> {
        self.bench(|it| act(it.desk()))
    }

    fn bench<R>(&self, act: impl FnOnce(&mut Bench) -> R) -> Result<R, Error> {
        let mut bench = self.engine.host().bench.borrow_mut();
        let none = || Error::Missing("the link is not open".into());
        bench.as_mut().map(act).ok_or_else(none)
    }

    /// Finds out what is there, then makes the checks one by one.
    pub fn all(
        &self,
        chosen: &[(&Check, Value<'v>)],
        sink: &mut dyn Sink,
    ) -> Result<Findings, Error> {
        let mut findings = Findings {
            link: self.args.link.interface.clone(),
            capture: self.args.write.clone(),
            strict: self.args.strict,
            client: self.args.client,
            server: self.args.server,
            ..Findings::default()
        };
        let probe = self.module.get("probe").unwrap_or_else(Value::new_none);
        self.bench(|it| it.begin("probe"))?;
        let probed = self.engine.call(self.module, probe, &[]);
        self.settle(&probed)?;
        if let Err(error) = probed
            && !self.desk(|it| it.interrupted())?
        {
            return Err(broken(error));
        }
        for (name, value) in self.facts("ABOUT") {
            findings.facts.push((name, value.to_str()));
        }
        findings.answered = self.has("answer");
        findings.unusable = findings.answered && !self.args.client && !self.has("offer");
        let bar = self.progress(chosen.len())?;
        let mut told = Ok(());
        for (check, function) in chosen {
            if self.desk(|it| it.interrupted())? {
                findings.interrupted = true;
                break;
            }
            if !findings.answered {
                findings.causes = self.bench(|it| {
                    let ended = it.ended();
                    it.desk()
                        .diagnosis(&self.args.link, self.args.server, ended)
                })?;
                break;
            }
            bar.set_message(check.id.clone());
            let found = self.one(check, *function)?;
            told = bar.suspend(|| sink.checked(&found));
            findings.findings.push(found);
            bar.inc(1);
            if told.is_err() {
                // Nobody reads on; what was taken is given back all the same.
                break;
            }
        }
        bar.finish_and_clear();
        self.bench(|it| it.begin("end"))?;
        self.clean_up(true)?;
        told?;
        findings.interrupted |= self.desk(|it| it.interrupted())?;
        findings.left = chosen.len() - findings.findings.len();
        findings.kept = self.bench(|it| it.kept())?;
        if self.bench(|it| it.is_lossy())? {
            let lossy = "loses frames: what fails is told where it failed three times";
            findings.facts.push(("link".into(), lossy.into()));
        }
        findings.declined = self.bench(|it| it.declined())?;
        findings.in_use = self.bench(|it| it.in_use())?;
        findings.frames = self.desk(|it| it.frames)?;
        Ok(findings)
    }

    /// A bar on a terminal, for a person who waits.
    fn progress(&self, checks: usize) -> Result<ProgressBar, Error> {
        let seen = std::io::stderr().is_terminal() && !self.args.quiet;
        if !seen || self.desk(|it| it.is_virtual())? {
            return Ok(ProgressBar::hidden());
        }
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}");
        let bar = ProgressBar::new(checks as u64);
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Ok(bar)
    }

    /// Gives back what a check took, and ends the run where the link failed.
    fn settle(&self, outcome: &Result<Value<'v>, ScriptError>) -> Result<(), Error> {
        if outcome.is_err()
            && let Some(error) = self.desk(|it| it.failed.take())?
        {
            return Err(error);
        }
        self.clean_up(false)
    }

    /// Has the bench give back what it took. An interrupt that came before does not keep it from that; another one
    /// breaks it off.
    fn clean_up(&self, end: bool) -> Result<(), Error> {
        let flag = self.desk(|it| it.session.interruption())?;
        let stopped = flag.swap(false, Ordering::Relaxed);
        let cleaned = self.bench(|it| it.clean_up(end));
        flag.fetch_or(stopped, Ordering::Relaxed);
        cleaned?
    }

    fn one(&self, check: &Check, function: Value<'v>) -> Result<Finding, Error> {
        let mut finding = Finding {
            check: check.clone(),
            verdict: Verdict::Pass,
            remarks: Vec::new(),
            frames: Vec::new(),
            took: Default::default(),
        };
        let lacking = check.needs.iter().find(|it| !self.has(it));
        if let Some(need) = lacking {
            let reason = NEEDS.iter().find(|it| it.0 == need);
            finding.verdict = Verdict::Skip(reason.map_or(need.as_str(), |it| it.1).to_string());
            return Ok(finding);
        }
        let start = self.desk(|it| it.now())?;
        self.attempt(&mut finding, function)?;
        if !self.args.client {
            self.confirm(&mut finding, function)?;
        }
        finding.took = self.desk(|it| it.now())? - start;
        Ok(finding)
    }

    /// Makes a check that failed again: what happens once is told as a remark.
    fn confirm(&self, finding: &mut Finding, function: Value<'v>) -> Result<(), Error> {
        let lossy = || self.bench(|it| it.is_lossy());
        let (mut failed, mut tries) = (1, 1);
        while let Verdict::Broken(seen) = &finding.verdict
            && failed < if lossy()? { FAILS_LOSSY } else { FAILS }
            && tries < TRIES
            && !self.desk(|it| it.interrupted())?
        {
            tries += 1;
            let mut again = finding.clone();
            self.attempt(&mut again, function)?;
            match &again.verdict {
                Verdict::Broken(_) => failed += 1,
                Verdict::Pass => again.remarks.push(format!("not so once: {seen}")),
                // Not for want of a frame, so that another try would end no better.
                Verdict::Skip(_) if !lossy()? => return Ok(()),
                Verdict::Skip(_) => continue,
                Verdict::Interrupted => {}
            }
            *finding = again;
        }
        if let Verdict::Broken(seen) = &finding.verdict
            && lossy()?
            && failed < FAILS_LOSSY
        {
            finding.verdict = Verdict::Skip(format!("too many frames are lost; seen once: {seen}"));
        }
        Ok(())
    }

    /// Makes a check, from a fresh state.
    fn attempt(&self, finding: &mut Finding, function: Value<'v>) -> Result<(), Error> {
        self.bench(|it| it.begin(&finding.check.id))?;
        finding.frames.clear();
        let outcome = self.engine.call(self.module, function, &[]);
        // What was cut short says nothing, whatever came of it.
        let interrupted = self.desk(|it| it.interrupted())?;
        self.settle(&outcome)?;
        let (stop, judged) = self.desk(|it| (it.stop.take(), it.judged))?;
        finding.remarks = self.desk(|it| std::mem::take(&mut it.remarks))?;
        finding.verdict = match (stop, outcome) {
            _ if interrupted => Verdict::Interrupted,
            (Some(Stop::Broken(text)), _) => {
                finding.frames = self.desk(|it| it.evidence.clone())?;
                Verdict::Broken(text)
            }
            (Some(Stop::Skip(text)), _) => Verdict::Skip(text),
            (None, Err(error)) => {
                let line = error.text.lines().find(|it| !it.trim().is_empty());
                let place = error.text.lines().find(|it| it.contains(".star:"));
                Verdict::Skip(format!(
                    "could not be judged: {} ({})",
                    line.unwrap_or_default().trim(),
                    place.unwrap_or_default().trim()
                ))
            }
            (None, Ok(_)) if judged == 0 => Verdict::Skip("nothing could be judged".into()),
            (None, Ok(_)) => Verdict::Pass,
        };
        Ok(())
    }

    /// A dictionary of the suite.
    fn facts(&self, name: &str) -> Vec<(String, Value<'v>)> {
        let value = self.module.get(name);
        let dict = value.and_then(DictRef::from_value);
        let rows = dict.iter().flat_map(|it| it.iter().collect::<Vec<_>>());
        rows.map(|(name, value)| (name.to_str(), value)).collect()
    }

    /// Whether the server offers what a check needs.
    fn has(&self, need: &str) -> bool {
        let facts = self.facts("FACTS");
        facts.iter().any(|it| it.0 == need && it.1.to_bool())
    }
}
