//! What the venue's order flow looks like: shares of messages, sizes, and how they come in bursts.
//!
//! For the summary that `parallax simulate` prints and `docs/simulate.md` quotes; nothing depends on it.

use std::fmt;

use super::flow::Action;

/// Names of the kinds of messages, in the order of [`Mix::messages`].
pub const NAMES: [&str; 8] =
    ["add", "add_mpid", "execute", "execute_at", "cancel", "delete", "replace", "trade"];

/// Counts over the venue's messages, and the gaps between those of the busiest instrument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mix {
    /// Messages by kind.
    pub messages: [u64; NAMES.len()],
    /// Added orders of less than a round lot.
    pub odd_lots: u64,
    /// Added orders of whole round lots.
    pub round_lots: u64,
    /// Gaps of the busiest instrument by their power of two in nanoseconds.
    gaps: [u64; 64],
    last_ns: Option<u64>,
}

impl Default for Mix {
    fn default() -> Self {
        Mix { messages: [0; NAMES.len()], odd_lots: 0, round_lots: 0, gaps: [0; 64], last_ns: None }
    }
}

impl Mix {
    /// Counts a message of instrument `i`; the first is the busiest.
    pub fn count(&mut self, ts_ns: u64, i: usize, action: &Action) {
        let (kind, added) = match action {
            Action::Add { order, attributed } => (usize::from(*attributed), Some(order.shares)),
            Action::Execute { .. } => (2, None),
            Action::ExecuteAt { .. } => (3, None),
            Action::Cancel { .. } => (4, None),
            Action::Delete { .. } => (5, None),
            Action::Replace { order, .. } => (6, Some(order.shares)),
            Action::Trade { .. } => (7, None),
        };
        self.messages[kind] += 1;
        if let Some(shares) = added {
            self.odd_lots += u64::from(shares < 100);
            self.round_lots += u64::from(shares % 100 == 0);
        }
        if i == 0 {
            if let Some(gap) = self.last_ns.map(|last| ts_ns - last) {
                self.gaps[63 - gap.max(1).leading_zeros() as usize] += 1;
            }
            self.last_ns = Some(ts_ns);
        }
    }

    /// The lower bound of the power of two in which a thousandth of the gaps lies, nanoseconds.
    fn gap_ns(&self, of_thousand: u64) -> u64 {
        let rank = self.gaps.iter().sum::<u64>() * of_thousand / 1000;
        let mut below = 0;
        for (power, n) in self.gaps.iter().enumerate() {
            below += n;
            if below > rank {
                return 1 << power;
            }
        }
        0
    }
}

impl fmt::Display for Mix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.messages.iter().sum::<u64>().max(1);
        write!(f, "{total} messages of the venue:")?;
        for (name, n) in NAMES.iter().zip(self.messages) {
            let tenths = n * 1000 / total;
            write!(f, " {name} {}.{}%", tenths / 10, tenths % 10)?;
        }
        let orders = self.messages[0] + self.messages[1] + self.messages[6];
        let share = |n: u64| n * 100 / orders.max(1);
        write!(f, "; {}% of orders odd lots, {}% round lots", share(self.odd_lots), share(self.round_lots))?;
        let us = |q| self.gap_ns(q) / 1000;
        write!(
            f,
            "; gaps of the busiest instrument from {} us (10%), {} us (50%), {} us (75%), {} us (90%), {} us (99%)",
            us(100),
            us(500),
            us(750),
            us(900),
            us(990)
        )
    }
}
