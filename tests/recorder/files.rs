//! Files: when they end, how they are numbered, which of them go, and what happens when they cannot be written.

use std::fs;

use crate::common::{Offered, SECOND, START, drain, names, one, paths, read, settings};

#[test]
fn a_file_ends_by_size_and_by_time_and_says_until_when_it_watched() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path());
    // Two datagrams of 100 bytes with 94 each for headers, and no third.
    (settings.file_size, settings.file_time_ns) = (2 * 194 + 193, 10 * SECOND);
    let (mut recorder, mut keeper) = one(settings, 1);
    let mut places = vec![];
    for seconds in [0, 1, 2, 3, 3, 13, 14, 25] {
        let place = Offered::plain(0, START + seconds * SECOND, &[0; 100]).keep(&mut keeper).unwrap();
        places.push((place.file, place.frame));
    }
    // 3 + 10 s is not beyond the ten seconds, but the third of its file.
    assert_eq!(places, [(1, 1), (1, 2), (2, 1), (2, 2), (3, 1), (3, 2), (4, 1), (5, 1)]);
    keeper.finish(START + 26 * SECOND);
    drain(&mut recorder, START);
    let expected: Vec<_> = (1..=5).map(|n| format!("r0-{n:06}.pcapng.zst")).collect();
    assert_eq!(names(folder.path()), expected);
    let ends = [2, 3, 14, 25, 26];
    for (path, seconds) in paths(folder.path(), 0).iter().zip(ends) {
        let recording = read(std::slice::from_ref(path));
        assert_eq!(recording.watched_until, Some(START + seconds * SECOND), "{path:?}");
        assert_eq!(recording.errors(), []);
    }
}

#[test]
fn a_datagram_larger_than_a_file_has_a_file_to_itself() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path());
    settings.file_size = 1;
    let (mut recorder, mut keeper) = one(settings, 1);
    let places: Vec<_> =
        (0..3).map(|n| Offered::plain(0, START + n, b"large").keep(&mut keeper).unwrap()).collect();
    assert_eq!(places.iter().map(|p| (p.file, p.frame)).collect::<Vec<_>>(), [(1, 1), (2, 1), (3, 1)]);
    keeper.finish(START + 3);
    drain(&mut recorder, START);
    assert_eq!(read(&paths(folder.path(), 0)).datagrams.len(), 3);
}

#[test]
fn a_restart_goes_on_with_the_next_number_and_overwrites_nothing() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("r0-000041.pcapng.zst"), b"an earlier recording").unwrap();
    for other in
        ["r0-41.pcapng.zst", "r0-1000000x.pcapng.zst", "r00-000050.pcapng.zst", "r1-000007.pcapng.zst"]
    {
        fs::write(folder.path().join(other), b"not of this receiver").unwrap();
    }
    let mut expected = names(folder.path());
    for (n, payload) in [b"first", b"again"].into_iter().enumerate() {
        let (mut recorder, mut keeper) = one(settings(folder.path()), 1);
        let place = Offered::plain(0, START, payload).keep(&mut keeper).unwrap();
        assert_eq!((place.file, place.frame), (42 + n as u32, 1));
        keeper.finish(START + 1);
        drain(&mut recorder, START);
        expected.push(format!("r0-{:06}.pcapng.zst", 42 + n));
    }
    expected.sort();
    assert_eq!(names(folder.path()), expected);
    assert_eq!(fs::read(folder.path().join("r0-000041.pcapng.zst")).unwrap(), b"an earlier recording");
    for (number, payload) in [(42, b"first"), (43, b"again")] {
        let recording = read(&[folder.path().join(format!("r0-{number:06}.pcapng.zst"))]);
        assert_eq!(recording.payloads(), [payload]);
    }
}

#[test]
fn the_oldest_files_go_by_size_and_only_ours() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("notes.txt"), [0; 50_000]).unwrap();
    fs::create_dir(folder.path().join("r0-000001.pcapng.zst")).unwrap();
    let mut settings = settings(folder.path());
    (settings.file_size, settings.keep_size) = (3_000, 10_000);
    let (mut recorder, mut keeper) = one(settings, 1);
    let monitor = recorder.monitor();
    let mut random = 1_u64;
    for n in 0..100 {
        // Bytes that do not compress: a file of each datagram.
        let payload: Vec<u8> = std::iter::repeat_with(|| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (random >> 56) as u8
        })
        .take(2_900)
        .collect();
        assert!(Offered::plain(0, START + n * SECOND, &payload).keep(&mut keeper).is_some());
        drain(&mut recorder, START + n * SECOND);
        let state = monitor.state();
        assert!(state.bytes <= 10_000 || state.files == 1, "{state:?}");
        assert_eq!(state.error, "");
    }
    keeper.finish(START + 100 * SECOND);
    drain(&mut recorder, START + 100 * SECOND);
    let left = names(folder.path());
    let state = monitor.state();
    assert_eq!(state.files as usize, left.len() - 2);
    assert!((2..=3).contains(&state.files), "{state:?}");
    assert!(left.contains(&"notes.txt".to_owned()) && left.contains(&"r0-000001.pcapng.zst".to_owned()));
    assert!(left.contains(&"r0-000101.pcapng.zst".to_owned()), "the newest stays: {left:?}");
    assert_eq!(state.oldest_ns, START + (100 - state.files) * SECOND);
    let bytes: u64 =
        paths(folder.path(), 0).iter().filter(|p| p.is_file()).map(|p| p.metadata().unwrap().len()).sum();
    assert_eq!(bytes, state.bytes);
}

#[test]
fn files_go_by_age_those_of_earlier_runs_too_but_never_an_open_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(folder.path());
    settings.keep_time_ns = 100 * SECOND;
    let (mut recorder, mut keeper) = one(settings.clone(), 1);
    assert!(Offered::plain(0, START, b"the run before").keep(&mut keeper).is_some());
    keeper.finish(START + 1);
    drain(&mut recorder, START);
    let first = &paths(folder.path(), 0)[0];
    let written_ns = START + 50 * SECOND;
    let written = std::time::UNIX_EPOCH + std::time::Duration::from_nanos(written_ns);
    fs::File::options().write(true).open(first).unwrap().set_modified(written).unwrap();

    let (mut recorder, mut keeper) = one(settings, 1);
    let monitor = recorder.monitor();
    assert!(Offered::plain(0, written_ns + SECOND, b"open").keep(&mut keeper).is_some());
    drain(&mut recorder, written_ns + 100 * SECOND);
    // Its first datagram is known although another run wrote it.
    assert_eq!((monitor.state().files, monitor.state().oldest_ns), (2, START));
    drain(&mut recorder, written_ns + 101 * SECOND);
    assert_eq!(names(folder.path()), ["r0-000002.pcapng.zst"]);
    drain(&mut recorder, written_ns + 10_000 * SECOND);
    assert_eq!(names(folder.path()), ["r0-000002.pcapng.zst"]);
    assert_eq!((monitor.state().files, monitor.state().oldest_ns), (1, written_ns + SECOND));
    keeper.finish(written_ns + 2 * SECOND);
    drain(&mut recorder, written_ns + 10_000 * SECOND);
    assert_eq!(read(&paths(folder.path(), 0)).payloads(), [b"open"]);
}

#[test]
fn a_directory_that_cannot_be_used_is_said_and_tried_again_behind_what_lies_there() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("deep/recordings");
    fs::write(folder.path().join("deep"), b"a file where a folder should be").unwrap();
    let (mut recorder, mut keeper) = one(settings(&directory), 1);
    let monitor = recorder.monitor();
    assert!(monitor.state().error.contains("deep"), "{:?}", monitor.state());
    let mut offered = 0;
    let mut places = vec![];
    let mut run = |seconds: std::ops::Range<u64>, recorder: &mut parallax::source::recorder::Recorder| {
        for second in seconds {
            offered += 1;
            let payload = offered.to_string();
            let arrival = Offered::plain(0, START + second * SECOND, payload.as_bytes());
            places.push((arrival.keep(&mut keeper).unwrap(), payload));
            drain(recorder, START + second * SECOND);
        }
    };
    run(0..20, &mut recorder);
    let state = monitor.state();
    assert_eq!((state.kept, state.not_written, state.files), (0, 20, 0));
    assert!(state.error.starts_with("cannot write ") && state.error.contains("r0-"), "{}", state.error);

    fs::remove_file(folder.path().join("deep")).unwrap();
    fs::create_dir_all(&directory).unwrap();
    // What another run left meanwhile is not overwritten.
    fs::write(directory.join("r0-000900.pcapng.zst"), b"").unwrap();
    run(20..60, &mut recorder);
    let state = monitor.state();
    assert_eq!(state.error, "");
    assert_eq!(state.kept + state.not_written, 60);
    assert!(state.kept >= 30, "it waits at most some seconds: {state:?}");
    keeper.finish(START + 60 * SECOND);
    drain(&mut recorder, START + 60 * SECOND);

    let written: Vec<_> =
        paths(&directory, 0).into_iter().filter(|p| p.metadata().unwrap().len() > 0).collect();
    let recording = read(&written);
    let found: Vec<_> = recording.datagrams.iter().map(|r| (r.capture.clone(), r.frame)).collect();
    let expected: Vec<_> = places[places.len() - found.len()..]
        .iter()
        .map(|(place, _)| (format!("r0-{:06}.pcapng.zst", place.file), place.frame))
        .collect();
    assert_eq!(found, expected);
    assert!(found[0].0.as_str() >= "r0-000901");
    assert_eq!(found.len() as u64, monitor.state().kept);
}
