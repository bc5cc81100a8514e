//! Receive time less the source's own times, and times that cannot be true.

use super::super::facts::{ClockFacts, Figures, Latency, SourceFacts, Span};

/// Values that are kept of one source at most; later ones are left out.
const VALUES_MAX: usize = 400_000;
/// Ahead by more than this is counted.
const AHEAD_NS: u64 = 1_000_000;

#[derive(Default)]
struct OfSource {
    event: Vec<(u64, i64)>,
    send: Vec<(u64, i64)>,
    latest_ns: u64,
    clock: ClockFacts,
}

/// Of all sources.
pub(super) struct Latencies {
    of: Vec<OfSource>,
    window: Span,
    during: Span,
}

impl Latencies {
    pub(super) fn new(sources: usize, window: Span, during: Span) -> Latencies {
        Latencies { of: (0..sources).map(|_| OfSource::default()).collect(), window, during }
    }

    pub(super) fn event(&mut self, now: u64, source: u16, latency_ns: i64) {
        self.keep(now, source, latency_ns, |s| &mut s.event);
    }

    pub(super) fn send(&mut self, now: u64, source: u16, latency_ns: i64) {
        self.keep(now, source, latency_ns, |s| &mut s.send);
    }

    fn keep(
        &mut self,
        now: u64,
        source: u16,
        value: i64,
        of: impl Fn(&mut OfSource) -> &mut Vec<(u64, i64)>,
    ) {
        let Some(source) = self.of.get_mut(usize::from(source)).filter(|_| self.window.has(now)) else {
            return;
        };
        let values = of(source);
        if values.len() < VALUES_MAX {
            values.push((now, value));
        }
    }

    pub(super) fn clock(&mut self, now: u64, source: u16, ts_ns: u64, ts_recv_ns: u64) {
        let Some(source) = self.of.get_mut(usize::from(source)) else { return };
        let ahead = ts_ns.saturating_sub(ts_recv_ns);
        let behind = source.latest_ns.saturating_sub(ts_ns);
        if ahead < AHEAD_NS * 250 {
            source.latest_ns = source.latest_ns.max(ts_ns);
        }
        if self.window.has(now) {
            let clock = &mut source.clock;
            clock.ahead = clock.ahead.max((ahead, now));
            clock.behind = clock.behind.max((behind, now));
            clock.many[0] += u64::from(ahead > AHEAD_NS);
            clock.many[1] += 1;
        }
    }

    pub(super) fn finish(self, sources: &mut [SourceFacts]) {
        for (of, facts) in self.of.into_iter().zip(sources) {
            facts.latency = over_time(&of.event, self.during);
            facts.send_latency = over_time(&of.send, self.during);
            facts.clock = of.clock;
        }
    }
}

/// Figures before, during and after, and since when the values had been above what is usual as the alert began.
pub(super) fn over_time(values: &[(u64, i64)], during: Span) -> Latency {
    let within = |wanted: &dyn Fn(u64) -> bool| {
        Figures::of(values.iter().filter(|(at, _)| wanted(*at)).map(|(_, v)| *v).collect())
    };
    let before = within(&|at| at < during.from_ns);
    let built_up_since_ns = built_up(values, &before, during.from_ns);
    Latency {
        before,
        during: within(&|at| during.has(at)),
        after: within(&|at| at > during.to_ns),
        built_up_since_ns,
    }
}

/// From the alert's beginning backwards, while values were above what is usual by more than a millisecond and by more
/// than their spread: the lower half's, for the upper one may be what built up.
fn built_up(values: &[(u64, i64)], before: &Figures, began_ns: u64) -> Option<u64> {
    if before.count < 8 {
        return None;
    }
    let limit = before.median_ns + (3 * (before.median_ns - before.p10_p90_ns[0])).max(1_000_000);
    // What had happened by a moment after the beginning: the first late value may be the one that shows it.
    let end = values.partition_point(|(at, _)| *at <= began_ns);
    let late = values[..end].iter().rev().take_while(|(_, v)| *v > limit).last();
    let next = values[end..].first().filter(|(_, v)| *v > limit);
    late.or(next).map(|(at, _)| *at)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    #[test]
    fn a_latency_that_grows_is_dated_to_its_first_late_value() {
        let usual = (0..20).map(|n| (n * MS, 20_000 + n as i64));
        let late = (20..30).map(|n| (n * MS, 30_000_000));
        let values: Vec<(u64, i64)> = usual.chain(late).collect();
        let latency = over_time(&values, Span { from_ns: 25 * MS, to_ns: 40 * MS });
        assert_eq!(latency.built_up_since_ns, Some(20 * MS));
        assert_eq!((latency.before.median_ns, latency.during.median_ns), (20_012, 30_000_000));
        assert_eq!(latency.after, Figures::default());
    }

    #[test]
    fn what_is_as_usual_has_built_up_nothing() {
        let values: Vec<(u64, i64)> = (0..40).map(|n| (n * MS, 20_000 + (n % 7) as i64)).collect();
        assert_eq!(over_time(&values, Span { from_ns: 25 * MS, to_ns: 30 * MS }).built_up_since_ns, None);
    }
}
