"""What a header says differently after transcoding (PS3.3 C.7.6.3, C.7.6.1.1.5, C.12.4; PS3.5 8.2).

Everything else stays, also what another encoding cannot change: Number of Frames, Bits Allocated, the palettes.
"""

import hashlib
import struct
from typing import Final

from kernel.dicom.pixels.color import decoded_photometric_interpretation
from kernel.dicom.pixels.encoders import ENCODERS
from kernel.dicom.pixels.reading import Pixels
from kernel.dicom.scanning.elements import Header
from kernel.dicom.scanning.rewrite import element_header
from kernel.dicom.scanning.values import Values
from kernel.dicom.transcoding.frames import NATIVE_TARGETS
from kernel.dicom.vocabulary.syntaxes import JPEG_LOSSY
from kernel.dicom.vocabulary.uids import uid_of

Change = tuple[str, bytes] | None  # the new VR and value; None: the element is left out

_OFFSETS: Final[dict[int, Change]] = {0x7FE00001: None, 0x7FE00002: None}
_DERIVATION_TEXT: Final = "Lossy compression: JPEG Baseline"


def changes_of(pixels: Pixels, target: str) -> dict[int, Change]:
    """Return what changes in the header by tag when frames are decoded and, perhaps, encoded again."""
    changes = dict(_OFFSETS)
    image = pixels.image
    if image.samples_per_pixel > 1:
        source = pixels.transfer_syntax_uid
        color = color_in(image.photometric_interpretation, image.samples_per_pixel, source, target)
        changes[0x00280004] = ("CS", _padded(color))
        changes[0x00280006] = ("US", b"\0\0")
    if pixels.transfer_syntax_uid in JPEG_LOSSY:  # what was lost stays lost: nobody could tell any more
        changes[0x00282110] = ("CS", b"01")
    return changes


def color_in(photometric_interpretation: str, samples_per_pixel: int, stored: str, target: str) -> str:
    """Return the Photometric Interpretation that an instance of transfer syntax `stored` has in `target`."""
    if stored == target or (stored in NATIVE_TARGETS and target in NATIVE_TARGETS):
        return photometric_interpretation
    decoded = decoded_photometric_interpretation(photometric_interpretation, samples_per_pixel, stored)
    encoder = ENCODERS.get(target)
    if encoder is None or samples_per_pixel != 3:
        return decoded
    return encoder.rgb_becomes if decoded == "RGB" or encoder.is_lossy else decoded


def lossy_instance_uid(header: Header, target: str, quality: int) -> str:
    """Return the UID of the lossy instance that is made of another: always the same one (PS3.5 B.2).

    What is lost makes another instance (PS3.3 C.12.4.1.1).
    """
    seed = f"{Values(header).text(0x00080018)}|{target}|{quality}".encode()
    return uid_of(hashlib.sha256(seed).digest()[:16])


def lossy_changes(pixels: Pixels, target: str, quality: int, encoded_bytes: int) -> dict[int, Change]:
    """Return what a lossy copy says of itself and of its source (PS3.3 C.7.6.1.1.5, C.12.4)."""
    header, image = pixels.header, pixels.image
    values = Values(header)
    native = image.decoded_bytes * pixels.frames.number_of_frames
    ratio = f"{native / max(encoded_bytes, 1):.4g}"
    kind = _texts(values, 0x00080008)
    source = _element(0x00081150, "UI", values.text(0x00080016)) + _element(0x00081155, "UI", values.text(0x00080018))
    code = (
        _element(0x00080100, "SH", "113040")
        + _element(0x00080102, "SH", "DCM")
        + _element(0x00080104, "LO", "Lossy Compression")
    )
    return {
        0x00080008: ("CS", _padded("\\".join(["DERIVED", *(kind[1:] or ["SECONDARY"])]))),
        0x00080018: ("UI", _padded(lossy_instance_uid(header, target, quality), "\0")),
        0x00082111: ("ST", _padded(_DERIVATION_TEXT)),
        0x00082112: ("SQ", _item(source)),
        0x00089215: ("SQ", _item(code)),
        0x00282110: ("CS", b"01"),
        0x00282112: ("DS", _padded("\\".join([*_texts(values, 0x00282112), ratio]))),
        0x00282114: ("CS", _padded("\\".join([*_texts(values, 0x00282114), "ISO_10918_1"]))),
    }


def _texts(values: Values, tag: int) -> list[str]:
    text = values.text(tag)
    return [one.strip() for one in text.split("\\")] if text else []


def _element(tag: int, vr: str, text: str) -> bytes:
    value = _padded(text, "\0" if vr == "UI" else " ")
    return element_header(tag, vr, len(value), implicit=False) + value


def _item(content: bytes) -> bytes:
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(content)) + content


def _padded(text: str, pad: str = " ") -> bytes:
    return (text + pad * (len(text) % 2)).encode("ascii", "replace")
