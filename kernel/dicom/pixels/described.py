"""What a compressed frame says of its own samples, as DICOM JSON: the Image Pixel Description Macro (PS3.3 C.7.6.3).

For senders that leave it out because the frame has it (PS3.18 10.5.2). Nothing is decoded; what a codestream does not
say, or says later, is left out. `kernel.dicom.pixels.reading` compares both before any codec runs.
"""

import struct
from typing import Any, Final

from kernel.dicom.pixels.codestream import coding_of_components, is_stored_as_rgb, jpeg_sampling, stream_size
from kernel.dicom.vocabulary.syntaxes import JPEG_2000_FAMILY, JPEG_LOSSY, JPEG_LS_LOSSLESS, JPEG_LS_NEAR_LOSSLESS

DESCRIBED_BYTES: Final = 64 * 1024  # of a frame that are looked at: its headers
BITS_MAX: Final = 16
_JPEG_LS: Final = frozenset({JPEG_LS_LOSSLESS, JPEG_LS_NEAR_LOSSLESS})

Json = dict[str, Any]


def described(head: bytes, transfer_syntax_uid: str) -> Json:
    """Return elements by tag of what the beginning of a frame says; empty when it says nothing that is understood."""
    size = stream_size(head)
    if size is None or not size.rows or not size.columns or size.components not in (1, 3) or size.precision > BITS_MAX:
        return {}
    numbers = {
        "00280002": size.components,
        "00280010": size.rows,
        "00280011": size.columns,
        "00280100": 8 if size.precision <= 8 else 16,
        "00280101": size.precision,
        "00280102": size.precision - 1,
        "00280103": int(size.is_signed),
    }
    if size.components == 3:
        numbers["00280006"] = 0
    elements = {key: {"vr": "US", "Value": [number]} for key, number in numbers.items()}
    try:
        color = "MONOCHROME2" if size.components == 1 else _color(head, transfer_syntax_uid)
    except (struct.error, IndexError):
        return {}
    return elements | {"00280004": {"vr": "CS", "Value": [color]}}


def _color(head: bytes, transfer_syntax_uid: str) -> str:
    """Return Photometric Interpretation of three components (PS3.5 8.2.1, 8.2.3, 8.2.4)."""
    if transfer_syntax_uid in JPEG_2000_FAMILY:
        return {"none": "RGB", "reversible": "YBR_RCT", "irreversible": "YBR_ICT"}[coding_of_components(head)]
    if transfer_syntax_uid in _JPEG_LS or transfer_syntax_uid not in JPEG_LOSSY:
        return "RGB" if is_stored_as_rgb(head, "RGB") else "YBR_FULL"
    if is_stored_as_rgb(head, ""):
        return "RGB"
    return "YBR_FULL_422" if len(set(jpeg_sampling(head))) > 1 else "YBR_FULL"
