//! Where datagrams come from: capture files and, later in the house, live sockets.
//!
//! Captures of any container, compression and link type go in; datagrams come out
//! in time order, with everything that was not a datagram counted by name. This
//! room owns files, reading threads and the only clock. It never looks into a
//! payload: what a datagram says is the business of `feeds`.

mod apart;
mod binaryfile;
mod capture;
pub mod child;
pub mod clock;
pub mod cores;
mod counts;
pub mod disk;
mod error;
mod fragments;
mod hardware;
mod input;
mod merge;
pub mod multicast;
pub mod multicast_send;
mod pcap;
mod pcapng;
pub mod peer;
mod progress;
mod record;
pub mod recorder;
mod seal;
mod sort;
mod stream;
mod window;
pub mod writer;

pub use counts::{CaptureCounts, Kind, Reason, Tally};
pub use error::CaptureError;
pub use hardware::HardwareTimestamps;
pub use merge::{Captures, Datagram, LATEST_NS, Lost, Options, Transport, read_bytes};
pub use progress::ProgressReporter;
pub use record::Format;
pub use seal::Seal;

pub use input::Compression;
