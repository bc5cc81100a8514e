"""Reads every table and view of a store with DuckDB, and compares each with what SQLite itself reads."""

import sqlite3
import sys

import duckdb
from duckdb_extensions import import_extension

import_extension("sqlite_scanner")
duck = duckdb.connect()
duck.execute("LOAD sqlite")
duck.execute(f"ATTACH '{sys.argv[1]}' AS store (TYPE sqlite, READ_ONLY)")
with sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True) as connection:
    names = "SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite%' ORDER BY 1"
    names = connection.execute(names).fetchall()
    total = 0
    for name, kind in names:
        held = connection.execute(f"SELECT * FROM {name}").fetchall()
        found = duck.execute(f"SELECT * FROM store.{name}").fetchall()
        if kind == "view":
            # Where a view computes a column it has no declared type, and comes as text.
            text = lambda rows: [tuple(None if cell is None else str(cell) for cell in row) for row in rows]
            held, found = text(held), text(found)
        assert sorted(held, key=repr) == sorted(found, key=repr), (name, held[:3], found[:3])
        total += len(held)
assert len(names) > 40 and total > 100, (names, total)
# What people ask: alerts by kind and the seconds they lasted, joined over tables.
kinds = "SELECT kind, count(id), min(raised_ns) FROM {}alert GROUP BY kind ORDER BY kind"
with sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True) as connection:
    assert duck.execute(kinds.format("store.")).fetchall() == connection.execute(kinds.format("")).fetchall()
print(f"duckdb: {total} rows of {len(names)} tables and views are the store's")
