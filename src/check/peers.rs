//! Which views are compared with each other: those of one instrument at one venue.
//!
//! A view that joins a group makes a pair with each that is there, and these pairs have numbers in a row. So a group
//! needs one number for each member, and where its pairs and peers lie is known before any of them is looked at.

use crate::market::ViewId;

/// A view of a group.
#[derive(Debug, Clone, Copy, Default)]
struct Member {
    view: ViewId,
    /// Number of its pair with the group's first member.
    first_pair: u32,
}

/// Members that a group holds in its own cache line.
const INLINE: usize = 7;

/// The views of one instrument at one venue, in the order in which they came.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Group {
    members: [Member; INLINE],
    len: u32,
    /// Where all of them are when they are more.
    spilled: u32,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Groups {
    groups: Vec<Group>,
    spilled: Vec<Vec<Member>>,
}

impl Groups {
    /// A group of one.
    pub fn make(&mut self, first: ViewId) -> u32 {
        let mut group = Group::default();
        group.members[0].view = first;
        group.len = 1;
        self.groups.push(group);
        (self.groups.len() - 1) as u32
    }

    fn members(&self, group: u32) -> &[Member] {
        let group = &self.groups[group as usize];
        let len = group.len as usize;
        if len <= INLINE { &group.members[..len] } else { &self.spilled[group.spilled as usize] }
    }

    /// A view joins; its pairs with those that are there, in their order, are numbered from `first_pair`.
    pub fn join(&mut self, group: u32, view: ViewId, first_pair: u32) {
        let Groups { groups, spilled } = self;
        let group = &mut groups[group as usize];
        let (len, member) = (group.len as usize, Member { view, first_pair });
        if len < INLINE {
            group.members[len] = member;
        } else {
            if len == INLINE {
                group.spilled = spilled.len() as u32;
                spilled.push(group.members.to_vec());
            }
            spilled[group.spilled as usize].push(member);
        }
        group.len += 1;
    }

    /// The views of a group.
    pub fn views(&self, group: u32) -> impl Iterator<Item = ViewId> + '_ {
        self.members(group).iter().map(|m| m.view)
    }

    /// The pairs of a view and its peers in them, in the order in which they were made.
    #[inline]
    pub fn pairs_of(&self, group: u32, view: ViewId) -> impl Iterator<Item = (u32, ViewId)> + '_ {
        let members = self.members(group);
        // A view that is none of them has no pairs.
        let own = members.iter().position(|m| m.view == view).unwrap_or(members.len());
        let first = members.get(own).map_or(0, |m| m.first_pair);
        let before =
            members[..own].iter().enumerate().map(move |(nth, peer)| (first + nth as u32, peer.view));
        let behind = members[(own + 1).min(members.len())..].iter();
        let before = before.take(if own < members.len() { own } else { 0 });
        before.chain(behind.map(move |peer| (peer.first_pair + own as u32, peer.view)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_one_cache_line() {
        assert_eq!(size_of::<Group>(), 64);
    }

    #[test]
    fn every_two_views_are_a_pair_of_their_own() {
        let mut groups = Groups::default();
        let (other, group) = (groups.make(90), groups.make(0));
        let mut pairs = 0;
        for view in 1..12 {
            groups.join(group, view, pairs);
            pairs += view;
        }
        let mut seen = vec![Vec::new(); pairs as usize];
        for view in 0..12 {
            let out: Vec<_> = groups.pairs_of(group, view).collect();
            assert!(out.is_sorted(), "in the order in which they were made: {out:?}");
            assert_eq!(out.len(), 11);
            out.iter().for_each(|(pair, peer)| seen[*pair as usize].push((view, *peer)));
        }
        assert!(seen.iter().all(|s| s.len() == 2 && s[0] == (s[1].1, s[1].0)), "{seen:?}");
        assert_eq!((groups.pairs_of(other, 90).count(), groups.views(other).count()), (0, 1));
        assert_eq!(groups.pairs_of(group, 90).count(), 0);
    }
}
