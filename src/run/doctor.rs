//! What on this machine will hurt a live daemon, and the command that mends it.
//!
//! It reads `/proc`, `/sys` and the directories that the configuration names, and changes nothing: what it makes in a
//! directory to see whether it can, has no name and is gone at once; so is the ring that it makes to see whether one can be made. What cannot be read is said to be unknown; nothing
//! here fails. The same findings are printed by `parallax doctor` and by the daemon at its start.

mod bells;
mod clock;
mod cores;
pub mod machine;
mod memory;
mod network;
mod places;

use std::fmt::Write as _;

use serde::Serialize;

use crate::config::live::{Mode, RunPlan};
use crate::config::reader::{duration_text, size_text};
use crate::config::{Config, Interface};

pub use machine::Machine;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// As it should be.
    Well,
    /// It cannot be told.
    Unknown,
    /// To know; nothing is lost by it.
    Note,
    /// It costs packets, latency or certainty when things get busy.
    Warning,
    /// It will not work.
    Bad,
}

impl Level {
    const fn word(self) -> &'static str {
        match self {
            Level::Well => "well",
            Level::Unknown => "unknown",
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Bad => "BAD",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How much it matters.
    pub level: Level,
    /// What was looked at.
    pub about: String,
    /// What was read.
    pub read: String,
    /// Why it matters; empty when it is well.
    pub why: String,
    /// The command, or what to write where, that mends it.
    pub mend: Option<String>,
}

/// Everything that was looked at, in a fixed order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Findings {
    /// One after the other.
    pub all: Vec<Finding>,
}

impl Findings {
    /// The worst of them.
    pub fn worst(&self) -> Level {
        self.all.iter().map(|f| f.level).max().unwrap_or(Level::Well)
    }

    /// Sentences for what is a warning or worse: the troubles that the daemon shows.
    pub fn troubles(&self) -> Vec<String> {
        let bad = self.all.iter().filter(|f| f.level >= Level::Warning);
        bad.map(|f| format!("{}: {}: {}", f.about, f.read, f.why)).collect()
    }

    fn well(&mut self, about: impl Into<String>, read: impl Into<String>) {
        self.push(Level::Well, about, read, "", None);
    }

    fn push(
        &mut self,
        level: Level,
        about: impl Into<String>,
        read: impl Into<String>,
        why: impl Into<String>,
        mend: Option<String>,
    ) {
        let (about, read, why) = (about.into(), read.into(), why.into());
        self.all.push(Finding { level, about, read, why, mend });
    }
}

/// Looks at everything that the plan needs.
pub fn examine(config: &Config, plan: &RunPlan, machine: &Machine) -> Findings {
    let mut findings = Findings::default();
    for warning in &plan.warnings {
        findings.push(Level::Warning, "the configuration", warning.clone(), "it costs latency", None);
    }
    network::examine(config, plan, machine, &mut findings);
    bells::examine(plan, machine, &mut findings);
    cores::examine(config, plan, machine, &mut findings);
    clock::examine(config, machine, &mut findings);
    memory::examine(config, plan, machine, &mut findings);
    places::examine(config, machine, &mut findings);
    findings
}

/// The plan in words: threads, groups, buffers, outlets.
pub fn plan_words(config: &Config, plan: &RunPlan) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_plan(config, plan, &mut out);
    out
}

fn write_plan(config: &Config, plan: &RunPlan, out: &mut String) -> std::fmt::Result {
    let on = |core: Option<usize>| core.map_or("on any core".to_owned(), |core| format!("on core {core}"));
    let run = &config.live.run;
    writeln!(out, "plan of {}", run.name)?;
    for (n, receiver) in plan.receivers.iter().enumerate() {
        let names: Vec<&str> = receiver.sources.iter().map(|at| config.sources[*at].name.as_str()).collect();
        writeln!(out, "  receiver {n} {}: {}", on(receiver.core), names.join(", "))?;
        for line in &receiver.lines {
            write!(out, "    {}: {}", line.name, line.group)?;
            match &line.interface {
                Some(Interface::Address(address)) => write!(out, " on the interface of {address}")?,
                Some(Interface::Name(name)) => write!(out, " on {name}")?,
                None => write!(out, " on the kernel's choice of interface")?,
            }
            match line.sender {
                Some(sender) => writeln!(out, ", from {sender} only")?,
                None => writeln!(out)?,
            }
        }
    }
    let waits = match plan.mode {
        Mode::Spin => "threads spin",
        Mode::Block => "threads wait in the kernel",
    };
    write!(out, "  comparator {}; {waits}", on(plan.comparator_core))?;
    if let Some(priority) = run.realtime {
        write!(out, "; SCHED_FIFO {priority} where pinned")?;
    }
    writeln!(out, "{}", if run.lock_memory { "; memory locked" } else { "" })?;
    let (buffer, rejoin) = (size_text(run.receive_buffer), duration_text(run.rejoin_after_ns));
    writeln!(
        out,
        "  receive buffers {buffer} each; rings of {}; rejoin after {rejoin} of nothing",
        run.ring
    )?;
    match &config.live.shared_memory {
        Some(shared) => writeln!(out, "  books in {}", shared.directory.display())?,
        None => writeln!(out, "  no books in shared memory")?,
    }
    match &config.live.recorder {
        Some(recorder) => writeln!(
            out,
            "  recordings in {}, at most {} and {}",
            recorder.directory.display(),
            size_text(recorder.keep_size),
            duration_text(recorder.keep_time_ns)
        )?,
        None => writeln!(out, "  nothing is recorded")?,
    }
    match config.live.metrics.listen {
        Some(address) => writeln!(out, "  metrics at http://{address}/metrics"),
        None => writeln!(out, "  no metrics"),
    }
}

/// The plan and what will hurt it, worst first, each with the command that mends it.
pub fn plan_text(config: &Config, plan: &RunPlan, findings: &Findings) -> String {
    let mut out = plan_words(config, plan);
    out.push_str(&findings_text(findings));
    out
}

/// What will hurt, worst first. What is well is counted.
pub fn findings_text(findings: &Findings) -> String {
    let mut out = String::new();
    let mut told: Vec<&Finding> = findings.all.iter().filter(|f| f.level > Level::Well).collect();
    told.sort_by_key(|f| std::cmp::Reverse(f.level));
    for finding in &told {
        let _ = writeln!(out, "{:>7}  {}: {}", finding.level.word(), finding.about, finding.read);
        if !finding.why.is_empty() {
            let _ = writeln!(out, "         {}", finding.why);
        }
        if let Some(mend) = &finding.mend {
            let _ = writeln!(out, "         mend: {mend}");
        }
    }
    let count = |level: Level| findings.all.iter().filter(|f| f.level == level).count();
    let counts = [Level::Bad, Level::Warning, Level::Note, Level::Unknown, Level::Well];
    let counts: Vec<String> = counts.map(|level| format!("{} {}", count(level), level.word())).into();
    let _ = writeln!(out, "looked at {} things: {}", findings.all.len(), counts.join(", "));
    out
}

#[cfg(test)]
mod tests;
