//! The typed reading of a message: options found wherever they stand, split ones joined.

use std::borrow::Cow;
use std::net::Ipv4Addr;

use super::value::{Value, ValueError};
use super::{enums, options};
use crate::wire::{Bootp, Dhcp, Frame, OptionItem, Options};

/// Where an option stands in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// The options field, behind the magic cookie.
    Options,
    /// The `file` field, overloaded (option 52).
    File,
    /// The `sname` field, overloaded (option 52).
    Sname,
}

impl Place {
    /// The field's name.
    pub fn name(self) -> &'static str {
        match self {
            Place::Options => "options",
            Place::File => "file",
            Place::Sname => "sname",
        }
    }
}

/// Code of the overload option.
const OVERLOAD: u8 = 52;

/// One option of a message with all its pieces joined (RFC 3396 section 7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined<'a> {
    /// Option code.
    pub code: u8,
    /// The data of all pieces; borrowed while there is only one.
    pub data: Cow<'a, [u8]>,
    /// How many pieces there were.
    pub pieces: usize,
    /// Where the first piece stands.
    pub place: Place,
}

impl Joined<'_> {
    /// The typed value, or why the data does not fit the option's type.
    pub fn value(&self) -> Result<Value, ValueError> {
        options::by_code(self.code).ty.decode(&self.data)
    }
}

/// A BOOTP or DHCP message inside a frame, read with the meaning of its options. Reading is lazy and
/// borrows from the frame.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// The fixed header.
    pub bootp: &'a Bootp,
    /// Cookie and options; `None` for plain BOOTP and for a missing or wrong cookie.
    pub dhcp: Option<&'a Dhcp>,
}

impl<'a> Message<'a> {
    /// The message that `frame` carries, if any.
    pub fn of(frame: &'a Frame) -> Option<Self> {
        Some(Message {
            bootp: frame.bootp()?,
            dhcp: frame.dhcp(),
        })
    }

    fn stream(&self) -> Options<'a> {
        Options::new(self.dhcp.map_or(&[], |dhcp| &dhcp.options))
    }

    /// Which of `file` (bit 1) and `sname` (bit 2) hold options: the value of option 52, else 0.
    pub fn overload(&self) -> u8 {
        match self.stream().find_code(OVERLOAD) {
            Some([value @ 1..=3]) => *value,
            _ => 0,
        }
    }

    /// Every item of the option stream and of the overloaded fields, in the order in which RFC 3396
    /// section 5 joins them: options, file, sname.
    pub fn items(&self) -> impl Iterator<Item = (Place, OptionItem<'a>)> + use<'a> {
        let overload = self.overload();
        let field = |bit: u8, bytes: &'a [u8]| match overload & bit {
            0 => Options::new(&[]),
            _ => Options::new(bytes),
        };
        let file = field(1, &self.bootp.file);
        let sname = field(2, &self.bootp.sname);
        self.stream()
            .map(|item| (Place::Options, item))
            .chain(file.map(|item| (Place::File, item)))
            .chain(sname.map(|item| (Place::Sname, item)))
    }

    /// The data under a code, pieces joined; borrowed while there is only one piece.
    pub fn data(&self, code: u8) -> Option<Cow<'a, [u8]>> {
        let mut found: Option<Cow<'a, [u8]>> = None;
        for (_, item) in self.items() {
            if item.is_option() && item.code == code {
                match &mut found {
                    None => found = Some(Cow::Borrowed(item.data)),
                    Some(data) => data.to_mut().extend_from_slice(item.data),
                }
            }
        }
        found
    }

    /// Every option in order of its first piece, pieces joined.
    pub fn options(&self) -> Vec<Joined<'a>> {
        // Room for as many as most messages have.
        let mut joined: Vec<Joined<'a>> = Vec::with_capacity(16);
        for (place, item) in self.items().filter(|(_, item)| item.is_option()) {
            match joined.iter_mut().find(|it| it.code == item.code) {
                Some(it) => {
                    it.data.to_mut().extend_from_slice(item.data);
                    it.pieces += 1;
                }
                None => joined.push(Joined {
                    code: item.code,
                    data: Cow::Borrowed(item.data),
                    pieces: 1,
                    place,
                }),
            }
        }
        joined
    }

    /// The typed value of an option, or why its data does not fit; `None` when it is absent.
    pub fn value(&self, code: u8) -> Option<Result<Value, ValueError>> {
        let data = self.data(code)?;
        Some(options::by_code(code).ty.decode(&data))
    }

    /// The data of the first option with this code, as a receiver that joins nothing reads it.
    fn first(&self, code: u8) -> Option<&'a [u8]> {
        let wanted = |item: &OptionItem| item.is_option() && item.code == code;
        // The options field is read first, and mostly has it or is all there is.
        let found = match self.stream().find(wanted) {
            None if self.overload() != 0 => self.items().map(|it| it.1).find(wanted),
            found => found,
        };
        found.map(|item| item.data)
    }

    fn address(&self, code: u8) -> Option<Ipv4Addr> {
        let octets: [u8; 4] = self.first(code)?.try_into().ok()?;
        Some(octets.into())
    }

    fn seconds(&self, code: u8) -> Option<u32> {
        let octets: [u8; 4] = self.first(code)?.try_into().ok()?;
        Some(u32::from_be_bytes(octets))
    }

    /// Option 53: 1 DISCOVER, 2 OFFER …; `None` for BOOTP.
    pub fn message_type(&self) -> Option<u8> {
        self.first(53)?.first().copied()
    }

    /// The message type in capitals: `DISCOVER`, `type 77` for a number without a name, and
    /// `BOOTREQUEST`, `BOOTREPLY` or `BOOTP op N` for a message without option 53.
    pub fn type_name(&self) -> Cow<'static, str> {
        match (self.message_type(), self.bootp.op) {
            (Some(number), _) => match enums::message_type_name(number) {
                Some(name) => name.to_ascii_uppercase().into(),
                None => format!("type {number}").into(),
            },
            (None, 1) => "BOOTREQUEST".into(),
            (None, 2) => "BOOTREPLY".into(),
            (None, op) => format!("BOOTP op {op}").into(),
        }
    }

    /// Option 54, the server's identity.
    pub fn server_id(&self) -> Option<Ipv4Addr> {
        self.address(54)
    }

    /// Option 51 in seconds; 0xffff_ffff is for ever.
    pub fn lease_time(&self) -> Option<u32> {
        self.seconds(51)
    }

    /// The router (option 3) by which a host with this lease, at `own`, reaches another address; `None` where
    /// that is on its own network by the subnet mask, or no router is.
    pub fn router_to(&self, other: Ipv4Addr, own: Ipv4Addr) -> Option<Ipv4Addr> {
        let mask = u32::from(self.subnet_mask()?);
        let near = |it: Ipv4Addr| u32::from(it) & mask == u32::from(own) & mask;
        if near(other) {
            return None;
        }
        let routers = self.data(3)?;
        let (routers, _) = routers.as_chunks::<4>();
        routers
            .iter()
            .copied()
            .map(Ipv4Addr::from)
            .find(|it| near(*it))
    }

    /// Option 58, T1, in seconds.
    pub fn renewal_time(&self) -> Option<u32> {
        self.seconds(58)
    }

    /// Option 59, T2, in seconds.
    pub fn rebinding_time(&self) -> Option<u32> {
        self.seconds(59)
    }

    /// Option 50, the address the client asks for.
    pub fn requested_ip(&self) -> Option<Ipv4Addr> {
        self.address(50)
    }

    /// Option 1.
    pub fn subnet_mask(&self) -> Option<Ipv4Addr> {
        self.address(1)
    }
}
