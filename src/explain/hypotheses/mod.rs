//! The fixed list of what can lie behind an alert: one file each, one line each in [`ALL`].
//!
//! A hypothesis looks at the facts and answers with what speaks for it, what speaks against it, and where that leaves
//! it. It never weighs: it is supported, excluded, or cannot be told from here.

mod bands;
mod clock;
mod conflation;
mod entitlement;
mod gap_at_source;
mod halt;
mod late;
mod moved;
mod not_carried;
mod old_data;
mod own_loss;
mod path;
mod posted;
mod round_lot;
mod saturation;
mod scale;
mod second_site;
mod stopped;
mod symbol_map;
mod test_data;
mod wrong_value;

pub mod words;

use super::facts::Facts;

/// Who or what is meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Blame {
    /// This machine, or what runs on it.
    Ours,
    /// What lies between a source and our capture point.
    Network,
    /// A source, by name.
    Source(String),
    /// Nobody: the market is like that.
    Market,
    /// What we believe instruments to be: maps, scales, lots, permissions.
    ReferenceData,
}

impl Blame {
    /// The word for it in records.
    pub fn cause(&self) -> &'static str {
        match self {
            Blame::Ours => "ours",
            Blame::Network => "network",
            Blame::Source(_) => "source",
            Blame::Market => "market",
            Blame::ReferenceData => "reference_data",
        }
    }

    /// A source.
    pub fn source(name: &str) -> Blame {
        Blame::Source(name.to_owned())
    }
}

impl std::fmt::Display for Blame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Blame::Source(name) => write!(f, "source {name}"),
            other => f.write_str(&other.cause().replace('_', " ")),
        }
    }
}

/// Where the evidence leaves a hypothesis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Something in the data speaks for it, and nothing against it.
    Supported,
    /// The data neither show nor exclude it.
    Open,
    /// The data exclude it.
    Excluded,
    /// It does not bear on this kind of alert.
    NotApplicable,
}

impl Standing {
    /// The word for it in records.
    pub const fn name(self) -> &'static str {
        match self {
            Standing::Supported => "supported",
            Standing::Open => "open",
            Standing::Excluded => "excluded",
            Standing::NotApplicable => "not_applicable",
        }
    }
}

/// What came of holding a hypothesis against the facts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where that leaves it.
    pub standing: Standing,
    /// Whom it would blame; several where it cannot say which.
    pub blames: Vec<Blame>,
    /// What speaks for it, one sentence each, with figures and places.
    pub supports: Vec<String>,
    /// What speaks against it.
    pub contradicts: Vec<String>,
    /// What would decide it, where it is open.
    pub decides: Vec<String>,
    /// Rules and reference data that it relies on, each with its source.
    pub cites: Vec<String>,
}

impl Finding {
    /// Nothing said yet, open.
    pub fn about(blames: &[Blame]) -> Finding {
        Finding {
            standing: Standing::Open,
            blames: blames.to_vec(),
            supports: Vec::new(),
            contradicts: Vec::new(),
            decides: Vec::new(),
            cites: Vec::new(),
        }
    }

    /// It does not bear on the alert.
    pub fn not_applicable() -> Finding {
        Finding { standing: Standing::NotApplicable, ..Finding::about(&[]) }
    }

    /// This speaks for it.
    #[must_use]
    pub fn with(mut self, sentence: impl Into<String>) -> Finding {
        self.supports.push(sentence.into());
        self
    }

    /// This speaks against it.
    #[must_use]
    pub fn but(mut self, sentence: impl Into<String>) -> Finding {
        self.contradicts.push(sentence.into());
        self
    }

    /// This would decide it.
    #[must_use]
    pub fn ask(mut self, sentence: impl Into<String>) -> Finding {
        self.decides.push(sentence.into());
        self
    }

    /// It relies on these rules.
    #[must_use]
    pub fn citing(mut self, rules: impl IntoIterator<Item = String>) -> Finding {
        self.cites.extend(rules);
        self
    }

    /// That is where it is left.
    #[must_use]
    pub fn is(mut self, standing: Standing) -> Finding {
        self.standing = standing;
        self
    }

    /// Excluded, for that reason.
    #[must_use]
    pub fn excluded(self, sentence: impl Into<String>) -> Finding {
        self.but(sentence).is(Standing::Excluded)
    }

    /// Supported, for that reason.
    #[must_use]
    pub fn supported(self, sentence: impl Into<String>) -> Finding {
        self.with(sentence).is(Standing::Supported)
    }
}

/// A hypothesis of the list.
#[derive(Debug, Clone, Copy)]
pub struct Hypothesis {
    /// Name in records.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// What it tests, what speaks for it and against it, what would decide it.
    pub document: &'static str,
    /// Holds it against facts.
    pub test: fn(&Facts) -> Finding,
}

/// The list, in the order in which it is told.
pub const ALL: &[Hypothesis] = &[
    own_loss::HYPOTHESIS,
    path::HYPOTHESIS,
    gap_at_source::HYPOTHESIS,
    stopped::HYPOTHESIS,
    second_site::HYPOTHESIS,
    saturation::HYPOTHESIS,
    late::HYPOTHESIS,
    clock::HYPOTHESIS,
    conflation::HYPOTHESIS,
    wrong_value::HYPOTHESIS,
    scale::HYPOTHESIS,
    symbol_map::HYPOTHESIS,
    not_carried::HYPOTHESIS,
    moved::HYPOTHESIS,
    halt::HYPOTHESIS,
    bands::HYPOTHESIS,
    round_lot::HYPOTHESIS,
    test_data::HYPOTHESIS,
    old_data::HYPOTHESIS,
    entitlement::HYPOTHESIS,
];

#[cfg(test)]
mod tests;
