//! Recorders with a clock of the test's own, and recordings read back.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use parallax::source::recorder::{Arrival, Keeper, Place, Recorder, RecorderSettings};
use parallax::source::{CaptureCounts, Captures, Lost, Options};

pub const SECOND: u64 = 1_000_000_000;
/// When every test begins.
pub const START: u64 = 1_760_000_000 * SECOND;

/// Bounds that no test reaches unless it sets them.
pub fn settings(directory: &Path) -> RecorderSettings {
    RecorderSettings {
        directory: directory.to_owned(),
        file_size: 1 << 30,
        file_time_ns: 3_600 * SECOND,
        keep_size: 1 << 40,
        keep_time_ns: u64::MAX,
        ring_bytes: 1 << 20,
        product: "parallax test".to_owned(),
    }
}

pub fn lines(count: usize) -> Vec<String> {
    (0..count).map(|line| format!("source/channel/{line}")).collect()
}

/// A datagram on its way in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Offered {
    pub line: u16,
    pub ts_ns: u64,
    pub source: SocketAddr,
    pub destination: SocketAddr,
    pub payload: Vec<u8>,
    pub wire_len: u32,
    pub lost: Lost,
}

impl Offered {
    pub fn plain(line: u16, ts_ns: u64, payload: &[u8]) -> Self {
        Self {
            line,
            ts_ns,
            source: "10.1.2.3:40000".parse().unwrap(),
            destination: SocketAddr::from(([233, 54, 12, 1 + line as u8], 26_400 + line)),
            payload: payload.to_vec(),
            wire_len: payload.len() as u32,
            lost: Lost::default(),
        }
    }

    pub fn keep(&self, keeper: &mut Keeper) -> Option<Place> {
        keeper.keep(&Arrival {
            line: self.line,
            ts_recv_ns: self.ts_ns,
            source: self.source,
            destination: self.destination,
            payload: &self.payload,
            wire_len: self.wire_len,
            lost: self.lost,
        })
    }
}

/// A datagram of a recording.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Read {
    pub capture: String,
    pub frame: u64,
    pub interface_name: String,
    pub datagram: Offered,
}

/// What a recording holds.
pub struct Recording {
    pub datagrams: Vec<Read>,
    pub counts: Vec<CaptureCounts>,
    pub watched_until: Option<u64>,
}

impl Recording {
    pub fn payloads(&self) -> Vec<&[u8]> {
        self.datagrams.iter().map(|read| &*read.datagram.payload).collect()
    }

    /// Names of what went wrong.
    pub fn errors(&self) -> Vec<(&'static str, u64)> {
        let errors = self.counts.iter().flat_map(|counts| counts.errors());
        errors.map(|(reason, tally)| (reason.name(), tally.count)).collect()
    }
}

/// Reads captures as a replay does.
pub fn read(paths: &[PathBuf]) -> Recording {
    let mut captures = Captures::open(paths, &Options::default()).unwrap();
    let names = captures.names().to_vec();
    let mut datagrams = Vec::new();
    while let Some(datagram) = captures.next().unwrap() {
        datagrams.push(Read {
            capture: names[datagram.capture as usize].clone(),
            frame: datagram.frame,
            interface_name: datagram.interface_name.to_owned(),
            datagram: Offered {
                line: datagram.interface as u16,
                ts_ns: datagram.ts_recv_ns,
                source: datagram.source,
                destination: datagram.destination,
                payload: datagram.payload.to_vec(),
                wire_len: datagram.wire_len,
                lost: datagram.lost,
            },
        });
    }
    Recording { datagrams, counts: captures.counts().to_vec(), watched_until: captures.watched_until() }
}

/// Names in a directory, sorted.
pub fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A receiver's recordings, in order.
pub fn paths(directory: &Path, receiver: u16) -> Vec<PathBuf> {
    let mine = format!("r{receiver}-");
    names(directory).iter().filter(|name| name.starts_with(&mine)).map(|name| directory.join(name)).collect()
}

/// Steps until nothing is left to take.
pub fn drain(recorder: &mut Recorder, now_ns: u64) {
    while recorder.step(now_ns) {}
}

/// A recorder with one receiver.
pub fn one(settings: RecorderSettings, count: usize) -> (Recorder, Keeper) {
    let (recorder, mut keepers) = Recorder::new(settings, &[lines(count)]);
    assert_eq!(keepers.len(), 1);
    (recorder, keepers.remove(0))
}
