//! Our vocabulary: what a message means, in words that are the same for every feed.
//!
//! A wire layout never judges; an [`Event`] holds only what the rest of the house can act on.
//! Prices are raw integers in the instrument's own scale: how many decimals they have is said
//! by the feed ([`crate::feed::Info::price_decimals`]) or by the instrument's definition.

/// Which side of the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Buyers.
    Bid,
    /// Sellers.
    Ask,
}

impl Side {
    /// 0 for the bid, 1 for the ask.
    #[inline]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The ask or else the bid, without a branch: in most feeds nobody can foretell which it will be.
    #[inline]
    pub const fn ask_if(ask: bool) -> Side {
        [Side::Bid, Side::Ask][ask as usize]
    }

    /// The other side.
    #[inline]
    pub const fn opposite(self) -> Side {
        match self {
            Side::Bid => Side::Ask,
            Side::Ask => Side::Bid,
        }
    }

    /// `bid` or `ask`.
    pub const fn name(self) -> &'static str {
        match self {
            Side::Bid => "bid",
            Side::Ask => "ask",
        }
    }
}

/// What a feed calls an instrument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key<'a> {
    /// A number that stands for the instrument on this channel (stock locate, security id, market id).
    Number(u64),
    /// The symbol itself, without padding.
    Symbol(&'a [u8]),
}

/// Whether, and how, an instrument trades.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum TradingState {
    /// The feed has not said; judged as trading.
    #[default]
    Unknown,
    /// Continuous trading.
    Trading,
    /// Orders are taken, nothing trades yet (pre-open, order acceptance, quote-only periods, auctions).
    Auction,
    /// Halted, paused or suspended.
    Halted,
    /// Not in session.
    Closed,
}

impl TradingState {
    /// The name in records.
    pub const fn name(self) -> &'static str {
        match self {
            TradingState::Unknown => "unknown",
            TradingState::Trading => "trading",
            TradingState::Auction => "auction",
            TradingState::Halted => "halted",
            TradingState::Closed => "closed",
        }
    }
}

/// Whom a trading state concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StateScope<'a> {
    /// Every instrument of the channel.
    All,
    /// One instrument.
    Instrument(Key<'a>),
    /// One instrument at this venue only, beside its trading state (an operational halt): the stricter holds.
    Operational(Key<'a>),
    /// One instrument at one participant of a consolidated feed.
    Participant(Key<'a>, u8),
    /// Every instrument of a group or product (MDP3 security group), by name.
    Group(&'a [u8]),
}

/// An instrument as the feed defines it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Definition<'a> {
    /// The feed's number for it, where it has one.
    pub number: Option<u64>,
    /// Its symbol.
    pub symbol: &'a [u8],
    /// Decimals of its prices, where the definition says so.
    pub price_decimals: Option<u8>,
    /// Shares or contracts in a round lot.
    pub round_lot: Option<u32>,
    /// Smallest price step in units of 1e-9.
    pub tick_nanos: Option<u64>,
    /// The feed's code for the listing market (ITCH market category), 0 when unsaid.
    pub listing: u8,
    /// Group or product it belongs to, for states that concern a group.
    pub group: &'a [u8],
    /// Marked as a test instrument.
    pub test: bool,
}

/// One side of a quote: price and quantity; `None` when the side is empty.
pub type QuoteSide = Option<(i64, u64)>;

/// Whose quote it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quoter {
    /// The venue that publishes the feed.
    Venue,
    /// A participant of a consolidated feed, by the feed's code.
    Participant(u8),
    /// The national best that a consolidated feed publishes.
    National,
}

/// What is done to a numbered price level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LevelAction {
    /// A level comes in at the position; deeper ones move down.
    New,
    /// The level at the position changes.
    Change,
    /// The level at the position goes; deeper ones move up.
    Delete,
    /// Every level from the best down to the position goes.
    DeleteThru,
    /// Every level from the position down goes.
    DeleteFrom,
    /// The level at the position is written over, whatever was there.
    Overlay,
}

/// Two sets of levels that a feed keeps apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Ladder {
    /// Outright orders.
    Outright,
    /// Liquidity implied from other instruments.
    Implied,
}

/// One fact from a feed. Quantities are in the feed's own units (shares, contracts, lots).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event<'a> {
    /// An instrument is defined or redefined.
    Define(Definition<'a>),
    /// A displayed order comes into the book.
    OrderAdd {
        /// Instrument; `symbol` names it where the message does (else empty).
        key: Key<'a>,
        /// Symbol in the message, or empty.
        symbol: &'a [u8],
        /// Order id.
        order: u64,
        /// Side.
        side: Side,
        /// Raw price.
        price: i64,
        /// Displayed quantity.
        quantity: u64,
    },
    /// An order's new state, whether or not it was known before (ICE Add/Modify, MDP3 order change).
    OrderPut {
        /// Instrument.
        key: Key<'a>,
        /// Order id.
        order: u64,
        /// Side.
        side: Side,
        /// Raw price.
        price: i64,
        /// Displayed quantity.
        quantity: u64,
        /// The order must be known already (a change, not an add).
        known: bool,
    },
    /// An order executed for `quantity`, at its own price or at `price`.
    OrderExecute {
        /// Instrument.
        key: Key<'a>,
        /// Order id.
        order: u64,
        /// Executed quantity.
        quantity: u64,
        /// The execution's price where it differs from the order's.
        price: Option<i64>,
    },
    /// An order loses `quantity` without trading.
    OrderReduce {
        /// Instrument.
        key: Key<'a>,
        /// Order id.
        order: u64,
        /// Cancelled quantity.
        quantity: u64,
    },
    /// An order leaves the book.
    OrderDelete {
        /// Instrument.
        key: Key<'a>,
        /// Order id.
        order: u64,
    },
    /// An order is replaced by another on the same side.
    OrderReplace {
        /// Instrument.
        key: Key<'a>,
        /// Order that goes.
        order: u64,
        /// Order that comes.
        new_order: u64,
        /// New raw price.
        price: i64,
        /// New displayed quantity.
        quantity: u64,
    },
    /// The whole quantity at a price is now `quantity`; 0 removes the level.
    LevelSet {
        /// Instrument.
        key: Key<'a>,
        /// Side.
        side: Side,
        /// Raw price.
        price: i64,
        /// Total displayed quantity at it.
        quantity: u64,
        /// More changes of the same instrument follow that belong to the same transaction.
        partial: bool,
    },
    /// A numbered level changes (1 is the best).
    LevelAt {
        /// Instrument.
        key: Key<'a>,
        /// Outright or implied.
        ladder: Ladder,
        /// What is done.
        action: LevelAction,
        /// Side.
        side: Side,
        /// Position from 1.
        position: u8,
        /// Raw price.
        price: i64,
        /// Total quantity at it.
        quantity: u64,
        /// Orders at it, 0 when the feed does not say.
        orders: u32,
    },
    /// A quote replaces the quoter's last one.
    Quote {
        /// Instrument.
        key: Key<'a>,
        /// Whose.
        quoter: Quoter,
        /// Bid.
        bid: QuoteSide,
        /// Ask.
        ask: QuoteSide,
        /// The quoter's state where the quote says it (closed, halted, ...).
        state: Option<TradingState>,
    },
    /// A trade.
    Trade {
        /// Instrument.
        key: Key<'a>,
        /// Symbol in the message, or empty.
        symbol: &'a [u8],
        /// Raw price.
        price: i64,
        /// Quantity.
        quantity: u64,
    },
    /// Trading state of an instrument, a group or everything.
    State {
        /// Whom it concerns.
        scope: StateScope<'a>,
        /// Symbol in the message, or empty.
        symbol: &'a [u8],
        /// The state.
        state: TradingState,
    },
    /// The instrument's own sequence number (MDP3 RptSeq), said before the change it numbers.
    InstrumentSequence {
        /// Instrument.
        key: Key<'a>,
        /// Number; each change of the instrument has the next one.
        sequence: u32,
    },
    /// The book of one instrument (or of all, `None`) is empty from here.
    Clear {
        /// Instrument, or all of the channel.
        key: Option<Key<'a>>,
    },
    /// The price bands of an instrument from now on: nothing may trade outside them (Limit Up - Limit Down).
    PriceBands {
        /// Instrument.
        key: Key<'a>,
        /// Lower band, raw.
        lower: i64,
        /// Upper band, raw.
        upper: i64,
    },
    /// Every quote of the quoter is void, whatever the instrument (a wipe-out of a consolidated feed).
    WipeOut {
        /// Whose.
        quoter: Quoter,
    },
    /// What follows for this instrument restates its whole book (a snapshot): the book is empty and,
    /// after it, whole again.
    Snapshot {
        /// Instrument.
        key: Key<'a>,
        /// The last channel sequence number that the snapshot contains, where it says so.
        last_sequence: Option<u64>,
        /// The instrument's own sequence number up to which it goes, where it says so.
        instrument_sequence: Option<u32>,
    },
}

impl<'a> Event<'a> {
    /// The instrument that it is about; nothing where it is about none, a group or all.
    pub fn key(&self) -> Option<Key<'a>> {
        match *self {
            Event::OrderAdd { key, .. }
            | Event::OrderPut { key, .. }
            | Event::OrderExecute { key, .. }
            | Event::OrderReduce { key, .. }
            | Event::OrderDelete { key, .. }
            | Event::OrderReplace { key, .. }
            | Event::LevelSet { key, .. }
            | Event::LevelAt { key, .. }
            | Event::Quote { key, .. }
            | Event::Trade { key, .. }
            | Event::InstrumentSequence { key, .. }
            | Event::PriceBands { key, .. }
            | Event::Snapshot { key, .. } => Some(key),
            Event::Clear { key } => key,
            Event::Define(definition) => {
                Some(definition.number.map_or(Key::Symbol(definition.symbol), Key::Number))
            }
            Event::State { scope, .. } => match scope {
                StateScope::Instrument(key)
                | StateScope::Operational(key)
                | StateScope::Participant(key, _) => Some(key),
                StateScope::All | StateScope::Group(_) => None,
            },
            Event::WipeOut { .. } => None,
        }
    }
}

/// Takes the events of messages, in the order of the bytes.
pub trait Sink {
    /// `ts_event_ns` is the venue's time of the event in the feed's time base
    /// ([`crate::feed::TimeBase`]); 0 when the message has none.
    fn event(&mut self, ts_event_ns: u64, event: Event<'_>);
}

impl<F: FnMut(u64, Event<'_>)> Sink for F {
    #[inline]
    fn event(&mut self, ts_event_ns: u64, event: Event<'_>) {
        self(ts_event_ns, event);
    }
}
