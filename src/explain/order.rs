//! Who was first, by how much, give or take what: or that the order cannot be known.
//!
//! Both sources are seen by arrival at our capture points. Where one clock stamped both, the error is that clock's
//! resolution and what it was seen to misorder. Where two did, their offset is unknown unless the configuration says how
//! far each may be off, or the user how far apart they are; else only a change against what is usual can be told.

use super::facts::{Facts, Figures, Pause};
use super::hypotheses::words::{length, many, pauses};

/// What can be said of the order of the two sources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// The alert is not about two sources, or they have no update in common.
    NotComparable,
    /// One was first.
    First {
        /// Which.
        leader: String,
        /// Which was later.
        later: String,
        /// By how much, nanoseconds (the median of the matched updates).
        by_ns: u64,
        /// Give or take, nanoseconds.
        error_ns: u64,
        /// What the error is made of.
        basis: String,
        /// How many matched updates.
        count: u64,
    },
    /// The difference is smaller than the clocks' error, or that error is not known.
    Unknown {
        /// By how much one seems to have been first, nanoseconds; negative: the alert's first source.
        seems_ns: i64,
        /// Give or take, nanoseconds, where known.
        error_ns: Option<u64>,
        /// Why.
        basis: String,
    },
}

impl std::fmt::Display for Order {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let length = |ns: u64| crate::latency::text::humane(i64::try_from(ns).unwrap_or(i64::MAX));
        match self {
            Order::NotComparable => {
                f.write_str("the two have no update in common by which an order could be told")
            }
            Order::First { leader, later, by_ns, error_ns, basis, count } => write!(
                f,
                "{leader} was first: {later} showed the same {} later, give or take {} ({}; {basis})",
                length(*by_ns),
                length(*error_ns),
                many(*count, "matched update")
            ),
            Order::Unknown { error_ns: Some(error), basis, .. } => {
                write!(
                    f,
                    "the order cannot be known: the difference is within the clocks' error of {} ({basis})",
                    length(*error)
                )
            }
            Order::Unknown { error_ns: None, basis, .. } => {
                write!(f, "the order cannot be known: {basis}")
            }
        }
    }
}

/// The order of the two sources while the alert lasted; before it, where nothing matched meanwhile.
pub fn order(facts: &Facts) -> Order {
    let [a, b] = facts.alert.sources.as_slice() else { return Order::NotComparable };
    let Some(pairing) = facts.pairings.iter().find(|p| p.subject == *a && p.other == *b) else {
        return Order::NotComparable;
    };
    if let Some(mute) = mute(facts, a).or_else(|| mute(facts, b)) {
        return Order::Unknown { seems_ns: 0, error_ns: None, basis: mute };
    }
    let during: &Figures = [&pairing.own[1], &pairing.rest[1], &pairing.own[0], &pairing.rest[0]]
        .into_iter()
        .find(|f| f.count > 0)
        .unwrap_or(&pairing.own[1]);
    if during.count == 0 {
        return Order::NotComparable;
    }
    let clock = &facts.capture_clock;
    let shared = clock.is_shared(a, b);
    let own = clock.resolution_ns.max(clock.backwards[1]);
    let by = during.median_ns;
    let usual = [&pairing.own[0], &pairing.rest[0]].into_iter().find(|f| f.count >= 3);
    let of_config = clock.error_of(a).zip(clock.error_of(b));
    let (error, basis) = match (shared, clock.configured_ns, usual) {
        (true, _, _) => (
            own,
            format!(
                "one capture clock, resolution {} ns, misorder {} ns",
                clock.resolution_ns, clock.backwards[1]
            ),
        ),
        (false, Some(said), _) => (
            said.saturating_add(own),
            "two capture points, whose clocks are said to be that close".to_owned(),
        ),
        // Each may be off to its own side.
        _ if of_config.is_some() => {
            let (of_a, of_b) = of_config.unwrap_or_default();
            let length = |ns: u64| crate::latency::text::humane(i64::try_from(ns).unwrap_or(i64::MAX));
            (
                of_a.saturating_add(of_b).saturating_add(own),
                format!(
                    "two capture points; the configuration says {} for the clock of {a} and {} for that of {b}",
                    length(of_a),
                    length(of_b)
                ),
            )
        }
        (false, None, Some(usual))
            if (by - usual.median_ns).unsigned_abs() > spread(usual) && by.signum() != 0 =>
        {
            // An offset that stays is in the usual figure as well: what goes beyond it is real.
            let beyond = (by - usual.median_ns).unsigned_abs();
            let error = spread(usual).saturating_add(usual.median_ns.unsigned_abs()).saturating_add(own);
            if beyond > error {
                (error, "two capture points; the error is what they usually lie apart".to_owned())
            } else {
                return unknown(by, [a, b]);
            }
        }
        _ => return unknown(by, [a, b]),
    };
    if by.unsigned_abs() <= error {
        return Order::Unknown { seems_ns: by, error_ns: Some(error), basis };
    }
    let (leader, later) = if by > 0 { (b, a) } else { (a, b) };
    Order::First {
        leader: leader.clone(),
        later: later.clone(),
        by_ns: by.unsigned_abs(),
        error_ns: error,
        basis,
        count: during.count,
    }
}

/// A source that delivered nothing for longer than its signs of life are apart: what then matches is chance.
fn mute(facts: &Facts, name: &str) -> Option<String> {
    let source = facts.source(name)?;
    let long = |p: &Pause| p.span.len_ns() > source.heartbeat_ns;
    let (_, pause) = pauses(source, facts.during()).find(|(_, p)| long(p))?;
    Some(format!("{name} delivered nothing for {} meanwhile", length(pause.span.len_ns())))
}

fn unknown(by: i64, [a, b]: [&str; 2]) -> Order {
    let seems = crate::latency::text::humane(by.abs());
    let ahead = match by.signum() {
        0 => "neither seems ahead".to_owned(),
        1 => format!("{b} seems {seems} ahead"),
        _ => format!("{a} seems {seems} ahead"),
    };
    Order::Unknown {
        seems_ns: by,
        error_ns: None,
        basis: format!(
            "the two were captured at two points, {ahead}, and nothing says how far apart their clocks are (`clock_error` of both sources says it, or --clock-error)"
        ),
    }
}

fn spread(figures: &Figures) -> u64 {
    figures.p10_p90_ns[1].abs_diff(figures.p10_p90_ns[0])
}

#[cfg(test)]
mod tests {
    use super::super::facts::{CaptureClock, ChannelFacts, Pairing, SourceFacts, Span};
    use super::*;

    const MS: i64 = 1_000_000;

    fn facts(usual: i64, during: i64, shared: bool) -> Facts {
        let figures = |median: i64| Figures::of(vec![median - 10_000, median, median + 10_000]);
        let mut facts = Facts::default();
        facts.alert.sources = vec!["sip".into(), "direct".into()];
        facts.pairings = vec![Pairing {
            subject: "sip".into(),
            other: "direct".into(),
            own: [figures(usual), figures(during), Figures::default()],
            ..Pairing::default()
        }];
        let other = if shared { "x.pcap" } else { "y.pcap" };
        facts.capture_clock = CaptureClock {
            captures: vec![("sip".into(), vec!["x.pcap".into()]), ("direct".into(), vec![other.into()])],
            resolution_ns: 1_000,
            ..CaptureClock::default()
        };
        facts
    }

    #[test]
    fn one_clock_orders_to_its_resolution() {
        let Order::First { leader, by_ns, error_ns, .. } = order(&facts(0, 400_000, true)) else { panic!() };
        assert_eq!((leader.as_str(), by_ns, error_ns), ("direct", 400_000, 1_000));
        let unknown = order(&facts(0, 400, true));
        assert!(matches!(unknown, Order::Unknown { error_ns: Some(1_000), .. }), "{unknown:?}");
    }

    #[test]
    fn who_said_nothing_for_a_while_is_in_no_order() {
        let mut facts = facts(0, 400_000, true);
        facts.alert.ended_ns = Some(10_000 * MS as u64);
        let span = Span { from_ns: 0, to_ns: 4_000 * MS as u64 };
        let channel =
            ChannelFacts { pauses: vec![Pause { span, ..Pause::default() }], ..ChannelFacts::default() };
        facts.sources =
            vec![SourceFacts { name: "direct".into(), channels: vec![channel], ..SourceFacts::default() }];
        assert_eq!(
            order(&facts).to_string(),
            "the order cannot be known: direct delivered nothing for 4.00s meanwhile"
        );
        facts.sources[0].channels[0].pauses[0].span.to_ns = 500 * MS as u64;
        assert!(matches!(order(&facts), Order::First { .. }), "that is no pause");
    }

    #[test]
    fn two_clocks_order_only_what_goes_beyond_the_usual() {
        let Order::First { error_ns, .. } = order(&facts(400_000, 80 * MS, false)) else { panic!() };
        assert_eq!(error_ns, 10_000 + 400_000 + 1_000);
        let unknown = order(&facts(400_000, 410_000, false));
        assert!(unknown.to_string().contains("nothing says how far apart"), "{unknown}");
    }

    #[test]
    fn what_the_user_says_of_the_clocks_counts() {
        let mut facts = facts(400_000, 400_000, false);
        facts.capture_clock.configured_ns = Some(100_000);
        assert!(matches!(order(&facts), Order::First { error_ns: 101_000, .. }));
        facts.capture_clock.configured_ns = Some(500_000);
        assert!(matches!(order(&facts), Order::Unknown { error_ns: Some(501_000), .. }));
    }

    #[test]
    fn what_the_configuration_says_of_both_clocks_adds_up_and_the_user_overrides_it() {
        let mut facts = facts(400_000, 400_000, false);
        facts.capture_clock.errors_ns = vec![("sip".into(), 100_000)];
        assert!(
            matches!(order(&facts), Order::Unknown { error_ns: None, .. }),
            "of one of two nothing follows"
        );
        facts.capture_clock.errors_ns.push(("direct".into(), 50_000));
        let first = order(&facts);
        assert!(matches!(first, Order::First { error_ns: 151_000, .. }), "{first}");
        assert!(
            first.to_string().contains("100us for the clock of sip and 50.0us for that of direct"),
            "{first}"
        );
        facts.capture_clock.errors_ns[1].1 = 300_000;
        assert!(matches!(order(&facts), Order::Unknown { error_ns: Some(401_000), .. }));
        facts.capture_clock.configured_ns = Some(10_000);
        assert!(matches!(order(&facts), Order::First { error_ns: 11_000, .. }));
        // One capture holds both: its own clock stamped them, whatever is said.
        facts.capture_clock.captures[1].1 = facts.capture_clock.captures[0].1.clone();
        assert!(matches!(order(&facts), Order::First { error_ns: 1_000, .. }));
    }
}
