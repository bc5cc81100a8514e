//! What every feed supplies: its papers, its packet header, its messages.
//!
//! A feed is stateless: what it answers is a function of the bytes alone. Sequence and line
//! state, books and time live elsewhere.

use crate::event::{Event, Side, Sink};
use crate::wire::{Layout, Visitor, WireError};

/// How a feed's event times count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeBase {
    /// Nanoseconds since 1970-01-01 UTC.
    Unix,
    /// Nanoseconds since midnight in the named time zone.
    SinceMidnight(&'static str),
}

/// What one sequence number numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SequenceUnit {
    /// Each message has one; packets may overlap partly.
    #[default]
    Message,
    /// Each packet has one.
    Packet,
}

impl SequenceUnit {
    /// What is counted by such numbers, in a sentence.
    pub const fn word(self) -> &'static str {
        match self {
            SequenceUnit::Message => "message",
            SequenceUnit::Packet => "packet",
        }
    }
}

/// What kind of view of the market it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Order by order.
    Orders,
    /// Price levels, keyed by price or by position.
    Levels,
    /// Top of book.
    Top,
    /// A consolidated feed: participants' quotes and the national best.
    Consolidated,
}

/// A feed's papers.
#[derive(Debug, Clone, Copy)]
pub struct Info {
    /// Name in configurations and records.
    pub name: &'static str,
    /// Title of the specification.
    pub specification: &'static str,
    /// Versions of it that are declared here.
    pub versions: &'static str,
    /// Transport below the messages.
    pub transport: &'static str,
    /// What it carries, in a few words for people.
    pub carries: &'static str,
    /// Kind of view.
    pub depth: Depth,
    /// Venue when the configuration names none (ISO 10383 MIC); empty for a consolidated feed.
    pub venue: &'static str,
    /// Decimals of raw prices; an instrument's definition may say otherwise.
    pub price_decimals: u8,
    /// Time base of event times.
    pub time_base: TimeBase,
    /// What a sequence number numbers.
    pub sequence_unit: SequenceUnit,
    /// Nanoseconds after which a quiet channel sends a heartbeat.
    pub heartbeat_ns: u64,
    /// A number ([`crate::event::Key::Number`]) names the same instrument for every source of the feed, always;
    /// otherwise a number means nothing until the channel has given it a symbol.
    pub number_is_identity: bool,
    /// Quotes count round lots only (a consolidated tape).
    pub round_lots_only: bool,
    /// How it spells the suffixes of US securities: `nasdaq`, `cqs`, `cms` or `act`; empty where that is not known or
    /// there are none.
    pub symbology: &'static str,
    /// MICs of a consolidated feed's participants.
    pub participants: &'static [(u8, &'static str)],
    /// Listing codes (ITCH market category) of the instruments that the feed carries; empty: all.
    pub listings: &'static [u8],
}

/// What kind of packet it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PacketKind {
    /// Messages.
    Data,
    /// Nothing but a sign of life; its sequence number is the next one to come.
    Heartbeat,
    /// The session is over.
    EndOfSession,
    /// Sequence numbers start again with this packet.
    Reset,
}

/// A packet's header, the same for every transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PacketHeader {
    /// The transport's session, as a number (the bytes of a MoldUDP64 session, an IEX-TP session id); 0 without one.
    pub session: u128,
    /// Number of the first message (or of the packet).
    pub sequence: u64,
    /// Sequence numbers that the packet takes: messages, or 1.
    pub count: u32,
    /// Kind of packet.
    pub kind: PacketKind,
    /// When the venue sent it, nanoseconds since 1970-01-01 UTC.
    pub ts_send_ns: Option<u64>,
    /// Bytes of header before the first message.
    pub len: usize,
    /// Bits of a sequence number on the wire (wrap-around), 64 where it never wraps.
    pub sequence_bits: u8,
}

/// Where a message lies in the payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// First byte of the message (behind a transport's length prefix).
    pub start: usize,
    /// First byte behind it.
    pub end: usize,
}

/// A message of a known layout, for listing.
#[derive(Debug, Clone, Copy)]
pub struct Described {
    /// The table.
    pub layout: &'static Layout,
    /// Length of the first block where the message says it; see [`crate::wire::walk`].
    pub block_len: Option<usize>,
}

/// What `decode` made of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decoded {
    /// Known: its position in [`Feed::MESSAGES`].
    Message(u16),
    /// A type that is not declared (a newer version's): to be counted and passed by.
    Unknown(u32),
}

/// A message that does one thing to one order of the book.
#[derive(Debug, Clone, Copy)]
pub struct OrderMessage {
    /// The venue's time of the event, in the feed's time base.
    pub ts: u64,
    /// The feed's number for the instrument.
    pub instrument: u64,
    /// The message's position in [`Feed::MESSAGES`].
    pub message: u16,
    /// What it does.
    pub change: OrderChange,
}

/// A change of one order, of whatever instrument: the events of orders in one form. What an act does not mention means nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderChange {
    /// The order.
    pub order: u64,
    /// The order that comes in its place; of [`OrderAct::Replaces`].
    pub new_order: u64,
    /// Raw price of what comes in; of [`OrderAct::Enters`] and [`OrderAct::Replaces`].
    pub price: i64,
    /// What comes in or is lost; of all but [`OrderAct::Leaves`].
    pub quantity: u64,
    /// Of [`OrderAct::Enters`].
    pub side: Side,
    /// What is done.
    pub act: OrderAct,
}

impl OrderChange {
    /// The change that the event is; `None` for events of something else, and for [`Event::OrderPut`], which is either.
    #[inline(always)]
    pub const fn of(event: &Event<'_>) -> Option<OrderChange> {
        let plain = OrderChange {
            order: 0,
            new_order: 0,
            price: 0,
            quantity: 0,
            side: Side::Bid,
            act: OrderAct::Leaves,
        };
        Some(match *event {
            Event::OrderAdd { order, side, price, quantity, .. } => {
                OrderChange { order, side, price, quantity, act: OrderAct::Enters, ..plain }
            }
            Event::OrderExecute { order, quantity, .. } => {
                OrderChange { order, quantity, act: OrderAct::Executes, ..plain }
            }
            Event::OrderReduce { order, quantity, .. } => {
                OrderChange { order, quantity, act: OrderAct::Reduces, ..plain }
            }
            Event::OrderDelete { order, .. } => OrderChange { order, ..plain },
            Event::OrderReplace { order, new_order, price, quantity, .. } => {
                OrderChange { order, new_order, price, quantity, act: OrderAct::Replaces, ..plain }
            }
            _ => return None,
        })
    }
}

/// What is done to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum OrderAct {
    /// As [`crate::event::Event::OrderAdd`].
    Enters,
    /// As [`crate::event::Event::OrderExecute`].
    Executes,
    /// As [`crate::event::Event::OrderReduce`].
    Reduces,
    /// As [`crate::event::Event::OrderDelete`].
    Leaves,
    /// As [`crate::event::Event::OrderReplace`].
    Replaces,
}

/// One feed. `feeds/README.md` says how to add one.
pub trait Feed {
    /// Its papers.
    const INFO: Info;
    /// Every message of the specification.
    const MESSAGES: &'static [&'static Layout];

    /// Reads the packet's header.
    ///
    /// # Errors
    /// When the payload is not a packet of this feed.
    fn header(payload: &[u8]) -> Result<PacketHeader, WireError>;

    /// The message at `at` (from `header.len` on); `None` at the end of the payload.
    ///
    /// # Errors
    /// When the framing contradicts the payload's length; nothing behind it can be read.
    fn split(payload: &[u8], at: usize) -> Result<Option<Span>, WireError>;

    /// Which layout a message has; `Ok(None)` for a type that is not declared.
    ///
    /// # Errors
    /// When even the type cannot be read.
    fn describe(message: &[u8]) -> Result<Option<Described>, WireError>;

    /// Hands the message's events to `sink`.
    ///
    /// # Errors
    /// When the message is shorter than its layout or contradicts itself. Events handed over before the fault stand.
    fn decode<S: Sink>(message: &[u8], header: &PacketHeader, sink: &mut S) -> Result<Decoded, WireError>;

    /// A message that does one thing to one order, as that; `None` for every other and for what cannot be decoded. Where it
    /// says something, [`Feed::decode`] says that event and no other, and succeeds.
    #[inline]
    fn order_message(message: &[u8]) -> Option<OrderMessage> {
        let _ = message;
        None
    }

    /// How surely the payload is this feed's, 0 to 100, from its bytes alone.
    fn recognise(payload: &[u8]) -> u8;

    /// Lists every field; `Ok(None)` for an unknown type.
    ///
    /// # Errors
    /// When the bytes contradict the layout.
    fn list(message: &[u8], visitor: &mut dyn Visitor) -> Result<Option<&'static Layout>, WireError> {
        match Self::describe(message)? {
            Some(Described { layout, block_len }) => {
                crate::wire::walk(layout, message, block_len, visitor).map(|()| Some(layout))
            }
            None => Ok(None),
        }
    }
}
