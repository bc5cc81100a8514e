//! `silent`: nothing arrives at all, heartbeats included.

use super::desk::Desk;
use crate::alert::{Details, Handle, Subject};
use crate::config::{Check, Kind};
use crate::market::{Registry, SourceId};

/// The check's document.
pub const DOCUMENT: &str = "\
silent: nothing arrives at all from a source, a channel or a line, heartbeats included

Definition   Nothing has arrived for after, although something should have. Of a source: its feed sends heartbeats
             more often than after, or a source of the same feed or venue received something in the meantime, or two
             heartbeats are overdue. Of a channel: likewise, while other channels of the source go on. Of a line:
             while another line of the channel goes on.
Inputs       Arrivals of packets, whatever they hold.
Parameters   after (2s), counted from the last arrival, or from the start of the data.
Opens        By timer. One alert for the widest that is silent: the source over its channels, a channel over its
             lines; instruments says how many are under it.
Clears       At the next arrival (data_resumed), or when something wider falls silent (told_as_source,
             told_as_channel): from then on its own silence is counted anew.
Held back    Everything about the source's instruments, meanwhile: not comparable, silent. After the end of a
             session nothing is expected.";

/// How long after a peer's packet its copy may come, before its absence counts.
const GRACE_NS: u64 = 250_000_000;

/// When something was last heard of.
#[derive(Debug)]
pub struct Life {
    last: Option<u64>,
    /// Until when something wider was told instead: what came before is told already.
    told_until: u64,
    /// First arrival at a peer since our last one.
    missed_since: Option<u64>,
    alert: Option<Handle>,
    /// Earliest pending deadline.
    pub armed: u64,
}

impl Default for Life {
    fn default() -> Self {
        Life { last: None, told_until: 0, missed_since: None, alert: None, armed: u64::MAX }
    }
}

/// What is expected of a life.
#[derive(Debug, Clone, Copy)]
pub struct Expectation {
    /// How long a silence may last.
    pub after_ns: u64,
    /// The feed's own sign of life comes at least this often.
    pub heartbeat_ns: u64,
    /// When the data began, for what was never heard of.
    pub started: u64,
}

impl Life {
    /// Whether it is told as silent.
    pub fn is_silent(&self) -> bool {
        self.alert.is_some()
    }

    /// When it was last heard of.
    pub fn last(&self) -> Option<u64> {
        self.last
    }

    /// Something that arrived just now changes no deadline: one is pending that is not later than any can be.
    #[inline]
    pub fn is_armed(&self, after_ns: u64) -> bool {
        self.last.is_some_and(|last| self.armed <= last.saturating_add(after_ns))
    }

    /// Something arrived; answers whether it was silent until now.
    pub fn arrived(&mut self, now: u64, desk: &mut Desk, registry: &Registry) -> bool {
        self.last = Some(now);
        self.missed_since = None;
        match self.alert.take() {
            Some(alert) => {
                desk.clear(now, now, alert, "data_resumed", registry);
                true
            }
            None => false,
        }
    }

    /// A peer received something that has not arrived here.
    #[inline]
    pub fn peer_arrived(&mut self, now: u64) {
        self.missed_since.get_or_insert(now);
    }

    /// A peer received something, which may be what arrived here just before.
    #[inline]
    pub fn peer_active(&mut self, now: u64) {
        if self.last.is_none_or(|last| now > last.saturating_add(GRACE_NS)) {
            self.peer_arrived(now);
        }
    }

    /// What was not heard of before `now` is no silence.
    pub fn count_from(&mut self, now: u64) {
        self.told_until = now;
    }

    /// Since when nothing has arrived, as far as it is not told already.
    fn since(&self, started: u64) -> u64 {
        self.last.unwrap_or(started).max(self.told_until)
    }

    /// When it will have been silent too long. A line (`only_peers`) is judged by its peers alone.
    pub fn due(&self, expect: &Expectation, only_peers: bool) -> u64 {
        if self.alert.is_some() {
            return u64::MAX;
        }
        let last = self.since(expect.started);
        let plain = last.saturating_add(expect.after_ns);
        let by_peer = match self.missed_since {
            Some(missed) => plain.max(missed.saturating_add(GRACE_NS.min(expect.after_ns))),
            None => u64::MAX,
        };
        if only_peers {
            return by_peer;
        }
        if expect.heartbeat_ns <= expect.after_ns {
            return plain;
        }
        by_peer.min(last.saturating_add(2 * expect.heartbeat_ns).max(plain))
    }

    /// Tells it.
    pub fn tell(
        &mut self,
        now: u64,
        who: &Who<'_>,
        check: &Check,
        started: u64,
        desk: &mut Desk,
        registry: &Registry,
    ) {
        let began = self.since(started);
        let source = desk.name(who.source);
        let name = match (who.channel, who.line) {
            (Some(channel), Some(line)) => format!("{source} channel {channel} line {line}"),
            (Some(channel), None) => format!("{source} channel {channel}"),
            _ => source.to_owned(),
        };
        let under = if who.instruments > 0 {
            format!("; {} under it", instruments(who.instruments))
        } else {
            String::new()
        };
        let why = format!(
            "nothing has arrived from {name} for {}.{:03} s{under}",
            (now - began) / 1_000_000_000,
            (now - began) / 1_000_000 % 1_000
        );
        let subject = Subject {
            channel: who.channel.map(str::to_owned),
            line: who.line.map(str::to_owned),
            ..Subject::new(Kind::Silent, &[who.source])
        };
        let cause = if who.line.is_some() { "network" } else { "undecided" };
        let instruments = who.line.is_none().then_some(who.instruments);
        let details = Details { instruments, cause, why, ..Details::default() };
        self.alert = Some(desk.raise(now, began, check.severity, subject, details, registry));
    }

    /// Not to be judged any more (its session is over, or something wider is told); an open alert is cleared.
    pub fn drop(&mut self, now: u64, reason: &str, desk: &mut Desk, registry: &Registry) {
        self.missed_since = None;
        self.told_until = now;
        if let Some(alert) = self.alert.take() {
            desk.clear(now, now, alert, reason, registry);
        }
    }
}

/// So many instruments, in words.
pub fn instruments(count: u64) -> String {
    format!("{count} instrument{}", if count == 1 { "" } else { "s" })
}

/// Who is silent.
#[derive(Debug, Clone, Copy)]
pub struct Who<'a> {
    /// Source.
    pub source: SourceId,
    /// Channel, where it is one (or the only one).
    pub channel: Option<&'a str>,
    /// Line, where it is one.
    pub line: Option<&'a str>,
    /// Instruments under it.
    pub instruments: u64,
}
