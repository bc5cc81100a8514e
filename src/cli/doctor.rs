//! `parallax doctor`: the plan of a live daemon, what on this machine will hurt it, and the commands that mend it.
//!
//! It starts nothing and changes nothing.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use serde_json::json;

use crate::config::Config;
use crate::config::live::{Mode, RunPlan};
use crate::run::doctor::{self, Level, Machine};

/// Arguments of `parallax doctor`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration (TOML); without one, what any configuration would meet
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// One JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

/// Runs the command. Exit code 1 says that it would not work, or that the configuration is invalid or cannot run.
///
/// # Errors
/// A configuration that cannot be read, an output that cannot be written.
pub fn run(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    let nothing =
        RunPlan { receivers: Vec::new(), comparator_core: None, mode: Mode::default(), warnings: Vec::new() };
    let (config, plan) = match &args.config {
        None => (Config::default(), nothing),
        Some(path) => {
            // What cannot be read is no invalid configuration: it is none at all.
            std::fs::read_to_string(path)
                .with_context(|| format!("{} cannot be read; name a TOML configuration", path.display()))?;
            match Config::read(path).and_then(|config| config.plan_run().map(|plan| (config, plan))) {
                Ok(found) => found,
                Err(error) => {
                    eprintln!("parallax: {error}");
                    return Ok(ExitCode::from(1));
                }
            }
        }
    };
    let findings = doctor::examine(&config, &plan, &Machine::here());
    let worst = findings.worst();
    let text = if args.json {
        let plan = args.config.is_some().then(|| plan_json(&config, &plan));
        format!("{}\n", json!({ "plan": plan, "findings": findings.all, "worst": worst }))
    } else if args.config.is_some() {
        doctor::plan_text(&config, &plan, &findings)
    } else {
        format!("no configuration: what any would meet\n{}", doctor::findings_text(&findings))
    };
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(if worst == Level::Bad { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn plan_json(config: &Config, plan: &RunPlan) -> serde_json::Value {
    let receivers = plan.receivers.iter().map(|receiver| {
        let lines = receiver.lines.iter().map(|line| {
            json!({
                "name": line.name,
                "group": line.group.to_string(),
                "interface": line.interface.as_ref().map(ToString::to_string),
                "sender": line.sender.map(|sender| sender.to_string()),
            })
        });
        let sources = receiver.sources.iter().map(|at| config.sources[*at].name.as_str());
        json!({
            "core": receiver.core,
            "sources": sources.collect::<Vec<_>>(),
            "lines": lines.collect::<Vec<_>>(),
        })
    });
    json!({
        "name": config.live.run.name,
        "mode": plan.mode.name(),
        "comparator_core": plan.comparator_core,
        "receive_buffer": config.live.run.receive_buffer,
        "receivers": receivers.collect::<Vec<_>>(),
    })
}
