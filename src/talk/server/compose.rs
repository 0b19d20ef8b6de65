//! What a reply holds, and where it goes.

use std::net::Ipv4Addr;

use super::Server;
use crate::dhcp::Message;
use crate::dhcp::assign::Assignment;
use crate::dhcp::delivery::{Delivery, Hardware};
use crate::dhcp::enums::{ACK, DISCOVER, INFORM, NAK};
use crate::dhcp::following;
use crate::dhcp::layout::Overload;
use crate::dhcp::template::{self, Identity};
use crate::link::Time;
use crate::talk::fault::Fault;
use crate::wire::*;

impl Server {
    /// The reply of this message type; `None` where the client is on no subnet that is served.
    pub(super) fn reply(
        &self,
        kind: u8,
        frame: &Frame,
        message: &Message,
        ip: Option<Ipv4Addr>,
    ) -> Option<Frame> {
        let who = Identity {
            client_mac: message.bootp.client_mac(),
            source_mac: self.config.mac,
            xid: message.bootp.xid,
            address: ip,
            server: Some(self.config.address),
            own: None,
            server_mac: None,
        };
        let mut draft = following::draft(kind, frame, &who).ok()?;
        draft.ip.src = self.config.address;
        for (tag, own) in draft.tags.iter_mut().zip(&self.config.vlan) {
            tag.prio = own.prio;
        }
        draft.put(Assignment {
            code: 54,
            data: self.config.address.octets().to_vec(),
        });
        if message.message_type() == Some(INFORM) {
            // RFC 2131 section 4.3.5: straight to the client, whoever handed its message on.
            draft.bootp.giaddr = Ipv4Addr::UNSPECIFIED;
            draft.options.retain(|it| it.code != 82);
            draft.udp.dport = 68;
        }
        if kind != NAK {
            draft.bootp.yiaddr = ip.unwrap_or(Ipv4Addr::UNSPECIFIED);
            let delivery = Delivery::of(kind, &draft.bootp, message.bootp.ciaddr);
            draft.ip.dst = delivery.ip;
            if delivery.hardware == Hardware::Client {
                draft.ether.dst = message.bootp.client_mac();
            }
            let subnet = self.subnet_for(message)?;
            draft.put(Assignment {
                code: 1,
                data: subnet.mask().octets().to_vec(),
            });
            if ip.is_some() {
                for option in template::lease_options(self.config.lease) {
                    draft.put(option);
                }
            }
            let asked = message.data(55).unwrap_or_default();
            draft.options.retain(|it| it.code != 3);
            let at = draft
                .options
                .iter()
                .position(|it| matches!(it.code, 61 | 82))
                .unwrap_or(draft.options.len());
            let wanted = |option: &&Assignment| asked.is_empty() || asked.contains(&option.code);
            let mut extra: Vec<_> = subnet.options.iter().filter(wanted).cloned().collect();
            // RFC 2132 section 9.8: in the order of the list.
            extra.sort_by_key(|it| asked.iter().position(|code| *code == it.code));
            draft.options.splice(at..at, extra);
            if kind == ACK && message.message_type() == Some(DISCOVER) {
                // RFC 4039 section 4: a lease given at once says so.
                draft.options.insert(
                    1,
                    Assignment {
                        code: 80,
                        data: Vec::new(),
                    },
                );
            }
        }
        let dhcp = message.message_type().is_some();
        if dhcp && self.config.faults.contains(&Fault::Overload) {
            draft.overload = Some(Overload::Both);
        }
        Some(draft.frame())
    }

    /// The answer to a plain BOOTP request (RFC 1534 section 2): an address for ever.
    pub(super) fn bootp(
        &mut self,
        frame: &Frame,
        message: &Message,
        key: &[u8],
        now: Time,
    ) -> Option<(Frame, String)> {
        if !self.config.bootp {
            return None;
        }
        let ip = self.pick(message, key, now)?;
        self.bindings.bind(ip, key, Time(u64::MAX));
        let mut reply = self.reply(ACK, frame, message, Some(ip))?;
        if let Some(dhcp) = reply.dhcp_mut() {
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
        Some((reply, format!("BOOTREPLY {ip}")))
    }
}
