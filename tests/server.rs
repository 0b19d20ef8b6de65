//! The server as a player: to whom it gives which address, and what its replies hold (RFC 2131 section 4.3).

use std::net::Ipv4Addr;
use std::time::Duration;

use dhcpcraft::dhcp::Message;
use dhcpcraft::dhcp::assign::{self, Assignment};
use dhcpcraft::dhcp::enums::{ACK, DECLINE, DISCOVER, LEASEQUERY, NAK, OFFER, RELEASE, REQUEST};
use dhcpcraft::dhcp::message::Place;
use dhcpcraft::dhcp::template::{self, Draft, Identity};
use dhcpcraft::link::Time;
use dhcpcraft::talk::{
    Answering, FAULTS, Fault, Outbox, Outgoing, Player, Reservation, Rules, Server, ServerConfig,
    Subnet, Verdict,
};
use dhcpcraft::wire::{Frame, MacAddr};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

const SERVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const OWNER: MacAddr = MacAddr(2, 0, 0x5e, 0x10, 0, 1);
const OTHER: MacAddr = MacAddr(2, 0, 0x5e, 0x10, 0, 2);

fn ip(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(192, 0, 2, last)
}

fn options(texts: &[&str]) -> Vec<Assignment> {
    let parse = |text: &&str| assign::parse(text).expect("an option");
    texts.iter().map(parse).collect()
}

/// A server of 192.0.2.100 to .110.
fn config() -> ServerConfig {
    ServerConfig {
        address: SERVER,
        mac: MacAddr(2, 0, 0x5e, 0, 0, 1),
        vlan: Vec::new(),
        subnets: vec![Subnet {
            network: ip(0),
            prefix: 24,
            pool: (ip(100), ip(110)),
            options: Vec::new(),
        }],
        lease: 3600,
        think: Duration::ZERO,
        refuse: false,
        reservations: Vec::new(),
        reserved_only: false,
        rapid_commit: false,
        bootp: false,
        forced: Vec::new(),
        faults: Vec::new(),
    }
}

fn reserve(client: &[u8], ip: Ipv4Addr) -> Reservation {
    Reservation {
        client: client.to_vec(),
        ip,
    }
}

/// The server, and one message after another to it.
struct Asked(Server);

impl Asked {
    fn new(config: ServerConfig) -> Asked {
        Asked(Server::new(config, ChaCha8Rng::seed_from_u64(1)))
    }

    /// The replies to a draft as it arrives.
    fn ask(&mut self, draft: &Draft) -> Vec<Frame> {
        self.ask_and_hear(draft).0
    }

    /// The same with what the server says of the message.
    fn ask_and_hear(&mut self, draft: &Draft) -> (Vec<Frame>, Option<String>) {
        let mut out = Outbox::default();
        let frame = Frame::decode(&draft.frame().encode());
        self.0.receive(Time::default(), &frame, None, &mut out);
        let sent = out.frames.into_iter();
        let sent = sent.map(|it| Frame::decode(&it.frame.encode())).collect();
        (sent, out.remark)
    }

    /// What a message is to the server, where it is none that it answers.
    fn stray(&mut self, frame: &Frame, fault: Option<&str>) -> Option<String> {
        let mut out = Outbox::default();
        let frame = Frame::decode(&frame.encode());
        let verdict = self.0.receive(Time::default(), &frame, fault, &mut out);
        match verdict {
            Some(Verdict::Stray(reason)) => {
                assert!(out.frames.is_empty(), "{reason}, and yet it is answered");
                Some(reason)
            }
            Some(_) => {
                assert!(!out.frames.is_empty(), "it is taken and not answered");
                Some("answered".into())
            }
            None => None,
        }
    }

    /// Type and yiaddr of the one reply at a time; `None` for silence.
    fn said_at(&mut self, now: Time, draft: &Draft) -> Option<(u8, Ipv4Addr)> {
        let mut out = Outbox::default();
        let frame = Frame::decode(&draft.frame().encode());
        self.0.receive(now, &frame, None, &mut out);
        let reply = out.frames.pop()?;
        let message = Message::of(&reply.frame).expect("a message");
        Some((message.message_type()?, message.bootp.yiaddr))
    }

    /// Type and yiaddr of the one reply; `None` for silence.
    #[track_caller]
    fn said(&mut self, draft: &Draft) -> Option<(u8, Ipv4Addr)> {
        let replies = self.ask(draft);
        assert!(replies.len() <= 1, "{replies:?}");
        let message = Message::of(replies.first()?).expect("a message");
        Some((
            message.message_type().expect("a type"),
            message.bootp.yiaddr,
        ))
    }
}

fn who(mac: MacAddr, address: Option<Ipv4Addr>, server: Option<Ipv4Addr>) -> Identity {
    Identity {
        client_mac: mac,
        source_mac: mac,
        xid: 7,
        address,
        server,
        own: None,
        server_mac: None,
    }
}

fn discover(mac: MacAddr) -> Draft {
    template::fresh(DISCOVER, &who(mac, None, None))
}

/// A REQUEST in SELECTING.
fn request(mac: MacAddr, address: Ipv4Addr) -> Draft {
    template::fresh(REQUEST, &who(mac, Some(address), Some(SERVER)))
}

fn renewal(mac: MacAddr, address: Ipv4Addr) -> Draft {
    template::renewing(&who(mac, Some(address), Some(SERVER)))
}

fn decline(mac: MacAddr, address: Ipv4Addr) -> Draft {
    template::fresh(DECLINE, &who(mac, Some(address), Some(SERVER)))
}

/// The same message from a relay agent on this subnet, which says by which port it came.
fn relayed(mut draft: Draft, circuit: &str) -> Draft {
    draft.relay(ip(254), Some(SERVER));
    draft.put(options(&[&format!("relay-info=circuit-id={circuit}")]).remove(0));
    draft
}

const REFUSED: Option<(u8, Ipv4Addr)> = Some((NAK, Ipv4Addr::UNSPECIFIED));

#[test]
fn what_is_kept_for_one_client_is_refused_to_another_that_asks_for_it() {
    for kept in [ip(7), ip(100)] {
        let mut config = config();
        config.reservations = vec![reserve(&OWNER.octets(), kept)];
        let mut server = Asked::new(config);
        assert_eq!(server.said(&request(OTHER, kept)), REFUSED);
        assert_eq!(
            server.said(&discover(OTHER)),
            Some((OFFER, ip(if kept == ip(100) { 101 } else { 100 })))
        );
        assert_eq!(server.said(&discover(OWNER)), Some((OFFER, kept)));
        assert_eq!(server.said(&request(OWNER, kept)), Some((ACK, kept)));
        assert_eq!(server.said(&renewal(OWNER, kept)), Some((ACK, kept)));
        assert_eq!(server.said(&request(OTHER, kept)), REFUSED);
    }
}

#[test]
fn only_those_with_a_reservation_are_served_however_they_ask() {
    let mut config = config();
    config.reservations = vec![reserve(&OWNER.octets(), ip(7))];
    config.reserved_only = true;
    let mut server = Asked::new(config);
    assert_eq!(server.said(&discover(OTHER)), None);
    assert_eq!(server.said(&request(OTHER, ip(100))), REFUSED);
    assert_eq!(server.said(&discover(OWNER)), Some((OFFER, ip(7))));
}

#[test]
fn where_the_address_kept_is_in_use_its_client_gets_another_one() {
    for only in [false, true] {
        let mut config = config();
        config.reservations = vec![reserve(&OWNER.octets(), ip(7))];
        config.reserved_only = only;
        let mut server = Asked::new(config);
        assert_eq!(server.said(&discover(OWNER)), Some((OFFER, ip(7))));
        assert_eq!(server.said(&request(OWNER, ip(7))), Some((ACK, ip(7))));
        assert_eq!(server.said(&decline(OWNER, ip(7))), None);
        let offered = (!only).then_some((OFFER, ip(100)));
        assert_eq!(server.said(&discover(OWNER)), offered, "only: {only}");
        if !only {
            assert_eq!(server.said(&request(OWNER, ip(100))), Some((ACK, ip(100))));
            assert_eq!(server.said(&renewal(OWNER, ip(100))), Some((ACK, ip(100))));
        }
    }
}

#[test]
fn a_lease_kept_by_circuit_id_is_renewed_although_a_renewal_says_none() {
    let mut config = config();
    config.reservations = vec![reserve(b"port-7", ip(7))];
    let mut server = Asked::new(config);
    let first = relayed(discover(OWNER), "port-7");
    assert_eq!(server.said(&first), Some((OFFER, ip(7))));
    let second = relayed(request(OWNER, ip(7)), "port-7");
    assert_eq!(server.said(&second), Some((ACK, ip(7))));
    assert_eq!(server.said(&renewal(OWNER, ip(7))), Some((ACK, ip(7))));
    // It is nobody else's, and another port's client does not get it.
    assert_eq!(
        server.said(&relayed(request(OTHER, ip(7)), "port-8")),
        REFUSED
    );
    // The second client behind the same port gets one of the pool.
    let second = relayed(discover(OTHER), "port-7");
    assert_eq!(server.said(&second), Some((OFFER, ip(100))));
}

/// The options of the ACK to a REQUEST for 192.0.2.100 that asks for these, with their text.
fn acked(config: ServerConfig, list: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let mut server = Asked::new(config);
    let mut draft = request(OTHER, ip(100));
    draft.put(Assignment {
        code: 55,
        data: list.to_vec(),
    });
    options_of(&server.ask(&draft)[0])
}

fn options_of(frame: &Frame) -> Vec<(u8, Vec<u8>)> {
    let message = Message::of(frame).expect("a message");
    // Each item as it stands: what is there twice is seen twice.
    let items = message.items().filter(|it| it.1.is_option());
    items.map(|it| (it.1.code, it.1.data.to_vec())).collect()
}

/// All that stands under a code.
fn under(options: &[(u8, Vec<u8>)], code: u8) -> Vec<&[u8]> {
    let found = options.iter().filter(|it| it.0 == code);
    found.map(|it| it.1.as_slice()).collect()
}

#[test]
fn an_option_that_is_set_replaces_the_servers_own() {
    let mut config = config();
    config.subnets[0].options = options(&[
        "subnet-mask=255.255.0.0",
        "server-id=192.0.2.9",
        "lease-time=10m",
        "rebinding-time=9m",
        "router=192.0.2.254",
    ]);
    // Not asked for, but for the router: what every client is told anyway.
    let options = acked(config.clone(), &[3]);
    let seconds = |it: u32| it.to_be_bytes();
    assert_eq!(under(&options, 1), [[255, 255, 0, 0]]);
    assert_eq!(under(&options, 54), [[192, 0, 2, 9]]);
    assert_eq!(under(&options, 51), [seconds(600)]);
    assert_eq!(under(&options, 58), [seconds(300)], "T1 follows");
    assert_eq!(under(&options, 59), [seconds(540)]);
    assert_eq!(under(&options, 3), [[192, 0, 2, 254]]);
    // It goes by the name that it gives itself.
    let mut server = Asked::new(config);
    let named = who(OTHER, Some(ip(100)), Some(ip(9)));
    let named = template::fresh(REQUEST, &named);
    assert_eq!(server.said(&named), Some((ACK, ip(100))));
}

#[test]
fn a_refusal_says_what_is_set_too() {
    let mut config = config();
    config.subnets[0].options = options(&["message=go away", "router=192.0.2.254"]);
    let mut server = Asked::new(config);
    let refusal = &server.ask(&request(OTHER, ip(50)))[0];
    let options = options_of(refusal);
    assert_eq!(under(&options, 56), [b"go away"]);
    assert!(under(&options, 3).is_empty());
}

#[test]
fn a_forced_option_comes_unasked_and_once() {
    let mut config = config();
    config.subnets[0].options = options(&["router=192.0.2.254", "dns=192.0.2.53"]);
    config.forced = options(&["dns=192.0.2.54", "captive-portal=https://portal.example"]);
    for list in [&[3][..], &[3, 6]] {
        let options = acked(config.clone(), list);
        assert_eq!(under(&options, 6), [[192, 0, 2, 54]], "{list:?}");
        assert_eq!(under(&options, 114).len(), 1);
        assert_eq!(under(&options, 3).len(), 1);
    }
    config.forced.clear();
    assert!(under(&acked(config, &[3]), 6).is_empty());
}

#[test]
fn a_reply_is_no_longer_than_the_client_takes() {
    let mut config = config();
    let long = |code: u8, len: usize| Assignment {
        code,
        data: vec![b'x'; len],
    };
    config.subnets[0].options = vec![long(15, 200), long(17, 100), long(40, 20)];
    for (takes, present) in [
        (None, [true, false, false]),
        (Some(100), [true, false, false]),
        (Some(650), [true, true, true]),
        (Some(620), [true, true, false]),
    ] {
        let mut server = Asked::new(config.clone());
        let mut draft = discover(OTHER);
        draft.options.retain(|it| it.code != 57);
        draft.put(Assignment {
            code: 55,
            data: vec![15, 17, 40],
        });
        if let Some(takes) = takes {
            draft.put(options(&[&format!("57:u16={takes}")]).remove(0));
        }
        let (reply, remark) = server.ask_and_hear(&draft);
        let options = options_of(&reply[0]);
        let there = [15, 17, 40].map(|code| !under(&options, code).is_empty());
        assert_eq!(there, present, "takes {takes:?}");
        let len = reply[0].encode().len() - 14;
        assert!(len <= takes.unwrap_or(576).max(576), "{len}");
        let lacks = present != [true; 3];
        assert_eq!(remark.is_some(), lacks, "{remark:?}");
        if let Some(remark) = remark {
            let most = takes.unwrap_or(576).max(576);
            assert!(remark.starts_with("no room for "), "{remark}");
            assert!(
                remark.ends_with(&format!("nis-domain in {most} bytes")),
                "{remark}"
            );
        }
    }
}

#[test]
fn each_fault_is_there_although_options_are_moved() {
    let without = |codes: &'static [u8]| {
        move |it: &[(u8, Vec<u8>)]| codes.iter().all(|code| under(it, *code).is_empty())
    };
    type Holds = Box<dyn Fn(&[(u8, Vec<u8>)]) -> bool>;
    let cases: Vec<(&str, Holds)> = vec![
        (
            "tiny-lease=4",
            Box::new(|it| under(it, 51) == [4u32.to_be_bytes()]),
        ),
        ("no-server-id", Box::new(without(&[54]))),
        ("no-lease-time", Box::new(without(&[51, 58, 59]))),
        (
            "wrong-server-id",
            Box::new(|it| under(it, 54) == [[192, 0, 2, 254]]),
        ),
        ("long-option", Box::new(|it| under(it, 224).len() == 2)),
    ];
    for (fault, holds) in cases {
        for faults in [[fault, "overload"], ["overload", fault]] {
            let mut config = config();
            config.faults = faults
                .iter()
                .map(|it| Fault::parse(it, |_| Err("no times here".into())).expect("a fault"))
                .collect();
            config.subnets[0].options = options(&["domain-name=lab.example"]);
            let mut server = Asked::new(config);
            let reply = server.ask(&request(OTHER, ip(100))).remove(0);
            let message = Message::of(&reply).expect("a message");
            assert_eq!(message.overload(), 3, "{faults:?}");
            let moved = message.items().any(|it| it.0 != Place::Options);
            assert!(moved, "{faults:?}");
            assert!(holds(&options_of(&reply)), "{faults:?}: {reply:?}");
        }
    }
}

/// Rules that offer one address to everybody.
struct Offers(Ipv4Addr);

impl Rules for Offers {
    fn answer(
        &mut self,
        _: Time,
        request: &Frame,
        server: &mut dyn Answering,
    ) -> Option<Vec<Outgoing>> {
        let discover = Message::of(request)?.message_type() == Some(DISCOVER);
        let mut frame = server.reply(OFFER, request).filter(|_| discover)?;
        frame.bootp_mut()?.yiaddr = self.0;
        Some(vec![Outgoing {
            frame,
            delay: Duration::ZERO,
            note: "OFFER, by a rule".into(),
        }])
    }
}

#[test]
fn what_a_rule_offers_is_the_clients() {
    // Of no pool, and of no subnet at all.
    for given in [ip(50), Ipv4Addr::new(10, 77, 9, 9)] {
        let mut server = Asked::new(config());
        server.0.follow(Box::new(Offers(given)));
        assert_eq!(server.said(&discover(OWNER)), Some((OFFER, given)));
        assert_eq!(server.said(&request(OWNER, given)), Some((ACK, given)));
        assert_eq!(server.said(&renewal(OWNER, given)), Some((ACK, given)));
        // The same to another: a rule may say so, and yet it is the first one's.
        assert_eq!(server.said(&discover(OTHER)), Some((OFFER, given)));
        assert_eq!(server.said(&request(OTHER, given)), REFUSED);
    }
}

#[test]
fn silence_is_explained() {
    let mut config = config();
    config.subnets[0].pool = (ip(100), ip(100));
    let mut server = Asked::new(config);
    let mut heard = |draft: &Draft| {
        let (replies, remark) = server.ask_and_hear(draft);
        (replies.len(), remark.unwrap_or_default())
    };
    assert_eq!(
        heard(&renewal(OTHER, ip(100))),
        (0, "not answered: it has no lease here".into())
    );
    assert_eq!(heard(&request(OWNER, ip(100))), (1, String::new()));
    assert_eq!(
        heard(&discover(OTHER)),
        (0, "not answered: the pool is used up".into())
    );
    let elsewhere = template::fresh(REQUEST, &who(OTHER, Some(ip(100)), Some(ip(66))));
    assert_eq!(
        heard(&elsewhere),
        (0, "not answered: it chose 192.0.2.66".into())
    );
    let mut far = discover(OTHER);
    far.relay(Ipv4Addr::new(10, 9, 9, 9), Some(SERVER));
    assert_eq!(
        heard(&far),
        (0, "not answered: no subnet of 10.9.9.9".into())
    );
    let release = |mac| template::fresh(RELEASE, &who(mac, Some(ip(100)), Some(SERVER)));
    assert_eq!(heard(&release(OTHER)), (0, "not its address".into()));
    assert_eq!(
        heard(&release(OWNER)),
        (0, "192.0.2.100 is free again".into())
    );
    assert_eq!(heard(&request(OTHER, ip(100))), (1, String::new()));
    assert_eq!(
        heard(&decline(OTHER, ip(100))),
        (0, "192.0.2.100 set aside for 1h".into())
    );
    let mut lossy = self::config();
    lossy.faults = vec![Fault::parse("drop=offer", |_| Err(String::new())).expect("a fault")];
    let (replies, remark) = Asked::new(lossy).ask_and_hear(&discover(OTHER));
    assert_eq!(
        (replies.len(), remark.as_deref()),
        (0, Some("not answered: lost on purpose"))
    );
}

#[test]
fn a_message_that_is_dropped_is_told_with_the_reason() {
    let to = |port: u16, address: Ipv4Addr| {
        let mut frame = discover(OTHER).frame();
        frame.udp_mut().expect("UDP").dport = port;
        frame.ipv4_mut().expect("IP").dst = address;
        frame
    };
    let mut server = Asked::new(config());
    let mut said = |frame: &Frame, fault| server.stray(frame, fault).unwrap_or_default();
    let all = Ipv4Addr::BROADCAST;
    let wrong = "UDP checksum 0x1234 is wrong, should be 0x4321";
    assert_eq!(said(&to(67, all), Some(wrong)), wrong);
    assert_eq!(
        said(&to(1067, all), None),
        "it went to UDP port 1067, not 67"
    );
    assert_eq!(said(&to(67, ip(9)), None), "it is addressed to 192.0.2.9");
    let mut reply = to(67, all);
    reply.bootp_mut().expect("BOOTP").op = 2;
    assert_eq!(said(&reply, None), "op 2 is none of a client's");
    // What another server says to its client is nothing to tell of.
    reply.udp_mut().expect("UDP").dport = 68;
    assert_eq!(said(&reply, None), "");
    // Routers hand broadcasts on to that of the servers' network.
    assert_eq!(said(&to(67, ip(255)), None), "answered");
    let next = Ipv4Addr::new(192, 0, 3, 255);
    assert_eq!(said(&to(67, next), None), "it is addressed to 192.0.3.255");
}

#[test]
fn of_networks_that_it_does_not_know_a_server_has_no_say() {
    let far = Ipv4Addr::new(192, 168, 9, 1);
    let mut reboot = template::rebooting(&who(OTHER, Some(Ipv4Addr::new(192, 168, 9, 50)), None));
    reboot.relay(far, Some(SERVER));
    let mut server = Asked::new(config());
    let (replies, remark) = server.ask_and_hear(&reboot);
    assert_eq!(replies, []);
    assert_eq!(
        remark.as_deref(),
        Some("not answered: no subnet of 192.168.9.1")
    );
    // Of one that it knows it says that the address is wrong there; and where it was chosen, also of another.
    let mut near = template::rebooting(&who(OTHER, Some(Ipv4Addr::new(192, 168, 9, 50)), None));
    near.relay(ip(254), Some(SERVER));
    assert_eq!(server.said(&near), REFUSED);
    let mut chosen = request(OTHER, Ipv4Addr::new(192, 168, 9, 50));
    chosen.relay(far, Some(SERVER));
    assert_eq!(server.said(&chosen), REFUSED);
}

#[test]
fn pools_of_one_network_are_given_one_after_the_other() {
    let mut config = config();
    config.subnets[0].pool = (ip(50), ip(50));
    let mut second = config.subnets[0].clone();
    second.pool = (ip(60), ip(61));
    config.subnets.push(second);
    let mut server = Asked::new(config);
    let macs = (1..=4).map(|last| MacAddr(2, 0, 0, 0, 0, last));
    let given: Vec<_> = macs
        .map(|mac| {
            let (_, address) = server.said(&discover(mac))?;
            server.said(&request(mac, address))
        })
        .collect();
    let ack = |last| Some((ACK, ip(last)));
    assert_eq!(given, [ack(50), ack(60), ack(61), None]);
}

#[test]
fn a_lease_ends_when_the_client_was_told() {
    let seconds = |it| Time::default() + Duration::from_secs(it);
    for rapid in [false, true] {
        let mut config = config();
        config.subnets[0].pool = (ip(100), ip(100));
        config.rapid_commit = rapid;
        config.faults =
            vec![Fault::parse("tiny-lease=2", |_| Err(String::new())).expect("a fault")];
        let mut server = Asked::new(config);
        let mut asked = match rapid {
            true => discover(OWNER),
            false => request(OWNER, ip(100)),
        };
        asked.put(options(&["rapid-commit"]).remove(0));
        assert_eq!(server.said_at(seconds(0), &asked), Some((ACK, ip(100))));
        assert_eq!(server.said_at(seconds(1), &discover(OTHER)), None);
        let offer = Some((OFFER, ip(100)));
        assert_eq!(server.said_at(seconds(3), &discover(OTHER)), offer);
    }
}

#[test]
fn a_lease_without_end_has_no_time_to_renew_it_and_is_never_given_to_another() {
    let told = |config, codes: [u8; 3]| {
        let list = acked(config, &codes);
        codes.map(|code| under(&list, code).concat())
    };
    let times = [51, 58, 59];
    let forever = vec![0xff; 4];
    let mut by_time = config();
    by_time.lease = u32::MAX;
    let mut by_option = config();
    by_option.subnets[0].options = options(&["lease-time=infinite"]);
    for config in [by_time.clone(), by_option] {
        assert_eq!(told(config, times), [forever.clone(), vec![], vec![]]);
    }
    by_time.subnets[0].options = options(&["renewal-time=1h"]);
    let hour = 3600u32.to_be_bytes().to_vec();
    assert_eq!(told(by_time.clone(), times), [forever, hour, vec![]]);
    by_time.subnets[0].pool = (ip(100), ip(100));
    let mut server = Asked::new(by_time);
    assert_eq!(server.said(&request(OWNER, ip(100))), Some((ACK, ip(100))));
    let late = Time(u64::MAX - 1);
    assert_eq!(server.said_at(late, &discover(OTHER)), None);
}

#[test]
fn a_message_that_no_such_server_answers_is_named() {
    let mut query = template::fresh(LEASEQUERY, &who(OTHER, Some(ip(100)), Some(SERVER)));
    query.bootp.ciaddr = ip(100);
    let (replies, remark) = Asked::new(config()).ask_and_hear(&query);
    assert_eq!(replies, []);
    let why = "not answered: this server does not answer LEASEQUERY";
    assert_eq!(remark.as_deref(), Some(why));
}

#[test]
fn a_reply_that_a_fault_spoiled_says_which() {
    let parse = |text: &str| Fault::parse(text, |_| Ok(Duration::from_secs(1))).expect("a fault");
    for (name, takes, _) in FAULTS {
        let text = match *name {
            "drop" => "drop=0%".to_string(),
            "truncate" => "truncate=200".to_string(),
            "delay" => "delay=1s".to_string(),
            name => name.to_string(),
        };
        assert_eq!(parse(&text).name(), *name, "{takes}");
        let mut config = config();
        config.faults = vec![parse(&text)];
        let mut server = Asked::new(config);
        let mut out = Outbox::default();
        let asked = match *name {
            "nak-renewal" => renewal(OTHER, ip(100)),
            _ => discover(OTHER),
        };
        let frame = Frame::decode(&asked.frame().encode());
        server.0.receive(Time::default(), &frame, None, &mut out);
        server.0.wake(Time(u64::MAX), &mut out);
        let wanted = match *name {
            "drop" => "OFFER 192.0.2.100".to_string(),
            "reorder" => "OFFER 192.0.2.100, held back".to_string(),
            "nak-renewal" => "NAK, with nak-renewal".to_string(),
            name => format!("OFFER 192.0.2.100, with {name}"),
        };
        assert!(!out.frames.is_empty(), "{name}");
        for it in out.frames {
            assert_eq!(it.note, wanted, "{name}");
        }
    }
    let mut config = config();
    config.faults = vec![parse("bad-checksum"), parse("wrong-xid")];
    let mut out = Outbox::default();
    let frame = Frame::decode(&discover(OTHER).frame().encode());
    Asked::new(config)
        .0
        .receive(Time::default(), &frame, None, &mut out);
    assert_eq!(
        out.frames[0].note,
        "OFFER 192.0.2.100, with wrong-xid and bad-checksum"
    );
}
