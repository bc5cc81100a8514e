"""Reads quotes whose instruments have names that look like something else: those of each name alone, and all together.
Every engine is set up as it comes, and finds the name as text in the column `instrument_name`."""

import glob
import json
import sys
from collections import Counter

folder, wanted, engines = sys.argv[1:4]
with open(wanted) as lines:
    columns, *said = map(json.loads, lines)
at = {name: number for number, name in enumerate(columns)}
# Rows by name, and how many of each moment.
counted = Counter((row[at["instrument_name"]], int(row[at["ts_ns"]])) for row in said)


def by_duckdb(path):
    import duckdb

    asked = f"SELECT instrument_name, ts_ns, instrument FROM read_parquet('{path}/**/*.parquet', hive_partitioning = true)"
    return duckdb.sql(asked).fetchall()


def by_polars(path):
    import polars

    return polars.read_parquet(f"{path}/**/*.parquet", hive_partitioning=True).select("instrument_name", "ts_ns", "instrument").rows()


def by_pandas(path):
    import pandas

    frame = pandas.read_parquet(path)
    return list(zip(frame["instrument_name"], frame["ts_ns"], frame["instrument"] if "instrument" in frame else frame["instrument_name"]))


def by_spark(path):
    from pyspark.sql import SparkSession

    spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    frame = spark.read.option("basePath", f"{folder}/quotes").parquet(path)
    return [tuple(row) for row in frame.select("instrument_name", "ts_ns", "instrument").collect()]


for engine in engines.split():
    read = {"duckdb": by_duckdb, "polars": by_polars, "pandas": by_pandas, "spark": by_spark}[engine]
    try:
        rows = read(f"{folder}/quotes")
    except ImportError:
        print(f"SKIPPED: {engine} is not there")
        continue
    found = Counter((name, int(ns)) for name, ns, _ in rows)
    assert found == counted, (engine, (found - counted).most_common(3), (counted - found).most_common(3))
    names = {name for name, _ in counted}
    shown = {}
    for path in sorted(glob.glob(f"{folder}/quotes/date=*/source=sip/instrument=*")):
        rows = read(path)
        here = {name for name, _, _ in rows}
        assert len(here) == 1 and all(isinstance(name, str) for name in here), (engine, path, here)
        shown[here.pop()] = repr(rows[0][2])
    assert set(shown) == names, (engine, shown, names)
    together = {name: repr(i) for name, _, i in read(f"{folder}/quotes")}
    print({name: (shown[name], together[name]) for name in names if shown[name] != repr(name) or together[name] != repr(name)})
    print(f"{engine}: {len(names)} names, alone and together")
