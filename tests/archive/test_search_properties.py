"""What the index finds is what `kernel.dicom.queries.matching` says: every kind of match, every column, both engines."""

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from kernel.archive.search import plan as plan_module
from kernel.archive.search import search as search_module
from kernel.archive.search.search import Search, StudyQuery, search_pks, search_studies
from kernel.archive.tables import distinct_name, patient, study, study_modality, worklist_rank
from kernel.database import Database, upsert
from kernel.dicom.queries.identifier import combined, fits, of_model, of_paths
from kernel.dicom.queries.matching import Rules
from kernel.dicom.vocabulary.dictionary import TAG_OF
from kernel.dicom.vocabulary.names import fold
from kernel.errors import InvalidQuery

AT = datetime(2026, 11, 1, tzinfo=UTC)
STUDIES = [
    ("Nguyễn^Thị Hương", "P1", "Lê^Văn Bình", "20261101", "0800", ("CT",), "CT sọ não"),
    ("NGUYEN^VAN HUNG", "P2", "LE^VAN BINH", "20261101", "235959.5", ("CT", "MR"), ""),
    ("Đặng^Thu Thảo=鄧秋草", "P%_1", "", "20261102", "000000", ("US",), "50% [x]"),
    ("", "", "Đỗ^Quang", "", "", (), "*"),
    ("Trần^An", "a\\b", "O'Brien^[x]", "20261103", "10", ("CR", "DX"), 'say ""'),
]
COLUMNS = {
    "PatientName": "patient_name", "PatientID": "patient_id", "ReferringPhysicianName": "referring_physician_name",
    "StudyDate": "study_date", "StudyTime": "study_time", "StudyDescription": "study_description",
}  # fmt: skip


def model_of(row) -> dict:
    """The study as the DICOM JSON object that matching in memory sees."""
    name, patient_id, referring, date, time, modalities, description = row

    def element(vr, *values):
        return {"vr": vr, "Value": [value for value in values if value]}

    groups = dict(zip(("Alphabetic", "Ideographic"), name.split("="), strict=False))
    return {
        "00100010": element("PN", groups if name else None),
        "00100020": element("LO", patient_id),
        "00080090": element("PN", {"Alphabetic": referring} if referring else None),
        "00080020": element("DA", date),
        "00080030": element("TM", time),
        "00080061": element("CS", *modalities),
        "00081030": element("LO", description),
    }


@pytest.fixture
def filled(database: Database) -> Database:
    def change(connection):
        for number, row in enumerate(STUDIES):
            name, patient_id, referring, date, time, modalities, description = row
            person = {"site": "BVA", "patient_id": patient_id, "patient_name": name}
            uid = f"2.25.{number}"
            patient_pk = connection.execute(insert(patient).values(**person, only_in_study=uid)).inserted_primary_key[0]
            values = person | {
                "study_instance_uid": uid, "patient_pk": patient_pk, "study_date": date, "study_time": time,
                "name_fold": fold(name), "referring_physician_name": referring, "referring_fold": fold(referring),
                "study_description": description, "modalities": "\\".join(modalities), "first_received_at": AT,
                "last_received_at": AT, "worklist_rank": worklist_rank(2, AT), "trace_id": "t",
            }  # fmt: skip
            pk = connection.execute(insert(study).values(values)).inserted_primary_key[0]
            upsert(connection, distinct_name, [{"name_fold": fold(name)}], key=["name_fold"])
            for modality in modalities:
                connection.execute(insert(study_modality).values(modality=modality, study_date=date, study_pk=pk))

    database.write(change)
    return database


TEXTS = st.text(st.sampled_from(list("abgnuyễĐđ^ =%_[]'\"*?hP1")), min_size=1, max_size=7)
DATES = st.sampled_from(["20261101", "20261102-", "-20261101", "20261101-20261102", '""', "20261101 - 20261103"])
TIMES = st.sampled_from(["08", "0800-", "-10", "000000-0900", "235959-235959.9", '""', "10"])
MODALITIES = st.sampled_from(["CT", "CT\\MR", "C?", "*R", "DX\\US", '""', "ct"])
KEYS = st.fixed_dictionaries(
    {},
    optional={
        "PatientName": TEXTS, "ReferringPhysicianName": TEXTS, "PatientID": TEXTS, "StudyDescription": TEXTS,
        "StudyDate": DATES, "StudyTime": TIMES, "ModalitiesInStudy": MODALITIES,
    },
)  # fmt: skip
RULES = st.builds(Rules, fuzzy=st.booleans(), empty=st.booleans(), multiple=st.booleans())


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(keys=KEYS, rules=RULES, combines=st.booleans(), probe_max=st.sampled_from([0, 1, 5000]))
def test_what_the_index_finds_is_what_matching_says(filled: Database, keys, rules, combines, probe_max):
    try:
        tree = of_paths([((TAG_OF[keyword],), text) for keyword, text in keys.items()], rules)
    except InvalidQuery:
        return
    tree = combined(tree) if combines else tree
    query = StudyQuery({keyword: tree[TAG_OF[keyword]] for keyword in keys if TAG_OF[keyword] in tree})
    expected = {f"2.25.{number}" for number, row in enumerate(STUDIES) if fits(tree, model_of(row))}

    with pytest.MonkeyPatch.context() as patched, filled.read() as connection:
        patched.setattr(plan_module, "PROBE_MAX", probe_max)
        found = {row.study_instance_uid for row in search_studies(connection, query).rows}

    assert found == expected


def test_a_combined_range_begins_and_ends_within_its_days(filled: Database):
    def found(date: str, time: str, *, together: bool) -> list[str]:
        model = {"00080020": {"vr": "DA", "Value": [date]}, "00080030": {"vr": "TM", "Value": [time]}}
        keys = of_model(model).keys
        keys = combined(keys) if together else keys
        names = {TAG_OF["StudyDate"]: "StudyDate", TAG_OF["StudyTime"]: "StudyTime"}
        with filled.read() as connection:
            query = StudyQuery({names[tag]: match for tag, match in keys.items()})
            return [row.patient_id for row in search_studies(connection, query).rows]

    assert found("20261101-20261102", "2359-0001", together=True) == ["P%_1", "P2"]
    assert found("20261101-20261103", "0700-1100", together=True) == ["a\\b", "P%_1", "P2", "P1"]
    assert found("20261101-20261103", "0700-1100", together=False) == ["a\\b", "P1"]
    for time in ("0700-", "-1100", "08"):  # of another form than the dates: apart
        assert found("20261101-20261103", time, together=True) == found("20261101-20261103", time, together=False)


def test_the_keys_of_all_that_match_are_had_at_once_and_counted_beyond_a_page(filled: Database, monkeypatch):
    with filled.read() as connection:
        pks, more = search_pks(connection, StudyQuery(), "study", 3)
        everything, none_left = search_pks(connection, StudyQuery(), "study", 10)
        nobody = search_pks(connection, StudyQuery(sites=frozenset()), "study", 10)
        page = Search(connection, StudyQuery(), "study", 2)
        beyond = page.count_beyond()
        monkeypatch.setattr(search_module, "COUNTED_MAX", 2)
        capped = Search(connection, StudyQuery(), "study", 2).count_beyond()
        ended = Search(connection, StudyQuery(sites=frozenset()), "study", 2)

    assert (list(pks), more) == (list(everything[:3]), True)
    assert (len(everything), none_left, list(nobody[0])) == (5, False, [])
    assert (list(page.pks), page.more, beyond, capped) == (list(everything[:2]), True, 3, 2)
    assert (list(ended.pks), ended.more, ended.count_beyond()) == ([], False, 0)
