//! Who is at the other end of a Unix socket, as the kernel knows it: what a peer says about itself is not asked.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// Credentials of the process that connected, at the time it did (unix(7), `SO_PEERCRED`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Process.
    pub pid: i32,
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

/// Asks the kernel.
///
/// # Errors
/// What is no connected Unix socket.
#[allow(unsafe_code, reason = "no library in use reads SO_PEERCRED")]
pub fn peer(socket: &impl AsFd) -> io::Result<Peer> {
    let mut found = libc::ucred { pid: 0, uid: 0, gid: 0 };
    let mut length = size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: the descriptor is open while it is borrowed; `found` is a plain C structure, exclusively ours for the
    // call, and `length` holds its size, beyond which the kernel does not write.
    let answer = unsafe {
        libc::getsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut found).cast(),
            &raw mut length,
        )
    };
    if answer != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(Peer { pid: found.pid, uid: found.uid, gid: found.gid })
}

/// The name of a user in the text of a passwd file (passwd(5): name, password, uid, ...); `uid:1000` for one that is not
/// there. Control characters of a name are left out.
pub fn user_name(passwd: &str, uid: u32) -> String {
    let name = passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        (number.parse() == Ok(uid))
            .then(|| name.chars().filter(|c| !c.is_control()).take(64).collect::<String>())
    });
    name.filter(|n| !n.is_empty()).unwrap_or_else(|| format!("uid:{uid}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;
    use std::os::unix::net::UnixStream;

    #[test]
    fn the_kernel_knows_who_we_are() {
        let (near, _far) = UnixStream::pair().unwrap();
        let peer = peer(&near).unwrap();
        let me = std::fs::metadata("/proc/self").unwrap();
        assert_eq!((peer.pid as u32, peer.uid, peer.gid), (std::process::id(), me.uid(), me.gid()));
    }

    #[test]
    fn names_come_from_the_passwd_file() {
        let passwd =
            "root:x:0:0:root:/r:/bin/sh\n\n:::\nbad line\nann\u{1b}:x:1000:1000::/h:/bin/sh\n:x:7:7::/:/\n";
        assert_eq!(user_name(passwd, 0), "root");
        assert_eq!(user_name(passwd, 1000), "ann");
        assert_eq!(user_name(passwd, 7), "uid:7");
        assert_eq!(user_name(passwd, 12), "uid:12");
    }
}
