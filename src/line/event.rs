//! What a channel says about itself.

/// Why a hole became a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum GapReason {
    /// It had waited `reorder_wait`.
    Wait,
    /// `reorder_packets` packets had waited behind it.
    Window,
    /// The session or the numbering changed, or its data ended.
    End,
}

impl GapReason {
    /// The name in records.
    pub const fn name(self) -> &'static str {
        match self {
            GapReason::Wait => "wait",
            GapReason::Window => "window",
            GapReason::End => "end",
        }
    }
}

/// Why a packet is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// Its line is not one of the channel's.
    UnknownLine,
    /// It announces more messages than it has bytes, or numbers beyond any sequence.
    Impossible,
    /// A jump ahead that nothing bore out.
    Jump,
    /// A fall back to old numbers, not known to be a repetition, that nothing bore out.
    Fall,
    /// Another session that nothing bore out.
    Session,
    /// The old session's (or numbering's) after it was over.
    Straggler,
    /// Numbers before the first that was ever seen.
    BeforeStart,
}

impl Refusal {
    /// Every refusal, in the order of the counters.
    pub const ALL: [Refusal; 7] = [
        Refusal::UnknownLine,
        Refusal::Impossible,
        Refusal::Jump,
        Refusal::Fall,
        Refusal::Session,
        Refusal::Straggler,
        Refusal::BeforeStart,
    ];

    /// Position in [`Refusal::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The name in records.
    pub const fn name(self) -> &'static str {
        match self {
            Refusal::UnknownLine => "unknown_line",
            Refusal::Impossible => "impossible",
            Refusal::Jump => "absurd_jump",
            Refusal::Fall => "unconfirmed_fall",
            Refusal::Session => "unconfirmed_session",
            Refusal::Straggler => "straggler",
            Refusal::BeforeStart => "before_start",
        }
    }
}

/// One event. Numbers are sequence numbers as on the wire, `first` and `last` inclusive; `count` is how many they
/// are (where numbers wrap round, `last` may be less than `first`). `line` counts from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEvent {
    /// Lost on every line. What it touched is suspect from here on.
    Gap {
        /// First lost number.
        first: u64,
        /// Last lost number.
        last: u64,
        /// How many.
        count: u64,
        /// Arrival that showed the hole.
        began_ns: u64,
        /// Why it waits no longer.
        reason: GapReason,
    },
    /// A copy of what had been declared lost came too late to be delivered. A gap may be filled in pieces.
    GapFilled {
        /// First number.
        first: u64,
        /// Last number.
        last: u64,
        /// How many.
        count: u64,
        /// Line that brought it.
        line: usize,
    },
    /// A hole, or a piece of one, was filled while it waited; said before the delivery.
    Recovered {
        /// First number.
        first: u64,
        /// Last number.
        last: u64,
        /// How many.
        count: u64,
        /// Arrival that showed the hole.
        began_ns: u64,
        /// Line that filled it.
        line: usize,
    },
    /// A line jumped over numbers and did not bring them within `reorder_wait` (or `reorder_packets` packets of its own).
    /// Said for channels of several lines only; with one line the gap says it.
    LineLost {
        /// The line.
        line: usize,
        /// First number.
        first: u64,
        /// Last number.
        last: u64,
        /// How many.
        count: u64,
        /// How many of them were lost on every line, up to now.
        in_gap: u64,
        /// Arrival on the line that showed the hole.
        began_ns: u64,
    },
    /// A line brought after all what it had been said to have lost.
    LineLate {
        /// The line.
        line: usize,
        /// First number.
        first: u64,
        /// Last number.
        last: u64,
        /// How many.
        count: u64,
        /// Time since the arrival on the line that showed the hole.
        lag_ns: u64,
    },
    /// A packet's second copy, on another line than the first: how much later it came. Said once per packet and line.
    LineLead {
        /// Line that was first.
        winner: usize,
        /// Line of this copy.
        loser: usize,
        /// Time between the two arrivals.
        lag_ns: u64,
        /// The first copy is older than the channel remembers: the lag is at least `lag_ns`.
        at_least: bool,
        /// First number that both have.
        sequence: u64,
    },
    /// A line repeated what it had itself brought before.
    Duplicate {
        /// The line.
        line: usize,
        /// First number.
        first: u64,
        /// Last number.
        last: u64,
        /// How many.
        count: u64,
    },
    /// Another session is on the channel; what waited was delivered or declared before.
    SessionChanged {
        /// Session that is over.
        old: u128,
        /// Session from here on.
        new: u128,
        /// First number of it that is expected.
        first: u64,
        /// Line that showed it.
        line: usize,
    },
    /// Numbers start again within the session; what waited was delivered or declared before.
    SequenceReset {
        /// Number that had been expected.
        expected: u64,
        /// Number that is expected from here on.
        first: u64,
        /// Line that showed it.
        line: usize,
    },
    /// A number far ahead ([`super::ABSURD_JUMP`]) or far behind, not believed so far. Said when a doubt
    /// begins; if it is borne out a [`LineEvent::Gap`] or [`LineEvent::SequenceReset`] follows.
    AbsurdSequence {
        /// Number that is expected.
        expected: u64,
        /// Number that came.
        had: u64,
        /// Line that brought it.
        line: usize,
    },
    /// A session that is not (yet) believed.
    SessionDoubted {
        /// Session that goes on.
        session: u128,
        /// Session that the packet claims.
        had: u128,
        /// Line that brought it.
        line: usize,
    },
    /// A packet is refused; its messages are not delivered.
    Refused {
        /// Line that brought it.
        line: usize,
        /// Its first number.
        first: u64,
        /// Messages refused.
        count: u64,
        /// Why.
        refusal: Refusal,
    },
    /// A sign of life without data.
    Heartbeat {
        /// Line.
        line: usize,
        /// Next number to come, as it says.
        next: u64,
    },
    /// The session is over, as a line says; once per line and session.
    EndOfSession {
        /// Line.
        line: usize,
        /// Next number, as it says.
        next: u64,
    },
}
