//! A frame as the rules look at it: the message, its options joined, and where everything stands.

use std::borrow::Cow;
use std::net::Ipv4Addr;
use std::time::Duration;

use super::Sample;
use crate::dhcp::enums::*;
use crate::dhcp::template::from_client;
use crate::dhcp::{Message, Place};
use crate::wire::{Bootp, Computed, Frame, Ipv4, Layer, OptionItem, Udp};

/// An option with its pieces joined.
pub(super) struct Spot<'a> {
    pub code: u8,
    /// Offset of its first piece in the frame.
    pub at: usize,
    pub place: Place,
    pub data: Cow<'a, [u8]>,
    pub pieces: usize,
}

/// One item of the option stream or of an overloaded field.
pub(super) struct Piece<'a> {
    pub place: Place,
    /// Offset in the frame.
    pub at: usize,
    pub item: OptionItem<'a>,
}

/// The client's hardware address: type, and the bytes that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Hardware(u8, u8, [u8; 16]);

impl Hardware {
    pub fn of(bootp: &Bootp) -> Self {
        let mut bytes = [0; 16];
        let used = bootp.client_hardware();
        for (slot, byte) in bytes.iter_mut().zip(used) {
            *slot = *byte;
        }
        Hardware(bootp.htype, bootp.hlen, bytes)
    }
}

/// `02:00:5e:10:00:01`
impl std::fmt::Display for Hardware {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let len = usize::from(self.1).min(16);
        let hex: Vec<String> = self.2[..len].iter().map(|it| format!("{it:02x}")).collect();
        match hex.is_empty() {
            true => f.write_str("no address"),
            false => f.write_str(&hex.join(":")),
        }
    }
}

/// The VLAN of a frame: the ids of its tags, 12 bits each. VLAN 0 is none; of more than five tags the
/// innermost count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Vlans(u64);

impl Vlans {
    pub fn of(frame: &Frame) -> Self {
        let ids = frame.vlans();
        Vlans(ids.fold(0, |all, id| all << 12 | u64::from(id & 0xfff)))
    }
}

/// A frame.
pub(super) struct Seen<'a> {
    pub number: u64,
    pub at: Duration,
    pub frame: &'a Frame,
    /// Whether all of the datagram is there.
    pub whole: bool,
    pub unfinished: bool,
    pub message: Option<Message<'a>>,
    /// Option 53.
    pub kind: Option<u8>,
    pub pieces: Vec<Piece<'a>>,
    pub options: Vec<Spot<'a>>,
    /// What lengths and checksums should be, per layer.
    pub computed: Vec<Computed>,
}

impl<'a> Seen<'a> {
    pub fn of(sample: &Sample<'a>) -> Self {
        let frame = sample.frame;
        let fragment = frame
            .ipv4()
            .is_some_and(|it| it.frag != 0 || it.flags & 1 != 0);
        let message = Message::of(frame);
        let mut seen = Seen {
            number: sample.number,
            at: sample.at,
            frame,
            whole: !sample.cut && !fragment,
            unfinished: sample.unfinished,
            message,
            kind: message.and_then(|it| it.message_type()),
            pieces: Vec::new(),
            options: Vec::new(),
            computed: frame.computed(),
        };
        let Some(message) = message else {
            return seen;
        };
        let (bootp, dhcp) = (seen.layer_at("BOOTP"), seen.layer_at("DHCP"));
        let (Some(bootp), Some(dhcp)) = (bootp, dhcp) else {
            return seen;
        };
        // BOOTP's sname and file begin at these bytes of the header; options behind the cookie.
        let start = |place| match place {
            Place::Options => dhcp + 4,
            Place::Sname => bootp + 44,
            Place::File => bootp + 108,
        };
        for (place, item) in message.items() {
            let at = start(place) + item.offset;
            seen.pieces.push(Piece { place, at, item });
            if !item.is_option() {
                continue;
            }
            match seen.options.iter_mut().find(|it| it.code == item.code) {
                Some(it) => {
                    it.data.to_mut().extend_from_slice(item.data);
                    it.pieces += 1;
                }
                None => seen.options.push(Spot {
                    code: item.code,
                    at,
                    place,
                    data: Cow::Borrowed(item.data),
                    pieces: 1,
                }),
            }
        }
        seen
    }

    /// Offset of the first layer with this name.
    pub fn layer_at(&self, name: &str) -> Option<usize> {
        let mut layers = self.frame.with_offsets();
        layers.find(|it| it.1.name() == name).map(|it| it.0)
    }

    pub fn bootp(&self) -> Option<&'a Bootp> {
        self.message.map(|it| it.bootp)
    }

    pub fn ip(&self) -> Option<&'a Ipv4> {
        self.frame.ipv4()
    }

    pub fn udp(&self) -> Option<&'a Udp> {
        self.frame.udp()
    }

    /// Bytes of the UDP data.
    pub fn message_len(&self) -> usize {
        let inside = |it: &&Layer| {
            !matches!(
                it,
                Layer::Ether(_)
                    | Layer::Cooked(_)
                    | Layer::Dot1Q(_)
                    | Layer::Ipv4(_)
                    | Layer::Udp(_)
                    | Layer::Padding(_)
            )
        };
        let layers = self.frame.layers.iter().filter(inside);
        layers.map(Layer::encoded_len).sum()
    }

    /// The header of a DHCP message, where it is one of these types.
    pub fn is(&self, kinds: &[u8]) -> Option<&'a Bootp> {
        let kind = self.kind?;
        kinds.contains(&kind).then(|| self.bootp()).flatten()
    }

    /// The header of a message that a client sends: op says so, and the type does.
    pub fn asks(&self) -> Option<&'a Bootp> {
        let bootp = self.bootp()?;
        (bootp.op == 1 && from_client(self.kind?)).then_some(bootp)
    }

    /// The header of an OFFER, ACK or NAK.
    pub fn replies(&self) -> Option<&'a Bootp> {
        self.is(&[OFFER, ACK, NAK])
    }

    pub fn option(&self, code: u8) -> Option<&Spot<'a>> {
        self.options.iter().find(|it| it.code == code)
    }

    pub fn data(&self, code: u8) -> Option<&[u8]> {
        self.option(code).map(|it| &*it.data)
    }

    /// An option of one address.
    pub fn address(&self, code: u8) -> Option<Ipv4Addr> {
        let octets: [u8; 4] = self.data(code)?.try_into().ok()?;
        Some(octets.into())
    }

    /// An option of addresses.
    pub fn addresses(&self, code: u8) -> impl Iterator<Item = Ipv4Addr> + '_ {
        let data = self.data(code).unwrap_or_default();
        data.chunks_exact(4).filter_map(|it| {
            let octets: [u8; 4] = it.try_into().ok()?;
            Some(octets.into())
        })
    }

    /// An option of seconds.
    pub fn seconds(&self, code: u8) -> Option<u32> {
        let octets: [u8; 4] = self.data(code)?.try_into().ok()?;
        Some(u32::from_be_bytes(octets))
    }

    /// The mask and its bits, where it is one.
    pub fn mask(&self) -> Option<(u32, u32)> {
        let mask = u32::from(self.address(1)?);
        let bits = mask.leading_ones();
        (mask.count_ones() == bits && bits > 0).then_some((mask, bits))
    }

    /// Whether it is a boot server's answer beside DHCP (PXE), which gives no address.
    pub fn boot_server(&self) -> bool {
        let pxe = self.data(60).is_some_and(|it| it.starts_with(b"PXEClient"));
        pxe && self.bootp().is_some_and(|it| it.yiaddr.is_unspecified())
    }
}
