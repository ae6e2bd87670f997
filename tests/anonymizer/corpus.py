"""A planted corpus: small instances of many kinds, each with what must be gone from it and what must survive.

    python -m tests.anonymizer.corpus FOLDER        # writes it, with truth.json, for other tools to try

Made in memory, the same bytes every time. Patients are invented.
"""

import json
import sys
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RTStructureSetStorage,
)

from anonymizer.residue.forms import _cp1258, _tcvn3
from kernel.dicom.pixels.boxes import Box
from tests.anonymizer.corpus_frames import CODED, FRAMES, a_profile_of
from tests.anonymizer.corpus_places import PLACES, SAFE_CREATOR, WRITTEN_AT, Place, a_cine_with_a_name, a_waveform
from tests.anonymizer.documents import (
    DIAMETER,
    FINDING,
    OBSERVER,
    a_code,
    a_number,
    a_presentation,
    a_report,
    a_text,
    an_encapsulated,
    an_image_item,
    an_item,
    key_objects,
)
from tests.support.builders import a_cr, a_ct, a_dataset, a_uid, an_us_cine, as_file
from tests.support.papers import a_typed_pdf, an_encrypted_pdf


@dataclass(frozen=True)
class Person:
    """An invented patient."""

    name: str  # as people write it
    patient_id: str
    birth_date: str
    phone: str
    card: str  # CCCD
    insurance: str  # BHYT
    accession: str

    @property
    def dicom_name(self) -> str:
        family, _, rest = self.name.partition(" ")
        return f"{family}^{rest}"

    @property
    def plain(self) -> str:
        text = self.name.replace("đ", "d").replace("Đ", "D")
        return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))

    @property
    def given(self) -> str:
        return self.name.split()[-1]


PEOPLE = (
    Person("Nguyễn Thị Hương", "BN0012345", "19700412", "0912345678", "079170001234", "DN4797912345678", "A26-00991"),
    Person("Trần Đức Thắng", "2600777", "19551130", "0987654321", "001055009876", "HT2010155098765", "CT260012"),
    Person("Lê Hoàng Yến", "YT-88-4521", "20190203", "0356789012", "048319002211", "TE1484819002211", "XQ88123"),
    Person("Phạm Quốc Khánh", "MRN556677", "19880925", "0701234567", "036088123456", "GD4363608812345", "MR-2026-5"),
    Person("Đặng Ngọc Ánh", "DNA20261", "19991231", "0888999777", "024199765432", "SV4242419976543", "US7714250"),
    Person("Huỳnh Bảo Trâm", "0099887", "20030615", "0523456789", "087303445566", "HS4878703445566", "26112100"),
)
STRANGER = "Vũ Thị Bích Ngọc"  # named in texts, and in no header
DOCTOR = "Đoàn^Minh Tuấn"


@dataclass(frozen=True)
class Planted:
    """One instance and its truth."""

    kind: str
    person: Person
    source: bytes = field(repr=False)
    gone: tuple[str, ...]  # must not be legible afterwards, in any case or character set
    stays: tuple[tuple[str, str], ...] = ()  # keyword path and value, as str
    held: frozenset[str] = frozenset()  # under which profiles nothing of it may leave
    written_at: Box | None = None  # where its pixels show a name
    reasons: tuple[tuple[str, str], ...] = ()  # why nothing of it leaves, by profile


STRICT = ("research", "basic")
Kind = Callable[[Person], Dataset]
STAYS_CT = (("Rows", "64"), ("KVP", "120"), ("PixelSpacing", "[0.5, 0.5]"), ("SliceThickness", "5"), ("Modality", "CT"))


STAYS_CINE = (("NumberOfFrames", "9"), ("FrameTime", "40"), ("Rows", "48"), ("Columns", "128"), ("Modality", "US"))


def corpus() -> Iterator[Planted]:
    """Yield every kind of every person."""
    for person in PEOPLE:
        for name, kind in KINDS.items():
            yield planted(name, person, kind(person))
        yield from _by_bytes(person)
        cine = as_file(
            _own("cine", person, a_cine_with_a_name(_owned(an_us_cine(seed=person.patient_id), person), person))
        )
        yield Planted("cine", person, cine, _identity(person), STAYS_CINE, frozenset({"basic"}), WRITTEN_AT)
        for syntax in (ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian):
            yield planted(f"syntax {syntax.name}", person, _everywhere(person), syntax)
        yield Planted(
            "pdf",
            person,
            as_file(_own("pdf", person, _pdf(person))),
            _identity(person),
            (("MIMETypeOfEncapsulatedDocument", "application/pdf"), ("BurnedInAnnotation", "NO")),
            held=frozenset(STRICT),
        )
        encrypted = an_encapsulated(an_encrypted_pdf(person.plain), seed=person.patient_id)
        yield Planted(
            "pdf, encrypted",
            person,
            as_file(_own("pdf, encrypted", person, _owned(encrypted, person))),
            _identity(person),
            reasons=(("tele-read", "pdf-encrypted"), *((one, "encapsulated-document") for one in STRICT)),
        )
        yield from _in_frames(person)
        yield Planted(
            "cda", person, as_file(_own("cda", person, _cda(person))), _identity(person), held=frozenset(STRICT)
        )


def _in_frames(person: Person) -> Iterator[Planted]:
    """Yield instances with words where no element of text is: within frames, and coded within values."""
    for kind, make in FRAMES.items():
        ds, syntax = make(person)
        ds.SpecificCharacterSet = "ISO_IR 192"
        reasons: tuple[tuple[str, str], ...] = ()
        if kind == "video in a container":
            reasons = tuple((profile, "MalformedInstance") for profile in ("tele-read", *STRICT))
        elif kind == "video":
            reasons = tuple((profile, "ultrasound") for profile in ("tele-read", *STRICT))  # nobody looked at it
        source = as_file(_own(kind, person, _owned(ds, person)), syntax)
        yield Planted(kind, person, source, _identity(person), (("Rows", "24"), ("Columns", "32")), reasons=reasons)
    icc = _ct(person, ICCProfile=a_profile_of(person))
    yield planted("color profile", person, icc)
    for kind, text in CODED.items():
        source = as_file(_own(kind, person, _ct(person, Manufacturer=text(person)[:64])))
        held = tuple((profile, "residue (0008,0070)") for profile in ("tele-read", *STRICT))
        yield Planted(kind, person, source, _identity(person), reasons=held)


def planted(name: str, person: Person, ds: Dataset, syntax: str = ExplicitVRLittleEndian) -> Planted:
    stays = STAYS_CT if ds.Modality == "CT" else ()
    source = as_file(_own(name, person, ds), syntax)
    return Planted(name, person, source, _identity(person), stays + STAYS.get(name, ()))


def _own(kind: str, person: Person, ds: Dataset) -> Dataset:
    """Give an instance a UID of its own; what others refer to keeps its builder's."""
    if kind != "plain":
        ds.SOPInstanceUID = a_uid(person.patient_id, "planted", kind)
    return ds


def _identity(person: Person) -> tuple[str, ...]:
    words = person.name.split()
    dates = (person.birth_date, f"{person.birth_date[6:]}/{person.birth_date[4:6]}/{person.birth_date[:4]}")
    pairs = (person.name, " ".join(words[1:]), STRANGER, "Bích Ngọc", "Minh Tuấn", "Bệnh viện Cẩm Xuyên")
    return (*pairs, person.patient_id, *dates, person.phone, person.card, person.insurance, person.accession)


# --- kinds ------------------------------------------------------------------------------------------------------------


def _ct(person: Person, **attributes: object) -> Dataset:
    known = {
        "PatientName": person.dicom_name,
        "PatientID": person.patient_id,
        "PatientBirthDate": person.birth_date,
        "AccessionNumber": person.accession,
        "PatientTelephoneNumbers": person.phone,
        "ReferringPhysicianName": DOCTOR,
        "InstitutionName": "Bệnh viện Cẩm Xuyên",
        "MedicalRecordLocator": person.insurance,
    }
    return a_ct(seed=person.patient_id, **{**known, **attributes})


def _owned(ds: Dataset, person: Person) -> Dataset:
    """Make another builder's data set the person's."""
    ds.PatientName, ds.PatientID, ds.PatientBirthDate = person.dicom_name, person.patient_id, person.birth_date
    ds.AccessionNumber, ds.ReferringPhysicianName, ds.PatientTelephoneNumbers = person.accession, DOCTOR, person.phone
    return ds


def _everywhere(person: Person) -> Dataset:
    """Return a CT with the person in attributes of every VR, listed and not, at the top and nested."""
    ds = _ct(
        person,
        Manufacturer=f"Pretend {person.plain}",
        StudyDescription=f"CT so nao {person.name}",
        SeriesDescription=person.plain.upper(),
        ProtocolName=f"goi {person.phone}",
        ImageComments=f"{person.name} sinh {person.birth_date}",
        ContrastBolusAgent=person.card,
        PatientComments=f"BHYT {person.insurance}",
        OperatorsName=DOCTOR,
        StationName="CT1",
        AdditionalPatientHistory=f"con bà {STRANGER}",
        FilterType="WEDGE",
    )
    inner, item = Dataset(), Dataset()
    inner.CodeValue, inner.CodingSchemeDesignator, inner.CodeMeaning = "T-A0100", "SRT", f"Brain {person.name}"
    item.PurposeOfReferenceCodeSequence = Sequence([inner])
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = ds.SOPClassUID, a_uid(person.patient_id, "instance", 2)
    ds.SourceImageSequence = Sequence([item])
    block = ds.private_block(0x0029, "VENDOR X", create=True)
    block.add_new(0x10, "LO", person.name)
    block.add_new(0x11, "OB", person.plain.encode() + b"\0" * (len(person.plain) % 2))
    return ds


def _wrong_vr(vr: str, keyword: str) -> Kind:
    def make(person: Person) -> Dataset:
        ds = _ct(person)
        ds.add_new(keyword, vr, person.plain)
        return ds

    return make


def _unlisted(keyword: str, text: Callable[[Person], str]) -> Kind:
    return lambda person: _ct(person, **{keyword: text(person)})


def _report(person: Person) -> Dataset:
    seed = person.patient_id
    return _owned(
        a_report(
            an_item("PNAME", OBSERVER, "HAS OBS CONTEXT", PersonName=DOCTOR),
            an_item("PNAME", ("121029", "DCM", "Subject Name"), "HAS OBS CONTEXT", PersonName=person.dicom_name),
            a_text(("121030", "DCM", "Subject ID"), person.patient_id, "HAS OBS CONTEXT"),
            a_text(("121022", "DCM", "Accession Number"), person.accession, "HAS OBS CONTEXT"),
            a_text(FINDING, f"{person.name}, CCCD {person.card}, BHYT {person.insurance}: tổn thương 12 mm"),
            a_text(FINDING, f"Người nhà: {STRANGER}, {person.phone}; sinh {person.birth_date[:4]}"),
            a_number(DIAMETER, "12.5"),
            an_image_item(seed),
            seed=seed,
        ),
        person,
    )


def _presentation(person: Person) -> Dataset:
    return _owned(a_presentation(person.plain.upper(), f"BN {person.given}", "u 12 mm", seed=person.patient_id), person)


def _keys(person: Person) -> Dataset:
    return _owned(key_objects(a_text(FINDING, f"chị {STRANGER}"), seed=person.patient_id), person)


def _structures(person: Person) -> Dataset:
    ds = a_dataset(RTStructureSetStorage, seed=person.patient_id, instance=600, Modality="RTSTRUCT")
    ds.StructureSetLabel, ds.StructureSetName, ds.StructureSetDate = "PLAN", person.name, "20261121"
    roi = Dataset()
    roi.ROINumber, roi.ROIName, roi.ROIGenerationAlgorithm = 1, f"GTV {person.plain}", "MANUAL"
    roi.ReferencedFrameOfReferenceUID = a_uid(person.patient_id, "frame of reference")
    ds.StructureSetROISequence = Sequence([roi])
    contour, points = Dataset(), Dataset()
    points.ContourGeometricType, points.NumberOfContourPoints, points.ContourData = "POINT", 1, ["1", "2", "3"]
    contour.ReferencedROINumber, contour.ContourSequence = 1, Sequence([points])
    ds.ROIContourSequence = Sequence([contour])
    return _owned(ds, person)


def _overlay(person: Person) -> Dataset:
    ds = _ct(person)
    ds.add_new(0x60000010, "US", 64)
    ds.add_new(0x60000011, "US", 64)
    ds.add_new(0x60000022, "LO", person.plain)
    ds.add_new(0x60003000, "OW", person.plain.encode().ljust(512, b"\0"))
    ds.add_new(0x50002500, "LO", person.plain)
    return ds


def _placed(place: Place) -> Kind:
    return lambda person: place(_ct(person), person)


def _requests(person: Person) -> Dataset:
    item = Dataset()
    item.RequestedProcedureID, item.ScheduledProcedureStepID = person.accession, person.accession
    item.RequestedProcedureDescription = f"CT cho {person.name}"
    other = Dataset()
    other.PatientID, other.TypeOfPatientID = person.card, "TEXT"
    return _ct(person, RequestAttributesSequence=Sequence([item]), OtherPatientIDsSequence=Sequence([other]))


def _private_code(person: Person) -> Dataset:
    code = a_code(person.accession, "99LOCAL", person.name)
    return _ct(person, ProcedureCodeSequence=Sequence([code]), AnatomicRegionSequence=Sequence([code]))


def _already_done(person: Person) -> Dataset:
    return _ct(person, PatientIdentityRemoved="YES", DeidentificationMethod=f"by hand, was {person.name}")


def _cda(person: Person) -> Dataset:
    content = f"""<ClinicalDocument xmlns="urn:hl7-org:v3"><id root="1.2.3" extension="{person.accession}"/>
<title>CT: {person.name}</title><effectiveTime value="20261121"/>
<recordTarget><patientRole><id root="1.2" extension="{person.patient_id}"/><telecom value="tel:{person.phone}"/>
<patient><name>{person.name}</name><birthTime value="{person.birth_date}"/></patient></patientRole></recordTarget>
<author><time value="20261121"/><assignedAuthor><id nullFlavor="NI"/><assignedPerson><name>Đoàn Minh Tuấn</name></assignedPerson>
</assignedAuthor></author><component><structuredBody><component><section><title>Kết luận</title>
<text><paragraph>BN {person.given}, CCCD {person.card}, BHYT {person.insurance}, chồng bà {STRANGER}: tổn thương 12 mm.</paragraph></text>
</section></component></structuredBody></component></ClinicalDocument>"""
    return _owned(an_encapsulated(content.encode(), cda=True, seed=person.patient_id), person)


def _pdf(person: Person) -> Dataset:
    lines = (f"BN {person.plain}, {person.patient_id}", f"CCCD {person.card}, {person.phone}", "Ton thuong 12 mm")
    return _owned(an_encapsulated(a_typed_pdf(lines), seed=person.patient_id), person)


KINDS: dict[str, Kind] = {
    "plain": _ct,
    "everywhere": _everywhere,
    "a radiograph": lambda person: _owned(a_cr(seed=person.patient_id), person),
    "report": _report,
    "key objects": _keys,
    "presentation state": _presentation,
    "structure set": _structures,
    "overlay and curve": _overlay,
    **{name: _placed(place) for name, place in PLACES.items()},
    "waveform": lambda person: _owned(a_waveform(person, seed=person.patient_id), person),
    "requests": _requests,
    "private code": _private_code,
    "de-identified once": _already_done,
    "name as LO": _unlisted("Manufacturer", lambda p: p.name),
    "stranger in a text": _unlisted("ManufacturerModelName", lambda p: f"{p.plain}"),
    "stranger's name": _unlisted("Manufacturer", lambda _: STRANGER),
    "name joined": _unlisted("Manufacturer", lambda p: p.plain.replace(" ", "")),
    "name turned": _unlisted("Manufacturer", lambda p: " ".join(reversed(p.name.split()))),
    "identifier": _unlisted("Manufacturer", lambda p: f"id:{p.patient_id};"),
    "accession": _unlisted("Manufacturer", lambda p: p.accession),
    "phone": _unlisted("Manufacturer", lambda p: f"{p.phone[:4]} {p.phone[4:7]} {p.phone[7:]}"),
    "card": _unlisted("Manufacturer", lambda p: p.card),
    "insurance": _unlisted("Manufacturer", lambda p: p.insurance),
    "birth date": _unlisted("Manufacturer", lambda p: f"{p.birth_date[6:]}/{p.birth_date[4:6]}/{p.birth_date[:4]}"),
    "name in a CS": _wrong_vr("CS", "BodyPartExamined"),
    "name in an SH": _wrong_vr("SH", "ConvolutionKernel"),
    "name as a PN": _wrong_vr("PN", "Manufacturer"),
    "name in a UT": _wrong_vr("UT", "SoftwareVersions"),
}
STAYS: dict[str, tuple[tuple[str, str], ...]] = {
    "private sequences": (("2001105F.0.2001102D", "24"), ("20010010", SAFE_CREATOR)),
    "waveform": (
        ("WaveformAnnotationSequence.1.NumericValue", "77"),
        ("WaveformSequence.0.WaveformData", str(bytes(range(100)))),
    ),
    "icons": (("ReferencedImageSequence.0.ReferencedSOPClassUID", "1.2.840.10008.5.1.4.1.1.2"),),
    "report": (
        ("ContentSequence.6.MeasuredValueSequence.0.NumericValue", "12.5"),
        ("ContentSequence.0.ConceptNameCodeSequence.0.CodeValue", "121008"),
        ("ContentSequence.4.ValueType", "TEXT"),
    ),
    "presentation state": (
        ("GraphicAnnotationSequence.0.GraphicObjectSequence.0.GraphicData", "[10.0, 10.0, 20.0, 10.0]"),
        ("GraphicAnnotationSequence.0.TextObjectSequence.2.UnformattedTextValue", "u 12 mm"),
    ),
    "structure set": (
        ("ROIContourSequence.0.ContourSequence.0.ContourData", "[1, 2, 3]"),
        ("StructureSetROISequence.0.ROINumber", "1"),
    ),
    "everywhere": (
        ("SourceImageSequence.0.PurposeOfReferenceCodeSequence.0.CodeValue", "T-A0100"),
        ("FilterType", "WEDGE"),
    ),
    "a radiograph": (("ImagerPixelSpacing", "[0.2, 0.2]"), ("ViewPosition", "PA"), ("BitsStored", "12")),
}

# --- character sets and places outside of elements ------------------------------------------------------------------


def _by_bytes(person: Person) -> Iterator[Planted]:
    """Yield instances in which bytes were put that no writer of data sets would put there."""
    marker = "MARKER" + "." * 34
    undeclared = _ct(person, Manufacturer=marker, PatientName=person.plain.replace(" ", "^", 1))
    undeclared.ReferringPhysicianName, undeclared.InstitutionName, undeclared.SpecificCharacterSet = "", "", None
    latin = _ct(person, Manufacturer=marker, PatientName=person.plain.replace(" ", "^", 1))
    latin.ReferringPhysicianName, latin.InstitutionName, latin.SpecificCharacterSet = "", "", "ISO_IR 100"
    forms = {
        "UTF-8": person.name.encode(),
        "NFD": unicodedata.normalize("NFD", person.name).encode(),
        "CP1258": _cp1258(person.name).encode("cp1258"),
        "TCVN3": _tcvn3(person.name).encode("latin-1"),
        "after a NUL": b"Pretend\0" + person.plain.encode(),
    }
    for label, ds in (("undeclared", undeclared), ("Latin-1", latin)):
        for form, value in forms.items():
            source = as_file(_own(f"{label} {form}", person, ds))
            spoilt = source.replace(marker.encode(), value[: len(marker)].ljust(len(marker)))
            yield Planted(f"{label} {form}", person, spoilt, _identity(person), STAYS_CT)
    number = as_file(_own("name in a DS", person, _ct(person, ReconstructionDiameter="123456789.25")))
    spoilt = number.replace(b"123456789.25", person.plain.encode()[:12].ljust(12))
    yield Planted("name in a DS", person, spoilt, _identity(person), STAYS_CT)
    plain = as_file(_own("preamble", person, _ct(person)))
    spoilt = person.plain.encode().ljust(128, b"\0") + plain[128:]
    yield Planted("preamble", person, spoilt, _identity(person), STAYS_CT)
    plain = as_file(_own("after the end", person, _ct(person)))
    yield Planted("after the end", person, plain + person.plain.encode().ljust(64, b"\0"), _identity(person), STAYS_CT)


def main(folder: Path) -> None:
    """Write the corpus and its truth."""
    folder.mkdir(parents=True, exist_ok=True)
    truth: dict[str, object] = {}
    for number, one in enumerate(corpus()):
        name = f"{number:04}.dcm"
        (folder / name).write_bytes(one.source)
        truth[name] = {"kind": one.kind, "gone": one.gone, "stays": one.stays}
    (folder / "truth.json").write_text(json.dumps(truth, ensure_ascii=False, indent=1), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
