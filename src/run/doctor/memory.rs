//! Memory: whether books fit, whether locked memory may be locked, whether files may be opened.

use super::machine::CAP_SYS_RESOURCE;
use super::{Findings, Level, Machine};
use crate::config::Config;
use crate::config::live::RunPlan;
use crate::config::reader::size_text;

/// Files beside the sockets: outlets, recordings, books, clients.
const FILES_BESIDE: u64 = 128;

pub(super) fn examine(config: &Config, plan: &RunPlan, machine: &Machine, findings: &mut Findings) {
    locked(config, machine, findings);
    swapping(config, machine, findings);
    huge_pages(machine, findings);
    open_files(plan, machine, findings);
    receive_buffers(config, plan, machine, findings);
}

fn locked(config: &Config, machine: &Machine, findings: &mut Findings) {
    if !config.live.run.lock_memory {
        return;
    }
    let about = "lock_memory";
    match (machine.may(CAP_SYS_RESOURCE), machine.limit("Max locked memory")) {
        (_, Some(None)) => findings.well(about, "RLIMIT_MEMLOCK is unlimited"),
        (Some(true), _) => findings.well(about, "CAP_SYS_RESOURCE lifts RLIMIT_MEMLOCK"),
        (_, Some(Some(most))) => {
            let read = format!("no CAP_SYS_RESOURCE, and RLIMIT_MEMLOCK is {}", size_text(most));
            let why = "locking fails, or memory asked for beyond the limit does";
            let mend = "LimitMEMLOCK=infinity in its unit, or `ulimit -l unlimited`, or lock_memory = false";
            findings.push(Level::Bad, about, read, why, Some(mend.to_owned()));
        }
        (_, None) => findings.push(Level::Unknown, about, "rights and limits cannot be read", "", None),
    }
}

fn swapping(config: &Config, machine: &Machine, findings: &mut Findings) {
    let Some(text) = machine.text("/proc/swaps") else { return };
    let areas = text.lines().count().saturating_sub(1);
    if areas == 0 || config.live.run.lock_memory {
        findings.well("swap", if areas == 0 { "none" } else { "memory is locked" });
        return;
    }
    let swappiness = machine.number("/proc/sys/vm/swappiness");
    let swappiness = swappiness.map_or("unknown".to_owned(), |n| n.to_string());
    let read = format!("{areas} areas, vm.swappiness {swappiness}");
    let why = "a page that was swapped out stops a thread for milliseconds";
    findings.push(Level::Note, "swap", read, why, Some("lock_memory = true, or swapoff -a".to_owned()));
}

fn huge_pages(machine: &Machine, findings: &mut Findings) {
    let about = "transparent huge pages";
    let Some(text) = machine.text("/sys/kernel/mm/transparent_hugepage/enabled") else { return };
    if text.contains("[always]") {
        let why = "the kernel may stop a thread to move its pages together";
        let mend = "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled";
        findings.push(Level::Note, about, "always", why, Some(mend.to_owned()));
    } else {
        findings.well(about, text);
    }
}

fn open_files(plan: &RunPlan, machine: &Machine, findings: &mut Findings) {
    let Some(Some(most)) = machine.limit("Max open files") else { return };
    let lines = plan.receivers.iter().map(|r| r.lines.len() as u64).sum::<u64>();
    let needed = lines + FILES_BESIDE;
    let read = format!("{most} allowed, about {needed} needed");
    if most >= needed {
        findings.well("open files", read);
    } else {
        let mend = format!("LimitNOFILE={needed} in its unit, or `ulimit -n {needed}`");
        findings.push(Level::Bad, "open files", read, "sockets cannot be opened", Some(mend));
    }
}

fn receive_buffers(config: &Config, plan: &RunPlan, machine: &Machine, findings: &mut Findings) {
    let lines = plan.receivers.iter().map(|r| r.lines.len() as u64).sum::<u64>();
    let Some(free) = machine.memory("MemAvailable").filter(|_| lines > 0) else { return };
    let all = config.live.run.receive_buffer.saturating_mul(2).saturating_mul(lines);
    let read =
        format!("{lines} full receive buffers take {}, and {} are free", size_text(all), size_text(free));
    if all <= free / 2 {
        findings.well("memory", read);
    } else {
        let why = "full buffers would leave the machine short of memory";
        let mend = "a smaller `receive_buffer`".to_owned();
        findings.push(Level::Warning, "memory", read, why, Some(mend));
    }
}
