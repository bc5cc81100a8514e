//! A feed's event times as nanoseconds since 1970 UTC.

use feeds::feed::TimeBase;
use jiff::Timestamp;
use jiff::tz::TimeZone;

const DAY_NS: u64 = 86_400_000_000_000;

/// Turns event times of one channel into Unix time.
#[derive(Debug)]
pub struct EventTime {
    zone: Option<TimeZone>,
    /// Midnight of the local day around `valid`, and the receive times for which it holds.
    midnight_ns: u64,
    valid: std::ops::Range<u64>,
    /// Fixed midnight, for files whose receive times are made from the event times.
    fixed: Option<u64>,
}

impl EventTime {
    /// For a feed's time base; `fixed_midnight_ns` for a file of bare messages.
    pub fn new(base: TimeBase, fixed_midnight_ns: Option<u64>) -> Self {
        let zone = match base {
            TimeBase::Unix => None,
            TimeBase::SinceMidnight(name) => Some(TimeZone::get(name).unwrap_or(TimeZone::UTC)),
        };
        EventTime { zone, midnight_ns: 0, valid: 0..0, fixed: fixed_midnight_ns }
    }

    /// The event time, given when its packet was received; 0 stays 0 (the message has none).
    #[inline]
    pub fn unix_ns(&mut self, ts: u64, ts_recv_ns: u64) -> u64 {
        if self.zone.is_none() || ts == 0 {
            return ts;
        }
        if let Some(midnight) = self.fixed {
            return midnight.saturating_add(ts);
        }
        let near = self.midnight_ns.wrapping_add(ts);
        // Within half a day of its packet, as nearly every event is, on a day that is known.
        let half = near.wrapping_sub(ts_recv_ns).wrapping_add(DAY_NS / 2) <= DAY_NS;
        if half && ts < 2 * DAY_NS && self.valid.contains(&ts_recv_ns) {
            return near;
        }
        self.unix_ns_anew(ts, ts_recv_ns)
    }

    /// Of a packet of another day than the last, or an event of another day than its packet.
    #[cold]
    fn unix_ns_anew(&mut self, ts: u64, ts_recv_ns: u64) -> u64 {
        if !self.valid.contains(&ts_recv_ns) {
            self.find_midnight(ts_recv_ns);
        }
        let near = self.midnight_ns.saturating_add(ts);
        // Around midnight the event may belong to the day before or after its packet's.
        if near > ts_recv_ns.saturating_add(DAY_NS / 2) {
            near.saturating_sub(DAY_NS)
        } else if near.saturating_add(DAY_NS / 2) < ts_recv_ns {
            near.saturating_add(DAY_NS)
        } else {
            near
        }
    }

    fn find_midnight(&mut self, ts_recv_ns: u64) {
        let zone = self.zone.clone().unwrap_or(TimeZone::UTC);
        let midnight = Timestamp::from_nanosecond(i128::from(ts_recv_ns))
            .ok()
            .map(|t| t.to_zoned(zone))
            .and_then(|z| z.start_of_day().ok())
            .and_then(|z| u64::try_from(z.timestamp().as_nanosecond()).ok());
        self.midnight_ns = midnight.unwrap_or(ts_recv_ns - ts_recv_ns % DAY_NS);
        // Days of a change of clocks are 23 or 25 hours long; asking again within them costs little.
        self.valid = self.midnight_ns..self.midnight_ns.saturating_add(DAY_NS - DAY_NS / 24);
        if !self.valid.contains(&ts_recv_ns) {
            self.valid = ts_recv_ns..ts_recv_ns + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nanoseconds_since_midnight_in_new_york() {
        let mut time = EventTime::new(TimeBase::SinceMidnight("America/New_York"), None);
        // 2026-03-02T14:30:00.000350Z is 09:30 Eastern standard time.
        let recv = 1_772_461_800_000_350_000;
        let half_past_nine = 34_200_000_000_000;
        assert_eq!(time.unix_ns(half_past_nine, recv), recv - 350_000);
        assert_eq!(time.unix_ns(0, recv), 0);
        // 2026-03-09 is after the change to summer time: 09:30 is 13:30 UTC.
        let summer = 1_773_063_000_000_000_000;
        assert_eq!(time.unix_ns(half_past_nine, summer), summer);
    }

    #[test]
    fn just_before_midnight_belongs_to_yesterday() {
        let mut time = EventTime::new(TimeBase::SinceMidnight("UTC"), None);
        let recv = 10 * DAY_NS + 5;
        assert_eq!(time.unix_ns(DAY_NS - 7, recv), 10 * DAY_NS - 7);
    }

    #[test]
    fn times_are_the_same_on_a_day_that_is_known_and_on_one_that_is_not() {
        for recv in [10 * DAY_NS + 5, 10 * DAY_NS + DAY_NS / 2, 11 * DAY_NS - DAY_NS / 24 - 1] {
            let mut known = EventTime::new(TimeBase::SinceMidnight("UTC"), None);
            known.unix_ns(1, recv);
            for base in
                [0, DAY_NS / 2, recv % DAY_NS, recv % DAY_NS + DAY_NS / 2, DAY_NS, 2 * DAY_NS, u64::MAX]
            {
                for ts in (0..3).map(|n| base.wrapping_add(n).wrapping_sub(1)) {
                    let anew = EventTime::new(TimeBase::SinceMidnight("UTC"), None).unix_ns(ts, recv);
                    assert_eq!(known.unix_ns(ts, recv), anew, "{ts} at {recv}");
                }
            }
        }
    }

    #[test]
    fn unix_times_pass() {
        assert_eq!(EventTime::new(TimeBase::Unix, None).unix_ns(77, 5), 77);
    }
}
