//! From groups to channels: copies of the same packets become lines of one channel.

use feeds::FeedId;

use super::evidence::Evidence;
use super::sample::Track;
use super::{Channel, Identification, Line, Seen, Unknown};

/// A line in the making.
struct Piece {
    feed: FeedId,
    track: Track,
    evidence: Evidence,
    line: Line,
}

/// Turns what was seen into channels.
pub(super) fn join(mut seen: Vec<Seen>, captures: &[String], found: &mut Identification) {
    seen.sort_by_key(|s| (s.group, s.capture));
    let mut pieces: Vec<Piece> = Vec::new();
    for one in seen {
        let verdict = one.evidence.verdict();
        let Some((feed, track)) = one.track else {
            unknown(found, one.group, one.packets, &verdict.why);
            continue;
        };
        let line = Line {
            name: String::new(),
            group: one.group,
            capture: Some(captures[one.capture].clone()),
            confidence_percent: verdict.confidence_percent,
            packets: one.packets,
            sequences: track.sequences,
            session: track.session,
            evidence: verdict.why,
        };
        pieces.push(Piece { feed, track, evidence: one.evidence, line });
    }
    let pieces = whole_lines(pieces);
    found.channels = channels(pieces);
}

fn unknown(found: &mut Identification, group: crate::config::Group, packets: u64, why: &str) {
    match found.unknown.last_mut() {
        Some(last) if last.group == group => last.packets += packets,
        _ => found.unknown.push(Unknown { group, packets, why: why.to_owned() }),
    }
}

/// A group recorded piece by piece is one line; a group recorded twice is two lines, told apart by their captures.
fn whole_lines(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut lines: Vec<Piece> = Vec::new();
    let mut rest = pieces.into_iter().peekable();
    while let Some(first) = rest.next() {
        let mut same = vec![first];
        while let Some(next) = rest.next_if(|next| next.line.group == same[0].line.group) {
            same.push(next);
        }
        let recorded_twice = same
            .iter()
            .enumerate()
            .any(|(i, a)| same[..i].iter().any(|b| a.feed != b.feed || a.track.overlap(&b.track).common > 0));
        if recorded_twice {
            lines.extend(same);
            continue;
        }
        let mut same = same.into_iter();
        if let Some(mut whole) = same.next() {
            for piece in same {
                whole.track.join(&piece.track);
                whole.evidence.join(&piece.evidence);
                whole.line.packets += piece.line.packets;
            }
            let verdict = whole.evidence.verdict();
            (whole.line.confidence_percent, whole.line.evidence) = (verdict.confidence_percent, verdict.why);
            whole.line.sequences = whole.track.sequences;
            whole.line.capture = None;
            lines.push(whole);
        }
    }
    lines
}

/// Lines that are copies of each other share a channel.
fn channels(lines: Vec<Piece>) -> Vec<Channel> {
    let mut channels: Vec<(FeedId, Track, Vec<Line>)> = Vec::new();
    for piece in lines {
        let copy_of = channels
            .iter_mut()
            .find(|(feed, track, _)| *feed == piece.feed && track.overlap(&piece.track).is_copy());
        match copy_of {
            Some((_, track, lines)) => {
                track.join(&piece.track);
                lines.push(piece.line);
            }
            None => channels.push((piece.feed, piece.track, vec![piece.line])),
        }
    }
    channels.sort_by_key(|(feed, ..)| *feed);
    let mut out: Vec<Channel> = Vec::new();
    for (feed, _, mut lines) in channels {
        for (i, line) in lines.iter_mut().enumerate() {
            line.name = line_name(i);
        }
        let number = out.iter().filter(|channel| channel.feed == feed).count() + 1;
        out.push(Channel { name: format!("c{number}"), feed, lines });
    }
    out
}

/// `A` to `Z`, then by number.
fn line_name(i: usize) -> String {
    match u8::try_from(i) {
        Ok(i) if i < 26 => char::from(b'A' + i).to_string(),
        _ => format!("L{}", i + 1),
    }
}
