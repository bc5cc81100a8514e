//! A daemon and a simulator as child processes.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::UdpSocket;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

const PARALLAX: &str = env!("CARGO_BIN_EXE_parallax");

/// How many looks of 20 ms something may take: two minutes, which only a hang needs.
const LOOKS: usize = 6_000;

/// Looks again and again until `ready` answers.
pub fn wait_for<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    for _ in 0..LOOKS {
        if let Some(found) = ready() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("{what} did not come");
}

/// A directory of one test, with the simulator's configuration for its ports and a daemon's on top.
pub struct Place {
    pub dir: tempfile::TempDir,
    pub name: String,
    pub port: u16,
    /// Held, so that nobody else takes the ports below it.
    _sign: UdpSocket,
}

/// A port that with the two after it is this test's alone, among all that run on the machine: multicast of two that share
/// a port would mix. It is so as long as the socket is there.
fn ports() -> (u16, UdpSocket) {
    (27_000..32_000)
        .step_by(10)
        .find_map(|port| Some((port, UdpSocket::bind(("127.0.0.1", port + 9)).ok()?)))
        .expect("free ports")
}

impl Place {
    pub fn new(name: &str) -> Place {
        let dir = tempfile::Builder::new().prefix("parallax-live-").tempdir().unwrap();
        let (port, sign) = ports();
        Place { dir, name: format!("{name}-{}", std::process::id()), port, _sign: sign }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    /// Writes `live.toml`; `more` goes before the sources.
    pub fn configure(&self, more: &str) -> PathBuf {
        let dir = self.dir.path().display();
        let name = &self.name;
        let lines = |name: &str, groups: &[(&str, &str, u16)]| {
            let line = |(l, group, port): &(&str, &str, u16)| {
                format!("{{ name = \"{l}\", group = \"{group}:{port}\", interface = \"127.0.0.1\" }}")
            };
            let lines: Vec<String> = groups.iter().map(line).collect();
            format!("[[source.channel]]\nname = \"{name}\"\nlines = [{}]\n", lines.join(", "))
        };
        let p = self.port;
        let text = format!(
            "[run]\nname = \"{name}\"\ndirectory = \"{dir}/run\"\nmode = \"block\"\nreceive_buffer = \"4MiB\"\n\
             [shared_memory]\ndirectory = \"{dir}/shm\"\ninstruments = 1024\n\
             [recorder]\ndirectory = \"{dir}/recordings\"\n\
             {more}\n\
             [[source]]\nname = \"direct\"\nfeed = \"nasdaq-itch-5.0\"\nvenue = \"XNAS\"\n{}\
             [[source]]\nname = \"sip\"\nfeed = \"utp-uqdf\"\n{}",
            lines("tv1", &[("A", "233.54.12.111", p), ("B", "233.49.196.111", p + 1)]),
            lines("q1", &[("A", "224.0.17.48", p + 2)]),
        );
        let path = self.path("live.toml");
        fs::write(&path, text).unwrap();
        path
    }

    /// Alerts to a file, no pages: what most tests want.
    pub fn plain(&self) -> PathBuf {
        let log = self.path("alerts.ndjson");
        self.configure(&format!("[alerts]\nlog = \"{}\"\n[metrics]\nlisten = \"off\"\n", log.display()))
    }

    /// Runs the simulator to its end; answers what it says of its timing.
    pub fn simulate(&self, scenario: &Path, more: &[&str]) -> Value {
        let out = Command::new(PARALLAX)
            .args(["simulate", "--multicast", "--summary", "json", "--port", &self.port.to_string()])
            .arg("--scenario")
            .arg(scenario)
            .arg("--out")
            .arg(self.path("sim"))
            .args(more)
            .output()
            .unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        let text = String::from_utf8(out.stdout).unwrap();
        let last = text.lines().rfind(|l| l.starts_with('{')).expect("a summary");
        serde_json::from_str(last).unwrap()
    }

    /// Replays the recording with the daemon's configuration; answers the alerts and the summary.
    pub fn replay(&self) -> (String, Value) {
        let mut files: Vec<PathBuf> =
            fs::read_dir(self.path("recordings")).unwrap().map(|e| e.unwrap().path()).collect();
        files.sort();
        let out = Command::new(PARALLAX)
            .args(["replay", "--summary", "json", "--config"])
            .arg(self.path("live.toml"))
            .arg("--alerts")
            .arg(self.path("replayed.ndjson"))
            .args(files)
            .output()
            .unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        (self.read("replayed.ndjson"), serde_json::from_slice(&out.stdout).unwrap())
    }

    /// Any command of the binary; exit code, standard output, standard error.
    pub fn command(&self, args: &[&str]) -> (Option<i32>, String, String) {
        let out = Command::new(PARALLAX).args(args).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (out.status.code(), text(out.stdout), text(out.stderr))
    }

    /// One question over the control socket.
    pub fn ask(&self, request: &str) -> Value {
        let mut stream = UnixStream::connect(self.path(&format!("run/{}.sock", self.name))).unwrap();
        writeln!(stream, "{request}").unwrap();
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }
}

/// A running daemon; killed when dropped.
pub struct Daemon {
    pub child: Child,
    stderr: Option<BufReader<ChildStderr>>,
    pub said: String,
}

impl Daemon {
    /// Starts it and waits until it says that it runs.
    pub fn start(config: &Path) -> Daemon {
        Daemon::start_writing_to(config, Stdio::null())
    }

    /// Likewise, with that as its standard output.
    pub fn start_writing_to(config: &Path, stdout: Stdio) -> Daemon {
        let mut child = Command::new(PARALLAX)
            .args(["run", "--config"])
            .arg(config)
            .stdout(stdout)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        while !said.ends_with("parallax: running\n") {
            assert_ne!(stderr.read_line(&mut said).unwrap(), 0, "it ended instead of running:\n{said}");
        }
        Daemon { child, stderr: Some(stderr), said }
    }

    /// Waits until it has said this on standard error.
    pub fn until_it_says(&mut self, what: &str) {
        let stderr = self.stderr.as_mut().unwrap();
        while !self.said.contains(what) {
            assert_ne!(
                stderr.read_line(&mut self.said).unwrap(),
                0,
                "it ended before it said {what}:\n{}",
                self.said
            );
        }
    }

    pub fn signal(&self, signal: &str) {
        let done = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(done.success());
    }

    /// Tells it to stop, and waits for its end; its exit code.
    pub fn stop(mut self) -> Option<i32> {
        self.end()
    }

    /// Tells it to stop; its exit code, and what it said from its beginning to its end.
    pub fn stop_with(mut self) -> (Option<i32>, String) {
        let code = self.end();
        (code, std::mem::take(&mut self.said))
    }

    /// Tells it to stop; what it said from its beginning to its end, which was a good one.
    pub fn stop_and_hear(mut self) -> String {
        assert_eq!(self.end(), Some(0), "{}", self.said);
        std::mem::take(&mut self.said)
    }

    fn end(&mut self) -> Option<i32> {
        self.signal("-TERM");
        let mut rest = String::new();
        self.stderr.take().unwrap().read_to_string(&mut rest).unwrap();
        self.said += &rest;
        self.child.wait().unwrap().code()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A scenario of the repository.
pub fn scenario(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/scenarios").join(name)
}

/// The lines of a log as values; each must be whole.
pub fn lines(text: &str) -> Vec<Value> {
    assert!(text.is_empty() || text.ends_with('\n'), "half a line at the end: {text:?}");
    text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}
