"""Images in memory, and the same in another transfer syntax: for tests of transcoding."""

import io
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset

from kernel.dicom.scanning.part10 import file_meta
from kernel.dicom.transcoding.transcode import transcode
from tests.dicom.builders import CT_IMAGE_STORAGE, EXPLICIT, encoded, part10

JPEG = "1.2.840.10008.1.2.4.50"
SV1 = "1.2.840.10008.1.2.4.70"
JPEG_LS = "1.2.840.10008.1.2.4.80"
J2K = "1.2.840.10008.1.2.4.90"
HTJ2K = "1.2.840.10008.1.2.4.201"
RPCL = "1.2.840.10008.1.2.4.202"
RLE = "1.2.840.10008.1.2.5"
COMPRESSED = (SV1, JPEG_LS, J2K, HTJ2K, RPCL, RLE)


def noise(low: int, high: int, dtype: str, shape: tuple[int, ...] = (13, 18)) -> np.ndarray:
    return np.random.default_rng(7).integers(low, high, shape).astype(dtype)


def an_image(array: np.ndarray, *, frames: int = 1, **changes) -> Dataset:
    shape = array.shape[1:] if frames > 1 else array.shape
    color = len(shape) > 2
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = CT_IMAGE_STORAGE, "1.2.3.4.5"
    ds.ImageType = ["ORIGINAL", "PRIMARY"]
    ds.PatientName = "Pretend"
    ds.SamplesPerPixel = 3 if color else 1
    ds.PhotometricInterpretation = "RGB" if color else "MONOCHROME2"
    if color:
        ds.PlanarConfiguration = 0
    ds.NumberOfFrames = str(frames)
    ds.Rows, ds.Columns = shape[:2]
    ds.BitsAllocated = ds.BitsStored = 8 * array.dtype.itemsize
    ds.HighBit = ds.BitsStored - 1
    ds.PixelRepresentation = int(array.dtype.kind == "i")
    data = array.tobytes()
    ds.add_new(0x7FE00010, "OW" if array.dtype.itemsize > 1 else "OB", data + b"\0" * (len(data) % 2))
    for keyword, value in changes.items():
        setattr(ds, keyword, value)
    return ds


def file_of(ds: Dataset, syntax: str = EXPLICIT) -> bytes:
    return part10(encoded(ds, syntax), syntax)


def changed(source: bytes | Path, target: str, **options) -> bytes:
    """Transcode, and give a Part 10 file again."""
    made = transcode(source, target, **options)
    return file_meta(made.sop_class_uid, made.sop_instance_uid, target) + b"".join(made.chunks)


def read(data: bytes) -> Dataset:
    return pydicom.dcmread(io.BytesIO(data))


KINDS = {
    "8 bits": an_image(noise(0, 256, "u1")),
    "8 bits, signed": an_image(noise(-128, 128, "i1")),
    "10 of 16 bits": an_image(noise(0, 1024, "u2"), BitsStored=10, HighBit=9),
    "6 of 16 bits": an_image(noise(0, 64, "u2"), BitsStored=6, HighBit=5),
    "12 of 16 bits": an_image(noise(0, 4096, "u2"), BitsStored=12, HighBit=11),
    "12 of 16 bits, signed": an_image(noise(-2048, 2048, "i2"), BitsStored=12, HighBit=11),
    "12 bits, and more above them": an_image(noise(0, 65536, "u2"), BitsStored=12, HighBit=11),
    "12 bits signed, and more above them": an_image(noise(-32768, 32767, "i2"), BitsStored=12, HighBit=11),
    "16 bits": an_image(noise(0, 65536, "u2")),
    "16 bits, signed": an_image(noise(-32768, 32767, "i2")),
    "MONOCHROME1": an_image(noise(0, 4096, "u2"), BitsStored=12, HighBit=11, PhotometricInterpretation="MONOCHROME1"),
    "RGB": an_image(noise(0, 256, "u1", (13, 18, 3))),
    "RGB of 16 bits": an_image(noise(0, 65536, "u2", (13, 18, 3))),
    "YBR_FULL": an_image(noise(0, 256, "u1", (13, 18, 3)), PhotometricInterpretation="YBR_FULL"),
    "PALETTE COLOR": an_image(noise(0, 256, "u1"), PhotometricInterpretation="PALETTE COLOR"),
    "three frames": an_image(noise(0, 4096, "u2", (3, 13, 18)), frames=3),
    "three frames of color": an_image(noise(0, 256, "u1", (3, 13, 18, 3)), frames=3),
    "one pixel": an_image(noise(0, 256, "u1", (1, 1))),
    "one row": an_image(noise(0, 65536, "u2", (1, 300))),
}
