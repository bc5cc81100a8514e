//! What can go wrong, as the scenario orders it.
//!
//! A fault here is an order with a target and a window; the parts of the simulator that carry it out ask
//! these tables what holds at a time. Nothing here knows how a check would notice.

/// One of the views of the market that are simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourceId {
    /// The venue's own feed, order by order.
    Direct,
    /// The consolidated feed.
    Sip,
    /// The venue's own feed once more, as it reaches a second site; only where the scenario has one.
    Backup,
}

impl SourceId {
    /// Name in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            SourceId::Direct => "direct",
            SourceId::Sip => "sip",
            SourceId::Backup => "backup",
        }
    }

    /// Every one.
    pub const ALL: [SourceId; 3] = [SourceId::Direct, SourceId::Sip, SourceId::Backup];
    /// The two that are there in every scenario, and whose differences are followed.
    pub const PAIR: [SourceId; 2] = [SourceId::Direct, SourceId::Sip];
}

/// How bytes are damaged; each way is one that a decoder can tell from a good packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// The datagram ends within its last message.
    Truncate,
    /// The first message's length reaches beyond the datagram.
    Length,
    /// The datagram ends within the packet's header.
    Header,
}

impl Damage {
    /// Every way, by its name in scenarios.
    pub const ALL: [(&'static str, Damage); 3] =
        [("truncate", Damage::Truncate), ("length", Damage::Length), ("header", Damage::Header)];
}

/// What goes wrong.
#[allow(missing_docs, reason = "a variant's line says what its fields are")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The SIP quotes a price that is `ticks` off on the sides given; from the next move of the side, or at once.
    WrongPrice { bid: bool, ask: bool, ticks: i64, at_once: bool },
    /// A source, some of its instruments, or one of its lines comes later by this much.
    Lag { by_ns: u64 },
    /// The SIP stops updating instruments.
    Freeze,
    /// Nothing arrives, heartbeats included.
    Silence,
    /// Data stop, heartbeats go on.
    HeartbeatsOnly,
    /// Packets are lost: so many in a row, or so many thousandths of a percent of the window's.
    Loss { packets: Option<u64>, milli_percent: u64 },
    /// So many packets arrive later than the ones behind them.
    Reorder { packets: u64, by_ns: u64 },
    /// So many packets arrive twice on their line.
    Duplicate { packets: u64 },
    /// The venue halts instruments and the SIP says so too; `missed`: the SIP goes on quoting.
    Halt { missed: bool },
    /// The SIP quotes the venue's bid so many ticks above its ask.
    CrossedQuote { ticks: i64 },
    /// Timestamps are off by this much, nanoseconds; ahead when positive.
    ClockError { by_ns: i64 },
    /// So many packets are damaged.
    Corruption { damage: Damage, packets: u64 },
    /// Instruments never appear on the SIP.
    Missing,
    /// The SIP sends what it quoted in the last `back_ns` again, in so many bursts, participant by participant, as if
    /// it were new; while a burst lasts it says nothing else.
    OldQuotes { back_ns: u64, bursts: u64 },
    /// The SIP works its price bands out from so many percent of the true reference price, and pauses the instruments
    /// `after_ns` later; the venue trades on.
    WrongBands { percent: u64, after_ns: u64 },
    /// The venue closes for the day; the SIP does not, and quotes every instrument at `price` (4 decimals).
    TestData { price: u32 },
    /// The port on which the SIP takes the venue's quotes passes so many a second and no more.
    Saturated { ceiling: u64 },
    /// Instruments move to the SIP's other channel, and back at the end.
    Moved,
    /// While more than `load` quotes of the venue came within the last 100 ms, the SIP drops what they say of the ask.
    CrossedLoad { load: u64 },
    /// Quotation only, as before an opening: orders so many ticks through the other side stand in the venue's book.
    PreOpen { ticks: u32 },
}

impl Kind {
    /// Name in scenarios and in the truth.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::WrongPrice { .. } => "wrong_price",
            Kind::Lag { .. } => "lag",
            Kind::Freeze => "freeze",
            Kind::Silence => "silence",
            Kind::HeartbeatsOnly => "heartbeats_only",
            Kind::Loss { .. } => "loss",
            Kind::Reorder { .. } => "reorder",
            Kind::Duplicate { .. } => "duplicate",
            Kind::Halt { missed: false } => "halt",
            Kind::Halt { missed: true } => "missed_halt",
            Kind::CrossedQuote { .. } => "crossed_quote",
            Kind::ClockError { .. } => "clock_error",
            Kind::Corruption { .. } => "corruption",
            Kind::Missing => "missing",
            Kind::OldQuotes { .. } => "old_quotes",
            Kind::WrongBands { .. } => "wrong_bands",
            Kind::TestData { .. } => "test_data",
            Kind::Saturated { .. } => "saturated",
            Kind::Moved => "moved",
            Kind::CrossedLoad { .. } => "crossed_load",
            Kind::PreOpen { .. } => "pre_open",
        }
    }
}

/// One fault of a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What.
    pub kind: Kind,
    /// In which source.
    pub source: SourceId,
    /// On which of the source's lines by position; empty: all of them.
    pub lines: Vec<usize>,
    /// In which instruments by index; empty: all of them.
    pub instruments: Vec<usize>,
    /// From when, nanoseconds since 1970.
    pub from_ns: u64,
    /// Until when (not included), nanoseconds since 1970.
    pub to_ns: u64,
}

impl Fault {
    /// It holds at that time.
    pub fn at(&self, ts_ns: u64) -> bool {
        (self.from_ns..self.to_ns).contains(&ts_ns)
    }

    /// It concerns that instrument.
    pub fn covers(&self, instrument: usize) -> bool {
        self.instruments.is_empty() || self.instruments.contains(&instrument)
    }

    /// It concerns that line of its source.
    pub fn on_line(&self, line: usize) -> bool {
        self.lines.is_empty() || self.lines.contains(&line)
    }

    /// Nothing at all arrives from its source.
    pub fn silences(&self) -> bool {
        let lines = super::LINES.iter().filter(|l| l.source == self.source).count();
        self.kind == Kind::Silence && (0..lines).all(|line| self.on_line(line))
    }

    /// It is a matter of lines and packets, not of what the source says.
    pub fn is_transport(&self) -> bool {
        match self.kind {
            Kind::Silence
            | Kind::Loss { .. }
            | Kind::Reorder { .. }
            | Kind::Duplicate { .. }
            | Kind::Corruption { .. } => true,
            // The SIP itself is late; the venue's feed can only be late on the way.
            Kind::Lag { .. } => self.source != SourceId::Sip || !self.lines.is_empty(),
            _ => false,
        }
    }
}

/// The error of a source's clock at that time.
pub fn clock_error_ns(faults: &[Fault], source: SourceId, ts_ns: u64) -> i64 {
    faults
        .iter()
        .filter(|f| f.source == source && f.at(ts_ns))
        .filter_map(|f| if let Kind::ClockError { by_ns } = f.kind { Some(by_ns) } else { None })
        .sum()
}

/// Whether the source only sends heartbeats at that time.
pub fn only_heartbeats(faults: &[Fault], source: SourceId, ts_ns: u64) -> bool {
    faults.iter().any(|f| f.source == source && f.kind == Kind::HeartbeatsOnly && f.at(ts_ns))
}
