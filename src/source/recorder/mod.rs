//! The flight recorder: every datagram that reached a receiver, in a rotating set of compressed pcapng files.
//!
//! Two sides. A [`Keeper`] per receiver copies datagrams into a ring and never waits; it decides where a file ends and
//! so knows the place of every datagram. The [`Recorder`], on a thread of its own, empties the rings into files,
//! flushes them every second and deletes the oldest beyond the bounds. A replay of the files sees the datagrams with
//! the very times, order and losses that the receiver saw. Whoever wants the datagrams for something else has a copy of them
//! ([`Recorder::tap`]), for which the recorder never waits. It reads no clock: whoever calls
//! [`Recorder::step`] says what time it is.
//!
//! What could not be kept is counted where it happened: a full ring by the keeper (and in the file itself, with the
//! next datagram of the line), a full disk by the recorder, which goes on with a new file when it can.

mod blocks;
mod extract;
mod file;
mod folder;
mod keeper;
mod lane;
mod note;
mod state;
mod tap;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use rtrb::RingBuffer;

pub use extract::Extract;
pub use keeper::{Arrival, Keeper, Place};
pub use state::{RecorderMonitor, RecorderState};
pub use tap::{Outflow, OutflowMonitor, Stretch};

use file::Create;
use folder::{Bounds, Folder};
use lane::Lane;
use state::{Board, Shared, lock};

/// Name of a receiver's file, `r0-000001.pcapng.zst`.
pub fn capture_name(receiver: u16, file: u32) -> String {
    folder::file_name(receiver, file)
}

/// Between two flushes, and two looks at what is to be deleted.
const PERIOD_NS: u64 = 1_000_000_000;
/// The least ring: some of the largest datagrams.
const RING_BYTES_MIN: usize = 512 * 1024;

/// How recordings are kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RecorderSettings {
    /// Where the files lie; made when it is not there.
    pub directory: PathBuf,
    /// Bytes of datagrams (uncompressed, with some 100 bytes each for headers) after which a file ends.
    pub file_size: u64,
    /// Receive time after which a file ends, nanoseconds. It takes the next datagram to end it.
    pub file_time_ns: u64,
    /// Bytes of all files together; looked at every second. Open files count, but are never deleted.
    pub keep_size: u64,
    /// How long after its end a file is kept, nanoseconds.
    pub keep_time_ns: u64,
    /// Bytes of each receiver's ring; at least 512 KiB.
    pub ring_bytes: usize,
    /// Name and version of the program, written into every file.
    pub product: String,
}

/// The cold side: empties the rings into files.
pub struct Recorder {
    lanes: Vec<Lane>,
    folder: Folder,
    create: Create,
    product: String,
    bounds: Bounds,
    board: Arc<Board>,
    monitor: RecorderMonitor,
    /// When files were last flushed.
    flushed_ns: u64,
}

impl Recorder {
    /// A recorder and a keeper for each receiver, given the names of the receivers' lines (`source/channel/line`).
    ///
    /// Numbers go on from what lies in the directory. A directory that cannot be read or written is no reason not to
    /// start: it is said in the state, and tried again.
    pub fn new(settings: RecorderSettings, receivers: &[Vec<String>]) -> (Recorder, Vec<Keeper>) {
        Self::with_files(settings, receivers, Box::new(file::create))
    }

    fn with_files(
        settings: RecorderSettings,
        receivers: &[Vec<String>],
        create: Create,
    ) -> (Recorder, Vec<Keeper>) {
        let mut folder = Folder::new(settings.directory.clone());
        let board = Arc::new(Board::default());
        if let Err(error) = folder.scan(&[]) {
            lock(&board.errors).writing = lane::cannot("use", &settings.directory, &error);
        }
        let (mut lanes, mut keepers, mut shares) = (Vec::new(), Vec::new(), Vec::new());
        for (receiver, lines) in receivers.iter().enumerate() {
            let receiver = receiver as u16;
            let (producer, consumer) = touched_ring(settings.ring_bytes.max(RING_BYTES_MIN));
            let shared = Arc::new(Shared::default());
            let limits = (settings.file_size, settings.file_time_ns);
            let first_file = folder.next_number(receiver);
            keepers.push(Keeper::new(
                producer,
                Arc::clone(&shared),
                receiver,
                lines.len(),
                limits,
                first_file,
            ));
            lanes.push(Lane::new(receiver, lines.clone(), consumer, Arc::clone(&shared)));
            shares.push(shared);
        }
        let monitor =
            RecorderMonitor { directory: settings.directory, board: Arc::clone(&board), receivers: shares };
        let bounds = Bounds { size: settings.keep_size, time_ns: settings.keep_time_ns };
        let product = settings.product;
        (Self { lanes, folder, create, product, bounds, board, monitor, flushed_ns: 0 }, keepers)
    }

    /// What is kept from now on: bytes of all files together, and for how long after its end a file.
    pub fn keep(&mut self, size: u64, time_ns: u64) {
        self.bounds = Bounds { size, time_ns };
    }

    /// The lines are watched since then, whenever the first datagram comes: a replay counts silence from there.
    pub fn watched_from(&mut self, from_ns: u64) {
        self.lanes.iter_mut().for_each(|lane| lane.watched_from(from_ns));
    }

    /// Everything that is taken from now on is copied too, whether it can be written or not.
    pub fn tap(&mut self) -> Outflow {
        let (tap, outflow) = tap::tap();
        self.lanes.iter_mut().for_each(|lane| lane.tapped_by(tap.clone()));
        outflow
    }

    /// Shows the state to other threads.
    pub fn monitor(&self) -> RecorderMonitor {
        self.monitor.clone()
    }

    /// Takes what waits in the rings, and once a second flushes and deletes. `now_ns` is the wall's time, nanoseconds
    /// since 1970. `false` when there was nothing to take: a good time to sleep for some milliseconds.
    pub fn step(&mut self, now_ns: u64) -> bool {
        let mut taken = false;
        let mut percent = 0;
        for at in 0..self.lanes.len() {
            let Self { lanes, folder, create, product, board, .. } = self;
            let mut desk = lane::Desk { folder, create, product, board, now_ns };
            let lane = &mut lanes[at];
            percent = percent.max(lane.ring_percent());
            taken |= lane.drain(&mut desk);
        }
        if taken {
            self.board.ring_percent.store(percent, Ordering::Relaxed);
        }
        // A clock that was set back must not keep the data from the disk.
        if now_ns < self.flushed_ns || now_ns - self.flushed_ns >= PERIOD_NS {
            self.flushed_ns = now_ns;
            self.tidy(now_ns);
        }
        if self.is_finished() && !self.board.finished.load(Ordering::Relaxed) {
            self.tidy(now_ns);
            self.board.finished.store(true, Ordering::Release);
        }
        taken
    }

    /// Every keeper has finished (or was dropped) and all they kept is in closed files.
    pub fn is_finished(&self) -> bool {
        self.lanes.iter().all(Lane::is_ended)
    }

    /// Flushes, asks for new files where writing failed, deletes, and shows how things stand.
    fn tidy(&mut self, now_ns: u64) {
        let Self { lanes, folder, create, product, board, .. } = self;
        for lane in lanes.iter_mut() {
            lane.flush(&mut lane::Desk { folder, create, product, board, now_ns });
        }
        if lanes.iter().any(|lane| lane.is_due(now_ns)) {
            let open: Vec<_> = lanes.iter().filter_map(Lane::open_file).collect();
            // What cannot be listed cannot be written either; that is said already.
            let _ = folder.scan(&open);
            for lane in lanes.iter_mut().filter(|lane| lane.is_due(now_ns)) {
                lane.ask_for_new_file(folder);
            }
        }
        let open_bytes = lanes.iter().map(Lane::open_bytes).sum();
        let trimmed = folder.trim(self.bounds, open_bytes, now_ns);
        lock(&board.errors).deleting = trimmed
            .err()
            .map_or_else(String::new, |error| lane::cannot("delete in", &folder.directory, &error));
        let open = lanes.iter().filter(|lane| lane.open_file().is_some()).count();
        let oldest_open = lanes.iter().filter_map(Lane::open_first_ns).min();
        let oldest = folder.oldest_ns().into_iter().chain(oldest_open).min();
        board.files.store((folder.files() + open) as u64, Ordering::Relaxed);
        board.bytes.store(folder.bytes() + open_bytes, Ordering::Relaxed);
        board.oldest_ns.store(oldest.unwrap_or(0), Ordering::Relaxed);
    }
}

/// A ring whose memory has been written once, so that the receiver meets no page that is not there yet.
fn touched_ring(len: usize) -> (rtrb::Producer<u8>, rtrb::Consumer<u8>) {
    let (mut producer, mut consumer) = RingBuffer::new(len);
    let zeros = [0; 64 * 1024];
    let mut left = len;
    while left > 0 {
        let part = left.min(zeros.len());
        let pushed = producer.push_entire_slice(&zeros[..part]).is_ok();
        if let (true, Ok(chunk)) = (pushed, consumer.read_chunk(part)) {
            chunk.commit_all();
        }
        left -= part;
    }
    (producer, consumer)
}
