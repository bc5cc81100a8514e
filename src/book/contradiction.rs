//! What an event can say that the book knows to be untrue.

/// A contradiction between an event and the book. The caller adds sequence and time and counts by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Contradiction {
    /// An order that is not in the book is executed, reduced, deleted, replaced or changed. After a start in
    /// mid-stream this is expected of orders older than the start, and cannot be told from a loss: count it
    /// apart while [`super::Books::whole`] is false.
    UnknownOrder,
    /// An order id is added that lives already; the newer statement wins.
    DuplicateOrder,
    /// More is executed than the order has; the order goes.
    OverExecution,
    /// More is cancelled than the order has; the order goes.
    OverReduction,
    /// The order lives, but under another instrument; nothing is done.
    WrongInstrument,
    /// A numbered level beyond the book's depth, or beyond the last level plus one of a whole book.
    LevelOutOfRange,
    /// A level is changed or deleted that is not known: in a whole book the feed contradicts itself, in one that
    /// was joined in mid-stream it is expected.
    LevelUnknown,
    /// A changed or deleted level has another price than the book has at its position; the event wins.
    LevelMismatch,
    /// The price does not fit between its neighbours' prices; the event stands all the same.
    LevelOutOfOrder,
    /// A quantity of zero where something should come into the book or go; a numbered level becomes unknown.
    ZeroQuantity,
    /// The sum of a level would not fit 64 bits; the order is refused.
    QuantityOverflow,
    /// Bid above ask in continuous trading. Never answered by [`super::Books::apply`], which knows neither the
    /// packet's end nor the trading state: the caller asks [`super::Books::crossed`] and counts under this name.
    Crossed,
}

impl Contradiction {
    /// Every kind, in the order of the counters.
    pub const ALL: [Contradiction; 12] = [
        Contradiction::UnknownOrder,
        Contradiction::DuplicateOrder,
        Contradiction::OverExecution,
        Contradiction::OverReduction,
        Contradiction::WrongInstrument,
        Contradiction::LevelOutOfRange,
        Contradiction::LevelUnknown,
        Contradiction::LevelMismatch,
        Contradiction::LevelOutOfOrder,
        Contradiction::ZeroQuantity,
        Contradiction::QuantityOverflow,
        Contradiction::Crossed,
    ];

    /// Position in [`Contradiction::ALL`], for arrays of counters.
    #[inline]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The name in records.
    pub const fn name(self) -> &'static str {
        match self {
            Contradiction::UnknownOrder => "unknown_order",
            Contradiction::DuplicateOrder => "duplicate_order",
            Contradiction::OverExecution => "over_execution",
            Contradiction::OverReduction => "over_reduction",
            Contradiction::WrongInstrument => "wrong_instrument",
            Contradiction::LevelOutOfRange => "level_out_of_range",
            Contradiction::LevelUnknown => "level_unknown",
            Contradiction::LevelMismatch => "level_mismatch",
            Contradiction::LevelOutOfOrder => "level_out_of_order",
            Contradiction::ZeroQuantity => "zero_quantity",
            Contradiction::QuantityOverflow => "quantity_overflow",
            Contradiction::Crossed => "crossed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_follows_all() {
        for (i, kind) in Contradiction::ALL.into_iter().enumerate() {
            assert_eq!(kind.index(), i, "{}", kind.name());
        }
    }
}
