//! Programs that we start and end ourselves.
//!
//! A child is asked to end before it is made to, and only one that was started here.

use std::process::Child;

/// Asks a child to end (`SIGTERM`). One that has ended is left alone.
#[allow(unsafe_code, reason = "the standard library can only kill")]
pub fn ask_to_end(child: &mut Child) {
    // A child that has been waited for has given its number back: it may be another process's by now.
    if matches!(child.try_wait(), Ok(None))
        && let Ok(id) = libc::pid_t::try_from(child.id())
    {
        // SAFETY: kill takes two numbers and touches no memory of ours; the child is not reaped, so the id is its own.
        unsafe { libc::kill(id, libc::SIGTERM) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Command, Stdio};

    #[test]
    fn a_child_is_asked_and_one_that_ended_is_left_alone() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        ask_to_end(&mut child);
        assert_eq!(child.wait().unwrap().signal(), Some(libc::SIGTERM));
        ask_to_end(&mut child);
    }
}
