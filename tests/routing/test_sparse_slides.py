"""A slide of more frames than a header has room for leaves its site de-identified, and is told of as any other."""

import pytest
from pydicom.dataset import Dataset

from kernel.dicom.scanning import scanner
from kernel.dicom.scanning.slide_flavour import WHOLE_SLIDE
from kernel.errors import LimitExceeded
from kernel.events import EventName
from routing import described
from routing.study_reports import StudyReports
from tests.support.builders import a_ct


def a_frame(number: int) -> Dataset:
    source, derivation, group = Dataset(), Dataset(), Dataset()
    source.ReferencedSOPInstanceUID = "1.2.826.77.1"
    derivation.SourceImageSequence = [source]
    group.DerivationImageSequence = [derivation]
    content = Dataset()
    content.FrameLabel, content.FrameComments = f"field {number}", "Nguyen Van An"
    group.FrameContentSequence = [content]
    return group


SLIDE = a_ct(
    SOPClassUID=WHOLE_SLIDE,
    Modality="SM",
    ImageType=["ORIGINAL", "PRIMARY", "VOLUME", "NONE"],
    PerFrameFunctionalGroupsSequence=[a_frame(number) for number in range(40)],
)


@pytest.fixture(autouse=True)
def gone_through(monkeypatch) -> list:
    """Have the slide treated as one of many frames; return the headers whose frames are gone through one by one."""
    made, real = [], scanner._ReadAnew
    monkeypatch.setattr(scanner, "APART_BYTES_MIN", 512)
    monkeypatch.setattr(scanner, "_ReadAnew", lambda header: made.append(header) or real(header))
    return made


def report(hospital):
    return StudyReports(hospital.database, hospital.blobs).of("BVA", SLIDE.StudyInstanceUID)


def test_it_is_delivered_and_its_report_tells_what_its_frames_still_say(hospital, gone_through):
    hospital.receives(SLIDE)
    hospital.settles()

    assert len(hospital.hub.instances) == 1
    assert hospital.details(EventName.STUDY_DELIVERED)[0]["instances"] == 1
    assert hospital.details(EventName.STUDY_HELD) == []
    assert len(gone_through) == 1
    told = str(report(hospital))
    assert len(gone_through) == 2
    assert "Nguyen Van An" not in told


def test_a_report_of_more_texts_than_are_told_apart_is_refused(hospital, monkeypatch):
    hospital.receives(SLIDE)
    hospital.settles()
    monkeypatch.setattr(described, "TEXTS_MAX", 3)

    with pytest.raises(LimitExceeded, match="texts that differ"):
        report(hospital)
