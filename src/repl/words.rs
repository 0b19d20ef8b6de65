//! What only the prompt knows: `help`, `set`, `replies`, `lease`, `history`, `write`, `save`, `clear`.

use std::path::Path;

use super::line::{Line, WORDS, as_call, classify};
use crate::commands::explain::ExplainArgs;
use crate::commands::outcome::{Direction, Entry, Verdict};
use crate::commands::session::Here;
use crate::commands::{Command, Error, Outcome};
use crate::dhcp::Message;
use crate::dhcp::enums::ACK;
use crate::link::capture::{CaptureWriter, InterfaceInfo, Packet};
use crate::script::{Host, help};
use crate::view::{Format, View, lease_box, replies_table};

/// Runs a word of the prompt and gives what it prints. `said` are the lines of the conversation so far.
pub fn run(host: &Host, word: &str, words: &[String], said: &[String]) -> Result<String, Error> {
    let usage = |text: &str| Err(Error::Usage(text.into()));
    match (word, words) {
        ("help", []) => Ok(overview()),
        ("help", words) => topic(host, &words.join(" ")),
        ("set", [what, value]) => set(host, what, value),
        ("set", []) => {
            let settings = host.settings.borrow();
            let mac = settings.mac.as_deref().unwrap_or("native");
            Ok(format!(
                "interface  {}\nmac        {mac}\n",
                settings.interface
            ))
        }
        ("set", _) => usage("set interface NAME, or set mac MAC|random|native"),
        ("replies", []) => replies(host),
        ("lease", []) => lease(host),
        ("history", []) => Ok(said.iter().map(|it| format!("{it}\n")).collect()),
        ("write", [path]) => write(host, Path::new(path)),
        ("write", _) => usage("write FILE.pcap or FILE.pcapng"),
        ("save", [path]) => save(Path::new(path), said),
        ("save", _) => usage("save FILE.star"),
        ("clear", []) => {
            host.log.borrow_mut().clear();
            host.session.borrow().forget();
            Ok(String::new())
        }
        (word, _) => usage(&format!("`{word}` takes nothing")),
    }
}

fn overview() -> String {
    let mut out = String::from(
        "Commands, as on the command line; each is also a function, discover(hostname=\"x\"):\n",
    );
    for command in Command::definitions() {
        out += &format!(
            "  {:<11} {}\n",
            command.get_name(),
            command
                .get_about()
                .map(|it| it.to_string())
                .unwrap_or_default()
        );
    }
    out += "\nThe conversation:\n";
    for (word, doc) in WORDS.iter().filter(|it| it.0 != "quit") {
        out += &format!("  {word:<11} {doc}\n");
    }
    out += "\nThe language: Scapy's layers and functions, in Starlark (lsc() lists the functions, ls() the layers):\n";
    out += "  pkt = Ether() / IP() / UDP() / BOOTP() / DHCP(options=[(\"message-type\", \"discover\"), \"end\"])\n";
    out += "  ans = srp1(pkt)          pkt[BOOTP].xid = 7          pkt.show()\n";
    out += "  _ is the last result, `reply` the last reply, `answers` all of them\n";
    out += "\nhelp discover, help router, help BOOTP, help sendp: more of each; Tab completes, Ctrl-R searches\n";
    out
}

/// Help on anything: a command, a word of the prompt, a function, a class, an option, a field, a term.
pub fn topic(host: &Host, name: &str) -> Result<String, Error> {
    if let Some(command) = Command::definitions()
        .iter()
        .find(|it| it.get_name() == name)
    {
        let mut command = command.clone().term_width(host.style.width).bin_name(name);
        let text = command.render_long_help();
        return Ok(if host.style.color {
            text.ansi().to_string()
        } else {
            text.to_string()
        });
    }
    if let Some((_, doc)) = WORDS.iter().find(|it| it.0 == name) {
        return Ok(format!("{doc}\n"));
    }
    let mut out = help::topic(name).unwrap_or_default();
    let explained = ExplainArgs::about(name).run();
    match explained {
        Ok(topics) => {
            if !out.is_empty() {
                out.push('\n');
            }
            out += &crate::script::printed(host, Format::Table, |view| {
                view.outcome(&Outcome::Topics(topics))
            })
            .map_err(|it| Error::Missing(it.to_string()))?;
            Ok(out)
        }
        Err(_) if !out.is_empty() => Ok(out),
        Err(error) => Err(error),
    }
}

fn set(host: &Host, what: &str, value: &str) -> Result<String, Error> {
    match what {
        "interface" => {
            Here::look(&host.link_args(Some(value)))?;
            host.settings.borrow_mut().interface = value.to_string();
            host.session.borrow().forget();
        }
        "mac" => {
            let fixed = value.replace('-', ":");
            let known = matches!(value, "random" | "native")
                || fixed.parse::<crate::wire::MacAddr>().is_ok();
            if !known {
                return Err(Error::Usage(format!(
                    "`{value}` is no MAC address such as 02:00:5e:10:00:01, nor random or native"
                )));
            }
            host.settings.borrow_mut().mac = (value != "native").then_some(fixed);
        }
        _ => {
            return Err(Error::Usage(format!(
                "no setting `{what}`; there are interface and mac"
            )));
        }
    }
    Ok(String::new())
}

fn print(
    host: &Host,
    print: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>,
) -> Result<String, Error> {
    let _ = host;
    let mut out = Vec::new();
    print(&mut out)?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

fn replies(host: &Host) -> Result<String, Error> {
    let entries = host.last_received();
    if entries.is_empty() {
        return Err(Error::Missing("no replies so far".into()));
    }
    let all: Vec<&Entry> = entries.iter().collect();
    print(host, |out| replies_table(out, &all, &host.style))
}

fn lease(host: &Host) -> Result<String, Error> {
    let held = host
        .session
        .borrow()
        .received()
        .into_iter()
        .rfind(|it| Message::of(it).and_then(|it| it.message_type()) == Some(ACK));
    let log = host.log.borrow();
    let entry = log
        .iter()
        .rfind(|it| it.verdict == Verdict::Part && Some(&it.frame) == held.as_ref());
    match entry {
        Some(entry) => print(host, |out| lease_box(out, entry, &host.style)),
        None => Err(Error::Missing("no lease is held; `dora` gets one".into())),
    }
}

fn write(host: &Host, path: &Path) -> Result<String, Error> {
    let log = host.log.borrow();
    let sent_or_received =
        |it: &&Entry| matches!(it.direction, Direction::Sent | Direction::Received);
    let frames: Vec<&Entry> = log.iter().filter(sent_or_received).collect();
    let mut writer = CaptureWriter::create(path)?;
    let link_type = frames
        .first()
        .map_or(crate::wire::link_type::ETHERNET, |it| it.link_type);
    writer.declare(
        0,
        &InterfaceInfo::new(&host.settings.borrow().interface, link_type),
    )?;
    for entry in &frames {
        writer.write(&Packet {
            at: entry.at,
            link_type: entry.link_type,
            interface: 0,
            original_len: entry.original_len as u32,
            bytes: entry.bytes.clone(),
            comment: entry.comment.clone(),
        })?;
    }
    writer.finish()?;
    Ok(format!(
        "{} frames written to {}\n",
        frames.len(),
        path.display()
    ))
}

/// The lines as a script: commands as the calls that do the same.
fn save(path: &Path, said: &[String]) -> Result<String, Error> {
    let mut out = String::new();
    for line in said {
        match classify(line) {
            Line::Command(words) => out += &format!("show({})\n", as_call(&words)),
            Line::Word("set", words) if words.first().map(String::as_str) == Some("interface") => {
                out += &format!(
                    "interface({:?})\n",
                    words.get(1).map(String::as_str).unwrap_or_default()
                );
            }
            Line::Source(source) => {
                out += &source;
                out.push('\n');
            }
            _ => {}
        }
    }
    std::fs::write(path, &out).map_err(|it| Error::file(path, it))?;
    Ok(format!(
        "{} lines saved to {}\n",
        out.lines().count(),
        path.display()
    ))
}

/// A view of a command that prints to the host's output as things happen.
pub fn view_of(host: &Host, command: &Command) -> View {
    let out = Box::new(std::io::stdout());
    let mut view = View::for_command(command, false, out);
    view.script_with(crate::script::source_of);
    view.restyle(command, host.style);
    view
}
