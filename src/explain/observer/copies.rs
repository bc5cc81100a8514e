//! Another copy of the subject's feed, received as a source of its own (a second site, another vendor's line): whether
//! the two are copies number for number, and how far each had come.

use std::collections::VecDeque;

use hashbrown::HashMap;

use super::super::facts::{ChannelFacts, CopyFacts};
use super::super::subject::Alert;
use crate::check::life::Place;
use crate::config::Config;
use crate::source::Datagram;

/// Packets whose bytes are remembered to compare them at most.
const COMPARED_MAX: usize = 65_536;
/// Numbers that are remembered of a channel at most.
const NUMBERS_MAX: usize = 400_000;
/// What stands before the messages of a packet (session, numbers, times of sending) may differ from site to site, and its
/// length from transport to transport: packets are compared by so many bytes at their end.
const TAIL: usize = 16;

/// One channel of one source.
#[derive(Default)]
struct Numbers {
    /// Number and time of what was delivered in the window.
    delivered: Vec<(u64, u64)>,
    /// The last one up to the moment at which the alert was raised.
    last: (u64, u64),
}

/// See the module.
pub(super) struct Copies {
    /// The subject, then the sources that speak the same feed of the same venue; empty where there is none.
    sources: Vec<usize>,
    began_ns: u64,
    raised_ns: u64,
    window_ns: [u64; 2],
    /// The datagram under way: when it came, and a hash of its end.
    current: (u64, u64),
    numbers: HashMap<(usize, u16), Numbers>,
    /// By channel and number: hashes by position in `sources`.
    hashes: HashMap<(u16, u64), Vec<Option<u64>>>,
    order: VecDeque<(u16, u64)>,
    /// By position: packets with the same numbers, of the same end and all.
    same: Vec<[u64; 2]>,
}

impl Copies {
    pub(super) fn new(config: &Config, alert: &Alert, subject: Option<usize>) -> Copies {
        let mut sources: Vec<usize> = subject.into_iter().collect();
        if let Some(of) = subject.map(|s| &config.sources[s]).filter(|s| s.venue.is_some()) {
            let copies = config.sources.iter().enumerate();
            let is_copy = |s: &crate::config::Source| {
                s.feed == of.feed && s.venue == of.venue && s.channels.len() == of.channels.len()
            };
            sources.extend(copies.filter(|(n, s)| Some(*n) != subject && is_copy(s)).map(|(n, _)| n));
        }
        if sources.len() < 2 {
            sources.clear();
        }
        let window = super::window(alert);
        Copies {
            same: vec![[0; 2]; sources.len()],
            sources,
            began_ns: alert.began_ns,
            raised_ns: alert.raised_ns,
            window_ns: [window.from_ns, window.to_ns],
            current: (0, 0),
            numbers: HashMap::new(),
            hashes: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    pub(super) fn see(&mut self, datagram: &Datagram<'_>) {
        if !self.sources.is_empty() {
            let from = datagram.payload.len().saturating_sub(TAIL);
            self.current = (datagram.ts_recv_ns, hash_of(&datagram.payload[from..]));
        }
    }

    pub(super) fn delivered(&mut self, now: u64, place: Place, sequence: u64, ts_recv_ns: u64) {
        let Some(at) = self.sources.iter().position(|s| *s == usize::from(place.source)) else { return };
        let numbers = self.numbers.entry((at, place.channel)).or_default();
        if now <= self.raised_ns {
            numbers.last = (sequence, now);
        }
        let [from_ns, to_ns] = self.window_ns;
        if (from_ns..=to_ns).contains(&now) && numbers.delivered.len() < NUMBERS_MAX {
            numbers.delivered.push((sequence, now));
        }
        // What had waited for its turn is not the datagram under way.
        if now < self.began_ns && ts_recv_ns == self.current.0 {
            self.compare(at, (place.channel, sequence));
        }
    }

    fn compare(&mut self, at: usize, number: (u16, u64)) {
        if !self.hashes.contains_key(&number) {
            if self.order.len() >= COMPARED_MAX
                && let Some(old) = self.order.pop_front()
            {
                self.hashes.remove(&old);
            }
            self.order.push_back(number);
        }
        let len = self.sources.len();
        let hashes = self.hashes.entry(number).or_insert_with(|| vec![None; len]);
        hashes[at] = Some(self.current.1);
        let pairs: Vec<usize> = if at == 0 { (1..len).collect() } else { vec![at] };
        for other in pairs {
            if let (Some(own), Some(theirs)) = (hashes[0], hashes[other]) {
                self.same[other][0] += u64::from(own == theirs);
                self.same[other][1] += 1;
            }
        }
    }

    /// What is known of each copy, and into every gap of the subject what its copies brought of it.
    pub(super) fn finish(self, config: &Config, channels: &mut [ChannelFacts]) -> Vec<CopyFacts> {
        let mut out = Vec::new();
        let none = Numbers::default();
        for (at, source) in self.sources.iter().enumerate().skip(1) {
            let mut facts = CopyFacts {
                source: config.sources[*source].name.clone(),
                same: self.same[at],
                ..CopyFacts::default()
            };
            for (c, channel) in (0u16..).zip(channels.iter_mut()) {
                let [own, other] = [0, at].map(|s| self.numbers.get(&(s, c)).unwrap_or(&none));
                let beyond = |(n, when): &&(u64, u64)| *n > own.last.0 && *when <= self.raised_ns;
                let went_on = other.delivered.iter().filter(beyond).count() as u64;
                if c == 0 || went_on > facts.went_on {
                    (facts.own_last, facts.other_last, facts.went_on) = (own.last, other.last, went_on);
                }
                for gap in channel.gaps.iter_mut().filter(|_| facts.is_copy()) {
                    let inside = |(n, _): &&(u64, u64)| (gap.first..=gap.last).contains(n);
                    gap.copied = gap.copied.max(other.delivered.iter().filter(inside).count() as u64);
                }
            }
            out.push(facts);
        }
        out
    }
}

/// FNV-1a over words: two packets of other bytes differ in it, as far as chance goes.
fn hash_of(bytes: &[u8]) -> u64 {
    bytes.chunks(8).fold(0xcbf2_9ce4_8422_2325, |hash, word| {
        let mut eight = [0; 8];
        eight[..word.len()].copy_from_slice(word);
        (hash ^ u64::from_le_bytes(eight)).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23)
    })
}
