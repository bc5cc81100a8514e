//! How surely a stream of datagrams is a feed's: votes of its packets.

use feeds::{ALL, FeedId};

use crate::packet;
use crate::source::Datagram;

/// From here on a feed is taken to be the right one.
pub const SURE_PERCENT: u8 = 60;
/// A packet recognised this surely holds messages of the feed, not only its framing.
const FITS: u8 = 50;
/// Two feeds closer than this cannot be told apart.
const LEAD_PERCENT: u8 = 5;

/// What one feed made of the packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Votes {
    /// Packets whose messages fit.
    fits: u32,
    /// Sum of their scores.
    scores: u32,
    /// Packets that could be the feed's and say nothing (heartbeats).
    hints: u32,
}

/// The votes of a stream's packets for every feed of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Evidence {
    packets: u32,
    votes: [Votes; ALL.len()],
}

/// What the votes come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The feed, if one is sure enough.
    pub feed: Option<FeedId>,
    /// How surely, 0 to 100; of the likeliest feed where none is sure enough.
    pub confidence_percent: u8,
    /// Why, in one sentence without a full stop.
    pub why: String,
}

impl Evidence {
    /// Packets that have voted.
    pub fn packets(&self) -> u32 {
        self.packets
    }

    /// Lets a packet vote.
    pub fn take(&mut self, datagram: &Datagram<'_>) {
        self.packets = self.packets.saturating_add(1);
        for (votes, feed) in self.votes.iter_mut().zip(ALL) {
            match feed.with(packet::Recognise(datagram)) {
                0 => {}
                score if score >= FITS => {
                    votes.fits += 1;
                    votes.scores = votes.scores.saturating_add(u32::from(score.min(100)));
                }
                _ => votes.hints += 1,
            }
        }
    }

    /// Adds the votes of another piece of the same stream.
    pub fn join(&mut self, other: &Evidence) {
        self.packets = self.packets.saturating_add(other.packets);
        for (mine, theirs) in self.votes.iter_mut().zip(other.votes) {
            mine.fits = mine.fits.saturating_add(theirs.fits);
            mine.scores = mine.scores.saturating_add(theirs.scores);
            mine.hints = mine.hints.saturating_add(theirs.hints);
        }
    }

    /// Confidence in one feed: the mean score of the packets that fit, with the doubt halved each time their
    /// number doubles, less the share of the packets that do not fit.
    fn confidence(&self, votes: Votes) -> u8 {
        if votes.fits == 0 {
            return 0;
        }
        let doubt = (100 - votes.scores / votes.fits) >> votes.fits.ilog2();
        let judged = u64::from(self.packets.saturating_sub(votes.hints).max(1));
        let percent = u64::from(100 - doubt.max(1)) * u64::from(votes.fits) / judged;
        percent.min(99) as u8
    }

    /// The likeliest feed and its confidence, and the runner-up.
    fn leaders(&self) -> [(FeedId, u8); 2] {
        let mut leaders = [(ALL[0], 0); 2];
        for (votes, feed) in self.votes.iter().zip(ALL) {
            let confidence = self.confidence(*votes);
            if confidence > leaders[0].1 {
                leaders = [(*feed, confidence), leaders[0]];
            } else if confidence > leaders[1].1 {
                leaders[1] = (*feed, confidence);
            }
        }
        leaders
    }

    /// The feed that is sure enough, if there is one: [`Evidence::verdict`] without its sentence.
    pub fn feed(&self) -> Option<FeedId> {
        let [(feed, confidence), (_, second)] = self.leaders();
        (confidence >= SURE_PERCENT && confidence - second >= LEAD_PERCENT).then_some(feed)
    }

    /// What the votes come to.
    pub fn verdict(&self) -> Verdict {
        let [(first, confidence_percent), (second, next)] = self.leaders();
        let votes = self.votes[first as usize];
        let judged = self.packets - votes.hints.min(self.packets);
        let name = first.info().name;
        let why = if confidence_percent == 0 {
            self.why_nothing()
        } else if confidence_percent - next < LEAD_PERCENT {
            format!("the packets fit {name} and {} alike", second.info().name)
        } else {
            let fits = votes.fits;
            let heartbeats =
                if votes.hints > 0 { format!(", {} heartbeats", votes.hints) } else { String::new() };
            format!(
                "{fits} of {judged} packets with messages fit {name} in framing, types and lengths{heartbeats}"
            )
        };
        Verdict { feed: self.feed(), confidence_percent, why }
    }

    fn why_nothing(&self) -> String {
        let hinted: Vec<&str> = self
            .votes
            .iter()
            .zip(ALL)
            .filter(|(votes, _)| votes.hints == self.packets && self.packets > 0)
            .map(|(_, feed)| feed.info().name)
            .collect();
        match hinted.as_slice() {
            [] => "no feed of the catalogue fits its packets".to_owned(),
            names => format!("only heartbeats, which could be of {}", names.join(" or ")),
        }
    }
}
