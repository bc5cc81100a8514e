//! What could not be a line, told at the end.

use super::choice::Channels;
use crate::source::CaptureCounts;

/// Channels that are named one by one; the others are summed up.
const NAMED_MAX: usize = 20;

/// Says on standard error what was passed by, and why.
pub(super) fn tell(channels: &Channels, counts: &[CaptureCounts]) {
    let mut named = 0;
    let (mut others, mut datagrams) = (0u64, 0u64);
    for slot in &channels.slots {
        let (capture, group) = (channels.capture(slot), slot.group);
        let told = slot.mismatches;
        if told.count > 0 {
            let ((announced, found), times, frame) = (told.first, told.count, told.first_frame);
            eprintln!(
                "{capture}: {group}: count_mismatch: {times} packets, first at frame {frame}, whose header announces \
                 {announced} messages where {found} are; all that are there are listed"
            );
        }
        if slot.passed == 0 {
            continue;
        }
        if named == NAMED_MAX {
            (others, datagrams) = (others + 1, datagrams + slot.passed);
            continue;
        }
        named += 1;
        let why = match channels.by_bytes() {
            true => slot.why(),
            false => "the configuration has no line for this group".to_owned(),
        };
        let (passed, frame) = (slot.passed, slot.passed_first_frame);
        eprintln!("{capture}: {group}: {passed} datagrams not decoded, first at frame {frame}: {why}");
    }
    if others > 0 {
        eprintln!("{others} further channels with {datagrams} datagrams not decoded");
    }
    for counts in counts {
        for (reason, tally) in counts.errors() {
            let (name, times, frame) = (reason.name(), tally.count, tally.first_frame);
            eprintln!("{}: {name}: {times}, first at frame {frame}: {}", counts.name, reason.meaning());
        }
    }
}
