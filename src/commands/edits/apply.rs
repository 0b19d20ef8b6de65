//! Putting them onto a draft or a captured frame.

use std::net::Ipv4Addr;

use super::Edits;
use crate::dhcp::assign::Assignment;
use crate::dhcp::template::{Draft, Identity};
use crate::wire::*;

impl Edits {
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
}
