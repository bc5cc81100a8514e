//! What was identified, for people and as a configuration.

use std::fmt::Write;

use super::{Identification, Line};

/// The table for people: one row a line, then what was not recognised.
pub fn table(found: &Identification) -> String {
    let mut rows: Vec<[String; 7]> =
        vec![["feed", "line", "group", "packets", "sequences", "session", "sure"].map(str::to_owned)];
    for channel in &found.channels {
        for line in &channel.lines {
            rows.push([
                channel.feed.info().name.to_owned(),
                format!("{} {}", channel.name, line.name),
                place(line),
                line.packets.to_string(),
                line.sequences.map_or("-".to_owned(), |(low, high)| format!("{low}-{high}")),
                session(line.session),
                format!("{}%", line.confidence_percent),
            ]);
        }
    }
    let mut out = String::new();
    if rows.len() > 1 {
        let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
        let widths: [usize; 7] = std::array::from_fn(width);
        for row in &rows {
            let cells: Vec<String> =
                row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            let _ = writeln!(out, "{}", cells.join("  ").trim_end());
        }
        for line in found.channels.iter().flat_map(|channel| &channel.lines) {
            let _ = writeln!(out, "{}: {}", place(line), line.evidence);
        }
    }
    for unknown in &found.unknown {
        let _ = writeln!(out, "{}: unsure, {} ({} datagrams)", unknown.group, unknown.why, unknown.packets);
    }
    if found.uncounted > 0 {
        let _ = writeln!(out, "{} datagrams of further groups were not looked at", found.uncounted);
    }
    if !found.complete {
        let _ = writeln!(out, "only the first {} datagrams were read", found.datagrams);
    }
    if found.channels.is_empty() {
        let _ = writeln!(out, "no channel was recognised in {} datagrams", found.datagrams);
    }
    out
}

fn place(line: &Line) -> String {
    match &line.capture {
        Some(capture) => format!("{} in {capture}", line.group),
        None => line.group.to_string(),
    }
}

/// A session as text where it is text (MoldUDP64), else as a number.
fn session(session: u128) -> String {
    let bytes = session.to_be_bytes();
    let text = bytes[6..].trim_ascii();
    if session == 0 {
        "-".to_owned()
    } else if bytes[..6] == [0; 6] && text.len() > 4 && text.iter().all(u8::is_ascii_graphic) {
        text.iter().map(|b| char::from(*b)).collect()
    } else {
        session.to_string()
    }
}

/// A configuration to start from: each feed a source, with its channels and lines. What is known of them, and how
/// surely, stands in comments.
pub fn config_toml(found: &Identification) -> String {
    let mut out = String::new();
    for text in table(found).lines() {
        // A file name may hold anything; a comment may not.
        let text: String = text.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
        let _ = writeln!(out, "# {text}");
    }
    let mut feed = None;
    for channel in &found.channels {
        if feed != Some(channel.feed) {
            feed = Some(channel.feed);
            let info = channel.feed.info();
            let _ = write!(out, "\n[[source]]\nname = \"{}\"\nfeed = \"{}\"\n", info.name, info.name);
            if !info.venue.is_empty() {
                let _ = writeln!(out, "venue = \"{}\"", info.venue);
            }
        }
        let _ = write!(out, "\n[[source.channel]]\nname = \"{}\"\nlines = [\n", channel.name);
        for line in &channel.lines {
            let _ = write!(out, "  {{ name = \"{}\", group = \"{}\"", line.name, line.group);
            if let Some(capture) = &line.capture {
                let _ = write!(out, ", capture = {}", quoted(capture));
            }
            let _ = writeln!(out, " }},");
        }
        let _ = writeln!(out, "]");
    }
    out
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
