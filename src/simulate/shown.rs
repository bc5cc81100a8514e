//! What a receiver at our observation point sees of each source, change by change.

use super::faults::SourceId;
use super::uqdf::Quote;

/// A change of what is shown, made by one packet.
#[allow(missing_docs, reason = "a variant's line says what its fields are")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The venue's book: prices by side, best of a round lot and best of any size.
    Direct { instrument: usize, round_lot: [Option<u32>; 2], plain: [Option<u32>; 2] },
    /// The SIP's quotes: the venue's first, then the other participants'.
    Sip { instrument: usize, said: [Quote; 3] },
    /// A source says that an instrument is halted, or is not any more.
    State { source: SourceId, instrument: usize, halted: bool },
}
