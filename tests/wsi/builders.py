"""Slides made in memory: TIFF files of any directories, right or wrong, and tiles with texture."""

import io
import struct
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from kernel.dicom.pixels.srgb import srgb_profile
from wsi.tiff import Tag

BYTE, ASCII, SHORT, LONG, RATIONAL, LONG8 = 1, 2, 3, 4, 5, 16
_FORMS = {BYTE: "B", ASCII: "B", SHORT: "H", LONG: "I", LONG8: "Q"}


class Field(NamedTuple):
    """A TIFF field: its type, and its values as numbers or bytes."""

    kind: int
    values: Any


class Picture(NamedTuple):
    """One directory: its fields, and the tiles or strips that its offsets will lead to."""

    fields: Mapping[int, Field]
    pieces: Sequence[bytes] = ()


def a_tiff(*pictures: Picture, big: bool = False, order: str = "<", loop: bool = False) -> bytes:
    """Write a TIFF of these directories; `loop` leads from the last back to the first."""
    word, count_form, width = ("Q", "Q", 8) if big else ("I", "H", 4)
    mark = b"II" if order == "<" else b"MM"
    out = bytearray(mark + struct.pack(order + "HHHQ", 43, 8, 0, 0) if big else mark + struct.pack(order + "HI", 42, 0))
    link = 8 if big else 4
    first = 0
    for number, picture in enumerate(pictures):
        offsets: list[int] = []
        for piece in picture.pieces:
            offsets.append(len(out))
            out += piece
        fields = dict(picture.fields)
        if picture.pieces:
            tiled = Tag.TILE_WIDTH in fields
            at, lengths = (
                (Tag.TILE_OFFSETS, Tag.TILE_BYTE_COUNTS) if tiled else (Tag.STRIP_OFFSETS, Tag.STRIP_BYTE_COUNTS)
            )
            fields.setdefault(at, Field(LONG8 if big else LONG, offsets))
            fields.setdefault(lengths, Field(LONG, [len(piece) for piece in picture.pieces]))
        entries: list[bytes] = []
        for tag, (kind, values) in sorted(fields.items()):
            if isinstance(values, bytes):
                body, count = values, len(values)
            elif kind == RATIONAL:
                body, count = b"".join(struct.pack(order + "II", *one) for one in values), len(values)
            else:
                body, count = struct.pack(f"{order}{len(values)}{_FORMS[kind]}", *values), len(values)
            if len(body) > width:
                out += b"\0" * (-len(out) % 8)
                place = struct.pack(order + word, len(out))
                out += body
            else:
                place = body.ljust(width, b"\0")
            entries.append(struct.pack(order + "HH" + word, tag, kind, count) + place)
        out += b"\0" * (-len(out) % 8)
        struct.pack_into(order + word, out, link, len(out))
        first = first or len(out)
        out += struct.pack(order + count_form, len(entries)) + b"".join(entries)
        link = len(out)
        out += struct.pack(order + word, first if loop and number + 1 == len(pictures) else 0)
    return bytes(out)


def texture(width: int, height: int, seed: int = 1) -> np.ndarray:
    """Return pixels like stained tissue, shape (height, width, 3)."""
    rows, columns = np.mgrid[0:height, 0:width]
    waves = [np.sin(columns / (7 + seed + k)) + np.cos(rows / (9 + 2 * k)) for k in range(3)]
    return np.stack([(160 + 45 * wave).clip(0, 255) for wave in waves], axis=-1).astype(np.uint8)


def jpeg(pixels: np.ndarray, **options: Any) -> bytes:
    """Encode pixels."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", **({"quality": 85} | options))
    return out.getvalue()


def a_swapped_profile(size: int) -> bytes:
    """Make a color profile of a device whose red is green and whose green is red, of so many bytes."""
    profile = srgb_profile().replace(b"rXYZ", b"____").replace(b"gXYZ", b"rXYZ").replace(b"____", b"gXYZ")
    return struct.pack(">I", size) + profile[4:].ljust(size - 4, b"\0")


def pixels_of(stream: bytes) -> np.ndarray:
    """Decode a JPEG as a browser would."""
    return np.asarray(Image.open(io.BytesIO(stream)).convert("RGB"))


def a_level(pixels: np.ndarray, tile: int = 64, *, description: bytes = b"", **fields: Field) -> Picture:
    """Cut pixels into JPEG tiles of a directory; photometric YCbCr."""
    height, width = pixels.shape[:2]
    rows, columns = -(-height // tile), -(-width // tile)
    padded = np.pad(pixels, ((0, rows * tile - height), (0, columns * tile - width), (0, 0)), mode="edge")
    pieces = [
        jpeg(padded[row * tile : (row + 1) * tile, column * tile : (column + 1) * tile])
        for row in range(rows)
        for column in range(columns)
    ]
    values = {
        Tag.IMAGE_WIDTH: Field(LONG, [width]),
        Tag.IMAGE_LENGTH: Field(LONG, [height]),
        Tag.BITS_PER_SAMPLE: Field(SHORT, [8, 8, 8]),
        Tag.COMPRESSION: Field(SHORT, [7]),
        Tag.PHOTOMETRIC_INTERPRETATION: Field(SHORT, [6]),
        Tag.SAMPLES_PER_PIXEL: Field(SHORT, [3]),
        Tag.TILE_WIDTH: Field(LONG, [tile]),
        Tag.TILE_LENGTH: Field(LONG, [tile]),
    } | {Tag[name]: field for name, field in fields.items()}
    if description:
        values[Tag.IMAGE_DESCRIPTION] = Field(ASCII, description + b"\0")
    return Picture(values, pieces)


def a_strip(word: str, kind: int) -> Picture:
    """Make a picture without tiles, such as an Aperio label."""
    return Picture(
        {
            Tag.NEW_SUBFILE_TYPE: Field(LONG, [kind]),
            Tag.IMAGE_WIDTH: Field(LONG, [20]),
            Tag.IMAGE_LENGTH: Field(LONG, [10]),
            Tag.IMAGE_DESCRIPTION: Field(ASCII, f"Aperio Image Library v12\r\n{word} 20x10\0".encode()),
        },
        [b"strip"],
    )


APERIO = b"Aperio Image Library v12.0.15\r\n512x384 [0,0 512x384] |AppMag = 40|MPP = 0.2520|User = Tran Van A"


def an_svs(**options: Any) -> bytes:
    """Make an Aperio slide with levels of 1, 1/4 and its pictures."""
    whole = texture(500, 380)
    return a_tiff(
        a_level(whole, description=APERIO),
        a_strip("500x380 -> 100x76", 0),
        a_level(whole[::4, ::4], description=APERIO),
        a_strip("label", 1),
        a_strip("macro", 9),
        **options,
    )
