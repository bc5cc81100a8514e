//! What must not leave the firm is planted wherever it could be, and looked for in every file of the archive.

use std::path::Path;

use crate::kit::{captures, parallax, stderr, unpacked};

const SECRETS: [&str; 9] = [
    "jsmith",
    "nyhost77",
    "T0KEN",
    "hooks.example.com",
    "10.77.66.55",
    "eth-secret",
    "/run/secret",
    "owner-desk",
    "secret-folder",
];

fn planted(folder: &Path) -> String {
    std::fs::write(
        folder.join("map-jsmith.csv"),
        "instrument,source,symbol,desk\nZQAAA,sip,ZQAAA,owner-desk\n",
    )
    .unwrap();
    let config = r#"
# jsmith on nyhost77
[[source]]
name = "direct"
feed = "nasdaq-itch-5.0"
venue = "XNAS"
core = 1
[[source.channel]]
name = "tv1"
lines = [
  { name = "A", group = "233.54.12.111:26477", interface = "10.77.66.55", capture = "nyhost77-a.pcap.zst" },
  { name = "B", group = "233.49.196.111:26477", interface = "eth-secret" },
]
[[source]]
name = "sip"
feed = "utp-uqdf"
[[source.channel]]
name = "q1"
lines = [{ name = "A", group = "224.0.17.48:55530", sender = "10.77.66.55" }]
[instruments]
map = "map-jsmith.csv"
[run]
name = "nyhost77"
directory = "/run/secret"
[alerts]
log = "/srv/jsmith/alerts.ndjson"
syslog = "udp:10.77.66.55:514"
webhook = "https://hooks.example.com/T0KEN"
[recorder]
directory = "/run/secret/jsmith"
"#;
    config.to_owned()
}

#[test]
fn nothing_that_was_planted_is_in_it() {
    let folder = tempfile::Builder::new().prefix("secret-folder").tempdir().unwrap();
    std::fs::write(folder.path().join("c.toml"), planted(folder.path())).unwrap();
    let mut names = Vec::new();
    for (capture, name) in
        captures().iter().zip(["nyhost77-a.pcap.zst", "jsmith-b.pcap.zst", "nyhost77-sip.pcap.zst"])
    {
        std::fs::copy(capture, folder.path().join(name)).unwrap();
        names.push(name);
    }
    let mut arguments = vec!["evidence", crate::kit::WRONG_PRICE, "--config", "c.toml", "-o", "e.zip"];
    arguments.extend(names);
    let output = parallax(folder.path(), &arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    let verified = parallax(folder.path(), &["verify", "e.zip"]);
    assert!(verified.status.success(), "{}", crate::kit::stdout(&verified));
    let user = std::env::var("USER").unwrap_or_default();
    let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    let machine = [user.trim(), host.trim()].into_iter().filter(|name| name.len() > 4);
    let secrets: Vec<&str> = SECRETS.into_iter().chain(machine).collect();
    let raw = std::fs::read(folder.path().join("e.zip")).unwrap();
    for (name, bytes) in
        unpacked(&folder.path().join("e.zip")).iter().chain([&("the archive".to_owned(), raw)])
    {
        for secret in &secrets {
            let found = bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
            assert!(!found, "{secret} is in {name}");
        }
        // The sender's address, as bytes in a header.
        assert!(!bytes.windows(4).any(|w| w == [10, 77, 66, 55]), "an address is in {name}");
    }
}
