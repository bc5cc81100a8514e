//! The instrument comes on another line than those that are listened to.

use super::super::facts::Facts;
use super::words::{many, moment, moved_away};
use super::{Blame, Finding, Hypothesis};
use crate::config::Kind;

pub(super) const HYPOTHESIS: Hypothesis = Hypothesis {
    name: "moved",
    title: "the instrument moved to a line that is not listened to",
    document: "\
Tests        Whether a source that seems to have stopped an instrument sends it on another group: lines are split, symbols move.
For          The captures hold packets of a group that no channel of the configuration joins, which speak the source's feed and
             quote the instrument, while the lines that are listened to say nothing new of it any more.
Against      There are none, or both bring it. (Where a capture holds only what is configured, this cannot be seen.)
Would decide The source's line plan for the day, beside the configuration.
Blames       reference data: the lines that the configuration knows.",
    test,
};

fn test(facts: &Facts) -> Finding {
    if !matches!(facts.alert.kind, Kind::Stale | Kind::Missing | Kind::Lagging | Kind::Divergent) {
        return Finding::not_applicable();
    }
    let finding = Finding::about(&[Blame::ReferenceData]);
    let Some(found) = facts.alert.sources.iter().find_map(|s| moved_away(facts, s)) else {
        let also = facts.tape.elsewhere.iter().find(|e| facts.alert.sources.contains(&e.source));
        return finding.excluded(match also {
            Some(also) => format!(
                "{} quotes the instrument on {} too, but not instead of the lines that are listened to",
                also.source, also.group
            ),
            None => "no packet of another group quotes the instrument".to_owned(),
        });
    };
    let said = format!(
        "{} quotes the instrument on {} from {} on ({}), which no channel of the configuration joins",
        found.source,
        found.group,
        moment(found.first_ns),
        many(found.quotes, "quote")
    );
    finding.supported(said)
}
