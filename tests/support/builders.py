"""Builders of synthetic DICOM that hide what does not matter in a test. The same arguments give the same bytes."""

import hashlib
import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    CTImageStorage,
    ExplicitVRLittleEndian,
    UltrasoundMultiFrameImageStorage,
)


def a_uid(*seed: object) -> str:
    """Return the 2.25 UID that belongs to `seed` (PS3.5 B.2)."""
    digest = hashlib.sha256("|".join(map(str, seed)).encode()).digest()
    return f"2.25.{int.from_bytes(digest[:15], 'big') + (1 << 119)}"


def a_dataset(sop_class_uid: str, *, seed: str, instance: int = 1, **attributes: Any) -> Dataset:
    """Return patient, study, series and instance attributes that a modality would send; keywords override."""
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID = sop_class_uid
    ds.SOPInstanceUID = a_uid(seed, "instance", instance)
    ds.StudyDate, ds.SeriesDate, ds.ContentDate = "20261121", "20261121", "20261121"
    ds.StudyTime, ds.SeriesTime, ds.ContentTime = "013000", "013005", "013010"
    ds.AccessionNumber = "BV26-" + hashlib.sha256(seed.encode()).hexdigest()[:6].upper()
    ds.Manufacturer = "Pretend"
    ds.ReferringPhysicianName = "Lê^Văn Bình"
    ds.PatientName = "Nguyễn^Thị Hương"
    ds.PatientID = "BN0000" + str(int(hashlib.sha256(seed.encode()).hexdigest()[:4], 16))
    ds.PatientBirthDate = "19700412"
    ds.PatientSex = "F"
    ds.StudyInstanceUID = a_uid(seed, "study")
    ds.SeriesInstanceUID = a_uid(seed, "series")
    ds.StudyID = "1"
    ds.SeriesNumber = 1
    ds.InstanceNumber = instance
    ds.update(_overrides(attributes))
    return ds


def _overrides(attributes: dict[str, Any]) -> Dataset:
    ds = Dataset()
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    return ds


def with_pixels(ds: Dataset, pixels: np.ndarray, **attributes: Any) -> Dataset:
    """Add an Image Pixel Module for `pixels`: (rows, columns), (frames, rows, columns) or (..., 3) of uint8, uint16, int16."""
    color = pixels.shape[-1] == 3
    plane = pixels.shape[:-1] if color else pixels.shape
    ds.SamplesPerPixel = 3 if color else 1
    ds.PhotometricInterpretation = "RGB" if color else "MONOCHROME2"
    if color:
        ds.PlanarConfiguration = 0
    if len(plane) == 3:
        ds.NumberOfFrames = plane[0]
    ds.Rows, ds.Columns = plane[-2:]
    ds.BitsAllocated = ds.BitsStored = pixels.dtype.itemsize * 8
    ds.HighBit = ds.BitsStored - 1
    ds.PixelRepresentation = int(pixels.dtype.kind == "i")
    data = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
    ds.PixelData = data + b"\0" * (len(data) % 2)
    ds["PixelData"].VR = "OB" if pixels.dtype.itemsize == 1 else "OW"
    ds.update(_overrides(attributes))
    return ds


def a_ct(*, seed: str = "ct", instance: int = 1, rows: int = 64, columns: int = 64, **attributes: Any) -> Dataset:
    """Return a CT slice: a disc whose brightness and place depend on the instance, 5 mm apart."""
    ds = a_dataset(CTImageStorage, seed=seed, instance=instance)
    ds.Modality = "CT"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.StudyDescription = "CT so nao"
    ds.SeriesDescription = "Axial 5mm"
    ds.BodyPartExamined = "HEAD"
    ds.PatientPosition = "HFS"
    ds.KVP = "120"
    ds.AcquisitionNumber = 1
    ds.FrameOfReferenceUID = a_uid(seed, "frame of reference")
    ds.PositionReferenceIndicator = ""
    ds.ImagePositionPatient = ["-120", "-120", str(5.0 * instance)]
    ds.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    ds.PixelSpacing = ["0.5", "0.5"]
    ds.SliceThickness = "5"
    ds.RescaleIntercept, ds.RescaleSlope = "-1024", "1"
    ds.WindowCenter, ds.WindowWidth = "40", "80"
    y, x = np.mgrid[0:rows, 0:columns]
    inside = (y - rows / 2) ** 2 + (x - columns / 2) ** 2 < (min(rows, columns) * 0.4) ** 2
    noise = np.random.default_rng(instance).integers(0, 12, (rows, columns))
    with_pixels(ds, (np.where(inside, 1040 + instance * 3, 24) + noise).astype("<i2"))
    ds.update(_overrides(attributes))
    return ds


def a_ct_series(count: int, *, seed: str = "ct", **attributes: Any) -> Iterator[Dataset]:
    """Yield the slices of one series in order."""
    return (a_ct(seed=seed, instance=number, **attributes) for number in range(1, count + 1))


def a_cr(*, seed: str = "cr", **attributes: Any) -> Dataset:
    """Return a chest CR of 128 x 96, MONOCHROME1, 12 bits stored."""
    ds = a_dataset(ComputedRadiographyImageStorage, seed=seed)
    ds.Modality = "CR"
    ds.ImageType = ["ORIGINAL", "PRIMARY"]
    ds.BodyPartExamined = "CHEST"
    ds.ViewPosition = "PA"
    ds.PatientOrientation = ["L", "F"]
    ds.ImagerPixelSpacing = ["0.2", "0.2"]
    pixels = (np.mgrid[0:128, 0:96].sum(axis=0) * 16 % 4096).astype("<u2")
    with_pixels(ds, pixels, PhotometricInterpretation="MONOCHROME1", BitsStored=12, HighBit=11)
    ds.update(_overrides(attributes))
    return ds


def an_us_cine(*, seed: str = "us", frames: int = 5, **attributes: Any) -> Dataset:
    """Return an RGB ultrasound cine of 48 x 64."""
    ds = a_dataset(UltrasoundMultiFrameImageStorage, seed=seed)
    ds.Modality = "US"
    ds.ImageType = ["ORIGINAL", "PRIMARY"]
    ds.BodyPartExamined = "HEART"
    ds.PatientOrientation = ""
    ds.FrameTime = "40"
    ds.FrameIncrementPointer = 0x00181063
    pixels = np.zeros((frames, 48, 64, 3), "u1")
    for frame in range(frames):
        pixels[frame, frame * 4 : frame * 4 + 8, 20:40] = (200, 120, 40)
    with_pixels(ds, pixels)
    ds.update(_overrides(attributes))
    return ds


def as_file(ds: Dataset, transfer_syntax_uid: str = ExplicitVRLittleEndian) -> bytes:
    """Return the Part 10 file of a data set (native transfer syntaxes and deflated)."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = transfer_syntax_uid
    meta.MediaStorageSOPClassUID = ds.get("SOPClassUID", "")
    meta.MediaStorageSOPInstanceUID = ds.get("SOPInstanceUID", "")
    file = FileDataset("", ds, preamble=b"\0" * 128, file_meta=meta)
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, file, enforce_file_format=True)
    return buffer.getvalue()


def as_dataset_bytes(ds: Dataset, transfer_syntax_uid: str = ExplicitVRLittleEndian) -> bytes:
    """Return the encoded data set alone, as it travels in P-DATA."""
    content = as_file(ds, transfer_syntax_uid)
    meta_length = int.from_bytes(content[140:144], "little")
    return content[144 + meta_length :]
