//! `lint`: every rule with frames that break it and frames that keep it, silence about what is clean, and
//! no frame or exchange on which it fails.

#[allow(dead_code)]
#[path = "support/frames.rs"]
mod frames;
#[allow(dead_code)]
#[path = "support/tool.rs"]
mod tool;

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;

use dhcpcraft::dhcp::Overload;
use dhcpcraft::dhcp::assign::Assignment;
use dhcpcraft::dhcp::enums::*;
use dhcpcraft::dhcp::following;
use dhcpcraft::dhcp::lint::{Finding, Linter, RULES, Sample};
use dhcpcraft::dhcp::template::{self, Draft, Identity};
use dhcpcraft::wire::*;
use proptest::prelude::*;

const CLIENT: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 50);
const SERVER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
const RELAY: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

fn client(last: u8) -> Identity {
    let mac = MacAddr::new(2, 0, 0x5e, 0x10, 0, last);
    Identity {
        client_mac: mac,
        source_mac: mac,
        xid: 0x1000 + u32::from(last),
        address: Some(CLIENT),
        server: Some(SERVER),
        own: None,
        server_mac: None,
    }
}

/// The default message of a type, changed.
fn message(kind: u8, edit: impl FnOnce(&mut Draft)) -> Frame {
    let mut draft = template::fresh(kind, &client(1));
    edit(&mut draft);
    wire(draft.frame())
}

/// The message that follows another, changed.
fn after(frame: &Frame, kind: u8, edit: impl FnOnce(&mut Draft)) -> Frame {
    let bootp = frame.bootp().expect("a message");
    let who = Identity {
        xid: bootp.xid,
        ..client(bootp.chaddr[5])
    };
    let mut draft = following::draft(kind, frame, &who).expect("one follows the other");
    edit(&mut draft);
    wire(draft.frame())
}

/// As it would be read: every length and checksum is set.
fn wire(frame: Frame) -> Frame {
    Frame::decode(&frame.encode())
}

/// A frame, changed below its meaning: what was computed stays as it was.
fn spoilt(mut frame: Frame, edit: impl FnOnce(&mut Frame)) -> Frame {
    edit(&mut frame);
    wire(frame)
}

/// A frame with other options behind the cookie; lengths and checksums follow.
fn stream(kind: u8, bytes: &[u8]) -> Frame {
    let mut frame = template::fresh(kind, &client(1)).frame();
    let dhcp = frame.dhcp_mut().expect("options");
    dhcp.options = bytes.to_vec();
    dhcp.options.resize(bytes.len().max(60), 0);
    wire(frame)
}

fn option(code: u8, data: impl Into<Vec<u8>>) -> Assignment {
    Assignment {
        code,
        data: data.into(),
    }
}

fn plain(_: &mut Draft) {}

fn drop_option(code: u8) -> impl Fn(&mut Draft) {
    move |draft| draft.options.retain(|it| it.code != code)
}

/// A DISCOVER of a client that knows no address yet.
fn discover(last: u8, edit: impl FnOnce(&mut Draft)) -> Frame {
    let who = Identity {
        address: None,
        server: None,
        ..client(last)
    };
    let mut draft = template::fresh(DISCOVER, &who);
    edit(&mut draft);
    wire(draft.frame())
}

/// DISCOVER, OFFER, REQUEST, ACK.
fn dora() -> Vec<Frame> {
    dora_with(plain, plain, plain, plain)
}

fn dora_with(
    one: impl FnOnce(&mut Draft),
    two: impl FnOnce(&mut Draft),
    three: impl FnOnce(&mut Draft),
    four: impl FnOnce(&mut Draft),
) -> Vec<Frame> {
    let discover = discover(1, one);
    let offer = after(&discover, OFFER, two);
    let request = after(&offer, REQUEST, three);
    let ack = after(&request, ACK, four);
    vec![discover, offer, request, ack]
}

/// The same through a relay agent, as the server sees it.
fn relayed(two: impl FnOnce(&mut Draft)) -> Vec<Frame> {
    let discover = discover(1, relay);
    let offer = after(&discover, OFFER, two);
    vec![discover, offer]
}

fn relay(draft: &mut Draft) {
    draft.relay(RELAY, Some(SERVER));
    draft.options.push(option(82, [1, 2, b'g', b'e']));
}

/// A renewal and its answer.
fn renewal(edit: impl FnOnce(&mut Draft)) -> Vec<Frame> {
    let request = wire(template::renewing(&client(1)).frame());
    let ack = after(&request, ACK, edit);
    vec![request, ack]
}

/// What is found in frames that pass a tenth of a second apart.
fn lint(frames: &[Frame]) -> Vec<Finding> {
    let mut linter = Linter::new(RULES);
    let numbered = frames.iter().zip(1u32..);
    let all = numbered.flat_map(|(frame, number)| {
        linter.look(&Sample {
            number: number.into(),
            at: Duration::from_secs(1_000_000) + number * Duration::from_millis(100),
            frame,
            cut: false,
            unfinished: false,
        })
    });
    all.collect()
}

/// Exchanges that break a rule and exchanges that keep it; often they are of one frame. What else the
/// broken ones break is named, so that nothing is found that is not meant.
struct Case {
    rule: &'static str,
    breaks: Vec<Vec<Frame>>,
    also: &'static [&'static str],
    keeps: Vec<Vec<Frame>>,
}

impl Case {
    fn with(self, also: &'static [&'static str]) -> Case {
        Case { also, ..self }
    }
}

/// Frames that each break or keep a rule by themselves.
fn case(rule: &'static str, breaks: Vec<Frame>, keeps: Vec<Frame>) -> Case {
    let alone = |frames: Vec<Frame>| frames.into_iter().map(|it| vec![it]).collect();
    Case {
        rule,
        breaks: alone(breaks),
        also: &[],
        keeps: alone(keeps),
    }
}

/// Frames that break or keep it together.
fn exchange(rule: &'static str, breaks: Vec<Frame>, keeps: Vec<Frame>) -> Case {
    Case {
        rule,
        breaks: vec![breaks],
        also: &[],
        keeps: vec![keeps],
    }
}

/// Options in file, and in sname, as the field has them.
fn overloaded(value: u8, file: &[u8]) -> Frame {
    let mut frame = message(OFFER, |it| it.options.insert(1, option(52, [value])));
    frame.relax();
    let bootp = frame.bootp_mut().expect("BOOTP");
    bootp.file[..file.len()].copy_from_slice(file);
    wire(frame)
}

fn headers() -> Vec<Case> {
    let first = || message(DISCOVER, plain);
    vec![
        case(
            "ip-length",
            vec![spoilt(first(), |it| {
                it.ipv4_mut().unwrap().len = Auto::Set(2000)
            })],
            vec![first()],
        )
        .with(&["ip-checksum", "udp-checksum"]),
        case(
            "ip-checksum",
            vec![spoilt(first(), |it| {
                it.ipv4_mut().unwrap().chksum = Auto::Set(0xbad0)
            })],
            vec![first()],
        ),
        case(
            "udp-length",
            vec![spoilt(first(), |it| {
                it.udp_mut().unwrap().len = Auto::Set(2000)
            })],
            vec![first()],
        )
        .with(&["udp-checksum"]),
        case(
            "udp-checksum",
            vec![spoilt(first(), |it| {
                it.udp_mut().unwrap().chksum = Auto::Set(0xbad0)
            })],
            vec![spoilt(first(), |it| {
                it.udp_mut().unwrap().chksum = Auto::Set(0)
            })],
        ),
        case(
            "checksum-unfinished",
            vec![spoilt(first(), |it| {
                it.ipv4_mut().unwrap().chksum = Auto::Set(0)
            })],
            vec![first()],
        ),
        case(
            "udp-ports",
            vec![message(DISCOVER, |it| it.udp.dport = 68)],
            vec![first(), message(OFFER, plain)],
        ),
        case(
            "bootp-cut-short",
            vec![wire(Frame::new([
                Ether::default().into(),
                Ipv4::default().into(),
                Udp::default().into(),
                Layer::Raw(vec![1; 100]),
            ]))],
            vec![first()],
        ),
        case(
            "minimum-size",
            vec![message(DISCOVER, |it| it.min_message = 0)],
            vec![message(DISCOVER, |it| it.min_message = 300)],
        ),
        case(
            "magic-cookie",
            vec![wire({
                let mut frame = template::fresh(DISCOVER, &client(1)).frame();
                frame.dhcp_mut().unwrap().cookie = [0x63, 0x82, 0x53, 0x64];
                frame
            })],
            vec![first()],
        ),
        case(
            "op-code",
            vec![message(DISCOVER, |it| it.bootp.op = 3)],
            vec![first()],
        ),
        case(
            "op-and-type",
            vec![message(OFFER, |it| {
                it.bootp.op = 1;
                it.udp.dport = 67;
            })],
            vec![message(OFFER, plain)],
        ),
        case(
            "hardware-length",
            vec![message(DISCOVER, |it| it.bootp.hlen = 7)],
            vec![message(DISCOVER, |it| {
                (it.bootp.htype, it.bootp.hlen) = (32, 0);
                it.bootp.chaddr = [0; 16];
            })],
        ),
        case(
            "flags-reserved",
            vec![message(DISCOVER, |it| it.bootp.flags = 0x8001)],
            vec![message(DISCOVER, |it| it.bootp.flags = 0x8000)],
        ),
        case(
            "hops",
            vec![message(DISCOVER, |it| it.bootp.hops = 1)],
            vec![discover(1, relay)],
        ),
    ]
}

fn option_stream() -> Vec<Case> {
    let type_and_id = [53, 1, 1, 61, 7, 1, 2, 0, 0x5e, 0x10, 0, 1];
    let with = |tail: &[u8]| stream(DISCOVER, &[&type_and_id[..], tail].concat());
    vec![
        case(
            "option-cut-short",
            vec![with(&[12, 200, b'x', 255])],
            vec![with(&[12, 1, b'x', 255])],
        ),
        case(
            "option-length",
            vec![with(&[50, 3, 1, 2, 3, 255])],
            vec![with(&[50, 4, 10, 0, 0, 9, 255])],
        ),
        case(
            "option-value",
            // A client FQDN whose label says more bytes than there are.
            vec![with(&[81, 6, 4, 0, 0, 60, b'a', b'b', 255])],
            vec![with(&[81, 6, 4, 0, 0, 1, b'a', 0, 255])],
        ),
        case(
            "text-nul",
            vec![with(&[12, 2, b'x', 0, 255])],
            vec![with(&[12, 1, b'x', 255])],
        ),
        case(
            "option-repeated",
            vec![with(&[12, 1, b'x', 12, 1, b'y', 255])],
            vec![message(DISCOVER, |it| {
                it.options.push(option(43, vec![7; 300]))
            })],
        ),
        case("end-missing", vec![with(&[])], vec![with(&[255])]),
        case(
            "after-end",
            vec![with(&[255, 0, 7])],
            vec![with(&[255, 0, 0])],
        ),
        case(
            "overload-value",
            vec![message(OFFER, |it| it.options.push(option(52, [4])))],
            vec![overloaded(1, &[15, 1, b'x', 255])],
        ),
        case(
            "overload-end",
            vec![overloaded(1, &[15, 1, b'x', 0])],
            vec![message(OFFER, |it| it.overload = Some(Overload::Both))],
        ),
        case(
            "overload-start",
            vec![overloaded(1, &[0, 15, 1, b'x', 255])],
            vec![overloaded(1, &[15, 1, b'x', 255])],
        ),
        case(
            "message-type",
            vec![with(&[255]).typed(77)],
            vec![with(&[255])],
        ),
        case(
            "mask-before-router",
            vec![message(OFFER, |it| {
                let at = it.options.iter().position(|it| it.code == 1).unwrap();
                let mask = it.options.remove(at);
                it.options.push(mask);
            })],
            vec![message(OFFER, plain)],
        ),
    ]
}

trait Typed {
    fn typed(self, kind: u8) -> Frame;
}

impl Typed for Frame {
    /// The same under another message type, which comes first.
    fn typed(mut self, kind: u8) -> Frame {
        self.relax();
        self.dhcp_mut().expect("options").options[2] = kind;
        wire(self)
    }
}

fn client_messages() -> Vec<Case> {
    vec![
        case(
            "client-option-required",
            vec![
                message(RELEASE, drop_option(54)),
                message(DECLINE, drop_option(50)),
            ],
            vec![message(RELEASE, plain), message(DECLINE, plain)],
        ),
        case(
            "client-option-forbidden",
            vec![
                message(DISCOVER, |it| it.options.push(option(54, SERVER.octets()))),
                message(INFORM, |it| it.options.push(option(50, CLIENT.octets()))),
                message(RELEASE, |it| it.options.push(option(12, *b"x"))),
            ],
            vec![
                message(DISCOVER, plain),
                message(INFORM, plain),
                message(RELEASE, plain),
            ],
        ),
        case(
            "request-state",
            vec![
                message(REQUEST, drop_option(50)),
                message(REQUEST, |it| it.bootp.ciaddr = CLIENT),
                wire({
                    let mut draft = template::renewing(&client(1));
                    draft.options.push(option(50, CLIENT.octets()));
                    draft.frame()
                }),
                message(REQUEST, |it| {
                    it.options.retain(|it| !matches!(it.code, 50 | 54))
                }),
            ],
            vec![
                message(REQUEST, plain),
                wire(template::renewing(&client(1)).frame()),
                wire(template::rebinding(&client(1)).frame()),
                wire(template::rebooting(&client(1)).frame()),
            ],
        ),
        case(
            "client-ciaddr",
            vec![
                message(DISCOVER, |it| it.bootp.ciaddr = CLIENT),
                message(RELEASE, |it| it.bootp.ciaddr = Ipv4Addr::UNSPECIFIED),
            ],
            vec![
                message(DISCOVER, plain),
                message(RELEASE, plain),
                message(INFORM, plain),
            ],
        ),
        case(
            "client-fields",
            vec![message(DISCOVER, |it| it.bootp.siaddr = SERVER)],
            vec![message(DISCOVER, plain)],
        ),
        case(
            "client-source",
            vec![message(DISCOVER, |it| it.ip.src = CLIENT)],
            vec![
                message(DISCOVER, plain),
                wire(template::rebinding(&client(1)).frame()),
            ],
        ),
        case(
            "release-unicast",
            vec![message(RELEASE, |it| it.ip.dst = Ipv4Addr::BROADCAST)],
            vec![message(RELEASE, plain)],
        ),
        case(
            "decline-broadcast",
            vec![message(DECLINE, |it| it.ip.dst = SERVER)],
            vec![message(DECLINE, plain)],
        ),
        case(
            "release-fields",
            vec![
                message(RELEASE, |it| it.bootp.secs = 5),
                message(RELEASE, |it| it.bootp.flags = 0x8000),
                message(RELEASE, |it| it.bootp.file[0] = b'x'),
                message(DECLINE, |it| it.bootp.secs = 5),
                message(DECLINE, |it| it.bootp.flags = 0x8000),
            ],
            vec![
                message(RELEASE, plain),
                message(DECLINE, plain),
                message(RELEASE, |it| it.overload = Some(Overload::Both)),
            ],
        ),
        case(
            "max-size-576",
            vec![message(DISCOVER, |it| {
                it.put(option(57, 300u16.to_be_bytes()))
            })],
            vec![message(DISCOVER, |it| {
                it.put(option(57, 576u16.to_be_bytes()))
            })],
        ),
    ]
}

fn server_messages() -> Vec<Case> {
    let nak = |edit: fn(&mut Draft)| {
        let request = wire(template::rebooting(&client(1)).frame());
        vec![after(&request, NAK, edit)]
    };
    let relayed_nak = |flags: u16| {
        message(NAK, |it| {
            it.bootp.giaddr = RELAY;
            it.bootp.flags = flags;
            it.ip.dst = RELAY;
            it.udp.dport = 67;
        })
    };
    vec![
        case(
            "server-option-required",
            vec![
                message(OFFER, drop_option(54)),
                message(NAK, drop_option(54)),
            ],
            vec![message(OFFER, plain), message(NAK, plain)],
        ),
        case(
            "server-option-forbidden",
            vec![
                message(OFFER, |it| {
                    it.options.push(option(57, 576u16.to_be_bytes()))
                }),
                message(NAK, |it| it.options.push(option(51, 60u32.to_be_bytes()))),
            ],
            vec![message(OFFER, plain), message(NAK, plain)],
        ),
        case(
            "server-id-address",
            vec![message(NAK, |it| it.put(option(54, [255; 4])))],
            vec![message(NAK, plain)],
        )
        .with(&["server-id-source"]),
        case(
            "server-id-source",
            vec![message(OFFER, |it| it.ip.src = RELAY)],
            vec![message(OFFER, plain)],
        ),
        case(
            "reply-hops",
            vec![message(OFFER, |it| it.bootp.hops = 1)],
            vec![message(OFFER, plain)],
        ),
        case(
            "reply-secs",
            vec![message(OFFER, |it| it.bootp.secs = 1)],
            vec![message(OFFER, plain)],
        ),
        case(
            "offer-ciaddr",
            vec![message(OFFER, |it| it.bootp.ciaddr = CLIENT)],
            vec![message(OFFER, plain)],
        ),
        case(
            "offer-address",
            vec![message(OFFER, |it| it.bootp.yiaddr = Ipv4Addr::UNSPECIFIED)],
            // No address, and what to do without one (RFC 2563, RFC 8925 section 3.3).
            [option(116, [1]), option(108, [0, 0, 7, 8])]
                .into_iter()
                .map(|instead| {
                    message(OFFER, |it| {
                        it.bootp.yiaddr = Ipv4Addr::UNSPECIFIED;
                        it.options.retain(|it| !matches!(it.code, 51 | 58 | 59));
                        it.options.push(instead);
                    })
                })
                .collect(),
        ),
        case(
            "offer-delivery",
            vec![
                message(OFFER, |it| {
                    it.bootp.set_broadcast(true);
                    it.ip.dst = CLIENT;
                }),
                message(OFFER, |it| it.ip.dst = RELAY),
            ],
            vec![
                message(OFFER, |it| it.bootp.set_broadcast(true)),
                message(OFFER, |it| it.ip.dst = CLIENT),
            ],
        ),
        case(
            "nak-fields",
            vec![
                message(NAK, |it| it.bootp.yiaddr = CLIENT),
                message(NAK, |it| it.bootp.file[0] = b'x'),
            ],
            vec![message(NAK, plain)],
        ),
        exchange("nak-message", nak(|it| drop_option(56)(it)), nak(plain)),
        exchange(
            "nak-broadcast",
            vec![message(NAK, |it| it.ip.dst = CLIENT)],
            nak(plain),
        ),
        case(
            "nak-relay-flag",
            vec![relayed_nak(0)],
            vec![relayed_nak(0x8000)],
        ),
    ]
}

fn leases() -> Vec<Case> {
    let times = |t1: u32, t2: u32, lease: u32| {
        message(OFFER, |it| {
            for (code, time) in [(58, t1), (59, t2), (51, lease)] {
                it.put(option(code, time.to_be_bytes()));
            }
        })
    };
    let forever = u32::MAX;
    let put = |code: u8, ip: [u8; 4]| message(OFFER, |it| it.put(option(code, ip)));
    vec![
        case(
            "lease-times-order",
            vec![times(60, 60, 100), times(50, 100, 100), times(90, 80, 100)],
            vec![times(50, 80, 100), times(forever, forever, forever)],
        ),
        case(
            "mask-shape",
            vec![put(1, [255, 0, 255, 0])],
            vec![put(1, [255, 255, 255, 128])],
        ),
        case(
            "host-address",
            vec![
                message(OFFER, |it| it.bootp.yiaddr = Ipv4Addr::new(10, 0, 0, 255)),
                message(OFFER, |it| it.bootp.yiaddr = Ipv4Addr::new(10, 0, 0, 0)),
            ],
            vec![message(OFFER, plain)],
        ),
        case(
            "router-subnet",
            vec![put(3, [10, 0, 1, 1])],
            vec![put(3, [10, 0, 0, 254]), message(OFFER, drop_option(3))],
        ),
        case(
            "broadcast-address",
            vec![put(28, [10, 0, 1, 255])],
            vec![put(28, [10, 0, 0, 255])],
        ),
        case(
            "offer-server-subnet",
            vec![message(OFFER, |it| {
                it.bootp.yiaddr = Ipv4Addr::new(10, 0, 9, 50);
                it.options.retain(|it| it.code != 3);
            })],
            vec![message(OFFER, plain)],
        ),
        exchange(
            "offer-relay-subnet",
            relayed(|it| {
                it.bootp.yiaddr = Ipv4Addr::new(10, 0, 9, 50);
                it.options.retain(|it| it.code != 3);
            }),
            relayed(plain),
        ),
    ]
}

fn relays() -> Vec<Case> {
    vec![
        case(
            "relay-info-last",
            vec![discover(1, |it| {
                relay(it);
                it.options.push(option(12, *b"x"));
            })],
            vec![discover(1, relay)],
        ),
        exchange(
            "relay-info-last-reply",
            relayed(|it| it.options.push(option(15, *b"x"))),
            relayed(plain),
        ),
        case(
            "relay-info-place",
            vec![overloaded(1, &[82, 4, 1, 2, b'g', b'e', 255])],
            vec![message(OFFER, |it| {
                it.options.push(option(82, [1, 2, b'g', b'e']))
            })],
        ),
        case(
            "relay-info-without-giaddr",
            vec![message(DISCOVER, |it| {
                it.options.push(option(82, [1, 2, b'g', b'e']))
            })],
            vec![discover(1, relay)],
        ),
        exchange(
            "relay-info-kept",
            relayed(|it| it.udp.dport = 68),
            relayed(plain),
        ),
        exchange(
            "relay-delivery",
            relayed(|it| it.ip.dst = Ipv4Addr::BROADCAST),
            relayed(plain),
        ),
    ]
}

fn clients_in_exchanges() -> Vec<Case> {
    let other_xid = |it: &mut Draft| it.bootp.xid += 1;
    let again = || {
        let mut frames = dora();
        frames.push(discover(1, plain));
        frames
    };
    let release = |edit: fn(&mut Draft)| {
        let mut frames = dora();
        frames.push(after(&frames[3], RELEASE, edit));
        frames
    };
    vec![
        exchange(
            "xid-shared",
            vec![
                discover(1, plain),
                discover(2, |it| it.bootp.xid = client(1).xid),
            ],
            vec![discover(1, plain), discover(2, plain), discover(1, plain)],
        ),
        exchange("xid-reused", again(), {
            let mut frames = dora();
            frames.push(discover(1, other_xid));
            frames
        }),
        exchange(
            "request-xid",
            dora_with(plain, plain, other_xid, plain),
            dora(),
        ),
        exchange(
            "request-secs",
            dora_with(plain, plain, |it| it.bootp.secs = 3, plain),
            dora_with(|it| it.bootp.secs = 3, plain, |it| it.bootp.secs = 3, plain),
        ),
        exchange(
            "request-address",
            dora_with(
                plain,
                plain,
                |it| it.put(option(50, [10, 0, 0, 60])),
                |it| {
                    it.bootp.yiaddr = Ipv4Addr::new(10, 0, 0, 60);
                },
            ),
            dora(),
        ),
        exchange(
            "client-id-kept",
            dora_with(
                plain,
                plain,
                |it| it.put(option(61, *b"\x00x")),
                |it| {
                    it.put(option(61, *b"\x00x"));
                },
            ),
            dora(),
        ),
        exchange(
            "request-list-kept",
            dora_with(plain, plain, |it| it.put(option(55, [1, 3])), plain),
            dora(),
        ),
        exchange(
            "release-server",
            release(|it| it.put(option(54, [10, 0, 0, 9]))),
            release(plain),
        ),
    ]
}

fn servers_in_exchanges() -> Vec<Case> {
    let nak_after = |server: [u8; 4]| {
        let mut frames = dora();
        frames.push(after(&frames[2], NAK, |it| it.put(option(54, server))));
        frames
    };
    let inform = |edit: fn(&mut Draft)| {
        let inform = message(INFORM, plain);
        let ack = after(&inform, ACK, edit);
        vec![inform, ack]
    };
    // Two clients, each with its own way to the address.
    let two = |ack: bool, yiaddr: Ipv4Addr| {
        let mut frames = if ack { dora() } else { dora()[..2].to_vec() };
        let other = discover(2, plain);
        frames.push(other.clone());
        frames.push(after(&other, OFFER, |it| {
            it.bootp.yiaddr = yiaddr;
            it.ip.dst = yiaddr;
        }));
        frames
    };
    let free = Ipv4Addr::new(10, 0, 0, 51);
    let long = |it: &mut Draft| it.options.push(option(43, vec![7; 400]));
    vec![
        exchange(
            "reply-xid",
            dora_with(
                plain,
                |it| it.bootp.xid = 0x77,
                |it| it.bootp.xid = 0x77,
                |it| it.bootp.xid = 0x77,
            )[..2]
                .to_vec(),
            dora(),
        ),
        exchange(
            "reply-chaddr",
            dora_with(plain, |it| it.bootp.chaddr[5] = 9, plain, plain)[..2].to_vec(),
            dora(),
        ),
        exchange(
            "reply-giaddr",
            relayed(|it| {
                it.bootp.giaddr = SERVER;
                it.ip.dst = SERVER;
            }),
            relayed(plain),
        ),
        exchange(
            "reply-flags",
            dora_with(
                plain,
                |it| {
                    it.bootp.flags ^= 0x8000;
                    it.ip.dst = Ipv4Addr::BROADCAST;
                },
                plain,
                plain,
            )[..2]
                .to_vec(),
            dora(),
        ),
        exchange(
            "client-id-echo",
            dora_with(plain, plain, plain, drop_option(61)),
            dora(),
        ),
        exchange(
            "client-id-differs",
            dora_with(plain, plain, plain, |it| it.put(option(61, *b"\x00x"))),
            dora_with(drop_option(61), plain, drop_option(61), drop_option(61)),
        ),
        exchange("relay-info-echo", relayed(drop_option(82)), relayed(plain)),
        exchange(
            "relay-info-differs",
            relayed(|it| it.put(option(82, [1, 1, b'g']))),
            relayed(plain),
        ),
        exchange(
            "unselected-server",
            dora_with(plain, plain, plain, |it| it.put(option(54, RELAY.octets()))),
            dora(),
        )
        .with(&["server-id-source"]),
        exchange(
            "ack-address",
            dora_with(plain, plain, plain, |it| {
                it.bootp.yiaddr = free;
                if it.ip.dst != Ipv4Addr::BROADCAST {
                    it.ip.dst = free;
                }
            }),
            dora(),
        ),
        exchange(
            "ack-and-offer",
            dora_with(plain, plain, plain, |it| it.put(option(3, [10, 0, 0, 9]))),
            dora(),
        ),
        exchange("ack-and-nak", nak_after(SERVER.octets()), dora()),
        exchange(
            "ack-delivery",
            renewal(|it| it.ip.dst = Ipv4Addr::BROADCAST),
            renewal(plain),
        ),
        exchange(
            "lease-time-missing",
            dora_with(plain, plain, plain, drop_option(51)),
            inform(plain),
        ),
        exchange(
            "inform-lease",
            inform(|it| it.options.push(option(51, 60u32.to_be_bytes()))),
            inform(plain),
        ),
        exchange(
            "message-too-long",
            dora_with(drop_option(57), long, plain, long),
            dora_with(plain, long, plain, long),
        ),
        Case {
            rule: "leased-twice",
            breaks: vec![two(true, CLIENT), on_vlans(7, 7), through_relays(|_| ())],
            also: &[],
            keeps: vec![
                two(true, free),
                on_vlans(7, 8),
                through_relays(|it| it.options.insert(1, option(221, *b"\0red"))),
                through_relays(|it| it.put(option(82, *b"\x97\x04\0red"))),
                released_untagged(),
            ],
        },
        Case {
            rule: "offered-twice",
            breaks: vec![two(false, CLIENT), offers_again(false, false)],
            also: &[],
            keeps: vec![
                two(false, free),
                offers_again(true, false),
                offers_again(false, true),
                offers_again_after_another(),
                offers_again_after_a_nak(),
            ],
        },
    ]
}

/// The other server of a segment.
const OTHER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 9);

/// The OFFER of the other server.
fn offer_of_the_other(discover: &Frame, yiaddr: Ipv4Addr) -> Frame {
    after(discover, OFFER, |it| {
        it.put(option(54, OTHER.octets()));
        it.bootp.yiaddr = yiaddr;
        (it.ip.src, it.ip.dst) = (OTHER, yiaddr);
    })
}

/// Two servers offer to a client, and then the other one the same address to the next client; the first
/// takes the first server's offer before that, or chooses even before the other offers.
fn offers_again(chosen: bool, late: bool) -> Vec<Frame> {
    let held = Ipv4Addr::new(10, 0, 0, 90);
    let first = discover(1, plain);
    let offer = after(&first, OFFER, plain);
    let request = after(&offer, REQUEST, plain);
    let other = offer_of_the_other(&first, held);
    let next = discover(2, plain);
    let again = offer_of_the_other(&next, held);
    match (chosen, late) {
        (true, _) => vec![first, offer, other, request, next, again],
        (_, true) => vec![first, offer, request, other, next, again],
        _ => vec![first, offer, other, next, again],
    }
}

/// A server offers a client another address when that begins anew, and the one before to the next client.
fn offers_again_after_another() -> Vec<Frame> {
    let mut frames = dora()[..2].to_vec();
    let anew = discover(1, |it| it.bootp.xid = 0x77);
    let next = discover(2, plain);
    let another = Ipv4Addr::new(10, 0, 0, 51);
    let offer = after(&anew, OFFER, |it| {
        it.bootp.yiaddr = another;
        it.ip.dst = another;
    });
    let again = after(&next, OFFER, |it| {
        it.bootp.yiaddr = CLIENT;
        it.ip.dst = CLIENT;
    });
    frames.extend([anew, offer, next, again]);
    frames
}

/// A server refuses the client to which it offered, and offers the address to the next one.
fn offers_again_after_a_nak() -> Vec<Frame> {
    let mut frames = dora()[..2].to_vec();
    let reboot = wire({
        let mut draft = template::rebooting(&client(1));
        draft.put(option(50, [10, 0, 0, 60]));
        draft.frame()
    });
    let nak = after(&reboot, NAK, plain);
    let next = discover(2, plain);
    let again = after(&next, OFFER, |it| {
        it.bootp.yiaddr = CLIENT;
        it.ip.dst = CLIENT;
    });
    frames.extend([reboot, nak, next, again]);
    frames
}

/// As it passes on a VLAN.
fn tagged(mut frame: Frame, vlan: u16) -> Frame {
    frame.relax();
    let tag = Dot1Q {
        vlan,
        ..Dot1Q::default()
    };
    frame.layers.insert(1, tag.into());
    wire(frame)
}

/// Two clients are given the same address by servers with the same address, each on its VLAN.
fn on_vlans(one: u16, other: u16) -> Vec<Frame> {
    let next = discover(2, plain);
    let offer = after(&next, OFFER, plain);
    let first = dora().into_iter().map(|it| tagged(it, one));
    let then = [next, offer].map(|it| tagged(it, other));
    first.chain(then).collect()
}

/// Two relay agents ask one server, each for its client, and both are given the same address.
fn through_relays(edit: impl Fn(&mut Draft)) -> Vec<Frame> {
    let ask = |last: u8, giaddr: Ipv4Addr, vpn: bool| {
        discover(last, |it| {
            it.relay(giaddr, Some(SERVER));
            if vpn {
                edit(it);
            }
        })
    };
    let first = ask(1, RELAY, false);
    let offer = after(&first, OFFER, plain);
    let request = after(&offer, REQUEST, |it| it.relay(RELAY, Some(SERVER)));
    let ack = after(&request, ACK, plain);
    let next = ask(2, Ipv4Addr::new(10, 0, 0, 3), true);
    let again = after(&next, OFFER, plain);
    vec![first, offer, request, ack, next, again]
}

/// A capture with the tags of one direction only: the client gives its lease back, another one gets it.
fn released_untagged() -> Vec<Frame> {
    let mut frames = dora();
    frames.push(after(&frames[3], RELEASE, plain));
    let next = discover(2, plain);
    frames.extend([next.clone(), after(&next, OFFER, plain)]);
    let reply = |it: &Frame| it.bootp().is_some_and(|it| it.op == 2);
    let tag = |it: Frame| if reply(&it) { tagged(it, 7) } else { it };
    frames.into_iter().map(tag).collect()
}

fn cases() -> Vec<Case> {
    [
        headers(),
        option_stream(),
        client_messages(),
        server_messages(),
        leases(),
        relays(),
        clients_in_exchanges(),
        servers_in_exchanges(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

#[test]
fn every_rule_is_broken_and_kept() {
    let cases = cases();
    let tested: Vec<&str> = cases.iter().map(|it| it.rule).collect();
    let all: Vec<&str> = RULES.iter().map(|it| it.id).collect();
    let missing: Vec<_> = all.iter().filter(|it| !tested.contains(it)).collect();
    assert!(
        missing.is_empty(),
        "rules without frames that break and keep them: {missing:?}"
    );
    let mut wrong = Vec::new();
    for Case {
        rule,
        breaks,
        also,
        keeps,
    } in &cases
    {
        assert!(!breaks.is_empty() && !keeps.is_empty(), "{rule}");
        for frames in breaks {
            let found = lint(frames);
            let found: BTreeSet<&str> = found.iter().map(|it| it.rule.id).collect();
            let meant: BTreeSet<&str> = also.iter().copied().chain([*rule]).collect();
            if found != meant {
                wrong.push(format!("{rule}: broken finds {found:?}"));
            }
        }
        for frames in keeps {
            let found = lint(frames);
            if !found.is_empty() {
                wrong.push(format!("{rule}: kept finds {found:#?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Captures in `samples/` of which `lint` says something: the rules, as often as they are broken. All others
/// are clean exchanges of real servers, or well-formed on purpose.
const AMISS: &[(&str, &[&str])] = &[
    // BOOTP's cookie and END, 241 bytes in all.
    ("bootp.pcap", &["minimum-size"]),
    // Kea pads nothing: its replies of fewer than 300 bytes stay that short.
    ("dora-kea.pcapng", &["minimum-size", "minimum-size"]),
    ("several-servers.pcapng", &["minimum-size"]),
    // Made to be wrong; its name says how.
    (
        "malformed-checksums.pcapng",
        &["ip-checksum", "udp-checksum"],
    ),
    ("malformed-cookie.pcapng", &["magic-cookie"]),
    (
        "malformed-lengths.pcapng",
        &["bootp-cut-short", "ip-length", "udp-checksum"],
    ),
    (
        "malformed-no-end.pcapng",
        &["minimum-size", "option-cut-short"],
    ),
];

#[test]
fn of_the_samples_only_what_is_wrong_is_told() {
    let samples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let mut looked = 0;
    for entry in std::fs::read_dir(samples).expect("samples/") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().and_then(|it| it.to_str()).expect("UTF-8");
        if !name.contains(".pcap") {
            continue;
        }
        looked += 1;
        let run = tool::tool(&["lint", "--json", tool::text(&path)]);
        let lines = run.json();
        let mut found: Vec<&str> = lines.iter().filter_map(|it| it["rule"].as_str()).collect();
        found.sort_unstable();
        let meant = AMISS
            .iter()
            .find(|it| it.0 == name)
            .map_or(&[][..], |it| it.1);
        assert_eq!(found, meant, "{name}");
        assert_eq!(run.code, Some(i32::from(!meant.is_empty())), "{name}");
    }
    assert!(looked > 20, "only {looked} captures");
}

#[test]
fn what_this_program_builds_and_plays_is_clean() {
    for command in [
        &["discover"][..],
        &["offer", "--yiaddr", "192.0.2.7"],
        &["request"],
        &["ack", "--yiaddr", "192.0.2.7"],
        &["nak"],
        &["decline"],
        &["release"],
        &["inform"],
    ] {
        let args = [command, &["--lint", "--quiet", "--dry-run"]].concat();
        tool::tool(&args).succeeded();
    }
    for link in ["lab", "lab:two-servers", "lab:taken"] {
        let args = ["dora", "--lint", "--quiet", "--hold", "2h", "-i", link];
        tool::tool(&args).succeeded();
    }
    let many = ["dora", "-i", "lab:two-servers", "--clients", "10"];
    let run = tool::tool(&[&many[..], &["--seed", "5", "--lint", "--quiet"]].concat());
    run.succeeded();
    let refused = tool::tool(&["dora", "--lint", "-i", "lab:nak"]);
    assert_eq!(refused.code, Some(4), "{refused:?}");
    let relayed = [
        "dora",
        "--relay",
        "198.51.100.1,circuit-id=7",
        "--server",
        "192.0.2.1",
    ];
    tool::tool(&[&relayed[..], &["--lint"]].concat()).succeeded();
}

#[test]
fn findings_are_asked_for_in_every_way() {
    let broken = ["-o", "server-id=192.0.2.1"];
    let show = tool::tool(&["show", "--lint", "samples/malformed-cookie.pcapng"]);
    assert_eq!(show.code, Some(1), "{show:?}");
    let sent = tool::tool(&[&["discover", "--dry-run", "--lint"], &broken[..]].concat());
    assert_eq!(sent.code, Some(1), "{sent:?}");
    let script = "[it['rule'] for it in lint(rdpcap('samples/malformed-cookie.pcapng'))]";
    let run = tool::tool(&["run", "-c", script]).succeeded();
    assert!(run.out.contains("magic-cookie"), "{run:?}");
    let clean = tool::tool(&[
        "run",
        "-c",
        "[it for it in lint(dora()) if it['severity'] != 'note']",
    ]);
    assert_eq!(clean.succeeded().out.trim(), "[]");
    tool::tool(&["lint", "--only", "magic-cooky", "hex:00"]).failed(2, &["magic-cookie"]);
    for from in [
        &["samples/malformed-cookie.pcapng"][..],
        &["nothing.pcap"],
        &["--rules"],
    ] {
        let none = ["lint", "--only", "magic-cookie", "--ignore", "magic-cookie"];
        tool::tool(&[&none[..], from].concat()).failed(2, &["--ignore", "--only"]);
    }
    tool::tool(&["lint", "nothing.pcap"]).failed(6, &["nothing.pcap"]);
    let rules = tool::tool(&["lint", "--rules", "--json"]).succeeded();
    assert_eq!(rules.json().len(), RULES.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Any frames, well-formed, spoilt or random bytes, in any order.
    #[test]
    fn lint_is_total(
        mut all in prop::collection::vec(frames::frame(), 0..12),
        bytes in prop::collection::vec(any::<u8>(), 0..600),
        cuts in prop::collection::vec(0usize..400, 0..4),
    ) {
        all.push(Frame::decode(&bytes));
        for (cut, frame) in cuts.iter().zip(all.clone()) {
            let mut bytes = frame.encode();
            bytes.truncate(*cut);
            all.push(Frame::decode(&bytes));
        }
        all.extend(all.clone());
        for finding in lint(&all) {
            prop_assert!(RULES.contains(finding.rule));
            prop_assert!((1..=all.len() as u64).contains(&finding.frame));
        }
    }
}
