//! Rights that are needed to start, and given up once it has.
//!
//! CAP_NET_ADMIN forces receive buffers, CAP_SYS_NICE sets priorities, CAP_SYS_RESOURCE lifts the limit of locked
//! memory. After that nothing needs a right: a group is joined again on the socket that is there. A reopened socket
//! gets no more than `net.core.rmem_max` then.
//!
//! **Capabilities belong to a thread, not to the process** (capabilities(7)). A new thread has those of the one that made it.
//! So: open sockets and lock memory, then start the threads; every thread pins itself, takes its priority, and calls
//! [`drop_all`] before it reads the first byte that others wrote. The main thread calls it after the last thread is made.

use std::fmt;

use caps::{CapSet, Capability, CapsHashSet};

/// What the calling thread still has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Kept {
    /// Names of the capabilities that are still permitted: none, if all went well.
    pub permitted: Vec<String>,
    /// Names of those that could not be taken from the bounding set, which only matters to programs that are executed; the
    /// daemon executes none. Without CAP_SETPCAP it stays as the unit made it.
    pub bounding: Vec<String>,
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.permitted.as_slice() {
            [] => f.write_str("no capability"),
            names => f.write_str(&names.join(", ")),
        }
    }
}

/// Gives up every capability of the calling thread: ambient, inheritable, effective, permitted, and where it may the
/// bounding set. Asking again is no error.
///
/// # Errors
/// The system refused; the sentence says what. The thread then has what it had, or less.
pub fn drop_all() -> Result<Kept, String> {
    // First what needs a capability itself: taking from the bounding set needs CAP_SETPCAP.
    if caps::has_cap(None, CapSet::Effective, Capability::CAP_SETPCAP).unwrap_or(false) {
        for capability in caps::runtime::thread_all_supported() {
            // What cannot be taken is told by `bounding` below.
            let _ = caps::drop(None, CapSet::Bounding, capability);
        }
    }
    // The effective set lies within the permitted one, and an ambient one within both others.
    for set in [CapSet::Ambient, CapSet::Effective, CapSet::Inheritable, CapSet::Permitted] {
        caps::clear(None, set)
            .map_err(|error| format!("capabilities ({set:?}) cannot be given up: {error}"))?;
    }
    let read = |set: CapSet| {
        caps::read(None, set).map_err(|error| format!("capabilities ({set:?}) cannot be read: {error}"))
    };
    Ok(Kept { permitted: names(&read(CapSet::Permitted)?), bounding: names(&read(CapSet::Bounding)?) })
}

fn names(set: &CapsHashSet) -> Vec<String> {
    let mut names: Vec<String> = set.iter().map(ToString::to_string).collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(set: CapSet) -> usize {
        caps::read(None, set).expect("a thread may read its own").len()
    }

    #[test]
    fn a_thread_gives_up_its_own_and_no_other_thread_s() {
        let before = has(CapSet::Permitted);
        let kept = std::thread::spawn(|| {
            let kept = drop_all().expect("giving up needs no right");
            let sets = [CapSet::Ambient, CapSet::Effective, CapSet::Inheritable, CapSet::Permitted];
            assert_eq!(sets.map(has), [0; 4]);
            // What it makes has none either.
            assert_eq!(std::thread::spawn(|| has(CapSet::Permitted)).join().expect("it ran"), 0);
            assert_eq!(drop_all().expect("again is no error").permitted, Vec::<String>::new());
            kept
        });
        let kept = kept.join().expect("the thread ran");
        assert_eq!((kept.permitted.as_slice(), kept.to_string().as_str()), ([].as_slice(), "no capability"));
        assert_eq!(has(CapSet::Permitted), before, "this thread has what it had");
    }
}
