//! The report in sentences, made of its tables.

use super::format::{show, time};
use super::gather::Report;
use super::table::{Cell, Table};
use crate::chart::thousands;
use crate::latency::text::humane;

/// Sentences of one kind; what goes beyond stands in the tables.
const ALIKE_MAX: usize = 6;

/// Sentences of one kind, the worst first, as many as a person reads.
fn tell(mut alike: Vec<(i64, String)>, table: &str, said: &mut Vec<String>) {
    alike.sort_by_key(|(rank, _)| *rank);
    let more = alike.len().saturating_sub(ALIKE_MAX);
    said.extend(alike.into_iter().take(ALIKE_MAX).map(|(_, sentence)| sentence));
    if more > 0 {
        said.push(format!("{more} more of this kind stand in the table \"{table}\"."));
    }
}

/// The sentences, the most important first.
pub fn sentences(report: &Report) -> Vec<String> {
    let mut said = Vec::new();
    sources(report, &mut said);
    agreement(report, &mut said);
    lines(report, &mut said);
    alerts(report, &mut said);
    clocks(report, &mut said);
    overlapping_runs(report, &mut said);
    said
}

fn rows<'a>(report: &'a Report, name: &str) -> impl Iterator<Item = (&'a Table, &'a Vec<Cell>)> + use<'a> {
    report.table(name).into_iter().flat_map(|table| table.rows.iter().map(move |row| (table, row)))
}

/// Losses of a source's channels: gaps, messages missing, messages unrecovered; and what is missing, messages or packets.
fn lost(report: &Report, source: &str) -> ([i64; 3], String) {
    let (mut sums, mut what) = ([0; 3], "messages".to_owned());
    for (table, row) in rows(report, "gaps").filter(|(table, row)| table.text(row, "source") == source) {
        for (sum, column) in sums.iter_mut().zip(["gaps", "messages_missing", "unrecovered"]) {
            *sum += table.whole(row, column).unwrap_or(0);
        }
        what = table.text(row, "numbered");
    }
    (sums, what)
}

/// A sentence for each source that had something; one for all that had nothing.
fn sources(report: &Report, said: &mut Vec<String>) {
    let (mut clean, mut alike): (Vec<String>, Vec<(i64, String)>) = (Vec::new(), Vec::new());
    for (table, row) in rows(report, "sources") {
        let name = table.text(row, "source");
        let watched = show("watched_ns", &table.cell(row, "watched_ns"));
        let Some(available) = table.whole(row, "available_ppm") else {
            said.push(format!(
                "{name}: no data in {watched} of watching; that is not the same as available."
            ));
            continue;
        };
        let percent = show("available_ppm", &Cell::Whole(available));
        let ([gaps, missing, unrecovered], what) = lost(report, &name);
        let n = |column: &str| table.whole(row, column).unwrap_or(0);
        let (unreadable, refused) = (n("unreadable"), n("packets_refused"));
        if gaps == 0 && available == 1_000_000 && unreadable + refused == 0 {
            clean.push(name);
            continue;
        }
        let lost = match gaps {
            0 => "no gap".to_owned(),
            gaps => format!(
                "{}, {} {what}, {} of them unrecovered",
                if gaps == 1 { "one gap".to_owned() } else { format!("{} gaps", thousands(gaps)) },
                thousands(missing),
                thousands(unrecovered)
            ),
        };
        let available_for = match available {
            1_000_000 => format!("all {watched} watched"),
            _ => format!("{percent} % of {watched} watched"),
        };
        let odd = odd(unreadable, refused);
        let sentence = format!("{name}: available {available_for}; {lost}{odd}.");
        // Parts per million against messages: who was away is told before who lost something.
        alike.push((
            (available - 1_000_000).saturating_mul(1_000_000_000).saturating_sub(unrecovered),
            sentence,
        ));
    }
    tell(alike, "Availability", said);
    if !clean.is_empty() {
        said.push(format!("{}: available all the time watched, no gap.", clean.join(", ")));
    }
}

/// What came and was of no use, for the end of a sentence.
fn odd(unreadable: i64, refused: i64) -> String {
    let unreadable = match unreadable {
        0 => String::new(),
        1 => "; one packet or message could not be read".to_owned(),
        n => format!("; {} packets or messages could not be read", thousands(n)),
    };
    match refused {
        0 => unreadable,
        1 => format!("{unreadable}; one packet was refused for its numbers"),
        n => format!("{unreadable}; {} packets were refused for their numbers", thousands(n)),
    }
}

fn agreement(report: &Report, said: &mut Vec<String>) {
    let mut alike: Vec<(i64, String)> = Vec::new();
    for (table, row) in rows(report, "agreement") {
        let (a, b) = (table.text(row, "first"), table.text(row, "second"));
        match table.whole(row, "agree_ppm") {
            Some(ppm) => {
                let n = |column: &str| table.whole(row, column).unwrap_or(0);
                let first = if n("matched") > 0 {
                    format!(
                        "; of {} updates shown by both, {a} was first with {}, {b} with {}",
                        thousands(n("matched")),
                        thousands(n("first_led")),
                        thousands(n("second_led"))
                    )
                } else {
                    String::new()
                };
                let error = table.whole(row, "clock_error_ns").filter(|error| *error > 0 && n("matched") > 0);
                let first = match error {
                    Some(error) => {
                        format!("{first} (closer together than {} their order is not known)", humane(error))
                    }
                    None => first,
                };
                alike.push((
                    ppm,
                    format!(
                        "{a} and {b} agree {} % of comparable time{first}.",
                        show("agree_ppm", &Cell::Whole(ppm))
                    ),
                ));
            }
            None => alike.push((0, format!("{a} and {b} were never comparable: no agreement to tell."))),
        }
    }
    tell(alike, "Agreement", said);
}

/// Which line of a channel could be spared, and at what price.
fn lines(report: &Report, said: &mut Vec<String>) {
    let Some(table) = report.table("lines") else { return };
    let mut alike: Vec<(i64, String)> = Vec::new();
    let place = |row: &[Cell]| (table.text(row, "source"), table.text(row, "channel"));
    let mut channels: Vec<(String, String)> = table.rows.iter().map(|row| place(row)).collect();
    channels.dedup();
    for channel in channels {
        let lines: Vec<&Vec<Cell>> = table.rows.iter().filter(|row| place(row) == channel).collect();
        if lines.len() < 2 {
            continue;
        }
        let n = |row: &[Cell], column: &str| table.whole(row, column).unwrap_or(0);
        if let Some(dead) = lines.iter().find(|row| n(row, "packets") == 0) {
            let line = table.text(dead, "line");
            let place = format!("{}/{}", channel.0, channel.1);
            let sentence =
                format!("{place}: line {line} brought nothing, so what its lines are worth cannot be told.");
            alike.push((-1, sentence));
            continue;
        }
        let cost = |row: &&Vec<Cell>| (n(row, "messages_only_here"), n(row, "packets_first"));
        let Some(least) = lines.iter().min_by_key(|row| cost(row)) else { continue };
        let (only, first) = cost(least);
        let line = table.text(least, "line");
        let what = table.text(least, "numbered");
        let price = match only {
            0 => "it would have cost no message".to_owned(),
            only => {
                format!("it would have cost {} {what} that no other line brought in time", thousands(only))
            }
        };
        let saved: Vec<String> = lines
            .iter()
            .filter(|row| table.text(row, "line") != line)
            .map(|row| {
                let missing = match n(row, "messages_only_here") {
                    0 => "nothing".to_owned(),
                    1 => format!("one {}", what.trim_end_matches('s')),
                    only => format!("{} {what}", thousands(only)),
                };
                format!("without {} {missing} would be missing", table.text(row, "line"))
            })
            .collect();
        let later = lead(report, &format!("{}/{}", channel.0, channel.1), &line);
        let sentence = format!(
            "{}/{}: line {line} could be cancelled first: {price}, and {} packets would have come later{later}; {}.",
            channel.0,
            channel.1,
            thousands(first),
            saved.join(", ")
        );
        alike.push((0, sentence));
    }
    tell(alike, "Lines", said);
}

/// How the line stands against the first one, where that was measured.
fn lead(report: &Report, channel: &str, line: &str) -> String {
    let of = |(table, row): &(&Table, &Vec<Cell>)| {
        table.text(row, "kind") == "lines"
            && table.text(row, "source") == channel
            && (table.text(row, "to") == line || table.text(row, "from") == line)
    };
    let Some((table, row)) = rows(report, "latency").find(of) else { return String::new() };
    let Some(median) = table.whole(row, "median_ns") else { return String::new() };
    let order = if median < 0 { "before" } else { "after" };
    let apart = median.checked_abs().map_or_else(|| humane(median), humane);
    format!(" (median over all: {} {apart} {order} {})", table.text(row, "to"), table.text(row, "from"))
}

fn alerts(report: &Report, said: &mut Vec<String>) {
    let all: i64 = rows(report, "alerts").filter_map(|(table, row)| table.whole(row, "alerts")).sum();
    let watched: Vec<i64> =
        rows(report, "sources").filter_map(|(table, row)| table.whole(row, "watched_ns")).collect();
    let hundredths = watched.iter().max().copied().unwrap_or(0) / 36_000_000_000;
    if all == 0 {
        said.push("No alert was raised.".to_owned());
    } else if hundredths >= 100 {
        said.push(format!(
            "{} alerts, {} an hour watched.",
            thousands(all),
            tenths(all * 1_000 / hundredths)
        ));
    } else {
        let alerts = if all == 1 { "One alert".to_owned() } else { format!("{} alerts", thousands(all)) };
        said.push(format!("{alerts} in less than an hour of watching."));
    }
    let held: i64 = rows(report, "suppressed").filter_map(|(table, row)| table.whole(row, "count")).sum();
    if held > 0 {
        said.push(format!("{} more were held back, with their reasons below.", thousands(held)));
    }
}

/// Tenths as a decimal.
fn tenths(n: i64) -> String {
    format!("{}.{}", n / 10, n % 10)
}

fn clocks(report: &Report, said: &mut Vec<String>) {
    let rules = &report.rules;
    if rules.rows.len() > 1 {
        said.push(format!(
            "The clock rule changes in this time: {}. Every look is judged by that of its day.",
            rules.shown()
        ));
    }
    if !rules.without.is_empty() {
        said.push(format!(
            "The rule book has no row of {} {}: looks of these days are judged by none.",
            rules.name, rules.without
        ));
    }
    if rows(report, "host_clock").next().is_none() {
        let about = match rules.rows.len() {
            0 => "the tolerance of any rule".to_owned(),
            1 => rules.shown(),
            _ => rules.name.clone(),
        };
        said.push(format!(
            "This machine's clock was not watched in this time (only a daemon does), so nothing is said about {about}."
        ));
    }
    let mut alike: Vec<(i64, String)> = Vec::new();
    for (table, row) in rows(report, "host_clock") {
        let out = table.whole(row, "out_of_tolerance").unwrap_or(0);
        alike.push((-out, clock(report, table, row)));
    }
    tell(alike, "Clocks of our machines", said);
}

/// One clock by one row of the rule.
fn clock(report: &Report, table: &Table, row: &[Cell]) -> String {
    let rules = &report.rules;
    let n = |column: &str| table.whole(row, column).unwrap_or(0);
    let by = table.text(row, "rule");
    let tolerance = humane(n("tolerance_ns"));
    let verdict = match (rules.row(&by).is_some(), n("out_of_tolerance")) {
        (false, _) => format!("judged by no rule, the rule book has none of {} for this time", rules.name),
        (_, 0) => format!("within {tolerance} at every look"),
        (_, 1) => format!("out of tolerance ({tolerance}) at one look"),
        (_, out) => format!("out of tolerance ({tolerance}) at {} looks", thousands(out)),
    };
    let by = match rules.rows.len() {
        _ if by.is_empty() => String::new(),
        1 => format!(" by {}", rules.name),
        _ => format!(" by {}, row {by}", rules.name),
    };
    let host = Some(table.text(row, "host")).filter(|host| !host.is_empty());
    let kept = Some(table.text(row, "time_source")).filter(|source| !source.is_empty());
    format!(
        "Clock of {}{}{by}: {verdict}, {} {} from {} to {}, at most {} off and {} unsure.",
        host.unwrap_or_else(|| "this machine".to_owned()),
        kept.map_or(String::new(), |kept| format!(" ({kept})")),
        thousands(n("looks")),
        if n("looks") == 1 { "look" } else { "looks" },
        time(n("first_at_ns")),
        time(n("last_at_ns")),
        humane(n("offset_most_ns")),
        humane(n("error_most_ns"))
    )
}

/// Two runs over one time count the same packets twice, if they watched the same lines.
fn overlapping_runs(report: &Report, said: &mut Vec<String>) {
    let mut spans: Vec<(i64, i64, i64)> = rows(report, "runs")
        .filter_map(|(table, row)| {
            let n = |column: &str| table.whole(row, column);
            Some((n("from_at_ns")?, n("until_at_ns").unwrap_or(report.range.to_ns), n("run")?))
        })
        .collect();
    spans.sort_unstable();
    let over = spans.windows(2).find(|pair| pair[1].0 < pair[0].1);
    if let Some([a, b]) = over {
        said.push(format!(
            "Runs {} and {} lie over each other in time: if both watched the same lines, these figures count them twice.",
            a.2, b.2
        ));
    }
}
