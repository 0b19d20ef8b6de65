//! A UDP port held open beside a packet socket.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::OwnedFd;

use super::socket;

/// A UDP port of the kernel's that nobody reads: as long as it is there the kernel does not answer what comes to it
/// with ICMP port unreachable, while a packet socket receives it all the same.
pub struct HeldPort(#[allow(dead_code)] OwnedFd);

/// Holds a port of an address on an interface; `None` where the address is not the kernel's, which answers nothing
/// then. Fails with [`ErrorKind::AddrInUse`] where another program has the port.
pub fn hold(interface: &str, address: Ipv4Addr, port: u16) -> io::Result<Option<HeldPort>> {
    match socket::bind_udp(interface, SocketAddrV4::new(address, port)) {
        Ok(fd) => Ok(Some(HeldPort(fd))),
        Err(it) if it.kind() == ErrorKind::AddrNotAvailable => Ok(None),
        Err(it) => Err(it),
    }
}
