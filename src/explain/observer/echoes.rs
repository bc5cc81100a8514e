//! Whether a source repeats its own history: quotes of an instrument that follow each other as they did before.
//!
//! Four quotes of one view in a row (prices and quantities of both sides, at least three of them different) are
//! remembered by a hash. The same four later on are an echo. Flickering between two quotes is none.

use hashbrown::HashMap;

use super::super::facts::{Echoes, Span};
use crate::market::{Quote, ViewId};

/// Rows that are remembered at most.
const ROWS_MAX: usize = 2_000_000;
/// An echo repeats what is at least this old.
const AGE_MIN_NS: u64 = 100_000_000;

/// History comes again in bursts, in which an alert is only a moment: so long before and after it belongs to it here.
pub(super) const AROUND_NS: u64 = 500_000_000;

/// Updates are counted over so long.
const BUCKET_NS: u64 = 100_000_000;
/// A stretch in which half of at least twice so many updates are echoes is a burst of them.
const BURST_MIN: u64 = 6;

/// Of one source.
#[derive(Default)]
pub(super) struct EchoWatch {
    seen: HashMap<(ViewId, u64), u64>,
    last: HashMap<ViewId, [u64; 4]>,
    /// The stretch that is being counted: its number, echoes, updates, and whether it is close to the alert.
    bucket: (u64, u64, u64, bool),
    echoes: Echoes,
}

fn mix(hash: u64, word: u64) -> u64 {
    (hash ^ word).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23)
}

fn hash_of(quote: &Quote) -> u64 {
    quote.best.iter().fold(0xcbf2_9ce4_8422_2325, |hash, level| match level {
        None => mix(hash, u64::MAX),
        Some(level) => mix(mix(hash, level.price as u64), level.quantity),
    })
}

impl EchoWatch {
    /// A view shows another quote.
    pub(super) fn shown(&mut self, now: u64, view: ViewId, quote: &Quote, during: Span) {
        if now / BUCKET_NS != self.bucket.0 {
            let next = (now / BUCKET_NS, 0, 0, false);
            let over = std::mem::replace(&mut self.bucket, next);
            self.count(over);
        }
        self.bucket.2 += 1;
        self.bucket.3 |= during.has(now);
        let last = self.last.entry(view).or_default();
        last.rotate_left(1);
        last[3] = hash_of(quote);
        let mut distinct = *last;
        distinct.sort_unstable();
        let different = 1 + distinct.windows(2).filter(|w| w[0] != w[1]).count();
        if distinct[0] == 0 || different < 3 {
            return;
        }
        let row = last.iter().fold(1, |hash, word| mix(hash, *word));
        match self.seen.get(&(view, row)) {
            Some(first) if now.saturating_sub(*first) >= AGE_MIN_NS => {
                self.bucket.1 += 1;
                if during.has(now) {
                    let age = now - first;
                    let ages = &mut self.echoes.age_ns;
                    *ages = if *ages == [0; 2] { [age; 2] } else { [ages[0].min(age), ages[1].max(age)] };
                    if self.echoes.first_ns == 0 {
                        self.echoes.first_ns = now;
                    }
                }
            }
            Some(_) => {}
            None if self.seen.len() < ROWS_MAX => {
                self.seen.insert((view, row), now);
            }
            None => {}
        }
    }

    /// A stretch is over. Bursts of echoes far from the alert are no measure of what is usual.
    fn count(&mut self, (_, echoes, all, near): (u64, u64, u64, bool)) {
        let burst = echoes >= BURST_MIN && echoes * 2 >= all;
        let Echoes { during, elsewhere, bursts, .. } = &mut self.echoes;
        *bursts += u64::from(burst);
        let quiet_near = near && *bursts > 0 && !burst;
        match (near, burst) {
            (true, true) if during[0] * 2 < during[1] => *during = [echoes, all],
            (true, _) if quiet_near => {}
            (true, _) => *during = [during[0] + echoes, during[1] + all],
            (false, true) => {}
            (false, false) => *elsewhere = [elsewhere[0] + echoes, elsewhere[1] + all],
        }
    }

    pub(super) fn finish(mut self) -> Echoes {
        self.count(self.bucket);
        self.echoes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::Level;

    fn quote(price: i64) -> Quote {
        let level = |p| Some(Level { price: p, quantity: 100 });
        Quote { best: [level(price), level(price + 1)], ..Quote::default() }
    }

    fn watch(prices: &[i64], during: Span) -> Echoes {
        let mut watch = EchoWatch::default();
        for (n, price) in prices.iter().enumerate() {
            watch.shown((n as u64 + 1) * 50_000_000, 7, &quote(*price), during);
        }
        watch.finish()
    }

    #[test]
    fn history_that_comes_again_is_an_echo() {
        let during = Span { from_ns: 350_000_000, to_ns: u64::MAX };
        let echoes = watch(&[1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6], during);
        // The fourth of the repeated row completes the first echo.
        assert_eq!((echoes.during, echoes.elsewhere), ([3, 7], [0, 5]));
        assert_eq!((echoes.age_ns, echoes.first_ns), ([300_000_000; 2], 500_000_000));
    }

    #[test]
    fn flickering_is_none() {
        let echoes = watch(&[1, 2, 1, 2, 1, 2, 1, 2, 1, 2], Span::default());
        assert_eq!((echoes.during[0], echoes.elsewhere[0]), (0, 0));
    }
}
