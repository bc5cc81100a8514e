#!/usr/bin/env python3
"""Makes a store with a year of one-minute figures, to measure how long its questions take.

    synthetic_year.py TEMPLATE.db YEAR.db [--sources 20] [--days 252] [--minutes 390] [--alerts 200]
    synthetic_year.py TEMPLATE.db YEAR.db --days 365 --minutes 1440      # round the clock: 10.5 million minutes of sources

TEMPLATE.db is any store that `parallax replay --store` wrote: its schema and its histograms are taken. The figures are
invented and the same at every run; days and minutes are those of a trading year, and can be asked for whole: more minutes
than are left of a day at 14:30 begin at midnight.
"""

import argparse
import pathlib
import random
import sqlite3

DAY, MINUTE = 86_400_000_000_000, 60_000_000_000
FIRST = 1_735_776_000_000_000_000  # 2025-01-02, midnight UTC


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("template")
    parser.add_argument("year", type=pathlib.Path)
    for name, default in (("sources", 20), ("days", 252), ("minutes", 390), ("alerts", 200)):
        parser.add_argument(f"--{name}", type=int, default=default)
    return parser.parse_args()


def add(db, table, rows):
    """Inserts rows (tuples) by position."""
    marks = ",".join("?" * len(rows[0]))
    db.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)


def day_of_figures(of, day, dice, blobs, db):
    """One day of every table, by interval and by day."""
    midnight = FIRST + day * DAY
    opening = midnight + (870 * MINUTE if of.minutes <= 570 else 0)
    intervals = [opening + minute * MINUTE for minute in range(of.minutes)]
    lines, channels, pairs, latencies, bursts, times, clocks = [], [], [], [], [], [], []
    held, segments, suppressed = [], [], []
    sums = {}

    def both(rows, key, start, figures):
        rows.append((start, 1, *key, *figures))
        total = sums.setdefault((id(rows), key), [0] * len(figures))
        for at, figure in enumerate(figures):
            total[at] += figure

    for start in intervals:
        for source in range(1, of.sources + 1):
            packets = 4_000 + dice.randrange(2_000)
            for line in (2 * source - 1, 2 * source):
                won = packets // 2
                both(lines, (line,), start, (packets, packets * 2, won, won * 2, packets - won, 0, 0, 4, 0, 0, 0, 0, 0))
            gap = dice.random() < 0.001
            missing = 3 if gap else 0
            both(channels, (source,), start, (packets * 2, packets * 300, packets * 2, 0, 0, int(gap), missing, 0, 0, 0, 60))
            both(clocks, (source,), start, (packets, 0, 0, 0, 0, 0))
            latencies.append((start, 1, source, 100, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, *blobs[source % len(blobs)]))
            for window in (1_000_000, 10_000_000, 100_000_000, 1_000_000_000):
                peak = packets * window // MINUTE + dice.randrange(200)
                bursts.append((start, 1, source, 0, window, peak, peak * 2, peak * 300))
        for first in range(1, of.sources, 2):
            pair = (first, first + 1)
            both(pairs, pair, start, (MINUTE * 200, MINUTE * 200 - dice.randrange(10**9), 900, 500, 390, 10, 7, 9))
            for reason in ("one_sided", "no_quote"):
                both(held, (*pair, reason), start, (dice.randrange(10**9), 1))
            both(segments, (*pair, "flight"), start, (dice.randrange(100),))
        both(suppressed, ("lagging", "flight"), start, (dice.randrange(100),))
    kept = {"line": lines, "channel": channels, "pair": pairs, "clock": clocks}
    kept |= {"held": held, "segment": segments, "suppressed": suppressed}
    for name, rows in kept.items():
        add(db, f"{name}_interval", rows)
        add(db, f"{name}_day", [(midnight, 1, *key, *total) for (which, key), total in sums.items() if which == id(rows)])
    add(db, "latency_interval", latencies)
    add(db, "latency_day", [(midnight, *row[1:]) for row in latencies[: of.sources]])
    add(db, "burst_interval", bursts)
    add(db, "burst_day", [(midnight, *row[1:]) for row in bursts[: of.sources * 4]])
    add(db, "host_clock", [(1, start, 1, dice.randrange(-50_000, 50_000), 20_000, 90_000, 8_192) for start in intervals])
    add(db, "watch_interval", [(start, 1, MINUTE) for start in intervals])
    add(db, "watch_day", [(midnight, 1, MINUTE * len(intervals))])
    add(db, "instrument_pair_day", [(midnight, 1, 1, 2, f"SYM{n:05}", "XNAS", dice.randrange(10**10), 5, 1) for n in range(2_000)])
    alerts = []
    for nth in range(of.alerts):
        began = dice.choice(intervals) + dice.randrange(MINUTE)
        lasted = dice.randrange(1, 10**10)
        kind = dice.choice(("divergent", "lagging", "stale", "gap"))
        source = dice.randrange(1, of.sources + 1)
        alerts.append((1, f"{day:06x}{nth:010x}", kind, kind, dice.choice(("minor", "major")), f"SYM{nth % 2000:05}", "XNAS", "bid",
            source, 0, "[]", None, None, None, began, began + 25_000_000, began + lasted, began + lasted, lasted, "agreed",
            "source", "invented", *[None] * 10))
        times.append((began // MINUTE * MINUTE, 1, kind, "instrument", "source", source, 0, lasted))
    joined = {}
    for *key, lasted in times:
        joined[tuple(key)] = joined.get(tuple(key), 0) + lasted
    add(db, "alert_time_interval", [(*key, lasted) for key, lasted in joined.items()])
    daily = {}
    for (start, *key), lasted in joined.items():
        daily[(midnight, *key)] = daily.get((midnight, *key), 0) + lasted
    add(db, "alert_time_day", [(*key, lasted) for key, lasted in daily.items()])
    add(db, "alert", alerts)
    return intervals[0], intervals[-1] + MINUTE


def main():
    of = arguments()
    of.year.unlink(missing_ok=True)
    template = sqlite3.connect(f"file:{of.template}?mode=ro", uri=True)
    blobs = template.execute("SELECT positive, negatives FROM latency_interval").fetchall()
    schema = template.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type = 'view', rowid").fetchall()
    db = sqlite3.connect(of.year, isolation_level=None)
    for pragma in ("application_id", "user_version"):
        db.execute(f"PRAGMA {pragma} = {template.execute(f'PRAGMA {pragma}').fetchone()[0]}")
    db.execute("PRAGMA synchronous = OFF")
    db.execute("PRAGMA journal_mode = MEMORY")
    for (sql,) in schema:
        db.execute(sql)
    db.execute("BEGIN")
    names = range(1, of.sources + 1)
    add(db, "source", [(0, "")] + [(n, f"source{n:02}") for n in names])
    add(db, "channel", [(n, n, "c1") for n in names])
    add(db, "line", [(2 * n - side, n, "BA"[side]) for n in names for side in (1, 0)])
    add(db, "series", [(n, "venue", f"source{n:02}", "ts_event", "ts_recv") for n in names])
    columns = [row[1] for row in db.execute("PRAGMA table_info(run)")]
    run = {"run": 1, "kind": "live", "state": "complete", "version": "0", "interval_ns": MINUTE, "began_ns": FIRST}
    db.execute("INSERT INTO run VALUES (" + ",".join("?" * len(columns)) + ")",
        [run.get(name, None if name in ("superseded_by", "finished_ns", "from_ns", "until_ns", "parquet") else "") for name in columns])
    add(db, "run_source", [(1, n, n - 1, "nasdaq-itch-5.0", "XNAS") for n in names])
    dice = random.Random(5)
    ends = [day_of_figures(of, day, dice, blobs, db) for day in range(of.days)]
    db.execute("UPDATE run SET from_ns = ?, until_ns = ?", (ends[0][0], ends[-1][1]))
    db.execute("COMMIT")
    # As a run leaves it: readers do not wait for a writer.
    db.execute("PRAGMA journal_mode = WAL")
    print(f"{of.year}: {of.days} days of {of.minutes} minutes, {of.sources} sources, {of.year.stat().st_size >> 20} MiB")


if __name__ == "__main__":
    main()
