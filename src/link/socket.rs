//! The packet socket: everything that needs unsafe code, in one place.
//!
//! The standard library has no packet sockets, and pnet's receiver reads without ancillary data: the
//! VLAN tag that the kernel hands over beside the frame, the unfinished checksum, and the kernel's
//! time would be lost. Each block is one system call on memory that outlives it, sized by the types
//! passed.
#![allow(unsafe_code)]

use std::io;
use std::mem;
use std::net::SocketAddrV4;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

/// One instruction of a kernel packet filter (classic BPF).
pub(super) type Instruction = libc::sock_filter;

/// An instruction from its parts.
pub(super) fn instruction(code: u16, jt: u8, jf: u8, k: u32) -> Instruction {
    libc::sock_filter { code, jt, jf, k }
}

/// A frame as the kernel gave it.
pub(super) struct Raw {
    /// Bytes in the buffer.
    pub(super) len: usize,
    /// Bytes the frame had.
    pub(super) original_len: usize,
    /// Tag protocol and tag that the card or the peer took off the frame.
    pub(super) vlan: Option<(u16, u16)>,
    /// The checksum is left to the card.
    pub(super) checksum_unfinished: bool,
    /// Seconds and nanoseconds since the epoch.
    pub(super) time: Option<(u64, u32)>,
    /// This host sent it.
    pub(super) outgoing: bool,
}

/// Makes system calls' `-1` an error.
fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    match result {
        -1 => Err(io::Error::last_os_error()),
        other => Ok(other),
    }
}

/// A raw packet socket bound to nothing: no frame reaches it before a filter is attached and it is
/// bound to an interface.
pub(super) fn open() -> io::Result<OwnedFd> {
    // SAFETY: no pointers; a new descriptor is owned by nobody else.
    unsafe {
        let fd = check(libc::socket(
            libc::AF_PACKET,
            libc::SOCK_RAW | libc::SOCK_CLOEXEC,
            0,
        ))?;
        Ok(OwnedFd::from_raw_fd(fd))
    }
}

fn set<T>(fd: RawFd, level: libc::c_int, name: libc::c_int, value: &T) -> io::Result<()> {
    // SAFETY: the pointer and the length are those of `value`, which outlives the call.
    unsafe {
        check(libc::setsockopt(
            fd,
            level,
            name,
            std::ptr::from_ref(value).cast(),
            mem::size_of::<T>() as libc::socklen_t,
        ))?;
    }
    Ok(())
}

/// A UDP socket bound to this address and port on this interface; servers on other interfaces of the machine do not
/// stand in its way.
pub(super) fn bind_udp(interface: &str, address: SocketAddrV4) -> io::Result<OwnedFd> {
    // SAFETY: no pointers; a new descriptor is owned by nobody else.
    let fd = unsafe {
        let fd = check(libc::socket(
            libc::AF_INET,
            libc::SOCK_DGRAM | libc::SOCK_CLOEXEC,
            0,
        ))?;
        OwnedFd::from_raw_fd(fd)
    };
    let mut name = [0u8; libc::IFNAMSIZ];
    for (to, from) in name.iter_mut().zip(interface.bytes()) {
        *to = from;
    }
    set(
        fd.as_raw_fd(),
        libc::SOL_SOCKET,
        libc::SO_BINDTODEVICE,
        &name,
    )?;
    // SAFETY: zeroes are a sockaddr_in; its length is that of its type, and it outlives the call.
    unsafe {
        let mut to: libc::sockaddr_in = mem::zeroed();
        to.sin_family = libc::AF_INET as libc::sa_family_t;
        to.sin_port = address.port().to_be();
        to.sin_addr.s_addr = u32::from(*address.ip()).to_be();
        check(libc::bind(
            fd.as_raw_fd(),
            std::ptr::from_ref(&to).cast(),
            mem::size_of::<libc::sockaddr_in>() as libc::socklen_t,
        ))?;
    }
    Ok(fd)
}

/// Attaches a filter.
pub(super) fn attach(fd: &OwnedFd, program: &[Instruction]) -> io::Result<()> {
    let program = libc::sock_fprog {
        len: program.len() as u16,
        filter: program.as_ptr().cast_mut(),
    };
    set(
        fd.as_raw_fd(),
        libc::SOL_SOCKET,
        libc::SO_ATTACH_FILTER,
        &program,
    )
}

/// Asks for what comes beside a frame, and for a queue that holds a burst.
pub(super) fn prepare(fd: &OwnedFd, queue: usize) -> io::Result<()> {
    let on: libc::c_int = 1;
    let fd = fd.as_raw_fd();
    set(fd, libc::SOL_PACKET, libc::PACKET_AUXDATA, &on)?;
    set(fd, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, &on)?;
    let size = queue as libc::c_int;
    // The forced size needs CAP_NET_ADMIN; without it the kernel's limit has to do.
    if set(fd, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, &size).is_err() {
        set(fd, libc::SOL_SOCKET, libc::SO_RCVBUF, &size)?;
    }
    Ok(())
}

/// Waits until a frame can be read from one of the sockets; `false` when the time is over first, or a signal
/// came.
pub(super) fn wait(fds: &[&OwnedFd], time: Duration) -> io::Result<bool> {
    let mut polls: Vec<libc::pollfd> = fds
        .iter()
        .map(|fd| libc::pollfd {
            fd: fd.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        })
        .collect();
    let count = polls.len() as libc::nfds_t;
    let time = libc::timespec {
        tv_sec: time.as_secs() as libc::time_t,
        tv_nsec: libc::c_long::from(time.subsec_nanos() as i32),
    };
    // SAFETY: so many pollfds, a timespec and no signal mask, all alive during the call.
    let ready = unsafe { libc::ppoll(polls.as_mut_ptr(), count, &time, std::ptr::null()) };
    match check(ready) {
        Ok(ready) => Ok(ready > 0),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(false),
        Err(error) => Err(error),
    }
}

/// Room for ancillary data: auxiliary data and a time, with their headers, aligned.
#[repr(align(8))]
struct Control([u8; 256]);

/// Reads a frame with what comes beside it; `None` when there is none.
pub(super) fn receive(fd: &OwnedFd, buffer: &mut [u8]) -> io::Result<Option<Raw>> {
    let mut control = Control([0; 256]);
    // SAFETY: zero is a valid value of these C structs; every pointer in the message points to a
    // local or to `buffer` with its true length; the kernel writes control messages that the CMSG
    // macros walk within msg_controllen, and each payload is read unaligned at its own type.
    unsafe {
        let mut from: libc::sockaddr_ll = mem::zeroed();
        let mut part = libc::iovec {
            iov_base: buffer.as_mut_ptr().cast(),
            iov_len: buffer.len(),
        };
        let mut message: libc::msghdr = mem::zeroed();
        message.msg_name = std::ptr::from_mut(&mut from).cast();
        message.msg_namelen = mem::size_of::<libc::sockaddr_ll>() as libc::socklen_t;
        message.msg_iov = &mut part;
        message.msg_iovlen = 1;
        message.msg_control = control.0.as_mut_ptr().cast();
        message.msg_controllen = control.0.len() as _;
        let flags = libc::MSG_TRUNC | libc::MSG_DONTWAIT;
        let got = libc::recvmsg(fd.as_raw_fd(), &mut message, flags);
        if got < 0 {
            let error = io::Error::last_os_error();
            return match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(None),
                _ => Err(error),
            };
        }
        let mut raw = Raw {
            len: (got as usize).min(buffer.len()),
            original_len: got as usize,
            vlan: None,
            checksum_unfinished: false,
            time: None,
            outgoing: from.sll_pkttype == libc::PACKET_OUTGOING,
        };
        let mut header = libc::CMSG_FIRSTHDR(&message);
        while let Some(it) = header.as_ref() {
            let data = libc::CMSG_DATA(it);
            match (it.cmsg_level, it.cmsg_type) {
                (libc::SOL_PACKET, libc::PACKET_AUXDATA) => {
                    let aux: libc::tpacket_auxdata =
                        data.cast::<libc::tpacket_auxdata>().read_unaligned();
                    raw.checksum_unfinished = aux.tp_status & libc::TP_STATUS_CSUMNOTREADY != 0;
                    if aux.tp_status & libc::TP_STATUS_VLAN_VALID != 0 || aux.tp_vlan_tci != 0 {
                        let tpid = match aux.tp_status & libc::TP_STATUS_VLAN_TPID_VALID {
                            0 => 0x8100,
                            _ => aux.tp_vlan_tpid,
                        };
                        raw.vlan = Some((tpid, aux.tp_vlan_tci));
                    }
                }
                (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) => {
                    let time: libc::timespec = data.cast::<libc::timespec>().read_unaligned();
                    raw.time = Some((time.tv_sec as u64, time.tv_nsec as u32));
                }
                _ => {}
            }
            header = libc::CMSG_NXTHDR(&message, it);
        }
        Ok(Some(raw))
    }
}

/// Frames that the kernel dropped since the last call because the queue was full.
pub(super) fn dropped(fd: &OwnedFd) -> io::Result<u32> {
    // SAFETY: zero is a valid value; pointer and length are those of `stats`.
    unsafe {
        let mut stats: libc::tpacket_stats = mem::zeroed();
        let mut len = mem::size_of::<libc::tpacket_stats>() as libc::socklen_t;
        check(libc::getsockopt(
            fd.as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_STATISTICS,
            std::ptr::from_mut(&mut stats).cast(),
            &mut len,
        ))?;
        Ok(stats.tp_drops)
    }
}
