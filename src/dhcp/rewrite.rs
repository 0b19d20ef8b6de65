//! Another client in a recorded message: its xid, its MAC address, its values, each put in the place of
//! the recorded one. No length changes, so nothing else moves.

use super::Message;
use super::template::client_id;
use crate::wire::{Auto, Bootp, Frame, ItemKind, MacAddr, OptionItem, Options, PAD, push_option};

/// Option 61, the client's identifier.
const CLIENT_ID: u8 = 61;

/// Which exchange of which client a message belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Transaction {
    /// The transaction id.
    pub xid: u32,
    /// The bytes of `chaddr` that `hlen` counts.
    pub hardware: Vec<u8>,
}

impl Transaction {
    /// Of a message.
    pub fn of(bootp: &Bootp) -> Self {
        Transaction {
            xid: bootp.xid,
            hardware: bootp.client_hardware().to_vec(),
        }
    }

    /// The hardware address, where it is one of Ethernet.
    pub fn mac(&self) -> Option<MacAddr> {
        let octets: [u8; 6] = self.hardware.as_slice().try_into().ok()?;
        Some(octets.into())
    }
}

/// Puts one client in the place of another: the xid and the hardware address in the header, the MAC
/// address in the Ethernet header, and the client-id that is made of it (type 1, RFC 2132 section 9.14).
/// What is not `from`'s stays.
pub fn transaction(frame: &mut Frame, from: &Transaction, to: &Transaction) {
    if let Some(bootp) = frame.bootp_mut() {
        if bootp.xid == from.xid {
            bootp.xid = to.xid;
        }
        let same_length = from.hardware.len() == to.hardware.len();
        if same_length && bootp.client_hardware() == from.hardware {
            let octets = bootp.chaddr.iter_mut();
            octets.zip(&to.hardware).for_each(|(at, it)| *at = *it);
        }
    }
    let (Some(old), Some(new)) = (from.mac(), to.mac()) else {
        return;
    };
    if let Some(ether) = frame.ether_mut() {
        for address in [&mut ether.src, &mut ether.dst] {
            if *address == old {
                *address = new;
            }
        }
    }
    option(frame, CLIENT_ID, &client_id(old), &client_id(new));
}

/// Has the lengths and checksums follow what is changed, those included that the recording machine left to
/// its network card. A wrong one stays wrong.
pub fn loosen(frame: &mut Frame) {
    let left = frame.udp().and_then(|it| {
        let len = it.len.get()?;
        Some(it.chksum.get()? == frame.ipv4()?.pseudo_header_sum(len))
    });
    frame.relax();
    if let Some(ip) = frame.ipv4_mut()
        && ip.chksum == Auto::Set(0)
    {
        ip.chksum = Auto::Unset;
    }
    if let Some(udp) = frame.udp_mut().filter(|_| left == Some(true)) {
        udp.chksum = Auto::Unset;
    }
}

/// Puts `to` in the place of `from` wherever an option of this code holds it; both are of one length.
pub fn option(frame: &mut Frame, code: u8, from: &[u8], to: &[u8]) {
    let overload = Message::of(frame).map_or(0, |it| it.overload());
    if let Some(dhcp) = frame.dhcp_mut() {
        in_stream(&mut dhcp.options, code, from, to);
    }
    if let Some(bootp) = frame.bootp_mut() {
        if overload & 1 != 0 {
            in_stream(&mut bootp.file, code, from, to);
        }
        if overload & 2 != 0 {
            in_stream(&mut bootp.sname, code, from, to);
        }
    }
}

fn in_stream(stream: &mut [u8], code: u8, from: &[u8], to: &[u8]) {
    let held = |it: &OptionItem| it.kind == ItemKind::Option && it.code == code && it.data == from;
    // Behind the code and the length.
    let places: Vec<usize> = Options::new(stream)
        .filter(held)
        .map(|it| it.offset + 2)
        .collect();
    for at in places {
        if let Some(slot) = stream.get_mut(at..at + from.len())
            && slot.len() == to.len()
        {
            slot.copy_from_slice(to);
        }
    }
}

/// Has a reply return the client identifier `to` where it returns `from` (RFC 6842); none where the client sent
/// none. Unlike the others here it may change the length of the options; padding behind END makes up for it.
pub fn returned_id(frame: &mut Frame, from: &[u8], to: Option<&[u8]>) {
    let Some(dhcp) = frame.dhcp_mut() else {
        return;
    };
    let before = dhcp.options.len();
    let mut out = Vec::with_capacity(before);
    let mut end = None;
    for it in Options::new(&dhcp.options) {
        match it.kind {
            ItemKind::Option if it.code == CLIENT_ID && it.data == from => {
                if let Some(id) = to {
                    push_option(&mut out, CLIENT_ID, id);
                }
                continue;
            }
            ItemKind::End => end = Some(out.len() + 1),
            _ => {}
        }
        out.extend_from_slice(it.raw);
    }
    let padded = end.and_then(|end| out.get(end..));
    let padded = padded.is_some_and(|it| it.iter().all(|it| *it == PAD));
    if let Some(end) = end.filter(|_| padded) {
        out.resize(before.max(end), PAD);
    }
    dhcp.options = out;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dhcp::enums::REQUEST;
    use crate::dhcp::template;

    #[test]
    fn a_client_is_replaced_wherever_it_is_named_and_nowhere_else() {
        let mac = MacAddr::new(2, 0, 0x5e, 0x10, 0, 1);
        let who = template::Identity {
            client_mac: mac,
            source_mac: mac,
            xid: 7,
            address: Some([10, 0, 0, 7].into()),
            server: Some([10, 0, 0, 1].into()),
            own: None,
            server_mac: None,
        };
        let mut draft = template::fresh(REQUEST, &who);
        for (code, data) in [
            (CLIENT_ID, [1, 2, 0, 0x5e, 0x10, 0, 1]),
            (97, [1, 2, 0, 0x5e, 0x10, 0, 1]),
        ] {
            draft.put(crate::dhcp::assign::Assignment {
                code,
                data: data.to_vec(),
            });
        }
        let before = draft.frame();
        let from = Transaction::of(before.bootp().expect("BOOTP"));
        let other = MacAddr::new(2, 9, 9, 9, 9, 9);
        let to = Transaction {
            xid: 8,
            hardware: other.octets().to_vec(),
        };
        let mut after = before.clone();
        transaction(&mut after, &from, &to);
        let message = Message::of(&after).expect("a message");
        assert_eq!((message.bootp.xid, message.bootp.client_mac()), (8, other));
        assert_eq!(after.ether().map(|it| it.src), Some(other));
        assert_eq!(
            after.ether().map(|it| it.dst),
            before.ether().map(|it| it.dst)
        );
        assert_eq!(
            message.data(61).as_deref(),
            Some(&[1, 2, 9, 9, 9, 9, 9][..])
        );
        assert_eq!(
            message.data(97),
            Message::of(&before).and_then(|it| it.data(97))
        );
        transaction(&mut after, &to, &from);
        assert_eq!(after, before);
    }

    #[test]
    fn an_identifier_of_another_length_is_returned_and_padding_makes_up_for_it() {
        let changed = |options: &[u8], to: Option<&[u8]>| {
            let mut frame = Frame::new(vec![
                crate::wire::Layer::from(Bootp::default()),
                crate::wire::Dhcp {
                    options: options.to_vec(),
                    ..Default::default()
                }
                .into(),
            ]);
            returned_id(&mut frame, &[1, 7], to);
            frame
                .dhcp()
                .map(|it| it.options.clone())
                .unwrap_or_default()
        };
        let padded = [53, 1, 5, 61, 2, 1, 7, 1, 1, 9, 255, 0, 0, 0];
        for (before, to, after) in [
            (
                &padded[..],
                Some(&[1, 8][..]),
                &[53, 1, 5, 61, 2, 1, 8, 1, 1, 9, 255, 0, 0, 0][..],
            ),
            (
                &padded,
                Some(&[255, 1, 2]),
                &[53, 1, 5, 61, 3, 255, 1, 2, 1, 1, 9, 255, 0, 0],
            ),
            (
                &padded,
                None,
                &[53, 1, 5, 1, 1, 9, 255, 0, 0, 0, 0, 0, 0, 0],
            ),
            // More than padding has room for.
            (
                &padded,
                Some(&[9; 7]),
                &[53, 1, 5, 61, 7, 9, 9, 9, 9, 9, 9, 9, 1, 1, 9, 255],
            ),
            // What stands behind END stays, as does another identifier, and what has no END.
            (&[61, 2, 1, 7, 255, 9], Some(&[9]), &[61, 1, 9, 255, 9]),
            (&[61, 2, 1, 6, 255, 0], Some(&[9]), &[61, 2, 1, 6, 255, 0]),
            (&[61, 2, 1, 7], Some(&[9]), &[61, 1, 9]),
        ] {
            assert_eq!(changed(before, to), after, "{before:?} {to:?}");
        }
    }
}
