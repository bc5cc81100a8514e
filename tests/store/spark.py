"""Reads quotes and messages with Spark as it is set up by default, and compares every cell with what is said."""

import json
import sys
from decimal import Decimal

from pyspark.sql import SparkSession, functions, types

spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
spark.sparkContext.setLogLevel("ERROR")
PRICES = {
    "quotes": ("bid", "ask", "round_lot_bid", "round_lot_ask"),
    "messages": ("price", "bid", "ask", "lower", "upper"),
}


def text(cell):
    """A cell as the expectation has it: numbers plain, prices with their nine places."""
    if cell is None:
        return "null"
    return format(cell, "f") if isinstance(cell, Decimal) else str(cell)


for folder, wanted in zip(sys.argv[1::2], sys.argv[2::2]):
    for what, prices in PRICES.items():
        frame = spark.read.parquet(f"{folder}/{what}")
        kinds = {field.name: field.dataType for field in frame.schema.fields}
        assert all(kinds[name] == types.DecimalType(19, 9) for name in prices), kinds
        assert kinds["ts_ns"] == kinds["ts_event_ns"] == types.LongType(), kinds
        assert kinds["ts"] == types.TimestampType() and kinds["date"] == types.DateType(), kinds
        assert kinds["instrument_name"] == kinds["source"] == types.StringType(), kinds
        assert types.BinaryType() not in kinds.values(), kinds
        with open(f"{wanted}/{what}.ndjson") as lines:
            names, *said = map(json.loads, lines)
        frame = frame.withColumn("ts", functions.unix_micros("ts")).select(names)
        rows = sorted([text(cell) for cell in row] for row in frame.collect())
        said.sort()
        assert len(rows) == len(said) > 0, (what, len(rows), len(said))
        for row, other in zip(rows, said):
            assert row == other, (what, list(zip(names, row, other)))
        # What people ask: a stretch of time, by the column that is a time.
        half = said[len(said) // 2][names.index("ts")]
        found = spark.read.parquet(f"{folder}/{what}").where(f"ts < timestamp_micros({half})").count()
        assert found == sum(int(row[names.index("ts")]) < int(half) for row in said), (what, half, found)
        print(f"spark {spark.version}: {len(rows)} rows of {what}, every cell the same")
