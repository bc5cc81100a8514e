"""Reads the messages of a replay with DuckDB, Polars and, where it is there, pandas; compares every cell between them, and
the fields with what `parallax decode` lists."""

import json
import sys
from decimal import Decimal

import duckdb
import polars

folder, lines = sys.argv[1:3]
files = f"{folder}/messages/**/*.parquet"
PRICES = ("price", "bid", "ask", "lower", "upper")

duck = duckdb.connect()
duck.execute("SET TimeZone = 'UTC'")
duck.execute(f"CREATE VIEW m AS SELECT * FROM read_parquet('{files}', hive_partitioning = true)")
kinds = dict(duck.execute("SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM m)").fetchall())
assert all(kinds[name] == "DECIMAL(19,9)" for name in PRICES), kinds
columns = sorted(kinds)
shown = ", ".join("epoch_us(ts) AS ts" if c == "ts" else c for c in columns)
by_duckdb = duck.execute(f"SELECT {shown} FROM m").fetchall()

frame = polars.read_parquet(files, hive_partitioning=True)
assert frame.schema["ts"] == polars.Datetime("us", "UTC"), frame.schema
assert frame.schema["ts_ns"] == frame.schema["ts_event_ns"] == polars.Int64, frame.schema
for column in PRICES:
    assert frame.schema[column] == polars.Decimal(19, 9), frame.schema
frame = frame.with_columns(polars.col("ts").dt.epoch("us")).select(columns)
by_polars = frame.rows()


def same(engine, rows, others):
    assert len(rows) == len(others) > 5_000, (engine, len(rows), len(others))
    for row, other in zip(sorted(rows, key=repr), sorted(others, key=repr)):
        assert row == other, (engine, row, other)


same("polars", by_polars, by_duckdb)
print(f"duckdb and polars: {len(by_polars)} rows, every cell the same")

said = {}
for line in open(lines):
    message = json.loads(line)
    said[message["capture"], message["frame"], message["msg"]] = message
at = {name: number for number, name in enumerate(columns)}
for row in by_duckdb:
    message = said[row[at["capture"]], row[at["frame"]], row[at["msg"]]]
    # The message's number; `decode` says the first of its packet.
    assert message["seq"] + message["msg"] == row[at["seq"]], row
    assert (message["ts"], message["type"]) == (row[at["ts_ns"]], row[at["type"]]), row
    assert row[at["ts"]] == message["ts"] // 1000 and (row[at["instrument_name"]] or "_none") == row[at["instrument"]], row
    fields = message["fields"]
    if row[at["part"]] > 0:
        assert row[at["fields"]] is None, row
        continue
    assert json.loads(row[at["fields"]]) == fields, row
    if row[at["type"]] == "add_order":
        assert row[at["price"]] == Decimal(fields["price"]) / 10_000 and row[at["instrument"]] == fields["stock"], row

try:
    import pandas
    import pyarrow.dataset
except ImportError:
    print("SKIPPED: pandas is not there")
    sys.exit()
# As it comes: every row, and what may not be missing exact.
table = pandas.read_parquet(f"{folder}/messages")
assert sorted(zip(table["ts_ns"], table["msg"], table["part"], table["type"], table["channel"])) == sorted(
    tuple(row[at[name]] for name in ("ts_ns", "msg", "part", "type", "channel")) for row in by_duckdb
), table.dtypes
# Folders' names as text: left to itself pandas makes categories of them, and numbers of names that are all digits.
hive = pyarrow.dataset.partitioning(pyarrow.schema([(c, pyarrow.string()) for c in ("date", "source", "instrument")]), flavor="hive")
table = pandas.read_parquet(f"{folder}/messages", partitioning=hive, dtype_backend="pyarrow")
table["ts"] = table["ts"].astype("int64[pyarrow]")
cells = [[None if pandas.isna(cell) else cell for cell in table[column]] for column in columns]


def plain(row):
    return tuple(str(x) if at["date"] == n else x for n, x in enumerate(row))


same("pandas", list(zip(*cells)), [plain(r) for r in by_duckdb])
print(f"pandas: {len(table)} rows, every cell the same")
