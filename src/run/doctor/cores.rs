//! Cores: whether a pinned thread has one to itself.

use std::collections::BTreeSet;

use super::machine::{CAP_SYS_NICE, cores_text};
use super::{Findings, Level, Machine};
use crate::config::Config;
use crate::config::live::{Mode, RunPlan};

const CPU: &str = "/sys/devices/system/cpu";

pub(super) fn examine(config: &Config, plan: &RunPlan, machine: &Machine, findings: &mut Findings) {
    let pinned = pinned(plan);
    let online = machine.cores(format!("{CPU}/online"));
    if let Some(online) = &online {
        existing(&pinned, online, machine, findings);
        spinning(plan, online, findings);
    } else {
        findings.push(Level::Unknown, "cores", format!("{CPU}/online cannot be read"), "", None);
    }
    let there: BTreeSet<usize> = match &online {
        Some(online) => pinned.intersection(online).copied().collect(),
        None => pinned,
    };
    isolation(&there, plan.mode, machine, findings);
    siblings(&there, online.as_ref(), machine, findings);
    interrupts(&there, machine, findings);
    let looked_at = if there.is_empty() { online.unwrap_or_default() } else { there };
    governors(&looked_at, machine, findings);
    realtime(config, plan, machine, findings);
    virtual_machine(machine, findings);
}

/// The cores that threads are pinned to.
fn pinned(plan: &RunPlan) -> BTreeSet<usize> {
    plan.receivers.iter().filter_map(|r| r.core).chain(plan.comparator_core).collect()
}

fn existing(pinned: &BTreeSet<usize>, online: &BTreeSet<usize>, machine: &Machine, findings: &mut Findings) {
    let allowed = machine.status("Cpus_allowed_list").and_then(|text| super::machine::cores(&text));
    let isolated = machine.cores(format!("{CPU}/isolated")).unwrap_or_default();
    for core in pinned {
        let about = format!("core {core}");
        if !online.contains(core) {
            let read = format!("it is not there; online are {}", cores_text(online));
            let mend = "correct `core` or `comparator_core`".to_owned();
            findings.push(Level::Bad, about, read, "its thread cannot be pinned", Some(mend));
        } else if isolated.contains(core) {
            // Isolated cores stand in no list of allowed ones; a thread may be pinned to them all the same.
            findings.well(about, "there, and isolated");
        } else if let Some(allowed) = allowed.as_ref().filter(|allowed| !allowed.contains(core)) {
            let read = format!("this process may run on {}", cores_text(allowed));
            let why = "its thread cannot be pinned, unless only the affinity of the shell leaves it out";
            let mend =
                format!("start it under `taskset -c {}`, or AllowedCPUs= in its unit", cores_text(pinned));
            findings.push(Level::Bad, about, read, why, Some(mend));
        } else {
            findings.well(about, "there, and allowed");
        }
    }
}

/// Threads that never sleep, against cores.
fn spinning(plan: &RunPlan, online: &BTreeSet<usize>, findings: &mut Findings) {
    if plan.mode != Mode::Spin || plan.receivers.is_empty() {
        return;
    }
    // Without a core of its own the comparator sleeps between looks.
    let threads = plan.receivers.len() + usize::from(plan.comparator_core.is_some());
    let read = format!("{threads} threads spin on {} cores", online.len());
    if threads < online.len() {
        findings.well("cores", read);
    } else {
        let why =
            "none is left for the kernel, the recorder and the reporter: packets are lost and alerts late";
        let level = if threads > online.len() { Level::Bad } else { Level::Warning };
        findings.push(level, "cores", read, why, Some("set `mode = \"block\"`".to_owned()));
    }
}

fn isolation(pinned: &BTreeSet<usize>, mode: Mode, machine: &Machine, findings: &mut Findings) {
    if pinned.is_empty() {
        return;
    }
    let list = cores_text(pinned);
    let level = if mode == Mode::Spin { Level::Warning } else { Level::Note };
    let parameters =
        format!("add `isolcpus={list} nohz_full={list} rcu_nocbs={list}` to the kernel's command line");
    let files = [
        ("isolated", "other work runs there too, and holds a packet up by milliseconds", level),
        ("nohz_full", "the timer tick interrupts each some 100 to 1000 times a second", Level::Note),
    ];
    for (file, why, level) in files {
        let about = format!("{CPU}/{file}");
        let Some(found) = machine.cores(&about) else {
            let why = "this kernel does not offer it, or does not say";
            findings.push(Level::Unknown, about, "it cannot be read", why, None);
            continue;
        };
        let lacking: BTreeSet<usize> = pinned.difference(&found).copied().collect();
        if lacking.is_empty() {
            findings.well(about, format!("has {list}"));
        } else {
            let read = format!("cores {} are not in it", cores_text(&lacking));
            findings.push(level, about, read, why, Some(parameters.clone()));
        }
    }
}

/// Two hardware threads of one core share its units and caches.
fn siblings(
    pinned: &BTreeSet<usize>,
    online: Option<&BTreeSet<usize>>,
    machine: &Machine,
    findings: &mut Findings,
) {
    let mut told = BTreeSet::new();
    for core in pinned {
        let Some(mut others) = machine.cores(format!("{CPU}/cpu{core}/topology/thread_siblings_list")) else {
            let read = "its siblings cannot be read";
            findings.push(Level::Unknown, format!("core {core}"), read, "", None);
            continue;
        };
        others.remove(core);
        others.retain(|other| online.is_none_or(|online| online.contains(other)));
        let busy: BTreeSet<usize> = others.intersection(pinned).copied().collect();
        if !told.insert(*core) || others.is_empty() {
            continue;
        }
        let about = format!("core {core}");
        let read = format!("is one hardware core with {}", cores_text(&others));
        if busy.is_empty() {
            let why = "what runs there takes from it";
            let mend = others.iter().map(|o| format!("echo 0 > {CPU}/cpu{o}/online")).collect::<Vec<_>>();
            findings.push(Level::Note, about, read, why, Some(mend.join("; ")));
        } else {
            told.extend(busy);
            let why = "two pinned threads take from each other: each has about half a core";
            let mend = "pin them to different hardware cores (`lscpu -e`)".to_owned();
            findings.push(Level::Warning, about, read, why, Some(mend));
        }
    }
}

fn governors(cores: &BTreeSet<usize>, machine: &Machine, findings: &mut Findings) {
    let about = "frequency governor";
    let read = |core: &usize| machine.text(format!("{CPU}/cpu{core}/cpufreq/scaling_governor"));
    let known: Vec<(usize, String)> = cores.iter().filter_map(|core| Some((*core, read(core)?))).collect();
    if known.is_empty() {
        let why = "usual in a virtual machine: the host decides";
        findings.push(Level::Unknown, about, "none is to be seen", why, None);
        return;
    }
    let slow: Vec<&(usize, String)> =
        known.iter().filter(|(_, governor)| governor != "performance").collect();
    let Some((_, first)) = slow.first() else {
        findings.well(about, "performance");
        return;
    };
    let list = cores_text(&slow.iter().map(|(core, _)| *core).collect());
    let why = "the first packets after a pause find a slow core";
    let mend = format!("cpupower -c {list} frequency-set -g performance");
    findings.push(Level::Warning, about, format!("{first} on {list}"), why, Some(mend));
}

fn realtime(config: &Config, plan: &RunPlan, machine: &Machine, findings: &mut Findings) {
    let Some(priority) = config.live.run.realtime else { return };
    let limit = machine.limit("Max realtime priority");
    let about = format!("realtime = {priority}");
    match (machine.may(CAP_SYS_NICE), limit) {
        (Some(true), _) => findings.well(about, "CAP_SYS_NICE is there"),
        (_, Some(None)) => findings.well(about, "RLIMIT_RTPRIO is unlimited"),
        (_, Some(Some(most))) if most >= u64::from(priority) => {
            findings.well(about, format!("RLIMIT_RTPRIO is {most}"));
        }
        (None, None) => findings.push(Level::Unknown, about, "rights and limits cannot be read", "", None),
        (_, limit) => {
            let most = limit.flatten().unwrap_or(0);
            let read = format!("no CAP_SYS_NICE, and RLIMIT_RTPRIO is {most}");
            let mend = format!("LimitRTPRIO={priority} in its unit, or setcap cap_sys_nice+ep on the binary");
            findings.push(Level::Warning, about, read, "threads keep the usual scheduling", Some(mend));
        }
    }
    let about = "kernel.sched_rt_runtime_us";
    match machine.number(format!("/proc/sys/{}", about.replace('.', "/"))) {
        Some(-1) => findings.well(about, "-1"),
        Some(runtime) if plan.mode == Mode::Spin => {
            let read = format!("{runtime} of each 1000000");
            let why = "a spinning real-time thread is stopped for the rest of every second, by tens of milliseconds";
            let mend = format!("sysctl -w {about}=-1 (only where its cores are its own)");
            findings.push(Level::Warning, about, read, why, Some(mend));
        }
        Some(runtime) => findings.well(about, format!("{runtime}; its threads sleep")),
        None => findings.push(Level::Unknown, about, "it cannot be read", "", None),
    }
}

/// Interrupts that are served on pinned cores. Which of them matter depends on the card: told, not judged.
fn interrupts(pinned: &BTreeSet<usize>, machine: &Machine, findings: &mut Findings) {
    let Some(text) = machine.text("/proc/interrupts").filter(|_| !pinned.is_empty()) else { return };
    let mut lines = text.lines();
    let header = lines.next().unwrap_or_default();
    let columns: Vec<Option<usize>> =
        header.split_whitespace().map(|word| word.strip_prefix("CPU")?.parse().ok()).collect();
    // (times, core, number, name)
    let mut found: Vec<(u64, usize, u64, String)> = Vec::new();
    for line in lines {
        let Some((number, rest)) = line.split_once(':') else { continue };
        let Ok(number) = number.trim().parse::<u64>() else { continue };
        let words: Vec<&str> = rest.split_whitespace().collect();
        let name = words.last().copied().unwrap_or_default();
        for (column, word) in columns.iter().zip(&words) {
            let (Some(core), Ok(times)) = (*column, word.parse::<u64>()) else { continue };
            if pinned.contains(&core) && times > 0 {
                found.push((times, core, number, name.to_owned()));
            }
        }
    }
    found.sort_by_key(|(times, core, number, _)| (std::cmp::Reverse(*times), *core, *number));
    let about = "interrupts of devices";
    if found.is_empty() {
        findings.well(about, "none on pinned cores");
        return;
    }
    let shown: Vec<String> = found
        .iter()
        .take(3)
        .map(|(times, core, number, name)| format!("{number} ({name}) {times} times on core {core}"))
        .collect();
    let read = format!("{} on pinned cores since boot; most: {}", found.len(), shown.join(", "));
    let why = "each stops the thread there for microseconds";
    let mend = format!("echo OTHER_CORES > /proc/irq/{}/smp_affinity_list (and stop irqbalance)", found[0].2);
    findings.push(Level::Note, about, read, why, Some(mend));
}

/// Columns of `cpu` in `/proc/stat` (proc(5)): user, nice, system, idle, iowait, irq, softirq, steal, ...
fn virtual_machine(machine: &Machine, findings: &mut Findings) {
    let about = "machine";
    let Some(text) = machine.text("/proc/cpuinfo") else {
        findings.push(Level::Unknown, about, "/proc/cpuinfo cannot be read", "", None);
        return;
    };
    let flags = text.lines().find(|line| line.starts_with("flags")).unwrap_or_default();
    if !flags.split_whitespace().any(|flag| flag == "hypervisor") {
        findings.well(about, "no sign of a hypervisor");
        return;
    }
    let stat = machine.text("/proc/stat").unwrap_or_default();
    let columns = stat.lines().next().unwrap_or_default().split_whitespace().skip(1);
    let times: Vec<u64> = columns.filter_map(|word| word.parse().ok()).collect();
    let (all, steal) = (times.iter().take(8).sum::<u64>(), times.get(7).copied().unwrap_or(0));
    let per_mille = steal.saturating_mul(1000).checked_div(all).unwrap_or(0);
    let read =
        format!("a virtual machine; {}.{} % of its time was taken by others", per_mille / 10, per_mille % 10);
    let why = "the host stops it for milliseconds whenever it likes: high percentiles measure the host";
    findings.push(Level::Note, about, read, why, None);
}
