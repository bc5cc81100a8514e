//! Where a thread runs and how: its core, its priority, its memory.

#![allow(unsafe_code, reason = "priorities and locked memory have no safe interface")]

use std::io;

/// Why a thread cannot run as configured. Each displays as one sentence for people.
#[derive(Debug, thiserror::Error)]
pub enum CoreError {
    /// The core is not there, or not for this process.
    #[error("cannot pin a thread to core {core}: this process may run on the cores {allowed}")]
    Core {
        /// What was asked for.
        core: usize,
        /// The cores that are allowed, such as `0-3,6`.
        allowed: String,
    },
    /// The priority is none of the system's.
    #[error("the priority {priority} is no SCHED_FIFO priority: it should be within 1 to 99")]
    Priority {
        /// What was asked for.
        priority: u8,
    },
    /// The system refused the priority.
    #[error(
        "cannot run at SCHED_FIFO priority {priority}: {source}; it needs CAP_SYS_NICE, or LimitRTPRIO={priority} in its unit"
    )]
    Realtime {
        /// What was asked for.
        priority: u8,
        /// What the system said.
        source: io::Error,
    },
    /// The system refused to keep the memory.
    #[error(
        "cannot lock memory: {source}; it needs LimitMEMLOCK=infinity in its unit, or `ulimit -l unlimited`"
    )]
    Memory {
        /// What the system said.
        source: io::Error,
    },
}

/// Keeps the calling thread on a core, by the system's number for it.
///
/// # Errors
/// When this process may not run there.
pub fn pin(core: usize) -> Result<(), CoreError> {
    // The number is the configuration's: cores that are isolated from the scheduler, the best ones there are, stand in
    // no list of allowed cores. Numbers beyond the kernel's set are not for core_affinity, which would panic.
    if core < libc::CPU_SETSIZE as usize
        && core_affinity::set_for_current(core_affinity::CoreId { id: core })
        && core_affinity::get_core_ids().is_none_or(|ids| ids.iter().all(|id| id.id == core))
    {
        return Ok(());
    }
    let allowed = core_affinity::get_core_ids().unwrap_or_default();
    let mut allowed: Vec<usize> = allowed.iter().map(|id| id.id).collect();
    allowed.sort_unstable();
    Err(CoreError::Core { core, allowed: ranges(&allowed) })
}

/// Keeps the calling thread, and every thread that it starts from now on, off those cores: they belong to the threads
/// that are pinned to them. Where nothing else would be left it stays where it is; answers whether it left.
pub fn leave(cores: &[usize]) -> bool {
    // SAFETY: the set is plain bits, for which zeroes are a value: no core.
    let mut set: libc::cpu_set_t = unsafe { std::mem::zeroed() };
    let mut any = false;
    for id in core_affinity::get_core_ids().unwrap_or_default() {
        if id.id < libc::CPU_SETSIZE as usize && !cores.contains(&id.id) {
            // SAFETY: the number is within the set.
            unsafe { libc::CPU_SET(id.id, &mut set) };
            any = true;
        }
    }
    // SAFETY: the set lives over the call, which only reads as many bytes as it is told; 0 is the calling thread.
    any && unsafe { libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set) } == 0
}

/// How far behind the others a thread steps that works for later: it has a third of what each of them has. The greatest is 19;
/// with that a daemon on a machine that is overrun would not come to its end.
const BEHIND: libc::c_int = 5;

/// Lets the calling thread stand behind ordinary threads where there is not enough processor for all; answers whether it does.
pub fn step_back() -> bool {
    // SAFETY: the calls touch no memory of ours; 0 is the calling thread, as Linux takes it.
    unsafe {
        // Whoever stands further back already, as under nice(1), is not called forward.
        libc::getpriority(libc::PRIO_PROCESS, 0) >= BEHIND
            || libc::setpriority(libc::PRIO_PROCESS, 0, BEHIND) == 0
    }
}

/// Runs the calling thread at a real-time priority (`SCHED_FIFO`): it gives its core to no ordinary thread.
///
/// # Errors
/// When the priority is out of range or the system refuses.
pub fn sched_fifo(priority: u8) -> Result<(), CoreError> {
    if !(1..=99).contains(&priority) {
        return Err(CoreError::Priority { priority });
    }
    let parameters = libc::sched_param { sched_priority: i32::from(priority) };
    // SAFETY: the parameters live over the call, which only reads them; 0 is the calling thread.
    let result = unsafe { libc::sched_setscheduler(0, libc::SCHED_FIFO, &raw const parameters) };
    if result == 0 {
        Ok(())
    } else {
        Err(CoreError::Realtime { priority, source: io::Error::last_os_error() })
    }
}

/// Keeps the process's memory, now and later, from being paged out.
///
/// # Errors
/// When the system refuses, or would refuse later: with a limit on locked memory, what is allocated beyond it fails
/// once the right to exceed the limit is given up.
pub fn lock_memory() -> Result<(), CoreError> {
    let unlimited = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
    // SAFETY: the limits live over the call, which only reads them.
    if unsafe { libc::setrlimit(libc::RLIMIT_MEMLOCK, &raw const unlimited) } != 0 {
        return Err(CoreError::Memory { source: io::Error::last_os_error() });
    }
    // SAFETY: the call takes flags alone and changes no memory's contents.
    let result = unsafe { libc::mlockall(libc::MCL_CURRENT | libc::MCL_FUTURE) };
    if result == 0 { Ok(()) } else { Err(CoreError::Memory { source: io::Error::last_os_error() }) }
}

/// Sorted numbers as ranges.
fn ranges(sorted: &[usize]) -> String {
    let mut text = String::new();
    let mut rest = sorted;
    while let Some((&first, _)) = rest.split_first() {
        let run = rest.iter().enumerate().take_while(|&(n, &id)| id == first + n).count();
        let comma = if text.is_empty() { "" } else { "," };
        let range = if run == 1 { first.to_string() } else { format!("{first}-{}", first + run - 1) };
        text = format!("{text}{comma}{range}");
        rest = &rest[run..];
    }
    if text.is_empty() { "none".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_are_listed_as_ranges() {
        assert_eq!(ranges(&[]), "none");
        assert_eq!(ranges(&[3]), "3");
        assert_eq!(ranges(&[0, 1, 2, 3, 6, 8, 9]), "0-3,6,8-9");
    }

    #[test]
    fn what_is_not_pinned_leaves_the_cores_of_those_that_are() {
        std::thread::spawn(|| {
            let ids = || -> Vec<usize> {
                core_affinity::get_core_ids().expect("cores are known").iter().map(|id| id.id).collect()
            };
            let allowed = ids();
            assert!(!leave(&allowed), "nothing would be left");
            assert_eq!(ids(), allowed);
            let last = *allowed.last().expect("there is a core");
            assert_eq!(leave(&[last]), allowed.len() > 1);
            if allowed.len() > 1 {
                assert!(!ids().contains(&last));
                let child = std::thread::spawn(move || {
                    let inherited = core_affinity::get_core_ids().expect("cores are known");
                    pin(last).expect("a pinned thread goes where it is told");
                    inherited.iter().all(|id| id.id != last)
                });
                assert!(child.join().expect("it ran"), "started threads stay off it too");
            }
        })
        .join()
        .expect("the thread ends");
    }

    #[test]
    fn a_thread_steps_back_alone() {
        // Field 19 of the thread's own figures (proc_pid_stat(5)), the 17th after its name.
        let nice = || {
            let text = std::fs::read_to_string("/proc/thread-self/stat").expect("Linux says it");
            let after = text.rsplit_once(')').expect("a name in brackets").1;
            after.split_whitespace().nth(16).expect("a field").parse::<i32>().expect("a number")
        };
        let before = nice();
        let behind = std::thread::spawn(move || (step_back(), nice())).join().expect("the thread ends");
        assert_eq!(behind, (true, BEHIND.max(before)));
        assert_eq!(nice(), before);
    }

    #[test]
    fn a_thread_is_pinned_to_the_core_it_names_or_told_which_there_are() {
        std::thread::spawn(|| {
            let allowed = core_affinity::get_core_ids().expect("cores are known");
            let last = allowed.iter().map(|id| id.id).max().expect("there is a core");
            pin(last).expect("it may run there");
            assert_eq!(core_affinity::get_core_ids().expect("cores are known").len(), 1);
            let error = pin(1_000_000).expect_err("there is no such core").to_string();
            assert_eq!(
                error,
                format!("cannot pin a thread to core 1000000: this process may run on the cores {last}")
            );
        })
        .join()
        .expect("the thread ran");
    }

    #[test]
    fn a_priority_out_of_range_is_refused_before_the_system_is_asked() {
        for priority in [0, 100, 255] {
            let error = sched_fifo(priority).expect_err("there is no such priority");
            assert!(matches!(error, CoreError::Priority { priority: p } if p == priority), "{error}");
        }
    }
}
