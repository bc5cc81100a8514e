//! What feeds say of the alert's instrument beside its quotes: price bands, trades, and that it comes on lines which are
//! not listened to.
//!
//! It reads the messages of the sources concerned once more, and only for kinds of alerts that ask for it.

use std::collections::VecDeque;

use feeds::event::{Event, Key};
use feeds::{Feed, FeedId, FeedVisitor};

use super::super::facts::{BandsSaid, Elsewhere, Tape, TradesSeen};
use super::super::subject::Alert;
use crate::config::{Config, Group, Kind};
use crate::market::price::to_nanos;
use crate::packet;
use crate::rules::Banded;
use crate::source::Datagram;

/// Reference prices are means over so long (Limit Up - Limit Down Plan).
const REFERENCE_NS: u64 = 300_000_000_000;
/// Bands and trades that are kept at most.
const KEPT_MAX: usize = 100_000;
/// Bytes that are so surely the feed's are read as it.
const SURE: u8 = 50;

struct SourceTape {
    name: String,
    feed: FeedId,
    /// What the source calls the instrument.
    symbol: String,
    /// Its lines; of a channel's several copies the first is enough.
    groups: Vec<Group>,
    others: Vec<Group>,
    bands: Vec<BandsSaid>,
    trades: VecDeque<(u64, i64)>,
}

/// See the module.
pub(super) struct TapeWatch {
    sources: Vec<SourceTape>,
    /// All groups of the configuration.
    known: Vec<Group>,
    wants_tape: bool,
    wants_elsewhere: bool,
    raised_ns: u64,
    elsewhere: Vec<Elsewhere>,
}

impl TapeWatch {
    pub(super) fn new(config: &Config, alert: &Alert) -> TapeWatch {
        let instrument = alert.instrument.clone().unwrap_or_default();
        let about_one = alert.instrument.is_some();
        let sources = config.sources.iter().enumerate().map(|(s, source)| {
            let mapped = config.map.rows.iter().find(|m| m.source == s && m.instrument == instrument);
            SourceTape {
                name: source.name.clone(),
                feed: source.feed,
                symbol: mapped.map_or_else(|| instrument.clone(), |m| m.symbol.clone()),
                groups: source.channels.iter().filter_map(|c| c.lines.first()).map(|l| l.group).collect(),
                others: source.channels.iter().flat_map(|c| &c.lines).map(|l| l.group).collect(),
                bands: Vec::new(),
                trades: VecDeque::new(),
            }
        });
        let sources: Vec<SourceTape> = sources.collect();
        TapeWatch {
            known: sources.iter().flat_map(|s| s.others.clone()).collect(),
            sources,
            wants_tape: about_one && alert.kind == Kind::Status,
            wants_elsewhere: about_one
                && matches!(alert.kind, Kind::Stale | Kind::Missing | Kind::Lagging | Kind::Divergent),
            raised_ns: alert.raised_ns,
            elsewhere: Vec::new(),
        }
    }

    pub(super) fn see(&mut self, datagram: &Datagram<'_>) {
        if !self.wants_tape && !self.wants_elsewhere {
            return;
        }
        let group = packet::group(datagram);
        if self.known.contains(&group) {
            if self.wants_tape && datagram.ts_recv_ns <= self.raised_ns {
                self.sources.iter_mut().filter(|s| s.groups.contains(&group)).for_each(|s| s.see(datagram));
            }
        } else if self.wants_elsewhere {
            self.see_elsewhere(group, datagram);
        }
    }

    /// Packets of a group that no source listens to, of a feed that one of them speaks.
    fn see_elsewhere(&mut self, group: Group, datagram: &Datagram<'_>) {
        for source in &self.sources {
            let mut found = 0;
            let heard = Heard {
                datagram,
                symbol: source.symbol.as_bytes(),
                take: &mut |_, heard| {
                    found += u64::from(matches!(heard, Word::Quote));
                },
            };
            source.feed.with(Unknown(heard));
            if found == 0 {
                continue;
            }
            let at =
                self.elsewhere.iter().position(|e| e.source == source.name && e.group == group.to_string());
            match at {
                Some(at) => {
                    self.elsewhere[at].quotes += found;
                    self.elsewhere[at].last_ns = datagram.ts_recv_ns;
                }
                None if self.elsewhere.len() < 64 => self.elsewhere.push(Elsewhere {
                    source: source.name.clone(),
                    group: group.to_string(),
                    first_ns: datagram.ts_recv_ns,
                    last_ns: datagram.ts_recv_ns,
                    quotes: found,
                }),
                None => {}
            }
            return;
        }
    }

    /// What was gathered, with the bands that the rule book gives for the trades.
    pub(super) fn finish(self, config: &Config) -> Tape {
        let raised_ns = self.raised_ns;
        let mut tape = Tape { elsewhere: self.elsewhere, ..Tape::default() };
        for source in self.sources {
            tape.bands.extend(source.bands);
            let Some(trades) = figures(source.name, source.trades.into_iter().collect()) else { continue };
            let by_rule = ["tier-1", "tier-2"].iter().filter_map(|tier| {
                let of = Banded { tier, previous_close_nanos: None, leverage: 1 };
                let bands = config.rules.book.bands("US", of, trades.mean, raised_ns)?;
                Some([bands.lower_nanos, bands.upper_nanos])
            });
            tape.by_rule.extend(by_rule);
            tape.trades.push(trades);
        }
        tape
    }
}

/// Their mean, without those that are no prices of the same market: five times their median or a fifth of it.
fn figures(source: String, trades: Vec<(u64, i64)>) -> Option<TradesSeen> {
    let mut prices: Vec<i64> = trades.iter().map(|(_, p)| *p).collect();
    prices.sort_unstable();
    let median = *prices.get(prices.len() / 2)?;
    let strange =
        |price: i64| i128::from(price) * 5 < i128::from(median) || i128::from(price) > 5 * i128::from(median);
    let usual: Vec<i128> = prices.iter().filter(|p| !strange(**p)).map(|p| i128::from(*p)).collect();
    let mean = usual.iter().sum::<i128>() / (usual.len() as i128).max(1);
    Some(TradesSeen {
        source,
        count: usual.len() as u64,
        mean: i64::try_from(mean).ok()?,
        strange: trades.into_iter().filter(|(_, p)| strange(*p)).take(16).collect(),
    })
}

impl SourceTape {
    fn see(&mut self, datagram: &Datagram<'_>) {
        let (at_ns, decimals) = (datagram.ts_recv_ns, self.feed.info().price_decimals);
        let SourceTape { name, bands, trades, .. } = self;
        let heard = Heard {
            datagram,
            symbol: self.symbol.as_bytes(),
            take: &mut |sequence, word| match word {
                Word::Bands([lower, upper]) if bands.len() < KEPT_MAX => {
                    let nanos = to_nanos(lower, decimals).zip(to_nanos(upper, decimals));
                    bands.extend(nanos.map(|(lower, upper)| BandsSaid {
                        source: name.clone(),
                        at_ns,
                        lower,
                        upper,
                        sequence,
                    }));
                }
                Word::Trade(price) => {
                    trades.extend(to_nanos(price, decimals).map(|price| (at_ns, price)));
                    let old = |t: &(u64, i64)| t.0 + REFERENCE_NS < at_ns;
                    while trades.len() > KEPT_MAX || trades.front().is_some_and(old) {
                        trades.pop_front();
                    }
                }
                _ => {}
            },
        };
        self.feed.with(heard);
    }
}

/// What is heard of the instrument.
enum Word {
    Bands([i64; 2]),
    Trade(i64),
    Quote,
}

/// Reads a packet for what it says of one symbol. What cannot be read says nothing here: it is counted elsewhere.
struct Heard<'a, 'd> {
    datagram: &'a Datagram<'d>,
    symbol: &'a [u8],
    take: &'a mut dyn FnMut(u64, Word),
}

impl FeedVisitor for Heard<'_, '_> {
    type Output = ();
    fn visit<F: Feed>(self) {
        let Ok(header) = packet::header::<F>(self.datagram) else { return };
        let (mut at, mut sequence) = (header.len, header.sequence);
        while let Ok(Some(span)) = packet::split::<F>(self.datagram, at) {
            let Some(message) = self.datagram.payload.get(span.start..span.end) else { return };
            // Most messages are of other instruments, or do not name theirs.
            let _ = F::decode(message, &header, &mut |_, event: Event<'_>| match event {
                Event::PriceBands { key: Key::Symbol(symbol), lower, upper } if symbol == self.symbol => {
                    (self.take)(sequence, Word::Bands([lower, upper]));
                }
                Event::Trade { symbol, price, .. } if symbol == self.symbol => {
                    (self.take)(sequence, Word::Trade(price));
                }
                Event::Quote { key: Key::Symbol(symbol), .. } if symbol == self.symbol => {
                    (self.take)(sequence, Word::Quote);
                }
                _ => {}
            });
            (at, sequence) = (span.end, sequence + 1);
        }
    }
}

/// The same of a packet that may be another feed's.
struct Unknown<'a, 'd>(Heard<'a, 'd>);

impl FeedVisitor for Unknown<'_, '_> {
    type Output = ();
    fn visit<F: Feed>(self) {
        if packet::recognise::<F>(self.0.datagram) >= SURE {
            self.0.visit::<F>();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_of_another_world_is_no_part_of_the_mean() {
        let trades = vec![(1, 100), (2, 102), (3, 1), (4, 101), (5, 900)];
        let seen = figures("direct".to_owned(), trades).unwrap();
        assert_eq!((seen.count, seen.mean, seen.strange), (3, 101, vec![(3, 1), (5, 900)]));
        assert_eq!(figures(String::new(), Vec::new()), None);
    }
}
