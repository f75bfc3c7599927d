#!/usr/bin/env python3
"""Copy what is new in a topic into a DuckDB file, each row once: duckdb_load.py FILE

Rows and the offsets that they were read up to change in one transaction, so it can
be ended at any time and be run again. BROKERS and TOPIC are variables of the
environment. Needs confluent-kafka and duckdb, which pip installs.
"""

import os
import sys

import duckdb
from consume import identity, records

TABLES = """
CREATE TABLE IF NOT EXISTS dfinery_rows (
  service VARCHAR, stream VARCHAR, day DATE, id VARCHAR, value JSON,
  PRIMARY KEY (service, stream, day, id)
);
CREATE TABLE IF NOT EXISTS dfinery_offsets (
  topic VARCHAR, "partition" INTEGER, next_offset BIGINT,
  PRIMARY KEY (topic, "partition")
);
"""


AT_ONCE = 50_000  # records between two commits


def save(db, topic, rows, offsets):
    """Write rows and offsets together, or nothing."""
    db.begin()
    if rows:
        columns = [list(column) for column in zip(*((*row, value) for row, value in rows.items()))]
        db.execute("INSERT OR IGNORE INTO dfinery_rows SELECT unnest(?), unnest(?), unnest(?)::DATE, unnest(?), unnest(?)::JSON", columns)
    if offsets:
        db.executemany("INSERT OR REPLACE INTO dfinery_offsets VALUES (?, ?, ?)", [[topic, p, o] for p, o in offsets.items()])
    db.commit()


def main(path):
    """Copy the rows."""
    topic = os.environ["TOPIC"]
    with duckdb.connect(path) as db:
        db.execute(TABLES)
        start = dict(db.execute('SELECT "partition", next_offset FROM dfinery_offsets WHERE topic = ?', [topic]).fetchall())
        rows, offsets = {}, {}
        for n, message in enumerate(records(os.environ["BROKERS"], topic, start), 1):
            offsets[message.partition()] = message.offset() + 1
            row = identity(message.headers())
            if row is not None:
                rows[row] = message.value().decode()
            if n % AT_ONCE == 0:
                save(db, topic, rows, offsets)
                rows, offsets = {}, {}
        save(db, topic, rows, offsets)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: duckdb_load.py FILE")
    main(sys.argv[1])
