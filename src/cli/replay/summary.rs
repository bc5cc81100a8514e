//! What a replay found, as data: the text and the JSON summary say the same.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

use crate::alert::json::show_time;
use crate::config::{Config, Group};
use crate::latency::{Columns, SeriesSummary};
use crate::line::Refusal;
use crate::market::{Contradictions, InstrumentId, Origin};
use crate::pipeline::{ChannelState, Pipeline};
use crate::source::Captures;

/// Everything that the summary says.
#[derive(Debug, Serialize)]
pub struct Summary {
    /// What was assumed without a configuration.
    pub assumed: Vec<String>,
    /// First and last time.
    pub from: Option<String>,
    pub to: Option<String>,
    pub duration_ns: u64,
    pub captures: Vec<Capture>,
    /// Which rules the days of the data were judged by.
    pub rules: super::rules::Rules,
    pub sources: Vec<Source>,
    pub pairs: Vec<Pair>,
    pub alerts: Alerts,
    /// What was not told, and why.
    pub suppressed: Vec<Suppressed>,
    /// Datagrams of groups that no line of the configuration names.
    pub unrouted: BTreeMap<String, u64>,
    pub latency: Vec<Series>,
}

#[derive(Debug, Serialize)]
pub struct Capture {
    pub name: String,
    pub format: String,
    pub compression: String,
    pub packets: u64,
    pub bytes: u64,
    pub datagrams: u64,
    pub counted: BTreeMap<&'static str, Counted>,
}

#[derive(Debug, Serialize)]
pub struct Counted {
    pub count: u64,
    pub first_frame: u64,
    pub kind: String,
}

#[derive(Debug, Serialize)]
pub struct Source {
    pub name: String,
    pub feed: &'static str,
    pub venue: Option<String>,
    pub packets: u64,
    pub bytes: u64,
    pub messages: u64,
    pub messages_by_type: BTreeMap<&'static str, u64>,
    pub unknown_messages: BTreeMap<String, u64>,
    pub errors: BTreeMap<&'static str, ErrorEntry>,
    pub gaps: u64,
    pub messages_missing: u64,
    pub recovered: u64,
    pub filled_late: u64,
    pub duplicates: u64,
    pub lines: Vec<Line>,
    pub sequence_events: BTreeMap<&'static str, u64>,
    pub instruments: u64,
    pub suspect_instruments: u64,
    pub live_orders: u64,
    pub trades: u64,
    pub contradictions: BTreeMap<&'static str, ContradictionEntry>,
}

#[derive(Debug, Serialize)]
pub struct ErrorEntry {
    pub count: u64,
    pub first: String,
    pub capture: u32,
    pub frame: u64,
    pub offset: usize,
}

#[derive(Debug, Serialize)]
pub struct ContradictionEntry {
    pub count: u64,
    pub first_ts: String,
    pub first_sequence: u64,
    pub first_frame: u64,
}

#[derive(Debug, Serialize)]
pub struct Line {
    pub channel: String,
    pub line: String,
    pub group: String,
    pub packets: u64,
    pub wins: u64,
    pub duplicates: u64,
    pub late: u64,
    pub lost: u64,
    pub out_of_order: u64,
    pub refused: BTreeMap<&'static str, u64>,
}

#[derive(Debug, Serialize)]
pub struct Pair {
    pub sources: [String; 2],
    pub instruments: u64,
    pub comparable_ns: u64,
    /// Of the comparable time, per cent with two decimals, rounded down; null without comparable time.
    pub agreement_percent: Option<String>,
    pub segments: BTreeMap<&'static str, u64>,
    pub held_ns: BTreeMap<&'static str, u64>,
    pub held_differences: BTreeMap<&'static str, u64>,
    pub matched: u64,
    pub first_led: u64,
    pub second_led: u64,
    pub together: u64,
    pub unmatched: [u64; 2],
    /// How much later the second source showed what both showed, nanoseconds.
    pub lead: Option<Series>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Series {
    pub name: String,
    pub from: String,
    pub to: String,
    pub count: u64,
    pub negative: u64,
    pub saturated: u64,
    #[serde(flatten)]
    pub columns: Columns,
}

#[derive(Debug, Serialize, Default)]
pub struct Alerts {
    pub raised: u64,
    pub by_kind: BTreeMap<&'static str, BTreeMap<&'static str, u64>>,
    pub escalated: BTreeMap<&'static str, u64>,
    pub cleared: BTreeMap<String, u64>,
}

#[derive(Debug, Serialize)]
pub struct Suppressed {
    pub kind: &'static str,
    pub reason: &'static str,
    pub count: u64,
}

impl Summary {
    /// Gathers what the pipeline counted.
    pub fn new(config: &Config, captures: &Captures, pipeline: &Pipeline, assumed: Vec<String>) -> Summary {
        let comparator = &pipeline.judge.comparator;
        let series = comparator.recorder.summary();
        let span = pipeline.span();
        let tally = &comparator.desk.alerts.tally;
        let mut alerts = Alerts::default();
        for ((kind, severity), count) in &tally.raised {
            alerts.raised += count;
            alerts.by_kind.entry(kind.name()).or_default().insert(severity.name(), *count);
        }
        alerts.escalated = tally.escalated.iter().map(|(k, n)| (k.name(), *n)).collect();
        alerts.cleared = tally.cleared.clone();
        let suppressed = comparator.desk.held.iter();
        let mut unrouted: BTreeMap<String, u64> =
            pipeline.intake.unrouted.groups.iter().map(|(g, n)| (g.to_string(), *n)).collect();
        if pipeline.intake.unrouted.others > 0 {
            unrouted.insert("others".to_owned(), pipeline.intake.unrouted.others);
        }
        Summary {
            assumed,
            from: span.map(|(from, _)| show_time(from)),
            to: span.map(|(_, to)| show_time(to)),
            duration_ns: span.map_or(0, |(from, to)| to - from),
            captures: captures.counts().iter().map(capture).collect(),
            rules: super::rules::Rules::new(config, &pipeline.judge.registry, span),
            sources: (0..config.sources.len())
                .map(|s| source(config, s, &pipeline.intake.feeder.channels))
                .collect(),
            pairs: pairs(config, pipeline, &series),
            alerts,
            suppressed: suppressed
                .map(|((kind, reason), count)| Suppressed { kind: kind.name(), reason, count: *count })
                .collect(),
            unrouted,
            latency: series.iter().filter(|s| s.count > 0 && !s.name.source.is_empty()).map(shown).collect(),
        }
    }
}

fn capture(counts: &crate::source::CaptureCounts) -> Capture {
    let entry = |(reason, tally): (crate::source::Reason, crate::source::Tally)| {
        let kind = format!("{:?}", reason.kind()).to_lowercase();
        (reason.name(), Counted { count: tally.count, first_frame: tally.first_frame, kind })
    };
    Capture {
        name: counts.name.clone(),
        format: format!("{:?}", counts.format).to_lowercase(),
        compression: format!("{:?}", counts.compression).to_lowercase(),
        packets: counts.packets,
        bytes: counts.bytes,
        datagrams: counts.datagrams,
        counted: counts.counted().map(entry).collect(),
    }
}

fn source(config: &Config, position: usize, channels: &[ChannelState]) -> Source {
    let configured = &config.sources[position];
    let mut out = Source {
        name: configured.name.clone(),
        feed: configured.feed.info().name,
        venue: configured.venue.clone(),
        packets: 0,
        bytes: 0,
        messages: 0,
        messages_by_type: BTreeMap::new(),
        unknown_messages: BTreeMap::new(),
        errors: BTreeMap::new(),
        gaps: 0,
        messages_missing: 0,
        recovered: 0,
        filled_late: 0,
        duplicates: 0,
        lines: Vec::new(),
        sequence_events: BTreeMap::new(),
        instruments: 0,
        suspect_instruments: 0,
        live_orders: 0,
        trades: 0,
        contradictions: BTreeMap::new(),
    };
    let mut contradictions = Contradictions::default();
    // What moves from one channel to another, or is told on several, is one instrument.
    let mut named: HashSet<InstrumentId> = HashSet::new();
    for state in channels.iter().filter(|c| usize::from(c.core.place.source) == position) {
        let channel = &configured.channels[usize::from(state.core.place.channel)];
        add_channel(&mut out, state, channel);
        let seen = state.core.market.names().filter(|name| name.is_none_or(|id| named.insert(id)));
        out.instruments += seen.count() as u64;
        contradictions.merge(&state.core.market.contradictions);
    }
    for (kind, seen) in contradictions.0 {
        let Origin { ts_recv_ns, sequence, frame, .. } = seen.first;
        let first_ts = show_time(ts_recv_ns);
        let entry =
            ContradictionEntry { count: seen.count, first_ts, first_sequence: sequence, first_frame: frame };
        out.contradictions.insert(kind, entry);
    }
    out
}

fn add_channel(out: &mut Source, state: &ChannelState, channel: &crate::config::Channel) {
    let tally = &state.core.tally;
    out.packets += tally.packets;
    out.bytes += tally.bytes;
    out.messages += tally.delivered();
    for (name, count) in tally.messages() {
        *out.messages_by_type.entry(name).or_default() += count;
    }
    for (tag, count) in &tally.unknown {
        *out.unknown_messages.entry(show_tag(*tag)).or_default() += count;
    }
    for (name, seen) in &tally.errors {
        let entry = out.errors.entry(name).or_insert(ErrorEntry {
            count: 0,
            first: seen.first.to_string(),
            capture: seen.at.capture,
            frame: seen.at.frame,
            offset: seen.first.offset,
        });
        entry.count += seen.count;
    }
    for (name, count) in &tally.line_events {
        if !matches!(*name, "line_lead" | "duplicate" | "heartbeat" | "gap" | "recovered" | "gap_filled") {
            *out.sequence_events.entry(name).or_default() += count;
        }
    }
    let statistics = state.line.statistics();
    out.gaps += statistics.gaps;
    out.messages_missing += statistics.missing;
    out.recovered += statistics.recovered;
    out.filled_late += statistics.filled_late;
    for (line, figures) in channel.lines.iter().zip(&statistics.lines) {
        out.duplicates += figures.duplicates;
        let refused = Refusal::ALL.iter().map(|r| (r.name(), figures.refused[r.index()]));
        out.lines.push(Line {
            channel: channel.name.clone(),
            line: line.name.clone(),
            group: show_group(line.group),
            packets: figures.packets,
            wins: figures.won,
            duplicates: figures.duplicates,
            late: figures.late,
            lost: figures.messages_lost,
            out_of_order: figures.out_of_order,
            refused: refused.filter(|(_, n)| *n > 0).collect(),
        });
    }
    let market = &state.core.market;
    out.suspect_instruments += market.suspects() as u64;
    out.live_orders += market.books().orders_live() as u64;
    out.trades += market.trades;
}

fn pairs(config: &Config, pipeline: &Pipeline, series: &[SeriesSummary]) -> Vec<Pair> {
    let names = config.comparands();
    let relations = pipeline.judge.comparator.relations().iter();
    let relations = relations.filter(|r| r.pairs > 0 || r.matched > 0);
    relations
        .map(|relation| {
            let sources = relation.sources.map(|s| names[usize::from(s)].clone());
            let lead = series.iter().find(|s| {
                s.name.source.is_empty()
                    && s.name.from == sources[0]
                    && s.name.to == sources[1]
                    && s.count > 0
            });
            let hundredths =
                (u128::from(relation.agree_ns) * 10_000).checked_div(u128::from(relation.comparable_ns));
            Pair {
                lead: lead.map(shown),
                sources,
                instruments: relation.pairs,
                comparable_ns: relation.comparable_ns,
                agreement_percent: hundredths.map(|h| format!("{}.{:02}", h / 100, h % 100)),
                segments: relation.segments.by_name(),
                held_ns: relation.held.by_name(),
                held_differences: relation.held_differences.clone(),
                matched: relation.matched,
                first_led: relation.led[0],
                second_led: relation.led[1],
                together: relation.led[2],
                unmatched: relation.unmatched,
            }
        })
        .collect()
}

fn shown(series: &SeriesSummary) -> Series {
    Series {
        name: series.name.source.clone(),
        from: series.name.from.clone(),
        to: series.name.to.clone(),
        count: series.count,
        negative: series.negative,
        saturated: series.saturated,
        columns: Columns::from(series),
    }
}

fn show_group(group: Group) -> String {
    group.to_string()
}

/// A type code as people write it: the letter where it is one.
fn show_tag(tag: u32) -> String {
    match u8::try_from(tag) {
        Ok(byte) if byte.is_ascii_graphic() => char::from(byte).to_string(),
        _ => tag.to_string(),
    }
}
