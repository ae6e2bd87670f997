"""Finding by any attribute at every level, on both engines."""

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ComputedRadiographyImageStorage, CTImageStorage, SecondaryCaptureImageStorage

from kernel.archive.search import cost
from kernel.archive.search import finder as finder_module
from kernel.archive.search import search as search_module
from kernel.archive.search.finder import Asked, Finder, Page
from kernel.dicom.queries.identifier import of_paths, texts
from kernel.dicom.vocabulary.dictionary import TAG_OF
from kernel.dicom.vocabulary.levels import Level
from kernel.errors import QueryTooBroad
from tests.archive.conftest import Archive, an_origin
from tests.support.builders import a_cr, a_ct, a_ct_series, a_dataset, an_us_cine

CT, CR, SC = (str(one) for one in (CTImageStorage, ComputedRadiographyImageStorage, SecondaryCaptureImageStorage))


def a_request(step: str) -> Sequence:
    item = Dataset()
    item.ScheduledProcedureStepID = step
    return Sequence([item])


@pytest.fixture
def filled(archive: Archive) -> Archive:
    """Patient A1 with a CT of two series and an older study, B2 with a CR, and somebody at another site."""
    uid = a_ct(seed="ct").StudyInstanceUID
    person = {"PatientID": "A1", "PatientName": "Nguyễn^An", "PatientComments": "Dị ứng"}
    archive.receives(*a_ct_series(3, seed="ct", StudyDate="20261103", StationName="CT-01", **person))
    second = a_ct(
        seed="second", StudyInstanceUID=uid, StudyDate="20261103", StationName="CT-02", SeriesNumber="9", **person
    )
    second.RequestAttributesSequence = a_request("S7")
    archive.receives(second, a_ct(seed="old", StudyDate="20250101", **person))
    archive.receives(a_cr(seed="cr", StudyDate="20261102", PatientID="B2", PatientName="Đặng^Bình"))
    archive.receives(an_us_cine(seed="us", StudyDate="20261104", PatientID="X9"), origin=an_origin("BVB"))
    return archive


def asked(level: Level, tags: tuple[str, ...] = (), **keys: str) -> Asked:
    paths = [(tuple(TAG_OF[part] for part in name.split("__")), text) for name, text in keys.items()]
    return Asked(level, of_paths(paths), frozenset({"BVA"}), tags=frozenset(TAG_OF[tag] for tag in tags))


def told(page: Page, keyword: str) -> list[str]:
    return ["\\".join(texts(one.model.get(f"{TAG_OF[keyword]:08X}"))) for one in page.found]


@pytest.mark.parametrize(
    ("level", "keys", "keyword", "expected"),
    [
        ("patient", {}, "PatientID", ["A1", "B2"]),
        ("patient", {"PatientName": "nguyen*"}, "PatientID", ["A1"]),
        ("patient", {"PatientComments": "Dị*"}, "PatientID", ["A1"]),
        ("patient", {"NumberOfPatientRelatedStudies": "2"}, "PatientID", ["A1"]),
        ("study", {}, "StudyDate", ["20261103", "20261102", "20250101"]),
        ("study", {"PatientComments": "*ứng"}, "StudyDate", ["20261103", "20250101"]),
        ("study", {"NumberOfStudyRelatedInstances": "4"}, "StudyDate", ["20261103"]),
        ("study", {"InstanceAvailability": "OFFLINE"}, "StudyDate", []),
        ("series", {"StationName": "CT-0?"}, "SeriesNumber", ["1", "9"]),
        ("series", {"RequestAttributesSequence__ScheduledProcedureStepID": "S7"}, "SeriesNumber", ["9"]),
        ("instance", {"Rows": "128"}, "Modality", ["CR"]),
        ("instance", {"SliceThickness": "5.0", "SeriesNumber": "9"}, "StationName", ["CT-02"]),
        ("instance", {"PatientID": "X9"}, "Modality", []),
    ],
)
def test_what_has_no_column_is_found_in_what_instances_say(filled: Archive, level, keys, keyword, expected):
    page = Finder(filled.database).page(asked(level, (keyword,), **keys))

    assert told(page, keyword) == expected


@pytest.mark.parametrize(
    ("level", "classes", "expected"),
    [
        ("study", "", [f"{CT}\\{SC}", CR, CT]),
        ("study", SC, [f"{CT}\\{SC}"]),
        ("study", f"{CR}\\{SC}", [f"{CT}\\{SC}", CR]),
        ("study", "1.2.3", []),
        ("series", SC, [f"{CT}\\{SC}"] * 3),
        ("instance", CR, [CR]),
    ],
)
def test_a_study_is_found_by_the_classes_of_its_instances_and_tells_them(filled: Archive, level, classes, expected):
    uid = a_ct(seed="ct").StudyInstanceUID
    filled.receives(a_dataset(SC, seed="sc", StudyInstanceUID=uid, StudyDate="20261103", PatientID="A1"))

    page = Finder(filled.database).page(asked(level, ("SOPClassesInStudy",), SOPClassesInStudy=classes))

    assert told(page, "SOPClassesInStudy") == expected


def test_a_study_matches_by_any_of_its_series_and_is_told_as_that_one_says(filled: Archive):
    page = Finder(filled.database).page(asked("study", ("StationName",), StationName="CT-02"))

    assert told(page, "StationName") == ["CT-02"]


@pytest.mark.parametrize("level", ["patient", "study", "series", "instance"])
def test_what_a_patient_has_is_counted_at_every_level(filled: Archive, level):
    wanted = ("NumberOfPatientRelatedStudies", "NumberOfPatientRelatedSeries", "NumberOfPatientRelatedInstances")

    page = Finder(filled.database).page(asked(level, wanted, PatientID="A1"))

    assert [told(page, keyword)[0] for keyword in wanted] == ["2", "3", "5"]


def test_pages_are_cut_alike_whether_json_is_looked_through_or_not(filled: Archive):
    finder = Finder(filled.database)

    def pages(**keys: str) -> list[tuple[int, bool]]:
        cut = []
        for offset in (0, 2, 4, 6):
            one = asked("instance", **keys)
            page = finder.page(Asked(one.level, one.keys, one.sites, limit=2, offset=offset))
            cut.append((len(page.found), page.more))
        return cut

    assert pages(PatientID="A1") == [(2, True), (2, True), (1, False), (0, False)]
    assert pages(StationName="CT*") == [(2, True), (2, False), (0, False), (0, False)]


def test_what_lies_beyond_a_page_is_counted_up_to_a_bound(filled: Archive, monkeypatch):
    finder = Finder(filled.database)

    def beyond(level: Level, limit: int, offset: int = 0, **keys: str) -> int | None:
        one = asked(level, **keys)
        return finder.page(Asked(one.level, one.keys, one.sites, limit=limit, offset=offset)).remaining

    assert [beyond("instance", 2, offset) for offset in (0, 2, 4, 6)] == [4, 2, 0, 0]
    assert [beyond("study", 1, offset, PatientName="*n") for offset in (0, 1, 2)] == [1, 0, 0]
    assert (beyond("study", 1, PatientSex="M"), beyond("study", 0)) == (0, 3)
    monkeypatch.setattr(search_module, "COUNTED_MAX", 2)
    assert (beyond("instance", 2), beyond("instance", 5)) == (2, 1)


def test_counting_that_would_cost_too_much_is_given_up_and_the_page_is_there(sqlite_archive: Archive, monkeypatch):
    sqlite_archive.receives(*a_ct_series(3, seed="ct"))
    monkeypatch.setattr(search_module, "COUNT_SHARE", cost.SQLITE_STEPS_MAX)
    monkeypatch.setattr(cost, "STEPS_EACH", 1)
    one = asked("instance")

    page = Finder(sqlite_archive.database).page(Asked(one.level, one.keys, None, limit=1))

    assert (len(page.found), page.more, page.remaining) == (1, True, None)


def test_every_match_comes_in_bounded_pages(filled: Archive, monkeypatch):
    monkeypatch.setattr(finder_module, "PAGE_ROWS", 2)

    pages = list(Finder(filled.database).pages(asked("instance")))

    assert [len(page) for page in pages] == [2, 2, 2]


def test_looking_through_too_much_is_refused(filled: Archive, monkeypatch):
    monkeypatch.setattr(finder_module, "PAGE_ROWS", 1)
    monkeypatch.setattr(finder_module, "LOOKED_THROUGH_MAX", 2)
    monkeypatch.setattr(finder_module, "ROWS_THROUGH_MAX", 1)
    finder = Finder(filled.database)

    with pytest.raises(QueryTooBroad, match="more than 2 instances to look through for StationName"):
        finder.page(asked("instance", StationName="none"))
    with pytest.raises(QueryTooBroad, match="more than 1 entries to look through for NumberOfStudyRelatedInstances"):
        finder.page(asked("study", NumberOfStudyRelatedInstances="77"))
    one = asked("instance")
    with pytest.raises(QueryTooBroad, match="more than 2 matches"):
        list(finder.pages(Asked(one.level, one.keys, one.sites, limit=2)))
