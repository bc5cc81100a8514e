//! One receiver's ring and the file that it is emptied into.
//!
//! The keeper numbers files; a lane follows it. When a file cannot be written, what belongs to it is counted and let
//! go until the keeper, asked for it, begins another.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rtrb::Consumer;

use super::file::{Create, Outcome, RecordingFile};
use super::folder::{Folder, Held};
use super::keeper::Place;
use super::note::{HEADER_LEN, Note};
use super::state::{Board, Shared, lock};
use super::tap::{self, Tap};

/// Bytes of the ring that are given back at a time; more than the largest datagram.
const CHUNK_LEN: usize = 256 * 1024;
/// Chunks taken in one turn, so that other lanes and the flush come to theirs.
const CHUNKS_MAX: usize = 64;
/// The first wait after a failure, and the longest: each failure doubles it.
const RETRY_NS_MIN: u64 = 1_000_000_000;
const RETRY_NS_MAX: u64 = 8_000_000_000;

/// What a lane needs of the recorder.
pub(super) struct Desk<'a> {
    pub folder: &'a mut Folder,
    pub create: &'a mut Create,
    pub product: &'a str,
    pub board: &'a Board,
    pub now_ns: u64,
}

/// Where the file stands that the keeper is at.
enum At {
    /// None has begun.
    Nothing,
    /// It is written.
    File(Box<RecordingFile>),
    /// It could not be written any more; the next is asked for at `due_ns`.
    Failed { number: u32, due_ns: u64 },
    /// The keeper is gone and the last file closed.
    Ended,
}

/// See the module.
pub(super) struct Lane {
    ring: Consumer<u8>,
    shared: Arc<Shared>,
    writing: Writing,
    tap: Option<Tap>,
    /// Of the latest datagram, as the keeper counts.
    place: Place,
}

struct Writing {
    receiver: u16,
    lines: Vec<String>,
    /// Since when the lines are watched, until a file has said it.
    from_ns: Option<u64>,
    at: At,
    /// How long to wait after the next failure.
    wait_ns: u64,
}

/// A sentence for people.
pub(super) fn cannot(what: &str, path: &Path, error: &io::Error) -> String {
    format!("cannot {what} {}: {error}; what arrives is not recorded until that works", path.display())
}

impl Lane {
    pub fn new(receiver: u16, lines: Vec<String>, ring: Consumer<u8>, shared: Arc<Shared>) -> Self {
        let writing = Writing { receiver, lines, from_ns: None, at: At::Nothing, wait_ns: RETRY_NS_MIN };
        Self { ring, shared, writing, tap: None, place: Place { file: 0, frame: 0 } }
    }

    /// What is taken is copied there too.
    pub fn tapped_by(&mut self, tap: Tap) {
        self.tap = Some(tap);
    }

    /// The lines are watched since then; the first file says it.
    pub fn watched_from(&mut self, from_ns: u64) {
        self.writing.from_ns = Some(from_ns);
    }

    pub fn ring_percent(&self) -> u64 {
        self.ring.slots() as u64 * 100 / (self.ring.buffer().capacity() as u64).max(1)
    }

    pub fn is_ended(&self) -> bool {
        matches!(self.writing.at, At::Ended)
    }

    /// Empties the ring; closes the last file when the keeper is gone. `true` when something was there.
    pub fn drain(&mut self, desk: &mut Desk<'_>) -> bool {
        if self.is_ended() {
            return false;
        }
        // Asked first: what a keeper left that is gone is then all there.
        let gone = self.ring.is_abandoned();
        let mut taken = false;
        for _ in 0..CHUNKS_MAX {
            let used = self.take_chunk(desk);
            if used == 0 {
                if gone {
                    self.end(desk);
                    return true;
                }
                break;
            }
            taken = true;
        }
        taken
    }

    /// Takes the whole datagrams of one chunk; gives the bytes that they had.
    fn take_chunk(&mut self, desk: &mut Desk<'_>) -> usize {
        let Self { ring, writing, tap, place, .. } = self;
        let len = ring.slots().min(CHUNK_LEN);
        let Ok(chunk) = ring.read_chunk(len) else { return 0 };
        let bytes = Pair::of(chunk.as_slices());
        let (mut at, mut datagrams, before) = (0, 0, *place);
        while let Some(header) = bytes.header(at) {
            let note = Note::decode(&header);
            let end = at + HEADER_LEN + note.payload_len as usize;
            // The keeper is just about to add the payload, or it lies beyond the chunk.
            if end > len {
                break;
            }
            writing.take(&note, bytes.part(at + HEADER_LEN, end), desk);
            *place = tap::after(*place, note.file);
            (at, datagrams) = (end, datagrams + 1);
        }
        if let Some(tap) = tap
            && datagrams > 0
        {
            tap.copy(writing.receiver, before, bytes.part(0, at), datagrams);
        }
        chunk.commit(at);
        at
    }

    fn end(&mut self, desk: &mut Desk<'_>) {
        let end = lock(&self.shared.end).take();
        let missing = end.as_ref().map_or(&[][..], |end| &end.missing);
        self.writing.close(end.as_ref().map(|end| end.now_ns), missing, desk);
        if let (Some(tap), Some(end)) = (self.tap.take(), &end) {
            tap.end(self.writing.receiver, self.place, end.now_ns);
        }
        self.writing.at = At::Ended;
    }

    pub fn flush(&mut self, desk: &mut Desk<'_>) {
        let writing = &mut self.writing;
        let At::File(file) = &mut writing.at else { return };
        match file.flush() {
            Ok(0) => {}
            Ok(kept) => {
                desk.board.kept.fetch_add(kept, Ordering::Relaxed);
                writing.wait_ns = RETRY_NS_MIN;
                lock(&desk.board.errors).writing.clear();
            }
            Err(error) => writing.fail(&error, desk),
        }
    }

    /// Writing failed, and long enough ago to try again.
    pub fn is_due(&self, now_ns: u64) -> bool {
        match self.writing.at {
            // A clock that was set back must not keep us waiting.
            At::Failed { due_ns, .. } => now_ns >= due_ns || due_ns - now_ns > RETRY_NS_MAX,
            _ => false,
        }
    }

    /// Asks the keeper to begin another file, behind all that lie in the folder.
    pub fn ask_for_new_file(&mut self, folder: &Folder) {
        if let At::Failed { number, .. } = self.writing.at {
            let next = folder.next_number(self.writing.receiver).max(number.saturating_add(1));
            self.shared.restart_at.store(next, Ordering::Relaxed);
        }
    }

    /// Receiver and number of the file that is written.
    pub fn open_file(&self) -> Option<(u16, u32)> {
        match &self.writing.at {
            At::File(file) => Some((self.writing.receiver, file.number)),
            _ => None,
        }
    }

    pub fn open_bytes(&self) -> u64 {
        if let At::File(file) = &self.writing.at { file.bytes() } else { 0 }
    }

    pub fn open_first_ns(&self) -> Option<u64> {
        if let At::File(file) = &self.writing.at { Some(file.first_ns) } else { None }
    }
}

impl Writing {
    /// Puts one datagram into its file.
    fn take(&mut self, note: &Note, payload: [&[u8]; 2], desk: &mut Desk<'_>) {
        let current = match &self.at {
            At::File(file) => Some(file.number),
            At::Failed { number, .. } => Some(*number),
            At::Nothing | At::Ended => None,
        };
        if current != Some(note.file) {
            // The file before was watched until this datagram came.
            self.close(Some(note.ts_ns), &[], desk);
            self.begin(note, desk);
        }
        let At::File(file) = &mut self.at else {
            desk.board.not_written.fetch_add(1, Ordering::Relaxed);
            return;
        };
        if let Err(error) = file.add(note, payload) {
            self.fail(&error, desk);
        }
    }

    fn begin(&mut self, note: &Note, desk: &mut Desk<'_>) {
        let path = desk.folder.path(self.receiver, note.file);
        let started = (desk.create)(&path).and_then(|output| {
            RecordingFile::start(output, desk.product, &self.lines, note.file, note.ts_ns, self.from_ns)
        });
        match started {
            Ok(file) => {
                self.from_ns = None;
                self.at = At::File(Box::new(file));
            }
            Err(error) => self.failed(note.file, &error, desk),
        }
    }

    /// Closes the file that is open, if one is.
    fn close(&mut self, ended_ns: Option<u64>, missing: &[u32], desk: &mut Desk<'_>) {
        if let At::File(file) = std::mem::replace(&mut self.at, At::Nothing) {
            let (number, first_ns) = (file.number, file.first_ns);
            match file.close(ended_ns, missing) {
                Ok(outcome) => self.hold(number, first_ns, outcome, desk),
                Err((error, outcome)) => {
                    self.hold(number, first_ns, outcome, desk);
                    self.failed(number, &error, desk);
                }
            }
        }
    }

    /// Gives the open file up.
    fn fail(&mut self, error: &io::Error, desk: &mut Desk<'_>) {
        if let At::File(file) = std::mem::replace(&mut self.at, At::Nothing) {
            let (number, first_ns) = (file.number, file.first_ns);
            self.hold(number, first_ns, file.give_up(), desk);
            self.failed(number, error, desk);
        }
    }

    fn failed(&mut self, number: u32, error: &io::Error, desk: &mut Desk<'_>) {
        let path = desk.folder.path(self.receiver, number);
        lock(&desk.board.errors).writing = cannot("write", &path, error);
        self.at = At::Failed { number, due_ns: desk.now_ns.saturating_add(self.wait_ns) };
        self.wait_ns = (self.wait_ns * 2).min(RETRY_NS_MAX);
    }

    fn hold(&self, number: u32, first_ns: u64, outcome: Outcome, desk: &mut Desk<'_>) {
        desk.board.kept.fetch_add(outcome.kept, Ordering::Relaxed);
        desk.board.not_written.fetch_add(outcome.lost, Ordering::Relaxed);
        if outcome.bytes == 0 {
            // Nothing of it was ever safe. That it cannot be removed either is no further harm.
            let _ = fs::remove_file(desk.folder.path(self.receiver, number));
            return;
        }
        desk.folder.hold(Held {
            closed_ns: desk.now_ns,
            receiver: self.receiver,
            number,
            bytes: outcome.bytes,
            first_ns: Some(first_ns),
        });
    }
}

/// A stretch of the ring, in the two parts that it lies in.
pub(super) struct Pair<'a> {
    first: &'a [u8],
    second: &'a [u8],
}

impl<'a> Pair<'a> {
    pub fn of((first, second): (&'a [u8], &'a [u8])) -> Self {
        Self { first, second }
    }

    /// The bytes from `start` to `end`, in order.
    fn part(&self, start: usize, end: usize) -> [&'a [u8]; 2] {
        let middle = self.first.len();
        let (a, b) = (start.min(middle), end.min(middle));
        [&self.first[a..b], &self.second[start.max(middle) - middle..end.max(middle) - middle]]
    }

    pub fn header(&self, at: usize) -> Option<[u8; HEADER_LEN]> {
        let end = at + HEADER_LEN;
        if end > self.first.len() + self.second.len() {
            return None;
        }
        let [first, second] = self.part(at, end);
        let mut header = [0; HEADER_LEN];
        header[..first.len()].copy_from_slice(first);
        header[first.len()..].copy_from_slice(second);
        Some(header)
    }
}
