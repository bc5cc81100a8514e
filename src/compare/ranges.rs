//! Numbers that one side lacks, as ranges.

/// Numbers `first..=last` of one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Range {
    /// The session, and how often numbers began anew in it.
    pub session: (u128, u32),
    /// First number.
    pub first: u64,
    /// Last number.
    pub last: u64,
}

impl Range {
    /// How many numbers.
    pub fn count(&self) -> u64 {
        (self.last - self.first).saturating_add(1)
    }
}

/// Ranges that are kept; of what does not find room only the count is.
const RANGES_MAX: usize = 1 << 16;

/// See the module.
#[derive(Debug, Default)]
pub struct Ranges {
    list: Vec<Range>,
    beyond: u64,
}

impl Ranges {
    /// Takes one number; in ascending order they join.
    pub fn add(&mut self, session: (u128, u32), number: u64) {
        if let Some(last) = self.list.last_mut()
            && last.session == session
            && last.last.checked_add(1) == Some(number)
        {
            last.last = number;
        } else if self.list.len() < RANGES_MAX {
            self.list.push(Range { session, first: number, last: number });
        } else {
            self.beyond += 1;
        }
    }

    /// Ranges in order, joined, and how many numbers found no room.
    pub fn finish(mut self) -> (Vec<Range>, u64) {
        self.list.sort_unstable();
        let mut joined: Vec<Range> = Vec::with_capacity(self.list.len());
        for range in self.list {
            match joined.last_mut() {
                Some(last) if last.session == range.session && range.first <= last.last.saturating_add(1) => {
                    last.last = last.last.max(range.last);
                }
                _ => joined.push(range),
            }
        }
        (joined, self.beyond)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_join_in_any_order() {
        let mut ranges = Ranges::default();
        for number in [5, 6, 9, 7, 8, u64::MAX] {
            ranges.add((0, 0), number);
        }
        ranges.add((0, 1), 9);
        let range = |epoch, first, last| Range { session: (0, epoch), first, last };
        assert_eq!(ranges.finish(), (vec![range(0, 5, 9), range(0, u64::MAX, u64::MAX), range(1, 9, 9)], 0));
    }
}
