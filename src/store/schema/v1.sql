-- Times (`..._ns`) are nanoseconds since 1970 UTC; intervals begin at `start_ns`, a multiple of the run's interval, and
-- days at midnight UTC. Prices are units of 1e-9. What a text column may hold is named in the crate's own words.

-- One replay, or one life of a daemon.
CREATE TABLE run (
    run INTEGER PRIMARY KEY, -- number, in the order of their beginnings
    kind TEXT NOT NULL CHECK (kind IN ('replay', 'live')), -- captures, or lines
    state TEXT NOT NULL CHECK (state IN ('open', 'complete', 'broken')), -- broken: it ended without saying so
    version TEXT NOT NULL, -- of Parallax
    command TEXT NOT NULL, -- arguments as they were given, one a line
    folder TEXT NOT NULL, -- in which they were given
    config_path TEXT NOT NULL, -- as it was named; empty when the feeds were identified
    config TEXT NOT NULL, -- the whole configuration, word for word but for secrets: of a webhook scheme and host
    config_hash TEXT NOT NULL, -- FNV-1a of it, 16 hexadecimal digits
    data_hash TEXT NOT NULL DEFAULT '', -- of captures and span: two runs over the same data have the same; empty while live or open
    superseded_by INTEGER REFERENCES run (run), -- a later complete run over the same data; null: this one counts
    interval_ns INTEGER NOT NULL, -- length of its intervals
    began_ns INTEGER NOT NULL, -- wall time at which it was begun
    finished_ns INTEGER, -- wall time at which it ended; null while open
    from_ns INTEGER, -- first moment of data (live: of watching)
    until_ns INTEGER, -- last moment of data that is in the store
    parquet TEXT -- folder below which it wrote its quotes (`quotes/`); null: it wrote none
) STRICT;

-- The captures of a replay, the recordings of a live run.
CREATE TABLE capture (
    run INTEGER NOT NULL REFERENCES run (run), -- whose
    position INTEGER NOT NULL, -- from 0, in the order of the arguments; recordings by the number that alerts mean
    name TEXT NOT NULL, -- as alerts name it
    path TEXT NOT NULL, -- whole path, as far as it is known
    format TEXT NOT NULL, -- pcapnanos, pcapng, binaryfile, ...
    compression TEXT NOT NULL, -- none, gzip, zstd, lz4, xz
    packets INTEGER NOT NULL, -- frames read
    bytes INTEGER NOT NULL, -- of the frames
    datagrams INTEGER NOT NULL, -- handed on
    PRIMARY KEY (run, position)
) STRICT, WITHOUT ROWID;

-- Names of sources and composites, over all runs.
CREATE TABLE source (
    source INTEGER PRIMARY KEY, -- number in this store; 0 is nobody
    name TEXT NOT NULL UNIQUE -- as the configuration names it
) STRICT;

-- What a source was in a run.
CREATE TABLE run_source (
    run INTEGER NOT NULL REFERENCES run (run), -- in which run
    source INTEGER NOT NULL REFERENCES source (source), -- which source
    position INTEGER NOT NULL, -- in the configuration, from 0; composites come after sources
    feed TEXT NOT NULL, -- a name from `parallax feeds`; composite for a composite
    venue TEXT, -- MIC; null where it has none of its own
    PRIMARY KEY (run, source)
) STRICT, WITHOUT ROWID;

-- Names of channels.
CREATE TABLE channel (
    channel INTEGER PRIMARY KEY, -- number in this store
    source INTEGER NOT NULL REFERENCES source (source), -- whose
    name TEXT NOT NULL, -- as the configuration names it
    UNIQUE (source, name)
) STRICT;

-- Names of lines.
CREATE TABLE line (
    line INTEGER PRIMARY KEY, -- number in this store; 0 stands for all lines of a source
    channel INTEGER NOT NULL REFERENCES channel (channel), -- whose
    name TEXT NOT NULL, -- as the configuration names it
    UNIQUE (channel, name)
) STRICT;

-- Names of latency series.
CREATE TABLE series (
    series INTEGER PRIMARY KEY, -- number in this store
    kind TEXT NOT NULL CHECK (kind IN ('venue', 'lines', 'sources', 'stage')), -- from venue stamps; between lines; between sources; our own stages
    name TEXT NOT NULL, -- source, source/channel, or empty between sources
    from_point TEXT NOT NULL, -- where the measurement begins
    to_point TEXT NOT NULL, -- where it ends
    UNIQUE (name, from_point, to_point)
) STRICT;

-- How much of each interval was watched.
CREATE TABLE watch_interval (
    start_ns INTEGER NOT NULL, -- beginning of the interval
    run INTEGER NOT NULL REFERENCES run (run), -- in which run
    watched_ns INTEGER NOT NULL, -- data time watched
    PRIMARY KEY (start_ns, run)
) STRICT, WITHOUT ROWID;

-- What arrived on a line.
CREATE TABLE line_interval (
    start_ns INTEGER NOT NULL, -- beginning of the interval
    run INTEGER NOT NULL REFERENCES run (run), -- in which run
    line INTEGER NOT NULL REFERENCES line (line), -- on which line
    packets INTEGER NOT NULL, -- packets that arrived and could be read
    messages INTEGER NOT NULL, -- messages that they announced
    won INTEGER NOT NULL, -- packets of which something was first here
    messages_won INTEGER NOT NULL, -- messages that were first here
    duplicates INTEGER NOT NULL, -- packets that brought nothing new
    late INTEGER NOT NULL, -- packets wanted, but after their gap had been declared
    messages_late INTEGER NOT NULL, -- messages of them
    signs INTEGER NOT NULL, -- heartbeats, ends of session, empty packets
    refused INTEGER NOT NULL, -- packets refused for their numbers or session
    out_of_order INTEGER NOT NULL, -- packets with smaller numbers than one before them
    losses INTEGER NOT NULL, -- holes that the line did not fill in time
    messages_lost INTEGER NOT NULL, -- messages in them
    messages_only INTEGER NOT NULL, -- messages that no other line brought in time, of a channel with several
    PRIMARY KEY (start_ns, run, line)
) STRICT, WITHOUT ROWID;

-- What a channel delivered, and what it lacked.
CREATE TABLE channel_interval (
    start_ns INTEGER NOT NULL, -- beginning of the interval
    run INTEGER NOT NULL REFERENCES run (run), -- in which run
    channel INTEGER NOT NULL REFERENCES channel (channel), -- which channel
    packets INTEGER NOT NULL, -- packets that arrived, on all lines together
    bytes INTEGER NOT NULL, -- of their payloads
    messages INTEGER NOT NULL, -- messages delivered once each, unknown ones included
    unknown INTEGER NOT NULL, -- of them, of types that are not declared
    errors INTEGER NOT NULL, -- packets and messages that could not be read
    gaps INTEGER NOT NULL, -- gaps declared
    missing INTEGER NOT NULL, -- messages in them
    missing_ours INTEGER NOT NULL, -- of them, lost by this machine as far as it counts
    filled_late INTEGER NOT NULL, -- messages of gaps that came after all, too late
    recovered INTEGER NOT NULL, -- messages missing for a while that came in time
    busy_seconds INTEGER NOT NULL, -- seconds of data time in which anything arrived
    PRIMARY KEY (start_ns, run, channel)
) STRICT, WITHOUT ROWID;

-- Two sources against each other.
CREATE TABLE pair_interval (
    start_ns INTEGER NOT NULL, -- beginning of the interval
    run INTEGER NOT NULL REFERENCES run (run), -- in which run
    first INTEGER NOT NULL REFERENCES source (source), -- the source that comes first in the configuration
    second INTEGER NOT NULL REFERENCES source (source), -- the other
    comparable_ns INTEGER NOT NULL, -- time comparable, both sides of all instruments added up
    agree_ns INTEGER NOT NULL, -- of it, in agreement
    matched INTEGER NOT NULL, -- updates that both showed
    first_led INTEGER NOT NULL, -- of them, the first source earlier
    second_led INTEGER NOT NULL, -- of them, the second source earlier
    together INTEGER NOT NULL, -- of them, at the same time
    first_only INTEGER NOT NULL, -- updates that the second never showed
    second_only INTEGER NOT NULL, -- updates that the first never showed
    PRIMARY KEY (start_ns, run, first, second)
) STRICT, WITHOUT ROWID;

-- What was not compared between two sources, by reason.
CREATE TABLE held_interval (
    start_ns INTEGER NOT NULL, -- beginning of the interval
    run INTEGER NOT NULL REFERENCES run (run), -- in which run
    first INTEGER NOT NULL REFERENCES source (source), -- the source that comes first in the configuration
    second INTEGER NOT NULL REFERENCES source (source), -- the other
    reason TEXT NOT NULL, -- no_quote, silent, test, gap, halted, auction, closed, stale, one_sided, ...
    held_ns INTEGER NOT NULL, -- time, counted as comparable_ns is
    differences INTEGER NOT NULL, -- differences that began meanwhile and were not judged
    PRIMARY KEY (start_ns, run, first, second, reason)
) STRICT, WITHOUT ROWID;

-- Disagreements that ended, by what they were.
CREATE TABLE segment_interval (
    start_ns INTEGER NOT NULL, -- beginning of the interval in which they ended
    run INTEGER NOT NULL REFERENCES run (run), -- in which run
    first INTEGER NOT NULL REFERENCES source (source), -- the source that comes first in the configuration
    second INTEGER NOT NULL REFERENCES source (source), -- the other
    kind TEXT NOT NULL, -- flight (explained by the way), brief (shorter than on_delay), lagging, divergent
    segments INTEGER NOT NULL, -- how many
    PRIMARY KEY (start_ns, run, first, second, kind)
) STRICT, WITHOUT ROWID;

-- How long alerts lasted, from what began to what ended: instruments, sides and lines added up.
CREATE TABLE alert_time_interval (
    start_ns INTEGER NOT NULL, -- beginning of the interval
    run INTEGER NOT NULL REFERENCES run (run), -- in which run
    kind TEXT NOT NULL, -- divergent, lagging, stale, silent, crossed, locked, gap, line, status, missing, clock
    about TEXT NOT NULL, -- source, sources or venues (the scope) where it has one; else instrument, line, channel or source
    cause TEXT NOT NULL, -- ours, network, source, market, reference_data or undecided
    first INTEGER NOT NULL REFERENCES source (source), -- the source named first, at fault where that is known
    second INTEGER NOT NULL, -- the other; 0 where there is one only
    time_ns INTEGER NOT NULL, -- time
    PRIMARY KEY (start_ns, run, kind, about, cause, first, second)
) STRICT, WITHOUT ROWID;

-- How long books were crossed or locked in continuous trading, however briefly: instruments added up.
CREATE TABLE crossing_interval (
    start_ns INTEGER NOT NULL, -- beginning of the interval
    run INTEGER NOT NULL REFERENCES run (run), -- in which run
    kind TEXT NOT NULL, -- crossed or locked
    scope TEXT NOT NULL, -- source, sources or venues
    first INTEGER NOT NULL REFERENCES source (source), -- whose book
    second INTEGER NOT NULL, -- the other's, for scope sources; 0 where there is one only
    time_ns INTEGER NOT NULL, -- time
    times INTEGER NOT NULL, -- how often it began
    PRIMARY KEY (start_ns, run, kind, scope, first, second)
) STRICT, WITHOUT ROWID;

-- What was not told, and why.
CREATE TABLE suppressed_interval (
    start_ns INTEGER NOT NULL, -- beginning of the interval
    run INTEGER NOT NULL REFERENCES run (run), -- in which run
    kind TEXT NOT NULL, -- what it would have been
    reason TEXT NOT NULL, -- why it was not told
    count INTEGER NOT NULL, -- how often
    PRIMARY KEY (start_ns, run, kind, reason)
) STRICT, WITHOUT ROWID;

-- Latencies of a series. Percentiles are upper ends of histogram buckets, 0.1 % wide, as in `parallax latency`.
CREATE TABLE latency_interval (
    start_ns INTEGER NOT NULL, -- beginning of the interval
    run INTEGER NOT NULL REFERENCES run (run), -- in which run
    series INTEGER NOT NULL REFERENCES series (series), -- which
    count INTEGER NOT NULL, -- values
    negative INTEGER NOT NULL, -- of them, below zero
    saturated INTEGER NOT NULL, -- of them, beyond a day and counted as one
    min_ns INTEGER NOT NULL, -- smallest
    p10_ns INTEGER NOT NULL, -- 10 %
    p50_ns INTEGER NOT NULL, -- median
    p90_ns INTEGER NOT NULL, -- 90 %
    p95_ns INTEGER NOT NULL, -- 95 %
    p99_ns INTEGER NOT NULL, -- 99 %
    p999_ns INTEGER NOT NULL, -- 99.9 %
    p9999_ns INTEGER NOT NULL, -- 99.99 %
    max_ns INTEGER NOT NULL, -- largest
    positive BLOB NOT NULL, -- HdrHistogram V2 (compressed) of the values from zero; may be added up
    negatives BLOB, -- the same of the magnitudes of those below zero; null where there are none
    PRIMARY KEY (start_ns, run, series)
) STRICT, WITHOUT ROWID;

-- The busiest stretch of each length, aligned to its length.
CREATE TABLE burst_interval (
    start_ns INTEGER NOT NULL, -- beginning of the interval
    run INTEGER NOT NULL REFERENCES run (run), -- in which run
    source INTEGER NOT NULL REFERENCES source (source), -- whose
    line INTEGER NOT NULL, -- on which line; 0: all lines of the source together
    window_ns INTEGER NOT NULL, -- 1000000, 10000000, 100000000 or 1000000000
    packets INTEGER NOT NULL, -- most packets in one such stretch
    messages INTEGER NOT NULL, -- most messages in one, not always the same
    bytes INTEGER NOT NULL, -- most bytes of payload in one
    PRIMARY KEY (start_ns, run, source, line, window_ns)
) STRICT, WITHOUT ROWID;

-- Book contradictions by kind.
CREATE TABLE contradiction_interval (
    start_ns INTEGER NOT NULL, -- beginning of the interval
    run INTEGER NOT NULL REFERENCES run (run), -- in which run
    channel INTEGER NOT NULL REFERENCES channel (channel), -- whose
    kind TEXT NOT NULL, -- unknown_order, over_execution, crossed, ...
    count INTEGER NOT NULL, -- how often
    PRIMARY KEY (start_ns, run, channel, kind)
) STRICT, WITHOUT ROWID;

-- Where each kind of contradiction and each error was first seen in a run.
CREATE TABLE first_seen (
    run INTEGER NOT NULL REFERENCES run (run), -- in which run
    channel INTEGER NOT NULL REFERENCES channel (channel), -- whose
    what TEXT NOT NULL CHECK (what IN ('contradiction', 'error')), -- of the book, or of the bytes
    kind TEXT NOT NULL, -- which
    ts_ns INTEGER NOT NULL, -- receive time of the packet
    sequence INTEGER NOT NULL, -- of its message, where known
    capture TEXT NOT NULL, -- its file; empty when it was not kept
    frame INTEGER NOT NULL, -- packet of the file, from 1
    PRIMARY KEY (run, channel, what, kind)
) STRICT, WITHOUT ROWID;

-- Venue time against receive time.
CREATE TABLE clock_interval (
    start_ns INTEGER NOT NULL, -- beginning of the interval
    run INTEGER NOT NULL REFERENCES run (run), -- in which run
    source INTEGER NOT NULL REFERENCES source (source), -- whose stamps
    stamps INTEGER NOT NULL, -- stamps looked at: one a packet, more where they turn within it
    negative INTEGER NOT NULL, -- of them, later than the receipt of their packet
    backwards INTEGER NOT NULL, -- of them, earlier than the source's own latest
    least_ns INTEGER NOT NULL, -- least receive time less venue time
    greatest_ns INTEGER NOT NULL, -- greatest
    worst_back_ns INTEGER NOT NULL, -- farthest that a stamp lay behind the source's own latest
    PRIMARY KEY (start_ns, run, source)
) STRICT, WITHOUT ROWID;

-- Whole days of what is kept by interval: `start_ns` is midnight UTC. They are written with the intervals, in one
-- transaction, and outlive them.
CREATE TABLE watch_day (start_ns INTEGER NOT NULL, run INTEGER NOT NULL, watched_ns INTEGER NOT NULL,
    PRIMARY KEY (start_ns, run)) STRICT, WITHOUT ROWID;
CREATE TABLE line_day (start_ns INTEGER NOT NULL, run INTEGER NOT NULL, line INTEGER NOT NULL,
    packets INTEGER NOT NULL, messages INTEGER NOT NULL, won INTEGER NOT NULL, messages_won INTEGER NOT NULL,
    duplicates INTEGER NOT NULL, late INTEGER NOT NULL, messages_late INTEGER NOT NULL, signs INTEGER NOT NULL,
    refused INTEGER NOT NULL, out_of_order INTEGER NOT NULL, losses INTEGER NOT NULL, messages_lost INTEGER NOT NULL,
    messages_only INTEGER NOT NULL, PRIMARY KEY (start_ns, run, line)) STRICT, WITHOUT ROWID;
CREATE TABLE channel_day (start_ns INTEGER NOT NULL, run INTEGER NOT NULL, channel INTEGER NOT NULL,
    packets INTEGER NOT NULL, bytes INTEGER NOT NULL, messages INTEGER NOT NULL, unknown INTEGER NOT NULL,
    errors INTEGER NOT NULL, gaps INTEGER NOT NULL, missing INTEGER NOT NULL, missing_ours INTEGER NOT NULL,
    filled_late INTEGER NOT NULL, recovered INTEGER NOT NULL, busy_seconds INTEGER NOT NULL,
    PRIMARY KEY (start_ns, run, channel)) STRICT, WITHOUT ROWID;
CREATE TABLE pair_day (start_ns INTEGER NOT NULL, run INTEGER NOT NULL, first INTEGER NOT NULL, second INTEGER NOT NULL,
    comparable_ns INTEGER NOT NULL, agree_ns INTEGER NOT NULL, matched INTEGER NOT NULL, first_led INTEGER NOT NULL,
    second_led INTEGER NOT NULL, together INTEGER NOT NULL, first_only INTEGER NOT NULL, second_only INTEGER NOT NULL,
    PRIMARY KEY (start_ns, run, first, second)) STRICT, WITHOUT ROWID;
CREATE TABLE held_day (start_ns INTEGER NOT NULL, run INTEGER NOT NULL, first INTEGER NOT NULL, second INTEGER NOT NULL,
    reason TEXT NOT NULL, held_ns INTEGER NOT NULL, differences INTEGER NOT NULL,
    PRIMARY KEY (start_ns, run, first, second, reason)) STRICT, WITHOUT ROWID;
CREATE TABLE segment_day (start_ns INTEGER NOT NULL, run INTEGER NOT NULL, first INTEGER NOT NULL,
    second INTEGER NOT NULL, kind TEXT NOT NULL, segments INTEGER NOT NULL,
    PRIMARY KEY (start_ns, run, first, second, kind)) STRICT, WITHOUT ROWID;
CREATE TABLE alert_time_day (start_ns INTEGER NOT NULL, run INTEGER NOT NULL, kind TEXT NOT NULL, about TEXT NOT NULL,
    cause TEXT NOT NULL, first INTEGER NOT NULL, second INTEGER NOT NULL, time_ns INTEGER NOT NULL,
    PRIMARY KEY (start_ns, run, kind, about, cause, first, second)) STRICT, WITHOUT ROWID;
CREATE TABLE crossing_day (start_ns INTEGER NOT NULL, run INTEGER NOT NULL, kind TEXT NOT NULL, scope TEXT NOT NULL,
    first INTEGER NOT NULL, second INTEGER NOT NULL, time_ns INTEGER NOT NULL, times INTEGER NOT NULL,
    PRIMARY KEY (start_ns, run, kind, scope, first, second)) STRICT, WITHOUT ROWID;
CREATE TABLE suppressed_day (start_ns INTEGER NOT NULL, run INTEGER NOT NULL, kind TEXT NOT NULL, reason TEXT NOT NULL,
    count INTEGER NOT NULL, PRIMARY KEY (start_ns, run, kind, reason)) STRICT, WITHOUT ROWID;
CREATE TABLE latency_day (start_ns INTEGER NOT NULL, run INTEGER NOT NULL, series INTEGER NOT NULL,
    count INTEGER NOT NULL, negative INTEGER NOT NULL, saturated INTEGER NOT NULL, min_ns INTEGER NOT NULL,
    p10_ns INTEGER NOT NULL, p50_ns INTEGER NOT NULL, p90_ns INTEGER NOT NULL, p95_ns INTEGER NOT NULL,
    p99_ns INTEGER NOT NULL, p999_ns INTEGER NOT NULL, p9999_ns INTEGER NOT NULL, max_ns INTEGER NOT NULL,
    positive BLOB NOT NULL, negatives BLOB, PRIMARY KEY (start_ns, run, series)) STRICT, WITHOUT ROWID;
CREATE TABLE burst_day (start_ns INTEGER NOT NULL, run INTEGER NOT NULL, source INTEGER NOT NULL, line INTEGER NOT NULL,
    window_ns INTEGER NOT NULL, packets INTEGER NOT NULL, messages INTEGER NOT NULL, bytes INTEGER NOT NULL,
    PRIMARY KEY (start_ns, run, source, line, window_ns)) STRICT, WITHOUT ROWID;
CREATE TABLE contradiction_day (start_ns INTEGER NOT NULL, run INTEGER NOT NULL, channel INTEGER NOT NULL,
    kind TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (start_ns, run, channel, kind)) STRICT, WITHOUT ROWID;
CREATE TABLE clock_day (start_ns INTEGER NOT NULL, run INTEGER NOT NULL, source INTEGER NOT NULL,
    stamps INTEGER NOT NULL, negative INTEGER NOT NULL, backwards INTEGER NOT NULL, least_ns INTEGER NOT NULL,
    greatest_ns INTEGER NOT NULL, worst_back_ns INTEGER NOT NULL,
    PRIMARY KEY (start_ns, run, source)) STRICT, WITHOUT ROWID;

-- Instruments that two sources disagreed on, by day.
CREATE TABLE instrument_pair_day (
    start_ns INTEGER NOT NULL, -- midnight UTC
    run INTEGER NOT NULL REFERENCES run (run), -- in which run
    first INTEGER NOT NULL REFERENCES source (source), -- the source that comes first in the configuration
    second INTEGER NOT NULL REFERENCES source (source), -- the other
    instrument TEXT NOT NULL, -- our name
    venue TEXT NOT NULL, -- MIC; empty for the best over all venues
    differ_ns INTEGER NOT NULL, -- comparable time in which they differed, both sides added up
    segments INTEGER NOT NULL, -- disagreements that ended
    told INTEGER NOT NULL, -- of them, told as lagging or divergent
    PRIMARY KEY (start_ns, run, first, second, instrument, venue)
) STRICT, WITHOUT ROWID;

-- Instruments that alerts were about, by day.
CREATE TABLE instrument_alert_day (
    start_ns INTEGER NOT NULL, -- midnight UTC
    run INTEGER NOT NULL REFERENCES run (run), -- in which run
    instrument TEXT NOT NULL, -- our name
    kind TEXT NOT NULL, -- divergent, lagging, stale, crossed, locked, status, missing
    first INTEGER NOT NULL REFERENCES source (source), -- the source named first
    second INTEGER NOT NULL, -- the other; 0 where there is one only
    raised INTEGER NOT NULL, -- alerts raised
    time_ns INTEGER NOT NULL, -- how long they lasted
    PRIMARY KEY (start_ns, run, instrument, kind, first, second)
) STRICT, WITHOUT ROWID;

-- Every alert, as it stands now.
CREATE TABLE alert (
    run INTEGER NOT NULL REFERENCES run (run), -- in which run
    id TEXT NOT NULL, -- a function of what it is about and when it began: another run over the same data gives the same
    kind TEXT NOT NULL, -- what it is told as; an escalation changes it
    kind_raised TEXT NOT NULL, -- what it was raised as
    severity TEXT NOT NULL, -- info, minor, major or critical
    instrument TEXT, -- our name; null where it is about none
    venue TEXT, -- MIC
    side TEXT, -- bid or ask
    first INTEGER NOT NULL REFERENCES source (source), -- the source named first, at fault where that is known
    second INTEGER NOT NULL, -- the other; 0 where there is one only
    sources TEXT NOT NULL, -- JSON array of all names
    channel TEXT, -- name of the channel
    line TEXT, -- name of the line
    scope TEXT, -- source, sources or venues
    began_ns INTEGER NOT NULL, -- first moment of what it is about
    raised_ns INTEGER NOT NULL, -- when it was told
    cleared_ns INTEGER, -- when its end was told; null while open
    ended_ns INTEGER, -- when it ended
    duration_ns INTEGER, -- ended_ns less began_ns
    reason TEXT, -- why it was cleared: agreed, not_comparable:..., end_of_data, ...
    cause TEXT NOT NULL, -- ours, network, source, market, reference_data or undecided
    why TEXT NOT NULL, -- one sentence that a person can forward
    price_diff INTEGER, -- difference when raised, units of 1e-9
    ticks TEXT, -- the same in price steps, exact decimal
    bps TEXT, -- the same in basis points, rounded to a tenth
    peak_price_diff INTEGER, -- greatest difference known, units of 1e-9
    lag_ns INTEGER, -- how late when raised
    peak_lag_ns INTEGER, -- the latest that is known
    sequence_first INTEGER, -- first number lost
    sequence_last INTEGER, -- last number lost
    sequence_count INTEGER, -- numbers lost
    instruments INTEGER, -- how many instruments are under it
    PRIMARY KEY (run, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX alert_by_time ON alert (began_ns);
CREATE INDEX alert_by_instrument ON alert (instrument, began_ns) WHERE instrument IS NOT NULL;
CREATE INDEX alert_by_id ON alert (id);

-- The quotes that an alert shows, at every transition.
CREATE TABLE alert_quote (
    run INTEGER NOT NULL REFERENCES run (run), -- in which run
    id TEXT NOT NULL, -- which alert
    position INTEGER NOT NULL, -- which transition of the run
    label TEXT NOT NULL, -- source, or source:MIC between venues of one
    bid INTEGER, -- units of 1e-9
    bid_qty INTEGER, -- in the feed's units
    ask INTEGER, -- units of 1e-9
    ask_qty INTEGER, -- in the feed's units
    round_lot_bid INTEGER, -- best bid at which a round lot is shown, where it is another
    round_lot_ask INTEGER, -- best ask at which a round lot is shown, where it is another
    ts_event_ns INTEGER, -- the venue's time
    ts_recv_ns INTEGER, -- when its packet was received
    sequence INTEGER, -- of its message or packet
    quality TEXT, -- ok, suspect, halted, auction, closed
    capture TEXT, -- file that holds its packet
    frame INTEGER, -- packet of the file, from 1
    PRIMARY KEY (run, id, position, label)
) STRICT, WITHOUT ROWID;

-- Every transition of every alert, in the order in which they happened.
CREATE TABLE transition (
    run INTEGER NOT NULL REFERENCES run (run), -- in which run
    position INTEGER NOT NULL, -- from 1
    ts_ns INTEGER NOT NULL, -- when
    id TEXT NOT NULL, -- which alert
    event TEXT NOT NULL CHECK (event IN ('raised', 'escalated', 'cleared')), -- what
    line TEXT NOT NULL, -- the record, as `--alerts` writes it
    PRIMARY KEY (run, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX transition_by_alert ON transition (run, id);

-- What operators did.
CREATE TABLE operator_action (
    run INTEGER NOT NULL REFERENCES run (run), -- in which life of the daemon
    position INTEGER NOT NULL, -- from 1
    ts_ns INTEGER NOT NULL, -- when
    action TEXT NOT NULL, -- acknowledge, shelve, unshelve
    who TEXT NOT NULL, -- user of the machine
    about TEXT NOT NULL, -- the alert's id, or the shelf's
    text TEXT NOT NULL, -- note or reason
    line TEXT NOT NULL, -- the record, as the operators' journal has it
    PRIMARY KEY (run, position)
) STRICT, WITHOUT ROWID;

-- How the machine's own clock is kept, as its kernel says (adjtimex); live only.
CREATE TABLE host_clock (
    run INTEGER NOT NULL REFERENCES run (run), -- in which run
    ts_ns INTEGER NOT NULL, -- when it was asked
    synchronised INTEGER NOT NULL, -- 1: somebody keeps it in step
    offset_ns INTEGER NOT NULL, -- the kernel's estimate of how far it is off
    error_ns INTEGER NOT NULL, -- estimated error
    error_max_ns INTEGER NOT NULL, -- the most that it can be off
    status INTEGER NOT NULL, -- the kernel's status bits (STA_...)
    PRIMARY KEY (run, ts_ns)
) STRICT, WITHOUT ROWID;

-- The runs that count: the lives of daemons, and of several replays of the same data the latest complete one.
CREATE VIEW current_run AS
SELECT * FROM run WHERE superseded_by IS NULL AND (kind = 'live' OR state = 'complete');

-- Figures by source and interval, of the runs that count, for people.
CREATE VIEW source_stats AS
SELECT i.run, i.start_ns, strftime('%Y-%m-%dT%H:%M:%SZ', i.start_ns / 1000000000, 'unixepoch') AS start, s.name AS source,
    sum(i.packets) AS packets, sum(i.bytes) AS bytes, sum(i.messages) AS messages, sum(i.unknown) AS unknown,
    sum(i.errors) AS errors, sum(i.gaps) AS gaps, sum(i.missing) AS missing, sum(i.missing_ours) AS missing_ours,
    sum(i.filled_late) AS filled_late, sum(i.missing - i.filled_late) AS unrecovered, sum(i.recovered) AS recovered
FROM channel_interval i JOIN channel c USING (channel) JOIN source s USING (source) JOIN current_run r USING (run)
GROUP BY i.start_ns, i.run, s.source;

-- Figures by line and interval, of the runs that count, for people.
CREATE VIEW line_stats AS
SELECT i.run, i.start_ns, strftime('%Y-%m-%dT%H:%M:%SZ', i.start_ns / 1000000000, 'unixepoch') AS start, s.name AS source,
    c.name AS channel, l.name AS line, i.packets, i.messages, i.won, i.messages_won, i.duplicates, i.late,
    i.messages_late, i.signs, i.refused, i.out_of_order, i.losses, i.messages_lost, i.messages_only
FROM line_interval i JOIN line l USING (line) JOIN channel c USING (channel) JOIN source s USING (source)
    JOIN current_run r USING (run);

-- Figures by pair of sources and interval, of the runs that count, for people.
CREATE VIEW pair_stats AS
SELECT i.run, i.start_ns, strftime('%Y-%m-%dT%H:%M:%SZ', i.start_ns / 1000000000, 'unixepoch') AS start,
    a.name AS first, b.name AS second, i.comparable_ns, i.agree_ns,
    CASE WHEN i.comparable_ns > 0 THEN round(100.0 * i.agree_ns / i.comparable_ns, 4) END AS agree_percent,
    i.matched, i.first_led, i.second_led, i.together, i.first_only, i.second_only
FROM pair_interval i JOIN source a ON a.source = i.first JOIN source b ON b.source = i.second
    JOIN current_run r USING (run);

-- Latencies by series and interval, of the runs that count, for people.
CREATE VIEW latency_stats AS
SELECT i.run, i.start_ns, strftime('%Y-%m-%dT%H:%M:%SZ', i.start_ns / 1000000000, 'unixepoch') AS start, s.kind, s.name,
    s.from_point, s.to_point, i.count, i.negative, i.min_ns, i.p10_ns, i.p50_ns, i.p90_ns, i.p95_ns, i.p99_ns,
    i.p999_ns, i.p9999_ns, i.max_ns
FROM latency_interval i JOIN series s USING (series) JOIN current_run r USING (run);

-- Alerts of the runs that count, for people.
CREATE VIEW alerts AS
SELECT a.run, a.id, a.kind, a.severity, a.instrument, a.venue, a.side, a.sources, a.channel, a.line, a.scope,
    strftime('%Y-%m-%dT%H:%M:%S', a.began_ns / 1000000000, 'unixepoch') || printf('.%09dZ', a.began_ns % 1000000000) AS began,
    a.began_ns, a.raised_ns, a.cleared_ns, a.ended_ns, a.duration_ns, a.reason, a.cause, a.why
FROM alert a JOIN current_run r USING (run);

INSERT INTO source (source, name) VALUES (0, '');
