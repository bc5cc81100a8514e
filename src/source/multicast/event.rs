//! What happened to a line, its interface or the machine, for people.

use super::plan::Interface;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetEvent {
    /// Number of the line, where it is about one.
    pub line: Option<usize>,
    /// Its name; empty where it is about none.
    pub name: String,
    /// What happened.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// The interface went down or lost its carrier.
    LinkDown {
        /// Which.
        interface: String,
    },
    /// The interface is up again. Groups stay joined over this.
    LinkUp {
        /// Which.
        interface: String,
    },
    /// The interface, or its address, is gone.
    InterfaceGone {
        /// As it was configured.
        interface: Interface,
    },
    /// The interface is another one than before (recreated, or the address moved): the group was joined on it.
    Joined {
        /// Which.
        interface: String,
    },
    /// Nothing came for the configured time: the group was left and joined. Said once for a silence, done again and
    /// again.
    Rejoined {
        /// How long nothing had come, nanoseconds.
        silent_ns: u64,
    },
    /// The group could not be joined; it is tried again every time. Said once.
    JoinFailed {
        /// What the system said.
        error: String,
    },
    /// The receive buffer is smaller than was asked for. Said once.
    BufferSmall {
        /// Bytes asked for.
        asked: u64,
        /// Bytes granted.
        granted: u64,
    },
    /// The kernel dropped datagrams for want of room in the socket's buffer.
    SocketDrops {
        /// How many since this was last looked at.
        dropped: u64,
    },
    /// The kernel dropped packets before any socket, of whatever line.
    HostDrops {
        /// How many since this was last looked at.
        dropped: u64,
    },
    /// The wall's clock was set, or the machine slept.
    ClockStepped {
        /// By how much, nanoseconds; below 0 is back.
        by_ns: i64,
    },
    /// Whether the kernel stamps datagrams as they arrive could not be made sure of when the receiver was opened: the
    /// first ones may bear the time at which they were taken.
    StampsLate {
        /// What went wrong.
        error: String,
    },
    /// Something that is looked at cannot be read. Said once.
    Unreadable {
        /// What.
        what: &'static str,
        /// What the system said.
        error: String,
    },
}

impl std::fmt::Display for NetEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.line.is_some() {
            write!(f, "line {}: ", self.name)?;
        }
        match &self.what {
            What::LinkDown { interface } => {
                write!(
                    f,
                    "the interface {interface} is down; see its cable, switch port or `ip link set {interface} up`"
                )
            }
            What::LinkUp { interface } => write!(f, "the interface {interface} is up"),
            What::InterfaceGone { interface } => {
                write!(f, "the interface {interface} is gone; the group is joined again when it is back")
            }
            What::Joined { interface } => write!(f, "joined on the interface {interface}"),
            What::Rejoined { silent_ns } => {
                write!(f, "nothing came for {} s; the group was joined again", silent_ns / 1_000_000_000)
            }
            What::JoinFailed { error } => {
                write!(f, "the group cannot be joined ({error}); it is tried again")
            }
            What::BufferSmall { asked, granted } => write!(
                f,
                "the receive buffer is {granted} bytes, not the {asked} asked for; \
                 `sysctl -w net.core.rmem_max={asked}` or CAP_NET_ADMIN allows them"
            ),
            What::SocketDrops { dropped } => write!(
                f,
                "the kernel dropped {dropped} datagrams for want of room in the receive buffer; \
                 the receiver is too slow or the buffer too small"
            ),
            What::HostDrops { dropped } => write!(
                f,
                "the kernel dropped {dropped} packets before any socket; \
                 `sysctl -w net.core.netdev_max_backlog=10000` gives them more room"
            ),
            What::ClockStepped { by_ns } => {
                let (ms, way) =
                    (by_ns.unsigned_abs() / 1_000_000, if *by_ns < 0 { "back" } else { "forward" });
                write!(f, "the clock was set {way} by {ms} ms")?;
                match *by_ns {
                    ..=-1_000_000_000 => f.write_str("; the daemon's time runs on from where it was"),
                    -999_999_999..0 => f.write_str("; the daemon's time stands still until it has caught up"),
                    _ => Ok(()),
                }
            }
            What::StampsLate { error } => write!(
                f,
                "the kernel's timestamps could not be tried out ({error}); \
                 the first datagrams may bear the time at which they were taken"
            ),
            What::Unreadable { what, error } => write!(f, "{what} cannot be read: {error}"),
        }
    }
}
