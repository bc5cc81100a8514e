//! `parallax feeds`: the catalogue.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Result;
use feeds::ALL;

/// Arguments of `parallax feeds`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// One JSON object per feed instead of a table
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
///
/// # Errors
/// When `out` cannot be written.
pub fn run(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    let text = if args.json { json() } else { table() };
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn table() -> String {
    let mut rows = vec![["name", "specification", "version", "transport", "carries"]];
    rows.extend(ALL.iter().map(|feed| {
        let info = feed.info();
        [info.name, info.specification, info.versions, info.transport, info.carries]
    }));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 5] = std::array::from_fn(width);
    let mut out = String::new();
    for row in &rows {
        let cells: Vec<String> =
            row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        out.push_str(cells.join("  ").trim_end());
        out.push('\n');
    }
    out
}

fn json() -> String {
    let line = |feed: &feeds::FeedId| {
        let info = feed.info();
        let messages: Vec<&str> = feed.messages().iter().map(|layout| layout.name).collect();
        let line = serde_json::json!({
            "name": info.name,
            "specification": info.specification,
            "version": info.versions,
            "transport": info.transport,
            "carries": info.carries,
            "venue": (!info.venue.is_empty()).then_some(info.venue),
            "price_decimals": info.price_decimals,
            "messages": messages,
        });
        format!("{line}\n")
    };
    ALL.iter().map(line).collect()
}
