//! The same channels on two sides, packet by packet and message by message.
//!
//! Each side is read at its own pace: whoever has more that waits for a copy waits for the other. So neither a clock
//! that is an hour off nor captures that begin at different times hide what they have in common.

use feeds::feed::{PacketKind, SequenceUnit};
use feeds::{Feed, FeedId, FeedVisitor};
use hashbrown::HashMap;

use super::items::{At, Item, Items};
use crate::config::Group;
use crate::packet;
use crate::source::{CaptureError, Captures, Datagram};

/// Where one side's copy of a channel is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Position of the channel's unit.
    pub unit: usize,
    /// Where it arrives.
    pub group: Group,
    /// Only in the capture of this name.
    pub capture: Option<String>,
}

/// One channel that both sides carry.
#[derive(Debug)]
pub struct Unit {
    /// Name for people.
    pub name: String,
    /// What it speaks.
    pub feed: FeedId,
    /// What was matched.
    pub items: Items,
    /// Packets and messages, by side.
    pub tallies: [Tally; 2],
    epochs: [u32; 2],
}

/// What was read of one side of a unit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Packets, heartbeats included.
    pub packets: u64,
    /// Messages.
    pub messages: u64,
    /// Packets without messages: signs of life, ends of sessions.
    pub heartbeats: u64,
    /// Packets that cannot be read.
    pub unreadable: u64,
    /// Time of the first and the latest packet, nanoseconds since 1970 UTC.
    pub span_ns: Option<(u64, u64)>,
}

impl Unit {
    /// Before any data.
    pub fn new(name: String, feed: FeedId) -> Unit {
        Unit { name, feed, items: Items::default(), tallies: [Tally::default(); 2], epochs: [0; 2] }
    }
}

/// Reads both sides to their ends.
///
/// # Errors
/// A capture that the system can no longer read.
pub fn compare_packets(
    captures: [&mut Captures; 2],
    routes: [&[Route]; 2],
    units: &mut [Unit],
) -> Result<(), CaptureError> {
    let [a, b] = captures;
    let mut sides = [Reader::new(a, routes[0]), Reader::new(b, routes[1])];
    loop {
        let waiting = [0, 1].map(|side| units.iter().map(|unit| unit.items.waiting(side)).sum::<u64>());
        let behind = usize::from(waiting[0] > waiting[1]);
        let side = if sides[behind].done { 1 - behind } else { behind };
        if sides[side].done {
            return Ok(());
        }
        sides[side].step(side, units)?;
    }
}

struct Reader<'a> {
    captures: &'a mut Captures,
    routes: HashMap<Group, Vec<(Option<u32>, usize)>>,
    done: bool,
}

impl<'a> Reader<'a> {
    fn new(captures: &'a mut Captures, routes: &[Route]) -> Self {
        let mut by_group: HashMap<Group, Vec<(Option<u32>, usize)>> = HashMap::new();
        for route in routes {
            let named = |name: &String| captures.names().iter().position(|n| n == name);
            let capture = route.capture.as_ref().map(|name| named(name).map_or(u32::MAX, |at| at as u32));
            by_group.entry(route.group).or_default().push((capture, route.unit));
        }
        Reader { captures, routes: by_group, done: false }
    }

    /// The next packet that belongs to a unit.
    fn step(&mut self, side: usize, units: &mut [Unit]) -> Result<(), CaptureError> {
        let Some(datagram) = self.captures.next()? else {
            self.done = true;
            return Ok(());
        };
        let routes = self.routes.get(&packet::group(&datagram)).map(Vec::as_slice).unwrap_or_default();
        let wanted = routes.iter().find(|(capture, _)| capture.is_none_or(|only| only == datagram.capture));
        if let Some(unit) = wanted.and_then(|(_, unit)| units.get_mut(*unit)) {
            unit.feed.with(Take { unit, side, datagram: &datagram });
        }
        Ok(())
    }
}

/// Takes one datagram into a unit.
struct Take<'a, 'd> {
    unit: &'a mut Unit,
    side: usize,
    datagram: &'a Datagram<'d>,
}

impl FeedVisitor for Take<'_, '_> {
    type Output = ();
    fn visit<F: Feed>(self) {
        let Take { unit, side, datagram } = self;
        let tally = &mut unit.tallies[side];
        tally.packets += 1;
        let ts_ns = datagram.ts_recv_ns;
        let span = tally.span_ns.get_or_insert((ts_ns, ts_ns));
        *span = (span.0.min(ts_ns), span.1.max(ts_ns));
        let Ok(header) = packet::header::<F>(datagram) else {
            tally.unreadable += 1;
            return;
        };
        match header.kind {
            PacketKind::Data => {}
            PacketKind::Reset => unit.epochs[side] += 1,
            PacketKind::Heartbeat | PacketKind::EndOfSession => {
                tally.heartbeats += 1;
                return;
            }
        }
        let session = (header.session, unit.epochs[side]);
        let at = At { ts_ns, capture: datagram.capture, frame: datagram.frame };
        let by_message = F::INFO.sequence_unit == SequenceUnit::Message;
        if !by_message {
            let hash = hash(datagram.payload.get(header.len..).unwrap_or_default());
            unit.items.take(side, &Item { session, number: header.sequence, hash, opens: true, at });
        }
        let (mut from, mut nth) = (header.len, 0u64);
        loop {
            match packet::split::<F>(datagram, from) {
                Ok(Some(span)) => {
                    if by_message {
                        let hash = hash(datagram.payload.get(span.start..span.end).unwrap_or_default());
                        let number = header.sequence.wrapping_add(nth);
                        unit.items.take(side, &Item { session, number, hash, opens: nth == 0, at });
                    }
                    nth += 1;
                    from = span.end.max(from + 1);
                }
                Ok(None) => break,
                Err(_) => {
                    tally.unreadable += 1;
                    break;
                }
            }
        }
        tally.messages += nth;
    }
}

/// FNV-1a.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01B3)
    })
}
