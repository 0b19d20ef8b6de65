//! Clients with bad habits, made of small changes to what our own client says and hears.

use std::net::Ipv4Addr;
use std::time::Duration;

use dhcpcraft::dhcp::Message;
use dhcpcraft::link::Time;
use dhcpcraft::talk::{ClientConfig, Habit, Order, Outbox, Outgoing};
use dhcpcraft::wire::*;

/// What a frame is in a client's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Discover,
    /// A REQUEST for an offer.
    Selecting,
    Renewing,
    Rebinding,
    /// A REQUEST for a remembered address.
    Rebooting,
    Decline,
    Release,
    Inform,
    Probe,
    Announcement,
    Offer,
    Ack,
    Nak,
    ForceRenew,
    /// ARP of somebody else.
    Arp,
    Other,
}

use Kind::*;

/// Every message of a client.
pub const ALL: &[Kind] = &[
    Discover, Selecting, Renewing, Rebinding, Rebooting, Decline, Release, Inform,
];
/// Every REQUEST.
pub const REQUESTS: &[Kind] = &[Selecting, Renewing, Rebinding, Rebooting];
/// The REQUESTs of a client that has a lease.
pub const HOLDING: &[Kind] = &[Renewing, Rebinding];

/// What a frame is.
pub fn kind(frame: &Frame) -> Kind {
    if let Some(arp) = frame.arp() {
        return match (arp.op, arp.sender_ip(), arp.target_ip()) {
            (1, Some(Ipv4Addr::UNSPECIFIED), _) => Probe,
            (1, from, to) if from == to => Announcement,
            _ => Arp,
        };
    }
    let Some(message) = Message::of(frame) else {
        return Other;
    };
    let everybody = frame.ipv4().is_some_and(|it| it.dst == Ipv4Addr::BROADCAST);
    let held = !message.bootp.ciaddr.is_unspecified();
    match message.message_type() {
        Some(1) => Discover,
        Some(2) => Offer,
        Some(3) if held && everybody => Rebinding,
        Some(3) if held => Renewing,
        Some(3) if message.server_id().is_some() => Selecting,
        Some(3) => Rebooting,
        Some(4) => Decline,
        Some(5) => Ack,
        Some(6) => Nak,
        Some(7) => Release,
        Some(8) => Inform,
        Some(9) => ForceRenew,
        _ => Other,
    }
}

/// What was said so far, as the client without its habit meant and heard it.
#[derive(Default)]
pub struct Seen {
    /// The client's last message.
    pub said: Frame,
    /// Its last DISCOVER.
    pub discover: Frame,
    /// Its last REQUEST for an offer.
    pub request: Frame,
    /// How often it has said the same since anybody else spoke.
    pub tries: u32,
    /// The last OFFER and the last ACK that reached it.
    pub offer: Frame,
    pub ack: Frame,
    /// The last NAK, where no order came since.
    pub nak: Frame,
    /// Whether it asked for an offer since it was told to begin, and heard nothing since.
    pub asked_in_vain: bool,
    /// How many ARP probes it sent since the last ACK.
    pub probes: u32,
    /// Whether it heard an option that is longer than its message since.
    pub hurt: bool,
    /// What it was told last.
    pub order: Option<Order>,
    /// When its last message was first said, its DISCOVER too, and now.
    pub first: Time,
    pub discovering: Time,
    pub now: Time,
}

type Edit = fn(&mut Frame, &Seen);
type Test = fn(&Frame, &Seen) -> bool;
type More = fn(&Frame, &Seen) -> Vec<(Duration, Frame)>;

/// A bad habit.
#[derive(Default)]
pub struct Way {
    seen: Seen,
    configures: Option<fn(&mut ClientConfig)>,
    waits: Option<Duration>,
    says: Vec<(&'static [Kind], Edit)>,
    keeps_back: Vec<(&'static [Kind], Test)>,
    adds: Vec<(&'static [Kind], More)>,
    hears: Vec<(&'static [Kind], Edit)>,
    deaf: Vec<(&'static [Kind], Test)>,
    answers: Vec<(&'static [Kind], More)>,
}

/// A client that says these messages otherwise.
pub fn says(kinds: &'static [Kind], edit: Edit) -> Way {
    Way::default().says(kinds, edit)
}

/// A client that does not say these frames where the test holds.
pub fn keeps_back(kinds: &'static [Kind], test: Test) -> Way {
    Way::default().keeps_back(kinds, test)
}

/// A client that says more with these frames, each after a while.
pub fn adds(kinds: &'static [Kind], more: More) -> Way {
    Way::default().adds(kinds, more)
}

/// A client that takes these frames for something else.
pub fn hears(kinds: &'static [Kind], edit: Edit) -> Way {
    Way::default().hears(kinds, edit)
}

/// A client that these frames do not reach where the test holds.
pub fn deaf(kinds: &'static [Kind], test: Test) -> Way {
    Way::default().deaf(kinds, test)
}

/// A client that answers these frames by itself.
pub fn answers(kinds: &'static [Kind], more: More) -> Way {
    Way::default().answers(kinds, more)
}

/// A client that is set up otherwise.
pub fn configured(edit: fn(&mut ClientConfig)) -> Way {
    Way {
        configures: Some(edit),
        ..Way::default()
    }
}

/// A client that begins so long after it is told to.
pub fn waits(time: Duration) -> Way {
    Way {
        waits: Some(time),
        ..Way::default()
    }
}

impl Way {
    pub fn says(mut self, kinds: &'static [Kind], edit: Edit) -> Way {
        self.says.push((kinds, edit));
        self
    }

    pub fn keeps_back(mut self, kinds: &'static [Kind], test: Test) -> Way {
        self.keeps_back.push((kinds, test));
        self
    }

    pub fn adds(mut self, kinds: &'static [Kind], more: More) -> Way {
        self.adds.push((kinds, more));
        self
    }

    pub fn hears(mut self, kinds: &'static [Kind], edit: Edit) -> Way {
        self.hears.push((kinds, edit));
        self
    }

    pub fn deaf(mut self, kinds: &'static [Kind], test: Test) -> Way {
        self.deaf.push((kinds, test));
        self
    }

    pub fn answers(mut self, kinds: &'static [Kind], more: More) -> Way {
        self.answers.push((kinds, more));
        self
    }

    fn note_said(&mut self, now: Time, kind: Kind, frame: &Frame) {
        let seen = &mut self.seen;
        seen.now = now;
        seen.probes += u32::from(kind == Probe);
        if frame.bootp().is_none() {
            return;
        }
        let again = seen.tries > 0 && kind == self::kind(&seen.said);
        if !again {
            (seen.tries, seen.first) = (0, now);
        }
        seen.tries += 1;
        seen.said = frame.clone();
        match kind {
            Discover => {
                seen.discover = frame.clone();
                seen.discovering = seen.first;
            }
            Selecting => {
                seen.request = frame.clone();
                seen.asked_in_vain = true;
            }
            _ => {}
        }
    }
}

impl Habit for Way {
    fn told(&mut self, order: Order) {
        self.seen.order = Some(order);
        self.seen.tries = 0;
        self.seen.nak = Frame::default();
        self.seen.asked_in_vain = false;
        self.seen.hurt = false;
        if order == Order::Start {
            self.seen.ack = Frame::default();
        }
    }

    fn configure(&mut self, config: &mut ClientConfig) {
        if let Some(edit) = self.configures {
            edit(config);
        }
    }

    fn patience(&mut self, usual: Duration) -> Duration {
        self.waits.unwrap_or(usual)
    }

    fn send(&mut self, now: Time, it: Outgoing) -> Vec<Outgoing> {
        let kind = kind(&it.frame);
        self.note_said(now, kind, &it.frame);
        let seen = &self.seen;
        let mut first = it.clone();
        for (_, edit) in self.says.iter().filter(|row| row.0.contains(&kind)) {
            edit(&mut first.frame, seen);
        }
        let mut all = vec![first.clone()];
        for (_, more) in self.adds.iter().filter(|row| row.0.contains(&kind)) {
            let more = more(&first.frame, seen).into_iter();
            all.extend(more.map(|(delay, frame)| Outgoing {
                frame,
                delay: it.delay + delay,
                note: "by habit".into(),
            }));
        }
        let mut kept = self.keeps_back.iter();
        if kept.any(|row| row.0.contains(&kind) && row.1(&it.frame, seen)) {
            all.remove(0);
        }
        all
    }

    fn hear(&mut self, now: Time, mut frame: Frame, out: &mut Outbox) -> Option<Frame> {
        let kind = kind(&frame);
        self.seen.now = now;
        let mut items = frame.dhcp().into_iter().flat_map(Dhcp::iter);
        self.seen.hurt |= items.any(|it| matches!(it.kind, ItemKind::Truncated { .. }));
        let seen = &self.seen;
        for (_, more) in self.answers.iter().filter(|row| row.0.contains(&kind)) {
            for (delay, frame) in more(&frame, seen) {
                out.send_after(delay, frame, "by habit");
            }
        }
        let mut deaf = self.deaf.iter();
        if deaf.any(|row| row.0.contains(&kind) && row.1(&frame, seen)) {
            return None;
        }
        // Lengths and checksums that were right follow what is changed.
        frame.relax();
        for (_, edit) in self.hears.iter().filter(|row| row.0.contains(&kind)) {
            edit(&mut frame, seen);
        }
        match kind {
            Offer => self.seen.offer = frame.clone(),
            Ack => {
                self.seen.ack = frame.clone();
                self.seen.probes = 0;
            }
            Nak => self.seen.nak = frame.clone(),
            _ => {}
        }
        // An OFFER that comes after the choice answers nothing.
        let discovering = self::kind(&self.seen.said) == Discover;
        if matches!(kind, Ack | Nak) || (kind == Offer && discovering) {
            self.seen.tries = 0;
        }
        if matches!(kind, Ack | Nak) {
            self.seen.asked_in_vain = false;
        }
        Some(frame)
    }
}

// --- frames ------------------------------------------------------------------------------------

pub fn ether(frame: &mut Frame) -> &mut Ether {
    frame.ether_mut().expect("Ethernet")
}

pub fn ip(frame: &mut Frame) -> &mut Ipv4 {
    frame.ipv4_mut().expect("IPv4")
}

pub fn udp(frame: &mut Frame) -> &mut Udp {
    frame.udp_mut().expect("UDP")
}

pub fn bootp(frame: &mut Frame) -> &mut Bootp {
    frame.bootp_mut().expect("BOOTP")
}

/// The options of the message itself.
pub fn options(frame: &Frame) -> Vec<(u8, Vec<u8>)> {
    let all = frame.dhcp().into_iter().flat_map(Dhcp::iter);
    all.filter(|it| it.kind == ItemKind::Option)
        .map(|it| (it.code, it.data.to_vec()))
        .collect()
}

/// Puts these in their place, with END and the padding that was there.
pub fn set_options(frame: &mut Frame, all: &[(u8, Vec<u8>)]) {
    let dhcp = frame.dhcp_mut().expect("options");
    let length = dhcp.options.len();
    dhcp.options.clear();
    for (code, data) in all {
        push_option(&mut dhcp.options, *code, data);
    }
    dhcp.options.push(END);
    let padded = dhcp.options.len().max(length);
    dhcp.options.resize(padded, PAD);
}

/// What an option holds.
pub fn data(frame: &Frame, code: u8) -> Option<Vec<u8>> {
    Message::of(frame)?.data(code).map(|it| it.into_owned())
}

/// Puts an option over the one of its code, or behind the others.
pub fn put(frame: &mut Frame, code: u8, data: &[u8]) {
    let mut all = options(frame);
    match all.iter_mut().find(|it| it.0 == code) {
        Some(it) => it.1 = data.to_vec(),
        None => all.push((code, data.to_vec())),
    }
    set_options(frame, &all);
}

/// Takes options away.
pub fn strip(frame: &mut Frame, codes: &[u8]) {
    let mut all = options(frame);
    all.retain(|it| !codes.contains(&it.0));
    set_options(frame, &all);
}

/// The number that an option of four bytes holds.
pub fn number(frame: &Frame, code: u8) -> Option<u32> {
    data(frame, code)?.try_into().ok().map(u32::from_be_bytes)
}

/// Copies of a frame after these milliseconds each.
pub fn after(frame: &Frame, times: &[u64]) -> Vec<(Duration, Frame)> {
    let copy = |it: &u64| (Duration::from_millis(*it), frame.clone());
    times.iter().map(copy).collect()
}

/// A message once more at every so many milliseconds of half a minute, from its second try on: who gets its answer
/// before needs no more of them.
pub fn again(it: &Frame, seen: &Seen, period: u64) -> Vec<(Duration, Frame)> {
    let times: Vec<u64> = (1..=24_000 / period).map(|it| it * period).collect();
    match seen.tries {
        2 => after(it, &times),
        _ => Vec::new(),
    }
}

/// Takes a reply for one to the client's last message, whatever its xid.
pub fn any_xid(it: &mut Frame, seen: &Seen) {
    bootp(it).xid = seen.said.bootp().expect("a message").xid;
}

/// Has the server return the identifier that the client meant.
pub fn own_identifier(it: &mut Frame, seen: &Seen) {
    let ours = data(&seen.said, 61).expect("an identifier");
    if data(it, 61).is_some_and(|it| it != b"\0somebody else") {
        put(it, 61, &ours);
    }
}

/// The address that a server gives.
pub fn given(reply: &Frame) -> Ipv4Addr {
    reply.bootp().map_or(Ipv4Addr::UNSPECIFIED, |it| it.yiaddr)
}

/// The answer to who asks with ARP for the address of the last ACK, whether the client holds it still or not.
pub fn keep(asked: &Frame, seen: &Seen) -> Vec<(Duration, Frame)> {
    let address = given(&seen.ack);
    let own = seen.said.ether().map(|it| it.src).unwrap_or_default();
    let Some(arp) = asked.arp().filter(|it| it.target_ip() == Some(address)) else {
        return Vec::new();
    };
    let reply = dhcpcraft::wire::Arp {
        op: 2,
        psrc: address.octets().to_vec(),
        pdst: arp.psrc.clone(),
        hwdst: arp.hwsrc.clone(),
        hwsrc: own.octets().to_vec(),
        ..Default::default()
    };
    let ether = Ether {
        src: own,
        ..Ether::default()
    };
    vec![(Duration::ZERO, Frame::new([ether.into(), reply.into()]))]
}
