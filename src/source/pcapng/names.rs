//! The names of interfaces, each kept once.
//!
//! A datagram may wait to be sorted while its section ends, so names outlive sections; equal names share a place,
//! and all together are bounded, so that memory stays the same however many sections a capture has.

use std::collections::HashMap;

/// Place of the empty name.
pub(super) const UNNAMED: u32 = 0;
/// Different names in one capture: as many as a section may have interfaces.
const NAMES_MAX: usize = 65_536;
/// Bytes of all names together.
const BYTES_MAX: usize = 4 * 1024 * 1024;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Names by place, counted from 1.
    names: Vec<Box<str>>,
    places: HashMap<Box<str>, u32>,
    bytes: usize,
}

impl Names {
    /// The place of a name as an interface has it; `None` when it is not UTF-8 or there is no more room.
    pub fn place_of(&mut self, name: &[u8]) -> Option<u32> {
        // Some writers count the terminating zero.
        let name = std::str::from_utf8(name).ok()?.trim_end_matches('\0');
        if name.is_empty() {
            return Some(UNNAMED);
        }
        if let Some(&place) = self.places.get(name) {
            return Some(place);
        }
        if self.names.len() >= NAMES_MAX || self.bytes + name.len() > BYTES_MAX {
            return None;
        }
        self.bytes += name.len();
        self.names.push(name.into());
        let place = self.names.len() as u32;
        self.places.insert(name.into(), place);
        Some(place)
    }

    /// The names behind the first so many, in the order of their places.
    pub fn behind(&self, known: usize) -> &[Box<str>] {
        self.names.get(known..).unwrap_or(&[])
    }

    /// The name at a place.
    #[inline]
    pub fn name(&self, place: u32) -> &str {
        name_at(&self.names, place)
    }
}

/// The name at a place, of names in the order of their places.
#[inline]
pub(in crate::source) fn name_at(names: &[Box<str>], place: u32) -> &str {
    let at = (place as usize).wrapping_sub(1);
    names.get(at).map_or("", |name| name)
}
