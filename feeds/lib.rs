//! Wire formats of market-data feeds: bytes in, events out.
//!
//! This crate never opens a socket or a file, never starts a thread, never reads
//! a clock and never allocates: it cannot, being `no_std` without `alloc`.
//!
//! A feed is one folder and one line in the `catalogue!` below; `README.md` of this
//! crate says how to add one.
#![no_std]
#![forbid(unsafe_code)]

pub mod frame;

#[cfg(test)]
extern crate std;

pub mod cme_mdp3;
pub mod event;
pub mod feed;
pub mod ice_impact;
pub mod iex_deep;
pub mod iex_tops;
pub mod iextp;
pub mod moldudp64;
pub mod nasdaq_itch50;
pub mod nasdaq_uqdf;
pub mod wire;
mod wire_form;
#[cfg(test)]
mod wire_readme;

pub use feed::{Feed, Info};

/// Makes [`FeedId`], [`ALL`] and [`with_feed!`] from one line per feed.
macro_rules! catalogue {
    ($($(#[$m:meta])* $name:ident = $path:path,)+) => {
        /// A feed of the catalogue.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FeedId { $($(#[$m])* $name),+ }

        /// Every feed, in the order of the catalogue.
        pub const ALL: &[FeedId] = &[$(FeedId::$name),+];

        impl FeedId {
            /// The feed's papers.
            pub const fn info(self) -> &'static Info {
                match self { $(FeedId::$name => const { &<$path as Feed>::INFO }),+ }
            }
            /// Every message of the feed.
            pub const fn messages(self) -> &'static [&'static wire::Layout] {
                match self { $(FeedId::$name => <$path as Feed>::MESSAGES),+ }
            }
            /// The feed of that configuration name.
            pub fn from_name(name: &str) -> Option<FeedId> {
                ALL.iter().copied().find(|id| id.info().name == name)
            }
            /// Runs `visit` with the feed's type: static dispatch behind one branch.
            // Where it is a call, what `visit` holds goes through memory for every packet.
            #[inline(always)]
            pub fn with<V: FeedVisitor>(self, visit: V) -> V::Output {
                match self { $(FeedId::$name => visit.visit::<$path>()),+ }
            }
        }
    };
}

/// Something to be done with a feed's type; see [`FeedId::with`].
pub trait FeedVisitor {
    /// What comes of it.
    type Output;
    /// Does it.
    fn visit<F: Feed>(self) -> Self::Output;
}

catalogue! {
    /// Nasdaq TotalView-ITCH 5.0.
    NasdaqItch50 = nasdaq_itch50::Itch50,
    /// CME Globex MDP 3.0.
    CmeMdp3 = cme_mdp3::Mdp3,
    /// IEX TOPS 1.5 and 1.6.
    IexTops = iex_tops::IexTops,
    /// IEX DEEP 1.0.
    IexDeep = iex_deep::IexDeep,
    /// ICE Futures iMpact 1.1.24 and 1.1.33.
    IceImpact = ice_impact::IceImpact,
    /// UTP quotation feed, binary.
    UtpUqdf = nasdaq_uqdf::Uqdf,
}
