//! Another program reads our files: tshark, where it is installed.

use std::process::Command;

use crate::common::{Offered, SECOND, START, drain, one, paths, settings};
use parallax::source::Lost;

fn tshark(arguments: &[&str]) -> Option<String> {
    let output = Command::new("tshark").args(arguments).output().ok()?;
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "tshark {arguments:?}: {complaints}");
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn tshark_reads_a_recording_without_complaint() {
    if tshark(&["--version"]).is_none() {
        eprintln!("SKIPPED: tshark is not installed; no other program has read our recordings in this run");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (mut recorder, mut keeper) = one(settings(folder.path()), 2);
    let mut second = Offered::plain(1, START + 5, b"odd bytes");
    second.lost = Lost { socket: 4, host: 9 };
    let mut third = Offered::plain(0, START + 6, b"cut");
    third.wire_len = 1_000;
    let mut fourth = Offered::plain(0, START + 7, b"version six");
    fourth.source = "[fe80::1]:40001".parse().unwrap();
    fourth.destination = "[ff05::2]:26402".parse().unwrap();
    for offered in [Offered::plain(0, START, b"one"), second, third, fourth] {
        assert!(offered.keep(&mut keeper).is_some());
    }
    keeper.finish(START + SECOND);
    drain(&mut recorder, START);
    // Not every build of it decompresses zstd.
    let path = paths(folder.path(), 0).remove(0);
    let plain = folder.path().join("plain.pcapng");
    std::fs::write(&plain, zstd::decode_all(std::fs::File::open(path).unwrap()).unwrap()).unwrap();
    let fields = [
        "frame.time_epoch",
        "frame.interface_name",
        "frame.len",
        "frame.cap_len",
        "frame.drop_count",
        "ip.dst",
        "ipv6.dst",
        "udp.dstport",
        "ip.checksum.status",
        "udp.checksum.status",
        "udp.length",
        "data.data",
    ];
    let mut arguments = vec!["-r", plain.to_str().unwrap(), "-T", "fields", "-E", "separator=|"];
    arguments.extend(["-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"]);
    arguments.extend(fields.iter().flat_map(|field| ["-e", field]));
    let expected = "\
1760000000.000000000|source/channel/0|45|45||233.54.12.1||26400|1|1|11|6f6e65
1760000000.000000005|source/channel/1|51|51|4|233.54.12.2||26401|1|1|17|6f6464206279746573
1760000000.000000006|source/channel/0|1042|45||233.54.12.1||26400|1|3|1008|
1760000000.000000007|source/channel/0|73|73|||ff05::2|26402||1|19|76657273696f6e20736978
";
    assert_eq!(tshark(&arguments).unwrap(), expected);
    let malformed =
        tshark(&["-r", plain.to_str().unwrap(), "-Y", "_ws.malformed || _ws.expert.severity >= 6291456"]);
    assert_eq!(malformed.unwrap(), "");
}
