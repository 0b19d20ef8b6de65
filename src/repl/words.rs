//! What only the prompt knows: `help`, `set`, `replies`, `lease`, `history`, `write`, `save`, `clear`.

use std::path::Path;

use super::line::WORDS;
use super::{save, topics};
use crate::commands::lab;
use crate::commands::outcome::{Direction, Entry, Verdict};
use crate::commands::script::TalkArgs;
use crate::commands::session::Here;
use crate::commands::{Command, Error};
use crate::dhcp::Message;
use crate::dhcp::enums::ACK;
use crate::link::capture::{CaptureWriter, InterfaceInfo, Packet};
use crate::script::{Host, did_you_mean};
use crate::view::{View, lease_box, replies_table};

/// Runs a word of the prompt and gives what it prints. `said` are the lines of the conversation so far.
pub fn run(host: &Host, word: &str, words: &[String], said: &[String]) -> Result<String, Error> {
    let usage = |text: &str| Err(Error::Usage(text.into()));
    match (word, words) {
        ("help", []) => Ok(topics::overview()),
        ("help", words) => topics::topic(host, &words.join(" ")),
        ("set", [what, value]) => set(host, what, value),
        ("set", []) => {
            let settings = host.settings.borrow();
            let mac = settings.mac.as_deref().unwrap_or("native");
            Ok(format!(
                "interface  {}\nmac        {mac}\n",
                settings.interface
            ))
        }
        ("set", [what]) if what == "interface" => Ok(interfaces(host)),
        ("set", _) => usage("usage: set interface NAME, or set mac MAC|random|native"),
        ("replies", []) => replies(host),
        ("lease", []) => lease(host),
        ("history", []) => Ok(said.iter().map(|it| format!("{it}\n")).collect()),
        ("write", [path]) => write(host, Path::new(path)),
        ("write", _) => usage("usage: write FILE.pcapng, or FILE.pcap"),
        ("save", [path]) => save(Path::new(path), said),
        ("save", _) => usage("usage: save FILE.star"),
        ("clear", []) => {
            host.log.borrow_mut().clear();
            host.session.borrow().forget();
            Ok(String::new())
        }
        (word, _) => {
            let known = WORDS.iter().find(|it| it.0 == word);
            usage(&format!("usage: {}", known.map_or(word, |it| it.1)))
        }
    }
}

/// The link in use and the lab's others.
fn interfaces(host: &Host) -> String {
    let current = host.settings.borrow().interface.clone();
    let mut out = format!("interface  {current}\n");
    for (name, cast) in lab::CASTS.iter().filter(|it| it.0 != current) {
        out += &format!("  {name:<16} {cast}\n");
    }
    out += "`interfaces` lists those of this machine\n";
    out
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
            let near = did_you_mean(what, ["interface", "mac"].into_iter());
            return Err(Error::Usage(format!(
                "no setting `{what}`{near}; there are interface and mac"
            )));
        }
    }
    Ok(String::new())
}

fn print(print: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> Result<String, Error> {
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
    print(|out| replies_table(out, &all, &host.style.get()))
}

fn lease(host: &Host) -> Result<String, Error> {
    let held = host.session.borrow().received().into_iter().rfind(|it| {
        let message = Message::of(it).filter(|it| !it.bootp.yiaddr.is_unspecified());
        message.and_then(|it| it.message_type()) == Some(ACK)
    });
    let log = host.log.borrow();
    let entry = log
        .iter()
        .rfind(|it| it.verdict == Verdict::Part && Some(&it.frame) == held.as_ref());
    match entry {
        Some(entry) => print(|out| lease_box(out, entry, &host.style.get())),
        None => Err(Error::Missing("no lease is held; `dora` gets one".into())),
    }
}

fn write(host: &Host, path: &Path) -> Result<String, Error> {
    let log = host.log.borrow();
    let sent_or_received =
        |it: &&Entry| matches!(it.direction, Direction::Sent | Direction::Received);
    let frames: Vec<&Entry> = log.iter().filter(sent_or_received).collect();
    if frames.is_empty() {
        return Err(Error::Missing(
            "no frames were sent or received so far".into(),
        ));
    }
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
    let plural = if frames.len() == 1 { "frame" } else { "frames" };
    Ok(format!(
        "{} {plural} written to {}\n",
        frames.len(),
        path.display()
    ))
}

fn save(path: &Path, said: &[String]) -> Result<String, Error> {
    let script = save::script(said);
    std::fs::write(path, &script).map_err(|it| Error::file(path, it))?;
    let lines = script.lines().count() - 1;
    let plural = if lines == 1 { "line" } else { "lines" };
    Ok(format!("{lines} {plural} saved to {}\n", path.display()))
}

/// What a conversation that was started with these flags would have been told instead.
pub fn began(args: &TalkArgs) -> Vec<String> {
    let mut said = Vec::new();
    if let Some(seed) = args.seed.seed {
        said.push(format!("seed({seed})"));
    }
    if let Some(name) = args.interface.as_deref().filter(|it| *it != "lab") {
        said.push(format!("set interface {name}"));
    }
    said
}

/// A view of a command that prints to the host's output as things happen.
pub fn view_of(host: &Host, command: &Command) -> View {
    let out = Box::new(std::io::stdout());
    let mut view = View::for_command(command, false, out);
    view.script_with(crate::script::source_of);
    view.restyle(command, host.style.get());
    view
}
