//! The plain texts of an evidence file: quotes as CSV, a ticket that is ready to send, what the file is.

use std::fmt::Write;

use crate::alert::json::show_time;
use crate::explain::facts::{Span, ViewFacts};
use crate::explain::text::about;
use crate::explain::{Explanation, Facts, Verdict};
use crate::market::Level;
use crate::market::price::show_nanos;

/// What every view of the alert's instrument showed in the window, in order of time.
///
/// # Errors
/// Those of the CSV writer.
pub fn quotes(facts: &Facts) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record([
        "ts",
        "source",
        "venue",
        "instrument",
        "bid",
        "bid_qty",
        "ask",
        "ask_qty",
        "round_lot_bid",
        "round_lot_ask",
        "quality",
        "ts_event",
        "seq",
        "capture",
        "frame",
    ])?;
    let mut rows: Vec<(u64, usize, usize)> = Vec::new();
    for (v, view) in facts.views.iter().enumerate() {
        rows.extend(view.shown.iter().enumerate().map(|(s, shown)| (shown.at_ns, v, s)));
    }
    rows.sort_unstable();
    let instrument = facts.alert.instrument.as_deref().unwrap_or("");
    for (_, v, s) in rows {
        let view = &facts.views[v];
        let shown = &view.shown[s];
        let price = |level: Option<Level>| level.map_or_else(String::new, |l| show_nanos(l.price));
        let quantity = |level: Option<Level>| level.map_or_else(String::new, |l| l.quantity.to_string());
        let ([bid, ask], [lot_bid, lot_ask]) = (shown.quote.best, shown.quote.round_lot);
        let event = if shown.ts_event_ns == 0 { String::new() } else { show_time(shown.ts_event_ns) };
        writer.write_record([
            &show_time(shown.at_ns),
            &view.source,
            view.venue.as_deref().unwrap_or(""),
            instrument,
            &price(bid),
            &quantity(bid),
            &price(ask),
            &quantity(ask),
            &price(lot_bid),
            &price(lot_ask),
            shown.quote.quality.name(),
            &event,
            &shown.spot.sequence.to_string(),
            &shown.spot.capture,
            &shown.spot.frame.to_string(),
        ])?;
    }
    writer.into_inner().map_err(|e| csv::Error::from(e.into_error()))
}

/// A ticket to whom the verdict names.
pub fn ticket(facts: &Facts, explanation: &Explanation) -> String {
    let alert = &facts.alert;
    let mut out = String::new();
    let to = match &explanation.verdict {
        Verdict::Decided(crate::explain::hypotheses::Blame::Source(name)) => format!("support of {name}"),
        Verdict::Decided(crate::explain::hypotheses::Blame::Network) => "network operations".to_owned(),
        Verdict::Decided(crate::explain::hypotheses::Blame::ReferenceData) => "reference data".to_owned(),
        Verdict::Decided(crate::explain::hypotheses::Blame::Ours) => "our own operations".to_owned(),
        Verdict::Decided(crate::explain::hypotheses::Blame::Market) => {
            "nobody: the market was like that".to_owned()
        }
        Verdict::Undecided => format!("support of {}", alert.sources.join(" and of ")),
    };
    let _ = writeln!(out, "To:      {to}");
    let _ = writeln!(out, "Subject: {}, since {}\n", about(facts), show_time(alert.began_ns));
    let _ = writeln!(out, "We receive {} and have seen the following.\n", sources(facts));
    let _ = writeln!(out, "What     {}", alert.why);
    let _ = write!(out, "When     {}", show_time(alert.began_ns));
    match alert.ended_ns {
        Some(ended) => {
            let _ = writeln!(out, " to {} (UTC, our receive time)", show_time(ended));
        }
        None => {
            let _ = writeln!(out, " on, still so at {} (UTC, our receive time)", show_time(facts.data.to_ns));
        }
    }
    if let Some([first, last, count]) = alert.sequence {
        let word = facts.channel().map_or("message", |channel| channel.unit.word());
        let _ =
            writeln!(out, "Numbers  {first} to {last} ({count} {word}{})", if count == 1 { "" } else { "s" });
    }
    let meant = |v: &&ViewFacts| {
        alert.sources.contains(&v.source) && (alert.venue.is_none() || v.venue == alert.venue)
    };
    for view in facts.views.iter().filter(meant) {
        let Some(shown) = view.at(facts.told_ns()) else { continue };
        let level = |l: Option<Level>| {
            l.map_or_else(|| "-".to_owned(), |l| format!("{} x {}", show_nanos(l.price), l.quantity))
        };
        let _ = writeln!(
            out,
            "Shown    {}{}: {} / {} since {} (its sequence number {}, its time {})",
            view.source,
            view.venue.as_deref().map_or_else(|| " (national best)".to_owned(), |v| format!(" at {v}")),
            level(shown.quote.best[0]),
            level(shown.quote.best[1]),
            show_time(shown.at_ns),
            shown.spot.sequence,
            if shown.ts_event_ns == 0 { "none".to_owned() } else { show_time(shown.ts_event_ns) }
        );
    }
    let _ = writeln!(out, "\nWhat we found: {} ({})", explanation.verdict, explanation.because);
    for (hypothesis, finding) in explanation.findings.iter().filter(|(_, f)| !f.supports.is_empty()) {
        let _ = writeln!(out, "\n{}:", hypothesis.title);
        finding.supports.iter().for_each(|s| {
            let _ = writeln!(out, "- {s}");
        });
    }
    let _ = writeln!(out, "\nPlease tell us");
    let _ = writeln!(out, "- whether your own records show the same, and since when");
    match explanation.verdict {
        // What decides it may lie with others: it is said to all, and not asked of whoever gets the ticket.
        Verdict::Undecided => {
            let _ = writeln!(out, "\nWhat would decide it, whoever has it");
            explanation.decides.iter().for_each(|ask| {
                let _ = writeln!(out, "- {ask}");
            });
        }
        Verdict::Decided(_) => {
            let _ = writeln!(out, "- what caused it, and whether it can come again");
        }
    }
    let _ = writeln!(
        out,
        "\nThe packets are attached (pcapng, {} to {}); `parallax verify FILE` replays them.",
        show_time(facts.window.from_ns),
        show_time(facts.window.to_ns)
    );
    out
}

fn sources(facts: &Facts) -> String {
    let named = facts.sources.iter().filter(|s| facts.alert.sources.contains(&s.name));
    let each = named.map(|s| {
        let venue = s.venue.as_deref().map_or_else(|| "consolidated".to_owned(), str::to_owned);
        format!("{} ({}, {venue})", s.name, s.feed)
    });
    each.collect::<Vec<_>>().join(" and ")
}

/// What the file is, what is in it, how it is verified.
pub fn readme(facts: &Facts, captures: &[String], packets: Span, why: &str, version: &str) -> String {
    let list: Vec<String> = captures.iter().map(|c| format!("{}/{c}", super::CAPTURES)).collect();
    format!(
        "Evidence of alert {id}: {about}\n\n\
         Verify it (nothing else is needed):\n\n    parallax verify FILE\n\n\
         or by hand, unpacked, in this folder:\n\n    parallax replay --config {config} {captures} --alerts -\n    parallax explain {id} --config {config} {captures}\n\n\
         The replay must raise the alert of alert.ndjson, with the same id; the explanation must come to the verdict of \
         expect.json.\n\n\
         Written by parallax {version}. Packets from {from} to {to} (UTC).\n{why}\n\n\
         Frames were made anew around the datagrams: payloads and receive times are as captured; addresses that are no \
         multicast groups are replaced by ones for documents, here and in the configuration alike, unless it was asked to \
         keep them. File names of captures, interfaces, hosts and users are left out.\n",
        id = facts.alert.id,
        about = about(facts),
        config = super::CONFIG,
        captures = list.join(" "),
        from = show_time(packets.from_ns),
        to = show_time(packets.to_ns),
    )
}
