//! What is printed: exact texts in 80 columns, and that nothing off the wire reaches a terminal raw.

use std::cell::RefCell;
use std::ffi::OsStr;
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::rc::Rc;
use std::time::Duration;

use dhcpcraft::commands::Outcome;
use dhcpcraft::commands::args::ColorChoice;
use dhcpcraft::commands::diagnosis::{Cause, Likelihood};
use dhcpcraft::commands::outcome::*;
use dhcpcraft::link::Time;
use dhcpcraft::view::{
    Format, Ladder, Style, View, escape, hexdump, json, json_line, lease_box, list_line,
    replies_table, summary, tree,
};
use dhcpcraft::wire::*;
use proptest::collection::vec;
use proptest::prelude::*;

const PLAIN: Style = Style {
    color: false,
    width: 80,
};

const CLIENT: [u8; 6] = [0x02, 0, 0x5e, 0x10, 0, 1];

fn ip(text: &str) -> Ipv4Addr {
    text.parse().unwrap()
}

fn stream(options: &[(u8, &[u8])]) -> Vec<u8> {
    let mut stream = Vec::new();
    for (code, data) in options {
        push_option(&mut stream, *code, data);
    }
    stream.push(END);
    stream
}

/// A client's message: xid 0x3d1d5f2a, to everybody.
fn request(options: &[(u8, &[u8])]) -> Frame {
    let mut bootp = Bootp {
        xid: 0x3d1d_5f2a,
        ..Bootp::default()
    };
    bootp.set_client_mac(CLIENT.into());
    Frame::new([
        Ether {
            src: CLIENT.into(),
            ..Ether::default()
        }
        .into(),
        Ipv4::default().into(),
        Udp::default().into(),
        bootp.into(),
        Dhcp {
            options: stream(options),
            ..Dhcp::default()
        }
        .into(),
    ])
}

/// A server's answer from 192.0.2.`host`, which gives 192.0.2.`given`.
fn reply(host: u8, given: u8, options: &[(u8, &[u8])]) -> Frame {
    let mut frame = request(options);
    let server = Ipv4Addr::new(192, 0, 2, host);
    let address = Ipv4Addr::new(192, 0, 2, given);
    let ether = frame.ether_mut().unwrap();
    (ether.dst, ether.src) = (CLIENT.into(), [2, 0, 0x5e, 0, 0, host].into());
    let ip = frame.ipv4_mut().unwrap();
    (ip.src, ip.dst) = (server, address);
    let udp = frame.udp_mut().unwrap();
    (udp.sport, udp.dport) = (SERVER_PORT, CLIENT_PORT);
    let bootp = frame.bootp_mut().unwrap();
    (bootp.op, bootp.yiaddr) = (2, address);
    frame
}

fn discover() -> Frame {
    request(&[(53, &[1]), (50, &[10, 0, 0, 7]), (12, b"printer")])
}

fn offer(host: u8, given: u8, router: u8) -> Frame {
    reply(
        host,
        given,
        &[
            (53, &[2]),
            (54, &[192, 0, 2, host]),
            (51, &3600u32.to_be_bytes()),
            (1, &[255, 255, 255, 0]),
            (3, &[192, 0, 2, router]),
            (6, &[192, 0, 2, 53]),
        ],
    )
}

fn ack() -> Frame {
    reply(
        1,
        100,
        &[
            (53, &[5]),
            (54, &[192, 0, 2, 1]),
            (51, &3600u32.to_be_bytes()),
            (58, &1800u32.to_be_bytes()),
            (59, &3150u32.to_be_bytes()),
            (1, &[255, 255, 255, 0]),
            (3, &[192, 0, 2, 1]),
            (6, &[192, 0, 2, 53]),
            (15, b"lab.example"),
        ],
    )
}

/// The entry of bytes as a capture or a link gives them.
fn entry_of(link_type: u32, bytes: Vec<u8>, direction: Direction) -> Entry {
    Entry {
        number: 1,
        at: Time(1_767_225_600_000_000_000),
        since: Duration::ZERO,
        after: None,
        direction,
        link_type,
        original_len: bytes.len(),
        frame: Frame::decode_as(link_type, &bytes),
        bytes,
        verdict: Verdict::Part,
        checksum_unfinished: false,
        comment: None,
        group: Grouped::Not,
    }
}

fn entry(frame: &Frame, direction: Direction) -> Entry {
    entry_of(link_type::ETHERNET, frame.encode(), direction)
}

fn numbered(frame: &Frame, direction: Direction, number: u64, micros: u64) -> Entry {
    Entry {
        number,
        since: Duration::from_micros(micros),
        after: (direction == Direction::Received).then(|| Duration::from_micros(micros)),
        ..entry(frame, direction)
    }
}

fn printed(print: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
    let mut out = Vec::new();
    print(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn tree_of(entry: &Entry) -> String {
    printed(|out| tree(out, entry, &PLAIN))
}

/// The lines of a tree below a heading, up to the next heading.
fn section(text: &str, heading: &str) -> String {
    let mut lines = text.lines().skip_while(|line| !line.starts_with(heading));
    let mut out = lines.next().unwrap_or_default().to_string();
    for line in lines.take_while(|line| line.starts_with(' ')) {
        out.push('\n');
        out.push_str(line);
    }
    out
}

fn assert_lines(got: &str, wanted: &str) {
    assert_eq!(
        got.trim_end(),
        wanted.trim_matches('\n').trim_end(),
        "\n{got}"
    );
}

/// A writer that can be read while the view has it.
#[derive(Clone, Default)]
struct Shared(Rc<RefCell<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn text(&self) -> String {
        String::from_utf8(self.0.borrow().clone()).unwrap()
    }
}

/// What a view prints of a run: on the output, and beside it.
fn run(format: Format, style: Style, entries: &[Entry], ending: Ending) -> (String, String) {
    let (out, err) = (Shared::default(), Shared::default());
    let mut view = View::new(format, style, Box::new(out.clone()), Box::new(err.clone()));
    for entry in entries {
        view.entry(entry).unwrap();
    }
    view.outcome(&Outcome::Ran(ending)).unwrap();
    (out.text(), err.text())
}

fn exchange() -> Vec<Entry> {
    let request = request(&[(53, &[3]), (50, &[192, 0, 2, 100]), (54, &[192, 0, 2, 1])]);
    let mut stray = numbered(&offer(66, 200, 66), Direction::Received, 3, 400);
    stray.verdict = Verdict::Stray("xid 0x00000001 is not ours (0x3d1d5f2a)".into());
    let mut again = numbered(&offer(1, 100, 1), Direction::Received, 4, 450);
    again.verdict = Verdict::Duplicate;
    vec![
        numbered(&discover(), Direction::Sent, 1, 0),
        numbered(&offer(1, 100, 1), Direction::Received, 2, 300),
        stray,
        again,
        numbered(&request, Direction::Sent, 5, 500),
        numbered(&ack(), Direction::Received, 6, 800),
    ]
}

#[test]
fn a_frame_in_a_line() {
    let of = |frame: &Frame| summary(&entry(frame, Direction::Sent));
    assert_eq!(of(&discover()), "DISCOVER  wants 10.0.0.7  xid 0x3d1d5f2a");
    assert_eq!(
        of(&offer(1, 100, 1)),
        "OFFER  192.0.2.100  from 192.0.2.1  lease 1h"
    );
    let nak = reply(
        1,
        0,
        &[(53, &[6]), (54, &[192, 0, 2, 1]), (56, b"no \x1b[31m")],
    );
    assert_eq!(of(&nak), "NAK  from 192.0.2.1  \"no \\x1b[31m\"");
    let mut relayed = discover();
    relayed.bootp_mut().unwrap().giaddr = ip("10.9.0.1");
    assert!(of(&relayed).ends_with("via 10.9.0.1"));
    let arp = |arp: Arp| of(&Frame::new([Ether::default().into(), arp.into()]));
    let ask = |from: &str| Arp::request(CLIENT.into(), ip(from), ip("192.0.2.9"));
    assert_eq!(
        arp(ask("192.0.2.1")),
        "ARP who has 192.0.2.9? tell 192.0.2.1"
    );
    assert_eq!(arp(ask("0.0.0.0")), "ARP probe: who has 192.0.2.9?");
    let mut bootp = discover();
    bootp.layers.pop();
    assert_eq!(of(&bootp), "BOOTREQUEST  xid 0x3d1d5f2a");
    assert_eq!(of(&Frame::default()), "empty frame");
}

#[test]
fn a_list_in_eighty_columns() {
    let mut cut = numbered(&ack(), Direction::Read, 1234, 2_500_000);
    cut.original_len = 400;
    let mut tagged = discover();
    let tag = Dot1Q {
        vlan: 100,
        ..Dot1Q::default()
    };
    tagged.layers.insert(1, tag.into());
    let mut said = numbered(&tagged, Direction::Read, 2, 1_000);
    said.comment = Some("a\nb".into());
    let arp = Arp::request(CLIENT.into(), ip("192.0.2.1"), ip("192.0.2.9"));
    let arp = Frame::new([Ether::default().into(), arp.into()]);
    let lldp = Frame::new([
        Ether {
            ethertype: Auto::Set(0x88cc),
            src: CLIENT.into(),
            ..Ether::default()
        }
        .into(),
        Layer::Raw(vec![0; 50]),
    ]);
    let list = |width| {
        let entries = [
            numbered(&offer(1, 100, 1), Direction::Read, 1, 0),
            said.clone(),
            numbered(&arp, Direction::Read, 3, 2_000),
            numbered(&lldp, Direction::Read, 4, 3_000),
            cut.clone(),
        ];
        let style = Style { width, ..PLAIN };
        printed(|out| entries.iter().try_for_each(|it| list_line(out, it, &style)))
    };
    assert_lines(&list(80), LIST_80);
    assert_lines(&list(130), LIST_130);
}

const LIST_80: &str = r"
   1    0.000       192.0.2.1 > 192.0.2.100     OFFER     192.0.2.100  lease 1h
   2    0.001 02:00:5e:10:00:01 > broadcast     vlan 100  DISCOVER  wants 10.0.…
   3    0.002       192.0.2.1 > 192.0.2.9       ARP who has 192.0.2.9? tell 192…
   4    0.003 02:00:5e:10:00:01 > broadcast     Raw, 50 bytes
1234    2.500       192.0.2.1 > 192.0.2.100     ACK       192.0.2.100  lease 1h…
";

const LIST_130: &str = r"
    1    0.000000        192.0.2.1 -> 192.0.2.100      OFFER     02:00:5e:10:00:01  192.0.2.100  lease 1h
    2    0.001000          0.0.0.0 -> 255.255.255.255  vlan 100  DISCOVER  02:00:5e:10:00:01  wants 10.0.0.7  xid 0x3d1d5f2a  # a…
    3    0.002000        192.0.2.1 -> 192.0.2.9        ARP who has 192.0.2.9? tell 192.0.2.1
    4    0.003000  02:00:5e:10:00:01 -> broadcast      Raw, 50 bytes
 1234    2.500000        192.0.2.1 -> 192.0.2.100      ACK       02:00:5e:10:00:01  192.0.2.100  lease 1h  [cut: 341 of 400 bytes]
";

#[test]
fn a_tree_shows_every_field() {
    let frame = request(&[
        (53, &[1]),
        (61, &[1, 2, 0, 0x5e, 0x10, 0, 1]),
        (55, &[1, 3, 6, 15]),
        (82, &[1, 3, b'g', b'e', b'0', 2, 2, 10, 11]),
    ]);
    assert_lines(&tree_of(&entry(&frame, Direction::Built)), TREE);
}

const TREE: &str = r#"
frame 1  312 bytes, built, not sent  DISCOVER  xid 0x3d1d5f2a
Ether  0..14
  dst                     0..6      ff:ff:ff:ff:ff:ff
  src                     6..12     02:00:5e:10:00:01
  type                    12..14    0x0800  IPv4
IP  14..34
  version                 14..15    4
  ihl                     14..15    5
  tos                     15..16    0x00
  len                     16..18    298
  id                      18..20    1
  flags                   20..21    0
  frag                    20..22    0
  ttl                     22..23    64
  proto                   23..24    17  UDP
  chksum                  24..26    0x79c3  ok
  src                     26..30    0.0.0.0
  dst                     30..34    255.255.255.255
UDP  34..42
  sport                   34..36    68  bootpc (client)
  dport                   36..38    67  bootps (server, relay agent)
  len                     38..40    278
  chksum                  40..42    0x6f18  ok
BOOTP  42..278
  op                      42..43    1  BOOTREQUEST
  htype                   43..44    1  Ethernet (10Mb)
  hlen                    44..45    6
  hops                    45..46    0
  xid                     46..50    0x3d1d5f2a
  secs                    50..52    0
  flags                   52..54    0x0000  unicast
  ciaddr                  54..58    0.0.0.0
  yiaddr                  58..62    0.0.0.0
  siaddr                  62..66    0.0.0.0
  giaddr                  66..70    0.0.0.0
  chaddr                  70..86    02:00:5e:10:00:01
  sname                   86..150   -
  file                    150..278  -
DHCP  278..312
  cookie                  278..282  63825363
  53 message-type         282..285  discover
  61 client-id            285..294  02:00:5e:10:00:01
  55 request-list         294..300  subnet-mask,router,dns,domain-name
  82 relay-info           300..311  circuit-id="ge0",remote-id=hex:0a0b
    circuit-id (1)        302..307  ge0
    remote-id (2)         307..311  hex:0a0b
  255 end                 311..312
"#;

#[test]
fn a_tree_says_what_is_wrong() {
    // Options that do not fit, stop too early, go on behind END, and come in pieces.
    let mut options = stream(&[
        (53, &[1]),
        (51, &[0, 1]),
        (12, b"ab"),
        (12, b"cd"),
        (54, b"abcd"),
        (54, b"efgh"),
    ]);
    options.extend([0xaa, 0xbb]);
    let mut frame = request(&[]);
    frame.dhcp_mut().unwrap().options = options;
    frame.udp_mut().unwrap().chksum = Auto::Set(0x1234);
    frame.udp_mut().unwrap().len = Auto::Set(2000);
    let bootp = frame.bootp_mut().unwrap();
    (bootp.op, bootp.hlen, bootp.flags, bootp.chaddr[15]) = (7, 200, 0x8001, 9);
    let text = tree_of(&entry(&frame, Direction::Read));
    assert_lines(&section(&text, "UDP"), WRONG_UDP);
    assert_lines(&section(&text, "DHCP"), WRONG_DHCP);
    for line in [
        "  op                      42..43    7  (!) neither request (1) nor reply (2)",
        "  hlen                    44..45    200  (!) chaddr has 16 bytes",
        "  flags                   52..54    0x8001  broadcast  (!) reserved bits are set",
    ] {
        assert!(text.lines().any(|it| it == line), "{line}\n{text}");
    }
    frame.dhcp_mut().unwrap().options = vec![53, 1, 1, 0, 0, 12, 9, b'x'];
    let text = tree_of(&entry(&frame, Direction::Read));
    assert_lines(&section(&text, "DHCP"), TRUNCATED_DHCP);
}

const WRONG_UDP: &str = r"
UDP  34..42
  sport                   34..36    68  bootpc (client)
  dport                   36..38    67  bootps (server, relay agent)
  len                     38..40    2000  (!) 278 bytes are there
  chksum                  40..42    0x1234  (!) wrong, should be 0xa66d
";

const WRONG_DHCP: &str = r"
DHCP  278..312
  cookie                  278..282  63825363
  53 message-type         282..285  discover
  51 lease-time           285..289  0001
                                    (!) is no seconds: 2 bytes where 4 are
                                    needed
  12 hostname             289..293  abcd  joined from 2 pieces (RFC 3396)
  12 hostname             293..297  6364  a further piece
  54 server-id            297..303  97.98.99.100
                                    (!) comes 2 times; joined (RFC 3396) they
                                    are no value
  54 server-id            303..309  101.102.103.104
  255 end                 309..310
  after end               310..312  aabb
                                    (!) behind END, where only zeros belong
";

const TRUNCATED_DHCP: &str = r"
DHCP  278..290
  cookie                  278..282  63825363
  53 message-type         282..285  discover
  0 pad                   285..287  2 zero bytes
  12 hostname             287..290  78
                                    (!) cut short: 9 bytes announced, 1 there
  (!) no END option
";

#[test]
fn a_tree_of_overloaded_cut_and_broken_frames() {
    let mut frame = request(&[(53, &[1]), (52, &[3])]);
    let bootp = frame.bootp_mut().unwrap();
    bootp.file[..6].copy_from_slice(&[12, 3, b'p', b'c', b'1', 255]);
    bootp.sname[..4].copy_from_slice(&[15, 1, b'x', 255]);
    let text = tree_of(&entry(&frame, Direction::Read));
    let bootp = section(&text, "BOOTP");
    let at = bootp.find("  sname").unwrap();
    assert_lines(&bootp[at..], OVERLOADED);

    let bytes = discover().encode();
    let mut entry = entry_of(link_type::ETHERNET, bytes[..54].to_vec(), Direction::Read);
    entry.original_len = bytes.len();
    let text = tree_of(&entry);
    assert!(
        text.starts_with("frame 1  54 bytes, 2026-01-01 00:00:00.000000 UTC (cut: "),
        "{text}"
    );
    assert!(text.contains("not checked: the capture is cut"), "{text}");
    assert_lines(&section(&text, "BOOTP"), CUT_BOOTP);

    let mut frame = discover();
    frame.layers.pop();
    frame.layers.push(Layer::Raw(vec![1, 2, 3, 4, 5]));
    assert_lines(
        &section(&tree_of(&self::entry(&frame, Direction::Read)), "Vendor"),
        VENDOR,
    );

    let mut frame = discover();
    frame.ipv4_mut().unwrap().frag = 185;
    let text = tree_of(&self::entry(&frame, Direction::Read));
    assert!(
        text.contains("last fragment of datagram 1, from byte 1480"),
        "{text}"
    );

    let mut unfinished = self::entry(&discover(), Direction::Received);
    unfinished.frame.udp_mut().unwrap().chksum = Auto::Set(1);
    unfinished.checksum_unfinished = true;
    assert!(tree_of(&unfinished).contains("0x0001  unfinished: left to the network card"));
}

const OVERLOADED: &str = r"
  sname                   86..150   holds options (overload, 52):
    15 domain-name        86..89    x
    255 end               89..90
    padding               90..150   60 zero bytes
  file                    150..278  holds options (overload, 52):
    12 hostname           150..155  pc1
    255 end               155..156
    padding               156..278  122 zero bytes
";

const CUT_BOOTP: &str = r"
BOOTP  42..54  (!) cut short: 12 of 236 bytes
  op                      42..43    1  BOOTREQUEST
  htype                   43..44    1  Ethernet (10Mb)
  hlen                    44..45    6
  hops                    45..46    0
  xid                     46..50    0x3d1d5f2a
  secs                    50..52    0
  flags                   52..54    0x0000  unicast
";

const VENDOR: &str = r"
Vendor area  278..283
  (!) begins with 01020304, not with the magic cookie 63825363
  bytes                   278..283  0102030405
";

#[test]
fn a_hexdump_has_every_byte() {
    let entry = entry(&discover(), Direction::Read);
    let text = printed(|out| hexdump(out, &entry, &PLAIN));
    assert!(
        text.starts_with(
            "0000  ff ff ff ff ff ff 02 00  5e 10 00 01 08 00 45 00  |........^.....E.|\n0010  "
        ),
        "{text}"
    );
    let digits = |line: &str| line[6..54].replace(' ', "");
    let all: String = text.lines().map(digits).collect();
    assert_eq!(all, hex::encode(&entry.bytes));
    // `show` reads it back.
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_dhcpcraft"));
    command.args(["show", "-", "--json"]);
    command.stdin(std::process::Stdio::piped());
    command.stdout(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let value: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(value["hex"], all);
    let colored = printed(|out| {
        hexdump(
            out,
            &entry,
            &Style {
                color: true,
                ..PLAIN
            },
        )
    });
    assert!(colored.starts_with("# \x1b[34mEther\x1b[0m "), "{colored}");
}

#[test]
fn a_ladder_with_strays_and_duplicates() {
    let (out, err) = run(Format::Ladder, PLAIN, &exchange(), Ending::Bound);
    assert_lines(&out, LADDER);
    assert_eq!(err, "");
    let narrow = Style { width: 44, ..PLAIN };
    let (out, _) = run(
        Format::Ladder,
        narrow,
        &exchange()[..2],
        Ending::Interrupted,
    );
    assert_lines(&out, NARROW_LADDER);
}

const LADDER: &str = r"
   client 02:00:5e:10:00:01                                       servers
      |                                                              |
      |--- DISCOVER  wants 10.0.0.7  xid 0x3d1d5f2a ---------------->|    0.0 ms
      |<-- OFFER     192.0.2.100  from 192.0.2.1  lease 1h ----------|    0.3 ms
      |<-- OFFER     192.0.2.200  from 192.0.2.66  lease 1h ---------|    0.4 ms
      |              stray: xid 0x00000001 is not ours               |
      |              (0x3d1d5f2a)                                    |
      |<-- OFFER     192.0.2.100  from 192.0.2.1  lease 1h ----------|    0.5 ms
      |              duplicate                                       |
      |--- REQUEST   192.0.2.100  from 192.0.2.1 ------------------->|    0.5 ms
      |<-- ACK       192.0.2.100  from 192.0.2.1  lease 1h ----------|    0.8 ms

   address  192.0.2.100/24                     router  192.0.2.1
   lease    1h  (T1 30m, T2 52m30s)            dns     192.0.2.53
   also     domain-name lab.example
";

const NARROW_LADDER: &str = r"
client 02:00:5e:10:00:01      servers
|                                |
|--- DISCOVER  wants 10.0.0.7 -->|    0.0 ms
|     xid 0x3d1d5f2a             |
|<-- OFFER     192.0.2.100 ------|    0.3 ms
|     from 192.0.2.1  lease 1h   |
";

/// The rungs of a ladder: which way each points.
fn arrows(entries: &[Entry]) -> String {
    let (out, _) = run(Format::Ladder, PLAIN, entries, Ending::Done);
    let rails = out
        .lines()
        .filter_map(|it| it.trim_start().strip_prefix('|'));
    let arrows = rails.filter_map(|it| match it.get(..3)? {
        "---" => Some('>'),
        "<--" => Some('<'),
        _ => None,
    });
    arrows.collect()
}

#[test]
fn a_ladder_has_the_client_on_the_left_whoever_looks_on() {
    use Direction::{Built, Read, Received, Sent};
    let (question, answer) = (discover(), offer(1, 100, 1));
    for (asked, answered) in [
        (Sent, Received),
        (Received, Received),
        (Received, Sent),
        (Read, Read),
        (Built, Built),
    ] {
        let told = [entry(&question, asked), entry(&answer, answered)];
        assert_eq!(arrows(&told), "><", "{asked:?} {answered:?}");
    }
}

#[test]
fn a_ladder_names_the_client_and_not_the_relay_agent_that_looks_for_the_server() {
    use Direction::{Received, Sent};
    let (agent, server) = (
        MacAddr(2, 0, 0x5e, 0x44, 0, 1),
        MacAddr(2, 0, 0x5e, 0, 0, 1),
    );
    let arp = |src: MacAddr, dst: MacAddr| {
        let (own, target) = (ip("192.0.2.254"), ip("192.0.2.1"));
        let ether = Ether {
            src,
            dst,
            ..Ether::default()
        };
        Frame::new(vec![ether.into(), Arp::request(src, own, target).into()])
    };
    let mut question = discover();
    question.ether_mut().expect("Ethernet").src = agent;
    let mut told = vec![
        entry(&arp(agent, MacAddr::broadcast()), Sent),
        entry(&arp(server, agent), Received),
        entry(&question, Sent),
    ];
    let (out, _) = run(Format::Ladder, PLAIN, &told, Ending::Done);
    let client = question.bootp().expect("BOOTP").client_mac();
    let head = out.lines().next().unwrap_or_default();
    assert!(head.contains(&format!("client {client}")), "{out}");
    assert_eq!(arrows(&told), "><>");
    // Without a message there is no client to name, and no frame is lost.
    told.pop();
    let (out, _) = run(Format::Ladder, PLAIN, &told, Ending::Done);
    assert!(out.trim_start().starts_with("clients  "), "{out}");
    assert_eq!(arrows(&told), "><");
}

#[test]
fn a_table_of_replies_says_where_servers_disagree() {
    let mut entries = exchange();
    entries.truncate(2);
    entries.push(numbered(&offer(66, 200, 66), Direction::Received, 3, 2100));
    let mut stray = numbered(&offer(9, 9, 9), Direction::Received, 4, 2200);
    stray.verdict = Verdict::Stray("chaddr is not ours".into());
    entries.push(stray);
    let (out, _) = run(Format::Table, PLAIN, &entries, Ending::Done);
    assert_lines(&out, TABLE);
    // Two machines that claim to be one server.
    let mut twin = offer(1, 100, 1);
    twin.ether_mut().unwrap().src = [2, 0, 0, 0, 0, 9].into();
    entries[2] = numbered(&twin, Direction::Received, 3, 2100);
    let (out, _) = run(Format::Table, PLAIN, &entries, Ending::Done);
    assert!(
        out.contains(
            "2 offers from 1 server\n(!) server-id 192.0.2.1 comes from 2 MAC addresses\n"
        ),
        "{out}"
    );
}

const TABLE: &str = r"
#  after   type   from        server MAC         address      lease
1  0.3 ms  OFFER  192.0.2.1   02:00:5e:00:00:01  192.0.2.100  1h
2  2.1 ms  OFFER  192.0.2.66  02:00:5e:00:00:42  192.0.2.200  1h

   option       #1             #2
1  subnet-mask  255.255.255.0  255.255.255.0
3  router (!)   192.0.2.1      192.0.2.66
6  dns          192.0.2.53     192.0.2.53

not taken: OFFER 192.0.2.9 from 192.0.2.9 lease 1h (chaddr is not ours)

2 offers from 2 servers; they disagree on router
";

#[test]
fn many_replies_are_paragraphs() {
    let replies: Vec<Entry> = (1..=6)
        .map(|host| {
            numbered(
                &offer(host, 100 + host, 1),
                Direction::Received,
                u64::from(host),
                500,
            )
        })
        .collect();
    let all: Vec<&Entry> = replies.iter().collect();
    let text = printed(|out| replies_table(out, &all, &PLAIN));
    assert!(
        text.contains("\n#6  subnet-mask 255.255.255.0 · router 192.0.2.1 · dns 192.0.2.53\n"),
        "{text}"
    );
    assert!(
        text.ends_with("6 offers from 6 servers; they agree\n"),
        "{text}"
    );
}

#[test]
fn what_stands_at_the_end() {
    let sent = [numbered(&discover(), Direction::Sent, 1, 0)];
    let silence = Silence {
        waited: Duration::from_secs(5),
        tries: 2,
        causes: vec![Cause {
            id: "nothing-arrived",
            likelihood: Likelihood::Certain,
            text: "nothing at all arrived\x1b[2J".into(),
            next: String::new(),
            frames: Vec::new(),
        }],
    };
    let (out, err) = run(Format::Table, PLAIN, &sent, Ending::NoReply(silence));
    assert_eq!(out, "sent DISCOVER  wants 10.0.0.7  xid 0x3d1d5f2a\n");
    assert_eq!(
        err,
        "no reply: sent 2 times, waited 5.0 s\n  - nothing at all arrived\\x1b[2J\n"
    );
    let nak = reply(1, 0, &[(53, &[6]), (54, &[192, 0, 2, 1])]);
    let mut entries = vec![sent[0].clone(), numbered(&nak, Direction::Received, 2, 300)];
    let arp = Frame::new([Ether::default().into(), Arp::default().into()]);
    entries.push(numbered(&arp, Direction::Received, 3, 400));
    let (_, err) = run(Format::Ladder, PLAIN, &entries, Ending::Refused(Vec::new()));
    assert_eq!(
        err,
        "refused: NAK  from 192.0.2.1   (`dhcpcraft explain nak`)\n"
    );
}

#[test]
fn a_flood_is_counted() {
    let answer = numbered(&offer(1, 100, 1), Direction::Received, 2, 300);
    let mut again = answer.clone();
    again.verdict = Verdict::Duplicate;
    let mut entries = vec![answer];
    entries.resize(5000, again);
    let (out, _) = run(Format::Table, PLAIN, &entries, Ending::Done);
    assert!(out.lines().count() < 60, "{out}");
    assert!(
        out.contains("\nnot taken: 4075 more; --format ladder shows each\n"),
        "{out}"
    );
    assert!(out.ends_with("\n… and 904 more frames\n"), "{out}");
}

#[test]
fn notices_and_single_values_are_harmless() {
    let (out, err) = (Shared::default(), Shared::default());
    let mut view = View::new(
        Format::Json,
        PLAIN,
        Box::new(out.clone()),
        Box::new(err.clone()),
    );
    view.notice("one\x1b[2J\ntwo");
    assert_eq!(
        (out.text().as_str(), err.text().as_str()),
        ("", "one\\x1b[2J\\ntwo\n")
    );
    for what in ["hostname", "sname"] {
        let hostile = "hex:1b5b324a0a07e280ae";
        let option = format!("hostname={hostile}");
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_dhcpcraft"))
            .args([
                "discover",
                "--dry-run",
                "-o",
                &option,
                "--sname",
                hostile,
                "--print",
                what,
            ])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{text}");
        assert_safe(what, &text);
        assert!(text.contains("\\x1b[2J\\n\\x07\\u{202e}"), "{text:?}");
        assert_eq!(text.lines().count(), 1);
    }
}

#[test]
fn one_frame_of_a_capture_is_a_tree_and_more_are_a_list() {
    let first = numbered(&discover(), Direction::Read, 1, 0);
    let second = numbered(&ack(), Direction::Read, 2, 10);
    let (one, _) = run(
        Format::Table,
        PLAIN,
        std::slice::from_ref(&first),
        Ending::Done,
    );
    assert_eq!(one, tree_of(&first));
    let (two, _) = run(Format::Table, PLAIN, &[first, second], Ending::Done);
    assert_eq!(two.lines().count(), 2, "{two}");
}

#[test]
fn json_has_stable_keys() {
    let mut entry = numbered(&offer(1, 100, 1), Direction::Received, 2, 1500);
    entry.comment = Some("OFFER".into());
    let value = json(&entry);
    let keys: Vec<&str> = value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let wanted = "number time utc since after direction verdict comment summary message options layers link_type length original_length hex";
    assert_eq!(keys.join(" "), wanted);
    assert_eq!(value["utc"], "2026-01-01T00:00:00.000000000Z");
    assert_eq!(value["time"], "1767225600.000000000");
    assert_eq!(value["since"], 0.0015);
    let keys: Vec<&str> = value["message"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        keys.join(" "),
        "type xid secs broadcast chaddr ciaddr yiaddr siaddr giaddr server_id requested_ip lease_time"
    );
    assert_eq!(value["message"]["yiaddr"], "192.0.2.100");
    assert_eq!(value["message"]["lease_time"], 3600);
    let router = &value["options"][4];
    let text = r#"{"code":3,"name":"router","offset":303,"length":4,"place":"options","hex":"c0000201","value":["192.0.2.1"],"text":"192.0.2.1"}"#;
    assert_eq!(router.to_string(), text);
    let layers: Vec<&str> = value["layers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["layer"].as_str().unwrap())
        .collect();
    assert_eq!(layers, ["Ether", "IP", "UDP", "BOOTP", "DHCP"]);
    for (layer, value) in entry
        .frame
        .layers
        .iter()
        .zip(value["layers"].as_array().unwrap())
    {
        for row in layer.fields() {
            assert!(!value[row.name].is_null(), "{} {}", row.layer, row.name);
        }
    }
    assert_eq!(value["hex"], hex::encode(&entry.bytes));
}

#[test]
fn json_joins_the_pieces_of_an_option() {
    let frame = request(&[(12, b"ab"), (53, &[1]), (12, b"cd"), (54, &[1]), (54, &[2])]);
    let value = json(&entry(&frame, Direction::Sent));
    let options = value["options"].as_array().unwrap();
    assert_eq!(
        (&options[0]["pieces"], &options[0]["value"]),
        (&2.into(), &"abcd".into())
    );
    assert_eq!(options[2]["piece"], 2);
    assert!(options[2]["value"].is_null());
    assert!(options[3]["error"].is_string() && options[4]["error"].is_string());
}

#[test]
fn dates_are_right() {
    for (seconds, date) in [
        (0, "1970-01-01T00:00:00"),
        (951_782_399, "2000-02-28T23:59:59"),
        (951_782_400, "2000-02-29T00:00:00"),
        (1_709_251_199, "2024-02-29T23:59:59"),
        (4_107_542_400, "2100-03-01T00:00:00"),
        (1_735_689_599, "2024-12-31T23:59:59"),
    ] {
        let mut entry = entry(&discover(), Direction::Read);
        entry.at = Time(seconds * 1_000_000_000 + 7);
        assert_eq!(json(&entry)["utc"], format!("{date}.000000007Z"));
    }
}

#[test]
fn colours_and_width_follow_the_terminal() {
    let style = |choice, no_color: Option<&str>, columns, terminal| {
        let no_color = no_color.map(OsStr::new);
        Style::decide(
            choice,
            no_color,
            columns,
            Some(90).filter(|_| terminal),
            terminal,
        )
    };
    use ColorChoice::*;
    assert_eq!(
        style(Auto, None, None, true),
        Style {
            color: true,
            width: 90
        }
    );
    assert_eq!(
        style(Auto, None, None, false),
        Style {
            color: false,
            width: 100
        }
    );
    assert!(!style(Auto, Some("1"), None, true).color);
    assert!(
        style(Auto, Some(""), None, true).color,
        "empty is unset, as no-color.org has it"
    );
    assert!(style(Always, Some("1"), None, false).color);
    assert!(!style(Never, None, None, true).color);
    assert_eq!(style(Auto, None, Some("72"), true).width, 72);
    assert_eq!(style(Auto, None, Some("no"), true).width, 90);
    assert_eq!(style(Auto, None, Some("0"), true).width, 90);
    assert_eq!(style(Auto, None, Some("7"), true).width, 40);
}

#[test]
fn no_color_reaches_the_program() {
    let program = env!("CARGO_BIN_EXE_dhcpcraft");
    let output = |args: &[&str]| {
        let mut command = std::process::Command::new(program);
        command
            .args(["discover", "--dry-run", "--seed", "1"])
            .args(args)
            .env("NO_COLOR", "1");
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    assert!(!output(&[]).contains('\x1b'));
    assert!(output(&["--color", "always"]).contains('\x1b'));
}

/// Strings that would move a cursor, change colours, break a line, or read otherwise than they are.
const HOSTILE: [&str; 12] = [
    "\x1b[31mred\x1b]0;title\x07",
    "two\nlines\r\n",
    "nul\0inside",
    "\u{202e}desrever",
    "\u{200b}\u{feff}\u{2066}invisible",
    "\u{9b}31mC1 \u{85}",
    "tab\tbell\x07del\x7f",
    "日本語のホスト名がここに長く続いています",
    "e\u{301}\u{301}\u{301} combining",
    "\u{2028}\u{2029} separators",
    "\"quoted\" \\ 'and' `more`",
    "\u{e0041}\u{e0042} tags",
];

/// Whether a character may reach a terminal.
fn safe(c: char) -> bool {
    let hidden = matches!(c as u32,
        0x80..=0x9f | 0xad | 0x61c | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfeff | 0xe0000..=0xe0fff);
    c == '\n' || !(c.is_control() || hidden)
}

/// Columns as a terminal counts them, measured by the crate that draws the tables.
fn columns(line: &str) -> usize {
    let mut table = comfy_table::Table::new();
    table.add_row([line]);
    usize::from(table.column_max_content_widths()[0])
}

fn assert_safe(what: &str, text: &str) {
    if let Some(c) = text.chars().find(|c| !safe(*c)) {
        panic!("{what} prints {:?}:\n{text:?}", c);
    }
}

/// Prints an entry in every way there is, and holds each to what may be printed.
fn everything(entry: &Entry, width: usize) {
    let style = Style {
        color: false,
        width,
    };
    assert_safe("summary", &summary(entry));
    let line = printed(|out| list_line(out, entry, &style));
    let table = printed(|out| replies_table(out, &[entry, entry], &style));
    let lease = printed(|out| lease_box(out, entry, &style));
    let mut ladder = Ladder::default();
    let rungs = printed(|out| {
        ladder.rung(out, entry, &style)?;
        ladder.rung(out, entry, &style)?;
        ladder.finish(out, &style)
    });
    for (what, text) in [
        ("list", &line),
        ("table", &table),
        ("lease", &lease),
        ("ladder", &rungs),
    ] {
        assert_safe(what, text);
        for line in text.lines() {
            assert!(
                columns(line) <= width,
                "{what}: {} > {width}\n{line}\n{text}",
                columns(line)
            );
        }
    }
    assert_eq!(line.lines().count(), 1, "{line}");
    assert_safe("tree", &printed(|out| tree(out, entry, &style)));
    let dump = printed(|out| hexdump(out, entry, &style));
    assert!(dump.is_ascii());
    assert_safe("hexdump", &dump);
    let line = printed(|out| json_line(out, entry));
    assert_safe("json", &line);
    assert_eq!(line.lines().count(), 1);
    let value: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(value["hex"], hex::encode(&entry.bytes));
    assert_eq!(value["summary"], summary(entry));
    if let Some(comment) = &entry.comment {
        assert_eq!(value["comment"], comment.as_str());
    }
    // With colours only the colours are added.
    let colored = Style { color: true, width };
    for (with, without) in [
        (
            printed(|out| tree(out, entry, &colored)),
            printed(|out| tree(out, entry, &style)),
        ),
        (
            printed(|out| list_line(out, entry, &colored)),
            printed(|out| list_line(out, entry, &style)),
        ),
    ] {
        assert_eq!(bare(&with), without);
    }
}

/// Text without the sequences that change colours.
fn bare(text: &str) -> String {
    let mut out = String::new();
    let mut parts = text.split("\x1b[");
    out.extend(parts.next());
    for part in parts {
        out.push_str(part.split_once('m').map_or("", |it| it.1));
    }
    out
}

fn hostile_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => proptest::sample::select(&HOSTILE[..]).prop_map(|it| it.as_bytes().to_vec()),
        1 => any::<String>().prop_map(String::into_bytes),
        2 => vec(any::<u8>(), 0..40),
        1 => vec(any::<u8>(), 255..300),
        1 => Just(vec![b'h'; 255]),
        1 => vec(any::<u8>(), 4..5),
        1 => vec(1u8..9, 1..2),
    ]
}

fn hostile_frame() -> impl Strategy<Value = Vec<u8>> {
    // Options that hold text, addresses and structures come up more often than the rest.
    let codes = proptest::sample::select(
        &[
            1u8, 3, 6, 12, 15, 17, 43, 50, 51, 52, 53, 54, 55, 56, 60, 61, 66, 67, 77, 81, 82, 90,
            97, 114, 119, 120, 121, 124, 125, 161, 175, 252,
        ][..],
    );
    let codes = prop_oneof![4 => codes, 1 => any::<u8>()];
    let options = vec((codes, hostile_bytes()), 0..10);
    let header = (
        any::<u8>(),
        any::<[u8; 16]>(),
        any::<[u8; 4]>(),
        hostile_bytes(),
        hostile_bytes(),
    );
    let cut = prop_oneof![4 => Just(usize::MAX), 1 => 0usize..400];
    (
        any::<bool>(),
        header,
        options,
        vec(any::<u8>(), 0..12),
        0u16..4096,
        cut,
    )
        .prop_map(
            |(answer, (hlen, chaddr, giaddr, sname, file), options, tail, vlan, cut)| {
                let kinds: [&[u8]; 2] = [&[1], &[2]];
                let mut frame = match answer {
                    true => reply(1, 100, &[(53, kinds[1])]),
                    false => request(&[(53, kinds[0])]),
                };
                let bootp = frame.bootp_mut().unwrap();
                (bootp.hlen, bootp.chaddr, bootp.giaddr) = (hlen % 20, chaddr, giaddr.into());
                for (to, from) in bootp.sname.iter_mut().zip(sname) {
                    *to = from;
                }
                for (to, from) in bootp.file.iter_mut().zip(file) {
                    *to = from;
                }
                let dhcp = frame.dhcp_mut().unwrap();
                dhcp.options.pop();
                for (code, data) in options {
                    push_option(&mut dhcp.options, code, &data);
                }
                dhcp.options.extend(tail);
                if vlan % 3 == 0 {
                    let tag = Dot1Q {
                        vlan,
                        ..Dot1Q::default()
                    };
                    frame.layers.insert(1, tag.into());
                }
                let bytes = frame.encode();
                bytes[..cut.min(bytes.len())].to_vec()
            },
        )
}

fn arbitrary_entry(bytes: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Entry> {
    let link = proptest::sample::select(&[1u32, 1, 1, 1, 12, 101, 113, 228, 276, 147][..]);
    let text = || {
        let text = hostile_bytes().prop_map(|it| String::from_utf8_lossy(&it).into_owned());
        proptest::option::of(text)
    };
    let direction = proptest::sample::select(
        &[
            Direction::Sent,
            Direction::Received,
            Direction::Read,
            Direction::Built,
        ][..],
    );
    (
        bytes,
        link,
        text(),
        text(),
        direction,
        any::<(u32, u32, u16, bool)>(),
    )
        .prop_map(
            |(bytes, link, comment, reason, direction, (number, micros, more, unfinished))| {
                let mut entry = entry_of(link, bytes, direction);
                entry.number = u64::from(number);
                entry.since = Duration::from_micros(u64::from(micros) * u64::from(more));
                entry.original_len += usize::from(more % 3);
                entry.checksum_unfinished = unfinished;
                entry.comment = comment;
                if let Some(reason) = reason {
                    entry.verdict = Verdict::Stray(reason);
                }
                entry
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn hostile_messages_are_harmless(
        entry in arbitrary_entry(hostile_frame()),
        width in prop_oneof![Just(40usize), Just(64), Just(80), Just(100), Just(120), 40usize..200],
    ) {
        everything(&entry, width);
    }

    #[test]
    fn arbitrary_bytes_are_harmless(entry in arbitrary_entry(vec(any::<u8>(), 0..600)), width in 40usize..160) {
        everything(&entry, width);
    }

    #[test]
    fn escaped_text_is_harmless(text in any::<String>(), index in 0..HOSTILE.len()) {
        for text in [text.as_str(), HOSTILE[index]] {
            let escaped = escape(text);
            assert_safe("escape", &escaped);
            prop_assert!(!escaped.contains('\n'));
        }
    }
}
