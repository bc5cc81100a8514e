//! Whether another instrument of a peer shows what the alert's instrument shows: a symbol that is mapped wrongly.

use std::collections::BTreeMap;

use super::super::facts::Likeness;
use crate::market::{Quote, Registry, SourceId, View, ViewId};

/// Moments that are looked at of one view at most.
const MOMENTS_MAX: u64 = 64;
/// Fewer moments prove nothing.
const MOMENTS_MIN: u64 = 6;

/// Of one view of the alert's instrument.
#[derive(Default)]
struct Watch {
    before: Option<Quote>,
    moments: u64,
    own_equal: BTreeMap<SourceId, u64>,
    equal: BTreeMap<ViewId, u64>,
}

/// Of all views of the instrument.
#[derive(Default)]
pub(super) struct LikenessWatch {
    of: BTreeMap<ViewId, Watch>,
}

fn prices(quote: &Quote) -> [Option<i64>; 2] {
    quote.round_lot.map(|l| l.map(|l| l.price))
}

impl LikenessWatch {
    /// A view of the instrument shows another quote: what it showed until now is held against what all other
    /// instruments at its venue show, for they have had the time to follow.
    pub(super) fn changed(&mut self, id: ViewId, registry: &Registry, view: &View) {
        let watch = self.of.entry(id).or_default();
        let before = std::mem::replace(&mut watch.before, view.quote);
        let Some(wanted) = before.map(|q| prices(&q)).filter(|p| p.iter().all(Option::is_some)) else {
            return;
        };
        if watch.moments >= MOMENTS_MAX || view.quote.is_some_and(|q| prices(&q) == wanted) {
            return;
        }
        watch.moments += 1;
        for (other_id, other) in registry.views.iter().enumerate() {
            let across = other.source != view.source && other.venue == view.venue;
            if !across || other.quote.is_none_or(|q| prices(&q) != wanted) {
                continue;
            }
            if other.instrument == view.instrument {
                *watch.own_equal.entry(other.source).or_default() += 1;
            } else {
                *watch.equal.entry(other_id as ViewId).or_default() += 1;
            }
        }
    }

    pub(super) fn finish(self, registry: &Registry, names: &[String]) -> Vec<Likeness> {
        let mut out = Vec::new();
        for (id, watch) in self.of {
            let peer = registry.views[id as usize].source;
            for (other, equal) in watch.equal {
                if watch.moments < MOMENTS_MIN || equal * 10 < watch.moments * 6 {
                    continue;
                }
                let other = &registry.views[other as usize];
                out.push(Likeness {
                    source: names[usize::from(other.source)].clone(),
                    instrument: registry.get(other.instrument).name.to_string(),
                    peer: names[usize::from(peer)].clone(),
                    equal: [equal, watch.moments],
                    own_equal: watch.own_equal.get(&other.source).copied().unwrap_or(0),
                });
            }
        }
        out
    }
}
