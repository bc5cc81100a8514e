//! Captures of every container, compression and link type give byte-exact datagrams.

use std::path::{Path, PathBuf};

use parallax::source::{Captures, Options};

/// The shared captures, or `None` when they are not on this machine.
fn shared(what: &str) -> Option<PathBuf> {
    let root = std::env::var_os("PARALLAX_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let path = root.join("captures").join(what);
    if !path.exists() {
        eprintln!("SKIPPED: {} is not there", path.display());
        return None;
    }
    Some(path)
}

fn files_under(directory: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files_under(&path, found);
        } else if path.file_name().unwrap().to_string_lossy().contains(".pcap") {
            found.push(path);
        }
    }
}

#[test]
fn shared_captures_are_read_to_their_end() {
    let Some(root) = shared("") else { return };
    let mut files = Vec::new();
    files_under(&root, &mut files);
    assert!(files.len() > 50, "only {} captures found", files.len());
    for path in files {
        let mut captures = Captures::open(std::slice::from_ref(&path), &Options::default()).unwrap();
        let mut datagrams = 0;
        while captures.next().unwrap().is_some() {
            datagrams += 1;
        }
        let counts = &captures.counts()[0];
        assert_eq!(counts.datagrams, datagrams);
        let counted: Vec<_> = counts.counted().map(|(reason, tally)| (reason.name(), tally.count)).collect();
        println!("{} {} {} {counted:?}", path.display(), counts.packets, counts.datagrams);
    }
}
