"""Profiles: options merged to one code per attribute, conditional codes decided by Type, a truthful declaration."""

import pytest

from anonymizer.elements.compiled import compiled
from anonymizer.profiles.actions import Action, resolve
from anonymizer.profiles.options import OPTIONS
from anonymizer.profiles.profile import load, merge, table
from kernel.dicom.vocabulary.dictionary import TAG_OF
from kernel.errors import InvalidConfiguration

PER_INSTANCE = {name for name, option in OPTIONS.items() if option.per_instance}
CT, MR_ENHANCED = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4.1"


@pytest.mark.parametrize(
    ("code", "by_type"),
    [  # for Type 1, 1C, 2, 2C, 3, not in the IOD; then for an unknown IOD
        ("X", "XXXXXX X"),
        ("Z", "ZZZZZZ Z"),
        ("D", "DDDDDD D"),
        ("U", "UUUUUU U"),
        ("K", "KKKKKK K"),
        ("X/Z", "ZZZZXX Z"),
        ("X/D", "DDDDXX D"),
        ("Z/D", "DDZZZZ D"),
        ("X/Z/D", "DDZZXX D"),
        ("X/Z/U*", "KKKKKK K"),
    ],
)
def test_a_conditional_code_is_decided_by_the_type_of_the_attribute(code, by_type):
    letters = {"X": Action.REMOVE, "Z": Action.EMPTY, "D": Action.DUMMY, "U": Action.UID, "K": Action.KEEP}
    known, unknown = by_type.split()

    decided = [resolve(code, kind, iod_known=True) for kind in ("1", "1C", "2", "2C", "3", None)]

    assert decided == [letters[letter] for letter in known]
    assert resolve(code, None, iod_known=False) == letters[unknown]


@pytest.mark.parametrize(
    ("keyword", "sop_class_uid", "action"),
    [
        ("ContentDate", CT, Action.EMPTY),  # Type 2C
        ("ContentDate", MR_ENHANCED, Action.DUMMY),  # Type 1
        ("AcquisitionDateTime", MR_ENHANCED, Action.DUMMY),  # Type 1C
        ("SeriesDate", CT, Action.REMOVE),  # Type 3
        ("InstitutionName", CT, Action.REMOVE),
        ("ContentDate", "1.2.3.4", Action.DUMMY),  # a private class: valid whatever it asks for
    ],
)
def test_the_iod_of_the_instance_decides(keyword, sop_class_uid, action):
    assert compiled(load("basic"), sop_class_uid).top[TAG_OF[keyword]] is action


def test_a_nested_attribute_is_decided_by_the_sequence_that_holds_it():
    table = compiled(load("basic"), CT)

    assert table.inside(TAG_OF["ContributingSourcesSequence"])[TAG_OF["InstitutionName"]] is not Action.KEEP
    assert table.inside(TAG_OF["ParticipantSequence"])[TAG_OF["InstitutionName"]] is Action.EMPTY  # Type 2
    assert table.inside(TAG_OF["ContributingEquipmentSequence"])[TAG_OF["InstitutionName"]] is Action.REMOVE  # Type 3


def test_the_profile_for_reading_keeps_what_a_read_needs_and_says_so():
    profile = load("tele-read")

    assert profile.method_codes == ("113100", "113105", "113107", "113108", "113111")
    assert profile.dates == "MODIFIED"
    assert profile.rules["00100040"].code == "K"
    assert profile.rules["00080020"].code == "C"
    assert profile.rules["00081030"].code == "C"
    assert profile.rules["00100030"].code == "Z"
    assert load("basic").dates == "REMOVED"
    assert load("basic").method_codes == ("113100",)
    assert profile.label == "tele-read@2026d"


def test_cleaning_wins_where_two_options_differ():
    both = merge("both", ("retain_device_identity", "retain_modified_dates"))

    assert both.rules["00181200"].code == "C"  # Date of Last Calibration: K by device, C by dates


def test_the_digest_names_the_merged_profile():
    digests = {merge("one", options).digest for options in ((), ("retain_full_dates",), ("retain_modified_dates",))}

    assert len(digests) == 3
    assert merge("one", ()).digest == merge("one", ()).digest
    assert merge("one", ()).digest != merge("two", ()).digest


def test_an_unknown_option_is_refused():
    with pytest.raises(InvalidConfiguration, match="no such option: nonsense; there are clean_descriptors, "):
        merge("mine", ("nonsense",))


def test_dates_cannot_be_kept_and_moved():
    with pytest.raises(InvalidConfiguration, match="retain_full_dates and retain_modified_dates contradict"):
        merge("mine", ("retain_modified_dates", "retain_full_dates"))


def test_what_only_a_cleaner_can_do_is_not_declared_by_the_profile():
    profile = merge("mine", tuple(sorted(PER_INSTANCE)))

    assert profile.method_codes == ("113100",)
    assert profile.options == PER_INSTANCE


def test_every_option_of_the_table_has_its_code_and_the_codes_are_those_of_cid_7050():
    columns = set(table("ps3_15_e_1_1.json")["options"])

    assert columns | {"clean_pixel_data", "clean_recognizable_visual_features"} == set(OPTIONS)
    assert {option.code for option in OPTIONS.values()} == {str(number) for number in range(113101, 113113)}


def test_an_unknown_profile_is_refused():
    with pytest.raises(InvalidConfiguration, match="no such profile; there are basic, tele-read, research, cut-ties"):
        load("everything")
