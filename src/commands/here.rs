//! This end of a link, before anything is sent.

use std::fs::File;
use std::net::Ipv4Addr;
use std::path::Path;

use super::args::{ForceArgs, LinkArgs};
use super::{Error, lab};
use crate::dhcp::template::Identity;
use crate::link::interfaces;
use crate::wire::MacAddr;

/// Whether `-i NAME` means a capture, there or not: interfaces have no such names.
fn is_capture(name: &str) -> bool {
    let extension = Path::new(name).extension().and_then(|it| it.to_str());
    name.contains('/')
        || extension.is_some_and(|it| ["pcap", "pcapng", "cap", "snoop"].contains(&it))
}

/// Frames beyond which sending is a load to others.
pub const LOAD: usize = 100;

/// What is known of this end of a link before anything is sent.
#[derive(Clone, Copy, Debug)]
pub struct Here {
    /// Our own MAC address on it.
    pub mac: MacAddr,
    /// The interface's own IPv4 address.
    pub address: Option<Ipv4Addr>,
    /// The same with the bits of its mask.
    pub network: Option<(Ipv4Addr, u8)>,
    /// Whether the machine's default route goes through it.
    pub default_route: bool,
    /// Whether it is the lab.
    pub lab: bool,
}

impl Here {
    /// Looks without opening anything, so that a dry run needs no rights.
    pub fn look(args: &LinkArgs) -> Result<Here, Error> {
        let name = args.interface.as_str();
        let lab = lab::is_lab(name);
        let mut here = Here {
            mac: lab::CLIENT_MAC,
            address: None,
            network: None,
            default_route: false,
            lab,
        };
        if !lab && is_capture(name) {
            // A file that is not there is no missing interface.
            File::open(name).map_err(|it| Error::file(Path::new(name), it))?;
        } else if !lab && !Path::new(name).is_file() {
            let status = interfaces::find(name)?;
            here.mac = status.mac.unwrap_or(here.mac);
            here.address = status.ipv4();
            here.network = status.network;
            here.default_route = status.default_route;
        }
        Ok(here)
    }

    /// Refuses what would disturb others on the interface that carries the machine's default route, where nobody said
    /// that it may. `why` tells how it would.
    pub fn spare_others(&self, link: &LinkArgs, force: ForceArgs, why: &str) -> Result<(), Error> {
        if !self.default_route || force.said() {
            return Ok(());
        }
        Err(Error::Usage(format!(
            "{} carries this machine's default route: {why}; --force if you mean it",
            link.interface
        )))
    }

    /// An identity completed with what the lab lets a message assume without being told.
    pub fn assume(&self, mut identity: Identity) -> Identity {
        if self.lab {
            identity.address = Some(lab::FIRST_ADDRESS);
            identity.server = Some(lab::SERVER);
        }
        identity
    }
}
