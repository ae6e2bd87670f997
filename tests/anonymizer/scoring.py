"""How a de-identified instance of the planted corpus is judged: what is still legible, and what was lost.

Reads the output with pydicom and as bytes; knows nothing of the engine's tables, its nets or the residue check.
"""

import base64
import io
import re
import unicodedata
import urllib.parse
import zlib
from collections.abc import Iterator

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.pixels import pixel_array
from pydicom.uid import MPEG4HP41, JPEGBaseline8Bit

from kernel.dicom.pixels.boxes import Box

NOT_DECODED = {MPEG4HP41}  # by pydicom
_TAG = re.compile(r"[0-9A-F]{8}")
TEXT_VRS = {"AE", "AS", "CS", "DS", "IS", "LO", "LT", "PN", "SH", "ST", "UC", "UT", "UR", "DA", "DT", "TM"}


def legible(content: bytes, gone: tuple[str, ...]) -> list[str]:
    """Return which strings can still be read in a Part 10 file, in any case, with or without accents."""
    try:
        values = list(_values(pydicom.dcmread(io.BytesIO(content))))
    except ValueError:  # a name where a number should be: the bytes tell enough
        values = []
    readings = [bare(text) for text in (*values, *_decoded(content))]
    joined = "\n".join(readings)
    compact = re.sub(r"[ \t^_.\-/]", "", joined)
    return [one for one in gone if bare(one) in joined or _compact(one) in compact]


def _compact(text: str) -> str:
    return re.sub(r"[ \t^_.\-/]", "", bare(text))


def bare(text: str) -> str:
    """Return text without accents and case."""
    plain = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(c for c in plain if not unicodedata.combining(c)).lower()


def _values(ds: Dataset) -> Iterator[str]:
    for element in ds.iterall():
        if element.VR in TEXT_VRS and element.value is not None:
            yield from (
                str(one) for one in (element.value if isinstance(element.value, MultiValue) else [element.value])
            )


def _decoded(content: bytes) -> Iterator[str]:
    """Yield the header as whoever guesses at its character set would read it: runs of text alone."""
    pixels = content.find(b"\xe0\x7f\x10\x00")
    header = content[: pixels if pixels > 0 else len(content)]
    tail = content[-2048:]
    for part in (header, tail, *_coded(header)):
        for codec in ("utf-8", "cp1258", "utf-16-le"):
            yield part.decode(codec, "ignore")
    if content[pixels + 8 : pixels + 12] == b"\xff\xff\xff\xff":  # encapsulated: frames hold more than samples
        yield content[pixels:].decode("utf-8", "ignore")
        yield content[pixels:].decode("utf-16-be", "ignore")


def _coded(header: bytes) -> Iterator[bytes]:
    """Yield what base64, hexadecimal, percent signs and quoted-printable stand for."""
    for word in re.findall(rb"[A-Za-z0-9+/]{8,}={0,2}", header):
        yield base64.b64decode(word[: len(word) // 4 * 4])
    for word in re.findall(rb"(?:[0-9a-f]{2}){4,}", header):
        yield bytes.fromhex(word.decode())
    yield urllib.parse.unquote_to_bytes(header)
    yield re.sub(rb"=([0-9A-F]{2})", lambda found: bytes.fromhex(found[1].decode()), header)


def lost(content: bytes, stays: tuple[tuple[str, str], ...]) -> list[str]:
    """Return the paths whose value is no longer what it was."""
    ds = pydicom.dcmread(io.BytesIO(content))
    return [path for path, value in stays if _at(ds, path) != value]


def _at(ds: Dataset, path: str) -> str:
    here = ds
    for part in path.split("."):
        try:
            if _TAG.fullmatch(part):
                here = here[int(part, 16)].value
            else:
                here = here[int(part)] if part.isdecimal() else getattr(here, part)
        except (AttributeError, IndexError, KeyError):
            return "absent"
    return str(here)


def pixel_digest(content: bytes, masked: Box | None = None) -> int:
    """Return a number of the samples of the pixel data outside of `masked`; 0 where there is none."""
    ds = pydicom.dcmread(io.BytesIO(content))
    if "PixelData" not in ds or ds.file_meta.TransferSyntaxUID in NOT_DECODED:
        return 0
    if (
        ds.file_meta.TransferSyntaxUID == JPEGBaseline8Bit
    ):  # of two decoders that round otherwise one minds what is behind
        pixels = pixel_array(ds, decoding_plugin="pillow").copy()
    else:
        pixels = ds.pixel_array.copy()
    if ds.BitsStored < ds.BitsAllocated and not ds.PixelRepresentation:
        pixels &= (1 << ds.BitsStored) - 1  # what is above is no sample
    if masked is not None:
        pixels[..., masked.top : masked.bottom, masked.left : masked.right] = 0
    return zlib.crc32(pixels.astype(pixels.dtype.newbyteorder("<")).tobytes())


def unused_bits(content: bytes) -> int:
    """Return which bits above those of samples are set in any of them, as a mask."""
    ds = pydicom.dcmread(io.BytesIO(content))
    if "PixelData" not in ds or ds.BitsAllocated != 16 or ds.PixelRepresentation:
        return 0
    samples = np.frombuffer(ds.PixelData, "<u2")
    return int(np.bitwise_or.reduce(samples)) >> ds.BitsStored << ds.BitsStored


def references(ds: Dataset) -> Iterator[tuple[str, str]]:
    """Yield (keyword, UID) of every UID that points to an instance, series, study or frame of reference."""
    for element in ds.iterall():
        if element.VR == "UI" and not element.keyword.endswith(("ClassUID", "SyntaxUID")) and element.value:
            values = element.value if isinstance(element.value, MultiValue) else [element.value]
            yield from ((element.keyword, str(one)) for one in values)
