"""What was done to an element is done again to its like, with the same bytes, counts and UIDs; never for another patient."""

import pytest

from anonymizer.elements import memory
from anonymizer.engine.opening import opened
from anonymizer.pseudonyms import patient
from anonymizer.pseudonyms.keys import derive
from tests.anonymizer.conftest import Site
from tests.anonymizer.corpus import corpus
from tests.support.builders import a_ct, a_ct_series, as_file


@pytest.fixture(autouse=True)
def memories(monkeypatch) -> list[memory.Memory]:
    """The memories that were asked for, the last one last; nothing is remembered at first."""
    asked: list[memory.Memory] = []
    make = memory._memory
    make.cache_clear()

    def noted(of: memory.Of) -> memory.Memory:
        asked.append(make(of))
        return asked[-1]

    monkeypatch.setattr(memory, "_memory", noted)
    return asked


@pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom's, about what is planted
@pytest.mark.parametrize("profile", ["tele-read", "basic"])
def test_the_second_time_gives_what_the_first_gave(site, profile):
    sources = [one.source for one in corpus() if one.kind != "pdf"]
    with pytest.MonkeyPatch.context() as forgetting:
        forgetting.setattr(memory, "_memory", lambda of: memory.Memory(implicit=of.implicit))
        fresh = [site.deidentifies(source, profile) for source in sources]
    for source in sources:
        site.deidentifies(source, profile)

    again = [site.deidentifies(source, profile) for source in sources]

    for first, second in zip(fresh, again, strict=True):
        assert (second.head, second.trailer) == (first.head, first.trailer)
        assert (second.record, second.identity) == (first.record, first.identity)
        assert {entry.token: entry for entry in second.vault_entries} == {
            entry.token: entry for entry in first.vault_entries
        }


def test_a_series_is_treated_once_where_its_slices_are_alike(site, memories):
    first, second = (as_file(ds) for ds in a_ct_series(2))
    site.deidentifies(first, "tele-read")
    known = len(memories[-1].elements)

    site.deidentifies(second, "tele-read")

    assert known > 5
    assert len(memories[-1].elements) - known < 3


def test_another_patient_site_profile_or_key_is_another_memory(site, memories):
    other_key = Site(derive(b"o" * 32, site="bv-huyen"))
    source = as_file(a_ct(PatientAge="093Y"))
    site.deidentifies(source, "tele-read")
    site.deidentifies(source, "basic")
    other_key.deidentifies(source, "tele-read")
    site.deidentifies(as_file(a_ct(PatientAge="093Y", PatientID="ANOTHER")), "tele-read")
    site.deidentifies(
        as_file(a_ct(PatientAge="093Y", Modality="MR", SOPClassUID="1.2.840.10008.5.1.4.1.1.4")), "tele-read"
    )

    assert len({id(one) for one in memories}) == 5


def test_what_is_remembered_is_bounded(site, memories, monkeypatch):
    monkeypatch.setattr(memory, "ELEMENTS_MAX", 10)

    for ds in a_ct_series(4, SeriesDescription="A" * 60):
        site.deidentifies(as_file(ds), "tele-read")

    assert 0 < len(memories[-1].elements) <= 10
    assert all(len(encoded) <= memory.ELEMENT_BYTES_MAX for _, encoded in memories[-1].elements)


def test_a_patient_of_a_study_is_read_once_and_one_of_much_text_is_not_kept(keys):
    def read_from(**attributes):
        source = as_file(a_ct(**attributes))
        return patient.read_patient(opened(source).header, keys, "x", None)

    patient._read_patient.cache_clear()
    first, again = read_from(), read_from(instance=2)
    other = read_from(StudyDescription="dau " * patient.KEPT_BYTES_MAX)

    assert first is again
    assert patient._read_patient.cache_info().currsize == 1
    assert other.pseudonym == first.pseudonym
    assert len(other.study["StudyDescription"]) == patient.TEXT_CHARACTERS_MAX
