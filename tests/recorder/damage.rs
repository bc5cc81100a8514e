//! A recording cut anywhere: what was flushed can be read. And one with wrong bytes: it ends.

use std::fs;
use std::sync::LazyLock;

use parallax::source::{Lost, Options, read_bytes};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::common::{Offered, SECOND, START, drain, one, paths, read, settings};

#[test]
fn a_file_cut_at_any_byte_gives_everything_up_to_the_flush_before() {
    let folder = tempfile::tempdir().unwrap();
    let (mut recorder, mut keeper) = one(settings(folder.path()), 2);
    let mut payloads = vec![];
    // Length of the file after each flush, and the datagrams in it.
    let mut flushes = vec![(0, 0)];
    for second in 1..=4_u64 {
        for n in 0..second * 2 {
            let payload = (0..20 + n * 13).map(|at| (at / 16 * 7 + n * second) as u8).collect::<Vec<_>>();
            let at = START + second * SECOND + n;
            assert!(Offered::plain((n % 2) as u16, at, &payload).keep(&mut keeper).is_some());
            payloads.push(payload);
        }
        drain(&mut recorder, START + second * SECOND);
        let len = paths(folder.path(), 0)[0].metadata().unwrap().len() as usize;
        assert_eq!(recorder.monitor().state().kept, payloads.len() as u64);
        flushes.push((len, payloads.len()));
    }
    keeper.finish(START + 5 * SECOND);
    drain(&mut recorder, START + 5 * SECOND);
    let path = paths(folder.path(), 0).remove(0);
    let whole = fs::read(&path).unwrap();
    assert_eq!(read(std::slice::from_ref(&path)).payloads(), payloads);

    let cut = folder.path().join("cut");
    let first = flushes[1].0;
    for len in first..whole.len() {
        fs::write(&cut, &whole[..len]).unwrap();
        let recording = read(std::slice::from_ref(&cut));
        let flushed = flushes.iter().rev().find(|flush| flush.0 <= len).unwrap().1;
        let found = recording.payloads();
        assert!(found.len() >= flushed, "{} of {flushed} datagrams in {len} bytes", found.len());
        assert_eq!(found, payloads[..found.len()]);
        // The cut is counted once, and stops nothing.
        assert_eq!(recording.errors(), [("corrupt_compression", 1)], "{len} bytes");
    }
}

/// A whole recording with every kind of block, decompressed.
fn recording() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let (mut recorder, mut keeper) = one(settings(folder.path()), 3);
    for n in 0..40_u64 {
        let mut offered =
            Offered::plain((n % 3) as u16, START + n * SECOND, &vec![n as u8; (n * 9) as usize]);
        offered.lost = Lost { socket: (n % 5 / 4) as u32, host: (n % 7 / 6 * 3) as u32 };
        assert!(offered.keep(&mut keeper).is_some());
    }
    keeper.finish(START + 50 * SECOND);
    drain(&mut recorder, START);
    let path = paths(folder.path(), 0).remove(0);
    zstd::decode_all(fs::File::open(path).unwrap()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// The reader's answer to noise: an end, sooner or later, and no more packets than there is room for.
    #[test]
    fn a_recording_with_wrong_bytes_is_read_to_an_end(
        noise in vec((any::<Index>(), any::<u8>()), 1..12),
        words in vec((any::<Index>(), prop_oneof![Just(0), Just(u32::MAX), any::<u32>(), 0..64_u32]), 0..3),
        sort_window in any::<bool>(),
    ) {
        static WHOLE: LazyLock<Vec<u8>> = LazyLock::new(recording);
        let mut bytes = WHOLE.clone();
        for (at, byte) in noise {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        for (at, word) in words {
            let at = at.index(bytes.len() / 4) * 4;
            bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
        }
        let options = Options { sort_window, ..Options::default() };
        if let Ok(counts) = read_bytes(&bytes, &options) {
            prop_assert!(counts.packets <= (bytes.len() / 32) as u64);
            prop_assert!(counts.datagrams <= counts.packets);
        }
    }
}
