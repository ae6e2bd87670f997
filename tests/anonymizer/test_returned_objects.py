"""What a reading room made about a de-identified series comes home whole: every reference leads to the originals."""

from datetime import date

import pytest

from anonymizer.reidentify.dicom import Named, Reidentified, named_in, reidentify
from anonymizer.reidentify.way_back import WayBack
from tests.anonymizer.conftest import Site, read
from tests.anonymizer.scoring import references
from tests.anonymizer.test_samples import errors_of
from tests.support import read_studies
from tests.support.builders import a_ct_series, as_file

NAME = "Nguyễn^Thị Hương"
IDENTITY = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyDate", "StudyTime",
    "AccessionNumber", "StudyID", "ReferringPhysicianName",
)  # fmt: skip
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # highdicom's, about a name of one part
KINDS = pytest.mark.parametrize("kind", list(read_studies.MADE))


class Journey:
    """A series that left, as the hub sees it; the objects made about it there; and the same at home again."""

    def __init__(self, site: Site) -> None:
        self.originals = [read(as_file(ds)) for ds in a_ct_series(3, PatientName=NAME, StudyDate="20261121")]
        sources = [as_file(ds) for ds in self.originals]
        made = [site.deidentifies(source, "tele-read") for source in sources]
        self.at_hub = [read(one.to_bytes(source)) for one, source in zip(made, sources, strict=True)]
        found: dict[str, dict[str, dict[str, str]]] = {"patient": {}, "study": {}, "uid": {}}
        for entry in (entry for one in made for entry in one.vault_entries):
            found[entry.kind.value][entry.token] = dict(entry.identity)
        ((_, study),) = found["study"].items()
        ((pseudonym, identity),) = found["patient"].items()
        uids = {new: old["UID"] for new, old in found["uid"].items()}
        self.way = WayBack(pseudonym, identity, study, uids, int(study["ShiftDays"]), date(2026, 11, 22))
        self.sent: dict[str, bytes] = {}
        self.named: dict[str, Named] = {}
        self.came: dict[str, Reidentified] = {}
        for kind, make in read_studies.MADE.items():
            self.sent[kind] = read_studies.as_sent(make(self.at_hub))
            self.named[kind] = named_in(self.sent[kind])
            self.came[kind] = reidentify(self.sent[kind], self.way)


@pytest.fixture(scope="module")
def journey(site) -> Journey:
    return Journey(site)


@KINDS
def test_it_names_whose_it_is_and_nothing_else_that_left(journey, kind):
    named = journey.named[kind]

    assert named.patient_id == journey.way.pseudonym
    assert named.studies == {journey.at_hub[0].StudyInstanceUID}
    assert {ds.SOPInstanceUID for ds in journey.at_hub[:2]} <= named.uids


@KINDS
def test_every_reference_leads_to_the_originals(journey, kind):
    hub, home = list(references(read(journey.sent[kind]))), list(references(read(journey.came[kind].content)))

    assert [keyword for keyword, _ in home] == [keyword for keyword, _ in hub]
    for (keyword, at_hub), (_, at_home) in zip(hub, home, strict=True):
        assert at_home == journey.way.uids.get(at_hub, at_hub), keyword
    targets = {uid for _, uid in home}
    assert {ds.SOPInstanceUID for ds in journey.originals[:2]} <= targets
    assert journey.originals[0].StudyInstanceUID in targets
    assert not targets & journey.way.uids.keys()


@KINDS
def test_it_is_the_patients_again_and_the_pseudonym_is_nowhere(journey, kind):
    home = read(journey.came[kind].content)

    for keyword in IDENTITY:
        assert home[keyword].value == journey.originals[0][keyword].value, keyword
    assert "PatientIdentityRemoved" not in home
    header = journey.came[kind].content.partition(b"%PDF")[0]
    assert journey.way.pseudonym.encode() not in header


@KINDS
def test_all_else_is_as_it_was_made(journey, kind):
    hub, home = read(journey.sent[kind]), read(journey.came[kind].content)
    led_back = {"UI", "PN", "LO", "ST", "UT", "LT", "SH", "DA", "TM", "SQ", "OB"}

    kept = [(one.tag, one.value) for one in home.iterall() if one.VR not in led_back]
    written_anew = {0x00080005, 0x00100040, 0x00120062, 0x00280303, 0x00420015}
    assert [one for one in kept if one[0] not in written_anew] == [
        (one.tag, one.value) for one in hub.iterall() if one.VR not in led_back and one.tag not in written_anew
    ]
    assert home.SOPInstanceUID == hub.SOPInstanceUID
    assert home.file_meta.TransferSyntaxUID == hub.file_meta.TransferSyntaxUID
    if "PixelData" in hub:
        assert home.PixelData == hub.PixelData
        assert (home.pixel_array == hub.pixel_array).all()


def test_words_name_the_patient_where_they_named_the_pseudonym(journey):
    state, selection, report = (
        read(journey.came[kind].content) for kind in ("presentation state", "key objects", "measurements")
    )

    (text,) = state.GraphicAnnotationSequence[0].TextObjectSequence
    assert text.UnformattedTextValue == "Nguyễn Thị Hương: u 12 mm"
    assert "xem u cua Nguyễn Thị Hương" in {item.get("TextValue") for item in selection.ContentSequence}
    items = {one.ConceptNameCodeSequence[0].CodeMeaning: one for one in report.ContentSequence}
    assert items["Subject Name"].PersonName == NAME
    assert items["Subject ID"].TextValue == journey.originals[0].PatientID
    assert journey.came["document"].document == "filled-in"


@pytest.mark.peer("dicom3tools")
@KINDS
def test_dciodvfy_finds_no_new_errors(journey, kind, tmp_path):
    before, after = tmp_path / "before.dcm", tmp_path / "after.dcm"
    before.write_bytes(journey.sent[kind])
    after.write_bytes(journey.came[kind].content)

    assert not errors_of(after) - errors_of(before)
