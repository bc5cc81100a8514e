//! When to try again: the decisions of the webhook, with time as an argument.
//!
//! It holds one notice at a time, so that a receiver is told in order. It never sends, sleeps or reads a clock.

use std::time::{Duration, Instant};

use super::Notice;

/// How patient to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Tries before a notice is given up, the first included; 0 counts as 1.
    pub tries_max: u32,
    /// Wait after the first failure; it doubles with each further one.
    pub first: Duration,
    /// No wait is longer.
    pub longest: Duration,
}

impl Default for Backoff {
    /// Five tries within about a quarter of a minute.
    fn default() -> Backoff {
        Backoff { tries_max: 5, first: Duration::from_secs(1), longest: Duration::from_secs(30) }
    }
}

/// What came of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// An HTTP status, and for how long the server asks to be left alone (`Retry-After`), if it does.
    Status(u16, Option<Duration>),
    /// No answer: refused, timed out, a wrong certificate.
    Failed(String),
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing in hand: take the next notice.
    Take,
    /// Send what is in hand.
    Send,
    /// Not before then.
    Wait(Instant),
}

/// What an answer means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It was taken.
    Delivered,
    /// It failed and will be tried again.
    Again(String),
    /// It failed and is given up.
    GivenUp(String),
}

/// The state of the delivery.
#[derive(Debug)]
pub struct Courier {
    backoff: Backoff,
    hand: Option<Hand>,
    hurried: bool,
    random: u64,
}

#[derive(Debug)]
struct Hand {
    notice: Notice,
    tries: u32,
    due: Instant,
}

impl Courier {
    /// `seed` scatters the waits, so that daemons that failed together do not come back together.
    pub fn new(backoff: Backoff, seed: u64) -> Courier {
        Courier { backoff, hand: None, hurried: false, random: seed }
    }

    /// What to do at `now`.
    pub fn step(&self, now: Instant) -> Step {
        match &self.hand {
            None => Step::Take,
            Some(hand) if self.hurried || hand.due <= now => Step::Send,
            Some(hand) => Step::Wait(hand.due),
        }
    }

    /// The next notice, due at once. One that is still in hand is returned: it is not delivered.
    pub fn take(&mut self, notice: Notice, now: Instant) -> Option<Notice> {
        self.hand.replace(Hand { notice, tries: 0, due: now }).map(|hand| hand.notice)
    }

    /// What is in hand.
    pub fn notice(&self) -> Option<&Notice> {
        self.hand.as_ref().map(|hand| &hand.notice)
    }

    /// From now on nothing waits and nothing is tried again: the daemon ends.
    pub fn hurry(&mut self) {
        self.hurried = true;
    }

    /// The answer to what was sent, at `now`.
    pub fn answered(&mut self, now: Instant, answer: &Answer) -> Verdict {
        let Some(hand) = &mut self.hand else { return Verdict::Delivered };
        hand.tries = hand.tries.saturating_add(1);
        let (again, asked, why) = match answer {
            Answer::Status(200..=299, _) => {
                self.hand = None;
                return Verdict::Delivered;
            }
            Answer::Status(code @ (408 | 429 | 500..=599), asked) => (true, *asked, format!("HTTP {code}")),
            Answer::Status(code, _) => (false, None, format!("HTTP {code}: this will not change by trying")),
            Answer::Failed(why) => (true, None, why.clone()),
        };
        let tries = hand.tries;
        if !again || self.hurried || tries >= self.backoff.tries_max.max(1) {
            self.hand = None;
            return Verdict::GivenUp(format!("{why} (given up after {tries} tries)"));
        }
        let wait = self.wait(tries).max(asked.unwrap_or_default()).min(self.backoff.longest);
        if let Some(hand) = &mut self.hand {
            hand.due = now.checked_add(wait).unwrap_or(now);
        }
        Verdict::Again(why)
    }

    /// Between half and the whole of `first * 2^(tries-1)`, at most `longest`.
    fn wait(&mut self, tries: u32) -> Duration {
        let doubled = 1u32.checked_shl(tries.saturating_sub(1)).unwrap_or(u32::MAX);
        let whole = self.backoff.first.saturating_mul(doubled).min(self.backoff.longest);
        // SplitMix64 (Steele, Lea, Flood 2014): any seed will do, zero too.
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let thousandths = u32::try_from((mixed ^ (mixed >> 31)) % 501).unwrap_or(0);
        whole / 2 + whole.saturating_mul(thousandths) / 1000
    }
}
