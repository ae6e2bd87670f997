"""Key images as a DICOM document and back: Key Object Selection (PS3.3 A.35.4, PS3.16 TID 2010).

A choice of nothing cannot be written, as a document must refer to something: who takes the last image out writes one
under a private title that refers to the document before.
"""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from consult.documents import Sheet, completed, date, person_name
from consult.findings.key_images import Choice, Title
from consult.findings.mark_codes import SCHEME
from consult.findings.mark_documents import referred
from consult.findings.marks import Where
from consult.highdicom_door import ko, sr
from kernel.archive.records import Located
from kernel.dicom.vocabulary.uids import IMPLEMENTATION_VERSION_NAME

SERIES_NUMBER: Final = 902
DESCRIPTION: Final = "Key images"
_KEY_OBJECT_DESCRIPTION: Final = "113012"
_TITLE_CHARACTERS_MAX: Final = 64
# CID 7010; Quality Issue and rejections are not here, as they want reasons (CID 7011) beside them.
TITLES: Final[dict[Title, sr.CodedConcept]] = {
    "ofInterest": sr.CodedConcept("113000", "DCM", "Of Interest"),
    "forReferringProvider": sr.CodedConcept("113002", "DCM", "For Referring Provider"),
    "forSurgery": sr.CodedConcept("113003", "DCM", "For Surgery"),
    "forTeaching": sr.CodedConcept("113004", "DCM", "For Teaching"),
    "forConference": sr.CodedConcept("113005", "DCM", "For Conference"),
    "forTherapy": sr.CodedConcept("113006", "DCM", "For Therapy"),
    "forPatient": sr.CodedConcept("113007", "DCM", "For Patient"),
    "forPeerReview": sr.CodedConcept("113008", "DCM", "For Peer Review"),
    "forResearch": sr.CodedConcept("113009", "DCM", "For Research"),
    "bestInSet": sr.CodedConcept("113013", "DCM", "Best In Set"),
    "forReport": sr.CodedConcept("113020", "DCM", "For Report Attachment"),
}
_WITHDRAWN: Final = sr.CodedConcept("withdrawn", SCHEME, "Key images withdrawn")
_NAMES: Final[dict[tuple[str, str], Title]] = {
    **{(str(code.scheme_designator), str(code.value)): name for name, code in TITLES.items()},
    (SCHEME, str(_WITHDRAWN.value)): "ofInterest",  # what is chosen next is chosen for this, unless somebody says
}


def document(header: Dataset, images: Sequence[Located], chosen: Choice, sheet: Sheet) -> Dataset:
    """Return the document of a choice; `header` is the first image's, `images` are those that are chosen."""
    frames: dict[str, list[int]] = {}
    for where in chosen.images:
        numbers = frames.setdefault(where.sop_instance_uid, [])
        numbers += [] if where.frame_number is None else [where.frame_number]
    title = next(code for name, code in TITLES.items() if name == chosen.title)
    by_uid = {one.sop_instance_uid: one for one in images}
    referenced = [_image(by_uid[uid]) for uid in frames]
    content = ko.KeyObjectSelection(title, referenced, _observer(sheet), description=chosen.description or None)
    for item in content[0].ContentSequence:
        if item.ValueType == "IMAGE":
            one = item.ReferencedSOPSequence[0]
            if frames[one.ReferencedSOPInstanceUID]:
                one.ReferencedFrameNumber = sorted(frames[one.ReferencedSOPInstanceUID])
    evidence = [completed(header), *(_identity(one) for one in images[1:])]
    return _document(evidence, content, sheet)


def withdrawal(last: Dataset, sheet: Sheet) -> Dataset:
    """Return the document that says that nothing of the one before is chosen any more."""
    content = ko.KeyObjectSelection(_WITHDRAWN, [last], _observer(sheet))
    return _document([completed(last)], content, sheet)


def _document(evidence: list[Dataset], content: ko.KeyObjectSelection, sheet: Sheet) -> Dataset:
    ds: Dataset = ko.KeyObjectSelectionDocument(
        evidence=evidence,
        content=content,
        series_instance_uid=sheet.series_instance_uid,
        series_number=SERIES_NUMBER,
        sop_instance_uid=sheet.sop_instance_uid,
        instance_number=sheet.number,
        manufacturer=IMPLEMENTATION_VERSION_NAME,
        series_description=DESCRIPTION,
    )
    date(ds, sheet.at)
    return ds


def _observer(sheet: Sheet) -> sr.ObserverContext:
    return sr.ObserverContext(codes.DCM.Person, sr.PersonObserverIdentifyingAttributes(name=person_name(sheet.author)))


def _identity(one: Located) -> Dataset:
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = one.sop_class_uid, one.sop_instance_uid
    ds.StudyInstanceUID, ds.SeriesInstanceUID = one.study_instance_uid, one.series_instance_uid
    return ds


def _image(one: Located) -> Dataset:
    ds = _identity(one)
    ds.Rows = ds.Columns = 1  # by which the maker knows an image
    return ds


def title_of(ds: Dataset) -> str:
    """Return our name of a document's title, or what it is called by whoever made it."""
    with suppress(AttributeError, IndexError):
        code = ds.ConceptNameCodeSequence[0]
        known = _NAMES.get((str(code.CodingSchemeDesignator), str(code.CodeValue)))
        return known or str(code.CodeMeaning)[:_TITLE_CHARACTERS_MAX]
    return ""


def description_of(ds: Dataset) -> str:
    """Return the Key Object Description, empty when there is none."""
    for item in ds.get("ContentSequence", ()):
        name = item.get("ConceptNameCodeSequence")
        if name and name[0].get("CodeValue") == _KEY_OBJECT_DESCRIPTION:
            return str(item.get("TextValue", ""))
    return ""


def images_in(ds: Dataset, images_max: int) -> tuple[Where, ...]:
    """Return the images that a document refers to, frame by frame; of all frames the first stands for them."""
    series = {instance: series for series, instance in referred(ds)}
    found: list[Where] = []
    for item in ds.get("ContentSequence", ()):
        with suppress(AttributeError, IndexError, TypeError, ValueError):  # not what a document of this kind has
            if item.ValueType == "IMAGE":
                one = item.ReferencedSOPSequence[0]
                instance = str(one.ReferencedSOPInstanceUID)
                frames = _numbers(one.get("ReferencedFrameNumber"))
                found += [Where(series.get(instance, ""), instance, frame) for frame in frames]
    return tuple(found[:images_max])


def _numbers(value: Any) -> list[int | None]:
    if value is None:
        return [None]
    return (
        [int(one) for one in value] if isinstance(value, (list, tuple)) or hasattr(value, "__iter__") else [int(value)]
    )
