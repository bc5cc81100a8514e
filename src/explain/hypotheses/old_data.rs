//! Old data sent again with fresh timestamps.

use super::super::facts::{Echoes, Facts};
use super::words::{is_shown, length, moment};
use super::{Blame, Finding, Hypothesis};

pub(super) const HYPOTHESIS: Hypothesis = Hypothesis {
    name: "old_data",
    title: "old data sent again with fresh timestamps",
    document: "\
Tests        Whether a source repeats its own history: four quotes of an instrument in a row (prices and quantities of both
             sides) that it had shown in that order before, while its peer shows something else.
For          A good part of its updates within half a second of the alert are such repetitions, many times more than in the rest of the data.
Against      Repetitions are none, or as rare as ever.
Would decide The source's own record; its messages' participant timestamps.
Blames       the source that repeats itself.",
    test,
};

/// Fewer repetitions prove nothing.
const REPEATED_MIN: u64 = 12;

fn test(facts: &Facts) -> Finding {
    if !is_shown(facts.alert.kind) {
        return Finding::not_applicable();
    }
    let concerned = facts.sources.iter().filter(|s| facts.alert.sources.contains(&s.name));
    let Some(source) = concerned.max_by_key(|s| s.echoes.during[0]) else { return Finding::not_applicable() };
    let Echoes { during: [repeated, all], elsewhere, age_ns, first_ns, bursts } = source.echoes;
    let finding = Finding::about(&[Blame::source(&source.name)]);
    let said = format!(
        "{repeated} of {}'s {all} updates within half a second of the alert end a row of four that it had shown before ({} of {} in the rest of the data)",
        source.name, elsewhere[0], elsewhere[1]
    );
    // Five times as many of all as elsewhere, and a third of all.
    let many_more = u128::from(repeated) * u128::from(elsewhere[1].max(1))
        > 5 * u128::from(elsewhere[0] + 1) * u128::from(all);
    if repeated >= REPEATED_MIN && repeated * 3 >= all && many_more {
        return finding.supported(said).with(format!(
            "the first at {}; what is repeated was {} to {} old; in {} of the data, counted by tenths of a second, most updates were such",
            moment(first_ns),
            length(age_ns[0]),
            length(age_ns[1]),
            length(bursts.saturating_mul(100_000_000))
        ));
    }
    if repeated >= REPEATED_MIN && many_more {
        return finding.with(said).ask("the source's own record of what it sent");
    }
    finding.excluded(said)
}
