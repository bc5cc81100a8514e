//! `parallax check-config`: says what is wrong in a configuration, or prints what it means.
//!
//! It reads the configuration and the files it names, and nothing else: no capture, no socket.

use std::fmt::Write as _;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use feeds::feed::Depth;

use crate::check::catalogue;
use crate::config::reader::{duration_text as duration, size_text as size};
use crate::config::{Channel, Check, Config, Group, Kind, Live, Scope, Sessions, Source, Tolerance};
use crate::market::price;
use crate::pipeline::day::market_of;
use crate::rules::{Kind as RuleKind, Row};

/// Arguments of `parallax check-config`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The configuration (TOML)
    #[arg(value_name = "FILE", required_unless_present = "checks")]
    pub config: Option<PathBuf>,

    /// Print the document of every check: definition, parameters, when it opens and clears, what is held back
    #[arg(long)]
    pub checks: bool,
}

/// Runs the command. Exit code 1 says that the configuration is invalid; why is on standard error.
///
/// # Errors
/// A file that cannot be read, an output that cannot be written.
pub fn run(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    if let Some(path) = &args.config {
        // What cannot be read is no invalid configuration: it is none at all.
        std::fs::read_to_string(path)
            .with_context(|| format!("{} cannot be read; name a TOML configuration", path.display()))?;
        match Config::read(path) {
            Ok(config) => {
                let text = format!("{} is valid\n{}", path.display(), meaning(&config));
                out.write_all(text.as_bytes())?;
            }
            Err(error) => {
                eprintln!("parallax: {error}");
                return Ok(ExitCode::from(1));
            }
        }
    }
    if args.checks {
        for entry in catalogue::ALL {
            out.write_all(format!("\n{}\n", entry.document).as_bytes())?;
        }
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// The configuration in words, every default filled in.
pub fn meaning(config: &Config) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write_meaning(config, &mut out);
    out
}

fn write_meaning(config: &Config, out: &mut String) -> std::fmt::Result {
    for source in &config.sources {
        write_source(source, out)?;
    }
    for composite in &config.composites {
        let of: Vec<&str> = composite.of.iter().map(|s| config.sources[*s].name.as_str()).collect();
        writeln!(out, "\ncomposite {}: the best over {}", composite.name, of.join(", "))?;
    }
    write_instruments(config, out)?;
    write_rules(config, out)?;
    writeln!(out, "\nchecks")?;
    for check in &config.checks {
        let (name, severity) = (check.kind.name(), check.severity.name());
        write!(out, "  {name} ({severity}): {}", scope(config, check))?;
        for (key, value) in parameters(check) {
            write!(out, "; {key} {value}")?;
        }
        writeln!(out)?;
    }
    let missing = Kind::ALL.iter().filter(|k| config.checks.iter().all(|c| c.kind != **k));
    let missing: Vec<&str> = missing.map(|k| k.name()).collect();
    if !missing.is_empty() {
        writeln!(out, "not checked: {}", missing.join(", "))?;
    }
    write_live(config, out)
}

/// What `parallax run` would make of it.
fn write_live(config: &Config, out: &mut String) -> std::fmt::Result {
    writeln!(out, "\nlive")?;
    let plan = match config.plan_run() {
        Ok(plan) => plan,
        Err(error) => return writeln!(out, "  `parallax run` would refuse it: {error}"),
    };
    let on = |core: Option<usize>| core.map_or("on any core".to_owned(), |core| format!("on core {core}"));
    for (n, receiver) in plan.receivers.iter().enumerate() {
        let names: Vec<&str> = receiver.sources.iter().map(|at| config.sources[*at].name.as_str()).collect();
        writeln!(out, "  receiver {n} {}: {}", on(receiver.core), names.join(", "))?;
        for line in &receiver.lines {
            write!(out, "    joins {} for {}", line.group, line.name)?;
            let interface =
                line.interface.as_ref().map_or("the kernel's choice".to_owned(), ToString::to_string);
            write!(out, ", interface {interface}")?;
            match line.sender {
                Some(sender) => writeln!(out, ", sender {sender}")?,
                None => writeln!(out, ", any sender")?,
            }
        }
    }
    let run = &config.live.run;
    write!(out, "  comparator {}; threads wait by mode {}", on(plan.comparator_core), plan.mode.name())?;
    if let Some(priority) = run.realtime {
        write!(out, "; pinned threads have SCHED_FIFO priority {priority}")?;
    }
    writeln!(out, "; memory is {}", if run.lock_memory { "locked" } else { "not locked" })?;
    let (buffer, rejoin) = (size(run.receive_buffer), duration(run.rejoin_after_ns));
    writeln!(out, "  receive buffers {buffer}; a line is joined again after {rejoin} without a packet")?;
    writeln!(out, "  {} records fit between a receiver and the comparator", run.ring)?;
    let default = "$RUNTIME_DIRECTORY, $XDG_RUNTIME_DIR/parallax or a temporary one";
    let directory = run.directory.as_ref().map_or(default.to_owned(), |d| d.display().to_string());
    writeln!(out, "  named {}; control socket in {directory}", run.name)?;
    write_outlets(&config.live, out)?;
    plan.warnings.iter().try_for_each(|warning| writeln!(out, "  warning: {warning}"))
}

fn write_outlets(live: &Live, out: &mut String) -> std::fmt::Result {
    match &live.shared_memory {
        Some(shared) => writeln!(
            out,
            "  books in {}: {} levels, {} instruments per source",
            shared.directory.display(),
            shared.levels,
            shared.instruments
        )?,
        None => writeln!(out, "  no books in shared memory")?,
    }
    let alerts = &live.alerts;
    match &alerts.log {
        Some(log) => writeln!(
            out,
            "  alerts to {}, {} files of {}",
            log.display(),
            alerts.log_files,
            size(alerts.log_size)
        )?,
        None => writeln!(out, "  alerts to standard output")?,
    }
    let syslog = alerts.syslog.as_ref().map(|syslog| format!("syslog {syslog}"));
    let told: Vec<String> =
        syslog.into_iter().chain(alerts.webhook_shown().map(|shown| format!("webhook {shown}"))).collect();
    if !told.is_empty() {
        writeln!(out, "  from {} told to {}", alerts.notify_from.name(), told.join(" and "))?;
    }
    let chronic = alerts.chronic;
    writeln!(out, "  raised {} times within {} is chronic", chronic.raised, duration(chronic.within_ns))?;
    match live.metrics.listen {
        Some(address) => writeln!(out, "  metrics at {address}")?,
        None => writeln!(out, "  no metrics")?,
    }
    match &live.recorder {
        Some(recorder) => writeln!(
            out,
            "  recordings in {}: a file is {} or {}; kept are {} and {}",
            recorder.directory.display(),
            size(recorder.file_size),
            duration(recorder.file_time_ns),
            size(recorder.keep_size),
            duration(recorder.keep_time_ns)
        ),
        None => writeln!(out, "  nothing is recorded"),
    }?;
    let Some(store) = &live.store else { return writeln!(out, "  no store") };
    writeln!(
        out,
        "  store {}: by intervals of {}; kept are {} and {}",
        store.path.display(),
        duration(store.interval_ns),
        size(store.keep_size),
        duration(store.keep_time_ns)
    )?;
    Ok(())
}

fn write_source(source: &Source, out: &mut String) -> std::fmt::Result {
    let info = source.feed.info();
    let view = match info.depth {
        Depth::Orders => "order by order",
        Depth::Levels => "price levels",
        Depth::Top => "top of book",
        Depth::Consolidated => "consolidated: a view per participant, and the national best",
    };
    writeln!(out, "\nsource {}: {} ({} {})", source.name, info.name, info.specification, info.versions)?;
    match &source.venue {
        Some(mic) => writeln!(out, "  venue {mic}, {view}")?,
        None => writeln!(out, "  {view}")?,
    }
    let lots = if info.round_lots_only { "round lots only" } else { "round lots and odd lots" };
    if let Some(convention) = source.symbology {
        writeln!(out, "  symbols are spelled as {} does", convention.name())?;
    }
    if let Some(error_ns) = source.clock_error_ns {
        writeln!(out, "  the clock that stamps its arrivals may be off by {}", duration(error_ns))?;
    }
    write!(out, "  quotes count {lots}; a heartbeat is due every {}", duration(info.heartbeat_ns))?;
    match source.core {
        Some(core) => writeln!(out, "; live, its receiver is pinned to core {core}")?,
        None => writeln!(out)?,
    }
    source.channels.iter().try_for_each(|channel| write_channel(channel, out))
}

fn write_channel(channel: &Channel, out: &mut String) -> std::fmt::Result {
    let copies = match channel.lines.len() {
        1 => "one line".to_owned(),
        lines => format!("{lines} lines, the first copy wins"),
    };
    let (wait, packets) = (duration(channel.reorder_wait_ns), channel.reorder_packets);
    writeln!(out, "  channel {}: {copies}; a hole waits {wait} or {packets} packets", channel.name)?;
    if channel.reserve_orders > 0 {
        writeln!(out, "    memory for {} live orders is taken at the start", channel.reserve_orders)?;
    }
    for line in &channel.lines {
        let group = match line.group {
            Group::Udp(group) => group.to_string(),
            Group::File => "the messages of a BinaryFILE".to_owned(),
        };
        write!(out, "    line {}: {group}", line.name)?;
        if let Some(interface) = &line.interface {
            write!(out, ", live on interface {interface}")?;
        }
        if let Some(sender) = &line.sender {
            write!(out, ", live only from {sender}")?;
        }
        if let Some(capture) = &line.capture {
            write!(out, ", only from capture {capture}")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn write_instruments(config: &Config, out: &mut String) -> std::fmt::Result {
    if config.map.rows.is_empty() {
        return writeln!(out, "\ninstruments: no map; equal symbols are the same instrument");
    }
    writeln!(out, "\ninstruments: {} rows in the map", config.map.rows.len())?;
    for mapping in &config.map.rows {
        let source = &config.sources[mapping.source].name;
        write!(out, "  {} is {} in {source}{}", mapping.instrument, mapping.symbol, mapping.validity())?;
        if let Some(tick) = mapping.tick_nanos.and_then(|tick| i64::try_from(tick).ok()) {
            write!(out, ", tick {}", price::show_nanos(tick))?;
        }
        if let Some(lot) = mapping.round_lot {
            write!(out, ", round lot {lot}")?;
        }
        if let Some(reference) = mapping.reference_nanos {
            write!(out, ", round lot by reference price {}", price::show_nanos(reference))?;
        }
        let known = &mapping.identifiers;
        let named = [
            ("ISIN", &known.isin),
            ("FIGI", &known.figi),
            ("RIC", &known.ric),
            ("option", &known.osi),
            ("listed at", &known.mic),
            ("in", &known.currency),
        ];
        for (name, value) in named.iter().filter(|(_, value)| !value.is_empty()) {
            write!(out, ", {name} {value}")?;
        }
        writeln!(out)?;
    }
    config.map.findings.iter().try_for_each(|finding| writeln!(out, "  finding: {finding}"))
}

/// Which rules a day of the data will find, market by market.
fn write_rules(config: &Config, out: &mut String) -> std::fmt::Result {
    let book = &config.rules.book;
    let hold = match config.rules.sessions {
        Sessions::Report => "quotes are judged all the same; the summary says for how long",
        Sessions::Hold => "quotes are closed where the feed does not say otherwise: not judged, and counted",
    };
    writeln!(out, "\nrules of the data's own day, {} book; outside of a market's hours {hold}", book.name())?;
    let mut markets: Vec<String> =
        config.sources.iter().map(|source| market_of(book, source)).filter(|m| !m.is_empty()).collect();
    markets.sort();
    markets.dedup();
    for market in &markets {
        for kind in [RuleKind::Tick, RuleKind::RoundLot, RuleKind::Hours] {
            let names: Vec<&str> = book.names_of(market).collect();
            let holds = |row: &&Row| {
                row.kind == kind
                    && row.class.is_empty()
                    && !row.is_proposed()
                    && names.contains(&row.market.as_str())
            };
            let rows: Vec<String> = book.rows().iter().filter(holds).map(rule).collect();
            let rows = if rows.is_empty() { "none in the book".to_owned() } else { rows.join("; ") };
            writeln!(out, "  {market} {}: {rows}", kind.name().replace('_', " "))?;
        }
    }
    writeln!(out, "  `parallax rules --market M --date D` prints what holds on a day, with its sources")
}

fn rule(row: &Row) -> String {
    let doubt = if row.verified { "" } else { ", not verified" };
    format!("{} {}{doubt}", row.id, row.validity())
}

/// What the check looks at, by name.
fn scope(config: &Config, check: &Check) -> String {
    let names = config.comparands();
    let list = |of: &[usize]| of.iter().map(|i| names[*i].as_str()).collect::<Vec<_>>().join(", ");
    let takes = |key: &str| check.kind.keys().contains(&key);
    match &check.scope {
        Scope::Sources(of) => format!("sources {}", list(of)),
        Scope::Between(of) => format!("every pair among {}", list(of)),
        Scope::All if !takes("between") => "every source".to_owned(),
        Scope::All if takes("sources") => "every source, and every pair that shares instruments".to_owned(),
        Scope::All if names.len() < 2 => "nothing, for it needs two sources".to_owned(),
        Scope::All => "every pair of sources that shares instruments".to_owned(),
    }
}

/// The parameters that its kind takes, with the values that hold.
fn parameters(check: &Check) -> Vec<(&'static str, String)> {
    let value = |key: &str| {
        Some(match key {
            "tolerance" => tolerance(check.tolerance),
            "on_delay" => duration(check.on_delay_ns),
            "off_delay" => duration(check.off_delay_ns),
            "lag_limit" => duration(check.lag_limit_ns),
            "window" => duration(check.window_ns),
            "after" => duration(check.after_ns),
            "limit" => duration(check.limit_ns),
            "clear_after" => duration(check.clear_after_ns),
            "peer_moves" => check.peer_moves.to_string(),
            _ => return None,
        })
    };
    check.kind.keys().iter().filter_map(|key| Some((*key, value(key)?))).collect()
}

fn tolerance(tolerance: Tolerance) -> String {
    let Tolerance { ticks, milli_bps } = tolerance;
    let (whole, thousandths) = (milli_bps / 1_000, milli_bps % 1_000);
    match milli_bps {
        0 => format!("{ticks} ticks"),
        _ if thousandths == 0 => format!("{ticks} ticks or {whole} bps"),
        _ => {
            let decimals = format!("{thousandths:03}");
            format!("{ticks} ticks or {whole}.{} bps", decimals.trim_end_matches('0'))
        }
    }
}
