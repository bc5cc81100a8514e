//! Every check, one line each: its kind and its document.

use crate::config::Kind;

/// A check of the catalogue.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Kind in configurations and alerts.
    pub kind: Kind,
    /// Definition, inputs, parameters, when it opens and clears, what is held back and why.
    pub document: &'static str,
}

/// The catalogue.
pub const ALL: &[Entry] = &[
    Entry { kind: Kind::Divergent, document: super::divergent::DOCUMENT },
    Entry { kind: Kind::Lagging, document: super::lagging::DOCUMENT },
    Entry { kind: Kind::Stale, document: super::stale::DOCUMENT },
    Entry { kind: Kind::Silent, document: super::silent::DOCUMENT },
    Entry { kind: Kind::Crossed, document: super::crossed::DOCUMENT },
    Entry { kind: Kind::Locked, document: super::locked::DOCUMENT },
    Entry { kind: Kind::Gap, document: super::gap::DOCUMENT },
    Entry { kind: Kind::Line, document: super::line::DOCUMENT },
    Entry { kind: Kind::Status, document: super::status::DOCUMENT },
    Entry { kind: Kind::Missing, document: super::missing::DOCUMENT },
    Entry { kind: Kind::Clock, document: super::clock::DOCUMENT },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_whole_document_that_names_its_parameters() {
        assert_eq!(ALL.iter().map(|e| e.kind).collect::<Vec<_>>(), Kind::ALL);
        for entry in ALL {
            let name = entry.kind.name();
            assert!(entry.document.starts_with(&format!("{name}: ")), "{name}");
            for heading in ["Definition", "Inputs", "Parameters", "Opens", "Clears", "Held back"] {
                assert!(entry.document.lines().any(|l| l.starts_with(heading)), "{name} lacks {heading}");
            }
            for key in entry.kind.keys().iter().filter(|k| !matches!(**k, "sources" | "between")) {
                assert!(entry.document.contains(key), "{name} does not explain {key}");
            }
        }
    }
}
