//! A comparison for the terminal: the verdict first, then what it rests on.

use std::fmt::{self, Write};

use super::outcome::{Lead, Outcome, PacketOutcome, PacketSide, QuoteOutcome, Seen};
use super::verdict::{percent, whole};
use crate::chart::{duration, thousands};
use crate::latency::text::humane;

/// Writes all of it.
pub fn write(outcome: &Outcome) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = try_write(outcome, &mut out);
    out
}

fn try_write(outcome: &Outcome, out: &mut String) -> fmt::Result {
    for sentence in &outcome.sentences {
        writeln!(out, "{sentence}")?;
    }
    writeln!(out)?;
    for (letter, side) in ["A", "B"].iter().zip(&outcome.sides) {
        let captures = side.captures.join(", ");
        let from = if captures == side.name { String::new() } else { format!(" (from {captures})") };
        writeln!(out, "{letter}: {}{from}", side.name)?;
        for carried in &side.carries {
            writeln!(out, "   {carried}")?;
        }
        for damage in &side.damage {
            writeln!(out, "   damaged: {damage}")?;
        }
    }
    let names = [&*outcome.sides[0].name, &*outcome.sides[1].name];
    for packets in &outcome.packets {
        write_packets(packets, names, out)?;
    }
    for quotes in &outcome.quotes {
        write_quotes(quotes, out)?;
    }
    Ok(())
}

fn write_packets(packets: &PacketOutcome, names: [&str; 2], out: &mut String) -> fmt::Result {
    writeln!(out, "\n{} ({}), by {} number", packets.channel, packets.feed, packets.unit)?;
    let unit = packets.unit;
    if packets.matched == 0 {
        writeln!(out, "  no {unit} number is on both sides")?;
    }
    for (name, side) in names.iter().zip(&packets.sides) {
        write_side(name, side, unit, out)?;
    }
    writeln!(
        out,
        "  on both sides: {} {unit}s, {} of them with other bytes",
        count(packets.matched),
        count(packets.altered)
    )?;
    for example in &packets.altered_examples {
        let [a, b] = &example.seen;
        writeln!(out, "    {unit} {} differs: {} and {}", example.number, place(a), place(b))?;
    }
    if packets.is_unrelated() {
        return writeln!(out, "  not one feed twice: who is first with a number says nothing");
    }
    if let Some(drift) = &packets.drift {
        writeln!(
            out,
            "  clocks: {} gains {} ± {} ns a second on {}; least difference at the beginning {} (transit and clock offset together)",
            names[1],
            drift.ppb,
            drift.ppb_error,
            names[0],
            humane(drift.floor_ns)
        )?;
    }
    write_lead(&packets.lead, names, "packets", out)
}

fn place(seen: &Seen) -> String {
    format!("{} frame {} ({})", seen.capture, seen.frame, seen.ts)
}

fn write_side(name: &str, side: &PacketSide, unit: &str, out: &mut String) -> fmt::Result {
    let numbers = side.numbers.map_or("no numbers".to_owned(), |(low, high)| format!("numbers {low}-{high}"));
    writeln!(
        out,
        "  {name}: {} packets, {} messages, {} heartbeats, {numbers}; {} copies, {} out of order, {} unreadable",
        count(side.packets),
        count(side.messages),
        count(side.heartbeats),
        count(side.duplicates),
        count(side.out_of_order),
        count(side.unreadable)
    )?;
    if let (Some(from), Some(to)) = (&side.from, &side.to) {
        writeln!(out, "    {from} to {to}")?;
    }
    if side.missing > 0 {
        let ranges: Vec<String> = side
            .missing_ranges
            .iter()
            .map(|(first, last)| if first == last { first.to_string() } else { format!("{first}-{last}") })
            .collect();
        let more = if side.holes > side.missing_ranges.len() as u64 { ", ..." } else { "" };
        writeln!(
            out,
            "    lacks {} {unit}s that the other has: {}{more}",
            count(side.missing),
            ranges.join(", ")
        )?;
    }
    if side.outside > 0 {
        let outside = count(side.outside);
        writeln!(out, "    {outside} {unit}s of the other lie before its beginning or after its end")?;
    }
    if let Some(first) = &side.first_out_of_order {
        writeln!(out, "    first out of order: {}", place(first))?;
    }
    Ok(())
}

fn write_lead(lead: &Lead, [a, b]: [&str; 2], what: &str, out: &mut String) -> fmt::Result {
    if lead.count == 0 {
        return Ok(());
    }
    let part = |n| percent(n, lead.count);
    writeln!(
        out,
        "  first: {a} {} ({} %), {b} {} ({} %), together {}; of {} {what}",
        count(lead.first_led),
        part(lead.first_led),
        count(lead.second_led),
        part(lead.second_led),
        count(lead.together),
        count(lead.count)
    )?;
    let columns = lead.columns.named();
    let shown = columns.iter().filter_map(|(name, ns)| Some(format!("{name} {}", humane((*ns)?))));
    let rounded = if lead.rounded { " (three digits)" } else { "" };
    writeln!(out, "  {b} after {a}, receive times: {}{rounded}", shown.collect::<Vec<_>>().join(" "))?;
    picture(lead, [a, b], out)
}

/// Widest bar.
const BAR: u64 = 48;
/// Most rows; with more, a row holds whole decades.
const ROWS: usize = 24;

/// The distribution as bars, below zero the second first.
fn picture(lead: &Lead, [a, b]: [&str; 2], out: &mut String) -> fmt::Result {
    let mut rows = rows(&lead.counts, &[1, 2, 5]);
    if rows.len() > ROWS {
        rows = self::rows(&lead.counts, &[1]);
    }
    let rows = fold(&rows);
    let most = rows.iter().map(|row| row.2).max().unwrap_or(1).max(1);
    let bound = |(low, high): (i64, i64)| match (low, high) {
        (0, 0) => "same time".to_owned(),
        (low, high) => format!("{} to {}", duration(low), duration(high)),
    };
    let width = rows.iter().map(|row| bound((row.0, row.1)).len()).max().unwrap_or(0);
    for (low, high, count) in rows {
        let length = (u128::from(count) * u128::from(BAR)).div_ceil(u128::from(most)) as usize;
        let who = match count {
            0 => "",
            _ if high <= 0 && low < 0 => b,
            _ if low >= 0 && high > 0 => a,
            _ => "",
        };
        let first = if who.is_empty() { String::new() } else { format!("  {who} first") };
        let bar = "#".repeat(length);
        writeln!(out, "    {:>width$} |{bar:<48} {}{first}", bound((low, high)), self::count(count))?;
    }
    Ok(())
}

/// The same with empty rows that follow each other as one.
fn fold(rows: &[(i64, i64, u64)]) -> Vec<(i64, i64, u64)> {
    let mut folded: Vec<(i64, i64, u64)> = Vec::with_capacity(rows.len());
    for row in rows {
        match folded.last_mut() {
            Some(last) if last.2 == 0 && row.2 == 0 && last.1 == row.0 => last.1 = row.1,
            _ => folded.push(*row),
        }
    }
    folded
}

/// (from, to, count) of steps at `factors` times powers of ten, both sides of zero, in order; empty ones between full
/// ones stay.
fn rows(counts: &[(i64, u64)], factors: &[u64]) -> Vec<(i64, i64, u64)> {
    let mut edges: Vec<i64> = vec![0];
    for decade in 0..=18u32 {
        let steps = factors.iter().filter_map(|f| f.checked_mul(10u64.pow(decade)));
        edges.extend(steps.filter_map(|n| i64::try_from(n).ok()));
    }
    edges.push(i64::MAX);
    // Magnitudes in (edge, next]; zero for itself.
    let mut rows: Vec<(i64, i64, u64)> = edges.windows(2).rev().map(|pair| (-pair[1], -pair[0], 0)).collect();
    let middle = rows.len();
    rows.push((0, 0, 0));
    rows.extend(edges.windows(2).map(|pair| (pair[0], pair[1], 0)));
    for (ns, count) in counts {
        let magnitude = i64::try_from(ns.unsigned_abs()).unwrap_or(i64::MAX);
        let nth = edges.partition_point(|edge| *edge < magnitude);
        let at = if *ns < 0 { middle - nth } else { middle + nth };
        if let Some(row) = rows.get_mut(at) {
            row.2 += count;
        }
    }
    let first = rows.iter().position(|row| row.2 > 0).unwrap_or(0);
    let last = rows.iter().rposition(|row| row.2 > 0).map_or(0, |at| at + 1);
    rows.get(first..last)
        .map(<[_]>::to_vec)
        .unwrap_or_default()
        .into_iter()
        .filter(|r| r.0 != r.1 || r.2 > 0)
        .collect()
}

fn write_quotes(quotes: &QuoteOutcome, out: &mut String) -> fmt::Result {
    let [a, b] = [&*quotes.sources[0], &*quotes.sources[1]];
    writeln!(out, "\nquotes: {a} ({}) against {b} ({})", quotes.feeds[0], quotes.feeds[1])?;
    writeln!(
        out,
        "  instruments: {} in both at the same venue, {} only in {a}, {} only in {b}, {} in both at different venues",
        count(quotes.instruments),
        count(quotes.only[0]),
        count(quotes.only[1]),
        count(quotes.elsewhere)
    )?;
    for (side, name) in [a, b].iter().enumerate().filter(|(side, _)| quotes.only[*side] > 0) {
        writeln!(out, "    only in {name}: {}", named(&quotes.only_named[side], quotes.only[side]))?;
    }
    if !quotes.is_comparable() {
        return Ok(());
    }
    match &quotes.agreement_percent {
        Some(percent) => writeln!(
            out,
            "  agree {percent} % of {} comparable (both sides of all instruments added up)",
            seconds(quotes.comparable_ns)
        )?,
        None => writeln!(out, "  never comparable")?,
    }
    write_causes(quotes, out)?;
    writeln!(
        out,
        "  updates: {} of {a}, {} of {b}; the same in both (price and size) {}; only {a} {}, only {b} {}",
        count(quotes.updates[0]),
        count(quotes.updates[1]),
        count(quotes.matched),
        count(quotes.unmatched[0]),
        count(quotes.unmatched[1])
    )?;
    if quotes.not_judged != [0, 0] {
        writeln!(
            out,
            "    not looked for while one of the two was suspect, halted, in an auction or closed: {} of {a}, {} of {b}",
            count(quotes.not_judged[0]),
            count(quotes.not_judged[1])
        )?;
    }
    write_lead(&quotes.lead, [a, b], "matched updates", out)?;
    if !quotes.worst.is_empty() {
        writeln!(out, "  instruments that differed longest (late ones count too):")?;
    }
    for worst in &quotes.worst {
        writeln!(
            out,
            "    {:<10} {:>7} in {} times, longest {}, prices at most {} apart; {} updates",
            worst.instrument,
            humane(i64::try_from(worst.apart_ns).unwrap_or(i64::MAX)),
            count(worst.times),
            humane(i64::try_from(worst.longest_ns).unwrap_or(i64::MAX)),
            worst.most,
            count(worst.updates)
        )?;
    }
    Ok(())
}

/// Differences by cause.
fn write_causes(quotes: &QuoteOutcome, out: &mut String) -> fmt::Result {
    writeln!(out, "  differences by cause:")?;
    let mut none = true;
    for (kind, count) in quotes.segments.iter().filter(|(kind, _)| matches!(**kind, "flight" | "brief")) {
        none = false;
        let meaning =
            if *kind == "flight" { "one a little later than the other" } else { "too short to be told" };
        writeln!(out, "    {kind}: {} ({meaning})", self::count(*count))?;
    }
    for finding in &quotes.findings {
        none = false;
        let lost = if finding.messages > 0 {
            format!(", {} messages", count(finding.messages))
        } else {
            String::new()
        };
        let among: Vec<String> = finding.instruments.iter().map(|(name, n)| format!("{name} {n}")).collect();
        let among = if among.is_empty() { String::new() } else { format!("; {}", among.join(", ")) };
        writeln!(
            out,
            "    {}: {} told, {} in all{lost}{among}",
            finding.kind,
            count(finding.alerts),
            seconds(finding.time_ns)
        )?;
        for example in &finding.examples {
            writeln!(out, "      {} {}", example.began, example.sentence())?;
            if !example.seen.is_empty() {
                writeln!(out, "        {}", example.seen.join("; "))?;
            }
        }
    }
    for (reason, ns) in &quotes.held_ns {
        none = false;
        let differences = quotes.held_differences.get(reason).copied().unwrap_or(0);
        writeln!(
            out,
            "    not comparable, {reason}: {}, {differences} differences not judged",
            seconds(*ns)
        )?;
    }
    if quotes.odd_lots_only > 0 {
        none = false;
        writeln!(
            out,
            "    round lot: {} updates at which the plain best differed and the best for round lots did not",
            count(quotes.odd_lots_only)
        )?;
    }
    if none {
        writeln!(out, "    none")?;
    }
    Ok(())
}

fn named(names: &[String], all: u64) -> String {
    let more = if all > names.len() as u64 { ", ..." } else { "" };
    format!("{}{more}", names.join(", "))
}

fn count(n: u64) -> String {
    thousands(whole(n))
}

fn seconds(ns: u64) -> String {
    format!("{}.{:03} s", ns / 1_000_000_000, ns / 1_000_000 % 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stand_on_both_sides_of_zero() {
        let counts = [(-1_500, 3), (0, 1), (7, 2), (10, 5), (11, 1)];
        let rows = rows(&counts, &[1]);
        assert_eq!(rows.first(), Some(&(-10_000, -1_000, 3)));
        assert_eq!(rows.last(), Some(&(10, 100, 1)));
        assert_eq!(rows.iter().map(|row| row.2).sum::<u64>(), 12);
        assert!(rows.contains(&(0, 0, 1)) && rows.contains(&(1, 10, 7)));
        assert_eq!(self::rows(&[], &[1]), []);
        // -1us to 0 and 0 to 1ns hold one and nothing; between the first two rows nothing lies.
        let folded = fold(&rows);
        assert_eq!(folded.get(1), Some(&(-1_000, 0, 0)));
        assert_eq!(folded.iter().filter(|row| row.2 == 0).count(), 2);
        assert_eq!(self::rows(&[(i64::MIN, 1), (i64::MAX, 2)], &[1]).iter().map(|r| r.2).sum::<u64>(), 3);
    }
}
