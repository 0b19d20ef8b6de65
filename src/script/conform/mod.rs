//! Conformance suites: checks written in the language, run against what is on the link.
//!
//! The checks are the `.star` files beside this one: `prelude` has what all share, `server_prelude` and
//! `client_prelude` what those on a server or a client do, `server_probe` and `client_probe` find out what it
//! offers, and each further file checks one matter.

mod bench;
mod client_bench;
mod client_functions;
mod desk;
mod functions;
mod held;
mod overheard;
mod run;
mod server_bench;

use std::fs::File;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use starlark::values::Value;
use starlark::values::list::ListRef;

pub use bench::Bench;
use client_bench::ClientBench;
use desk::Desk;
use run::Run;
use server_bench::ServerBench;

use super::engine::{Engine, Module, ScriptError};
use super::host::Host;
use crate::commands::Error;
use crate::commands::args::ColorChoice;
use crate::commands::conform::{Check, ConformArgs, Level, Report};
use crate::commands::here::Here;
use crate::commands::lab;
use crate::commands::outcome::Sink;
use crate::commands::serve::Network;
use crate::commands::session::Session;
use crate::commands::subject::{Process, Subject};
use crate::talk::{Habit, Plain};
use crate::view::Style;
use crate::wire::{Auto, Frame, Layer};

/// The files of a suite: name and source, in the order in which they are read.
type Suite = &'static [(&'static str, &'static str)];

macro_rules! star {
    ($($name:literal),*) => {
        &[$((concat!($name, ".star"), include_str!(concat!($name, ".star")))),*]
    };
}

/// The suite for servers.
const SERVER: Suite = star![
    "prelude",
    "server_prelude",
    "server_probe",
    "server_fields",
    "server_offer",
    "server_request",
    "server_identity",
    "server_release",
    "server_inform",
    "server_options",
    "server_relay",
    "server_extensions",
    "server_leasequery",
    "server_robustness"
];

/// The suite for clients.
const CLIENT: Suite = star![
    "prelude",
    "client_prelude",
    "client_probe",
    "client_discover",
    "client_request",
    "client_offer",
    "client_lease",
    "client_conflict",
    "client_release"
];

/// What is wrong with the lengths and checksums of a received frame.
fn damage(frame: &Frame) -> Option<String> {
    let computed = frame.computed();
    let at = |name: &str| frame.layers.iter().position(|it| it.name() == name);
    for (name, what) in [("IP", "IP"), ("UDP", "UDP")] {
        let at = at(name)?;
        let (layer, right) = (frame.layers.get(at)?, computed.get(at)?);
        let (len, checksum) = match layer {
            Layer::Ipv4(it) => (&it.len, &it.chksum),
            Layer::Udp(it) => (&it.len, &it.chksum),
            _ => continue,
        };
        if let Auto::Set(is) = len
            && *is != right.len
        {
            return Some(format!(
                "{what} length {is}, and {} bytes are there",
                right.len
            ));
        }
        if let Auto::Set(is) = checksum
            && *is != right.chksum
            && (what == "IP" || *is != 0)
        {
            return Some(format!(
                "{what} checksum {is:#06x} is wrong, should be {:#06x}",
                right.chksum
            ));
        }
    }
    None
}

/// Runs the suite that the arguments ask for.
pub fn run(
    args: &ConformArgs,
    interrupted: Arc<AtomicBool>,
    sink: &mut dyn Sink,
) -> Result<Report, Error> {
    run_with(args, interrupted, sink, Box::new(Plain))
}

/// Runs the suite; where the lab's client is checked, it has this habit.
pub fn run_with(
    args: &ConformArgs,
    interrupted: Arc<AtomicBool>,
    sink: &mut dyn Sink,
    habit: Box<dyn Habit>,
) -> Result<Report, Error> {
    let seed = args.seed.seed;
    let host = Host::new(
        Session::new(seed, interrupted.clone()),
        Box::new(std::io::sink()),
        Box::new(std::io::sink()),
        Style::detect(ColorChoice::Never, false),
    );
    host.settings
        .borrow_mut()
        .interface
        .clone_from(&args.link.interface);
    let globals = match args.client {
        true => client_functions::globals(),
        false => functions::globals(),
    };
    let engine = Engine::with_globals(&host, globals);
    Module::with_temp_heap(|module| {
        let in_lab = lab::is_lab(&args.link.interface);
        let suite = if args.client { CLIENT } else { SERVER };
        let timeout = args.patience().as_secs_f64();
        module.set("TIMEOUT", module.heap().alloc(timeout));
        let relay = args.relay.or(in_lab.then_some(lab::RELAY));
        let server = args.server.map(|it| it.to_string()).unwrap_or_default();
        let relay = relay.map(|it| it.to_string()).unwrap_or_default();
        let own = own_network(args)?;
        let (own, bits) = own.map_or((String::new(), 24), |it| (it.ip.to_string(), it.prefix));
        let server = if args.client { own } else { server };
        for (name, text) in [("RELAY", relay), ("SERVER", server)] {
            module.set(name, module.heap().alloc(text));
        }
        module.set("BITS", module.heap().alloc(i32::from(bits)));
        let (checks, functions) = declared(&engine, &module, suite)?;
        let chosen = choose(&checks, args)?;
        if args.list || args.explain.is_some() {
            let checks = chosen.iter().map(|at| checks[*at].clone()).collect();
            let explain = args.explain.is_some();
            let client = args.client;
            return Ok(Report::Checks {
                checks,
                explain,
                client,
            });
        }
        let why = match args.client {
            true => "a server there that misbehaves answers others' clients",
            false => "the checks use up addresses that others need, and send what is malformed",
        };
        Here::look(&args.link)?.spare_others(&args.link, args.force, why)?;
        let mut report = match &args.junit {
            // Made now: what cannot be written should not cost a run.
            Some(path) => Some(File::create(path).map_err(|it| Error::file(path, it))?),
            None => None,
        };
        let mut session = Session::new(seed, interrupted);
        // The lab's server may go by rules of a file.
        session.rules_with(super::read_rules);
        let bench = open(session, args, sink, habit)?;
        *host.bench.borrow_mut() = Some(bench);
        let run = Run {
            engine: &engine,
            module: &module,
            args,
        };
        let chosen: Vec<_> = chosen
            .into_iter()
            .map(|at| (&checks[at], functions[at]))
            .collect();
        let findings = run.all(&chosen, sink)?;
        if let Some((path, file)) = args.junit.as_ref().zip(report.as_mut()) {
            let mut text = Vec::new();
            crate::view::conform::junit(&findings, seed, &mut text)?;
            file.write_all(&text).map_err(|it| Error::file(path, it))?;
        }
        Ok(Report::Findings(findings))
    })
}

/// The server's address and network where a client is checked.
fn own_network(args: &ConformArgs) -> Result<Option<Network>, Error> {
    let known = args.subject.address;
    if !args.client || args.list || args.explain.is_some() || known.is_some() {
        return Ok(known);
    }
    let interface = &args.link.interface;
    if lab::is_lab(interface) {
        return Ok(Some(lab::NETWORK));
    }
    let here = Here::look(&args.link)?;
    match here.network {
        Some((ip, prefix)) => Ok(Some(Network { ip, prefix })),
        None => Err(Error::Usage(format!(
            "{interface} has no IPv4 address of its own: name the server's with --address IP/BITS"
        ))),
    }
}

/// Opens the link, and plays the other side on it.
fn open(
    mut session: Session,
    args: &ConformArgs,
    sink: &mut dyn Sink,
    habit: Box<dyn Habit>,
) -> Result<Bench, Error> {
    let (link, write) = (&args.link, args.write.as_deref());
    let in_lab = lab::is_lab(&link.interface);
    if in_lab && !args.quiet {
        sink.notice(&match args.client {
            true => "lab: our own client in this process, nothing left the machine (-i IFACE: a real link)".to_string(),
            false => crate::commands::lab_notice(&link.interface),
        });
    }
    let Some(network) = own_network(args)? else {
        let bench = ServerBench::open(session, link, write, args.patience())?;
        return Ok(Bench::Server(Box::new(bench)));
    };
    let (open, subject): (_, Box<dyn Subject>) = if in_lab {
        let (open, subject) = session.open_lab_client(link, write, habit)?;
        (open, Box::new(subject))
    } else {
        let subject = Process::new(args.subject.lines());
        (session.open(link, write)?, Box::new(subject))
    };
    let desk = Desk::new(session, open);
    let bench = ClientBench::new(desk, network, subject, args.subject.mac);
    Ok(Bench::Client(Box::new(bench)))
}

/// An error of the suite itself.
fn broken(error: ScriptError) -> Error {
    Error::Missing(format!("the suite is broken: {}", error.text))
}

/// The checks of a suite with their functions.
fn declared<'v>(
    engine: &Engine,
    module: &Module<'v>,
    suite: Suite,
) -> Result<(Vec<Check>, Vec<Value<'v>>), Error> {
    for (name, source) in suite {
        engine.run(module, name, source).map_err(broken)?;
    }
    let rows = module.get("CHECKS");
    let rows = rows.and_then(ListRef::from_value);
    let mut checks = Vec::new();
    let mut functions = Vec::new();
    for row in rows.iter().flat_map(|it| it.iter()) {
        let get = |name: &str| {
            let value = row.get_attr(name, module.heap()).ok().flatten();
            value.unwrap_or_else(Value::new_none)
        };
        let text = |name: &str| get(name).unpack_str().unwrap_or_default().to_string();
        let id = text("id");
        let source = suite.iter().find_map(|it| source_of(it.1, &id));
        checks.push(Check {
            rfc: text("rfc"),
            level: Level::by_name(&text("level")).unwrap_or(Level::May),
            requires: text("requires"),
            needs: text("needs")
                .split_whitespace()
                .map(str::to_string)
                .collect(),
            source: source.unwrap_or_default().to_string(),
            id,
        });
        functions.push(get("function"));
    }
    Ok((checks, functions))
}

/// The function that stands before the declaration of a check, with it.
fn source_of<'a>(source: &'a str, id: &str) -> Option<&'a str> {
    let at = source.find(&format!("check(\"{id}\""))?;
    let start = source.get(..at)?.rfind("\ndef ")? + 1;
    let end = source
        .get(at..)?
        .find("\n\n")
        .map_or(source.len(), |it| at + it);
    source.get(start..end)
}

/// The places of the checks that are meant.
fn choose(checks: &[Check], args: &ConformArgs) -> Result<Vec<usize>, Error> {
    let words: Vec<&String> = args.only.iter().chain(&args.explain).collect();
    let mut meant = vec![words.is_empty(); checks.len()];
    for word in words {
        let before = meant.iter().filter(|it| **it).count();
        let exact = args.explain.is_some();
        let mut any = false;
        for (place, check) in meant.iter_mut().zip(checks) {
            let is = match exact {
                true => check.id.eq_ignore_ascii_case(word),
                false => check.is_meant(word),
            };
            *place |= is;
            any |= is;
        }
        if !any && before <= checks.len() {
            let near = super::did_you_mean(word, checks.iter().map(|it| it.id.as_str()));
            return Err(Error::Usage(format!(
                "no check `{word}`{near}; `dhcpcraft conform --list` shows them all"
            )));
        }
    }
    Ok((0..checks.len()).filter(|at| meant[*at]).collect())
}
