//! The flags that set them. Those of header fields come from the field table, so that every field has one.

use std::net::Ipv4Addr;

use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Args, Command, FromArgMatches};

use super::{Edits, MacChoice};
use crate::commands::relay::{RelayArg, RelayPath};
use crate::dhcp::assign::{self, Assignment};
use crate::dhcp::{Overload, options};
use crate::wire::*;

const HEADERS: &str = "Headers (Ethernet, IP, UDP, BOOTP)";
const OPTIONS: &str = "Options";
const RELAY: &str = "Relay agent";

/// Shorthand flags and the options they set.
const SHORTHANDS: [(&str, &str); 8] = [
    ("hostname", "hostname"),
    ("client-id", "client-id"),
    ("vendor-class", "vendor-class"),
    ("request-list", "request-list"),
    ("requested-ip", "requested-ip"),
    ("server-id", "server-id"),
    ("lease-time", "lease-time"),
    ("relay-info", "relay-info"),
];

/// The option that a shorthand flag sets.
pub fn shorthand(flag: &str) -> Option<&'static str> {
    let row = SHORTHANDS.iter().find(|it| it.0 == flag);
    row.map(|it| it.1)
}

/// Rows of the field table that have a flag, with it.
fn flagged() -> impl Iterator<Item = (&'static str, &'static FieldSpec)> {
    FIELDS.iter().filter_map(|row| Some((row.flag()?, row)))
}

fn is_mac_flag(flag: &str) -> bool {
    matches!(flag, "chaddr" | "src-mac")
}

/// Reads a MAC address, `random` or `native`; `None` for bytes that are no MAC address (`hex:…`).
pub(in crate::commands) fn parse_mac(text: &str) -> Result<Option<MacChoice>, String> {
    // `+` says that several clients count on from here, which they do anyway.
    let text = text.strip_suffix('+').unwrap_or(text);
    match text {
        "random" => Ok(Some(MacChoice::Random)),
        "native" => Ok(Some(MacChoice::Native)),
        _ if text.starts_with("hex:") => Ok(None),
        _ => text
            .replace('-', ":")
            .parse()
            .map(|mac| Some(MacChoice::Fixed(mac)))
            .map_err(|_| "a MAC address such as 02:00:5e:10:00:01, `random`, or `native`".into()),
    }
}

impl Args for Edits {
    fn augment_args(command: Command) -> Command {
        let mut command = command.next_help_heading(HEADERS);
        for (flag, row) in flagged() {
            let name = match row.kind {
                _ if is_mac_flag(flag) => "MAC|random|native",
                FieldKind::Mac => "MAC",
                FieldKind::Ip => "IP",
                FieldKind::Number | FieldKind::Hex => "N",
                FieldKind::Text => "TEXT|hex:…",
                FieldKind::Bytes => "hex:…",
            };
            let summary = row
                .doc
                .split_once(['.', ';', ':'])
                .map_or(row.doc, |it| it.0);
            let mut arg = Arg::new(flag)
                .long(flag)
                .value_name(name)
                .help(summary)
                .long_help(format!(
                    "{} ({} {}; RFC {})",
                    row.doc, row.layer, row.name, row.rfc
                ));
            arg = match flag {
                "chaddr" => arg.visible_alias("mac"),
                _ => arg,
            };
            arg = match row.bits {
                _ if is_mac_flag(flag) => {
                    arg.value_parser(|text: &str| parse_mac(text).map(|_| text.to_string()))
                }
                _ => arg.value_parser(move |text: &str| {
                    row.parse(text)
                        .map(|_| text.to_string())
                        .map_err(|it| it.reason)
                }),
            };
            command = command.arg(arg);
        }
        let switch = |name: &'static str, help: &'static str| {
            Arg::new(name)
                .long(name)
                .action(ArgAction::SetTrue)
                .help(help)
        };
        command = command
            .arg(switch("broadcast", "Set the broadcast flag: ask for broadcast replies").conflicts_with("flags"))
            .arg(switch("unicast", "Clear the broadcast flag").conflicts_with_all(["broadcast", "flags"]))
            .next_help_heading(RELAY)
            .arg(
                Arg::new("relay")
                    .long("relay")
                    .value_name("GIADDR[,SUB-OPTIONS]")
                    .action(ArgAction::Append)
                    .conflicts_with("giaddr")
                    .value_parser(RelayArg::parse)
                    .help("Send through this relay agent, with option 82 of circuit-id=…,remote-id=…; repeat for a chain")
                    // clap makes a new line of a bare {n}; the escape within prints as nothing.
                    .long_help(
                        "Send as this relay agent (RFC 1542, RFC 3046): giaddr and source address, port 67, one hop more, \
                         and option 82 with the sub-options given, last; answer ARP for it. In values, {mac}, {vlan} and \
                         {n} (number from 1) are the client's, in hex behind hex:, and {{ is a brace; relay-flags without \
                         a value is computed (RFC 5010); `explain relay-info` has every sub-option. Repeated, the agents stand in a row, the client's first: the \
                         others only add a hop. --relay '192.0.2.9,circuit-id=port-{n},remote-id=hex:0006{mac}'"
                            .replace("{n}", "{\x1b[0mn}"),
                    ),
            )
            .group(ArgGroup::new("agent").args(["relay", "giaddr"]))
            .arg(
                Arg::new("server")
                    .long("server")
                    .value_name("IP")
                    .requires("agent")
                    .value_parser(clap::value_parser!(Ipv4Addr))
                    .help("The server that the relay agent forwards to [default: broadcast]"),
            )
            .next_help_heading(OPTIONS)
            .arg(
                Arg::new("option")
                    .short('o')
                    .long("option")
                    .value_name("NAME[:TYPE][=VALUE]")
                    .action(ArgAction::Append)
                    .value_parser(|text: &str| assign::parse(text).map_err(|it| it.to_string()))
                    .help("Set an option, in wire order; NAME as any tool calls it, or a number")
                    .long_help(
                        "Set an option; repeat for more, in wire order. NAME is any tool's name for it or its \
                         number, TYPE forces a type. router=10.0.0.1,10.0.0.2 · 61=hex:01020304 · lease-time=1h · \
                         43:hex=0104c0000201 · `dhcpcraft options` lists all, `dhcpcraft explain NAME` tells of one.",
                    ),
            )
            .arg(
                Arg::new("no-option")
                    .long("no-option")
                    .value_name("NAME")
                    .action(ArgAction::Append)
                    .value_parser(|text: &str| {
                        options::by_name(text).map(|it| it.code).map_err(|it| it.to_string())
                    })
                    .help("Leave a default option out"),
            )
            .arg(switch("bare", "Start from nothing: no default options, no padding"))
            .arg(
                Arg::new("raw-options")
                    .long("raw-options")
                    .value_name("HEX")
                    .value_parser(|text: &str| {
                        hex::decode(text.replace([':', ' '], ""))
                            .map_err(|_| "an even number of hex digits".to_string())
                    })
                    .help("The whole option stream as it is to go out, END and padding included"),
            )
            .arg(
                Arg::new("overload")
                    .long("overload")
                    .value_name("file|sname|both")
                    .value_parser(["file", "sname", "both"])
                    .help("Put the last options into file and sname (option 52)"),
            );
        command = command.arg(
            Arg::new("pad-to")
                .long("pad-to")
                .value_name("N")
                .value_parser(clap::value_parser!(u16))
                .help("Pad the BOOTP message to N bytes behind END [default: 300; with --bare: 0]"),
        );
        for (flag, option) in SHORTHANDS {
            let spec = options::by_name(option)
                .map(|it| it.doc)
                .unwrap_or_default();
            command = command.arg(
                Arg::new(flag)
                    .long(flag)
                    .value_name("VALUE")
                    .value_parser(move |text: &str| {
                        assign::parse(&format!("{option}={text}")).map_err(|it| it.to_string())
                    })
                    .help(format!("Short for -o {option}=VALUE"))
                    .long_help(format!("Short for -o {option}=VALUE: {spec}")),
            );
        }
        command
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Edits {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut edits = Edits::default();
        edits.update_from_arg_matches(matches)?;
        Ok(edits)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        let usage = |text: String| clap::Error::raw(clap::error::ErrorKind::ValueValidation, text);
        for (flag, row) in flagged() {
            let Some(text) = matches.get_one::<String>(flag) else {
                continue;
            };
            let mac = if is_mac_flag(flag) {
                parse_mac(text).map_err(usage)?
            } else {
                None
            };
            match (flag, mac) {
                ("chaddr", Some(mac)) => self.chaddr = Some(mac),
                ("src-mac", Some(mac)) => self.src_mac = Some(mac),
                _ => {
                    let value = row.parse(text).map_err(|it| usage(it.to_string()))?;
                    self.fields.push((row, value));
                }
            }
        }
        if matches.get_flag("broadcast") || matches.get_flag("unicast") {
            self.broadcast = Some(matches.get_flag("broadcast"));
        }
        // Options keep the order of the command line, whichever flag they came by.
        let mut ordered: Vec<(usize, Assignment)> = Vec::new();
        for flag in SHORTHANDS.iter().map(|it| it.0).chain(["option"]) {
            let values = matches.get_many::<Assignment>(flag).into_iter().flatten();
            let places = matches.indices_of(flag).into_iter().flatten();
            ordered.extend(places.zip(values.cloned()));
        }
        ordered.sort_by_key(|(place, _)| *place);
        self.set = ordered.into_iter().map(|(_, it)| it).collect();
        self.removed = matches
            .get_many::<u8>("no-option")
            .into_iter()
            .flatten()
            .copied()
            .collect();
        self.bare = matches.get_flag("bare");
        self.raw_options = matches.get_one::<Vec<u8>>("raw-options").cloned();
        self.overload = matches
            .get_one::<String>("overload")
            .map(|which| match which.as_str() {
                "file" => Overload::File,
                "sname" => Overload::Sname,
                _ => Overload::Both,
            });
        let relays = matches.get_many::<RelayArg>("relay").into_iter().flatten();
        self.relays = RelayPath::new(relays.cloned().collect()).map_err(usage)?;
        self.server = matches.get_one::<Ipv4Addr>("server").copied();
        self.pad_to = matches.get_one::<u16>("pad-to").map(|it| usize::from(*it));
        Ok(())
    }
}
