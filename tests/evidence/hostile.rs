//! Files that are none: one sentence and exit code 2, and nothing is written beside a temporary folder.

use std::process::Command;

use crate::kit::{WRONG_PRICE, captures, demo, evidence, packed, parallax, stderr, unpacked};

fn refused(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("x.zip"), bytes).unwrap();
    let output = parallax(folder.path(), &["verify", "x.zip"]);
    let told = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is written beside it");
    told
}

#[test]
fn what_is_no_evidence_file_is_refused() {
    assert!(refused(b"").contains("0 bytes are no evidence file"));
    assert!(refused(&[0; 100_000]).contains("it is cut off, or another file"));
    let folder = tempfile::tempdir().unwrap();
    let missing = parallax(folder.path(), &["verify", "none.zip"]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(
        stderr(&missing).contains("none.zip cannot be verified: it cannot be opened"),
        "{}",
        stderr(&missing)
    );
}

/// The packets lie in a temporary folder meanwhile: where that is full, it is what is named, not the evidence.
#[test]
fn a_full_temporary_folder_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = evidence(folder.path(), WRONG_PRICE);
    let (config, capture) = (demo("parallax.toml"), captures());
    let capture: Vec<&str> = capture.iter().map(|c| c.to_str().unwrap()).collect();
    let config = config.to_str().unwrap();
    let again = [&["evidence", WRONG_PRICE, "--config", config, "-o", "again.zip"][..], &capture].concat();
    for arguments in [&["verify", file.to_str().unwrap()][..], &again] {
        // No file may grow beyond 16 blocks of 512 bytes.
        let limited = "trap '' XFSZ; ulimit -f 16; exec \"$0\" \"$@\"";
        let mut command = Command::new("sh");
        command.args(["-c", limited, env!("CARGO_BIN_EXE_parallax")]).args(arguments);
        let output = command.current_dir(folder.path()).output().unwrap();
        let told = stderr(&output);
        assert_eq!((output.status.code(), told.lines().count()), (Some(2), 1), "{told}");
        assert!(told.contains("TMPDIR names another"), "{told}");
    }
    assert!(!folder.path().join("again.zip").exists());
}

#[test]
fn what_leads_outside_or_claims_too_much_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = evidence(folder.path(), WRONG_PRICE);
    let whole = std::fs::read(&file).unwrap();
    for cut in [30, whole.len() / 2, whole.len() - 1] {
        refused(&whole[..cut]);
    }
    let files = unpacked(&file);
    let changed = folder.path().join("changed.zip");
    let with = |name: &str, bytes: &[u8]| {
        let mut files = files.clone();
        files.push((name.to_owned(), bytes.to_vec()));
        packed(&changed, &files);
        refused(&std::fs::read(&changed).unwrap())
    };
    assert!(with("../../outside", b"x").contains("a name that no evidence file uses"));
    assert!(with("manifest.json", b"{}").contains("manifest.json is in it twice"));
    assert!(with("bomb", &vec![0; 200 << 20]).contains("claim to unpack to"));
    let replaced = |name: &str, to: &str| {
        let mut files = files.clone();
        files.iter_mut().filter(|(n, _)| n == name).for_each(|(_, bytes)| *bytes = to.as_bytes().to_vec());
        packed(&changed, &files);
        refused(&std::fs::read(&changed).unwrap())
    };
    assert!(replaced("manifest.json", "{").contains("its manifest cannot be read"));
    assert!(replaced("expect.json", "[]").contains("what it expects cannot be read"));
    let manifest = r#"{"format":"parallax-evidence-9","version":"9","alert":"x","captures":[],"files":[]}"#;
    assert!(replaced("manifest.json", manifest).contains("its format is \"parallax-evidence-9\""));
}

/// A configuration out of the file must not make us read files of the machine.
#[test]
fn a_configuration_that_names_other_files_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = unpacked(&evidence(folder.path(), WRONG_PRICE));
    let at = files.iter().position(|(n, _)| n == "config/parallax.toml").unwrap();
    let hostile = format!(
        "{}\n[instruments]\nmap = \"/etc/passwd\"\n",
        String::from_utf8(files[at].1.clone()).unwrap()
    );
    files[at].1 = hostile.into_bytes();
    let (bytes, sha) = (files[at].1.len() as u64, parallax::evidence::sha256::digest(&files[at].1));
    let last = files.len() - 1;
    let mut manifest: serde_json::Value = serde_json::from_slice(&files[last].1).unwrap();
    let list = manifest["files"].as_array_mut().unwrap();
    let file = list.iter_mut().find(|f| f["name"] == "config/parallax.toml").unwrap();
    (file["bytes"], file["sha256"]) = (bytes.into(), sha.into());
    files[last].1 = serde_json::to_vec(&manifest).unwrap();
    let changed = folder.path().join("changed.zip");
    packed(&changed, &files);
    assert!(refused(&std::fs::read(&changed).unwrap()).contains("names files outside of it"));
}
