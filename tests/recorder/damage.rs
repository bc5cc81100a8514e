//! A recording cut anywhere: what was flushed can be read.

use std::fs;

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
