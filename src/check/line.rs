//! `line`: one copy of a channel lost or delayed what another delivered.

use super::desk::Desk;
use super::gap::Ours;
use crate::alert::{Details, Handle, SequenceRange, Subject};
use crate::config::{Check, Kind};
use crate::market::{Registry, SourceId};

/// The check's document.
pub const DOCUMENT: &str = "\
line: one line of a channel lost or delayed what another delivered

Definition   A line jumped over sequence numbers that another line brought, or its copy of a packet came later than
             lag_limit after the first.
Inputs       Sequence numbers and arrivals of every line of the channel.
Parameters   lag_limit (50ms). clear_after (1s): how long the line must be good again.
Opens        When the line has not brought the numbers within reorder_wait, or when its late copy comes. sequence is
             the range; while the alert is open further losses add to it.
Clears       When the line has lost and delayed nothing for clear_after.
Held back    What was lost on every line (told as gap). A line that stops is told as silent; what it missed is told
             here when it is back, for only then is it known.";

/// State of the check for one line.
#[derive(Debug)]
pub struct LineJudge {
    alert: Option<Handle>,
    last_bad: u64,
    /// Earliest pending deadline.
    pub armed: u64,
}

impl Default for LineJudge {
    fn default() -> Self {
        LineJudge { alert: None, last_bad: 0, armed: u64::MAX }
    }
}

/// What a line did wrong.
#[derive(Debug, Clone, Copy)]
pub struct Fault {
    /// The numbers.
    pub range: SequenceRange,
    /// When it began.
    pub began: u64,
    /// How late, when the numbers came after all.
    pub lag_ns: Option<u64>,
    /// What this machine lost at the time.
    pub ours: Ours,
}

impl LineJudge {
    /// Tells a fault, or adds it to the open alert; answers the next deadline.
    pub fn tell(
        &mut self,
        now: u64,
        (source, channel, line): (SourceId, &str, &str),
        fault: Fault,
        check: &Check,
        desk: &mut Desk,
        registry: &Registry,
    ) -> u64 {
        self.last_bad = now;
        let due = now.saturating_add(check.clear_after_ns);
        if let Some(alert) = self.alert {
            desk.alerts.extend_sequence(alert, fault.range);
            desk.alerts.observe(alert, None, fault.lag_ns);
            return due;
        }
        let SequenceRange { first, last, .. } = fault.range;
        let name = desk.name(source);
        let cause = if fault.ours.dropped() { "ours" } else { "network" };
        let evidence = fault.ours.evidence();
        let why = match fault.lag_ns {
            Some(lag) => format!(
                "{name} channel {channel}: line {line} brought {first} to {last} {}.{:03} ms after the other line",
                lag / 1_000_000,
                lag / 1_000 % 1_000
            ),
            None => format!(
                "{name} channel {channel}: line {line} lost {}, that another line brought{evidence}",
                fault.range
            ),
        };
        let subject = Subject {
            channel: Some(channel.to_owned()),
            line: Some(line.to_owned()),
            ..Subject::new(Kind::Line, &[source])
        };
        let details =
            Details { sequence: Some(fault.range), lag_ns: fault.lag_ns, cause, why, ..Details::default() };
        self.alert = Some(desk.raise(now, fault.began.min(now), check.severity, subject, details, registry));
        due
    }

    /// Looks again at `now`; answers the next deadline.
    pub fn judge(&mut self, now: u64, check: &Check, desk: &mut Desk, registry: &Registry) -> u64 {
        let due = self.last_bad.saturating_add(check.clear_after_ns);
        match self.alert {
            None => u64::MAX,
            Some(_) if now < due => due,
            Some(alert) => {
                desk.clear(now, self.last_bad, alert, "line_good", registry);
                self.alert = None;
                u64::MAX
            }
        }
    }
}
