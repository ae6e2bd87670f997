"""The header of a VL Whole Slide Microscopy image made of a vendor's level (PS3.3 A.32.8), all but its pixels.

Modules about the patient, the slide and the light path are written by wsidicom's metadata classes, which know their
types and defaults; what follows from the tiles is written here.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import UID
from pydicom.valuerep import DSfloat
from wsidicom.codec import LossyCompressionIsoStandard
from wsidicom.geometry import PointMm, SizeMm
from wsidicom.metadata import (
    Equipment,
    Image,
    ImageCoordinateSystem,
    ImageType,
    Label,
    LossyCompression,
    Objectives,
    OpticalPath,
    Patient,
    Pyramid,
    Series,
    Slide,
    SlideSample,
    Study,
    WsiMetadata,
)
from wsidicom.metadata.schema.dicom.wsi import WsiMetadataDicomSchema

from wsi.limits import malformed
from wsi.tile_index import Level, SlideIndex

JPEG_BASELINE: Final = "1.2.840.10008.1.2.4.50"
DEPTH_MM: Final = 0.0005  # of the imaged volume: must not be 0 (PS3.3 C.8.12.4.1.2); a plane's usual thickness
UNKNOWN: Final = "Unknown"  # the container's identifier when nobody gave one: it must have a value
_MANUFACTURERS: Final[Mapping[str, str]] = {"aperio": "Leica Biosystems"}


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose slide it is, as the requesting side says; nothing of it is taken from the vendor's file."""

    patient_id: str = field(default="", repr=False)
    patient_name: str = field(default="", repr=False)
    accession_number: str = field(default="", repr=False)
    study_instance_uid: str = ""  # empty: one made of the slide
    container: str = field(default="", repr=False)  # the slide's own identifier


def uid_of(digest: bytes, role: str) -> str:
    """Return a UID that is the same whenever it is asked for: 2.25 and 128 bits of a hash (PS3.5 B.2)."""
    return f"2.25.{int.from_bytes(hashlib.sha256(digest + role.encode()).digest()[:16], 'big')}"


def header_of(index: SlideIndex, number: int, identity: Identity, digest: bytes) -> Dataset:
    """Return the data set of one level but for NumberOfFrames, SOP Instance UID and pixel data.

    Parameters
    ----------
    number
        Of the level in the index.
    digest
        What all UIDs of this slide are made of.

    Raises
    ------
    MalformedSlide
        The slide does not say how large a pixel is; without that it is no volume image.
    """
    level, finest = index.levels[number], index.levels[0]
    if index.mpp is None:
        raise malformed("it does not say how many microns a pixel has (give them with --mpp)")
    spacing = SizeMm(
        index.mpp[0] / 1000 * finest.width / level.width, index.mpp[1] / 1000 * finest.height / level.height
    )
    schema = WsiMetadataDicomSchema()
    ds: Dataset = schema.dump(
        _metadata(index, level, spacing, identity, digest), ImageType.VOLUME, require_icc_profile=level.colour != "grey"
    )
    kind = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"] if number == 0 else ["DERIVED", "PRIMARY", "VOLUME", "RESAMPLED"]
    ds.ImageType = kind
    ds.InstanceNumber = number + 1
    _write_pixels_module(ds, level)
    _write_matrix(ds, level, spacing)
    ds.SharedFunctionalGroupsSequence = _shared(ds, kind, spacing)
    return ds


def _metadata(index: SlideIndex, level: Level, spacing: SizeMm, identity: Identity, digest: bytes) -> WsiMetadata:
    ratio = level.width * level.height * (1 if level.colour == "grey" else 3) / max(1, int(level.lengths.sum()))
    container = identity.container or UNKNOWN
    origin = ImageCoordinateSystem(PointMm(0, 0), rotation=0)
    return WsiMetadata(
        study=Study(
            uid=UID(identity.study_instance_uid or uid_of(digest, "study")),
            accession_number=identity.accession_number or None,
        ),
        series=Series(uid=UID(uid_of(digest, "series")), number=1),
        patient=Patient(name=identity.patient_name or None, identifier=identity.patient_id or None),
        equipment=Equipment(manufacturer=_MANUFACTURERS.get(index.vendor)),
        slide=Slide(identifier=container, samples=[SlideSample(container, uid=UID(uid_of(digest, "specimen")))]),
        pyramid=Pyramid(
            image=Image(
                acquisition_datetime=index.acquired_at,
                content_datetime=index.acquired_at,
                pixel_spacing=spacing,
                image_coordinate_system=origin,
                lossy_compressions=[LossyCompression(LossyCompressionIsoStandard.JPEG_LOSSY, round(ratio, 2))],
            ),
            optical_paths=[
                OpticalPath(
                    icc_profile=index.icc_profile or None, objective=Objectives(objective_power=index.objective)
                )
            ],
            uid=UID(uid_of(digest, "pyramid")),
        ),
        label=Label(),
        frame_of_reference_uid=UID(uid_of(digest, "frame of reference")),
        dimension_organization_uids=[UID(uid_of(digest, "dimensions"))],
    )


def _write_pixels_module(ds: Dataset, level: Level) -> None:
    ds.SamplesPerPixel = 1 if level.colour == "grey" else 3
    photometric: dict[str, Literal["MONOCHROME2", "RGB", "YBR_FULL_422"]] = {
        "grey": "MONOCHROME2",
        "RGB": "RGB",
        "YCbCr": "YBR_FULL_422",
    }
    ds.PhotometricInterpretation = photometric[level.colour]
    if level.colour != "grey":
        ds.PlanarConfiguration = 0
    ds.Rows, ds.Columns = level.tile_height, level.tile_width
    ds.BitsAllocated = ds.BitsStored = 8
    ds.HighBit, ds.PixelRepresentation = 7, 0
    ds.BurnedInAnnotation = "NO"  # of the tissue's own levels; the label is not among them
    ds.LossyImageCompression = "01"


def _write_matrix(ds: Dataset, level: Level, spacing: SizeMm) -> None:
    ds.TotalPixelMatrixColumns, ds.TotalPixelMatrixRows = level.width, level.height
    ds.TotalPixelMatrixFocalPlanes = level.planes
    ds.NumberOfOpticalPaths = level.paths
    ds.DimensionOrganizationType = "TILED_FULL"
    ds.ImagedVolumeWidth = level.width * spacing.width
    ds.ImagedVolumeHeight = level.height * spacing.height
    ds.ImagedVolumeDepth = DEPTH_MM * 1000  # of this one the unit is microns


def _shared(ds: Dataset, kind: list[str], spacing: SizeMm) -> DicomSequence:
    measures, frame_type, shared = Dataset(), Dataset(), Dataset()
    measures.PixelSpacing = [DSfloat(spacing.height, auto_format=True), DSfloat(spacing.width, auto_format=True)]
    measures.SliceThickness = DSfloat(DEPTH_MM, auto_format=True)
    frame_type.FrameType = kind
    shared.PixelMeasuresSequence = DicomSequence([measures])
    shared.WholeSlideMicroscopyImageFrameTypeSequence = DicomSequence([frame_type])
    optical = Dataset()
    optical.OpticalPathIdentifier = ds.OpticalPathSequence[0].OpticalPathIdentifier
    shared.OpticalPathIdentificationSequence = DicomSequence([optical])
    return DicomSequence([shared])
