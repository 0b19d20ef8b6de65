//! Who a client is, and where.

use std::fmt;
use std::net::Ipv4Addr;

use crate::dhcp::Message;

/// Bytes that count of a client identifier where it stands for the hardware address.
const IDENTIFIER: usize = 64;

/// The client's hardware address, or its identifier (option 61) where it has none, as on InfiniBand
/// (RFC 4390).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Hardware {
    /// Hardware type, the numbers of ARP.
    pub htype: u8,
    /// The bytes that count.
    pub bytes: Box<[u8]>,
    /// Whether they are the client identifier.
    pub identifier: bool,
}

impl Hardware {
    pub(super) fn of(message: &Message) -> Hardware {
        let address = message.bootp.client_hardware();
        let used = address.iter().any(|it| *it != 0);
        let identifier = match used {
            true => None,
            false => message.data(61).filter(|it| !it.is_empty()),
        };
        let bytes = identifier.as_deref().unwrap_or(address);
        Hardware {
            htype: message.bootp.htype,
            bytes: bytes.iter().take(IDENTIFIER).copied().collect(),
            identifier: identifier.is_some(),
        }
    }
}

/// `02:00:5e:10:00:01`, `id 01:02:03`.
impl fmt::Display for Hardware {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex: Vec<String> = self.bytes.iter().map(|it| format!("{it:02x}")).collect();
        match (hex.is_empty(), self.identifier) {
            (true, _) => f.write_str("no address"),
            (_, true) => write!(f, "id {}", hex.join(":")),
            (_, false) => f.write_str(&hex.join(":")),
        }
    }
}

/// Where a client is: its VLANs, or the relay agent where it was seen only behind one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// VLAN ids, outermost first, four at most.
    pub vlans: Vec<u16>,
    /// The relay agent (giaddr).
    pub relay: Option<Ipv4Addr>,
}
