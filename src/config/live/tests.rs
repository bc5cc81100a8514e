use std::net::Ipv4Addr;

use super::*;
use crate::config::Config;

const SOURCES: &str = r#"
[[source]]
name  = "direct"
feed  = "nasdaq-itch-5.0"
core  = 2
[[source.channel]]
name  = "tv1"
lines = [
  { name = "A", group = "233.54.12.111:26477", interface = "10.1.0.5", sender = "10.9.9.9" },
  { name = "B", group = "233.49.196.111:26477", interface = "eth1" },
]
[[source]]
name = "sip"
feed = "utp-uqdf"
core = 3
[[source.channel]]
name  = "q1"
lines = [{ name = "A", group = "224.0.17.48:55530" }]
[[source]]
name = "other"
feed = "nasdaq-itch-5.0"
core = 2
[[source.channel]]
name  = "o"
lines = [{ name = "A", group = "239.1.1.1:7000" }]
"#;

const TABLES: &str = r#"
[run]
name = "desk-1"
directory = "run"
mode = "block"
comparator_core = 3
realtime = 50
lock_memory = true
receive_buffer = "8MiB"
rejoin_after = "3s"
ring = 4096
[shared_memory]
directory = "/dev/shm/p"
levels = 10
instruments = 1000
[alerts]
log = "alerts.ndjson"
log_size = "1MB"
log_files = 3
syslog = "udp:127.0.0.1:514"
webhook = "https://me:key@host.example:8443/hook?token=x"
notify_from = "major"
chronic = { raised = 3, within = "1m" }
[metrics]
listen = "off"
[recorder]
directory = "kept"
file_size = "2MiB"
file_time = "30s"
keep_size = 1_000_000_000
keep_time = "2h"
[store]
path = "found.db"
interval = "10s"
keep_time = "720h"
keep_size = "1GiB"
parquet = "quotes"
parquet_messages = "messages"
parquet_rotate = "5m"
host = "md-01"
time_source = "PTP by ptp4l, it's gm1"
"#;

fn parse(text: &str) -> Result<Config, String> {
    Config::parse("c.toml", text, Path::new("/etc/parallax")).map_err(|e| e.to_string())
}

fn with(tables: &str) -> String {
    format!("{SOURCES}{tables}")
}

#[test]
fn what_is_left_out_has_its_documented_default() {
    let live = *parse(SOURCES).unwrap().live;
    assert_eq!(live, Live::default());
    assert_eq!((live.run.receive_buffer, live.run.ring, live.run.mode), (64 << 20, 65_536, Mode::Spin));
    assert_eq!(live.metrics.listen, Some("127.0.0.1:9464".parse().unwrap()));
    assert_eq!(live.shared_memory.unwrap().directory, Path::new("/dev/shm/parallax"));
    let recorder = parse(&with("[recorder]\n")).unwrap().live.recorder.unwrap();
    assert_eq!(recorder.directory, Path::new("/etc/parallax/recordings"));
    assert_eq!((recorder.file_size, recorder.keep_size), (256 << 20, 20 << 30));
    let store = parse(&with("[store]\n")).unwrap().live.store.unwrap();
    assert_eq!((store.path.as_path(), store.interval_ns), (Path::new("/etc/parallax/parallax.db"), MINUTE));
    assert_eq!(parse(&with("[shared_memory]\ndirectory = \"off\"")).unwrap().live.shared_memory, None);
}

#[test]
fn everything_that_is_written_is_read() {
    let config = parse(&with(TABLES)).unwrap();
    let folder = Path::new("/etc/parallax");
    let expected = Live {
        run: Run {
            name: "desk-1".to_owned(),
            directory: Some(folder.join("run")),
            mode: Mode::Block,
            comparator_core: Some(3),
            realtime: Some(50),
            lock_memory: true,
            receive_buffer: 8 << 20,
            rejoin_after_ns: 3 * SECOND,
            ring: 4096,
        },
        shared_memory: Some(SharedMemory { directory: "/dev/shm/p".into(), levels: 10, instruments: 1000 }),
        alerts: Alerts {
            log: Some(folder.join("alerts.ndjson")),
            log_size: 1_000_000,
            log_files: 3,
            syslog: Some(Syslog::Udp("127.0.0.1:514".parse().unwrap())),
            webhook: Some("https://me:key@host.example:8443/hook?token=x".to_owned()),
            notify_from: Severity::Major,
            chronic: Chronic { raised: 3, within_ns: MINUTE },
        },
        metrics: Metrics { listen: None },
        recorder: Some(Recorder {
            directory: folder.join("kept"),
            file_size: 2 << 20,
            file_time_ns: 30 * SECOND,
            keep_size: 1_000_000_000,
            keep_time_ns: 120 * MINUTE,
        }),
        store: Some(Store {
            path: folder.join("found.db"),
            interval_ns: 10 * SECOND,
            keep_time_ns: 720 * 60 * MINUTE,
            keep_size: 1 << 30,
            parquet: Some(folder.join("quotes")),
            parquet_messages: Some(folder.join("messages")),
            parquet_rotate_ns: 5 * MINUTE,
            host: Some("md-01".to_owned()),
            time_source: Some("PTP by ptp4l, it's gm1".to_owned()),
        }),
    };
    assert_eq!(*config.live, expected);
    let named = [Some("md-01".to_owned()), Some("PTP by ptp4l, it's gm1".to_owned())];
    assert_eq!(super::clock_of(&with(TABLES)), named);
    assert_eq!(super::clock_of("no toml ]"), [None, None]);
    assert_eq!(super::clock_of("[store]\nhost = 5\ntime_source = \"\""), [None, None]);
    assert_eq!(config.live.alerts.webhook_shown().as_deref(), Some("https://host.example:8443/..."));
    let lines = &config.sources[0].channels[0].lines;
    assert_eq!(lines[0].interface, Some(Interface::Address("10.1.0.5".parse().unwrap())));
    assert_eq!(lines[0].sender, Some("10.9.9.9".parse().unwrap()));
    assert_eq!((&lines[1].interface, lines[1].sender), (&Some(Interface::Name("eth1".to_owned())), None));
}

#[test]
fn every_mistake_has_its_line_and_the_right_word() {
    let cases = [
        (
            "mode = \"block\"",
            "mode = \"blok\"",
            "c.toml:30: `blok` is no mode: it is spin or block; did you mean `block`?",
        ),
        ("realtime = 50", "realtime = 100", "c.toml:32: `realtime` is 100; it goes from 1 to 99"),
        (
            "realtime = 50",
            "realtme = 50",
            "c.toml:32: unknown key `realtme` in [run]; did you mean `realtime`?",
        ),
        (
            "lock_memory = true",
            "lock_memory = 1",
            "c.toml:33: `lock_memory` wants true or false, not integer",
        ),
        (
            "receive_buffer = \"8MiB\"",
            "receive_buffer = \"8M\"",
            "c.toml:34: `receive_buffer = \"8M\"` is no size; write 64MiB, 256MB or a number of bytes",
        ),
        (
            "receive_buffer = \"8MiB\"",
            "receive_buffer = \"2GiB\"",
            "c.toml:34: `receive_buffer` is 2GiB; it goes from 64KiB to 1023MiB",
        ),
        (
            "name = \"desk-1\"",
            "name = \"a/b\"",
            "c.toml:28: `name = \"a/b\"` names files: letters, digits, `-`, `_`, `.`, at most 48",
        ),
        (
            "rejoin_after = \"3s\"",
            "rejoin_after = \"0s\"",
            "c.toml:35: `rejoin_after` is 0ns; it goes from 100ms to 1h",
        ),
        ("levels = 10", "levels = 0", "c.toml:39: `levels` is 0; it goes from 1 to 10"),
        (
            "[shared_memory]",
            "[shared_memoty]",
            "c.toml:37: unknown key `shared_memoty` in the configuration; did you mean `shared_memory`?",
        ),
        (
            "udp:127.0.0.1:514",
            "udp:loghost:514",
            "c.toml:45: `syslog = \"udp:loghost:514\"` is no syslog; write \"udp:127.0.0.1:514\" (an address, no name) or \"unix:/dev/log\"",
        ),
        ("https://me", "ftp://me", "c.toml:46: `webhook` is no address such as https://host/path"),
        (
            "interval = \"10s\"",
            "interval = \"7s\"",
            "c.toml:59: `interval` is 7s; write whole seconds that divide a day, such as 10s, 60s or 5m",
        ),
        ("raised = 3", "rised = 3", "c.toml:48: unknown key `rised` in chronic; did you mean `raised`?"),
        (
            "\"off\"",
            "\"of\"",
            "c.toml:50: `listen = \"of\"` is no address and port, such as 127.0.0.1:9464, nor \"off\"",
        ),
        (
            "1_000_000_000",
            "1_048_576",
            "c.toml:55: `keep_size` (1MiB) holds less than one file (`file_size`, 2MiB)",
        ),
        ("\"2h\"", "\"2s\"", "c.toml:56: `keep_time` (2s) is shorter than one file (`file_time`, 30s)"),
        (
            "\"eth1\"",
            "\"10.1.0\"",
            "c.toml:10: `interface = \"10.1.0\"` is no address of an interface, such as 10.1.0.5, and no name, such as eth1",
        ),
        (
            "\"10.9.9.9\"",
            "\"239.1.1.2\"",
            "c.toml:9: `sender = \"239.1.1.2\"` is not the address of one sender",
        ),
        ("\"10.9.9.9\"", "\"::1\"", "c.toml:9: `sender = \"::1\"` is of another family than the group"),
        ("core  = 2", "core  = 1024", "c.toml:5: `core` is 1024; it goes from 0 to 1023"),
        (
            "host = \"md-01\"",
            "host = \" \"",
            "c.toml:65: `host` wants 1 to 120 characters on one line, such as \"md-01\"",
        ),
    ];
    for (right, wrong, sentence) in cases {
        let text = with(TABLES);
        assert!(text.contains(right), "{right}");
        assert_eq!(parse(&text.replacen(right, wrong, 1)).unwrap_err(), sentence);
    }
}

#[test]
fn messages_come_from_a_recording() {
    let store = "[store]\nparquet_messages = \"m\"\n";
    let said = parse(&with(store)).unwrap_err();
    let wanted =
        "c.toml:27: `parquet_messages` takes its messages from what is recorded; write a [recorder] as well";
    assert_eq!(said, wanted);
    assert!(parse(&with(&format!("[recorder]\n{store}"))).is_ok());
}

#[test]
fn sources_with_one_core_share_a_receiver() {
    let plan = parse(&with("[run]\ncomparator_core = 4")).unwrap().plan_run().unwrap();
    let seen: Vec<_> = plan.receivers.iter().map(|r| (r.core, r.sources.clone())).collect();
    assert_eq!(seen, [(Some(2), vec![0, 2]), (Some(3), vec![1])]);
    let lines: Vec<_> =
        plan.receivers[0].lines.iter().map(|l| (l.name.as_str(), l.source, l.channel, l.line)).collect();
    assert_eq!(lines, [("direct/tv1/A", 0, 0, 0), ("direct/tv1/B", 0, 0, 1), ("other/o/A", 2, 0, 0)]);
    assert_eq!(plan.receivers[0].lines[0].sender, Some(Ipv4Addr::new(10, 9, 9, 9)));
    assert_eq!((plan.comparator_core, plan.warnings), (Some(4), Vec::<String>::new()));
}

#[test]
fn sources_without_a_core_share_one_receiver_that_is_warned_of() {
    let text = SOURCES.replace("core  = 2\n", "\n").replace("core = 2\n", "\n");
    let plan = parse(&text).unwrap().plan_run().unwrap();
    let seen: Vec<_> = plan.receivers.iter().map(|r| (r.core, r.sources.clone())).collect();
    assert_eq!(seen, [(None, vec![0, 2]), (Some(3), vec![1])]);
    assert_eq!(
        plan.warnings,
        [
            "the receiver of direct, other spins without a core of its own: give its sources `core = N`, or set `mode = \"block\"`",
            "the comparator has no core of its own and sleeps between looks: alerts come up to a quarter of a millisecond later; set `comparator_core = N`",
        ]
    );
    let text = format!("{}[run]\nmode = \"block\"\nrealtime = 5", text.replace("core = 3\n", ""));
    let plan = parse(&text).unwrap().plan_run().unwrap();
    assert_eq!(plan.receivers.len(), 1);
    assert_eq!(plan.warnings, ["`realtime` is for pinned threads, and none is pinned: it does nothing"]);
}

#[test]
fn what_cannot_run_says_why_and_can_still_be_replayed() {
    let refused = |text: &str| parse(text).expect("it is valid").plan_run().unwrap_err().to_string();
    assert_eq!(
        refused(&with("[run]\ncomparator_core = 3")),
        "c.toml:13: core 3 is the comparator's and that of the receiver of `sip`: spinning, neither would leave it to the other; give `comparator_core` another, or set `mode = \"block\"`"
    );
    let plan = parse(&with(TABLES)).unwrap().plan_run().unwrap();
    assert_eq!(
        plan.warnings,
        [
            "core 3 is the comparator's and that of the receiver of `sip`: an alert waits while the receiver works"
        ]
    );
    assert_eq!(
        refused(&SOURCES.replace("224.0.17.48", "10.0.0.1")),
        "c.toml:18: line sip/q1/A cannot run: 10.0.0.1 is no multicast group (224.0.0.0 to 239.255.255.255); it can only be replayed"
    );
    assert_eq!(
        refused(&SOURCES.replace("224.0.17.48:55530", "file")),
        "c.toml:18: line sip/q1/A cannot run: it comes from a file; it can only be replayed"
    );
    assert_eq!(
        refused(&SOURCES.replace("224.0.17.48:55530", "[ff02::1]:5000")),
        "c.toml:18: line sip/q1/A cannot run: groups are joined over IPv4 only; it can only be replayed"
    );
    let twice = SOURCES
        .replace("\"239.1.1.1:7000\"", "\"224.0.17.48:55530\", capture = \"b.pcap\"")
        .replace("\"224.0.17.48:55530\" }]", "\"224.0.17.48:55530\", capture = \"a.pcap\" }]");
    assert_eq!(
        refused(&twice),
        "c.toml:25: line other/o/A cannot run: sip/q1/A joins the same group 224.0.17.48:55530; give each the `interface` that it comes in on (without, only the captures of a replay tell them apart)"
    );
    let apart = twice
        .replace("capture = \"a.pcap\"", "interface = \"10.1.0.5\"")
        .replace("capture = \"b.pcap\"", "interface = \"10.2.0.5\"");
    assert_eq!(
        parse(&apart).unwrap().plan_run().map(|p| p.receivers.len()),
        Ok(2),
        "one group on two interfaces"
    );
}

#[test]
fn a_comment_changes_nothing() {
    let (old, new) = (parse(&with(TABLES)).unwrap(), parse(&format!("# new\n\n{}", with(TABLES))).unwrap());
    assert_eq!(old, new);
    assert!(compare(&old, &new).is_empty());
}

#[test]
fn what_touches_no_packet_and_no_judgement_is_applied() {
    let old = parse(&with(TABLES)).unwrap();
    let cases = [
        ("alerts.ndjson", "other.ndjson", Change::AlertLog),
        ("log_files = 3", "log_files = 4", Change::AlertLogLimits),
        ("udp:127.0.0.1:514", "unix:/dev/log", Change::Syslog),
        ("token=x", "token=y", Change::Webhook),
        ("notify_from = \"major\"", "notify_from = \"info\"", Change::NotifyFrom),
        ("raised = 3", "raised = 4", Change::Chronic),
        ("\"off\"", "\"127.0.0.1:1\"", Change::Metrics),
        ("\"2h\"", "\"3h\"", Change::RecorderKeep),
        ("rejoin_after = \"3s\"", "rejoin_after = \"4s\"", Change::RejoinAfter),
    ];
    let mut all = with(TABLES);
    for (was, is, change) in cases {
        let new = parse(&with(TABLES).replacen(was, is, 1)).unwrap();
        assert_eq!(compare(&old, &new), Changes { apply: vec![change], refuse: Vec::new() }, "{was}");
        all = all.replacen(was, is, 1);
    }
    assert_eq!(compare(&old, &parse(&all).unwrap()).apply, cases.map(|(_, _, change)| change));
}

#[test]
fn what_needs_a_restart_is_refused_with_its_reason() {
    let old = parse(&with(TABLES)).unwrap();
    let cases = [
        ("core = 3", "core = 7", "the core of source `sip` is changed"),
        ("239.1.1.1", "239.1.1.2", "a channel or line of source `other` is changed"),
        (
            "name = \"sip\"\nfeed = \"utp-uqdf\"",
            "name = \"sip\"\nfeed = \"iex-tops\"",
            "source `sip` is changed",
        ),
        ("[run]", "[[check]]\nkind = \"gap\"\n[run]", "checks are changed"),
        ("[run]", "[[composite]]\nname = \"c\"\nof = [\"direct\"]\n[run]", "composites are changed"),
        (
            "mode = \"block\"\ncomparator_core = 3",
            "mode = \"block\"\ncomparator_core = 6",
            "run.comparator_core is changed",
        ),
        ("ring = 4096", "ring = 8192", "run.ring is changed"),
        ("\"desk-1\"", "\"desk-2\"", "run.name is changed"),
        ("levels = 10", "levels = 9", "[shared_memory] is changed"),
        ("file_time = \"30s\"", "file_time = \"31s\"", "[recorder] is changed"),
    ];
    for (was, is, sentence) in cases {
        let text = with(TABLES);
        assert!(text.contains(was), "{was}");
        let changes = compare(&old, &parse(&text.replacen(was, is, 1)).unwrap());
        assert_eq!((changes.apply.len(), changes.refuse.len()), (0, 1), "{was}: {changes:?}");
        assert!(
            changes.refuse[0].starts_with(&format!("{sentence}, which needs a restart: ")),
            "{changes:?}"
        );
    }
    let (head, last) = SOURCES.rsplit_once("[[source]]").unwrap();
    let fewer = compare(&parse(SOURCES).unwrap(), &parse(head).unwrap()).refuse;
    assert!(fewer[0].starts_with("source `other` is gone, which needs a restart"), "{fewer:?}");
    let more = compare(&parse(head).unwrap(), &parse(SOURCES).unwrap()).refuse;
    assert!(more[0].starts_with("source `other` is new, which needs a restart"), "{more:?}");
    let turned =
        compare(&parse(SOURCES).unwrap(), &parse(&format!("[[source]]{last}{head}")).unwrap()).refuse;
    assert!(turned[0].starts_with("the order of the sources is changed"), "{turned:?}");
}
