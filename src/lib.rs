//! Parallax receives the same market data from several sources, keeps every
//! source's book, and says where they disagree: what, since when, how surely.
//!
//! The rooms, in the order in which a packet passes through them, are drawn in
//! `docs/architecture.md`.

pub mod alert;
pub mod book;
pub mod cache;
pub mod chart;
pub mod check;
pub mod cli;
pub mod compare;
pub mod config;
pub mod evidence;
pub mod explain;
pub mod identify;
pub mod latency;
pub mod line;
pub mod lock;
pub mod market;
pub mod packet;
pub mod pipeline;
pub mod report;
pub mod rules;
pub mod run;
pub mod shm;
pub mod simulate;
pub mod source;
pub mod store;
