//! What came in, counted: messages by type, unknown types, errors with their first place.

use std::collections::BTreeMap;

use feeds::FeedId;
use feeds::feed::Decoded;
use feeds::wire::WireError;

use crate::config::Group;
use crate::market::Origin;

/// An error that was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorSeen {
    /// How often.
    pub count: u64,
    /// The first one.
    pub first: WireError,
    /// Where it was.
    pub at: Origin,
    /// When each of the first so many came, nanoseconds since 1970 UTC.
    pub times_ns: Vec<u64>,
}

/// Errors of a kind that are dated one by one.
pub const ERROR_TIMES_MAX: usize = 256;

/// Figures of one channel.
#[derive(Debug, Clone)]
pub struct ChannelTally {
    feed: FeedId,
    /// Packets that arrived on any line.
    pub packets: u64,
    /// Bytes of their payloads.
    pub bytes: u64,
    /// Messages delivered, by position in the feed's list.
    by_type: Vec<u64>,
    /// Messages of types that are not declared, by type.
    pub unknown: BTreeMap<u32, u64>,
    /// Errors by name.
    pub errors: BTreeMap<&'static str, ErrorSeen>,
    /// What lines said of sequence numbers, by name.
    pub line_events: BTreeMap<&'static str, u64>,
}

impl ChannelTally {
    /// Nothing yet.
    pub fn new(feed: FeedId) -> Self {
        ChannelTally {
            feed,
            packets: 0,
            bytes: 0,
            by_type: vec![0; feed.messages().len()],
            unknown: BTreeMap::new(),
            errors: BTreeMap::new(),
            line_events: BTreeMap::new(),
        }
    }

    /// Counts a message.
    #[inline(always)]
    pub fn message(&mut self, decoded: Decoded) {
        match decoded {
            Decoded::Message(index) => {
                if let Some(count) = self.by_type.get_mut(usize::from(index)) {
                    *count += 1;
                }
            }
            Decoded::Unknown(tag) => *self.unknown.entry(tag).or_default() += 1,
        }
    }

    /// Counts an error.
    pub fn error(&mut self, error: &WireError, at: &Origin) {
        let new = || ErrorSeen { count: 0, first: *error, at: *at, times_ns: Vec::new() };
        let seen = self.errors.entry(error.kind.name()).or_insert_with(new);
        seen.count += 1;
        if seen.times_ns.len() < ERROR_TIMES_MAX {
            seen.times_ns.push(at.ts_recv_ns);
        }
    }

    /// Counts something that a line said.
    pub fn line_event(&mut self, name: &'static str) {
        *self.line_events.entry(name).or_default() += 1;
    }

    /// Messages by type, those that came.
    pub fn messages(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        let names = self.feed.messages().iter().map(|l| l.name);
        names.zip(self.by_type.iter().copied()).filter(|(_, count)| *count > 0)
    }

    /// Messages delivered, unknown ones included.
    pub fn delivered(&self) -> u64 {
        self.by_type.iter().sum::<u64>() + self.unknown.values().sum::<u64>()
    }
}

/// Datagrams of groups that no line wants; the count of groups is bounded.
#[derive(Debug, Clone, Default)]
pub struct Unrouted {
    /// By group.
    pub groups: BTreeMap<Group, u64>,
    /// Of groups beyond the bound.
    pub others: u64,
}

/// Groups that are counted by name at most.
const GROUPS_MAX: usize = 4_096;

impl Unrouted {
    /// Counts a datagram.
    pub fn add(&mut self, group: Group) {
        if self.groups.len() >= GROUPS_MAX && !self.groups.contains_key(&group) {
            self.others += 1;
            return;
        }
        *self.groups.entry(group).or_default() += 1;
    }
}
