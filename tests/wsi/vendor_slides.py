"""Tiny slides as scanners of other vendors write them, by what OpenSlide looks for in them; each names a patient."""

import struct
from pathlib import Path
from typing import Final

import numpy as np

from tests.wsi.builders import ASCII, BYTE, LONG, SHORT, Field, a_level, a_tiff, jpeg

PATIENT: Final = "TRAN VAN BINH"
_XMP: Final = 700
_NDPI_FLAG, _NDPI_LENS, _NDPI_FOCAL_PLANE, _NDPI_REFERENCE = 65420, 65421, 65424, 65427
_SIGNED, _FLOAT = 9, 11  # TIFF's types of numbers
_SCN: Final = """<?xml version="1.0"?>
<scn xmlns="http://www.leica-microsystems.com/scn/2010/10/01">
 <collection name="{name}" sizeX="{glass_x}" sizeY="{glass_y}"><barcode>{name}</barcode>
  <image name="macro"><creationDate>2026-01-01T00:00:00Z</creationDate><device model="SCN" version="1"/>
   <pixels sizeX="64" sizeY="64"><dimension sizeX="64" sizeY="64" r="0" ifd="1"/></pixels>
   <view sizeX="{glass_x}" sizeY="{glass_y}" offsetX="0" offsetY="0"/>
   <scanSettings><objectiveSettings><objective>1</objective></objectiveSettings><illuminationSettings>
    <illuminationSource>brightfield</illuminationSource></illuminationSettings></scanSettings></image>
  <image name="tissue"><creationDate>2026-01-01T00:00:00Z</creationDate><device model="SCN of {name}" version="1"/>
   <pixels sizeX="{width}" sizeY="{height}"><dimension sizeX="{width}" sizeY="{height}" r="0" ifd="0"/></pixels>
   <view sizeX="{across}" sizeY="{down}" offsetX="0" offsetY="{down}"/>
   <scanSettings><objectiveSettings><objective>20</objective></objectiveSettings><illuminationSettings>
    <illuminationSource>brightfield</illuminationSource></illuminationSettings></scanSettings></image>
 </collection></scn>"""
_SLIDEDAT: Final = """[GENERAL]
SLIDE_VERSION=01.02
SLIDE_ID={name}
SLIDE_NAME={name}
IMAGENUMBER_X={columns}
IMAGENUMBER_Y={rows}
OBJECTIVE_MAGNIFICATION=20
CameraImageDivisionsPerSide=1
[HIERARCHICAL]
INDEXFILE=Index.dat
HIER_COUNT=1
NONHIER_COUNT=0
HIER_0_NAME=Slide zoom level
HIER_0_COUNT=1
HIER_0_VAL_0=ZoomLevel_0
HIER_0_VAL_0_SECTION=LAYER_0_LEVEL_0_SECTION
[LAYER_0_LEVEL_0_SECTION]
IMAGE_FORMAT=JPEG
IMAGE_FILL_COLOR_BGR=16777215
IMAGE_CONCAT_FACTOR=0
OVERLAP_X=0
OVERLAP_Y=0
MICROMETER_PER_PIXEL_X=0.5
MICROMETER_PER_PIXEL_Y=0.5
DIGITIZER_WIDTH={tile}
DIGITIZER_HEIGHT={tile}
[DATAFILE]
FILE_COUNT=1
FILE_0=Data0000.dat
"""
_NANOMETERS: Final = 500  # a pixel


def an_scn(pixels: np.ndarray) -> bytes:
    """Make a Leica SCN: its XML says which directory is the tissue, and which the whole glass."""
    height, width = pixels.shape[:2]
    told = _SCN.format(
        name=PATIENT, width=width, height=height, across=width * _NANOMETERS, down=height * _NANOMETERS,
        glass_x=2 * width * _NANOMETERS, glass_y=2 * height * _NANOMETERS,
    )  # fmt: skip
    tissue = a_level(pixels, 128, description=told.encode())
    return a_tiff(tissue, a_level(_macro(), 64), big=True)


def a_bif(pixels: np.ndarray, tile: int = 128) -> bytes:
    """Make a Ventana BIF of one area whose tiles do not overlap; its sides are whole tiles."""
    height, width = pixels.shape[:2]
    columns, rows = width // tile, height // tile
    joints = "".join(
        f'<TileJointInfo FlagJoined="1" Confidence="100" Direction="{direction}" Tile1="{one}" Tile2="{other}"'
        ' OverlapX="0" OverlapY="0"/>'
        for direction, one, other in _joints(columns, rows)
    )
    encoded = (
        '<EncodeInfo Ver="2"><SlideStitchInfo><ImageInfo AOIScanned="1" AOIIndex="0"'
        f' Width="{tile}" Height="{tile}" NumRows="{rows}" NumCols="{columns}" Pos-X="0" Pos-Y="0">{joints}</ImageInfo>'
        '</SlideStitchInfo><AoiOrigin><AOI0 OriginX="0" OriginY="0"/></AoiOrigin></EncodeInfo>'
    )
    scanned = f'<iScan Magnification="20" ScanRes="0.5" Z-layers="1" UserName="{PATIENT}"><AOI0 Left="0"/></iScan>'
    label = a_level(_macro(), 64, description=b"Label Image")
    tissue = a_level(pixels, tile, description=b"level=0 mag=20 quality=95")
    fields = {**tissue.fields, _XMP: Field(BYTE, encoded.encode())}
    return a_tiff(
        label._replace(fields={**label.fields, _XMP: Field(BYTE, scanned.encode())}),
        tissue._replace(fields=fields),
        big=True,
    )


def _joints(columns: int, rows: int) -> list[tuple[str, int, int]]:
    """Name neighbours, tiles counted from one along a serpentine from the lower left."""

    def number(column: int, row: int) -> int:
        return row * columns + (column if row % 2 == 0 else columns - 1 - column) + 1

    across = [("RIGHT", number(c, r), number(c + 1, r)) for r in range(rows) for c in range(columns - 1)]
    return across + [("UP", number(c, r), number(c, r + 1)) for r in range(rows - 1) for c in range(columns)]


def an_ndpi(pixels: np.ndarray, *heights: int) -> bytes:
    """Make a Hamamatsu NDPI: a TIFF with offsets of 8 bytes between directories, one JPEG each.

    `heights` are those of further focal planes, in nanometres from the one in focus.
    """
    out = bytearray(b"II*\0" + struct.pack("<Q", 0))
    link = 4
    planes = [(pixels, 20.0, height) for height in (0, *heights)]
    for picture, lens, plane in (*planes, (_macro(), -1.0, 0)):
        height, width = picture.shape[:2]
        stored = jpeg(picture, subsampling=0)
        at = len(out)
        out += stored
        maker = len(out)
        out += b"Hamamatsu\0"
        reference = len(out)
        out += PATIENT.encode() + b"\0"
        out += b"\0" * (-len(out) % 8)
        bits = len(out)
        out += struct.pack("<HHHH", 8, 8, 8, 0)
        rationals = len(out)
        out += struct.pack("<IIII", 20_000, 1, 20_000, 1)  # pixels a centimetre
        entries = [
            (256, LONG, 1, width), (257, LONG, 1, height), (258, SHORT, 3, bits), (259, SHORT, 1, 7),
            (262, SHORT, 1, 6), (271, ASCII, 10, maker), (273, LONG, 1, at),
            (277, SHORT, 1, 3), (278, LONG, 1, height), (279, LONG, 1, len(stored)), (282, 5, 1, rationals),
            (283, 5, 1, rationals + 8), (296, SHORT, 1, 3), (_NDPI_FLAG, LONG, 1, 1),
            (_NDPI_LENS, _FLOAT, 1, int.from_bytes(struct.pack("<f", lens), "little")),
            (_NDPI_FOCAL_PLANE, _SIGNED, 1, plane & 0xFFFFFFFF),
            (_NDPI_REFERENCE, ASCII, len(PATIENT) + 1, reference),
        ]  # fmt: skip
        struct.pack_into("<Q", out, link, len(out))
        out += struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
        link = len(out)
        out += struct.pack("<Q", 0)
    return bytes(out)


def an_mrxs(pixels: np.ndarray, path: Path, tile: int = 128) -> None:
    """Write a 3DHISTECH MIRAX slide: `path`, and beside it a folder of an ini file, an index and the tiles."""
    height, width = pixels.shape[:2]
    columns, rows = width // tile, height // tile
    folder = path.with_suffix("")
    folder.mkdir()
    path.write_bytes(jpeg(_macro()))
    (folder / "Slidedat.ini").write_text(_SLIDEDAT.format(name=PATIENT, columns=columns, rows=rows, tile=tile))
    head = b"01.02" + PATIENT.encode()
    data, records = bytearray(head), bytearray()
    for number in range(columns * rows):
        row, column = divmod(number, columns)
        stored = jpeg(pixels[row * tile : (row + 1) * tile, column * tile : (column + 1) * tile])
        records += struct.pack("<4i", number, len(data), len(stored), 0)
        data += stored
    (folder / "Data0000.dat").write_bytes(data)
    root = len(head) + 8  # of the levels; then the list of the one there is, then its page
    index = head + struct.pack("<2i", root, 0) + struct.pack("<i", root + 4)
    page = struct.pack("<2i", 0, root + 12) + struct.pack("<2i", columns * rows, 0) + records
    (folder / "Index.dat").write_bytes(index + page)


def _macro() -> np.ndarray:
    """Return a picture of the whole glass, dark, shape (64, 64, 3)."""
    return np.full((64, 64, 3), (20, 20, 160), np.uint8)
