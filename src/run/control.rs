//! The control socket: people's tools ask the daemon here, and operators take and put aside alerts.
//!
//! Whoever may open the socket's file may do everything, and is known by the name that the kernel gives them. It never
//! waits: a caller who does not read is cut off, one who sends rubbish is told so, and both are counted. It judges
//! nothing and keeps no alert: that is the console's.

pub mod client;
#[cfg(test)]
pub mod fake;
pub mod place;
pub mod protocol;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt, chown};
use std::os::unix::net::{UnixListener as StdListener, UnixStream as StdStream};
use std::path::{Path, PathBuf};

use mio::event::Event;
use mio::net::{UnixListener, UnixStream};
use mio::{Interest, Registry, Token};

use crate::alert::console::Notice;
use crate::lock::Locked;
use crate::run::place::Environment;
use crate::source::peer;
pub use protocol::{Answer, Desk, Request};

/// A request is no longer than this, bytes.
pub const REQUEST_MAX: usize = 64 * 1024;
/// Callers at a time.
pub const CALLERS_MAX: usize = 32;
/// What waits for one follower, bytes.
pub const FOLLOW_MAX: usize = 4 << 20;
/// While this much waits for a caller, its next request waits too, bytes.
const BACKLOG: usize = 64 * 1024;
/// Requests of one caller between two looks at the others.
const TURN: usize = 64;
/// Of `/etc/passwd` no more is read, bytes.
const PASSWD_MAX: u64 = 4 << 20;

/// Why there is no control socket.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Another daemon has it.
    #[error("another daemon answers at {}; stop it, or give this one another name in [run]", .0.display())]
    Live(PathBuf),
    /// Something else has its name.
    #[error("{} is there and is no socket; remove it, or give this daemon another name in [run]", .0.display())]
    NotASocket(PathBuf),
    /// The directory is somebody else's, who could put another socket in its place.
    #[error("{path} belongs to user {uid}, not to this one; name a directory of your own in [run]", path = .0.display(), uid = .1)]
    NotOurs(PathBuf, u32),
    /// The system says no.
    #[error("the control socket {path} cannot be made: {error}", path = .0.display(), error = .1)]
    System(PathBuf, #[source] io::Error),
}

/// Counts of what came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ControlCounts {
    /// Callers let in.
    pub accepted: u64,
    /// Callers sent away because there were too many.
    pub too_many: u64,
    /// Callers that could not be taken for other reasons.
    pub accept_errors: u64,
    /// Requests answered.
    pub requests: u64,
    /// Of them, those that are none.
    pub bad_requests: u64,
    /// Callers cut off because a request had no end.
    pub too_long: u64,
    /// Followers cut off because they did not read.
    pub too_slow: u64,
    /// Callers now.
    pub callers: u64,
    /// Of them, followers.
    pub followers: u64,
}

#[derive(Debug)]
struct Caller {
    stream: UnixStream,
    who: String,
    input: Vec<u8>,
    /// Where in `input` no end of line has been found yet.
    searched: usize,
    output: VecDeque<u8>,
    following: bool,
    /// It will send nothing more.
    ended: bool,
    /// To be let go when all is written.
    last_words: bool,
}

/// See the module.
#[derive(Debug)]
pub struct Control {
    listener: UnixListener,
    path: PathBuf,
    /// Device and number of our socket's file, so that only that is removed.
    inode: (u64, u64),
    /// Held as long as this daemon lives: of two that start at once, one gets it.
    _lock: Locked,
    registered: Option<(Registry, usize)>,
    callers: Vec<Option<Caller>>,
    counts: ControlCounts,
}

/// Who may open the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Access {
    /// The user of the daemon (mode 0600).
    #[default]
    Owner,
    /// And the group of the directory (mode 0660).
    Group,
}

impl Control {
    /// Listens at `path`, in a directory that is made (mode 0700) when it is not there. What a dead daemon left is
    /// replaced.
    ///
    /// # Errors
    /// See [`ControlError`].
    pub fn open(path: &Path, access: Access) -> Result<Control, ControlError> {
        let system = |error| ControlError::System(path.to_path_buf(), error);
        let directory = path.parent().filter(|d| !d.as_os_str().is_empty()).unwrap_or(Path::new("."));
        DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(system)?;
        let folder = fs::metadata(directory).map_err(system)?;
        let me = Environment::here().uid;
        if folder.uid() != me && folder.uid() != 0 {
            return Err(ControlError::NotOurs(directory.to_path_buf(), folder.uid()));
        }
        let lock = File::create(path.with_extension("lock")).map_err(system)?;
        let lock = Locked::hold(lock).map_err(|error| match error {
            fs::TryLockError::WouldBlock => ControlError::Live(path.to_path_buf()),
            fs::TryLockError::Error(error) => system(error),
        })?;
        make_way(path)?;
        // Made beside its place and moved there when its mode is right: nobody gets in before.
        let beside = path.with_extension("new");
        remove(&beside).map_err(system)?;
        let listener = StdListener::bind(&beside).map_err(system)?;
        let mode = if access == Access::Group { 0o660 } else { 0o600 };
        if access == Access::Group {
            chown(&beside, None, Some(folder.gid())).map_err(system)?;
        }
        fs::set_permissions(&beside, Permissions::from_mode(mode)).map_err(system)?;
        fs::rename(&beside, path).map_err(system)?;
        listener.set_nonblocking(true).map_err(system)?;
        let made = fs::symlink_metadata(path).map_err(system)?;
        Ok(Control {
            listener: UnixListener::from_std(listener),
            path: path.to_path_buf(),
            inode: (made.dev(), made.ino()),
            _lock: lock,
            registered: None,
            callers: (0..CALLERS_MAX).map(|_| None).collect(),
            counts: ControlCounts::default(),
        })
    }

    /// Where it listens.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many tokens it uses from its base on.
    pub const fn tokens() -> usize {
        CALLERS_MAX + 1
    }

    /// Has its events reported with tokens from `base` to `base + Control::tokens()`.
    ///
    /// # Errors
    /// Those of the system.
    pub fn register(&mut self, registry: &Registry, base: Token) -> io::Result<()> {
        registry.register(&mut self.listener, base, Interest::READABLE)?;
        self.registered = Some((registry.try_clone()?, base.0));
        Ok(())
    }

    /// Whether an event with that token is for [`Control::on_event`].
    pub fn owns(&self, token: Token) -> bool {
        self.registered
            .as_ref()
            .is_some_and(|(_, base)| (*base..*base + Control::tokens()).contains(&token.0))
    }

    /// Something happened on one of its sockets. Afterwards the console may have notices and journal lines.
    pub fn on_event(&mut self, event: &Event, desk: &mut dyn Desk) {
        let Some(base) = self.registered.as_ref().map(|(_, base)| *base) else { return };
        match event.token().0.checked_sub(base) {
            Some(0) => self.accept(desk),
            Some(n) if n <= CALLERS_MAX => {
                if event.is_write_closed() || event.is_error() {
                    self.let_go(n - 1);
                } else {
                    self.serve(n - 1, desk);
                }
            }
            _ => {}
        }
    }

    /// Tells every follower. One for whom too much waits is cut off.
    pub fn publish(&mut self, notices: &[Notice]) {
        if notices.is_empty() || !self.callers.iter().flatten().any(|c| c.following) {
            return;
        }
        let mut lines = Vec::new();
        notices.iter().for_each(|n| n.write(&mut lines));
        for slot in 0..self.callers.len() {
            let Some(caller) = self.callers[slot].as_mut().filter(|c| c.following) else { continue };
            let told = caller.tell(&lines);
            self.counts.too_slow += u64::from(told == Told::TooSlow);
            if told != Told::Taken {
                self.let_go(slot);
            }
        }
    }

    /// Counts.
    pub fn counts(&self) -> ControlCounts {
        let callers = || self.callers.iter().flatten();
        ControlCounts {
            callers: callers().count() as u64,
            followers: callers().filter(|c| c.following).count() as u64,
            ..self.counts
        }
    }

    fn accept(&mut self, desk: &mut dyn Desk) {
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => self.admit(stream, desk),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => {
                    // Out of descriptors, most likely: whoever waits is seen with the next caller.
                    self.counts.accept_errors += 1;
                    return;
                }
            }
        }
    }

    fn admit(&mut self, mut stream: UnixStream, desk: &mut dyn Desk) {
        let Some(slot) = self.callers.iter().position(Option::is_none) else {
            self.counts.too_many += 1;
            let mut line = Vec::new();
            let why = format!("{CALLERS_MAX} callers are there already; try again later");
            Answer::refusal("too_many_callers", why).write(&mut line);
            // If even that does not fit into an empty socket, nothing does.
            let _ = stream.write(&line);
            return;
        };
        let who = peer::peer(&stream).map(|p| peer::user_name(&passwd(), p.uid));
        let registered = self.registered.as_ref().map(|(registry, base)| {
            registry.register(&mut stream, Token(base + 1 + slot), Interest::READABLE | Interest::WRITABLE)
        });
        let (Ok(who), Some(Ok(()))) = (who, registered) else {
            self.counts.accept_errors += 1;
            return;
        };
        self.counts.accepted += 1;
        self.callers[slot] = Some(Caller {
            stream,
            who,
            input: Vec::new(),
            searched: 0,
            output: VecDeque::new(),
            following: false,
            ended: false,
            last_words: false,
        });
        self.serve(slot, desk);
    }

    fn let_go(&mut self, slot: usize) {
        if let (Some(mut caller), Some((registry, _))) = (self.callers[slot].take(), &self.registered) {
            // It is closed next, which takes it out of the poll as well.
            let _ = registry.deregister(&mut caller.stream);
        }
    }

    /// Reads, answers and writes as far as nobody has to wait.
    fn serve(&mut self, slot: usize, desk: &mut dyn Desk) {
        let Some(caller) = &mut self.callers[slot] else { return };
        for _ in 0..TURN {
            match caller.step(&mut self.counts, desk) {
                Step::Again => {}
                Step::Wait => return,
                Step::Over => return self.let_go(slot),
            }
        }
        // The others' turn; asking anew for events brings one at once, because there is something to do.
        if let (Some(caller), Some((registry, base))) = (&mut self.callers[slot], &self.registered) {
            let again = Interest::READABLE | Interest::WRITABLE;
            if registry.reregister(&mut caller.stream, Token(base + 1 + slot), again).is_err() {
                self.let_go(slot);
            }
        }
    }
}

impl Drop for Control {
    fn drop(&mut self) {
        let ours = fs::symlink_metadata(&self.path).is_ok_and(|m| (m.dev(), m.ino()) == self.inode);
        if ours {
            // A file that stays is replaced by the next daemon.
            let _ = fs::remove_file(&self.path);
        }
    }
}

enum Step {
    /// Something was done.
    Again,
    /// Nothing can be done before the next event.
    Wait,
    /// This caller is done with.
    Over,
}

/// How a follower took its notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Taken,
    TooSlow,
    Gone,
}

impl Caller {
    /// Notices, written as they come: a storm of them does not cut off who reads.
    fn tell(&mut self, lines: &[u8]) -> Told {
        for chunk in lines.chunks(BACKLOG) {
            self.output.extend(chunk);
            if self.flush().is_err() {
                return Told::Gone;
            }
            if self.output.len() > FOLLOW_MAX {
                return Told::TooSlow;
            }
        }
        Told::Taken
    }

    fn step(&mut self, counts: &mut ControlCounts, desk: &mut dyn Desk) -> Step {
        let Ok(all_written) = self.flush() else { return Step::Over };
        if self.last_words {
            return if all_written { Step::Over } else { Step::Wait };
        }
        if self.output.len() >= BACKLOG {
            return Step::Wait;
        }
        if let Some(line) = self.next_line() {
            self.take(&line, counts, desk);
            return Step::Again;
        }
        if self.input.len() > REQUEST_MAX {
            counts.too_long += 1;
            self.refuse("too_long", format!("a request is one line of at most {REQUEST_MAX} bytes"));
            self.last_words = true;
            return Step::Again;
        }
        if self.ended {
            // Whoever follows may have closed its own side long ago.
            return if self.following || !all_written { Step::Wait } else { Step::Over };
        }
        self.read()
    }

    fn read(&mut self) -> Step {
        let mut chunk = [0; 16 * 1024];
        match self.stream.read(&mut chunk) {
            Ok(0) => {
                self.ended = true;
                // A last request may lack its end of line.
                if !self.input.is_empty() {
                    self.input.push(b'\n');
                }
                Step::Again
            }
            Ok(n) => {
                self.input.extend_from_slice(&chunk[..n]);
                Step::Again
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Step::Wait,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Step::Again,
            Err(_) => Step::Over,
        }
    }

    fn next_line(&mut self) -> Option<Vec<u8>> {
        let found = self.input[self.searched..].iter().position(|b| *b == b'\n');
        match found {
            Some(at) => {
                let end = self.searched + at;
                self.searched = 0;
                let rest = self.input.split_off(end + 1);
                Some(std::mem::replace(&mut self.input, rest))
            }
            None => {
                self.searched = self.input.len();
                None
            }
        }
    }

    fn take(&mut self, line: &[u8], counts: &mut ControlCounts, desk: &mut dyn Desk) {
        let line = line.trim_ascii();
        if line.is_empty() {
            return;
        }
        counts.requests += 1;
        if line.len() > REQUEST_MAX {
            counts.bad_requests += 1;
            return self.refuse("too_long", format!("a request is one line of at most {REQUEST_MAX} bytes"));
        }
        match serde_json::from_slice::<Request>(line) {
            Ok(request) => {
                let follow = request == Request::Follow {};
                let answer = protocol::answer(request, &self.who, desk);
                self.say(&answer);
                self.following |= follow;
            }
            Err(error) => {
                counts.bad_requests += 1;
                self.refuse(
                    "bad_request",
                    format!("no request: {error}; docs/control.md says what can be asked"),
                );
            }
        }
    }

    fn refuse(&mut self, error: &str, why: String) {
        self.say(&Answer::refusal(error, why));
    }

    fn say(&mut self, answer: &Answer) {
        let mut line = Vec::new();
        answer.write(&mut line);
        self.output.extend(&line);
    }

    /// Writes what the socket takes; answers whether that was all.
    fn flush(&mut self) -> io::Result<bool> {
        while !self.output.is_empty() {
            let (front, _) = self.output.as_slices();
            match self.stream.write(front) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => drop(self.output.drain(..n)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

/// Leaves `path` free, unless a daemon answers there or it is no socket at all.
fn make_way(path: &Path) -> Result<(), ControlError> {
    let system = |error| ControlError::System(path.to_path_buf(), error);
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(system(error)),
        Ok(found) if !found.file_type().is_socket() => {
            return Err(ControlError::NotASocket(path.to_path_buf()));
        }
        Ok(_) => {}
    }
    match StdStream::connect(path) {
        Ok(_) => Err(ControlError::Live(path.to_path_buf())),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => remove(path).map_err(system),
        Err(error) => Err(system(error)),
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// The users of this machine; empty when they cannot be read (then users are numbers).
fn passwd() -> String {
    let mut text = Vec::new();
    let read = File::open("/etc/passwd").and_then(|file| file.take(PASSWD_MAX).read_to_end(&mut text));
    read.map(|_| String::from_utf8_lossy(&text).into_owned()).unwrap_or_default()
}
