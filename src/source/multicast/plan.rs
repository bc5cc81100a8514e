//! What a receiver is to listen to, and why it could not.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

/// One line: a group on an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinePlan {
    /// `source/channel/line`, by which it is reported.
    pub name: String,
    /// Group and port.
    pub group: SocketAddr,
    /// Where it is joined.
    pub interface: Interface,
    /// Only datagrams of this sender: a source-specific join (RFC 4607).
    pub sender: Option<Ipv4Addr>,
}

/// The interface on which a group is joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Interface {
    /// The one that bears this address.
    Address(Ipv4Addr),
    /// The one of this name.
    Name(String),
    /// The one to which the kernel routes the group.
    Any,
}

impl Interface {
    /// From the configuration: an IPv4 address, else a name; nothing is [`Interface::Any`].
    pub fn parse(text: Option<&str>) -> Self {
        match text {
            None | Some("") => Self::Any,
            Some(text) => text.parse().map_or_else(|_| Self::Name(text.to_owned()), Self::Address),
        }
    }
}

impl std::fmt::Display for Interface {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Name(name) => name.fmt(f),
            Self::Any => f.write_str("any"),
        }
    }
}

/// What a receiver does when nothing is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Mode {
    /// Asks again at once: the lowest latency, for a core of its own.
    #[default]
    Spin,
    /// Waits in the kernel: several times the latency, for cores that others need too.
    Block,
}

/// How a receiver works.
#[derive(Clone, Debug)]
pub struct Options {
    /// Receive buffer of each socket, bytes, as `SO_RCVBUF` counts it (the kernel sets twice as much aside).
    pub receive_buffer: usize,
    /// A line on which nothing came for so long is joined again, nanoseconds; 0 is never.
    pub rejoin_after_ns: u64,
    /// Datagrams taken by one call; at least 1, at most 1,024.
    pub batch: usize,
    /// The longest datagram that is taken whole, bytes; at most 65,535.
    pub datagram_max: usize,
    /// What is done when nothing is there.
    pub mode: Mode,
    /// How long a datagram may be on its way from the kernel's stamp to its socket, nanoseconds: by so much a
    /// watermark stays behind the clock. One that takes longer has its time moved forward, and is counted.
    pub margin_ns: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            receive_buffer: 64 << 20,
            rejoin_after_ns: 10_000_000_000,
            batch: 32,
            datagram_max: 9216,
            mode: Mode::Spin,
            margin_ns: 50_000,
        }
    }
}

/// Why lines cannot be opened. Each displays as one sentence for people.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Not an IPv4 multicast group.
    #[error(
        "line {line}: {group} is not an IPv4 multicast group; it should be within 224.0.0.0 to 239.255.255.255, with a port above 0"
    )]
    Group {
        /// The line.
        line: String,
        /// What was given.
        group: SocketAddr,
    },
    /// IPv6 is not received.
    #[error("line {line}: {group} is IPv6, which is not received yet; give the feed's IPv4 group")]
    Ipv6 {
        /// The line.
        line: String,
        /// What was given.
        group: SocketAddr,
    },
    /// A sender that nobody can have.
    #[error(
        "line {line}: the sender {sender} is no host's address; give the address from which the feed sends, or leave it out to hear every sender"
    )]
    Sender {
        /// The line.
        line: String,
        /// What was given.
        sender: Ipv4Addr,
    },
    /// The interface is not there.
    #[error("line {line}: no interface of this machine has the {what} {interface}; there are {present}")]
    Interface {
        /// The line.
        line: String,
        /// `address` or `name`.
        what: &'static str,
        /// What was given.
        interface: Interface,
        /// The machine's interfaces.
        present: String,
    },
    /// The interfaces could not be listed.
    #[error("the interfaces of this machine cannot be listed: {source}; allow this process netlink sockets")]
    Interfaces {
        /// What the system said.
        source: io::Error,
    },
    /// A source-specific join needs an interface.
    #[error(
        "line {line}: to join the sender {sender} alone, the interface must be given: its address or its name"
    )]
    SenderWithoutInterface {
        /// The line.
        line: String,
        /// What was given.
        sender: Ipv4Addr,
    },
    /// The system refused.
    #[error("line {line}: cannot {action} {group}: {source}; {remedy}")]
    System {
        /// The line.
        line: String,
        /// Its group.
        group: SocketAddr,
        /// What was tried.
        action: &'static str,
        /// What the system said.
        source: io::Error,
        /// What would help.
        remedy: &'static str,
    },
    /// Waiting could not be set up.
    #[error(
        "cannot set up waiting for sockets: {source}; raise the limit of open files, or use the mode \"spin\""
    )]
    Wait {
        /// What the system said.
        source: io::Error,
    },
}
