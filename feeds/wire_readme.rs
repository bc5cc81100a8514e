//! Test support: a feed's README and its declared layouts are one fact.

use crate::wire::Layout;

/// Fails when `readme` lacks a heading for a message, or a `| field | offset | length |` row of it.
pub fn hold(readme: &str, messages: &[&Layout]) {
    for layout in messages {
        let section = readme
            .split("\n## ")
            .find(|s| s.lines().next().is_some_and(|l| l.split([' ', ':', '`']).any(|w| w == layout.name)));
        let section = section.unwrap_or_else(|| panic!("README lacks a section for {}", layout.name));
        for row in layout.rows.iter().chain(layout.optional) {
            let found = section.lines().any(|line| {
                let mut cells = line.split('|').map(str::trim).skip(1);
                cells.next() == Some(row.name)
                    && cells.next().and_then(|c| c.parse().ok()) == Some(row.offset)
                    && cells.next().and_then(|c| c.parse().ok()) == Some(row.len)
            });
            assert!(found, "README, {}: no row for {} {} {}", layout.name, row.name, row.offset, row.len);
        }
    }
}
