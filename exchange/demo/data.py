"""The demo's studies: real anatomy from the PyPI package pydicom-data under new pseudo-patients, same bytes every time.

The package has single CT slices, a chest radiograph and an ultrasound cine, all already public. A CT series is made
from one slice by bending it smoothly from slice to slice and giving each slice noise of the same texture: it looks,
scrolls and compresses like a CT; it is not one, and nobody was examined. A slide of tissue is drawn (`tissue`).
Patients, numbers and hospital are invented.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, JPEGBaseline8Bit

from exchange.demo import slide
from kernel.dicom.pixels.reading import decode_frame
from kernel.dicom.scanning.part10 import open_dataset
from kernel.dicom.scanning.slide_flavour import WHOLE_SLIDE
from wsi.dicom_header import Identity

STAMP = "5"  # changes whenever the bytes would
HEART_FRAMES = 30  # a second of them; whoever runs the demo waits while each is searched for names
HOSPITAL = "Bệnh viện Đa khoa huyện Mường Khê"
GLASS = "MK26-0417-A1"  # what is written on the slide

Plane = NDArray[np.int16]
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Patient:
    """An invented person."""

    name: str
    patient_id: str
    birth_date: str
    sex: str
    age: str


@dataclass(frozen=True, slots=True)
class DemoStudy:
    """One study on disk, in sending order."""

    title: str
    study_instance_uid: str
    modality: str
    instances: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Warp:
    """How far a slice is bent, in pixels, and scaled over the whole series."""

    amplitude_px: float
    scale_first: float
    scale_last: float


@dataclass(frozen=True, slots=True)
class Protocol:
    """What was scanned and how finely."""

    body_part: str
    spacing_mm: float
    thickness_mm: float


HEAD = Patient("NGUYỄN^THỊ HƯƠNG", "BN26001873", "19580314", "F", "068Y")
ABDOMEN = Patient("TRẦN^VĂN ĐỨC", "BN26001690", "19740902", "M", "052Y")
CHEST = Patient("LÊ^HOÀNG PHƯỢNG", "BN26001802", "19910625", "F", "035Y")
HEART = Patient("VÀNG^A SỬ", "BN26001755", "19660101", "M", "060Y")
COLON = Patient("LÒ^THỊ PÓM", "BN26001644", "19630708", "F", "063Y")


def build(folder: Path, progress: Progress = lambda _: None) -> list[DemoStudy]:
    """Write the demo's studies under `folder` unless they are there; return them, the emergency first."""
    makers = (
        ("CT sọ não (cấp cứu)", "CT", _head_ct),
        ("CT bụng", "CT", _abdomen_ct),
        ("X-quang ngực", "CR", _chest_cr),
        ("Siêu âm tim", "US", _heart_us),
        ("Tiêu bản sinh thiết đại tràng", "SM", _colon_slide),
    )
    studies: list[DemoStudy] = []
    for title, modality, make in makers:
        home = folder / f"{make.__name__.strip('_')}-{STAMP}"
        if not (home / "complete").exists():
            progress(title)
            home.mkdir(parents=True, exist_ok=True)
            for number, dataset in enumerate(make(), start=1):
                _write(dataset, home / f"{number:04}.dcm")
            (home / "complete").touch()
        paths = tuple(sorted(home.glob("*.dcm")))
        uid = str(open_dataset(paths[0], stop_before_pixels=True).StudyInstanceUID)
        studies.append(DemoStudy(title, uid, modality, paths))
    return studies


# --- studies ----------------------------------------------------------------------------------------------------------


def _head_ct() -> Iterator[Dataset]:
    source = _original("693_UNCR.dcm")
    base = decode_frame(source, 0).astype(np.int16)
    warp = Warp(amplitude_px=9.0, scale_first=1.06, scale_last=0.80)
    for index, plane in enumerate(_series_of(base, count=36, warp=warp, air=-1000)):
        dataset = _dataset("head", CTImageStorage, HEAD, index, modality="CT", description="CT so nao cap cuu")
        _ct(dataset, plane, index, Protocol("HEAD", spacing_mm=0.478516, thickness_mm=4.0))
        dataset.SeriesDescription = "Axial 4mm nao"
        dataset.WindowCenter, dataset.WindowWidth = ["40", "600"], ["80", "2800"]
        dataset.WindowCenterWidthExplanation = ["NAO", "XUONG"]
        yield dataset


def _abdomen_ct() -> Iterator[Dataset]:
    source = _original("explicit_VR-UN.dcm")
    base = np.flipud(decode_frame(source, 0)).astype(np.int16)  # the original lies with the table on top
    base = np.where(base < -1000, -1000, base)
    warp = Warp(amplitude_px=22.0, scale_first=0.97, scale_last=1.05)
    for index, plane in enumerate(_series_of(base, count=64, warp=warp, air=-1000)):
        dataset = _dataset("abdomen", CTImageStorage, ABDOMEN, index, modality="CT", description="CT bung co can quang")
        _ct(dataset, plane + 1024, index, Protocol("ABDOMEN", spacing_mm=0.859375, thickness_mm=3.0))
        dataset.SeriesDescription = "Axial 3mm tinh mach cua"
        dataset.WindowCenter, dataset.WindowWidth = "50", "400"
        yield dataset


def _chest_cr() -> Iterator[Dataset]:
    source = _original("RG1_UNCR.dcm")
    original = open_dataset(source)
    dataset = _dataset("chest", original.SOPClassUID, CHEST, 0, modality="CR", description="X-quang nguc thang")
    dataset.SeriesDescription = "Nguc thang PA"
    dataset.BodyPartExamined = "CHEST"
    dataset.ViewPosition = "PA"
    dataset.PatientOrientation = ["L", "F"]
    dataset.ImageType = ["ORIGINAL", "PRIMARY"]
    dataset.ImagerPixelSpacing = ["0.19", "0.19"]
    _copy_pixels(original, dataset)
    low, high = np.percentile(decode_frame(source, 0), (1, 99))
    dataset.WindowCenter, dataset.WindowWidth = str(int(low + high) // 2), str(int(high - low))
    yield dataset


def _heart_us() -> Iterator[Dataset]:
    source = _original("color3d_jpeg_baseline.dcm")
    original = open_dataset(source)
    dataset = _dataset("heart", original.SOPClassUID, HEART, 0, modality="US", description="Sieu am tim")
    dataset.SeriesDescription = "Bon buong"
    dataset.BodyPartExamined = "HEART"
    dataset.PatientOrientation = ""
    dataset.ImageType = ["ORIGINAL", "PRIMARY"]
    dataset.FrameTime = "33.3"
    dataset.FrameIncrementPointer = 0x00181063
    dataset.LossyImageCompression = "01"
    dataset.LossyImageCompressionRatio = "9"
    dataset.LossyImageCompressionMethod = "ISO_10918_1"
    _copy_pixels(original, dataset)
    frames = generate_frames(original.PixelData, number_of_frames=int(original.NumberOfFrames))
    dataset.PixelData = encapsulate(list(islice(frames, HEART_FRAMES)))
    dataset.NumberOfFrames = HEART_FRAMES
    yield dataset


def _colon_slide() -> Iterator[Dataset]:
    identity = Identity(container=GLASS, stain="H&E")
    for index, dataset in enumerate(slide.scanned(identity)):
        dataset.update(_dataset("colon", WHOLE_SLIDE, COLON, index, modality="SM", description="Sinh thiet dai trang"))
        dataset.SeriesDescription = "Dai trang HE"
        dataset.BodyPartExamined = "COLON"
        yield dataset


# --- parts ------------------------------------------------------------------------------------------------------------


def _original(name: str) -> Path:
    return Path(str(files("data_store"))) / "data" / name


def _uid(*seed: object) -> str:
    digest = hashlib.sha256(("vienanh demo " + STAMP + "|".join(map(str, seed))).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:15], 'big') + (1 << 119)}"


def _dataset(seed: str, sop_class: str, patient: Patient, index: int, *, modality: str, description: str) -> Dataset:
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.SOPClassUID, dataset.SOPInstanceUID = sop_class, _uid(seed, "instance", index)
    dataset.StudyDate = dataset.SeriesDate = dataset.AcquisitionDate = dataset.ContentDate = "20261122"
    dataset.StudyTime, dataset.SeriesTime = "014500", "014730"
    dataset.AcquisitionTime = dataset.ContentTime = f"0147{30 + index // 3:02}"
    dataset.AccessionNumber = "MK26" + hashlib.sha256(seed.encode()).hexdigest()[:5].upper()
    dataset.Modality = modality
    dataset.Manufacturer = "Mô phỏng"
    dataset.ManufacturerModelName = f"Pretend {modality}"
    dataset.InstitutionName = HOSPITAL
    dataset.ReferringPhysicianName = "HOÀNG^THỊ MAI"
    dataset.StudyDescription = description
    dataset.PatientName, dataset.PatientID = patient.name, patient.patient_id
    dataset.IssuerOfPatientID = "BVMK"
    dataset.PatientBirthDate, dataset.PatientSex, dataset.PatientAge = patient.birth_date, patient.sex, patient.age
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = _uid(seed, "study"), _uid(seed, "series")
    dataset.StudyID, dataset.SeriesNumber, dataset.InstanceNumber = "1", 1, index + 1
    return dataset


def _ct(dataset: Dataset, plane: Plane, index: int, protocol: Protocol) -> None:
    """Add what a CT Image needs (PS3.3 A.3.3); `plane` holds stored values, slices run from feet to head."""
    spacing_mm, thickness_mm = protocol.spacing_mm, protocol.thickness_mm
    half = spacing_mm * plane.shape[1] / 2
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.PatientPosition = "HFS"
    dataset.BodyPartExamined = protocol.body_part
    dataset.KVP, dataset.AcquisitionNumber = "120", 1
    dataset.FrameOfReferenceUID, dataset.PositionReferenceIndicator = _uid(protocol.body_part, "frame of reference"), ""
    dataset.ImagePositionPatient = [f"{-half:.4f}", f"{-half:.4f}", f"{index * thickness_mm:.2f}"]
    dataset.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    dataset.SliceLocation, dataset.SliceThickness = f"{index * thickness_mm:.2f}", f"{thickness_mm:g}"
    dataset.PixelSpacing = [f"{spacing_mm:g}", f"{spacing_mm:g}"]
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = plane.shape
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = "-1024", "1", "HU"
    dataset.PixelData = np.clip(plane, 0, 4095).astype("<u2").tobytes()


_PIXEL_KEYWORDS = (
    "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames", "Rows", "Columns",
    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelData",
)  # fmt: skip


def _copy_pixels(original: Dataset, dataset: Dataset) -> None:
    for keyword in _PIXEL_KEYWORDS:
        if keyword in original:
            dataset[keyword] = original[keyword]


def _series_of(base: Plane, *, count: int, warp: Warp, air: int) -> Iterator[Plane]:
    """Yield `count` planes bent from `base` so that neighbours differ a little and the ends differ much."""
    rows, columns = base.shape
    smooth = _smoothed(base.astype(np.float32))
    texture = _texture(base - smooth, base > air + 900)
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    for index in range(count):
        along = index / (count - 1)
        scale = warp.scale_first + (warp.scale_last - warp.scale_first) * along
        dy, dx = _displacement(y / rows, x / columns, along)
        at_y = (y - rows / 2) / scale + rows / 2 + warp.amplitude_px * dy
        at_x = (x - columns / 2) / scale + columns / 2 + warp.amplitude_px * dx
        plane = _sampled(smooth, at_y, at_x)
        noise = np.roll(texture, (37 * index % rows, 61 * index % columns), (0, 1))
        yield np.round(plane + np.where(plane > air + 200, noise, 0)).astype(np.int16)


def _texture(residual: Any, tissue: Any, side: int = 48) -> Any:
    """Return noise of the slice's own grain: its quietest patch of tissue, mirrored over the whole plane."""
    rows, columns = residual.shape
    corners = ((y, x) for y in range(0, rows - side, 16) for x in range(0, columns - side, 16))
    patches = [np.s_[y : y + side, x : x + side] for y, x in corners]
    quietest = min((patch for patch in patches if tissue[patch].all()), key=lambda patch: float(residual[patch].std()))
    patch = residual[quietest]
    tile = np.block([[patch, patch[:, ::-1]], [patch[::-1], patch[::-1, ::-1]]])
    return np.tile(tile, (rows // (2 * side) + 1, columns // (2 * side) + 1))[:rows, :columns]


def _displacement(v: Any, u: Any, along: float) -> tuple[Any, Any]:
    """Return a smooth field in [-1, 1] that changes along the series; `v`, `u` run from 0 to 1."""
    tau = 2 * np.pi
    dy = 0.6 * np.sin(tau * (u + along)) * np.cos(tau * 0.5 * v) + 0.4 * np.sin(tau * (1.5 * v - 0.8 * along))
    dx = 0.6 * np.sin(tau * (v - 0.9 * along)) * np.cos(tau * 0.5 * u) + 0.4 * np.sin(tau * (1.3 * u + along))
    still = np.sin(np.pi * v) * np.sin(np.pi * u)  # nothing moves at the border
    return dy * still, dx * still


def _smoothed(plane: Any) -> Any:
    """Return the plane with a 3 x 3 binomial filter applied."""
    for axis in (0, 1):
        plane = (np.roll(plane, 1, axis) + 2 * plane + np.roll(plane, -1, axis)) / 4
    return plane


def _sampled(plane: Any, at_y: Any, at_x: Any) -> Any:
    """Return `plane` at fractional positions, bilinearly, clamped at the border."""
    rows, columns = plane.shape
    y0 = np.clip(np.floor(at_y).astype(np.intp), 0, rows - 2)
    x0 = np.clip(np.floor(at_x).astype(np.intp), 0, columns - 2)
    fy, fx = np.clip(at_y - y0, 0, 1), np.clip(at_x - x0, 0, 1)
    top = plane[y0, x0] * (1 - fx) + plane[y0, x0 + 1] * fx
    bottom = plane[y0 + 1, x0] * (1 - fx) + plane[y0 + 1, x0 + 1] * fx
    return top * (1 - fy) + bottom * fy


def _write(dataset: Dataset, path: Path) -> None:
    encapsulated = dataset.get("LossyImageCompression") == "01"
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = JPEGBaseline8Bit if encapsulated else ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = dataset.SOPClassUID, dataset.SOPInstanceUID
    if not encapsulated:
        dataset["PixelData"].VR = "OW"
    FileDataset("", dataset, preamble=b"\0" * 128, file_meta=meta).save_as(path, enforce_file_format=True)
