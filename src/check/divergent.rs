//! `divergent`: two sources show different prices, and neither runs behind the other.

use crate::config::Tolerance;

/// The check's document.
pub const DOCUMENT: &str = "\
divergent: two sources show different prices, and the difference is not explained by one running behind the other

Definition   Two comparable views of one instrument at one venue differ on a side by more than the tolerance, and
             neither shows a price that the other came to earlier and has left within the lagging check's window.
Inputs       The price both views mean: the best at which a round lot is shown when one of them counts round lots
             only, else the plain best.
Parameters   tolerance ({ ticks = 0 }, and/or bps; the larger allowance holds). on_delay (25ms). off_delay (5ms).
Opens        When the segment has lasted on_delay and the difference is not explained; began is its first moment.
             A difference that was explained until just now must have gone unexplained for off_delay.
Clears       When the views have agreed for off_delay (ended is when that agreement began), or are no longer
             comparable (not_comparable and the reason).
Held back    While a side is not comparable: no quote, gap, halted, auction, closed, one-sided, silent, stale.
             Counted by reason.";

/// Whether two prices differ by more than the tolerance allows.
#[inline]
pub fn differ(a: i64, b: i64, tick_nanos: u64, tolerance: Tolerance) -> bool {
    let difference = u128::from(a.abs_diff(b));
    if difference == 0 {
        return false;
    }
    let ticks = u128::from(tolerance.ticks) * u128::from(tick_nanos);
    let reference = u128::from(a.unsigned_abs().max(b.unsigned_abs()));
    // Thousandths of a basis point: 1e-7 of the reference.
    let bps_exceeded = difference * 10_000_000 > u128::from(tolerance.milli_bps) * reference;
    difference > ticks && bps_exceeded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_larger_allowance_holds() {
        let cent = 10_000_000;
        let tolerance = |ticks, milli_bps| Tolerance { ticks, milli_bps };
        let price = 100_000_000_000;
        assert!(differ(price, price + 1, cent, tolerance(0, 0)));
        assert!(!differ(price, price, cent, tolerance(0, 0)));
        assert!(!differ(price, price + 10_000_000, cent, tolerance(1, 0)));
        assert!(differ(price, price + 20_000_000, cent, tolerance(1, 0)));
        // 2.5 bp of 100.025 is 0.025: two cents are within, three beyond.
        assert!(!differ(price, price + 20_000_000, cent, tolerance(1, 2_500)));
        assert!(differ(price, price + 30_000_000, cent, tolerance(1, 2_500)));
    }
}
