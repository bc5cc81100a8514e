//! Rare state, away from what every update looks at: places that are given out, given back and used again.
//!
//! Number 0 is nobody's, so an owner without such state keeps a 0. It holds as much as was ever in use at once.

use std::ops::{Index, IndexMut};

/// Number of a place in a [`Pool`]; 0 for none.
pub type Place = u32;

/// See the module.
#[derive(Debug)]
pub struct Pool<T> {
    items: Vec<T>,
    free: Vec<Place>,
}

impl<T: Default> Default for Pool<T> {
    fn default() -> Self {
        Pool { items: vec![T::default()], free: Vec::new() }
    }
}

impl<T: Default> Pool<T> {
    /// A place whose state is as the last owner left it.
    #[inline]
    pub fn reuse(&mut self) -> Place {
        self.free.pop().unwrap_or_else(|| {
            self.items.push(T::default());
            (self.items.len() - 1) as Place
        })
    }

    /// A place with the default state.
    #[inline]
    pub fn take(&mut self) -> Place {
        let place = self.reuse();
        self.items[place as usize] = T::default();
        place
    }

    /// Gives a place back, and forgets it in its owner.
    #[inline]
    pub fn give_back(&mut self, place: &mut Place) {
        let place = std::mem::take(place);
        if place != 0 {
            self.free.push(place);
        }
    }

    /// The state of an owner, which may have none yet.
    pub fn get_or_take(&mut self, place: &mut Place) -> &mut T {
        if *place == 0 {
            *place = self.take();
        }
        &mut self.items[*place as usize]
    }
}

impl<T> Index<Place> for Pool<T> {
    type Output = T;
    #[inline]
    fn index(&self, place: Place) -> &T {
        &self.items[place as usize]
    }
}

impl<T> IndexMut<Place> for Pool<T> {
    #[inline]
    fn index_mut(&mut self, place: Place) -> &mut T {
        &mut self.items[place as usize]
    }
}

/// A set of numbers, in order.
#[derive(Debug, Default)]
pub struct Marks {
    words: Vec<u64>,
}

impl Marks {
    /// Puts a number in or takes it out.
    #[inline]
    pub fn set(&mut self, number: u32, marked: bool) {
        let (word, bit) = (number as usize / 64, number % 64);
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        self.words[word] = self.words[word] & !(1 << bit) | u64::from(marked) << bit;
    }

    /// The least number that is in it, from `from` on.
    pub fn next(&self, from: u32) -> Option<u32> {
        let first = from as usize / 64;
        let mut word = *self.words.get(first)? & (u64::MAX << (from % 64));
        for index in first.. {
            if word != 0 {
                return Some(index as u32 * 64 + word.trailing_zeros());
            }
            word = *self.words.get(index + 1)?;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_used_again() {
        let mut pool: Pool<u64> = Pool::default();
        let (mut a, mut b) = (0, 0);
        *pool.get_or_take(&mut a) = 5;
        *pool.get_or_take(&mut b) = 6;
        assert_eq!((pool[a], pool[b]), (5, 6));
        pool.give_back(&mut a);
        assert_eq!(a, 0);
        pool.give_back(&mut a);
        let c = pool.take();
        assert_eq!((pool[c], pool.items.len()), (0, 3));
        assert_ne!(c, pool.take());
    }

    #[test]
    fn marks_come_in_order() {
        let mut marks = Marks::default();
        [700, 3, 64, 63].into_iter().for_each(|n| marks.set(n, true));
        marks.set(64, false);
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(next) = marks.next(at) {
            found.push(next);
            at = next + 1;
        }
        assert_eq!(found, [3, 63, 700]);
    }
}
