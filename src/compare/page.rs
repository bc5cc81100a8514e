//! A comparison as one page that needs nothing but itself.

use std::fmt::{self, Write};

use super::outcome::{Lead, Outcome, PacketOutcome, QuoteOutcome, Verdict};
use super::verdict::whole;
use crate::chart::{STYLE, escape, lead_lag, thousands};
use crate::latency::text::humane;

/// The page.
pub fn write(outcome: &Outcome) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = try_write(outcome, &mut out);
    out
}

fn try_write(outcome: &Outcome, out: &mut String) -> fmt::Result {
    let [a, b] = &outcome.sides;
    let title = format!("{} against {}", escape(&a.name), escape(&b.name));
    write!(
        out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n<style>\n{STYLE}</style></head><body><main>\n<h1>{title}</h1>\n"
    )?;
    let class = match outcome.verdict {
        Verdict::Identical | Verdict::Agree => "good",
        Verdict::Different | Verdict::NothingInCommon => "bad",
    };
    for (nth, sentence) in outcome.sentences.iter().enumerate() {
        match nth {
            0 => writeln!(out, "<p class=\"verdict {class}\"><b>{}</b></p>", escape(sentence))?,
            _ => writeln!(out, "<p>{}</p>", escape(sentence))?,
        }
    }
    writeln!(
        out,
        "<div class=\"wide\"><table><thead><tr><th class=\"l\"></th><th class=\"l\">called</th><th class=\"l\">captures</th><th class=\"l\">carries</th></tr></thead><tbody>"
    )?;
    for (letter, side) in ["A", "B"].iter().zip(&outcome.sides) {
        row(out, &[*letter, &side.name, &side.captures.join(", "), &side.carries.join("; ")], 4)?;
    }
    writeln!(out, "{TAIL}")?;
    for (side, damage) in outcome.sides.iter().flat_map(|side| side.damage.iter().map(move |d| (side, d))) {
        writeln!(
            out,
            "<p class=\"points\"><b>{}</b> is damaged: {}.</p>",
            escape(&side.name),
            escape(damage)
        )?;
    }
    let names = [&*a.name, &*b.name];
    for packets in &outcome.packets {
        write_packets(packets, names, outcome.clocks.one, out)?;
    }
    for quotes in outcome.quotes.iter().filter(|q| q.is_comparable()) {
        write_quotes(quotes, outcome.clocks.one, out)?;
    }
    writeln!(out, "</main></body></html>")
}

/// A row of a table whose first `text` cells are text.
fn row(out: &mut String, cells: &[&str], text: usize) -> fmt::Result {
    write!(out, "<tr>")?;
    for (nth, cell) in cells.iter().enumerate() {
        let class = if nth < text { " class=\"l\"" } else { "" };
        write!(out, "<td{class}>{}</td>", escape(cell))?;
    }
    writeln!(out, "</tr>")
}

fn head(out: &mut String, names: &[&str], text: usize) -> fmt::Result {
    write!(out, "<div class=\"wide\"><table><thead><tr>")?;
    for (nth, name) in names.iter().enumerate() {
        let class = if nth < text { " class=\"l\"" } else { "" };
        write!(out, "<th{class}>{}</th>", escape(name))?;
    }
    writeln!(out, "</tr></thead><tbody>")
}

const TAIL: &str = "</tbody></table></div>";

fn write_packets(
    packets: &PacketOutcome,
    names: [&str; 2],
    one_clock: bool,
    out: &mut String,
) -> fmt::Result {
    let unit = packets.unit;
    writeln!(
        out,
        "<section><h2>{}, {} by {unit} number</h2>",
        escape(&packets.channel),
        escape(packets.feed)
    )?;
    writeln!(
        out,
        "<p class=\"points\">{} {unit}s are on both sides, {} of them with other bytes.</p>",
        count(packets.matched),
        count(packets.altered)
    )?;
    let columns = [
        "side",
        "packets",
        "messages",
        "heartbeats",
        "copies",
        "out of order",
        "unreadable",
        "missing",
        "holes",
        "outside",
    ];
    head(out, &columns, 1)?;
    for (name, side) in names.iter().zip(&packets.sides) {
        let counts = [
            side.packets,
            side.messages,
            side.heartbeats,
            side.duplicates,
            side.out_of_order,
            side.unreadable,
            side.missing,
            side.holes,
            side.outside,
        ];
        let counts: Vec<String> = counts.iter().map(|n| count(*n)).collect();
        let mut cells = vec![*name];
        cells.extend(counts.iter().map(String::as_str));
        row(out, &cells, 1)?;
    }
    writeln!(
        out,
        "{TAIL}<ul class=\"notes\"><li>Missing: {unit} numbers that the other has, between the side's own first and last. Outside: before its first or after its last; it was not watching.</li>"
    )?;
    for (name, side) in names.iter().zip(&packets.sides).filter(|(_, side)| side.missing > 0) {
        let ranges: Vec<String> =
            side.missing_ranges.iter().map(|(first, last)| format!("{first} to {last}")).collect();
        let more = if side.holes > ranges.len() as u64 { ", ..." } else { "" };
        writeln!(out, "<li>{} lacks {}{more}.</li>", escape(name), ranges.join(", "))?;
    }
    for example in &packets.altered_examples {
        let [a, b] = &example.seen;
        writeln!(
            out,
            "<li>{unit} {} differs: {} frame {}, {} frame {}.</li>",
            example.number,
            escape(&a.capture),
            a.frame,
            escape(&b.capture),
            b.frame
        )?;
    }
    if packets.is_unrelated() {
        return writeln!(
            out,
            "<li>Not one feed twice: who is first with a number says nothing.</li></ul></section>"
        );
    }
    writeln!(out, "</ul>")?;
    write_lead(&packets.lead, names, points(one_clock), out)?;
    writeln!(out, "</section>")
}

fn points(one_clock: bool) -> &'static str {
    if one_clock { "at one capture point" } else { "of two captures, whose clocks may differ" }
}

fn count(n: u64) -> String {
    thousands(whole(n))
}

fn write_lead(lead: &Lead, names: [&str; 2], points: &str, out: &mut String) -> fmt::Result {
    if lead.count == 0 {
        return Ok(());
    }
    let [a, b] = names;
    let columns = lead.columns.named();
    let labels = columns.iter().map(|(name, _)| if *name == "p50" { "median" } else { *name });
    let mut heads = vec!["from → to", "count"];
    heads.extend(labels);
    head(out, &heads, 1)?;
    let mut cells = vec![format!("receipt from {a} → receipt from {b}"), count(lead.count)];
    cells.extend(columns.iter().map(|(_, ns)| ns.map_or("-".to_owned(), humane)));
    row(out, &cells.iter().map(String::as_str).collect::<Vec<_>>(), 1)?;
    writeln!(out, "{TAIL}")?;
    let picture = lead_lag::LeadLag { names, values: &lead.counts, points };
    writeln!(
        out,
        "<figure><figcaption>Who is first, and by how much: {} values</figcaption>{}</figure>",
        count(lead.count),
        lead_lag::draw(&picture)
    )
}

fn write_quotes(quotes: &QuoteOutcome, one_clock: bool, out: &mut String) -> fmt::Result {
    let [a, b] = [&*quotes.sources[0], &*quotes.sources[1]];
    writeln!(out, "<section><h2>Quotes of {} against {}</h2>", escape(a), escape(b))?;
    let agreement = match &quotes.agreement_percent {
        Some(percent) => {
            format!("The same price for {percent} % of {} comparable", seconds(quotes.comparable_ns))
        }
        None => "Never comparable".to_owned(),
    };
    writeln!(
        out,
        "<p class=\"points\">{agreement} (both sides of {} instruments added up). Updates: {} of {}, {} of {}; {} the same in both (price and size), {} only in {}, {} only in {}.</p>",
        quotes.instruments,
        count(quotes.updates[0]),
        escape(a),
        count(quotes.updates[1]),
        escape(b),
        count(quotes.matched),
        count(quotes.unmatched[0]),
        escape(a),
        count(quotes.unmatched[1]),
        escape(b)
    )?;
    write_lead(&quotes.lead, [a, b], points(one_clock), out)?;
    writeln!(out, "<h2>Differences by cause</h2>")?;
    head(out, &["cause", "instruments", "count", "time"], 2)?;
    for (kind, count) in quotes.segments.iter().filter(|(kind, _)| matches!(**kind, "flight" | "brief")) {
        let meaning =
            if *kind == "flight" { "flight: one a little later" } else { "brief: too short to be told" };
        row(out, &[meaning, "", &self::count(*count), ""], 2)?;
    }
    for finding in &quotes.findings {
        let named: Vec<String> = finding.instruments.iter().map(|(name, n)| format!("{name} {n}")).collect();
        row(out, &[&finding.kind, &named.join(", "), &count(finding.alerts), &seconds(finding.time_ns)], 2)?;
    }
    for (reason, ns) in &quotes.held_ns {
        let differences = quotes.held_differences.get(reason).copied().unwrap_or(0);
        row(out, &[&format!("not comparable: {reason}"), "", &count(differences), &seconds(*ns)], 2)?;
    }
    if quotes.odd_lots_only > 0 {
        row(out, &["round lot: only the plain best differs", "", &count(quotes.odd_lots_only), ""], 2)?;
    }
    writeln!(out, "{TAIL}")?;
    write_examples(quotes, out)?;
    if !quotes.worst.is_empty() {
        writeln!(out, "<h2>Instruments that differed longest</h2>")?;
        head(out, &["instrument", "time apart", "times", "longest", "most apart, price", "updates"], 1)?;
        for worst in &quotes.worst {
            let longest = humane(i64::try_from(worst.longest_ns).unwrap_or(i64::MAX));
            let (times, updates) = (count(worst.times), count(worst.updates));
            let cells = [
                &*worst.instrument,
                &humane(i64::try_from(worst.apart_ns).unwrap_or(i64::MAX)),
                &times,
                &longest,
                &worst.most,
                &updates,
            ];
            row(out, &cells, 1)?;
        }
        writeln!(
            out,
            "{TAIL}<p class=\"points\">Both sides of the instrument added up, whatever the cause; times in which one was only late count too.</p>"
        )?;
    }
    writeln!(out, "</section>")
}

fn write_examples(quotes: &QuoteOutcome, out: &mut String) -> fmt::Result {
    writeln!(out, "<ul class=\"notes\">")?;
    for finding in &quotes.findings {
        for example in &finding.examples {
            writeln!(
                out,
                "<li><b>{}</b> {} {} <i>{}</i></li>",
                escape(&finding.kind),
                escape(&example.began),
                escape(&example.sentence()),
                escape(&example.seen.join("; "))
            )?;
        }
    }
    for (side, name) in quotes.sources.iter().enumerate().filter(|(side, _)| quotes.only[*side] > 0) {
        let more = if quotes.only[side] > quotes.only_named[side].len() as u64 { ", ..." } else { "" };
        writeln!(
            out,
            "<li>{} only in {}: {}{more}</li>",
            if quotes.only[side] == 1 {
                "1 instrument".to_owned()
            } else {
                format!("{} instruments", quotes.only[side])
            },
            escape(name),
            escape(&quotes.only_named[side].join(", "))
        )?;
    }
    writeln!(out, "</ul>")
}

fn seconds(ns: u64) -> String {
    format!("{}.{:03} s", ns / 1_000_000_000, ns / 1_000_000 % 1_000)
}
