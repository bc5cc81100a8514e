//! What each channel speaks: as told, as configured, or as its bytes say.
//!
//! Where the bytes decide, a datagram that arrives before its channel is known waits, and with it everything behind
//! it, so that lines keep the order of arrival. The wait is bounded; a channel that stays unknown waits no more.

use std::collections::VecDeque;
use std::net::SocketAddr;

use feeds::FeedId;
use hashbrown::HashMap;

use crate::config::{Config, Group};
use crate::identify::Evidence;
use crate::packet;
use crate::packet::ndjson;
use crate::source::{Datagram, Transport};

/// Datagrams that may wait.
const HELD_MAX: usize = 4_096;
/// Bytes that may wait.
const HELD_BYTES_MAX: usize = 8 << 20;
/// Datagrams of one channel after which nobody waits for it any more.
const TRIES_MAX: u32 = 64;
/// Channels that are told apart; datagrams of further ones are judged one by one.
const SLOTS_MAX: usize = 4_096;

/// How channels get their feed.
#[derive(Debug)]
pub(super) enum Choice {
    /// All of them this one.
    Feed(FeedId),
    /// By the configuration.
    Config(Config),
    /// By their bytes.
    Bytes,
}

/// A count and the frame where it began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Mismatches {
    pub count: u64,
    pub first_frame: u64,
    /// Announced and found, the first time.
    pub first: (u32, u32),
}

impl Mismatches {
    pub fn take(&mut self, frame: u64, mismatch: (u32, u32)) {
        if self.count == 0 {
            (self.first_frame, self.first) = (frame, mismatch);
        }
        self.count += 1;
    }
}

/// One channel of one capture.
#[derive(Debug)]
pub(super) struct Slot {
    pub capture: usize,
    pub group: Group,
    /// The group as JSON.
    pub json: Vec<u8>,
    feed: Option<FeedId>,
    evidence: Evidence,
    /// Datagrams of it without a line because no feed is known for it, and the first one's frame.
    pub passed: u64,
    pub passed_first_frame: u64,
    pub mismatches: Mismatches,
}

impl Slot {
    fn new(capture: usize, group: Group, feed: Option<FeedId>) -> Self {
        let mut json = Vec::new();
        ndjson::utf8(&mut json, &group.to_string());
        Slot {
            capture,
            group,
            json,
            feed,
            evidence: Evidence::default(),
            passed: 0,
            passed_first_frame: 0,
            mismatches: Mismatches::default(),
        }
    }

    /// Why no feed is known for it.
    pub fn why(&self) -> String {
        self.evidence.verdict().why
    }

    fn pass(&mut self, frame: u64) {
        if self.passed == 0 {
            self.passed_first_frame = frame;
        }
        self.passed += 1;
    }
}

/// A datagram that waits for its channel, or behind one that does.
#[derive(Debug)]
pub(super) struct Held {
    slot: usize,
    ts_recv_ns: u64,
    capture: u32,
    frame: u64,
    transport: Transport,
    source: SocketAddr,
    destination: SocketAddr,
    wire_len: u32,
    checksum: u16,
    identification: u16,
    interface: u32,
    payload: Vec<u8>,
}

impl Held {
    fn new(slot: usize, datagram: &Datagram<'_>) -> Self {
        Held {
            slot,
            ts_recv_ns: datagram.ts_recv_ns,
            capture: datagram.capture,
            frame: datagram.frame,
            transport: datagram.transport,
            source: datagram.source,
            destination: datagram.destination,
            wire_len: datagram.wire_len,
            checksum: datagram.checksum,
            identification: datagram.identification,
            interface: datagram.interface,
            payload: datagram.payload.to_vec(),
        }
    }

    /// It again.
    pub fn datagram(&self) -> Datagram<'_> {
        Datagram {
            ts_recv_ns: self.ts_recv_ns,
            capture: self.capture,
            frame: self.frame,
            transport: self.transport,
            source: self.source,
            destination: self.destination,
            payload: &self.payload,
            wire_len: self.wire_len,
            checksum: self.checksum,
            identification: self.identification,
            interface: self.interface,
            interface_name: "",
            lost: Default::default(),
        }
    }

    /// Its frame.
    pub fn frame(&self) -> u64 {
        self.frame
    }
}

/// What becomes of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// It is decoded now, as this feed, on this channel.
    Decode(usize, FeedId),
    /// It waits.
    Held,
    /// It is counted.
    Passed,
}

/// Every channel and what it speaks.
#[derive(Debug)]
pub(super) struct Channels {
    choice: Choice,
    captures: Vec<String>,
    pub slots: Vec<Slot>,
    at: HashMap<(u32, Group), usize>,
    latest: Option<((u32, Group), usize)>,
    held: VecDeque<Held>,
    held_bytes: usize,
    ended: bool,
}

impl Channels {
    pub fn new(choice: Choice, captures: Vec<String>) -> Self {
        Channels {
            choice,
            captures,
            slots: vec![],
            at: HashMap::new(),
            latest: None,
            held: VecDeque::new(),
            held_bytes: 0,
            ended: false,
        }
    }

    /// Whether the bytes decide.
    pub fn by_bytes(&self) -> bool {
        matches!(self.choice, Choice::Bytes)
    }

    /// The capture as it was named.
    pub fn capture(&self, slot: &Slot) -> &str {
        &self.captures[slot.capture]
    }

    /// Decides what becomes of a datagram; it is kept if it has to wait.
    pub fn next(&mut self, datagram: &Datagram<'_>) -> Next {
        let (at, by_bytes) = (self.slot(datagram), self.by_bytes());
        let slot = &mut self.slots[at];
        if slot.feed.is_none() && by_bytes {
            slot.evidence.take(datagram);
            slot.feed = slot.evidence.feed();
        }
        // A TCP segment begins anywhere in its stream: only one that begins with a packet is one.
        if datagram.transport == Transport::Tcp
            && slot.feed.is_some_and(|feed| feed.with(packet::Recognise(datagram)) == 0)
        {
            self.pass(at, datagram.frame);
            return Next::Passed;
        }
        match slot.feed {
            Some(feed) if self.held.is_empty() => Next::Decode(at, feed),
            None if !by_bytes || self.held.is_empty() && slot.evidence.packets() > TRIES_MAX => {
                self.pass(at, datagram.frame);
                Next::Passed
            }
            _ => {
                self.held_bytes += datagram.payload.len();
                self.held.push_back(Held::new(at, datagram));
                Next::Held
            }
        }
    }

    /// The first datagram that waits no more, with its channel's feed if that is known.
    pub fn release(&mut self) -> Option<(usize, Option<FeedId>, Held)> {
        let slot = &self.slots[self.held.front()?.slot];
        let full = self.held.len() > HELD_MAX || self.held_bytes > HELD_BYTES_MAX;
        if slot.feed.is_none() && !full && !self.ended && slot.evidence.packets() <= TRIES_MAX {
            return None;
        }
        let feed = slot.feed;
        let held = self.held.pop_front()?;
        self.held_bytes -= held.payload.len();
        Some((held.slot, feed, held))
    }

    /// Nothing more will arrive: nobody needs to wait.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// Counts a datagram without lines.
    pub fn pass(&mut self, slot: usize, frame: u64) {
        self.slots[slot].pass(frame);
    }

    fn slot(&mut self, datagram: &Datagram<'_>) -> usize {
        let key = (datagram.capture, packet::group(datagram));
        if let Some((latest, at)) = self.latest
            && latest == key
        {
            return at;
        }
        let at = match self.at.get(&key) {
            Some(at) => *at,
            None => {
                let slot = Slot::new(datagram.capture as usize, key.1, self.feed_of(key));
                if self.slots.len() > SLOTS_MAX {
                    // One slot for all that are too many: what came before on it says nothing of this one.
                    let passed = (self.slots[SLOTS_MAX].passed, self.slots[SLOTS_MAX].passed_first_frame);
                    self.slots[SLOTS_MAX] = slot;
                    (self.slots[SLOTS_MAX].passed, self.slots[SLOTS_MAX].passed_first_frame) = passed;
                    SLOTS_MAX
                } else {
                    self.slots.push(slot);
                    let at = self.slots.len() - 1;
                    if at < SLOTS_MAX {
                        self.at.insert(key, at);
                    }
                    at
                }
            }
        };
        self.latest = Some((key, at));
        at
    }

    /// The feed that is known before any byte is looked at.
    fn feed_of(&self, (capture, group): (u32, Group)) -> Option<FeedId> {
        match &self.choice {
            Choice::Feed(feed) => Some(*feed),
            Choice::Bytes => None,
            Choice::Config(config) => {
                let name = &self.captures[capture as usize];
                // Its lines are groups of datagrams, never connections.
                let here = |line: &crate::config::Line| line.group == group && line.is_in(name);
                let source = |source: &&crate::config::Source| {
                    source.channels.iter().any(|channel| channel.lines.iter().any(here))
                };
                config.sources.iter().find(source).map(|source| source.feed)
            }
        }
    }
}
