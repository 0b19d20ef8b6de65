//! `--nagios`: runs a command as a check, judged by its expectations and rules too.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::{Judge, conform, read_rules};
use crate::commands::lint::Linting;
use crate::commands::nagios::NagiosArgs;
use crate::commands::session::Session;
use crate::commands::{Command, Error};
use crate::view::nagios::{Check, Report, Status};

/// Runs the command and gives what a monitoring system is told, whatever happens.
pub fn check(command: &Command, args: &NagiosArgs, interrupted: Arc<AtomicBool>) -> Report {
    run(command, args, interrupted).unwrap_or_else(|it| Report::unknown(&it.to_string()))
}

fn run(
    command: &Command,
    args: &NagiosArgs,
    interrupted: Arc<AtomicBool>,
) -> Result<Report, Error> {
    let mut session = Session::new(command.seed(), interrupted.clone());
    session.rules_with(read_rules);
    session.conform_with(conform);
    let judge = Judge::for_command(command, interrupted)?;
    judge.filter(&mut session);
    let out = command.out();
    let mut check = Check::new(args, command.quiet());
    let mut kept = judge.keep(&mut check);
    let mut linting = Linting::new(&mut kept, out.is_some_and(|it| it.lint));
    let outcome = command.run(&mut session, &mut linting);
    let tally = linting.tally();
    let yielded = kept.yielded;
    if let Some(error) = judge.failure() {
        return Err(error);
    }
    let outcome = outcome?;
    let mut report = check.report(&outcome);
    if !command.expectations().is_empty() {
        let told = judge.told(&yielded, &outcome)?;
        if told.is_empty() && judge.settles(&yielded, &outcome) {
            report.as_expected();
        }
        for (code, text) in told {
            let status = match code {
                1 => Status::Critical,
                _ => Status::Unknown,
            };
            report.tell(status, &text);
        }
    }
    if let Some(tally) = tally.filter(|it| it.failed()) {
        report.tell(Status::Critical, &format!("lint: {tally}"));
    }
    Ok(report)
}
