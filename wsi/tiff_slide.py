"""Slides in TIFF files whose tiles can be served as they are: Aperio SVS and generic tiled pyramids.

What other vendors do in TIFF's clothes (offsets beyond 4 GiB in NDPI, overlapping scans in BIF, several regions in SCN)
is not read here: such a file is OpenSlide's, and `index_tiff` says so.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import numpy as np

from wsi.jpeg import Colour, frame_of, tables_of
from wsi.limits import PROFILE_BYTES_MAX, TABLES_BYTES_MAX, TEXT_BYTES_MAX, TILES_MAX, exceeded, malformed
from wsi.tiff import Buffer, Directory, Tag, directories, sub_directories
from wsi.tile_index import Associated, Coding, Level, SlideIndex, checked

APERIO: Final = "aperio"
GENERIC: Final = "generic-tiff"
ASPECT_TOLERANCE: Final = 0.02  # by which a level's proportions may differ from the finest one's: it is rounded

_CODINGS: Final[Mapping[int, Coding]] = {
    1: "native",
    7: "jpeg",
    33003: "jpeg2000",
    33005: "jpeg2000",
    34712: "jpeg2000",
}
_PHOTOMETRIC_RGB, _PHOTOMETRIC_YCBCR = 2, 6
_MICRONS: Final = {2: 25_400.0, 3: 10_000.0}  # in an inch, in a centimetre, by ResolutionUnit
_MPP = re.compile(r"\|\s*MPP\s*=\s*([0-9.]{1,20})")
_DATE = re.compile(r"\|\s*Date\s*=\s*(\d\d/\d\d/\d\d)\s*\|")
_TIME = re.compile(r"\|\s*Time\s*=\s*(\d\d:\d\d:\d\d)")
_POWER = re.compile(r"\|\s*AppMag\s*=\s*([0-9.]{1,20})")
# What says that a file is another vendor's, by a word of its Make, Software or description.
_OTHERS: Final = ("hamamatsu", "leica", "scanscope_scn", "<scn", "ventana", "iscan", "philips", "trestle", "3dhistech")


class Decline(NamedTuple):
    """Why tiles of a readable TIFF cannot be served as they are; OpenSlide may be able to decode them."""

    reason: str


def index_tiff(buffer: Buffer) -> SlideIndex | Decline:
    """Find the tiles of a TIFF slide.

    Raises
    ------
    MalformedSlide
        It is no TIFF, or its directories or tiles lead nowhere.
    LimitExceeded
        It is larger than a slide may be, or has focal planes or channels, of which one alone would be shown.
    """
    found = directories(buffer)
    if not found:
        raise malformed("it has no picture")
    first = found[0]
    description = first.text(Tag.IMAGE_DESCRIPTION, bytes_max=TEXT_BYTES_MAX)
    vendor = APERIO if description.startswith("Aperio") else GENERIC
    told = " ".join(
        (description[:4096], *(first.text(tag, bytes_max=TEXT_BYTES_MAX) for tag in (Tag.MAKE, Tag.SOFTWARE)))
    )
    if vendor == GENERIC and (any(word in told.lower() for word in _OTHERS) or _is_marked(found)):
        return Decline("it is of a vendor whose tiles overlap or are told elsewhere")
    tiled = [one for one in (*found, *sub_directories(buffer, first)) if Tag.TILE_OFFSETS in one]
    if first not in tiled:
        return Decline("its finest level has no tiles")
    levels: list[Level] = []
    for directory in _pyramid(tiled):
        level = _level(buffer, directory)
        if isinstance(level, Decline):
            return level
        levels.append(level)
    return SlideIndex(
        vendor=vendor,
        mpp=_aperio_mpp(description) if vendor == APERIO else _tiff_mpp(first),
        objective=_number(_POWER, description) if vendor == APERIO else None,
        icc_profile=first.octets(Tag.ICC_PROFILE, bytes_max=PROFILE_BYTES_MAX),
        levels=tuple(levels),
        acquired_at=_acquired_at(description) if vendor == APERIO else None,
        associated=tuple(_associated(found, vendor)),
    )


def _is_marked(found: Sequence[Directory]) -> bool:
    """Whether a vendor that no word names is known by its own fields; Ventana's first picture is the label."""
    return any(
        Tag.NDPI in one or b"iScan" in one.octets(Tag.XMP, bytes_max=TEXT_BYTES_MAX)
        for one in found
    )  # fmt: skip


def _pyramid(tiled: Sequence[Directory]) -> list[Directory]:
    """Return the levels of the first image, finest first: of its proportions, and each smaller than the one before."""
    width, height = (tiled[0].integer(tag) for tag in (Tag.IMAGE_WIDTH, Tag.IMAGE_LENGTH))
    if not width or not height:
        raise malformed("a level has no pixels")
    alike = [one for one in tiled if one.integer(Tag.IMAGE_WIDTH) == width and one.integer(Tag.IMAGE_LENGTH) == height]
    if len(alike) > 1:  # nobody would know that there are more than the one that is shown
        raise exceeded("pictures of its full size (focal planes, channels)", len(alike), 1)
    chosen = [tiled[0]]
    for one in sorted(tiled[1:], key=lambda directory: -directory.integer(Tag.IMAGE_WIDTH)):
        across, down = one.integer(Tag.IMAGE_WIDTH), one.integer(Tag.IMAGE_LENGTH)
        if not across or not down or across >= chosen[-1].integer(Tag.IMAGE_WIDTH):
            continue
        scale = width / across
        if abs(height / down / scale - 1) <= max(ASPECT_TOLERANCE, 1 / min(across, down)):
            chosen.append(one)
    return chosen


def _level(buffer: Buffer, directory: Directory) -> Level | Decline:
    coding = _CODINGS.get(directory.integer(Tag.COMPRESSION, 1))
    if coding is None:
        return Decline("its tiles are compressed in a way that browsers and DICOM do not know")
    samples = directory.integer(Tag.SAMPLES_PER_PIXEL, 1)
    bits = directory.integers(Tag.BITS_PER_SAMPLE, count_max=8)
    if (
        samples not in (1, 3)
        or any(int(one) != 8 for one in bits)
        or directory.integer(Tag.PLANAR_CONFIGURATION, 1) != 1
    ):
        return Decline("its pixels are not of one or three samples of 8 bits side by side")
    offsets = directory.integers(Tag.TILE_OFFSETS, count_max=TILES_MAX)
    lengths = directory.integers(Tag.TILE_BYTE_COUNTS, count_max=TILES_MAX)
    if len(lengths) and int(lengths.max()) > np.iinfo(np.uint32).max:
        raise malformed("a tile lies past the end of the file")
    tables = directory.octets(Tag.JPEG_TABLES, bytes_max=TABLES_BYTES_MAX) if coding == "jpeg" else b""
    level = checked(
        Level(
            width=directory.integer(Tag.IMAGE_WIDTH),
            height=directory.integer(Tag.IMAGE_LENGTH),
            tile_width=directory.integer(Tag.TILE_WIDTH),
            tile_height=directory.integer(Tag.TILE_LENGTH),
            coding=coding,
            colour=_colour(directory, samples),
            tables=tables_of(tables),
            planes=1,
            paths=1,
            offsets=offsets,
            lengths=lengths.astype(np.uint32),
            files=np.zeros(len(offsets), np.uint16),
        ),
        [len(buffer)],
    )
    return (_refused_jpeg(buffer, level) if coding == "jpeg" else None) or level


def _refused_jpeg(buffer: Buffer, level: Level) -> Decline | None:
    """Look at one tile: whether browsers show what this level holds."""
    stored = np.flatnonzero(level.lengths)
    if not len(stored):
        return None
    span = level.span(int(stored[0]))
    frame = frame_of(bytes(buffer[span.offset : span.offset + span.length]))
    shown = frame.is_baseline and frame.precision == 8
    return None if shown else Decline("its tiles are JPEGs that browsers do not show")


def _colour(directory: Directory, samples: int) -> Colour:
    """Return what the directory says, whatever marks the tiles have: libtiff and OpenSlide do not look at those."""
    if samples == 1:
        return "grey"
    photometric = directory.integer(Tag.PHOTOMETRIC_INTERPRETATION, _PHOTOMETRIC_RGB)
    return "YCbCr" if photometric == _PHOTOMETRIC_YCBCR else "RGB"


def _associated(found: Sequence[Directory], vendor: str) -> list[Associated]:
    """Name the pictures that have no tiles: by Aperio's own rules, else nothing is believed to be a mere thumbnail."""
    pictures: list[Associated] = []
    for number, directory in enumerate(found):
        if Tag.TILE_OFFSETS in directory:
            continue
        words = directory.text(Tag.IMAGE_DESCRIPTION, bytes_max=TEXT_BYTES_MAX).partition("\n")[2].split(maxsplit=1)
        word = words[0].lower() if words else ""
        if vendor == APERIO and word in ("label", "macro"):
            pictures.append(Associated("label" if word == "label" else "macro", directory.offset))
        elif vendor == APERIO and number == 1 and not directory.integer(Tag.NEW_SUBFILE_TYPE, 0):
            pictures.append(Associated("thumbnail", directory.offset))
        else:
            pictures.append(Associated("other", directory.offset))
    return pictures


def _aperio_mpp(description: str) -> tuple[float, float] | None:
    mpp = _number(_MPP, description)
    return (mpp, mpp) if mpp else None


def _acquired_at(description: str) -> datetime | None:
    day, moment = _DATE.search(description), _TIME.search(description)
    if day is None or moment is None:
        return None
    try:
        return datetime.strptime(f"{day[1]} {moment[1]}", "%m/%d/%y %H:%M:%S")  # noqa: DTZ007 - a scanner has no zone
    except ValueError:
        return None


def _number(pattern: re.Pattern[str], text: str) -> float | None:
    match = pattern.search(text)
    try:
        return float(match[1]) if match else None
    except ValueError:
        return None


def _tiff_mpp(directory: Directory) -> tuple[float, float] | None:
    microns = _MICRONS.get(directory.integer(Tag.RESOLUTION_UNIT, 2))
    across, down = directory.rational(Tag.X_RESOLUTION), directory.rational(Tag.Y_RESOLUTION)
    if microns is None or not across or not down or across <= 0 or down <= 0:
        return None
    return microns / across, microns / down
