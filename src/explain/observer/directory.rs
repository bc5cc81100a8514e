//! What the alert's source itself lists, of an instrument that it never quotes.

use super::super::facts::DirectoryFacts;
use super::super::subject::Alert;
use crate::config::{Config, Kind};
use crate::market::Registry;
use crate::pipeline::Intake;

/// The directory of the source of an alert about a missing instrument; empty for every other alert.
pub(super) fn directory(
    config: &Config,
    alert: &Alert,
    subject: Option<usize>,
    intake: &Intake,
    judged: &Registry,
) -> DirectoryFacts {
    let wanted = subject.zip(alert.instrument.as_deref()).filter(|_| alert.kind == Kind::Missing);
    let Some((subject, name)) = wanted else { return DirectoryFacts::default() };
    let registry = intake.feeder.registry(subject as u16);
    // Only a definition says the listing market.
    let instruments = (0..registry.instruments() as u32).map(|id| registry.get(id));
    let mut listed: Vec<&str> = instruments.filter(|i| i.listing != 0).map(|i| &*i.name).collect();
    listed.sort_unstable();
    let Some((first, last)) = listed.first().zip(listed.last()) else { return DirectoryFacts::default() };
    let mut between = [0; 2];
    for id in 0..judged.instruments() as u32 {
        let instrument = judged.get(id);
        let of_peer = |source: usize| source != subject && source < config.sources.len();
        let quoted = judged.views_of(id).any(|v| of_peer(usize::from(judged.views[v as usize].source)));
        if quoted && !instrument.test && (*first..=*last).contains(&&*instrument.name) {
            between[0] += u64::from(listed.binary_search(&&*instrument.name).is_ok());
            between[1] += 1;
        }
    }
    DirectoryFacts {
        listed: listed.len() as u64,
        range: [(*first).to_owned(), (*last).to_owned()],
        lists_it: listed.binary_search(&name).is_ok(),
        between,
    }
}
