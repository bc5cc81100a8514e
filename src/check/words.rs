//! What an alert about a pair says: its subject, and one sentence that a person can forward.

use feeds::event::Side;

use super::pair::{Bench, Difference, Pair};
use crate::alert::{Details, Subject};
use crate::config::Kind;
use crate::market::price::show_nanos;

impl Pair {
    pub(super) fn subject(&self, kind: Kind, side: Side, order: [usize; 2], bench: &Bench<'_>) -> Subject {
        let view = |p: usize| &bench.registry.views[self.views[p] as usize];
        Subject {
            instrument: Some(view(0).instrument),
            venue: Some(view(0).venue),
            side: Some(side),
            views: self.views.to_vec(),
            ..Subject::new(kind, &order.map(|p| view(p).source))
        }
    }

    pub(super) fn divergent_details(&self, case: &Difference, bench: &Bench<'_>) -> Details {
        let Difference { side, prices, .. } = *case;
        let magnitude = case.magnitude(self.views[0], bench.registry);
        let name = |p: usize| bench.desk.name(bench.registry.views[self.views[p] as usize].source);
        let why = format!(
            "{} shows {} {} while {} shows {}, a price the other has not shown",
            name(0),
            side.name(),
            show_nanos(prices[0]),
            name(1),
            show_nanos(prices[1])
        );
        Details { magnitude: Some(magnitude), cause: "source", why, ..Details::default() }
    }

    pub(super) fn lagging_details(
        &self,
        case: &Difference,
        who: usize,
        lag_ns: u64,
        bench: &Bench<'_>,
    ) -> Details {
        let Difference { side, prices, .. } = *case;
        let magnitude = case.magnitude(self.views[0], bench.registry);
        let name = |p: usize| bench.desk.name(bench.registry.views[self.views[p] as usize].source);
        let why = format!(
            "{} still shows {} {}, which {} left {}.{:03} ms ago for {}",
            name(who),
            side.name(),
            show_nanos(prices[who]),
            name(1 - who),
            lag_ns / 1_000_000,
            lag_ns / 1_000 % 1_000,
            show_nanos(prices[1 - who])
        );
        Details {
            magnitude: Some(magnitude),
            lag_ns: Some(lag_ns),
            cause: "source",
            why,
            ..Details::default()
        }
    }
}
