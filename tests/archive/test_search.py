"""Search: folded names, matching keys, order, pages, and plans that do not read what nobody asked for."""

import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, insert, text

from kernel.archive.ingest.complete import set_priority
from kernel.archive.search import cost
from kernel.archive.search import plan as plan_module
from kernel.archive.search.found import rows_of
from kernel.archive.search.search import StudyQuery, search_pks, search_studies, series_of_study
from kernel.archive.tables import distinct_name, patient, study, study_modality, worklist_rank
from kernel.database import Database, upsert
from kernel.dicom.queries.key_text import parse_key
from kernel.dicom.queries.matching import matches
from kernel.dicom.vocabulary.dictionary import TAG_OF, VR_OF
from kernel.dicom.vocabulary.names import fold
from kernel.errors import InvalidQuery
from tests.archive.conftest import Archive, an_origin
from tests.support.builders import a_cr, a_ct, a_ct_series, an_us_cine

NAMES = [
    "Nguyễn^Thị Hương",
    "NGUYEN^VAN HUNG",
    "Đặng^Thu Thảo",
    "DANG^THU",
    "Lê^Bảo Châu=黎寶珠",
    "Trần^Quốc_Tuấn 100%",
    "O'Brien^[x]",
    "",
]
START = datetime(2026, 11, 1, tzinfo=UTC)


def key(keyword: str, value: str):
    return {keyword: parse_key(keyword, VR_OF[TAG_OF[keyword]], value)}


def add_studies(database: Database, names: list[str], **columns) -> None:
    """Write study rows without instances, a day apart, the last one newest."""

    def change(connection):
        for number, name in enumerate(names):
            at = START + timedelta(days=number)
            uid = f"2.25.{hash((name, number)) % 10**12}{number}"
            person = {"site": columns.get("site", "BVA"), "patient_id": f"P{number}", "patient_name": name}
            patient_pk = connection.execute(insert(patient).values(**person, only_in_study=uid)).inserted_primary_key[0]
            values = {
                **person,
                "study_instance_uid": uid,
                "patient_pk": patient_pk,
                "study_date": f"{at:%Y%m%d}",
                "accession_number": f"A{number}",
                "name_fold": fold(name),
                "first_received_at": at,
                "last_received_at": at,
                "worklist_rank": worklist_rank(2, at),
                "trace_id": "t",
                "modalities": "CT",
                **columns,
            }
            pk = connection.execute(insert(study).values(values)).inserted_primary_key[0]
            upsert(connection, distinct_name, [{"name_fold": fold(name)}], key=["name_fold"])
            for modality in filter(None, values["modalities"].split("\\")):
                connection.execute(
                    insert(study_modality).values(modality=modality, study_date=values["study_date"], study_pk=pk)
                )

    database.write(change)


def find(database: Database, matching=None, **query) -> list[str]:
    with database.read() as connection:
        return [row.patient_name for row in search_studies(connection, StudyQuery(matching or {}, **query)).rows]


@pytest.fixture
def named(database: Database) -> Database:
    add_studies(database, NAMES)
    return database


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("huong nguyen", ["Nguyễn^Thị Hương"]),
        ("Hương", ["Nguyễn^Thị Hương"]),
        ("NGUYỄN", ["NGUYEN^VAN HUNG", "Nguyễn^Thị Hương"]),
        ("dang thao", ["Đặng^Thu Thảo"]),
        ("ĐẶNG", ["DANG^THU", "Đặng^Thu Thảo"]),
        ("hư uy", ["NGUYEN^VAN HUNG", "Nguyễn^Thị Hương"]),
        ("黎寶", ["Lê^Bảo Châu=黎寶珠"]),
        ("100%", ["Trần^Quốc_Tuấn 100%"]),
        ("[x]", ["O'Brien^[x]"]),
        ("p4", ["Lê^Bảo Châu=黎寶珠"]),
        ("A2", ["Đặng^Thu Thảo"]),
        ("nobody", []),
        ("*", []),
    ],
)
def test_words_of_a_name_are_found_without_accents_in_any_order(named: Database, words, expected):
    assert find(named, text=words) == expected
    assert find(named, text=unicodedata.normalize("NFD", words)) == expected


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("nguyen*", ["NGUYEN^VAN HUNG", "Nguyễn^Thị Hương"]),
        ("*hương", ["Nguyễn^Thị Hương"]),
        ("nguyen^h?ng", []),
        ("nguyen^van h?ng", ["NGUYEN^VAN HUNG"]),
        ("Đặng^Thu Thảo", ["Đặng^Thu Thảo"]),
        ("dang^thu", ["DANG^THU"]),
        ("*_*", ["Trần^Quốc_Tuấn 100%"]),
        ("*100%", ["Trần^Quốc_Tuấn 100%"]),
        ("*[x]", ["O'Brien^[x]"]),
        ("*'*", ["O'Brien^[x]"]),
    ],
)
def test_a_patient_name_key_is_matched_folded_with_wildcards(named: Database, pattern, expected):
    assert find(named, key("PatientName", pattern)) == expected


ALPHABET = st.sampled_from(list("abnguyễĐđ^ =%_[]'\"*?\\1"))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=st.text(ALPHABET, min_size=1, max_size=8), keyword=st.sampled_from(["PatientName", "PatientID"]))
def test_what_the_index_finds_is_what_matching_says(named: Database, value, keyword):
    try:
        match = parse_key(keyword, VR_OF[TAG_OF[keyword]], value)
    except InvalidQuery:
        return
    stored = {f"P{number}": name for number, name in enumerate(NAMES)}

    with named.read() as connection:
        found = {row.patient_id for row in search_studies(connection, StudyQuery({keyword: match})).rows}

    assert found == {
        patient_id
        for patient_id, name in stored.items()
        if (matches(match, name, name=True) if keyword == "PatientName" else matches(match, patient_id))
    }


@pytest.mark.parametrize(
    ("keyword", "value", "expected"),
    [
        ("StudyDate", "20261103", [2]),
        ("StudyDate", "20261103-", [7, 6, 5, 4, 3, 2]),
        ("StudyDate", "-20261102", [1, 0]),
        ("StudyDate", "20261102-20261103", [2, 1]),
        ("PatientID", "P3", [3]),
        ("PatientID", "p3", []),
        ("AccessionNumber", "A?", [7, 6, 5, 4, 3, 2, 1, 0]),
        ("ModalitiesInStudy", "MR", []),
        ("ModalitiesInStudy", "MR\\CT", [7, 6, 5, 4, 3, 2, 1, 0]),
    ],
)
def test_matching_keys_select_studies_newest_first(named: Database, keyword, value, expected):
    assert find(named, key(keyword, value)) == [NAMES[number] for number in expected]


def test_an_absent_date_is_in_no_range(database: Database):
    add_studies(database, ["A"], study_date="")

    assert find(database, key("StudyDate", "-20261231")) == []
    assert find(database) == ["A"]


def test_pages_are_whole_and_say_whether_there_is_more(named: Database):
    with named.read() as connection:
        pages = [search_studies(connection, StudyQuery(limit=3, offset=start)) for start in (0, 3, 6, 9)]

    assert [len(page.rows) for page in pages] == [3, 3, 2, 0]
    assert [page.more for page in pages] == [True, True, False, False]
    assert [row.patient_name for page in pages for row in page.rows] == NAMES[::-1]


def test_a_search_sees_the_sites_it_is_given_and_no_others(database: Database):
    add_studies(database, ["A", "B"], site="BVA")
    add_studies(database, ["C"], site="BVB")

    assert find(database, sites=frozenset({"BVB"})) == ["C"]
    assert sorted(find(database, sites=frozenset({"BVA", "BVB"}))) == ["A", "B", "C"]
    assert find(database, sites=frozenset()) == []
    assert find(database, key("PatientName", "a*"), sites=frozenset({"BVB"})) == []
    assert len(find(database)) == 3


def test_the_worklist_shows_emergencies_first_then_the_newest_arrival(named: Database):
    with named.read() as connection:
        pks = {row.patient_name: row.pk for row in search_studies(connection, StudyQuery()).rows}
    named.write(lambda connection: set_priority(connection, pks["DANG^THU"], 0))
    named.write(lambda connection: set_priority(connection, pks["NGUYEN^VAN HUNG"], 1))
    named.write(lambda connection: set_priority(connection, pks["DANG^THU"], 2))

    order = find(named, order="worklist")

    assert order[:3] == ["DANG^THU", "NGUYEN^VAN HUNG", ""]
    assert order[-1] == "Nguyễn^Thị Hương"


def test_a_key_that_a_level_does_not_have_is_refused_without_repeating_its_value(database: Database):
    with (
        database.read() as connection,
        pytest.raises(
            InvalidQuery, match=r"^The query is not valid: SeriesNumber cannot be searched at the study level"
        ),
    ):
        search_studies(connection, StudyQuery(key("SeriesNumber", "1")))
    with database.read() as connection, pytest.raises(InvalidQuery, match="longer than 256 characters"):
        search_studies(connection, StudyQuery(text="n" * 257))


def test_text_that_an_engine_cannot_take_finds_nothing(named: Database):
    assert find(named, text="nguyen\0x") == []
    assert find(named, text='"') == []
    assert find(named, text="'; DROP TABLE study; --") == []
    assert len(find(named)) == len(NAMES)


def test_series_and_instances_are_found_by_the_keys_of_every_level_above(archive: Archive):
    archive.receives(*a_ct_series(3, seed="a", SeriesNumber="7"))
    archive.receives(an_us_cine(seed="u", StudyInstanceUID=a_ct(seed="a").StudyInstanceUID), a_cr(seed="c"))
    uid = a_ct(seed="a").StudyInstanceUID
    with archive.database.read() as connection:

        def found(level, matches, most=10):
            pks, more = search_pks(connection, StudyQuery(matches), level, most)
            return rows_of(connection, level, pks), more

        of_study, _ = found("series", key("StudyInstanceUID", uid))
        us, _ = found("series", key("ModalitiesInStudy", "CT") | key("Modality", "US"))
        numbered, _ = found("series", key("SeriesNumber", "07"))
        third, _ = found("instance", key("StudyInstanceUID", uid) | key("InstanceNumber", "3"))
        ordered, more = found("instance", key("StudyInstanceUID", uid), 3)
        listed = series_of_study(connection, "BVA", uid)

    assert [row.modality for row in of_study] == ["US", "CT"]
    assert [(row.modality, row.number_of_frames, row.study.study_instance_uid) for row in us] == [("US", 5, uid)]
    assert [row.series_number for row in numbered] == [7]
    assert [row.sop_instance_uid for row in third] == [a_ct(seed="a", instance=3).SOPInstanceUID]
    assert [row.instance_number for row in ordered] == [1, 1, 2]
    assert more
    assert ordered[0].series.study.modalities == ("CT", "US")
    assert [row.series_instance_uid for row in listed] == [row.series_instance_uid for row in of_study]


def test_a_study_row_tells_all_that_a_list_shows(archive: Archive):
    ds = a_ct()
    archive.receives(ds, origin=an_origin(trace_id="ab" * 16))

    with archive.database.read() as connection:
        (row,) = search_studies(connection, StudyQuery()).rows

    assert (row.site, row.study_instance_uid, row.patient_id) == ("BVA", ds.StudyInstanceUID, ds.PatientID)
    assert (row.patient_name, row.modalities, row.body_part) == ("Nguyễn^Thị Hương", ("CT",), "HEAD")
    assert (row.number_of_series, row.number_of_instances, row.expected_instances) == (1, 1, None)
    assert (row.state, row.evidence, row.priority, row.trace_id) == ("receiving", "", 2, "ab" * 16)
    assert row.first_received_at == row.last_received_at == archive.clock.now()


@pytest.fixture(scope="module")
def many(tmp_path_factory) -> Database:
    """20,000 studies on SQLite, a third of them Nguyễn."""
    database = Database.open(tmp_path_factory.mktemp("many") / "vienanh.db")
    database.migrate()

    def change(connection):
        surnames = ["nguyen", "tran", "le"]
        connection.execute(insert(patient).values(pk=1, site="BVA", patient_id="1"))
        rows = [
            {
                "pk": number,
                "site": "BVA",
                "study_instance_uid": f"2.25.{number}",
                "patient_pk": 1,
                "study_date": f"{START + timedelta(hours=number):%Y%m%d}",
                "patient_id": f"P{number}",
                "accession_number": f"A{number}",
                "name_fold": f"{surnames[number % 3]}^thi {'quyen' if number % 1000 == 0 else 'lan'}",
                "first_received_at": START,
                "last_received_at": START,
                "worklist_rank": number,
                "trace_id": "t",
                "modalities": "XA" if number % 5000 == 0 else "CT",
            }
            for number in range(1, 20_001)
        ]
        connection.execute(insert(study), rows)
        names = {row["name_fold"] for row in rows}
        connection.execute(insert(distinct_name), [{"name_fold": name} for name in names])
        connection.execute(
            insert(study_modality),
            [{"modality": row["modalities"], "study_date": row["study_date"], "study_pk": row["pk"]} for row in rows],
        )

    database.write(change)
    yield database
    database.close()


def asked(database: Database, query: StudyQuery) -> list[tuple[str, tuple]]:
    """Return the statements by which a page's keys are found, the planner's among them."""
    said: list[tuple[str, tuple]] = []

    def hear(connection, cursor, statement, parameters, context, many):
        if statement != "BEGIN":
            said.append((statement, parameters))

    with database.read() as connection:
        event.listen(connection, "before_cursor_execute", hear)
        search_pks(connection, query, "study", 100)
        event.remove(connection, "before_cursor_execute", hear)
    return said


def plan_of(database: Database, query: StudyQuery, monkeypatch) -> str:
    """Return SQLite's plan of the statement that finds a page's keys."""
    bounds = {
        "PROBE_MAX": 100,
        "NAMED_MAX": 500,
        "ARRIVED_MAX": 500,
        "TEXTS_MAX": 500,
        "NAMES_MAX": 1_000,
        "NEAR": 1_000,
        "NEAR_READ": 100,
        "NEAR_SHARE": 100,
    }
    for name, bound in bounds.items():
        monkeypatch.setattr(plan_module, name, bound)
    statement, parameters = asked(database, query)[-1]
    with database.read() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
    return " | ".join(row[-1] for row in rows)


LONG_AGO, MOMENT = datetime(1970, 1, 1, microsecond=100, tzinfo=UTC), timedelta(microseconds=60)


@pytest.mark.parametrize(
    ("query", "index", "sorts"),
    [
        (StudyQuery(), "ix_study_by_date", False),
        (StudyQuery(order="worklist"), "ix_study_by_rank", False),
        (StudyQuery(sites=frozenset({"BVA"})), "ix_study_by_date", False),
        (StudyQuery(sites=frozenset({"BVA"}), order="worklist"), "ix_study_by_rank", False),
        (StudyQuery(key("StudyDate", "20261101-20261201")), "ix_study_by_date", False),
        (StudyQuery(key("PatientName", "nguyen*")), "ix_study_by_date", False),
        (StudyQuery(text="nguyen"), "ix_study_by_date", False),
        (StudyQuery(text="nguyen", order="worklist"), "ix_study_by_rank", False),
        (StudyQuery(key("StudyDate", "20261101-20261201"), order="worklist"), "ix_study_by_rank", False),
        (StudyQuery(key("ModalitiesInStudy", "CT")), "sqlite_autoindex_study_modality_1", False),
        (StudyQuery(text="quyen"), "ix_study_by_name", True),
        (StudyQuery(text="quyen nguyen", sites=frozenset({"BVA"})), "ix_study_by_name", True),
        (StudyQuery(key("PatientName", "*quyen")), "ix_study_by_name", True),
        (StudyQuery(key("PatientName", "tran*") | key("PatientSex", "O")), "ix_study_by_name", True),
        (StudyQuery(key("PatientName", "nguyen^thi quyen")), "ix_study_by_name", True),
        (
            StudyQuery(order="worklist", received_from=LONG_AGO, received_before=LONG_AGO + MOMENT),
            "ix_study_by_rank",
            True,
        ),
        (StudyQuery(key("PatientBirthDate", "19700101")), "ix_study_patient_birth_date", True),
        (
            StudyQuery(key("ModalitiesInStudy", "XA") | key("PatientSex", "O")),
            "sqlite_autoindex_study_modality_1",
            True,
        ),
        (StudyQuery(key("PatientID", "P77")), "ix_study_patient_id", True),
        (StudyQuery(key("StudyInstanceUID", "2.25.77")), "ix_study_study_instance_uid", True),
    ],
)
def test_sqlite_drives_a_search_by_few_candidates_or_by_the_order(many: Database, monkeypatch, query, index, sorts):
    plan = plan_of(many, query, monkeypatch)

    assert index in plan
    assert ("USE TEMP B-TREE FOR ORDER BY" in plan) == sorts, plan


@pytest.mark.parametrize(
    ("query", "statements"),
    [
        (StudyQuery(), 1),
        (StudyQuery(key("StudyDate", "20261101")), 1),
        (StudyQuery(key("StudyDate", "20261101-")), 1),
        (StudyQuery(key("StudyDate", "20261101"), order="worklist"), 2),
        (StudyQuery(key("StudyDate", "20261101"), sites=frozenset({"BVA"})), 2),
        (StudyQuery(key("StudyDate", "20261101") | key("PatientSex", "F")), 2),
        (StudyQuery(key("StudyDate", "20261101"), text="nguyen"), 5),
    ],
)
def test_no_index_is_asked_when_all_that_is_walked_matches(many: Database, query, statements):
    assert len(asked(many, query)) == statements


def test_a_search_that_costs_too_much_is_stopped_and_refused(many: Database, monkeypatch):
    monkeypatch.setattr(cost, "SQLITE_STEPS_MAX", 20_000)
    monkeypatch.setattr(cost, "STEPS_EACH", 1_000)

    with many.read() as connection:
        with pytest.raises(InvalidQuery, match="it would take too long"):
            search_studies(connection, StudyQuery(key("StudyDescription", "*zz*")))
        monkeypatch.setattr(cost, "SQLITE_STEPS_MAX", 10**9)
        assert search_studies(connection, StudyQuery(limit=1)).more


@pytest.mark.peer("postgresql")
def test_a_postgresql_search_that_costs_too_much_is_stopped_and_refused(postgresql: str, monkeypatch):
    monkeypatch.setattr(cost, "POSTGRESQL_MS_MAX", 1)
    database = Database.open(postgresql)
    database.migrate()

    def sleep(connection):
        with cost.bounded(connection):
            connection.execute(text("SELECT pg_sleep(5)"))

    with database.read() as connection, pytest.raises(InvalidQuery, match="it would take too long"):
        sleep(connection)
    database.close()


@pytest.mark.peer("postgresql")
def test_the_end_of_a_postgresql_transaction_has_more_time_than_a_share_of_a_search(postgresql: str):
    database = Database.open(postgresql)
    with database.read() as connection:
        with cost.bounded(connection, share=5):
            assert connection.scalar(text("SHOW statement_timeout")) == "1s"

        assert connection.scalar(text("SHOW statement_timeout")) == "5s"
    database.close()
