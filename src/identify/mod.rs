//! Which channels a capture holds and what they speak, told by their bytes.
//!
//! Ports and addresses say nothing here: every datagram of a group is held against every feed of the catalogue, and
//! what fits packet after packet wins. Groups that carry the same packets under the same numbers are lines of one
//! channel. Memory is bounded: per group a few counters and a sample of at most 1,024 packets.

mod evidence;
mod lines;
mod report;
mod sample;

use hashbrown::HashMap;

use feeds::FeedId;

use crate::config::Group;
use crate::packet;
use crate::source::{CaptureError, Captures, Datagram};
pub use evidence::{Evidence, SURE_PERCENT, Verdict};
pub use report::{config_toml, table};
use sample::Track;

/// How much is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Packets per group that are held against the catalogue; the others are only counted and numbered.
    pub recognised_packets: u32,
    /// Datagrams after which reading ends.
    pub datagrams: u64,
    /// Groups that are told apart; datagrams of others are counted together.
    pub groups: usize,
}

impl Default for Limits {
    /// The whole capture.
    fn default() -> Self {
        Limits { recognised_packets: 1_024, datagrams: u64::MAX, groups: 1_024 }
    }
}

impl Limits {
    /// Only its beginning: a million datagrams.
    pub fn beginning() -> Self {
        Limits { datagrams: 1_000_000, ..Limits::default() }
    }
}

/// One copy of a channel's data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// `A`, `B`, ... in the order of the addresses.
    pub name: String,
    /// Where it arrives.
    pub group: Group,
    /// The capture's file name, where the same group was recorded in several places.
    pub capture: Option<String>,
    /// How surely the feed is right, 0 to 100.
    pub confidence_percent: u8,
    /// Packets, heartbeats included.
    pub packets: u64,
    /// Lowest and highest sequence number of packets with messages.
    pub sequences: Option<(u64, u64)>,
    /// The transport's session; 0 without one.
    pub session: u128,
    /// Why, in one sentence.
    pub evidence: String,
}

/// One stream with its own sequence numbers, on one or more lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Name within the source: `c1`, `c2`, ...
    pub name: String,
    /// What it speaks.
    pub feed: FeedId,
    /// Its copies.
    pub lines: Vec<Line>,
}

/// A group that no feed of the catalogue explains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// Where it arrives.
    pub group: Group,
    /// Datagrams.
    pub packets: u64,
    /// What is missing, in one sentence.
    pub why: String,
}

/// What a capture holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identification {
    /// Channels, by feed in the order of the catalogue, then by address.
    pub channels: Vec<Channel>,
    /// Groups that were not recognised, by address.
    pub unknown: Vec<Unknown>,
    /// Datagrams read.
    pub datagrams: u64,
    /// Datagrams of groups beyond [`Limits::groups`].
    pub uncounted: u64,
    /// Whether the captures were read to their end.
    pub complete: bool,
}

/// What was seen of one group in one capture.
#[derive(Debug)]
struct Seen {
    group: Group,
    capture: usize,
    packets: u64,
    evidence: Evidence,
    track: Option<(FeedId, Track)>,
}

impl Seen {
    fn new(group: Group, capture: usize) -> Self {
        Seen { group, capture, packets: 0, evidence: Evidence::default(), track: None }
    }

    fn take(&mut self, datagram: &Datagram<'_>, limits: Limits) {
        self.packets += 1;
        if self.evidence.packets() < limits.recognised_packets {
            self.evidence.take(datagram);
            // Another feed came to lead: what was numbered by the old one's header means nothing.
            let leads = self.evidence.verdict().feed;
            if leads != self.track.as_ref().map(|(feed, _)| *feed) {
                self.track = leads.map(|feed| (feed, Track::default()));
            }
        }
        if let Some((feed, track)) = &mut self.track
            && let Ok(header) = feed.with(packet::Header(datagram))
        {
            track.take(&header, datagram.payload);
        }
    }
}

/// Reads the captures to their end (or to the limit) and tells what they hold.
///
/// # Errors
/// A capture that the system can no longer read.
pub fn identify(captures: &mut Captures, limits: Limits) -> Result<Identification, CaptureError> {
    let mut seen: Vec<Seen> = Vec::new();
    let mut at: HashMap<(usize, Group), usize> = HashMap::new();
    let mut found = Identification { complete: true, ..Identification::default() };
    while let Some(datagram) = captures.next()? {
        if found.datagrams == limits.datagrams {
            found.complete = false;
            break;
        }
        found.datagrams += 1;
        let (capture, group) = (datagram.capture as usize, packet::group(&datagram));
        let place = match at.get(&(capture, group)) {
            Some(place) => *place,
            None if seen.len() < limits.groups => {
                at.insert((capture, group), seen.len());
                seen.push(Seen::new(group, capture));
                seen.len() - 1
            }
            None => {
                found.uncounted += 1;
                continue;
            }
        };
        seen[place].take(&datagram, limits);
    }
    lines::join(seen, captures.names(), &mut found);
    Ok(found)
}

#[cfg(test)]
mod tests;
