//! Which page of groups lies where, by its number.
//!
//! The youngest pages, in which nearly all orders are, are found in a table by the low bits of their numbers; the others, and
//! those that are not there, in a directory behind it. It knows nothing of what is in a page.

/// No group; so is what comes within a page of it.
pub(super) const NOWHERE: u32 = u32::MAX - 256;
/// Pages that are found without a search.
const FRONT: usize = 1024;

/// A page.
#[derive(Debug, Clone, Copy)]
struct Page {
    number: u64,
    /// Its first group.
    groups: u32,
}

impl Page {
    const NONE: Page = Page { number: u64::MAX, groups: NOWHERE };

    #[inline(always)]
    const fn is_none(&self) -> bool {
        self.number == Page::NONE.number
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Pages {
    /// By the low bits of the number; of several the youngest that was there last.
    front: Box<[Page; FRONT]>,
    /// All of them. Open addressing; a power of two, at most a quarter in use.
    directory: Vec<Page>,
    count: usize,
}

impl Default for Pages {
    fn default() -> Self {
        Pages { front: Box::new([Page::NONE; FRONT]), directory: Vec::new(), count: 0 }
    }
}

impl Pages {
    /// The page's first group, or [`NOWHERE`].
    #[inline(always)]
    pub(super) fn first_group(&self, number: u64) -> u32 {
        let front = self.front[number as usize % FRONT];
        if front.number == number { front.groups } else { self.search(number) }
    }

    #[inline(never)]
    fn search(&self, number: u64) -> u32 {
        self.find(number).map_or(NOWHERE, |at| self.directory[at].groups)
    }

    #[inline(always)]
    fn home(&self, number: u64) -> usize {
        (number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as usize & (self.directory.len().wrapping_sub(1))
    }

    /// Where in the directory the page is.
    fn find(&self, number: u64) -> Option<usize> {
        let mut at = self.home(number);
        loop {
            let page = self.directory.get(at)?;
            if page.number == number {
                return Some(at);
            }
            if page.is_none() {
                return None;
            }
            at = (at + 1) & (self.directory.len() - 1);
        }
    }

    /// A page that is not there yet comes in, with its first group.
    pub(super) fn enter(&mut self, number: u64, groups: u32) {
        self.count += 1;
        if self.count * 4 > self.directory.len() {
            let longer = vec![Page::NONE; (self.directory.len() * 2).max(64)];
            let old = std::mem::replace(&mut self.directory, longer);
            old.into_iter().filter(|page| !page.is_none()).for_each(|page| self.put(page));
        }
        let page = Page { number, groups };
        self.put(page);
        let front = &mut self.front[number as usize % FRONT];
        if front.is_none() || front.number < number {
            *front = page;
        }
    }

    fn put(&mut self, page: Page) {
        let mut at = self.home(page.number);
        while !self.directory[at].is_none() {
            at = (at + 1) & (self.directory.len() - 1);
        }
        self.directory[at] = page;
    }

    /// The page goes; answers its first group. Whoever it displaced moves back.
    pub(super) fn leave(&mut self, number: u64) -> Option<u32> {
        let mut hole = self.find(number)?;
        let groups = self.directory[hole].groups;
        self.count -= 1;
        let front = &mut self.front[number as usize % FRONT];
        if front.number == number {
            *front = Page::NONE;
        }
        let mask = self.directory.len() - 1;
        let mut at = (hole + 1) & mask;
        while !self.directory[at].is_none() {
            let from_home = at.wrapping_sub(self.home(self.directory[at].number)) & mask;
            if from_home >= at.wrapping_sub(hole) & mask {
                self.directory[hole] = self.directory[at];
                hole = at;
            }
            at = (at + 1) & mask;
        }
        self.directory[hole] = Page::NONE;
        Some(groups)
    }

    pub(super) const fn len(&self) -> usize {
        self.count
    }

    /// The first groups of all pages.
    pub(super) fn first_groups(&self) -> impl Iterator<Item = u32> + '_ {
        self.directory.iter().filter(|page| !page.is_none()).map(|page| page.groups)
    }

    pub(super) fn state_bytes(&self) -> usize {
        (self.directory.capacity() + FRONT) * size_of::<Page>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        /// Pages that share low bits, and come and go in any order.
        #[test]
        fn pages_are_where_a_map_says(steps in prop::collection::vec((0u64..40, 0u64..4), 1..400)) {
            let (mut pages, mut map) = (Pages::default(), BTreeMap::new());
            for (n, (low, high)) in steps.into_iter().enumerate() {
                let number = low + high * FRONT as u64;
                match map.remove(&number) {
                    Some(groups) => prop_assert_eq!(pages.leave(number), Some(groups)),
                    None => {
                        prop_assert_eq!(pages.leave(number), None);
                        pages.enter(number, n as u32);
                        map.insert(number, n as u32);
                    }
                }
                for number in (0..40).flat_map(|low| (0..4).map(move |high| low + high * FRONT as u64)) {
                    let expected = map.get(&number).copied().unwrap_or(NOWHERE);
                    prop_assert_eq!(pages.first_group(number), expected);
                }
                prop_assert_eq!((pages.len(), pages.first_groups().count()), (map.len(), map.len()));
            }
        }
    }
}
