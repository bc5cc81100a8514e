//! What the senders' checksums say of the packets around a loss: whether bytes that cannot be read are those that were sent.

use hashbrown::HashMap;

use super::super::facts::{ChannelFacts, Span};
use super::super::subject::Alert;
use super::LEAD_NS;
use crate::check::life::Place;
use crate::config::Kind;
use crate::market::SourceId;
use crate::source::{Datagram, Seal};

/// Packets of which it is remembered at most.
const KEPT_MAX: usize = 100_000;

/// See the module.
pub(super) struct Seals {
    /// The source whose packets are looked at; nothing where the alert is not about a loss.
    subject: Option<SourceId>,
    span: Span,
    /// The datagram under way: when it came, and what its checksum says.
    current: (u64, Seal),
    /// By channel: those that brought nothing new, by when they came; what cannot be read is among them.
    odd: HashMap<u16, HashMap<u64, Seal>>,
    /// By channel: all that came, right and wrong.
    all: HashMap<u16, [u64; 2]>,
}

impl Seals {
    pub(super) fn new(alert: &Alert, subject: Option<usize>) -> Seals {
        let about_loss = matches!(alert.kind, Kind::Gap | Kind::Line);
        let to_ns = alert.raised_ns.max(alert.began_ns);
        Seals {
            subject: subject.filter(|_| about_loss).and_then(|s| SourceId::try_from(s).ok()),
            span: Span { from_ns: alert.began_ns.saturating_sub(LEAD_NS), to_ns },
            current: (0, Seal::None),
            odd: HashMap::new(),
            all: HashMap::new(),
        }
    }

    pub(super) fn see(&mut self, datagram: &Datagram<'_>) {
        if self.subject.is_some() && self.span.has(datagram.ts_recv_ns) {
            // In a recording of a live line the checksum is the recorder's.
            let recorded = crate::pipeline::feeder::is_line_name(datagram.interface_name);
            let seal = if recorded { Seal::None } else { datagram.seal() };
            self.current = (datagram.ts_recv_ns, seal);
        }
    }

    /// What the checksum of the datagram under way says.
    pub(super) fn current(&self) -> Seal {
        self.current.1
    }

    pub(super) fn arrival(&mut self, place: Place, fresh: bool) {
        let (at_ns, seal) = self.current;
        if self.subject != Some(place.source) || !self.span.has(at_ns) {
            return;
        }
        let all = self.all.entry(place.channel).or_default();
        all[0] += u64::from(seal == Seal::Right);
        all[1] += u64::from(seal == Seal::Wrong);
        let odd = self.odd.entry(place.channel).or_default();
        if !fresh && odd.len() < KEPT_MAX {
            odd.insert(at_ns, seal);
        }
    }

    /// Writes into the source's errors what their packets' checksums say.
    pub(super) fn finish(self, channels: &mut [ChannelFacts]) {
        for (c, channel) in (0u16..).zip(channels) {
            channel.seals = self.all.get(&c).copied().unwrap_or_default();
            let Some(odd) = self.odd.get(&c) else { continue };
            for flaw in channel.errors.iter_mut().filter(|f| !f.refused) {
                let of = |at: &u64| odd.get(at).copied().unwrap_or_default();
                flaw.seals = flaw.times_ns.iter().map(of).collect();
            }
        }
    }
}
