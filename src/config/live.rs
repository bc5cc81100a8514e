//! The tables that only a live daemon reads: `[run]`, `[shared_memory]`, `[alerts]`, `[metrics]`, `[recorder]`,
//! `[store]` (of which a replay takes the interval).
//!
//! Every one of them may be left out, and replay passes them by. What comes out is checked as far as the file alone can
//! tell; what only the machine can tell (does that core exist, is that directory writable) is the doctor's business.
//! It opens no file and no socket, and reads no environment.

mod compare;
mod plan;
mod secret;
mod store;

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use super::reader::{ConfigError, Table, duration_text, nearest, size_text};
use super::{Group, Interface, Severity};

pub use compare::{Change, Changes, compare};
pub use plan::{LinePlan, ReceiverPlan, RunPlan};
pub use secret::without_secrets;
pub use store::{Store, clock_of};

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MS;
const MINUTE: u64 = 60 * SECOND;
const MIB: u64 = 1 << 20;

/// The highest core that can be named: the size of the kernel's `cpu_set_t`, minus one.
pub const CORE_MAX: u64 = 1023;

/// What a live daemon is told beside sources and checks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// Threads, sockets, places.
    pub run: Run,
    /// Books for other processes; `None` when turned off with `directory = "off"`.
    pub shared_memory: Option<SharedMemory>,
    /// Where alerts go.
    pub alerts: Alerts,
    /// The page that Prometheus reads.
    pub metrics: Metrics,
    /// The flight recorder; `None` when there is no `[recorder]`.
    pub recorder: Option<Recorder>,
    /// The store; `None` when there is no `[store]`.
    pub store: Option<Store>,
}

impl Default for Live {
    fn default() -> Live {
        Live {
            run: Run::default(),
            shared_memory: Some(SharedMemory::default()),
            alerts: Alerts::default(),
            metrics: Metrics::default(),
            recorder: None,
            store: None,
        }
    }
}

/// How a thread waits for work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// It asks again and again: a core to itself, the least latency.
    #[default]
    Spin,
    /// It sleeps in the kernel: for machines that cannot spare cores.
    Block,
}

impl Mode {
    /// Name in configurations.
    pub const fn name(self) -> &'static str {
        match self {
            Mode::Spin => "spin",
            Mode::Block => "block",
        }
    }
}

/// `[run]`: threads, sockets, places.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Names the shared memory and the control socket; letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// Where the control socket is; `None`: the daemon takes the service's, the user's or a temporary directory.
    pub directory: Option<PathBuf>,
    /// How receivers and the comparator wait.
    pub mode: Mode,
    /// Core of the comparator.
    pub comparator_core: Option<usize>,
    /// `SCHED_FIFO` priority of pinned threads, 1 to 99; `None`: the usual scheduling.
    pub realtime: Option<u8>,
    /// Whether all memory is locked (mlockall).
    pub lock_memory: bool,
    /// Bytes asked for as the receive buffer of every socket. The kernel grants twice as many, for its own overhead.
    pub receive_buffer: u64,
    /// A line on which nothing arrived for so long is joined again, nanoseconds.
    pub rejoin_after_ns: u64,
    /// Records that fit between a receiver and the comparator.
    pub ring: usize,
}

impl Default for Run {
    fn default() -> Run {
        Run {
            name: "parallax".to_owned(),
            directory: None,
            mode: Mode::Spin,
            comparator_core: None,
            realtime: None,
            lock_memory: false,
            receive_buffer: 64 * MIB,
            rejoin_after_ns: 10 * SECOND,
            ring: 65_536,
        }
    }
}

/// `[shared_memory]`: books for other processes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedMemory {
    /// Where the files are, one per source: `NAME.SOURCE.book`.
    pub directory: PathBuf,
    /// Price levels per side.
    pub levels: usize,
    /// Slots per source.
    pub instruments: usize,
}

impl Default for SharedMemory {
    fn default() -> SharedMemory {
        SharedMemory { directory: PathBuf::from("/dev/shm/parallax"), levels: 5, instruments: 16_384 }
    }
}

/// Where a syslog daemon listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Syslog {
    /// Datagrams to this address (RFC 5426).
    Udp(SocketAddr),
    /// Datagrams to this socket of the machine.
    Unix(PathBuf),
}

impl std::fmt::Display for Syslog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Syslog::Udp(address) => write!(f, "udp:{address}"),
            Syslog::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// From when on an alert that comes and goes is one chronic alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chronic {
    /// So many times raised,
    pub raised: u32,
    /// within so many nanoseconds.
    pub within_ns: u64,
}

/// `[alerts]`: where alerts go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alerts {
    /// The log; `None`: standard output.
    pub log: Option<PathBuf>,
    /// Bytes after which the log begins a new file.
    pub log_size: u64,
    /// Files kept, the one being written included.
    pub log_files: u32,
    /// Syslog, where told.
    pub syslog: Option<Syslog>,
    /// Address to post alerts to, where told. It may hold a secret: show [`Alerts::webhook_shown`].
    pub webhook: Option<String>,
    /// Severity from which syslog and webhook are told.
    pub notify_from: Severity,
    /// What is chronic.
    pub chronic: Chronic,
}

impl Default for Alerts {
    fn default() -> Alerts {
        Alerts {
            log: None,
            log_size: 100 * MIB,
            log_files: 10,
            syslog: None,
            webhook: None,
            notify_from: Severity::Minor,
            chronic: Chronic { raised: 5, within_ns: 10 * MINUTE },
        }
    }
}

impl Alerts {
    /// The webhook for people: scheme and host. The rest, and a user's name and password, are often secret.
    pub fn webhook_shown(&self) -> Option<String> {
        let (scheme, rest) = self.webhook.as_deref()?.split_once("://")?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = authority.rsplit('@').next().unwrap_or_default();
        Some(format!("{scheme}://{host}/..."))
    }
}

/// `[metrics]`: the page that Prometheus reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Metrics {
    /// Where it listens; `None`: turned off.
    pub listen: Option<SocketAddr>,
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics { listen: Some(SocketAddr::from(([127, 0, 0, 1], 9464))) }
    }
}

/// `[recorder]`: what is kept of every datagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorder {
    /// Where the files are.
    pub directory: PathBuf,
    /// Bytes of datagrams, uncompressed, after which a file ends.
    pub file_size: u64,
    /// Time after which a file ends, nanoseconds.
    pub file_time_ns: u64,
    /// Bytes of all files, compressed, beyond which the oldest goes.
    pub keep_size: u64,
    /// Age beyond which a file goes, nanoseconds.
    pub keep_time_ns: u64,
}

impl Default for Recorder {
    fn default() -> Recorder {
        Recorder {
            directory: PathBuf::from("recordings"),
            file_size: 256 * MIB,
            file_time_ns: 10 * MINUTE,
            keep_size: 20 << 30,
            keep_time_ns: 24 * 60 * MINUTE,
        }
    }
}

/// Reads the live tables out of the whole configuration; paths in it are looked up from `folder`.
pub(super) fn read(root: &mut Table<'_>, folder: &Path) -> Result<Live, ConfigError> {
    let mut live = Live::default();
    if let Some(table) = root.table("run", "[run]")? {
        live.run = run(table, folder)?;
    }
    if let Some(table) = root.table("shared_memory", "[shared_memory]")? {
        live.shared_memory = shared_memory(table, folder)?;
    }
    if let Some(table) = root.table("alerts", "[alerts]")? {
        live.alerts = alerts(table, folder)?;
    }
    if let Some(table) = root.table("metrics", "[metrics]")? {
        live.metrics = metrics(table)?;
    }
    if let Some(table) = root.table("recorder", "[recorder]")? {
        live.recorder = Some(recorder(table, folder)?);
    }
    if let Some(table) = root.table("store", "[store]")? {
        live.store = Some(store::read(table, folder, live.recorder.is_some())?);
    }
    Ok(live)
}

fn run(mut table: Table<'_>, folder: &Path) -> Result<Run, ConfigError> {
    let mut run = Run::default();
    if let Some((name, span)) = table.string("name")? {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
        if name.is_empty() || name.len() > 48 || name.starts_with('.') || !name.bytes().all(plain) {
            let sentence =
                format!("`name = \"{name}\"` names files: letters, digits, `-`, `_`, `.`, at most 48");
            return Err(table.error_at(&span, sentence));
        }
        run.name = name.to_owned();
    }
    run.directory = path(&mut table, "directory", folder)?;
    if let Some((mode, span)) = table.string("mode")? {
        let modes = [Mode::Spin, Mode::Block];
        run.mode = modes.into_iter().find(|m| m.name() == mode).ok_or_else(|| {
            let hint = nearest(mode, modes.iter().map(|m| m.name()));
            let hint = hint.map_or(String::new(), |n| format!("; did you mean `{n}`?"));
            table.error_at(&span, format!("`{mode}` is no mode: it is spin or block{hint}"))
        })?;
    }
    run.comparator_core = core(&mut table, "comparator_core")?;
    run.realtime = number(&mut table, "realtime", 1..=99)?.map(|priority| priority as u8);
    run.lock_memory = table.boolean("lock_memory")?.unwrap_or(run.lock_memory);
    // The kernel doubles what is asked for, in an int (net/core/sock.c, sock_setsockopt).
    set(&mut run.receive_buffer, size(&mut table, "receive_buffer", 64 << 10..=1023 * MIB)?);
    set(&mut run.rejoin_after_ns, duration(&mut table, "rejoin_after", 100 * MS..=3600 * SECOND)?);
    set(&mut run.ring, number(&mut table, "ring", 1_024..=1 << 24)?.map(|n| n as usize));
    table.finish()?;
    Ok(run)
}

fn shared_memory(mut table: Table<'_>, folder: &Path) -> Result<Option<SharedMemory>, ConfigError> {
    let mut shared = SharedMemory::default();
    let off = matches!(table.string("directory")?, Some(("off", _)));
    set(&mut shared.directory, path(&mut table, "directory", folder)?);
    set(&mut shared.levels, number(&mut table, "levels", 1..=10)?.map(|n| n as usize));
    set(&mut shared.instruments, number(&mut table, "instruments", 16..=1 << 20)?.map(|n| n as usize));
    table.finish()?;
    Ok((!off).then_some(shared))
}

fn alerts(mut table: Table<'_>, folder: &Path) -> Result<Alerts, ConfigError> {
    let mut alerts = Alerts { log: path(&mut table, "log", folder)?, ..Alerts::default() };
    set(&mut alerts.log_size, size(&mut table, "log_size", 64 << 10..=1 << 40)?);
    set(&mut alerts.log_files, number(&mut table, "log_files", 1..=10_000)?.map(|n| n as u32));
    if let Some((text, span)) = table.string("syslog")? {
        alerts.syslog = Some(syslog(text).ok_or_else(|| {
            let sentence = format!(
                "`syslog = \"{text}\"` is no syslog; write \"udp:127.0.0.1:514\" (an address, no name) or \"unix:/dev/log\""
            );
            table.error_at(&span, sentence)
        })?);
    }
    if let Some((text, span)) = table.string("webhook")? {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let plain = |rest: &str| !rest.starts_with('/') && rest.bytes().all(|b| b.is_ascii_graphic());
        if !rest.is_some_and(|rest| !rest.is_empty() && plain(rest)) {
            let sentence = "`webhook` is no address such as https://host/path";
            return Err(table.error_at(&span, sentence));
        }
        alerts.webhook = Some(text.to_owned());
    }
    if let Some((name, span)) = table.string("notify_from")? {
        alerts.notify_from = Severity::from_name(name).ok_or_else(|| {
            table.error_at(&span, format!("`{name}` is no severity; it is info, minor, major or critical"))
        })?;
    }
    if let Some(mut chronic) = table.table("chronic", "chronic")? {
        set(&mut alerts.chronic.raised, number(&mut chronic, "raised", 2..=1_000)?.map(|n| n as u32));
        set(&mut alerts.chronic.within_ns, duration(&mut chronic, "within", SECOND..=24 * 60 * MINUTE)?);
        chronic.finish()?;
    }
    table.finish()?;
    Ok(alerts)
}

fn syslog(text: &str) -> Option<Syslog> {
    match text.split_once(':')? {
        // A name would have to be looked up while alerts wait.
        ("udp", address) => address.parse().ok().map(Syslog::Udp),
        ("unix", path) if path.starts_with('/') => Some(Syslog::Unix(PathBuf::from(path))),
        _ => None,
    }
}

fn metrics(mut table: Table<'_>) -> Result<Metrics, ConfigError> {
    let mut metrics = Metrics::default();
    match table.string("listen")? {
        None => {}
        Some(("off", _)) => metrics.listen = None,
        Some((text, span)) => {
            metrics.listen = Some(text.parse().map_err(|_| {
                let sentence = format!(
                    "`listen = \"{text}\"` is no address and port, such as 127.0.0.1:9464, nor \"off\""
                );
                table.error_at(&span, sentence)
            })?);
        }
    }
    table.finish()?;
    Ok(metrics)
}

fn recorder(mut table: Table<'_>, folder: &Path) -> Result<Recorder, ConfigError> {
    let mut recorder = Recorder::default();
    recorder.directory =
        path(&mut table, "directory", folder)?.unwrap_or_else(|| folder.join(&recorder.directory));
    set(&mut recorder.file_size, size(&mut table, "file_size", MIB..=64 << 30)?);
    set(&mut recorder.file_time_ns, duration(&mut table, "file_time", SECOND..=24 * 60 * MINUTE)?);
    set(&mut recorder.keep_size, size(&mut table, "keep_size", MIB..=1 << 50)?);
    set(&mut recorder.keep_time_ns, duration(&mut table, "keep_time", SECOND..=366 * 24 * 60 * MINUTE)?);
    if recorder.keep_size < recorder.file_size {
        let (keep, file) = (size_text(recorder.keep_size), size_text(recorder.file_size));
        let sentence = format!("`keep_size` ({keep}) holds less than one file (`file_size`, {file})");
        return Err(table.error_of("keep_size", sentence));
    }
    if recorder.keep_time_ns < recorder.file_time_ns {
        let (keep, file) = (duration_text(recorder.keep_time_ns), duration_text(recorder.file_time_ns));
        let sentence = format!("`keep_time` ({keep}) is shorter than one file (`file_time`, {file})");
        return Err(table.error_of("keep_time", sentence));
    }
    table.finish()?;
    Ok(recorder)
}

/// The interface of a line: an address or a name (Linux `IFNAMSIZ`: at most 15 bytes).
pub(super) fn interface(table: &mut Table<'_>) -> Result<Option<Interface>, ConfigError> {
    let Some((text, span)) = table.string("interface")? else { return Ok(None) };
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(Some(Interface::Address(address)));
    }
    // `10.1.0.` would be a legal name; nobody means one.
    let mistyped = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let legal = |b: u8| b.is_ascii_graphic() && b != b'/' && b != b':';
    if text.is_empty() || text.len() > 15 || mistyped || !text.bytes().all(legal) {
        let sentence = format!(
            "`interface = \"{text}\"` is no address of an interface, such as 10.1.0.5, and no name, such as eth1"
        );
        return Err(table.error_at(&span, sentence));
    }
    Ok(Some(Interface::Name(text.to_owned())))
}

/// The sender of a source-specific join: a unicast address of the group's family.
pub(super) fn sender(table: &mut Table<'_>, group: Group) -> Result<Option<IpAddr>, ConfigError> {
    let Some((text, span)) = table.string("sender")? else { return Ok(None) };
    let wrong = |why: &str| table.error_at(&span, format!("`sender = \"{text}\"` {why}"));
    let address: IpAddr = text.parse().map_err(|_| wrong("is no address, such as 10.9.9.9"))?;
    if address.is_multicast() || address.is_unspecified() {
        return Err(wrong("is not the address of one sender"));
    }
    match group {
        Group::Udp(group) if group.is_ipv4() == address.is_ipv4() => Ok(Some(address)),
        Group::Udp(_) => Err(wrong("is of another family than the group")),
        Group::File => Err(wrong("makes no sense for a file")),
    }
}

/// A core's number.
pub(super) fn core(table: &mut Table<'_>, key: &'static str) -> Result<Option<usize>, ConfigError> {
    Ok(number(table, key, 0..=CORE_MAX)?.map(|core| core as usize))
}

fn set<T>(value: &mut T, read: Option<T>) {
    if let Some(read) = read {
        *value = read;
    }
}

fn path(table: &mut Table<'_>, key: &'static str, folder: &Path) -> Result<Option<PathBuf>, ConfigError> {
    match table.string(key)? {
        None => Ok(None),
        Some(("", span)) => Err(table.error_at(&span, format!("`{key}` is empty; name a path"))),
        Some((text, _)) => Ok(Some(folder.join(text))),
    }
}

fn within(
    table: &Table<'_>,
    key: &'static str,
    read: Option<u64>,
    range: RangeInclusive<u64>,
    show: fn(u64) -> String,
) -> Result<Option<u64>, ConfigError> {
    match read {
        Some(value) if !range.contains(&value) => {
            let (low, high) = (show(*range.start()), show(*range.end()));
            Err(table.error_of(key, format!("`{key}` is {}; it goes from {low} to {high}", show(value))))
        }
        read => Ok(read),
    }
}

fn number(
    table: &mut Table<'_>,
    key: &'static str,
    range: RangeInclusive<u64>,
) -> Result<Option<u64>, ConfigError> {
    let read = table.unsigned(key)?;
    within(table, key, read, range, |n| n.to_string())
}

fn size(
    table: &mut Table<'_>,
    key: &'static str,
    range: RangeInclusive<u64>,
) -> Result<Option<u64>, ConfigError> {
    let read = table.size(key)?;
    within(table, key, read, range, size_text)
}

fn duration(
    table: &mut Table<'_>,
    key: &'static str,
    range: RangeInclusive<u64>,
) -> Result<Option<u64>, ConfigError> {
    let read = table.duration(key)?;
    within(table, key, read, range, duration_text)
}

#[cfg(test)]
mod tests;
