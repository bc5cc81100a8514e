//! What the daemon says about itself: one snapshot, from which the screen, the metrics and the health answer are made.
//!
//! Counters only grow while the daemon lives; times are nanoseconds since 1970 UTC, 0 for "never". It travels as JSON
//! over the control socket, so a field may be added and none changes its meaning.

use serde::{Deserialize, Serialize};

/// Everything.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Status {
    /// Version of the program.
    pub version: String,
    /// Name of this daemon, from the configuration.
    pub name: String,
    /// Process id.
    pub pid: u32,
    /// When it started.
    pub started_ns: u64,
    /// When this snapshot was taken.
    pub now_ns: u64,
    /// One entry per receiver thread.
    pub receivers: Vec<ReceiverStatus>,
    /// One entry per source, in the order of the configuration.
    pub sources: Vec<SourceStatus>,
    /// The comparator thread.
    pub comparator: ComparatorStatus,
    /// Pairs of sources, in the order in which they first met.
    pub pairs: Vec<PairStatus>,
    /// Alert counts since the start.
    pub alerts: Vec<AlertCount>,
    /// What was held back, by what it would have been and why.
    pub held: Vec<HeldCount>,
    /// Where alerts go.
    pub outlets: Vec<OutletStatus>,
    /// The flight recorder, where one runs.
    pub recorder: Option<RecorderStatus>,
    /// The store, where there is one.
    pub store: Option<StoreStatus>,
    /// Latency between two points, per source.
    pub stages: Vec<StageStatus>,
    /// What is wrong with the daemon or the machine now, in sentences.
    pub troubles: Vec<String>,
}

/// A receiver thread.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReceiverStatus {
    /// Core it is pinned to.
    pub core: Option<usize>,
    /// Names of its sources.
    pub sources: Vec<String>,
    /// Datagrams taken from its sockets.
    pub datagrams: u64,
    /// Time up to which everything that arrived has been taken.
    pub watermark_ns: u64,
    /// Polls that found nothing, of all polls: how idle it is.
    pub polls_empty: u64,
    /// All polls.
    pub polls: u64,
    /// Records waiting in the ring to the comparator, and its size.
    pub ring_used: u64,
    /// Size of the ring.
    pub ring_size: u64,
    /// The most that ever waited.
    pub ring_peak: u64,
    /// Records that found the ring full.
    pub ring_overruns: u64,
    /// Timestamps that were earlier than what had been processed, and were moved forward.
    pub late_stamps: u64,
    /// The furthest such move, nanoseconds.
    pub late_stamp_max_ns: u64,
}

/// A source.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SourceStatus {
    /// Name.
    pub name: String,
    /// Feed.
    pub feed: String,
    /// MIC, where it has one venue.
    pub venue: Option<String>,
    /// `up`, `silent`, `waiting` (nothing came yet).
    pub state: String,
    /// Instruments it has shown.
    pub instruments: u64,
    /// Of them, those whose book cannot be believed.
    pub suspect: u64,
    /// Messages decoded.
    pub messages: u64,
    /// Messages of unknown type.
    pub unknown: u64,
    /// Packets and messages in error, by name.
    pub errors: Vec<NamedCount>,
    /// Contradictions of its books, by kind.
    pub contradictions: Vec<NamedCount>,
    /// Channels.
    pub channels: Vec<ChannelStatus>,
}

/// A count with a name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NamedCount {
    /// Of what.
    pub name: String,
    /// How many.
    pub count: u64,
}

/// A channel.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ChannelStatus {
    /// Name.
    pub name: String,
    /// Gaps: messages lost on every line.
    pub gaps: u64,
    /// Messages in them.
    pub missing: u64,
    /// Of those, recovered.
    pub recovered: u64,
    /// Messages lost for our own reasons (socket buffer, kernel queues).
    pub missing_ours: u64,
    /// Lines.
    pub lines: Vec<LineStatus>,
}

/// A line.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LineStatus {
    /// Name.
    pub name: String,
    /// Group and port.
    pub group: String,
    /// Interface it is joined on, or the kernel's choice.
    pub interface: String,
    /// The group is joined now.
    pub joined: bool,
    /// The interface is up now.
    pub link_up: bool,
    /// Datagrams.
    pub packets: u64,
    /// Bytes of payload.
    pub bytes: u64,
    /// When the last one came.
    pub last_ns: u64,
    /// Packets it brought first.
    pub wins: u64,
    /// Packets it brought after another line.
    pub duplicates: u64,
    /// Messages it lost, whether or not another line had them.
    pub lost: u64,
    /// Its lag behind the winner, 50th and 99th percentile, nanoseconds; 0 without any.
    pub lag_p50_ns: u64,
    /// See `lag_p50_ns`.
    pub lag_p99_ns: u64,
    /// Datagrams that the kernel dropped for want of socket buffer.
    pub kernel_drops: u64,
    /// Datagrams longer than our buffer.
    pub truncated: u64,
    /// Datagrams without a kernel timestamp.
    pub unstamped: u64,
    /// How often the group was joined again.
    pub rejoins: u64,
    /// Receive buffer granted, bytes.
    pub receive_buffer: u64,
}

/// The comparator thread.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ComparatorStatus {
    /// Core it is pinned to.
    pub core: Option<usize>,
    /// Its time: everything up to here is judged.
    pub now_ns: u64,
    /// Instruments known.
    pub instruments: u64,
    /// Views (who quotes which instrument where).
    pub views: u64,
    /// Pairs of views.
    pub pairs: u64,
    /// Quote updates judged.
    pub updates: u64,
    /// Deadlines fired.
    pub timers: u64,
    /// The latest that a deadline fired after its time, nanoseconds.
    pub timer_late_max_ns: u64,
    /// Alerts open now.
    pub open: u64,
}

/// Two sources.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PairStatus {
    /// Their names.
    pub sources: [String; 2],
    /// Comparable time over all instruments, nanoseconds.
    pub comparable_ns: u64,
    /// Of it, time in agreement.
    pub agreed_ns: u64,
    /// Updates matched in both.
    pub matched: u64,
    /// Lead of the first over the second, nanoseconds: 50th percentile.
    pub lead_p50_ns: i64,
}

/// Alerts of one kind and severity.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AlertCount {
    /// Kind.
    pub kind: String,
    /// Severity.
    pub severity: String,
    /// Raised so far.
    pub raised: u64,
    /// Open now.
    pub open: u64,
}

/// What was held back.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HeldCount {
    /// What it would have been.
    pub kind: String,
    /// Why it was not told.
    pub reason: String,
    /// How often.
    pub count: u64,
}

/// One way out for alerts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct OutletStatus {
    /// `log`, `syslog`, `webhook`.
    pub name: String,
    /// Delivered.
    pub delivered: u64,
    /// Waiting.
    pub queued: u64,
    /// Given up because the queue was full or the tries were over.
    pub dropped: u64,
    /// Tries that failed.
    pub failures: u64,
    /// The latest error; empty while it works.
    pub error: String,
}

/// The flight recorder.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RecorderStatus {
    /// Where it writes.
    pub directory: String,
    /// Datagrams kept.
    pub kept: u64,
    /// Datagrams that could not be kept.
    pub not_kept: u64,
    /// Files there now.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Receive time of the oldest datagram that is still there.
    pub oldest_ns: u64,
    /// Fill of the fullest ring, percent.
    pub ring_percent: u64,
    /// The latest error; empty while it works.
    pub error: String,
}

/// The store.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StoreStatus {
    /// Its file.
    pub path: String,
    /// Up to which moment of data everything is in it.
    pub until_ns: u64,
    /// What was not stored and never will be.
    pub not_stored: NotStored,
    /// Bytes in memory that wait to be stored.
    pub waiting_bytes: u64,
    /// Bytes of the log beside the file.
    pub log_bytes: u64,
    /// Why it, or its files of quotes or messages, cannot be written; empty while they can.
    pub error: String,
}

/// What a store lacks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NotStored {
    /// Figures.
    pub figures: u64,
    /// Transitions of alerts.
    pub transitions: u64,
    /// What operators did.
    pub actions: u64,
    /// Looks at the machine's clock.
    pub clocks: u64,
    /// Rows of quotes in Parquet.
    pub quotes: u64,
    /// Rows of messages in Parquet.
    pub messages: u64,
    /// Datagrams that were never decoded for them.
    pub datagrams: u64,
}

impl NotStored {
    /// Each kind of thing, and how much of it.
    pub fn by_name(&self) -> [(&'static str, u64); 7] {
        let NotStored { figures, transitions, actions, clocks, quotes, messages, datagrams } = *self;
        [
            ("figures", figures),
            ("transitions", transitions),
            ("actions", actions),
            ("clocks", clocks),
            ("quotes", quotes),
            ("messages", messages),
            ("datagrams", datagrams),
        ]
    }
}

/// Latency between two points.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StageStatus {
    /// Source.
    pub source: String,
    /// From where.
    pub from: String,
    /// To where.
    pub to: String,
    /// How many were measured.
    pub count: u64,
    /// Percentiles, nanoseconds.
    pub p50_ns: i64,
    /// 90th.
    pub p90_ns: i64,
    /// 99th.
    pub p99_ns: i64,
    /// 99.9th.
    pub p999_ns: i64,
    /// Largest.
    pub max_ns: i64,
}
