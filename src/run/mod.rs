//! The daemon: threads, sockets and outlets around the same pipeline that a replay runs.
//!
//! A thin shell. Receivers own their lines and books, the comparator owns the judgement, the reporter owns what
//! people and other programs are told. Nothing here decides whether two sources disagree.

pub mod board;
pub mod comparator;
pub mod control;
pub mod daemon;
pub mod doctor;
mod keep;
pub mod link;
pub mod outlets;
pub mod place;
pub mod privileges;
pub mod receiver;
pub mod reporter;
pub mod scribe;
pub mod service;
pub mod shelves;
pub mod status;
pub mod ways_out;
pub mod web;
