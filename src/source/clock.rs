//! The only place that reads a clock.
//!
//! Everything else takes time as an argument, so that a capture and a live line run
//! through the same code and a test never sleeps. Here are the wall's time, for
//! people and live lines, and pacing, which holds a replay back to capture time.

use std::time::{Duration, Instant, SystemTime};

/// The wall's time in nanoseconds since 1970, UTC; 0 when the wall is set before that.
#[allow(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
pub fn wall_now_ns() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// A time that never steps back, for measuring stretches.
#[allow(clippy::disallowed_methods, reason = "the one place that reads the monotonic clock")]
pub fn monotonic_now() -> Instant {
    Instant::now()
}

/// Sleeps about that long: at least, and longer by what the system's timers take.
pub fn sleep_ns(ns: u64) {
    std::thread::sleep(Duration::from_nanos(ns));
}

/// How well the wall clock is kept, as the kernel has it from whoever disciplines it (NTP, PTP).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Discipline {
    /// Someone keeps it in step.
    pub synchronised: bool,
    /// Its estimated error, microseconds.
    pub error_us: u64,
    /// The most that it can be off, microseconds.
    pub error_max_us: u64,
    /// How far it is off as the kernel estimates it, and is taking out, nanoseconds.
    pub offset_ns: i64,
    /// Status bits (`STA_...` of adjtimex(2)).
    pub status: u32,
}

/// What the kernel says of its clock (adjtimex(2), which changes nothing when no mode is set); `None` when it says nothing.
#[allow(unsafe_code, reason = "the kernel's clock state has no safe interface")]
pub fn discipline() -> Option<Discipline> {
    // SAFETY: `timex` is a struct of integers and a timeval, for which all bits zero is a value.
    let mut state: libc::timex = unsafe { std::mem::zeroed() };
    // SAFETY: the kernel writes into `state`, which lives over the call and is of the type it expects; modes is 0.
    let answer = unsafe { libc::adjtimex(&raw mut state) };
    if answer < 0 {
        return None;
    }
    let count = |number: libc::c_long| u64::try_from(number).unwrap_or(0);
    Some(Discipline {
        synchronised: answer != libc::TIME_ERROR && state.status & libc::STA_UNSYNC == 0,
        error_us: count(state.esterror),
        error_max_us: count(state.maxerror),
        // The unit is the discipline's: nanoseconds where it says so, else microseconds.
        offset_ns: if state.status & libc::STA_NANO != 0 {
            state.offset
        } else {
            state.offset.saturating_mul(1_000)
        },
        status: state.status as u32,
    })
}

/// Nanoseconds of a time that is never set, since `start`.
pub fn steady_ns(start: Instant) -> u64 {
    u64::try_from(monotonic_now().saturating_duration_since(start).as_nanos()).unwrap_or(u64::MAX)
}

/// Times our own stages.
#[derive(Clone, Copy, Debug)]
pub struct StageTimer {
    start: Instant,
}

impl StageTimer {
    /// Counts from now.
    pub fn start() -> Self {
        Self { start: monotonic_now() }
    }
}

impl crate::latency::StageClock for StageTimer {
    fn now_ns(&self) -> u64 {
        u64::try_from(monotonic_now().saturating_duration_since(self.start).as_nanos()).unwrap_or(u64::MAX)
    }
}

/// Times the stages of live datagrams, on the clock of their receive stamps.
#[derive(Clone, Copy, Debug)]
pub struct WallClock;

impl crate::latency::StageClock for WallClock {
    fn now_ns(&self) -> u64 {
        wall_now_ns()
    }
}

/// Holds a replay back to capture time.
#[derive(Clone, Copy, Debug)]
pub struct Pacer {
    speed_percent: u64,
    start: Option<(u64, Instant)>,
}

impl Pacer {
    /// Capture time runs at `speed_percent` hundredths of the wall's: 100 is real time. 0 counts as 1.
    pub fn new(speed_percent: u64) -> Self {
        Self { speed_percent: speed_percent.max(1), start: None }
    }

    /// Sleeps until the wall has come as far as the capture; the first call sets the start.
    pub fn wait_until(&mut self, ts_ns: u64) {
        let now = monotonic_now();
        let (start_ns, start) = *self.start.get_or_insert((ts_ns, now));
        if let Some(wait) =
            self.remaining(ts_ns.saturating_sub(start_ns), now.saturating_duration_since(start))
        {
            std::thread::sleep(wait);
        }
    }

    /// How long to wait when `capture_ns` of the capture and `elapsed` of the wall have gone by.
    fn remaining(&self, capture_ns: u64, elapsed: Duration) -> Option<Duration> {
        let due_ns = u128::from(capture_ns) * 100 / u128::from(self.speed_percent);
        let due = Duration::from_nanos(u64::try_from(due_ns).unwrap_or(u64::MAX));
        due.checked_sub(elapsed).filter(|wait| !wait.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_tells_how_its_clock_is_kept() {
        let told = discipline().expect("reading needs no right");
        assert!(told.error_max_us > 0, "no clock is without error: {told:?}");
    }

    #[test]
    fn pacing_follows_capture_time_at_its_speed() {
        let second = 1_000_000_000;
        let real = Pacer::new(100);
        assert_eq!(real.remaining(second, Duration::ZERO), Some(Duration::from_secs(1)));
        assert_eq!(real.remaining(second, Duration::from_millis(400)), Some(Duration::from_millis(600)));
        assert_eq!(real.remaining(second, Duration::from_secs(1)), None);
        assert_eq!(real.remaining(second, Duration::from_secs(2)), None);
        assert_eq!(Pacer::new(1000).remaining(second, Duration::ZERO), Some(Duration::from_millis(100)));
        assert_eq!(Pacer::new(50).remaining(second, Duration::ZERO), Some(Duration::from_secs(2)));
    }
}
