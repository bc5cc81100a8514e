//! The store, end to end: the real binary writes it, SQL asks it.

mod engines;
mod figures;
mod kit;
mod messages;
mod parquet;
mod schema;
mod trouble;
