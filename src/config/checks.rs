//! `[[check]]`: which kinds there are, what each takes, and the defaults of the contract.

use super::reader::{ConfigError, Table, duration_text, nearest};

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MS;

/// What an alert is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Two sources show different prices.
    Divergent,
    /// One source shows what the other showed earlier.
    Lagging,
    /// A source has stopped updating an instrument while its peers move.
    Stale,
    /// Nothing arrives.
    Silent,
    /// Bid above ask.
    Crossed,
    /// Bid equal to ask.
    Locked,
    /// Messages lost on every line.
    Gap,
    /// One line lost or delayed what another delivered.
    Line,
    /// Halted in one, quoting in the other.
    Status,
    /// A peer carries it, this source does not.
    Missing,
    /// Timestamps that cannot be true.
    Clock,
}

impl Kind {
    /// Every kind, in the order of the contract.
    pub const ALL: [Kind; 11] = [
        Kind::Divergent,
        Kind::Lagging,
        Kind::Stale,
        Kind::Silent,
        Kind::Crossed,
        Kind::Locked,
        Kind::Gap,
        Kind::Line,
        Kind::Status,
        Kind::Missing,
        Kind::Clock,
    ];

    /// Name in configurations and records.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Divergent => "divergent",
            Kind::Lagging => "lagging",
            Kind::Stale => "stale",
            Kind::Silent => "silent",
            Kind::Crossed => "crossed",
            Kind::Locked => "locked",
            Kind::Gap => "gap",
            Kind::Line => "line",
            Kind::Status => "status",
            Kind::Missing => "missing",
            Kind::Clock => "clock",
        }
    }

    /// The keys it takes beside `kind` and `severity`.
    pub const fn keys(self) -> &'static [&'static str] {
        match self {
            Kind::Divergent => &["between", "tolerance", "on_delay", "off_delay"],
            Kind::Lagging => &["between", "lag_limit", "window", "off_delay"],
            Kind::Stale => &["sources", "after", "peer_moves"],
            Kind::Silent | Kind::Missing => &["sources", "after"],
            Kind::Crossed | Kind::Locked => &["sources", "between", "on_delay", "off_delay"],
            Kind::Gap => &["sources"],
            Kind::Line => &["sources", "lag_limit", "clear_after"],
            Kind::Status => &["between", "on_delay"],
            Kind::Clock => &["sources", "limit"],
        }
    }

    const fn severity(self) -> Severity {
        match self {
            Kind::Silent => Severity::Critical,
            Kind::Divergent | Kind::Stale | Kind::Crossed | Kind::Gap | Kind::Status => Severity::Major,
            Kind::Lagging | Kind::Line | Kind::Missing | Kind::Clock => Severity::Minor,
            Kind::Locked => Severity::Info,
        }
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// To know.
    Info,
    /// To look at.
    Minor,
    /// To act on.
    Major,
    /// To act on now.
    Critical,
}

impl Severity {
    /// Every severity, lowest first.
    pub const ALL: [Severity; 4] = [Severity::Info, Severity::Minor, Severity::Major, Severity::Critical];

    /// Name in configurations and records.
    pub const fn name(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Minor => "minor",
            Severity::Major => "major",
            Severity::Critical => "critical",
        }
    }

    /// The severity of that name.
    pub fn from_name(name: &str) -> Option<Severity> {
        Severity::ALL.into_iter().find(|s| s.name() == name)
    }
}

/// How far apart prices may be; the larger allowance holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tolerance {
    /// In price steps of the instrument.
    pub ticks: u64,
    /// In thousandths of a basis point.
    pub milli_bps: u64,
}

impl Tolerance {
    /// Prices must be equal.
    #[inline]
    pub fn is_none(&self) -> bool {
        self.ticks == 0 && self.milli_bps == 0
    }
}

/// What a check looks at. Numbers are positions in [`super::Config::comparands`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Scope {
    /// Everything that the kind can be judged on.
    #[default]
    All,
    /// These sources.
    Sources(Vec<usize>),
    /// Pairs among these sources.
    Between(Vec<usize>),
}

impl Scope {
    /// Whether a single source is looked at.
    pub fn covers(&self, source: usize) -> bool {
        match self {
            Scope::All => true,
            Scope::Sources(list) => list.contains(&source),
            Scope::Between(_) => false,
        }
    }

    /// Whether a pair of sources is looked at.
    pub fn covers_pair(&self, a: usize, b: usize) -> bool {
        match self {
            Scope::All => true,
            Scope::Between(list) => list.contains(&a) && list.contains(&b),
            Scope::Sources(_) => false,
        }
    }
}

/// One check as configured; parameters that its kind does not take keep their defaults and are not looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What it judges.
    pub kind: Kind,
    /// How bad it is.
    pub severity: Severity,
    /// What it looks at.
    pub scope: Scope,
    /// Allowed difference.
    pub tolerance: Tolerance,
    /// How long before it is told.
    pub on_delay_ns: u64,
    /// How long agreement must last to end it.
    pub off_delay_ns: u64,
    /// Lag that is normal.
    pub lag_limit_ns: u64,
    /// How far back a price counts as shown earlier.
    pub window_ns: u64,
    /// How long a silence, a standstill or an absence may last.
    pub after_ns: u64,
    /// Clock error that is believed.
    pub limit_ns: u64,
    /// Moves of a peer that prove that it moves even when it came back.
    pub peer_moves: u64,
    /// How long a line must be good again.
    pub clear_after_ns: u64,
}

impl Check {
    /// The documented defaults of the kind.
    pub fn with_defaults(kind: Kind) -> Check {
        Check {
            kind,
            severity: kind.severity(),
            scope: Scope::All,
            tolerance: Tolerance::default(),
            on_delay_ns: if kind == Kind::Status { 250 * MS } else { 25 * MS },
            off_delay_ns: 5 * MS,
            lag_limit_ns: if kind == Kind::Line { 50 * MS } else { 20 * MS },
            window_ns: 10 * SECOND,
            after_ns: match kind {
                Kind::Stale => 3 * SECOND,
                Kind::Missing => 5 * SECOND,
                _ => 2 * SECOND,
            },
            limit_ns: 250 * MS,
            peer_moves: 5,
            clear_after_ns: SECOND,
        }
    }
}

/// Reads one `[[check]]`; `comparands` are the names it may use.
pub(super) fn read(mut table: Table<'_>, comparands: &[String]) -> Result<Check, ConfigError> {
    let (name, span) = table.required("kind")?;
    let kind = Kind::ALL.into_iter().find(|k| k.name() == name).ok_or_else(|| {
        let hint = nearest(name, Kind::ALL.iter().map(|k| k.name()));
        let hint = hint.map_or(String::new(), |n| format!("; did you mean `{n}`?"));
        table.error_at(&span, format!("`{name}` is no kind of check{hint}"))
    })?;
    let mut check = Check::with_defaults(kind);
    if let Some((name, span)) = table.string("severity")? {
        check.severity = Severity::from_name(name).ok_or_else(|| {
            table.error_at(&span, format!("`{name}` is no severity; it is info, minor, major or critical"))
        })?;
    }
    let takes = |key: &str| kind.keys().contains(&key);
    for key in ["between", "sources"] {
        if takes(key)
            && let Some(list) = scope(&mut table, key, comparands)?
        {
            if check.scope != Scope::All {
                return Err(table.error("a check takes `sources` or `between`, not both"));
            }
            check.scope = list;
        }
    }
    if takes("tolerance")
        && let Some(mut tolerance) = table.table("tolerance", "tolerance")?
    {
        check.tolerance.ticks = tolerance.unsigned("ticks")?.unwrap_or(0);
        check.tolerance.milli_bps = tolerance.milli("bps")?.unwrap_or(0);
        tolerance.finish()?;
    }
    let durations: [(&'static str, &mut u64); 7] = [
        ("on_delay", &mut check.on_delay_ns),
        ("off_delay", &mut check.off_delay_ns),
        ("lag_limit", &mut check.lag_limit_ns),
        ("window", &mut check.window_ns),
        ("after", &mut check.after_ns),
        ("limit", &mut check.limit_ns),
        ("clear_after", &mut check.clear_after_ns),
    ];
    for (key, value) in durations {
        if takes(key)
            && let Some(ns) = table.duration(key)?
        {
            *value = ns;
        }
    }
    if takes("peer_moves")
        && let Some(moves) = table.unsigned("peer_moves")?
    {
        if moves == 0 {
            return Err(table.error_of("peer_moves", "`peer_moves` is 0; it goes from 1"));
        }
        check.peer_moves = moves;
    }
    if kind == Kind::Lagging && check.window_ns <= check.lag_limit_ns {
        let [window, limit] = [check.window_ns, check.lag_limit_ns].map(duration_text);
        let sentence = format!(
            "`window` ({window}) must be longer than `lag_limit` ({limit}): nothing would ever be lagging"
        );
        return Err(table.error_of("window", sentence));
    }
    table.finish()?;
    Ok(check)
}

fn scope(
    table: &mut Table<'_>,
    key: &'static str,
    comparands: &[String],
) -> Result<Option<Scope>, ConfigError> {
    let Some(names) = table.strings(key)? else { return Ok(None) };
    let mut list = Vec::new();
    for (name, span) in names {
        let found = comparands.iter().position(|c| c == name).ok_or_else(|| {
            let hint = nearest(name, comparands.iter().map(String::as_str));
            let hint = hint.map_or(String::new(), |n| format!("; did you mean `{n}`?"));
            table.error_at(&span, format!("`{name}` is no source{hint}"))
        })?;
        if list.contains(&found) {
            return Err(table.error_at(&span, format!("`{name}` is named twice in `{key}`")));
        }
        list.push(found);
    }
    if list.is_empty() {
        return Err(table.error(format!("`{key}` names no source; leave it out for all")));
    }
    if key == "between" && list.len() < 2 {
        return Err(table.error("`between` needs at least two sources"));
    }
    Ok(Some(if key == "between" { Scope::Between(list) } else { Scope::Sources(list) }))
}
