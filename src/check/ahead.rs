//! Has what is about to be looked at brought from memory, all of it at once.
//!
//! An update looks at some ten cache lines, most of which are found through the one before: the view names its group,
//! the group its pairs and peers, a pair what is open. Where they are in no cache, each waits for the one before, a
//! hundred nanoseconds and more. Of several updates taken together the first lines come at the same time, then the second
//! ones: so it goes through them step by step, asks for each, and loads only what names the next. It changes nothing and
//! answers nothing; what comes out is the same without it.

use super::history::History;
use super::timers::TimerKey;
use super::{Comparator, NONE, ViewJudge};
use crate::cache::{prefetch, prefetch_whole};
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
        for (id, moves) in updates {
            let Some(judge) = self.views.get(*id as usize) else { continue };
            prefetch_whole(judge);
            if *moves {
                prefetch_whole(&registry.views[*id as usize]);
            }
        }
        let moving = || {
            let moving = updates.iter().filter(|(_, moves)| *moves);
            let known = moving.filter_map(|(id, _)| self.views.get(*id as usize));
            known.filter(|judge| judge.group != NONE)
        };
        for judge in moving() {
            self.groups.look_ahead(judge.group);
            self.histories_of(judge).for_each(prefetch_whole);
        }
        let mut seen = 0;
        for judge in moving() {
            for (pair, peer) in self.groups.pairs_of(judge.group, judge.place) {
                prefetch(&self.pairs[pair as usize]);
                prefetch_whole(&self.views[peer as usize]);
            }
            let histories = self.histories_of(judge).flatten();
            histories.for_each(|history| seen ^= history.lines()[1]);
        }
        for judge in moving() {
            for (pair, peer) in self.groups.pairs_of(judge.group, judge.place) {
                seen ^= self.pairs[pair as usize].lines(&self.rare);
                self.histories_of(&self.views[peer as usize]).for_each(prefetch_whole);
            }
            self.histories_of(judge).flatten().for_each(|history| seen ^= history.last_line());
        }
        std::hint::black_box(seen);
    }

    /// A view's histories.
    #[inline]
    fn histories_of(&self, judge: &ViewJudge) -> impl Iterator<Item = &[History; 2]> {
        judge.histories.into_iter().filter(|kept| *kept != NONE).map(|kept| &self.histories[kept as usize])
    }

    /// The same for deadlines: those of a quarter of a millisecond become known together.
    #[inline]
    pub(super) fn look_ahead_at_deadlines(&mut self) {
        if self.views.len() < VIEWS_MIN || !self.timers.has_coming() {
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::check::Comparator;
    use crate::config::Config;
    use crate::latency::Recorder;
    use crate::market::{Level, Quality, Quote, Registry};

    /// Two sources that move 600 instruments, the second now and then elsewhere or not at all; what was told and counted.
    fn told(ahead: usize) -> (Vec<u8>, String) {
        let source = |name: &str, group: u8| {
            format!(
                "[[source]]\nname = \"{name}\"\nfeed = \"nasdaq-itch-5.0\"\nvenue = \"XNAS\"\n\
                 [[source.channel]]\nname = \"c\"\nlines = [{{ name = \"A\", group = \"233.0.0.{group}:1\" }}]\n"
            )
        };
        let text = source("one", 1) + &source("two", 2);
        let config = Config::parse("test", &text, Path::new(".")).unwrap();
        let mut registry = Registry::of(&config);
        let mut comparator = Comparator::new(&config, &mut registry, &[], Recorder::without_log());
        let venue = registry.venue("XNAS");
        let mut views = Vec::new();
        for n in 0..600 {
            let instrument = registry.instrument(&format!("I{n}"));
            views.extend([0, 1].map(|source| registry.add_view(source, venue, instrument, false)));
        }
        comparator.start(1_000_000_000);
        let mut now = 1_000_000_000;
        let updates: Vec<usize> = (0..12_000).map(|n| n * 7 % 1_200).filter(|v| v % 46 != 5).collect();
        for some in updates.chunks(ahead.max(1)) {
            let coming: Vec<_> = some.iter().map(|v| (views[*v], true)).collect();
            if ahead > 0 {
                comparator.look_ahead(&coming, &registry);
            }
            for (at, (id, changed)) in some.iter().zip(coming) {
                now += 1_000_000;
                comparator.advance(now, &registry);
                let wrong = i64::from(at % 97 == 3) * 30_000_000;
                let level = |away: i64| {
                    let price = 100_000_000_000 + away + wrong + (now as i64 / 1_200_000_000) * 10_000_000;
                    Some(Level { price, quantity: 100 })
                };
                let best = [level(0), level(20_000_000)];
                registry.views[id as usize].quote =
                    Some(Quote { best, round_lot: best, quality: Quality::Ok });
                registry.views[id as usize].origin.ts_recv_ns = now;
                comparator.on_views(now, &[(id, changed)], &registry);
            }
        }
        comparator.finish(now, &registry);
        (comparator.desk.alerts.lines.clone(), format!("{:?}", comparator.relations()))
    }

    #[test]
    fn looking_ahead_changes_nothing() {
        let plain = told(0);
        assert!(!plain.0.is_empty(), "something is told");
        for ahead in [1, 16, 5_000] {
            assert_eq!(told(ahead), plain, "{ahead} at a time");
        }
    }
}
