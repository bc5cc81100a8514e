//! What threads show each other of how it goes: plain copies, taken when nobody is in the way.

use crate::config::Config;
use crate::pipeline::Feeder;
use crate::run::status::{
    AlertCount, ChannelStatus, ComparatorStatus, HeldCount, LineStatus, NamedCount, PairStatus, SourceStatus,
    StageStatus,
};
use crate::source::multicast::{Health, LineHealth, ReceiverHealth};

/// What a receiver shows.
#[derive(Debug, Clone, Default)]
pub struct ReceiverBoard {
    /// Channels, in the order of the feeder.
    pub channels: Vec<ChannelBoard>,
    /// Lines, in the order of the receiver.
    pub lines: Vec<LineHealth>,
    /// The sockets' side.
    pub health: ReceiverHealth,
    /// Datagrams that came after the end.
    pub after_end: u64,
}

/// What a receiver shows of a channel.
#[derive(Debug, Clone, Default)]
pub struct ChannelBoard {
    place: (u16, u16),
    messages: u64,
    unknown: u64,
    instruments: u64,
    suspect: u64,
    gaps: u64,
    missing: u64,
    recovered: u64,
    missing_ours: u64,
    errors: Vec<(&'static str, u64)>,
    contradictions: Vec<(&'static str, u64)>,
    lines: Vec<LineBoard>,
}

#[derive(Debug, Clone, Copy, Default)]
struct LineBoard {
    wins: u64,
    duplicates: u64,
    lost: u64,
}

impl ReceiverBoard {
    /// Copies the figures; room is made once.
    pub fn update(&mut self, feeder: &Feeder, health: &Health) {
        self.channels.resize_with(feeder.channels.len(), ChannelBoard::default);
        for (board, state) in self.channels.iter_mut().zip(&feeder.channels) {
            let (tally, market) = (&state.core.tally, &state.core.market);
            let statistics = state.line.statistics();
            board.place = (state.core.place.source, state.core.place.channel);
            board.messages = tally.delivered();
            board.unknown = tally.unknown.values().sum();
            board.instruments = market.instruments() as u64;
            board.suspect = market.suspects() as u64;
            board.gaps = statistics.gaps;
            board.missing = statistics.missing;
            board.recovered = statistics.recovered;
            board.missing_ours = state.core.missing_ours;
            board.errors.clear();
            board.errors.extend(tally.errors.iter().map(|(name, seen)| (*name, seen.count)));
            board.contradictions.clear();
            board.contradictions.extend(market.contradictions.0.iter().map(|(k, s)| (*k, s.count)));
            board.lines.clear();
            board.lines.extend(statistics.lines.iter().map(|l| LineBoard {
                wins: l.won,
                duplicates: l.duplicates,
                lost: l.messages_lost,
            }));
        }
        self.lines = health.lines();
        self.health = health.receiver();
    }
}

/// What the comparator shows.
#[derive(Debug, Clone, Default)]
pub struct JudgeBoard {
    /// The thread.
    pub comparator: ComparatorStatus,
    /// Pairs of sources.
    pub pairs: Vec<PairStatus>,
    /// Alerts by kind and severity.
    pub alerts: Vec<AlertCount>,
    /// What was held back.
    pub held: Vec<HeldCount>,
    /// Latencies.
    pub stages: Vec<StageStatus>,
    /// Sources that are silent.
    pub silent: Vec<bool>,
    /// Records of alerts that nobody could take.
    pub lost_alert_bytes: u64,
    /// Looks at which a receiver was too far behind to be waited for.
    pub stalls: u64,
    /// Notes that were lost on the way to the comparator.
    pub overruns: u64,
}

fn named(counts: &[(&'static str, u64)], into: &mut Vec<NamedCount>) {
    for (name, count) in counts {
        match into.iter_mut().find(|n| n.name == *name) {
            Some(found) => found.count += count,
            None => into.push(NamedCount { name: (*name).to_owned(), count: *count }),
        }
    }
}

/// The sources as they are told, put together from what receivers show. `lines` names, for every receiver, the
/// (source, channel, line) of each of its lines.
pub fn sources(
    config: &Config,
    receivers: &[(ReceiverBoard, Vec<[usize; 3]>)],
    judge: &JudgeBoard,
) -> Vec<SourceStatus> {
    let mut out: Vec<SourceStatus> = config.sources.iter().map(blank).collect();
    for (board, lines) in receivers {
        for channel in &board.channels {
            let source = &mut out[usize::from(channel.place.0)];
            source.messages += channel.messages;
            source.unknown += channel.unknown;
            source.instruments += channel.instruments;
            source.suspect += channel.suspect;
            named(&channel.errors, &mut source.errors);
            named(&channel.contradictions, &mut source.contradictions);
            let shown = &mut source.channels[usize::from(channel.place.1)];
            shown.gaps = channel.gaps;
            shown.missing = channel.missing;
            shown.recovered = channel.recovered;
            shown.missing_ours = channel.missing_ours;
            for (line, figures) in shown.lines.iter_mut().zip(&channel.lines) {
                line.wins = figures.wins;
                line.duplicates = figures.duplicates;
                line.lost = figures.lost;
            }
        }
        for ([source, channel, line], health) in lines.iter().zip(&board.lines) {
            let shown = &mut out[*source].channels[*channel].lines[*line];
            *shown = LineStatus {
                joined: health.joined,
                link_up: health.link_up,
                packets: health.datagrams,
                bytes: health.bytes,
                last_ns: health.last_ns,
                kernel_drops: health.kernel_drops,
                truncated: health.truncated,
                unstamped: health.unstamped,
                rejoins: health.rejoins,
                receive_buffer: health.receive_buffer,
                ..std::mem::take(shown)
            };
        }
    }
    for (at, source) in out.iter_mut().enumerate() {
        let came = source.channels.iter().flat_map(|c| &c.lines).any(|l| l.packets > 0);
        let silent = judge.silent.get(at).copied().unwrap_or(false);
        source.state = if silent {
            "silent"
        } else if came {
            "up"
        } else {
            "waiting"
        }
        .to_owned();
    }
    lags(&mut out, judge);
    out
}

/// Lags between lines are histograms of the comparator, against the channel's first line.
fn lags(sources: &mut [SourceStatus], judge: &JudgeBoard) {
    for source in sources {
        for channel in &mut source.channels {
            let name = format!("{}/{}", source.name, channel.name);
            for stage in judge.stages.iter().filter(|s| s.source == name && s.count > 0) {
                if let Some(line) = channel.lines.iter_mut().find(|l| l.name == stage.to) {
                    line.lag_p50_ns = stage.p50_ns.max(0).unsigned_abs();
                    line.lag_p99_ns = stage.p99_ns.max(0).unsigned_abs();
                }
            }
        }
    }
}

fn blank(source: &crate::config::Source) -> SourceStatus {
    let lines = |channel: &crate::config::Channel| {
        let line = |l: &crate::config::Line| LineStatus {
            name: l.name.clone(),
            group: l.group.to_string(),
            interface: l.interface.as_ref().map_or_else(|| "any".to_owned(), ToString::to_string),
            ..LineStatus::default()
        };
        channel.lines.iter().map(line).collect()
    };
    let channels = source.channels.iter();
    SourceStatus {
        name: source.name.clone(),
        feed: source.feed.info().name.to_owned(),
        venue: source.venue.clone(),
        channels: channels
            .map(|c| ChannelStatus { name: c.name.clone(), lines: lines(c), ..ChannelStatus::default() })
            .collect(),
        ..SourceStatus::default()
    }
}
