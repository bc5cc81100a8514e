//! What a comparison found, as data: text, JSON and page say the same because they are made of it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::drift::Drift;
use super::findings::Finding;
use super::items::At;
use super::packets::Unit;
use super::ranges::Range;
use super::spread::Spread;
use super::{EXAMPLES_MAX, NAMED_MAX};
use crate::alert::json::show_time;
use crate::latency::Columns;
use feeds::feed::SequenceUnit;

/// So many numbers with other bytes, and more than half of all, are no damage any more.
const UNRELATED_MIN: u64 = 16;

/// How it ended, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Everything that both carry is equal, to the byte, and nothing is missing.
    Identical,
    /// No difference beyond who is first.
    Agree,
    /// There are differences.
    Different,
    /// There was nothing that both carry.
    NothingInCommon,
}

/// Everything that was found.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// In one word.
    pub verdict: Verdict,
    /// In sentences, the most important first.
    pub sentences: Vec<String>,
    /// The two.
    pub sides: [SideOutcome; 2],
    /// What is known of the clocks that stamped them.
    pub clocks: Clocks,
    /// Channels that both carry.
    pub packets: Vec<PacketOutcome>,
    /// Pairs of sources whose quotes were compared.
    pub quotes: Vec<QuoteOutcome>,
}

/// One of the two.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SideOutcome {
    /// How it is called here.
    pub name: String,
    /// Captures it was read from.
    pub captures: Vec<String>,
    /// Channels and lines it is made of.
    pub carries: Vec<String>,
    /// What of its captures could not be read, and where it begins.
    pub damage: Vec<String>,
}

/// What is known of the clocks.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Clocks {
    /// Both sides were stamped in the same captures, so by one clock as far as can be told.
    pub one: bool,
    /// The coarsest step of their stamps, nanoseconds.
    pub step_ns: u64,
}

/// How much later the second was than the first.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Lead {
    /// How many were measured.
    pub count: u64,
    /// Of them, the first earlier.
    pub first_led: u64,
    /// The second earlier.
    pub second_led: u64,
    /// At the same time.
    pub together: u64,
    /// Second less first.
    #[serde(flatten)]
    pub columns: Columns,
    /// There were too many different values: they have three digits.
    pub rounded: bool,
    /// Every value and how often it came, for the picture.
    #[serde(skip)]
    pub counts: Vec<(i64, u64)>,
}

impl Lead {
    pub(super) fn new(spread: &Spread, led: [u64; 3]) -> Lead {
        let all = spread.distribution();
        Lead {
            count: all.count(),
            first_led: led[0],
            second_led: led[1],
            together: led[2],
            columns: Columns::from(&all),
            rounded: spread.is_rounded(),
            counts: spread.counts(),
        }
    }
}

/// One channel that both carry.
#[derive(Debug, Serialize)]
pub struct PacketOutcome {
    /// Name.
    pub channel: String,
    /// What it speaks.
    pub feed: &'static str,
    /// What has a number: message or packet.
    pub unit: &'static str,
    /// What each brought, and lacks of the other's.
    pub sides: [PacketSide; 2],
    /// Numbers that both brought.
    pub matched: u64,
    /// Of them, with other bytes.
    pub altered: u64,
    /// The first of these: number, and where it is on both sides.
    pub altered_examples: Vec<AlteredExample>,
    /// By how much the second was later, one value a packet.
    pub lead: Lead,
    /// How the two clocks run apart; null when there is too little to tell, or one clock stamped both.
    pub drift: Option<Drift>,
}

/// An item whose bytes differ.
#[derive(Debug, Clone, Serialize)]
pub struct AlteredExample {
    /// Its number.
    pub number: u64,
    /// Where it is, on both sides.
    pub seen: [Seen; 2],
}

/// A place in a capture.
#[derive(Debug, Clone, Serialize)]
pub struct Seen {
    /// Receive time.
    pub ts: String,
    /// File.
    pub capture: String,
    /// Packet of the file, from 1.
    pub frame: u64,
}

/// One side of a channel.
#[derive(Debug, Clone, Serialize)]
pub struct PacketSide {
    /// Packets, heartbeats included.
    pub packets: u64,
    /// Messages.
    pub messages: u64,
    /// Packets without messages.
    pub heartbeats: u64,
    /// Packets that cannot be read to their end.
    pub unreadable: u64,
    /// Different numbers.
    pub items: u64,
    /// Copies of numbers that it had brought before.
    pub duplicates: u64,
    /// Of them, with other bytes.
    pub contradicting: u64,
    /// Numbers that came after larger ones.
    pub out_of_order: u64,
    /// Where the first of these was.
    pub first_out_of_order: Option<Seen>,
    /// Lowest and highest number.
    pub numbers: Option<(u64, u64)>,
    /// Numbers of the other that it lacks while it was watching.
    pub missing: u64,
    /// Of these, the first ranges.
    pub missing_ranges: Vec<(u64, u64)>,
    /// Ranges in all.
    pub holes: u64,
    /// Numbers of the other before its first or after its last.
    pub outside: u64,
    /// Time of its first and latest packet.
    pub from: Option<String>,
    /// See above.
    pub to: Option<String>,
}

impl PacketOutcome {
    /// What a unit found. `captures` are the names of each side's; with `one_clock` there is no drift to tell.
    pub fn new(mut unit: Unit, captures: [&[String]; 2], one_clock: bool) -> PacketOutcome {
        let lacks = unit.items.finish();
        let seen = |side: usize, at: At| Seen {
            ts: show_time(at.ts_ns),
            capture: captures[side].get(at.capture as usize).cloned().unwrap_or_default(),
            frame: at.frame,
        };
        let items = &unit.items;
        let sides = [0, 1].map(|side| {
            let (tally, brought, lack) = (&unit.tallies[side], &items.sides[side], &lacks[side]);
            let range = |range: &Range| (range.first, range.last);
            PacketSide {
                packets: tally.packets,
                messages: tally.messages,
                heartbeats: tally.heartbeats,
                unreadable: tally.unreadable,
                items: brought.items,
                duplicates: brought.duplicates,
                contradicting: brought.contradicting,
                out_of_order: brought.out_of_order,
                first_out_of_order: brought.first_out_of_order.map(|at| seen(side, at)),
                numbers: brought.numbers(),
                missing: lack.missing,
                missing_ranges: lack.ranges.iter().take(NAMED_MAX).map(range).collect(),
                holes: lack.ranges.len() as u64,
                outside: lack.outside,
                from: tally.span_ns.map(|(from, _)| show_time(from)),
                to: tally.span_ns.map(|(_, to)| show_time(to)),
            }
        });
        let examples = items.examples.iter().take(EXAMPLES_MAX);
        let info = unit.feed.info();
        PacketOutcome {
            channel: unit.name.clone(),
            feed: info.name,
            unit: if info.sequence_unit == SequenceUnit::Message { "message" } else { "packet" },
            sides,
            matched: items.matched,
            altered: items.altered,
            altered_examples: examples
                .map(|a| AlteredExample { number: a.number, seen: [seen(0, a.at[0]), seen(1, a.at[1])] })
                .collect(),
            lead: Lead::new(&items.lead, items.led),
            drift: items.floors.drift().filter(|_| !one_clock),
        }
    }

    /// Whether most of what has the same number has other bytes: two sessions that only count alike, or messages that
    /// were all made anew.
    pub fn is_unrelated(&self) -> bool {
        self.altered > UNRELATED_MIN && self.altered.saturating_mul(2) > self.matched
    }

    /// Whether there is something that both brought.
    pub fn is_shared(&self) -> bool {
        self.matched > 0 && !self.is_unrelated()
    }

    /// Whether both brought the same, to the byte.
    pub fn is_same(&self) -> bool {
        let whole = |side: &PacketSide| side.missing == 0 && side.contradicting == 0;
        self.altered == 0 && self.sides.iter().all(whole)
    }

    /// Whether they also begin and end with the same number.
    pub fn is_identical(&self) -> bool {
        self.is_same() && self.matched > 0 && self.sides.iter().all(|side| side.outside == 0)
    }
}

/// Quotes of two sources.
#[derive(Debug, Serialize)]
pub struct QuoteOutcome {
    /// The two sources.
    pub sources: [String; 2],
    /// What they speak.
    pub feeds: [&'static str; 2],
    /// Time of the first and the latest quote of each.
    pub spans: [Option<[String; 2]>; 2],
    /// They quoted at the same time, at least for a while.
    pub overlap: bool,
    /// Instruments that both quote at the same venue.
    pub instruments: u64,
    /// Instruments that only one of them quotes, by side.
    pub only: [u64; 2],
    /// The first of these by name.
    pub only_named: [Vec<String>; 2],
    /// Instruments that both quote, but at different venues.
    pub elsewhere: u64,
    /// Updates of an instrument's side that both quote.
    pub updates: [u64; 2],
    /// Of them, shown by both: same instrument, venue, side, price and size.
    pub matched: u64,
    /// Never shown by the other.
    pub unmatched: [u64; 2],
    /// Of updates while one of the two was suspect, halted, in an auction or closed: not looked for.
    pub not_judged: [u64; 2],
    /// By how much the second was later with a matched update.
    pub lead: Lead,
    /// Time in which they could be compared, both sides of all instruments added up, nanoseconds.
    pub comparable_ns: u64,
    /// Of it, showing the same price.
    pub agree_ns: u64,
    /// The same, per cent with two decimals, rounded down.
    pub agreement_percent: Option<String>,
    /// Differences that ended, by what they were.
    pub segments: BTreeMap<&'static str, u64>,
    /// Time in which they could not be compared, by reason, nanoseconds.
    pub held_ns: BTreeMap<&'static str, u64>,
    /// Differences in that time, by reason.
    pub held_differences: BTreeMap<&'static str, u64>,
    /// Updates at which the plain best prices differed, the best for round lots did not.
    pub odd_lots_only: u64,
    /// What the checks told, by kind.
    pub findings: Vec<Finding>,
    /// Instruments that differed longest.
    pub worst: Vec<Worst>,
}

/// An instrument and how much it differed.
#[derive(Debug, Clone, Serialize)]
pub struct Worst {
    /// Our name.
    pub instrument: String,
    /// Time for which prices differed, sides added up, nanoseconds; whatever the reason, late ones too.
    pub apart_ns: u64,
    /// How often it began.
    pub times: u64,
    /// Longest, nanoseconds.
    pub longest_ns: u64,
    /// Greatest difference, exact decimal.
    pub most: String,
    /// Updates of either side.
    pub updates: u64,
}

impl QuoteOutcome {
    /// Whether there is anything to compare.
    pub fn is_comparable(&self) -> bool {
        self.instruments > 0 && self.overlap
    }

    /// Whether nothing was told of them that is more than one being a little later.
    pub fn agrees(&self) -> bool {
        self.findings.is_empty()
    }
}
