//! One file per command: its arguments, defined once for the command line, and what it does with a
//! session. Commands return data and yield entries; views print them.

pub mod args;
mod built;
pub mod census;
mod choice;
mod compose;
pub mod conform;
pub mod convert;
pub mod diagnosis;
pub mod diff;
pub mod dora;
pub mod edits;
mod error;
pub mod explain;
pub mod failing;
pub mod group;
pub mod here;
mod hexline;
pub mod hextext;
pub mod input;
pub mod interfaces;
pub mod lab;
mod lab_client;
pub mod lint;
pub mod message;
pub mod nagios;
pub mod open_link;
pub mod options;
pub mod outcome;
mod progress;
pub mod relay;
pub mod relay_agent;
pub mod renew;
pub mod replay;
pub mod replayed;
pub mod script;
pub mod serve;
pub mod servers;
pub mod session;
pub mod show;
pub mod sniff;
pub mod subject;
pub mod tests;
pub mod witness;

use std::sync::LazyLock;

use clap::{Parser, Subcommand};

use crate::dhcp::enums;

pub use error::Error;

/// Interactive packet crafting for DHCPv4: build, send, show and record every frame.
#[derive(Debug, Parser)]
#[command(
    name = "dhcpcraft",
    version,
    about,
    max_term_width = 100,
    after_help = "Without -i everything happens in a lab inside this process: nothing leaves the machine.\n\
                  Exit codes: 0 as expected, 1 expectation failed, 2 usage, 3 no reply, 4 NAK, 5 link, 6 file, 130 interrupted."
)]
pub struct Cli {
    /// What to do; without it the prompt on a terminal, and else the script on standard input
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

/// What the program can be told to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// One command.
    #[command(flatten)]
    Command(Box<Command>),
    /// Run a script
    Run(script::RunArgs),
    /// Run the tests in scripts: functions test_…, each in a session of its own
    Test(script::TestArgs),
    /// The prompt: commands and scripts line by line (the default on a terminal)
    Repl(script::ReplArgs),
}

/// The definition of the command line without the prompt, for words that are one command.
#[derive(Debug, Parser)]
#[command(name = "dhcpcraft", max_term_width = 100)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

impl Command {
    /// The command that words mean; the first is the command's name.
    pub fn parse_words(words: &[String]) -> Result<Command, clap::Error> {
        let all = std::iter::once("dhcpcraft").chain(words.iter().map(String::as_str));
        Ok(CommandLine::try_parse_from(all)?.command)
    }

    /// The definitions of all commands, for functions, completion and help.
    pub fn definitions() -> &'static [clap::Command] {
        use clap::CommandFactory;
        // Asked for at every key of the prompt, and not cheap to make.
        static DEFINITIONS: LazyLock<Vec<clap::Command>> = LazyLock::new(|| {
            let all = CommandLine::command();
            all.get_subcommands().cloned().collect()
        });
        &DEFINITIONS
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Send a DISCOVER: which servers offer what?
    Discover(message::MessageArgs),
    /// Send an OFFER, as a server would
    Offer(message::MessageArgs),
    /// Send a REQUEST: take an offer, reboot with an address, or renew it
    Request(message::MessageArgs),
    /// Send an ACK, as a server would
    Ack(message::MessageArgs),
    /// Send a NAK, as a server would
    Nak(message::MessageArgs),
    /// Send a DECLINE: the address is in use
    Decline(message::MessageArgs),
    /// Send a RELEASE: give an address back
    Release(message::MessageArgs),
    /// Send an INFORM: ask for options only
    Inform(message::MessageArgs),
    /// Send any other message: BOOTP, FORCERENEW, LEASEQUERY, unknown types, edited frames
    Craft(message::CraftArgs),
    /// Get a lease: DISCOVER, OFFER, REQUEST, ACK
    Dora(dora::DoraArgs),
    /// Renew the lease: a REQUEST to the server that gave it
    Renew(message::MessageArgs),
    /// Play a DHCP server, well-behaved or not
    Serve(serve::ServeArgs),
    /// Play a relay agent: clients on one interface, servers on another
    Relay(relay_agent::RelayAgentArgs),
    /// List the servers that answer; with --allow any other one fails
    Servers(servers::ServersArgs),
    /// Watch a link: DHCP frames as they come
    Sniff(sniff::SniffArgs),
    /// Send a capture's client messages again, and compare the replies
    Replay(replay::ReplayArgs),
    /// Rebind the lease: a REQUEST to any server
    Rebind(message::MessageArgs),
    /// Ask whether a remembered address is still good (INIT-REBOOT)
    Reboot(message::MessageArgs),
    /// Show frames of captures, hex text, or standard input
    Show(show::ShowArgs),
    /// Copy frames between pcap, pcapng and hex
    Convert(convert::ConvertArgs),
    /// Judge frames by the rules of the RFCs (exit 1 where one is broken)
    Lint(lint::LintArgs),
    /// Check a server against the RFCs (exit 1 where it breaks a MUST)
    Conform(conform::ConformArgs),
    /// Compare two frames, or the exchanges of two captures: exit 1 where they differ
    Diff(diff::DiffArgs),
    /// List the options that exist, with every tool's name for them
    Options(options::OptionsArgs),
    /// Explain an option, a field, a message type or a term
    Explain(explain::ExplainArgs),
    /// List what -i can name, and what cannot be used and why
    Interfaces(interfaces::InterfacesArgs),
}

/// What a command gives when it is done.
#[derive(Debug)]
pub enum Outcome {
    /// It yielded entries, and ended like this.
    Ran(outcome::Ending),
    /// Frames were copied into a file.
    Converted(convert::Converted),
    /// What became of many clients.
    Clients(outcome::Clients),
    /// Who answers on a link.
    Servers(servers::Found),
    /// What came of sending a recording again.
    Replayed(replayed::Replayed),
    /// What a conformance suite found.
    Conformance(Box<conform::Report>),
    /// In what the exchanges of two captures differ.
    Compared(Vec<crate::dhcp::comparison::ComparedExchange>),
    /// In what two frames differ.
    Differences(Vec<crate::dhcp::difference::Difference>),
    /// What a server can do wrong on purpose.
    Faults,
    /// What came of judging frames.
    Linted(lint::Tally),
    /// The rules that frames are judged by.
    Rules(Vec<&'static crate::dhcp::lint::Rule>),
    /// Rows of the dictionary.
    Options(Vec<&'static crate::dhcp::options::OptionSpec>),
    /// Answers to a question.
    Topics(Vec<explain::Topic>),
    /// What `-i` can name.
    Links(interfaces::Links),
}

impl Outcome {
    /// How a run ended that can be judged by an expression. To judge one that was stopped its end is missing, with
    /// a lease or without.
    pub fn ending(&self) -> Option<&outcome::Ending> {
        match self {
            Outcome::Ran(outcome::Ending::Stopped) => Some(&outcome::Ending::Interrupted),
            Outcome::Ran(ending) => Some(ending),
            Outcome::Servers(found) => Some(match found.interrupted {
                true => &outcome::Ending::Interrupted,
                false => &outcome::Ending::Done,
            }),
            Outcome::Replayed(it) => Some(&it.ending),
            _ => None,
        }
    }
}

impl Command {
    /// The flags about output, of commands that yield entries.
    pub fn out(&self) -> Option<&args::OutArgs> {
        match self {
            Command::Craft(args) => Some(args.message().out()),
            Command::Renew(args) | Command::Rebind(args) | Command::Reboot(args) => {
                Some(args.out())
            }
            Command::Dora(args) => Some(args.out()),
            Command::Show(args) => Some(args.out()),
            Command::Serve(args) => Some(args.out()),
            Command::Relay(args) => Some(args.out()),
            Command::Sniff(args) => Some(args.out()),
            Command::Replay(args) => Some(args.out()),
            _ => self.message().map(|(_, args)| args.out()),
        }
    }

    /// The expression that frames are to hold for (`--where`).
    pub fn condition(&self) -> Option<&String> {
        match self {
            Command::Convert(args) => args.condition.as_ref(),
            Command::Lint(args) => args.condition.as_ref(),
            _ => self.out().and_then(|it| it.condition.as_ref()),
        }
    }

    /// The expressions that are to hold of what came (`--expect`).
    pub fn expectations(&self) -> &[String] {
        match self {
            Command::Servers(args) => &args.expect,
            _ => self.out().map_or(&[], |it| &it.expect),
        }
    }

    /// When to use colours, and whether JSON was asked for.
    pub fn style(&self) -> (args::ColorChoice, bool) {
        match self {
            Command::Conform(args) => (args.color, args.json),
            Command::Diff(args) => (args.color, args.json),
            Command::Servers(args) => (args.color, args.json),
            Command::Lint(args) => (args.color, args.json),
            Command::Options(args) => (args.color, args.json),
            Command::Explain(args) => (args.color, args.json),
            Command::Interfaces(args) => (args.color, args.json),
            _ => self
                .out()
                .map_or((args::ColorChoice::Auto, false), |it| (it.color, it.json)),
        }
    }

    /// Whether it is to end as it would although nobody reads its output any more: its exit code answers a question,
    /// and it ends by itself.
    pub fn goes_on_unread(&self) -> bool {
        match self {
            Command::Serve(_) | Command::Relay(_) | Command::Sniff(_) => false,
            Command::Convert(_)
            | Command::Options(_)
            | Command::Explain(_)
            | Command::Interfaces(_) => false,
            Command::Dora(args) => !args.holds(),
            Command::Servers(args) => !args.watches(),
            Command::Replay(args) => !args.stands_in(),
            Command::Show(args) => args.out().lint || !args.out().expect.is_empty(),
            _ => true,
        }
    }

    /// Whether notices are to be left out.
    pub fn quiet(&self) -> bool {
        match self {
            Command::Convert(args) => args.quiet,
            Command::Conform(args) => args.quiet,
            Command::Servers(args) => args.quiet,
            _ => self.out().is_some_and(|it| it.quiet),
        }
    }

    /// The seed given.
    pub fn seed(&self) -> Option<u64> {
        match self {
            Command::Craft(args) => args.message().seed(),
            Command::Renew(args) | Command::Rebind(args) | Command::Reboot(args) => args.seed(),
            Command::Dora(args) => args.seed(),
            Command::Replay(args) => args.seed(),
            Command::Conform(args) => args.seed.seed,
            Command::Serve(args) => args.seed(),
            Command::Relay(args) => args.seed(),
            Command::Servers(args) => args.seed(),
            _ => self.message().and_then(|(_, args)| args.seed()),
        }
    }

    /// The message type and arguments of a command that sends one type.
    fn message(&self) -> Option<(u8, &message::MessageArgs)> {
        Some(match self {
            Command::Discover(args) => (enums::DISCOVER, args),
            Command::Offer(args) => (enums::OFFER, args),
            Command::Request(args) => (enums::REQUEST, args),
            Command::Ack(args) => (enums::ACK, args),
            Command::Nak(args) => (enums::NAK, args),
            Command::Decline(args) => (enums::DECLINE, args),
            Command::Release(args) => (enums::RELEASE, args),
            Command::Inform(args) => (enums::INFORM, args),
            _ => return None,
        })
    }

    /// Runs the command. Entries and notices go to `sink` as they come.
    pub fn run(
        &self,
        session: &mut session::Session,
        sink: &mut dyn outcome::Sink,
    ) -> Result<Outcome, Error> {
        Ok(match self {
            Command::Craft(args) => Outcome::Ran(args.run(session, sink)?),
            Command::Renew(args) => renew(renew::Renewal::Renew, args, session, sink)?,
            Command::Rebind(args) => renew(renew::Renewal::Rebind, args, session, sink)?,
            Command::Reboot(args) => renew(renew::Renewal::Reboot, args, session, sink)?,
            Command::Dora(args) => args.run(session, sink)?,
            Command::Show(args) => Outcome::Ran(args.run(session, sink)?),
            Command::Serve(args) if args.lists_faults() => Outcome::Faults,
            Command::Serve(args) => Outcome::Ran(args.run(session, sink)?),
            Command::Relay(args) => Outcome::Ran(args.run(session, sink)?),
            Command::Servers(args) => Outcome::Servers(args.run(session, sink)?),
            Command::Sniff(args) => Outcome::Ran(args.run(session, sink)?),
            Command::Replay(args) if args.stands_in() => {
                Outcome::Ran(args.stand_in(session, sink)?)
            }
            Command::Replay(args) => Outcome::Replayed(args.run(session, sink)?),
            Command::Conform(args) => Outcome::Conformance(Box::new(args.run(session, sink)?)),
            Command::Convert(args) => Outcome::Converted(args.run(session)?),
            Command::Lint(args) if args.rules => Outcome::Rules(args.chosen()?),
            Command::Lint(args) => Outcome::Linted(args.run(session, sink)?),
            Command::Diff(args) => args.run(session, sink)?,
            Command::Options(args) => Outcome::Options(args.run()?),
            Command::Explain(args) => Outcome::Topics(args.run()?),
            Command::Interfaces(args) => Outcome::Links(args.run()),
            _ => match self.message() {
                Some((message_type, args)) => {
                    Outcome::Ran(message::run(message_type, args, session, sink)?)
                }
                None => Outcome::Ran(outcome::Ending::Done),
            },
        })
    }
}

fn renew(
    renewal: renew::Renewal,
    args: &message::MessageArgs,
    session: &mut session::Session,
    sink: &mut dyn outcome::Sink,
) -> Result<Outcome, Error> {
    Ok(Outcome::Ran(renew::renew(renewal, args, session, sink)?))
}

/// The line that says a run happens in the lab.
pub fn lab_notice(name: &str) -> String {
    let cast = lab::CASTS.iter().find(|(it, _)| *it == name);
    match (name, cast) {
        (_, None) if lab::rules_file(name).is_some() => {
            format!(
                "{name}: a server with those rules; nothing left the machine (-i IFACE for a real link)"
            )
        }
        ("lab", _) | (_, None) => {
            "lab: a server in this process, nothing left the machine (-i IFACE: a real link)".into()
        }
        (_, Some((_, cast))) => {
            format!("{name}: {cast}; nothing left the machine (-i IFACE for a real link)")
        }
    }
}
