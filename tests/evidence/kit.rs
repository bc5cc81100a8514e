//! What the tests share: the demo, the binary, archives taken apart and put together again.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use parallax::evidence::unzip::ZipReader;
use parallax::evidence::zip::ZipWriter;

/// The demo's wrong price, late quote, line that loses packets and gap.
pub const WRONG_PRICE: &str = "174b53f7f16c81c9";
pub const LATE: &str = "e8701f6d39008624";
pub const LINE: &str = "e584a4aa05e34223";
pub const GAP: &str = "23f4690810f76c75";

pub fn demo(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/demo").join(name)
}

pub fn captures() -> Vec<PathBuf> {
    ["itch_a.pcap.zst", "itch_b.pcap.zst", "sip.pcap.zst"].map(demo).to_vec()
}

/// Runs the binary in a folder.
pub fn parallax(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_parallax"));
    command.args(arguments).current_dir(folder).output().expect("the binary runs")
}

pub fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("it says text")
}

pub fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("it says text")
}

/// Evidence of an alert of the demo, in `folder`.
pub fn evidence(folder: &Path, id: &str) -> PathBuf {
    let file = folder.join("evidence.zip");
    let (config, captures) = (demo("parallax.toml"), captures());
    let mut arguments =
        vec!["evidence", id, "--config", config.to_str().unwrap(), "-o", file.to_str().unwrap()];
    arguments.extend(captures.iter().map(|c| c.to_str().unwrap()));
    let output = parallax(folder, &arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    file
}

/// Files of an archive, by name.
pub type Files = Vec<(String, Vec<u8>)>;

/// Every file of an archive.
pub fn unpacked(archive: &Path) -> Files {
    let mut zip = ZipReader::new(BufReader::new(File::open(archive).unwrap())).unwrap();
    let names: Vec<String> = zip.entries().iter().map(|e| e.name.clone()).collect();
    names.into_iter().map(|name| (name.clone(), zip.bytes(&name, 1 << 30).unwrap())).collect()
}

/// Puts files together again.
pub fn packed(to: &Path, files: &[(String, Vec<u8>)]) {
    let mut zip = ZipWriter::new(File::create(to).unwrap());
    files.iter().for_each(|(name, bytes)| zip.add(name, bytes.as_slice()).unwrap());
    zip.finish().unwrap();
}

/// The file of that name.
pub fn text(files: &[(String, Vec<u8>)], name: &str) -> String {
    let (_, bytes) = files.iter().find(|(n, _)| n == name).unwrap_or_else(|| panic!("{name} is in it"));
    String::from_utf8(bytes.clone()).unwrap()
}
