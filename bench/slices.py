"""Synthetic but plausible CT slices of 0.5 MB, the same bytes every time: an ellipse of tissue with noise, a study of any length."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

SIDE = 512
HEAD_BYTES = 4096  # holds everything before the pixels
ROOT = "1.2.826.0.1.3680043.10.1741.9"  # of invented studies; nothing real has it


def write_slices(
    folder: Path, count: int, *, study: int = 100_000, finish: Callable[[Dataset], Dataset] | None = None
) -> list[Path]:
    """Write `count` slices of one invented study and return their paths; `finish` adds to each before it is written."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(study)
    rows, columns = np.mgrid[-1:1:512j, -1:1:512j]
    noise = random.integers(-12, 13, (8, SIDE, SIDE), dtype=np.int16)
    paths: list[Path] = []
    for index in range(count):
        radius = 0.55 + 0.25 * np.sin(np.pi * index / max(count - 1, 1))
        body = (rows / 0.8) ** 2 + columns**2 < radius**2
        bone = abs(np.hypot(rows / 0.8, columns) - radius) < 0.03
        pixels = np.where(bone, 1900, np.where(body, 1064, 24)).astype(np.int16) + np.roll(noise[index % 8], index)
        dataset = _dataset(study, index)
        dataset.PixelData = pixels.astype("<i2").tobytes()
        path = folder / f"slice{index:04d}.dcm"
        (finish(dataset) if finish else dataset).save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths


def renumber(paths: list[Path], study: int) -> None:
    """Make another study of the same slices: new UIDs and Patient ID, in place. `study` has six digits, as the old one."""
    old = _number_of(paths[0])
    for path in paths:
        with path.open("r+b") as file:
            head = file.read(HEAD_BYTES)
            file.seek(0)
            file.write(
                head.replace(f"{ROOT}.{old}".encode(), f"{ROOT}.{study}".encode()).replace(
                    f"BENCH-{old}".encode(), f"BENCH-{study}".encode()
                )
            )


def _number_of(path: Path) -> int:
    with path.open("rb") as file:
        return int(file.read(HEAD_BYTES).partition(f"{ROOT}.".encode())[2][:6])


def study_uids(study: int) -> tuple[str, str]:
    """Return the Study and Series Instance UIDs of an invented study."""
    return f"{ROOT}.{study}", f"{ROOT}.{study}.1"


def instance_uid(study: int, index: int) -> str:
    """Return the SOP Instance UID of a slice; `index` counts from zero."""
    return f"{ROOT}.{study}.1.{index + 1}"


def write_multiframe(path: Path, frames: int, *, study: int = 999_999) -> Path:
    """Write one multi-frame grayscale secondary capture of `frames` frames of 0.5 MB, frame by frame."""
    dataset = _dataset(study, 0)
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7.3"  # Multi-frame Grayscale Word Secondary Capture
    dataset.Modality = "OT"
    dataset.NumberOfFrames = frames
    frame = np.random.default_rng(study).integers(0, 4096, SIDE * SIDE, dtype=np.uint16).astype("<u2")
    dataset.PixelData = b""
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.save_as(path, enforce_file_format=True)
    with path.open("r+b") as file:
        file.seek(-4, 2)  # the length of the empty pixel data, which comes last
        file.write((frames * frame.nbytes).to_bytes(4, "little"))
        for index in range(frames):
            file.write(np.roll(frame, index).tobytes())
    return path


def _dataset(study: int, index: int) -> Dataset:
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.SOPClassUID = CTImageStorage
    dataset.SOPInstanceUID = instance_uid(study, index)
    dataset.StudyDate = dataset.SeriesDate = dataset.AcquisitionDate = dataset.ContentDate = "20261122"
    dataset.StudyTime = dataset.SeriesTime = "081500"
    dataset.AccessionNumber = f"BENCH{study:06d}"
    dataset.Modality = "CT"
    dataset.Manufacturer = "Invented"
    dataset.InstitutionName = "Bệnh viện thử nghiệm"
    dataset.StudyDescription = "CT sọ não"
    dataset.SeriesDescription = "Axial 1 mm"
    dataset.PatientName = f"BENCH^{study}"
    dataset.PatientID = f"BENCH-{study}"
    dataset.PatientBirthDate = "19700101"
    dataset.PatientSex = "O"
    dataset.BodyPartExamined = "HEAD"
    dataset.SliceThickness = 1
    dataset.KVP = 120
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = study_uids(study)
    dataset.StudyID = str(study)
    dataset.SeriesNumber = 1
    dataset.InstanceNumber = index + 1
    dataset.ImagePositionPatient = [-120, -120, index]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.FrameOfReferenceUID = f"{ROOT}.{study}.2"
    dataset.SliceLocation = index
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.Rows = dataset.Columns = SIDE
    dataset.PixelSpacing = [0.46875, 0.46875]
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 16, 15, 1
    dataset.WindowCenter, dataset.WindowWidth = 40, 80
    dataset.RescaleIntercept, dataset.RescaleSlope = -1024, 1
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    return dataset
