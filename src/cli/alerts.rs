//! `parallax alerts`: what is open, and what operators do about it, over the control socket of a running daemon.
//!
//! It keeps nothing: the daemon's console decides, and knows who asks.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::top::figures::{age, clean, clock, short};
use crate::alert::console::{Item, Notice, NoticeEvent, Shelf, Time};
use crate::config::Config;
use crate::run::control::client::Client;
use crate::run::control::place;
use crate::run::control::protocol::{Answer, Request};

/// An answer takes no longer.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// Which daemon.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Where {
    /// The daemon's control socket
    #[arg(long, global = true, value_name = "PATH")]
    pub socket: Option<PathBuf>,

    /// The daemon's name, as its configuration has it
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "socket")]
    pub name: Option<String>,

    /// The daemon's configuration: it says where the socket is
    #[arg(long, global = true, value_name = "FILE", conflicts_with_all = ["socket", "name"])]
    pub config: Option<PathBuf>,
}

impl Where {
    /// Where its socket is.
    ///
    /// # Errors
    /// A configuration that cannot be read.
    pub fn path(&self) -> Result<PathBuf> {
        if let Some(path) = &self.socket {
            return Ok(path.clone());
        }
        let Some(path) = &self.config else {
            return Ok(place::find(self.name.as_deref().unwrap_or("parallax")));
        };
        let run =
            Config::read(path).with_context(|| format!("{} says not where the daemon is", path.display()))?;
        Ok(match &run.live.run.directory {
            Some(directory) => place::socket(directory, &run.live.run.name),
            None => place::find(&run.live.run.name),
        })
    }

    /// Calls it.
    ///
    /// # Errors
    /// Nobody answers.
    pub fn call(&self) -> Result<Client> {
        Ok(Client::connect(&self.path()?, PATIENCE)?)
    }
}

/// Which alerts.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Which {
    /// Of this kind
    #[arg(long, value_name = "KIND")]
    pub kind: Option<String>,

    /// That name this source
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,

    /// About this instrument
    #[arg(long, value_name = "NAME")]
    pub instrument: Option<String>,
}

/// Arguments of `parallax alerts`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    daemon: Where,

    /// NDJSON, one alert (or notice) a line
    #[arg(long, global = true)]
    json: bool,

    #[command(subcommand)]
    action: Option<Do>,

    #[command(flatten)]
    which: Which,

    /// This severity and worse: info, minor, major, critical
    #[arg(long, value_name = "SEVERITY")]
    severity: Option<String>,

    /// What is open, or is over and was never acknowledged (the default)
    #[arg(long, conflicts_with = "all")]
    open: bool,

    /// Those too that a parent or a chronic alert holds, and those that are over
    #[arg(long)]
    all: bool,

    /// At most so many
    #[arg(long, value_name = "COUNT", default_value_t = 1_000)]
    limit: usize,
}

#[derive(Debug, clap::Subcommand)]
enum Do {
    /// Everything about one alert
    Show {
        /// The beginning of its id
        id: String,
    },
    /// Says what happens from now on
    Follow,
    /// Takes alerts: you are looking after them
    #[command(alias = "acknowledge")]
    Ack {
        /// The beginning of its id; or give --kind, --source, --instrument
        id: Option<String>,
        #[command(flatten)]
        which: Which,
        /// What you have to say
        #[arg(long)]
        note: Option<String>,
    },
    /// Puts alerts aside for a time, with a pattern those to come too
    Shelve {
        /// The beginning of its id; or give --kind, --source, --instrument
        id: Option<String>,
        #[command(flatten)]
        which: Which,
        /// How long: 30m, 2h
        #[arg(long = "for", value_name = "DURATION", conflicts_with = "until")]
        period: Option<String>,
        /// Until when: an RFC 3339 time
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Ends a shelf before its time
    Unshelve {
        /// The beginning of the id of an alert or of a shelf; or the shelf's --kind, --source, --instrument
        id: Option<String>,
        #[command(flatten)]
        which: Which,
    },
    /// What is put aside
    Shelves,
}

/// Runs the command.
///
/// # Errors
/// Nobody answers, the daemon says no, or the output cannot be written.
pub fn run(args: &Args, out: &mut dyn Write) -> Result<ExitCode> {
    let request = request(args)?;
    let mut client = args.daemon.call()?;
    let answer = client.ask(&request)?;
    if matches!(args.action, Some(Do::Follow)) {
        follow(&mut client, args.json, out)?;
    } else if args.json {
        json(&answer, out)?;
    } else {
        out.write_all(text(&answer).as_bytes())?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

fn request(args: &Args) -> Result<Request> {
    Ok(match &args.action {
        None => {
            let Which { kind, source, instrument } = args.which.clone();
            let (severity, limit) = (args.severity.clone(), Some(args.limit));
            Request::Alerts { open: Some(!args.all), kind, source, instrument, severity, limit }
        }
        Some(Do::Show { id }) => Request::Show { id: id.clone() },
        Some(Do::Follow) => Request::Follow {},
        Some(Do::Shelves) => Request::Shelves {},
        Some(Do::Ack { id, which, note }) => {
            let Which { kind, source, instrument } = which.clone();
            Request::Acknowledge { id: id.clone(), kind, source, instrument, note: note.clone() }
        }
        Some(Do::Shelve { id, which, period, until, reason }) => {
            let Which { kind, source, instrument } = which.clone();
            let until = match until {
                Some(text) => match Time::parse(text) {
                    Some(time) => Some(time),
                    None => bail!("--until {text} is no time; say it like 2026-03-02T18:00:00Z"),
                },
                None => None,
            };
            let (id, period, reason) = (id.clone(), period.clone(), reason.clone());
            Request::Shelve { id, kind, source, instrument, period, until, reason }
        }
        Some(Do::Unshelve { id, which }) => {
            let Which { kind, source, instrument } = which.clone();
            Request::Unshelve { id: id.clone(), kind, source, instrument }
        }
    })
}

fn follow(client: &mut Client, json: bool, out: &mut dyn Write) -> Result<()> {
    while let Some(line) = client.next_notice()? {
        if json {
            out.write_all(&line)?;
        } else {
            let notice: Notice = serde_json::from_slice(&line).context("the daemon sends no notice")?;
            out.write_all(spoken(&notice).as_bytes())?;
        }
        out.flush()?;
    }
    Ok(())
}

/// One line per thing that was answered.
fn json(answer: &Answer, out: &mut dyn Write) -> Result<()> {
    let mut line = |text: String| out.write_all(format!("{text}\n").as_bytes());
    for item in answer.alerts.iter().flatten().chain(answer.alert.as_deref()) {
        line(serde_json::to_string(item)?)?;
    }
    for shelf in answer.shelves.iter().flatten() {
        line(serde_json::to_string(shelf)?)?;
    }
    if let Some(done) = &answer.done {
        line(serde_json::to_string(done)?)?;
    }
    Ok(())
}

/// The answer for people.
pub fn text(answer: &Answer) -> String {
    let mut out = String::new();
    let now = answer.now.map_or(0, |t| t.0);
    if let Some(alerts) = &answer.alerts {
        out.push_str(&table(alerts, now));
        let left = answer.total.unwrap_or(0).saturating_sub(alerts.len());
        if left > 0 {
            out.push_str(&format!("and {left} more (--limit)\n"));
        }
        let lost = answer.counters.as_ref().map_or(0, |c| c.overflow);
        if lost > 0 {
            out.push_str(&format!("{lost} alerts found the list full: they are in the alert log alone\n"));
        }
    }
    if let Some(item) = &answer.alert {
        out.push_str(&full(item));
    }
    if let Some(shelves) = &answer.shelves {
        if shelves.is_empty() {
            out.push_str("nothing is put aside\n");
        }
        shelves.iter().for_each(|shelf| out.push_str(&format!("{}\n", shelf_text(shelf))));
    }
    if let Some(done) = &answer.done {
        let plural = if done.ids.len() == 1 { "" } else { "s" };
        out.push_str(&format!("{} alert{plural}", done.ids.len()));
        if !done.ids.is_empty() {
            let ids: Vec<&str> = done.ids.iter().take(10).map(|id| short(id)).collect();
            let more = if done.ids.len() > 10 { " ..." } else { "" };
            out.push_str(&format!(": {}{more}", ids.join(" ")));
        }
        out.push('\n');
        done.shelves.iter().for_each(|shelf| out.push_str(&format!("{}\n", shelf_text(shelf))));
    }
    out
}

fn shelf_text(shelf: &Shelf) -> String {
    let parts = [
        ("alert", shelf.id.as_deref().map(short)),
        ("kind", shelf.pattern.kind.as_deref()),
        ("source", shelf.pattern.source.as_deref()),
        ("instrument", shelf.pattern.instrument.as_deref()),
    ];
    let parts: Vec<String> =
        parts.iter().filter_map(|(n, v)| v.map(|v| format!("{n} {}", clean(v)))).collect();
    format!(
        "shelf {}: {}, until {} by {}: {}",
        clean(&shelf.shelf),
        parts.join(", "),
        clock(shelf.until.0),
        clean(&shelf.who),
        clean(&shelf.reason)
    )
}

/// Cells of the table of alerts, its head first; the last one is as long as it likes.
pub fn rows(alerts: &[Item], now: u64) -> Vec<[String; 10]> {
    let head = ["ID", "SEVERITY", "KIND", "INSTRUMENT", "SOURCES", "SINCE", "AGE", "STATE", "COUNT", "WHY"]
        .map(str::to_owned);
    let row = |item: &Item| {
        let until = item.ended.map_or(now, |t| t.0);
        let kind = if item.chronic { format!("{} (chronic)", item.kind) } else { item.kind.clone() };
        let count = item.count + item.children;
        [
            short(&item.id).to_owned(),
            item.severity.name().to_owned(),
            clean(&kind),
            clean(item.instrument.as_deref().or(item.channel.as_deref()).unwrap_or("-")),
            clean(&item.sources.join(",")),
            clock(item.raised.0),
            age(until.saturating_sub(item.raised.0)),
            item.state.name().to_owned(),
            count.to_string(),
            clean(&item.why),
        ]
    };
    std::iter::once(head).chain(alerts.iter().map(row)).collect()
}

fn table(alerts: &[Item], now: u64) -> String {
    if alerts.is_empty() {
        return "no alert\n".to_owned();
    }
    let rows = rows(alerts, now);
    let width = |column: usize| rows.iter().map(|r| r[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 10] = std::array::from_fn(|c| if c == 9 { 0 } else { width(c) });
    let line = |row: &[String; 10]| {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, w)| format!("{cell:w$}")).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

fn full(item: &Item) -> String {
    let mut out = String::new();
    let mut say = |name: &str, value: &str| {
        if !value.is_empty() {
            out.push_str(&format!("{name:<13}{}\n", clean(value)));
        }
    };
    let optional = |value: &Option<String>| value.clone().unwrap_or_default();
    say("id", &item.id);
    say("state", item.state.name());
    say("severity", item.severity.name());
    say("kind", &item.kind);
    say("instrument", &optional(&item.instrument));
    say("venue", &optional(&item.venue));
    say("side", &optional(&item.side));
    say("sources", &item.sources.join(", "));
    say("channel", &optional(&item.channel));
    say("line", &optional(&item.line));
    say("began", &crate::alert::json::show_time(item.began.0));
    say("raised", &crate::alert::json::show_time(item.raised.0));
    if let Some(ended) = item.ended {
        say("ended", &format!("{} ({})", crate::alert::json::show_time(ended.0), optional(&item.reason)));
    }
    if item.chronic {
        say("chronic", &format!("raised {} times", item.count));
    }
    if item.children > 0 {
        say("children", &item.children.to_string());
    }
    say("held by", &optional(&item.under));
    if let Some(taken) = &item.acknowledged {
        say("taken by", &format!("{} at {} {}", taken.who, clock(taken.at.0), taken.note));
    }
    if let Some(shelf) = &item.shelved {
        say("put aside", &shelf_text(shelf));
    }
    say("why", &item.why);
    for line in &item.alerts {
        say("alert line", line.get());
    }
    out
}

/// A notice for people.
pub fn spoken(notice: &Notice) -> String {
    let event = match notice.event {
        NoticeEvent::ChronicBegan => "chronic",
        NoticeEvent::ChronicEnded => "chronic over",
        event => event.name(),
    };
    let mut out =
        format!("{} {event:<12} {:<8} {}", clock(notice.ts.0), notice.severity.name(), short(&notice.id));
    let instrument = notice.instrument.as_deref().unwrap_or("");
    for part in [notice.kind.as_str(), instrument, &notice.sources.join(",")] {
        if !part.is_empty() {
            out.push_str(&format!(" {}", clean(part)));
        }
    }
    if let Some(who) = &notice.who {
        out.push_str(&format!(" by {}", clean(who)));
    }
    if let Some(until) = notice.until {
        out.push_str(&format!(" until {}", clock(until.0)));
    }
    let said = notice.note.as_deref().unwrap_or(&notice.why);
    if !said.is_empty() {
        out.push_str(&format!(": {}", clean(said)));
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::control::fake::{Fake, alert};
    use clap::Parser;

    #[derive(clap::Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    fn says(fake: &Fake, words: &[&str]) -> Result<String> {
        let socket = fake.path.to_str().unwrap();
        let cli = Cli::try_parse_from([&["alerts"], words, &["--socket", socket]].concat()).unwrap();
        let mut out = Vec::new();
        run(&cli.args, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    /// The name by which the daemon knows who runs the test.
    fn me() -> String {
        let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        crate::source::peer::user_name(&passwd, crate::run::place::Environment::here().uid)
    }

    #[test]
    fn alerts_are_listed_taken_put_aside_and_shown() {
        let fake = Fake::start();
        assert_eq!(says(&fake, &[]).unwrap(), "no alert\n");
        fake.says(&alert(5, "raised", "0123456789abcdef", "divergent", "major", Some("AAPL")));
        fake.says(&alert(20, "raised", "fedcba9876543210", "silent", "critical", None));
        let expected = "\
ID        SEVERITY  KIND       INSTRUMENT  SOURCES     SINCE     AGE   STATE           COUNT  WHY
fedcba98  critical  silent     -           sip         14:30:20  40 s  unacknowledged  1      silent for some reason
01234567  major     divergent  AAPL        direct,sip  14:30:05  55 s  unacknowledged  1      divergent for some reason
";
        assert_eq!(says(&fake, &[]).unwrap(), expected);
        assert_eq!(says(&fake, &["--kind", "gap"]).unwrap(), "no alert\n");
        assert_eq!(says(&fake, &["--severity", "critical"]).unwrap().lines().count(), 2);
        assert_eq!(says(&fake, &["--limit", "1"]).unwrap().lines().last(), Some("and 1 more (--limit)"));
        assert_eq!(says(&fake, &["ack", "0123", "--note", "looking"]).unwrap(), "1 alert: 01234567\n");
        let shown = says(&fake, &["show", "0123"]).unwrap();
        let taken = format!("taken by     {} at 14:31:00 looking\n", me());
        assert!(shown.contains(&taken) && shown.contains("alert line   {\""), "{shown}");
        let shelved =
            says(&fake, &["shelve", "--source", "sip", "--for", "2h", "--reason", "lines"]).unwrap();
        let shelf = shelved.split("shelf ").nth(1).unwrap().split(':').next().unwrap().to_owned();
        let wanted = format!(
            "2 alerts: 01234567 fedcba98\nshelf {shelf}: source sip, until 16:31:00 by {}: lines\n",
            me()
        );
        assert_eq!(shelved, wanted);
        assert_eq!(says(&fake, &["shelves"]).unwrap(), wanted.lines().nth(1).unwrap().to_owned() + "\n");
        let json = says(&fake, &["--json"]).unwrap();
        let states: Vec<Item> = json.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        assert!(states.iter().all(|i| i.state.name() == "shelved") && states.len() == 2);
        assert!(
            says(&fake, &["unshelve", &shelf]).unwrap().starts_with("2 alerts: 01234567 fedcba98\nshelf ")
        );
        let mut console = fake.stop();
        assert_eq!(console.take_journal().iter().filter(|b| **b == b'\n').count(), 3);
    }

    #[test]
    fn what_cannot_be_done_is_one_sentence() {
        let fake = Fake::start();
        let no = |words: &[&str]| says(&fake, words).unwrap_err().to_string();
        let unknown = "no alert has an id that begins with \"77\"; `parallax alerts` lists them";
        assert_eq!(no(&["ack", "77"]), unknown);
        assert_eq!(no(&["ack"]), "say which: an id, or at least one of kind, source and instrument");
        assert_eq!(
            no(&["shelve", "7", "--until", "noon", "--reason", "r"]),
            "--until noon is no time; say it like 2026-03-02T18:00:00Z"
        );
        let nowhere = Where { socket: Some("/nowhere/p.sock".into()), ..Where::default() };
        let error = nowhere.call().unwrap_err().to_string();
        assert!(error.starts_with("no daemon answers at /nowhere/p.sock ("), "{error}");
    }

    #[test]
    fn following_tells_what_happens() {
        let fake = Fake::start();
        let socket = fake.path.clone();
        let mut client = Client::connect(&socket, PATIENCE).unwrap();
        client.ask(&Request::Follow {}).unwrap();
        fake.says(&alert(5, "raised", "0123456789abcdef", "divergent", "major", Some("AAPL\u{1b}[31m")));
        says(&fake, &["ack", "01", "--note", "mine"]).unwrap();
        fake.says(&alert(6, "cleared", "0123456789abcdef", "divergent", "major", Some("AAPL\u{1b}[31m")));
        fake.stop();
        let mut out = Vec::new();
        follow(&mut client, false, &mut out).unwrap();
        let expected = format!(
            "14:30:05 raised       major    01234567 divergent AAPL\u{b7}[31m direct,sip: divergent for some reason\n\
             14:31:00 acknowledged major    01234567 divergent AAPL\u{b7}[31m direct,sip by {}: mine\n\
             14:30:06 cleared      major    01234567 divergent AAPL\u{b7}[31m direct,sip: divergent for some reason\n",
            me()
        );
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
