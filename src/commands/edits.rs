//! What the user sets on the command line: header fields, options in order, and the base to start from.
//!
//! The flags of header fields come from the field table, so that every field has one.

use std::net::Ipv4Addr;

use clap::{Arg, ArgAction, ArgGroup, ArgMatches, Args, Command, FromArgMatches};

use super::Error;
use super::relay::{RelayArg, RelayPath};
use crate::dhcp::assign::{self, Assignment};
use crate::dhcp::template::{Draft, Identity};
use crate::dhcp::{Overload, options};
use crate::wire::*;

/// Where a MAC address comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MacChoice {
    /// This one.
    Fixed(MacAddr),
    /// A random, locally administered one.
    Random,
    /// The interface's own.
    Native,
}

/// Changes to a message, in the order of the command line.
#[derive(Clone, Debug, Default)]
pub struct Edits {
    fields: Vec<(&'static FieldSpec, FieldValue)>,
    /// The client's MAC address, unless `chaddr` was set to something else.
    pub chaddr: Option<MacChoice>,
    /// The Ethernet source.
    pub src_mac: Option<MacChoice>,
    broadcast: Option<bool>,
    set: Vec<Assignment>,
    removed: Vec<u8>,
    /// Start from nothing.
    pub bare: bool,
    raw_options: Option<Vec<u8>>,
    overload: Option<Overload>,
    pad_to: Option<usize>,
    relays: RelayPath,
    server: Option<Ipv4Addr>,
}

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
pub(super) fn parse_mac(text: &str) -> Result<Option<MacChoice>, String> {
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
                    .long_help(
                        "Send as this relay agent (RFC 1542, RFC 3046): giaddr and source address, port 67, one hop more, \
                         and option 82 with the sub-options given, last; answer ARP for it. In values, {mac}, {vlan} and \
                         {n} (number from 1) are the client's, in hex behind hex:, and {{ is a brace; relay-flags without \
                         a value is computed (RFC 5010); `explain relay-info` has every sub-option. Repeated, the agents stand in a row, the client's first: the \
                         others only add a hop. --relay '192.0.2.9,circuit-id=port-{n},remote-id=hex:0006{mac}'",
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

impl Edits {
    /// The address that a field flag or an address option sets.
    fn address(&self, layer: &str, name: &str) -> Option<Ipv4Addr> {
        self.fields.iter().find_map(|(row, value)| match value {
            FieldValue::Ip(ip) if row.layer == layer && row.name == name => Some(*ip),
            _ => None,
        })
    }

    /// The relay agent that messages name: the first of `--relay`, or a giaddr that was set.
    pub fn giaddr(&self) -> Option<Ipv4Addr> {
        self.relays.giaddr().or_else(|| {
            self.bootp_address("giaddr")
                .filter(|ip| !ip.is_unspecified())
        })
    }

    /// The relay agents that messages are sent through.
    pub fn relays(&self) -> &RelayPath {
        &self.relays
    }

    /// The edits for the client with this number, counted from 1, behind these VLAN tags.
    pub fn for_client(&self, number: u32, tags: &[Dot1Q]) -> Result<Edits, Error> {
        let mut edits = self.clone();
        edits.relays.for_client(number, tags)?;
        Ok(edits)
    }

    /// Whether messages leave from the client's own MAC address: none was named, and no relay agent sends.
    pub fn sends_as_client(&self) -> bool {
        self.src_mac.is_none() && self.relays.is_empty()
    }

    /// The address given as `--FIELD` of BOOTP.
    pub fn bootp_address(&self, name: &str) -> Option<Ipv4Addr> {
        self.address("BOOTP", name)
    }

    /// The address that the option with this code was set to.
    pub fn option_address(&self, code: u8) -> Option<Ipv4Addr> {
        let option = self.set.iter().find(|it| it.code == code)?;
        <[u8; 4]>::try_from(option.data.as_slice())
            .ok()
            .map(Into::into)
    }

    /// The same changes, a field of a layer left as it is.
    pub fn without(&self, layer: &str, name: &str) -> Edits {
        let mut edits = self.clone();
        edits
            .fields
            .retain(|(row, _)| (row.layer, row.name) != (layer, name));
        edits
    }

    /// Whether a field was set.
    pub fn sets(&self, layer: &str, name: &str) -> bool {
        self.fields
            .iter()
            .any(|(row, _)| row.layer == layer && row.name == name)
    }

    /// The number a field was set to.
    pub fn number(&self, layer: &str, name: &str) -> Option<u64> {
        let mut fields = self.fields.iter();
        let found = fields.find(|(row, _)| row.layer == layer && row.name == name)?;
        found.1.number()
    }

    /// Sets a field as its flag would, unless the flag was given.
    pub fn default_field(&mut self, layer: &str, name: &str, value: FieldValue) {
        if !self.sets(layer, name)
            && let Some(row) = FIELDS
                .iter()
                .find(|row| row.layer == layer && row.name == name)
        {
            self.fields.push((row, value));
        }
    }

    /// The frame of a draft with the user's options and fields on it.
    pub fn build(&self, mut draft: Draft) -> Frame {
        draft.options.retain(|it| !self.removed.contains(&it.code));
        let relayed = !self.relays.is_empty() && draft.bootp.op == 1;
        if relayed {
            // The agents do their part anew, also for a message that follows a relayed one.
            draft.bootp.giaddr = Ipv4Addr::UNSPECIFIED;
            draft.bootp.hops = 0;
            if self.relays.has_info() {
                draft.options.retain(|it| it.code != 82);
            }
        } else if let Some(giaddr) = self.giaddr()
            && draft.bootp.op == 1
            && !self.bare
        {
            draft.relay(giaddr, self.server);
        }
        let mut placed = Vec::new();
        for option in &self.set {
            if !placed.contains(&option.code) {
                draft.put(option.clone());
                placed.push(option.code);
            } else {
                draft.options.push(option.clone());
            }
        }
        // RFC 3046 section 2.1: a relay agent's option comes last.
        if !self.set.iter().any(|it| it.code == 82)
            && let Some(at) = draft.options.iter().position(|it| it.code == 82)
        {
            let relay = draft.options.remove(at);
            let end = draft.options.iter().position(|it| it.code == END);
            draft
                .options
                .insert(end.unwrap_or(draft.options.len()), relay);
        }
        draft.overload = self.overload.or(draft.overload);
        draft.min_message = self.pad_to.unwrap_or(draft.min_message);
        let mut frame = draft.frame();
        if relayed {
            self.forward(&mut frame);
        }
        self.finish(&mut frame);
        frame
    }

    /// Has the relay agents pass a message on.
    fn forward(&self, frame: &mut Frame) {
        let info = !self.removed.contains(&82);
        self.relays.forward(frame, self.server, info);
    }

    /// Puts the user's options and fields onto a captured frame; everything else stays byte for byte,
    /// and right lengths and checksums follow. `who` has the MAC addresses that --chaddr and --src-mac
    /// chose.
    pub fn edit(&self, frame: &mut Frame, who: &Identity) {
        frame.relax();
        let relayed = !self.relays.is_empty() && frame.bootp().is_some_and(|it| it.op == 1);
        let before = frame.bootp().map(|it| it.client_mac());
        if let (Some(_), Some(bootp)) = (self.chaddr, frame.bootp_mut()) {
            bootp.set_client_mac(who.client_mac);
        }
        if let Some(ether) = frame.ether_mut() {
            // A client that sends for itself keeps doing so.
            let follows = self.chaddr.is_some() && before == Some(ether.src);
            if self.src_mac.is_some() || follows || relayed {
                ether.src = who.source_mac;
            }
        }
        if let Some(dhcp) = frame.dhcp_mut()
            && (!self.set.is_empty() || !self.removed.is_empty())
        {
            dhcp.options = self.edit_stream(&dhcp.options);
        }
        if relayed {
            self.forward(frame);
        }
        self.finish(frame);
    }

    fn edit_stream(&self, stream: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut left: Vec<&Assignment> = self.set.iter().collect();
        let mut replaced = Vec::new();
        for item in Options::new(stream) {
            if item.kind == ItemKind::End {
                for option in left.drain(..) {
                    push_option(&mut out, option.code, &option.data);
                }
            }
            if item.is_option() && self.removed.contains(&item.code) {
                continue;
            }
            if item.is_option()
                && let Some(at) = left.iter().position(|it| it.code == item.code)
            {
                let option = left.remove(at);
                push_option(&mut out, option.code, &option.data);
                replaced.push(item.code);
                continue;
            }
            // Further pieces of an option that was split and is now replaced.
            if item.is_option() && replaced.contains(&item.code) {
                continue;
            }
            out.extend_from_slice(item.raw);
        }
        for option in left {
            push_option(&mut out, option.code, &option.data);
        }
        out
    }

    fn finish(&self, frame: &mut Frame) {
        if let (Some(stream), Some(dhcp)) = (&self.raw_options, frame.dhcp_mut()) {
            dhcp.options.clone_from(stream);
        }
        if let (Some(on), Some(bootp)) = (self.broadcast, frame.bootp_mut()) {
            bootp.set_broadcast(on);
        }
        for (row, value) in &self.fields {
            let layer = frame.layers.iter_mut().find(|it| it.name() == row.layer);
            if let Some(layer) = layer {
                // The flag's parser held the value to the field's kind and width.
                let _ = layer.set(row, value.clone());
            }
        }
    }

    /// Whether the broadcast flag was named either way.
    pub fn names_broadcast(&self) -> bool {
        self.broadcast.is_some() || self.sets("BOOTP", "flags")
    }

    /// Sets option 53 as `-o message-type=N` would, unless that was given.
    pub fn set_message_type(&mut self, number: u8) {
        if !self.sets_option(53) {
            self.set.insert(
                0,
                Assignment {
                    code: 53,
                    data: vec![number],
                },
            );
        }
    }

    /// Whether an option was named to be set.
    pub fn sets_option(&self, code: u8) -> bool {
        self.set.iter().any(|it| it.code == code)
    }
}
