//! Has what is about to be looked at brought from memory, all of it at once.
//!
//! An update looks at some ten cache lines, most of which are found through the one before: the view names its group,
//! the group its pairs and peers, a pair what is open. Where they are in no cache, each waits for the one before, a
//! hundred nanoseconds and more. Of several updates taken together the first lines come at the same time, then the second
//! ones: so it goes through them step by step, loads, and forgets what it loaded. It changes nothing and answers
//! nothing; what comes out is the same without it.

use super::timers::TimerKey;
use super::{Comparator, NONE};
use crate::market::{Registry, ViewId};

/// With fewer views than this everything stays in the cache nearest to the core, and looking ahead costs for nothing.
const VIEWS_MIN: usize = 1_024;

impl Comparator {
    /// The quotes of these views are about to be taken in ([`Comparator::on_views`]), in one call or in several. Some
    /// sixteen at a time are enough; of many more the first are gone again when they are wanted.
    pub fn look_ahead(&self, updates: &[(ViewId, bool)], registry: &Registry) {
        if self.views.len() < VIEWS_MIN {
            return;
        }
        let known =
            || updates.iter().filter_map(|(id, moves)| Some((*id, *moves, self.views.get(*id as usize)?)));
        let mut seen = 0;
        for (id, moves, judge) in known() {
            seen ^= judge.stale.armed;
            if moves {
                let view = &registry.views[id as usize];
                let bid =
                    view.quote.as_ref().and_then(|quote| quote.best[0]).map_or(0, |level| level.quantity);
                seen ^= bid ^ view.origin.frame ^ u64::from(view.instrument) ^ u64::from(judge.group);
            }
        }
        let moving = || known().filter(|(_, moves, judge)| *moves && judge.group != NONE);
        for (id, _, judge) in moving() {
            seen ^= self.groups.pairs_of(judge.group, id).next().map_or(0, |(pair, _)| u64::from(pair));
            seen ^= u64::from(registry.is_test(judge.instrument)) ^ self.prices_of(id, |h| h.lines()[0]);
        }
        for (id, _, judge) in moving() {
            for (pair, peer) in self.groups.pairs_of(judge.group, id) {
                let peer = &self.views[peer as usize];
                seen ^=
                    u64::from(self.pairs[pair as usize].relation ^ u32::from(peer.source)) ^ peer.stale.armed;
            }
            seen ^= self.prices_of(id, |h| h.lines()[1]);
        }
        for (id, _, judge) in moving() {
            for (pair, peer) in self.groups.pairs_of(judge.group, id) {
                seen ^= self.pairs[pair as usize].lines(&self.rare) ^ self.prices_of(peer, |h| h.lines()[0]);
            }
            seen ^= registry.tick_at(id, 0) ^ self.prices_of(id, |h| h.last_line());
        }
        std::hint::black_box(seen);
    }

    /// Something of each of a view's histories.
    #[inline]
    fn prices_of(&self, id: ViewId, line: impl Fn(&super::history::History) -> u64) -> u64 {
        let kept = self.views[id as usize].histories.into_iter().filter(|kept| *kept != NONE);
        kept.flat_map(|kept| &self.histories[kept as usize]).fold(0, |all, history| all ^ line(history))
    }

    /// The same for deadlines: those of a quarter of a millisecond become known together.
    #[inline]
    pub(super) fn look_ahead_at_deadlines(&mut self) {
        if self.views.len() < VIEWS_MIN {
            return;
        }
        let Comparator { timers, pairs, views, .. } = self;
        let coming = timers.take_coming();
        let mut seen = 0;
        for key in coming.as_slice() {
            seen ^= match *key {
                TimerKey::Pair(pair) => pairs[pair as usize].armed,
                TimerKey::Stale(view) => views[view as usize].stale.armed,
                TimerKey::View(view) => views[view as usize].armed,
                _ => 0,
            };
        }
        for key in coming.as_slice() {
            if let TimerKey::Pair(pair) = *key {
                for view in pairs[pair as usize].views {
                    let view = &views[view as usize];
                    seen ^= u64::from(view.instrument) ^ view.stale.armed;
                }
            }
        }
        std::hint::black_box(seen);
    }
}
