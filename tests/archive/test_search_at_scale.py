"""The rows that the bench loads in bulk are those that the kernel writes, so that what it measures is what a node has."""

import io
import shutil
from pathlib import Path

import psycopg
import pydicom
import pytest
from sqlalchemy import select

from bench.load import TABLES, copy_to_postgresql, load_sqlite
from bench.studies import Studies
from bench.tiny import part10
from kernel.archive.search.search import StudyQuery, search_studies
from kernel.archive.tables import distinct_name, patient, study, study_day
from kernel.database import Database
from kernel.dicom.queries.matching import Wildcard
from kernel.dicom.scanning.attributes import read_attributes
from kernel.dicom.scanning.scanner import scan
from tests.archive.conftest import ON_DISK, open_archive

STUDIES = 300
OWN = {"trace_id", "priority", "worklist_rank", "state", "evidence"}  # the kernel gives them at other moments


@pytest.fixture(scope="module")
def loaded(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("loaded") / "vienanh.db"
    load_sqlite(path, Studies(STUDIES, b"metadata"))
    return path


def rows_of(database: Database, table) -> list[tuple]:
    columns = [column for column in table.c if column.name not in OWN]
    with database.read() as connection:
        return sorted(map(tuple, connection.execute(select(*columns))), key=repr)


def test_rows_loaded_in_bulk_are_those_that_the_committer_writes(loaded: Path, tmp_path: Path):
    one_by_one = Database.open(tmp_path / "vienanh.db")
    one_by_one.migrate()
    committer = open_archive(tmp_path / "blobs", one_by_one).committer
    for _, group in Studies(STUDIES, b"metadata").each():
        for received in group:
            committer.commit(received, ON_DISK)
    in_bulk = Database.open(loaded)

    for table in (*TABLES, distinct_name, study_day):
        assert rows_of(in_bulk, table) == rows_of(one_by_one, table), table.name
    assert found(in_bulk) == found(one_by_one) != []
    in_bulk.close()
    one_by_one.close()


@pytest.mark.peer("postgresql")
def test_postgresql_gets_what_sqlite_has_and_goes_on_from_there(loaded: Path, tmp_path: Path, postgresql: str):
    shutil.copyfile(loaded, tmp_path / "copied.db")
    database = Database.open(postgresql)
    database.migrate()
    indexes = index_names(postgresql)

    copy_to_postgresql(tmp_path / "copied.db", postgresql.replace("+psycopg", ""))

    source = Database.open(tmp_path / "copied.db")
    for table in (*TABLES, distinct_name, study_day):
        assert rows_of(database, table) == rows_of(source, table), table.name
    assert index_names(postgresql) == indexes
    made = database.write(
        lambda connection: (
            connection.execute(patient.insert().values(site="BVA", patient_id="new")).inserted_primary_key
        )
    )
    with database.read() as connection:
        assert made[0] == max(connection.execute(select(patient.c.pk)).scalars())
        assert len(connection.execute(select(study.c.pk)).all()) == STUDIES
    source.close()
    database.close()


def test_the_instances_that_a_peer_is_sent_say_what_the_rows_say():
    for _, group in Studies(20, b"").each():
        for received in group:
            content = part10(received)
            header = scan(content, "1.2.840.10008.1.2.1", offset=content.index(b"\x08\x00\x05\x00CS"))
            read = read_attributes(header, transfer_syntax_uid="1.2.840.10008.1.2.1")
            assert (read.patient, read.study, read.series) == (
                received.attributes.patient,
                received.attributes.study,
                received.attributes.series,
            )
            assert pydicom.dcmread(io.BytesIO(content)).SOPInstanceUID == received.attributes.sop_instance_uid


def found(database: Database) -> list[str]:
    with database.read() as connection:
        page = search_studies(connection, StudyQuery({"PatientName": Wildcard("*thi*h*")}, limit=1000))
    return [row.study_instance_uid for row in page.rows]


def index_names(url: str) -> list[tuple]:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        return sorted(connection.execute("SELECT tablename, indexname FROM pg_indexes WHERE schemaname = 'public'"))
