//! Writes one run: takes batches of alerts and figures apart into rows.
//!
//! A transaction is open from the first row until [`Writer::commit`]; whoever calls decides how long that is. It reads
//! no clock: wall times are arguments.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::types::{ToSqlOutput, Value};
use rusqlite::{Connection, ToSql, params, params_from_iter};

use super::alerts::Alerts;
use super::batch::{Batch, HostClock};
use super::error::{Failure, StoreError};
use super::family::{self, Family};
use super::names::Names;
use super::open::Writing;
use super::record::ActionRecord;
use crate::config::Config;
use crate::config::live::without_secrets;
use crate::latency::{Period, SeriesName};
use crate::market::Origin;
use crate::pipeline::beat::WINDOWS;
use crate::pipeline::figures::{Figure, What};

pub const DAY_NS: u64 = 86_400_000_000_000;

/// Pages in the log beyond which a writer whose log is written into the file by others does it itself after all: 64 MiB.
const PAGES_IN_LOG: i64 = 16_384;

/// What is told of a run when it begins.
#[derive(Debug, Clone)]
pub struct RunFacts {
    /// Lines, not captures.
    pub live: bool,
    /// Arguments as they were given, one a line.
    pub command: String,
    /// In which they were given.
    pub folder: String,
    /// The whole configuration.
    pub config: String,
    /// Length of the intervals.
    pub interval_ns: u64,
    /// Wall time.
    pub began_ns: u64,
    /// Folder of its quotes and messages, where they were asked for.
    pub parquet: Option<String>,
}

/// A capture, when its run ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptureFacts {
    /// As alerts name it.
    pub name: String,
    /// Whole path.
    pub path: String,
    /// Container.
    pub format: String,
    /// Compression.
    pub compression: String,
    /// Frames, their bytes, datagrams.
    pub counts: [u64; 3],
}

/// A number or a word of a key.
#[derive(Debug, Clone, Copy)]
pub enum Key<'a> {
    Number(i64),
    Word(&'a str),
}

impl ToSql for Key<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Key::Number(number) => number.to_sql(),
            Key::Word(word) => word.to_sql(),
        }
    }
}

/// Adds figures to rows of the family's tables.
pub struct Rows<'a> {
    pub connection: &'a Connection,
    pub statements: &'a BTreeMap<&'static str, [String; 2]>,
    pub run: i64,
    pub interval_ns: u64,
}

impl Rows<'_> {
    /// Adds figures at a moment, to its interval and to its day.
    pub fn add(
        &self,
        family: &Family,
        at_ns: u64,
        keys: &[Key<'_>],
        figures: &[i64],
    ) -> rusqlite::Result<()> {
        let Some(statements) = self.statements.get(family.name) else { return Ok(()) };
        for (statement, length) in statements.iter().zip([self.interval_ns, DAY_NS]) {
            let head = [Key::Number(signed(at_ns - at_ns % length)), Key::Number(self.run)];
            let figures = figures.iter().map(|figure| Key::Number(*figure));
            let row = head.into_iter().chain(keys.iter().copied()).chain(figures);
            self.connection.prepare_cached(statement)?.execute(params_from_iter(row))?;
        }
        Ok(())
    }
}

/// A count or a time as SQLite keeps it: 64 bits with a sign. Times go to the year 2262.
pub fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// See the module.
pub struct Writer {
    writing: Writing,
    run: i64,
    interval_ns: u64,
    names: Names,
    memory: Memory,
    /// As it was when the latest transaction was committed.
    committed: Memory,
    statements: BTreeMap<&'static str, [String; 2]>,
    /// Histograms of the newest interval and day of each series, and whether they are written.
    latencies: BTreeMap<(bool, i64), (u64, Period, bool)>,
    captures: BTreeMap<u32, String>,
    /// Folder of the recordings, of a live run.
    recordings: PathBuf,
    open: bool,
}

/// What a writer knows of its run beside what is in the file; a transaction that is given up takes it back.
#[derive(Debug, Clone)]
struct Memory {
    alerts: Alerts,
    actions: i64,
    span: Option<(u64, u64)>,
}

impl Writer {
    /// Begins a run.
    ///
    /// # Errors
    /// What cannot be written, in one sentence.
    pub fn begin(writing: Writing, facts: &RunFacts, config: &Config) -> Result<Writer, StoreError> {
        let path = writing.path.clone();
        Writer::begin_run(writing, facts, config).map_err(|error| StoreError::of(&path, &error))
    }

    fn begin_run(writing: Writing, facts: &RunFacts, config: &Config) -> rusqlite::Result<Writer> {
        let connection = &writing.connection;
        connection.set_prepared_statement_cache_capacity(128);
        let text = without_secrets(&facts.config);
        connection.execute_batch("BEGIN IMMEDIATE")?;
        // Nobody else writes: a run that is still open was killed.
        connection.execute("UPDATE run SET state = 'broken' WHERE state = 'open'", [])?;
        connection.execute(
            "INSERT INTO run (kind, state, version, command, folder, config_path, config, config_hash, interval_ns,
                began_ns, parquet) VALUES (?, 'open', ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            params![
                if facts.live { "live" } else { "replay" },
                env!("CARGO_PKG_VERSION"),
                facts.command,
                facts.folder,
                config.path,
                text,
                hash(&[text.as_bytes()]),
                signed(facts.interval_ns),
                signed(facts.began_ns),
                facts.parquet,
            ],
        )?;
        let run = connection.last_insert_rowid();
        let names = Names::of(connection, config, run)?;
        connection.execute_batch("COMMIT")?;
        let single = config.sources.iter().filter(|s| s.channels.len() == 1).map(|s| s.name.clone());
        let statements =
            family::ALL.map(|f| (f.name, ["interval", "day"].map(|t| f.add_to(&format!("{}_{t}", f.name)))));
        let memory = Memory { alerts: Alerts::new(single.collect()), actions: 0, span: None };
        Ok(Writer {
            run,
            interval_ns: facts.interval_ns.max(1),
            names,
            committed: memory.clone(),
            memory,
            statements: statements.into(),
            latencies: BTreeMap::new(),
            captures: BTreeMap::new(),
            recordings: config.live.recorder.as_ref().map(|r| r.directory.clone()).unwrap_or_default(),
            open: false,
            writing,
        })
    }

    /// Its number.
    pub fn run(&self) -> i64 {
        self.run
    }

    /// The database.
    pub(super) fn connection(&self) -> &Connection {
        &self.writing.connection
    }

    /// As the store was named.
    pub fn path(&self) -> &Path {
        &self.writing.path
    }

    /// Names of captures, where a replay knows them beforehand.
    pub fn name_captures(&mut self, names: &[String]) {
        self.captures = (0..).zip(names.iter().cloned()).collect();
    }

    /// Takes a batch; it is in the store once it is committed.
    ///
    /// # Errors
    /// What cannot be written, in one sentence. The transaction is then given up, and it is as if nothing had been taken
    /// since the commit before.
    pub fn take(&mut self, batch: &Batch) -> Result<(), Failure> {
        let taken = self.take_batch(batch);
        self.settle(taken)
    }

    /// Commits what was taken.
    ///
    /// # Errors
    /// As [`Writer::take`].
    pub fn commit(&mut self) -> Result<(), Failure> {
        if !self.open {
            return Ok(());
        }
        let done = self.write_latencies().and_then(|()| self.write_span()).and_then(|()| {
            self.writing.connection.execute_batch("COMMIT")?;
            self.open = false;
            self.committed.clone_from(&self.memory);
            Ok(())
        });
        self.settle(done)
    }

    /// Gives up what was taken since the commit before.
    pub fn give_up(&mut self) {
        if std::mem::take(&mut self.open) {
            // Where it cannot be rolled back SQLite has done it already.
            let _ = self.writing.connection.execute_batch("ROLLBACK");
        }
        self.memory.clone_from(&self.committed);
        self.latencies.clear();
        self.names.forget();
    }

    /// Up to which moment of data everything is in the store; 0 before the first figures.
    pub fn until_ns(&self) -> u64 {
        self.committed.span.map_or(0, |(_, until)| until)
    }

    /// Others write its log into its file.
    ///
    /// # Errors
    /// As [`Writer::take`].
    pub fn leave_checkpoints(&self) -> Result<(), StoreError> {
        let set = self.writing.connection.pragma_update(None, "wal_autocheckpoint", PAGES_IN_LOG);
        set.map_err(|error| StoreError::of(&self.writing.path, &error))
    }

    /// Ends the run: it is whole, with these captures.
    ///
    /// # Errors
    /// As [`Writer::take`].
    pub fn finish(&mut self, captures: &[CaptureFacts], finished_ns: u64) -> Result<i64, StoreError> {
        let finish = |writer: &mut Writer| {
            writer.commit()?;
            let finished = writer.finish_run(captures, finished_ns);
            writer.settle(finished)?;
            writer.commit()
        };
        finish(self).map(|()| self.run).map_err(|failure| failure.error)
    }

    fn settle<T>(&mut self, done: rusqlite::Result<T>) -> Result<T, Failure> {
        done.map_err(|error| {
            let failure = Failure::of(&self.writing.path, &error);
            self.give_up();
            failure
        })
    }

    fn take_batch(&mut self, batch: &Batch) -> rusqlite::Result<()> {
        if !self.open {
            self.writing.connection.execute_batch("BEGIN IMMEDIATE")?;
            self.open = true;
        }
        let rows = Rows {
            connection: &self.writing.connection,
            statements: &self.statements,
            run: self.run,
            interval_ns: self.interval_ns,
        };
        for line in batch.lines.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
            self.memory.alerts.take(line, &rows, &mut self.names)?;
        }
        for figure in &batch.figures {
            self.take_figure(figure)?;
        }
        for line in batch.actions.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
            self.take_action(line)?;
        }
        for clock in &batch.clocks {
            self.take_clock(clock)?;
        }
        Ok(())
    }

    fn take_figure(&mut self, figure: &Figure) -> rusqlite::Result<()> {
        let Writer { writing, names, .. } = self;
        let connection = &writing.connection;
        let rows =
            Rows { connection, statements: &self.statements, run: self.run, interval_ns: self.interval_ns };
        let at = figure.at_ns;
        let add = |family, keys: &[Key<'_>], figures: &[u64]| {
            let figures: Vec<i64> = figures.iter().copied().map(signed).collect();
            rows.add(family, at, keys, &figures)
        };
        let both = |sources: &[u16; 2]| sources.map(|s| Key::Number(names.at(s)));
        match &figure.what {
            What::Watched(since, ns) => {
                let span = self.memory.span.get_or_insert((*since, at));
                *span = (span.0.min(*since), span.1.max(at));
                add(&family::WATCH, &[], &[*ns])
            }
            What::Line(place, counts) => {
                let line = names.line(place.source, place.channel, place.line);
                add(&family::LINE, &[Key::Number(line)], counts)
            }
            What::Channel(place, counts) => {
                add(&family::CHANNEL, &[Key::Number(names.channel(place.source, place.channel))], counts)
            }
            What::Burst { place, whole, window, most } => {
                let line = if *whole { 0 } else { names.line(place.source, place.channel, place.line) };
                let window = WINDOWS.get(usize::from(*window)).copied().unwrap_or(0);
                let keys = [names.at(place.source), line, signed(window)].map(Key::Number);
                add(&family::BURST, &keys, most)
            }
            What::Wrong(place, wrong) => {
                let channel = names.channel(place.source, place.channel);
                if wrong.contradiction {
                    add(
                        &family::CONTRADICTION,
                        &[Key::Number(channel), Key::Word(wrong.kind)],
                        &[wrong.count],
                    )?;
                }
                let what = if wrong.contradiction { "contradiction" } else { "error" };
                let Origin { ts_recv_ns, sequence, capture, frame, .. } = wrong.first;
                let capture = self.captures.get(&capture).map_or("", String::as_str);
                let mut statement = connection.prepare_cached(
                    "INSERT INTO first_seen (run, channel, what, kind, ts_ns, sequence, capture, frame)
                     VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                )?;
                let (ts, sequence, frame) = (signed(ts_recv_ns), signed(sequence), signed(frame));
                statement
                    .execute(params![self.run, channel, what, wrong.kind, ts, sequence, capture, frame])
                    .map(|_| ())
            }
            What::Pair(sources, counts) => add(&family::PAIRS, &both(sources), counts),
            What::Held(sources, reason, ns, differences) => {
                let [a, b] = both(sources);
                add(&family::HELD, &[a, b, Key::Word(reason)], &[*ns, *differences])
            }
            What::Segments(sources, kind, count) => {
                let [a, b] = both(sources);
                add(&family::SEGMENT, &[a, b, Key::Word(kind)], &[*count])
            }
            What::Crossing(kind, scope, ns, times) => {
                let second = scope.second.map_or(0, |s| names.at(s));
                let sources = [names.at(scope.first), second].map(Key::Number);
                let keys = [Key::Word(kind.name()), Key::Word(scope.name), sources[0], sources[1]];
                add(&family::CROSSING, &keys, &[*ns, *times])
            }
            What::Suppressed(kind, reason, count) => {
                add(&family::SUPPRESSED, &[Key::Word(kind.name()), Key::Word(reason)], &[*count])
            }
            What::Latency(name, packed) => match packed.unpack() {
                Ok(period) => self.take_latency(at, name, &period),
                Err(error) => Err(rusqlite::Error::ToSqlConversionFailure(Box::new(error))),
            },
            What::Clock(source, clock) => {
                let figures = [
                    signed(clock.stamps),
                    signed(clock.negative),
                    signed(clock.backwards),
                    clock.least_ns,
                    clock.greatest_ns,
                    signed(clock.worst_back_ns),
                ];
                rows.add(&family::CLOCK, at, &[Key::Number(names.at(*source))], &figures)
            }
            What::Instrument(figures) => {
                let [first, second] = figures.sources.map(|s| names.at(s));
                let mut statement = connection.prepare_cached(
                    "INSERT INTO instrument_pair_day (start_ns, run, first, second, instrument, venue, differ_ns,
                        segments, told) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
                        differ_ns = differ_ns + excluded.differ_ns, segments = segments + excluded.segments,
                        told = told + excluded.told",
                )?;
                let (day, differ) = (signed(at - at % DAY_NS), signed(figures.differ_ns));
                let (segments, told) = (signed(figures.segments), signed(figures.told));
                let (instrument, venue) = (&*figures.instrument, &*figures.venue);
                let row = params![day, self.run, first, second, instrument, venue, differ, segments, told];
                statement.execute(row).map(|_| ())
            }
            What::Capture(number, name) => {
                self.captures.insert(*number, name.to_string());
                let mut statement = connection.prepare_cached(
                    "INSERT INTO capture (run, position, name, path, format, compression, packets, bytes, datagrams)
                     VALUES (?, ?, ?, ?, 'pcapng', 'zstd', 0, 0, 0) ON CONFLICT DO NOTHING",
                )?;
                let path = self.recordings.join(&**name).display().to_string();
                statement.execute(params![self.run, number, &**name, path]).map(|_| ())
            }
            What::Until => {
                if let Some(span) = &mut self.memory.span {
                    span.1 = span.1.max(at);
                }
                self.memory.alerts.account(at, &rows)
            }
        }
    }

    /// Adds to the newest interval and day of a series; older ones are written and left.
    fn take_latency(&mut self, at: u64, name: &SeriesName, more: &Period) -> rusqlite::Result<()> {
        let series = self.names.series(&self.writing.connection, name)?;
        for (day, length) in [(false, self.interval_ns), (true, DAY_NS)] {
            let start = at - at % length;
            let known = self.latencies.get(&(day, series)).map(|(start, ..)| *start);
            if known != Some(start) {
                if let Some((was, period, false)) = self.latencies.remove(&(day, series)) {
                    self.write_latency(day, series, was, &period)?;
                }
                let kept = self.read_latency(day, series, start)?;
                self.latencies.insert((day, series), (start, kept, true));
            }
            if let Some((_, period, written)) = self.latencies.get_mut(&(day, series)) {
                period.add(more);
                *written = false;
            }
        }
        Ok(())
    }

    fn write_latencies(&mut self) -> rusqlite::Result<()> {
        let mut latencies = std::mem::take(&mut self.latencies);
        let mut done = Ok(());
        for ((day, series), (start, period, written)) in &mut latencies {
            if !*written && done.is_ok() {
                done = self.write_latency(*day, *series, *start, period);
                *written = done.is_ok();
            }
        }
        self.latencies = latencies;
        done
    }

    fn write_latency(&self, day: bool, series: i64, start: u64, period: &Period) -> rusqlite::Result<()> {
        let Some(summary) = period.summary() else { return Ok(()) };
        let table = if day { "latency_day" } else { "latency_interval" };
        let sql = format!(
            "INSERT OR REPLACE INTO {table} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        );
        let (positive, negatives) = period.encode();
        let counts = [summary.count, summary.negative, period.saturated].map(signed);
        let mut row: Vec<Value> = vec![signed(start).into(), self.run.into(), series.into()];
        row.extend(counts.map(Value::from));
        row.push(summary.min.into());
        row.extend(summary.percentiles.0.map(Value::from));
        row.extend([summary.max.into(), positive.into(), negatives.into()]);
        self.writing.connection.prepare_cached(&sql)?.execute(params_from_iter(row)).map(|_| ())
    }

    /// What is there of an interval or a day already.
    fn read_latency(&self, day: bool, series: i64, start: u64) -> rusqlite::Result<Period> {
        let table = if day { "latency_day" } else { "latency_interval" };
        let sql = format!(
            "SELECT positive, negatives, saturated FROM {table} WHERE start_ns = ? AND run = ? AND series = ?"
        );
        let mut statement = self.writing.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params![signed(start), self.run, series])?;
        let Some(row) = rows.next()? else { return Ok(Period::default()) };
        let (positive, negatives): (Vec<u8>, Option<Vec<u8>>) = (row.get(0)?, row.get(1)?);
        let saturated = u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0);
        Period::decode(&positive, negatives.as_deref(), saturated)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))
    }

    fn write_span(&self) -> rusqlite::Result<()> {
        let Some((from, until)) = self.memory.span else { return Ok(()) };
        let mut statement = self
            .writing
            .connection
            .prepare_cached("UPDATE run SET from_ns = ?, until_ns = ? WHERE run = ?")?;
        statement.execute(params![signed(from), signed(until), self.run]).map(|_| ())
    }

    fn take_action(&mut self, line: &[u8]) -> rusqlite::Result<()> {
        let Ok(record) = serde_json::from_slice::<ActionRecord>(line) else { return Ok(()) };
        self.memory.actions += 1;
        let about = record.id.or(record.shelf).unwrap_or_default();
        let mut statement = self.writing.connection.prepare_cached(
            "INSERT INTO operator_action (run, position, ts_ns, action, who, about, text, line)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )?;
        let (ts, line) = (signed(record.ts.0), String::from_utf8_lossy(line));
        let row =
            params![self.run, self.memory.actions, ts, record.action, record.who, about, record.note, line];
        statement.execute(row).map(|_| ())
    }

    fn take_clock(&self, clock: &HostClock) -> rusqlite::Result<()> {
        let mut statement = self.writing.connection.prepare_cached(
            "INSERT OR REPLACE INTO host_clock (run, ts_ns, synchronised, offset_ns, error_ns, error_max_ns, status)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )?;
        let [ts, error, error_max] = [clock.ts_ns, clock.error_ns, clock.error_max_ns].map(signed);
        let row = params![self.run, ts, clock.synchronised, clock.offset_ns, error, error_max, clock.status];
        statement.execute(row).map(|_| ())
    }

    fn finish_run(&mut self, captures: &[CaptureFacts], finished_ns: u64) -> rusqlite::Result<()> {
        let connection = &self.writing.connection;
        connection.execute_batch("BEGIN IMMEDIATE")?;
        self.open = true;
        for (position, capture) in captures.iter().enumerate() {
            let CaptureFacts { name, path, format, compression, counts } = capture;
            let [packets, bytes, datagrams] = counts.map(signed);
            connection.execute(
                "INSERT OR REPLACE INTO capture VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                params![
                    self.run,
                    position as i64,
                    name,
                    path,
                    format,
                    compression,
                    packets,
                    bytes,
                    datagrams
                ],
            )?;
        }
        let data = if captures.is_empty() { String::new() } else { data_hash(captures, self.memory.span) };
        connection.execute(
            "UPDATE run SET state = 'complete', finished_ns = ?, data_hash = ? WHERE run = ?",
            params![signed(finished_ns), data, self.run],
        )?;
        if !captures.is_empty() {
            connection.execute(
                "UPDATE run SET superseded_by = ?1 WHERE kind = 'replay' AND data_hash = ?2 AND run < ?1
                 AND superseded_by IS NULL",
                params![self.run, data],
            )?;
            // What a daemon of this store recorded, it has told already.
            connection.execute(
                "UPDATE run SET superseded_by = (
                    SELECT max(live.run) FROM run live WHERE live.kind = 'live' AND NOT EXISTS (
                        SELECT 1 FROM capture mine WHERE mine.run = ?1 AND NOT EXISTS (
                            SELECT 1 FROM capture theirs WHERE theirs.run = live.run
                            AND mine.name LIKE '%' || theirs.name)))
                 WHERE run = ?1",
                [self.run],
            )?;
        }
        Ok(())
    }
}

/// FNV-1a of the parts, 16 hexadecimal digits.
pub fn hash(parts: &[&[u8]]) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325u64;
    for byte in parts.iter().flat_map(|part| part.iter().chain(b"|")) {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    format!("{hash:016x}")
}

/// The same for the same captures in whatever order and folder, over the same span.
fn data_hash(captures: &[CaptureFacts], span: Option<(u64, u64)>) -> String {
    let mut parts: Vec<String> = captures
        .iter()
        .map(|c| {
            let file =
                Path::new(&c.name).file_name().map_or(c.name.clone(), |f| f.to_string_lossy().into_owned());
            format!("{file} {:?}", c.counts)
        })
        .collect();
    parts.sort();
    parts.push(format!("{span:?}"));
    let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_bytes()).collect();
    hash(&parts)
}
