//! Start-up: reads the command line, runs the command, prints, and exits with the code that says it.

mod signals;

use std::io::{self, BufWriter, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Parser;
use dhcpcraft::commands::diff;
use dhcpcraft::commands::lint::Linting;
use dhcpcraft::commands::outcome::Sink;
use dhcpcraft::commands::script::{ReplArgs, RunArgs};
use dhcpcraft::commands::{Cli, Command, Error, Outcome, Verb, session::Session};
use dhcpcraft::view::nagios::{Report, Status};
use dhcpcraft::{repl, script, view};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if std::env::args_os().any(|it| it == "--nagios") => return misused(&error),
        Err(error) => error.exit(),
    };
    let prompt = match &cli.verb {
        Some(Verb::Repl(_)) => true,
        Some(_) => false,
        None => io::stdin().is_terminal(),
    };
    let interrupted = Arc::new(AtomicBool::new(false));
    if let Err(error) = signals::listen(interrupted.clone(), prompt) {
        complain(&format!("Ctrl-C will not end the run in order: {error}"));
    }
    let command = match cli.verb {
        Some(Verb::Command(command)) => command,
        Some(Verb::Run(args)) => return ExitCode::from(script::run(&args, interrupted)),
        Some(Verb::Test(args)) => return ExitCode::from(script::test(&args, interrupted)),
        Some(Verb::Repl(args)) => return ExitCode::from(repl::run(&args, interrupted)),
        None if io::stdin().is_terminal() => {
            return ExitCode::from(repl::run(&ReplArgs::default(), interrupted));
        }
        None => return ExitCode::from(script::run(&RunArgs::default(), interrupted)),
    };
    match command.monitoring() {
        Ok(None) => {}
        Ok(Some(args)) => return report(&script::nagios::check(&command, args, interrupted)),
        Err(error) => return report(&Report::unknown(&error.to_string())),
    }
    match run(&command, interrupted.clone()) {
        Ok(code) => ExitCode::from(code),
        // Whoever read the output has seen enough.
        Err(Error::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(_) if interrupted.load(Ordering::Relaxed) => {
            // A terminal that was closed takes no text.
            let _ = writeln!(io::stderr(), "interrupted");
            ExitCode::from(signals::INTERRUPTED)
        }
        Err(error) => {
            complain(&error.to_string());
            ExitCode::from(error.exit_code())
        }
    }
}

/// Tells a monitoring system what a check found.
fn report(found: &Report) -> ExitCode {
    match found.write(&mut io::stdout().lock()) {
        Ok(()) => ExitCode::from(found.status.exit_code()),
        Err(_) => ExitCode::from(Status::Unknown.exit_code()),
    }
}

/// Tells a monitoring system that it called the program in a wrong way. Help asked for is no check either.
fn misused(error: &clap::Error) -> ExitCode {
    if error.use_stderr() {
        let text = error.to_string();
        return report(&Report::unknown(text.trim_start_matches("error: ")));
    }
    // Where not even help can be written, the exit code has to do.
    let _ = error.print();
    ExitCode::from(Status::Unknown.exit_code())
}

/// Says what went wrong. Where not even that can be written, the exit code has to do.
fn complain(text: &str) {
    let text = format!("dhcpcraft: {text}");
    let _ = writeln!(io::stderr(), "{}", view::hang(&text, view::notice_width()));
}

fn run(command: &Command, interrupted: Arc<AtomicBool>) -> Result<u8, Error> {
    let mut session = Session::new(command.seed(), interrupted.clone());
    session.rules_with(script::read_rules);
    session.conform_with(script::conform);
    let stdout = io::stdout();
    let terminal = stdout.is_terminal();
    let out: Box<dyn Write> = match command.goes_on_unread() {
        true => Box::new(BufWriter::new(view::Unread(stdout))),
        false => Box::new(BufWriter::new(stdout)),
    };
    let mut view = view::View::for_command(command, terminal, out);
    view.script_with(script::source_of);
    let judge = script::Judge::for_command(command, interrupted)?;
    judge.filter(&mut session);
    let mut kept = judge.keep(&mut view);
    let wanted = command.out().is_some_and(|it| it.lint);
    let mut linting = Linting::new(&mut kept, wanted);
    let outcome = command.run(&mut session, &mut linting);
    let tally = linting.tally();
    let yielded = kept.yielded;
    if let Some(error) = judge.failure() {
        // What came is no answer to what was asked, and its absence neither; nobody else stopped it.
        session.resume();
        view.flush()?;
        return Err(error);
    }
    let code = match &outcome {
        Ok(Outcome::Ran(ending)) => ending.exit_code(),
        Ok(Outcome::Converted(it)) if it.interrupted => signals::INTERRUPTED,
        Ok(Outcome::Servers(found)) => found.exit_code(),
        Ok(Outcome::Clients(all)) => all.exit_code(),
        Ok(Outcome::Conformance(report)) => report.exit_code(),
        Ok(Outcome::Differences(rows)) if !rows.is_empty() => 1,
        Ok(Outcome::Replayed(it)) => it.exit_code(),
        Ok(Outcome::Compared(all)) => diff::exit_code(all),
        Ok(Outcome::Linted(tally)) => tally.exit_code(),
        _ => 0,
    };
    // What was yielded before an error is printed all the same.
    let printed = match &outcome {
        Ok(outcome) => view.outcome(outcome),
        Err(_) => view.flush(),
    };
    let outcome = outcome?;
    printed?;
    let code = match (&outcome, judge.judge(&yielded, &outcome)?) {
        // That the replies are the recorded ones, or that nobody else answers, is another expectation.
        (Outcome::Replayed(_) | Outcome::Servers(_), Some(0)) if code == 1 => 1,
        (Outcome::Clients(_), Some(0)) => code,
        (_, told) => told.unwrap_or(code),
    };
    Ok(match tally {
        Some(tally) => {
            view.notice(&format!("lint: {tally}"));
            if code == 0 { tally.exit_code() } else { code }
        }
        None => code,
    })
}
