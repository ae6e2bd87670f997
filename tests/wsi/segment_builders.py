"""Segmentations of slides made in memory, element by element, as any writer may."""

import io
import struct
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from highdicom import seg
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.sr.codedict import codes
from pydicom.uid import generate_uid

from kernel.dicom.scanning.part10 import file_meta, read_file_meta
from kernel.dicom.scanning.scanner import scan_apart
from tests.dicom.builders import encoded
from tests.wsi.bulk_builders import a_code
from tests.wsi.dicom_builders import EXPLICIT, SERIES, STUDY
from wsi.segmentation import Reason, Segmentation, read_segmentation

SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
LABEL_MAP = "1.2.840.10008.5.1.4.1.1.66.7"
SPACE = "1.2.3.1.9"

Masks = Mapping[int, np.ndarray]
"""Samples by number of segment, shape (rows, columns) of the whole matrix; under 0 a label map."""


def a_segment(number: int, label: str) -> Dataset:
    """Make an item of the Segment Sequence."""
    ds = Dataset()
    ds.SegmentNumber, ds.SegmentLabel, ds.SegmentAlgorithmName = number, label, "Mạng nơ-ron"
    ds.SegmentedPropertyCategoryCodeSequence = a_code("Morphologically Altered Structure")
    ds.SegmentedPropertyTypeCodeSequence = a_code("Neoplasm")
    return ds


def a_segmentation(
    masks: Masks,
    *,
    tile: int = 32,
    kind: str = "BINARY",
    step: int = 0,
    full: bool = False,
    spacing_mm: tuple[float, float] | None = (0.0005, 0.00025),
    origin_mm: tuple[float, float] = (20, 40),
    orientation: Sequence[float] = (0, -1, 0, -1, 0, 0),
    labels: Sequence[int] = (),
    **attributes: Any,
) -> bytes:
    """Make a Part 10 file that is about the series of `tests.wsi.dicom_builders`, and lies where that slide lies.

    Its frames say where they are, and those that have nothing are left out; or it is TILED_FULL if `full`.
    They begin `step` pixels from each other, if that is not as large as they are.
    """
    is_map = kind == "LABELMAP"
    height, width = next(iter(masks.values())).shape
    frames: list[np.ndarray] = []
    groups: list[Dataset] = []
    for number, mask in sorted(masks.items()):
        padded = np.pad(mask, ((0, tile), (0, tile)))
        for top in range(0, height, step or tile):
            for left in range(0, width, step or tile):
                samples = padded[top : top + tile, left : left + tile]
                if full or samples.any():
                    frames.append(samples)
                    groups.append(_group(number, left, top, full=full))
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID, ds.SOPInstanceUID = LABEL_MAP if is_map else SEGMENTATION, "1.2.3.8.1"
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = STUDY, "1.2.3.8", SPACE
    ds.PatientID, ds.PatientName, ds.Modality = "BN-1", "Nguyen^Thi Hoa", "SEG"
    ds.SeriesDescription, ds.SegmentationType = "Vùng u", kind
    if kind == "FRACTIONAL":
        ds.MaximumFractionalValue = 200
    ds.SegmentSequence = DicomSequence(
        [a_segment(number, f"Phân vùng {number}") for number in labels or [one for one in masks if one]]
    )
    reference = Dataset()
    reference.SeriesInstanceUID = SERIES
    ds.ReferencedSeriesSequence = DicomSequence([reference])
    ds.DimensionOrganizationType = "TILED_FULL" if full else "TILED_SPARSE"
    ds.TotalPixelMatrixColumns, ds.TotalPixelMatrixRows = width, height
    ds.Columns = ds.Rows = tile
    ds.NumberOfFrames = len(frames)
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PixelRepresentation = 1, "MONOCHROME2", 0
    bits = 1 if kind == "BINARY" else 8
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = bits, bits, bits - 1
    if spacing_mm:
        _place(ds, spacing_mm, origin_mm, orientation)
    ds.PerFrameFunctionalGroupsSequence = DicomSequence(groups)
    for name, value in attributes.items():
        setattr(ds, name, value)
    pixels = np.concatenate([one.ravel() for one in frames])
    content = np.packbits(pixels > 0, bitorder="little").tobytes() if bits == 1 else pixels.astype("u1").tobytes()
    content += b"\0" * (len(content) % 2)
    body = encoded(ds) + struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OB", 0, len(content)) + content
    return file_meta(str(ds.SOPClassUID), str(ds.SOPInstanceUID), EXPLICIT) + body


def _place(
    ds: Dataset, spacing_mm: tuple[float, float], origin_mm: tuple[float, float], orientation: Sequence[float]
) -> None:
    measures, shared, origin = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing = list(spacing_mm)
    shared.PixelMeasuresSequence = DicomSequence([measures])
    ds.SharedFunctionalGroupsSequence = DicomSequence([shared])
    origin.XOffsetInSlideCoordinateSystem, origin.YOffsetInSlideCoordinateSystem = origin_mm
    ds.TotalPixelMatrixOriginSequence = DicomSequence([origin])
    ds.ImageOrientationSlide = list(orientation)


def _group(segment: int, left: int, top: int, *, full: bool) -> Dataset:
    group, position, identification = Dataset(), Dataset(), Dataset()
    if segment:
        identification.ReferencedSegmentNumber = segment
        group.SegmentIdentificationSequence = DicomSequence([identification])
    if not full:
        position.ColumnPositionInTotalImagePixelMatrix = left + 1
        position.RowPositionInTotalImagePixelMatrix = top + 1
        group.PlanePositionSlideSequence = DicomSequence([position])
    return group


def by_highdicom(image: Dataset, masks: np.ndarray, labels: Sequence[str], space: str | None = None) -> bytes:
    """Have highdicom write a segmentation of one image of a slide; `masks` of shape (segments, rows, columns).

    `space`: of another Frame of Reference, and of no image.
    """
    described = [
        seg.SegmentDescription(
            number,
            label,
            codes.SCT.MorphologicallyAbnormalStructure,
            codes.SCT.Neoplasm,
            seg.SegmentAlgorithmTypeValues.MANUAL,
        )
        for number, label in enumerate(labels, 1)
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names of one part
        ds = seg.Segmentation(
            [image],
            np.moveaxis(masks, 0, -1)[None],
            seg.SegmentationTypeValues.BINARY,
            described,
            series_instance_uid=generate_uid(),
            series_number=5,
            sop_instance_uid=generate_uid(),
            instance_number=1,
            manufacturer="VA",
            manufacturer_model_name="VA",
            software_versions="1",
            device_serial_number="1",
            tile_pixel_array=True,
            dimension_organization_type="TILED_SPARSE",
        )
    if space is not None:
        ds.FrameOfReferenceUID = space
        del ds.ReferencedSeriesSequence[0].ReferencedInstanceSequence
    written = io.BytesIO()
    ds.save_as(written, enforce_file_format=True)
    return written.getvalue()


def read(file: bytes) -> Segmentation | Reason:
    """Read a segmentation that is in memory."""
    meta = read_file_meta(file)
    header = scan_apart(file, meta.transfer_syntax_uid, offset=meta.dataset_offset)
    return read_segmentation(header, meta.transfer_syntax_uid)
