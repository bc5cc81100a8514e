//! `parallax compare` end to end: captures whose differences are known, the real A/B session, and what cannot be compared.

use std::fs::File;
use std::io::BufWriter;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use parallax::source::writer::{CaptureWriter, Compressor};
use parallax::source::{Captures, Compression, Options};
use serde_json::Value;

const SENDER: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 1), 30_001);

fn demo(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/demo").join(name)
}

fn compare(arguments: &[&str]) -> Output {
    let binary = env!("CARGO_BIN_EXE_parallax");
    Command::new(binary).arg("compare").args(arguments).output().expect("the binary runs")
}

fn outcome(arguments: &[&str]) -> Value {
    let done = compare(&[arguments, &["--format", "json"]].concat());
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).expect("the outcome is JSON")
}

fn text(arguments: &[&str]) -> String {
    let done = compare(arguments);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).expect("the outcome is text")
}

/// The sentence on standard error of a command that could not run.
fn refused(arguments: &[&str]) -> String {
    let done = compare(arguments);
    assert_eq!(done.status.code(), Some(2), "{}", String::from_utf8_lossy(&done.stdout));
    String::from_utf8(done.stderr).expect("the sentence is text")
}

#[derive(Clone)]
struct Packet {
    ts_ns: u64,
    group: SocketAddrV4,
    payload: Vec<u8>,
}

fn packets(path: &Path) -> Vec<Packet> {
    let mut captures = Captures::open(&[path.to_path_buf()], &Options::default()).unwrap();
    let mut all = Vec::new();
    while let Some(datagram) = captures.next().unwrap() {
        let SocketAddr::V4(group) = datagram.destination else { panic!("IPv4 only") };
        all.push(Packet { ts_ns: datagram.ts_recv_ns, group, payload: datagram.payload.to_vec() });
    }
    all
}

fn write(path: &Path, packets: &[Packet]) {
    let file = BufWriter::new(File::create(path).unwrap());
    let mut writer = CaptureWriter::pcap(Compressor::new(file, Compression::None).unwrap()).unwrap();
    for packet in packets {
        writer.write_udp(packet.ts_ns, 0, SENDER, packet.group, &packet.payload).unwrap();
    }
    writer.finish().unwrap();
}

#[test]
fn a_capture_is_itself() {
    let path = demo("sip.pcap.zst");
    let same = path.to_str().unwrap();
    let found = outcome(&[same, same, "--fail-on-difference"]);
    assert_eq!(found["verdict"], "identical");
    assert_eq!(found["packets"][0]["matched"], 1_993);
    let lead = &found["packets"][0]["lead"];
    assert_eq!((&lead["together"], &lead["count"]), (&1_851.into(), &1_851.into()));
    assert!(found["sentences"][1].as_str().unwrap().starts_with("Neither is first: all 1,851 packets"));
    assert_eq!(found["clocks"]["one"], true);
}

#[test]
fn lines_differ_by_what_one_lost() {
    let (a, b) = (demo("itch_a.pcap.zst"), demo("itch_b.pcap.zst"));
    let pair = [a.to_str().unwrap(), b.to_str().unwrap()];
    let found = outcome(&pair);
    assert_eq!(found["verdict"], "different");
    let packets = &found["packets"][0];
    assert_eq!((&packets["matched"], &packets["altered"]), (&6_894.into(), &0.into()));
    assert_eq!(packets["sides"][0]["missing"], 0);
    assert_eq!(packets["sides"][1]["missing_ranges"], serde_json::json!([[4_450, 4_453]]));
    // The replay of the same lines tells the same leads: line A of the demo is second in the order of addresses.
    assert_eq!((&packets["lead"]["first_led"], &packets["lead"]["second_led"]), (&4_816.into(), &398.into()));
    assert!(found["sentences"][0].as_str().unwrap().contains("itch_b.pcap.zst lacks 4 messages"));
    let done = compare(&[&pair[..], &["--fail-on-difference"]].concat());
    assert_eq!(done.status.code(), Some(1));
}

#[test]
fn a_damaged_copy_an_hour_away_is_told_to_the_packet() {
    let folder = tempfile::tempdir().unwrap();
    let whole = packets(&demo("itch_a.pcap.zst"));
    let mut copy: Vec<Packet> = whole.clone();
    copy.iter_mut().for_each(|packet| packet.ts_ns += 3_600_000_000_000);
    // The last byte of a packet's last message: an order's price or a count, and nothing of the framing.
    let altered = &mut copy[2_000].payload;
    *altered.last_mut().unwrap() ^= 0x40;
    let (first, second) = (copy[1_000].ts_ns, copy[1_001].ts_ns);
    copy.swap(1_000, 1_001);
    (copy[1_000].ts_ns, copy[1_001].ts_ns) = (first, second);
    let lost = copy.remove(3_000);
    let number = u64::from_be_bytes(lost.payload[10..18].try_into().unwrap());
    let count = u16::from_be_bytes(lost.payload[18..20].try_into().unwrap());
    let paths = [folder.path().join("here.pcap"), folder.path().join("there.pcap")];
    write(&paths[0], &whole);
    write(&paths[1], &copy);
    let found = outcome(&[paths[0].to_str().unwrap(), paths[1].to_str().unwrap()]);
    let packets = &found["packets"][0];
    assert_eq!(found["verdict"], "different");
    assert_eq!(packets["altered"], 1);
    assert_eq!(packets["altered_examples"][0]["seen"][1]["frame"], 2_001);
    assert_eq!(packets["sides"][1]["missing"], count);
    assert_eq!(
        packets["sides"][1]["missing_ranges"],
        serde_json::json!([[number, number + u64::from(count) - 1]])
    );
    assert!(packets["sides"][1]["out_of_order"].as_u64().unwrap() >= 1);
    assert_eq!(packets["lead"]["p50_ns"], 3_600_000_000_000u64);
    assert!(found["sentences"].to_string().contains("cannot be told from transit time"));
}

#[test]
fn two_feeds_are_compared_by_their_quotes_and_every_form_says_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    let (a, b) = (demo("itch_a.pcap.zst"), demo("sip.pcap.zst"));
    let pair = [a.to_str().unwrap(), b.to_str().unwrap()];
    let found = outcome(&[&pair[..], &["--html", page.to_str().unwrap()]].concat());
    let quotes = &found["quotes"][0];
    let told: Vec<(&str, u64)> = quotes["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| (f["kind"].as_str().unwrap(), f["alerts"].as_u64().unwrap()))
        .collect();
    // As the scenario has it: a wrong price, five late quotes, a gap of two packets.
    assert_eq!(told, [("divergent", 1), ("gap", 1), ("lagging", 5)]);
    assert_eq!(quotes["agreement_percent"], "99.63");
    assert_eq!(quotes["worst"][0]["instrument"], "ZQIAJ");
    // Every update is matched, the other's alone, given up with the trust in a book, or still not looked for.
    for side in 0..2 {
        let n = |name: &str| quotes[name][side].as_u64().unwrap();
        assert_eq!(
            n("updates"),
            quotes["matched"].as_u64().unwrap() + n("unmatched") + n("not_judged"),
            "{quotes}"
        );
    }
    let shown = text(&pair);
    for sentence in found["sentences"].as_array().unwrap() {
        assert!(shown.contains(sentence.as_str().unwrap()), "{shown}");
    }
    assert!(
        shown.contains("the same in both (price and size) 1,460;") && quotes["matched"] == 1_460,
        "{shown}"
    );
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("99.63 %") && page.contains("<svg") && page.ends_with("</html>\n"));
    for load in ["http:", "https:", "<script", "<link", "<img", "@import", "url("] {
        assert!(!page.contains(load), "the page loads something: {load}");
    }
    for tag in ["table", "section", "figure", "svg", "ul", "tr", "p"] {
        let opened = page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}

#[test]
fn sources_and_lines_of_a_configuration_can_be_named() {
    let config = demo("parallax.toml");
    let captures: Vec<PathBuf> =
        ["itch_a", "itch_b", "sip"].iter().map(|n| demo(&format!("{n}.pcap.zst"))).collect();
    let captures: Vec<&str> = captures.iter().map(|p| p.to_str().unwrap()).collect();
    let with = |a, b| outcome(&[&["--config", config.to_str().unwrap(), a, b], &captures[..]].concat());
    let sources = with("direct", "sip");
    assert_eq!(sources["quotes"][0]["sources"], serde_json::json!(["direct", "sip"]));
    assert_eq!(sources["quotes"][0]["agreement_percent"], "99.63");
    let lines = with("direct/tv1/A", "233.49.196.111:26477");
    assert_eq!((&lines["packets"][0]["matched"], &lines["verdict"]), (&6_894.into(), &"different".into()));
    let unknown = [&["--config", config.to_str().unwrap(), "nobody", "sip"], &captures[..]].concat();
    assert!(
        refused(&unknown).contains("nobody is no capture, source, line or group: sources are direct, sip")
    );
}

#[test]
fn what_has_nothing_in_common_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let (other, sip) = (folder.path().join("other.pcap"), demo("sip.pcap.zst"));
    let group = SocketAddrV4::new(Ipv4Addr::new(239, 1, 1, 1), 5_000);
    let say =
        |n: u64| Packet { ts_ns: n * 1_000_000, group, payload: format!("{{\"price\":{n}}}").into_bytes() };
    write(&other, &(1..50).map(say).collect::<Vec<_>>());
    let pair = [sip.to_str().unwrap(), other.to_str().unwrap()];
    let found = outcome(&pair);
    assert_eq!(found["verdict"], "nothing_in_common");
    assert_eq!(
        found["sentences"],
        serde_json::json!([
            "They have nothing in common that could be compared: sip.pcap.zst carries utp-uqdf on 224.0.17.48:55530; other.pcap carries nothing that is spoken here."
        ])
    );
    assert_eq!(compare(&[&pair[..], &["--fail-on-difference"]].concat()).status.code(), Some(1));
}

#[test]
fn quotes_of_different_times_are_not_compared() {
    let folder = tempfile::tempdir().unwrap();
    let later = folder.path().join("later.pcap");
    let mut moved = packets(&demo("sip.pcap.zst"));
    moved.iter_mut().for_each(|packet| packet.ts_ns += 86_400_000_000_000);
    write(&later, &moved);
    let direct = demo("itch_a.pcap.zst");
    let found = outcome(&[direct.to_str().unwrap(), later.to_str().unwrap()]);
    assert_eq!(found["verdict"], "nothing_in_common");
    let sentence = found["sentences"][0].as_str().unwrap();
    assert!(
        sentence.contains("both quote the same instruments, but not at the same time: 2026-03-02T14:30:00"),
        "{sentence}"
    );
}

#[test]
fn one_feed_of_two_days_is_told_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let (today, tomorrow) = (demo("itch_a.pcap.zst"), folder.path().join("tomorrow.pcap"));
    // Numbers begin anew every day, and what they stand for is another thing.
    let mut other = packets(&today);
    for packet in &mut other {
        packet.ts_ns += 86_400_000_000_000;
        *packet.payload.last_mut().unwrap() ^= 0x40;
    }
    write(&tomorrow, &other);
    let pair = [today.to_str().unwrap(), tomorrow.to_str().unwrap()];
    let found = outcome(&pair);
    assert_eq!(found["verdict"], "nothing_in_common");
    let sentences = found["sentences"].as_array().unwrap();
    let sentence = sentences[0].as_str().unwrap();
    assert_eq!(sentences.len(), 1, "{sentences:?}");
    let end = "have other bytes: not one feed twice (one is of 2026-03-02T14:30:00Z to 2026-03-02T14:30:06Z, the other of 2026-03-03T14:30:00Z to 2026-03-03T14:30:06Z).";
    assert!(
        sentence.contains("of the 6,898 messages of 233.54.12.111:26477 with the same number"),
        "{sentence}"
    );
    assert!(sentence.ends_with(end), "{sentence}");
    let page = folder.path().join("page.html");
    let shown = text(&[&pair[..], &["--html", page.to_str().unwrap()]].concat());
    assert!(shown.contains("not one feed twice: who is first with a number says nothing"), "{shown}");
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("Not one feed twice") && !page.contains("<svg"), "{page}");
    assert_eq!(page.matches("<ul").count(), page.matches("</ul>").count());
    // At the same time, bytes and prices differ: that is told of both.
    let (again, beside) = (demo("sip.pcap.zst"), folder.path().join("beside.pcap"));
    let mut changed = packets(&again);
    changed.iter_mut().for_each(|packet| *packet.payload.last_mut().unwrap() ^= 0x40);
    write(&beside, &changed);
    let found = outcome(&[again.to_str().unwrap(), beside.to_str().unwrap()]);
    assert_eq!(found["verdict"], "different");
    assert!(found["sentences"][0].as_str().unwrap().contains("not one feed twice"), "{found}");
}

#[test]
fn what_cannot_be_compared_gets_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("trades.jsonl");
    std::fs::write(&json, "{\"e\":\"trade\"}\n").unwrap();
    let sip = demo("sip.pcap.zst");
    let (json, sip) = (json.to_str().unwrap(), sip.to_str().unwrap());
    assert!(refused(&[json, sip]).contains("trades.jsonl is not a capture"));
    assert!(refused(&["-", sip]).contains("name files, not standard input"));
    assert!(refused(&[sip]).contains("there is only one thing to compare here, utp-uqdf"));
    assert!(refused(&["no_such_file", sip]).contains("no_such_file"));
    assert!(refused(&[sip, sip, sip]).contains("there are 3 things to compare here: utp-uqdf on"));
    assert!(refused(&[folder.path().to_str().unwrap(), sip]).contains("is a directory"));
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (empty, cut) = (file("empty", b""), std::fs::read(demo("sip.pcap.zst")).unwrap());
    assert!(refused(&[&empty, sip]).contains("empty is not a capture"));
    assert!(refused(&[&file("cut.zst", &cut[..2_000]), sip]).contains("is damaged near byte 2000"));
    let window = ["--from", "2026-03-02T14:30:05Z", "--to", "2026-03-02T14:30:01Z"];
    assert!(refused(&[&[sip, sip], &window[..]].concat()).contains("is not before"));
    let far = refused(&[sip, sip, "--from", "99999999999999999999"]);
    assert!(far.contains("--from 99999999999999999999 is no RFC 3339 time"), "{far}");
    let config = refused(&[sip, sip, "--config", &empty]);
    assert_eq!(config.lines().count(), 1, "{config}");
    // What was captured up to where it breaks off is compared, and the damage is told.
    let plain = folder.path().join("plain.pcap");
    write(&plain, &packets(&demo("sip.pcap.zst")));
    let broken = file("broken.pcap", &std::fs::read(&plain).unwrap()[..50_000]);
    let shown = text(&[&broken, sip]);
    assert!(shown.contains("damaged: broken.pcap") && shown.contains("other lie before"), "{shown}");
    assert!(refused(&[sip, sip, "--html", "/no/such/folder/x.html"]).contains("cannot be written"));
}

#[test]
fn the_real_lines_carry_the_same_and_b_is_first() {
    let root = std::env::var_os("PARALLAX_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let capture = root.join("captures/sessions/cme_mdp3_v6_ab_20161112.pcapng");
    if !capture.is_file() {
        eprintln!("SKIPPED: there is no {}", capture.display());
        return;
    }
    let found = outcome(&[capture.to_str().unwrap()]);
    assert_eq!(found["verdict"], "identical");
    let packets = &found["packets"][0];
    assert_eq!((&packets["matched"], &packets["unit"]), (&5_000.into(), &"packet".into()));
    let lead = &packets["lead"];
    assert_eq!((&lead["second_led"], &lead["first_led"]), (&4_807.into(), &193.into()));
    let ends = [lead["min_ns"].as_i64().unwrap(), lead["max_ns"].as_i64().unwrap()];
    assert!((-15_450..-15_350).contains(&ends[0]) && (6_050..6_150).contains(&ends[1]), "{ends:?}");
    let quotes = &found["quotes"][0];
    assert_eq!(quotes["updates"], serde_json::json!([2_114, 2_114]));
    assert_eq!(quotes["matched"], 2_114);
}
