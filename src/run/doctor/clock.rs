//! The clock: whether our time may be held against the venue's.

use super::{Findings, Level, Machine};
use crate::config::reader::duration_text;
use crate::config::{Config, Kind};

/// Sources of time that a process reads without a system call.
const FAST: [&str; 4] = ["tsc", "kvm-clock", "hyperv_clocksource_tsc_page", "arch_sys_counter"];

pub(super) fn examine(config: &Config, machine: &Machine, findings: &mut Findings) {
    synchronised(config, machine, findings);
    let about = "clock source";
    let file = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    match machine.text(file) {
        None => findings.push(Level::Unknown, about, format!("{file} cannot be read"), "", None),
        Some(source) if FAST.contains(&source.as_str()) => findings.well(about, source),
        Some(source) => {
            let why = "every timestamp costs a system call of microseconds";
            let mend = format!("echo tsc > {file} (where the machine's counter is steady)");
            findings.push(Level::Warning, about, source, why, Some(mend));
        }
    }
}

/// Two sources are compared in our own time, whatever it is; the venue's time is what a wrong clock spoils.
fn synchronised(config: &Config, machine: &Machine, findings: &mut Findings) {
    let about = "clock";
    let Some(kept) = machine.discipline else {
        findings.push(Level::Unknown, about, "the kernel does not say how it is kept", "", None);
        return;
    };
    let (error, most) = (duration_text(kept.error_us * 1000), duration_text(kept.error_max_us * 1000));
    if !kept.synchronised {
        let read = format!("not synchronised (it may be off by {most})");
        let why = "latency against the venue's time and `clock` alerts mean nothing; comparisons of sources still hold";
        let mend = "timedatectl set-ntp true, or run chronyd or ptp4l";
        findings.push(Level::Warning, about, read, why, Some(mend.to_owned()));
        return;
    }
    let read = format!("synchronised, estimated error {error}, at most {most}");
    let limits = config.checks.iter().filter(|check| check.kind == Kind::Clock).map(|check| check.limit_ns);
    match limits.min() {
        Some(limit) if kept.error_max_us.saturating_mul(1000) > limit => {
            let why = format!(
                "the `clock` check believes {}: our own clock may be what raises it",
                duration_text(limit)
            );
            let mend = "chronyc tracking; a nearer server, or a larger `limit`";
            findings.push(Level::Note, about, read, why, Some(mend.to_owned()));
        }
        _ => findings.well(about, read),
    }
}
