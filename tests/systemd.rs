//! The unit of the service is one that systemd understands, and gives the daemon no more than it needs.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// `systemd-analyze` with the unit as it stands, but for the binary, which is the one that was built.
fn analyze(arguments: &[&str]) -> Option<Output> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let unit = fs::read_to_string(root.join("tools/systemd/parallax.service")).expect("the unit is there");
    let binary = env!("CARGO_BIN_EXE_parallax");
    let installed = "/usr/local/bin/parallax";
    assert!(unit.contains(&format!("ExecStart={installed} run --config ")), "it starts the daemon");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("parallax.service");
    fs::write(&path, unit.replace(installed, binary)).expect("it can be written");
    match Command::new("systemd-analyze").args(arguments).arg(&path).output() {
        Ok(output) => Some(output),
        Err(error) => {
            eprintln!("SKIPPED: systemd-analyze is not here ({error}); the unit was not looked at");
            None
        }
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn systemd_understands_every_line() {
    let Some(output) = analyze(&["verify"]) else { return };
    assert_eq!((output.status.success(), said(&output).as_str()), (true, ""));
}

#[test]
fn the_service_is_exposed_no_more_than_it_needs_to_be() {
    let Some(output) = analyze(&["security", "--offline=true", "--no-pager", "--threshold=25"]) else {
        return;
    };
    let said = said(&output);
    // Before systemd 250 there was no --offline.
    if said.contains("unrecognized option") {
        eprintln!("SKIPPED: this systemd cannot judge a unit that is not installed");
        return;
    }
    assert!(output.status.success() && said.contains("Overall exposure level"), "{said}");
}

/// What README and unit say of rights is the same, and is what the daemon asks for.
#[test]
fn the_unit_gives_three_capabilities() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let unit = fs::read_to_string(root.join("tools/systemd/parallax.service")).expect("the unit is there");
    let readme = fs::read_to_string(root.join("tools/systemd/README.md")).expect("its paper is there");
    let given = |key: &str| {
        let line = unit.lines().find_map(|line| line.strip_prefix(key)).expect(key);
        line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    let names = ["CAP_NET_ADMIN", "CAP_SYS_NICE"];
    assert_eq!(given("AmbientCapabilities="), names);
    assert_eq!(given("CapabilityBoundingSet="), names);
    assert!(names.iter().all(|name| readme.contains(name)));
}
