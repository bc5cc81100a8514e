//! Whose fault a fault is: what an explanation must come to, written from the order alone.
//!
//! It knows where in the simulated world each fault happens and nothing of what an explanation can see there.

use super::faults::{Fault, Kind, SourceId};
use super::lines::LINES;

/// Who is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// What a source says, or how late it says it.
    Source(SourceId),
    /// The way from a source to us.
    Network,
    /// Nobody: the market is in a state in which prices may differ or cross.
    Market,
    /// What is known of instruments and lines.
    ReferenceData,
}

impl Blame {
    /// Whose fault it is.
    pub fn of(fault: &Fault) -> Blame {
        match fault.kind {
            Kind::Halt { missed: false } | Kind::PreOpen { .. } => Blame::Market,
            Kind::Moved => Blame::ReferenceData,
            Kind::Reorder { .. } | Kind::Duplicate { .. } => Blame::Network,
            // Bytes that came and are wrong are the sender's there.
            Kind::Silence | Kind::Loss { .. } if is_struck_before_the_lines_part(fault) => {
                Blame::Source(fault.source)
            }
            Kind::Silence | Kind::Loss { .. } => Blame::Network,
            Kind::Corruption { .. } if lines(fault) > 1 && !fault.lines.is_empty() => Blame::Network,
            Kind::Lag { .. } if fault.is_transport() => Blame::Network,
            _ => Blame::Source(fault.source),
        }
    }

    /// Its name in the truth.
    pub const fn verdict(self) -> &'static str {
        match self {
            Blame::Source(_) => "source",
            Blame::Network => "network",
            Blame::Market => "market",
            Blame::ReferenceData => "reference_data",
        }
    }

    /// Which source, where it is one.
    pub const fn source(self) -> Option<&'static str> {
        match self {
            Blame::Source(source) => Some(source.name()),
            _ => None,
        }
    }
}

/// Lines that carry the same packets of the fault's source.
fn lines(fault: &Fault) -> usize {
    let first = LINES.iter().find(|l| l.source == fault.source).map(|l| l.stream);
    LINES.iter().filter(|l| Some(l.stream) == first).count()
}

/// Whether what is lost is lost before its lines' senders number it: what strikes the same packets of every line of
/// several. Of one line alone that cannot be said, and it happens on the way; so does what is drawn for each line on its
/// own, so many thousandths of what passes it.
pub(super) fn is_struck_before_the_lines_part(fault: &Fault) -> bool {
    let alike = !matches!(fault.kind, Kind::Loss { packets: None, .. });
    alike && fault.lines.is_empty() && lines(fault) > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_strikes_every_line_of_several_is_the_senders() {
        let fault = |kind, source, lines: &[usize]| Fault {
            kind,
            source,
            lines: lines.to_vec(),
            instruments: vec![],
            from_ns: 0,
            to_ns: 1,
        };
        let loss = Kind::Loss { packets: Some(1), milli_percent: 0 };
        let of = |kind, source, lines: &[usize]| Blame::of(&fault(kind, source, lines));
        assert_eq!(of(loss, SourceId::Direct, &[]), Blame::Source(SourceId::Direct));
        assert_eq!(of(loss, SourceId::Direct, &[1]), Blame::Network);
        assert_eq!(of(loss, SourceId::Sip, &[]), Blame::Network);
        assert_eq!(of(Kind::Silence, SourceId::Backup, &[]), Blame::Network);
        assert_eq!(of(Kind::Lag { by_ns: 1 }, SourceId::Sip, &[]), Blame::Source(SourceId::Sip));
        assert_eq!(of(Kind::Lag { by_ns: 1 }, SourceId::Direct, &[]), Blame::Network);
    }
}
