"""Reads the quotes of a replay with DuckDB, Polars and, where it is there, pandas, and the store with Polars; compares
every row with `--quotes`."""

import json
import sqlite3
import sys
from datetime import date, datetime, timezone
from decimal import Decimal

import duckdb
import polars

folder, quotes, store = sys.argv[1:4]
files = f"{folder}/quotes/**/*.parquet"


def ns(text):
    """Nanoseconds since 1970 of a time in RFC 3339 with nine decimals."""
    if text is None:
        return None
    seconds = datetime.fromisoformat(text[:19]).replace(tzinfo=timezone.utc).timestamp()
    return int(seconds) * 10**9 + int(text[20:29])


def price(text):
    return None if text is None else Decimal(text)


def wanted(line):
    q = json.loads(line)
    bid, ask = price(q["bid"]), price(q["ask"])
    return (
        date.fromisoformat(q["ts"][:10]), q["source"], q["instrument"], q["instrument"], ns(q["ts"]), ns(q["ts"]) // 1000, q["venue"],
        bid, None if bid is None else q["bid_qty"], ask, None if ask is None else q["ask_qty"],
        price(q["round_lot_bid"]), price(q["round_lot_ask"]), ns(q["ts_event"]), q["seq"], q["quality"],
    )


def same(engine, rows, said):
    key = repr
    assert len(rows) == len(said) > 500, (engine, len(rows), len(said))
    for row, other in zip(sorted(rows, key=key), sorted(said, key=key)):
        assert row == other, (engine, row, other)
    print(f"{engine}: {len(rows)} rows are what was said")


# A decimal of nine places prints them all: the same on both sides.
said = [wanted(line) for line in open(quotes)]
said = [tuple(x.quantize(Decimal("1e-9")) if isinstance(x, Decimal) else x for x in row) for row in said]

duck = duckdb.connect()
duck.execute("SET TimeZone = 'UTC'")
rows = duck.execute(
    f"""SELECT date, source, instrument, instrument_name, ts_ns, epoch_us(ts), venue, bid, bid_qty, ask, ask_qty, round_lot_bid, round_lot_ask,
    ts_event_ns, seq, quality FROM read_parquet('{files}', hive_partitioning = true)"""
).fetchall()
same("duckdb", rows, said)
kinds = dict(duck.execute(f"SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM read_parquet('{files}'))").fetchall())
assert kinds["bid"] == "DECIMAL(19,9)", kinds
assert (kinds["ts_ns"], kinds["ts"]) == ("BIGINT", "TIMESTAMP WITH TIME ZONE"), kinds

frame = polars.read_parquet(files, hive_partitioning=True)
assert (frame.schema["ts_ns"], frame.schema["ts"]) == (polars.Int64, polars.Datetime("us", "UTC")), frame.schema
assert frame.schema["bid"] == polars.Decimal(19, 9), frame.schema
frame = frame.with_columns(polars.col("ts").dt.epoch("us"))
columns = (
    "date source instrument instrument_name ts_ns ts venue bid bid_qty ask ask_qty round_lot_bid round_lot_ask "
    "ts_event_ns seq quality"
)
same("polars", frame.select(columns.split()).rows(), said)

try:
    import pandas
    import pyarrow.dataset
except ImportError:
    print("SKIPPED: pandas is not there")
else:
    hive = pyarrow.dataset.partitioning(pyarrow.schema([(c, pyarrow.string()) for c in ("date", "source", "instrument")]), flavor="hive")
    table = pandas.read_parquet(f"{folder}/quotes", partitioning=hive, dtype_backend="pyarrow")
    assert str(table["ts"].dtype) == "timestamp[us, tz=UTC][pyarrow]", table["ts"].dtype
    table["ts"] = table["ts"].astype("int64[pyarrow]")
    cells = [[None if pandas.isna(cell) else cell for cell in table[column]] for column in columns.split()]
    same("pandas", list(zip(*cells)), [(str(row[0]), *row[1:]) for row in said])

# The store is read by Polars too; DuckDB reads it in `sqlite.py`.
asked = "SELECT channel, start_ns, packets FROM channel_interval ORDER BY 1, 2"
with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as connection:
    held = connection.execute(asked).fetchall()
    assert len(held) > 0
    table = polars.read_database(asked, connection)
assert table.rows() == held, table
