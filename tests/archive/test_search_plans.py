"""Whatever plan is chosen, the answer is that of a plain look at every study: random studies, random questions."""

import itertools
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.studies import Studies
from kernel.archive.ingest.complete import set_priority
from kernel.archive.search import plan as plan_module
from kernel.archive.search import search as search_module
from kernel.archive.search.found import StudyRow
from kernel.archive.search.search import Search, StudyQuery, search_pks, search_studies
from kernel.database import Database
from kernel.dicom.queries.key_text import parse_key
from kernel.dicom.queries.matching import Rules, Words, matches, matches_any
from kernel.dicom.vocabulary.dictionary import TAG_OF, VR_OF
from kernel.dicom.vocabulary.names import fold
from tests.archive.conftest import ON_DISK, open_archive

STUDIES = 150
PLANS = {  # what the planner believes: that every index has few candidates, that a page fills soon
    "as it finds it": {},
    "walk": {"_has_at_most": False, "_fills_soon": True},
    "by candidates": {"_has_at_most": True},
    "by a common name": {"_has_at_most": False, "_fills_soon": False},
}


@pytest.fixture
def filled(database: Database, tmp_path) -> tuple[Database, list[StudyRow]]:
    """Studies of several hospitals, some urgent, some of one day; and what a list of all says of them."""
    committer = open_archive(tmp_path / "blobs", database).committer
    for _, group in Studies(STUDIES, b"metadata").each():
        for received in group:
            committer.commit(received, ON_DISK)
    for pk in range(1, STUDIES, 7):
        database.write(lambda connection, pk=pk: set_priority(connection, pk, pk % 3))
    with database.read() as connection:
        return database, search_studies(connection, StudyQuery(limit=STUDIES)).rows


def expected(rows: list[StudyRow], query: StudyQuery) -> list[int]:
    """Look at every study, in order."""
    found = [row for row in rows if fits(row, query)]
    if query.order == "worklist":
        found.sort(key=lambda row: (-row.priority, row.first_received_at, row.pk), reverse=True)
    else:
        found.sort(key=lambda row: (row.study_date, row.pk), reverse=True)
    return [row.pk for row in found[query.offset : query.offset + query.limit]]


def fits(row: StudyRow, query: StudyQuery) -> bool:
    values = {
        "PatientName": row.patient_name, "PatientID": row.patient_id, "AccessionNumber": row.accession_number,
        "StudyDate": row.study_date, "PatientSex": row.patient_sex, "PatientBirthDate": row.patient_birth_date,
        "StudyDescription": row.study_description, "StudyInstanceUID": row.study_instance_uid,
    }  # fmt: skip
    for keyword, match in query.matches.items():
        if keyword == "ModalitiesInStudy":
            if not matches_any(match, row.modalities):
                return False
        elif not matches(match, values[keyword], name=keyword == "PatientName"):
            return False
    if query.text:
        words = fold(query.text).split()
        starts = (query.text, query.text.upper())
        begins = row.patient_id.startswith(starts) or row.accession_number.startswith(starts)
        if not begins and not all(word in fold(row.patient_name) for word in words):
            return False
    arrived = (query.received_from is None or row.first_received_at >= query.received_from) and (
        query.received_before is None or row.first_received_at < query.received_before
    )
    return arrived and (query.sites is None or row.site in query.sites)


@st.composite
def questions(draw: st.DrawFn, rows: list[StudyRow]) -> StudyQuery:
    """Ask for what is there, or nearly."""
    at, other = draw(st.sampled_from(rows)), draw(st.sampled_from(rows))
    words = at.patient_name.replace("^", " ").split()
    surname, given = words[0], words[-1]
    names = st.sampled_from(
        [f"{surname}*", f"*{given}", f"{surname}^*{given}", f"*{given[:2]}*", at.patient_name, fold(at.patient_name),
         f"{surname}^?*{other.patient_name[-3:]}", f"*{other.patient_name[1:4]}*{given}", "*?*", f"{surname[:1]}*"]
    )  # fmt: skip
    days = st.sampled_from(
        [
            at.study_date,
            f"{at.study_date[:6]}01-",
            f"-{at.study_date}",
            f"{other.study_date[:4]}0101-{other.study_date[:4]}1231",
        ]
    )
    values = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "PatientName": names,
                "StudyDate": days,
                "ModalitiesInStudy": st.sampled_from(["CT", "CT\\SR", "C?", "*R", "XA", "*", "D*"]),
                "PatientSex": st.sampled_from(["F", "M", "O"]),
                "PatientBirthDate": st.sampled_from([at.patient_birth_date, f"{at.patient_birth_date[:4]}0101-"]),
                "PatientID": st.sampled_from([at.patient_id, f"{at.patient_id[:-1]}*", "*0"]),
                "AccessionNumber": st.sampled_from([f"{at.accession_number[:6]}*"]),
                "StudyDescription": st.sampled_from([at.study_description, "*X*"]),
            },
        )
    )
    # Two or three keys together say more than eight that nothing fulfils.
    kept = draw(st.permutations(sorted(values)))[: draw(st.integers(0, 3))]
    fuzzy = Rules(fuzzy=draw(st.booleans()), multiple=draw(st.booleans()))
    found = {keyword: parse_key(keyword, VR_OF[TAG_OF[keyword]], values[keyword], fuzzy) for keyword in kept}
    texts = [
        "",
        "",
        f"{given} {surname}",
        at.patient_id[:8],
        at.patient_id.lower(),
        other.accession_number[:7],
        given[:2],
    ]
    sites = draw(st.sampled_from([None, None, frozenset({at.site}), frozenset({at.site, other.site})]))
    return StudyQuery(
        matches={keyword: match for keyword, match in found.items() if match != Words(())},
        text=draw(st.sampled_from(texts)),
        sites=sites,
        received_from=draw(st.sampled_from([None, None, at.first_received_at])),
        received_before=draw(st.sampled_from([None, None, other.first_received_at])),
        limit=draw(st.sampled_from([1, 5, 50, 1000])),
        offset=draw(st.sampled_from([0, 0, 0, 3, 40])),
        order=draw(st.sampled_from(["newest", "worklist"])),
    )


@pytest.mark.parametrize("believes", PLANS.values(), ids=PLANS.keys())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_plan_gives_the_answer_of_a_plain_look_at_every_study(filled, believes, data):
    database, rows = filled
    query = data.draw(questions(rows))

    with pytest.MonkeyPatch.context() as patched, database.read() as connection:
        for name, belief in believes.items():
            patched.setattr(plan_module, name, lambda *_, belief=belief, **__: belief)
        patched.setattr(search_module, "FAR", 3)
        page = search_studies(connection, query)
        pks, _ = search_pks(connection, query, "study", query.limit)

    assert [row.pk for row in page.rows] == expected(rows, query) == list(pks)


def test_a_page_far_down_begins_where_it_should(filled, monkeypatch):
    database, rows = filled
    monkeypatch.setattr(search_module, "FAR", 1)
    asked = itertools.product(
        ("", "-20240615", "20240101-", "20230301-20240930"), (1, 2, 15, 50, 90, STUDIES - 1, STUDIES, STUDIES + 1)
    )
    with database.read() as connection:
        for days, offset in asked:
            matches = {"StudyDate": parse_key("StudyDate", "DA", days)} if days else {}
            query = StudyQuery(matches, limit=2, offset=offset)
            wanted = expected(rows, query)
            search = Search(connection, query, "study", 2)
            beyond = search.count_beyond()
            assert [row.pk for row in search_studies(connection, query).rows] == wanted == list(search.pks)
            assert beyond == max(0, len(expected(rows, StudyQuery(matches, limit=STUDIES, offset=offset))) - 2)


def test_the_planner_s_bounds_may_be_anything(filled, monkeypatch):
    database, rows = filled
    query = StudyQuery(
        {"PatientName": parse_key("PatientName", "PN", "*th*"), "PatientSex": parse_key("PatientSex", "CS", "F")}
    )
    for seed in range(40):
        chance = random.Random(seed)
        for bound in (
            "PROBE_MAX",
            "NAMED_MAX",
            "NAMES_MAX",
            "TEXTS_MAX",
            "ARRIVED_MAX",
            "IDENTIFIED_MAX",
            "NEAR",
            "NEAR_READ",
        ):
            monkeypatch.setattr(plan_module, bound, chance.choice([0, 1, 10, 100, 10_000]))
        with database.read() as connection:
            assert [row.pk for row in search_studies(connection, query).rows] == expected(rows, query)
