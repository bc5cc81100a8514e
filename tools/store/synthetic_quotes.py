#!/usr/bin/env python3
"""Makes a year of quotes in Parquet beside a year of figures (`synthetic_year.py`), to measure how long questions over
quotes take.

    synthetic_quotes.py DIR [--sources 20] [--days 365] [--instrument SYM00017=700] [--instrument SYM00001=20000]

Files are laid out as `parallax replay --parquet` lays them out: one of each instrument, source and day, with so many
quotes. The quotes are invented and the same at every run: prices walk by a cent, three venues and the best over all take
turns, and sources see the same some milliseconds apart. Needs numpy and pyarrow.
"""

import argparse
import pathlib
from datetime import datetime, timezone

import numpy
import pyarrow
import pyarrow.parquet

DAY = 86_400_000_000_000
FIRST = 1_735_776_000_000_000_000  # 2025-01-02, midnight UTC
VENUES = numpy.array(["XNAS", "ARCX", "EDGX", None], dtype=object)
TEXT, PRICE, NUMBER = pyarrow.string(), pyarrow.decimal128(19, 9), pyarrow.int64()
SCHEMA = pyarrow.schema(
    [
        pyarrow.field("ts_ns", NUMBER, nullable=False),
        pyarrow.field("ts", pyarrow.timestamp("us", "UTC"), nullable=False),
        pyarrow.field("instrument_name", TEXT, nullable=False),
        ("venue", TEXT), ("bid", PRICE), ("bid_qty", NUMBER), ("ask", PRICE), ("ask_qty", NUMBER),
        ("round_lot_bid", PRICE), ("round_lot_ask", PRICE), ("ts_event_ns", NUMBER), ("seq", NUMBER),
        pyarrow.field("quality", TEXT, nullable=False),
    ]
)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--sources", type=int, default=20)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--instrument", action="append", metavar="NAME=QUOTES_A_DAY")
    return parser.parse_args()


def prices(units):
    """Decimals of units of 1e-9, without a Python object each: 16 bytes, the least significant first."""
    low = units.astype("<i8")
    both = numpy.column_stack([low, low >> 63]).astype("<i8").tobytes()
    return pyarrow.Array.from_buffers(PRICE, len(low), [None, pyarrow.py_buffer(both)])


def day_of(name, source, quotes, dice):
    """A day's columns but for its midnight."""
    at = numpy.sort(dice.integers(14 * 3_600_000_000_000 + 1_800_000_000_000, 21 * 3_600_000_000_000, quotes))
    middle = 50_000_000_000 + 10_000_000 * numpy.cumsum(dice.integers(-1, 2, quotes))
    late = 100_000 * source
    bid, ask = prices(middle), prices(middle + 10_000_000)
    lots = [pyarrow.array(dice.integers(1, 20, quotes) * 100) for _ in range(2)]
    venue = pyarrow.array(VENUES[numpy.arange(quotes) % 4], TEXT)
    names, well = (pyarrow.array(numpy.full(quotes, word, dtype=object), TEXT) for word in (name, "ok"))
    seq = pyarrow.array(numpy.arange(1, quotes + 1))

    def columns(midnight):
        seen = midnight + at + late
        return [
            seen, pyarrow.array(seen // 1_000).cast(SCHEMA.field("ts").type), names, venue, bid, lots[0], ask, lots[1], bid,
            ask, midnight + at, seq, well,
        ]

    return columns


of = arguments()
for wanted in of.instrument or ["SYM00017=700", "SYM00001=20000"]:
    name, quotes = wanted.split("=")
    for source in range(1, of.sources + 1):
        columns = day_of(name, source, int(quotes), numpy.random.default_rng(int(quotes)))
        for day in range(of.days):
            midnight = FIRST + day * DAY
            date = datetime.fromtimestamp(midnight // 10**9, timezone.utc).date()
            folder = of.folder / f"quotes/date={date}/source=source{source:02}/instrument={name}"
            folder.mkdir(parents=True)
            table = pyarrow.Table.from_arrays([pyarrow.array(c) for c in columns(midnight)], schema=SCHEMA)
            pyarrow.parquet.write_table(table, folder / "part-00000001.parquet", compression="zstd")
    print(f"{name}: {of.days} days of {quotes} quotes of {of.sources} sources")
