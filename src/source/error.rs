//! The errors that stop a run: a capture that cannot be opened, read or recognised.
//!
//! Damage inside a recognised capture is not an error here: it ends that capture
//! and is counted, see [`super::CaptureCounts`].

use std::io;

/// Why captures cannot be read at all. Each displays as one sentence for people.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The file cannot be opened.
    #[error(
        "cannot open capture {name}: {source}; give the path of a readable file, or - for standard input"
    )]
    Open {
        /// The capture as it was named.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// The system failed to deliver bytes that should be there.
    #[error("cannot read capture {name} at byte {offset}: {source}; the storage or pipe below it failed")]
    Read {
        /// The capture as it was named.
        name: String,
        /// How many bytes had been read from the file (before decompression).
        offset: u64,
        /// What the system said.
        source: io::Error,
    },
    /// The compressed stream is damaged before the capture in it could be recognised.
    #[error(
        "cannot decompress {name}: its {compression} stream is damaged near byte {offset} ({source}); nothing of it can be used"
    )]
    Damaged {
        /// The capture as it was named.
        name: String,
        /// Name of the compression.
        compression: &'static str,
        /// How many bytes had been read from the file.
        offset: u64,
        /// What the decompressor said.
        source: io::Error,
    },
    /// Standard input was named twice.
    #[error("standard input (-) is named more than once; it can be read only once")]
    StandardInputTwice,
    /// The first bytes are of no format that we read.
    #[error(
        "{name} is not a capture: {found}; it should be pcap, pcapng or \
         Nasdaq BinaryFILE, plain or compressed with gzip, zstd, lz4 or xz"
    )]
    NotACapture {
        /// The capture as it was named.
        name: String,
        /// What was found: the first bytes (after decompression) in hexadecimal, or that there are none.
        found: String,
    },
    /// The thread that reads ahead could not be started.
    #[error("cannot start the reading thread of {name}: {source}; turn reading ahead off")]
    Thread {
        /// The capture as it was named.
        name: String,
        /// What the system said.
        source: io::Error,
    },
}
