//! `parallax demo`: a simulated market with faults, the daemon that watches it, and its screen, in one command.
//!
//! It starts the daemon as a child with a configuration of its own, sends the market over loopback from this
//! process, and shows the screen on a terminal or else the alerts as they come. What it started it ends, and what it
//! wrote it removes.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use crossbeam_channel::{Receiver, Sender, unbounded};

use crate::simulate::live::{self, Done, Live, Start};
use crate::simulate::multicast::Pacing;
use crate::simulate::{Scenario, write};
use crate::source::multicast_send::SendOptions;
use crate::source::{child, clock};

const SECOND: u64 = 1_000_000_000;
const SCENARIO: &str = include_str!("../../captures/scenarios/live-demo.toml");
/// How long the daemon may take to come up, and to end.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often what may end the demo is looked for.
const LOOK: Duration = Duration::from_millis(50);

/// Arguments of `parallax demo`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How long the market lasts; on a terminal until the screen is left, else 20s
    #[arg(long = "for", value_name = "TIME", value_parser = super::simulate::duration)]
    pub for_ns: Option<u64>,

    /// Seed of the market
    #[arg(long)]
    pub seed: Option<u64>,

    /// Ports on loopback to use: this one and the two behind it
    #[arg(long, default_value = "26477", value_parser = clap::value_parser!(u16).range(1..=65_000))]
    pub port: u16,

    /// Alerts line by line, even on a terminal
    #[arg(long)]
    pub plain: bool,
}

/// A child that is ended with the demo, whatever way that ends.
struct Ended(Child);

impl Ended {
    /// Asks it to end and gives it time; answers whether it ended well.
    fn end(&mut self) -> bool {
        child::ask_to_end(&mut self.0);
        let until = clock::monotonic_now() + PATIENCE;
        loop {
            match self.0.try_wait() {
                Ok(Some(status)) => return status.success(),
                Ok(None) if clock::monotonic_now() < until => std::thread::sleep(LOOK),
                _ => return false,
            }
        }
    }

    fn is_over(&mut self) -> bool {
        !matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        if !self.is_over() {
            // It was asked before, or the demo fails: nothing is left to lose in it.
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
}

/// The daemon's configuration: the lines that are sent, and everything of its own below the folder.
fn configuration(scenario: &Scenario, live: &Live, folder: &Path, screen: bool) -> String {
    let mut text = write::configuration_live(scenario, &live.groups, live.send.interface);
    let at = |name: &str| toml::Value::String(folder.join(name).display().to_string());
    // Writing into a string cannot fail.
    let _ = writeln!(text, "\n[run]\nname = \"demo\"\ndirectory = {}\nmode = \"block\"", at("run"));
    let _ = writeln!(text, "\n[shared_memory]\ndirectory = {}\ninstruments = 64", at("shm"));
    if screen {
        let _ = writeln!(text, "\n[alerts]\nlog = {}", at("alerts.ndjson"));
    }
    let _ = writeln!(text, "\n[metrics]\nlisten = \"off\"");
    text
}

fn scenario(args: &Args, duration_ns: u64) -> Result<Scenario> {
    let mut scenario = Scenario::parse("live-demo.toml", SCENARIO)?;
    scenario.seed = args.seed.unwrap_or(scenario.seed);
    let every_ns = scenario.duration_ns;
    scenario.duration_ns = duration_ns;
    scenario.repeat_faults(every_ns).map_err(anyhow::Error::msg)?;
    Ok(scenario)
}

/// Sends what can be read line by line.
fn lines(from: impl std::io::Read + Send + 'static, to: Sender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(|line| line.ok()) {
            if to.send(line).is_err() {
                return;
            }
        }
    });
}

/// One alert for people: when, what happened to it, how bad, what, and why.
fn told(line: &str) -> String {
    let Ok(alert) = serde_json::from_str::<serde_json::Value>(line) else { return line.to_owned() };
    let word = |key: &str| alert[key].as_str().unwrap_or_default();
    let time = word("ts").get(11..23).unwrap_or_default();
    let what = if word("event") == "cleared" { "" } else { word("why") };
    let about = if word("instrument").is_empty() { word("channel") } else { word("instrument") };
    format!("{time} {:<9} {:<8} {:<9} {about:<6} {what}", word("event"), word("severity"), word("kind"))
        .trim_end()
        .to_owned()
}

fn start_daemon(config: &Path) -> Result<(Ended, Receiver<String>, Receiver<String>)> {
    let program = std::env::current_exe().context("this program cannot be found")?;
    let mut daemon = Command::new(program)
        .args(["run", "--quiet", "--config"])
        .arg(config)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("the daemon cannot be started")?;
    let ((said, saying), (alerts, alerting)) = (unbounded(), unbounded());
    if let (Some(out), Some(err)) = (daemon.stdout.take(), daemon.stderr.take()) {
        lines(out, alerts);
        lines(err, said);
    }
    Ok((Ended(daemon), saying, alerting))
}

/// Waits until the daemon says that it runs; what it said before is told when it does not.
fn await_running(saying: &Receiver<String>) -> Result<()> {
    let until = clock::monotonic_now() + PATIENCE;
    let mut said = Vec::new();
    while let Ok(line) = saying.recv_deadline(until) {
        if line.ends_with("parallax: running") {
            return Ok(());
        }
        said.push(line);
    }
    bail!("the daemon does not run: {}", said.last().map_or("it said nothing", String::as_str))
}

/// The screen on this terminal.
fn start_screen(config: &Path, folder: &Path) -> Result<Ended> {
    let program = std::env::current_exe().context("this program cannot be found")?;
    let said = File::create(folder.join("top.txt")).context("the demo's folder cannot be written")?;
    let screen = Command::new(program).args(["top", "--config"]).arg(config).stderr(said).spawn();
    Ok(Ended(screen.context("the screen cannot be started")?))
}

/// Runs the command.
///
/// # Errors
/// A daemon that does not come up, a port in use, or a folder that cannot be written, in one sentence.
pub fn run(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    let screen = std::io::stdout().is_terminal() && !args.plain;
    let duration_ns = args.for_ns.unwrap_or(if screen { 3_600 * SECOND } else { 20 * SECOND });
    let scenario = scenario(args, duration_ns)?;
    let folder =
        tempfile::Builder::new().prefix("parallax-demo-").tempdir().context("no temporary folder")?;
    let live = Live {
        send: SendOptions { interface: Ipv4Addr::LOCALHOST, ttl: 0, buffer: 4 << 20 },
        groups: live::groups(Some(args.port)),
        start: Start::Now,
        lead_ns: 0,
        // A screen on a small machine has more use for the processor than a tenth of a millisecond.
        pacing: Some(Pacing { spin_ns: 0, ..Pacing::default() }),
        out: None,
    };
    let config =
        write::write_configuration(folder.path(), &configuration(&scenario, &live, folder.path(), screen))?;
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop)).context("cannot wait for signals")?;
    }
    let (mut daemon, saying, alerting) = start_daemon(&config)?;
    await_running(&saying)?;
    let sending = {
        let stop = Arc::clone(&stop);
        std::thread::spawn(move || live::run(&scenario, &live, stop, |_, _| {}))
    };
    if screen {
        let mut top = start_screen(&config, folder.path())?;
        while !top.is_over() && !stop.load(Ordering::Relaxed) && !sending.is_finished() && !daemon.is_over() {
            std::thread::sleep(LOOK);
        }
        stop.store(true, Ordering::Relaxed);
        top.end();
    } else {
        while !sending.is_finished() {
            let Ok(line) = alerting.recv_timeout(LOOK) else {
                if daemon.is_over() {
                    stop.store(true, Ordering::Relaxed);
                    std::thread::sleep(LOOK);
                }
                continue;
            };
            writeln!(out, "{}", told(&line))?;
            out.flush()?;
        }
    }
    let sent = sending.join();
    let ended_well = daemon.end();
    for line in alerting.iter().filter(|_| !screen) {
        writeln!(out, "{}", told(&line))?;
    }
    let said: Vec<String> = saying.iter().collect();
    finish(out, sent.ok(), &said)?;
    Ok(if ended_well { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// The last words: what was sent, and what the daemon said of its end.
fn finish(out: &mut dyn Write, sent: Option<Result<Done>>, said: &[String]) -> Result<()> {
    let Some(done) = sent.transpose()? else { bail!("the simulator has failed") };
    writeln!(out, "\n{}", done.summary)?;
    for line in said {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_is_told_in_a_line() {
        let raised = r#"{"ts":"2026-03-02T14:30:01.025000000Z","event":"raised","kind":"divergent","severity":"major",
            "instrument":"ZQAAA","why":"the bid differs"}"#;
        assert_eq!(told(raised), "14:30:01.025 raised    major    divergent ZQAAA  the bid differs");
        let cleared = r#"{"ts":"2026-03-02T14:30:02.000000000Z","event":"cleared","kind":"silent","severity":"major",
            "instrument":null,"channel":"q1","why":"nothing came"}"#;
        assert_eq!(told(cleared), "14:30:02.000 cleared   major    silent    q1");
        assert_eq!(told("no alert"), "no alert");
    }

    #[test]
    fn the_scenario_repeats_and_the_configuration_reads() {
        let args = Args { for_ns: None, seed: Some(3), port: 30_000, plain: true };
        let scenario = scenario(&args, 50 * SECOND).unwrap();
        // Three rounds, the last one half: all seven faults begin in each of them, some after the end.
        assert_eq!((scenario.faults.len(), scenario.seed), (21, 3));
        assert!(scenario.check().is_ok());
        let live = Live {
            send: SendOptions { interface: Ipv4Addr::LOCALHOST, ttl: 0, buffer: 1 << 16 },
            groups: live::groups(Some(30_000)),
            start: Start::Now,
            lead_ns: 0,
            pacing: None,
            out: None,
        };
        let text = configuration(&Scenario::default(), &live, Path::new("/tmp/a \"quoted\" one"), true);
        let config = crate::config::Config::parse("demo", &text, Path::new(".")).unwrap();
        assert_eq!(config.sources.len(), 2);
    }
}
