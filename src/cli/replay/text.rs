//! The summary for people.

use std::collections::BTreeMap;
use std::fmt::Write;

use feeds::FeedId;

use super::rules::{Rules, Used};
use super::summary::{Pair, Series, Source, Summary};
use crate::latency::text::humane;

/// Writes the summary.
pub fn write(summary: &Summary) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = try_write(summary, &mut out);
    out
}

fn try_write(summary: &Summary, out: &mut String) -> std::fmt::Result {
    if !summary.assumed.is_empty() {
        writeln!(out, "without a configuration, assumed:")?;
        for line in &summary.assumed {
            writeln!(out, "  {line}")?;
        }
        writeln!(out)?;
    }
    match (&summary.from, &summary.to) {
        (Some(from), Some(to)) => writeln!(out, "{from} to {to} ({})", seconds(summary.duration_ns))?,
        _ => writeln!(out, "no datagram")?,
    }
    for capture in &summary.captures {
        let compression =
            if capture.compression == "none" { String::new() } else { format!(", {}", capture.compression) };
        writeln!(
            out,
            "capture {} ({}{compression}): {} packets, {} datagrams",
            capture.name, capture.format, capture.packets, capture.datagrams
        )?;
        for (name, counted) in &capture.counted {
            writeln!(out, "  {name}: {}, first at frame {}", counted.count, counted.first_frame)?;
        }
    }
    for (group, count) in &summary.unrouted {
        writeln!(out, "not in the configuration: {group}, {count} datagrams")?;
    }
    write_rules(&summary.rules, out)?;
    for source in &summary.sources {
        write_source(source, out)?;
    }
    for pair in &summary.pairs {
        write_pair(pair, out)?;
    }
    write_latency(&summary.latency, out)?;
    write_alerts(summary, out)
}

/// One line for each market and day.
fn write_rules(rules: &Rules, out: &mut String) -> std::fmt::Result {
    let outside = if rules.sessions == "hold" {
        "; held outside of hours where the feed does not say a state"
    } else {
        ""
    };
    if rules.days.is_empty() {
        return writeln!(out, "rules: {} book{outside}; no market of it is in this data", rules.book);
    }
    for day in &rules.days {
        let spent: Vec<String> =
            day.sessions_ns.iter().map(|(state, ns)| format!("{state} {}", seconds(*ns))).collect();
        let used = |used: &Used| {
            let doubt = if used.verified { "" } else { " (not verified)" };
            format!("{} {}{doubt}", used.kind.replace('_', " "), used.id)
        };
        let rows: Vec<String> = day.rows.iter().map(used).collect();
        let rows = if rows.is_empty() { "no rows".to_owned() } else { rows.join(", ") };
        let book = &rules.book;
        writeln!(
            out,
            "rules: {} {}, {}{outside}: {rows}; {book} book",
            day.market,
            day.date,
            spent.join(", ")
        )?;
    }
    if rules.more_days > 0 {
        writeln!(out, "rules: and {} more days", rules.more_days)?;
    }
    if rules.lots_assumed > 0 {
        let lots = rules.lots_assumed;
        writeln!(
            out,
            "rules: nobody says the round lot of {lots} instruments, nor the price it goes by: 100 is assumed"
        )?;
    }
    rules.map_findings.iter().try_for_each(|finding| writeln!(out, "instrument map: {finding}"))
}

fn list<K: std::fmt::Display>(counts: &BTreeMap<K, u64>) -> String {
    let items: Vec<String> = counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
    items.join(", ")
}

fn write_source(source: &Source, out: &mut String) -> std::fmt::Result {
    let venue = source.venue.as_deref().unwrap_or("consolidated");
    writeln!(out, "\nsource {} ({}, {venue})", source.name, source.feed)?;
    writeln!(out, "  {} packets, {} bytes, {} messages", source.packets, source.bytes, source.messages)?;
    writeln!(out, "  messages: {}", list(&source.messages_by_type))?;
    if !source.unknown_messages.is_empty() {
        writeln!(out, "  unknown types: {}", list(&source.unknown_messages))?;
    }
    for (name, error) in &source.errors {
        writeln!(out, "  error {name}: {}, first in frame {} ({})", error.count, error.frame, error.first)?;
    }
    let what = FeedId::from_name(source.feed).map_or("message", |feed| feed.info().sequence_unit.word());
    writeln!(
        out,
        "  gaps: {}, {} {what}s missing, {} recovered in time, {} came too late; duplicates: {}",
        source.gaps, source.messages_missing, source.recovered, source.filled_late, source.duplicates
    )?;
    for line in &source.lines {
        write!(
            out,
            "  line {}/{} {}: {} packets, {} first, {} second, {} {what}s lost, {} out of order",
            line.channel,
            line.line,
            line.group,
            line.packets,
            line.wins,
            line.duplicates,
            line.lost,
            line.out_of_order
        )?;
        if !line.refused.is_empty() {
            write!(out, ", refused: {}", list(&line.refused))?;
        }
        writeln!(out)?;
    }
    if !source.sequence_events.is_empty() {
        writeln!(out, "  sequence: {}", list(&source.sequence_events))?;
    }
    let suspect = if source.suspect_instruments > 0 {
        format!(" ({} suspect)", source.suspect_instruments)
    } else {
        String::new()
    };
    writeln!(
        out,
        "  {} instruments{suspect}, {} live orders, {} trades",
        source.instruments, source.live_orders, source.trades
    )?;
    for (kind, seen) in &source.contradictions {
        writeln!(
            out,
            "  contradiction {kind}: {}, first at {} sequence {} frame {}",
            seen.count, seen.first_ts, seen.first_sequence, seen.first_frame
        )?;
    }
    Ok(())
}

fn write_pair(pair: &Pair, out: &mut String) -> std::fmt::Result {
    let [a, b] = &pair.sources;
    writeln!(out, "\n{a} against {b}: {} instruments at the same venue", pair.instruments)?;
    match &pair.agreement_percent {
        Some(percent) => writeln!(
            out,
            "  agree {percent} % of {} comparable (both sides added up)",
            seconds(pair.comparable_ns)
        )?,
        None => writeln!(out, "  never comparable")?,
    }
    if !pair.segments.is_empty() {
        writeln!(out, "  disagreements: {}", list(&pair.segments))?;
    }
    for (reason, ns) in &pair.held_ns {
        let differences = pair.held_differences.get(reason).copied().unwrap_or(0);
        let hidden =
            if differences > 0 { format!(", {differences} differences not judged") } else { String::new() };
        writeln!(out, "  not comparable, {reason}: {}{hidden}", seconds(*ns))?;
    }
    writeln!(
        out,
        "  same update in both: {}; {a} first {}, {b} first {}, together {}; only {a} {}, only {b} {}",
        pair.matched, pair.first_led, pair.second_led, pair.together, pair.unmatched[0], pair.unmatched[1]
    )?;
    if let Some(lead) = &pair.lead {
        writeln!(out, "  {b} after {a}: {}", percentiles(lead))?;
    }
    Ok(())
}

fn write_latency(series: &[Series], out: &mut String) -> std::fmt::Result {
    if series.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nlatency")?;
    for one in series {
        let meaning =
            if one.from.contains("ts_") || one.from.contains("send") { "clocks" } else { "the other first" };
        let negative =
            if one.negative > 0 { format!(", {} negative: {meaning}", one.negative) } else { String::new() };
        writeln!(
            out,
            "  {} {} -> {}: {} ({} values{negative})",
            one.name,
            one.from,
            one.to,
            percentiles(one),
            one.count
        )?;
    }
    Ok(())
}

fn percentiles(series: &Series) -> String {
    // A line of the terminal has room for seven.
    let shown = series.columns.named().into_iter().filter(|(name, _)| !matches!(*name, "p95" | "p99.99"));
    let shown = shown.map(|(name, ns)| format!("{name} {}", ns.map_or("-".to_owned(), humane)));
    shown.collect::<Vec<_>>().join(" ")
}

fn write_alerts(summary: &Summary, out: &mut String) -> std::fmt::Result {
    writeln!(out, "\nalerts: {} raised", summary.alerts.raised)?;
    for (kind, severities) in &summary.alerts.by_kind {
        writeln!(out, "  {kind}: {}", list(severities))?;
    }
    if !summary.alerts.escalated.is_empty() {
        writeln!(out, "  escalated to: {}", list(&summary.alerts.escalated))?;
    }
    if !summary.alerts.cleared.is_empty() {
        writeln!(out, "  cleared: {}", list(&summary.alerts.cleared))?;
    }
    for held in &summary.suppressed {
        writeln!(out, "  held back: {} {} ({})", held.count, held.kind, held.reason)?;
    }
    Ok(())
}

fn seconds(ns: u64) -> String {
    format!("{}.{:03} s", ns / 1_000_000_000, ns / 1_000_000 % 1_000)
}
