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

    /// A view joins; its pairs with those that are there, in their order, are numbered from `first_pair`. Answers its
    /// place in the group.
    pub fn join(&mut self, group: u32, view: ViewId, first_pair: u32) -> u16 {
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
        len as u16
    }

    /// The views of a group.
    pub fn views(&self, group: u32) -> impl Iterator<Item = ViewId> + '_ {
        self.members(group).iter().map(|m| m.view)
    }

    /// The pairs of the view at a place in the group and its peers in them, in the order in which they were made.
    #[inline]
    pub fn pairs_of(&self, group: u32, own: u16) -> impl Iterator<Item = (u32, ViewId)> + '_ {
        let members = self.members(group);
        (0..members.len().saturating_sub(1)).map(move |nth| pair_at(members, usize::from(own), nth))
    }

    /// The nth of [`Groups::pairs_of`], for whoever changes what it belongs to on the way.
    #[inline]
    pub fn pair_of(&self, group: u32, own: u16, nth: usize) -> (u32, ViewId) {
        pair_at(self.members(group), usize::from(own), nth)
    }

    /// A group will be looked at soon.
    #[inline]
    pub fn look_ahead(&self, group: u32) {
        crate::cache::prefetch(&self.groups[group as usize]);
    }

    /// How many views are in a group.
    #[inline]
    pub fn len(&self, group: u32) -> usize {
        self.groups[group as usize].len as usize
    }
}

/// The nth pair of a member, with its peer.
#[inline]
fn pair_at(members: &[Member], own: usize, nth: usize) -> (u32, ViewId) {
    if nth < own {
        return (members[own].first_pair + nth as u32, members[nth].view);
    }
    let peer = members[nth + 1];
    (peer.first_pair + own as u32, peer.view)
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
            assert_eq!(u32::from(groups.join(group, view, pairs)), view);
            pairs += view;
        }
        let mut seen = vec![Vec::new(); pairs as usize];
        for view in 0..12 {
            let out: Vec<_> = groups.pairs_of(group, view as u16).collect();
            let one_by_one = (1..groups.len(group)).map(|nth| groups.pair_of(group, view as u16, nth - 1));
            assert!(one_by_one.eq(out.iter().copied()));
            assert!(out.is_sorted(), "in the order in which they were made: {out:?}");
            assert_eq!(out.len(), 11);
            out.iter().for_each(|(pair, peer)| seen[*pair as usize].push((view, *peer)));
        }
        assert!(seen.iter().all(|s| s.len() == 2 && s[0] == (s[1].1, s[1].0)), "{seen:?}");
        assert_eq!((groups.pairs_of(other, 0).count(), groups.views(other).count()), (0, 1));
        assert_eq!((groups.len(other), groups.len(group)), (1, 12));
    }
}
