//! The daemon's snapshot as OpenMetrics text (version 1.0.0), and as the older Prometheus text format (0.0.4).
//!
//! Labels are names of the configuration and words of ours, never instruments: the number of series does not grow
//! with the market. Times are seconds since 1970 and stretches are seconds, as Prometheus has them; a time that
//! never was is left out. Counters begin at 0 with the daemon.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeGaugeValue, MetricEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use crate::run::status::{AlertCount, ChannelStatus, LineStatus, SourceStatus, Status};

/// The page.
pub fn metrics(status: &Status) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Snapshot(status.clone())));
    let mut out = String::with_capacity(64 << 10);
    // Writing to a string does not fail; half a page would be worse than none.
    match text::encode(&mut out, &registry) {
        Ok(()) => out,
        Err(fmt::Error) => "# EOF\n".to_owned(),
    }
}

/// The page in the older text format (0.0.4), where a counter's family has the name of its sample.
pub fn older(page: &str) -> String {
    let mut out = String::with_capacity(page.len() + 1024);
    let mut help = None;
    for line in page.lines().filter(|line| *line != "# EOF") {
        if let Some(text) = line.strip_prefix("# HELP ") {
            help = text.split_once(' ');
            continue;
        }
        if let (Some(kind), Some((name, text))) = (line.strip_prefix("# TYPE "), help.take()) {
            let kind = kind.rsplit(' ').next().unwrap_or_default();
            let total = if kind == "counter" { "_total" } else { "" };
            out.push_str(&format!("# HELP {name}{total} {text}\n# TYPE {name}{total} {kind}\n"));
        } else {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

#[derive(Debug)]
struct Snapshot(Status);

impl Collector for Snapshot {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let (status, mut page) = (&self.0, Sheet { encoder });
        daemon(status, &mut page)?;
        receivers(status, &mut page)?;
        sources(status, &mut page)?;
        channels(status, &mut page)?;
        line_counters(status, &mut page)?;
        line_states(status, &mut page)?;
        comparator(status, &mut page)?;
        pairs(status, &mut page)?;
        alerts(status, &mut page)?;
        outlets(status, &mut page)?;
        recorder(status, &mut page)?;
        store(status, &mut page)?;
        stages(status, &mut page)
    }
}

type Label<'a> = (&'static str, &'a str);

/// Writes families: a name, a sentence, and one sample for each set of labels.
struct Sheet<'a> {
    encoder: DescriptorEncoder<'a>,
}

impl Sheet<'_> {
    /// A counter; the format adds `_total` to its name.
    fn counter<'a, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = ([Label<'a>; N], u64)>,
    ) -> fmt::Result {
        let mut family = self.encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in samples {
            match N {
                0 => family.encode_counter::<NoLabelSet, u64, u64>(&value, None)?,
                _ => family.encode_family(&labels)?.encode_counter::<NoLabelSet, u64, u64>(&value, None)?,
            }
        }
        Ok(())
    }

    /// A gauge of whole numbers.
    fn gauge<'a, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = ([Label<'a>; N], u64)>,
    ) -> fmt::Result {
        let mut family = self.encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, value) in samples {
            gauge(&mut family, labels, &value)?;
        }
        Ok(())
    }

    /// A gauge of seconds, given in nanoseconds.
    fn seconds<'a, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = ([Label<'a>; N], i64)>,
    ) -> fmt::Result {
        let mut family = self.encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, value) in samples {
            // Whole seconds apart: nanoseconds since 1970 are more than a float holds, and would be rounded twice.
            let (whole, rest) = (value / 1_000_000_000, value % 1_000_000_000);
            gauge(&mut family, labels, &(whole as f64 + rest as f64 / 1e9))?;
        }
        Ok(())
    }

    /// A gauge of points in time, given in nanoseconds since 1970; 0 is never and left out.
    fn times<'a, const N: usize>(
        &mut self,
        name: &str,
        help: &str,
        samples: impl IntoIterator<Item = ([Label<'a>; N], u64)>,
    ) -> fmt::Result {
        let ever = samples.into_iter().filter(|(_, ns)| *ns != 0);
        self.seconds(name, help, ever.map(|(labels, ns)| (labels, signed(ns))))
    }
}

fn gauge<const N: usize>(
    family: &mut MetricEncoder<'_>,
    labels: [Label<'_>; N],
    value: &impl EncodeGaugeValue,
) -> fmt::Result {
    match N {
        0 => family.encode_gauge(value),
        _ => family.encode_family(&labels)?.encode_gauge(value),
    }
}

fn signed(ns: u64) -> i64 {
    i64::try_from(ns).unwrap_or(i64::MAX)
}

fn daemon(status: &Status, page: &mut Sheet<'_>) -> fmt::Result {
    let build = [("version", status.version.as_str()), ("name", status.name.as_str())];
    page.gauge(
        "parallax_build_info",
        "1, with the version of the program and the daemon's name",
        [(build, 1)],
    )?;
    page.times("parallax_start_time_seconds", "When the daemon started", [([], status.started_ns)])?;
    page.times("parallax_clock_seconds", "The daemon's clock when it made this page", [([], status.now_ns)])?;
    let troubles = status.troubles.len() as u64;
    page.gauge(
        "parallax_troubles",
        "What is wrong with the daemon or the machine now; /healthz says what",
        [([], troubles)],
    )
}

fn receivers(status: &Status, page: &mut Sheet<'_>) -> fmt::Result {
    let names: Vec<String> = (0..status.receivers.len()).map(|n| n.to_string()).collect();
    let all = || names.iter().zip(&status.receivers).map(|(n, r)| ([("receiver", n.as_str())], r));
    page.counter(
        "parallax_receiver_datagrams",
        "Datagrams taken from the sockets of a receiver",
        all().map(|(l, r)| (l, r.datagrams)),
    )?;
    page.times(
        "parallax_receiver_watermark_seconds",
        "Time up to which a receiver has taken everything",
        all().map(|(l, r)| (l, r.watermark_ns)),
    )?;
    page.counter("parallax_receiver_polls", "Polls of a receiver", all().map(|(l, r)| (l, r.polls)))?;
    page.counter(
        "parallax_receiver_polls_empty",
        "Polls of a receiver that found nothing",
        all().map(|(l, r)| (l, r.polls_empty)),
    )?;
    page.counter(
        "parallax_receiver_late_stamps",
        "Timestamps that were moved forward to keep time in order",
        all().map(|(l, r)| (l, r.late_stamps)),
    )?;
    page.seconds(
        "parallax_receiver_late_stamp_max_seconds",
        "The furthest such move",
        all().map(|(l, r)| (l, signed(r.late_stamp_max_ns))),
    )?;
    page.gauge(
        "parallax_ring_used",
        "Records waiting between a receiver and the comparator",
        all().map(|(l, r)| (l, r.ring_used)),
    )?;
    page.gauge("parallax_ring_size", "Records that the ring can hold", all().map(|(l, r)| (l, r.ring_size)))?;
    page.gauge(
        "parallax_ring_peak",
        "The most records that ever waited",
        all().map(|(l, r)| (l, r.ring_peak)),
    )?;
    page.counter(
        "parallax_ring_overruns",
        "Records that found the ring full",
        all().map(|(l, r)| (l, r.ring_overruns)),
    )
}

fn sources(status: &Status, page: &mut Sheet<'_>) -> fmt::Result {
    let all = || status.sources.iter().map(|s| ([("source", s.name.as_str())], s));
    let info = |s: &'_ SourceStatus| (s.feed.clone(), s.venue.clone().unwrap_or_default());
    let infos: Vec<_> = status.sources.iter().map(info).collect();
    let infos = all()
        .zip(&infos)
        .map(|(([source], _), (feed, venue))| ([source, ("feed", feed), ("venue", venue)], 1));
    page.gauge("parallax_source_info", "1, with the feed and the venue of a source", infos)?;
    let states = all().flat_map(|([source], s)| {
        let known = ["up", "silent", "waiting"]
            .map(|state| ([source, ("state", state)], u64::from(s.state == state)));
        known.into_iter()
    });
    page.gauge("parallax_source_state", "1 for the state that a source is in", states)?;
    page.gauge(
        "parallax_source_instruments",
        "Instruments that a source has shown",
        all().map(|(l, s)| (l, s.instruments)),
    )?;
    page.gauge(
        "parallax_source_instruments_suspect",
        "Of them, those whose book cannot be believed",
        all().map(|(l, s)| (l, s.suspect)),
    )?;
    page.counter("parallax_source_messages", "Messages decoded", all().map(|(l, s)| (l, s.messages)))?;
    page.counter(
        "parallax_source_unknown_messages",
        "Messages of unknown type",
        all().map(|(l, s)| (l, s.unknown)),
    )?;
    let errors = all().flat_map(|([source], s)| {
        s.errors.iter().map(move |e| ([source, ("error", e.name.as_str())], e.count))
    });
    page.counter(
        "parallax_source_errors",
        "Packets and messages in error, by the name of the error",
        errors,
    )?;
    let contradictions = all().flat_map(|([source], s)| {
        s.contradictions.iter().map(move |c| ([source, ("contradiction", c.name.as_str())], c.count))
    });
    page.counter("parallax_book_contradictions", "What a book was told that cannot be", contradictions)
}

type Place<'a, const N: usize> = [Label<'a>; N];

fn each_channel(status: &Status) -> impl Iterator<Item = (Place<'_, 2>, &ChannelStatus)> {
    status.sources.iter().flat_map(|s| {
        s.channels.iter().map(|c| ([("source", s.name.as_str()), ("channel", c.name.as_str())], c))
    })
}

fn each_line(status: &Status) -> impl Iterator<Item = (Place<'_, 3>, &LineStatus)> {
    each_channel(status).flat_map(|([source, channel], c)| {
        c.lines.iter().map(move |l| ([source, channel, ("line", l.name.as_str())], l))
    })
}

fn channels(status: &Status, page: &mut Sheet<'_>) -> fmt::Result {
    let all = || each_channel(status);
    page.counter(
        "parallax_channel_gaps",
        "Gaps: messages lost on every line of a channel",
        all().map(|(l, c)| (l, c.gaps)),
    )?;
    page.counter(
        "parallax_channel_missing_messages",
        "Messages in gaps",
        all().map(|(l, c)| (l, c.missing)),
    )?;
    page.counter(
        "parallax_channel_recovered_messages",
        "Of them, messages that came after all",
        all().map(|(l, c)| (l, c.recovered)),
    )?;
    page.counter(
        "parallax_channel_missing_ours_messages",
        "Of them, messages lost on this machine: socket buffer, kernel queues",
        all().map(|(l, c)| (l, c.missing_ours)),
    )
}

fn line_counters(status: &Status, page: &mut Sheet<'_>) -> fmt::Result {
    let mut counter = |name: &str, help: &str, value: fn(&LineStatus) -> u64| {
        page.counter(name, help, each_line(status).map(|(labels, line)| (labels, value(line))))
    };
    counter("parallax_line_packets", "Datagrams of a line", |l| l.packets)?;
    counter("parallax_line_bytes", "Bytes of payload of a line", |l| l.bytes)?;
    counter("parallax_line_wins", "Packets that a line brought first", |l| l.wins)?;
    counter("parallax_line_duplicates", "Packets that a line brought after another", |l| l.duplicates)?;
    counter(
        "parallax_line_lost_messages",
        "Messages that a line lost, whether or not another had them",
        |l| l.lost,
    )?;
    counter(
        "parallax_line_kernel_drops",
        "Datagrams dropped by the kernel for want of socket buffer",
        |l| l.kernel_drops,
    )?;
    counter("parallax_line_truncated", "Datagrams longer than our buffer", |l| l.truncated)?;
    counter("parallax_line_unstamped", "Datagrams without a kernel timestamp", |l| l.unstamped)?;
    counter("parallax_line_rejoins", "How often the group of a line was joined again", |l| l.rejoins)
}

fn line_states(status: &Status, page: &mut Sheet<'_>) -> fmt::Result {
    let all = || each_line(status);
    let infos = all().map(|([source, channel, line], l)| {
        ([source, channel, line, ("group", l.group.as_str()), ("interface", l.interface.as_str())], 1)
    });
    page.gauge("parallax_line_info", "1, with the group and the interface of a line", infos)?;
    page.times(
        "parallax_line_last_packet_timestamp_seconds",
        "When the last datagram of a line came",
        all().map(|(p, l)| (p, l.last_ns)),
    )?;
    page.gauge(
        "parallax_line_joined",
        "1 while the group of a line is joined",
        all().map(|(p, l)| (p, l.joined.into())),
    )?;
    page.gauge(
        "parallax_line_link_up",
        "1 while the interface of a line is up",
        all().map(|(p, l)| (p, l.link_up.into())),
    )?;
    page.gauge(
        "parallax_line_receive_buffer_bytes",
        "Receive buffer granted by the kernel",
        all().map(|(p, l)| (p, l.receive_buffer)),
    )?;
    let lags = all().flat_map(|([source, channel, line], l)| {
        let both = [("50", l.lag_p50_ns), ("99", l.lag_p99_ns)];
        both.map(|(p, ns)| ([source, channel, line, ("percentile", p)], signed(ns)))
    });
    page.seconds(
        "parallax_line_lag_seconds",
        "How far a line is behind the one that brings a packet first",
        lags,
    )
}

fn comparator(status: &Status, page: &mut Sheet<'_>) -> fmt::Result {
    let of = &status.comparator;
    page.times(
        "parallax_comparator_time_seconds",
        "Time up to which everything is judged",
        [([], of.now_ns)],
    )?;
    page.gauge("parallax_comparator_instruments", "Instruments known", [([], of.instruments)])?;
    page.gauge("parallax_comparator_views", "Views: who quotes which instrument where", [([], of.views)])?;
    page.gauge("parallax_comparator_pairs", "Pairs of views that are compared", [([], of.pairs)])?;
    page.counter("parallax_comparator_updates", "Quote updates judged", [([], of.updates)])?;
    page.counter("parallax_comparator_timers", "Deadlines fired", [([], of.timers)])?;
    page.seconds(
        "parallax_comparator_timer_late_max_seconds",
        "The latest that a deadline fired after its time",
        [([], signed(of.timer_late_max_ns))],
    )
}

fn pairs(status: &Status, page: &mut Sheet<'_>) -> fmt::Result {
    let all = || {
        status
            .pairs
            .iter()
            .map(|p| ([("first", p.sources[0].as_str()), ("second", p.sources[1].as_str())], p))
    };
    page.seconds(
        "parallax_pair_comparable_seconds",
        "Comparable time of two sources over all instruments since the start",
        all().map(|(l, p)| (l, signed(p.comparable_ns))),
    )?;
    page.seconds(
        "parallax_pair_agreed_seconds",
        "Of it, time in agreement",
        all().map(|(l, p)| (l, signed(p.agreed_ns))),
    )?;
    page.counter(
        "parallax_pair_matched_updates",
        "Updates found in both sources",
        all().map(|(l, p)| (l, p.matched)),
    )?;
    page.seconds(
        "parallax_pair_lead_seconds",
        "Lead of the first source over the second, median",
        all().map(|(l, p)| (l, p.lead_p50_ns)),
    )
}

fn each_alert(status: &Status) -> impl Iterator<Item = (Place<'_, 2>, &AlertCount)> {
    status.alerts.iter().map(|a| ([("kind", a.kind.as_str()), ("severity", a.severity.as_str())], a))
}

fn alerts(status: &Status, page: &mut Sheet<'_>) -> fmt::Result {
    let all = || each_alert(status);
    page.counter("parallax_alerts_raised", "Alerts raised", all().map(|(l, a)| (l, a.raised)))?;
    page.gauge("parallax_alerts_open", "Alerts open now", all().map(|(l, a)| (l, a.open)))?;
    let held = status.held.iter();
    let held = held.map(|h| ([("kind", h.kind.as_str()), ("reason", h.reason.as_str())], h.count));
    page.counter("parallax_held_back", "What was not told, by what it would have been and why", held)
}

fn outlets(status: &Status, page: &mut Sheet<'_>) -> fmt::Result {
    let all = || status.outlets.iter().map(|o| ([("outlet", o.name.as_str())], o));
    page.gauge(
        "parallax_outlet_working",
        "0 while the latest try of an outlet failed",
        all().map(|(l, o)| (l, o.error.is_empty().into())),
    )?;
    page.counter("parallax_outlet_delivered", "Notices delivered", all().map(|(l, o)| (l, o.delivered)))?;
    page.gauge("parallax_outlet_queued", "Notices waiting", all().map(|(l, o)| (l, o.queued)))?;
    page.counter("parallax_outlet_dropped", "Notices given up", all().map(|(l, o)| (l, o.dropped)))?;
    page.counter("parallax_outlet_failures", "Tries that failed", all().map(|(l, o)| (l, o.failures)))
}

fn recorder(status: &Status, page: &mut Sheet<'_>) -> fmt::Result {
    let all = || status.recorder.iter().map(|r| ([], r));
    page.gauge(
        "parallax_recorder_working",
        "0 while the latest write of the recorder failed",
        all().map(|(l, r)| (l, r.error.is_empty().into())),
    )?;
    page.counter("parallax_recorder_kept", "Datagrams kept", all().map(|(l, r)| (l, r.kept)))?;
    page.counter(
        "parallax_recorder_not_kept",
        "Datagrams that could not be kept",
        all().map(|(l, r)| (l, r.not_kept)),
    )?;
    page.gauge("parallax_recorder_files", "Files of the recording", all().map(|(l, r)| (l, r.files)))?;
    page.gauge("parallax_recorder_bytes", "Bytes of these files", all().map(|(l, r)| (l, r.bytes)))?;
    page.times(
        "parallax_recorder_oldest_timestamp_seconds",
        "Receive time of the oldest datagram still kept",
        all().map(|(l, r)| (l, r.oldest_ns)),
    )?;
    page.gauge(
        "parallax_recorder_ring_percent",
        "Fill of the fullest ring to the recorder",
        all().map(|(l, r)| (l, r.ring_percent)),
    )
}

fn store(status: &Status, page: &mut Sheet<'_>) -> fmt::Result {
    let all = || status.store.iter().map(|s| ([], s));
    page.gauge(
        "parallax_store_working",
        "0 while the store cannot be written",
        all().map(|(l, s)| (l, s.error.is_empty().into())),
    )?;
    let lost = status.store.iter().flat_map(|s| s.not_stored.by_name());
    page.counter(
        "parallax_store_not_stored",
        "What was not stored and never will be",
        lost.map(|(what, count)| ([("what", what)], count)),
    )?;
    page.times(
        "parallax_store_until_timestamp_seconds",
        "Moment of data up to which everything is in the store",
        all().map(|(l, s)| (l, s.until_ns)),
    )?;
    page.gauge(
        "parallax_store_waiting_bytes",
        "Bytes in memory that wait to be stored",
        all().map(|(l, s)| (l, s.waiting_bytes)),
    )?;
    page.gauge(
        "parallax_store_log_bytes",
        "Bytes of the log beside the store's file",
        all().map(|(l, s)| (l, s.log_bytes)),
    )
}

fn stages(status: &Status, page: &mut Sheet<'_>) -> fmt::Result {
    let all = || {
        status
            .stages
            .iter()
            .map(|s| ([("source", s.source.as_str()), ("from", s.from.as_str()), ("to", s.to.as_str())], s))
    };
    let percentiles = all().flat_map(|([source, from, to], s)| {
        let each =
            [("50", s.p50_ns), ("90", s.p90_ns), ("99", s.p99_ns), ("99.9", s.p999_ns), ("100", s.max_ns)];
        each.map(|(p, ns)| ([source, from, to, ("percentile", p)], ns))
    });
    page.seconds(
        "parallax_stage_latency_seconds",
        "Latency between two points since the start; percentile 100 is the largest",
        percentiles,
    )?;
    page.counter("parallax_stage_measurements", "How often it was measured", all().map(|(l, s)| (l, s.count)))
}
