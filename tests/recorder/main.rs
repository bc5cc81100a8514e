//! The flight recorder end to end: what keepers took is what a replay of the files gives.

mod common;
mod damage;
mod files;
mod round_trip;
mod tshark;
