//! `clock`: timestamps of a source that cannot be true.

use super::desk::Desk;
use crate::alert::{Details, Handle, Subject};
use crate::config::{Check, Kind};
use crate::market::{Registry, SourceId};

/// The check's document.
pub const DOCUMENT: &str = "\
clock: a source's timestamps cannot be true

Definition   A timestamp of the source lies ahead of the time at which its packet was received, or behind the
             source's own latest, by more than the limit.
Inputs       The venue's sending time of each packet where the feed has one, else each message's event time.
Parameters   limit (250ms): clock error that is believed.
Opens        At once.
Clears       After a second without.
Held back    Nothing. Errors within the limit are in the latency histograms, negative values included.";

/// How long timestamps must be good again.
const CLEAR_AFTER_NS: u64 = 1_000_000_000;

/// State of the check for one source.
#[derive(Debug)]
pub struct ClockJudge {
    latest: u64,
    last_bad: u64,
    alert: Option<Handle>,
    /// Earliest pending deadline.
    pub armed: u64,
}

impl Default for ClockJudge {
    fn default() -> Self {
        ClockJudge { latest: 0, last_bad: 0, alert: None, armed: u64::MAX }
    }
}

impl ClockJudge {
    /// Takes one timestamp, and when it was received; answers the next deadline when it is bad.
    #[inline]
    #[allow(clippy::too_many_arguments, reason = "a stamp, its place and what it is judged with")]
    pub fn observe(
        &mut self,
        now: u64,
        (source, channel): (SourceId, &str),
        [ts_ns, ts_recv_ns]: [u64; 2],
        check: &Check,
        desk: &mut Desk,
        registry: &Registry,
    ) -> Option<u64> {
        let ahead = ts_ns.saturating_sub(ts_recv_ns);
        let behind = self.latest.saturating_sub(ts_ns);
        if ahead <= check.limit_ns {
            // A stamp that lies in the future would make every true one after it look late.
            self.latest = self.latest.max(ts_ns);
        }
        if ahead <= check.limit_ns && behind <= check.limit_ns {
            return None;
        }
        self.last_bad = now;
        if self.alert.is_none() {
            let (by, word) = if ahead > check.limit_ns {
                (ahead, "ahead of its receipt")
            } else {
                (behind, "behind its own latest")
            };
            let why = format!(
                "{} stamps a message {}.{:03} ms {word}",
                desk.name(source),
                by / 1_000_000,
                by / 1_000 % 1_000
            );
            let subject =
                Subject { channel: Some(channel.to_owned()), ..Subject::new(Kind::Clock, &[source]) };
            let details = Details { lag_ns: Some(by), cause: "source", why, ..Details::default() };
            self.alert = Some(desk.raise(now, now, check.severity, subject, details, registry));
        } else if let Some(alert) = self.alert {
            desk.alerts.observe(alert, None, Some(ahead.max(behind)));
        }
        Some(now.saturating_add(CLEAR_AFTER_NS))
    }

    /// Looks again at `now`; answers the next deadline.
    pub fn judge(&mut self, now: u64, desk: &mut Desk, registry: &Registry) -> u64 {
        let due = self.last_bad.saturating_add(CLEAR_AFTER_NS);
        match self.alert {
            None => u64::MAX,
            Some(_) if now < due => due,
            Some(alert) => {
                desk.clear(now, self.last_bad, alert, "plausible_again", registry);
                self.alert = None;
                // The clock may have been set back for good: judge from here.
                self.latest = 0;
                u64::MAX
            }
        }
    }
}
