//! The relay agents that messages are sent through: `--relay`, and what stands in its sub-options.

use std::net::Ipv4Addr;

use super::Error;
use crate::dhcp::assign::{self, AssignError};
use crate::dhcp::relay::Agent;
use crate::dhcp::suboptions;
use crate::dhcp::value::split;
use crate::wire::{CLIENT_PORT, Dot1Q, Frame, MacAddr};

/// Sub-option 10: how the client sent its message (RFC 5010).
const FLAGS: u8 = 10;

/// What a placeholder may name.
const PLACEHOLDERS: [(&str, &str); 3] = [
    ("mac", "the client's MAC address"),
    ("vlan", "its VLAN, the innermost --vlan"),
    (
        "n",
        "its number, counted from 1 (dora --clients, or --count)",
    ),
];

/// `--relay GIADDR[,SUB-OPTIONS]`: a relay agent and the template of its option 82.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayArg {
    address: Ipv4Addr,
    info: Option<String>,
}

/// The client that an option 82 is made for.
#[derive(Clone, Copy, Debug)]
struct Client {
    mac: MacAddr,
    vlan: u16,
    number: u32,
    /// Whether it sent its message by unicast.
    unicast: bool,
}

impl RelayArg {
    /// Reads it, and tries whether the sub-options can be made for a client.
    pub fn parse(text: &str) -> Result<RelayArg, String> {
        let (ip, info) = match text.split_once(',') {
            Some((ip, info)) => (ip, Some(info)),
            None => (text, None),
        };
        let address = ip.parse().map_err(|_| {
            format!("`{ip}` is not an IPv4 address; GIADDR[,circuit-id=…][,remote-id=…]")
        })?;
        let relay = RelayArg {
            address,
            info: info.map(str::to_string),
        };
        relay.info(&Client {
            mac: MacAddr::default(),
            vlan: 1,
            number: 1,
            unicast: false,
        })?;
        Ok(relay)
    }

    /// Data of its option 82 for a message as its client sent it; empty where none can be made.
    pub fn info_of(&self, frame: &Frame) -> Vec<u8> {
        let client = Client {
            mac: frame.bootp().map(|it| it.client_mac()).unwrap_or_default(),
            vlan: frame.vlans().last().unwrap_or(0),
            number: 1,
            unicast: frame.ipv4().is_some_and(|it| !it.dst.is_broadcast()),
        };
        self.info(&client).unwrap_or_default()
    }

    /// Data of its option 82 for a client.
    fn info(&self, client: &Client) -> Result<Vec<u8>, String> {
        let Some(template) = &self.info else {
            return Ok(Vec::new());
        };
        let text = expand(template, client)?;
        let items = split(&text, ',', usize::MAX).into_iter().map(|item| {
            // Without a value it is computed.
            let code = suboptions::RELAY.code_of(item).or(item.parse().ok());
            match code == Some(FLAGS) {
                true if client.unicast => format!("{item}=unicast"),
                true => format!("{item}=broadcast"),
                false => item.to_string(),
            }
        });
        let text = items.collect::<Vec<_>>().join(",");
        let read = assign::parse(&format!("relay-info={text}"));
        read.map(|it| it.data).map_err(|it| match it {
            AssignError::Value { error, .. } => {
                format!(
                    "{error}; for example {ip},circuit-id=port-{{n}}",
                    ip = self.address
                )
            }
            other => other.to_string(),
        })
    }
}

/// A template with its placeholders filled in. `{{` and `}}` are braces; behind `hex:` everything is in hex
/// digits: six bytes, two and four.
fn expand(template: &str, client: &Client) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}', '\\']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(tail) = rest.strip_prefix('\\') {
            // An escape of a quoted string, `\u{…}` with braces of its own.
            let unicode = tail.starts_with("u{").then(|| tail.find('}')).flatten();
            let first = tail.chars().next().map_or(0, char::len_utf8);
            let end = 1 + unicode.map_or(first, |at| at + 1);
            out.push_str(&rest[..end]);
            rest = &rest[end..];
        } else if let Some(brace) = ["{{", "}}"].into_iter().find(|it| rest.starts_with(it)) {
            out.push_str(&brace[1..]);
            rest = &rest[2..];
        } else {
            let name = rest[1..]
                .split_once('}')
                .filter(|_| rest.starts_with('{'))
                .ok_or_else(|| format!("a brace alone in `{template}`: {{{{ and }}}} are braces"))?
                .0;
            out.push_str(&value(name, in_hex(&out), client)?);
            rest = &rest[name.len() + 2..];
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// Whether what follows `text` continues digits behind `hex:`.
fn in_hex(text: &str) -> bool {
    let digits = |c: char| c.is_ascii_hexdigit() || matches!(c, ':' | '-' | ' ');
    text.trim_end_matches(digits).ends_with("hex") && !text.ends_with("hex")
}

fn value(name: &str, hex: bool, client: &Client) -> Result<String, String> {
    Ok(match (name, hex) {
        ("mac", true) => hex::encode(client.mac.octets()),
        ("mac", false) => client.mac.to_string(),
        ("vlan", true) => format!("{:04x}", client.vlan),
        ("vlan", false) => client.vlan.to_string(),
        ("n", true) => format!("{:08x}", client.number),
        ("n", false) => client.number.to_string(),
        _ => {
            let known: Vec<_> = PLACEHOLDERS
                .iter()
                .map(|(name, doc)| format!("{{{name}}} {doc}"))
                .collect();
            return Err(format!(
                "unknown placeholder {{{name}}}; there are {}; {{{{ is a brace",
                known.join(", ")
            ));
        }
    })
}

/// The relay agents between a client and its server, nearest to the client first.
#[derive(Clone, Debug, Default)]
pub struct RelayPath {
    agents: Vec<RelayArg>,
    vlan: u16,
    number: u32,
}

impl RelayPath {
    /// A path through these agents. Only the first may add option 82.
    pub fn new(agents: Vec<RelayArg>) -> Result<RelayPath, String> {
        if let Some(later) = agents.iter().skip(1).find(|it| it.info.is_some()) {
            return Err(format!(
                "the relay agent {} is not the first on the way: a message with a giaddr is passed on without \
                 adding sub-options (RFC 3046 2.1.1)",
                later.address
            ));
        }
        Ok(RelayPath {
            agents,
            vlan: 0,
            number: 1,
        })
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.agents.is_empty()
    }

    /// The address of the first agent: giaddr.
    pub fn giaddr(&self) -> Option<Ipv4Addr> {
        self.agents.first().map(|it| it.address)
    }

    /// The addresses of all agents.
    pub fn addresses(&self) -> impl Iterator<Item = Ipv4Addr> + '_ {
        self.agents.iter().map(|it| it.address)
    }

    /// Whether the first agent brings an option 82.
    pub fn has_info(&self) -> bool {
        self.agents.first().is_some_and(|it| it.info.is_some())
    }

    /// The path of the client with this number, counted from 1, behind these VLAN tags.
    pub fn for_client(&mut self, number: u32, tags: &[Dot1Q]) -> Result<(), Error> {
        self.number = number;
        self.vlan = tags.last().map_or(0, |it| it.vlan);
        let Some(first) = self.agents.first() else {
            return Ok(());
        };
        let wants = |it: &String| it.replace("{{", "").contains("{vlan}");
        if tags.is_empty() && first.info.as_ref().is_some_and(wants) {
            return Err(Error::Usage(
                "{vlan} in --relay is the client's VLAN: name it with --vlan ID".into(),
            ));
        }
        first
            .info(&self.client(MacAddr::default(), false))
            .map(drop)
            .map_err(|it| Error::Usage(format!("--relay for client {number}: {it}")))
    }

    fn client(&self, mac: MacAddr, unicast: bool) -> Client {
        Client {
            mac,
            vlan: self.vlan,
            number: self.number,
            unicast,
        }
    }

    /// Has the agents pass a message on, one after the other, the last of them to `server`. With `info` off
    /// no option 82 is added.
    pub fn forward(&self, frame: &mut Frame, server: Option<Ipv4Addr>, info: bool) {
        // What comes from port 67 another relay agent sent, or the same one before.
        let unicast = frame.ipv4().is_some_and(|it| !it.dst.is_broadcast())
            && frame.udp().is_some_and(|it| it.sport == CLIENT_PORT);
        let mac = frame.bootp().map(|it| it.client_mac()).unwrap_or_default();
        for relay in &self.agents {
            // `for_client` has tried that it can be made.
            let made = relay.info(&self.client(mac, unicast)).unwrap_or_default();
            let agent = Agent {
                address: relay.address,
                info: if info { made } else { Vec::new() },
            };
            agent.forward(frame);
        }
        if let (false, Some(server), Some(ip)) = (self.is_empty(), server, frame.ipv4_mut()) {
            ip.dst = server;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(template: &str) -> Result<String, String> {
        expand(
            template,
            &Client {
                mac: MacAddr::new(2, 0, 0x5e, 0x10, 0, 0x0a),
                vlan: 100,
                number: 7,
                unicast: false,
            },
        )
    }

    #[test]
    fn placeholders_are_filled_in() {
        for (template, wanted) in [
            ("circuit-id=port-{n}", "circuit-id=port-7"),
            ("remote-id={mac}", "remote-id=02:00:5e:10:00:0a"),
            ("circuit-id=eth {n}:{vlan}", "circuit-id=eth 7:100"),
            (
                "circuit-id=hex:0004{vlan}0102",
                "circuit-id=hex:000400640102",
            ),
            ("remote-id=hex:0006{mac}", "remote-id=hex:000602005e10000a"),
            ("1=hex:{n}", "1=hex:00000007"),
            ("circuit-id={{{n}}}", "circuit-id={7}"),
            ("circuit-id={{mac}}", "circuit-id={mac}"),
            (r#"circuit-id="\u{e9}{n}""#, r#"circuit-id="\u{e9}7""#),
            (r#"circuit-id="\\{n}""#, r#"circuit-id="\\7""#),
            (
                "circuit-id=hex:01,remote-id={n}",
                "circuit-id=hex:01,remote-id=7",
            ),
        ] {
            assert_eq!(made(template).as_deref(), Ok(wanted), "{template}");
        }
    }

    #[test]
    fn what_is_no_placeholder_is_refused() {
        let error = made("circuit-id={port}").unwrap_err();
        assert!(error.contains("{port}") && error.contains("{mac}") && error.contains("{vlan}"));
        for alone in [
            "circuit-id={n",
            "circuit-id=}",
            "circuit-id={",
            "{}",
            "\\u{",
        ] {
            assert!(made(alone).is_err() || alone.starts_with('\\'), "{alone}");
        }
    }
}
