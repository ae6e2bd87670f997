"""A site's own profile: what it may say, every mistake with its line, and a truthful declaration."""

import pytest
from pydicom.dataset import Dataset

from anonymizer.engine.engine import deidentify
from anonymizer.profiles import site_profile
from anonymizer.profiles.profile import load
from anonymizer.profiles.site_profile import chosen, parse
from kernel.errors import InvalidConfiguration
from tests.anonymizer.conftest import read
from tests.support.builders import a_ct, as_file

HEAD = 'name = "mine"\nbase = "tele-read"\n'


def given(site, ds: Dataset, text: str) -> Dataset:
    source = as_file(ds)
    return read(deidentify(source, profile=parse(text, "mine.toml"), keys=site.keys, issuer="x").to_bytes(source))


def codes(ds: Dataset) -> list[str]:
    return [item.CodeValue for item in ds.DeidentificationMethodCodeSequence]


def test_a_site_keeps_removes_cleans_hashes_and_replaces(site):
    ds = a_ct(
        StationName="CT1",
        PatientWeight="51",
        StudyID="1717",
        InstitutionName="BV Huyen",
        Manufacturer="MAY CT",
        PerformedProcedureStepID="7",
    )
    text = (
        HEAD + 'keep = ["StationName"]\nremove = ["PatientWeight"]\nclean = ["Manufacturer"]\n'
        'hash = ["StudyID", "(0040,0253)"]\n[replace]\nInstitutionName = "District hospital"\n'
    )

    result = given(site, ds, text)

    assert result.StationName == "CT1"
    assert "PatientWeight" not in result
    assert "Manufacturer" not in result  # MAY is a word that is not on the list
    assert len(result.StudyID) == 16
    assert result.StudyID != result.PerformedProcedureStepID
    assert result.StudyID == given(site, a_ct(StudyID="1717 "), text).StudyID
    assert result.InstitutionName == "District hospital"
    assert result.DeidentificationMethod.startswith("VIENANH mine@2026d ")


def test_a_modality_has_the_last_word(site):
    text = HEAD + 'keep = ["PatientWeight"]\n[modality.CT]\nremove = ["PatientWeight"]\n'

    assert "PatientWeight" not in given(site, a_ct(PatientWeight="51"), text)
    assert given(site, a_ct(PatientWeight="51", Modality="MR"), text).PatientWeight == 51


def test_a_replaced_value_inside_a_modality_is_found(site):
    text = HEAD + '[modality.CT.replace]\nInstitutionName = "CT room"\n'

    assert given(site, a_ct(InstitutionName="BV"), text).InstitutionName == "CT room"


def test_options_are_added_and_taken_away(site):
    text = HEAD + 'options = ["retain_institution_identity"]\nwithout = ["retain_patient_characteristics"]\n'

    result = given(site, a_ct(InstitutionName="BV Huyen", PatientWeight="51"), text)

    assert result.InstitutionName == "BV Huyen"
    assert "PatientWeight" not in result
    assert codes(result) == ["113100", "113105", "113107", "113111", "113112"]


@pytest.mark.parametrize(
    ("words", "basic"),
    [
        ('remove = ["BodyPartExamined"]', True),
        ('keep = ["PatientWeight"]', True),  # the option of the base keeps it
        ('keep = ["BodyPartExamined"]', True),  # no row names it
        ('keep = ["StationName"]', False),
        ('keep = ["StudyDescription"]', False),  # the option says clean
        ('clean = ["OperatorsName"]', None),
        ('clean = ["InstitutionalDepartmentName"]', False),
        ('hash = ["StudyID"]', True),  # Z: a dummy value will do
        ('hash = ["PerformedProcedureStepID"]', False),  # X
        ('[replace]\nInstitutionName = "A hospital"', True),
        ('[replace]\nInstitutionAddress = "A town"', False),
    ],
)
def test_the_basic_profile_is_declared_only_while_it_is_kept(words, basic):
    if basic is None:
        with pytest.raises(InvalidConfiguration, match="only text is cleaned by its words, not PN"):
            parse(HEAD + words, "mine.toml")
        return

    assert ("113100" in parse(HEAD + words, "mine.toml").method_codes) is basic


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD + "keep = [", "mine.toml: file: Unclosed array|mine.toml: file: "),
        ('base = "basic"\n', "mine.toml: line 1: name: a text, and needed"),
        ('name = "basic"\nbase = "none"\n', "line 1: name: 1 to 32 .*; line 2: base: there are basic, tele-read"),
        (HEAD + 'kep = ["PatientSex"]\n', "line 3: no such key: kep; there are name, base"),
        (HEAD + 'options = ["retain_all"]\n', "line 3: no such option: retain_all"),
        (HEAD + 'without = ["retain_uids"]\n', "line 3: the base has no option retain_uids"),
        (HEAD + 'keep = [\n "PatientSex",\n "PatientShoe",\n]\n', "line 5: keep: the standard has no attribute"),
        (HEAD + 'keep = ["PatientSex"]\nremove = ["(0010,0040)"]\n', "line 4: remove: .* is there twice: keep and remove"),
        (HEAD + 'keep = ["PatientName"]\n', "line 3: keep: what becomes of PatientName is not a profile's to say"),
        (HEAD + 'keep = ["AccessionNumber"]\n', "line 3: keep: it names the patient"),
        (HEAD + 'keep = ["OperatorsName"]\n', "line 3: keep: it names the patient, or another person"),
        (HEAD + 'keep = ["EncapsulatedDocument"]\n', "line 3: keep: its content is cleaned, or goes"),
        (HEAD + 'keep = ["ContentSequence"]\n', "line 3: keep: its content is cleaned, or goes"),
        (HEAD + 'keep = ["IconImageSequence"]\n', "line 3: keep: its content is cleaned, or goes"),
        (HEAD + 'keep = ["StudyDate"]\n', "line 3: keep: dates are kept or moved together"),
        (HEAD + 'keep = ["FrameOfReferenceUID"]\n', "line 3: keep: UIDs are replaced, or kept together"),
        (HEAD + 'remove = ["(0009,1001)"]\n', r"line 3: remove: \(0009,1001\) is private"),
        (HEAD + 'remove = ["PixelData"]\n', "line 3: remove: what becomes of PixelData"),
        (HEAD + 'hash = ["PatientWeight"]\n', "line 3: hash: only short text is hashed, not DS"),
        (HEAD + '[replace]\nInstitutionName = "Bệnh viện"\n', "line 4: replace: 'Bệnh viện' cannot be a value of VR LO"),
        (HEAD + "[replace]\nInstitutionName = 7\n", "line 4: replace: a table of attributes and texts"),
        (HEAD + 'keep = "PatientSex"\n', "line 3: keep: a list of texts"),
        (HEAD + "[modality.ct]\nkeep = []\n", "line 3: modality: a table such as"),
        (HEAD + '[modality.CT]\nbase = "basic"\n', "line 4: no such key: base; there are keep"),
        (HEAD + '[modality.CT]\nkeep = ["Nothing"]\n', "line 4: keep: the standard has no attribute Nothing"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line(text, message):
    with pytest.raises(InvalidConfiguration, match=message):
        parse(text, "mine.toml")


def test_all_mistakes_are_told_at_once_up_to_a_number():
    text = HEAD + "remove = [\n" + "".join(f' "Nothing{number}",\n' for number in range(30)) + "]\n"

    with pytest.raises(InvalidConfiguration) as refusal:
        parse(text, "mine.toml")

    assert str(refusal.value).count("the standard has no attribute") == site_profile.MISTAKES_TOLD_MAX


def test_the_size_of_a_profile_is_bounded(monkeypatch):
    monkeypatch.setattr(site_profile, "ATTRIBUTES_MAX", 2)
    with pytest.raises(InvalidConfiguration, match="line 3: remove: more than 2 attributes"):
        parse(HEAD + 'remove = ["PatientSex", "PatientSize", "PatientWeight"]', "mine.toml")
    with pytest.raises(InvalidConfiguration, match="longer than 65536 characters"):
        parse("#" * 65_537, "mine.toml")


def test_the_digest_covers_every_word():
    texts = [
        HEAD,
        HEAD.replace("mine", "other"),
        HEAD + 'remove = ["PatientSex"]',
        HEAD + 'keep = ["StationName"]',
        HEAD + '[modality.US]\nkeep = ["StationName"]',
        HEAD + '[modality.CT]\nkeep = ["StationName"]',
        HEAD + '[replace]\nInstitutionName = "A"',
        HEAD + '[replace]\nInstitutionName = "B"',
        HEAD + 'without = ["clean_graphics"]',
        HEAD.replace("tele-read", "cut-ties"),
    ]

    assert len({parse(text, "mine.toml").digest for text in texts}) == len(texts)


def test_the_base_gives_what_it_is_not_asked_about():
    assert not parse(HEAD.replace("tele-read", "cut-ties"), "mine.toml").reversible
    assert parse(HEAD, "mine.toml").options == load("tele-read").options
    assert parse(HEAD, "mine.toml").rules == load("tele-read").rules


def test_a_profile_is_made_once_for_one_text():
    assert chosen("mine.toml", HEAD) is chosen("mine.toml", HEAD)
    assert chosen("basic") is load("basic")
