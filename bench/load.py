"""Loads studies into a node's database in bulk: the rows that the kernel writes one by one, indexes after the rows.

PostgreSQL gets by COPY what SQLite has. Events are not made: no search reads them.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Final

import psycopg
from pysqlite3 import dbapi2
from sqlalchemy import Table

from bench.studies import Studies
from kernel.archive import rows
from kernel.archive.records import Received
from kernel.archive.tables import (
    STATE_COMPLETE,
    distinct_name,
    instance,
    patient,
    series,
    study,
    study_day,
    study_modality,
)
from kernel.database import Database

TABLES: Final = (patient, study, study_modality, series, instance)
STUDIES_AT_ONCE: Final = 5_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_Rows = dict[str, list[tuple[Any, ...]]]


def load_sqlite(path: Path, studies: Studies) -> None:
    """Make the node's database at `path` and fill it."""
    database = Database.open(path)
    database.migrate()
    database.close()
    with closing(dbapi2.connect(str(path))) as connection:
        connection.isolation_level = None
        for setting in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -262144"):
            connection.execute(f"PRAGMA {setting}")
        connection.execute("BEGIN")
        with _without_indexes(connection):
            for made in _made(studies):
                for table in TABLES:
                    marks = ", ".join("?" * len(table.c))
                    connection.executemany(
                        f"INSERT INTO {table.name} ({_names(table)}) VALUES ({marks})", made[table.name]
                    )
        connection.execute("INSERT INTO distinct_name (name_fold) SELECT DISTINCT name_fold FROM study")
        connection.execute("INSERT INTO study_day SELECT study_date, count(*) FROM study GROUP BY study_date")
        connection.execute("COMMIT")
        connection.execute("PRAGMA journal_mode = WAL")


@contextmanager
def _without_indexes(connection: Any) -> Iterator[None]:
    names = ", ".join(f"'{table.name}'" for table in TABLES)
    found = connection.execute(
        f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ({names})"
    ).fetchall()
    for name, _ in found:
        connection.execute(f"DROP INDEX {name}")
    yield
    for _, sql in found:
        connection.execute(sql)


def copy_to_postgresql(path: Path, dsn: str) -> None:
    """Fill a migrated, empty PostgreSQL database with what the SQLite one has."""
    with closing(dbapi2.connect(f"file:{path}?mode=ro", uri=True)) as source, psycopg.connect(dsn) as target:
        target.execute("SET maintenance_work_mem = '512MB'")
        indexes = [
            (name, definition)
            for table in TABLES
            for name, definition in target.execute(
                "SELECT indexname, indexdef FROM pg_indexes i WHERE tablename = %s "
                "AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conname = i.indexname)",
                [table.name],
            )
        ]
        for name, _ in indexes:
            target.execute(f'DROP INDEX "{name}"'.encode())
        for table in (*TABLES, distinct_name, study_day):
            with target.cursor().copy(f"COPY {table.name} ({_names(table)}) FROM STDIN".encode()) as copy:
                for row in source.execute(f"SELECT {_names(table)} FROM {table.name}"):
                    copy.write_row(row)
        for _, definition in indexes:
            target.execute(definition.encode())
        for table in (patient, study, series, instance):
            target.execute(
                f"SELECT setval(pg_get_serial_sequence('{table.name}', 'pk'), (SELECT max(pk) FROM {table.name}))".encode()
            )
        target.commit()
        target.autocommit = True
        target.execute("VACUUM ANALYZE")  # as autovacuum would have, by and by


def _names(table: Table) -> str:
    return ", ".join(f'"{column.name}"' for column in table.c)


def _made(studies: Studies) -> Iterator[_Rows]:
    """Yield the rows of some studies at a time."""
    maker, each = _Maker(), studies.each()
    while group := list(islice(each, STUDIES_AT_ONCE)):
        maker.rows = {table.name: [] for table in TABLES}
        for priority, received in group:
            maker.add(priority, received)
        yield maker.rows


class _Maker:
    """Makes rows and numbers them, as the engine would."""

    def __init__(self) -> None:
        self.rows: _Rows = {}
        self._patients: dict[tuple[str, str], int] = {}  # by site and Patient ID
        self._studies = self._series = self._instances = 0

    def add(self, priority: int, received: Sequence[Received]) -> None:
        first = received[0]
        self._studies += 1
        values = rows.study_values(first) | rows.urgency(priority, first.received_at)
        values |= {"pk": self._studies, "patient_pk": self._patient(first), "trace_id": f"{self._studies:032x}"}
        values |= {
            "patient_disputed": False,
            "modalities": "\\".join(sorted({one.attributes.series.modality for one in received})),
            "body_part": "",
            "number_of_series": len(received),
            "number_of_instances": len(received),
            "size_bytes": sum(one.size_bytes for one in received),
            "state": STATE_COMPLETE,
            "evidence": "association-released",
            "expected_instances": None,
            "revision": len(received),
        }
        self._put(study, values)
        for modality in sorted({one.attributes.series.modality for one in received}):
            row = {"modality": modality, "study_date": values["study_date"], "study_pk": self._studies}
            self._put(study_modality, row)
        for one in received:
            self._add_series(one)

    def _add_series(self, received: Received) -> None:
        self._series += 1
        self._instances += 1
        counted = {"number_of_instances": 1, "number_of_frames": 1, "revision": 1}
        self._put(series, {**rows.series_values(received), **counted, "pk": self._series, "study_pk": self._studies})
        self._put(instance, {**rows.instance_values(received, self._series), "pk": self._instances})

    def _patient(self, received: Received) -> int:
        values = rows.patient_values(received)
        key = (values["site"], values["patient_id"])
        if key not in self._patients:
            self._patients[key] = len(self._patients) + 1
            self._put(patient, {**values, "pk": self._patients[key]})
        return self._patients[key]

    def _put(self, table: Table, values: dict[str, Any]) -> None:
        self.rows[table.name].append(tuple(_plain(values[column.name]) for column in table.c))


def _plain(value: Any) -> Any:
    return (value - _EPOCH) // _MICROSECOND if isinstance(value, datetime) else value
