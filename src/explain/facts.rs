//! What a verdict is made from: figures and places gathered around one alert, and nothing that is not in the data.
//!
//! They are plain values, so that a hypothesis can be tested on facts written by hand. Times are nanoseconds since
//! 1970 UTC in capture time, prices units of 1e-9.

pub use super::posted::Posted;
use super::subject::Alert;
use crate::config::Kind;
use crate::market::{Quality, Quote};
use crate::source::Seal;
use feeds::feed::{Depth, SequenceUnit};

/// A stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// Its first moment.
    pub from_ns: u64,
    /// The moment at which it is over.
    pub to_ns: u64,
}

impl Span {
    /// How long, nanoseconds.
    pub fn len_ns(&self) -> u64 {
        self.to_ns.saturating_sub(self.from_ns)
    }

    /// Whether a moment lies in it, its ends included.
    pub fn has(&self, at_ns: u64) -> bool {
        (self.from_ns..=self.to_ns).contains(&at_ns)
    }

    /// Whether the two have a moment in common.
    pub fn meets(&self, other: &Span) -> bool {
        self.from_ns <= other.to_ns && other.from_ns <= self.to_ns
    }
}

/// Where something stands in the captures.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Spot {
    /// Name of the capture; empty where it is not known.
    pub capture: String,
    /// Its packet, from 1.
    pub frame: u64,
    /// Sequence number of the message, or of its packet.
    pub sequence: u64,
}

/// Everything that is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facts {
    /// What is to be explained.
    pub alert: Alert,
    /// All data.
    pub data: Span,
    /// What was looked at closely: some time before the alert to some time after it.
    pub window: Span,
    /// Sources in the order of the configuration.
    pub sources: Vec<SourceFacts>,
    /// Every view of the alert's instrument.
    pub views: Vec<ViewFacts>,
    /// The subject source against each other one.
    pub pairings: Vec<Pairing>,
    /// Alerts that were open in the window beside this one, by kind: how many, and of how many instruments.
    pub beside: Vec<Beside>,
    /// Names under which the sources carry instruments whose quotes are the alert's quotes.
    pub likenesses: Vec<Likeness>,
    /// The venue whose quotes [`SourceFacts::venue_rate`] counts: the alert's, or that of a source that has one.
    pub rate_venue: Option<String>,
    /// Of a missing instrument: what its source lists.
    pub directory: DirectoryFacts,
    /// Clocks of the captures.
    pub capture_clock: CaptureClock,
    /// What is said of the instrument beside its quotes.
    pub tape: Tape,
    /// Other copies of the subject's feed: of the same venue, received as sources of their own.
    pub copies: Vec<CopyFacts>,
    /// What the rule book and the instrument map say of the market, the instrument and the day.
    pub rules: Rules,
}

/// The alert's source beside another source that is a copy of the same feed, number for number.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CopyFacts {
    /// The other source.
    pub source: String,
    /// Packets before the alert that both brought with the same numbers: those that end in the same bytes, and all.
    pub same: [u64; 2],
    /// The last number of the alert's source as the alert was raised, and when it had come.
    pub own_last: (u64, u64),
    /// The same of the other source, on the same channel.
    pub other_last: (u64, u64),
    /// Packets that the other brought between these two.
    pub went_on: u64,
}

impl CopyFacts {
    /// Whether the two have been shown to be copies: many numbers in common, nearly all with the same bytes.
    pub fn is_copy(&self) -> bool {
        let [same, all] = self.same;
        same >= 20 && same * 20 >= all * 19
    }
}

/// The instruments that a source defines, by our names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DirectoryFacts {
    /// How many.
    pub listed: u64,
    /// The first and the last of them in the order of names.
    pub range: [String; 2],
    /// The alert's instrument is one of them.
    pub lists_it: bool,
    /// Instruments that peers quote, with names in that range: those that are listed, and all.
    pub between: [u64; 2],
}

/// What the rule book and the instrument map say for the alert's market and day.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rules {
    /// The market: the alert's venue, or what a source without one is taken for.
    pub market: String,
    /// Its local date.
    pub date: String,
    /// The session at the alert's beginning.
    pub session: Option<SessionFacts>,
    /// Its round lot by the rule book.
    pub round_lot: Option<LotFacts>,
    /// What holds of halts.
    pub halts: Vec<RowFacts>,
    /// What holds of price bands.
    pub bands: Vec<RowFacts>,
    /// Rows of the instrument map for the instrument: source, its symbol, line of the map.
    pub mapped: Vec<(String, String, u64)>,
}

/// A session by the rule book.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SessionFacts {
    /// `regular`, `pre`, `post`, `order_entry`, `closed`; nothing where the book does not know.
    pub state: &'static str,
    /// Since when.
    pub from_ns: u64,
    /// Until when.
    pub until_ns: u64,
    /// What is special about the day; empty for nothing.
    pub special: String,
    /// The rows by which that is so.
    pub rows: Vec<RowFacts>,
}

/// A round lot by the rule book.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LotFacts {
    /// Shares.
    pub lot: u32,
    /// The row asks for a reference price that is not known: the lot of the lowest prices is assumed.
    pub assumed: bool,
    /// By which row.
    pub row: RowFacts,
}

/// A row of the rule book.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RowFacts {
    /// Its name.
    pub id: String,
    /// From when to when it holds.
    pub validity: String,
    /// What it says, in a few words.
    pub says: String,
    /// Who says so: document and section.
    pub source: String,
    /// Whether that was seen there.
    pub verified: bool,
}

/// Bands, trades and strange lines of the alert's instrument; gathered only for kinds of alerts that ask for them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tape {
    /// Price bands up to the moment at which the alert was raised, in order of time.
    pub bands: Vec<BandsSaid>,
    /// Trades of the five minutes before, by source; those whose message names symbol and price.
    pub trades: Vec<TradesSeen>,
    /// Lower and upper band that the rule book gives for the mean of the trades, by tier.
    pub by_rule: Vec<[i64; 2]>,
    /// Groups that no channel joins, and on which a source's feed quotes the instrument.
    pub elsewhere: Vec<Elsewhere>,
}

/// Price bands as a source published them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BandsSaid {
    /// The source.
    pub source: String,
    /// When.
    pub at_ns: u64,
    /// Lower band.
    pub lower: i64,
    /// Upper band.
    pub upper: i64,
    /// Sequence number of the message.
    pub sequence: u64,
}

/// Trades of a source.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TradesSeen {
    /// The source.
    pub source: String,
    /// How many.
    pub count: u64,
    /// Their mean.
    pub mean: i64,
    /// Trades at prices far from all others, which are not in the mean: when, and at what.
    pub strange: Vec<(u64, i64)>,
}

/// A group that is not listened to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Elsewhere {
    /// Whose feed it speaks.
    pub source: String,
    /// Address and port.
    pub group: String,
    /// The first packet that quotes the instrument.
    pub first_ns: u64,
    /// The last one.
    pub last_ns: u64,
    /// Quotes of the instrument on it.
    pub quotes: u64,
}

/// How many packets or quotes of a source come in equal stretches of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rate {
    /// The stretch, nanoseconds.
    pub bucket_ns: u64,
    /// Before the alert: tenth percentile, median, ninetieth; of how many stretches.
    pub before: ([u64; 3], usize),
    /// While it lasted, or the second and a half from its beginning on.
    pub during: ([u64; 3], usize),
}

/// Other alerts of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beside {
    /// Kind.
    pub kind: Kind,
    /// The source that they name first.
    pub source: String,
    /// How many.
    pub alerts: u64,
    /// Of how many different instruments.
    pub instruments: u64,
    /// The first of them by name.
    pub names: Vec<String>,
}

/// One source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFacts {
    /// Name in the configuration.
    pub name: String,
    /// Its feed.
    pub feed: &'static str,
    /// Its kind of view.
    pub depth: Depth,
    /// MIC of its venue; `None` for a consolidated one.
    pub venue: Option<String>,
    /// Nanoseconds after which a quiet channel sends a heartbeat.
    pub heartbeat_ns: u64,
    /// Its channels.
    pub channels: Vec<ChannelFacts>,
    /// Receive time less the venue's event time, where the feed has one.
    pub latency: Latency,
    /// Receive time less the venue's sending time, where the feed has one.
    pub send_latency: Latency,
    /// Timestamps that cannot be true.
    pub clock: ClockFacts,
    /// Quote updates of the alert's instrument in the window; during the alert.
    pub updates: [u64; 2],
    /// Quote updates of all other instruments in the window; during the alert.
    pub updates_other: [u64; 2],
    /// Instruments that it has ever quoted.
    pub instruments: u64,
    /// What it says of the alert's instrument: price step, round lot, and whether it is a test instrument.
    pub definition: Option<Definition>,
    /// Updates that repeat its own history.
    pub echoes: Echoes,
    /// How evenly its packets come.
    pub rate: Rate,
    /// How evenly its quotes of [`Facts::rate_venue`] come: of a consolidated source, one participant's.
    pub venue_rate: Rate,
}

impl Default for SourceFacts {
    fn default() -> Self {
        SourceFacts {
            name: String::new(),
            feed: "",
            depth: Depth::Top,
            venue: None,
            heartbeat_ns: 1_000_000_000,
            channels: Vec::new(),
            latency: Latency::default(),
            send_latency: Latency::default(),
            clock: ClockFacts::default(),
            updates: [0; 2],
            updates_other: [0; 2],
            instruments: 0,
            definition: None,
            echoes: Echoes::default(),
            rate: Rate::default(),
            venue_rate: Rate::default(),
        }
    }
}

impl SourceFacts {
    /// Whether it is a consolidated tape.
    pub fn is_consolidated(&self) -> bool {
        self.depth == Depth::Consolidated
    }

    /// Gaps of its channels that began by `until_ns`, with the channel.
    pub fn gaps_by(&self, until_ns: u64) -> impl Iterator<Item = (&ChannelFacts, &Hole)> {
        self.channels
            .iter()
            .flat_map(move |c| c.gaps.iter().filter(move |g| g.began_ns <= until_ns).map(move |g| (c, g)))
    }

    /// Whether all that it sent up to then is known: what cannot be read is in the gaps, unless another line had it.
    pub fn is_whole_until(&self, until_ns: u64) -> bool {
        self.gaps_by(until_ns).next().is_none()
    }

    /// What this machine lost on its lines in the window, datagrams; `None` where nobody counted.
    pub fn own_losses(&self) -> Option<u64> {
        let counted = self.channels.iter().any(|c| c.counted);
        let lost = self.channels.iter().map(|c| c.own_loss_window).sum::<u64>();
        (counted || lost > 0).then_some(lost)
    }
}

/// What a source says an instrument is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Definition {
    /// Price step.
    pub tick: Option<u64>,
    /// Round lot.
    pub round_lot: Option<u32>,
    /// A test instrument.
    pub test: bool,
}

/// One channel.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChannelFacts {
    /// Name in the configuration.
    pub name: String,
    /// Its lines.
    pub lines: Vec<LineFacts>,
    /// What its sequence numbers count.
    pub unit: SequenceUnit,
    /// Its lines are joined on interfaces that differ, as far as the configuration says.
    pub separate_interfaces: bool,
    /// Whether what was lost on this machine was counted.
    pub counted: bool,
    /// Datagrams that this machine lost on its lines in the window.
    pub own_loss_window: u64,
    /// Messages lost on every line, over all data, the first so many.
    pub gaps: Vec<Hole>,
    /// How many more gaps there were.
    pub gaps_unlisted: u64,
    /// What single lines lost or brought late in the window.
    pub line_losses: Vec<LineLoss>,
    /// Stretches in the window without a delivery, though longer than usual.
    pub pauses: Vec<Pause>,
    /// Packets that could not be read, by error, over all data.
    pub errors: Vec<Flaw>,
    /// Packets up to the alert whose checksum is right, and those whose checksum is wrong; of a loss only.
    pub seals: [u64; 2],
    /// Packets refused, sessions changed, numbers that began anew, in the window: name and when.
    pub sequence_events: Vec<(String, u64)>,
    /// Contradictions of its books, by kind, over all data.
    pub contradictions: Vec<Flaw>,
    /// The data begin in the midst of its session: orders may be unknown for that reason.
    pub began_midway: bool,
    /// Packets delivered, over all data.
    pub delivered: u64,
    /// Of a consolidated source with a gap: where, right after a gap, its national best became another than the best of the
    /// participants' quotes that came.
    pub national_breaks: Vec<NationalBreak>,
    /// How often that happened otherwise, and after how many quotes it was looked at, over all data.
    pub nationals_usual: [u64; 2],
}

/// A national best that is not the best of the participants' quotes that came.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NationalBreak {
    /// The first number of the gap after which it was.
    pub gap: u64,
    /// Since when.
    pub at_ns: u64,
    /// Of which instrument.
    pub instrument: String,
    /// Of which side: 0 for the bid, 1 for the ask.
    pub side: usize,
    /// The price that is said to be the national best.
    pub national: Option<i64>,
    /// The best price of all participants.
    pub best: Option<i64>,
    /// The packet that showed it.
    pub spot: Spot,
}

/// Something wrong in the data, counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Flaw {
    /// Its name.
    pub name: String,
    /// How often, over all data.
    pub count: u64,
    /// When first.
    pub first_ns: u64,
    /// Where first.
    pub first: Spot,
    /// When each of the first of them came; empty where they are not dated one by one.
    pub times_ns: Vec<u64>,
    /// What the checksum of each of these says, where that was looked at.
    pub seals: Vec<Seal>,
    /// It can be read, and its numbers are not to be believed.
    pub refused: bool,
}

/// A range of sequence numbers that did not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hole {
    /// First number.
    pub first: u64,
    /// Last number.
    pub last: u64,
    /// How many.
    pub count: u64,
    /// Of what.
    pub unit: SequenceUnit,
    /// The last delivery before it.
    pub before_ns: u64,
    /// The arrival that showed it.
    pub began_ns: u64,
    /// Datagrams that this machine lost around it: in its sockets, before any socket.
    pub own: [u64; 2],
    /// Whether anybody counted those.
    pub counted: bool,
    /// The bytes came, but cannot be read.
    pub undecodable: bool,
    /// Moves of the peers' prices while it was there that the source never showed.
    pub peers_moved: u64,
    /// Packets that other channels received in the same stretch.
    pub elsewhere: u64,
    /// Changes of peers' best prices and sizes in the stretch: those that the source never showed, and all.
    pub tops: [u64; 2],
    /// The same right before and after it, as far as no gap is there.
    pub tops_around: [u64; 2],
    /// Packets with numbers of it that another copy of the feed brought, at its own site.
    pub copied: u64,
    /// What was sent of it, by the senders' own numbers of their packets.
    pub posted: Posted,
}

/// What one line lost or delayed while another did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LineLoss {
    /// The line, from 0.
    pub line: usize,
    /// When it showed.
    pub at_ns: u64,
    /// First number.
    pub first: u64,
    /// Last number.
    pub last: u64,
    /// How many.
    pub count: u64,
    /// How late a copy came after all; 0 for one that never did.
    pub late_ns: u64,
    /// What was sent of it on this line.
    pub posted: Posted,
}

/// A stretch without deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pause {
    /// When.
    pub span: Span,
    /// Packets that arrived meanwhile all the same: heartbeats and copies.
    pub arrivals: u64,
    /// The data end in it.
    pub open: bool,
    /// Messages missing at its end, when something came again.
    pub missing: u64,
    /// What was sent meanwhile, where it is a line's.
    pub posted: Posted,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LineFacts {
    /// Name in the configuration.
    pub name: String,
    /// Packets, over all data; in the window.
    pub packets: [u64; 2],
    /// Most packets in any millisecond of the data, and when.
    pub peak: (u64, u64),
    /// Most packets in a millisecond within 10 ms before the alert began.
    pub peak_before: u64,
    /// Stretches in the window in which nothing at all arrived on it, though longer than usual.
    pub silences: Vec<Pause>,
    /// Copies that came after another line's in the window: how many, the longest lag.
    pub behind: (u64, u64),
}

/// A latency over time.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Latency {
    /// Values before the alert began (in the window): median, greatest, how many.
    pub before: Figures,
    /// While it lasted.
    pub during: Figures,
    /// After it.
    pub after: Figures,
    /// Since when it has been above what is usual, where that led up to the alert.
    pub built_up_since_ns: Option<u64>,
}

/// Median, least, greatest and count of some values, nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// Median.
    pub median_ns: i64,
    /// Least.
    pub min_ns: i64,
    /// Greatest.
    pub max_ns: i64,
    /// Tenth and ninetieth percentile.
    pub p10_p90_ns: [i64; 2],
    /// How many.
    pub count: u64,
}

impl Figures {
    /// Of these values.
    pub fn of(mut values: Vec<i64>) -> Figures {
        values.sort_unstable();
        let at = |percent: usize| values[(values.len() - 1) * percent / 100];
        match values.len() {
            0 => Figures::default(),
            len => Figures {
                median_ns: at(50),
                min_ns: values[0],
                max_ns: values[len - 1],
                p10_p90_ns: [at(10), at(90)],
                count: len as u64,
            },
        }
    }
}

/// Timestamps that cannot be true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClockFacts {
    /// Furthest ahead of the receive time in the window, nanoseconds, and when.
    pub ahead: (u64, u64),
    /// Furthest behind its own latest, and when.
    pub behind: (u64, u64),
    /// How many were ahead by more than a millisecond, and how many there were.
    pub many: [u64; 2],
}

/// A view of the alert's instrument.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ViewFacts {
    /// Name of the source (or composite).
    pub source: String,
    /// MIC of its venue; `None` for a national best.
    pub venue: Option<String>,
    /// It counts round lots only.
    pub round_lots_only: bool,
    /// It is made of other views.
    pub composite: bool,
    /// What it showed: the last quote from before the window, then every change in it.
    pub shown: Vec<Shown>,
    /// Changes that were left out for want of room.
    pub left_out: u64,
}

/// One quote as shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shown {
    /// From when.
    pub at_ns: u64,
    /// The venue's time of it; 0 without.
    pub ts_event_ns: u64,
    /// What.
    pub quote: Quote,
    /// Where it stands.
    pub spot: Spot,
}

impl ViewFacts {
    /// What was shown at that moment.
    pub fn at(&self, at_ns: u64) -> Option<&Shown> {
        let behind = self.shown.partition_point(|s| s.at_ns <= at_ns);
        behind.checked_sub(1).map(|i| &self.shown[i])
    }

    /// Changes within a stretch, its first moment excluded.
    pub fn changes(&self, span: Span) -> impl Iterator<Item = &Shown> {
        self.shown.iter().filter(move |s| s.at_ns > span.from_ns && s.at_ns <= span.to_ns)
    }

    /// Qualities that it had in the stretch, each once, in order.
    pub fn qualities(&self, span: Span) -> Vec<Quality> {
        let mut found: Vec<Quality> = Vec::new();
        let first = self.at(span.from_ns).into_iter();
        for shown in first.chain(self.changes(span)) {
            if !found.contains(&shown.quote.quality) {
                found.push(shown.quote.quality);
            }
        }
        found
    }
}

/// The subject source against another, by updates that both show.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pairing {
    /// The source that the alert is about first.
    pub subject: String,
    /// The other.
    pub other: String,
    /// How much later the subject was with the alert's instrument, nanoseconds; before, during and after the alert.
    pub own: [Figures; 3],
    /// The same for all other instruments.
    pub rest: [Figures; 3],
    /// Of the other instruments while the alert lasted, or in the second and a half from its beginning on.
    pub rest_stretch: Figures,
    /// A delay that explains most of the subject's moves of the instrument, looked for over all data: how long, how
    /// many of how many moves.
    pub constant_delay: Option<(u64, u64, u64)>,
    /// Other instruments that differed for longer than 20 ms during the alert.
    pub others_apart: u64,
    /// Other instruments that both carry.
    pub others_shared: u64,
}

/// Updates of a source that repeat its own history: runs of quotes of one instrument that it had shown before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Echoes {
    /// Within half a second of the alert: updates that belong to such a run, and all of them.
    pub during: [u64; 2],
    /// In the rest of the data.
    pub elsewhere: [u64; 2],
    /// How long ago what is repeated was shown first, nanoseconds: least and greatest.
    pub age_ns: [u64; 2],
    /// The first of them.
    pub first_ns: u64,
    /// Tenths of a second, anywhere in the data, in which at least half of the updates were such.
    pub bursts: u64,
}

/// An instrument of a source whose quotes are those of the alert's instrument at its peer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Likeness {
    /// The source that shows it.
    pub source: String,
    /// What that source's instrument is called.
    pub instrument: String,
    /// The peer whose quotes of the alert's instrument it equals.
    pub peer: String,
    /// Moments at which bid and ask were both equal, of how many moments looked at.
    pub equal: [u64; 2],
    /// How often the alert's own instrument was equal at those moments.
    pub own_equal: u64,
}

/// How far receive times can be trusted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CaptureClock {
    /// Captures by source: those in which its packets were seen, by name.
    pub captures: Vec<(String, Vec<String>)>,
    /// All receive times are multiples of this, nanoseconds.
    pub resolution_ns: u64,
    /// Datagrams that were older than the one before them in their capture: how many and by how much at most.
    pub backwards: [u64; 2],
    /// By source: how far the clock that stamps its arrivals may be from the true time, where the configuration says it,
    /// nanoseconds.
    pub errors_ns: Vec<(String, u64)>,
    /// How far apart the clocks of different capture points may be, where the user says it instead, nanoseconds.
    pub configured_ns: Option<u64>,
}

impl CaptureClock {
    /// What the configuration says of a source's capture point.
    pub fn error_of(&self, name: &str) -> Option<u64> {
        self.errors_ns.iter().find(|(n, _)| n == name).map(|(_, ns)| *ns)
    }

    /// Whether packets of both sources were stamped by one clock: they are in one and the same capture.
    pub fn is_shared(&self, a: &str, b: &str) -> bool {
        let of = |name: &str| self.captures.iter().find(|(n, _)| n == name).map(|(_, c)| c);
        match (of(a), of(b)) {
            (Some(a), Some(b)) => a.len() == 1 && a == b,
            _ => false,
        }
    }
}

impl Facts {
    /// The stretch of the alert itself.
    pub fn during(&self) -> Span {
        Span { from_ns: self.alert.began_ns, to_ns: self.alert.until_ns(self.data.to_ns) }
    }

    /// A source by name.
    pub fn source(&self, name: &str) -> Option<&SourceFacts> {
        self.sources.iter().find(|s| s.name == name)
    }

    /// When what was wrong is looked at, nanoseconds since 1970 UTC: as it was raised, and of what was over by then (a late packet
    /// shows the lag and ends it) its last moment.
    pub fn told_ns(&self) -> u64 {
        let last = self.during().to_ns.saturating_sub(1).max(self.alert.began_ns);
        self.alert.raised_ns.min(last)
    }

    /// The source that the alert is about first.
    pub fn subject(&self) -> Option<&SourceFacts> {
        self.source(self.alert.sources.first()?)
    }

    /// The channel that the alert names.
    pub fn channel(&self) -> Option<&ChannelFacts> {
        let subject = self.subject()?;
        match &self.alert.channel {
            Some(name) => subject.channels.iter().find(|c| c.name == *name),
            None => subject.channels.first(),
        }
    }

    /// The view of a source at the alert's venue (a single source's own where none is named).
    pub fn view_of(&self, source: &str) -> Option<&ViewFacts> {
        let of = |v: &&ViewFacts| v.source == source;
        self.views.iter().filter(of).find(|v| v.venue == self.alert.venue).or_else(|| {
            let mut all = self.views.iter().filter(of);
            let first = all.next();
            first.filter(|_| all.next().is_none())
        })
    }

    /// The two views that the alert compares, in the order of its sources.
    pub fn pair(&self) -> Option<[&ViewFacts; 2]> {
        let [a, b] = self.alert.sources.as_slice() else { return None };
        Some([self.view_of(a)?, self.view_of(b)?])
    }

    /// Views of the instrument at the alert's venue by sources that the alert does not name.
    pub fn witnesses(&self) -> impl Iterator<Item = &ViewFacts> {
        self.views.iter().filter(|v| {
            !v.composite && v.venue == self.alert.venue && !self.alert.sources.contains(&v.source)
        })
    }

    /// The price of a side that a pair is judged on: the best round lot where either counts only those.
    pub fn price(&self, shown: &Shown, side: usize) -> Option<i64> {
        let lots = self.views.iter().any(|v| {
            v.round_lots_only && (self.alert.sources.contains(&v.source)) && self.alert.sources.len() > 1
        });
        let levels = if lots { shown.quote.round_lot } else { shown.quote.best };
        levels[side].map(|l| l.price)
    }
}
