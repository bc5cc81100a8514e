//! Whether the process that wrote a file still lives: by its id, and by its start, so that another process that was
//! given the same id later is not taken for it.

use super::map::process_exists;

/// A process as a file names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: u64,
    /// Its start, clock ticks since boot; 0 when unknown.
    pub start: u64,
    /// Inode of the namespace in which the id means it; 0 when unknown.
    pub namespace: u64,
}

impl Process {
    /// This process.
    pub fn current() -> Process {
        let pid = u64::from(std::process::id());
        Process { pid, start: start_of(pid).map_or(0, |s| s.0), namespace: namespace() }
    }

    /// Whether it has ended; `false` too when that cannot be told from here.
    pub fn is_gone(&self) -> bool {
        if self.pid == 0 || self.namespace == 0 || self.namespace != namespace() {
            return false;
        }
        match start_of(self.pid) {
            Some((_, 'Z' | 'X' | 'x')) => true,
            Some((start, _)) => self.start != 0 && start != self.start,
            // The process may be hidden from us (mount option hidepid), or gone.
            None => process_exists(self.pid) == Some(false),
        }
    }
}

/// Start and state of a process, from `/proc/PID/stat` (proc_pid_stat(5): fields 22 and 3).
fn start_of(pid: u64) -> Option<(u64, char)> {
    parse_stat(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

fn parse_stat(stat: &str) -> Option<(u64, char)> {
    // The second field is the program's name in brackets, and may hold anything.
    let mut fields = stat[stat.rfind(')')? + 1..].split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    Some((fields.nth(18)?.parse().ok()?, state))
}

fn namespace() -> u64 {
    let link = std::fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    let text = link.to_string_lossy();
    text.strip_prefix("pid:[").and_then(|t| t.strip_suffix(']')).and_then(|t| t.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_counted_behind_the_last_bracket() {
        let stat = "4242 (a) b (c) S 1 4242 4242 0 -1 4194560 103 0 0 0 5 6 7 8 20 0 1 0 987654 11 12 13";
        assert_eq!(parse_stat(stat), Some((987_654, 'S')));
        assert_eq!(parse_stat("4242 (a) S 1"), None);
        assert_eq!(parse_stat(""), None);
    }

    #[test]
    #[cfg_attr(miri, ignore = "there is no /proc")]
    fn this_process_lives_and_another_of_its_id_does_not() {
        let this = Process::current();
        assert!(this.start > 0 && this.namespace > 0, "{this:?}");
        assert!(!this.is_gone());
        assert!(Process { start: this.start + 1, ..this }.is_gone());
        // Ids end below 2^22 (proc_sys_kernel(5), pid_max).
        assert!(Process { pid: 1 << 22, ..this }.is_gone());
        assert!(!Process { pid: 1 << 22, namespace: this.namespace + 1, ..this }.is_gone());
    }
}
