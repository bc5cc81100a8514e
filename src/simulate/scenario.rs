//! Reads a scenario: how large the market is, how long it lasts, and what goes wrong in it.
//!
//! Only reading: every mistake is told with its key, its line and the nearest valid word.

use std::ops::Range;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::faults::{Damage, Fault, Kind, SourceId};
use super::flow::TICK;
use super::lines::{LINES, STREAMS};
use super::market::{INSTRUMENTS_MAX, symbol};
use crate::config::reader::{ConfigError, Origin, Table, nearest};

/// What is simulated. The same scenario gives the same bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scenario {
    /// Seed of everything random.
    pub seed: u64,
    /// Instruments.
    pub instruments: usize,
    /// How long, nanoseconds.
    pub duration_ns: u64,
    /// Mean actions of the venue a second, over all instruments.
    pub rate: u64,
    /// When it begins, nanoseconds since 1970.
    pub start_ns: u64,
    /// How fast it happens, hundredths: at 2000 everything takes a twentieth of what is said here, faults, flights
    /// and the steps of timestamps included. Said on the command line only.
    pub speed_percent: u64,
    /// How much later than the venue's own feed the SIP's quote arrives, at least.
    pub flight_ns: u64,
    /// How much more that may be.
    pub jitter_ns: u64,
    /// The SIP quotes the best after every order, not only after every packet of the venue.
    pub quote_each_order: bool,
    /// The venue's feed reaches a second site, which is a source of its own.
    pub backup: bool,
    /// The SIP has two channels: every other instrument is on the second.
    pub two_channels: bool,
    /// The SIP publishes price bands.
    pub bands: bool,
    /// What goes wrong, in the order of the file.
    pub faults: Vec<Fault>,
}

/// 2026-03-02T14:30:00Z: the open of a Monday in New York.
const START_NS: u64 = 1_772_461_800_000_000_000;
const MS: u64 = 1_000_000;

impl Default for Scenario {
    fn default() -> Self {
        Scenario {
            seed: 1,
            instruments: 20,
            duration_ns: 10_000 * MS,
            rate: 2_000,
            start_ns: START_NS,
            speed_percent: 100,
            flight_ns: 350_000,
            jitter_ns: 100_000,
            quote_each_order: false,
            backup: false,
            two_channels: false,
            bands: false,
            faults: Vec::new(),
        }
    }
}

/// Most instruments, rate and time that one simulation takes; beyond it is a slip of the pen.
const RATE_MAX: u64 = 10_000_000;
const DURATION_MAX_NS: u64 = 24 * 3600 * 1000 * MS;
const FLIGHT_MAX_NS: u64 = 1000 * MS;
/// Most faults of a scenario that repeats them: each is looked at for every packet.
const FAULTS_MAX: u64 = 20_000;

impl Scenario {
    /// Reads a scenario from a file.
    ///
    /// # Errors
    /// When the file cannot be read or does not say what a scenario says.
    pub fn read(path: &Path) -> Result<Scenario, ConfigError> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|e| ConfigError {
            path: shown.clone(),
            line: 1,
            sentence: format!("cannot be read: {e}"),
        })?;
        Scenario::parse(&shown, &text)
    }

    /// Reads a scenario from its text; `path` is for errors.
    ///
    /// # Errors
    /// The first mistake, with its line.
    pub fn parse(path: &str, text: &str) -> Result<Scenario, ConfigError> {
        let origin = Origin { path, text };
        let root = DeTable::parse(text)
            .map_err(|e| origin.error(e.span().map_or(0, |s| s.start), e.message().trim().to_owned()))?;
        let mut table = Table::new(origin, "the scenario", root.get_ref(), root.span());
        let mut scenario = Scenario::default();
        bounded(&mut table, "seed", &mut scenario.seed, 0..=u64::MAX)?;
        let mut instruments = scenario.instruments as u64;
        bounded(&mut table, "instruments", &mut instruments, 1..=INSTRUMENTS_MAX as u64)?;
        scenario.instruments = instruments as usize;
        bounded(&mut table, "rate", &mut scenario.rate, 1..=RATE_MAX)?;
        duration(&mut table, "duration", &mut scenario.duration_ns, 100 * MS..=DURATION_MAX_NS)?;
        duration(&mut table, "flight", &mut scenario.flight_ns, 0..=FLIGHT_MAX_NS)?;
        duration(&mut table, "jitter", &mut scenario.jitter_ns, 0..=FLIGHT_MAX_NS)?;
        let every = [("packet", false), ("order", true)];
        scenario.quote_each_order = word(&mut table, "quote_each", &every)?.unwrap_or(false);
        scenario.backup = table.boolean("backup")?.unwrap_or(false);
        scenario.bands = table.boolean("bands")?.unwrap_or(false);
        let mut channels = 1;
        bounded(&mut table, "sip_channels", &mut channels, 1..=2)?;
        scenario.two_channels = channels == 2;
        if let Some((text, span)) = table.string("start")? {
            scenario.start_ns = start(text).ok_or_else(|| {
                let sentence = format!("`start = \"{text}\"` is no time from 1971 to 2099; write {EXAMPLE}");
                table.error_at(&span, sentence)
            })?;
        }
        for fault in table.tables("fault", "[[fault]]")? {
            let fault = read_fault(fault, &scenario)?;
            scenario.faults.push(fault);
        }
        table.finish()?;
        Ok(scenario)
    }
}

impl Scenario {
    /// Which of [`super::lines::STREAMS`] there are.
    pub fn streams(&self) -> [bool; STREAMS.len()] {
        [true, true, self.two_channels, self.backup]
    }

    /// Which of [`super::LINES`] there are, by position.
    pub fn lines(&self) -> Vec<usize> {
        let streams = self.streams();
        LINES.iter().enumerate().filter(|(_, line)| streams[line.stream]).map(|(i, _)| i).collect()
    }

    /// A time at which a scenario may start, from RFC 3339, as nanoseconds since 1970.
    pub fn time(text: &str) -> Option<u64> {
        start(text)
    }

    /// The same day at another time: it begins then, and its faults move with it.
    pub fn start_at(&mut self, start_ns: u64) {
        let moved = |ts_ns: u64| {
            if ts_ns == u64::MAX {
                ts_ns
            } else {
                start_ns.saturating_add(ts_ns.saturating_sub(self.start_ns))
            }
        };
        for fault in &mut self.faults {
            (fault.from_ns, fault.to_ns) = (moved(fault.from_ns), moved(fault.to_ns));
        }
        self.start_ns = start_ns;
    }

    /// The faults come again every so many nanoseconds, up to the end of the day. What begins in one round does not
    /// outlast it; an instrument that is missing stays so once.
    ///
    /// # Errors
    /// When that would be more faults than can be kept an account of.
    pub fn repeat_faults(&mut self, every_ns: u64) -> Result<(), String> {
        let rounds = self.duration_ns.div_ceil(every_ns.max(1));
        let (once, again): (Vec<Fault>, Vec<Fault>) =
            std::mem::take(&mut self.faults).into_iter().partition(|f| f.kind == Kind::Missing);
        if rounds.saturating_mul(again.len() as u64) > FAULTS_MAX {
            return Err(format!(
                "{} faults in each of {rounds} rounds are more than {FAULTS_MAX}: repeat less often or end earlier",
                again.len()
            ));
        }
        let ends_ns = self.start_ns.saturating_add(every_ns);
        self.faults = once;
        for round in 0..rounds {
            let later = |fault: &Fault| {
                let mut fault = fault.clone();
                let after_ns = round * every_ns;
                fault.to_ns = fault.to_ns.min(ends_ns) + after_ns;
                fault.from_ns += after_ns;
                fault
            };
            self.faults.extend(again.iter().filter(|f| f.from_ns < ends_ns).map(later));
        }
        Ok(())
    }

    /// Whether every fault finds its instruments: other settings may have changed since the file was read.
    ///
    /// # Errors
    /// The first instrument that is not there.
    pub fn check(&self) -> Result<(), String> {
        let wanted = self.faults.iter().flat_map(|f| f.instruments.iter().map(move |i| (f, *i)));
        match wanted.into_iter().find(|(_, i)| *i >= self.instruments) {
            None => Ok(()),
            Some((fault, i)) => Err(format!(
                "the scenario's `{}` is about \"{}\" (\"#{i}\"), and {} instruments end at \"#{}\": ask for at least {}",
                fault.kind.name(),
                symbol(i),
                self.instruments,
                self.instruments - 1,
                i + 1
            )),
        }
    }
}

const EXAMPLE: &str = "2026-03-02T14:30:00Z";

fn start(text: &str) -> Option<u64> {
    let ns = text.parse::<jiff::Timestamp>().ok()?.as_nanosecond();
    // pcap counts seconds in 32 bits, and a local midnight must lie before it.
    (31_536_000_000_000_000..=4_070_908_800_000_000_000).contains(&ns).then_some(ns as u64)
}

fn bounded(
    table: &mut Table<'_>,
    key: &'static str,
    to: &mut u64,
    range: std::ops::RangeInclusive<u64>,
) -> Result<(), ConfigError> {
    let span = table.get(key).map(|(_, span)| span);
    if let (Some(value), Some(span)) = (table.unsigned(key)?, span) {
        if !range.contains(&value) {
            let sentence = format!("`{key}` wants a number from {} to {}", range.start(), range.end());
            return Err(table.error_at(&span, sentence));
        }
        *to = value;
    }
    Ok(())
}

fn duration(
    table: &mut Table<'_>,
    key: &'static str,
    to: &mut u64,
    range: std::ops::RangeInclusive<u64>,
) -> Result<(), ConfigError> {
    let span = table.get(key).map(|(_, span)| span);
    if let (Some(value), Some(span)) = (table.duration(key)?, span) {
        if !range.contains(&value) {
            let sentence =
                format!("`{key}` wants from {}us to {}us", range.start() / 1000, range.end() / 1000);
            return Err(table.error_at(&span, sentence));
        }
        *to = value;
    }
    Ok(())
}

/// Every kind by name, with the source that it is about when the scenario names none.
const KINDS: [(&str, SourceId); 21] = [
    ("wrong_price", SourceId::Sip),
    ("lag", SourceId::Sip),
    ("freeze", SourceId::Sip),
    ("silence", SourceId::Sip),
    ("heartbeats_only", SourceId::Sip),
    ("loss", SourceId::Direct),
    ("reorder", SourceId::Direct),
    ("duplicate", SourceId::Direct),
    ("halt", SourceId::Direct),
    ("missed_halt", SourceId::Sip),
    ("crossed_quote", SourceId::Sip),
    ("clock_error", SourceId::Sip),
    ("corruption", SourceId::Direct),
    ("missing", SourceId::Sip),
    ("old_quotes", SourceId::Sip),
    ("wrong_bands", SourceId::Sip),
    ("test_data", SourceId::Sip),
    ("saturated", SourceId::Sip),
    ("moved", SourceId::Sip),
    ("crossed_load", SourceId::Sip),
    ("pre_open", SourceId::Direct),
];

/// One of several words.
fn word<T: Copy>(
    table: &mut Table<'_>,
    key: &'static str,
    words: &[(&'static str, T)],
) -> Result<Option<T>, ConfigError> {
    let Some((text, span)) = table.string(key)? else { return Ok(None) };
    match words.iter().find(|(w, _)| *w == text) {
        Some((_, value)) => Ok(Some(*value)),
        None => Err(table.error_at(&span, unknown(key, text, words.iter().map(|(w, _)| *w)))),
    }
}

fn unknown<'n>(key: &str, text: &str, words: impl Iterator<Item = &'n str> + Clone) -> String {
    let hint = match nearest(text, words.clone()) {
        Some(n) => format!("did you mean `{n}`?"),
        None => format!("use one of {}", words.map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", ")),
    };
    format!("`{key} = \"{text}\"` is unknown; {hint}")
}

fn read_fault(mut table: Table<'_>, scenario: &Scenario) -> Result<Fault, ConfigError> {
    let (_, _) = table.required("kind")?;
    let kinds: Vec<(&'static str, usize)> =
        KINDS.iter().enumerate().map(|(i, (name, _))| (*name, i)).collect();
    let position = word(&mut table, "kind", &kinds)?.unwrap_or(0);
    let (name, usual) = KINDS[position];
    let sources = SourceId::ALL.map(|s| (s.name(), s));
    let source = word(&mut table, "source", &sources)?.unwrap_or(usual);
    let lines = read_lines(&mut table, source)?;
    let instruments = read_instruments(&mut table, scenario)?;
    let (mut at, mut length) = (0, scenario.duration_ns);
    duration(&mut table, "at", &mut at, 0..=DURATION_MAX_NS)?;
    duration(&mut table, "for", &mut length, 1000..=DURATION_MAX_NS)?;
    let kind = read_kind(&mut table, name)?;
    let from_ns = scenario.start_ns + at;
    let fault = Fault { kind, source, lines, instruments, from_ns, to_ns: from_ns.saturating_add(length) };
    suits(&table, &fault, usual)?;
    suits_day(&table, &fault, scenario)?;
    table.finish()?;
    Ok(fault)
}

/// Refuses faults that the scenario's day has no room for.
fn suits_day(table: &Table<'_>, fault: &Fault, scenario: &Scenario) -> Result<(), ConfigError> {
    let (name, wants) =
        (fault.kind.name(), |key: &str| format!("wants `{key}` in the scenario, above the faults"));
    if fault.source == SourceId::Backup && !scenario.backup {
        return Err(table.error(format!("`{name}` of the backup {}", wants("backup = true"))));
    }
    match fault.kind {
        Kind::Moved if !scenario.two_channels => {
            Err(table.error(format!("`{name}` {}", wants("sip_channels = 2"))))
        }
        Kind::WrongBands { .. } if !scenario.bands => {
            Err(table.error(format!("`{name}` {}", wants("bands = true"))))
        }
        Kind::ClockError { .. } if fault.source == SourceId::Backup => Err(table
            .error("`clock_error` is a fault of `direct` and `sip`: the backup repeats the venue's stamps")),
        _ => Ok(()),
    }
}

/// Refuses targets that a kind cannot have.
fn suits(table: &Table<'_>, fault: &Fault, usual: SourceId) -> Result<(), ConfigError> {
    let name = fault.kind.name();
    let incident = matches!(
        fault.kind,
        Kind::OldQuotes { .. }
            | Kind::WrongBands { .. }
            | Kind::TestData { .. }
            | Kind::Saturated { .. }
            | Kind::Moved
            | Kind::CrossedLoad { .. }
            | Kind::PreOpen { .. }
    );
    let only_usual = matches!(
        fault.kind,
        Kind::WrongPrice { .. }
            | Kind::Freeze
            | Kind::Halt { .. }
            | Kind::CrossedQuote { .. }
            | Kind::Missing
    ) || incident;
    if only_usual && fault.source != usual {
        return Err(table.error(format!("`{name}` is a fault of `{}` only", usual.name())));
    }
    let about_instruments = only_usual && !matches!(fault.kind, Kind::Saturated { .. })
        || matches!(fault.kind, Kind::Lag { .. }) && !fault.is_transport();
    if !about_instruments && !fault.instruments.is_empty() {
        return Err(table.error(format!("`{name}` on {} takes no instruments", fault.source.name())));
    }
    let must = matches!(
        fault.kind,
        Kind::WrongPrice { .. }
            | Kind::Freeze
            | Kind::Halt { .. }
            | Kind::CrossedQuote { .. }
            | Kind::Missing
            | Kind::WrongBands { .. }
            | Kind::PreOpen { .. }
    );
    if must && fault.instruments.is_empty() {
        return Err(table.error(format!("`{name}` needs `instrument = \"...\"` or `instruments = [...]`")));
    }
    if !fault.is_transport() && !fault.lines.is_empty() {
        return Err(table.error(format!("`{name}` is said by the source, not by a line: leave `line` out")));
    }
    Ok(())
}

fn read_lines(table: &mut Table<'_>, source: SourceId) -> Result<Vec<usize>, ConfigError> {
    let names: &[&'static str] = match source {
        SourceId::Direct => &["A", "B"],
        SourceId::Sip | SourceId::Backup => &["A"],
    };
    let words: Vec<(&'static str, usize)> = names.iter().enumerate().map(|(i, n)| (*n, i)).collect();
    let line = word(table, "line", &words)?;
    // Each of the SIP's channels has a line of that name.
    Ok(line.map_or_else(Vec::new, |line| if source == SourceId::Sip { vec![0, 1] } else { vec![line] }))
}

fn read_instruments(table: &mut Table<'_>, scenario: &Scenario) -> Result<Vec<usize>, ConfigError> {
    let mut names: Vec<(&str, Range<usize>)> = table.strings("instruments")?.unwrap_or_default();
    names.extend(table.string("instrument")?);
    let mut out = Vec::new();
    for (name, span) in names {
        // `#3` is the fourth instrument, whatever it is called.
        let found = match name.strip_prefix('#').and_then(|n| n.parse::<usize>().ok()) {
            Some(i) => Some(i).filter(|i| *i < scenario.instruments),
            None => (0..scenario.instruments).find(|i| symbol(*i) == name),
        };
        let Some(found) = found else {
            let first = symbol(0);
            let sentence = format!(
                "`{name}` is none of the {} instruments; the first is \"{first}\" or \"#0\"",
                scenario.instruments
            );
            return Err(table.error_at(&span, sentence));
        };
        out.push(found);
    }
    out.sort_unstable();
    out.dedup();
    Ok(out)
}

/// A whole number that may be negative.
fn signed(table: &mut Table<'_>, key: &'static str, usual: i64) -> Result<i64, ConfigError> {
    match table.get(key) {
        None => Ok(usual),
        Some((DeValue::Integer(number), span)) => {
            let text = number.as_str();
            match text.replace('_', "").parse::<i64>() {
                Ok(n) if (-100_000..=100_000).contains(&n) && n != 0 => Ok(n),
                _ => {
                    let wanted = "from -100000 to 100000 and another than 0";
                    Err(table.error_at(&span, format!("`{key}` wants a whole number {wanted}, not {text}")))
                }
            }
        }
        Some((other, span)) => {
            Err(table.error_at(&span, format!("`{key}` wants a whole number, not {}", other.type_str())))
        }
    }
}

fn packets(table: &mut Table<'_>) -> Result<u64, ConfigError> {
    number(table, "packets", 1, 1..=1_000_000)
}

fn number(
    table: &mut Table<'_>,
    key: &'static str,
    usual: u64,
    range: std::ops::RangeInclusive<u64>,
) -> Result<u64, ConfigError> {
    let mut number = usual;
    bounded(table, key, &mut number, range)?;
    Ok(number)
}

fn by(table: &mut Table<'_>, usual_ns: u64) -> Result<u64, ConfigError> {
    let mut by_ns = usual_ns;
    duration(table, "by", &mut by_ns, 1000..=3_600_000 * MS)?;
    Ok(by_ns)
}

fn read_kind(table: &mut Table<'_>, name: &'static str) -> Result<Kind, ConfigError> {
    Ok(match name {
        "wrong_price" => {
            let sides = [("bid", (true, false)), ("ask", (false, true)), ("both", (true, true))];
            let (bid, ask) = word(table, "side", &sides)?.unwrap_or((true, false));
            let ticks = signed(table, "offset_ticks", -5)?;
            let at_once = word(table, "begins", &[("next_move", false), ("at_once", true)])?.unwrap_or(false);
            Kind::WrongPrice { bid, ask, ticks, at_once }
        }
        "lag" => Kind::Lag { by_ns: by(table, 80 * MS)? },
        "freeze" => Kind::Freeze,
        "silence" => Kind::Silence,
        "heartbeats_only" => Kind::HeartbeatsOnly,
        "loss" => {
            let percent = table.milli("percent")?;
            match percent {
                Some(p) if p > 100_000 => return Err(table.error("`percent` wants a number from 0 to 100")),
                Some(milli_percent) => Kind::Loss { packets: None, milli_percent },
                None => Kind::Loss { packets: Some(packets(table)?), milli_percent: 0 },
            }
        }
        "reorder" => Kind::Reorder { packets: packets(table)?, by_ns: by(table, MS)? },
        "duplicate" => Kind::Duplicate { packets: packets(table)? },
        "halt" => Kind::Halt { missed: false },
        "missed_halt" => Kind::Halt { missed: true },
        "crossed_quote" => Kind::CrossedQuote { ticks: signed(table, "ticks", 2)?.abs() },
        "clock_error" => {
            let by_ns = by(table, 400 * MS)? as i64;
            let ahead = word(table, "direction", &[("ahead", true), ("behind", false)])?.unwrap_or(true);
            Kind::ClockError { by_ns: if ahead { by_ns } else { -by_ns } }
        }
        "corruption" => {
            let damage = word(table, "damage", &Damage::ALL)?.unwrap_or(Damage::Truncate);
            Kind::Corruption { damage, packets: packets(table)? }
        }
        "old_quotes" => {
            let mut back_ns = 3_000 * MS;
            duration(table, "back", &mut back_ns, MS..=60_000 * MS)?;
            Kind::OldQuotes { back_ns, bursts: number(table, "bursts", 3, 1..=100)? }
        }
        "wrong_bands" => {
            let mut after_ns = 2_000 * MS;
            duration(table, "pause_after", &mut after_ns, MS..=600_000 * MS)?;
            Kind::WrongBands { percent: number(table, "percent", 30, 1..=1_000)?, after_ns }
        }
        "test_data" => {
            let cents = number(table, "cents", 12_347, 1..=1_000_000)?;
            Kind::TestData { price: cents as u32 * TICK }
        }
        "saturated" => Kind::Saturated { ceiling: number(table, "ceiling", 200, 1..=RATE_MAX)? },
        "moved" => Kind::Moved,
        "crossed_load" => Kind::CrossedLoad { load: number(table, "load", 200, 1..=RATE_MAX)? },
        "pre_open" => Kind::PreOpen { ticks: number(table, "ticks", 3, 1..=1_000)? as u32 },
        _ => Kind::Missing,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Scenario::parse("s.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn a_scenario_reads() {
        let text = "seed = 9\nrate = 500\nduration = \"2s\"\n[[fault]]\nkind = \"wrong_price\"\ninstrument = \"#1\"\n\
                    side = \"ask\"\noffset_ticks = 7\nat = \"500ms\"\nfor = \"1s\"\n";
        let scenario = Scenario::parse("s.toml", text).unwrap();
        let fault = Fault {
            kind: Kind::WrongPrice { bid: false, ask: true, ticks: 7, at_once: false },
            source: SourceId::Sip,
            lines: vec![],
            instruments: vec![1],
            from_ns: START_NS + 500 * MS,
            to_ns: START_NS + 1500 * MS,
        };
        let wanted = Scenario {
            seed: 9,
            rate: 500,
            duration_ns: 2000 * MS,
            faults: vec![fault],
            ..Scenario::default()
        };
        assert_eq!(scenario, wanted);
        assert_eq!(START_NS, start(EXAMPLE).unwrap());
    }

    #[test]
    fn mistakes_are_told_with_their_line_and_the_nearest_word() {
        assert_eq!(error("sede = 1\n"), "s.toml:1: unknown key `sede` in the scenario; did you mean `seed`?");
        assert_eq!(
            error("[[fault]]\nkind = \"wrong_prize\"\n"),
            "s.toml:2: `kind = \"wrong_prize\"` is unknown; did you mean `wrong_price`?"
        );
        assert_eq!(
            error("[[fault]]\nkind = \"freeze\"\ninstrument = \"#0\"\nform = \"1s\"\n"),
            "s.toml:4: unknown key `form` in [[fault]]; did you mean `for`?"
        );
        assert_eq!(
            error("[[fault]]\nkind = \"wrong_price\"\noffset_ticks = -100001\n"),
            "s.toml:3: `offset_ticks` wants a whole number from -100000 to 100000 and another than 0, not -100001"
        );
        assert_eq!(
            error("instruments = 3\n[[fault]]\nkind = \"freeze\"\ninstrument = \"AAPL\"\n"),
            "s.toml:4: `AAPL` is none of the 3 instruments; the first is \"ZQAAA\" or \"#0\""
        );
        assert_eq!(
            error("[[fault]]\nkind = \"freeze\"\n"),
            "s.toml:1: `freeze` needs `instrument = \"...\"` or `instruments = [...]`"
        );
        assert_eq!(
            error("duration = \"1 week\"\n"),
            "s.toml:1: `duration = \"1 week\"` is no duration; write 250us, 25ms or 2s"
        );
        assert_eq!(
            error("[[fault]]\nkind = \"silence\"\nsource = \"backup\"\n"),
            "s.toml:1: `silence` of the backup wants `backup = true` in the scenario, above the faults"
        );
        assert_eq!(
            error("[[fault]]\nkind = \"moved\"\n"),
            "s.toml:1: `moved` wants `sip_channels = 2` in the scenario, above the faults"
        );
        assert_eq!(
            error("[[fault]]\nkind = \"wrong_bands\"\ninstrument = \"#0\"\n"),
            "s.toml:1: `wrong_bands` wants `bands = true` in the scenario, above the faults"
        );
        assert_eq!(
            error("[[fault]]\nkind = \"saturated\"\ninstrument = \"#0\"\n"),
            "s.toml:1: `saturated` on sip takes no instruments"
        );
        assert_eq!(
            error("[[fault]]\nkind = \"old_quotes\"\nbursts = 0\n"),
            "s.toml:3: `bursts` wants a number from 1 to 100"
        );
        assert_eq!(error("rate = 0\n"), "s.toml:1: `rate` wants a number from 1 to 10000000");
    }
}
