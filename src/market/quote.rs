//! A top of book as it is shown, compared and recorded.

use crate::alert::json;

/// A price in units of 1e-9 and the quantity shown at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// Price, units of 1e-9.
    pub price: i64,
    /// Quantity in the feed's units.
    pub quantity: u64,
}

/// Whether a quote can be believed, and if not, why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Quality {
    /// Continuous trading, nothing known to be wrong.
    #[default]
    Ok,
    /// After a gap: messages that may have changed it are missing.
    Suspect,
    /// Halted, paused or suspended.
    Halted,
    /// Auction or pre-open: orders do not trade against each other.
    Auction,
    /// Not in session.
    Closed,
}

impl Quality {
    /// Every quality, the best first.
    pub const ALL: [Quality; 5] =
        [Quality::Ok, Quality::Suspect, Quality::Halted, Quality::Auction, Quality::Closed];

    /// Name in records.
    pub const fn name(self) -> &'static str {
        match self {
            Quality::Ok => "ok",
            Quality::Suspect => "suspect",
            Quality::Halted => "halted",
            Quality::Auction => "auction",
            Quality::Closed => "closed",
        }
    }
}

/// Where a quote came from: enough to find its packet again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Origin {
    /// The venue's time, nanoseconds since 1970 UTC; 0 when the feed gives none.
    pub ts_event_ns: u64,
    /// When its packet was received, nanoseconds since 1970 UTC.
    pub ts_recv_ns: u64,
    /// Sequence number of its message, or of its packet.
    pub sequence: u64,
    /// Capture, by position among the inputs.
    pub capture: u32,
    /// Packet of the capture, from 1.
    pub frame: u64,
}

/// A top of book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Quote {
    /// Best bid and ask, by side index.
    pub best: [Option<Level>; 2],
    /// Best bid and ask at which a round lot is shown.
    pub round_lot: [Option<Level>; 2],
    /// Whether to believe it.
    pub quality: Quality,
}

impl Quote {
    /// Best bid not below best ask: -1 apart, 0 locked, 1 crossed; `None` when a side is empty.
    pub fn crossing(&self) -> Option<std::cmp::Ordering> {
        let (bid, ask) = (self.best[0]?, self.best[1]?);
        Some(bid.price.cmp(&ask.price))
    }

    /// Whether records show both alike: of round lots they give the price, not how many are shown at it.
    #[inline]
    pub fn shows_as(&self, other: &Quote) -> bool {
        let prices = |quote: &Quote| quote.round_lot.map(|level| level.map(|l| l.price));
        self.best == other.best && self.quality == other.quality && prices(self) == prices(other)
    }

    /// Appends the members that quotes and alerts share.
    pub fn write_members(&self, out: &mut Vec<u8>) {
        let [bid, ask] = self.best;
        json::price(out, "bid", bid.map(|l| l.price));
        json::unsigned(out, "bid_qty", bid.map_or(0, |l| l.quantity));
        json::price(out, "ask", ask.map(|l| l.price));
        json::unsigned(out, "ask_qty", ask.map_or(0, |l| l.quantity));
    }

    /// Appends the round-lot prices.
    pub fn write_round_lot(&self, out: &mut Vec<u8>) {
        json::price(out, "round_lot_bid", self.round_lot[0].map(|l| l.price));
        json::price(out, "round_lot_ask", self.round_lot[1].map(|l| l.price));
    }
}
