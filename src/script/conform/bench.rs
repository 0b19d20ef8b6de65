//! Where checks are made: what plays the other side of a server, or of a client.

use std::net::Ipv4Addr;

use super::client_bench::ClientBench;
use super::desk::Desk;
use super::server_bench::ServerBench;
use crate::commands::Error;

/// The place where a suite's checks are made.
pub enum Bench {
    /// Asks a server.
    Server(Box<ServerBench>),
    /// Plays a server for a client.
    Client(Box<ClientBench>),
}

impl Bench {
    /// What both have.
    pub fn desk(&mut self) -> &mut Desk {
        match self {
            Bench::Server(it) => &mut it.desk,
            Bench::Client(it) => &mut it.desk,
        }
    }

    /// A check begins.
    pub fn begin(&mut self, id: &str) {
        match self {
            Bench::Server(it) => it.begin(id),
            Bench::Client(it) => it.begin(id),
        }
    }

    /// A check has ended, or the run: the other side gets back what it gave.
    pub fn clean_up(&mut self, end: bool) -> Result<(), Error> {
        match self {
            Bench::Server(it) => it.clean_up(end),
            Bench::Client(it) => it.clean_up(end),
        }
    }

    /// Whether frames are lost on the way.
    pub fn is_lossy(&self) -> bool {
        match self {
            Bench::Server(it) => it.is_lossy(),
            Bench::Client(_) => false,
        }
    }

    /// Addresses that the server gave and did not get back.
    pub fn kept(&self) -> Vec<Ipv4Addr> {
        match self {
            Bench::Server(it) => it.kept(),
            Bench::Client(_) => Vec::new(),
        }
    }

    /// How the client under test ended, where it did by itself.
    pub fn ended(&mut self) -> Option<String> {
        match self {
            Bench::Server(_) => None,
            Bench::Client(it) => it.ended(),
        }
    }

    /// Addresses that were declined on purpose.
    pub fn declined(&self) -> Vec<Ipv4Addr> {
        match self {
            Bench::Server(it) => it.declined.iter().copied().collect(),
            Bench::Client(_) => Vec::new(),
        }
    }

    /// Addresses that the server was shown to be in use although nobody holds them.
    pub fn in_use(&self) -> Vec<Ipv4Addr> {
        match self {
            Bench::Server(it) => it.in_use.iter().copied().collect(),
            Bench::Client(_) => Vec::new(),
        }
    }
}
