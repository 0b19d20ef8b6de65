//! The relay agent itself, frame by frame: what it passes on, what it does to it, and what it drops.

use std::net::Ipv4Addr;
use std::rc::Rc;

use dhcpcraft::dhcp::Message;
use dhcpcraft::dhcp::assign::Assignment;
use dhcpcraft::dhcp::enums::{ACK, DISCOVER, NAK, OFFER};
use dhcpcraft::dhcp::template::{self, Draft, Identity};
use dhcpcraft::link::Time;
use dhcpcraft::talk::{Both, Relay, RelayConfig, Side, Verdict};
use dhcpcraft::wire::*;

const GIADDR: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
const UPSTREAM: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 254);
const SERVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const CLIENT_MAC: MacAddr = MacAddr(2, 0, 0, 0, 0, 1);
const RELAY_MAC: MacAddr = MacAddr(2, 0, 0, 0, 0, 0xf0);
const UPSTREAM_MAC: MacAddr = MacAddr(2, 0, 0, 0, 0, 0xf1);
const SERVER_MAC: MacAddr = MacAddr(2, 0, 0, 0, 0, 0x99);

fn agent(servers: &[Ipv4Addr], info: bool) -> Relay {
    agent_on(&[], servers, info)
}

/// The same, its clients behind these VLAN tags.
fn agent_on(vlan: &[Dot1Q], servers: &[Ipv4Addr], info: bool) -> Relay {
    Relay::new(RelayConfig {
        address: GIADDR,
        mac: RELAY_MAC,
        vlan: vlan.to_vec(),
        upstream: UPSTREAM,
        upstream_mac: UPSTREAM_MAC,
        servers: servers.iter().map(|it| (*it, *it)).collect(),
        info: info.then(|| Rc::new(|_: &Frame| vec![1u8, 1, 7]) as Rc<dyn Fn(&Frame) -> Vec<u8>>),
        hops: 4,
    })
}

fn client(edit: impl FnOnce(&mut Draft)) -> Frame {
    let who = Identity {
        client_mac: CLIENT_MAC,
        source_mac: CLIENT_MAC,
        xid: 7,
        address: None,
        server: Some(SERVER),
        own: None,
        server_mac: None,
    };
    let mut draft = template::fresh(DISCOVER, &who);
    edit(&mut draft);
    Frame::decode(&draft.frame().encode())
}

/// A server's reply to this agent.
fn reply(kind: u8, edit: impl FnOnce(&mut Draft)) -> Frame {
    let who = Identity {
        client_mac: CLIENT_MAC,
        source_mac: SERVER_MAC,
        xid: 7,
        address: Some(Ipv4Addr::new(198, 51, 100, 9)),
        server: Some(SERVER),
        own: None,
        server_mac: None,
    };
    let mut draft = template::fresh(kind, &who);
    draft.bootp.giaddr = GIADDR;
    draft.ether.dst = UPSTREAM_MAC;
    draft.ip.dst = GIADDR;
    draft.udp.sport = 67;
    draft.udp.dport = 67;
    draft.options.push(option(82, &[1, 1, 7]));
    edit(&mut draft);
    Frame::decode(&draft.frame().encode())
}

fn option(code: u8, data: &[u8]) -> Assignment {
    Assignment {
        code,
        data: data.to_vec(),
    }
}

fn arp_reply(ip: Ipv4Addr, mac: MacAddr) -> Frame {
    let ether = Ether {
        dst: UPSTREAM_MAC,
        src: mac,
        ..Ether::default()
    };
    let arp = Arp {
        op: 2,
        ..Arp::request(mac, ip, UPSTREAM)
    };
    Frame::decode(&Frame::new(vec![ether.into(), arp.into()]).encode())
}

/// What it says of a frame, and what it sends to the clients and to the servers, as they come off the wire.
fn take(relay: &mut Relay, side: Side, frame: &Frame) -> (Option<Verdict>, Vec<Frame>, Vec<Frame>) {
    let mut out = Both::default();
    let said = relay.receive(side, Time(1_000_000_000), frame, None, &mut out);
    let sent = |it: Vec<dhcpcraft::talk::Outgoing>| {
        let decoded = it.iter().map(|it| Frame::decode(&it.frame.encode()));
        decoded.collect::<Vec<_>>()
    };
    (said, sent(out.clients.frames), sent(out.servers.frames))
}

/// An agent that knows where its server is.
fn knowing(info: bool) -> Relay {
    let mut relay = agent(&[SERVER], info);
    take(&mut relay, Side::Servers, &arp_reply(SERVER, SERVER_MAC));
    relay
}

fn info(frame: &Frame) -> Option<Vec<u8>> {
    Message::of(frame)?.data(82).map(|it| it.into_owned())
}

#[track_caller]
fn dropped(relay: &mut Relay, side: Side, frame: &Frame, why: &str) {
    let (said, clients, servers) = take(relay, side, frame);
    assert!(clients.is_empty() && servers.is_empty(), "{why}");
    match said {
        Some(Verdict::Stray(reason)) => assert!(reason.contains(why), "{reason}"),
        other => panic!("{why}: {other:?}"),
    }
}

#[test]
fn a_request_is_passed_on_to_every_server_once_arp_knows_it() {
    let second = Ipv4Addr::new(192, 0, 2, 2);
    let mut relay = agent(&[SERVER, second], true);
    let (said, clients, servers) = take(&mut relay, Side::Clients, &client(|_| ()));
    assert_eq!(said, Some(Verdict::Part));
    assert!(clients.is_empty());
    let asked: Vec<_> = servers
        .iter()
        .filter_map(|it| it.arp()?.target_ip())
        .collect();
    assert_eq!(asked, [SERVER, second]);
    let (_, _, sent) = take(&mut relay, Side::Servers, &arp_reply(SERVER, SERVER_MAC));
    let [sent] = &sent[..] else {
        panic!("{sent:?}")
    };
    let (ether, ip, udp, bootp) = (
        sent.ether().expect("Ethernet"),
        sent.ipv4().expect("IP"),
        sent.udp().expect("UDP"),
        sent.bootp().expect("BOOTP"),
    );
    assert_eq!((ether.src, ether.dst), (UPSTREAM_MAC, SERVER_MAC));
    assert_eq!((ip.src, ip.dst), (UPSTREAM, SERVER));
    assert_eq!((udp.sport, udp.dport), (67, 67));
    assert_eq!((bootp.hops, bootp.giaddr, bootp.xid), (1, GIADDR, 7));
    assert_eq!(info(sent), Some(vec![1, 1, 7]));
    let last = sent
        .dhcp()
        .expect("options")
        .iter()
        .filter(|it| it.is_option())
        .last();
    assert_eq!(
        last.map(|it| it.code),
        Some(82),
        "before END, behind all others"
    );
    // The other server is still asked for, three times.
    let mut asked = 1;
    while let Some(at) = relay.deadline() {
        let mut out = Both::default();
        relay.wake(at, &mut out);
        asked += out.servers.frames.len();
        assert!(asked < 10);
    }
    assert_eq!(asked, 3);
}

#[test]
fn a_later_agent_only_counts_the_hop() {
    let earlier = Ipv4Addr::new(203, 0, 113, 1);
    let relayed = client(|it| {
        it.bootp.giaddr = earlier;
        it.bootp.hops = 4;
        it.ip.dst = GIADDR;
        it.options.push(option(82, &[1, 1, 3]));
    });
    let (_, _, sent) = take(&mut knowing(true), Side::Clients, &relayed);
    let bootp = sent[0].bootp().expect("BOOTP");
    assert_eq!((bootp.hops, bootp.giaddr), (5, earlier));
    assert_eq!(info(&sent[0]), Some(vec![1, 1, 3]));
}

#[test]
fn what_is_not_to_be_passed_on_is_dropped() {
    let relay = &mut knowing(true);
    let with_hops = client(|it| it.bootp.hops = 5);
    dropped(relay, Side::Clients, &with_hops, "hops 5 is more than 4");
    for own in [GIADDR, UPSTREAM] {
        let spoofed = client(|it| it.bootp.giaddr = own);
        dropped(relay, Side::Clients, &spoofed, "is this relay agent's own");
    }
    let untrusted = client(|it| it.options.push(option(82, &[1, 1, 9])));
    dropped(relay, Side::Clients, &untrusted, "option 82");
    let mut wrong = reply(OFFER, |it| it.ip.dst = Ipv4Addr::BROADCAST);
    dropped(relay, Side::Clients, &wrong, "a reply on the clients' side");
    wrong = reply(OFFER, |it| it.bootp.giaddr = SERVER);
    dropped(relay, Side::Servers, &wrong, "another agent's");
    wrong = client(|it| it.ip.dst = UPSTREAM);
    dropped(
        relay,
        Side::Servers,
        &wrong,
        "a request on the servers' side",
    );
    // What is addressed to somebody else, or to the client's port, is none of its business.
    for (side, frame) in [
        (Side::Clients, client(|it| it.ip.dst = SERVER)),
        (Side::Clients, client(|it| it.udp.dport = 68)),
        (Side::Servers, client(|_| ())),
        (Side::Servers, reply(OFFER, |it| it.ip.dst = SERVER)),
    ] {
        let (said, clients, servers) = take(relay, side, &frame);
        assert_eq!((said, clients.len(), servers.len()), (None, 0, 0));
    }
}

#[test]
fn a_reply_goes_to_its_client_without_option_82() {
    let (_, sent, _) = take(&mut knowing(true), Side::Servers, &reply(OFFER, |_| ()));
    let [sent] = &sent[..] else {
        panic!("{sent:?}")
    };
    let ip = sent.ipv4().expect("IP");
    assert_eq!((ip.src, ip.dst), (GIADDR, Ipv4Addr::new(198, 51, 100, 9)));
    let ether = sent.ether().expect("Ethernet");
    assert_eq!((ether.src, ether.dst), (RELAY_MAC, CLIENT_MAC));
    assert_eq!(sent.udp().map(|it| (it.sport, it.dport)), Some((67, 68)));
    assert_eq!(info(sent), None);
    assert_eq!(sent.bootp().map(|it| it.giaddr), Some(GIADDR));
    // An agent that adds none leaves the one of another alone.
    let (_, sent, _) = take(&mut knowing(false), Side::Servers, &reply(OFFER, |_| ()));
    assert_eq!(info(&sent[0]), Some(vec![1, 1, 7]));
    for everyone in [
        reply(OFFER, |it| it.bootp.set_broadcast(true)),
        reply(NAK, |it| it.bootp.yiaddr = Ipv4Addr::UNSPECIFIED),
        reply(ACK, |it| it.bootp.hlen = 16),
    ] {
        let (_, sent, _) = take(&mut knowing(true), Side::Servers, &everyone);
        assert_eq!(sent[0].ipv4().map(|it| it.dst), Some(Ipv4Addr::BROADCAST));
        assert!(sent[0].ether().is_some_and(|it| it.dst.is_broadcast()));
    }
}

#[test]
fn an_option_that_makes_the_message_too_long_is_left_out() {
    let long = |len: usize| {
        client(|it| {
            for code in 224..228 {
                it.options.push(option(code, &[b'x'; 240]));
            }
            it.options.push(option(230, &vec![b'x'; len]));
        })
    };
    let wants =
        |frame: &Frame| info(&take(&mut knowing(true), Side::Clients, frame).2[0]).is_some();
    let fits = (0..250).filter(|len| wants(&long(*len))).count();
    assert!((1..250).contains(&fits), "{fits}");
    let (_, _, sent) = take(&mut knowing(true), Side::Clients, &long(fits - 1));
    assert_eq!(sent[0].encode().len(), 1514, "to the last byte");
}

fn tag(vlan: u16, prio: u8) -> Dot1Q {
    Dot1Q {
        vlan,
        prio,
        ..Dot1Q::default()
    }
}

#[test]
fn an_agent_on_a_vlan_takes_from_it_and_sends_to_it() {
    let inside = [tag(20, 5), tag(30, 6)];
    let mut relay = agent_on(&inside, &[SERVER], true);
    take(&mut relay, Side::Servers, &arp_reply(SERVER, SERVER_MAC));
    let tagged = |tags: &[Dot1Q]| client(|it| it.tags = tags.to_vec());
    // The client's priority is its own.
    let (said, _, sent) = take(
        &mut relay,
        Side::Clients,
        &tagged(&[tag(20, 0), tag(30, 0)]),
    );
    assert_eq!(said, Some(Verdict::Part));
    assert_eq!(sent[0].vlans().count(), 0, "the servers' link is untagged");
    assert_eq!(info(&sent[0]), Some(vec![1, 1, 7]));
    let (_, sent, _) = take(&mut relay, Side::Servers, &reply(OFFER, |_| ()));
    assert_eq!(sent[0].tags().collect::<Vec<_>>(), inside);
    assert_eq!(Message::of(&sent[0]).map(|it| it.bootp.xid), Some(7));
    // Of a trunk's other VLANs it says nothing.
    for other in [&[][..], &[tag(20, 0)], &[tag(30, 0), tag(20, 0)]] {
        let (said, clients, servers) = take(&mut relay, Side::Clients, &tagged(other));
        assert_eq!((said, clients.len(), servers.len()), (None, 0, 0));
    }
    let wrong = reply(OFFER, |it| it.tags = vec![tag(20, 0)]);
    dropped(&mut relay, Side::Servers, &wrong, "it came on VLAN 20");
    // ARP for the agent is answered on its VLAN and nowhere else.
    let ask = |tags: &[Dot1Q]| {
        let mut layers: Vec<Layer> = vec![Ether::default().into()];
        layers.extend(tags.iter().cloned().map(Layer::from));
        layers.push(Arp::request(CLIENT_MAC, Ipv4Addr::UNSPECIFIED, GIADDR).into());
        Frame::decode(&Frame::new(layers).encode())
    };
    let (_, answers, _) = take(&mut relay, Side::Clients, &ask(&inside));
    assert_eq!(answers[0].vlans().collect::<Vec<_>>(), [20, 30]);
    assert!(take(&mut relay, Side::Clients, &ask(&[])).1.is_empty());
}

#[test]
fn an_agent_on_no_vlan_hears_of_those_that_there_are() {
    let relay = &mut knowing(false);
    let tagged = client(|it| it.tags = vec![tag(20, 0), tag(30, 0)]);
    dropped(relay, Side::Clients, &tagged, "it came on VLAN 20.30");
    // A tag that names a priority alone is no VLAN.
    let priority = client(|it| it.tags = vec![tag(0, 5)]);
    let (said, _, sent) = take(relay, Side::Clients, &priority);
    assert_eq!((said, sent.len()), (Some(Verdict::Part), 1));
    // Where a server is, says only what comes on the link itself.
    let mut relay = agent(&[SERVER], false);
    let mut lie = arp_reply(SERVER, CLIENT_MAC);
    lie.layers.insert(1, tag(20, 0).into());
    if let Some(ether) = lie.ether_mut() {
        ether.ethertype = Auto::Unset;
    }
    let lie = Frame::decode(&lie.encode());
    assert!(lie.vlans().eq([20]), "{lie:?}");
    take(&mut relay, Side::Servers, &lie);
    let (_, _, sent) = take(&mut relay, Side::Clients, &client(|_| ()));
    assert!(sent.iter().all(|it| it.arp().is_some()), "it asks itself");
}
