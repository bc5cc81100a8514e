//! `gap`: messages were lost on every line of a channel.

use super::desk::Desk;
use crate::alert::{Details, Handle, SequenceRange, Subject};
use crate::config::{Check, Kind};
use crate::market::{Registry, SourceId};

/// The check's document.
pub const DOCUMENT: &str = "\
gap: messages were lost on every line

Definition   A range of sequence numbers that no line of the channel brought within reorder_wait and
             reorder_packets of the channel's configuration.
Inputs       Sequence numbers of all lines of the channel.
Parameters   sources.
Opens        When the hole has waited long enough; began is the arrival that showed it; sequence is the exact range.
Clears       When late copies have filled all of it (filled: the books stay suspect, for the messages were not
             applied), when no instrument of the channel is suspect any more (books_whole), when the session or the
             numbering starts anew, or at the end of the data.
Cause        ours, when this machine dropped datagrams of the channel around the hole (counted by socket and before any
             socket, live and in recordings of a live line); source, when it dropped nothing and every one of several
             lines, which come in on interfaces of their own, lost them; undecided otherwise: parallax explain looks
             into what the recording holds.
Held back    Nothing. Its consequences on prices are: not comparable, gap.";

/// An open gap of one channel.
#[derive(Debug)]
struct Open {
    first: u64,
    last: u64,
    missing: u64,
    alert: Handle,
}

/// How many gaps are open at once at most; more are told, and cleared as they are told.
const OPEN_MAX: usize = 1_024;

/// What this machine is known to have lost on a channel's lines around a hole, datagrams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ours {
    /// Losses of this machine are counted on these lines: none means none. A capture of somebody else's says nothing.
    pub counted: bool,
    /// For want of room in the lines' sockets.
    pub socket: u32,
    /// In the kernel's queues before any socket.
    pub host: u32,
}

impl Ours {
    /// This machine dropped datagrams around it.
    pub fn dropped(&self) -> bool {
        self.socket > 0 || self.host > 0
    }

    /// What is known of this machine's part, for the end of a sentence.
    pub fn evidence(&self) -> String {
        match *self {
            Ours { socket, .. } if socket > 0 => {
                format!("; our own socket buffers dropped {socket} datagrams there")
            }
            Ours { host, .. } if host > 0 => {
                format!("; this machine's kernel dropped {host} datagrams at that time")
            }
            Ours { counted: true, .. } => "; nothing was dropped on this machine".to_owned(),
            _ => String::new(),
        }
    }
}

/// State of the check for one channel.
#[derive(Debug, Default)]
pub struct GapJudge {
    open: Vec<Open>,
}

/// The channel of a gap.
#[derive(Debug, Clone, Copy)]
pub struct Lost<'a> {
    /// Whose.
    pub source: SourceId,
    /// Its name.
    pub channel: &'a str,
    /// How many lines it has.
    pub lines: usize,
    /// They come in on interfaces of their own.
    pub separate: bool,
}

/// A gap as declared.
#[derive(Debug, Clone, Copy)]
pub struct Gap {
    /// The numbers.
    pub range: SequenceRange,
    /// Arrival that showed the hole.
    pub began: u64,
    /// Why it waits no longer.
    pub reason: &'static str,
    /// Instruments that are suspect for it.
    pub suspects: u64,
    /// What this machine lost at the time.
    pub ours: Ours,
}

fn suspects(count: u64) -> String {
    format!("{} {}", super::silent::instruments(count), if count == 1 { "is" } else { "are" })
}

impl GapJudge {
    /// Tells a gap.
    pub fn tell(
        &mut self,
        now: u64,
        Lost { source, channel, lines, separate }: Lost<'_>,
        gap: Gap,
        check: &Check,
        desk: &mut Desk,
        registry: &Registry,
    ) {
        let subject = Subject { channel: Some(channel.to_owned()), ..Subject::new(Kind::Gap, &[source]) };
        let cause = match gap.ours {
            ours if ours.dropped() => "ours",
            Ours { counted: true, .. } if lines > 1 && separate => "source",
            _ => "undecided",
        };
        let evidence = gap.ours.evidence();
        let why = format!(
            "{} channel {channel} lost {}, on {} ({}); {} suspect{evidence}",
            desk.name(source),
            gap.range,
            if lines > 1 { "every line" } else { "its only line" },
            match gap.reason {
                "window" => "as many packets as may had passed it",
                "end" => "its data ended",
                "undecodable" => "the bytes came but cannot be read",
                _ if lines > 1 => "no copy came in time",
                _ => "they did not come in time",
            },
            suspects(gap.suspects)
        );
        let details = Details {
            sequence: Some(gap.range),
            instruments: Some(gap.suspects),
            cause,
            why,
            ..Details::default()
        };
        let alert = desk.raise(now, gap.began.min(now), check.severity, subject, details, registry);
        if self.open.len() == OPEN_MAX {
            desk.clear(now, now, alert, "too_many_open", registry);
            return;
        }
        let SequenceRange { first, last, count, .. } = gap.range;
        self.open.push(Open { first, last, missing: count, alert });
    }

    /// A late copy filled a piece.
    pub fn filled(&mut self, now: u64, range: SequenceRange, desk: &mut Desk, registry: &Registry) {
        let inside = |o: &Open| o.first <= range.first && range.last <= o.last;
        let Some(index) = self.open.iter().position(inside) else { return };
        let open = &mut self.open[index];
        open.missing = open.missing.saturating_sub(range.count);
        if open.missing == 0 {
            let alert = open.alert;
            self.open.remove(index);
            desk.clear(now, now, alert, "filled", registry);
        }
    }

    /// Nothing of what was lost matters any more.
    pub fn clear(&mut self, now: u64, reason: &str, desk: &mut Desk, registry: &Registry) {
        for open in self.open.drain(..) {
            desk.clear(now, now, open.alert, reason, registry);
        }
    }

    /// Whether a gap is open.
    pub fn is_open(&self) -> bool {
        !self.open.is_empty()
    }
}
