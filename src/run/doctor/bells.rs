//! Whether the kernel rings for the sockets of receivers that spin.

use super::{Findings, Level, Machine};
use crate::config::live::{Mode, RunPlan};
use crate::source::multicast::wants_bells;

pub(super) fn examine(plan: &RunPlan, machine: &Machine, findings: &mut Findings) {
    let mut lines = plan.receivers.iter().map(|receiver| receiver.lines.len());
    if plan.mode != Mode::Spin || !lines.any(wants_bells) {
        return;
    }
    let about = "receivers that spin";
    let Err(error) = (machine.bell)() else {
        return findings.well(about, "the kernel raises a flag when something comes (io_uring)");
    };
    let setting = "kernel.io_uring_disabled";
    let forbidden = machine.number(format!("/proc/sys/{}", setting.replace('.', "/"))).filter(|n| *n != 0);
    let read = match forbidden {
        Some(number) => format!("{setting} is {number}: the kernel raises no flag when something comes"),
        None => format!("the kernel raises no flag when something comes: {error}"),
    };
    let why = "every round asks the kernel which line has something: some tenths of a microsecond more until a packet is published";
    let mend = match forbidden {
        Some(_) => format!("sysctl -w {setting}=0"),
        None => {
            "Linux 6.1 or later, and a container that allows io_uring_setup and io_uring_enter".to_owned()
        }
    };
    findings.push(Level::Note, about, read, why, Some(mend));
}
