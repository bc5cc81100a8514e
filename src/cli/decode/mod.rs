//! `parallax decode`: one NDJSON line per message.
//!
//! Everything that cannot be a line (datagrams of no known feed, packets whose count contradicts what they hold,
//! damage in the capture) is counted and said on standard error at the end.

mod choice;
mod lines;
mod notes;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use feeds::{ALL, FeedId};

use super::input::CaptureArgs;
use crate::config::Config;
use crate::config::reader::nearest;
use crate::source::{Captures, Datagram, Options};
use choice::{Channels, Choice, Held, Next};
use lines::Lines;

/// Bytes of output that are collected before they are written, when reading files.
const OUT_MAX: usize = 256 * 1024;

/// Arguments of `parallax decode`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The captures.
    #[command(flatten)]
    pub input: CaptureArgs,

    /// Decode every datagram as this feed (a name from `parallax feeds`) instead of telling the feeds apart by their bytes
    #[arg(long, value_name = "NAME", conflicts_with = "config")]
    pub feed: Option<String>,

    /// Decode the channels of this configuration
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// Bad arguments, a capture that cannot be read, an output that cannot be written.
pub fn run(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    let choice = match (&args.feed, &args.config) {
        (Some(name), _) => Choice::Feed(feed(name)?),
        (None, Some(path)) => Choice::Config(Config::read(path)?),
        (None, None) => Choice::Bytes,
    };
    // Packets on TCP (a feed's replay or conflated connection) are listed like those in datagrams.
    let options = Options { tcp: !matches!(choice, Choice::Config(_)), ..args.input.options()? };
    let mut captures = Captures::open(&args.input.captures, &options)?;
    let mut decoder = Decoder {
        channels: Channels::new(choice, captures.names().to_vec()),
        lines: Lines::new(captures.names()),
        out: Vec::with_capacity(2 * OUT_MAX),
        // A pipe may be live: what it holds is shown at once.
        out_max: if args.input.captures.iter().any(|path| path.as_os_str() == "-") { 1 } else { OUT_MAX },
    };
    decoder.read(&mut captures, out)?;
    notes::tell(&decoder.channels, captures.counts());
    args.input.tell_day(captures.counts());
    Ok(ExitCode::SUCCESS)
}

fn feed(name: &str) -> Result<FeedId> {
    let Some(feed) = FeedId::from_name(name) else {
        let names = || ALL.iter().map(|feed| feed.info().name);
        let known = names().collect::<Vec<_>>().join(", ");
        match nearest(name, names()) {
            Some(near) => bail!("--feed {name} is no feed; did you mean {near}? The feeds are {known}"),
            None => bail!("--feed {name} is no feed; the feeds are {known}"),
        }
    };
    Ok(feed)
}

struct Decoder {
    channels: Channels,
    lines: Lines,
    out: Vec<u8>,
    /// Bytes of output that are collected before they are written.
    out_max: usize,
}

impl Decoder {
    /// Reads the captures to their end.
    fn read(&mut self, captures: &mut Captures, out: &mut dyn Write) -> Result<()> {
        while let Some(datagram) = captures.next()? {
            match self.channels.next(&datagram) {
                Next::Decode(slot, feed) => self.decode(slot, feed, &datagram),
                Next::Held => {}
                Next::Passed => continue,
            }
            // What waited for this datagram to tell its channel, in the order of arrival.
            while let Some((slot, feed, held)) = self.channels.release() {
                self.release(slot, feed, &held);
            }
            if self.out.len() >= self.out_max {
                out.write_all(&self.out)?;
                out.flush()?;
                self.out.clear();
            }
        }
        self.channels.end();
        while let Some((slot, feed, held)) = self.channels.release() {
            self.release(slot, feed, &held);
        }
        out.write_all(&self.out)?;
        out.flush()?;
        Ok(())
    }

    fn release(&mut self, slot: usize, feed: Option<FeedId>, held: &Held) {
        match feed {
            Some(feed) => self.decode(slot, feed, &held.datagram()),
            None => self.channels.pass(slot, held.frame()),
        }
    }

    fn decode(&mut self, slot: usize, feed: FeedId, datagram: &Datagram<'_>) {
        let channel = &mut self.channels.slots[slot];
        let packet =
            lines::Packet { lines: &self.lines, channel: &channel.json, datagram, out: &mut self.out };
        if let Some(mismatch) = feed.with(packet) {
            channel.mismatches.take(datagram.frame, mismatch);
        }
    }
}
