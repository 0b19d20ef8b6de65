//! Faults of a server, on purpose: what it does wrong with its replies, for testing clients.

use std::net::Ipv4Addr;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::RngCore;

use crate::dhcp::Message;
use crate::dhcp::assign::Assignment;
use crate::dhcp::enums::message_type_by_name;
use crate::dhcp::layout::{self, Overload};
use crate::dhcp::template::{self, MIN_MESSAGE};
use crate::wire::*;

/// Something that a server does wrong.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// Loses replies: this share of them, or those of a type.
    Drop(Which),
    /// Answers so much later.
    Delay(Duration),
    /// Sends each reply twice.
    Duplicate,
    /// Holds every other reply back until the next one has gone, or for a second.
    Reorder,
    /// Answers under another xid.
    WrongXid,
    /// Answers for another client.
    WrongChaddr,
    /// Names another server.
    WrongServerId,
    /// Leaves options out.
    Without(Vec<u8>),
    /// Refuses to renew.
    NakRenewal,
    /// Gives leases of so many seconds, with T1 and T2 to match.
    Lease(u32),
    /// Puts options into `file` and `sname` (option 52).
    Overload,
    /// Adds an option of 300 bytes, in two pieces (RFC 3396).
    LongOption,
    /// Cuts the frame to so many bytes; lengths and checksums stay those of the whole.
    Truncate(usize),
    /// Spoils the UDP checksum.
    BadChecksum,
}

/// Which replies a fault is about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Which {
    /// A share of all, 0 to 1.
    Share(f64),
    /// Those of a message type.
    Type(u8),
}

/// The faults there are: name, what the value is, what happens.
pub const FAULTS: &[(&str, &str, &str)] = &[
    (
        "drop",
        "PERCENT%|TYPE",
        "lose so many replies, or those of a type",
    ),
    ("delay", "TIME", "answer so much later"),
    ("duplicate", "", "send each reply twice"),
    (
        "reorder",
        "",
        "hold every other reply back until the next one has gone",
    ),
    ("wrong-xid", "", "answer under another transaction id"),
    ("wrong-chaddr", "", "answer for another client"),
    ("wrong-server-id", "", "name another server"),
    ("no-server-id", "", "leave the server identifier out"),
    ("no-lease-time", "", "leave the lease time out"),
    ("nak-renewal", "", "refuse to renew"),
    ("tiny-lease", "[SECONDS]", "give leases of a few seconds"),
    ("overload", "", "put options into file and sname"),
    (
        "long-option",
        "",
        "add an option of 300 bytes in two pieces",
    ),
    ("truncate", "BYTES", "cut the frame to so many bytes"),
    ("bad-checksum", "", "spoil the UDP checksum"),
];

impl Fault {
    /// Reads `NAME` or `NAME=VALUE`.
    pub fn parse(
        text: &str,
        time: impl Fn(&str) -> Result<Duration, String>,
    ) -> Result<Fault, String> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, value),
            None => (text, ""),
        };
        let row = FAULTS.iter().find(|it| it.0 == name);
        let Some((_, takes, _)) = row else {
            let known: Vec<_> = FAULTS.iter().map(|it| it.0).collect();
            return Err(format!("no fault `{name}`; there are {}", known.join(", ")));
        };
        let wrong = || format!("{name} takes {takes}, not `{value}`");
        if takes.is_empty() && !value.is_empty() {
            return Err(format!("{name} takes no value"));
        }
        Ok(match name {
            "drop" => Fault::Drop(match value.strip_suffix('%') {
                Some(percent) => match percent.parse::<f64>() {
                    Ok(it) if (0.0..=100.0).contains(&it) => Which::Share(it / 100.0),
                    _ => return Err(wrong()),
                },
                None => Which::Type(message_type_by_name(value).ok_or_else(wrong)?),
            }),
            "delay" => Fault::Delay(time(value)?),
            "duplicate" => Fault::Duplicate,
            "reorder" => Fault::Reorder,
            "wrong-xid" => Fault::WrongXid,
            "wrong-chaddr" => Fault::WrongChaddr,
            "wrong-server-id" => Fault::WrongServerId,
            "no-server-id" => Fault::Without(vec![54]),
            "no-lease-time" => Fault::Without(vec![51, 58, 59]),
            "nak-renewal" => Fault::NakRenewal,
            "tiny-lease" => Fault::Lease(match value {
                "" => 4,
                value => value.parse().map_err(|_| wrong())?,
            }),
            "overload" => Fault::Overload,
            "long-option" => Fault::LongOption,
            "truncate" => Fault::Truncate(value.parse().map_err(|_| wrong())?),
            _ => Fault::BadChecksum,
        })
    }

    /// Its name in [`FAULTS`].
    pub fn name(&self) -> &'static str {
        match self {
            Fault::Drop(_) => "drop",
            Fault::Delay(_) => "delay",
            Fault::Duplicate => "duplicate",
            Fault::Reorder => "reorder",
            Fault::WrongXid => "wrong-xid",
            Fault::WrongChaddr => "wrong-chaddr",
            Fault::WrongServerId => "wrong-server-id",
            Fault::Without(codes) if codes.contains(&54) => "no-server-id",
            Fault::Without(_) => "no-lease-time",
            Fault::NakRenewal => "nak-renewal",
            Fault::Lease(_) => "tiny-lease",
            Fault::Overload => "overload",
            Fault::LongOption => "long-option",
            Fault::Truncate(_) => "truncate",
            Fault::BadChecksum => "bad-checksum",
        }
    }

    /// Whether it is one of a server over several messages, which [`Fault::spoil`] cannot do to a reply.
    pub fn takes_a_server(&self) -> bool {
        matches!(self, Fault::Reorder | Fault::NakRenewal)
    }

    /// Its place among several: options are changed before they are moved, then come checksums, and what is cut is
    /// cut last.
    pub(super) fn turn(&self) -> u8 {
        match self {
            Fault::Overload => 1,
            Fault::BadChecksum => 2,
            Fault::Truncate(_) => 3,
            _ => 0,
        }
    }

    /// Does to a reply what the fault says; an empty list drops it.
    pub fn spoil(&self, reply: Spoiled, chance: &mut ChaCha8Rng) -> Vec<Spoiled> {
        let Spoiled {
            mut delay,
            mut frame,
            mut cut,
        } = reply;
        let kind = Message::of(&frame).and_then(|it| it.message_type());
        match self {
            Fault::Drop(Which::Share(share)) => {
                if f64::from(chance.next_u32()) / f64::from(u32::MAX) < *share {
                    return Vec::new();
                }
            }
            Fault::Drop(Which::Type(it)) if kind == Some(*it) => return Vec::new(),
            Fault::Delay(more) => delay += *more,
            Fault::Duplicate => {
                let again = Spoiled {
                    delay: delay + Duration::from_micros(100),
                    frame: frame.clone(),
                    cut,
                };
                return vec![Spoiled { delay, frame, cut }, again];
            }
            Fault::WrongXid => {
                if let Some(bootp) = frame.bootp_mut() {
                    bootp.xid ^= 0x0100_0000;
                }
            }
            Fault::WrongChaddr => {
                if let Some(bootp) = frame.bootp_mut() {
                    bootp.chaddr[5] ^= 0xff;
                }
            }
            Fault::WrongServerId => set(&mut frame, 54, &Ipv4Addr::new(192, 0, 2, 254).octets()),
            Fault::Without(codes) => retain(&mut frame, |code| !codes.contains(&code)),
            Fault::Lease(seconds) => lease(&mut frame, *seconds),
            Fault::LongOption => {
                if let Some(dhcp) = frame.dhcp_mut() {
                    let end = dhcp
                        .iter()
                        .find(|it| it.kind == ItemKind::End)
                        .map_or(dhcp.options.len(), |it| it.offset);
                    let mut long = Vec::new();
                    push_option(&mut long, 224, &[b'x'; 300]);
                    dhcp.options.splice(end..end, long);
                }
            }
            Fault::Overload => overload(&mut frame),
            Fault::Truncate(len) => cut = Some(*len),
            Fault::BadChecksum => {
                let right = frame.computed();
                for (layer, right) in frame.layers.iter_mut().zip(right) {
                    if let Layer::Udp(udp) = layer {
                        udp.chksum = Auto::Set(right.chksum ^ 0x5555);
                    }
                }
            }
            Fault::Drop(_) | Fault::Reorder | Fault::NakRenewal => {}
        }
        vec![Spoiled { delay, frame, cut }]
    }
}

/// A reply on its way through the faults.
#[derive(Clone, Debug, PartialEq)]
pub struct Spoiled {
    /// How long until it is sent.
    pub delay: Duration,
    /// The frame.
    pub frame: Frame,
    /// To how many bytes it is cut.
    pub cut: Option<usize>,
}

impl Spoiled {
    /// The frame as it goes out.
    pub fn finish(self) -> Frame {
        match self.cut {
            None => self.frame,
            Some(len) => {
                let mut bytes = self.frame.encode();
                bytes.truncate(len);
                Frame::new([Layer::Raw(bytes)])
            }
        }
    }
}

/// Gives a lease time, with T1 and T2 to match, or none where it has none.
pub fn lease(frame: &mut Frame, seconds: u32) {
    let times = template::lease_options(seconds);
    let told = |code| times.iter().any(|it| it.code == code);
    retain(frame, |code| !matches!(code, 58 | 59) || told(code));
    for time in times {
        set(frame, time.code, &time.data);
    }
}

/// Rewrites every stream of options there is: the options field, and `file` and `sname` where they hold options. What
/// does not fit into a field leaves it as it was.
fn rewrite(frame: &mut Frame, change: impl Fn(Options) -> Vec<u8>) {
    let overload = Message::of(frame).map_or(0, |it| it.overload());
    if let Some(dhcp) = frame.dhcp_mut() {
        dhcp.options = change(dhcp.iter());
    }
    let Some(bootp) = frame.bootp_mut() else {
        return;
    };
    for (bit, field) in [(1, &mut bootp.file[..]), (2, &mut bootp.sname[..])] {
        let changed = change(Options::new(field));
        if overload & bit != 0 && changed.len() <= field.len() {
            field.fill(PAD);
            field[..changed.len()].copy_from_slice(&changed);
        }
    }
}

fn retain(frame: &mut Frame, keep: impl Fn(u8) -> bool) {
    rewrite(frame, |stream| {
        let all = stream.clone().map(|it| it.raw.len()).sum();
        let kept = stream.filter(|it| !it.is_option() || keep(it.code));
        let mut options: Vec<u8> = kept.flat_map(|it| it.raw).copied().collect();
        // As long as before: what is left out is all that is wrong.
        options.resize(all, PAD);
        options
    });
}

/// Replaces an option's data where the option stands.
fn set(frame: &mut Frame, code: u8, data: &[u8]) {
    rewrite(frame, |items| {
        let mut stream = Vec::new();
        for item in items {
            match item.is_option() && item.code == code {
                true => push_option(&mut stream, code, data),
                false => stream.extend_from_slice(item.raw),
            }
        }
        stream
    });
}

/// Moves as many options as fit into `file` and `sname`; what these say of their own goes as options 67 and 66
/// (RFC 2132 sections 9.4 and 9.5). A plain BOOTP message stays as it is.
fn overload(frame: &mut Frame) {
    let Some(message) = Message::of(frame).filter(|it| it.message_type().is_some()) else {
        return;
    };
    let mut bootp = message.bootp.clone();
    let mut options: Vec<Assignment> = Vec::new();
    for it in message.options().into_iter().filter(|it| it.code != 52) {
        options.push(Assignment {
            code: it.code,
            data: it.data.into_owned(),
        });
    }
    if message.overload() == 0 {
        for (code, field) in [(67, &bootp.file[..]), (66, &bootp.sname[..])] {
            let said: Vec<u8> = field.iter().copied().take_while(|it| *it != 0).collect();
            if !said.is_empty() {
                options.push(Assignment { code, data: said });
            }
        }
    }
    let mut stream = layout::overloaded(&options, Overload::Both, &mut bootp);
    let room = MIN_MESSAGE - BOOTP_LEN - MAGIC_COOKIE.len();
    stream.resize(stream.len().max(room), PAD);
    if let Some(it) = frame.bootp_mut() {
        *it = bootp;
    }
    if let Some(dhcp) = frame.dhcp_mut() {
        dhcp.options = stream;
    }
}
