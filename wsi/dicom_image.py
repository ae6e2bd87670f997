"""What one VL Whole Slide Microscopy instance says of itself (PS3.3 A.32.8): its matrix, its scale, its place on glass."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final, NamedTuple

from kernel.dicom.pixels.image import ImagePixel, image_pixel
from kernel.dicom.scanning.elements import Buffer, Header
from kernel.dicom.scanning.scanner import items_apart, scan_apart
from kernel.dicom.scanning.slide_flavour import Flavour, flavour_of
from kernel.dicom.scanning.values import Values
from wsi.jpeg import Colour
from wsi.limits import PROFILE_BYTES_MAX, malformed
from wsi.tile_index import Coding, Glass, OnGlass

_TOTAL_COLUMNS, _TOTAL_ROWS = 0x00480006, 0x00480007
FOCAL_PLANES: Final = 0x00480303
_SHARED_GROUPS, _PIXEL_MEASURES = 0x52009229, 0x00289110
FRAME_GROUPS: Final = 0x52009230
_OPTICAL_PATHS: Final = 0x00480105
PLANE_POSITION: Final = 0x0048021A
_CONTAINER, _SPECIMENS, _SHORT_DESCRIPTION = 0x00400512, 0x00400560, 0x00400600
_PREPARATION, _STEP_ITEMS = 0x00400610, 0x00400612
_CONCEPT_NAME, _CONCEPT_CODE, _TEXT_VALUE = 0x0040A043, 0x0040A168, 0x0040A160
_CODE_VALUE, _CODE_MEANING = 0x00080100, 0x00080104
_USING_SUBSTANCE: Final = frozenset({"424361007", "G-C350"})  # SCT, and SRT before it
TOLD_MAX: Final = 8  # specimens on a glass, and stains, that are told
STEPS_MAX: Final = 64  # of a preparation that are looked at, and items of one
NOT_SAID: Final = frozenset({"", "unknown", "removed"})  # what converters and de-identifiers write
_CODINGS: Final[Mapping[str, Coding]] = {
    "1.2.840.10008.1.2": "native",
    "1.2.840.10008.1.2.1": "native",
    "1.2.840.10008.1.2.4.50": "jpeg",
    "1.2.840.10008.1.2.4.80": "jpegls",
    "1.2.840.10008.1.2.4.81": "jpegls",
    "1.2.840.10008.1.2.4.90": "jpeg2000",
    "1.2.840.10008.1.2.4.91": "jpeg2000",
    "1.2.840.10008.1.2.4.201": "htj2k",
    "1.2.840.10008.1.2.4.202": "htj2k",
    "1.2.840.10008.1.2.4.203": "htj2k",
    "1.2.840.10008.1.2.5": "rle",
}
_COLOURS: Final[Mapping[str, Colour]] = {
    "RGB": "RGB",
    "YBR_FULL": "YCbCr",
    "YBR_FULL_422": "YCbCr",
    "MONOCHROME2": "grey",
}


class OpticalPath(NamedTuple):
    """One item of the Optical Path Sequence."""

    identifier: str
    name: str


@dataclass(frozen=True, slots=True)
class SlideImage:
    """One instance, scanned."""

    header: Header
    values: Values
    image: ImagePixel
    coding: Coding
    width: int  # pixels of the Total Pixel Matrix
    height: int

    @property
    def flavour(self) -> Flavour:
        """What it shows."""
        return flavour_of(self.values.text(0x00080008), self.values.text(0x00480010))

    @property
    def colour(self) -> Colour:
        """What JPEG tiles hold."""
        return _COLOURS.get(self.image.photometric_interpretation, "YCbCr")

    @property
    def columns(self) -> int:
        """Tiles in a row."""
        return -(-self.width // self.image.columns)

    @property
    def rows(self) -> int:
        """Rows of tiles."""
        return -(-self.height // self.image.rows)

    @property
    def optical_paths(self) -> list[OpticalPath]:
        """Its optical paths in the order of their frames."""
        found = [OpticalPath(one.text(0x00480106), one.text(0x00480107)) for one in self.values.items(_OPTICAL_PATHS)]
        return found or [OpticalPath("", "")]

    @property
    def concatenation(self) -> tuple[str, int]:
        """The UID of the concatenation that it is a part of, or empty, and the frames before it (PS3.3 C.7.6.16.2.2.4)."""
        return self.values.text(0x00209161), unsigned(self.values, 0x00209228) or 0

    @property
    def parts_of_concatenation(self) -> int | None:
        """How many instances its concatenation has, if it says so."""
        return self.values.unsigned(0x00209163)

    @property
    def frames_of_matrix(self) -> int:
        """How many frames fill its matrix, with all its focal planes and optical paths."""
        planes = unsigned(self.values, FOCAL_PLANES) or 1
        return self.columns * self.rows * planes * len(self.optical_paths)

    @property
    def is_sparse(self) -> bool:
        """Whether its frames say where they are."""
        organization = self.values.text(0x00209311)
        if self.header.frame_groups_apart is not None:
            return organization != "TILED_FULL"
        groups = self.values.item(FRAME_GROUPS)
        return organization != "TILED_FULL" and groups is not None and PLANE_POSITION in groups

    def frame_groups(self) -> Iterator[Values]:
        """Yield what each frame says of itself; those of a header that could not hold them are read one by one."""
        yield from self.values.items(FRAME_GROUPS)
        for elements in items_apart(self.header):
            yield Values(self.header, elements)

    @property
    def mpp(self) -> tuple[float, float] | None:
        """Microns a pixel, across and down."""
        groups = self.values.item(_SHARED_GROUPS)
        measures = groups.item(_PIXEL_MEASURES) if groups else None
        spacing = measures.decimals(0x00280030) if measures else ()
        return (spacing[1] * 1000, spacing[0] * 1000) if len(spacing) == 2 and min(spacing) > 0 else None

    @property
    def objective(self) -> float | None:
        """The power of the objective."""
        path = self.values.item(_OPTICAL_PATHS)
        return path.decimal(0x00480112) if path else None

    @property
    def icc_profile(self) -> bytes:
        """The colour profile of its first optical path; empty if it has none, or one that is too long."""
        path = self.values.item(_OPTICAL_PATHS)
        profile = path.raw(0x00282000, PROFILE_BYTES_MAX + 1) if path else b""
        return profile if len(profile) <= PROFILE_BYTES_MAX else b""

    @property
    def on_glass(self) -> OnGlass | None:
        """Where it lies on the glass."""
        orientation = self.values.decimals(0x00480102)
        if len(orientation) != 6:
            return None
        origin = self.values.item(0x00480008)
        place = [origin.decimal(tag) for tag in (0x0040072A, 0x0040073A)] if origin else []
        across, down = (*place, None, None)[:2]
        return OnGlass(orientation, None if across is None or down is None else (across, down))

    @property
    def glass(self) -> Glass:
        """Which glass of the case it is, as far as somebody said."""
        specimens = list(islice(self.values.items(_SPECIMENS), TOLD_MAX))
        told = (one.text(_SHORT_DESCRIPTION) for one in specimens)
        stains = (stain for one in specimens for stain in _stains(one))
        return Glass(
            "".join(_said([self.values.text(_CONTAINER)])),
            tuple(_said(told)),
            tuple(islice(_said(stains), TOLD_MAX)),
        )

    @property
    def plane_distance_microns(self) -> float:
        """The distance of its focal planes from each other."""
        groups = self.values.item(_SHARED_GROUPS)
        measures = groups.item(_PIXEL_MEASURES) if groups else None
        return (measures.decimal(0x00180088) or 0.0) * 1000 if measures else 0.0

    @property
    def plane_microns(self) -> float:
        """The height of its first focal plane over the glass."""
        origin = self.values.item(0x00480008)
        return (origin.decimal(0x0040074A) or 0.0) if origin else 0.0


def read_image(buffer: Buffer, transfer_syntax_uid: str, dataset_offset: int) -> SlideImage:
    """Scan one instance. `buffer` is a map of its file.

    Raises
    ------
    MalformedInstance, LimitExceeded, NotFound
        It is no instance, or has no pixel data.
    MalformedSlide
        Its frames are no bytes of the file, or it has no matrix.
    """
    return image_of(scan_apart(buffer, transfer_syntax_uid, offset=dataset_offset), transfer_syntax_uid)


def image_of(header: Header, transfer_syntax_uid: str) -> SlideImage:
    """Return what a header that was scanned says; raises as `read_image`."""
    image, values = image_pixel(header), Values(header)
    if header.reencoded:
        raise malformed("its transfer syntax leaves no frame as it is in the file")
    width, height = unsigned(values, _TOTAL_COLUMNS), unsigned(values, _TOTAL_ROWS)
    if image.number_of_frames == 1:
        width, height = width or image.columns, height or image.rows
    if not width or not height:
        raise malformed("it does not say how large it is")
    return SlideImage(header, values, image, _coding(transfer_syntax_uid, image), width, height)


def _said(texts: Iterable[str]) -> dict[str, None]:
    """Return what was said, each once."""
    return dict.fromkeys(text for text in texts if text.casefold() not in NOT_SAID)


def _stains(specimen: Values) -> Iterator[str]:
    """Yield what a specimen was stained with (TID 8003 in its preparation), in words."""
    for step in islice(specimen.items(_PREPARATION), STEPS_MAX):
        for item in islice(step.items(_STEP_ITEMS), STEPS_MAX):
            name, code = item.item(_CONCEPT_NAME), item.item(_CONCEPT_CODE)
            if name is not None and name.text(_CODE_VALUE) in _USING_SUBSTANCE:
                yield code.text(_CODE_MEANING) if code is not None else item.text(_TEXT_VALUE)


def _coding(transfer_syntax_uid: str, image: ImagePixel) -> Coding:
    coding: Coding = _CODINGS.get(transfer_syntax_uid, "other")
    samples = 1 if image.photometric_interpretation == "MONOCHROME2" else 3
    shown = image.photometric_interpretation in _COLOURS and image.samples_per_pixel == samples
    return "other" if coding == "jpeg" and not (shown and image.bits_allocated == 8) else coding


def unsigned(values: Values, tag: int) -> int | None:
    """Return the first value of a UL, or of a US where somebody wrote that."""
    value = values.raw(tag, 4)
    return int.from_bytes(value, "little") if len(value) in (2, 4) else None
