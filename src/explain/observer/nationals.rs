//! Whether the national best that a consolidated source says is the best of the participants' quotes that came from it: where
//! it names another price after a gap, and never did before, a quote was lost in the gap.

use hashbrown::HashMap;

use super::super::facts::{ChannelFacts, Hole, NationalBreak, Spot};
use crate::check::life::Place;
use crate::market::{InstrumentId, Origin, Registry, SourceId, VenueId, ViewId};

/// What becomes another this long after a gap began has come of it.
const AFTER_NS: u64 = 2_000_000_000;
/// Breaks that are remembered at most.
const KEPT_MAX: usize = 10_000;

/// A national best that became another than the best of the participants.
struct Seen {
    at_ns: u64,
    instrument: InstrumentId,
    side: usize,
    prices: [Option<i64>; 2],
    origin: Origin,
    channel: u16,
}

/// See the module.
pub(super) struct NationalWatch {
    /// The source with the gap; nothing where the alert is about something else.
    subject: Option<SourceId>,
    /// Instruments of which the packet under way said something.
    touched: Vec<InstrumentId>,
    /// The channel that delivered it.
    channel: u16,
    agreed: HashMap<InstrumentId, bool>,
    /// Quotes after which the two were the same, or had been.
    judged: u64,
    seen: Vec<Seen>,
    more: u64,
}

impl NationalWatch {
    pub(super) fn new(subject: Option<SourceId>) -> NationalWatch {
        NationalWatch {
            subject,
            touched: Vec::new(),
            channel: 0,
            agreed: HashMap::new(),
            judged: 0,
            seen: Vec::new(),
            more: 0,
        }
    }

    /// A packet was delivered; its quotes follow.
    pub(super) fn delivered(&mut self, place: Place) {
        if self.subject == Some(place.source) {
            self.channel = place.channel;
        }
    }

    /// A view shows another quote.
    pub(super) fn changed(&mut self, id: ViewId, registry: &Registry) {
        let view = &registry.views[id as usize];
        if self.subject == Some(view.source) && !self.touched.contains(&view.instrument) {
            self.touched.push(view.instrument);
        }
    }

    /// The packet's quotes take effect.
    pub(super) fn publish(&mut self, now: u64, registry: &Registry) {
        for instrument in std::mem::take(&mut self.touched) {
            self.judge(now, instrument, registry);
        }
    }

    fn judge(&mut self, now: u64, instrument: InstrumentId, registry: &Registry) {
        let of_subject = |id: &ViewId| Some(registry.views[*id as usize].source) == self.subject;
        let (mut national, mut best, mut latest) = (None, [None; 2], Origin::default());
        for id in registry.views_of(instrument).filter(of_subject) {
            let view = &registry.views[id as usize];
            let Some(quote) = &view.quote else { continue };
            if view.origin.ts_recv_ns > latest.ts_recv_ns {
                latest = view.origin;
            }
            let prices = quote.best.map(|level| level.map(|l| l.price));
            if view.venue == VenueId::NATIONAL {
                national = Some(prices);
                continue;
            }
            best[0] = best[0].max(prices[0]);
            best[1] = [best[1], prices[1]].into_iter().flatten().min();
        }
        let Some(prices) = national else { return };
        let apart = (0..2).find(|side| prices[*side] != best[*side]);
        let before = self.agreed.insert(instrument, apart.is_none());
        if before != Some(true) {
            return;
        }
        self.judged += 1;
        let Some(side) = apart else { return };
        if self.seen.len() < KEPT_MAX {
            let prices = [prices[side], best[side]];
            let (origin, channel) = (latest, self.channel);
            self.seen.push(Seen { at_ns: now, instrument, side, prices, origin, channel });
        } else {
            self.more += 1;
        }
    }

    /// Writes into the source's channels what broke after their gaps, and how often that happens otherwise.
    pub(super) fn finish(
        self,
        channels: &mut [ChannelFacts],
        registry: &Registry,
        name_of: &dyn Fn(u32) -> String,
    ) {
        // The latest gap before it.
        let after = |channel: &ChannelFacts, at: u64| {
            let of = |g: &&Hole| (g.began_ns..=g.began_ns.saturating_add(AFTER_NS)).contains(&at);
            channel.gaps.iter().filter(of).max_by_key(|g| g.began_ns).map(|g| g.first)
        };
        let elsewhere =
            self.seen.iter().filter(|s| channels.iter().all(|c| after(c, s.at_ns).is_none())).count();
        let usual = [elsewhere as u64 + self.more, self.judged];
        for (c, channel) in (0u16..).zip(channels) {
            let of = self.seen.iter().filter(|s| s.channel == c);
            let of = of.filter_map(|s| Some((s, after(channel, s.at_ns)?)));
            let breaks = of.map(|(s, gap)| NationalBreak {
                gap,
                at_ns: s.at_ns,
                instrument: registry.get(s.instrument).name.to_string(),
                side: s.side,
                national: s.prices[0],
                best: s.prices[1],
                spot: Spot {
                    capture: name_of(s.origin.capture),
                    frame: s.origin.frame,
                    sequence: s.origin.sequence,
                },
            });
            channel.national_breaks = breaks.collect();
            channel.nationals_usual = usual;
        }
    }
}
