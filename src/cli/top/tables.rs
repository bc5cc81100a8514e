//! The tables that screen and plain text share: cells as text, and a tone for each row.

use std::fmt::Write;

use super::figures::{age, clean, clock, count, duration, percent, rate, signed_duration};
use super::{Model, Tab, instrument};
use crate::config::Severity;
use crate::run::status::{LineStatus, SourceStatus, Status};

/// How a row is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Plain,
    /// Of less weight.
    Dim,
    /// To look at.
    Warn,
    /// To act on.
    Bad,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Names of the columns.
    pub head: Vec<&'static str>,
    /// Cells and tone of each row.
    pub rows: Vec<(Vec<String>, Tone)>,
    /// Columns from this one on hold figures, and stand to the right.
    pub figures_from: usize,
    /// Columns that go first when there is no room; after them those on the right.
    pub less: &'static [usize],
}

impl Table {
    /// Characters that each column takes.
    pub fn widths(&self) -> Vec<usize> {
        let width = |c: usize| {
            let cells = self.rows.iter().map(|(cells, _)| cells[c].chars().count());
            cells.chain([self.head[c].len()]).max().unwrap_or(0)
        };
        (0..self.head.len()).map(width).collect()
    }

    /// Columns that fit into `room` characters; of a last column of sentences a few words must be seen.
    pub fn fitting(&self, room: usize) -> Vec<usize> {
        let mut widths = self.widths();
        let last = widths.len() - 1;
        if self.figures_from > last {
            widths[last] = widths[last].min(15);
        }
        let mut kept: Vec<usize> = (0..widths.len()).collect();
        let taken = |kept: &[usize]| kept.iter().map(|c| widths[*c] + 2).sum::<usize>().saturating_sub(2);
        for less in self.less {
            if taken(&kept) > room {
                kept.retain(|c| c != less);
            }
        }
        while kept.len() > 1 && taken(&kept) > room {
            kept.pop();
        }
        kept
    }

    /// A cell set to its column's side.
    pub fn set(&self, column: usize, cell: &str, width: usize) -> String {
        if column >= self.figures_from { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
    }

    fn write(&self, out: &mut String) {
        let widths = self.widths();
        let heads = self.head.iter().map(|h| (*h).to_owned()).collect();
        for cells in std::iter::once(&heads).chain(self.rows.iter().map(|(cells, _)| cells)) {
            let set: Vec<String> =
                cells.iter().zip(&widths).enumerate().map(|(c, (cell, w))| self.set(c, cell, *w)).collect();
            let _ = writeln!(out, "{}", set.join("  ").trim_end());
        }
        out.push('\n');
    }
}

/// Name, version, times.
pub fn header(status: &Status, lost: bool) -> String {
    let up = age(status.now_ns.saturating_sub(status.started_ns));
    let old = if lost { " (not answering: this is old)" } else { "" };
    format!(
        "parallax {} {} pid {}, up {up}, {} UTC{old}",
        clean(&status.version),
        clean(&status.name),
        status.pid,
        clock(status.now_ns)
    )
}

/// What is wrong, in sentences: the daemon's own, and what outlets gave up.
pub fn troubles(status: &Status) -> Vec<String> {
    let outlets = status.outlets.iter().filter(|o| o.dropped > 0);
    let outlets =
        outlets.map(|o| format!("{}: {} notices given up, {} delivered", o.name, o.dropped, o.delivered));
    status.troubles.iter().cloned().chain(outlets).map(|t| clean(&t)).collect()
}

/// Sources and their lines.
pub fn sources(status: &Status, before: Option<&Status>) -> Table {
    let between = before.map_or(0, |b| status.now_ns.saturating_sub(b.now_ns));
    let mut rows = Vec::new();
    for source in &status.sources {
        let old = before.and_then(|b| b.sources.iter().find(|s| s.name == source.name));
        rows.push(source_row(source, old, status.now_ns, between));
        for channel in &source.channels {
            let old = old.and_then(|s| s.channels.iter().find(|c| c.name == channel.name));
            for line in &channel.lines {
                let old = old.and_then(|c| c.lines.iter().find(|l| l.name == line.name));
                let name = format!("  {}/{}", clean(&channel.name), clean(&line.name));
                rows.push(line_row(name, line, old, status.now_ns, between));
            }
        }
    }
    let head = vec![
        "SOURCE",
        "STATE",
        "RATE/s",
        "LAST",
        "GAPS",
        "MISSING",
        "WINS",
        "LAG p50",
        "p99",
        "DROPS",
        "INSTRUMENTS",
    ];
    Table { head, rows, figures_from: 2, less: &[10] }
}

fn last(last_ns: u64, now: u64) -> String {
    if last_ns == 0 { "never".to_owned() } else { age(now.saturating_sub(last_ns)) }
}

fn source_row(
    source: &SourceStatus,
    old: Option<&SourceStatus>,
    now: u64,
    between: u64,
) -> (Vec<String>, Tone) {
    let lines = || source.channels.iter().flat_map(|c| &c.lines);
    let sum = |of: fn(&crate::run::status::ChannelStatus) -> u64| source.channels.iter().map(of).sum::<u64>();
    let missing = sum(|c| c.missing).saturating_sub(sum(|c| c.recovered));
    let drops: u64 = lines().map(|l| l.kernel_drops).sum();
    let speed = old.map_or("-".to_owned(), |o| rate(o.messages, source.messages, between));
    let known = match source.suspect {
        0 => count(source.instruments),
        suspect => format!("{} ({suspect} suspect)", count(source.instruments)),
    };
    let tone = match source.state.as_str() {
        "up" if missing > 0 || source.suspect > 0 => Tone::Warn,
        "up" => Tone::Plain,
        "waiting" => Tone::Warn,
        _ => Tone::Bad,
    };
    let cells = vec![
        clean(&source.name),
        clean(&source.state),
        speed,
        last(lines().map(|l| l.last_ns).max().unwrap_or(0), now),
        count(sum(|c| c.gaps)),
        count(missing),
        String::new(),
        String::new(),
        String::new(),
        count(drops),
        known,
    ];
    (cells, tone)
}

fn line_row(
    name: String,
    line: &LineStatus,
    old: Option<&LineStatus>,
    now: u64,
    between: u64,
) -> (Vec<String>, Tone) {
    let (state, tone) = match (line.joined, line.link_up) {
        (_, false) => ("link down", Tone::Bad),
        (false, _) => ("not joined", Tone::Bad),
        _ if line.kernel_drops > 0 => ("joined", Tone::Warn),
        _ => ("joined", Tone::Dim),
    };
    let lag = |ns: u64| if line.duplicates == 0 && ns == 0 { "-".to_owned() } else { duration(ns) };
    let cells = vec![
        name,
        state.to_owned(),
        old.map_or("-".to_owned(), |o| rate(o.packets, line.packets, between)),
        last(line.last_ns, now),
        String::new(),
        count(line.lost),
        percent(line.wins, line.wins.saturating_add(line.duplicates)),
        lag(line.lag_p50_ns),
        lag(line.lag_p99_ns),
        count(line.kernel_drops),
        String::new(),
    ];
    (cells, tone)
}

/// Receiver threads.
pub fn receivers(status: &Status, before: Option<&Status>) -> Table {
    let between = before.map_or(0, |b| status.now_ns.saturating_sub(b.now_ns));
    let row = |(n, r): (usize, &crate::run::status::ReceiverStatus)| {
        let old = before.and_then(|b| b.receivers.get(n));
        let tone = if r.ring_overruns > 0 { Tone::Bad } else { Tone::Plain };
        let (empty, polls) = old.map_or((r.polls_empty, r.polls), |o| {
            (r.polls_empty.saturating_sub(o.polls_empty), r.polls.saturating_sub(o.polls))
        });
        let core = r.core.map_or("any".to_owned(), |c| c.to_string());
        let cells = vec![
            format!("{n} on core {core}"),
            clean(&r.sources.join(",")),
            old.map_or("-".to_owned(), |o| rate(o.datagrams, r.datagrams, between)),
            percent(r.ring_used, r.ring_size),
            percent(r.ring_peak, r.ring_size),
            percent(empty, polls),
            count(r.ring_overruns),
            count(r.late_stamps),
        ];
        (cells, tone)
    };
    let head = vec!["RECEIVER", "SOURCES", "RATE/s", "RING", "PEAK", "IDLE", "OVERRUNS", "LATE STAMPS"];
    Table { head, rows: status.receivers.iter().enumerate().map(row).collect(), figures_from: 2, less: &[] }
}

/// Latency between two points.
pub fn stages(status: &Status) -> Table {
    let row = |s: &crate::run::status::StageStatus| {
        let percentiles = [s.p50_ns, s.p90_ns, s.p99_ns, s.p999_ns, s.max_ns].map(signed_duration);
        let names = [clean(&s.source), format!("{} to {}", clean(&s.from), clean(&s.to)), count(s.count)];
        (names.into_iter().chain(percentiles).collect(), Tone::Plain)
    };
    let head = vec!["LATENCY", "FROM", "COUNT", "p50", "p90", "p99", "p99.9", "MAX"];
    Table { head, rows: status.stages.iter().map(row).collect(), figures_from: 2, less: &[] }
}

/// Pairs of sources.
pub fn pairs(status: &Status) -> Table {
    let row = |p: &crate::run::status::PairStatus| {
        let cells = vec![
            clean(&p.sources.join(" and ")),
            percent(p.agreed_ns, p.comparable_ns),
            age(p.comparable_ns),
            count(p.matched),
            signed_duration(p.lead_p50_ns),
        ];
        (cells, Tone::Plain)
    };
    let head = vec!["PAIR", "AGREE", "COMPARABLE", "MATCHED", "LEAD p50"];
    Table { head, rows: status.pairs.iter().map(row).collect(), figures_from: 1, less: &[] }
}

/// Open alerts, in the order in which the daemon lists them.
pub fn alerts(model: &Model) -> Table {
    let now = model.status.as_ref().map_or(0, |s| s.now_ns);
    let cells = super::super::alerts::rows(&model.alerts, now).into_iter().skip(1);
    let tone = |item: &crate::alert::console::Item| match (item.state.name(), item.severity) {
        ("shelved" | "acknowledged", _) => Tone::Dim,
        (_, Severity::Critical | Severity::Major) => Tone::Bad,
        (_, Severity::Minor) => Tone::Warn,
        _ => Tone::Plain,
    };
    let head =
        vec!["ALERT", "SEVERITY", "KIND", "INSTRUMENT", "SOURCES", "SINCE", "AGE", "STATE", "COUNT", "WHY"];
    let rows = cells.zip(&model.alerts).map(|(cells, item)| (cells.to_vec(), tone(item))).collect();
    Table { head, rows, figures_from: 10, less: &[5, 8, 4] }
}

/// One instrument over the sources; a sentence when there is nothing to show.
pub fn instrument(model: &mut Model) -> Result<Table, String> {
    let now = model.status.as_ref().map_or(0, |s| s.now_ns);
    let Some(books) = &mut model.books else {
        return Err("the books of this daemon are not open to this screen".to_owned());
    };
    if model.instrument.is_empty() {
        return Err("press / and name an instrument".to_owned());
    }
    let looks = books.look(&model.instrument, now)?;
    let row = |look: &instrument::Look| {
        let quantity = |best: instrument::Best| best.map_or(String::new(), |(_, q)| q.to_string());
        let cells = vec![
            clean(&look.source),
            clean(&look.venue),
            clean(&look.quality),
            quantity(look.bid),
            instrument::price_text(look.bid),
            instrument::price_text(look.ask),
            quantity(look.ask),
            look.age_ns.map_or("never".to_owned(), age),
        ];
        (cells, if look.quality == "ok" { Tone::Plain } else { Tone::Warn })
    };
    let head = vec!["SOURCE", "VENUE", "QUALITY", "BID QTY", "BID", "ASK", "ASK QTY", "LAST"];
    Ok(Table { head, rows: looks.iter().map(row).collect(), figures_from: 3, less: &[] })
}

/// Everything as plain text.
pub fn text(model: &mut Model) -> String {
    let mut out = String::new();
    let Some(status) = model.status.clone() else { return "no status\n".to_owned() };
    let _ = writeln!(out, "{}", header(&status, model.lost));
    for trouble in troubles(&status) {
        let _ = writeln!(out, "! {trouble}");
    }
    out.push('\n');
    let before = model.before.as_ref();
    let mut tables =
        vec![sources(&status, before), receivers(&status, before), stages(&status), pairs(&status)];
    tables.retain(|t| !t.rows.is_empty());
    tables.iter().for_each(|table| table.write(&mut out));
    let open = alerts(model);
    if open.rows.is_empty() {
        out.push_str("no alert\n");
    } else {
        open.write(&mut out);
    }
    if model.total > open.rows.len() {
        let _ = writeln!(out, "and {} more alerts", model.total - open.rows.len());
    }
    if model.tab == Tab::Instrument {
        match instrument(model) {
            Ok(table) => table.write(&mut out),
            Err(why) => out.push_str(&format!("{}: {why}\n", clean(&model.instrument))),
        }
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}
