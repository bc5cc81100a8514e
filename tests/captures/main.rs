//! Captures of every container, compression and link type give byte-exact datagrams,
//! and whatever gives none is counted by name.

mod common;
mod containers;
mod damage;
mod fragments;
mod links;
mod notes;
mod order;
mod shared;
