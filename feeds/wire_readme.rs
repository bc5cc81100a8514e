//! Test support: a feed's README and its declared layouts are one fact.

use crate::wire::{Dimension, Group, Layout, Part, Row};

/// Fails when `readme` lacks a heading for a message, or a `| field | offset | length |` row of it.
///
/// A group that has the rows it has in another message may say so: "`name`: as in 27", with a word of that
/// message's heading.
pub fn hold(readme: &str, messages: &[&Layout]) {
    for layout in messages {
        let section = section(readme, layout.name);
        let section = section.unwrap_or_else(|| panic!("README lacks a section for {}", layout.name));
        all(layout.name, section, layout.rows);
        all(layout.name, section, layout.optional);
        for part in layout.parts {
            match part {
                Part::Rows { rows, .. } => all(layout.name, section, rows),
                Part::Last { rows, optional, .. } => {
                    all(layout.name, section, rows);
                    all(layout.name, section, optional);
                }
                Part::Text16 { length, name } => {
                    names(layout.name, section, length);
                    names(layout.name, section, name);
                }
                Part::Group(group) => hold_group(readme, layout.name, section, group),
            }
        }
    }
}

fn hold_group(readme: &str, message: &str, section: &str, group: &Group) {
    names(message, section, group.name);
    if let Dimension::CountThenLengths { count } | Dimension::Count16 { count } = group.dimension {
        names(message, section, count);
    }
    let elsewhere = section
        .lines()
        .filter(|line| line.split('`').any(|word| word == group.name))
        .find_map(|line| line.split_once("as in ").map(|(_, word)| word.trim_end_matches('.')));
    let section = match elsewhere {
        None => section,
        Some(word) => self::section(readme, word).unwrap_or_else(|| {
            panic!("README, {message}: {} is as in {word}, which is not there", group.name)
        }),
    };
    all(message, section, group.rows);
    all(message, section, group.optional);
}

/// The section with `word` in its heading.
fn section<'a>(readme: &'a str, word: &str) -> Option<&'a str> {
    readme
        .split("\n## ")
        .find(|s| s.lines().next().is_some_and(|l| l.split([' ', ':', '`']).any(|w| w == word)))
}

fn names(message: &str, section: &str, name: &str) {
    assert!(section.contains(name), "README, {message}: no {name}");
}

fn all(message: &str, section: &str, rows: &[Row]) {
    for row in rows {
        let has = section.lines().any(|line| {
            let mut cells = line.split('|').map(str::trim).skip(1);
            cells.next() == Some(row.name)
                && cells.next().and_then(|c| c.parse().ok()) == Some(row.offset)
                && cells.next().and_then(|c| c.parse().ok()) == Some(row.len)
        });
        assert!(has, "README, {message}: no row for {} {} {}", row.name, row.offset, row.len);
    }
}
