//! Test support: a feed's README and its declared layouts are one fact.

use crate::wire::{Dimension, Layout, Part, Row};

/// Fails when `readme` lacks a heading for a message, or a `| field | offset | length |` row of it.
pub fn hold(readme: &str, messages: &[&Layout]) {
    for layout in messages {
        let section = readme
            .split("\n## ")
            .find(|s| s.lines().next().is_some_and(|l| l.split([' ', ':', '`']).any(|w| w == layout.name)));
        let section = section.unwrap_or_else(|| panic!("README lacks a section for {}", layout.name));
        let has = |row: &Row| {
            section.lines().any(|line| {
                let mut cells = line.split('|').map(str::trim).skip(1);
                cells.next() == Some(row.name)
                    && cells.next().and_then(|c| c.parse().ok()) == Some(row.offset)
                    && cells.next().and_then(|c| c.parse().ok()) == Some(row.len)
            })
        };
        let all = |rows: &[Row]| {
            for row in rows {
                assert!(
                    has(row),
                    "README, {}: no row for {} {} {}",
                    layout.name,
                    row.name,
                    row.offset,
                    row.len
                );
            }
        };
        all(layout.rows);
        all(layout.optional);
        for part in layout.parts {
            match part {
                Part::Rows { rows, .. } => all(rows),
                Part::Last { rows, optional, .. } => {
                    all(rows);
                    all(optional);
                }
                Part::Text16 { length, name } => {
                    for name in [length, name] {
                        assert!(section.contains(name), "README, {}: no {name}", layout.name);
                    }
                }
                Part::Group(group) => {
                    all(group.rows);
                    all(group.optional);
                    assert!(section.contains(group.name), "README, {}: no {}", layout.name, group.name);
                    if let Dimension::CountThenLengths { count } | Dimension::Count16 { count } =
                        group.dimension
                    {
                        assert!(section.contains(count), "README, {}: no {count}", layout.name);
                    }
                }
            }
        }
    }
}
