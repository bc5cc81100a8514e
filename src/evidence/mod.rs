//! An evidence file: one archive that stands alone, with everything that an alert and its verdict need to come out again.
//!
//! ```text
//! README.txt          what this is and how to verify it          alert.ndjson     the alert's records
//! summary.html        one page with a picture                    quotes.csv       what every source showed
//! explanation.txt     the verdict, to forward                    ticket.txt       a ticket, ready to send
//! explanation.json    the same for programs                      expect.json      what a replay must say again
//! config/             configuration, instrument map, rules       captures/        packets of all sources (pcapng)
//! manifest.json       length and SHA-256 of every file
//! ```
//!
//! This room makes and reads the archive and its texts. It opens no capture and replays nothing. What goes in is named
//! one by one: nothing gets in because nobody kept it out.

pub mod config;
pub mod manifest;
pub mod page;
pub mod sha256;
pub mod texts;
pub mod unzip;
pub mod zip;

/// The layout of the archive; another one has another name.
pub const FORMAT: &str = "parallax-evidence-1";

/// Where the configuration lies in the archive.
pub const CONFIG: &str = "config/parallax.toml";
/// Where the instrument map lies.
pub const INSTRUMENTS: &str = "instruments.csv";
/// Where rows of the user's over the rule book lie.
pub const RULES: &str = "rules.toml";
/// The folder of the captures.
pub const CAPTURES: &str = "captures";
