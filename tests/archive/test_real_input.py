"""Real instances and the repository's own fixtures go in, or are refused with a reason; nothing else happens."""

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from kernel.archive.blobs.verify import check
from kernel.archive.derived.metadata import Metadata
from kernel.archive.search.search import StudyQuery, search_studies
from kernel.archive.tables import quarantine
from kernel.dicom.scanning.part10 import read_file_meta
from kernel.errors import MalformedInstance, Refused
from tests.archive.conftest import Archive, an_origin
from tests.archive.test_index import Granted

FIXTURES = Path(__file__).parents[2] / "fixtures" / "dicom"


def take(archive: Archive, file: Path) -> str:
    content = file.read_bytes()
    try:
        meta = read_file_meta(content)
    except MalformedInstance:
        return "no DICOM file"
    staged = archive.stage(
        content[meta.dataset_offset :], meta.sop_instance_uid, meta.sop_class_uid, meta.transfer_syntax_uid
    )
    try:
        return archive.ingest.ingest(staged, an_origin()).outcome.value
    except Refused as refusal:
        return refusal.code


def check_all(archive: Archive, files: list[Path]) -> dict[str, str]:
    outcomes = {file.name: take(archive, file) for file in files}
    refused = [name for name, outcome in outcomes.items() if outcome[0].isupper()]
    assert archive.files() == []
    assert len(archive.rows(select(quarantine))) <= len(refused)
    report = check(archive.database, archive.blobs)
    assert report.is_whole
    assert report.orphans == []
    metadata = Metadata(archive.database)
    with archive.database.read() as connection:
        studies = search_studies(connection, StudyQuery(limit=1000)).rows
    for row in studies:
        folded = metadata.folded(Granted(row.site, row.study_instance_uid, labels=True), None, "http://x")
        assert len(json.loads(folded.json())) == row.number_of_instances
    return outcomes


def test_the_own_fixtures_are_taken_or_refused_as_their_names_say(sqlite_archive: Archive):
    outcomes = check_all(sqlite_archive, sorted(FIXTURES.glob("*.dcm")))

    assert len(outcomes) > 30
    for name, outcome in outcomes.items():
        taken = outcome in ("stored", "conflict")  # some are one instance in several encodings
        assert taken != name.startswith("broken_"), (name, outcome)


def test_real_instances_go_in_whole(sqlite_archive: Archive, samples: Path):
    files = sorted(file for file in samples.rglob("*") if file.is_file() and file.stat().st_size < 20_000_000)

    outcomes = check_all(sqlite_archive, files)

    assert list(outcomes.values()).count("stored") > 20


@pytest.mark.parametrize(
    ("words", "name"), [("nguyen", "name_utf8_nfc.dcm"), ("nguyen", "name_utf8_nfd.dcm"), ("nguyen", "name_ascii.dcm")]
)
def test_a_vietnamese_name_is_found_however_it_was_encoded(sqlite_archive: Archive, words: str, name: str):
    assert take(sqlite_archive, FIXTURES / name) == "stored"

    with sqlite_archive.database.read() as connection:
        assert len(search_studies(connection, StudyQuery(text=words)).rows) == 1
