//! One file of a recording while it is written: blocks into zstd into the disk.
//!
//! Blocks are gathered before they are compressed, and flushed once a second; what was flushed can be read by anybody
//! and survives a kill. What cannot be written is cut off again at the last flush, so that what is counted as kept is
//! what can be read.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use zstd::stream::write::Encoder;

use super::super::seal::Seal;
use super::blocks::{self, Packet, Statistics, Total};
use super::note::Note;

/// Fastest level that still finds matches over half a megabyte.
const LEVEL: i32 = 1;
/// Bytes gathered before they are compressed: a call per datagram would cost more than the compression.
const GATHERED_LEN: usize = 128 * 1024;

/// Where a file's bytes go; a file, or in tests something that fails at will.
pub(super) trait Output: Write + Send {
    /// Cuts the file.
    fn cut(&mut self, len: u64) -> io::Result<()>;
}

impl Output for File {
    fn cut(&mut self, len: u64) -> io::Result<()> {
        self.set_len(len)
    }
}

/// How files are made.
pub(super) type Create = Box<dyn FnMut(&Path) -> io::Result<Box<dyn Output>> + Send>;

/// A new file; never one that is there already.
pub(super) fn create(path: &Path) -> io::Result<Box<dyn Output>> {
    Ok(Box::new(OpenOptions::new().write(true).create_new(true).open(path)?))
}

/// Counts what went through.
struct Counted {
    output: Box<dyn Output>,
    written: u64,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.output.write(bytes)?;
        self.written += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

/// What a line had in this file.
#[derive(Clone, Copy, Debug, Default)]
struct LineCounts {
    kept: u64,
    missing: u64,
    host_drops: u64,
}

/// A file that is written.
pub(super) struct RecordingFile {
    encoder: Encoder<'static, Counted>,
    gathered: Vec<u8>,
    lines: Vec<LineCounts>,
    pub number: u32,
    pub first_ns: u64,
    latest_ns: u64,
    frames: u64,
    frames_flushed: u64,
    flushed_len: u64,
}

/// What a file came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Outcome {
    /// Datagrams that were flushed and not reported before.
    pub kept: u64,
    /// Datagrams that were taken and are not in the file.
    pub lost: u64,
    /// Length of the file.
    pub bytes: u64,
}

impl RecordingFile {
    /// Begins a file with its section, one interface for each line, and since when they are watched where that is to be
    /// said. Nothing is written yet.
    pub fn start(
        output: Box<dyn Output>,
        product: &str,
        lines: &[String],
        number: u32,
        first_ns: u64,
        from_ns: Option<u64>,
    ) -> io::Result<Self> {
        let mut encoder = Encoder::new(Counted { output, written: 0 }, LEVEL)?;
        encoder.include_checksum(true)?;
        let mut gathered = Vec::with_capacity(GATHERED_LEN + 70_000);
        blocks::section(&mut gathered, product);
        for name in lines {
            blocks::interface(&mut gathered, name);
        }
        if from_ns.is_some() && !lines.is_empty() {
            let statistics = Statistics { line: 0, ts_ns: first_ns, from_ns, host_drops: 0, total: None };
            blocks::statistics(&mut gathered, &statistics);
        }
        Ok(Self {
            encoder,
            gathered,
            lines: vec![LineCounts::default(); lines.len()],
            number,
            first_ns,
            latest_ns: first_ns,
            frames: 0,
            frames_flushed: 0,
            flushed_len: 0,
        })
    }

    /// Adds a datagram.
    pub fn add(&mut self, note: &Note, payload: [&[u8]; 2]) -> io::Result<()> {
        self.frames += 1;
        self.latest_ns = self.latest_ns.max(note.ts_ns);
        // The keeper lets no other line through.
        if let Some(counts) = self.lines.get_mut(usize::from(note.line)) {
            counts.kept += 1;
            counts.missing += u64::from(note.missing);
            counts.host_drops += u64::from(note.lost.host);
            if note.lost.host > 0 {
                let (line, host_drops) = (note.line, counts.host_drops);
                let statistics =
                    Statistics { line, ts_ns: note.ts_ns, from_ns: None, host_drops, total: None };
                blocks::statistics(&mut self.gathered, &statistics);
            }
        }
        let packet = Packet {
            line: note.line,
            ts_ns: note.ts_ns,
            source: note.source,
            destination: note.destination,
            payload,
            wire_len: note.wire_len,
            // The system takes no datagram whose checksum is wrong.
            seal: Seal::Right,
            identification: 0,
            dropped: note.lost.socket,
            missing: note.missing,
        };
        blocks::packet(&mut self.gathered, &packet);
        if self.gathered.len() >= GATHERED_LEN { self.compress() } else { Ok(()) }
    }

    fn compress(&mut self) -> io::Result<()> {
        self.encoder.write_all(&self.gathered)?;
        self.gathered.clear();
        Ok(())
    }

    /// Hands everything to the system; gives how many datagrams are safe that were not before.
    pub fn flush(&mut self) -> io::Result<u64> {
        if self.frames == self.frames_flushed {
            return Ok(0);
        }
        self.compress()?;
        self.encoder.flush()?;
        self.flushed_len = self.bytes();
        let kept = self.frames - self.frames_flushed;
        self.frames_flushed = self.frames;
        Ok(kept)
    }

    /// Bytes written so far.
    pub fn bytes(&self) -> u64 {
        self.encoder.get_ref().written
    }

    /// Ends the file: statistics of every line, watched until `ended_ns`, and zstd's own end with its checksum.
    pub fn close(mut self, ended_ns: Option<u64>, missing: &[u32]) -> Result<Outcome, (io::Error, Outcome)> {
        let started_ns = self.first_ns;
        let ts_ns = ended_ns.unwrap_or(self.latest_ns).max(self.latest_ns);
        for (line, counts) in self.lines.iter().enumerate() {
            let missing = counts.missing + missing.get(line).copied().map_or(0, u64::from);
            let total =
                Some(Total { started_ns, ended_ns: ended_ns.map(|_| ts_ns), kept: counts.kept, missing });
            let (line, host_drops) = (line as u16, counts.host_drops);
            blocks::statistics(
                &mut self.gathered,
                &Statistics { line, ts_ns, from_ns: None, host_drops, total },
            );
        }
        match self.compress().and_then(|()| self.encoder.do_finish()) {
            Ok(()) => {
                let (kept, bytes) = (self.frames - self.frames_flushed, self.bytes());
                Ok(Outcome { kept, lost: 0, bytes })
            }
            Err(error) => Err((error, self.give_up())),
        }
    }

    /// Leaves the file as it was at its last flush.
    pub fn give_up(mut self) -> Outcome {
        let written = self.bytes();
        let cut = self.encoder.get_mut().output.cut(self.flushed_len);
        let bytes = if cut.is_ok() { self.flushed_len } else { written };
        Outcome { kept: 0, lost: self.frames - self.frames_flushed, bytes }
    }
}
