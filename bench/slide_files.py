"""Slides made for measuring: gigapixels of tissue, written as an Aperio SVS and as a generic tiled TIFF.

Texture comes from a real slide where one is at hand (VIENANH_SAMPLES), else from a formula; either repeats, tile by
tile, so that a gigapixel is written in a second.
"""

import io
import os
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

QUALITY = 80
BANK = 48  # different tiles
_LONG, _SHORT, _ASCII = 4, 3, 2
_FORMS = {_LONG: "I", _SHORT: "H", _ASCII: "B"}


@dataclass(frozen=True, slots=True)
class Size:
    """Of the finest level, pixels."""

    width: int
    height: int


def svs(path: Path, size: Size, tile: int = 256) -> Path:
    """Write an Aperio slide of levels 1, 1/4, 1/16 and 1/32."""
    text = f"Aperio Image Library v12.0.15\r\n{size.width}x{size.height} |AppMag = 40|MPP = 0.25|Date = 01/02/26"
    return _written(path, size, tile, (1, 4, 16, 32), text + "|Time = 08:00:00")


def generic(path: Path, size: Size, tile: int = 512) -> Path:
    """Write a tiled TIFF whose levels are halves."""
    return _written(path, size, tile, (1, 2, 4, 8, 16, 32, 64), "")


def texture(side: int) -> Iterator[np.ndarray]:
    """Yield BANK squares of tissue, shape (side, side, 3)."""
    sample = Path(os.environ.get("VIENANH_SAMPLES", "")) / "slides" / "CMU-1-Small-Region.svs"
    rng = np.random.default_rng(7)
    if sample.is_file():
        import openslide

        with openslide.OpenSlide(sample) as slide:
            for _ in range(BANK):
                x = int(rng.integers(0, slide.dimensions[0] - side))
                y = int(rng.integers(0, slide.dimensions[1] - side))
                yield np.asarray(slide.read_region((x, y), 0, (side, side)).convert("RGB"))
        return
    rows, columns = np.mgrid[0:side, 0:side]
    for number in range(BANK):
        waves = np.sin(columns / (5 + number % 7)) + np.cos(rows / (6 + number % 5))
        noise = rng.normal(0, 6, (side, side, 3))
        tissue = np.stack([215 + 15 * waves, 150 + 40 * waves, 205 + 18 * waves], axis=-1) + noise
        yield tissue.clip(0, 255).astype(np.uint8)


def _written(path: Path, size: Size, tile: int, reductions: Sequence[int], text: str) -> Path:
    bank = [_jpeg(pixels) for pixels in texture(tile)]
    rng = np.random.default_rng(11)
    with path.open("wb") as file:
        file.write(struct.pack("<2sHI", b"II", 42, 0))
        link = 4
        for position, reduction in enumerate(reductions):
            if position == 1 and text:
                link = _directory(file, _thumbnail(file, size, text), link)
            width, height = size.width // reduction, size.height // reduction
            count = -(-width // tile) * -(-height // tile)
            offsets, lengths = np.zeros(count, "<u4"), np.zeros(count, "<u4")
            for number, chosen in enumerate(rng.integers(0, BANK, count)):
                offsets[number], lengths[number] = file.tell(), len(bank[chosen])
                file.write(bank[chosen])
            fields: dict[int, tuple[int, Sequence[int] | bytes]] = {
                256: (_LONG, [width]), 257: (_LONG, [height]), 258: (_SHORT, [8, 8, 8]), 259: (_SHORT, [7]),
                262: (_SHORT, [6]), 277: (_SHORT, [3]), 322: (_LONG, [tile]), 323: (_LONG, [tile]),
                324: (_LONG, offsets.tobytes()), 325: (_LONG, lengths.tobytes()), 530: (_SHORT, [2, 1]),
            }  # fmt: skip
            if text:
                fields[270] = (_ASCII, text.encode() + b"\0")
            else:
                fields |= {282: (5, struct.pack("<II", 40_000, 1)), 283: (5, struct.pack("<II", 40_000, 1))}
                fields[296] = (_SHORT, [3])
            link = _directory(file, fields, link)
    return path


def _thumbnail(file: io.BufferedWriter, size: Size, text: str) -> dict[int, tuple[int, Sequence[int] | bytes]]:
    """Write what Aperio has second: a small picture in one strip."""
    width, height = size.width // 64, size.height // 64
    strip = _jpeg(np.full((height, width, 3), 230, np.uint8))
    at = file.tell()
    file.write(strip)
    return {
        256: (_LONG, [width]), 257: (_LONG, [height]), 258: (_SHORT, [8, 8, 8]), 259: (_SHORT, [7]), 262: (_SHORT, [6]),
        270: (_ASCII, text.encode() + b"\0"), 273: (_LONG, [at]), 277: (_SHORT, [3]), 278: (_LONG, [height]),
        279: (_LONG, [len(strip)]), 530: (_SHORT, [2, 1]),
    }  # fmt: skip


def _directory(file: io.BufferedWriter, fields: dict[int, tuple[int, Sequence[int] | bytes]], link: int) -> int:
    """Write a directory at the end and lead `link` to it; return where the next link is."""
    entries: list[bytes] = []
    for tag, (kind, values) in sorted(fields.items()):
        body = values if isinstance(values, bytes) else struct.pack(f"<{len(values)}{_FORMS[kind]}", *values)
        count = len(body) // {_LONG: 4, _SHORT: 2, _ASCII: 1, 5: 8}[kind]
        place = body.ljust(4, b"\0")
        if len(body) > 4:
            place = struct.pack("<I", _even(file))
            file.write(body)
        entries.append(struct.pack("<HHI", tag, kind, count) + place)
    at = _even(file)
    file.write(struct.pack("<H", len(entries)) + b"".join(entries) + struct.pack("<I", 0))
    end = file.tell()
    file.seek(link)
    file.write(struct.pack("<I", at))
    file.seek(end)
    return end - 4


def _even(file: io.BufferedWriter) -> int:
    file.write(b"\0" * (file.tell() % 2))
    return file.tell()


def _jpeg(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=QUALITY, subsampling="4:2:2")
    return out.getvalue()
