//! Machines made of files: one that is well, and what is found when one thing about it is not.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::source::clock::Discipline;
use crate::source::disk::Space;

const CONFIG: &str = r#"
[run]
directory = "/run/parallax"
comparator_core = 3
realtime = 50
lock_memory = true
receive_buffer = "16MiB"
[alerts]
log = "/var/log/alerts.ndjson"
[recorder]
directory = "/var/lib/recordings"
keep_size = "20GiB"
[[source]]
name = "direct"
feed = "nasdaq-itch-5.0"
core = 2
[[source.channel]]
name = "tv1"
lines = [
  { name = "A", group = "233.54.12.111:26477", interface = "10.1.0.5" },
  { name = "B", group = "233.49.196.111:26477", interface = "eth2", sender = "10.9.9.9" },
]
"#;

const KEPT: Discipline =
    Discipline { synchronised: true, error_us: 40, error_max_us: 900, offset_ns: 0, status: 0 };

/// A machine on which everything is as it should be.
const FILES: &[(&str, &str)] = &[
    ("proc/sys/net/core/rmem_max", "67108864"),
    ("proc/sys/net/core/netdev_max_backlog", "50000"),
    ("proc/sys/net/ipv4/udp_mem", "100000 200000 400000"),
    ("proc/sys/net/ipv4/igmp_max_memberships", "20"),
    ("proc/sys/net/ipv4/igmp_max_msf", "10"),
    ("proc/sys/net/ipv4/conf/all/rp_filter", "0"),
    ("proc/sys/net/ipv4/conf/eth1/rp_filter", "0"),
    ("proc/sys/net/ipv4/conf/eth2/rp_filter", "0"),
    ("proc/sys/kernel/sched_rt_runtime_us", "-1"),
    ("proc/net/softnet_stat", "0000002b 00000000 00000000\n00003f8b 00000000 00000000"),
    (
        "proc/net/route",
        "Iface Destination Gateway Flags RefCnt Use Metric Mask MTU Window IRTT\neth0 00000000 010200C0 0003 0 0 0 00000000 0 0 0\neth1 0000010A 00000000 0001 0 0 0 0000FFFF 0 0 0\n",
    ),
    (
        "proc/net/fib_trie",
        "Local:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 10.1.0.0\n        /16 link UNICAST\n     |-- 10.1.0.5\n        /32 host LOCAL\n",
    ),
    ("proc/self/status", "Name:\tx\nCapEff:\t0000000000000000\nCpus_allowed_list:\t0-5"),
    ("proc/self/uid_map", "         0          0 4294967295"),
    (
        "proc/self/limits",
        "Limit                     Soft Limit           Hard Limit           Units     \nMax open files            20000                20000                files     \nMax locked memory         unlimited            unlimited            bytes     \nMax realtime priority     50                   50                             \n",
    ),
    ("proc/meminfo", "MemTotal:       16000000 kB\nMemAvailable:   12000000 kB"),
    ("proc/swaps", "Filename\tType\tSize\tUsed\tPriority"),
    ("proc/cpuinfo", "flags\t\t: fpu vme sse"),
    (
        "proc/interrupts",
        "           CPU0       CPU1       CPU2  CPU3\n 24:    1    0   0   0   IO-APIC   5-edge      eth1-rx\nLOC:   5  5  5 5  Local timer interrupts",
    ),
    ("sys/devices/system/cpu/online", "0-5"),
    ("sys/devices/system/cpu/isolated", "2-3"),
    ("sys/devices/system/cpu/nohz_full", "2-3"),
    ("sys/devices/system/cpu/cpu2/topology/thread_siblings_list", "2"),
    ("sys/devices/system/cpu/cpu3/topology/thread_siblings_list", "3"),
    ("sys/devices/system/cpu/cpu2/cpufreq/scaling_governor", "performance"),
    ("sys/devices/system/cpu/cpu3/cpufreq/scaling_governor", "performance"),
    ("sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc"),
    ("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never"),
    ("sys/class/net/eth1/flags", "0x1003"),
    ("sys/class/net/eth1/carrier", "1"),
    ("sys/class/net/eth1/statistics/rx_missed_errors", "0"),
    ("sys/class/net/eth2/flags", "0x1003"),
    ("sys/class/net/eth2/carrier", "1"),
    ("run/keep", ""),
    ("var/log/keep", ""),
    ("var/lib/keep", ""),
    ("dev/shm/keep", ""),
];

fn room(_: &Path) -> Option<Space> {
    Some(Space { size: 1 << 40, free: 1 << 39 })
}

fn little(_: &Path) -> Option<Space> {
    Some(Space { size: 1 << 30, free: 1 << 20 })
}

fn machine() -> (TempDir, Machine) {
    let folder = TempDir::new().expect("a folder");
    for (path, text) in FILES {
        write(&folder, path, text);
    }
    let machine = Machine::at(folder.path(), Some(KEPT), room);
    (folder, machine)
}

fn write(folder: &TempDir, path: &str, text: &str) {
    let path = folder.path().join(path);
    fs::create_dir_all(path.parent().expect("it has a folder")).expect("it can be made");
    fs::write(path, format!("{text}\n")).expect("it can be written");
}

fn config(text: &str) -> (Config, RunPlan) {
    let config = Config::parse("c.toml", text, Path::new("/etc")).expect("it is valid");
    let plan = config.plan_run().expect("it can run");
    (config, plan)
}

fn examined(text: &str, machine: &Machine) -> Findings {
    let (config, plan) = config(text);
    examine(&config, &plan, machine)
}

/// What is not well: level, what, read.
fn told(findings: &Findings) -> Vec<(Level, String, String)> {
    let bad = findings.all.iter().filter(|f| f.level > Level::Well);
    bad.map(|f| (f.level, f.about.clone(), f.read.clone())).collect()
}

#[test]
fn a_machine_that_is_well_is_told_nothing() {
    let (_folder, machine) = machine();
    let findings = examined(CONFIG, &machine);
    assert_eq!(told(&findings), []);
    assert!(findings.all.len() > 25, "{}", findings.all.len());
    assert_eq!(findings.worst(), Level::Well);
}

/// File, what it holds instead; then the level, what it is about, what is said to have been read, what mends it.
type Case = (&'static str, &'static str, Level, &'static str, &'static str, Option<&'static str>);

#[test]
fn one_thing_that_is_not_well_is_the_one_thing_that_is_told() {
    use Level::{Bad, Note, Unknown, Warning};
    let cases: &[Case] = &[
        (
            "proc/sys/net/core/rmem_max",
            "212992",
            Warning,
            "net.core.rmem_max",
            "208KiB, and 16MiB is asked for",
            Some("sysctl -w net.core.rmem_max=16777216"),
        ),
        (
            "proc/sys/net/core/netdev_max_backlog",
            "1000",
            Note,
            "net.core.netdev_max_backlog",
            "1000",
            Some("sysctl -w net.core.netdev_max_backlog=50000"),
        ),
        (
            "proc/sys/net/ipv4/udp_mem",
            "1 2 300",
            Note,
            "net.ipv4.udp_mem",
            "1200KiB for all UDP sockets, and 2 full buffers are 64MiB",
            Some("sysctl -w net.ipv4.udp_mem=\"16384 16384 16384\""),
        ),
        (
            "proc/sys/net/ipv4/igmp_max_memberships",
            "0",
            Bad,
            "net.ipv4.igmp_max_memberships",
            "0",
            Some("sysctl -w net.ipv4.igmp_max_memberships=20"),
        ),
        (
            "proc/sys/net/ipv4/conf/eth2/rp_filter",
            "1",
            Warning,
            "net.ipv4.conf.eth2.rp_filter",
            "1 (strict)",
            Some("sysctl -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth2.rp_filter=0"),
        ),
        (
            "proc/net/softnet_stat",
            "2b 1f4 3\n3f 0 1",
            Warning,
            "/proc/net/softnet_stat",
            "500 packets dropped since boot, 4 times out of budget",
            Some("sysctl -w net.core.netdev_max_backlog=50000"),
        ),
        (
            "proc/net/softnet_stat",
            "2b 0 3",
            Note,
            "/proc/net/softnet_stat",
            "0 packets dropped since boot, 3 times out of budget",
            Some("sysctl -w net.core.netdev_budget=600 net.core.netdev_budget_usecs=8000"),
        ),
        (
            "proc/net/fib_trie",
            "Local:",
            Bad,
            "line direct/tv1/A",
            "no interface has the address 10.1.0.5",
            Some("ip address add 10.1.0.5/24 dev ETH, or name another `interface`"),
        ),
        (
            "sys/class/net/eth1/flags",
            "0x1002",
            Bad,
            "interface eth1",
            "it is down",
            Some("ip link set eth1 up"),
        ),
        (
            "sys/class/net/eth1/carrier",
            "0",
            Bad,
            "interface eth1",
            "it is up without a carrier",
            Some("look at the cable and the switch; ethtool eth1"),
        ),
        (
            "sys/class/net/eth2/flags",
            "0x3",
            Bad,
            "interface eth2",
            "it does no multicast",
            Some("ip link set eth2 multicast on"),
        ),
        (
            "sys/class/net/eth1/statistics/rx_missed_errors",
            "12",
            Warning,
            "interface eth1",
            "up; 12 packets did not fit its ring since it came up",
            Some("ethtool -G eth1 rx 4096"),
        ),
        (
            "sys/devices/system/cpu/isolated",
            "2",
            Warning,
            "/sys/devices/system/cpu/isolated",
            "cores 3 are not in it",
            Some("add `isolcpus=2-3 nohz_full=2-3 rcu_nocbs=2-3` to the kernel's command line"),
        ),
        (
            "sys/devices/system/cpu/nohz_full",
            "",
            Note,
            "/sys/devices/system/cpu/nohz_full",
            "cores 2-3 are not in it",
            Some("add `isolcpus=2-3 nohz_full=2-3 rcu_nocbs=2-3` to the kernel's command line"),
        ),
        (
            "sys/devices/system/cpu/cpu2/topology/thread_siblings_list",
            "2-3",
            Warning,
            "core 2",
            "is one hardware core with 3",
            Some("pin them to different hardware cores (`lscpu -e`)"),
        ),
        (
            "sys/devices/system/cpu/cpu3/topology/thread_siblings_list",
            "3,5",
            Note,
            "core 3",
            "is one hardware core with 5",
            Some("echo 0 > /sys/devices/system/cpu/cpu5/online"),
        ),
        (
            "sys/devices/system/cpu/cpu3/cpufreq/scaling_governor",
            "powersave",
            Warning,
            "frequency governor",
            "powersave on 3",
            Some("cpupower -c 3 frequency-set -g performance"),
        ),
        (
            "sys/devices/system/cpu/online",
            "0-2",
            Bad,
            "core 3",
            "it is not there; online are 0-2",
            Some("correct `core` or `comparator_core`"),
        ),
        (
            "proc/self/limits",
            "Max locked memory  unlimited\nMax realtime priority 49 50",
            Warning,
            "realtime = 50",
            "no CAP_SYS_NICE, and RLIMIT_RTPRIO is 49",
            Some("LimitRTPRIO=50 in its unit, or setcap cap_sys_nice+ep on the binary"),
        ),
        (
            "proc/self/limits",
            "Max locked memory  8388608\nMax realtime priority 50",
            Bad,
            "lock_memory",
            "no CAP_SYS_RESOURCE, and RLIMIT_MEMLOCK is 8MiB",
            Some("LimitMEMLOCK=infinity in its unit, or `ulimit -l unlimited`, or lock_memory = false"),
        ),
        (
            "proc/self/limits",
            "Max locked memory  unlimited\nMax realtime priority 50\nMax open files 64",
            Bad,
            "open files",
            "64 allowed, about 130 needed",
            Some("LimitNOFILE=130 in its unit, or `ulimit -n 130`"),
        ),
        (
            "proc/sys/kernel/sched_rt_runtime_us",
            "950000",
            Warning,
            "kernel.sched_rt_runtime_us",
            "950000 of each 1000000",
            Some("sysctl -w kernel.sched_rt_runtime_us=-1 (only where its cores are its own)"),
        ),
        (
            "proc/interrupts",
            "  CPU0 CPU2\n 41:  7 20547 PCI-MSIX 1-edge eth1-rx\nLOC: 5 5 x",
            Note,
            "interrupts of devices",
            "1 on pinned cores since boot; most: 41 (eth1-rx) 20547 times on core 2",
            Some("echo OTHER_CORES > /proc/irq/41/smp_affinity_list (and stop irqbalance)"),
        ),
        (
            "sys/devices/system/clocksource/clocksource0/current_clocksource",
            "hpet",
            Warning,
            "clock source",
            "hpet",
            Some(
                "echo tsc > /sys/devices/system/clocksource/clocksource0/current_clocksource (where the machine's counter is steady)",
            ),
        ),
        (
            "sys/kernel/mm/transparent_hugepage/enabled",
            "[always] madvise never",
            Note,
            "transparent huge pages",
            "always",
            Some("echo madvise > /sys/kernel/mm/transparent_hugepage/enabled"),
        ),
        (
            "proc/meminfo",
            "MemAvailable: 1000 kB",
            Warning,
            "memory",
            "2 full receive buffers take 64MiB, and 1000KiB are free",
            Some("a smaller `receive_buffer`"),
        ),
        (
            "proc/cpuinfo",
            "flags : sse hypervisor",
            Note,
            "machine",
            "a virtual machine; 0.0 % of its time was taken by others",
            None,
        ),
        (
            "proc/net/route",
            "Iface\neth9 0000010A 00000000 0001 0 0 0 0000FFFF 0 0 0",
            Bad,
            "interface eth9",
            "it does not exist",
            Some("ip link show, and correct `interface`"),
        ),
        (
            "proc/net/route",
            "Iface\nlo nonsense",
            Unknown,
            "line direct/tv1/A",
            "which interface has the address 10.1.0.5 cannot be told",
            None,
        ),
    ];
    for (path, text, level, about, read, mend) in cases {
        let (folder, machine) = machine();
        write(&folder, path, text);
        let findings = examined(CONFIG, &machine);
        let bad: Vec<&Finding> = findings.all.iter().filter(|f| f.level > Level::Well).collect();
        let first = bad.iter().find(|f| f.about == *about).unwrap_or_else(|| panic!("{path}: {bad:?}"));
        assert_eq!(
            (first.level, first.read.as_str(), first.mend.as_deref()),
            (*level, *read, *mend),
            "{path}"
        );
        // A missing address leaves an interface unseen; one that does not exist has no filter either.
        assert!(bad.len() <= 2, "{path}: {bad:?}");
    }
}

#[test]
fn a_core_outside_the_mask_can_be_pinned_to_only_when_it_is_isolated() {
    let (folder, machine) = machine();
    write(&folder, "proc/self/status", "CapEff:\t0\nCpus_allowed_list:\t0-1");
    assert_eq!(told(&examined(CONFIG, &machine)), [], "isolated cores stand in no mask");
    write(&folder, "sys/devices/system/cpu/isolated", "2");
    let found = examined(CONFIG, &machine);
    let bad = found.all.iter().find(|f| f.level == Level::Bad).expect("core 3 is neither");
    assert_eq!((bad.about.as_str(), bad.read.as_str()), ("core 3", "this process may run on 0-1"));
    assert_eq!(bad.mend.as_deref(), Some("start it under `taskset -c 2-3`, or AllowedCPUs= in its unit"));
}

#[test]
fn rights_stand_in_for_limits() {
    let (folder, machine) = machine();
    write(&folder, "proc/sys/net/core/rmem_max", "1");
    write(&folder, "proc/self/limits", "Max locked memory  0\nMax realtime priority 0");
    // CAP_NET_ADMIN, CAP_SYS_NICE, CAP_SYS_RESOURCE: bits 12, 23, 24.
    write(&folder, "proc/self/status", "CapEff:\t0000000001801000\nCpus_allowed_list:\t0-5");
    assert_eq!(told(&examined(CONFIG, &machine)), []);
    // In a user namespace of its own they are none of the machine's.
    write(&folder, "proc/self/uid_map", "0 1000 1");
    let levels: Vec<_> =
        told(&examined(CONFIG, &machine)).into_iter().map(|(level, about, _)| (level, about)).collect();
    let expected = [
        (Level::Warning, "net.core.rmem_max"),
        (Level::Warning, "realtime = 50"),
        (Level::Bad, "lock_memory"),
    ];
    assert_eq!(levels, expected.map(|(level, about)| (level, about.to_owned())));
}

#[test]
fn without_any_file_everything_is_unknown_and_nothing_fails() {
    let folder = TempDir::new().expect("a folder");
    let machine = Machine::at(folder.path(), None, |_| None);
    let findings = examined(CONFIG, &machine);
    let levels: std::collections::BTreeSet<Level> = findings.all.iter().map(|f| f.level).collect();
    assert_eq!(levels.into_iter().collect::<Vec<_>>(), [Level::Well, Level::Unknown], "{findings:?}");
    assert!(findings.all.iter().filter(|f| f.level == Level::Unknown).count() > 12);
}

#[test]
fn nonsense_in_every_file_fails_nothing() {
    for text in [
        "",
        "-1",
        "\u{0}\u{ff}",
        "9999999999999999999999999",
        "0-99999999",
        ": : :\n:",
        "a b c d e f g h i j",
    ] {
        let (folder, machine) = machine();
        for (path, _) in FILES {
            write(&folder, path, text);
        }
        assert!(examined(CONFIG, &machine).all.len() > 20);
    }
}

#[test]
fn a_clock_that_nobody_keeps_is_a_warning() {
    let (folder, _) = machine();
    let unkept = Discipline { synchronised: false, error_us: 16_000_000, error_max_us: 16_000_000, ..KEPT };
    let findings = examined(CONFIG, &Machine::at(folder.path(), Some(unkept), room));
    let expected = (Level::Warning, "clock".to_owned(), "not synchronised (it may be off by 16s)".to_owned());
    assert_eq!(told(&findings), [expected]);
    assert_eq!(findings.troubles().len(), 1);
    let rough = Discipline { error_max_us: 300_000, ..KEPT };
    let findings = examined(CONFIG, &Machine::at(folder.path(), Some(rough), room));
    let read = "synchronised, estimated error 40us, at most 300ms".to_owned();
    assert_eq!(told(&findings), [(Level::Note, "clock".to_owned(), read)]);
}

#[test]
fn directories_must_be_there_or_makeable_and_have_room() {
    let (folder, _) = machine();
    let full = Machine::at(folder.path(), Some(KEPT), little);
    let abouts: Vec<String> = told(&examined(CONFIG, &full)).into_iter().map(|(_, about, _)| about).collect();
    assert_eq!(abouts, ["shared_memory.directory", "alerts.log", "recorder.directory"]);
    // What is a file can never be a directory, whoever asks.
    fs::remove_dir_all(folder.path().join("run")).expect("it is there");
    write(&folder, "run", "");
    let bad = told(&examined(CONFIG, &Machine::at(folder.path(), Some(KEPT), room)));
    assert_eq!(bad.len(), 1);
    assert_eq!((bad[0].0, bad[0].1.as_str()), (Level::Bad, "run.directory"));
    assert!(bad[0].2.starts_with("/run/parallax is not there, and cannot be made in /run: "), "{bad:?}");
}

#[test]
fn a_line_without_an_interface_goes_by_the_route() {
    let (folder, machine) = machine();
    write(&folder, "sys/class/net/eth0/flags", "0x1003");
    write(&folder, "proc/sys/net/ipv4/conf/eth0/rp_filter", "2");
    let text = CONFIG.replace(", interface = \"10.1.0.5\"", "").replace(", interface = \"eth2\"", "");
    let read: Vec<_> = told(&examined(&text, &machine)).into_iter().map(|(_, _, read)| read).collect();
    let chosen = "no interface is named; the route to the group chooses eth0";
    assert_eq!(read, [chosen, chosen, "2 (loose)", "direct/tv1/A and direct/tv1/B both come in on eth0"]);
    write(&folder, "proc/net/route", "Iface");
    assert_eq!(examined(&text, &machine).worst(), Level::Bad);
}

#[test]
fn spinning_threads_are_counted_against_cores() {
    let (folder, machine) = machine();
    write(&folder, "sys/devices/system/cpu/online", "2-3");
    let found = told(&examined(CONFIG, &machine));
    assert_eq!(found, [(Level::Warning, "cores".to_owned(), "2 threads spin on 2 cores".to_owned())]);
    let blocking = CONFIG.replace("[run]", "[run]\nmode = \"block\"");
    assert_eq!(told(&examined(&blocking, &machine)), []);
    let unpinned = CONFIG.replace("core = 2", "").replace("comparator_core = 3", "");
    let warnings: Vec<_> =
        told(&examined(&unpinned, &machine)).into_iter().map(|(_, about, _)| about).collect();
    assert_eq!(warnings[..2], ["the configuration", "the configuration"]);
}

#[test]
fn what_is_printed_is_the_plan_and_then_the_worst_first() {
    let (folder, machine) = machine();
    write(&folder, "proc/sys/net/core/netdev_max_backlog", "1000");
    write(&folder, "sys/class/net/eth1/flags", "0x1002");
    let (config, plan) = config(CONFIG);
    let findings = examine(&config, &plan, &machine);
    let well = findings.all.len() - 2;
    let expected = format!(
        "plan of parallax\n  receiver 0 on core 2: direct\n    direct/tv1/A: 233.54.12.111:26477 on the interface of 10.1.0.5\n    direct/tv1/B: 233.49.196.111:26477 on eth2, from 10.9.9.9 only\n  comparator on core 3; threads spin; SCHED_FIFO 50 where pinned; memory locked\n  receive buffers 16MiB each; rings of 65536; rejoin after 10s of nothing\n  books in /dev/shm/parallax\n  recordings in /var/lib/recordings, at most 20GiB and 24h\n  metrics at http://127.0.0.1:9464/metrics\n    BAD  interface eth1: it is down\n         nothing arrives on it\n         mend: ip link set eth1 up\n   note  net.core.netdev_max_backlog: 1000\n         a burst beyond it is dropped before any socket, where packets are steered to another core (RPS) or come over loopback\n         mend: sysctl -w net.core.netdev_max_backlog=50000\nlooked at {} things: 1 BAD, 0 warning, 1 note, 0 unknown, {well} well\n",
        well + 2
    );
    assert_eq!(plan_text(&config, &plan, &findings), expected);
}

/// Without a flag in memory nothing is lost but time: told where receivers would look at one, with what forbids it.
#[test]
fn a_kernel_that_does_not_ring() {
    let (folder, mut machine) = machine();
    let about = "receivers that spin";
    let said = |text: &str, machine: &Machine| {
        let findings = examined(text, machine).all;
        findings
            .into_iter()
            .filter(|f| f.about == about)
            .map(|f| (f.level, f.read, f.mend))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        said(CONFIG, &machine),
        [(Level::Well, "the kernel raises a flag when something comes (io_uring)".to_owned(), None)]
    );
    machine.bell = || Err(std::io::Error::from(std::io::ErrorKind::Unsupported));
    let read = "the kernel raises no flag when something comes: unsupported";
    let mend = "Linux 6.1 or later, and a container that allows io_uring_setup and io_uring_enter";
    assert_eq!(said(CONFIG, &machine), [(Level::Note, read.to_owned(), Some(mend.to_owned()))]);
    write(&folder, "proc/sys/kernel/io_uring_disabled", "2");
    let read = "kernel.io_uring_disabled is 2: the kernel raises no flag when something comes";
    let mend = "sysctl -w kernel.io_uring_disabled=0";
    assert_eq!(said(CONFIG, &machine), [(Level::Note, read.to_owned(), Some(mend.to_owned()))]);
    // A single line is asked itself, and who waits in the kernel looks at no flag.
    let b = CONFIG.lines().find(|line| line.contains("\"B\"")).expect("it has two lines");
    assert_eq!(said(&CONFIG.replace(b, ""), &machine), []);
    assert_eq!(said(&CONFIG.replace("[run]", "[run]\nmode = \"block\""), &machine), []);
}
