//! What a reply holds, and where it goes.

use std::net::Ipv4Addr;

use super::Server;
use crate::dhcp::Message;
use crate::dhcp::assign::Assignment;
use crate::dhcp::delivery::{Delivery, Hardware};
use crate::dhcp::enums::{ACK, DISCOVER, INFORM, NAK};
use crate::dhcp::following;
use crate::dhcp::layout;
use crate::dhcp::options;
use crate::dhcp::template::{self, Draft, Identity};
use crate::link::Time;
use crate::wire::*;

/// The longest datagram that every client takes, in bytes (RFC 2132 section 9.10), and its headers before BOOTP.
const LEAST_TAKEN: u16 = 576;
const HEADERS: usize = 28;

/// The longest datagram that a client takes: what its option 57 says, else what all do.
fn most_taken(message: &Message) -> u16 {
    match message.data(57).as_deref() {
        Some(&[a, b]) => u16::from_be_bytes([a, b]).max(LEAST_TAKEN),
        _ => LEAST_TAKEN,
    }
}

/// A reply before anything is done to it.
pub(super) struct Reply {
    pub frame: Frame,
    /// Codes of the options for which the client has no room.
    pub left_out: Vec<u8>,
    /// Bytes of the longest datagram that the client takes.
    pub most: u16,
}

impl Reply {
    /// What it lacks, in words.
    pub fn lacks(&self) -> Option<String> {
        let names = self
            .left_out
            .iter()
            .map(|code| options::by_code(*code).name);
        let names: Vec<_> = names.collect();
        let (names, most) = (names.join(", "), self.most);
        (!names.is_empty()).then(|| format!("no room for {names} in {most} bytes"))
    }
}

fn option(code: u8, data: impl Into<Vec<u8>>) -> Assignment {
    Assignment {
        code,
        data: data.into(),
    }
}

/// Where options go that come before those that return to the client and to the relay agent.
fn before_returned(draft: &Draft) -> usize {
    let mut options = draft.options.iter();
    let returned = options.position(|it| matches!(it.code, 61 | 82));
    returned.unwrap_or(draft.options.len())
}

/// Adds the options that the client asks for, as many as it takes; gives the codes of those left out.
fn fill(draft: &mut Draft, message: &Message, options: &[Assignment]) -> Vec<u8> {
    let asked = message.data(55).unwrap_or_default();
    let inform = message.message_type() == Some(INFORM);
    let mut extra: Vec<Assignment> = Vec::new();
    for it in options {
        let wanted = asked.is_empty() || asked.contains(&it.code);
        // RFC 2131 section 4.3.5: an INFORM gets no lease.
        let times = inform && matches!(it.code, 51 | 58 | 59);
        if wanted && !times && draft.data(it.code).is_none() {
            extra.push(it.clone());
        }
    }
    // RFC 2132 section 9.8: in the order of the list.
    extra.sort_by_key(|it| asked.iter().position(|code| *code == it.code));
    let room = usize::from(most_taken(message)) - HEADERS - BOOTP_LEN - MAGIC_COOKIE.len();
    let size = |options: &[Assignment]| layout::stream(options).len() - 1;
    let own = size(&draft.options) + 1;
    let mut left_out = Vec::new();
    while own + size(&extra) > room
        && let Some(last) = extra.pop()
    {
        left_out.insert(0, last.code);
    }
    let at = before_returned(draft);
    draft.options.splice(at..at, extra);
    left_out
}

impl Server {
    /// The reply of this message type, or why there is none.
    pub(super) fn reply(
        &self,
        kind: u8,
        frame: &Frame,
        message: &Message,
        ip: Option<Ipv4Addr>,
    ) -> Result<Reply, String> {
        let who = Identity {
            client_mac: message.bootp.client_mac(),
            source_mac: self.config.mac,
            xid: message.bootp.xid,
            address: ip,
            server: Some(self.config.address),
            own: None,
            server_mac: None,
        };
        let mut draft = following::draft(kind, frame, &who)?;
        draft.ip.src = self.config.address;
        for (tag, own) in draft.tags.iter_mut().zip(&self.config.vlan) {
            tag.prio = own.prio;
        }
        draft.put(option(54, self.config.address.octets()));
        let inform = message.message_type() == Some(INFORM);
        if inform {
            // RFC 2131 section 4.3.5: straight to the client, whoever handed its message on.
            draft.bootp.giaddr = Ipv4Addr::UNSPECIFIED;
            draft.options.retain(|it| it.code != 82);
            draft.udp.dport = 68;
        }
        let subnet = self.subnet_for(message);
        let mut left_out = Vec::new();
        if kind == NAK {
            // Also where the client is on no subnet, which is mostly why.
            let subnet = subnet.ok().or(self.config.subnets.first());
            self.overrule(&mut draft, subnet.map_or(&[], |it| &it.options));
        } else {
            draft.bootp.yiaddr = ip.unwrap_or(Ipv4Addr::UNSPECIFIED);
            let delivery = Delivery::of(kind, &draft.bootp, message.bootp.ciaddr);
            draft.ip.dst = delivery.ip;
            if delivery.hardware == Hardware::Client {
                draft.ether.dst = message.bootp.client_mac();
            }
            let subnet = subnet?;
            draft.put(option(1, subnet.mask().octets()));
            if ip.is_some() {
                // T1 and T2 follow the time that is told, whoever says it.
                let told = self.set(51, &subnet.options);
                let told = told.and_then(|it| it.data.as_slice().try_into().ok());
                let lease = told.map_or(self.config.lease, u32::from_be_bytes);
                let times = template::lease_options(lease);
                // The template's T1 and T2 are of another lease, and a short one has none.
                draft.options.retain(|it| {
                    !matches!(it.code, 58 | 59) || times.iter().any(|time| time.code == it.code)
                });
                for option in times {
                    draft.put(option);
                }
            }
            if kind == ACK && message.message_type() == Some(DISCOVER) {
                // RFC 4039 section 4: a lease given at once says so.
                draft.options.insert(1, option(80, []));
            }
            draft.options.retain(|it| it.code != 3);
            self.overrule(&mut draft, &subnet.options);
            left_out = fill(&mut draft, message, &subnet.options);
        }
        Ok(Reply {
            frame: draft.frame(),
            left_out,
            most: most_taken(message),
        })
    }

    /// What the user set for an option, the last word of several.
    fn set<'a>(&'a self, code: u8, options: &'a [Assignment]) -> Option<&'a Assignment> {
        let mut words = options.iter().chain(&self.config.forced).rev();
        words.find(|it| it.code == code)
    }

    /// Options that the server sets by itself are as the user set them, where the user did; and what every
    /// client is to get is there.
    fn overrule(&self, draft: &mut Draft, options: &[Assignment]) {
        for it in &mut draft.options {
            if let Some(set) = self.set(it.code, options) {
                *it = set.clone();
            }
        }
        for it in &self.config.forced {
            if draft.data(it.code).is_none() {
                draft.options.insert(before_returned(draft), it.clone());
            }
        }
    }

    /// Whether a server identifier is this server's: its address, or what the user had it say.
    pub(super) fn goes_by(&self, server: Ipv4Addr) -> bool {
        let options = self.config.subnets.iter().flat_map(|it| &it.options);
        let mut said = options.chain(&self.config.forced);
        server == self.config.address || said.any(|it| it.code == 54 && it.data == server.octets())
    }

    /// The answer to a plain BOOTP request (RFC 1534 section 2): an address for ever.
    pub(super) fn bootp(
        &mut self,
        frame: &Frame,
        message: &Message,
        key: &[u8],
        now: Time,
    ) -> Result<(Reply, String), String> {
        if !self.config.bootp {
            return Err("it is plain BOOTP".into());
        }
        let ip = self.pick(message, key, now)?;
        self.bindings.bind(ip, key, Time(u64::MAX));
        let mut reply = self.reply(ACK, frame, message, Some(ip))?;
        if let Some(dhcp) = reply.frame.dhcp_mut() {
            // Nothing of DHCP's own: no type, no times, no server identifier.
            let kept = dhcp
                .iter()
                .filter(|it| !it.is_option() || !matches!(it.code, 51 | 53 | 54 | 58 | 59 | 61));
            dhcp.options = kept.flat_map(|it| it.raw).copied().collect();
            // Shorter again than relay agents take it.
            let room = template::MIN_MESSAGE - BOOTP_LEN - MAGIC_COOKIE.len();
            if dhcp.options.len() < room {
                dhcp.options.resize(room, PAD);
            }
        }
        Ok((reply, format!("BOOTREPLY {ip}")))
    }
}
