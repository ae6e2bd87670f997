"""Slides in DICOM made in memory: instances of any tiling, with texture; and the numbers by which tiles are told apart."""

import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.sequence import Sequence as DicomSequence

from kernel.dicom.scanning.part10 import file_meta, read_file_meta
from kernel.dicom.scanning.slide_flavour import WHOLE_SLIDE
from tests.dicom.builders import encoded
from tests.wsi.builders import jpeg, texture
from wsi.dicom_slide import Instance, index_dicom
from wsi.slide import Slide
from wsi.tile_index import SlideIndex

JPEG_BASELINE = "1.2.840.10008.1.2.4.50"
EXPLICIT = "1.2.840.10008.1.2.1"
STUDY, SERIES = "1.2.3.1", "1.2.3.1.1"


class Place(NamedTuple):
    """Where a TILED_SPARSE frame is."""

    column: int  # pixels from the left, from 1
    row: int
    microns: float = 0.0
    path: str = "1"


def tiles_of(pixels: np.ndarray, tile: int) -> list[np.ndarray]:
    """Cut pixels into padded tiles, row by row."""
    height, width = pixels.shape[:2]
    rows, columns = -(-height // tile), -(-width // tile)
    padded = np.pad(pixels, ((0, rows * tile - height), (0, columns * tile - width), (0, 0)), mode="edge")
    return [
        padded[row * tile : (row + 1) * tile, column * tile : (column + 1) * tile]
        for row in range(rows)
        for column in range(columns)
    ]


def a_code(value: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, "SCT", meaning
    return code


def used(name: Dataset, *, code: Dataset | None = None, text: str = "") -> Dataset:
    """Make a step of a preparation."""
    item, step = Dataset(), Dataset()
    item.ConceptNameCodeSequence = [name]
    if code is not None:
        item.ConceptCodeSequence = [code]
    else:
        item.TextValue = text
    step.SpecimenPreparationStepContentItemSequence = [item]
    return step


def a_header(width: int, height: int, tile: int, frames: int, **attributes: Any) -> Dataset:
    """Make what a reader of tiles looks at; TILED_FULL, one focal plane, one optical path."""
    ds = Dataset()
    ds.SOPClassUID = WHOLE_SLIDE
    ds.SOPInstanceUID = f"1.2.3.1.1.{width}"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = STUDY, SERIES
    ds.PatientID, ds.PatientName, ds.Modality = "BN-1", "Nguyen^Thi Hoa", "SM"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    ds.DimensionOrganizationType = "TILED_FULL"
    ds.TotalPixelMatrixColumns, ds.TotalPixelMatrixRows = width, height
    ds.Columns = ds.Rows = tile
    ds.NumberOfFrames = frames
    ds.SamplesPerPixel, ds.PlanarConfiguration, ds.PhotometricInterpretation = 3, 0, "YBR_FULL_422"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
    ds.SpecimenLabelInImage = "NO"
    ds.ImageOrientationSlide = [0, -1, 0, -1, 0, 0]
    measures = Dataset()
    measures.PixelSpacing = [0.0005, 0.00025]
    measures.SpacingBetweenSlices = 0.002
    shared = Dataset()
    shared.PixelMeasuresSequence = DicomSequence([measures])
    ds.SharedFunctionalGroupsSequence = DicomSequence([shared])
    origin = Dataset()
    origin.XOffsetInSlideCoordinateSystem, origin.YOffsetInSlideCoordinateSystem = 20, 40
    ds.TotalPixelMatrixOriginSequence = DicomSequence([origin])
    ds.OpticalPathSequence = DicomSequence([an_optical_path("1", "Brightfield")])
    for name, value in attributes.items():
        setattr(ds, name, value)
    return ds


def an_optical_path(identifier: str, name: str) -> Dataset:
    """Make an item of the Optical Path Sequence."""
    path = Dataset()
    path.OpticalPathIdentifier, path.OpticalPathDescription, path.ObjectiveLensPower = identifier, name, 40
    return path


def placed(ds: Dataset, places: Sequence[Place]) -> Dataset:
    """Make an image TILED_SPARSE."""
    ds.DimensionOrganizationType = "TILED_SPARSE"
    groups: list[Dataset] = []
    for place in places:
        position, identification, group = Dataset(), Dataset(), Dataset()
        position.ColumnPositionInTotalImagePixelMatrix = place.column
        position.RowPositionInTotalImagePixelMatrix = place.row
        position.ZOffsetInSlideCoordinateSystem = place.microns
        identification.OpticalPathIdentifier = place.path
        group.PlanePositionSlideSequence = DicomSequence([position])
        group.OpticalPathIdentificationSequence = DicomSequence([identification])
        groups.append(group)
    ds.PerFrameFunctionalGroupsSequence = DicomSequence(groups)
    return ds


def many_placed(frames: int, *, across: int = 1024, undefined: bool = False, **attributes: Any) -> bytes:
    """Make an instance TILED_SPARSE of so many frames, row by row, each saying where it is; of four bytes each.

    Its items are all of one size; `undefined`: the sequence has a delimiter instead of a length.
    """
    width, height = 8 * min(frames, across), 8 * -(-frames // across)
    ds = placed(a_header(width, height, 8, frames, **attributes), [Place(1, 1)])
    head = encoded(ds)
    at = head.index(b"\x00\x52\x30\x92SQ")
    one = head[at + 12 :]
    groups = np.tile(np.frombuffer(one, np.uint8), (frames, 1))
    numbers = np.arange(frames)
    for element, values in ((0x021E, numbers % across), (0x021F, numbers // across)):
        place = one.index(struct.pack("<HH2sH", 0x0048, element, b"SL", 4)) + 8
        groups[:, place : place + 4] = (values * 8 + 1).astype("<i4").view(np.uint8).reshape(-1, 4)
    length = 0xFFFFFFFF if undefined else groups.size
    end = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0) if undefined else b""
    item = struct.pack("<HHI", 0xFFFE, 0xE000, 4)
    pixels = struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OB", 0, 0xFFFFFFFF) + struct.pack("<HHI", 0xFFFE, 0xE000, 0)
    tiles = b"".join(item + number.to_bytes(4, "big") for number in range(frames))
    told = head[: at + 8] + struct.pack("<I", length) + groups.tobytes() + end
    return told + pixels + tiles + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


def as_file(ds: Dataset, frames: Sequence[bytes], *, table: str = "extended", syntax: str = JPEG_BASELINE) -> bytes:
    """Write an instance; `table` is extended, basic or none."""
    if syntax == EXPLICIT:
        content = b"".join(frames)
        body = encoded(ds) + struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OW", 0, len(content)) + content
        return file_meta(WHOLE_SLIDE, ds.SOPInstanceUID, EXPLICIT) + body
    if table == "extended":
        value, ds.ExtendedOffsetTable, ds.ExtendedOffsetTableLengths = encapsulate_extended(list(frames))
    else:
        value = encapsulate(list(frames), has_bot=table == "basic")
    value += struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    body = encoded(ds) + struct.pack("<HH2sHI", 0x7FE0, 0x10, b"OB", 0, 0xFFFFFFFF) + value
    return file_meta(WHOLE_SLIDE, ds.SOPInstanceUID, syntax) + body


def a_volume(
    width: int = 300, height: int = 200, tile: int = 64, *, table: str = "extended", **attributes: Any
) -> bytes:
    """Make one level of texture as JPEG."""
    frames = [jpeg(one) for one in tiles_of(texture(width, height), tile)]
    return as_file(a_header(width, height, tile, len(frames), **attributes), frames, table=table)


def index_of(*files: bytes) -> SlideIndex:
    """Index files that are in memory."""
    metas = [read_file_meta(one) for one in files]
    return index_dicom(
        [Instance(file, meta.transfer_syntax_uid, meta.dataset_offset) for file, meta in zip(files, metas, strict=True)]
    )


def stored(index: SlideIndex, files: Sequence[bytes], column: int, row: int, *, plane: int = 0, path: int = 0) -> bytes:
    """Read a tile of the finest level as it is stored."""
    span = index.levels[0].span(index.levels[0].number(column, row, plane, path))
    return files[span.file][span.offset : span.offset + span.length]


def slide_of(*files: bytes) -> Slide:
    """Open files that are in memory."""
    return Slide(index_of(*files))
