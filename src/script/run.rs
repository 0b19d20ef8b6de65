//! `run`: a script from a file, from standard input, or from the command line.

use std::io::{IsTerminal, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::commands::is_command;
use super::engine::{Engine, Module, ScriptError};
use super::host::Host;
use super::text::masked;
use crate::commands::Error;
use crate::commands::script::{RunArgs, TalkArgs};
use crate::commands::session::Session;
use crate::view::{Style, notice_width};

/// The host of a conversation that begins with these arguments.
pub fn host_for(args: &TalkArgs, interrupted: Arc<AtomicBool>) -> Host {
    let stdout = std::io::stdout();
    let style = Style::detect(args.color, stdout.is_terminal());
    let session = Session::new(args.seed.seed, interrupted);
    let host = Host::new(
        session,
        Box::new(stdout),
        Box::new(std::io::stderr()),
        style,
    );
    host.room.set(notice_width());
    if let Some(name) = &args.interface {
        host.settings.borrow_mut().interface.clone_from(name);
    }
    host
}

/// Runs what the arguments name, and gives the exit code.
pub fn run(args: &RunArgs, interrupted: Arc<AtomicBool>) -> u8 {
    let late = args
        .timeout
        .map(|limit| stop_after(limit, interrupted.clone()));
    let host = host_for(&args.talk, interrupted);
    let outcome = match (&args.expression, &args.file) {
        (Some(source), _) => expression(&host, source),
        (None, file) => script(
            &host,
            file.as_deref().unwrap_or(Path::new("-")),
            &args.words,
        ),
    };
    let stopped = host.session.borrow().interrupted();
    match outcome {
        Ok(()) => 0,
        Err(_) if late.is_some_and(|it| it.load(Ordering::Relaxed)) => {
            host.notice("stopped: the script took longer than --timeout allows");
            1
        }
        Err(_) if stopped => {
            host.notice("interrupted");
            130
        }
        Err(error) => {
            // An error must be told however quiet the script is.
            let _ = writeln!(host.err.borrow_mut(), "{}", error.text);
            error.exit_code
        }
    }
}

/// Interrupts after a time; what is returned says whether that happened.
fn stop_after(limit: Duration, interrupted: Arc<AtomicBool>) -> Arc<AtomicBool> {
    let late = Arc::new(AtomicBool::new(false));
    let flag = late.clone();
    std::thread::spawn(move || {
        std::thread::sleep(limit);
        flag.store(true, Ordering::Relaxed);
        interrupted.store(true, Ordering::Relaxed);
    });
    late
}

fn script(host: &Host, file: &Path, words: &[String]) -> Result<(), ScriptError> {
    let failed = |it: std::io::Error| {
        let error = Error::file(file, it);
        ScriptError {
            text: format!("dhcpcraft: {error}"),
            exit_code: error.exit_code(),
            why: Box::default(),
        }
    };
    let mut source = String::new();
    let name = match file.as_os_str() == "-" {
        true => {
            std::io::stdin()
                .read_to_string(&mut source)
                .map_err(failed)?;
            "standard input".to_string()
        }
        false => {
            source = std::fs::read_to_string(file).map_err(failed)?;
            file.display().to_string()
        }
    };
    no_command_lines(&name, &source)?;
    super::engine::interpret(host, &name, &source, words)?;
    if host.log.borrow().is_empty() && !super::testing::definitions(&source).is_empty() {
        host.notice(&format!(
            "nothing was sent: this file defines tests; `dhcpcraft test {name}` runs them"
        ));
    }
    Ok(())
}

/// Says of a command in the words of the command line that only the prompt takes it: the language would find nothing
/// wrong with the name of a function alone, and do nothing.
fn no_command_lines(name: &str, source: &str) -> Result<(), ScriptError> {
    let Some((number, line)) = command_line(source) else {
        return Ok(());
    };
    let word = line.split(' ').next().unwrap_or(line);
    let instead = match word == line {
        true => format!("`{word}` alone runs nothing: write {word}()"),
        false => format!(
            "`{line}` is a line for the prompt: write {word}(…), each flag a parameter (--dry-run is dry_run=True)"
        ),
    };
    Err(ScriptError {
        text: format!(
            "dhcpcraft: {name}:{number}: {instead}; `dhcpcraft repl` takes such lines as they are"
        ),
        exit_code: 2,
        why: Box::default(),
    })
}

/// The first line of a source that is no statement but a command as the prompt takes it, with its number.
fn command_line(source: &str) -> Option<(usize, &str)> {
    let code = masked(source);
    let (mut depth, mut going_on) = (0i64, false);
    let mut found = None;
    for ((index, line), code) in source.lines().enumerate().zip(code.lines()) {
        let word = code.split(' ').next().unwrap_or_default();
        let rest = code.get(word.len()..).unwrap_or_default().trim();
        let flag = |it: &str| it.starts_with('-') && !it.starts_with("- ");
        let fresh = depth == 0 && !going_on && found.is_none();
        if fresh && is_command(word) && (rest.is_empty() || flag(rest)) {
            let line = match rest {
                "" => line.get(..word.len())?,
                _ => line.trim(),
            };
            found = Some((index + 1, line));
        }
        depth += code.matches(['(', '[', '{']).count() as i64;
        depth -= code.matches([')', ']', '}']).count() as i64;
        going_on = code.trim_end().ends_with('\\');
    }
    let (_, line) = found?;
    // A name that the script gives something else to is its own.
    let own = code.lines().any(|it| {
        let rest = it.strip_prefix(line).map(str::trim_start);
        rest.is_some_and(|it| it.starts_with('=') && !it.starts_with("=="))
    });
    found.filter(|_| !own)
}

fn expression(host: &Host, source: &str) -> Result<(), ScriptError> {
    no_command_lines("-c", source)?;
    let engine = Engine::new(host);
    Module::with_temp_heap(|module| {
        let value = engine.run(&module, "-c", source)?;
        super::echo(host, value)
    })
}
