//! Disks that fail at will; the rest of the recorder is tested from outside, in `tests/recorder`.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::super::merge::{Captures, Lost, Options};
use super::file::{Output, create};
use super::folder::{file_name, parse_name};
use super::note::{HEADER_LEN, Note};
use super::{Arrival, Keeper, Place, Recorder, RecorderSettings};

const SECOND: u64 = 1_000_000_000;
const START: u64 = 1_760_000_000 * SECOND;

/// A disk with so many bytes of room.
#[derive(Default)]
struct Disk {
    room: AtomicU64,
    /// Whether files that were begun can be cut.
    cannot_cut: AtomicBool,
}

/// A real file on it. Writes what fits, then fails.
struct OnDisk {
    file: Box<dyn Output>,
    disk: Arc<Disk>,
}

impl Write for OnDisk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.disk.room.load(Ordering::Relaxed);
        let len = bytes.len().min(room as usize);
        if len == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.disk.room.store(room - len as u64, Ordering::Relaxed);
        self.file.write_all(&bytes[..len])?;
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Output for OnDisk {
    fn cut(&mut self, len: u64) -> io::Result<()> {
        if self.disk.cannot_cut.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        self.file.cut(len)
    }
}

fn recorder_on(disk: &Arc<Disk>, directory: &Path) -> (Recorder, Keeper) {
    let settings = RecorderSettings {
        directory: directory.to_owned(),
        file_size: 40_000,
        file_time_ns: 3_600 * SECOND,
        keep_size: u64::MAX,
        keep_time_ns: u64::MAX,
        ring_bytes: 0,
        product: "parallax test".to_owned(),
    };
    let disk = Arc::clone(disk);
    let files = Box::new(move |path: &Path| -> io::Result<Box<dyn Output>> {
        Ok(Box::new(OnDisk { file: create(path)?, disk: Arc::clone(&disk) }))
    });
    let (recorder, mut keepers) = Recorder::with_files(settings, &[vec!["line".to_owned()]], files);
    (recorder, keepers.remove(0))
}

/// A datagram that does not compress, with its number in front.
fn payload(number: u64) -> Vec<u8> {
    let mut state = number;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    });
    number.to_le_bytes().into_iter().chain(noise.take(992)).collect()
}

fn keep(keeper: &mut Keeper, number: u64, ts_recv_ns: u64) -> Place {
    let place = keeper.keep(&Arrival {
        line: 0,
        ts_recv_ns,
        source: "10.0.0.1:1".parse().unwrap(),
        destination: "224.0.0.1:2".parse().unwrap(),
        payload: &payload(number),
        wire_len: 1_000,
        lost: Lost::default(),
    });
    place.expect("the ring has room")
}

/// Number of every datagram in the directory's files, with its place.
fn read(directory: &Path) -> Vec<(u64, Place)> {
    let mut found = vec![];
    let mut numbers: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| parse_name(entry.unwrap().file_name().to_str().unwrap()).unwrap().1)
        .collect();
    numbers.sort_unstable();
    for file in numbers {
        let mut captures =
            Captures::open(&[directory.join(file_name(0, file))], &Options::default()).unwrap();
        while let Some(datagram) = captures.next().unwrap() {
            let number = u64::from_le_bytes(*datagram.payload.first_chunk().unwrap());
            assert_eq!(datagram.payload, payload(number));
            found.push((number, Place { file, frame: datagram.frame }));
        }
    }
    found
}

/// Two datagrams a second; the disk is full from `full_at` to `free_at` (seconds).
fn run(room: u64, cannot_cut: bool, free_at: u64) -> (u64, Vec<(u64, Place)>, Vec<Place>) {
    let folder = tempfile::tempdir().unwrap();
    let disk = Arc::new(Disk { room: room.into(), cannot_cut: cannot_cut.into() });
    let (mut recorder, mut keeper) = recorder_on(&disk, folder.path());
    let monitor = recorder.monitor();
    let mut places = vec![];
    let mut said = 0;
    for second in 0..120 {
        if second == free_at {
            disk.room.store(u64::MAX, Ordering::Relaxed);
        }
        for _ in 0..2 {
            let number = places.len() as u64;
            places.push(keep(&mut keeper, number, START + second * SECOND + number));
        }
        while recorder.step(START + second * SECOND) {}
        said += u64::from(!monitor.state().error.is_empty());
    }
    keeper.finish(START + 121 * SECOND);
    while recorder.step(START + 121 * SECOND) {}
    let state = monitor.state();
    assert!(state.finished);
    assert_eq!((state.kept + state.not_written, state.not_kept), (240, 0));
    assert_eq!(state.error, "", "it works again");
    assert!(said > 0 && said < 120, "{said} s");
    let on_disk: u64 =
        fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().metadata().unwrap().len()).sum();
    assert_eq!(state.bytes, on_disk);
    (state.kept, read(folder.path()), places)
}

#[test]
fn a_full_disk_costs_what_is_counted_and_no_more_and_ends() {
    // Full in the middle of a flush, at the very start, and while a file is closed.
    for room in [0, 1, 3_333, 25_001, 39_990, 80_000] {
        let (kept, found, places) = run(room, false, 80);
        assert_eq!(found.len() as u64, kept, "room for {room}");
        for (number, place) in &found {
            assert_eq!(places[*number as usize], *place, "room for {room}");
        }
        assert!(found.iter().map(|(number, _)| number).is_sorted());
        // What came before the disk was full, and all from some seconds after it was free.
        assert!(found.len() as u64 >= room / 1_200 + 2 * (120 - 90), "room for {room}: {}", found.len());
    }
}

#[test]
fn a_file_that_cannot_even_be_cut_may_hold_more_than_is_counted() {
    let (kept, found, places) = run(25_001, true, 80);
    assert!(found.len() as u64 >= kept);
    for (number, place) in &found {
        assert_eq!(places[*number as usize], *place);
    }
}

#[test]
fn names_are_ours_only_as_we_write_them() {
    assert_eq!(parse_name("r0-000001.pcapng.zst"), Some((0, 1)));
    assert_eq!(parse_name("r12-4294967295.pcapng.zst"), Some((12, u32::MAX)));
    for other in [
        "r0-1.pcapng.zst",
        "r00-000001.pcapng.zst",
        "r0-0000001.pcapng.zst",
        "r0-+00001.pcapng.zst",
        "r0-000001.pcapng.zst.part",
        "r0-000001.pcapng",
        "0-000001.pcapng.zst",
        "r0-4294967296.pcapng.zst",
        "r70000-000001.pcapng.zst",
    ] {
        assert_eq!(parse_name(other), None, "{other}");
    }
}

#[test]
fn a_header_in_the_ring_is_read_as_it_was_written() {
    let note = Note {
        ts_ns: 0x0102_0304_0506_0708,
        file: 0x1112_1314,
        payload_len: 0x2122_2324,
        wire_len: 0x3132_3334,
        lost: Lost { socket: 0x4142_4344, host: 0x5152_5354 },
        missing: 0x6162_6364,
        line: 0x7172,
        source: "[fe80::1:2]:65000".parse().unwrap(),
        destination: "233.1.2.3:4".parse().unwrap(),
    };
    let bytes: [u8; HEADER_LEN] = note.encode();
    assert_eq!(Note::decode(&bytes), note);
}

#[test]
fn a_new_file_never_replaces_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("r0-000001.pcapng.zst");
    File::create(&path).unwrap().write_all(b"kept").unwrap();
    assert_eq!(create(&path).err().map(|error| error.kind()), Some(io::ErrorKind::AlreadyExists));
    assert_eq!(fs::read(&path).unwrap(), b"kept");
}
